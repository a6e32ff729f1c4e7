'use strict';
/* README, "What somebody who means harm can and cannot do": a local user outside of the web server's group, on the host as installed. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const pools = require('../fault/pool.js');
const hosts = require('./host.js');

const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((file) => fs.existsSync(file));
const options = {timeout: 4 * pools.PATIENCE, skip: hosts.missing || (python ? false : 'python3 is not installed')};

/* What WHO (uid and gid, no other group) is told by the system for each try, "ok" when it works. */
function tries(who, host) {
    const script = `
import json, os, socket, sys
place, state = sys.argv[1:]
def told(what):
    try:
        what()
        return "ok"
    except OSError as error:
        return os.strerror(error.errno)
def say_root():
    s = socket.socket(socket.AF_UNIX)
    s.connect(place)
def look(name): return lambda: open(os.path.join(state, name), "rb").read(1)
print(json.dumps({"connect": told(say_root), "list": told(lambda: os.listdir(state)), "write": told(lambda: open(os.path.join(state, "x"), "w")),
    **{name: told(look(name)) for name in ("procplan.db", "procplan.db-wal", "procplan.db.lock")}}))`;
    const run = spawnSync(python, ['-I', '-c', script, host.socket, host.state], {...who, encoding: 'utf8', cwd: '/'});
    assert.equal(run.status, 0, run.stderr);
    return JSON.parse(run.stdout);
}

test('a local user outside of the web server\'s group cannot connect to the pool, nor read, list or write the database', options, async (t) => {
    const {host, nginx} = await hosts.takeIn(t);
    assert.equal((await hosts.ask(nginx.port, 'GET', '/procplan/api/nodes')).status, 200, 'nginx can');
    assert.equal(fs.statSync(host.socket).mode & 0o777, 0o660);
    assert.equal(fs.statSync(host.state).mode & 0o777, 0o700);
    const files = fs.readdirSync(host.state);
    assert.ok(files.includes('procplan.db') && files.includes('procplan.db-wal') && files.includes('procplan.db.lock'), files.join(' '));
    for (const name of files) assert.equal(fs.statSync(path.join(host.state, name)).mode & 0o777, 0o600, name);
    if (!hosts.root) return; /* nobody else can be had to try */
    const denied = 'Permission denied';
    assert.deepEqual(tries({uid: 54321, gid: 54321}, host), {connect: denied, list: denied, write: denied, 'procplan.db': denied, 'procplan.db-wal': denied, 'procplan.db.lock': denied});
    /* The tries are real ones: whoever is in that group connects, and could say who they are; and the planner's own user reads. */
    assert.deepEqual(tries({uid: 54321, gid: hosts.webServer.gid}, host), {connect: 'ok', list: denied, write: denied, 'procplan.db': denied, 'procplan.db-wal': denied, 'procplan.db.lock': denied});
    assert.equal(tries({uid: hosts.planner.uid, gid: hosts.planner.gid}, host)['procplan.db'], 'ok');
});
