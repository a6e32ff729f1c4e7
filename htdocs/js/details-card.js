/** A booking's card: who has what until when, its history, and what can be done with it. Questions stand in the card. */

import { close, floating, focusOn, mountFields, spoken, tell } from './cards.js';
import { around, byId, element, isPlain, setText } from './dom.js';
import { PRIORITIES } from './model.js';
import { state, store } from './store.js';
import { localWindow, momentOf, windowText } from './time.js';
import { clashPhrase, eventPhrase, minuteOf, placePhrase, statePhrase, troublePhrase, windowFault } from './words.js';

const [card, fault, actions, facts, elapsed, steps] = ['details', 'details-fault', 'actions', 'facts', 'elapsed', 'beside'].map(byId);
const form = card.querySelector('form');
const parts = { extend: byId('extend-by'), edit: form, cancel: byId('question') };
const [name, urgency] = byId('details-title').children;
const { field, read, write, explain } = mountFields(form);
const place = floating(card, () => document.querySelector(`.bar[data-id="${state.open}"]`), () => mode ? turn('') : close());

let shown = 0;
let full = null; /* what the server says of it, which is more than the picture knows */
let fresh = ''; /* the version that was asked for */
let mode = ''; /* or one of `parts` */
let was = {}; /* what stood in the fields: somebody else's change meanwhile is not undone */
let busy = false;

const open = () => /** @type {import('./model.js').Booking} */ (state.model.bookings.get(state.open ?? 0));

function show(changed = new Set()) {
	const booking = open();
	if (!booking || state.dragging) {
		place(false);
		shown = booking ? shown : 0;
		return;
	}
	const { id, version, status } = booking;
	if (shown !== id) {
		shown = id;
		full = null;
		fresh = mode = '';
		fault.textContent = '';
	}
	const key = [state.model.epoch, id, version, status].join();
	if (fresh !== key) {
		fresh = key;
		store.details(id).then((answer) => {
			if (fresh === key) {
				full ?? tell(fault, []); /* that it could not be asked */
				full = answer;
				show();
			}
		}, (error) => {
			fresh = ''; /* asked again when the server is back */
			complain(error);
		});
	}
	describe(booking);
	place(true);
	if (changed.has('asked')) {
		turn(state.question ? 'cancel' : '');
		if (mode) {
			focusOn(byId('cancel-yes'));
		} else if (!steps.contains(document.activeElement)) {
			focusOn(card);
		}
	} else {
		allow(booking);
	}
}

function describe(booking) {
	const { model, now, beside } = state;
	const { id, label, start, end, gpus, priority, status, owner } = booking;
	const { note } = full ?? booking;
	const word = PRIORITIES[priority];
	setText(name, label);
	setText(urgency, `${word[0].toUpperCase()}${word.slice(1)} priority`);
	urgency.className = elapsed.className = word;
	tell(byId('details-state'), statePhrase(booking, now, full));
	elapsed.hidden = status !== 0 || now < start;
	elapsed.firstElementChild.style.width = `${Math.min(1, (now - start) / (end - start)) * 100}%`;
	steps.hidden = beside.length < 2;
	setText(steps.firstElementChild, `${beside.indexOf(id) + 1} of ${beside.length}`);
	const rows = Object.entries({
		UTC: windowText(start, end),
		Local: localWindow(start, end),
		GPUs: gpus.length && spoken(placePhrase(gpus.map((gpu) => model.gpus[gpu]), true)),
		Note: note && element('bdi', {}, note),
		Owner: owner && element('bdi', {}, owner),
		History: full && element('ol', { id: 'history' }, full.events.map(told)),
	}).filter(([, what]) => what).flatMap(([title, what]) => [element('dt', {}, title), element('dd', {}, what)]);
	const next = facts.cloneNode();
	next.append(...rows);
	if (!next.isEqualNode(facts)) { /* else what somebody marks stays marked */
		facts.replaceChildren(...rows);
	}
}

function told(event) {
	const { at, actor, claimed } = event;
	return element('li', {}, `${minuteOf(at)} `, spoken(eventPhrase(event)), actor && ' by ',
		actor && element('bdi', { class: claimed && 'claimed', title: claimed && 'As the browser said: nobody logs in here' }, actor));
}

const complain = (error) => tell(fault, troublePhrase(error));

/** Shows what can be done, by those who may, with what is not over. */
function allow(booking) {
	const may = booking.status === 0 && booking.end > state.now && store.mayEnd(booking);
	mode = may ? mode : '';
	actions.hidden = !may || mode === 'edit' || mode === 'cancel';
	facts.hidden = mode === 'edit';
	Object.entries(parts).forEach(([part, shell]) => { shell.hidden = part !== mode; });
}

/** Turns the card to a question, a form, or back. */
function turn(next) {
	const booking = open();
	if (!booking) {
		return;
	}
	const { gpus, start, end, id, label, priority } = booking;
	const { model, now } = state;
	const before = mode;
	const focused = card.contains(document.activeElement);
	mode = next;
	fault.textContent = '';
	if (mode === 'extend') {
		const ahead = Math.min(...model.clashes(gpus, end, model.end, id).map((clash) => clash.start));
		parts.extend.replaceChildren(...[[1, '+1 h'], [4, '+4 h'], [24, '+1 d'], [ahead - end, `to ${momentOf(ahead, true)}`]]
			.filter(([hours]) => hours && hours !== Infinity).map(([hours, text]) => element('button', { 'data-hours': hours }, text)));
	} else if (mode === 'edit') {
		was = { start, end, who: label, priority, note: (full ?? booking).note ?? '' };
		write(was);
		field('from-day').disabled = field('from-hour').disabled = start <= now;
		explain(now);
	} else if (mode === 'cancel') {
		tell(parts.cancel.firstElementChild, store.isMine(booking) ? ['Cancel your booking?'] : ['Cancel ', [label], '’s booking?']);
	}
	allow(booking);
	if (focused && (mode || before)) {
		focusOn(parts[mode]?.querySelector('[name="note"], button') ?? (before && !actions.hidden ? byId(before) : card));
	}
}

/** One change; what the server says against it stands in the card. */
async function attempt(change) {
	if (busy) {
		return;
	}
	busy = true;
	fault.textContent = '';
	try {
		await change();
		turn('');
	} catch (error) {
		complain(error);
	}
	busy = false;
}

function extend(hours) {
	const { id, gpus, end } = open();
	const clashes = state.model.clashes(gpus, end, end + hours, id);
	if (clashes.length) {
		tell(fault, clashPhrase(clashes));
	} else {
		attempt(() => store.edit(id, { end: end + hours }, `Extended to ${momentOf(end + hours, true)} UTC`));
	}
}

function save() {
	const { id, start } = open();
	const { now } = state;
	const wish = read();
	const begun = start <= now;
	const wrong = wish.who ? windowFault(begun ? Math.floor(now) : wish.start, wish.end, now) : 'Whose is it? Give the initials.';
	if (wrong) {
		tell(fault, [wrong]);
		return;
	}
	const changes = Object.entries(wish).filter(([key, value]) => value !== was[key] && !(begun && key === 'start'));
	attempt(async () => changes.length && store.edit(id, Object.fromEntries(changes)));
}

const acts = {
	extend: () => turn(mode ? '' : 'extend'),
	edit: () => turn('edit'),
	'edit-back': () => turn(''),
	done: () => attempt(() => store.finish(shown)),
	cancel: () => turn('cancel'),
	'cancel-no': () => turn(''),
	'cancel-yes': () => attempt(() => store.cancel(shown)),
};
card.onclick = (event) => {
	const { id = '', dataset: { hours, step } = {} } = /** @type {any} */ (around(event, 'button') ?? {});
	const { beside } = state;
	if (hours) {
		extend(Number(hours));
	} else if (step) {
		store.openBooking(beside.at((beside.indexOf(shown) + Number(step)) % beside.length), beside);
	} else {
		acts[id]?.();
	}
};
card.onkeydown = (event) => {
	const act = { e: 'extend', d: 'done', delete: 'cancel' }[event.key.toLowerCase()];
	if (act && !actions.hidden && isPlain(event)) {
		event.preventDefault();
		acts[act]();
	}
};
form.onsubmit = save;
form.oninput = () => explain(state.now);
store.on(show, ['open', 'asked', 'dragging', 'model', 'now', 'session', 'who', 'connection']);
