'use strict';
/* procplan-cli's questions: list, show, find, nodes, usage, events, reload. Tables are laid out by hand. */
const assert = require('node:assert/strict');
const {spawn} = require('node:child_process');
const {YEAR_AHEAD, hourOf, iso} = require('../api/clock.js');
const {book, cancel, edit, markDone} = require('../api/fixtures.js');
const {request, startServer, suite, until} = require('../api/harness.js');
const {cli, done, fails, program} = require('./cli.js');
const {environment, proxyTo} = require('./job_fixtures.js');

const CONFIG = {nodes: [
    {id: 'n', name: 'Node N', gpus: [{id: 'g0', kind: 'A100', device: '3'}, {id: 'g1', kind: 'H100'}, {id: 'g2', kind: 'A100'}]},
    {id: 'm', gpus: [{id: 'g0', kind: 'L40S'}]},
    {id: 'void'},
]};
const it = suite({config: CONFIG});
const DAY = hourOf(`${YEAR_AHEAD}-03-03T00:00Z`);
const Y = YEAR_AHEAD;

/* Four bookings for the whole file, numbered 1 to 4. */
let made;
const bookAll = (server) => (made ??= (async () => {
    const at = (start, hours) => ({start: iso(DAY + start), end: iso(DAY + start + hours)});
    await book(server, {node_id: 'n', ...at(9, 4), user_label: 'ada', gpu_count: 2, priority: 'high', note: 'ablation, 3'}, {'Procplan-User': 'ada'});
    await book(server, {node_id: 'm', ...at(24, 24), user_label: '=cmd', gpu_count: 1});
    const third = await book(server, {node_id: 'n', ...at(48, 1), user_label: 'ada', gpu_ids: ['g1'], priority: 'low'});
    await cancel(server, third.booking_id);
    await book(server, {node_id: 'm', start: '2024-06-01', end: '2024-06-02', user_label: 'ada', gpu_count: 1});
    await edit(server, 1, {end: iso(DAY + 14)}, {'Procplan-User': 'grace'});
})());
const filled = (name, body) => it(name, async (server) => {
    await bookAll(server);
    await body(server);
});
const ONE = `1   ${Y}-03-03 09:00  ${Y}-03-03 14:00  n     g0, g1  ada    high      active  ablation, 3\n`;
const TWO = `2   ${Y}-03-04 00:00  ${Y}-03-05 00:00  m     g0      =cmd   medium    active\n`;

/* -- list --------------------------------------------------------------------------------------------------------- */

filled('list shows what is active and not over yet', async (server) => {
    assert.equal(await done(server, ['list']),
        'ID  START (UTC)       END (UTC)         NODE  GPUS    LABEL  PRIORITY  STATUS  NOTE\n' + ONE + TWO);
});

filled('list is narrowed and widened by its options', async (server) => {
    const ids = async (...args) => (await done(server, ['list', ...args])).trim().split('\n').slice(1).map((line) => Number.parseInt(line, 10));
    assert.deepEqual(await ids('--node', 'm'), [2]);
    assert.deepEqual(await ids('--label', 'ada'), [1]);
    assert.deepEqual(await ids('--mine', '--user', 'ada'), [1]);
    assert.deepEqual(await ids('--status', 'all'), [1, 2, 3, 4]);
    assert.deepEqual(await ids('--status', 'cancelled'), [3]);
    assert.deepEqual(await ids('--status', 'all', '--label', 'ada', '--after', '1'), [3, 4]);
    assert.deepEqual(await ids('--status', 'all', '--limit', '2'), [1, 2]);
    assert.deepEqual(await ids('--start', '2024-05-01', '--end', '2024-07-01'), [4]);
    assert.deepEqual(await ids('--start', iso(DAY + 24)), [2]);
});

filled('a list without rows says so, and is no failure', async (server) => {
    const result = await cli(server, ['list', '--label', 'nobody']);
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', 'No bookings.\n']);
});

filled('list --csv is RFC 4180 and safe for a spreadsheet; times are the server’s', async (server) => {
    assert.equal(await done(server, ['list', '--csv']),
        'id,start,end,node_id,gpu_ids,user_label,priority,status,note\r\n' +
        `1,${iso(DAY + 9)},${iso(DAY + 14)},n,"g0, g1",ada,high,active,"ablation, 3"\r\n` +
        `2,${iso(DAY + 24)},${iso(DAY + 48)},m,g0,'=cmd,medium,active,\r\n`);
    assert.equal((await cli(server, ['list', '--label', 'nobody', '--csv'])).stdout, 'id,start,end,node_id,gpu_ids,user_label,priority,status,note\r\n');
});

filled('list --json prints a page as the server said it', async (server) => {
    const page = JSON.parse(await done(server, ['list', '--json', '--status', 'all', '--limit', '3']));
    assert.deepEqual(page, (await request(server, 'GET', '/api/bookings?limit=3')).json);
    assert.equal(page.next, 3);
});

it('list reads page after page: of 1,098 bookings each is there once, in order', async () => {
    const server = await startServer({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}, {id: 'g1'}, {id: 'g2'}]}]}, workers: 1});
    try {
        for (const gpu of ['g0', 'g1', 'g2'])
            await book(server, {node_id: 'n', start: iso(DAY), end: iso(DAY + 1), user_label: gpu, gpu_ids: [gpu], repeat: {every: 'day', count: 366}});
        const ids = async (...args) => (await done(server, ['list', '--csv', ...args])).trim().split('\r\n').slice(1).map((line) => Number.parseInt(line, 10));
        const all = Array.from({length: 1098}, (_, i) => i + 1);
        assert.deepEqual(await ids(), all);
        assert.deepEqual(await ids('--limit', '1001', '--after', '2'), all.slice(2, 1003));
        assert.deepEqual(await ids('--limit', '1000'), all.slice(0, 1000));
        const page = JSON.parse(await done(server, ['list', '--json']));
        assert.deepEqual([page.bookings.length, page.next], [1000, 1000]);
    } finally {
        await server.stop();
    }
});

filled('list refuses what makes no sense', async (server) => {
    await fails(server, ['list', '--mine', '--label', 'x'], 2, /--mine and --label exclude each other/);
    await fails(server, ['list', '--limit', '0'], 2, /--limit/);
    await fails(server, ['list', '--status', 'gone'], 1, /status/i);
});

/* -- show ---------------------------------------------------------------------------------------------------------- */

filled('show tells everything about a booking, and what became of it', async (server) => {
    const text = await done(server, ['show', '1']);
    assert.equal(text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'WHEN'),
        'Booking   1, active\n' +
        'Node      n\n' +
        'GPUs      g0, g1\n' +
        `When      ${Y}-03-03 09:00 – 14:00 UTC (5 hours)\n` +
        'Label     ada\n' +
        'Priority  high\n' +
        'Note      ablation, 3\n' +
        'Version   2\n' +
        `History   WHEN  ada (claimed)  booked n g0, g1 · ${Y}-03-03 09:00 – 13:00 UTC (4 hours) · ada, high\n` +
        `          WHEN  grace (claimed)  edited end: ${Y}-03-03 13:00 → ${Y}-03-03 14:00\n`);
    assert.match(await done(server, ['show', '3']), / cancelled ada · /);
    assert.deepEqual(JSON.parse(await done(server, ['show', '1', '--json'])), (await request(server, 'GET', '/api/bookings/1')).json);
    await fails(server, ['show', '99'], 1, "procplan-cli: Booking '99' does not exist\n");
    await fails(server, ['show', '-5'], 2);
    await fails(server, ['show', '99999999999999999999'], 2, /is no booking's number/);
});

/* -- find ---------------------------------------------------------------------------------------------------------- */

filled('find lists the first windows, earliest first', async (server) => {
    const args = ['--gpus', '2', '--hours', '3', '--after', iso(DAY + 9), '--before', iso(DAY + 30)];
    assert.equal(await done(server, ['find', ...args]),
        'START (UTC)       END (UTC)         NODE  GPUS\n' +
        `${Y}-03-03 14:00  ${Y}-03-03 17:00  n     g0, g1\n`);
    assert.equal(await done(server, ['find', ...args, '--csv']),
        `start,end,node_id,gpu_ids\r\n${iso(DAY + 14)},${iso(DAY + 17)},n,"g0, g1"\r\n`);
    const {slots} = JSON.parse(await done(server, ['find', '--json', '--kind', 'L40S', '--limit', '1', '--after', iso(DAY + 30), '--node', 'n', '--node', 'm']));
    assert.deepEqual(slots.map((slot) => [slot.node_id, slot.start]), [['m', iso(DAY + 48)]]);
});

filled('find says when there is none, with status 1', async (server) => {
    await fails(server, ['find', '--gpus', '9'], 1, /^No such window is free; /);
    await fails(server, ['find', '--gpus', '0'], 2, /--gpus/);
    await fails(server, ['find', '--node', 'nowhere'], 1, "procplan-cli: Unknown node id 'nowhere'\n");
});

/* -- nodes --------------------------------------------------------------------------------------------------------- */

filled('nodes lists nodes, or each GPU', async (server) => {
    assert.equal(await done(server, ['nodes']),
        'NODE  NAME    GPUS  KINDS\n' +
        'n     Node N  3     2 × A100, 1 × H100\n' +
        'm     m       1     1 × L40S\n' +
        'void  void    0\n');
    assert.equal(await done(server, ['nodes', '--gpus']),
        'NODE  GPU  KIND  DEVICE\nn     g0   A100  3\nn     g1   H100\nn     g2   A100\nm     g0   L40S\n');
    assert.equal(await done(server, ['nodes', '--csv']), 'id,name,gpu_count,kinds\r\nn,Node N,3,"2 × A100, 1 × H100"\r\nm,m,1,1 × L40S\r\nvoid,void,0,\r\n');
    assert.deepEqual(JSON.parse(await done(server, ['nodes', '--json'])), (await request(server, 'GET', '/api/nodes')).json);
});

/* -- usage --------------------------------------------------------------------------------------------------------- */

filled('usage counts GPU hours of a window', async (server) => {
    const june = ['--start', '2024-06-01', '--end', '+1d'];
    assert.equal(await done(server, ['usage', ...june]),
        'GPU hours, 2024-06-01 00:00 – 2024-06-02 00:00 UTC\n' +
        'USER   BOOKED  USED  GIVEN BACK  OF CAPACITY\n' +
        'ada    24      24    0           -\n' +
        'total  24      24    0           -\n');
    assert.match(await done(server, ['usage', '--by', 'gpu', ...june]), /^GPU .*\nm g0 +24 +24 +0 /m);
    const asked = '/api/usage?start=2024-06-01&end=2024-06-02&by=node';
    assert.equal(await done(server, ['usage', '--by', 'node', ...june, '--csv']), (await request(server, 'GET', `${asked}&format=csv`)).text);
    assert.deepEqual(JSON.parse(await done(server, ['usage', '--by', 'node', ...june, '--json'])), (await request(server, 'GET', asked)).json);
    await fails(server, ['usage', '--by', 'moon'], 1, /'by' must be one of/);
    await fails(server, ['usage', '--by', 'moon', '--csv'], 1, /'by' must be one of/);
    await fails(server, ['usage', '--end', 'now'], 2, /wants a --start/);
});

/* -- events -------------------------------------------------------------------------------------------------------- */

const lines = (text) => text.trimEnd().split('\n').slice(1);

filled('events tells the last ones, those behind a number, or those of a booking', async (server) => {
    const {events} = (await request(server, 'GET', '/api/events')).json;
    const last = events.at(-1).id;
    const all = lines(await done(server, ['events', '--after', '0']));
    assert.equal(all.length, events.length);
    assert.match(all[0], /^1 .* configured added n, n g0, n g1, n g2, m, m g0, void$/);
    assert.deepEqual(lines(await done(server, ['events', '--limit', '2'])).map((line) => Number.parseInt(line, 10)), [last - 1, last]);
    assert.deepEqual(lines(await done(server, ['events', '--after', '1', '--limit', '1'])).map((line) => Number.parseInt(line, 10)), [2]);
    assert.equal(lines(await done(server, ['events', '--booking', '1'])).length, 2);
    assert.match(await done(server, ['events', '--booking', '2', '--csv']), /^id,at,actor,booking_id,what\r\n\d+,[^,]+\+00:00,,2,"?booked m g0 · /);
    assert.equal(JSON.parse(await done(server, ['events', '--limit', '1', '--json'])).last, last);
    await fails(server, ['events', '--limit', '1001'], 2, /--limit/);
});

it('events --follow prints what happens as it happens', async (server) => {
    const child = spawn(program, ['events', '--follow'], {env: environment({PROCPLAN_URL: server.url}), stdio: ['ignore', 'pipe', 'inherit']});
    try {
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (more) => { text += more; });
        await until(() => text.includes('configured'), 'the events so far');
        const {booking_id: id} = await book(server, {node_id: 'n', start: '2033-01-01', end: '2033-01-02', user_label: 'late', gpu_count: 1});
        await until(() => text.includes(' · late, medium\n'), 'the booking');
        await markDone(server, id);
        await until(() => text.includes('completed late'), 'its end');
    } finally {
        child.kill('SIGTERM');
    }
});

it('events --follow outlasts a planner that is away, and says so once', async (server) => {
    const proxy = await proxyTo(server.port);
    const child = spawn(program, ['events', '--follow'], {env: environment({PROCPLAN_URL: proxy.url}), stdio: ['ignore', 'pipe', 'pipe']});
    try {
        let text = '', said = '';
        child.stdout.setEncoding('utf8').on('data', (more) => { text += more; });
        child.stderr.setEncoding('utf8').on('data', (more) => { said += more; });
        await until(() => text.includes('configured'), 'the events so far');
        await proxy.down();
        await until(() => said.includes('\n'), 'it says so');
        await book(server, {node_id: 'n', start: '2033-02-01', end: '2033-02-02', user_label: 'meanwhile', gpu_count: 1});
        await proxy.up();
        await until(() => text.includes(' · meanwhile, medium\n'), 'what happened meanwhile');
        assert.equal(said.trimEnd().split('\n').length, 1, said);
    } finally {
        child.kill('SIGTERM');
        await proxy.close();
    }
});

/* -- reload -------------------------------------------------------------------------------------------------------- */

it('reload tells what changed, and where a fault is', async () => {
    const server = await startServer({config: CONFIG, workers: 1});
    try {
        assert.equal(await done(server, ['reload']), 'Nothing has changed.\n');
        const {booking_id: id} = await book(server, {node_id: 'm', start: iso(DAY), end: iso(DAY + 1), user_label: 'ada', gpu_count: 1});
        server.writeConfig({nodes: [{...CONFIG.nodes[0], gpus: [...CONFIG.nodes[0].gpus, {id: 'g9'}]}, {id: 'void'}]});
        const result = await cli(server, ['reload']);
        assert.equal(result.code, 0);
        assert.match(result.stdout, /^Added GPU n g9\n/);
        assert.match(result.stdout, /^Retired node m$/m);
        assert.match(result.stderr, new RegExp(`^Booking ${id} stands on GPUs that are retired: m g0 · `));
        server.writeConfig('{"nodes": [}');
        await fails(server, ['reload'], 1, /line 1/);
        assert.equal(JSON.parse((await cli(server, ['reload', '--json'])).stdout).status, 500);
    } finally {
        await server.stop();
    }
});

/* -- help ---------------------------------------------------------------------------------------------------------- */

const COMMANDS = ['book', 'list', 'show', 'edit', 'extend', 'cancel', 'done', 'find', 'nodes', 'usage', 'events', 'watch', 'reload'];

it('each command has a --help with its options and an example', async () => {
    const whole = await done(null, ['--help']);
    for (const name of COMMANDS) {
        assert.match(whole, new RegExp(`^  ${name} `, 'm'));
        const text = await done(null, [name, '--help']);
        assert.match(text, new RegExp(`^Usage: procplan-cli ${name} `));
        assert.match(text, new RegExp(`\nExample:\n  procplan-cli ${name}`));
        assert.match(text, /^ {6}--url URL/m);
        assert.equal(await done(null, [name, '-h']), text);
        for (const line of text.split('\n')) assert.ok(line.length <= 132, line);
    }
    assert.match(await done(null, ['--version']), /^procplan-cli \d/);
});

it('a word that is no command is told, with the one that was meant', async () => {
    await fails(null, ['bok'], 2, "procplan-cli: there is no command 'bok'; did you mean 'book'?\nTry 'procplan-cli --help'.\n");
    await fails(null, ['\x1b[2J'], 2, /there is no command '\\x1b\[2J'/);
    await fails(null, ['book', '--url'], 2, /--url wants a value/);
    await fails(null, ['list', '--timeout', 'long', '--url', 'x'], 2, /--timeout wants seconds/);
});

it('options may stand before the command', async (server) => {
    assert.equal(await done(null, ['--url', server.url, '--color=never', 'nodes']), await done(server, ['nodes']));
    assert.match(await done(server, ['--node', 'n', 'book', '--dry-run', '--hours', '1', '--start', '2034-01-01', '--user', 'x']), /^Would book · n /);
});

it('output that cannot be written is a failure', async (server) => {
    const {openSync, closeSync} = require('node:fs');
    const full = openSync('/dev/full', 'w');
    try {
        const child = spawn(program, ['nodes'], {env: environment({PROCPLAN_URL: server.url}), stdio: ['ignore', full, 'pipe']});
        let text = '';
        child.stderr.setEncoding('utf8').on('data', (more) => { text += more; });
        const code = await new Promise((resolve) => child.on('close', resolve));
        assert.equal(code, 1);
        assert.match(text, /the output cannot be written: No space left on device/);
    } finally {
        closeSync(full);
    }
});
