/**
 * What the page shows, worked out from what the API says. Pure: no document, no network, no clock.
 *
 * @typedef {object} Bar  a booking on one GPU, as far as it lies in the week
 * @property {number} id
 * @property {string} node         the node's name
 * @property {string} who
 * @property {'high'|'medium'|'low'} priority
 * @property {number} from         where the bar starts in the week (hour)
 * @property {number} to           where it ends
 * @property {number} start        the booking's own window, which may reach beyond the week
 * @property {number} end
 * @property {string[]} gpus       all GPUs of the booking
 * @property {boolean} fromBefore  it was already held when the week began
 * @property {boolean} goesOn      it is still held when the week ends
 * @property {boolean} joinsAbove  the GPU above shows the same booking over the same hours
 * @property {boolean} joinsBelow
 *
 * @typedef {{id: string, kind: string, prefix: string, rest: string, bars: Bar[]}} Gpu
 * @typedef {{id: string, name: string, kinds: {kind: string, count: number}[], gpus: Gpu[]}} Node
 */

import { DAY, WEEK, hourOf, lengthOf, momentOf, stampOf } from './time.js';

const PRIORITIES = ['high', 'medium', 'low'];

/** The pieces of one GPU's days, put together again: a bar for each stretch a booking holds. */
export function barsOf(daySlots, week, node = '') {
    const open = new Map(); /* booking id → the bar that its next piece may continue */
    const bars = [];
    for (const slot of daySlots) {
        for (const piece of slot.bookings) {
            const from = hourOf(piece.overlap_start);
            const to = hourOf(piece.overlap_end);
            const bar = open.get(piece.id);
            if (bar && bar.to === from) {
                bar.to = to;
                continue;
            }
            const fresh = {
                id: piece.id,
                node,
                who: piece.user_label,
                priority: PRIORITIES.includes(piece.priority) ? piece.priority : 'medium',
                from,
                to,
                start: hourOf(piece.start),
                end: hourOf(piece.end),
                gpus: piece.gpu_ids,
                joinsAbove: false,
                joinsBelow: false,
            };
            open.set(piece.id, fresh);
            bars.push(fresh);
        }
    }
    for (const bar of bars) {
        bar.fromBefore = bar.from === week && bar.start < week;
        bar.goesOn = bar.to === week + WEEK && bar.end > week + WEEK;
    }
    return bars.sort((a, b) => a.from - b.from);
}

/** Marks where one booking lies on neighbouring GPUs over the same hours, so that it is drawn as one block. */
function joinRows(gpus) {
    for (let row = 1; row < gpus.length; row++) {
        for (const bar of gpus[row].bars) {
            const above = gpus[row - 1].bars.find((b) => b.id === bar.id && b.from === bar.from && b.to === bar.to);
            if (above) {
                above.joinsBelow = true;
                bar.joinsAbove = true;
            }
        }
    }
}

/** What all ids begin with, up to a separator: "node-a-" of node-a-gpu0 and node-a-gpu1. Narrow rows leave it out. */
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

/** The kinds of a node's GPUs, in the order they first come, and how many there are of each. */
export function kindsOf(gpus) {
    const counts = new Map();
    for (const gpu of gpus) {
        counts.set(gpu.kind, (counts.get(gpu.kind) ?? 0) + 1);
    }
    return [...counts].map(([kind, count]) => ({ kind, count }));
}

/** The nodes as the table shows them. Without an availability (it is still on its way) every row is empty. */
export function nodesOf(nodes, availability, week) {
    const rows = new Map();
    for (const { node, grid } of availability ?? []) {
        rows.set(node.id, new Map(grid.rows.map((row) => [row.gpu.id, row.day_slots])));
    }
    return nodes.map((node) => {
        const prefix = commonPrefix(node.gpus.map((gpu) => gpu.id));
        const gpus = node.gpus.map((gpu) => ({
            id: gpu.id,
            kind: gpu.kind,
            prefix,
            rest: gpu.id.slice(prefix.length),
            bars: barsOf(rows.get(node.id)?.get(gpu.id) ?? [], week, node.name),
        }));
        joinRows(gpus);
        return { id: node.id, name: node.name, kinds: kindsOf(node.gpus), gpus };
    });
}

const isHeld = (gpu, start, end) => gpu.bars.some((bar) => bar.from < end && bar.to > start);

/** How many of these GPUs nobody holds at any time of the window. */
export function countFree(gpus, { start, end }) {
    return gpus.filter((gpu) => !isHeld(gpu, start, end)).length;
}

/** "2 free now", "full now"; nothing where now lies outside the week that is shown. */
export function freeNow(node, now, week) {
    if (node.gpus.length === 0 || now < week || now >= week + WEEK) {
        return '';
    }
    const hour = Math.floor(now);
    const free = countFree(node.gpus, { start: hour, end: hour + 1 });
    return free === 0 ? 'full now' : `${free} free now`;
}

/** "AB, high, Mon 12:00 to Wed 08:00 UTC": a bar's name for those who do not see it. */
export function barName(bar, week) {
    const [start, end] = barWindow(bar);
    return `${bar.who}, ${bar.priority}, ${momentOf(start, week)} to ${momentOf(end, week, true)} UTC`;
}

/** The hours a bar stands for: as drawn, and beyond the week's edge as booked. */
export function barWindow(bar) {
    return [bar.fromBefore ? bar.start : bar.from, bar.goesOn ? bar.end : bar.to];
}

/** "Running, 2 d 4 h left of 4 d 9 h" */
export function stateOf(bar, now) {
    const [start, end] = barWindow(bar);
    const length = lengthOf(end - start);
    if (now < start) {
        return `Starts in ${lengthOf(start - now)}, for ${length}`;
    }
    return now < end ? `Running, ${lengthOf(end - now)} left of ${length}` : `Over, was ${length}`;
}

/** One word for a POSIX shell, whatever is in it. */
export function shellQuote(text) {
    return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command that books one GPU of the first node that has a free one, for two hours from now. */
export function bookCommand(nodes, url, now) {
    const start = Math.floor(now);
    const end = start + 2;
    const withGpus = nodes.filter((node) => node.gpus.length > 0);
    const node = withGpus.find(({ gpus }) => countFree(gpus, { start, end }) > 0) ?? withGpus[0];
    if (!node) {
        return '';
    }
    const body = {
        node_id: node.id, gpu_count: 1, start: stampOf(start), end: stampOf(end), user_label: 'AB', priority: 'medium',
    };
    return `curl -d ${shellQuote(JSON.stringify(body))} ${shellQuote(url)}`;
}

/** The bar in a row that lies nearest to another one: where an arrow key goes, up or down. */
export function nearestBar(bars, to) {
    const gap = (bar) => Math.max(bar.from - to.to, to.from - bar.to, 0);
    const apart = (bar) => Math.abs(bar.from - to.from);
    return bars.reduce((best, bar) => (gap(bar) < gap(best) || (gap(bar) === gap(best) && apart(bar) < apart(best))
        ? bar : best), bars[0]);
}

/** The days of a week over which the counts are worth showing: those that are not past. */
export function isPast(day, now) {
    return day.start + DAY <= now;
}
