'use strict';
/*
 * PATCH /api/bookings/ID: whatever cannot be booked cannot be had by a change either. The table is the one of
 * book_refusals.test.js, with the same sentences; after each refusal the booking and what it holds are as before.
 */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, book, bookingOf, cancel, edit, markDone, stateOf, tryToEdit} = require('./fixtures.js');
const {CONFIG, request, suite} = require('./harness.js');
const {FAULTS, FINE, LIMITS, REFUSALS, SYNTAX, TAKEN, shown} = require('./refusals.js');

const it = suite({config: {...CONFIG, limits: LIMITS}});
const MAY_EDIT = ([, , only]) => only === undefined;

/* The booking that is not changed by all of this, and what is in the way. */
let made = null;
const target = (server) => (made ??= (async () => {
    await book(server, TAKEN);
    return (await book(server, {...FINE, note: 'as it was'})).booking_id;
})());

async function assertLeavesAlone(server, body, status, sentence) {
    const id = await target(server);
    const before = await stateOf(server, id, '2092-01-09', '2092-01-13');
    const answer = await tryToEdit(server, id, body);
    assertRefused(answer, status, sentence);
    assert.equal(await stateOf(server, id, '2092-01-09', '2092-01-13'), before);
    return answer;
}

for (const [sentence, members] of REFUSALS.filter(MAY_EDIT)) {
    it(`a change to ${shown(members)} is refused: ${sentence}`, (server) => assertLeavesAlone(server, members, 400, sentence));
}

for (const [sentence, body] of SYNTAX) {
    it(`the body ${shown(body)} is refused: ${sentence}`, (server) => assertLeavesAlone(server, body, 400, sentence));
}

for (const [index, [sentence, , , status = 400]] of FAULTS.filter(MAY_EDIT).entries()) {
    it(`refusal ${index + 1} comes before the later ones: ${sentence}`, async (server) => {
        const wrong = FAULTS.filter(MAY_EDIT).slice(index).reverse().map(([, members]) => members);
        const {node_id, ...body} = Object.assign({start: '2091-01-11T00:00', gpu_ids: ['gpu0']}, ...wrong);
        await assertLeavesAlone(server, body, status, sentence);
    });
}

it('what is booked for somebody else is refused with who is in the way', async (server) => {
    const answer = await assertLeavesAlone(server, {start: '2091-01-11T23:00', end: '2091-01-12T02:00', gpu_ids: ['gpu1', 'gpu0']}, 409,
        "GPU 'gpu0' is already booked for the requested window");
    assert.equal(answer.json.conflicts.length, 1);
    assertHas(answer.json.conflicts[0], {
        gpu_id: 'gpu0', user_label: 'first', start: '2091-01-10T00:00:00+00:00', end: '2091-01-12T00:00:00+00:00',
    });
    await assertLeavesAlone(server, {start: '2091-01-11T23:00', end: '2091-01-12T02:00', gpu_count: 3}, 409,
        'Not enough GPUs available for the requested window');
});

/* -- fields --------------------------------------------------------------------------------------------------- */

for (const [name, near] of [
    ['ends', 'end'], ['gpu_id', 'gpu_ids'], ['gpu_counts', 'gpu_count'], ['priorty', 'priority'], ['user_lable', 'user_label'],
    ['Start', 'start'], ['notes', 'note'], ['verson', 'version'], ['node_id', null], ['owner', null], ['status', null], ['id', null],
    ['series_id', null], ['repeat', null], ['', null], ['\u00e9'.repeat(300), null], [`x${'\u00e9'.repeat(300)}`, null],
]) {
    it(`a field "${name.slice(0, 12)}" is unknown${near ? `, and '${near}' is what was meant` : ''}`, async (server) => {
        const answer = await assertLeavesAlone(server, {end: '2092-01-10T05:00', [name]: 1}, 400, /^Unknown field '/);
        if (near) assert.match(answer.json.error, new RegExp(`did you mean '${near}'`));
        else assert.doesNotMatch(answer.json.error, /did you mean/);
        assert.ok(name.startsWith(answer.json.field ?? ''), answer.json.field);
        assert.ok(!answer.text.includes('\ufffd'), answer.text);
    });
}

it('an unknown field is told before what is wrong with known ones', async (server) => {
    await assertLeavesAlone(server, {end: 'tomorrow', node_id: 'beta'}, 400, /^Unknown field 'node_id'/);
});

for (const version of ['one', 1.5, true, [1], {}, '']) {
    it(`a version ${JSON.stringify(version)} is refused`, async (server) => {
        const answer = await assertLeavesAlone(server, {version, end: '2092-01-10T05:00'}, 400, "'version' must be a whole number");
        assert.equal(answer.json.field, 'version');
    });
}

/* -- which booking -------------------------------------------------------------------------------------------- */

it('a booking that does not exist is a 404', async (server) => {
    for (const id of ['999999', '-1', '0', '99999999999999999999999'])
        assertRefused(await tryToEdit(server, id, {end: '2092-01-10T05:00'}), 404, `Booking '${id}' does not exist`);
});

it('an id that is no number is a 400', async (server) => {
    for (const id of ['x', '1x', '1.0', '1/2', '0x1', '%31%20'])
        assertRefused(await tryToEdit(server, id, {end: '2092-01-10T05:00'}), 400, 'Booking id must be an integer');
    assertRefused(await tryToEdit(server, '', {}), 400, 'Booking id is required');
});

for (const [status, end] of [['completed', markDone], ['cancelled', cancel]]) {
    it(`a booking that is ${status} is a 409`, async (server) => {
        const {booking_id: id} = await book(server, {...FINE, start: '2093-01-10T00:00', end: '2093-01-10T04:00'});
        assert.equal((await end(server, id)).status, 200);
        const before = await stateOf(server, id, '2093-01-10', '2093-01-11');
        for (const body of [{end: '2093-01-10T05:00'}, {note: 'x'}, {}, {version: 77}])
            assertRefused(await tryToEdit(server, id, body), 409, new RegExp(`Booking '${id}'.*${status}`));
        assert.equal(await stateOf(server, id, '2093-01-10', '2093-01-11'), before);
    });
}

it('a change to another version than the current one is a 412', async (server) => {
    const {booking_id: id} = await book(server, {...FINE, start: '2093-02-10T00:00', end: '2093-02-10T04:00'});
    assert.equal((await edit(server, id, {end: '2093-02-10T05:00', version: 1})).version, 2);
    const before = await stateOf(server, id, '2093-02-10', '2093-02-11');
    for (const version of [1, 3, 0, -1, '1', 999_999_999_999]) {
        const answer = await tryToEdit(server, id, {end: '2093-02-10T06:00', version});
        assertRefused(answer, 412, /version 2/);
        assert.equal(answer.json.field, 'version');
    }
    assertRefused(await tryToEdit(server, id, {version: 1}), 412); /* a change to nothing, too: the client's picture is old */
    assert.equal(await stateOf(server, id, '2093-02-10', '2093-02-11'), before);
    for (const version of [2, '3', null]) await edit(server, id, {end: `2093-02-10T0${String(version ?? 4).at(-1)}:30`, version});
    assert.equal((await bookingOf(server, id)).version, 5);
});

it('a foreign page cannot change a booking', async (server) => {
    const id = await target(server);
    const before = await stateOf(server, id, '2092-01-09', '2092-01-13');
    for (const headers of [{'Sec-Fetch-Site': 'cross-site'}, {Origin: 'http://evil.example'}])
        assertRefused(await request(server, 'PATCH', `/api/bookings/${id}`, {body: {note: 'eve'}, headers}), 403);
    assert.equal(await stateOf(server, id, '2092-01-09', '2092-01-13'), before);
});
