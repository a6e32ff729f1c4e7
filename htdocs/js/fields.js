/** Who, how urgent, from when to when, and a note: the fields that booking and editing have in common. */

import { DAY, WEEKDAYS, dayText, midnightOf, parseDay, timeOf, weekdayOf } from './time.js';
import { byId, element, setText } from './dom.js';

/** Puts the fields before the first child of a form. */
export function mountFields(form) {
	form.prepend(byId('fields').content.cloneNode(true));
	const field = (name) => /** @type {any} */ (form.elements.namedItem(name));
	for (let hour = 0; hour < DAY; hour++) {
		field('from-hour').append(element('option', { value: hour }, timeOf(hour)));
		field('to-hour').append(element('option', { value: hour + 1 }, timeOf(hour + 1, true)));
	}
	const moment = (name) => (parseDay(field(`${name}-day`).value) ?? NaN) + Number(field(`${name}-hour`).value);
	const read = () => ({
		start: moment('from'),
		end: moment('to'),
		who: field('who').value.trim(),
		priority: Number(field('priority').value),
		note: field('note').value.trim(),
	});

	/** The past is not offered; weekdays stand beside the days. */
	function limit(now) {
		const { start, end } = read();
		const today = midnightOf(now);
		field('from-day').min = field('to-day').min = dayText(now);
		for (const option of field('from-hour').options) {
			option.disabled = start < today + DAY && today + Number(option.value) < Math.floor(now);
		}
		for (const [name, hour] of /** @type {[string, number][]} */ ([['from', start], ['to', end - 1]])) {
			setText(field(`${name}-day`).parentElement.lastElementChild, Number.isNaN(hour) ? '' : WEEKDAYS[weekdayOf(hour)]);
		}
	}

	return {
		field, read, limit,
		/** Fills in what differs; a day that is being typed is left alone while it means the same. */
		write(/** @type {{start?: number, end?: number, who?: string, priority?: number, note?: string}} */ values) {
			const old = read();
			for (const name of /** @type {('who'|'priority'|'note')[]} */ (['who', 'priority', 'note'])) {
				if (values[name] !== undefined && values[name] !== old[name]) {
					field(name).value = String(values[name]);
				}
			}
			const { start = old.start, end = old.end } = values;
			if (start !== old.start) {
				field('from-day').value = dayText(start);
				field('from-hour').value = String(start - midnightOf(start));
			}
			if (end !== old.end) {
				field('to-day').value = dayText(end - 1);
				field('to-hour').value = String(end - midnightOf(end - 1));
			}
		},
	};
}
