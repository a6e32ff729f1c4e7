'use strict';
/*
 * Debian's packages for a test: `make deb`, throw-away Debian roots by debootstrap, commands in them by chroot, and one of them
 * started with an init of its own. Roots are for root. Mirror and release are those of the machine's own apt.
 */
const {execFileSync, spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const pools = require('../fault/pool.js');

const build = process.env.PROCPLAN_BUILD || path.dirname(pools.program);
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const LONG = 15 * 60_000; /* for what takes a minute on a machine that does nothing else; milliseconds */

/* Why no packages can be built and looked at here, or false. */
const missing = ['dpkg-buildpackage', 'dh', 'lintian'].map(pools.toolMissing).find(Boolean) || false;

/* Runs COMMAND to its end, and gives what it said on stdout; an error with all that it said when it fails. */
function run(command, args, options = {}) {
    const result = spawnSync(command, args, {encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'], ...options});
    if (result.error) throw result.error;
    if (result.status !== 0) {
        const said = `${result.stdout}${result.stderr}`.split('\n').slice(-60).join('\n');
        throw new Error(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}:\n${said}`);
    }
    return result.stdout;
}

let made = null;

/* The packages, built once: {procplan, cli, python, changes}, each a file's path. The unit tests have their own place in make check. */
function packages() {
    if (made) return made;
    const env = {...process.env, DEB_BUILD_OPTIONS: 'nocheck'};
    for (const name of Object.keys(env)) {
        if (/^(MAKE|MFLAGS|TESTS|DESTDIR|GNUMAKEFLAGS)/.test(name)) delete env[name];
    }
    const said = run('make', ['-C', build, 'deb'], {env, timeout: LONG});
    const shown = said.split('\n').filter((line) => /^\/.*\.deb$/.test(line));
    const named = (name) => {
        const found = shown.filter((file) => path.basename(file).startsWith(`${name}_`));
        if (found.length !== 1) throw new Error(`make deb shows ${found.length} packages ${name}:\n${said.slice(-2000)}`);
        return found[0];
    };
    const folder = path.dirname(shown[0]);
    const changes = fs.readdirSync(folder).find((file) => file.endsWith('.changes'));
    made = {procplan: named('procplan'), cli: named('procplan-cli'), python: named('python3-procplan'), shown, changes: path.join(folder, changes)};
    return made;
}

const field = (file, name) => run('dpkg-deb', ['-f', file, name]).trim();

/* What is in a package: a Map from path to {mode, owner}, folders aside. */
function contents(file) {
    const rows = run('dpkg-deb', ['-c', file]).split('\n').filter((line) => line && !line.startsWith('d'));
    return new Map(rows.map((line) => {
        const [mode, owner, , , , name] = line.split(/\s+/);
        return [name.slice(1), {mode, owner}];
    }));
}

/* A package as FILE is, but of VERSION, and with CHANGE made to the tree that it unpacks; in a folder that goes with the test. */
function repack(t, file, version, change) {
    const folder = pools.temporaryFolder(t), tree = path.join(folder, 'tree');
    run('dpkg-deb', ['-R', file, tree]);
    const control = path.join(tree, 'DEBIAN', 'control');
    fs.writeFileSync(control, fs.readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`));
    change(tree);
    const sums = run('sh', ['-c', 'find . -path ./DEBIAN -prune -o -type f -printf "%P\\0" | xargs -0 md5sum'], {cwd: tree});
    fs.writeFileSync(path.join(tree, 'DEBIAN', 'md5sums'), sums);
    const out = path.join(folder, `${field(file, 'Package')}_${version}.deb`);
    run('dpkg-deb', ['--root-owner-group', '-b', tree, out]);
    return out;
}

/* -- roots ----------------------------------------------------------------------------------------------------- */

/* The machine's release and the mirror that its apt asks for it. */
function release() {
    const [, codename] = /^VERSION_CODENAME=(\S+)$/m.exec(fs.readFileSync('/etc/os-release', 'utf8'));
    const rows = run('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Identifier: Packages']).split('\n');
    const row = rows.map((line) => line.split(' ')).find(([, suite, component]) => suite === codename && component === 'main');
    if (!row) throw new Error(`apt has no mirror for ${codename}`);
    const env = {...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`};
    for (const scheme of ['http', 'https']) {
        const proxy = /"(.*)"/.exec(run('apt-config', ['dump', `Acquire::${scheme}::Proxy`]))?.[1];
        if (proxy && !env[`${scheme}_proxy`]) env[`${scheme}_proxy`] = proxy;
    }
    return {codename, mirror: row[0], env};
}

/* The packages that FILES depend on, of alternatives the first, without what is among FILES themselves. */
function needs(files) {
    const own = files.map((file) => field(file, 'Package'));
    const names = files.flatMap((file) => `${field(file, 'Depends')}, ${field(file, 'Pre-Depends')}`.split(','))
        .map((entry) => entry.split('|')[0].trim().replace(/[ :].*$/, ''));
    return [...new Set(names)].filter((name) => name && !own.includes(name));
}

/* A Debian as debootstrap makes it, with what FILES depend on. The archives that it fetches are kept in the build. */
function makeRoot(t, files) {
    const root = path.join(pools.temporaryFolder(t), 'root');
    const cache = path.join(build, 'tests', 'install', 'debs');
    fs.mkdirSync(cache, {recursive: true});
    const {codename, mirror, env} = release();
    /* In a name space of its own, so that what it mounts is gone with it. */
    run('unshare', ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'debootstrap', '--variant=minbase',
        `--cache-dir=${cache}`, `--include=${needs(files).join(',')}`, codename, root, mirror], {env, timeout: LONG});
    fs.chmodSync(path.dirname(root), 0o755);
    /* Nothing is started by an installation, unless an init says so (policy-rc.d(8)). */
    fs.writeFileSync(path.join(root, 'usr', 'sbin', 'policy-rc.d'), '#!/bin/sh\ntest -d /run/systemd/system || exit 101\n', {mode: 0o755});
    return root;
}

function copyRoot(t, root) {
    const copy = path.join(pools.temporaryFolder(t), 'root');
    run('cp', ['-a', root, copy]);
    fs.chmodSync(path.dirname(copy), 0o755);
    return copy;
}

/* The command and arguments by which COMMAND runs in ROOT, as process 1 of its own, with which all ends that it starts. */
const words = (root, user, command, ...args) => ['unshare', '--mount', '--pid', '--fork', '--kill-child', `--mount-proc=${root}/proc`,
    'chroot', ...(user ? [`--userspec=${user}`] : []), root, command, ...args];
const options = {env: {PATH, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8'}, cwd: '/'};

function inRoot(root, command, ...args) {
    const [first, ...rest] = words(root, null, command, ...args);
    return run(first, rest, {...options, timeout: LONG});
}

/* Starts COMMAND in ROOT, as USER; the result's pid is that of the command itself. */
async function startInRoot(t, root, user, stdio, command, ...args) {
    const [first, ...rest] = words(root, user, command, ...args);
    const started = pools.start(t, first, rest, {...options, stdio});
    await pools.until(() => started.over || pools.childrenOf(started.pid).length > 0, `${command} starts`);
    [started.pid] = pools.childrenOf(started.pid);
    return started;
}

/* Puts FILES into ROOT and installs, or upgrades, them by PUT (a function as inRoot, with the root bound). */
function install(root, put, files) {
    const names = files.map((file) => {
        fs.copyFileSync(file, path.join(root, path.basename(file)));
        return `/${path.basename(file)}`;
    });
    try {
        return put('dpkg', '-i', ...names);
    } finally {
        for (const name of names) fs.rmSync(path.join(root, name));
    }
}

/* Where LINE stands in a server{} at ADDRESS: a site of the root's nginx, in place of Debian's first one. */
function writeSite(root, address, line) {
    const folder = path.join(root, 'etc', 'nginx', 'sites-enabled');
    fs.rmSync(path.join(folder, 'default'), {force: true});
    fs.writeFileSync(path.join(folder, 'ours'), `server {\n    listen ${address};\n    location = / { return 200 "ours\\n"; }\n    ${line}\n}\n`);
}

/* What is on ROOT's disk, but for what dpkg, systemd, nginx and the list of users write down as they go. */
function listRoot(root) {
    const names = execFileSync('find', ['.', '-xdev', '-printf', '%P\n'], {cwd: root, maxBuffer: 1 << 28}).toString().split('\n');
    return names.filter((name) => !/^(dev|proc|run|sys|tmp)\/|^var\/(cache|log|lib\/(dpkg|nginx|systemd|ucf))\b|^etc\/(g?shadow|group|passwd|subuid|subgid)?-?$/.test(name)
        && !/^etc\/\.pwd\.lock$/.test(name)).sort();
}

/* -- an init --------------------------------------------------------------------------------------------------- */

/*
 * Starts ROOT with an init, without a network but its own loopback. Gives {pid, put, net}: the init's number, a function that runs
 * a command there, and the words in front of a program of this machine that shall use its network; or {missing}, a sentence.
 * One at a time on a machine, since they would share a control group.
 */
async function startInit(t, root) {
    const nspawn = pools.start(t, 'flock', ['/run', 'systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--private-network',
        '--machine=procplan-test', '-D', root, '--boot'], {env: {...process.env, PATH, SYSTEMD_NSPAWN_LOCK: '0'}});
    /* The control groups that it makes below this process's own, and leaves there. */
    const groups = fs.readFileSync('/proc/self/cgroup', 'utf8').split('\n').filter((line) => /^\d+:(name=systemd)?:/.test(line))
        .flatMap((line) => ['systemd', 'unified', ''].map((mount) => path.join('/sys/fs/cgroup', mount, line.split(':')[2])))
        .flatMap((folder) => ['payload', 'supervisor'].map((name) => path.join(folder, name)));
    const inside = () => pools.childrenOf(nspawn.pid).flatMap(pools.childrenOf).flatMap(pools.childrenOf)
        .concat(pools.childrenOf(nspawn.pid).flatMap(pools.childrenOf))
        .find((pid) => {
            try { return fs.readFileSync(`/proc/${pid}/comm`, 'utf8') === 'systemd\n'; } catch { return false; }
        });
    const pid = await pools.until(() => inside() ?? nspawn.over, () => `an init starts:\n${nspawn.out}${nspawn.log}`);
    const words = ['nsenter', '--target', String(pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'];
    const put = (...command) => run(words[0], [...words.slice(1), ...command], {...options, timeout: LONG});
    const up = () => {
        try { return /^(running|degraded)\n/.test(spawnSync(words[0], [...words.slice(1), 'systemctl', 'is-system-running'], {...options, encoding: 'utf8'}).stdout); }
        catch { return false; }
    };
    await pools.until(() => nspawn.over || up(), () => `an init is up:\n${nspawn.out}${nspawn.log}`);
    if (nspawn.over) return {missing: `needs an init; systemd-nspawn started none: ${`${nspawn.log}`.trim().split('\n').at(-1)}`};
    t.after(async () => {
        try { put('systemctl', 'poweroff', '--force'); } catch { /* it goes while it answers */ }
        await pools.until(() => nspawn.over, 'the init ends').catch(() => {});
        for (const folder of groups) spawnSync('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
    });
    return {pid, put, net: ['nsenter', '--target', String(pid), '--net']};
}

module.exports = {
    build, contents, copyRoot, field, inRoot, install, listRoot, makeRoot, missing, packages, repack, run, startInit, startInRoot, writeSite,
};
