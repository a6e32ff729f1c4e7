#include "cgi/store/maintenance.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/store/internal.h"

#include "common/banned.h"

#define BACKUP_PAGES 256        /* a step: 1 MB */
#define VACUUM_INSTRUCTIONS 100000 /* of SQLite's machine, between two signs of life */

/* What went wrong with a file that is not the database in use. */
static bool file_fails(sqlite3 *db, const char *what, struct error *err)
{
    int rc = sqlite3_extended_errcode(db);

    error_set(err, (rc & 0xff) == SQLITE_FULL ? ERROR_FULL : ERROR_UNAVAILABLE, "%s: %s", what, sqlite3_errmsg(db));
    error_detail(err, "SQLite %d", rc);
    return false;
}

static bool run(sqlite3 *db, const char *sql, const char *what, struct error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || file_fails(db, what, err);
}

static bool number(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return ok;
}

/* A copy has to be as good as what it was made of. */
static bool verify(sqlite3 *db, const struct store_listener *listener, struct error *err)
{
    int64_t faults;

    if (!check_connection(db, listener, &faults, err))
        return false;
    return faults == 0 || error_set(err, ERROR_UNAVAILABLE, "The database has %lld fault%s", (long long)faults, faults == 1 ? "" : "s");
}

/* -- backup ----------------------------------------------------------------------------------------------------- */

static bool copy_pages(struct store *store, sqlite3 *to, const struct store_listener *listener, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", store->db, "main");
    int rc;

    if (backup == NULL)
        return file_fails(to, "The copy cannot be begun", err);
    while ((rc = sqlite3_backup_step(backup, BACKUP_PAGES)) == SQLITE_OK)
        if (listener->progress != NULL) {
            int64_t total = sqlite3_backup_pagecount(backup);
            listener->progress(listener->context, total - sqlite3_backup_remaining(backup), total);
        }
    sqlite3_backup_finish(backup);
    return rc == SQLITE_DONE || file_fails(to, "The copy cannot be written", err);
}

bool store_backup(struct store *store, const char *file, const struct store_listener *listener, struct error *err)
{
    struct store_state state;
    sqlite3 *to = NULL;
    bool ok = false;

    if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        file_fails(to, "The copy cannot be opened", err);
        goto out;
    }
    sqlite3_extended_result_codes(to, 1);
    /* A copy that is not finished is thrown away, so it needs no journal of its own. */
    if (!run(to, "PRAGMA journal_mode = OFF", "The copy cannot be opened", err))
        goto out;
    /* One read transaction around all steps: they copy the same moment, and what others write does not make them begin again. */
    if (!store_begin_read(store, err))
        goto out;
    ok = store_state(store, &state, err) && copy_pages(store, to, listener, err);
    store_end_read(store);
    ok = ok && run(to, "PRAGMA journal_mode = DELETE", "The copy cannot be closed", err) && verify(to, listener, err);
out:
    sqlite3_close(to);
    return ok;
}

/* -- vacuum ----------------------------------------------------------------------------------------------------- */

static int sign_of_life(void *context)
{
    const struct store_listener *listener = context;

    listener->progress(listener->context, 0, 0);
    return 0;
}

bool store_vacuum(struct store *store, const struct store_listener *listener, struct error *err)
{
    if (!lock_take(store, err))
        return false;
    if (listener->progress != NULL)
        sqlite3_progress_handler(store->db, VACUUM_INSTRUCTIONS, sign_of_life, (void *)listener);
    bool ok = store_execute(store, "VACUUM", err);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    /* The new file stands in the log until a checkpoint. A reader may keep that from ending: the next writers do the rest. */
    if (ok)
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    lock_release(store);
    return ok;
}

bool store_bytes(struct store *store, int64_t *out, struct error *err)
{
    return number(store->db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", out) ||
           store_fail(store, "the size", err);
}

/* -- alone with the database ------------------------------------------------------------------------------------ */

static bool in_use(struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "The database is in use: stop the server first");
}

bool store_alone(struct store *store, struct error *err)
{
    return flock(store->pool_fd, LOCK_EX | LOCK_NB) == 0 || in_use(err);
}

bool store_claim(const char *path, struct store_claim *out, struct error *err)
{
    *out = (struct store_claim){-1, -1};
    out->pool_fd = lock_file_open(path, ".pool", err);
    if (out->pool_fd < 0)
        return false;
    out->lock_fd = lock_file_open(path, ".lock", err);
    if (out->lock_fd < 0)
        goto fail;
    if (flock(out->pool_fd, LOCK_EX | LOCK_NB) == 0 && flock(out->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    in_use(err);
fail:
    store_release_claim(out);
    return false;
}

void store_release_claim(struct store_claim *claim)
{
    if (claim->lock_fd >= 0)
        close(claim->lock_fd);
    if (claim->pool_fd >= 0)
        close(claim->pool_fd);
    *claim = (struct store_claim){-1, -1};
}

/* -- restore ---------------------------------------------------------------------------------------------------- */

static bool is_ours(sqlite3 *db, struct error *err)
{
    int64_t application, version;

    if (!number(db, "PRAGMA application_id", &application) || application != STORE_APPLICATION_ID ||
        !number(db, "PRAGMA user_version", &version))
        return error_set(err, ERROR_CONFIGURATION, "It is no backup of a ProcPlan database");
    return version <= STORE_VERSION || error_set(err, ERROR_CONFIGURATION, "It is from a newer ProcPlan; install that version first");
}

bool store_prepare_restore(const char *file, const struct store_listener *listener, struct error *err)
{
    static const char *const failed = "The copy cannot be made ready";
    sqlite3 *db = NULL;
    bool ok = false;

    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        file_fails(db, "The copy cannot be opened", err);
        goto out;
    }
    store_harden(db);
    /* Nobody else has it, so SQLite may checkpoint at the end, and leaves one file that begins its next life with a log. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    ok = is_ours(db, err) && verify(db, listener, err) && run(db, "PRAGMA journal_mode = DELETE", failed, err) &&
         run(db, "UPDATE config SET epoch = lower(hex(randomblob(8)))", failed, err) &&
         run(db, "PRAGMA journal_mode = WAL", failed, err);
out:
    sqlite3_close(db);
    return ok;
}

bool store_settle(const char *path)
{
    sqlite3 *db = NULL;
    int64_t application;
    bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
              number(db, "PRAGMA application_id", &application) && application == STORE_APPLICATION_ID &&
              sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK;

    /* What cannot be read shall stay as it is, its log too. */
    if (!ok)
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    return ok;
}

/* -- adopt ------------------------------------------------------------------------------------------------------ */

bool store_booking_ids_above(struct store *store, int64_t id, struct error *err)
{
    char sql[300];

    snprintf(sql, sizeof sql,
             "INSERT INTO sqlite_sequence (name, seq) SELECT 'booking', 0 WHERE NOT EXISTS "
             "(SELECT 1 FROM sqlite_sequence WHERE name = 'booking');"
             "UPDATE sqlite_sequence SET seq = %lld WHERE name = 'booking' AND seq < %lld",
             (long long)id, (long long)id);
    return store_execute(store, sql, err);
}
