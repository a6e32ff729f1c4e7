'use strict';
/* PATCH /api/bookings/ID: what a change does. What it refuses stands in edit_refusals.test.js, limits in edit_limits.test.js. */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {
    assertHas, assertRefused, book, bookingOf, cancel, edit, hoursOf, markDone, reload, stateOf, tryToBook, tryToEdit,
} = require('./fixtures.js');
const {CONFIG, request, sleep, suite} = require('./harness.js');

const it = suite();

/* Each test books on days of its own, so that none meets another. */
let lastDay = Date.UTC(2091, 0, 1) / 3_600_000;
const ownDay = () => (lastDay += 7 * 24);
const wish = (start, hours, more = {}) => ({
    node_id: 'alpha', start: iso(start), end: iso(start + hours), user_label: 'ada', gpu_ids: ['gpu0'], ...more,
});
const made = async (server, ...what) => (await book(server, wish(...what))).booking_id;
const held = (server, gpu, start, hours, node = 'alpha') => hoursOf(server, node, gpu, iso(start), iso(start + hours));

/* -- the window ----------------------------------------------------------------------------------------------- */

it('a booking is made longer', async (server) => {
    const day = ownDay();
    const id = await made(server, day + 2, 2);
    assertHas(await edit(server, id, {end: iso(day + 6)}), {id, start: iso(day + 2), end: iso(day + 6), gpu_ids: ['gpu0']});
    assert.equal(await held(server, 'gpu0', day, 8), '..####..');
});

it('a booking is made shorter at both ends', async (server) => {
    const day = ownDay();
    const id = await made(server, day + 1, 6);
    await edit(server, id, {end: iso(day + 5)});
    assert.equal(await held(server, 'gpu0', day, 8), '.####...');
    await edit(server, id, {start: iso(day + 3)});
    assert.equal(await held(server, 'gpu0', day, 8), '...##...');
});

it('a booking is moved, also to a window that overlaps its own: it is not in its own way', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 4, {gpu_ids: ['gpu0', 'gpu1']});
    await edit(server, id, {start: iso(day + 2), end: iso(day + 6)});
    assert.equal(await held(server, 'gpu0', day, 8), '..####..');
    assert.equal(await held(server, 'gpu1', day, 8), '..####..');
    await edit(server, id, {start: iso(day + 1), end: iso(day + 8)});
    assert.equal(await held(server, 'gpu1', day, 8), '.#######');
    await edit(server, id, {start: iso(day + 30), end: iso(day + 31)});
    assert.equal(await held(server, 'gpu0', day, 8), '........');
    assert.equal(await held(server, 'gpu0', day + 29, 3), '.#.');
});

it('times of a change snap outward to hours, and offsets count', async (server) => {
    const day = ownDay();
    const id = await made(server, day + 4, 1);
    const local = (hour, minutes) => iso(hour + 2).replace(':00:00+00:00', `:${minutes}:00+02:00`);
    assertHas(await edit(server, id, {start: local(day + 3, '59'), end: local(day + 6, '01')}), {start: iso(day + 3), end: iso(day + 7)});
    assert.equal(await held(server, 'gpu0', day, 8), '...####.');
});

it('that the end lies after the start is tested on the instants as given', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    const late = iso(day + 2).replace(':00:00+', ':50:00+');
    const early = iso(day + 2).replace(':00:00+', ':10:00+');
    assertRefused(await tryToEdit(server, id, {start: late, end: early}), 400, 'Booking end must be after start');
    assertHas(await edit(server, id, {start: early, end: late}), {start: iso(day + 2), end: iso(day + 3)});
});

it('the freed hours can be booked at once, and back-to-back bookings touch', async (server) => {
    const day = ownDay();
    const first = await made(server, day, 4);
    assertRefused(await tryToBook(server, wish(day + 3, 1)), 409);
    await edit(server, first, {end: iso(day + 3)});
    const second = await made(server, day + 3, 3);
    assertRefused(await tryToEdit(server, first, {end: iso(day + 4)}), 409, "GPU 'gpu0' is already booked for the requested window");
    await edit(server, second, {start: iso(day + 5)});
    await edit(server, first, {end: iso(day + 5)});
    assert.equal(await held(server, 'gpu0', day, 7), '######.');
});

it('a change that is in the way of another booking says whose, and leaves everything as it was', async (server) => {
    const day = ownDay();
    const first = await made(server, day, 2);
    const second = await made(server, day + 4, 2, {user_label: 'bob', gpu_ids: ['gpu0', 'gpu1']});
    const before = await stateOf(server, first, iso(day), iso(day + 8));
    for (const body of [{end: iso(day + 5)}, {start: iso(day + 5), end: iso(day + 7)}, {start: iso(day + 3), end: iso(day + 8)},
        {gpu_ids: ['gpu1'], start: iso(day + 4), end: iso(day + 5), user_label: 'eve', priority: 'high', note: 'mine'}]) {
        const answer = await tryToEdit(server, first, body);
        assertRefused(answer, 409, /^GPU 'gpu[01]' is already booked for the requested window$/);
        assert.equal(answer.json.conflicts.length, 1);
        assertHas(answer.json.conflicts[0], {booking_id: second, user_label: 'bob', start: iso(day + 4), end: iso(day + 6)});
    }
    assert.equal(await stateOf(server, first, iso(day), iso(day + 8)), before);
    await cancel(server, second);
    await edit(server, first, {start: iso(day + 5), end: iso(day + 7)});
});

it('start and end of null stay as they are', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    assertHas(await edit(server, id, {start: null, end: null, gpu_ids: null, gpu_count: null, user_label: null, priority: null, note: 'n'}),
        {start: iso(day), end: iso(day + 2), gpu_ids: ['gpu0'], user_label: 'ada', priority: 'medium', note: 'n'});
});

/* -- GPUs ----------------------------------------------------------------------------------------------------- */

it('other GPUs are named, and answered in configuration order', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    assertHas(await edit(server, id, {gpu_ids: ['gpu1', 'gpu2']}), {gpu_ids: ['gpu2', 'gpu1']});
    assert.deepEqual([await held(server, 'gpu0', day, 2), await held(server, 'gpu1', day, 2), await held(server, 'gpu2', day, 2)],
        ['..', '##', '##']);
});

it('a count keeps GPUs it has first, then takes free ones in configuration order', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2, {gpu_ids: ['gpu1']});
    assert.deepEqual((await edit(server, id, {gpu_count: 1})).gpu_ids, ['gpu1']);
    assert.deepEqual((await edit(server, id, {gpu_count: 2})).gpu_ids, ['gpu2', 'gpu1']);
    assert.deepEqual((await edit(server, id, {gpu_count: '3'})).gpu_ids, ['gpu2', 'gpu0', 'gpu1']);
    assert.deepEqual((await edit(server, id, {gpu_count: 1})).gpu_ids, ['gpu2']);
});

it('a count leaves a GPU that is taken in the new window, and stays with the others', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2, {gpu_ids: ['gpu2', 'gpu0']});
    await made(server, day + 2, 2, {gpu_ids: ['gpu2'], user_label: 'bob'});
    assertRefused(await tryToEdit(server, id, {end: iso(day + 4)}), 409, "GPU 'gpu2' is already booked for the requested window");
    assert.deepEqual((await edit(server, id, {end: iso(day + 4), gpu_count: 2})).gpu_ids, ['gpu0', 'gpu1']);
    const answer = await tryToEdit(server, id, {gpu_count: 3});
    assertRefused(answer, 409, 'Not enough GPUs available for the requested window');
    assertHas(answer.json.conflicts[0], {gpu_id: 'gpu2', user_label: 'bob'});
});

it('gpu_ids win over gpu_count, and absent ones do not', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    assert.deepEqual((await edit(server, id, {gpu_ids: ['gpu1'], gpu_count: 3})).gpu_ids, ['gpu1']);
    for (const absent of [[], '', 0, false, null])
        assert.deepEqual((await edit(server, id, {gpu_ids: absent, gpu_count: 1, note: `${absent}`})).gpu_ids, ['gpu1']);
});

it('a GPU and a window change together', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    await made(server, day + 4, 2);
    await edit(server, id, {start: iso(day + 4), end: iso(day + 6), gpu_ids: ['gpu1']});
    assert.equal(await held(server, 'gpu0', day, 6), '....##');
    assert.equal(await held(server, 'gpu1', day, 6), '....##');
});

/* -- label, priority, note ------------------------------------------------------------------------------------ */

it('label, priority and note change, are trimmed, and leave the rest alone', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2, {note: 'first'});
    const full = await edit(server, id, {user_label: '  bob\t', priority: 'HIGH', note: ' second '});
    assertHas(full, {user_label: 'bob', priority: 'high', note: 'second', start: iso(day), end: iso(day + 2), gpu_ids: ['gpu0']});
    assertHas(await edit(server, id, {user_label: 42}), {user_label: '42', priority: 'high', note: 'second'});
    assertHas(await edit(server, id, {priority: 'low'}), {user_label: '42', priority: 'low', note: 'second'});
});

it('a note of null or of blanks is none any more; one that is not sent stays', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2, {note: 'first'});
    assert.equal((await edit(server, id, {priority: 'low'})).note, 'first');
    assert.equal((await edit(server, id, {note: null})).note, null);
    await edit(server, id, {note: 'é'.repeat(500)});
    assert.equal((await edit(server, id, {note: '  '})).note, null);
    await edit(server, id, {note: 'x'});
    assert.equal((await edit(server, id, {note: ''})).note, null);
});

it('a priority of "" is absent, as when booking', async (server) => {
    const id = await made(server, ownDay(), 2, {priority: 'high'});
    assert.equal((await edit(server, id, {priority: '', note: 'x'})).priority, 'high');
});

/* -- F, version, updated, events ------------------------------------------------------------------------------ */

it('the answer is the booking in full, with one version more each time, as GET gives it', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2, {note: 'n', priority: 'low'});
    const first = await bookingOf(server, id);
    assert.deepEqual(Object.keys(first).sort(), ['created', 'end', 'gpu_ids', 'id', 'node_id', 'note', 'owner', 'priority', 'released',
        'series_id', 'start', 'status', 'updated', 'user_label', 'version']);
    assertHas(first, {
        id, user_label: 'ada', start: iso(day), end: iso(day + 2), status: 'active', gpu_ids: ['gpu0'], priority: 'low', node_id: 'alpha',
        owner: null, note: 'n', series_id: null, version: 1, released: null, updated: first.created,
    });
    assert.ok(Math.abs(Date.parse(first.created) - Date.now()) < 3_600_000, first.created);
    const second = await edit(server, id, {end: iso(day + 3)});
    assert.deepEqual(second, {...first, end: iso(day + 3), version: 2, updated: second.updated});
    assert.ok(Date.parse(second.updated) >= Date.parse(first.updated));
    assert.deepEqual(await bookingOf(server, id), second);
    assert.equal((await edit(server, id, {end: iso(day + 4), version: 2})).version, 3);
});

it('updated is the time of the change, created stays', async (server) => {
    const id = await made(server, ownDay(), 2);
    const first = await bookingOf(server, id);
    while (Date.now() < Date.parse(first.created) + 1100) await sleep(50);
    const second = await edit(server, id, {note: 'later'});
    assert.equal(second.created, first.created);
    assert.ok(Date.parse(second.updated) > Date.parse(first.updated), `${second.updated} is not after ${first.updated}`);
});

it('a change that changes nothing gives the booking and writes nothing', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2, {note: 'n', gpu_ids: ['gpu1', 'gpu2']});
    const look = () => request(server, 'GET', `/api/bookings/${id}`);
    const before = await look();
    for (const body of [{}, '', {note: ' n '}, {start: iso(day)}, {start: iso(day), end: iso(day + 2), gpu_ids: ['gpu1', 'gpu2'], version: 1},
        {gpu_count: 2}, {end: iso(day + 1).replace(':00:00+', ':30:00+')}, {user_label: 'ada', priority: 'Medium'}]) {
        const answer = await tryToEdit(server, id, body);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.json, before.json, JSON.stringify(body));
    }
    /* The tag holds the last event's id: any write moves it. */
    assert.equal((await look()).headers.etag, before.headers.etag);
    await edit(server, id, {note: 'other'});
    assert.notEqual((await look()).headers.etag, before.headers.etag);
});

it('a refused change writes nothing', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    await made(server, day + 2, 2);
    const before = (await request(server, 'GET', '/api/nodes')).headers.etag;
    assertRefused(await tryToEdit(server, id, {end: iso(day + 3)}), 409);
    assertRefused(await tryToEdit(server, id, {end: iso(day)}), 400);
    assertRefused(await tryToEdit(server, id, {note: 'x', version: 2}), 412);
    assert.equal((await request(server, 'GET', '/api/nodes')).headers.etag, before);
});

it('a slash at the end of the address is fine', async (server) => {
    const id = await made(server, ownDay(), 2);
    assert.equal((await request(server, 'PATCH', `/api/bookings/${id}/`, {body: {note: 'x'}})).json.note, 'x');
});

it('a changed booking can be changed, completed and cancelled on', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 2);
    await edit(server, id, {start: iso(day + 4), end: iso(day + 8), gpu_ids: ['gpu1', 'gpu2']});
    assert.equal((await cancel(server, id)).status, 200);
    for (const gpu of ['gpu0', 'gpu1', 'gpu2']) assert.equal(await held(server, gpu, day, 10), '..........');
    assertHas(await bookingOf(server, id), {status: 'cancelled', start: iso(day + 4), end: iso(day + 8), gpu_ids: ['gpu2', 'gpu1'], version: 2});
});

/* -- what has passed does not change -------------------------------------------------------------------------- */

/* These book around the present hour, each on GPUs of its own: used hours stay. */
const now = suite({config: {nodes: [{id: 'n', gpus: Array.from({length: 9}, (_, index) => ({id: `g${index}`}))}]}});
const running = async (server, hour, from, to, gpu) => (await book(server, {
    node_id: 'n', start: iso(hour + from), end: iso(hour + to), user_label: 'runs', gpu_ids: [gpu],
})).booking_id;
const around = (server, hour, gpu) => held(server, gpu, hour - 5, 10, 'n');

now('a running booking is extended and shortened; its start and used hours stay', async (server) => {
    const hour = await steadyHour();
    const id = await running(server, hour, -3, 2, 'g0');
    assertHas(await edit(server, id, {end: iso(hour + 4)}), {start: iso(hour - 3), end: iso(hour + 4)});
    assert.equal(await around(server, hour, 'g0'), '..#######.');
    assertHas(await edit(server, id, {end: iso(hour + 1)}), {start: iso(hour - 3), end: iso(hour + 1)});
    assert.equal(await around(server, hour, 'g0'), '..####....');
    for (const body of [{start: iso(hour - 4)}, {start: iso(hour - 2)}, {start: iso(hour + 1), end: iso(hour + 2)}]) {
        const answer = await tryToEdit(server, id, body);
        assertRefused(answer, 400, /begun/);
        assert.equal(answer.json.field, 'start');
    }
    assertHas(await edit(server, id, {start: iso(hour - 3), note: 'the same start may be sent'}), {start: iso(hour - 3)});
    assert.equal(await around(server, hour, 'g0'), '..####....');
    await markDone(server, id);
});

now('the end of a running booking moves to the current hour, not before it', async (server) => {
    const hour = await steadyHour();
    const id = await running(server, hour, -3, 2, 'g1');
    const before = await stateOf(server, id, iso(hour - 5), iso(hour + 5));
    for (const back of [-1, -2]) {
        const answer = await tryToEdit(server, id, {end: iso(hour + back)});
        assertRefused(answer, 400, /current hour/);
        assert.equal(answer.json.field, 'end');
    }
    assert.equal(await stateOf(server, id, iso(hour - 5), iso(hour + 5)), before);
    await edit(server, id, {end: iso(hour)});
    assert.equal(await around(server, hour, 'g1'), '..###.....');
    await edit(server, id, {end: iso(hour + 2)});
    assert.equal(await around(server, hour, 'g1'), '..#####...');
    await cancel(server, id);
    assert.equal(await around(server, hour, 'g1'), '..........'); /* the grid shows what active bookings hold */
});

now('a booking in the future does not move into the past', async (server) => {
    const hour = await steadyHour();
    const id = await running(server, hour, 2, 4, 'g2');
    for (const body of [{start: iso(hour - 1)}, {start: iso(hour - 5), end: iso(hour - 4)}]) {
        const answer = await tryToEdit(server, id, body);
        assertRefused(answer, 400, /current hour/);
        assert.equal(answer.json.field, 'start');
    }
    assert.equal(await around(server, hour, 'g2'), '.......##.');
    await edit(server, id, {start: iso(hour)});
    assert.equal(await around(server, hour, 'g2'), '.....####.');
    await edit(server, id, {start: iso(hour + 1)});
    assert.equal(await around(server, hour, 'g2'), '......###.');
    await cancel(server, id);
});

now('other GPUs of a running booking begin at the current hour; the used hours of those it had stay', async (server) => {
    const hour = await steadyHour();
    const id = await running(server, hour, -3, 3, 'g3');
    await edit(server, id, {gpu_ids: ['g4']});
    assert.equal(await around(server, hour, 'g3'), '..###.....');
    assert.equal(await around(server, hour, 'g4'), '.....###..');
    /* What it gave away is free at once, and its used hours refuse nobody. */
    const other = (await book(server, {node_id: 'n', user_label: 'bob', start: iso(hour), end: iso(hour + 1), gpu_ids: ['g3']})).booking_id;
    assertRefused(await tryToEdit(server, id, {gpu_ids: ['g3', 'g4']}), 409, "GPU 'g3' is already booked for the requested window");
    await cancel(server, other);
    await edit(server, id, {gpu_ids: ['g3', 'g4']});
    assert.equal(await around(server, hour, 'g3'), '..######..');
    await markDone(server, id);
});

now('the label of a booking whose hours have all passed can still be mended, and it can be extended from now on', async (server) => {
    const hour = await steadyHour();
    const id = await running(server, hour, -4, -2, 'g5');
    assertHas(await edit(server, id, {user_label: 'mended'}), {user_label: 'mended', start: iso(hour - 4), end: iso(hour - 2)});
    assert.equal(await around(server, hour, 'g5'), '.##.......');
    assertRefused(await tryToEdit(server, id, {end: iso(hour - 1)}), 400, /current hour/);
    await edit(server, id, {end: iso(hour + 1)});
    assert.equal(await around(server, hour, 'g5'), '.##..#....');
    await markDone(server, id);
});

now('a change takes the hours that an ended booking gave back', async (server) => {
    const hour = await steadyHour();
    const ended = await running(server, hour, -2, 3, 'g6');
    await markDone(server, ended);
    const id = (await book(server, {node_id: 'n', user_label: 'ada', start: iso(hour + 6), end: iso(hour + 8), gpu_ids: ['g6']})).booking_id;
    await edit(server, id, {start: iso(hour), end: iso(hour + 2)});
    assert.equal(await around(server, hour, 'g6'), '.....##...');
    await cancel(server, id);
});

/* -- retired GPUs --------------------------------------------------------------------------------------------- */

const retired = suite();
const without = (drop) => ({...CONFIG, nodes: CONFIG.nodes.filter((node) => node.id !== drop)
    .map((node) => ({...node, gpus: node.gpus?.filter((gpu) => gpu.id !== drop)}))});

async function withConfig(server, config, body) {
    server.writeConfig(config);
    assert.equal((await reload(server)).status, 200);
    try {
        await body();
    } finally {
        server.writeConfig(CONFIG);
        assert.equal((await reload(server)).status, 200);
    }
}

retired('on a retired GPU a booking may shrink but not grow', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 6, {gpu_ids: ['gpu0', 'gpu1']});
    await withConfig(server, without('gpu1'), async () => {
        for (const body of [{end: iso(day + 7)}, {start: iso(day - 1)}, {start: iso(day + 2), end: iso(day + 8)}, {end: iso(day + 7), gpu_count: 2}]) {
            const before = JSON.stringify(await bookingOf(server, id));
            assertRefused(await tryToEdit(server, id, body), 400, /GPU 'gpu1' has left the configuration/);
            assert.equal(JSON.stringify(await bookingOf(server, id)), before);
        }
        assertHas(await edit(server, id, {end: iso(day + 5), note: 'n'}), {gpu_ids: ['gpu0', 'gpu1'], end: iso(day + 5)});
        assertHas(await edit(server, id, {start: iso(day + 1), user_label: 'bob'}), {start: iso(day + 1)});
        assertHas(await edit(server, id, {gpu_ids: ['gpu2', 'gpu1']}), {gpu_ids: ['gpu2', 'gpu1']});
        assertHas(await edit(server, id, {gpu_ids: ['gpu2'], end: iso(day + 9)}), {gpu_ids: ['gpu2'], end: iso(day + 9)});
        assertRefused(await tryToEdit(server, id, {gpu_ids: ['gpu1']}), 400, 'One or more GPUs do not belong to the specified node');
    });
    assert.equal(await held(server, 'gpu1', day, 9), '.........');
});

retired('on a retired node a booking may shrink, and nothing can be added', async (server) => {
    const day = ownDay();
    const id = await made(server, day, 4, {node_id: '7', gpu_ids: ['2']});
    await withConfig(server, {...CONFIG, nodes: CONFIG.nodes.filter((node) => node.id !== 7)}, async () => {
        assertRefused(await tryToEdit(server, id, {end: iso(day + 5)}), 400, /left the configuration/);
        assertRefused(await tryToEdit(server, id, {gpu_ids: ['1', '2']}), 400);
        assertRefused(await tryToEdit(server, id, {gpu_count: 2}), 400);
        assertHas(await edit(server, id, {end: iso(day + 3), gpu_count: 1}), {gpu_ids: ['2'], end: iso(day + 3), node_id: '7'});
    });
    assert.equal(await held(server, '2', day, 4, '7'), '###.');
    assertHas(await edit(server, id, {end: iso(day + 4), gpu_count: 2}), {gpu_ids: ['1', '2']});
});

/* -- dry_run --------------------------------------------------------------------------------------------------- */

it('a change that is only tried is answered as if it had been made, and leaves all as it was', async (server) => {
    const day = ownDay();
    const id = await made(server, day + 1, 2);
    const before = await stateOf(server, id, iso(day), iso(day + 8));
    assertHas(await edit(server, id, {end: iso(day + 6), user_label: 'bob', dry_run: true}), {end: iso(day + 6), user_label: 'bob', version: 2});
    assert.equal(await stateOf(server, id, iso(day), iso(day + 8)), before);
    assert.equal((await request(server, 'GET', `/api/events?booking_id=${id}`)).json.events.length, 1);
});

it('a change that is only tried is refused as one that is made', async (server) => {
    const day = ownDay();
    const id = await made(server, day + 1, 2);
    const other = await made(server, day + 4, 2);
    const answer = await tryToEdit(server, id, {end: iso(day + 5), dry_run: true});
    assertRefused(answer, 409, /already booked/);
    assert.equal(answer.json.conflicts[0].booking_id, other);
    assertRefused(await tryToEdit(server, id, {end: iso(day + 3), version: 9, dry_run: true}), 412);
    assertRefused(await tryToEdit(server, id, {end: iso(day + 3), dry_run: 'yes'}), 400, /dry_run/);
});
