'use strict';
/* GET /api/calendar.ics: bookings in people's calendars. */
const assert = require('node:assert/strict');
const {currentHour, hourOf, iso, steadyHour} = require('./clock.js');
const {assertRefused, book, cancel, markDone} = require('./fixtures.js');
const {request, suite} = require('./harness.js');
const {hourOfTime, parseCalendar, textOf} = require('./ical.js');

const it = suite();

const get = (server, query = {}, headers) =>
    request(server, 'GET', `/api/calendar.ics?${new URLSearchParams(query)}`, {headers});
async function calendar(server, query) {
    const answer = await get(server, query);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['content-type'], 'text/calendar; charset=utf-8');
    return parseCalendar(answer.bytes);
}
const eventOf = async (server, id) =>
    (await calendar(server)).events.find((event) => event.UID.startsWith(`booking-${id}@`));
const tomorrow = () => Math.floor(currentHour() / 24) * 24 + 24;

it('a booking is an event with its window, GPUs, note and priority', async (server) => {
    const start = tomorrow();
    const made = await book(server, {
        node_id: 'alpha', start: iso(start + 9), end: iso(start + 17), user_label: 'AB', gpu_ids: ['gpu0', 'gpu2'], priority: 'high',
        note: 'a; b, c\\d',
    });
    const event = await eventOf(server, made.booking_id);
    assert.match(event.UID, new RegExp(`^booking-${made.booking_id}@[0-9a-f]{16}\\.procplan$`));
    assert.equal(hourOfTime(event.DTSTART), start + 9);
    assert.equal(hourOfTime(event.DTEND), start + 17);
    assert.equal(event.STATUS, 'CONFIRMED');
    assert.equal(event.SEQUENCE, '0');
    assert.equal(textOf(event.SUMMARY), 'AB: 2 GPUs on alpha');
    assert.equal(textOf(event.DESCRIPTION), 'GPUs: gpu2, gpu0\na; b, c\\d'); /* in configuration order */
    assert.equal(event.CATEGORIES, 'high');
    const {created} = (await request(server, 'GET', `/api/bookings/${made.booking_id}`)).json;
    for (const name of ['DTSTAMP', 'CREATED', 'LAST-MODIFIED']) assert.equal(hourOfTime(event[name]), hourOf(created));
});

it('a change keeps the UID and raises SEQUENCE', async (server) => {
    const start = tomorrow() + 240;
    const made = await book(server, {node_id: 'beta', start: iso(start), end: iso(start + 4), user_label: 'AB', gpu_count: 1});
    const before = await eventOf(server, made.booking_id);
    await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {end: iso(start + 9)}});
    const after = await eventOf(server, made.booking_id);
    assert.equal(after.UID, before.UID);
    assert.equal(before.SEQUENCE, '0');
    assert.equal(after.SEQUENCE, '1');
    assert.equal(hourOfTime(after.DTEND), start + 9);
});

it('what was cancelled stays, as CANCELLED, with a higher SEQUENCE', async (server) => {
    const start = tomorrow() + 24;
    const made = await book(server, {node_id: 'beta', start: iso(start), end: iso(start + 4), user_label: 'AB', gpu_count: 1});
    await cancel(server, made.booking_id);
    const event = await eventOf(server, made.booking_id);
    assert.equal(event.STATUS, 'CANCELLED');
    assert.equal(event.SEQUENCE, '1');
    assert.equal(hourOfTime(event.DTSTART), start);
    assert.equal(hourOfTime(event.DTEND), start + 4);
});

it('what was completed ends when it was released', async (server) => {
    const now = await steadyHour();
    const made = await book(server, {node_id: 'beta', start: iso(now - 5), end: iso(now + 5), user_label: 'AB', gpu_count: 1});
    await markDone(server, made.booking_id);
    const event = await eventOf(server, made.booking_id);
    assert.equal(event.STATUS, 'CONFIRMED');
    assert.equal(hourOfTime(event.DTSTART), now - 5);
    assert.equal(hourOfTime(event.DTEND), now);
    assert.equal(event.SEQUENCE, '1');
});

it('hostile labels and notes come out as they went in, however long', async (server) => {
    const start = tomorrow() + 2400;
    const labels = [
        'semi;colon, comma \\ backslash "quotes"', '\\n \\N \\; \\,', ': = ^n ^\'', 'BEGIN:VEVENT', 'END:VCALENDAR',
        '\u202eשלום מימין\u202c', '👩‍💻👩‍💻👩‍💻👩‍💻👩‍💻👩‍💻', '\ufeffbom', 'e\u0301'.repeat(30), '€'.repeat(64), '🚀'.repeat(64),
        ...Array.from({length: 16}, (_, i) => 'x'.repeat(36 + i) + '🚀🚀'), /* a character across the 75th octet */
        ...Array.from({length: 8}, (_, i) => 'y'.repeat(40 + i) + ',;\\'),
    ];
    const wanted = new Map();
    for (const [i, label] of labels.entries()) {
        const note = label.repeat(Math.floor(500 / [...label].length));
        const made = await book(server, {
            node_id: '7', start: iso(start + i), end: iso(start + i + 1), user_label: label, gpu_ids: ['1'], note,
        });
        wanted.set(`booking-${made.booking_id}`, {summary: `${made.user_label}: 1 GPU on 7`, description: `GPUs: 1\n${made.note ?? note}`});
    }
    const {events} = await calendar(server, {node_id: '7'});
    assert.equal(events.length, labels.length);
    for (const event of events) {
        const expected = wanted.get(event.UID.split('@')[0]);
        assert.equal(textOf(event.SUMMARY), expected.summary);
        assert.equal(textOf(event.DESCRIPTION), expected.description);
    }
});

it('it can be one node\'s, one label\'s or both, and says so in its name', async (server) => {
    const start = tomorrow() + 4800;
    const times = {start: iso(start), end: iso(start + 1), gpu_count: 1};
    await book(server, {node_id: 'alpha', ...times, user_label: 'Carla, C.'});
    await book(server, {node_id: 'beta', ...times, user_label: 'Carla, C.'});
    const summaries = async (query) => (await calendar(server, query)).events.map((event) => textOf(event.SUMMARY));
    assert.deepEqual(await summaries({user_label: 'Carla, C.'}), ['Carla, C.: 1 GPU on alpha', 'Carla, C.: 1 GPU on beta']);
    assert.deepEqual(await summaries({user_label: 'Carla, C.', node_id: 'beta'}), ['Carla, C.: 1 GPU on beta']);
    assert.ok((await summaries({node_id: 'alpha'})).every((summary) => summary.endsWith(' on alpha')));
    assert.deepEqual(await summaries({user_label: 'nobody'}), []);
    assert.equal((await calendar(server))['X-WR-CALNAME'], 'ProcPlan');
    assert.equal(textOf((await calendar(server, {node_id: 'beta', user_label: 'Carla, C.'}))['X-WR-CALNAME']), 'ProcPlan: Carla, C., beta');
});

it('what ended more than 90 days ago is not in it', async (server) => {
    const day = Math.floor(await steadyHour() / 24) * 24 - 90 * 24; /* its first hour */
    const label = 'historian';
    await book(server, {node_id: 'alpha', start: iso(day - 10), end: iso(day), user_label: label, gpu_ids: ['gpu0']});
    await book(server, {node_id: 'alpha', start: iso(day - 10), end: iso(day + 1), user_label: label, gpu_ids: ['gpu1']});
    const {events} = await calendar(server, {user_label: label});
    assert.deepEqual(events.map((event) => textOf(event.DESCRIPTION)), ['GPUs: gpu1']);
});

it('it has an ETag and 304, also from a worker\'s cache, and HEAD', async (server) => {
    const first = await get(server, {node_id: 'alpha'});
    assert.match(first.headers['cache-control'], /\bno-cache\b/);
    for (let i = 0; i < 12; i++) {
        const again = await get(server, {node_id: 'alpha'});
        assert.equal(again.headers['content-type'], 'text/calendar; charset=utf-8');
        assert.equal(again.text, first.text);
    }
    const unchanged = await get(server, {node_id: 'alpha'}, {'If-None-Match': first.headers.etag});
    assert.equal(unchanged.status, 304);
    assert.equal(unchanged.bytes.length, 0);
    const head = await request(server, 'HEAD', '/api/calendar.ics?node_id=alpha');
    assert.equal(head.headers['content-type'], 'text/calendar; charset=utf-8');
    assert.equal(Number(head.headers['content-length']), first.bytes.length);
    await book(server, {node_id: 'alpha', start: '2033-01-01', end: '2033-01-02', user_label: 'x', gpu_count: 1});
    assert.equal((await get(server, {node_id: 'alpha'}, {'If-None-Match': first.headers.etag})).status, 200);
});

it('an unknown node is refused as JSON', async (server) => {
    const answer = await get(server, {node_id: 'nowhere'});
    assertRefused(answer, 400, "Unknown node id 'nowhere'");
    assert.equal(answer.json.field, 'node_id');
    assertRefused(await request(server, 'POST', '/api/calendar.ics', {body: {}}), 405);
});
