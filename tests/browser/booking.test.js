'use strict';
/* Choosing free GPUs and days, and booking them: by mouse, by touch and by keyboard. */
const assert = require('node:assert/strict');
const {HOUR_NOW, browserSuite} = require('./harness.js');
const {bookings, day, gists, give} = require('./fixtures.js');
const {request} = require('../api/harness.js');

const it = browserSuite();

/* Fills in the initials, where they are asked for, and books. */
async function bookAs(planner, who) {
    await planner.booking.waitFor();
    await planner.fill('who', who);
    await planner.page.locator('#book').click();
    await planner.booking.waitFor({state: 'hidden'});
}

it('a drag over free days of two GPUs selects both for whole days, and Book books them', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g1', day(2, 12)], ['alpha/g2', day(4, 12)]);
    assert.deepEqual(await planner.selected(), {start: day(2), end: day(5), rows: ['alpha/g1', 'alpha/g2']});
    await bookAs(planner, 'AB');

    await planner.toastSays(/Booked 2 GPUs/);
    assert.deepEqual(await gists(server),
        [{gpus: ['alpha/g1', 'alpha/g2'], start: day(2), end: day(5), who: 'AB', priority: 'medium', status: 'active'}]);
    const [bar, ...rest] = await planner.barsOf(1);
    assert.equal(rest.length, 0, 'two adjoining GPUs are one block');
    assert.deepEqual(bar.rows, ['alpha/g1', 'alpha/g2']);
    assert.ok(Math.abs(bar.start - day(2)) < 1.5 && Math.abs(bar.end - day(5)) < 1.5, JSON.stringify(bar));
    assert.match(bar.text, /^AB\s+M\b/);
    assert.equal(await planner.selected(), null);
});

it('a drag upwards and to the left selects what one the other way round does', async ({open}) => {
    const planner = await open();
    await planner.drag(['beta/g3', day(5, 12)], ['beta/g1', day(3, 12)]);
    assert.deepEqual(await planner.selected(), {start: day(3), end: day(6), rows: ['beta/g1', 'beta/g2', 'beta/g3']});
});

it('a selection of today begins at the current hour', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(0, 20)], ['alpha/g0', day(1, 12)]);
    assert.deepEqual(await planner.selected(), {start: HOUR_NOW, end: day(2), rows: ['alpha/g0']});
    assert.equal(await planner.field('from-hour'), String(HOUR_NOW - day(0)));
    await bookAs(planner, 'AB');
    assert.deepEqual((await gists(server)).map(({start, end}) => [start, end]), [[HOUR_NOW, day(2)]]);
});

it('days that have passed cannot be selected', async ({open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(-1, 4)], ['alpha/g1', day(-1, 20)]);
    assert.equal(await planner.selected(), null);
    assert.equal(await planner.booking.isVisible(), false);
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(-1, 12)]);
    assert.equal((await planner.selected())?.start ?? HOUR_NOW, HOUR_NOW);
});

it('a selection stays on the node where it began', async ({open}) => {
    const planner = await open();
    await planner.drag(['alpha/g2', day(2, 12)], ['beta/g2', day(3, 12)]);
    assert.deepEqual(await planner.selected(), {start: day(2), end: day(4), rows: ['alpha/g2', 'alpha/g3']});
});

it('one click on a free day selects it', async ({open}) => {
    const planner = await open();
    await planner.click('gamma/g1', day(3, 12));
    assert.deepEqual(await planner.selected(), {start: day(3), end: day(4), rows: ['gamma/g1']});
    await planner.booking.waitFor();
});

it('the start and end fields follow the selection and steer it, up to 24:00', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(3, 12)]);
    await planner.booking.waitFor();
    const fields = async () => Promise.all(['from-day', 'from-hour', 'to-day', 'to-hour'].map((name) => planner.field(name)));
    assert.deepEqual(await fields(), ['2031-05-16', '0', '2031-05-17', '24']);

    await planner.fill('from-hour', '9');
    await planner.fill('to-day', '2031-05-18');
    await planner.fill('to-hour', '18');
    await planner.until(async () => (await planner.selected())?.end === day(4, 18), 'the outline follows the end');
    assert.deepEqual(await planner.selected(), {start: day(2, 9), end: day(4, 18), rows: ['alpha/g0']});
    await bookAs(planner, 'AB');
    assert.deepEqual((await gists(server)).map(({start, end}) => [start, end]), [[day(2, 9), day(4, 18)]]);
});

it('what is asked for and does not fit is refused before it is booked, with who is in the way and a way out', async ({server, open}) => {
    await give(server, 'beta/g1', day(3), day(5), 'KM', {priority: 'high'});
    const planner = await open();
    await planner.barsOf(1);
    await planner.drag(['beta/g0', day(2, 12)], ['beta/g0', day(6, 12)]);
    await planner.booking.waitFor();
    assert.equal(await planner.page.locator('#book').isEnabled(), true);
    assert.doesNotMatch(await planner.outline.getAttribute('class') ?? '', /\bclash\b/);

    await planner.press('Escape');
    await planner.drag(['beta/g0', day(2, 12)], ['beta/g1', day(2, 14)]);
    await planner.booking.waitFor();
    await planner.fill('who', 'AB');
    await planner.fill('to-day', '2031-05-18');
    await planner.until(async () => /\bclash\b/.test(await planner.outline.getAttribute('class')), 'the outline says that it does not fit');
    assert.match(await planner.page.locator('#verdict').innerText(), /KM/);
    assert.equal(await planner.page.locator('#book').isEnabled(), false);

    await planner.page.locator('#suggest').click();
    await planner.until(() => planner.page.locator('#book').isEnabled(), 'the way out can be booked');
    assert.doesNotMatch(await planner.outline.getAttribute('class') ?? '', /\bclash\b/);
    await planner.page.locator('#book').click();
    await planner.until(async () => (await bookings(server)).length === 2, 'it is booked');
});

it('Enter books, and the initials and the priority are there again at the next visit', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(2, 14)]);
    await planner.booking.waitFor();
    await planner.fill('who', 'Zoë');
    await planner.booking.locator('[name="priority"][value="2"], [name="priority"][value="high"]').first().check({force: true});
    await planner.booking.locator('[name="who"]').press('Enter');
    await planner.until(async () => (await bookings(server)).length === 1, 'it is booked');
    assert.deepEqual((await gists(server)).map(({who, priority}) => [who, priority]), [['Zoë', 'high']]);
    const [bar] = await planner.barsOf(1);
    assert.match(bar.text, /^Zoë\s+H\b/);
    assert.ok(bar.classes.includes('high') && bar.classes.includes('mine'), bar.classes.join(' '));

    await planner.page.reload();
    await planner.ready();
    await planner.drag(['alpha/g1', day(2, 12)], ['alpha/g1', day(2, 14)]);
    await planner.booking.waitFor();
    assert.equal(await planner.field('who'), 'Zoë');
    assert.equal(await planner.booking.locator('[name="priority"]:checked').evaluate((input) => ['2', 'high'].includes(input.value)), true);
});

it('Escape leaves the booking: the card and the selection go, and the focus returns to the grid', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g1', day(3, 12)]);
    await planner.booking.waitFor();
    await planner.fill('who', 'AB');
    await planner.press('Escape');
    await planner.booking.waitFor({state: 'hidden'});
    assert.equal(await planner.selected(), null);
    assert.equal(await planner.page.evaluate(() => document.activeElement.closest('#grid') !== null), true);
    assert.deepEqual(await bookings(server), []);
});

it('a booking without initials is not sent, and the field says so', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(2, 14)]);
    await planner.booking.waitFor();
    await planner.booking.locator('[name="who"]').press('Enter');
    await planner.drawn();
    assert.equal(await planner.booking.isVisible(), true);
    assert.equal(await planner.booking.locator('[name="who"]').evaluate((input) => document.activeElement === input), true);
    assert.deepEqual(await bookings(server), []);
});

it('a booking with a note that repeats is made as many times, and one Undo takes all back', async ({server, open}) => {
    const planner = await open({who: 'AB'});
    await planner.drag(['gamma/g0', day(2, 12)], ['gamma/g0', day(2, 14)]);
    await planner.booking.waitFor();
    await planner.fill('note', 'nightly <b>run</b>');
    await planner.fill('repeat-every', 'week');
    await planner.fill('repeat-count', '3');
    await planner.page.locator('#book').click();
    await planner.booking.waitFor({state: 'hidden'});
    const made = await bookings(server);
    assert.deepEqual(made.map(({start, end, note}) => [start, end, note]),
        [0, 7, 14].map((days) => [day(2 + days), day(3 + days), 'nightly <b>run</b>']));
    assert.equal(new Set(made.map((one) => one.series_id)).size, 1);

    await planner.page.locator('#toast-undo').click();
    await planner.until(async () => (await bookings(server)).every((one) => one.status === 'cancelled'), 'all are taken back');
});

it('Undo takes back all of a repetition, also when somebody else ended one of it and the connection fails half-way', async ({server, open}) => {
    const planner = await open({who: 'AB', expect: /404|ERR_FAILED/});
    await planner.drag(['gamma/g0', day(2, 12)], ['gamma/g0', day(2, 14)]);
    await planner.booking.waitFor();
    await planner.fill('repeat-every', 'day');
    await planner.fill('repeat-count', '4');
    await planner.page.locator('#book').click();
    await planner.toastSays(/4 times/);
    const ids = (await bookings(server)).map(({id}) => id);
    assert.equal((await request(server, 'DELETE', `/api/bookings/${ids[1]}`)).status, 200);
    await planner.page.route(`**/api/bookings/${ids[2]}`, (route) => route.abort('failed'));
    await planner.page.locator('#toast-undo').click();
    await planner.toastSays(/cannot be reached.*Retry/s);
    await planner.page.unroute(`**/api/bookings/${ids[2]}`);
    await planner.page.locator('#toast-undo').click();
    await planner.toastSays(/Taken back/);
    assert.deepEqual((await bookings(server)).map(({status}) => status), Array(4).fill('cancelled'));
});

it('what the server refuses stands on the card in its words, and the selection stays', {
    config: {nodes: [{id: 'alpha', gpus: [{id: 'g0'}]}], limits: {max_booking_hours: 48}},
}, async ({server, open}) => {
    const planner = await open({who: 'AB', expect: /400/});
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(5, 12)]);
    await planner.booking.waitFor();
    if (await planner.page.locator('#book').isEnabled()) await planner.page.locator('#book').click();
    await planner.until(async () => /48/.test(await planner.booking.innerText()), 'the card names the limit');
    assert.deepEqual(await planner.selected(), {start: day(2), end: day(6), rows: ['alpha/g0']});
    assert.deepEqual(await bookings(server), []);
});

it('two pages fight over one slot: one books it, the other learns who was faster and is offered another', async ({server, open}) => {
    const [first, second] = [await open({who: 'AB'}), await open({who: 'CD', expect: /409/})];
    for (const planner of [first, second]) {
        await planner.drag(['alpha/g1', day(2, 12)], ['alpha/g1', day(3, 12)]);
        await planner.booking.waitFor();
    }
    /* The second page must not hear of it before it asks. */
    const release = await second.hold('**/api/timeline*');
    await first.page.locator('#book').click();
    await first.booking.waitFor({state: 'hidden'});
    const refused = second.page.waitForResponse((response) => response.status() === 409);
    await second.page.locator('#book').click();
    await refused;
    await release();
    await second.until(async () => /AB/.test(await second.page.locator('#verdict').innerText()), 'the card says who was faster');
    assert.deepEqual((await gists(server)).map(({who}) => who), ['AB']);

    await second.page.locator('#suggest').click();
    await second.until(() => second.page.locator('#book').isEnabled(), 'what is offered can be booked');
    await second.page.locator('#book').click();
    await second.until(async () => (await bookings(server)).length === 2, 'the second booking is made');
    const [one, two] = await gists(server);
    assert.equal(two.who, 'CD');
    assert.ok(two.gpus[0] !== one.gpus[0] || two.start >= one.end || two.end <= one.start, 'it lies elsewhere');
});

it('by keyboard alone: arrows move, Shift and arrows select, Enter opens the card and books', async ({server, open}) => {
    const planner = await open();
    await planner.walkTo('alpha/g1', day(3));
    await planner.press('Shift+ArrowRight', 'Shift+ArrowDown');
    await planner.until(async () => (await planner.selected())?.rows.length === 2, 'the selection has two rows');
    assert.deepEqual(await planner.selected(), {start: day(3), end: day(5), rows: ['alpha/g1', 'alpha/g2']});
    await planner.press('Enter');
    await planner.booking.waitFor();
    await planner.until(() => planner.booking.locator('[name="who"]').evaluate((input) => document.activeElement === input), 'the initials have the focus');
    await planner.page.keyboard.type('KB');
    await planner.press('Enter');
    await planner.until(async () => (await bookings(server)).length === 1, 'it is booked');
    assert.deepEqual(await gists(server),
        [{gpus: ['alpha/g1', 'alpha/g2'], start: day(3), end: day(5), who: 'KB', priority: 'medium', status: 'active'}]);
    await planner.booking.waitFor({state: 'hidden'});
    assert.ok(await planner.cell(), 'the focus is back in the grid');
});

it('by touch: a long press and then a drag selects, and a tap on Book books', async ({server, open}) => {
    const planner = await open({touch: true, width: 768, height: 1024, who: 'AB'});
    await planner.touchDrag(['alpha/g0', day(1, 12)], ['alpha/g1', day(3, 12)]);
    await planner.booking.waitFor();
    assert.deepEqual(await planner.selected(), {start: day(1), end: day(4), rows: ['alpha/g0', 'alpha/g1']});
    await planner.page.locator('#book').tap();
    await planner.until(async () => (await bookings(server)).length === 1, 'it is booked');
    assert.deepEqual((await gists(server)).map(({gpus, start, end}) => [gpus, start, end]), [[['alpha/g0', 'alpha/g1'], day(1), day(4)]]);
});

it('by touch: a swipe scrolls the grid and selects nothing', async ({open}) => {
    const planner = await open({touch: true, width: 768, height: 1024});
    const before = await planner.measures();
    await planner.touchDrag(['alpha/g0', day(4, 12)], ['alpha/g0', day(1, 12)], {rest: 0});
    await planner.until(async () => (await planner.measures()).from > before.from + 12, 'the grid has scrolled');
    assert.equal(await planner.selected(), null);
    assert.equal(await planner.booking.isVisible(), false);
});
