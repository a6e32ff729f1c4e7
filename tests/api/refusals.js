'use strict';
/*
 * What booking refuses, sentence by sentence. One table for making a booking and for changing one: whoever may not book
 * something must not get it by an edit. book_refusals.test.js and edit_refusals.test.js play it.
 */

/* A wish that is fine on the servers that play the table. */
const FINE = {node_id: 'alpha', start: '2092-01-10T00:00', end: '2092-01-10T04:00', user_label: 'ada', gpu_count: 1};

/* Limits of those servers. */
const LIMITS = {max_booking_hours: 48};

/* What stands in the way of the last rows of FAULTS. */
const TAKEN = {node_id: 'alpha', start: '2091-01-10T00:00', end: '2091-01-12T00:00', user_label: 'first', gpu_ids: ['gpu0']};

/*
 * The faults in the documented order: [sentence, the members that are wrong]. A body holds the fault's own members and
 * those of all later faults, where they do not exclude each other: the earlier one's value stands.
 */
const FAULTS = [
    ["Fields 'node_id', 'start', and 'end' are required", {node_id: '', start: null}, 'making only'],
    [/^Invalid timestamp: /, {node_id: 'nowhere', start: 'tomorrow'}],
    ["'gpu_ids' must be an array when provided", {gpu_ids: 'gpu0', start: '2091-01-11T12:00', end: '2091-01-11T11:00'}],
    ["'gpu_count' must be an integer", {gpu_ids: ['gpu0', 'gpu0'], gpu_count: 'two'}],
    ['Booking end must be after start', {gpu_count: 0, start: '2091-01-11T12:00', end: '2091-01-11T11:00'}],
    ['User label must not be empty', {user_label: ' \t ', start: '2091-01-11T00:00', end: '2091-01-14T00:00'}],
    ["Unknown node id 'nowhere'", {user_label: 'ada', node_id: 'nowhere'}, 'making only'],
    ['Priority must be one of low, medium, high', {node_id: 'alpha', priority: 'urgent'}],
    ['One or more GPUs do not belong to the specified node', {priority: 'low', gpu_ids: ['gpu0', 'gpu0']}],
    [/48/, {gpu_ids: ['gpu0'], start: '2091-01-11T00:00', end: '2091-01-14T00:00'}],
    ["GPU 'gpu0' is already booked for the requested window", {end: '2091-01-11T12:00'}, undefined, 409],
];

/* Bodies that are no JSON object. */
const SYNTAX = [
    [/^Invalid JSON payload: /, '{'],
    [/^Invalid JSON payload: /, '{"node_id": alpha}'],
    [/^Invalid JSON payload: /, "{'node_id': 'alpha'}"],
    [/^Invalid JSON payload: /, '{} {}'],
    [/^Invalid JSON payload: /, ' \n'],
    [/^Invalid JSON payload: /, '{"user_label": NaN}'],
    [/^Invalid JSON payload: /, 'node_id=alpha&start=now'],
    [/^Invalid JSON payload: .*twice|duplicate|again/i, '{"end": "2092-01-10T05:00", "end": "2092-01-10T06:00"}'],
    ['JSON payload must be an object', '[]'],
    ['JSON payload must be an object', 'null'],
    ['JSON payload must be an object', '"text"'],
    ['JSON payload must be an object', '5'],
    ['JSON payload must be an object', 'true'],
];

const REQUIRED = "Fields 'node_id', 'start', and 'end' are required";
const EITHER = 'Either gpu_ids or a positive gpu_count must be provided';
const BELONG = 'One or more GPUs do not belong to the specified node';
const EMPTY_LABEL = 'User label must not be empty';

/* One fault each: [sentence, the members that are other than in FINE, 'making only' where an edit reads them otherwise]. */
const REFUSALS = [];
const refuse = (sentence, name, values, only) => {
    for (const value of values) REFUSALS.push([sentence, typeof name === 'string' ? {[name]: value} : value, only]);
};
for (const name of ['node_id', 'start', 'end']) refuse(REQUIRED, name, [undefined, null, '', 0, false, []], 'making only');
for (const name of ['start', 'end']) {
    refuse(/^Invalid timestamp: /, name, ['tomorrow', '2092-02-30', '2092-01-10T25:00', '10/01/2092', '2092-01-10T', 5, true, {},
        ['2092-01-11'], ' ', '9999-12-31T23:30Zx']);
}
refuse("'gpu_ids' must be an array when provided", 'gpu_ids', ['gpu0', 1, true, {gpu0: true}]);
refuse("'gpu_count' must be an integer", 'gpu_count', [1.9, true, false, 'two', '1.0', '1.9', '', '1 2', '0x1', [1], {}]);
refuse("'gpu_count' must be an integer", null, [{gpu_ids: ['gpu0'], gpu_count: 1.9}]);
refuse('Booking end must be after start', null, [
    {end: FINE.start},
    {start: '2092-01-10T10:45', end: '2092-01-10T10:15'},
    {start: '2092-01-10T10:00+01:00', end: '2092-01-10T09:00+00:00'},
]);
refuse(EMPTY_LABEL, 'user_label', [undefined, null], 'making only');
refuse(EMPTY_LABEL, 'user_label', ['', 0, false, [], ' ', '\t\n', '\u00a0\u3000']);
refuse(/64/, 'user_label', ['x'.repeat(65), '\u{1F600}'.repeat(65)]);
refuse(/control/i, 'user_label', ['a\u0007b', 'a\nb', 'a\u007fb', 'a\u0085b', 'a\u001bb']);
refuse(/label/i, 'user_label', [true, ['ada'], {name: 'ada'}]);
refuse("Unknown node id 'nowhere'", 'node_id', ['nowhere'], 'making only');
refuse("Unknown node id 'ALPHA'", 'node_id', ['ALPHA'], 'making only');
refuse("Unknown node id '8'", 'node_id', [8], 'making only');
refuse(/node/i, 'node_id', [true, ['alpha'], {id: 'alpha'}], 'making only');
refuse('Priority must be one of low, medium, high', 'priority', ['urgent', 'medium!', 1, true, ['low'], {}]);
refuse(EITHER, 'gpu_count', [undefined, null], 'making only');
refuse(EITHER, 'gpu_count', [0, -1, '0', '-3']);
refuse(BELONG, 'gpu_ids', [['nope'], ['gpu0', 'nope'], ['gpu0', 'gpu0'], ['GPU0'], [''], [0]]);
refuse(BELONG, null, [{node_id: 7, gpu_ids: [1, '1']}, {node_id: 'empty', gpu_ids: ['gpu0']}], 'making only');
refuse(undefined, 'gpu_ids', [[true], [null], [{}], [['gpu0']]]);
refuse('Not enough GPUs available for the requested window', 'gpu_count', [4, 999_999_999_999]);
refuse(/note.* 500/i, 'note', ['é'.repeat(501)]);
refuse(/control/i, 'note', ['ring\u0007', 'two\nlines']);
refuse("'note' must be text", 'note', [['a'], {a: 1}, true, 5]);
refuse(/max_booking_hours/, 'end', ['2092-01-12T01:00']);

/* A body, short enough for a test's name. */
function shown(body) {
    if (typeof body === 'string') return JSON.stringify(body);
    return JSON.stringify(Object.entries(body).map(([name, value]) => `${name} ${JSON.stringify(value)?.slice(0, 40)}`).join(', '));
}

module.exports = {FAULTS, FINE, LIMITS, REFUSALS, SYNTAX, TAKEN, shown};
