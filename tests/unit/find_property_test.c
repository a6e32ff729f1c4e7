/*
 * Finding free slots against a model that looks at every hour of every GPU. Random calendars, small and dense, on several
 * nodes with several kinds; random questions to each. Starts, stretches, freeness, the choice of GPUs and
 * the order must be the model's exactly. The seed is printed (see random.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgi/planner/find.h"
#include "tests/unit/database.h"
#include "tests/unit/random.h"

#include "common/banned.h"

#define CALENDARS 1500
#define QUESTIONS 4 /* to each calendar */
#define PERIODS 5   /* each with a configuration of its own */
#define HOURS_MAX 260 /* the model's calendar; behind it everything is free */
#define GPUS_MAX 16
#define NODES_MAX 5
#define BOOKINGS 3 /* that hold all of a calendar */
#define NOW 20 /* hours of the calendar that have passed */

/* The second one retires a GPU and a node that the first one has, the third brings them back. */
static const char *const configs[] = {
    "{\"nodes\":[{\"id\":\"n0\",\"gpus\":[{\"id\":\"a\",\"kind\":\"X\"},{\"id\":\"b\",\"kind\":\"Y\"},{\"id\":\"c\",\"kind\":\"X\"},"
    "{\"id\":\"d\",\"kind\":\"Y\"}]},{\"id\":\"n1\",\"gpus\":[{\"id\":\"a\",\"kind\":\"X\"}]},{\"id\":\"n2\"},"
    "{\"id\":\"n3\",\"gpus\":[{\"id\":\"a\",\"kind\":\"x\"},{\"id\":\"b\",\"kind\":\"X\"},{\"id\":\"c\",\"kind\":\"X\"}]}]}",
    "{\"nodes\":[{\"id\":\"n3\",\"gpus\":[{\"id\":\"c\",\"kind\":\"X\"},{\"id\":\"a\",\"kind\":\"X\"}]},"
    "{\"id\":\"n0\",\"gpus\":[{\"id\":\"d\",\"kind\":\"Y\"},{\"id\":\"b\",\"kind\":\"X\"},{\"id\":\"a\",\"kind\":\"X\"}]}]}",
    "{\"nodes\":[{\"id\":\"n1\",\"gpus\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"d\"},{\"id\":\"e\"},"
    "{\"id\":\"f\"}]},{\"id\":\"n0\",\"gpus\":[{\"id\":\"a\",\"kind\":\"X\"},{\"id\":\"b\",\"kind\":\"X\"}]},"
    "{\"id\":\"n3\",\"gpus\":[{\"id\":\"a\",\"kind\":\"X\"},{\"id\":\"b\",\"kind\":\"X\"}]}]}",
};
#define CONFIGS (sizeof configs / sizeof configs[0])

/* -- the model ---------------------------------------------------------------------------------------------------- */

struct model_gpu {
    const struct gpu *gpu;
    int held[HOURS_MAX]; /* by which of the bookings, counted from 1; 0: free */
};

static struct model_gpu model[GPUS_MAX]; /* all GPUs of the topology, retired ones too, in order */
static size_t model_count;
static int hours; /* of this calendar */
static hour_t base;

static bool is_free(const struct model_gpu *g, int hour)
{
    return hour >= hours || !g->held[hour];
}

static bool is_free_for(const struct model_gpu *g, int start, int length)
{
    for (int h = start; h < start + length && h < hours; h++)
        if (g->held[h])
            return false;
    return true;
}

/* INT32_MAX when nothing follows. */
static int run_length(const struct model_gpu *g, int from, int hour)
{
    int start = hour, end = hour;

    while (start > from && is_free(g, start - 1))
        start--;
    while (end < hours && is_free(g, end))
        end++;
    return end >= hours ? INT32_MAX : end - start;
}

struct question {
    struct find_wish wish;
    const struct node *nodes[NODES_MAX * 2];
    int from, last; /* first and last start, in hours of the calendar */
};

static bool asked_for(const struct question *q, const struct model_gpu *g, const struct node *node)
{
    if (g->gpu->node != node || g->gpu->until != HOUR_NONE)
        return false;
    return q->wish.kind == NULL || strcmp(q->wish.kind, g->gpu->kind) == 0;
}

static bool node_asked_for(const struct question *q, const struct node *node)
{
    for (size_t i = 0; i < q->wish.node_count; i++)
        if (q->nodes[i] == node)
            return true;
    return q->wish.nodes == NULL;
}

static bool possible(const struct question *q, const struct node *node, int start)
{
    int64_t free_gpus = 0;

    for (size_t i = 0; i < model_count; i++)
        free_gpus += asked_for(q, &model[i], node) && is_free_for(&model[i], start, (int)q->wish.hours);
    return free_gpus >= q->wish.gpus;
}

/* Takes the shortest run that is left, again and again; the earlier one of equals. */
static void choose(const struct question *q, const struct node *node, int start, bool *chosen)
{
    memset(chosen, 0, GPUS_MAX * sizeof *chosen);
    for (int64_t n = 0; n < q->wish.gpus; n++) {
        size_t best = GPUS_MAX;
        int shortest = 0;
        for (size_t i = 0; i < model_count; i++) {
            if (chosen[i] || !asked_for(q, &model[i], node) || !is_free_for(&model[i], start, (int)q->wish.hours))
                continue;
            int length = run_length(&model[i], q->from, start);
            if (best == GPUS_MAX || length < shortest) {
                best = i;
                shortest = length;
            }
        }
        assert_true(best < GPUS_MAX);
        chosen[best] = true;
    }
}

/* -- comparing ---------------------------------------------------------------------------------------------------- */

static void compare_slot(const struct question *q, const struct slot *slot, const struct node *node, int start)
{
    bool chosen[GPUS_MAX];
    size_t next = 0;

    if (slot->node != node || slot->window.start != base + start)
        fail_msg("slot on %s at hour %d, the model has %s at hour %d", slot->node->id, slot->window.start - base, node->id,
                 start);
    assert_int_equal(slot->window.end, base + start + q->wish.hours);
    choose(q, node, start, chosen);
    for (size_t i = 0; i < model_count; i++) {
        if (!chosen[i])
            continue;
        if (slot->gpus[next] != model[i].gpu)
            fail_msg("slot on %s at hour %d: GPU %zu is %s, the model takes %s", node->id, start, next, slot->gpus[next]->id,
                     model[i].gpu->id);
        next++;
    }
    assert_int_equal(next, q->wish.gpus);
}

static void compare(struct database *db, const struct question *q, const struct slot *slots, size_t count)
{
    const struct topology *topology = &db->planner->topology;
    int quiet = hours > q->from ? hours : q->from; /* from here on nothing changes any more */
    size_t found = 0;

    for (int t = q->from; t <= q->last && t <= quiet && found < q->wish.limit; t++)
        for (size_t n = 0; n < topology->node_count && found < q->wish.limit; n++) {
            const struct node *node = &topology->nodes[n];
            if (!node_asked_for(q, node) || !possible(q, node, t) || (t > q->from && possible(q, node, t - 1)))
                continue;
            if (found >= count)
                fail_msg("%zu slots, but %s is free at hour %d too", count, node->id, t);
            compare_slot(q, &slots[found++], node, t);
        }
    if (found != count)
        fail_msg("%zu slots, the model has %zu", count, found);
}

/* -- random questions and calendars ------------------------------------------------------------------------------- */

static void ask(struct database *db, struct error *err)
{
    static const char *const kinds[] = {"X", "Y", "x", "nothing", "unspecified"};
    const struct topology *topology = &db->planner->topology;
    struct question q = {.wish = {.gpus = 1 + random_below(random_below(3) == 0 ? 6 : 3),
                                  .hours = 1 + random_below(random_below(3) == 0 ? 80 : 9),
                                  .after = HOUR_NONE,
                                  .before = HOUR_NONE,
                                  .limit = 1 + random_below(random_below(2) == 0 ? 100 : 8)}};
    struct limits *limits = &db->planner->config.limits;
    struct slot *slots;
    size_t count;
    int end = hours + 100;

    q.from = NOW;
    if (random_below(2)) {
        int after = (int)random_below((unsigned)hours + 5);
        q.wish.after = base + after;
        q.from = after > NOW ? after : NOW;
    }
    if (random_below(2)) {
        end = (int)random_below((unsigned)hours + 10);
        q.wish.before = base + end;
    }
    limits->max_days_ahead = random_below(3) == 0 ? (int64_t)random_below(8) : -1;
    if (limits->max_days_ahead >= 0 && NOW + 24 * (int)limits->max_days_ahead < end)
        end = NOW + 24 * (int)limits->max_days_ahead;
    q.last = end - (int)q.wish.hours;
    if (random_below(2))
        q.wish.kind = kinds[random_below(5)];
    if (random_below(3) == 0) {
        q.wish.nodes = q.nodes;
        q.wish.node_count = 1 + random_below(4);
        for (size_t i = 0; i < q.wish.node_count; i++)
            q.nodes[i] = &topology->nodes[random_below((unsigned)topology->node_count)];
    }
    if (!planner_find(db->planner, &db->arena, &q.wish, base + NOW, &slots, &count, err))
        fail_msg("%s", err->message);
    compare(db, &q, slots, count);
}

struct row {
    struct model_gpu *gpu;
    int start, end, booking;
};

static struct row rows[GPUS_MAX * HOURS_MAX];
static size_t row_count;
static int64_t booking_ids[BOOKINGS];

/* Runs of held hours until the end, with pauses; both lengths differ from calendar to calendar and from GPU to GPU. */
static void fill(struct model_gpu *g, unsigned longest, unsigned longest_pause)
{
    int start = (int)random_below(longest_pause + 10);

    while (start < hours) {
        int end = start + 1 + (int)random_below(longest);
        rows[row_count++] = (struct row){g, start, end < hours ? end : hours, (int)random_below(BOOKINGS)};
        start = end + (int)random_below(longest_pause + 1);
    }
}

static void make_bookings(struct database *db, struct error *err)
{
    int64_t keys[GPUS_MAX];

    for (size_t i = 0; i < model_count; i++)
        keys[i] = model[i].gpu->key;
    for (int i = 0; i < BOOKINGS; i++) {
        struct booking b = {.node_key = model[0].gpu->node->key, .window = {base, base + hours}, .user_label = "p",
                            .version = 1, .gpu_keys = keys, .gpu_count = model_count};
        if (!store_booking_insert(db->planner->store, &b, err))
            fail_msg("%s", err->message);
        booking_ids[i] = b.id;
    }
}

/* In any order, as people book; now and then joined to the row before. */
static void hold_rows(struct database *db, struct error *err)
{
    for (size_t left = row_count; left > 0; left--) {
        struct row *row = &rows[random_below((unsigned)left)];
        struct allocation a = {row->gpu->gpu->key, {base + row->start, base + row->end}, booking_ids[row->booking]};
        if (!(random_below(2) ? store_allocation_insert : store_allocation_hold)(db->planner->store, &a, err))
            fail_msg("%s", err->message);
        for (int h = row->start; h < row->end; h++)
            row->gpu->held[h] = row->booking + 1;
        *row = rows[left - 1];
    }
}

/* One of the bookings gives back what it holds from some hour on. */
static void cut(struct database *db, struct error *err)
{
    int booking = (int)random_below(BOOKINGS), hour = (int)random_below((unsigned)hours);

    if (!store_allocations_cut(db->planner->store, booking_ids[booking], base + hour, err))
        fail_msg("%s", err->message);
    for (size_t i = 0; i < model_count; i++)
        for (int h = hour; h < hours; h++)
            if (model[i].held[h] == booking + 1)
                model[i].held[h] = 0;
}

static void make_calendar(struct database *db, struct error *err)
{
    static const unsigned lengths[] = {1, 2, 5, 30}, pauses[] = {0, 2, 10, 90};
    const struct topology *topology = &db->planner->topology;

    hours = NOW + (int)random_below(random_below(20) == 0 ? HOURS_MAX - NOW : 60);
    memset(model, 0, sizeof model);
    model_count = row_count = 0;
    for (size_t n = 0; n < topology->node_total; n++)
        for (size_t i = 0; i < topology->nodes[n].gpu_total; i++) {
            struct model_gpu *g = &model[model_count++];
            assert_true(model_count <= GPUS_MAX);
            g->gpu = &topology->nodes[n].gpus[i];
            if (random_below(6) > 0)
                fill(g, lengths[random_below(4)], pauses[random_below(4)]);
        }
    make_bookings(db, err);
    hold_rows(db, err);
    if (random_below(3) == 0)
        cut(db, err);
}

static void found_slots_are_those_of_an_hour_by_hour_model(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    int calendars = random_steps(CALENDARS);

    (void)state;
    database_open(&db, configs[0]);
    base = at("2031-02-27");
    for (int i = 0, period = 0; i < calendars; i++) {
        if (i >= calendars * period / PERIODS)
            assert_true(database_configure(&db, configs[period++ % CONFIGS], &err));
        assert_true(planner_begin_write(db.planner, &err));
        make_calendar(&db, &err);
        for (int j = 0; j < QUESTIONS; j++)
            ask(&db, &err);
        planner_rollback(db.planner);
        arena_reset(&db.arena);
    }
    database_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(found_slots_are_those_of_an_hour_by_hour_model)};

    random_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
