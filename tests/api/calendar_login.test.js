'use strict';
/* How calendar programs get in where people log in (README, "Calendars"): with curl as such a program, which sends what its address holds. */
const assert = require('node:assert/strict');
const {spawn, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const {basic, example, frontSuite} = require('./front.js');
const {PATIENCE, request, source} = require('./harness.js');

const skip = spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed';
const nodes = [{id: 'n', gpus: [{id: 'g0'}]}];
const page = {'/usr/local/share/procplan/htdocs/': `${source}/htdocs/`};
const suiteOf = (options) => {
    const suite = frontSuite({passwords: {ada: "ada's password"}, ...options});
    return (name, body) => suite(name, (front, t) => (skip ? t.skip(skip) : body(front, t)));
};

/* What curl gets from the calendar at an address with USER in it: {status, text}. */
function subscribe(front, user, target = '/api/calendar.ics') {
    const address = `http://${user}127.0.0.1:${front.port}${target}`;
    return new Promise((resolve, reject) => {
        const child = spawn('curl', ['-q', '-s', '--noproxy', '*', '--max-time', String(PATIENCE / 1000), '-w', '\n%{http_code}', address]);
        let said = '';
        child.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
        child.on('error', reject);
        child.on('close', () => resolve({status: Number(said.slice(said.lastIndexOf('\n') + 1)), text: said.slice(0, said.lastIndexOf('\n'))}));
    });
}
const isCalendar = ({status, text}) => {
    assert.equal(status, 200, text);
    assert.match(text, /^BEGIN:VCALENDAR\r\n[^]*\r\nEND:VCALENDAR\r\n$/);
};
const ADA = "ada:ada's%20password@".replaceAll("'", '%27');

const basically = suiteOf({
    config: {nodes, auth: {mode: 'remote_user'}},
    locations: (front) => example('basic-auth.conf', {'/etc/nginx/procplan.htpasswd': front.passwords, ...page}),
});

basically('with basic-auth.conf an address with name and password is a calendar, and one without is refused', async (front) => {
    isCalendar(await subscribe(front, ADA));
    isCalendar(await subscribe(front, ADA, '/api/calendar.ics?user_label=ada'));
    for (const user of ['', 'ada:wrong@', 'ada@']) assert.equal((await subscribe(front, user)).status, 401, user);
});

/* A sign-in proxy that knows nobody. */
const proxy = http.createServer((question, answer) => { answer.writeHead(401); answer.end(); });
proxy.unref();
const text = fs.readFileSync(path.join(source, 'nginx', 'examples', 'sso-auth-request.conf'), 'utf8');
const location = /^# location = \/procplan\/api\/calendar\.ics \{[\s\S]*?^# \}$/m.exec(text)[0];
async function singleSignOn(front, ours) {
    if (!proxy.listening) await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    return example('sso-auth-request.conf', {
        'http://127.0.0.1:4180': `http://127.0.0.1:${proxy.address().port}`, ...page,
        [location]: ours(location.replaceAll(/^# ?/gm, '').replaceAll('/etc/nginx/procplan-calendars.htpasswd', front.passwords)),
    });
}

const signedOn = suiteOf({config: {nodes, auth: {mode: 'remote_user', admins: ['ada']}}, locations: (front) => singleSignOn(front, (ours) => ours)});

signedOn('behind single sign-on the commented location lets a calendar in by a password of its own, which opens nothing else', async (front) => {
    isCalendar(await subscribe(front, ADA));
    for (const user of ['', 'ada:wrong@', 'ada@']) {
        const {status, text: said} = await subscribe(front, user);
        assert.equal(status, 401, user);
        assert.deepEqual(JSON.parse(said), {error: 'A login is needed here', status: 401});
    }
    const asked = await request(front, 'GET', '/api/calendar.ics');
    assert.match(asked.headers['www-authenticate'], /^Basic /, 'or a program would not know what to send');
    for (const [method, target, body] of [['GET', '/api/nodes'], ['GET', '/api/timeline'], ['POST', '/api/reload_config'], ['POST', '/api/book', {}]])
        assert.equal((await request(front, method, target, {body, headers: basic('ada')})).status, 401, target);
    assert.equal((await request(front, 'DELETE', '/api/calendar.ics', {headers: basic('ada')})).status, 405);
});

const publicly = suiteOf({
    config: {nodes, auth: {mode: 'remote_user', read: 'public'}},
    locations: (front) => singleSignOn(front, (ours) => {
        const open = ours.replaceAll(/^ *auth_basic.*\n/gm, '').replace('REMOTE_USER $remote_user', 'REMOTE_USER ""');
        assert.equal(ours.split('\n').length - open.split('\n').length, 2);
        return open;
    }),
});

publicly('where everybody may look the calendar needs no password, and a name that is sent counts for nothing', async (front) => {
    isCalendar(await subscribe(front, ''));
    isCalendar(await subscribe(front, 'ada:wrong@'));
    assert.equal((await request(front, 'GET', '/api/nodes')).status, 401, 'the rest asks for a login');
});

const closed = suiteOf({config: {nodes, auth: {mode: 'remote_user'}}, locations: (front) => singleSignOn(front, (ours) => ours
    .replaceAll(/^ *auth_basic.*\n/gm, '').replace('REMOTE_USER $remote_user', 'REMOTE_USER ""'))});

closed('where looking needs a login, a location without one gives no calendar', async (front) => {
    const {status, text: said} = await subscribe(front, 'ada:wrong@');
    assert.equal(status, 401);
    assert.match(JSON.parse(said).error, /needs a login/);
});
