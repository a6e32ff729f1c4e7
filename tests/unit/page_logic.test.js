'use strict';
/* The page's reasoning, without a browser: htdocs/js/logic.js and htdocs/js/time.js. */
const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const path = require('node:path');

const folder = path.join(__dirname, '..', '..', 'htdocs', 'js');
let logic;
let time;
before(async () => {
    logic = await import(pathToFileURL(path.join(folder, 'logic.js')));
    time = await import(pathToFileURL(path.join(folder, 'time.js')));
});

/* 2026-11-23 is a Monday: 498,720 hours after 1970 began. */
const WEEK = 498720;

const stamp = (hour) => `${new Date(hour * 3600000).toISOString().slice(0, 19)}+00:00`;

/* A GPU's seven days as the API gives them, from windows counted in hours since Monday. */
function days(...bookings) {
    return Array.from({ length: 7 }, (_, day) => {
        const [start, end] = [WEEK + day * 24, WEEK + day * 24 + 24];
        const pieces = bookings.map((b) => ({ ...b, s: WEEK + b.from, e: WEEK + b.to })).filter((b) => b.s < end && b.e > start);
        return {
            start: stamp(start),
            end: stamp(end),
            bookings: pieces.map((b) => ({
                id: b.id,
                user_label: b.who ?? 'AB',
                priority: b.priority ?? 'medium',
                start: stamp(b.s),
                end: stamp(b.e),
                gpu_ids: b.gpus ?? ['0'],
                overlap_start: stamp(Math.max(b.s, start)),
                overlap_end: stamp(Math.min(b.e, end)),
            })),
        };
    });
}

/* One node, whose GPUs 0, 1, … have these days. */
function nodeOf(...rows) {
    const gpus = rows.map((_, index) => ({ id: String(index), kind: 'H100' }));
    const node = { id: 'atlas', name: 'Atlas', gpus };
    const availability = [{ node, grid: { rows: rows.map((day_slots, index) => ({ gpu: gpus[index], day_slots })) } }];
    return logic.nodesOf([node], availability, WEEK)[0];
}

const spans = (bars) => bars.map((bar) => [bar.id, bar.from - WEEK, bar.to - WEEK]);

test('the days of a booking become one bar over its real hours', () => {
    assert.deepEqual(spans(logic.barsOf(days({ id: 7, from: 12, to: 56 }), WEEK)), [[7, 12, 56]]);
});

test('bookings that touch stay two bars', () => {
    const bars = logic.barsOf(days({ id: 2, from: 24, to: 48 }, { id: 1, from: 0, to: 24 }), WEEK);
    assert.deepEqual(spans(bars), [[1, 0, 24], [2, 24, 48]]);
});

test('a GPU that a booking left and came back to shows two bars', () => {
    const slots = days({ id: 3, from: 0, to: 6 });
    slots[2].bookings = days({ id: 3, from: 50, to: 60 })[2].bookings;
    assert.deepEqual(spans(logic.barsOf(slots, WEEK)), [[3, 0, 6], [3, 50, 60]]);
});

test('a bar knows that its booking reaches beyond the week', () => {
    const [both] = logic.barsOf(days({ id: 1, from: -5, to: 170 }), WEEK);
    assert.deepEqual([both.fromBefore, both.goesOn, both.from - WEEK, both.to - WEEK], [true, true, 0, 168]);
    const [exact] = logic.barsOf(days({ id: 1, from: 0, to: 168 }), WEEK);
    assert.deepEqual([exact.fromBefore, exact.goesOn], [false, false]);
});

test('neighbouring GPUs of one booking join, others do not', () => {
    const same = { id: 1, from: 10, to: 20 };
    const node = nodeOf(days(same), days(same), days({ id: 2, from: 10, to: 20 }), days(same));
    assert.deepEqual(node.gpus.map(({ bars: [bar] }) => [bar.joinsAbove, bar.joinsBelow]),
        [[false, true], [true, false], [false, false], [false, false]]);
});

test('a booking held over other hours on the next GPU does not join', () => {
    const node = nodeOf(days({ id: 1, from: 10, to: 20 }), days({ id: 1, from: 12, to: 20 }));
    assert.equal(node.gpus[0].bars[0].joinsBelow, false);
    const cut = nodeOf(days({ id: 1, from: 10, to: 20 }), days({ id: 1, from: 10, to: 30 }));
    assert.equal(cut.gpus[0].bars[0].joinsBelow, false);
});

test('a week that has not come yet has every GPU, and no bar', () => {
    const node = { id: 'atlas', name: 'Atlas', gpus: [{ id: '0', kind: 'H100' }] };
    assert.deepEqual(logic.nodesOf([node], null, WEEK)[0].gpus.map((gpu) => [gpu.id, gpu.bars]), [['0', []]]);
});

test('names that objects are born with are names like any other', () => {
    const node = { id: '__proto__', name: '__proto__', gpus: [{ id: 'constructor', kind: 'toString' }] };
    const rows = [{ gpu: node.gpus[0], day_slots: days({ id: 1, from: 1, to: 2 }) }];
    const [shown] = logic.nodesOf([node], [{ node, grid: { rows } }], WEEK);
    assert.equal(shown.gpus[0].bars.length, 1);
    assert.deepEqual(shown.kinds, [{ kind: 'toString', count: 1 }]);
});

test('a GPU is free in a window that a booking only touches', () => {
    const { gpus } = nodeOf(days({ id: 1, from: 10, to: 20 }), days());
    assert.equal(logic.countFree(gpus, { start: WEEK + 20, end: WEEK + 30 }), 2);
    assert.equal(logic.countFree(gpus, { start: WEEK + 0, end: WEEK + 10 }), 2);
    assert.equal(logic.countFree(gpus, { start: WEEK + 19, end: WEEK + 30 }), 1);
});

test('free now counts the current hour, and says nothing about other weeks', () => {
    const node = nodeOf(days({ id: 1, from: 10, to: 20 }), days());
    assert.equal(logic.freeNow(node, WEEK + 10.5, WEEK), '1 free now');
    assert.equal(logic.freeNow(node, WEEK + 20, WEEK), '2 free now');
    assert.equal(logic.freeNow(nodeOf(days({ id: 1, from: 10, to: 20 })), WEEK + 19.9, WEEK), 'full now');
    assert.equal(logic.freeNow(node, WEEK - 1, WEEK), '');
    assert.equal(logic.freeNow(node, WEEK + 168, WEEK), '');
});

test('a bar is named by who, priority and hours', () => {
    const name = (booking) => logic.barName(logic.barsOf(days({ id: 1, priority: 'high', ...booking }), WEEK)[0], WEEK);
    assert.equal(name({ from: 12, to: 56 }), 'AB, high, Mon 12:00 to Wed 08:00 UTC');
    assert.equal(name({ from: 144, to: 168 }), 'AB, high, Sun 00:00 to Sun 24:00 UTC');
    assert.equal(name({ from: -12, to: 180 }), 'AB, high, Sun 22 Nov 12:00 to Mon 30 Nov 12:00 UTC');
});

test('a booking\'s state says what is to come, what is left, what is over', () => {
    const [bar] = logic.barsOf(days({ id: 1, from: 24, to: 76 }), WEEK);
    assert.equal(logic.stateOf(bar, WEEK + 21.5), 'Starts in 3 h, for 2 d 4 h');
    assert.equal(logic.stateOf(bar, WEEK + 24), 'Running, 2 d 4 h left of 2 d 4 h');
    assert.equal(logic.stateOf(bar, WEEK + 76), 'Over, was 2 d 4 h');
});

test('what GPU ids share is cut at a separator, and never all of an id', () => {
    assert.equal(logic.commonPrefix(['node-a-gpu0', 'node-a-gpu1']), 'node-a-');
    assert.equal(logic.commonPrefix(['gpu0', 'gpu1']), '');
    assert.equal(logic.commonPrefix(['a-', 'a-1']), '');
    assert.equal(logic.commonPrefix(['a-0']), '');
    assert.equal(logic.commonPrefix(['x-🦙', 'x-🦊']), 'x-');
});

test('the command books a GPU of a node that has one free', () => {
    const full = nodeOf(days({ id: 1, from: 0, to: 24 }));
    const free = { ...nodeOf(days()), id: 'borea' };
    const command = logic.bookCommand([full, free], 'http://127.0.0.1:8080/api/book', WEEK + 9.9);
    assert.equal(command, 'curl -d \'{"node_id":"borea","gpu_count":1,"start":"2026-11-23T09:00:00Z",'
        + '"end":"2026-11-23T11:00:00Z","user_label":"AB","priority":"medium"}\' \'http://127.0.0.1:8080/api/book\'');
});

test('a node without GPUs gives no command', () => {
    assert.equal(logic.bookCommand([{ id: 'x', name: 'x', kinds: [], gpus: [] }], 'http://h/', WEEK), '');
});

test('a node\'s name cannot leave the command\'s quotes', () => {
    const { execFileSync } = require('node:child_process');
    for (const id of ['\'; echo gone; \'', '$(echo gone)`echo gone`', '"\\" \\\' end', '-n', '🦙 ومن']) {
        const said = execFileSync('/bin/sh', ['-c', `printf %s ${logic.shellQuote(id)}`], { encoding: 'utf8' });
        assert.equal(said, id);
    }
});

test('up and down go to the bar that overlaps, else to the nearest', () => {
    const bars = logic.barsOf(days({ id: 1, from: 0, to: 10 }, { id: 2, from: 30, to: 40 }, { id: 3, from: 90, to: 99 }), WEEK);
    const nearest = (from, to) => logic.nearestBar(bars, { from: WEEK + from, to: WEEK + to }).id;
    assert.equal(nearest(35, 80), 2);
    assert.equal(nearest(70, 80), 3);
    assert.equal(nearest(12, 14), 1);
});

test('a week starts on Monday at midnight UTC', () => {
    assert.equal(time.mondayOf(WEEK), WEEK);
    assert.equal(time.mondayOf(WEEK + 167.99), WEEK);
    assert.equal(time.mondayOf(WEEK - 1), WEEK - 168);
    assert.equal(time.dateOf(time.mondayOf(0)), '1969-12-29');
    assert.equal(time.stampOf(WEEK), '2026-11-23T00:00:00Z');
});

test('an address with a day that does not exist is not believed', () => {
    assert.equal(time.parseDate('2026-11-25'), WEEK + 48);
    assert.equal(time.parseDate('2040-02-29'), Date.UTC(2040, 1, 29) / 3600000);
    for (const text of ['2026-02-29', '2026-13-01', '2026-1-1', '2026-11-25T00', '0000-01-01', '9999-12-31', '', ' ', null, '<b>']) {
        assert.equal(time.parseDate(text), null, String(text));
    }
});

test('a range says month and year once where it can', () => {
    const range = (text) => Object.values(time.rangeOf(time.mondayOf(time.parseDate(text)))).join(' ');
    assert.equal(range('2026-11-25'), '23 – 29 Nov 2026');
    assert.equal(range('2026-10-01'), '28 Sep – 4 Oct 2026');
    assert.equal(range('2027-01-01'), '28 Dec 2026 – 3 Jan 2027');
});

test('weeks are numbered as ISO 8601 does', () => {
    const number = (text) => time.weekNumber(time.mondayOf(time.parseDate(text)));
    assert.deepEqual(['2026-11-23', '2026-12-31', '2027-01-04', '2024-12-30', '2040-01-01'].map(number), [48, 53, 1, 1, 52]);
});

test('an end at midnight is 24:00 of the day before', () => {
    assert.equal(time.momentOf(WEEK + 24, WEEK, true), 'Mon 24:00');
    assert.equal(time.momentOf(WEEK + 24, WEEK), 'Tue 00:00');
    assert.equal(time.momentOf(WEEK, WEEK, true), 'Sun 22 Nov 24:00');
    assert.equal(time.momentOf(WEEK + 168, WEEK), 'Mon 30 Nov 00:00');
    assert.equal(time.momentOf(WEEK + 60 * 24, WEEK), 'Fri 22 Jan 2027 00:00');
});

test('lengths are said in hours, and from two days on in days', () => {
    assert.deepEqual([0.2, 47, 48, 52.5].map(time.lengthOf), ['1 h', '47 h', '2 d', '2 d 5 h']);
});
