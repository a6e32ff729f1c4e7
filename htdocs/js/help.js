/** Help, with the same planner from a shell; and what it shares with Find: closing, and where the focus goes then. */

import { shellLines } from './bar-words.js';
import { around, byId, setText } from './dom.js';
import { focusGrid } from './float.js';
import { state, store } from './store.js';

const [panel, calendar] = ['help', 'calendar'].map(byId);
let opener = /** @type {any} */ (null);
let shown = /** @type {string|null} */ (null);

const close = () => store.set({ panel: null });
document.addEventListener('click', (event) => around(event, '.panel .close') && close());
addEventListener('keydown', (event) => {
	const menu = document.querySelector(':popover-open'); /* the browser closes it */
	const free = !state.selection && !state.open && !state.dragging;
	if (event.key === 'Escape' && (menu || state.panel && (free || around(event, '.panel')))) {
		event.stopPropagation(); /* and nothing behind it closes */
		menu || close();
	}
}, true);
store.on(() => {
	const { model, now, session, who } = state;
	const inside = document.activeElement?.closest('.panel');
	opener = shown ? opener : document.activeElement;
	shown = state.panel;
	panel.hidden = shown !== 'help';
	if (!panel.hidden) {
		const texts = shellLines(new URL('.', location.href).href, model.nodes.find((node) => node.count)?.id ?? 'NODE', who || 'AB', now);
		panel.querySelectorAll('pre').forEach((pre, at) => setText(pre, texts[at]));
		setText(byId('version'), session?.version ?? '');
		calendar.search = who && `user_label=${encodeURIComponent(who)}`;
		panel.querySelector('h2').focus();
	} else if (!shown && inside) {
		opener?.checkVisibility() && opener !== document.body ? opener.focus() : focusGrid();
	}
}, ['panel']);
