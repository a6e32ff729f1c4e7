'use strict';
/* make install and make uninstall: what is there afterwards, and what stays somebody's own. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('../fault/pool.js');
const hosts = require('./host.js');

const options = {timeout: 4 * pools.PATIENCE, skip: pools.toolMissing('make')};

test('make install puts programs, pages, manuals, samples, nginx\'s and systemd\'s files where they are looked for', options, (t) => {
    const host = hosts.install(t);
    const programs = ['bin/procplan-cli', 'bin/procplan-notify', 'sbin/procplan-admin', 'sbin/procplan-fcgi', 'sbin/procplan-server'];
    for (const name of programs) {
        assert.equal(fs.statSync(host.find(`/${name}`)).mode & 0o777, 0o755, name);
        const manual = new RegExp(`/man/man[18]/${path.basename(name)}\\.[18]$`);
        assert.ok(host.installed.some((file) => manual.test(file)), `a manual page for ${name}`);
    }
    for (const name of ['conf.d/procplan.conf', 'snippets/procplan.conf', 'snippets/procplan-root.conf', 'snippets/procplan-fastcgi.conf',
        'lib/systemd/system/procplan.socket', 'lib/systemd/system/procplan.service', 'lib/sysusers.d/procplan.conf',
        'lib/tmpfiles.d/procplan.conf', 'procplan/config.json', 'config.sample.json', 'README']) {
        const text = fs.readFileSync(host.find(`/${name}`), 'utf8');
        assert.doesNotMatch(text, /@\w+@/, `${name} is filled in`);
        assert.ok(!text.includes(host.folder), `${name} does not name the throw-away root`);
        assert.equal(fs.statSync(host.find(`/${name}`)).mode & 0o777, 0o644, name);
    }
    const page = path.dirname(host.find('/htdocs/index.html'));
    const alias = /alias ([^;]+);/.exec(fs.readFileSync(host.find('/snippets/procplan.conf'), 'utf8'))[1];
    assert.equal(`${host.folder}${alias}`, `${page}/`, 'nginx serves what was installed');
    const examples = host.installed.filter((name) => /\/doc\/.*\/nginx\/[^/]+\.conf$/.test(name));
    assert.deepEqual(examples.map((name) => path.basename(name)).sort(), fs.readdirSync(path.join(pools.source, 'nginx', 'examples')).sort());
    for (const name of examples)
        assert.equal(/alias ([^;]+);/.exec(fs.readFileSync(path.join(host.folder, name), 'utf8'))[1], alias, `the page of ${name} is the one that was installed`);
    const own = (folder) => hosts.files(folder).filter((name) => /\.(html|css|js|svg)$|openapi\.json$/.test(name));
    assert.deepEqual(own(page), own(path.join(pools.source, 'htdocs')));
    const [command, ...args] = hosts.serviceCommand(host);
    assert.equal(command, host.program);
    const check = spawnSync(command, ['--check-config', '--config', args[args.indexOf('--config') + 1]]);
    assert.equal(check.status, 0, `the first configuration is fine: ${check.stderr}`);
});

test('make install again keeps the configuration that somebody has changed, and make uninstall leaves just that', options, (t) => {
    const host = hosts.install(t);
    fs.writeFileSync(host.config, '{"nodes": [{"id": "mine"}]}');
    hosts.make('install', `DESTDIR=${host.folder}`);
    assert.equal(fs.readFileSync(host.config, 'utf8'), '{"nodes": [{"id": "mine"}]}');
    assert.deepEqual(hosts.files(host.folder), host.installed);
    hosts.make('uninstall', `DESTDIR=${host.folder}`);
    assert.deepEqual(hosts.files(host.folder), [path.relative(host.folder, host.config)]);
});

test('make uninstall removes the first configuration when nobody changed it', options, (t) => {
    const host = hosts.install(t);
    hosts.make('uninstall', `DESTDIR=${host.folder}`);
    assert.deepEqual(hosts.files(host.folder), []);
});

test('each option that a program\'s --help shows is described in its manual page', options, (t) => {
    const host = hosts.install(t);
    const shown = (program, ...args) => spawnSync(host.find(`bin/${program}`), [...args, '--help'], {encoding: 'utf8'}).stdout;
    const help = {};
    for (const name of ['procplan-admin', 'procplan-fcgi', 'procplan-server', 'procplan-notify', 'procplan-cli']) help[name] = shown(name);
    const commands = help['procplan-cli'].split(/\nCommands[^\n]*\n/)[1].split('\n\n')[0].match(/^ {2}[a-z]+/gm);
    for (const name of commands) help['procplan-cli'] += shown('procplan-cli', name.trim());
    for (const [name, text] of Object.entries(help)) {
        const named = new Set([...text.matchAll(/(?<=^|[\s,[(|])--([a-z][a-z-]+)/gm)].map(([, option]) => option));
        assert.ok(named.size > 2, `${name} --help shows options: ${text}`);
        const manual = fs.readFileSync(path.join(host.folder, host.installed.find((file) => new RegExp(`/man[18]/${name}\\.`).test(file))), 'utf8');
        const beyond = manual.split('.Sh DESCRIPTION\n')[1]; /* the synopsis tells nothing of them */
        const told = new Set([...beyond.matchAll(/\bFl (?:Fl |-)([a-z][a-z-]+)/g)].map(([, option]) => option));
        assert.deepEqual([...named].filter((option) => !told.has(option)), [], name);
    }
});
