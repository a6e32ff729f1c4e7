/** The grid by keyboard: arrows move, Shift+arrows choose, Enter opens, Delete asks whether to cancel. */

import { around, byId, element, setText } from './dom.js';
import { selectionOf, unitStart } from './logic.js';
import { countOf, lengthOf } from './time.js';
import { grid, rows } from './grid.js';
import { state, store } from './store.js';

const { scroller } = grid;
const said = byId('main').appendChild(element('div', { class: 'said', role: 'status' }));
let anchor = null; /* where Shift+arrows began */

const choice = (from, to) => selectionOf(grid.layout.rows, from, to, grid.scale.unit, state.now);

/** Where a key leads from the cell that has the focus. */
function target({ key, ctrlKey }) {
	const { row, hour } = rows.at();
	const { unit } = grid.scale;
	const end = grid.layout.rows.length - 1;
	const page = grid.rows().to - grid.rows().from - 1;
	const span = grid.span();
	switch (key) {
	case 'ArrowLeft': return { row, hour: hour - unit };
	case 'ArrowRight': return { row, hour: hour + unit };
	case 'ArrowUp': return { row: row - 1, hour };
	case 'ArrowDown': return { row: row + 1, hour };
	case 'PageUp': return { row: Math.max(0, row - page), hour };
	case 'PageDown': return { row: Math.min(end, row + page), hour };
	case 'Home': return ctrlKey ? { row: 0, hour } : { row, hour: unitStart(span.start + unit - 0.01, unit) };
	case 'End': return ctrlKey ? { row: end, hour } : { row, hour: unitStart(span.end, unit) - unit };
	default: return null;
	}
}

function choose(to) {
	const selection = choice(anchor, to);
	store.select(selection);
	if (!selection) {
		setText(said, 'The past cannot be booked');
		return;
	}
	const { gpus, start, end } = selection;
	const [clash] = state.model.clashes(gpus, start, end);
	setText(said, `${countOf(gpus.length, 'GPU')}, ${lengthOf(end - start)}, ${clash ? `taken by ${clash.booking.label}` : 'free; Enter books'}`);
}

/** Whether the key did something. */
function act(key) {
	const at = rows.at();
	const gpu = grid.layout.rows[at.row]?.gpu;
	const holds = gpu ? state.model.holdsIn(gpu.index, at.hour, at.hour + grid.scale.unit) : [];
	const found = [...new Set(holds.map((hold) => hold.booking))].sort((a, b) => a.status - b.status || a.start - b.start);
	const open = (question) => store.openBooking(found[0].id, found.map((booking) => booking.id), question);
	switch (key) {
	case 'Enter':
		if (state.selection) {
			store.set({ asked: state.asked + 1 });
			return true;
		}
		if (found.length > 0) {
			open(false);
			return true;
		} /* falls through */
	case ' ':
		if (gpu) {
			store.select(choice(at, at), true);
		}
		return true;
	case 'Delete':
	case 'Backspace':
		found[0]?.status === 0 && open(true);
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
	const fold = around(event, '.fold');
	const { key } = event;
	if ((!around(event, '.cell') && !fold && event.target !== scroller) || event.metaKey || event.altKey) {
		return;
	}
	const to = target(event);
	const { rows: all } = grid.layout;
	if (fold && (key === 'ArrowLeft' || key === 'ArrowRight')) {
		store.fold(all[rows.at().row].node.id, key === 'ArrowLeft');
	} else if (to) {
		anchor = event.shiftKey ? anchor ?? rows.at() : null;
		if (all[to.row] && (!anchor || (all[to.row].gpu && all[anchor.row].gpu && all[to.row].node === all[anchor.row].node))) {
			anchor && choose(to);
			rows.focus(to.row, to.hour);
		}
	} else if (fold || event.ctrlKey || !act(key)) {
		return;
	}
	event.preventDefault();
});

scroller.addEventListener('focusin', (event) => {
	const row = around(event, '.row');
	if (row) {
		const at = rows.at();
		at.row = Number(row.ariaRowIndex) - 2;
		at.hour = Number(around(event, '.cell')?.dataset.hour ?? at.hour);
	}
});
