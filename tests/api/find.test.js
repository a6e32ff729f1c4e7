'use strict';
/* GET /api/find: when GPUs are free together. What is found is what can be booked. */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {assertRefused, book, cancel, markDone, tryToBook} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const gpus = (kind, count) => Array.from({length: count}, (_, index) => ({id: `gpu${index}`, kind}));
const NODES = [
    {id: 'beta', gpus: [...gpus('A100', 2), {id: 'odd', kind: 'L40S'}]},
    {id: 'alpha', gpus: gpus('A100', 4)},
    {id: 'empty'},
    {id: 'a&b=c é', gpus: [{id: 'x', kind: 'kind & more'}]},
];
const it = suite({config: {nodes: NODES}});
const limited = suite({config: {nodes: NODES, limits: {max_booking_hours: 48, max_gpus_per_booking: 2, max_days_ahead: 3}}});
const clocked = suite({config: {nodes: NODES}, clock: true});

/* QUERY is a list of pairs or an object. */
const ask = (server, query, headers) => request(server, 'GET', `/api/find?${new URLSearchParams(query)}`, {headers});
async function find(server, query) {
    const answer = await ask(server, query);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json), ['slots']);
    return answer.json.slots;
}
const slot = (node, ids, start, end) => ({node_id: node, gpu_ids: ids, start: iso(start), end: iso(end)});
/* Each test has a month of its own, far ahead, so that none sees what another one booked before it. */
const month = (index) => Date.UTC(2041, index, 1) / 3_600_000;
const hold = (server, node, ids, start, end) =>
    book(server, {node_id: node, gpu_ids: ids, start: iso(start), end: iso(end), user_label: 'ada'});

it('by default: one GPU for an hour, from the current hour on, on each node that has one', async (server) => {
    const now = await steadyHour();
    assert.deepEqual(await find(server, {}), [
        slot('beta', ['gpu0'], now, now + 1), slot('alpha', ['gpu0'], now, now + 1), slot('a&b=c é', ['x'], now, now + 1),
    ]);
    assert.deepEqual(await find(server, {after: iso(now - 1000), before: '', kind: '', node_id: '', gpus: '', hours: '', limit: ''}),
        await find(server, {}));
});

it('GPUs, hours, after and before: the windows in which they are free together', async (server) => {
    const start = month(0);
    await hold(server, 'beta', ['gpu0'], start, start + 10);
    await hold(server, 'beta', ['gpu1'], start + 14, start + 20);
    await hold(server, 'beta', ['odd'], start - 10, start + 40);
    const on = {node_id: 'beta', after: iso(start)};
    assert.deepEqual(await find(server, {...on, gpus: 2, hours: 4}),
        [slot('beta', ['gpu0', 'gpu1'], start + 10, start + 14), slot('beta', ['gpu0', 'gpu1'], start + 20, start + 24)]);
    assert.deepEqual(await find(server, {...on, gpus: 2, hours: 5}), [slot('beta', ['gpu0', 'gpu1'], start + 20, start + 25)]);
    assert.deepEqual(await find(server, {...on, gpus: 2, hours: 5, before: iso(start + 25)}),
        [slot('beta', ['gpu0', 'gpu1'], start + 20, start + 25)]);
    assert.deepEqual(await find(server, {...on, gpus: 2, hours: 5, before: iso(start + 24)}), []);
    assert.deepEqual(await find(server, {...on, gpus: 3, hours: 1, before: iso(start + 40)}), []);
});

it('after and before snap outward to whole hours', async (server) => {
    const start = month(1);
    const query = {node_id: 'alpha', hours: 3, after: '2041-02-01T00:59:59Z', before: '2041-02-01T02:00:01+00:00'};
    assert.deepEqual(await find(server, query), [slot('alpha', ['gpu0'], start, start + 3)]);
    assert.deepEqual(await find(server, {...query, before: '2041-02-01T02:00:00Z'}), []);
});

it('what has ended, was cancelled or lies before does not count', async (server) => {
    const now = await steadyHour();
    const done = await book(server, {node_id: 'alpha', start: iso(now - 2), end: iso(now + 5), user_label: 'ada', gpu_count: 4});
    const dropped = await book(server, {node_id: 'alpha', start: iso(now + 5), end: iso(now + 9), user_label: 'ada', gpu_count: 4});
    const query = {node_id: 'alpha', gpus: 4, hours: 2};
    const all = ['gpu0', 'gpu1', 'gpu2', 'gpu3'];
    assert.deepEqual(await find(server, query), [slot('alpha', all, now + 9, now + 11)]);
    await markDone(server, done.booking_id);
    assert.deepEqual(await find(server, query), [slot('alpha', all, now, now + 2), slot('alpha', all, now + 9, now + 11)]);
    await cancel(server, dropped.booking_id);
    assert.deepEqual(await find(server, query), [slot('alpha', all, now, now + 2)]);
});

it('long free runs are left whole: the shortest that fits is taken, in configuration order', async (server) => {
    const start = month(3);
    await hold(server, 'alpha', ['gpu1'], start + 30, start + 31);
    await hold(server, 'alpha', ['gpu3'], start + 20, start + 21);
    await hold(server, 'alpha', ['gpu0'], start - 10, start + 5);
    const query = {node_id: 'alpha', hours: 2, after: iso(start), limit: 1};
    assert.deepEqual((await find(server, query))[0].gpu_ids, ['gpu3']);
    assert.deepEqual((await find(server, {...query, gpus: 2}))[0].gpu_ids, ['gpu1', 'gpu3']);
    assert.deepEqual((await find(server, {...query, gpus: 3}))[0].gpu_ids, ['gpu1', 'gpu2', 'gpu3']);
    assert.deepEqual((await find(server, {...query, gpus: 4}))[0], slot('alpha', ['gpu0', 'gpu1', 'gpu2', 'gpu3'], start + 5, start + 7));
});

it('the kind and the nodes narrow the search; both are compared exactly', async (server) => {
    const start = month(4);
    const query = {after: iso(start)};
    const nodesOf = async (more) => (await find(server, [...Object.entries(query), ...more])).map((found) => found.node_id);
    assert.deepEqual(await nodesOf([['kind', 'L40S']]), ['beta']);
    assert.deepEqual(await nodesOf([['kind', 'l40s']]), []);
    assert.deepEqual(await nodesOf([['kind', 'kind & more']]), ['a&b=c é']);
    assert.deepEqual(await nodesOf([['kind', 'nobody has this']]), []);
    assert.deepEqual(await nodesOf([['node_id', 'a&b=c é'], ['node_id', 'beta'], ['node_id', 'beta']]), ['beta', 'a&b=c é']);
    assert.deepEqual(await nodesOf([['node_id', 'empty']]), []);
    assert.deepEqual(await nodesOf([['node_id', 'beta'], ['kind', 'A100'], ['gpus', '3']]), []);
    /* Kind and node are told apart in what is kept, too. */
    assert.deepEqual(await nodesOf([['kind', 'beta']]), []);
    assert.deepEqual(await nodesOf([['node_id', 'beta']]), ['beta']);
});

it('the limit keeps the earliest, over all nodes', async (server) => {
    const start = month(5);
    await hold(server, 'beta', ['gpu0', 'gpu1', 'odd'], start, start + 6);
    await hold(server, 'alpha', ['gpu0', 'gpu1', 'gpu2', 'gpu3'], start + 2, start + 4);
    await hold(server, 'a&b=c é', ['x'], start, start + 5);
    const all = [['alpha', start], ['alpha', start + 4], ['a&b=c é', start + 5], ['beta', start + 6]];
    for (const limit of [1, 2, 3, 4, 100]) {
        const slots = await find(server, {after: iso(start), limit});
        assert.deepEqual(slots.map((found) => [found.node_id, found.start]),
            all.slice(0, limit).map(([node, hour]) => [node, iso(hour)]));
    }
});

it('what is found can be booked, and an hour before it cannot', async (server) => {
    const start = month(6);
    const from = {after: iso(start)};
    /* A calendar with holes of many lengths; every slot that is offered is booked, until the month is full. */
    for (let hour = 0; hour < 60; hour += 3)
        await hold(server, 'alpha', [`gpu${hour % 4}`], start + hour, start + hour + 1 + hour % 7);
    let previous = '';
    for (let i = 0; i < 12; i++) {
        const [first] = await find(server, {...from, node_id: 'alpha', gpus: 2, hours: 5});
        assert.ok(first.start >= previous, 'the earliest one moves on');
        previous = first.start;
        const made = await book(server, {...first, user_label: 'finder'});
        assert.deepEqual(made.gpu_ids, first.gpu_ids);
        const earlier = Date.parse(first.start) / 3_600_000 - 1;
        if (earlier < start) continue;
        const refused = await tryToBook(server, {
            node_id: 'alpha', start: iso(earlier), end: iso(earlier + 5), gpu_count: 2, user_label: 'too early',
        });
        assert.equal(refused.status, 409, refused.text);
    }
});

it('each parameter is checked, and the refusal names it', async (server) => {
    const numbers = {
        gpus: ["'gpus' must be a whole number from 1 to 10000", '10000', '10001'],
        hours: ["'hours' must be a whole number from 1 to 100000", '8784', '100001'],
        limit: ["'limit' must be a whole number from 1 to 100", '100', '101'],
    };
    for (const [name, [sentence, most, beyond]] of Object.entries(numbers)) {
        for (const value of ['0', '-1', beyond, '1.5', 'one', '1e1', '0x10', ' 1', '99999999999999999999', '١']) {
            const answer = await ask(server, {[name]: value});
            assertRefused(answer, 400, sentence);
            assert.equal(answer.json.field, name);
        }
        assert.equal((await ask(server, {[name]: most})).status, 200);
    }
    for (const name of ['after', 'before']) {
        const answer = await ask(server, {[name]: 'tomorrow'});
        assertRefused(answer, 400, /^Invalid timestamp: /);
        assert.equal(answer.json.field, name);
        assertRefused(await ask(server, {[name]: '9999-12-31T23:30-01:00'}), 400, /^Invalid timestamp: /);
    }
    const unknown = await ask(server, [['node_id', 'alpha'], ['node_id', 'gamma']]);
    assertRefused(unknown, 400, "Unknown node id 'gamma'");
    assert.equal(unknown.json.field, 'node_id');
    assertRefused(await ask(server, {hours: 8785}), 400, /\b8784\b.*\(max_booking_hours\)/);
});

it('a search with no room has an empty answer', async (server) => {
    const start = month(8);
    for (const query of [
        {after: iso(start), before: iso(start)}, {after: iso(start), before: iso(start - 10)}, {before: '1970-01-01'},
        {after: '9999-12-31T22:00', hours: 2}, {gpus: 10_000}, {hours: 20, after: iso(start), before: iso(start + 19)},
    ]) assert.deepEqual(await find(server, query), [], JSON.stringify(query));
    assert.equal((await find(server, {after: '9999-12-31T22:00', hours: 1})).length, 3);
});

it('the path takes GET and HEAD only', async (server) => {
    assertRefused(await request(server, 'POST', '/api/find', {body: {}}), 405);
    assert.equal((await request(server, 'HEAD', '/api/find')).status, 200);
    assertRefused(await request(server, 'GET', '/api/find/'), 404);
});

it('an answer has a tag that a booking changes; the same question is 304 until then', async (server) => {
    await steadyHour();
    const query = {after: iso(month(9)), gpus: 2};
    const first = await ask(server, query);
    const again = await ask(server, query, {'If-None-Match': first.headers.etag});
    assert.equal(again.status, 304);
    assert.equal(again.bytes.length, 0);
    await hold(server, 'beta', ['gpu0', 'gpu1'], month(9), month(9) + 3);
    const booked = await ask(server, query, {'If-None-Match': first.headers.etag});
    assert.equal(booked.status, 200);
    assert.deepEqual(booked.json.slots.map((found) => found.node_id), ['alpha', 'beta']);
    assert.notEqual(booked.headers.etag, first.headers.etag);
    assertRefused(await ask(server, {node_id: 'gamma'}, {'If-None-Match': '*'}), 400, "Unknown node id 'gamma'");
});

it('the tag tells the hour, as the answer moves with the clock', async (server) => {
    const now = await steadyHour();
    const {etag} = (await ask(server, {})).headers;
    assert.match(etag, new RegExp(`\\.${now}"$`));
});

clocked('the answer moves with the hour: the old tag gives the new one, and nothing that was kept is shown', async (server) => {
    const noon = month(2) + 12;
    const at = (seconds) => server.setClock(noon * 3600 + seconds);
    const query = {node_id: 'beta', limit: 1, gpus: 3};
    at(0);
    await hold(server, 'beta', ['gpu0'], noon, noon + 1);
    await hold(server, 'beta', ['gpu1'], noon + 3, noon + 9);
    at(60);
    const first = await ask(server, query);
    assert.deepEqual(first.json.slots, [slot('beta', ['gpu0', 'gpu1', 'odd'], noon + 1, noon + 2)]);
    at(3500);
    assert.equal((await ask(server, query, {'If-None-Match': first.headers.etag})).status, 304);
    at(3605);
    const second = await ask(server, query, {'If-None-Match': first.headers.etag});
    assert.equal(second.status, 200);
    assert.deepEqual(second.json.slots, first.json.slots);
    at(2 * 3600 + 5);
    assert.deepEqual((await find(server, query)), [slot('beta', ['gpu0', 'gpu1', 'odd'], noon + 2, noon + 3)]);
    at(3 * 3600);
    assert.deepEqual((await find(server, query)), [slot('beta', ['gpu0', 'gpu1', 'odd'], noon + 9, noon + 10)]);
});

limited('the limits of bookings bind what is looked for', async (server) => {
    const now = await steadyHour();
    const hours = await ask(server, {hours: 49});
    assertRefused(hours, 400, 'A booking may last 48 hours at most, not 49 (max_booking_hours)');
    assert.equal(hours.json.limit, 'max_booking_hours');
    const wide = await ask(server, {gpus: 3});
    assertRefused(wide, 400, 'A booking may take 2 GPUs at most, not 3 (max_gpus_per_booking)');
    assert.equal(wide.json.limit, 'max_gpus_per_booking');
    /* Three days ahead: what would end later is not offered, as it could not be booked. */
    const on = {node_id: 'beta', hours: 24, gpus: 2, kind: 'A100'};
    await hold(server, 'beta', ['gpu0'], now, now + 48);
    const [only] = await find(server, on);
    assert.deepEqual(only, slot('beta', ['gpu0', 'gpu1'], now + 48, now + 72));
    assert.deepEqual(await find(server, {...on, before: iso(now + 1000)}), [only]);
    assert.deepEqual(await find(server, {...on, hours: 25}), []);
    assert.deepEqual(await find(server, {...on, after: iso(now + 49)}), []);
    await book(server, {...only, user_label: 'ada'});
});

const perUser = suite({config: {nodes: NODES, limits: {max_active_gpu_hours_per_user: 12}}, clock: true});
perUser('for a user it finds what the limit on their hours leaves them, and refuses the rest as booking does', async (server) => {
    const at = (seconds) => server.setClock(Date.UTC(2031, 0, 6, 12) / 1000 + seconds);
    at(0);
    const now = Date.UTC(2031, 0, 6, 12) / 3_600_000;
    const refused = async (query, sentence) => {
        const found = await ask(server, query);
        assertRefused(found, 400, sentence);
        assert.equal(found.json.limit, 'max_active_gpu_hours_per_user');
        const wish = {node_id: 'alpha', gpu_count: query.gpus, start: iso(now + 50), end: iso(now + 50 + query.hours)};
        assertRefused(await tryToBook(server, {...wish, user_label: query.user_label, dry_run: true}), 400, sentence);
    };
    const sentence = (hours, held) => `This would be ${hours} GPU hours for 'ada', who has ${held} ahead already; the limit is 12 ` +
        '(max_active_gpu_hours_per_user)';
    await book(server, {node_id: 'alpha', gpu_count: 2, start: iso(now), end: iso(now + 4), user_label: 'ada'});
    const ada = {gpus: 2, user_label: ' ada '};
    const [first] = await find(server, {...ada, hours: 2});
    await refused({...ada, hours: 3, user_label: 'ada'}, sentence(6, 8));
    await refused({...ada, hours: 3, user_label: ' ada '}, sentence(6, 8));
    assert.equal((await find(server, {...ada, hours: 3, user_label: 'bob'})).length, 2, 'another one has hours left');
    assert.equal((await find(server, {gpus: 2, hours: 100})).length, 2, 'nobody in particular is asked for');
    await book(server, {...first, user_label: 'ada'});
    await refused({gpus: 1, hours: 1, user_label: 'ada'}, sentence(1, 12));
    at(3600); /* an hour of both bookings has passed, without a write */
    assert.equal((await find(server, {...ada, hours: 2})).length, 2);
    await refused({...ada, hours: 3}, sentence(6, 8));
});

it('a label that nobody could book with is refused', async (server) => {
    for (const [label, sentence] of [
        [' ', 'User label must not be empty'], ['x'.repeat(65), 'User label must not be longer than 64 characters'],
        ['a\nb', 'User label must not hold control characters'],
    ]) {
        const answer = await ask(server, {user_label: label});
        assertRefused(answer, 400, sentence);
        assert.equal(answer.json.field, 'user_label');
    }
    assert.deepEqual(await find(server, {user_label: ''}), await find(server, {}));
});
