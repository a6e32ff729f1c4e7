/**
 * The grid: GPUs downwards, time to the right. Only what is in view, and a little around it, is in the document. This file knows where
 * everything is; rows, columns and bars draw it, pointer and keyboard read the reader's hands.
 *
 * The cells of the ARIA grid say in words what the bars show, so the bars are hidden from screen readers.
 */

import { mountBars } from './bars.js';
import { mountColumns } from './columns.js';
import { byId } from './dom.js';
import { mountKeyboard } from './keyboard.js';
import { PLANE_HOURS, layRows, rowAt, scaleOf, unitStart } from './logic.js';
import { mountPointer } from './pointer.js';
import { mountRows } from './rows.js';
import { homeOf } from './address.js';
import { WEEK, mondayOf } from './time.js';

const SETTLED_MS = 140;
const ROWS_AROUND = 14; /* drawn beyond the edges: scrolling runs ahead of drawing, and most frames then draw nothing */
const SPANS_AROUND = 0.4;

/** @param {import('./store.js').Store} store */
export function mountGrid(store) {
	const { state } = store;
	const scroller = byId('grid');
	const plane = scroller.querySelector('.plane');
	const progress = byId('progress');
	let frame = 0;
	let settle = 0;
	let zoom = state.view.zoom;
	let shownDate = NaN; /* as the store knows it */
	let shownFilter = '';
	let isPlaced = false;
	let isDirty = true; /* something but the scroll position has changed */

	const grid = {
		store,
		scroller,
		scale: scaleOf(zoom, innerWidth),
		origin: 0, /* the hour at the left end of the plane */
		layout: layRows(state.model, state.view, state.folded, { band: 26, row: 28 }),
		box: { x: 0, y: 0, width: 0, height: 0, left: 188, head: 76 }, /* px: the scroller in the window, and its sticky parts */
		at: { left: 0, top: 0 }, /* the scroll position; read once a frame, for reading it may cost a layout */
		area: { from: 0, to: -1, start: 0, end: 0 }, /* rows and hours that are drawn: what is in view, and some around it */
		x: (hour) => grid.box.left + (hour - grid.origin) * grid.scale.hourWidth,
		hourAt: (clientX) => grid.origin + (clientX - grid.box.x - grid.box.left + grid.at.left) / grid.scale.hourWidth,
		rowAt: (clientY) => rowAt(grid.layout.rows, clientY - grid.box.y - grid.box.head + grid.at.top),
		/** Hours in view. */
		span() {
			const start = grid.origin + grid.at.left / grid.scale.hourWidth;
			return { start, end: start + Math.max(1, grid.box.width - grid.box.left) / grid.scale.hourWidth };
		},
		/** Rows in view. */
		rows() {
			const { rows } = grid.layout;
			return { from: rowAt(rows, grid.at.top), to: rowAt(rows, grid.at.top + grid.box.height - grid.box.head) };
		},
		/** Scrolls as little as needed to have a stretch of rows and hours in view. */
		reveal(first, last, start, end) {
			const { rows } = grid.layout;
			const { left, head, width, height } = grid.box;
			if (rows[first]) {
				const bottom = rows[last].top + rows[last].height;
				const top = Math.min(Math.max(grid.at.top, bottom - (height - head)), rows[first].top);
				if (top !== grid.at.top) {
					scroller.scrollTop = top;
					readScroll();
				}
			}
			const room = (width - left) / grid.scale.hourWidth;
			const shown = grid.span();
			let begin = Math.min(Math.max(shown.start, end - room), start);
			if (begin !== shown.start) {
				begin = start < shown.start ? unitStart(begin, grid.scale.unit) : begin;
				placeAt(begin);
				report(begin);
			}
		},
		drawNow: paint,
	};

	const columns = mountColumns(grid);
	const rows = mountRows(grid);
	const bars = mountBars(grid);

	/* -- geometry --------------------------------------------------------------------------------------------------- */

	function measure() {
		const { left, top } = scroller.getBoundingClientRect();
		const style = getComputedStyle(document.documentElement);
		const px = (name) => parseFloat(style.getPropertyValue(name));
		grid.box = { x: left, y: top, width: scroller.clientWidth, height: scroller.clientHeight, left: px('--left'), head: px('--head') };
		scroller.style.setProperty('--wide', `${grid.box.width}px`);
		return { band: px('--band'), row: px('--row') };
	}

	function readScroll() {
		grid.at = { left: scroller.scrollLeft, top: scroller.scrollTop };
	}

	function reset() {
		isDirty = true;
		rows.reset();
		bars.reset();
		columns.reset();
	}

	/** Lays out the rows anew; the one at the top stays at the top. */
	function layOut() {
		const sizes = measure();
		const above = grid.layout.rows[rowAt(grid.layout.rows, grid.at.top)];
		const within = above ? grid.at.top - above.top : 0;
		grid.layout = layRows(state.model, state.view, state.folded, sizes);
		plane.style.height = `${grid.box.head + grid.layout.height}px`;
		if (above && grid.at.top > 0) {
			const same = grid.layout.rows.find((row) => row.node.id === above.node.id && row.gpu?.id === above.gpu?.id)
				?? grid.layout.rows.find((row) => row.node.id === above.node.id);
			if (same && same.top + within !== grid.at.top) {
				scroller.scrollTop = same.top + within;
			}
		}
		scroller.setAttribute('aria-rowcount', String(grid.layout.rows.length + 1));
		readScroll();
		reset();
	}

	/** Puts an hour at the left edge; the plane is laid around another date where this one is near its end. */
	function placeAt(hour) {
		const room = (grid.box.width - grid.box.left) / grid.scale.hourWidth;
		if (!isPlaced || hour < grid.origin + room || hour + 2 * room > grid.origin + PLANE_HOURS) {
			grid.origin = Math.max(mondayOf(0) + WEEK, mondayOf(hour) - PLANE_HOURS / 2);
			isPlaced = true;
			reset();
		}
		plane.style.width = `${grid.box.left + PLANE_HOURS * grid.scale.hourWidth}px`;
		scroller.scrollLeft = Math.round((hour - grid.origin) * grid.scale.hourWidth);
		readScroll();
		Object.assign(scroller.dataset, {
			origin: grid.origin, hourWidth: grid.scale.hourWidth, left: grid.box.left, head: grid.box.head,
		});
	}

	/** Tells the store, and so the address, which date is at the left edge. */
	function report(hour) {
		const step = Math.min(grid.scale.unit, 24);
		const date = Math.round(hour / step) * step;
		if (date !== shownDate) {
			shownDate = date;
			store.look({ date });
		}
	}

	/** Another zoom: what is in the middle stays there, and what stood at today's place does so again. */
	function rescale() {
		const wasHome = shownDate === homeOf(zoom, state.now, innerWidth <= 560);
		const { start, end } = grid.span();
		zoom = state.view.zoom;
		grid.scale = scaleOf(zoom, innerWidth);
		reset();
		const room = (grid.box.width - grid.box.left) / grid.scale.hourWidth;
		const hour = wasHome
			? homeOf(zoom, state.now, innerWidth <= 560)
			: unitStart((start + end) / 2 - room / 2, grid.scale.unit === WEEK ? WEEK : Math.min(24, Math.round(room / 4)) > 12 ? 24 : 1);
		shownDate = hour;
		placeAt(hour);
		store.look({ date: hour });
	}

	/* -- drawing ---------------------------------------------------------------------------------------------------- */

	function paint() {
		cancelAnimationFrame(frame);
		frame = 0;
		if (!isPlaced) {
			return;
		}
		const { start, end } = grid.span();
		const { from, to } = grid.rows();
		const { area } = grid;
		if (isDirty || from < area.from || to > area.to || start < area.start || end > area.end) {
			const around = (end - start) * SPANS_AROUND;
			grid.area = {
				from: Math.max(0, from - ROWS_AROUND),
				to: Math.min(grid.layout.rows.length - 1, to + ROWS_AROUND),
				start: Math.max(grid.origin, Math.floor(start - around)),
				end: Math.ceil(end + around),
			};
			isDirty = false;
			columns.draw();
			rows.draw();
			bars.draw();
		}
		columns.follow();
		bars.follow();
	}

	function draw() {
		frame ||= requestAnimationFrame(paint);
	}

	/** What can wait until the scrolling stops: more of the timeline, the address, the cells that are read aloud. */
	function settled() {
		const { start, end } = grid.span();
		report(start);
		if (start < grid.origin + WEEK || end > grid.origin + PLANE_HOURS - WEEK) {
			placeAt(start);
			paint();
		}
		rows.drawCells();
	}

	function plan() {
		clearTimeout(settle);
		settle = setTimeout(settled, SETTLED_MS);
		const { start, end } = grid.span();
		store.cover(start, end);
	}

	scroller.addEventListener('scroll', () => {
		readScroll();
		draw();
		plan();
	}, { passive: true });

	new ResizeObserver(() => {
		const wasWidth = grid.box.width;
		const hour = grid.span().start;
		grid.scale = scaleOf(zoom, innerWidth);
		layOut();
		placeAt(wasWidth === 0 || Number.isNaN(shownDate) ? state.view.date : hour);
		if (Number.isNaN(shownDate)) {
			shownDate = state.view.date;
		}
		draw();
		plan();
	}).observe(scroller);

	store.on((_, changed) => {
		const filter = JSON.stringify([state.view.nodes, state.view.kinds]);
		if (changed.has('model') || changed.has('folded') || filter !== shownFilter) {
			shownFilter = filter;
			if (changed.has('model') && grid.layout.gpus.length > 0 && bars.sameTopology()) {
				columns.reset();
			} else {
				layOut();
			}
		}
		if (changed.has('view')) {
			if (state.view.zoom !== zoom) {
				rescale();
			} else if (state.view.date !== shownDate) {
				shownDate = state.view.date;
				placeAt(shownDate);
			}
		}
		if (changed.has('selection') || changed.has('windows') || changed.has('chosen') || changed.has('draft') || changed.has('open')) {
			bars.overlay();
		}
		isDirty = true;
		progress.hidden = !state.busy;
		scroller.setAttribute('aria-busy', String(state.busy));
		scroller.dataset.state = state.model.gpus.length > 0 || state.model.epoch ? 'ready' : 'loading';
		draw();
		if (['model', 'folded', 'view', 'now'].some((key) => changed.has(key))) {
			plan();
		}
	});

	mountPointer(grid, bars, rows);
	mountKeyboard(grid, rows);

	measure();
	/* The timeline is on its way before the first layout. */
	const room = (scroller.clientWidth - grid.box.left) / grid.scale.hourWidth;
	store.cover(state.view.date, state.view.date + room);
}

/** @typedef {any} Grid  the object above */
