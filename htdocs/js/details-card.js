/** The card of a booking: who has what until when, what became of it, and what can be done with it. Questions stand in the card. */

import { around, byId, element, isTyping, setText } from './dom.js';
import { mountFields } from './fields.js';
import { floating, tell } from './float.js';
import { eventPhrase, minuteOf, nextAfter, placePhrase, priorityText, statePhrase, takenPhrase, troublePhrase, windowFault } from './words.js';
import { PRIORITIES } from './model.js';
import { localWindow, momentOf, windowText } from './time.js';

/** @typedef {''|'extend'|'edit'|'cancel'} Mode */

export function mountDetailsCard(/** @type {import('./store.js').Store} */ store) {
	const { state } = store;
	const card = byId('details');
	const form = byId('edit-form');
	const fault = byId('details-fault');
	const parts = { extend: byId('extend-by'), edit: form, cancel: byId('question') };
	const { field, read, write, limit } = mountFields(form);
	const place = floating(card, () => document.querySelector(`.bar[data-id="${state.open}"]`), () => mode ? turn('') : store.openBooking(null));

	let shown = 0; /* the booking on the card */
	let full = /** @type {any} */ (null); /* what the server says of it */
	let fresh = ''; /* the state of the booking that `full` was asked for */
	let mode = /** @type {Mode} */ ('');
	let busy = false;

	const open = () => state.open === null ? undefined : state.model.bookings.get(state.open);

	/** Asks for what the timeline does not tell: the whole note, the history. */
	async function load(booking) {
		const key = [booking.id, booking.version, booking.status].join();
		if (fresh === key) {
			return;
		}
		fresh = key;
		try {
			const answer = await store.details(booking.id);
			if (fresh === key) {
				full = answer;
				show(new Set());
			}
		} catch (error) {
			fresh = '';
			tell(fault, troublePhrase(error));
		}
	}

	function show(changed) {
		const booking = open();
		if (!booking || state.dragging) {
			place.hide();
			shown = booking ? shown : 0;
			return;
		}
		const turned = shown !== booking.id;
		if (turned) {
			shown = booking.id;
			full = null;
			fresh = '';
			mode = '';
			fault.replaceChildren();
		}
		load(booking);
		facts(booking);
		if (turned || changed.has('asked')) {
			turn(state.question ? 'cancel' : mode);
		} else {
			buttons(booking);
		}
		place.show();
		if (changed.has('asked') && !around(/** @type {any} */ ({ target: document.activeElement }), '#beside')) {
			(mode === 'cancel' ? byId('cancel-yes') : card).focus({ preventScroll: true });
		}
	}

	function facts(booking) {
		const { model, now, beside } = state;
		const { start, end, priority } = booking;
		const gpus = booking.gpus.map((gpu) => model.gpus[gpu]);
		setText(byId('details-who'), booking.label);
		setText(byId('details-priority'), priorityText(priority));
		byId('details-priority').className = PRIORITIES[priority];
		tell(byId('details-state'), statePhrase(booking, now, full));
		const bar = byId('details-progress');
		bar.className = PRIORITIES[priority];
		bar.hidden = booking.status !== 0 || now < start;
		bar.firstElementChild.style.width = `${Math.min(1, (now - start) / (end - start)) * 100}%`;
		byId('beside').hidden = beside.length < 2;
		setText(byId('beside-text'), `${beside.indexOf(booking.id) + 1} of ${beside.length}`);
		/** @type {[string, any][]} */
		const rows = [
			['UTC', [windowText(start, end)]],
			['Local', [localWindow(start, end)]],
			['GPUs', gpus.length > 0 ? placePhrase(gpus, true) : []],
			['Note', [[full ? full.note ?? '' : booking.note]]],
			['Owner', [[booking.owner ?? '']]],
		];
		const list = byId('facts');
		const said = rows.filter(([, phrase]) => phrase.flat().join('') !== '').flatMap(([name, phrase]) => {
			const text = element('dd');
			tell(text, phrase);
			return [element('dt', {}, name), text];
		});
		if (full) {
			said.push(element('dt', {}, 'History'), element('dd', {}, element('ol', { id: 'history' }, full.events.map(told))));
		}
		if (list.textContent !== said.map((one) => one.textContent).join('')) {
			list.replaceChildren(...said);
		}
	}

	function told(event) {
		const line = element('span');
		tell(line, eventPhrase(event));
		return element('li', {}, element('time', { datetime: event.at }, minuteOf(event.at)), ' ', line, event.actor && [' by ', event.claimed
			? element('bdi', { class: 'claimed', title: 'The name this browser gave. Nobody logs in here, so nobody checked it.' }, event.actor)
			: element('bdi', {}, event.actor)]);
	}

	/** What can be done: by those who may, with what is not over. */
	function buttons(booking) {
		const may = booking.status === 0 && booking.end > state.now && store.mayEnd(booking);
		if (!may && mode) {
			mode = '';
		}
		byId('actions').hidden = !may || mode === 'edit' || mode === 'cancel';
		byId('facts').hidden = mode === 'edit';
		byId('extend').setAttribute('aria-expanded', String(mode === 'extend'));
		for (const [name, part] of Object.entries(parts)) {
			part.hidden = name !== mode;
		}
	}

	/** Turns the card to a question, a form or back. */
	function turn(next) {
		const booking = open();
		if (!booking) {
			return;
		}
		const before = mode;
		const inside = card.contains(document.activeElement);
		mode = next;
		fault.replaceChildren();
		if (mode === 'extend') {
			choices(booking);
		} else if (mode === 'edit') {
			write({ ...booking, who: booking.label, note: full?.note ?? booking.note });
			field('from-day').disabled = field('from-hour').disabled = booking.start <= state.now;
			limit(state.now);
		} else if (mode === 'cancel') {
			tell(byId('question-text'), store.isMine(booking) ? ['Cancel your booking?'] : ['Cancel ', [booking.label], '’s booking?']);
		}
		buttons(booking);
		place.place();
		if (inside) {
			const first = mode === 'extend' ? parts.extend.querySelector('button') : mode === 'edit' ? field('note') : mode === 'cancel' ? byId('cancel-yes')
				: before && !byId('actions').hidden ? byId(before) : card;
			first?.focus({ preventScroll: true });
		}
	}

	/** The ways to extend: some hours, or up to the next booking. */
	function choices(booking) {
		const next = nextAfter(state.model, booking);
		const gap = next ? next.start - booking.end : 0;
		parts.extend.replaceChildren(
			...[[1, '+1 h'], [4, '+4 h'], [24, '+1 d']].map(([hours, text]) => element('button', { type: 'button', 'data-hours': hours }, text)),
			gap > 0 && ![1, 4, 24].includes(gap) ? element('button', { type: 'button', 'data-hours': gap }, `to ${momentOf(booking.end + gap, true)}`) : '',
		);
	}

	/** One change; what the server says against it stands in the card. */
	async function attempt(/** @type {() => Promise<any>} */ change) {
		if (busy) {
			return;
		}
		busy = true;
		card.setAttribute('aria-busy', 'true');
		fault.replaceChildren();
		try {
			await change();
			turn('');
		} catch (error) {
			tell(fault, troublePhrase(error));
			place.place();
		}
		busy = false;
		card.removeAttribute('aria-busy');
	}

	function extend(hours) {
		const booking = open();
		if (!booking) {
			return;
		}
		const end = booking.end + hours;
		const taken = state.model.clashes(booking.gpus, booking.end, end, booking.id);
		if (taken.length > 0) {
			tell(fault, takenPhrase(taken.map((clash) => ({ who: clash.booking.label, end: clash.booking.end }))));
			return;
		}
		attempt(() => store.edit(booking.id, { end }, `Extended to ${momentOf(end, true)} UTC`));
	}

	function save(event) {
		event.preventDefault();
		const booking = open();
		if (!booking) {
			return;
		}
		const now = read();
		const begun = booking.start <= state.now;
		const wrong = now.who === '' ? 'Whose is it? Give your initials.'
			: windowFault(begun ? Math.floor(state.now) : now.start, now.end, state.now);
		if (wrong) {
			tell(fault, [wrong]);
			return;
		}
		const was = /** @type {any} */ ({ ...booking, who: booking.label, note: full?.note ?? booking.note });
		const changes = Object.fromEntries(Object.entries(now).filter(([key, value]) => value !== was[key] && !(begun && key === 'start')));
		if (Object.keys(changes).length === 0) {
			turn('');
		} else {
			attempt(() => store.edit(booking.id, changes, 'Changed'));
		}
	}

	const actions = /** @type {Record<string, () => void>} */ ({
		'details-close': () => store.openBooking(null),
		extend: () => turn(mode === 'extend' ? '' : 'extend'),
		edit: () => turn('edit'),
		'edit-back': () => turn(''),
		done: () => attempt(() => store.finish(shown)),
		cancel: () => turn('cancel'),
		'cancel-no': () => turn(''),
		'cancel-yes': () => attempt(() => store.cancel(shown)),
	});
	card.addEventListener('click', (event) => {
		const button = around(event, 'button');
		const { hours, step } = button?.dataset ?? {};
		if (hours) {
			extend(Number(hours));
		} else if (step) {
			const { beside } = state;
			store.openBooking(beside[(beside.indexOf(shown) + Number(step) + beside.length) % beside.length], beside);
		} else if (button) {
			actions[button.id]?.();
		}
	});
	card.addEventListener('keydown', (event) => {
		const name = { e: 'extend', d: 'done', Delete: 'cancel' }[event.key];
		if (name && !isTyping(event) && !event.ctrlKey && !event.metaKey && !event.altKey && !byId('actions').hidden) {
			event.preventDefault();
			actions[name]();
		}
	});
	form.addEventListener('submit', save);
	form.addEventListener('input', () => limit(state.now));
	store.on((_, changed) => {
		if (['open', 'asked', 'question', 'dragging', 'model', 'now', 'session', 'beside', 'who'].some((key) => changed.has(key))) {
			show(changed);
		}
		if (changed.has('view') || changed.has('folded')) {
			place.place();
		}
	});
}
