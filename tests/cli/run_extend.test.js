'use strict';
/* procplan-cli run near its booking's end. The planner's clock is set to five minutes before the hour, and counts. */
const assert = require('node:assert/strict');
const path = require('node:path');
const {test} = require('node:test');
const {assertHas, book, bookingOf} = require('../api/fixtures.js');
const {build, serverMissing, startServer, until} = require('../api/harness.js');
const {runProgram} = require('./job_fixtures.js');

const skip = serverMissing();
const program = path.join(build, 'procplan-cli');
const HOUR = 3600;

/* BODY with a server whose clock stands at START + SECONDS, and the time of START. */
async function at(seconds, body) {
    const server = await startServer({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]}, clock: true});
    const start = Math.floor(Date.now() / 1000 / HOUR) * HOUR + 48 * HOUR;
    server.setClock(start + seconds);
    try {
        await body(server, start);
    } finally {
        await server.stop();
    }
}
const text = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00');

/* Runs a command until WORD stands on stderr. BOOKED is called again and again from when it has its booking. */
async function runUntil(server, options, word, {env, booked = () => {}} = {}) {
    let child, growing;
    const ended = runProgram(program, ['run', '--node', 'n', '--user', 'ada', '--gpus', '1', '--hours', '1', ...options, '--', 'sh', '-c',
        'trap "exit 11" TERM; i=0; while [ $i -lt 500 ]; do i=$((i + 1)); sleep 0.1; done'],
    {env: {PROCPLAN_URL: server.url, ...env}, detached: true, started: (process, result) => { child = process; growing = result; }});
    const isThere = () => {
        if (/booked \d+/.test(growing.stderr)) booked(child);
        return word.test(growing.stderr);
    };
    await Promise.race([until(isThere, `${word}`), ended]);
    const id = Number(/booked (\d+)/.exec(growing.stderr)?.[1]);
    const during = await bookingOf(server, id);
    child.kill('SIGTERM');
    return {...await ended, id, during};
}

test('--extend asks for another hour near the end', {skip}, () => at(55 * 60, async (server, start) => {
    const result = await runUntil(server, ['--extend'], /now ends at/);
    assertHas(result, {code: 11});
    assert.ok(result.stderr.includes(`booking ${result.id} now ends at ${text(start + 2 * HOUR)}`), result.stderr);
    assertHas(result.during, {status: 'active', end: text(start + 2 * HOUR)});
    assertHas(await bookingOf(server, result.id), {status: 'completed'});
}));

test('a refusal warns and names who is in the way, and the command goes on', {skip}, () => at(55 * 60, async (server, start) => {
    const other = await book(server, {node_id: 'n', start: text(start + HOUR), end: text(start + 2 * HOUR), user_label: 'bob', gpu_count: 1});
    const result = await runUntil(server, ['--extend'], /g0 is held by bob/);
    assertHas(result, {code: 11});
    assert.match(result.stderr, new RegExp(`still ends at .*\n  g0 is held by bob \\(booking ${other.booking_id}\\)\n`));
    assertHas(result.during, {status: 'active', end: text(start + HOUR)});
}));

test('without --extend nobody asks, and at the end it warns that the GPUs may be somebody else’s', {skip}, () =>
    at(55 * 60, async (server, start) => {
        /* It has the planner's clock, and looks at it when a signal wakes it. */
        const env = {
            LD_PRELOAD: path.join(build, 'tests', 'api', 'clock_shim.so'), PROCPLAN_TEST_CLOCK: path.join(server.directory, 'clock'),
            ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
        };
        const result = await runUntil(server, [], /may be somebody else's now/, {env, booked: (child) => {
            server.setClock(start + HOUR + 1);
            child.kill('SIGCONT');
        }});
        assertHas(result, {code: 11});
        assertHas(result.during, {end: text(start + HOUR)});
    }));
