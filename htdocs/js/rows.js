/**
 * The rows: names of nodes and GPUs at the left, the lines between them, and the cells that say to a screen reader what the bars show.
 * The lines are in the layer of the bars, the names in one of their own: each further layer costs milliseconds a frame.
 */

import { byId, classes, drop, element, keep, setSkyline, setText, watch } from './dom.js';
import { grid } from './geometry.js';
import { columnsIn, stateOf } from './logic.js';
import { state } from './store.js';
import { DAY, dayOf, timeOf } from './time.js';

const LONG = 20; /* signs of a node's name: only what may be too long is cut off, for that makes a layer to paint */

const places = ['.rows', '.rules'].map((name) => byId('grid').querySelector(name));
const [layer] = places;
const [pattern, strip] = byId('band').content.children; /* a node's band, and what is drawn across the grid for it */
const drawn = new Map(); /* index in the layout → its element; the line below it, or the band, across the grid */
const cellsOf = new WeakMap(); /* a row → its cells by their hours, and what they were made for */
/* What is above the first row that is drawn; a padding would have everything painted again. */
const above = places.map((place) => place.appendChild(element('div', { class: 'above', role: 'presentation' })));
let stopAt = { row: -1, hour: 0 }; /* the cell that is the Tab key's stop */

function band({ node }) {
	const made = pattern.cloneNode(true);
	const [fold, name, kinds] = ['.fold', 'bdi', '.kinds'].map((one) => made.querySelector(one));
	const folded = state.folded.has(node.id);
	made.dataset.node = node.id;
	made.firstElementChild.classList.toggle('long', node.name.length > LONG);
	fold.ariaExpanded = String(!folded);
	name.append(node.name);
	name.title = node.name === node.id ? node.id : `${node.name} (${node.id})`;
	kinds.append(...node.kinds.flatMap(({ kind, count }, index) => [`${index ? ', ' : ''}${count} × `, element('bdi', {}, kind)]));
	return made;
}

function gpuRow({ node, gpu }) {
	const kind = grid.box.left < 100 && !node.kinds[1] ? '' : gpu.kind; /* in little room the band says it for all */
	const name = element('div', {
		class: classes({ name: true, long: (gpu.short.length + kind.length) * 7 > grid.box.left - 50 }), role: 'rowheader',
		'aria-label': `${node.name} ${gpu.id}, ${gpu.kind}`, title: `${gpu.id} (${gpu.kind})`,
	}, element('bdi', { class: 'gpu' }, gpu.short), element('bdi', { class: 'kind' }, kind));
	return element('div', { class: 'row', role: 'row', 'data-gpu': `${node.id}/${gpu.id}` }, name);
}

function rule({ node, gpu }) {
	const made = gpu ? element('div', { class: 'rule' }) : strip.cloneNode(true);
	state.folded.has(node.id) || made.replaceChildren();
	return made;
}

function row(index) {
	const one = grid.layout.rows[index];
	const made = one.gpu ? gpuRow(one) : band(one);
	made.ariaRowIndex = String(index + 2);
	cellsOf.set(made, { cells: new Map(), isOther: watch() });
	return [made, rule(one)];
}

/** What a band says of this moment, and of a folded node's hours. */
function fillBand([made, across], { node }) {
	const { model } = state;
	const hour = Math.floor(state.now);
	const known = hour >= model.start && hour < model.end && node.count > 0;
	const free = known ? model.freeGpus(node, hour, hour + 1).length : 0;
	setText(made.querySelector('.free-now'), !known ? '' : free ? `${free} free${grid.box.left < 100 ? '' : ' now'}` : 'full');
	if (state.folded.has(node.id)) {
		const from = Math.max(model.start, grid.area.start);
		const { first, hours } = model.occupancy(node.gpus.map((gpu) => gpu.index), state.now);
		const held = hours.subarray(from - first, Math.max(from, Math.min(model.end, grid.area.end)) - first);
		setSkyline(across.firstElementChild, held, node.count, grid.scale.hourWidth, grid.x(from));
	}
}

function label({ node, gpu }, hour) {
	const { unit } = grid.scale;
	const when = unit === 1 ? `${dayOf(hour)} ${timeOf(hour)}` : unit === DAY ? dayOf(hour) : `week from ${dayOf(hour)}`;
	const known = hour < state.model.end && hour + unit > state.model.start;
	return `${node.name} ${gpu.id}, ${when}, ${known ? stateOf(state.model, gpu.index, hour, hour + unit) : 'not loaded yet'}`;
}

/** The cells in view, in words; made when the scrolling has stopped, and when one of them shall have the focus. */
export function drawCells() {
	const { layout: { rows }, scale: { unit, hourWidth } } = grid;
	const { from, to } = grid.rows();
	const { start, end } = grid.span();
	const columns = columnsIn(Math.max(grid.origin, start), end, unit);
	const { selection } = state;
	if (stopAt.row < 0) {
		stopAt = { row: rows.findIndex((row) => row.gpu), hour: columns.find((hour) => hour + unit > state.now) ?? columns[0] };
	}
	/* The Tab key's stop is in view, even where the cell that had the focus is not. */
	const near = Math.min(Math.max(stopAt.row, from), to);
	const stop = { row: near, hour: columns.includes(stopAt.hour) ? stopAt.hour : columns[0] };
	while (stop.row < to && !rows[stop.row]?.gpu) {
		stop.row++;
	}
	stop.row = rows[stop.row]?.gpu ? stop.row : near; /* a folded node's button, where there are no cells */
	for (const [index, [made]] of drawn) {
		const one = rows[index];
		if (!one?.gpu || index < from || index > to) {
			continue;
		}
		const inIt = selection?.gpus.includes(one.gpu.index) ? selection : null;
		const { cells, isOther } = cellsOf.get(made);
		if (!isOther(columns[0], columns.length, grid.at.left, grid.origin, state.model.version, unit, inIt?.start, inIt?.end)) {
			continue;
		}
		keep(cells, columns, [made], (hour) => [element('div', { class: 'cell', role: 'gridcell', 'data-hour': hour, tabindex: -1 })]);
		for (const hour of columns) {
			const [cell] = cells.get(hour);
			cell.ariaLabel = label(one, hour);
			cell.ariaColIndex = String(Math.round((hour - grid.origin) / unit) + 2);
			cell.ariaSelected = String(!!inIt && hour < inIt.end && hour + unit > inIt.start);
			cell.style.width = `${unit * hourWidth}px`;
			cell.style.marginLeft = hour === columns[0] ? `${grid.x(hour) - grid.at.left - grid.box.left}px` : '';
		}
	}
	setStop(drawn.get(stop.row)?.[0].querySelector(`[data-hour="${stop.hour}"], .fold`));
}

/** One cell is the Tab key's stop. */
function setStop(cell) {
	layer.querySelectorAll('[tabindex="0"]').forEach((one) => { one.tabIndex = -1; });
	if (cell) {
		cell.tabIndex = 0;
	}
}

/** Gives the focus to a cell, or to a band's button, and has it in view. */
export function focus(row, hour, scroll = true) {
	const there = grid.layout.rows[row];
	if (!there) {
		return;
	}
	stopAt = { row, hour };
	scroll && grid.reveal(row, hour, hour + grid.scale.unit);
	grid.drawNow();
	drawCells();
	const target = drawn.get(row)?.[0].querySelector(there.gpu ? `[data-hour="${hour}"]` : '.fold');
	setStop(target);
	target?.focus({ preventScroll: true });
}

export const at = () => stopAt;

export function reset() {
	const held = layer.contains(document.activeElement);
	drop(drawn);
	stopAt.row = Math.min(stopAt.row, grid.layout.rows.length - 1);
	held && queueMicrotask(() => focus(stopAt.row, stopAt.hour, false)); /* what had the focus is drawn anew, and has it again */
}

export function draw() {
	const { area: { from, to }, layout: { rows } } = grid;
	keep(drawn, Array.from({ length: to - from + 1 }, (_, at) => from + at), places, row);
	above.forEach(({ style }) => { style.height = `${rows[from]?.top ?? 0}px`; });
	drawn.forEach((parts, index) => rows[index].gpu || fillBand(parts, rows[index]));
}

/** The row under the pointer. */
export function near(index) {
	layer.querySelector('.near')?.classList.remove('near');
	drawn.get(index)?.[0].classList.add('near');
}

/** Names of the selection's GPUs take the accent. */
export function mark(gpus) {
	drawn.forEach(([made], index) => made.classList.toggle('chosen', gpus.includes(grid.layout.rows[index]?.gpu?.index)));
}
