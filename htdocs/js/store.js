/**
 * What is known, what is shown, and what can be done. Components read `state`, are told what changed, and call the actions; only this
 * file talks to the server.
 *
 * @typedef {import('./model.js').Booking} Booking
 * @typedef {{node: number, gpus: number[], start: number, end: number}} Selection  GPUs of one node, by index, and a window
 * @typedef {Selection & {number: number}} Found
 * @typedef {{text: string, undo?: () => Promise<any>, retry?: () => void, tone?: 'bad'}} Message
 */

import { call, query, Trouble } from './api.js';
import { homeOf, readView, remember, remembered, writeView } from './address.js';
import { phone } from './dom.js';
import { Model, PRIORITIES, read } from './model.js';
import { countOf, hourOf, hoursOf, lengthOf, momentOf, stampOf } from './time.js';

const POLL_MS = 3000;
const RETRY_MS = 2000; /* after trouble */
const TICK_MS = 15_000;
const FEW = 100; /* GPUs of an answer, taken in at once */
const DAYS_MAX = 3700; /* of one timeline */

const address = location.search || location.hash;
const clock = () => hoursOf(Date.now() + skew);
const home = () => homeOf(state.view.zoom, state.now, phone.matches);
const here = new URL('.', location.href).pathname; /* another planner of this host has other nodes */
const last = remembered('priority', 1);
const priority = last in PRIORITIES ? last : 1;
let skew = 0; /* ms that the server's clock is ahead of this machine's */
export const state = {
	model: new Model(),
	session: /** @type {any} */ (null),
	now: clock(),
	connection: /** @type {'loading'|'live'|'offline'} */ ('loading'),
	trouble: '',
	busy: true,
	view: readView(address, clock(), phone.matches),
	folded: /** @type {Set<string>} */ (new Set(remembered(`folded${here}`, []))),
	who: remembered('who', ''),
	priority,
	selection: /** @type {Selection|null} */ (null),
	draft: { priority },
	open: /** @type {number|null} */ (null),
	panel: /** @type {string|null} */ (null),
	windows: /** @type {Found[]} */ ([]),
	chosen: 0,
	reveal: /** @type {Selection|null} */ (null), /* what the grid shall scroll to */
	dragging: false, /* a pointer gesture is under way: no card is shown for a selection that is still being drawn */
	asked: 0, /* grows when the person asks for the card of the selection or booking (mouse up, Enter): then it takes the focus. */
	/* A selection that Shift+arrows draw shows its card without taking the focus from the grid. */
	question: false, /* Delete was pressed: the booking's card opens with the question whether to cancel */
	beside: /** @type {number[]} */ ([]), /* bookings in the cell that `open` was opened from, itself among them */
	message: /** @type {Message|null} */ (null),
};
const all = [];
const nodes = remembered(`nodes${here}`, all);
if (address === '' && nodes !== all) { /* a link shows what its sender saw */
	state.view.nodes = nodes;
}

/* -- telling -- */

const listeners = /** @type {((changed: Set<string>) => any)[]} */ ([]);
let changed = new Set();

function set(part) {
	if (changed.size === 0) {
		queueMicrotask(() => {
			const now = changed;
			changed = new Set();
			listeners.forEach((listener) => listener(now));
		});
	}
	Object.assign(state, part);
	Object.keys(part).forEach((key) => changed.add(key));
}

/** Shows another part of time, another zoom, other nodes; the address follows. */
function look(part) {
	if ('nodes' in part) {
		remember(`nodes${here}`, part.nodes);
	}
	const view = { ...state.view, ...part };
	set({ view });
	history.replaceState(null, '', location.pathname + writeView(view, home()));
}

/* -- the picture: one window of the timeline, kept fresh -- */

let wanted = { start: 0, end: 0 }; /* what the model shall cover */
let waiting = false; /* an answer came while a bar was dragged */
let timer = 0;
let running = new AbortController();
let isKnown = false; /* the session is the server's of now */

/** A selection in another picture, where its GPUs may stand elsewhere; null where one of them is gone. */
function inModel(model, selection) {
	const places = selection?.gpus.map((gpu) => {
		const { id, node } = state.model.gpus[gpu];
		return model.gpus.findIndex((one) => one.id === id && one.node.id === node.id);
	});
	return !places || places.includes(-1) ? null
		: { ...selection, node: model.gpus[places[0]].node.index, gpus: places.sort((a, b) => a - b) };
}

async function load() {
	clearTimeout(timer);
	running.abort();
	const { signal } = running = new AbortController();
	const { model } = state;
	const { since } = model;
	const had = since && (model.start !== wanted.start || model.end !== wanted.end) ? model : null;
	const asked = query({
		start: stampOf(wanted.start), end: stampOf(wanted.end), since, since_start: had && stampOf(had.start), since_end: had && stampOf(had.end),
	});
	try {
		const [answer, session] = await Promise.all([
			call(`api/timeline${asked}`, { signal }),
			isKnown ? state.session : call('api/session', { signal }),
		]);
		if (!isKnown) {
			isKnown = true;
			skew = Date.parse(session.now) - Date.now();
			skew = Math.abs(skew) < 2000 ? 0 : skew; /* it is told in whole seconds */
			const isHome = state.view.date === home();
			set({ session, now: clock() });
			if (isHome) { /* as this machine's clock had it */
				look({ date: home() });
			}
		}
		const gently = model.epoch !== '' && !document.hidden;
		const part = await read(answer, gently);
		/* Just after a frame there is the most time until the next one. */
		const pause = () => gently && part.holds.length > FEW && new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
		await pause();
		if (signal.aborted) {
			return;
		}
		if (state.dragging) {
			waiting = true; /* it is asked for again when the drag is over */
		} else {
			const next = answer.full ? new Model(answer, model.version) : model;
			next.take(answer, part);
			await pause();
			if (signal.aborted) {
				return;
			}
			if (next.settle(answer)) {
				if (next.shape !== model.shape) {
					set({ selection: inModel(next, state.selection), windows: [], chosen: 0 });
				}
				set({ model: next });
				if (state.open !== null && !next.bookings.has(state.open)) {
					set({ open: null });
				}
			}
		}
		isKnown = !answer.full || !since; /* another configuration may have other limits */
		if (state.connection !== 'live' || state.busy) {
			set({ connection: 'live', trouble: '', busy: false });
		}
	} catch (error) {
		if (signal.aborted) {
			return;
		}
		isKnown = false; /* clock and limits may be others when it is back; what is shown and half filled in stays */
		const known = error instanceof Trouble;
		known || console.error(error);
		set({
			connection: 'offline',
			trouble: known ? error.message : 'The server\'s answer makes no sense to this page.',
			busy: false,
		});
	}
	plan();
}

function plan() {
	clearTimeout(timer);
	if (!document.hidden) {
		timer = setTimeout(load, state.connection === 'offline' ? RETRY_MS : POLL_MS);
	}
}

/** Has the model cover a window and a good deal around it; asks the server only when it does not. */
function cover(start, end) {
	const span = end - start;
	const margin = span / 2;
	if (Math.max(0, start - margin) >= wanted.start && end + margin <= wanted.end && span * 12 > wanted.end - wanted.start) {
		return;
	}
	const around = Math.min(wanted.end ? span * 2 : span, (DAYS_MAX * 24 - span) / 2); /* the first picture comes sooner when it is small */
	wanted = { start: Math.max(0, Math.floor(start - around)), end: Math.ceil(end + around) };
	const { model } = state;
	if (start < model.start || end > model.end) {
		set({ busy: true });
	}
	load();
}

document.addEventListener('visibilitychange', () => wanted.end && (document.hidden ? clearTimeout(timer) : load()));
['online', 'offline'].forEach((name) => addEventListener(name, () => wanted.end && load()));
addEventListener('hashchange', () => location.reload()); /* somebody's long link, opened here */
setInterval(() => set({ now: clock() }), TICK_MS);

/* -- what can be done -- */

const say = (text, more = {}) => set({ message: { text, ...more } });

/** Says what was done; `undo` takes it back, and then `undone` is said. */
const report = (text, undone, undo) => say(text, undo && {
	undo: async () => {
		await undo();
		say(undone);
	},
});

/** For now and for the next visit. */
function keep(part) {
	set(part);
	Object.entries(part).forEach(([name, value]) => remember(name, value));
}

/** One write; the picture is brought up to date before it is over, if that does not take long. */
async function write(method, path, body, key) {
	try {
		const answer = await call(`api/${path}`, { method, body, key, who: state.who });
		await Promise.race([load(), new Promise((done) => setTimeout(done, 1500))]);
		return answer;
	} catch (error) {
		load();
		throw error;
	}
}

/** A wish, or a part of one, in the API's words; JSON leaves out what is undefined. */
const bodyOf = (/** @type {any} */ { node, gpus, start, end, who, priority, note }) => ({
	node_id: state.model.nodes[node]?.id,
	gpu_ids: gpus?.map((gpu) => state.model.gpus[gpu].id),
	start: start && stampOf(start),
	end: end && stampOf(end),
	user_label: who,
	priority: PRIORITIES[priority],
	note,
});

const newKey = () => [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-');
let lastTry = { text: '', key: '' }; /* a booking whose answer was lost is sent again under its key, and made once */

/** Books {node, gpus, start, end, who, priority, note, repeat: {every, count} | null, skip}; what was typed is remembered. */
async function book(wish) {
	const { gpus, start, end, who, priority, repeat, skip } = wish;
	keep({ who, priority });
	const body = { ...bodyOf(wish), ...repeat && { repeat, on_conflict: skip ? 'skip' : 'fail' } };
	const text = JSON.stringify(body);
	if (lastTry.text !== text) {
		lastTry = { text, key: newKey() };
	}
	const { bookings, skipped = [], ...one } = await write('POST', 'book', body, lastTry.key);
	lastTry.text = '';
	/** @type {number[]} */
	const ids = (bookings ?? [one]).map((booking) => booking.booking_id);
	set({ selection: null, windows: [], chosen: 0 });
	report(`Booked ${countOf(gpus.length, 'GPU')} for ${lengthOf(end - start)}${ids.length > 1 ? `, ${ids.length} times` : ''}`
		+ `${skipped.length > 0 ? `; ${skipped.length} left out, where they are taken` : ''}`, 'Taken back', async () => {
		while (ids.length) { /* one that somebody else, or the last try, ended is over, too */
			await write('DELETE', `bookings/${ids[0]}`).catch((error) => {
				if (error.status !== 404) {
					throw error;
				}
			});
			ids.shift();
		}
	});
}

/** Changes a booking. */
async function edit(id, changes, words = 'Changed') {
	const change = (body, version) => write('PATCH', `bookings/${id}`, { ...body, version });
	const was = state.model.bookings.get(id);
	const before = was && { ...was, who: was.label };
	const back = before && bodyOf(Object.fromEntries(Object.keys(changes).map((key) => [key, before[key]])));
	const { version } = await change(bodyOf(changes), was?.version);
	/* of a note only its first characters are known here */
	report(words, 'As it was', back && !('note' in changes) ? () => change(back, version) : undefined);
}

/** Ends a booking. Undo books again what was left of it, as far as nobody else has taken it. */
async function end(id, words, ...how) {
	const { node_id, gpu_ids, user_label, priority, note, ...full } = await call(`api/bookings/${id}`);
	await write(...how);
	set({ open: null });
	const start = Math.max(hourOf(full.start), Math.floor(clock()));
	const left = hourOf(full.end) - start;
	const key = newKey();
	report(words, `Booked again, ${lengthOf(left)} from ${momentOf(start)} UTC`, left > 0
		? () => write('POST', 'book', { node_id, gpu_ids, user_label, priority, note, start: stampOf(start), end: full.end }, key) : undefined);
}

async function details(id) {
	const [full, history] = await Promise.all([call(`api/bookings/${id}`), call(`api/events${query({ booking_id: id, limit: 1000 })}`)]);
	return { ...full, start: hourOf(full.start), end: hourOf(full.end), events: history.events };
}

/** Windows in which so many GPUs are free together, and which the limits leave to this person. */
async function find(/** @type {any} */ { gpus, hours, kind = null, nodes = null, after = 0, limit = 10 }) {
	const { slots } = await call(`api/find${query({
		gpus, hours, kind, node_id: nodes, after: after ? stampOf(after) : null, limit, user_label: state.who,
	})}`);
	return slots.flatMap((slot) => {
		const node = state.model.nodes.find((one) => one.id === slot.node_id);
		return node ? [{
			node: node.index,
			gpus: node.gpus.filter((gpu) => slot.gpu_ids.includes(gpu.id)).map((gpu) => gpu.index),
			start: hourOf(slot.start),
			end: hourOf(slot.end),
		}] : [];
	});
}

const owns = ({ owner }) => owner !== null && owner === state.session?.user;
const isOpen = () => state.session?.mode === 'open';

export const store = {
	set, look, cover, say, book, edit, details, find,
	identify: (who) => keep({ who }),
	/** Tells `listener` what changed, once for all changes of a moment; with `keys`, when it is one of these. */
	on(listener, keys = Object.keys(state)) {
		const heed = (changed) => keys.some((key) => changed.has(key)) && listener(changed);
		listeners.push(heed);
		queueMicrotask(() => heed(new Set(keys))); /* what it missed */
	},
	refresh() {
		set({ busy: true });
		return load();
	},
	goToday() {
		look({ date: home() });
	},
	fold(ids, shut) {
		const folded = new Set(state.folded);
		[ids].flat().forEach((id) => folded[shut ? 'add' : 'delete'](id));
		set({ folded });
		remember(`folded${here}`, [...folded]);
	},
	/** Draws a selection; with `ask` its card takes the focus. */
	select(selection, ask = false) {
		set({ selection, open: null, beside: [], question: false, ...ask && { asked: state.asked + 1 } });
	},
	/** Opens a booking's card. */
	openBooking(id, beside = [], question = false) {
		set({ open: id, beside, question, selection: null, asked: state.asked + 1 });
	},
	/** While a bar is dragged, other people's changes wait. */
	drag(dragging) {
		set({ dragging });
		if (!dragging && waiting) {
			waiting = false;
			load();
		}
	},
	finish: (id) => end(id, 'Done: the rest is free again', 'POST', 'mark_done', { booking_id: id }),
	cancel: (id) => end(id, 'Cancelled', 'DELETE', `bookings/${id}`),
	/** Open mode: everybody, as in the original; with logins the owner and admins. */
	mayEnd: (booking) => isOpen() || state.session?.admin === true || owns(booking),
	isMine: (booking) => booking.owner !== null && !isOpen() ? owns(booking) : state.who !== '' && booking.label === state.who,
};
