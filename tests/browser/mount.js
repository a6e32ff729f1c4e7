'use strict';
/* A second nginx before a server's pool: the planner below a path, as a host that serves other things, too, mounts it; or behind a login. */
const {spawn} = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const {example, startFront} = require('../api/front.js');
const {nginxPath, processInfo, request, source, until} = require('../api/harness.js');

function freePort() {
    return new Promise((resolve, reject) => {
        const probe = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
            const {port} = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

/* Where the server's own nginx runs. */
function runFolder(server) {
    for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
        const info = processInfo(Number(name));
        if (info?.session !== server.pid || info.name !== 'nginx') continue;
        const folder = fs.readlinkSync(`/proc/${name}/cwd`);
        if (fs.existsSync(path.join(folder, 'nginx.conf'))) return folder;
    }
    throw new Error("the server's nginx was not found");
}

/* The server's configuration, with everything under PREFIX ("/procplan") and nothing elsewhere. */
function configuration(original, {socket, port, prefix}) {
    const replace = (text, from, to) => {
        if (!text.includes(from)) throw new Error(`the server's configuration has no ${from}`);
        return text.replaceAll(from, to);
    };
    let text = original.replace(/listen 127\.0\.0\.1:\d+/g, `listen 127.0.0.1:${port}`);
    text = replace(text, 'location /api/ {', `location ${prefix}/api/ {\n            rewrite ^${prefix}(/api/.*)$ $1 break;`);
    text = replace(text, 'location = /api {', `location = ${prefix} {\n            return 301 ${prefix}/;\n        }\n        location = ${prefix}/api {`);
    text = replace(text, 'unix:fastcgi.sock', `unix:${socket}`);
    text = replace(text, 'location / {', `location ${prefix}/ {`);
    return replace(text, 'root htdocs;', `alias ${path.join(source, 'htdocs')}/;`);
}

/* Gives {url, stop}; url ends in the prefix and a slash. */
async function mountBelow(server, prefix) {
    const from = runFolder(server);
    const folder = path.join(server.directory, 'mount');
    fs.mkdirSync(folder);
    fs.chmodSync(folder, 0o755);
    const port = await freePort();
    fs.writeFileSync(path.join(folder, 'nginx.conf'), configuration(fs.readFileSync(path.join(from, 'nginx.conf'), 'utf8'),
        {socket: path.join(from, 'fastcgi.sock'), port, prefix}));
    const child = spawn(nginxPath(), ['-p', `${folder}/`, '-e', 'stderr', '-c', 'nginx.conf'], {cwd: folder, stdio: ['ignore', 'inherit', 'inherit']});
    const ended = new Promise((resolve) => { child.on('exit', resolve); });
    const end = () => child.kill('SIGTERM');
    process.on('exit', end);
    const stop = async () => {
        process.off('exit', end);
        end();
        await ended;
    };
    try {
        const there = {port, unchecked: true};
        await until(() => request(there, 'GET', `${prefix}/api/nodes`).then((answer) => answer.status === 200, () => false), 'the second nginx answers');
    } catch (error) {
        await stop();
        throw error;
    }
    return {url: `http://127.0.0.1:${port}${prefix}/`, stop};
}

/*
 * The planner as nginx/examples/basic-auth.conf has it, below /; PASSWORDS: name to password. Gives {url, stop}, and is good for request().
 */
async function mountWithLogins(server, passwords) {
    const front = await startFront({
        passwords, pool: path.join(runFolder(server), 'fastcgi.sock'),
        locations: (one) => example('basic-auth.conf', {
            '/etc/nginx/procplan.htpasswd': one.passwords, '/usr/local/share/procplan/htdocs/': `${path.join(source, 'htdocs')}/`,
        }),
    });
    return Object.assign(front, {url: `http://127.0.0.1:${front.port}/`});
}

module.exports = {mountBelow, mountWithLogins};
