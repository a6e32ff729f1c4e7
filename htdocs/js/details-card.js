/** A booking's card: who has what until when, its history, and what can be done with it. Questions stand in the card. */

import { around, byId, element, isPlain, setText } from './dom.js';
import { mountFields } from './fields.js';
import { floating, focusOn, tell } from './float.js';
import { PRIORITIES } from './model.js';
import { localWindow, momentOf, windowText } from './time.js';
import { clashPhrase, eventPhrase, minuteOf, placePhrase, statePhrase, troublePhrase, windowFault } from './words.js';
import { state, store } from './store.js';

const card = byId('details');
const form = card.querySelector('form');
const fault = byId('details-fault');
const actions = byId('actions');
const parts = { extend: byId('extend-by'), edit: form, cancel: byId('question') };
const [name, urgency] = byId('details-title').children;
const [place] = byId('beside').children;
const { field, read, write, explain } = mountFields(form);
const floats = floating(store, card, () => document.querySelector(`.bar[data-id="${state.open}"]`), () => mode ? turn('') : store.openBooking(null));

let shown = 0;
let full = /** @type {any} */ (null); /* what the server says of it, which is more than the picture knows */
let fresh = ''; /* the version that was asked for */
let mode = ''; /* or one of `parts` */
let was = /** @type {any} */ ({}); /* what stood in the fields: somebody else's change meanwhile is not undone */
let busy = false;

const open = () => /** @type {import('./model.js').Booking} */ (state.model.bookings.get(state.open ?? 0));

function load({ id, version, status }) {
	const key = [id, version, status].join();
	if (fresh !== key) {
		fresh = key;
		store.details(id).then((answer) => {
			if (fresh === key) {
				full = answer;
				show(new Set());
			}
		}, (error) => tell(fault, troublePhrase(error)));
	}
}

function show(changed) {
	const booking = open();
	if (!booking || state.dragging) {
		floats.hide();
		shown = booking ? shown : 0;
		return;
	}
	if (shown !== booking.id) {
		shown = booking.id;
		full = null;
		fresh = mode = '';
		fault.textContent = '';
	}
	load(booking);
	facts(booking);
	floats.show();
	if (changed.has('asked')) {
		turn(state.question ? 'cancel' : '');
		if (mode) {
			focusOn(byId('cancel-yes'));
		} else if (!byId('beside').contains(document.activeElement)) {
			focusOn(card);
		}
	} else {
		allow(booking);
	}
}

function facts(booking) {
	const { model, now, beside } = state;
	const { start, end, priority, status, owner } = booking;
	const word = PRIORITIES[priority];
	setText(name, booking.label);
	setText(urgency, `${word[0].toUpperCase()}${word.slice(1)} priority`);
	urgency.className = word;
	tell(byId('details-state'), statePhrase(booking, now, full));
	const bar = byId('elapsed');
	bar.className = word;
	bar.hidden = status !== 0 || now < start;
	bar.firstElementChild.style.width = `${Math.min(1, (now - start) / (end - start)) * 100}%`;
	byId('beside').hidden = beside.length < 2;
	setText(place, `${beside.indexOf(booking.id) + 1} of ${beside.length}`);
	const rows = /** @type {[string, Element][]} */ (Object.entries({
		UTC: [windowText(start, end)],
		Local: [localWindow(start, end)],
		GPUs: booking.gpus.length ? placePhrase(booking.gpus.map((gpu) => model.gpus[gpu]), true) : [],
		Note: [[(full ?? booking).note ?? '']],
		Owner: [[owner ?? '']],
	}).filter(([, phrase]) => phrase.flat().join('')).map(([title, phrase]) => [title, said('dd', phrase)]));
	if (full) {
		rows.push(['History', element('dd', {}, element('ol', { id: 'history' }, full.events.map(told)))]);
	}
	const list = byId('facts');
	if (list.textContent !== rows.map(([title, text]) => title + text.textContent).join('')) {
		list.replaceChildren(...rows.flatMap(([title, text]) => [element('dt', {}, title), text]));
	}
}

function said(tag, phrase) {
	const made = element(tag);
	tell(made, phrase);
	return made;
}

function told(event) {
	const claimed = event.claimed && { class: 'claimed', title: 'As the browser said: nobody logs in here' };
	return element('li', {}, `${minuteOf(event.at)} `, said('span', eventPhrase(event)), ...event.actor ? [' by ', element('bdi', claimed || {}, event.actor)] : []);
}

/** Shows what can be done, by those who may, with what is not over. */
function allow(booking) {
	const may = booking.status === 0 && booking.end > state.now && store.mayEnd(booking);
	mode = may ? mode : '';
	actions.hidden = !may || mode === 'edit' || mode === 'cancel';
	byId('facts').hidden = mode === 'edit';
	for (const [part, shell] of Object.entries(parts)) {
		shell.hidden = part !== mode;
	}
}

/** Turns the card to a question, a form, or back. */
function turn(next) {
	const booking = open();
	if (!booking) {
		return;
	}
	const before = mode;
	const focused = card.contains(document.activeElement);
	mode = next;
	fault.textContent = '';
	if (mode === 'extend') {
		const [ahead] = state.model.clashes(booking.gpus, booking.end, state.model.end, booking.id).sort((a, b) => a.start - b.start);
		const gap = ahead ? ahead.start - booking.end : 0;
		parts.extend.replaceChildren(...[[1, '+1 h'], [4, '+4 h'], [24, '+1 d'], [gap, `to ${momentOf(booking.end + gap, true)}`]]
			.filter(([hours]) => hours).map(([hours, text]) => element('button', { 'data-hours': hours }, text)));
	} else if (mode === 'edit') {
		was = values(booking);
		write(was);
		field('from-day').disabled = field('from-hour').disabled = booking.start <= state.now;
		explain(state.now);
	} else if (mode === 'cancel') {
		tell(parts.cancel.firstElementChild, store.isMine(booking) ? ['Cancel your booking?'] : ['Cancel ', [booking.label], '’s booking?']);
	}
	allow(booking);
	if (focused && (mode || before)) {
		focusOn(parts[mode]?.querySelector(mode === 'edit' ? '[name="note"]' : 'button') ?? (before && !actions.hidden ? byId(before) : card));
	}
}

/** What is in the fields. */
const values = ({ start, end, label, priority, note }) => ({ start, end, who: label, priority, note: (full ? full.note : note) ?? '' });

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
		tell(fault, troublePhrase(error));
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

function save(event) {
	event.preventDefault();
	const booking = open();
	const { now } = state;
	const wish = read();
	const begun = booking.start <= now;
	const wrong = wish.who ? windowFault(begun ? Math.floor(now) : wish.start, wish.end, now) : 'Whose is it? Give the initials.';
	if (wrong) {
		tell(fault, [wrong]);
		return;
	}
	const changes = Object.fromEntries(Object.entries(wish).filter(([key, value]) => value !== was[key] && !(begun && key === 'start')));
	if (Object.keys(changes).length) {
		attempt(() => store.edit(booking.id, changes));
	} else {
		turn('');
	}
}

const acts = {
	'details-close': () => store.openBooking(null),
	extend: () => turn(mode ? '' : 'extend'),
	edit: () => turn('edit'),
	'edit-back': () => turn(''),
	done: () => attempt(() => store.finish(shown)),
	cancel: () => turn('cancel'),
	'cancel-no': () => turn(''),
	'cancel-yes': () => attempt(() => store.cancel(shown)),
};
card.addEventListener('click', (event) => {
	const button = around(event, 'button');
	if (button?.dataset.hours) {
		extend(Number(button.dataset.hours));
	} else if (button?.dataset.step) {
		const { beside } = state;
		store.openBooking(beside.at((beside.indexOf(shown) + Number(button.dataset.step)) % beside.length), beside);
	} else {
		acts[button?.id ?? '']?.();
	}
});
card.addEventListener('keydown', (event) => {
	const act = { e: 'extend', d: 'done', Delete: 'cancel' }[event.key];
	if (act && !actions.hidden && isPlain(event)) {
		event.preventDefault();
		acts[act]();
	}
});
form.addEventListener('submit', save);
form.addEventListener('input', () => explain(state.now));
store.on(show, ['open', 'asked', 'dragging', 'model', 'now', 'session', 'who']);
