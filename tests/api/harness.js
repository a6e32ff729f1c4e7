'use strict';
/*
 * Starts the real thing for a test: procplan-server (a private nginx and the pool) on a free port of 127.0.0.1, with its
 * configuration and database in a temporary folder. Everything it starts is ended, and the folder removed, whatever
 * becomes of the test.
 *
 * Every answer is held against htdocs/openapi.json (contract.js).
 *
 * PROCPLAN_BUILD, PROCPLAN_SOURCE and PROCPLAN_NGINX say where things are; without them a test run by hand looks around.
 */
const {spawn, execFileSync} = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const {test, after} = require('node:test');
const {checkAnswer} = require('./contract.js');

const source = process.env.PROCPLAN_SOURCE || path.resolve(__dirname, '..', '..');
const build = process.env.PROCPLAN_BUILD || [process.cwd(), source, path.join(source, 'build')]
    .find((folder) => fs.existsSync(path.join(folder, 'procplan-fcgi'))) || process.cwd();

/* A sanitizer build on a busy machine is slow; a hang is longer than this. Milliseconds. */
const PATIENCE = 60_000;

const SANITIZER_OUTPUT = /(Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer|runtime error:/;

/* The configuration that most tests use. beta stands before alpha: order is the file's, not the alphabet's. */
const CONFIG = {
    nodes: [
        {id: 'beta', name: 'Beta Node', gpus: [{id: 'gpu0', kind: 'L40S'}]},
        {
            id: 'alpha',
            gpus: [
                {id: 'gpu2', kind: 'A100', device: '2'},
                {id: 'gpu0', kind: 'A100', device: 'GPU-8f6c'},
                {id: 'gpu1'},
            ],
        },
        {id: 'empty', name: 'No GPUs here'},
        {id: 7, name: 'Seven', gpus: [{id: 1, kind: 'H100'}, {id: 2, kind: 'H100'}]},
    ],
};

/* -- processes ------------------------------------------------------------------------------------------------ */

/* What /proc says of a process, or null when it is gone. */
function processInfo(pid) {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
        const close = stat.lastIndexOf(')');
        const fields = stat.slice(close + 2).split(' ');
        return {
            pid,
            name: stat.slice(stat.indexOf('(') + 1, close),
            state: fields[0],
            parent: Number(fields[1]),
            session: Number(fields[3]),
            ticks: Number(fields[11]) + Number(fields[12]), /* processor time, user and system */
        };
    } catch {
        return null;
    }
}

/* The living processes of a server: those of its session. A zombie is not living. */
function sessionProcesses(session) {
    return fs.readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((name) => processInfo(Number(name)))
        .filter((info) => info && info.session === session && info.state !== 'Z');
}

function killAll(session) {
    for (const info of sessionProcesses(session)) {
        try {
            process.kill(info.pid, 'SIGKILL');
        } catch { /* it was faster */ }
    }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/* Waits until CHECK gives something true, and gives that; an error that says WHAT after LIMIT milliseconds. */
async function until(check, what, limit = PATIENCE) {
    const deadline = Date.now() + limit;
    for (;;) {
        const found = await check();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`waited ${limit} ms in vain: ${what}`);
        await sleep(20);
    }
}

/* Servers that are still there when this process ends, by any way but SIGKILL. */
const running = new Set();
/* Folders that go with it. */
const folders = new Set();

function endEverything() {
    for (const server of running) {
        try {
            process.kill(server.pid, 'SIGTERM');
        } catch { /* gone */ }
    }
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let i = 0; i < 40 && [...running].some((s) => sessionProcesses(s.pid).length > 0); i++)
        Atomics.wait(pause, 0, 0, 100);
    for (const server of running) {
        killAll(server.pid);
        fs.rmSync(server.directory, {recursive: true, force: true});
    }
    running.clear();
    for (const folder of folders) fs.rmSync(folder, {recursive: true, force: true});
}
process.on('exit', endEverything);
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]])
    process.on(signal, () => process.exit(128 + number));

/* Ends what was started as the leader of a session, and is among `running`, by SIGNAL; rejects when it does not end in order. */
async function stopProcess(started, signal) {
    if (!started.exit) process.kill(started.pid, signal);
    try {
        await until(() => started.exit, `it ends after ${signal}`);
        if (started.exit.code !== 0) throw new Error(`it ended with ${JSON.stringify(started.exit)}`);
    } finally {
        killAll(started.pid);
        running.delete(started);
    }
}

/* -- the server ----------------------------------------------------------------------------------------------- */

const nginxPath = () => process.env.PROCPLAN_NGINX ||
    ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((file) => fs.existsSync(file));

/* Why the tests that need a server cannot run here, or false. */
function serverMissing() {
    return nginxPath() ? false : 'nginx is not installed';
}

/*
 * Gives SERVER a clock that `setClock(seconds since 1970)` sets, and `now()` reads; it runs on from there. The answer is
 * what the server's environment needs for it.
 */
function giveClock(server) {
    const shim = path.join(build, 'tests', 'api', 'clock_shim.so');
    if (!fs.existsSync(shim)) throw new Error(`${shim} is missing: run make check, or make tests/api/clock_shim.so`);
    const file = path.join(server.directory, 'clock');
    fs.writeFileSync(file, Buffer.alloc(8));
    const real = () => Math.floor(Date.now() / 1000);
    let offset = 0;
    server.setClock = (seconds) => {
        offset = seconds - real();
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt(offset));
        const fd = fs.openSync(file, 'r+'); /* in place: the file is mapped */
        fs.writeSync(fd, bytes);
        fs.closeSync(fd);
    };
    server.now = () => real() + offset;
    return {
        LD_PRELOAD: shim, PROCPLAN_TEST_CLOCK: file,
        ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
    };
}

/*
 * Starts a server. CONFIG is an object, or text that is written as it is. ARGS go to procplan-server, ENV is added to
 * the environment; with CLOCK its clock can be set (see above). `stderr` grows while it runs; `stop()` ends it in order and
 * rejects when it does not end with status 0, leaves a process behind, or a sanitizer had something to say.
 */
async function startServer({config = CONFIG, workers = 4, env = {}, args = [], clock = false} = {}) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'procplan-test-'));
    fs.chmodSync(directory, 0o755); /* started as root, the pool runs as somebody who must read the configuration */
    const server = {
        directory,
        config: path.join(directory, 'config.json'),
        database: path.join(directory, 'state', 'procplan.db'),
        stderr: '',
        stdout: '',
        exit: null,
    };
    server.writeConfig = (content) => {
        /* As an editor does it: a new file in the old one's place. */
        const text = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content, null, 2);
        fs.writeFileSync(`${server.config}.new`, text);
        fs.renameSync(`${server.config}.new`, server.config);
    };
    server.writeConfig(config);
    const clockEnv = clock ? giveClock(server) : {};
    server.agent = new http.Agent({keepAlive: true, maxSockets: 64});

    const child = spawn(path.join(build, 'procplan-server'), [
        '--config', server.config, '--database', server.database, '--port', '0',
        '--web-root', path.join(source, 'htdocs'), '--workers', String(workers), ...args,
    ], {
        detached: true, /* a session of its own: that is how its processes are found */
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {...process.env, ...(nginxPath() ? {PROCPLAN_NGINX: nginxPath()} : {}), ...clockEnv, ...env},
    });
    child.on('error', (error) => { server.exit = {error}; });
    child.on('exit', (code, signal) => { server.exit = {code, signal}; });
    child.stderr.setEncoding('utf8').on('data', (text) => { server.stderr += text; });
    child.stdout.setEncoding('utf8').on('data', (text) => { server.stdout += text; });
    server.pid = child.pid;
    if (child.pid) running.add(server);

    const processes = () => sessionProcesses(server.pid);
    /* The pool's master: the procplan-fcgi whose parent is none. Its children are the workers. */
    server.master = () => {
        const pool = processes().filter((info) => info.name === 'procplan-fcgi');
        return pool.find((info) => !pool.some((other) => other.pid === info.parent))?.pid;
    };
    server.workers = () => {
        const master = server.master();
        return processes().filter((info) => info.name === 'procplan-fcgi' && info.parent === master)
            .map((info) => info.pid).sort((a, b) => a - b);
    };
    server.stop = () => stopServer(server, child);

    try {
        await until(() => server.exit || server.stdout.includes('\n'), 'procplan-server says where it runs');
        const ready = /^ProcPlan is running at (http:\/\/127\.0\.0\.1:(\d+)\/)/.exec(server.stdout);
        if (!ready) throw new Error('its first line is not the address');
        server.url = ready[1];
        server.port = Number(ready[2]);
    } catch (error) {
        const end = server.exit ? ` (it ended: ${JSON.stringify(server.exit)})` : '';
        discard(server);
        throw new Error(`procplan-server did not start${end}: ${error.message}\n${server.stdout}${server.stderr}`);
    }
    return server;
}

function discard(server) {
    server.agent.destroy();
    if (server.pid) killAll(server.pid);
    running.delete(server);
    fs.rmSync(server.directory, {recursive: true, force: true});
}

async function stopServer(server, child) {
    if (!running.has(server)) return;
    const faults = [];
    try {
        server.agent.destroy();
        if (!server.exit) child.kill('SIGTERM');
        await until(() => server.exit, 'procplan-server ends after TERM').catch((error) => faults.push(error.message));
        if (server.exit && server.exit.code !== 0) faults.push(`it ended with ${JSON.stringify(server.exit)}`);
        const left = sessionProcesses(server.pid);
        if (left.length > 0 && server.exit)
            faults.push(`it left behind: ${left.map((info) => `${info.name} (${info.pid})`).join(', ')}`);
        await sleep(20); /* the last of stderr */
        if (SANITIZER_OUTPUT.test(server.stderr)) faults.push('a sanitizer complained');
    } finally {
        discard(server);
    }
    if (faults.length > 0) throw new Error(`${faults.join('; ')}\n${server.stderr.slice(-20_000)}`);
}

/* -- requests ------------------------------------------------------------------------------------------------- */

/* BYTES are as they came; text and json are what was compressed for the way. */
function answer(status, headers, bytes) {
    const packed = headers['content-encoding'] === 'gzip' && bytes.length > 0;
    const text = (packed ? zlib.gunzipSync(bytes) : bytes).toString('utf8');
    let json;
    try {
        json = JSON.parse(text);
    } catch { /* undefined: not JSON */ }
    return {status, headers, bytes, text, json};
}

/*
 * One request. BODY is an object (sent as JSON) or text or a Buffer, sent as it is; RAW is the same, and never
 * encoded. The answer's `json` is undefined when it is not JSON.
 */
function request(server, method, target, {body, raw, headers = {}} = {}) {
    let bytes = raw ?? body;
    if (bytes !== undefined && typeof bytes !== 'string' && !Buffer.isBuffer(bytes)) bytes = JSON.stringify(bytes);
    const sent = {...headers};
    if (bytes !== undefined) {
        const given = Object.keys(sent).map((name) => name.toLowerCase());
        if (!given.includes('content-type')) sent['Content-Type'] = 'application/json';
        if (!given.includes('content-length')) sent['Content-Length'] = Buffer.byteLength(bytes);
    }
    return new Promise((resolve, reject) => {
        const call = http.request({
            host: '127.0.0.1', port: server.port, method, path: target, headers: sent, agent: server.agent,
        }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
                const whole = answer(response.statusCode, response.headers, Buffer.concat(chunks));
                try {
                    if (!server.unchecked) checkAnswer(method, target, whole, raw ?? body);
                    resolve(whole);
                } catch (error) {
                    reject(error);
                }
            });
        });
        call.setTimeout(PATIENCE, () => call.destroy(new Error(`${method} ${target}: no answer in ${PATIENCE} ms`)));
        call.on('error', reject);
        call.end(bytes);
    });
}

/*
 * Bytes as they are on a new connection, for what no client library would send. With END the connection is half-closed
 * behind them. The first answer, or status 0 when the server closed without one; rejects when it does neither.
 * Send "Connection: close", or the wait is for nginx's keep-alive timeout.
 */
function rawRequest(server, bytes, {end = false, limit = PATIENCE} = {}) {
    const [method, target] = bytes.toString('latin1').split('\r\n', 1)[0].split(' ');
    return new Promise((resolve, reject) => {
        const chunks = [];
        const socket = net.connect(server.port, '127.0.0.1');
        const settle = () => {
            socket.destroy();
            const whole = parseAnswer(Buffer.concat(chunks));
            try {
                if (whole.json !== undefined) checkAnswer(method, target, whole);
                resolve(whole);
            } catch (error) {
                reject(error);
            }
        };
        socket.setTimeout(limit, () => {
            socket.destroy();
            reject(new Error(`no answer and no close in ${limit} ms`));
        });
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', settle);
        socket.on('error', settle); /* a reset after the answer: what came counts */
        if (end) socket.end(bytes);
        else socket.write(bytes);
    });
}

function parseAnswer(bytes) {
    const headEnd = bytes.indexOf('\r\n\r\n');
    const lines = (headEnd < 0 ? '' : bytes.subarray(0, headEnd).toString('latin1')).split('\r\n');
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(lines[0]);
    if (!status) return answer(0, {}, Buffer.alloc(0));
    const headers = {};
    for (const line of lines.slice(1)) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    return answer(Number(status[1]), headers, bytes.subarray(headEnd + 4));
}

/* -- test files ----------------------------------------------------------------------------------------------- */

/*
 * For a file whose tests share one server: gives `it(name, async (server) => …)`. The server starts with the
 * first test; its orderly end is a part of the file's result.
 */
function suite(options) {
    const skip = serverMissing();
    let starting = null;
    after(async () => {
        if (!starting) return;
        try {
            await (await starting).stop();
        } catch (error) {
            console.error(error);
            process.exitCode = 1;
        }
    });
    return (name, body) => test(name, {skip}, async (t) => {
        starting ??= startServer(options);
        await body(await starting, t);
    });
}

/* A temporary folder that is gone when the test process ends. */
function temporaryFolder() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'procplan-test-'));
    folders.add(folder);
    return folder;
}

module.exports = {
    CONFIG, PATIENCE, build, execFileSync, nginxPath, processInfo, rawRequest, request, running, serverMissing, sleep, source,
    startServer, stopProcess, suite, temporaryFolder, until,
};
