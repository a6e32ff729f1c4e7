/** Wires the page: one store, and the components that listen to it. */

import { createStore } from './store.js';
import { mountGrid } from './grid.js';

const store = createStore();

mountGrid(store);
