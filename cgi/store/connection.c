#include "cgi/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/store/maintenance.h"
#include "common/text.h"

#include "common/banned.h"

#define WAL_PAGES_CHECKPOINT 1000 /* as SQLite's own default */
#define WAL_PAGES_TRUNCATE 16000  /* 64 MB: a reader held the log back; give the room back once it is gone */
#define WAL_BYTES_KEPT "67108864"

/* How many stores this process has open: their files must not be opened a second time behind SQLite's back. */
static int open_stores;

/* -- what a file is, before SQLite touches it ------------------------------------------------------------------- */

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool refuse(const char *path, struct error *err, const char *why)
{
    const char *name = strrchr(path, '/');

    error_set(err, ERROR_CONFIGURATION, "%s: %s", name == NULL ? path : name + 1, why);
    return false;
}

#define OF_THE_ORIGINAL                                                                                                \
    "is a database of the original ProcPlan; bring its bookings over with: procplan-admin adopt OLD.db --database NEW.db"

/* A small schema stands in the first page (file format, section 2.6) or, before its first checkpoint, in the log's first frames. */
static bool names_the_original(int fd)
{
    static char bytes[262144]; /* on no stack: it is large, and looked at once */
    ssize_t n = fd < 0 ? 0 : pread(fd, bytes, sizeof bytes, 0);

    return n > 0 && memmem(bytes, (size_t)n, "booking_allocations", 19) != NULL && memmem(bytes, (size_t)n, "user_label", 10) != NULL;
}

static bool of_the_original(const char *path, int fd)
{
    if (names_the_original(fd))
        return true;
    char *name = text_join(path, "-wal");
    int wal = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    free(name);
    bool found = names_the_original(wal);
    if (wal >= 0)
        close(wal);
    return found;
}

/*
 * Reads the file's header (SQLite's file format, section 1.3). Opening a foreign database in WAL mode would already write
 * beside it, so this looks first. *OUT_EMPTY: there is no file, or nothing in it.
 */
static bool header_check(const char *path, bool create, bool *out_empty, struct error *err)
{
    unsigned char header[100];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *out_empty = true;
    if (fd < 0) {
        if (errno == ENOENT && create)
            return true;
        refuse(path, err, errno == ENOENT ? "there is no such database" : "the database cannot be opened");
        error_detail(err, "%s: %s", path, strerror(errno));
        return false;
    }
    ssize_t n = read(fd, header, sizeof header);
    bool ours = n == sizeof header && big_endian(header + 68) == STORE_APPLICATION_ID;
    bool original = !ours && of_the_original(path, fd);
    close(fd);
    if (n == 0)
        return true;
    *out_empty = false;
    if (n != sizeof header || memcmp(header, "SQLite format 3", 16) != 0)
        return refuse(path, err, "is not a database; name another file with --database");
    if (original)
        return refuse(path, err, OF_THE_ORIGINAL);
    if (!ours)
        return refuse(path, err, "is a database of another program, not one of this ProcPlan; name another file with --database");
    return true;
}

bool store_is_ours(const char *path)
{
    struct error ignored = ERROR_INIT;
    bool empty, ours = header_check(path, false, &empty, &ignored) && !empty;

    error_clear(&ignored);
    return ours;
}

/* -- schema ------------------------------------------------------------------------------------------------------- */

/* UPGRADES[i] brings version i + 1 to i + 2. Append only: what was released stays as it is. */
static const char *const upgrades[] = {NULL};

static bool read_number(struct store *store, const char *sql, int64_t *out, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int64(statement, 0);
    else
        store_fail(store, sql, err);
    sqlite3_finalize(statement);
    return ok;
}

/* The first tables are made in rollback mode, so that the application id stands in the file itself and not only in a log beside it. */
static bool schema_create(struct store *store, struct error *err)
{
    unsigned char random[8];
    char sql[256];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        return error_set(err, ERROR_INTERNAL, "The system gives no random bytes");
    snprintf(sql, sizeof sql,
             "INSERT INTO config (one, epoch, revision) VALUES (1, '%02x%02x%02x%02x%02x%02x%02x%02x', 0);"
             "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             random[0], random[1], random[2], random[3], random[4], random[5], random[6], random[7],
             STORE_APPLICATION_ID, STORE_VERSION);
    if (store_execute(store, "BEGIN IMMEDIATE", err) && store_execute(store, store_schema, err) &&
        store_execute(store, sql, err))
        return true;
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool schema_upgrade(struct store *store, int64_t version, struct error *err)
{
    char pragma[64];

    for (; version < STORE_VERSION; version++) {
        snprintf(pragma, sizeof pragma, "PRAGMA user_version = %lld; COMMIT", (long long)version + 1);
        if (store_execute(store, "BEGIN IMMEDIATE", err) && store_execute(store, upgrades[version - 1], err) &&
            store_execute(store, pragma, err))
            continue;
        if (!sqlite3_get_autocommit(store->db))
            sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return true;
}

static bool schema_ready(struct store *store, bool create, struct error *err)
{
    int64_t application, version, tables;

    if (!read_number(store, "PRAGMA application_id", &application, err) ||
        !read_number(store, "PRAGMA user_version", &version, err) ||
        !read_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (application == 0 && version == 0 && tables == 0) {
        if (!create)
            return refuse(store->path, err, "the database is empty");
        return schema_create(store, err);
    }
    if (application != STORE_APPLICATION_ID)
        return refuse(store->path, err, "is a database of another program, not one of this ProcPlan; name another file with --database");
    if (version > STORE_VERSION)
        return refuse(store->path, err, "was written by a newer ProcPlan; install that version again, or restore a backup made before");
    if (version < STORE_VERSION && !create)
        return refuse(store->path, err, "is from an older version and was not brought up to date");
    return schema_upgrade(store, version, err);
}

/* -- opening ---------------------------------------------------------------------------------------------------- */

static int on_wal_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct store *)context)->wal_pages = pages;
    return SQLITE_OK;
}

void store_harden(sqlite3 *db)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, STORE_LOCK_WAIT_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    /* The last one to close would run a checkpoint outside the lock. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static bool connect(struct store *store, bool create, struct error *err)
{
    const char *vfs = vfs_name(err);
    bool empty = true;

    if (vfs == NULL || (open_stores == 0 && !header_check(store->path, create, &empty, err)))
        return false;
    if (create && open_stores == 0 && empty) { /* SQLite would make it readable for everybody */
        int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            refuse(store->path, err, "the database cannot be made");
            error_detail(err, "%s: %s", store->path, strerror(errno));
            return false;
        }
        close(fd);
    }
    if (sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK)
        return store_fail(store, "open", err);
    store_harden(store->db);
    if (!schema_ready(store, create, err))
        return false;
    sqlite3_wal_hook(store->db, on_wal_commit, store);
    return store_execute(store,
                         "PRAGMA journal_mode = WAL;"
                         "PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON;"
                         "PRAGMA temp_store = MEMORY;"
                         "PRAGMA cache_size = -16000;"
                         "PRAGMA journal_size_limit = " WAL_BYTES_KEPT,
                         err);
}

bool store_open(const char *path, bool create, struct store **out, struct error *err)
{
    struct store *store = calloc(1, sizeof *store);
    bool ok = false;

    if (store == NULL || (store->path = strdup(path)) == NULL)
        abort();
    store->lock_fd = store->pool_fd = -1;
    *out = NULL;
    /* Nothing is made beside a file that is not ours. */
    bool empty;
    if (open_stores == 0 && !header_check(path, create, &empty, err))
        goto out;
    if (!lock_open(store, err) || (create && !lock_take(store, err)))
        goto out;
    ok = connect(store, create, err);
    lock_release(store);
out:
    if (ok) {
        open_stores++;
        *out = store;
        return true;
    }
    sqlite3_close(store->db);
    lock_close(store);
    free(store->path);
    free(store);
    return false;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_rollback(store);
    for (int entity = 0; entity < ENTITY_COUNT; entity++)
        for (int i = 0; i < STATEMENTS_PER_ENTITY; i++)
            sqlite3_finalize(store->statements[entity][i]);
    sqlite3_close(store->db);
    lock_close(store);
    free(store->path);
    free(store);
    open_stores--;
}

/* By name: to open the file in a process that has the database open would drop its locks. */
int64_t store_wal_bytes(const struct store *store)
{
    struct stat status;
    char *path = text_join(store->path, "-wal");
    int64_t bytes = stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
    free(path);
    return bytes;
}

const char *store_library_version(void)
{
    return sqlite3_libversion();
}

const char *store_library_warning(void)
{
    int version = sqlite3_libversion_number();

    if (version >= 3051003 || (version >= 3050007 && version < 3051000) || (version >= 3044006 && version < 3045000))
        return NULL;
    return "this SQLite can lose a commit when a checkpoint overlaps it (mended in 3.51.3); ProcPlan's own lock keeps them "
           "apart: open the database with other tools only while the server is stopped";
}

/* -- transactions ------------------------------------------------------------------------------------------------- */

bool store_begin_read(struct store *store, struct error *err)
{
    static const char *const sql[] = {"BEGIN"};
    sqlite3_stmt *statement = store_statement(store, ENTITY_TRANSACTION, sql, 0, err);

    peek_before(store);
    return statement != NULL && store_run(store, statement, err);
}

bool store_begin_write(struct store *store, struct error *err)
{
    if (!lock_take(store, err))
        return false;
    if (store_execute(store, "BEGIN IMMEDIATE", err))
        return true;
    lock_release(store);
    return false;
}

void store_end_read(struct store *store)
{
    struct error ignored = ERROR_INIT;

    /* Nothing was written, so the end of a read has nothing to lose. */
    if (!store_commit(store, &ignored))
        error_clear(&ignored);
}

/* After a commit, still under the lock. A failure loses nothing: the log only stays longer. */
static void checkpoint(struct store *store)
{
    if (store->wal_pages >= WAL_PAGES_TRUNCATE) {
        sqlite3_busy_timeout(store->db, 0);
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(store->db, STORE_LOCK_WAIT_MS);
    } else if (store->wal_pages >= WAL_PAGES_CHECKPOINT) {
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    store->wal_pages = 0;
}

bool store_commit(struct store *store, struct error *err)
{
    static const char *const sql[] = {NULL, "COMMIT"};
    sqlite3_stmt *statement = store_statement(store, ENTITY_TRANSACTION, sql, 1, err);

    if (statement == NULL || !store_run(store, statement, err)) {
        store_rollback(store);
        return false;
    }
    if (store->locked) {
        checkpoint(store);
        lock_release(store);
    }
    return true;
}

void store_rollback(struct store *store)
{
    /* A full disk and its like have ended the transaction already; then there is nothing to roll back. */
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    lock_release(store);
}
