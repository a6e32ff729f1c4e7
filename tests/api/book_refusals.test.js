'use strict';
/*
 * POST /api/book: every refusal with its sentence, in the documented order. Each body of the table holds its own fault
 * and all the later ones, so a wrong order shows as a later sentence.
 */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, availability, book, tryToBook} = require('./fixtures.js');
const {CONFIG, suite} = require('./harness.js');

const it = suite({config: {...CONFIG, limits: {max_booking_hours: 48}}});

/* Stands in the way of the last bodies of the table. */
const TAKEN = {node_id: 'alpha', start: '2031-01-10T00:00', end: '2031-01-12T00:00', user_label: 'first', gpu_ids: ['gpu0']};
let taken = null;
const takeOnce = (server) => (taken ??= book(server, TAKEN));

/*
 * The faults in their order: [sentence, the members that are wrong]. A body holds the fault's own members and those of
 * all later faults, where they do not exclude each other: the earlier one's value stands.
 */
const FAULTS = [
    ["Fields 'node_id', 'start', and 'end' are required", {node_id: '', start: null}],
    [/^Invalid timestamp: /, {node_id: 'nowhere', start: 'tomorrow'}],
    ["'gpu_ids' must be an array when provided", {gpu_ids: 'gpu0', start: '2031-01-11T12:00', end: '2031-01-11T11:00'}],
    ["'gpu_count' must be an integer", {gpu_ids: ['gpu0', 'gpu0'], gpu_count: 'two'}],
    ['Booking end must be after start', {gpu_count: 0, start: '2031-01-11T12:00', end: '2031-01-11T11:00'}],
    ['User label must not be empty', {user_label: ' \t ', start: '2031-01-11T00:00', end: '2031-01-14T00:00'}],
    ["Unknown node id 'nowhere'", {user_label: 'ada', node_id: 'nowhere'}],
    ['Priority must be one of low, medium, high', {node_id: 'alpha', priority: 'urgent'}],
    ['One or more GPUs do not belong to the specified node', {priority: 'low', gpu_ids: ['gpu0', 'gpu0']}],
    [/48/, {gpu_ids: ['gpu0'], start: '2031-01-11T00:00', end: '2031-01-14T00:00'}],
];

for (const [index, [sentence]] of FAULTS.entries()) {
    it(`refusal ${index + 1} comes before the later ones: ${sentence}`, async (server) => {
        await takeOnce(server);
        const wrong = FAULTS.slice(index).reverse().map(([, members]) => members);
        const body = Object.assign({node_id: 'alpha', user_label: 'ada'}, ...wrong);
        assertRefused(await tryToBook(server, body), 400, sentence);
    });
}

it('a missing gpu_count comes after the priority and before the limits', async (server) => {
    const body = {...TAKEN, end: '2031-01-14T00:00', gpu_ids: [], priority: 'urgent'};
    assertRefused(await tryToBook(server, body), 400, 'Priority must be one of low, medium, high');
    assertRefused(await tryToBook(server, {...body, priority: ''}), 400, 'Either gpu_ids or a positive gpu_count must be provided');
});

it('limits come before conflicts, and conflicts are last', async (server) => {
    const first = await takeOnce(server);
    const limited = await tryToBook(server, {...TAKEN, end: '2031-01-12T01:00'});
    assertRefused(limited, 400, /48/);
    assert.equal(limited.json.limit, 'max_booking_hours');
    const answer = await tryToBook(server, TAKEN);
    assertRefused(answer, 409, "GPU 'gpu0' is already booked for the requested window");
    assertHas(answer.json.conflicts[0], {booking_id: first.booking_id});
});

/* -- one fault each ------------------------------------------------------------------------------------------- */

const FINE = {node_id: 'alpha', start: '2032-01-10T00:00', end: '2032-01-10T04:00', user_label: 'ada', gpu_count: 1};
const REQUIRED = "Fields 'node_id', 'start', and 'end' are required";
const EITHER = 'Either gpu_ids or a positive gpu_count must be provided';
const BELONG = 'One or more GPUs do not belong to the specified node';
const COUNT = "'gpu_count' must be an integer";
const PRIORITY = 'Priority must be one of low, medium, high';

const bodies = [
    [/^Invalid JSON payload: /, '{'],
    [/^Invalid JSON payload: /, '{"node_id": alpha}'],
    [/^Invalid JSON payload: /, "{'node_id': 'alpha'}"],
    [/^Invalid JSON payload: /, '{} {}'],
    [/^Invalid JSON payload: /, ' \n'],
    [/^Invalid JSON payload: /, '{"user_label": NaN}'],
    [/^Invalid JSON payload: /, 'node_id=alpha&start=now'],
    ['JSON payload must be an object', '[]'],
    ['JSON payload must be an object', 'null'],
    ['JSON payload must be an object', '"text"'],
    ['JSON payload must be an object', '5'],
    ['JSON payload must be an object', 'true'],
    [REQUIRED, ''],
    [REQUIRED, '{}'],
];
for (const name of ['node_id', 'start', 'end']) {
    for (const absent of [undefined, null, '', 0, false, []]) bodies.push([REQUIRED, {...FINE, [name]: absent}]);
}
for (const stamp of ['tomorrow', '2032-02-30', '2032-01-10T25:00', '10/01/2032', '2032-01-10T', 5, true, {}, ['2032-01-11'], ' ', '9999-12-31T23:30Zx']) {
    bodies.push([/^Invalid timestamp: /, {...FINE, start: stamp}]);
    bodies.push([/^Invalid timestamp: /, {...FINE, end: stamp}]);
}
for (const ids of ['gpu0', 1, true, {gpu0: true}]) bodies.push(["'gpu_ids' must be an array when provided", {...FINE, gpu_ids: ids}]);
for (const count of [1.9, true, false, 'two', '1.0', '1.9', '', '1 2', '0x1', [1], {}]) bodies.push([COUNT, {...FINE, gpu_count: count}]);
bodies.push([COUNT, {...FINE, gpu_ids: ['gpu0'], gpu_count: 1.9}]);
bodies.push(['Booking end must be after start', {...FINE, end: FINE.start}]);
bodies.push(['Booking end must be after start', {...FINE, start: '2032-01-10T10:45', end: '2032-01-10T10:15'}]);
bodies.push(['Booking end must be after start', {...FINE, start: '2032-01-10T10:00+01:00', end: '2032-01-10T09:00+00:00'}]);
for (const label of [undefined, null, '', 0, false, [], ' ', '\t\n', '\u00a0\u3000']) bodies.push(['User label must not be empty', {...FINE, user_label: label}]);
for (const label of ['x'.repeat(65), '\u{1F600}'.repeat(65)]) bodies.push([/64/, {...FINE, user_label: label}]);
for (const label of ['a\u0007b', 'a\nb', 'a\u007fb', 'a\u0085b', 'a\u001bb']) bodies.push([/control/i, {...FINE, user_label: label}]);
for (const label of [true, ['ada'], {name: 'ada'}]) bodies.push([/label/i, {...FINE, user_label: label}]);
bodies.push(["Unknown node id 'nowhere'", {...FINE, node_id: 'nowhere'}]);
bodies.push(["Unknown node id 'ALPHA'", {...FINE, node_id: 'ALPHA'}]);
bodies.push(["Unknown node id '8'", {...FINE, node_id: 8}]);
for (const id of [true, ['alpha'], {id: 'alpha'}]) bodies.push([/node/i, {...FINE, node_id: id}]);
for (const priority of ['urgent', 'medium!', 1, true, ['low'], {}]) bodies.push([PRIORITY, {...FINE, priority}]);
for (const count of [undefined, null, 0, -1, '0', '-3']) bodies.push([EITHER, {...FINE, gpu_count: count}]);
for (const ids of [['nope'], ['gpu0', 'nope'], ['gpu0', 'gpu0'], ['GPU0'], [''], [0]]) bodies.push([BELONG, {...FINE, gpu_ids: ids}]);
bodies.push([BELONG, {...FINE, node_id: 7, gpu_ids: [1, '1']}]);
bodies.push([BELONG, {...FINE, node_id: 'empty', gpu_ids: ['gpu0']}]);
for (const ids of [[true], [null], [{}], [['gpu0']]]) bodies.push([undefined, {...FINE, gpu_ids: ids}]);

for (const [sentence, body] of bodies) {
    const shown = typeof body === 'string' ? body
        : Object.entries(body).filter(([name, value]) => FINE[name] !== value)
            .map(([name, value]) => `${name} ${JSON.stringify(value)?.slice(0, 40)}`).join(', ');
    it(`${JSON.stringify(shown)} is refused: ${sentence}`, async (server) => {
        assertRefused(await tryToBook(server, body), 400, sentence);
    });
}

it('nothing of all this was written', async (server) => {
    const grid = await availability(server, {node_id: 'alpha', start: FINE.start, end: FINE.end});
    assert.deepEqual(grid.hours.flatMap((hour) => hour.bookings), []);
    await book(server, FINE);
});
