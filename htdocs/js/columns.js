/** The header (months, weeks, dates, free GPUs) and what runs down the grid behind the rows: lines, weekends, the past, now. */

import { byId, classes, drop, element, keep, setSkyline, setText, watch } from './dom.js';
import { grid } from './geometry.js';
import { columnsIn } from './logic.js';
import { state } from './store.js';
import { DAY, MONTHS, MONTH_NAMES, WEEK, WEEKDAYS, dateAt, dayOf, timeOf, weekNumber, weekdayOf, zoneName } from './time.js';

const head = byId('grid').querySelector('.head');
const places = ['.days', '.columns'].map((name) => byId('grid').querySelector(name));
const [month, zone, free, sky] = ['corner-month', 'corner-zone', 'corner-free', 'sky'].map(byId);
const [past, now, dot] = ['past', 'now', 'now-dot'].map((name) => element('div', { class: name }));
const before = places.map((place) => place.appendChild(element('div', { class: 'before', role: 'presentation' }))); /* what is left of the first column */
const drawn = new Map(); /* the column's first hour → its header cell and its line */
const titles = new Map(); /* months, weeks and, among hours, days */
let counts = state.model.occupancy([], 0);
const [isOtherCount, isOtherSky, isOtherHour] = [watch(), watch(), watch()];

head.append(dot);
places[1].append(past, now);

export function count() {
	if (isOtherCount(state.model.version, Math.floor(state.now), grid.scale.unit)) {
		counts = state.model.occupancy(grid.layout.gpus, state.now, grid.scale.unit);
		isOtherSky();
		drawn.forEach(fill);
	}
}

/** What a column's header says: GPUs that are free in all of it, or in what is left of it, unless it is over or not known yet. */
function fill([cell], hour) {
	const { scale: { unit }, layout } = grid;
	const { model, now: moment } = state;
	const known = hour + unit > moment && Math.max(hour, Math.floor(moment)) >= model.start && hour + unit <= model.end;
	const number = known ? layout.gpus.length - counts.columns[Math.floor((hour - counts.first) / unit)] : '';
	const day = `${dayOf(hour)} ${dateAt(hour).getUTCFullYear()}`;
	cell.ariaLabel = (unit === DAY ? day : unit === WEEK ? `week ${weekNumber(hour)}, from ${day}` : `${dayOf(hour)} ${timeOf(hour)}`)
		+ (known ? `, ${number} free` : '');
	setText(cell.lastChild, String(number));
	cell.lastChild.classList.toggle('none', number === 0);
}

function column(hour) {
	const { unit, hourWidth } = grid.scale;
	const at = dateAt(hour);
	const today = hour <= state.now && state.now < hour + unit;
	const weekend = unit <= DAY && weekdayOf(hour) > 4;
	/* A stronger line: weeks among days, days among hours, months among weeks. */
	const edge = unit === DAY ? weekdayOf(hour) === 0 : unit === WEEK ? at.getUTCDate() <= 7 : hour % DAY === 0;
	const [sign, date] = unit === 1 ? ['', timeOf(hour).slice(0, 2)] : [unit === DAY ? WEEKDAYS[weekdayOf(hour)][0] : `W${weekNumber(hour)}`, at.getUTCDate()];
	const cell = element('div', {
		class: classes({ day: true, today, weekend, edge, hour: unit === 1 }), role: 'columnheader',
		'aria-colindex': Math.round((hour - grid.origin) / unit) + 2, 'aria-current': today && 'date',
		'data-hour': hour,
	}, element('span', { class: 'date' }, element('i', {}, sign), element('b', {}, date)), element('span', { class: 'free' }));
	fill([cell], hour);
	const line = element('div', { class: classes({ line: true, weekend, edge }) });
	cell.style.width = line.style.width = `${unit * hourWidth}px`;
	return [cell, line];
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

function drawSky() {
	const { area, layout, origin, scale: { hourWidth } } = grid;
	const part = Math.ceil(grid.room()); /* drawn anew a screenful at a time */
	const start = Math.max((Math.floor(area.start / part) - 1) * part, state.model.start, Math.floor(state.now));
	const end = Math.max(start, Math.min((Math.ceil(area.end / part) + 1) * part, state.model.end));
	if (isOtherSky(start, end, origin, hourWidth)) {
		const most = layout.gpus.length;
		const free = counts.hours.subarray(start - counts.first, end - counts.first).map((held) => most - held);
		setSkyline(sky, free, most, hourWidth, grid.x(start));
	}
}

function clear() {
	drop(drawn);
	drop(titles);
}

export function reset() {
	clear();
	isOtherCount();
}

export function draw() {
	const { area: { start, end }, scale: { unit }, box, layout } = grid;
	count();
	isOtherHour(Math.floor(state.now)) && clear(); /* today may be another */
	const shown = columnsIn(start, end, unit);
	keep(drawn, shown, places, column);
	before.forEach(({ style }) => { style.width = `${grid.x(shown[0])}px`; });
	keep(titles, columnsIn(start, end, Math.max(unit, DAY)).filter(title), [head], (hour) => {
		const one = element(dateAt(hour).getUTCDate() === 1 || unit !== DAY ? 'b' : 'span', { class: 'title', 'aria-hidden': 'true' }, title(hour));
		one.style.left = `${grid.x(hour)}px`;
		return [one];
	});
	places[1].style.height = `${layout.height}px`;
	const x = grid.x(state.now);
	now.hidden = dot.hidden = state.now < start || state.now > end;
	now.style.left = dot.style.left = `${x}px`;
	past.style.width = `${Math.max(0, x - box.left)}px`;
	drawSky();
}

/** The corner names the month at the left edge, or among hours the day; a name that it would cut is not shown. */
export function follow() {
	const { start } = grid.span();
	titles.forEach(([one], hour) => { one.hidden = hour < start - 1 / grid.scale.hourWidth; });
	const at = dateAt(grid.scale.unit === WEEK ? start + 3 * DAY : start);
	const narrow = grid.box.left < 100;
	const own = zoneName(start);
	const named = narrow ? MONTHS[at.getUTCMonth()] : `${MONTH_NAMES[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
	setText(month, grid.scale.unit === 1 && !narrow ? dayOf(start) : named);
	setText(zone, own && !narrow ? `UTC · you ${own}` : 'UTC');
	setText(free, narrow ? 'free' : `free${{ [DAY]: ' all day', [WEEK]: ' all week' }[grid.scale.unit] ?? ''}, of ${grid.layout.gpus.length}`);
}

/** Dates of the selection take the accent. */
export function mark(start, end) {
	drawn.forEach(([cell], hour) => cell.classList.toggle('chosen', hour < end && hour + grid.scale.unit > start));
}
