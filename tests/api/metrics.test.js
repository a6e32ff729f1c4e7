'use strict';
/* GET /api/metrics: the pool's numbers, whichever worker answers. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {assertRefused, book, cancel, markDone} = require('./fixtures.js');
const {parseExposition, promtool} = require('./exposition.js');
const {CONFIG, build, execFileSync, request, serverMissing, startServer, temporaryFolder, until} = require('./harness.js');

const WORKERS = 4;
/* One server a test, as each counts from nothing. */
const it = (name, body) => test(name, {skip: serverMissing()}, async () => {
    const server = await startServer({workers: WORKERS});
    try {
        await body(server);
    } finally {
        await server.stop();
    }
});

async function metrics(server) {
    const answer = await request(server, 'GET', '/api/metrics');
    assert.equal(answer.status, 200, answer.text);
    return parseExposition(answer.text);
}
/* The value of one sample; its labels must be exactly LABELS. */
function value(families, name, labels = {}) {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    assert.ok(family, `no family ${name}`);
    const wanted = JSON.stringify(Object.entries(labels).sort());
    const found = family.samples.filter((s) => s.name === name && JSON.stringify(Object.entries(s.labels).sort()) === wanted);
    assert.equal(found.length, 1, `${name} ${wanted}`);
    return found[0].value;
}
const requests = (families, route, statusClass = '2xx') =>
    value(families, 'procplan_requests_total', {route, status_class: statusClass});
const workers = (families, state) => value(families, 'procplan_workers', {state});
async function many(count, make) {
    for (let left = count; left > 0; left -= 16) await Promise.all(Array.from({length: Math.min(16, left)}, make));
}

it('it is Prometheus\' text, is not kept, and has everything once', async (server) => {
    const answer = await request(server, 'GET', '/api/metrics', {headers: {'If-None-Match': '*'}});
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers.etag, undefined);
    const types = Object.fromEntries([...parseExposition(answer.text).values()].map(({name, type}) => [name, type]));
    assert.deepEqual(types, {
        procplan_build_info: 'gauge',
        procplan_requests_total: 'counter',
        procplan_request_duration_seconds: 'histogram',
        procplan_workers: 'gauge',
        procplan_worker_restarts_total: 'counter',
        procplan_workers_killed_at_deadline_total: 'counter',
        procplan_bookings: 'gauge',
        procplan_nodes: 'gauge',
        procplan_gpus: 'gauge',
        procplan_revision: 'gauge',
        procplan_wal_bytes: 'gauge',
    });
    if (promtool) {
        const judged = spawnSync(promtool, ['check', 'metrics'], {input: answer.text, encoding: 'utf8'});
        assert.equal(judged.status, 0, judged.stdout + judged.stderr);
    }
});

it('requests are summed over the workers, each in its route and class', async (server) => {
    const {etag} = (await request(server, 'GET', '/api/nodes')).headers;
    await many(399, () => request(server, 'GET', '/api/nodes'));
    await many(40, () => request(server, 'GET', '/api/nodes', {headers: {'If-None-Match': etag}}));
    await many(30, () => request(server, 'HEAD', '/api/nodes'));
    await many(20, () => request(server, 'GET', '/api/availability?node_id=nowhere'));
    await many(10, () => request(server, 'GET', '/api/what/ever/1'));
    await request(server, 'DELETE', '/api/nodes');
    const families = await metrics(server);
    assert.equal(requests(families, '/api/nodes'), 430);
    assert.equal(requests(families, '/api/nodes', '3xx'), 40);
    assert.equal(requests(families, '/api/nodes', '4xx'), 0);
    assert.equal(requests(families, '/api/availability', '4xx'), 20);
    assert.equal(requests(families, 'other', '4xx'), 11);
    const of = {route: '/api/nodes'};
    assert.equal(value(families, 'procplan_request_duration_seconds_count', of), 470);
    assert.equal(value(families, 'procplan_request_duration_seconds_bucket', {...of, le: '30'}), 470);
    assert.ok(value(families, 'procplan_request_duration_seconds_sum', of) > 0);
});

it('the labels of routes are the table\'s, never what a client sent', async (server) => {
    await request(server, 'GET', '/api/bookings/1234567');
    await request(server, 'DELETE', '/api/bookings/7654321');
    await request(server, 'GET', '/api/x"y\\z%0A');
    const families = await metrics(server);
    assert.equal(requests(families, '/api/bookings/*', '4xx'), 2);
    const routes = new Set(families.get('procplan_requests_total').samples.map((sample) => sample.labels.route));
    assert.ok(routes.size < 64);
    for (const route of routes) assert.match(route, /^(\/api\/[a-z_.]+(\/\*)?|other)$/);
});

it('a killed worker is replaced and counted, and what it counted is not lost', async (server) => {
    await many(200, () => request(server, 'GET', '/api/nodes'));
    const before = await metrics(server);
    assert.equal(requests(before, '/api/nodes'), 200);
    assert.equal(value(before, 'procplan_worker_restarts_total'), 0);
    for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
    const after = await until(async () => {
        const families = await metrics(server);
        return value(families, 'procplan_worker_restarts_total') === WORKERS && workers(families, 'missing') === 0 && families;
    }, 'all workers are replaced');
    assert.equal(requests(after, '/api/nodes'), 200);
    await many(50, () => request(server, 'GET', '/api/nodes'));
    assert.equal(requests(await metrics(server), '/api/nodes'), 250);
    assert.equal(value(after, 'procplan_workers_killed_at_deadline_total'), 0);
});

it('workers are busy, idle or missing, and the one that answers is busy', async (server) => {
    const families = await until(async () => {
        const found = await metrics(server);
        return workers(found, 'idle') === WORKERS - 1 && found;
    }, 'all but one are idle');
    assert.equal(workers(families, 'busy'), 1);
    assert.equal(workers(families, 'missing'), 0);
});

it('bookings by status, nodes, GPUs, revision and the log\'s size', async (server) => {
    const body = {node_id: 'alpha', start: '2031-01-06T10:00', end: '2031-01-06T12:00', user_label: 'ada', gpu_count: 1};
    const status = (families, name) => value(families, 'procplan_bookings', {status: name});
    const empty = await metrics(server);
    for (const name of ['active', 'completed', 'cancelled']) assert.equal(status(empty, name), 0);
    const made = [];
    for (let i = 0; i < 3; i++) made.push(await book(server, body));
    for (const day of ['07', '08', '09']) made.push(await book(server, {...body, start: `2031-01-${day}T10:00`, end: `2031-01-${day}T12:00`}));
    await cancel(server, made[0].booking_id);
    await markDone(server, made[1].booking_id);
    await markDone(server, made[3].booking_id);
    const families = await metrics(server);
    assert.equal(status(families, 'active'), 3);
    assert.equal(status(families, 'completed'), 2);
    assert.equal(status(families, 'cancelled'), 1);
    assert.equal(value(families, 'procplan_nodes'), 4);
    assert.equal(value(families, 'procplan_gpus'), 6);
    assert.equal(value(families, 'procplan_revision'), value(empty, 'procplan_revision') + 9);
    assert.equal(value(families, 'procplan_wal_bytes'), fs.statSync(`${server.database}-wal`).size);
    assert.ok(value(families, 'procplan_wal_bytes') > 0);
});

test('a plain CGI has no pool, and says nothing of one', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(CONFIG));
    const output = execFileSync(path.join(build, 'procplan-fcgi'), [], {
        env: {
            ...process.env, GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', PATH_INFO: '/api/metrics', QUERY_STRING: '',
            PROCPLAN_CONFIG: path.join(folder, 'config.json'), PROCPLAN_DATABASE: path.join(folder, 'procplan.db'),
        },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.match(output, /^Status: 200 OK\r\n/);
    const families = parseExposition(output.slice(output.indexOf('\r\n\r\n') + 4));
    assert.equal(value(families, 'procplan_nodes'), 4);
    assert.deepEqual([...families.keys()].filter((name) => /request|worker/.test(name)), []);
});

it('it is read only', async (server) => {
    assertRefused(await request(server, 'POST', '/api/metrics', {body: {}}), 405);
});
