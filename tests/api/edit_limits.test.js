'use strict';
/*
 * Limits hold for changes as they do for bookings (limits.test.js): nothing grows over a limit. But whoever gives something
 * back is not stopped by a limit that was set after they booked.
 */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {assertHas, assertRefused, book, bookingOf, edit, reload, tryToEdit} = require('./fixtures.js');
const {suite} = require('./harness.js');

const gpus = ['g0', 'g1', 'g2', 'g3'].map((id) => ({id}));
const withLimits = (limits) => suite({config: {nodes: [{id: 'n', gpus}], limits}});
const made = async (server, start, hours, more = {}) => (await book(server, {
    node_id: 'n', start: iso(start), end: iso(start + hours), user_label: 'ada', gpu_count: 1, ...more,
})).booking_id;
const START = Date.UTC(2091, 0, 6) / 3_600_000;

async function assertLimited(server, id, body, limit, value) {
    const before = await bookingOf(server, id);
    const answer = await tryToEdit(server, id, body);
    assertRefused(answer, 400, value === undefined ? undefined : new RegExp(`\\b${value}\\b.*${limit}`));
    assert.equal(answer.json.limit, limit);
    assert.deepEqual(await bookingOf(server, id), before);
}

/* Sets other limits on a running server. */
async function relimit(server, limits) {
    server.writeConfig({nodes: [{id: 'n', gpus}], limits});
    assert.equal((await reload(server)).status, 200);
}

const hours = withLimits({max_booking_hours: 5});
hours('max_booking_hours: a booking is extended to as long, not an hour longer', async (server) => {
    const id = await made(server, START, 3);
    await assertLimited(server, id, {end: iso(START + 6)}, 'max_booking_hours', 5);
    await assertLimited(server, id, {start: iso(START + 10), end: iso(START + 16)}, 'max_booking_hours', 5);
    await edit(server, id, {end: iso(START + 5)});
    await edit(server, id, {start: iso(START + 10), end: iso(START + 15)});
});

const days = withLimits({max_days_ahead: 7});
days('max_days_ahead: a booking is moved to end that many days from now, not an hour later', async (server) => {
    const now = await steadyHour();
    const id = await made(server, now + 2, 2);
    await assertLimited(server, id, {end: iso(now + 7 * 24 + 1)}, 'max_days_ahead', 7);
    await assertLimited(server, id, {start: iso(now + 700), end: iso(now + 701)}, 'max_days_ahead', 7);
    await edit(server, id, {start: iso(now + 7 * 24 - 2), end: iso(now + 7 * 24)});
});

const perBooking = withLimits({max_gpus_per_booking: 2});
perBooking('max_gpus_per_booking: by count and by name', async (server) => {
    const id = await made(server, START, 2);
    await assertLimited(server, id, {gpu_count: 3}, 'max_gpus_per_booking', 2);
    await assertLimited(server, id, {gpu_ids: ['g0', 'g1', 'g2']}, 'max_gpus_per_booking', 2);
    await assertLimited(server, id, {end: iso(START + 1), gpu_count: 3}, 'max_gpus_per_booking', 2);
    await edit(server, id, {gpu_count: 2});
    await edit(server, id, {gpu_ids: ['g3', 'g2']});
});

const perUser = withLimits({max_active_gpu_hours_per_user: 10});
perUser('max_active_gpu_hours_per_user: a booking does not count against its own change', async (server) => {
    const now = await steadyHour();
    const mine = {user_label: 'own'};
    const id = await made(server, now + 1, 6, mine);
    await edit(server, id, {end: iso(now + 11)}); /* 10 */
    await assertLimited(server, id, {end: iso(now + 12)}, 'max_active_gpu_hours_per_user', 10);
    await assertLimited(server, id, {gpu_count: 2}, 'max_active_gpu_hours_per_user', 10);
    await edit(server, id, {end: iso(now + 6), gpu_count: 2}); /* 5 hours on 2 */
    await assertLimited(server, id, {end: iso(now + 7)}, 'max_active_gpu_hours_per_user', 10);
    await edit(server, id, {start: iso(now + 30), end: iso(now + 35)});
});

perUser('max_active_gpu_hours_per_user: hours that have passed do not count', async (server) => {
    const now = await steadyHour();
    const id = await made(server, now - 20, 22, {user_label: 'passed', gpu_ids: ['g3']});
    await edit(server, id, {end: iso(now + 10)});
    await assertLimited(server, id, {end: iso(now + 11)}, 'max_active_gpu_hours_per_user', 10);
});

perUser('max_active_gpu_hours_per_user: what a label has no hours left for cannot be given to it', async (server) => {
    const now = await steadyHour();
    await made(server, now + 50, 8, {user_label: 'full'});
    const id = await made(server, now + 60, 6, {user_label: 'giver'});
    await assertLimited(server, id, {user_label: 'full'}, 'max_active_gpu_hours_per_user', 10);
    await assertLimited(server, id, {user_label: 'full', end: iso(now + 63)}, 'max_active_gpu_hours_per_user', 10);
    assertHas(await edit(server, id, {user_label: 'full', end: iso(now + 62)}), {user_label: 'full'});
    const other = await made(server, now + 70, 10, {user_label: 'giver'});
    await assertLimited(server, other, {end: iso(now + 81)}, 'max_active_gpu_hours_per_user', 10);
});

const past = withLimits({});
past('allow_past: false does not stop a running booking from being extended, shortened or renamed', async (server) => {
    const now = await steadyHour();
    const id = await made(server, now - 3, 5);
    await relimit(server, {allow_past: false});
    assertHas(await edit(server, id, {end: iso(now + 4)}), {start: iso(now - 3), end: iso(now + 4)});
    assertHas(await edit(server, id, {start: iso(now - 3), end: iso(now + 1), note: 'n'}), {end: iso(now + 1)});
    await edit(server, id, {gpu_count: 2, user_label: 'bob'});
});

const later = withLimits({});
later('a booking that is over a limit set later may shrink and be renamed, not grow or move', async (server) => {
    const id = await made(server, START, 10, {gpu_count: 3});
    await relimit(server, {max_booking_hours: 4, max_gpus_per_booking: 1, max_days_ahead: 1, max_active_gpu_hours_per_user: 2});
    for (const body of [{end: iso(START + 11)}, {start: iso(START - 1)}, {start: iso(START + 1), end: iso(START + 11)}])
        await assertLimited(server, id, body, 'max_booking_hours', 4);
    await assertLimited(server, id, {end: iso(START + 3), gpu_count: 4}, 'max_days_ahead', 1);
    assertHas(await edit(server, id, {end: iso(START + 8)}), {end: iso(START + 8)});
    assertHas(await edit(server, id, {start: iso(START + 1), gpu_count: 2}), {start: iso(START + 1)});
    assertHas(await edit(server, id, {priority: 'low', note: 'mine'}), {priority: 'low', note: 'mine', end: iso(START + 8)});
    await relimit(server, {});
    await edit(server, id, {end: iso(START + 20)});
});
