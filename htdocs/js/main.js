/** Wires the page: one store, and the components that listen to it. */

import { createStore } from './store.js';
import { mountFilters } from './filters.js';
import { mountFinder } from './finder.js';
import { mountGrid } from './grid.js';
import { mountHelp } from './help.js';
import { mountTopbar } from './topbar.js';

const store = createStore();

mountGrid(store);
mountTopbar(store);
mountFilters(store);
mountHelp(store);
mountFinder(store);
