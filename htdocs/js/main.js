/** Wiring: the address says which week, the store knows it, the components show it. */

import { mountCard } from './card.js';
import { byId, element, setText } from './dom.js';
import { bookCommand } from './logic.js';
import { createStore } from './store.js';
import { WEEK, clockOf, dateOf, hoursOf, mondayOf, parseDate, rangeOf, weekNumber } from './time.js';
import { mountWeek } from './week.js';

const NOW_LINE_MS = 10_000;
const GOOD_NEWS_MS = 4_000;

const now = () => hoursOf(Date.now());
const thisWeek = () => mondayOf(now());
/** The week the address asks for; without a date, or with one that is none, the one we are in. */
const weekAsked = () => {
    const hour = parseDate(new URLSearchParams(location.search).get('date'));
    return hour === null ? thisWeek() : mondayOf(hour);
};

const store = createStore(weekAsked());
const card = mountCard((inside) => (inside ? week.keepLooking() : week.stopLooking()));
const week = mountWeek((bar, button) => card.show(bar, button, store.state.week, now()));
let shown = {};
let wasLost = false;

function drawTop(state) {
    const { days, year } = rangeOf(state.week);
    const here = state.week === thisWeek();
    byId('range').replaceChildren(days, element('span', { class: 'year' }, ` ${year}`));
    setText(byId('week-number'), `W${weekNumber(state.week)}`);
    byId('earlier').setAttribute('href', `?date=${dateOf(state.week - WEEK)}`);
    byId('later').setAttribute('href', `?date=${dateOf(state.week + WEEK)}`);
    byId('today').toggleAttribute('aria-current', here);
    document.title = `ProcPlan · ${days} ${year}`;
}

function drawLive(state) {
    const word = state.trouble ? ['lost', 'Reconnecting'] : state.availability ? ['live', 'Live'] : ['loading', 'Loading'];
    byId('live').dataset.state = word[0];
    setText(byId('live-word'), word[1]);
}

function notice(text, isBad) {
    const line = byId('notice');
    if (line.firstElementChild?.firstChild?.textContent === text) {
        return;
    }
    line.replaceChildren();
    if (text) {
        const retry = element('button', { class: 'button', type: 'button' }, 'Try again');
        retry.addEventListener('click', () => store.refresh());
        line.append(element('div', { class: isBad ? 'notice-line bad' : 'notice-line' }, element('span', {}, text), isBad ? retry : null));
    }
}

function drawNotice(state) {
    if (state.trouble) {
        notice(state.freshAt && state.availability
            ? `${state.trouble} What you see is from ${clockOf(state.freshAt)} UTC. Trying again every few seconds.`
            : `${state.trouble} Trying again every few seconds.`, true);
    } else if (wasLost) {
        notice('Connected again.', false);
        setTimeout(() => store.state.trouble || notice('', false), GOOD_NEWS_MS);
    }
    wasLost = Boolean(state.trouble);
}

function drawShell(nodes, isEmpty) {
    const command = bookCommand(nodes, new URL('api/book', document.baseURI).href, now());
    const shell = /** @type {HTMLDetailsElement} */ (byId('shell'));
    shell.hidden = command === '';
    setText(byId('command'), command);
    byId('copy').hidden = !navigator.clipboard;
    if (isEmpty && !shell.dataset.seen) { /* the first look at an empty planner: show what to do next */
        shell.open = true;
    }
    shell.dataset.seen = 'yes';
}

/** Draws what has changed: all of the table when bookings, week or hour did, else just the now line. */
function draw(state) {
    const hour = Math.floor(now());
    drawTop(state);
    drawLive(state);
    drawNotice(state);
    const next = { availability: state.availability, week: state.week, hour, trouble: Boolean(state.trouble) };
    if (Object.keys(next).every((name) => shown[name] === next[name])) {
        week.moveNow(now());
        return;
    }
    shown = next;
    const nodes = week.draw(state, now());
    if (state.availability) {
        drawShell(nodes, nodes.every((node) => node.gpus.every((gpu) => gpu.bars.length === 0)));
    }
}

function goTo(href) {
    if (href === location.href) {
        store.refresh();
        return;
    }
    history.pushState(null, '', href);
    week.stopLooking();
    store.show(weekAsked());
}

for (const id of ['today', 'earlier', 'later']) {
    byId(id).addEventListener('click', (event) => {
        if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
            event.preventDefault();
            goTo(/** @type {HTMLAnchorElement} */ (byId(id)).href);
        }
    });
}
addEventListener('popstate', () => store.show(weekAsked()));
byId('refresh').addEventListener('click', () => store.refresh());
byId('copy').addEventListener('click', async () => {
    await navigator.clipboard.writeText(byId('command').textContent);
    setText(byId('copy'), 'Copied');
    setTimeout(setText, GOOD_NEWS_MS, byId('copy'), 'Copy');
});
/* What sticks to the top of the page sticks below the notice. */
new ResizeObserver(() => {
    document.documentElement.style.setProperty('--notice', `${byId('notice').offsetHeight}px`);
}).observe(byId('notice'));

/* A page left open goes on to the next week by itself, unless its address names one. */
setInterval(() => {
    if (document.visibilityState !== 'visible') {
        return;
    }
    if (weekAsked() === store.state.week) {
        draw(store.state);
    } else {
        store.show(weekAsked());
    }
}, NOW_LINE_MS);

store.onChange(draw);
draw(store.state);
store.refresh();
