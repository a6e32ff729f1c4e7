/** The header (months, weeks, dates, free GPUs) and what runs down the grid behind the rows: lines, weekends, the past, now. */

import { byId, classes, element, setText } from './dom.js';
import { columnsIn, skyline } from './logic.js';
import { DAY, MONTH_NAMES, MONTHS, WEEK, WEEKDAYS, dateAt, dayOf, timeOf, weekNumber, weekdayOf, zoneName } from './time.js';

const SKYLINE_HEIGHT = 12;

/** @param {import('./grid.js').Grid} grid */
export function mountColumns(grid) {
	const { state } = grid.store;
	const head = byId('grid').querySelector('.head');
	const lines = byId('grid').querySelector('.columns');
	const corner = head.querySelector('.corner');
	const [month, zone, free] = [byId('corner-month'), byId('corner-zone'), byId('corner-free')];
	const past = element('div', { class: 'past' });
	const nowLine = element('div', { class: 'now' });
	const nowDot = element('div', { class: 'now-dot' });
	const sky = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	const skyPath = sky.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
	/** @type {Map<number, HTMLElement[]>} */
	const drawn = new Map(); /* the column's first hour → its header cell and its line */
	/** @type {Map<number, HTMLElement>} */
	const titles = new Map(); /* months, weeks and, in hours, days */
	let counts = /** @type {ReturnType<import('./model.js').Model['occupancy']>|null} */ (null);
	let countsOf = '';
	let skyOf = '';
	let drawnOf = '';

	sky.setAttribute('class', 'sky');
	sky.setAttribute('aria-hidden', 'true');
	head.append(sky, nowDot);
	lines.append(past, nowLine);

	function count() {
		const { model } = state;
		const name = [model.version, Math.floor(state.now), grid.scale.unit, grid.layout.gpus.length].join();
		if (name !== countsOf || !counts) {
			countsOf = name;
			counts = model.occupancy(grid.layout.gpus, state.now, grid.scale.unit);
		}
		return counts;
	}

	/** GPUs that are free in all of a column (of what is left of it); null where that is over or not known yet. */
	function freeIn(hour) {
		const { unit } = grid.scale;
		const { model } = state;
		if (hour + unit <= state.now || Math.max(hour, Math.floor(state.now)) < model.start || hour + unit > model.end) {
			return null;
		}
		const { first, columns } = count();
		return grid.layout.gpus.length - columns[Math.floor((hour - first) / unit)];
	}

	function column(hour) {
		const { unit, hourWidth } = grid.scale;
		const at = dateAt(hour);
		const today = hour <= state.now && state.now < hour + unit;
		const weekend = unit <= DAY && weekdayOf(hour) > 4;
		const number = freeIn(hour);
		const words = unit === DAY ? [WEEKDAYS[weekdayOf(hour)][0], at.getUTCDate()]
			: unit === WEEK ? [`W${weekNumber(hour)}`, at.getUTCDate()] : ['', at.getUTCHours()];
		const said = unit === DAY ? `${dayOf(hour)} ${at.getUTCFullYear()}`
			: unit === WEEK ? `week ${weekNumber(hour)}, from ${dayOf(hour)} ${at.getUTCFullYear()}` : `${dayOf(hour)} ${timeOf(hour)}`;
		const cell = element('div', {
			class: classes({ day: true, today, weekend, hour: unit === 1, edge: edgeOf(hour) }),
			role: 'columnheader',
			'aria-colindex': Math.round((hour - grid.origin) / unit) + 2,
			'aria-label': `${said}${number === null ? '' : `, ${number} free`}`,
			'aria-current': today && 'date',
			'data-hour': hour,
		}, element('span', { class: 'date' }, element('i', {}, words[0]), element('b', {}, String(words[1]).padStart(unit === 1 ? 2 : 1, '0'))),
		element('span', { class: classes({ free: true, none: number === 0 }) }, number === null ? '' : String(number)));
		const line = element('div', { class: classes({ line: true, weekend, edge: edgeOf(hour) }) });
		for (const one of [cell, line]) {
			one.style.left = `${grid.x(hour)}px`;
			one.style.width = `${unit * hourWidth}px`;
		}
		return [cell, line];
	}

	/** Where a stronger line stands: weeks among days, days among hours, months among weeks. */
	function edgeOf(hour) {
		switch (grid.scale.unit) {
		case DAY: return weekdayOf(hour) === 0;
		case WEEK: return dateAt(hour).getUTCDate() <= 7;
		default: return hour % DAY === 0;
		}
	}

	/** What stands above the dates: the hour it begins at, in which words. */
	function title(hour) {
		const at = dateAt(hour);
		const date = at.getUTCDate();
		const monthName = at.getUTCMonth() === 0 ? `${MONTH_NAMES[0]} ${at.getUTCFullYear()}` : MONTH_NAMES[at.getUTCMonth()];
		switch (grid.scale.unit) {
		case DAY: return date === 1 ? ['b', monthName] : weekdayOf(hour) === 0 ? ['span', `W${weekNumber(hour)}`] : null;
		case WEEK: return date <= 7 ? ['b', monthName] : null;
		default: return hour % DAY === 0 ? ['b', `${dayOf(hour)}${weekdayOf(hour) === 0 ? ` · W${weekNumber(hour)}` : ''}`] : null;
		}
	}

	function place(one, hour) {
		one.style.left = `${grid.x(hour)}px`;
	}

	function drawSky(from, to) {
		const { model } = state;
		const begin = Math.max(from, model.start, Math.floor(state.now));
		const end = Math.min(to, model.end);
		const name = [begin, end, countsOf, grid.origin, grid.scale.hourWidth].join();
		if (name === skyOf) {
			return;
		}
		skyOf = name;
		if (end <= begin || !counts) {
			skyPath.setAttribute('d', '');
			return;
		}
		const { first, hours } = counts;
		const most = grid.layout.gpus.length;
		const values = Array.from(hours.subarray(begin - first, end - first), (held) => most - held);
		skyPath.setAttribute('d', skyline(values, most, grid.scale.hourWidth, SKYLINE_HEIGHT));
		sky.setAttribute('width', String((end - begin) * grid.scale.hourWidth));
		sky.setAttribute('height', String(SKYLINE_HEIGHT));
		/** @type {SVGElement} */ (sky).style.left = `${grid.x(begin)}px`;
	}

	function drawCorner(start) {
		const at = dateAt(grid.scale.unit === WEEK ? start + 3 * DAY : start);
		const narrow = grid.box.left < 100;
		setText(month, narrow ? MONTHS[at.getUTCMonth()] : `${MONTH_NAMES[at.getUTCMonth()]} ${at.getUTCFullYear()}`);
		const own = zoneName(start);
		setText(zone, own && !narrow ? `UTC · you ${own}` : 'UTC');
		const word = grid.scale.unit === DAY ? 'free all day' : grid.scale.unit === WEEK ? 'free all week' : 'free';
		setText(free, narrow ? 'free' : `${word}, of ${grid.layout.gpus.length}`);
		corner.setAttribute('aria-label', 'GPU');
	}

	function reset() {
		[...drawn.values()].flat().forEach((one) => one.remove());
		drawn.clear();
		[...titles.values()].forEach((one) => one.remove());
		titles.clear();
		skyOf = '';
	}

	return {
		reset() {
			reset();
			counts = null;
		},
		draw() {
			count();
			if (countsOf !== drawnOf) { /* another hour, or other bookings */
				reset();
				drawnOf = countsOf;
			}
			const { unit } = grid.scale;
			const { start: from, end: to } = grid.area;
			const hours = new Set(columnsIn(from, to, unit));
			for (const [hour, parts] of drawn) {
				if (!hours.has(hour)) {
					parts.forEach((part) => part.remove());
					drawn.delete(hour);
				}
			}
			const cells = document.createDocumentFragment();
			const behind = document.createDocumentFragment();
			for (const hour of hours) {
				if (!drawn.has(hour)) {
					const [cell, line] = column(hour);
					drawn.set(hour, [cell, line]);
					cells.append(cell);
					behind.append(line);
				}
			}
			head.append(cells);
			lines.append(behind);
			const steps = columnsIn(from, to, unit === WEEK ? WEEK : DAY);
			const wanted = new Map(steps.map((hour) => [hour, title(hour)]).filter(([, words]) => words));
			for (const [hour, one] of titles) {
				if (!wanted.has(hour)) {
					one.remove();
					titles.delete(hour);
				}
			}
			for (const [hour, words] of wanted) {
				if (!titles.has(hour) && words) {
					const one = element(words[0], { class: 'title', 'aria-hidden': 'true' }, words[1]);
					place(one, hour);
					titles.set(hour, one);
					head.append(one);
				}
			}
			lines.style.setProperty('--tall', `${Math.min(grid.box.height - grid.box.head, grid.layout.height)}px`);
			const nowX = grid.x(state.now);
			nowLine.hidden = nowDot.hidden = state.now < from || state.now > to;
			nowLine.style.left = nowDot.style.left = `${nowX}px`;
			past.style.left = `${grid.x(from)}px`;
			past.style.width = `${Math.max(0, Math.min(nowX, grid.x(to)) - grid.x(from))}px`;
			drawSky(from, to);
		},
		/** What follows the scrolling: the corner names the month at the left edge. */
		follow: () => drawCorner(grid.span().start),
		/** Dates of the selection take the accent. */
		mark(start, end) {
			for (const [hour, [cell]] of drawn) {
				cell.classList.toggle('chosen', hour < end && hour + grid.scale.unit > start);
			}
		},
	};
}
