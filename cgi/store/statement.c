#include "cgi/store/internal.h"

#include "common/banned.h"

sqlite3_stmt *store_statement(struct store *store, enum store_entity entity, const char *const *sql, int index,
                              struct error *err)
{
    sqlite3_stmt **cached = &store->statements[entity][index];

    if (*cached == NULL) {
        if (sqlite3_prepare_v3(store->db, sql[index], -1, SQLITE_PREPARE_PERSISTENT, cached, NULL) != SQLITE_OK) {
            store_fail(store, sql[index], err);
            return NULL;
        }
        return *cached;
    }
    sqlite3_reset(*cached);
    sqlite3_clear_bindings(*cached);
    return *cached;
}

void bind_integer(sqlite3_stmt *statement, int index, int64_t value)
{
    sqlite3_bind_int64(statement, index, value);
}

void bind_hour(sqlite3_stmt *statement, int index, hour_t hour)
{
    if (hour != HOUR_NONE)
        sqlite3_bind_int64(statement, index, hour);
}

void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (text != NULL)
        sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void bind_blob(sqlite3_stmt *statement, int index, const char *bytes, size_t length)
{
    sqlite3_bind_blob64(statement, index, length > 0 ? bytes : "", length, SQLITE_STATIC);
}

enum step store_step(struct store *store, sqlite3_stmt *statement, struct error *err)
{
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW)
        return STEP_ROW;
    if (rc == SQLITE_DONE) {
        sqlite3_reset(statement);
        return STEP_DONE;
    }
    store_fail(store, sqlite3_sql(statement), err);
    sqlite3_reset(statement);
    return STEP_FAILED;
}

bool store_run(struct store *store, sqlite3_stmt *statement, struct error *err)
{
    return store_step(store, statement, err) == STEP_DONE;
}

bool store_execute(struct store *store, const char *sql, struct error *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(store, sql, err);
    return true;
}

bool store_fail(struct store *store, const char *doing, struct error *err)
{
    int extended = sqlite3_extended_errcode(store->db);

    switch (extended & 0xff) {
    case SQLITE_FULL:
        error_set(err, ERROR_FULL, "The disk with the database is full; nothing was written");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        error_set(err, ERROR_UNAVAILABLE, "The database is busy; nothing was written, try again");
        break;
    case SQLITE_CONSTRAINT:
        if (extended == SQLITE_CONSTRAINT_TRIGGER) {
            error_set(err, ERROR_CONFLICT, "One or more GPUs are already booked for the requested window");
            break;
        }
        error_set(err, ERROR_INTERNAL, "Internal error");
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
        error_set(err, ERROR_UNAVAILABLE, "The database does not answer; nothing was written");
        break;
    default:
        error_set(err, ERROR_INTERNAL, "Internal error");
    }
    error_detail(err, "SQLite %d: %s (%.200s)", extended, sqlite3_errmsg(store->db), doing);
    return false;
}

hour_t column_hour(sqlite3_stmt *statement, int index)
{
    return sqlite3_column_type(statement, index) == SQLITE_NULL ? HOUR_NONE
                                                                : (hour_t)sqlite3_column_int64(statement, index);
}

const char *column_text(sqlite3_stmt *statement, int index, struct arena *arena)
{
    const unsigned char *text = sqlite3_column_text(statement, index);

    if (text == NULL)
        return NULL;
    return arena_copy(arena, (const char *)text, (size_t)sqlite3_column_bytes(statement, index));
}
