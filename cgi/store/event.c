#include "cgi/store/internal.h"

#include <string.h>

#include "common/banned.h"

enum { EVENT_APPEND, EVENT_LIST, EVENT_LIST_OF_BOOKING, EVENT_BOOKINGS };

#define COLUMNS "id, at, actor, claimed, kind, booking_id, detail"

static const char *const sql[] = {
    [EVENT_APPEND] = "INSERT INTO event (at, actor, claimed, kind, booking_id, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [EVENT_LIST] = "SELECT " COLUMNS " FROM event WHERE id > ?1 ORDER BY id LIMIT ?2",
    [EVENT_LIST_OF_BOOKING] = "SELECT " COLUMNS " FROM event INDEXED BY event_by_booking "
                              "WHERE booking_id = ?3 AND id > ?1 ORDER BY id LIMIT ?2",
    /* By the range of ids alone: an index on booking_id would have to be read whole. */
    [EVENT_BOOKINGS] = "SELECT booking_id FROM event NOT INDEXED WHERE id > ?1 AND booking_id IS NOT NULL",
};

bool store_event_append(struct store *store, int64_t at, const struct actor *actor, const char *kind, int64_t booking_id,
                        const char *detail, int64_t *out_id, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_EVENT, sql, EVENT_APPEND, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, at);
    bind_text(statement, 2, actor->name);
    bind_integer(statement, 3, actor->claimed);
    bind_text(statement, 4, kind);
    if (booking_id != 0)
        bind_integer(statement, 5, booking_id);
    bind_text(statement, 6, detail);
    if (!store_run(store, statement, err))
        return false;
    if (out_id != NULL)
        *out_id = sqlite3_last_insert_rowid(store->db);
    return true;
}

static struct store_event event_from_row(sqlite3_stmt *row, struct arena *arena)
{
    return (struct store_event){
        .id = sqlite3_column_int64(row, 0),
        .at = sqlite3_column_int64(row, 1),
        .actor = {column_text(row, 2, arena), sqlite3_column_int(row, 3) != 0},
        .kind = column_text(row, 4, arena),
        .booking_id = sqlite3_column_int64(row, 5),
        .detail = column_text(row, 6, arena),
    };
}

bool store_events(struct store *store, struct arena *arena, int64_t after, int64_t booking_id, int64_t limit,
                  struct store_event **out, size_t *out_count, struct error *err)
{
    int index = booking_id != 0 ? EVENT_LIST_OF_BOOKING : EVENT_LIST;
    sqlite3_stmt *statement = store_statement(store, ENTITY_EVENT, sql, index, err);
    size_t n = 0, capacity = 0;
    enum step step;

    *out = NULL;
    if (statement == NULL)
        return false;
    bind_integer(statement, 1, after);
    bind_integer(statement, 2, limit);
    if (booking_id != 0)
        bind_integer(statement, 3, booking_id);
    while ((step = store_step(store, statement, err)) == STEP_ROW) {
        *out = arena_grow(arena, *out, n, &capacity, sizeof **out);
        (*out)[n++] = event_from_row(statement, arena);
    }
    *out_count = n;
    return step == STEP_DONE;
}

bool store_events_bookings(struct store *store, struct arena *arena, int64_t after, int64_t **out, size_t *out_count,
                           struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_EVENT, sql, EVENT_BOOKINGS, err);
    size_t n = 0, capacity = 0;
    enum step step;

    *out = NULL;
    if (statement == NULL)
        return false;
    bind_integer(statement, 1, after);
    while ((step = store_step(store, statement, err)) == STEP_ROW) {
        *out = arena_grow(arena, *out, n, &capacity, sizeof **out);
        (*out)[n++] = sqlite3_column_int64(statement, 0);
    }
    *out_count = n;
    return step == STEP_DONE;
}
