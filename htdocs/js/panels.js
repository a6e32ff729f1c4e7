/**
 * The panels: Find ("2 GPUs of H100 for 36 hours from now"; the windows stand in a list and, with the same numbers, on the grid) and help,
 * with the same planner from a shell.
 */

import { remember, remembered } from './address.js';
import { afterOf, gpuList, inText, shellLines, whyNever } from './bar-words.js';
import { focusGrid, spoken } from './cards.js';
import { around, byId, element, phone, setText } from './dom.js';
import { state, store } from './store.js';
import { dateAt, dayText, localWindow, momentOf, zoneName } from './time.js';

const TYPING_MS = 250;
const SLOW_MS = 300; /* a search that is faster says nothing */
const PAGE = 10;
const MOST = 100; /* windows, and nodes in an address; with more nodes the answer is sifted here */

const [find, form, words, list, later, help, calendar] = ['find', 'find-form', 'find-words', 'find-list', 'find-later', 'help', 'calendar'].map(byId);
const { gpus, hours, kind, from, day } = form.elements;
let round = 0; /* an answer to an older question is not shown */
let timer = 0;
let limit = PAGE;
let view = state.view; /* that was searched in */
let drawn = '';

function fillKinds() {
	const kinds = [...new Set(state.model.gpus.map((gpu) => gpu.kind))].filter((one) => state.view.kinds?.includes(one) ?? true);
	const wish = kind.value || remembered('find', {}).kind;
	kind.replaceChildren(element('option', { value: '' }, 'any kind'), ...kinds.map((value) => element('option', { value }, value)));
	kind.value = kinds.includes(wish) ? wish : '';
}

function take(found, text) {
	store.set({ windows: found.map((one, at) => ({ ...one, number: at + 1 })), chosen: Math.min(state.chosen || 1, found.length) });
	later.hidden = found.length < limit || limit >= MOST;
	setText(words, text);
}

async function search() {
	clearTimeout(timer);
	const mine = ++round;
	const only = state.view.nodes && new Set(state.view.nodes);
	const nodes = state.model.nodes.filter(({ id }) => only?.has(id) ?? true);
	const sifted = only && nodes.length > MOST;
	const wish = { gpus: Number(gpus.value), hours: Number(hours.value), kind: kind.value };
	const after = afterOf(from.value, day.value, state.now);
	const never = after === null ? 'From which day?' : whyNever(wish, nodes, state.session?.limits);
	if (never) {
		take([], never);
		return;
	}
	remember('find', wish);
	const slow = setTimeout(setText, SLOW_MS, words, 'Looking…');
	let found = [];
	let text = 'No such window in the time that can be booked.';
	try {
		const all = await store.find({ ...wish, after, nodes: only && !sifted ? nodes.map(({ id }) => id) : null, limit: sifted ? MOST : limit });
		found = all.filter((one) => nodes.some(({ index }) => index === one.node)).slice(0, limit);
	} catch (/** @type {any} */ error) {
		text = error.message;
	}
	clearTimeout(slow);
	if (mine === round) {
		take(found, found.length ? `First windows${only ? ' on the nodes shown' : ''}, UTC` : text);
	}
}

function soon(wait) {
	clearTimeout(timer);
	timer = setTimeout(search, wait);
}

function draw() {
	const { model, windows, chosen, now } = state;
	const text = JSON.stringify([windows, Math.floor(now)]);
	if (text !== drawn) { /* else a button stays while it is pressed */
		const year = dateAt(now).getUTCFullYear();
		const held = list.contains(document.activeElement);
		drawn = text;
		list.replaceChildren(...windows.map(({ number, node, gpus: some, start, end }) => {
			const local = localWindow(start, end);
			return element('li', {}, element('button', { 'data-number': number },
				element('b', {}, number), element('b', {}, momentOf(start, false, year)), element('i', {}, inText(start, now)),
				element('span', {}, spoken([`to ${momentOf(end, true, year)} · `, [model.nodes[node].name], ' ', [gpuList(some.map((gpu) => model.gpus[gpu]))]])),
				local && element('span', {}, `${local} ${zoneName(start)}`)));
		}));
		held && list.children[chosen - 1]?.firstChild.focus({ preventScroll: true });
	}
	[...list.children].forEach(({ firstChild }, at) => { firstChild.ariaCurrent = at + 1 === chosen ? 'true' : null; });
	byId('find-book').disabled = !windows.length;
}

/** Shows a window on the grid; `book` also takes it. */
function show({ number, ...selection }, book) {
	const { id } = state.model.nodes[selection.node];
	if (state.folded.has(id)) {
		store.fold(id, false);
	}
	store.set({ chosen: number, reveal: selection, panel: book && phone.matches ? null : state.panel });
	book && store.select(selection, true);
}

const act = ({ type, target }) => {
	const number = Number(target.closest('button')?.dataset.number);
	const one = state.windows[number - 1];
	if (one && (type === 'click' || number !== state.chosen)) {
		show(one, type === 'click');
	}
};
list.onclick = act;
list.addEventListener('focusin', act);
find.onkeydown = (event) => {
	const stops = [gpus, ...list.querySelectorAll('button'), later];
	const at = stops.indexOf(document.activeElement);
	const to = stops[at + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
	if (at > 0 && to && !to.hidden) {
		event.preventDefault();
		to.focus();
	}
};
later.onclick = async () => {
	const next = state.windows.length;
	limit += PAGE;
	await search();
	draw();
	list.children[next]?.firstChild.focus();
};
form.oninput = () => {
	day.hidden = from.value !== 'date';
	limit = PAGE;
	soon(TYPING_MS);
};
form.onsubmit = async () => {
	await search();
	state.chosen && show(state.windows[state.chosen - 1], true);
};

store.on((changed) => {
	const { nodes, kinds } = view;
	view = state.view;
	if (find.hidden) {
		return;
	}
	if (view.nodes !== nodes || view.kinds !== kinds || changed.has('model') || changed.has('connection')) {
		fillKinds();
		soon(TYPING_MS);
	}
	draw();
}, ['view', 'model', 'connection', 'windows', 'chosen', 'now']);

/* -- opening and closing, and what help says -- */

let opener = null; /* has the focus again when the panel closes */
let shown = null;

const close = () => store.set({ panel: null });
document.addEventListener('click', (event) => around(event, '.panel .close') && close());
addEventListener('keydown', (event) => {
	const menu = document.querySelector(':popover-open'); /* the browser closes it */
	const free = !state.selection && !state.open && !state.dragging;
	if (event.key === 'Escape' && (menu || state.panel && (free || around(event, '.panel')))) {
		event.stopPropagation(); /* and nothing behind it closes */
		menu || close();
	}
}, true);

store.on(() => {
	const { model, now, panel, session, who } = state;
	const [was, focused] = [shown, document.activeElement];
	if (panel === was) {
		return;
	}
	const inside = focused?.closest('.panel');
	opener = was ? opener : focused;
	shown = panel;
	find.hidden = panel !== 'find';
	help.hidden = panel !== 'help';
	if (was === 'find') {
		clearTimeout(timer);
		round++;
		store.set({ windows: [], chosen: 0 });
	}
	if (panel === 'find') {
		const wish = remembered('find', {});
		gpus.value = wish.gpus ?? 1;
		hours.value = wish.hours ?? 24;
		day.min = dayText(now);
		fillKinds();
		gpus.select();
		soon(0);
	} else if (panel === 'help') {
		const texts = shellLines(new URL('.', location.href).href, model.nodes.find((node) => node.count)?.id ?? 'NODE', who || 'AB', now);
		help.querySelectorAll('pre').forEach((pre, at) => setText(pre, texts[at]));
		setText(byId('version'), session?.version ?? '');
		calendar.search = who && `user_label=${encodeURIComponent(who)}`;
		help.querySelector('h2').focus();
	} else if (inside) {
		opener?.checkVisibility() && opener !== document.body ? opener.focus() : focusGrid();
	}
}, ['panel']);
