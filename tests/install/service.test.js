'use strict';
/* The service as it is installed: the units as systemd reads them, its socket, restarts, and the ways without systemd. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const fcgi = require('../fault/fcgi.js');
const pools = require('../fault/pool.js');
const hosts = require('./host.js');

const {ask} = hosts;
const limit = {timeout: 4 * pools.PATIENCE};
const needs = (...tools) => ({...limit, skip: hosts.missing || tools.map(pools.toolMissing).find(Boolean) || false});

/* The installed units in a folder of their own, in which the program is where they say. */
function unitsOf(t, host) {
    const folder = pools.temporaryFolder(t);
    const units = ['procplan.service', 'procplan.socket'].map((name) => {
        const text = fs.readFileSync(host.find(`/systemd/system/${name}`), 'utf8');
        const file = path.join(folder, name);
        fs.writeFileSync(file, text.replace(/^(ExecStart=)(\/.*?)( |$)/m, (all, key, place, end) => `${key}${host.folder}${place}${end}`));
        return file;
    });
    return units;
}

/* A host with nginx, the planner taken in under /procplan/, and the folder of the database. */
async function prepare(t, change = () => {}) {
    const host = hosts.install(t);
    change(host);
    const nginx = await hosts.startNginx(t, host);
    hosts.addToSite(host, 'here', 'include snippets/procplan.conf;');
    await nginx.reload();
    hosts.makeState(host);
    /* Root's part of it, to make the socket for the planner, is done by whoever starts it here. */
    if (hosts.root) fs.chownSync(path.dirname(host.socket), hosts.planner.uid, hosts.planner.gid);
    return {host, nginx};
}

/* A process started by root makes the socket as procplan.socket would have it: root's, and nginx's group's. */
/* Somebody listens at the socket: between bind and listen its file is there already, and nginx would be refused. */
const listens = (socket) => fs.readFileSync('/proc/net/unix', 'utf8').split('\n')
    .some((line) => line.endsWith(` ${socket}`) && line.split(/\s+/)[3] === '00010000'); /* __SO_ACCEPTCON, as proc_net(5) calls flags */

async function openSocket(host) {
    await pools.until(() => fs.existsSync(host.socket) && listens(fs.realpathSync(host.socket)), 'somebody listens at the socket');
    if (hosts.root) fs.chownSync(host.socket, hosts.planner.uid, hosts.webServer.gid);
    fs.chmodSync(host.socket, 0o660);
    assert.equal(fs.statSync(host.socket).mode & 0o777, 0o660);
}

async function booksAndReads(port) {
    const {json: {nodes}} = await ask(port, 'GET', '/procplan/api/nodes');
    const start = new Date(Date.now() + 86_400_000).toISOString(), end = new Date(Date.now() + 90_000_000).toISOString();
    const booked = await ask(port, 'POST', '/procplan/api/book',
        {body: {node_id: nodes[0].id, gpu_count: 1, start, end, user_label: 'ada', note: 'é'}});
    assert.equal(booked.status, 201, booked.text);
    const read = await ask(port, 'GET', `/procplan/api/bookings/${booked.json.booking_id}`);
    assert.deepEqual([read.status, read.json.note], [200, 'é']);
    assert.equal((await ask(port, 'GET', '/procplan/api/bookings/77')).status, 404);
    assert.equal((await ask(port, 'GET', '/procplan/api/find?gpus=1&hours=2')).json.slots.length > 0, true);
}

test('systemd-analyze verify finds no fault in the units', needs('systemd-analyze'), (t) => {
    const units = unitsOf(t, hosts.install(t));
    const verify = spawnSync('systemd-analyze', ['verify', '--man=no', ...units]);
    assert.equal(verify.stdout.toString() + verify.stderr.toString(), '');
    assert.equal(verify.status, 0);
});

test('the service is hardened: systemd-analyze security gives it less than 1.0', needs('systemd-analyze'), (t) => {
    const [service] = unitsOf(t, hosts.install(t));
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', service]);
    const score = /Overall exposure level for procplan\.service: (\d+\.\d+) /.exec(security.stdout.toString());
    assert.ok(score, `${security.stdout}${security.stderr}`);
    assert.ok(Number(score[1]) < 1, score[0]);
});

test('the account and its folder are what the service and the files for systemd agree on', limit, (t) => {
    const host = hosts.install(t);
    const [user] = hosts.setting(host, '/procplan.service', 'User');
    assert.match(fs.readFileSync(host.find('/sysusers.d/procplan.conf'), 'utf8'), new RegExp(`^u ${user} - "[^"]+" /var/lib/procplan$`, 'm'));
    assert.match(fs.readFileSync(host.find('/tmpfiles.d/procplan.conf'), 'utf8'), new RegExp(`^d /var/lib/procplan 0700 ${user} ${user} -$`, 'm'));
    assert.deepEqual(hosts.setting(host, '/procplan.service', 'StateDirectory'), ['procplan']);
    assert.deepEqual(hosts.setting(host, '/procplan.service', 'StateDirectoryMode'), ['0700']);
    assert.match(hosts.setting(host, '/procplan.service', 'ExecStart')[0], / --database \/var\/lib\/procplan\/procplan\.db$/);
    assert.deepEqual(hosts.setting(host, '/procplan.socket', 'SocketMode'), ['0660']);
    assert.deepEqual(hosts.setting(host, '/procplan.socket', 'RemoveOnStop'), ['yes']); /* deb.test.js shows it */
    const [socket] = hosts.setting(host, '/procplan.socket', 'ListenStream');
    assert.match(fs.readFileSync(host.find('/conf.d/procplan.conf'), 'utf8'), new RegExp(`server unix:${socket};`));
});

test('every system call of a pool at work is one that the service allows', needs('systemd-analyze', 'strace'), async (t) => {
    const filters = hosts.setting(hosts.install(t), '/procplan.service', 'SystemCallFilter');
    assert.deepEqual(filters, ['@system-service', '~@privileged @resources']);
    const groups = new Map();
    let group = null;
    for (const line of spawnSync('systemd-analyze', ['syscall-filter', '--no-pager']).stdout.toString().split('\n')) {
        if (line.startsWith('@')) groups.set(line.trim(), group = []);
        else if (group && /^ {4}[^#\s]/.test(line)) group.push(line.trim());
    }
    const all = (name, seen = new Set()) => {
        for (const entry of groups.get(name) ?? assert.fail(`no group ${name}`)) {
            if (entry.startsWith('@')) all(entry, seen);
            else seen.add(entry);
        }
        return seen;
    };
    const allowed = all('@system-service');
    for (const name of ['@privileged', '@resources']) all(name).forEach((call) => allowed.delete(call));
    all('@default').forEach((call) => allowed.add(call));

    if (fs.readFileSync(pools.program).includes('__asan_init')) return; /* it makes calls of its own */

    const places = pools.preparePool(t);
    const state = path.dirname(places.database), trace = path.join(state, 'trace');
    fs.chmodSync(places.folder, 0o755);
    fs.mkdirSync(state, {mode: 0o700});
    if (hosts.planner) fs.chownSync(state, hosts.planner.uid, hosts.planner.gid);
    const run = await pools.withListener(places.socket, (fd) => pools.start(t, 'strace',
        ['-f', '-qq', '-o', trace, '-e', 'signal=none', pools.program, ...places.files, '--workers', '2'],
        {stdio: [fd, 'pipe', 'pipe'], cwd: '/', ...hosts.as(hosts.planner)}));
    await pools.serving(run);
    const call = (method, target, body) => fcgi.request(places.socket, method, target, body && {body: JSON.stringify(body)});
    const hours = {start: '2039-01-01T00:00', end: '2039-01-01T01:00'};
    assert.equal((await call('POST', '/api/book', {node_id: 'beta', gpu_count: 2, user_label: 'u', ...hours})).status, 201);
    assert.equal((await call('POST', '/api/reload_config')).status, 200);
    for (const target of ['timeline', 'health', 'metrics', 'usage', 'events', 'calendar.ics', 'find'])
        assert.equal((await call('GET', `/api/${target}`)).status, 200, target);
    const [master] = pools.childrenOf(run.pid);
    pools.writeConfig(places.config, {nodes: [{id: 'only'}]});
    pools.signal(master, 'SIGHUP');
    await pools.until(async () => (await call('GET', '/api/nodes')).json().nodes[0].id === 'only', () => run.log);
    pools.signal(pools.childrenOf(master)[0], 'SIGKILL');
    await pools.logged(run, /was killed/);
    pools.signal(master, 'SIGTERM');
    await run.ended;
    const used = new Set([...fs.readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, name]) => name));
    assert.ok(used.size > 30, [...used].join(' '));
    assert.deepEqual([...used].filter((name) => !allowed.has(name)), []);
});

test('restarts on the socket that systemd hands over refuse nobody, through nginx', needs('systemd-socket-activate'), async (t) => {
    const {host, nginx} = await prepare(t);
    const [command, ...args] = hosts.serviceCommand(host);
    /* As systemd does it: each start gets the same socket, and LISTEN_PID is its own number. */
    const again = 'while sh -c \'LISTEN_PID=$$ exec "$0" "$@"\' "$0" "$@"; do :; done';
    const run = pools.start(t, 'systemd-socket-activate', ['-l', host.socket, 'sh', '-c', again, command, ...args, '--workers', '2'],
        {cwd: '/', ...hosts.as(hosts.planner)});
    await openSocket(host);
    await booksAndReads(nginx.port);
    let over = false;
    const statuses = new Map();
    const loops = Array.from({length: 4}, async () => {
        while (!over) {
            const {status} = await ask(nginx.port, 'GET', '/procplan/api/nodes');
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
    });
    for (let i = 0; i < 5; i++) {
        const before = statuses.get(200) ?? 0;
        await pools.until(() => (statuses.get(200) ?? 0) > before + 5, 'answers go on coming');
        pools.signal(pools.childrenOf(run.pid).find((pid) => pools.look(pid)), 'SIGTERM');
        await pools.logged(run, new RegExp(`(serving with[^]*){${i + 2}}`));
    }
    over = true;
    await Promise.all(loops);
    assert.deepEqual([...statuses.keys()], [200]);
});

/* README's line that begins with START, its continuation lines joined, in words. */
function readmeLine(start) {
    const text = fs.readFileSync(path.join(pools.source, 'README'), 'utf8').replaceAll('\\\n', ' ');
    const line = text.split('\n').find((candidate) => candidate.trim().startsWith(start));
    assert.ok(line, `README has a line "${start}"`);
    return line.trim().split(/\s+/);
}

test('without systemd: README\'s spawn-fcgi line', needs('spawn-fcgi'), async (t) => {
    const {host, nginx} = await prepare(t);
    let words = readmeLine('spawn-fcgi ');
    const value = (flag, is) => {
        assert.ok(words.includes(flag), flag);
        if (is === null) words.splice(words.indexOf(flag), 2);
        else words[words.indexOf(flag) + 1] = is;
    };
    assert.equal(words[words.indexOf('-M') + 1], '0660');
    value('-s', host.socket);
    value('-U', hosts.root ? hosts.planner.name : null);
    value('-G', hosts.root ? hosts.webServer.name : null);
    value('-u', hosts.root ? hosts.planner.name : null);
    value('--config', host.config);
    value('--database', path.join(host.state, 'procplan.db'));
    words = words.map((word) => word.endsWith('/procplan-fcgi') ? host.program : word);
    words.splice(1, 0, '-n'); /* in the foreground, so that the test can end it */
    const run = pools.start(t, words[0], words.slice(1), {cwd: '/'});
    await pools.serving(run);
    assert.equal(fs.statSync(host.socket).mode & 0o777, 0o660);
    await booksAndReads(nginx.port);
});

test('without systemd: as a plain CGI by fcgiwrap', needs('fcgiwrap'), async (t) => {
    const {host, nginx} = await prepare(t, (place) => {
        const file = place.find('/snippets/procplan-fastcgi.conf');
        const text = fs.readFileSync(file, 'utf8');
        assert.equal(text.match(/^#cgi /gm).length, 4);
        fs.writeFileSync(file, text.replace(/^#cgi /gm, '')
            .replace(/(SCRIPT_FILENAME|PROCPLAN_CONFIG|PROCPLAN_DATABASE) (\/)/g, (all, name) => `${name} ${place.folder}/`));
    });
    pools.start(t, 'fcgiwrap', ['-c', '2', '-f', '-s', `unix:${host.socket}`],
        {cwd: '/', ...hosts.as(hosts.planner)});
    await openSocket(host);
    await booksAndReads(nginx.port);
});
