'use strict';
/* GET /api/availability by the hour, and what both granularities share. */
const assert = require('node:assert/strict');
const {HOUR, iso, hourOf, steadyHour} = require('./clock.js');
const {assertHas, assertRefused, availability, book, cancel, markDone} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const it = suite();
const get = (server, query) => request(server, 'GET', `/api/availability${query}`);

it('an empty hour grid has a slot for each GPU and hour', async (server) => {
    const grid = await availability(server, {
        node_id: 'alpha', start: '2031-01-06T10:00:00+00:00', end: '2031-01-06T12:00:00+00:00',
    });
    const first = {start: '2031-01-06T10:00:00+00:00', end: '2031-01-06T11:00:00+00:00'};
    const second = {start: '2031-01-06T11:00:00+00:00', end: '2031-01-06T12:00:00+00:00'};
    const free = {
        available_gpu_ids: ['gpu2', 'gpu0', 'gpu1'], used_gpu_ids: [], available_count: 3, used_count: 0, bookings: [],
    };
    const {nodes} = (await request(server, 'GET', '/api/nodes')).json;
    assert.deepEqual(grid.node, nodes[1]);
    assert.equal(grid.start, '2031-01-06T10:00:00+00:00');
    assert.equal(grid.end, '2031-01-06T12:00:00+00:00');
    assert.deepEqual(grid.hours, [{...first, ...free}, {...second, ...free}]);
    assert.deepEqual(grid.grid.hours, [first, second]);
    assert.equal(grid.grid.rows.length, 3);
    for (const [index, [id, kind]] of [['gpu2', 'A100'], ['gpu0', 'A100'], ['gpu1', 'unspecified']].entries()) {
        assertHas(grid.grid.rows[index].gpu, {id, kind});
        assert.deepEqual(grid.grid.rows[index].hour_slots, [{...first, status: 'free'}, {...second, status: 'free'}]);
    }
});

it('a booked slot carries its booking, a free one has no such key', async (server) => {
    const made = await book(server, {
        node_id: 'alpha', start: '2031-01-07T10:00', end: '2031-01-07T11:00', user_label: 'ada', priority: 'high',
        gpu_ids: ['gpu1', 'gpu2'],
    });
    const grid = await availability(server, {node_id: 'alpha', start: '2031-01-07T09:00', end: '2031-01-07T12:00'});
    /* gpu_ids in configuration order: alpha lists gpu2 before gpu1. */
    const booking = {
        id: made.booking_id, user_label: 'ada', start: '2031-01-07T10:00:00+00:00', end: '2031-01-07T11:00:00+00:00',
        status: 'active', gpu_ids: ['gpu2', 'gpu1'], priority: 'high',
    };
    const [gpu2, gpu0, gpu1] = grid.grid.rows.map((row) => row.hour_slots);
    assert.deepEqual(gpu0.map((slot) => slot.status), ['free', 'free', 'free']);
    for (const slots of [gpu2, gpu1]) {
        assert.deepEqual(slots.map((slot) => slot.status), ['free', 'booked', 'free']);
        assertHas(slots[1].booking, booking);
        assert.ok(!Object.hasOwn(slots[0], 'booking') && !Object.hasOwn(slots[2], 'booking'));
    }
    assertHas(grid.hours[1], {
        available_gpu_ids: ['gpu0'], used_gpu_ids: ['gpu2', 'gpu1'], available_count: 1, used_count: 2,
    });
    assert.equal(grid.hours[1].bookings.length, 1);
    assertHas(grid.hours[1].bookings[0], booking);
    assert.deepEqual(grid.hours[0].bookings, []);
    assert.deepEqual(grid.hours[2].bookings, []);
});

it('an hour lists its bookings by start and then id, ended ones with their status', async (server) => {
    const make = (start, end, gpu) => book(server, {
        node_id: 'alpha', start: `2031-01-08T${start}`, end: `2031-01-08T${end}`, user_label: gpu, gpu_ids: [gpu],
    });
    const late = await make('11:00', '13:00', 'gpu0');
    const early = await make('10:00', '13:00', 'gpu2');
    const alsoLate = await make('11:00', '12:00', 'gpu1');
    assert.equal((await markDone(server, early.booking_id)).status, 200);
    assert.equal((await cancel(server, alsoLate.booking_id)).status, 200);
    const grid = await availability(server, {node_id: 'alpha', start: '2031-01-08T10:00', end: '2031-01-08T13:00'});
    const listed = grid.hours.map((hour) => hour.bookings.map(({id, status}) => [id, status]));
    const done = [early.booking_id, 'completed'];
    const active = [late.booking_id, 'active'];
    const cancelled = [alsoLate.booking_id, 'cancelled'];
    assert.deepEqual(listed, [[done], [done, active, cancelled], [done, active]]);
    /* Only what is active is used. Nothing of 2031 had begun when it was ended, or all of it had passed. */
    assert.deepEqual(grid.hours.map((hour) => hour.used_gpu_ids), [[], ['gpu0'], ['gpu0']]);
});

it('a booking that reaches over both edges of the window shows its whole planned window', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: '2031-01-09T08:00', end: '2031-01-09T20:00', user_label: 'long', gpu_count: 1,
    });
    const grid = await availability(server, {node_id: 'beta', start: '2031-01-09T10:00', end: '2031-01-09T11:00'});
    assert.equal(grid.hours.length, 1);
    assertHas(grid.grid.rows[0].hour_slots[0].booking, {
        id: made.booking_id, start: '2031-01-09T08:00:00+00:00', end: '2031-01-09T20:00:00+00:00',
    });
});

it('a node without GPUs has hours and no rows', async (server) => {
    const grid = await availability(server, {node_id: 'empty', start: '2031-01-06', end: '2031-01-07'});
    assert.equal(grid.hours.length, 24);
    assert.deepEqual(grid.grid.rows, []);
    assertHas(grid.hours[5], {available_gpu_ids: [], available_count: 0, used_count: 0});
});

/* -- the window ----------------------------------------------------------------------------------------------- */

/* The default window as API.md has it: the current UTC day, from 20:00 UTC on the next one. */
function defaultDay(now) {
    const day = Math.floor(now / 24) + (now % 24 >= 20 ? 1 : 0);
    return [iso(day * 24), iso(day * 24 + 24)];
}

for (const [name, query] of [
    ['without start and end', ''],
    ['with a start alone', '&start=2031-01-06T10:00'],
    ['with an end alone', '&end=2031-01-06T10:00'],
    ['with an empty start', '&start=&end=2031-01-06T10:00'],
    ['with a lone start that is no timestamp', '&start=soon'],
    ['with an empty granularity', '&granularity='],
]) {
    it(`${name} the window is the current UTC day, from 20:00 UTC on the next one`, async (server) => {
        const expected = defaultDay(await steadyHour());
        const {status, json} = await get(server, `?node_id=beta${query}`);
        assert.equal(status, 200);
        assert.deepEqual([json.start, json.end], expected);
        assert.equal(json.hours.length, 24);
    });
}

it('the default window by the day is one day', async (server) => {
    const [start, end] = defaultDay(await steadyHour());
    const {json} = await get(server, '?node_id=beta&granularity=day');
    assert.equal(json.grid.days.length, 1);
    assertHas(json.grid.days[0], {key: start.slice(0, 10), start, end});
});

it('a start snaps down and an end up, and the answer says so', async (server) => {
    const {json} = await get(server, '?node_id=beta&start=2031-01-06T10:59:59&end=2031-01-06T11:00:01');
    assert.deepEqual([json.start, json.end], ['2031-01-06T10:00:00+00:00', '2031-01-06T12:00:00+00:00']);
    assert.equal(json.hours.length, 2);
});

it('a window within one hour is that hour', async (server) => {
    const {json} = await get(server, '?node_id=beta&start=2031-01-06T10:15&end=2031-01-06T10:45');
    assert.deepEqual([json.start, json.end], ['2031-01-06T10:00:00+00:00', '2031-01-06T11:00:00+00:00']);
});

for (const [text, hour] of [
    ['2031-01-06', '2031-01-06T00:00Z'],
    ['20310106', '2031-01-06T00:00Z'],
    ['2031-W02-1', '2031-01-06T00:00Z'],
    ['2031W021', '2031-01-06T00:00Z'],
    ['2031-W02', '2031-01-06T00:00Z'],
    ['2031-01-06T09', '2031-01-06T09:00Z'],
    ['2031-01-06T0930', '2031-01-06T09:00Z'],
    ['2031-01-06T09:30:15', '2031-01-06T09:00Z'],
    ['2031-01-06T09:30:15.25', '2031-01-06T09:00Z'],
    ['2031-01-06%2009:30', '2031-01-06T09:00Z'],
    ['2031-01-06T09:30Z', '2031-01-06T09:00Z'],
    ['2031-01-06T09:30%2B02', '2031-01-06T07:00Z'],
    ['2031-01-06T09:30%2B0200', '2031-01-06T07:00Z'],
    ['2031-01-06T09:30%2B05:45', '2031-01-06T03:00Z'],
    ['2031-01-06T01:30-05:00', '2031-01-06T06:00Z'],
    ['2031-01-06T09:30+02:00', '2031-01-06T07:00Z'], /* a '+' that was not encoded */
    ['2031-01-06+09:30', '2031-01-06T09:00Z'],
    ['2031-01-06+09:30+02:00', '2031-01-06T07:00Z'],
]) {
    it(`the start ${text} is understood`, async (server) => {
        const {status, json} = await get(server, `?node_id=beta&start=${text}&end=2031-01-06T12:00`);
        assert.equal(status, 200);
        assert.equal(json.start, iso(hourOf(hour)));
        assert.equal(json.end, '2031-01-06T12:00:00+00:00');
    });
}

it('the first of two equal names counts', async (server) => {
    const first = await get(server, '?node_id=beta&node_id=alpha&start=2031-01-06&end=2031-01-07&start=2030-01-01');
    assert.equal(first.json.node.id, 'beta');
    assert.equal(first.json.start, '2031-01-06T00:00:00+00:00');
});

it('the granularity is read in any case', async (server) => {
    const day = await get(server, '?node_id=beta&granularity=DaY');
    assert.equal(day.status, 200);
    assert.equal(day.json.grid.days.length, 1);
    const hour = await get(server, '?node_id=beta&granularity=HOUR');
    assert.equal(hour.json.grid.hours.length, 24);
});

it('HEAD has the headers of GET and no body', async (server) => {
    const target = '/api/availability?node_id=beta&start=2031-02-01&end=2031-02-02';
    const [head, body] = [await request(server, 'HEAD', target), await request(server, 'GET', target)];
    assert.equal(head.status, 200);
    assert.equal(head.bytes.length, 0);
    assert.equal(head.headers['content-length'], String(body.bytes.length));
    assert.equal(head.headers.etag, body.headers.etag);
});

/* -- refusals ------------------------------------------------------------------------------------------------- */

/* Each query holds its own fault and all the later ones: the earliest must be named. */
for (const [sentence, query] of [
    ["Query parameter 'node_id' is required", '?start=x&end=y&granularity=week'],
    ["Query parameter 'node_id' is required", '?node_id=&start=x&end=y'],
    [/timestamp/i, '?node_id=nowhere&start=x&end=2031-01-01&granularity=week'],
    [/timestamp/i, '?node_id=nowhere&start=2031-01-02&end=2031-02-30&granularity=week'],
    ['Availability end must be after start', '?node_id=nowhere&start=2031-01-02&end=2031-01-01&granularity=week'],
    ['Availability end must be after start', '?node_id=nowhere&start=2031-01-02&end=2031-01-02&granularity=week'],
    ["Granularity must be either 'hour' or 'day'", '?node_id=nowhere&start=0001-01-01&end=9999-01-01&granularity=week'],
    ["Unknown node id 'nowhere'", '?node_id=nowhere&start=0001-01-01&end=9999-01-01'],
    ["Unknown node id 'Beta'", '?node_id=Beta'],
    [/1,?000,?000/, '?node_id=beta&start=0001-01-01&end=9999-01-01'],
]) {
    it(`${query} is refused: ${sentence}`, async (server) => assertRefused(await get(server, query), 400, sentence));
}

it('that the end lies after the start is tested before snapping', async (server) => {
    assertRefused(await get(server, '?node_id=beta&start=2031-01-02T10:45&end=2031-01-02T10:15'), 400,
        'Availability end must be after start');
});

it('the bound counts GPUs times slots', async (server) => {
    /* alpha has 3 GPUs: 333,334 hours are 1,000,002 cells; beta has one GPU and may have as many hours. */
    const start = hourOf('2000-01-01T00:00Z');
    const window = `start=${encodeURIComponent(iso(start))}&end=${encodeURIComponent(iso(start + 333_334))}`;
    assertRefused(await get(server, `?node_id=alpha&${window}`), 400, /1,?000,?000/);
    const days = await get(server, `?node_id=alpha&granularity=day&${window}`);
    assert.equal(days.status, 200);
    assert.equal(days.json.grid.days.length, Math.ceil(333_334 / 24));
    assert.equal(Date.parse(days.json.end), (start + 333_334) * HOUR);
});

it('a node without GPUs cannot dodge the bound', async (server) => {
    assertRefused(await get(server, '?node_id=empty&start=0001-01-01&end=9999-01-01'), 400, /1,?000,?000/);
});

for (const stamp of ['9999-12-31T23:30', '10000-01-01', '0000-01-01', '2031-13-01', '2031-01-32', '2031-01-06T24:00',
    '2031-01-06T10:60', '2031-01-06T10:00%2B24:00', '2031-01-06T', '2031-1-6', '%E0%A5%A7', '1e9', '-1']) {
    it(`the end ${stamp} is refused with a word about it`, async (server) => {
        assertRefused(await get(server, `?node_id=beta&granularity=day&start=2031-01-01&end=${stamp}`), 400);
    });
}
