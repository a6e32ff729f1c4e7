'use strict';
/* ETag and If-None-Match on every GET, as clients and proxies use them. */
const assert = require('node:assert/strict');
const zlib = require('node:zlib');
const {book, cancel, reload} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const it = suite();
const TARGETS = [
    '/api/nodes',
    '/api/availability?node_id=alpha&start=2031-01-06&end=2031-01-08',
    '/api/availability?node_id=alpha&start=2031-01-06&end=2031-01-08&granularity=day',
    '/api/availability?node_id=alpha',
];
const get = (server, target, headers) => request(server, 'GET', target, {headers});

for (const target of TARGETS) {
    it(`${target} has an ETag and answers it with 304`, async (server) => {
        const first = await get(server, target);
        assert.match(first.headers.etag, /^"[\x21\x23-\x7e]+"$/);
        assert.match(first.headers['cache-control'], /\bno-cache\b/);
        const second = await get(server, target, {'If-None-Match': first.headers.etag});
        assert.equal(second.status, 304);
        assert.equal(second.bytes.length, 0);
        assert.equal(second.headers.etag, first.headers.etag);
        assert.equal(second.headers['content-type'], undefined);
        const head = await request(server, 'HEAD', target, {headers: {'If-None-Match': first.headers.etag}});
        assert.equal(head.status, 304);
    });

    it(`${target}: a weak tag, a list and * match too, others do not`, async (server) => {
        const {etag} = (await get(server, target)).headers;
        for (const header of [`W/${etag}`, `"x", ${etag}`, `W/"x",W/${etag} , "y"`, `${etag},`, '*', ' * '])
            assert.equal((await get(server, target, {'If-None-Match': header})).status, 304, header);
        for (const header of ['"x"', 'W/"x"', etag.slice(1, -1), etag.toUpperCase().replace(/^"/, '"x'), `${etag.slice(0, -1)}x"`, '""', '"', ',', 'W/'])
            assert.equal((await get(server, target, {'If-None-Match': header})).status, 200, header);
    });

    it(`${target}: a write changes the tag, and the old one gives the new answer`, async (server) => {
        const before = await get(server, target);
        const made = await book(server, {
            node_id: 'alpha', start: '2031-01-06T10:00', end: '2031-01-06T12:00', user_label: 'ada', gpu_ids: ['gpu0'],
        });
        const booked = await get(server, target, {'If-None-Match': before.headers.etag});
        assert.equal(booked.status, 200);
        assert.notEqual(booked.headers.etag, before.headers.etag);
        await cancel(server, made.booking_id);
        const ended = await get(server, target, {'If-None-Match': `${before.headers.etag}, ${booked.headers.etag}`});
        assert.equal(ended.status, 200);
        assert.equal((await get(server, target, {'If-None-Match': ended.headers.etag})).status, 304);
    });
}

it('every worker gives the same tag', async (server) => {
    const tags = new Set();
    for (let i = 0; i < 64; i++) tags.add((await get(server, '/api/nodes')).headers.etag);
    assert.equal(tags.size, 1);
});

it('a reload that changes something changes the tag', async (server) => {
    const before = await get(server, '/api/nodes');
    server.writeConfig({nodes: [{id: 'alpha', gpus: [{id: 'gpu0'}]}]});
    assert.equal((await reload(server)).status, 200);
    const after = await get(server, '/api/nodes', {'If-None-Match': before.headers.etag});
    assert.equal(after.status, 200);
    assert.deepEqual(after.json.nodes.map((node) => node.id), ['alpha']);
});

it('a compressed answer has the same content, and its weak tag gives 304', async (server) => {
    const target = TARGETS[1];
    const plain = await get(server, target);
    const packed = await get(server, target, {'Accept-Encoding': 'gzip'});
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.match(packed.headers.vary ?? '', /accept-encoding/i);
    assert.deepEqual(JSON.parse(zlib.gunzipSync(packed.bytes)), plain.json);
    assert.match(packed.headers.etag, /^W\//);
    const again = await get(server, target, {'Accept-Encoding': 'gzip', 'If-None-Match': packed.headers.etag});
    assert.equal(again.status, 304);
});

it('a bad request is refused whatever If-None-Match says', async (server) => {
    assert.equal((await get(server, '/api/availability?node_id=nowhere', {'If-None-Match': '*'})).status, 400);
    assert.equal((await get(server, '/api/nope', {'If-None-Match': '*'})).status, 404);
});

it('a write is not an answer to keep', async (server) => {
    const answer = await request(server, 'POST', '/api/book', {
        body: {node_id: 'alpha', start: '2031-05-06T10:00', end: '2031-05-06T12:00', user_label: 'ada', gpu_count: 1},
        headers: {'If-None-Match': '*'},
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.etag, undefined);
    assert.match(answer.headers['cache-control'], /\bno-(store|cache)\b/);
});
