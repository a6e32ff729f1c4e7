/*
 * A database of its own for each unit test: in a temporary folder, with a configuration taken in, removed afterwards.
 */
#ifndef TESTS_UNIT_DATABASE_H
#define TESTS_UNIT_DATABASE_H

#include "cgi/planner/planner.h"
#include "common/arena.h"

struct database {
    char folder[64];
    char path[96];
    struct planner *planner;
    struct arena arena;
};

/* Makes the folder only; the path names a file that is not there yet. */
void database_folder(struct database *db);
/* Makes the folder and a database, and takes in CONFIG (the file's text). */
void database_open(struct database *db, const char *config);
/* Takes in another text. */
bool database_configure(struct database *db, const char *config, struct error *err);
/* The same, at NOW (seconds). */
bool database_configure_at(struct database *db, const char *config, int64_t now, struct error *err);
void database_close(struct database *db);
/* An hour given as text. */
hour_t at(const char *text);

#endif
