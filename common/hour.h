/*
 * Time in ProcPlan is whole UTC hours. hour_t counts hours since 1970-01-01T00:00Z; only the edges (JSON in and out,
 * the command line) know text. Windows are half-open: [start, end), so back-to-back windows touch and never collide.
 *
 * Incoming timestamps are read to an instant_t (microseconds since 1970, UTC) and snapped outward: a start down, an end
 * up. Bounds: the years 0001 to 9999, as Python's datetime has them. The calendar is the proleptic Gregorian one;
 * conversions follow Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil, civil_from_days).
 */
#ifndef COMMON_HOUR_H
#define COMMON_HOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t hour_t;
typedef int64_t instant_t; /* microseconds */

#define HOUR_NONE INT32_MIN     /* "no hour": a NULL in the database */
#define HOUR_MIN (-17259888)    /* 0001-01-01T00 */
#define HOUR_MAX 70389527       /* 9999-12-31T23; also the latest end of a window */
#define HOURS_PER_DAY 24
#define SECONDS_PER_HOUR 3600

struct window {
    hour_t start, end;
};

/*
 * Reads ISO 8601 as Python 3.11's datetime.fromisoformat does: a date (YYYY-MM-DD, YYYYMMDD, YYYY-Www, YYYY-Www-D,
 * YYYYWww, YYYYWwwD), alone or followed by one separator and a time (HH, HH:MM, HH:MM:SS, the same without colons,
 * a fraction after '.' or ',', digits beyond the sixth are dropped) and Z, +hh, +hhmm, +hh:mm, +hh:mm:ss[.ffffff]
 * (or -) or nothing, which is UTC. What Python takes beyond that is taken too. The separator is 'T', 't' or a blank. Where
 * Python refuses the text, a blank where the offset's '+' should be is read as '+': a query's '+' that was not encoded arrives so.
 * False when the text is anything else, or when the instant lies outside the years 0001 to 9999 in UTC.
 */
bool instant_parse(const char *text, size_t length, instant_t *out) __attribute__((warn_unused_result));

/* The hour that contains the instant. */
hour_t hour_floor(instant_t instant);
/* The first hour that does not begin before the instant. It may be HOUR_MAX + 1, which callers refuse. */
hour_t hour_ceil(instant_t instant);
/* The hour that contains a time_t (seconds since 1970, within the years above). */
hour_t hour_of_seconds(int64_t seconds);
/* The first hour of the UTC day that contains HOUR. */
hour_t hour_day(hour_t hour);

/* "2026-11-23T14:00:00+00:00" and its NUL. */
#define HOUR_TEXT_SIZE 26
/* "2026-11-23" and its NUL. */
#define DATE_TEXT_SIZE 11
/* Each writes a NUL-terminated text of exactly that size. What lies outside the years 1 to 9999 is written as their first
 * or last day. */
void hour_format(hour_t hour, char out[HOUR_TEXT_SIZE]);
void hour_format_date(hour_t hour, char out[DATE_TEXT_SIZE]);
/* The same form, to the second: for created, updated and event times (seconds since 1970). */
void seconds_format(int64_t seconds, char out[HOUR_TEXT_SIZE]);

static inline bool window_overlaps(struct window a, struct window b)
{
    return a.start < b.end && b.start < a.end;
}

/* The hours both share; start == end when none. */
static inline struct window window_intersect(struct window a, struct window b)
{
    hour_t start = a.start > b.start ? a.start : b.start;
    hour_t end = a.end < b.end ? a.end : b.end;
    return (struct window){start, end > start ? end : start};
}

static inline int32_t window_hours(struct window w)
{
    return w.end - w.start;
}

#endif
