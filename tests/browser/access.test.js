'use strict';
/* The page where a login is asked for, and nobody is logged in. */
const assert = require('node:assert/strict');
const {CONFIG, browserSuite} = require('./harness.js');
const {bookings, day} = require('./fixtures.js');

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
        await planner.booking.getByText('You are not logged in').waitFor();
        assert.deepEqual(await bookings(server), []);
    });
