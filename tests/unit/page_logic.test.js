'use strict';
/* The page's pure parts in node: time, the picture that the timeline gives, the address. No document, no network. */
const assert = require('node:assert/strict');
const path = require('node:path');
const {test, before} = require('node:test');
const {pathToFileURL} = require('node:url');

const source = process.env.PROCPLAN_SOURCE || path.resolve(__dirname, '..', '..');
const load = (name) => import(pathToFileURL(path.join(source, 'htdocs', 'js', name)).href);

let time, model, address;
before(async () => {
    [time, model, address] = await Promise.all(['time.js', 'model.js', 'address.js'].map(load));
});

const at = (text) => Date.parse(`${text}Z`) / 3_600_000;

/* -- time ----------------------------------------------------------------------------------------------------- */

test('a week begins on Monday, before 1970 too', () => {
    assert.equal(time.mondayOf(at('2026-11-29T23:00')), at('2026-11-23T00:00'));
    assert.equal(time.mondayOf(at('2026-11-23T00:00')), at('2026-11-23T00:00'));
    assert.equal(time.mondayOf(-1), at('1969-12-29T00:00'));
    assert.equal(time.weekdayOf(at('2026-11-29T12:00')), 6);
});

test('the week that has the year\'s first Thursday is number one', () => {
    assert.equal(time.weekNumber(at('2026-01-01T00:00')), 1);
    assert.equal(time.weekNumber(at('2027-01-03T00:00')), 53);
    assert.equal(time.weekNumber(at('2027-01-04T00:00')), 1);
    assert.equal(time.weekNumber(at('2024-12-30T00:00')), 1);
});

test('a day that does not exist is no day', () => {
    assert.equal(time.parseDay('2026-11-23'), at('2026-11-23T00:00'));
    for (const text of ['2026-02-29', '2026-13-01', '1969-12-31', '9999-01-01', '26-1-1', ' 2026-11-23', ''])
        assert.equal(time.parseDay(text), null, text);
});

test('an end at midnight is 24:00 of the day before', () => {
    assert.equal(time.momentOf(at('2026-10-02T00:00'), true), 'Thu 1 Oct 24:00');
    assert.equal(time.momentOf(at('2026-10-02T00:00')), 'Fri 2 Oct 00:00');
    assert.equal(time.windowText(at('2026-09-29T00:00'), at('2026-10-02T00:00')), 'Tue 29 Sep 00:00 – Thu 1 Oct 24:00');
    assert.equal(time.windowText(at('2026-09-29T03:00'), at('2026-09-30T00:00')), 'Tue 29 Sep 03:00 – 24:00');
});

test('a year is said where it is another one', () => {
    assert.equal(time.momentOf(at('2027-01-01T05:00'), false, 2026), 'Fri 1 Jan 2027 05:00');
    assert.equal(time.windowText(at('2026-12-31T00:00'), at('2027-01-02T00:00'), 2026), 'Thu 31 Dec 00:00 – Fri 1 Jan 2027 24:00');
});

test('lengths are said in hours up to two days, then in days', async () => {
    assert.deepEqual([0, 1, 47, 48, 52, 72, 0.4, -3].map(time.lengthOf), ['0 h', '1 h', '47 h', '2 d', '2 d 4 h', '3 d', '1 h', '0 h']);
});

/* -- the picture ----------------------------------------------------------------------------------------------- */

const START = at('2026-11-23T00:00');
const stamp = (hour) => new Date(hour * 3_600_000).toISOString();

function answer(more = {}) {
    return {
        epoch: 'e', revision: 5, full: true, start: stamp(START), end: stamp(START + 240),
        nodes: [
            {id: 'a', name: 'A', gpu_count: 3, gpus: [{id: 'a-0', kind: 'X'}, {id: 'a-1', kind: 'X'}, {id: 'a-2', kind: 'Y'}]},
            {id: 'b', name: 'B', gpu_count: 1, gpus: [{id: 'b-0', kind: 'X'}]},
        ],
        bookings: [[1, -5, 10, 'ada'], [2, 24, 48, 'bob', 2, 0, null, 3], [3, 0, 30, 'cy', 0, 1, 'cyrus', 2, 'a note']],
        held: [[0, 1, 2], [1, 1], [2, [0, 12, 3]], [3, 2]],
        removed: [],
        ...more,
    };
}

/* Numbers below a limit, the same for the same seed; `first` repeats a run (PROCPLAN_SEED). */
function chance() {
    let seed = Number(process.env.PROCPLAN_SEED ?? Date.now() % 2 ** 31) || 1;
    const first = seed;
    return {
        first,
        random(limit) {
            seed = (seed * 48271) % 2147483647;
            return seed % limit;
        },
    };
}

/* As the page does it. */
async function take(picture, said) {
    picture.take(said, await model.read(said));
    return picture.settle(said);
}
async function pictureOf(said) {
    const picture = new model.Model(said);
    await take(picture, said);
    return picture;
}

test('hours of an answer count from its start, and defaults that were left out are there again', async () => {
    const picture = await pictureOf(answer());
    assert.deepEqual({...picture.bookings.get(1), gpus: 0, before: 0},
        {id: 1, start: START - 5, end: START + 10, label: 'ada', priority: 1, status: 0, owner: null, version: 1, note: '', gpus: 0, before: 0});
    assert.deepEqual(picture.bookings.get(3).note, 'a note');
    assert.deepEqual(picture.bookings.get(2).gpus, [0, 3]);
    assert.deepEqual(picture.holds[0].map(({start, end, booking}) => [start - START, end - START, booking.id]), [[0, 10, 1], [24, 48, 2]]);
    assert.deepEqual(picture.holds[2].map(({start, end}) => [start - START, end - START]), [[0, 12]]);
    assert.equal(picture.since, 'e.5');
});

test('the part that all ids of a node begin with is left out of the short names', async () => {
    assert.deepEqual((await pictureOf(answer())).gpus.map((gpu) => gpu.short), ['0', '1', '2', 'b-0']);
    assert.equal(model.commonPrefix(['gpu10', 'gpu11']), '', 'only up to a separator');
    assert.equal(model.commonPrefix(['n-', 'n-1']), '', 'never all of an id');
});

test('a change replaces a booking with its holds, and what was removed is gone', async () => {
    const picture = await pictureOf(answer());
    const changed = await take(picture, answer({
        full: false, revision: 8, nodes: [], bookings: [[2, 24, 36, 'bob', 2, 0, null, 4]], held: [[1, 2]], removed: [1],
    }));
    assert.equal(changed, true);
    assert.deepEqual(picture.holds.map((holds) => holds.map(({start, end, booking}) => [start - START, end - START, booking.id])),
        [[], [[24, 36, 2]], [[0, 12, 3]], []]);
    assert.deepEqual([...picture.bookings.keys()].sort(), [2, 3]);
    assert.equal(picture.since, 'e.8');
    assert.equal(await take(picture, answer({full: false, revision: 9, nodes: [], bookings: [], held: []})), false, 'nothing changed');
});

test('a booking has the GPUs that it has now, and holds the hours of those that it had before', async () => {
    const picture = await pictureOf(answer({bookings: [[1, 0, 20, 'ada']], held: [[0, [0, 6, 1]], [1, [6, 20, 1]], [2, 1]]}));
    assert.deepEqual(picture.bookings.get(1).gpus, [1, 2]);
    assert.deepEqual(picture.holdsIn(0, START, START + 240).map(({end}) => end - START), [6]);
    await take(picture, answer({full: false, revision: 6, nodes: [], bookings: [], held: [], removed: [1]}));
    assert.deepEqual(picture.holds, [[], [], [], []]);
});

/* What a server says of a window, and of what it adds to another one; bookings are [id, start, end, GPUs] in hours after START. */
function said(all, window, had) {
    const isIn = (start, end, hours) => hours && start < hours.end && end > hours.start;
    const listed = all.filter(([, start, end]) => isIn(start, end, window) && !(had && start >= had.start && end <= had.end)
        && (!had || isIn(start, end, {start: window.start, end: Math.min(window.end, had.start)}) || isIn(start, end, {start: Math.max(window.start, had.end), end: window.end})));
    const held = [0, 1, 2, 3].map((gpu) => [gpu, ...listed.filter(([, , , gpus]) => gpus.includes(gpu)).map(([id]) => id)]).filter((row) => row.length > 1);
    return answer({
        full: !had, nodes: had ? [] : answer().nodes, start: stamp(START + window.start), end: stamp(START + window.end),
        bookings: listed.map(([id, start, end]) => [id, start - window.start, end - window.start, 'ada']), held,
    });
}

test('whoever looks at other hours and takes in what these add has what a whole answer would say', async () => {
    const {random, first} = chance();
    const all = [];
    for (const gpus of [[0, 1], [2], [3]])
        for (let hour = random(9); hour < 400; hour += random(20)) {
            const end = hour + 1 + random(30);
            all.push([all.length + 1, hour, end, gpus]);
            hour = end;
        }
    const content = (picture) => ({
        window: picture.window,
        bookings: [...picture.bookings.values()].sort((a, b) => a.id - b.id).map(({id, gpus}) => [id, gpus]),
        holds: picture.holds.map((holds) => holds.map(({start, end, booking}) => [start - START, end - START, booking.id])),
    });
    let had = {start: 100, end: 160};
    const picture = await pictureOf(said(all, had));
    for (let step = 0; step < 200; step++) {
        const start = random(5) ? Math.max(0, had.start + random(80) - 40) : random(350);
        const window = {start, end: start + 1 + random(80)};
        if (random(3) === 0) { /* begun with other hours, and given up for these */
            const begun = said(all, {start: Math.max(0, had.start - random(60)), end: had.end + random(60) + 1}, had);
            picture.take(begun, await model.read(begun));
        }
        await take(picture, said(all, window, had));
        had = window;
        assert.deepEqual(content(picture), content(await pictureOf(said(all, window))), `step ${step}, seed ${first}`);
    }
});

test('windows that touch do not clash, and hours of an ended booking refuse nobody', async () => {
    const picture = await pictureOf(answer());
    const clashes = (gpus, start, end, except) => picture.clashes(gpus, START + start, START + end, except)
        .map((one) => [one.gpu.id, one.booking.id, one.start - START, one.end - START]);
    assert.deepEqual(clashes([0, 1], 10, 24), []);
    assert.deepEqual(clashes([0, 1], 9, 25), [['a-0', 1, 9, 10], ['a-0', 2, 24, 25], ['a-1', 1, 9, 10]]);
    assert.deepEqual(clashes([0], 9, 25, 1), [['a-0', 2, 24, 25]]);
    assert.deepEqual(clashes([2], 0, 240), []);
    assert.deepEqual(picture.freeGpus(picture.nodes[0], START + 5, START + 12), [2]);
    assert.deepEqual(picture.holdsIn(0, START + 10, START + 11), []);
    assert.deepEqual(picture.holdsIn(0, START + 9, START + 10).map((hold) => hold.booking.id), [1]);
});

test('a screen reader hears who has a GPU from when until when: of a week also on which day', async () => {
    const {stateOf} = await load('logic.js');
    const picture = await pictureOf(answer({bookings: [[1, 6, 30, 'ada', 2], [2, 30, 200, 'bob']], held: [[0, 1, 2]]}));
    assert.equal(stateOf(picture, 0, START, START + 24), 'ada, high priority from 06:00');
    assert.equal(stateOf(picture, 0, START + 24, START + 48), 'ada, high priority until 06:00; bob, medium priority from 06:00');
    assert.equal(stateOf(picture, 0, START, START + 168),
        'ada, high priority from Mon 23 Nov 06:00 until Tue 24 Nov 06:00; bob, medium priority from Tue 24 Nov 06:00');
    assert.equal(stateOf(picture, 1, START, START + 24), 'free');
});

test('free GPUs are counted as by going through every hour', async () => {
    const {random, first} = chance();
    for (let round = 0; round < 50; round++) {
        const bookings = [];
        const held = [0, 1, 2].map((gpu) => {
            const row = [gpu];
            for (let hour = random(30); hour < 235; hour += random(60) + 1) {
                const end = Math.min(240, hour + 1 + random(40));
                bookings.push([bookings.length + 1, hour, end, 'x']);
                row.push(bookings.length);
                hour = end;
            }
            return row;
        }).filter((row) => row.length > 1);
        const picture = await pictureOf(answer({bookings, held}));
        const now = START + random(240);
        const isHeld = (gpu, hour) => picture.holds[gpu].some(({start, end}) => start <= hour && hour < end);
        const {first: begin, hours, columns: days} = picture.occupancy([0, 1, 2], now);
        assert.equal(begin, START);
        for (let hour = 0; hour < 240; hour++)
            assert.equal(hours[hour], [0, 1, 2].filter((gpu) => isHeld(gpu, START + hour)).length, `hour ${hour}, seed ${first}`);
        for (let day = 0; day < 10; day++) {
            const today = Math.floor((now - START) / 24) === day;
            const from = today ? now : START + day * 24;
            const busy = [0, 1, 2].filter((gpu) => {
                for (let hour = from; hour < START + day * 24 + 24; hour++)
                    if (isHeld(gpu, hour)) return true;
                return false;
            });
            assert.equal(days[day], busy.length, `day ${day}, now ${now - START}, seed ${first}`);
        }
    }
});

/* -- the address ------------------------------------------------------------------------------------------------ */

test('a view that is written to the address is read back as it was', () => {
    const now = at('2026-11-23T14:30');
    for (const view of [
        {zoom: 'days', date: at('2026-11-01T00:00'), nodes: null, kinds: null, person: '', mine: false},
        {zoom: 'hours', date: at('2026-11-01T13:00'), nodes: ['a,b', 'ü&='], kinds: ['A 100'], person: '<b>"x"</b>', mine: true},
        {zoom: 'weeks', date: at('2027-01-04T00:00'), nodes: [], kinds: [], person: '', mine: false},
    ])
        assert.deepEqual(address.readView(address.writeView(view, 0), now), view);
});

test('the view that stands there by itself needs no query', () => {
    const now = at('2026-11-23T14:30');
    const view = address.readView('', now);
    assert.equal(view.date, at('2026-11-22T00:00'));
    assert.equal(address.writeView(view, address.homeOf('days', now)), '');
});

test('an address that makes no sense shows the usual view', () => {
    const now = at('2026-11-23T14:30');
    for (const search of ['?date=2026-02-31', '?zoom=years', '?date=', '?date=2026-11-23T99:00', '?mine=2', '?%ff=%'])
        assert.deepEqual(address.readView(search, now), address.readView('', now), search);
});

test('a view with more nodes than a web server takes in an address stands behind a #, and is read from there', () => {
    const nodes = Array.from({length: 1249}, (_, index) => `node-${index}`);
    const view = {zoom: 'days', date: at('2026-11-01T00:00'), nodes, kinds: null, person: '', mine: false};
    const written = address.writeView(view, 0);
    assert.equal(written[0], '#');
    assert.deepEqual(address.readView(written, at('2026-11-23T14:30')), view);
});
