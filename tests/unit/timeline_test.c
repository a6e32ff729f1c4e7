/*
 * The timeline against its definition, carried out naively: every booking and every GPU is looked at, hour by hour. Random
 * bookings, changes, endings, configurations and hours that pass; after each step a whole answer must be what the definition says,
 * and so must what an asker has who took in nothing but changes, also one who looks at other hours all the time. The seed is printed (see random.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgi/planner/booking.h"
#include "cgi/planner/id_map.h"
#include "cgi/planner/timeline.h"
#include "tests/unit/database.h"
#include "tests/unit/random.h"

#include "common/banned.h"

#define STEPS 1500
#define HOURS 120
#define GPUS_MAX 6
#define BOOKINGS_MAX STEPS
#define WATCHERS 7

/* GPUs come, go and come back; so does a node. */
static const char *const configs[] = {
    "{\"nodes\":[{\"id\":\"m\",\"gpus\":[{\"id\":\"g0\"},{\"id\":\"g1\"},{\"id\":\"g2\"}]},{\"id\":\"n\",\"gpus\":[{\"id\":\"g0\"},{\"id\":\"g1\"}]}]}",
    "{\"nodes\":[{\"id\":\"n\",\"gpus\":[{\"id\":\"g1\"},{\"id\":\"g0\"}]},{\"id\":\"m\",\"gpus\":[{\"id\":\"g2\"},{\"id\":\"g0\"}]}]}",
    "{\"nodes\":[{\"id\":\"m\",\"gpus\":[{\"id\":\"g1\"}]},{\"id\":\"late\",\"gpus\":[{\"id\":\"g0\"}]},{\"id\":\"n\",\"gpus\":[{\"id\":\"g0\"}]}]}",
};
static const char *const node_ids[] = {"m", "n", "late"};
static const struct actor actor = {"prop", true};

static hour_t base(void)
{
    return at("2031-02-27");
}

static instant_t instant_at(hour_t hour)
{
    return (instant_t)hour * SECONDS_PER_HOUR * 1000000;
}

/* -- what somebody sees ----------------------------------------------------------------------------------------- */

struct seen_booking {
    bool listed;
    struct window window;
    char label[8], note[TIMELINE_NOTE_CHARACTERS * 4 + 8]; /* what is longer than a note may be shown is seen, too */
    enum priority priority;
    enum booking_status status;
    int64_t version;
};

struct picture {
    struct seen_booking bookings[BOOKINGS_MAX + 1]; /* by id */
    int64_t held[GPUS_MAX][HOURS];                  /* by GPU of the question and hour of its window: a booking's id, or 0 */
};

struct watcher {
    const char *only; /* a node's id, or NULL: all nodes */
    struct window window;
    unsigned every; /* asks at every so many steps */
    unsigned roams; /* looks at other hours once in so many times; 0: never */
    struct picture picture;
    int64_t revision;
};

static void see_booking(struct picture *p, int64_t id, const struct seen_booking *b, const char *label, const char *note)
{
    assert_in_range(id, 1, BOOKINGS_MAX);
    p->bookings[id] = *b;
    p->bookings[id].listed = true;
    snprintf(p->bookings[id].label, sizeof p->bookings[id].label, "%s", label);
    snprintf(p->bookings[id].note, sizeof p->bookings[id].note, "%s", note != NULL ? note : "");
}

static void hold(struct picture *p, size_t gpu, struct window held, struct window window, int64_t id)
{
    assert_true(gpu < GPUS_MAX);
    for (hour_t h = held.start; h < held.end; h++) {
        assert_int_equal(p->held[gpu][h - window.start], 0); /* nobody else */
        p->held[gpu][h - window.start] = id;
    }
}

static void forget(struct picture *p, int64_t id)
{
    memset(&p->bookings[id], 0, sizeof p->bookings[id]);
    for (size_t g = 0; g < GPUS_MAX; g++)
        for (size_t h = 0; h < HOURS; h++)
            if (p->held[g][h] == id)
                p->held[g][h] = 0;
}

/* As the header says an asker does it who has another window now: lets go of what is not in it. */
static void look_elsewhere(struct picture *p, struct window from, struct window to)
{
    static struct picture old;
    bool holds[BOOKINGS_MAX + 1] = {false};

    old = *p;
    memset(p->held, 0, sizeof p->held);
    for (size_t g = 0; g < GPUS_MAX; g++)
        for (hour_t h = from.start; h < from.end; h++)
            if (h >= to.start && h < to.end) {
                p->held[g][h - to.start] = old.held[g][h - from.start];
                holds[old.held[g][h - from.start]] = true;
            }
    for (int64_t id = 1; id <= BOOKINGS_MAX; id++) {
        const struct seen_booking *b = &p->bookings[id];
        if (b->listed && (!window_overlaps(b->window, to) || (b->status != BOOKING_ACTIVE && !holds[id])))
            forget(p, id);
    }
}

/* As the header says an asker does it. */
static void take_in(struct picture *p, const struct timeline *t, struct window window)
{
    if (t->full)
        memset(p, 0, sizeof *p);
    for (size_t i = 0; i < t->removed_count; i++)
        forget(p, t->removed[i]);
    for (size_t i = 0; i < t->booking_count; i++)
        forget(p, t->bookings[i].id);
    for (size_t i = 0; i < t->booking_count; i++) {
        const struct booking_outline *b = &t->bookings[i];
        assert_true(i == 0 || t->bookings[i - 1].id < b->id);
        see_booking(p, b->id, &(struct seen_booking){.window = b->window, .priority = b->priority, .status = b->status,
                                                     .version = b->version}, b->user_label, b->note);
    }
    size_t next = 0;
    for (size_t r = 0; r < t->row_count; r++) {
        assert_true(t->rows[r].count > 0 && t->rows[r].first == next && (r == 0 || t->rows[r - 1].gpu < t->rows[r].gpu));
        for (; next < t->rows[r].first + t->rows[r].count; next++) {
            const struct timeline_hold *h = &t->holds[next];
            const struct seen_booking *b = &p->bookings[h->booking_id];
            assert_true(b->listed);
            struct window planned = window_intersect(b->window, window);
            assert_int_equal(h->planned, planned.start == h->window.start && planned.end == h->window.end);
            assert_true(next == t->rows[r].first || t->holds[next - 1].window.end <= h->window.start);
            hold(p, t->rows[r].gpu, h->window, window, h->booking_id);
        }
    }
    assert_int_equal(next, t->hold_count);
}

/* -- the definition --------------------------------------------------------------------------------------------- */

/* Notes, and their first 40 characters. */
static const struct {
    const char *whole, *shown;
} notes[] = {
    {"KM H pretrain 7B", "KM H pretrain 7B"},
    {"forty characters, no more and no fewer..", "forty characters, no more and no fewer.."},
    {"forty-one characters, which is one more..", "forty-one characters, which is one more."},
    {"éééééééééé€€€€€€€€€€😀😀😀😀😀😀😀😀😀😀aaaaaaaaa😀é", "éééééééééé€€€€€€€€€€😀😀😀😀😀😀😀😀😀😀aaaaaaaaa😀"},
};
#define NOTES (sizeof notes / sizeof notes[0])

static const char *shown_note(const char *note)
{
    for (size_t i = 0; note != NULL && i < NOTES; i++)
        if (strcmp(notes[i].whole, note) == 0)
            return notes[i].shown;
    assert_null(note);
    return NULL;
}

static size_t resolve(const struct database *db, const struct watcher *w, const struct node **nodes)
{
    const struct topology *topology = &db->planner->topology;
    size_t count = 0;

    for (size_t i = 0; i < topology->node_count; i++)
        if (w->only == NULL || strcmp(topology->nodes[i].id, w->only) == 0)
            nodes[count++] = &topology->nodes[i];
    return count;
}

static void define(struct database *db, const struct watcher *w, int64_t last_id, struct picture *out, struct error *err)
{
    const struct node *nodes[3];
    size_t node_count = resolve(db, w, nodes), number = 0;
    bool holds[BOOKINGS_MAX + 1] = {false};

    memset(out, 0, sizeof *out);
    for (size_t n = 0; n < node_count; n++)
        for (size_t g = 0; g < nodes[n]->gpu_count; g++, number++) {
            struct holding *rows;
            size_t count;
            assert_true(store_holdings(db->planner->store, &db->arena, nodes[n]->gpus[g].key,
                                       (struct window){HOUR_MIN, HOUR_MAX}, 0, &rows, &count, err));
            for (size_t i = 0; i < count; i++) {
                struct window held = window_intersect(rows[i].window, w->window);
                hold(out, number, held, w->window, rows[i].booking_id);
                holds[rows[i].booking_id] |= window_hours(held) > 0;
            }
        }
    for (int64_t id = 1; id <= last_id; id++) {
        struct booking *b;
        bool here = false;
        assert_true(store_booking_find(db->planner->store, &db->arena, id, &b, err));
        for (size_t n = 0; n < node_count; n++)
            here |= nodes[n]->key == b->node_key;
        if (here && (b->status == BOOKING_ACTIVE ? window_overlaps(b->window, w->window) : holds[id]))
            see_booking(out, id, &(struct seen_booking){.window = b->window, .priority = b->priority, .status = b->status,
                                                        .version = b->version}, b->user_label, shown_note(b->note));
    }
}

static bool same_booking(const struct seen_booking *a, const struct seen_booking *b)
{
    return a->listed == b->listed && a->window.start == b->window.start && a->window.end == b->window.end &&
           strcmp(a->label, b->label) == 0 && strcmp(a->note, b->note) == 0 && a->priority == b->priority && a->status == b->status && a->version == b->version;
}

static void must_be_the_same(const struct picture *seen, const struct picture *expected, int64_t last_id, const char *what,
                             int step)
{
    for (int64_t id = 1; id <= last_id; id++)
        if (!same_booking(&seen->bookings[id], &expected->bookings[id]))
            fail_msg("step %d, %s: booking %lld is %s, by the definition it is %s", step, what, (long long)id,
                     seen->bookings[id].listed ? "listed" : "not listed", expected->bookings[id].listed ? "otherwise" : "not");
    for (size_t g = 0; g < GPUS_MAX; g++)
        for (size_t h = 0; h < HOURS; h++)
            if (seen->held[g][h] != expected->held[g][h])
                fail_msg("step %d, %s: booking %lld holds GPU %zu in hour %zu, by the definition it is %lld", step, what,
                         (long long)seen->held[g][h], g, h, (long long)expected->held[g][h]);
}

static void ask(struct database *db, const struct watcher *w, int64_t since, struct window had, struct timeline *out, struct error *err)
{
    const struct node *nodes[3];
    struct timeline_question question = {.nodes = nodes, .node_count = resolve(db, w, nodes), .window = w->window, .since = since, .had = had};

    if (!planner_timeline(db->planner, &db->arena, &question, out, err))
        fail_msg("%s", err->message);
}

/* -- random life ------------------------------------------------------------------------------------------------ */

struct life {
    struct database db;
    hour_t now;
    int64_t last_id;
    bool active[BOOKINGS_MAX + 2];
    bool calm; /* short bookings, of which few end: so that most of all there were are in a wide window */
};

static const char *random_label(void)
{
    static const char *const labels[] = {"ada", "bob", "née"};
    return labels[random_below(3)];
}

/* NULL at times: none, or none any more. */
static const char *random_note(void)
{
    unsigned i = random_below(NOTES + 2);
    return i < NOTES ? notes[i].whole : NULL;
}

/* Mostly one that is active; at times one that does not exist. */
static int64_t random_id(const struct life *life)
{
    int64_t id;

    for (int tries = 0; tries < 30; tries++) {
        id = 1 + random_below((unsigned)life->last_id + 1);
        if (random_below(40) == 0 || life->active[id])
            break;
    }
    return id;
}

static size_t random_gpus(const char **ids)
{
    static const char *const all[] = {"g0", "g1", "g2"};
    size_t count = 0;

    for (size_t i = 0; i < 3; i++)
        if (random_below(2))
            ids[count++] = all[i];
    return count;
}

static bool do_book(struct life *life, struct error *err)
{
    hour_t start = base() + (hour_t)random_below(HOURS);
    hour_t length = 1 + (hour_t)random_below(life->calm ? 3 : random_below(6) ? 6 : 50);
    const char *ids[3];
    struct booking *b;
    struct booking_request request = {
        .node_id = node_ids[random_below(3)], .user_label = random_label(), .gpu_ids = ids, .gpu_id_count = random_below(3) ? 0 : random_gpus(ids),
        .gpu_count = 1 + random_below(life->calm ? 2 : 3), .priority = random_below(2) ? "high" : NULL, .start = instant_at(start),
        .end = instant_at(start + length), .note = random_note(),
    };

    if (!planner_book(life->db.planner, &life->db.arena, &request, &actor, (int64_t)life->now * SECONDS_PER_HOUR, &b, err))
        return false;
    life->last_id = b->id;
    life->active[b->id] = true;
    return true;
}

static bool do_edit(struct life *life, struct error *err)
{
    hour_t start = base() + (hour_t)random_below(HOURS);
    const char *ids[3];
    struct booking *b;
    struct booking_edit edit = {
        .has_start = random_below(3) == 0, .start = instant_at(start), .has_end = random_below(2),
        .end = instant_at(start + 1 + (hour_t)random_below(20)), .gpu_ids = ids,
        .gpu_id_count = random_below(3) ? 0 : random_gpus(ids), .user_label = random_below(3) ? NULL : random_label(),
        .has_note = random_below(4) == 0, .note = random_note(),
    };

    return planner_edit(life->db.planner, &life->db.arena, random_id(life), &edit, &actor,
                        (int64_t)life->now * SECONDS_PER_HOUR, &b, err);
}

static bool do_end(struct life *life, struct error *err)
{
    int64_t id = random_id(life);
    struct booking *b;

    life->active[id] = false;
    return planner_end(life->db.planner, &life->db.arena, id, random_below(2) ? BOOKING_COMPLETED : BOOKING_CANCELLED, &actor,
                       (int64_t)life->now * SECONDS_PER_HOUR, &b, err);
}

/* One step; true when it wrote something. */
static bool live(struct life *life)
{
    struct planner *planner = life->db.planner;
    unsigned kind = random_below(100);
    struct error err = ERROR_INIT;

    if (kind < 1) {
        if (!database_configure(&life->db, configs[random_below(3)], &err))
            fail_msg("%s", err.message);
        return true;
    }
    if (kind < 4) {
        if (life->now < base() + HOURS)
            life->now++;
        return false;
    }
    assert_true(planner_begin_write(planner, &err));
    bool done = kind < (life->calm ? 85 : 46)   ? do_book(life, &err)
                : kind < (life->calm ? 95 : 72) ? do_edit(life, &err)
                                                : do_end(life, &err);
    if (done)
        assert_true(planner_commit(planner, &err));
    else
        planner_rollback(planner);
    error_clear(&err);
    return done;
}

static struct window random_window(void)
{
    hour_t start = base() - 20 + (hour_t)random_below(HOURS);

    return (struct window){start, start + 1 + (hour_t)random_below(random_below(3) ? 40 : HOURS)};
}

static void compare(struct life *life, struct watcher *w, int step, int *partial)
{
    static struct picture expected, whole;
    struct error err = ERROR_INIT;
    struct window had = w->window;
    struct timeline t;

    if (w->roams > 0 && random_below(w->roams) == 0)
        w->window = random_window();
    assert_true(planner_begin_read(life->db.planner, &err));
    define(&life->db, w, life->last_id, &expected, &err);
    ask(&life->db, w, 0, (struct window){0, 0}, &t, &err);
    assert_true(t.full);
    take_in(&whole, &t, w->window);
    must_be_the_same(&whole, &expected, life->last_id, "whole", step);
    ask(&life->db, w, w->revision, w->roams > 0 ? had : (struct window){0, 0}, &t, &err);
    *partial += !t.full;
    if (!t.full && w->roams > 0)
        look_elsewhere(&w->picture, had, w->window);
    take_in(&w->picture, &t, w->window);
    must_be_the_same(&w->picture, &expected, life->last_id, "by changes", step);
    w->revision = life->db.planner->state.revision;
    planner_end_read(life->db.planner);
    arena_reset(&life->db.arena);
}

static void play(bool calm, int steps, int *written, int *partial)
{
    static struct watcher watchers[WATCHERS];
    static struct life life;

    life = (struct life){.now = base() + 20, .calm = calm};
    memset(watchers, 0, sizeof watchers);
    watchers[0] = (struct watcher){.window = {base(), base() + HOURS}, .every = 1};
    watchers[1] = (struct watcher){.window = {base() + 30, base() + 54}, .every = 1};
    watchers[2] = (struct watcher){.window = {base() + 50, base() + 51}, .every = 2};
    watchers[3] = (struct watcher){.only = "m", .window = {base() + 10, base() + 100}, .every = 3};
    watchers[4] = (struct watcher){.only = "late", .window = {base() - 10, base() + 90}, .every = 40};
    watchers[5] = (struct watcher){.window = random_window(), .every = 1, .roams = 2};
    watchers[6] = (struct watcher){.only = "n", .window = random_window(), .every = 5, .roams = 1};
    database_open(&life.db, configs[0]);
    for (int step = 0; step < steps; step++) {
        *written += live(&life);
        for (size_t i = 0; i < WATCHERS; i++)
            if ((unsigned)step % watchers[i].every == 0)
                compare(&life, &watchers[i], step, partial);
    }
    database_close(&life.db);
}

static void changes_and_whole_answers_are_what_the_definition_says(void **state)
{
    int partial = 0, written = 0;

    (void)state;
    int steps = random_steps(STEPS);
    play(false, steps, &written, &partial);
    assert_true(written > steps / 4);
    assert_true(partial > steps * 2);
}

/* Then a whole answer is read from the whole table, not by an index. */
static void so_they_are_where_most_bookings_are_wanted(void **state)
{
    int partial = 0, written = 0;

    (void)state;
    int steps = random_steps(STEPS / 3);
    play(true, steps, &written, &partial);
    assert_true(written > steps / 4);
}

/* -- what since is worth ---------------------------------------------------------------------------------------- */

static bool full_since(struct database *db, int64_t since, const char *epoch, int64_t not_before)
{
    struct timeline_question question = {.window = {base(), base() + 1}, .epoch = epoch, .since = since, .not_before = not_before};
    struct error err = ERROR_INIT;
    struct timeline t;

    assert_true(planner_begin_read(db->planner, &err));
    assert_true(planner_timeline(db->planner, &db->arena, &question, &t, &err));
    planner_end_read(db->planner);
    return t.full;
}

static void append(struct database *db, int64_t count, int64_t seconds)
{
    struct error err = ERROR_INIT;

    assert_true(planner_begin_write(db->planner, &err));
    while (count-- > 0)
        assert_true(store_event_append(db->planner->store, seconds, &actor, "test", 0, NULL, NULL, &err));
    assert_true(planner_commit(db->planner, &err));
}

static void open_with_events(struct database *db)
{
    database_open(db, configs[0]); /* event 1 */
    append(db, 1, 1000);           /* 2 */
    append(db, 3, 2000);           /* 3 to 5 */
}

static void a_revision_of_this_history_can_be_continued(void **state)
{
    struct database db;

    (void)state;
    open_with_events(&db);
    for (int64_t since = 1; since <= 5; since++)
        assert_false(full_since(&db, since, NULL, 0));
    assert_false(full_since(&db, 3, db.planner->state.epoch, 0));
    database_close(&db);
}

static void a_revision_that_was_never_reached_gives_all(void **state)
{
    struct database db;

    (void)state;
    open_with_events(&db);
    assert_true(full_since(&db, 0, NULL, 0));
    assert_true(full_since(&db, 6, NULL, 0));
    assert_true(full_since(&db, INT64_MAX, NULL, 0));
    database_close(&db);
}

static void a_revision_of_another_epoch_gives_all(void **state)
{
    struct database db;

    (void)state;
    open_with_events(&db);
    assert_true(full_since(&db, 3, "0123456789abcdef", 0));
    assert_true(full_since(&db, 3, "", 0));
    database_close(&db);
}

static void a_revision_before_the_last_configuration_gives_all(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;

    (void)state;
    open_with_events(&db);
    assert_true(database_configure(&db, configs[1], &err)); /* 6 */
    append(&db, 1, 3000);                                   /* 7 */
    assert_true(full_since(&db, 5, NULL, 0));
    assert_false(full_since(&db, 6, NULL, 0));
    assert_false(full_since(&db, 7, NULL, 0));
    database_close(&db);
}

static void a_revision_too_far_back_gives_all(void **state)
{
    struct database db;

    (void)state;
    open_with_events(&db);
    append(&db, TIMELINE_EVENTS_MAX, 3000);
    assert_true(full_since(&db, 4, NULL, 0));
    assert_false(full_since(&db, 5, NULL, 0));
    database_close(&db);
}

/* The page that asks for "this week" on Monday has last week's picture. */
static void a_revision_from_before_the_given_time_gives_all(void **state)
{
    struct database db;

    (void)state;
    open_with_events(&db);
    assert_true(full_since(&db, 2, NULL, 1001));
    assert_false(full_since(&db, 2, NULL, 1000));
    assert_true(full_since(&db, 5, NULL, 2001));
    database_close(&db);
}

/* -- the map ---------------------------------------------------------------------------------------------------- */

static void the_map_finds_what_was_put_in_and_nothing_else(void **state)
{
    struct arena arena;
    struct id_map map;

    (void)state;
    arena_init(&arena);
    id_map_init(&map, &arena);
    assert_null(id_map_find(&map, 1));
    for (uint32_t i = 1; i <= 5000; i++) {
        id_map_put(&map, (int64_t)i * 3, i);
        id_map_put(&map, INT64_MAX - i, i);
    }
    id_map_put(&map, 3, 77);
    assert_int_equal(map.count, 10000);
    assert_int_equal(*id_map_find(&map, 3), 77);
    for (uint32_t i = 2; i <= 5000; i++) {
        assert_int_equal(*id_map_find(&map, (int64_t)i * 3), i);
        assert_int_equal(*id_map_find(&map, INT64_MAX - i), i);
        assert_null(id_map_find(&map, (int64_t)i * 3 + 1));
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_finds_what_was_put_in_and_nothing_else),
        cmocka_unit_test(a_revision_of_this_history_can_be_continued),
        cmocka_unit_test(a_revision_that_was_never_reached_gives_all),
        cmocka_unit_test(a_revision_of_another_epoch_gives_all),
        cmocka_unit_test(a_revision_before_the_last_configuration_gives_all),
        cmocka_unit_test(a_revision_too_far_back_gives_all),
        cmocka_unit_test(a_revision_from_before_the_given_time_gives_all),
        cmocka_unit_test(changes_and_whole_answers_are_what_the_definition_says),
        cmocka_unit_test(so_they_are_where_most_bookings_are_wanted),
    };

    random_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
