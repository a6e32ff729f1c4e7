'use strict';
/*
 * make bench, second part: how the cost of the reading calls grows with the number of GPUs and with how full they are.
 *
 * For each size and density fill.c makes a database as it is after a year of use (20 bookings a GPU), and one whose year lies ahead (as
 * many bookings a GPU as it is full in percent, so a million on 10,000 full ones); procplan-server answers from it, with one worker. Requests come one after the other over one connection, through nginx. Printed are, as medians, the time a client
 * waits and the processor time that the worker spends (which a busy machine blurs less). A fresh row asks for another window each
 * time, so that no finished body helps. Nothing here passes or fails; aims are printed beside the rows that have one.
 *
 * PROCPLAN_BENCH_GPUS (104,1000,10000; in eights) and PROCPLAN_BENCH_DENSITIES (1,10,100) choose the databases, PROCPLAN_BENCH_ROWS (a regular
 * expression) the rows; TMPDIR chooses the file system.
 */
const fs = require('node:fs');
const http = require('node:http');
const {request} = require('../api/harness.js');
const {withFilledServer} = require('./filled.js');

const list = (name, otherwise) => (process.env[name] || otherwise).split(',').map(Number);
const SIZES = list('PROCPLAN_BENCH_GPUS', '104,1000,10000');
const DENSITIES = list('PROCPLAN_BENCH_DENSITIES', '1,10,100');
const WANTED = new RegExp(process.env.PROCPLAN_BENCH_ROWS || '');
/* What the databases hold, and how many days of the year are to come. */
const PAST = {bookings: () => 20, ahead: 15};
const AHEAD_OF_US = {bookings: (density) => density, ahead: 365};

/* Hours since 1970. The first kind of databases reaches from 350 days ago to 15 days ahead. */
const NOW = Math.floor(Date.now() / 3_600_000);
const BACK = 350 * 24;
const AHEAD = 30 * 24;
const FREE = 20 * 24; /* from now: nothing is booked there */
const stamp = (hour) => new Date(hour * 3_600_000).toISOString().slice(0, 19);
const usage = (start, end, by) => `/api/usage?start=${stamp(start)}&end=${stamp(end)}&by=${by}`;
const timeline = (start, end, more = '') => `/api/timeline?start=${stamp(start)}&end=${stamp(end)}${more}`;

/* An end that lies far enough ahead changes nothing but the question. */
const find = (query) => (i) => `/api/find?${query}&before=${stamp(NOW + 500_000 + i)}`;

/*
 * What is measured. `target(i, world)` is the i-th request's; with `etag` the answer to the first is asked for again and must be a 304.
 * world.since is the revision before the last three bookings. `scene` is the database, PAST unless said.
 */
const ROWS = [
    {name: 'timeline, a year, fresh', target: (i) => timeline(NOW - BACK - i, NOW + 15 * 24), aim: {gpus: 1000, ms: 30}},
    {name: '  the same window again', target: () => timeline(NOW - BACK, NOW + 15 * 24)},
    {name: '  304', target: () => timeline(NOW - BACK, NOW + 15 * 24), etag: true},
    {name: '  since, three changes', target: (i, {since}) => timeline(NOW - BACK - i, NOW + AHEAD, since)},
    {name: 'timeline, a week, fresh', target: (i) => timeline(NOW - 24 * 7 - i, NOW - i)},
    {name: '  since, three changes', target: (i, {since}) => timeline(NOW + FREE - i, NOW + FREE - i + 24 * 7, since)},
    {name: '  304', target: () => timeline(NOW - 24, NOW + 24 * 6), etag: true},
    {name: 'timeline, a year of a node', target: (i) => timeline(NOW - BACK - i, NOW + 15 * 24, '&node_id=node-0003')},
    {name: 'find 1 GPU for an hour', scene: AHEAD_OF_US, target: find('gpus=1&hours=1')},
    {name: 'find 1 GPU for a day', scene: AHEAD_OF_US, target: find('gpus=1&hours=24')},
    {name: 'find 4 GPUs for 12 hours', scene: AHEAD_OF_US, target: find('gpus=4&hours=12')},
    {name: 'find 8 GPUs for a week', scene: AHEAD_OF_US, target: find('gpus=8&hours=168')},
    {name: 'find 8 GPUs for a week, 100 slots', scene: AHEAD_OF_US, target: find('gpus=8&hours=168&limit=100')},
    {name: '  304', scene: AHEAD_OF_US, target: () => '/api/find?gpus=8&hours=168&limit=100', etag: true},
    {name: 'events, the last 100', target: (i, {revision}) => `/api/events?after=${revision - 100 - i}`},
    {name: 'usage, a year by user, fresh', target: (i) => usage(NOW - BACK - i, NOW + 15 * 24, 'user')},
    {name: 'usage, a year by GPU, fresh', target: (i) => usage(NOW - BACK - i, NOW + 15 * 24, 'gpu')},
    {name: 'usage, 30 days by user, fresh', target: (i) => usage(NOW - 24 * 30 - i, NOW - i, 'user')},
    {name: 'calendar of a user, fresh', target: (i) => `/api/calendar.ics?user_label=user-${String(i).padStart(3, '0')}`},
    {name: 'metrics', target: () => '/api/metrics'},
];

/* -- measuring ------------------------------------------------------------------------------------------------ */

/* Nanoseconds that the workers have been running on a processor. */
const workerTime = (server) => server.workers()
    .reduce((sum, pid) => sum + Number(fs.readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]), 0);

/* Milliseconds until the last byte, and what came; the body is not looked at. */
function ask(server, agent, target, headers) {
    return new Promise((resolve, reject) => {
        const begin = process.hrtime.bigint();
        http.get({host: '127.0.0.1', port: server.port, path: target, headers, agent}, (response) => {
            let bytes = 0;
            response.on('data', (chunk) => { bytes += chunk.length; });
            response.on('error', reject);
            response.on('end', () => resolve({
                ms: Number(process.hrtime.bigint() - begin) / 1e6, bytes, status: response.statusCode, etag: response.headers.etag,
            }));
        }).on('error', reject);
    });
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function measure(server, row, world, count) {
    const agent = new http.Agent({keepAlive: true, maxSockets: 1});
    const waits = [];
    const works = [];
    const first = await ask(server, agent, row.target(0, world), {}); /* also warms */
    if (first.status !== 200) throw new Error(`${row.target(0, world)}: ${first.status}`);
    const headers = row.etag ? {'If-None-Match': first.etag} : {};
    let {bytes} = first;
    for (let i = 1; i <= count; i++) {
        const before = workerTime(server);
        const answer = await ask(server, agent, row.target(i, world), headers);
        works.push((workerTime(server) - before) / 1e6);
        waits.push(answer.ms);
        bytes = answer.bytes;
        if (answer.status !== (row.etag ? 304 : 200)) throw new Error(`${row.target(i, world)}: ${answer.status}`);
    }
    agent.destroy();
    return {bytes, wait: median(waits), work: median(works)};
}

/* -- the run -------------------------------------------------------------------------------------------------- */

async function bookThree(server) {
    const {revision, epoch} = (await request(server, 'GET', timeline(NOW + FREE, NOW + FREE + 1))).json;
    for (let i = 0; i < 3; i++) {
        const answer = await request(server, 'POST', '/api/book', {
            body: {node_id: `node-000${i}`, start: stamp(NOW + FREE + 12), end: stamp(NOW + FREE + 36), user_label: 'bench', gpu_count: 2},
        });
        if (answer.status !== 201) throw new Error(answer.text);
    }
    return {revision: revision + 3, since: `&since=${epoch}.${revision}`};
}

const size = (bytes) => (bytes < 10_000 ? `${bytes} B` : `${(bytes / 1000).toFixed(0)} kB`);

async function main() {
    const results = new Map(ROWS.filter((row) => WANTED.test(row.name)).map((row) => [row, []]));
    for (const scene of [PAST, AHEAD_OF_US]) {
        const rows = [...results].filter(([row]) => (row.scene ?? PAST) === scene);
        if (rows.length === 0) continue;
        for (const gpus of SIZES)
            for (const density of DENSITIES)
                await withFilledServer({gpus, bookings: gpus * scene.bookings(density), density, ahead: scene.ahead}, async (server) => {
                    const world = scene === PAST ? await bookThree(server) : {};
                    for (const [row, cells] of rows)
                        cells.push({gpus, density, ...await measure(server, row, world, gpus >= 10_000 ? 9 : 31)});
                });
    }
    console.log('\nhow cost grows; medians; wait: of a client, work: of the worker, in ms');
    for (const [row, cells] of results) {
        console.log(`${row.name}`);
        for (const {gpus, density, bytes, wait, work} of cells) {
            const aim = row.aim?.gpus === gpus ? `   aim ${row.aim.ms}` : '';
            console.log(`    ${String(gpus).padStart(6)} GPUs, ${String(density).padStart(3)} % booked ${size(bytes).padStart(9)}` +
                ` | wait ${wait.toFixed(2).padStart(8)} | work ${work.toFixed(2).padStart(8)}${aim}`);
        }
    }
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
