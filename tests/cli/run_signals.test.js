'use strict';
/* procplan-cli run when it is disturbed: signals, a terminal, a planner that is away. */
const assert = require('node:assert/strict');
const {execFileSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {assertHas, bookingOf} = require('../api/fixtures.js');
const {build, processInfo, request, serverMissing, source, startServer, suite, temporaryFolder, until} = require('../api/harness.js');
const {proxyTo, runProgram} = require('./job_fixtures.js');

const skip = serverMissing();
const CONFIG = {nodes: [{id: 'n', gpus: Array.from({length: 8}, (_, i) => ({id: `g${i}`}))}]};
const it = suite({config: CONFIG});
const program = path.join(build, 'procplan-cli');
const ARGS = ['run', '--node', 'n', '--user', 'ada', '--gpus', '1', '--hours', '1'];

/*
 * Begins a run of the shell SCRIPT, without a terminal (a session of its own): {child, result (grows), ended}. Resolves when the script has
 * printed "begun".
 */
async function begin(url, script, {options = [], before} = {}) {
    const args = [...ARGS, ...options, '--', 'sh', '-c', script];
    let child, result;
    const ended = runProgram(before ? 'sh' : program, before ? ['-c', `${before}; exec "$0" "$@"`, program, ...args] : args, {
        env: {PROCPLAN_URL: url}, detached: true,
        started: (process, growing) => { child = process; result = growing; },
    });
    await Promise.race([until(() => result.stdout.includes('begun'), 'the command has begun'), ended]);
    return {child, result, ended};
}

/* A script's loop until something is so; 50 seconds at most. */
const LOOP = 'i=0; until [ $i = 500 ] ||', STEP = 'i=$((i + 1)); sleep 0.1';

const idOf = (result) => Number(/booked (\d+) ·/.exec(result.stderr)[1]);
const isCompleted = async (server, result) => assertHas(await bookingOf(server, idOf(result)), {status: 'completed'});

for (const [signal, number] of [['SIGTERM', 15], ['SIGINT', 2], ['SIGHUP', 1], ['SIGQUIT', 3], ['SIGUSR1', 10], ['SIGUSR2', 12]]) {
    it(`${signal} reaches the command once, whose own status counts, and the rest is given back`, async (server) => {
        const name = signal.slice(3);
        const {child, ended} = await begin(server.url, `trap 'echo caught; got=1' ${name}; echo begun; ${LOOP} [ -n "$got" ]; do ${STEP}; done; sleep 0.3; exit 9`);
        child.kill(signal);
        const result = await ended;
        assertHas(result, {code: 9, stdout: 'begun\ncaught\n'});
        await isCompleted(server, result);
    });

    it(`a command that ${signal} ends gives 128 + ${number}, and the rest is given back`, async (server) => {
        const {child, ended} = await begin(server.url, 'ulimit -c 0; echo begun; exec sleep 100');
        child.kill(signal);
        const result = await ended;
        assertHas(result, {code: 128 + number, signal: null});
        await isCompleted(server, result);
    });
}

it('without a terminal a signal reaches all processes of the command', async (server) => {
    const {child, result, ended} = await begin(server.url, 'sleep 100 & echo $!; sleep 100 & echo $!; echo begun; wait');
    const sleepers = result.stdout.split('\n').slice(0, 2).map(Number);
    await until(() => sleepers.every((pid) => processInfo(pid)?.name === 'sleep'), 'they sleep');
    child.kill('SIGTERM');
    assertHas(await ended, {code: 143});
    await until(() => sleepers.every((pid) => processInfo(pid)?.name !== 'sleep' || processInfo(pid).state === 'Z'), 'they are gone');
});

/* One process: a shell that is just starting another (vfork) cannot stop while that one has, and would not be seen to. */
it('a command that somebody stops and lets go on is waited for', async (server) => {
    const {child, result, ended} = await begin(server.url, 'echo $$; echo begun; exec sleep 100');
    const pid = Number(result.stdout.split('\n')[0]);
    await until(() => processInfo(pid)?.name === 'sleep', 'it sleeps');
    child.kill('SIGTSTP');
    await until(() => processInfo(pid)?.state === 'T', 'the command is stopped');
    child.kill('SIGCONT');
    await until(() => processInfo(pid)?.state === 'S', 'the command goes on');
    child.kill('SIGTERM');
    const ending = await ended;
    assertHas(ending, {code: 143});
    await isCompleted(server, ending);
});

it('under nohup a hangup is nothing to either of us', async (server) => {
    const go = path.join(temporaryFolder(), 'go');
    const {child, ended} = await begin(server.url, `echo begun; ${LOOP} [ -e '${go}' ]; do ${STEP}; done; sleep 0.3; echo ended`, {before: "trap '' HUP"});
    child.kill('SIGHUP');
    fs.writeFileSync(go, '');
    assertHas(await ended, {code: 0, stdout: 'begun\nended\n'});
});

it('a signal between booking and its answer gives back what was booked, and nothing runs', async (server) => {
    let arrived, kept = false;
    const proxy = await proxyTo(server.port, (head) => {
        if (!/\/api\/book /.test(head) || kept) return null;
        kept = true;
        return new Promise((resolve) => { arrived = resolve; });
    });
    try {
        let child;
        const ended = runProgram(program, [...ARGS, '--', 'echo', 'ran'],
            {env: {PROCPLAN_URL: proxy.url}, detached: true, started: (process) => { child = process; }});
        await until(() => arrived, 'the planner is asked');
        await until(async () => (await request(server, 'GET', '/api/bookings?status=active')).json.bookings.length === 1, 'it has booked');
        child.kill('SIGTERM');
        const result = await ended;
        assertHas(result, {code: 143, stdout: ''});
        await isCompleted(server, result);
        arrived();
        assert.deepEqual((await request(server, 'GET', '/api/bookings?status=active')).json.bookings, []);
    } finally {
        await proxy.close();
    }
});

it('while nothing is booked yet a signal ends it soon', async (server) => {
    let asked;
    const proxy = await proxyTo(server.port, () => { asked = true; return new Promise(() => {}); });
    try {
        let child;
        const ended = runProgram(program, [...ARGS, '--', 'echo', 'ran'],
            {env: {PROCPLAN_URL: proxy.url}, detached: true, started: (process) => { child = process; }});
        await until(() => asked, 'the planner is asked');
        const begun = Date.now();
        child.kill('SIGINT');
        assertHas(await ended, {code: 130, stdout: ''});
        assert.ok(Date.now() - begun < 30_000, 'long before the timeout');
    } finally {
        await proxy.close();
    }
});

/* -- the planner is away ---------------------------------------------------------------------------------------------- */

test('the server is killed in the middle and comes back: the status stays, and the booking is given back', {skip}, async () => {
    const temporary = temporaryFolder(); /* who dies with all his house leaves his folder behind */
    fs.chmodSync(temporary, 0o755);
    let server = await startServer({config: CONFIG, env: {TMPDIR: temporary}});
    try {
        const state = path.dirname(server.database);
        const go = path.join(temporaryFolder(), 'go');
        const {ended, result} = await begin(server.url,
            `echo begun; ${LOOP} [ -e '${go}' ]; do ${STEP}; done; exit 5`);
        const id = idOf(result);
        const [port, copy] = [server.port, temporaryFolder()];
        for (const pid of fs.readdirSync('/proc').filter((name) => processInfo(Number(name))?.session === server.pid)) {
            try {
                process.kill(Number(pid), 'SIGKILL');
            } catch { /* it went with its parent */ }
        }
        await until(() => server.exit, 'all of it is dead');
        fs.chmodSync(copy, 0o755);
        execFileSync('cp', ['-a', state, path.join(copy, 'state')]); /* with its owner, who may be another user */
        await server.stop().catch(() => {}); /* it was not ended in order */
        fs.writeFileSync(go, '');
        await until(() => result.stderr.includes('trying again'), 'it finds nobody');
        server = await startServer({config: CONFIG, args: ['--port', `${port}`, '--database', path.join(copy, 'state', 'procplan.db')]});
        assertHas(await ended, {code: 5});
        assert.match(result.stderr, new RegExp(`booking ${id} is given back\n$`));
        assertHas(await bookingOf(server, id), {status: 'completed'});
    } finally {
        await server.stop();
    }
});

it('a planner that stays away: the status stays, and it says how to give back by hand', async (server) => {
    const proxy = await proxyTo(server.port), go = path.join(temporaryFolder(), 'go');
    const {ended, result} = await begin(proxy.url, `echo begun; ${LOOP} [ -e '${go}' ]; do ${STEP}; done; exit 6`, {options: ['--release-wait', '3']});
    await proxy.down();
    fs.writeFileSync(go, '');
    assertHas(await ended, {code: 6});
    const id = idOf(result);
    assert.match(result.stderr, /Connection refused.*; trying again for \d s\n/);
    assert.ok(result.stderr.endsWith(`Please do it by hand: procplan-cli --url ${proxy.url}/ done ${id}\n`), result.stderr);
    assertHas(await runProgram(program, ['--url', server.url, 'done', `${id}`]), {code: 0});
});

it('a second signal cuts the waiting for a planner short', async (server) => {
    const proxy = await proxyTo(server.port);
    const {child, ended, result} = await begin(proxy.url, 'echo begun; exec sleep 100', {options: ['--release-wait', '500']});
    await proxy.down();
    child.kill('SIGINT');
    await until(() => result.stderr.includes('trying again'), 'it finds nobody');
    const begun = Date.now();
    child.kill('SIGINT');
    assertHas(await ended, {code: 130});
    assert.match(result.stderr, /by hand/);
    assert.ok(Date.now() - begun < 40_000);
});

it('a booking that somebody else ended is none to give back, and that is fine', async (server) => {
    const go = path.join(temporaryFolder(), 'go');
    const {ended, result} = await begin(server.url, `echo begun; ${LOOP} [ -e '${go}' ]; do ${STEP}; done; exit 8`);
    await request(server, 'DELETE', `/api/bookings/${idOf(result)}`);
    fs.writeFileSync(go, '');
    assertHas(await ended, {code: 8});
    assert.match(result.stderr, /had been ended already\n$/);
    assertHas(await bookingOf(server, idOf(result)), {status: 'cancelled'});
});

/* -- a terminal ------------------------------------------------------------------------------------------------------- */

const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((file) => fs.existsSync(file));

/* What a terminal shows, on which an interactive bash has gone through STEPS; "$RUN" runs a command. */
async function terminal(server, steps) {
    const result = await runProgram(python, ['-I', path.join(source, 'tests', 'cli', 'terminal.py'), JSON.stringify(
        [['expect', 'ready> '], ...steps, ['expect', 'ready> ']])],
    {env: {PROCPLAN_URL: server.url, RUN: [program, ...ARGS, '--'].join(' ')}});
    assert.equal(result.code, 0, result.stderr);
    return result.stdout.replaceAll('\r\n', '\n');
}
const onTerminal = (name, body) => it(name, (server, t) => (python ? body(server) : t.skip('python3 is not installed')));

onTerminal('on a terminal Ctrl-C reaches the command once', async (server) => {
    const shown = await terminal(server, [
        ['send', "$RUN sh -c 'trap \"echo cau\"\"ght\" INT; echo be\"\"gun; sleep 20; echo status-is-mine; exit 3'; echo \"status=$?\"\n"],
        ['expect', 'begun\r\n'], ['send', '\x03'], ['expect', 'caught\r\n'], ['expect', 'status-is-mine\r\n'], ['expect', 'given back\r\n'],
        ['expect', 'status=3\r\n'],
    ]);
    assert.equal(shown.match(/caught\n/g).length, 1, shown);
});

onTerminal('a command that Ctrl-C ends gives back and exits 130', async (server) => {
    await terminal(server, [
        ['send', "$RUN sh -c 'echo be\"\"gun; exec sleep 100'; echo \"status=$?\"\n"],
        ['expect', 'begun\r\n'], ['send', '\x03'], ['expect', 'given back\r\n'], ['expect', 'status=130\r\n'],
    ]);
});

onTerminal('Ctrl-Z stops it as a shell’s job, and fg goes on with it', async (server) => {
    await terminal(server, [
        ['send', "$RUN sh -c 'echo be\"\"gun; read line; echo \"read-$line\"; exit 2'; echo \"status=$?\"\n"],
        ['expect', 'begun\r\n'], ['send', '\x1a'], ['expect', 'Stopped'], ['expect', 'ready> '],
        ['send', 'fg\n'], ['expect', 'fg\r\n'], ['send', 'hello\n'], ['expect', 'read-hello\r\n'], ['expect', 'given back\r\n'],
        ['expect', 'ready> '], ['send', 'echo "then=$?"\n'], ['expect', 'then=2\r\n'],
    ]);
});

onTerminal('beside it in a pipeline another program still has the terminal', async (server) => {
    await terminal(server, [
        ['send', "$RUN sh -c 'test -t 0 && echo is-a-terminal; sleep 1' | (read first; read key </dev/tty; echo \"$first+$key\")\n"],
        ['expect', 'booked \\d+'], ['send', 'pressed\n'], ['expect', 'is-a-terminal\\+pressed\r\n'],
    ]);
});
