'use strict';
/*
 * The planner's page in the real Chromium, from the real nginx and the real pool. Each test has a server of its own with a clock that
 * the test sets, and contexts of its own in the file's one browser, so tests know nothing of each other.
 *
 * A page that says anything on its console but notes, throws, breaks its Content-Security-Policy, asks another origin or fails to
 * load something fails its test, whatever else the test looks at. What a test provokes on purpose it names: `expect: /409/`.
 *
 * The browser is $CHROMIUM, else chromium or Chrome where they usually are. PROCPLAN_SHOTS=FOLDER keeps what `shot` takes.
 */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {after, test} = require('node:test');
const {testModule} = require('../api/contract.js');
const {serverMissing, startServer, temporaryFolder} = require('../api/harness.js');
const {Planner} = require('./planner.js');

const playwright = testModule('playwright-core');
const chromiumPath = () => process.env.CHROMIUM ||
    ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'].find((file) => fs.existsSync(file));

/* A test takes seconds; under load on a small machine a few times that. Milliseconds. */
const TEST_LIMIT = 120_000;
const STEP_LIMIT = Number(process.env.PROCPLAN_STEP_LIMIT || 30_000);

/* Wednesday 2031-05-14 10:20 UTC: in the middle of an hour, a day, a week and a month, and not today, so that nothing can come from
 * the reader's own clock. */
const NOW = Date.UTC(2031, 4, 14, 10, 20) / 1000;
const HOUR_NOW = Math.floor(NOW / 3600);
const TODAY = Math.floor(HOUR_NOW / 24) * 24;

/* Three nodes and eleven GPUs: all rows fit on one screen. alpha and gamma have a kind in common. */
const CONFIG = {
    nodes: [
        {id: 'alpha', name: 'Alpha', gpus: Array.from({length: 4}, (_, i) => ({id: `g${i}`, kind: 'H100'}))},
        {id: 'beta', name: 'Beta', gpus: Array.from({length: 4}, (_, i) => ({id: `g${i}`, kind: 'A100'}))},
        {id: 'gamma', name: 'Gamma', gpus: [{id: 'g0', kind: 'H100'}, {id: 'g1', kind: 'L40S'}, {id: 'g2', kind: 'L40S'}]},
    ],
};

/* Why these tests cannot run here, or false. In CI a missing package is a fault, as for the other tests. */
function browserMissing() {
    if (!playwright) return 'the package playwright-core is missing: make test-modules fetches it';
    if (!chromiumPath()) return 'chromium is not installed';
    return serverMissing();
}

async function launch() {
    const home = temporaryFolder();
    return playwright.chromium.launch({
        executablePath: chromiumPath(),
        args: ['--disable-gpu', '--font-render-hinting=none', '--force-color-profile=srgb', '--hide-scrollbars=false'],
        env: {...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, XDG_RUNTIME_DIR: home},
    });
}

/* Watches PAGE and gives the list into which what is wrong is written. EXPECT is a pattern for what is not. */
function watch(page, origin, expect) {
    const faults = [];
    const fault = (what) => { if (!page.unwatched && !expect?.test(what)) faults.push(what); };
    page.on('console', (message) => {
        if (['error', 'warning', 'assert'].includes(message.type()))
            fault(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => fault(`thrown: ${error.stack ?? error}`));
    page.on('crash', () => fault('the page crashed'));
    page.on('dialog', (dialog) => {
        fault(`a ${dialog.type()} box: ${dialog.message()}`);
        dialog.dismiss().catch(() => {});
    });
    page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(origin) && !/^(data|blob|about):/.test(url)) fault(`asks elsewhere: ${url}`);
    });
    page.on('requestfailed', (request) => {
        /* Aborted is what the page itself gave up, having gone on to something else. */
        const why = request.failure()?.errorText;
        if (why !== 'net::ERR_ABORTED') fault(`failed: ${request.method()} ${request.url()}: ${why}`);
    });
    page.on('response', (response) => {
        if (response.status() >= 400) fault(`answered ${response.status()}: ${response.request().method()} ${response.url()}`);
    });
    return faults;
}

/*
 * For a file of browser tests: gives `it(name, [options], async (world) => …)`.
 *
 * OPTIONS: config, now (seconds since 1970; NOW), workers, args, env for the server.
 * WORLD: server; `open({…})` opens a Planner (see planner.js) on a page of its own; `finally(f)` has f called once the pages are closed,
 * before the server ends; t, the test's context.
 * open's options: width, height, timezone, locale, scheme ('light', 'dark'), motion ('reduce', 'no-preference'), forced ('active'), touch,
 * query (behind "?"), at (a path instead of the server's root), url (instead of the server's), who (the initials remembered), storage
 * (what localStorage holds), login ([name, password], sent when nginx asks for it), expect (a pattern of faults the test provokes), init (a script run before the page's), wait (false: do not
 * wait for the grid).
 */
function browserSuite() {
    const skip = browserMissing();
    if (!playwright && process.env.CI && process.env.CI !== 'false') throw new Error(`no page can be tested in CI: ${skip}`);
    let browser = null;
    after(async () => (await browser)?.close());

    return (name, ...rest) => {
        const body = rest.pop();
        const options = rest.pop() ?? {};
        test(name, {skip, timeout: TEST_LIMIT}, async (t) => {
            browser ??= launch();
            const {now = NOW, config = CONFIG, workers = 2, ...more} = options;
            const [server, chromium] = await Promise.all([startServer({config, workers, clock: true, ...more}), browser]);
            server.setClock(now);
            const planners = [];
            const endings = [];
            try {
                const open = async (asked = {}) => {
                    const planner = await openPlanner(chromium, server, asked);
                    planners.push(planner);
                    if (asked.wait !== false) await planner.ready();
                    return planner;
                };
                await body({server, open, t, finally: (ending) => endings.push(ending)});
                for (const planner of planners) await planner.settled();
            } catch (error) {
                await Promise.all(planners.map((planner, index) =>
                    planner.shot(`failed ${name.slice(0, 60)} ${index}`).catch(() => {})));
                const said = planners.flatMap((planner) => planner.faults);
                if (said.length > 0) error.message += `\nThe page said:\n  ${said.join('\n  ')}`;
                throw error;
            } finally {
                for (const planner of planners) planner.page.unwatched = true;
                await Promise.all(planners.map((planner) => planner.context.close().catch(() => {})));
                try {
                    for (const ending of endings) await ending();
                } finally {
                    await server.stop();
                }
            }
            assert.deepEqual(planners.flatMap((planner) => planner.faults), [], 'the page had nothing to complain of');
        });
    };
}

async function openPlanner(chromium, server, asked) {
    const {width = 1400, height = 900, timezone = 'Europe/Berlin', locale = 'en-GB', scheme = 'light', motion = 'reduce', forced = 'none',
        touch = false, query = '', at = '', url = server.url, who, storage = {}, login, expect, init} = asked;
    const context = await chromium.newContext({
        viewport: {width, height}, timezoneId: timezone, locale, colorScheme: scheme, reducedMotion: motion, forcedColors: forced,
        hasTouch: touch, isMobile: touch, deviceScaleFactor: 1, serviceWorkers: 'block', acceptDownloads: false,
        ...login && {httpCredentials: {username: login[0], password: login[1], origin: new URL(url).origin}},
    });
    context.setDefaultTimeout(STEP_LIMIT);
    await context.addInitScript(() => {
        addEventListener('securitypolicyviolation', (event) =>
            console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
    });
    /* Once a tab: what the page itself remembers afterwards is its own. */
    await context.addInitScript((entries) => {
        if (sessionStorage.getItem('prepared')) return;
        sessionStorage.setItem('prepared', 'yes');
        for (const [key, value] of entries) localStorage.setItem(key, value);
    }, Object.entries(who === undefined ? storage : {'procplan.who': JSON.stringify(who), ...storage}));
    if (init) await context.addInitScript(init);
    const page = await context.newPage();
    const faults = watch(page, new URL(url).origin, expect);
    const planner = new Planner(page, context, server, faults);
    await page.goto(`${url}${at}${query && `?${query}`}`, {waitUntil: 'domcontentloaded'});
    return planner;
}

module.exports = {CONFIG, HOUR_NOW, NOW, TODAY, browserMissing, browserSuite, chromiumPath, launch, openPlanner};
