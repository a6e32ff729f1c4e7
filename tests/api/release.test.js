'use strict';
/* POST /api/release: whoever has the token of a booking can end it, and do nothing else. */
const assert = require('node:assert/strict');
const {assertHas, assertRefused, book, markDone} = require('./fixtures.js');
const {request, suite} = require('./harness.js');

const it = suite({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}, {id: 'g1'}]}]}});

let day = 0;
const wish = (more = {}) => {
    const start = new Date(Date.UTC(2031, 0, 1 + day++)).toISOString();
    return {node_id: 'n', start, end: start.replace('T00', 'T06'), user_label: 'ada', gpu_ids: ['g0'], ...more};
};
const refusedAt = (answer, status, sentence, field) => {
    assertRefused(answer, status, sentence);
    assert.equal(answer.json.field, field);
};
const release = (server, body) => request(server, 'POST', '/api/release', {body});

it('the token that came with a booking ends it as completed', async (server) => {
    const {booking_id, release_token} = await book(server, wish());
    assert.match(release_token, /^[0-9a-f]{32}$/);
    const answer = await release(server, {booking_id, release_token});
    assert.equal(answer.status, 200);
    assertHas(answer.json, {booking_id, status: 'completed'});
    assertHas((await request(server, 'GET', `/api/bookings/${booking_id}`)).json, {status: 'completed'});
});

it('another token is refused with 403, and the booking stays', async (server) => {
    const one = await book(server, wish());
    const other = await book(server, wish());
    const flipped = one.release_token.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const release_token of [other.release_token, flipped, '', 'x', `${one.release_token}0`, one.release_token.toUpperCase() + ' '])
        refusedAt(await release(server, {booking_id: one.booking_id, release_token}), 403, /token/, 'release_token');
    assertHas((await request(server, 'GET', `/api/bookings/${one.booking_id}`)).json, {status: 'active'});
});

it('a missing or odd token or booking_id is a 400 that names the field', async (server) => {
    const {booking_id, release_token} = await book(server, wish());
    for (const odd of [undefined, null, 5, true, [release_token], {}])
        refusedAt(await release(server, {booking_id, release_token: odd}), 400, /release_token/, 'release_token');
    refusedAt(await release(server, {release_token}), 400, "'booking_id' is required", 'booking_id');
    refusedAt(await release(server, {booking_id: 1.5, release_token}), 400, /whole number/, 'booking_id');
});

it('a booking that has ended or never was is a 404', async (server) => {
    const {booking_id, release_token} = await book(server, wish());
    assert.equal((await markDone(server, booking_id)).status, 200);
    assertRefused(await release(server, {booking_id, release_token}), 404, `Booking '${booking_id}' is not active or does not exist`);
    assertRefused(await release(server, {booking_id: 987654, release_token}), 404, "Booking '987654' is not active or does not exist");
});

it('the token is told once: not in a booking, a list, an event, or a dry run', async (server) => {
    const {booking_id, release_token} = await book(server, wish());
    for (const target of [`/api/bookings/${booking_id}`, '/api/bookings?limit=1000', '/api/events?limit=1000', '/api/timeline',
        '/api/calendar.ics', '/api/usage?by=user']) {
        const answer = await request(server, 'GET', target);
        assert.equal(answer.status, 200, target);
        assert.ok(!answer.text.includes(release_token), target);
    }
    const tried = await request(server, 'POST', '/api/book', {body: wish({dry_run: true})});
    assert.equal(tried.status, 200);
    assert.equal(tried.json.release_token, undefined);
    assert.ok(!server.stderr.includes(release_token), 'the log');
});

it('a repeat by Idempotency-Key tells the same token again', async (server) => {
    const body = wish();
    const headers = {'Idempotency-Key': 'release-1'};
    const first = await request(server, 'POST', '/api/book', {body, headers});
    const again = await request(server, 'POST', '/api/book', {body, headers});
    assert.equal(first.status, 201);
    assert.equal(again.json.release_token, first.json.release_token);
});

it('each booking of a series has a token of its own', async (server) => {
    const answer = await request(server, 'POST', '/api/book', {body: wish({gpu_ids: ['g1'], repeat: {every: 'week', count: 3}})});
    assert.equal(answer.status, 201);
    const tokens = answer.json.bookings.map((booking) => booking.release_token);
    assert.equal(new Set(tokens).size, 3);
    assert.equal(answer.json.release_token, tokens[0]);
    const second = answer.json.bookings[1];
    assert.equal((await release(server, {booking_id: second.booking_id, release_token: tokens[1]})).status, 200);
    assertRefused(await release(server, {booking_id: answer.json.bookings[2].booking_id, release_token: tokens[1]}), 403, /token/);
});

it('a page of another site cannot use it, and GET is not allowed', async (server) => {
    const {booking_id, release_token} = await book(server, wish());
    const answer = await request(server, 'POST', '/api/release', {body: {booking_id, release_token}, headers: {'Sec-Fetch-Site': 'cross-site'}});
    assert.equal(answer.status, 403);
    assert.equal((await request(server, 'GET', '/api/release')).headers.allow, 'POST');
});
