'use strict';
/* axe-core finds nothing, in any view, card, menu or panel, in the light and in the dark, on a desk and on a phone. */
const {browserSuite} = require('./harness.js');
const {busy, day} = require('./fixtures.js');

const it = browserSuite();

for (const scheme of ['light', 'dark']) {
    it(`axe finds nothing in any zoom or card, ${scheme}`, async ({server, open}) => {
        await busy(server);
        const planner = await open({who: 'AB', scheme});
        await planner.barsOf(4);
        await planner.axe('the grid of days');
        for (const zoom of ['hours', 'weeks', 'days']) {
            await planner.page.locator(`[data-zoom="${zoom}"]`).click();
            await planner.drawn();
            if (zoom !== 'days') await planner.axe(`the grid of ${zoom}`);
        }
        await planner.drag(['beta/g0', day(2, 12)], ['beta/g1', day(4, 12)]);
        await planner.booking.waitFor();
        await planner.axe('the booking card with a clash');
        await planner.shot(`clash ${scheme}`);
        await planner.press('Escape');
        await planner.click('alpha/g0', day(1));
        await planner.details.waitFor();
        await planner.axe('the details card');
        await planner.page.locator('#cancel').click();
        await planner.axe('the question');
        await planner.page.locator('#cancel-yes').click();
        await planner.toast.waitFor();
        await planner.axe('the message');
    });

    it(`axe finds nothing in any menu or panel, ${scheme}`, async ({server, open}) => {
        await busy(server);
        const planner = await open({who: 'AB', scheme});
        for (const [button, shown] of [['#find-button', '#find'], ['#help-button', '#help'], ['#range', '#jump'], ['#filter-nodes', '#nodes-menu'],
            ['#filter-kinds', '#kinds-menu'], ['#who', '#who-menu']]) {
            await planner.page.locator(button).click();
            await planner.page.locator(shown).waitFor();
            await planner.axe(shown);
            await planner.shot(`${shown} ${scheme}`);
            await planner.press('Escape');
            await planner.page.locator(shown).waitFor({state: 'hidden'});
        }
    });
}

it('axe finds nothing on a phone, in the grid and the sheets', async ({server, open}) => {
    await busy(server);
    const planner = await open({who: 'AB', width: 360, height: 740, touch: true});
    await planner.axe('the narrow grid');
    await planner.tap('alpha/g3', day(1, 12));
    await planner.booking.waitFor();
    await planner.axe('the booking sheet');
});
