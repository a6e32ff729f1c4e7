'use strict';
/* GET /api/bookings and GET /api/bookings/ID: filters, pages, order, ETag. */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, book, bookingOf, cancel, edit, markDone, reload} = require('./fixtures.js');
const {CONFIG, request, suite} = require('./harness.js');

const get = (server, query, headers) => request(server, 'GET', `/api/bookings${query === undefined ? '' : `?${new URLSearchParams(query)}`}`, {headers});

async function list(server, query) {
    const answer = await get(server, query);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json), ['bookings', 'next']);
    return answer.json;
}
const ids = async (server, query) => (await list(server, query)).bookings.map((booking) => booking.id);

/* -- one server, nine bookings, nothing written after them ----------------------------------------------------- */

const it = suite();
const day = (number) => `2091-03-${String(number).padStart(2, '0')}`;
const SEED = [
    /* node, first day, last day (not included), label, end */
    ['alpha', 1, 3, 'ada'],
    ['beta', 2, 4, 'ada'],
    ['alpha', 5, 6, 'bob', cancel],
    ['alpha', 8, 12, 'ada', markDone],
    ['7', 8, 9, 'Bob'],
    ['alpha', 3, 5, 'bob'],
    ['7', 1, 2, 'ada', cancel],
    ['beta', 20, 21, 'c d&e=f+g'],
    ['alpha', 20, 21, 'ada'],
];
let seeding = null;
const seeded = (server) => (seeding ??= (async () => {
    const made = [];
    for (const [node_id, from, to, user_label, end] of SEED) {
        const {booking_id: id} = await book(server, {node_id, start: day(from), end: day(to), user_label, gpu_count: 1});
        if (end) assert.equal((await end(server, id)).status, 200);
        made.push(id);
    }
    return made;
})());

/* [what, query, which of SEED] */
for (const [what, query, expected] of [
    ['no filter: all, by id', {}, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['empty parameters are absent', {node_id: '', user_label: '', owner: '', status: '', start: '', end: '', after_id: '', limit: ''},
        [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['node_id', {node_id: 'alpha'}, [0, 2, 3, 5, 8]],
    ['user_label, exactly', {user_label: 'bob'}, [2, 5]],
    ['a user_label with characters that have a meaning in an address', {user_label: 'c d&e=f+g'}, [7]],
    ['a user_label nobody has', {user_label: 'ad'}, []],
    ['an owner nobody is', {owner: 'ada'}, []],
    ['status active', {status: 'active'}, [0, 1, 4, 5, 7, 8]],
    ['status completed', {status: 'completed'}, [3]],
    ['status cancelled, any case', {status: 'CANCELLED'}, [2, 6]],
    ['a window: what overlaps it, not what touches it', {start: day(3), end: day(5)}, [1, 5]],
    ['an hour within a booking', {start: `${day(10)}T10:20`, end: `${day(10)}T10:30`}, [3]],
    ['a window snaps outward to hours', {start: `${day(5)}T23:59`, end: `${day(8)}T00:01`}, [2, 3, 4]],
    ['start alone: what ends after it', {start: day(9)}, [3, 7, 8]],
    ['end alone: what begins before it', {end: day(2)}, [0, 6]],
    ['a window in which nothing is', {start: day(13), end: day(20)}, []],
    ['node and window', {node_id: 'alpha', start: day(1), end: day(5)}, [0, 5]],
    ['node, label and status', {node_id: 'alpha', user_label: 'ada', status: 'active'}, [0, 8]],
    ['all together', {node_id: 'alpha', user_label: 'ada', status: 'completed', start: day(11), end: day(12)}, [3]],
    ['label and window', {user_label: 'ada', start: day(2), end: day(9)}, [0, 1, 3]],
]) {
    it(`filter: ${what}`, async (server) => {
        const made = await seeded(server);
        assert.deepEqual(await ids(server, query), expected.map((index) => made[index]));
        /* The same, page by page: each of one, and each of two. */
        for (const limit of [1, 2]) {
            const found = [];
            let after_id = 0;
            for (let pages = 0; after_id !== null; pages++) {
                assert.ok(pages <= SEED.length, 'the pages do not end');
                const page = await list(server, {...query, limit, after_id});
                assert.ok(page.bookings.length <= limit);
                found.push(...page.bookings.map((booking) => booking.id));
                if (page.next !== null) {
                    assert.equal(page.bookings.length, limit);
                    assert.equal(page.next, found.at(-1));
                }
                after_id = page.next;
            }
            assert.deepEqual(found, expected.map((index) => made[index]), `limit ${limit}`);
        }
    });
}

it('a window in the form with "+00:00" that was not encoded is read', async (server) => {
    const made = await seeded(server);
    const answer = await request(server, 'GET', '/api/bookings?start=2091-03-10T00:00:00+00:00&end=2091-03-11T02:00:00+02:00');
    assert.deepEqual(answer.json.bookings.map((booking) => booking.id), [made[3]]);
});

it('next is null on the last page, also when that is full', async (server) => {
    const made = await seeded(server);
    assert.deepEqual(await list(server, {limit: 9}).then(({bookings, next}) => [bookings.length, next]), [9, null]);
    assert.deepEqual(await list(server, {limit: 8}).then(({bookings, next}) => [bookings.length, next]), [8, made[7]]);
    assert.deepEqual(await list(server, {after_id: made[7], limit: 1}).then(({bookings, next}) => [bookings[0].id, next]), [made[8], null]);
    assert.deepEqual(await list(server, {after_id: made[8]}), {bookings: [], next: null});
    assert.deepEqual(await list(server, {after_id: '9223372036854775807'}), {bookings: [], next: null});
});

it('each item is what GET /api/bookings/ID answers', async (server) => {
    await seeded(server);
    for (const booking of (await list(server)).bookings) assert.deepEqual(booking, await bookingOf(server, booking.id));
});

it('an ended booking says when it was released, and how', async (server) => {
    const made = await seeded(server);
    const full = await bookingOf(server, made[3]);
    assertHas(full, {status: 'completed', start: `${day(8)}T00:00:00+00:00`, end: `${day(12)}T00:00:00+00:00`, version: 1});
    assert.match(full.released, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    assert.equal(full.updated, full.released);
    assert.equal((await bookingOf(server, made[2])).status, 'cancelled');
    assert.equal((await bookingOf(server, made[0])).released, null);
});

for (const [field, value, sentence] of [
    ['limit', '0', /1 to 1000/], ['limit', '1001', /1 to 1000/], ['limit', '-1', /1 to 1000/], ['limit', 'ten', /1 to 1000/],
    ['limit', '1.5', /1 to 1000/], ['limit', '99999999999999999999', /1 to 1000/], ['after_id', '-1', /after_id/], ['after_id', 'x', /after_id/],
    ['after_id', '99999999999999999999', /after_id/], ['status', 'open', /active, completed, cancelled/],
    ['start', 'tomorrow', /^Invalid timestamp: /], ['end', '2091-02-30', /^Invalid timestamp: /], ['node_id', 'nowhere', "Unknown node id 'nowhere'"],
    ['node_id', 'ALPHA', "Unknown node id 'ALPHA'"],
]) {
    it(`${field}=${value} is refused, and the answer names the field`, async (server) => {
        const answer = await get(server, {[field]: value});
        assertRefused(answer, 400, sentence);
        assert.equal(answer.json.field, field);
        assert.equal(answer.headers.etag, undefined);
    });
}

it('an end that is not after the start is refused', async (server) => {
    for (const [start, end] of [[day(3), day(3)], [day(4), day(3)]]) assertRefused(await get(server, {start, end}), 400, /end must be after/i);
});

it('limit goes from 1 to 1000', async (server) => {
    await seeded(server);
    assert.equal((await list(server, {limit: 1})).bookings.length, 1);
    assert.equal((await list(server, {limit: 1000})).bookings.length, SEED.length);
});

it('each answer has an ETag, and a 304 while nothing changed', async (server) => {
    const made = await seeded(server);
    for (const target of ['/api/bookings', '/api/bookings?user_label=ada&limit=2', `/api/bookings/${made[0]}`]) {
        const first = await request(server, 'GET', target);
        assert.match(first.headers.etag, /^(W\/)?"[^"]+"$/);
        const again = await request(server, 'GET', target, {headers: {'If-None-Match': first.headers.etag}});
        assert.deepEqual([again.status, again.text], [304, '']);
        assert.equal((await request(server, 'HEAD', target)).status, 200);
    }
});

it('a list with another filter is not the one that is kept', async (server) => {
    const made = await seeded(server);
    for (let round = 0; round < 8; round++) { /* all workers */
        assert.deepEqual(await ids(server, {user_label: 'ada', owner: ''}), [0, 1, 3, 6, 8].map((index) => made[index]));
        assert.deepEqual(await ids(server, {user_label: '', owner: 'ada'}), []);
        assert.deepEqual(await ids(server, {user_label: 'ada\n', owner: ''}), []);
        assert.deepEqual(await ids(server, {node_id: 'alpha'}), [0, 2, 3, 5, 8].map((index) => made[index]));
    }
});

/* -- what needs a server of its own --------------------------------------------------------------------------- */

const writing = suite();

writing('with no booking the list is empty', async (server) => {
    assert.deepEqual(await list(server), {bookings: [], next: null});
});

writing('by default there are 100 on a page', async (server) => {
    const window = (index) => ({start: new Date(Date.UTC(2091, 0, 1, index)).toISOString(), end: new Date(Date.UTC(2091, 0, 1, index + 1)).toISOString()});
    const made = [];
    for (let index = 0; index < 101; index++)
        made.push((await book(server, {node_id: 'beta', ...window(index), user_label: 'many', gpu_count: 1})).booking_id);
    const first = await list(server, {user_label: 'many'});
    assert.deepEqual([first.bookings.map((booking) => booking.id), first.next], [made.slice(0, 100), made[99]]);
    assert.deepEqual(await ids(server, {user_label: 'many', after_id: first.next}), [made[100]]);
});

writing('every write moves the ETag, and the list shows it', async (server) => {
    const {booking_id: id} = await book(server, {node_id: 'alpha', start: day(1), end: day(2), user_label: 'moves', gpu_count: 1});
    const query = {user_label: 'moves'};
    let tag = (await get(server, query)).headers.etag;
    for (const [write, expected] of [
        [() => edit(server, id, {note: 'x'}), {note: 'x', version: 2}],
        [() => edit(server, id, {end: day(3)}), {end: `${day(3)}T00:00:00+00:00`, version: 3}],
        [() => cancel(server, id), {status: 'cancelled'}],
    ]) {
        await write();
        const answer = await get(server, query, {'If-None-Match': tag});
        assert.equal(answer.status, 200);
        assertHas(answer.json.bookings[0], expected);
        assert.notEqual(answer.headers.etag, tag);
        tag = answer.headers.etag;
    }
});

writing('bookings of a retired node are history, and are listed', async (server) => {
    const {booking_id: id} = await book(server, {node_id: '7', start: day(1), end: day(2), user_label: 'retired', gpu_ids: ['2', '1']});
    server.writeConfig({...CONFIG, nodes: CONFIG.nodes.filter((node) => node.id !== 7)});
    assert.equal((await reload(server)).status, 200);
    assert.deepEqual(await ids(server, {node_id: '7'}), [id]);
    assertHas(await bookingOf(server, id), {node_id: '7', gpu_ids: ['1', '2']});
});

/* -- one booking ---------------------------------------------------------------------------------------------- */

it('a booking that does not exist is a 404', async (server) => {
    for (const id of ['999999', '0', '-1', '99999999999999999999999']) {
        const answer = await request(server, 'GET', `/api/bookings/${id}`, {headers: {'If-None-Match': '"x"'}});
        assertRefused(answer, 404, `Booking '${id}' does not exist`);
        assert.equal(answer.headers.etag, undefined);
    }
});

it('an id that is no number is a 400', async (server) => {
    for (const id of ['x', '1x', '1.0', '1/2', '0x1', '%31%20'])
        assertRefused(await request(server, 'GET', `/api/bookings/${id}`), 400, 'Booking id must be an integer');
    assertRefused(await request(server, 'GET', '/api/bookings/'), 400, 'Booking id is required');
});

it('a slash at the end is fine', async (server) => {
    const made = await seeded(server);
    assert.equal((await request(server, 'GET', `/api/bookings/${made[0]}/`)).json.id, made[0]);
});
