'use strict';
/* What depends on the clock, with a clock that the test sets. */
const assert = require('node:assert/strict');
const {hourOf, iso} = require('./clock.js');
const {assertHas, assertRefused, availability, book, cancel, hoursOf, markDone, tryToBook} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const gpus = Array.from({length: 8}, (_, index) => ({id: `g${index}`}));
const it = suite({config: {nodes: [{id: 'n', gpus}]}, clock: true});

const seconds = (text) => Date.parse(text) / 1000;
/* Sets the clock to TEXT and gives the hour in which it stands. */
function at(server, text) {
    server.setClock(seconds(text));
    return Math.floor(hourOf(text));
}

let nextGpu = 0;
const ownGpu = () => gpus[nextGpu++].id;
const bookHours = (server, gpu, start, end, label = 'ada') => book(server, {
    node_id: 'n', start: iso(start), end: iso(end), user_label: label, gpu_ids: [gpu],
});

/* -- default windows ------------------------------------------------------------------------------------------ */

for (const [now, day] of [
    ['2027-03-10T00:00:00Z', '2027-03-10'], ['2027-03-10T12:34:56Z', '2027-03-10'], ['2027-03-10T19:59:30Z', '2027-03-10'],
    ['2027-03-10T20:00:00Z', '2027-03-11'], ['2027-03-10T23:59:30Z', '2027-03-11'], ['2027-12-31T20:00:00Z', '2028-01-01'],
    ['2028-02-28T21:00:00Z', '2028-02-29'], ['2040-02-29T08:00:00Z', '2040-02-29'], ['2039-12-31T19:00:00Z', '2039-12-31'],
]) {
    it(`at ${now} the default window is ${day}`, async (server) => {
        at(server, now);
        const start = hourOf(`${day}T00:00Z`);
        for (const granularity of ['hour', 'day']) {
            const one = await availability(server, {node_id: 'n', granularity});
            assert.deepEqual([one.start, one.end], [iso(start), iso(start + 24)]);
            const bulk = await request(server, 'POST', '/api/availability_bulk', {body: {granularity}});
            assert.deepEqual(bulk.json.availability, [one]);
        }
    });
}

it('the default window moves on though nothing was written', async (server) => {
    const target = '/api/availability?node_id=n';
    at(server, '2027-04-10T19:59:00Z');
    const before = await request(server, 'GET', target);
    assert.equal(before.json.start, '2027-04-10T00:00:00+00:00');
    at(server, '2027-04-10T20:00:01Z');
    for (let i = 0; i < 16; i++) {
        const after = await request(server, 'GET', target, {headers: {'If-None-Match': before.headers.etag}});
        assert.equal(after.status, 200);
        assert.equal(after.json.start, '2027-04-11T00:00:00+00:00');
    }
});

for (const [now, monday] of [
    ['2027-03-07T23:59:30Z', '2027-03-01'], ['2027-03-08T00:00:00Z', '2027-03-08'], ['2027-03-14T12:00:00Z', '2027-03-08'],
    ['2027-12-31T20:00:00Z', '2027-12-27'], ['2028-01-01T00:00:00Z', '2027-12-27'], ['2040-02-29T08:00:00Z', '2040-02-27'],
]) {
    it(`at ${now} the timeline's week begins on ${monday}`, async (server) => {
        at(server, now);
        const {start, end} = (await request(server, 'GET', '/api/timeline')).json;
        assert.deepEqual([start, end], [iso(hourOf(`${monday}T00:00Z`)), iso(hourOf(`${monday}T00:00Z`) + 7 * 24)]);
    });
}

it("last week's revision is of no use to who asks for this week's timeline", async (server) => {
    const timeline = async (query) => (await request(server, 'GET', `/api/timeline?${query}`)).json;
    at(server, '2027-05-09T23:30:00Z'); /* a Sunday */
    const made = await bookHours(server, ownGpu(), hourOf('2027-05-10T10:00Z'), hourOf('2027-05-10T12:00Z'));
    const sunday = await timeline('');
    assert.deepEqual(sunday.bookings, []);
    const still = await timeline(`since=${sunday.revision}`);
    assert.equal(still.full, false);
    at(server, '2027-05-10T00:10:00Z');
    const monday = await timeline(`since=${sunday.revision}`);
    assert.equal(monday.full, true);
    assert.deepEqual(monday.bookings, [[made.booking_id, 10, 12, 'ada']]);
    const given = await timeline(`since=${sunday.revision}&start=2027-05-03&end=2027-05-10`);
    assert.equal(given.full, false, 'a window that was given stays what it was');
    await cancel(server, made.booking_id);
    const {revision} = await timeline('');
    assert.equal((await timeline(`since=${revision}`)).full, false);
});

it('the ETag of a default window stands for an hour, that of a given one for as long as nothing is written', async (server) => {
    const tag = async (target, tagBefore) => {
        const answer = await request(server, 'GET', target, {headers: {'If-None-Match': tagBefore ?? '"none"'}});
        return [answer.status, answer.headers.etag];
    };
    const [open, given] = ['/api/availability?node_id=n', '/api/availability?node_id=n&start=2027-05-01&end=2027-05-02'];
    at(server, '2027-05-10T08:00:10Z');
    const [, openTag] = await tag(open);
    const [, givenTag] = await tag(given);
    at(server, '2027-05-10T08:59:00Z');
    assert.equal((await tag(open, openTag))[0], 304);
    at(server, '2027-05-10T09:00:01Z');
    assert.equal((await tag(open, openTag))[0], 200);
    at(server, '2030-05-10T09:00:01Z');
    assert.deepEqual(await tag(given, givenTag), [304, givenTag]);
});

/* -- ending --------------------------------------------------------------------------------------------------- */

for (const [name, end] of [['mark_done', markDone], ['DELETE', cancel]]) {
    it(`${name} in the hour in which the booking began gives back all of it`, async (server) => {
        const gpu = ownGpu();
        const now = at(server, '2027-06-10T10:30:00Z');
        const first = await bookHours(server, gpu, now, now + 4);
        assert.equal((await end(server, first.booking_id)).status, 200);
        await bookHours(server, gpu, now, now + 4, 'next');
        assert.equal(await hoursOf(server, 'n', gpu, iso(now - 1), iso(now + 5)), '.####.');
    });

    it(`${name} a second before the next hour keeps the hours before the current one`, async (server) => {
        const gpu = ownGpu();
        const start = at(server, '2027-07-10T10:00:00Z');
        const first = await bookHours(server, gpu, start, start + 6);
        at(server, '2027-07-10T12:59:50Z');
        assert.equal((await end(server, first.booking_id)).status, 200);
        await bookHours(server, gpu, start, start + 6, 'next');
        /* 10 and 11 were used by the first; what the second holds begins at 12. */
        assert.equal(await hoursOf(server, 'n', gpu, iso(start - 1), iso(start + 7)), '...####.');
    });
}

it('a booking that has passed can be ended, and its hours stay as they were', async (server) => {
    const gpu = ownGpu();
    const start = at(server, '2027-08-10T10:00:00Z');
    const first = await bookHours(server, gpu, start, start + 2);
    at(server, '2027-08-12T10:00:00Z');
    assert.equal(await hoursOf(server, 'n', gpu, iso(start - 1), iso(start + 3)), '.##.');
    assert.equal((await markDone(server, first.booking_id)).status, 200);
    assert.equal(await hoursOf(server, 'n', gpu, iso(start - 1), iso(start + 3)), '....');
    const grid = await availability(server, {node_id: 'n', start: iso(start), end: iso(start + 2)});
    assertHas(grid.hours[0].bookings.find(({id}) => id === first.booking_id), {status: 'completed', end: iso(start + 2)});
    await bookHours(server, gpu, start, start + 2, 'in hindsight');
});

it('a chain of people who finish early: each holds what the others left', async (server) => {
    const gpu = ownGpu();
    const day = at(server, '2027-09-10T00:00:00Z');
    for (const hour of ['03', '07', '07', '12']) {
        const {booking_id} = await bookHours(server, gpu, day, day + 24, `until ${hour}`);
        at(server, `2027-09-10T${hour}:20:00Z`);
        assert.equal((await markDone(server, booking_id)).status, 200);
    }
    await bookHours(server, gpu, day, day + 24, 'rest');
    assert.equal(await hoursOf(server, 'n', gpu, iso(day), iso(day + 24)), '.'.repeat(12) + '#'.repeat(12));
    const grid = await availability(server, {node_id: 'n', start: iso(day), end: iso(day + 1)});
    assert.equal(grid.hours[0].bookings.filter(({gpu_ids}) => gpu_ids[0] === gpu).length, 5);
});

/* -- keys ----------------------------------------------------------------------------------------------------- */

it('an Idempotency-Key is remembered for seven days', async (server) => {
    const body = (label) => ({node_id: 'n', start: '2027-10-01', end: '2027-10-02', user_label: label, gpu_count: 1});
    const withKey = (sent) => tryToBook(server, sent, {'Idempotency-Key': 'a-week'});
    at(server, '2027-10-10T10:00:00Z');
    const first = await withKey(body('first'));
    assert.equal(first.status, 201);
    at(server, '2027-10-17T09:59:00Z');
    assert.deepEqual((await withKey(body('first'))).json, first.json);
    assertRefused(await withKey(body('second')), 422);
    at(server, '2027-10-17T10:01:00Z');
    const later = await withKey(body('second'));
    assert.equal(later.status, 201);
    assert.notEqual(later.json.booking_id, first.json.booking_id);
});

it('a clock that is set back does no harm', async (server) => {
    at(server, '2035-01-01T00:00:00Z');
    const made = await book(server, {node_id: 'n', start: '2035-01-01', end: '2035-01-02', user_label: 'ada', gpu_count: 1});
    at(server, '2027-11-10T10:00:00Z');
    assert.equal((await request(server, 'GET', '/api/health')).status, 200);
    assert.equal((await cancel(server, made.booking_id)).status, 200);
    await book(server, {node_id: 'n', start: '2035-01-01', end: '2035-01-02', user_label: 'ada', gpu_ids: made.gpu_ids});
});
