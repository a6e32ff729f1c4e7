/** Who, how urgent, from when to when, and a note: what booking and editing have in common. */

import { byId, element, setText } from './dom.js';
import { DAY, dayText, localWindow, midnightOf, parseDay, timeOf } from './time.js';

export function mountFields(form) {
	form.prepend(byId('fields').content.cloneNode(true));
	const field = (name) => form.elements[name];
	const hint = form.querySelector('.hint');
	for (let hour = 0; hour < DAY; hour++) {
		field('from-hour').append(element('option', { value: hour }, timeOf(hour)));
		field('to-hour').append(element('option', { value: hour + 1 }, timeOf(hour + 1, true)));
	}
	const moment = (name) => (parseDay(field(`${name}-day`).value) ?? NaN) + Number(field(`${name}-hour`).value);
	const put = (name, hour, past = 0) => {
		field(`${name}-day`).value = dayText(hour - past);
		field(`${name}-hour`).value = String(hour - midnightOf(hour - past));
	};
	const read = () => ({
		start: moment('from'),
		end: moment('to'),
		who: field('who').value.trim(),
		priority: Number(field('priority').value),
		note: field('note').value.trim(),
	});

	return {
		field, read,
		/** Says what the hours mean; those that have passed are not offered. */
		explain(now) {
			const { start, end } = read();
			field('from-day').min = field('to-day').min = dayText(now);
			for (const option of field('from-hour').options) {
				option.disabled = midnightOf(start) + Number(option.value) < Math.floor(now);
			}
			const local = end > start && localWindow(start, end);
			setText(hint, `${end > start ? `${end - start} h ` : ''}in UTC${local ? `; here\n${local}` : ''}`);
		},
		/** Fills in what differs: what is being typed is left alone while it means the same. */
		write(values) {
			const old = read();
			const differs = (name) => name in values && values[name] !== old[name];
			['who', 'priority', 'note'].filter(differs).forEach((name) => { field(name).value = String(values[name]); });
			differs('start') && put('from', values.start);
			differs('end') && put('to', values.end, 1); /* an end at midnight is 24:00 of the day before */
		},
	};
}
