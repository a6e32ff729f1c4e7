/** Puts the page together: first the grid and the bar; the rest, and what it looks like, when there is a picture. */

import { element } from './dom.js';
import { state, store } from './store.js';
import './grid.js';
import './bar.js';

const PATIENCE_MS = 500;

await new Promise((go) => {
	store.on(() => state.busy || requestAnimationFrame(() => setTimeout(go)), ['busy']);
	setTimeout(go, PATIENCE_MS); /* or when it takes long */
});
document.head.append(...['cards', 'panel'].map((name) => element('link', { rel: 'stylesheet', href: `css/${name}.css` })));
await Promise.all(['pointer', 'keyboard', 'panels', 'booking-card', 'details-card'].map((name) => import(`./${name}.js`)));
document.body.dataset.state = 'ready';
