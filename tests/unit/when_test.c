/* Times on a command line. The clock in these tests stands at 2026-11-25T14:37:20Z, a Wednesday. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "cli/when.h"

#include "common/banned.h"

static instant_t at(const char *iso)
{
    instant_t instant = 0;

    assert_true(instant_parse(iso, strlen(iso), &instant));
    return instant;
}

static const char clock_text[] = "2026-11-25T14:37:20Z";

static void assert_reads_from(const char *text, const char *base, const char *expected)
{
    struct error err = ERROR_INIT;
    instant_t instant = -1;
    char read[WHEN_TEXT_SIZE], wanted[WHEN_TEXT_SIZE];

    if (!when_parse(text, at(clock_text), at(base), &instant, &err))
        fail_msg("'%s' is not read: %s", text, err.message);
    when_format(instant, read);
    when_format(at(expected), wanted);
    if (strcmp(read, wanted) != 0)
        fail_msg("'%s' is read as %s, not %s", text, read, wanted);
}

static void assert_reads(const char *text, const char *expected)
{
    assert_reads_from(text, clock_text, expected);
}

static void assert_refused(const char *text)
{
    struct error err = ERROR_INIT;
    instant_t instant = -1;

    if (when_parse(text, at(clock_text), at(clock_text), &instant, &err))
        fail_msg("'%s' is read", text);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.message, "is no time"));
    error_clear(&err);
}

TEST(iso_8601_is_read_as_the_server_reads_it)
{
    assert_reads("2026-12-01", "2026-12-01T00:00Z");
    assert_reads("2026-12-01T09:30", "2026-12-01T09:30Z");
    assert_reads("2026-12-01 09:30", "2026-12-01T09:30Z");
    assert_reads("2026-12-01T09:30+02:00", "2026-12-01T07:30Z");
    assert_reads("20261201", "2026-12-01T00:00Z");
    assert_reads("2026-W49-1", "2026-11-30T00:00Z");
    assert_reads("  2026-12-01  ", "2026-12-01T00:00Z");
}

TEST(now_is_the_clock)
{
    assert_reads("now", clock_text);
    assert_reads("NOW", clock_text);
}

TEST(today_tomorrow_and_yesterday_begin_at_midnight_utc)
{
    assert_reads("today", "2026-11-25");
    assert_reads("Tomorrow", "2026-11-26");
    assert_reads("yesterday", "2026-11-24");
}

TEST(a_weekday_is_the_coming_one_and_today_counts)
{
    assert_reads("wed", "2026-11-25");
    assert_reads("thu", "2026-11-26");
    assert_reads("fri", "2026-11-27");
    assert_reads("friday", "2026-11-27");
    assert_reads("sat", "2026-11-28");
    assert_reads("Sunday", "2026-11-29");
    assert_reads("mon", "2026-11-30");
    assert_reads("tue", "2026-12-01");
}

TEST(a_time_of_day_may_follow_the_day)
{
    assert_reads("tomorrow 09:00", "2026-11-26T09:00Z");
    assert_reads("tomorrow 9:00", "2026-11-26T09:00Z");
    assert_reads("tomorrow 9", "2026-11-26T09:00Z");
    assert_reads("fri  17:45:10", "2026-11-27T17:45:10Z");
    assert_reads("today 00:00", "2026-11-25");
}

TEST(a_time_of_day_alone_is_todays)
{
    assert_reads("14:00", "2026-11-25T14:00Z");
    assert_reads("9:05", "2026-11-25T09:05Z");
    assert_reads("23", "2026-11-25T23:00Z");
}

/* At 14:37 UTC it is already Thursday in +10:00, and Wednesday's 04:37 in -10:00. */
TEST(with_an_offset_the_day_is_that_places_too)
{
    assert_reads("today 09:00+02:00", "2026-11-25T07:00Z");
    assert_reads("today 09:00+10:00", "2026-11-25T23:00Z");
    assert_reads("tomorrow 09:00 +10:00", "2026-11-26T23:00Z");
    assert_reads("fri 00:00-05:00", "2026-11-27T05:00Z");
    assert_reads("wed 00:00+10:00", "2026-12-01T14:00Z");
    assert_reads("18:00Z", "2026-11-25T18:00Z");
}

TEST(plus_and_minus_count_from_the_base)
{
    assert_reads("+4h", "2026-11-25T18:37:20Z");
    assert_reads("+2d", "2026-11-27T14:37:20Z");
    assert_reads("+1w", "2026-12-02T14:37:20Z");
    assert_reads("-7d", "2026-11-18T14:37:20Z");
    assert_reads("+1d12h", "2026-11-27T02:37:20Z");
    assert_reads("+4H", "2026-11-25T18:37:20Z");
    assert_reads_from("+4h", "2024-02-28T22:00Z", "2024-02-29T02:00Z");
    assert_reads_from("now", "2024-02-28T22:00Z", clock_text);
}

TEST(what_is_no_time_is_refused)
{
    static const char *const wrong[] = {
        "", " ", "+", "-", "+h", "+4", "+4m", "4h", "+0h", "+4h ago", "tomorow", "fr", "frid", "today09:00", "tomorrow 25:00", "tomorrow 09:60",
        "tomorrow x", "tomorrow 09:00 10:00", "24:01", "123", "2026-13-01", "2026-02-29", "today 09:00+25:00", "now 09:00", "+1d-2h",
        "+99999999999h", "+999999999w", "today \xff", "\x1b[2J", "-3000000d",
    };

    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_refused(wrong[i]);
}

TEST(a_refusal_quotes_the_text_without_its_control_characters)
{
    struct error err = ERROR_INIT;
    instant_t instant;

    assert_false(when_parse("to\x1b[2Jday", 0, 0, &instant, &err));
    assert_non_null(strstr(err.message, "'to\\x1b[2Jday'"));
    error_clear(&err);
}

TEST(a_text_of_any_length_is_refused_or_read)
{
    char text[4000];

    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_refused(text);
    memset(text, 'a', sizeof text - 1);
    assert_refused(text);
}

TEST(the_years_end_at_9999)
{
    struct error err = ERROR_INIT;
    instant_t instant, last = at("9999-12-31T23:00Z");

    assert_false(when_parse("+1h", last, last, &instant, &err));
    error_clear(&err);
    assert_false(when_parse("tomorrow", last, last, &instant, &err));
    error_clear(&err);
    assert_true(when_parse("today", last, last, &instant, &err));
    instant_t first = at("0001-01-01");
    assert_false(when_parse("yesterday", first, first, &instant, &err));
    error_clear(&err);
}

TEST(an_instant_is_written_with_its_fraction_and_only_with_one)
{
    char text[WHEN_TEXT_SIZE];

    when_format(at("2026-11-25T14:37:20Z"), text);
    assert_string_equal(text, "2026-11-25T14:37:20+00:00");
    when_format(at("2026-11-25T14:37:20.000001Z"), text);
    assert_string_equal(text, "2026-11-25T14:37:20.000001+00:00");
    when_format(at("1969-12-31T23:59:59.5Z"), text);
    assert_string_equal(text, "1969-12-31T23:59:59.500000+00:00");
}

TEST(a_week_begins_on_monday)
{
    static const struct {
        const char *day, *monday;
    } weeks[] = {{"2026-11-23", "2026-11-23"}, {"2026-11-25", "2026-11-23"}, {"2026-11-29", "2026-11-23"}, {"2026-11-30", "2026-11-30"},
                 {"2024-01-01", "2024-01-01"}, {"1970-01-01", "1969-12-29"}, {"1969-12-28", "1969-12-22"}};

    for (size_t i = 0; i < COUNT(weeks); i++)
        assert_int_equal(when_monday(hour_floor(at(weeks[i].day)) + 23), hour_floor(at(weeks[i].monday)));
}

TEST(an_hour_for_people_has_no_seconds)
{
    char text[WHEN_SHORT_SIZE];

    when_short(hour_floor(at("2026-11-25T14:00Z")), text);
    assert_string_equal(text, "2026-11-25 14:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_8601_is_read_as_the_server_reads_it),
        cmocka_unit_test(now_is_the_clock),
        cmocka_unit_test(today_tomorrow_and_yesterday_begin_at_midnight_utc),
        cmocka_unit_test(a_weekday_is_the_coming_one_and_today_counts),
        cmocka_unit_test(a_time_of_day_may_follow_the_day),
        cmocka_unit_test(a_time_of_day_alone_is_todays),
        cmocka_unit_test(with_an_offset_the_day_is_that_places_too),
        cmocka_unit_test(plus_and_minus_count_from_the_base),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_refusal_quotes_the_text_without_its_control_characters),
        cmocka_unit_test(a_text_of_any_length_is_refused_or_read),
        cmocka_unit_test(the_years_end_at_9999),
        cmocka_unit_test(an_instant_is_written_with_its_fraction_and_only_with_one),
        cmocka_unit_test(a_week_begins_on_monday),
        cmocka_unit_test(an_hour_for_people_has_no_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
