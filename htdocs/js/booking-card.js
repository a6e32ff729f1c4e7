/** The form beside a selection. Enter books. What stands in the way is said before and after, with one way out. */

import { floating, focusOn, mountFields, tell } from './cards.js';
import { byId, setText } from './dom.js';
import { state, store } from './store.js';
import { DAY, WEEK, countOf, windowText } from './time.js';
import { clashPhrase, nearest, placePhrase, spell, troublePhrase, wayOut, windowFault } from './words.js';

const STEPS = { never: 0, day: DAY, week: WEEK };

const [card, verdict, suggest, submit, more] = ['booking', 'verdict', 'suggest', 'book', 'booking-more'].map(byId);
const form = card.querySelector('form');
const { field, read, write, explain } = mountFields(form);
const place = floating(card, () => document.getElementById('outline'));

let busy = false;
let refused = /** @type {any} */ (null); /* what the server said to this selection */
let offer = null;
let asked = ''; /* what the server was asked to find another window for */

/** How often, and how many hours apart: 0 for once. */
function repeat() {
	const every = field('repeat-every').value;
	const step = STEPS[every];
	return { every, step, count: step ? Number(field('repeat-count').value) : 1 };
}

/** Says whether this can be booked, and offers a way out where it cannot. */
function judge() {
	const { selection, model, now, connection } = state;
	card.ariaBusy = busy ? 'true' : null;
	if (card.hidden || !selection) {
		return;
	}
	explain(now);
	const { gpus, start, end } = selection;
	const { every, step, count } = repeat();
	const wish = read(); /* is not always what is selected: it may make no sense yet */
	form.querySelectorAll('.again').forEach((one) => { one.hidden = !step; });
	const wrong = windowFault(wish.start, wish.end, now)
		|| (step && !field('repeat-count').validity.valid ? 'Repeat it 1 to 366 times.'
			: count > 1 && end - start > step ? `Longer than a ${every}: it would run into itself.`
				: connection === 'offline' ? 'Not connected: booking has to wait.' : '');
	/* each repetition's clashes, as far as the picture reaches */
	const taken = Array.from({ length: wrong ? 0 : count }, (_, index) => index * step)
		.map((by) => model.clashes(gpus, start + by, end + by)).filter((one) => one.length);
	const skips = step && field('skip').checked && taken.length < count;
	const lost = refused && (refused.status === 0 || refused.status >= 500); /* no answer came: what is in the way may be this very booking */
	const clash = !skips && !lost && taken.length > 0;
	const blocked = clash || !skips && refused?.conflicts?.length > 0;
	tell(verdict, busy ? ['Booking…'] : wrong ? [wrong] : refused ? troublePhrase(refused)
		: clash ? [...clashPhrase(taken[0]), step ? ` (${taken.length} of ${count})` : '']
			: [taken.length ? `Free ${count - taken.length} of ${count} times` : `Free ${step ? `all ${countOf(count, 'time')}` : `for all ${end - start} h`}`]);
	verdict.className = busy ? '' : wrong || refused || clash ? 'bad' : 'good';
	submit.disabled = busy || wrong || blocked;
	offer = step || !blocked ? null : clash && wayOut(model, selection) || seek(selection);
	suggest.hidden = busy || !offer;
	tell(suggest, offer?.words ?? []);
	const focused = document.activeElement;
	if (focused === document.body || focused === submit && submit.disabled) {
		focusOn(first());
	}
}

/** What takes the focus: Book, else the way out. */
const first = () => !submit.disabled ? submit : suggest.hidden ? card : suggest;

/** Asks the server, once, for the nearest window with room for as much; gives what it said already. */
function seek({ gpus, start, end, node }) {
	const { model, now } = state;
	const key = [gpus, start, end, model.version].join();
	if (asked === key) {
		return offer;
	}
	asked = key;
	const [kind, other] = new Set(gpus.map((gpu) => model.gpus[gpu].kind));
	store.find({ gpus: gpus.length, hours: end - start, kind: other ? null : kind, after: Math.max(start, Math.floor(now)) })
		.then((found) => {
			if (asked === key) {
				offer = nearest(state.model, found, node);
				judge();
			}
		}, () => {}); /* then there is no offer */
	return null;
}

async function book() {
	const wish = read();
	if (!wish.who) {
		verdict.className = 'bad';
		tell(verdict, ['Whose is it? Give your initials.']);
		focusOn(field('who'));
		return;
	}
	const { every, step, count } = repeat();
	busy = true;
	refused = null;
	judge();
	await store.book({ ...wish, ...state.selection, repeat: step ? { every, count } : null, skip: field('skip').checked })
		.catch((error) => { refused = error; });
	busy = false;
	judge();
	if (refused) {
		focusOn(refused.field === 'user_label' ? field('who') : first());
	}
}

form.oninput = ({ target: { name } }) => {
	const selection = /** @type {import('./store.js').Selection} */ (state.selection);
	let { start, end, priority } = read();
	refused = null;
	store.set({ draft: { priority } });
	if (name.startsWith('from') && start >= end) { /* the end moves along */
		end = start + selection.end - selection.start;
	}
	if (windowFault(start, end, state.now) || start === selection.start && end === selection.end) {
		judge();
	} else {
		store.select({ ...selection, start, end });
	}
};
form.onsubmit = () => submit.disabled || book();
suggest.onclick = () => store.select(offer.selection, true);
more.onclick = () => { more.ariaExpanded = card.classList.toggle('whole'); };

store.on((changed) => {
	const { selection, model, now, session, who, priority } = state;
	if (!selection || state.dragging || !model.gpus[selection.gpus[0]]) {
		place(false);
		if (!selection) {
			refused = null;
			form.reset();
			card.classList.remove('whole');
		}
		return;
	}
	const { start, end } = selection;
	const hour = Math.floor(now);
	if (start < hour && end > hour) { /* an hour went by while the card stood open */
		store.select({ ...selection, start: hour });
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
	place(true);
	judge();
	if (changed.has('asked')) {
		focusOn(field('who').value || matchMedia('(pointer: coarse)').matches ? first() : field('who'));
	}
}, ['selection', 'asked', 'dragging', 'model', 'now', 'connection', 'session']);
