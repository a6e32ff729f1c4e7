/** Where everything in the grid is: hours and rows, in px of the window and of the plane that scrolls. grid.js keeps it up to date. */

import { byId } from './dom.js';
import { rowAt, scaleOf } from './logic.js';
import { state } from './store.js';

/** @type {any} */
export const grid = {
	scroller: byId('grid'),
	scale: scaleOf(state.view.zoom, innerWidth),
	origin: NaN, /* the hour at the left end of the plane; NaN: it has yet to be laid out */
	layout: { rows: [], rowOf: [], gpus: [], height: 0 }, /* see layRows */
	box: { x: 0, y: 0, width: 0, height: 0, left: 188, head: 76 }, /* the scroller in the window, and its sticky parts */
	at: { left: 0, top: 0 }, /* the scroll position; read once a frame, for reading it may cost a layout */
	area: { from: 0, to: -1, start: 0, end: 0 }, /* rows and hours that are drawn */
	x: (hour) => grid.box.left + (hour - grid.origin) * grid.scale.hourWidth,
	hourAt: (clientX) => grid.origin + (clientX - grid.box.x - grid.box.left + grid.at.left) / grid.scale.hourWidth,
	rowAt: (clientY) => rowAt(grid.layout.rows, clientY - grid.box.y - grid.box.head + grid.at.top),
	room: () => Math.max(1, grid.box.width - grid.box.left) / grid.scale.hourWidth, /* hours that fit */
	/** Hours in view. */
	span() {
		const start = grid.origin + grid.at.left / grid.scale.hourWidth;
		return { start, end: start + grid.room() };
	},
	/** Rows in view. */
	rows: () => ({ from: rowAt(grid.layout.rows, grid.at.top), to: rowAt(grid.layout.rows, grid.at.top + grid.box.height - grid.box.head) }),
};
