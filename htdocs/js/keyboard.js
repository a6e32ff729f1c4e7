/** The grid by keyboard: arrows move, Shift+arrows choose, Enter opens, Delete asks whether to cancel. */

import { around, byId, element, setText } from './dom.js';
import { grid } from './geometry.js';
import { selectionOf, unitStart } from './logic.js';
import * as rows from './rows.js';
import { state, store } from './store.js';
import { countOf, lengthOf } from './time.js';

const { scroller } = grid;
const said = byId('main').appendChild(element('div', { class: 'said', role: 'status' }));
let anchor = null; /* where Shift+arrows began */

const choice = (from, to) => selectionOf(grid.layout.rows, from, to, grid.scale.unit, state.now);

/** Where a key leads from the cell that has the focus. */
function target({ key, ctrlKey }) {
	const { row, hour } = rows.at();
	const { unit } = grid.scale;
	const last = grid.layout.rows.length - 1;
	const { from, to } = grid.rows();
	const page = to - from - 1;
	const { start, end } = grid.span();
	return {
		ArrowLeft: { row, hour: hour - unit },
		ArrowRight: { row, hour: hour + unit },
		ArrowUp: { row: row - 1, hour },
		ArrowDown: { row: row + 1, hour },
		PageUp: { row: Math.max(0, row - page), hour },
		PageDown: { row: Math.min(last, row + page), hour },
		Home: ctrlKey ? { row: 0, hour } : { row, hour: unitStart(start + unit - 0.01, unit) },
		End: ctrlKey ? { row: last, hour } : { row, hour: unitStart(end, unit) - unit },
	}[key];
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
	if (key === 'Enter' && state.selection) {
		store.set({ asked: state.asked + 1 });
	} else if (key === 'Enter' && found.length) {
		open(false);
	} else if (key === 'Enter' || key === ' ') {
		gpu && store.select(choice(at, at), true);
	} else if (key === 'Delete' || key === 'Backspace') {
		found[0]?.status === 0 && open(true);
	} else if (key === 'Escape') {
		anchor = null;
		store.select(null);
	} else {
		return false;
	}
	return true;
}

scroller.onkeydown = (event) => {
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
		const [here, there] = [all[anchor?.row], all[to.row]];
		if (there && (!anchor || here.gpu && there.gpu && here.node === there.node)) {
			anchor && choose(to);
			rows.focus(to.row, to.hour);
		}
	} else if (fold || event.ctrlKey || !act(key)) {
		return;
	}
	event.preventDefault();
};

scroller.addEventListener('focusin', (event) => {
	const row = around(event, '.row');
	if (row) {
		const at = rows.at();
		at.row = Number(row.ariaRowIndex) - 2;
		at.hour = Number(around(event, '.cell')?.dataset.hour ?? at.hour);
	}
});
