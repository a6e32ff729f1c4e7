'use strict';
/*
 * Nobody becomes somebody by what they write into a request: in every mode, and in every location that README and nginx/examples/
 * offer, forged headers gain nothing. All of them stand in one nginx, each below a prefix of its own, in front of one pool. Two
 * locations are wrong on purpose: one shows that the forgeries are real ones, the other that the planner does not fall for it.
 */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const {assertHas, assertRefused} = require('./fixtures.js');
const {basic, example, frontSuite} = require('./front.js');
const {request, source} = require('./harness.js');

const nodes = [{id: 'n', gpus: [{id: 'g0'}]}];

/* A sign-in proxy: a cookie says who it is, whatever else the request says. It notes what it was told. */
const told = [];
const proxy = http.createServer((question, answer) => {
    const who = /\bsession=(\w+)/.exec(question.headers.cookie ?? '')?.[1];
    told.push(question.headers);
    answer.writeHead(who ? 202 : 401, who && who !== 'nameless' ? {'X-Auth-Request-User': who} : {});
    answer.end();
});
proxy.unref();

/* An example below PREFIX, so that several can stand in one server. */
const mounted = (name, prefix, replacements) => example(name, {
    'location = /procplan {': `location = ${prefix}redirect {`, '@procplan_': `@${prefix.replaceAll('/', '')}_`,
    '/usr/local/share/procplan/htdocs/': `${source}/htdocs/`, ...replacements,
}, prefix);
const bare = (prefix, user) =>
    `location ${prefix}api/ { fastcgi_split_path_info "^(${prefix.slice(0, -1)})(/api/.*)$"; include snippets/procplan-fastcgi.conf;
    fastcgi_param SCRIPT_NAME ""; fastcgi_param PATH_INFO $fastcgi_path_info; ${user.map((one) => `fastcgi_param REMOTE_USER ${one};`).join(' ')} }\n`;

/* The map that the example's comment offers for public reading. */
const realm = /^# map [\s\S]*?^# \}$/m.exec(fs.readFileSync(path.join(source, 'nginx', 'examples', 'basic-auth.conf'), 'utf8'))[0]
    .replaceAll(/^# ?/gm, '');

async function locations(front) {
    if (!proxy.listening) await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const passwords = {'/etc/nginx/procplan.htpasswd': front.passwords};
    return mounted('basic-auth.conf', '/basic/', passwords)
        + mounted('basic-auth.conf', '/public/', {...passwords, 'auth_basic "ProcPlan";': 'auth_basic $procplan_realm;'})
        + mounted('sso-auth-request.conf', '/sso/', {'http://127.0.0.1:4180': `http://127.0.0.1:${proxy.address().port}`})
        + bare('/none/', ['""'])
        + bare('/trap/', ['$remote_user'])
        + bare('/twice/', ['$remote_user', '""']);
}

const passwords = {ada: "ada's password", bob: "bob's password"};
const front_ = (auth) => frontSuite({config: {nodes, auth}, passwords, locations, http: realm, health: '/none/api/health'});
const it = front_({mode: 'remote_user', admins: ['ada']});

const FORGED = {
    'a Basic header without a password': basic('ada', ''),
    'a Basic header with a wrong password': basic('ada', 'wrong'),
    'a Basic header with another\'s password': basic('ada', "bob's password"),
    'a Basic header without a colon': {Authorization: `Basic ${Buffer.from('ada').toString('base64')}`},
    'a Bearer header': {Authorization: 'Bearer ada'},
    'an empty Authorization and a forged one': {Authorization: ['', basic('ada', '').Authorization]},
    'headers that name the variables': {
        'Remote-User': 'ada', 'REMOTE_USER': 'ada', 'X-Remote-User': 'ada', 'X-Forwarded-User': 'ada', 'X-Auth-Request-User': 'ada',
        'Http-Remote-User': 'ada', 'Auth-User': 'ada',
    },
    'a claim': {'Procplan-User': 'ada'},
    'a cookie that no proxy knows': {Cookie: 'session=; user=ada; remote_user=ada'},
};
const PREFIXES = ['/basic/', '/public/', '/sso/', '/none/', '/twice/'];

let day = 0;
/* A booking of bob's. */
async function bobs(front) {
    const start = new Date(Date.UTC(2046, 0, 1 + day++)).toISOString();
    const answer = await request(front, 'POST', '/basic/api/book', {
        body: {node_id: 'n', start, end: start.replace('T00', 'T01'), gpu_ids: ['g0']}, headers: basic('bob'),
    });
    assert.equal(answer.status, 201, answer.text);
    return answer.json.booking_id;
}

for (const prefix of PREFIXES) {
    it(`below ${prefix} no forgery gains anything`, async (front) => {
        const id = await bobs(front);
        for (const [what, headers] of Object.entries(FORGED)) {
            const session = await request(front, 'GET', `${prefix}api/session`, {headers});
            if (session.status === 200) assertHas(session.json, {user: null, claimed: false, admin: false});
            else assert.ok([400, 401].includes(session.status), `${what}: ${session.status}`);
            for (const [method, target, body] of [
                ['DELETE', `bookings/${id}`], ['PATCH', `bookings/${id}`, {note: 'taken'}], ['POST', 'mark_done', {booking_id: id}],
                ['POST', 'reload_config'], ['POST', 'release', {booking_id: id, release_token: '0'.repeat(32)}],
                ['GET', 'bookings'], ['HEAD', 'bookings'],
            ]) {
                const {status} = await request(front, method, `${prefix}api/${target}`, {body, headers});
                const wanted = target === 'release' ? [403] : [401];
                assert.ok([400, ...wanted].includes(status), `${what}: ${method} ${target} is answered with ${status}`);
            }
        }
        assertHas((await request(front, 'GET', `/basic/api/bookings/${id}`, {headers: basic('bob')})).json, {status: 'active', note: null, version: 1});
    });
}

it('the forgeries are real: where nginx checks nothing and sends $remote_user all the same, anybody is an administrator', async (front) => {
    assertHas((await request(front, 'GET', '/trap/api/session', {headers: basic('ada', '')})).json, {user: 'ada', admin: true});
});

it('two names for one request are none, and the log says so', async (front) => {
    assertHas((await request(front, 'GET', '/twice/api/session', {headers: basic('ada')})).json, {user: null, admin: false});
    assert.match(front.stderr, /sends two different REMOTE_USER/);
    assert.equal((await request(front, 'GET', '/twice/api/session', {headers: {}})).status, 200);
});

it('logins work in the locations that have them, for every method', async (front) => {
    for (const [prefix, bob, ada] of [
        ['/basic/', basic('bob'), basic('ada')], ['/public/', basic('bob'), basic('ada')],
        ['/sso/', {Cookie: 'session=bob'}, {Cookie: 'session=ada'}],
    ]) {
        const id = await bobs(front);
        assertHas((await request(front, 'GET', `${prefix}api/session`, {headers: bob})).json, {user: 'bob', admin: false});
        assertHas((await request(front, 'GET', `${prefix}api/session`, {headers: ada})).json, {user: 'ada', admin: true});
        assertHas((await request(front, 'PATCH', `${prefix}api/bookings/${id}`, {body: {note: 'mine'}, headers: bob})).json, {note: 'mine'});
        assert.equal((await request(front, 'POST', `${prefix}api/reload_config`, {headers: ada})).status, 200);
        assert.equal((await request(front, 'POST', `${prefix}api/mark_done`, {body: {booking_id: id}, headers: bob})).status, 200);
        const page = await request(front, 'GET', prefix, {headers: bob});
        assert.equal(page.status, 200);
        assert.match(page.headers['content-security-policy'], /default-src 'none'/);
    }
});

it('single sign-on: the page leads to the sign-in, the API says it in words, and a proxy that names nobody lets nobody in', async (front) => {
    const page = await request(front, 'GET', '/sso/');
    assert.equal(page.status, 302);
    assert.match(page.headers.location, /\/oauth2\/sign_in\?rd=\/sso\/$/);
    assertRefused(await request(front, 'GET', '/sso/api/nodes'), 401, 'You are not logged in, or no longer: load the page again to sign in');
    assertRefused(await request(front, 'GET', '/sso/api/nodes', {headers: {Cookie: 'session=nameless'}}), 401, /needs a login/);
    assert.equal((await request(front, 'GET', '/sso/.login')).status, 404);
});

it('the proxy is not told what a client says of itself, nor given the body', async (front) => {
    told.length = 0;
    await request(front, 'POST', '/sso/api/mark_done', {
        body: {booking_id: 1}, headers: {'X-Auth-Request-User': 'ada', 'X-Forwarded-User': 'ada'},
    });
    assert.equal(told.length, 1);
    for (const name of ['x-auth-request-user', 'x-forwarded-user', 'content-length']) assert.equal(told[0][name], undefined, name);
});

it('what nginx itself refuses below a login is said in the API\'s form', async (front) => {
    for (const [prefix, bob] of [['/basic/', basic('bob')], ['/sso/', {Cookie: 'session=bob'}]]) {
        assertRefused(await request(front, 'POST', `${prefix}api/book`, {raw: 'x'.repeat(1_100_000), headers: bob}), 413, /larger than 1 MiB/);
        assertRefused(await request(front, 'GET', `${prefix}api/unknown`, {headers: bob}), 404, 'Unknown endpoint');
    }
});

/* -- other ways to read, and none to log in ----------------------------------------------------------------------- */

const publicly = front_({mode: 'remote_user', admins: ['ada'], read: 'public'});

publicly('with "read": "public" everybody looks, and only who is logged in writes', async (front) => {
    const id = await bobs(front);
    for (const prefix of ['/public/', '/none/']) {
        for (const target of ['nodes', 'timeline', 'bookings', `bookings/${id}`, 'calendar.ics', 'events', 'find', 'metrics'])
            assert.equal((await request(front, 'GET', `${prefix}api/${target}`)).status, 200, target);
        for (const headers of [{}, FORGED['a claim'], FORGED['a Basic header without a password']])
            assertRefused(await request(front, 'DELETE', `${prefix}api/bookings/${id}`, {headers}), 401);
        assertHas((await request(front, 'GET', `${prefix}api/session`)).json, {mode: 'remote_user', user: null});
    }
    assertRefused(await request(front, 'POST', '/none/api/reload_config'), 401, /needs an administrator's login/);
    assertRefused(await request(front, 'POST', '/none/api/book', {body: {}}), 401, /Booking, and changing bookings, needs a login here/);
    assert.match((await request(front, 'DELETE', `/public/api/bookings/${id}`)).headers['www-authenticate'], /^Basic /);
    assert.match((await request(front, 'DELETE', `/none/api/bookings/${id}`)).headers['www-authenticate'], /^Login /);
    assert.equal((await request(front, 'DELETE', `/public/api/bookings/${id}`, {headers: basic('bob')})).status, 200);
});

const openly = front_({mode: 'open'});

openly('in open mode nobody is an administrator or a login by what they send; a claim is marked as one', async (front) => {
    for (const [what, headers] of Object.entries(FORGED)) {
        const answer = await request(front, 'GET', '/none/api/session', {headers});
        if (what === 'a claim') assertHas(answer.json, {mode: 'open', user: 'ada', claimed: true, admin: false});
        else if (answer.status === 200) assertHas(answer.json, {mode: 'open', user: null, claimed: false, admin: false});
        else assert.equal(answer.status, 400, what); /* two Authorization headers */
    }
});
