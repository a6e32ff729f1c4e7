'use strict';
/* GET /api/session: who the viewer is, as the server sees it. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {assertHas, assertRefused, reload} = require('./fixtures.js');
const {CONFIG, build, execFileSync, request, suite, temporaryFolder} = require('./harness.js');

const it = suite();
const session = (server, headers) => request(server, 'GET', '/api/session', {headers});

it('in open mode nobody is anybody until they say so', async (server) => {
    const answer = await session(server);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.deepEqual(Object.keys(answer.json).sort(), ['admin', 'claimed', 'limits', 'mode', 'now', 'user', 'version']);
    assertHas(answer.json, {mode: 'open', user: null, claimed: false, admin: false});
    assert.match(answer.json.version, /^\d+\.\d+\.\d+$/);
});

it('Procplan-User is a claim, and marked as one', async (server) => {
    assertHas((await session(server, {'Procplan-User': ' ada '})).json, {user: 'ada', claimed: true, admin: false});
    const name = Buffer.from('Zoë 🚀').toString('latin1');
    assertHas((await session(server, {'Procplan-User': name})).json, {user: 'Zoë 🚀', claimed: true});
});

it('a name that is none is no claim', async (server) => {
    for (const name of ['', '  ', 'x'.repeat(65), '\x80', Buffer.from('a\u0085b').toString('latin1')])
        assertHas((await session(server, {'Procplan-User': name})).json, {user: null, claimed: false});
    assertHas((await session(server, {'Procplan-User': 'x'.repeat(64)})).json, {claimed: true});
});

it('nobody becomes a user or an administrator by a header of the web server\'s', async (server) => {
    const answer = await session(server, {
        'Remote-User': 'root', 'X-Remote-User': 'root', 'X-Forwarded-User': 'root', 'Authorization': 'Basic cm9vdDp4',
    });
    assertHas(answer.json, {user: null, claimed: false, admin: false});
});

it('it has an entity tag, which is one viewer\'s and one second\'s', async (server) => {
    const before = Math.floor(Date.now() / 1000);
    const answer = await session(server);
    assert.equal(answer.status, 200);
    assert.match(answer.json.now, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    const now = Date.parse(answer.json.now) / 1000;
    assert.ok(now >= before && now <= Date.now() / 1000, answer.json.now);
    const named = await session(server, {'Procplan-User': 'ada', 'If-None-Match': answer.headers.etag});
    assert.equal(named.status, 200);
    assert.notEqual(named.headers.etag, answer.headers.etag);
    assert.equal((await session(server, {'If-None-Match': '*'})).status, 304);
    /* The server's clock for whole seconds (time(2)) ticks some milliseconds after this one. */
    while (Date.now() < (now + 1) * 1000 + 100) await new Promise((done) => setTimeout(done, 50));
    const later = await session(server, {'If-None-Match': answer.headers.etag});
    assert.equal(later.status, 200);
    assert.notEqual(later.json.now, answer.json.now);
});

it('limits are those of the configuration, null where there is none', async (server) => {
    assert.deepEqual((await session(server)).json.limits, {
        max_booking_hours: 8784, max_days_ahead: null, max_gpus_per_booking: null, max_active_gpu_hours_per_user: null, allow_past: true,
    });
    const limits = {
        max_booking_hours: 48, max_days_ahead: 90, max_gpus_per_booking: 2, max_active_gpu_hours_per_user: 500, allow_past: false,
    };
    server.writeConfig({...CONFIG, limits});
    assert.equal((await reload(server)).status, 200);
    for (let i = 0; i < 16; i++) assert.deepEqual((await session(server)).json.limits, limits);
    server.writeConfig(CONFIG);
    assert.equal((await reload(server)).status, 200);
});

/* As a plain CGI, whose web server has let somebody in. */
test('whom the web server names is no claim', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(CONFIG));
    const output = execFileSync(path.join(build, 'procplan-fcgi'), [], {
        env: {
            ...process.env, GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', PATH_INFO: '/api/session', QUERY_STRING: '',
            REMOTE_USER: 'ada', HTTP_PROCPLAN_USER: 'root', PROCPLAN_CONFIG: path.join(folder, 'config.json'),
            PROCPLAN_DATABASE: path.join(folder, 'procplan.db'),
        },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.match(output, /^Status: 200 OK\r\n/);
    assertHas(JSON.parse(output.split('\r\n\r\n')[1]), {user: 'ada', claimed: false, admin: false});
});

it('it is read only', async (server) => {
    const answer = await request(server, 'POST', '/api/session', {body: {user: 'root'}});
    assertRefused(answer, 405);
    assert.match(answer.headers.allow, /\bGET\b/);
});
