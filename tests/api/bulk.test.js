'use strict';
/* POST /api/availability_bulk */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {assertRefused, availability, book} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const it = suite();
const bulk = (server, body) => request(server, 'POST', '/api/availability_bulk', {body});
const WINDOW = {start: '2031-01-06T10:00', end: '2031-01-06T14:00'};

async function nodesOf(server, body) {
    const answer = await bulk(server, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json.availability.map((grid) => grid.node.id);
}

it('without node_ids it answers for every node, in configuration order', async (server) => {
    assert.deepEqual(await nodesOf(server, WINDOW), ['beta', 'alpha', 'empty', '7']);
});

it('each element is what GET /api/availability says of that node', async (server) => {
    await book(server, {node_id: 'alpha', ...WINDOW, user_label: 'ada', gpu_count: 2});
    for (const granularity of ['hour', 'day']) {
        const {json} = await bulk(server, {...WINDOW, granularity});
        const single = [];
        for (const id of ['beta', 'alpha', 'empty', '7'])
            single.push(await availability(server, {node_id: id, granularity, ...WINDOW}));
        assert.deepEqual(json.availability, single);
    }
});

it('the answer keeps the order asked, and repeats what is repeated', async (server) => {
    assert.deepEqual(await nodesOf(server, {...WINDOW, node_ids: ['alpha', 'beta', 'alpha']}), ['alpha', 'beta', 'alpha']);
});

it('what is repeated is the same each time, commas and all', async (server) => {
    const {json} = await bulk(server, {...WINDOW, node_ids: ['beta', 'beta', 'alpha', 'beta', 7, 'alpha']});
    const [beta, again, alpha, third, seven, alphaAgain] = json.availability;
    assert.deepEqual(json.availability.map((grid) => grid.node.id), ['beta', 'beta', 'alpha', 'beta', '7', 'alpha']);
    assert.deepEqual([again, third, alphaAgain], [beta, beta, alpha]);
    assert.equal(seven.grid.rows.length, 2);
});

it('unknown ids are passed over', async (server) => {
    assert.deepEqual(await nodesOf(server, {...WINDOW, node_ids: ['nowhere', 'beta', 'gone']}), ['beta']);
});

it('integers are read as text', async (server) => {
    assert.deepEqual(await nodesOf(server, {...WINDOW, node_ids: [7, 'beta', '7']}), ['7', 'beta', '7']);
});

it('with no node left the answer is an empty list', async (server) => {
    for (const node_ids of [[], ['nowhere']])
        assert.deepEqual((await bulk(server, {...WINDOW, node_ids})).json, {availability: []});
});

for (const [name, body] of [
    ['an empty body', ''], ['no start and end', {}], ['a start alone', {start: '2031-01-06'}],
    ['an end that is null', {start: '2031-01-06', end: null}], ['a granularity that is null', {granularity: null}],
    ['an empty granularity', {granularity: ''}],
]) {
    it(`${name} means the default window by the hour`, async (server) => {
        const now = await steadyHour();
        const day = Math.floor(now / 24) + (now % 24 >= 20 ? 1 : 0);
        const answer = await bulk(server, body);
        assert.equal(answer.status, 200, answer.text);
        for (const grid of answer.json.availability) {
            assert.deepEqual([grid.start, grid.end], [iso(day * 24), iso(day * 24 + 24)]);
            assert.equal(grid.hours.length, 24);
        }
    });
}

it('day granularity is read in any case', async (server) => {
    const {json} = await bulk(server, {...WINDOW, granularity: 'Day', node_ids: ['beta']});
    assert.equal(json.availability[0].grid.days.length, 1);
    assert.equal(json.availability[0].grid.days[0].key, '2031-01-06');
});

/* Each body holds its own fault and all the later ones: the earliest must be named. */
const LATER = {start: '2031-01-02', end: '2031-01-01', granularity: 'week'};
for (const [sentence, body] of [
    [/^Invalid JSON payload: /, '{"node_ids":'],
    ['JSON payload must be an object', '[1]'],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: 'alpha', start: 'x'}],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: {alpha: 1}, start: 'x'}],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: 7, start: 'x'}],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: ['alpha', true], start: 'x'}],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: ['alpha', null], start: 'x'}],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: [['alpha']], start: 'x'}],
    ["'node_ids' must be an array of ids when provided", {...LATER, node_ids: [{}], start: 'x'}],
    [/timestamp/i, {...LATER, start: 'x'}],
    [/timestamp/i, {...LATER, end: '2031-02-30'}],
    [/timestamp/i, {...LATER, end: 5}],
    ["Granularity must be either 'hour' or 'day'", LATER],
    ["Granularity must be either 'hour' or 'day'", {...LATER, granularity: 24}],
    ['Availability end must be after start', {...LATER, granularity: 'day'}],
    ['Availability end must be after start', {...LATER, granularity: 'day', node_ids: []}],
    [/1,?000,?000/, {start: '0001-01-01', end: '9999-01-01'}],
    [/1,?000,?000/, {start: '0001-01-01', end: '9999-01-01', node_ids: ['empty']}],
]) {
    it(`${JSON.stringify(body)} is refused: ${sentence}`, async (server) => {
        assertRefused(await bulk(server, body), 400, sentence);
    });
}

it('the bound holds for all nodes of one answer together', async (server) => {
    /* beta has 1 GPU: 10,000 hours named 101 times are 1,010,000 cells. */
    const start = '2031-01-01T00:00';
    const end = new Date(Date.parse(`${start}Z`) + 10_000 * 3_600_000).toISOString();
    assertRefused(await bulk(server, {start, end, node_ids: Array(101).fill('beta')}), 400, /1,?000,?000/);
});
