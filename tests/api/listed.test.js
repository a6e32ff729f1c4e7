'use strict';
/* A test that no list names never runs. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {source} = require('./harness.js');

/* The fragments of the Makefile, as Makefile.am includes them. */
const fragments = [...fs.readFileSync(path.join(source, 'Makefile.am'), 'utf8').matchAll(/^include (\S+)/gm)].map(([, file]) => file);
const words = new Set(fragments.flatMap((file) => fs.readFileSync(path.join(source, file), 'utf8').split(/\s+/)));

for (const entry of fs.readdirSync(path.join(source, 'tests'), {withFileTypes: true})) {
    if (!entry.isDirectory()) continue;
    test(`every test in tests/${entry.name} is named by the Makefile`, () => {
        const tests = fs.readdirSync(path.join(source, 'tests', entry.name))
            .filter((file) => /(\.test\.js|_test\.c)$/.test(file)).map((file) => `tests/${entry.name}/${file.replace(/\.c$/, '')}`);
        assert.deepEqual(tests.filter((file) => !words.has(file)), []);
    });
}
