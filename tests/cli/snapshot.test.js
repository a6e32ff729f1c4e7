'use strict';
/* procplan-cli without a command: the snapshot. The tables are laid out by hand. */
const assert = require('node:assert/strict');
const os = require('node:os');
const {DAY_HOURS, currentHour, iso, steadyHour} = require('../api/clock.js');
const {book, markDone} = require('../api/fixtures.js');
const {startServer, suite} = require('../api/harness.js');
const {cli, done, fails} = require('./cli.js');

const CONFIG = {
    nodes: [
        {id: 'node-a', name: 'Training Node A', gpus: [{id: 'node-a-gpu0', kind: 'A100'}, {id: 'node-a-gpu1', kind: 'A100'}]},
        {id: 'b', gpus: [{id: 'g'}]},
        {id: 'void', name: 'No GPUs here'},
        {id: 'wide', name: '幅', gpus: [{id: '日本', kind: 'e\u0301'}, {id: 'x', kind: '\u202eK'}]},
    ],
};
const it = suite({config: CONFIG});

const wish = (node_id, gpu, start, end, user_label, priority) => ({node_id, gpu_ids: [gpu], start, end, user_label, priority});

/* Once for the whole file: June 2024 has passed, so nothing about it changes with the clock. */
let booked;
const bookJune = (server) => (booked ??= (async () => {
    const a = 'node-a', gpu = 'node-a-gpu0';
    await book(server, wish(a, gpu, '2024-06-01T10:00', '2024-06-01T12:00', 'AB', 'high'));
    await book(server, wish(a, gpu, '2024-06-01T13:00', '2024-06-01T14:00', 'later', 'medium'));
    await book(server, wish(a, gpu, '2024-06-03T00:00', '2024-06-03T05:00', 'first', 'low'));
    await book(server, wish(a, gpu, '2024-06-03T05:00', '2024-06-04T00:00', 'second', 'low'));
    await book(server, wish(a, gpu, '2024-06-05T23:00', '2024-06-07T01:00', 'over night', 'medium'));
    await book(server, wish(a, 'node-a-gpu1', '2024-05-01', '2024-07-01', 'CD', 'low'));
    const ended = await book(server, wish('b', 'g', '2024-06-02', '2024-06-04', 'ended', 'high'));
    await markDone(server, ended.booking_id);
    await book(server, wish('wide', '日本', '2024-06-01', '2024-06-02', '部屋', 'medium'));
    await book(server, wish('wide', 'x', '2024-06-07', '2024-06-08', 'a\u202eb', 'high'));
})());
const june = (name, body) => it(name, async (server) => {
    await bookJune(server);
    await body(server);
});

const NODE_A = `\
Node Training Node A (node-a)
Window: 2024-06-01T00:00:00+00:00 – 2024-06-08T00:00:00+00:00
GPU                | 2024-06-01 | 2024-06-02 | 2024-06-03   | 2024-06-04 | 2024-06-05          | 2024-06-06          | 2024-06-07\x20\x20\x20\x20\x20\x20\x20\x20\x20
-------------------+------------+------------+--------------+------------+---------------------+---------------------+--------------------
node-a-gpu0 (A100) | AB (High)  | -          | second (Low) | -          | over night (Medium) | over night (Medium) | over night (Medium)
node-a-gpu1 (A100) | CD (Low)   | CD (Low)   | CD (Low)     | CD (Low)   | CD (Low)            | CD (Low)            | CD (Low)\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20
`;
const NODE_B = `\
Node b (b)
Window: 2024-06-01T00:00:00+00:00 – 2024-06-08T00:00:00+00:00
GPU             | 2024-06-01 | 2024-06-02 | 2024-06-03 | 2024-06-04 | 2024-06-05 | 2024-06-06 | 2024-06-07
----------------+------------+------------+------------+------------+------------+------------+-----------
g (unspecified) | -          | -          | -          | -          | -          | -          | -\x20\x20\x20\x20\x20\x20\x20\x20\x20
`;
const VOID = `\
Node No GPUs here (void)
Window: 2024-06-01T00:00:00+00:00 – 2024-06-08T00:00:00+00:00
GPU | 2024-06-01 | 2024-06-02 | 2024-06-03 | 2024-06-04 | 2024-06-05 | 2024-06-06 | 2024-06-07
----+------------+------------+------------+------------+------------+------------+-----------
`;
const WIDE = `\
Node 幅 (wide)
Window: 2024-06-01T00:00:00+00:00 – 2024-06-08T00:00:00+00:00
GPU         | 2024-06-01    | 2024-06-02 | 2024-06-03 | 2024-06-04 | 2024-06-05 | 2024-06-06 | 2024-06-07\x20\x20\x20\x20\x20
------------+---------------+------------+------------+------------+------------+------------+----------------
日本 (e\u0301)    | 部屋 (Medium) | -          | -          | -          | -          | -          | -\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20
x (\\u202eK) | -             | -          | -          | -          | -          | -          | a\\u202eb (High)
`;
const JUNE = ['--date', '2024-06-01'];

june('one node: name, window, a column a day, the highest priority in each cell, of equals the one that starts last', async (server) => {
    assert.equal(await done(server, ['--node', 'node-a', ...JUNE]), NODE_A);
});

june('all nodes stand in the server’s order with a blank line between them', async (server) => {
    const all = [NODE_A, NODE_B, VOID, WIDE].join('\n');
    assert.equal(await done(server, ['--all', ...JUNE]), all);
    assert.equal(await done(server, ['-a', '--date=2024-06-01']), all);
});

june('several nodes keep the server’s order, whatever the order of the options', async (server) => {
    assert.equal(await done(server, ['--node', 'b', '--node', 'node-a', '--node', 'b', ...JUNE]), `${NODE_A}\n${NODE_B}`);
});

june('columns are aligned by what they take on the screen; characters that turn the direction are shown', async (server) => {
    assert.equal(await done(server, ['--node', 'wide', ...JUNE]), WIDE);
});

june('the locale changes nothing', async (server) => {
    for (const locale of ['C', 'C.UTF-8', 'de_DE.UTF-8'])
        assert.equal(await done(server, ['--node', 'wide', ...JUNE], {env: {LC_ALL: locale, LANG: locale}}), WIDE);
});

june('unknown nodes are an error in the original’s words', async (server) => {
    await fails(server, ['--node', 'nobody', ...JUNE], 1, 'No matching nodes found for filter(s): nobody. Use --all to list every node.\n');
    await fails(server, ['--node', 'x', '--node', 'B'], 1, 'No matching nodes found for filter(s): x, B. Use --all to list every node.\n');
});

june('an unknown node beside a known one is told, and the known one shown', async (server) => {
    const result = await cli(server, ['--node', 'nobody', '--node', 'b', ...JUNE]);
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, NODE_B, "procplan-cli: there is no node 'nobody'\n"]);
});

june('--days shows so many days', async (server) => {
    const lines = (await done(server, ['--node', 'node-a', '--date', '2024-06-06', '--days', '2'])).split('\n');
    assert.equal(lines[1], 'Window: 2024-06-06T00:00:00+00:00 – 2024-06-08T00:00:00+00:00');
    assert.equal(lines[4], 'node-a-gpu0 (A100) | over night (Medium) | over night (Medium)');
});

it('without --date it is this week, from Monday to Monday', async (server) => {
    const hour = await steadyHour();
    const day = Math.floor(hour / DAY_HOURS);
    const monday = (day - (new Date(day * 86_400_000).getUTCDay() + 6) % 7) * DAY_HOURS;
    for (const [args, days] of [[[], 7], [['--days', '9'], 9]]) {
        const lines = (await done(server, ['--all', ...args])).split('\n');
        assert.equal(lines[1], `Window: ${iso(monday)} – ${iso(monday + days * DAY_HOURS)}`);
    }
    assert.equal(hour, currentHour());
});

it('--date takes what other times take, and counts from that day’s midnight', async (server) => {
    const today = Math.floor(await steadyHour() / DAY_HOURS) * DAY_HOURS;
    const window = async (date) => (await done(server, ['-a', '--date', date, '--days', '1'])).split('\n')[1];
    assert.equal(await window('today'), `Window: ${iso(today)} – ${iso(today + 24)}`);
    assert.equal(await window('tomorrow 09:00'), `Window: ${iso(today + 24)} – ${iso(today + 48)}`);
});

june('color is by priority, on demand only', async (server) => {
    const colored = await done(server, ['--node', 'node-a', ...JUNE, '--color=always']);
    assert.ok(colored.includes('\x1b[1;31mAB (High)\x1b[0m  | '));
    assert.ok(colored.includes('\x1b[36mCD (Low)\x1b[0m'));
    assert.ok(colored.includes('\x1b[33mover night (Medium)\x1b[0m'));
    assert.equal(colored.replace(/\x1b\[[\d;]*m/g, ''), NODE_A);
    for (const args of [[], ['--color', 'auto'], ['--color', 'never']]) assert.equal(await done(server, ['--node', 'node-a', ...JUNE, ...args]), NODE_A);
});

june('--csv is one table with a line for each GPU', async (server) => {
    assert.equal(await done(server, ['--node', 'node-a', '--node', 'b', '--date', '2024-06-03', '--days', '2', '--csv']),
        'node_id,gpu_id,kind,2024-06-03,2024-06-04\r\n' +
        'node-a,node-a-gpu0,A100,second (Low),\r\n' +
        'node-a,node-a-gpu1,A100,CD (Low),CD (Low)\r\n' +
        'b,g,unspecified,,\r\n');
});

june('--json is the server’s own day grid', async (server) => {
    const {availability} = JSON.parse(await done(server, ['--node', 'b', '--node', 'node-a', ...JUNE, '--json']));
    assert.deepEqual(availability.map((grid) => grid.node.id), ['node-a', 'b']);
    assert.equal(availability[0].grid.rows[0].day_slots[0].bookings[0].user_label, 'AB');
    assert.equal(availability[0].end, '2024-06-08T00:00:00+00:00');
    assert.equal(JSON.parse(await done(server, ['-a', '--json'])).availability.length, 4);
});

it('a wrong option is a matter of the command line', async (server) => {
    await fails(server, ['--date', 'someday'], 2, /^procplan-cli: --date: 'someday' is no time; /);
    await fails(server, ['--days', '0'], 2, /--days wants a whole number from 1 to 3700, not '0'/);
    await fails(server, ['--days', '4000'], 2, /--days/);
    await fails(server, ['--date', '9999-12-30'], 2, /beyond the year 9999/);
    await fails(server, ['--color', 'sometimes'], 2, /auto, always or never/);
    await fails(server, ['--nodes', 'b'], 2, /--nodes is not an option here; did you mean --node\?/);
    await fails(server, ['--all', '--json', '--csv'], 2, /exclude each other/);
});

/* -- this machine ---------------------------------------------------------------------------------------------- */

test_host('without --node it is the node with this machine’s name', os.hostname());
test_host('a node with the short form of this machine’s name is found, too', os.hostname().split('.')[0]);

function test_host(name, id) {
    require('node:test').test(name, async () => {
        const server = await startServer({config: {nodes: [{id: 'other', gpus: [{id: 'g'}]}, {id, gpus: [{id: 'mine'}]}]}, workers: 1});
        try {
            const out = await done(server, ['--date', '2024-06-01']);
            assert.match(out, /^mine \(unspecified\) \| -/m);
            assert.ok(!out.includes('other'));
            assert.match(await done(server, ['book', '--hours', '1', '--user', 'ada']), new RegExp(` · ${id.replaceAll('.', '\\.')} mine · `));
        } finally {
            await server.stop();
        }
    });
}

it('a machine that is no node is told in the original’s words, with its name', async (server) => {
    await fails(server, [], 1, `No matching nodes found for filter(s): ${os.hostname()}. Use --all to list every node.\n`);
});
