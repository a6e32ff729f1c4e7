/** The rows: names of nodes and GPUs at the left, and the cells that say to a screen reader what the bars show. */

import { byId, element, setText } from './dom.js';
import { columnsIn, skyline, stateOf } from './logic.js';
import { dayOf, timeOf, DAY, WEEK } from './time.js';

const CHEVRON = 'm6 4 4 4-4 4';
const STRIP_HEIGHT = 20;
const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {import('./logic.js').Row} Row */
/** @param {import('./grid.js').Grid} grid */
export function mountRows(grid) {
	const { state } = grid.store;
	const layer = byId('grid').querySelector('.rows');
	/** @type {Map<number, HTMLElement>} */
	const drawn = new Map(); /* index in the layout → its element */
	let focus = { row: -1, hour: 0 }; /* the cell that is the Tab key's stop */
	let bandsOf = '';

	function icon() {
		const svg = document.createElementNS(SVG, 'svg');
		const path = svg.appendChild(document.createElementNS(SVG, 'path'));
		svg.setAttribute('viewBox', '0 0 16 16');
		svg.setAttribute('aria-hidden', 'true');
		svg.setAttribute('width', '16');
		svg.setAttribute('height', '16');
		path.setAttribute('d', CHEVRON);
		return svg;
	}

	function band(row) {
		const { node } = row;
		const folded = state.folded.has(node.id);
		const kinds = node.kinds.length === 0 ? ['no GPUs'] : node.kinds.flatMap(({ kind, count }, index) =>
			[`${index === 0 ? '' : ', '}${count} × `, element('bdi', {}, kind)]);
		const name = element('div', { class: 'name', role: 'rowheader' },
			element('button', { class: 'fold', type: 'button', tabindex: -1, 'aria-expanded': String(!folded), title: folded ? 'Show its GPUs' : 'Fold' },
				icon(), element('bdi', { title: node.name === node.id ? node.id : `${node.name} (${node.id})` }, node.name)),
			element('span', { class: 'kinds' }, kinds), element('span', { class: 'free-now' }));
		const made = element('div', { class: 'row band', role: 'row', 'data-node': node.id }, name);
		if (folded) {
			const strip = document.createElementNS(SVG, 'svg');
			strip.setAttribute('class', 'strip');
			strip.setAttribute('aria-hidden', 'true');
			strip.append(document.createElementNS(SVG, 'path'));
			made.append(strip);
		}
		return made;
	}

	function gpuRow(row) {
		const gpu = /** @type {import('./model.js').Gpu} */ (row.gpu);
		return element('div', { class: 'row', role: 'row', 'data-gpu': `${row.node.id}/${gpu.id}` },
			element('div', { class: 'name', role: 'rowheader', 'aria-label': `${row.node.name} ${gpu.id}, ${gpu.kind}`, title: `${gpu.id} (${gpu.kind})` },
				element('bdi', { class: 'gpu' }, gpu.short), element('bdi', { class: 'kind' }, gpu.kind)));
	}

	function make(index) {
		const row = grid.layout.rows[index];
		const made = row.gpu ? gpuRow(row) : band(row);
		made.style.top = `${row.top}px`;
		made.setAttribute('aria-rowindex', String(index + 2));
		return made;
	}

	/** What a band says of this moment, and of a folded node's hours. */
	function fillBand(made, row) {
		const { model } = state;
		const { node } = row;
		const hour = Math.floor(state.now);
		const known = hour >= model.start && hour < model.end && node.count > 0;
		const free = known ? model.freeGpus(node, hour, hour + 1).length : 0;
		const words = free > 0 ? grid.box.left < 100 ? `${free} free` : `${free} free now` : 'full';
		setText(/** @type {Element} */ (made.querySelector('.free-now')), known ? words : '');
		const strip = /** @type {SVGElement|null} */ (made.querySelector('.strip'));
		if (strip) {
			const from = Math.max(model.start, grid.area.start);
			const to = Math.min(model.end, grid.area.end);
			const { first, hours } = model.occupancy(Array.from({ length: node.count }, (_, index) => node.first + index), state.now);
			const values = to > from ? Array.from(hours.subarray(from - first, to - first)) : [];
			strip.firstElementChild?.setAttribute('d', skyline(values, node.count, grid.scale.hourWidth, STRIP_HEIGHT));
			strip.setAttribute('width', String(values.length * grid.scale.hourWidth));
			strip.setAttribute('height', String(STRIP_HEIGHT));
			strip.style.left = `${grid.x(from) - grid.at.left}px`;
		}
	}

	function label(row, hour) {
		const { unit } = grid.scale;
		const gpu = /** @type {import('./model.js').Gpu} */ (row.gpu);
		const when = unit === 1 ? `${dayOf(hour)} ${timeOf(hour)}` : unit === DAY ? dayOf(hour) : `week from ${dayOf(hour)}`;
		const known = hour < state.model.end && hour + unit > state.model.start;
		return `${row.node.name} ${gpu.id}, ${when}, ${known ? stateOf(state.model, gpu.index, hour, hour + unit) : 'not loaded yet'}`;
	}

	function cellOf(row, hour, stop) {
		const { unit, hourWidth } = grid.scale;
		const { selection } = state;
		const chosen = selection && row.gpu && selection.gpus.includes(row.gpu.index) && hour < selection.end && hour + unit > selection.start;
		const cell = element('div', {
			class: 'cell', role: 'gridcell', 'data-hour': hour, tabindex: stop ? 0 : -1, 'aria-label': label(row, hour),
			'aria-colindex': Math.round((hour - grid.origin) / unit) + 2, 'aria-selected': chosen ? 'true' : 'false',
		});
		cell.style.left = `${grid.x(hour) - grid.at.left}px`;
		cell.style.width = `${unit * hourWidth}px`;
		return cell;
	}

	/** The cells in view, in words; called when the scrolling has stopped, and when one of them shall have the focus. */
	function drawCells() {
		const { rows } = grid.layout;
		const { from, to } = grid.rows();
		const { start, end } = grid.span();
		const columns = columnsIn(Math.max(grid.origin, start), end, grid.scale.unit);
		if (focus.row < 0 && rows.length > 0) {
			const first = rows.findIndex((row) => row.gpu !== null);
			focus = { row: first, hour: columns.find((hour) => hour + grid.scale.unit > state.now) ?? columns[0] };
		}
		const isShown = focus.row >= from && focus.row <= to && columns.includes(focus.hour);
		const stop = isShown ? focus : { row: Math.min(Math.max(focus.row, from), to), hour: columns.includes(focus.hour) ? focus.hour : columns[0] };
		const active = document.activeElement;
		for (const [index, made] of drawn) {
			const row = rows[index];
			if (!row?.gpu || index < from || index > to) {
				continue;
			}
			/** @type {HTMLElement[]} */
			const old = [...made.querySelectorAll('.cell')];
			const kept = old.find((cell) => cell === active);
			const cells = columns.map((hour) => {
				const stands = stop.row === index && stop.hour === hour;
				if (kept && Number(kept.dataset.hour) === hour) {
					kept.setAttribute('aria-label', label(row, hour));
					kept.style.left = `${grid.x(hour) - grid.at.left}px`;
					return kept;
				}
				return cellOf(row, hour, stands);
			});
			old.forEach((cell) => cell !== kept && cell.remove());
			const rest = cells.filter((cell) => cell !== kept);
			made.append(...rest);
		}
	}

	return {
		drawCells,
		reset() {
			const held = focus.row >= 0 && layer.contains(document.activeElement);
			drawn.forEach((made) => made.remove());
			drawn.clear();
			bandsOf = '';
			if (focus.row >= grid.layout.rows.length) {
				focus.row = grid.layout.rows.length - 1;
			}
			if (held) { /* what had the focus is drawn anew, and has it again */
				queueMicrotask(() => grid.drawNow());
				queueMicrotask(() => this.focus(focus.row, focus.hour, false));
			}
		},
		draw() {
			const { from, to } = grid.area;
			const active = document.activeElement?.closest?.('.row');
			for (const [index, made] of drawn) {
				if ((index < from || index > to) && made !== active) {
					made.remove();
					drawn.delete(index);
				}
			}
			const fresh = document.createDocumentFragment();
			for (let index = from; index <= to; index++) {
				if (!drawn.has(index)) {
					const made = make(index);
					drawn.set(index, made);
					fresh.append(made);
				}
			}
			layer.append(fresh);
			const name = [state.model.version, Math.floor(state.now), grid.scale.unit, ...Object.values(grid.area)].join();
			if (name !== bandsOf) {
				bandsOf = name;
				for (const [index, made] of drawn) {
					if (grid.layout.rows[index] && !grid.layout.rows[index].gpu) {
						fillBand(made, grid.layout.rows[index]);
					}
				}
			}
		},
		/** Names of the selection's GPUs take the accent. */
		near(index) {
			layer.querySelector('.near')?.classList.remove('near');
			drawn.get(index)?.classList.add('near');
		},
		mark(gpus) {
			for (const [index, made] of drawn) {
				const gpu = grid.layout.rows[index]?.gpu;
				made.classList.toggle('chosen', !!gpu && gpus.includes(gpu.index));
			}
		},
		at: () => focus,
		/** Gives the focus to a cell, or to a band's button, and has it in view. */
		focus(row, hour, scroll = true) {
			const there = grid.layout.rows[row];
			if (!there) {
				return;
			}
			focus = { row, hour };
			if (scroll) {
				grid.reveal(row, row, hour, hour + grid.scale.unit);
			}
			grid.drawNow();
			drawCells();
			const made = drawn.get(row);
			const target = /** @type {HTMLElement|null|undefined} */ (there.gpu ? made?.querySelector(`[data-hour="${hour}"]`) : made?.querySelector('.fold'));
			layer.querySelectorAll('.cell[tabindex="0"]').forEach((cell) => cell.setAttribute('tabindex', '-1'));
			target?.setAttribute('tabindex', '0');
			target?.focus({ preventScroll: true });
		},
	};
}
