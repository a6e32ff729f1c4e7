'use strict';
/* What the tests of programs that run beside a job have in common. */
const {spawn} = require('node:child_process');
const http = require('node:http');
const {PATIENCE, temporaryFolder} = require('../api/harness.js');

/* Settings of whoever runs the tests must not reach the programs. */
let home;
const environment = (more = {}) => {
    home ??= temporaryFolder();
    const kept = Object.fromEntries(['PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS', 'TMPDIR'].filter((name) => process.env[name])
        .map((name) => [name, process.env[name]]));
    return {...kept, HOME: home, NO_PROXY: '*', PROCPLAN_CONFIG_SYSTEM: '/nonexistent', ...more};
};

/*
 * Runs PROGRAM to its end: {code, signal, stdout, stderr}. STARTED is called with the child at once; what is still running after
 * PATIENCE is killed. The child's stdin is INPUT, or nothing.
 */
function runProgram(program, args, {env = {}, started, encoding = 'utf8', input, detached = false, cwd} = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, {env: environment(env), stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], detached, cwd});
        const result = {stdout: '', stderr: ''};
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
        child.stdout.setEncoding(encoding).on('data', (text) => { result.stdout += text; });
        child.stderr.setEncoding(encoding).on('data', (text) => { result.stderr += text; });
        if (input !== undefined) child.stdin.end(input);
        child.on('error', reject);
        child.on('close', (code, signal) => {
            clearTimeout(timer);
            resolve({...result, code, signal});
        });
        started?.(child, result);
    });
}

/*
 * A proxy in front of PORT, on a free port of its own, a request a connection. LOOK gets each request (head, body) before it goes on; when it
 * gives 'drop the answer' the planner gets the request and the client nothing; a promise delays the answer until it is kept; an object with a
 * status (and headers, body) is answered in the planner's place.
 * `down()` refuses connections until `up()`.
 */
async function proxyTo(port, look = () => {}) {
    const sockets = new Set();
    const hold = (socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
        return socket;
    };
    const server = http.createServer((incoming, outgoing) => {
        const chunks = [];
        incoming.on('data', (chunk) => chunks.push(chunk)).on('end', async () => {
            const body = Buffer.concat(chunks);
            const verdict = look(`${incoming.method} ${incoming.url} HTTP/1.1`, body.toString());
            if (verdict?.status) {
                outgoing.writeHead(verdict.status, {...verdict.headers, connection: 'close'});
                outgoing.end(verdict.body);
                return;
            }
            const onward = http.request({port, host: '127.0.0.1', method: incoming.method, path: incoming.url,
                headers: {...incoming.headers, connection: 'close'}}, (answer) => {
                const parts = [];
                answer.on('data', (part) => parts.push(part)).on('end', async () => {
                    if (await verdict === 'drop the answer') return incoming.socket.destroy();
                    outgoing.writeHead(answer.statusCode, {...answer.headers, connection: 'close'});
                    outgoing.end(Buffer.concat(parts));
                });
            });
            onward.on('error', () => incoming.socket.destroy());
            onward.end(body);
        });
    });
    server.on('connection', hold);
    const listenOn = (wanted) => new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(wanted, '127.0.0.1', resolve);
    });
    await listenOn(0);
    const own = server.address().port;
    const proxy = {url: `http://127.0.0.1:${own}`, port: own};
    proxy.down = () => new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
    });
    proxy.up = () => listenOn(own);
    proxy.close = () => (server.listening ? proxy.down() : Promise.resolve());
    return proxy;
}

module.exports = {environment, proxyTo, runProgram};
