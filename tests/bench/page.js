'use strict';
/*
 * make bench, third part: how fast the page is in Chromium, with 1,000 GPUs and 20,000 bookings in a year and with ten times that.
 *
 * From navigation (nothing cached, over loopback, in a window that has been open for a second) until the frame after the one that has
 * the grid with its bars; how many elements there are; the frames a second while a gesture scrolls at 2,400 pixels a second, as the page itself sees them (requestAnimationFrame), how many
 * took longer than 25 ms, the longest, and in how many the middle of the grid had no row under it; the processor time of the page's main
 * thread for a screenful of scrolling, which a loaded machine blurs less; the heap afterwards. Beside them the figures of the original's page
 * with 1,000 GPUs, and of a page with nothing on it but a gradient, scrolled the same way in the same minutes: what this machine can show
 * at all. Medians; nothing here passes or fails. Chromium draws without a graphics card.
 *
 * PROCPLAN_BENCH_PAGE_GPUS (1000,10000; in eights) and PROCPLAN_BENCH_ROUNDS (5) change what is measured.
 */
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const {source} = require('../api/harness.js');
const {browserMissing, launch} = require('../browser/harness.js');
const {withFilledServer} = require('./filled.js');

const SIZES = (process.env.PROCPLAN_BENCH_PAGE_GPUS || '1000,10000').split(',').map(Number);
const ROUNDS = Number(process.env.PROCPLAN_BENCH_ROUNDS || 5);
const BOOKINGS_A_GPU = 20;
const DENSITY = 60;
const DAYS_AHEAD = 120;
const ORIGINAL = {gpus: 1000, first: 40_000, elements: 545_000, frames: 11};
const AIMS = {1000: 500, 10_000: 1500};
const VIEW = {width: 1400, height: 900};
const SCROLL = {distance: 7200, speed: 2400};
const PATIENCE = 120_000;
const OPENING = 1000; /* ms */

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/* Runs in the page before its scripts: notes when the grid with its bars has been on the screen. */
function noteFirstGrid() {
    const look = () => {
        if (document.querySelector('#grid[data-state="ready"] .bar')) requestAnimationFrame((now) => { globalThis.firstGrid = now; });
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}

/* Runs in the page: gathers the intervals between frames until it is stopped. */
function watchFrames() {
    const grid = document.querySelector('#grid');
    const box = grid.getBoundingClientRect();
    const watched = {intervals: [], empty: 0};
    let last = performance.now();
    let running = true;
    const frame = (now) => {
        watched.intervals.push(now - last);
        last = now;
        if (!document.elementFromPoint(box.x + 30, box.y + box.height / 2)?.closest('[role="row"]')) watched.empty++;
        if (running) requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => {
        last = now;
        requestAnimationFrame(frame);
    });
    globalThis.stopFrames = () => {
        running = false;
        return watched;
    };
}

/* Seconds of processor time that the page's main thread has taken so far. */
async function workSeconds(client) {
    const {metrics} = await client.send('Performance.getMetrics');
    return metrics.find(({name}) => name === 'ThreadTime').value;
}

async function scroll(page, client, direction) {
    const {x, y, width, height} = await page.locator('#grid').boundingBox();
    await page.evaluate(watchFrames);
    const before = await workSeconds(client);
    await client.send('Input.synthesizeScrollGesture', {
        x: x + width / 2, y: y + height / 2, [direction === 'down' ? 'yDistance' : 'xDistance']: -SCROLL.distance, speed: SCROLL.speed,
        gestureSourceType: 'mouse', preventFling: true,
    });
    const work = (await workSeconds(client) - before) * 1000;
    const {intervals, empty} = await page.evaluate(() => globalThis.stopFrames());
    const took = intervals.reduce((sum, one) => sum + one, 0);
    return {
        frames: intervals.length * 1000 / took, long: intervals.filter((one) => one > 25).length, worst: Math.max(...intervals),
        count: intervals.length, empty, work: work * (direction === 'down' ? VIEW.height : VIEW.width) / SCROLL.distance,
    };
}

async function withPage(browser, body) {
    const context = await browser.newContext({viewport: VIEW, deviceScaleFactor: 1});
    try {
        const page = await context.newPage();
        const client = await context.newCDPSession(page);
        await client.send('Performance.enable');
        return await body(page, client, context);
    } finally {
        await context.close();
    }
}

const round = (browser, url) => withPage(browser, async (page, client, context) => {
    await context.addInitScript(noteFirstGrid);
    page.on('pageerror', (error) => console.error(String(error)));
    await page.waitForTimeout(OPENING); /* a new window keeps the browser itself busy, which somebody who follows a link does not wait for */
    await page.goto(url, {waitUntil: 'commit'});
    await page.waitForFunction(() => globalThis.firstGrid !== undefined, null, {timeout: PATIENCE});
    const first = await page.evaluate(() => globalThis.firstGrid);
    const loading = await workSeconds(client) * 1000;
    await page.waitForTimeout(300); /* what comes after it is over */
    const elements = await page.evaluate(() => document.querySelectorAll('*').length);
    const down = await scroll(page, client, 'down');
    const right = await scroll(page, client, 'right');
    const elementsAfter = await page.evaluate(() => document.querySelectorAll('*').length);
    await client.send('HeapProfiler.collectGarbage');
    const {usedSize} = await client.send('Runtime.getHeapUsage');
    return {first, loading, elements: Math.max(elements, elementsAfter), down, right, heap: usedSize};
});

/* What this machine can show at all. */
const yardstick = (browser) => withPage(browser, async (page, client) => {
    await page.setContent('<body style="margin: 0"><div id="grid" style="height: 100vh; overflow: auto">' +
        '<div role="row" style="width: 60000px; height: 60000px; background: linear-gradient(#fff, #ccc)"></div></div>');
    return {down: await scroll(page, client, 'down'), right: await scroll(page, client, 'right')};
});

/* -- what is printed ------------------------------------------------------------------------------------------ */

const line = (...cells) => console.log(cells.map((cell, index) => (index === 0 ? String(cell).padEnd(30) : String(cell).padStart(22))).join(''));
const whole = (number) => Math.round(number).toLocaleString('en');

function pageBytes() {
    const folder = path.join(source, 'htdocs');
    const files = fs.readdirSync(folder, {recursive: true}).map(String)
        .filter((file) => /\.(html|css|js|svg)$/.test(file) && !file.startsWith('img'));
    const bytes = files.map((file) => fs.readFileSync(path.join(folder, file)));
    return {
        files: files.length, plain: bytes.reduce((sum, one) => sum + one.length, 0),
        packed: bytes.reduce((sum, one) => sum + zlib.gzipSync(one, {level: 1}).length, 0),
    };
}

function print(results) {
    const of = (read) => results.map(({rounds}) => median(rounds.map(read)));
    const frames = (direction, key) => {
        const pick = (rounds, what) => median(rounds.map((one) => one[direction][what]));
        const cell = (rounds) => `${pick(rounds, 'frames').toFixed(1)} (${pick(rounds, 'long')} of ${pick(rounds, 'count')} long)`;
        return key ? [...results.map(({rounds}) => pick(rounds, key)), pick(results.flatMap((one) => one.blank), key)].map(Math.round)
            : [...results.map(({rounds}) => cell(rounds)), cell(results.flatMap((one) => one.blank))];
    };
    const {files, plain, packed} = pageBytes();
    console.log(`\nthe page in Chromium, ${VIEW.width} × ${VIEW.height}, medians of ${ROUNDS}; its ${files} files: ${whole(plain)} bytes, ` +
        `${whole(packed)} by gzip -1 (aim: under 100,000 before)`);
    line('', ...results.map(({gpus}) => `${whole(gpus)} GPUs`), 'a blank page', `original, ${whole(ORIGINAL.gpus)}`);
    line('bookings in the year', ...results.map(({gpus}) => whole(gpus * BOOKINGS_A_GPU)));
    line('first grid, ms', ...of((one) => one.first).map((ms, index) => {
        const aim = AIMS[results[index].gpus];
        return `${whole(ms)}${aim ? ` (aim ${whole(aim)})` : ''}`;
    }), '', whole(ORIGINAL.first));
    line('  work of the main thread, ms', ...of((one) => one.loading).map(whole));
    line('elements, at most', ...of((one) => one.elements).map((count) => `${whole(count)} (aim 5,000)`), '', whole(ORIGINAL.elements));
    for (const direction of ['down', 'right']) {
        line(`frames a second, ${direction}`, ...frames(direction), direction === 'down' ? ORIGINAL.frames : '');
        line('  longest frame, ms', ...frames(direction, 'worst'));
        line('  work for a screenful, ms', ...frames(direction, 'work'));
        line('  frames with an empty middle', ...frames(direction, 'empty').slice(0, -1));
    }
    line('heap, MB', ...of((one) => one.heap / 1e6).map((mb) => mb.toFixed(1)));
}

async function main() {
    const missing = browserMissing();
    if (missing) {
        console.log(`the page is not measured: ${missing}`);
        return;
    }
    const results = [];
    for (const gpus of SIZES) {
        await withFilledServer({gpus, bookings: gpus * BOOKINGS_A_GPU, density: DENSITY, ahead: DAYS_AHEAD, workers: 2}, async (server) => {
            const browser = await launch();
            try {
                await round(browser, server.url); /* warm */
                const [rounds, blank] = [[], []];
                for (let i = 0; i < ROUNDS; i++) {
                    rounds.push(await round(browser, server.url));
                    blank.push(await yardstick(browser));
                }
                results.push({gpus, rounds, blank});
            } finally {
                await browser.close();
            }
        });
    }
    print(results);
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
