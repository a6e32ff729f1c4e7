'use strict';
/* Completion in bash and in zsh as the shells ask for it. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {assertHas, book} = require('../api/fixtures.js');
const {build, source, suite, temporaryFolder} = require('../api/harness.js');
const {deadPort, listen} = require('./hostile_listeners.js');
const {runProgram} = require('./job_fixtures.js');

const it = suite({config: {nodes: [{id: 'node-a', gpus: [{id: 'g0'}]}, {id: 'node-b'}, {id: 'other'}, {id: '$(touch owned)x'}, {id: 'a "b"'}]}});
const folder = path.join(source, 'cli', 'completion');

/* What bash offers for LINE, whose last word is being typed. */
async function offered(url, line, cwd) {
    const result = await runProgram('bash', ['--norc', '-c', `
        source "$0"; compopt() { echo "compopt $*"; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_\${1/-/_}"
        [ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
    path.join(folder, 'procplan-cli.bash'), ...line], {env: {PATH: `${build}:${process.env.PATH}`, PROCPLAN_URL: url}, cwd});
    assertHas(result, {code: 0, stderr: ''});
    return result.stdout.split('\n').slice(0, -1);
}

it('commands and options are offered, and only those that fit', async (server) => {
    assert.deepEqual(await offered(server.url, ['procplan-cli', 'e']), ['edit', 'extend', 'events']);
    const all = await offered(server.url, ['procplan-cli', '']);
    for (const command of ['book', 'list', 'run', 'watch']) assert.ok(all.includes(command), command);
    assert.deepEqual(await offered(server.url, ['procplan-cli', 'run', '--k']), ['--keep', '--kind']);
    assert.ok((await offered(server.url, ['procplan-cli', '--n'])).includes('--node'));
    assert.deepEqual(await offered(server.url, ['procplan-cli', 'book', '--priority', '']), ['low', 'medium', 'high']);
    assert.deepEqual(await offered(server.url, ['procplan-notify', '--t']), ['--timeout', '--token', '--token-file']);
    assert.deepEqual(await offered(server.url, ['procplan-cli', 'run', '--', 'py']), ['compopt -o default']);
});

it('node ids come from the planner; one that a shell would carry out is not offered, nor carried out', async (server) => {
    const cwd = temporaryFolder();
    assert.deepEqual(await offered(server.url, ['procplan-cli', '--node', ''], cwd), ['node-a', 'node-b', 'other']);
    assert.deepEqual(await offered(server.url, ['procplan-cli', 'book', '--node', 'node'], cwd), ['node-a', 'node-b']);
    assert.deepEqual(fs.readdirSync(cwd), []);
});

it('bookings come from the planner', async (server) => {
    const {booking_id: id} = await book(server, {node_id: 'node-a', start: '2061-01-01', end: '2061-01-02', user_label: 'ada', gpu_count: 1});
    for (const line of [['procplan-cli', 'done', ''], ['procplan-cli', 'run', '--booking', `${id}`], ['procplan-notify', '--booking-id', '']])
        assert.deepEqual(await offered(server.url, line), [`${id}`]);
    assert.deepEqual(await offered('http://127.0.0.1:9', ['procplan-cli', '--url', server.url, 'show', '']), [`${id}`]);
});

test('without a planner, or with one that says nothing, it is silent and soon done', async () => {
    const quiet = await listen('is silent');
    try {
        for (const url of ['', `http://127.0.0.1:${await deadPort()}`, quiet.url]) {
            const begun = Date.now();
            assert.deepEqual(await offered(url, ['procplan-cli', '--node', '']), []);
            assert.ok(Date.now() - begun < 20_000);
        }
    } finally {
        await quiet.close();
    }
});

const zsh = ['/usr/bin/zsh', '/bin/zsh'].find((file) => fs.existsSync(file));
const inZsh = (name, body) => it(name, (server, t) => (zsh ? body(server, t) : t.skip('zsh is not installed')));

/* What zsh offers for LINE: the file runs as the completion of its last word, and compadd tells what it got. */
async function offeredByZsh(url, line, cwd) {
    const result = await runProgram(zsh, ['-fc', `
        compadd() { [[ $1 = -a ]] && print -rl -- \${(P)2}; }
        _normal() { print _normal; }; _files() { print _files; }; _command_names() { print _command_names; }
        words=("$@[2,-1]"); CURRENT=$#words; source $1 "$@[2,-1]"`,
    'zsh', path.join(folder, '_procplan-cli'), ...line], {env: {PATH: `${build}:${process.env.PATH}`, PROCPLAN_URL: url}, cwd});
    assertHas(result, {code: 0, stderr: ''});
    return result.stdout.split('\n').slice(0, -1);
}

inZsh('zsh gets commands, options, node ids and bookings as bash does', async (server) => {
    const offers = (...line) => offeredByZsh(server.url, line, cwd);
    const cwd = temporaryFolder();
    const commands = await offers('procplan-cli', 'e');
    for (const command of ['edit', 'extend', 'run', 'watch']) assert.ok(commands.includes(command), `${commands}`);
    const options = await offers('procplan-cli', 'run', '--k');
    for (const option of ['--keep', '--kind', '--url']) assert.ok(options.includes(option), `${options}`);
    assert.ok(!options.includes('--days'));
    assert.ok((await offers('procplan-notify', '--t')).includes('--token-file'));
    assert.deepEqual(await offers('procplan-cli', 'book', '--priority', ''), ['low', 'medium', 'high']);
    assert.deepEqual(await offers('procplan-cli', 'book', '--node', ''), ['node-a', 'node-b', 'other']);
    assert.deepEqual(fs.readdirSync(cwd), [], 'nothing that the planner sent was carried out');
    const {booking_id: id} = await book(server, {node_id: 'node-a', start: '2062-01-01', end: '2062-01-02', user_label: 'ada', gpu_count: 1});
    for (const line of [['procplan-cli', 'done', ''], ['procplan-cli', 'run', '--booking', ''], ['procplan-notify', '--booking-id', '']])
        assert.ok((await offers(...line)).includes(`${id}`), `${line}`);
    assert.ok((await offeredByZsh('http://127.0.0.1:9', ['procplan-cli', '--url', server.url, 'show', ''])).includes(`${id}`));
    assert.deepEqual(await offers('procplan-cli', 'run', '--', 'py'), ['_normal']);
    assert.deepEqual(await offers('procplan-cli', 'run', 'py'), ['_command_names']);
});

inZsh('zsh on a terminal completes what is typed', async (server, t) => {
    const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((file) => fs.existsSync(file));
    if (!python) return t.skip('python3 is not installed');
    const steps = [
        ['expect', 'ready> '], ['send', 'exec zsh -f\n'], ['expect', 'ready> '],
        ['send', 'autoload -U compinit; compinit -D; fpath=($FILES $fpath); autoload -U _procplan-cli\n'], ['expect', 'ready> '],
        ['send', 'compdef _procplan-cli procplan-cli; echo all""set\n'], ['expect', 'allset\r\n'], ['expect', 'ready> '],
        ['send', 'procplan-cli boo\t--pri\thi\t--node oth\t'], ['expect', 'book.*--priority.*high.*--node.*other'],
        /* The line goes by zsh's own key: an interrupt that comes while it still completes would take more than the line. */
        ['send', '\x15'], ['send', 'echo do""ne\n'], ['expect', 'done\r\n'], ['expect', 'ready> '],
    ];
    assertHas(await runProgram(python, ['-I', path.join(source, 'tests', 'cli', 'terminal.py'), JSON.stringify(steps)],
        {env: {PATH: `${path.dirname(zsh)}:${build}:${process.env.PATH}`, PROCPLAN_URL: server.url, FILES: folder}}), {code: 0, stderr: ''});
});
