/**
 * Where things are in the grid, and what a drag means. Pure: no document, no network, no clock. Sizes in px, times in hours.
 *
 * @typedef {import('./model.js').Model} Model
 * @typedef {{node: import('./model.js').Node, gpu: import('./model.js').Gpu|null, top: number, height: number}} Row  a node's band has no gpu
 * @typedef {{key: string, booking: import('./model.js').Booking, start: number, end: number, first: number, last: number}} Block
 *     one booking on adjoining rows, first to last, over the same hours
 */

import { DAY, WEEK, mondayOf, momentOf, timeOf } from './time.js';
import { PRIORITIES, firstThat } from './model.js';

export const PLANE_HOURS = 110 * WEEK; /* what can be scrolled through before it is laid out around another date */

/** Of a zoom: the hours of a column, the hours that edges snap to, the px of an hour. */
export function scaleOf(zoom, pageWidth) {
	const size = pageWidth > 1000 ? 0 : pageWidth > 560 ? 1 : 2;
	switch (zoom) {
	case 'hours': return { unit: 1, snap: 1, hourWidth: [26, 26, 24][size] };
	case 'weeks': return { unit: WEEK, snap: DAY, hourWidth: [84, 84, 70][size] / WEEK };
	default: return { unit: DAY, snap: DAY, hourWidth: [57, 48, 36][size] / DAY };
	}
}

/** The first hour of the column that an hour lies in. */
export const unitStart = (hour, unit) => unit === WEEK ? mondayOf(hour) : Math.floor(hour / unit) * unit;

export function columnsIn(start, end, unit) {
	const columns = [];
	for (let hour = unitStart(start, unit); hour < end; hour += unit) {
		columns.push(hour);
	}
	return columns;
}

/** Of what the filters leave: each node's band and, unless it is folded, its GPUs. @param {Model} model */
export function layRows(model, filter, folded, sizes) {
	/** @type {Row[]} */
	const rows = [];
	/** @type {number[]} */
	const gpus = []; /* folded or not */
	const rowOf = new Int32Array(model.gpus.length).fill(-1);
	const [shown, kinds] = [filter.nodes, filter.kinds].map((ids) => ids && new Set(ids));
	let height = 0;
	const add = (node, gpu, size) => {
		rows.push({ node, gpu, top: height, height: size });
		height += size;
	};
	for (const node of model.nodes) {
		const own = node.gpus.filter((gpu) => !kinds || kinds.has(gpu.kind));
		if ((shown && !shown.has(node.id)) || (kinds && own.length === 0)) {
			continue;
		}
		add(node, null, sizes.band);
		for (const gpu of own) {
			gpus.push(gpu.index);
			if (!folded.has(node.id)) {
				rowOf[gpu.index] = rows.length;
				add(node, gpu, sizes.row);
			}
		}
	}
	return { rows, rowOf, gpus, height };
}

/** The row at a height; the first or last one beyond the ends. */
export const rowAt = (rows, y) => Math.max(0, firstThat(rows, (row) => row.top > y) - 1);

/** The blocks on some rows in a window; whole, also where they begin above the first row or end below the last. @param {Model} model */
export function blocksIn(model, rows, from, to, start, end) {
	/** @type {Block[]} */
	const blocks = [];
	for (let index = from; index <= to; index++) {
		for (const hold of rows[index].gpu ? model.holdsIn(rows[index].gpu.index, start, end) : []) {
			const { booking } = hold;
			const isOn = (row) => {
				const one = rows[row]?.gpu && model.holdFrom(rows[row].gpu.index, hold.start);
				return one?.booking === booking && one.start === hold.start && one.end === hold.end;
			};
			if (index > from && isOn(index - 1)) {
				continue; /* it is there already */
			}
			let [first, last] = [index, index];
			while (isOn(first - 1)) {
				first--;
			}
			while (isOn(last + 1)) {
				last++;
			}
			/* the same key: drawn the same */
			const key = [booking.id, hold.start, hold.end, rows[first].gpu.index, last - first, booking.version, booking.status].join('.');
			blocks.push({ key, ...hold, first, last });
		}
	}
	return blocks;
}

/**
 * What a drag from `anchor` to `at` ({row, hour}) selects: GPUs of the first one's node, whole steps of time, nothing that has passed.
 * Null when all of it has passed.
 */
export function selectionOf(rows, anchor, at, step, now) {
	const { node } = rows[anchor.row];
	const gpus = [];
	for (let row = anchor.row; rows[row]?.gpu && rows[row].node === node; row += at.row < anchor.row ? -1 : 1) {
		gpus.push(rows[row].gpu.index);
		if (row === at.row) {
			break;
		}
	}
	const start = Math.max(unitStart(Math.min(anchor.hour, at.hour), step), Math.floor(now));
	const end = unitStart(Math.max(anchor.hour, at.hour), step) + step;
	return end > start ? { node: node.index, gpus: gpus.sort((a, b) => a - b), start, end } : null;
}

/** A window whose edge is dragged to an hour: the nearest step, an hour from the other edge at least, never into the past. */
export function stretch(window, edge, hour, step, now) {
	const snapped = Math.round(hour / step) * step;
	return edge === 'start'
		? { start: Math.min(Math.max(snapped, Math.floor(now)), window.end - 1), end: window.end }
		: { start: window.start, end: Math.max(snapped, window.start + 1, Math.floor(now)) };
}

/** A booking moved by hours and rows, on its own node, not into the past; one that has begun keeps its hours. Null where no such rows are. */
export function moveOf(model, layout, booking, hours, rows, step, now) {
	const by = booking.start <= now ? 0 : Math.max(Math.round(hours / step) * step, Math.ceil(now) - booking.start);
	const { node } = model.gpus[booking.gpus[0]];
	const gpus = booking.gpus.map((gpu) => layout.rowOf[gpu] < 0 ? null : layout.rows[layout.rowOf[gpu] + rows]?.gpu);
	return gpus.every((gpu) => gpu?.node.index === node.index)
		? { node: node.index, gpus: gpus.map((gpu) => gpu.index), start: booking.start + by, end: booking.end + by } : null;
}

/** Runs of neighbouring rows among GPUs, as [first, last]; GPUs without a row are left out. */
export function runsOf(gpus, rowOf) {
	const runs = /** @type {any[]} */ ([]);
	for (const row of gpus.map((gpu) => rowOf[gpu]).filter((one) => one >= 0).sort((a, b) => a - b)) {
		if (runs.at(-1)?.[1] === row - 1) {
			runs.at(-1)[1] = row;
		} else {
			runs.push([row, row]);
		}
	}
	return runs;
}

/** What a screen reader hears of a stretch of one GPU. @param {Model} model */
export function stateOf(model, gpu, start, end) {
	const say = end - start > DAY ? momentOf : timeOf;
	return model.holdsIn(gpu, start, end).map(({ booking, ...hold }) =>
		`${booking.label}, ${booking.status === 0 ? `${PRIORITIES[booking.priority]} priority` : 'ended'}`
		+ (hold.start > start ? ` from ${say(hold.start)}` : '') + (hold.end < end ? ` until ${say(hold.end, true)}` : '')).join('; ') || 'free';
}
