'use strict';
/* POST /api/book: what is accepted, and what the answer says. Refusals stand in book_refusals.test.js. */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, availability, book, cancel, hoursOf, tryToBook} = require('./fixtures.js');
const {suite} = require('./harness.js');

const it = suite();

it('a booking is answered with 201 and everything it got', async (server) => {
    const answer = await tryToBook(server, {
        node_id: 'alpha', start: '2031-01-06T14:00:00+00:00', end: '2031-01-06T16:00:00+00:00', user_label: 'ada',
        gpu_ids: ['gpu0'],
    });
    assert.equal(answer.status, 201);
    assert.ok(Number.isInteger(answer.json.booking_id) && answer.json.booking_id > 0);
    assertHas(answer.json, {
        node_id: 'alpha', gpu_ids: ['gpu0'], start: '2031-01-06T14:00:00+00:00', end: '2031-01-06T16:00:00+00:00',
        user_label: 'ada', priority: 'medium',
    });
    assert.equal(await hoursOf(server, 'alpha', 'gpu0', '2031-01-06T13:00', '2031-01-06T17:00'), '.##.');
    assert.equal(await hoursOf(server, 'alpha', 'gpu1', '2031-01-06T13:00', '2031-01-06T17:00'), '....');
});

it('booking ids rise and are never used again', async (server) => {
    const body = {node_id: 'beta', start: '2031-01-07T00:00', end: '2031-01-07T01:00', user_label: 'ada', gpu_count: 1};
    const first = await book(server, body);
    assert.equal((await cancel(server, first.booking_id)).status, 200);
    const second = await book(server, body);
    assert.ok(second.booking_id > first.booking_id);
});

it('gpu_ids are answered as asked, and kept in configuration order', async (server) => {
    const window = {start: '2031-01-08T00:00', end: '2031-01-08T01:00'};
    const made = await book(server, {node_id: 'alpha', ...window, user_label: 'ada', gpu_ids: ['gpu1', 'gpu0', 'gpu2']});
    assert.deepEqual(made.gpu_ids, ['gpu1', 'gpu0', 'gpu2']);
    const grid = await availability(server, {node_id: 'alpha', ...window});
    assert.deepEqual(grid.hours[0].bookings[0].gpu_ids, ['gpu2', 'gpu0', 'gpu1']);
});

it('a count takes the first free GPUs in configuration order', async (server) => {
    const body = {node_id: 'alpha', start: '2031-01-09T00:00', end: '2031-01-09T02:00', user_label: 'ada'};
    await book(server, {...body, gpu_ids: ['gpu0'], start: '2031-01-09T01:00'});
    assert.deepEqual((await book(server, {...body, gpu_count: 2})).gpu_ids, ['gpu2', 'gpu1']);
});

it('gpu_ids win over gpu_count', async (server) => {
    const made = await book(server, {
        node_id: 'alpha', start: '2031-01-10T00:00', end: '2031-01-10T01:00', user_label: 'ada', gpu_ids: ['gpu1'], gpu_count: 3,
    });
    assert.deepEqual(made.gpu_ids, ['gpu1']);
});

for (const [index, absent] of [null, '', 0, false, []].entries()) {
    it(`gpu_ids of ${JSON.stringify(absent)} are absent, so gpu_count counts`, async (server) => {
        const made = await book(server, {
            node_id: 'alpha', start: `2031-01-11T0${index}:00`, end: `2031-01-11T0${index}:30`, user_label: 'ada',
            gpu_ids: absent, gpu_count: 1,
        });
        assert.deepEqual(made.gpu_ids, ['gpu2']);
    });
}

for (const [index, count] of ['2', ' 2 ', '+2', 2.0, '02'].entries()) {
    it(`a gpu_count of ${JSON.stringify(count)} is two`, async (server) => {
        const made = await book(server, {
            node_id: 'alpha', start: `2031-01-12T0${index}:00`, end: `2031-01-12T0${index}:30`, user_label: 'ada',
            gpu_count: count,
        });
        assert.equal(made.gpu_ids.length, 2);
    });
}

it('a number written 1.0 or 1e0 in JSON is a whole number', async (server) => {
    for (const [index, count] of ['1.0', '1e0'].entries()) {
        const answer = await tryToBook(server,
            `{"node_id":"beta","start":"2031-01-13T0${index}","end":"2031-01-13T0${index}:30","user_label":"ada","gpu_count":${count}}`);
        assert.equal(answer.status, 201, answer.text);
    }
});

it('numbers for node_id, user_label and in gpu_ids are read as text', async (server) => {
    const made = await book(server, {
        node_id: 7, start: '2031-01-14T00:00', end: '2031-01-14T01:00', user_label: 42, gpu_ids: [2, '1'],
    });
    assertHas(made, {node_id: '7', user_label: '42', gpu_ids: ['2', '1']});
});

for (const [index, [given, priority]] of [
    [undefined, 'medium'], [null, 'medium'], ['', 'medium'], ['low', 'low'], ['LOW', 'low'], ['Medium', 'medium'], ['hIGH', 'high'],
].entries()) {
    it(`the priority ${JSON.stringify(given)} is ${priority}`, async (server) => {
        const made = await book(server, {
            node_id: 'beta', start: `2031-01-15T0${index}:00`, end: `2031-01-15T0${index}:30`, user_label: 'ada', gpu_count: 1,
            priority: given,
        });
        assert.equal(made.priority, priority);
    });
}

/* -- labels --------------------------------------------------------------------------------------------------- */

for (const [index, [name, given, label]] of [
    ['is trimmed of blanks', '  ada  ', 'ada'],
    ['is trimmed of white space of other alphabets', '\u3000\u00a0\t\nada lovelace\r\n\u2003', 'ada lovelace'],
    ['may have 64 characters', 'x'.repeat(64), 'x'.repeat(64)],
    ['may have 64 emoji, which are four bytes each', '\u{1F600}'.repeat(64), '\u{1F600}'.repeat(64)],
    ['is counted after trimming', ` ${'ä'.repeat(64)} `, 'ä'.repeat(64)],
    ['may look like markup', '<script>alert("1")</script>&amp;', '<script>alert("1")</script>&amp;'],
    ['may hold quotes and backslashes', '\'"\\u0041\\', '\'"\\u0041\\'],
    ['may read like SQL', "'); DROP TABLE booking;--", "'); DROP TABLE booking;--"],
].entries()) {
    it(`a label ${name}`, async (server) => {
        const window = {start: `2031-01-16T0${index}:00`, end: `2031-01-16T0${index}:30`};
        assert.equal((await book(server, {node_id: 'beta', ...window, user_label: given, gpu_count: 1})).user_label, label);
        const grid = await availability(server, {node_id: 'beta', ...window});
        assert.equal(grid.hours[0].bookings[0].user_label, label);
    });
}

/* -- windows -------------------------------------------------------------------------------------------------- */

it('a window within one hour books that hour', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: '2031-01-17T10:15', end: '2031-01-17T10:45', user_label: 'ada', gpu_count: 1,
    });
    assertHas(made, {start: '2031-01-17T10:00:00+00:00', end: '2031-01-17T11:00:00+00:00'});
    assert.equal(await hoursOf(server, 'beta', 'gpu0', '2031-01-17T09:00', '2031-01-17T12:00'), '.#.');
});

it('a start snaps down and an end up, by a microsecond too', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: '2031-01-18T10:59:59.999999', end: '2031-01-18T12:00:00.000001', user_label: 'ada', gpu_count: 1,
    });
    assertHas(made, {start: '2031-01-18T10:00:00+00:00', end: '2031-01-18T13:00:00+00:00'});
});

it('offsets are turned into UTC before snapping', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: '2031-01-19T02:30:00+05:30', end: '2031-01-18T20:30:00-02:00', user_label: 'ada', gpu_count: 1,
    });
    assertHas(made, {start: '2031-01-18T21:00:00+00:00', end: '2031-01-18T23:00:00+00:00'});
});

it('dates alone mean midnight', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: '2031-01-20', end: '20310122', user_label: 'ada', gpu_count: 1,
    });
    assertHas(made, {start: '2031-01-20T00:00:00+00:00', end: '2031-01-22T00:00:00+00:00'});
});

it('back-to-back bookings touch and do not collide', async (server) => {
    const make = (from, to) => book(server, {
        node_id: 'beta', start: `2031-01-23T${from}`, end: `2031-01-23T${to}`, user_label: 'ada', gpu_count: 1,
    });
    await make('10:00', '12:00');
    await make('12:00', '14:00');
    await make('08:00', '10:00');
    assert.equal(await hoursOf(server, 'beta', 'gpu0', '2031-01-23T07:00', '2031-01-23T15:00'), '.######.');
});

it('the past may be booked', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: '1999-12-31T22:00', end: '2000-01-01T02:00', user_label: 'historian', gpu_count: 1,
    });
    assertHas(made, {start: '1999-12-31T22:00:00+00:00', end: '2000-01-01T02:00:00+00:00'});
    assert.equal(await hoursOf(server, 'beta', 'gpu0', '1999-12-31T21:00', '2000-01-01T03:00'), '.####.');
});

/* -- note and dry_run ----------------------------------------------------------------------------------------- */

it('a note of 500 characters is accepted, one of 501 is not', async (server) => {
    const body = {node_id: 'beta', start: '2031-01-24T00:00', end: '2031-01-24T01:00', user_label: 'ada', gpu_count: 1};
    assertRefused(await tryToBook(server, {...body, note: 'é'.repeat(501)}), 400, /note/i);
    await book(server, {...body, note: 'é'.repeat(500)});
});

it('a note with a control character, or of another type, is refused', async (server) => {
    const body = {node_id: 'beta', start: '2031-01-24T02:00', end: '2031-01-24T03:00', user_label: 'ada', gpu_count: 1};
    for (const note of ['ring\u0007', ['a'], {a: 1}, true]) assertRefused(await tryToBook(server, {...body, note}), 400, /note/i);
    await book(server, {...body, note: null});
});

it('a dry run answers 200 without an id and writes nothing', async (server) => {
    const body = {node_id: 'alpha', start: '2031-01-25T00:00', end: '2031-01-25T02:00', user_label: ' ada ', gpu_count: 2};
    for (let i = 0; i < 2; i++) {
        const answer = await tryToBook(server, {...body, dry_run: true});
        assert.equal(answer.status, 200, answer.text);
        assertHas(answer.json, {
            booking_id: null, node_id: 'alpha', gpu_ids: ['gpu2', 'gpu0'], start: '2031-01-25T00:00:00+00:00',
            end: '2031-01-25T02:00:00+00:00', user_label: 'ada', priority: 'medium',
        });
    }
    const grid = await availability(server, {node_id: 'alpha', start: '2031-01-25T00:00', end: '2031-01-25T02:00'});
    assert.deepEqual(grid.hours.map((hour) => hour.bookings), [[], []]);
});

it('a dry run makes all the checks', async (server) => {
    const body = {node_id: 'beta', start: '2031-01-26T00:00', end: '2031-01-26T02:00', user_label: 'ada', gpu_count: 1};
    const made = await book(server, body);
    const answer = await tryToBook(server, {...body, dry_run: true});
    assertRefused(answer, 409, 'Not enough GPUs available for the requested window');
    assert.equal(answer.json.conflicts[0].booking_id, made.booking_id);
    assertRefused(await tryToBook(server, {...body, user_label: '', dry_run: true}), 400, 'User label must not be empty');
});

it('dry_run: false books, and what is neither true nor false is refused', async (server) => {
    const body = {node_id: 'beta', start: '2031-01-27T00:00', end: '2031-01-27T02:00', user_label: 'ada', gpu_count: 1};
    for (const dry_run of ['yes', 1, {}, []]) assertRefused(await tryToBook(server, {...body, dry_run}), 400, /dry_run/);
    await book(server, {...body, dry_run: false});
});

/* -- conflicts ------------------------------------------------------------------------------------------------ */

it('a GPU that is taken is a 409 that names what is in the way', async (server) => {
    const first = await book(server, {
        node_id: 'alpha', start: '2031-02-01T10:00', end: '2031-02-01T12:00', user_label: 'ada', gpu_ids: ['gpu0'],
    });
    const second = await book(server, {
        node_id: 'alpha', start: '2031-02-01T12:00', end: '2031-02-01T15:00', user_label: 'bob', gpu_ids: ['gpu0', 'gpu1'],
    });
    const answer = await tryToBook(server, {
        node_id: 'alpha', start: '2031-02-01T11:00', end: '2031-02-01T13:00', user_label: 'eve', gpu_ids: ['gpu2', 'gpu0'],
    });
    assertRefused(answer, 409, "GPU 'gpu0' is already booked for the requested window");
    const conflicts = [...answer.json.conflicts].sort((a, b) => a.booking_id - b.booking_id);
    assert.equal(conflicts.length, 2);
    assertHas(conflicts[0], {
        gpu_id: 'gpu0', booking_id: first.booking_id, user_label: 'ada', start: '2031-02-01T10:00:00+00:00',
        end: '2031-02-01T12:00:00+00:00',
    });
    assertHas(conflicts[1], {
        gpu_id: 'gpu0', booking_id: second.booking_id, user_label: 'bob', start: '2031-02-01T12:00:00+00:00',
        end: '2031-02-01T15:00:00+00:00',
    });
    assert.equal(await hoursOf(server, 'alpha', 'gpu2', '2031-02-01T10:00', '2031-02-01T14:00'), '....');
});

for (const [index, [name, start, end]] of [
    ['the same window', '10:00', '14:00'], ['one inside it', '11:00', '12:00'], ['one around it', '09:00', '15:00'],
    ['one that reaches in from before', '09:00', '10:01'], ['one that reaches out behind', '13:59', '15:00'],
].entries()) {
    it(`${name} collides with a booked window`, async (server) => {
        const day = `2031-02-1${index}`;
        const make = (from, to) => tryToBook(server, {
            node_id: 'beta', start: `${day}T${from}`, end: `${day}T${to}`, user_label: 'ada', gpu_ids: ['gpu0'],
        });
        assert.equal((await make('10:00', '14:00')).status, 201);
        assertRefused(await make(start, end), 409, "GPU 'gpu0' is already booked for the requested window");
        assert.equal(await hoursOf(server, 'beta', 'gpu0', `${day}T09:00`, `${day}T15:00`), '.####.');
    });
}

it('too few free GPUs are a 409, more than the node has a 400', async (server) => {
    const body = {node_id: 'alpha', start: '2031-03-01T10:00', end: '2031-03-01T12:00', user_label: 'bob'};
    const made = await book(server, {...body, start: '2031-03-01T11:00', user_label: 'ada', gpu_ids: ['gpu1']});
    const answer = await tryToBook(server, {...body, gpu_count: 3});
    assertRefused(answer, 409, 'Not enough GPUs available for the requested window');
    assert.equal(answer.json.conflicts.length, 1);
    assertHas(answer.json.conflicts[0], {
        gpu_id: 'gpu1', booking_id: made.booking_id, user_label: 'ada', start: '2031-03-01T11:00:00+00:00',
        end: '2031-03-01T12:00:00+00:00',
    });
    for (const gpu_count of [4, 1_000_000_000, 999_999_999_999])
        assertRefused(await tryToBook(server, {...body, gpu_count}), 400, 'Not enough GPUs available for the requested window');
    assertRefused(await tryToBook(server, {...body, node_id: 'empty', gpu_count: 1}), 400,
        'Not enough GPUs available for the requested window');
});

it('the same GPU id on two nodes are two GPUs', async (server) => {
    const body = {start: '2031-03-02T10:00', end: '2031-03-02T12:00', user_label: 'ada', gpu_ids: ['gpu0']};
    await book(server, {...body, node_id: 'alpha'});
    await book(server, {...body, node_id: 'beta'});
});

it('a refused booking leaves nothing behind', async (server) => {
    const body = {node_id: 'alpha', start: '2031-03-03T10:00', end: '2031-03-03T12:00', user_label: 'ada'};
    await book(server, {...body, gpu_ids: ['gpu1']});
    assertRefused(await tryToBook(server, {...body, gpu_ids: ['gpu2', 'gpu0', 'gpu1']}), 409);
    const grid = await availability(server, {node_id: 'alpha', start: '2031-03-03T10:00', end: '2031-03-03T12:00'});
    assert.deepEqual(grid.hours.map((hour) => hour.used_gpu_ids), [['gpu1'], ['gpu1']]);
    assert.equal(grid.hours[0].bookings.length, 1);
});
