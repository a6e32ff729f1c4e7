'use strict';
/*
 * Random writes against the real server, watched by clients that ask for everything once and from then on only for what
 * changed. After every step each of them must have what a whole answer says; and what is held by active bookings must be what
 * the grids of /api/availability show. The seed is printed; PROCPLAN_SEED repeats a run.
 */
const assert = require('node:assert/strict');
const {currentHour, hourOf, iso} = require('./clock.js');
const {availability} = require('./fixtures.js');
const {CONFIG, request, suite} = require('./harness.js');
const {Picture} = require('./timeline_picture.js');

const STEPS = 400;
const REACH = 60; /* hours before and after the present one that are booked */
const NODES = CONFIG.nodes.filter((node) => node.gpus).map((node) => ({id: String(node.id), gpus: node.gpus.map((gpu) => String(gpu.id))}));
const seed = Number(process.env.PROCPLAN_SEED || Date.now() % 2 ** 31);

/* mulberry32: a run must be the same everywhere for the same seed. */
let state = seed;
function below(n) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
}
const oneOf = (list) => list[below(list.length)];
const some = (list) => list.filter(() => below(2));

function randomWindow(now) {
    const start = now - REACH + below(2 * REACH);
    return {start: iso(start), end: iso(start + 1 + below(below(3) ? 12 : 48))};
}

function randomGpus(node) {
    const named = some(node.gpus);
    return named.length > 0 && below(2) ? {gpu_ids: named} : {gpu_count: 1 + below(node.gpus.length)};
}

const priority = () => oneOf(['low', 'medium', 'high']);
const note = () => oneOf([null, 'sweep', 'née '.repeat(30)]);

function randomEdit(now, nodeId) {
    const window = randomWindow(now);
    const node = NODES.find((candidate) => candidate.id === nodeId) ?? NODES[0];
    return Object.assign({}, ...some([
        {start: window.start}, {end: window.end}, randomGpus(node), {user_label: oneOf(['ada', 'bob', 'née'])}, {priority: priority()},
        {note: note()},
    ]));
}

/* One write of any kind; refusals are as welcome. Gives what was answered. */
async function step(server, now, made) {
    const kind = below(10);
    const old = made.length > 0 ? oneOf(made) : {id: 1, node: NODES[0].id};
    if (kind < 4) {
        const node = oneOf(NODES);
        const repeat = below(8) ? {} : {repeat: {every: 'day', count: 1 + below(4)}, on_conflict: oneOf(['fail', 'skip'])};
        const answer = await request(server, 'POST', '/api/book', {
            body: {node_id: node.id, ...randomWindow(now), ...randomGpus(node), user_label: oneOf(['ada', 'bob']), priority: priority(), note: note(), ...repeat},
        });
        if (answer.status === 201)
            for (const booking of answer.json.bookings ?? [answer.json])
                made.push({id: booking.booking_id ?? booking.id, node: node.id});
        return answer;
    }
    if (kind < 7) return request(server, 'PATCH', `/api/bookings/${old.id}`, {body: randomEdit(now, old.node)});
    if (kind < 8) return request(server, 'POST', '/api/mark_done', {body: {booking_id: old.id}});
    return request(server, 'DELETE', `/api/bookings/${old.id}`);
}

async function timeline(server, query) {
    const answer = await request(server, 'GET', `/api/timeline?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

/* What active bookings hold on one node, hour by hour and GPU by GPU, by the grid and by the timeline. */
async function compareWithGrid(server, picture, node, first) {
    const {grid} = await availability(server, {node_id: node.id, start: picture.start, end: picture.end});
    const shown = grid.rows.map((row) => row.hour_slots.map((slot) => slot.booking?.id ?? 0));
    const origin = hourOf(picture.start);
    const drawn = shown.map((slots) => slots.map(() => 0));
    for (const hold of picture.held) {
        if (hold.gpu < first || hold.gpu >= first + node.gpus.length || picture.bookings.get(hold.id).status !== 0) continue;
        for (let hour = hold.start; hour < hold.end; hour++) drawn[hold.gpu - first][hour - origin] = hold.id;
    }
    assert.deepEqual(drawn, shown, node.id);
}

const it = suite();

it(`whoever takes in the changes sees what a whole answer says, whatever is written (PROCPLAN_SEED=${seed})`, async (server) => {
    const now = currentHour();
    const between = (start, end) => `start=${encodeURIComponent(iso(now + start))}&end=${encodeURIComponent(iso(now + end))}`;
    const watchers = [
        {query: between(-REACH - 10, REACH + 120), every: 1},
        {query: `${between(-REACH - 10, REACH + 120)}&node_id=alpha`, every: 1},
        {query: between(-12, 12), every: 1},
        {query: between(-30, 0), every: 3},
        {query: `${between(0, 30)}&node_id=7&node_id=beta`, every: 7},
        {query: between(-20, 20), every: 2, roams: true},
    ];
    const made = [];
    const seen = {};
    let partial = 0;
    for (const watcher of watchers) watcher.picture = new Picture().take(await timeline(server, watcher.query));
    for (let number = 1; number <= STEPS; number++) {
        const answer = await step(server, now, made);
        assert.ok(answer.status < 500, `step ${number}: ${answer.text}`);
        seen[answer.status] = (seen[answer.status] ?? 0) + 1;
        for (const watcher of watchers) {
            const {every, roams, picture} = watcher;
            if (number % every !== 0) continue;
            let had = '';
            if (roams) { /* to other hours, of which some are known mostly */
                const first = below(2 * REACH) - REACH;
                watcher.query = between(first, first + 1 + below(60));
                had = `&since_start=${encodeURIComponent(picture.start)}&since_end=${encodeURIComponent(picture.end)}`;
            }
            const changes = await timeline(server, `${watcher.query}&since=${picture.since}${had}`);
            partial += changes.full ? 0 : 1;
            picture.take(changes);
            const whole = new Picture().take(await timeline(server, watcher.query));
            assert.deepEqual(picture.content(), whole.content(), `step ${number}, ${watcher.query}`);
        }
        if (number % 20 !== 0) continue;
        for (let index = 0, first = 0; index < NODES.length; first += NODES[index++].gpus.length)
            await compareWithGrid(server, watchers[0].picture, NODES[index], first);
    }
    assert.ok(partial > STEPS * 3, 'the answers were changes, not whole ones');
    assert.ok(seen[201] > 20 && seen[200] > 20 && seen[409] > 5, `the writes were of all kinds: ${JSON.stringify(seen)}`);
    const {bookings} = watchers[0].picture;
    assert.ok([...bookings.values()].some((booking) => booking.status !== 0), 'ended bookings with used hours were among them');
});
