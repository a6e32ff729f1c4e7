'use strict';
/* For everybody: small windows, dark rooms, high contrast, print, screen readers, hostile names. */
const assert = require('node:assert/strict');
const {HOUR_NOW, browserSuite} = require('./harness.js');
const {busy, day, give} = require('./fixtures.js');

const it = browserSuite();

const HOSTILE = ['<img src=x onerror=alert(1)>', '"\'><script>alert(1)</script>', '🦙🔥 a & b', 'שלום עולם', '\u202Eevil\u202C', '{{7*7}}${8}'];

it('at 360 wide everything fits, and GPUs can be booked', async ({server, open}) => {
    await busy(server);
    const planner = await open({who: 'AB', width: 360, height: 740, touch: true});
    await planner.fits();
    await planner.shot('360');
    await planner.tap('alpha/g3', day(1, 12));
    await planner.booking.waitFor();
    await planner.fits();
    await planner.shot('360 booking');
    await planner.page.locator('#book').tap();
    await planner.barsOf(5);
    for (const [button, shown] of [['#find-button', '#find'], ['#filter', '#person']]) {
        await planner.page.locator(button).tap();
        await planner.page.locator(shown).waitFor();
        await planner.fits();
        await planner.shot(`360 ${shown}`);
        await planner.press('Escape');
    }
});

it('at 360 a message does not cover what the panel has to press', async ({server, open}) => {
    await give(server, 'alpha/g1', day(1), day(3), 'AB');
    const planner = await open({who: 'AB', width: 360, height: 740, touch: true});
    await planner.tap('alpha/g1', day(2));
    await planner.page.locator('#cancel').tap();
    await planner.page.locator('#cancel-yes').tap();
    await planner.toastSays(/Cancelled/);
    await planner.page.locator('#find-button').tap();
    const [book, toast] = await Promise.all([planner.page.locator('#find-book'), planner.toast].map((one) => one.boundingBox()));
    assert.ok(toast.y + toast.height <= book.y || toast.y >= book.y + book.height, JSON.stringify([toast, book]));
});

for (const [width, height] of [[768, 1024], [1024, 700], [1920, 1080]]) {
    it(`at ${width} wide everything fits`, async ({server, open}) => {
        await busy(server);
        const planner = await open({who: 'AB', width, height});
        await planner.fits();
        await planner.shot(String(width));
        await planner.drag(['beta/g0', day(2, 12)], ['beta/g0', day(3, 12)]);
        await planner.booking.waitFor();
        await planner.fits();
        await planner.shot(`${width} booking`);
    });
}

it('names and notes full of tags, quotes, emoji and right-to-left text show as text, wherever they stand', {
    config: {nodes: HOSTILE.map((id) => ({id, name: id, gpus: [{id, kind: id}]}))},
}, async ({server, open}) => {
    const ids = HOSTILE;
    for (const [index, id] of ids.entries()) await give(server, '', day(1), day(5), id, {node_id: id, gpu_ids: [id], note: id, priority: ['low', 'medium', 'high'][index % 3]});
    const planner = await open({who: HOSTILE[0]});
    await planner.until(async () => (await planner.bars()).length === ids.length, 'all bars are there');
    assert.deepEqual((await planner.grid.evaluate((grid) => [...grid.querySelectorAll('[role="row"][data-gpu]')].map((row) => row.dataset.gpu))),
        ids.map((id) => `${id}/${id}`));
    const text = await planner.grid.evaluate((grid) => [...grid.querySelectorAll('.bar')].map((bar) => bar.textContent).join('\n'));
    for (const id of ids) assert.ok(text.includes(id), `${id} is on a bar`);
    for (const id of ids) {
        await planner.click(`${id}/${id}`, day(3));
        await planner.details.waitFor();
        await planner.until(async () => (await planner.details.textContent()).includes(id), `${id} is on the card`);
        await planner.press('Escape');
        await planner.details.waitFor({state: 'hidden'});
    }
    for (const button of ['#filter-nodes', '#filter-kinds', '#find-button']) {
        await planner.page.locator(button).click();
        await planner.drawn();
        await planner.press('Escape');
    }
    assert.equal(await planner.page.evaluate(() => document.querySelectorAll('img, body script').length), 0);
});

it('a screen reader hears a grid: its size, each row\'s name, each cell\'s day and who has it', async ({server, open}) => {
    await give(server, 'alpha/g1', day(1), day(3), 'KM', {priority: 'high'});
    const planner = await open();
    await planner.barsOf(1);
    assert.equal(await planner.grid.getAttribute('role'), 'grid');
    const {rows, columns} = await planner.grid.evaluate((grid) => ({rows: Number(grid.getAttribute('aria-rowcount')), columns: Number(grid.getAttribute('aria-colcount'))}));
    assert.ok(rows >= 11 && (columns > 7 || columns === -1), `${rows} rows, ${columns} columns`);
    assert.match(await planner.row('alpha/g1').locator('[role="rowheader"]').innerText(), /g1/);
    await planner.walkTo('alpha/g1', day(1));
    assert.match((await planner.cell()).label, /KM/);
    assert.match((await planner.cell()).label, /15/);
    await planner.press('ArrowUp');
    assert.match((await planner.cell()).label, /free/i);
});

it('the focus is always to be seen', async ({open}) => {
    const planner = await open();
    for (let i = 0; i < 25; i++) {
        await planner.press('Tab');
        const seen = await planner.page.evaluate(() => {
            const one = document.activeElement;
            if (!one || one === document.body) return true;
            const marks = [one, one.parentElement].map((element) => getComputedStyle(element));
            return marks.some((style) => (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none') || one.outerHTML.slice(0, 120);
        });
        assert.equal(seen, true);
    }
});

it('a button that cannot be pressed does not look as if it could, with the pointer on it either', async ({open}) => {
    const planner = await open({who: 'AB'});
    await planner.page.locator('#find-button').click();
    await planner.page.locator('#find [name="gpus"]').fill('99');
    await planner.page.locator('#find-book:disabled').waitFor();
    const colours = () => planner.page.locator('#find-book').evaluate((one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]);
    const before = await colours();
    await planner.page.locator('#find-book').hover({force: true});
    assert.deepEqual(await colours(), before);
});

it('with reduced motion nothing moves', async ({server, open}) => {
    await busy(server);
    const planner = await open({who: 'AB', motion: 'reduce'});
    await planner.drag(['beta/g0', day(2, 12)], ['beta/g0', day(3, 12)]);
    await planner.booking.waitFor();
    const moving = await planner.page.evaluate(() => document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().duration > 1).map((one) => one.effect.target.outerHTML.slice(0, 100)));
    assert.deepEqual(moving, []);
});

it('with forced colours bars, selection and now line are still told apart by lines', async ({server, open}) => {
    await busy(server);
    const planner = await open({who: 'AB', forced: 'active'});
    const [bar] = await planner.barsOf(2);
    assert.match(bar.text, /KM\s+L\b/);
    const edges = (selector) => planner.page.locator(selector).first().evaluate((one) => {
        const style = getComputedStyle(one);
        return ['Top', 'Left'].some((side) => style[`border${side}Style`] !== 'none' && parseFloat(style[`border${side}Width`]) >= 1) ||
            (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1);
    });
    assert.ok(await edges('#grid .bar[data-id="2"]'), 'a bar has an edge');
    await planner.drag(['beta/g0', day(2, 12)], ['beta/g0', day(3, 12)]);
    assert.ok(await edges('#outline'), 'the selection has an edge');
    await planner.shot('forced colours');
});

it('on a phone every GPU is told by its name: the kind is said by the band where it is one, and gives way where there are several', {
    config: {nodes: [
        {id: 'alpha', gpus: [{id: 'gpu0', kind: 'A100'}, {id: 'gpu1', kind: 'A100'}]},
        {id: 'beta', gpus: [{id: 'gpu0', kind: 'A100-SXM4-80GB'}, {id: 'gpu1', kind: 'L40S'}]},
    ]},
}, async ({open}) => {
    const planner = await open({width: 360, height: 740, touch: true});
    const names = await planner.grid.evaluate((grid) => [...grid.querySelectorAll('.row .gpu')]
        .map((one) => [one.textContent, one.scrollWidth <= one.clientWidth + 1 || getComputedStyle(one).display === 'inline-block', one.nextSibling.textContent]));
    assert.deepEqual(names, [['gpu0', true, ''], ['gpu1', true, ''], ['gpu0', true, 'A100-SXM4-80GB'], ['gpu1', true, 'L40S']]);
});

it('what the corner would cut of a month\'s or a week\'s name is not shown', async ({open}) => {
    const planner = await open();
    const shown = () => planner.grid.evaluate((grid) => {
        const edge = grid.querySelector('.corner').getBoundingClientRect().right;
        return [...grid.querySelectorAll('.title')].map((one) => one.getBoundingClientRect()).filter(({width}) => width > 0).map(({x}) => Math.round(x - edge));
    });
    for (const days of [0.5, 3, 17.5]) {
        await planner.grid.evaluate((grid, by) => { grid.scrollLeft += by; }, Math.round(days * 57));
        await planner.drawn();
        const left = await shown();
        assert.ok(left.length > 1 && left.every((x) => x >= -1), `${left}`);
    }
});

it('a fortnight prints on one landscape page, without the controls', async ({server, open}) => {
    await busy(server);
    const planner = await open({who: 'AB'});
    await planner.page.emulateMedia({media: 'print'});
    assert.equal(await planner.page.locator('#find-button').isVisible(), false);
    const pdf = (await planner.page.pdf({preferCSSPageSize: true, printBackground: true})).toString('latin1');
    assert.equal((pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length, 1, 'one page');
    const [, width, height] = /\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)/.exec(pdf);
    assert.ok(Number(width) > Number(height), `${width} x ${height} is landscape`);
    await planner.page.emulateMedia({media: null});
});

it('what goes on beyond the printed fortnight does not make the page smaller', async ({server, open}) => {
    await give(server, 'alpha/g1', day(10), day(40), 'KM');
    const planner = await open({width: 800});
    await planner.page.emulateMedia({media: 'print'});
    const [paper, page] = await planner.page.evaluate(() => {
        dispatchEvent(new Event('beforeprint'));
        const widths = [document.querySelector('.plane').getBoundingClientRect().right, document.scrollingElement.scrollWidth];
        dispatchEvent(new Event('afterprint'));
        return widths;
    });
    assert.ok(paper > 1000 && page <= Math.ceil(paper), `${page} px, of which the fortnight takes ${paper}`);
    await planner.page.emulateMedia({media: null});
});

it('of ten thousand GPUs the first rows are printed, and no empty pages after them', {
    config: {nodes: Array.from({length: 1250}, (_, node) => ({id: `node-${node}`, gpus: Array.from({length: 8}, (_unused, gpu) => ({id: `gpu${gpu}`, kind: 'H100'}))}))},
}, async ({open}) => {
    const planner = await open({who: 'AB'});
    const pdf = (await planner.page.pdf({preferCSSPageSize: true, printBackground: true})).toString('latin1');
    const pages = (pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
    assert.ok(pages > 4 && pages <= 12, `${pages} pages for 600 rows of 14 px`);
});

it('a reader in another time zone sees UTC in the grid and his own time beside it', async ({server, open}) => {
    await give(server, 'alpha/g1', day(1), day(3), 'KM');
    const planner = await open({timezone: 'America/St_Johns'});
    const {from} = await planner.measures();
    assert.equal(Math.round(from) % 24, 0, 'days begin at midnight UTC');
    assert.match(await planner.grid.innerText(), /UTC/);
    await planner.click('alpha/g1', day(2));
    await planner.details.waitFor();
    await planner.until(async () => /21:30/.test(await planner.details.innerText()), 'midnight UTC is 21:30 in St. John\'s in summer');
});

it('today is marked, and the line of now stands where the hour is', async ({open}) => {
    const planner = await open();
    const at = await planner.measures();
    const lines = await planner.grid.evaluate((grid) => [...grid.querySelectorAll('[class*="now"]')].map((one) => one.getBoundingClientRect().x));
    assert.ok(lines.some((x) => Math.abs(x - at.x(HOUR_NOW + 1 / 3)) < 5), `${lines}, not ${at.x(HOUR_NOW + 1 / 3)}`);
    assert.ok(await planner.grid.locator('.head [aria-current="date"], .head .today').count() > 0);
});
