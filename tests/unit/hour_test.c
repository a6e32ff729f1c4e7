#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "common/hour.h"

#define SECOND ((instant_t)1000000)
#define HOUR (3600 * SECOND)
/* 2026-11-23 is day 20780: 56 years of 365 days, 14 leap days since 1970, and the 327th day of its year. */
#define NOVEMBER_23 (20780 * 24)

static bool parse(const char *text, instant_t *out)
{
    return instant_parse(text, strlen(text), out);
}

#define assert_instant(text, expected)                                                                                 \
    do {                                                                                                               \
        instant_t read_instant = -1;                                                                                   \
        if (!parse(text, &read_instant))                                                                               \
            fail_msg("\"%s\" was refused", text);                                                                      \
        if (read_instant != (instant_t)(expected))                                                                     \
            fail_msg("\"%s\" was read as %lld", text, (long long)read_instant);                                        \
    } while (0)

#define assert_no_instant(text)                                                                                        \
    do {                                                                                                               \
        instant_t read_instant;                                                                                        \
        if (parse(text, &read_instant))                                                                                \
            fail_msg("\"%s\" was read as %lld", text, (long long)read_instant);                                        \
    } while (0)

TEST(a_date_alone_is_its_first_moment_in_utc)
{
    assert_instant("1970-01-01", 0);
    assert_instant("2026-11-23", NOVEMBER_23 * HOUR);
    assert_instant("20261123", NOVEMBER_23 * HOUR);
    assert_instant("2024-02-29", 19782 * 24 * HOUR);
    assert_instant("0001-01-01", HOUR_MIN * HOUR);
}

TEST(a_time_may_be_given_to_the_hour_the_minute_the_second_or_finer)
{
    assert_instant("2026-11-23T14", (NOVEMBER_23 + 14) * HOUR);
    assert_instant("2026-11-23T14:30", (NOVEMBER_23 + 14) * HOUR + 1800 * SECOND);
    assert_instant("2026-11-23T14:30:15", (NOVEMBER_23 + 14) * HOUR + 1815 * SECOND);
    assert_instant("20261123T143015", (NOVEMBER_23 + 14) * HOUR + 1815 * SECOND);
    assert_instant("2026-11-23T1430", (NOVEMBER_23 + 14) * HOUR + 1800 * SECOND);
    assert_instant("2026-11-23 14:00", (NOVEMBER_23 + 14) * HOUR);
    assert_instant("2026-11-23t14:00", (NOVEMBER_23 + 14) * HOUR);
    assert_instant("2026-11-23T14:00:00.5", (NOVEMBER_23 + 14) * HOUR + SECOND / 2);
    assert_instant("2026-11-23T14:00:00,000001", (NOVEMBER_23 + 14) * HOUR + 1);
    assert_instant("2026-11-23T14:00:00.1234567891234567", (NOVEMBER_23 + 14) * HOUR + 123456);
    assert_instant("9999-12-31T23:59:59.999999", (HOUR_MAX + 1) * HOUR - 1);
}

TEST(an_offset_is_subtracted)
{
    instant_t noon = (NOVEMBER_23 + 12) * HOUR;
    assert_instant("2026-11-23T12:00Z", noon);
    assert_instant("2026-11-23T13:00+01", noon);
    assert_instant("2026-11-23T13:00+0100", noon);
    assert_instant("2026-11-23T13:00+01:00", noon);
    assert_instant("2026-11-23T06:30:00-05:30", noon);
    assert_instant("2026-11-23T12:00:00-00:00", noon);
    assert_instant("2026-11-23T12:00:10+00:00:10", noon);
    assert_instant("2026-11-23T12:00:01+00:00:00.000001", noon + SECOND); /* CPython: an offset below a second is UTC */
    assert_instant("2026-11-23T12:00:02+00:00:01.5", noon + SECOND / 2);
    assert_instant("2026-11-24T11:59:59+23:59:59", noon);
    assert_instant("2026-11-23T13:39+01:39", noon);
    assert_instant("2026-11-23T14:39+01:99", noon); /* CPython counts 99 minutes */
    assert_instant("2026-11-23T13+01", noon);
    assert_no_instant("2026-11-23T12:00+24:00");
    assert_no_instant("2026-11-23T12:00-24:00");
    assert_no_instant("2026-11-23T12:00+23:60");
    assert_no_instant("2026-11-23T12:00+1");
    assert_no_instant("2026-11-23T12:00+");
    assert_no_instant("2026-11-23T12:00z");
    assert_no_instant("2026-11-23T12:00ZZ");
    assert_no_instant("2026-11-23+01:00");
    assert_no_instant("2026-11-23Z");
}

TEST(a_blank_where_the_plus_should_be_is_a_plus)
{
    instant_t noon = (NOVEMBER_23 + 12) * HOUR;
    assert_instant("2026-11-23T13:00:00 01:00", noon);
    assert_instant("2026-11-23 13:00:00 01:00", noon);
    assert_instant("20261123T13 01", noon);
    assert_instant("2026-11-23T12:00:00.5 00:00", noon + SECOND / 2);
    assert_no_instant("2026-11-23T13:00:00  01:00");
    assert_no_instant("2026-11-23T13:00:00 ");
}

/* 2026 begins on a Thursday and so has 53 weeks: 2026-W53-5 is New Year's Day of 2027. */
TEST(a_week_date_is_read_in_four_forms)
{
    instant_t monday = NOVEMBER_23 * HOUR; /* of week 48 */
    assert_instant("2026-W48", monday);
    assert_instant("2026W48", monday);
    assert_instant("2026-W48-1", monday);
    assert_instant("2026W481", monday);
    assert_instant("2026-W48-7", monday + 6 * 24 * HOUR);
    assert_instant("2026W487T06", monday + 150 * HOUR);
    assert_instant("2026-W48-3T06:00", monday + 54 * HOUR);
    assert_instant("2026-W48T06:00", monday + 6 * HOUR);
    assert_instant("2026W48T06", monday + 6 * HOUR);
    assert_instant("2026-W53-5", 20819 * 24 * HOUR);
    assert_instant("2025-W01-1", 20087 * 24 * HOUR); /* 2024-12-30 */
    assert_no_instant("2025-W53");
    assert_no_instant("2026-W54");
    assert_no_instant("2026-W00");
    assert_no_instant("2026-W48-0");
    assert_no_instant("2026-W48-8");
    assert_no_instant("2026-w48");
    assert_no_instant("2026-W48-");
    assert_no_instant("2026-W481");
    assert_no_instant("2026W48-1");
    assert_no_instant("2026-W4");
    assert_no_instant("9999-W52-6"); /* the first day of the year 10000 */
    assert_no_instant("0000-W52-7");
}

TEST(a_text_that_is_no_timestamp_is_refused)
{
    static const char *const bad[] = {
        "", "2026", "2026-11", "202611", "2026-1-1", "2026-11-2", "26-11-23", "2026/11/23", "2026-1123", "202611-23",
        "2026-11-23T", "2026-11-23 ", "2026-11-23T1", "2026-11-23T1:00", "2026-11-23T24:00", "2026-11-23T12:60",
        "2026-11-23T12:00:60", "2026-11-23T12:00:00.", "2026-11-23T12:00:", "2026-11-23T12:", "2026-11-23T12:00:00.x",
        "2026-11-23T12:0000", "2026-11-23T12:00:00:", "2026-11-23T12.", "2026-11-23_12:00", "2026-11-23TT12:00",
        "2026-11-23X12:00", "2026-11-231", " 2026-11-23", "2026-11-23T12:00\n", "-026-11-23", "+2026-11-23", "2026-+1-23",
        "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-02-29", "1900-02-29", "2026-04-31", "0000-01-01",
        "10000-01-01", "2026-327", "2026327", "tomorrow", "1700000000", "٢٠٢٦-11-23", ("2026-11-23\xe2\x80\x89" "12:00"), "\xff\xff\xff\xff-\xff",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_no_instant(bad[i]);
    instant_t instant;
    assert_false(instant_parse("2026-11-23\0", 11, &instant));
    assert_false(instant_parse("2026-11-23T12\0", 14, &instant));
}

/* What Python 3.11 takes though no standard has it; each was tried there. */
TEST(the_oddities_of_pythons_fromisoformat_are_kept)
{
    instant_t noon = (NOVEMBER_23 + 12) * HOUR;
    assert_instant("2026-11-23T12.5", noon + SECOND / 2);
    assert_instant("2026-11-23T12:00:00:25", noon + SECOND / 4);
    assert_instant("2026-11-23T12000025", noon + SECOND / 4);
    assert_instant("2026-11-23T12:+00:00", noon);
    assert_instant("2026-11-23T12:00 Z", noon);
    assert_instant("2026-11-23T13:00:00 +01:00", noon);
    assert_instant("2026-11-23T12:00:00.+00:00", noon);
    assert_instant("2026-11-23T12:00:00.123456x+00:00", noon + 123456);
}

TEST(only_the_given_bytes_are_read)
{
    instant_t instant;
    assert_true(instant_parse("2026-11-23T14:30", 13, &instant));
    assert_int_equal(instant, (NOVEMBER_23 + 14) * HOUR);
    assert_false(instant_parse("2026-11-23", 9, &instant));
    assert_false(instant_parse(NULL, 0, &instant));
}

TEST(an_instant_outside_the_calendar_is_refused)
{
    assert_instant("0001-01-01T01:00+01:00", HOUR_MIN * HOUR);
    assert_no_instant("0001-01-01T00:59:59+01:00");
    assert_instant("9999-12-31T22:00-01:00", (instant_t)HOUR_MAX * HOUR);
    assert_no_instant("9999-12-31T23:00-01:00");
}

static int days_in(int year, int month)
{
    if (month == 2)
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Against a calendar that counts day by day from the year 1, whose first day was a Monday. */
TEST(every_day_of_ten_thousand_years_is_written_and_read)
{
    hour_t hour = HOUR_MIN;
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            int last = days_in(year, month);
            for (int day = 1; day <= last; day++, hour += 24) {
                if (day != 1 && day < last - 1 && year % 100 != 26)
                    continue; /* the ends of each month, and some whole years */
                char expected[40], text[DATE_TEXT_SIZE];
                snprintf(expected, sizeof(expected), "%04d-%02d-%02d", year, month, day);
                hour_format_date(hour + 23, text);
                assert_string_equal(text, expected);
                assert_instant(expected, hour * HOUR);
            }
        }
    }
    assert_int_equal(hour, HOUR_MAX + 1);
}

/* A week belongs to the year its Thursday is in, and is counted by its Thursdays. */
TEST(every_week_of_eight_hundred_years_is_read)
{
    hour_t day = HOUR_MIN;
    int weekday = 0;
    hour_t monday = day;
    int year_week = 0;
    for (int year = 1; year <= 2800; year++) {
        year_week = 0;
        int days = days_in(year, 2) == 29 ? 366 : 365;
        for (int i = 0; i < days; i++, day += 24, weekday = (weekday + 1) % 7) {
            if (weekday == 0)
                monday = day;
            if (weekday != 3)
                continue;
            year_week++;
            if (year < 2000)
                continue;
            char text[40];
            snprintf(text, sizeof(text), "%04d-W%02d", year, year_week);
            assert_instant(text, monday * HOUR);
            snprintf(text, sizeof(text), "%04dW%02d7", year, year_week);
            assert_instant(text, (monday + 6 * 24) * HOUR);
        }
        if (year < 2000)
            continue;
        char text[40];
        snprintf(text, sizeof(text), "%04d-W%02d", year, year_week + 1);
        assert_no_instant(text);
    }
}

TEST(a_start_snaps_down_and_an_end_up)
{
    assert_int_equal(hour_floor(0), 0);
    assert_int_equal(hour_ceil(0), 0);
    assert_int_equal(hour_floor(HOUR - 1), 0);
    assert_int_equal(hour_ceil(1), 1);
    assert_int_equal(hour_ceil(HOUR), 1);
    assert_int_equal(hour_floor(-1), -1);
    assert_int_equal(hour_ceil(-1), 0);
    assert_int_equal(hour_floor(-HOUR), -1);
    assert_int_equal(hour_ceil(-HOUR), -1);
    assert_int_equal(hour_floor(-HOUR - 1), -2);
    assert_int_equal(hour_ceil(-HOUR - 1), -1);
    assert_int_equal(hour_ceil((HOUR_MAX + 1) * HOUR - 1), HOUR_MAX + 1);
}

TEST(seconds_and_days_round_down_before_1970_too)
{
    assert_int_equal(hour_of_seconds(3599), 0);
    assert_int_equal(hour_of_seconds(3600), 1);
    assert_int_equal(hour_of_seconds(-1), -1);
    assert_int_equal(hour_of_seconds(2209032000), 613620); /* 2040-01-01T12, beyond 32 bits */
    assert_int_equal(hour_day(NOVEMBER_23 + 23), NOVEMBER_23);
    assert_int_equal(hour_day(NOVEMBER_23), NOVEMBER_23);
    assert_int_equal(hour_day(-1), -24);
    assert_int_equal(hour_day(-24), -24);
    assert_int_equal(hour_day(HOUR_MIN), HOUR_MIN);
}

TEST(an_hour_is_written_in_full_whatever_was_written_before)
{
    static const struct {
        hour_t hour;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00+00:00"},
        {-1, "1969-12-31T23:00:00+00:00"},
        {NOVEMBER_23 + 14, "2026-11-23T14:00:00+00:00"},
        {NOVEMBER_23 + 23, "2026-11-23T23:00:00+00:00"},
        {NOVEMBER_23 + 24, "2026-11-24T00:00:00+00:00"},
        {NOVEMBER_23 - 1, "2026-11-22T23:00:00+00:00"},
        {HOUR_MIN, "0001-01-01T00:00:00+00:00"},
        {HOUR_MAX, "9999-12-31T23:00:00+00:00"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t j = 0; j < COUNT(cases); j++) {
            char text[HOUR_TEXT_SIZE];
            hour_format(cases[i].hour, text);
            assert_string_equal(text, cases[i].text);
            hour_format(cases[j].hour, text);
            assert_string_equal(text, cases[j].text);
        }
    }
}

TEST(seconds_are_written_in_full)
{
    char text[HOUR_TEXT_SIZE];
    seconds_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00+00:00");
    seconds_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59+00:00");
    seconds_format((int64_t)(NOVEMBER_23 + 14) * 3600 + 61, text);
    assert_string_equal(text, "2026-11-23T14:01:01+00:00");
    seconds_format(2209032000, text);
    assert_string_equal(text, "2040-01-01T12:00:00+00:00");
}

/* The database could hold anything: what is written stays a date. */
TEST(what_lies_outside_the_calendar_is_written_as_its_end)
{
    char text[HOUR_TEXT_SIZE];
    seconds_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59+00:00");
    seconds_format(INT64_MIN, text);
    assert_memory_equal(text, "0001-01-01T", 11);
    hour_format(INT32_MAX, text);
    assert_memory_equal(text, "9999-12-31T", 11);
    hour_format(INT32_MIN, text);
    assert_memory_equal(text, "0001-01-01T", 11);
}

TEST(windows_that_touch_do_not_overlap)
{
    struct window a = {10, 12}, b = {12, 14}, c = {11, 13}, d = {5, 20};
    assert_false(window_overlaps(a, b));
    assert_false(window_overlaps(b, a));
    assert_true(window_overlaps(a, c));
    assert_true(window_overlaps(a, d));
    assert_true(window_overlaps(d, a));
    assert_int_equal(window_hours(d), 15);
    struct window shared = window_intersect(a, c);
    assert_int_equal(shared.start, 11);
    assert_int_equal(shared.end, 12);
    assert_int_equal(window_hours(window_intersect(a, b)), 0);
    assert_int_equal(window_hours(window_intersect((struct window){0, 1}, d)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_alone_is_its_first_moment_in_utc),
        cmocka_unit_test(a_time_may_be_given_to_the_hour_the_minute_the_second_or_finer),
        cmocka_unit_test(an_offset_is_subtracted),
        cmocka_unit_test(a_blank_where_the_plus_should_be_is_a_plus),
        cmocka_unit_test(a_week_date_is_read_in_four_forms),
        cmocka_unit_test(a_text_that_is_no_timestamp_is_refused),
        cmocka_unit_test(the_oddities_of_pythons_fromisoformat_are_kept),
        cmocka_unit_test(only_the_given_bytes_are_read),
        cmocka_unit_test(an_instant_outside_the_calendar_is_refused),
        cmocka_unit_test(every_day_of_ten_thousand_years_is_written_and_read),
        cmocka_unit_test(every_week_of_eight_hundred_years_is_read),
        cmocka_unit_test(a_start_snaps_down_and_an_end_up),
        cmocka_unit_test(seconds_and_days_round_down_before_1970_too),
        cmocka_unit_test(an_hour_is_written_in_full_whatever_was_written_before),
        cmocka_unit_test(seconds_are_written_in_full),
        cmocka_unit_test(what_lies_outside_the_calendar_is_written_as_its_end),
        cmocka_unit_test(windows_that_touch_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
