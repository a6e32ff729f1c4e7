'use strict';
/*
 * A pool behind an nginx of the test's own, for what the private nginx of procplan-server never does: log people in. The nginx has
 * one server{}, on a free port of 127.0.0.1, with LOCATIONS in it; the files of nginx/examples/ go in as they are, but for the
 * addresses that belong to a host.
 */
const {spawn} = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const {test, after} = require('node:test');
const {build, nginxPath, request, running, serverMissing, source, stopProcess, temporaryFolder, until} = require('./harness.js');

const examples = path.join(source, 'nginx', 'examples');
const host = path.join(build, 'nginx', 'host'); /* what make has made for a host's nginx */

/* The text of FILE with what belongs to a host replaced; it has to be there. */
function replaced(file, replacements) {
    let text = fs.readFileSync(file, 'utf8');
    for (const [from, to] of Object.entries(replacements)) {
        if (!text.includes(from)) throw new Error(`${file} does not speak of ${from}`);
        text = text.replaceAll(from, to);
    }
    return text;
}

/* The example NAME; PREFIX: where the planner is mounted. */
function example(name, replacements = {}, prefix = '/') {
    return replaced(path.join(examples, name), replacements).replaceAll('/procplan/', prefix).replaceAll('^(/procplan)', `^(${prefix.slice(0, -1)})`);
}

async function freePort() {
    const listener = net.createServer();
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const {port} = listener.address();
    await new Promise((resolve) => listener.close(resolve));
    return port;
}

/* Starts PROGRAM as the leader of a session, so that the harness finds and ends all of it whatever happens. */
function start(front, program, args, cwd) {
    const child = spawn(program, args, {cwd, detached: true, stdio: ['ignore', 'ignore', 'pipe']});
    const process_ = {pid: child.pid, directory: front.directory, exit: null};
    child.on('error', (error) => { process_.exit = {error}; });
    child.on('exit', (code, signal) => { process_.exit = {code, signal}; });
    child.stderr.setEncoding('utf8').on('data', (text) => { front.stderr += text; });
    if (child.pid) running.add(process_);
    return process_;
}

const nginxConf = (port, locations, http_) => `
daemon off;
${process.getuid() === 0 ? 'user root;' : ''}
pid nginx.pid;
error_log stderr;
worker_processes 1;
events { worker_connections 256; }
http {
    access_log off;
    default_type application/octet-stream;
    types { text/html html; text/javascript js; text/css css; application/json json; image/svg+xml svg; }
    client_body_temp_path temp;
    fastcgi_temp_path temp;
    proxy_temp_path temp;
    scgi_temp_path temp;
    uwsgi_temp_path temp;
    ${http_}
    server {
        listen 127.0.0.1:${port};
        ${locations}
    }
}
`;

const isListening = (port) => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
});

/* A port that was free a moment ago may be taken by now: then another one. */
async function startNginx(front, locations, http_) {
    for (let attempt = 0; attempt < 5; attempt++) {
        front.port = await freePort();
        fs.writeFileSync(path.join(front.directory, 'nginx.conf'), nginxConf(front.port, locations, http_));
        const nginx = start(front, nginxPath(), ['-p', `${front.directory}/`, '-e', 'stderr', '-c', path.join(front.directory, 'nginx.conf')]);
        await until(async () => nginx.exit || isListening(front.port), 'nginx listens');
        if (!nginx.exit) return nginx;
        if (!front.stderr.includes('Address already in use')) break;
    }
    throw new Error(`nginx did not start:\n${front.stderr}`);
}

/*
 * CONFIG is the planner's, LOCATIONS (the front in, text out) what stands in the server{}, HTTP what stands beside it. PASSWORDS:
 * name to password, for the file that `passwords` names. HEALTH is where it answers. ARGS are procplan-fcgi's. POOL: the socket of a pool
 * that runs already, and is left running; then CONFIG and ARGS are not ours. What comes is good for the harness's request().
 */
async function startFront({config, locations, http: http_ = '', passwords = {}, health = '/api/health', args = [], pool: socket = null}) {
    const directory = temporaryFolder();
    const front = {
        directory, stderr: '', agent: new http.Agent({keepAlive: true, maxSockets: 16}), config: path.join(directory, 'config.json'),
        socket: socket ?? path.join(directory, 'pool.sock'), passwords: path.join(directory, 'htpasswd'),
    };
    front.writeConfig = (content) => {
        fs.writeFileSync(`${front.config}.new`, JSON.stringify(content));
        fs.renameSync(`${front.config}.new`, front.config);
    };
    if (!socket) front.writeConfig(config);
    fs.mkdirSync(path.join(directory, 'snippets'));
    fs.mkdirSync(path.join(directory, 'temp'));
    fs.writeFileSync(front.passwords, Object.entries(passwords).map(([name, word]) => `${name}:{PLAIN}${word}\n`).join(''));
    fs.copyFileSync(path.join(host, 'snippets', 'procplan-fastcgi.conf'), path.join(directory, 'snippets', 'procplan-fastcgi.conf'));
    /* Tests write more often than people. */
    const beside = replaced(path.join(host, 'conf.d', 'procplan.conf'), {'/run/procplan.sock': front.socket, 'rate=20r/s': 'rate=10000r/s'});
    const pool = socket ? null : start(front, path.join(build, 'procplan-fcgi'), ['--config', front.config, '--database',
        path.join(directory, 'state', 'procplan.db'), '--socket', front.socket, '--workers', '2', ...args]);
    await until(() => pool?.exit || fs.existsSync(front.socket), 'the pool listens');
    if (pool?.exit) throw new Error(`the pool did not start:\n${front.stderr}`);
    let nginx;
    try {
        nginx = await startNginx(front, await locations(front), beside + http_);
    } catch (error) {
        if (pool) process.kill(pool.pid, 'SIGKILL'); /* or this process would wait for it */
        throw error;
    }
    front.reload = () => process.kill(pool.pid, 'SIGHUP');
    front.stop = async () => {
        front.agent.destroy();
        await stopProcess(nginx, 'SIGQUIT');
        if (pool) await stopProcess(pool, 'SIGTERM');
    };
    await until(async () => (await request({...front, unchecked: true}, 'GET', health)).status === 200, 'the pool answers');
    return front;
}

/* As suite() of the harness, for a front. */
function frontSuite(options) {
    const skip = serverMissing();
    let starting = null;
    after(async () => {
        try {
            if (starting) await (await starting).stop();
        } catch (error) {
            console.error(error);
            process.exitCode = 1;
        }
    });
    return (name, body) => test(name, {skip}, async (t) => {
        starting ??= startFront(options);
        await body(await starting, t);
    });
}

/* The header by which NAME logs in; by default with the password that PASSWORDS of this file's users have. */
const basic = (name, password = `${name}'s password`) =>
    ({Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`});

module.exports = {basic, example, freePort, frontSuite, startFront};
