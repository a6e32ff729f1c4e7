'use strict';
/*
 * POST /api/book: every refusal with its sentence, in the documented order. Each body of FAULTS holds its own fault
 * and all the later ones, so a wrong order shows as a later sentence.
 */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, availability, book, tryToBook} = require('./fixtures.js');
const {CONFIG, suite} = require('./harness.js');
const {FAULTS, FINE, LIMITS, REFUSALS, SYNTAX, TAKEN, shown} = require('./refusals.js');

const it = suite({config: {...CONFIG, limits: LIMITS}});

let taken = null;
const takeOnce = (server) => (taken ??= book(server, TAKEN));

for (const [index, [sentence, , , status = 400]] of FAULTS.entries()) {
    it(`refusal ${index + 1} comes before the later ones: ${sentence}`, async (server) => {
        await takeOnce(server);
        const wrong = FAULTS.slice(index).reverse().map(([, members]) => members);
        const body = Object.assign({node_id: 'alpha', user_label: 'ada', start: '2091-01-11T00:00', gpu_ids: ['gpu0']}, ...wrong);
        assertRefused(await tryToBook(server, body), status, sentence);
    });
}

it('a missing gpu_count comes after the priority and before the limits', async (server) => {
    const body = {...TAKEN, end: '2091-01-14T00:00', gpu_ids: [], priority: 'urgent'};
    assertRefused(await tryToBook(server, body), 400, 'Priority must be one of low, medium, high');
    assertRefused(await tryToBook(server, {...body, priority: ''}), 400, 'Either gpu_ids or a positive gpu_count must be provided');
});

it('limits come before conflicts, and conflicts are last', async (server) => {
    const first = await takeOnce(server);
    const limited = await tryToBook(server, {...TAKEN, end: '2091-01-12T01:00'});
    assertRefused(limited, 400, /48/);
    assert.equal(limited.json.limit, 'max_booking_hours');
    const answer = await tryToBook(server, TAKEN);
    assertRefused(answer, 409, "GPU 'gpu0' is already booked for the requested window");
    assertHas(answer.json.conflicts[0], {booking_id: first.booking_id});
});

for (const [sentence, body] of [
    ...SYNTAX,
    ["Fields 'node_id', 'start', and 'end' are required", ''],
    ["Fields 'node_id', 'start', and 'end' are required", '{}'],
]) {
    it(`the body ${shown(body)} is refused: ${sentence}`, async (server) => {
        assertRefused(await tryToBook(server, body), 400, sentence);
    });
}

for (const [sentence, members] of REFUSALS) {
    it(`${shown(members)} is refused: ${sentence}`, async (server) => {
        assertRefused(await tryToBook(server, {...FINE, ...members}), 400, sentence);
    });
}

it('nothing of all this was written', async (server) => {
    const grid = await availability(server, {node_id: 'alpha', start: FINE.start, end: FINE.end});
    assert.deepEqual(grid.hours.flatMap((hour) => hour.bookings), []);
    await book(server, FINE);
});
