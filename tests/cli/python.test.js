'use strict';
/* The Python helper against the real server and against whatever else may answer; and where it is installed. */
const assert = require('node:assert/strict');
const {execFile, execFileSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {promisify} = require('node:util');
const {assertHas, book, bookingOf} = require('../api/fixtures.js');
const {PATIENCE, build, source, suite, temporaryFolder} = require('../api/harness.js');
const {BEHAVIOURS, CERTIFICATE, busy, deadPort, listen} = require('./hostile_listeners.js');

const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((file) => fs.existsSync(file));
const skip = python ? false : 'python3 is not installed';
const it = suite({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]}});

/* Each of CALLS is [positional arguments, keyword arguments]; gives what each call returned, and how long it took in seconds. */
const PROGRAM = `
import json, sys, time
sys.path.insert(0, sys.argv[1])
from procplan.notifier import NotifyResult, signal_completion
results = []
for positional, named in json.loads(sys.argv[2]):
    begun = time.monotonic()
    result = signal_completion(*positional, **named)
    assert isinstance(result, NotifyResult)
    assert bool(result) is result.ok
    results.append({"ok": result.ok, "status": result.status, "message": result.message, "took": time.monotonic() - begun})
print(json.dumps(results))
`;

const environment = (more = {}) => ({PATH: process.env.PATH, LANG: 'C', NO_PROXY: '*', ...more});

async function signal(calls, env = {}) {
    const {stdout} = await promisify(execFile)(python, ['-I', '-B', '-c', PROGRAM, path.join(source, 'cli', 'python'), JSON.stringify(calls)],
        {env: environment(env), timeout: PATIENCE});
    return JSON.parse(stdout);
}

let day = 0;
const booking = (server) => {
    const start = new Date(Date.UTC(2061, 0, 1 + day++)).toISOString();
    return book(server, {node_id: 'n', start, end: start.replace('T00', 'T06'), user_label: 'ada', gpu_count: 1});
};

it('signal_completion ends the booking and says so', async (server, t) => {
    if (skip) return t.skip(skip);
    const {booking_id} = await booking(server);
    const [first, again] = await signal([[[server.url, booking_id], {}], [[`${server.url}/`, String(booking_id)], {timeout: 30}]]);
    assertHas(first, {ok: true, status: 200, message: 'completed'});
    assertHas(await bookingOf(server, booking_id), {status: 'completed'});
    assertHas(again, {ok: false, status: 404});
    assert.equal(JSON.parse(again.message).error, `Booking '${booking_id}' is not active or does not exist`);
});

it('with a token it releases, and a wrong token is told as the server tells it', async (server, t) => {
    if (skip) return t.skip(skip);
    const {booking_id, release_token} = await booking(server);
    const [wrong, right] = await signal([
        [[server.url, booking_id], {token: '0'.repeat(32)}],
        [[server.url, booking_id, 20], {token: release_token}],
    ]);
    assertHas(wrong, {ok: false, status: 403});
    assert.match(JSON.parse(wrong.message).error, /token/);
    assertHas(right, {ok: true, status: 200, message: 'completed'});
    assertHas(await bookingOf(server, booking_id), {status: 'completed'});
});

test('nobody listens: status 0 and the reason', {skip}, async () => {
    const [result] = await signal([[[`http://127.0.0.1:${await deadPort()}`, 1], {}]]);
    assertHas(result, {ok: false, status: 0, message: 'Connection refused'});
});

test('an address that is none is a result, too, and never opens a file', {skip}, async () => {
    const addresses = ['', 'planner', 'file:///etc/passwd', 'ftp://127.0.0.1/', 'http://', 'http://[::1', 'http://127.0.0.1:port', 'http://no-such-host.invalid'];
    for (const result of await signal(addresses.map((address) => [[address, 1], {}]))) {
        assertHas(result, {ok: false, status: 0});
        assert.notEqual(result.message, '');
    }
});

for (const name of Object.keys(BEHAVIOURS)) {
    test(`a listener that ${name} gives a result in time, and not ok`, {skip}, async () => {
        const listener = await listen(name);
        try {
            const [result] = await signal([[[listener.url, 1], {timeout: 1}]]);
            assertHas(result, {ok: false});
            assert.notEqual(result.message, '');
            assert.ok(result.took < 20, `took ${result.took} s of 1`);
            if (/silent|drips|only 100/.test(name)) assertHas(result, {status: 0, message: 'timed out'});
        } finally {
            await listener.close();
        }
    });
}

test('a server that is busy is asked again within the timeout, not sooner than it says; no other refusal is repeated', {skip}, async () => {
    for (const [status, headers, tries] of [['429 Too Many Requests', 'Retry-After: 2\r\n', 2], ['502 Bad Gateway', '', 2], ['503 Busy', 'Retry-After: soon\r\n', 2],
        ['429 Too Many Requests', 'Retry-After: 3600\r\n', 1], ['403 Forbidden', 'Retry-After: 1\r\n', 1], ['500 Error', '', 1]]) {
        const listener = await busy(1, status, headers);
        try {
            const [result] = await signal([[[listener.url, 1], {timeout: 50, token: 'abc'}]]);
            assertHas(result, tries === 2 ? {ok: true, status: 200} : {ok: false, status: parseInt(status, 10)});
            assert.equal(listener.at.length, tries, `${status} ${headers}`);
            const least = headers.includes(': 2') ? 2000 : 1000;
            if (tries === 2) assert.ok(listener.at[1] - listener.at[0] >= least - 20, `after ${listener.at[1] - listener.at[0]} ms`);
        } finally {
            await listener.close();
        }
    }
});

test('TLS is spoken, and only with whom the system trusts', {skip}, async () => {
    const completed = '{"booking_id": 1, "status": "completed"}';
    const listener = await listen((socket) => {
        socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${completed.length}\r\n\r\n${completed}`));
    }, {secure: true});
    const plain = await listen('is silent');
    const file = path.join(temporaryFolder(), 'trusted.pem');
    fs.writeFileSync(file, CERTIFICATE);
    try {
        const call = [[listener.url, 1], {timeout: 20}];
        assertHas((await signal([call], {SSL_CERT_FILE: file}))[0], {ok: true, status: 200, message: 'completed'});
        const [untrusted] = await signal([call]);
        assertHas(untrusted, {ok: false, status: 0});
        assert.match(untrusted.message, /certificate/i);
        assert.equal(listener.requests.filter((text) => text !== '').length, 1, 'nothing was sent to whom nobody trusts');
        const [mute] = await signal([[[plain.url.replace('http:', 'https:'), 1], {timeout: 1}]]);
        assertHas(mute, {ok: false, status: 0});
    } finally {
        await Promise.all([listener.close(), plain.close()]);
    }
});

test('a redirect within the host stays a POST; one to another host or port gets neither token nor password', {skip}, async () => {
    const completed = '{"booking_id": 1, "status": "completed"}';
    const other = await listen('is not JSON');
    const first = await listen((socket) => socket.once('data', (bytes) => {
        const to = /^POST \/away/.test(bytes) ? `http://localhost:${other.port}/` : /^POST \/near/.test(bytes) ? `http://127.0.0.1:${other.port}/` : /^POST \/old/.test(bytes) ? '/new/api/release' : null;
        socket.end(to ? `HTTP/1.1 301 Moved\r\nLocation: ${to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
            : `HTTP/1.1 200 OK\r\nContent-Length: ${completed.length}\r\nConnection: close\r\n\r\n${completed}`);
    }));
    try {
        const address = (place) => `http://ada:s%3Acret@127.0.0.1:${first.port}${place}`;
        const [stays, leaves, near] = await signal(['/old', '/away', '/near'].map((place) => [[address(place), 1], {token: 'abc'}]));
        assertHas(stays, {ok: true, status: 200});
        assert.match(first.requests[1], /^POST \/new\/api\/release HTTP/);
        assert.match(first.requests[1], /"release_token": "abc"/);
        assert.match(first.requests[0], new RegExp(`Authorization: Basic ${Buffer.from('ada:s:cret').toString('base64')}`));
        assertHas(leaves, {ok: false, status: 301});
        assertHas(near, {ok: false, status: 301});
        assert.deepEqual(other.requests, []);
    } finally {
        await Promise.all([first.close(), other.close()]);
    }
});

test('it works while the interpreter ends, where no thread can be started', {skip}, async () => {
    const listener = await listen('is not JSON');
    try {
        const program = 'import atexit, sys\nsys.path.insert(0, sys.argv[1])\nfrom procplan.notifier import signal_completion\n'
            + 'atexit.register(lambda: print(signal_completion(sys.argv[2], 1, 20).status))';
        const {stdout} = await promisify(execFile)(python, ['-I', '-B', '-c', program, path.join(source, 'cli', 'python'),
            `http://localhost:${listener.port}`], {env: environment(), timeout: PATIENCE});
        assert.equal(stdout.trim(), '200');
    } finally {
        await listener.close();
    }
});

/* The folders in which that Python looks when nobody tells it more. */
const lookedIn = () => JSON.parse(execFileSync(python, ['-I', '-c', 'import json, site; print(json.dumps(site.getsitepackages()))'],
    {encoding: 'utf8'}));

test('for /usr and /usr/local it is installed where the system’s Python looks', {skip}, () => {
    for (const prefix of ['/usr', '/usr/local', '/usr/local/']) {
        const folder = execFileSync(python, ['-I', path.join(source, 'cli', 'python', 'site-folder.py'), prefix], {encoding: 'utf8'}).trim();
        const known = lookedIn().filter((candidate) => candidate.startsWith('/usr/local/') === prefix.startsWith('/usr/local'));
        if (known.length > 0) assert.ok(known.includes(path.join(prefix, folder)), `${prefix}: ${folder} is none of ${known}`);
        else assert.equal(folder, '');
    }
});

test('make install puts it into a folder from which it can be imported', {skip}, () => {
    const root = temporaryFolder();
    execFileSync('make', ['-s', 'install-dist_procplanpythonDATA', `DESTDIR=${root}`], {
        cwd: build, stdio: ['ignore', 'ignore', 'inherit'], env: {...process.env, MAKEFLAGS: '', MFLAGS: ''},
    });
    const found = fs.readdirSync(root, {recursive: true}).filter((name) => name.endsWith('procplan/notifier.py'));
    assert.equal(found.length, 1, `${found}`);
    const place = path.dirname(path.dirname(path.join(root, found[0])));
    const inPlace = place.slice(root.length);
    const prefix = /^prefix = (.*)$/m.exec(fs.readFileSync(path.join(build, 'Makefile'), 'utf8'))[1];
    if (['/usr', '/usr/local'].includes(prefix)) assert.ok(lookedIn().includes(inPlace), inPlace);
    const where = execFileSync(python, ['-I', '-B', '-c',
        'import sys; sys.path.insert(0, sys.argv[1]); import procplan.notifier as n; print(n.__file__, n.signal_completion.__name__)', place],
    {encoding: 'utf8', cwd: '/'});
    assert.equal(where.trim(), `${path.join(root, found[0])} signal_completion`);
});
