'use strict';
/* make deb, and its packages on a Debian: what is in them, and how they come, go up and go. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {after, test} = require('node:test');
const pools = require('../fault/pool.js');
const debian = require('./debian.js');
const hosts = require('./host.js');

const options = {timeout: 30 * 60_000, skip: debian.missing || hosts.missing};
const BOOKINGS = '/var/lib/procplan/procplan.db';

/* What lasts for the whole file. */
const ends = [];
const whole = {after: (end) => ends.unshift(end)};
after(async () => { for (const end of ends) await end(); });

/* -- the packages ---------------------------------------------------------------------------------------------- */

test('make deb says where its three packages lie', options, () => {
    const {shown} = debian.packages();
    assert.deepEqual(shown.map((file) => path.basename(file).replace(/_.*/, '')).sort(), ['procplan', 'procplan-cli', 'python3-procplan']);
    const [, version] = /^procplan-fcgi ([^\s,]+)/.exec(debian.run(pools.program, ['--version']));
    for (const file of shown) assert.ok(debian.field(file, 'Version').startsWith(`${version}-`));
});

test('lintian finds no error and nothing to warn of', options, (t) => {
    const {changes} = debian.packages();
    const env = {...process.env, TMPDIR: pools.temporaryFolder(t)}; /* some versions leave files of theirs there */
    const said = spawnSync('lintian', ['--allow-root', '--no-cfg', '--display-level', '>=warning', changes], {encoding: 'utf8', env});
    assert.equal(said.stdout, '');
    assert.equal(said.status, 0, said.stderr);
});

test('each file that make install installs is in one package, where Debian has it, and everybody may read it', options, (t) => {
    const {procplan, cli, python} = debian.packages();
    const host = hosts.install(t);
    const prefix = path.relative(host.folder, path.dirname(path.dirname(host.program)));
    const etc = path.relative(host.folder, path.dirname(path.dirname(host.config)));
    const wanted = host.installed.filter((name) => !name.includes('/share/doc/')).map((name) => name
        .replace(/^.*\/procplan\/(__init__|notifier)\.py$/, '/usr/lib/python3/dist-packages/procplan/$1.py')
        .replace(new RegExp(`^${etc}/`), '/etc/').replace(new RegExp(`^${prefix}/`), '/usr/')
        .replace('/zsh/site-functions/', '/zsh/vendor-completions/').replace(/(\/man\/man\d\/.*)$/, '$1.gz')
        .replace(/^(?:\/usr)?(\/lib\/systemd\/)/, '$1'));
    const there = [procplan, cli, python].flatMap((file) => [...debian.contents(file)]);
    const names = there.map(([name]) => name.replace(/^\/usr(\/lib\/systemd\/)/, '$1'));
    assert.deepEqual(names.filter((name) => !name.startsWith('/usr/share/doc/')).sort(), wanted.sort());
    for (const [name, {mode, owner}] of there) {
        assert.equal(owner, 'root/root', name);
        assert.equal(mode, /\/s?bin\/|examples\/.*\.sh$/.test(name) ? '-rwxr-xr-x' : '-rw-r--r--', name);
    }
});

test('the command line needs no web server, and what somebody changes below /etc is his', options, () => {
    const {procplan, cli, python} = debian.packages();
    for (const file of [cli, python]) {
        assert.doesNotMatch(debian.field(file, 'Depends'), /nginx|httpd|systemd/);
        assert.ok([...debian.contents(file).keys()].every((name) => name.startsWith('/usr/')));
    }
    assert.match(debian.field(procplan, 'Depends'), /^nginx \| httpd, /);
    const conffiles = debian.run('dpkg-deb', ['--info', procplan, 'conffiles']).trim().split('\n').sort();
    assert.deepEqual(conffiles, [...debian.contents(procplan).keys()].filter((name) => name.startsWith('/etc/')).sort());
    assert.ok(conffiles.includes('/etc/procplan/config.json'));
    const readme = debian.run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/share/doc/procplan/README.Debian', procplan]);
    assert.match(readme, /^ +include snippets\/procplan\.conf;$/m);
});

/* -- in a Debian of their own ---------------------------------------------------------------------------------- */

/* Roots and their users are root's to make; as somebody else the four tests above are what there is. */
if (!hosts.root) return;

const forbidden = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0 ? false
    : 'needs an init\'s rights: root may not make name spaces here';
const rooted = {...options, skip: options.skip || ['debootstrap', 'unshare', 'nsenter', 'curl'].map(pools.toolMissing).find(Boolean) || forbidden};
let first = null;
/* The root as debootstrap leaves it, with what the packages need; nobody changes it. */
const bare = () => first ??= debian.makeRoot(whole, debian.packages().shown);
const all = () => debian.packages().shown;

/* A next release: nginx's snippet says a word more, so that one sees whether nginx serves by it, and the page is another. */
const newer = (t) => debian.repack(t, debian.packages().procplan, '1.0.1-0', (tree) => {
    const snippet = path.join(tree, 'etc', 'nginx', 'snippets', 'procplan.conf');
    fs.writeFileSync(snippet, fs.readFileSync(snippet, 'utf8').replace(/^ +add_header Cache-Control no-cache always;$/m, '$&\n    add_header X-Release newer always;'));
    fs.appendFileSync(path.join(tree, 'usr', 'share', 'procplan', 'htdocs', 'index.html'), '<!-- newer -->\n');
});

const booking = (day) => JSON.stringify({node_id: 'node-a', gpu_count: 1, user_label: 'ada',
    start: new Date(Date.now() + day * 86_400_000).toISOString(), end: new Date(Date.now() + (day + 1) * 86_400_000).toISOString()});

test('installed in a Debian, the planner answers through nginx; removed and purged, it leaves the bookings and nothing else', rooted, async (t) => {
    const root = debian.copyRoot(t, bare());
    const put = (...command) => debian.inRoot(root, ...command);
    const before = debian.listRoot(root);
    debian.install(root, put, all());
    assert.equal(put('stat', '-c', '%U:%G %a', '/var/lib/procplan'), 'procplan:procplan 700\n');
    assert.equal(put('stat', '-c', '%U:%G %a', '/etc/procplan/config.json'), 'root:root 644\n');
    assert.equal(put('systemctl', 'is-enabled', 'procplan.socket'), 'enabled\n');
    put('systemd-analyze', 'verify', '--man=no', 'procplan.service', 'procplan.socket');
    put('nginx', '-t', '-q');

    const port = await hosts.freePort();
    debian.writeSite(root, `127.0.0.1:${port}`, 'include snippets/procplan.conf;');
    put('nginx', '-t', '-q');
    const nginx = await debian.startInRoot(t, root, null, 'pipe', 'nginx', '-g', 'daemon off;');
    const socket = path.join(root, 'run', 'procplan.sock');
    const [, command] = /^ExecStart=(.*)$/m.exec(put('cat', `${units(root)}/procplan.service`));
    const pool = await pools.withListener(socket, (fd) => debian.startInRoot(t, root, 'procplan:procplan', [fd, 'pipe', 'pipe'], ...command.split(' ')));
    fs.chmodSync(socket, 0o660);
    fs.chownSync(socket, 0, Number(put('getent', 'group', 'www-data').split(':')[2]));
    await pools.serving(pool);
    const page = await hosts.ask(port, 'GET', '/procplan/');
    assert.match(page.text, /<title>[^<]*ProcPlan/);
    const aliases = put('grep', '-rhoE', 'alias [^;]+;', '/etc/nginx/snippets/procplan.conf', '/usr/share/doc/procplan/examples').trim().split('\n');
    assert.ok(aliases.length >= 4 && aliases.every((alias) => alias === aliases[0]), `the examples lead to the same page: ${aliases.join(' ')}`);
    const booked = await hosts.ask(port, 'POST', '/procplan/api/book', {body: booking(3)});
    assert.equal(booked.status, 201, booked.text);
    const url = `http://127.0.0.1:${port}/procplan/`;
    assert.match(put('procplan-cli', '--url', url, 'show', String(booked.json.booking_id)), /ada/);
    assert.match(put('python3', '-c', `from procplan.notifier import signal_completion; print(signal_completion("${url}", ${booked.json.booking_id}))`),
        /NotifyResult\(ok=True/);
    put('procplan-admin', 'check', '--database', BOOKINGS);
    for (const {pid} of [pool, nginx]) pools.signal(pid, 'SIGTERM');
    await Promise.all([pool.ended, nginx.ended]);

    put('dpkg', '--remove', 'procplan', 'procplan-cli', 'python3-procplan');
    put('nginx', '-t', '-q');
    assert.ok(fs.existsSync(path.join(root, 'etc', 'procplan', 'config.json')));
    const said = put('sh', '-c', 'dpkg --purge procplan procplan-cli python3-procplan 2>&1');
    assert.match(said, /the bookings stay, in \/var\/lib\/procplan/);
    assert.match(said, /still include[^\n]*\n\/etc\/nginx\/sites-enabled\/ours\n/);
    assert.ok(fs.existsSync(path.join(root, BOOKINGS)));
    debian.writeSite(root, `127.0.0.1:${port}`, '');
    put('nginx', '-t', '-q');
    const left = debian.listRoot(root).filter((name) => !before.includes(name));
    assert.deepEqual(left.filter((name) => !name.startsWith('var/lib/procplan')), ['etc/nginx/sites-enabled/ours']);
});

test('purged before anybody booked, it leaves no folder either', rooted, (t) => {
    const root = debian.copyRoot(t, bare());
    const put = (...command) => debian.inRoot(root, ...command);
    const before = debian.listRoot(root);
    debian.install(root, put, all());
    assert.notDeepEqual(debian.listRoot(root), before);
    const said = put('sh', '-c', 'dpkg --purge procplan procplan-cli python3-procplan 2>&1');
    assert.doesNotMatch(said, /procplan: /);
    assert.deepEqual(debian.listRoot(root), before);
});

function units(root) {
    return ['/lib/systemd/system', '/usr/lib/systemd/system'].find((folder) => fs.existsSync(path.join(root, folder, 'procplan.service')));
}

/* -- with an init ---------------------------------------------------------------------------------------------- */

/* Asks for the same page again and again until it is told to stop; then prints how often each status came. */
const ASKER = `
    const http = require('node:http'), seen = {};
    let over = false;
    process.on('SIGTERM', () => { over = true; });
    const ask = () => new Promise((resolve) => http.get('http://127.0.0.1/procplan/api/nodes', {agent: false}, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode));
    }).on('error', (err) => resolve(err.code)));
    const loop = async () => { while (!over) { const said = await ask(); seen[said] = (seen[said] ?? 0) + 1; console.error(said); } };
    Promise.all([loop(), loop(), loop()]).then(() => console.log(JSON.stringify(seen)));
`;

test('with an init: the first request starts the service, an upgrade fails no request, a removal ends it all', rooted, async (t) => {
    const tool = pools.toolMissing('systemd-nspawn');
    if (tool) return t.skip(`needs an init: ${tool}`);
    const root = debian.copyRoot(t, bare());
    const init = await debian.startInit(t, root);
    if (init.missing) return t.skip(init.missing);
    const {put, net} = init;
    const state = (unit) => put('sh', '-c', `systemctl is-active ${unit} || :`).trim();
    const http = (target, ...args) => debian.run(net[0], [...net.slice(1), 'curl', '-sS', '-m', '60', '-i', ...args, `http://127.0.0.1${target}`]);

    debian.install(root, put, all());
    assert.deepEqual([state('procplan.socket'), state('procplan.service')], ['active', 'inactive']);
    assert.equal(put('stat', '-c', '%U:%G %a', '/run/procplan.sock'), 'root:www-data 660\n');
    debian.writeSite(root, '80', 'include snippets/procplan.conf;');
    put('nginx', '-t', '-q');
    put('systemctl', 'reload', 'nginx');
    await pools.until(() => http('/').endsWith('ours\n'), 'nginx has read its site');
    assert.equal(state('procplan.service'), 'inactive', 'nobody has asked yet');
    assert.match(http('/procplan/api/book', '-d', booking(3)), /^HTTP\/1\.1 201 /);
    assert.equal(state('procplan.service'), 'active');
    const main = () => put('systemctl', 'show', '--value', '-p', 'MainPID', 'procplan.service').trim();
    const old = main();
    assert.equal(put('stat', '-c', '%U', `/proc/${old}`), 'procplan\n');

    const config = path.join(root, 'etc', 'procplan', 'config.json');
    fs.writeFileSync(config, '{"nodes": [{"id": "node-a", "gpus": [{"id": "mine"}]}]}\n');
    put('systemctl', 'reload', 'procplan.service');
    await pools.until(() => http('/procplan/api/nodes').includes('"mine"'), 'the service has read its configuration again');
    assert.equal(main(), old, 'and is the same');
    const listening = () => put('stat', '-c', '%i', '/run/procplan.sock');
    const socket = listening();
    const asker = pools.start(t, net[0], [...net.slice(1), process.execPath, '-e', ASKER]);
    const answers = () => asker.log.split('\n').length;
    const more = (before) => pools.until(() => answers() > before + 20, 'answers go on coming');
    await more(0);
    debian.install(root, put, [newer(t)]);
    await more(answers());
    pools.signal(asker.pid, 'SIGTERM');
    await asker.ended;
    assert.deepEqual(Object.keys(JSON.parse(asker.out)), ['200']);
    assert.notEqual(main(), old, 'the service is the new one');
    assert.equal(listening(), socket, 'its socket was there all the time');
    await pools.until(() => /\r\nX-Release: newer\r\n[^]*<!-- newer -->\n$/.test(http('/procplan/')), 'nginx serves by the new files');
    assert.match(fs.readFileSync(config, 'utf8'), /"mine"/, 'the configuration is still the admin\'s');
    assert.match(http('/procplan/api/bookings/1'), /"user_label": ?"ada"/);

    const said = put('sh', '-c', 'dpkg --remove procplan 2>&1');
    assert.deepEqual([state('procplan.socket'), state('procplan.service'), state('nginx.service')], ['inactive', 'inactive', 'active'], said);
    assert.equal(put('find', '/run', '-name', 'procplan*'), '', 'nothing of it lies about');
    assert.match(http('/procplan/api/nodes'), /^HTTP\/1\.1 502 [^]*"The planner did not answer; try again"/);
    assert.match(http('/'), /ours\n$/);
    debian.install(root, put, all());
    assert.match(http('/procplan/api/bookings/1'), /"user_label": ?"ada"/, 'it comes back with the bookings');
    put('dpkg', '--purge', 'procplan');
    assert.equal(state('procplan.socket'), 'inactive');
    assert.ok(fs.existsSync(path.join(root, BOOKINGS)));
});
