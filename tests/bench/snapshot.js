'use strict';
/*
 * make bench, the command line: from the start of procplan-cli to the end of its snapshot of ten nodes, beside the form in which the
 * original asks: its list of nodes, and then one request a node. That is measured without its client: by one curl, and by one Python with
 * urllib (where there are any), which send those requests over one connection (curl) or one each (urllib) and throw the answers away. Ours
 * also draws its tables. The cost of starting any process at all is printed first.
 *
 * Ten nodes of eight GPUs, each GPU booked on every day of the week. Medians of PROCPLAN_BENCH_ROUNDS (100), a round taking each
 * form in turn. Nothing here passes or fails.
 */
const {spawnSync} = require('node:child_process');
const path = require('node:path');
const {build, request, startServer} = require('../api/harness.js');
const {environment} = require('../cli/job_fixtures.js');

const ROUNDS = Number(process.env.PROCPLAN_BENCH_ROUNDS || 100);
const NODES = Array.from({length: 10}, (_, node) => ({
    id: `node-${node}`, gpus: Array.from({length: 8}, (__, gpu) => ({id: `gpu${gpu}`, kind: 'A100'})),
}));
const DAY = 86_400_000;
const MONDAY = Math.floor((Date.now() / DAY + 3) / 7) * 7 * DAY - 3 * DAY;
const date = (day) => new Date(MONDAY + day * DAY).toISOString().slice(0, 10);

async function fill(server) {
    for (const {id, gpus} of NODES) {
        for (const [index, gpu] of gpus.entries()) {
            const body = {node_id: id, gpu_ids: [gpu.id], start: `${date(0)}T0${index}:00`, end: `${date(0)}T1${index}:00`,
                user_label: `user ${index}`, repeat: {every: 'day', count: 7}};
            const answer = await request(server, 'POST', '/api/book', {body});
            if (answer.status !== 201) throw new Error(answer.text);
        }
    }
}

const PYTHON = `
import sys, urllib.request
for url in sys.argv[1:]:
    urllib.request.urlopen(url).read()
`;

/* What is measured: a name and a command line. */
function forms(server) {
    const url = server.url.replace(/\/$/, '');
    const window = `start=${date(0)}&end=${date(7)}`;
    const asked = [`${url}/api/nodes`, ...NODES.map(({id}) => `${url}/api/availability?node_id=${id}&${window}&granularity=day`)];
    const cli = path.join(build, 'procplan-cli');
    return [
        ['a process that does nothing', ['true']],
        ['procplan-cli --all', [cli, '--all', '--url', url]],
        ['procplan-cli, the ten nodes by name', [cli, '--url', url, ...NODES.flatMap(({id}) => ['--node', id])]],
        ['1 + 10 requests: curl, one connection', ['curl', '-s', ...asked.flatMap((one) => ['-o', '/dev/null', one])]],
        ['1 + 10 requests: python3 with urllib', ['python3', '-c', PYTHON, ...asked]],
    ];
}

/* Milliseconds from start to end, or null when the program is not there. */
function run([program, ...args]) {
    const begun = process.hrtime.bigint();
    const result = spawnSync(program, args, {env: environment(), stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26});
    if (result.error?.code === 'ENOENT') return null;
    if (result.status !== 0) throw new Error(`${program} ended with ${result.status}`);
    return Number(process.hrtime.bigint() - begun) / 1e6;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/* Requests that a run costs, as the server counts them. */
async function requestsOf(server, command) {
    const count = async () => [...(await request(server, 'GET', '/api/metrics')).text.matchAll(/^procplan_requests_total\{[^}]*\} (\d+)$/gm)]
        .reduce((sum, [, value]) => sum + Number(value), 0);
    const before = await count();
    run(command);
    return await count() - before - 1; /* the second look itself */
}

async function main() {
    const server = await startServer({config: {nodes: NODES}, workers: 2});
    try {
        server.unchecked = true;
        await fill(server);
        const measured = forms(server).filter(([, command]) => run(command) !== null).map(([name, command]) => ({name, command, times: []}));
        for (let round = 0; round < ROUNDS; round++) for (const form of measured) form.times.push(run(form.command));
        console.log(`\nThe snapshot of ten nodes, start to end (median of ${ROUNDS})\n`);
        for (const {name, command, times} of measured)
            console.log(`${name.padEnd(42)}${median(times).toFixed(1).padStart(8)} ms${String(await requestsOf(server, command)).padStart(6)} requests`);
    } finally {
        await server.stop();
    }
}
main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
