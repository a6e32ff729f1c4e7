'use strict';
/* What the browser's test files say in the same words. */
const assert = require('node:assert/strict');
const fixtures = require('../api/fixtures.js');
const {iso} = require('../api/clock.js');
const {request} = require('../api/harness.js');
const {TODAY} = require('./harness.js');

/* An hour, counted from 1970: DAYS after today 00:00 UTC. */
const day = (days, hour = 0) => TODAY + days * 24 + hour;

/* Books by the API as somebody else would, [GPUs as "node/gpu"] from START until END; gives the answer. */
function give(server, gpus, start, end, who = 'KM', more = {}) {
    const ids = [gpus].flat().map((gpu) => gpu.split('/'));
    return fixtures.book(server, {
        node_id: ids[0][0], gpu_ids: ids.map(([, id]) => id), start: iso(start), end: iso(end), user_label: who, ...more,
    });
}

/* All bookings, as the API tells them, with hours as numbers. */
async function bookings(server, query = '') {
    const answer = await request(server, 'GET', `/api/bookings?limit=1000${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json.bookings.map((one) => ({...one, start: Date.parse(one.start) / 3_600_000, end: Date.parse(one.end) / 3_600_000}));
}

/* What a booking is about: who has which GPUs when, and how it stands. */
const gist = ({node_id, gpu_ids, start, end, user_label, priority, status}) =>
    ({gpus: gpu_ids.map((id) => `${node_id}/${id}`), start, end, who: user_label, priority, status});
const gists = async (server) => (await bookings(server)).map(gist);

/* Some of everything: mine and others', adjoining GPUs and separate ones, each priority, begun and to come. */
async function busy(server) {
    await give(server, ['alpha/g0', 'alpha/g1'], day(-1), day(2, 6), 'AB', {note: 'llama', priority: 'high'});
    await give(server, 'alpha/g2', day(1), day(4), 'KM', {priority: 'low'});
    await give(server, ['beta/g1', 'beta/g3'], day(0, 12), day(6), 'LN');
    await give(server, 'gamma/g0', day(2), day(3), 'AB');
}

module.exports = {bookings, busy, day, gist, gists, give};
