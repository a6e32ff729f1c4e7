'use strict';
/* The end of a pool under load: no answer is cut, and with a socket that outlives it no request is lost. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const {test} = require('node:test');
const fcgi = require('./fcgi.js');
const pools = require('./pool.js');
const {until, signal, startPool, PATIENCE} = pools;

const options = {timeout: 3 * PATIENCE};

/* A small answer and one that takes many writes. Fixed windows, so they are the same whenever they are asked for. */
const TARGETS = ['/api/nodes', '/api/availability?node_id=beta&granularity=hour&start=2039-01-01&end=2039-01-22'];

/* Asks for TARGETS in turn on COUNT connections at a time. Stops at the first refusal to connect when UNTIL_REFUSED. */
function load(socketPath, expected, count, untilRefused) {
    const seen = {answered: 0, refused: 0, faults: []};
    let over = false;
    const loops = Array.from({length: count}, async (unused, offset) => {
        for (let i = offset; !over; i++) {
            const which = i % TARGETS.length;
            try {
                const answer = await fcgi.request(socketPath, 'GET', TARGETS[which]);
                if (answer.status !== 200 || !answer.body.equals(expected[which]))
                    seen.faults.push(`${TARGETS[which]}: ${answer.status}, ${answer.body.length} of ${expected[which].length} bytes`);
                seen.answered++;
            } catch (error) {
                if (untilRefused && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')) {
                    seen.refused++;
                    return;
                }
                seen.faults.push(error.message);
            }
        }
    });
    return {seen, stop: async () => { over = true; await Promise.all(loops); return seen; }, finished: Promise.all(loops)};
}

test('restarts under load on a socket that stays lose no request and cut no answer', options, async (t) => {
    const places = pools.preparePool(t);
    const restarts = 15;
    /* A service manager in one line: it holds the socket on its descriptor 0 and starts the pool again when it ends. */
    const manager = await pools.withListener(places.socket, (fd) => pools.start(t, 'sh',
        ['-c', 'while "$0" "$@"; do :; done', pools.program, ...places.files, '--workers', '3'],
        {stdio: [fd, 'pipe', 'pipe']}));
    await pools.serving(manager);
    const expected = [];
    for (const target of TARGETS) expected.push((await fcgi.request(places.socket, 'GET', target)).body);
    assert.ok(expected[1].length > 300_000, `the large answer is large: ${expected[1].length} bytes`);

    const requests = load(places.socket, expected, 8, false);
    for (let i = 0; i < restarts; i++) {
        const answered = requests.seen.answered;
        await until(() => requests.seen.answered > answered + 10, 'answers go on coming');
        const [master] = pools.childrenOf(manager.pid);
        signal(master, 'SIGTERM');
        await pools.logged(manager, new RegExp(`(serving with[^]*){${i + 2}}`));
    }
    const seen = await requests.stop();
    assert.deepEqual(seen.faults, []);
    assert.doesNotMatch(manager.log, /killed|while stopping/);
});

test('a pool that ends answers whole what had reached its socket, and only then refuses', options, async (t) => {
    for (let round = 0; round < 3; round++) {
        const pool = await startPool(t, {workers: 2});
        const expected = [];
        for (const target of TARGETS) expected.push((await pool.request('GET', target)).body);
        const requests = load(pool.socket, expected, 12, true);
        await until(() => requests.seen.answered > 20, 'some answers');
        signal(pool.pid, 'SIGTERM');
        await requests.finished;
        assert.deepEqual(requests.seen.faults, []);
        assert.equal(requests.seen.refused, 12);
        assert.deepEqual(await pool.ended, {code: 0, signal: null});
        assert.equal(fs.existsSync(pool.socket), false, 'the path is gone');
    }
});

test('under load that never ends, on a socket that others keep, a pool that is told to end does end', options, async (t) => {
    const places = pools.preparePool(t);
    const pool = await pools.withListener(places.socket, (fd) => pools.start(t, pools.program,
        [...places.files, '--workers', '2', '--deadline', '4'], {stdio: [fd, 'pipe', 'pipe']}));
    await pools.serving(pool);
    /* What comes when is of no interest here, so the load is many at once that are not waited for. */
    let over = false;
    const body = fcgi.encode('GET', '/api/nodes');
    const flood = Array.from({length: 40}, async () => {
        while (!over) await fcgi.exchange(places.socket, body).catch(() => { over = true; });
    });
    await pools.sleep(300);
    signal(pool.pid, 'SIGTERM');
    assert.deepEqual(await pool.ended, {code: 0, signal: null});
    over = true;
    await Promise.all(flood);
    assert.doesNotMatch(pool.log, /is killed|was killed/, 'and by itself, not by force');
});

test('an answer that is being written when the end comes is written whole', options, async (t) => {
    const pool = await startPool(t, {workers: 1});
    /* More than fits between the two, so that the worker stands in the middle of its writing. */
    const target = '/api/availability?node_id=beta&granularity=hour&start=2039-01-01&end=2039-06-01';
    const expected = (await pool.request('GET', target)).body;
    assert.ok(expected.length > 2_000_000, `the answer is large: ${expected.length} bytes`);
    /*
     * A reader that does not read yet. It must not have read anything: a signal would find the writer with room again, and
     * would not interrupt it.
     */
    const chunks = [];
    const socket = net.connect({path: pool.socket});
    socket.pause();
    await new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.write(fcgi.encode('GET', target), resolve);
    });
    await pools.sleep(500);
    let asleep = 0;
    const [worker] = pool.workers();
    await until(() => (asleep = pools.look(worker).state === 'S' ? asleep + 1 : 0) === 20, 'the worker stands still in its writing');
    signal(pool.pid, 'SIGTERM');
    await pool.logged(/stopping/);
    await pools.sleep(300);
    socket.on('data', (chunk) => chunks.push(chunk));
    const closed = new Promise((resolve) => { socket.on('close', resolve); });
    socket.resume();
    await closed;
    const {text, ended} = fcgi.decode(Buffer.concat(chunks));
    assert.ok(ended);
    assert.ok(fcgi.parse(text).body.equals(expected));
    assert.deepEqual(await pool.ended, {code: 0, signal: null});
});
