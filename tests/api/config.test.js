'use strict';
/* procplan-fcgi --check-config: what is fine, and for what is wrong a message that says where and why. */
const assert = require('node:assert/strict');
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {CONFIG, PATIENCE, build, source, temporaryFolder} = require('./harness.js');

const folder = temporaryFolder();
let files = 0;

function check(content) {
    const file = path.join(folder, `config${files++}.json`);
    if (content !== undefined)
        fs.writeFileSync(file, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
    return {file, ...checkFile(file)};
}

function checkFile(file) {
    const {status, signal, stdout, stderr} = spawnSync(path.join(build, 'procplan-fcgi'), ['--check-config', '--config', file],
        {encoding: 'utf8', timeout: PATIENCE, cwd: folder});
    assert.equal(signal, null, stderr);
    return {status, stdout, stderr};
}

/* -- fine ----------------------------------------------------------------------------------------------------- */

const G = (id) => ({id, kind: 'A100'});
for (const [name, content] of [
    ["the configuration of the API's tests", CONFIG],
    ['a node without GPUs', {nodes: [{id: 'a'}]}],
    ['an empty list of GPUs', {nodes: [{id: 'a', gpus: []}]}],
    ['the same GPU id on two nodes', {nodes: [{id: 'a', gpus: [G('gpu0')]}, {id: 'b', gpus: [G('gpu0')]}]}],
    ['ids that are numbers', {nodes: [{id: 1, gpus: [{id: 0, kind: 'A100'}]}]}],
    ['an id of 64 characters', {nodes: [{id: 'é'.repeat(64)}]}],
    ['an id with blanks around it', {nodes: [{id: ' a '}]}],
    ['a device that is an index', {nodes: [{id: 'a', gpus: [{id: 'g', device: 0}]}]}],
    ['all limits', {nodes: [{id: 'a'}], limits: {max_booking_hours: 1, max_days_ahead: 7, max_gpus_per_booking: 1,
        max_active_gpu_hours_per_user: 10, allow_past: false}}],
    ['limits that are null', {nodes: [{id: 'a'}], limits: {max_days_ahead: null, max_gpus_per_booking: null,
        max_active_gpu_hours_per_user: null}}],
    ['empty limits', {nodes: [{id: 'a'}], limits: {}}],
    ['allowed origins', {nodes: [{id: 'a'}], allowed_origins: ['https://planner.example.org', 'http://10.0.0.1:8080']}],
    ['blank lines behind the end', `${JSON.stringify({nodes: [{id: 'a'}]})}\n\n`],
]) {
    test(`fine: ${name}`, () => {
        const {status, stderr} = check(content);
        assert.equal(status, 0, stderr);
    });
}

test('fine: the sample configuration', () => {
    const {status, stdout, stderr} = checkFile(path.join(source, 'config.sample.json'));
    assert.equal(status, 0, stderr);
    assert.match(stdout, /\b2 nodes\b/);
    assert.match(stdout, /\b6 GPUs\b/);
});

/* -- wrong ---------------------------------------------------------------------------------------------------- */

const node = (more) => ({nodes: [{id: 'first'}, {id: 'a', ...more}]});
const gpu = (more) => node({gpus: [G('g0'), {id: 'g1', ...more}]});
const limits = (more) => ({nodes: [{id: 'a'}], limits: more});

/* [what, content, what the message must hold besides the file's name …] */
for (const [name, content, ...wanted] of [
    /* not JSON: the line */
    ['an empty file', '', /line 1\b/],
    ['a bracket missing', '{\n  "nodes": [\n    {"id": "a"}\n', /line [34]\b/],
    ['a comma too many', '{\n  "nodes": [\n    {"id": "a"},\n  ]\n}', /line 4\b/],
    ['a comment', '{\n  // the nodes\n  "nodes": []}', /line 2\b/],
    ['single quotes', "{'nodes': []}", /line 1\b/],
    ['trailing garbage', '{"nodes": [{"id": "a"}]}\n{}', /line 2\b/],
    ['bad UTF-8', Buffer.from('{"nodes": [\n{"id": "caf\xe9"}]}', 'latin1'), /line 2\b/, /UTF-8/],
    ['an overlong form', Buffer.from('{"nodes": [\n{"id": "\xc0\xafx"}]}', 'latin1'), /line 2\b/, /UTF-8/],
    ['a NUL in a text', '{"nodes": [{"id": "a\\u0000b"}]}', /line 1\b/],
    ['a NUL byte', '{"nodes": [{"id": "a"}]}\0', /line 1\b/],
    ['a lone surrogate', '{"nodes": [{"id": "\\ud800"}]}', /line 1\b/],
    ['a key twice', '{"nodes": [{"id": "a",\n"id": "b"}]}', /line 2\b/, /"id"/],
    ['deep nesting', `{"nodes": ${'['.repeat(10_000)}`, /line 1\b/],
    /* not what it should be: the JSON path */
    ['an array at the top', '[]', /object/],
    ['a text at the top', '"nodes"', /object/],
    ['null', 'null', /object/],
    ['no nodes', {}, /\bnodes\b/],
    ['nodes that are null', {nodes: null}, /\bnodes\b/],
    ['nodes that are an object', {nodes: {a: {}}}, /\bnodes\b/, /array/],
    ['an empty list of nodes', {nodes: []}, /\bnodes\b/, /one node/],
    ['a node that is a text', {nodes: ['a']}, /nodes\[0\]/, /object/],
    ['a node that is null', {nodes: [{id: 'a'}, null]}, /nodes\[1\]/],
    ['a node without an id', {nodes: [{name: 'x'}]}, /nodes\[0\]\.id/],
    ['a node with an empty id', node({id: ''}), /nodes\[1\]\.id/, /empty/],
    ['a node with a blank id', node({id: ' \t'}), /nodes\[1\]\.id/, /empty/],
    ['a node id that is true', node({id: true}), /nodes\[1\]\.id/],
    ['a node id that is an object', node({id: {}}), /nodes\[1\]\.id/],
    ['a node id of 65 characters', node({id: 'x'.repeat(65)}), /nodes\[1\]\.id/, /64/],
    ['a node id with a control character', node({id: 'a\u0007'}), /nodes\[1\]\.id/, /control/],
    ['a node id twice', {nodes: [{id: 'a'}, {id: 'b'}, {id: 'a'}]}, /nodes\[2\]\.id/, /"a"/],
    ['node ids that are the same once trimmed', {nodes: [{id: 'a'}, {id: ' a '}]}, /nodes\[1\]\.id/, /"a"/],
    ['node ids that are the same as text', {nodes: [{id: '7'}, {id: 7}]}, /nodes\[1\]\.id/, /"7"/],
    ['a name that is a list', node({name: ['x']}), /nodes\[1\]\.name/],
    ['gpus that are an object', node({gpus: {}}), /nodes\[1\]\.gpus/, /array/],
    ['gpus that are a number', node({gpus: 8}), /nodes\[1\]\.gpus/, /array/],
    ['a GPU that is a text', node({gpus: ['g0']}), /nodes\[1\]\.gpus\[0\]/, /object/],
    ['a GPU without an id', node({gpus: [{kind: 'A100'}]}), /nodes\[1\]\.gpus\[0\]\.id/],
    ['a GPU with an empty id', gpu({id: ''}), /nodes\[1\]\.gpus\[1\]\.id/, /empty/],
    ['a GPU id twice within a node', gpu({id: 'g0'}), /nodes\[1\]\.gpus\[1\]\.id/, /"g0"/],
    ['a kind that is true', gpu({kind: true}), /nodes\[1\]\.gpus\[1\]\.kind/],
    ['a device that is a list', gpu({device: [0]}), /nodes\[1\]\.gpus\[1\]\.device/],
    ['limits that are a list', limits([]), /\blimits\b/, /object/],
    ['limits that are a number', limits(5), /\blimits\b/, /object/],
    ['a limit that is negative', limits({max_booking_hours: -1}), /limits\.max_booking_hours/],
    ['a limit of no hours at all', limits({max_booking_hours: 0}), /limits\.max_booking_hours/],
    ['a limit that is a text', limits({max_days_ahead: '7'}), /limits\.max_days_ahead/],
    ['a limit that is a fraction', limits({max_gpus_per_booking: 1.5}), /limits\.max_gpus_per_booking/],
    ['a limit that is true', limits({max_active_gpu_hours_per_user: true}), /limits\.max_active_gpu_hours_per_user/],
    ['a limit beyond any integer', '{"nodes":[{"id":"a"}],"limits":{"max_days_ahead":99999999999999999999}}'],
    ['allow_past that is a number', limits({allow_past: 0}), /limits\.allow_past/, /true or false/],
    ['allow_past that is a text', limits({allow_past: 'no'}), /limits\.allow_past/],
    ['allowed_origins that are a text', {nodes: [{id: 'a'}], allowed_origins: 'https://x.example'}, /\ballowed_origins\b/, /array/],
    ['an allowed origin with a path', {nodes: [{id: 'a'}], allowed_origins: ['https://x.example/planner']}, /allowed_origins\[0\]/],
    ['an allowed origin without a scheme', {nodes: [{id: 'a'}], allowed_origins: ['https://x.example', 'x.example']}, /allowed_origins\[1\]/],
    ['an allowed origin that is a star', {nodes: [{id: 'a'}], allowed_origins: ['*']}, /allowed_origins\[0\]/],
    /* a key nobody reads: its place and the nearest known name */
    ['a key misspelt at the top', {nodes: [{id: 'a'}], limit: {}}, /"limit"/, /"limits"/],
    ['a key misspelt in a node', node({gpu: []}), /nodes\[1\]/, /"gpu"/, /"gpus"/],
    ['a key misspelt in a GPU', gpu({knid: 'A100'}), /nodes\[1\]\.gpus\[1\]/, /"knid"/, /"kind"/],
    ['a key misspelt in the limits', limits({max_bookings_hours: 5}), /\blimits\b/, /"max_bookings_hours"/, /"max_booking_hours"/],
    ['a key in capitals', limits({Allow_past: true}), /\blimits\b/, /"Allow_past"/, /"allow_past"/],
    ['a key like none', {nodes: [{id: 'a'}], database: 'x'}, /"database"/],
    ['an unknown way to log in', {nodes: [{id: 'a'}], auth: {mod: 'open'}}, /\bauth\b/, /"mod"/, /"mode"/],
]) {
    test(`refused, with its place: ${name}`, () => {
        const {file, status, stdout, stderr} = check(content);
        assert.equal(status, 1, `${stdout}${stderr}`);
        assert.equal(stdout, '');
        assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
        assert.ok(stderr.includes(path.basename(file)), stderr);
        for (const pattern of wanted) assert.match(stderr, pattern);
    });
}

test('refused: a file that is not there', () => {
    const {file, status, stderr} = check(undefined);
    assert.equal(status, 1);
    assert.ok(stderr.includes(path.basename(file)), stderr);
    assert.match(stderr, /no such file/i);
});

test('refused: a folder', () => {
    const {status, stderr} = checkFile(folder);
    assert.equal(status, 1);
    assert.ok(stderr.includes(path.basename(folder)), stderr);
});

test('refused: a file in a folder that is not there', () => {
    const {status, stderr} = checkFile(path.join(folder, 'nowhere', 'config.json'));
    assert.equal(status, 1);
    assert.match(stderr, /config\.json/);
});

test('refused: a file that never ends', () => {
    const {status, stderr} = checkFile('/dev/zero');
    assert.equal(status, 1);
    assert.match(stderr, /zero/);
});
