/**
 * The grid: GPUs downwards, time to the right. Only what is in view, and a little around it, is in the document. This file moves
 * and sizes it; rows, columns and bars draw it, pointer and keyboard read the reader's hands. The cells of the ARIA grid say in words
 * what the bars show, so the bars are hidden from screen readers.
 */

import { homeOf } from './address.js';
import * as bars from './bars.js';
import * as columns from './columns.js';
import { byId, element, phone, watch } from './dom.js';
import { grid } from './geometry.js';
import { PLANE_HOURS, layRows, rowAt, scaleOf, unitStart } from './logic.js';
import * as rows from './rows.js';
import { state, store } from './store.js';
import { DAY, WEEK, midnightOf, mondayOf } from './time.js';

const SETTLED_MS = 180; /* a browser takes 200 changes of the address in 30 s */
const ROWS_AROUND = 8; /* drawn beyond the edges, for scrolling runs ahead of drawing; in small steps, so that each fits a frame */
const ROWS_STEP = 3;
const SPANS_AROUND = 0.2;
const STEP = 57; /* px */
const SHEET = 0.6; /* of a narrow page's height, that a card may take */
const whenIdle = globalThis.requestIdleCallback ?? setTimeout; /* Safari has no such call */
const PRINT = { width: 1040, height: 680, left: 188, head: 76, band: 26, row: 28, days: 14, rows: 600 }; /* a landscape page, px; grid.css agrees */

store.cover(state.view.date, state.view.date + innerWidth / grid.scale.hourWidth); /* on its way before the first layout */
const { scroller } = grid;
const [progress, words] = ['progress', 'grid-words'].map(byId);
const plane = scroller.querySelector('.plane');
let frame = 0;
let settle = 0;
let zoom = state.view.zoom;
let shownDate = NaN; /* as the store knows it */
const [areOtherRows, isOther] = [watch(), watch()];

/* What the grid's parts ask of it. */
Object.assign(grid, {
	/** Scrolls as little as needed to have a row and a stretch of hours in view. */
	reveal(row, start, end) {
		const { top, height } = grid.layout.rows[row];
		const want = Math.min(Math.max(grid.at.top, top + height - (grid.box.height - grid.box.head)), top);
		if (want !== grid.at.top) {
			scroller.scrollTop = want;
			readScroll();
		}
		const shown = grid.span().start;
		const begin = Math.min(Math.max(shown, end - grid.room()), start);
		if (begin !== shown) {
			placeAt(begin);
			report(begin);
		}
	},
	drawNow: paint,
});

function readScroll() {
	grid.at = { left: scroller.scrollLeft, top: scroller.scrollTop };
}

function reset() {
	isOther();
	[rows, bars, columns].forEach((part) => part.reset());
}

/** Lays out the rows anew; the one at the top stays at the top. */
function layOut() {
	const { left, top } = scroller.getBoundingClientRect();
	const style = getComputedStyle(document.documentElement);
	const px = (name) => parseFloat(style.getPropertyValue(`--${name}`));
	grid.box = { x: left, y: top, width: scroller.clientWidth, height: scroller.clientHeight, left: px('left'), head: px('head') };
	const above = grid.layout.rows[rowAt(grid.layout.rows, grid.at.top)];
	const within = above ? grid.at.top - above.top : 0;
	grid.layout = layRows(state.model, state.view, state.folded, { band: px('band'), row: px('row') });
	plane.style.height = `${grid.box.head + grid.layout.height + (phone.matches ? grid.box.height * SHEET : 0)}px`;
	const [band, ...own] = grid.layout.rows.filter((row) => row.node.id === above?.node.id);
	const same = own.find((row) => row.gpu?.id === above.gpu?.id) ?? band;
	if (grid.at.top > 0 && same) {
		scroller.scrollTop = same.top + within;
	}
	readScroll();
	scroller.ariaRowCount = grid.layout.rows.length + 1;
	reset();
}

/** Puts an hour at the left edge; the plane is laid around another date where this one is near its end. */
function placeAt(hour) {
	const room = grid.room();
	if (!(hour >= grid.origin + room && hour + 2 * room <= grid.origin + PLANE_HOURS)) {
		grid.origin = Math.max(mondayOf(0) + WEEK, mondayOf(hour) - PLANE_HOURS / 2);
		reset();
	}
	plane.style.width = `${grid.box.left + PLANE_HOURS * grid.scale.hourWidth}px`;
	scroller.scrollLeft = Math.round((hour - grid.origin) * grid.scale.hourWidth);
	readScroll();
	const { origin, scale: { hourWidth }, box: { left, head } } = grid;
	Object.assign(scroller.dataset, { origin, hourWidth, left, head });
}

/** Tells the store, and so the address, which date is at the left edge. */
function report(hour) {
	const step = Math.min(grid.scale.unit, DAY);
	const date = Math.round(hour / step) * step;
	if (date !== shownDate) {
		shownDate = date;
		store.look({ date });
	}
}

/** Another zoom: what is in the middle stays there, and what stood at today's place does so again. */
function rescale() {
	const home = (one) => homeOf(one, state.now, phone.matches);
	const wasHome = shownDate === home(zoom);
	const { start, end } = grid.span();
	zoom = state.view.zoom;
	grid.scale = scaleOf(zoom, innerWidth);
	reset();
	shownDate = wasHome ? home(zoom) : unitStart((start + end) / 2 - grid.room() / 2, zoom === 'days' ? DAY : grid.scale.unit);
	placeAt(shownDate);
	store.look({ date: shownDate });
}

/* -- drawing -- */

function paint() {
	cancelAnimationFrame(frame);
	frame = 0;
	if (!grid.origin) {
		return;
	}
	const { start, end } = grid.span();
	const { from, to } = grid.rows();
	const around = (end - start) * SPANS_AROUND;
	const step = Math.ceil(STEP / grid.scale.hourWidth);
	const area = {
		from: Math.max(0, Math.floor((from - ROWS_AROUND) / ROWS_STEP) * ROWS_STEP),
		to: Math.min(grid.layout.rows.length - 1, Math.ceil((to + ROWS_AROUND) / ROWS_STEP) * ROWS_STEP),
		start: Math.max(grid.origin, Math.floor((start - around) / step) * step), end: Math.ceil((end + around) / step) * step,
	};
	const { model, now, session, who, view: { person, mine } } = state;
	isOther(...Object.values(area), model.version, now, session, who, person, mine) && drawArea(area);
	columns.follow();
}

function drawArea(area) {
	grid.area = area;
	[columns, rows, bars].forEach((part) => part.draw());
	(state.selection || state.open) && mark();
}

function mark() {
	const { selection } = state;
	rows.mark(selection?.gpus ?? []);
	columns.mark(selection?.start ?? 0, selection?.end ?? 0);
	bars.mark();
}

/** What can wait until the scrolling stops: labels at the left edge, the address, cells that are read aloud. */
function settled() {
	const { start, end } = grid.span();
	report(start);
	if (start < grid.origin + WEEK || end > grid.origin + PLANE_HOURS - WEEK) {
		placeAt(start);
		paint();
	}
	bars.follow();
	whenIdle(rows.drawCells);
}

function plan() {
	if (!grid.origin) {
		return;
	}
	frame ||= requestAnimationFrame(paint);
	clearTimeout(settle);
	settle = setTimeout(settled, SETTLED_MS);
	const { start, end } = grid.span();
	store.cover(start, end);
}

/** Says what to do where there is nothing to see. */
function explain() {
	const { model, trouble, view: { nodes, kinds } } = state;
	const none = model.epoch && (nodes || kinds) && !grid.layout.gpus.length;
	const text = none ? 'No GPU fits this filter' : !model.epoch ? trouble
		: model.holds.every((holds) => !holds.length) ? 'Drag across the days you need' : '';
	words.hidden = !text;
	if (words.firstChild?.data !== text) {
		words.replaceChildren(text, none ? element('button', {}, 'Clear') : '');
	}
}
words.addEventListener('click', ({ target }) => target !== words && store.look({ nodes: null, kinds: null }));

scroller.addEventListener('scroll', () => {
	readScroll();
	plan();
}, { passive: true });

/** Fits everything to the window; what is at the left edge stays there. */
function fit() {
	const hour = grid.origin ? grid.span().start : state.view.date;
	grid.scale = scaleOf(zoom, innerWidth);
	layOut();
	placeAt(hour);
	shownDate ||= hour;
	plan();
}
new ResizeObserver(fit).observe(scroller);

store.on((changed) => {
	const { model, view } = state;
	const has = (...keys) => keys.some((key) => changed.has(key));
	areOtherRows(view.nodes, view.kinds, state.folded, model.shape) && layOut();
	if (view.zoom !== zoom) {
		rescale();
	} else if (view.date !== shownDate) {
		shownDate = view.date;
		placeAt(shownDate);
	}
	if (has('reveal') && state.reveal) {
		const { gpus, start, end } = state.reveal;
		for (const gpu of [...gpus.slice(-1), gpus[0]]) {
			const row = grid.layout.rowOf[gpu];
			row >= 0 && grid.reveal(row, start, end + DAY);
		}
	}
	has('model') && columns.count(); /* now, not in the next frame, which has enough to do */
	if (has('model', 'selection', 'windows', 'chosen', 'draft', 'open')) {
		bars.overlay();
		mark();
	}
	explain();
	progress.hidden = !state.busy;
	scroller.ariaBusy = state.busy;
	scroller.dataset.state = model.epoch ? 'ready' : 'loading';
	plan();
});

/* On paper: a fortnight from the left edge on, all rows, on one page where they can be read there. */
addEventListener('beforeprint', () => {
	const { left, head, days } = PRINT;
	grid.layout = layRows(state.model, state.view, state.folded, PRINT);
	grid.layout.height = grid.layout.rows[PRINT.rows]?.top ?? grid.layout.height;
	const height = head + grid.layout.height;
	const shrink = Math.max(0.5, Math.min(1, PRINT.height / height));
	const width = PRINT.width / shrink;
	grid.scale = { unit: DAY, snap: DAY, hourWidth: (width - left) / (days * DAY) };
	grid.origin = midnightOf(state.view.date);
	grid.at = { left: 0, top: 0 };
	grid.box = { ...grid.box, width, height, left, head };
	Object.assign(plane.style, { width: `${width}px`, height: `${height}px`, zoom: shrink });
	reset();
	drawArea({ from: 0, to: Math.min(grid.layout.rows.length, PRINT.rows) - 1, start: grid.origin, end: grid.origin + days * DAY });
	columns.follow();
});
addEventListener('afterprint', () => {
	plane.style.zoom = '';
	grid.origin = NaN;
	fit();
});
