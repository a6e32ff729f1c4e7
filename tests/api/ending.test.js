'use strict';
/* POST /api/mark_done and DELETE /api/bookings/ID, and what becomes of the hours. */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {assertHas, assertRefused, availability, book, cancel, hoursOf, markDone, tryToBook} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

/* Each test that needs the current hour has a GPU of its own. */
const gpus = Array.from({length: 16}, (_, index) => ({id: `g${index}`, kind: 'A100'}));
const it = suite({config: {nodes: [{id: 'n', gpus}]}});

let nextGpu = 0;
const ownGpu = () => gpus[nextGpu++].id;
const bookHours = (server, gpu, start, end, label = 'ada') => book(server, {
    node_id: 'n', start: iso(start), end: iso(end), user_label: label, gpu_ids: [gpu],
});
let nextFuture = 0;
/* A booking of 2031, one day each. */
const bookFuture = (server) => {
    const day = Date.UTC(2031, 0, 1 + nextFuture++) / 3_600_000;
    return bookHours(server, 'g15', day, day + 24);
};

/* -- answers -------------------------------------------------------------------------------------------------- */

it('mark_done completes a booking', async (server) => {
    const {booking_id} = await bookFuture(server);
    const answer = await markDone(server, booking_id);
    assert.equal(answer.status, 200);
    assertHas(answer.json, {booking_id, status: 'completed'});
});

it('mark_done reads an id given as text', async (server) => {
    const {booking_id} = await bookFuture(server);
    const answer = await markDone(server, String(booking_id));
    assert.equal(answer.status, 200);
    assertHas(answer.json, {booking_id, status: 'completed'});
});

it('DELETE cancels a booking', async (server) => {
    const {booking_id} = await bookFuture(server);
    const answer = await cancel(server, booking_id);
    assert.equal(answer.status, 200);
    assertHas(answer.json, {booking_id, status: 'cancelled'});
});

it('DELETE accepts a slash at the end', async (server) => {
    const {booking_id} = await bookFuture(server);
    const answer = await cancel(server, `${booking_id}/`);
    assert.equal(answer.status, 200);
    assertHas(answer.json, {booking_id, status: 'cancelled'});
});

it('what has ended cannot be ended again', async (server) => {
    const a = (await bookFuture(server)).booking_id;
    const b = (await bookFuture(server)).booking_id;
    await markDone(server, a);
    await cancel(server, b);
    for (const id of [a, b]) {
        assertRefused(await markDone(server, id), 404, `Booking '${id}' is not active or does not exist`);
        assertRefused(await cancel(server, id), 404, `Booking '${id}' is not active or does not exist`);
    }
});

it('an unknown booking is a 404 that names it', async (server) => {
    for (const id of ['999999', '0', '-1', '999999999999999999'])
        assertRefused(await cancel(server, id), 404, `Booking '${id}' is not active or does not exist`);
    for (const id of [999999, -1, '999999'])
        assertRefused(await markDone(server, id), 404, `Booking '${id}' is not active or does not exist`);
});

it('a booking id too large for any integer is a 404 too', async (server) => {
    for (const id of ['99999999999999999999', '9'.repeat(400)]) {
        const answer = await cancel(server, id);
        assertRefused(answer, 404);
        assert.match(answer.json.error, /^Booking '9+.*is not active or does not exist$/);
    }
});

for (const id of ['abc', '1.5', '1e3', '0x1', '1/2', '1,2', '%20', '%C2%B2', "'", '1x', '--1', '']) {
    it(`DELETE /api/bookings/${id} is a 400`, async (server) => {
        assertRefused(await cancel(server, id), 400,
            id === '' ? 'Booking id is required' : 'Booking id must be an integer');
    });
}

for (const body of ['', '{}', '{"booking_id":null}', '{"id":1}']) {
    it(`mark_done with ${JSON.stringify(body)} wants a booking_id`, async (server) => {
        assertRefused(await request(server, 'POST', '/api/mark_done', {body}), 400, "'booking_id' is required");
    });
}

for (const value of ['1.9', 'true', '""', '"1.0"', '"one"', '"1 2"', '[1]', '{"a":1}', '1.5e0']) {
    it(`mark_done with a booking_id of ${value} is a 400`, async (server) => {
        await bookFuture(server); /* so that booking 1 is there to be ended by mistake */
        assertRefused(await request(server, 'POST', '/api/mark_done', {body: `{"booking_id":${value}}`}), 400, /booking_id/);
    });
}

it('mark_done wants an object', async (server) => {
    assertRefused(await request(server, 'POST', '/api/mark_done', {body: '[1]'}), 400, 'JSON payload must be an object');
    assertRefused(await request(server, 'POST', '/api/mark_done', {body: '{'}), 400, /^Invalid JSON payload: /);
});

/* -- hours ---------------------------------------------------------------------------------------------------- */

for (const [name, end] of [['mark_done', markDone], ['DELETE', cancel]]) {
    it(`${name} on a booking that has not begun frees all of it`, async (server) => {
        const [now, gpu] = [await steadyHour(), ownGpu()];
        const {booking_id} = await bookHours(server, gpu, now + 1, now + 3);
        assert.equal((await end(server, booking_id)).status, 200);
        assert.equal(await hoursOf(server, 'n', gpu, iso(now), iso(now + 4)), '....');
        await bookHours(server, gpu, now + 1, now + 3);
        assert.equal(await hoursOf(server, 'n', gpu, iso(now), iso(now + 4)), '.##.');
    });

    it(`${name} on a begun booking frees it from the current hour on`, async (server) => {
        const [now, gpu] = [await steadyHour(), ownGpu()];
        const {booking_id} = await bookHours(server, gpu, now - 2, now + 3);
        assert.equal(await hoursOf(server, 'n', gpu, iso(now - 3), iso(now + 4)), '.#####.');
        assert.equal((await end(server, booking_id)).status, 200);
        await bookHours(server, gpu, now, now + 3, 'next');
        assert.equal(await hoursOf(server, 'n', gpu, iso(now - 3), iso(now + 4)), '...###.');
    });

    it(`${name}: the hours list the ended booking with its planned window, the slots are free`, async (server) => {
        const [now, gpu] = [await steadyHour(), ownGpu()];
        const {booking_id} = await bookHours(server, gpu, now - 2, now + 2);
        assert.equal((await end(server, booking_id)).status, 200);
        const grid = await availability(server, {node_id: 'n', start: iso(now - 3), end: iso(now + 3)});
        const listed = grid.hours.map((hour) => hour.bookings.filter(({id}) => id === booking_id));
        assert.deepEqual(listed.map((found) => found.length), [0, 1, 1, 1, 1, 0]);
        assertHas(listed[4][0], {
            start: iso(now - 2), end: iso(now + 2), status: end === cancel ? 'cancelled' : 'completed', gpu_ids: [gpu],
        });
        for (const hour of grid.hours) assert.ok(hour.available_gpu_ids.includes(gpu));
        assert.equal(await hoursOf(server, 'n', gpu, iso(now - 3), iso(now + 3)), '......');
    });
}

it('today from midnight can be booked again after somebody finished this morning', async (server) => {
    const [now, gpu] = [await steadyHour(), ownGpu()];
    const first = await bookHours(server, gpu, now - 4, now + 4);
    assert.equal((await markDone(server, first.booking_id)).status, 200);
    const second = await bookHours(server, gpu, now - 6, now + 6, 'next');
    assertHas(second, {start: iso(now - 6), end: iso(now + 6)});
    /* What it holds starts after the used hours of the first one. */
    assert.equal(await hoursOf(server, 'n', gpu, iso(now - 7), iso(now + 7)), '.......######.');
    const answer = await tryToBook(server, {
        node_id: 'n', start: iso(now + 5), end: iso(now + 7), user_label: 'late', gpu_ids: [gpu],
    });
    assertRefused(answer, 409);
    assert.equal(answer.json.conflicts[0].booking_id, second.booking_id);
});

it('the used hours of an ended booking do not count as busy for a count either', async (server) => {
    const [now, gpu] = [await steadyHour(), ownGpu()];
    const first = await bookHours(server, gpu, now - 4, now + 4);
    await markDone(server, first.booking_id);
    const answer = await tryToBook(server, {
        node_id: 'n', start: iso(now - 4), end: iso(now - 3), user_label: 'wide', gpu_count: gpus.length, dry_run: true,
    });
    /* Other tests hold some of the GPUs in these hours, this one's must not be in the way. */
    if (answer.status === 409) assert.ok(answer.json.conflicts.every((conflict) => conflict.gpu_id !== gpu));
    else assert.equal(answer.status, 200, answer.text);
});

it('ending a booking that has wholly passed keeps its hours as history and refuses nothing', async (server) => {
    const [now, gpu] = [await steadyHour(), ownGpu()];
    const first = await bookHours(server, gpu, now - 5, now - 3);
    assert.equal((await markDone(server, first.booking_id)).status, 200);
    const inside = await bookHours(server, gpu, now - 5, now - 4, 'inside');
    assertHas(inside, {start: iso(now - 5), end: iso(now - 4)});
    await bookHours(server, gpu, now - 3, now + 1, 'behind');
    assert.equal(await hoursOf(server, 'n', gpu, iso(now - 6), iso(now + 2)), '...####.');
});

it('a day shows what was given back as free', async (server) => {
    const [now, gpu] = [await steadyHour(), ownGpu()];
    const {booking_id} = await bookHours(server, gpu, now - 1, now + 23);
    await markDone(server, booking_id);
    const grid = await availability(server, {
        node_id: 'n', granularity: 'day', start: iso(now - 1), end: iso(now + 23),
    });
    const slot = grid.grid.rows.find((row) => row.gpu.id === gpu).day_slots[0];
    assertHas(slot, {status: 'free', booked_hours: 0, bookings: [], priority: null});
});
