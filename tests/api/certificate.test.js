'use strict';
/*
 * nginx/examples/client-certificate.conf, as it stands, beside another site in one server{} that speaks TLS. openssl makes an authority
 * and what it signs; a second authority is a stranger.
 */
const assert = require('node:assert/strict');
const {execFileSync, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const {assertHas, assertRefused} = require('./fixtures.js');
const {basic, example, freePort, frontSuite} = require('./front.js');
const {PATIENCE, request, source, temporaryFolder} = require('./harness.js');

const openssl = (...args) => execFileSync('openssl', args, {stdio: ['ignore', 'pipe', 'pipe']});
const folder = temporaryFolder();
const file = (name) => path.join(folder, name);
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function authority(name) {
    openssl('req', '-x509', ...key, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), '-days', '2', '-subj', `/CN=${name}`);
}

/* A certificate of AUTHORITY for SUBJECT, as https.request wants it; USAGE: what it is for. */
function certificate(by, subject, {usage = 'clientAuth', days = '2', name = String(fs.readdirSync(folder).length)} = {}) {
    fs.writeFileSync(file(`${name}.ext`), `basicConstraints=CA:FALSE\nextendedKeyUsage=${usage}\n`);
    openssl('req', '-new', ...key, '-utf8', '-multivalue-rdn', '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', subject);
    const sign = (...validity) => openssl('x509', '-req', '-in', file(`${name}.csr`), '-CA', file(`${by}.pem`), '-CAkey', file(`${by}.key`),
        '-CAcreateserial', ...validity, '-extfile', file(`${name}.ext`), '-out', file(`${name}.pem`));
    try {
        sign('-days', days);
    } catch (error) {
        if (days !== '-1') throw error;
        sign('-not_before', '20200101000000Z', '-not_after', '20200102000000Z'); /* OpenSSL 3.4 and newer */
    }
    return {cert: fs.readFileSync(file(`${name}.pem`)), key: fs.readFileSync(file(`${name}.key`))};
}

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';
const people = {};
if (!skip) {
    authority('ours');
    authority('strangers');
    for (const name of ['ada', 'bob']) people[name] = certificate('ours', `/O=Lab/CN=${name}`, {name});
    certificate('ours', '/CN=localhost', {usage: 'serverAuth', name: 'server'});
}

const text = fs.readFileSync(path.join(source, 'nginx', 'examples', 'client-certificate.conf'), 'utf8');
/* What it says belongs to http{}. */
const map = /^# map [\s\S]*?^# \}$/m.exec(text)[0].replaceAll(/^# ?/gm, '');

async function locations(front) {
    front.tls = await freePort();
    return `listen 127.0.0.1:${front.tls} ssl;
        ssl_certificate ${file('server.pem')};
        ssl_certificate_key ${file('server.key')};
        location / { return 200 "another site\\n"; }
        ${example('client-certificate.conf', {'/etc/nginx/procplan-ca.pem': file('ours.pem'), '/usr/local/share/procplan/htdocs/': `${source}/htdocs/`}, '/procplan/')}`;
}
const suiteOf = (auth, options = {}) => {
    const suite = frontSuite({config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}], auth}, locations, http: map, health: '/procplan/api/health', ...options});
    return (name, body) => suite(name, (front, t) => (skip ? t.skip(skip) : body(front, t)));
};
const it = suiteOf({mode: 'remote_user', admins: ['ada']});

/* One request over TLS as WHO, or as nobody (null). */
function tls(front, who, method, target, {body, headers = {}} = {}) {
    const bytes = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
        const call = https.request({host: '127.0.0.1', port: front.tls, method, path: target, agent: false, rejectUnauthorized: false, ...who ?? {},
            headers: {...headers, ...bytes === undefined ? {} : {'Content-Length': Buffer.byteLength(bytes)}}}, (response) => {
            let said = '';
            response.setEncoding('utf8').on('data', (part) => { said += part; }).on('end', () => {
                let json;
                try { json = JSON.parse(said); } catch { /* not JSON */ }
                resolve({status: response.statusCode, headers: response.headers, text: said, json});
            });
        });
        call.setTimeout(PATIENCE, () => call.destroy(new Error(`${method} ${target}: no answer`)));
        call.on('error', reject);
        call.end(bytes);
    });
}
const user = async (front, who) => {
    const answer = await tls(front, who, 'GET', '/procplan/api/session');
    return answer.status === 200 ? answer.json.user : answer.status;
};

let day = 0;
const wish = () => {
    const start = new Date(Date.UTC(2047, 0, 1 + day++)).toISOString();
    return {node_id: 'n', start, end: start.replace('T00', 'T01'), gpu_ids: ['g0']};
};
const bobs = async (front) => {
    const answer = await tls(front, people.bob, 'POST', '/procplan/api/book', {body: wish()});
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
};

it('the CN of a verified certificate is the login, for every method', async (front) => {
    assertHas((await tls(front, people.ada, 'GET', '/procplan/api/session')).json, {mode: 'remote_user', user: 'ada', admin: true});
    assertHas((await tls(front, people.bob, 'GET', '/procplan/api/session')).json, {user: 'bob', admin: false});
    const {booking_id} = await bobs(front);
    assertHas((await tls(front, people.bob, 'PATCH', `/procplan/api/bookings/${booking_id}`, {body: {note: 'mine'}})).json, {owner: 'bob', note: 'mine'});
    assert.equal((await tls(front, people.bob, 'POST', '/procplan/api/reload_config')).status, 403);
    assert.equal((await tls(front, people.ada, 'POST', '/procplan/api/reload_config')).status, 200);
    assert.equal((await tls(front, people.ada, 'DELETE', `/procplan/api/bookings/${booking_id}`)).status, 200);
    const page = await tls(front, people.bob, 'GET', '/procplan/');
    assert.equal(page.status, 200);
    assert.match(page.headers['content-security-policy'], /script-src 'self'/);
});

it('without a certificate there is neither page nor API, but health and the release of a token, and that is said', async (front) => {
    const {booking_id, release_token} = await bobs(front);
    const page = await tls(front, null, 'GET', '/procplan/');
    assert.deepEqual([page.status, page.headers['content-type']], [401, 'text/plain']);
    assert.match(page.text, /needs a client certificate/);
    for (const [method, target] of [['GET', 'nodes'], ['GET', 'session'], ['POST', 'book'], ['DELETE', `bookings/${booking_id}`], ['POST', 'mark_done']]) {
        const answer = await tls(front, null, method, `/procplan/api/${target}`, {body: method === 'POST' ? {} : undefined});
        assertRefused(answer, 401, 'A client certificate is needed here, and none was shown that names somebody');
        assert.equal(answer.headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
        assert.match(answer.headers['www-authenticate'], /^Login /);
    }
    assert.equal((await tls(front, null, 'GET', '/procplan/api/health')).status, 200);
    assertRefused(await tls(front, null, 'POST', '/procplan/api/release', {body: {booking_id, release_token: '0'.repeat(32)}}), 403, /release token/);
    assert.equal((await tls(front, null, 'POST', '/procplan/api/release', {body: {booking_id, release_token}})).status, 200);
});

it('no header, and no connection without TLS, makes anybody somebody', async (front) => {
    for (const headers of [basic('ada'), {'Ssl-Client-S-Dn': 'CN=ada', 'Ssl-Client-Verify': 'SUCCESS', 'X-SSL-Client-CN': 'ada', 'Remote-User': 'ada'}, {'Procplan-User': 'ada'}]) {
        assertRefused(await tls(front, null, 'GET', '/procplan/api/session', {headers}), 401);
        assertRefused(await request(front, 'GET', '/procplan/api/session', {headers}), 401);
        assertHas((await tls(front, people.bob, 'GET', '/procplan/api/session', {headers})).json, {user: 'bob', claimed: false, admin: false});
    }
});

it('a subject that could be read in two ways is nobody', async (front) => {
    const subjects = {
        '/CN=carol': 'carol',
        '/CN=carol@example.org/O=Lab/C=DE': 'carol@example.org',
        '/O=Lab+CN=carol': 'carol',
        '/CN=Carol Smith': 'Carol Smith',
        '/O=x,CN\\=ada': 401, /* no CN, but an organisation that calls itself so */
        '/O=x,CN\\=ada/CN=bob': 'bob',
        '/O=x\\\\,CN\\=ada/CN=bob': 'bob',
        '/O=x\\+CN\\=ada': 401,
        '/CN=ada/CN=bob': 401,
        '/CN=bob+CN=ada': 401,
        '/CN=bob,CN\\=ada': 401,
        '/CN=Zoë': 401,
        '/CN= ': 401,
        '/O=Lab': 401,
        '/emailAddress=ada': 401,
    };
    for (const [subject, wanted] of Object.entries(subjects))
        assert.equal(await user(front, certificate('ours', subject)), wanted, subject);
});

it('a stranger\'s certificate, an expired one and a server\'s are refused, and nothing is done', async (front) => {
    const {booking_id} = await bobs(front);
    const bad = {
        'of a stranger': certificate('strangers', '/CN=ada'),
        'signed by bob': certificate('bob', '/CN=ada'),
        'expired': certificate('ours', '/CN=ada', {days: '-1'}),
        'for servers': certificate('ours', '/CN=ada', {usage: 'serverAuth'}),
    };
    for (const [what, who] of Object.entries(bad)) {
        for (const [method, target] of [['GET', 'session'], ['DELETE', `bookings/${booking_id}`]])
            assert.ok([400, 401].includes((await tls(front, who, method, `/procplan/api/${target}`)).status), what);
    }
    assertHas((await tls(front, people.bob, 'GET', `/procplan/api/bookings/${booking_id}`)).json, {status: 'active', version: 1});
});

it('the site beside is for everybody, with a certificate and without', async (front) => {
    assert.deepEqual([(await tls(front, null, 'GET', '/')).text, (await tls(front, people.ada, 'GET', '/')).text, (await request(front, 'GET', '/')).text],
        Array(3).fill('another site\n'));
});

const publicly = suiteOf({mode: 'remote_user', read: 'public'}, {
    locations: async (front) => {
        const all = await locations(front);
        const without = all.replaceAll(/^ *if .*\n/gm, '');
        assert.equal(all.split('\n').length - without.split('\n').length, 2);
        return without;
    },
});

publicly('as the example says: without the two lines everybody looks, and who has a certificate writes', async (front) => {
    assert.equal((await tls(front, null, 'GET', '/procplan/')).status, 200);
    assert.equal((await tls(front, null, 'GET', '/procplan/api/nodes')).status, 200);
    assertRefused(await tls(front, null, 'POST', '/procplan/api/book', {body: wish()}), 401);
    const {booking_id} = await bobs(front);
    assertRefused(await tls(front, null, 'DELETE', `/procplan/api/bookings/${booking_id}`, {headers: basic('bob')}), 401);
    assert.equal((await tls(front, people.bob, 'DELETE', `/procplan/api/bookings/${booking_id}`)).status, 200);
});
