'use strict';
/* Moving about: zooms, dates, filters, folding, the search for free windows, help. */
const assert = require('node:assert/strict');
const {isDeepStrictEqual} = require('node:util');
const {HOUR_NOW, browserSuite} = require('./harness.js');
const {bookings, day, gists, give} = require('./fixtures.js');

const it = browserSuite();

const pressed = (locator) => locator.getAttribute('aria-pressed').then((value) => value === 'true');
const rowsOf = (planner) => planner.grid.evaluate((grid) => [...grid.querySelectorAll('[role="row"][data-gpu]')].map((row) => row.dataset.gpu));
const isDim = async (planner, id) => (await planner.barsOf(id)).every((bar) => bar.classes.includes('dim'));

it('at first the grid shows every GPU of every node in their order, and today', async ({open}) => {
    const planner = await open();
    assert.deepEqual(await rowsOf(planner), ['alpha/g0', 'alpha/g1', 'alpha/g2', 'alpha/g3', 'beta/g0', 'beta/g1', 'beta/g2', 'beta/g3',
        'gamma/g0', 'gamma/g1', 'gamma/g2']);
    const at = await planner.measures();
    assert.ok(at.from <= HOUR_NOW && at.to > day(5), `${at.from} to ${at.to}`);
    const text = await planner.grid.innerText();
    for (const words of [/UTC/, /May/, /20/ /* the week */, /H100/, /A100/]) assert.match(text, words);
});

it('the three zooms show hours, days and weeks, and a booking covers the same hours in each', async ({server, open}) => {
    await give(server, 'alpha/g1', day(0, 14), day(1, 6));
    const planner = await open();
    const widths = [];
    for (const zoom of ['hours', 'days', 'weeks']) {
        const button = planner.page.locator(`[data-zoom="${zoom}"]`);
        await button.click();
        await planner.until(() => pressed(button), `${zoom} is pressed`);
        await planner.drawn();
        const {width} = await planner.measures();
        const [bar] = await planner.barsOf(1);
        assert.ok(Math.abs(bar.start - day(0, 14)) * width < 4, `${zoom}: begins at ${bar.start - day(0)}`);
        assert.ok(Math.abs(bar.end - day(1, 6)) * width < 4, `${zoom}: ends at ${bar.end - day(0)}`);
        widths.push(width);
    }
    assert.ok(widths[0] > 3 * widths[1] && widths[1] > 2 * widths[2], `hour widths: ${widths}`);
});

it('in the zoom of hours a drag selects hours', async ({server, open}) => {
    const planner = await open({who: 'AB', query: 'zoom=hours'});
    await planner.drag(['alpha/g0', day(0, 14)], ['alpha/g0', day(0, 17)]);
    assert.deepEqual(await planner.selected(), {start: day(0, 14), end: day(0, 18), rows: ['alpha/g0']});
    await planner.page.locator('#book').click();
    await planner.until(async () => (await bookings(server)).length === 1, 'it is booked');
    assert.deepEqual((await gists(server)).map(({start, end}) => [start, end]), [[day(0, 14), day(0, 18)]]);
});

it('earlier and later move the dates, and Today comes back', async ({open}) => {
    const planner = await open();
    const home = (await planner.measures()).from;
    await planner.page.locator('#later').click();
    await planner.until(async () => (await planner.measures()).from >= home + 5 * 24, 'later is later');
    await planner.page.locator('#earlier').click();
    await planner.page.locator('#earlier').click();
    await planner.until(async () => (await planner.measures()).from < home - 4 * 24, 'earlier is earlier');
    await planner.page.locator('#today').click();
    await planner.until(async () => Math.abs((await planner.measures()).from - home) < 2, 'today is where it was');
});

it('the date in the bar opens a jump to any date', async ({open}) => {
    const planner = await open();
    await planner.page.locator('#range').click();
    const date = planner.page.locator('#jump input[type="date"]');
    await date.fill('2033-12-31');
    await date.press('Enter');
    await planner.until(async () => {
        const at = await planner.measures();
        return at.from <= Date.UTC(2033, 11, 31) / 3_600_000 && at.to > Date.UTC(2034, 0, 3) / 3_600_000;
    }, 'the grid shows that date, over the new year');
    await planner.until(async () => /Jan/.test(await planner.grid.innerText()), 'the header names the next month');
    await planner.address((search) => search.date?.startsWith('2033-12-'));
});

it('scrolling far to the right loads what is there, and the address follows', async ({server, open}) => {
    await give(server, 'alpha/g0', day(200), day(210));
    const planner = await open();
    const at = await planner.measures();
    await planner.page.mouse.move(at.rect.x + 500, at.rect.y + 200);
    for (let guard = 0; guard < 80 && (await planner.measures()).to < day(208); guard++) {
        await planner.page.mouse.wheel(1400, 0);
        await planner.drawn();
    }
    await planner.barsOf(1);
    await planner.address((search) => search.date);
});

it('a node is folded and unfolded by its button, and stays folded at the next visit', async ({open}) => {
    const planner = await open();
    const fold = planner.band('beta').locator('[aria-expanded]');
    assert.equal(await fold.getAttribute('aria-expanded'), 'true');
    await fold.click();
    await planner.until(async () => await planner.row('beta/g0').count() === 0, 'its rows are gone');
    assert.equal(await planner.band('beta').locator('[aria-expanded]').getAttribute('aria-expanded'), 'false');
    assert.equal(await planner.row('alpha/g0').count(), 1);
    await planner.page.reload();
    await planner.ready();
    assert.equal(await planner.row('beta/g0').count(), 0);
    await planner.band('beta').locator('[aria-expanded]').click();
    await planner.until(() => planner.row('beta/g0').count(), 'its rows are back');
});

it('with all nodes folded the Tab key still leads into the grid', async ({open}) => {
    const planner = await open({storage: {'procplan.folded/': JSON.stringify(['alpha', 'beta', 'gamma'])}});
    const stop = planner.grid.locator('[tabindex="0"]');
    await stop.waitFor();
    await stop.focus();
    await planner.press('ArrowDown', 'ArrowRight');
    await planner.row('beta/g0').waitFor();
    assert.equal(await planner.row('alpha/g0').count(), 0);
});

it('the list of nodes shows and hides them, and is remembered', async ({open}) => {
    const planner = await open();
    await planner.page.locator('#filter-nodes').click();
    const menu = planner.page.locator('#nodes-menu');
    await menu.waitFor();
    await menu.getByRole('checkbox', {name: /Alpha/i}).uncheck();
    await planner.until(async () => await planner.row('alpha/g0').count() === 0, 'alpha is hidden');
    assert.equal(await planner.row('beta/g0').count(), 1);
    await planner.press('Escape');
    await menu.waitFor({state: 'hidden'});
    await planner.page.goto(planner.server.url);
    await planner.ready();
    assert.equal(await planner.row('alpha/g0').count(), 0);
    assert.equal(await planner.row('gamma/g0').count(), 1);
});

it('in a long list of nodes a part of a name is typed, and Enter shows only what is called that', {
    config: {nodes: Array.from({length: 14}, (_, node) => ({id: `node-${node}`, gpus: [{id: 'g0', kind: 'H100'}]}))},
}, async ({open}) => {
    const planner = await open();
    await planner.page.locator('#filter-nodes').click();
    const menu = planner.page.locator('#nodes-menu');
    await menu.locator('[type="search"]').click();
    await planner.page.keyboard.type('E-13');
    await planner.until(async () => await menu.getByRole('checkbox', {name: /node-/}).count() === 1, 'one node is called that');
    await planner.press('Enter');
    await planner.until(async () => isDeepStrictEqual(await rowsOf(planner), ['node-13/g0']), 'its row alone is left');
});

it('the filter for kinds leaves the GPUs of that kind, and the address holds it', async ({open}) => {
    const planner = await open();
    await planner.page.locator('#filter-kinds').click();
    const menu = planner.page.locator('#kinds-menu');
    await menu.waitFor();
    for (const kind of ['A100', 'L40S']) await menu.getByRole('checkbox', {name: kind}).uncheck();
    await planner.until(async () => (await rowsOf(planner)).length === 5, 'five H100 are left');
    assert.deepEqual(await rowsOf(planner), ['alpha/g0', 'alpha/g1', 'alpha/g2', 'alpha/g3', 'gamma/g0']);
    await planner.address((search) => search.kind === 'H100');
});

it('Mine and a person\'s name let their bookings stand out', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    await give(server, 'alpha/g1', day(2), day(4), 'KM');
    const planner = await open({who: 'AB'});
    assert.deepEqual([await isDim(planner, 1), await isDim(planner, 2)], [false, false]);
    assert.ok((await planner.barsOf(1))[0].classes.includes('mine'));
    await planner.page.locator('#mine').click();
    await planner.until(() => isDim(planner, 2), 'the others are dimmed');
    assert.equal(await isDim(planner, 1), false);
    assert.equal(await pressed(planner.page.locator('#mine')), true);
    await planner.page.locator('#mine').click();
    await planner.page.locator('#person').fill('KM');
    await planner.page.locator('#person').press('Enter');
    await planner.until(() => isDim(planner, 1), 'all but that person\'s are dimmed');
    assert.equal(await isDim(planner, 2), false);
    await planner.address((search) => search.person === 'KM');
});

it('the search finds the first free windows, shows them on the grid, and one chosen is ready to book', async ({server, open}) => {
    await give(server, ['alpha/g0', 'alpha/g1', 'alpha/g2'], HOUR_NOW, day(3));
    const planner = await open({who: 'AB'});
    await planner.page.locator('#find-button').click();
    const find = planner.page.locator('#find');
    await find.waitFor();
    await find.locator('[name="gpus"]').fill('2');
    await find.locator('[name="hours"]').fill('36');
    await find.locator('[name="kind"]').selectOption('H100');
    await planner.until(() => find.locator('[data-number]').count(), 'there are windows');
    const first = async () => (await planner.bars('.ghost')).filter((ghost) => ghost.id === 1)
        .map(({rows, start, end}) => [rows, Math.round(start), Math.round(end)]);
    await planner.until(async () => isDeepStrictEqual(await first(), [[['alpha/g0', 'alpha/g1'], day(3), day(4, 12)]]), 'the first stands on the grid');

    await find.locator('[data-number="1"]').click();
    await planner.booking.waitFor();
    assert.deepEqual(await planner.selected(), {start: day(3), end: day(4, 12), rows: ['alpha/g0', 'alpha/g1']});
    await planner.page.locator('#book').click();
    await planner.until(async () => (await bookings(server)).length === 2, 'it is booked');
    assert.deepEqual((await gists(server))[1],
        {gpus: ['alpha/g0', 'alpha/g1'], start: day(3), end: day(4, 12), who: 'AB', priority: 'medium', status: 'active'});
});

it('the windows that the search lists are walked through by arrows, and more of them are asked for', async ({server, open}) => {
    for (let at = 1; at < 14; at++) await give(server, ['alpha/g0', 'alpha/g1', 'alpha/g2', 'alpha/g3'], day(at, 12), day(at, 18));
    const planner = await open({who: 'AB', query: 'node=alpha'});
    await planner.press('f');
    const find = planner.page.locator('#find');
    await find.locator('[name="hours"]').fill('6');
    const current = () => find.locator('[aria-current]').getAttribute('data-number');
    const later = planner.page.locator('#find-later');
    await later.waitFor();
    assert.equal(await find.locator('[data-number]').count(), 10);
    assert.equal(await current(), '1');
    await find.locator('[data-number="1"]').focus();
    await planner.press('ArrowDown', 'ArrowDown');
    await planner.until(async () => await current() === '3', 'the third is previewed');
    assert.equal(await planner.booking.isVisible(), false);
    await later.click();
    await planner.until(async () => await find.locator('[data-number]').count() > 10, 'there are more');
    await planner.until(() => find.locator('[data-number="11"]').evaluate((one) => one === document.activeElement), 'the first of them has the focus');
    await planner.press('Escape');
    await find.waitFor({state: 'hidden'});
    await planner.until(async () => (await planner.bars('.ghost')).length === 0, 'none is left on the grid');
});

it('Mine asks who I am where nobody said so', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    await give(server, 'alpha/g1', day(2), day(4), 'KM');
    const planner = await open();
    await planner.page.locator('#mine').click();
    await planner.page.locator('#who-menu').getByText('Which are yours?').waitFor();
    await planner.page.keyboard.type('AB');
    await planner.press('Enter');
    await planner.until(() => isDim(planner, 2), 'the others are dimmed');
    assert.equal(await pressed(planner.page.locator('#mine')), true);
    await planner.page.locator('#clear').click();
    await planner.until(async () => !await isDim(planner, 2), 'all are as before');
});

it('any window that the search lists can be clicked, and the grid scrolls to its node', async ({open}) => {
    const planner = await open({who: 'AB', height: 300});
    await planner.page.locator('#find-button').click();
    const third = planner.page.locator('#find [data-number="3"]'); /* on the last node, below the window's edge */
    await third.waitFor();
    await third.click();
    await planner.booking.waitFor();
    assert.deepEqual((await planner.selected()).rows, ['gamma/g0']);
    const outline = await planner.outline.boundingBox();
    const grid = await planner.grid.boundingBox();
    assert.ok(outline.y >= grid.y + 76 && outline.y + outline.height <= grid.y + grid.height, JSON.stringify([outline, grid]));
});

it('F opens the search, and ? the help, which Escape closes again', async ({open}) => {
    const planner = await open();
    await planner.enterGrid();
    await planner.press('?');
    await planner.page.locator('#help').waitFor();
    assert.match(await planner.page.locator('#help').innerText(), /Shift/);
    await planner.press('Escape');
    await planner.page.locator('#help').waitFor({state: 'hidden'});
    await planner.enterGrid();
    await planner.press('f');
    await planner.page.locator('#find').waitFor();
    await planner.press('Escape');
    await planner.page.locator('#find').waitFor({state: 'hidden'});
});

it('a panel that was opened by its key gives the focus back to the grid, however soon it closes', async ({open}) => {
    const planner = await open();
    for (const [key, panel] of [['f', '#find'], ['?', '#help']]) {
        await planner.enterGrid();
        await planner.press(key);
        await planner.page.locator(panel).waitFor();
        await planner.drawn();
        await planner.press('Escape');
        await planner.page.locator(panel).waitFor({state: 'hidden'});
        assert.equal(await planner.page.evaluate(() => document.activeElement.closest('#grid') !== null), true, panel);
        await planner.grid.locator('[role="gridcell"][tabindex="0"]').waitFor();
    }
});

it('the head line says how many GPUs are free each day', async ({server, open}) => {
    await give(server, ['alpha/g0', 'alpha/g1'], day(2), day(3));
    const planner = await open();
    await planner.barsOf(1);
    const free = (hour) => planner.grid.locator(`[role="columnheader"][data-hour="${hour}"] .free`).innerText();
    assert.equal(await free(day(2)), '9');
    assert.equal(await free(day(3)), '11');
    assert.equal(await free(day(-1)), '', 'past days carry no count');
    assert.match(await planner.grid.locator(`[role="columnheader"][data-hour="${day(2)}"]`).getAttribute('aria-label'), /Fri 16 May.*9 free/);
});

it('refresh asks again at once', async ({server, open}) => {
    const planner = await open();
    await give(server, 'alpha/g0', day(2), day(4));
    const asked = planner.page.waitForResponse((response) => response.url().includes('/api/timeline'));
    await planner.page.locator('#refresh').click();
    await asked;
    await planner.barsOf(1);
});

it('who I am is set in the bar, and is remembered', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'Zoë');
    const planner = await open();
    await planner.page.locator('#who').click();
    await planner.page.keyboard.type('Zoë');
    await planner.press('Enter');
    await planner.until(async () => (await planner.barsOf(1))[0].classes.includes('mine'), 'the booking is mine');
    await planner.page.reload();
    await planner.ready();
    assert.match(await planner.page.locator('#who').innerText(), /Zoë/);
});

it('while the first answer is on its way a line under the header says so, and the grid is busy', async ({open}) => {
    const planner = await open({wait: false, init: `{
        const real = globalThis.fetch;
        globalThis.fetch = (...args) => new Promise((resolve) => { (globalThis.held ??= []).push(resolve); }).then(() => real(...args));
        globalThis.go = () => { globalThis.fetch = real; globalThis.held.forEach((resolve) => resolve()); };
    }`});
    await planner.page.waitForFunction(() => globalThis.held?.length > 0);
    await planner.until(() => planner.page.locator('#progress').isVisible(), 'the line is there');
    assert.equal(await planner.grid.getAttribute('data-state'), 'loading');
    assert.equal(await planner.grid.getAttribute('aria-busy'), 'true');
    await planner.page.evaluate(() => globalThis.go());
    await planner.ready();
    await planner.until(async () => !await planner.page.locator('#progress').isVisible(), 'the line is gone');
    assert.equal(await planner.grid.getAttribute('aria-busy'), 'false');
});

it('a pointer that rests on a bar is told who, how long, the note, and when in the reader\'s time', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'KM', {note: 'llama'});
    const planner = await open({timezone: 'Asia/Kolkata'});
    await planner.barsOf(1);
    const {x, y} = await planner.point('alpha/g0', day(3));
    await planner.page.mouse.move(x, y);
    await planner.page.mouse.move(x + 2, y + 1);
    const tip = planner.page.locator('#tip');
    await tip.waitFor();
    const text = await tip.innerText();
    for (const words of [/KM/, /2 d|48 h/, /llama/, /05:30/]) assert.match(text, words);
});

it('the legend of the priorities stands in the help and in the filter, in words', async ({open}) => {
    const planner = await open({width: 1000});
    for (const [button, shown] of [['#help-button', '#help'], ['#filter', '#filter-menu']]) {
        await planner.page.locator(button).click();
        const text = await planner.page.locator(shown).innerText();
        for (const word of [/high/, /medium/, /low/]) assert.match(text, word);
        await planner.press('Escape');
    }
});

it('the first of January and its week are named by ISO 8601', async ({open}) => {
    const planner = await open({query: 'date=2032-12-27'});
    const text = await planner.grid.innerText();
    assert.match(text, /W53/); /* 2032-12-27 to 2033-01-02 */
    assert.match(text, /January 2033/);
    assert.match(text, /\bW1\b/);
});

it('what begins or ends outside the picture is drawn to its edge, and its name stays in view', async ({server, open}) => {
    await give(server, 'alpha/g0', day(-60), day(60), 'KM');
    const planner = await open();
    const {x, width} = await planner.bar(1).locator('.label').boundingBox();
    const at = await planner.measures();
    assert.ok(x >= at.rect.x + at.left - 2 && x + width < at.rect.x + at.rect.width, `the label is at ${x}`);
    const box = await planner.bar(1).boundingBox();
    assert.ok(box.x <= at.rect.x + at.left + 2 && box.x + box.width >= at.rect.x + at.rect.width - 2, JSON.stringify(box));
});

it('scrolling draws into the layers that are there, and makes no new ones', {
    config: {nodes: Array.from({length: 40}, (_, node) => ({id: `node-${node}`, gpus: Array.from({length: 8}, (_unused, gpu) => ({id: `gpu${gpu}`, kind: 'H100'}))}))},
}, async ({server, open}) => {
    for (let node = 0; node < 40; node++) await give(server, `node-${node}/gpu${node % 8}`, day(node % 20), day(node % 20 + 3), 'KM');
    const planner = await open();
    await planner.barsOf(1);
    const client = await planner.page.context().newCDPSession(planner.page);
    const seen = new Set();
    let layers = [];
    client.on('LayerTree.layerTreeDidChange', ({layers: now}) => {
        layers = now?.filter((layer) => layer.drawsContent).map((layer) => layer.layerId) ?? layers;
        layers.forEach((id) => seen.add(id));
    });
    await client.send('DOM.enable');
    await client.send('LayerTree.enable');
    const scroll = (x, y) => planner.grid.evaluate((grid, by) => new Promise((done) => {
        grid.scrollBy(...by);
        requestAnimationFrame(() => requestAnimationFrame(done));
    }), [x, y]);
    for (let i = 0; i < 8; i++) await scroll(60, 60);
    await planner.until(() => layers.length > 0, 'the browser tells its layers');
    const before = new Set(seen);
    for (let i = 0; i < 30; i++) await scroll(i % 2 ? 90 : 0, i % 2 ? 0 : 90);
    const made = [...seen].filter((id) => !before.has(id));
    assert.deepEqual(made, [], `${made.length} layers were made while it scrolled`);
    assert.ok(layers.length <= 7, `${layers.length} layers are drawn`);
});

it('rows stand in their order also where one of them has kept the focus out of sight', {
    config: {nodes: Array.from({length: 40}, (_, node) => ({id: `node-${node}`, gpus: Array.from({length: 8}, (_unused, gpu) => ({id: `gpu${gpu}`, kind: 'H100'}))}))},
}, async ({open}) => {
    const planner = await open();
    const scrollTo = async (top) => {
        await planner.grid.evaluate((grid, to) => { grid.scrollTop = to; }, top);
        await planner.drawn();
    };
    await scrollTo(1500);
    const {gpu} = await planner.enterGrid();
    await scrollTo(0);
    await scrollTo(900);
    assert.equal((await planner.cell())?.gpu, gpu);
    const rows = await planner.grid.locator('.rows > .row').evaluateAll((all) => all.map((row) => [Number(row.ariaRowIndex), row.getBoundingClientRect().y]));
    assert.ok(rows.length > 30, `${rows.length} rows are drawn`);
    rows.forEach(([index, y], at) => at && assert.ok(index === rows[at - 1][0] + 1 && y > rows[at - 1][1], `row ${index} comes after ${rows[at - 1][0]}`));
});

it('ten thousand GPUs are in the grid, and only a few of them in the document', {
    config: {nodes: Array.from({length: 1250}, (_, node) => ({id: `node-${node}`, gpus: Array.from({length: 8}, (_unused, gpu) => ({id: `gpu${gpu}`, kind: 'H100'}))}))},
}, async ({server, open}) => {
    await give(server, 'node-1249/gpu7', day(2), day(4), 'KM');
    const planner = await open({who: 'AB'});
    assert.equal(Number(await planner.grid.getAttribute('aria-rowcount')), 11_251);
    assert.ok(await planner.page.evaluate(() => document.querySelectorAll('*').length) < 5000);
    await planner.grid.evaluate((grid) => { grid.scrollTop = grid.scrollHeight; });
    await planner.row('node-1249/gpu7').waitFor();
    await planner.barsOf(1);
    await planner.drag(['node-1249/gpu5', day(2, 12)], ['node-1249/gpu6', day(3, 12)]);
    await planner.page.locator('#book').click();
    await planner.until(async () => (await bookings(server)).length === 2, 'it is booked');
    assert.deepEqual((await gists(server))[1].gpus, ['node-1249/gpu5', 'node-1249/gpu6']);
    assert.ok(await planner.page.evaluate(() => document.querySelectorAll('*').length) < 5000);
});
