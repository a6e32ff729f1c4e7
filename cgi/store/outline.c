#include "cgi/store/internal.h"

#include "common/banned.h"

/* Bookings as a timeline draws them: many at once, and of each only what is drawn. */

enum { OUTLINE_WINDOW, OUTLINE_BY_ID, OUTLINE_FIND, LAST_ID };

#define COLUMNS "id, node_key, start_hour, end_hour, user_label, owner, priority, status, note, version"

static const char *const sql[] = {
    [OUTLINE_WINDOW] = CLASSES "SELECT " COLUMNS " FROM class "
                       "CROSS JOIN booking INDEXED BY booking_by_class ON length_class = class.n "
                       "AND start_hour > ?2 - class.longest AND start_hour < ?3 WHERE node_key = ?1 AND end_hour > ?2",
    [OUTLINE_BY_ID] = "SELECT " COLUMNS " FROM booking NOT INDEXED WHERE end_hour > ?1 AND start_hour < ?2 ORDER BY id",
    [OUTLINE_FIND] = "SELECT " COLUMNS " FROM booking WHERE id = ?1",
    [LAST_ID] = "SELECT coalesce(max(id), 0) FROM booking",
};

static sqlite3_stmt *statement_for(struct store *store, int index, struct error *err)
{
    return store_statement(store, ENTITY_OUTLINE, sql, index, err);
}

/* Runs a statement of COLUMNS to its end. Hours are never NULL here, so they need no column_hour. */
static bool visit_all(struct store *store, sqlite3_stmt *statement, store_outline_fn visit, void *context,
                      struct error *err)
{
    enum step step;

    while ((step = store_step(store, statement, err)) == STEP_ROW) {
        struct booking_outline outline = {
            .id = sqlite3_column_int64(statement, 0),
            .node_key = sqlite3_column_int64(statement, 1),
            .window = {sqlite3_column_int(statement, 2), sqlite3_column_int(statement, 3)},
            .user_label = (const char *)sqlite3_column_text(statement, 4),
            .owner = (const char *)sqlite3_column_text(statement, 5),
            .priority = (enum priority)sqlite3_column_int(statement, 6),
            .status = (enum booking_status)sqlite3_column_int(statement, 7),
            .note = (const char *)sqlite3_column_text(statement, 8),
            .version = sqlite3_column_int64(statement, 9),
        };
        if (!visit(context, &outline)) {
            sqlite3_reset(statement);
            return false;
        }
    }
    return step == STEP_DONE;
}

bool store_outlines_in_window(struct store *store, int64_t node_key, struct window window, store_outline_fn visit,
                              void *context, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, OUTLINE_WINDOW, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, node_key);
    bind_hour(statement, 2, window.start);
    bind_hour(statement, 3, window.end);
    return visit_all(store, statement, visit, context, err);
}

bool store_outlines_by_id(struct store *store, struct window window, store_outline_fn visit, void *context,
                          struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, OUTLINE_BY_ID, err);

    if (statement == NULL)
        return false;
    bind_hour(statement, 1, window.start);
    bind_hour(statement, 2, window.end);
    return visit_all(store, statement, visit, context, err);
}

bool store_outline_find(struct store *store, int64_t id, store_outline_fn visit, void *context, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, OUTLINE_FIND, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, id);
    return visit_all(store, statement, visit, context, err);
}

bool store_booking_last_id(struct store *store, int64_t *out, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, LAST_ID, err);

    if (statement == NULL || store_step(store, statement, err) != STEP_ROW)
        return false;
    *out = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return true;
}
