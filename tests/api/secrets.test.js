'use strict';
/*
 * Nothing secret stands in a log, an event or an answer: passwords and tokens that are known are sent in every place where they belong and
 * where somebody may put them by mistake; then everything that the planner and its nginx wrote and tell is searched for them.
 */
const assert = require('node:assert/strict');
const {spawn} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {basic, example, frontSuite} = require('./front.js');
const {PATIENCE, build, rawRequest, request, sleep, source} = require('./harness.js');

const PASSWORD = 'pw-Kestrel-77', WRONG = 'pw-Heron-78', BEARER = 'bearer-Osprey-79', COOKIE = 'cookie-Egret-80', FALSE_TOKEN = 'c0ffee'.repeat(5) + '81';
const it = frontSuite({
    config: {nodes: [{id: 'n', gpus: [{id: 'g0'}]}], auth: {mode: 'remote_user', admins: ['ada']}},
    passwords: {ada: PASSWORD, bob: PASSWORD},
    args: ['--verbose'],
    locations: (front) => `access_log ${front.directory}/access.log procplan; error_log stderr info;
        ${example('basic-auth.conf', {'/etc/nginx/procplan.htpasswd': front.passwords, '/usr/local/share/procplan/htdocs/': `${source}/htdocs/`})}`,
});

/* What the planner and nginx wrote, and what they tell an administrator. */
async function everythingSaid(front) {
    await sleep(100); /* the last lines */
    /* nginx's error log quotes request lines, queries too; a call that takes nothing secret in its query is all that can be done. */
    const log = front.stderr.replaceAll(/^(\d{4}\/.* request: "\S+ [^?" ]*)\?[^" ]*/gm, '$1');
    const said = {log, 'access log': fs.readFileSync(path.join(front.directory, 'access.log'), 'utf8')};
    for (const target of ['events?limit=1000', 'metrics', 'bookings?limit=1000', 'timeline', 'calendar.ics', 'usage?by=user', 'session', 'nodes'])
        said[target] = (await request({...front, unchecked: true}, 'GET', `/api/${target}`, {headers: basic('ada', PASSWORD)})).text;
    return said;
}

/* As it is, and as it travels. */
const forms = (secret) => [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)];

it('no password, token or Authorization stands in a log, an event or an answer, at the highest level of the log', async (front) => {
    const answers = [];
    const ask = async (method, target, options) => {
        const answer = await request({...front, unchecked: true}, method, target, options); /* what is described is not the matter here */
        answers.push([`${method} ${target}`, answer]);
        return answer;
    };
    const bob = basic('bob', PASSWORD);
    const wish = {node_id: 'n', gpu_count: 1, start: '2048-01-01T00:00Z', end: '2048-01-01T04:00Z'};
    const made = await request(front, 'POST', '/api/book', {headers: {...bob, 'Idempotency-Key': 'k1'}, body: wish});
    assert.equal(made.status, 201, made.text);
    const {booking_id, release_token: token} = made.json;

    for (const headers of [basic('bob', WRONG), {Authorization: `Bearer ${BEARER}`}, {Authorization: BEARER}, {'Proxy-Authorization': `Bearer ${BEARER}`},
        {...bob, Cookie: `session=${COOKIE}`}, {...bob, 'X-Api-Key': BEARER}, {...bob, 'Procplan-User': 'somebody'}])
        for (const [method, target, body] of [['GET', '/api/nodes'], ['GET', '/api/none'], ['POST', '/api/book', wish], ['POST', '/api/mark_done', {booking_id: 99}],
            ['POST', '/api/reload_config'], ['POST', '/api/release', {booking_id, release_token: FALSE_TOKEN}], ['DELETE', `/api/bookings/99`]])
            await ask(method, target, {headers, body});
    /* In the wrong place, of the wrong type, with broken JSON around it, to a wrong address, with a wrong method. */
    for (const [method, target, body] of [
        ['POST', '/api/release', {booking_id, release_token: [token]}], ['POST', '/api/release', {booking_id, release_token: token + token}],
        ['POST', '/api/release', {booking_id: 12345, release_token: token}], ['POST', '/api/release', {release_token: token}],
        ['POST', '/api/release', {booking_id, token}], ['POST', '/api/release', {booking_id, [token]: 1}],
        ['POST', '/api/release', `{"booking_id": ${booking_id}, "release_token": "${token}"`], ['POST', '/api/release', `release_token=${token}`],
        ['POST', '/api/release', token], ['POST', '/api/release', `{"release_token": "${token}", "release_token": "${FALSE_TOKEN}"}x`],
        ['GET', `/api/release?release_token=${token}`, undefined], ['PUT', '/api/release', {booking_id, release_token: token}],
        ['POST', `/api/release?booking_id=${booking_id}&release_token=${token}`, {}],
        ['POST', '/api/releases', {booking_id, release_token: token}], ['POST', '/api/mark_done', {booking_id: 99, release_token: token}],
        ['GET', `/api/nodes?password=${PASSWORD}&token=${token}`, undefined],
        ['PATCH', `/api/bookings/${booking_id}`, {release_token: token}], ['POST', '/api/book', {...wish, release_token: token}],
    ]) {
        const raw = typeof body === 'string' ? {raw: body} : {body};
        await ask(method, target, {...raw, headers: bob});
        await ask(method, target, raw);
    }
    for (const line of ['GET /api/nodes HTTP/9.9', 'GET /api/%zz HTTP/1.1'])
        answers.push([line, await rawRequest(front, `${line}\r\nHost: planner\r\nAuthorization: Basic ${forms(`bob:${WRONG}`)[1]}\r\nConnection: close\r\n\r\n`)]);
    assert.equal((await request(front, 'POST', '/api/release', {body: {booking_id, release_token: token}})).status, 200, 'nothing of that has ended it');

    const said = await everythingSaid(front);
    assert.match(said.log, /debug: request \w+: 403 POST \/api\/release/, 'the log is at its highest level');
    assert.match(said['access log'], /POST \/api\/release/);
    assert.match(said['events?limit=1000'], /"completed"/);
    const secrets = [PASSWORD, WRONG, BEARER, COOKIE, FALSE_TOKEN, token, `bob:${PASSWORD}`, `bob:${WRONG}`, ...[PASSWORD, WRONG].map((word) => `ada:${word}`)].flatMap(forms);
    for (const [where, text] of Object.entries(said))
        for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} stands in ${where}:\n${text.split('\n').find((line) => line.includes(secret))}`);
    for (const [what, {text, headers}] of answers)
        for (const secret of secrets) assert.ok(!(text + JSON.stringify(headers)).includes(secret), `${secret} is in the answer to ${what}:\n${text}`);
});

/* Runs PROGRAM with nothing of the environment; what it said on both streams. */
function run(name, args, env) {
    return new Promise((resolve, reject) => {
        const child = spawn(path.join(build, name), args, {env: {PATH: process.env.PATH, HOME: '/nonexistent', NO_PROXY: '*', PROCPLAN_CONFIG_SYSTEM: '/nonexistent', ...env},
            stdio: ['ignore', 'pipe', 'pipe']});
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
        let said = '';
        for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
        child.on('error', reject);
        child.on('close', () => { clearTimeout(timer); resolve(said); });
    });
}

it('the programs for a shell say neither the password of their address nor a token, whatever goes wrong', async (front) => {
    const address = (word, port = front.port) => `http://bob:${word}@127.0.0.1:${port}`;
    const secrets = [PASSWORD, WRONG, FALSE_TOKEN, `bob:${PASSWORD}`, `bob:${WRONG}`].flatMap(forms);
    for (const url of [address(PASSWORD), address(WRONG), address(WRONG, 9), `${address(PASSWORD)}/none`, `ftp://bob:${PASSWORD}@127.0.0.1`, `http://bob:${PASSWORD}@127.0.0.1:port`]) {
        for (const [name, args] of [
            ['procplan-notify', ['--url', url, '--booking-id', '1', '--token', FALSE_TOKEN, '--timeout', '5']],
            ['procplan-notify', ['--url', url, '--booking-id', '1', '--timeout', '5']],
            ['procplan-cli', ['--url', url, 'list']], ['procplan-cli', ['--url', url, 'nodes', '--json']], ['procplan-cli', ['--url', url, 'done', '1']],
        ]) {
            const said = await run(name, args);
            assert.notEqual(said, '');
            for (const secret of secrets) assert.ok(!said.includes(secret), `${name} ${args.join(' ')} says ${secret}:\n${said}`);
        }
        const said = await run('procplan-notify', ['--booking-id', '1', '--timeout', '5'], {PROCPLAN_URL: url, PROCPLAN_RELEASE_TOKEN: FALSE_TOKEN});
        for (const secret of secrets) assert.ok(!said.includes(secret), said);
    }
    const {log} = await everythingSaid(front);
    for (const secret of secrets) assert.ok(!log.includes(secret), secret);
});
