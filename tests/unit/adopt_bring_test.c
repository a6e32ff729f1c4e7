#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "cgi/admin/adopt_bring.h"
#include "tests/unit/database.h"

/* One node with the GPUs a and b, hours counted from here. */
#define DAY 500000
#define NOW (DAY + 1000)
#define CREATED ((int64_t)DAY * 3600 - 7200) /* seconds */

static struct database db;
static struct store *store;
static struct adopt_places places;
static struct adopt_brought brought;
static struct adopt_plan plan;
static struct original original;
static size_t steps;

static int begin(void **state)
{
    static struct original_node nodes[] = {{"n", "Node"}};
    static struct original_gpu gpus[] = {{"a", "n", "A100"}, {"b", "n", NULL}};
    struct error err = ERROR_INIT;

    (void)state;
    database_folder(&db);
    original = (struct original){.nodes = nodes, .node_count = 1, .gpus = gpus, .gpu_count = 2};
    assert_true(store_open(db.path, true, &store, &err));
    assert_true(store_begin_write(store, &err));
    steps = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    store_rollback(store);
    store_close(store);
    database_close(&db);
    return 0;
}

static void step(void *context, int64_t done, int64_t total)
{
    (void)context;
    assert_true(done >= 0 && done <= total);
    steps++;
}

/* A booking from START to END, counted from DAY; it holds until HELD. GPUS: "a", "b" or "ab". */
static struct adopted booking(int64_t id, enum booking_status status, hour_t start, hour_t end_, hour_t held, const char *gpus)
{
    static const char *both[] = {"a", "b"};
    struct adopted a = {.node_id = "n", .gpu_ids = gpus[0] == 'a' ? both : both + 1, .gpu_count = strlen(gpus), .held_until = DAY + held};

    a.booking = (struct booking){.id = id, .window = {DAY + start, DAY + end_}, .user_label = "ada", .priority = PRIORITY_HIGH,
                                 .status = status, .created = CREATED + id, .released = status == BOOKING_ACTIVE ? 0 : (DAY + held) * INT64_C(3600),
                                 .version = 1};
    return a;
}

static void bring(struct adopted *bookings, size_t count)
{
    const struct store_listener listener = {step, NULL, NULL};
    struct error err = ERROR_INIT;

    plan = (struct adopt_plan){.bookings = bookings, .count = count};
    adopt_places_collect(&original, &plan, NOW, &db.arena, &places);
    assert_true(adopt_places_settle(&places, &original, false, NOW, store, &db.arena, &err));
    assert_true(adopt_bring(&plan, &places, store, &listener, &db.arena, &brought, &err));
}

/* Who holds GPU, the earliest first: "1:0-5 2:5-9", hours counted from DAY. */
static const char *held(const char *gpu)
{
    struct adopt_place const *place = adopt_places_find(&places, "n", gpu);
    struct holding *rows;
    struct error err = ERROR_INIT;
    static char text[400];
    size_t count, length = 0;

    text[0] = '\0';
    assert_non_null(place);
    assert_true(store_holdings(store, &db.arena, place->gpu_key, (struct window){0, DAY + 10000}, 0, &rows, &count, &err));
    for (size_t i = count; i-- > 0;)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%lld:%d-%d", length > 0 ? " " : "", (long long)rows[i].booking_id,
                                   (int)(rows[i].window.start - DAY), (int)(rows[i].window.end - DAY));
    return text;
}

TEST(an_active_booking_holds_its_window_on_each_of_its_gpus)
{
    struct adopted all[] = {booking(3, BOOKING_ACTIVE, 0, 8, 8, "ab")};

    bring(all, 1);
    assert_string_equal(held("a"), "3:0-8");
    assert_string_equal(held("b"), "3:0-8");
    assert_int_equal(brought.bookings[BOOKING_ACTIVE], 1);
    assert_true(steps > 0);
}

TEST(active_ones_that_touch_both_come_over)
{
    struct adopted all[] = {booking(1, BOOKING_ACTIVE, 0, 8, 8, "a"), booking(2, BOOKING_ACTIVE, 8, 9, 9, "a")};

    bring(all, 2);
    assert_string_equal(held("a"), "1:0-8 2:8-9");
    assert_int_equal(brought.overlaps.count, 0);
}

TEST(of_active_ones_that_overlap_the_one_with_the_higher_id_is_left_out_on_all_its_gpus_and_told_with_the_hours_they_share)
{
    struct adopted all[] = {booking(1, BOOKING_ACTIVE, 0, 8, 8, "a"), booking(2, BOOKING_ACTIVE, 6, 20, 20, "ab"),
                            booking(3, BOOKING_ACTIVE, 10, 12, 12, "b")};

    bring(all, 3);
    assert_string_equal(held("a"), "1:0-8");
    assert_string_equal(held("b"), "3:10-12");
    assert_int_equal(brought.bookings[BOOKING_ACTIVE], 2);
    assert_int_equal(brought.overlaps.count, 1);
    assert_true(plan.bookings[1].left_out);
    char from[HOUR_TEXT_SIZE], to[HOUR_TEXT_SIZE], sentence[300];
    hour_format(DAY + 6, from);
    hour_format(DAY + 8, to);
    snprintf(sentence, sizeof sentence, "booking 2 (ada) and booking 1, both active, overlap on GPU a of node n from %s to %s", from, to);
    assert_string_equal(brought.overlaps.items[0], sentence);
}

TEST(an_ended_one_yields_to_active_ones_with_higher_ids_and_keeps_what_is_left_on_both_sides)
{
    struct adopted all[] = {booking(1, BOOKING_COMPLETED, 0, 20, 20, "a"), booking(2, BOOKING_ACTIVE, 5, 8, 8, "a"),
                            booking(3, BOOKING_ACTIVE, 10, 12, 12, "a")};

    bring(all, 3);
    assert_string_equal(held("a"), "1:0-5 2:5-8 1:8-10 3:10-12 1:12-20");
}

TEST(of_two_ended_ones_the_one_with_the_lower_id_has_the_hours_they_share)
{
    struct adopted all[] = {booking(1, BOOKING_COMPLETED, 9, 17, 11, "ab"), booking(2, BOOKING_CANCELLED, 9, 17, 15, "a")};

    bring(all, 2);
    assert_string_equal(held("a"), "1:9-11 2:11-15");
    assert_string_equal(held("b"), "1:9-11");
    assert_int_equal(brought.bookings[BOOKING_COMPLETED], 1);
    assert_int_equal(brought.bookings[BOOKING_CANCELLED], 1);
}

TEST(one_that_ended_before_it_began_or_has_no_hour_left_holds_nothing_and_comes_over)
{
    struct adopted all[] = {booking(1, BOOKING_CANCELLED, 30, 40, 5, "a"), booking(2, BOOKING_CANCELLED, 30, 40, 30, "a"),
                            booking(3, BOOKING_ACTIVE, 50, 60, 60, "a"), booking(4, BOOKING_COMPLETED, 50, 60, 60, "a")};

    bring(all, 4);
    assert_string_equal(held("a"), "3:50-60");
    assert_int_equal(brought.bookings[BOOKING_CANCELLED] + brought.bookings[BOOKING_COMPLETED], 3);
}

TEST(a_place_is_in_use_since_its_first_booking_with_the_kind_that_is_known)
{
    struct adopted all[] = {booking(1, BOOKING_ACTIVE, 7, 8, 8, "b"), booking(2, BOOKING_ACTIVE, 20, 21, 21, "b")};
    struct store_gpu *gpus;
    struct store_node *nodes;
    struct error err = ERROR_INIT;
    size_t count;

    bring(all, 2);
    assert_true(store_nodes(store, &db.arena, &nodes, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(nodes[0].name, "Node");
    assert_int_equal(nodes[0].since, DAY + 7);
    assert_true(store_gpus(store, &db.arena, &gpus, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(gpus[0].id, "a");
    assert_string_equal(gpus[0].kind, "A100");
    assert_int_equal(gpus[0].since, NOW);
    assert_string_equal(gpus[1].kind, "unspecified");
    assert_int_equal(gpus[1].since, DAY + 7);
}

TEST(places_with_ids_that_no_configuration_could_have_are_passed_over)
{
    static struct original_gpu odd[] = {{"a", "n", "A100"}, {NULL, "n", NULL}, {"", "n", NULL}, {"b", NULL, NULL}, {" x", "n", NULL}, {"a", "n", NULL}};

    original.gpus = odd;
    original.gpu_count = COUNT(odd);
    plan = (struct adopt_plan){0};
    adopt_places_collect(&original, &plan, NOW, &db.arena, &places);
    assert_int_equal(places.count, 1);
    assert_string_equal(places.items[0].kind, "A100");
    assert_null(adopt_places_find(&places, "n", "x"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    static const struct CMUnitTest tests[] = {
        CASE(an_active_booking_holds_its_window_on_each_of_its_gpus),
        CASE(active_ones_that_touch_both_come_over),
        CASE(of_active_ones_that_overlap_the_one_with_the_higher_id_is_left_out_on_all_its_gpus_and_told_with_the_hours_they_share),
        CASE(an_ended_one_yields_to_active_ones_with_higher_ids_and_keeps_what_is_left_on_both_sides),
        CASE(of_two_ended_ones_the_one_with_the_lower_id_has_the_hours_they_share),
        CASE(one_that_ended_before_it_began_or_has_no_hour_left_holds_nothing_and_comes_over),
        CASE(a_place_is_in_use_since_its_first_booking_with_the_kind_that_is_known),
        CASE(places_with_ids_that_no_configuration_could_have_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
