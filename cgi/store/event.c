#include "cgi/store/internal.h"

#include "common/banned.h"

enum { EVENT_APPEND };

static const char *const sql[] = {
    [EVENT_APPEND] = "INSERT INTO event (at, actor, claimed, kind, booking_id, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
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
