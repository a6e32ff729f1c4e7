/*
 * The rules against a model that knows nothing of windows, indexes or SQL: for each GPU and hour it remembers who holds it.
 * Random bookings, changes, completions, cancellations and hours that pass; after each step both must agree on what was
 * answered and on who holds every hour. The seed is printed (see random.h).
 */
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
#include "tests/unit/database.h"
#include "tests/unit/random.h"

#include "common/banned.h"

#define STEPS 4000
#define GPUS 5
#define HOURS 120
#define BOOKINGS_MAX STEPS

static const char *const config = "{\"nodes\":[{\"id\":\"n\",\"gpus\":[{\"id\":\"g0\"},{\"id\":\"g1\"},{\"id\":\"g2\"},"
                                  "{\"id\":\"g3\"},{\"id\":\"g4\"}]}]}";
static const char *const gpu_ids[GPUS] = {"g0", "g1", "g2", "g3", "g4"};

struct model_booking {
    bool active;
    bool gpus[GPUS];
    int start, end;
};

struct model {
    int64_t held[GPUS][HOURS]; /* booking id, 0: free */
    bool ended[GPUS][HOURS];   /* the hour was used by a booking that has ended */
    struct model_booking bookings[BOOKINGS_MAX + 1];
    int64_t last_id;
    int now;
};

static struct model model;
static hour_t base(void)
{
    return at("2031-02-27");
}

static int64_t now_seconds(void)
{
    return ((int64_t)base() + model.now) * SECONDS_PER_HOUR + random_below(SECONDS_PER_HOUR);
}

/* An hour is in the way when an active booking holds it: one that has not passed, or of a GPU it still has. */
static bool model_blocks(int gpu, int hour, int64_t except)
{
    int64_t id = model.held[gpu][hour];

    return id != 0 && id != except && !model.ended[gpu][hour] && (hour >= model.now || model.bookings[id].gpus[gpu]);
}

static bool model_free(int gpu, int start, int end, int64_t except)
{
    for (int h = start; h < end; h++)
        if (model_blocks(gpu, h, except))
            return false;
    return true;
}

/* True when all that is NAMED is free. */
static bool model_named(const bool *named, int start, int end, int64_t except)
{
    for (int g = 0; g < GPUS; g++)
        if (named[g] && !model_free(g, start, end, except))
            return false;
    return true;
}

/* Takes COUNT free GPUs: of OWN (may be NULL) first, then the others, each in order. False when there are too few. */
static bool model_count(int count, const bool *own, int start, int end, int64_t except, bool *out)
{
    memset(out, 0, GPUS * sizeof *out);
    for (int pass = 0; pass < 2; pass++)
        for (int g = 0; g < GPUS && count > 0; g++)
            if ((own != NULL && own[g]) == (pass == 0) && model_free(g, start, end, except)) {
                out[g] = true;
                count--;
            }
    return count == 0;
}

/* Holds [start, end) of GPU, but for what others have used before. */
static void model_hold(int64_t id, int g, int start, int end)
{
    int from = start;

    for (int h = start; h < end; h++)
        if (model.held[g][h] != 0)
            from = h + 1;
    /* Two loops: gcc 12.2 -O1 takes one that does both for a function without effects, and drops the call. */
    for (int h = from; h < end; h++)
        model.held[g][h] = id;
    for (int h = from; h < end; h++)
        model.ended[g][h] = false;
}

static void model_book(int64_t id, const bool *gpus, int start, int end)
{
    struct model_booking *b = &model.bookings[id];

    *b = (struct model_booking){.active = true, .start = start, .end = end};
    memcpy(b->gpus, gpus, sizeof b->gpus);
    for (int g = 0; g < GPUS; g++)
        if (gpus[g])
            model_hold(id, g, start, end);
    model.last_id = id;
}

static void model_edit(int64_t id, const bool *gpus, int start, int end)
{
    struct model_booking *b = &model.bookings[id];
    int from = b->start < model.now ? model.now : 0;

    for (int g = 0; g < GPUS; g++)
        for (int h = from; h < HOURS; h++)
            if (model.held[g][h] == id)
                model.held[g][h] = 0;
    b->start = start;
    b->end = end;
    memcpy(b->gpus, gpus, sizeof b->gpus);
    for (int g = 0; g < GPUS; g++)
        if (gpus[g])
            model_hold(id, g, from > start ? from : start, end);
}

static void model_end(int64_t id)
{
    model.bookings[id].active = false;
    for (int g = 0; g < GPUS; g++)
        for (int h = 0; h < HOURS; h++) {
            if (model.held[g][h] != id)
                continue;
            if (h >= model.now)
                model.held[g][h] = 0;
            else
                model.ended[g][h] = true;
        }
}

/* Some GPUs, at least one, in any order. */
static size_t random_gpus(const char **ids, bool *named)
{
    int first = (int)random_below(GPUS);
    size_t n = 0;

    for (int i = 0; i < GPUS; i++) {
        int g = (first + i) % GPUS;
        named[g] = i == 0 || random_below(2);
        if (named[g])
            ids[n++] = gpu_ids[g];
    }
    return n;
}

/* Anywhere within the hour: times snap outward. */
static instant_t within_first(int hour)
{
    return ((instant_t)(base() + hour) * SECONDS_PER_HOUR + random_below(SECONDS_PER_HOUR / 2)) * 1000000;
}

static instant_t within_last(int hour)
{
    return ((instant_t)(base() + hour) * SECONDS_PER_HOUR - random_below(SECONDS_PER_HOUR / 2)) * 1000000;
}

static void step_book(struct database *db, struct error *err)
{
    static const struct actor actor = {"prop", true};
    int start = (int)random_below(HOURS - 1), end = start + 1 + (int)random_below(random_below(4) == 0 ? 40 : 8);
    int count = random_below(2) ? 1 + (int)random_below(GPUS) : 0;
    bool gpus[GPUS] = {false}, expected;
    const char *ids[GPUS];
    struct booking *b = NULL;
    struct booking_request request = {.node_id = "n", .user_label = "p", .gpu_ids = ids, .gpu_count = count};

    if (end > HOURS)
        end = HOURS;
    if (count == 0) {
        request.gpu_id_count = random_gpus(ids, gpus);
        expected = model_named(gpus, start, end, 0);
    } else {
        expected = model_count(count, NULL, start, end, 0, gpus);
    }
    request.start = within_first(start);
    request.end = within_last(end);
    assert_true(planner_begin_write(db->planner, err));
    bool booked = planner_book(db->planner, &db->arena, &request, &actor, now_seconds(), &b, err);
    if (booked != expected)
        fail_msg("booking [%d, %d): %s", start, end, booked ? "was taken, the model refuses" : err->message);
    if (!booked) {
        assert_int_equal(err->code, ERROR_CONFLICT);
        assert_true(err->conflict_count > 0);
        planner_rollback(db->planner);
        return;
    }
    assert_true(planner_commit(db->planner, err));
    assert_int_equal(b->window.start, base() + start);
    assert_int_equal(b->window.end, base() + end);
    model_book(b->id, gpus, start, end);
}

/* What the model says of a change: the code it is refused with, or ERROR_NONE. */
static enum error_code model_judges(int64_t id, const bool *named, int count, int start, int end, bool *out)
{
    const struct model_booking *b = &model.bookings[id];
    bool begun = b->start < model.now;
    int from = begun ? model.now : start;

    if (id < 1 || id > model.last_id)
        return ERROR_NOT_FOUND;
    if (!b->active)
        return ERROR_CONFLICT;
    if (end <= start || (start != b->start && (begun || start < model.now)) || (end != b->end && end < model.now))
        return ERROR_BAD_REQUEST;
    memcpy(out, named != NULL ? named : b->gpus, GPUS * sizeof *out);
    if (count > 0)
        return model_count(count, b->gpus, from, end, id, out) ? ERROR_NONE : ERROR_CONFLICT;
    return model_named(out, from, end, id) ? ERROR_NONE : ERROR_CONFLICT;
}

static void step_edit(struct database *db, struct error *err)
{
    static const struct actor actor = {"prop", true};
    int64_t id = model.last_id == 0 ? 1 : 1 + random_below((unsigned)model.last_id + 1);
    if (id <= model.last_id && !model.bookings[id].active) /* mostly one that can be changed */
        for (int tries = 0; tries < 20 && !model.bookings[id].active; tries++)
            id = 1 + random_below((unsigned)model.last_id);
    int start = model.bookings[id].start, end = model.bookings[id].end, count = 0;
    bool named[GPUS] = {false}, gpus[GPUS] = {false};
    const char *ids[GPUS];
    struct booking_edit edit = {.has_start = random_below(2), .has_end = random_below(2), .gpu_ids = ids};
    struct booking *b;

    if (edit.has_start)
        start += (int)random_below(13) - 6;
    if (edit.has_end)
        end += (int)random_below(25) - 12;
    start = start < 0 ? 0 : start >= HOURS ? HOURS - 1 : start;
    end = end > HOURS ? HOURS : end < 0 ? 0 : end;
    if (random_below(3) == 0)
        edit.gpu_id_count = random_gpus(ids, named);
    else if (random_below(3) == 0)
        edit.gpu_count = count = 1 + (int)random_below(GPUS);
    edit.has_gpu_count = count > 0;
    edit.start = within_first(start);
    edit.end = end <= start ? (instant_t)(base() + end) * SECONDS_PER_HOUR * 1000000 : within_last(end);
    int new_start = edit.has_start ? start : model.bookings[id].start, new_end = edit.has_end ? end : model.bookings[id].end;
    enum error_code expected =
        model_judges(id, edit.gpu_id_count > 0 ? named : NULL, count, new_start, new_end, gpus);

    assert_true(planner_begin_write(db->planner, err));
    bool edited = planner_edit(db->planner, &db->arena, id, &edit, &actor, now_seconds(), &b, err);
    if (err->code != expected)
        fail_msg("changing %lld to [%d, %d) at %d: %s, the model says %d", (long long)id, start, end, model.now,
                 edited ? "was taken" : err->message, (int)expected);
    if (!edited) {
        planner_rollback(db->planner);
        return;
    }
    assert_true(planner_commit(db->planner, err));
    model_edit(id, gpus, new_start, new_end);
}

static void step_end(struct database *db, struct error *err)
{
    static const struct actor actor = {"prop", true};
    struct booking *b;

    if (model.last_id == 0)
        return;
    int64_t id = 1 + random_below((unsigned)model.last_id + 1); /* at times one that does not exist */
    bool expected = id <= model.last_id && model.bookings[id].active;
    enum booking_status status = random_below(2) ? BOOKING_COMPLETED : BOOKING_CANCELLED;
    assert_true(planner_begin_write(db->planner, err));
    bool ended = planner_end(db->planner, &db->arena, id, status, &actor, now_seconds(), &b, err);
    assert_int_equal(ended, expected);
    if (!ended) {
        assert_int_equal(err->code, ERROR_NOT_FOUND);
        planner_rollback(db->planner);
        return;
    }
    assert_true(planner_commit(db->planner, err));
    model_end(id);
}

/* What the planner shows as held, hour by hour. */
static void compare(struct database *db, struct error *err, int step)
{
    struct window all = {base(), base() + HOURS};
    struct availability a;

    assert_true(planner_begin_read(db->planner, err));
    assert_true(planner_availability(db->planner, &db->arena, &db->planner->topology.nodes[0], all, &a, err));
    for (int g = 0; g < GPUS; g++) {
        int64_t seen[HOURS] = {0};
        for (size_t i = 0; i < a.rows[g].count; i++)
            for (hour_t h = a.rows[g].holds[i].window.start; h < a.rows[g].holds[i].window.end; h++) {
                assert_int_equal(seen[h - base()], 0);
                seen[h - base()] = a.bookings[a.rows[g].holds[i].booking]->id;
            }
        for (int h = 0; h < HOURS; h++) {
            int64_t expected = model.ended[g][h] ? 0 : model.held[g][h];
            if (seen[h] != expected)
                fail_msg("step %d, GPU %d, hour %d: booking %lld holds it, the model says %lld", step, g, h,
                         (long long)seen[h], (long long)expected);
        }
    }
    planner_end_read(db->planner);
}

static void bookings_agree_with_an_hour_by_hour_model(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    int steps = random_steps(STEPS);

    (void)state;
    database_open(&db, config);
    for (int step = 0; step < steps; step++) {
        unsigned kind = random_below(10);
        if (kind < 4)
            step_book(&db, &err);
        else if (kind < 7)
            step_edit(&db, &err);
        else if (kind < 9)
            step_end(&db, &err);
        else if (model.now < HOURS - 1 && random_below(4) == 0)
            model.now++;
        error_clear(&err);
        compare(&db, &err, step);
        arena_reset(&db.arena);
    }
    database_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bookings_agree_with_an_hour_by_hour_model)};

    random_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
