'use strict';
/*
 * A host for a test: a throw-away root into which `make install` has put ProcPlan, and a private nginx on it that already
 * serves a site of its own, with settings such as grow on old hosts. As root the parts run as the users they would have.
 */
const {execFileSync, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const zlib = require('node:zlib');
const pools = require('../fault/pool.js');

const build = process.env.PROCPLAN_BUILD || path.dirname(pools.program);
const root = process.getuid() === 0;
const nginxProgram = process.env.PROCPLAN_NGINX ||
    ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((file) => fs.existsSync(file));

/* What is installed is there for everybody, whoever runs the test. */
process.umask(0o022);
/* Where Debian has fcgiwrap; not in every user's path. */
process.env.PATH += ':/usr/local/sbin:/usr/sbin';

const number = (flag, name) => Number(spawnSync('id', [flag, name]).stdout.toString().trim() || NaN);
/* Who the planner runs as, and nginx; as a normal user everything is that user's. */
const planner = root ? {name: 'nobody', uid: number('-u', 'nobody'), gid: number('-g', 'nobody')} : null;
const webServer = root ? {name: 'www-data', uid: number('-u', 'www-data'), gid: number('-g', 'www-data')} : null;
const as = (who) => who ? {uid: who.uid, gid: who.gid} : {};

/* Why nothing here can run, or false. */
const missing = pools.nginxMissing || pools.toolMissing('make') ||
    (root && Number.isNaN(webServer.uid) ? 'there is no user www-data' : false);

function make(...args) {
    const env = {...process.env};
    for (const name of Object.keys(env)) {
        if (/^(MAKE|MFLAGS|TESTS|DESTDIR|GNUMAKEFLAGS)/.test(name)) delete env[name];
    }
    return execFileSync('make', ['-C', build, ...args], {env, stdio: 'pipe'}).toString();
}

/* The files below FOLDER, as paths from there. */
function files(folder) {
    return fs.readdirSync(folder, {recursive: true, withFileTypes: false}).map(String)
        .filter((name) => !fs.statSync(path.join(folder, name)).isDirectory()).sort();
}

/* A folder with ProcPlan installed below it; the places of what is in it. Sockets have short paths, so the folder has. */
function install(t) {
    const folder = pools.temporaryFolder(t);
    fs.chmodSync(folder, 0o755);
    make('install', `DESTDIR=${folder}`);
    const installed = files(folder);
    const find = (end) => {
        const found = installed.filter((name) => `/${name}`.endsWith(end));
        if (found.length !== 1) throw new Error(`${end} is installed ${found.length} times`);
        return path.join(folder, found[0]);
    };
    return {
        folder, installed, find,
        nginx: path.dirname(path.dirname(find('/conf.d/procplan.conf'))),
        program: find('/procplan-fcgi'),
        config: find('/procplan/config.json'),
        socket: path.join(folder, 'run', 'procplan.sock'),
        state: path.join(folder, 'var', 'lib', 'procplan'),
    };
}

/* What a path would not need if the root were the machine's: the root in front of it. */
function rebase(host, file, ...patterns) {
    let text = fs.readFileSync(file, 'utf8');
    for (const pattern of patterns) text = text.replace(pattern, (all, before, place) => `${before}${host.folder}${place}`);
    fs.writeFileSync(file, text);
}

/* An nginx as Debian's is laid out, with the site of somebody who minds, at PORT, and an empty server at PORT2. */
function layOut(host, port, port2) {
    const site = path.join(host.folder, 'srv', 'site');
    fs.mkdirSync(path.join(site, 'api'), {recursive: true});
    fs.mkdirSync(path.join(host.nginx, 'sites-enabled'), {recursive: true});
    fs.mkdirSync(path.join(host.folder, 'run'), {recursive: true});
    fs.writeFileSync(path.join(site, 'index.html'), '<title>Ours</title>\n');
    fs.writeFileSync(path.join(site, 'main.js'), 'alert(1);\n');
    fs.writeFileSync(path.join(site, 'gone.html'), 'Not here, sorry.\n');
    fs.writeFileSync(path.join(site, 'api', 'x.json'), '{"ours": true}\n');
    rebase(host, path.join(host.nginx, 'conf.d', 'procplan.conf'), /(server unix:)([^;]+)/);
    for (const name of ['procplan.conf', 'procplan-root.conf'])
        rebase(host, path.join(host.nginx, 'snippets', name), /(alias )([^;]+)/);
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${host.folder}/run/${name};`).join(' ');
    fs.writeFileSync(path.join(host.nginx, 'nginx.conf'), `${root ? `user ${webServer.name};` : ''}
daemon off; worker_processes 1; pid ${host.folder}/run/nginx.pid; error_log stderr warn;
events { worker_connections 768; }
http {
    access_log off;
    ${temp}
    types { text/html html; application/x-old-javascript js; application/json json; }
    default_type text/plain;
    expires 30d;
    fastcgi_intercept_errors on;
    add_header X-Ours yes always;
    add_header Referrer-Policy no-referrer always;
    add_header X-Content-Type-Options nosniff always;
    include ${host.nginx}/conf.d/*.conf;
    include ${host.nginx}/sites-enabled/*;
}
`);
    host.site = path.join(host.nginx, 'sites-enabled', 'ours');
    fs.writeFileSync(host.site, `server {
    listen 127.0.0.1:${port};
    root ${site};
    error_page 404 /gone.html;
    location ~ \\.(js|json)$ { add_header X-Script ours always; }
    location ~ /api { return 418 "ours\\n"; }
    # here
    # real ip here
}
server {
    listen 127.0.0.1:${port2};
    location ~ \\.js$ { return 418; }
    location /.well-known/ { return 200 "ours too\\n"; }
    # here, too
}
`);
}

/* Puts LINE into the server{} whose place is marked so. */
function addToSite(host, mark, line) {
    const text = fs.readFileSync(host.site, 'utf8');
    if (!text.includes(`    # ${mark}\n`)) throw new Error(`no place for ${line}`);
    fs.writeFileSync(host.site, text.replace(`    # ${mark}\n`, `    ${line}\n`));
}

async function startNginx(t, host) {
    const ports = [await freePort(), await freePort()];
    layOut(host, ...ports);
    const nginx = pools.start(t, nginxProgram, ['-p', host.folder, '-e', 'stderr', '-c', path.join(host.nginx, 'nginx.conf')]);
    await pools.until(async () => {
        if (nginx.over) throw new Error(`nginx ended:\n${nginx.log}`);
        return await answers(ports[0]) && await answers(ports[1]);
    }, () => `nginx's start:\n${nginx.log}`);
    const conf = ['-p', host.folder, '-e', 'stderr', '-c', path.join(host.nginx, 'nginx.conf')];
    /* nginx -t, then a reload, until the new workers are the ones there are. */
    const reload = async () => {
        const check = spawnSync(nginxProgram, ['-t', '-q', ...conf]);
        if (check.status !== 0 || check.stderr.toString() !== '') throw new Error(`nginx -t:\n${check.stderr}`);
        const before = pools.childrenOf(nginx.pid);
        pools.signal(nginx.pid, 'SIGHUP');
        await pools.until(() => {
            const now = pools.childrenOf(nginx.pid);
            return now.length > 0 && now.every((pid) => !before.includes(pid));
        }, () => `nginx's reload:\n${nginx.log}`);
    };
    return Object.assign(nginx, {port: ports[0], port2: ports[1], reload});
}

/* A free port; nginx takes it a moment later, and a test that loses it says so. */
function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
            const {port} = server.address();
            server.close(() => resolve(port));
        });
    });
}

function answers(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
        socket.on('error', () => resolve(false));
    });
}

/* One request on a connection of its own: {status, headers, bytes, text, json}. */
function ask(port, method, target, {body, headers = {}} = {}) {
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
        const sent = {...headers, ...(bytes === undefined ? {} : {'Content-Length': Buffer.byteLength(bytes)})};
        const call = http.request({host: '127.0.0.1', port, method, path: target, headers: sent, agent: false}, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
                const whole = Buffer.concat(chunks);
                const packed = response.headers['content-encoding'] === 'gzip' && whole.length > 0;
                const text = (packed ? zlib.gunzipSync(whole) : whole).toString();
                let json;
                try { json = JSON.parse(text); } catch { /* undefined: not JSON */ }
                resolve({status: response.statusCode, headers: response.headers, bytes: whole, text, json});
            });
        });
        call.setTimeout(pools.PATIENCE, () => call.destroy(new Error(`${method} ${target}: no answer`)));
        call.on('error', reject);
        call.end(bytes);
    });
}

/* The folder of the database, as systemd's StateDirectory= and tmpfiles.d make it. */
function makeState(host) {
    fs.mkdirSync(host.state, {recursive: true});
    fs.chmodSync(host.state, 0o700);
    if (planner) fs.chownSync(host.state, planner.uid, planner.gid);
}

/* A unit's settings: the values of NAME in the installed file that ends in END. */
function setting(host, end, name) {
    return fs.readFileSync(host.find(end), 'utf8').split('\n').filter((line) => line.startsWith(`${name}=`))
        .map((line) => line.slice(name.length + 1));
}

/* What the service would run, with the root in front of its paths. */
const serviceCommand = (host) => setting(host, '/procplan.service', 'ExecStart')[0].split(' ')
    .map((word) => word.startsWith('/') ? `${host.folder}${word}` : word);

/*
 * Takes the planner in, as README says: SNIPPETS are [mark, name] of the lines; the pool is on a socket such as procplan.socket makes. `before`
 * is what LOOK found at nginx before that.
 */
async function takeIn(t, snippets = [['here', 'procplan.conf']], look = () => null) {
    const host = install(t);
    const nginx = await startNginx(t, host);
    const before = await look(nginx);
    for (const [mark, name] of snippets) addToSite(host, mark, `include snippets/${name};`);
    await nginx.reload();
    makeState(host);
    return {host, nginx, pool: await startPool(t, host), before};
}

/* What the service starts, with ARGS more, on a socket as procplan.socket makes it. */
async function startPool(t, host, ...more) {
    const [command, ...args] = serviceCommand(host);
    const pool = await pools.withListener(host.socket, (fd) => pools.start(t, command, [...args, '--workers', '2', ...more],
        {stdio: [fd, 'pipe', 'pipe'], cwd: '/', ...as(planner)}));
    fs.chmodSync(host.socket, 0o660);
    if (root) fs.chownSync(host.socket, 0, webServer.gid);
    await pools.serving(pool);
    return pool;
}

module.exports = {
    addToSite, as, ask, build, files, freePort, install, make, makeState, missing, planner, root, serviceCommand, setting,
    startNginx, startPool, takeIn, webServer,
};
