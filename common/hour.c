#include "common/hour.h"

#include <string.h>

#include "common/banned.h"

#define SECOND ((int64_t)1000000) /* in microseconds */
#define HOUR (3600 * SECOND)
#define SECONDS_PER_DAY 86400

/* -- the calendar --------------------------------------------------------------------------------------------- */

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar. YEAR is 0 or more: then no division needs flooring. */
static int32_t days_from_civil(int year, int month, int day)
{
    /* Years begin in March, so that the day that comes and goes is the last of its year. */
    year -= month <= 2;
    int era = (year >= 0 ? year : year - 399) / 400;
    int year_of_era = year - era * 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int32_t days, int *year, int *month, int *day)
{
    days += 719468;
    int era = (days >= 0 ? days : days - 146096) / 146097;
    int day_of_era = days - era * 146097;
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* 0 is Monday. 1970-01-01 was a Thursday. */
static int weekday(int32_t days)
{
    return (int)(((int64_t)days + 3 + 7 * (int64_t)1000000) % 7);
}

/* -- reading -------------------------------------------------------------------------------------------------- */

/* Text with a position. Behind its end stand NULs without end, as behind a C string there is one: the grammar below is
 * CPython's (3.11, Modules/_datetimemodule.c), which looks a character ahead. */
struct reader {
    const char *text;
    size_t length, at;
};

static char peek(const struct reader *r)
{
    return r->at < r->length ? r->text[r->at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool digits(struct reader *r, int count, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, r->at++) {
        char c = peek(r);
        if (!is_digit(c))
            return false;
        value = value * 10 + (c - '0');
    }
    *out = value;
    return true;
}

/* Where a date would end and its separator stand: told by the fifth and sixth character, and for week dates by what follows. */
static bool date_length(const char *text, size_t length, size_t *out)
{
    if (length < 7)
        return false;
    if (length == 7) {
        *out = 7;
    } else if (text[4] == '-' && text[5] == 'W') {
        if (length > 8 && text[8] == '-') /* YYYY-Www-D, unless that hyphen is meant as a separator, which we do not take */
            *out = 10;
        else
            *out = 8;
    } else if (text[4] == '-') {
        *out = 10;
    } else if (text[4] == 'W') {
        *out = is_digit(text[7]) ? 8 : 7;
    } else {
        *out = 8;
    }
    return *out <= length;
}

static bool read_week_date(struct reader *r, int year, bool hyphens, int32_t *out_days)
{
    int week, day = 1;
    r->at++; /* the W */
    if (!digits(r, 2, &week))
        return false;
    if (r->at < r->length) {
        if (hyphens && r->text[r->at++] != '-')
            return false;
        if (!digits(r, 1, &day))
            return false;
    }
    int32_t january_1 = days_from_civil(year, 1, 1);
    int first = weekday(january_1);
    bool long_year = first == 3 || (first == 2 && is_leap(year));
    if (week < 1 || week > 52 + long_year || day < 1 || day > 7)
        return false;
    /* Week 1 is the one with the year's first Thursday in it. */
    int32_t week_1 = january_1 - first + (first > 3 ? 7 : 0);
    *out_days = week_1 + (week - 1) * 7 + day - 1;
    return true;
}

/* TEXT's LENGTH bytes are a date and nothing else. */
static bool read_date(const char *text, size_t length, int32_t *out_days)
{
    struct reader r = {text, length, 0};
    int year, month, day;
    if (!digits(&r, 4, &year))
        return false;
    bool hyphens = peek(&r) == '-';
    r.at += hyphens;
    if (peek(&r) == 'W')
        return read_week_date(&r, year, hyphens, out_days) && r.at == length;
    if (!digits(&r, 2, &month) || (hyphens && peek(&r) != '-'))
        return false;
    r.at += hyphens;
    if (!digits(&r, 2, &day) || r.at != length)
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *out_days = days_from_civil(year, month, day);
    return true;
}

struct clock {
    int hour, minute, second, microsecond;
};

enum clock_result { CLOCK_BAD, CLOCK_WHOLE, CLOCK_MORE /* something stands behind it */ };

/*
 * HH[[:]MM[[:]SS]] and a fraction, up to END, which may lie before the reader's end: then an offset begins there. What is
 * odd in it is CPython's: a fraction may follow an hour or a minute, and what it calls "more" decides over "12:+01:00".
 */
static enum clock_result read_clock(struct reader *r, size_t end, struct clock *out)
{
    int *parts[] = {&out->hour, &out->minute, &out->second};
    bool colons = true;
    *out = (struct clock){0};
    for (int i = 0; i < 3; i++) {
        if (!digits(r, 2, parts[i]))
            return CLOCK_BAD;
        char c = peek(r);
        r->at++;
        if (i == 0)
            colons = c == ':';
        if (r->at >= end)
            return c != '\0' ? CLOCK_MORE : CLOCK_WHOLE;
        if (colons && c == ':')
            continue;
        if (c == '.' || c == ',')
            break;
        if (colons)
            return CLOCK_BAD;
        r->at--;
    }
    static const int scale[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    size_t count = end - r->at < 6 ? end - r->at : 6;
    if (!digits(r, (int)count, &out->microsecond))
        return CLOCK_BAD;
    out->microsecond *= scale[count];
    while (is_digit(peek(r)))
        r->at++;
    return peek(r) != '\0' ? CLOCK_MORE : CLOCK_WHOLE;
}

/* The offset that begins at the reader's position, with its sign or Z. */
static bool read_offset(struct reader *r, instant_t *out)
{
    char sign = r->text[r->at++];
    if (sign == 'Z') {
        *out = 0;
        return r->at == r->length;
    }
    struct clock c;
    if (read_clock(r, r->length, &c) != CLOCK_WHOLE)
        return false;
    int64_t seconds = c.hour * 3600 + c.minute * 60 + c.second;
    instant_t offset = seconds * SECOND + c.microsecond;
    if (seconds == 0)
        offset = 0; /* CPython takes it for UTC, whatever the fraction */
    if (offset >= 24 * HOUR)
        return false;
    *out = sign == '-' ? -offset : offset;
    return true;
}

/* The time and offset at the reader's position, to the text's end. SIGNS begin an offset. */
static bool read_time(struct reader r, const char *signs, instant_t *out, instant_t *out_offset)
{
    size_t offset_at = r.at;
    while (offset_at < r.length && !strchr(signs, r.text[offset_at]))
        offset_at++;
    struct clock c;
    enum clock_result result = read_clock(&r, offset_at, &c);
    *out_offset = 0;
    if (result == CLOCK_BAD || (result == CLOCK_MORE && offset_at == r.length))
        return false;
    if (c.hour > 23 || c.minute > 59 || c.second > 59)
        return false;
    *out = ((instant_t)c.hour * 3600 + c.minute * 60 + c.second) * SECOND + c.microsecond;
    r.at = offset_at;
    return offset_at == r.length || read_offset(&r, out_offset);
}

bool instant_parse(const char *text, size_t length, instant_t *out)
{
    size_t date_end;
    int32_t days;
    if (!date_length(text, length, &date_end) || memchr(text, '\0', length) || !read_date(text, date_end, &days))
        return false;

    instant_t time = 0, offset = 0;
    if (length > date_end) {
        char separator = text[date_end];
        if (separator != 'T' && separator != 't' && separator != ' ')
            return false;
        struct reader r = {text, length, date_end + 1};
        /* First as CPython reads it, where a blank begins no offset. */
        if (!read_time(r, "+-Z", &time, &offset) && !read_time(r, "+-Z ", &time, &offset))
            return false;
    }
    instant_t local = (instant_t)days * 24 * HOUR + time;
    instant_t instant = local - offset;
    instant_t earliest = HOUR_MIN * HOUR, latest = (HOUR_MAX + 1) * HOUR;
    if (local < earliest || local >= latest || instant < earliest || instant >= latest)
        return false;
    *out = instant;
    return true;
}

/* -- hours ---------------------------------------------------------------------------------------------------- */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

hour_t hour_floor(instant_t instant)
{
    return (hour_t)floor_divide(instant, HOUR);
}

hour_t hour_ceil(instant_t instant)
{
    return (hour_t)(floor_divide(instant, HOUR) + (instant % HOUR != 0));
}

hour_t hour_of_seconds(int64_t seconds)
{
    return (hour_t)floor_divide(seconds, SECONDS_PER_HOUR);
}

hour_t hour_day(hour_t hour)
{
    return (hour_t)(floor_divide(hour, HOURS_PER_DAY) * HOURS_PER_DAY);
}

/* -- writing -------------------------------------------------------------------------------------------------- */

static void put_two(char *out, int value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

#define DATE_LENGTH (DATE_TEXT_SIZE - 1)

/*
 * Writes ten bytes, no NUL. An answer's hours run through the days in order, so the day before last is rarely asked for:
 * the last one is remembered. What lies outside the calendar (a database can hold anything) becomes its first or last day.
 */
static void put_date(int64_t day, char *out)
{
    static _Thread_local int64_t known_day = INT64_MIN;
    static _Thread_local char known[DATE_LENGTH];
    if (day != known_day) {
        int64_t first = HOUR_MIN / HOURS_PER_DAY, last = HOUR_MAX / HOURS_PER_DAY;
        int32_t bounded = (int32_t)(day < first ? first : day > last ? last : day);
        int year, month, month_day;
        civil_from_days(bounded, &year, &month, &month_day);
        put_two(known, year / 100);
        put_two(known + 2, year % 100);
        known[4] = '-';
        put_two(known + 5, month);
        known[7] = '-';
        put_two(known + 8, month_day);
        known_day = day;
    }
    memcpy(out, known, DATE_LENGTH);
}

void hour_format(hour_t hour, char out[HOUR_TEXT_SIZE])
{
    int64_t day = floor_divide(hour, HOURS_PER_DAY);
    put_date(day, out);
    memcpy(out + DATE_LENGTH, "T00:00:00+00:00", HOUR_TEXT_SIZE - DATE_LENGTH);
    put_two(out + DATE_LENGTH + 1, (int)(hour - day * HOURS_PER_DAY));
}

void hour_format_date(hour_t hour, char out[DATE_TEXT_SIZE])
{
    put_date(floor_divide(hour, HOURS_PER_DAY), out);
    out[DATE_LENGTH] = '\0';
}

void seconds_format(int64_t seconds, char out[HOUR_TEXT_SIZE])
{
    int64_t first = (int64_t)HOUR_MIN * SECONDS_PER_HOUR, last = (int64_t)(HOUR_MAX + 1) * SECONDS_PER_HOUR - 1;
    seconds = seconds < first ? first : seconds > last ? last : seconds;
    int64_t day = floor_divide(seconds, SECONDS_PER_DAY);
    int second = (int)(seconds - day * SECONDS_PER_DAY);
    put_date(day, out);
    memcpy(out + DATE_LENGTH, "T00:00:00+00:00", HOUR_TEXT_SIZE - DATE_LENGTH);
    put_two(out + DATE_LENGTH + 1, second / 3600);
    put_two(out + DATE_LENGTH + 4, second / 60 % 60);
    put_two(out + DATE_LENGTH + 7, second % 60);
}
