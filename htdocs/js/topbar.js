/** The bar: where in time the grid is, how close, whether it is live, and who looks at it. Narrow screens have parts of it in a menu. */

import { homeOf } from './address.js';
import { hoursInView, initialsOf, rangeText, STEPS, weeksText } from './bar-words.js';
import { around, byId, isPlain, phone, setText } from './dom.js';
import { state, store } from './store.js';
import { DAY, dayText, parseDay } from './time.js';

const CONNECTION = { loading: 'Loading', live: 'Live', offline: 'Reconnecting' };

const [bar, filter, filters, find, grid, help, jump, live, menu, range, refresh, who, whoMenu, whoName, zoom] = ['bar', 'filter', 'filters',
	'find-button', 'grid', 'help-button', 'jump', 'live', 'filter-menu', 'range', 'refresh', 'who', 'who-menu', 'who-name', 'zoom'].map(byId);
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
		button.ariaPressed = String(button.dataset.zoom === view.zoom);
	}
	find.ariaExpanded = String(panel === 'find');
	help.ariaExpanded = String(panel === 'help');
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
	if (/^[a-z?]$/i.test(key) && isPlain(event) && !event.repeat && !event.defaultPrevented
		&& (key !== 'd' || state.open === null)) { /* on a card, D is Done */
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
