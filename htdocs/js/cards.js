/**
 * What cards have in common (their place beside what they speak of, their fields), and the message at the foot: what was done, with Undo;
 * whether the server can be reached.
 */

import { around, byId, element, isTyping, phone, setText } from './dom.js';
import { state, store } from './store.js';
import { DAY, dayText, localWindow, midnightOf, parseDay, timeOf } from './time.js';
import { troublePhrase } from './words.js';

const GAP = 12;
const EDGE = 8;
const STAY_MS = 8000;

const grid = byId('grid');

/** A phrase (see words.js) as an element's children: what comes from outside is isolated. */
export const spoken = (phrase) => phrase.map((part) => Array.isArray(part) ? element('bdi', {}, part) : part);

/** Shows a phrase; what says so already is left alone. */
export function tell(target, phrase) {
	if (target.textContent !== phrase.flat().join('')) {
		target.replaceChildren(...spoken(phrase));
	}
}

export const focusOn = (target) => target.focus({ preventScroll: true });

/** To the cell of the grid that the arrows move. */
export const focusGrid = () => focusOn(grid.querySelector('[role="gridcell"][tabindex="0"]') ?? grid);

export const close = () => store.select(null); /* the selection's card, or a booking's */
document.addEventListener('click', (event) => around(event, '.card .close') && close());

const within = (value, low, high) => Math.max(low, Math.min(value, high));

/**
 * A card right of what it speaks of, else left, else under it, always inside the window. On a narrow page it is a sheet. `anchor` gives the
 * element that it speaks of, if that is drawn; `leave` is called for Escape. Gives what shows and hides it.
 */
export function floating(card, anchor, leave = close) {
	const { style } = card;
	let frame = 0;

	function place() {
		frame = 0;
		const target = card.hidden ? null : anchor()?.getBoundingClientRect();
		const { left, top } = grid.getBoundingClientRect();
		const right = left + grid.clientWidth;
		const head = top + Number(grid.dataset.head);
		const { offsetWidth: width, offsetHeight: height } = card;
		if (phone.matches) {
			style.left = style.top = '';
			if (target) { /* the sheet must not hide it */
				grid.scrollTop += Math.max(0, Math.min(target.bottom + EDGE - innerHeight + height, target.top - head));
			}
		} else if (target || !style.left) { /* else it scrolled away */
			const box = target ?? new DOMRect((left + right - width) / 2, head);
			const [start, end] = [box.left, box.right].map((x) => within(x, left + Number(grid.dataset.left), right));
			let x = end + GAP;
			let y = box.top - GAP;
			if (x + width > right - EDGE) {
				x = start - GAP - width;
			}
			if (x < EDGE) {
				x = end - width;
				const above = y - height;
				y = box.bottom + GAP + height > innerHeight && above > head ? above : box.bottom + GAP;
			}
			style.left = `${within(x, EDGE, right - width - EDGE)}px`;
			style.top = `${within(y, top + EDGE, innerHeight - height - EDGE)}px`;
		}
	}

	const soon = () => {
		frame ||= card.hidden ? 0 : requestAnimationFrame(place);
	};
	const hasFocus = () => !card.hidden && (document.activeElement === document.body || card.contains(document.activeElement));
	grid.addEventListener('scroll', () => phone.matches || soon(), { passive: true });
	addEventListener('resize', soon);
	new ResizeObserver(soon).observe(card);
	store.on(soon, ['view', 'folded']);
	document.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && hasFocus()) {
			event.preventDefault();
			leave();
		}
	});

	return (shown) => {
		const had = hasFocus();
		if (card.hidden) {
			style.left = '';
		}
		card.hidden = !shown;
		if (shown) {
			place();
			soon(); /* the grid may draw what it speaks of with the next frame */
		} else if (had) {
			focusGrid();
		}
	};
}

/** Who, how urgent, from when to when, and a note: what booking and editing have in common. */
export function mountFields(form) {
	form.prepend(byId('fields').content.cloneNode(true));
	const field = (name) => form.elements[name];
	const hint = form.querySelector('.hint');
	for (let hour = 0; hour < DAY; hour++) {
		field('from-hour').append(element('option', { value: hour }, timeOf(hour)));
		field('to-hour').append(element('option', { value: hour + 1 }, timeOf(hour + 1, true)));
	}
	const moment = (name) => (parseDay(field(`${name}-day`).value) ?? NaN) + Number(field(`${name}-hour`).value);
	const put = (name, hour, past = 0) => {
		field(`${name}-day`).value = dayText(hour - past);
		field(`${name}-hour`).value = hour - midnightOf(hour - past);
	};
	const read = () => ({
		start: moment('from'),
		end: moment('to'),
		who: field('who').value.trim(),
		priority: Number(field('priority').value),
		note: field('note').value.trim(),
	});

	return {
		field, read,
		/** Says what the hours mean; those that have passed are not offered. */
		explain(now) {
			const { start, end } = read();
			field('from-day').min = field('to-day').min = dayText(now);
			for (const option of field('from-hour').options) {
				option.disabled = midnightOf(start) + Number(option.value) < Math.floor(now);
			}
			const local = end > start && localWindow(start, end);
			setText(hint, `${end > start ? `${end - start} h ` : ''}in UTC${local ? `; here\n${local}` : ''}`);
		},
		/** Fills in what differs: what is being typed is left alone while it means the same. */
		write(values) {
			const old = read();
			const differs = (name) => name in values && values[name] !== old[name];
			['who', 'priority', 'note'].filter(differs).forEach((name) => { field(name).value = values[name]; });
			differs('start') && put('from', values.start);
			differs('end') && put('to', values.end, 1); /* an end at midnight is 24:00 of the day before */
		},
	};
}

/* -- the message -- */

const box = byId('toast').firstElementChild;
const [words, button] = box.children;
let timer = 0;
let wasOffline = false;

/** It goes by itself, but not while somebody points at it or has it focused. */
function stay() {
	clearTimeout(timer);
	timer = setTimeout(() => box.matches(':hover, :focus-within') ? stay() : store.set({ message: null }), STAY_MS);
}

async function act(message = state.message) {
	store.set({ message: null });
	try {
		await message?.undo?.();
		message?.retry?.();
	} catch (/** @type {any} */ error) {
		store.say(troublePhrase(error).flat().join(''), { tone: 'bad', ...error.status !== 412 && { retry: () => act(message) } });
	}
}

button.onclick = () => act();
document.addEventListener('keydown', (event) => {
	if ((event.ctrlKey || event.metaKey) && event.key === 'z' && !isTyping(event) && state.message?.undo) {
		event.preventDefault();
		act();
	}
});
store.on((changed) => {
	const { message, connection, trouble } = state;
	const offline = connection === 'offline';
	if (wasOffline && !offline && !message) {
		store.say('Connected again');
	}
	wasOffline = offline;
	const text = message?.text ?? (offline ? `${trouble} Trying again…` : '');
	const focused = box.contains(document.activeElement);
	box.hidden = !text;
	box.className = message ? message.tone ?? '' : 'bad';
	tell(words, [[text]]);
	button.hidden = !message?.undo && !message?.retry;
	setText(button, message?.undo ? 'Undo' : 'Retry');
	if (focused && button.hidden) {
		focusGrid();
	}
	if (message && changed.has('message')) {
		stay();
	}
}, ['message', 'connection', 'trouble']);
