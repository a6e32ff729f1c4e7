/* Finding free slots: the edges, by hand. find_property_test.c plays the rest against a model. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "cgi/planner/find.h"
#include "tests/unit/database.h"

#include "common/banned.h"

#define CONFIG                                                                                                         \
    "{\"nodes\":[{\"id\":\"beta\",\"gpus\":[{\"id\":\"g0\",\"kind\":\"A\"},{\"id\":\"g1\",\"kind\":\"A\"},"            \
    "{\"id\":\"g2\",\"kind\":\"B\"}]},{\"id\":\"alpha\",\"gpus\":[{\"id\":\"g0\",\"kind\":\"A\"}]}]}"

static struct database db;
static struct error err;
static int64_t booking_id;
static hour_t now;

/* Each test runs inside a write transaction that is undone; all it holds, one booking holds. */
static void begin(void)
{
    struct booking b = {.user_label = "ada", .version = 1, .window = {now, now + 1}};

    assert_true(planner_begin_write(db.planner, &err));
    b.node_key = db.planner->topology.nodes[0].key;
    assert_true(store_booking_insert(db.planner->store, &b, &err));
    booking_id = b.id;
}

static int setup(void **state)
{
    (void)state;
    database_open(&db, CONFIG);
    now = at("2031-03-04T12");
    begin();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    planner_rollback(db.planner);
    error_clear(&err);
    database_close(&db);
    return 0;
}

static const struct node *node(const char *id)
{
    return topology_node(&db.planner->topology, id);
}

/* Hours are counted from now. */
static void hold(const char *node_id, const char *gpu_id, int start, int end)
{
    struct allocation a = {topology_gpu(node(node_id), gpu_id)->key, {now + start, now + end}, booking_id};

    assert_true(store_allocation_insert(db.planner->store, &a, &err));
}

static struct find_wish wish(int gpus, int hours)
{
    return (struct find_wish){.gpus = gpus, .hours = hours, .after = HOUR_NONE, .before = HOUR_NONE, .limit = 100};
}

/* What is found as one text: "beta 0 g0 g1; alpha 5 g0". */
static const char *found(struct find_wish w)
{
    struct buffer text = BUFFER_INIT;
    struct slot *slots;
    size_t count;

    if (!planner_find(db.planner, &db.arena, &w, now, &slots, &count, &err)) {
        fail_msg("%s", err.message);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(window_hours(slots[i].window), w.hours);
        buffer_printf(&text, "%s%s %d", i > 0 ? "; " : "", slots[i].node->id, slots[i].window.start - now);
        for (int64_t g = 0; g < w.gpus; g++)
            buffer_printf(&text, " %s", slots[i].gpus[g]->id);
    }
    const char *copy = arena_copy(&db.arena, text.length > 0 ? text.data : "", text.length);
    buffer_release(&text);
    return copy;
}

/* The same on beta alone, and there on GPUs of kind A: two of them. */
static const char *found_on_pair(struct find_wish w)
{
    const struct node *nodes[] = {node("beta")};

    w.nodes = nodes;
    w.node_count = 1;
    w.kind = "A";
    return found(w);
}

TEST(where_nothing_is_booked_every_node_is_free_at_once_in_configuration_order)
{
    assert_string_equal(found(wish(1, 1)), "beta 0 g0; alpha 0 g0");
    assert_string_equal(found(wish(1, 8784)), "beta 0 g0; alpha 0 g0");
}

TEST(a_gap_as_long_as_the_wish_is_found_and_one_an_hour_shorter_is_not)
{
    hold("alpha", "g0", 0, 10);
    hold("alpha", "g0", 14, 20);
    const struct node *nodes[] = {node("alpha")};
    struct find_wish w = wish(1, 4);
    w.nodes = nodes;
    w.node_count = 1;
    assert_string_equal(found(w), "alpha 10 g0; alpha 20 g0");
    w.hours = 5;
    assert_string_equal(found(w), "alpha 20 g0");
}

TEST(what_began_before_now_counts_until_its_end_and_what_ended_does_not)
{
    hold("alpha", "g0", -50, -10);
    hold("alpha", "g0", -5, 3);
    hold("beta", "g0", -9, 0);
    hold("beta", "g1", -9, 1);
    hold("beta", "g2", -9, 2);
    assert_string_equal(found(wish(1, 1)), "beta 0 g0; alpha 3 g0");
}

TEST(back_to_back_bookings_leave_nothing_between_them)
{
    hold("beta", "g0", 0, 5);
    hold("beta", "g0", 5, 6);
    hold("beta", "g0", 6, 9);
    hold("beta", "g1", 0, 9);
    assert_string_equal(found_on_pair(wish(1, 1)), "beta 9 g0");
}

TEST(a_stretch_goes_on_where_another_gpu_takes_over_without_a_missing_hour)
{
    hold("beta", "g0", 10, 20);
    hold("beta", "g1", 0, 8);
    /* g0 lets two hours start until 8, g1 from 8 on. */
    assert_string_equal(found_on_pair(wish(1, 2)), "beta 0 g0");
    /* g0 lets three hours start until 7, g1 from 8 on: 7 and 8 are neighbours still. */
    assert_string_equal(found_on_pair(wish(1, 3)), "beta 0 g0");
    /* Until 6: at 7 nothing can start. */
    assert_string_equal(found_on_pair(wish(1, 4)), "beta 0 g0; beta 8 g1");
}

TEST(gpus_must_be_free_together_in_the_whole_window)
{
    hold("beta", "g0", 0, 4);
    hold("beta", "g0", 10, 20);
    hold("beta", "g1", 6, 8);
    hold("beta", "g1", 22, 30);
    /* Both are free in [4, 6), [8, 10), [20, 22) and from 30 on. */
    assert_string_equal(found_on_pair(wish(2, 2)), "beta 4 g0 g1; beta 8 g0 g1; beta 20 g0 g1; beta 30 g0 g1");
    assert_string_equal(found_on_pair(wish(2, 3)), "beta 30 g0 g1");
}

TEST(the_gpu_with_the_shortest_free_run_is_taken)
{
    hold("beta", "g0", 9, 10);
    hold("beta", "g1", 8, 10);
    hold("beta", "g2", 20, 21);
    hold("alpha", "g0", 0, 100);
    assert_string_equal(found(wish(1, 3)), "beta 0 g1; alpha 100 g0");
    assert_string_equal(found(wish(2, 3)), "beta 0 g0 g1; beta 10 g0 g2");
}

TEST(a_free_run_counts_from_the_end_of_what_was_before_it)
{
    /* At 5, when both are free for two hours, g0's run is [3, 9) and g1's [5, 10). */
    hold("beta", "g0", 0, 3);
    hold("beta", "g0", 9, 50);
    hold("beta", "g1", 0, 5);
    hold("beta", "g1", 10, 50);
    struct find_wish w = wish(1, 2);
    w.after = now + 5;
    /* Seen from 5 on, g0 has four hours left and g1 five: what lies before the search is no part of a run. */
    assert_string_equal(found_on_pair(w), "beta 5 g0; beta 50 g0");
    w.after = HOUR_NONE;
    w.gpus = 2;
    assert_string_equal(found_on_pair(w), "beta 5 g0 g1; beta 50 g0 g1");
}

TEST(equal_runs_fall_to_the_configuration_s_order_and_endless_ones_come_last)
{
    hold("alpha", "g0", 0, 1000);
    assert_string_equal(found(wish(2, 1)), "beta 0 g0 g1");
    hold("beta", "g2", 500, 501);
    assert_string_equal(found(wish(2, 1)), "beta 0 g0 g2");
    hold("beta", "g1", 500, 501);
    assert_string_equal(found(wish(1, 1)), "beta 0 g1; alpha 1000 g0");
}

TEST(runs_without_an_end_are_equal_wherever_they_begin)
{
    hold("alpha", "g0", 0, 1000);
    hold("beta", "g0", 0, 5);
    hold("beta", "g2", 0, 5);
    assert_string_equal(found(wish(2, 1)), "beta 5 g0 g1");
}

TEST(the_end_lies_by_before_to_the_hour)
{
    hold("alpha", "g0", 0, 10);
    const struct node *nodes[] = {node("alpha")};
    struct find_wish w = wish(1, 4);
    w.nodes = nodes;
    w.node_count = 1;
    w.before = now + 14;
    assert_string_equal(found(w), "alpha 10 g0");
    w.before = now + 13;
    assert_string_equal(found(w), "");
    w.before = now - 1000;
    assert_string_equal(found(w), "");
}

TEST(the_search_begins_at_the_current_hour_or_later)
{
    struct find_wish w = wish(1, 1);
    w.after = now - 1000;
    assert_string_equal(found(w), "beta 0 g0; alpha 0 g0");
    w.after = now + 1000;
    assert_string_equal(found(w), "beta 1000 g0; alpha 1000 g0");
}

TEST(slots_of_all_nodes_come_by_time_and_the_limit_cuts_behind)
{
    hold("beta", "g0", 0, 7);
    hold("beta", "g1", 0, 7);
    hold("beta", "g2", 0, 7);
    hold("alpha", "g0", 3, 5);
    struct find_wish w = wish(1, 1);
    assert_string_equal(found(w), "alpha 0 g0; alpha 5 g0; beta 7 g0");
    w.limit = 2;
    assert_string_equal(found(w), "alpha 0 g0; alpha 5 g0");
    hold("alpha", "g0", 5, 7);
    assert_string_equal(found(w), "alpha 0 g0; beta 7 g0");
}

TEST(the_kind_is_compared_exactly)
{
    struct find_wish w = wish(1, 1);
    w.kind = "B";
    assert_string_equal(found(w), "beta 0 g2");
    w.kind = "b";
    assert_string_equal(found(w), "");
    w.kind = "A";
    w.gpus = 3;
    assert_string_equal(found(w), "");
}

TEST(named_nodes_are_searched_once_each_in_configuration_order)
{
    const struct node *nodes[] = {node("alpha"), node("beta"), node("alpha")};
    struct find_wish w = wish(1, 1);
    w.nodes = nodes;
    w.node_count = 3;
    assert_string_equal(found(w), "beta 0 g0; alpha 0 g0");
    w.node_count = 1;
    assert_string_equal(found(w), "alpha 0 g0");
}

TEST(max_days_ahead_bounds_the_end)
{
    struct limits *limits = &db.planner->config.limits;

    hold("alpha", "g0", 0, 20);
    hold("beta", "g0", 0, 21);
    hold("beta", "g1", 0, 21);
    hold("beta", "g2", 0, 21);
    limits->max_days_ahead = 1;
    assert_string_equal(found(wish(1, 4)), "alpha 20 g0");
    limits->max_days_ahead = 0;
    assert_string_equal(found(wish(1, 4)), "");
    limits->max_days_ahead = 1000000000; /* the largest that a configuration may say */
    assert_string_equal(found(wish(1, 4)), "alpha 20 g0; beta 21 g0");
}

TEST(nothing_ends_behind_the_year_9999)
{
    struct find_wish w = wish(1, 2);
    w.limit = 1;
    w.after = HOUR_MAX - 2;
    now = HOUR_MAX - 10;
    assert_string_equal(found(w), "beta 8 g0");
    w.after = HOUR_MAX - 1;
    assert_string_equal(found(w), "");
    w.hours = FIND_HOURS_MAX;
    assert_string_equal(found(w), "");
}

TEST(a_retired_gpu_is_not_offered)
{
    planner_rollback(db.planner);
    assert_true(database_configure(&db, "{\"nodes\":[{\"id\":\"beta\",\"gpus\":[{\"id\":\"g1\"}]}]}", &err));
    assert_true(planner_begin_write(db.planner, &err));
    assert_string_equal(found(wish(1, 1)), "beta 0 g1");
    assert_string_equal(found(wish(2, 1)), "");
}

/* Rows are read some at a time: wherever that ends, a gap before, between or behind is found, and only that. */
TEST(the_only_gap_is_found_wherever_it_lies_among_many_bookings)
{
    enum { ROWS = 150 };

    for (int gap = 1; gap < ROWS - 1; gap++) {
        char expected[64];
        planner_rollback(db.planner);
        begin();
        hold("beta", "g1", 0, ROWS);
        hold("beta", "g0", -3, 1);
        for (int i = 1; i < ROWS; i++)
            if (i != gap)
                hold("beta", "g0", i, i + 1);
        snprintf(expected, sizeof expected, "beta %d g0; beta %d g0", gap, ROWS);
        assert_string_equal(found_on_pair(wish(1, 1)), expected);
    }
}

/* Free runs stand in indexes by length; at each of their bounds a run that is an hour too short is passed over. */
TEST(every_length_of_a_gap_is_found_by_a_wish_of_that_length)
{
    for (int hours = 1; hours <= 70; hours++) {
        planner_rollback(db.planner);
        begin();
        hold("beta", "g1", 0, 1000);
        hold("beta", "g0", -5, 10);
        hold("beta", "g0", 10 + hours - 1, 300);
        hold("beta", "g0", 300 + hours, 600);
        assert_string_equal(found_on_pair(wish(1, hours)), "beta 300 g0; beta 600 g0");
    }
}

TEST(a_search_that_has_too_much_to_look_at_is_refused)
{
    struct slot *slots;
    size_t count;
    struct find_wish w = wish(2, 1);

    for (int i = 0; i < 40; i++) { /* g0 and g1 take turns */
        hold("beta", "g0", 2 * i, 2 * i + 1);
        hold("beta", "g1", 2 * i + 1, 2 * i + 2);
    }
    w.kind = "A";
    assert_string_equal(found(w), "beta 80 g0 g1");
    w.runs_max = 40;
    assert_false(planner_find(db.planner, &db.arena, &w, now, &slots, &count, &err));
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.field, "before");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(where_nothing_is_booked_every_node_is_free_at_once_in_configuration_order),
        CASE(a_gap_as_long_as_the_wish_is_found_and_one_an_hour_shorter_is_not),
        CASE(what_began_before_now_counts_until_its_end_and_what_ended_does_not),
        CASE(back_to_back_bookings_leave_nothing_between_them),
        CASE(a_stretch_goes_on_where_another_gpu_takes_over_without_a_missing_hour),
        CASE(gpus_must_be_free_together_in_the_whole_window),
        CASE(the_gpu_with_the_shortest_free_run_is_taken),
        CASE(a_free_run_counts_from_the_end_of_what_was_before_it),
        CASE(equal_runs_fall_to_the_configuration_s_order_and_endless_ones_come_last),
        CASE(runs_without_an_end_are_equal_wherever_they_begin),
        CASE(the_end_lies_by_before_to_the_hour),
        CASE(the_search_begins_at_the_current_hour_or_later),
        CASE(slots_of_all_nodes_come_by_time_and_the_limit_cuts_behind),
        CASE(the_kind_is_compared_exactly),
        CASE(named_nodes_are_searched_once_each_in_configuration_order),
        CASE(max_days_ahead_bounds_the_end),
        CASE(nothing_ends_behind_the_year_9999),
        CASE(a_retired_gpu_is_not_offered),
        CASE(the_only_gap_is_found_wherever_it_lies_among_many_bookings),
        CASE(every_length_of_a_gap_is_found_by_a_wish_of_that_length),
        CASE(a_search_that_has_too_much_to_look_at_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
