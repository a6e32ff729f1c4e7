/** Bookings as bars, and what lies over them: the selection, found windows, where a dragged bar would land. */

import { byId, classes, element } from './dom.js';
import { blocksIn, runsOf } from './logic.js';
import { PRIORITIES } from './model.js';
import { DAY, lengthOf } from './time.js';

const INSET = 2; /* px above and below a bar, and 1 at its sides, so neighbours never touch */

/** @typedef {import('./logic.js').Block} Block */
/** @param {import('./grid.js').Grid} grid */
export function mountBars(grid) {
	const { state } = grid.store;
	const layer = byId('grid').querySelector('.bars');
	const over = layer.appendChild(element('div', { class: 'over' }));
	const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
	/** @type {Map<string, number>} */
	const widths = new Map();
	/** @type {Map<string, ReturnType<typeof bar>>} */
	const drawn = new Map();
	let drawnOf = '';
	let fresh = false; /* what is new now came from other people, and fades in */
	let gpusOf = '';
	let modelOf = /** @type {object|null} */ (null);
	/** @type {import('./store.js').Selection & {id: number}|null} */
	let shadow = null;

	function textWidth(text, weight) {
		const key = `${weight} ${text}`;
		let width = widths.get(key);
		if (width === undefined) {
			ruler.font = `${weight} 11px ${getComputedStyle(document.body).fontFamily}`;
			width = ruler.measureText(text).width;
			widths.set(key, width);
		}
		return width;
	}

	const letter = (priority) => PRIORITIES[priority][0].toUpperCase();

	/** Who and the priority's letter, the note where it fits; in little room the letter only, and then nothing. With its width in px. */
	function labelOf(block, width) {
		const { booking } = block;
		const sign = element('b', {}, booking.status === 0 ? letter(booking.priority) : '✓');
		const who = textWidth(booking.label, 600);
		if (width < 14) {
			return { label: null, size: 0 };
		}
		if (width < 24 || (width < 42 && who + 18 > width)) {
			return { label: element('span', { class: 'label tight' }, sign), size: 14 };
		}
		const note = booking.note ? textWidth(booking.note, 400) : 0;
		const fits = note > 0 && who + note + 36 < width;
		return {
			label: element('span', { class: classes({ label: true, tight: who + 26 > width }) },
				element('bdi', { class: 'who' }, booking.label), sign, fits && element('bdi', { class: 'note' }, booking.note)),
			size: Math.min(width, who + 30 + (fits ? note + 5 : 0)),
		};
	}

	function box(made, first, last, start, end) {
		const { rows } = grid.layout;
		const x = grid.x(Math.max(start, grid.origin));
		made.style.left = `${x + 1}px`;
		made.style.width = `${Math.max(2, grid.x(end) - x - 2)}px`;
		made.style.top = `${rows[first].top + INSET}px`;
		made.style.height = `${rows[last].top + rows[last].height - rows[first].top - 2 * INSET - 1}px`;
		return made;
	}

	function isDim(booking) {
		const { person, mine } = state.view;
		return (person !== '' || mine) && !((person !== '' && booking.label === person) || (mine && grid.store.isMine(booking)));
	}

	function bar(block) {
		const { booking, start, end, first, last } = block;
		const made = element('div', {
			class: classes({
				bar: true,
				[PRIORITIES[booking.priority]]: true,
				mine: booking.status === 0 && end > state.now && grid.store.isMine(booking),
				over: booking.status !== 0 || end <= state.now,
				ended: booking.status !== 0,
				dim: isDim(booking),
				many: last > first,
				before: start > booking.start,
				fresh,
			}),
			'data-id': booking.id,
		});
		box(made, first, last, start, end);
		const width = (end - start) * grid.scale.hourWidth - 2;
		const { label, size } = labelOf(block, width);
		made.append(label ?? '');
		return { block, made, label, room: Math.max(0, width - size), moved: 0 };
	}

	/** Labels of bars that begin left of the view stand at its edge. */
	function follow() {
		const edge = grid.at.left + grid.box.left;
		for (const one of drawn.values()) {
			const { block, label, room } = one;
			if (label) {
				const by = Math.round(Math.min(Math.max(0, edge - grid.x(Math.max(block.start, grid.origin))), room));
				if (one.moved !== by) {
					one.moved = by;
					label.style.transform = by > 0 ? `translateX(${by}px)` : '';
				}
			}
		}
	}

	function draw() {
		const { model } = state;
		const { from, to, start, end } = grid.area;
		const name = [model.version, Math.floor(state.now), state.view.person, state.view.mine, state.who, state.session?.user ?? ''].join('\n');
		if (name !== drawnOf) { /* what stays as it is keeps its element, so that nothing flickers */
			const [version] = drawnOf.split('\n');
			const others = version !== '' && version !== String(model.version) && drawnOf.split('\n').slice(1).join() === name.split('\n').slice(1).join();
			drawnOf = name;
			fresh = others;
			if (!others) {
				clear();
			}
		}
		if (grid.layout.rows.length === 0) {
			clear();
			return;
		}
		const wanted = new Map(blocksIn(model, grid.layout.rows, from, to, start, end)
			.map((block) => [block.key, block]));
		for (const [key, { made }] of drawn) {
			if (!wanted.has(key)) {
				made.remove();
				drawn.delete(key);
			}
		}
		const parts = document.createDocumentFragment();
		for (const [key, block] of wanted) {
			const there = drawn.get(key);
			if (there) {
				there.block = block;
			} else {
				const one = bar(block);
				drawn.set(key, one);
				parts.append(one.made);
			}
		}
		layer.insertBefore(parts, over);
		fresh = false;
		for (const { block, made } of drawn.values()) {
			made.classList.toggle('open', block.booking.id === state.open);
		}
	}

	function clear() {
		drawn.forEach(({ made }) => made.remove());
		drawn.clear();
	}

	/** Boxes over runs of rows. */
	function boxes(what, attributes, content) {
		return runsOf(what.gpus, grid.layout.rowOf).map(([first, last], index) => {
			const { id, ...rest } = attributes;
			return box(element('div', { ...rest, id: index === 0 ? id : null }, ...content(index === 0)), first, last, what.start, what.end);
		});
	}

	function clashBoxes(what, except = 0) {
		return state.model.clashes(what.gpus, what.start, what.end, except).flatMap(({ gpu, start, end }) => {
			const row = grid.layout.rowOf[gpu.index];
			return row < 0 ? [] : [box(element('div', { class: 'clash-part' }), row, row, start, end)];
		});
	}

	function overlay() {
		const { selection, windows, chosen, draft } = state;
		const parts = [];
		for (const found of windows) {
			parts.push(...boxes(found, { class: classes({ ghost: true, chosen: found.number === chosen }), 'data-number': found.number },
				(first) => [first && element('b', {}, String(found.number))]));
		}
		if (selection) {
			const clashes = clashBoxes(selection);
			const count = selection.gpus.length;
			const hours = selection.end - selection.start;
			const length = hours % DAY === 0 ? lengthOf(Math.max(hours, 0)).replace(/^(24|48) h$/, (_, n) => `${n / DAY} d`) : lengthOf(hours);
			parts.push(...boxes(selection, { id: 'outline', class: classes({ outline: true, [PRIORITIES[draft.priority]]: true, clash: clashes.length > 0 }) }, (first) => [
				first && element('span', { class: 'label' }, element('b', {}, `${count} GPU${count === 1 ? '' : 's'}`), element('span', { class: 'note' }, length)),
				first && element('span', { class: 'grip start' }), first && element('span', { class: 'grip end' }),
			]), ...clashes);
		}
		if (shadow) {
			const clashes = clashBoxes(shadow, shadow.id);
			const priority = state.model.bookings.get(shadow.id)?.priority ?? 1;
			parts.push(...boxes(shadow, { class: classes({ shadow: true, [PRIORITIES[priority]]: true, clash: clashes.length > 0 }) }, () => []), ...clashes);
		}
		over.replaceChildren(...parts);
	}

	return {
		draw,
		follow,
		overlay,
		reset() {
			clear();
			overlay();
		},
		/** Where a dragged bar would land, or null. */
		cast(where) {
			shadow = where;
			for (const { block, made } of drawn.values()) {
				made.classList.toggle('lifted', block.booking.id === shadow?.id);
			}
			overlay();
		},
		/** Whether the model has the same GPUs as the last time that was asked. */
		sameTopology() {
			if (modelOf === state.model) {
				return true;
			}
			modelOf = state.model;
			const now = state.model.gpus.length + state.model.nodes.map((node) => `${node.id} ${node.name} ${node.count}`).join('\n')
				+ state.model.gpus.map((gpu) => `${gpu.id} ${gpu.kind}`).join('\n');
			const same = now === gpusOf;
			gpusOf = now;
			return same;
		},
		blockOf(made) {
			return [...drawn.values()].find((one) => one.made === made)?.block ?? null;
		},
	};
}
