/**
 * The calls this page makes. All addresses are relative, so the page works under any path.
 * A call that fails throws a Trouble with a sentence that can be shown as it is.
 */

import { WEEK, stampOf } from './time.js';

const PATIENCE_MS = 20_000;

export class Trouble extends Error {}

async function call(path, options, signal) {
    let response;
    try {
        response = await fetch(path, {
            credentials: 'same-origin',
            ...options,
            signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
        });
    } catch (error) {
        signal.throwIfAborted(); /* the reader went on to another week: no trouble at all */
        throw new Trouble(error.name === 'TimeoutError' ? 'The server does not answer.' : 'The server cannot be reached.');
    }
    let body = null;
    try {
        body = await response.json();
    } catch {
        signal.throwIfAborted();
    }
    if (response.ok && body !== null) {
        return { body, etag: response.headers.get('ETag') };
    }
    if (typeof body?.error === 'string') {
        throw new Trouble(`The server says: ${body.error.replace(/[.!?]?\s*$/, '.')}`);
    }
    throw new Trouble([502, 504].includes(response.status)
        ? 'The web server is up, but the planner behind it is not.'
        : `The server's answer makes no sense to this page (${response.status}).`);
}

/**
 * The nodes, and the ETag, which moves with every change to any booking. `no-cache` has the browser ask with
 * If-None-Match each time: while nothing changes, the answer is an empty 304.
 */
export async function getNodes(signal) {
    const { body, etag } = await call('api/nodes', { cache: 'no-cache' }, signal);
    /* A compressed answer's tag is weak, the 304's that follows is not: the revision is the same. */
    return { nodes: body.nodes, etag: etag && etag.replace(/^W\//, '') };
}

/** Who holds which GPU in the week that starts at this hour, one entry per node. */
export async function getWeek(week, signal) {
    const { body } = await call('api/availability_bulk', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ granularity: 'day', start: stampOf(week), end: stampOf(week + WEEK) }),
    }, signal);
    return body.availability;
}
