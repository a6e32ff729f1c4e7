/** What is shown: which nodes, which kinds of GPU, whose bookings stand out. The choice is in the address. */

import { choiceText } from './bar-words.js';
import { around, byId, element, setText } from './dom.js';
import { state, store } from './store.js';

const ROWS_MAX = 200; /* of a menu; with more nodes a person types a part of the name */
const SEARCH_FROM = 12;
const TYPING_MS = 250;

const [person, clear] = ['person', 'clear'].map(byId);

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
	search.onkeydown = ({ key }) => key === 'Enter' && these.click();
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

let shown = /** @type {any[]} */ ([]);
store.on(() => {
	const { model, view } = state;
	const active = [view.nodes, view.kinds, view.person, view.mine];
	const now = [model, ...active];
	if (now.every((one, at) => one === shown[at])) {
		return; /* the grid is only scrolled, or somebody booked */
	}
	shown = now;
	menus.forEach((update) => update());
	byId('mine').ariaPressed = String(view.mine);
	if (document.activeElement !== person) {
		person.value = view.person;
	}
	const count = active.filter(Boolean).length;
	clear.hidden = !count;
	setText(byId('filter-count'), String(count || ''));
}, ['view', 'model']);
