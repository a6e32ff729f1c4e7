'use strict';
/* procplan-cli for tests: run against a server, with nobody's settings. */
const assert = require('node:assert/strict');
const {execFileSync} = require('node:child_process');
const path = require('node:path');
const {build} = require('../api/harness.js');
const {runProgram} = require('./job_fixtures.js');

const program = path.join(build, 'procplan-cli');

/* Runs it against SERVER (its url; null gives no URL) with ARGS. A sanitizer's complaint fails the test. */
async function cli(server, args, {env = {}, ...options} = {}) {
    const result = await runProgram(program, args, {env: {...(server ? {PROCPLAN_URL: server.url} : {}), ...env}, ...options});
    assert.doesNotMatch(result.stderr, /Sanitizer|runtime error:/, result.stderr);
    assert.equal(result.signal, null, `it was ended by ${result.signal}: ${result.stderr}`);
    return result;
}

/* The same for what must be done: its stdout; stderr is empty. */
async function done(server, args, options) {
    const result = await cli(server, args, options);
    assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}`);
    assert.equal(result.stderr, '', args.join(' '));
    return result.stdout;
}

/* The same for what must fail with CODE: its stderr, which matches PATTERN; stdout is empty. */
async function fails(server, args, code, pattern, options) {
    const result = await cli(server, args, options);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.equal(result.stdout, '', args.join(' '));
    if (pattern instanceof RegExp) assert.match(result.stderr, pattern);
    else if (pattern !== undefined) assert.equal(result.stderr, pattern);
    return result.stderr;
}

/* Whether script(1) is there, which gives a program a terminal. */
function hasScript() {
    try {
        execFileSync('script', ['--version'], {stdio: 'ignore'});
        return true;
    } catch {
        return false;
    }
}

module.exports = {cli, done, fails, hasScript, program};
