/**
 * What the cards say, and the way out where a window is taken. Pure. A phrase is a list: text of ours, and [text] from outside, which is
 * shown isolated, whatever direction its letters run.
 *
 * @typedef {(string|string[])[]} Phrase
 * @typedef {import('./model.js').Model} Model
 * @typedef {import('./model.js').Gpu} Gpu
 * @typedef {import('./model.js').Booking} Booking
 * @typedef {import('./store.js').Selection} Selection
 */

import { PRIORITIES } from './model.js';
import { DAY, MONTHS, dateAt, hourOf, lengthOf, momentOf, windowText } from './time.js';

export const countOf = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;

/** "3 days", "45 h", "2 d 4 h". */
export const spell = (hours) => hours % DAY || hours < DAY ? lengthOf(hours) : countOf(hours / DAY, 'day');

/** "4, 5", "0–3, 6": three neighbours or more are a range. */
export function gpuNames(gpus) {
	const runs = /** @type {Gpu[][]} */ ([]);
	for (const gpu of gpus) {
		const run = runs.at(-1);
		run?.at(-1)?.index === gpu.index - 1 ? run?.push(gpu) : runs.push([gpu]);
	}
	return runs.map((run) => run.length > 2 ? `${run[0].short}–${run[run.length - 1].short}` : run.map((gpu) => gpu.short).join(', ')).join(', ');
}

/** "atlas 4, 5 · H100", of several kinds "2 × H100, 1 × L40S". */
export function placePhrase(gpus, counted = false) {
	const kinds = [...new Set(gpus.map((gpu) => gpu.kind))].map((kind) => [gpus.filter((gpu) => gpu.kind === kind).length, kind]);
	return [[gpus[0].node.name], ' ', [gpuNames(gpus)], ' · ',
		...kinds.flatMap(([count, kind], index) => [`${index ? ', ' : ''}${counted || kinds.length > 1 ? `${count} × ` : ''}`, [String(kind)]])];
}

/* -- what is in the way ------------------------------------------------------------------------------------------------ */

/** "Taken by KM until Thu 1 Oct 12:00 and by 2 others". */
export function takenPhrase(takers, late = false) {
	const last = takers.reduce((one, other) => other.end > one.end ? other : one);
	const others = new Set(takers.map(({ who }) => who)).size - 1;
	return [...late ? [[last.who], ' was faster: taken'] : ['Taken by ', [last.who]], ` until ${momentOf(last.end, true)}`,
		others > 0 ? `${late ? ', also by' : ' and by'} ${countOf(others, 'other')}` : ''];
}

/** What a call that failed says on a card. */
export function troublePhrase(trouble) {
	const takers = (trouble.conflicts ?? []).map((one) => ({ who: one.user_label, end: one.end }));
	const strange = /makes no sense/.test(trouble.message);
	return takers.length > 0 ? takenPhrase(takers, true)
		: trouble.status === 401 ? ['You are not logged in any more. Load the page again.']
			: trouble.status === 403 && strange ? ['You are not allowed to do that.']
				: trouble.status === 412 ? ['Somebody changed this booking meanwhile. Look, and try again.'] : [[trouble.message]];
}

/** Why a window cannot be booked whoever has the GPUs; '' where it can. */
export function windowFault(start, end, now) {
	return Number.isNaN(start + end) ? 'Give both days.'
		: start < Math.floor(now) ? `That has passed: start at ${momentOf(Math.floor(now))} or later.`
			: end <= start ? 'The end must come after the start.' : '';
}

/**
 * One way out for a selection that does not fit: other GPUs of the node and kind, else the longest free part of the window. Null where
 * neither is worth a thing.
 * @param {Model} model
 * @param {Selection} selection
 * @returns {{words: Phrase, selection: Selection}|null}
 */
export function wayOut(model, selection) {
	const { gpus, start, end } = selection;
	const spare = model.freeGpus(model.nodes[selection.node], start, end).filter((gpu) => !gpus.includes(gpu));
	const other = gpus.map((gpu) => {
		if (model.isFree(gpu, start, end)) {
			return gpu;
		}
		const [next] = spare.filter((one) => model.gpus[one].kind === model.gpus[gpu].kind).sort((a, b) => Math.abs(a - gpu) - Math.abs(b - gpu));
		return next === undefined ? -1 : spare.splice(spare.indexOf(next), 1)[0];
	}).sort((a, b) => a - b);
	if (other[0] >= 0) {
		return { words: ['Use ', [gpuNames(other.map((gpu) => model.gpus[gpu]))], ' instead'], selection: { ...selection, gpus: other } };
	}
	const held = model.clashes(gpus, start, end).sort((a, b) => a.start - b.start);
	let best = { start, end: start };
	let from = start;
	for (const clash of [...held, { start: end, end }]) {
		if (clash.start - from > best.end - best.start) {
			best = { start: from, end: clash.start };
		}
		from = Math.max(from, clash.end);
	}
	return (best.end - best.start) * 4 >= end - start
		? { words: [`Take ${windowText(best.start, best.end)}`], selection: { ...selection, ...best } } : null;
}

/** The window among those found that is taken first; on the node where it was wanted, if that is no later. */
export function nearest(model, found, node) {
	const [first] = [...found].sort((a, b) => a.start - b.start || Number(b.node === node) - Number(a.node === node));
	return first ? {
		words: /** @type {Phrase} */ (['Take ', [model.nodes[first.node].name], ' ', [gpuNames(first.gpus.map((gpu) => model.gpus[gpu]))],
			` from ${momentOf(first.start)}`]),
		selection: { node: first.node, gpus: first.gpus, start: first.start, end: first.end },
	} : null;
}

/* -- a booking and its history ------------------------------------------------------------------------------------------- */

/** "18 Sep 09:12" in UTC. */
export function minuteOf(stamp) {
	const at = dateAt(hourOf(stamp));
	return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.toISOString().slice(11, 16)}`;
}

/** How a booking stands. `full` is what the server says of it, null before it came. */
export function statePhrase(booking, now, full = /** @type {any} */ (null)) {
	const { start, end, status } = booking;
	const whole = lengthOf(end - start);
	if (status === 2) {
		const actor = full?.events.findLast((event) => event.kind === 'cancelled')?.actor;
		return ['Cancelled', ...actor ? [' by ', [actor]] : [], full?.released ? ` ${minuteOf(full.released)}` : ''];
	}
	if (status === 1) {
		const early = full?.released ? end - Math.max(start, hourOf(full.released)) : 0;
		return [`Done${full?.released ? `, given back ${minuteOf(full.released)}` : ''}${early >= 1 ? ` · ${lengthOf(Math.floor(early))} early` : ''}`];
	}
	return [now < start ? `Starts in ${lengthOf(start - now)} · ${whole}` : now < end ? `Running · ${lengthOf(end - now)} left of ${whole}` : `Over · ${whole}`];
}

const clip = (text) => text.length > 40 ? `${text.slice(0, 39)}…` : text;

/** One event of a booking's history, without its time and actor: "booked", "extended … → …". */
export function eventPhrase(event) {
	if (event.kind !== 'edited') {
		const { user_label: label } = event.detail ?? {};
		return event.kind === 'booked' && event.actor && label && label !== event.actor ? ['booked for ', [label]]
			: [event.kind === 'completed' ? 'done' : event.kind];
	}
	const { old, new: now } = event.detail;
	/** @type {Phrase[]} */
	const said = [];
	const hours = (key) => key in now ? hourOf(now[key]) - hourOf(old[key]) : 0;
	const change = (word, from, to) => said.push([`${word} `, [from], ' → ', [to]]);
	const moment = (word, key) =>
		change(word, momentOf(hourOf(old[key]), key === 'end'), momentOf(hourOf(now[key]), key === 'end'));
	if (hours('start') !== 0 && hours('start') === hours('end')) {
		moment('moved', 'start');
	} else {
		'start' in now && moment('start', 'start');
		'end' in now && moment(hours('end') > 0 ? 'extended' : 'shortened', 'end');
	}
	'gpu_ids' in now && change('GPUs', clip(old.gpu_ids.join(', ')), clip(now.gpu_ids.join(', ')));
	'user_label' in now && change('initials', old.user_label, now.user_label);
	'priority' in now && change('priority', old.priority, now.priority);
	const quoted = (text) => text ? `“${clip(text)}”` : 'none';
	'note' in now && change('note', quoted(old.note), quoted(now.note));
	return said.flatMap((phrase, index) => index ? [', ', ...phrase] : phrase);
}

/** When the first other active booking begins on any of a booking's GPUs after its end; null where none is known. */
export function nextAfter(model, booking) {
	const clashes = model.clashes(booking.gpus, booking.end, model.end, booking.id).sort((a, b) => a.start - b.start);
	return clashes[0] ?? null;
}

/** "Medium priority". */
export function priorityText(priority) {
	const name = PRIORITIES[priority];
	return `${name[0].toUpperCase()}${name.slice(1)} priority`;
}
