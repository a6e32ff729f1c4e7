/** The grid by keyboard: arrows move, Shift+arrows choose, Enter opens, Delete asks whether to cancel. */

import { around, element, setText } from './dom.js';
import { selectionOf, unitStart } from './logic.js';
import { lengthOf } from './time.js';

/** @param {import('./grid.js').Grid} grid @param {ReturnType<import('./rows.js').mountRows>} rows */
export function mountKeyboard(grid, rows) {
	const { store, scroller } = grid;
	const { state } = store;
	const said = document.body.appendChild(element('div', { class: 'said', role: 'status' }));
	let anchor = /** @type {{row: number, hour: number}|null} */ (null);

	/** The bookings in the cell that has the focus, those that still hold it first. */
	function bookingsAt(/** @type {{row: number, hour: number}} */ at) {
		const gpu = grid.layout.rows[at.row]?.gpu;
		const holds = gpu ? state.model.holdsIn(gpu.index, at.hour, at.hour + grid.scale.unit) : [];
		return [...new Set(holds.map((hold) => hold.booking))].sort((a, b) => a.status - b.status || a.start - b.start);
	}

	function move(key, far) {
		const at = rows.at();
		const { unit } = grid.scale;
		const count = grid.layout.rows.length;
		const { start, end } = grid.span();
		const page = Math.max(1, grid.rows().to - grid.rows().from - 16);
		switch (key) {
		case 'ArrowLeft': return { row: at.row, hour: at.hour - unit };
		case 'ArrowRight': return { row: at.row, hour: at.hour + unit };
		case 'ArrowUp': return { row: at.row - 1, hour: at.hour };
		case 'ArrowDown': return { row: at.row + 1, hour: at.hour };
		case 'PageUp': return { row: Math.max(0, at.row - page), hour: at.hour };
		case 'PageDown': return { row: Math.min(count - 1, at.row + page), hour: at.hour };
		case 'Home': return { row: far ? 0 : at.row, hour: far ? at.hour : unitStart(start + unit - 0.01, unit) };
		case 'End': return { row: far ? count - 1 : at.row, hour: far ? at.hour : unitStart(end, unit) - unit };
		default: return null;
		}
	}

	function choose(/** @type {{row: number, hour: number}} */ to) {
		anchor ??= rows.at();
		if (!grid.layout.rows[anchor.row]?.gpu) {
			anchor = null;
			return;
		}
		const selection = selectionOf(grid.layout.rows, anchor, to, grid.scale.unit, state.now);
		store.select(selection);
		if (!selection) {
			setText(said, 'The past cannot be booked');
			return;
		}
		const clashes = state.model.clashes(selection.gpus, selection.start, selection.end);
		setText(said, `${selection.gpus.length} GPU${selection.gpus.length === 1 ? '' : 's'}, ${lengthOf(selection.end - selection.start)}, `
			+ (clashes.length > 0 ? `taken by ${clashes[0].booking.label}` : 'free; Enter books'));
	}

	function act(event) {
		const at = rows.at();
		const found = bookingsAt(at);
		switch (event.key) {
		case 'Enter':
			if (state.selection) {
				store.set({ asked: state.asked + 1 });
			} else if (found.length > 0) {
				store.openBooking(found[0].id, found.map((booking) => booking.id));
			} else {
				store.select(selectionOf(grid.layout.rows, at, at, grid.scale.unit, state.now), true);
			}
			return true;
		case ' ':
			store.select(selectionOf(grid.layout.rows, at, at, grid.scale.unit, state.now), true);
			return true;
		case 'Delete':
		case 'Backspace':
			if (found.length > 0 && found[0].status === 0) {
				store.openBooking(found[0].id, found.map((booking) => booking.id), true);
			}
			return true;
		case 'Escape':
			anchor = null;
			store.select(null);
			return true;
		default:
			return false;
		}
	}

	scroller.addEventListener('keydown', (event) => {
		const cell = around(event, '.cell');
		const fold = around(event, '.fold');
		if ((!cell && !fold && event.target !== scroller) || event.metaKey || event.altKey) {
			return;
		}
		if (fold && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
			store.fold(grid.layout.rows[rows.at().row].node.id, event.key === 'ArrowLeft');
			event.preventDefault();
			return;
		}
		const to = move(event.key, event.ctrlKey);
		if (to) {
			event.preventDefault();
			if (to.row < 0 || to.row >= grid.layout.rows.length) {
				return;
			}
			if (event.shiftKey) {
				const target = grid.layout.rows[to.row];
				if (!target.gpu || (anchor && target.node !== grid.layout.rows[anchor.row]?.node)) {
					return;
				}
				choose(to);
			} else {
				anchor = null;
			}
			rows.focus(to.row, to.hour);
			return;
		}
		if (!fold && !event.ctrlKey && (cell || event.key === 'Escape') && act(event)) {
			event.preventDefault();
		}
	});

	scroller.addEventListener('focusin', (event) => {
		const cell = around(event, '.cell');
		const row = cell?.closest('.row') ?? around(event, '.band');
		if (row) {
			const index = Number(row.getAttribute('aria-rowindex')) - 2;
			const at = rows.at();
			at.row = index;
			at.hour = cell ? Number(cell.dataset.hour) : at.hour;
		}
	});
}
