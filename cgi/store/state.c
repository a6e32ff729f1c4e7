#include "cgi/store/internal.h"

#include <stdio.h>

#include "common/banned.h"

enum { STATE_READ, CONFIG_TEXT, CONFIG_ACCEPT };

static const char *const sql[] = {
    [STATE_READ] = "SELECT epoch, revision, (SELECT max(id) FROM event) FROM config",
    [CONFIG_TEXT] = "SELECT text FROM config WHERE text IS NOT NULL",
    [CONFIG_ACCEPT] = "UPDATE config SET text = ?1, revision = ?2",
};

bool store_state(struct store *store, struct store_state *out, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_STATE, sql, STATE_READ, err);

    if (statement == NULL)
        return false;
    switch (store_step(store, statement, err)) {
    case STEP_FAILED:
        return false;
    case STEP_DONE:
        error_set(err, ERROR_UNAVAILABLE, "The database holds no ProcPlan state");
        return false;
    case STEP_ROW:
        break;
    }
    snprintf(out->epoch, sizeof out->epoch, "%s", (const char *)sqlite3_column_text(statement, 0));
    out->config_revision = sqlite3_column_int64(statement, 1);
    out->revision = sqlite3_column_int64(statement, 2);
    sqlite3_reset(statement);
    peek_after(store);
    return true;
}

bool store_config_text(struct store *store, struct arena *arena, const char **out, size_t *out_length, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_STATE, sql, CONFIG_TEXT, err);

    *out = NULL;
    *out_length = 0;
    if (statement == NULL)
        return false;
    enum step step = store_step(store, statement, err);
    if (step == STEP_ROW) {
        *out = column_text(statement, 0, arena);
        *out_length = (size_t)sqlite3_column_bytes(statement, 0);
        sqlite3_reset(statement);
    }
    return step != STEP_FAILED;
}

bool store_config_accept(struct store *store, const char *text, size_t length, int64_t revision, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_STATE, sql, CONFIG_ACCEPT, err);

    if (statement == NULL)
        return false;
    sqlite3_bind_text64(statement, 1, text, length, SQLITE_STATIC, SQLITE_UTF8);
    bind_integer(statement, 2, revision);
    return store_run(store, statement, err);
}
