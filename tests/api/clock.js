'use strict';
/* Time for tests: whole UTC hours, as in the wire contract. */
const HOUR = 3_600_000;
const DAY_HOURS = 24;

/* A year in which nothing has begun yet, whenever the test runs. */
const YEAR_AHEAD = new Date().getUTCFullYear() + 5;

/* "2026-11-23T14:00:00+00:00" for a count of hours since 1970. */
const iso = (hour) => new Date(hour * HOUR).toISOString().replace('.000Z', '+00:00');
/* The count of hours of a text that Date reads. */
const hourOf = (text) => Date.parse(text) / HOUR;
const currentHour = () => Math.floor(Date.now() / HOUR);

/*
 * The current hour, for tests that need it to stay the same: within the last half minute of an hour it waits for the
 * next one.
 */
async function steadyHour() {
    const left = HOUR - Date.now() % HOUR;
    if (left < 30_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
    return currentHour();
}

module.exports = {DAY_HOURS, HOUR, YEAR_AHEAD, currentHour, hourOf, iso, steadyHour};
