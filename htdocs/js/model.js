/**
 * What the timeline says, as the page needs it: who holds which GPU from when to when. Pure.
 *
 * @typedef {{id: string, name: string, index: number, first: number, count: number, kinds: {kind: string, count: number}[]}} Node
 * @typedef {{id: string, kind: string, index: number, node: Node, short: string}} Gpu
 * @typedef {{id: number, start: number, end: number, label: string, priority: number, status: number, owner: string|null,
 *   version: number, note: string, gpus: number[]}} Booking  status 0 active, 1 completed, 2 cancelled; gpus by index, ascending
 * @typedef {{start: number, end: number, booking: Booking}} Hold
 */

import { DAY, hourOf, midnightOf, mondayOf } from './time.js';

export const PRIORITIES = ['low', 'medium', 'high'];

const SLICE_MS = 3;

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

function kindsOf(/** @type {{kind: string}[]} */ gpus) {
	const counts = new Map();
	for (const { kind } of gpus) {
		counts.set(kind, (counts.get(kind) ?? 0) + 1);
	}
	return [...counts].map(([kind, count]) => ({ kind, count }));
}

/** The place of the first hold that ends after an hour. */
function firstAfter(holds, hour) {
	let low = 0;
	let high = holds.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (holds[middle].end > hour) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

export class Model {
	/** Reads a full answer of /api/timeline. */
	constructor(/** @type {any} */ answer = { epoch: '', revision: 0, start: 0, end: 0, nodes: [], bookings: [], held: [], removed: [] }) {
		this.nodes = [];
		this.gpus = [];
		this.bookings = new Map();
		this.version = 0; /* counts the changes */
		this.epoch = answer.epoch;
		this.shape = JSON.stringify(answer.nodes); /* of two models with the same one all rows are the same */
		this.start = answer.start ? hourOf(answer.start) : 0;
		this.end = answer.end ? hourOf(answer.end) : 0;
		for (const { id, name, gpus } of answer.nodes) {
			const prefix = commonPrefix(gpus.map((gpu) => gpu.id));
			const node = { id, name, index: this.nodes.length, first: this.gpus.length, count: gpus.length, kinds: kindsOf(gpus) };
			this.nodes.push(node);
			for (const gpu of gpus) {
				this.gpus.push({ id: gpu.id, kind: gpu.kind, index: this.gpus.length, node, short: gpu.id.slice(prefix.length) });
			}
		}
		this.holds = /** @type {Hold[][]} */ (this.gpus.map(() => []));
		this.revision = 0;
		this.add(answer);
	}

	/** The same, `gently`: with breaks, so that what is on the screen goes on moving. */
	static async read(answer, gently) {
		const model = new Model({ ...answer, bookings: [], held: [] });
		let since = performance.now();
		for (const _ of model.adding(answer)) {
			if (gently && performance.now() - since > SLICE_MS) {
				await new Promise((go) => setTimeout(go));
				since = performance.now();
			}
		}
		return model;
	}

	/** What to send as `since`. */
	get since() {
		return `${this.epoch}.${this.revision}`;
	}

	/** Takes in what changed (an answer that is not full); whether that was anything. */
	apply(answer) {
		const gone = [...answer.removed, ...answer.bookings.map((row) => row[0])];
		for (const id of gone) {
			this.drop(id);
		}
		this.add(answer);
		return gone.length > 0;
	}

	drop(id) {
		for (const gpu of this.bookings.get(id)?.gpus ?? []) {
			this.holds[gpu] = this.holds[gpu].filter((hold) => hold.booking.id !== id);
		}
		this.bookings.delete(id);
	}

	add(answer) {
		[...this.adding(answer)];
	}

	/** Adds what an answer has; stops now and then. @returns {Generator<number, void, undefined>} */
	* adding(answer) {
		const base = hourOf(answer.start || '1970-01-01T00:00:00Z');
		for (const [id, start, end, label, priority = 1, status = 0, owner = null, version = 1, note = null] of answer.bookings) {
			this.bookings.set(id, { id, start: base + start, end: base + end, label, priority, status, owner, version, note: note ?? '', gpus: [] });
			if (id % 100 === 0) {
				yield 0;
			}
		}
		for (const [gpu, ...rows] of answer.held) {
			const holds = this.holds[gpu];
			for (const row of rows) {
				const bare = typeof row === 'number';
				const booking = this.bookings.get(bare ? row : row[2]);
				if (!booking) {
					continue;
				}
				const start = bare ? Math.max(booking.start, this.start) : base + row[0];
				const end = bare ? Math.min(booking.end, this.end) : base + row[1];
				holds.push({ start, end, booking });
				if (booking.gpus.at(-1) !== gpu) {
					booking.gpus.push(gpu);
				}
			}
			holds.sort((a, b) => a.start - b.start);
			if (gpu % 50 === 0) {
				yield 0;
			}
		}
		this.revision = answer.revision;
		this.version++;
	}

	/** The holds of a GPU that touch a window, by start. */
	holdsIn(gpu, start, end) {
		const holds = this.holds[gpu];
		const first = firstAfter(holds, start);
		let last = first;
		while (last < holds.length && holds[last].start < end) {
			last++;
		}
		return holds.slice(first, last);
	}

	/** Active bookings that hold any of the GPUs in the window; used hours of ended ones never refuse a booking. */
	clashes(gpus, start, end, except = 0) {
		return gpus.flatMap((gpu) => this.holdsIn(gpu, start, end)
			.filter(({ booking }) => booking.status === 0 && booking.id !== except)
			.map((hold) => ({ gpu: this.gpus[gpu], booking: hold.booking, start: Math.max(start, hold.start), end: Math.min(end, hold.end) })));
	}

	/** Whether nobody who is active holds the GPU in the window. */
	isFree(gpu, start, end, except = 0) {
		return this.holdsIn(gpu, start, end).every(({ booking }) => booking.status !== 0 || booking.id === except);
	}

	/** GPUs of a node that are free in the window. */
	freeGpus(node, start, end, except = 0) {
		const free = [];
		for (let gpu = node.first; gpu < node.first + node.count; gpu++) {
			if (this.isFree(gpu, start, end, except)) {
				free.push(gpu);
			}
		}
		return free;
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
				hours[start - first]++;
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
