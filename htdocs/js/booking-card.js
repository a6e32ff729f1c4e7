/** The form beside a selection: who, how urgent, exact hours. Enter books. What stands in the way is said before and after. */

import { byId, setText } from './dom.js';
import { mountFields } from './fields.js';
import { floating, tell } from './float.js';
import { countOf, nearest, placePhrase, spell, takenPhrase, troublePhrase, wayOut, windowFault } from './words.js';
import { DAY, WEEK, localWindow, windowText } from './time.js';

export function mountBookingCard(/** @type {import('./store.js').Store} */ store) {
	const { state } = store;
	const card = byId('booking');
	const form = byId('booking-form');
	const verdict = byId('verdict');
	const suggest = byId('suggest');
	const submit = byId('book');
	const more = byId('booking-more');
	const { field, read, write, limit } = mountFields(form);
	const place = floating(card, () => document.querySelector('#outline:not([hidden])'), () => store.select(null));

	let busy = false;
	let refused = /** @type {any} */ (null); /* what the server said to this selection */
	let offer = /** @type {ReturnType<typeof nearest>} */ (null);
	let asked = ''; /* what the server was last asked to find another window for */

	function repeat() {
		const every = field('repeat-every').value;
		return every === 'never' ? null : { every, count: Number(field('repeat-count').value) };
	}

	/** What stands in the way of each repetition, as far as the picture reaches: [how many are taken, the first taken one's clashes]. */
	function clashes() {
		const { model, selection } = state;
		const again = repeat();
		const all = Array.from({ length: again?.count ?? 1 }, (_, index) => {
			const by = index * (again?.every === 'week' ? WEEK : DAY);
			return selection ? model.clashes(selection.gpus, selection.start + by, selection.end + by) : [];
		}).filter((one) => one.length > 0);
		return { taken: all.length, first: all[0] ?? [] };
	}

	function fault() {
		const { start, end } = read();
		const again = repeat();
		return windowFault(start, end, state.now) || (again && !(Number.isInteger(again.count) && again.count >= 1 && again.count <= 366)
			? 'Repeat it 1 to 366 times.'
			: again && again.count > 1 && end - start > (again.every === 'week' ? WEEK : DAY) ? `Longer than a ${again.every}: it would run into itself.`
				: state.connection === 'offline' ? 'Not connected: booking has to wait.' : '');
	}

	/** Says whether this can be booked, and offers one way out where it cannot. */
	function judge() {
		const { selection, model } = state;
		if (card.hidden || !selection) {
			return;
		}
		limit(state.now);
		const wrong = fault();
		const again = repeat();
		const { taken, first } = wrong ? { taken: 0, first: [] } : clashes();
		const skip = taken > 0 && taken < (again?.count ?? 1) && field('skip').checked;
		const clash = taken > 0 && !skip;
		const late = refused?.conflicts?.length > 0 && !(skip && taken > 0);
		const { start, end } = selection;
		const length = `${end - start} h`;
		tell(verdict, busy ? ['Booking…'] : wrong ? [wrong] : refused ? troublePhrase(refused)
			: clash ? [...takenPhrase(first.map(({ booking }) => ({ who: booking.label, end: booking.end }))), again ? ` (${taken} of ${again.count})` : '']
				: [`Free for ${again ? `${again.count - taken} of ${countOf(again.count, 'time')}` : `all ${length}`}`]);
		verdict.className = busy ? '' : wrong || refused || clash ? 'bad' : 'good';
		submit.disabled = busy || wrong !== '' || clash || late;
		const out = clash && !again ? wayOut(model, selection) : null;
		if (out) {
			offer = out;
		} else if ((clash || late) && !again) {
			seek(selection);
		} else {
			offer = null;
		}
		suggest.hidden = busy || offer === null;
		if (offer) {
			tell(suggest, offer.words);
		}
		if (document.activeElement === document.body || document.activeElement === null) {
			(suggest.hidden ? card : suggest).focus({ preventScroll: true }); /* Book had it, and is off now */
		}
	}

	/** Asks the server, once, for the nearest window that has room for as much. */
	async function seek(selection) {
		const { model } = state;
		const { gpus, start, end, node } = selection;
		const key = [gpus, start, end, model.version].join();
		if (asked === key) {
			return;
		}
		asked = key;
		offer = null;
		const kinds = new Set(gpus.map((gpu) => model.gpus[gpu].kind));
		try {
			const found = await store.find({
				gpus: gpus.length, hours: end - start, kind: kinds.size === 1 ? [...kinds][0] : undefined, after: Math.max(start, Math.floor(state.now)),
			});
			if (asked === key) {
				offer = nearest(state.model, found, node);
				judge();
			}
		} catch { /* then there is no offer */ }
	}

	function steer(name) {
		const { selection, now } = state;
		let { start, end } = read();
		if (selection && name.startsWith('from') && start >= end) { /* the end moves along */
			end = start + selection.end - selection.start;
		}
		if (selection && !windowFault(start, end, now) && (start !== selection.start || end !== selection.end)) {
			store.select({ ...selection, start, end });
		} else {
			judge();
		}
	}

	function show(changed) {
		const { selection, model, now } = state;
		if (!selection || state.dragging || selection.gpus.some((gpu) => !model.gpus[gpu])) {
			place.hide();
			if (!selection) {
				refused = null;
				form.reset();
				card.classList.remove('whole');
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
		tell(byId('booking-place'), placePhrase(gpus));
		setText(byId('booking-when'), windowText(start, end));
		const local = localWindow(start, end);
		setText(byId('booking-hours'), `${end - start} h · UTC`);
		setText(byId('booking-local'), local);
		byId('booking-local').parentElement.hidden = local === '';
		if (changed.has('selection')) {
			refused = null;
			write({ start, end });
		}
		if (card.hidden && field('who').value === '') {
			write({ who: state.who || (state.session?.mode === 'open' ? '' : state.session?.user ?? ''), priority: state.priority });
			if (state.draft.priority !== state.priority) {
				store.set({ draft: { priority: state.priority } });
			}
		}
		place.show();
		judge();
		if (changed.has('asked')) {
			const known = field('who').value !== '' || matchMedia('(pointer: coarse)').matches;
			(known ? submit.disabled ? suggest.hidden ? card : suggest : submit : field('who')).focus({ preventScroll: true });
		}
	}

	async function book() {
		const { selection } = state;
		const wish = read();
		if (wish.who === '') {
			verdict.className = 'bad';
			tell(verdict, ['Whose is it? Give your initials.']);
			field('who').focus();
			return;
		}
		if (busy || submit.disabled || !selection) {
			return;
		}
		busy = true;
		refused = null;
		card.setAttribute('aria-busy', 'true');
		card.focus({ preventScroll: true });
		judge();
		try {
			await store.book({ ...selection, ...wish, start: selection.start, end: selection.end, repeat: repeat(), skip: field('skip').checked });
		} catch (error) {
			refused = error;
		}
		busy = false;
		card.removeAttribute('aria-busy');
		judge();
		if (refused && card.contains(document.activeElement)) {
			(refused.field === 'user_label' ? field('who') : submit.disabled ? suggest.hidden ? card : suggest : submit).focus();
		}
	}

	form.addEventListener('input', (event) => {
		const { name } = event.target;
		if (name === 'priority') {
			store.set({ draft: { priority: read().priority } });
		}
		byId('repeat-more').hidden = byId('repeat-skip').hidden = repeat() === null;
		if (/^(from|to)-/.test(name)) {
			steer(name);
		} else {
			refused = null;
			judge();
		}
	});
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		book();
	});
	form.addEventListener('reset', () => {
		byId('repeat-more').hidden = byId('repeat-skip').hidden = true;
	});
	suggest.addEventListener('click', () => {
		if (offer) {
			store.select(offer.selection, true);
		}
	});
	more.addEventListener('click', () => {
		more.setAttribute('aria-expanded', String(card.classList.toggle('whole')));
		place.place();
	});
	byId('booking-close').addEventListener('click', () => store.select(null));
	store.on((_, changed) => {
		if (['selection', 'asked', 'dragging', 'model', 'now', 'connection', 'session'].some((key) => changed.has(key))) {
			show(changed);
		}
		if (changed.has('view') || changed.has('folded')) {
			place.place();
		}
	});
}
