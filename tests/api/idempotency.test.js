'use strict';
/* Idempotency-Key on POST /api/book: a client that heard no answer may ask again. */
const assert = require('node:assert/strict');
const {assertRefused, availability, book, cancel, tryToBook} = require('./fixtures.js');
const {suite} = require('./harness.js');

const it = suite();
const body = (day, more = {}) => ({
    node_id: 'alpha', start: `2031-01-${day}T10:00`, end: `2031-01-${day}T12:00`, user_label: 'ada', gpu_count: 1, ...more,
});
const withKey = (server, key, sent, headers = {}) => tryToBook(server, sent, {'Idempotency-Key': key, ...headers});
const bookingsOf = async (server, day) => {
    const grid = await availability(server, {node_id: 'alpha', start: `2031-01-${day}T10:00`, end: `2031-01-${day}T11:00`});
    return grid.hours[0].bookings;
};

it('the same key and body give the first answer again, and one booking', async (server) => {
    const first = await withKey(server, 'same', body('01'));
    assert.equal(first.status, 201);
    for (let i = 0; i < 8; i++) {
        const again = await withKey(server, 'same', body('01'));
        assert.equal(again.status, 201);
        assert.deepEqual(again.json, first.json);
    }
    assert.equal((await bookingsOf(server, '01')).length, 1);
});

it('without a key the same body books twice', async (server) => {
    const [first, second] = [await book(server, body('02')), await book(server, body('02'))];
    assert.notEqual(first.booking_id, second.booking_id);
    assert.equal((await bookingsOf(server, '02')).length, 2);
});

it('the same key with another body is a 422 and books nothing', async (server) => {
    assert.equal((await withKey(server, 'other', body('03'))).status, 201);
    assertRefused(await withKey(server, 'other', body('03', {user_label: 'bob'})), 422);
    assertRefused(await withKey(server, 'other', body('04')), 422);
    assertRefused(await withKey(server, 'other', `${JSON.stringify(body('03'))} `), 422);
    assert.equal((await withKey(server, 'longer', `${JSON.stringify(body('03', {user_label: 'eve'}))} `)).status, 201);
    assertRefused(await withKey(server, 'longer', body('03', {user_label: 'eve'})), 422);
    assert.equal((await bookingsOf(server, '03')).length, 2);
    assert.equal((await bookingsOf(server, '04')).length, 0);
});

it('the first answer comes again even when the booking has ended since', async (server) => {
    const first = await withKey(server, 'ended', body('05'));
    await cancel(server, first.json.booking_id);
    const again = await withKey(server, 'ended', body('05'));
    assert.equal(again.status, 201);
    assert.deepEqual(again.json, first.json);
    assert.deepEqual((await bookingsOf(server, '05')).map(({status}) => status), ['cancelled']);
});

it('a refusal is not remembered', async (server) => {
    const all = await book(server, body('06', {gpu_count: 3}));
    assertRefused(await withKey(server, 'refused', body('06')), 409);
    assertRefused(await withKey(server, 'refused', body('06', {user_label: ''})), 400);
    await cancel(server, all.booking_id);
    assert.equal((await withKey(server, 'refused', body('06'))).status, 201);
});

it('a dry run is not remembered', async (server) => {
    assert.equal((await withKey(server, 'dry', body('07', {dry_run: true}))).status, 200);
    assert.equal((await withKey(server, 'dry', body('07'))).status, 201);
});

it('a key of 128 characters is fine, one of 129 is not', async (server) => {
    assert.equal((await withKey(server, 'k'.repeat(128), body('08'))).status, 201);
    assert.equal((await withKey(server, 'k'.repeat(128), body('08'))).status, 201);
    assertRefused(await withKey(server, 'k'.repeat(129), body('08')), 400, /Idempotency-Key/);
    assert.equal((await bookingsOf(server, '08')).length, 1);
});

it('a key with characters that are not visible is refused', async (server) => {
    for (const key of ['two words', 'tab\there', 'caf\u00e9']) assertRefused(await withKey(server, key, body('09')), 400, /Idempotency-Key/);
    assert.equal((await bookingsOf(server, '09')).length, 0);
});

it('visible characters of every kind are fine, and keys differ by case', async (server) => {
    assert.equal((await withKey(server, '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', body('10'))).status, 201);
    const [lower, upper] = [await withKey(server, 'case', body('10')), await withKey(server, 'CASE', body('10'))];
    assert.notEqual(lower.json.booking_id, upper.json.booking_id);
});

it('a key belongs to who sent it', async (server) => {
    const ada = await withKey(server, 'shared', body('11'), {'Procplan-User': 'ada'});
    const bob = await withKey(server, 'shared', body('11', {user_label: 'bob'}), {'Procplan-User': 'bob'});
    assert.equal(ada.status, 201);
    assert.equal(bob.status, 201, bob.text);
    assert.notEqual(ada.json.booking_id, bob.json.booking_id);
    assertRefused(await withKey(server, 'shared', body('11', {user_label: 'bob'}), {'Procplan-User': 'ada'}), 422);
});

it('eight retries at once make one booking, and all hear of it', async (server) => {
    for (let round = 0; round < 5; round++) {
        const sent = body(String(12 + round));
        const answers = await Promise.all(Array.from({length: 8}, () => withKey(server, `race-${round}`, sent)));
        assert.deepEqual(answers.map((answer) => answer.status), Array(8).fill(201));
        assert.equal(new Set(answers.map((answer) => answer.json.booking_id)).size, 1);
        assert.equal((await bookingsOf(server, String(12 + round))).length, 1);
    }
});
