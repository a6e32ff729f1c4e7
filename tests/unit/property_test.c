/*
 * The rules against a model that knows nothing of windows, indexes or SQL: for each GPU and hour it remembers who holds it.
 * Random bookings, completions, cancellations and hours that pass; after each step both must agree on what was answered
 * and on who holds every hour. The seed is printed; PROCPLAN_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cgi/planner/availability.h"
#include "cgi/planner/booking.h"
#include "tests/unit/database.h"

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
static uint64_t random_state;

/* xorshift64* (Vigna, 2016): a run must be the same everywhere for the same seed. */
static unsigned random_below(unsigned n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static hour_t base(void)
{
    return at("2031-02-27");
}

static int64_t now_seconds(void)
{
    return ((int64_t)base() + model.now) * SECONDS_PER_HOUR + random_below(SECONDS_PER_HOUR);
}

static bool model_free(int gpu, int start, int end)
{
    for (int h = start; h < end; h++)
        if (model.held[gpu][h] != 0 && !model.ended[gpu][h])
            return false;
    return true;
}

/* True when the model would book; GPUS_OUT is what it takes. */
static bool model_choose(const bool *named, int count, int start, int end, bool *gpus_out)
{
    memset(gpus_out, 0, GPUS * sizeof *gpus_out);
    for (int g = 0; g < GPUS; g++) {
        if (count == 0 && !named[g])
            continue;
        bool free_now = model_free(g, start, end);
        if (count == 0 && !free_now)
            return false;
        if (free_now && (count == 0 || count-- > 0)) {
            gpus_out[g] = true;
            if (count == 0 && named == NULL)
                return true;
        }
    }
    return named != NULL;
}

static void model_book(int64_t id, const bool *gpus, int start, int end)
{
    struct model_booking *b = &model.bookings[id];

    *b = (struct model_booking){.active = true, .start = start, .end = end};
    memcpy(b->gpus, gpus, sizeof b->gpus);
    for (int g = 0; g < GPUS; g++) {
        int from = start;
        if (!gpus[g])
            continue;
        for (int h = start; h < end; h++)
            if (model.held[g][h] != 0)
                from = h + 1;
        for (int h = from; h < end; h++) {
            model.held[g][h] = id;
            model.ended[g][h] = false;
        }
    }
    model.last_id = id;
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

static void step_book(struct database *db, struct error *err)
{
    static const struct actor actor = {"prop", true};
    int start = (int)random_below(HOURS - 1), end = start + 1 + (int)random_below(random_below(4) == 0 ? 40 : 8);
    int count = random_below(2) ? 1 + (int)random_below(GPUS) : 0;
    bool named[GPUS] = {false}, gpus[GPUS];
    const char *ids[GPUS];
    struct booking *b = NULL;
    struct booking_request request = {.node_id = "n", .user_label = "p", .gpu_ids = ids, .gpu_count = count};

    if (end > HOURS)
        end = HOURS;
    if (count == 0) {
        int first = (int)random_below(GPUS);
        for (int i = 0; i < GPUS; i++) { /* asked for in any order */
            int g = (first + i) % GPUS;
            if (i > 0 && random_below(2))
                continue;
            named[g] = true;
            ids[request.gpu_id_count++] = gpu_ids[g];
        }
    }
    /* Anywhere within the hours: they snap outward. */
    request.start = ((instant_t)(base() + start) * SECONDS_PER_HOUR + random_below(SECONDS_PER_HOUR / 2)) * 1000000;
    request.end = ((instant_t)(base() + end) * SECONDS_PER_HOUR - random_below(SECONDS_PER_HOUR / 2)) * 1000000;
    bool expected = model_choose(count == 0 ? named : NULL, count, start, end, gpus);

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

    (void)state;
    database_open(&db, config);
    for (int step = 0; step < STEPS; step++) {
        unsigned kind = random_below(10);
        if (kind < 6)
            step_book(&db, &err);
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
    const char *given = getenv("PROCPLAN_SEED");

    random_state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761u;
    if (random_state == 0)
        random_state = 1;
    printf("# PROCPLAN_SEED=%llu\n", (unsigned long long)random_state);
    fflush(stdout);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
