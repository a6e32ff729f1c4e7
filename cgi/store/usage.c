#include "cgi/store/internal.h"

#include <string.h>

#include "common/banned.h"

enum { SPAN, PLANNED, PLANNED_GPUS, HELD, COUNT_ALL, COUNT_ENDED };

static const char *const sql[] = {
    /* A range of the index a class and node. */
    [SPAN] = CLASSES "SELECT min(b.id), max(b.id) FROM node n CROSS JOIN class CROSS JOIN booking b "
             "INDEXED BY booking_by_class ON b.node_key = n.node_key AND b.length_class = class.n "
             "AND b.start_hour > ?1 - class.longest AND b.start_hour < ?2 AND b.end_hour > ?1",
    /* These two run side by side, both in the order in which their tables lie on the disk. */
    [PLANNED] = "SELECT id, start_hour, end_hour, released_at, user_label, owner FROM booking "
                "WHERE id BETWEEN ?1 AND ?2 AND end_hour > ?3 AND start_hour < ?4 ORDER BY id",
    [PLANNED_GPUS] = "SELECT booking_id, gpu_key FROM booking_gpu WHERE booking_id BETWEEN ?1 AND ?2 ORDER BY booking_id",
    /* GPU by GPU, from the row that holds ?1 or the first one after. */
    [HELD] = "SELECT a.gpu_key, a.start_hour, a.end_hour, a.booking_id FROM gpu g "
             "CROSS JOIN allocation a ON a.gpu_key = g.gpu_key AND a.start_hour < ?2 AND a.end_hour > ?1 "
             "AND a.start_hour >= coalesce((SELECT max(p.start_hour) FROM allocation p "
             "WHERE p.gpu_key = g.gpu_key AND p.start_hour <= ?1), ?1)",
    /* Without a condition SQLite counts an index page by page, and the active ones, which are many, are the rest. */
    [COUNT_ALL] = "SELECT count(*) FROM booking",
    [COUNT_ENDED] = "SELECT count(*) FROM booking INDEXED BY booking_ended WHERE status <> 0 AND status = ?1",
};

bool store_planned_span(struct store *store, struct window window, int64_t *out_first, int64_t *out_last, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_USAGE, sql, SPAN, err);

    if (statement == NULL)
        return false;
    bind_hour(statement, 1, window.start);
    bind_hour(statement, 2, window.end);
    if (store_step(store, statement, err) != STEP_ROW)
        return false;
    *out_first = sqlite3_column_int64(statement, 0);
    *out_last = sqlite3_column_int64(statement, 1);
    sqlite3_reset(statement);
    return true;
}

/* The rows of booking_gpu, and where in them the walk stands. */
struct gpu_rows {
    sqlite3_stmt *statement;
    enum step step;
    int64_t booking_id; /* of the present row */
    int64_t *keys;      /* of the last booking that was asked for */
    size_t count, capacity;
};

static void gpu_rows_step(struct store *store, struct gpu_rows *rows, struct error *err)
{
    rows->step = store_step(store, rows->statement, err);
    if (rows->step == STEP_ROW)
        rows->booking_id = sqlite3_column_int64(rows->statement, 0);
}

/* Collects the GPUs of booking ID; ids must be asked for in rising order. */
static bool gpu_rows_of(struct store *store, struct arena *arena, struct gpu_rows *rows, int64_t id, struct error *err)
{
    rows->count = 0;
    while (rows->step == STEP_ROW && rows->booking_id < id)
        gpu_rows_step(store, rows, err);
    while (rows->step == STEP_ROW && rows->booking_id == id) {
        if (rows->count == rows->capacity) {
            int64_t *more = arena_array(arena, rows->capacity = rows->capacity == 0 ? 64 : rows->capacity * 2, sizeof *more);
            if (rows->count > 0)
                memcpy(more, rows->keys, rows->count * sizeof *more);
            rows->keys = more;
        }
        rows->keys[rows->count++] = sqlite3_column_int64(rows->statement, 1);
        gpu_rows_step(store, rows, err);
    }
    return rows->step != STEP_FAILED;
}

bool store_each_planned(struct store *store, struct arena *arena, struct window window, int64_t first, int64_t last,
                        store_planned_fn visit, void *context, struct error *err)
{
    sqlite3_stmt *bookings = store_statement(store, ENTITY_USAGE, sql, PLANNED, err);
    struct gpu_rows rows = {.statement = store_statement(store, ENTITY_USAGE, sql, PLANNED_GPUS, err)};
    enum step step = STEP_DONE;
    bool ok = true;

    if (bookings == NULL || rows.statement == NULL)
        return false;
    for (int i = 0; i < 2; i++) {
        bind_integer(i == 0 ? bookings : rows.statement, 1, first);
        bind_integer(i == 0 ? bookings : rows.statement, 2, last);
    }
    bind_hour(bookings, 3, window.start);
    bind_hour(bookings, 4, window.end);
    gpu_rows_step(store, &rows, err);
    ok = rows.step != STEP_FAILED;
    while (ok && (step = store_step(store, bookings, err)) == STEP_ROW) {
        struct store_planned planned = {
            .id = sqlite3_column_int64(bookings, 0),
            .window = {column_hour(bookings, 1), column_hour(bookings, 2)},
            .released = sqlite3_column_int64(bookings, 3),
            .user_label = (const char *)sqlite3_column_text(bookings, 4),
            .owner = (const char *)sqlite3_column_text(bookings, 5),
        };
        ok = gpu_rows_of(store, arena, &rows, planned.id, err);
        planned.gpu_keys = rows.keys;
        planned.gpu_count = rows.count;
        if (ok)
            visit(context, &planned);
    }
    sqlite3_reset(bookings);
    sqlite3_reset(rows.statement);
    return ok && step == STEP_DONE;
}

bool store_each_held(struct store *store, struct window window, store_held_fn visit, void *context, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_USAGE, sql, HELD, err);
    enum step step;

    if (statement == NULL)
        return false;
    bind_hour(statement, 1, window.start);
    bind_hour(statement, 2, window.end);
    while ((step = store_step(store, statement, err)) == STEP_ROW) {
        struct allocation held = {
            .gpu_key = sqlite3_column_int64(statement, 0),
            .window = {column_hour(statement, 1), column_hour(statement, 2)},
            .booking_id = sqlite3_column_int64(statement, 3),
        };
        visit(context, &held);
    }
    return step == STEP_DONE;
}

static bool count(struct store *store, int index, int status, int64_t *out, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_USAGE, sql, index, err);

    if (statement == NULL)
        return false;
    if (index == COUNT_ENDED)
        bind_integer(statement, 1, status);
    if (store_step(store, statement, err) != STEP_ROW)
        return false;
    *out = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return true;
}

bool store_booking_counts(struct store *store, int64_t out[BOOKING_CANCELLED + 1], struct error *err)
{
    int64_t all;

    if (!count(store, COUNT_ALL, 0, &all, err) || !count(store, COUNT_ENDED, BOOKING_COMPLETED, &out[BOOKING_COMPLETED], err) ||
        !count(store, COUNT_ENDED, BOOKING_CANCELLED, &out[BOOKING_CANCELLED], err))
        return false;
    out[BOOKING_ACTIVE] = all - out[BOOKING_COMPLETED] - out[BOOKING_CANCELLED];
    return true;
}
