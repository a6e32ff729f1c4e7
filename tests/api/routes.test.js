'use strict';
/* What is the same for every call: unknown paths, methods, content types, foreign pages, health. */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, book, tryToBook} = require('./fixtures.js');
const {CONFIG, rawRequest, request, suite} = require('./harness.js');

const it = suite({config: {...CONFIG, allowed_origins: ['https://planner.example.org']}});

for (const target of ['/api/', '/api/nope', '/api/nodes/', '/api/nodes/x', '/api/Nodes', '/api/book/1', '/api/%6eope',
    '/api/../api/nope', '/api/nodes%2f', '/api/availabilit', '/api/availabilityx', '/api//']) {
    it(`GET ${target} is an unknown endpoint`, async (server) => {
        assertRefused(await request(server, 'GET', target), 404, 'Unknown endpoint');
    });
}

it('an unknown endpoint is one for every method', async (server) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
        assertRefused(await request(server, method, '/api/nope', {body: '{}'}), 404, 'Unknown endpoint');
});

const KNOWN = [
    ['/api/nodes', ['GET', 'HEAD']],
    ['/api/availability', ['GET', 'HEAD']],
    ['/api/availability_bulk', ['POST']],
    ['/api/book', ['POST']],
    ['/api/mark_done', ['POST']],
    ['/api/reload_config', ['POST']],
    ['/api/health', ['GET', 'HEAD']],
    ['/api/timeline', ['GET', 'HEAD']],
    ['/api/events', ['GET', 'HEAD']],
];
for (const [target, methods] of KNOWN) {
    it(`${target} with another method is a 405 that allows ${methods.join(', ')}`, async (server) => {
        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((m) => !methods.includes(m))) {
            const answer = await request(server, method, target, {body: method === 'GET' || method === 'HEAD' ? undefined : '{}'});
            assert.equal(answer.status, 405, method);
            assert.deepEqual(answer.headers.allow.split(/\s*,\s*/).sort(), [...methods].sort());
            if (method !== 'HEAD') assertRefused(answer, 405);
        }
    });
}

it('/api/bookings/ID with a method nobody knows is a 405 that allows DELETE', async (server) => {
    for (const method of ['PUT', 'POST', 'OPTIONS']) {
        const answer = await request(server, method, '/api/bookings/1', {body: '{}'});
        assertRefused(answer, 405);
        assert.ok(answer.headers.allow.split(/\s*,\s*/).includes('DELETE'));
    }
});

it('a method that no HTTP has is refused', async (server) => {
    const answer = await rawRequest(server, 'BREW /api/nodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.ok(answer.status === 405 || answer.status === 400, String(answer.status));
});

/* -- content types -------------------------------------------------------------------------------------------- */

for (const [index, type] of ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'text/plain; charset=latin-1',
    'multipart/form-data; boundary=x', 'nonsense', ''].entries()) {
    it(`a body of type "${type}" is read as JSON`, async (server) => {
        await book(server, {
            node_id: 'beta', start: `2031-01-06T0${index}:00`, end: `2031-01-06T0${index}:30`, user_label: 'ada', gpu_count: 1,
        }, {'Content-Type': type});
    });
}

/* -- writes from foreign pages -------------------------------------------------------------------------------- */

const WRITES = [
    ['POST', '/api/book', {node_id: 'beta', start: '2031-02-01', end: '2031-02-02', user_label: 'eve', gpu_count: 1, dry_run: true}, 200],
    ['POST', '/api/mark_done', {booking_id: 999999}, 404],
    ['DELETE', '/api/bookings/999999', undefined, 404],
    ['POST', '/api/reload_config', undefined, 200],
];
for (const [method, target, body, allowed] of WRITES) {
    const call = (server, headers) => request(server, method, target, {body, headers});

    for (const site of ['cross-site', 'same-site', 'nonsense']) {
        it(`${method} ${target} is refused when Sec-Fetch-Site is ${site}`, async (server) => {
            assertRefused(await call(server, {'Sec-Fetch-Site': site}), 403);
        });
    }

    it(`${method} ${target} is accepted when Sec-Fetch-Site is same-origin or none`, async (server) => {
        for (const site of ['same-origin', 'none']) assert.equal((await call(server, {'Sec-Fetch-Site': site})).status, allowed);
    });

    it(`${method} ${target} is refused when Origin is not the Host's`, async (server) => {
        for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${server.port + 1}`, `http://127.0.0.1:${server.port}.evil.example`,
            'https://planner.example.org.evil.example', 'https://planner.example.org:8443', 'http://planner.example.org', 'https://'])
            assertRefused(await call(server, {Origin: origin}), 403);
    });

    it(`${method} ${target} is accepted when Origin is the Host's, or an allowed one`, async (server) => {
        for (const origin of [`http://127.0.0.1:${server.port}`, 'https://planner.example.org'])
            assert.equal((await call(server, {Origin: origin})).status, allowed, origin);
        assert.equal((await call(server, {Host: `localhost:${server.port}`, Origin: `http://localhost:${server.port}`})).status, allowed);
    });
}

it('an allowed origin may be on another site', async (server) => {
    const headers = {'Sec-Fetch-Site': 'cross-site', Origin: 'https://planner.example.org'};
    assert.equal((await request(server, 'POST', '/api/mark_done', {body: {booking_id: 999999}, headers})).status, 404);
});

it('reading is not refused for where the page comes from', async (server) => {
    for (const headers of [{'Sec-Fetch-Site': 'cross-site'}, {Origin: 'http://evil.example'}]) {
        assert.equal((await request(server, 'GET', '/api/nodes', {headers})).status, 200);
        assert.equal((await request(server, 'GET', '/api/availability?node_id=beta', {headers})).status, 200);
    }
});

it('no answer lets a foreign page read it', async (server) => {
    const answer = await request(server, 'GET', '/api/nodes', {headers: {Origin: 'http://evil.example'}});
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
});

it('a Host that is not this machine is not answered: a foreign name may have been pointed here', async (server) => {
    for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '192.0.2.1']) {
        const answer = await rawRequest(server, `GET /api/nodes HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        assert.ok(answer.status === 0 || (answer.status >= 400 && answer.status < 500), `${host}: ${answer.status}`);
        assert.doesNotMatch(answer.text, /gpu/);
    }
    for (const host of ['localhost', `localhost:${server.port}`, '127.0.0.1', `[::1]:${server.port}`, '[::1]']) {
        const answer = await rawRequest(server, `GET /api/nodes HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        assert.equal(answer.status, 200, host);
    }
});

/* -- health --------------------------------------------------------------------------------------------------- */

it('health is 200 while the database answers, and is never kept', async (server) => {
    const answer = await request(server, 'GET', '/api/health', {headers: {'If-None-Match': '*'}});
    assert.equal(answer.status, 200);
    assert.equal(typeof answer.json, 'object');
    assert.match(answer.headers['cache-control'], /\bno-store\b/);
    assert.equal(answer.headers.etag, undefined);
    assert.equal((await request(server, 'HEAD', '/api/health')).status, 200);
});

it('a POST without a body and without a length is an empty object', async (server) => {
    const answer = await rawRequest(server, 'POST /api/book HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assertRefused(answer, 400, "Fields 'node_id', 'start', and 'end' are required");
});

it('answers to a mistake are not kept by anybody', async (server) => {
    const answer = await request(server, 'GET', '/api/availability?node_id=nowhere', {headers: {'If-None-Match': '*'}});
    assertRefused(answer, 400);
    assert.equal(answer.headers.etag, undefined);
    assertHas(answer.json, {status: 400});
});

it('a body that is sent with GET does not disturb', async (server) => {
    assert.equal((await request(server, 'GET', '/api/nodes', {body: '{"x":1}'})).status, 200);
    assertRefused(await tryToBook(server, ''), 400);
});
