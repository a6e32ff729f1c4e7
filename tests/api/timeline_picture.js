'use strict';
/*
 * What a client of GET /api/timeline keeps: the answers decoded into plain hours, and changes taken in as the contract says
 * (drop what `removed` names and every booking that is listed, with all it holds; then add what is listed).
 */
const assert = require('node:assert/strict');
const {hourOf} = require('./clock.js');

/* A row with its left-out members, its hours counted from 1970. */
function decodeBooking(row, origin) {
    assert.ok(row.length >= 4 && row.length <= 9, JSON.stringify(row));
    const [id, start, end, label, priority = 1, status = 0, owner = null, version = 1, note = null] = row;
    return {id, start: start + origin, end: end + origin, label, priority, status, owner, version, note};
}

/* The holds of one answer: [{gpu, start, end, id}…]. Each must belong to a booking that the same answer lists. */
function decodeHeld(answer, bookings, origin) {
    const length = hourOf(answer.end) - origin;
    return answer.held.flatMap(([gpu, ...holds]) => {
        assert.ok(holds.length > 0, 'a GPU that holds nothing has no row');
        return holds.map((hold) => {
            const id = typeof hold === 'number' ? hold : hold[2];
            const booking = bookings.get(id);
            assert.ok(booking, `held by booking ${id}, which is not listed`);
            const planned = [Math.max(booking.start - origin, 0), Math.min(booking.end - origin, length)];
            const [start, end] = typeof hold === 'number' ? planned : hold;
            assert.ok(start < end && start >= 0 && end <= length, `hold ${JSON.stringify(hold)} is not within the window`);
            if (typeof hold !== 'number') assert.notDeepEqual([start, end], planned, 'the short form would have done');
            return {gpu, start: start + origin, end: end + origin, id};
        });
    });
}

class Picture {
    take(answer) {
        const origin = hourOf(answer.start);
        const listed = new Map(answer.bookings.map((row) => [row[0], decodeBooking(row, origin)]));
        const held = decodeHeld(answer, listed, origin);
        assert.equal(listed.size, answer.bookings.length, 'a booking is listed twice');
        if (answer.full) {
            Object.assign(this, {nodes: answer.nodes, start: answer.start, end: answer.end, bookings: new Map(), held: []});
            assert.deepEqual(answer.removed, []);
        } else {
            assert.deepEqual(answer.nodes, []);
            if (answer.start !== this.start || answer.end !== this.end) this.lookElsewhere(answer);
        }
        const gone = new Set([...answer.removed, ...listed.keys()]);
        assert.equal(gone.size, answer.removed.length + listed.size, 'removed and listed at once');
        this.held = this.held.filter((hold) => !gone.has(hold.id)).concat(held);
        for (const id of gone) this.bookings.delete(id);
        for (const [id, booking] of listed) this.bookings.set(id, booking);
        this.since = `${answer.epoch}.${answer.revision}`;
        return this;
    }

    /* Another window: lets go of what is not in it. */
    lookElsewhere({start, end}) {
        const [first, last] = [hourOf(start), hourOf(end)];
        Object.assign(this, {start, end});
        this.held = this.held.map((hold) => ({...hold, start: Math.max(hold.start, first), end: Math.min(hold.end, last)}))
            .filter((hold) => hold.start < hold.end);
        for (const {id, status, ...window} of [...this.bookings.values()])
            if (window.start >= last || window.end <= first || (status !== 0 && !this.held.some((hold) => hold.id === id))) this.bookings.delete(id);
    }

    /* For comparing: everything in one order. */
    content() {
        return {
            nodes: this.nodes,
            bookings: [...this.bookings.values()].sort((a, b) => a.id - b.id),
            held: [...this.held].sort((a, b) => a.gpu - b.gpu || a.start - b.start),
        };
    }
}

module.exports = {Picture};
