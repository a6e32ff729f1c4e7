'use strict';
/* README's steps on a host whose nginx already serves somebody's site. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('../fault/pool.js');
const hosts = require('./host.js');

const {ask} = hosts;
const options = {timeout: 4 * pools.PATIENCE, skip: hosts.missing};
const SNIPPETS = [['/procplan', 'port', 'here', 'procplan.conf'], ['', 'port2', 'here, too', 'procplan-root.conf']];

/* What the site says to its own visitors, without what differs from one answer to the next. */
async function siteAnswers(nginx) {
    const said = [];
    for (const [method, target] of [['GET', '/'], ['GET', '/index.html'], ['GET', '/main.js'], ['GET', '/api/x.json'], ['GET', '/none'],
        ['POST', '/'], ['GET', '/api'], ['POST', '/api/book'], ['GET', '/procplanned'], ['HEAD', '/main.js']]) {
        const {status, headers, text} = await ask(nginx.port, method, target);
        const {date, expires, ...rest} = headers;
        said.push({method, target, status, text, headers: rest});
    }
    return said;
}

/* What every answer of ours has, once: node puts a comma between the values of a header that comes twice. */
function isGuarded({headers}, policy, what) {
    assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy'], headers['content-security-policy'], headers['x-ours']],
        ['nosniff', 'same-origin', policy, undefined], what);
}
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";
const PAGE = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'self'; frame-ancestors 'none'";

/* Says that a body of LENGTH bytes follows, and gives what is answered before it does. */
function announce(port, target, length) {
    return new Promise((resolve, reject) => {
        let said = '';
        const socket = net.connect(port, '127.0.0.1', () => socket.write(
            `POST ${target} HTTP/1.1\r\nHost: planner\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`));
        socket.on('data', (bytes) => {
            said += bytes;
            if (said.endsWith('}\n')) socket.destroy();
        });
        socket.on('close', () => resolve(said));
        socket.on('error', reject);
        socket.setTimeout(pools.PATIENCE, () => socket.destroy(new Error(`no answer to ${target}`)));
    });
}

let taken = null;
const it = (name, body) => test(name, options, async (t) => {
    taken ??= hosts.takeIn({after: (end) => ends.unshift(end)}, SNIPPETS.map(([, , mark, name]) => [mark, name]), siteAnswers);
    await body(await taken, t);
});
const ends = [];
require('node:test').after(async () => { for (const end of ends) await end(); });

it('the site that was there answers as before, and keeps its own pages', async ({nginx, before}) => {
    assert.deepEqual(before.map(({status}) => status), [200, 200, 200, 200, 404, 405, 418, 418, 404, 200]);
    assert.deepEqual(await siteAnswers(nginx), before);
    assert.equal((await ask(nginx.port2, 'GET', '/.well-known/x')).text, 'ours too\n');
});

for (const [mount, port] of SNIPPETS) {
    const place = `${mount}/`;
    it(`the page works under ${place}, with types, caching and security headers of its own`, async ({nginx}) => {
        const page = await ask(nginx[port], 'GET', place);
        assert.equal(page.status, 200);
        assert.match(page.text, /<title>[^<]*ProcPlan/);
        const script = await ask(nginx[port], 'GET', `${place}js/grid.js`, {headers: {'Accept-Encoding': 'gzip'}});
        assert.equal(script.status, 200);
        assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
        assert.equal(script.headers['content-encoding'], 'gzip');
        for (const {headers} of [page, script]) {
            assert.equal(headers['cache-control'], 'no-cache', 'and no 30 days from http{}');
            isGuarded({headers}, PAGE);
        }
        const again = await ask(nginx[port], 'GET', place, {headers: {'If-None-Match': page.headers.etag}});
        assert.equal(again.status, 304);
        const none = await ask(nginx[port], 'GET', `${place}none.html`);
        assert.equal(none.status, 404);
        /* A server{} that has a page for it shows that, as for all its addresses. */
        if (mount) assert.equal(none.text, 'Not here, sorry.\n');
        else isGuarded(none, PAGE, 'with always');
        assert.match(String((await ask(nginx[port], 'GET', `${place}../procplan-fcgi`)).status), /^40[04]$/);
        assert.match(String((await ask(nginx[port], 'GET', `${place}..%2f..%2fsbin/procplan-fcgi`)).status), /^40[04]$/);
    });

    it(`a booking is made, read and cancelled under ${place}`, async ({nginx}) => {
        const {json: {nodes}} = await ask(nginx[port], 'GET', `${place}api/nodes`);
        const start = new Date(Date.now() + 5 * 86_400_000).toISOString(), end = new Date(Date.now() + 6 * 86_400_000).toISOString();
        const booked = await ask(nginx[port], 'POST', `${place}api/book`,
            {body: {node_id: nodes[0].id, gpu_count: 1, start, end, user_label: 'ada'}});
        assert.equal(booked.status, 201, booked.text);
        const id = booked.json.booking_id;
        assert.equal((await ask(nginx[port], 'GET', `${place}api/bookings/${id}`)).json.user_label, 'ada');
        assert.equal((await ask(nginx[port], 'DELETE', `${place}api/bookings/${id}`)).status, 200);
        const etag = (await ask(nginx[port], 'GET', `${place}api/nodes`)).headers.etag;
        assert.equal((await ask(nginx[port], 'GET', `${place}api/nodes`, {headers: {'If-None-Match': `W/${etag}`}})).status, 304);
    });

    it(`a name that nobody verified does not reach the planner under ${place}`, async ({nginx}) => {
        const headers = {Authorization: `Basic ${Buffer.from('admin:x').toString('base64')}`, 'Remote-User': 'admin', REMOTE_USER: 'admin'};
        for (const method of ['GET', 'HEAD']) {
            const plain = await ask(nginx[port], method, `${place}api/session`);
            const forged = await ask(nginx[port], method, `${place}api/session`, {headers});
            assert.equal(forged.status, 200);
            assert.equal(forged.json?.user, plain.json?.user);
            assert.doesNotMatch(forged.text, /admin"?: ?true|"user": ?"admin"/);
        }
    });

    it(`errors under ${place}api/ are the planner's own, and nginx's are in the same form`, async ({nginx}) => {
        const own = await ask(nginx[port], 'GET', `${place}api/none`);
        assert.deepEqual([own.status, own.json], [404, {error: 'Unknown endpoint', status: 404}]);
        assert.equal((await ask(nginx[port], 'GET', `${place}api/nodes%0a`)).status, 404);
        for (const [method, target, status] of [['GET', 'api/nodes', 200], ['HEAD', 'api/nodes', 200], ['GET', 'api/none', 404], ['GET', 'api', 404],
            ['GET', 'api/metrics', 200], ['PUT', 'api/nodes', 405], ['POST', 'api/book', 400], ['POST', 'api/release', 400]]) {
            const answer = await ask(nginx[port], method, `${place}${target}`);
            assert.equal(answer.status, status, `${method} ${target}`);
            isGuarded(answer, NO_PAGE, `${method} ${target}`);
        }
        const unchanged = await ask(nginx[port], 'GET', `${place}api/nodes`, {headers: {'If-None-Match': '*'}});
        assert.equal(unchanged.status, 304);
        isGuarded(unchanged, NO_PAGE);
        const large = await announce(nginx[port], `${place}api/book`, 1_100_000);
        assert.match(large, /^HTTP\/1\.1 413 [^]*\r\nContent-Type: application\/json\r\n[^]*\r\nCache-Control: no-store\r\n/);
        assert.match(large, /\r\n\r\n\{"error": "The request body is larger than 1 MiB", "status": 413\}\n$/);
        for (const header of [/X-Content-Type-Options: nosniff/g, /Referrer-Policy: same-origin/g, /Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r/g])
            assert.equal(large.match(header)?.length, 1, String(header));
        assert.doesNotMatch(large, /no-referrer/);
        assert.notEqual((await ask(nginx[port], 'GET', `${place}.refused`)).status, 200, 'not to be had from outside');
    });
}

it('/procplan leads to /procplan/, whatever the name and port the visitor knows', async ({nginx}) => {
    const answer = await ask(nginx.port, 'GET', '/procplan?node=a');
    assert.deepEqual([answer.status, answer.headers.location], [301, '/procplan/?node=a']);
    isGuarded(answer, NO_PAGE);
});

it('too many writes from one address are refused with 429 in the API\'s form, while reads go on', async ({nginx}) => {
    const seen = [];
    await Promise.all(Array.from({length: 8}, async () => {
        for (let i = 0; i < 50; i++) seen.push(await ask(nginx.port, 'POST', '/procplan/api/book', {body: {}}));
    }));
    const statuses = [...new Set(seen.map(({status}) => status))].sort();
    assert.deepEqual(statuses, [400, 429]);
    const refused = seen.find(({status}) => status === 429);
    assert.deepEqual(refused.json, {error: 'Too many changes at once; try again in a moment', status: 429});
    assert.equal(refused.headers['retry-after'], '1');
    isGuarded(refused, NO_PAGE);
    assert.equal((await ask(nginx.port, 'GET', '/procplan/api/nodes')).status, 200);
    assert.equal((await ask(nginx.port, 'POST', '/procplan/api/availability_bulk', {body: {}})).status, 200, 'it reads');
});

it('the jobs of a whole cluster that end at one moment all give back, also when writes are at their limit', async ({nginx, host}) => {
    const call = (method, target, body) => ask(nginx.port, method, `/procplan/api/${target}`, {body});
    while ((await call('POST', 'book', {})).status !== 429) { /* nothing is left of the writes */ }
    const ends = {release: [], mark_done: []};
    await Promise.all(Object.entries(ends).flatMap(([name, seen]) => Array.from({length: 8}, async () => {
        for (let i = 0; i < 125; i++) seen.push((await call('POST', name, {booking_id: 999_999, release_token: 'x'})).status);
    })));
    for (const [name, seen] of Object.entries(ends)) assert.deepEqual([...new Set(seen)], [404], name);
    /* There is a limit all the same: with smaller numbers, which a slow machine reaches, too. */
    const places = [[path.join(host.nginx, 'snippets', 'procplan-fastcgi.conf'), 'zone=procplan_ends burst=3000', 'zone=procplan_ends burst=5'],
        [path.join(host.nginx, 'conf.d', 'procplan.conf'), 'zone=procplan_ends:1m rate=100r/s', 'zone=procplan_ends:1m rate=1r/m']];
    const change = (from, to) => {
        for (const place of places) {
            const text = fs.readFileSync(place[0], 'utf8');
            assert.ok(text.includes(place[from]), place[from]);
            fs.writeFileSync(place[0], text.replace(place[from], place[to]));
        }
        return nginx.reload();
    };
    await change(1, 2);
    let last;
    for (let i = 0; i < 10; i++) last = await call('POST', i % 2 ? 'release' : 'mark_done', {booking_id: 999_999, release_token: 'x'});
    assert.deepEqual([last.status, last.headers['retry-after']], [429, '1']);
    await change(2, 1);
});

it('when the planner is away, that is said in the API\'s form', async ({nginx, pool, host}) => {
    pools.signal(pool.pid, 'SIGTERM');
    await pool.ended;
    fs.rmSync(host.socket);
    const answer = await ask(nginx.port, 'GET', '/procplan/api/nodes');
    assert.deepEqual([answer.status, answer.json], [502, {error: 'The planner did not answer; try again', status: 502}]);
    isGuarded(answer, NO_PAGE);
    assert.equal(answer.headers['retry-after'], '2');
    assert.equal((await ask(nginx.port, 'GET', '/procplan/')).status, 200, 'the page is nginx\'s');
});

test('the snippet and procplan-server tell the planner the same, and refuse in the same words', () => {
    const folder = path.join(pools.source, 'nginx');
    const literals = fs.readFileSync(path.join(folder, 'conf.c'), 'utf8').match(/"(?:[^"\\\n]|\\.)*"/g).map((text) => JSON.parse(text)).join('');
    const table = fs.readFileSync(path.join(folder, 'conf.c'), 'utf8').matchAll(/^ {4}\{(\d+), \d+, "([^"]*)"\},$/gm);
    const read = (name) => fs.readFileSync(path.join(folder, 'host', name), 'utf8');
    const ours = read('fastcgi.conf.in').replace(/^#.*\n/gm, '') + read('snippet.conf.in').split('location = @mount@/api {')[0];
    const parameters = (text) => new Map([...text.matchAll(/fastcgi_param (\S+) ([^;]+);/g)].map(([, name, value]) => [name, value]));
    const here = parameters(ours), there = parameters(literals);
    /* These two say where the planner is mounted. */
    assert.equal(here.get('SCRIPT_NAME'), '"@mount@"');
    assert.equal(here.get('PATH_INFO'), '$fastcgi_path_info');
    for (const name of ['SCRIPT_NAME', 'PATH_INFO']) [here, there].forEach((map) => assert.ok(map.delete(name)));
    assert.ok(there.size >= 10);
    assert.deepEqual(Object.fromEntries([...here].sort()), Object.fromEntries([...there].sort()));

    const headers = (text) => new Set([...text.matchAll(/add_header (Content-Security-Policy|Referrer-Policy) ([^;"]+|"[^"]*") always;/g)].map((found) => found[0]));
    assert.equal(headers(literals).size, 3);
    assert.deepEqual(headers(read('snippet.conf.in')), headers(literals));

    for (const name of ['fastcgi_buffers', 'fastcgi_buffer_size', 'fastcgi_read_timeout', 'client_max_body_size', 'gzip_comp_level', 'gzip_min_length']) {
        const value = (text) => new RegExp(`\\b${name} [^;]+;`).exec(text)?.[0];
        assert.equal(value(ours), value(literals), name);
    }
    const words = new Map([...read('http.conf.in').matchAll(/^ {4}(\d{3}) "([^"]*)";$/gm)].map(([, status, sentence]) => [status, sentence]));
    for (const [, status, sentence] of table) {
        if (status !== '494') assert.equal(words.get(status), sentence, status); /* said before a location is known */
    }
});

test('the snippet and every example say the same of the page and of what nginx refuses, and nothing of what the planner answers', () => {
    const folder = path.join(pools.source, 'nginx');
    const examples = fs.readdirSync(path.join(folder, 'examples')).filter((name) => name.endsWith('.conf'));
    assert.ok(examples.length >= 3);
    for (const file of ['host/snippet.conf.in', ...examples.map((name) => `examples/${name}`)]) {
        const text = fs.readFileSync(path.join(folder, file), 'utf8').replaceAll(/^@redirect@ /gm, '').replaceAll(/^#.*\n/gm, '').replaceAll('@mount@', '/procplan');
        const blocks = [...text.matchAll(/^location ([^{]+) \{\n([^]*?)^\}/gm)];
        let pages = 0, calls = 0;
        for (const [, name, body] of blocks) {
            const headers = Object.fromEntries([...body.matchAll(/add_header (X-Content-Type-Options|Referrer-Policy|Content-Security-Policy) ("[^"]*"|\S+) always;/g)]
                .map(([, header, value]) => [header, value.replaceAll('"', '')]));
            const wanted = (policy) => ({'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin', 'Content-Security-Policy': policy});
            if (/^ *alias /m.test(body)) {
                pages += 1;
                assert.deepEqual(headers, wanted(PAGE), `${file}: ${name}`);
            } else if (/procplan-fastcgi\.conf/.test(body)) {
                calls += 1;
                assert.deepEqual(headers, {}, `${file}: ${name}`);
            } else if (/^ *return /m.test(body)) {
                assert.deepEqual(headers, wanted(NO_PAGE), `${file}: ${name}`);
            } else {
                assert.match(body, /proxy_pass/, `${file}: ${name}`);
            }
        }
        assert.ok(pages === 1 && calls >= 2, file);
    }
});
