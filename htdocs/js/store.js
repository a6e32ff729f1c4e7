/**
 * What is known, and the loop that keeps it fresh. Components read `state` and are told when it changed.
 *
 * Every 15 seconds, while somebody looks, the nodes are asked for again; their ETag is the state's revision,
 * so the week itself is fetched only when a booking somewhere has changed.
 */

import { getNodes, getWeek, Trouble } from './api.js';

const EVERY_MS = 15_000;
const AFTER_TROUBLE_MS = 5_000;

/**
 * @typedef {object} State
 * @property {number} week          first hour of the week that is shown
 * @property {object[]|null} nodes
 * @property {object[]|null} availability  null until this week's has come
 * @property {string} trouble       a sentence, or empty while all is well
 * @property {number} freshAt       when the data was last known to be right (ms), 0 for never
 */
export function createStore(week) {
    /** @type {State} */
    const state = { week, nodes: null, availability: null, trouble: '', freshAt: 0 };
    const listeners = [];
    let etag = null;
    let timer = 0;
    let running = null; /* the AbortController of the load that is under way */

    const tell = () => listeners.forEach((listener) => listener(state));

    async function load() {
        clearTimeout(timer);
        running?.abort();
        const mine = running = new AbortController();
        try {
            const answer = await getNodes(mine.signal);
            /* The week is read after the revision, so it is never older than the revision says. */
            if (!state.availability || !answer.etag || answer.etag !== etag) {
                const availability = await getWeek(state.week, mine.signal);
                etag = answer.etag;
                state.nodes = answer.nodes;
                state.availability = availability;
            }
            state.trouble = '';
            state.freshAt = Date.now();
        } catch (error) {
            if (mine.signal.aborted) {
                return;
            }
            if (!(error instanceof Trouble)) {
                console.error(error);
            }
            state.trouble = error instanceof Trouble ? error.message : 'The server\'s answer makes no sense to this page.';
        }
        running = null;
        tell();
        plan();
    }

    function plan() {
        clearTimeout(timer);
        if (document.visibilityState === 'visible') {
            timer = setTimeout(load, state.trouble ? AFTER_TROUBLE_MS : EVERY_MS);
        }
    }

    document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') {
            load();
        } else {
            clearTimeout(timer);
        }
    });
    addEventListener('online', load);

    return {
        state,
        refresh: load,
        /** Calls the listener after every change, and after every answer that brought none. */
        onChange(listener) {
            listeners.push(listener);
        },
        /** Turns to another week: its rows are empty until its bookings come. */
        show(next) {
            if (next !== state.week) {
                state.week = next;
                state.availability = null;
                tell();
            }
            return load();
        },
    };
}
