/**
 * The calls this page makes. All addresses are relative, so the page works under any path. A call that fails throws a Trouble, whose
 * message is a sentence to be shown as it is.
 */

import { hourOf } from './time.js';

const PATIENCE_MS = 20_000;

export class Trouble extends Error {
	constructor(message, body = {}, status = 0) {
		super(message);
		this.status = status; /* 0: there was no answer */
		this.field = body.field ?? '';
		this.limit = body.limit ?? '';
		/** @type {{gpu_id: string, booking_id: number|null, user_label: string, start: number, end: number}[]} */
		this.conflicts = (body.conflicts ?? []).map((one) =>
			({ ...one, start: hourOf(one.start), end: hourOf(one.end) }));
	}
}

/** A query string; null and '' are left out, a list is repeated. */
export function query(values) {
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(values)) {
		for (const one of Array.isArray(value) ? value : [value]) {
			if (one !== null && one !== '') {
				search.append(name, String(one));
			}
		}
	}
	return search.size > 0 ? `?${search}` : '';
}

/* A header takes bytes, and a name may have any letters: UTF-8, each byte as one character. */
const bytesOf = (text) => String.fromCharCode(...new TextEncoder().encode(text));

/**
 * @param {string} path
 * @param {{method?: string, body?: any, who?: string, key?: string, signal?: AbortSignal}} [options]
 */
export async function call(path, { method = 'GET', body, who = '', key = '', signal } = {}) {
	/** @type {Record<string, string>} */
	const headers = {};
	if (method !== 'GET') {
		headers['Content-Type'] = 'application/json';
		Object.assign(headers, who && { 'Procplan-User': bytesOf(who) }, key && { 'Idempotency-Key': key });
	}
	let response;
	try {
		const limit = AbortSignal.timeout(PATIENCE_MS);
		response = await fetch(path, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: 'same-origin',
			cache: 'no-cache',
			signal: signal ? AbortSignal.any([signal, limit]) : limit,
		});
	} catch (error) {
		signal?.throwIfAborted();
		throw new Trouble(/** @type {Error} */ (error).name === 'TimeoutError' ? 'The server does not answer.' : 'The server cannot be reached.');
	}
	let answer = null;
	try {
		answer = await response.json();
	} catch {
		signal?.throwIfAborted();
	}
	if (response.ok && answer !== null) {
		return answer;
	}
	if (typeof answer?.error === 'string') {
		throw new Trouble(answer.error.replace(/[.!?]?\s*$/, '.'), answer, response.status);
	}
	throw new Trouble([502, 504].includes(response.status)
		? 'The web server is up, but the planner behind it is not.'
		: `The server's answer makes no sense to this page (${response.status}).`, {}, response.status);
}
