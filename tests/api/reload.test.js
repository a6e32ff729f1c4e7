'use strict';
/* POST /api/reload_config: one test a server, as each changes the topology. */
const assert = require('node:assert/strict');
const {test} = require('node:test');
const {assertHas, assertRefused, availability, book, cancel, hoursOf, markDone, reload, tryToBook} = require('./fixtures.js');
const {request, serverMissing, startServer, until} = require('./harness.js');

const GPU = (id) => ({id, kind: 'A100'});
const NODES = {nodes: [{id: 'a', name: 'A', gpus: [GPU('g0'), GPU('g1'), GPU('g2')]}, {id: 'b', gpus: [GPU('g0')]}]};
/* Next year, so that its bookings are still ahead. */
const DAY = `${new Date().getUTCFullYear() + 1}-01-06`;
const WINDOW = {start: `${DAY}T10:00`, end: `${DAY}T12:00`};

const it = (name, body) => test(name, {skip: serverMissing()}, async () => {
    const server = await startServer({config: NODES});
    try {
        await body(server);
    } finally {
        await server.stop();
    }
});

const topology = async (server) => (await request(server, 'GET', '/api/nodes')).json.nodes
    .map((node) => [node.id, node.name, ...node.gpus.map((gpu) => gpu.id)]);
async function reloaded(server, config) {
    server.writeConfig(config);
    const answer = await reload(server);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.status, 'ok');
    return answer;
}

it('what was added, renamed, and moved is there after the reload, for every worker', async (server) => {
    await reloaded(server, {nodes: [{id: 'c', gpus: [GPU('g9')]}, {id: 'b', name: 'Bee', gpus: [GPU('g0'), GPU('g7')]}, NODES.nodes[0]]});
    const expected = [['c', 'c', 'g9'], ['b', 'Bee', 'g0', 'g7'], ['a', 'A', 'g0', 'g1', 'g2']];
    for (let i = 0; i < 32; i++) assert.deepEqual(await topology(server), expected);
    await book(server, {node_id: 'c', ...WINDOW, user_label: 'ada', gpu_ids: ['g9']});
});

it('the body of the request does not matter', async (server) => {
    for (const body of [undefined, '', '{', '[]', 'null', '{"x":1}'])
        assert.equal((await request(server, 'POST', '/api/reload_config', {body})).status, 200, body);
});

it('a node and a GPU that left are not shown and not bookable', async (server) => {
    await reloaded(server, {nodes: [{id: 'a', name: 'A', gpus: [GPU('g0'), GPU('g2')]}]});
    assert.deepEqual(await topology(server), [['a', 'A', 'g0', 'g2']]);
    assertRefused(await tryToBook(server, {node_id: 'b', ...WINDOW, user_label: 'ada', gpu_count: 1}), 400, "Unknown node id 'b'");
    assertRefused(await tryToBook(server, {node_id: 'a', ...WINDOW, user_label: 'ada', gpu_ids: ['g1']}), 400,
        'One or more GPUs do not belong to the specified node');
    assertRefused(await tryToBook(server, {node_id: 'a', ...WINDOW, user_label: 'ada', gpu_count: 3}), 400,
        'Not enough GPUs available for the requested window');
    assertRefused(await request(server, 'GET', '/api/availability?node_id=b'), 400, "Unknown node id 'b'");
    const grid = await availability(server, {node_id: 'a', ...WINDOW});
    assert.deepEqual(grid.grid.rows.map((row) => row.gpu.id), ['g0', 'g2']);
    assertHas(grid.hours[0], {available_gpu_ids: ['g0', 'g2'], used_gpu_ids: []});
});

it('the answer names the bookings that stand on what was retired, and they stay', async (server) => {
    const ended = await book(server, {node_id: 'a', ...WINDOW, user_label: 'already-ended', gpu_ids: ['g1']});
    await cancel(server, ended.booking_id);
    const both = await book(server, {node_id: 'a', ...WINDOW, user_label: 'two GPUs', gpu_ids: ['g0', 'g1']});
    const answer = await reloaded(server, {nodes: [{id: 'a', name: 'A', gpus: [GPU('g0'), GPU('g2')]}, NODES.nodes[1]]});
    assert.deepEqual(answer.json.retired, [{node_id: 'a', gpu_id: 'g1'}]);
    assert.equal(answer.json.affected_bookings.length, 1, answer.text);
    assertHas(answer.json.affected_bookings[0], {
        id: both.booking_id, node_id: 'a', user_label: 'two GPUs', start: `${DAY}T10:00:00+00:00`,
        end: `${DAY}T12:00:00+00:00`, status: 'active', gpu_ids: ['g0', 'g1'], priority: 'medium',
    });
    const grid = await availability(server, {node_id: 'a', ...WINDOW});
    const shown = grid.hours[0].bookings.find(({id}) => id === both.booking_id);
    assertHas(shown, {status: 'active', gpu_ids: ['g0', 'g1']});
    assert.equal((await markDone(server, both.booking_id)).status, 200);
});

it('the bookings of a node that left are named too, and can still be ended', async (server) => {
    const made = await book(server, {node_id: 'b', ...WINDOW, user_label: 'homeless', gpu_ids: ['g0']});
    const past = await book(server, {node_id: 'b', start: '2001-01-01', end: '2001-01-02', user_label: 'past', gpu_ids: ['g0']});
    const answer = await reloaded(server, {nodes: [NODES.nodes[0]]});
    assert.deepEqual(answer.json.retired, [{node_id: 'b', gpu_id: 'g0'}, {node_id: 'b'}]);
    assert.deepEqual(answer.json.affected_bookings.map(({id, node_id}) => [id, node_id]), [[made.booking_id, 'b']]);
    /* Whoever asks again hears of them again: they are still there. */
    const again = await reloaded(server, {nodes: [NODES.nodes[0]]});
    assert.equal(again.json.affected_bookings.length, 1);
    for (const id of [made.booking_id, past.booking_id]) assert.equal((await cancel(server, id)).status, 200);
    const ended = await reloaded(server, {nodes: [NODES.nodes[0]]});
    assert.deepEqual(ended.json.affected_bookings, []);
});

it('the answer says what was added, changed, retired and came back', async (server) => {
    const first = await reloaded(server, {nodes: [
        {id: 'a', name: 'Renamed', gpus: [GPU('g0'), {id: 'g1', kind: 'H100'}, GPU('g3')]}, {id: 'c'},
    ]});
    assertHas(first.json, {
        changed: true,
        added: [{node_id: 'a', gpu_id: 'g3'}, {node_id: 'c'}],
        returned: [],
        affected_bookings: [],
    });
    const named = (items) => items.map((item) => [item.node_id, item.gpu_id ?? ''].join(' ').trim()).sort();
    assert.deepEqual(named(first.json.updated), ['a', 'a g1']);
    assert.deepEqual(named(first.json.retired), ['a g2', 'b', 'b g0']);
    const second = await reloaded(server, NODES);
    assert.deepEqual(named(second.json.returned), ['a g2', 'b', 'b g0']);
    assert.deepEqual(named(second.json.retired), ['a g3', 'c']);
});

it('a file that says the same changes nothing, not even the ETag', async (server) => {
    const before = await request(server, 'GET', '/api/nodes');
    const answer = await reloaded(server, NODES);
    assertHas(answer.json, {changed: false, added: [], updated: [], retired: [], returned: []});
    assert.equal((await request(server, 'GET', '/api/nodes')).headers.etag, before.headers.etag);
});

it('HUP to the master reads the file again', async (server) => {
    server.writeConfig({nodes: [{id: 'after-hup', gpus: [GPU('g0')]}]});
    process.kill(server.master(), 'SIGHUP');
    await until(async () => (await topology(server))[0][0] === 'after-hup', 'the new node is there');
    server.writeConfig('{');
    process.kill(server.master(), 'SIGHUP');
    await until(() => /config\.json: line 1/.test(server.stderr), 'the log says what is wrong with the file');
    assert.equal((await topology(server))[0][0], 'after-hup');
    await reloaded(server, NODES);
});

it('a GPU that comes back is the same one', async (server) => {
    const made = await book(server, {node_id: 'a', ...WINDOW, user_label: 'ada', gpu_ids: ['g1']});
    await reloaded(server, {nodes: [{id: 'a', name: 'A', gpus: [GPU('g0')]}]});
    await reloaded(server, NODES);
    assert.deepEqual(await topology(server), [['a', 'A', 'g0', 'g1', 'g2'], ['b', 'b', 'g0']]);
    assert.equal(await hoursOf(server, 'a', 'g1', WINDOW.start, `${DAY}T13:00`), '##.');
    const answer = await tryToBook(server, {node_id: 'a', ...WINDOW, user_label: 'bob', gpu_ids: ['g1']});
    assertRefused(answer, 409);
    assert.equal(answer.json.conflicts[0].booking_id, made.booking_id);
});

it('a node that comes back has its bookings', async (server) => {
    await book(server, {node_id: 'b', ...WINDOW, user_label: 'ada', gpu_ids: ['g0']});
    await reloaded(server, {nodes: [NODES.nodes[0]]});
    await reloaded(server, NODES);
    assert.equal(await hoursOf(server, 'b', 'g0', WINDOW.start, `${DAY}T13:00`), '##.');
});

it('limits are read anew', async (server) => {
    const body = {node_id: 'b', ...WINDOW, user_label: 'ada', gpu_count: 1};
    await reloaded(server, {...NODES, limits: {max_booking_hours: 1}});
    for (let i = 0; i < 16; i++) assertRefused(await tryToBook(server, body), 400, /\b1\b/);
    await reloaded(server, NODES);
    await book(server, body);
});

for (const [name, text, place] of [
    ['is not JSON', '{"nodes": [\n  {"id": "a",}\n]}', /\b2\b/],
    ['has an unknown key', {nodes: [{id: 'x', gpu: []}]}, /nodes\[0\].*gpu/],
    ['names an id twice', {nodes: [{id: 'x'}, {id: 'x'}]}, /nodes\[1\]/],
    ['has no nodes', {nodes: []}, /nodes/],
    ['is empty', '', /config\.json/],
]) {
    it(`a file that ${name} changes nothing: 500, and the answer says where the fault is`, async (server) => {
        const before = await topology(server);
        server.writeConfig(text);
        const answer = await reload(server);
        assertRefused(answer, 500, place);
        assert.doesNotMatch(answer.text, /\/tmp\//);
        for (let i = 0; i < 16; i++) assert.deepEqual(await topology(server), before);
        await book(server, {node_id: 'a', ...WINDOW, user_label: 'ada', gpu_count: 3});
        await reloaded(server, NODES);
    });
}
