/**
 * The calls this page makes. All addresses are relative, so the page works under any path. A call that fails throws a Trouble, whose
 * message is a sentence to be shown as it is.
 */

import { hourOf } from './time.js';

const PATIENCE_MS = 20_000;

/** `status` 0: there was no answer. An answer may name a field, or bookings that are in the way. */
export class Trouble extends Error {
	constructor(message, status = 0, { field = '', conflicts = /** @type {any[]} */ ([]) } = {}) {
		super(message);
		this.status = status;
		this.field = field;
		this.conflicts = conflicts.map((one) => ({ ...one, end: hourOf(one.end) }));
	}
}

/** A query string; null and '' are left out, a list is repeated. */
export function query(values) {
	const pairs = Object.entries(values).filter(([, value]) => value !== null && value !== '')
		.flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
	return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}

/* A header takes bytes, and a name may have any letters: UTF-8, each byte as one character. */
const bytesOf = (text) => String.fromCharCode(...new TextEncoder().encode(text));

export async function call(path, /** @type {{method?: string, body?: any, who?: string, key?: string, signal?: AbortSignal}} */
	{ method, body, who, key, signal } = {}) {
	const limit = AbortSignal.timeout(PATIENCE_MS);
	let response;
	try {
		response = await fetch(path, {
			method,
			headers: {
				...body && { 'Content-Type': 'application/json' },
				...who && { 'Procplan-User': bytesOf(who) },
				...key && { 'Idempotency-Key': key },
			},
			body: JSON.stringify(body),
			cache: 'no-cache',
			signal: signal ? AbortSignal.any([signal, limit]) : limit,
		});
	} catch {
		signal?.throwIfAborted();
		throw new Trouble(limit.aborted ? 'The server does not answer.' : 'The server cannot be reached.');
	}
	const answer = await response.json().catch(() => signal?.throwIfAborted());
	const { ok, status } = response;
	if (ok && answer) {
		return answer;
	}
	throw typeof answer?.error === 'string' ? new Trouble(answer.error.replace(/[.!?]?\s*$/, '.'), status, answer)
		: new Trouble([502, 504].includes(status) ? 'The web server is up, but the planner behind it is not.'
			: `The server's answer makes no sense to this page (${status}).`, status);
}
