'use strict';
/* The hooks as people copy them: each command is taken from its file and run against the real server. */
const assert = require('node:assert/strict');
const {execFileSync, spawn} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {assertHas, book, bookingOf} = require('../api/fixtures.js');
const {PATIENCE, source, suite, temporaryFolder, until} = require('../api/harness.js');
const {busy, deadPort, listen} = require('./hostile_listeners.js');

const hooks = path.join(source, 'cli', 'hooks');
const read = (name) => fs.readFileSync(path.join(hooks, name), 'utf8');
const missing = () => {
    try {
        execFileSync('curl', ['--version'], {stdio: 'ignore'});
        return false;
    } catch {
        return 'curl is not installed';
    }
};
const skip = missing();
const suiteIt = suite({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]}});
const it = (name, body) => suiteIt(name, (server, t) => (skip ? t.skip(skip) : body(server, t)));

let day = 0;
const booking = (server) => {
    const start = new Date(Date.UTC(2061, 0, 1 + day++)).toISOString();
    return book(server, {node_id: 'n', start, end: start.replace('T00', 'T06'), user_label: 'ada', gpu_count: 1});
};
const variables = (server, {booking_id, release_token}) =>
    ({PROCPLAN_URL: server.url, PROCPLAN_BOOKING_ID: String(booking_id), PROCPLAN_RELEASE_TOKEN: release_token});

/* Runs FILE with only PATH and ENV; AFTER gets the child as soon as it has printed something. */
function run(file, args, env, after) {
    return new Promise((resolve, reject) => {
        const child = spawn(file, args, {env: {PATH: process.env.PATH, NO_PROXY: '*', ...env}, stdio: ['ignore', 'pipe', 'pipe']});
        const result = {stdout: '', stderr: ''};
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
        child.stdout.on('data', (text) => {
            result.stdout += text;
            after?.(child);
            after = undefined;
        });
        child.stderr.on('data', (text) => { result.stderr += text; });
        child.on('error', reject);
        child.on('close', (code, signal) => {
            clearTimeout(timer);
            resolve({...result, code, signal});
        });
    });
}

const isCompleted = async (server, id) => assertHas(await bookingOf(server, id), {status: 'completed'});

/* -- trap.sh -------------------------------------------------------------------------------------------------- */

/* A job script with the trap's lines copied in. SHELL is any that is POSIX's. */
function jobScript(lines) {
    const file = path.join(temporaryFolder(), 'job.sh');
    fs.writeFileSync(file, `${read('trap.sh')}\n${lines}\n`);
    return file;
}

for (const shell of ['sh', 'bash']) {
    it(`trap.sh in ${shell}: a script that ends with a status gives back, and keeps the status`, async (server) => {
        const made = await booking(server);
        const result = await run(shell, [jobScript('exit 3')], variables(server, made));
        assertHas(result, {code: 3, stdout: '', stderr: ''});
        await isCompleted(server, made.booking_id);
    });

    for (const [signal, code] of [['SIGTERM', 143], ['SIGINT', 130], ['SIGHUP', 129]]) {
        it(`trap.sh in ${shell}: a script that is ended by ${signal} gives back`, async (server) => {
            const made = await booking(server);
            const result = await run(shell, [jobScript('echo begun; while :; do sleep 0.1; done')], variables(server, made),
                (child) => child.kill(signal));
            assertHas(result, {code, stderr: ''});
            await isCompleted(server, made.booking_id);
        });
    }
}

it('trap.sh sourced from the file works as copied lines do, and without a token it uses mark_done', async (server) => {
    const made = await booking(server);
    const env = {...variables(server, made), PROCPLAN_URL: `${server.url}/`};
    delete env.PROCPLAN_RELEASE_TOKEN;
    const result = await run('sh', ['-euc', '. "$0"; exit 0', path.join(hooks, 'trap.sh')], env);
    assertHas(result, {code: 0, stderr: ''});
    await isCompleted(server, made.booking_id);
});

it('trap.sh says so when the booking could not be given back, and the status stays', async () => {
    const url = `http://127.0.0.1:${await deadPort()}`;
    /* curl's waits between tries are not this test's matter */
    const file = jobScript('curl() { command curl --retry 0 "$@" --retry 0; }\nexit 7');
    const result = await run('sh', [file], {PROCPLAN_URL: url, PROCPLAN_BOOKING_ID: '42', PROCPLAN_RELEASE_TOKEN: 'x'});
    assertHas(result, {code: 7});
    assert.match(result.stderr, /booking 42 was not given back; do it at http:\/\/127\.0\.0\.1:\d+\/\n/);
});

it('no hook shows the token to ps', async (server) => {
    const made = await booking(server);
    const quiet = await listen('is silent');
    const env = {...variables(server, made), PROCPLAN_URL: quiet.url};
    const commandLines = () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
        try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        } catch {
            return '';
        }
    });
    const [unit, manifest] = [execStopPost(), preStop()];
    for (const [file, ...args] of [['sh', jobScript('')], unit, manifest]) {
        const tries = quiet.requests.length;
        let child;
        const ended = run('sh', ['-c', 'echo; exec "$@"', 'sh', file, ...args], env, (started) => { child = started; });
        await until(() => quiet.requests.slice(tries).some((text) => text.includes(made.release_token)), 'curl sends the token');
        const seen = commandLines();
        assert.ok(seen.some((line) => line.includes('--data-binary') && line.includes(quiet.url)), 'curl is there to be seen');
        assert.deepEqual(seen.filter((line) => line.includes(made.release_token)), []);
        child.kill('SIGKILL');
        endCurls(quiet.url);
        await ended;
    }
    await quiet.close();
});

/* Ends the curls that call ADDRESS, which is a port of this test's own. */
function endCurls(address) {
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
            const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
            if (line[0] === 'curl' && line.some((argument) => argument.startsWith(`${address}/`))) process.kill(Number(pid), 'SIGKILL');
        } catch { /* gone */ }
    }
}

/* -- slurm-epilog.sh ------------------------------------------------------------------------------------------ */

function epilog(server, spool, job, more = {}) {
    return run(path.join(hooks, 'slurm-epilog.sh'), [],
        {PROCPLAN_URL: server.url, PROCPLAN_SPOOL: spool, SLURM_JOB_ID: job, SLURM_JOB_UID: String(process.getuid()), ...more});
}

it('slurm-epilog.sh gives back what the job left in its file, and removes the file', async (server) => {
    const made = await booking(server);
    const spool = temporaryFolder();
    fs.writeFileSync(path.join(spool, '77'), `${made.booking_id} ${made.release_token}\n`, {mode: 0o600});
    assertHas(await epilog(server, spool, '77'), {code: 0, stdout: '', stderr: ''});
    await isCompleted(server, made.booking_id);
    assert.deepEqual(fs.readdirSync(spool), []);
});

it('slurm-epilog.sh never fails the node: no file, junk, a link, a pipe, another user’s file, a planner that is away', async (server) => {
    const made = await booking(server);
    const spool = temporaryFolder();
    const place = (name) => path.join(spool, name);
    const line = `${made.booking_id} ${made.release_token}\n`;
    fs.writeFileSync(place('real'), line);
    fs.writeFileSync(place('empty'), '');
    fs.writeFileSync(place('junk'), `${made.booking_id} "; $(touch ${place('owned')})\n`);
    fs.symlinkSync(place('real'), place('link'));
    execFileSync('mkfifo', [place('pipe')]);
    for (const job of ['none', 'empty', 'junk', 'link', 'pipe'])
        assertHas(await epilog(server, spool, job), {code: 0, stdout: '', stderr: ''});
    assertHas(await epilog(server, spool, 'real', {SLURM_JOB_UID: String(process.getuid() + 1)}), {code: 0, stdout: '', stderr: ''});
    assertHas(await run(path.join(hooks, 'slurm-epilog.sh'), [], {}), {code: 0, stdout: '', stderr: ''});
    assert.ok(!fs.existsSync(place('owned')));
    assertHas(await bookingOf(server, made.booking_id), {status: 'active'});
    const away = await epilog({url: `http://127.0.0.1:${await deadPort()}`}, spool, 'real');
    assertHas(away, {code: 0});
    assert.match(away.stderr, new RegExp(`booking ${made.booking_id} of job real was not given back`));
});

/* -- systemd and Kubernetes ----------------------------------------------------------------------------------- */

/* The command of ExecStopPost=, read as systemd.service(5) and systemd.syntax(7) say. */
function execStopPost() {
    const line = /^ExecStopPost=-(.*)$/m.exec(read('exec-stop-post.conf'))[1];
    const words = [];
    for (let rest = line.trim(); rest !== ''; rest = rest.trimStart()) {
        const word = /^(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|([^\s'"\\]+))(?=\s|$)/.exec(rest);
        assert.ok(word, `systemd would not read ${rest}`);
        rest = rest.slice(word[0].length);
        words.push((word[1] ?? word[2] ?? word[3]).replace(/\\(.)/g, (_, c) => {
            assert.match(c, /['"\\]/, `\\${c} is another character for systemd`);
            return c;
        }));
    }
    return words.map((word) => {
        assert.doesNotMatch(word.replace(/%%/g, ''), /%/, 'a specifier');
        assert.doesNotMatch(word.replace(/\$\$/g, ''), /\$/, 'systemd would put the variable on the command line');
        return word.replace(/%%/g, '%').replace(/\$\$/g, '$');
    });
}

it('the systemd drop-in’s ExecStopPost gives the booking back', async (server) => {
    const made = await booking(server);
    const [file, ...args] = execStopPost();
    assertHas(await run(file, args, variables(server, made)), {code: 0, stdout: '', stderr: ''});
    await isCompleted(server, made.booking_id);
});

/* The preStop command: the three items of its list, the last a literal block. */
function preStop() {
    const text = read('kubernetes-prestop.yaml');
    const found = /preStop:\n +exec:\n +command:\n +- (\S+)\n +- (\S+)\n +- \|\n([^]*)$/.exec(text);
    assert.ok(found, 'preStop has no list of three');
    const lines = found[3].replace(/\n$/, '').split('\n');
    const indent = /^ */.exec(lines[0])[0].length;
    for (const line of lines) assert.match(line.slice(0, indent), /^ +$/, 'every line belongs to the block');
    return [found[1], found[2], `${lines.map((line) => line.slice(indent)).join('\n')}\n`];
}

it('the Kubernetes preStop command gives the booking back', async (server) => {
    const made = await booking(server);
    const [file, ...args] = preStop();
    assertHas(await run(file, args, variables(server, made)), {code: 0, stdout: '', stderr: ''});
    await isCompleted(server, made.booking_id);
    assert.equal((await run(file, args, variables(server, made))).code, 22, 'who comes second is told, and by curl’s status');
});

/* -- all of them ---------------------------------------------------------------------------------------------- */

it('every hook asks again when many jobs end at once and it is refused with 429, not sooner than that says', async () => {
    const commands = {
        'trap.sh': ['sh', jobScript('')],
        'exec-stop-post.conf': execStopPost(),
        'kubernetes-prestop.yaml': preStop(),
        'slurm-epilog.sh': [path.join(hooks, 'slurm-epilog.sh')],
    };
    assert.deepEqual(Object.keys(commands).sort(), fs.readdirSync(hooks).filter((name) => name !== 'include.am').sort());
    for (const [name, [file, ...args]] of Object.entries(commands)) {
        const listener = await busy(1, '429 Too Many Requests', 'Retry-After: 2\r\n');
        const spool = temporaryFolder();
        fs.writeFileSync(path.join(spool, '77'), '1 abc\n', {mode: 0o600});
        try {
            const result = await run(file, args, {...variables(listener, {booking_id: 1, release_token: 'abc'}), PROCPLAN_SPOOL: spool,
                SLURM_JOB_ID: '77', SLURM_JOB_UID: String(process.getuid())});
            assertHas(result, {code: 0}, name);
            assert.equal(listener.at.length, 2, name);
            assert.ok(listener.at[1] - listener.at[0] >= 1900, `${name}: after ${listener.at[1] - listener.at[0]} ms`);
            assert.match(listener.requests[1], /"release_token": "abc"/, name);
        } finally {
            await listener.close();
        }
    }
});
