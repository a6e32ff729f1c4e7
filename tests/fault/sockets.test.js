'use strict';
/* Where requests come from: a socket of the pool's own, one that is handed over, or plain CGI. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const {spawnSync} = require('node:child_process');
const {test} = require('node:test');
const fcgi = require('./fcgi.js');
const pools = require('./pool.js');
const {until, signal, startPool, PATIENCE} = pools;

const options = {timeout: 2 * PATIENCE};
const nodes = async (socketPath) => (await fcgi.request(socketPath, 'GET', '/api/nodes')).status;

test('--socket makes a unix socket for owner and group alone, and removes it at the end', options, async (t) => {
    const pool = await startPool(t);
    const there = fs.lstatSync(pool.socket);
    assert.ok(there.isSocket());
    assert.equal(there.mode & 0o7777, 0o660);
    assert.equal(await nodes(pool.socket), 200);
    assert.equal(fs.statSync(path.dirname(pool.database)).mode & 0o7777, 0o700, 'the folder that was made is closed');
    for (const name of fs.readdirSync(path.dirname(pool.database)))
        assert.equal(fs.statSync(path.join(path.dirname(pool.database), name)).mode & 0o7777, 0o600, name);

    signal(pool.pid, 'SIGTERM');
    assert.deepEqual(await pool.ended, {code: 0, signal: null});
    assert.equal(fs.existsSync(pool.socket), false);
});

test('a relative socket path is removed at the end, though the pool works in another folder', options, async (t) => {
    const places = pools.preparePool(t);
    const pool = pools.start(t, pools.program, ['--config', 'config.json', '--database', 'state/procplan.db', '--socket', 'fcgi.sock'],
        {cwd: places.folder});
    await pools.serving(pool);
    assert.equal(await nodes(places.socket), 200);
    signal(pool.pid, 'SIGTERM');
    await pool.ended;
    assert.equal(fs.existsSync(places.socket), false);
});

test('a socket on which somebody answers is left to him', options, async (t) => {
    const pool = await startPool(t);
    const second = pools.start(t, pools.program, [...pool.files, '--socket', pool.socket]);

    assert.deepEqual(await second.ended, {code: 1, signal: null});
    assert.match(second.log, /--socket \S+: another program answers there; stop it first/);
    assert.equal(await nodes(pool.socket), 200);
});

test('a socket that a killed pool left behind is replaced', options, async (t) => {
    const pool = await startPool(t);
    const workers = pool.workers();
    signal(pool.pid, 'SIGKILL');
    await until(() => workers.every((pid) => pools.look(pid) === null), 'the workers end');
    assert.ok(fs.existsSync(pool.socket), 'it was left behind');

    const second = pools.start(t, pools.program, [...pool.files, '--socket', pool.socket]);
    await pools.serving(second);
    assert.equal(await nodes(pool.socket), 200);
});

test('what is no socket is never removed', options, async (t) => {
    const places = pools.preparePool(t);
    const file = path.join(places.folder, 'precious'), link = path.join(places.folder, 'link'), folder = path.join(places.folder, 'dir');
    fs.writeFileSync(file, 'keep me');
    fs.symlinkSync('precious', link);
    fs.mkdirSync(folder);
    for (const at of [file, link, folder]) {
        const run = pools.start(t, pools.program, [...places.files, '--socket', at]);
        assert.deepEqual(await run.ended, {code: 1, signal: null});
        assert.match(run.log, /something that is no socket is there; it is left alone/);
    }
    assert.equal(fs.readFileSync(file, 'utf8'), 'keep me');
    assert.ok(fs.lstatSync(link).isSymbolicLink());
});

test('at its end a pool leaves a socket alone that another has put in its place', options, async (t) => {
    const pool = await startPool(t);
    fs.unlinkSync(pool.socket);
    const other = net.createServer();
    await new Promise((resolve) => other.listen(pool.socket, resolve));
    t.after(() => other.close());

    signal(pool.pid, 'SIGTERM');
    await pool.ended;
    assert.ok(fs.existsSync(pool.socket));
});

test('two starts at the same moment: one serves, the other is refused', options, async (t) => {
    const places = pools.preparePool(t);
    fs.writeFileSync(path.join(places.folder, 'x'), '');
    for (let round = 0; round < 3; round++) {
        const runs = [1, 2].map(() => pools.start(t, pools.program, [...places.files, '--socket', places.socket]));
        const loser = await Promise.race(runs.map(async (run) => { await run.ended; return run; }));
        const winner = runs.find((run) => run !== loser);
        assert.match(loser.log, /another program answers there/);
        await pools.serving(winner);
        assert.equal(await nodes(places.socket), 200);
        signal(winner.pid, 'SIGKILL'); /* a dead socket for the next round */
        await winner.ended;
        await until(() => new Promise((resolve) => {
            const probe = net.connect(places.socket, () => { probe.destroy(); resolve(false); });
            probe.on('error', () => resolve(true));
        }), 'its workers are gone');
    }
});

test('a socket path that is too long, or in no folder, is refused in a sentence', options, async (t) => {
    const places = pools.preparePool(t);
    for (const [at, sentence] of [
        [path.join(places.folder, 'x'.repeat(120)), /a socket's path may have 107 bytes at most/],
        [path.join(places.folder, 'missing', 'sock'), /--socket \S+: cannot open its folder/],
    ]) {
        const run = pools.start(t, pools.program, [...places.files, '--socket', at]);
        assert.deepEqual(await run.ended, {code: 1, signal: null});
        assert.match(run.log, sentence);
    }
});

test('a socket on descriptor 0, as spawn-fcgi hands it over, is served', {...options, skip: pools.toolMissing('spawn-fcgi')}, async (t) => {
    const places = pools.preparePool(t);
    const run = pools.start(t, 'spawn-fcgi', ['-n', '-s', places.socket, '--', pools.program, ...places.files]);
    await pools.serving(run);
    assert.equal(await nodes(places.socket), 200);
    assert.equal(fs.readlinkSync(`/proc/${run.pid}/fd/0`), '/dev/null');
    signal(run.pid, 'SIGTERM');
    assert.deepEqual(await run.ended, {code: 0, signal: null});
    assert.ok(fs.existsSync(places.socket), 'its path is the spawner\'s');
});

test('a socket from systemd is served', {...options, skip: pools.toolMissing('systemd-socket-activate')}, async (t) => {
    const places = pools.preparePool(t);
    const run = pools.start(t, 'systemd-socket-activate', ['-l', places.socket, pools.program, ...places.files]);
    /* The path is there before anybody listens on it. */
    let first;
    await until(() => nodes(places.socket).then((status) => { first = status; return true; }, (error) => {
        if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') throw error;
        return false;
    }), () => run.log);
    assert.equal(first, 200, 'the request that woke it is answered');
    assert.equal(await nodes(places.socket), 200);
    signal(run.pid, 'SIGTERM');
    assert.deepEqual(await run.ended, {code: 0, signal: null});
});

test('of LISTEN_FDS one listening stream socket is taken, and only when it is meant for this process', options, async (t) => {
    const places = pools.preparePool(t);
    const listen = (command) => pools.withListener(path.join(places.folder, `s${Math.random()}`), (fd) => pools.start(t, 'sh',
        ['-c', command, pools.program, ...places.files], {stdio: ['ignore', 'pipe', 'pipe', fd, fd]}));
    const two = await listen('LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@"');
    assert.deepEqual(await two.ended, {code: 1, signal: null});
    assert.match(two.log, /LISTEN_FDS is 2: one socket is what can be taken/);

    const foreign = await listen('LISTEN_PID=1 LISTEN_FDS=1 exec "$0" "$@"');
    assert.deepEqual(await foreign.ended, {code: 2, signal: null});
    assert.match(foreign.log, /no socket to listen on/);

    const file = pools.start(t, 'sh', ['-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3</dev/null', pools.program, ...places.files]);
    assert.deepEqual(await file.ended, {code: 1, signal: null});
    assert.match(file.log, /not a listening stream socket/);

    const both = await listen('LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" --socket elsewhere');
    assert.deepEqual(await both.ended, {code: 2, signal: null});
    assert.match(both.log, /a socket was handed over and --socket names another/);
});

/* -- plain CGI ------------------------------------------------------------------------------------------------- */

function cgi(places, method, pathInfo, {body = '', query = '', env = {}, args = []} = {}) {
    const run = spawnSync(pools.program, args, {
        input: body,
        timeout: PATIENCE,
        env: {
            PATH: process.env.PATH, GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: method, PATH_INFO: pathInfo,
            QUERY_STRING: query, CONTENT_LENGTH: String(Buffer.byteLength(body)), HTTP_HOST: '127.0.0.1',
            PROCPLAN_CONFIG: places.config, PROCPLAN_DATABASE: places.database, ...env,
        },
    });
    return {...fcgi.parse(run.stdout), log: run.stderr.toString(), code: run.status};
}

test('as a plain CGI it answers one request, and the first one makes the database', options, async (t) => {
    const places = pools.preparePool(t);
    const first = cgi(places, 'GET', '/api/nodes');
    assert.equal(first.status, 200);
    assert.equal(first.code, 0);
    assert.deepEqual(first.json().nodes.map((node) => node.id), ['alpha', 'beta']);

    const booked = cgi(places, 'POST', '/api/book', {
        body: JSON.stringify({node_id: 'alpha', gpu_ids: ['gpu1'], user_label: 'cgi', start: '2039-05-01T00:00', end: '2039-05-01T04:00'}),
    });
    assert.equal(booked.status, 201);
    const grid = cgi(places, 'GET', '/api/availability', {query: 'node_id=alpha&start=2039-05-01T00:00&end=2039-05-01T01:00'});
    assert.deepEqual(grid.json().hours[0].used_gpu_ids, ['gpu1']);

    const head = cgi(places, 'HEAD', '/api/nodes');
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
});

test('a plain CGI whose configuration is broken answers 503 and logs why; once it is mended it works', options, async (t) => {
    const places = pools.preparePool(t, {config: '{"nodes": 7}'});
    const broken = cgi(places, 'GET', '/api/nodes');
    assert.equal(broken.status, 503);
    assert.equal(broken.json().status, 503);
    assert.match(broken.log, /config\.json[^\n]*nodes/);
    assert.doesNotMatch(broken.body.toString(), /config\.json/);

    pools.writeConfig(places.config, pools.CONFIG);
    assert.equal(cgi(places, 'GET', '/api/nodes').status, 200);
});

test('a plain CGI without its two variables answers 503 and names them in the log', options, async (t) => {
    const places = pools.preparePool(t);
    const answer = cgi(places, 'GET', '/api/nodes', {env: {PROCPLAN_DATABASE: ''}});
    assert.equal(answer.status, 503);
    assert.match(answer.log, /PROCPLAN_CONFIG and PROCPLAN_DATABASE/);
});

test('a query that a web server passes on as arguments cannot set options of a plain CGI', options, async (t) => {
    const places = pools.preparePool(t);
    const elsewhere = path.join(places.folder, 'elsewhere', 'p.db');
    const answer = cgi(places, 'GET', '/api/nodes', {query: `--database+${elsewhere}`, args: ['--database', elsewhere]});
    assert.equal(answer.status, 200);
    assert.equal(fs.existsSync(path.dirname(elsewhere)), false);

    const check = cgi(places, 'GET', '/api/nodes', {query: '--check-config+--config+/etc/passwd', args: ['--check-config', '--config', '/etc/passwd']});
    assert.equal(check.status, 200);
    assert.equal(check.json().nodes.length, 2);
});
