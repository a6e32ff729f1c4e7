'use strict';
/* procplan-notify against the real server and against whatever else may answer: its words and exit statuses are the original's. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {assertHas, book, bookingOf} = require('../api/fixtures.js');
const {build, request, suite, temporaryFolder, until} = require('../api/harness.js');
const {runProgram} = require('./job_fixtures.js');
const {BEHAVIOURS, busy, deadPort, listen} = require('./hostile_listeners.js');

const it = suite({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]}});
const program = path.join(build, 'procplan-notify');
const notify = (args, env, options) => runProgram(program, args, {env, ...options});

let day = 0;
const booking = (server) => {
    const start = new Date(Date.UTC(2061, 0, 1 + day++)).toISOString();
    return book(server, {node_id: 'n', start, end: start.replace('T00', 'T06'), user_label: 'ada', gpu_count: 1});
};

it('a booking is marked complete, in the original’s words', async (server) => {
    const {booking_id: id} = await booking(server);
    assertHas(await notify(['--url', server.url, '--booking-id', `${id}`]),
        {code: 0, stdout: `Booking ${id} marked complete (status 200).\n`, stderr: ''});
    assertHas(await bookingOf(server, id), {status: 'completed'});
});

it('a refusal goes to stderr with its status and the answer’s body', async (server) => {
    const result = await notify([`--url=${server.url}/`, '--booking-id=987654', '--timeout', '30']);
    assertHas(result, {code: 1, stdout: ''});
    const [, body] = /^Failed to mark booking complete \(status 404\): (.*)\n$/.exec(result.stderr);
    assertHas(JSON.parse(body), {error: "Booking '987654' is not active or does not exist", status: 404});
});

it('the event names who ran it', async (server) => {
    const {booking_id: id} = await booking(server);
    await notify(['--url', server.url, '--booking-id', `${id}`]);
    const {events} = (await request(server, 'GET', '/api/events?limit=1000')).json;
    assert.notEqual(events.find((event) => event.booking_id === id && event.kind === 'completed')?.actor ?? '', '');
});

it('a token is taken from a file, the environment or the command line, in this order of safety', async (server) => {
    const file = path.join(temporaryFolder(), 'token');
    for (const way of ['file', 'environment', 'command line']) {
        const {booking_id: id, release_token: token} = await booking(server);
        const env = {PROCPLAN_URL: server.url, PROCPLAN_BOOKING_ID: `${id}`};
        fs.writeFileSync(file, `${token}\n`);
        const wrong = await notify(['--token', '0'.repeat(32)], env);
        assertHas(wrong, {code: 1});
        assert.match(wrong.stderr, /\(status 403\): .*token/, 'the token counts');
        const result = way === 'file' ? await notify(['--token-file', file], {...env, PROCPLAN_RELEASE_TOKEN: 'another'})
            : way === 'environment' ? await notify([], {...env, PROCPLAN_RELEASE_TOKEN: token}) : await notify(['--token', token], env);
        assertHas(result, {code: 0, stdout: `Booking ${id} marked complete (status 200).\n`, stderr: ''});
    }
});

test('ps does not show a token that was given on the command line', async () => {
    const listener = await listen('is silent');
    try {
        let child;
        const ended = notify(['--url', listener.url.replace('//', '//ada:geheim@'), '--booking-id', '1', '--token', 'abcdef0123', '--timeout', '30'], {},
            {started: (process) => { child = process; }});
        await until(() => listener.requests.some((text) => text.includes('abcdef0123')), 'the token arrives');
        const line = fs.readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').split('\0');
        assert.ok(line.includes('--token') && line.includes('**********'), `${line}`);
        assert.doesNotMatch(`${line}`, /ada|geheim/);
        child.kill('SIGKILL');
        await ended;
    } finally {
        await listener.close();
    }
});

test('nobody listens: status 0, the address and the reason', async () => {
    const port = await deadPort();
    const result = await notify(['--url', `http://ada:secret@127.0.0.1:${port}/plan`, '--booking-id', '42']);
    assertHas(result, {code: 1, stdout: ''});
    assert.match(result.stderr, new RegExp(
        `^Failed to mark booking complete \\(status 0\\): .*http://127\\.0\\.0\\.1:${port}/plan/: Connection refused`));
    assert.ok(!result.stderr.includes('secret'));
});

for (const name of Object.keys(BEHAVIOURS)) {
    test(`a listener that ${name} gives exit 1 in time, and nothing that moves a terminal`, async () => {
        const listener = await listen(name);
        try {
            const begun = Date.now();
            const result = await notify(['--url', listener.url, '--booking-id', '1', '--timeout', '1'], {}, {encoding: 'latin1'});
            assertHas(result, {code: 1, stdout: ''});
            assert.match(result.stderr, /^Failed to mark booking complete \(status \d+\): [^]+\n$/);
            assert.doesNotMatch(result.stderr.slice(0, -1), /[\x00-\x1f\x7f-\xff]/);
            assert.ok(Date.now() - begun < 20_000);
        } finally {
            await listener.close();
        }
    });
}

for (const [status, headers, least] of [
    ['429 Too Many Requests', 'Retry-After: 2\r\n', 2000], ['502 Bad Gateway', '', 1000], ['503 Service Unavailable', 'Retry-After: 1\r\n', 1000],
]) {
    test(`a server that answers ${status} is asked again, not sooner than it says`, async () => {
        const listener = await busy(1, status, headers);
        try {
            assertHas(await notify(['--url', listener.url, '--booking-id', '1', '--token', 'abc', '--timeout', '50']), {code: 0, stderr: ''});
            assert.equal(listener.at.length, 2);
            assert.ok(listener.at[1] - listener.at[0] >= least - 20, `after ${listener.at[1] - listener.at[0]} ms`);
            assert.match(listener.requests[1], /"release_token": ?"abc"/);
        } finally {
            await listener.close();
        }
    });
}

test('what would come too late is not waited for, and another refusal is not repeated', async () => {
    for (const [status, headers] of [['429 Too Many Requests', 'Retry-After: 3600\r\n'], ['403 Forbidden', 'Retry-After: 1\r\n'], ['500 Internal Server Error', '']]) {
        const listener = await busy(1, status, headers);
        try {
            const result = await notify(['--url', listener.url, '--booking-id', '1', '--timeout', '50']);
            assertHas(result, {code: 1, stdout: ''});
            assert.match(result.stderr, new RegExp(`\\(status ${parseInt(status, 10)}\\)`));
            assert.equal(listener.at.length, 1, status);
        } finally {
            await listener.close();
        }
    }
});

test('what is wrong on the command line is said, with exit 2, and nothing is sent', async () => {
    const url = ['--url', 'http://127.0.0.1:9'];
    const id = ['--booking-id', '4'];
    for (const [args, said] of [
        [[...id], /PROCPLAN_URL/],
        [[...url], /--booking-id is missing/],
        [[...url, '--booking-id', 'x'], /--booking-id/],
        [[...url, '--booking-id', '1.5'], /--booking-id/],
        [[...url, '--booking-id', '\x1b[2J'], /not "\\x1b\[2J"/],
        [[...url, ...id, '--\x1b[2J'], /"--\\x1b\[2J" is no option/],
        [[...url, ...id, '--timeout'], /--timeout wants a value/],
        [[...url, '--booking-id', '-1'], /--booking-id/],
        [[...url, '--booking-id', '99999999999999999999'], /--booking-id/],
        [[...url, ...id, '--timeout', '0'], /--timeout/],
        [[...url, ...id, '--timeout', 'nan'], /--timeout/],
        [[...url, ...id, '--timeout', '5s'], /--timeout/],
        [[...url, ...id, '--token', ''], /--token/],
        [[...url, ...id, '--token-file', '/nonexistent'], /nonexistent/],
        [[...url, ...id, '--token-file', '/dev/null'], /holds no release token/],
        [[...url, ...id, 'more'], /"more"/],
        [[...url, ...id, '--tokens'], /tokens/],
        [['--url', 'ftp://127.0.0.1', ...id], /http/],
    ]) {
        const result = await notify(args);
        assertHas(result, {code: 2, stdout: ''});
        assert.match(result.stderr, said, args.join(' '));
        assert.match(result.stderr, /^procplan-notify: [^\x00-\x1f\x7f]+\n$/);
    }
});

test('--help has an example, and --version a number', async () => {
    const shown = await notify(['--help']);
    assertHas(shown, {code: 0, stderr: ''});
    for (const word of ['--url URL', '--booking-id N', '--timeout S', '--token T', '--token-file FILE', 'Example:'])
        assert.ok(shown.stdout.includes(word), word);
    assert.match((await notify(['--version'])).stdout, /^procplan-notify \d+\.\d+\.\d+\n$/);
});
