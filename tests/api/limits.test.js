'use strict';
/* The configured limits, each at its edge: one hour, one GPU, one day more is refused, and the refusal names limit and value. */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {assertRefused, availability, book, cancel, tryToBook} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const gpus = ['g0', 'g1', 'g2', 'g3'].map((id) => ({id}));
const withLimits = (limits) => suite({config: {nodes: [{id: 'n', gpus}], limits}});
const wish = (start, hours, more = {}) => ({
    node_id: 'n', start: iso(start), end: iso(start + hours), user_label: 'ada', gpu_count: 1, ...more,
});

function assertLimited(answer, limit, value) {
    assertRefused(answer, 400);
    assert.equal(answer.json.limit, limit);
    if (value !== undefined) assert.match(answer.json.error, new RegExp(`\\b${value}\\b`));
}

const hours = withLimits({max_booking_hours: 5});
hours('max_booking_hours: a booking may be as long, not an hour longer', async (server) => {
    const start = Date.UTC(2031, 0, 6) / 3_600_000;
    assertLimited(await tryToBook(server, wish(start, 6)), 'max_booking_hours', 5);
    await book(server, wish(start, 5));
});

hours('max_booking_hours counts the hours after snapping', async (server) => {
    const body = {node_id: 'n', user_label: 'ada', gpu_count: 1};
    assertLimited(await tryToBook(server, {...body, start: '2031-02-01T00:30', end: '2031-02-01T05:10'}), 'max_booking_hours', 5);
    await book(server, {...body, start: '2031-02-01T00:30', end: '2031-02-01T04:10'});
});

const defaults = withLimits(undefined);
defaults('by default a booking may last 8784 hours, which is a leap year', async (server) => {
    const start = Date.UTC(2032, 0, 1) / 3_600_000;
    assertLimited(await tryToBook(server, wish(start, 8785)), 'max_booking_hours', 8784);
    await book(server, wish(start, 8784));
});

defaults('by default the past and the far future may be booked, by anybody, on all GPUs', async (server) => {
    for (const year of [1970, 2999]) await book(server, wish(Date.UTC(year, 0, 1) / 3_600_000, 8760, {gpu_count: 4}));
});

const days = withLimits({max_days_ahead: 7});
days('max_days_ahead: a booking may end that many days from now, not an hour later', async (server) => {
    const now = await steadyHour();
    assertLimited(await tryToBook(server, wish(now + 7 * 24 - 1, 2)), 'max_days_ahead', 7);
    assertLimited(await tryToBook(server, wish(now, 7 * 24 + 1)), 'max_days_ahead', 7);
    assertLimited(await tryToBook(server, wish(now + 1000 * 24, 1)), 'max_days_ahead', 7);
    await book(server, wish(now, 7 * 24));
    await book(server, wish(now - 48, 24));
});

const perBooking = withLimits({max_gpus_per_booking: 2});
perBooking('max_gpus_per_booking: by count and by name', async (server) => {
    const start = Date.UTC(2031, 0, 6) / 3_600_000;
    assertLimited(await tryToBook(server, wish(start, 1, {gpu_count: 3})), 'max_gpus_per_booking', 2);
    assertLimited(await tryToBook(server, wish(start, 1, {gpu_ids: ['g0', 'g1', 'g2']})), 'max_gpus_per_booking', 2);
    await book(server, wish(start, 1, {gpu_count: 2}));
    await book(server, wish(start, 1, {gpu_ids: ['g2', 'g3']}));
});

const perUser = withLimits({max_active_gpu_hours_per_user: 10});
perUser('max_active_gpu_hours_per_user: GPUs times hours, over all bookings of a label', async (server) => {
    const now = await steadyHour();
    const mine = (start, length, count) => wish(start, length, {user_label: 'over all', gpu_count: count});
    await book(server, mine(now + 1, 3, 2)); /* 6 */
    assertLimited(await tryToBook(server, mine(now + 10, 5, 1)), 'max_active_gpu_hours_per_user', 10);
    await book(server, mine(now + 10, 4, 1)); /* 10 */
    assertLimited(await tryToBook(server, mine(now + 20, 1, 1)), 'max_active_gpu_hours_per_user', 10);
    await book(server, wish(now + 20, 10, {user_label: 'another'}));
});

perUser('max_active_gpu_hours_per_user counts the hours from now on', async (server) => {
    const now = await steadyHour();
    const mine = (start, length) => wish(start, length, {user_label: 'from now'});
    await book(server, mine(now - 30, 20)); /* all of it has passed */
    await book(server, mine(now - 5, 12)); /* 7 are ahead */
    assertLimited(await tryToBook(server, mine(now + 7, 4)), 'max_active_gpu_hours_per_user', 10);
    await book(server, mine(now + 7, 3));
});

perUser('max_active_gpu_hours_per_user: what is given back counts no more', async (server) => {
    const now = await steadyHour();
    const mine = (start, length) => wish(start, length, {user_label: 'gives back'});
    const first = await book(server, mine(now + 40, 10));
    assertLimited(await tryToBook(server, mine(now + 50, 1)), 'max_active_gpu_hours_per_user', 10);
    await cancel(server, first.booking_id);
    await book(server, mine(now + 50, 10));
});

const past = withLimits({allow_past: false});
past('allow_past: false: the current hour may be booked, the one before not', async (server) => {
    const now = await steadyHour();
    assertLimited(await tryToBook(server, wish(now - 1, 2)), 'allow_past');
    assertLimited(await tryToBook(server, wish(now - 100, 2)), 'allow_past');
    await book(server, wish(now, 1));
});

past('allow_past: false: a start within the current hour is the current hour', async (server) => {
    await steadyHour();
    const start = new Date(Date.now() - 1000).toISOString();
    const end = new Date(Date.now() + 3_600_000).toISOString();
    await book(server, {node_id: 'n', start, end, user_label: 'ada', gpu_ids: ['g3']});
});

const none = withLimits({max_days_ahead: null, max_gpus_per_booking: null, max_active_gpu_hours_per_user: null});
none('null means no limit', async (server) => {
    await book(server, wish(Date.UTC(2999, 0, 1) / 3_600_000, 8784, {gpu_count: 4}));
});

hours('a limit refuses a dry run too', async (server) => {
    assertLimited(await tryToBook(server, wish(Date.UTC(2031, 4, 1) / 3_600_000, 6, {dry_run: true})), 'max_booking_hours', 5);
    const grid = await availability(server, {node_id: 'n', start: '2031-05-01', end: '2031-05-02'});
    assert.ok(grid.hours.every((hour) => hour.used_count === 0));
    assert.equal((await request(server, 'GET', '/api/health')).status, 200);
});
