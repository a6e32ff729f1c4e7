#include "cgi/store/internal.h"

#include <string.h>

#include "common/banned.h"

enum { HOLDINGS, ALLOCATIONS, FREE_1, FREE_8, FREE_64, HELD_UNTIL, ALLOCATION_INSERT, ALLOCATION_EXTEND, CUT_DELETE, CUT_SHORTEN };

/* The allocations of one booking, by the primary key: its GPUs, and starts within its planned window. */
#define OF_BOOKING                                                                                                     \
    "gpu_key IN (SELECT gpu_key FROM booking_gpu WHERE booking_id = ?1) AND booking_id = ?1 "                          \
    "AND start_hour < (SELECT end_hour FROM booking WHERE id = ?1) "

/* Gaps from ?2 on that have room for ?3 hours, in the index of those of LENGTH hours at least. A row's start is the end of
 * the gap before it, so the first one is found without its predecessor. */
#define FREE_RUNS(LENGTH)                                                                                              \
    "SELECT max(free_from, ?2), start_hour FROM allocation INDEXED BY allocation_free_" LENGTH                         \
    " WHERE gpu_key = ?1 AND start_hour >= ?2 + ?3 AND start_hour - free_from >= " LENGTH                              \
    " AND start_hour - free_from >= ?3 ORDER BY start_hour"
/* The end of the GPU's row before the hour ?2, for what schema.sql calls free_from. */
#define END_BEFORE                                                                                                     \
    "coalesce((SELECT end_hour FROM allocation WHERE gpu_key = ?1 AND start_hour < ?2 ORDER BY start_hour DESC LIMIT 1), " \
    SQL_VALUE(HOUR_MIN) ")"

static const char *const sql[] = {
    [HOLDINGS] = "SELECT a.start_hour, a.end_hour, a.booking_id, b.status FROM allocation a "
                 "CROSS JOIN booking b ON b.id = a.booking_id "
                 "WHERE a.gpu_key = ?1 AND a.start_hour < ?2 ORDER BY a.start_hour DESC",
    [ALLOCATIONS] = "SELECT start_hour, end_hour, booking_id FROM allocation WHERE gpu_key = ?1 AND start_hour < ?2 "
                    "ORDER BY start_hour DESC",
    [FREE_1] = FREE_RUNS("1"),
    [FREE_8] = FREE_RUNS("8"),
    [FREE_64] = FREE_RUNS("64"),
    [HELD_UNTIL] = "SELECT held_until FROM gpu WHERE gpu_key = ?1",
    [ALLOCATION_INSERT] = "INSERT INTO allocation (gpu_key, start_hour, end_hour, booking_id, free_from) "
                          "VALUES (?1, ?2, ?3, ?4, " END_BEFORE ")",
    [ALLOCATION_EXTEND] = "UPDATE allocation SET end_hour = ?3 WHERE gpu_key = ?1 AND start_hour = "
                          "(SELECT max(start_hour) FROM allocation WHERE gpu_key = ?1 AND start_hour < ?2) "
                          "AND end_hour = ?2 AND booking_id = ?4",
    [CUT_DELETE] = "DELETE FROM allocation WHERE " OF_BOOKING "AND start_hour >= ?2",
    [CUT_SHORTEN] = "UPDATE allocation SET end_hour = ?2 WHERE " OF_BOOKING
                    "AND start_hour >= (SELECT start_hour FROM booking WHERE id = ?1) AND start_hour < ?2 AND end_hour > ?2",
};

bool store_holdings(struct store *store, struct arena *arena, int64_t gpu_key, struct window window, size_t max,
                    struct holding **out, size_t *out_count, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_ALLOCATION, sql, HOLDINGS, err);
    struct holding *rows = NULL;
    size_t n = 0, capacity = 0;
    enum step step = STEP_ROW;

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, gpu_key);
    bind_hour(statement, 2, window.end);
    while ((max == 0 || n < max) && (step = store_step(store, statement, err)) == STEP_ROW) {
        hour_t end = column_hour(statement, 1);
        if (end <= window.start) /* rows do not overlap, so all further ones end earlier still */
            break;
        rows = arena_grow(arena, rows, n, &capacity, sizeof *rows);
        rows[n++] = (struct holding){
            .window = {column_hour(statement, 0), end},
            .booking_id = sqlite3_column_int64(statement, 2),
            .active = sqlite3_column_int(statement, 3) == BOOKING_ACTIVE,
        };
    }
    if (step == STEP_ROW)
        sqlite3_reset(statement);
    *out = rows;
    *out_count = n;
    return step != STEP_FAILED;
}

static void list_add(struct allocation_list *list, struct arena *arena, struct allocation a)
{
    list->items = arena_grow(arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = a;
}

bool store_allocations(struct store *store, struct arena *arena, int64_t gpu_key, struct window window,
                       struct allocation_list *out, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_ALLOCATION, sql, ALLOCATIONS, err);
    enum step step;

    out->count = 0;
    if (statement == NULL)
        return false;
    bind_integer(statement, 1, gpu_key);
    bind_hour(statement, 2, window.end);
    while ((step = store_step(store, statement, err)) == STEP_ROW) {
        struct window held = {(hour_t)sqlite3_column_int64(statement, 0), (hour_t)sqlite3_column_int64(statement, 1)};
        if (held.end <= window.start)
            break;
        list_add(out, arena, (struct allocation){gpu_key, held, sqlite3_column_int64(statement, 2)});
    }
    if (step == STEP_FAILED)
        return false;
    if (step == STEP_ROW)
        sqlite3_reset(statement);
    for (size_t i = 0, j = out->count; i + 1 < j--; i++) { /* they came latest first */
        struct allocation swap = out->items[i];
        out->items[i] = out->items[j];
        out->items[j] = swap;
    }
    return true;
}

static bool held_until(struct store *store, int64_t gpu_key, hour_t *out, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_ALLOCATION, sql, HELD_UNTIL, err);
    enum step step;

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, gpu_key);
    if ((step = store_step(store, statement, err)) == STEP_ROW) {
        *out = sqlite3_column_int(statement, 0);
        sqlite3_reset(statement);
    }
    return step != STEP_FAILED;
}

bool store_free_runs(struct store *store, int64_t gpu_key, hour_t hour, int32_t hours, struct window *out, size_t max,
                     size_t *out_count, struct error *err)
{
    int index = hours >= 64 ? FREE_64 : hours >= 8 ? FREE_8 : FREE_1;
    sqlite3_stmt *statement = store_statement(store, ENTITY_ALLOCATION, sql, index, err);
    enum step step = STEP_ROW;
    hour_t end = HOUR_MIN;
    size_t n = 0;

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, gpu_key);
    bind_integer(statement, 2, hour);
    bind_integer(statement, 3, hours);
    while (n < max && (step = store_step(store, statement, err)) == STEP_ROW)
        out[n++] = (struct window){sqlite3_column_int(statement, 0), sqlite3_column_int(statement, 1)};
    *out_count = n;
    if (step == STEP_ROW)
        sqlite3_reset(statement);
    if (step != STEP_DONE)
        return step != STEP_FAILED;
    if (!held_until(store, gpu_key, &end, err))
        return false;
    out[n] = (struct window){end > hour ? end : hour, STORE_ENDLESS};
    *out_count = n + 1;
    return true;
}

/* Runs ALLOCATION_INSERT or ALLOCATION_EXTEND, whose parameters are the same. */
static bool write_allocation(struct store *store, int index, const struct allocation *a, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_ALLOCATION, sql, index, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, a->gpu_key);
    bind_hour(statement, 2, a->window.start);
    bind_hour(statement, 3, a->window.end);
    bind_integer(statement, 4, a->booking_id);
    return store_run(store, statement, err);
}

bool store_allocation_insert(struct store *store, const struct allocation *a, struct error *err)
{
    return write_allocation(store, ALLOCATION_INSERT, a, err);
}

bool store_allocation_hold(struct store *store, const struct allocation *a, struct error *err)
{
    return write_allocation(store, ALLOCATION_EXTEND, a, err) &&
           (sqlite3_changes(store->db) > 0 || store_allocation_insert(store, a, err));
}

bool store_allocations_cut(struct store *store, int64_t booking_id, hour_t hour, struct error *err)
{
    static const int steps[] = {CUT_DELETE, CUT_SHORTEN};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        sqlite3_stmt *statement = store_statement(store, ENTITY_ALLOCATION, sql, steps[i], err);
        if (statement == NULL)
            return false;
        bind_integer(statement, 1, booking_id);
        bind_hour(statement, 2, hour);
        if (!store_run(store, statement, err))
            return false;
    }
    return true;
}
