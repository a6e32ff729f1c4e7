'use strict';
/* GET /api/events: who did what, when; each write once, page by page. */
const assert = require('node:assert/strict');
const {YEAR_AHEAD: YEAR, iso, steadyHour} = require('./clock.js');
const {assertRefused, book, cancel, markDone, reload, tryToBook} = require('./fixtures.js');
const {CONFIG, rawRequest, request, suite} = require('./harness.js');

const it = suite();

async function events(server, query = '') {
    const answer = await request(server, 'GET', `/api/events?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

/* Everything after AFTER, page by page. */
async function all(server, after = 0) {
    const found = [];
    for (;;) {
        const page = await events(server, `after=${after}&limit=1000`);
        if (page.events.length === 0) return found;
        found.push(...page.events);
        after = page.last;
    }
}

const last = async (server) => (await all(server)).at(-1).id;
const wish = (day, more) => ({
    node_id: 'alpha', start: `${YEAR}-${day}T10:00`, end: `${YEAR}-${day}T12:00`, user_label: 'ada', gpu_ids: ['gpu0'], ...more,
});

it('the first event of all is the configuration that was taken in, by nobody', async (server) => {
    const [first] = (await events(server)).events;
    const {id, at, ...rest} = first;
    assert.equal(id, 1);
    assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 600_000, at);
    assert.equal(rest.kind, 'configured');
    assert.deepEqual([rest.actor, rest.claimed, rest.booking_id], [null, false, null]);
    assert.deepEqual(rest.detail.added[0], {node_id: 'beta'});
});

it('every kind of write is told once, with what it was about', async (server) => {
    const start = await last(server);
    const now = await steadyHour();
    const headers = {'Procplan-User': 'ada'};
    const made = await book(server, wish('01-06', {note: 'night run', priority: 'high'}), headers);
    await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {end: `${YEAR}-01-06T13:00`, note: null}, headers});
    await request(server, 'DELETE', `/api/bookings/${made.booking_id}`, {headers});
    const begun = await book(server, {...wish('01-06'), start: iso(now - 1), end: iso(now + 1)}, headers);
    await markDone(server, begun.booking_id);
    const series = await book(server, wish('01-13', {repeat: {every: 'week', count: 3}}), headers);
    server.writeConfig({nodes: [...CONFIG.nodes, {id: 'new'}]});
    await request(server, 'POST', '/api/reload_config', {headers});
    const told = await all(server, start);
    assert.deepEqual(told.map(({kind, booking_id: id, actor}) => [kind, id, actor]), [
        ['booked', made.booking_id, 'ada'],
        ['edited', made.booking_id, 'ada'],
        ['cancelled', made.booking_id, 'ada'],
        ['booked', begun.booking_id, 'ada'],
        ['completed', begun.booking_id, null],
        ...series.bookings.map((booking) => ['booked', booking.booking_id ?? booking.id, 'ada']),
        ['configured', null, 'ada'],
    ]);
    assert.deepEqual(told.map((event) => event.id), told.map((_, index) => start + 1 + index), 'none is missing');
    assert.deepEqual(told[0].detail, {
        node_id: 'alpha', gpu_ids: ['gpu0'], start: `${YEAR}-01-06T10:00:00+00:00`, end: `${YEAR}-01-06T12:00:00+00:00`,
        user_label: 'ada', priority: 'high', note: 'night run',
    });
    assert.deepEqual(told[1].detail, {
        old: {end: `${YEAR}-01-06T12:00:00+00:00`, note: 'night run'},
        new: {end: `${YEAR}-01-06T13:00:00+00:00`, note: null},
    });
    assert.deepEqual(told.at(-1).detail, {added: [{node_id: 'new'}]});
    server.writeConfig(CONFIG);
    await reload(server);
});

it('what is refused, tried out, repeated by its key or changes nothing is not told', async (server) => {
    const made = await book(server, wish('02-03'), {'Idempotency-Key': 'k1'});
    const start = await last(server);
    assert.equal((await tryToBook(server, wish('02-03'))).status, 409);
    assert.equal((await tryToBook(server, wish('02-04', {user_label: ''}))).status, 400);
    assert.equal((await tryToBook(server, wish('02-04', {dry_run: true}))).status, 200);
    assert.equal((await tryToBook(server, wish('02-03'), {'Idempotency-Key': 'k1'})).status, 201);
    assert.equal((await tryToBook(server, wish('02-05'), {Origin: 'http://elsewhere.example'})).status, 403);
    assert.equal((await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {user_label: 'ada'}})).status, 200);
    assert.equal((await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {end: `${YEAR}-02-03T09:00`}})).status, 400);
    assert.equal((await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {version: 9, note: 'x'}})).status, 412);
    assert.equal((await markDone(server, 999_999)).status, 404);
    assert.equal((await cancel(server, 999_999)).status, 404);
    assert.equal((await reload(server)).status, 200);
    server.writeConfig('{"nodes":');
    assert.equal((await reload(server)).status, 500);
    server.writeConfig(CONFIG);
    assert.equal((await reload(server)).status, 200);
    assert.deepEqual(await all(server, start), []);
});

it('pages join without a gap or a repeat, and the cursor goes on from the last one', async (server) => {
    for (let day = 10; day < 20; day++) await book(server, wish(`03-${day}`));
    const whole = await all(server);
    for (const limit of [1, 3, 7]) {
        const found = [];
        let after = 0;
        for (let page = 0; page <= whole.length; page++) {
            const answer = await events(server, `after=${after}&limit=${limit}`);
            assert.ok(answer.events.length <= limit);
            if (answer.events.length === 0) {
                assert.equal(answer.last, after, 'with nothing new the cursor stays');
                break;
            }
            assert.equal(answer.last, answer.events.at(-1).id);
            found.push(...answer.events);
            after = answer.last;
        }
        assert.deepEqual(found, whole, `limit ${limit}`);
    }
    const cursor = whole.at(-1).id;
    assert.deepEqual(await events(server, `after=${cursor}`), {events: [], last: cursor});
    assert.deepEqual(await events(server, 'after=1000000'), {events: [], last: 1_000_000});
    const made = await book(server, wish('03-30'));
    const next = await events(server, `after=${cursor}`);
    assert.deepEqual([next.events.length, next.events[0].booking_id, next.last], [1, made.booking_id, cursor + 1]);
});

it('the history of one booking is only its own', async (server) => {
    const one = await book(server, wish('04-07'));
    await book(server, wish('04-08'));
    await request(server, 'PATCH', `/api/bookings/${one.booking_id}`, {body: {user_label: 'bob'}});
    await cancel(server, one.booking_id);
    const {events: history, last: cursor} = await events(server, `booking_id=${one.booking_id}`);
    assert.deepEqual(history.map((event) => [event.kind, event.booking_id]),
        ['booked', 'edited', 'cancelled'].map((kind) => [kind, one.booking_id]));
    assert.equal(cursor, history[2].id);
    const rest = await events(server, `booking_id=${one.booking_id}&after=${history[0].id}&limit=1`);
    assert.deepEqual(rest.events, [history[1]]);
    assert.deepEqual(await events(server, 'booking_id=999999'), {events: [], last: 0});
});

it('100 are given when no limit is asked for', async (server) => {
    const short = await all(server);
    await book(server, {
        ...wish('05-01'), start: `${YEAR + 1}-01-01T10:00`, end: `${YEAR + 1}-01-01T12:00`, repeat: {every: 'day', count: 120},
    });
    const first = (await events(server, `after=${short.at(-1).id}`)).events;
    assert.equal(first.length, 100);
    assert.equal((await events(server, `after=${short.at(-1).id}&limit=1000`)).events.length, 120);
});

it('bad questions are refused with a sentence that names the field', async (server) => {
    for (const [name, values] of Object.entries({
        after: ['-1', 'x', '1.5', '99999999999999999999'], limit: ['0', '1001', '-5', 'all'], booking_id: ['0', '-1', 'x'],
    })) for (const value of values) {
        const answer = await request(server, 'GET', `/api/events?${name}=${value}`);
        assertRefused(answer, 400, new RegExp(`'${name}' must be a whole number from`));
        assert.equal(answer.json.field, name);
    }
});

it('the log has an ETag like every other answer', async (server) => {
    const first = await request(server, 'GET', '/api/events?limit=5');
    const again = await request(server, 'GET', '/api/events?limit=5', {headers: {'If-None-Match': first.headers.etag}});
    assert.equal(again.status, 304);
    await book(server, wish('06-02'));
    const moved = await request(server, 'GET', '/api/events?limit=5', {headers: {'If-None-Match': first.headers.etag}});
    assert.equal(moved.status, 200);
});

/* -- who ------------------------------------------------------------------------------------------------------ */

let day = 0;
/* Books with a Procplan-User of exactly these bytes, and gives the event's actor and whether it is claimed. */
async function actorOf(server, bytes) {
    const body = JSON.stringify({
        ...wish('01-01'), start: `${YEAR + 2}-01-01T${String(day % 24).padStart(2, '0')}:00`, end: `${YEAR + 2}-01-01T${String(day % 24).padStart(2, '0')}:30`,
        node_id: '7', gpu_ids: [String(1 + Math.floor(day++ / 24))],
    });
    const answer = await rawRequest(server, Buffer.concat([
        Buffer.from(`POST /api/book HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`),
        bytes === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from('Procplan-User: '), bytes, Buffer.from('\r\n')]),
        Buffer.from(`\r\n${body}`),
    ]));
    assert.equal(answer.status, 201, answer.text);
    const [event] = (await events(server, `booking_id=${answer.json.booking_id}`)).events;
    return [event.actor, event.claimed];
}

it('a name that the client gives is the actor, marked as claimed', async (server) => {
    for (const name of ['ada', 'Ada Lovelace', 'né <b>"&\\', 'x'.repeat(64), 'é'.repeat(64), '日本', '  trimmed\t'])
        assert.deepEqual(await actorOf(server, Buffer.from(name)), [name.trim(), true], name);
});

it('without a name nobody said, and nothing is claimed', async (server) => {
    for (const bytes of [null, Buffer.from(''), Buffer.from('   ')])
        assert.deepEqual(await actorOf(server, bytes), [null, false], String(bytes));
});

it('a name with control characters, of 65 characters or in bad UTF-8 is not taken', async (server) => {
    for (const bytes of [
        Buffer.from('a\tb'), Buffer.from('a\x7fb'), Buffer.from('a\u0085b'), Buffer.from('a\u2028b'), Buffer.from('a\x1bb'),
        Buffer.from('x'.repeat(65)), Buffer.from('é'.repeat(65)),
        Buffer.from([0x61, 0xff]), Buffer.from([0xc3]), Buffer.from([0xc0, 0x80]), Buffer.from([0xed, 0xa0, 0x80]),
        Buffer.from([0xf5, 0x80, 0x80, 0x80]),
    ]) assert.deepEqual(await actorOf(server, bytes), [null, false], bytes.toString('latin1'));
});

it('a client cannot say that the web server knows it', async (server) => {
    for (const header of ['Remote-User: root', 'REMOTE_USER: root', 'Authorization: Basic cm9vdDp4']) {
        const body = JSON.stringify({...wish('01-01'), start: `${YEAR + 3}-01-01`, end: `${YEAR + 3}-01-0${2 + day % 7}`, node_id: '7', gpu_ids: ['1']});
        const answer = await rawRequest(server,
            `POST /api/book HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n${header}\r\n\r\n${body}`);
        assert.equal(answer.status, 201, answer.text);
        const [event] = (await events(server, `booking_id=${answer.json.booking_id}`)).events;
        assert.deepEqual([event.actor, event.claimed], [null, false], header);
        await cancel(server, answer.json.booking_id);
    }
});
