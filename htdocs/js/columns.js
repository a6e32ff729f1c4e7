/** The header (months, weeks, dates, free GPUs) and what runs down the grid behind the rows: lines, weekends, the past, now. */

import { byId, classes, element, setText } from './dom.js';
import { columnsIn, skyline } from './logic.js';
import { DAY, MONTHS, MONTH_NAMES, WEEK, WEEKDAYS, dateAt, dayOf, timeOf, weekNumber, weekdayOf, zoneName } from './time.js';

const SKYLINE_HEIGHT = 12;

/** @param {import('./grid.js').Grid} grid */
export function mountColumns(grid) {
	const { state } = grid.store;
	const head = byId('grid').querySelector('.head');
	const lines = byId('grid').querySelector('.columns');
	const [month, zone, free, sky] = ['corner-month', 'corner-zone', 'corner-free', 'sky'].map(byId);
	const [past, now, dot] = ['past', 'now', 'now-dot'].map((name) => element('div', { class: name }));
	const drawn = new Map(); /* the column's first hour → its header cell and its line */
	const titles = new Map(); /* months, weeks and, among hours, days */
	let counts = state.model.occupancy([], 0);
	let [countsOf, drawnOf, skyOf] = ['', '', ''];

	head.append(dot);
	lines.append(past, now);

	function count() {
		const name = [state.model.version, Math.floor(state.now), grid.scale.unit, grid.layout.gpus.length].join();
		if (name !== countsOf) {
			countsOf = name;
			counts = state.model.occupancy(grid.layout.gpus, state.now, grid.scale.unit);
		}
	}

	/** GPUs that are free in all of a column, or of what is left of it; null where that is over or not known yet. */
	function freeIn(hour) {
		const { scale: { unit }, layout } = grid;
		const known = hour + unit > state.now && Math.max(hour, Math.floor(state.now)) >= state.model.start && hour + unit <= state.model.end;
		return known ? layout.gpus.length - counts.columns[Math.floor((hour - counts.first) / unit)] : null;
	}

	function column(hour) {
		const { unit, hourWidth } = grid.scale;
		const at = dateAt(hour);
		const today = hour <= state.now && state.now < hour + unit;
		const weekend = unit <= DAY && weekdayOf(hour) > 4;
		/* A stronger line: weeks among days, days among hours, months among weeks. */
		const edge = unit === DAY ? weekdayOf(hour) === 0 : unit === WEEK ? at.getUTCDate() <= 7 : hour % DAY === 0;
		const number = freeIn(hour);
		const year = at.getUTCFullYear();
		const [sign, date, said] = unit === DAY ? [WEEKDAYS[weekdayOf(hour)][0], at.getUTCDate(), `${dayOf(hour)} ${year}`]
			: unit === WEEK ? [`W${weekNumber(hour)}`, at.getUTCDate(), `week ${weekNumber(hour)}, from ${dayOf(hour)} ${year}`]
				: ['', timeOf(hour).slice(0, 2), `${dayOf(hour)} ${timeOf(hour)}`];
		const cell = element('div', {
			class: classes({ day: true, today, weekend, edge, hour: unit === 1 }), role: 'columnheader',
			'aria-colindex': Math.round((hour - grid.origin) / unit) + 2, 'aria-current': today && 'date',
			'aria-label': said + (number === null ? '' : `, ${number} free`), 'data-hour': hour,
		}, element('span', { class: 'date' }, element('i', {}, sign), element('b', {}, String(date))),
		element('span', { class: classes({ free: true, none: number === 0 }) }, number === null ? '' : String(number)));
		const parts = [cell, element('div', { class: classes({ line: true, weekend, edge }) })];
		for (const { style } of parts) {
			style.left = `${grid.x(hour)}px`;
			style.width = `${unit * hourWidth}px`;
		}
		return parts;
	}

	/** What stands above the dates where a month, a week or, among hours, a day begins; '' elsewhere. */
	function title(hour) {
		const at = dateAt(hour);
		const date = at.getUTCDate();
		const name = MONTH_NAMES[at.getUTCMonth()] + (at.getUTCMonth() === 0 ? ` ${at.getUTCFullYear()}` : '');
		const week = weekdayOf(hour) === 0 ? `W${weekNumber(hour)}` : '';
		switch (grid.scale.unit) {
		case DAY: return date === 1 ? name : week;
		case WEEK: return date <= 7 ? name : '';
		default: return `${dayOf(hour)}${week && ` · ${week}`}`;
		}
	}

	/** Keeps in MAP the elements for `wanted` hours, made where they are new. */
	function keep(map, wanted, make) {
		for (const [hour, parts] of map) {
			if (!wanted.has(hour)) {
				parts.forEach((part) => part.remove());
				map.delete(hour);
			}
		}
		for (const hour of wanted) {
			if (!map.has(hour)) {
				const parts = make(hour);
				map.set(hour, parts);
				head.append(parts[0]);
				lines.append(...parts.slice(1));
			}
		}
	}

	function drawSky() {
		const start = Math.max(grid.area.start, state.model.start, Math.floor(state.now));
		const end = Math.min(grid.area.end, state.model.end);
		const name = [start, end, countsOf, grid.origin, grid.scale.hourWidth].join();
		if (name !== skyOf) {
			const most = grid.layout.gpus.length;
			const values = end > start ? Array.from(counts.hours.subarray(start - counts.first, end - counts.first), (held) => most - held) : [];
			skyOf = name;
			sky.firstElementChild.setAttribute('d', skyline(values, most, grid.scale.hourWidth, SKYLINE_HEIGHT));
			sky.setAttribute('width', values.length * grid.scale.hourWidth);
			sky.style.left = `${grid.x(start)}px`;
		}
	}

	function reset() {
		[drawn, titles].forEach((map) => keep(map, new Set(), null));
		skyOf = '';
	}

	return {
		reset() {
			reset();
			countsOf = '';
		},
		draw() {
			const { area: { start, end }, scale: { unit }, box, layout } = grid;
			count();
			if (countsOf !== drawnOf) { /* another hour, or other bookings */
				reset();
				drawnOf = countsOf;
			}
			keep(drawn, new Set(columnsIn(start, end, unit)), column);
			keep(titles, new Set(columnsIn(start, end, Math.max(unit, DAY)).filter(title)), (hour) => {
				const one = element(dateAt(hour).getUTCDate() === 1 || unit !== DAY ? 'b' : 'span', { class: 'title', 'aria-hidden': 'true' }, title(hour));
				one.style.left = `${grid.x(hour)}px`;
				return [one];
			});
			lines.style.setProperty('--tall', `${Math.min(box.height - box.head, layout.height)}px`);
			const x = grid.x(state.now);
			now.hidden = dot.hidden = state.now < start || state.now > end;
			now.style.left = dot.style.left = `${x}px`;
			past.style.left = `${grid.x(start)}px`;
			past.style.width = `${Math.max(0, Math.min(x, grid.x(end)) - grid.x(start))}px`;
			drawSky();
		},
		/** The corner names the month at the left edge. */
		follow() {
			const { start } = grid.span();
			const at = dateAt(grid.scale.unit === WEEK ? start + 3 * DAY : start);
			const narrow = grid.box.left < 100;
			const own = zoneName(start);
			setText(month, narrow ? MONTHS[at.getUTCMonth()] : `${MONTH_NAMES[at.getUTCMonth()]} ${at.getUTCFullYear()}`);
			setText(zone, own && !narrow ? `UTC · you ${own}` : 'UTC');
			setText(free, narrow ? 'free' : `free${{ [DAY]: ' all day', [WEEK]: ' all week' }[grid.scale.unit] ?? ''}, of ${grid.layout.gpus.length}`);
		},
		/** Dates of the selection take the accent. */
		mark(start, end) {
			drawn.forEach(([cell], hour) => cell.classList.toggle('chosen', hour < end && hour + grid.scale.unit > start));
		},
	};
}
