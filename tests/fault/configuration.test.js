'use strict';
/* The configuration at the start and on HUP, --check-config, and options that are wrong. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('./pool.js');
const {until, signal, startPool, PATIENCE, CONFIG} = pools;

const options = {timeout: 2 * PATIENCE};
const nodeIds = async (pool) => (await pool.request('GET', '/api/nodes')).json().nodes.map((node) => node.id);

test('HUP takes a changed configuration, and the workers go on', options, async (t) => {
    const pool = await startPool(t);
    const workers = pool.workers();
    assert.deepEqual(await nodeIds(pool), ['alpha', 'beta']);

    pool.writeConfig({nodes: [{id: 'gamma', gpus: [{id: 'gpu0'}]}, ...CONFIG.nodes]});
    signal(pool.pid, 'SIGHUP');
    await until(async () => (await nodeIds(pool)).join() === 'gamma,alpha,beta', () => `the new node:\n${pool.log}`);
    await until(() => String(pool.workers()) === String(workers), 'the same workers');
});

test('HUP with a broken file changes nothing, and the log says where the fault is', options, async (t) => {
    const pool = await startPool(t);
    const workers = pool.workers();

    pool.writeConfig('{\n  "nodes": [\n    {"id": "alpha"},\n    {"id": \n  ]\n}\n');
    signal(pool.pid, 'SIGHUP');
    await pool.logged(/config\.json[^\n]*line 5/);
    await pool.logged(/stays in force/);
    assert.deepEqual(await nodeIds(pool), ['alpha', 'beta']);

    pool.writeConfig({nodes: [{id: 'alpha', gpus: [{id: 'gpu0', knd: 'A100'}]}]});
    signal(pool.pid, 'SIGHUP');
    await pool.logged(/config\.json[^\n]*nodes\[0\]\.gpus\[0\]/);
    await until(() => pool.log.match(/stays in force/g).length === 2, 'the second refusal');
    assert.deepEqual(await nodeIds(pool), ['alpha', 'beta']);

    fs.unlinkSync(pool.config);
    signal(pool.pid, 'SIGHUP');
    await until(() => pool.log.match(/stays in force/g).length === 3, 'the third refusal');
    assert.deepEqual(await nodeIds(pool), ['alpha', 'beta']);
    await until(() => String(pool.workers()) === String(workers), 'the same workers');

    pool.writeConfig({nodes: [{id: 'delta'}]});
    signal(pool.pid, 'SIGHUP');
    await until(async () => (await nodeIds(pool)).join() === 'delta', () => `the mended file:\n${pool.log}`);
});

test('a pool whose configuration is broken does not start, says where, and leaves no socket', options, async (t) => {
    const places = pools.preparePool(t, {config: {nodes: [{id: 'a'}, {id: 'a'}]}});
    const pool = pools.start(t, pools.program, [...places.files, '--socket', places.socket]);

    assert.deepEqual(await pool.ended, {code: 1, signal: null});
    assert.match(pool.log, /config\.json[^\n]*nodes\[1\]\.id/);
    assert.equal(fs.existsSync(places.socket), false);
});

test('--check-config says that a file is fine, and what it holds', options, async (t) => {
    const places = pools.preparePool(t);
    const check = pools.start(t, pools.program, ['--check-config', '--config', places.config]);

    assert.deepEqual(await check.ended, {code: 0, signal: null});
    assert.equal(check.out, `${places.config}: fine: 2 nodes, 10 GPUs\n`);
    assert.equal(fs.existsSync(path.dirname(places.database)), false, 'and makes nothing');
});

test('--check-config names the place of a fault', options, async (t) => {
    const places = pools.preparePool(t, {config: {nodes: [{id: 'a', gpus: [{id: ''}]}]}});
    const check = pools.start(t, pools.program, ['--check-config', '--config', places.config]);

    assert.deepEqual(await check.ended, {code: 1, signal: null});
    assert.match(check.log, /config\.json[^\n]*nodes\[0\]\.gpus\[0\]\.id/);
    assert.equal(check.out, '');
});

const wrongOptions = [
    [['--workers', '0'], /--workers 0: give a whole number from 1 to 256/],
    [['--workers', '257'], /--workers 257: give/],
    [['--workers', '2x'], /--workers 2x: give/],
    [['--workers', '99999999999999999999'], /--workers 9+: give/],
    [['--deadline', '0'], /--deadline 0: give a whole number from 1 to 3600/],
    [['--deadline', '-1'], /--deadline -1: give/],
    [['--deadline', '3601'], /--deadline 3601: give/],
    [['--socket', ''], /--socket: the value is empty/],
    [['--nonsense'], /--nonsense/],
    [['--config'], /--config/],
    [['extra'], /'extra' is no option/],
    [[], /no socket to listen on: give --socket PATH/],
    [['--socket-group', 'root'], /no socket to listen on/],
];

test('a wrong option is named in a sentence, with exit status 2', options, async (t) => {
    const places = pools.preparePool(t);
    for (const [args, sentence] of wrongOptions) {
        const run = pools.start(t, pools.program, [...places.files, ...args]);
        assert.deepEqual(await run.ended, {code: 2, signal: null}, args.join(' '));
        assert.match(run.log, sentence);
    }
    for (const [args, sentence] of [[['--config', 'x'], /--database FILE is missing/], [['--database', 'x'], /--config FILE is missing/],
        [['--check-config'], /--check-config needs --config FILE/]]) {
        const run = pools.start(t, pools.program, [...args, '--socket', places.socket]);
        assert.deepEqual(await run.ended, {code: 2, signal: null}, args.join(' '));
        assert.match(run.log, sentence);
    }
});

test('a user, a group, a database or a folder that cannot be used is named, with exit status 1', options, async (t) => {
    const places = pools.preparePool(t);
    const {folder} = places;
    fs.mkdirSync(path.join(folder, 'folder'));
    fs.symlinkSync('nowhere', path.join(folder, 'dangling.db'));
    const cases = [
        [['--user', 'no-such-user-here'], /--user no-such-user-here: there is no such user/],
        [['--user', 'root'], /--user root: /],
        [['--socket-group', 'no-such-group-here'], /--socket-group no-such-group-here: there is no such group/],
        [['--database', path.join(folder, 'a', 'b', 'p.db')], /--database \S+: cannot make its folder/],
        [['--database', path.join(folder, 'folder')], /--database \S+: that is no regular file/],
        [['--database', `${folder}/`], /--database \S+: that is no regular file/],
        [['--database', path.join(folder, 'dangling.db')], /--database \S+: a symbolic link that leads nowhere/],
        [['--config', path.join(folder, 'missing', 'config.json')], /missing/],
        [['--config', path.join(folder, 'missing.json')], /missing\.json/],
    ];
    for (const [args, sentence] of cases) {
        const run = pools.start(t, pools.program, [...places.files, '--socket', places.socket, ...args]);
        assert.deepEqual(await run.ended, {code: 1, signal: null}, `${args.join(' ')}\n${run.log}`);
        assert.match(run.log, sentence);
        assert.equal(fs.existsSync(places.socket), false);
    }
    assert.equal(fs.existsSync(path.join(folder, 'nowhere')), false);
});

test('a symbolic link to a database is followed, so its companions stand beside the real file', options, async (t) => {
    const places = pools.preparePool(t);
    const real = path.join(places.folder, 'real'), link = path.join(places.folder, 'link.db');
    fs.mkdirSync(real);
    const first = pools.start(t, pools.program, ['--config', places.config, '--database', path.join(real, 'p.db'), '--socket', places.socket]);
    await pools.serving(first);
    signal(first.pid, 'SIGTERM');
    await first.ended;
    fs.symlinkSync('real/p.db', link);

    const pool = pools.start(t, pools.program, ['--config', places.config, '--database', link, '--socket', places.socket]);
    await pools.serving(pool);
    assert.deepEqual(fs.readdirSync(places.folder).filter((name) => name.startsWith('link')), ['link.db']);
    assert.ok(fs.existsSync(path.join(real, 'p.db.lock')));
});

test('--version names the program and the SQLite library in use', options, async (t) => {
    const run = pools.start(t, pools.program, ['--version']);
    assert.deepEqual(await run.ended, {code: 0, signal: null});
    assert.match(run.out, /^procplan-fcgi \d+\.\d+\.\d+, SQLite 3\.\d+\.\d+\n$/);
});

test('--help describes every option', options, async (t) => {
    const run = pools.start(t, pools.program, ['--help']);
    assert.deepEqual(await run.ended, {code: 0, signal: null});
    for (const name of ['config', 'database', 'socket', 'workers', 'deadline', 'user', 'socket-group', 'check-config', 'verbose', 'version', 'help'])
        assert.match(run.out, new RegExp(`--${name}\\b`));
});
