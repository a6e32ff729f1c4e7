'use strict';
/*
 * Starts the real procplan-fcgi for a test, in a temporary folder, and looks at its processes from outside. What a
 * test starts ends with it: by process id, whatever becomes of the test.
 *
 * PROCPLAN_BUILD, PROCPLAN_SOURCE and PROCPLAN_NGINX say where things are; without them a test run by hand looks around.
 */
const {spawn, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const fcgi = require('./fcgi.js');

const source = process.env.PROCPLAN_SOURCE || path.resolve(__dirname, '..', '..');
const build = process.env.PROCPLAN_BUILD || [process.cwd(), source, path.join(source, 'build')]
    .find((folder) => fs.existsSync(path.join(folder, 'procplan-fcgi'))) || process.cwd();
const program = path.join(build, 'procplan-fcgi');
if (!fs.existsSync(program)) throw new Error(`${program} is not built; PROCPLAN_BUILD says where it is`);

/* A hang is longer than this, even on a busy machine. Milliseconds. */
const PATIENCE = 60_000;

const CONFIG = {
    nodes: [
        {id: 'alpha', gpus: [{id: 'gpu0', kind: 'A100'}, {id: 'gpu1', kind: 'A100'}]},
        {id: 'beta', gpus: Array.from({length: 8}, (unused, i) => ({id: `gpu${i}`, kind: 'L40S'}))},
    ],
};

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/* Waits until CHECK gives something true, and gives that; an error that says WHAT after LIMIT milliseconds. */
async function until(check, what, limit = PATIENCE) {
    const deadline = Date.now() + limit;
    for (;;) {
        const found = await check();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`waited ${limit} ms in vain: ${typeof what === 'function' ? what() : what}`);
        await sleep(10);
    }
}

/* -- processes ------------------------------------------------------------------------------------------------- */

/* State and parent of a process, from proc(5); null when it is gone. A zombie counts as gone. */
function look(pid) {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return fields[0] === 'Z' || fields[0] === 'X' ? null : {pid, state: fields[0], parent: Number(fields[1])};
    } catch {
        return null;
    }
}

function childrenOf(pid) {
    return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => look(Number(name)))
        .filter((info) => info && info.parent === pid).map((info) => info.pid).sort((a, b) => a - b);
}

/* A line of /proc/PID/status, as text: "Uid" gives "65534\t65534\t65534\t65534". */
function status(pid, name) {
    const line = fs.readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').find((text) => text.startsWith(`${name}:`));
    return line === undefined ? undefined : line.slice(name.length + 1).trim();
}

function signal(pid, name) {
    try {
        process.kill(pid, name);
    } catch { /* it is gone already */ }
}

/* Ends a process and its children at once. The parent first, so that it starts no others. */
function killTree(pid) {
    const children = childrenOf(pid);
    signal(pid, 'SIGKILL');
    for (const child of children) killTree(child);
}

/* -- what a test leaves behind --------------------------------------------------------------------------------- */

const started = new Set();  /* process ids */
const folders = new Set();

function endEverything() {
    for (const pid of started) killTree(pid);
    for (const folder of folders) fs.rmSync(folder, {recursive: true, force: true});
}
process.on('exit', endEverything);
for (const [name, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]])
    process.on(name, () => process.exit(128 + number));

/* A folder that goes with the test. A socket's path is short (107 bytes), so a long TMPDIR is not used. */
function temporaryFolder(t) {
    const base = os.tmpdir().length < 60 ? os.tmpdir() : '/tmp';
    const folder = fs.mkdtempSync(path.join(base, 'procplan-fault-'));
    folders.add(folder);
    t.after(() => {
        fs.rmSync(folder, {recursive: true, force: true});
        folders.delete(folder);
    });
    return folder;
}

/* Starts COMMAND. `log` grows with what it says on stderr, `out` on stdout; `ended` resolves with {code, signal}. */
function start(t, command, args, options = {}) {
    const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
    const process_ = {pid: child.pid, child, log: '', out: '', over: false};
    child.stderr.on('data', (chunk) => { process_.log += chunk; });
    if (child.stdout) child.stdout.on('data', (chunk) => { process_.out += chunk; });
    process_.ended = new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, name) => {
            started.delete(child.pid);
            process_.over = true;
            resolve({code, signal: name});
        });
    });
    if (child.pid !== undefined) started.add(child.pid);
    t.after(() => {
        if (started.has(child.pid)) killTree(child.pid);
    });
    return process_;
}

/* Waits until PATTERN stands in the log of something that was started; gives the match. Its end is a failure at once. */
function logged(run, pattern) {
    return until(() => {
        const found = pattern.exec(run.log);
        if (!found && run.over) throw new Error(`it ended without ${pattern} in its log:\n${run.log}`);
        return found;
    }, () => `${pattern} in the log:\n${run.log}`);
}

const serving = (run) => logged(run, /serving with \d+ worker/);

/* -- the pool -------------------------------------------------------------------------------------------------- */

/* As an editor writes it: a new file in the old one's place. */
function writeConfig(file, content) {
    fs.writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
    fs.renameSync(`${file}.new`, file);
}

/* The places of a pool in a new folder, with its configuration written. */
function preparePool(t, {config = CONFIG, below = ''} = {}) {
    const folder = path.join(temporaryFolder(t), below);
    fs.mkdirSync(folder, {recursive: true});
    const places = {
        folder,
        config: path.join(folder, 'config.json'),
        database: path.join(folder, 'state', 'procplan.db'),
        socket: path.join(folder, 'fcgi.sock'),
    };
    writeConfig(places.config, config);
    places.files = ['--config', places.config, '--database', places.database];
    return places;
}

/* Adds what a test asks of a running pool whose master is process PID. */
function control(places, pool) {
    return Object.assign(pool, places, {
        workers: () => childrenOf(pool.pid),
        request: (method, target, options) => fcgi.request(places.socket, method, target, options),
        writeConfig: (content) => writeConfig(places.config, content),
        logged: (pattern) => logged(pool, pattern),
    });
}

/* Whether a process has FILE open; also false when it is gone. */
function hasOpen(pid, file) {
    try {
        return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === file);
    } catch {
        return false; /* a descriptor that was closed meanwhile, or no process: the next look tells */
    }
}

/* Waits until the pool has COUNT workers and each of them has the database open, so is past its start. */
function allAtWork(pool, count) {
    return until(() => {
        const workers = pool.workers();
        return workers.length === count && workers.every((pid) => hasOpen(pid, pool.database));
    }, () => `${count} workers with the database open:\n${pool.log}`);
}

/* Starts a pool on its own socket, and waits until all its workers serve. */
async function startPool(t, {workers = 2, deadline = 30, config, args = []} = {}) {
    const places = preparePool(t, {config});
    const pool = control(places, start(t, program,
        [...places.files, '--socket', places.socket, '--workers', String(workers), '--deadline', String(deadline), ...args]));
    await serving(pool);
    await allAtWork(pool, workers);
    return pool;
}

/*
 * A listening socket at PATH that no process but what is spawned now holds: SPAWN gets its file descriptor. Node itself
 * must not accept on it, so it lets go of it at once, with the path out of its sight, as it would remove that.
 */
async function withListener(socketPath, spawnWith) {
    const server = net.createServer();
    await new Promise((resolve, reject) => {
        server.on('error', reject);
        server.listen({path: `${socketPath}.new`, backlog: 511}, resolve);
    });
    fs.renameSync(`${socketPath}.new`, socketPath);
    const result = spawnWith(server._handle.fd);
    await new Promise((resolve) => server.close(resolve));
    return result;
}

/* -- nginx ----------------------------------------------------------------------------------------------------- */

const nginxProgram = process.env.PROCPLAN_NGINX ||
    ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((file) => fs.existsSync(file));
const nginxMissing = nginxProgram ? false : 'nginx is not installed';

function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const {port} = server.address();
            server.close(() => resolve(port));
        });
    });
}

function nginxConfig(folder, port, socketPath) {
    return `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
    uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
    server {
        listen 127.0.0.1:${port};
        location / {
            fastcgi_pass unix:${socketPath};
            fastcgi_next_upstream off;
            fastcgi_buffers 256 16k;
            fastcgi_param PATH_INFO $fastcgi_script_name;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_LENGTH $content_length;
        }
    }
}
`;
}

/* A private nginx in front of SOCKET; gives its port. The port may be taken between finding and binding: then another. */
async function startNginx(t, socketPath) {
    for (let attempt = 0; attempt < 5; attempt++) {
        const folder = temporaryFolder(t);
        const port = await freePort();
        fs.writeFileSync(path.join(folder, 'nginx.conf'), nginxConfig(folder, port, socketPath));
        const nginx = start(t, nginxProgram, ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')]);
        await until(() => nginx.over || fs.existsSync(path.join(folder, 'nginx.pid')), () => `nginx's start:\n${nginx.log}`);
        await until(async () => nginx.over || await canConnect(port), 'nginx listens');
        if (!nginx.over) return {port, nginx};
    }
    throw new Error('nginx found no free port in five attempts');
}

function canConnect(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => {
            socket.destroy();
            resolve(true);
        });
        socket.on('error', () => resolve(false));
    });
}

/* One HTTP request through nginx: {status, body, complete}. */
function httpGet(port, target, agent) {
    return new Promise((resolve, reject) => {
        http.get({host: '127.0.0.1', port, path: target, agent}, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('close', () => resolve({status: response.statusCode, body: Buffer.concat(chunks), complete: response.complete}));
            response.on('error', () => { /* close follows */ });
        }).on('error', reject);
    });
}

/* Why COMMAND cannot be used here, or false. */
function toolMissing(command) {
    return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0 ? false : `${command} is not installed`;
}

module.exports = {
    CONFIG, PATIENCE, program, source, sleep, until, look, childrenOf, status, signal, temporaryFolder, start, writeConfig, preparePool,
    control, logged, serving, allAtWork, startPool, withListener, nginxMissing, startNginx, httpGet, toolMissing,
};
