/**
 * Time is whole UTC hours since 1970, as in the server; a week is seven days from Monday 00:00 UTC.
 * Nothing here reads the clock: the caller says what now is.
 *
 * @typedef {{start: number, end: number}} Window  hours since 1970, half-open
 */

export const DAY = 24;
export const WEEK = 7 * DAY;
const MS = 3_600_000;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const pad = (number) => String(number).padStart(2, '0');
const date = (hour) => new Date(hour * MS);

/** Milliseconds to hours, with the fraction that places the now line. */
export function hoursOf(ms) {
    return ms / MS;
}

/** Reads a timestamp of the API; NaN for what is none. */
export function hourOf(text) {
    return Date.parse(text) / MS;
}

/** What the API takes: 2026-11-23T14:00:00Z. */
export function stampOf(hour) {
    return `${date(hour).toISOString().slice(0, 19)}Z`;
}

/** The Monday 00:00 UTC at or before an hour. */
export function mondayOf(hour) {
    const day = Math.floor(hour / DAY);
    return (day - (((day + 3) % 7) + 7) % 7) * DAY; /* 1970-01-01, day 0, was a Thursday */
}

/** YYYY-MM-DD, a day that exists, 1970 to 9998: its first hour. Anything else: null. */
export function parseDate(text) {
    const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '');
    if (!parts) {
        return null;
    }
    const [year, month, day] = parts.slice(1).map(Number);
    const ms = Date.UTC(year, month - 1, day);
    if (year < 1970 || year > 9998 || dateOf(ms / MS) !== text) {
        return null;
    }
    return ms / MS;
}

/** YYYY-MM-DD of an hour's UTC day. */
export function dateOf(hour) {
    return date(hour).toISOString().slice(0, 10);
}

/** The seven days of a week, for the header. */
export function daysOf(week) {
    return WEEKDAYS.map((name, index) => {
        const start = week + index * DAY;
        return { name, day: date(start).getUTCDate(), start, end: start + DAY, weekend: index > 4 };
    });
}

/** "23 – 29 Nov" and "2026"; the year is apart so that a narrow page can do without it. */
export function rangeOf(week) {
    const first = date(week);
    const last = date(week + WEEK - DAY);
    const from = `${first.getUTCDate()} ${MONTHS[first.getUTCMonth()]}`;
    const to = `${last.getUTCDate()} ${MONTHS[last.getUTCMonth()]}`;
    const year = String(last.getUTCFullYear());
    if (first.getUTCFullYear() !== last.getUTCFullYear()) {
        return { days: `${from} ${first.getUTCFullYear()} – ${to}`, year };
    }
    return { days: first.getUTCMonth() === last.getUTCMonth() ? `${first.getUTCDate()} – ${to}` : `${from} – ${to}`, year };
}

/** ISO 8601: the week that holds the year's first Thursday is week 1. */
export function weekNumber(week) {
    const thursday = date(week + 3 * DAY);
    const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
    return 1 + Math.floor((thursday.getTime() - newYear) / (WEEK * MS));
}

/* An end at midnight is 24:00 of the day before, as people say it. */
function dayAndTime(hour, isEnd) {
    const midnight = isEnd && hour % DAY === 0;
    const at = date(midnight ? hour - DAY : hour);
    return { at, weekday: WEEKDAYS[(at.getUTCDay() + 6) % 7], time: midnight ? '24:00' : `${pad(at.getUTCHours())}:00` };
}

/** A moment with its date: "Mon 30 Nov 12:00"; with its year where that is not the shown week's. */
export function datedMomentOf(hour, week, isEnd = false) {
    const { at, weekday, time } = dayAndTime(hour, isEnd);
    const year = at.getUTCFullYear() === date(week + 3 * DAY).getUTCFullYear() ? '' : ` ${at.getUTCFullYear()}`;
    return `${weekday} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}${year} ${time}`;
}

/** A moment as short as it can be: "Mon 12:00" in the week that is shown, with its date outside. */
export function momentOf(hour, week, isEnd = false) {
    const { at, weekday, time } = dayAndTime(hour, isEnd);
    return mondayOf(hoursOf(at.getTime())) === week ? `${weekday} ${time}` : datedMomentOf(hour, week, isEnd);
}

/** "14:05", a clock in UTC, of milliseconds. */
export function clockOf(ms) {
    return new Date(ms).toISOString().slice(11, 16);
}

/** A window in the reader's own time, or null where that is UTC all along. */
export function localWindow(start, end) {
    const days = [date(start), date(end)];
    if (days.every((day) => day.getTimezoneOffset() === 0)) {
        return null;
    }
    return days.map((day) => `${WEEKDAYS[(day.getDay() + 6) % 7]} ${day.getDate()} ${MONTHS[day.getMonth()]} `
        + `${pad(day.getHours())}:${pad(day.getMinutes())}`).join(' – ');
}

/** "45 h", "2 d 4 h": how people say a length. */
export function lengthOf(hours) {
    const whole = Math.max(0, Math.ceil(hours));
    if (whole < 48) {
        return `${whole} h`;
    }
    const rest = whole % DAY;
    return rest === 0 ? `${whole / DAY} d` : `${Math.floor(whole / DAY)} d ${rest} h`;
}
