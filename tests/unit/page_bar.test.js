'use strict';
/* The words of the page's bar, filters, Find panel and help, in node: no document, no network. */
const assert = require('node:assert/strict');
const {execFileSync} = require('node:child_process');
const path = require('node:path');
const {test, before} = require('node:test');
const {pathToFileURL} = require('node:url');

const source = process.env.PROCPLAN_SOURCE || path.resolve(__dirname, '..', '..');
let words;
before(async () => {
    words = await import(pathToFileURL(path.join(source, 'htdocs', 'js', 'bar-words.js')).href);
});

const at = (text) => Date.parse(`${text}Z`) / 3_600_000;

test('the range says a month and a year once where both ends share them', () => {
    const range = (start, end) => words.rangeText(at(start), at(end));
    assert.equal(range('2026-11-23T00:00', '2026-11-30T00:00'), '23 – 29 Nov 2026');
    assert.equal(range('2026-11-23T00:00', '2026-12-08T00:00'), '23 Nov – 7 Dec 2026');
    assert.equal(range('2026-12-28T00:00', '2027-01-11T00:00'), '28 Dec 2026 – 10 Jan 2027');
    assert.equal(range('2026-11-23T06:00', '2026-11-24T00:00'), 'Mon 23 Nov 2026');
    assert.equal(range('2026-11-23T22:00', '2026-11-24T01:00'), '23 – 24 Nov 2026');
    assert.equal(range('2025-11-23T00:00', '2026-11-24T00:00'), '23 Nov 2025 – 23 Nov 2026', 'the same month of another year');
});

test('the weeks in view are ISO weeks, across a year\'s end, too', () => {
    const weeks = (start, end) => words.weeksText(at(start), at(end));
    assert.equal(weeks('2026-11-23T00:00', '2026-11-30T00:00'), 'week 48');
    assert.equal(weeks('2026-11-22T00:00', '2026-11-24T00:00'), 'weeks 47 – 48');
    assert.equal(weeks('2026-12-28T00:00', '2027-01-12T00:00'), 'weeks 53 – 2');
    assert.equal(weeks('2026-11-23T00:00', '2027-11-28T00:00'), 'weeks 48 – 47', 'a year and some days are not one week');
});

test('initials are short, and never half a letter', () => {
    for (const [label, initials] of [['AB', 'AB'], ['abc', 'abc'], ['ada lovelace', 'al'], ['Ada King Lovelace', 'AK'], ['somebody', 'so'],
        ['s.ramanujan@example.org', 'sr'], ['👩‍🔬👩‍🔬👩‍🔬👩‍🔬', '👩‍🔬👩‍🔬'], ['ábcd', 'áb'], ['....', '..'], ['', '']])
        assert.equal(words.initialsOf(label), initials, label);
});

test('GPUs whose names count up are said together', () => {
    const list = (...names) => words.gpuList(names.map((short, index) => ({short, index})));
    assert.equal(list('gpu0', 'gpu1', 'gpu2', 'gpu6'), 'gpu0–2, gpu6');
    assert.equal(list('0', '1', '3', '4'), '0–1, 3–4');
    assert.equal(list('a1', 'b2'), 'a1, b2');
    assert.equal(list('left', 'right'), 'left, right');
    assert.equal(list('gpu9', 'gpu10'), 'gpu9–10');
    assert.equal(list('gpu0'), 'gpu0');
    assert.equal(list('x–0', 'x–1'), 'x–0–1', 'a dash of the name\'s own stays');
    assert.equal(list('x\n1'), 'x\n1');
});

test('a filter says what it shows: all, one by name, or how many', () => {
    const nodes = [{id: 'a', name: 'atlas'}, {id: 'b', name: 'borea'}, {id: 'c', name: 'ceres'}];
    assert.equal(words.choiceText('nodes', nodes, null), 'All nodes');
    assert.equal(words.choiceText('nodes', nodes, ['b']), 'borea');
    assert.equal(words.choiceText('nodes', nodes, ['a', 'c', 'gone']), '2 of 3 nodes');
    assert.equal(words.choiceText('nodes', nodes, []), 'None of 3 nodes');
});

test('Find looks from now, from tomorrow\'s midnight, from the coming Monday or from a day that exists', () => {
    const now = at('2026-11-23T10:00') + .4; /* a Monday */
    assert.equal(words.afterOf('now', '', now), 0);
    assert.equal(words.afterOf('tomorrow', '', now), at('2026-11-24T00:00'));
    assert.equal(words.afterOf('monday', '', now), at('2026-11-30T00:00'));
    assert.equal(words.afterOf('date', '2026-12-24', now), at('2026-12-24T00:00'));
    assert.equal(words.afterOf('date', '', now), null);
});

test('how long until a window counts from the hour that runs', () => {
    const now = at('2026-11-23T10:00') + .9;
    assert.equal(words.inText(at('2026-11-23T10:00'), now), 'now');
    assert.equal(words.inText(at('2026-11-23T11:00'), now), 'in 1 h');
    assert.equal(words.inText(at('2026-11-25T12:00'), now), 'in 2 d 2 h');
});

test('a wish that cannot come true is told why before anybody is asked', () => {
    const nodes = [
        {count: 8, kinds: [{kind: 'H100', count: 6}, {kind: 'A100', count: 2}]},
        {count: 4, kinds: [{kind: 'A100', count: 4}]},
    ];
    const why = (gpus, hours, kind = '', limits = {}, some = nodes) => words.whyNever({gpus, hours, kind}, some, limits);
    assert.equal(why(8, 100), '');
    assert.equal(why(9, 1), 'No node shown has 9; the most is 8.');
    assert.equal(why(7, 1, 'H100'), 'No node shown has 7 of H100; the most is 6.');
    assert.equal(why(4, 1, 'A100'), '');
    assert.equal(why(1, 1, '', {}, []), 'The filter shows no node.');
    assert.equal(why(1, 169, '', {max_booking_hours: 168}), 'A booking may last 168 h at most.');
    assert.equal(why(1, 168, '', {max_booking_hours: 168, max_gpus_per_booking: null}), '');
    assert.equal(why(3, 1, '', {max_gpus_per_booking: 2}), 'A booking may take 2 GPUs at most.');
    for (const [gpus, hours] of [[0, 1], [1, 0], [1.5, 1], [NaN, 1], [-1, 1]])
        assert.equal(why(gpus, hours), 'How many GPUs, for how many hours?');
});

test('what help offers for a shell means the same to a shell, whatever a node is called', () => {
    const said = (text) => execFileSync('/bin/sh', ['-c', `printf %s ${text}`], {encoding: 'utf8'});
    for (const text of ['atlas', 'it\'s', '$(reboot)', '`x` "y" \\z', 'two words', '-n', 'ünï', '\'', 'a;b&c|d', '*', '~'])
        assert.equal(said(words.shellWord(text)), text);

    const [cli, curl] = words.shellLines('https://gpus.example/procplan/', 'it\'s', 'A "B" $C', at('2026-11-23T10:00') + .5);
    assert.equal(cli.split('\n')[0], 'export PROCPLAN_URL=https://gpus.example/procplan');
    assert.match(cli, /\nprocplan-cli book --node 'it'\\''s' --gpus 1 --hours 4$/);
    const book = curl.split('\n')[1].replace(/^curl/, '');
    const words4 = execFileSync('/bin/sh', ['-c', `for word in ${book}; do printf '%s\\0' "$word"; done`], {encoding: 'utf8'}).split('\0');
    assert.equal(words4[1], 'https://gpus.example/procplan/api/book');
    assert.deepEqual(JSON.parse(words4[3]), {
        node_id: 'it\'s', gpu_count: 1, start: '2026-11-23T10:00:00Z', end: '2026-11-23T14:00:00Z', user_label: 'A "B" $C',
    });
});

test('the hours in view are those right of the column of names', () => {
    assert.equal(words.hoursInView(1388, {dataset: {left: '188', hourWidth: '2.5'}}), 480);
    assert.equal(words.hoursInView(0, {dataset: {}}), 1, 'a grid that is not shown yet');
});
