'use strict';
/* The container: its files held against the tree and against Debian, the program as process 1, and all of it where an engine is. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('../fault/pool.js');
const debian = require('./debian.js');
const hosts = require('./host.js');
const {testModule} = require('../api/contract.js');

const folder = path.join(pools.source, 'nginx', 'container');
const read = (...names) => fs.readFileSync(path.join(pools.source, ...names), 'utf8');
const limit = {timeout: 4 * pools.PATIENCE};

/* The Containerfile's instructions, [{word, rest}], those of each stage in a list of their own. */
function stages() {
    const text = read('nginx', 'container', 'Containerfile').replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ');
    const list = [];
    for (const line of text.split('\n').filter((each) => each.trim())) {
        const [, word, rest] = /^([A-Z]+) +(.*?) *$/.exec(line) ?? assert.fail(line);
        if (word === 'FROM') list.push([]);
        list.at(-1).push({word, rest: rest.replace(/ +/g, ' ')});
    }
    return list;
}
const all = (stage, word) => stage.filter((each) => each.word === word).map(({rest}) => rest);
const one = (stage, word) => { const found = all(stage, word); assert.equal(found.length, 1, word); return found[0]; };
const installed = (stage) => all(stage, 'RUN').flatMap((line) => /apt-get install ([^&]*)/.exec(line)?.[1].split(' ') ?? [])
    .filter((name) => name && !name.startsWith('-'));

test('what the Containerfile copies is there, and is all that make needs', limit, () => {
    const [build] = stages();
    const copied = all(build, 'COPY').flatMap((line) => {
        const names = line.split(' '), to = names.pop();
        assert.equal(to, names.length === 1 ? `/src/${names[0]}` : '/src/');
        return names;
    });
    for (const name of copied) assert.ok(fs.existsSync(path.join(pools.source, name)), name);
    const makefile = read('Makefile.am');
    const needed = [...makefile.matchAll(/^include (\w+)\//gm)].map((found) => found[1])
        .concat(/^dist_noinst_SCRIPTS = (.*)$/m.exec(makefile)[1].split(' '), /^dist_doc_DATA = (.*)$/m.exec(makefile)[1].split(' '),
            'Makefile.am', 'configure.ac');
    assert.deepEqual(copied.sort(), [...new Set(needed)].sort());
    const ignored = read('nginx', 'container', 'Containerfile.dockerignore').split('\n');
    for (const name of copied) assert.ok(!ignored.includes(name) && !ignored.includes(`**/${name}`), `${name} is sent to the build`);
});

test('the build stage installs what README and quickstart name, by name', limit, () => {
    const [build] = stages();
    const names = /In Debian's names: ([^.]*)\./.exec(read('README'))[1].split(/\s+/);
    const tests = [...read('quickstart').split('= check ] || return 0')[1].matchAll(/echo '([a-z0-9.-]+): /g)].map((found) => found[1]);
    assert.ok(tests.includes('chromium'));
    assert.deepEqual(installed(build).sort(), names.filter((name) => name !== 'nginx' && !tests.includes(name)).sort());
});

test('the last stage installs the libraries that the programs are linked with, and each of its packages is Debian\'s', limit, (t) => {
    const [build, last] = stages();
    assert.equal(one(last, 'FROM'), one(build, 'FROM').replace(/ AS build$/, ''));
    const [, wanted] = /^debian:(\d+)-slim$/.exec(one(last, 'FROM'));
    const [, here] = /^VERSION_ID="(.*)"$/m.exec(fs.readFileSync('/etc/os-release', 'utf8')) ?? [];
    const names = installed(last);
    assert.ok(['nginx', 'curl'].every((name) => names.includes(name)));
    if (here !== wanted) return t.diagnostic(`this is not Debian ${wanted}: other names for libraries`);
    const linked = ['fcgi', 'admin', 'server', 'cli', 'notify'].flatMap((name) => [...debian.run('readelf', ['-d', path.join(debian.build, `procplan-${name}`)])
        .matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((found) => found[1]));
    const paths = new Map([...debian.run('ldconfig', ['-p'], {env: {PATH: '/sbin:/usr/sbin'}}).matchAll(/^\t(\S+) .* => (\S+)$/gm)].map(([, soname, file]) => [soname, file]));
    const libraries = [...new Set(linked)].filter((soname) => !/^lib(c|m|pthread|asan|ubsan|gcc_s)\.so/.test(soname) && !soname.startsWith('ld-'));
    const packages = libraries.map((soname) => {
        const file = paths.get(soname) ?? assert.fail(soname);
        const owner = spawnSync('dpkg-query', ['-S', file, fs.realpathSync(file), `*/${path.basename(fs.realpathSync(file))}`], {encoding: 'utf8'}).stdout;
        return owner.split('\n')[0].split(':')[0];
    });
    assert.deepEqual(names.filter((name) => name.startsWith('lib')).sort(), [...new Set(packages)].sort());
    for (const name of [...installed(build), ...names]) {
        const known = spawnSync('dpkg-query', ['-W', name]).status === 0 || spawnSync('apt-cache', ['show', name]).status === 0;
        assert.ok(known, `${name} is a package`);
    }
});

test('the last stage copies what the build installed, and its options are ones that the program has', limit, (t) => {
    const [, last] = stages();
    const host = hosts.install(t);
    const prefix = path.dirname(path.dirname(host.program)), etc = path.dirname(path.dirname(host.config));
    for (const line of all(last, 'COPY')) {
        const [, from, to] = /^--from=build \/staged(\/.*\/) (\/.*\/)$/.exec(line) ?? assert.fail(line);
        assert.equal(from, to);
        assert.ok(fs.existsSync(from.startsWith('/etc/') ? path.join(etc, from.slice(5)) : path.join(prefix, from.slice(5))), from);
    }
    const [program, ...args] = JSON.parse(one(last, 'ENTRYPOINT'));
    const help = debian.run(path.join(debian.build, program), ['--help']);
    for (const word of args.filter((each) => each.startsWith('--'))) assert.ok(help.includes(`  ${word} `), word);
    const value = (name) => args[args.indexOf(name) + 1];
    assert.equal(path.dirname(value('--database')), one(last, 'VOLUME'));
    assert.equal(value('--port'), one(last, 'EXPOSE'));
    assert.ok(one(last, 'HEALTHCHECK').includes(`http://127.0.0.1:${value('--port')}/api/health"`));
    assert.notEqual(one(last, 'USER'), 'root');
});

const yaml = testModule('yaml');
test('compose.yaml builds this Containerfile, keeps the bookings, and answers this machine only', {...limit, skip: yaml ? false : 'the package yaml is missing: make test-modules fetches it'}, () => {
    const {services: {procplan: service}, volumes} = yaml.parse(read('nginx', 'container', 'compose.yaml'));
    const [, last] = stages();
    assert.equal(path.resolve(folder, service.build.context), path.resolve(pools.source));
    assert.ok(fs.existsSync(path.join(folder, service.build.context, service.build.dockerfile)));
    assert.deepEqual(service.ports, [`127.0.0.1:\${PROCPLAN_PORT:-8080}:${one(last, 'EXPOSE')}`]);
    const [name] = Object.keys(volumes);
    assert.equal(service.volumes[0], `${name}:${one(last, 'VOLUME')}`);
    const [, sample, place] = /^\$\{PROCPLAN_CONFIG:-(.*)\}:(.*):ro$/.exec(service.volumes[1]);
    assert.ok(fs.existsSync(path.resolve(folder, sample)));
    assert.ok(one(last, 'ENTRYPOINT').includes(`"${place}"`));
    const check = one(last, 'HEALTHCHECK');
    assert.deepEqual(service.healthcheck.test, ['CMD', ...JSON.parse(check.slice(check.indexOf('[')))]);
    for (const [option, key] of [['interval', 'interval'], ['timeout', 'timeout'], ['start-period', 'start_period'], ['retries', 'retries']])
        assert.ok(check.includes(`--${option}=${service.healthcheck[key]} `), option);
    assert.ok(parseInt(service.stop_grace_period, 10) > 45, 'longer than procplan-server waits for nginx and the pool');
    assert.deepEqual([service.read_only, service.tmpfs, service.cap_drop], [true, ['/tmp'], ['ALL']]);
    if (spawnSync('docker', ['compose', 'version']).status === 0)
        debian.run('docker', ['compose', '-f', path.join(folder, 'compose.yaml'), 'config', '--quiet']);
});

/* -- the program as process 1 ---------------------------------------------------------------------------------- */

test('as process 1 it is told to stop and ends cleanly, and leaves no orphan a zombie', {...limit, skip: hosts.missing}, async (t) => {
    const own = hosts.root ? [] : ['--user', '--map-current-user'];
    if (spawnSync('unshare', [...own, '--pid', '--mount-proc', '--fork', 'true']).status !== 0)
        return t.skip('needs a container engine: nobody may make name spaces here');
    const place = pools.temporaryFolder(t);
    fs.chmodSync(place, 0o755);
    const run = pools.start(t, 'unshare', [...own, '--pid', '--mount-proc', '--kill-child', path.join(debian.build, 'procplan-server'),
        '--config', path.join(pools.source, 'config.sample.json'), '--database', path.join(place, 'state', 'procplan.db'), '--port', '0',
        '--web-root', path.join(pools.source, 'htdocs')]);
    const [, port] = await pools.until(() => /127\.0\.0\.1:(\d+)\//.exec(run.out) ?? (run.over && assert.fail(run.log)), () => run.log);
    const [server] = pools.childrenOf(run.pid);
    assert.match(pools.status(server, 'NSpid'), /\t1$/);
    const children = () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
        try {
            const [, comm, state, parent] = /\((.*)\) (\S) (\d+)/s.exec(fs.readFileSync(`/proc/${name}/stat`, 'utf8'));
            return Number(parent) === server ? [{comm, state}] : [];
        } catch { return []; }
    });
    /* A shell of the container that ends before what it started: what docker exec or a health check may leave. */
    const into = ['--target', String(server), ...(hosts.root ? [] : ['--user', '--preserve-credentials']), '--pid', '--mount'];
    for (let i = 0; i < 3; i++) debian.run('nsenter', [...into, 'sh', '-c', 'sleep 0.3 >/dev/null 2>&1 &']);
    assert.ok(children().some(({comm}) => comm === 'sleep'), 'the orphans are its children');
    await pools.until(() => !children().some(({comm}) => comm === 'sleep'), () => `the orphans are gone: ${JSON.stringify(children())}`);
    assert.equal((await hosts.ask(port, 'GET', '/api/health')).status, 200);
    pools.signal(server, 'SIGTERM');
    assert.deepEqual(await run.ended, {code: 0, signal: null});
    assert.doesNotMatch(run.log, /ended with|was killed/);
});

/* -- with an engine -------------------------------------------------------------------------------------------- */

/* The first engine whose server answers and that has, or can fetch, the image that all begins with; or why there is none. */
function engine(image) {
    for (const name of ['docker', 'podman']) {
        if (spawnSync(name, ['info'], {timeout: pools.PATIENCE}).status !== 0) continue;
        if (spawnSync(name, ['image', 'inspect', image]).status === 0 || spawnSync(name, ['pull', image], {timeout: 5 * pools.PATIENCE}).status === 0)
            return {name};
        return {missing: `needs a container engine that can fetch ${image}; ${name} cannot`};
    }
    return {missing: 'needs a container engine: neither docker nor podman answers'};
}

test('built and started by an engine, it takes a booking that outlasts the container', {timeout: 30 * 60_000}, async (t) => {
    const [build] = stages();
    const {name, missing} = engine(one(build, 'FROM').split(' ')[0]);
    if (missing) return t.skip(missing);
    const id = `procplan-test-${process.pid}`;
    const call = (...args) => debian.run(name, args, {timeout: 15 * 60_000});
    const compose = spawnSync(name, ['compose', 'version']).status === 0;
    const port = await hosts.freePort();
    const env = {...process.env, PROCPLAN_PORT: String(port)};
    const composed = (...args) => debian.run(name, ['compose', '-p', id, '-f', path.join(folder, 'compose.yaml'), ...args], {env, timeout: 15 * 60_000});
    const up = () => {
        if (compose) return composed('up', '--build', '--detach');
        call('build', '-f', path.join(folder, 'Containerfile'), '-t', id, pools.source);
        return call('run', '-d', '--name', id, '-p', `127.0.0.1:${port}:8080`, '-v', `${id}:/var/lib/procplan`, '--read-only',
            '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', id);
    };
    const down = () => compose ? composed('down') : call('rm', '-f', id);
    const container = () => compose ? composed('ps', '--quiet').trim() : id;
    t.after(() => {
        if (compose) return composed('down', '--volumes', '--rmi', 'local');
        for (const args of [['rm', '-f', id], ['volume', 'rm', id], ['rmi', id]]) spawnSync(name, args);
    });
    const answers = () => pools.until(async () => (await hosts.ask(port, 'GET', '/api/health').catch(() => ({}))).status === 200,
        () => `it answers:\n${call('logs', container())}`);

    up();
    await answers();
    assert.match((await hosts.ask(port, 'GET', '/')).text, /<title>[^<]*ProcPlan/);
    const day = (number) => new Date(Date.now() + number * 86_400_000).toISOString();
    const booked = await hosts.ask(port, 'POST', '/api/book', {body: {node_id: 'node-a', gpu_count: 1, user_label: 'ada', start: day(1), end: day(2)}});
    assert.equal(booked.status, 201, booked.text);
    const running = container();
    assert.equal(call('exec', running, 'id', '-un').trim(), 'procplan');
    call('exec', running, ...JSON.parse(one(stages()[1], 'HEALTHCHECK').replace(/^.*? CMD /, '')));
    call('stop', '--time', '60', running);
    assert.equal(call('inspect', '--format', '{{.State.ExitCode}}', running).trim(), '0');
    down();
    up();
    await answers();
    assert.equal((await hosts.ask(port, 'GET', `/api/bookings/${booked.json.booking_id}`)).json.user_label, 'ada');
});
