'use strict';
/*
 * Bad input of every kind: always a 4xx with a sentence, never a 5xx, a hang or a lost worker. Each test ends with the
 * pool as it was.
 */
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const {assertRefused} = require('./fixtures.js');
const {rawRequest, request, suite} = require('./harness.js');

const suiteIt = suite({workers: 2});
let workers = null;

/* A test whose workers must all survive it. */
const it = (name, body) => suiteIt(name, async (server, t) => {
    workers ??= server.workers();
    assert.equal(workers.length, 2);
    await body(server, t);
    assert.equal((await request(server, 'GET', '/api/health')).status, 200);
    assert.deepEqual(server.workers(), workers, `a worker was lost:\n${server.stderr.slice(-4000)}`);
});

const MEGABYTE = 1024 * 1024;
const BODY_ROUTES = ['/api/book', '/api/mark_done', '/api/availability_bulk'];
const post = (server, target, body) => request(server, 'POST', target, {body});

/* A refusal of any kind, or, where MAY says so, a 200: never a 5xx. */
function assertClientFault(answer, shown, {may = []} = {}) {
    if (may.includes(answer.status)) return;
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} for ${shown}: ${answer.text.slice(0, 200)}`);
    assertRefused(answer, answer.status);
}

/* -- wrong values, field by field ----------------------------------------------------------------------------- */

/* As JSON text, because some of it no JSON.stringify would write. */
const VALUES = [
    'true', '-1', '1.5', '-0.0', '1e400', '-1e400', '1e-400', '1E+99', '123456789012345678901234567890', '9223372036854775807',
    '9223372036854775808', '-9223372036854775809', '18446744073709551616', '0.1e1', '""', '" "', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"',
    '"\\uD83D"', '"\\u202e"', '"\u2028"', '"\\ufffe\\uffff"', '"%s%n%d"', '"../../etc/passwd"', "\"' OR 1=1 --\"", '"\\\\"', '[]', '[[]]', '{}', '{"a":{}}', '[null]',
    '[1.5]', '[true]', '[{}]', `"${'x'.repeat(10_000)}"`, `[${Array(10_000).fill('"gpu0"')}]`, `"${'\u{1F600}'.repeat(5000)}"`,
    '"9999-12-31T23:59:59.999999"', '"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00+23:59"', '"0001-01-01"', '"2031-W54-1"', '"2031-W01-8"',
    '"-2031-01-01"', '"+2031-01-01"', '"2031-01-01T00:00+99:99"', '"2031-01-01T00:00:60"', `"2031-01-01T00:00:00.${'9'.repeat(1000)}"`,
    '"２０３１-０１-０１"', '"2031\\u201101\\u201101"',
];
const FIELDS = {
    '/api/book': {
        node_id: '"alpha"', start: '"2031-01-06"', end: '"2031-01-07"', user_label: '"ada"', gpu_ids: '["gpu0"]', gpu_count: '1',
        priority: '"low"', note: '"n"', dry_run: 'true',
    },
    '/api/mark_done': {booking_id: '999999'},
    '/api/availability_bulk': {node_ids: '["alpha"]', start: '"2031-01-06"', end: '"2031-01-07"', granularity: '"hour"'},
};
/* What a wrong value may still mean: a valid booking (a dry run), no such booking, an empty list. */
for (const [target, fields] of Object.entries(FIELDS)) {
    for (const name of Object.keys(fields)) {
        it(`${target}: no value of ${name} breaks it`, async (server) => {
            for (const value of VALUES) {
                const members = Object.entries({...fields, [name]: value}).map(([key, text]) => `"${key}":${text}`);
                const answer = await post(server, target, `{${members.join(',')}}`);
                assertClientFault(answer, `${name} ${value.slice(0, 60)}`, {may: [200, 201]});
            }
        });
    }
}

/* -- text that is no JSON, or not ours ------------------------------------------------------------------------ */

const utf8 = (...bytes) => Buffer.concat([Buffer.from('{"user_label":"'), Buffer.from(bytes), Buffer.from('","booking_id":1}')]);
const BROKEN = {
    'a brace': '{', 'a lone quote': '"', 'text': 'hello', 'a form': 'node_id=alpha&start=2031-01-06', 'XML': '<?xml version="1.0"?><a/>',
    'NaN': '{"gpu_count":NaN}', 'Infinity': '{"gpu_count":Infinity}', '-Infinity': '{"gpu_count":-Infinity}',
    'a number with a zero in front': '{"gpu_count":01}', 'a number with a plus': '{"gpu_count":+1}', 'a hexadecimal number': '{"gpu_count":0x1}',
    'a number without a fraction': '{"gpu_count":1.}', 'a comment': '{/* */}', 'single quotes': "{'a':1}", 'a comma too many': '{"a":1,}',
    'a value behind the value': '{}{}', 'garbage behind the value': '{} x', 'a NUL behind the value': '{}\0', 'a BOM': '\ufeff{}',
    'a control byte in a text': '{"user_label":"a\u0001b"}', 'a line end in a text': '{"user_label":"a\nb"}', 'a tab in a text': '{"user_label":"a\tb"}',
    'an unknown escape': '{"user_label":"\\x41"}', 'half an escape': '{"user_label":"\\u00"}', 'a lone high surrogate': '{"user_label":"\\ud83d"}',
    'a lone low surrogate': '{"user_label":"\\ude00"}', 'surrogates in the wrong order': '{"user_label":"\\ude00\\ud83d"}',
    'a NUL in a text': '{"user_label":"a\\u0000b"}', 'a NUL in a key': '{"user_label\\u0000":"a"}', 'a key twice': '{"user_label":"a","user_label":"b"}',
    'a key twice, once escaped': '{"user_label":"a","user\\u005flabel":"b"}', 'a key twice further in': '{"x":[{"y":1,"y":2}]}',
    'a byte that is no UTF-8': utf8(0xff), 'an overlong slash': utf8(0xc0, 0xaf), 'an overlong NUL': utf8(0xe0, 0x80, 0x80), 'a surrogate as UTF-8': utf8(0xed, 0xa0, 0x80),
    'a character beyond U+10FFFF': utf8(0xf4, 0x90, 0x80, 0x80), 'half a character': utf8(0xe2, 0x82), 'a continuation byte alone': utf8(0x80),
    'UTF-16': Buffer.from('{"booking_id":1}', 'utf16le'),
    'a thousand brackets': '['.repeat(1000), 'half a million brackets': '['.repeat(500_000), 'deep objects': '{"a":'.repeat(200_000),
    'deep and closed': `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'seventeen levels': `{"x":${'['.repeat(17)}${']'.repeat(17)}}`,
};
for (const [name, body] of Object.entries(BROKEN)) {
    it(`${name} is refused by every route with a body`, async (server) => {
        for (const target of BODY_ROUTES) {
            const answer = await post(server, target, body);
            assertRefused(answer, 400, /^Invalid JSON payload: /);
        }
    });
}

it('half a million members, a long array, and a long text are read or refused in time', async (server) => {
    const members = Array.from({length: 60_000}, (_, index) => `"k${index}":${index}`).join(',');
    const bodies = [`{${members}}`, `{"node_ids":[${Array(200_000).fill(1)}]}`, `{"user_label":"${'x'.repeat(1_000_000)}"}`];
    for (const target of BODY_ROUTES)
        for (const body of bodies) assertClientFault(await post(server, target, body), body.slice(0, 40), {may: [200]});
});

it('a node that is asked for half a million times is answered or refused in time', async (server) => {
    const window = '"start":"2031-01-01","end":"2031-01-02","granularity":"day"';
    for (const id of ['"beta"', '"empty"', '7']) {
        const ids = Array(Math.floor((MEGABYTE - 200) / (id.length + 1))).fill(id).join(',');
        assertClientFault(await post(server, '/api/availability_bulk', `{${window},"node_ids":[${ids}]}`), id, {may: [200]});
    }
});

/* -- sizes and lengths ---------------------------------------------------------------------------------------- */

it('a body of 1 MiB is read, one of a byte more is a 413', async (server) => {
    const fill = (size) => `{"x":"${'y'.repeat(size - 8)}"}`;
    for (const target of BODY_ROUTES) {
        assert.equal(fill(MEGABYTE).length, MEGABYTE);
        const fits = await post(server, target, fill(MEGABYTE));
        assert.ok(fits.status === 200 || fits.status === 400, String(fits.status));
        assertRefused(await post(server, target, fill(MEGABYTE + 1)), 413);
    }
});

it('a body of 20 MB is a 413 too, and nobody waits for all of it', async (server) => {
    const answer = await rawRequest(server, Buffer.concat([
        Buffer.from(`POST /api/book HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${20 * MEGABYTE}\r\n\r\n`),
        Buffer.alloc(1000, 'x'),
    ]));
    assertRefused(answer, 413);
});

const head = (length, more = '') => `POST /api/mark_done HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}` +
    (length === undefined ? '' : `Content-Length: ${length}\r\n`) + '\r\n';

it('a body longer than its Content-Length is cut there', async (server) => {
    assertRefused(await rawRequest(server, `${head(2)}{"booking_id":1}`), 400);
});

it('a body shorter than its Content-Length is never acted on', async (server) => {
    const answer = await rawRequest(server, `${head(100)}{"booking_id":1}`, {end: true});
    assert.ok(answer.status === 0 || (answer.status >= 400 && answer.status < 500), String(answer.status));
});

for (const length of ['-1', 'abc', '1x', '0x10', '99999999999999999999999', '1, 2', '1.5', '', ' ', '+1']) {
    it(`a Content-Length of "${length}" is refused or an empty body`, async (server) => {
        const answer = await rawRequest(server, `${head(length)}{"booking_id":999999}`);
        assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    });
}

it('two Content-Lengths, and one with chunks, are refused', async (server) => {
    const both = `${head(20, 'Content-Length: 5\r\n')}{"booking_id":999999}`;
    const mixed = `${head(20, 'Transfer-Encoding: chunked\r\n')}5\r\n{"boo\r\n0\r\n\r\n`;
    for (const bytes of [both, mixed]) {
        const answer = await rawRequest(server, bytes);
        assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    }
});

const chunked = (...chunks) => `POST /api/mark_done HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n` +
    chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join('');

it('a chunked body is read whole', async (server) => {
    const answer = await rawRequest(server, chunked('{"booking', '_id":', '999999}', ''));
    assertRefused(answer, 404, "Booking '999999' is not active or does not exist");
});

it('broken chunks are refused', async (server) => {
    for (const bytes of ['zz\r\n{}\r\n0\r\n\r\n', '-5\r\n{}\r\n0\r\n\r\n', 'fffffffffffffffff\r\n{}\r\n0\r\n\r\n']) {
        const answer = await rawRequest(server, chunked() + bytes, {end: true});
        assert.ok(answer.status === 0 || (answer.status >= 400 && answer.status < 500), String(answer.status));
    }
});

it('a chunked body beyond 1 MiB is a 413', async (server) => {
    const answer = await rawRequest(server, chunked(...Array.from({length: 17}, () => 'x'.repeat(65_536)), ''));
    assertRefused(answer, 413);
});

/* -- paths and queries ---------------------------------------------------------------------------------------- */

const line = (target, method = 'GET') => `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

for (const target of ['/api/%zz', '/api/%', '/api/%0', '/api/nodes%00', '/api/bookings/%00', '/api/%00nodes', '/api/nodes/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '/api/../../etc/passwd', '/api/..%2f..%2fetc%2fpasswd', '/api/%ff', '/api/bookings/%ff', '/api/bookings/%0a', '/api/\u0001', '/api/\u007f',
    `/api/${'x'.repeat(3000)}`, `/api/bookings/${'1'.repeat(3000)}`, `/api${'/'.repeat(3000)}`, `/api${'/..'.repeat(900)}`]) {
    for (const method of ['GET', 'DELETE']) {
        it(`${method} ${target.slice(0, 60)} is refused`, async (server) => {
            const answer = await rawRequest(server, Buffer.from(line(target, method), 'latin1'));
            assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
            assert.doesNotMatch(answer.text, /root:/);
        });
    }
}

for (const query of ['node_id=%zz', 'node_id=%', 'node_id=%e', 'node_id=%00', 'node_id=alpha%00', 'node_id=%ff', 'node_id=%c0%af', 'node_id=%ed%a0%80',
    'start=%00&node_id=alpha', 'node_id', '&&&', '=alpha', '%6eode_id', 'node_id[]=alpha', 'node_id=a&'.repeat(700), `x=${'y'.repeat(7000)}`, '%00=1', '%ff=%ff', 'a=1;b=2', '?', '#']) {
    it(`the query ${query.slice(0, 60)} is refused`, async (server) => {
        const answer = await rawRequest(server, line(`/api/availability?${query}`));
        assertRefused(answer, 400);
    });
}

it('a query that is longer than any web server takes is refused', async (server) => {
    const answer = await rawRequest(server, line(`/api/availability?node_id=${'x'.repeat(100_000)}`));
    assert.ok(answer.status === 414 || answer.status === 400 || answer.status === 0, String(answer.status));
});

it('headers that are too large, too many or no headers are refused', async (server) => {
    const many = Array.from({length: 5000}, (_, index) => `X-${index}: y`).join('\r\n');
    for (const headers of [`X: ${'y'.repeat(100_000)}`, many, 'no colon here', ': no name', 'X\u0000Y: 1']) {
        const answer = await rawRequest(server, `GET /api/nodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n\r\n`);
        assert.ok(answer.status === 0 || answer.status === 200 || (answer.status >= 400 && answer.status < 500), String(answer.status));
    }
});

it('long values in the headers that are read do no harm', async (server) => {
    const long = 'x'.repeat(7000);
    const headers = {'If-None-Match': `"${long}"`, 'Idempotency-Key': long, 'Procplan-User': long, Origin: `http://${long}`};
    for (const [name, value] of Object.entries(headers)) {
        assert.equal((await request(server, 'GET', '/api/nodes', {headers: {[name]: value}})).status, 200);
        const answer = await request(server, 'POST', '/api/book', {body: '{}', headers: {[name]: value}});
        assertClientFault(answer, name);
    }
});

it('bytes that are not UTF-8 in the headers that are read do no harm', async (server) => {
    const bytes = '\xff\xc0\xaf\xed\xa0\x80'; /* sent as these bytes */
    for (const name of ['If-None-Match', 'Idempotency-Key', 'Procplan-User', 'Origin', 'Sec-Fetch-Site', 'User-Agent', 'Cookie']) {
        assert.ok((await request(server, 'GET', '/api/nodes', {headers: {[name]: bytes}})).status < 500, name);
        assertClientFault(await request(server, 'POST', '/api/book', {body: '{}', headers: {[name]: bytes}}), name);
    }
});

/* -- anything ------------------------------------------------------------------------------------------------- */

/* A stream of random bytes that a seed decides. */
function randomStream(seed) {
    const cipher = crypto.createCipheriv('aes-128-ctr', crypto.createHash('md5').update(seed).digest(), Buffer.alloc(16));
    return (size) => cipher.update(Buffer.alloc(size));
}

it('random bytes as bodies, and broken copies of good ones', async (server, t) => {
    const seed = process.env.SEED || String(Date.now());
    t.diagnostic(`SEED=${seed}`);
    const random = randomStream(seed);
    const below = (limit) => random(4).readUInt32LE() % limit;
    for (let i = 0; i < 300; i++) {
        const target = BODY_ROUTES[i % BODY_ROUTES.length];
        const good = Buffer.from(`{${Object.entries({...FIELDS[target]}).map(([key, text]) => `"${key}":${text}`).join(',')}}`);
        let body = random(below(200));
        if (i % 4 !== 0) {
            body = Buffer.from(good);
            for (let change = below(4); change >= 0; change--) body[below(body.length)] = random(1)[0];
            if (i % 4 === 1) body = body.subarray(0, below(body.length));
        }
        const answer = await post(server, target, body);
        assertClientFault(answer, `SEED=${seed}, round ${i}: ${JSON.stringify(body.toString('latin1'))}`, {may: [200, 201]});
    }
});

it('random bytes as requests', async (server, t) => {
    const seed = process.env.SEED || String(Date.now());
    t.diagnostic(`SEED=${seed}`);
    const random = randomStream(`requests ${seed}`);
    for (let i = 0; i < 60; i++) {
        const bytes = random(1 + random(1)[0]);
        const framed = i % 2 === 0 ? bytes : Buffer.concat([Buffer.from('GET /api/'), bytes, Buffer.from(' HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')]);
        const answer = await rawRequest(server, framed, {end: true});
        assert.ok(answer.status < 500, `SEED=${seed}, round ${i}: ${answer.status}`);
    }
});
