/*
 * What the files of store/ share: the connection, its cached statements, and the few helpers through which every
 * statement runs. Only files of this folder include it.
 */
#ifndef CGI_STORE_INTERNAL_H
#define CGI_STORE_INTERNAL_H

#include <sqlite3.h>

#include "cgi/store/store.h"

enum store_entity {
    ENTITY_TRANSACTION,
    ENTITY_STATE,
    ENTITY_TOPOLOGY,
    ENTITY_BOOKING,
    ENTITY_OUTLINE,
    ENTITY_ALLOCATION,
    ENTITY_EVENT,
    ENTITY_ANSWER,
    ENTITY_USAGE,
    ENTITY_COUNT
};

#define STATEMENTS_PER_ENTITY 16

/* In front of a statement: the classes of booking.length_class, each with the longest booking in it (hours). */
#define CLASSES "WITH class (n, longest) AS (VALUES (0, 8), (1, 64), (2, 512), (3, 4096), (4, 100000000)) "

#define WAL_HEADER_SIZE 48

struct store {
    sqlite3 *db;
    char *path;
    int lock_fd; /* PATH.lock: the write lock, held exclusively from before BEGIN IMMEDIATE until after COMMIT */
    int pool_fd; /* PATH.pool: held shared as long as the database is open */
    bool locked;
    int wal_pages; /* in the write-ahead log after the last commit */
    const unsigned char *wal_header; /* shared memory; NULL before the first look */
    bool header_known;
    unsigned char header[WAL_HEADER_SIZE]; /* as it was when the state was last read */
    sqlite3_stmt *statements[ENTITY_COUNT][STATEMENTS_PER_ENTITY];
};

/* The cached statement SQL[INDEX] of an entity, reset and without bindings; prepared at its first use. NULL: err is set. */
sqlite3_stmt *store_statement(struct store *store, enum store_entity entity, const char *const *sql, int index,
                              struct error *err);

/* Parameters, numbered from 1. Text and blobs are borrowed until the statement is reset. */
void bind_integer(sqlite3_stmt *statement, int index, int64_t value);
void bind_hour(sqlite3_stmt *statement, int index, hour_t hour);          /* HOUR_NONE binds NULL */
void bind_text(sqlite3_stmt *statement, int index, const char *text);     /* NULL binds NULL */
void bind_blob(sqlite3_stmt *statement, int index, const char *bytes, size_t length);

enum step { STEP_ROW, STEP_DONE, STEP_FAILED };
/* One step; at the end and on failure the statement is reset. */
enum step store_step(struct store *store, sqlite3_stmt *statement, struct error *err);
/* Runs a statement that returns no row. */
bool store_run(struct store *store, sqlite3_stmt *statement, struct error *err);
/* Runs a text of SQL without parameters. */
bool store_execute(struct store *store, const char *sql, struct error *err);
/* Turns the connection's last failure into err: full disk, busy, overlap, or broken. Returns false. */
bool store_fail(struct store *store, const char *doing, struct error *err);

/* Columns of the present row, numbered from 0. Text is copied to ARENA; NULL stays NULL. */
hour_t column_hour(sqlite3_stmt *statement, int index);
const char *column_text(sqlite3_stmt *statement, int index, struct arena *arena);

/* lock.c: the files beside the database. */
bool lock_open(struct store *store, struct error *err);
void lock_close(struct store *store);
/* Waits STORE_LOCK_WAIT_MS at most. */
bool lock_take(struct store *store, struct error *err);
void lock_release(struct store *store);
/* Opens PATH with SUFFIX behind it, made with mode 0600 when it is missing. -1: err is set. */
int lock_file_open(const char *path, const char *suffix, struct error *err);

/* The value of a macro as SQL has it. */
#define SQL_TEXT(x) #x
#define SQL_VALUE(x) SQL_TEXT(x)

/* connection.c: before the first statement of a connection, what the library may do on it. */
void store_harden(sqlite3 *db);

/* check.c: store_check on any connection, within a read transaction or not. */
struct store_listener;
bool check_connection(sqlite3 *db, const struct store_listener *listener, int64_t *out_faults, struct error *err);

/* peek.c: to be called around the reading of the state in a transaction, so that store_unchanged can compare. */
void peek_before(struct store *store);
void peek_after(struct store *store);

/* vfs.c: registers SQLite's own unix VFS under another name, which leaves relative paths relative. NULL: err is set. */
const char *vfs_name(struct error *err);

/* schema.sql as a text, made by the build. */
extern const char store_schema[];
#define STORE_APPLICATION_ID 0x50506c6e /* "PPln" */
#define STORE_VERSION 1

#endif
