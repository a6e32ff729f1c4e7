#include "cgi/planner/usage.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

/* The rows so far, found by key. A row is known by its number, as the array moves when it grows. */
struct rows {
    struct arena *arena;
    struct usage_row *items;
    bool *kept; /* also with zeros */
    size_t count, capacity;
    uint32_t *slots; /* open addressing: 0, or a row's number + 1; twice the capacity, a power of two */
};

struct account {
    struct planner *planner;
    struct window window;
    struct window past; /* the part of it before the current hour */
    bool by_user;
    struct rows rows;
    uint32_t *row_of_gpu;     /* by GPU key; else than by user */
    uint32_t *row_of_booking; /* by id - first_id, a row's number + 1; by user */
    int64_t first_id, last_id;
    int64_t astray; /* a booking that holds hours outside its planned window; 0: none */
};

/* -- rows --------------------------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. The parts are told apart by the byte between them, which no UTF-8 has. */
static uint64_t hash_key(const char *const key[2])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (int i = 0; i < 2; i++) {
        for (const char *p = key[i] == NULL ? "" : key[i]; *p != '\0'; p++)
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
        hash = (hash ^ 0xff) * UINT64_C(0x100000001b3);
    }
    return hash ^ hash >> 32;
}

/* The slot of KEY, or the empty one where it belongs. */
static uint32_t *rows_slot(const struct rows *rows, const char *const key[2])
{
    size_t mask = rows->capacity * 2 - 1, at = hash_key(key) & mask;

    for (;; at = (at + 1) & mask) {
        const struct usage_row *row;
        if (rows->slots[at] == 0)
            return &rows->slots[at];
        row = &rows->items[rows->slots[at] - 1];
        if (same_text(row->key[0], key[0]) && same_text(row->key[1], key[1]))
            return &rows->slots[at];
    }
}

static void rows_grow(struct rows *rows)
{
    struct rows more = {.arena = rows->arena, .count = rows->count, .capacity = rows->capacity == 0 ? 64 : rows->capacity * 2};

    more.items = arena_array(rows->arena, more.capacity, sizeof *more.items);
    more.kept = arena_array(rows->arena, more.capacity, sizeof *more.kept);
    more.slots = arena_array(rows->arena, more.capacity * 2, sizeof *more.slots);
    if (rows->count > 0) {
        memcpy(more.items, rows->items, rows->count * sizeof *more.items);
        memcpy(more.kept, rows->kept, rows->count * sizeof *more.kept);
    }
    for (size_t i = 0; i < more.count; i++)
        *rows_slot(&more, more.items[i].key) = (uint32_t)i + 1;
    *rows = more;
}

/* The row of a key, made when there is none. The texts are borrowed when COPY is false. */
static uint32_t rows_find(struct rows *rows, const char *first, const char *second, bool copy)
{
    const char *const key[2] = {first, second};
    uint32_t *slot;

    if (rows->count == rows->capacity)
        rows_grow(rows);
    slot = rows_slot(rows, key);
    if (*slot == 0) {
        struct usage_row *row = &rows->items[rows->count];
        for (int i = 0; i < 2; i++)
            row->key[i] = key[i] != NULL && copy ? arena_text(rows->arena, key[i]) : key[i];
        *slot = (uint32_t)++rows->count;
    }
    return *slot - 1;
}

/* -- capacity ----------------------------------------------------------------------------------------------------- */

static int64_t hours_there(const struct gpu *gpu, struct window window)
{
    struct window there = {gpu->since, gpu->until == HOUR_NONE ? HOUR_MAX + 1 : gpu->until};

    return window_hours(window_intersect(there, window));
}

static uint32_t row_for_gpu(struct rows *rows, const struct gpu *gpu, enum usage_by by)
{
    switch (by) {
    case USAGE_BY_NODE:
        return rows_find(rows, gpu->node->id, NULL, false);
    case USAGE_BY_KIND:
        return rows_find(rows, gpu->kind, NULL, false);
    default:
        return rows_find(rows, gpu->node->id, gpu->id, false);
    }
}

/* A row for each node, kind or GPU there is, and which one each GPU counts for. */
static void add_topology(struct account *account, struct arena *arena, enum usage_by by)
{
    const struct topology *topology = &account->planner->topology;
    struct rows *rows = &account->rows;
    int64_t last_key = topology->gpu_total == 0 ? 0 : topology->gpu_by_key[topology->gpu_total - 1]->key;

    account->row_of_gpu = arena_array(arena, (size_t)last_key + 1, sizeof *account->row_of_gpu);
    for (size_t n = 0; n < topology->node_total; n++) {
        const struct node *node = &topology->nodes[n];
        if (by == USAGE_BY_NODE) {
            uint32_t row = rows_find(rows, node->id, NULL, false);
            rows->kept[row] = node->until == HOUR_NONE;
        }
        for (size_t g = 0; g < node->gpu_total; g++) {
            const struct gpu *gpu = &node->gpus[g];
            uint32_t row = row_for_gpu(rows, gpu, by);
            account->row_of_gpu[gpu->key] = row;
            rows->kept[row] = rows->kept[row] || gpu->until == HOUR_NONE;
            rows->items[row].capacity += hours_there(gpu, account->window);
        }
    }
}

static int64_t whole_capacity(const struct topology *topology, struct window window)
{
    int64_t hours = 0;

    for (size_t i = 0; i < topology->gpu_total; i++)
        hours += hours_there(topology->gpu_by_key[i], window);
    return hours;
}

/* -- bookings and allocations ------------------------------------------------------------------------------------- */

static int64_t given_back(const struct store_planned *planned, struct window in_window)
{
    struct window after;

    if (planned->released == 0)
        return 0;
    after = (struct window){hour_of_seconds(planned->released), HOUR_MAX + 1};
    return window_hours(window_intersect(in_window, after));
}

static void count_planned(void *context, const struct store_planned *planned)
{
    struct account *account = context;
    struct window in_window = window_intersect(planned->window, account->window);
    int64_t booked = window_hours(in_window), returned = given_back(planned, in_window);

    if (account->by_user) {
        uint32_t row = planned->owner != NULL ? rows_find(&account->rows, NULL, planned->owner, true)
                                              : rows_find(&account->rows, planned->user_label, NULL, true);
        account->row_of_booking[planned->id - account->first_id] = row + 1;
        account->rows.items[row].booked += booked * (int64_t)planned->gpu_count;
        account->rows.items[row].given_back += returned * (int64_t)planned->gpu_count;
        return;
    }
    for (size_t i = 0; i < planned->gpu_count; i++) {
        struct usage_row *row = &account->rows.items[account->row_of_gpu[planned->gpu_keys[i]]];
        row->booked += booked;
        row->given_back += returned;
    }
}

static void count_held(void *context, const struct allocation *held)
{
    struct account *account = context;
    int64_t hours = window_hours(window_intersect(held->window, account->past));
    uint32_t row;

    if (!account->by_user) {
        account->rows.items[account->row_of_gpu[held->gpu_key]].used += hours;
        return;
    }
    row = held->booking_id < account->first_id || held->booking_id > account->last_id
              ? 0
              : account->row_of_booking[held->booking_id - account->first_id];
    if (row == 0)
        account->astray = held->booking_id;
    else
        account->rows.items[row - 1].used += hours;
}

static bool count_all(struct account *account, struct arena *arena, struct error *err)
{
    struct store *store = account->planner->store;

    if (!store_planned_span(store, account->window, &account->first_id, &account->last_id, err))
        return false;
    if (account->by_user)
        account->row_of_booking = arena_array(arena, (size_t)(account->last_id - account->first_id) + 1,
                                              sizeof *account->row_of_booking);
    if (account->last_id != 0 && !store_each_planned(store, arena, account->window, account->first_id, account->last_id,
                                                     count_planned, account, err))
        return false;
    if (window_hours(account->past) > 0 && !store_each_held(store, account->past, count_held, account, err))
        return false;
    if (account->astray == 0)
        return true;
    /* Whose hours these are cannot be said; an account that leaves them out in silence would be wrong. */
    error_set(err, ERROR_INTERNAL, "Internal error");
    error_detail(err, "booking %lld holds hours outside its planned window", (long long)account->astray);
    return false;
}

/* -- the result --------------------------------------------------------------------------------------------------- */

static const char *first_part(const struct usage_row *row)
{
    return row->key[0] != NULL ? row->key[0] : row->key[1];
}

static int most_used_first(const void *a, const void *b)
{
    const struct usage_row *x = a, *y = b;
    int order = (x->used < y->used) - (x->used > y->used);

    if (order == 0)
        order = strcmp(first_part(x), first_part(y));
    if (order == 0 && x->key[1] != NULL && y->key[1] != NULL)
        order = strcmp(x->key[1], y->key[1]);
    return order != 0 ? order : (x->key[1] != NULL) - (y->key[1] != NULL);
}

static void finish(struct account *account, int64_t capacity, struct usage *out)
{
    struct rows *rows = &account->rows;

    *out = (struct usage){.rows = rows->items, .total = {.capacity = capacity}};
    for (size_t i = 0; i < rows->count; i++) {
        struct usage_row *row = &rows->items[i];
        if (account->by_user)
            row->capacity = capacity;
        if (!account->by_user && !rows->kept[i] && row->booked == 0 && row->used == 0 && row->capacity == 0)
            continue;
        out->total.booked += row->booked;
        out->total.used += row->used;
        out->total.given_back += row->given_back;
        out->rows[out->count++] = *row;
    }
    if (out->count > 0)
        qsort(out->rows, out->count, sizeof *out->rows, most_used_first);
}

bool planner_usage(struct planner *planner, struct arena *arena, struct window window, enum usage_by by, hour_t now,
                   struct usage *out, struct error *err)
{
    struct account account = {
        .planner = planner,
        .window = window,
        .past = window_intersect(window, (struct window){HOUR_MIN, now}),
        .by_user = by == USAGE_BY_USER,
        .rows = {.arena = arena},
    };

    if (!account.by_user)
        add_topology(&account, arena, by);
    if (!count_all(&account, arena, err))
        return false;
    finish(&account, whole_capacity(&planner->topology, window), out);
    return true;
}
