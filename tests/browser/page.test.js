'use strict';
/* The page as a whole: it loads under a strict policy, from anywhere, for everybody. */
const assert = require('node:assert/strict');
const {browserSuite} = require('./harness.js');
const {bookings, day, give} = require('./fixtures.js');
const {mountBelow} = require('./mount.js');

const it = browserSuite();

it('the page loads without a word on the console', async ({open}) => {
    const planner = await open({wait: false});
    await planner.page.waitForLoadState('networkidle');
    assert.match(await planner.page.title(), /ProcPlan/);
    assert.deepEqual(planner.faults, []);
});

it('whatever a page complains of, or asks elsewhere, is seen by these tests', async ({open}) => {
    const provoked = {
        'console warning: careful': () => console.warn('careful'),
        'thrown: Error: thrown': () => { setTimeout(() => { throw new Error('thrown'); }); },
        'thrown: Error: rejected': () => { Promise.reject(new Error('rejected')); },
        'policy violated: style-src-attr': () => document.body.setAttribute('style', 'color: red'),
        'policy violated: script-src-elem': () => {
            const script = document.createElement('script');
            script.textContent = '1';
            document.body.append(script);
        },
        'asks elsewhere: http://127.0.0.2:9/': () => { new Image().src = 'http://127.0.0.2:9/'; },
        'answered 404: GET': () => { fetch('api/none'); },
        'a confirm box': () => { setTimeout(() => globalThis.confirm('sure?')); },
    };
    const planner = await open({wait: false});
    await planner.page.waitForLoadState('networkidle');
    for (const [fault, provoke] of Object.entries(provoked)) {
        await planner.page.evaluate(provoke);
        await planner.until(() => planner.faults.some((said) => said.includes(fault)), `it is seen: ${fault}`);
    }
    planner.faults.length = 0;
});

it('the page works below a path, where nothing of it is asked from the root', async ({server, open, finally: atLast}) => {
    const mounted = await mountBelow(server, '/procplan');
    atLast(mounted.stop);
    /* Another planner of this host shows other nodes, which are none of this one's. */
    const planner = await open({url: mounted.url, who: 'AB', storage: {'procplan.nodes/': '["elsewhere"]'}});
    await planner.page.goto(mounted.url.slice(0, -1)); /* without the slash */
    await planner.ready();
    await give(server, 'alpha/g3', day(2), day(4));
    await planner.barsOf(1);
    await planner.drag(['alpha/g0', day(2, 12)], ['alpha/g0', day(3, 12)]);
    await planner.page.locator('#book').click();
    await planner.until(async () => (await bookings(server)).length === 2, 'it is booked');
    await planner.page.locator('[data-zoom="weeks"]').click();
    await planner.address((search) => search.zoom === 'weeks');
    assert.match(planner.page.url(), /^http:\/\/127\.0\.0\.1:\d+\/procplan\/\?/);
});

it('what makes no sense in the browser\'s storage, or cannot be stored, does no harm', async ({open}) => {
    for (const value of ['5', '"x"', '{"a": 1}', '[[]]', '{{{', 'true']) {
        const storage = Object.fromEntries(['folded/', 'nodes/', 'who', 'priority', 'find'].filter((name) => name !== 'nodes/' || value !== '[[]]')
            .map((name) => [`procplan.${name}`, value]));
        const planner = await open({storage});
        assert.equal(await planner.row('beta/g0').count(), 1, value);
        await planner.click('beta/g0', day(2));
        await planner.page.locator('#outline.medium').waitFor({timeout: 5000});
        await planner.context.close();
    }
    const planner = await open({init: 'Object.defineProperty(globalThis, "localStorage", {get() { throw new DOMException("denied", "SecurityError"); }});', storage: {}});
    await planner.band('beta').locator('.fold').click();
    await planner.until(async () => await planner.row('beta/g0').count() === 0, 'it folds');
});
