/**
 * Where things are in the grid, and what a drag means. Pure: no document, no network, no clock.
 *
 * @typedef {import('./model.js').Model} Model
 * @typedef {import('./model.js').Node} Node
 * @typedef {import('./model.js').Gpu} Gpu
 * @typedef {import('./model.js').Booking} Booking
 * @typedef {import('./store.js').Selection} Selection
 * @typedef {{node: Node, gpu: Gpu|null, top: number, height: number}} Row  a node's band (gpu is null), or a GPU; px
 * @typedef {{key: string, booking: Booking, start: number, end: number, first: number, last: number}} Block
 *     one booking on adjoining rows, first to last, over the same hours
 */

import { DAY, WEEK, midnightOf, mondayOf } from './time.js';

/* The years that can be scrolled through without being laid out anew: this many hours, a little over two years. */
export const PLANE_HOURS = 110 * WEEK;

/**
 * What a zoom draws. unit: hours of a column; snap: hours to which edges go; hourWidth: px.
 * @param {import('./address.js').Zoom} zoom
 */
export function scaleOf(zoom, pageWidth) {
	const size = pageWidth > 1000 ? 0 : pageWidth > 560 ? 1 : 2;
	switch (zoom) {
	case 'hours': return { unit: 1, snap: 1, hourWidth: [26, 26, 24][size] };
	case 'weeks': return { unit: WEEK, snap: DAY, hourWidth: [84, 84, 70][size] / WEEK };
	default: return { unit: DAY, snap: DAY, hourWidth: [57, 48, 36][size] / DAY };
	}
}

/** The first hour of the column that an hour lies in. */
export function unitStart(hour, unit) {
	return unit === WEEK ? mondayOf(hour) : Math.floor(hour / unit) * unit;
}

/**
 * The rows of the grid, from top to bottom: of each node its band and, unless it is folded, its GPUs; of what the filters leave.
 * @param {Model} model
 * @param {{nodes: string[]|null, kinds: string[]|null}} filter
 * @param {Set<string>} folded
 * @param {{band: number, row: number}} sizes  px
 */
export function layRows(model, filter, folded, sizes) {
	/** @type {Row[]} */
	const rows = [];
	const shown = filter.nodes && new Set(filter.nodes);
	const kinds = filter.kinds && new Set(filter.kinds);
	const rowOf = new Int32Array(model.gpus.length).fill(-1);
	/** @type {number[]} */
	const gpus = []; /* what the filters leave, folded or not */
	let top = 0;
	for (const node of model.nodes) {
		const own = model.gpus.slice(node.first, node.first + node.count).filter((gpu) => !kinds || kinds.has(gpu.kind));
		if ((shown && !shown.has(node.id)) || (kinds && own.length === 0)) {
			continue;
		}
		rows.push({ node, gpu: null, top, height: sizes.band });
		top += sizes.band;
		for (const gpu of own) {
			gpus.push(gpu.index);
			if (!folded.has(node.id)) {
				rowOf[gpu.index] = rows.length;
				rows.push({ node, gpu, top, height: sizes.row });
				top += sizes.row;
			}
		}
	}
	return { rows, rowOf, gpus, height: top };
}

/** The index of the row at a height; the first or last one beyond the ends. */
export function rowAt(rows, y) {
	let low = 0;
	let high = rows.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (rows[middle].top <= y) {
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	return low;
}

/**
 * The bars of some rows in a window. A booking on rows that adjoin, over the same hours, is one block, whole even where it begins above
 * the first row that was asked for or ends below the last.
 * @param {Model} model
 * @param {Row[]} rows
 * @returns {Block[]}
 */
export function blocksIn(model, rows, from, to, start, end) {
	const blocks = [];
	/** @type {Map<string, Block>} */
	let above = new Map();
	const continues = (row, block) => {
		const gpu = rows[row]?.gpu;
		return gpu && model.holdsIn(gpu.index, block.start, block.end)
			.some((hold) => hold.booking === block.booking && hold.start === block.start && hold.end === block.end);
	};
	for (let index = from; index <= to; index++) {
		const { gpu } = rows[index];
		/** @type {Map<string, Block>} */
		const here = new Map();
		for (const hold of gpu ? model.holdsIn(gpu.index, start, end) : []) {
			const name = `${hold.booking.id}.${hold.start}.${hold.end}`;
			let block = above.get(name);
			if (!block) {
				block = { key: '', booking: hold.booking, start: hold.start, end: hold.end, first: index, last: index };
				while (index === from && continues(block.first - 1, block)) {
					block.first--;
				}
				blocks.push(block);
			}
			block.last = index;
			here.set(name, block);
		}
		above = here;
	}
	for (const block of above.values()) {
		while (continues(block.last + 1, block)) {
			block.last++;
		}
	}
	for (const block of blocks) {
		const { booking } = block;
		block.key = [booking.id, block.start, block.end, rows[block.first].gpu?.index, block.last - block.first, booking.version, booking.status].join('.');
	}
	return blocks;
}

/**
 * What a drag from one cell to another selects: GPUs of the first one's node, whole steps of time, nothing that has passed. Null when
 * all of it has passed.
 * @param {Row[]} rows
 * @param {{row: number, hour: number}} anchor  where the drag began
 * @param {{row: number, hour: number}} at      where it is
 * @param {number} step                         hours
 * @param {number} now
 * @returns {Selection|null}
 */
export function selectionOf(rows, anchor, at, step, now) {
	const { node } = rows[anchor.row];
	const gpus = [];
	const toward = at.row < anchor.row ? -1 : 1;
	for (let row = anchor.row; rows[row]?.gpu && rows[row].node === node; row += toward) {
		gpus.push(/** @type {Gpu} */ (rows[row].gpu).index);
		if (row === at.row) {
			break;
		}
	}
	const first = unitStart(Math.min(anchor.hour, at.hour), step);
	const end = unitStart(Math.max(anchor.hour, at.hour), step) + step;
	const start = Math.max(first, Math.floor(now));
	return end > start ? { node: node.index, gpus: gpus.sort((a, b) => a - b), start, end } : null;
}

/**
 * Where an edge of a window goes that is dragged to an hour: to the nearest step, at least an hour from the other edge, never into the past.
 * @param {'start'|'end'} edge
 * @param {{start: number, end: number}} window
 */
export function stretch(window, edge, hour, step, now) {
	const snapped = Math.round(hour / step) * step;
	const present = Math.floor(now);
	return edge === 'start'
		? { start: Math.min(Math.max(snapped, present), window.end - 1), end: window.end }
		: { start: window.start, end: Math.max(snapped, window.start + 1, present) };
}

/**
 * Where a booking lands that is moved by some hours and rows: whole steps, on its own node, not into the past. One that has begun keeps
 * its hours. Null where it does not fit onto the node's rows.
 * @param {Model} model
 * @param {{rows: Row[], rowOf: Int32Array}} layout
 * @param {Booking} booking
 */
export function moveOf(model, layout, booking, hours, rows, step, now) {
	const begun = booking.start <= now;
	let by = begun ? 0 : Math.round(hours / step) * step;
	by = Math.max(by, begun ? 0 : Math.ceil(now) - booking.start);
	const gpus = [];
	for (const gpu of booking.gpus) {
		const target = layout.rows[layout.rowOf[gpu] + rows]?.gpu;
		if (layout.rowOf[gpu] < 0 || !target || target.node.index !== model.gpus[gpu].node.index) {
			return null;
		}
		gpus.push(target.index);
	}
	return { node: model.gpus[booking.gpus[0]].node.index, gpus, start: booking.start + by, end: booking.end + by };
}

/** Runs of neighbouring rows among GPUs: [first row, last row] pairs; GPUs without a row are left out. */
export function runsOf(gpus, rowOf) {
	/** @type {[number, number][]} */
	const runs = [];
	for (const row of gpus.map((gpu) => rowOf[gpu]).filter((one) => one >= 0).sort((a, b) => a - b)) {
		const last = runs.at(-1);
		if (last && last[1] === row - 1) {
			last[1] = row;
		} else {
			runs.push([row, row]);
		}
	}
	return runs;
}

/** The outline of a step function as an SVG path along the bottom: values[i] of `most` from hour i on, `width` px an hour. */
export function skyline(values, most, width, height) {
	let path = `M0 ${height}`;
	let last = -1;
	values.forEach((value, index) => {
		if (value !== last) {
			const y = (height - (most > 0 ? Math.max(0, Math.min(1, value / most)) : 0) * height).toFixed(1);
			path += `H${(index * width).toFixed(1)}V${y}`;
			last = value;
		}
	});
	return `${path}H${(values.length * width).toFixed(1)}V${height}Z`;
}

/** Midnights in [start, end) in which a column begins, or each hour, or each Monday, as the unit says. */
export function columnsIn(start, end, unit) {
	const columns = [];
	for (let hour = unitStart(start, unit); hour < end; hour += unit) {
		columns.push(hour);
	}
	return columns;
}

/** What a screen reader hears of a stretch of one GPU. @param {Model} model */
export function stateOf(model, gpu, start, end) {
	const holds = model.holdsIn(gpu, start, end);
	if (holds.length === 0) {
		return 'free';
	}
	const letters = ['low', 'medium', 'high'];
	const time = (hour) => `${String(hour - midnightOf(hour)).padStart(2, '0')}:00`;
	return holds.map(({ booking, ...hold }) => {
		const from = hold.start > start ? ` from ${time(hold.start)}` : '';
		const to = hold.end < end ? ` until ${time(hold.end)}` : '';
		return `${booking.label}, ${booking.status === 0 ? `${letters[booking.priority]} priority` : 'ended'}${from}${to}`;
	}).join('; ');
}
