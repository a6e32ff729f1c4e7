'use strict';
/* Eight processes released together fight for the same sixty slots: nobody is double-booked, every loser is told. */
const assert = require('node:assert/strict');
const {availability, runRace} = require('./fixtures.js');
const {suite} = require('./harness.js');

const RACERS = 8;
const SLOTS = 60;
const gpus = ['g0', 'g1', 'g2', 'g3'].map((id) => ({id}));
const it = suite({config: {nodes: [{id: 'n', gpus}]}});

/* Runs the race over BODIES; gives the answers of each racer. */
const race = (server, bodies) => runRace(server, Array.from({length: RACERS}, (_, index) => (
    bodies.map((body) => ['POST', '/api/book', {...body, user_label: `racer ${index}`}])
)));

const start = Date.UTC(2031, 0, 6) / 3_600_000;
const at = (hour) => new Date((start + hour) * 3_600_000).toISOString();

function assertOneWinnerEach(results) {
    let winners = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
        const statuses = results.map((answers) => answers[slot].status).sort();
        assert.deepEqual(statuses, [201, ...Array(RACERS - 1).fill(409)], `slot ${slot}`);
        const winner = results.find((answers) => answers[slot].status === 201)[slot].id;
        for (const answers of results)
            if (answers[slot].status === 409) assert.equal(answers[slot].conflict, winner, `slot ${slot}`);
        winners++;
    }
    assert.equal(winners, SLOTS);
}

it('sixty slots of one GPU by name: each has one winner, every loser gets 409', async (server) => {
    const bodies = Array.from({length: SLOTS}, (_, slot) => ({
        node_id: 'n', start: at(slot), end: at(slot + 1), gpu_ids: ['g0'],
    }));
    const results = await race(server, bodies);
    assertOneWinnerEach(results);
    const grid = await availability(server, {node_id: 'n', start: at(0), end: at(SLOTS)});
    for (const [slot, hour] of grid.hours.entries()) {
        const winner = results.find((answers) => answers[slot].status === 201)[slot];
        assert.deepEqual(hour.bookings.map(({id}) => id), [winner.id], `hour ${slot}`);
        assert.deepEqual(hour.used_gpu_ids, ['g0']);
    }
});

it('four GPUs by count: each hour has four winners on four GPUs, the others get 409', async (server) => {
    const bodies = Array.from({length: SLOTS}, (_, slot) => ({
        node_id: 'n', start: at(100 + slot), end: at(101 + slot), gpu_count: 1,
    }));
    const results = await race(server, bodies);
    for (let slot = 0; slot < SLOTS; slot++) {
        const statuses = results.map((answers) => answers[slot].status).sort();
        assert.deepEqual(statuses, [201, 201, 201, 201, 409, 409, 409, 409], `slot ${slot}`);
    }
    const grid = await availability(server, {node_id: 'n', start: at(100), end: at(100 + SLOTS)});
    for (const hour of grid.hours) {
        assert.equal(hour.bookings.length, 4);
        assert.deepEqual(hour.bookings.flatMap((booking) => booking.gpu_ids).sort(), ['g0', 'g1', 'g2', 'g3']);
    }
});

it('windows that overlap by an hour: what is booked does not overlap', async (server) => {
    /* Slot s is [2s, 2s+3): it meets its neighbours in one hour. Losers stand between winners. */
    const bodies = Array.from({length: SLOTS}, (_, slot) => ({
        node_id: 'n', start: at(200 + 2 * slot), end: at(203 + 2 * slot), gpu_ids: ['g1', 'g2'],
    }));
    const results = await race(server, bodies);
    const statuses = new Set(results.flat().map((answer) => answer.status));
    assert.deepEqual([...statuses].sort(), [201, 409]);
    const won = bodies.map((_, slot) => results.filter((answers) => answers[slot].status === 201).length);
    for (let slot = 0; slot < SLOTS; slot++) {
        assert.ok(won[slot] <= 1, `slot ${slot} was won ${won[slot]} times`);
        assert.ok(won[slot] + (won[slot + 1] ?? 0) <= 1, `slots ${slot} and ${slot + 1} overlap`);
        assert.ok((won[slot - 1] ?? 0) + won[slot] + (won[slot + 1] ?? 0) >= 1, `slot ${slot} was free and yet refused`);
    }
    const grid = await availability(server, {node_id: 'n', start: at(200), end: at(200 + 2 * SLOTS + 1)});
    for (const hour of grid.hours) assert.ok(hour.bookings.length <= 1);
});
