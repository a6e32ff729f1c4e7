'use strict';
/*
 * Who may do what (README): each line of its table, with people whom nginx/examples/basic-auth.conf has logged in. ada is an
 * administrator, bob and eve are not, and who sends no password is nobody.
 */
const assert = require('node:assert/strict');
const {assertHas, assertRefused} = require('./fixtures.js');
const {basic, example, frontSuite} = require('./front.js');
const {request, sleep, source, until} = require('./harness.js');

const users = ['ada', 'bob', 'eve', `${'long'.repeat(20)}@example.org`];
const auth = {mode: 'remote_user', admins: ['ada', 'carol']};
const config = {nodes: [{id: 'n', gpus: [{id: 'g0'}, {id: 'g1'}]}], auth};
const it = frontSuite({
    config,
    passwords: Object.fromEntries(users.map((name) => [name, `${name}'s password`])),
    locations: (front) => example('basic-auth.conf', {
        '/etc/nginx/procplan.htpasswd': front.passwords, '/usr/local/share/procplan/htdocs/': `${source}/htdocs/`,
    }),
});

let day = 0;
const wish = (more = {}) => {
    const start = new Date(Date.UTC(2045, 0, 1 + day++)).toISOString();
    return {node_id: 'n', start, end: start.replace('T00', 'T06'), gpu_ids: ['g0'], ...more};
};
/* As NAME, or as nobody (null). */
const as = (name, front, method, target, body, headers = {}) =>
    request(front, method, target, {body, headers: {...name === null ? {} : basic(name), ...headers}});
const tryAs = (name, front, body, headers) => as(name, front, 'POST', '/api/book', body, headers);
const bookAs = async (name, front, body = wish()) => {
    const answer = await tryAs(name, front, body);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
};
const bookingOf = async (front, id) => (await as('ada', front, 'GET', `/api/bookings/${id}`)).json;
/* Has the pool read another "auth" (null: none), and waits until the pool goes by it. */
const withAuth = async (front, wanted, body) => {
    const use = async (one) => {
        const events = (await as('ada', front, 'GET', '/api/timeline')).headers.etag;
        front.writeConfig({...config, ...one === null ? {auth: undefined} : {auth: one}});
        front.reload();
        await until(async () => (await as('ada', front, 'GET', '/api/timeline')).headers.etag !== events, 'the pool has read it');
    };
    await use(wanted);
    try {
        await body();
    } finally {
        await use(auth);
    }
};

it('the session says who is logged in, and who is an administrator', async (front) => {
    assertHas((await as('ada', front, 'GET', '/api/session')).json, {mode: 'remote_user', user: 'ada', claimed: false, admin: true});
    assertHas((await as('bob', front, 'GET', '/api/session')).json, {mode: 'remote_user', user: 'bob', claimed: false, admin: false});
});

it('a booking belongs to who is logged in, whatever its label, and the label is the login unless it is said', async (front) => {
    const plain = await bookAs('bob', front);
    assert.equal(plain.user_label, 'bob');
    assertHas(await bookingOf(front, plain.booking_id), {owner: 'bob', user_label: 'bob'});
    const named = await bookAs('bob', front, wish({user_label: 'team-7'}));
    assertHas(await bookingOf(front, named.booking_id), {owner: 'bob', user_label: 'team-7'});
    const series = await bookAs('bob', front, wish({repeat: {every: 'day', count: 2}}));
    day += 1;
    for (const one of series.bookings) assertHas(await bookingOf(front, one.booking_id), {owner: 'bob', user_label: 'bob'});
});

it('a login that is longer than a label gives the label its first 64 characters', async (front) => {
    const made = await bookAs(users[3], front);
    assert.equal(made.user_label, users[3].slice(0, 64));
    assertHas(await bookingOf(front, made.booking_id), {owner: users[3]});
});

it('its owner changes it, completes it and cancels it', async (front) => {
    const {booking_id: one} = await bookAs('bob', front);
    const {booking_id: two} = await bookAs('bob', front);
    assert.equal((await as('bob', front, 'PATCH', `/api/bookings/${one}`, {note: 'mine'})).json.note, 'mine');
    assert.equal((await as('bob', front, 'POST', '/api/mark_done', {booking_id: one})).status, 200);
    assert.equal((await as('bob', front, 'DELETE', `/api/bookings/${two}`)).status, 200);
});

it('a colleague is refused all three, and told whose it is; the booking stays as it was', async (front) => {
    const {booking_id} = await bookAs('bob', front);
    const before = await bookingOf(front, booking_id);
    const sentence = `Booking '${booking_id}' belongs to 'bob'; only they or an administrator may change or end it, and you are 'eve'`;
    for (const [method, target, body] of [
        ['PATCH', `/api/bookings/${booking_id}`, {note: 'taken'}],
        ['PATCH', `/api/bookings/${booking_id}`, {note: 'taken', dry_run: true}],
        ['PATCH', `/api/bookings/${booking_id}`, {user_label: 'eve'}],
        ['POST', '/api/mark_done', {booking_id}],
        ['DELETE', `/api/bookings/${booking_id}`, undefined],
    ])
        assertRefused(await as('eve', front, method, target, body), 403, sentence);
    assert.deepEqual(await bookingOf(front, booking_id), before);
});

it('a label is no ownership: who books in another\'s name owns it all the same', async (front) => {
    const {booking_id} = await bookAs('bob', front, wish({user_label: 'eve'}));
    assertRefused(await as('eve', front, 'DELETE', `/api/bookings/${booking_id}`), 403, /belongs to 'bob'/);
});

it('an administrator changes and ends anybody\'s, and it stays its owner\'s', async (front) => {
    const {booking_id: one} = await bookAs('bob', front);
    const {booking_id: two} = await bookAs('bob', front);
    assertHas((await as('ada', front, 'PATCH', `/api/bookings/${one}`, {note: 'moved'})).json, {owner: 'bob', note: 'moved'});
    assert.equal((await as('ada', front, 'POST', '/api/mark_done', {booking_id: one})).status, 200);
    assert.equal((await as('ada', front, 'DELETE', `/api/bookings/${two}`)).status, 200);
});

it('only an administrator reloads the configuration', async (front) => {
    assertRefused(await as('bob', front, 'POST', '/api/reload_config'), 403,
        "Only an administrator may reload the configuration, and 'bob' is not among them (auth.admins)");
    assert.equal((await as('ada', front, 'POST', '/api/reload_config')).status, 200);
});

it('nobody in particular is refused with 401 on every call but health and release', async (front) => {
    const {booking_id} = await bookAs('bob', front);
    const before = await bookingOf(front, booking_id);
    for (const [method, target, body] of [
        ['GET', '/api/nodes'], ['GET', '/api/timeline'], ['GET', '/api/bookings'], ['GET', `/api/bookings/${booking_id}`],
        ['GET', '/api/availability?node_id=n'], ['POST', '/api/availability_bulk', {}], ['GET', '/api/find'], ['GET', '/api/events'],
        ['GET', '/api/usage'], ['GET', '/api/calendar.ics'], ['GET', '/api/metrics'], ['GET', '/api/session'], ['POST', '/api/book', wish()],
        ['PATCH', `/api/bookings/${booking_id}`, {note: 'x'}], ['DELETE', `/api/bookings/${booking_id}`],
        ['POST', '/api/mark_done', {booking_id}], ['POST', '/api/reload_config'],
    ]) {
        for (const headers of [{}, basic('bob', 'wrong'), basic('nobody', '')]) {
            const answer = await as(null, front, method, target, body, headers);
            assertRefused(answer, 401, 'The login or the password is missing or wrong');
            assert.match(answer.headers['www-authenticate'], /^Basic /, `${method} ${target}`);
        }
    }
    assert.equal((await as(null, front, 'GET', '/api/health')).status, 200);
    assert.deepEqual(await bookingOf(front, booking_id), before);
});

it('the release token ends its booking without a login, and the log of events names nobody', async (front) => {
    const {booking_id, release_token} = await bookAs('bob', front);
    const release = (token, headers) => as(null, front, 'POST', '/api/release', {booking_id, release_token: token}, headers);
    assertRefused(await release('0'.repeat(32)), 403, /release token/);
    /* Neither a forged login nor a claim makes more, or less, of it. */
    assert.equal((await release(release_token, {...basic('ada', 'forged'), 'Procplan-User': 'ada'})).status, 200);
    assertHas(await bookingOf(front, booking_id), {status: 'completed', owner: 'bob'});
    const {events} = (await as('ada', front, 'GET', `/api/events?booking_id=${booking_id}`)).json;
    assert.deepEqual(events.map(({kind, actor, claimed}) => [kind, actor, claimed]), [['booked', 'bob', false], ['completed', null, false]]);
});

it('an event\'s actor is the login, and a claim counts for nothing', async (front) => {
    const answer = await tryAs('bob', front, wish(), {'Procplan-User': 'ada'});
    const {events} = (await as('bob', front, 'GET', `/api/events?booking_id=${answer.json.booking_id}`)).json;
    assertHas(events[0], {actor: 'bob', claimed: false});
});

it('two people\'s equal Idempotency-Keys are two keys', async (front) => {
    const body = wish();
    const mine = await tryAs('bob', front, body, {'Idempotency-Key': 'same'});
    const theirs = await tryAs('eve', front, body, {'Idempotency-Key': 'same'});
    assert.equal(mine.status, 201);
    assertRefused(theirs, 409, /already booked/);
    assert.ok(!theirs.text.includes(mine.json.release_token));
});

it('what one viewer kept is not confirmed to another', async (front) => {
    const mine = await as('bob', front, 'GET', '/api/timeline');
    assert.equal((await as('bob', front, 'GET', '/api/timeline', undefined, {'If-None-Match': mine.headers.etag})).status, 304);
    const theirs = await as('eve', front, 'GET', '/api/timeline', undefined, {'If-None-Match': mine.headers.etag});
    assert.equal(theirs.status, 200);
    assert.equal(theirs.text, mine.text);
});

it('the limit on hours ahead counts an owner\'s, under whatever labels, in booking and in finding', async (front) => {
    const limited = {...config, limits: {max_active_gpu_hours_per_user: 10}};
    front.writeConfig(limited);
    assert.equal((await as('ada', front, 'POST', '/api/reload_config')).status, 200);
    const carla = users[3];
    for (const {id} of (await as(carla, front, 'GET', `/api/bookings?status=active&owner=${carla}`)).json.bookings)
        assert.equal((await as(carla, front, 'DELETE', `/api/bookings/${id}`)).status, 200);
    const {booking_id} = await bookAs(carla, front, wish({user_label: 'one'}));
    const refused = await tryAs(carla, front, wish({user_label: 'two'}));
    assertRefused(refused, 400, /max_active_gpu_hours_per_user/);
    assert.equal(refused.json.limit, 'max_active_gpu_hours_per_user');
    assertRefused(await as(carla, front, 'GET', '/api/find?hours=5&user_label=two'), 400, /max_active_gpu_hours_per_user/);
    assertRefused(await as(carla, front, 'GET', '/api/find?hours=5'), 400, /max_active_gpu_hours_per_user/);
    assert.equal((await as(carla, front, 'GET', '/api/find?hours=4')).status, 200);
    assert.equal((await as(carla, front, 'DELETE', `/api/bookings/${booking_id}`)).status, 200);
    await bookAs(carla, front, wish({user_label: 'two'}));
    front.writeConfig(config);
    assert.equal((await as('ada', front, 'POST', '/api/reload_config')).status, 200);
});

it('a change of the mode counts at once, and what was made without a login is then the administrators\'', async (front) => {
    let early;
    await withAuth(front, null, async () => {
        /* This nginx asks for a password in open mode, too; a booking has no owner then, and the label must be said. */
        assertHas((await as('bob', front, 'GET', '/api/session')).json, {mode: 'open', admin: false});
        assertRefused(await tryAs('bob', front, wish()), 400, 'User label must not be empty');
        early = (await bookAs('bob', front, wish({user_label: 'bob'}))).booking_id;
        assert.equal((await bookingOf(front, early)).owner, null);
        assert.equal((await as('eve', front, 'PATCH', `/api/bookings/${early}`, {note: 'open'})).status, 200);
    });
    assertRefused(await as('bob', front, 'DELETE', `/api/bookings/${early}`), 403,
        `Booking '${early}' was made without a login and belongs to nobody; only an administrator may change or end it`);
    assert.equal((await as('ada', front, 'DELETE', `/api/bookings/${early}`)).status, 200);
});

it('without administrators nobody is one', async (front) => {
    await withAuth(front, {mode: 'remote_user'}, async () => {
        assertRefused(await as('ada', front, 'POST', '/api/reload_config'), 403, /auth\.admins/);
        assertHas((await as('ada', front, 'GET', '/api/session')).json, {admin: false});
    });
});

it('a page of another site writes nothing with somebody\'s login', async (front) => {
    assertRefused(await tryAs('bob', front, wish(), {'Sec-Fetch-Site': 'cross-site'}), 403, /another site/);
    assertRefused(await tryAs('bob', front, wish(), {Origin: 'https://elsewhere.example'}), 403, /another site/);
});

it('no password and no token stands in the log', async (front) => {
    const {release_token} = await bookAs('bob', front);
    await as(null, front, 'GET', '/api/nodes', undefined, basic('bob', 'a-wrong-secret'));
    await sleep(50);
    for (const secret of [release_token, "bob's password", 'a-wrong-secret', basic('bob').Authorization.slice(6)])
        assert.ok(!front.stderr.includes(secret), 'a secret is in the log');
});
