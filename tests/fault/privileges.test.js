'use strict';
/* Started as root with --user: the pool becomes that user for good, wherever its files lie. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {spawnSync} = require('node:child_process');
const {test} = require('node:test');
const fcgi = require('./fcgi.js');
const pools = require('./pool.js');
const {until, signal, PATIENCE} = pools;

const USER = 'nobody';
const id = (flag) => spawnSync('id', [flag, USER]).stdout.toString().trim();
const skip = process.getuid() !== 0 ? 'only root can become another user'
    : id('-u') === '' ? `there is no user ${USER}` : false;
const options = {timeout: 2 * PATIENCE, skip};
const four = (number) => Array(4).fill(number).join('\t');

/* Places below a folder that only root can enter, as in a closed home, and the pool's arguments. */
function closedPlaces(t) {
    const places = pools.preparePool(t, {below: 'checkout'});
    fs.chmodSync(path.dirname(places.folder), 0o700);
    fs.chmodSync(places.folder, 0o755);
    fs.chmodSync(places.config, 0o644);
    return {...places, args: [...places.files, '--socket', places.socket, '--workers', '2', '--user', USER]};
}

test('--user gives up root in every process, and the pool works below a folder that the user cannot enter', options, async (t) => {
    const places = closedPlaces(t);
    const pool = pools.control(places, pools.start(t, pools.program, places.args));
    await pools.serving(pool);
    await pools.allAtWork(pool, 2);

    for (const pid of [pool.pid, ...pool.workers()]) {
        assert.equal(pools.status(pid, 'Uid'), four(id('-u')));
        assert.equal(pools.status(pid, 'Gid'), four(id('-g')));
        assert.deepEqual(pools.status(pid, 'Groups').split(/\s+/).sort(), id('-G').split(' ').sort());
        assert.match(pools.status(pid, 'CapEff'), /^0+$/);
        assert.match(pools.status(pid, 'CapPrm'), /^0+$/);
        assert.equal(pools.status(pid, 'NoNewPrivs'), '1');
    }
    const folder = fs.statSync(path.dirname(places.database));
    assert.deepEqual([String(folder.uid), folder.mode & 0o7777], [id('-u'), 0o700]);
    assert.deepEqual([String(fs.statSync(places.socket).uid), fs.statSync(places.socket).mode & 0o7777], [id('-u'), 0o660]);

    const body = JSON.stringify({node_id: 'beta', gpu_count: 2, user_label: 'u', start: '2039-01-01T00:00', end: '2039-01-01T01:00'});
    assert.equal((await pool.request('POST', '/api/book', {body})).status, 201);
    pool.writeConfig({nodes: [{id: 'only'}]});
    fs.chmodSync(places.config, 0o644);
    signal(pool.pid, 'SIGHUP');
    await until(async () => (await pool.request('GET', '/api/nodes')).json().nodes[0].id === 'only', () => pool.log);

    /* A worker that is replaced finds its way, too. */
    signal(pool.workers()[0], 'SIGKILL');
    await pool.logged(/was killed/);
    await pools.allAtWork(pool, 2);
    await Promise.all([1, 2, 3, 4].map(async () => assert.equal((await pool.request('GET', '/api/nodes')).status, 200)));
    assert.doesNotMatch(pool.log, /cannot begin/);

    /* The socket's folder is root's: the path stays, and the next start replaces it. */
    signal(pool.pid, 'SIGTERM');
    assert.deepEqual(await pool.ended, {code: 0, signal: null});
    const again = pools.start(t, pools.program, places.args);
    await pools.serving(again);
    assert.equal((await fcgi.request(places.socket, 'GET', '/api/nodes')).status, 200);
});

test('a database folder that the user cannot write in is refused, and the sentence says whose it should be', options, async (t) => {
    const places = closedPlaces(t);
    fs.mkdirSync(path.dirname(places.database), {mode: 0o755});
    const pool = pools.start(t, pools.program, places.args);
    assert.deepEqual(await pool.ended, {code: 1, signal: null});
    assert.match(pool.log, new RegExp(`the database's folder belongs to root, and ${USER} cannot write there; it should belong to ${USER}`));
});

test('a database that belongs to root is refused in the same way', options, async (t) => {
    const places = closedPlaces(t);
    fs.mkdirSync(path.dirname(places.database));
    fs.chownSync(path.dirname(places.database), Number(id('-u')), Number(id('-g')));
    fs.writeFileSync(places.database, '', {mode: 0o600});
    const pool = pools.start(t, pools.program, places.args);
    assert.deepEqual(await pool.ended, {code: 1, signal: null});
    assert.match(pool.log, new RegExp(`procplan\\.db belongs to root, and ${USER} cannot write there`));
});

test('--socket-group gives the socket to the web server\'s group', options, async (t) => {
    const places = closedPlaces(t);
    const group = spawnSync('getent', ['group', 'daemon']).stdout.toString().split(':')[2];
    const pool = pools.start(t, pools.program, [...places.args, '--socket-group', 'daemon']);
    await pools.serving(pool);
    assert.equal(String(fs.statSync(places.socket).gid), group);
    assert.equal(String(fs.statSync(places.socket).uid), id('-u'));
});

test('a pool that its starter\'s death should end keeps that through the change of user', {...options, skip: skip || pools.toolMissing('setpriv')}, async (t) => {
    const places = closedPlaces(t);
    /* setpriv arms the signal; it goes with whoever execs, so the shell in between is the parent that dies. */
    const parent = pools.start(t, 'sh', ['-c', 'setpriv --pdeathsig TERM "$0" "$@" & wait', pools.program, ...places.args]);
    await pools.serving(parent);
    const [master] = pools.childrenOf(parent.pid);
    process.kill(parent.pid, 'SIGKILL');
    try {
        await until(() => pools.look(master) === null, 'the pool ends with its starter');
    } finally {
        signal(master, 'SIGKILL');
    }
});

test('root without --user works, and one line warns', {timeout: 2 * PATIENCE, skip: process.getuid() !== 0 && 'not root'}, async (t) => {
    const pool = await pools.startPool(t);
    assert.equal(pool.log.match(/running as root/g).length, 1);
    assert.equal((await pool.request('GET', '/api/nodes')).status, 200);
});
