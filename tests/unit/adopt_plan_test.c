#include "tests/unit/unit.h"

#include "tests/unit/arena.h"

#include <stdio.h>

#include "cgi/admin/adopt_plan.h"
#include "common/hour.h"

static struct adopt_plan plan;

static hour_t hour(const char *text)
{
    instant_t instant;

    assert_true(instant_parse(text, strlen(text), &instant));
    return hour_floor(instant);
}

/* As the original writes one. */
static struct original_booking sound(void)
{
    static const char *gpus[] = {"a", "b"};

    return (struct original_booking){
        .id = 7, .node_id = "n1", .start = "2026-03-01T09:00:00+00:00", .end = "2026-03-01T17:00:00+00:00", .user_label = "ada",
        .priority = "medium", .status = "active", .created = "2026-02-01T08:00:00.123456+00:00", .updated = "2026-02-01T08:00:00.123456+00:00",
        .gpu_ids = gpus, .gpu_count = 2,
    };
}

static void make(struct original_booking *bookings, size_t count)
{
    adopt_plan_make(&(struct original){.bookings = bookings, .booking_count = count}, &arena, &plan);
}

/* What the plan makes of one booking. */
static const struct adopted *only(struct original_booking booking)
{
    make(&booking, 1);
    assert_int_equal(plan.unreadable.count, 0);
    assert_int_equal(plan.count, 1);
    return &plan.bookings[0];
}

static void assert_unreadable(struct original_booking booking, const char *why)
{
    char sentence[200];

    make(&booking, 1);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.unreadable.count, 1);
    snprintf(sentence, sizeof sentence, "booking %lld: %s", (long long)booking.id, why);
    assert_string_equal(plan.unreadable.items[0], sentence);
}

TEST(a_booking_comes_over_with_its_id_times_and_gpus)
{
    const struct adopted *a = only(sound());

    assert_int_equal(a->booking.id, 7);
    assert_int_equal(a->booking.version, 1);
    assert_int_equal(a->booking.window.start, hour("2026-03-01T09"));
    assert_int_equal(a->booking.window.end, hour("2026-03-01T17"));
    assert_int_equal(a->held_until, hour("2026-03-01T17"));
    assert_int_equal(a->booking.created, 1769932800);
    assert_int_equal(a->booking.released, 0);
    assert_int_equal(a->booking.status, BOOKING_ACTIVE);
    assert_int_equal(a->booking.priority, PRIORITY_MEDIUM);
    assert_string_equal(a->booking.user_label, "ada");
    assert_null(a->booking.note);
    assert_string_equal(a->node_id, "n1");
    assert_int_equal(a->gpu_count, 2);
    assert_string_equal(a->gpu_ids[1], "b");
    assert_int_equal(plan.changed.count, 0);
}

TEST(times_are_read_in_every_form_of_iso_text_and_snap_outward)
{
    static const struct {
        const char *start, *end;
    } same[] = {
        {"2026-03-01T09:00:00Z", "2026-03-01T17:00:00Z"},
        {"2026-03-01 09:00:00", "2026-03-01 17:00"},
        {"2026-03-01T10:30+01:00", "2026-03-01T17:01+01:00"},
        {"20260301T090000", "20260301T165959.999999"},
        {"2026-03-01T09:59:59.999999+00:00", "2026-03-01T16:00:00.000001+00:00"},
        {"2026-W09-7T09", "2026-W09-7T17"},
    };

    for (size_t i = 0; i < COUNT(same); i++) {
        struct original_booking b = sound();
        b.start = same[i].start;
        b.end = same[i].end;
        const struct adopted *a = only(b);
        assert_int_equal(a->booking.window.start, hour("2026-03-01T09"));
        assert_int_equal(a->booking.window.end, hour("2026-03-01T17"));
    }
}

TEST(an_ended_booking_holds_until_the_hour_in_which_it_was_last_changed_and_no_longer_than_it_was_booked)
{
    static const struct {
        const char *updated, *held_until;
    } cases[] = {
        {"2026-03-01T11:59:59.5+00:00", "2026-03-01T11"}, {"2026-03-01T11:00:00+00:00", "2026-03-01T11"},
        {"2026-03-04T00:00:00+00:00", "2026-03-01T17"},   {"2026-02-27T10:00:00+00:00", "2026-02-27T10"},
    };

    for (enum booking_status status = BOOKING_COMPLETED; status <= BOOKING_CANCELLED; status++)
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct original_booking b = sound();
            b.status = status == BOOKING_COMPLETED ? "completed" : "cancelled";
            b.updated = cases[i].updated;
            const struct adopted *a = only(b);
            assert_int_equal(a->booking.status, status);
            assert_int_equal(a->held_until, hour(cases[i].held_until));
            assert_int_equal(hour_of_seconds(a->booking.released), hour(cases[i].updated));
        }
}

TEST(an_active_booking_holds_all_of_its_window_however_it_was_changed)
{
    struct original_booking b = sound();

    b.updated = "2026-03-01T10:00:00+00:00";
    assert_int_equal(only(b)->held_until, hour("2026-03-01T17"));
}

TEST(seconds_before_1970_are_rounded_down)
{
    struct original_booking b = sound();

    b.created = "1969-12-31T23:59:58.5+00:00";
    assert_int_equal(only(b)->booking.created, -2);
}

TEST(each_field_that_cannot_be_read_is_named)
{
    static const char *const bad_times[] = {NULL, "", "yesterday", "2026-02-30T00:00:00", "2026-03-01T25:00", "1772355600", "2026-03-01T09:00:00+99:00"};
    static const char *const window = "its start and end are not two times of which the second is later";
    static const char *const changed = "the time when it was made or changed cannot be read";
    struct original_booking b;

    for (size_t i = 0; i < COUNT(bad_times); i++) {
        b = sound(), b.start = bad_times[i], assert_unreadable(b, window);
        b = sound(), b.end = bad_times[i], assert_unreadable(b, window);
        b = sound(), b.created = bad_times[i], assert_unreadable(b, changed);
        b = sound(), b.updated = bad_times[i], assert_unreadable(b, changed);
    }
    b = sound(), b.end = b.start, assert_unreadable(b, window);
    b = sound(), b.end = "2026-03-01T08:00:00+00:00", assert_unreadable(b, window);
    /* Both within one hour, and the wrong way round: on the instants as given. */
    b = sound(), b.start = "2026-03-01T09:30", b.end = "2026-03-01T09:20", assert_unreadable(b, window);

    static const char *const bad_ids[] = {NULL, "", " a", "a ", "a\tb", "\xff", "\xed\xa0\x80",
                                          "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < COUNT(bad_ids); i++) {
        const char *gpus[] = {"a", bad_ids[i]};
        b = sound(), b.node_id = bad_ids[i], assert_unreadable(b, "its node's id cannot be read");
        b = sound(), b.gpu_ids = gpus, assert_unreadable(b, "the id of one of its GPUs cannot be read");
    }
    static const char *const bad_words[] = {NULL, "", "Paused", "ACTIVE ", "2"};
    for (size_t i = 0; i < COUNT(bad_words); i++) {
        b = sound(), b.status = bad_words[i], assert_unreadable(b, "its status is none of active, completed, cancelled");
        b = sound(), b.priority = bad_words[i], assert_unreadable(b, "its priority is none of low, medium, high");
    }
    b = sound(), b.gpu_count = 0, assert_unreadable(b, "it has no GPU");
    b = sound(), b.user_label = "\xc3(", assert_unreadable(b, "its label is not UTF-8");
    b = sound(), b.id = 0, assert_unreadable(b, "its id is no number that can be kept");
    b = sound(), b.id = -3, assert_unreadable(b, "its id is no number that can be kept");
    b = sound(), b.id = ((int64_t)1 << 53) + 1, assert_unreadable(b, "its id is no number that can be kept");
}

TEST(damaged_rows_among_sound_ones_are_told_and_the_sound_ones_stay_in_order)
{
    struct original_booking all[5];

    for (int i = 0; i < 5; i++) {
        all[i] = sound();
        all[i].id = 10 + i;
    }
    all[1].status = "paused";
    all[3].start = NULL;
    make(all, 5);
    assert_int_equal(plan.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(plan.bookings[i].booking.id, 10 + 2 * (int64_t)i);
    assert_int_equal(plan.unreadable.count, 2);
    assert_string_equal(plan.unreadable.items[0], "booking 11: its status is none of active, completed, cancelled");
    assert_string_equal(plan.unreadable.items[1], "booking 13: its start and end are not two times of which the second is later");
}

TEST(a_gpu_that_is_named_twice_is_one)
{
    static const char *gpus[] = {"a", "a", "b", "b"};
    struct original_booking b = sound();

    b.gpu_ids = gpus;
    b.gpu_count = 4;
    assert_int_equal(only(b)->gpu_count, 2);
}

TEST(a_label_that_does_not_fit_is_made_to_and_stands_whole_in_the_note)
{
    char text[80];
    struct original_booking b = sound();

    memset(text, 'x', sizeof text);
    text[79] = '\0';
    b.user_label = text;
    const struct adopted *a = only(b);
    assert_int_equal(strlen(a->booking.user_label), 64);
    assert_string_equal(a->booking.note, text);
    assert_int_equal(plan.changed.count, 1);

    b.user_label = "  tabs\tand\nlines\x7f ";
    a = only(b);
    assert_string_equal(a->booking.user_label, "tabs and lines");
    assert_int_equal(plan.changed.count, 1);

    for (size_t i = 0; i < 3; i++) {
        b.user_label = (const char *const[]){NULL, "", " \n "}[i];
        assert_string_equal(only(b)->booking.user_label, "unnamed");
        assert_int_equal(plan.changed.count, 1);
    }
    b.user_label = " Zo\xc3\xab ";
    assert_string_equal(only(b)->booking.user_label, "Zo\xc3\xab");
    assert_int_equal(plan.changed.count, 0);
}

TEST(a_long_label_is_cut_between_characters)
{
    char text[2 * 70 + 1];
    struct original_booking b = sound();

    for (size_t i = 0; i < 70; i++)
        memcpy(text + 2 * i, "\xc3\xab", 2);
    text[140] = '\0';
    b.user_label = text;
    assert_int_equal(strlen(only(b)->booking.user_label), 128);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_ARENA(a_booking_comes_over_with_its_id_times_and_gpus),
        IN_ARENA(times_are_read_in_every_form_of_iso_text_and_snap_outward),
        IN_ARENA(an_ended_booking_holds_until_the_hour_in_which_it_was_last_changed_and_no_longer_than_it_was_booked),
        IN_ARENA(an_active_booking_holds_all_of_its_window_however_it_was_changed),
        IN_ARENA(seconds_before_1970_are_rounded_down),
        IN_ARENA(each_field_that_cannot_be_read_is_named),
        IN_ARENA(damaged_rows_among_sound_ones_are_told_and_the_sound_ones_stay_in_order),
        IN_ARENA(a_gpu_that_is_named_twice_is_one),
        IN_ARENA(a_label_that_does_not_fit_is_made_to_and_stands_whole_in_the_note),
        IN_ARENA(a_long_label_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
