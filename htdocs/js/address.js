/** The view as the address bar holds it, and what this browser remembers. A link shows a colleague the same. */

import { DAY, dateAt, dayText, midnightOf, mondayOf, parseDay } from './time.js';

const QUERY_MAX = 2000;

/**
 * @typedef {'hours'|'days'|'weeks'} Zoom
 * @typedef {object} View
 * @property {Zoom} zoom
 * @property {number} date           the hour at the grid's left edge
 * @property {string[]|null} nodes   the ids of the nodes that are shown; null: all
 * @property {string[]|null} kinds
 * @property {string} person         whose bookings stand out; '': nobody's
 * @property {boolean} mine
 */

/** Where a zoom begins when nobody said: a little before now. */
export function homeOf(zoom, now, narrow = false) {
	switch (zoom) {
	case 'hours': return Math.floor(now) - 2;
	case 'weeks': return mondayOf(now) - (narrow ? 0 : 7 * DAY);
	default: return midnightOf(now) - (narrow ? 0 : DAY);
	}
}

/**
 * Reads an address's query. What makes no sense is as if it were not there.
 * @returns {View}
 */
export function readView(search, now, narrow = false) {
	const query = new URLSearchParams(search.replace(/^#/, ''));
	const all = (name) => query.has(name) ? query.getAll(name).filter((one) => one !== '') : null;
	const zoom = /** @type {Zoom} */ (['hours', 'days', 'weeks'].find((one) => one === query.get('zoom')) ?? 'days');
	const [, day, hour] = /^([\d-]+)(?:T(\d\d))?$/.exec(query.get('date') ?? '') ?? [];
	const date = day ? parseDay(day) : null;
	return {
		zoom,
		date: date === null ? homeOf(zoom, now, narrow) : date + (Number(hour ?? 0) % DAY),
		nodes: all('node'),
		kinds: all('kind'),
		person: query.get('person') ?? '',
		mine: query.get('mine') === '1',
	};
}

/** The query of a view; '' for the one that stands there by itself. One that a web server might find too long stands behind a #. */
export function writeView(view, home) {
	const query = new URLSearchParams();
	if (view.date !== home) {
		const hour = view.date - midnightOf(view.date);
		query.set('date', dayText(view.date) + (hour ? dateAt(view.date).toISOString().slice(10, 13) : ''));
	}
	if (view.zoom !== 'days') {
		query.set('zoom', view.zoom);
	}
	for (const [name, ids] of /** @type {[string, string[]|null][]} */ ([['node', view.nodes], ['kind', view.kinds]])) {
		for (const id of ids?.length === 0 ? [''] : ids ?? []) {
			query.append(name, id);
		}
	}
	if (view.person) {
		query.set('person', view.person);
	}
	if (view.mine) {
		query.set('mine', '1');
	}
	const text = query.size > 0 ? `?${query}` : '';
	return text.length > QUERY_MAX ? `#${text}` : text;
}

/* A browser may forbid its storage; then nothing is remembered, and nothing breaks. */
export function remember(name, value) {
	try {
		localStorage.setItem(`procplan.${name}`, JSON.stringify(value));
	} catch { /* as if it were empty */ }
}

export function remembered(name, otherwise) {
	try {
		return JSON.parse(localStorage.getItem(`procplan.${name}`) ?? 'null') ?? otherwise;
	} catch {
		return otherwise;
	}
}
