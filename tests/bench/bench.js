'use strict';
/*
 * make bench: how fast the server answers, beside what nginx, libfcgi and SQLite allow at all on this machine.
 *
 * Ours is procplan-server with a pool of 4. The ceiling is constant.c with a pool of 4, which prints an answer of the same bytes,
 * behind a second nginx with a copy of the first one's configuration; for bookings it is commits.c, raw SQLite commits
 * on the same file system. The load comes from load.c over 16 connections. Rounds are paired (ours, ceiling, ours, …), so
 * that a neighbour's noise meets both, and medians are printed. "cpu us" is the processor time of nginx and pool for a
 * request: the steadier number where the machine has other things to do. Nothing here passes or fails; the aims are printed
 * beside the ratios.
 *
 * PROCPLAN_BENCH_ROUNDS (5) and PROCPLAN_BENCH_SECONDS (1, for each measurement) change the length; TMPDIR chooses the file system.
 */
const {execFileSync, spawn} = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const {build, nginxPath, processInfo, request, startServer, until} = require('../api/harness.js');

const WORKERS = 4;
const CONNECTIONS = 16;
const ROUNDS = Number(process.env.PROCPLAN_BENCH_ROUNDS || 5);
const SECONDS = Number(process.env.PROCPLAN_BENCH_SECONDS || 1);
const NODES = 8;
const GPUS = 8;

/* Two years are filled, so that a fresh year's window may begin anywhere in the first one. Hours since 1970. */
const FILLED_FROM = Date.UTC(2031, 0, 1) / 3_600_000;
const YEAR = 365 * 24;
const FILLED_HOURS = 2 * YEAR;
/* New bookings go where nothing is. */
const EMPTY_FROM = Date.UTC(2040, 0, 1) / 3_600_000;

const stamp = (hour) => new Date(hour * 3_600_000).toISOString().slice(0, 19);
const program = (name) => path.join(build, 'tests', 'bench', name);

/* -- data ----------------------------------------------------------------------------------------------------- */

/* mulberry32: the same filling at each run. */
function randomNumbers(seed) {
    let state = seed;
    return (below) => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) % below;
    };
}

/* Bookings of a few hours to a few days on one to four GPUs of a node, with pauses, until two years are full. */
function* filling(node) {
    const random = randomNumbers(node + 1);
    const busyUntil = Array(GPUS).fill(FILLED_FROM);
    const widths = [1, 1, 1, 1, 2, 2, 4];
    for (;;) {
        const gpu = busyUntil.indexOf(Math.min(...busyUntil));
        const width = Math.min(widths[random(widths.length)], GPUS - gpu);
        const gpus = Array.from({length: width}, (_, index) => gpu + index);
        const length = 4 + random(80);
        const start = Math.max(...gpus.map((index) => busyUntil[index])) + random(120);
        if (start + length > FILLED_FROM + FILLED_HOURS) return;
        for (const index of gpus) busyUntil[index] = start + length;
        yield {
            node_id: `node${node}`, start: stamp(start), end: stamp(start + length), gpu_ids: gpus.map((index) => `gpu${index}`),
            user_label: ['ada', 'grace', 'edsger', 'barbara', 'donald'][random(5)], priority: ['low', 'medium', 'high'][random(3)],
        };
    }
}

async function fill(server) {
    const bodies = Array.from({length: NODES}, (_, node) => [...filling(node)]).flat();
    let next = 0;
    await Promise.all(Array.from({length: CONNECTIONS}, async () => {
        while (next < bodies.length) {
            const body = bodies[next++];
            const answer = await request(server, 'POST', '/api/book', {body});
            if (answer.status !== 201) throw new Error(`filling: ${answer.status} ${answer.text}`);
        }
    }));
    return bodies.length;
}

/* -- the ceiling ---------------------------------------------------------------------------------------------- */

function freePort() {
    return new Promise((resolve, reject) => {
        const probe = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
            const {port} = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

/* The configuration that the server's private nginx runs with, as nginx's own command line tells. */
function nginxConfiguration(server) {
    for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
        const info = processInfo(Number(name));
        if (info?.session !== server.pid || info.name !== 'nginx') continue;
        const words = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split(/[\0 ]+/);
        const file = words[words.indexOf('-c') + 1];
        if (words.includes('-c')) return fs.readFileSync(path.resolve(fs.readlinkSync(`/proc/${name}/cwd`), file), 'utf8');
    }
    throw new Error("the server's nginx was not found");
}

/* constant.c behind an nginx that is configured as the server's, on a port of its own. */
async function startCeiling(server, answers) {
    const folder = path.join(server.directory, 'ceiling');
    fs.mkdirSync(folder);
    fs.chmodSync(server.directory, 0o711);
    fs.chmodSync(folder, 0o711);
    const configuration = nginxConfiguration(server);
    const [, socket] = /unix:([^;\s]+);/.exec(configuration);
    const port = await freePort();
    fs.writeFileSync(path.join(folder, 'nginx.conf'), configuration
        .replaceAll(`unix:${socket}`, 'unix:fastcgi.sock')
        .replaceAll(`127.0.0.1:${server.port}`, `127.0.0.1:${port}`));
    const files = answers.map((bytes, index) => {
        if (bytes === null) return '304';
        fs.writeFileSync(path.join(folder, `answer${index}`), bytes);
        return `answer${index}`;
    });
    const options = {cwd: folder, stdio: ['ignore', 'inherit', 'inherit']};
    const children = [
        spawn(program('constant'), ['fastcgi.sock', String(WORKERS), ...files], options),
        spawn(nginxPath(), ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')], options),
    ];
    const stop = () => children.forEach((child) => child.kill('SIGTERM'));
    process.on('exit', stop);
    /* Its answers are no planner's: the contract does not know its paths. */
    server.ceiling = {port, stop, roots: children.map((child) => child.pid), unchecked: true};
    await until(() => request(server.ceiling, 'GET', '/api/0').then((answer) => answer.status === 200, () => false),
        'the ceiling answers', 10_000);
    return server.ceiling;
}

/* -- measuring ------------------------------------------------------------------------------------------------ */

function runProgram(name, args) {
    return new Promise((resolve, reject) => {
        const child = spawn(program(name), args, {stdio: ['ignore', 'pipe', 'inherit']});
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
        child.on('error', reject);
        child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`${name} ended with ${code}`))));
    });
}

/* Processor seconds so far of the processes ROOTS and of what they have started; 100 ticks a second is what Linux shows. */
function processorTime(roots) {
    const known = new Set(roots);
    let ticks = 0;
    for (const pid of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number).sort((a, b) => a - b)) {
        const info = processInfo(pid);
        if (!info || !(known.has(pid) || known.has(info.parent))) continue;
        known.add(pid);
        ticks += info.ticks;
    }
    return ticks / 100;
}

let templates = 0;
function loadOf(server, {port, roots}, {template, status = 200}) {
    const file = path.join(server.directory, `template${templates++}`);
    fs.writeFileSync(file, template);
    let first = 0;
    return async (seconds) => {
        const before = processorTime(roots);
        const result = await runProgram('load', [port, CONNECTIONS, seconds, first, status, file].map(String));
        result.cpu_us = (processorTime(roots) - before) * 1e6 / result.requests;
        if (result.wrong > 0) throw new Error(`${result.wrong} answers were not ${status}: ${template}`);
        first += result.requests + CONNECTIONS; /* those cut off at the end may have arrived */
        return result;
    };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const medians = (results) => Object.fromEntries(['per_second', 'p50_us', 'p99_us', 'cpu_us']
    .map((name) => [name, median(results.map((result) => result[name]))]));

async function compare(ours, ceiling) {
    const results = {ours: [], ceiling: []};
    await ours(SECONDS / 4); /* warm */
    await ceiling(SECONDS / 4);
    for (let round = 0; round < ROUNDS; round++) {
        results.ours.push(await ours(SECONDS));
        results.ceiling.push(await ceiling(SECONDS));
    }
    return {ours: medians(results.ours), ceiling: medians(results.ceiling)};
}

/* -- printing ------------------------------------------------------------------------------------------------- */

function printMachine(directory) {
    const version = (file, ...args) => {
        try {
            return execFileSync('/bin/sh', ['-c', '"$0" "$@" 2>&1', file, ...args], {encoding: 'utf8'}).trim().split('\n')[0];
        } catch {
            return `${path.basename(file)}: unknown`;
        }
    };
    console.log(`machine: ${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, Linux ${os.release()}, ` +
        `${Math.round(os.totalmem() / 2 ** 30)} GiB, files on ${version('stat', '-f', '-c', '%T', directory)}`);
    console.log(`versions: ${version(path.join(build, 'procplan-fcgi'), '--version')}; ${version(nginxPath(), '-v')}; ` +
        `libfcgi ${version('pkg-config', '--modversion', 'fcgi')}; node ${process.version}`);
}

function printHead() {
    console.log(`\n${''.padEnd(30)} | ${'ours'.padEnd(32)} | ${'ceiling'.padEnd(32)} |`);
    const columns = `${'req/s'.padStart(7)} ${'p50 ms'.padStart(8)} ${'p99 ms'.padStart(8)} ${'cpu us'.padStart(6)}`;
    console.log(`${''.padEnd(30)} | ${columns} | ${columns} | ratio  aim`);
}

const milliseconds = (us) => (us / 1000).toFixed(2);
function printRow(name, {ours, ceiling}, aim) {
    const ratio = ours.per_second / ceiling.per_second;
    const cells = [ours, ceiling].map((side) => `${side.per_second.toFixed(0).padStart(7)} ` +
        `${milliseconds(side.p50_us).padStart(8)} ${milliseconds(side.p99_us).padStart(8)} ` +
        `${(side.cpu_us === undefined ? '' : side.cpu_us.toFixed(0)).padStart(6)}`);
    const verdict = aim === undefined ? '' : `${aim.toFixed(1)}${ratio < aim ? '  missed' : ''}`;
    console.log(`${name.padEnd(30)} | ${cells.join(' | ')} | ${ratio.toFixed(2).padStart(5)}  ${verdict}`);
}

/* -- the run -------------------------------------------------------------------------------------------------- */

async function bench(server) {
    printMachine(server.directory);
    console.log(`load: ${CONNECTIONS} connections, pool of ${WORKERS}, ${ROUNDS} rounds of ${SECONDS} s each, medians`);
    const filled = await fill(server);
    const grid = (node, hours) => `/api/availability?node_id=${node}&granularity=day&start=${stamp(FILLED_FROM + 1000)}` +
        `&end=${stamp(FILLED_FROM + 1000 + hours)}`;
    /* Nodes change fastest: 8 × 8760 windows, more than any cache holds. */
    const fresh = (hours) => `/api/availability?node_id=node{n:1:${NODES}:0}&granularity=day` +
        `&start={h:${NODES}:${YEAR}:${FILLED_FROM}}&end={h:${NODES}:${YEAR}:${FILLED_FROM + hours}}`;
    const nodes = await request(server, 'GET', '/api/nodes');
    const week = await request(server, 'GET', grid('node0', 7 * 24));
    const year = await request(server, 'GET', grid('node0', YEAR));
    const slots = year.json.grid.rows.flatMap((row) => row.day_slots);
    const busy = slots.filter((slot) => slot.status !== 'free').length;
    console.log(`data: ${NODES} nodes of ${GPUS} GPUs, ${filled} bookings in two years; in the year that is asked for, ` +
        `${Math.round(100 * busy / slots.length)} % of the GPU-days have one`);

    const ceiling = await startCeiling(server, [nodes.bytes, week.bytes, year.bytes, null]);
    const us = {port: server.port, roots: [server.pid]};
    const get = (target, header = '') => `GET ${target} HTTP/1.1\n${header}\n`;
    const book = 'POST /api/book HTTP/1.1\nContent-Type: application/json\n\n' + JSON.stringify({
        node_id: 'node7', start: `{h:${GPUS}:10000000:${EMPTY_FROM}}`, end: `{h:${GPUS}:10000000:${EMPTY_FROM + 1}}`,
        user_label: 'bench', gpu_ids: [`gpu{n:1:${GPUS}:0}`],
    });
    const bytes = (answer) => `${(answer.bytes.length / 1000).toFixed(1)} kB`;
    const rows = [
        [`nodes (${bytes(nodes)})`, {template: get('/api/nodes')}, 0, 0.8],
        ['nodes, not modified (304)', {template: get('/api/nodes', `If-None-Match: ${nodes.headers.etag}\n`), status: 304}, 3, 0.8],
        [`week by day (${bytes(week)})`, {template: get(grid('node0', 7 * 24))}, 1, 0.8],
        ['  a fresh window each time', {template: get(fresh(7 * 24))}, 1, 0.6],
        [`year by day (${bytes(year)})`, {template: get(grid('node0', YEAR))}, 2, 0.8],
        ['  a fresh window each time', {template: get(fresh(YEAR))}, 2, undefined],
    ];
    printHead();
    for (const [name, ours, index, aim] of rows) {
        const constant = {template: get(`/api/${index}`), status: ours.status};
        printRow(name, await compare(loadOf(server, us, ours), loadOf(server, ceiling, constant)), aim);
    }
    let databases = 0;
    const commits = (seconds) => runProgram('commits', [path.join(server.directory, `raw${databases++}.db`), String(seconds)]);
    printRow('book, beside raw commits', await compare(loadOf(server, us, {template: book, status: 201}), commits), 0.5);
}

async function main() {
    const gpus = Array.from({length: GPUS}, (_, index) => ({id: `gpu${index}`, kind: 'A100'}));
    const config = {nodes: Array.from({length: NODES}, (_, index) => ({id: `node${index}`, name: `Node ${index}`, gpus}))};
    const server = await startServer({config, workers: WORKERS});
    try {
        await bench(server);
    } finally {
        server.ceiling?.stop();
        await server.stop();
    }
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
