/**
 * Mouse, pen and finger in the grid: drag over free hours to choose them, drag a bar's edge or the bar itself, click to open. A finger
 * scrolls, unless it rests first: after a long press it drags.
 */

import { around, byId, element } from './dom.js';
import { moveOf, selectionOf, stretch, unitStart } from './logic.js';
import { DAY, lengthOf, localWindow, momentOf, windowText } from './time.js';

const LONG_PRESS_MS = 350;
const HOVER_MS = 400;
const SLACK = 5; /* px that a click may move */
const EDGE = 7;  /* px of a bar's end that stretch it */
const SCROLL_ZONE = 28;

/**
 * @typedef {object} Gesture
 * @property {'select'|'start'|'end'|'move'} kind
 * @property {number} pointer
 * @property {number} x             where it began in the window, px
 * @property {number} y
 * @property {boolean} touch
 * @property {boolean} live         past the slack or the long press: it is a drag
 * @property {{row: number, hour: number}} anchor
 * @property {import('./model.js').Booking} [booking]
 * @property {import('./store.js').Selection|null} [target]  where it would land
 */

/** @param {import('./grid.js').Grid} grid @param {ReturnType<import('./bars.js').mountBars>} bars @param {ReturnType<import('./rows.js').mountRows>} rows */
export function mountPointer(grid, bars, rows) {
	const { store, scroller } = grid;
	const { state } = store;
	const tip = document.body.appendChild(element('div', { id: 'tip', role: 'presentation', hidden: true }));
	const hover = byId('grid').querySelector('.bars').appendChild(element('div', { class: 'hover', hidden: true }));
	let gesture = /** @type {Gesture|null} */ (null);
	let timer = 0;
	let hoverTimer = 0;
	let last = { x: 0, y: 0, alt: false };
	let scrolling = 0;

	/* -- the words beside the pointer --------------------------------------------------------------------------------- */

	function tell(lines, bad = false) {
		tip.hidden = lines.length === 0;
		tip.classList.toggle('bad', bad);
		tip.replaceChildren(...lines.filter(Boolean).map((line) => element('p', { dir: 'auto' }, line)));
		if (!tip.hidden) {
			const { offsetWidth: width, offsetHeight: height } = tip;
			tip.style.left = `${Math.max(4, Math.min(last.x + 14, innerWidth - width - 4))}px`;
			tip.style.top = `${last.y + 18 + height > innerHeight ? last.y - height - 10 : last.y + 18}px`;
		}
	}

	const stepOf = () => last.alt ? 1 : grid.scale.snap;

	function words(what, except = 0) {
		const count = what.gpus.length;
		const [clash] = state.model.clashes(what.gpus, what.start, what.end, except);
		const hours = what.end - what.start;
		const length = hours === DAY ? '1 d' : lengthOf(hours);
		tell([`${count} GPU${count === 1 ? '' : 's'} · ${length}`, `${windowText(what.start, what.end)} UTC`,
			clash ? `Taken by ${clash.booking.label} until ${momentOf(clash.end, true)}` : ''], !!clash);
	}

	/* -- a gesture ---------------------------------------------------------------------------------------------------- */

	function begin() {
		if (!gesture || gesture.live) {
			return;
		}
		gesture.live = true;
		clearTimeout(hoverTimer);
		hover.hidden = true;
		store.drag(true);
		if (gesture.kind === 'select' && state.open !== null) {
			store.openBooking(null);
		}
		follow();
		scrolling ||= requestAnimationFrame(scrollAtEdge);
	}

	/** Brings what the gesture means up to date with where the pointer is. */
	function follow() {
		if (!gesture?.live) {
			return;
		}
		const hour = grid.hourAt(last.x);
		const { anchor, booking, kind } = gesture;
		if (kind === 'select') {
			gesture.target = selectionOf(grid.layout.rows, anchor, { row: grid.rowAt(last.y), hour }, stepOf(), state.now);
			store.select(gesture.target);
			if (gesture.target) {
				words(gesture.target);
			} else {
				tell(['The past cannot be booked'], true);
			}
			return;
		}
		if (!booking) {
			return;
		}
		if (kind === 'move') {
			const node = grid.layout.rows[anchor.row].node;
			const row = grid.rowAt(last.y);
			const rows = grid.layout.rows[row].node === node && grid.layout.rows[row].gpu ? row - anchor.row : 0;
			gesture.target = moveOf(state.model, grid.layout, booking, hour - anchor.hour, rows, stepOf(), state.now)
				?? moveOf(state.model, grid.layout, booking, hour - anchor.hour, 0, stepOf(), state.now);
		} else {
			gesture.target = {
				node: state.model.gpus[booking.gpus[0]].node.index, gpus: booking.gpus,
				...stretch(booking, kind, hour, stepOf(), state.now),
			};
		}
		if (gesture.target) {
			bars.cast({ ...gesture.target, id: booking.id });
			words(gesture.target, booking.id);
		}
	}

	function scrollAtEdge() {
		scrolling = 0;
		if (!gesture?.live) {
			return;
		}
		const { x, y, width, height, left, head } = grid.box;
		const push = (at, low, high) =>
			at < low + SCROLL_ZONE ? -Math.min(18, (low + SCROLL_ZONE - at) / 2) : at > high - SCROLL_ZONE ? Math.min(18, (at - high + SCROLL_ZONE) / 2) : 0;
		const dx = push(last.x, x + left, x + width);
		const dy = push(last.y, y + head, y + height);
		if (dx || dy) {
			scroller.scrollBy(dx, dy);
			follow();
		}
		scrolling = requestAnimationFrame(scrollAtEdge);
	}

	function finish() {
		const done = gesture;
		stop();
		if (!done) {
			return;
		}
		if (!done.live) {
			click(done);
			return;
		}
		store.drag(false);
		if (done.kind === 'select') {
			store.select(done.target ?? null, !!done.target);
		} else if (done.booking && done.target) {
			change(done.booking, done.target, done.kind);
		} else {
			bars.cast(null);
		}
	}

	function click(done) {
		if (done.booking) {
			store.openBooking(done.booking.id);
			return;
		}
		const selection = selectionOf(grid.layout.rows, done.anchor, done.anchor, stepOf(), state.now);
		if (selection) {
			store.select(selection, true);
		} else {
			store.select(null);
			store.say('The past cannot be booked');
		}
	}

	/** Sends what the drag of a bar means. */
	async function change(booking, target, kind) {
		const changes = {
			...target.start !== booking.start && { start: target.start },
			...target.end !== booking.end && { end: target.end },
			...String(target.gpus) !== String(booking.gpus) && { gpus: target.gpus },
		};
		const [clash] = state.model.clashes(target.gpus, target.start, target.end, booking.id);
		try {
			if (Object.keys(changes).length === 0) {
				return;
			}
			if (clash) {
				store.say(`That does not fit: ${clash.booking.label} has ${clash.gpu.id} until ${momentOf(clash.end, true)} UTC`, { tone: 'bad' });
				return;
			}
			const verb = target.end > booking.end ? 'Extended' : 'Shortened';
			await store.edit(booking.id, changes, kind === 'move' ? `Moved to ${momentOf(target.start)} UTC`
				: kind === 'end' ? `${verb} to ${momentOf(target.end, true)} UTC` : `Begins ${momentOf(target.start)} UTC now`);
		} catch (error) {
			store.say(/** @type {Error} */ (error).message, { tone: 'bad' });
		} finally {
			bars.cast(null);
		}
	}

	function stop() {
		clearTimeout(timer);
		cancelAnimationFrame(scrolling);
		scrolling = 0;
		if (gesture && scroller.hasPointerCapture(gesture.pointer)) {
			scroller.releasePointerCapture(gesture.pointer);
		}
		gesture = null;
		tell([]);
	}

	function cancel() {
		if (!gesture) {
			return;
		}
		const { live, kind } = gesture;
		stop();
		bars.cast(null);
		if (live) {
			store.drag(false);
			if (kind === 'select') {
				store.select(null);
			}
		}
	}

	/** Whether the pointer is over a GPU's hours: not its name, not the header, not below the last row. */
	function isRow(event, row) {
		const { rows, height } = grid.layout;
		return !!rows[row]?.gpu && !around(event, '.name, .head') && event.clientY - grid.box.y - grid.box.head + grid.at.top < height;
	}

	/** What a press begins: on a bar's end, a bar, the selection's grip, or free hours. */
	function meaning(event) {
		const grip = around(event, '.grip');
		const { selection, model } = state;
		const at = { row: grid.rowAt(event.clientY), hour: grid.hourAt(event.clientX) };
		if (grip && selection) {
			const row = grid.layout.rowOf;
			const far = grip.classList.contains('end');
			/* The other corner stays where it is. */
			const anchor = { row: row[far ? selection.gpus[0] : /** @type {number} */ (selection.gpus.at(-1))], hour: far ? selection.start : selection.end - 0.01 };
			return { kind: /** @type {const} */ ('select'), anchor };
		}
		const made = around(event, '.bar');
		const block = made && bars.blockOf(made);
		if (made && block) {
			const { booking } = block;
			const box = made.getBoundingClientRect();
			const movable = booking.status === 0 && booking.end > state.now && store.mayEnd(booking) && booking.gpus.every((gpu) => model.gpus[gpu]);
			const reach = Math.min(event.pointerType === 'touch' ? 14 : EDGE, box.width / 3);
			const kind = event.clientX > box.right - reach && block.end === booking.end ? 'end'
				: event.clientX < box.left + reach && block.start === booking.start && booking.start > state.now ? 'start' : 'move';
			return { kind: /** @type {Gesture['kind']} */ (kind), anchor: at, booking, fixed: !movable };
		}
		return isRow(event, at.row) ? { kind: /** @type {const} */ ('select'), anchor: at } : null;
	}

	scroller.addEventListener('pointerdown', (event) => {
		if (gesture) {
			cancel(); /* a second finger */
			return;
		}
		if (event.button !== 0 || event.clientX > grid.box.x + grid.box.width || event.clientY > grid.box.y + grid.box.height) {
			return;
		}
		const found = around(event, '.ghost');
		if (found) {
			const window = state.windows.find((one) => one.number === Number(found.dataset.number));
			if (window) {
				store.set({ chosen: window.number });
				const { node, gpus, start, end } = window;
				store.select({ node, gpus, start, end }, true);
			}
			event.preventDefault();
			return;
		}
		const what = meaning(event);
		if (!what) {
			return;
		}
		last = { x: event.clientX, y: event.clientY, alt: event.altKey };
		const touch = event.pointerType === 'touch';
		const isGrip = around(event, '.grip') !== null;
		gesture = { ...what, pointer: event.pointerId, x: last.x, y: last.y, touch: touch && !isGrip, live: false };
		if (gesture.touch) {
			timer = setTimeout(() => what.fixed || begin(), LONG_PRESS_MS);
		} else {
			if (!touch) {
				event.preventDefault(); /* no text selection; the focus goes to the card, or stays */
				scroller.focus({ preventScroll: true });
			}
			scroller.setPointerCapture(event.pointerId);
		}
	});

	scroller.addEventListener('pointermove', (event) => {
		if (!gesture) {
			hoverOver(event);
			return;
		}
		if (event.pointerId !== gesture.pointer) {
			return;
		}
		last = { x: event.clientX, y: event.clientY, alt: event.altKey };
		const moved = Math.hypot(last.x - gesture.x, last.y - gesture.y) > SLACK;
		if (!gesture.live && moved) {
			if (gesture.touch) {
				cancel(); /* a finger that moves at once scrolls */
				return;
			}
			if (gesture.booking && (/** @type {any} */ (gesture).fixed)) {
				cancel();
				return;
			}
			begin();
		}
		follow();
	});

	scroller.addEventListener('pointerup', (event) => {
		if (gesture && event.pointerId === gesture.pointer) {
			last = { x: event.clientX, y: event.clientY, alt: event.altKey };
			follow();
			finish();
		}
	});
	scroller.addEventListener('pointercancel', cancel);
	/* Once a finger drags, the page must not scroll under it. */
	scroller.addEventListener('touchmove', (event) => gesture?.live && event.cancelable && event.preventDefault(), { passive: false });
	scroller.addEventListener('touchstart', (event) => around(event, '.grip') && event.preventDefault(), { passive: false });
	scroller.addEventListener('contextmenu', (event) => gesture?.touch && event.preventDefault());
	addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && gesture) {
			cancel();
			event.stopImmediatePropagation();
		} else if (event.key === 'Alt' && gesture?.live) {
			event.preventDefault();
		}
	}, true);
	addEventListener('blur', cancel);

	/* -- without a button: what is under the pointer -------------------------------------------------------------------- */

	function hoverOver(event) {
		if (event.pointerType !== 'mouse') {
			return;
		}
		last = { x: event.clientX, y: event.clientY, alt: event.altKey };
		clearTimeout(hoverTimer);
		tell([]);
		const made = around(event, '.bar');
		const block = made && bars.blockOf(made);
		if (block) {
			hoverTimer = setTimeout(describe, HOVER_MS, block.booking);
		}
		const index = grid.rowAt(event.clientY);
		const free = !made && isRow(event, index);
		rows.near(around(event, '.head') ? -1 : index);
		const hour = unitStart(grid.hourAt(event.clientX), grid.scale.snap);
		hover.hidden = !free || hour + grid.scale.snap <= state.now;
		if (!hover.hidden) {
			const row = grid.layout.rows[index];
			hover.style.left = `${grid.x(hour)}px`;
			hover.style.width = `${grid.scale.snap * grid.scale.hourWidth}px`;
			hover.style.top = `${row.top}px`;
			hover.style.height = `${row.height}px`;
		}
	}

	function describe(booking) {
		const { label, note, start, end } = booking;
		const local = localWindow(start, end);
		tell([`${label} · ${['low', 'medium', 'high'][booking.priority]} priority · ${lengthOf(end - start)}`,
			`${windowText(start, end)} UTC`, local && `${local} here`, note]);
	}

	scroller.addEventListener('pointerleave', () => {
		clearTimeout(hoverTimer);
		if (!gesture) {
			tell([]);
		}
		hover.hidden = true;
	});
	scroller.addEventListener('scroll', () => {
		clearTimeout(hoverTimer);
		hover.hidden = true;
		if (!gesture) {
			tell([]);
		}
	}, { passive: true });

	scroller.addEventListener('click', (event) => {
		const cell = around(event, '.cell');
		if (cell) { /* a screen reader's click: as Enter */
			cell.focus();
			cell.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
			return;
		}
		const row = around(event, '.fold')?.closest('.band');
		if (row) {
			const id = /** @type {HTMLElement} */ (row).dataset.node ?? '';
			store.fold(id, !state.folded.has(id));
		}
	});
}
