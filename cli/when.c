#include "cli/when.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

#include "common/banned.h"

#define DAYS_PER_WEEK 7
#define INSTANTS_PER_DAY (INSTANTS_PER_HOUR * HOURS_PER_DAY)
#define COUNT_MAX 100000000 /* of hours, days or weeks: beyond all years, within int64_t */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool when_is_relative(const char *text, instant_t *out)
{
    static const struct {
        char unit;
        instant_t length;
    } units[] = {{'h', INSTANTS_PER_HOUR}, {'d', INSTANTS_PER_DAY}, {'w', DAYS_PER_WEEK * INSTANTS_PER_DAY}};
    int sign = *text == '-' ? -1 : 1;
    instant_t sum = 0;

    if (*text != '+' && *text != '-')
        return false;
    text++;
    do {
        instant_t count = 0, length = 0;
        if (!is_digit(*text))
            return false;
        for (; is_digit(*text); text++)
            if ((count = count * 10 + (*text - '0')) > COUNT_MAX)
                return false;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
            if ((*text | 0x20) == units[i].unit)
                length = units[i].length;
        if (length == 0 || __builtin_mul_overflow(count, length, &count) || __builtin_add_overflow(sum, count, &sum))
            return false;
        text++;
    } while (*text);
    *out = sign * sum;
    return sum != 0;
}

/* 1970 began on a Thursday. Monday is 0. */
static int weekday(hour_t day)
{
    int64_t days = (int64_t)day / HOURS_PER_DAY;

    return (int)(((days + 3) % DAYS_PER_WEEK + DAYS_PER_WEEK) % DAYS_PER_WEEK);
}

hour_t when_monday(hour_t hour)
{
    hour_t day = hour_day(hour);

    return day - weekday(day) * HOURS_PER_DAY;
}

/* How many days the word, LENGTH letters, lies from the day that begins at TODAY. */
static bool read_day(const char *word, size_t length, hour_t today, int *out)
{
    static const char *const near[] = {"yesterday", "today", "tomorrow"};
    static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

    for (int i = 0; i < 3; i++)
        if (length == strlen(near[i]) && strncasecmp(word, near[i], length) == 0) {
            *out = i - 1;
            return true;
        }
    for (int i = 0; i < DAYS_PER_WEEK; i++)
        if ((length == 3 || length == strlen(days[i])) && strncasecmp(word, days[i], length) == 0) {
            *out = (i - weekday(today) + DAYS_PER_WEEK) % DAYS_PER_WEEK;
            return true;
        }
    return false;
}

/* The offset at the end of a time of day, in instants: what instant_parse makes of it. */
static bool read_offset(const char *text, instant_t *out)
{
    char zero[64];
    instant_t instant;

    *out = 0;
    if (*text == '\0')
        return true;
    if (strlen(text) > 20)
        return false;
    int n = snprintf(zero, sizeof zero, "1970-01-02T00:00:00%s", text);
    if (!instant_parse(zero, (size_t)n, &instant))
        return false;
    *out = INSTANTS_PER_DAY - instant;
    return true;
}

/* "9", "09", "9:05", "09:05:30" and an offset: the part before the offset, as H or HH gets two digits, and the offset. */
static bool read_clock(const char *text, char out[16], const char **offset)
{
    size_t length = strspn(text, "0123456789:");
    size_t hours = strspn(text, "0123456789");

    if (hours < 1 || hours > 2 || length > 8)
        return false;
    snprintf(out, 16, "%s%.*s", hours == 1 ? "0" : "", (int)length, text);
    *offset = text + length + strspn(text + length, " \t"); /* a blank before it is how people write */
    return **offset == '\0' || **offset == 'Z' || **offset == 'z' || **offset == '+' || **offset == '-';
}

/* A day in words, a time of day, or both. */
static bool read_words(const char *text, instant_t now, instant_t *out)
{
    size_t letters = 0;
    char clock[16] = "00:00", date[DATE_TEXT_SIZE], whole[80];
    const char *rest, *offset = "";
    instant_t shift;
    int days = 0;

    while ((text[letters] | 0x20) >= 'a' && (text[letters] | 0x20) <= 'z')
        letters++;
    rest = text + letters;
    rest += strspn(rest, " \t");
    if (letters == 0 && *rest == '\0')
        return false;
    if (*rest && ((letters > 0 && rest == text + letters) || !read_clock(rest, clock, &offset)))
        return false;
    if (!read_offset(offset, &shift))
        return false;
    hour_t today = hour_day(hour_floor(now + shift));
    if (letters > 0 && !read_day(text, letters, today, &days))
        return false;
    hour_t day = today + days * HOURS_PER_DAY;
    if (day < HOUR_MIN || day > HOUR_MAX)
        return false;
    hour_format_date(day, date);
    int n = snprintf(whole, sizeof whole, "%sT%s%s", date, clock, offset);
    return instant_parse(whole, (size_t)n, out);
}

static bool in_range(instant_t instant)
{
    return instant >= HOUR_MIN * INSTANTS_PER_HOUR && instant < (HOUR_MAX + INT64_C(1)) * INSTANTS_PER_HOUR;
}

bool when_parse(const char *text, instant_t now, instant_t base, instant_t *out, struct error *err)
{
    struct slice trimmed = text_trim(text, strlen(text));
    char word[80], shown[160];
    instant_t step;

    text_escape(trimmed.bytes, trimmed.length, shown, sizeof shown);
    if (trimmed.length > 0 && trimmed.length < sizeof word) {
        memcpy(word, trimmed.bytes, trimmed.length);
        word[trimmed.length] = '\0';
        if (strcasecmp(word, "now") == 0) {
            *out = now;
            return true;
        }
        if (when_is_relative(word, &step)) {
            if (!__builtin_add_overflow(base, step, out) && in_range(*out))
                return true;
        } else if (instant_parse(word, trimmed.length, out) || read_words(word, now, out)) {
            return true;
        }
    }
    return error_set(
        err, ERROR_BAD_REQUEST,
        "'%s' is no time; write 2026-11-23T14:00, 2026-11-23, now, today, \"tomorrow 09:00\", fri, 14:00, +4h or +2d "
        "(UTC, or with an offset such as +02:00)",
        shown);
}

void when_format(instant_t instant, char out[WHEN_TEXT_SIZE])
{
    instant_t seconds = instant / INSTANTS_PER_SECOND, fraction = instant % INSTANTS_PER_SECOND;
    char whole[HOUR_TEXT_SIZE];

    if (fraction < 0) {
        fraction += INSTANTS_PER_SECOND;
        seconds--;
    }
    seconds_format(seconds, whole);
    if (fraction == 0)
        snprintf(out, WHEN_TEXT_SIZE, "%s", whole);
    else
        snprintf(out, WHEN_TEXT_SIZE, "%.19s.%06d+00:00", whole, (int)fraction);
}

void when_short(hour_t hour, char out[WHEN_SHORT_SIZE])
{
    char whole[HOUR_TEXT_SIZE];

    hour_format(hour, whole);
    snprintf(out, WHEN_SHORT_SIZE, "%.10s %.5s", whole, whole + 11);
}
