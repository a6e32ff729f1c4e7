/** What is shown: which nodes, which kinds of GPU, whose bookings stand out. The choice is in the address. */

import { choiceText } from './bar-words.js';
import { around, byId, element, setText } from './dom.js';
import { state, store } from './store.js';

const ROWS_MAX = 200; /* of a menu; with more nodes a person types a part of the name */
const SEARCH_FROM = 12;
const TYPING_MS = 250;

const [person, clear] = ['person', 'clear'].map(byId);
let typing = 0;

const choices = {
	nodes: () => state.model.nodes.map(({ id, name, kinds }) => ({
		id, name, more: (name === id ? '' : `${id} · `) + (kinds.map((one) => `${one.count} × ${one.kind}`).join(', ') || 'no GPUs'),
	})),
	kinds: () => {
		const counts = new Map();
		state.model.gpus.forEach(({ kind }) => counts.set(kind, (counts.get(kind) ?? 0) + 1));
		return [...counts].map(([id, count]) => ({ id, name: id, more: `× ${count}` }));
	},
};

/* A menu with a box for each choice; filled when it opens. */
const shows = Object.keys(choices).map((what) => {
	const menu = byId(`${what}-menu`);
	menu.prepend(byId('choices').content.cloneNode(true));
	const [search, all, list, words, these] = menu.querySelectorAll('[type=search], .all input, ul, p, .these');
	const found = () => choices[what]().filter((one) => `${one.name} ${one.more}`.toLowerCase().includes(search.value.trim().toLowerCase()));
	const look = (ids) => store.look({ [what]: ids });

	function fill() {
		const shown = state.view[what] && new Set(state.view[what]);
		const has = (one) => !shown || shown.has(one.id);
		const some = found();
		if (shown && some.length > ROWS_MAX) {
			some.sort((a, b) => Number(has(b)) - Number(has(a)));
		}
		const held = list.contains(document.activeElement) && document.activeElement?.closest('li')?.dataset.id;
		list.replaceChildren(...some.slice(0, ROWS_MAX).map((one) => element('li', { 'data-id': one.id },
			element('label', {}, element('input', { type: 'checkbox', checked: has(one) }), element('bdi', {}, one.name), element('bdi', {}, one.more)),
			element('button', { 'aria-label': `Only ${one.name}` }, 'only'))));
		held && list.querySelector(`[data-id="${CSS.escape(held)}"] input`)?.focus();
		search.hidden = choices[what]().length <= SEARCH_FROM;
		all.checked = !shown;
		all.indeterminate = shown?.size > 0;
		these.hidden = !search.value.trim() || !some.length;
		setText(these, `Show only ${some.length === 1 ? 'this one' : `these ${some.length}`}`);
		setText(words, some.length > ROWS_MAX ? `${some.length - ROWS_MAX} more: type a part of the name` : some.length ? '' : 'None is called that');
	}

	menu.addEventListener('change', (event) => {
		const id = around(event, 'li')?.dataset.id;
		if (event.target === all) {
			look(all.checked ? null : []);
		} else if (id !== undefined) {
			const ids = choices[what]().map((one) => one.id);
			const next = new Set(state.view[what] ?? ids);
			next[event.target.checked ? 'add' : 'delete'](id);
			look(ids.every((one) => next.has(one)) ? null : [...next]); /* all: those that come later, too */
		}
	});
	menu.addEventListener('click', (event) => {
		const button = around(event, 'button');
		const id = around(event, 'li')?.dataset.id;
		if (button === these) {
			look(found().map((one) => one.id));
		} else if (button?.dataset.fold) {
			store.fold(found().map((one) => one.id), button.dataset.fold === 'shut');
		} else if (button) {
			look([id]);
		}
	});
	search.addEventListener('input', fill);
	search.addEventListener('keydown', (event) => event.key === 'Enter' && these.click());
	menu.addEventListener('beforetoggle', ({ newState }) => {
		search.value = '';
		newState === 'open' ? fill() : list.replaceChildren();
	});

	return () => {
		setText(byId(`filter-${what}`).firstChild, choiceText(what, choices[what](), state.view[what]));
		byId(`filter-${what}`).classList.toggle('on', state.view[what] !== null);
		menu.matches(':popover-open') && fill();
	};
});

person.addEventListener('focus', () => {
	const labels = new Set([...state.model.bookings.values()].map((one) => one.label));
	byId('people').replaceChildren(...[...labels].sort().slice(0, ROWS_MAX).map((value) => element('option', { value })));
});
person.addEventListener('input', () => {
	clearTimeout(typing);
	typing = setTimeout(() => store.look({ person: person.value.trim() }), TYPING_MS);
});
clear.addEventListener('click', () => {
	clearTimeout(typing);
	person.value = '';
	store.look({ nodes: null, kinds: null, person: '', mine: false });
	byId('filter-nodes').focus(); /* the button itself is gone now */
});

let shown = /** @type {any[]} */ ([]);
function show() {
	const { view } = state;
	const now = [view.nodes, view.kinds, view.person, view.mine, state.model];
	if (now.every((one, at) => one === shown[at])) {
		return; /* the grid is only scrolled, or somebody booked */
	}
	shown = now;
	shows.forEach((one) => one());
	byId('mine').ariaPressed = String(view.mine);
	if (document.activeElement !== person) {
		person.value = view.person;
	}
	const active = now.slice(0, 4).filter(Boolean).length;
	clear.hidden = !active;
	setText(byId('filter-count'), String(active || ''));
}
document.querySelectorAll('.legend').forEach((place) => place.append(byId('legend').content.cloneNode(true)));
store.on(show, ['view', 'model']);
