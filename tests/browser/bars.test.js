'use strict';
/* Bookings as bars: what they show, their card, and changing them by dragging. */
const assert = require('node:assert/strict');
const {CONFIG, HOUR_NOW, NOW, browserSuite} = require('./harness.js');
const {bookings, day, gists, give} = require('./fixtures.js');
const {edit} = require('../api/fixtures.js');
const {request} = require('../api/harness.js');

const it = browserSuite();
const near = (found, wanted, width) => assert.ok(Math.abs(found - wanted) * width <= 4, `${found}, not ${wanted}`);

async function openDetails(planner, gpu, hour) {
    await planner.click(gpu, hour);
    await planner.details.waitFor();
}

/* Waits until a booking reads so. */
async function becomes(planner, server, id, prove, what) {
    await planner.until(async () => (await bookings(server)).some((one) => one.id === id && prove(one)), what);
}

it('a booking is one bar over its real hours, with its label first, its priority as a letter and as a class', async ({server, open}) => {
    await give(server, ['beta/g0', 'beta/g1', 'beta/g2'], day(2, 6), day(4, 18), 'KM', {priority: 'high', note: 'llama'});
    await give(server, ['beta/g0', 'beta/g2'], day(6), day(8), 'LN', {priority: 'low'});
    const planner = await open();
    const {width} = await planner.measures();
    const [bar, ...more] = await planner.barsOf(1);
    assert.equal(more.length, 0);
    near(bar.start, day(2, 6), width);
    near(bar.end, day(4, 18), width);
    assert.deepEqual(bar.rows, ['beta/g0', 'beta/g1', 'beta/g2']);
    assert.match(bar.text, /^KM\s+H\b/);
    assert.ok(bar.classes.includes('high') && !bar.classes.includes('mine'), bar.classes.join(' '));

    const apart = await planner.barsOf(2);
    assert.deepEqual(apart.map(({rows}) => rows), [['beta/g0'], ['beta/g2']]);
    for (const {text, classes} of apart) {
        assert.match(text, /^LN\s+L\b/);
        assert.ok(classes.includes('low'));
    }
});

it('hours that ended bookings used stay visible, and what they gave back is free', async ({server, open}) => {
    await give(server, 'beta/g0', day(-1), day(5), 'KM');
    assert.equal((await request(server, 'POST', '/api/mark_done', {body: {booking_id: 1}})).status, 200);
    const planner = await open({who: 'AB'});
    const [bar] = await planner.barsOf(1);
    const {width} = await planner.measures();
    assert.ok(bar.classes.includes('over'), bar.classes.join(' '));
    near(bar.end, HOUR_NOW, width);
    await planner.drag(['beta/g0', day(1, 12)], ['beta/g0', day(2, 12)]);
    await planner.booking.waitFor();
    await planner.until(() => planner.page.locator('#book').isEnabled(), 'the rest can be booked');
});

it('the card of a booking says who, when in UTC and in local time, which GPUs, the note and what happened', async ({server, open}) => {
    await give(server, ['beta/g1', 'beta/g2'], day(2, 6), day(4), 'KM', {note: 'llama run'});
    await edit(server, 1, {end: '2031-05-18T12:00:00Z'});
    const planner = await open({timezone: 'Asia/Kolkata'});
    await openDetails(planner, 'beta/g1', day(3));
    const said = async () => (await planner.details.innerText()).replace(/\s+/g, ' ');
    await planner.until(async () => /llama run/.test(await said()) && await planner.details.locator('#history > li').count() >= 2, 'the facts are there');
    const text = await said();
    assert.match(text, /KM/);
    assert.match(text, /Beta g1–2/);
    assert.match(text, /06:00/);
    assert.match(text, /UTC/);
    assert.match(text, /11:30/, 'local time: 06:00 UTC in Kolkata');
    await planner.page.locator('#details-close').click();
    await planner.details.waitFor({state: 'hidden'});
});

it('Done gives the rest back, and Undo books it again', async ({server, open}) => {
    await give(server, 'alpha/g0', day(-1), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await openDetails(planner, 'alpha/g0', day(1));
    await planner.page.locator('#done').click();
    await becomes(planner, server, 1, (one) => one.status === 'completed', 'it is done');
    await planner.details.waitFor({state: 'hidden'});
    await planner.page.locator('#toast-undo').click();
    await planner.until(async () => (await bookings(server)).length === 2, 'it is booked again');
    const [, again] = await gists(server);
    assert.deepEqual(again, {gpus: ['alpha/g0'], start: HOUR_NOW, end: day(4), who: 'AB', priority: 'medium', status: 'active'});
});

it('Cancel asks in the card; No leaves all as it was, Yes cancels, and Undo books again', async ({server, open}) => {
    await give(server, ['alpha/g0', 'alpha/g1'], day(2), day(4), 'KM', {priority: 'high', note: 'n'});
    const planner = await open({who: 'AB'});
    await openDetails(planner, 'alpha/g0', day(2, 12));
    await planner.page.locator('#cancel').click();
    await planner.page.locator('#cancel-no').click();
    assert.equal(await planner.page.locator('#cancel').isVisible(), true);
    assert.deepEqual((await gists(server)).map(({status}) => status), ['active']);

    await planner.page.locator('#cancel').click();
    await planner.page.locator('#cancel-yes').click();
    await becomes(planner, server, 1, (one) => one.status === 'cancelled', 'it is cancelled');
    await planner.bar(1).first().waitFor({state: 'detached'});

    await planner.page.locator('#toast-undo').click();
    await planner.until(async () => (await bookings(server)).length === 2, 'it is booked again');
    assert.deepEqual((await gists(server))[1],
        {gpus: ['alpha/g0', 'alpha/g1'], start: day(2), end: day(4), who: 'KM', priority: 'high', status: 'active'});
});

it('an Undo whose answer was lost says the truth when it is tried again: it is booked again, once', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB', expect: /ERR_FAILED/});
    await openDetails(planner, 'alpha/g0', day(3));
    await planner.page.locator('#cancel').click();
    await planner.page.locator('#cancel-yes').click();
    await planner.toastSays(/Cancelled/);
    await planner.page.route('**/api/book', async (route) => {
        await route.fetch();
        await route.abort('failed');
    });
    await planner.page.locator('#toast-undo').click();
    await planner.toastSays(/cannot be reached.*Retry/s);
    await planner.page.unroute('**/api/book');
    await planner.page.locator('#toast-undo').click();
    await planner.toastSays(/Booked again/);
    assert.deepEqual((await gists(server)).map(({status}) => status), ['cancelled', 'active']);
});

it('with Caps Lock on, too, D on a card is Done, and not another zoom', async ({server, open}) => {
    await give(server, 'alpha/g0', day(-1), day(4), 'AB');
    const planner = await open({who: 'AB', query: 'zoom=weeks'});
    await openDetails(planner, 'alpha/g0', day(1));
    await planner.press('D');
    await becomes(planner, server, 1, (one) => one.status === 'completed', 'it is done');
    assert.equal(await planner.page.locator('[data-zoom="weeks"]').getAttribute('aria-pressed'), 'true');
});

it('by keyboard: Enter on a booking opens its card, Delete asks and Enter cancels', async ({server, open}) => {
    await give(server, 'alpha/g1', day(2), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    await planner.walkTo('alpha/g1', day(2));
    await planner.press('Enter');
    await planner.details.waitFor();
    await planner.press('Escape');
    await planner.details.waitFor({state: 'hidden'});
    assert.deepEqual((await planner.cell())?.gpu, 'alpha/g1', 'the focus is back where it was');

    await planner.press('Delete');
    await planner.page.locator('#cancel-yes').waitFor();
    await planner.until(() => planner.page.locator('#cancel-yes').evaluate((button) => document.activeElement === button), 'the question has the focus');
    await planner.press('Enter');
    await becomes(planner, server, 1, (one) => one.status === 'cancelled', 'it is cancelled');
});

it('a bar that is dragged moves the booking, in time and to other GPUs, and Undo brings it back', async ({server, open}) => {
    await give(server, ['alpha/g0', 'alpha/g1'], day(2), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    await planner.drag(['alpha/g0', day(3, 0)], ['alpha/g2', day(6, 0)]);
    await becomes(planner, server, 1, (one) => one.start === day(5), 'it has moved');
    assert.deepEqual((await gists(server)).map(({gpus, start, end}) => [gpus, start, end]), [[['alpha/g2', 'alpha/g3'], day(5), day(7)]]);
    await planner.toastSays(/Moved/);
    await planner.page.locator('#toast-undo').click();
    await becomes(planner, server, 1, (one) => one.start === day(2), 'it is back');
    assert.deepEqual((await gists(server)).map(({gpus, start, end}) => [gpus, start, end]), [[['alpha/g0', 'alpha/g1'], day(2), day(4)]]);
});

it('a running booking is dragged to another GPU, and to a third; each time the message says where it is now', async ({server, open}) => {
    await give(server, 'alpha/g0', day(-1), day(3), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    for (const [from, to] of [['g0', 'g1'], ['g1', 'g3']]) {
        await planner.drag([`alpha/${from}`, day(1)], [`alpha/${to}`, day(1)]);
        await planner.toastSays(new RegExp(`^Moved to ${to}\\s`));
    }
    assert.deepEqual((await gists(server)).map(({gpus, start, end}) => [gpus, start, end]), [[['alpha/g3'], day(-1), day(3)]]);
});

it('what somebody else changes between the press and the drag is not overwritten', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    const [press, drop] = [await planner.point('alpha/g0', day(3)), await planner.point('alpha/g0', day(4))];
    await planner.page.mouse.move(press.x, press.y);
    await planner.page.mouse.down();
    await edit(server, 1, {start: new Date(day(8) * 3_600_000).toISOString(), end: new Date(day(10) * 3_600_000).toISOString()});
    await planner.until(async () => Math.round((await planner.barsOf(1))[0].start) === day(8), 'the change is there');
    await planner.page.mouse.move(drop.x, drop.y, {steps: 5});
    await planner.page.mouse.up();
    await planner.drawn();
    await planner.page.waitForTimeout(300); /* nothing is sent */
    assert.deepEqual((await gists(server)).map(({start, end}) => [start, end]), [[day(8), day(10)]]);
});

it('a bar that is dragged shows where it would land and whether it fits, and where it does not it stays', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    await give(server, 'alpha/g0', day(6), day(8), 'KM');
    const planner = await open({who: 'AB'});
    await planner.barsOf(2);
    await planner.drag(['alpha/g0', day(3, 0)], ['alpha/g1', day(4, 0)], {hold: true});
    const shadow = planner.grid.locator('.shadow').first();
    await shadow.waitFor();
    assert.doesNotMatch(await shadow.getAttribute('class'), /\bclash\b/);
    const over = await planner.point('alpha/g0', day(7, 0));
    await planner.page.mouse.move(over.x, over.y, {steps: 4});
    await planner.until(async () => /\bclash\b/.test(await shadow.getAttribute('class')), 'the shadow says that it does not fit');
    await planner.page.mouse.up();
    await planner.toastSays(/KM/);
    assert.deepEqual((await gists(server)).map(({start}) => start), [day(2), day(6)]);
});

it('a bar whose edge is dragged is extended or shortened', async ({server, open}) => {
    await give(server, 'beta/g1', day(2), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    const {width} = await planner.measures();
    const inside = 3 / width; /* three pixels, as hours */
    await planner.drag(['beta/g1', day(4) - inside], ['beta/g1', day(6) - inside]);
    await becomes(planner, server, 1, (one) => one.end === day(6), 'it is longer');
    await planner.toastSays(/Extended/);
    await planner.barsOf(1);
    await planner.drag(['beta/g1', day(2) + inside], ['beta/g1', day(3) + inside]);
    await becomes(planner, server, 1, (one) => one.start === day(3), 'it begins later');
    await planner.page.locator('#toast-undo').click();
    await becomes(planner, server, 1, (one) => one.start === day(2) && one.end === day(6), 'only the last change is undone');
});

it('the pointer says where a bar can be pulled longer: at its ends, and nowhere on what is over', async ({server, open}) => {
    await give(server, 'beta/g1', day(2), day(4), 'AB');
    await give(server, 'beta/g2', day(-3), day(-1), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    await planner.barsOf(2);
    const {width} = await planner.measures();
    const cursorAt = async (gpu, hour, id) => {
        const {x, y} = await planner.point(gpu, hour);
        await planner.page.mouse.move(x, y);
        return planner.bar(id).evaluate((bar) => getComputedStyle(bar).cursor);
    };
    assert.equal(await cursorAt('beta/g1', day(4) - 3 / width, 1), 'ew-resize');
    assert.equal(await cursorAt('beta/g1', day(3), 1), 'pointer');
    assert.equal(await cursorAt('beta/g1', day(2) + 3 / width, 1), 'ew-resize');
    assert.equal(await cursorAt('beta/g2', day(-1) - 3 / width, 2), 'pointer');
});

it('Escape during a drag leaves the booking as it was', async ({server, open}) => {
    await give(server, 'beta/g1', day(2), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    await planner.drag(['beta/g1', day(3, 0)], ['beta/g2', day(5, 0)], {hold: true});
    await planner.grid.locator('.shadow').first().waitFor();
    await planner.press('Escape');
    await planner.page.mouse.up();
    await planner.grid.locator('.shadow').first().waitFor({state: 'hidden'});
    assert.deepEqual((await gists(server)).map(({gpus, start}) => [gpus, start]), [[['beta/g1'], day(2)]]);
});

it('Extend on the card makes a running booking longer', async ({server, open}) => {
    await give(server, 'beta/g1', day(-1), day(2), 'AB');
    const planner = await open({who: 'AB'});
    await openDetails(planner, 'beta/g1', day(1));
    await planner.page.locator('#extend').click();
    await planner.page.locator('#extend-by button').first().click();
    await becomes(planner, server, 1, (one) => one.end > day(2), 'it is longer');
});

it('Edit on the card changes who, how long and the note, Back changes nothing, and the history says what was changed', async ({server, open}) => {
    await give(server, 'beta/g1', day(2), day(4), 'AB', {note: 'old'});
    const planner = await open({who: 'AB'});
    await openDetails(planner, 'beta/g1', day(3));
    const field = (name) => planner.details.locator(`[name="${name}"]`);
    const edit = planner.page.locator('#edit');
    await planner.until(async () => /old/.test(await planner.details.innerText()), 'the note is there');
    await edit.click();
    await field('note').fill('never sent');
    await planner.page.locator('#edit-back').click();
    await edit.click();
    assert.equal(await field('note').inputValue(), 'old');
    assert.deepEqual([await field('to-day').inputValue(), await field('to-hour').inputValue()], ['2031-05-17', '24']);
    await field('who').fill('CD');
    await field('to-day').fill('2031-05-15');
    await field('note').press('Enter');
    await planner.page.locator('#details-fault').getByText('The end must come after the start.').waitFor();
    await field('to-day').fill('2031-05-18');
    await field('note').fill('new');
    await field('note').press('Enter');
    await becomes(planner, server, 1, (one) => one.end === day(5) && one.note === 'new', 'it is changed');
    assert.deepEqual((await gists(server)).map(({who, start, end}) => [who, start, end]), [['CD', day(2), day(5)]]);
    await planner.until(async () => /extended .* → .*, initials AB → CD/.test(await planner.details.innerText()), 'the history says so');
});

it('the bookings of one cell are looked through one after the other on their card', async ({server, open}) => {
    for (const [from, who] of [[2, 'AB'], [10, 'CD'], [18, 'EF']]) await give(server, 'beta/g1', day(2, from), day(2, from + 6), who);
    const planner = await open({who: 'AB'});
    await planner.barsOf(3);
    await planner.walkTo('beta/g1', day(2));
    await planner.press('Enter');
    const title = () => planner.page.locator('#details-title').innerText();
    await planner.until(async () => /^AB/.test(await title()), 'the first is shown');
    assert.match(await planner.page.locator('#beside').innerText(), /1 of 3/);
    for (const [step, who] of [['1', 'CD'], ['-1', 'AB'], ['-1', 'EF'], ['1', 'AB']]) {
        await planner.page.locator(`#beside [data-step="${step}"]`).click();
        await planner.until(async () => (await title()).startsWith(who), `${who} is shown`);
    }
});

it('with a past clock in the reader\'s machine the page still takes now from the server', async ({open}) => {
    const planner = await open({init: `{
        const shift = ${NOW * 1000} - Date.now() + 40 * 86_400_000, real = Date.now.bind(Date);
        const Shifted = class extends Date { constructor(...args) { if (args.length === 0) super(real() + shift); else super(...args); } };
        Shifted.now = () => real() + shift;
        globalThis.Date = Shifted;
    }`});
    const at = await planner.measures();
    assert.ok(at.from > day(-3) && at.from <= HOUR_NOW && at.to > HOUR_NOW, `the grid shows the server's today: ${at.from - day(0)}`);
    await planner.drag(['alpha/g0', day(0, 20)], ['alpha/g0', day(0, 22)]);
    assert.deepEqual(await planner.selected(), {start: HOUR_NOW, end: day(1), rows: ['alpha/g0']});
});

it('by touch: a tap on a bar opens its card, and a long press moves it', async ({server, open}) => {
    await give(server, 'alpha/g0', day(1), day(3), 'AB');
    const planner = await open({touch: true, width: 768, height: 1024, who: 'AB'});
    await planner.barsOf(1);
    await planner.tap('alpha/g0', day(2));
    await planner.details.waitFor();
    await planner.page.locator('#details-close').tap();
    await planner.details.waitFor({state: 'hidden'});
    await planner.touchDrag(['alpha/g0', day(2)], ['alpha/g1', day(4)]);
    await becomes(planner, server, 1, (one) => one.start === day(3), 'it has moved');
    assert.deepEqual((await gists(server)).map(({gpus}) => gpus), [['alpha/g1']]);
});

it('what somebody else changed meanwhile is not overwritten by a drag', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB', expect: /412/});
    await planner.barsOf(1);
    const release = await planner.hold('**/api/timeline*');
    await edit(server, 1, {note: 'longer, please', end: new Date(day(5) * 3_600_000).toISOString()});
    const refused = planner.page.waitForResponse((response) => response.status() === 412);
    await planner.drag(['alpha/g0', day(3)], ['alpha/g0', day(9)]);
    await refused;
    await release();
    await planner.toast.waitFor();
    assert.deepEqual((await gists(server)).map(({start, end}) => [start, end]), [[day(2), day(5)]]);
    await planner.until(async () => Math.round((await planner.barsOf(1))[0].end) === day(5), 'the bar shows what is true');
});

it('an Undo that would overwrite somebody else\'s change says so, and offers no Retry that could not help', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB', expect: /412/});
    await planner.barsOf(1);
    await planner.drag(['alpha/g0', day(3)], ['alpha/g1', day(3)]);
    await planner.toastSays(/Moved/);
    await edit(server, 1, {priority: 'high'});
    await planner.page.locator('#toast-undo').click();
    await planner.toastSays(/Somebody changed this booking meanwhile/);
    assert.equal(await planner.page.locator('#toast-undo').isVisible(), false);
    assert.deepEqual((await gists(server)).map(({gpus, priority}) => [gpus, priority]), [[['alpha/g1'], 'high']]);
});

it('a booking of a retired GPU does no harm to the page', async ({server, open}) => {
    await give(server, 'gamma/g2', day(1), day(3), 'AB');
    const {nodes} = CONFIG;
    server.writeConfig({nodes: nodes.map((node) => node.id === 'gamma' ? {...node, gpus: node.gpus.slice(0, 2)} : node)});
    assert.equal((await request(server, 'POST', '/api/reload_config')).status, 200);
    const planner = await open();
    await planner.row('gamma/g1').waitFor();
    assert.equal(await planner.row('gamma/g2').count(), 0);
});
