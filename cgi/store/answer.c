#include "cgi/store/internal.h"

#include "common/banned.h"

enum { ANSWER_FIND, ANSWER_KEEP, ANSWER_FORGET };

static const char *const sql[] = {
    [ANSWER_FIND] = "SELECT body, status, answer FROM request WHERE actor = ?1 AND claimed = ?2 AND key = ?3 AND at > ?4",
    [ANSWER_KEEP] = ("INSERT OR REPLACE INTO request (actor, claimed, key, at, body, status, answer) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
    /* A few at a time: more than are made, and never a long pause under the lock. */
    [ANSWER_FORGET] = "DELETE FROM request WHERE rowid IN (SELECT rowid FROM request WHERE at <= ?1 ORDER BY at LIMIT 20)",
};

static int64_t oldest(int64_t at)
{
    return at - (int64_t)STORE_ANSWER_DAYS * 86400;
}

static const char *column_bytes(sqlite3_stmt *statement, int index, struct arena *arena, size_t *out_length)
{
    const void *bytes = sqlite3_column_blob(statement, index);

    *out_length = (size_t)sqlite3_column_bytes(statement, index);
    return arena_copy(arena, *out_length > 0 ? bytes : "", *out_length);
}

bool store_answer_find(struct store *store, struct arena *arena, const struct actor *actor, const char *key, int64_t at,
                       struct store_answer **out, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_ANSWER, sql, ANSWER_FIND, err);

    *out = NULL;
    if (statement == NULL)
        return false;
    bind_text(statement, 1, actor->name);
    bind_integer(statement, 2, actor->claimed);
    bind_text(statement, 3, key);
    bind_integer(statement, 4, oldest(at));
    enum step step = store_step(store, statement, err);
    if (step != STEP_ROW)
        return step == STEP_DONE;
    struct store_answer *answer = arena_alloc(arena, sizeof *answer);
    answer->request = column_bytes(statement, 0, arena, &answer->request_length);
    answer->status = sqlite3_column_int(statement, 1);
    answer->body = column_bytes(statement, 2, arena, &answer->body_length);
    sqlite3_reset(statement);
    *out = answer;
    return true;
}

bool store_answer_keep(struct store *store, const struct actor *actor, const char *key, int64_t at,
                       const struct store_answer *answer, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_ANSWER, sql, ANSWER_FORGET, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, oldest(at));
    if (!store_run(store, statement, err))
        return false;
    statement = store_statement(store, ENTITY_ANSWER, sql, ANSWER_KEEP, err);
    if (statement == NULL)
        return false;
    bind_text(statement, 1, actor->name);
    bind_integer(statement, 2, actor->claimed);
    bind_text(statement, 3, key);
    bind_integer(statement, 4, at);
    bind_blob(statement, 5, answer->request, answer->request_length);
    bind_integer(statement, 6, answer->status);
    bind_blob(statement, 7, answer->body, answer->body_length);
    return store_run(store, statement, err);
}
