'use strict';
/* What several test files say in the same words. */
const assert = require('node:assert/strict');
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

module.exports = {assertHas, assertRefused, availability, book, cancel, hoursOf, markDone, reload, tryToBook};
