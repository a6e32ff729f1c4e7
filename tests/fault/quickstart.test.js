'use strict';
/*
 * quickstart, in a copy of this tree: what it says, that it builds once, and that Ctrl-C leaves nothing. Packages are never
 * installed here; apt-get is a stand-in that notes how it was called.
 */
const {execFileSync, spawn, spawnSync} = require('node:child_process');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {after, before, test} = require('node:test');
const {build, processInfo, serverMissing, source, temporaryFolder, until} = require('../api/harness.js');

const root = process.getuid() === 0;
const skip = serverMissing();
const BUILD_PATIENCE = 600_000; /* a whole build on a busy machine; milliseconds */

let checkout;

/* What a clone has, and what ./bootstrap made of it; no object files of a build in place, no bookings. */
function copySource(to) {
    fs.mkdirSync(to, {recursive: true});
    const wanted = fs.readdirSync(source).filter((name) =>
        !['.git', 'build', 'var', 'autom4te.cache', 'Makefile', 'config.status', 'config.log', 'node_modules'].includes(name) &&
        !/\.(a|o|log)$/.test(name) && !name.startsWith('procplan-'));
    execFileSync('cp', ['-a', '--', ...wanted.map((name) => path.join(source, name)), to]);
    execFileSync('find', [to, '(', '-name', '*.o', '-o', '-name', '*.a', '-o', '-name', '*.trs', ')', '-type', 'f', '-delete']);
}

/* The build folder as well, where it is one that quickstart made: then only ./configure has to run again. */
function copyBuild(to) {
    const makefile = path.join(build, 'Makefile');
    if (build !== path.join(source, 'build') || !fs.existsSync(makefile)) return;
    fs.mkdirSync(path.join(to, 'build'));
    const parts = fs.readdirSync(build).filter((name) => name !== 'ci' && !name.startsWith('procplan-1'));
    execFileSync('cp', ['-a', '--', ...parts.map((name) => path.join(build, name)), path.join(to, 'build')]);
}

/* Runs quickstart until it ends by itself. */
function run(folder, args, options = {}) {
    return spawnSync(path.join(folder, 'quickstart'), args, {encoding: 'utf8', input: '', timeout: BUILD_PATIENCE, ...options});
}

const sessionOf = (session) => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    .map((name) => processInfo(Number(name))).filter((info) => info && info.session === session && info.state !== 'Z');

const started = new Set();

/* Whatever became of a test. The keeper ends by itself, once it has cleared away. */
function killStarted() {
    for (const session of started) {
        for (const info of sessionOf(session)) {
            if (info.name === 'procplan-keeper') continue;
            try {
                process.kill(info.pid, 'SIGKILL');
            } catch { /* it was faster */ }
        }
    }
}
process.on('exit', killStarted);

/* Starts quickstart from another folder, as the leader of a process group like a shell's job; waits until it serves. */
async function start(folder, args) {
    const child = spawn(path.join(folder, 'quickstart'), ['--port', '0', '--workers', '2', ...args],
        {cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe']});
    const job = {pid: child.pid, stdout: '', stderr: '', exit: null};
    started.add(child.pid);
    child.stdout.on('data', (text) => { job.stdout += text; });
    child.stderr.on('data', (text) => { job.stderr += text; });
    child.on('exit', (code, signal) => { job.exit = {code, signal}; });
    await until(() => job.stdout.includes('Press Ctrl-C') || job.exit, 'quickstart serves', BUILD_PATIENCE);
    assert.equal(job.exit, null, job.stderr);
    [, job.url] = /^ProcPlan is running at (http:\/\/127\.0\.0\.1:\d+\/)\n/.exec(job.stdout);
    return job;
}

async function interrupt(job) {
    process.kill(-job.pid, 'SIGINT');
    await until(() => job.exit, 'it ends after Ctrl-C');
    assert.deepEqual(job.exit, {code: 0, signal: null}, job.stderr);
    assert.deepEqual(sessionOf(job.pid), []);
    started.delete(job.pid);
}

const book = (job) => fetch(`${job.url}api/book`, {
    method: 'POST',
    body: '{"node_id": "node-a", "gpu_count": 1, "start": "2040-01-01", "end": "2040-01-02", "user_label": "ada"}',
});

before(() => {
    if (skip) return;
    const folder = temporaryFolder();
    fs.chmodSync(folder, 0o755);
    checkout = path.join(folder, 'checkout');
    copySource(checkout);
    copyBuild(checkout);
});

after(killStarted);

test('--help names both commands and every option', () => {
    const help = run(source, ['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /^Usage: \.\/quickstart \[--host/);
    assert.match(help.stdout, /\.\/quickstart check /);
    for (const option of ['host', 'port', 'config', 'state', 'workers', 'help'])
        assert.match(help.stdout, new RegExp(`^  --${option}\\b`, 'm'));
});

for (const [args, sentence] of [
    [['--prot', '1'], "quickstart: '--prot' is not an option; try --help\n"],
    [['stray'], "quickstart: 'stray' is not an option; try --help\n"],
    [['--port'], 'quickstart: --port wants a value; try --help\n'],
    [['--config', '/nonexistent.json'], 'quickstart: there is no configuration /nonexistent.json\n'],
]) {
    test(`"${args.join(' ')}" is refused in a sentence, before anything is built`, () => {
        const result = run(source, args);
        assert.ok(result.status > 0);
        assert.equal(result.stderr, sentence);
    });
}

test('a checkout whose path has a blank in it is refused in a sentence', () => {
    const folder = path.join(temporaryFolder(), 'my checkout');
    fs.mkdirSync(folder);
    for (const name of ['quickstart', 'config.sample.json']) fs.copyFileSync(path.join(source, name), path.join(folder, name));
    const result = run(folder, []);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /^quickstart: this checkout's path, \S+\/my checkout, has blanks .*; move it to a plainer one\n$/);
});

test('it serves, says where, keeps bookings in ./var, and leaves nothing but them after Ctrl-C', {skip}, async () => {
    const first = await start(checkout, []);
    const state = path.join(fs.realpathSync(checkout), 'var');
    assert.equal(first.stdout.split('\n')[1], `Bookings are kept in ${state}`);
    assert.equal((await fetch(first.url)).status, 200);
    assert.equal((await book(first)).status, 201);
    await interrupt(first);
    assert.ok(fs.existsSync(path.join(state, 'procplan.db')));

    const second = await start(checkout, []);
    assert.doesNotMatch(second.stderr, /^quickstart: (making|configuring|building)/m, 'nothing is built twice');
    const grid = await (await fetch(`${second.url}api/availability?node_id=node-a&start=2040-01-01&end=2040-01-02&granularity=day`)).json();
    assert.equal(grid.grid.rows[0].day_slots[0].bookings[0].user_label, 'ada');
    await interrupt(second);
});

test('two run side by side, each with bookings of its own', {skip}, async () => {
    const states = [temporaryFolder(), temporaryFolder()].map((folder) => {
        fs.chmodSync(folder, 0o755);
        return path.join(folder, 'bookings');
    });
    const jobs = await Promise.all(states.map((state) => start(checkout, ['--state', state])));
    for (const job of jobs) assert.equal((await book(job)).status, 201);
    for (const job of jobs) await interrupt(job);
    for (const state of states) assert.ok(fs.existsSync(path.join(state, 'procplan.db')));
});

test('a bad configuration is named, and it ends with status 1', {skip}, async () => {
    const config = path.join(temporaryFolder(), 'mine.json');
    fs.chmodSync(path.dirname(config), 0o755);
    fs.writeFileSync(config, '{"nodes": [{"id": "a"}, {"id": "a"}]}');
    const result = run(checkout, ['--port', '0', '--config', config, '--state', path.join(path.dirname(config), 'state')]);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /error: mine\.json: nodes\[1\]\.id/);
    assert.equal(result.stdout, '');
});

test('a build that fails shows the end of its log', {skip}, () => {
    const copy = path.join(temporaryFolder(), 'broken');
    fs.chmodSync(path.dirname(copy), 0o755);
    copySource(copy);
    fs.writeFileSync(path.join(copy, 'bootstrap'), '#!/bin/sh\necho the reason is this\nexit 1\n');
    fs.rmSync(path.join(copy, 'configure'), {force: true});
    const result = run(copy, ['--port', '0']);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /\nthe reason is this\nquickstart: that failed; the whole log is in \S+\/build\/quickstart\.log\n$/);
});

/* -- packages ------------------------------------------------------------------------------------------------- */

/* A folder with every command of this machine but those, to be the whole PATH. */
function commandsWithout(...names) {
    const folder = temporaryFolder();
    fs.chmodSync(folder, 0o755);
    for (const from of ['/bin', '/usr/bin', '/usr/local/bin', '/sbin', '/usr/sbin', path.dirname(process.execPath)]) {
        for (const name of fs.existsSync(from) ? fs.readdirSync(from) : []) {
            const to = path.join(folder, name);
            if (!names.includes(name) && !fs.existsSync(to)) {
                try {
                    fs.symlinkSync(path.join(from, name), to);
                } catch { /* a link that leads nowhere is there already */ }
            }
        }
    }
    return folder;
}

test('without apt-get it names the packages that are missing, and ends', {skip}, () => {
    const PATH = commandsWithout('apt-get', 'automake', 'autoreconf');
    const result = run(checkout, ['--port', '0'], {env: {...process.env, PATH}});
    assert.equal(result.status, 1);
    assert.equal(result.stderr, 'quickstart: these are missing (with the names of Debian\'s packages); install them and start again:\n' +
        '    autoconf: makes ./configure\n    automake: makes the Makefile\n');
});

test('with apt-get it says what is missing, installs that and nothing else, and looks again', {skip}, () => {
    const PATH = commandsWithout('apt-get', 'automake', 'sudo');
    const notes = path.join(PATH, 'notes');
    fs.writeFileSync(path.join(PATH, 'apt-get'), `#!/bin/sh\necho "$DEBIAN_FRONTEND: $*" >>'${notes}'\n`, {mode: 0o755});
    fs.writeFileSync(path.join(PATH, 'sudo'), '#!/bin/sh\nexec "$@"\n', {mode: 0o755});
    const result = run(checkout, ['--port', '0'], {env: {...process.env, PATH}});
    assert.equal(result.status, 1);
    const lines = result.stderr.trim().split('\n');
    assert.match(lines[0], /^quickstart: these packages are missing and will be installed now/);
    assert.equal(lines[1], '    automake: makes the Makefile');
    assert.equal(lines.at(-1), 'quickstart: still missing after the installation: automake: makes the Makefile');
    const calls = fs.readFileSync(notes, 'utf8').trim().split('\n');
    assert.equal(calls.length, 2);
    assert.match(calls[0], /^noninteractive: .* update$/);
    assert.match(calls[1], /^noninteractive: .* -y .*install --no-install-recommends automake$/);
});

test('where packages cannot be installed, it says which command would', {skip}, () => {
    const PATH = commandsWithout('apt-get', 'automake', 'sudo');
    fs.writeFileSync(path.join(PATH, 'apt-get'), '#!/bin/sh\necho no network >&2\nexit 100\n', {mode: 0o755});
    fs.writeFileSync(path.join(PATH, 'sudo'), '#!/bin/sh\nexec "$@"\n', {mode: 0o755});
    const result = run(checkout, ['--port', '0'], {env: {...process.env, PATH}});
    assert.equal(result.status, 1);
    assert.match(result.stderr, /\nno network\nquickstart: the packages could not be installed; .*: apt-get install automake\n$/);
});

/* -- root in somebody else's checkout ------------------------------------------------------------------------- */

test('root in somebody\'s checkout builds and runs as that somebody, and leaves him nothing of root\'s', {
    skip: skip || (root ? false : 'only root can be somebody else'),
}, async () => {
    const [uid, gid] = execFileSync('sh', ['-c', 'id -u nobody; id -g nobody'], {encoding: 'utf8'}).trim().split('\n');
    const folder = path.join(temporaryFolder(), 'his');
    fs.chmodSync(path.dirname(folder), 0o755);
    execFileSync('cp', ['-a', '--', checkout, folder]);
    fs.rmSync(path.join(folder, 'var'), {recursive: true, force: true});
    execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
    const job = await start(folder, []);
    try {
        assert.equal((await book(job)).status, 201);
        const pool = sessionOf(job.pid).filter((info) => info.name === 'procplan-fcgi');
        assert.equal(pool.length, 3);
        for (const info of pool) assert.equal(fs.statSync(`/proc/${info.pid}`).uid, Number(uid));
    } finally {
        await interrupt(job);
    }
    const roots = execFileSync('find', [folder, '-uid', '0'], {encoding: 'utf8'});
    assert.equal(roots, '');
});
