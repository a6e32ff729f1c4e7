/** The form beside a selection. Enter books. What stands in the way is said before and after, with one way out. */

import { byId, setText } from './dom.js';
import { mountFields } from './fields.js';
import { floating, focusOn, tell } from './float.js';
import { DAY, WEEK, countOf, windowText } from './time.js';
import { clashPhrase, nearest, placePhrase, spell, troublePhrase, wayOut, windowFault } from './words.js';
import { state, store } from './store.js';

const card = byId('booking');
const form = card.querySelector('form');
const verdict = byId('verdict');
const suggest = byId('suggest');
const submit = byId('book');
const more = byId('booking-more');
const { field, read, write, explain } = mountFields(form);
const place = floating(store, card, () => document.querySelector('#outline:not([hidden])'), () => store.select(null));

let busy = false;
let refused = /** @type {any} */ (null); /* what the server said to this selection */
let offer = /** @type {any} */ (null);
let asked = ''; /* what the server was asked to find another window for */

/** {every, count, step}, or null for once. */
function repeat() {
	const every = field('repeat-every').value;
	return every === 'never' ? null : { every, count: Number(field('repeat-count').value), step: every === 'day' ? DAY : WEEK };
}

function fault(again) {
	const { start, end } = read();
	return windowFault(start, end, state.now)
		|| (again && !(Number.isInteger(again.count) && again.count > 0 && again.count < 367) ? 'Repeat it 1 to 366 times.'
			: again?.count > 1 && end - start > again.step ? `Longer than a ${again.every}: it would run into itself.`
				: state.connection === 'offline' ? 'Not connected: booking has to wait.' : '');
}

/** Says whether this can be booked, and offers a way out where it cannot. */
function judge() {
	const { selection, model, now } = state;
	if (card.hidden || !selection) {
		return;
	}
	explain(now);
	const { gpus, start, end } = selection;
	const again = repeat();
	const wrong = fault(again);
	const count = again?.count ?? 1;
	/* each repetition's clashes, as far as the picture reaches */
	const taken = Array.from({ length: wrong ? 0 : count }, (_, index) => index * (again?.step ?? 0))
		.map((by) => model.clashes(gpus, start + by, end + by)).filter((one) => one.length);
	const skips = again && field('skip').checked && taken.length < count;
	const clash = taken.length > 0 && !skips;
	const late = !skips && refused?.conflicts?.length > 0;
	tell(verdict, busy ? ['Booking…'] : wrong ? [wrong] : refused ? troublePhrase(refused)
		: clash ? [...clashPhrase(taken[0]), again ? ` (${taken.length} of ${count})` : '']
			: [taken.length ? `Free ${count - taken.length} of ${count} times` : `Free ${again ? `all ${countOf(count, 'time')}` : `for all ${end - start} h`}`]);
	verdict.className = busy ? '' : wrong || refused || clash ? 'bad' : 'good';
	const focused = document.activeElement === submit;
	submit.disabled = busy || wrong !== '' || clash || late;
	offer = clash && !again && wayOut(model, selection) || ((clash || late) && !again ? seek(selection) : null);
	suggest.hidden = busy || !offer;
	tell(suggest, offer?.words ?? []);
	if (focused && submit.disabled || document.activeElement === document.body) {
		focusOn(first());
	}
}

/** What takes the focus: Book, else the way out. */
const first = () => !submit.disabled ? submit : suggest.hidden ? card : suggest;

/** Asks the server, once, for the nearest window with room for as much; gives what it said already. */
function seek(selection) {
	const { model, now } = state;
	const { gpus, start, end, node } = selection;
	const key = [gpus, start, end, model.version].join();
	if (asked === key) {
		return offer;
	}
	asked = key;
	const kinds = new Set(gpus.map((gpu) => model.gpus[gpu].kind));
	store.find({ gpus: gpus.length, hours: end - start, kind: kinds.size === 1 ? [...kinds][0] : undefined, after: Math.max(start, Math.floor(now)) })
		.then((found) => {
			if (asked === key) {
				offer = nearest(state.model, found, node);
				judge();
			}
		}, () => {}); /* then there is no offer */
	return null;
}

function steer(name) {
	const { now } = state;
	const selection = /** @type {import('./store.js').Selection} */ (state.selection);
	let { start, end } = read();
	if (name.startsWith('from') && start >= end) { /* the end moves along */
		end = start + selection.end - selection.start;
	}
	if (windowFault(start, end, now) || start === selection.start && end === selection.end) {
		judge();
	} else {
		store.select({ ...selection, start, end });
	}
}

function show(changed) {
	const { selection, model, now, session, who, priority } = state;
	if (!selection || state.dragging || !model.gpus[selection.gpus[0]]) {
		place.hide();
		if (!selection) {
			refused = null;
			form.reset();
			card.classList.remove('whole');
			again();
		}
		return;
	}
	const { start, end } = selection;
	if (start < Math.floor(now) && end > Math.floor(now)) { /* an hour went by while the card stood open */
		store.select({ ...selection, start: Math.floor(now) });
		return;
	}
	const gpus = selection.gpus.map((gpu) => model.gpus[gpu]);
	setText(byId('booking-title'), `${countOf(gpus.length, 'GPU')}, ${spell(end - start)}`);
	tell(byId('booking-place'), [...placePhrase(gpus), `\n${windowText(start, end)}`]);
	if (changed.has('selection')) {
		refused = null;
		write({ start, end });
	}
	if (card.hidden && !field('who').value) {
		write({ who: who || session?.user || '', priority });
		store.set({ draft: { priority } });
	}
	place.show();
	judge();
	if (changed.has('asked')) {
		focusOn(field('who').value || matchMedia('(pointer: coarse)').matches ? first() : field('who'));
	}
}

async function book() {
	const { selection } = state;
	const wish = read();
	if (!wish.who) {
		verdict.className = 'bad';
		tell(verdict, ['Whose is it? Give your initials.']);
		focusOn(field('who'));
		return;
	}
	busy = true;
	refused = null;
	card.setAttribute('aria-busy', 'true');
	judge();
	try {
		await store.book({ ...wish, ...selection, repeat: repeat() && { every: repeat()?.every, count: repeat()?.count }, skip: field('skip').checked });
	} catch (error) {
		refused = error;
	}
	busy = false;
	card.removeAttribute('aria-busy');
	judge();
	if (refused) {
		focusOn(refused.field === 'user_label' ? field('who') : first());
	}
}

/** The fields of a repetition stand there only for one. */
const again = () => form.querySelectorAll('.again').forEach((one) => {
	one.hidden = !repeat();
});

form.addEventListener('input', ({ target: { name } }) => {
	again();
	if (name === 'priority') {
		store.set({ draft: { priority: read().priority } });
	}
	if (/^(from|to)-/.test(name)) {
		steer(name);
	} else {
		refused = null;
		judge();
	}
});
form.addEventListener('submit', (event) => {
	event.preventDefault();
	if (!submit.disabled) {
		book();
	}
});
suggest.addEventListener('click', () => store.select(offer.selection, true));
more.addEventListener('click', () => more.setAttribute('aria-expanded', String(card.classList.toggle('whole'))));
byId('booking-close').addEventListener('click', () => store.select(null));
store.on(show, ['selection', 'asked', 'dragging', 'model', 'now', 'connection', 'session']);
