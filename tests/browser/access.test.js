'use strict';
/* The page where a login is asked for: nobody is logged in, or several people are, each in a browser of their own. */
const assert = require('node:assert/strict');
const {CONFIG, browserSuite} = require('./harness.js');
const {bookings, day} = require('./fixtures.js');
const {mountWithLogins} = require('./mount.js');
const {basic} = require('../api/front.js');
const {request} = require('../api/harness.js');

const it = browserSuite();
const REFUSED = /401/; /* the browser's own word for each refused call */

it('who is not logged in reads why nothing is shown', {config: {...CONFIG, auth: {mode: 'remote_user'}}}, async ({open}) => {
    const planner = await open({wait: false, expect: REFUSED});
    await planner.page.getByText('Looking at bookings needs a login here').first().waitFor();
    assert.equal(await planner.page.locator('#grid[data-state="ready"]').count(), 0, 'it does not look like an empty planner');
});

it('where everybody may look, who is not logged in reads why nothing was booked', {config: {...CONFIG, auth: {mode: 'remote_user', read: 'public'}}},
    async ({server, open}) => {
        const planner = await open({expect: REFUSED, who: 'AB'});
        await planner.drag(['alpha/g1', day(2, 12)], ['alpha/g2', day(4, 12)]);
        await planner.fill('who', 'AB');
        await planner.page.locator('#book').click();
        await planner.booking.getByText('You are not logged in. If you were, load the page again.').waitFor();
        assert.deepEqual(await bookings(server), []);
    });

/* -- two colleagues and an administrator, logged in by nginx/examples/basic-auth.conf ----------------------------------- */

const WITH_LOGINS = {config: {...CONFIG, auth: {mode: 'remote_user', admins: ['root']}}};
const ACTIONS = ['extend', 'edit', 'done', 'cancel'];

/* The nginx with its passwords, and `as(name, …)`, which opens the page of who has logged in. */
async function colleagues({server, open, finally: atLast}) {
    const front = await mountWithLogins(server, Object.fromEntries(['ada', 'bob', 'root'].map((name) => [name, `${name}'s password`])));
    atLast(front.stop);
    return {front, as: (name, more = {}) => open({url: front.url, login: [name, `${name}'s password`], ...more})};
}

const bookingOf = async (front, id) => {
    const {status, json} = await request(front, 'GET', `/api/bookings/${id}`, {headers: basic('root')});
    assert.equal(status, 200);
    return json;
};

/* Books alpha/g1 to g2 from day 2 to day 4 by the page alone, and gives the booking's number. */
async function bookByPage(planner) {
    await planner.drag(['alpha/g1', day(2, 12)], ['alpha/g2', day(3, 12)]);
    await planner.booking.waitFor();
    await planner.page.locator('#book').click();
    await planner.toastSays(/Booked 2 GPUs/);
    return (await planner.bars())[0].id;
}

/* Opens the booking's card and gives the buttons on it that can be pressed. */
async function actionsOf(planner, id) {
    await planner.bar(id).first().waitFor();
    await planner.click('alpha/g1', day(3));
    await planner.details.waitFor();
    await planner.details.locator('#history > li').first().waitFor(); /* all of it is there */
    return planner.page.evaluate((names) => names.filter((name) => document.getElementById(name).checkVisibility()), ACTIONS);
}

it('who is logged in books under the login, and has all the buttons on the card of that booking', WITH_LOGINS, async (world) => {
    const {front, as} = await colleagues(world);
    const ada = await as('ada');
    const id = await bookByPage(ada);
    const {owner, user_label} = await bookingOf(front, id);
    assert.deepEqual([owner, user_label], ['ada', 'ada']);
    assert.deepEqual(await actionsOf(ada, id), ACTIONS);
    await ada.page.locator('#cancel').click();
    await ada.page.locator('#cancel-yes').click();
    await ada.toastSays(/Cancelled/);
    assert.equal((await bookingOf(front, id)).status, 'cancelled');
});

it('a colleague sees whose booking it is, and can do nothing to it: no button, no key, no drag', WITH_LOGINS, async (world) => {
    const {front, as} = await colleagues(world);
    const id = await bookByPage(await as('ada'));
    const before = await bookingOf(front, id);
    const bob = await as('bob', {who: 'ada'}); /* he may call himself what he likes */
    assert.deepEqual(await actionsOf(bob, id), []);
    assert.match(await bob.details.innerText(), /Owner\s+ada/);

    await bob.press('d', 'e', 'Delete');
    await bob.drawn();
    for (const shell of ['#extend-by', '#details form', '#question']) assert.equal(await bob.page.locator(shell).isVisible(), false, shell);
    await bob.press('Escape');
    await bob.details.waitFor({state: 'hidden'});

    const [{end}] = await bob.barsOf(id);
    const {width} = await bob.measures();
    await bob.drag(['alpha/g1', end - 3 / width], ['alpha/g1', day(6)]);
    await bob.drag(['alpha/g1', day(3)], ['alpha/g3', day(5)]);
    await bob.press('Escape');
    await bob.walkTo('alpha/g1', day(2));
    await bob.press('Delete');
    await bob.drawn();
    assert.equal(await bob.page.locator('#question').isVisible(), false);
    assert.deepEqual(await bookingOf(front, id), before);
});

it('a colleague who forges what the buttons send is refused, and told why', WITH_LOGINS, async (world) => {
    const {front, as} = await colleagues(world);
    const id = await bookByPage(await as('ada'));
    const before = await bookingOf(front, id);
    const bob = await as('bob', {expect: /403/});
    for (const [method, path, body] of [
        ['POST', 'api/mark_done', {booking_id: id}], ['PATCH', `api/bookings/${id}`, {note: 'x'}], ['DELETE', `api/bookings/${id}`],
        ['POST', 'api/release', {booking_id: id, release_token: '0'.repeat(32)}],
    ]) {
        const [status, said] = await bob.page.evaluate(async ([how, where, what]) => {
            const answer = await fetch(where, {method: how, body: what && JSON.stringify(what), headers: {'Content-Type': 'application/json', 'Procplan-User': 'ada'}});
            return [answer.status, (await answer.json()).error];
        }, [method, path, body]);
        assert.equal(status, 403, `${method} ${path}`);
        assert.match(said, /belongs to 'ada'.*you are 'bob'|release token/, `${method} ${path}`);
    }
    assert.deepEqual(await bookingOf(front, id), before);
});

it('an administrator has all the buttons on anybody\'s card, and they work', WITH_LOGINS, async (world) => {
    const {front, as} = await colleagues(world);
    const id = await bookByPage(await as('ada'));
    const root = await as('root');
    assert.deepEqual(await actionsOf(root, id), ACTIONS);
    await root.page.locator('#extend').click();
    await root.page.locator('#extend-by [data-hours="4"]').click();
    await root.toastSays(/Extended/);
    assert.equal((await bookingOf(front, id)).owner, 'ada', 'it stays hers');
    await root.drag(['alpha/g1', day(2, 12)], ['alpha/g1', day(3, 12)]);
    await root.until(async () => (await bookingOf(front, id)).start.startsWith('2031-05-17'), 'the bar was dragged by a day');
});
