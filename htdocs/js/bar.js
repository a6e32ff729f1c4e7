/**
 * The bar: where in time the grid is, how close, whether it is live, who looks at it; and what is shown: which nodes, which kinds of GPU,
 * whose bookings stand out. Narrow screens have parts of it in a menu.
 */

import { homeOf } from './address.js';
import { choiceText, hoursInView, initialsOf, rangeText, STEPS, weeksText } from './bar-words.js';
import { around, byId, element, isPlain, phone, setText } from './dom.js';
import { state, store } from './store.js';
import { DAY, dayText, parseDay } from './time.js';

const ROWS_MAX = 200; /* of a menu; with more nodes a person types a part of the name */
const SEARCH_FROM = 12;
const TYPING_MS = 250;
const CONNECTION = { loading: 'Loading', live: 'Live', offline: 'Reconnecting' };

const [bar, clear, filter, filters, find, grid, help, jump, live, menu, mine, person, range, refresh, who, whoMenu, whoName, zoom] = ['bar', 'clear',
	'filter', 'filters', 'find-button', 'grid', 'help-button', 'jump', 'live', 'filter-menu', 'mine', 'person', 'range', 'refresh', 'who', 'who-menu',
	'who-name', 'zoom'].map(byId);
const tablet = matchMedia('(max-width: 1239px)');
let width = grid.clientWidth; /* asked for again only when it changes: each time costs a layout */
let wantsMine = false; /* Mine was pressed before anybody said who "I" am */

/* Parts move into the menu and back: none is there twice, so none can disagree with another. */
function arrange() {
	menu.hidePopover();
	filter.before(range, zoom, filters);
	menu.prepend(...phone.matches ? [range, zoom] : [], ...tablet.matches ? [filters] : []);
	(phone.matches ? menu : byId('bar-end')).append(refresh, help);
}

function showRange() {
	const { date } = state.view;
	const unit = state.view.zoom === 'hours' ? 1 : DAY;
	const last = Math.max(date + 1, Math.round((date + hoursInView(width, grid)) / unit) * unit);
	const text = rangeText(date, last);
	setText(range.firstChild, text);
	setText(jump.lastElementChild, `${text} · ${weeksText(date, last)}`);
}

function show() {
	const { connection, panel, session, trouble, view } = state;
	const [, step] = STEPS[view.zoom];
	byId('earlier').title = `Back ${step}`;
	byId('later').title = `On ${step}`;
	for (const button of zoom.children) {
		button.ariaPressed = button.dataset.zoom === view.zoom;
	}
	find.ariaExpanded = panel === 'find';
	help.ariaExpanded = panel === 'help';
	live.dataset.state = connection;
	live.title = trouble || 'Other people\'s changes appear by themselves';
	setText(live.lastChild, CONNECTION[connection]);
	const login = session && session.mode !== 'open';
	const name = login ? session.user ?? '' : state.who;
	setText(who.firstChild, initialsOf(name) || '?');
	who.title = who.ariaLabel = name ? `You are ${name}` : 'Say who you are';
	whoMenu.firstElementChild.hidden = login;
	setText(whoMenu.lastElementChild, !login ? wantsMine ? 'Which are yours?' : 'Stands on what you book.'
		: `Logged in as ${name || 'nobody'}${session.admin ? ', administrator' : ''}`);
	showRange();
}

const step = (sign) => store.look({ date: Math.max(0, state.view.date + sign * Number(STEPS[state.view.zoom][0])) });
const panel = (name) => store.set({ panel: state.panel === name ? null : name });
const acts = {
	today: store.goToday,
	earlier: () => step(-1),
	later: () => step(1),
	refresh: store.refresh,
	'find-button': () => panel('find'),
	'help-button': () => {
		menu.hidePopover();
		panel('help');
	},
	mine() {
		if (!state.view.mine && !state.who && state.session?.mode === 'open') {
			wantsMine = true;
			whoMenu.showPopover();
		} else {
			store.look({ mine: !state.view.mine });
		}
	},
};
bar.onclick = (event) => {
	const button = around(event, 'button');
	button?.dataset.zoom ? store.look({ zoom: button.dataset.zoom }) : acts[button?.id ?? '']?.();
};

/* A key presses the button that says so, in the bar or in its menu. */
document.addEventListener('keydown', (event) => {
	const { key } = event;
	if (/^[a-z?]$/i.test(key) && isPlain(event) && !event.repeat
		&& (key.toLowerCase() !== 'd' || state.open === null)) { /* on a card, D is Done */
		const button = bar.querySelector(`[aria-keyshortcuts="${key.toUpperCase()}"]`);
		if (button) {
			event.preventDefault();
			button.click();
		}
	}
});

jump.onsubmit = () => {
	const day = parseDay(byId('jump-date').value);
	if (day !== null) {
		jump.hidePopover();
		menu.hidePopover();
		store.look({ date: state.view.zoom === 'hours' ? day : homeOf(state.view.zoom, day, phone.matches) });
	}
};
whoMenu.ontoggle = ({ newState }) => { wantsMine &&= newState === 'open'; };
whoMenu.onsubmit = () => {
	const name = whoName.value.trim();
	store.identify(name);
	if (wantsMine || !name) {
		store.look({ mine: name !== '' });
	}
	whoMenu.hidePopover();
};

/* Menus are native popovers: Escape, a click elsewhere and the focus's way back are the browser's. They open below their buttons. */
bar.addEventListener('beforetoggle', ({ target: { id, style }, newState }) => {
	if (newState === 'open') {
		const { left, right, bottom } = bar.querySelector(`[popovertarget=${id}]`).getBoundingClientRect();
		const atRight = left + right > innerWidth;
		style.left = atRight ? 'auto' : `${Math.max(8, left)}px`;
		style.right = atRight ? `${Math.max(8, innerWidth - right)}px` : 'auto';
		style.top = `${bottom + 4}px`;
		style.maxHeight = `${innerHeight - bottom - 12}px`;
		byId('jump-date').value = dayText(state.view.date + hoursInView(width, grid) / 9);
		whoName.value = state.who;
		show();
	}
}, true);

[phone, tablet].forEach((query) => query.addEventListener('change', arrange));
arrange();
new ResizeObserver(() => {
	width = grid.clientWidth;
	showRange();
}).observe(grid);
store.on(show, ['view', 'who', 'session', 'connection', 'trouble', 'panel']);

/* -- the filters -- */

/** A menu with a box for each choice, {id, name, more}; filled when it opens. Gives what brings it and its button up to date. */
function mountMenu(what, choices) {
	const [menu, opener] = [byId(`${what}-menu`), byId(`filter-${what}`)];
	menu.prepend(byId('choices').content.cloneNode(true));
	const [search, all, list, words, these] = menu.querySelectorAll('[type=search], .all input, ul, p, .these');
	const typed = () => search.value.trim().toLowerCase();
	const found = () => choices().filter((one) => `${one.name} ${one.more}`.toLowerCase().includes(typed()));
	const look = (ids) => store.look({ [what]: ids });

	function fill() {
		const shown = state.view[what] && new Set(state.view[what]);
		const has = ({ id }) => !shown || shown.has(id);
		const some = found();
		const left = some.length - ROWS_MAX;
		if (left > 0) { /* what is chosen is to be seen */
			some.sort((a, b) => Number(has(b)) - Number(has(a)));
		}
		const held = list.contains(document.activeElement) && document.activeElement?.closest('li')?.dataset.id;
		list.replaceChildren(...some.slice(0, ROWS_MAX).map((one) => element('li', { 'data-id': one.id },
			element('label', {}, element('input', { type: 'checkbox', checked: has(one) }), element('bdi', {}, one.name), element('bdi', {}, one.more)),
			element('button', { 'aria-label': `Only ${one.name}` }, 'only'))));
		held && list.querySelector(`[data-id="${CSS.escape(held)}"] input`)?.focus();
		search.hidden = choices().length <= SEARCH_FROM;
		all.checked = !shown;
		all.indeterminate = shown?.size > 0;
		these.hidden = !typed() || !some.length;
		setText(these, `Show only ${some.length === 1 ? 'this one' : `these ${some.length}`}`);
		setText(words, left > 0 ? `${left} more: type a part of the name` : some.length ? '' : 'None is called that');
	}

	menu.onchange = ({ target }) => {
		const id = target.closest('li')?.dataset.id;
		const ids = choices().map((one) => one.id);
		const next = new Set(state.view[what] ?? ids);
		if (target === all) {
			look(all.checked ? null : []);
		} else if (id !== undefined) {
			next[target.checked ? 'add' : 'delete'](id);
			look(ids.every((one) => next.has(one)) ? null : [...next]); /* all: those that come later, too */
		}
	};
	menu.onclick = (event) => {
		const button = around(event, 'button');
		const ids = found().map((one) => one.id);
		if (button === these) {
			look(ids);
		} else if (button?.dataset.fold) {
			store.fold(ids, button.dataset.fold === 'shut');
		} else if (button) {
			look([around(event, 'li')?.dataset.id]);
		}
	};
	search.oninput = fill;
	search.onkeydown = ({ key }) => { key === 'Enter' && these.click(); }; /* a handler that gives false keeps the key from the field */
	menu.onbeforetoggle = ({ newState }) => {
		search.value = '';
		newState === 'open' ? fill() : list.replaceChildren();
	};

	return () => {
		setText(opener.firstChild, choiceText(what, choices(), state.view[what]));
		opener.classList.toggle('on', state.view[what] !== null);
		menu.matches(':popover-open') && fill();
	};
}

const menus = [
	mountMenu('nodes', () => state.model.nodes.map(({ id, name, kinds }) => ({
		id, name, more: (name === id ? '' : `${id} · `) + (kinds.map((one) => `${one.count} × ${one.kind}`).join(', ') || 'no GPUs'),
	}))),
	mountMenu('kinds', () => {
		const counts = new Map();
		state.model.gpus.forEach(({ kind }) => counts.set(kind, (counts.get(kind) ?? 0) + 1));
		return [...counts].map(([id, count]) => ({ id, name: id, more: `× ${count}` }));
	}),
];

let typing = 0;
person.onfocus = () => {
	const labels = new Set([...state.model.bookings.values()].map((one) => one.label));
	byId('people').replaceChildren(...[...labels].sort().slice(0, ROWS_MAX).map((value) => element('option', { value })));
};
person.oninput = () => {
	clearTimeout(typing);
	typing = setTimeout(() => store.look({ person: person.value.trim() }), TYPING_MS);
};
clear.onclick = () => {
	clearTimeout(typing);
	store.look({ nodes: null, kinds: null, person: '', mine: false });
	byId('filter-nodes').focus(); /* the button itself is gone now */
};

document.querySelectorAll('.legend').forEach((place) => place.append(byId('legend').content.cloneNode(true)));

let filtered = [];
store.on(() => {
	const { model, view } = state;
	const active = [view.nodes, view.kinds, view.person, view.mine];
	const now = [model, ...active];
	if (now.every((one, at) => one === filtered[at])) {
		return; /* the grid is only scrolled, or somebody booked */
	}
	filtered = now;
	menus.forEach((update) => update());
	mine.ariaPressed = view.mine;
	if (document.activeElement !== person) {
		person.value = view.person;
	}
	const count = active.filter(Boolean).length;
	clear.hidden = !count;
	setText(byId('filter-count'), String(count || ''));
}, ['view', 'model']);
