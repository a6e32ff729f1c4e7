'use strict';
/* What the tests of programs that run beside a job have in common. */
const {spawn} = require('node:child_process');
const {PATIENCE, temporaryFolder} = require('../api/harness.js');

/* Settings of whoever runs the tests must not reach the programs. */
let home;
const environment = (more = {}) => {
    home ??= temporaryFolder();
    const kept = Object.fromEntries(['PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS', 'TMPDIR'].filter((name) => process.env[name])
        .map((name) => [name, process.env[name]]));
    return {...kept, HOME: home, NO_PROXY: '*', PROCPLAN_CONFIG_SYSTEM: '/nonexistent', ...more};
};

/*
 * Runs PROGRAM to its end: {code, signal, stdout, stderr}. STARTED is called with the child at once; what is still running after
 * PATIENCE is killed. The child's stdin is INPUT, or nothing.
 */
function runProgram(program, args, {env = {}, started, encoding = 'utf8', input, detached = false, cwd} = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, {env: environment(env), stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], detached, cwd});
        const result = {stdout: '', stderr: ''};
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
        child.stdout.setEncoding(encoding).on('data', (text) => { result.stdout += text; });
        child.stderr.setEncoding(encoding).on('data', (text) => { result.stderr += text; });
        if (input !== undefined) child.stdin.end(input);
        child.on('error', reject);
        child.on('close', (code, signal) => {
            clearTimeout(timer);
            resolve({...result, code, signal});
        });
        started?.(child, result);
    });
}

module.exports = {environment, runProgram};
