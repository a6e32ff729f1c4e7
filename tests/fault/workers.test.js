'use strict';
/* Workers that are killed, hang, or do not get going; and a master that dies. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const http = require('node:http');
const fcgi = require('./fcgi.js');
const pools = require('./pool.js');
const {until, sleep, signal, look, startPool, PATIENCE} = pools;

const options = {timeout: 2 * PATIENCE};

/* Asks for TARGET through nginx on COUNT connections until stop() is called, which gives what came: one entry an answer. */
function load(port, target, count) {
    const agent = new http.Agent({keepAlive: true, maxSockets: count});
    const answers = [];
    let over = false;
    const loops = Array.from({length: count}, async () => {
        while (!over) answers.push(await pools.httpGet(port, target, agent));
    });
    return {
        answers,
        async stop() {
            over = true;
            await Promise.all(loops);
            agent.destroy();
            return answers;
        },
    };
}

test('a killed worker is replaced at once, and only the request it had in hand is lost', {...options, skip: pools.nginxMissing}, async (t) => {
    const pool = await startPool(t, {workers: 4});
    const {port} = await pools.startNginx(t, pool.socket);
    const expected = (await pools.httpGet(port, '/api/nodes')).body;
    const requests = load(port, '/api/nodes', 8);
    const kills = 8;

    for (let i = 0; i < kills; i++) {
        const seen = requests.answers.length;
        await until(() => requests.answers.length > seen + 50, 'answers go on coming');
        const workers = pool.workers(), victim = workers[i % workers.length];
        signal(victim, 'SIGKILL');
        await until(() => pool.workers().length === 4 && !pool.workers().includes(victim), 'a new worker');
    }
    const answers = await requests.stop();
    const bad = answers.filter((answer) => answer.status !== 200);
    assert.ok(bad.length <= kills, `${bad.length} of ${answers.length} requests failed after ${kills} kills`);
    for (const answer of answers)
        if (answer.status === 200) assert.deepEqual(answer.body, expected);
    await until(() => pool.log.match(/worker \d+ was killed \(SIGKILL\)/g)?.length === kills, () => `a line for each:\n${pool.log}`);
});

test('peers that connect and go quiet hold a pool for its deadline and not longer', options, async (t) => {
    const pool = await startPool(t, {workers: 2, deadline: 2});
    const before = pool.workers();
    const quiet = await Promise.all([1, 2, 3, 4].map(() => fcgi.goQuiet(pool.socket)));
    t.after(() => quiet.forEach((socket) => socket.destroy()));

    const answer = await pool.request('GET', '/api/nodes');
    assert.equal(answer.status, 200);
    await until(() => pool.log.match(/over the deadline of 2000 ms: killed/g)?.length === 4, () => `four workers killed:\n${pool.log}`);
    await pools.allAtWork(pool, 2);
    assert.ok(before.every((pid) => look(pid) === null), 'the workers that were held are gone');
    assert.ok(look(pool.pid), 'the master lives');
    assert.equal((await pool.request('GET', '/api/nodes')).status, 200);
});

test('a request that takes longer than the deadline ends its worker and nothing else', {...options, skip: pools.toolMissing('flock')}, async (t) => {
    const pool = await startPool(t, {workers: 2, deadline: 2});
    const booking = JSON.stringify({
        node_id: 'beta', gpu_count: 1, user_label: 'late', start: '2039-01-01T00:00', end: '2039-01-01T01:00',
    });
    /* Somebody else holds the write lock, and the writer waits for it: longer than this deadline. */
    const holder = pools.start(t, 'flock', [`${pool.database}.lock`, 'sh', '-c', 'echo locked; exec sleep 600']);
    await until(() => holder.out.includes('locked'), 'the lock is held');

    const late = fcgi.exchange(pool.socket, fcgi.encode('POST', '/api/book', booking));
    assert.equal((await pool.request('GET', '/api/nodes')).status, 200, 'meanwhile the other worker answers');
    assert.equal((await late).length, 0, 'the late one gets no answer');
    await pool.logged(/over the deadline of 2000 ms: killed[^]*worker \d+ was killed \(SIGKILL\); started \d+/);

    const children = pools.childrenOf(holder.pid);
    signal(holder.pid, 'SIGKILL');
    children.forEach((pid) => signal(pid, 'SIGKILL'));
    await holder.ended;
    assert.equal((await pool.request('POST', '/api/book', {body: booking})).status, 201, 'it was not booked by the one that was killed');
});

test('a worker that cannot begin is started again more and more slowly, and the log says why', options, async (t) => {
    const pool = await startPool(t, {workers: 2});
    const away = `${pool.database}.away`, [victim, other] = pool.workers();

    fs.renameSync(pool.database, away);
    signal(victim, 'SIGKILL');
    await pool.logged(/answered nothing \(4 in a row\); the next one starts in 0\.8 s/);
    const delays = [...pool.log.matchAll(/\((\d+) in a row\); the next one starts in (\d+\.\d) s/g)].map((found) => Number(found[2]));
    assert.deepEqual(delays.slice(-4), [0.1, 0.2, 0.4, 0.8]);
    assert.match(pool.log, /cannot begin to work: \S+/);
    assert.ok(look(other), 'the worker that works is left alone');
    assert.equal((await pool.request('GET', '/api/nodes')).status, 200);

    fs.renameSync(away, pool.database);
    await pools.allAtWork(pool, 2);
    await sleep(1100); /* the slot is trusted again after a second */
    const crashes = pool.log.length, recovered = pool.workers().find((pid) => pid !== other);
    signal(recovered, 'SIGKILL');
    await until(() => pool.log.length > crashes, 'a word about it');
    assert.match(pool.log.slice(crashes), new RegExp(`worker ${recovered} was killed \\(SIGKILL\\); started \\d+`));
});

test('a master that is killed leaves no worker behind', options, async (t) => {
    const pool = await startPool(t, {workers: 3});
    const workers = pool.workers();

    signal(pool.pid, 'SIGKILL');
    await until(() => workers.every((pid) => look(pid) === null), 'the workers end');
    assert.deepEqual(await pool.ended, {code: null, signal: 'SIGKILL'});
});

test('an interrupt from the terminal, which reaches master and workers alike, is an orderly end', options, async (t) => {
    const places = pools.preparePool(t);
    const pool = pools.control(places, pools.start(t, pools.program,
        [...places.files, '--socket', places.socket, '--workers', '3'], {detached: true}));
    await pools.serving(pool);
    await pools.allAtWork(pool, 3);

    process.kill(-pool.pid, 'SIGINT'); /* the whole process group */
    assert.deepEqual(await pool.ended, {code: 0, signal: null});
    assert.doesNotMatch(pool.log, /worker \d+ (was killed|ended)/);
    assert.equal(fs.existsSync(pool.socket), false);
});

test('a hang-up of the terminal, which reaches master and workers alike, ends nobody', options, async (t) => {
    const places = pools.preparePool(t);
    const pool = pools.control(places, pools.start(t, pools.program,
        [...places.files, '--socket', places.socket, '--workers', '2'], {detached: true}));
    await pools.serving(pool);
    await pools.allAtWork(pool, 2);
    const workers = pool.workers();

    process.kill(-pool.pid, 'SIGHUP');
    await pool.logged(/HUP: reading the configuration again[^]*configuration unchanged/);
    await until(() => String(pool.workers()) === String(workers), 'the same workers, and the child that read the file is gone');
    assert.equal((await pool.request('GET', '/api/nodes')).status, 200);
});

test('a worker holds the listen socket, the log, its folders and its own files, and nothing of its siblings', options, async (t) => {
    const pool = await startPool(t, {workers: 3});
    signal(pool.workers()[0], 'SIGKILL');
    await pool.logged(/starts in|started/);
    await pools.allAtWork(pool, 3);

    const listeners = new Set();
    /* What this test was itself given (by make, by a shell) goes through to all that it starts. */
    const given = new Set(fs.readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
            return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
        } catch {
            return [];
        }
    }));
    for (const pid of [pool.pid, ...pool.workers()]) {
        const descriptors = fs.readdirSync(`/proc/${pid}/fd`)
            .map((fd) => [fd, fs.readlinkSync(`/proc/${pid}/fd/${fd}`)])
            .filter(([fd, target]) => fd < 3 || !given.has(target));
        const sockets = descriptors.filter(([fd, target]) => fd > 2 && target.startsWith('socket:'));
        assert.equal(sockets.length, 1, `one socket in ${JSON.stringify(descriptors)}`);
        listeners.add(sockets[0][1]);
        for (const [fd, target] of descriptors) {
            const expected = fd === '0' || fd === '1' ? target === '/dev/null'
                : fd === '2' || target === sockets[0][1] || target === pool.folder ||
                    (pid !== pool.pid && (target === 'anon_inode:[eventpoll]' || target.startsWith(path.dirname(pool.database))));
            assert.ok(expected, `process ${pid} holds ${fd} -> ${target}`);
        }
    }
    assert.equal(listeners.size, 1, 'all hold the same one');
});

test('a request wakes one idle worker, not all of them', options, async (t) => {
    const workers = 12, requests = 400;
    const pool = await startPool(t, {workers});
    const switches = () => pool.workers().reduce((sum, pid) => sum + Number(pools.status(pid, 'voluntary_ctxt_switches')), 0);
    const before = switches();
    for (let i = 0; i < requests; i++) await pool.request('GET', '/api/nodes');
    const each = (switches() - before) / requests;
    /* The one that answers sleeps a few times (for the connection, the request, the peer's close); eleven others need not. */
    assert.ok(each < workers / 2, `${each} wake-ups a request`);
    t.diagnostic(`${each} wake-ups a request`);
});
