'use strict';
/* Where procplan-cli finds the planner, and what it says when something else is there. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {describe, test} = require('node:test');
const {assertHas, book, bookingOf} = require('../api/fixtures.js');
const {request, startServer, suite, temporaryFolder, until} = require('../api/harness.js');
const {cli, done, fails, hasScript, program} = require('./cli.js');
const {BEHAVIOURS, CERTIFICATE, deadPort, listen} = require('./hostile_listeners.js');
const {runProgram} = require('./job_fixtures.js');

const it = suite({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]}});
const NODES = 'NODE  NAME  GPUS  KINDS\nn     n     1     1 × unspecified\n';
const JSON_NODES = '{"nodes":[{"id":"n","name":"n","gpu_count":1,"gpus":[{"id":"g0","kind":"unspecified"}]}]}';

/* A listener that answers each request with what REPLY(head) gives: [status line, headers, body]. */
async function answering(reply, options) {
    const listener = await listen((socket) => {
        let text = '';
        socket.on('data', (bytes) => {
            text += bytes.toString('latin1');
            const end = text.indexOf('\r\n\r\n');
            if (end < 0) return;
            const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
            if (text.length < end + 4 + length) return;
            const [status, headers, body] = reply(text);
            text = '';
            socket.write(`HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        });
    }, options);
    return listener;
}
const nodesAt = (options) => answering(() => ['200 OK', ['Content-Type: application/json'], JSON_NODES], options);

async function withListener(made, body) {
    const listener = await made;
    try {
        return await body(listener);
    } finally {
        await listener.close();
    }
}

/* -- the address -------------------------------------------------------------------------------------------------- */

it('the address may end with a slash or not, and may lack its scheme', async (server) => {
    for (const url of [server.url, server.url.slice(0, -1), `${server.url}/`, server.url.replace('http://', ''), server.url.replace('http', 'HTTP')])
        assert.equal(await done(null, ['nodes', '--url', url]), NODES, url);
});

test('any mount point is asked below its path', async () => {
    await withListener(nodesAt(), async (listener) => {
        for (const mount of ['/procplan', '/a/b%20c/', '/x//'])
            assert.equal(await done(null, ['nodes', '--url', `${listener.url}${mount}`]), NODES);
        assert.deepEqual(listener.requests.map((text) => text.split(' ')[1]), ['/procplan/api/nodes', '/a/b%20c/api/nodes', '/x/api/nodes']);
    });
});

it('--url goes before PROCPLAN_URL, that before the user’s file, that before the system’s', async (server) => {
    const folder = temporaryFolder(), dead = 'url = http://127.0.0.1:1/\n';
    fs.mkdirSync(path.join(folder, 'xdg/procplan'), {recursive: true});
    fs.mkdirSync(path.join(folder, 'home/.config/procplan'), {recursive: true});
    const own = path.join(folder, 'xdg/procplan/config'), home = path.join(folder, 'home/.config/procplan/config');
    const shared = path.join(folder, 'cli.conf');
    const env = {XDG_CONFIG_HOME: path.join(folder, 'xdg'), HOME: path.join(folder, 'home'), PROCPLAN_CONFIG_SYSTEM: shared};
    fs.writeFileSync(shared, `# ours\n\n  url=${server.url}  \n`);
    assert.equal(await done(null, ['nodes'], {env}), NODES);
    fs.writeFileSync(own, dead);
    await fails(null, ['nodes'], 1, /cannot reach http:\/\/127\.0\.0\.1:1\//, {env});
    assert.equal(await done(server, ['nodes'], {env}), NODES);
    await fails(server, ['nodes', '--url', 'http://127.0.0.1:1'], 1, /cannot reach/, {env});
    fs.writeFileSync(home, `url = ${server.url}\n`);
    fs.writeFileSync(shared, dead);
    assert.equal(await done(null, ['nodes'], {env: {...env, XDG_CONFIG_HOME: ''}}), NODES);
});

it('a file gives node, user and priority, which options override', async (server) => {
    const folder = temporaryFolder();
    const env = {PROCPLAN_CONFIG_SYSTEM: path.join(folder, 'c')};
    fs.writeFileSync(env.PROCPLAN_CONFIG_SYSTEM, 'node = n\nuser = grace\npriority = low\n');
    const [, id] = /^Booking (\d+)/.exec(await done(server, ['book', '--hours', '1', '--start', '2031-01-01'], {env}));
    assertHas(await bookingOf(server, Number(id)), {node_id: 'n', user_label: 'grace', priority: 'low'});
    const [, other] = /^Booking (\d+)/.exec(await done(server, ['book', '--hours', '1', '--start', '2031-01-02', '--priority', 'high', '--user', 'x'], {env}));
    assertHas(await bookingOf(server, Number(other)), {user_label: 'x', priority: 'high'});
    assert.match(await done(server, ['--date', '2031-01-01'], {env}), /^Node n \(n\)/);
});

test('a fault in a file is told with file and line, and never quotes a password', async () => {
    const file = path.join(temporaryFolder(), 'cli.conf');
    const env = {PROCPLAN_CONFIG_SYSTEM: file};
    for (const [text, pattern] of [
        ['# x\nurl\n', /cli\.conf, line 2: a line is "name = value"/],
        ['urll = x\n', /cli\.conf, line 1: 'urll' is not a setting, did you mean 'url'\?/],
        ['url =\n', /cli\.conf, line 1: url is empty/],
        ['url = a\nnode = b\nurl = c\n', /cli\.conf, line 3: url stands there a second time/],
        [`url = ${'x'.repeat(5000)}\n`, /cli\.conf, line 1 is longer than/],
        ['node = a\x07b\n', /cli\.conf, line 1: node holds a control character/],
        ['url = ftp://user:geheim@host/\n', /cli\.conf, line 1: the URL begins with neither/],
        ['url = http://user:geheim@ho st/\n', /cli\.conf, line 1: this is no URL/],
        ['url = http://user:geheim@host/?x=1\n', /cli\.conf, line 1: the URL has a '\?'/],
        ['url = user:geheim\n', /cli\.conf, line 1: /],
    ]) {
        fs.writeFileSync(file, text);
        assert.doesNotMatch(await fails(null, ['nodes'], 2, pattern, {env}), /geheim/);
    }
    fs.rmSync(file);
    fs.mkdirSync(file);
    await fails(null, ['nodes'], 2, /cli\.conf cannot be read: /, {env});
});

test('without any address it says how to give one', async () => {
    await fails(null, ['nodes'], 2, /where is the planner\? Give --url http:\/\/host\/procplan, set PROCPLAN_URL, or write "url = /);
});

/* -- what is not there ---------------------------------------------------------------------------------------------- */

test('a server that cannot be reached is named', async () => {
    const port = await deadPort();
    await fails({url: `http://ada:geheim@127.0.0.1:${port}/x`}, ['nodes'], 1,
        `procplan-cli: cannot reach http://127.0.0.1:${port}/x/: Connection refused; check the address, and that ProcPlan runs there\n`);
    await fails({url: 'http://no-such-host.invalid'}, ['nodes'], 1, /cannot reach http:\/\/no-such-host\.invalid\/: nobody knows its host name/);
});

it('an address below which no planner is, is told as that', async (server) => {
    await fails({url: `${server.url}elsewhere`}, ['nodes'], 1, /there is no planner at http:\/\/127\.0\.0\.1:\d+\/elsewhere\/ \(status 404/);
});

for (const [status, pattern] of [
    ['200 OK', /with status 200 and no JSON \(text\/html\); is that a planner's address\?/],
    ['401 Unauthorized', /wants a login \(status 401\): put user and password into ~\/\.netrc or the URL/],
    ['403 Forbidden', /does not let you do that \(status 403\)/],
    ['500 Oops', /with status 500 and no JSON/],
    ['502 Bad Gateway', /does not answer \(status 502\); try again in a moment/],
]) {
    test(`an answer that is no JSON is told with its status: ${status}`, async () => {
        await withListener(answering(() => [status, ['Content-Type: text/html'], '<html>\x1b[2J']), async (listener) => {
            assert.doesNotMatch(await fails(listener, ['nodes'], 1, pattern), /\x1b/);
            await fails(listener, ['nodes', '--json'], 1, pattern);
        });
    });
}

/* Most of them only let time pass: side by side. */
describe('where no planner is', {concurrency: 6}, () => {
    for (const name of Object.keys(BEHAVIOURS)) {
        test(`a server that ${name} is an error, soon, in one line of plain text`, () => withListener(listen(name), (listener) =>
            Promise.all([['find'], ['--all'], ['done', '1'], ['reload'], BOOK].map(async (args) => {
                const text = await fails(listener, [...args, '--timeout', '1'], 1, /^procplan-cli: [^\x00-\x08\x0b-\x1f\x7f]+\n$/);
                assert.ok(text.length < 1000);
            }))));
    }
});

test('a flood ends at its bound, and memory with it', async () => {
    await withListener(listen('floods its body'), (listener) => fails(listener, ['nodes', '--timeout', '60'], 1, /sent more than 64 MB/));
});

/* -- credentials ---------------------------------------------------------------------------------------------------- */

const basic = (text) => /^authorization: basic (\S+)/im.exec(text)?.[1];
const decoded = (text) => (basic(text) ? Buffer.from(basic(text), 'base64').toString('utf8') : null);

test('user and password of the URL are sent, decoded, and never shown', async () => {
    await withListener(answering(() => ['401 Unauthorized', [], '']), async (listener) => {
        const url = `http://ada:ge%3Aheim%40@127.0.0.1:${listener.port}/p`;
        assert.doesNotMatch(await fails(null, ['nodes', '--url', url], 1, /wants a login/), /heim/);
        assert.equal(decoded(listener.requests[0]), 'ada:ge:heim@');
        assert.doesNotMatch(listener.requests[0].split('\r\n')[0], /heim/);
    });
});

test('.netrc is asked when the URL has no credentials', async () => {
    const home = temporaryFolder();
    fs.writeFileSync(path.join(home, '.netrc'), 'machine 127.0.0.1 login grace password hopper\n', {mode: 0o600});
    await withListener(nodesAt(), async (listener) => {
        await done(listener, ['nodes'], {env: {HOME: home}});
        await done({url: listener.url.replace('//', '//ada:x@')}, ['nodes'], {env: {HOME: home}});
        assert.deepEqual(listener.requests.map(decoded), ['grace:hopper', 'ada:x']);
    });
});

/* -- redirects ------------------------------------------------------------------------------------------------------ */

const BOOKED = JSON.stringify({booking_id: 7, node_id: 'n', gpu_ids: ['g0'], start: '2031-01-01T00:00:00+00:00', end: '2031-01-01T01:00:00+00:00',
    user_label: 'ada', priority: 'medium'});
const BOOK = ['book', '--node', 'n', '--hours', '1', '--start', '2031-01-01', '--user', 'ada', '--note', 'kept'];

for (const status of [301, 302, 307, 308]) {
    test(`a write keeps its method and body through a ${status}, and credentials stay on their host`, async () => {
        await withListener(answering(() => ['201 Created', [], BOOKED]), async (other) => {
            const redirect = (text) => (text.startsWith('POST /a/')
                ? [`${status} Moved`, ['Location: /b/api/book'], '']
                : [`${status} Moved`, [`Location: http://u:p@127.0.0.1:${other.port}/c`], '']);
            await withListener(answering(redirect), async (listener) => {
                assert.match(await done({url: `http://ada:geheim@127.0.0.1:${listener.port}/a`}, BOOK), /^Booking 7 · /);
                const hops = listener.requests.join('').split('POST ').slice(1);
                assert.equal(hops.length, 2);
                assert.equal(decoded(hops[1]), 'ada:geheim');
                assert.match(other.requests[0], /^POST \/c HTTP\/1\.1\r\n/);
                assert.match(other.requests[0], /"note":"kept"/);
                assert.equal(decoded(other.requests[0]), null);
            });
        });
    });
}

test('a redirect that would drop the write, or leads elsewhere than to HTTP, is refused', async () => {
    for (const [status, location, args, pattern] of [
        [303, '/login', BOOK, /redirect \(303\).*login page/],
        [302, 'file:///etc/passwd', BOOK, /not safe to follow/],
        [302, 'ftp://127.0.0.1/x', ['nodes'], /not safe to follow/],
        [302, '/again', ['nodes'], /in circles/],
    ]) {
        await withListener(answering(() => [`${status} Go`, [`Location: ${location}`], '']), async (listener) => {
            await fails(listener, args, 1, pattern);
            assert.ok(listener.requests.join('').split('HTTP/1.1\r\n').length <= 7);
        });
    }
});

test('a release token goes to no other host', async () => {
    await withListener(nodesAt(), async (other) => {
        await withListener(answering(() => ['307 Go', [`Location: http://127.0.0.1:${other.port}/x`], '']), async (listener) => {
            await fails(listener, ['done', '1', '--token', 'geheim'], 1, /holds a secret and stays here/);
            assert.equal(other.requests.length, 0);
        });
    });
});

test('a GET follows a 303, and from one host to another', async () => {
    await withListener(nodesAt(), async (other) => {
        await withListener(answering(() => ['303 See Other', [`Location: ${other.url}/x`], '']), async (listener) => {
            assert.equal(await done(listener, ['nodes']), NODES);
        });
    });
});

/* -- TLS, proxies, headers ------------------------------------------------------------------------------------------- */

test('a certificate that nobody vouches for is refused; one whose authority is named is taken', async () => {
    const file = path.join(temporaryFolder(), 'ca.pem');
    fs.writeFileSync(file, CERTIFICATE);
    await withListener(nodesAt({secure: true}), async (listener) => {
        await fails(listener, ['nodes'], 1, /certificate of .* is not trusted/);
        for (const name of ['SSL_CERT_FILE', 'CURL_CA_BUNDLE'])
            assert.equal(await done(listener, ['nodes'], {env: {[name]: file}}), NODES);
    });
});

test('https never goes on to http', async () => {
    const file = path.join(temporaryFolder(), 'ca.pem');
    fs.writeFileSync(file, CERTIFICATE);
    await withListener(nodesAt(), async (plain) => {
        await withListener(answering(() => ['302 Go', [`Location: ${plain.url}/`], ''], {secure: true}), async (listener) => {
            await fails(listener, ['nodes'], 1, /not safe to follow/, {env: {SSL_CERT_FILE: file}});
            assert.equal(plain.requests.length, 0);
        });
    });
});

test('a proxy of the environment is used', async () => {
    await withListener(nodesAt(), async (proxy) => {
        assert.equal(await done({url: 'http://planner.invalid/p'}, ['nodes'], {env: {http_proxy: proxy.url, NO_PROXY: ''}}), NODES);
        assert.match(proxy.requests[0], /^GET http:\/\/planner\.invalid\/p\/api\/nodes HTTP/);
    });
});

it('the name of whoever writes cannot break out of its header', async (server) => {
    const {booking_id: id} = await book(server, {node_id: 'n', start: '2032-01-01', end: '2032-01-02', user_label: 'x', gpu_count: 1});
    for (const name of ['a\r\nX: y', 'a\nb', '', '  ', '\x1b', 'x'.repeat(65), 'ü'.repeat(65), 'x'.repeat(3000)])
        await fails(server, ['cancel', `${id}`, '--user', name], 2, /user's name is 1 to 64 characters .* --user/);
    await done(server, ['cancel', `${id}`, '--user', 'Jürgen']);
    assertHas((await request(server, 'GET', `/api/events?booking_id=${id}`)).json.events[1], {actor: 'Jürgen'});
});

it('every name that it takes is in the log as the actor', async (server) => {
    for (const [index, name] of ['日'.repeat(64), 'a\u202eb', ' ada '].entries()) {
        const day = `2032-02-0${index + 1}`;
        const [, id] = /^Booking (\d+)/.exec(await done(server, ['book', '--hours', '1', '--node', 'n', '--start', day, '--user', name, '--label', 'x']));
        const {events} = (await request(server, 'GET', `/api/events?booking_id=${id}`)).json;
        assertHas(events[0], {actor: name.trim(), claimed: true});
        assert.doesNotMatch(await done(server, ['events', '--booking', id]), /\u202e/);
    }
});

test('ps shows neither a token nor the login of a URL that stood on the command line', async () => {
    await withListener(listen('is silent'), async (listener) => {
        const url = listener.url.replace('//', '//ada:geheim@');
        let child;
        const ended = cli(null, ['--url', url, `--url=${url}`, 'done', '1', '--token', 'abcdef0123', '--timeout', '30'],
            {started: (process) => { child = process; }});
        await until(() => listener.requests.some((text) => text.includes('abcdef0123') && decoded(text) === 'ada:geheim'), 'both arrive');
        const line = fs.readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
        await listener.close();
        await ended;
        assert.match(line, /procplan-cli.*\0done\0/);
        assert.doesNotMatch(line, /abcdef|ada|geheim/);
    });
});

test('what the server names is harmless in --csv on a terminal, and itself in a pipe', async (t) => {
    if (!hasScript()) return t.skip('script(1) is not installed');
    const nodes = '{"nodes":[{"id":"\\u001b[2J","name":"a\u202eb","gpu_count":0,"gpus":[]}]}';
    await withListener(answering(() => ['200 OK', [], nodes]), async (listener) => {
        const shown = await runProgram('script', ['-qec', `'${program}' nodes --csv`, '/dev/null'], {env: {PROCPLAN_URL: listener.url, SHELL: '/bin/sh'}});
        assertHas(shown, {code: 0, stdout: 'id,name,gpu_count,kinds\r\n\\x1b[2J,a\\u202eb,0,\r\n'});
        assert.equal(await done(listener, ['nodes', '--csv']), 'id,name,gpu_count,kinds\r\n\x1b[2J,a\u202eb,0,\r\n');
    });
});

test('the server’s JSON is printed so that a terminal survives it', async () => {
    const nodes = '{"nodes":[{"id":"\u009b2J\u202e","name":"日本"}]}';
    await withListener(answering(() => ['200 OK', [], nodes]), async (listener) => {
        const out = await done(listener, ['nodes', '--json']);
        assert.equal(out, '{"nodes":[{"id":"\\u009b2J\\u202e","name":"日本"}]}\n');
        assert.deepEqual(JSON.parse(out), JSON.parse(nodes));
    });
});

test('a planner behind a path of a real server is found', async () => {
    const server = await startServer({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}]}, workers: 1});
    try {
        const proxy = await listen((socket) => {
            const up = require('node:net').connect(server.port, '127.0.0.1');
            socket.on('data', (bytes) => up.write(bytes.toString('latin1').replace(' /deep/procplan/', ' /'), 'latin1'));
            up.on('data', (bytes) => socket.write(bytes)).on('error', () => socket.destroy()).on('end', () => socket.end());
            socket.on('close', () => up.destroy());
        });
        try {
            assert.equal(await done({url: `${proxy.url}/deep/procplan`}, ['nodes']), NODES);
            assert.match((await cli({url: `${proxy.url}/deep/procplan/`}, BOOK)).stdout, /^Booking 1 · /);
        } finally {
            await proxy.close();
        }
    } finally {
        await server.stop();
    }
});
