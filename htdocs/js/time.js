/** Time is whole UTC hours since 1970, as in the server; windows are half-open. Nothing here reads the clock. */

export const DAY = 24;
export const WEEK = 7 * DAY;
const MS = 3_600_000;
export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
export const MONTH_NAMES = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
	'November', 'December'];
export const MONTHS = MONTH_NAMES.map((name) => name.slice(0, 3));

export const countOf = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

const pad = (number) => String(number).padStart(2, '0');

export const dateAt = (hour) => new Date(hour * MS);

export const hoursOf = (ms) => ms / MS;

/** Reads a timestamp of the API; NaN for what is none. */
export const hourOf = (text) => Date.parse(text) / MS;

/** What the API takes: 2026-11-23T14:00:00Z. */
export const stampOf = (hour) => `${dateAt(hour).toISOString().slice(0, 19)}Z`;

/** YYYY-MM-DD of an hour's UTC day. */
export const dayText = (hour) => dateAt(hour).toISOString().slice(0, 10);

/** The midnight at or before an hour. */
export const midnightOf = (hour) => Math.floor(hour / DAY) * DAY;

/** 0 for Monday. */
export const weekdayOf = (hour) => (dateAt(hour).getUTCDay() + 6) % 7;

/** The Monday 00:00 UTC at or before an hour. */
export const mondayOf = (hour) => midnightOf(hour) - weekdayOf(hour) * DAY;

/** YYYY-MM-DD, a day that exists, 1970 to 9998: its first hour. Anything else: null. */
export function parseDay(text) {
	const hour = /^\d{4}-\d\d-\d\d$/.test(text) ? hourOf(text) : NaN;
	return hour >= 0 && hour < hourOf('9999-01-01') && dayText(hour) === text ? hour : null;
}

/** ISO 8601: the week that holds the year's first Thursday is week 1. */
export function weekNumber(hour) {
	const thursday = dateAt(mondayOf(hour) + 3 * DAY);
	return 1 + Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / (WEEK * MS));
}

/** "Tue 29 Sep", with the year where it is not `year`. */
export function dayOf(hour, year = 0) {
	const at = dateAt(hour);
	const own = at.getUTCFullYear();
	return `${WEEKDAYS[weekdayOf(hour)]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}${year && own !== year ? ` ${own}` : ''}`;
}

/** "14:00"; an end at midnight is 24:00 of the day before, as people say it. */
export function timeOf(hour, isEnd = false) {
	return isEnd && hour % DAY === 0 ? '24:00' : `${pad(dateAt(hour).getUTCHours())}:00`;
}

/** "Tue 29 Sep 14:00" in UTC. */
export function momentOf(hour, isEnd = false, year = 0) {
	return `${dayOf(isEnd && hour % DAY === 0 ? hour - 1 : hour, year)} ${timeOf(hour, isEnd)}`;
}

/** "Tue 29 Sep 00:00 – 24:00", "Tue 29 Sep 00:00 – Thu 1 Oct 24:00": the day is not said twice. Years where they are not `year`. */
export function windowText(start, end, year = 0) {
	const last = midnightOf(end - 1) === midnightOf(start) ? timeOf(end, true) : momentOf(end, true, year);
	return `${momentOf(start, false, year)} – ${last}`;
}

/** The same window in the reader's own time ("Tue 29 Sep 02:00 – Fri 2 Oct 02:00"), or '' where that is UTC all along. */
export function localWindow(start, end) {
	const days = [dateAt(start), dateAt(end)];
	if (days.every((day) => day.getTimezoneOffset() === 0)) {
		return '';
	}
	return days.map((day) => `${WEEKDAYS[(day.getDay() + 6) % 7]} ${day.getDate()} ${MONTHS[day.getMonth()]} `
		+ `${pad(day.getHours())}:${pad(day.getMinutes())}`).join(' – ');
}

/** What the reader's clock is called now: "UTC+2", "UTC−3:30"; '' for UTC. */
export function zoneName(hour) {
	const offset = -dateAt(hour).getTimezoneOffset();
	const rest = Math.abs(offset) % 60;
	return offset === 0 ? '' : `UTC${offset > 0 ? '+' : '−'}${Math.floor(Math.abs(offset) / 60)}${rest ? `:${pad(rest)}` : ''}`;
}

/** "45 h", "2 d 4 h": how people say a length. */
export function lengthOf(hours) {
	const whole = Math.max(0, Math.ceil(hours));
	const rest = whole % DAY;
	return whole < 48 ? `${whole} h` : `${Math.floor(whole / DAY)} d${rest ? ` ${rest} h` : ''}`;
}
