/** Wires the page: one store, and the components that listen to it. The grid comes first; the rest, and what it looks like, loads while the timeline is on its way. */

import { element } from './dom.js';
import { createStore } from './store.js';
import { mountGrid } from './grid.js';

const store = createStore();

mountGrid(store);
document.head.append(...['cards', 'panel'].map((name) => element('link', { rel: 'stylesheet', href: `css/${name}.css` })));
const [topbar, filters, help, finder, booking, details, toast] = await Promise.all([
	import('./topbar.js'), import('./filters.js'), import('./help.js'), import('./finder.js'), import('./booking-card.js'),
	import('./details-card.js'), import('./toast.js'),
]);
topbar.mountTopbar(store);
filters.mountFilters(store);
help.mountHelp(store);
finder.mountFinder(store);
booking.mountBookingCard(store);
details.mountDetailsCard(store);
toast.mountToast(store);
