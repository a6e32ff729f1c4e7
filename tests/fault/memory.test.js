'use strict';
/* What a request takes, it gives back: a worker's memory after very many requests is what it was after some. */
const assert = require('node:assert/strict');
const {test} = require('node:test');
const fcgi = require('./fcgi.js');
const pools = require('./pool.js');
const {startPool, PATIENCE} = pools;

const WARM_UP = 20_000, TOTAL = 100_000;
/* Sixteen bytes that each request kept would be 1,250 KiB. */
const ROOM_KIB = 512;

const booking = (fields) => JSON.stringify({
    node_id: 'beta', gpu_count: 1, user_label: 'x', start: '2039-01-01T00:00', end: '2039-01-01T01:00', ...fields,
});
const requests = [
    ['GET', '/api/nodes'],
    ['GET', '/api/nodes?a=%ff'],
    ['GET', '/api/availability?node_id=beta&start=2039-01-01&end=2039-01-02'],
    ['POST', '/api/book', '{"node_id": '],
    ['POST', '/api/book', booking({gpu_ids: ['gpu0', 'nowhere']})],
    ['POST', '/api/book', booking({priority: 'highest', note: 'n'.repeat(2000)})],
    ['POST', '/api/mark_done', '{"booking_id": 123456789}'],
    ['POST', '/api/availability_bulk', '{"node_ids": ["beta", "nobody", 7]}'],
    ['DELETE', '/api/bookings/987654321'],
    ['GET', '/api/nothing/here'],
    ['PUT', '/api/nodes'],
].map(([method, target, body]) => fcgi.encode(method, target, body));
/* A body that is shorter than announced. */
requests.push(fcgi.encode('POST', '/api/book', 'short', {CONTENT_LENGTH: 400}));

test('a worker\'s memory is the same after 100,000 requests, good and bad, as after 20,000', {timeout: 6 * PATIENCE}, async (t) => {
    const pool = await startPool(t, {workers: 1});
    const [worker] = pool.workers();
    let sent = 0, ended = 0;
    const resident = () => parseInt(pools.status(worker, 'RssAnon'), 10);
    const run = async (until) => {
        await Promise.all(Array.from({length: 8}, async () => {
            while (sent < until) {
                const answer = await fcgi.exchange(pool.socket, requests[sent++ % requests.length]);
                if (fcgi.decode(answer).ended) ended++;
            }
        }));
    };

    await run(WARM_UP);
    const before = resident();
    await run(TOTAL);
    const after = resident();
    assert.equal(ended, sent, 'every request was answered');
    assert.deepEqual(pool.workers(), [worker], 'by the same process');
    assert.ok(after - before < ROOM_KIB, `from ${before} to ${after} KiB`);
    t.diagnostic(`${before} KiB after ${WARM_UP}, ${after} KiB after ${sent} requests`);
});
