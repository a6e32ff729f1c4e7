/*
 * Usage by hand, and against a model that knows nothing of windows, sums or SQL: for each GPU and hour it remembers whether the GPU
 * was there and who held it, and counts hour by hour. The seed is printed (see random.h).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cgi/planner/booking.h"
#include "cgi/planner/usage.h"
#include "tests/unit/database.h"
#include "tests/unit/random.h"

#include "common/banned.h"

static const struct actor actor = {"test", true};

static int64_t seconds(hour_t hour)
{
    return (int64_t)hour * SECONDS_PER_HOUR;
}

/* -- by hand ------------------------------------------------------------------------------------------------------ */

static const char *const small = "{\"nodes\":[{\"id\":\"b\",\"gpus\":[{\"id\":\"0\",\"kind\":\"X\"},{\"id\":\"1\",\"kind\":\"Y\"}]},"
                                 "{\"id\":\"a\",\"gpus\":[{\"id\":\"0\",\"kind\":\"X\"}]},{\"id\":\"bare\"}]}";

/* Opens a database whose GPUs are there since DAY. */
static void open_at(struct database *db, const char *config, hour_t day)
{
    struct error err = ERROR_INIT;

    database_folder(db);
    assert_true(planner_open(db->path, true, &db->planner, &err));
    assert_true(database_configure_at(db, config, seconds(day), &err));
}

/* Books one GPU at NOW; OWNER may be NULL. */
static int64_t book(struct database *db, const char *node, const char *gpu, const char *label, const char *owner, hour_t start,
                    hour_t end, hour_t now)
{
    struct booking_request request = {.node_id = node, .user_label = label, .gpu_ids = &gpu, .gpu_id_count = 1,
                                      .start = seconds(start) * 1000000, .end = seconds(end) * 1000000};
    struct error err = ERROR_INIT;
    struct booking *b;

    assert_true(planner_begin_write(db->planner, &err));
    if (!planner_book(db->planner, &db->arena, &request, &actor, seconds(now) + 1799, &b, &err))
        fail_msg("%s", err.message);
    b->owner = owner;
    assert_true(store_booking_update(db->planner->store, b, &err));
    assert_true(planner_commit(db->planner, &err));
    return b->id;
}

static void end(struct database *db, int64_t id, enum booking_status status, hour_t now)
{
    struct error err = ERROR_INIT;
    struct booking *b;

    assert_true(planner_begin_write(db->planner, &err));
    assert_true(planner_end(db->planner, &db->arena, id, status, &actor, seconds(now) + 1799, &b, &err));
    assert_true(planner_commit(db->planner, &err));
}

static struct usage usage_of(struct database *db, hour_t start, hour_t until, enum usage_by by, hour_t now)
{
    struct error err = ERROR_INIT;
    struct usage usage;

    assert_true(planner_begin_read(db->planner, &err));
    if (!planner_usage(db->planner, &db->arena, (struct window){start, until}, by, now, &usage, &err))
        fail_msg("%s (%s)", err.message, err.detail);
    planner_end_read(db->planner);
    return usage;
}

static void assert_row(const struct usage_row *row, const char *first, const char *second, int64_t booked, int64_t used,
                       int64_t given_back, int64_t capacity)
{
    const char *const key[2] = {first, second};

    for (int i = 0; i < 2; i++) {
        if (key[i] == NULL)
            assert_null(row->key[i]);
        else
            assert_string_equal(row->key[i], key[i]);
    }
    assert_int_equal(row->booked, booked);
    assert_int_equal(row->used, used);
    assert_int_equal(row->given_back, given_back);
    assert_int_equal(row->capacity, capacity);
}

TEST(a_booking_counts_with_its_hours_inside_the_window)
{
    struct database db;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    book(&db, "a", "0", "ada", NULL, d + 10, d + 20, d);
    struct usage u = usage_of(&db, d + 14, d + 18, USAGE_BY_USER, d + 100);
    assert_int_equal(u.count, 1);
    assert_row(&u.rows[0], "ada", NULL, 4, 4, 0, 12); /* 3 GPUs for 4 hours */
    u = usage_of(&db, d + 5, d + 11, USAGE_BY_USER, d + 100);
    assert_row(&u.rows[0], "ada", NULL, 1, 1, 0, 18);
    assert_int_equal(usage_of(&db, d + 5, d + 10, USAGE_BY_USER, d + 100).count, 0);
    assert_int_equal(usage_of(&db, d + 20, d + 30, USAGE_BY_USER, d + 100).count, 0);
    database_close(&db);
}

TEST(used_are_the_hours_before_the_current_one)
{
    struct database db;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    book(&db, "a", "0", "ada", NULL, d + 10, d + 20, d);
    struct usage u = usage_of(&db, d, d + 24, USAGE_BY_USER, d + 13);
    assert_row(&u.rows[0], "ada", NULL, 10, 3, 0, 72);
    u = usage_of(&db, d, d + 24, USAGE_BY_USER, d + 10);
    assert_row(&u.rows[0], "ada", NULL, 10, 0, 0, 72);
    u = usage_of(&db, d + 12, d + 24, USAGE_BY_USER, d + 5); /* the whole window lies ahead */
    assert_row(&u.rows[0], "ada", NULL, 8, 0, 0, 36);
    database_close(&db);
}

TEST(given_back_begins_with_the_hour_of_the_release)
{
    struct database db;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    end(&db, book(&db, "a", "0", "ada", NULL, d + 10, d + 20, d), BOOKING_COMPLETED, d + 14);
    end(&db, book(&db, "b", "0", "bob", NULL, d + 10, d + 20, d), BOOKING_CANCELLED, d + 4);
    end(&db, book(&db, "b", "1", "eve", NULL, d + 10, d + 20, d), BOOKING_COMPLETED, d + 30);
    struct usage u = usage_of(&db, d, d + 24, USAGE_BY_USER, d + 40);
    assert_int_equal(u.count, 3);
    assert_row(&u.rows[0], "eve", NULL, 10, 10, 0, 72);
    assert_row(&u.rows[1], "ada", NULL, 10, 4, 6, 72);
    assert_row(&u.rows[2], "bob", NULL, 10, 0, 10, 72);
    assert_row(&u.total, NULL, NULL, 30, 14, 16, 72);
    database_close(&db);
}

TEST(a_booking_with_an_owner_counts_for_the_owner)
{
    struct database db;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    book(&db, "a", "0", "night run", "ada", d, d + 1, d);
    book(&db, "b", "0", "day run", "ada", d, d + 2, d);
    book(&db, "b", "1", "ada", NULL, d, d + 3, d); /* a label that looks like her name is not her */
    struct usage u = usage_of(&db, d, d + 24, USAGE_BY_USER, d + 24);
    assert_int_equal(u.count, 2);
    assert_row(&u.rows[0], "ada", NULL, 3, 3, 0, 72); /* equal: the label before the owner */
    assert_row(&u.rows[1], NULL, "ada", 3, 3, 0, 72);
    database_close(&db);
}

TEST(what_a_booking_used_of_a_gpu_that_it_gave_away_stays_used)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct booking *b;
    const char *other = "1";
    struct booking_edit edit = {.gpu_ids = &other, .gpu_id_count = 1};
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    int64_t id = book(&db, "b", "0", "ada", NULL, d, d + 10, d);
    assert_true(planner_begin_write(db.planner, &err));
    assert_true(planner_edit(db.planner, &db.arena, id, &edit, &actor, seconds(d + 4), &b, &err));
    assert_true(planner_commit(db.planner, &err));
    struct usage u = usage_of(&db, d, d + 10, USAGE_BY_GPU, d + 10);
    assert_int_equal(u.count, 3);
    assert_row(&u.rows[0], "b", "1", 10, 6, 0, 10);
    assert_row(&u.rows[1], "b", "0", 0, 4, 0, 10);
    assert_row(&u.rows[2], "a", "0", 0, 0, 0, 10);
    u = usage_of(&db, d, d + 10, USAGE_BY_USER, d + 10);
    assert_row(&u.rows[0], "ada", NULL, 10, 10, 0, 30);
    database_close(&db);
}

TEST(what_is_in_use_has_a_row_with_zeros_most_used_first_then_by_key)
{
    struct database db;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    book(&db, "b", "1", "ada", NULL, d, d + 2, d);
    struct usage u = usage_of(&db, d, d + 10, USAGE_BY_NODE, d + 10);
    assert_int_equal(u.count, 3);
    assert_row(&u.rows[0], "b", NULL, 2, 2, 0, 20);
    assert_row(&u.rows[1], "a", NULL, 0, 0, 0, 10);
    assert_row(&u.rows[2], "bare", NULL, 0, 0, 0, 0);
    u = usage_of(&db, d, d + 10, USAGE_BY_KIND, d + 10);
    assert_int_equal(u.count, 2);
    assert_row(&u.rows[0], "Y", NULL, 2, 2, 0, 10);
    assert_row(&u.rows[1], "X", NULL, 0, 0, 0, 20);
    database_close(&db);
}

TEST(retired_gpus_count_for_the_time_they_existed_and_are_silent_after)
{
    struct database db;
    struct error err = ERROR_INIT;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    assert_true(database_configure_at(&db, "{\"nodes\":[{\"id\":\"a\",\"gpus\":[{\"id\":\"0\",\"kind\":\"X\"}]}]}", seconds(d + 6), &err));
    struct usage u = usage_of(&db, d - 4, d + 10, USAGE_BY_GPU, d + 10);
    assert_int_equal(u.count, 3);
    assert_row(&u.rows[0], "a", "0", 0, 0, 0, 10);
    assert_row(&u.rows[1], "b", "0", 0, 0, 0, 6);
    assert_row(&u.rows[2], "b", "1", 0, 0, 0, 6);
    assert_row(&u.total, NULL, NULL, 0, 0, 0, 22);
    assert_int_equal(usage_of(&db, d + 6, d + 10, USAGE_BY_GPU, d + 10).count, 1);
    assert_int_equal(usage_of(&db, d + 6, d + 10, USAGE_BY_NODE, d + 10).count, 1);
    assert_int_equal(usage_of(&db, d + 6, d + 10, USAGE_BY_KIND, d + 10).count, 1);
    database_close(&db);
}

TEST(hours_held_on_a_retired_gpu_are_still_reported)
{
    struct database db;
    struct error err = ERROR_INIT;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    book(&db, "b", "0", "ada", NULL, d, d + 20, d);
    assert_true(database_configure_at(&db, "{\"nodes\":[{\"id\":\"a\",\"gpus\":[{\"id\":\"0\",\"kind\":\"X\"}]}]}", seconds(d + 6), &err));
    struct usage u = usage_of(&db, d + 6, d + 20, USAGE_BY_GPU, d + 10);
    assert_int_equal(u.count, 2);
    assert_row(&u.rows[0], "b", "0", 14, 4, 0, 0);
    database_close(&db);
}

/* Nobody writes such rows; if somebody did, an account that leaves them out in silence would be wrong. */
TEST(hours_outside_their_bookings_window_are_an_error_not_a_smaller_number)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct usage usage;
    hour_t d = at("2031-03-01");

    open_at(&db, small, d);
    int64_t id = book(&db, "a", "0", "ada", NULL, d, d + 5, d);
    struct allocation stray = {topology_gpu(topology_node(&db.planner->topology, "b"), "0")->key, {d + 10, d + 12}, id};
    assert_true(planner_begin_write(db.planner, &err));
    assert_true(store_allocation_insert(db.planner->store, &stray, &err));
    assert_true(planner_commit(db.planner, &err));
    assert_true(planner_begin_read(db.planner, &err));
    assert_false(planner_usage(db.planner, &db.arena, (struct window){d + 8, d + 20}, USAGE_BY_USER, d + 20, &usage, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_non_null(strstr(err.detail, "booking 1 holds hours outside its planned window"));
    planner_end_read(db.planner);
    error_clear(&err);
    database_close(&db);
}

/* -- against the model -------------------------------------------------------------------------------------------- */

#define STEPS 3000
#define NODES 2
#define GPUS 6 /* three a node */
#define HOURS 160
#define USERS 8 /* the upper half are owners, with any label */

static const char *const node_names[NODES] = {"n", "m"};
static const char *const kinds[GPUS] = {"K", "K", "L", "L", "M", "K"};
static const char *const user_names[USERS] = {"u0", "u1", "u2", "\xc3\xbc", "u0", "u1", "o", "p"};

struct model_booking {
    int user, start, end, released; /* released: -1 while active */
    bool gpus[GPUS];
};

static struct {
    int64_t held[GPUS][HOURS]; /* booking id, 0: nobody */
    bool there[GPUS][HOURS];
    bool configured[GPUS];
    int since[GPUS]; /* -1: never configured */
    struct model_booking bookings[STEPS + 1];
    int64_t last_id;
    int now;
} model;

static hour_t base(void)
{
    return at("2032-02-27");
}

static int64_t now_seconds(void)
{
    return seconds(base() + model.now) + random_below(SECONDS_PER_HOUR);
}

static int gpu_index(const struct database *db, int64_t key)
{
    const struct gpu *gpu = topology_gpu_by_key(&db->planner->topology, key);

    return (strcmp(gpu->node->id, node_names[0]) == 0 ? 0 : GPUS / NODES) + (gpu->id[0] - '0');
}

/* Takes in a configuration with some of the GPUs, at least one on each node or none of it. */
static void step_configure(struct database *db, struct error *err)
{
    char text[1024] = "{\"nodes\":[{\"id\":\"spare\"}";

    for (int g = 0; g < GPUS; g++) {
        size_t used = strlen(text);
        bool wanted = random_below(4) != 0;
        if (g % (GPUS / NODES) == 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s,{\"id\":\"%s\",\"gpus\":[", g == 0 ? "" : "]}",
                                     node_names[g / (GPUS / NODES)]);
        if (wanted)
            snprintf(text + used, sizeof text - used, "%s{\"id\":\"%d\",\"kind\":\"%s\"}", text[used - 1] == '[' ? "" : ",",
                     g % (GPUS / NODES), kinds[g]);
        if (wanted && model.since[g] < 0)
            model.since[g] = model.now;
        for (int h = 0; h < HOURS; h++) {
            if (wanted && !model.configured[g]) /* its time away counts, too */
                model.there[g][h] = h >= model.since[g];
            if (!wanted && model.configured[g] && h >= model.now)
                model.there[g][h] = false;
        }
        model.configured[g] = wanted;
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "]}]}");
    if (!database_configure_at(db, text, now_seconds(), err))
        fail_msg("%s: %s", text, err->message);
}

/* Takes B's GPUs and holds its hours from FROM on, behind what others have used. */
static void model_hold(const struct database *db, const struct booking *b, int from)
{
    struct model_booking *m = &model.bookings[b->id];

    m->start = b->window.start - base();
    m->end = b->window.end - base();
    memset(m->gpus, 0, sizeof m->gpus);
    for (size_t i = 0; i < b->gpu_count; i++) {
        int g = gpu_index(db, b->gpu_keys[i]), first = m->start > from ? m->start : from;
        m->gpus[g] = true;
        for (int h = first; h < m->end; h++)
            if (model.held[g][h] != 0)
                first = h + 1;
        for (int h = first; h < m->end; h++)
            model.held[g][h] = b->id;
    }
}

static void model_let_go(int64_t id, int from)
{
    for (int g = 0; g < GPUS; g++)
        for (int h = from; h < HOURS; h++)
            if (model.held[g][h] == id)
                model.held[g][h] = 0;
}

static void step_book(struct database *db, struct error *err)
{
    int start = (int)random_below(HOURS - 1), length = 1 + (int)random_below(random_below(4) == 0 ? 60 : 10);
    int stop = start + length > HOURS ? HOURS : start + length, user = (int)random_below(USERS);
    struct booking_request request = {
        .node_id = node_names[random_below(NODES)],
        .user_label = user_names[user < USERS / 2 ? (unsigned)user : random_below(USERS)],
        .gpu_count = 1 + random_below(3),
        .start = seconds(base() + start) * 1000000,
        .end = seconds(base() + stop) * 1000000,
    };
    struct booking *b;

    assert_true(planner_begin_write(db->planner, err));
    if (!planner_book(db->planner, &db->arena, &request, &actor, now_seconds(), &b, err)) {
        planner_rollback(db->planner);
        return;
    }
    b->owner = user < USERS / 2 ? NULL : user_names[user];
    assert_true(store_booking_update(db->planner->store, b, err));
    model.last_id = b->id;
    model.bookings[b->id] = (struct model_booking){.user = user, .released = -1};
    model_hold(db, b, 0);
    assert_true(planner_commit(db->planner, err));
}

static void step_edit(struct database *db, struct error *err)
{
    int64_t id = 1 + random_below((unsigned)model.last_id + 1);
    struct model_booking *m = &model.bookings[id];
    int start = m->start + (int)random_below(9) - 4, stop = m->end + (int)random_below(21) - 10;
    struct booking_edit edit = {.has_start = start >= 0 && start < HOURS && random_below(2),
                                .has_end = stop > 0 && stop <= HOURS && random_below(2)};
    struct booking *b;

    edit.start = seconds(base() + start) * 1000000;
    edit.end = seconds(base() + stop) * 1000000;
    edit.has_gpu_count = random_below(2);
    edit.gpu_count = 1 + random_below(3);
    assert_true(planner_begin_write(db->planner, err));
    if (!planner_edit(db->planner, &db->arena, id, &edit, &actor, now_seconds(), &b, err)) {
        planner_rollback(db->planner);
        return;
    }
    int from = m->start < model.now ? model.now : 0; /* a begun booking keeps what it has used */
    model_let_go(id, from);
    model_hold(db, b, from);
    assert_true(planner_commit(db->planner, err));
}

static void step_end(struct database *db, struct error *err)
{
    int64_t id = 1 + random_below((unsigned)model.last_id + 1);
    struct booking *b;

    assert_true(planner_begin_write(db->planner, err));
    if (!planner_end(db->planner, &db->arena, id, random_below(2) ? BOOKING_COMPLETED : BOOKING_CANCELLED, &actor, now_seconds(),
                     &b, err)) {
        planner_rollback(db->planner);
        return;
    }
    assert_true(planner_commit(db->planner, err));
    model.bookings[id].released = model.now;
    model_let_go(id, model.now);
}

/* What the model counts for one key. */
struct tally {
    const char *key[2];
    int64_t booked, used, given_back, capacity;
    bool in_use;
};

/* The tally that GPU G, or booking ID by user, counts for. */
static struct tally *tally_of(struct tally *tallies, size_t *count, enum usage_by by, int g, int64_t id)
{
    int user = model.bookings[id].user;
    char gpu_name[2] = {(char)('0' + g % (GPUS / NODES)), '\0'};
    const char *key[2] = {NULL, NULL};

    if (by == USAGE_BY_USER)
        key[user < USERS / 2 ? 0 : 1] = user_names[user];
    else
        key[0] = by == USAGE_BY_KIND ? kinds[g] : node_names[g / (GPUS / NODES)];
    for (size_t i = 0; i < *count; i++) {
        bool same = true;
        for (int part = 0; part < 2; part++) {
            const char *wanted = by == USAGE_BY_GPU && part == 1 ? gpu_name : key[part], *has = tallies[i].key[part];
            same = same && (wanted == NULL) == (has == NULL) && (wanted == NULL || strcmp(wanted, has) == 0);
        }
        if (same)
            return &tallies[i];
    }
    static const char *const digits[] = {"0", "1", "2"};
    tallies[*count] = (struct tally){.key = {key[0], by == USAGE_BY_GPU ? digits[g % (GPUS / NODES)] : key[1]}};
    return &tallies[(*count)++];
}

static void tally_bookings(struct tally *tallies, size_t *count, enum usage_by by, int start, int stop)
{
    for (int64_t id = 1; id <= model.last_id; id++) {
        const struct model_booking *b = &model.bookings[id];
        for (int g = 0; g < GPUS; g++)
            for (int h = b->start; b->gpus[g] && h < b->end; h++) {
                if (h < start || h >= stop)
                    continue;
                struct tally *t = tally_of(tallies, count, by, g, id);
                t->booked++;
                if (b->released >= 0 && h >= b->released)
                    t->given_back++;
            }
    }
}

static size_t model_tallies(struct tally *tallies, enum usage_by by, int start, int stop)
{
    size_t count = 0;
    int64_t all = 0;

    if (by == USAGE_BY_NODE)
        tallies[count++] = (struct tally){.key = {"spare", NULL}, .in_use = true};
    for (int g = 0; g < GPUS; g++) {
        struct tally *t = by == USAGE_BY_USER || model.since[g] < 0 ? NULL : tally_of(tallies, &count, by, g, 0);
        for (int h = start; h < stop; h++) {
            all += model.there[g][h];
            if (t != NULL)
                t->capacity += model.there[g][h];
        }
        if (t != NULL) /* a node is always in the configuration, be it without GPUs */
            t->in_use = t->in_use || model.configured[g] || by == USAGE_BY_NODE;
    }
    for (int n = 0; by == USAGE_BY_NODE && n < NODES; n++)
        tally_of(tallies, &count, by, n * GPUS / NODES, 0)->in_use = true;
    tally_bookings(tallies, &count, by, start, stop);
    for (int g = 0; g < GPUS; g++)
        for (int h = start; h < stop && h < model.now; h++)
            if (model.held[g][h] != 0)
                tally_of(tallies, &count, by, g, model.held[g][h])->used++;
    for (size_t i = 0; by == USAGE_BY_USER && i < count; i++)
        tallies[i].capacity = all;
    return count;
}

static bool in_order(const struct usage_row *a, const struct usage_row *b)
{
    const char *x = a->key[0] != NULL ? a->key[0] : a->key[1], *y = b->key[0] != NULL ? b->key[0] : b->key[1];

    if (a->used != b->used)
        return a->used > b->used;
    if (strcmp(x, y) != 0)
        return strcmp(x, y) < 0;
    return a->key[1] == NULL || (b->key[1] != NULL && strcmp(a->key[1], b->key[1]) < 0);
}

static const char *text(const char *key)
{
    return key == NULL ? "-" : key;
}

static void compare(struct database *db, int step)
{
    static struct tally tallies[64];
    enum usage_by by = (enum usage_by)random_below(4);
    int start = (int)random_below(HOURS), stop = start + 1 + (int)random_below((unsigned)(HOURS - start));
    struct usage u = usage_of(db, base() + start, base() + stop, by, base() + model.now);
    size_t count = model_tallies(tallies, by, start, stop), expected = 0;
    int64_t booked = 0, used = 0;

    for (size_t i = 0; i < count; i++) {
        const struct tally *t = &tallies[i];
        size_t r = 0;
        if (!t->in_use && t->booked == 0 && t->used == 0 && t->capacity == 0)
            continue;
        expected++;
        booked += t->booked;
        used += t->used;
        while (r < u.count && (strcmp(text(u.rows[r].key[0]), text(t->key[0])) != 0 ||
                               strcmp(text(u.rows[r].key[1]), text(t->key[1])) != 0))
            r++;
        if (r == u.count)
            fail_msg("step %d, by %d: no row for %s %s", step, (int)by, text(t->key[0]), text(t->key[1]));
        if (u.rows[r].booked != t->booked || u.rows[r].used != t->used || u.rows[r].given_back != t->given_back ||
            u.rows[r].capacity != t->capacity)
            fail_msg("step %d, by %d, [%d, %d) at %d, %s %s: booked %d used %d given back %d capacity %d, the model says %d %d %d %d",
                     step, (int)by, start, stop, model.now, text(t->key[0]), text(t->key[1]), (int)u.rows[r].booked,
                     (int)u.rows[r].used, (int)u.rows[r].given_back, (int)u.rows[r].capacity, (int)t->booked, (int)t->used,
                     (int)t->given_back, (int)t->capacity);
    }
    assert_int_equal(u.count, expected);
    assert_int_equal(u.total.booked, booked);
    assert_int_equal(u.total.used, used);
    for (size_t i = 1; i < u.count; i++)
        assert_true(in_order(&u.rows[i - 1], &u.rows[i]));
}

TEST(usage_agrees_with_an_hour_by_hour_model)
{
    struct database db;
    struct error err = ERROR_INIT;
    int steps = random_steps(STEPS);

    database_folder(&db);
    assert_true(planner_open(db.path, true, &db.planner, &err));
    for (int g = 0; g < GPUS; g++)
        model.since[g] = -1;
    step_configure(&db, &err);
    for (int step = 0; step < steps; step++) {
        unsigned kind = random_below(20);
        if (kind < 8)
            step_book(&db, &err);
        else if (kind < 12)
            step_edit(&db, &err);
        else if (kind < 16)
            step_end(&db, &err);
        else if (kind == 16 && random_below(3) == 0)
            step_configure(&db, &err);
        else if (model.now < HOURS - 1 && random_below(4) == 0)
            model.now++;
        error_clear(&err);
        compare(&db, step);
        arena_reset(&db.arena);
    }
    assert_true(model.last_id > steps / 30);
    database_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_booking_counts_with_its_hours_inside_the_window),
        cmocka_unit_test(used_are_the_hours_before_the_current_one),
        cmocka_unit_test(given_back_begins_with_the_hour_of_the_release),
        cmocka_unit_test(a_booking_with_an_owner_counts_for_the_owner),
        cmocka_unit_test(what_a_booking_used_of_a_gpu_that_it_gave_away_stays_used),
        cmocka_unit_test(what_is_in_use_has_a_row_with_zeros_most_used_first_then_by_key),
        cmocka_unit_test(retired_gpus_count_for_the_time_they_existed_and_are_silent_after),
        cmocka_unit_test(hours_held_on_a_retired_gpu_are_still_reported),
        cmocka_unit_test(hours_outside_their_bookings_window_are_an_error_not_a_smaller_number),
        cmocka_unit_test(usage_agrees_with_an_hour_by_hour_model),
    };

    random_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
