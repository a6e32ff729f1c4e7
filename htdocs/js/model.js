/**
 * What the timeline says, as the page needs it: who holds which GPU from when to when. Pure.
 *
 * @typedef {{id: string, name: string, index: number, gpus: Gpu[], count: number, kinds: {kind: string, count: number}[]}} Node
 * @typedef {{id: string, kind: string, index: number, node: Node, short: string}} Gpu
 * @typedef {{id: number, start: number, end: number, label: string, priority: number, status: number, owner: string|null,
 *   version: number, note: string, gpus: number[], before: number[]}} Booking  status 0 active, 1 completed, 2 cancelled; gpus by index,
 *   ascending; before: those that it had earlier
 * @typedef {{start: number, end: number, booking: Booking}} Hold
 * @typedef {{bookings: Map<number, Booking>, holds: [number, Hold[]][]}} Part
 */

import { DAY, hourOf, midnightOf, mondayOf } from './time.js';

export const PRIORITIES = ['low', 'medium', 'high'];

const SLICE_MS = 3;
const NONE = /** @type {number[]} */ ([]);

/** What all ids begin with, up to a separator: "node-a-" of node-a-gpu0 and node-a-gpu1. */
export function commonPrefix(ids) {
	if (ids.length < 2) {
		return '';
	}
	let length = 0;
	while (ids.every((id) => length < id.length && id[length] === ids[0][length])) {
		length++;
	}
	const prefix = /^.*[-_.:/ ]/su.exec(ids[0].slice(0, length))?.[0] ?? '';
	return ids.every((id) => id.length > prefix.length) ? prefix : '';
}

const kindsOf = (gpus) => [...new Set(gpus.map((gpu) => gpu.kind))]
	.map((kind) => ({ kind, count: gpus.filter((gpu) => gpu.kind === kind).length }));

/** The place of the first item that passes a test which all after it pass, too; the length where none does. */
export function firstThat(items, test) {
	let low = 0;
	let high = items.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (test(items[middle])) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

/** What an answer lists, on its own. `gently`: in slices, so that what is on the screen goes on moving. */
export async function read(answer, gently = false) {
	let [since, count] = [performance.now(), 0];
	const isLong = () => gently && ++count % 50 === 0 && performance.now() - since > SLICE_MS;
	const rest = () => new Promise((go) => setTimeout(go)).then(() => { since = performance.now(); });
	const [first, last] = [answer.start, answer.end].map(hourOf);
	/** @type {Part} */
	const part = { bookings: new Map(), holds: [] };
	for (const [id, start, end, label, priority = 1, status = 0, owner = null, version = 1, note = ''] of answer.bookings) {
		part.bookings.set(id, { id, start: first + start, end: first + end, label, priority, status, owner, version, note, gpus: [], before: NONE });
		isLong() && await rest();
	}
	for (const [gpu, ...rows] of answer.held) {
		part.holds.push([gpu, rows.map((row) => {
			const bare = typeof row === 'number';
			const booking = /** @type {Booking} */ (part.bookings.get(bare ? row : row[2]));
			const start = bare ? Math.max(booking.start, first) : first + row[0];
			const end = bare ? Math.min(booking.end, last) : first + row[1];
			if (booking.status || end === Math.min(booking.end, last)) {
				booking.gpus.at(-1) === gpu || booking.gpus.push(gpu);
			} else {
				booking.before = [...booking.before, gpu];
			}
			return { start, end, booking };
		})]);
		isLong() && await rest();
	}
	return part;
}

export class Model {
	/** Reads a full answer of /api/timeline. */
	constructor({ epoch = '', nodes = [] } = {}, version = 0) {
		this.nodes = /** @type {Node[]} */ ([]);
		this.gpus = /** @type {Gpu[]} */ ([]);
		this.bookings = new Map();
		this.version = version; /* counts the changes */
		this.window = { start: 0, end: 0 }; /* another one, another object */
		this.epoch = epoch;
		this.revision = 0;
		this.shape = JSON.stringify(nodes); /* of two models with the same one all rows are the same */
		for (const { id, name, gpus } of nodes) {
			const prefix = commonPrefix(gpus.map((gpu) => gpu.id));
			const node = /** @type {Node} */ ({ id, name, index: this.nodes.length, count: gpus.length, kinds: kindsOf(gpus) });
			node.gpus = gpus.map((gpu, at) => ({ id: gpu.id, kind: gpu.kind, index: this.gpus.length + at, node, short: gpu.id.slice(prefix.length) }));
			this.nodes.push(node);
			this.gpus.push(...node.gpus);
		}
		this.holds = /** @type {Hold[][]} */ (this.gpus.map(() => []));
	}

	get start() {
		return this.window.start;
	}

	get end() {
		return this.window.end;
	}

	/** What to send as `since`; '' before the first answer. */
	get since() {
		return this.epoch && `${this.epoch}.${this.revision}`;
	}

	/**
	 * Takes in what an answer lists. Until `settle` the model is still that of the earlier revision and window, and the same answer, or a
	 * later one, may be taken in again.
	 */
	take({ removed }, { bookings, holds }) {
		removed.forEach((id) => this.release(id));
		bookings.forEach((booking, id) => {
			this.release(id);
			this.bookings.set(id, booking);
		});
		for (const [gpu, some] of holds) {
			const own = this.holds[gpu];
			const isLater = (own.at(-1)?.end ?? 0) <= some[0].start;
			own.push(...some);
			isLater || own.sort((a, b) => a.start - b.start);
		}
	}

	/** Then lets go of what is not in the answer's window; whether the answer changed anything. */
	settle({ full, removed, bookings, revision, ...window }) {
		const [start, end] = [window.start, window.end].map(hourOf);
		const moved = start !== this.start || end !== this.end;
		if (moved) {
			this.window = { start, end };
			full || this.crop();
		}
		this.revision = revision;
		const changed = moved || full || removed.length + bookings.length > 0;
		this.version += Number(changed);
		return changed;
	}

	/** Lets go of a booking and of what it holds. */
	release(id) {
		const booking = this.bookings.get(id);
		for (const gpu of booking ? [...booking.gpus, ...booking.before] : NONE) {
			this.holds[gpu] = this.holds[gpu].filter((hold) => hold.booking !== booking);
		}
		this.bookings.delete(id);
	}

	crop() {
		const { start, end } = this;
		this.holds = this.holds.map((_, gpu) => {
			const own = this.holdsIn(gpu, start, end);
			if (own.length) {
				own[0].start = Math.max(own[0].start, start);
				own[own.length - 1].end = Math.min(own[own.length - 1].end, end);
			}
			return own;
		});
		this.bookings.forEach((booking, id) => booking.start < end && booking.end > start || this.bookings.delete(id));
	}

	/** The hold of a GPU that an hour lies in, or else the next one. */
	holdFrom(gpu, hour) {
		const holds = this.holds[gpu];
		return holds[firstThat(holds, (hold) => hold.end > hour)];
	}

	/** The holds of a GPU that touch a window, by start. */
	holdsIn(gpu, start, end) {
		const holds = this.holds[gpu];
		return holds.slice(firstThat(holds, (hold) => hold.end > start), firstThat(holds, (hold) => hold.start >= end));
	}

	/** Active bookings that hold any of the GPUs in the window; used hours of ended ones never refuse a booking. */
	clashes(gpus, start, end, except = 0) {
		return gpus.flatMap((gpu) => this.holdsIn(gpu, start, end)
			.filter(({ booking }) => booking.status === 0 && booking.id !== except)
			.map((hold) => ({ gpu: this.gpus[gpu], booking: hold.booking, start: Math.max(start, hold.start), end: Math.min(end, hold.end) })));
	}

	isFree(gpu, start, end) {
		return this.clashes([gpu], start, end).length === 0;
	}

	/** GPUs of a node that are free in the window. */
	freeGpus(node, start, end) {
		return node.gpus.map((gpu) => gpu.index).filter((gpu) => this.isFree(gpu, start, end));
	}

	/**
	 * How busy these GPUs are in the model's window: GPUs held in each hour, and GPUs held at any hour of each column of `unit` hours (from
	 * `now` on, in the one that now lies in). Both arrays begin at the hour `first`.
	 */
	occupancy(gpus, now, unit = DAY) {
		const first = unit > DAY ? mondayOf(this.start) : midnightOf(this.start);
		const hours = new Int32Array(Math.max(0, this.end - first) + unit + 1);
		const columns = new Int32Array(Math.ceil(hours.length / unit) + 1);
		const current = Math.floor((now - first) / unit);
		for (const gpu of gpus) {
			let counted = -1;
			for (const { start, end } of this.holds[gpu]) {
				hours[Math.max(start, this.start) - first]++;
				hours[end - first]--;
				let last = Math.floor((end - 1 - first) / unit);
				last -= last === current && end <= now ? 1 : 0;
				for (let column = Math.max(counted + 1, Math.floor((start - first) / unit)); column <= last; column++) {
					columns[column]++;
					counted = column;
				}
			}
		}
		for (let hour = 1; hour < hours.length; hour++) {
			hours[hour] += hours[hour - 1];
		}
		return { first, hours, columns };
	}
}
