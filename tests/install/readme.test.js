'use strict';
/* README's section for a host with nginx, walked as somebody new would: its own lines, in a throw-away root in place of the machine's. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('../fault/pool.js');
const hosts = require('./host.js');

const {ask} = hosts;
const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((file) => fs.existsSync(file));
const options = {timeout: 4 * pools.PATIENCE, skip: hosts.missing || (python ? false : 'python3 is not installed')};
const section = fs.readFileSync(path.join(pools.source, 'README'), 'utf8').split('\n## On a host with nginx\n')[1].split('\n## ')[0];
/* Its parts by their headings, the first without one. */
const parts = new Map(section.split('\n### ').map((text, i) => (i === 0 ? ['', text] : [text.split('\n')[0], text])));
const lines = (part) => parts.get(part).replaceAll('\\\n', ' ').split('\n').filter((line) => line.startsWith('    ')).map((line) => line.trim().replaceAll(/ +/g, ' '));

/* A command of README in the root of HOST: its programs are those that were installed, and absolute paths lie below it. */
function walk(host, line, more = {}) {
    const [name, ...args] = line.split(' ');
    assert.match(name, /^procplan-\w+$/, line);
    const run = spawnSync(host.find(`/${name}`), args.map((word) => word.startsWith('/') ? `${host.folder}${word}` : word), {encoding: 'utf8', cwd: host.folder, ...more});
    return {status: run.status, out: run.stdout, said: run.stdout + run.stderr};
}
const words = (line, from, to) => {
    assert.ok(line.startsWith(from), line);
    return `${to}${line.slice(from.length)}`;
};

test('the commands that README shows for a host are the ones that are walked here, and in the tests beside this one', options, () => {
    assert.deepEqual(lines(''), [
        './bootstrap && ./configure --sysconfdir=/etc && make', 'sudo make install', 'include snippets/procplan.conf;',
        'sudo systemctl enable --now procplan.socket', 'sudo nginx -t && sudo systemctl reload nginx',
    ]);
    assert.equal(lines('Moving in from the original').length, 1);
    assert.equal(lines('Backup').length, 1);
    assert.equal(lines('Without systemd').length, 1); /* service.test.js */
});

/* As `systemctl` does it on the machine that lies in the root; what --now adds needs an init. */
function systemctl(host, line) {
    assert.match(line, /^sudo systemctl (enable|disable) --now procplan\.\w+/);
    const run = spawnSync('systemctl', [`--root=${host.folder}`, ...line.split(' ').slice(2).filter((word) => word !== '--now')], {encoding: 'utf8'});
    assert.equal(run.status, 0, run.stderr);
}
/* Where the links of what is enabled lead, also those that lead nowhere. */
function enabled(host) {
    const folder = path.join(host.folder, 'etc', 'systemd', 'system');
    return fs.readdirSync(folder, {recursive: true}).map(String).filter((name) => name.endsWith('.wants/procplan.socket'))
        .map((name) => fs.readlinkSync(path.join(folder, name)).replace(host.folder, ''));
}

test('install, upgrade and remove: what was enabled is taken back, the site is as before, and bookings and configuration stay',
    {...options, skip: options.skip || pools.toolMissing('systemctl')}, async (t) => {
        let site;
        const home = async (nginx) => { site = (await ask(nginx.port, 'GET', '/')).text; };
        const {host, nginx, pool} = await hosts.takeIn(t, [['here', /^include snippets\/(\S+);$/.exec(lines('')[2])[1]]], home);
        /* takeIn starts what the socket would. The units lie where systemd looks: the link leads to one. */
        systemctl(host, lines('')[3]);
        assert.deepEqual(enabled(host).map((unit) => path.join(host.folder, unit)), [host.find('/procplan.socket')]);
        assert.equal((await ask(nginx.port, 'GET', '/procplan/')).status, 200);

        fs.writeFileSync(host.config, '{"nodes": [{"id": "mine", "gpus": [{"id": "g"}]}]}');
        pools.signal(pool.pid, 'SIGHUP');
        await pools.until(async () => (await ask(nginx.port, 'GET', '/procplan/api/nodes')).json.nodes[0].id === 'mine', () => pool.log);
        const booked = await ask(nginx.port, 'POST', '/procplan/api/book',
            {body: {node_id: 'mine', gpu_ids: ['g'], start: '2045-01-01', end: '2045-01-02', user_label: 'ada'}});
        assert.equal(booked.status, 201, booked.text);

        /* Upgrade: nginx's files are replaced, what is somebody's own is kept. */
        const snippet = path.join(host.nginx, 'snippets', 'procplan-fastcgi.conf'), before = fs.readFileSync(snippet, 'utf8');
        fs.appendFileSync(snippet, '# mine\n');
        hosts.make('install', `DESTDIR=${host.folder}`);
        assert.equal(fs.readFileSync(snippet, 'utf8'), before);
        assert.match(fs.readFileSync(host.config, 'utf8'), /"mine"/);
        assert.match(section, /nginx's files are replaced/);

        /* Remove. */
        const text = fs.readFileSync(host.site, 'utf8');
        fs.writeFileSync(host.site, text.replace('include snippets/procplan.conf;', ''));
        await nginx.reload();
        systemctl(host, /`(sudo systemctl disable [^`]+)`/.exec(section)[1]);
        pools.signal(pool.pid, 'SIGTERM');
        await pool.ended;
        hosts.make('uninstall', `DESTDIR=${host.folder}`);
        await nginx.reload();
        assert.equal((await ask(nginx.port, 'GET', '/')).text, site);
        assert.equal((await ask(nginx.port, 'GET', '/procplan/')).status, 404);
        assert.deepEqual(enabled(host), []);
        assert.match(fs.readFileSync(host.config, 'utf8'), /"mine"/);
        assert.ok(fs.statSync(path.join(host.state, 'procplan.db')).size > 0);
    });

const OLD = `
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.executescript("""
CREATE TABLE nodes (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE gpus (id TEXT PRIMARY KEY, node_id TEXT NOT NULL, kind TEXT NOT NULL);
CREATE TABLE bookings (id INTEGER PRIMARY KEY AUTOINCREMENT, node_id TEXT NOT NULL, start_utc TEXT NOT NULL, end_utc TEXT NOT NULL, user_label TEXT NOT NULL,
    priority TEXT NOT NULL DEFAULT 'medium', status TEXT NOT NULL DEFAULT 'active', created_utc TEXT NOT NULL, updated_utc TEXT NOT NULL);
CREATE TABLE booking_allocations (booking_id INTEGER NOT NULL, gpu_id TEXT NOT NULL, PRIMARY KEY (booking_id, gpu_id));
INSERT INTO nodes VALUES ('rack1', 'Rack One');
INSERT INTO gpus VALUES ('rack1-gpu0', 'rack1', 'A100');
INSERT INTO bookings VALUES (41, 'rack1', '2045-05-01T09:00:00+00:00', '2045-05-01T17:00:00+00:00', 'ada', 'high', 'active',
    '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00');
INSERT INTO booking_allocations VALUES (41, 'rack1-gpu0');
""")
c.commit()
`;

test('moving in, and backup, restore, check and vacuum: README\'s lines as they are, with the original\'s own configuration file', options, async (t) => {
    const host = hosts.install(t);
    hosts.makeState(host);
    assert.equal(spawnSync(python, ['-c', OLD, path.join(host.folder, 'planner.db')]).status, 0);
    const adopted = walk(host, lines('Moving in from the original')[0]);
    assert.equal(adopted.status, 0, adopted.said);
    assert.match(adopted.out, /1 of 1 bookings brought over/);
    fs.writeFileSync(host.config, '{"nodes": [{"id": "rack1", "name": "Rack One", "gpus": [{"id": "rack1-gpu0", "kind": "A100"}]}]}');

    const nginx = await hosts.startNginx(t, host);
    hosts.addToSite(host, 'here', 'include snippets/procplan.conf;');
    await nginx.reload();
    const pool = await hosts.startPool(t, host);
    const read = () => ask(nginx.port, 'GET', '/procplan/api/bookings/41');
    const {json} = await read();
    assert.deepEqual([json.user_label, json.status, json.gpu_ids, json.start], ['ada', 'active', ['rack1-gpu0'], '2045-05-01T09:00:00+00:00']);

    const line = lines('Backup')[0], copy = path.join(host.folder, line.split(' ')[2]);
    fs.mkdirSync(path.dirname(copy), {recursive: true});
    if (hosts.root) {
        const refused = walk(host, line);
        assert.equal(refused.status, 1, 'a folder of root\'s, as README says');
        assert.match(refused.said, /Permission denied/);
        fs.chownSync(path.dirname(copy), hosts.planner.uid, hosts.planner.gid);
    }
    const made = walk(host, line);
    assert.equal(made.status, 0, made.said);
    assert.match(made.out, /MB, checked\n$/);
    assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
    if (hosts.root) assert.equal(fs.statSync(copy).uid, hosts.planner.uid);

    assert.equal((await ask(nginx.port, 'POST', '/procplan/api/mark_done', {body: {booking_id: 41}})).status, 200);
    const restore = words(line, 'procplan-admin backup ', 'procplan-admin restore ');
    assert.match(walk(host, restore).said, /in use: stop the server first/);
    pools.signal(pool.pid, 'SIGTERM');
    await pool.ended;
    const restored = walk(host, restore);
    assert.equal(restored.status, 0, restored.said);
    assert.ok(fs.existsSync(/is kept as (.*)\n/.exec(restored.out)[1]), 'what was there before');
    await hosts.startPool(t, host);
    assert.equal((await read()).json.status, 'active', 'as it was when the copy was made');
    const [, database] = / (--database \S+)$/.exec(line);
    assert.match(walk(host, `procplan-admin check ${database}`).out, /: sound: 1 active bookings, /);
    assert.match(walk(host, `procplan-admin vacuum ${database}`).out, /MB, before that /);
    assert.ok(host.installed.some((name) => name.endsWith('man8/procplan-admin.8')), 'man procplan-admin');
});
