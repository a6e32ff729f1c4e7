/** The view as the address bar holds it, and what this browser remembers. A link shows a colleague the same. */

import { query } from './api.js';
import { DAY, WEEK, dateAt, midnightOf, mondayOf, parseDay } from './time.js';

const QUERY_MAX = 2000;

/** Where a zoom begins when nobody said: a little before now. */
export function homeOf(zoom, now, narrow = false) {
	return zoom === 'hours' ? Math.floor(now) - 2
		: zoom === 'weeks' ? mondayOf(now) - (narrow ? 0 : WEEK)
			: midnightOf(now) - (narrow ? 0 : DAY);
}

/** The view of an address's query. What makes no sense is as if it were not there. */
export function readView(search, now, narrow = false) {
	const found = new URLSearchParams(search.replace(/^#/, ''));
	const get = (name) => found.get(name) ?? '';
	const all = (name) => found.has(name) ? found.getAll(name).filter(Boolean) : null;
	const zoom = ['hours', 'days', 'weeks'].find((one) => one === get('zoom')) ?? 'days';
	const [, day = '', hour = 0] = /^([\d-]+)(?:T(\d\d))?$/.exec(get('date')) ?? [];
	const date = parseDay(day);
	return {
		zoom,
		date: date === null ? homeOf(zoom, now, narrow) : date + Number(hour) % DAY, /* the hour at the grid's left edge */
		nodes: all('node'), /* ids of what is shown; null: all */
		kinds: all('kind'),
		person: get('person'), /* whose bookings stand out; '': nobody's */
		mine: get('mine') === '1',
	};
}

/** The query of a view; '' for the one that stands there by itself. One that a web server might find too long stands behind a #. */
export function writeView({ date, zoom, nodes, kinds, person, mine }, home) {
	const some = (ids) => ids?.length === 0 ? [''] : ids;
	const text = query({
		date: date === home ? null : dateAt(date).toISOString().slice(0, date % DAY ? 13 : 10),
		zoom: zoom === 'days' ? null : zoom,
		node: some(nodes),
		kind: some(kinds),
		person,
		mine: mine ? 1 : null,
	});
	return text.length > QUERY_MAX ? `#${text}` : text;
}

/* A browser may forbid its storage; then nothing is remembered, and nothing breaks. */
export function remember(name, value) {
	try {
		localStorage.setItem(`procplan.${name}`, JSON.stringify(value));
	} catch { /* as if it were empty */ }
}

/** What was remembered, or `otherwise`, also where something of another kind stands: other pages of this host can write there. */
export function remembered(name, otherwise) {
	try {
		const value = JSON.parse(localStorage.getItem(`procplan.${name}`) ?? 'null');
		return value?.constructor === otherwise.constructor ? value : otherwise;
	} catch {
		return otherwise;
	}
}
