/*
 * Times as people write them on a command line:
 *
 *     2026-11-23   2026-11-23T14:00   20261123   2026-W48-1   …      ISO 8601 (common/hour.h)
 *     now
 *     today   tomorrow   yesterday   mon … sun, monday … sunday       midnight; a weekday is the coming one, today included
 *     14:00   9   tomorrow 09:00   fri 14:30                          with a time of day; alone it is today's
 *     +4h   +2d   +1w   +1d12h   -7d                                  from BASE on
 *
 * UTC, unless an offset stands behind the time of day (09:00+02:00, or Z): then the day is that place's, too. Case does not
 * matter. Pure: the clock is an argument.
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdbool.h>

#include "common/error.h"
#include "common/hour.h"

#define INSTANTS_PER_SECOND INT64_C(1000000)
#define INSTANTS_PER_HOUR (INSTANTS_PER_SECOND * SECONDS_PER_HOUR)

/*
 * Reads TEXT. NOW is the clock, BASE what "+4h" counts from. False, with a sentence that quotes TEXT and says what would do,
 * when it is none of these or lies outside the years 0001 to 9999.
 */
bool when_parse(const char *text, instant_t now, instant_t base, instant_t *out, struct error *err)
    __attribute__((warn_unused_result));
/* True for "+4h" and the like. *OUT in instants; not zero. */
bool when_is_relative(const char *text, instant_t *out);

/* "2026-11-23T14:00:00.000001+00:00" and its NUL; the fraction only where there is one. */
#define WHEN_TEXT_SIZE 34
void when_format(instant_t instant, char out[WHEN_TEXT_SIZE]);
/* For people: "2026-11-23 14:00" and its NUL. */
#define WHEN_SHORT_SIZE 17
void when_short(hour_t hour, char out[WHEN_SHORT_SIZE]);
/* The Monday on or before HOUR, at 00:00. */
hour_t when_monday(hour_t hour);

#endif
