/** Wires the page: one store, and the components that listen to it. First the grid and the bar; the rest, and what it looks like, when there is a picture. */

import { element } from './dom.js';
import { createStore } from './store.js';
import { mountFilters } from './filters.js';
import { mountGrid } from './grid.js';
import { mountTopbar } from './topbar.js';

const PATIENCE_MS = 500;

const store = createStore();
const grid = mountGrid(store);
mountTopbar(store);
mountFilters(store);
await new Promise((go) => {
	store.on(() => store.state.busy || requestAnimationFrame(() => setTimeout(go)), ['busy']);
	setTimeout(go, PATIENCE_MS); /* or when it takes long */
});
document.head.append(...['cards', 'panel'].map((name) => element('link', { rel: 'stylesheet', href: `css/${name}.css` })));
const [pointer, keyboard, help, finder, booking, details, toast] = await Promise.all([
	import('./pointer.js'), import('./keyboard.js'), import('./help.js'), import('./finder.js'), import('./booking-card.js'),
	import('./details-card.js'), import('./toast.js'),
]);
pointer.mountPointer(grid);
keyboard.mountKeyboard(grid);
help.mountHelp(store);
finder.mountFinder(store);
booking.mountBookingCard(store);
details.mountDetailsCard(store);
toast.mountToast(store);
document.body.dataset.state = 'ready';
