/**
 * What the cards say, and the way out where a window is taken. Pure. A phrase is a list of our text and of [text from outside].
 *
 * @typedef {(string|string[])[]} Phrase
 * @typedef {import('./store.js').Selection} Selection
 */

import { gpuList } from './bar-words.js';
import { DAY, MONTHS, countOf, dateAt, hourOf, lengthOf, momentOf, windowText } from './time.js';

/** "3 days", "45 h", "2 d 4 h". */
export const spell = (hours) => hours % DAY ? lengthOf(hours) : countOf(hours / DAY, 'day');

/** "atlas 4–5 · H100"; of several kinds, or `counted`: "2 × H100, 1 × L40S". @returns {Phrase} */
export function placePhrase(gpus, counted = false) {
	const kinds = [...new Set(gpus.map(({ kind }) => kind))];
	return [[gpus[0].node.name], ' ', [gpuList(gpus)], ' · ', ...kinds.flatMap((kind, index) => [index ? ', ' : '',
		counted || kinds[1] ? `${gpus.filter((gpu) => gpu.kind === kind).length} × ` : '', [kind]])];
}

/** "Taken by KM until Thu 1 Oct 12:00 and by 2 others". @returns {Phrase} */
export function takenPhrase(takers, late = false) {
	const last = takers.reduce((one, other) => other.end > one.end ? other : one);
	const others = new Set(takers.map(({ who }) => who)).size - 1;
	return [...late ? [[last.who], ' was faster: taken'] : ['Taken by ', [last.who]], ` until ${momentOf(last.end, true)}`,
		others ? ` and by ${countOf(others, 'other')}` : ''];
}

/** The same of the model's clashes. */
export const clashPhrase = (clashes) => takenPhrase(clashes.map(({ booking }) => ({ who: booking.label, end: booking.end })));

/** What a call that failed says. @param {any} trouble @returns {Phrase} */
export function troublePhrase({ status, message, conflicts = [] }) {
	return conflicts.length ? takenPhrase(conflicts.map((one) => ({ who: one.user_label, end: one.end })), true)
		: status === 401 ? ['You are not logged in. If you were, load the page again.']
			: status === 403 && /makes no sense/.test(message) ? ['You are not allowed to do that.']
				: status === 412 ? ['Somebody changed this booking meanwhile. Look, and try again.'] : [[message]];
}

/** Why nobody could book a window; '' where that is not so. */
export function windowFault(start, end, now) {
	return Number.isNaN(start + end) ? 'Give both days.'
		: start < Math.floor(now) ? `That has passed: start at ${momentOf(Math.floor(now))} or later.`
			: end <= start ? 'The end must come after the start.' : '';
}

/**
 * The way out that the picture shows: other GPUs of the node and kind, else the longest free part, if it is a quarter of what was wanted.
 * @param {import('./model.js').Model} model
 * @param {Selection} selection
 */
export function wayOut(model, selection) {
	const { gpus, start, end } = selection;
	const spare = model.freeGpus(model.nodes[selection.node], start, end).filter((gpu) => !gpus.includes(gpu));
	const other = gpus.map((gpu) => {
		if (model.isFree(gpu, start, end)) {
			return gpu;
		}
		const [next = -1] = spare.filter((one) => model.gpus[one].kind === model.gpus[gpu].kind).sort((a, b) => Math.abs(a - gpu) - Math.abs(b - gpu));
		spare.splice(spare.indexOf(next), Number(next >= 0));
		return next;
	}).sort((a, b) => a - b);
	if (other[0] >= 0) {
		return { words: ['Use ', [gpuList(other.map((gpu) => model.gpus[gpu]))], ' instead'], selection: { ...selection, gpus: other } };
	}
	let best = { start, end: start };
	let from = start;
	for (const clash of [...model.clashes(gpus, start, end).sort((a, b) => a.start - b.start), { start: end, end }]) {
		if (clash.start - from > best.end - best.start) {
			best = { start: from, end: clash.start };
		}
		from = Math.max(from, clash.end);
	}
	return (best.end - best.start) * 4 < end - start ? null
		: { words: [`Take ${windowText(best.start, best.end)}`], selection: { ...selection, ...best } };
}

/** The first of the windows found; on the wanted node, where that is no later. @param {import('./model.js').Model} model */
export function nearest(model, found, wanted) {
	const [first] = [...found].sort((a, b) => a.start - b.start || Number(b.node === wanted) - Number(a.node === wanted));
	if (!first) {
		return null;
	}
	const { number, ...selection } = first;
	const { node, gpus, start } = selection;
	return { words: ['Take ', [model.nodes[node].name], ' ', [gpuList(gpus.map((gpu) => model.gpus[gpu]))], ` from ${momentOf(start)}`], selection };
}

/** "18 Sep 09:12" in UTC. */
export function minuteOf(stamp) {
	const at = dateAt(hourOf(stamp));
	return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.toISOString().slice(11, 16)}`;
}

/** How a booking stands; `full` is what the server says of it, null before that came. @returns {Phrase} */
export function statePhrase({ start, end, status }, now, full = /** @type {any} */ (null)) {
	const whole = lengthOf(end - start);
	const when = full?.released ? minuteOf(full.released) : '';
	if (status === 2) {
		const actor = full?.events.findLast(({ kind }) => kind === 'cancelled')?.actor;
		return ['Cancelled', ...actor ? [' by ', [actor]] : [], when && ` ${when}`];
	}
	if (status === 1) {
		const early = when ? Math.floor(end - Math.max(start, hourOf(full.released))) : 0;
		return [`Done${when && `, given back ${when}`}${early > 0 ? ` · ${lengthOf(early)} early` : ''}`];
	}
	return [now < start ? `Starts in ${lengthOf(start - now)} · ${whole}` : now < end ? `Running · ${lengthOf(end - now)} left of ${whole}` : `Over · ${whole}`];
}

const clip = (text) => [...text].length > 40 ? `${[...text].slice(0, 39).join('')}…` : text;
const quoted = (note) => note ? `“${clip(note)}”` : 'none';

/** One event of a booking's history: "booked", "extended … → …". @returns {Phrase} */
export function eventPhrase({ kind, actor, detail }) {
	if (kind !== 'edited') {
		const label = detail?.user_label;
		return kind === 'booked' && actor && label !== actor ? ['booked for ', [label]] : [kind === 'completed' ? 'done' : kind];
	}
	const { old, new: now } = detail;
	const by = (key) => hourOf(now[key]) - hourOf(old[key]);
	const moved = by('start') === by('end');
	return /** @type {[string, string, (value: any) => string][]} */ ([
		['start', moved ? 'moved' : 'start', (at) => momentOf(hourOf(at))],
		['end', by('end') > 0 ? 'extended' : 'shortened', (at) => momentOf(hourOf(at), true)],
		['gpu_ids', 'GPUs', (ids) => clip(ids.join(', '))],
		['user_label', 'initials', String],
		['priority', 'priority', String],
		['note', 'note', quoted],
	]).filter(([key]) => key in now && !(moved && key === 'end'))
		.flatMap(([key, word, words], index) => [`${index ? ', ' : ''}${word} `, [words(old[key])], ' → ', [words(now[key])]]);
}
