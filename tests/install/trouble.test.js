'use strict';
/* README's "When something does not work": each row of the table is brought about on a host, seen, and put right as it says. */
const assert = require('node:assert/strict');
const {spawn, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('../fault/pool.js');
const hosts = require('./host.js');

const {ask} = hosts;
const readme = fs.readFileSync(path.join(pools.source, 'README'), 'utf8');
const table = readme.split('### When something does not work')[1].split('\n## ')[0];
/* What is seen → what it is. */
const rows = new Map([...table.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, seen, is]) => [seen, is]).filter(([seen]) => seen !== 'what you see' && !/^-+$/.test(seen)));

const ends = [];
require('node:test').after(async () => { for (const end of ends) await end(); });
let taken = null;
const shown = new Set();
/* The test of the row that is seen as SEEN; its second cell has to speak of each of WORDS. */
function row(seen, words, body, {skip = false} = {}) {
    shown.add(seen);
    test(`when one sees: ${seen}`, {timeout: 4 * pools.PATIENCE, skip: hosts.missing || skip}, async (t) => {
        for (const word of words) assert.ok(rows.get(seen)?.includes(word), `README's row speaks of "${word}"`);
        taken ??= hosts.takeIn({after: (end) => ends.unshift(end)});
        await body(await taken, t);
    });
}

test('every row of the table is shown here', () => {
    assert.ok(rows.size >= 8);
    assert.deepEqual([...rows.keys()].sort(), [...shown].sort());
});

const hours = {start: '2045-03-01T00:00', end: '2045-03-01T04:00', user_label: 'ada'};
let day = 0;
/* Books what nobody has booked. */
async function book(nginx, headers = {}) {
    const {json: {nodes}} = await ask(nginx.port, 'GET', '/procplan/api/nodes');
    const date = new Date(Date.UTC(2045, 0, 1 + day++)).toISOString().slice(0, 11);
    return ask(nginx.port, 'POST', '/procplan/api/book', {headers, body: {...hours, node_id: nodes[0].id, gpu_count: 1, start: `${date}00:00`, end: `${date}04:00`}});
}
const conf = (host) => ['-p', host.folder, '-e', 'stderr', '-c', path.join(host.nginx, 'nginx.conf')];
const program = process.env.PROCPLAN_NGINX || ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((file) => fs.existsSync(file));

row('`nginx -t`: no port in upstream "procplan"', ['conf.d/procplan.conf'], ({host}) => {
    const file = path.join(host.nginx, 'conf.d', 'procplan.conf');
    fs.renameSync(file, `${file}.away`);
    try {
        const without = spawnSync(program, ['-t', '-q', ...conf(host)]);
        assert.notEqual(without.status, 0);
        assert.match(without.stderr.toString(), /no port in upstream "procplan"/);
    } finally {
        fs.renameSync(`${file}.away`, file);
    }
    assert.equal(spawnSync(program, ['-t', '-q', ...conf(host)]).status, 0);
});

row('502, "The planner did not answer"', ['procplan.socket', 'error log', '--with-nginx-group'], async ({host, nginx}) => {
    const seen = async (sentence) => {
        nginx.log = '';
        const {status, json} = await ask(nginx.port, 'GET', '/procplan/api/nodes');
        assert.deepEqual([status, json.error], [502, 'The planner did not answer; try again']);
        await pools.logged(nginx, sentence);
    };
    fs.renameSync(host.socket, `${host.socket}.away`);
    await seen(/procplan\.sock failed \(2: No such file or directory\)/);
    fs.renameSync(`${host.socket}.away`, host.socket);
    const {uid, gid} = fs.statSync(host.socket);
    if (hosts.root) fs.chownSync(host.socket, 0, 0); /* another group than nginx's */
    else fs.chmodSync(host.socket, 0);
    await seen(/procplan\.sock failed \(13: Permission denied\)/);
    if (hosts.root) fs.chownSync(host.socket, uid, gid);
    fs.chmodSync(host.socket, 0o660);
    assert.equal((await ask(nginx.port, 'GET', '/procplan/api/nodes')).status, 200);
});

row('the service comes up and ends, again and again', ['--check-config', 'by itself'], async ({host}, t) => {
    assert.deepEqual(hosts.setting(host, '/procplan.service', 'Restart'), ['on-failure']);
    assert.deepEqual(hosts.setting(host, '/procplan.service', 'StartLimitIntervalSec'), ['0']);
    const broken = path.join(pools.temporaryFolder(t), 'config.json');
    fs.chmodSync(path.dirname(broken), 0o777);
    fs.writeFileSync(broken, '{"nodes": [{"id": "n", "gpu": []}]}');
    const check = spawnSync(host.program, ['--check-config', '--config', broken]);
    assert.equal(check.status, 1);
    assert.match(check.stderr.toString(), /nodes\[0\]: unknown key "gpu"/);
    /* As systemd does it: what fails is started again. */
    const again = 'until "$@"; do sleep 0.1; done';
    const run = pools.start(t, 'sh', ['-c', again, 'sh', host.program, '--config', broken, '--database', `${path.dirname(broken)}/state/procplan.db`,
        '--socket', `${path.dirname(broken)}/s`, '--workers', '1'], {cwd: '/', ...hosts.as(hosts.planner)});
    await pools.logged(run, /(unknown key "gpu"[^]*){3}/);
    fs.writeFileSync(broken, '{"nodes": [{"id": "n", "gpus": []}]}');
    await pools.serving(run);
});

row('503, "The database is busy"', ['five seconds', 'lslocks', 'vacuum'], async ({host, nginx, pool}, t) => {
    const file = path.join(host.state, 'procplan.db.lock');
    assert.equal((await book(nginx)).status, 201);
    const holder = spawn('flock', [file, 'sh', '-c', 'echo held; read -r line'], {stdio: ['pipe', 'pipe', 'inherit']});
    t.after(() => holder.kill('SIGKILL'));
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    pool.log = '';
    const refused = await book(nginx);
    assert.equal(refused.status, 503);
    assert.match(refused.json.error, /^The database is busy/);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    await pools.logged(pool, /503 POST \/api\/book: The database is busy.*no write lock within 5000 ms/);
    assert.match(spawnSync('lslocks', ['-n', '-o', 'COMMAND,PID,PATH']).stdout.toString(), new RegExp(`^flock +${holder.pid} +.*procplan\\.db\\.lock$`, 'm'));
    const ended = new Promise((resolve) => holder.on('close', resolve));
    holder.stdin.end('\n');
    await ended;
    assert.equal((await book(nginx)).status, 201);
}, {skip: pools.toolMissing('flock') || pools.toolMissing('lslocks')});

/* What is answered to BYTES. */
function raw(port, bytes) {
    return new Promise((resolve, reject) => {
        let said = '';
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        socket.setEncoding('utf8').on('data', (text) => { said += text; }).on('close', () => resolve(said)).on('error', reject);
    });
}

row('an error in HTML, and not in JSON', ['400, 414 or 431', 'server { }'], async ({nginx}) => {
    for (const [status, head] of [[414, `GET /procplan/api/nodes?x=${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n`], [400, `GET /procplan/api/nodes HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n`],
        [400, 'GET /procplan/api/nodes HTTP/1.1\r\nHost: a b\r\n']]) {
        const said = await raw(nginx.port, `${head}Connection: close\r\n\r\n`);
        assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} [^]*Content-Type: text/html[^]*<html>`));
    }
});

row('403 on booking from another page', ['allowed_origins'], async ({host, nginx, pool}) => {
    const portal = {Origin: 'https://portal.example.org', 'Sec-Fetch-Site': 'cross-site'};
    const refused = await book(nginx, portal);
    assert.equal(refused.status, 403);
    assert.match(refused.json.error, /allowed_origins/);
    const before = fs.readFileSync(host.config, 'utf8');
    fs.writeFileSync(host.config, JSON.stringify({...JSON.parse(before), allowed_origins: ['https://portal.example.org']}));
    pools.signal(pool.pid, 'SIGHUP');
    /* Not until the log says so: what it said at the start may come as late as this. */
    await pools.until(async () => (await book(nginx, portal)).status === 201, () => pool.log);
    assert.equal((await book(nginx, {...portal, Origin: 'https://elsewhere.example.org'})).status, 403);
    fs.writeFileSync(host.config, before);
    pools.signal(pool.pid, 'SIGHUP');
    await pools.until(async () => (await book(nginx, portal)).status === 403, () => pool.log);
});

row('a changed configuration is not there', ['systemctl reload procplan', 'the log says'], async ({host, nginx, pool}) => {
    assert.match(hosts.setting(host, '/procplan.service', 'ExecReload').join('\n'), /kill -HUP \$+MAINPID\b[^\n]*$/);
    const ids = async () => (await ask(nginx.port, 'GET', '/procplan/api/nodes')).json.nodes.map(({id}) => id);
    const before = await ids();
    fs.writeFileSync(host.config, '{"nodes": [{"id": "new"}]');
    pool.log = '';
    pools.signal(pool.pid, 'SIGHUP');
    await pools.logged(pool, /config\.json: line 1, column \d+: [^]*the configuration was not taken/);
    assert.deepEqual(await ids(), before);
    fs.writeFileSync(host.config, '{"nodes": [{"id": "new"}]}');
    assert.deepEqual(await ids(), before, 'not before it is told');
    pools.signal(pool.pid, 'SIGHUP');
    await pools.until(async () => (await ids())[0] === 'new', () => pool.log);
});

/* The last one: it leaves no room for writes. */
row('429', ['20 writes a second', 'set_real_ip_from', 'real_ip_header'], async ({host, nginx}) => {
    const from = (address) => ask(nginx.port, 'POST', '/procplan/api/book', {body: {}, headers: {'X-Forwarded-For': address}});
    const flood = async () => {
        for (let i = 0; i < 2000; i++) if ((await from('192.0.2.1')).status === 429) return;
        assert.fail('2000 writes are not refused');
    };
    await flood();
    const statuses = [];
    for (let i = 0; i < 30; i++) statuses.push((await from('192.0.2.2')).status);
    assert.ok(statuses.includes(429), 'behind a proxy everybody has its address');
    hosts.addToSite(host, 'real ip here', 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;');
    await nginx.reload();
    await flood();
    for (let i = 0; i < 30; i++) assert.equal((await from('192.0.2.2')).status, 400, 'now each has its own');
});
