'use strict';
/* POST /api/book with "repeat": a series is one transaction, all of it, or with "skip" all that fits and what did not, and why. */
const assert = require('node:assert/strict');
const {iso, steadyHour} = require('./clock.js');
const {assertHas, assertRefused, availability, book, bookingOf, cancel, edit, hoursOf, tryToBook} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const gpus = ['g0', 'g1', 'g2'].map((id) => ({id}));
const it = suite({config: {nodes: [{id: 'n', gpus}]}});

/* Each test has a time of its own. */
let last = Date.UTC(2091, 0, 6) / 3_600_000;
const ownTime = () => (last += 500 * 24);
const wish = (start, hours, more = {}) => ({
    node_id: 'n', start: iso(start), end: iso(start + hours), user_label: 'ada', gpu_ids: ['g0'], ...more,
});
const daily = (count) => ({every: 'day', count});
const weekly = (count) => ({every: 'week', count});
const held = (server, start, hours, gpu = 'g0') => hoursOf(server, 'n', gpu, iso(start), iso(start + hours));
const revision = async (server) => (await request(server, 'GET', '/api/nodes')).headers.etag;

/* -- what is made --------------------------------------------------------------------------------------------- */

it('a daily series: the first one\'s fields at the top, all of them in bookings, the first included', async (server) => {
    const start = ownTime();
    const answer = await tryToBook(server, wish(start, 2, {repeat: daily(3), note: 'nightly', priority: 'high'}));
    assert.equal(answer.status, 201, answer.text);
    const {bookings, skipped, ...first} = answer.json;
    assert.deepEqual(skipped, []);
    assert.equal(bookings.length, 3);
    assert.deepEqual(first, {...bookings[0], series_id: bookings[0].booking_id});
    for (const [index, booking] of bookings.entries()) {
        assert.deepEqual(booking, {
            booking_id: booking.booking_id, node_id: 'n', gpu_ids: ['g0'], start: iso(start + 24 * index), end: iso(start + 24 * index + 2),
            user_label: 'ada', priority: 'high', note: 'nightly', release_token: booking.release_token,
        });
        assertHas(await bookingOf(server, booking.booking_id), {
            id: booking.booking_id, series_id: bookings[0].booking_id, start: booking.start, version: 1, note: 'nightly',
        });
    }
    assert.equal(new Set(bookings.map((booking) => booking.booking_id)).size, 3);
    assert.equal((await held(server, start, 73)).replace(/\./g, ' ').trimEnd(), `##${' '.repeat(22)}##${' '.repeat(22)}##`);
});

it('a weekly series steps by 168 hours', async (server) => {
    const start = ownTime();
    const {bookings} = await book(server, wish(start, 5, {repeat: weekly(4)}));
    assert.deepEqual(bookings.map((booking) => booking.start), [0, 168, 336, 504].map((hours) => iso(start + hours)));
});

it('"every" is read in any case, a count as text too', async (server) => {
    const start = ownTime();
    assert.equal((await book(server, wish(start, 1, {repeat: {every: 'Week', count: '2'}}))).bookings.length, 2);
});

it('a series of one is a series', async (server) => {
    const made = await book(server, wish(ownTime(), 1, {repeat: daily(1)}));
    assert.deepEqual([made.bookings.length, made.series_id, made.bookings[0].booking_id], [1, made.booking_id, made.booking_id]);
    assert.equal((await bookingOf(server, made.booking_id)).series_id, made.booking_id);
});

it('without repeat there is no series', async (server) => {
    for (const repeat of [undefined, null]) {
        const made = await book(server, wish(ownTime(), 1, {repeat, on_conflict: 'fail'}));
        assert.equal(made.bookings, undefined);
        assert.equal((await bookingOf(server, made.booking_id)).series_id, null);
    }
});

it('a year of days is 366', async (server) => {
    const start = ownTime();
    const {bookings} = await book(server, wish(start, 24, {repeat: daily(366)}));
    assert.equal(bookings.length, 366);
    assert.equal(bookings[365].end, iso(start + 366 * 24));
    const grid = await availability(server, {node_id: 'n', start: iso(start), end: iso(start + 367 * 24), granularity: 'day'});
    assert.deepEqual(grid.grid.rows[0].day_slots.map((slot) => slot.booked_hours), [...Array(366).fill(24), 0]);
});

it('windows snap one by one, and touch', async (server) => {
    const start = ownTime();
    const body = wish(start, 0, {start: iso(start).replace(':00:00+', ':30:00+'), end: iso(start + 23).replace(':00:00+', ':30:00+')});
    const {bookings} = await book(server, {...body, repeat: daily(3)});
    assert.deepEqual(bookings.map(({start: s, end}) => [s, end]), [0, 24, 48].map((step) => [iso(start + step), iso(start + step + 24)]));
});

it('a count chooses free GPUs for each one', async (server) => {
    const start = ownTime();
    await book(server, wish(start + 24, 1));
    const {bookings} = await book(server, wish(start, 1, {gpu_ids: undefined, gpu_count: 2, repeat: daily(3)}));
    assert.deepEqual(bookings.map((booking) => booking.gpu_ids), [['g0', 'g1'], ['g1', 'g2'], ['g0', 'g1']]);
});

it('gpu_ids are answered as asked in each one', async (server) => {
    const {gpu_ids, bookings} = await book(server, wish(ownTime(), 1, {gpu_ids: ['g2', 'g0'], repeat: daily(2)}));
    assert.deepEqual([gpu_ids, ...bookings.map((booking) => booking.gpu_ids)], Array(3).fill(['g2', 'g0']));
});

it('a series may begin in the past', async (server) => {
    const now = await steadyHour();
    const start = now - 24 * 30 - 2;
    const {bookings} = await book(server, wish(start, 1, {gpu_ids: ['g2'], repeat: daily(60)}));
    assert.equal(bookings.length, 60);
});

it('one of a series is changed and cancelled alone', async (server) => {
    const start = ownTime();
    const {bookings, series_id} = await book(server, wish(start, 2, {repeat: daily(3)}));
    assertHas(await edit(server, bookings[1].booking_id, {end: iso(start + 27)}), {series_id, end: iso(start + 27)});
    await cancel(server, bookings[0].booking_id);
    assertHas(await bookingOf(server, bookings[2].booking_id), {status: 'active', series_id});
    assertHas(await bookingOf(server, bookings[0].booking_id), {status: 'cancelled', series_id});
    assert.equal(await held(server, start, 28), `${'.'.repeat(24)}###.`);
});

/* -- all or nothing ------------------------------------------------------------------------------------------- */

for (const on_conflict of [undefined, null, 'fail', 'FAIL']) {
    it(`with on_conflict ${JSON.stringify(on_conflict)} one conflict refuses all, and says what is in the way`, async (server) => {
        const start = ownTime();
        const {booking_id} = await book(server, wish(start + 49, 1, {user_label: 'bob'}));
        const before = await revision(server);
        const answer = await tryToBook(server, wish(start, 2, {repeat: daily(4), on_conflict}));
        assertRefused(answer, 409, "GPU 'g0' is already booked for the requested window");
        assert.deepEqual(answer.json.conflicts, [{
            gpu_id: 'g0', booking_id, user_label: 'bob', start: iso(start + 49), end: iso(start + 50),
        }]);
        assert.equal(await revision(server), before);
        assert.equal(await held(server, start, 100), `${'.'.repeat(49)}#${'.'.repeat(50)}`);
    });
}

it('a limit that a later one meets refuses all', async (server) => {
    const start = ownTime();
    const before = await revision(server);
    const answer = await tryToBook(server, wish(start, 9000, {repeat: weekly(2)}));
    assertRefused(answer, 400, /max_booking_hours/);
    assert.equal(await revision(server), before);
});

it('one that is in the way of the next refuses all, and names no id: there is no such booking', async (server) => {
    const start = ownTime();
    const before = await revision(server);
    const answer = await tryToBook(server, wish(start, 30, {repeat: daily(3)}));
    assertRefused(answer, 409, "GPU 'g0' is already booked for the requested window");
    assert.deepEqual(answer.json.conflicts, [{gpu_id: 'g0', booking_id: null, user_label: 'ada', start: iso(start), end: iso(start + 30)}]);
    assert.equal(await revision(server), before);
});

it('what is wrong with the wish refuses all, whatever on_conflict says', async (server) => {
    const start = ownTime();
    for (const on_conflict of ['fail', 'skip']) {
        for (const [sentence, members] of [
            ['Not enough GPUs available for the requested window', {gpu_ids: [], gpu_count: 4}],
            ['One or more GPUs do not belong to the specified node', {gpu_ids: ['g9']}],
            ["Unknown node id 'x'", {node_id: 'x'}],
            ['User label must not be empty', {user_label: ''}],
            ['Booking end must be after start', {end: iso(start)}],
            [/^Invalid timestamp: .*9999/, {start: '9999-12-30', end: '9999-12-31'}],
        ]) assertRefused(await tryToBook(server, wish(start, 1, {repeat: daily(5), on_conflict, ...members})), 400, sentence);
    }
    assert.equal((await held(server, start, 100)).replace(/\./g, ''), '');
});

/* -- skip ----------------------------------------------------------------------------------------------------- */

it('with skip all that fits is booked, and the answer says what was skipped and why', async (server) => {
    const start = ownTime();
    const first = (await book(server, wish(start, 1, {user_label: 'bob'}))).booking_id;
    const third = (await book(server, wish(start + 49, 10, {user_label: 'eve', gpu_ids: ['g1', 'g0']}))).booking_id;
    const answer = await tryToBook(server, wish(start, 2, {gpu_ids: ['g0', 'g1'], repeat: daily(4), on_conflict: 'Skip'}));
    assert.equal(answer.status, 201, answer.text);
    const {bookings, skipped, booking_id, series_id} = answer.json;
    assert.deepEqual(bookings.map((booking) => booking.start), [iso(start + 24), iso(start + 72)]);
    assert.deepEqual([booking_id, series_id, answer.json.start], [bookings[0].booking_id, bookings[0].booking_id, iso(start + 24)]);
    const why = "GPU 'g0' is already booked for the requested window";
    assert.deepEqual(skipped, [
        {start: iso(start), end: iso(start + 2), error: why, conflicts: [
            {gpu_id: 'g0', booking_id: first, user_label: 'bob', start: iso(start), end: iso(start + 1)},
        ]},
        {start: iso(start + 48), end: iso(start + 50), error: why, conflicts: ['g0', 'g1'].map((gpu_id) => (
            {gpu_id, booking_id: third, user_label: 'eve', start: iso(start + 49), end: iso(start + 59)}
        ))},
    ]);
    for (const booking of bookings) assert.equal((await bookingOf(server, booking.booking_id)).series_id, series_id);
});

it('with skip and a count, too few free GPUs are skipped', async (server) => {
    const start = ownTime();
    await book(server, wish(start + 24, 1, {gpu_ids: ['g0', 'g2']}));
    const {bookings, skipped} = await book(server, wish(start, 1, {gpu_ids: null, gpu_count: 2, repeat: daily(3), on_conflict: 'skip'}));
    assert.deepEqual(bookings.map((booking) => booking.start), [iso(start), iso(start + 48)]);
    assert.equal(skipped.length, 1);
    assertHas(skipped[0], {start: iso(start + 24), error: 'Not enough GPUs available for the requested window'});
    assert.deepEqual(skipped[0].conflicts.map((conflict) => conflict.gpu_id), ['g0', 'g2']);
});

it('with skip one that is in the way of the next is named', async (server) => {
    const start = ownTime();
    const {bookings, skipped} = await book(server, wish(start, 30, {repeat: daily(3), on_conflict: 'skip'}));
    assert.deepEqual(bookings.map((booking) => booking.start), [iso(start), iso(start + 48)]);
    assert.deepEqual(skipped.map((one) => [one.start, one.conflicts[0].booking_id]), [[iso(start + 24), bookings[0].booking_id]]);
});

it('when all are skipped nothing is made: 409, with the first one\'s reason', async (server) => {
    const start = ownTime();
    const {booking_id} = await book(server, wish(start, 100, {user_label: 'bob'}));
    const before = await revision(server);
    const answer = await tryToBook(server, wish(start + 1, 2, {repeat: daily(4), on_conflict: 'skip'}));
    assertRefused(answer, 409, "GPU 'g0' is already booked for the requested window");
    assertHas(answer.json.conflicts[0], {booking_id, user_label: 'bob'});
    assert.equal(await revision(server), before);
});

const limited = suite({config: {nodes: [{id: 'n', gpus}], limits: {max_days_ahead: 10, max_active_gpu_hours_per_user: 12}}});

limited('with skip what is over a limit is skipped, and names the limit', async (server) => {
    const now = await steadyHour();
    const {bookings, skipped} = await book(server, wish(now + 1, 2, {user_label: 'ahead', repeat: weekly(3), on_conflict: 'skip'}));
    assert.deepEqual(bookings.map((booking) => booking.start), [iso(now + 1), iso(now + 169)]);
    assert.equal(skipped.length, 1);
    assertHas(skipped[0], {start: iso(now + 337), end: iso(now + 339), limit: 'max_days_ahead', conflicts: []});
    assert.match(skipped[0].error, /10/);
});

limited('the hours of a series count together, one after the other', async (server) => {
    const now = await steadyHour();
    const mine = (more) => wish(now + 5, 5, {user_label: 'counts', gpu_ids: ['g1'], repeat: daily(4), ...more});
    const refused = await tryToBook(server, mine());
    assertRefused(refused, 400, `This would be 5 GPU hours for 'counts', who has 10 ahead already; the limit is 12 ` +
        `(max_active_gpu_hours_per_user); of the series that is booking 3 of 4, which starts at ${iso(now + 5 + 48)}`);
    assert.equal(refused.json.limit, 'max_active_gpu_hours_per_user');
    const {bookings, skipped} = await book(server, mine({on_conflict: 'skip'}));
    assert.equal(bookings.length, 2);
    assert.deepEqual(skipped.map((one) => one.limit), ['max_active_gpu_hours_per_user', 'max_active_gpu_hours_per_user']);
});

limited('a limit that refuses a series says which one of it is over the limit, and not of a booking alone', async (server) => {
    const now = await steadyHour();
    const sentence = 'A booking must end within 10 days from now (max_days_ahead)';
    const refused = async (hour, more) => {
        const answer = await tryToBook(server, wish(now + hour, 2, {user_label: 'far', ...more}));
        assertRefused(answer, 400);
        assert.equal(answer.json.limit, 'max_days_ahead');
        return answer.json.error;
    };
    const which = (number, hour) => `${sentence}; of the series that is booking ${number} of 3, which starts at ${iso(now + hour)}`;
    assert.equal(await refused(3, {repeat: weekly(3)}), which(3, 339));
    assert.equal(await refused(1000, {repeat: weekly(3)}), which(1, 1000));
    assert.equal(await refused(1000, {repeat: weekly(1)}), sentence);
    assert.equal(await refused(1000), sentence);
});

limited('when a limit skips all, that is a 409 that names it', async (server) => {
    const now = await steadyHour();
    const answer = await tryToBook(server, wish(now + 1000, 2, {repeat: daily(2), on_conflict: 'skip'}));
    assertRefused(answer, 409, /max_days_ahead/);
    assertHas(answer.json, {limit: 'max_days_ahead', conflicts: []});
});

it('a series that runs beyond the last year says which of it does; what is wrong with all of it is said as of one', async (server) => {
    const long = (count, more) => tryToBook(server, {
        node_id: 'n', start: '9999-12-20T00:00', end: '9999-12-20T02:00', user_label: 'far', gpu_ids: ['g0'], repeat: weekly(count), ...more,
    });
    assertRefused(await long(3), 400, 'Invalid timestamp: the end is beyond the year 9999; ' +
        'of the series that is booking 3 of 3');
    assertRefused(await long(2, {end: '9999-12-26T00:00'}), 400, 'Invalid timestamp: the end is beyond the year 9999; ' +
        'of the series that is booking 2 of 2, which starts at 9999-12-27T00:00:00+00:00');
    assertRefused(await long(3, {gpu_ids: ['nothing']}), 400, 'One or more GPUs do not belong to the specified node');
    assertRefused(await long(3, {node_id: 'nowhere'}), 400, "Unknown node id 'nowhere'");
});

/* -- dry_run -------------------------------------------------------------------------------------------------- */

it('a dry run of a series makes all checks and writes nothing', async (server) => {
    const start = ownTime();
    const {booking_id} = await book(server, wish(start + 24, 1, {user_label: 'bob'}));
    const before = await revision(server);
    assertRefused(await tryToBook(server, wish(start, 2, {repeat: daily(3), dry_run: true})), 409);
    const answer = await tryToBook(server, wish(start, 2, {repeat: daily(3), on_conflict: 'skip', dry_run: true}));
    assert.equal(answer.status, 200, answer.text);
    assertHas(answer.json, {booking_id: null, series_id: null, start: iso(start)});
    assert.deepEqual(answer.json.bookings.map((booking) => [booking.booking_id, booking.start]), [[null, iso(start)], [null, iso(start + 48)]]);
    assert.deepEqual(answer.json.skipped.map((one) => one.conflicts[0].booking_id), [booking_id]);
    assert.equal(await revision(server), before);
});

it('a dry run names no id that it would have made itself', async (server) => {
    const {skipped} = (await tryToBook(server, wish(ownTime(), 30, {repeat: daily(2), on_conflict: 'skip', dry_run: true}))).json;
    assert.deepEqual(skipped.map((one) => one.conflicts[0].booking_id), [null]);
});

/* -- Idempotency-Key ------------------------------------------------------------------------------------------ */

it('an Idempotency-Key gives the first answer again, and makes no second series', async (server) => {
    const start = ownTime();
    await book(server, wish(start + 24, 1));
    const body = wish(start, 2, {repeat: daily(3), on_conflict: 'skip'});
    const first = await tryToBook(server, body, {'Idempotency-Key': 'series-1'});
    assert.equal(first.status, 201, first.text);
    const before = await revision(server);
    const again = await tryToBook(server, body, {'Idempotency-Key': 'series-1'});
    assert.deepEqual([again.status, again.text], [201, first.text]);
    assert.equal(await revision(server), before);
    assertRefused(await tryToBook(server, {...body, repeat: daily(4)}, {'Idempotency-Key': 'series-1'}), 422);
});

it('a refused series keeps no key', async (server) => {
    const start = ownTime();
    const {booking_id} = await book(server, wish(start, 1));
    const body = wish(start, 2, {repeat: daily(3)});
    assertRefused(await tryToBook(server, body, {'Idempotency-Key': 'series-2'}), 409);
    await cancel(server, booking_id);
    await book(server, body, {'Idempotency-Key': 'series-2'});
});

/* -- what repeat may be --------------------------------------------------------------------------------------- */

for (const [field, sentence, members] of [
    ...[0, 367, -1, 1.5, true, 'two', null, undefined, [2], 1e15].map((count) => ['repeat.count', /1 to 366/, {repeat: {every: 'day', count}}]),
    ...['month', '', 'days', 1, null, undefined, ['day'], true].map((every) => ['repeat.every', /'day' or 'week'/, {repeat: {every, count: 2}}]),
    ...['day', 3, true, [], [daily(2)], '', false, 0].map((repeat) => ['repeat', /must be an object/, {repeat}]),
    ['repeat', /not 'until'/, {repeat: {...daily(2), until: '2092-01-01'}}],
    ...['ignore', '', 1, true, ['skip'], {}].map((on_conflict) => ['on_conflict', /'fail' or 'skip'/, {repeat: daily(2), on_conflict}]),
    ['on_conflict', /'fail' or 'skip'/, {on_conflict: 'x'}],
]) {
    it(`${JSON.stringify(members)} is refused, and the answer names ${field}`, async (server) => {
        const answer = await tryToBook(server, wish(last + 480 * 24, 1, members));
        assertRefused(answer, 400, sentence);
        assert.equal(answer.json.field, field);
    });
}
