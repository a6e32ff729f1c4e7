'use strict';
/* Other people's changes, a connection that goes and comes back, and the address that holds the view. */
const assert = require('node:assert/strict');
const {CONFIG, NOW, browserSuite} = require('./harness.js');
const {bookings, day, gists, give} = require('./fixtures.js');
const {request, startServer} = require('../api/harness.js');

const it = browserSuite();
const LIVE = 5_000; /* what issue and help promise, in milliseconds */

it('a booking whose answer was lost is not in its own way: Book again says that it is booked, once', async ({server, open}) => {
    const planner = await open({who: 'AB', expect: /ERR_FAILED/});
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(3, 12)]);
    await planner.booking.waitFor();
    await planner.page.route('**/api/book', async (route) => {
        await route.fetch();
        await route.abort('failed');
    });
    await planner.page.locator('#book').click();
    await planner.barsOf(1);
    await planner.until(async () => /cannot be reached/.test(await planner.page.locator('#verdict').innerText()), 'the card says so');
    assert.equal(await planner.page.locator('#suggest').isVisible(), false, 'it offers nothing that would be booked besides');
    await planner.page.unroute('**/api/book');
    await planner.page.locator('#book').click();
    await planner.toastSays(/Booked 1 GPU/);
    assert.equal((await bookings(server)).length, 1);
});

it('other people\'s bookings, changes and cancellations appear within five seconds, without a reload', async ({server, open}) => {
    const planner = await open();
    await planner.page.evaluate(() => { globalThis.same = true; });
    await give(server, 'alpha/g0', day(2), day(4));
    await planner.until(() => planner.bar(1).count(), 'the booking appears', LIVE);
    const [{start}] = await planner.barsOf(1);
    assert.equal(Math.round(start), day(2));
    await request(server, 'PATCH', '/api/bookings/1', {body: {start: new Date(day(3) * 3_600_000).toISOString()}});
    await planner.until(async () => Math.round((await planner.barsOf(1))[0].start) === day(3), 'the change appears', LIVE);
    await request(server, 'DELETE', '/api/bookings/1');
    await planner.until(async () => await planner.bar(1).count() === 0, 'the cancellation appears', LIVE);
    assert.equal(await planner.page.evaluate(() => globalThis.same), true, 'the page was not loaded again');
});

it('what others do never disturbs a drag in progress, and is there when it is over', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB'});
    await planner.barsOf(1);
    await planner.drag(['alpha/g0', day(3)], ['alpha/g1', day(5)], {hold: true});
    await planner.grid.locator('.shadow').first().waitFor();
    const before = await planner.bars('.shadow');
    const heard = planner.page.waitForResponse(async (response) => response.url().includes('/api/timeline') &&
        (await response.text().catch(() => '')).includes('KM'));
    await give(server, 'alpha/g3', day(2), day(4), 'KM');
    await heard;
    await planner.drawn();
    assert.deepEqual(await planner.bars('.shadow'), before);
    assert.equal(await planner.bar(2).count(), 0, 'it waits until the drag is over');
    await planner.page.mouse.up();
    await planner.until(async () => (await bookings(server)).some((one) => one.id === 1 && one.start === day(4)), 'the drag did what it was for');
    await planner.until(() => planner.bar(2).count(), 'the other booking appears', LIVE);
});

it('what others do leaves a half filled card alone, and the card says when it does not fit any more', async ({server, open}) => {
    const planner = await open();
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(3, 12)]);
    await planner.booking.waitFor();
    await planner.booking.locator('[name="who"]').click();
    await planner.page.keyboard.type('A');
    await give(server, 'alpha/g0', day(3), day(4), 'KM');
    await planner.until(async () => /KM/.test(await planner.page.locator('#verdict').innerText()), 'the card says who took it', LIVE);
    await planner.page.keyboard.type('B');
    assert.equal(await planner.field('who'), 'AB');
    assert.equal(await planner.page.locator('#book').isEnabled(), false);
    assert.deepEqual(await planner.selected(), {start: day(2), end: day(4), rows: ['alpha/g0']});
});

it('a lost connection says so, and recovers by itself', async ({server, open}) => {
    const planner = await open({expect: /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED/});
    const live = planner.page.locator('#live');
    assert.equal(await live.getAttribute('data-state'), 'live');
    await planner.context.setOffline(true);
    await planner.until(async () => await live.getAttribute('data-state') === 'offline', 'it says so', 15_000);
    assert.match(`${await live.innerText()} ${await live.getAttribute('aria-label') ?? ''} ${await live.getAttribute('title') ?? ''}`, /reconnect|offline|cannot be reached/i);
    await give(server, 'alpha/g0', day(2), day(4));
    await planner.context.setOffline(false);
    await planner.until(async () => await live.getAttribute('data-state') === 'live', 'it is back', 15_000);
    await planner.until(() => planner.bar(1).count(), 'and knows what happened meanwhile', LIVE);
});

it('a connection that is lost and comes back leaves a half filled change of a booking as it is', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB', expect: /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED/});
    await planner.click('alpha/g0', day(3));
    await planner.details.locator('#history > li').first().waitFor();
    await planner.page.locator('#edit').click();
    const note = planner.details.locator('[name="note"]');
    await note.fill('half ty');
    const live = planner.page.locator('#live');
    for (const [offline, wanted] of [[true, 'offline'], [false, 'live']]) {
        await planner.context.setOffline(offline);
        await planner.until(async () => await live.getAttribute('data-state') === wanted, `it is ${wanted}`, 15_000);
        await planner.drawn();
        assert.equal(await note.isVisible(), true, wanted);
    }
    await planner.page.keyboard.type('ped');
    await planner.press('Enter');
    await planner.until(async () => (await bookings(server))[0].note === 'half typed', 'the note is changed');
});

it('a card that could not ask for a booking\'s history asks again when the server is back', async ({server, open}) => {
    await give(server, 'alpha/g0', day(2), day(4), 'AB');
    const planner = await open({who: 'AB', expect: /ERR_FAILED|ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED/});
    await planner.page.route('**/api/events*', (route) => route.abort('failed'));
    await planner.click('alpha/g0', day(3));
    const fault = planner.page.locator('#details-fault');
    await planner.until(async () => /cannot be reached/.test(await fault.innerText()), 'the card says so');
    await planner.page.unroute('**/api/events*');
    const live = planner.page.locator('#live');
    for (const [offline, wanted] of [[true, 'offline'], [false, 'live']]) {
        await planner.context.setOffline(offline);
        await planner.until(async () => await live.getAttribute('data-state') === wanted, `it is ${wanted}`, 15_000);
    }
    await planner.details.locator('#history > li').first().waitFor({timeout: 5000});
    assert.equal(await fault.innerText(), '');
});

it('a booking that cannot be sent keeps its card, and can be sent again', async ({server, open}) => {
    const planner = await open({who: 'AB', expect: /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|ERR_FAILED/});
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(3, 12)]);
    await planner.booking.waitFor();
    await planner.page.route('**/api/book', (route) => route.abort('failed'));
    await planner.page.locator('#book').click();
    await planner.until(async () => /cannot be reached|try again|retry/i.test(`${await planner.booking.innerText()} ${await planner.toast.innerText().catch(() => '')}`), 'the page says so');
    assert.deepEqual(await planner.selected(), {start: day(2), end: day(4), rows: ['alpha/g0']});
    await planner.page.unroute('**/api/book');
    await planner.until(() => planner.page.locator('#book').isEnabled(), 'it can be tried again');
    await planner.page.locator('#book').click();
    await planner.until(async () => (await bookings(server)).length === 1, 'it is booked, once');
    assert.deepEqual((await gists(server)).map(({start, end}) => [start, end]), [[day(2), day(4)]]);
});

it('nodes that a changed configuration brings appear without a reload', async ({server, open}) => {
    const planner = await open();
    server.writeConfig({nodes: [...CONFIG.nodes, {id: 'delta', gpus: [{id: 'g0', kind: 'B200'}]}]});
    assert.equal((await request(server, 'POST', '/api/reload_config')).status, 200);
    await planner.until(() => planner.row('delta/g0').count(), 'the new node appears', LIVE);
});

it('limits that a changed configuration brings hold without a reload', async ({server, open}) => {
    const planner = await open({who: 'AB'});
    server.writeConfig({...CONFIG, limits: {max_booking_hours: 12}});
    assert.equal((await request(server, 'POST', '/api/reload_config')).status, 200);
    await planner.page.waitForResponse((response) => response.url().includes('/api/session'), {timeout: 2 * LIVE});
    await planner.page.locator('#find-button').click();
    await planner.page.locator('#find [name="hours"]').fill('13');
    await planner.until(async () => await planner.page.locator('#find-words').innerText() === 'A booking may last 12 h at most.', 'Find knows the limit');
});

it('a selection stays on its GPUs when a changed configuration puts others before them, and goes with a GPU that goes', async ({server, open}) => {
    const planner = await open({who: 'AB'});
    await planner.drag(['beta/g0', day(2, 12)], ['beta/g1', day(3, 12)]);
    await planner.booking.waitFor();
    const configure = async (nodes) => {
        server.writeConfig({nodes});
        assert.equal((await request(server, 'POST', '/api/reload_config')).status, 200);
    };
    await configure([{id: 'first', gpus: [{id: 'g0', kind: 'B200'}]}, ...CONFIG.nodes]);
    await planner.row('first/g0').waitFor();
    await planner.drawn();
    assert.deepEqual(await planner.selected(), {start: day(2), end: day(4), rows: ['beta/g0', 'beta/g1']});
    await planner.page.locator('#book').click();
    await planner.booking.waitFor({state: 'hidden'});
    assert.deepEqual((await gists(server)).map(({gpus}) => gpus), [['beta/g0', 'beta/g1']]);

    await planner.drag(['gamma/g0', day(2, 12)], ['gamma/g1', day(3, 12)]);
    await planner.booking.waitFor();
    await configure(CONFIG.nodes.slice(0, 2));
    await planner.booking.waitFor({state: 'hidden'});
    assert.equal(await planner.selected(), null);
});

it('a server that comes back with another database: an open card tells of the booking that is there now, or goes', async ({server, open, finally: atLast}) => {
    const [restored, empty] = await Promise.all([0, 1].map(() => startServer({config: CONFIG, workers: 1, clock: true})));
    for (const one of [restored, empty]) {
        one.setClock(NOW);
        atLast(one.stop);
    }
    await give(server, 'alpha/g0', day(2), day(4), 'AB', {note: 'before'});
    await give(restored, 'alpha/g0', day(2), day(4), 'AB', {note: 'restored'});
    const planner = await open({who: 'AB'});
    await planner.click('alpha/g0', day(3));
    await planner.details.getByText('before').waitFor();
    const become = (other) => planner.page.route('**/api/**', (route) => route.continue({url: route.request().url().replace(server.url, other.url)}));
    await become(restored);
    await planner.details.getByText('restored').waitFor();
    await become(empty);
    await planner.details.waitFor({state: 'hidden'});
    await planner.page.locator('[data-zoom="weeks"]').click();
    await planner.press('d');
    await planner.until(async () => await planner.page.locator('[data-zoom="days"]').getAttribute('aria-pressed') === 'true', 'D is days again');
});

it('the address holds date, zoom and filters, and a link to it shows a colleague the same', async ({server, open}) => {
    await give(server, 'beta/g0', day(30), day(32));
    const planner = await open({who: 'AB'});
    await planner.page.locator('[data-zoom="weeks"]').click();
    await planner.address((search) => search.zoom === 'weeks');
    await planner.page.locator('#later').click();
    await planner.page.locator('#mine').click();
    await planner.drawn();
    const search = await planner.address((now) => now.zoom === 'weeks' && now.date && now.mine);
    const [mine, theirs] = [planner, await open({who: 'CD', query: new URLSearchParams(search).toString()})];
    const [here, there] = [await mine.measures(), await theirs.measures()];
    assert.ok(Math.abs(here.from - there.from) * here.width < 3, `${here.from} and ${there.from}`);
    assert.equal(here.width, there.width);
    assert.equal(await theirs.page.locator('[data-zoom="weeks"]').getAttribute('aria-pressed'), 'true');
    assert.equal(await theirs.page.locator('#mine').getAttribute('aria-pressed'), 'true');
});

it('a link to a date opens there, and to a node shows that node alone', async ({open}) => {
    const planner = await open({query: 'date=2032-01-05&node=beta'});
    const {from} = await planner.measures();
    assert.ok(Math.abs(from - Date.UTC(2032, 0, 5) / 3_600_000) < 1, `${from}`);
    assert.equal(await planner.row('beta/g0').count(), 1);
    assert.equal(await planner.row('alpha/g0').count(), 0);
});

it('a long link, whose view stands behind a #, shows it also when the planner is open already', async ({open}) => {
    const planner = await open();
    await planner.page.goto(`${planner.server.url}#?node=beta&zoom=weeks`);
    await planner.until(async () => await planner.row('alpha/g0').count() === 0 && await planner.row('beta/g0').count() === 1, 'it shows that node alone');
});

it('an address that makes no sense is as if it were not there', async ({open}) => {
    const planner = await open({query: 'date=2031-02-31&zoom=%3Cscript%3E&person=%22%3E%3Cb%3E&zzz=1'});
    const at = await planner.measures();
    assert.ok(at.from <= day(0) && at.to > day(0), 'it shows today');
    assert.equal(await planner.page.locator('[data-zoom="days"]').getAttribute('aria-pressed'), 'true');
});
