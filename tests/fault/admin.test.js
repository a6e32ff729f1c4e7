'use strict';
/*
 * procplan-admin: moving in from the original, backup while people book, restore, check and vacuum; and what is left when it is
 * killed in the middle. Databases of the original are made by Python, as the original made them, and looked into by it.
 */
const assert = require('node:assert/strict');
const {spawn, spawnSync} = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {build, request, serverMissing, sleep, startServer, temporaryFolder} = require('../api/harness.js');
const {HOUR, YEAR_AHEAD, iso} = require('../api/clock.js');

const program = path.join(build, 'procplan-admin');
const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((file) => fs.existsSync(file));
const skip = python ? false : 'python3 is not installed';
const skipServer = serverMissing() || skip;

function admin(...args) {
    const run = spawnSync(program, args, {encoding: 'utf8', timeout: 120_000});
    assert.doesNotMatch(run.stderr, /Sanitizer|runtime error:/);
    return {status: run.status, out: run.stdout, err: run.stderr, said: run.stdout + run.stderr};
}

function py(script, file, input) {
    const run = spawnSync(python, ['-c', script, file], {encoding: 'utf8', input: JSON.stringify(input ?? null)});
    assert.equal(run.status, 0, run.stderr);
    return run.stdout;
}

/* The rows of a question to a database that nobody has open. */
const ask = (file, sql) => JSON.parse(py(
    'import sqlite3,sys,json\nc=sqlite3.connect(sys.argv[1])\n' +
    'print(json.dumps([list(r) for r in c.execute(json.load(sys.stdin))]))', file, sql));
/* Changes behind the back of everything that guards it. */
const damage = (file, sql) => py(
    'import sqlite3,sys,json\nc=sqlite3.connect(sys.argv[1])\nc.executescript(json.load(sys.stdin))', file, sql);

const MAKE_OLD = `
import sqlite3,sys,json,os
o=json.load(sys.stdin)
c=sqlite3.connect(sys.argv[1])
c.executescript("""PRAGMA journal_mode=WAL; PRAGMA foreign_keys=OFF;
CREATE TABLE nodes (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE gpus (id TEXT PRIMARY KEY, node_id TEXT NOT NULL, kind TEXT NOT NULL);
CREATE TABLE bookings (id INTEGER PRIMARY KEY AUTOINCREMENT, node_id TEXT NOT NULL, start_utc TEXT NOT NULL, end_utc TEXT NOT NULL,
  user_label TEXT NOT NULL, """ + ("" if o.get("plain") else "priority TEXT NOT NULL DEFAULT 'medium', ") +
 """status TEXT NOT NULL DEFAULT 'active', created_utc TEXT NOT NULL, updated_utc TEXT NOT NULL);
CREATE TABLE booking_allocations (booking_id INTEGER NOT NULL, gpu_id TEXT NOT NULL, PRIMARY KEY (booking_id, gpu_id));""")
c.executemany("INSERT INTO nodes VALUES (?,?)", o["nodes"])
c.executemany("INSERT INTO gpus VALUES (?,?,?)", o["gpus"])
for b in o["bookings"]:
  g=b.pop("gpus")
  c.execute("INSERT INTO bookings (%s) VALUES (%s)" % (",".join(b), ",".join("?"*len(b))), list(b.values()))
  c.executemany("INSERT INTO booking_allocations VALUES (?,?)", [(b["id"],x) for x in g])
if "last" in o: c.execute("UPDATE sqlite_sequence SET seq=? WHERE name='bookings'", (o["last"],))
if "sql" in o: c.executescript(o["sql"])
c.commit()
if o.get("log"): os._exit(0)
c.close()
`;
const NODES = [['n1', 'Node One'], ['n2', 'Node Two']];
const GPUS = [['a', 'n1', 'A100'], ['b', 'n1', 'A100'], ['c', 'n2', 'L40S']];
const DAY = Date.parse('2026-03-01T00:00:00Z') / HOUR; /* hours since 1970 */
/* A booking of the original on n1; hours count from DAY. */
const booking = (id, start, end, gpus, status = 'active', ended = start) => ({
    id, node_id: 'n1', start_utc: iso(DAY + start), end_utc: iso(DAY + end), user_label: `user ${id}`, status,
    created_utc: '2026-02-01T08:00:00.123456+00:00', updated_utc: iso(DAY + ended).replace(':00+', ':59.5+'), gpus,
});
function makeOld(folder, content, name = 'old.db') {
    const file = path.join(folder, name);
    py(MAKE_OLD, file, {nodes: NODES, gpus: GPUS, ...content});
    return file;
}
const digest = (file) => fs.existsSync(file) && crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const held = (file) => ask(file, 'SELECT n.id || \'/\' || g.id, a.start_hour, a.end_hour, a.booking_id FROM allocation a ' +
    'JOIN gpu g USING (gpu_key) JOIN node n USING (node_key) ORDER BY 1, 2')
    .map(([gpu, start, end, id]) => [gpu, start - DAY, end - DAY, id]);

/* A folder in which whoever owns a database may write. */
function folderForAll() {
    const folder = temporaryFolder();
    fs.chmodSync(folder, 0o777);
    return folder;
}

test('adopt brings over every booking with its id, ended ones holding until the hour in which they ended', {skip}, () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {
        log: true, last: 40,
        bookings: [
            booking(3, 9, 17, ['a', 'b'], 'completed', 11), /* finished early; booking 4 took the same hours */
            booking(4, 9, 17, ['a'], 'completed', 20),
            booking(8, 30, 40, ['b'], 'cancelled', 5), /* before it began: it held nothing */
            {...booking(12, 100_000, 100_008, ['a', 'b']), priority: 'high'},
        ],
    });
    const before = [digest(old), digest(`${old}-wal`)];
    assert.ok(before[1], 'the last writes stand in the log');
    const file = path.join(folder, 'new.db');
    const run = admin('adopt', old, '--database', file);
    assert.equal(run.status, 0, run.said);
    assert.match(run.out, /4 of 4 bookings brought over: 1 active, 2 completed, 1 cancelled/);
    assert.deepEqual([digest(old), digest(`${old}-wal`)], before);
    assert.deepEqual(ask(file, 'SELECT id, status, priority, user_label, start_hour, end_hour FROM booking ORDER BY id'), [
        [3, 1, 1, 'user 3', DAY + 9, DAY + 17], [4, 1, 1, 'user 4', DAY + 9, DAY + 17],
        [8, 2, 1, 'user 8', DAY + 30, DAY + 40], [12, 0, 2, 'user 12', DAY + 100_000, DAY + 100_008],
    ]);
    assert.deepEqual(held(file), [
        ['n1/a', 9, 11, 3], ['n1/a', 11, 17, 4], ['n1/a', 100_000, 100_008, 12],
        ['n1/b', 9, 11, 3], ['n1/b', 100_000, 100_008, 12],
    ]);
    assert.deepEqual(ask(file, 'SELECT seq FROM sqlite_sequence WHERE name = \'booking\''), [[40]]);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.equal(admin('check', '--database', file).status, 0);
});

test('adopt reads a database without the priority column, and says what it did not understand', {skip}, () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {
        plain: true, bookings: [booking(1, 9, 17, ['a'])],
        sql: 'ALTER TABLE bookings ADD COLUMN colour TEXT; CREATE TABLE tags (id); INSERT INTO booking_allocations VALUES (77, \'a\')',
    });
    const run = admin('adopt', old, '--database', path.join(folder, 'new.db'));
    assert.equal(run.status, 0, run.said);
    assert.match(run.out, /not understood, and left: column bookings\.colour/);
    assert.match(run.out, /not understood, and left: table tags/);
    assert.match(run.out, /left: 1 allocation of bookings that are not there/);
});

test('adopt lists what overlaps and what it cannot read and writes nothing, or with --leave-out the rest', {skip}, () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {
        bookings: [
            booking(1, 9, 17, ['a', 'b']), booking(2, 16, 20, ['b']), booking(3, 17, 20, ['a']),
            {...booking(4, 1, 2, ['a']), start_utc: 'yesterday'}, {...booking(5, 1, 2, ['a']), status: 'paused'},
            booking(6, 1, 2, []), {...booking(7, 1, 2, ['a'], 'completed', 2), updated_utc: ''}, booking(8, 5, 5, ['a']),
            {...booking(9, 1, 2, ['b']), user_label: `\u001b[31m${'x'.repeat(70)}`},
        ],
    });
    const file = path.join(folder, 'new.db');
    const refused = admin('adopt', old, '--database', file);
    assert.equal(refused.status, 3, refused.said);
    assert.match(refused.out, /booking 2 \(user 2\) and booking 1, both active, overlap on GPU b of node n1 from 2026-03-01T16:00:00\+00:00 to 2026-03-01T17:00:00\+00:00/);
    for (const id of [4, 5, 6, 7, 8]) assert.match(refused.out, new RegExp(`cannot be brought over: booking ${id}: `));
    assert.match(refused.out, /nothing was brought over: 6 of 9/);
    assert.equal(fs.existsSync(file), false);
    const taken = admin('adopt', old, '--database', file, '--leave-out');
    assert.equal(taken.status, 0, taken.said);
    assert.match(taken.out, /left out: booking 2 /);
    assert.match(taken.out, /3 of 9 bookings brought over/);
    assert.ok(!taken.out.includes('\u001b'));
    assert.deepEqual(held(file), [['n1/a', 9, 17, 1], ['n1/a', 17, 20, 3], ['n1/b', 1, 2, 9], ['n1/b', 9, 17, 1]]);
    const [[label, note]] = ask(file, 'SELECT user_label, note FROM booking WHERE id = 9');
    assert.equal(label, `[31m${'x'.repeat(60)}`);
    assert.equal(note, `[31m${'x'.repeat(70)}`);
    assert.equal(admin('check', '--database', file).status, 0);
});

test('adopt gives each hour to the active booking, else to the ended one with the lowest id', {skip}, () => {
    const folder = temporaryFolder();
    let seed = 20261124;
    const random = (n) => {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        return Math.floor(seed / 65536) % n;
    };
    const bookings = [];
    const wanted = new Map(); /* "gpu hour" → booking id */
    const claims = (b, end, take) => {
        for (const gpu of b.gpus) for (let h = b.from; h < end; h++) take(`${gpu} ${h}`, b.id);
    };
    for (let id = 1; id <= 400; id++) {
        const from = random(300), to = from + 1 + random(30);
        const gpus = [['a'], ['b'], ['a', 'b']][random(3)];
        const status = ['active', 'completed', 'cancelled'][random(3)];
        const ended = from - 5 + random(40);
        const b = {id, gpus, from, to, status, ended};
        if (status === 'active') {
            let free = true;
            claims(b, to, (hour) => { free = free && !wanted.has(hour); });
            if (!free) continue;
            claims(b, to, (hour) => wanted.set(hour, id));
        }
        bookings.push(b);
    }
    for (const b of bookings.filter((one) => one.status !== 'active'))
        claims(b, Math.min(b.to, b.ended), (hour, id) => { if (!wanted.has(hour)) wanted.set(hour, id); });
    const old = makeOld(folder, {bookings: bookings.map((b) => booking(b.id, b.from, b.to, b.gpus, b.status, b.ended))});
    const file = path.join(folder, 'new.db');
    assert.equal(admin('adopt', old, '--database', file).status, 0);
    const found = new Map();
    for (const [gpu, start, end, id] of held(file))
        for (let h = start; h < end; h++) found.set(`${gpu.slice(3)} ${h}`, id);
    assert.deepEqual([...found].sort(), [...wanted].sort());
    assert.equal(admin('check', '--database', file).status, 0);
});

test('adopt refuses a new database that has bookings, a database of this ProcPlan, and what is none', {skip}, () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {bookings: [booking(1, 9, 17, ['a'])]});
    const file = path.join(folder, 'new.db');
    assert.equal(admin('adopt', old, '--database', file).status, 0);
    assert.match(admin('adopt', old, '--database', file).err, /has bookings already/);
    assert.match(admin('adopt', file, '--database', path.join(folder, 'other.db')).err, /is a database of this ProcPlan already/);
    assert.match(admin('adopt', old, '--database', old).err, /is the new database as well/);
    fs.writeFileSync(path.join(folder, 'text'), 'hello, this is no database at all');
    assert.equal(admin('adopt', path.join(folder, 'text'), '--database', path.join(folder, 'other.db')).status, 1);
    py('import sqlite3,sys\nsqlite3.connect(sys.argv[1]).execute("CREATE TABLE t (x)")', path.join(folder, 'alien.db'));
    assert.match(admin('adopt', path.join(folder, 'alien.db'), '--database', path.join(folder, 'other.db')).err,
        /is not a database of the original ProcPlan: it has no column nodes\.id/);
    assert.equal(fs.existsSync(path.join(folder, 'other.db')), false);
});

test('a server on a file of the original says what to run, and changes nothing', {skip}, () => {
    for (const log of [false, true]) {
        const folder = temporaryFolder();
        const old = makeOld(folder, {log, bookings: [booking(1, 9, 17, ['a'])]});
        const before = [digest(old), digest(`${old}-wal`)];
        fs.writeFileSync(path.join(folder, 'config.json'), '{"nodes":[{"id":"n1"}]}');
        const run = spawnSync(path.join(build, 'procplan-fcgi'), ['--config', path.join(folder, 'config.json'), '--database', old,
            '--socket', path.join(folder, 'socket')], {encoding: 'utf8', timeout: 60_000});
        assert.notEqual(run.status, 0);
        assert.match(run.stderr, /old\.db: is a database of the original ProcPlan; bring its bookings over with: procplan-admin adopt/);
        assert.deepEqual([digest(old), digest(`${old}-wal`)], before);
        assert.match(admin('check', '--database', old).err, /procplan-admin adopt/);
    }
});

test('a server runs on what was adopted, under its own configuration; what that lacks is retired', {skip: skipServer}, async () => {
    const folder = folderForAll();
    const old = makeOld(folder, {bookings: [booking(5, 100_000, 100_008, ['a', 'b']), booking(6, 9, 17, ['b'], 'completed', 12)]});
    const file = path.join(folder, 'state', 'procplan.db');
    const config = {nodes: [{id: 'n1', gpus: [{id: 'a'}, {id: 'z'}]}]};
    const first = await startServer({config, args: ['--database', file]});
    assert.match(admin('adopt', old, '--database', file).err, /in use: stop the server first/);
    await first.stop();
    const run = admin('adopt', old, '--database', file);
    assert.equal(run.status, 0, run.said);
    assert.match(run.out, /not in the configuration, so retired: GPU b of node n1/);
    const server = await startServer({config, args: ['--database', file]});
    const made = await request(server, 'POST', '/api/book', {body: {
        node_id: 'n1', gpu_ids: ['z'], start: `${YEAR_AHEAD}-01-01T00:00:00Z`, end: `${YEAR_AHEAD}-01-01T04:00:00Z`, user_label: 'new',
    }});
    assert.equal(made.status, 201, made.text);
    assert.equal(made.json.booking_id, 7);
    const kept = await request(server, 'GET', '/api/bookings/5');
    assert.equal(kept.status, 200);
    const events = await request(server, 'GET', '/api/events?booking_id=6');
    assert.equal(events.status, 200, events.text);
    await server.stop();
    assert.equal(admin('check', '--database', file).status, 0);
});

test('a backup is taken while people book, is sound, and is restored only when the server is stopped', {skip: skipServer}, async (t) => {
    const folder = folderForAll();
    const file = path.join(folder, 'state', 'procplan.db');
    const copy = path.join(folder, 'copy.db');
    const server = await startServer({args: ['--database', file]});
    let go = true, made = 0;
    const book = async (gpu) => {
        for (let h = 0; go; h += 2) {
            const start = Date.UTC(YEAR_AHEAD, 0, 1) / HOUR + h;
            const answer = await request(server, 'POST', '/api/book', {body: {
                node_id: 'alpha', gpu_ids: [gpu], start: iso(start), end: iso(start + 2), user_label: 'writer'}});
            assert.equal(answer.status, 201, answer.text);
            made++;
            const id = answer.json.booking_id;
            if (h % 6 === 0) await request(server, 'DELETE', `/api/bookings/${id}`);
        }
    };
    t.after(() => { go = false; });
    const writers = [book('gpu0'), book('gpu1'), book('gpu2')];
    const run = (...args) => new Promise((resolve) => {
        const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe']});
        let said = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text; });
        child.on('close', (status) => resolve({status, said}));
    });
    await sleep(300);
    for (let i = 0; i < 3; i++) {
        for (const args of [['backup', copy], ['check'], ['vacuum']]) {
            const before = made;
            const result = await run(...args, '--database', file);
            assert.equal(result.status, 0, result.said);
            assert.ok(made > before || args[0] !== 'backup', 'nobody could book meanwhile');
        }
    }
    go = false;
    await Promise.all(writers);
    assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['copy.db', 'state']);
    const etag = (await request(server, 'GET', '/api/nodes')).headers.etag;
    const refused = await run('restore', copy, '--database', file);
    assert.equal(refused.status, 1);
    assert.match(refused.said, /in use: stop the server first/);
    await server.stop();

    const [[inCopy]] = ask(copy, 'SELECT count(*) FROM booking');
    assert.ok(inCopy > 0 && inCopy < made, `${inCopy} of ${made}`);
    const restored = admin('restore', copy, '--database', file);
    assert.equal(restored.status, 0, restored.said);
    const kept = /kept as (.*)\n/.exec(restored.out)[1];
    assert.deepEqual(ask(kept, 'SELECT count(*) FROM booking'), [[made]]);
    const again = await startServer({args: ['--database', file]});
    assert.notEqual((await request(again, 'GET', '/api/nodes')).headers.etag.split('.')[0], etag.split('.')[0]);
    await again.stop();
    assert.deepEqual(ask(file, 'SELECT count(*) FROM booking'), [[inCopy]]);
});

/* A database with something of everything in it. */
function filled(folder, count = 30, name = 'new.db') {
    const bookings = Array.from({length: count}, (unused, i) =>
        booking(i + 1, 10 * i, 10 * i + 8, ['a', 'b'], ['active', 'completed', 'cancelled'][i % 3], 10 * i + 4));
    const old = makeOld(folder, {bookings}, `old-${name}`);
    const file = path.join(folder, name);
    assert.equal(admin('adopt', old, '--database', file).status, 0);
    return file;
}

test('check finds each kind of fault', {skip}, () => {
    const folder = temporaryFolder();
    const sound = filled(folder);
    ask(sound, 'PRAGMA wal_checkpoint(TRUNCATE)');
    const noGuard = 'DROP TRIGGER allocation_insert; DROP TRIGGER allocation_update; DROP TRIGGER allocation_deleted; DROP TRIGGER allocation_updated;';
    const faults = [
        [`${noGuard} UPDATE allocation SET end_hour = end_hour + 20 WHERE booking_id = 1`, /GPU n1\/a is held twice: by booking 1 .* and by booking 2/],
        ['UPDATE allocation SET free_from = free_from - 1 WHERE booking_id = 4', /free hours before .* are not recorded as they are/],
        ['UPDATE gpu SET held_until = 1', /the end of its last hours is not recorded/],
        ['UPDATE booking SET start_hour = start_hour + 1 WHERE id = 4', /booking 4 holds GPU n1\/a from .*, outside its window/],
        ['DELETE FROM allocation WHERE booking_id = 7', /booking 7 is active, but its last hour on GPU n1\/a is not held/],
        ['UPDATE booking SET released_at = released_at - 40000 WHERE id = 2', /booking 2 has ended, but still holds GPU n1\/a/],
        ['UPDATE booking SET released_at = 1 WHERE id = 1', /booking 1: its status and the time of its end do not agree/],
        ['DELETE FROM event WHERE booking_id = 3 AND kind = \'booked\'', /booking 3: the event log says 0 times that it was booked/],
        ['DELETE FROM event WHERE booking_id = 3 AND kind = \'cancelled\'', /booking 3 is cancelled, but the event log says nothing of its end/],
        ['UPDATE booking SET version = 2 WHERE id = 1', /booking 1 has version 2, but the event log has 0 edits/],
        ['UPDATE config SET revision = 9999', /the configuration is that of event 9999/],
        ['DELETE FROM booking_gpu WHERE booking_id = 5', /booking 5 has no GPU/],
        ['PRAGMA foreign_keys = OFF; DELETE FROM booking WHERE id = 6', /a row of table \w+ refers to one of table booking that is not there/],
    ];
    for (const [sql, sentence] of faults) {
        const file = path.join(folder, 'broken.db');
        fs.copyFileSync(sound, file);
        damage(file, sql);
        const run = admin('check', '--database', file);
        assert.equal(run.status, 3, `${sql}: ${run.said}`);
        assert.match(run.out, sentence, sql);
        const copy = admin('backup', path.join(folder, 'copy.db'), '--database', file);
        assert.equal(copy.status, 1, 'a backup of it would be no good');
        assert.equal(fs.existsSync(path.join(folder, 'copy.db')), false);
    }
});

test('restore refuses what is no sound backup and leaves the database as it is', {skip}, () => {
    const folder = temporaryFolder();
    const file = filled(folder);
    const copy = path.join(folder, 'copy.db');
    assert.equal(admin('backup', copy, '--database', file).status, 0);
    const whole = fs.readFileSync(copy);
    const rows = ask(file, 'SELECT count(*) FROM booking');
    const bad = {
        'cut short': whole.subarray(0, whole.length - 3 * 4096),
        'overwritten': Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(20 * 4096, 0x5a), whole.subarray(21 * 4096)]),
        'text': Buffer.from('x'.repeat(5000)),
        'empty': Buffer.alloc(0),
        'of another program': Buffer.concat([whole.subarray(0, 68), Buffer.alloc(4), whole.subarray(72)]),
    };
    for (const [what, bytes] of Object.entries(bad)) {
        fs.writeFileSync(path.join(folder, 'bad.db'), bytes);
        const run = admin('restore', path.join(folder, 'bad.db'), '--database', file);
        assert.equal(run.status, 1, `${what}: ${run.said}`);
    }
    assert.match(admin('restore', file, '--database', file).err, /is the database itself/);
    assert.equal(admin('restore', path.join(folder, 'missing'), '--database', file).status, 1);
    assert.deepEqual(ask(file, 'SELECT count(*) FROM booking'), rows);
    assert.deepEqual(fs.readdirSync(folder).filter((name) => /restoring|before/.test(name)), []);
});

test('backup replaces an older backup, and nothing else', {skip}, () => {
    const folder = temporaryFolder();
    const file = filled(folder);
    const copy = path.join(folder, 'copy.db');
    assert.equal(admin('backup', copy, '--database', file).status, 0);
    assert.equal(admin('backup', copy, '--database', file).status, 0);
    fs.writeFileSync(path.join(folder, 'thesis.txt'), 'a year of work');
    assert.match(admin('backup', path.join(folder, 'thesis.txt'), '--database', file).err, /is in the way/);
    assert.equal(fs.readFileSync(path.join(folder, 'thesis.txt'), 'utf8'), 'a year of work');
    assert.match(admin('backup', file, '--database', file).err, /is the database itself/);
    assert.equal(admin('backup', path.join(folder, 'missing', 'copy.db'), '--database', file).status, 1);
});

/* Starts it and kills it after MS milliseconds; true when it was faster. */
async function killed(args, ms) {
    const child = spawn(program, args, {stdio: 'ignore'});
    const ended = new Promise((resolve) => child.on('exit', (status, signal) => resolve(signal === null)));
    await sleep(ms);
    child.kill('SIGKILL');
    return ended;
}

test('killed in the middle, adopt, backup and restore leave what was there or what was wanted', {skip}, async () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {bookings: Array.from({length: 2000}, (unused, i) => booking(i + 1, 10 * i, 10 * i + 8, ['a', 'b']))});
    const before = digest(old);
    const left = () => fs.readdirSync(folder).filter((name) => /adopting|procplan-adopt/.test(name));
    const other = filled(folder, 30, 'other.db');
    const backup = path.join(folder, 'backup.db');
    assert.equal(admin('backup', backup, '--database', other).status, 0);
    const file = path.join(folder, 'new.db');
    const count = () => (fs.existsSync(file) && fs.statSync(file).size + (fs.existsSync(`${file}-wal`) ? 1 : 0) > 0 ?
        ask(file, 'SELECT count(*) FROM sqlite_schema WHERE name = \'booking\'')[0][0] &&
        ask(file, 'SELECT count(*) FROM booking')[0][0] : 0);
    for (let ms = 5; count() === 0 && ms < 4000; ms = Math.ceil(ms * 1.4)) {
        await killed(['adopt', old, '--database', file], ms);
        assert.ok([0, 2000].includes(count()), `${count()} bookings`);
    }
    if (count() === 0) assert.equal(admin('adopt', old, '--database', file).status, 0);
    else assert.match(admin('adopt', old, '--database', file).err, /has bookings already/);
    assert.deepEqual(left(), [], 'the next run takes away what a killed one left');
    /* Killed as soon as the copy is there to be seen; where that comes too late, once more. */
    const fresh = (i) => path.join(folder, `fresh${i}.db`);
    let i = 0;
    for (; i < 50 && left().length === 0; i++) {
        const child = spawn(program, ['adopt', old, '--database', fresh(i)], {stdio: 'ignore'});
        const ended = new Promise((resolve) => child.on('exit', resolve));
        while (child.exitCode === null && !fs.existsSync(`${fresh(i)}.adopting`)) await new Promise(setImmediate);
        child.kill('SIGKILL');
        await ended;
    }
    assert.equal(left()[0], `fresh${i - 1}.db.adopting`, 'it was killed while the copy was there');
    assert.equal(fs.statSync(path.join(folder, left()[0])).mode & 0o777, 0o600);
    assert.equal(admin('adopt', old, '--database', fresh(i - 1)).status, 0);
    assert.deepEqual(left(), []);
    assert.equal(digest(old), before);
    assert.equal(admin('check', '--database', file).status, 0);

    for (let ms = 5; ms < 500; ms = Math.ceil(ms * 1.5)) {
        const done = await killed(['restore', backup, '--database', file], ms);
        const check = admin('check', '--database', file);
        assert.equal(check.status, 0, check.said);
        assert.ok([30, 2000].includes(count()));
        if (done) assert.equal(count(), 30);
    }
    const copy = path.join(folder, 'copy.db');
    for (let ms = 5; ms < 300; ms = Math.ceil(ms * 1.5)) {
        await killed(['backup', copy, '--database', file], ms);
        if (fs.existsSync(copy)) assert.deepEqual(ask(copy, 'PRAGMA integrity_check'), [['ok']]);
    }
    assert.equal(admin('backup', copy, '--database', file).status, 0);
});

test('the log of a killed run is not taken for that of the next one', {skip}, () => {
    const folder = temporaryFolder();
    const first = makeOld(folder, {log: true, bookings: [booking(1, 9, 17, ['a'])]}, 'first.db');
    const second = makeOld(folder, {bookings: [booking(2, 9, 17, ['a'])]}, 'second.db');
    const file = path.join(folder, 'new.db');
    for (const end of ['', '-wal', '-shm']) fs.copyFileSync(`${first}${end}`, `${file}.adopting${end}`);
    fs.writeFileSync(`${file}.adopting-journal`, 'torn');
    const run = admin('adopt', second, '--database', file);
    assert.equal(run.status, 0, run.said);
    assert.deepEqual(ask(file, 'SELECT id FROM booking'), [[2]]);
    assert.deepEqual(fs.readdirSync(folder).filter((name) => name.includes('adopting')), []);
});

test('two at once do not use one copy', {skip}, async () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {bookings: [booking(1, 9, 17, ['a'])]});
    const file = path.join(folder, 'new.db');
    const holder = spawn(python, ['-c', 'import fcntl,sys\nf=open(sys.argv[1],"w")\nfcntl.flock(f,fcntl.LOCK_EX)\nprint("held",flush=True)\nsys.stdin.read()',
        `${file}.adopting`], {stdio: ['pipe', 'pipe', 'inherit']});
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    assert.match(admin('adopt', old, '--database', file).err, /just being written by another process/);
    holder.stdin.end();
    await new Promise((resolve) => holder.on('close', resolve));
    assert.equal(admin('adopt', old, '--database', file).status, 0);
});

test('a file that has the name of a copy that is being made is refused, and stays as it is', {skip}, () => {
    const folder = temporaryFolder();
    const file = filled(folder);
    assert.equal(admin('backup', path.join(folder, 'copy.db'), '--database', file).status, 0);
    for (const [name, args] of [
        ['other.db.adopting', (place) => ['adopt', place, '--database', path.join(folder, 'other.db')]],
        ['other.db.restoring', (place) => ['restore', place, '--database', path.join(folder, 'other.db')]],
        ['night.part', (place) => ['backup', path.join(folder, 'night'), '--database', place]],
    ]) {
        const place = path.join(folder, name);
        if (name.endsWith('adopting')) fs.renameSync(makeOld(folder, {bookings: [booking(1, 9, 17, ['a'])]}), place);
        else fs.copyFileSync(path.join(folder, 'copy.db'), place);
        const before = digest(place);
        const run = admin(...args(place));
        assert.equal(run.status, 1, run.said);
        assert.match(run.err, /this name is needed for a copy while it is made/);
        assert.equal(digest(place), before, name);
    }
});

/* What a terminal is sent, and the status; standard output and error are both it. */
function onTerminal(...args) {
    const script = 'import os,pty,sys\npid,fd=pty.fork()\nif pid==0: os.execv(sys.argv[1],sys.argv[1:])\nseen=b""\n' +
        'while True:\n  try: got=os.read(fd,65536)\n  except OSError: break\n  if not got: break\n  seen+=got\n' +
        'sys.stdout.buffer.write(seen)\nsys.exit(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))';
    const run = spawnSync(python, ['-c', script, program, ...args], {encoding: 'utf8', timeout: 120_000});
    return {status: run.status, sent: run.stdout, errors: run.stderr};
}
/* What stands on the terminal's lines in the end. */
const shown = (sent) => sent.split('\n').map((line) => {
    let cells = [];
    for (const part of line.split('\r')) cells = [...part, ...cells.slice(part.length)];
    return cells.join('').trimEnd();
});

test('on a terminal each command shows how far it is, and leaves nothing of that; in a pipe it is silent', {skip}, () => {
    const folder = temporaryFolder();
    const old = makeOld(folder, {bookings: Array.from({length: 600}, (unused, i) => booking(i + 1, 10 * i, 10 * i + 8, ['a', 'b']))});
    const piped = path.join(folder, 'piped.db'), seen = path.join(folder, 'seen.db');
    const commands = [['adopt', old], ['check'], ['backup', path.join(folder, 'copy.db')], ['vacuum'], ['restore', path.join(folder, 'copy.db')]];
    for (const [name, ...rest] of commands) {
        const quiet = admin(name, ...rest, '--database', piped);
        assert.deepEqual([quiet.status, quiet.err], [0, ''], name);
        assert.doesNotMatch(quiet.out, /\r|%/);
        const {status, sent, errors} = onTerminal(name, ...rest, '--database', seen);
        assert.equal(status, 0, sent + errors);
        assert.match(sent, new RegExp(`\\r${name}: ([|/\\\\-]| {0,2}\\d+ %)`), 'it shows a line that is written over');
        const lines = shown(sent);
        assert.equal(lines.pop(), '', 'it ends with its line');
        const plain = (text) => text.replaceAll(/(piped|seen)\.db/g, 'X').replaceAll(/before-\w+/g, 'before');
        assert.deepEqual(lines.map(plain), quiet.out.trimEnd().split('\n').map(plain), name);
    }
    const missing = onTerminal('check', '--database', path.join(folder, 'none', 'x.db'));
    const failed = onTerminal('restore', path.join(folder, 'old.db'), '--database', seen);
    for (const {status, sent} of [missing, failed]) {
        assert.equal(status, 1);
        for (const line of shown(sent)) assert.match(line, /^(procplan-admin: .*)?$/, 'the sentence stands alone');
    }
});

test('vacuum says before it begins what others will see, and they do', {skip: skipServer}, async (t) => {
    const folder = folderForAll();
    const file = path.join(folder, 'state', 'procplan.db');
    const server = await startServer({args: ['--database', file]});
    const hold = (gpu) => ({node_id: 'alpha', gpu_ids: [gpu], start: `${YEAR_AHEAD}-01-01T00:00:00Z`, end: `${YEAR_AHEAD}-01-01T04:00:00Z`, user_label: 'x'});
    assert.equal((await request(server, 'POST', '/api/book', {body: hold('gpu0')})).status, 201);
    await server.stop();
    damage(file, 'CREATE TABLE ballast (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)' +
        ' INSERT INTO ballast SELECT randomblob(2000) FROM n;');
    const again = await startServer({args: ['--database', file]});
    const child = spawn(program, ['vacuum', '--database', file], {stdio: ['ignore', 'pipe', 'inherit']});
    t.after(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
    const ended = new Promise((resolve) => child.on('close', resolve));
    /* Stopped as soon as it holds the write lock, for as long as this needs. */
    const holds = () => {
        try {
            return fs.readdirSync(`/proc/${child.pid}/fdinfo`).some((fd) =>
                /\.lock$/.test(fs.readlinkSync(`/proc/${child.pid}/fd/${fd}`)) && /FLOCK +ADVISORY +WRITE/.test(fs.readFileSync(`/proc/${child.pid}/fdinfo/${fd}`, 'utf8')));
        } catch {
            return false; /* it closed the one that was being looked at */
        }
    };
    for (const deadline = Date.now() + 60_000; !holds(); await new Promise(setImmediate))
        assert.ok(Date.now() < deadline && child.exitCode === null, 'it takes the write lock');
    child.kill('SIGSTOP');
    assert.ok(holds(), 'it was stopped in the middle');
    assert.equal((await request(again, 'GET', '/api/nodes')).status, 200);
    assert.equal((await request(again, 'GET', '/api/timeline')).status, 200);
    const refused = await request(again, 'POST', '/api/book', {body: hold('gpu1')});
    assert.deepEqual([refused.status, refused.headers['retry-after'] !== undefined], [503, true], refused.text);
    assert.match(out, /^.*: \d+\.\d MB; until it is done people can look, but who books waits, and is told after 5 seconds to try again\n$/);
    const waiting = request(again, 'POST', '/api/book', {body: hold('gpu1')});
    child.kill('SIGCONT');
    assert.equal((await waiting).status, 201, 'who waits less than that books');
    assert.equal(await ended, 0);
    assert.match(out, /\n.*: \d+\.\d MB, before that \d+\.\d MB\n$/);
    await again.stop();
});

test('wrong options end with status 2 and say what is right', () => {
    for (const args of [[], ['drop'], ['backup', '--database', 'x'], ['check'], ['check', 'x', '--database', 'x'], ['check', '--fast'],
        ['vacuum', '--leave-out', '--database', 'x']]) {
        const run = admin(...args);
        assert.equal(run.status, 2, args.join(' '));
        assert.match(run.err, /Try 'procplan-admin --help'/);
    }
    assert.match(admin('--help').out, /usage: procplan-admin adopt OLD\.db/);
});
