#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgi/planner/availability.h"
#include "cgi/planner/booking.h"
#include "cgi/planner/sync.h"
#include "tests/unit/database.h"

#include "common/banned.h"

#define CONFIG "{\"nodes\":[{\"id\":\"n\",\"gpus\":[{\"id\":\"g0\"},{\"id\":\"g1\"},{\"id\":\"g2\"}]},{\"id\":\"m\",\"gpus\":[{\"id\":\"g0\"}]}]%s}"
static const struct actor actor = {"", false};

static struct database db;
static struct error err;

static void open_with(const char *more)
{
    char text[1024];

    snprintf(text, sizeof text, CONFIG, more);
    database_open(&db, text);
}

static int setup(void **state)
{
    (void)state;
    open_with("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    error_clear(&err);
    database_close(&db);
    return 0;
}

static instant_t instant(const char *text)
{
    instant_t out;

    assert_true(instant_parse(text, strlen(text), &out));
    return out;
}

static int64_t seconds(const char *text)
{
    return instant(text) / 1000000;
}

/* Books and commits, or rolls back; the id, or 0 with err set. */
static int64_t book(const char *node, const char *gpu, int64_t count, const char *start, const char *end, const char *now)
{
    struct booking_request request = {.node_id = node, .start = instant(start), .end = instant(end), .user_label = " u ",
                                      .gpu_ids = &gpu, .gpu_id_count = gpu != NULL, .gpu_count = count};
    struct booking *b;

    error_clear(&err);
    assert_true(planner_begin_write(db.planner, &err));
    if (planner_book(db.planner, &db.arena, &request, &actor, seconds(now), &b, &err)) {
        assert_true(planner_commit(db.planner, &err));
        assert_string_equal(b->user_label, "u");
        return b->id;
    }
    planner_rollback(db.planner);
    return 0;
}

static bool end(int64_t id, enum booking_status status, const char *now)
{
    struct booking *b;
    bool ok;

    error_clear(&err);
    assert_true(planner_begin_write(db.planner, &err));
    ok = planner_end(db.planner, &db.arena, id, status, &actor, seconds(now), &b, &err);
    if (ok)
        assert_true(planner_commit(db.planner, &err));
    else
        planner_rollback(db.planner);
    return ok;
}

static struct availability look(const char *node, const char *start, const char *stop)
{
    struct availability a;

    assert_true(planner_begin_read(db.planner, &err));
    assert_true(planner_availability(db.planner, &db.arena, topology_node(&db.planner->topology, node),
                                     (struct window){at(start), at(stop)}, &a, &err));
    planner_end_read(db.planner);
    return a;
}

static void back_to_back_bookings_touch_and_do_not_collide(void **state)
{
    (void)state;
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01T10:00", "2031-01-01T12:00", "2031-01-01"), 0);
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01T12:00", "2031-01-01T13:00", "2031-01-01"), 0);
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01T09:00", "2031-01-01T10:00", "2031-01-01"), 0);
    assert_int_equal(book("n", "g0", 0, "2031-01-01T11:59", "2031-01-01T12:30", "2031-01-01"), 0);
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_int_equal(err.conflict_count, 2);
}

static void the_same_gpu_id_on_another_node_is_another_gpu(void **state)
{
    (void)state;
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01", "2031-01-02", "2031-01-01"), 0);
    assert_int_not_equal(book("m", "g0", 0, "2031-01-01", "2031-01-02", "2031-01-01"), 0);
}

static void a_count_takes_the_first_free_gpus(void **state)
{
    (void)state;
    book("n", "g1", 0, "2031-01-01", "2031-01-02", "2031-01-01");
    assert_int_not_equal(book("n", NULL, 2, "2031-01-01", "2031-01-02", "2031-01-01"), 0);
    struct availability a = look("n", "2031-01-01", "2031-01-02");
    assert_int_equal(a.rows[0].count, 1);
    assert_int_equal(a.rows[2].count, 1);
    assert_int_equal(a.rows[0].holds[0].booking, a.rows[2].holds[0].booking);
    assert_int_equal(book("n", NULL, 1, "2031-01-01", "2031-01-02", "2031-01-01"), 0);
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_int_equal(err.conflict_count, 3);
    assert_int_equal(book("n", NULL, 4, "2032-01-01", "2032-01-02", "2031-01-01"), 0);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
}

static void the_used_hours_of_an_ended_booking_do_not_refuse_a_new_one(void **state)
{
    (void)state;
    int64_t first = book("n", "g0", 0, "2031-01-01", "2031-01-02", "2031-01-01");
    assert_true(end(first, BOOKING_COMPLETED, "2031-01-01T09:40"));
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01", "2031-01-03", "2031-01-01T09:50"), 0);
    struct availability a = look("n", "2031-01-01", "2031-01-03");
    assert_int_equal(a.rows[0].count, 1);
    assert_int_equal(a.rows[0].holds[0].window.start, at("2031-01-01T09:00"));
    assert_int_equal(a.rows[0].holds[0].window.end, at("2031-01-03"));
    assert_int_equal(a.booking_count, 2);
}

static void a_booking_over_hours_that_were_all_used_holds_nothing(void **state)
{
    (void)state;
    int64_t first = book("n", "g0", 0, "2031-01-01", "2031-01-01T06:00", "2031-01-01");
    assert_true(end(first, BOOKING_COMPLETED, "2031-01-01T12:00"));
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01T01:00", "2031-01-01T05:00", "2031-01-01T12:00"), 0);
    assert_int_equal(look("n", "2031-01-01", "2031-01-02").rows[0].count, 0);
}

static void an_active_booking_before_an_ended_one_still_refuses(void **state)
{
    (void)state;
    book("n", "g0", 0, "2031-01-01T00:00", "2031-01-01T03:00", "2031-01-01");
    int64_t second = book("n", "g0", 0, "2031-01-01T05:00", "2031-01-01T09:00", "2031-01-01");
    assert_true(end(second, BOOKING_CANCELLED, "2031-01-01T07:00"));
    assert_int_equal(book("n", "g0", 0, "2031-01-01", "2031-01-02", "2031-01-01T08:00"), 0);
    assert_int_equal(err.conflict_count, 1);
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01T03:00", "2031-01-02", "2031-01-01T08:00"), 0);
}

static void ending_twice_is_not_found(void **state)
{
    (void)state;
    int64_t id = book("n", "g0", 0, "2031-01-05", "2031-01-06", "2031-01-01");
    assert_true(end(id, BOOKING_CANCELLED, "2031-01-01"));
    assert_false(end(id, BOOKING_COMPLETED, "2031-01-01"));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_false(end(77, BOOKING_COMPLETED, "2031-01-01"));
    assert_string_equal(err.message, "Booking '77' is not active or does not exist");
    assert_int_equal(look("n", "2031-01-01", "2031-02-01").rows[0].count, 0);
}

static void what_left_the_file_is_retired_and_what_came_back_is_the_same(void **state)
{
    (void)state;
    int64_t id = book("n", "g2", 0, "2031-01-05", "2031-01-06", "2031-01-01");
    int64_t key = topology_gpu(topology_node(&db.planner->topology, "n"), "g2")->key;
    assert_true(database_configure(&db, "{\"nodes\":[{\"id\":\"n\",\"gpus\":[{\"id\":\"g1\"},{\"id\":\"g0\"}]}]}", &err));
    assert_int_equal(book("n", "g2", 0, "2031-03-05", "2031-03-06", "2031-01-01"), 0);
    assert_string_equal(err.message, "One or more GPUs do not belong to the specified node");
    assert_int_equal(book("m", NULL, 1, "2031-03-05", "2031-03-06", "2031-01-01"), 0);
    assert_string_equal(err.message, "Unknown node id 'm'");
    struct availability a = look("n", "2031-01-01", "2031-02-01");
    assert_int_equal(a.node->gpu_count, 2);
    assert_string_equal(a.rows[0].gpu->id, "g1");
    assert_int_equal(a.booking_count, 1);
    assert_string_equal(topology_gpu_by_key(&db.planner->topology, a.bookings[0]->gpu_keys[0])->id, "g2");
    char text[512];
    snprintf(text, sizeof text, CONFIG, "");
    assert_true(database_configure(&db, text, &err));
    a = look("n", "2031-01-01", "2031-02-01");
    assert_int_equal(a.rows[2].gpu->key, key);
    assert_int_equal(a.bookings[a.rows[2].holds[0].booking]->id, id);
}

static void a_bad_configuration_changes_nothing(void **state)
{
    (void)state;
    assert_true(planner_begin_read(db.planner, &err));
    int64_t revision = db.planner->state.revision;
    planner_end_read(db.planner);
    assert_false(database_configure(&db, "{\"nodes\":[{\"id\":\"x\"},{\"id\":\"x\"}]}", &err));
    assert_int_equal(err.code, ERROR_CONFIGURATION);
    assert_true(planner_begin_read(db.planner, &err));
    assert_int_equal(db.planner->state.revision, revision);
    assert_int_equal(db.planner->topology.node_count, 2);
    assert_string_equal(db.planner->topology.nodes[0].id, "n");
    planner_end_read(db.planner);
}

static void the_same_text_again_is_no_event(void **state)
{
    char text[512];

    (void)state;
    assert_true(planner_begin_read(db.planner, &err));
    int64_t revision = db.planner->state.revision;
    planner_end_read(db.planner);
    snprintf(text, sizeof text, CONFIG, "");
    assert_true(database_configure(&db, text, &err));
    assert_true(planner_begin_read(db.planner, &err));
    assert_int_equal(db.planner->state.revision, revision);
    planner_end_read(db.planner);
}

static void configure_limit(const char *more)
{
    char text[1024];

    snprintf(text, sizeof text, CONFIG, more);
    assert_true(database_configure(&db, text, &err));
}

static void refused_by(const char *key, int64_t value)
{
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.limit, key);
    assert_int_equal(err.limit_value, value);
    assert_non_null(strstr(err.message, key));
}

static void each_limit_refuses_just_beyond_its_edge(void **state)
{
    (void)state;
    configure_limit(",\"limits\":{\"max_booking_hours\":5}");
    assert_int_equal(book("n", "g0", 0, "2031-01-01T00:00", "2031-01-01T05:01", "2031-01-01"), 0);
    refused_by("max_booking_hours", 5);
    assert_int_not_equal(book("n", "g0", 0, "2031-01-01T00:00", "2031-01-01T05:00", "2031-01-01"), 0);

    configure_limit(",\"limits\":{\"max_days_ahead\":2}");
    assert_int_equal(book("n", "g0", 0, "2031-01-03T09:00", "2031-01-03T10:01", "2031-01-01T10:30"), 0);
    refused_by("max_days_ahead", 2);
    assert_int_not_equal(book("n", "g0", 0, "2031-01-03T09:00", "2031-01-03T10:00", "2031-01-01T10:30"), 0);

    configure_limit(",\"limits\":{\"max_gpus_per_booking\":2}");
    assert_int_equal(book("n", NULL, 3, "2031-02-01", "2031-02-02", "2031-01-01"), 0);
    refused_by("max_gpus_per_booking", 2);
    assert_int_not_equal(book("n", NULL, 2, "2031-02-01", "2031-02-02", "2031-01-01"), 0);

    configure_limit(",\"limits\":{\"allow_past\":false}");
    assert_int_equal(book("n", "g0", 0, "2031-03-01T09:59", "2031-03-01T12:00", "2031-03-01T10:30"), 0);
    refused_by("allow_past", 0);
    assert_int_not_equal(book("n", "g0", 0, "2031-03-01T10:00", "2031-03-01T12:00", "2031-03-01T10:30"), 0);
}

static void the_limit_on_a_persons_hours_counts_what_is_ahead_and_active(void **state)
{
    (void)state;
    configure_limit(",\"limits\":{\"max_active_gpu_hours_per_user\":20}");
    int64_t first = book("n", NULL, 2, "2031-01-01T00:00", "2031-01-01T08:00", "2031-01-01"); /* 16 */
    assert_int_not_equal(first, 0);
    assert_int_equal(book("m", "g0", 0, "2031-01-02T00:00", "2031-01-02T05:00", "2031-01-01"), 0);
    refused_by("max_active_gpu_hours_per_user", 20);
    int64_t second = book("m", "g0", 0, "2031-01-02T00:00", "2031-01-02T04:00", "2031-01-01"); /* 20 */
    assert_int_not_equal(second, 0);
    /* Six hours later twelve of the first booking's hours have passed. */
    assert_int_equal(book("n", "g2", 0, "2031-01-03T00:00", "2031-01-03T13:00", "2031-01-01T06:00"), 0);
    assert_int_not_equal(book("n", "g2", 0, "2031-01-03T00:00", "2031-01-03T12:00", "2031-01-01T06:00"), 0);
    assert_true(end(second, BOOKING_CANCELLED, "2031-01-01T06:00"));
    assert_int_not_equal(book("m", "g0", 0, "2031-01-02T00:00", "2031-01-02T04:00", "2031-01-01T06:00"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(back_to_back_bookings_touch_and_do_not_collide),
        TEST(the_same_gpu_id_on_another_node_is_another_gpu),
        TEST(a_count_takes_the_first_free_gpus),
        TEST(the_used_hours_of_an_ended_booking_do_not_refuse_a_new_one),
        TEST(a_booking_over_hours_that_were_all_used_holds_nothing),
        TEST(an_active_booking_before_an_ended_one_still_refuses),
        TEST(ending_twice_is_not_found),
        TEST(what_left_the_file_is_retired_and_what_came_back_is_the_same),
        TEST(a_bad_configuration_changes_nothing),
        TEST(the_same_text_again_is_no_event),
        TEST(each_limit_refuses_just_beyond_its_edge),
        TEST(the_limit_on_a_persons_hours_counts_what_is_ahead_and_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
