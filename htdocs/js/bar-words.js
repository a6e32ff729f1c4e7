/** Words for the bar, the filters, Find and the shell: pure. */

import {
	DAY, MONTHS, WEEK, WEEKDAYS, dateAt, lengthOf, midnightOf, mondayOf, parseDay, stampOf, weekNumber, weekdayOf,
} from './time.js';

/** What ‹ and › move by. */
export const STEPS = { hours: [DAY, 'a day'], days: [WEEK, 'a week'], weeks: [4 * WEEK, 'four weeks'] };

/** "23 – 29 Nov 2026", "28 Dec 2026 – 10 Jan 2027", "Mon 23 Nov 2026": the days of a window. */
export function rangeText(start, end) {
	const [a, b] = [dateAt(start), dateAt(end - 1)];
	const parts = (at, count = 3) => [at.getUTCDate(), MONTHS[at.getUTCMonth()], at.getUTCFullYear()].slice(0, count).join(' ');
	const count = a.getUTCFullYear() !== b.getUTCFullYear() ? 3 : a.getUTCMonth() !== b.getUTCMonth() ? 2 : 1;
	return parts(a) === parts(b) ? `${WEEKDAYS[weekdayOf(start)]} ${parts(a)}` : `${parts(a, count)} – ${parts(b)}`;
}

/** "week 48", "weeks 48 – 51". */
export function weeksText(start, end) {
	const [a, b] = [start, end - 1].map(weekNumber);
	return mondayOf(start) === mondayOf(end - 1) ? `week ${a}` : `weeks ${a} – ${b}`;
}

/** What fits into a small round button: "AB", "ada lovelace" → "AL", "somebody" → "so". */
export function initialsOf(label) {
	const letters = (text, count = 1) => /^[ -~]*$/.test(text) ? text.slice(0, count) /* the other way costs its first caller 40 ms */
		: [...new Intl.Segmenter().segment(text)].slice(0, count).map((one) => one.segment).join('');
	const [first, second] = label.split(/[\s._@-]+/u).filter(Boolean);
	return letters(label, 3) === label ? label : second ? letters(first) + letters(second) : letters(first ?? label, 2);
}

/** "gpu0–3, gpu6": names that count up are said together. */
export function gpuList(gpus) {
	const runs = /** @type {any[]} */ ([]);
	for (const { short } of gpus) {
		const [, stem, digits] = /^(.*?)(\d{0,9})$/su.exec(short) ?? ['', short, ''];
		const run = runs.at(-1);
		if (digits && run?.stem === stem && run.next === Number(digits)) {
			run.last = `–${digits}`;
			run.next++;
		} else {
			runs.push({ first: short, last: '', stem, next: Number(digits) + 1 });
		}
	}
	return runs.map((run) => run.first + run.last).join(', ');
}

/** "All nodes", "atlas", "3 of 60 nodes". `shown` names what is shown, null for all. */
export function choiceText(word, all, shown) {
	const some = shown && all.filter((one) => shown.includes(one.id));
	return !some ? `All ${word}` : some.length === 1 ? some[0].name : `${some.length || 'None'} of ${all.length} ${word}`;
}

/** The first hour that Find looks at; 0: from now on; null: nobody said. */
export function afterOf(from, day, now) {
	return from === 'tomorrow' ? midnightOf(now) + DAY : from === 'monday' ? mondayOf(now) + WEEK : from === 'date' ? parseDay(day) : 0;
}

/** "now", "in 5 h", "in 1 d 21 h". */
export const inText = (start, now) => start <= now ? 'now' : `in ${lengthOf(start - Math.floor(now))}`;

/** Why a wish cannot come true on these nodes and with the session's limits, before anybody is asked; '' when it may. */
export function whyNever({ gpus, hours, kind }, nodes, limits = {}) {
	const longest = limits.max_booking_hours ?? Infinity;
	const widest = limits.max_gpus_per_booking ?? Infinity;
	const most = Math.max(0, ...nodes.map((node) => kind ? node.kinds.find((one) => one.kind === kind)?.count ?? 0 : node.count));
	return !(Number.isInteger(gpus) && Number.isInteger(hours) && gpus > 0 && hours > 0) ? 'How many GPUs, for how many hours?'
		: nodes.length === 0 ? 'The filter shows no node.'
			: gpus > most ? `No node shown has ${gpus}${kind && ` of ${kind}`}; the most is ${most}.`
				: hours > longest ? `A booking may last ${longest} h at most.`
					: gpus > widest ? `A booking may take ${widest} GPUs at most.` : '';
}

/** A word of a POSIX shell that means exactly this text. */
export const shellWord = (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;

/** What to type in a shell for the planner at `base`, which ends in a slash: with our command, and with curl alone. */
export function shellLines(base, node, who, now) {
	const body = { node_id: node, gpu_count: 1, start: stampOf(Math.floor(now)), end: stampOf(Math.floor(now) + 4), user_label: who };
	const curl = (path) => `curl -sS ${shellWord(`${base}api/${path}`)}`;
	return [
		`export PROCPLAN_URL=${shellWord(base.slice(0, -1))}\nprocplan-cli --all\nprocplan-cli find --gpus 2 --hours 36\n`
			+ `procplan-cli book --node ${shellWord(node)} --gpus 1 --hours 4`,
		`${curl('find?gpus=2&hours=36')}\n${curl('book')} -d ${shellWord(JSON.stringify(body))}\n${curl('bookings/ID')} -X DELETE`,
	];
}

/** The hours between the left edge and the right one of a grid so many px wide. */
export const hoursInView = (width, { dataset }) => Math.max(1, (width - (dataset.left ?? 188)) / (dataset.hourWidth ?? 2.375));
