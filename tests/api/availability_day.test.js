'use strict';
/* GET /api/availability?granularity=day */
const assert = require('node:assert/strict');
const {assertHas, availability, book, cancel} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const it = suite();

it('days run from midnight to midnight and carry their date as key', async (server) => {
    const grid = await availability(server, {
        node_id: 'alpha', granularity: 'day', start: '2031-02-27', end: '2031-03-02',
    });
    const {nodes} = (await request(server, 'GET', '/api/nodes')).json;
    assert.deepEqual(grid.node, nodes[1]);
    assert.deepEqual(grid.hours, []);
    assert.deepEqual(grid.grid.hours, []);
    assert.deepEqual(grid.grid.days, [
        {key: '2031-02-27', start: '2031-02-27T00:00:00+00:00', end: '2031-02-28T00:00:00+00:00'},
        {key: '2031-02-28', start: '2031-02-28T00:00:00+00:00', end: '2031-03-01T00:00:00+00:00'},
        {key: '2031-03-01', start: '2031-03-01T00:00:00+00:00', end: '2031-03-02T00:00:00+00:00'},
    ]);
    assert.deepEqual(grid.grid.rows.map((row) => row.gpu.id), ['gpu2', 'gpu0', 'gpu1']);
    assert.deepEqual(grid.grid.rows[0].day_slots[1], {
        start: '2031-02-28T00:00:00+00:00', end: '2031-03-01T00:00:00+00:00', status: 'free', booked_hours: 0,
        total_hours: 24, priority: null, bookings: [],
    });
});

it('from mid-day the days are steps of 24 hours, the last may be shorter', async (server) => {
    const grid = await availability(server, {
        node_id: 'beta', granularity: 'day', start: '2031-03-10T12:30', end: '2031-03-12T17:00',
    });
    assert.deepEqual(grid.grid.days, [
        {key: '2031-03-10', start: '2031-03-10T12:00:00+00:00', end: '2031-03-11T12:00:00+00:00'},
        {key: '2031-03-11', start: '2031-03-11T12:00:00+00:00', end: '2031-03-12T12:00:00+00:00'},
        {key: '2031-03-12', start: '2031-03-12T12:00:00+00:00', end: '2031-03-12T17:00:00+00:00'},
    ]);
    assert.deepEqual(grid.grid.rows[0].day_slots.map((slot) => slot.total_hours), [24, 24, 5]);
});

it('a day is free, partial or occupied by its booked hours', async (server) => {
    const make = (start, end) => book(server, {node_id: 'beta', start, end, user_label: 'ada', gpu_count: 1});
    /* 6 h on the first day; the second one whole, in two pieces; nothing on the third; 1 h on the fourth. */
    const a = await make('2031-04-01T18:00', '2031-04-02T10:00');
    const b = await make('2031-04-02T10:00', '2031-04-03T00:00');
    const c = await make('2031-04-04T00:00', '2031-04-04T01:00');
    const grid = await availability(server, {
        node_id: 'beta', granularity: 'day', start: '2031-04-01', end: '2031-04-05',
    });
    const slots = grid.grid.rows[0].day_slots;
    assert.deepEqual(slots.map((slot) => slot.status), ['partial', 'occupied', 'free', 'partial']);
    assert.deepEqual(slots.map((slot) => slot.booked_hours), [6, 24, 0, 1]);
    assert.deepEqual(slots.map((slot) => slot.bookings.map(({id}) => id)),
        [[a.booking_id], [a.booking_id, b.booking_id], [], [c.booking_id]]);
    assertHas(slots[1].bookings[0], {
        id: a.booking_id, user_label: 'ada', start: '2031-04-01T18:00:00+00:00', end: '2031-04-02T10:00:00+00:00',
        status: 'active', gpu_ids: ['gpu0'], priority: 'medium', hours: 10,
        overlap_start: '2031-04-02T00:00:00+00:00', overlap_end: '2031-04-02T10:00:00+00:00',
    });
    assertHas(slots[1].bookings[1], {
        hours: 14, overlap_start: '2031-04-02T10:00:00+00:00', overlap_end: '2031-04-03T00:00:00+00:00',
    });
    assertHas(slots[0].bookings[0], {
        hours: 6, overlap_start: '2031-04-01T18:00:00+00:00', overlap_end: '2031-04-02T00:00:00+00:00',
    });
});

it('a short last day is occupied when its hours are', async (server) => {
    await book(server, {
        node_id: 'beta', start: '2031-05-02', end: '2031-05-02T03:00', user_label: 'ada', gpu_count: 1,
    });
    const grid = await availability(server, {
        node_id: 'beta', granularity: 'day', start: '2031-05-01', end: '2031-05-02T03:00',
    });
    const slot = grid.grid.rows[0].day_slots[1];
    assertHas(slot, {status: 'occupied', booked_hours: 3, total_hours: 3});
});

it("a day's priority is the highest of its bookings", async (server) => {
    const make = (hour, priority) => book(server, {
        node_id: 'beta', start: `2031-06-0${hour}`, end: `2031-06-0${hour}:59`, user_label: 'ada', gpu_count: 1, priority,
    });
    await make('1T01', 'low');
    await make('2T01', 'low');
    await make('2T02', 'high');
    await make('2T03', 'medium');
    await make('3T01', 'medium');
    await make('3T02', 'low');
    const grid = await availability(server, {
        node_id: 'beta', granularity: 'day', start: '2031-06-01', end: '2031-06-05',
    });
    assert.deepEqual(grid.grid.rows[0].day_slots.map((slot) => slot.priority), ['low', 'high', 'medium', null]);
});

it('a cancelled booking is not in the days', async (server) => {
    const made = await book(server, {
        node_id: 'alpha', start: '2031-07-01', end: '2031-07-02', user_label: 'ada', gpu_ids: ['gpu0'],
    });
    const query = {node_id: 'alpha', granularity: 'day', start: '2031-07-01', end: '2031-07-02'};
    const before = (await availability(server, query)).grid.rows.map((row) => row.day_slots[0].status);
    assert.deepEqual(before, ['free', 'occupied', 'free']);
    assert.equal((await cancel(server, made.booking_id)).status, 200);
    const [, after] = (await availability(server, query)).grid.rows;
    assertHas(after.day_slots[0], {status: 'free', booked_hours: 0, priority: null, bookings: []});
});

it('a booking of several GPUs is in the days of each, and counts once in each', async (server) => {
    const made = await book(server, {
        node_id: 'alpha', start: '2031-08-01T06:00', end: '2031-08-01T08:00', user_label: 'ada', gpu_ids: ['gpu0', 'gpu2'],
    });
    const grid = await availability(server, {
        node_id: 'alpha', granularity: 'day', start: '2031-08-01', end: '2031-08-02',
    });
    const [gpu2, gpu0, gpu1] = grid.grid.rows.map((row) => row.day_slots[0]);
    for (const slot of [gpu2, gpu0]) {
        assertHas(slot, {status: 'partial', booked_hours: 2});
        assertHas(slot.bookings[0], {id: made.booking_id, gpu_ids: ['gpu2', 'gpu0'], hours: 2});
    }
    assert.deepEqual(gpu1.bookings, []);
});
