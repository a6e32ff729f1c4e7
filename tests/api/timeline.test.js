'use strict';
/* GET /api/timeline: answers worked out by hand, windows, nodes, and what `since` gives. */
const assert = require('node:assert/strict');
const {YEAR_AHEAD: YEAR, hourOf, iso, steadyHour} = require('./clock.js');
const {assertRefused, book, cancel, markDone, reload} = require('./fixtures.js');
const {CONFIG, request, suite} = require('./harness.js');

const it = suite();
const get = (server, query, headers) =>
    request(server, 'GET', `/api/timeline?${query instanceof Object ? new URLSearchParams(query) : query}`, {headers});

async function timeline(server, query) {
    const answer = await get(server, query);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

const mark = (answer) => `${answer.epoch}.${answer.revision}`;
const drawn = ({bookings, held, removed}) => ({bookings, held, removed});

it('a window without bookings has the nodes as /api/nodes shows them, and nothing else', async (server) => {
    const answer = await timeline(server, {start: `${YEAR}-01-06`, end: `${YEAR}-01-13`});
    const nodes = (await request(server, 'GET', '/api/nodes')).json.nodes;
    const {epoch, revision, ...rest} = answer;
    assert.match(epoch, /^[0-9a-f]{16}$/);
    assert.ok(Number.isInteger(revision) && revision > 0);
    assert.deepEqual(rest, {
        full: true, start: `${YEAR}-01-06T00:00:00+00:00`, end: `${YEAR}-01-13T00:00:00+00:00`, nodes, bookings: [], held: [],
        removed: [],
    });
});

it('bookings and holds are rows of numbers from the start of the window on, by id and by GPU', async (server) => {
    /* GPUs in the order of nodes: beta/gpu0 is 0; alpha/gpu2, gpu0, gpu1 are 1, 2, 3; 7/1 and 7/2 are 4 and 5. */
    const second = await book(server, {
        node_id: 'alpha', start: `${YEAR}-02-03T12:00`, end: `${YEAR}-02-04T12:00`, user_label: 'grace', gpu_ids: ['gpu1', 'gpu2'],
    });
    const first = await book(server, {
        node_id: 'alpha', start: `${YEAR}-02-03T06:00`, end: `${YEAR}-02-03T12:00`, user_label: 'ada <3', gpu_ids: ['gpu1'], priority: 'high',
    });
    const low = await book(server, {
        node_id: '7', start: `${YEAR}-02-03T00:00`, end: `${YEAR}-02-03T01:00`, user_label: 'née', gpu_count: 1, priority: 'low',
    });
    const answer = await timeline(server, {start: `${YEAR}-02-03`, end: `${YEAR}-02-10`});
    assert.deepEqual(drawn(answer), {
        bookings: [
            [second.booking_id, 12, 36, 'grace'],
            [first.booking_id, 6, 12, 'ada <3', 2],
            [low.booking_id, 0, 1, 'née', 0],
        ],
        held: [[1, second.booking_id], [3, first.booking_id, second.booking_id], [4, low.booking_id]],
        removed: [],
    });
});

it('what reaches beyond the window keeps its hours, and is held only within', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: `${YEAR}-03-03T10:00`, end: `${YEAR}-03-03T20:00`, user_label: 'ada', gpu_count: 1,
    });
    const at = async (start, end) => drawn(await timeline(server, {start: `${YEAR}-03-03T${start}`, end: `${YEAR}-03-03T${end}`, node_id: 'beta'}));
    const id = made.booking_id;
    const held = [[0, id]];
    assert.deepEqual(await at('12:00', '14:00'), {bookings: [[id, -2, 8, 'ada']], held, removed: []});
    assert.deepEqual(await at('08:00', '11:00'), {bookings: [[id, 2, 12, 'ada']], held, removed: []});
    assert.deepEqual(await at('19:00', '22:00'), {bookings: [[id, -9, 1, 'ada']], held, removed: []});
    assert.deepEqual(await at('08:00', '10:00'), {bookings: [], held: [], removed: []}, 'it begins where the window ends');
    assert.deepEqual(await at('20:00', '22:00'), {bookings: [], held: [], removed: []}, 'it ends where the window begins');
    assert.deepEqual(await at('19:59', '20:01'), {bookings: [[id, -9, 1, 'ada']], held, removed: []}, 'the window snaps outward');
});

it('an ended booking stays as long as the window has hours it used, and shows only those', async (server) => {
    const now = await steadyHour();
    const window = {start: iso(now - 5), end: iso(now + 5), node_id: 'beta'};
    const make = (start, end) =>
        book(server, {node_id: 'beta', start: iso(start), end: iso(end), user_label: 'ada', gpu_count: 1}).then((made) => made.booking_id);
    const used = await make(now - 3, now + 3);
    await markDone(server, used);
    const ahead = await make(now + 1, now + 4);
    await cancel(server, ahead);
    const next = await make(now - 3, now + 2); /* booked over used hours: its own begin after them */
    assert.deepEqual(drawn(await timeline(server, window)), {
        bookings: [[used, 2, 8, 'ada', 1, 1], [next, 2, 7, 'ada']],
        held: [[0, [2, 5, used], [5, 7, next]]],
        removed: [],
    });
    const later = await timeline(server, {...window, start: iso(now), end: iso(now + 5)});
    assert.deepEqual(drawn(later), {bookings: [[next, -3, 2, 'ada']], held: [[0, next]], removed: []});
    const before = await timeline(server, {...window, start: iso(now - 5), end: iso(now - 1)});
    assert.deepEqual(drawn(before), {
        bookings: [[used, 2, 8, 'ada', 1, 1], [next, 2, 7, 'ada']], held: [[0, used]], removed: [],
    }, 'an active booking is listed for its planned window, whatever it holds; cut to the window the used hours are what was planned');
    await cancel(server, next);
    assert.deepEqual((await timeline(server, window)).bookings, [[used, 2, 8, 'ada', 1, 1]]);
});

it('a changed booking shows its version', async (server) => {
    const made = await book(server, {
        node_id: 'beta', start: `${YEAR}-04-07T10:00`, end: `${YEAR}-04-07T12:00`, user_label: 'ada', gpu_count: 1,
    });
    const changed = await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {user_label: 'bob'}});
    assert.equal(changed.status, 200, changed.text);
    const answer = await timeline(server, {start: `${YEAR}-04-07`, end: `${YEAR}-04-08`});
    assert.deepEqual(answer.bookings, [[made.booking_id, 10, 12, 'bob', 1, 0, null, 2]]);
});

it('a note is shown by its first 40 characters, and a booking without one costs nothing for it', async (server) => {
    const window = {start: `${YEAR}-04-14`, end: `${YEAR}-04-15`};
    const make = (hour, more) => book(server, {
        node_id: 'beta', start: `${YEAR}-04-14T0${hour}`, end: `${YEAR}-04-14T0${hour + 1}`, user_label: 'ada', gpu_count: 1, ...more,
    }).then((made) => made.booking_id);
    const short = await make(1, {note: 'KM H pretrain 7B'});
    const long = await make(2, {note: `${'😀é€a'.repeat(10)}€ and more`, priority: 'high'});
    const blank = await make(3, {note: ' '});
    const none = await make(4, {});
    assert.deepEqual((await timeline(server, window)).bookings, [
        [short, 1, 2, 'ada', 1, 0, null, 1, 'KM H pretrain 7B'],
        [long, 2, 3, 'ada', 2, 0, null, 1, '😀é€a'.repeat(10)],
        [blank, 3, 4, 'ada'],
        [none, 4, 5, 'ada'],
    ]);
});

it('a note that was written, changed or taken away arrives by since', async (server) => {
    const window = {start: `${YEAR}-04-21`, end: `${YEAR}-04-22`};
    const {booking_id: id} = await book(server, {node_id: 'beta', ...window, user_label: 'ada', gpu_count: 1});
    let seen = await timeline(server, window);
    for (const [note, row] of [
        ['sweep', [id, 0, 24, 'ada', 1, 0, null, 2, 'sweep']],
        ['sweep 2', [id, 0, 24, 'ada', 1, 0, null, 3, 'sweep 2']],
        [null, [id, 0, 24, 'ada', 1, 0, null, 4]],
    ]) {
        const edited = await request(server, 'PATCH', `/api/bookings/${id}`, {body: {note}});
        assert.equal(edited.status, 200, edited.text);
        seen = await timeline(server, {...window, since: mark(seen)});
        assert.equal(seen.full, false);
        assert.deepEqual(drawn(seen), {bookings: [row], held: [[0, id]], removed: []});
    }
});

it('without start and end it is the present week, from Monday to Monday', async (server) => {
    const now = await steadyHour();
    for (const query of ['', `start=${YEAR}-01-01`, `end=${YEAR}-01-01`, 'start=&end=']) {
        const {start, end} = await timeline(server, query);
        assert.equal(new Date(start).getUTCDay(), 1, start);
        assert.match(start, /T00:00:00\+00:00$/);
        assert.equal(hourOf(end) - hourOf(start), 7 * 24);
        assert.ok(hourOf(start) <= now && now < hourOf(end), `${start} is not this week`);
    }
});

it('nodes asked for come in configuration order, once, and their GPUs are counted from 0', async (server) => {
    const made = await book(server, {
        node_id: '7', start: `${YEAR}-05-05`, end: `${YEAR}-05-06`, user_label: 'ada', gpu_ids: ['2'],
    });
    await book(server, {node_id: 'beta', start: `${YEAR}-05-05`, end: `${YEAR}-05-06`, user_label: 'ada', gpu_count: 1});
    const answer = await timeline(server, `start=${YEAR}-05-05&end=${YEAR}-05-06&node_id=7&node_id=alpha&node_id=7&node_id=`);
    assert.deepEqual(answer.nodes.map((node) => node.id), ['alpha', '7']);
    assert.deepEqual(drawn(answer), {
        bookings: [[made.booking_id, 0, 24, 'ada']], held: [[4, made.booking_id]], removed: [],
    });
});

it('each way of asking for the same nodes gives the same answer', async (server) => {
    const base = `start=${YEAR}-05-05&end=${YEAR}-05-06`;
    const answers = await Promise.all([
        'node_id=7&node_id=beta', 'node_id=beta&node_id=7', 'node_id=beta&node_id=beta&node_id=7',
    ].map((nodes) => get(server, `${base}&${nodes}`)));
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
    const other = await get(server, `${base}&node_id=beta`);
    assert.notEqual(other.text, answers[0].text);
});

it('bad questions are refused with a sentence that names the field', async (server) => {
    for (const [query, field, sentence] of [
        [`start=${YEAR}-01-02&end=${YEAR}-01-01`, 'end', 'Timeline end must be after start'],
        [`start=${YEAR}-01-01&end=${YEAR}-01-01`, 'end', 'Timeline end must be after start'],
        [`start=soon&end=${YEAR}-01-01`, 'start', /^Invalid timestamp: /],
        [`start=${YEAR}-01-01&end=later`, 'end', /^Invalid timestamp: /],
        [`start=${YEAR}-01-01&end=9999-12-31T23:30`, 'end', /^Invalid timestamp: .*9999/],
        ['start=2031-01-01&end=2041-02-17T00:01', 'end', /3700 days/],
        ['node_id=nowhere', 'node_id', "Unknown node id 'nowhere'"],
        ['node_id=beta&node_id=Beta', 'node_id', "Unknown node id 'Beta'"],
    ]) {
        const answer = await get(server, query);
        assertRefused(answer, 400, sentence);
        assert.equal(answer.json.field, field, query);
    }
    assert.equal((await get(server, 'start=2031-01-01&end=2041-02-17')).status, 200, '3700 days are fine');
});

it('a since that is no revision is refused, one that is unknown gives everything', async (server) => {
    const base = `start=${YEAR}-06-02&end=${YEAR}-06-03`;
    const {epoch, revision} = await timeline(server, base);
    const long = 'x'.repeat(65);
    for (const since of ['x', '-1', '1.', '.1', '1.2.3', `${epoch}.`, `${epoch}.-1`, `${epoch}.1x`, `${epoch} .1`, ' 1', '+1',
        `${long}.1`, 'é.1', '0x10', '1e3', 'null']) {
        const answer = await get(server, `${base}&since=${encodeURIComponent(since)}`);
        assertRefused(answer, 400, /^'since' must be/);
        assert.equal(answer.json.field, 'since');
    }
    for (const since of ['0', `${epoch}.0`, `${revision + 1}`, `${epoch}.${revision + 1}`, `${epoch}.99999999999999999999`,
        '9223372036854775807', `0123456789abcdef.${revision}`, `${epoch}0.${revision}`, `${epoch.toUpperCase()}X.${revision}`]) {
        const answer = await timeline(server, `${base}&since=${since}`);
        assert.equal(answer.full, true, since);
        assert.equal(answer.nodes.length, CONFIG.nodes.length);
    }
    for (const since of [`${revision}`, `${epoch}.${revision}`, `${epoch}.00${revision}`])
        assert.equal((await timeline(server, `${base}&since=${since}`)).full, false, since);
});

it('who had another window gets what lies in the hours that are new, each booking with all it holds', async (server) => {
    const hours = (start, end) => ({start: `${YEAR}-10-07T${start}`, end: `${YEAR}-10-07T${end}`});
    const make = (start, end, gpu) => book(server, {node_id: 'alpha', ...hours(start, end), gpu_ids: [gpu], user_label: 'ada'})
        .then((made) => made.booking_id);
    const known = await make('04:00', '06:00', 'gpu0');
    const across = await make('06:00', '14:00', 'gpu1');
    const later = await make('12:00', '13:00', 'gpu2');
    const had = await timeline(server, hours('05:00', '10:00'));
    assert.deepEqual(drawn(had).bookings.map(([id]) => id), [known, across]);

    const query = {...hours('05:00', '13:00'), since: mark(had), since_start: `${YEAR}-10-07T05:00`, since_end: `${YEAR}-10-07T10:00`};
    const more = await timeline(server, query);
    assert.deepEqual([more.full, more.nodes], [false, []]);
    assert.deepEqual(drawn(more), {bookings: [[across, 1, 9, 'ada'], [later, 7, 8, 'ada']], held: [[1, later], [3, across]], removed: []});
    /* Nothing of the other window was had whole; and a revision of nobody gives everything. */
    const elsewhere = await timeline(server, {...query, since_start: `${YEAR}-10-09`, since_end: `${YEAR}-10-10`});
    assert.deepEqual(elsewhere.bookings.map(([id]) => id), [known, across, later]);
    assert.deepEqual([elsewhere.full, elsewhere.nodes], [false, []]);
    const part = await timeline(server, {...query, since_start: `${YEAR}-10-07T05:10`, since_end: `${YEAR}-10-07T05:50`});
    assert.deepEqual([part.full, part.bookings.length], [true, 3], 'no hour was had whole');
    assert.equal((await timeline(server, {...query, since: `0123456789abcdef.${had.revision}`})).full, true);
    assert.equal((await timeline(server, {...query, since: ''})).full, true, 'without since it says nothing');
    for (const [field, refused, sentence] of [
        ['since_end', {since_end: ''}, /go together/], ['since_start', {since_start: ''}, /go together/],
        ['since_start', {since_start: 'soon'}, /^Invalid timestamp/], ['since_end', {since_end: `${YEAR}-10-07T05:00`}, /must be after/],
    ]) {
        const answer = await get(server, {...query, ...refused});
        assertRefused(answer, 400, sentence);
        assert.equal(answer.json.field, field);
    }
});

it('since names what is new, what changed and what is gone', async (server) => {
    const window = {start: `${YEAR}-07-07`, end: `${YEAR}-07-08`};
    const make = (start, end, more) => book(server, {
        node_id: 'alpha', start: `${YEAR}-07-07T${start}`, end: `${YEAR}-07-07T${end}`, user_label: 'ada', ...more,
    }).then((made) => made.booking_id);
    const stays = await make('00:00', '02:00', {gpu_ids: ['gpu2']});
    const ends = await make('02:00', '04:00', {gpu_ids: ['gpu2']});
    const moves = await make('04:00', '06:00', {gpu_ids: ['gpu2']});
    const leaves = await make('06:00', '08:00', {gpu_ids: ['gpu2']});
    const before = await timeline(server, window);
    assert.deepEqual(before.held, [[1, stays, ends, moves, leaves]]);

    const fresh = await make('08:00', '10:00', {gpu_ids: ['gpu2', 'gpu0']});
    await cancel(server, ends);
    await request(server, 'PATCH', `/api/bookings/${moves}`, {body: {gpu_ids: ['gpu1']}});
    await request(server, 'PATCH', `/api/bookings/${leaves}`, {body: {start: `${YEAR}-07-09T06:00`, end: `${YEAR}-07-09T08:00`}});
    const brief = await make('20:00', '21:00', {gpu_ids: ['gpu2']});
    await cancel(server, brief);
    const after = await timeline(server, {...window, since: mark(before)});
    assert.equal(after.full, false);
    assert.equal(after.revision, before.revision + 6);
    assert.deepEqual(after.nodes, []);
    assert.deepEqual(drawn(after), {
        bookings: [[moves, 4, 6, 'ada', 1, 0, null, 2], [fresh, 8, 10, 'ada']],
        held: [[1, fresh], [2, fresh], [3, moves]],
        removed: [ends, leaves, brief],
    });
    const bare = await timeline(server, {...window, since: before.revision});
    assert.deepEqual(bare, after);
    const elsewhere = await timeline(server, {...window, node_id: 'beta', since: mark(before)});
    assert.deepEqual(drawn(elsewhere), {bookings: [], held: [], removed: [ends, moves, leaves, fresh, brief]});
});

it('polling with the present revision gives next to nothing, and 304 as long as nothing happens', async (server) => {
    const base = {start: `${YEAR}-07-07`, end: `${YEAR}-07-08`};
    const whole = await timeline(server, base);
    const query = {...base, since: mark(whole)};
    const poll = await get(server, query);
    assert.deepEqual(poll.json, {...whole, full: false, nodes: [], bookings: [], held: []});
    assert.ok(poll.bytes.length < 250, `${poll.bytes.length} bytes`);
    const again = await get(server, query, {'If-None-Match': poll.headers.etag});
    assert.equal(again.status, 304);
    const made = await book(server, {node_id: '7', start: `${YEAR}-07-07`, end: `${YEAR}-07-09`, user_label: 'ada', gpu_count: 2});
    const changed = await get(server, query, {'If-None-Match': poll.headers.etag});
    assert.equal(changed.status, 200);
    assert.deepEqual(drawn(changed.json), {
        bookings: [[made.booking_id, 0, 48, 'ada']], held: [[4, made.booking_id], [5, made.booking_id]], removed: [],
    });
});

it('a refused write and an edit that changes nothing leave nothing to tell', async (server) => {
    const base = {start: `${YEAR}-08-04`, end: `${YEAR}-08-05`};
    const made = await book(server, {node_id: 'beta', start: `${YEAR}-08-04`, end: `${YEAR}-08-05`, user_label: 'ada', gpu_count: 1});
    const whole = await timeline(server, base);
    const busy = await request(server, 'POST', '/api/book', {
        body: {node_id: 'beta', start: `${YEAR}-08-04`, end: `${YEAR}-08-05`, user_label: 'bob', gpu_count: 1},
    });
    assert.equal(busy.status, 409);
    await request(server, 'PATCH', `/api/bookings/${made.booking_id}`, {body: {user_label: 'ada'}});
    const after = await timeline(server, {...base, since: mark(whole)});
    assert.deepEqual(drawn(after), {bookings: [], held: [], removed: []});
    assert.equal(after.revision, whole.revision);
});

it('a changed configuration gives everything again, without the retired GPUs', async (server) => {
    const window = {start: `${YEAR}-09-01`, end: `${YEAR}-09-02`};
    const made = await book(server, {
        node_id: 'alpha', start: `${YEAR}-09-01`, end: `${YEAR}-09-02`, user_label: 'ada', gpu_ids: ['gpu0', 'gpu1'],
    });
    const id = made.booking_id;
    const before = await timeline(server, window);
    assert.deepEqual(before.held, [[2, id], [3, id]]);
    try {
        server.writeConfig({nodes: [{id: 'alpha', gpus: [{id: 'gpu1'}, {id: 'gpu9'}]}]});
        assert.equal((await reload(server)).status, 200);
        const after = await timeline(server, {...window, since: mark(before)});
        assert.equal(after.full, true);
        assert.deepEqual(after.nodes.map((node) => [node.id, node.gpus.map((gpu) => gpu.id)]), [['alpha', ['gpu1', 'gpu9']]]);
        assert.deepEqual(drawn(after), {bookings: [[id, 0, 24, 'ada']], held: [[0, id]], removed: []});
        const next = await timeline(server, {...window, since: mark(after)});
        assert.equal(next.full, false, 'from the new configuration on changes are told again');

        server.writeConfig({nodes: [{id: 'alpha', gpus: [{id: 'gpu2'}]}]});
        assert.equal((await reload(server)).status, 200);
        const bare = await timeline(server, window);
        assert.deepEqual(drawn(bare), {bookings: [[id, 0, 24, 'ada']], held: [], removed: []},
            'an active booking whose GPUs are all retired is listed still');
        await cancel(server, id);
        assert.deepEqual(drawn(await timeline(server, {...window, since: mark(bare)})), {bookings: [], held: [], removed: [id]});
    } finally {
        server.writeConfig(CONFIG);
        assert.equal((await reload(server)).status, 200);
    }
});
