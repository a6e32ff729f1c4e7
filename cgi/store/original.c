#include "cgi/store/original.h"

#include <stdio.h>
#include <string.h>

#include "cgi/store/internal.h"

#include "common/banned.h"

/* What the original's tables have. A column that is optional came with a later version of it. */
struct column {
    const char *name;
    bool optional;
};
struct table {
    const char *name;
    const struct column *columns;
};

static const struct table tables[] = {
    {"nodes", (const struct column[]){{"id", false}, {"name", false}, {NULL, false}}},
    {"gpus", (const struct column[]){{"id", false}, {"node_id", false}, {"kind", false}, {NULL, false}}},
    {"bookings",
     (const struct column[]){{"id", false}, {"node_id", false}, {"start_utc", false}, {"end_utc", false}, {"user_label", false},
                             {"status", false}, {"created_utc", false}, {"updated_utc", false}, {"priority", true}, {NULL, false}}},
    {"booking_allocations", (const struct column[]){{"booking_id", false}, {"gpu_id", false}, {NULL, false}}},
};
#define TABLE_COUNT (sizeof tables / sizeof tables[0])

struct reader {
    sqlite3 *db;
    const char *name;
    struct arena *arena;
    struct original *out;
    size_t unknown_capacity;
    bool has_priority;
};

static bool fail(struct reader *r, struct error *err)
{
    error_set(err, ERROR_CONFIGURATION, "%s: cannot be read as a database", r->name);
    error_detail(err, "SQLite %d: %s", sqlite3_extended_errcode(r->db), sqlite3_errmsg(r->db));
    return false;
}

static sqlite3_stmt *prepare(struct reader *r, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(r->db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail(r, err);
    return statement;
}

/* Ends a statement whose last step gave RC. */
static bool finish(struct reader *r, sqlite3_stmt *statement, int rc, struct error *err)
{
    if (rc != SQLITE_DONE)
        fail(r, err);
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE;
}

/* -- structure -------------------------------------------------------------------------------------------------- */

static void note_unknown(struct reader *r, const char *text)
{
    struct original *o = r->out;

    o->unknown = arena_grow(r->arena, o->unknown, o->unknown_count, &r->unknown_capacity, sizeof *o->unknown);
    o->unknown[o->unknown_count++] = text;
}

static bool check_columns(struct reader *r, const struct table *table, struct error *err)
{
    sqlite3_stmt *statement = prepare(r, "SELECT name FROM pragma_table_info(?1)", err);
    bool seen[16] = {false};
    int rc;

    if (statement == NULL)
        return false;
    bind_text(statement, 1, table->name);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = column_text(statement, 0, r->arena);
        size_t i = 0;
        while (table->columns[i].name != NULL && strcmp(table->columns[i].name, name) != 0)
            i++;
        if (table->columns[i].name == NULL)
            note_unknown(r, arena_printf(r->arena, "column %s.%s", table->name, name));
        else
            seen[i] = true;
    }
    if (!finish(r, statement, rc, err))
        return false;
    for (size_t i = 0; table->columns[i].name != NULL; i++) {
        if (strcmp(table->columns[i].name, "priority") == 0)
            r->has_priority = seen[i];
        if (!seen[i] && !table->columns[i].optional)
            return error_set(err, ERROR_CONFIGURATION, "%s: is not a database of the original ProcPlan: it has no column %s.%s",
                             r->name, table->name, table->columns[i].name);
    }
    return true;
}

static bool note_tables(struct reader *r, struct error *err)
{
    sqlite3_stmt *statement = prepare(r, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
                                      err);
    int rc;

    if (statement == NULL)
        return false;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = column_text(statement, 0, r->arena);
        size_t i = 0;
        while (i < TABLE_COUNT && strcmp(tables[i].name, name) != 0)
            i++;
        if (i == TABLE_COUNT)
            note_unknown(r, arena_printf(r->arena, "table %s", name));
    }
    return finish(r, statement, rc, err);
}

static bool check_structure(struct reader *r, struct error *err)
{
    sqlite3_stmt *statement = prepare(r, "SELECT integrity_check FROM pragma_integrity_check(1)", err);
    int rc;

    if (statement == NULL)
        return false;
    rc = sqlite3_step(statement);
    const char *found = rc == SQLITE_ROW ? column_text(statement, 0, r->arena) : "ok";
    if (rc == SQLITE_ROW)
        rc = sqlite3_step(statement);
    if (!finish(r, statement, rc, err))
        return false;
    if (strcmp(found, "ok") != 0) {
        error_set(err, ERROR_CONFIGURATION, "%s: the database is damaged", r->name);
        error_detail(err, "%s", found);
        return false;
    }
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (!check_columns(r, &tables[i], err))
            return false;
    return note_tables(r, err);
}

/* -- rows ------------------------------------------------------------------------------------------------------- */

/* Makes the item of a row. */
typedef void (*take_fn)(struct reader *r, sqlite3_stmt *row, void *item);

/* All rows that SQL gives: *COUNT items of SIZE bytes in *OUT. */
static bool read_rows(struct reader *r, const char *sql, take_fn take, size_t size, void **out, size_t *count, struct error *err)
{
    sqlite3_stmt *statement = prepare(r, sql, err);
    size_t capacity = 0;
    int rc;

    *out = NULL;
    if (statement == NULL)
        return false;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        char *items = *out = arena_grow(r->arena, *out, *count, &capacity, size);
        take(r, statement, items + *count * size);
        ++*count;
    }
    return finish(r, statement, rc, err);
}

static void take_node(struct reader *r, sqlite3_stmt *row, void *item)
{
    *(struct original_node *)item = (struct original_node){column_text(row, 0, r->arena), column_text(row, 1, r->arena)};
}

static void take_gpu(struct reader *r, sqlite3_stmt *row, void *item)
{
    *(struct original_gpu *)item =
        (struct original_gpu){column_text(row, 0, r->arena), column_text(row, 1, r->arena), column_text(row, 2, r->arena)};
}

static void take_booking(struct reader *r, sqlite3_stmt *row, void *item)
{
    int64_t id = sqlite3_column_type(row, 0) == SQLITE_INTEGER ? sqlite3_column_int64(row, 0) : 0;
    const char *text[9];

    for (int i = 1; i < 9; i++)
        text[i] = column_text(row, i, r->arena);
    *(struct original_booking *)item = (struct original_booking){
        .id = id, .node_id = text[1], .start = text[2], .end = text[3], .user_label = text[4], .status = text[5],
        .created = text[6], .updated = text[7], .priority = text[8],
    };
    if (id > r->out->last_id)
        r->out->last_id = id;
}

static bool read_tables(struct reader *r, struct error *err)
{
    static const char *const bookings[] = {
        "SELECT id, node_id, start_utc, end_utc, user_label, status, created_utc, updated_utc, 'medium' FROM bookings ORDER BY id",
        "SELECT id, node_id, start_utc, end_utc, user_label, status, created_utc, updated_utc, priority FROM bookings ORDER BY id",
    };
    struct original *o = r->out;
    void *rows;

    if (!read_rows(r, "SELECT id, name FROM nodes ORDER BY id", take_node, sizeof *o->nodes, &rows, &o->node_count, err))
        return false;
    o->nodes = rows;
    if (!read_rows(r, "SELECT id, node_id, kind FROM gpus ORDER BY node_id, id", take_gpu, sizeof *o->gpus, &rows, &o->gpu_count, err))
        return false;
    o->gpus = rows;
    if (!read_rows(r, bookings[r->has_priority], take_booking, sizeof *o->bookings, &rows, &o->booking_count, err))
        return false;
    o->bookings = rows;
    return true;
}

/* Both lists are by booking, so one walk along both is enough. */
static bool read_allocations(struct reader *r, struct error *err)
{
    sqlite3_stmt *statement =
        prepare(r, "SELECT booking_id, gpu_id FROM booking_allocations ORDER BY booking_id, gpu_id COLLATE BINARY", err);
    struct original *o = r->out;
    size_t at = 0, capacity = 0;
    int rc;

    if (statement == NULL)
        return false;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        const char *gpu_id = column_text(statement, 1, r->arena);
        while (at < o->booking_count && o->bookings[at].id < id) {
            at++;
            capacity = 0;
        }
        if (at == o->booking_count || o->bookings[at].id != id || gpu_id == NULL) {
            o->stray_allocations++;
            continue;
        }
        struct original_booking *b = &o->bookings[at];
        b->gpu_ids = arena_grow(r->arena, b->gpu_ids, b->gpu_count, &capacity, sizeof *b->gpu_ids);
        b->gpu_ids[b->gpu_count++] = gpu_id;
    }
    return finish(r, statement, rc, err);
}

/* Numbers of bookings that were deleted are not given again either. */
static bool read_last_id(struct reader *r, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc;

    if (sqlite3_prepare_v2(r->db, "SELECT seq FROM sqlite_sequence WHERE name = 'bookings'", -1, &statement, NULL) != SQLITE_OK)
        return true; /* ids are not AUTOINCREMENT there */
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
        if (sqlite3_column_int64(statement, 0) > r->out->last_id)
            r->out->last_id = sqlite3_column_int64(statement, 0);
    return finish(r, statement, rc, err);
}

bool original_read(const char *path, const char *name, struct arena *arena, struct original *out, struct error *err)
{
    struct reader r = {.name = name, .arena = arena, .out = out};
    bool ok = false;

    *out = (struct original){0};
    if (sqlite3_open_v2(path, &r.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        fail(&r, err);
        goto out;
    }
    store_harden(r.db);
    ok = check_structure(&r, err) && read_tables(&r, err) && read_allocations(&r, err) && read_last_id(&r, err);
out:
    sqlite3_close(r.db);
    return ok;
}
