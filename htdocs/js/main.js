/** Wires the page: one store, and the components that listen to it. */

import { createStore } from './store.js';
import { mountBookingCard } from './booking-card.js';
import { mountDetailsCard } from './details-card.js';
import { mountFilters } from './filters.js';
import { mountFinder } from './finder.js';
import { mountGrid } from './grid.js';
import { mountHelp } from './help.js';
import { mountToast } from './toast.js';
import { mountTopbar } from './topbar.js';

const store = createStore();

mountGrid(store);
mountTopbar(store);
mountFilters(store);
mountHelp(store);
mountFinder(store);
mountBookingCard(store);
mountDetailsCard(store);
mountToast(store);
