'use strict';
/* procplan-server: what it says, whom it answers, who it runs as, and that nothing of it stays behind. */
const {spawn} = require('node:child_process');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const {test} = require('node:test');
const {
    PATIENCE, build, processInfo, rawRequest, request, serverMissing, source, startServer, suite, temporaryFolder, until,
} = require('./harness.js');

const skip = serverMissing();
const root = process.getuid() === 0;
const it = suite();

/* Runs procplan-server until it ends by itself, which it is expected to. */
function run(args, {env = {}} = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(path.join(build, 'procplan-server'), args, {
            stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env},
        });
        const result = {stdout: '', stderr: ''};
        const timer = setTimeout(() => {
            child.kill('SIGTERM');
            reject(new Error(`it did not end: ${result.stdout}${result.stderr}`));
        }, PATIENCE);
        child.stdout.on('data', (text) => { result.stdout += text; });
        child.stderr.on('data', (text) => { result.stderr += text; });
        child.on('close', (code) => {
            clearTimeout(timer);
            resolve({...result, code});
        });
    });
}

/* A folder that the user the server becomes can walk through, with a configuration in it. */
function workFolder() {
    const folder = temporaryFolder();
    fs.chmodSync(folder, 0o755);
    const config = path.join(folder, 'config.json');
    fs.writeFileSync(config, '{"nodes": [{"id": "n", "gpus": [{"id": "g"}]}]}');
    return {folder, config, arguments: ['--config', config, '--database', path.join(folder, 'state', 'procplan.db')]};
}

/* All processes of a session (a server started by startServer leads its own). */
function processesOf(session) {
    return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => processInfo(Number(name)))
        .filter((info) => info && info.session === session && info.state !== 'Z');
}

const userOf = (pid) => Number(/^Uid:\s+\d+\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/* A server whose run folder lies in a folder of its own, so that what is left of it can be seen. */
async function startWatched(options = {}) {
    const temporary = temporaryFolder();
    fs.chmodSync(temporary, 0o1777);
    const server = await startServer({workers: 2, ...options, env: {TMPDIR: temporary, ...options.env}});
    server.temporary = temporary;
    return server;
}

async function assertNothingLeft(server) {
    await until(() => processesOf(server.pid).length === 0, 'every process is gone', 20_000).catch(() => {
        assert.deepEqual(processesOf(server.pid), []);
    });
    await until(() => fs.readdirSync(server.temporary).length === 0, 'the run folder is gone', 20_000);
    await assert.rejects(new Promise((resolve, reject) => {
        net.connect(server.port, '127.0.0.1').on('connect', resolve).on('error', reject);
    }), {code: 'ECONNREFUSED'});
}

/* -- what it says --------------------------------------------------------------------------------------------- */

test('--help names every option, --version the version', async () => {
    const help = await run(['--help']);
    assert.equal(help.code, 0);
    for (const option of ['config', 'database', 'host', 'port', 'web-root', 'workers', 'user', 'nginx', 'help', 'version'])
        assert.match(help.stdout, new RegExp(`^  --${option}\\b`, 'm'));
    const version = await run(['--version']);
    assert.match(version.stdout, /^procplan-server \d+\.\d+\.\d+\n$/);
});

for (const [name, args, sentence] of [
    ['no configuration', [], /^procplan-server: --config FILE is missing; try --help\n$/],
    ['no database', ['--config', 'x'], /^procplan-server: --database FILE is missing; try --help\n$/],
    ['a port that is none', ['--config', 'x', '--database', 'y', '--port', '80x'], /^procplan-server: --port wants a number from 0 to 65535, not '80x'; try --help\n$/],
    ['a port out of range', ['--config', 'x', '--database', 'y', '--port', '65536'], /not '65536'; try --help\n$/],
    ['no workers', ['--config', 'x', '--database', 'y', '--workers', '0'], /^procplan-server: --workers wants a number from 1 to 256, not '0'; try --help\n$/],
    ['an empty value', ['--config', ''], /^procplan-server: an option's value is empty; try --help\n$/],
    ['an option that is none', ['--prot', '1'], /unrecognized option '--prot'\nTry 'procplan-server --help'\.\n$/],
    ['an argument too many', ['--config', 'x', '--database', 'y', 'z'], /^procplan-server: 'z' is one argument too many; try --help\n$/],
]) {
    test(`${name} is refused with status 2 and one sentence`, async () => {
        const result = await run(args);
        assert.equal(result.code, 2);
        assert.match(result.stderr, sentence);
    });
}

test('a port in use is one sentence that names the port and --port', {skip}, async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.on('listening', resolve));
    try {
        const {port} = taken.address();
        const result = await run([...workFolder().arguments, '--port', String(port)]);
        assert.equal(result.code, 1);
        assert.equal(result.stderr,
            `procplan-server: port ${port} on 127.0.0.1 is already in use; choose another with --port\n`);
        assert.equal(result.stdout, '');
    } finally {
        taken.close();
    }
});

test('a bad configuration ends it with the place of the fault and nothing of nginx', {skip}, async () => {
    const work = workFolder();
    fs.writeFileSync(work.config, '{"nodes": [{"id": "n", "gpuss": []}]}');
    const temporary = temporaryFolder();
    fs.chmodSync(temporary, 0o1777);
    const result = await run([...work.arguments, '--port', '0', '--web-root', path.join(source, 'htdocs')], {env: {TMPDIR: temporary}});
    assert.equal(result.code, 1);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /^[^\n]*error: config\.json: nodes\[0\]: unknown key "gpuss"[^\n]*\n$/);
    assert.deepEqual(fs.readdirSync(temporary), []);
});

for (const [name, args, sentence] of [
    ['a web root that is not there', ['--web-root', '/nonexistent/web'], /^procplan-server: cannot read the web root \/nonexistent\/web: No such file or directory\n$/],
    ['an nginx that is not there', ['--nginx', '/nonexistent/nginx'], /^procplan-server: cannot run \/nonexistent\/nginx: No such file or directory \(--nginx\)\n$/],
    ['an address of another machine', ['--host', '192.0.2.1'], /^procplan-server: 192\.0\.2\.1 is not an address of this machine \(--host\)\n$/],
    ['a database in a folder that is far from there', ['--database', '/nonexistent/a/b.db'], /^procplan-server: cannot make the folder \/nonexistent\/a for the database: No such file or directory\n$/],
    ['a user that is not there', ['--user', 'no-such-user'], /^procplan-server: (there is no user no-such-user on this machine|--user is for root only)/],
]) {
    test(`${name} is one sentence`, {skip}, async () => {
        const result = await run([...workFolder().arguments, '--port', '0', '--web-root', path.join(source, 'htdocs'), ...args]);
        assert.equal(result.code, 1);
        assert.match(result.stderr, sentence);
        assert.equal(result.stderr.trim().split('\n').length, 1);
    });
}

it('the first lines are the address, the folder of the bookings, and how to stop it', async (server) => {
    assert.equal(server.stdout, `ProcPlan is running at http://127.0.0.1:${server.port}/\n` +
        `Bookings are kept in ${path.dirname(server.database)}\nPress Ctrl-C to stop.\n`);
    assert.equal(fs.statSync(path.dirname(server.database)).mode & 0o777, 0o700);
});

test('at ::1 it answers, or, where the machine has no IPv6, says that the address is not there', {skip}, async () => {
    const has6 = Object.values(os.networkInterfaces()).flat().some((one) => one.address === '::1');
    const work = workFolder();
    if (!has6) {
        const result = await run([...work.arguments, '--port', '0', '--host', '::1', '--web-root', path.join(source, 'htdocs')]);
        assert.match(result.stderr, /^procplan-server: .*::1/);
        return;
    }
    const child = spawn(path.join(build, 'procplan-server'),
        [...work.arguments, '--port', '0', '--host', '::1', '--web-root', path.join(source, 'htdocs')],
        {stdio: ['ignore', 'pipe', 'inherit']});
    const ended = new Promise((resolve) => child.on('exit', resolve));
    let stdout = '';
    child.stdout.on('data', (text) => { stdout += text; });
    try {
        await until(() => stdout.includes('\n') || child.exitCode !== null, 'it runs');
        const [, url] = /^ProcPlan is running at (http:\/\/\[::1\]:\d+\/)\n/.exec(stdout);
        assert.equal((await fetch(`${url}api/health`)).status, 200);
    } finally {
        child.kill('SIGTERM');
        assert.equal(await ended, 0);
    }
});

/* -- whom it answers, and how --------------------------------------------------------------------------------- */

for (const host of ['localhost', 'localhost:1234', 'LocalHost', '127.0.0.1', '127.0.0.1:80', '[::1]', '[::1]:8080']) {
    it(`a request for the host ${host} is answered`, async (server) => {
        for (const target of ['/api/health', '/'])
            assert.equal((await request(server, 'GET', target, {headers: {Host: host}})).status, 200);
    });
}

for (const host of ['planner.example.org', 'localhost.example.org', '127.0.0.1.example.org', '127.0.0.2', '10.0.0.1', '[::2]', '_']) {
    it(`a request for the host ${host} is refused with 421, the page as well as the API`, async (server) => {
        for (const target of ['/api/nodes', '/', '/api/book']) {
            const answer = await request(server, target === '/api/book' ? 'POST' : 'GET', target,
                {headers: {Host: host}, body: target === '/api/book' ? {} : undefined});
            assert.equal(answer.status, 421);
            assert.deepEqual(Object.keys(answer.json), ['error', 'status']);
            assert.equal(answer.json.status, 421);
        }
    });
}

it('a request that names no host is refused with 421', async (server) => {
    const answer = await rawRequest(server, 'GET /api/nodes HTTP/1.0\r\n\r\n');
    assert.equal(answer.status, 421);
});

it('a whole address in the request line counts before the Host header', async (server) => {
    const answer = await rawRequest(server,
        'GET http://planner.example.org/api/nodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.equal(answer.status, 421);
});

for (const [status, name, bytes] of [
    [400, 'a line that is not HTTP', 'hello\r\n\r\n'],
    [400, 'a request without Host', 'GET /api/nodes HTTP/1.1\r\n\r\n'],
    [400, 'a NUL in the path', 'GET /api/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    [404, 'a page that is not there', 'GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    [404, 'the place where the refusals live', 'GET /.refused/400 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    [405, 'POST to the page', 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
    [405, 'TRACE', 'TRACE /api/nodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    [413, 'a body of more than 1 MiB', 'POST /api/book HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n'],
    [414, 'a request line of 70 kB', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`],
    [431, 'a header field of 70 kB', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(70_000)}\r\nConnection: close\r\n\r\n`],
    [501, 'an unknown transfer encoding', 'POST /api/book HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n'],
    [505, 'HTTP/3 as text', 'GET /api/nodes HTTP/3.0\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
]) {
    it(`${name} is refused by nginx with ${status}, in the API's form`, async (server) => {
        const answer = await rawRequest(server, bytes);
        assert.equal(answer.status, status);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.equal(answer.json.status, status);
        assert.match(answer.json.error, /^[A-Z].{10,}$/);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        assert.equal(answer.headers['referrer-policy'], 'same-origin');
        assert.equal(answer.headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
    });
}

it('a body of exactly 1 MiB reaches the planner', async (server) => {
    const answer = await request(server, 'POST', '/api/book', {raw: ' '.repeat(1024 * 1024 - 2) + '{}'});
    assert.equal(answer.status, 400);
    assert.match(answer.json.error, /are required/);
});

it('a chunked body reaches the planner whole', async (server) => {
    const answer = await rawRequest(server, 'POST /api/mark_done HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n8\r\n{"bookin\r\n9\r\ng_id":77}\r\n0\r\n\r\n');
    assert.equal(answer.status, 404);
    assert.match(answer.json.error, /^Booking '77' is not active/);
});

it('the planner\'s own refusals pass as they are', async (server) => {
    assert.equal((await request(server, 'GET', '/api/nothing')).json.error, 'Unknown endpoint');
    assert.equal((await request(server, 'GET', '/api')).json.error, 'Unknown endpoint');
    assert.equal((await request(server, 'PUT', '/api/nodes')).headers.allow, 'GET, HEAD');
});

it('the page comes with a strict policy, is not kept unasked, and is not sent twice', async (server) => {
    const page = await request(server, 'GET', '/');
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.headers['content-security-policy'], /^default-src 'none'; script-src 'self';/);
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.equal(page.headers['referrer-policy'], 'same-origin');
    assert.equal(page.headers['cache-control'], 'no-cache');
    assert.equal(page.headers.server, 'nginx');
    const again = await request(server, 'GET', '/', {headers: {'If-None-Match': page.headers.etag}});
    assert.equal(again.status, 304);
    assert.match(again.headers['content-security-policy'], /^default-src 'none'/);
});

it('a large answer is compressed for who takes that, and says that it depends on it', async (server) => {
    const target = '/api/availability?node_id=alpha&start=2030-01-01&end=2030-02-01';
    const plain = await request(server, 'GET', target);
    const packed = await request(server, 'GET', target, {headers: {'Accept-Encoding': 'gzip'}});
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.match(packed.headers.vary, /Accept-Encoding/i);
    assert.equal(zlib.gunzipSync(packed.bytes).toString(), plain.text);
    assert.equal(plain.headers['content-encoding'], undefined);
});

/* -- who it runs as ------------------------------------------------------------------------------------------- */

it('nginx\'s workers and the pool run as nobody privileged, and only they reach the socket', async (server) => {
    const processes = processesOf(server.pid);
    const serving = processes.filter((info) => info.name === 'procplan-fcgi' ||
        (info.name === 'nginx' && processes.some((other) => other.name === 'nginx' && other.pid === info.parent)));
    assert.equal(serving.filter((info) => info.name === 'nginx').length, 2);
    assert.equal(serving.filter((info) => info.name === 'procplan-fcgi').length, 5);
    const users = new Set(serving.map((info) => userOf(info.pid)));
    assert.equal(users.size, 1);
    const [user] = users;
    assert.equal(user, root ? fs.statSync(path.dirname(server.database)).uid : process.getuid());
    assert.notEqual(user, 0);
    const nginx = processes.find((info) => info.name === 'nginx' && info.parent === server.pid);
    const socket = fs.statSync(path.join(fs.readlinkSync(`/proc/${nginx.pid}/cwd`), 'fastcgi.sock'));
    assert.equal(socket.mode & 0o777, 0o600);
    assert.equal(socket.uid, user);
});

test('below a closed folder everything works all the same', {skip}, async () => {
    const closed = temporaryFolder();
    const checkout = path.join(closed, 'checkout');
    const web = path.join(checkout, 'web');
    fs.mkdirSync(path.join(web, 'js'), {recursive: true});
    fs.writeFileSync(path.join(web, 'index.html'), 'the page');
    fs.writeFileSync(path.join(web, 'js', 'main.js'), 'the script');
    fs.writeFileSync(path.join(web, '.hidden'), 'not for you');
    fs.symlinkSync('/etc/passwd', path.join(web, 'passwd'));
    fs.writeFileSync(path.join(checkout, 'config.json'), '{"nodes": [{"id": "behind closed doors"}]}');
    fs.chmodSync(closed, 0o700);
    const server = await startWatched({args: ['--web-root', web, '--config', path.join(checkout, 'config.json'),
        '--database', path.join(checkout, 'state', 'procplan.db')]});
    try {
        assert.equal((await request(server, 'GET', '/')).text, 'the page');
        assert.equal((await request(server, 'GET', '/js/main.js')).text, 'the script');
        assert.equal((await request(server, 'GET', '/api/nodes')).json.nodes[0].id, 'behind closed doors');
        assert.ok(fs.existsSync(path.join(checkout, 'state', 'procplan.db')));
        if (root) {
            assert.match(server.stderr, /^procplan-server: user \S+ cannot read \S+\/web, so a copy of it is served/m);
            assert.equal((await request(server, 'GET', '/.hidden')).status, 404);
            assert.equal((await request(server, 'GET', '/passwd')).status, 404);
        }
    } finally {
        await server.stop();
    }
    await assertNothingLeft(server);
});

test('a web root with blanks, quotes, a dollar, braces, a semicolon and a line break in its name is served', {skip}, async () => {
    const folder = temporaryFolder();
    fs.chmodSync(folder, 0o755);
    const web = path.join(folder, 'a b"c\'d$uri;e{f}\ng\\h#i');
    fs.mkdirSync(web);
    fs.writeFileSync(path.join(web, 'index.html'), 'found');
    const server = await startServer({workers: 1, args: ['--web-root', web]});
    try {
        assert.equal((await request(server, 'GET', '/')).text, 'found');
    } finally {
        await server.stop();
    }
});

test('the folder for temporary files may have a long and odd name', {skip}, async () => {
    const folder = temporaryFolder();
    fs.chmodSync(folder, 0o755);
    const temporary = path.join(folder, `$uri "; ${'x'.repeat(200)}`);
    fs.mkdirSync(temporary);
    fs.chmodSync(temporary, 0o1777);
    const server = await startServer({workers: 1, env: {TMPDIR: temporary}});
    try {
        assert.equal(fs.readdirSync(temporary).length, 1);
        /* A body that nginx keeps in a file, so that its folders are used as well. */
        const answer = await request(server, 'POST', '/api/book', {raw: ' '.repeat(500_000) + '{}'});
        assert.equal(answer.status, 400);
    } finally {
        await server.stop();
    }
    assert.deepEqual(fs.readdirSync(temporary), []);
});

/* -- its life ------------------------------------------------------------------------------------------------- */

for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT']) {
    test(`after ${signal} it ends with status 0 and nothing is left`, {skip}, async () => {
        const server = await startWatched();
        process.kill(server.pid, signal);
        await until(() => server.exit, 'it ends');
        assert.deepEqual(server.exit, {code: 0, signal: null});
        await assertNothingLeft(server);
        assert.doesNotMatch(server.stderr, /emerg|alert|crit|error/);
        await server.stop();
    });
}

test('Ctrl-C, which reaches the whole process group, ends it in order', {skip}, async () => {
    const server = await startWatched();
    process.kill(-server.pid, 'SIGINT');
    await until(() => server.exit, 'it ends');
    assert.deepEqual(server.exit, {code: 0, signal: null});
    await assertNothingLeft(server);
    await server.stop();
});

test('a kill -9 of it leaves nothing running and nothing lying about', {skip}, async () => {
    const server = await startWatched();
    process.kill(server.pid, 'SIGKILL');
    await until(() => server.exit, 'it ends');
    await assertNothingLeft(server);
    await server.stop().catch(() => {}); /* which misses status 0 */
});

for (const name of ['nginx', 'procplan-fcgi']) {
    test(`when ${name} is killed it says so, ends the other, and leaves nothing`, {skip}, async () => {
        const server = await startWatched();
        const victim = processesOf(server.pid).find((info) => info.name === name && info.parent === server.pid);
        process.kill(victim.pid, 'SIGKILL');
        await until(() => server.exit, 'it ends');
        assert.deepEqual(server.exit, {code: 1, signal: null});
        await assertNothingLeft(server);
        assert.match(server.stderr, new RegExp(`^procplan-server: ${name} was killed by signal 9 \\(Killed\\); stopping$`, 'm'));
        await server.stop().catch(() => {});
    });
}

test('a request that is being made when it is told to stop is answered', {skip}, async () => {
    const server = await startWatched();
    const body = '{"node_id": "alpha", "gpu_ids": ["gpu0"], "start": "2030-01-01", "end": "2030-01-02", "user_label": "last"}';
    const socket = net.connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => { text += bytes; });
    const closed = new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
    socket.write(`POST /api/book HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
    await until(() => text.startsWith('HTTP/1.1 100'), 'nginx waits for the body');
    process.kill(server.pid, 'SIGTERM');
    /* Until nginx has closed its door: from then on it is stopping. */
    await until(() => new Promise((resolve) => {
        const probe = net.connect(server.port, '127.0.0.1')
            .on('connect', () => { probe.destroy(); resolve(false); })
            .on('error', () => resolve(true));
    }), 'it takes no new connection');
    socket.write(body);
    await closed;
    assert.match(text, /HTTP\/1\.1 201 Created/);
    await until(() => server.exit, 'it ends');
    assert.equal(server.exit.code, 0);
    await assertNothingLeft(server);
    await server.stop();
});

test('a client that only holds a connection open does not hold up the end', {skip}, async () => {
    const server = await startWatched();
    await request(server, 'GET', '/api/health'); /* kept alive by the agent */
    const silent = net.connect(server.port, '127.0.0.1');
    await new Promise((resolve) => silent.on('connect', resolve));
    silent.on('error', () => {});
    const start = Date.now();
    process.kill(server.pid, 'SIGTERM');
    await until(() => server.exit, 'it ends');
    assert.equal(server.exit.code, 0);
    assert.ok(Date.now() - start < 30_000);
    await assertNothingLeft(server);
    await server.stop();
});

test('HUP takes in the changed configuration, and a bad one changes nothing', {skip}, async () => {
    const server = await startServer({workers: 2, config: {nodes: [{id: 'before'}]}});
    const ids = async () => (await request(server, 'GET', '/api/nodes')).json.nodes.map((node) => node.id).join();
    try {
        assert.equal(await ids(), 'before');
        server.writeConfig({nodes: [{id: 'after'}]});
        process.kill(server.pid, 'SIGHUP');
        await until(async () => await ids() === 'after', 'the new node is there');
        server.writeConfig({nodes: []});
        process.kill(server.pid, 'SIGHUP');
        await until(() => /error: config\.json: nodes/.test(server.stderr), 'the log names the fault');
        assert.equal(await ids(), 'after');
        assert.ok(server.stderr.split('this SQLite can lose').length <= 2, `what is said of SQLite is said once: ${server.stderr}`);
    } finally {
        await server.stop();
    }
});

test('--workers says how many processes the pool has', {skip}, async () => {
    const server = await startServer({workers: 3});
    try {
        assert.equal(server.workers().length, 3);
    } finally {
        await server.stop();
    }
});
