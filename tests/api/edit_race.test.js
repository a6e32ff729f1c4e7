'use strict';
/*
 * Eight processes released together move bookings into one another's windows: nothing overlaps afterwards, no booking is
 * lost or half moved, and whoever is refused is told so.
 */
const assert = require('node:assert/strict');
const {availability, book, bookingOf, runRace} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const RACERS = 8;
const MOVES = 60;
const gpus = ['g0', 'g1', 'g2', 'g3'].map((id) => ({id}));
const it = suite({config: {nodes: [{id: 'n', gpus}]}});

const START = Date.UTC(2091, 0, 6) / 3_600_000;
const at = (hour) => new Date((START + hour) * 3_600_000).toISOString();
const hourOf = (text) => Date.parse(text) / 3_600_000 - START;

/* The same race each time: a linear congruential generator (Numerical Recipes). */
function randomness(seed) {
    let state = seed >>> 0;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 2 ** 32 * below);
    };
}

/* All bookings of the range, and what the hour grid says each GPU holds: {gpu: {hour: booking id}}. */
async function picture(server, from, to) {
    const list = await request(server, 'GET', `/api/bookings?${new URLSearchParams({start: at(from), end: at(to), limit: 1000})}`);
    const grid = await availability(server, {node_id: 'n', start: at(from), end: at(to)});
    const held = {};
    for (const row of grid.grid.rows) {
        held[row.gpu.id] = {};
        for (const slot of row.hour_slots) if (slot.booking) held[row.gpu.id][hourOf(slot.start)] = slot.booking.id;
    }
    return {bookings: list.json.bookings, held};
}

/* Each booking holds all of its GPUs in each of its hours, and nobody holds anything else: so nothing overlaps either. */
function assertWhole({bookings, held}) {
    const planned = Object.fromEntries(gpus.map(({id}) => [id, {}]));
    for (const booking of bookings) {
        for (const gpu of booking.gpu_ids) {
            for (let hour = hourOf(booking.start); hour < hourOf(booking.end); hour++) {
                assert.equal(planned[gpu][hour], undefined, `bookings ${planned[gpu][hour]} and ${booking.id} overlap on ${gpu} at hour ${hour}`);
                planned[gpu][hour] = booking.id;
            }
        }
    }
    assert.deepEqual(held, planned);
}

it('bookings of one GPU moved at random into a range that is half full', async (server) => {
    const SPAN = 64;
    const made = [];
    for (let index = 0; index < RACERS * 2; index++)
        made.push((await book(server, {node_id: 'n', start: at(4 * index), end: at(4 * index + 2), user_label: `b${index}`, gpu_ids: ['g0']})).booking_id);
    const results = await runRace(server, Array.from({length: RACERS}, (_, racer) => {
        const random = randomness(racer + 1);
        return Array.from({length: MOVES}, () => {
            const start = random(SPAN - 4);
            const length = 1 + random(4);
            return ['PATCH', `/api/bookings/${made[random(made.length)]}`, {start: at(start), end: at(start + length), note: `racer ${racer}`}];
        });
    }));
    const answers = results.flat();
    for (const answer of answers) assert.ok(answer.status === 200 || answer.status === 409, JSON.stringify(answer));
    assert.ok(answers.some((answer) => answer.status === 200), 'nobody moved');
    assert.ok(answers.some((answer) => answer.status === 409), 'nobody was refused: that was no race');
    for (const answer of answers.filter(({status}) => status === 409)) assert.ok(made.includes(answer.conflict), JSON.stringify(answer));

    const after = await picture(server, 0, SPAN);
    assert.deepEqual(after.bookings.map((booking) => booking.id), made);
    assertWhole(after);
    /* Each success is one version, none twice: nobody wrote over what another had just written without seeing it. */
    for (const [index, id] of made.entries()) {
        const versions = answers.filter((answer) => answer.status === 200 && answer.id === id).map((answer) => answer.version);
        const full = after.bookings[index];
        assert.equal(full.version, Math.max(1, ...versions));
        assert.deepEqual([...new Set(versions.filter((version) => version > 1))].sort((a, b) => a - b),
            Array.from({length: full.version - 1}, (_, step) => step + 2));
    }
});

it('all want the same free windows: each has one winner, the others stay where they are', async (server) => {
    const ROUNDS = 20;
    const base = (round) => 1000 + 20 * round;
    const made = []; /* by round and racer */
    for (let round = 0; round < ROUNDS; round++) {
        made.push([]);
        for (let racer = 0; racer < RACERS; racer++) {
            const start = base(round) + 10 + racer;
            made[round].push((await book(server, {node_id: 'n', start: at(start), end: at(start + 1), user_label: `b${racer}`, gpu_ids: ['g1']})).booking_id);
        }
    }
    const results = await runRace(server, Array.from({length: RACERS}, (_, racer) => made.map((ids, round) => (
        ['PATCH', `/api/bookings/${ids[racer]}`, {start: at(base(round)), end: at(base(round) + 3)}]
    ))));
    for (const [round, ids] of made.entries()) {
        const statuses = results.map((answers) => answers[round].status);
        assert.deepEqual([...statuses].sort(), [200, ...Array(RACERS - 1).fill(409)], `round ${round}`);
        const winner = ids[statuses.indexOf(200)];
        for (const answers of results) if (answers[round].status === 409) assert.equal(answers[round].conflict, winner);
        for (const [racer, id] of ids.entries()) {
            const {start, version} = await bookingOf(server, id);
            assert.deepEqual([hourOf(start), version], id === winner ? [base(round), 2] : [base(round) + 10 + racer, 1]);
        }
    }
    assertWhole(await picture(server, base(0), base(ROUNDS)));
});

it('changes, new bookings and cancellations at once, on all GPUs', async (server) => {
    const FROM = 3000;
    const SPAN = 48;
    const made = [];
    for (let index = 0; index < 12; index++) {
        made.push((await book(server, {
            node_id: 'n', start: at(FROM + 4 * index), end: at(FROM + 4 * index + 3), user_label: `b${index}`, gpu_count: 2,
        })).booking_id);
    }
    const results = await runRace(server, Array.from({length: RACERS}, (_, racer) => {
        const random = randomness(racer + 100);
        return Array.from({length: MOVES}, (__, step) => {
            const start = FROM + random(SPAN - 6);
            const window = {start: at(start), end: at(start + 1 + random(6))};
            const id = made[random(made.length)];
            if (step % 10 === 9) return ['POST', '/api/book', {node_id: 'n', ...window, user_label: `new ${racer}`, gpu_count: 1 + random(4)}];
            if (step % 20 === 18 && racer < 3) return ['DELETE', `/api/bookings/${id}`];
            return ['PATCH', `/api/bookings/${id}`, random(2) ? window : {...window, gpu_count: 1 + random(4)}];
        });
    }));
    const seen = new Set(results.flat().map((answer) => answer.status));
    for (const status of seen) assert.ok([200, 201, 404, 409].includes(status), `status ${status}`);
    for (const status of [200, 409]) assert.ok(seen.has(status), `no ${status} at all`);
    const after = await picture(server, FROM, FROM + SPAN);
    const active = after.bookings.filter((booking) => booking.status === 'active');
    assertWhole({bookings: active, held: after.held});
    const known = [...made, ...results.flat().filter((answer) => answer.status === 201).map((answer) => answer.id)];
    assert.deepEqual(after.bookings.map((booking) => booking.id), known.sort((a, b) => a - b));
});

it('of eight changes to one version one wins, and the others get 412', async (server) => {
    const VERSIONS = 20;
    const {booking_id: id} = await book(server, {node_id: 'n', start: at(5000), end: at(5001), user_label: 'ada', gpu_count: 1});
    const results = await runRace(server, Array.from({length: RACERS}, (_, racer) => Array.from({length: VERSIONS}, (__, index) => (
        ['PATCH', `/api/bookings/${id}`, {note: `racer ${racer} at ${index + 1}`, version: index + 1}]
    ))));
    let winner = -1;
    for (let index = 0; index < VERSIONS; index++) {
        const statuses = results.map((answers) => answers[index].status);
        assert.deepEqual([...statuses].sort(), [200, ...Array(RACERS - 1).fill(412)], `version ${index + 1}`);
        winner = statuses.indexOf(200);
        assert.equal(results[winner][index].version, index + 2);
    }
    const full = await bookingOf(server, id);
    assert.deepEqual([full.note, full.version], [`racer ${winner} at ${VERSIONS}`, VERSIONS + 1]);
});
