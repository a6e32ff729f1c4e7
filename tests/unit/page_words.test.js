'use strict';
/* What the page's cards say, and the way out they offer where a window is taken. No document, no network. */
const assert = require('node:assert/strict');
const path = require('node:path');
const {test, before} = require('node:test');
const {pathToFileURL} = require('node:url');

const source = process.env.PROCPLAN_SOURCE || path.resolve(__dirname, '..', '..');
const load = (name) => import(pathToFileURL(path.join(source, 'htdocs', 'js', name)).href);

let words, model;
before(async () => {
    words = await load('words.js');
    model = await load('model.js');
});

const at = (text) => Date.parse(`${text}Z`) / 3_600_000;
const said = (phrase) => phrase.flat().join('');
/* What stands isolated, for it comes from outside. */
const outside = (phrase) => phrase.filter(Array.isArray).flat();

const MONDAY = at('2026-11-23T00:00');

/*
 * Node "atlas" has H100s 0 to 4 and an L40S "x"; "borea" H100s 0 and 1. BOOKINGS: [label, gpus, start, end, more] in hours after Monday.
 */
async function modelWith(bookings = []) {
    const held = new Map();
    const gpus = (count, kind) => Array.from({length: count}, (_, i) => ({id: `g-${i}`, kind}));
    const rows = bookings.map(([label, taken, start, end, {priority = 1, status = 0} = {}], index) => {
        for (const gpu of taken) held.set(gpu, [...held.get(gpu) ?? [gpu], [start, end, index + 1]]);
        return [index + 1, start, end, label, priority, status];
    });
    const answer = {
        epoch: 'e', revision: 1, full: true, start: '2026-11-23T00:00:00Z', end: '2026-12-23T00:00:00Z',
        nodes: [{id: 'atlas', name: 'atlas', gpus: [...gpus(5, 'H100'), {id: 'g-x', kind: 'L40S'}]}, {id: 'borea', name: 'borea', gpus: gpus(2, 'H100')}],
        bookings: rows, held: [...held.values()], removed: [],
    };
    const made = new model.Model(answer);
    made.take(answer, await model.read(answer));
    made.settle(answer);
    return made;
}

const wish = (gpus, start, end) => ({node: 0, gpus, start: MONDAY + start, end: MONDAY + end});

/* -- names and lengths ---------------------------------------------------------------------------------------- */

test('whole days are days, other lengths hours', () => {
    assert.deepEqual([1, 23, 24, 45, 48, 52, 72].map(words.spell), ['1 h', '23 h', '1 day', '45 h', '2 days', '2 d 4 h', '3 days']);
});

test('a place names node, GPUs and kind, and how many where there are several kinds', async () => {
    const {gpus} = await modelWith();
    assert.equal(said(words.placePhrase([gpus[1], gpus[2]])), 'atlas 1–2 · H100');
    assert.equal(said(words.placePhrase([gpus[1], gpus[2]], true)), 'atlas 1–2 · 2 × H100');
    assert.equal(said(words.placePhrase([gpus[3], gpus[4], gpus[5]])), 'atlas 3–4, x · 2 × H100, 1 × L40S');
});

/* -- what is in the way ---------------------------------------------------------------------------------------- */

test('what is taken says by whom and until when the last of them has it', () => {
    const km = {who: 'KM', end: MONDAY + 84};
    assert.equal(said(words.takenPhrase([km])), 'Taken by KM until Thu 26 Nov 12:00');
    assert.equal(said(words.takenPhrase([{who: 'AB', end: MONDAY + 24}, km, km])), 'Taken by KM until Thu 26 Nov 12:00 and by 1 other');
    assert.equal(said(words.takenPhrase([{who: 'AB', end: MONDAY + 24}], true)), 'AB was faster: taken until Mon 23 Nov 24:00');
});

test('names from outside stand isolated in what is said', async () => {
    assert.deepEqual(outside(words.takenPhrase([{who: '\u202e<b>', end: MONDAY}])), ['\u202e<b>']);
    assert.deepEqual(outside(words.placePhrase([(await modelWith()).gpus[0]])), ['atlas', '0', 'H100']);
});

test('a missing login is said so that it is true of who never had one, and of who had one until now', () => {
    assert.equal(said(words.troublePhrase({status: 401, message: 'x', conflicts: []})), 'You are not logged in. If you were, load the page again.');
});

test('a refusal says who was faster, or what the server said, and what is not allowed in words', () => {
    const conflicts = [{gpu_id: 'g-0', booking_id: 1, user_label: 'KM', start: MONDAY, end: MONDAY + 12}];
    assert.equal(said(words.troublePhrase({status: 409, message: 'GPU taken.', conflicts})), 'KM was faster: taken until Mon 23 Nov 12:00');
    assert.equal(said(words.troublePhrase({status: 400, message: 'A booking may last 48 hours at most.', conflicts: []})), 'A booking may last 48 hours at most.');
    assert.match(said(words.troublePhrase({status: 403, message: 'The server\'s answer makes no sense to this page (403).'})), /not allowed/);
    assert.equal(said(words.troublePhrase({status: 403, message: 'Only KM may end this.'})), 'Only KM may end this.');
    assert.match(said(words.troublePhrase({status: 412, message: 'x'})), /changed/);
});

test('a window must be whole, not passed and in order; the current hour may still be booked', () => {
    const now = MONDAY + 10.6;
    assert.match(words.windowFault(NaN, MONDAY + 20, now), /both days/);
    assert.match(words.windowFault(MONDAY + 9, MONDAY + 20, now), /Mon 23 Nov 10:00/);
    assert.equal(words.windowFault(MONDAY + 10, MONDAY + 20, now), '');
    assert.match(words.windowFault(MONDAY + 12, MONDAY + 12, now), /after the start/);
});

/* -- the way out ------------------------------------------------------------------------------------------------ */

test('other GPUs of the kind come first: what is free already stays, the nearest is added', async () => {
    const model = await modelWith([['KM', [1], 0, 48]]);
    const way = words.wayOut(model, wish([0, 1], 0, 24));
    assert.equal(said(way.words), 'Use 0, 2 instead');
    assert.deepEqual(way.selection, wish([0, 2], 0, 24));
});

test('a GPU of another kind is no way out, nor one that is free for a part only', async () => {
    const model = await modelWith([['KM', [0], 0, 18], ['LP', [1, 2, 3, 4], 20, 30]]);
    const way = words.wayOut(model, wish([0], 0, 24));
    assert.equal(said(way.words), 'Take Mon 23 Nov 18:00 – 24:00');
    assert.deepEqual(way.selection, wish([0], 18, 24));
});

test('the longest free part is offered, also between two bookings', async () => {
    const model = await modelWith([['KM', [0, 1, 2, 3, 4], 0, 10], ['LP', [0], 40, 45], ['TN', [1, 2, 3, 4], 45, 60]]);
    assert.deepEqual(words.wayOut(model, wish([0, 1, 2, 3, 4], 0, 60)).selection, wish([0, 1, 2, 3, 4], 10, 40));
});

test('a part that is shorter than a quarter of what was wanted is not worth offering', async () => {
    const model = await modelWith([['KM', [0, 1, 2, 3, 4], 5, 24]]);
    assert.equal(words.wayOut(model, wish([0], 0, 24)), null);
    assert.deepEqual(words.wayOut(model, wish([0], 0, 20)).selection, wish([0], 0, 5));
});

test('ended bookings are in nobody\'s way', async () => {
    const model = await modelWith([['KM', [1], 0, 48, {status: 1}], ['LP', [0], 0, 48]]);
    assert.deepEqual(words.wayOut(model, wish([0], 0, 24)).selection, wish([1], 0, 24));
});

test('of found windows the first is nearest, on the same node where that is no later', async () => {
    const model = await modelWith();
    const found = [{node: 1, gpus: [6, 7], start: MONDAY + 5, end: MONDAY + 9, number: 3}, {node: 0, gpus: [1, 2], start: MONDAY + 5, end: MONDAY + 9}];
    const way = words.nearest(model, found, 0);
    assert.equal(said(way.words), 'Take atlas 1–2 from Mon 23 Nov 05:00');
    assert.deepEqual(way.selection, {node: 0, gpus: [1, 2], start: MONDAY + 5, end: MONDAY + 9});
    assert.equal(words.nearest(model, [{...found[1], start: MONDAY + 6}, found[0]], 0).selection.node, 1);
    assert.equal(words.nearest(model, [], 0), null);
});

/* -- a booking and its history ---------------------------------------------------------------------------------- */

test('a long note is cut between two signs, never within one', () => {
    const edited = (note) => said(words.eventPhrase({kind: 'edited', actor: 'AB', detail: {old: {note: ''}, new: {note}}}));
    assert.equal(edited(`x${'🦙'.repeat(60)}`), `note none → “x${'🦙'.repeat(38)}…”`);
    assert.equal(edited('🦙'.repeat(40)), `note none → “${'🦙'.repeat(40)}”`);
});

test('a booking says how it stands', () => {
    const booking = {start: MONDAY, end: MONDAY + 105, status: 0};
    const state = (now, full, more) => said(words.statePhrase({...booking, ...more}, MONDAY + now, full));
    assert.equal(state(-3), 'Starts in 3 h · 4 d 9 h');
    assert.equal(state(53), 'Running · 2 d 4 h left of 4 d 9 h');
    assert.equal(state(105), 'Over · 4 d 9 h');
    assert.equal(state(60, {released: '2026-11-25T09:30:00+00:00', events: []}, {status: 1}), 'Done, given back 25 Nov 09:30 · 47 h early');
    assert.equal(state(60, null, {status: 1}), 'Done');
    assert.equal(state(60, {released: '2026-11-25T09:30:00+00:00', events: [{kind: 'cancelled', actor: 'KM'}]}, {status: 2}), 'Cancelled by KM 25 Nov 09:30');
});

test('events are sentences, edits with the old and the new value', () => {
    const edited = (old, now) => said(words.eventPhrase({kind: 'edited', detail: {old, new: now}}));
    const [noon, later, tuesday] = ['2026-11-23T12:00:00+00:00', '2026-11-23T18:00:00+00:00', '2026-11-24T00:00:00+00:00'];
    assert.equal(said(words.eventPhrase({kind: 'booked', actor: 'AB', detail: {user_label: 'AB'}})), 'booked');
    assert.equal(said(words.eventPhrase({kind: 'booked', actor: 'root', detail: {user_label: 'AB'}})), 'booked for AB');
    assert.equal(said(words.eventPhrase({kind: 'completed', detail: {user_label: 'AB'}})), 'done');
    assert.equal(said(words.eventPhrase({kind: 'cancelled', detail: {user_label: 'AB'}})), 'cancelled');
    assert.equal(edited({end: noon}, {end: tuesday}), 'extended Mon 23 Nov 12:00 → Mon 23 Nov 24:00');
    assert.equal(edited({end: tuesday}, {end: noon}), 'shortened Mon 23 Nov 24:00 → Mon 23 Nov 12:00');
    assert.equal(edited({start: noon, end: later}, {start: later, end: tuesday}), 'moved Mon 23 Nov 12:00 → Mon 23 Nov 18:00');
    assert.equal(edited({start: noon, priority: 'low'}, {start: later, priority: 'high'}), 'start Mon 23 Nov 12:00 → Mon 23 Nov 18:00, priority low → high');
    assert.equal(edited({gpu_ids: ['0', '1'], user_label: 'AB'}, {gpu_ids: ['2'], user_label: 'KM'}), 'GPUs 0, 1 → 2, initials AB → KM');
    assert.equal(edited({note: null}, {note: 'x'.repeat(60)}), `note none → “${'x'.repeat(39)}…”`);
});
