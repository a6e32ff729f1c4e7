/*
 * The ceiling for bookings: raw commits of SQLite. One process, one small row a transaction, WAL, synchronous=FULL.
 *
 *   commits DATABASE SECONDS     (the database must not exist)
 *
 * Prints one line of JSON as load does.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/bench/latency.h"

#include "common/banned.h"

static _Noreturn void fail(sqlite3 *db, const char *what)
{
    fprintf(stderr, "commits: %s: %s\n", what, sqlite3_errmsg(db));
    exit(EXIT_FAILURE);
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        fail(db, sql);
    return statement;
}

static void step(sqlite3 *db, sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK)
        fail(db, sqlite3_sql(statement));
}

int main(int argc, char **argv)
{
    double seconds = argc == 3 ? strtod(argv[2], NULL) : 0;
    sqlite3 *db;

    if (seconds <= 0 || seconds > 600 || access(argv[1], F_OK) == 0) {
        fputs("usage: commits DATABASE SECONDS   (a new file; up to 600 seconds)\n", stderr);
        return 2;
    }
    if (sqlite3_open(argv[1], &db) != SQLITE_OK)
        fail(db, argv[1]);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE booking (id INTEGER PRIMARY KEY, start_hour INTEGER NOT NULL, user_label TEXT NOT NULL) STRICT");
    sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *insert = prepare(db, "INSERT INTO booking (start_hour, user_label) VALUES (?1, 'bench')");
    sqlite3_stmt *commit = prepare(db, "COMMIT");

    struct latency latency;
    latency_init(&latency);
    int64_t begun = now_ns(), until = begun + (int64_t)(seconds * 1e9), now = begun;
    while (now < until) {
        int64_t before = now;
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)latency.count);
        step(db, begin);
        step(db, insert);
        step(db, commit);
        now = now_ns();
        latency_add(&latency, now - before);
    }
    latency_print(&latency, now - begun, 0, 0);
    latency_release(&latency);
    sqlite3_finalize(begin);
    sqlite3_finalize(insert);
    sqlite3_finalize(commit);
    sqlite3_close(db);
    return EXIT_SUCCESS;
}
