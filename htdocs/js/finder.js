/** Find: "2 GPUs of H100 for 36 hours from now". The windows stand in a list and, with the same numbers, on the grid. */

import { remember, remembered } from './address.js';
import { afterOf, gpuList, inText, whyNever } from './bar-words.js';
import { around, byId, element, phone, setText } from './dom.js';
import './help.js'; /* it remembers where the focus was before Find takes it */
import { dateAt, dayText, localWindow, momentOf, zoneName } from './time.js';
import { state, store } from './store.js';

const TYPING_MS = 250;
const SLOW_MS = 300; /* a search that is faster says nothing */
const PAGE = 10;
const MOST = 100; /* windows, and nodes in an address; with more nodes the answer is sifted here */

const [panel, form, words, list, later] = ['find', 'find-form', 'find-words', 'find-list', 'find-later'].map(byId);
const { gpus, hours, kind, from, day } = form.elements;
let round = 0; /* an answer to an older question is not shown */
let timer = 0;
let limit = PAGE;
let shown = state.view;
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
	const nodes = state.model.nodes.filter((node) => !only || only.has(node.id));
	const wish = { gpus: Number(gpus.value), hours: Number(hours.value), kind: kind.value };
	const after = afterOf(from.value, day.value, state.now);
	const never = after === null ? 'From which day?' : whyNever(wish, nodes, state.session?.limits);
	if (never) {
		take([], never);
		return;
	}
	remember('find', wish);
	const slow = setTimeout(setText, SLOW_MS, words, 'Looking…');
	const few = only && nodes.length <= MOST;
	let found = [];
	let text = 'No such window in the time that can be booked.';
	try {
		found = await store.find({ ...wish, after: Number(after), nodes: /** @type {any} */ (few ? nodes.map((node) => node.id) : null), limit: only && !few ? MOST : limit });
		found = found.filter((one) => nodes.some((node) => node.index === one.node)).slice(0, limit);
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
	const year = dateAt(now).getUTCFullYear();
	const held = list.contains(document.activeElement);
	const text = JSON.stringify([windows, Math.floor(now)]);
	text !== drawn && list.replaceChildren(...windows.map((one) => { /* a button stays while it is pressed */
		const local = localWindow(one.start, one.end);
		return element('li', {}, element('button', { 'data-number': one.number },
			element('b', {}, String(one.number)), element('b', {}, momentOf(one.start, false, year)), element('i', {}, inText(one.start, now)),
			element('span', {}, `to ${momentOf(one.end, true, year)} · `, element('bdi', {}, model.nodes[one.node].name), ' ',
				element('bdi', {}, gpuList(one.gpus.map((gpu) => model.gpus[gpu])))),
			local && element('span', {}, `${local} ${zoneName(one.start)}`)));
	}));
	[...list.children].forEach(({ firstChild }, at) => { firstChild.ariaCurrent = at + 1 === chosen ? 'true' : null; });
	byId('find-book').disabled = !windows.length;
	held && text !== drawn && list.querySelector('[aria-current]')?.focus({ preventScroll: true });
	drawn = text;
}

/** Shows a window on the grid; `book` also takes it. */
function show({ number, node, gpus: some, start, end }, book) {
	const { id } = state.model.nodes[node];
	const selection = { node, gpus: some, start, end };
	if (state.folded.has(id)) {
		store.fold(id, false);
	}
	store.set({ chosen: number, reveal: selection, panel: book && phone.matches ? null : state.panel });
	book && store.select(selection, true);
}

const act = (event) => {
	const number = Number(around(event, '[data-number]')?.dataset.number);
	const one = state.windows[number - 1];
	if (one && (event.type === 'click' || number !== state.chosen)) {
		show(one, event.type === 'click');
	}
};
list.addEventListener('click', act);
list.addEventListener('focusin', act);
panel.addEventListener('keydown', (event) => {
	const stops = [gpus, ...list.querySelectorAll('button'), later];
	const at = stops.indexOf(document.activeElement);
	const to = stops[at + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
	if (at > 0 && to && !to.hidden) {
		event.preventDefault();
		to.focus();
	}
});
later.addEventListener('click', async () => {
	const next = state.windows.length;
	limit += PAGE;
	await search();
	draw();
	list.children[next]?.firstChild.focus();
});
form.addEventListener('input', () => {
	day.hidden = from.value !== 'date';
	limit = PAGE;
	soon(TYPING_MS);
});
form.addEventListener('submit', async (event) => {
	event.preventDefault();
	await search();
	state.chosen && show(state.windows[state.chosen - 1], true);
});

store.on((changed) => {
	const open = state.panel === 'find';
	const { nodes, kinds } = state.view;
	const other = shown.nodes !== nodes || shown.kinds !== kinds;
	shown = state.view;
	if (open && panel.hidden) {
		const { gpus: count = 1, hours: length = 24 } = remembered('find', {});
		gpus.value = count;
		hours.value = length;
		day.min = dayText(state.now);
		panel.hidden = false;
		fillKinds();
		gpus.select();
		soon(0);
	} else if (!open && !panel.hidden) {
		panel.hidden = true;
		clearTimeout(timer);
		round++;
		store.set({ windows: [], chosen: 0 });
	} else if (open && (changed.has('model') || other || changed.has('connection'))) {
		fillKinds();
		soon(TYPING_MS);
	}
	if (open && (changed.has('windows') || changed.has('chosen') || changed.has('now'))) {
		draw();
	}
});
