/** Bookings as bars, and what lies over them: the selection, found windows, where a dragged bar would land. */

import { byId, classes, drop, element, watch } from './dom.js';
import { grid } from './geometry.js';
import { blocksIn, runsOf } from './logic.js';
import { PRIORITIES } from './model.js';
import { state, store } from './store.js';
import { DAY, countOf, lengthOf } from './time.js';

const INSET = 2; /* px above and below a bar, and 1 at its sides: neighbours never touch */
const [TILE_ROWS, TILE_WIDTH] = [8, 400]; /* px; bars that begin in the same tile are painted together, and the other tiles are not */

const { isMine } = store;
const layer = byId('grid').querySelector('.bars');
const over = layer.appendChild(element('div', { class: 'veil' }));
/** @type {any} */
let ruler = null; /* made for the first bar: the server is asked before that */
let font = '';
const widths = new Map();
const drawn = new Map();
const tiles = new Map();
const [isOtherLook, isOtherVersion] = [watch(), watch()];
let windowOf = state.model.window;
let shadow = null;

function textWidth(text, weight) {
	const key = `${weight} ${text}`;
	if (!widths.has(key)) {
		ruler ??= document.createElement('canvas').getContext('2d');
		font ||= getComputedStyle(document.body).fontFamily;
		ruler.font = `${weight} 11px ${font}`;
		widths.set(key, ruler.measureText(text).width);
	}
	return widths.get(key);
}

/** As much of a text as fits: cutting it off by a clip would make a layer to paint. */
function shortened(text, width) {
	const signs = [...text];
	let count = signs.length;
	while (count > 1 && textWidth(`${signs.slice(0, count).join('')}…`, 600) > width) {
		count--;
	}
	return count < signs.length ? `${signs.slice(0, count).join('')}…` : text;
}

/**
 * Who and the priority's letter, the note where it fits; in little room the letter only, and then nothing. With the width of who.
 * @returns {[HTMLElement|null, number]}
 */
function labelOf({ label: who, note, status, priority }, width) {
	const sign = element('b', {}, status === 0 ? PRIORITIES[priority][0].toUpperCase() : '✓');
	const size = textWidth(who, 600);
	if (width < 14) {
		return [null, 0];
	}
	if (width < 24 || (width < 42 && size + 18 > width)) {
		return [element('span', { class: 'label tight' }, sign), 14];
	}
	const more = note ? textWidth(note, 400) + 5 : 0;
	const fits = more > 0 && size + more + 31 < width;
	const tight = size + 28 > width;
	return [element('span', { class: classes({ label: true, tight }) }, element('bdi', { class: 'who' }, tight ? shortened(who, width - 16) : who),
		sign, fits && element('bdi', { class: 'note' }, note)), Math.min(width, size + 30)];
}

function box(made, { first, last, start, end }) {
	const { rows } = grid.layout;
	const x = grid.x(Math.max(start, grid.origin));
	const top = rows[first].top + INSET;
	const height = rows[last].top + rows[last].height - top - INSET - 1;
	Object.assign(made.style, {
		margin: `${top}px 0 ${-top - height}px ${x + 1}px`,
		width: `${Math.max(2, grid.x(end) - x - 2)}px`,
		height: `${height}px`,
	});
	return made;
}

/** `fresh`: it came from other people just now, and fades in. */
function bar(block, fresh) {
	const { booking, start, end, first, last } = block;
	const { view: { person, mine }, now } = state;
	const active = booking.status === 0 && end > now;
	const made = box(element('div', {
		class: classes({
			bar: true,
			[PRIORITIES[booking.priority]]: true,
			mine: active && isMine(booking),
			tall: last > first + 1,
			over: !active,
			ended: booking.status !== 0,
			dim: (person || mine) && booking.label !== person && !(mine && isMine(booking)),
			before: start > booking.start,
			fresh,
		}),
		'data-id': booking.id,
	}), block);
	const width = (end - start) * grid.scale.hourWidth - 2;
	const [label, size] = labelOf(booking, width);
	made.append(label ?? '');
	return { block, made, label, room: Math.max(0, width - size), moved: label && 0 };
}

function clear() {
	drop(tiles);
	drawn.clear();
}

function tileOf({ start, first }) {
	const key = [Math.floor(first / TILE_ROWS), Math.floor(start * grid.scale.hourWidth / TILE_WIDTH)].join();
	if (!tiles.has(key)) {
		tiles.set(key, [layer.insertBefore(element('div', { class: 'tile' }), over)]);
	}
	return tiles.get(key)[0];
}

export function draw() {
	const { area: { from, to, start, end }, layout: { rows } } = grid;
	const { model, now, view, who, session } = state;
	/* A change of bookings keeps the bars that stay as they are, so that nothing flickers; another look draws all anew. */
	const anew = isOtherLook(Math.floor(now), view.person, view.mine, who, session?.user);
	const fresh = isOtherVersion(model.version) && !anew && windowOf === model.window; /* another part of time is no change */
	windowOf = model.window;
	anew && clear();
	const wanted = new Map(blocksIn(model, rows, from, to, start, end).map((block) => [block.key, block]));
	for (const [key, { made }] of drawn) {
		if (!wanted.has(key)) {
			made.remove();
			drawn.delete(key);
		}
	}
	for (const [key, block] of wanted) {
		const one = drawn.get(key) ?? bar(block, fresh);
		one.block = block;
		if (!drawn.has(key)) {
			drawn.set(key, one);
			moveLabel(one);
			tileOf(block).append(one.made);
		}
	}
	for (const [key, [tile]] of tiles) {
		if (!tile.firstChild) {
			tile.remove();
			tiles.delete(key);
		}
	}
}

/** The label of a bar that begins left of the view stands at its edge. */
function moveLabel(one) {
	const by = one.label && Math.round(Math.min(Math.max(0, grid.at.left + grid.box.left - grid.x(Math.max(one.block.start, grid.origin))), one.room));
	if (one.moved !== by) {
		one.moved = by;
		one.label.style.marginLeft = `${by}px`;
	}
}

/** Boxes over runs of rows; the first has the id and the content. */
const boxes = ({ gpus, start, end }, { id = null, ...attributes }, content = []) => runsOf(gpus, grid.layout.rowOf).map(([first, last], index) =>
	box(index ? element('div', attributes) : element('div', { id, ...attributes }, content), { first, last, start, end }));

/** The same of what may be booked there, and over it what is in its way. */
function wish(where, name, priority, id, content = []) {
	const clashes = state.model.clashes(where.gpus, where.start, where.end, where.id);
	return [
		...boxes(where, { id, class: classes({ [name]: true, [PRIORITIES[priority]]: true, clash: clashes.length }) }, content),
		...clashes.flatMap(({ gpu, start, end }) => boxes({ gpus: [gpu.index], start, end }, { class: 'clash-part' })),
	];
}

export function overlay() {
	const { selection, windows, chosen, draft, model } = state;
	const hours = selection ? selection.end - selection.start : 0;
	over.replaceChildren(
		...windows.flatMap((found) => boxes(found, { class: classes({ ghost: true, chosen: found.number === chosen }), 'data-number': found.number },
			[element('b', {}, found.number)])),
		...selection ? wish(selection, 'outline', draft.priority, 'outline', [
			element('span', { class: 'label' }, element('b', {}, countOf(selection.gpus.length, 'GPU')),
				element('span', { class: 'note' }, hours % DAY ? lengthOf(hours) : `${hours / DAY} d`)),
			element('span', { class: 'grip start' }), element('span', { class: 'grip end' }),
		]) : [],
		...shadow ? wish(shadow, 'shadow', model.bookings.get(shadow.id)?.priority ?? 1) : [],
	);
}

export const follow = () => drawn.forEach(moveLabel);

export function reset() {
	clear();
	overlay();
}

/** The booking whose card is open. */
export const mark = () => drawn.forEach(({ block, made }) => made.classList.toggle('open', block.booking.id === state.open));

/** Where a dragged bar would land ({id, gpus, start, end}), or null. */
export function cast(where) {
	shadow = where;
	drawn.forEach(({ block, made }) => made.classList.toggle('lifted', block.booking.id === shadow?.id));
	overlay();
}

export const blockOf = (made) => [...drawn.values()].find((one) => one.made === made)?.block ?? null;
