'use strict';
/* GET /api/usage: who booked, used and gave back how much. The numbers here are worked out by hand. */
const assert = require('node:assert/strict');
const {currentHour, hourOf, iso, steadyHour} = require('./clock.js');
const {assertRefused, book, cancel, markDone} = require('./fixtures.js');
const {test} = require('node:test');
const {request, serverMissing, startServer, suite} = require('./harness.js');

const KIND = (kind, ...ids) => ids.map((id) => ({id, kind}));
const CONFIG = {nodes: [{id: 'b', gpus: KIND('X', '0', '1')}, {id: 'a', gpus: [...KIND('X', '0'), ...KIND('Y', '1')]}, {id: 'bare'}]};
const it = suite({config: CONFIG});

const usage = (server, query, headers) =>
    request(server, 'GET', `/api/usage?${new URLSearchParams(query)}`, {headers});
async function rows(server, query) {
    const answer = await usage(server, query);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}
/* A window, in hours from NOW; negative: before. */
const around = (now, from, to) => ({start: iso(now + from), end: iso(now + to)});
const row = (key, booked, used, givenBack, capacity, share) =>
    ({...key, booked, used, given_back: givenBack, capacity, share});

/* A server that began in the hour NOW, so its GPUs exist from then on, and in which the same has been booked each time. */
const withBookings = (name, body) => test(name, {skip: serverMissing()}, async () => {
    const now = await steadyHour();
    const server = await startServer({config: CONFIG});
    try {
        await book(server, {node_id: 'a', ...around(now, -10, 10), user_label: 'ada', gpu_ids: ['0', '1']});
        await book(server, {node_id: 'b', ...around(now, -4, 2), user_label: 'bob', gpu_ids: ['0']});
        const done = await book(server, {node_id: 'b', ...around(now, -6, 6), user_label: 'bob', gpu_ids: ['1']});
        await markDone(server, done.booking_id);
        const never = await book(server, {node_id: 'b', ...around(now, 20, 30), user_label: 'eve', gpu_count: 2});
        await cancel(server, never.booking_id);
        await body(server, now);
    } finally {
        await server.stop();
    }
});

withBookings('booked, used, given back and capacity, by whoever booked', async (server, now) => {
    const {start, end} = around(now, -12, 40);
    assert.deepEqual(await rows(server, {start, end}), {
        start, end, by: 'user',
        rows: [
            row({user_label: 'ada', owner: null}, 40, 20, 0, 160, 0.125),
            row({user_label: 'bob', owner: null}, 18, 10, 6, 160, 0.0625),
            row({user_label: 'eve', owner: null}, 20, 0, 20, 160, 0),
        ],
        total: row({}, 78, 30, 26, 160, 0.1875),
    });
});

withBookings('the same by node, kind and GPU, with zeros too', async (server, now) => {
    const window = around(now, -12, 40);
    assert.deepEqual((await rows(server, {...window, by: 'node'})).rows, [
        row({node_id: 'a'}, 40, 20, 0, 80, 0.25),
        row({node_id: 'b'}, 38, 10, 26, 80, 0.125),
        row({node_id: 'bare'}, 0, 0, 0, 0, null),
    ]);
    assert.deepEqual((await rows(server, {...window, by: 'kind'})).rows, [
        row({kind: 'X'}, 58, 20, 26, 120, 0.1667),
        row({kind: 'Y'}, 20, 10, 0, 40, 0.25),
    ]);
    assert.deepEqual((await rows(server, {...window, by: 'GPU'})).rows, [
        row({node_id: 'a', gpu_id: '0'}, 20, 10, 0, 40, 0.25),
        row({node_id: 'a', gpu_id: '1'}, 20, 10, 0, 40, 0.25),
        row({node_id: 'b', gpu_id: '1'}, 22, 6, 16, 40, 0.15),
        row({node_id: 'b', gpu_id: '0'}, 16, 4, 10, 40, 0.1),
    ]);
});

withBookings('a window cuts what reaches out of it, and snaps outward', async (server, now) => {
    const window = {start: iso(now - 3).replace(':00:00', ':59:59'), end: iso(now - 2).replace(':00:00', ':00:01')};
    assert.deepEqual(await rows(server, window), {
        start: iso(now - 3), end: iso(now - 1), by: 'user',
        rows: [row({user_label: 'ada', owner: null}, 4, 4, 0, 0, null), row({user_label: 'bob', owner: null}, 4, 4, 0, 0, null)],
        total: row({}, 8, 8, 0, 0, null),
    });
});

it('without a window it is the last 30 days up to the current hour', async (server) => {
    await steadyHour();
    const answer = await rows(server, {});
    assert.equal(answer.end, iso(currentHour()));
    assert.equal(hourOf(answer.end) - hourOf(answer.start), 30 * 24);
    assert.equal(answer.by, 'user');
    assert.deepEqual((await rows(server, {start: '', end: '', by: '', format: ''})).start, answer.start);
});

it('CSV has a header line, ends lines with CRLF and quotes what must be quoted', async (server) => {
    const day = {start: '2019-03-04T00:00', end: '2019-03-04T02:00'};
    const labels = ['=HYPERLINK("http://x","y")', '+1', '-2', '@x', 'a, "b"', 'plain', "'quoted'", 'ünï ✓', '＝1'];
    for (const [i, label] of labels.entries())
        await book(server, {node_id: 'b', start: `2019-03-${10 + i}`, end: `2019-03-${11 + i}`, user_label: label, gpu_ids: ['0']});
    const answer = await usage(server, {start: '2019-03-01', end: '2019-04-01', format: 'csv'});
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8');
    assert.equal(answer.text, [
        'user_label,owner,booked,used,given_back,capacity,share',
        `"'=HYPERLINK(""http://x"",""y"")",,24,24,0,0,`,
        "'+1,,24,24,0,0,", "'-2,,24,24,0,0,", "'@x,,24,24,0,0,",
        '"a, ""b""",,24,24,0,0,', 'plain,,24,24,0,0,', "'quoted',,24,24,0,0,", 'ünï ✓,,24,24,0,0,', "'＝1,,24,24,0,0,",
    ].sort((a, b) => (a.startsWith('user_label') ? -1 : b.startsWith('user_label') ? 1 : order(a, b))).join('\r\n') + '\r\n');
    const gpus = await usage(server, {...day, format: 'CSV', by: 'gpu'});
    assert.equal(gpus.text, 'node_id,gpu_id,booked,used,given_back,capacity,share\r\n' +
        'a,0,0,0,0,0,\r\na,1,0,0,0,0,\r\nb,0,0,0,0,0,\r\nb,1,0,0,0,0,\r\n');
});

/* Equal hours are sorted by the label's bytes, without what CSV puts around it. */
function order(a, b) {
    const bare = (line) => Buffer.from(line.startsWith('"') ? line.slice(1).replace(/""/g, '"').replace(/^'(?=[=+\-@＝])/, '')
        : line.replace(/^'(?=[=+\-@＝])/, ''));
    return Buffer.compare(bare(a), bare(b));
}

it('it has an ETag, a type of its own each time, and 304', async (server) => {
    for (const [format, type] of [['csv', 'text/csv; charset=utf-8'], ['json', 'application/json']]) {
        const query = {start: '2019-03-01', end: '2019-04-01', format};
        const first = await usage(server, query);
        assert.equal(first.json !== undefined, format === 'json', first.text);
        for (let i = 0; i < 12; i++) { /* made new by some workers, kept by others */
            const again = await usage(server, query);
            assert.equal(again.headers['content-type'], type);
            assert.equal(again.text, first.text);
            assert.equal(again.headers.etag, first.headers.etag);
        }
        const unchanged = await usage(server, query, {'If-None-Match': first.headers.etag});
        assert.equal(unchanged.status, 304);
        assert.equal(unchanged.bytes.length, 0);
    }
});

it('a booking changes the answer and the tag', async (server) => {
    const query = {start: '2018-03-01', end: '2018-04-01'};
    const before = await usage(server, query);
    assert.deepEqual(before.json.rows, []);
    await book(server, {node_id: 'b', start: '2018-03-02T10:00', end: '2018-03-02T12:00', user_label: 'ada', gpu_count: 1});
    const after = await usage(server, query, {'If-None-Match': before.headers.etag});
    assert.equal(after.status, 200);
    assert.deepEqual(after.json.rows, [row({user_label: 'ada', owner: null}, 2, 2, 0, 0, null)]);
});

it('only a window that reaches the current hour has a tag that ends with it', async (server) => {
    const now = await steadyHour();
    const past = (await usage(server, around(now, -9, -1))).headers.etag;
    const present = (await usage(server, around(now, -9, 1))).headers.etag;
    assert.ok(present.startsWith(past.slice(0, -1)) && present.length > past.length, `${past} and ${present}`);
    assert.equal((await usage(server, {})).headers.etag, present);
});

it('what is wrong is refused with its field', async (server) => {
    const refused = async (query, field, sentence) => {
        const answer = await usage(server, query);
        assertRefused(answer, 400, sentence);
        assert.equal(answer.json.field, field);
    };
    await refused({start: '2019-01-01'}, 'end', "Query parameters 'start' and 'end' go together: give both or neither");
    await refused({end: '2019-01-01'}, 'start', "Query parameters 'start' and 'end' go together: give both or neither");
    await refused({start: 'x', end: '2019-01-01'}, 'start', /^Invalid timestamp: 'x'/);
    await refused({start: '2019-01-01', end: 'y'}, 'end', /^Invalid timestamp: 'y'/);
    await refused({start: '2019-01-02', end: '2019-01-02'}, 'end', 'Usage end must be after start');
    await refused({start: '2019-01-02', end: '2019-01-01'}, 'end', 'Usage end must be after start');
    await refused({start: '9999-12-31', end: '9999-12-31T23:30'}, 'end', /beyond the year 9999/);
    await refused({start: '2010-01-01', end: '2020-02-18T00:01'}, 'end', /3700 days at most/);
    await refused({by: 'users'}, 'by', "'by' must be one of user, node, kind, gpu");
    await refused({format: 'xml'}, 'format', "'format' must be json or csv");
    assert.equal((await usage(server, {start: '2010-01-01', end: '2020-02-18'})).status, 200); /* 3,700 days */
    assertRefused(await request(server, 'POST', '/api/usage', {body: {}}), 405);
});
