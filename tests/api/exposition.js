'use strict';
/*
 * A strict reader of Prometheus' text format, version 0.0.4, made for the tests: it throws at what promtool would complain
 * about. Where promtool is installed the tests ask it, too.
 */
const assert = require('node:assert/strict');
const fs = require('node:fs');

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

function labelsOf(text) {
    const labels = {};
    for (let rest = text ?? ''; rest !== '';) {
        const m = LABEL.exec(rest);
        assert.ok(m, `labels: ${text}`);
        assert.ok(!Object.hasOwn(labels, m[1]), `a label twice: ${text}`);
        labels[m[1]] = m[2];
        rest = rest.slice(m[0].length);
    }
    return labels;
}

function valueOf(text) {
    assert.match(text, /^(\d+(\.\d+)?)$/, `value ${text}`); /* ours are never negative, infinite or in exponents */
    return Number(text);
}

/* Of a histogram: per set of labels, buckets that only grow, in order of their bounds, the last +Inf and equal to _count. */
function checkHistogram(family) {
    const series = new Map();
    for (const {name, labels, value} of family.samples) {
        const {le, ...others} = labels;
        const key = JSON.stringify(others);
        if (!series.has(key)) series.set(key, {buckets: []});
        const one = series.get(key);
        if (name === `${family.name}_bucket`) one.buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
        else one[name.slice(family.name.length + 1)] = value;
    }
    for (const [key, {buckets, sum, count}] of series) {
        assert.ok(sum !== undefined && count !== undefined, `sum or count is missing: ${key}`);
        buckets.reduce(([bound, value], [nextBound, nextValue]) => {
            assert.ok(nextBound > bound && nextValue >= value, `buckets of ${key}: ${JSON.stringify(buckets)}`);
            return [nextBound, nextValue];
        }, [-1, 0]);
        assert.deepEqual(buckets[buckets.length - 1], [Infinity, count], key);
    }
}

/* Families by name: {name, type, help, samples: [{name, labels, value}]}. */
function parseExposition(text) {
    assert.ok(text.endsWith('\n'), 'it ends with a line feed');
    const families = new Map();
    const seen = new Set();
    let family = null;
    for (const line of text.slice(0, -1).split('\n')) {
        const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
        if (comment && comment[1] === 'HELP') {
            assert.match(comment[2], METRIC);
            assert.ok(!families.has(comment[2]), `a family twice: ${line}`);
            family = {name: comment[2], help: comment[3], samples: []};
            families.set(family.name, family);
            continue;
        }
        assert.ok(family, line);
        if (comment) {
            assert.equal(comment[2], family.name, line);
            assert.ok(!family.type && family.samples.length === 0, line);
            assert.match(comment[3], /^(counter|gauge|histogram)$/);
            family.type = comment[3];
            continue;
        }
        const m = SAMPLE.exec(line);
        assert.ok(m, `no sample: ${line}`);
        const suffix = m[1].slice(family.name.length);
        assert.ok(m[1].startsWith(family.name) &&
            (family.type === 'histogram' ? ['_bucket', '_sum', '_count'].includes(suffix) : suffix === ''), `not of its family: ${line}`);
        assert.equal(family.type === 'counter', family.name.endsWith('_total'), family.name);
        const labels = labelsOf(m[2]);
        const key = `${m[1]} ${JSON.stringify(Object.entries(labels).sort())}`;
        assert.ok(!seen.has(key), `a sample twice: ${line}`);
        seen.add(key);
        family.samples.push({name: m[1], labels, value: valueOf(m[3])});
    }
    for (const one of families.values()) {
        assert.ok(one.type && one.samples.length > 0, one.name);
        if (one.type === 'histogram') checkHistogram(one);
    }
    return families;
}

const promtool = ['/usr/bin/promtool', '/usr/local/bin/promtool'].find((file) => fs.existsSync(file));

module.exports = {parseExposition, promtool};
