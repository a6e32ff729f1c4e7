/**
 * Mouse, pen and finger in the grid: drag over free hours to choose them, drag a bar's edge or the bar itself, click to open. A finger
 * scrolls, unless it rests first: after a long press it drags.
 */

import { gpuList } from './bar-words.js';
import * as bars from './bars.js';
import { around, byId, element } from './dom.js';
import { grid } from './geometry.js';
import { moveOf, selectionOf, stretch, unitStart } from './logic.js';
import { PRIORITIES } from './model.js';
import * as rows from './rows.js';
import { state, store } from './store.js';
import { DAY, countOf, lengthOf, localWindow, momentOf, windowText } from './time.js';

const LONG_PRESS_MS = 350;
const HOVER_MS = 400;
const SLACK = 5; /* px that a click may move */
const SCROLL_ZONE = 28;

const PAST = 'The past cannot be booked';

const { scroller } = grid;
const tip = byId('main').appendChild(element('div', { id: 'tip', role: 'presentation', hidden: true }));
const hover = scroller.querySelector('.bars').appendChild(element('div', { class: 'hover', hidden: true }));
/**
 * anchor: where it began, in rows and hours; x, y: the same in the window; booking: the one whose bar it is, else it selects; kind: of a
 * bar, 'start', 'end' or 'move'; live: past the slack or the long press; fixed: a bar that may not be changed; target: where it would land.
 * @type {any}
 */
let gesture = null;
let [timer, hoverTimer, scrolling] = [0, 0, 0];
let last = { x: 0, y: 0, alt: false };

const stepOf = () => last.alt ? 1 : grid.scale.snap;
const remember = ({ clientX: x, clientY: y, altKey: alt }) => { last = { x, y, alt }; };
const selected = (anchor, at) => selectionOf(grid.layout.rows, anchor, at, stepOf(), state.now);
const clashOf = ({ gpus, start, end }, except = 0) => state.model.clashes(gpus, start, end, except)[0];

function tell(lines = [], bad = false) {
	tip.hidden = lines.length === 0;
	tip.classList.toggle('bad', bad);
	tip.replaceChildren(...lines.filter(Boolean).map((line) => element('p', { dir: 'auto' }, line)));
	if (!tip.hidden) {
		const { offsetWidth: width, offsetHeight: height } = tip;
		tip.style.left = `${Math.max(4, Math.min(last.x + 14, innerWidth - width - 4))}px`;
		tip.style.top = `${last.y + 18 + height > innerHeight ? last.y - height - 10 : last.y + 18}px`;
	}
}

/* -- a gesture -- */

function begin() {
	const { booking } = gesture;
	if (booking && state.model.bookings.get(booking.id)?.version !== booking.version) { /* changed since the button went down */
		cancel();
		return;
	}
	gesture.live = true;
	store.drag(true);
	follow();
	scrolling = requestAnimationFrame(scrollAtEdge);
}

/** What the gesture means where the pointer is now. */
function follow() {
	if (!gesture?.live) {
		return;
	}
	const { model, now } = state;
	const { anchor, booking, kind } = gesture;
	const at = { row: grid.rowAt(last.y), hour: grid.hourAt(last.x) };
	const move = (by) => moveOf(model, grid.layout, booking, at.hour - anchor.hour, by, stepOf(), now);
	const target = gesture.target = !booking ? selected(anchor, at)
		: kind === 'move' ? move(at.row - anchor.row) ?? move(0)
			: { gpus: booking.gpus, ...stretch(booking, kind, at.hour, stepOf(), now) };
	if (!booking) {
		store.select(target);
	} else if (target) {
		bars.cast({ ...target, id: booking.id });
	}
	if (target) {
		const { gpus, start, end } = target;
		const clash = clashOf(target, booking?.id);
		tell([`${countOf(gpus.length, 'GPU')} · ${end - start === DAY ? '1 d' : lengthOf(end - start)}`, `${windowText(start, end)} UTC`,
			clash && `Taken by ${clash.booking.label} until ${momentOf(clash.end, true)}`], !!clash);
	} else if (!booking) {
		tell([PAST], true);
	}
}

function scrollAtEdge() {
	const { x, y, width, height, left, head } = grid.box;
	const push = (at, low, high) => Math.max(-18, Math.min(18, (Math.min(0, at - low - SCROLL_ZONE) + Math.max(0, at - high + SCROLL_ZONE)) / 2));
	const [dx, dy] = [push(last.x, x + left, x + width), push(last.y, y + head, y + height)];
	if (dx || dy) {
		scroller.scrollBy(dx, dy);
		follow();
	}
	scrolling = requestAnimationFrame(scrollAtEdge);
}

/** Ends the gesture, and gives what it was. */
function stop() {
	const was = gesture;
	clearTimeout(timer);
	cancelAnimationFrame(scrolling);
	gesture = null;
	tell();
	was?.live && store.drag(false);
	return was;
}

function finish() {
	const { live, kind, booking, target, anchor } = stop();
	if (!booking) {
		const selection = live ? target : selected(anchor, anchor);
		store.select(selection, !!selection);
		selection || store.say(PAST);
	} else if (!live) {
		store.openBooking(booking.id);
	} else if (target) {
		change(booking, target, kind);
	} else {
		bars.cast(null);
	}
}

function cancel() {
	const was = stop();
	bars.cast(null);
	was?.live && !was.booking && store.select(null);
}

async function change(booking, { start, end, gpus }, kind) {
	const clash = clashOf({ start, end, gpus }, booking.id);
	const to = { start: `${momentOf(start)} UTC`, gpus: gpuList(gpus.map((gpu) => state.model.gpus[gpu])) };
	const changes = Object.entries({ start, end, gpus }).filter(([key, value]) => String(value) !== String(booking[key]));
	try {
		if (clash) {
			throw new Error(`That does not fit: ${clash.booking.label} has ${clash.gpu.id} until ${momentOf(clash.end, true)} UTC`);
		}
		if (changes.length) {
			await store.edit(booking.id, Object.fromEntries(changes), {
				move: `Moved to ${changes.map(([key]) => to[key]).filter(Boolean).join(', ')}`,
				end: `${end > booking.end ? 'Extended' : 'Shortened'} to ${momentOf(end, true)} UTC`,
				start: `Begins ${momentOf(start)} UTC now`,
			}[kind]);
		}
	} catch (/** @type {any} */ error) {
		store.say(error.message, { tone: 'bad' });
	} finally {
		bars.cast(null);
	}
}

/** Whether the pointer is over a GPU's hours: not its name, not the header, not below the last row. */
const isHours = (event, row) => !!grid.layout.rows[row]?.gpu && !around(event, '.name, .head')
	&& event.clientY - grid.box.y - grid.box.head + grid.at.top < grid.layout.height;

/** What a press begins: on the selection's grip, a bar's end, a bar, or free hours; elsewhere nothing: null. @returns {any} */
function meaning(event) {
	const { selection, now } = state;
	const { rowOf } = grid.layout;
	const grip = around(event, '.grip');
	if (grip && selection) { /* the other corner stays where it is */
		const far = grip.classList.contains('end');
		return { anchor: { row: rowOf[selection.gpus.at(far ? 0 : -1) ?? 0], hour: far ? selection.start : selection.end - 0.01 } };
	}
	const anchor = { row: grid.rowAt(event.clientY), hour: grid.hourAt(event.clientX) };
	const made = around(event, '.bar');
	const block = made && bars.blockOf(made);
	if (!block) {
		return isHours(event, anchor.row) ? { anchor } : null;
	}
	const { booking } = block;
	const { left, right, width } = made.getBoundingClientRect();
	const reach = Math.min(event.pointerType === 'touch' ? 14 : 7, width / 3);
	const kind = event.clientX > right - reach && block.end === booking.end ? 'end'
		: event.clientX < left + reach && block.start === booking.start && booking.start > now ? 'start' : 'move';
	return { kind, anchor, booking, fixed: booking.status !== 0 || booking.end <= now || !store.mayEnd(booking) };
}

scroller.onpointerdown = (event) => {
	leave();
	if (gesture) { /* a second finger */
		cancel();
		return;
	}
	if (event.button !== 0 || event.clientX > grid.box.x + grid.box.width || event.clientY > grid.box.y + grid.box.height) {
		return; /* the scroll bars */
	}
	const found = state.windows[Number(around(event, '.ghost')?.dataset.number) - 1];
	if (found) {
		const { number: chosen, ...selection } = found;
		store.set({ chosen });
		store.select(selection, true);
		event.preventDefault();
		return;
	}
	const what = meaning(event);
	if (!what) {
		return;
	}
	remember(event);
	const touch = event.pointerType === 'touch' && !around(event, '.grip');
	gesture = { ...what, pointer: event.pointerId, x: last.x, y: last.y, touch, live: false };
	if (touch) {
		timer = setTimeout(() => what.fixed || begin(), LONG_PRESS_MS);
	} else {
		event.preventDefault(); /* no text is selected; the focus goes to the card, or stays */
		scroller.focus({ preventScroll: true });
		scroller.setPointerCapture(event.pointerId);
	}
};

scroller.onpointermove = (event) => {
	remember(event);
	if (!gesture) {
		event.pointerType === 'mouse' && hoverOver(event);
	} else if (event.pointerId === gesture.pointer) {
		if (!gesture.live && Math.hypot(last.x - gesture.x, last.y - gesture.y) > SLACK) {
			gesture.touch || gesture.fixed ? cancel() : begin(); /* a finger that moves at once scrolls */
		}
		follow();
	}
};

scroller.onpointerup = (event) => {
	if (gesture && event.pointerId === gesture.pointer) {
		remember(event);
		follow();
		finish();
	}
};
scroller.onpointercancel = cancel;
addEventListener('blur', cancel);
if (matchMedia('(any-pointer: coarse)').matches) { /* where no finger is, they would make all drawing slower */
	/* Once a finger drags, the page must not scroll under it. */
	scroller.addEventListener('touchmove', (event) => gesture?.live && event.cancelable && event.preventDefault(), { passive: false });
	scroller.addEventListener('touchstart', (event) => around(event, '.grip') && event.preventDefault(), { passive: false });
}
scroller.oncontextmenu = () => !gesture?.touch; /* a long press is the beginning of a drag */
addEventListener('keydown', (event) => {
	if (gesture && event.key === 'Escape') {
		cancel();
		event.stopImmediatePropagation();
	}
}, true);

/* -- without a button -- */

function leave() {
	clearTimeout(hoverTimer);
	hover.hidden = true;
	gesture || tell();
}

function hoverOver(event) {
	leave();
	const what = meaning(event);
	const booking = what?.booking;
	if (booking) {
		around(event, '.bar')?.classList.toggle('ends', what.kind !== 'move' && !what.fixed);
		if (booking.id !== state.open) { /* its card says more */
			hoverTimer = setTimeout(describe, HOVER_MS, booking);
		}
	}
	const { snap, hourWidth } = grid.scale;
	const index = grid.rowAt(event.clientY);
	const hour = unitStart(grid.hourAt(event.clientX), snap);
	rows.near(around(event, '.head') ? -1 : index);
	hover.hidden = !what || booking || hour + snap <= state.now;
	if (!hover.hidden) {
		const { top, height } = grid.layout.rows[index];
		Object.assign(hover.style, { left: `${grid.x(hour)}px`, width: `${snap * hourWidth}px`, top: `${top}px`, height: `${height}px` });
	}
}

function describe({ label, note, start, end, priority }) {
	const local = localWindow(start, end);
	tell([`${label} · ${PRIORITIES[priority]} priority · ${lengthOf(end - start)}`, `${windowText(start, end)} UTC`, local && `${local} here`, note]);
}

scroller.onpointerleave = leave;
scroller.addEventListener('scroll', leave, { passive: true });

scroller.onclick = (event) => {
	const cell = around(event, '.cell');
	const band = around(event, '.fold') && around(event, '.band');
	const day = around(event, '.day');
	if (cell) { /* a screen reader's click: as Enter */
		cell.focus();
		cell.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
	} else if (band) {
		const { node = '' } = band.dataset;
		store.fold(node, !state.folded.has(node));
	} else if (day && state.view.zoom !== 'hours') {
		store.look({ zoom: state.view.zoom === 'weeks' ? 'days' : 'hours' });
		setTimeout(() => store.look({ date: Number(day.dataset.hour) }));
	}
};
