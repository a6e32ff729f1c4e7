/** Help, with the same planner from a shell; and what it shares with Find: closing, and where the focus goes then. */

import { shellLines } from './bar-words.js';
import { around, byId, setText } from './dom.js';
import { state, store } from './store.js';

const [panel, calendar] = ['help', 'calendar'].map(byId);
let opener = /** @type {any} */ (null);
let shown = /** @type {string|null} */ (null);

const close = () => store.set({ panel: null });
document.querySelectorAll('.panel .close').forEach((button) => button.addEventListener('click', close));
document.addEventListener('keydown', (event) => {
	const free = state.selection === null && state.open === null && !state.dragging;
	if (event.key === 'Escape' && state.panel && (free || around(event, '.panel'))) {
		event.stopPropagation();
		close();
	}
}, true);
store.on(() => {
	const { model, now, session, who } = state;
	if (state.panel === shown) {
		return;
	}
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
		(opener?.checkVisibility() && opener !== document.body ? opener : byId('grid').querySelector('[tabindex="0"]') ?? byId('today')).focus();
	}
});
