/**
 * The week as a table: a row per GPU, a bar per booking. The bars are one stop for the Tab key; arrows move
 * between them. `onBar(bar, button | null)` is told which bar is looked at, and null when none is.
 */

import { around, byId, classes, element } from './dom.js';
import { barName, countFree, freeNow, isPast, nearestBar, nodesOf } from './logic.js';
import { DAY, WEEK, daysOf } from './time.js';

/* Widths in px: a name that does not fit is cut with dots only where this much room is left, */
const CUT_FROM = 56;
const BARE_BELOW = 14; /* and under this one a bar says nothing. */
const HOVER_MS = 400;

export function mountWeek(onBar) {
    const root = byId('week');
    const now = element('div', { class: 'now', 'aria-hidden': 'true' });
    const ruler = document.createElement('canvas').getContext('2d');
    const textWidths = new Map();
    const barOf = new WeakMap(); /* button → { bar, row } */
    let rows = [];               /* the buttons of each GPU's row, in the order of the table */
    let drawnWeek = 0;
    let hourWidth = 0;           /* px */
    let looked = null;           /* the button whose card is shown */
    let isDrawing = false;
    let fonts = [];
    let hoverTimer = 0;

    function header(nodes, week, at, known) {
        const days = daysOf(week);
        const gpus = nodes.flatMap((node) => node.gpus);
        const dateRow = element('tr', { class: 'days' }, element('th', { scope: 'col' }, 'UTC'));
        const freeRow = element('tr', { class: 'free' }, element('th', { scope: 'row' },
            element('span', { class: 'free-title' }, 'free all day',
                element('span', { class: 'free-of' }, known && `of ${gpus.length}`))));
        for (const day of days) {
            const today = at >= day.start && at < day.end;
            const cell = element('td', { class: classes({ weekend: day.weekend }) });
            if (known && !isPast(day, at)) {
                const free = countFree(gpus, { start: Math.max(day.start, Math.floor(at)), end: day.end });
                cell.append(String(free));
                cell.classList.toggle('none', free === 0);
            }
            if (today && nodes.length > 0) {
                const dot = element('span', { class: 'now-dot', 'aria-hidden': 'true' });
                dot.style.left = `${(at - day.start) / DAY * 100}%`;
                cell.append(dot);
            }
            freeRow.append(cell);
            dateRow.append(element('th', {
                scope: 'col',
                class: classes({ today, weekend: day.weekend }),
                'aria-current': today && 'date',
            }, `${day.name} `, element('b', {}, String(day.day))));
        }
        return element('thead', {}, dateRow, freeRow);
    }

    function barButton(bar, week, at, row) {
        const button = element('button', {
            type: 'button',
            class: classes({
                bar: true,
                [bar.priority]: true,
                over: bar.to <= at,
                'from-before': bar.fromBefore,
                'goes-on': bar.goesOn,
                'joins-above': bar.joinsAbove,
                'joins-below': bar.joinsBelow,
            }),
            tabindex: '-1',
            'aria-label': barName(bar, week),
        });
        /* Bookings that touch in time must not touch on the page: a pixel on each side. */
        const left = (bar.from - week) / WEEK * 100;
        const width = (bar.to - bar.from) / WEEK * 100;
        button.style.left = `calc(${left}% + ${bar.fromBefore ? 0 : 1}px)`;
        button.style.width = `calc(${width}% - ${(bar.fromBefore ? 0 : 1) + (bar.goesOn ? 0 : 1)}px)`;
        if (!bar.joinsAbove) {
            button.append(element('span', { class: 'bar-label' }, element('bdi', {}, bar.who)));
        }
        barOf.set(button, { bar, row });
        fitLabel(button);
        return button;
    }

    function gpuRow(gpu, week, at, known, words) {
        const buttons = gpu.bars.map((bar) => barButton(bar, week, at, rows.length));
        const track = element('div', { class: 'track' }, ...buttons);
        if (words) {
            track.append(element('span', { class: 'track-words' }, words));
        } else if (buttons.length === 0) {
            track.append(element('span', { class: 'said' }, known ? 'free' : 'not known'));
        }
        rows.push(buttons);
        const id = element('bdi', { class: 'gpu-id', title: gpu.id },
            gpu.prefix && element('span', { class: 'gpu-prefix' }, gpu.prefix), gpu.rest);
        return element('tr', { class: 'gpu' },
            element('th', { scope: 'row' }, element('span', { class: 'gpu-text' },
                id, element('bdi', { class: 'gpu-kind', title: gpu.kind }, gpu.kind))),
            element('td', { colspan: '7' }, track));
    }

    /** "4 × A100, 2 × L40S"; each kind on its own, so that a right-to-left one does not turn the others round. */
    function kindWords(kinds) {
        return kinds.length === 0 ? ['no GPUs'] : kinds.flatMap(({ kind, count }, index) =>
            [`${index === 0 ? '' : ', '}${count} × `, element('bdi', {}, kind)]);
    }

    function nodeBody(node, week, at, known, words) {
        const band = element('tr', { class: 'band' }, element('th', { scope: 'rowgroup', colspan: '8' },
            element('span', { class: 'band-text' },
                element('bdi', { class: 'band-name', title: node.name === node.id ? node.id : `${node.name} (${node.id})` }, node.name),
                element('span', { class: 'band-kinds' }, ...kindWords(node.kinds)),
                element('span', { class: 'band-free' }, known ? freeNow(node, at, week) : ''))));
        return element('tbody', {}, band, ...node.gpus.map((gpu, index) => gpuRow(gpu, week, at, known, index === 0 ? words : '')));
    }

    /** Draws all of it. The bar that had the focus has it again, if it is still there. */
    function draw(state, at) {
        const { week, availability } = state;
        const known = availability !== null;
        const nodes = nodesOf(state.nodes ?? [], availability, week);
        const empty = known && nodes.every((node) => node.gpus.every((gpu) => gpu.bars.length === 0));
        let words = empty ? 'Nothing is booked this week.' : '';
        if (!known && state.trouble) {
            words = 'This week\'s bookings are not known.';
        }
        const focus = barOf.get(document.activeElement);
        const card = barOf.get(looked);
        measure();
        rows = [];
        const bodies = nodes.map((node) => {
            const body = nodeBody(node, week, at, known, words);
            words = node.gpus.length > 0 ? '' : words;
            return body;
        });
        drawnWeek = week;
        root.dataset.state = known ? 'known' : state.trouble ? 'unknown' : 'loading';
        root.setAttribute('aria-busy', String(!known && !state.trouble));
        isDrawing = true; /* what the focus does now is not the reader's doing */
        root.replaceChildren(element('table', {},
            element('caption', { class: 'said' }, 'Bookings of each GPU in this week, times in UTC'),
            element('colgroup', {}, element('col', { class: 'names' }), element('col', { span: '7' })),
            header(nodes, week, at, known), ...bodies), now);
        moveNow(at);
        const again = (was) => was && rows[was.row]?.find((button) => barOf.get(button).bar.id === was.bar.id);
        const stop = again(focus);
        setStop(stop ?? rows.find((buttons) => buttons.length > 0)?.[0]);
        stop?.focus({ preventScroll: true });
        isDrawing = false;
        look(again(card) ?? null);
        return nodes;
    }

    /** Moves the now line without drawing anything anew. */
    function moveNow(at) {
        const share = (at - drawnWeek) / WEEK;
        now.hidden = share < 0 || share >= 1;
        root.style.setProperty('--now', String(share));
        root.style.setProperty('--past', String(Math.min(1, Math.max(0, share))));
        const dot = /** @type {HTMLElement|null} */ (root.querySelector('.now-dot'));
        if (dot) {
            dot.style.left = `${(share * 7 % 1) * 100}%`;
        }
    }

    /** The width of an hour, from the root alone: the table itself need not have been laid out. */
    function measure() {
        const style = getComputedStyle(root);
        hourWidth = (root.clientWidth - parseFloat(style.getPropertyValue('--left'))) / WEEK;
        fonts = ['600 11px ', '600 10px '].map((font) => font + style.fontFamily);
    }

    /** The width of a text in px, without laying anything out. */
    function textWidth(text, font) {
        const key = `${font} ${text}`;
        if (!textWidths.has(key)) {
            ruler.font = font;
            textWidths.set(key, ruler.measureText(text).width);
        }
        return textWidths.get(key);
    }

    /** What a label can say in its bar's width: everything, that but set tighter, its letter only, nothing. */
    function fitLabel(button) {
        const { bar } = barOf.get(button);
        const width = (bar.to - bar.from) * hourWidth;
        const text = `${bar.who} ${bar.priority[0].toUpperCase()}`;
        const fits = width >= textWidth(text, fonts[0]) + 16;
        const fitsTight = fits || width >= textWidth(text, fonts[1]) + 8;
        button.classList.toggle('tight', !fits && width < CUT_FROM);
        button.classList.toggle('letter', !fitsTight && width < CUT_FROM);
        button.classList.toggle('bare', width < BARE_BELOW);
    }

    /** One bar is the Tab key's stop in the table. */
    function setStop(button) {
        root.querySelector('.bar[tabindex="0"]')?.setAttribute('tabindex', '-1');
        button?.setAttribute('tabindex', '0');
    }

    function light(bar) {
        for (const button of rows.flat()) {
            button.classList.toggle('lit', bar !== null && barOf.get(button).bar.id === bar.id);
        }
    }

    function look(button) {
        clearTimeout(hoverTimer);
        const found = barOf.get(button);
        if (!found && !looked) {
            light(null);
            return;
        }
        looked = found ? button : null;
        light(found?.bar ?? null);
        onBar(found?.bar ?? null, found ? button : null);
    }

    function neighbour(button, key) {
        const { bar, row } = barOf.get(button);
        const line = rows[row];
        const index = line.indexOf(button);
        switch (key) {
        case 'ArrowLeft': return line[index - 1];
        case 'ArrowRight': return line[index + 1];
        case 'Home': return line[0];
        case 'End': return line.at(-1);
        case 'ArrowUp':
        case 'ArrowDown': {
            const others = key === 'ArrowUp' ? rows.slice(0, row).reverse() : rows.slice(row + 1);
            const next = others.find((buttons) => buttons.length > 0);
            const nearest = next && nearestBar(next.map((one) => barOf.get(one).bar), bar);
            return next?.find((one) => barOf.get(one).bar === nearest);
        }
        default: return undefined;
        }
    }

    root.addEventListener('keydown', (event) => {
        if (!barOf.has(event.target) || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        if (!/^(Arrow|Home$|End$)/.test(event.key)) {
            return;
        }
        event.preventDefault();
        neighbour(event.target, event.key)?.focus();
    });
    root.addEventListener('focusin', (event) => {
        if (barOf.has(event.target)) {
            setStop(event.target);
            if (!isDrawing && around(event, '.bar:focus-visible')) {
                look(event.target);
            }
        }
    });
    root.addEventListener('focusout', () => isDrawing || look(null));
    document.addEventListener('keydown', (event) => event.key === 'Escape' && look(null));
    document.addEventListener('pointerdown', (event) => around(event, '.bar, .card') || look(null));
    root.addEventListener('click', (event) => look(around(event, '.bar')));
    root.addEventListener('pointerover', (event) => {
        const button = around(event, '.bar');
        clearTimeout(hoverTimer);
        if (button && event.pointerType === 'mouse') {
            light(barOf.get(button).bar);
            hoverTimer = setTimeout(look, HOVER_MS, button);
        }
    });
    root.addEventListener('pointerout', (event) => {
        const button = around(event, '.bar');
        if (button && event.pointerType === 'mouse' && document.activeElement !== button) {
            clearTimeout(hoverTimer);
            hoverTimer = setTimeout(look, 150, null);
        }
    });
    addEventListener('resize', () => {
        measure();
        rows.flat().forEach(fitLabel);
    });

    return { draw, moveNow, keepLooking: () => clearTimeout(hoverTimer), stopLooking: () => look(null) };
}
