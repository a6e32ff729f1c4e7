'use strict';
/*
 * A page with the planner on it, as a test speaks of it: GPUs are "node/gpu", hours count from 1970. Where things are on the screen comes
 * from what the grid says of itself (data-origin and its kin), so tests point at hours, not at pixels.
 */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {build, source} = require('../api/harness.js');

const axePath = () => [process.env.PROCPLAN_BUILD, build, path.join(source, 'build'), source].filter(Boolean)
    .map((folder) => path.join(folder, 'tests', 'node_modules', 'axe-core', 'axe.min.js')).find((file) => fs.existsSync(file));

const escaped = (text) => text.replace(/[\\"]/g, '\\$&');

class Planner {
    constructor(page, context, server, faults) {
        Object.assign(this, {page, context, server, faults});
        this.grid = page.locator('#grid');
        this.booking = page.locator('#booking');
        this.details = page.locator('#details');
        this.toast = page.locator('#toast');
        this.outline = page.locator('#outline');
    }

    /* The grid has its data, the page has drawn it, and all its parts listen. */
    async ready() {
        await this.page.locator('body[data-state="ready"]').waitFor();
        await this.page.locator('#grid[data-state="ready"]').waitFor();
        await this.drawn();
    }

    /* Two frames: what was asked for has been drawn. */
    async drawn() {
        await this.page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
    }

    /* Waits until CHECK, which may be asynchronous, gives something true, and gives that. */
    async until(check, what, limit = 20_000) {
        const deadline = Date.now() + limit;
        for (;;) {
            const found = await check();
            if (found) return found;
            if (Date.now() > deadline) throw new Error(`waited ${limit} ms in vain: ${what}`);
            await this.page.waitForTimeout(25);
        }
    }

    /* What runs of its own accord has run: nothing may be thrown between a test's last look and its end. */
    async settled() {
        if (!this.page.isClosed()) await this.drawn();
    }

    /* -- where things are -------------------------------------------------------------------------------------- */

    /* The grid's measures. `x(hour)` is a pixel of the window. */
    async measures() {
        const {origin, width, left, head, scroll, rect} = await this.grid.evaluate((grid) => {
            const {x, y, width: w, height: h} = grid.getBoundingClientRect();
            const {origin: from, hourWidth, left: column, head: header} = grid.dataset;
            return {
                origin: Number(from), width: Number(hourWidth), left: Number(column), head: Number(header),
                scroll: grid.scrollLeft, rect: {x, y, width: w, height: h, clientWidth: grid.clientWidth, clientHeight: grid.clientHeight},
            };
        });
        const zero = rect.x + left - scroll;
        return {
            origin, width, left, head, rect,
            x: (hour) => zero + (hour - origin) * width,
            hour: (x) => origin + (x - zero) / width,
            from: origin + scroll / width,
            to: origin + (scroll + rect.clientWidth - left) / width,
        };
    }

    row(gpu) {
        return this.page.locator(`#grid [role="row"][data-gpu="${escaped(gpu)}"]`);
    }

    band(node) {
        return this.page.locator(`#grid .band[data-node="${escaped(node)}"]`);
    }

    /* Scrolls until the hours FROM to TO and the row are in view. */
    async show(gpu, from, to = from + 1) {
        const at = await this.measures();
        if (from < at.from || to > at.to) {
            await this.grid.evaluate((grid, left) => { grid.scrollLeft = left; }, (from - at.origin - 12) * at.width);
            await this.drawn();
        }
        const {y, height} = await this.row(gpu).boundingBox();
        const top = at.rect.y + at.head;
        const bottom = at.rect.y + at.rect.clientHeight;
        if (y < top || y + height > bottom) {
            await this.grid.evaluate((grid, by) => { grid.scrollTop += by; }, y < top ? y - top - 40 : y + height - bottom + 40);
            await this.drawn();
        }
    }

    /* The middle of an hour (or, with a fraction, any moment) in a row. */
    async point(gpu, hour) {
        const at = await this.measures();
        const box = await this.row(gpu).boundingBox();
        assert.ok(box, `there is a row ${gpu}`);
        return {x: at.x(Number.isInteger(hour) ? hour + 0.5 : hour), y: box.y + box.height / 2};
    }

    /* -- gestures ---------------------------------------------------------------------------------------------- */

    /* From one cell to another: [gpu, hour] each. `hold` leaves the button down. */
    async drag(from, to, {steps = 8, hold = false, modifiers = []} = {}) {
        await this.show(from[0], Math.min(from[1], to[1]), Math.max(from[1], to[1]) + 1);
        const start = await this.point(...from);
        const end = await this.point(...to);
        await this.page.mouse.move(start.x, start.y);
        for (const key of modifiers) await this.page.keyboard.down(key);
        await this.page.mouse.down();
        await this.page.mouse.move(end.x, end.y, {steps});
        await this.drawn();
        if (!hold) {
            await this.page.mouse.up();
            for (const key of modifiers) await this.page.keyboard.up(key);
        }
    }

    async click(gpu, hour) {
        await this.show(gpu, hour);
        const {x, y} = await this.point(gpu, hour);
        await this.page.mouse.click(x, y);
    }

    /* A finger that rests, and then moves; or, with `rest` 0, one that swipes. */
    async touchDrag(from, to, {rest = 700, steps = 8} = {}) {
        await this.show(from[0], Math.min(from[1], to[1]), Math.max(from[1], to[1]) + 1);
        const start = await this.point(...from);
        const end = await this.point(...to);
        const client = await this.context.newCDPSession(this.page);
        const touch = (type, point) => client.send('Input.dispatchTouchEvent', {type, touchPoints: point ? [point] : []});
        await touch('touchStart', start);
        if (rest > 0) await this.page.waitForTimeout(rest); /* the gesture itself: there is nothing to wait for */
        for (let i = 1; i <= steps; i++) {
            await touch('touchMove', {x: start.x + (end.x - start.x) * i / steps, y: start.y + (end.y - start.y) * i / steps});
            await this.drawn();
        }
        await touch('touchEnd');
        await client.detach();
    }

    async tap(gpu, hour) {
        await this.show(gpu, hour);
        const {x, y} = await this.point(gpu, hour);
        await this.page.touchscreen.tap(x, y);
    }

    async press(...keys) {
        for (const key of keys) await this.page.keyboard.press(key);
    }

    /* The cell that has the grid's one tab stop gets the focus. */
    async enterGrid() {
        await this.page.locator('#grid [role="gridcell"][tabindex="0"]').focus();
        return this.cell();
    }

    /* The cell that has the focus: {gpu, hour, label}; null when none has. */
    async cell() {
        await this.drawn();
        return this.page.evaluate(() => {
            const cell = document.activeElement?.closest('[role="gridcell"]');
            const row = cell?.closest('[role="row"]');
            return cell && row ? {gpu: row.dataset.gpu, hour: Number(cell.dataset.hour), label: cell.getAttribute('aria-label') ?? cell.textContent} : null;
        });
    }

    /* Moves the focus to a cell by arrow keys alone. */
    async walkTo(gpu, hour) {
        const at = await this.enterGrid();
        const rows = await this.grid.evaluate((grid) => [...grid.querySelectorAll('[role="row"][data-gpu]')].map((row) => row.dataset.gpu));
        for (let guard = 0; guard < 60; guard++) {
            const {gpu: row, hour: where} = await this.cell() ?? at;
            if (row !== gpu) await this.press(rows.indexOf(row) < rows.indexOf(gpu) ? 'ArrowDown' : 'ArrowUp');
            else if (where !== hour) await this.press(where < hour ? 'ArrowRight' : 'ArrowLeft');
            else return;
        }
        throw new Error(`the arrows do not lead to ${gpu} ${hour}: ${JSON.stringify(await this.cell())}`);
    }

    /* -- what is shown ----------------------------------------------------------------------------------------- */

    bar(id) {
        return this.page.locator(`#grid .bar[data-id="${id}"]`);
    }

    /* The bars as hours: [{id, start, end, rows, text, classes}], by id and place; rows are "node/gpu". */
    async bars(selector = '.bar') {
        const at = await this.measures();
        const found = await this.grid.evaluate((grid, wanted) => {
            const rows = [...grid.querySelectorAll('[role="row"][data-gpu]')].map((row) => ({gpu: row.dataset.gpu, box: row.getBoundingClientRect()}));
            return [...grid.querySelectorAll(wanted)].map((bar) => {
                const {x, y, width, height} = bar.getBoundingClientRect();
                const covered = rows.filter(({box}) => box.y + box.height / 2 > y && box.y + box.height / 2 < y + height);
                return {id: Number(bar.dataset.id ?? bar.dataset.number), x, y, width, rows: covered.map(({gpu}) => gpu), text: [...bar.querySelectorAll('.label > *')].map((part) => part.textContent).join(' '), classes: [...bar.classList]};
            });
        }, selector);
        /* Bars keep a pixel's distance from the next. */
        return found.map(({x, width, y, ...bar}) => ({...bar, y, start: at.hour(x - 1), end: at.hour(x + width + 1)}))
            .sort((a, b) => a.id - b.id || a.y - b.y);
    }

    /* The bars of a booking, once there are some (or, with `gone`, none). */
    async barsOf(id) {
        await this.bar(id).first().waitFor();
        return (await this.bars()).filter((bar) => bar.id === id);
    }

    /* The selection: {start, end, rows}, in whole hours, or null. */
    async selected() {
        const [outline] = (await this.outline.isVisible()) ? await this.bars('#outline') : [];
        return outline ? {start: Math.round(outline.start), end: Math.round(outline.end), rows: outline.rows} : null;
    }

    /* Reads an input of the booking card by its name. */
    async field(name) {
        return this.booking.locator(`[name="${name}"]`).first().inputValue();
    }

    async fill(name, value) {
        const field = this.booking.locator(`[name="${name}"]`).first();
        if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption(value);
        else await field.fill(value);
    }

    async toastSays(pattern) {
        await this.until(async () => (await this.toast.isVisible()) && pattern.test(await this.toast.innerText()), `the message says ${pattern}`)
            .catch(async (error) => {
                throw new Error(`${error.message}; it says ${JSON.stringify(await this.toast.innerText().catch(() => null))}`);
            });
    }

    /* The search part of the address, as an object; waits until PROVE accepts it. */
    async address(prove = () => true) {
        return this.until(() => {
            const search = Object.fromEntries(new URL(this.page.url()).searchParams);
            return prove(search) ? search : null;
        }, `the address bar says so (it says ${this.page.url()})`);
    }

    /* Answers to what PATTERN names are held back until the function that it gives is called. */
    async hold(pattern) {
        const held = [];
        await this.page.route(pattern, (route) => { held.push(route); });
        return async () => {
            await this.page.unroute(pattern);
            await Promise.all(held.map((route) => route.continue().catch(() => {}))); /* the page may have given it up */
        };
    }

    /* -- looks ------------------------------------------------------------------------------------------------- */

    /* What axe-core finds; its source comes by the debugger's protocol, past our Content-Security-Policy. */
    async axe(where) {
        await this.page.evaluate(fs.readFileSync(axePath(), 'utf8'));
        const found = await this.page.evaluate(async () => {
            const {violations} = await globalThis.axe.run(document, {
                resultTypes: ['violations'],
                runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']},
            });
            return violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.slice(0, 5)
                .map((node) => `${node.target.join(' ')} (${node.any.concat(node.all, node.none).map((check) => check.message).join('; ')})`).join(' | ')}`);
        });
        assert.deepEqual(found, [], `axe finds nothing in ${where}`);
    }

    /* Nothing is cut off at the right: the page itself does not scroll sideways. */
    async fits() {
        const {wide, window, stick} = await this.page.evaluate(() => ({
            wide: document.documentElement.scrollWidth, window: innerWidth,
            stick: [...document.querySelectorAll('button, input, select, a')].filter((one) => {
                const box = one.getBoundingClientRect();
                return one.checkVisibility({visibilityProperty: true}) && box.width > 0 && !one.closest('#grid') &&
                    (box.right > innerWidth + 1 || box.left < -1) && box.bottom > 0 && box.top < innerHeight;
            }).map((one) => one.id || one.outerHTML.slice(0, 80)),
        }));
        assert.ok(wide <= window, `the page is ${wide} wide in a window of ${window}`);
        assert.deepEqual(stick, [], 'no control sticks out of the window');
    }

    /* A picture for people, where they asked for some. */
    async shot(name) {
        const folder = process.env.PROCPLAN_SHOTS;
        if (!folder) return;
        fs.mkdirSync(folder, {recursive: true});
        await this.page.screenshot({path: path.join(folder, `${name.replace(/[^\w.-]+/g, '-')}.png`)});
    }
}

module.exports = {Planner};
