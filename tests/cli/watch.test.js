'use strict';
/* procplan-cli watch: in a pipe, and on a terminal (a pseudo-terminal that script(1) opens). */
const assert = require('node:assert/strict');
const {spawn} = require('node:child_process');
const {test} = require('node:test');
const {book, cancel, reload} = require('../api/fixtures.js');
const {sleep, startServer, suite, until} = require('../api/harness.js');
const {fails, hasScript, program} = require('./cli.js');
const {deadPort, listen} = require('./hostile_listeners.js');
const {environment} = require('./job_fixtures.js');

const CONFIG = {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]};
const it = suite({config: CONFIG});
const WEEK = ['--date', '2031-01-06'];
let day = 6;
const bookOne = (server, label) => {
    const start = `2031-01-${String(day++).padStart(2, '0')}`;
    return book(server, {node_id: 'n', start: `${start}T10:00`, end: `${start}T11:00`, user_label: label, gpu_count: 1});
};

/* Starts COMMAND; `out` and `err` grow, `ended` has its status. */
function start(command, args, env) {
    const child = spawn(command, args, {env: environment(env), stdio: ['pipe', 'pipe', 'pipe']});
    const watch = {child, out: '', err: '', ended: null};
    child.stdout.setEncoding('utf8').on('data', (text) => { watch.out += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { watch.err += text; });
    child.on('close', (code, signal) => { watch.ended = {code, signal}; });
    return watch;
}
const inPipe = (server, args = []) => start(program, ['watch', '--all', '--interval', '1', ...WEEK, ...args], {PROCPLAN_URL: server.url});

it('in a pipe it prints a snapshot, and another one at each change, and nothing in between', async (server) => {
    const watch = inPipe(server);
    try {
        await until(() => watch.out.endsWith('\n'), 'the first snapshot');
        const first = watch.out;
        assert.match(first, /^Node n \(n\)\nWindow: 2031-01-06T00:00:00\+00:00 – 2031-01-13T00:00:00\+00:00\nGPU /);
        await sleep(2500);
        assert.equal(watch.out, first);
        const {booking_id: id} = await bookOne(server, 'new');
        await until(() => watch.out.includes('new (Medium)'), 'the booking');
        await cancel(server, id);
        await until(() => watch.out.split('Node n (n)').length === 4, 'its end');
        assert.equal(watch.out.slice(watch.out.lastIndexOf('Node n')), first);
    } finally {
        watch.child.kill('SIGTERM');
    }
    await until(() => watch.ended, 'it ends');
    assert.deepEqual(watch.ended, {code: 0, signal: null});
    assert.equal(watch.err, '');
});

it('what has not changed costs the server no more than a 304', async (server) => {
    const net = require('node:net');
    const heads = [];
    const proxy = await listen((socket) => {
        const up = net.connect(server.port, '127.0.0.1');
        socket.on('data', (bytes) => up.write(bytes));
        up.on('data', (bytes) => {
            heads.push(bytes.toString('latin1').slice(9, 12));
            socket.write(bytes);
        });
        up.on('error', () => socket.destroy()).on('end', () => socket.end());
        socket.on('close', () => up.destroy());
    });
    const watch = inPipe(proxy);
    try {
        await until(() => heads.length >= 3, 'three answers');
        assert.deepEqual(heads.slice(0, 3), ['200', '304', '304']);
        assert.match(proxy.requests.join(''), /^If-None-Match: /m);
    } finally {
        watch.child.kill('SIGINT');
        await until(() => watch.ended, 'it ends');
        await proxy.close();
    }
    assert.deepEqual(watch.ended, {code: 0, signal: null});
});

test('a server that goes away is told once, and what it says when it is back is shown', async () => {
    let server = await startServer({config: CONFIG, workers: 1});
    const {port} = server;
    const watch = inPipe(server);
    try {
        await until(() => watch.out.endsWith('\n'), 'the first snapshot');
        await server.stop();
        await until(() => watch.err.includes('\n'), 'it says so');
        await sleep(2500);
        assert.match(watch.err, /^procplan-cli: cannot reach http:\/\/127\.0\.0\.1:\d+\/: [^\n]*\n$/);
        server = await startServer({config: CONFIG, workers: 1, args: ['--port', `${port}`]});
        await bookOne(server, 'back');
        await until(() => watch.out.includes('back (Medium)'), 'the new snapshot');
        assert.equal(watch.ended, null);
    } finally {
        watch.child.kill('SIGTERM');
        await server.stop();
    }
});

it('a node that leaves the configuration ends it with the server’s sentence', async () => {
    const server = await startServer({config: {nodes: [{id: 'a', gpus: [{id: 'g'}]}, {id: 'b'}]}, workers: 1});
    try {
        const watch = start(program, ['watch', '--node', 'a', '--interval', '1'], {PROCPLAN_URL: server.url});
        await until(() => watch.out.includes('Node a'), 'the snapshot');
        server.writeConfig({nodes: [{id: 'b'}]});
        await reload(server);
        await until(() => watch.ended, 'it ends');
        assert.deepEqual([watch.ended.code, watch.err], [1, "procplan-cli: Unknown node id 'a'\n"]);
    } finally {
        await server.stop();
    }
});

it('a first question that fails is a failure', async (server) => {
    const nobody = {url: `http://127.0.0.1:${await deadPort()}`};
    await fails(nobody, ['watch', '--all'], 1, /cannot reach/);
    await fails(server, ['watch', '--node', 'x'], 1, /^No matching nodes found/);
    await fails(server, ['watch', '--interval', '0'], 2, /--interval/);
    await fails(server, ['watch', '--json'], 2, /--json is not an option here/);
});

/* -- on a terminal --------------------------------------------------------------------------------------------------- */

const scriptMissing = () => (hasScript() ? false : 'script(1) is not installed');
const BEGIN = '\x1b[?1049h\x1b[?7l\x1b[?25l', END = '\x1b[?25h\x1b[?7h\x1b[?1049l';

for (const [name, end] of [
    ['Ctrl-C', (watch) => watch.child.stdin.write('\x03')],
    ['SIGTERM', (watch, pid) => process.kill(pid, 'SIGTERM')],
]) {
    it(`on a terminal it uses the other screen, and leaves it as it was at ${name}`, async (server, t) => {
        const missing = scriptMissing();
        if (missing) return t.skip(missing);
        const command = `stty rows 6 cols 60; echo shell $$; exec '${program}' watch --all --interval 1 ${WEEK.join(' ')}`;
        const watch = start('script', ['-qec', command, '/dev/null'], {PROCPLAN_URL: server.url, TERM: 'xterm', SHELL: '/bin/sh'});
        try {
            await until(() => watch.out.includes('Ctrl-C ends'), 'the picture');
            const pid = Number(/shell (\d+)/.exec(watch.out)[1]);
            assert.ok(watch.out.includes(BEGIN));
            const {booking_id: id} = await bookOne(server, `on screen ${name}`);
            await until(() => watch.out.includes(`\x1b[33mon screen ${name} (Medium)\x1b[0m`), 'the booking, in colour');
            await cancel(server, id);
            assert.ok(!watch.out.includes(END));
            end(watch, pid);
            await until(() => watch.ended, 'it ends');
            assert.ok(watch.out.endsWith(END), JSON.stringify(watch.out.slice(-80)));
            assert.equal(watch.ended.code, 0);
        } finally {
            watch.child.kill('SIGKILL');
        }
    });
}

it('a snapshot that is higher than the terminal is cut, and says so', async (server, t) => {
    const missing = scriptMissing();
    if (missing) return t.skip(missing);
    const watch = start('script', ['-qec', `stty rows 4 cols 60; exec '${program}' watch --all ${WEEK.join(' ')}`, '/dev/null'],
        {PROCPLAN_URL: server.url, TERM: 'xterm', NO_COLOR: '1', SHELL: '/bin/sh'});
    try {
        await until(() => watch.out.includes('Ctrl-C ends'), 'the picture');
        assert.match(watch.out, /more below · Ctrl-C ends/);
        assert.ok(!watch.out.includes('g0 (unspecified)'));
    } finally {
        watch.child.stdin.write('\x03');
        await until(() => watch.ended, 'it ends');
    }
});
