'use strict';
/* procplan-cli run: the booking, the command's environment and status, and the giving back, whatever happens in between. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {test} = require('node:test');
const {assertHas, book, bookingOf, markDone, reload} = require('../api/fixtures.js');
const {build, request, serverMissing, startServer, suite, temporaryFolder} = require('../api/harness.js');
const {proxyTo, runProgram} = require('./job_fixtures.js');

const skip = serverMissing();
const CONFIG = {
    nodes: [
        {id: 'n', gpus: [{id: 'g0', kind: 'A100', device: 'GPU-8f6c'}, {id: 'g1', kind: 'L40S'}, {id: 'g2', kind: 'A100'}]},
        {id: os.hostname(), gpus: [{id: 'here0'}, {id: 'here1'}]},
    ],
};
const it = suite({config: CONFIG});
const program = path.join(build, 'procplan-cli');

/* Runs `procplan-cli run ARGS` against SERVER as user ada. */
const run = (server, args, {env = {}, ...options} = {}) =>
    runProgram(program, ['run', ...args], {env: {PROCPLAN_URL: server.url, ...env}, ...options}).then((result) => {
        assert.doesNotMatch(result.stderr, /Sanitizer|runtime error:/);
        return result;
    });
const ada = ['--user', 'ada'];
const onNode = ['--node', 'n', ...ada];
const bookedId = (result) => Number(/booked (\d+) ·/.exec(result.stderr)?.[1]);
const bookings = async (server) => (await request(server, 'GET', '/api/bookings?limit=1000')).json.bookings;
const activeNow = async (server) => (await bookings(server)).filter((booking) => booking.status === 'active');

/* A booking around the present hour. */
const around = (server, more = {}) => book(server, {
    node_id: 'n', start: new Date(Date.now() - 3_600_000).toISOString(), end: new Date(Date.now() + 3 * 3_600_000).toISOString(),
    user_label: 'ada', gpu_count: 1, ...more,
});

/* BODY against a proxy in front of SERVER, which LOOKs at each request (job_fixtures.js). */
async function withProxy(server, look, body) {
    const proxy = await proxyTo(server.port, look);
    try {
        return await body(proxy);
    } finally {
        await proxy.close();
    }
}

it('it books, runs the command with its GPUs, exits with its status and gives the rest back', async (server) => {
    const result = await run(server, [...onNode, '--gpus', '3', '--hours', '4', '--note', 'ablation', '--priority', 'high', '--', 'sh', '-c',
        'echo "$CUDA_VISIBLE_DEVICES|$CUDA_DEVICE_ORDER|$PROCPLAN_BOOKING_ID|${PROCPLAN_RELEASE_TOKEN-none}"; exit 7'],
    {env: {PROCPLAN_RELEASE_TOKEN: 'stale'}});
    const id = bookedId(result);
    assertHas(result, {code: 7, stdout: `GPU-8f6c,1,2|PCI_BUS_ID|${id}|none\n`});
    assert.match(result.stderr, new RegExp(`booking ${id} is given back\n$`));
    assertHas(await bookingOf(server, id), {status: 'completed', user_label: 'ada', note: 'ablation', priority: 'high', gpu_ids: ['g0', 'g1', 'g2']});
    const {start, end} = await bookingOf(server, id);
    assert.equal(Date.parse(end) - Date.parse(start), 4 * 3_600_000);
});

it('the release uses the token: it is not the login that ends the booking', async (server) => {
    const seen = [];
    const result = await withProxy(server, (head, body) => { seen.push([head.split(' ')[1], body]); }, (proxy) =>
        run({url: proxy.url}, [...onNode, '--gpus', '1', '--hours', '1', '--', 'true']));
    assert.equal(result.code, 0);
    const [last, body] = seen.at(-1);
    assert.equal(last, '/api/release');
    assert.match(JSON.parse(body).release_token, /^[0-9a-f]{32}$/);
});

it('a release that is refused because many jobs end at once is made again, not sooner than the server says', async (server) => {
    const at = [];
    const busy = {status: 429, headers: {'Retry-After': '3', 'Content-Type': 'application/json'}, body: '{"error": "Too many changes at once", "status": 429}'};
    const look = (head) => {
        if (!head.includes('/api/release')) return undefined;
        at.push(Date.now());
        return at.length === 1 ? busy : undefined;
    };
    const result = await withProxy(server, look, (proxy) => run({url: proxy.url}, [...onNode, '--gpus', '1', '--hours', '1', '--', 'true']));
    assert.equal(result.code, 0);
    assert.match(result.stderr, /Too many changes at once; trying again for \d+ s\n[^]*is given back\n$/);
    assert.equal(at.length, 2);
    assert.ok(at[1] - at[0] >= 2980, `after ${at[1] - at[0]} ms`);
    assertHas(await bookingOf(server, bookedId(result)), {status: 'completed'});
});

it('it asks the planner three things before the command starts: the time, the nodes, the booking', async (server) => {
    const seen = [];
    await withProxy(server, (head) => { seen.push(head.split(' ').slice(0, 2).join(' ').split('?')[0]); }, async (proxy) => {
        assertHas(await run({url: proxy.url}, [...ada, '--gpus', '1', '--hours', '1', '--', 'true']), {code: 0});
        const {booking_id: id} = await around(server, {node_id: os.hostname()});
        assertHas(await run({url: proxy.url}, [...ada, '--', 'true']), {code: 0});
        assertHas(await bookingOf(server, id), {status: 'completed'});
    });
    assert.deepEqual(seen, ['GET /api/session', 'GET /api/nodes', 'POST /api/book', 'POST /api/release',
        'GET /api/session', 'GET /api/nodes', 'GET /api/bookings', 'POST /api/mark_done']);
});

it('--gpu names GPUs, --kind chooses among those of a kind', async (server) => {
    const named = await run(server, [...onNode, '--gpu', 'g2', '--gpu', 'g1', '--hours', '1', '--', 'printenv', 'CUDA_VISIBLE_DEVICES']);
    assert.equal(named.stdout.trim().split(',').sort().join(), '1,2');
    const kind = await run(server, [...onNode, '--gpus', '2', '--kind', 'A100', '--hours', '1', '--', 'printenv', 'CUDA_VISIBLE_DEVICES']);
    assertHas(kind, {code: 0, stdout: 'GPU-8f6c,2\n'});
    const many = await run(server, [...onNode, '--gpus', '3', '--kind', 'A100', '--hours', '1', '--', 'touch', '/nonexistent/x']);
    assertHas(many, {code: 3});
    assert.match(many.stderr, /A100/);
    assert.deepEqual(await activeNow(server), []);
});

it('without --node it is this machine’s node', async (server) => {
    const result = await run(server, [...ada, '--gpus', '2', '--hours', '1', '--', 'printenv', 'CUDA_VISIBLE_DEVICES']);
    assertHas(result, {code: 0, stdout: '0,1\n'});
    assertHas(await bookingOf(server, bookedId(result)), {node_id: os.hostname()});
});

it('without --gpus it takes my running booking on the node, and says when there is none or more than one', async (server) => {
    const none = await run(server, [...onNode, '--', 'true']);
    assertHas(none, {code: 1, stdout: ''});
    assert.match(none.stderr, /ada has no booking on 'n' now; book one with --gpus/);
    const others = await around(server, {user_label: 'bob', gpu_ids: ['g0']});
    const mine = await around(server, {gpu_ids: ['g2']});
    const result = await run(server, [...onNode, '--', 'sh', '-c', 'echo $PROCPLAN_BOOKING_ID $CUDA_VISIBLE_DEVICES']);
    assertHas(result, {code: 0, stdout: `${mine.booking_id} 2\n`});
    assertHas(await bookingOf(server, mine.booking_id), {status: 'completed'});
    assertHas(await bookingOf(server, others.booking_id), {status: 'active'});
    const two = [await around(server, {gpu_ids: ['g1']}), await around(server, {gpu_ids: ['g2']})].map((one) => one.booking_id);
    const several = await run(server, [...onNode, '--', 'true']);
    assertHas(several, {code: 1});
    assert.ok(several.stderr.includes(`(${two.join(', ')}): say which one with --booking`), several.stderr);
    for (const id of [...two, others.booking_id]) {
        assertHas(await bookingOf(server, id), {status: 'active'});
        await markDone(server, id);
    }
});

it('--booking names one; --keep leaves it; one that is over, ended or to come is refused and stays as it is', async (server) => {
    const {booking_id: id} = await around(server, {user_label: 'bob', gpu_ids: ['g1']});
    const kept = await run(server, ['--booking', `${id}`, '--keep', '--', 'printenv', 'CUDA_VISIBLE_DEVICES']);
    assertHas(kept, {code: 0, stdout: '1\n'});
    assert.ok(kept.stderr.includes(`booking ${id} is on node 'n', and this machine is node '${os.hostname()}'`), kept.stderr);
    assertHas(await bookingOf(server, id), {status: 'active'});
    assertHas(await run(server, ['--booking', `${id}`, '--', 'false']), {code: 1});
    assertHas(await bookingOf(server, id), {status: 'completed'});
    const later = await around(server, {start: '2061-01-01', end: '2061-01-02'});
    const over = await around(server, {start: '2001-01-01', end: '2001-01-02'});
    for (const [one, said] of [[id, /is completed/], [later.booking_id, /begins at 2061-01-01T00/], [over.booking_id, /ended at 2001-01-02T00/]]) {
        const result = await run(server, ['--booking', `${one}`, '--', 'echo', 'ran']);
        assertHas(result, {code: 1, stdout: ''});
        assert.match(result.stderr, said);
    }
    for (const one of [later, over]) {
        assertHas(await bookingOf(server, one.booking_id), {status: 'active'});
        await markDone(server, one.booking_id);
    }
});

it('a command that is not there is 127, one that cannot be started 126, and nothing is booked for them', async (server) => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'plain'), 'no program\n', {mode: 0o644});
    const before = (await bookings(server)).length;
    for (const [command, code] of [['no-such-command-here', 127], ['/no/such/file', 127], [path.join(folder, 'plain'), 126], [folder, 126]]) {
        const result = await run(server, [...onNode, '--gpus', '1', '--hours', '1', '--', command]);
        assertHas(result, {code, stdout: ''});
        assert.ok(result.stderr.includes(command), result.stderr);
    }
    /* Only root may search it; what is not there is not there for either. */
    const locked = path.join(folder, 'locked');
    fs.mkdirSync(locked, {mode: 0});
    const env = {PATH: `${locked}:${process.env.PATH}`};
    assertHas(await run(server, [...onNode, '--gpus', '1', '--hours', '1', '--', 'no-such-command-here'], {env}), {code: 127});
    assert.equal((await bookings(server)).length, before);
    const script = path.join(folder, 'script');
    fs.writeFileSync(script, '#!/no/such/interpreter\n', {mode: 0o755});
    const late = await run(server, [...onNode, '--gpus', '1', '--hours', '1', '--', script]);
    assert.equal(late.code, 127, 'only exec sees this one');
    assertHas(await bookingOf(server, bookedId(late)), {status: 'completed'});
});

it('a command without a place in PATH is found in it, and options behind it are its own', async (server) => {
    const result = await run(server, [...onNode, '--gpus', '1', '--hours', '1', '--', 'echo', '--gpus', '9', '--help']);
    assertHas(result, {code: 0, stdout: '--gpus 9 --help\n'});
    const bare = await run(server, [...onNode, '--gpus', '1', '--hours', '1', 'echo', '-n', '--json']);
    assertHas(bare, {code: 0, stdout: '--json'});
});

it('what is wrong on the command line is exit 2, and nothing is booked', async (server) => {
    const before = (await bookings(server)).length;
    for (const [args, said] of [
        [['--gpus', '1', '--', 'true'], /--hours/],
        [['--hours', '1', '--', 'true'], /--gpus/],
        [['--gpus', '1', '--hours', '1'], /COMMAND|operand|command/i],
        [['--gpus', 'x', '--hours', '1', '--', 'true'], /--gpus/],
        [['--gpus', '1', '--hours', '0', '--', 'true'], /--hours/],
        [['--booking', '1', '--hours', '1', '--', 'true'], /--booking/],
        [['--booking', 'x', '--', 'true'], /'x'/],
        [['--gpus', '1', '--gpu', 'g0', '--hours', '1', '--', 'true'], /--gpu/],
        [['--kind', 'A100', '--', 'true'], /--kind/],
        [['--release-wait', '-1', '--', 'true'], /--release-wait/],
    ]) {
        const result = await run(server, [...ada, ...args]);
        assert.match(result.stderr, said, args.join(' '));
        assertHas(result, {code: 2, stdout: ''});
    }
    assert.equal((await bookings(server)).length, before);
});

it('of two runs for one slot one runs, the other is told who holds it and exits 3', async (server) => {
    for (let round = 0; round < 4; round++) {
        /* Whoever wins runs until the other one has ended. */
        const flag = path.join(temporaryFolder(), 'go');
        const racers = ['ada', 'bob'].map((user) => run(server, ['--user', user, '--node', 'n', '--gpu', 'g1', '--hours', '1', '--',
            'sh', '-c', 'i=0; until [ -e "$0" ] || [ $i = 500 ]; do i=$((i + 1)); sleep 0.1; done', flag]));
        await Promise.race(racers);
        fs.writeFileSync(flag, '');
        const results = await Promise.all(racers);
        assert.deepEqual(results.map((result) => result.code).sort(), [0, 3]);
        const loser = results.find((result) => result.code === 3);
        assert.match(loser.stderr, /g1 is held by (ada|bob) \(booking \d+\) until /);
        assert.match(loser.stderr, /Next free on n: /);
    }
    assert.deepEqual(await activeNow(server), []);
});

it('a booking whose answer is lost is made once', async (server) => {
    const before = (await bookings(server)).length;
    let dropped = 0;
    const result = await withProxy(server, (head) => /^POST \S*\/api\/book /.test(head) && dropped++ === 0 ? 'drop the answer' : null,
        (proxy) => run({url: proxy.url}, [...onNode, '--gpus', '1', '--hours', '1', '--', 'echo', 'ran']));
    assertHas(result, {code: 0, stdout: 'ran\n'});
    assert.equal((await bookings(server)).length, before + 1);
    assert.ok(dropped >= 2, 'the proxy did lose an answer');
    assert.deepEqual(await activeNow(server), []);
});

test('it refuses to guess a device where the node has retired GPUs, and gives back what it booked', {skip}, async () => {
    const config = (...gpus) => ({nodes: [{id: 'n', gpus}]});
    const server = await startServer({config: config({id: 'g0'}, {id: 'g1'}, {id: 'g2', device: '2'})});
    try {
        server.writeConfig(config({id: 'g1'}, {id: 'g2', device: '2'}));
        assert.equal((await reload(server)).status, 200);
        const guess = await run(server, [...onNode, '--gpu', 'g1', '--hours', '1', '--', 'echo', 'ran']);
        assertHas(guess, {code: 1, stdout: ''});
        assert.match(guess.stderr, /which device is GPU 'g1'\? .*retired/);
        assert.deepEqual(await activeNow(server), []);
        const told = await run(server, [...onNode, '--gpu', 'g2', '--hours', '1', '--', 'printenv', 'CUDA_VISIBLE_DEVICES']);
        assertHas(told, {code: 0, stdout: '2\n'});
    } finally {
        await server.stop();
    }
});
