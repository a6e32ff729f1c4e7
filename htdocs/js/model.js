/**
 * What the timeline says, as the page needs it: who holds which GPU from when to when. Pure: no document, no network.
 *
 * @typedef {{id: string, name: string, index: number, first: number, count: number, kinds: {kind: string, count: number}[]}} Node
 *     first: the index of its first GPU among all GPUs
 * @typedef {{id: string, kind: string, index: number, node: Node, short: string}} Gpu
 *     short: the id without what all ids of the node begin with
 * @typedef {object} Booking
 * @property {number} id
 * @property {number} start     the planned window
 * @property {number} end
 * @property {string} label
 * @property {number} priority  0 low, 1 medium, 2 high
 * @property {number} status    0 active, 1 completed, 2 cancelled
 * @property {string|null} owner
 * @property {number} version
 * @property {string} note      its first characters, or ''
 * @property {number[]} gpus    those it holds hours of, ascending
 * @typedef {{start: number, end: number, booking: Booking}} Hold
 * @typedef {{gpu: Gpu, booking: Booking, start: number, end: number}} Clash
 */

import { DAY, hourOf, midnightOf } from './time.js';

export const PRIORITIES = ['low', 'medium', 'high'];

/** What all ids begin with, up to a separator: "node-a-" of node-a-gpu0 and node-a-gpu1. */
export function commonPrefix(/** @type {string[]} */ ids) {
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
function firstAfter(/** @type {Hold[]} */ holds, /** @type {number} */ hour) {
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
        /** @type {Node[]} */ this.nodes = [];
        /** @type {Gpu[]} */ this.gpus = [];
        /** @type {Map<number, Booking>} */ this.bookings = new Map();
        this.version = 0; /* counts the changes */
        this.epoch = answer.epoch;
        this.start = answer.start ? hourOf(answer.start) : 0;
        this.end = answer.end ? hourOf(answer.end) : 0;
        for (const { id, name, gpus } of answer.nodes) {
            const prefix = commonPrefix(gpus.map((/** @type {any} */ gpu) => gpu.id));
            const node = { id, name, index: this.nodes.length, first: this.gpus.length, count: gpus.length, kinds: kindsOf(gpus) };
            this.nodes.push(node);
            for (const gpu of gpus) {
                this.gpus.push({ id: gpu.id, kind: gpu.kind, index: this.gpus.length, node, short: gpu.id.slice(prefix.length) });
            }
        }
        /** @type {Hold[][]} */ this.holds = this.gpus.map(() => []);
        this.revision = 0;
        this.add(answer);
    }

    /** What to send as `since`. */
    get since() {
        return `${this.epoch}.${this.revision}`;
    }

    /** Takes in what changed (an answer that is not full); whether that was anything. */
    apply(/** @type {any} */ answer) {
        const gone = [...answer.removed, ...answer.bookings.map((/** @type {any[]} */ row) => row[0])];
        for (const id of gone) {
            this.drop(id);
        }
        this.add(answer);
        return gone.length > 0;
    }

    drop(/** @type {number} */ id) {
        for (const gpu of this.bookings.get(id)?.gpus ?? []) {
            this.holds[gpu] = this.holds[gpu].filter((hold) => hold.booking.id !== id);
        }
        this.bookings.delete(id);
    }

    add(/** @type {any} */ answer) {
        const base = hourOf(answer.start || '1970-01-01T00:00:00Z');
        for (const [id, start, end, label, priority = 1, status = 0, owner = null, version = 1, note = null] of answer.bookings) {
            this.bookings.set(id, { id, start: base + start, end: base + end, label, priority, status, owner, version, note: note ?? '', gpus: [] });
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
        }
        this.revision = answer.revision;
        this.version++;
    }

    /** The holds of a GPU that touch a window, by start. */
    holdsIn(/** @type {number} */ gpu, /** @type {number} */ start, /** @type {number} */ end) {
        const holds = this.holds[gpu];
        const first = firstAfter(holds, start);
        let last = first;
        while (last < holds.length && holds[last].start < end) {
            last++;
        }
        return holds.slice(first, last);
    }

    /** Who holds a GPU at an hour. */
    holdAt(/** @type {number} */ gpu, /** @type {number} */ hour) {
        const hold = this.holds[gpu][firstAfter(this.holds[gpu], hour)];
        return hold && hold.start <= hour ? hold : null;
    }

    /** Active bookings that hold any of the GPUs in the window; used hours of ended ones never refuse a booking. */
    clashes(/** @type {number[]} */ gpus, /** @type {number} */ start, /** @type {number} */ end, except = 0) {
        return gpus.flatMap((gpu) => this.holdsIn(gpu, start, end)
            .filter(({ booking }) => booking.status === 0 && booking.id !== except)
            .map((hold) => ({ gpu: this.gpus[gpu], booking: hold.booking, start: Math.max(start, hold.start), end: Math.min(end, hold.end) })));
    }

    /** Whether nobody who is active holds the GPU in the window. */
    isFree(/** @type {number} */ gpu, /** @type {number} */ start, /** @type {number} */ end, except = 0) {
        return this.holdsIn(gpu, start, end).every(({ booking }) => booking.status !== 0 || booking.id === except);
    }

    /** GPUs of a node that are free in the window. */
    freeGpus(/** @type {Node} */ node, /** @type {number} */ start, /** @type {number} */ end, except = 0) {
        const free = [];
        for (let gpu = node.first; gpu < node.first + node.count; gpu++) {
            if (this.isFree(gpu, start, end, except)) {
                free.push(gpu);
            }
        }
        return free;
    }

    /**
     * How busy these GPUs are in the model's window: GPUs held in each hour, and GPUs held at any hour of each day (from `now` on, for
     * today). Both arrays begin at the midnight `first`.
     */
    occupancy(/** @type {Iterable<number>} */ gpus, /** @type {number} */ now) {
        const first = midnightOf(this.start);
        const hours = new Int32Array(Math.max(0, this.end - first) + DAY + 1);
        const days = new Int32Array(Math.ceil(hours.length / DAY) + 1);
        for (const gpu of gpus) {
            let counted = -1;
            for (const { start, end } of this.holds[gpu]) {
                hours[start - first]++;
                hours[end - first]--;
                const over = midnightOf(now) === midnightOf(end - 1) && end <= now ? 1 : 0;
                const last = Math.floor((end - 1 - first) / DAY) - over;
                for (let day = Math.max(counted + 1, Math.floor((start - first) / DAY)); day <= last; day++) {
                    days[day]++;
                    counted = day;
                }
            }
        }
        for (let hour = 1; hour < hours.length; hour++) {
            hours[hour] += hours[hour - 1];
        }
        return { first, hours, days };
    }
}
