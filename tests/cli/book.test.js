'use strict';
/* procplan-cli book, edit, extend, cancel, done: what is written, what is refused, and what is said of it. */
const assert = require('node:assert/strict');
const net = require('node:net');
const {YEAR_AHEAD, currentHour, hourOf, iso, steadyHour} = require('../api/clock.js');
const {assertHas, book, bookingOf, edit} = require('../api/fixtures.js');
const {request, suite} = require('../api/harness.js');
const {cli, done, fails} = require('./cli.js');
const {listen} = require('./hostile_listeners.js');

const it = suite({config: {
    nodes: [{id: 'n', gpus: [{id: 'g0'}, {id: 'g1'}, {id: 'g2'}]}, {id: 'm', gpus: [{id: 'g0'}]}],
    limits: {max_booking_hours: 1000},
}});

let last = hourOf(`${YEAR_AHEAD}-01-04T00:00Z`);
const ownDay = () => (last += 48);
const short = (hour) => iso(hour).slice(0, 16).replace('T', ' ');
const ADA = ['--user', 'ada'];
const idOf = (text) => Number(/^Booking (\d+) · /.exec(text)[1]);
const bookAt = (server, hour, more = []) => done(server, ['book', '--node', 'n', '--start', iso(hour), '--hours', '4', ...ADA, ...more]);
const conflict = async (server, args, pattern) => fails(server, args, 3, pattern);

/* -- book ------------------------------------------------------------------------------------------------------ */

it('a booking needs a node, hours and a login name: one GPU from the current hour', async (server) => {
    const hour = await steadyHour();
    const out = await done(server, ['book', '--node', 'm', '--hours', '4', ...ADA]);
    assertHas(await bookingOf(server, idOf(out)), {
        node_id: 'm', gpu_ids: ['g0'], start: iso(hour), end: iso(hour + 4), user_label: 'ada', priority: 'medium', note: null});
    assert.equal(hour, currentHour());
});

it('a count prints which GPUs it became, and the window', async (server) => {
    const day = ownDay();
    const out = await bookAt(server, day + 9, ['--gpus', '2']);
    assert.equal(out, `Booking ${idOf(out)} · n g0, g1 · ${short(day + 9)} – 13:00 UTC (4 hours) · ada, medium\n`);
});

it('every option reaches the server', async (server) => {
    const day = ownDay();
    const out = await done(server, ['book', '--node', 'n', '--gpu', 'g2', '--gpu=g0', '--start', iso(day), '--end', '+30h', '--label', 'Grün "x"',
        '--priority', 'high', '--note', 'ablation 3', ...ADA]);
    const id = idOf(out);
    assertHas(await bookingOf(server, id), {
        gpu_ids: ['g0', 'g2'], start: iso(day), end: iso(day + 30), user_label: 'Grün "x"', priority: 'high', note: 'ablation 3'});
    const {events} = (await request(server, 'GET', `/api/events?booking_id=${id}`)).json;
    assertHas(events[0], {actor: 'ada', claimed: true});
});

it('hours count from the whole hour, so a start within one is not booked longer', async (server) => {
    const day = ownDay();
    const out = await done(server, ['book', '--node', 'n', '--start', iso(day).replace('00:00+', '20:00+'), '--hours', '2', ...ADA]);
    assertHas(await bookingOf(server, idOf(out)), {start: iso(day), end: iso(day + 2)});
});

it('the release token is a secret: printed by --show-token and --json only', async (server) => {
    const day = ownDay();
    const plain = await bookAt(server, day);
    const shown = await bookAt(server, day, ['--show-token']);
    const [, token] = /^Release token \(a secret; [^)]*\): ([0-9a-f]{32})$/m.exec(shown);
    assert.doesNotMatch(plain, /[0-9a-f]{32}/);
    const json = JSON.parse(await bookAt(server, day, ['--json']));
    assert.match(json.release_token, /^[0-9a-f]{32}$/);
    await done(server, ['done', `${idOf(shown)}`, '--token', token]);
    assertHas(await bookingOf(server, idOf(shown)), {status: 'completed'});
    await fails(server, ['done', `${json.booking_id}`, '--token', token], 1, /token/);
});

it('a dry run checks everything and books nothing', async (server) => {
    const day = ownDay();
    const events = async () => (await request(server, 'GET', '/api/events?limit=1000')).json.events.length;
    const before = await events();
    const out = await bookAt(server, day, ['--gpus', '3', '--dry-run']);
    assert.equal(out, `Would book · n g0, g1, g2 · ${short(day)} – 04:00 UTC (4 hours) · ada, medium\nNothing was booked (--dry-run).\n`);
    assert.equal(await events(), before);
    await fails(server, ['book', '--node', 'n', '--hours', '2000', '--dry-run', ...ADA], 1, /1000/);
});

it('a series is told one by one; with skip what did not fit is told, too', async (server) => {
    const day = ownDay();
    const taken = await book(server, {node_id: 'n', start: iso(day + 24), end: iso(day + 25), user_label: 'bob', gpu_ids: ['g0']});
    const args = ['book', '--node', 'n', '--gpu', 'g0', '--start', iso(day), '--hours', '1', '--repeat', 'day:3', ...ADA];
    await conflict(server, args, new RegExp(`g0 is held by bob \\(booking ${taken.booking_id}\\)`));
    const result = await cli(server, [...args, '--on-conflict', 'skip']);
    assert.equal(result.code, 0);
    assert.equal(result.stdout.trimEnd().split('\n').length, 2);
    assert.match(result.stderr, new RegExp(`^Skipped ${short(day + 24)} – 01:00 UTC: GPU 'g0' is already booked`));
    last += 48;
});

it('a conflict says who holds what until when and what is free next, and exits with 3', async (server) => {
    const day = ownDay();
    const first = idOf(await bookAt(server, day, ['--gpus', '2', '--label', 'b\u202eob']));
    const text = await conflict(server, ['book', '--node', 'n', '--gpus', '2', '--start', iso(day + 1), '--hours', '3', ...ADA]);
    assert.equal(text,
        'procplan-cli: Not enough GPUs available for the requested window\n' +
        `  g0 is held by b\\u202eob (booking ${first}) until ${short(day + 4)} UTC\n` +
        `  g1 is held by b\\u202eob (booking ${first}) until ${short(day + 4)} UTC\n` +
        text.slice(text.indexOf('Next free')));
    assert.match(text, new RegExp(`Next free on n: ${short(day + 4)} – `));
});

it('--json prints a refusal as the server said it', async (server) => {
    const day = ownDay();
    await bookAt(server, day, ['--gpus', '3']);
    const result = await cli(server, ['book', '--node', 'n', '--start', iso(day), '--hours', '1', '--json', ...ADA]);
    assert.equal(result.code, 3);
    assertHas(JSON.parse(result.stdout), {status: 409});
    assert.equal(JSON.parse(result.stdout).conflicts.length, 3);
});

it('the same key is carried out once', async (server) => {
    const day = ownDay();
    const key = `key-${day}`;
    const first = await bookAt(server, day, ['--key', key]);
    assert.equal(await bookAt(server, day, ['--key', key]), first);
    await fails(server, ['book', '--node', 'n', '--start', iso(day), '--hours', '9', '--key', key, ...ADA], 1, /key/i);
    await fails(server, ['book', '--node', 'n', '--start', iso(day), '--hours', '9', '--key', 'two words', ...ADA], 1, /visible characters/);
});

/* Passes each connection on to the server, but loses the first answers to a POST. */
async function losing(server, count) {
    let lost = 0;
    const proxy = await listen((socket) => {
        const up = net.connect(server.port, '127.0.0.1');
        let head = '';
        socket.on('data', (bytes) => {
            head ||= bytes.toString('latin1');
            up.write(bytes);
        });
        up.on('data', (bytes) => {
            if (head.startsWith('POST') && lost < count) {
                lost++;
                socket.destroy();
            } else socket.write(bytes);
        });
        up.on('error', () => socket.destroy());
        socket.on('close', () => up.destroy());
    });
    proxy.lost = () => lost;
    return proxy;
}

it('a booking whose answer was lost is asked for again and made once', async (server) => {
    const proxy = await losing(server, 2);
    try {
        const day = ownDay();
        const out = await done({url: proxy.url}, ['book', '--node', 'n', '--start', iso(day), '--hours', '1', ...ADA]);
        assert.equal(proxy.lost(), 2);
        const {bookings} = (await request(server, 'GET', `/api/bookings?start=${iso(day).slice(0, 13)}&end=${iso(day + 1).slice(0, 13)}`)).json;
        assert.deepEqual(bookings.map((one) => one.id), [idOf(out)]);
    } finally {
        await proxy.close();
    }
});

it('what carries no key is sent once only', async (server) => {
    const id = idOf(await bookAt(server, ownDay()));
    const proxy = await losing(server, 1);
    try {
        await fails({url: proxy.url}, ['done', `${id}`], 1, /cannot talk to/);
        assert.equal(proxy.requests.length, 1);
    } finally {
        await proxy.close();
    }
});

it('what the command line lacks is said before anything is sent', async () => {
    const nobody = {url: 'http://127.0.0.1:1'};
    for (const [args, pattern] of [
        [['book', '--node', 'n'], /for how long\? Give --hours N or --end TIME/],
        [['book', '--hours', '1', '--end', '+1h'], /--hours and --end exclude each other/],
        [['book', '--hours', '0'], /--hours wants a whole number from 1 to/],
        [['book', '--hours', '1.5'], /--hours wants a whole number/],
        [['book', '--hours', '4', '--gpus', '1', '--gpu', 'g'], /exclude each other/],
        [['book', '--start', 'today', '--end', 'yesterday'], /end before it starts/],
        [['book', '--hours', '1', '--repeat', 'month:3'], /day:COUNT or week:COUNT/],
        [['book', '--hours', '1', '--repeat', 'day:367'], /366/],
        [['book', '--hours', '1', '--on-conflict', 'skip'], /give --repeat too/],
        [['book', '--hours', '1', '--repeat', 'day:2', '--on-conflict', 'ask'], /fail or skip/],
        [['book', '--hours', '1', 'now'], /'now' is one word too many/],
        [['book', '--hours', '1', '--dry-run=yes'], /--dry-run takes no value/],
        [['edit', '1'], /what shall change\?/],
        [['edit', 'x', '--note', 'y'], /'x' is no booking's number/],
        [['edit'], /edit wants ID/],
        [['extend', '1'], /extend wants ID TIME/],
        [['extend', '1', 'more'], /'more' is no time/],
        [['cancel'], /cancel wants ID/],
        [['cancel', '1', '-1'], /-1 is not an option|'-1' is no booking/],
        [['done', '1', '2', '--token', 'x'], /belongs to one booking/],
    ]) await fails(nobody, [...args, ...ADA], 2, pattern);
});

it('a refusal of the server is its own sentence, and 1', async (server) => {
    await fails(server, ['book', '--node', 'nowhere', '--hours', '1', ...ADA], 1, "procplan-cli: Unknown node id 'nowhere'\n");
    await fails(server, ['book', '--node', 'n', '--gpus', '4', '--hours', '1', ...ADA], 1, /Not enough GPUs/);
    await fails(server, ['book', '--node', 'n', '--hours', '1', '--priority', 'urgent', ...ADA], 1, /low, medium, high/);
    await fails(server, ['book', '--hours', '1', ...ADA], 1, /is none of the planner's nodes; say which one with --node \(n, m\)/);
});

/* -- edit, extend ------------------------------------------------------------------------------------------------ */

it('edit changes what is named and nothing else', async (server) => {
    const day = ownDay();
    const id = idOf(await bookAt(server, day, ['--note', 'old', '--label', 'x']));
    const out = await done(server, ['edit', `${id}`, '--end', '+2h', '--priority', 'low', ...ADA]);
    assert.equal(out, `Changed: booking ${id} · n g0 · ${short(day)} – 06:00 UTC (6 hours) · x, low\n`);
    assertHas(await bookingOf(server, id), {note: 'old', user_label: 'x', start: iso(day), end: iso(day + 6)});
    await done(server, ['edit', `${id}`, '--start', '+1h', '--hours', '2', '--note', '', '--gpus', '2', '--label', 'y', ...ADA]);
    assertHas(await bookingOf(server, id), {note: null, user_label: 'y', start: iso(day + 1), end: iso(day + 3), gpu_ids: ['g0', 'g1']});
});

it('edit --dry-run says what it would be and changes nothing', async (server) => {
    const day = ownDay();
    const id = idOf(await bookAt(server, day));
    const out = await done(server, ['edit', `${id}`, '--hours', '9', '--dry-run', ...ADA]);
    assert.equal(out, `It would become: booking ${id} · n g0 · ${short(day)} – 09:00 UTC (9 hours) · ada, medium\n`);
    assertHas(await bookingOf(server, id), {end: iso(day + 4), version: 1});
});

it('edit does not overwrite what somebody else has changed', async (server) => {
    const id = idOf(await bookAt(server, ownDay()));
    await edit(server, id, {note: 'mine'});
    await fails(server, ['edit', `${id}`, '--note', 'yours', '--if-version', '1', ...ADA], 1, /changed by somebody else/);
    await done(server, ['edit', `${id}`, '--note', 'yours', '--if-version', '2', ...ADA]);
    assertHas(await bookingOf(server, id), {note: 'yours'});
});

it('an edit that meets another booking names it, and exits with 3', async (server) => {
    const day = ownDay();
    const id = idOf(await bookAt(server, day, ['--gpu', 'g0']));
    const other = idOf(await bookAt(server, day + 4, ['--gpu', 'g0', '--label', 'bob']));
    await conflict(server, ['extend', `${id}`, '+1h', ...ADA], new RegExp(`g0 is held by bob \\(booking ${other}\\) until ${short(day + 8)} UTC\n`));
});

it('extend adds to the end, or sets it; never shortens', async (server) => {
    const day = ownDay();
    const id = idOf(await bookAt(server, day));
    await done(server, ['extend', `${id}`, '+4h', ...ADA]);
    assertHas(await bookingOf(server, id), {end: iso(day + 8)});
    await done(server, ['extend', `${id}`, iso(day + 20), ...ADA]);
    assertHas(await bookingOf(server, id), {end: iso(day + 20)});
    await done(server, ['extend', `${id}`, '+1d', '--dry-run', ...ADA]);
    assertHas(await bookingOf(server, id), {end: iso(day + 20)});
    await fails(server, ['extend', `${id}`, iso(day + 20), ...ADA], 1, /it ends at .* already; to shorten it: procplan-cli edit/);
    await fails(server, ['extend', '987654', '+1h', ...ADA], 1, "procplan-cli: Booking '987654' does not exist\n");
});

/* -- cancel, done ------------------------------------------------------------------------------------------------- */

it('cancel and done take several, and go on after one that is refused', async (server) => {
    const day = ownDay();
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(idOf(await bookAt(server, day)));
    const result = await cli(server, ['cancel', `${ids[0]}`, '987654', `${ids[1]}`, ...ADA]);
    assert.deepEqual([result.code, result.stdout, result.stderr], [1, `Booking ${ids[0]} is cancelled.\nBooking ${ids[1]} is cancelled.\n`,
        "procplan-cli: Booking '987654' is not active or does not exist\n"]);
    assert.match(await done(server, ['done', `${ids[2]}`, ...ADA]), new RegExp(`^Booking ${ids[2]} is done`));
    assertHas(await bookingOf(server, ids[1]), {status: 'cancelled'});
    assertHas(await bookingOf(server, ids[2]), {status: 'completed'});
    assert.deepEqual(JSON.parse(await done(server, ['cancel', '--json', `${idOf(await bookAt(server, day))}`, ...ADA])).status, 'cancelled');
});

it('one number that is none ends nothing', async (server) => {
    const id = idOf(await bookAt(server, ownDay()));
    await fails(server, ['cancel', `${id}`, 'x', ...ADA], 2, /'x' is no booking's number/);
    assertHas(await bookingOf(server, id), {status: 'active'});
});
