'use strict';
/* What several test files say in the same words. */
const assert = require('node:assert/strict');
const {fork} = require('node:child_process');
const path = require('node:path');
const {checkAnswer} = require('./contract.js');
const {request} = require('./harness.js');

/* Asserts a refusal: its status, its sentence (text: exactly; pattern: somewhere) and the documented form. */
function assertRefused(answer, status, sentence) {
    const said = `${answer.status} ${answer.text.slice(0, 300)}`;
    assert.equal(answer.status, status, said);
    assert.ok(answer.json, `not JSON: ${said}`);
    assert.equal(answer.json.status, status, said);
    assert.equal(typeof answer.json.error, 'string', said);
    assert.notEqual(answer.json.error, '', said);
    assert.match(answer.headers['content-type'], /^application\/json\b/);
    if (sentence instanceof RegExp) assert.match(answer.json.error, sentence);
    else if (sentence !== undefined) assert.equal(answer.json.error, sentence);
}

const tryToBook = (server, body, headers) => request(server, 'POST', '/api/book', {body, headers});

/* Books and gives the answer's JSON; fails when it is refused. */
async function book(server, body, headers) {
    const answer = await tryToBook(server, body, headers);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
}

async function availability(server, query) {
    const answer = await request(server, 'GET', `/api/availability?${new URLSearchParams(query)}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

/* The status of each slot of one GPU, hour by hour: "free" as '.', "booked" as '#'. */
async function hoursOf(server, nodeId, gpuId, start, end) {
    const grid = await availability(server, {node_id: nodeId, start, end});
    const row = grid.grid.rows.find((candidate) => candidate.gpu.id === gpuId);
    assert.ok(row, `no row for ${gpuId}`);
    return row.hour_slots.map((slot) => ({free: '.', booked: '#'})[slot.status] ?? '?').join('');
}

/* F: one booking in full. */
async function bookingOf(server, id) {
    const answer = await request(server, 'GET', `/api/bookings/${id}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

const tryToEdit = (server, id, body, headers) => request(server, 'PATCH', `/api/bookings/${id}`, {body, headers});

/* Changes a booking and gives F; fails when it is refused. */
async function edit(server, id, body, headers) {
    const answer = await tryToEdit(server, id, body, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

/*
 * Everything that an edit could spoil, as text: the booking in full, and what is held on its node from START to END.
 * A refused edit leaves it as it was.
 */
async function stateOf(server, id, start, end) {
    const full = await bookingOf(server, id);
    const grid = await availability(server, {node_id: full.node_id, start, end});
    return JSON.stringify([full, grid], null, 1);
}

const markDone = (server, bookingId) => request(server, 'POST', '/api/mark_done', {body: {booking_id: bookingId}});
const cancel = (server, bookingId) => request(server, 'DELETE', `/api/bookings/${bookingId}`);
const reload = (server) => request(server, 'POST', '/api/reload_config');

/* The members of OBJECT named in EXPECTED are deeply equal to it; more members are fine. */
function assertHas(object, expected) {
    for (const [name, value] of Object.entries(expected)) {
        assert.ok(Object.hasOwn(object, name), `"${name}" is missing in ${JSON.stringify(object).slice(0, 300)}`);
        assert.deepEqual(object[name], value, `"${name}"`);
    }
}

/*
 * A race: one process for each item of RACERS, which is the list of its calls ([method, path, body]). All are released
 * together; gives the answers of each.
 */
async function runRace(server, racers) {
    const processes = racers.map(() => fork(path.join(__dirname, 'racer.js')));
    try {
        const message = (racer) => new Promise((resolve, reject) => {
            racer.once('message', resolve);
            racer.once('error', reject);
            racer.once('exit', (code) => reject(new Error(`a racer ended with ${code}`)));
        });
        await Promise.all(processes.map((racer, index) => {
            const ready = message(racer);
            racer.send({port: server.port, calls: racers[index]});
            return ready;
        }));
        const answers = processes.map(message);
        for (const racer of processes) racer.send('go');
        const results = await Promise.all(answers);
        for (const [racer, calls] of racers.entries()) {
            for (const [index, [method, target]] of calls.entries()) {
                const answer = results[racer][index];
                checkAnswer(method, target, {...answer, json: JSON.parse(answer.text), bytes: Buffer.from(answer.text)});
            }
        }
        return results;
    } finally {
        for (const racer of processes) racer.kill();
    }
}

module.exports = {
    assertHas, assertRefused, availability, book, bookingOf, cancel, edit, hoursOf, markDone, reload, runRace, stateOf, tryToBook,
    tryToEdit,
};
