/*
 * What an administrator does with a database as a whole: look whether it is sound, copy it while it is in use, make it compact, put
 * another in its place. The rules of store.h hold here too.
 */
#ifndef CGI_STORE_MAINTENANCE_H
#define CGI_STORE_MAINTENANCE_H

#include "cgi/store/store.h"

/* How far something is: DONE of TOTAL, in a unit of its own; TOTAL 0: nobody knows. */
typedef void (*store_progress_fn)(void *context, int64_t done, int64_t total);
/* A fault that was found, as a sentence. It may hold names from outside; it is gone when this returns. */
typedef void (*store_fault_fn)(void *context, const char *sentence);

struct store_listener {
    store_progress_fn progress; /* NULL: nobody wants to know; so in the next */
    store_fault_fn fault;
    void *context;
};

/*
 * Reads everything, in one read transaction, so that writers go on: SQLite's own integrity check, references, and the rules of
 * DESIGN: no hour of a GPU held twice, what is held against what was booked and how it ended, the event log against the bookings.
 * Each fault is told, at most STORE_CHECK_MAX a rule. False only when it could not be found out.
 */
#define STORE_CHECK_MAX 20
bool store_check(struct store *store, const struct store_listener *listener, int64_t *out_faults, struct error *err)
    __attribute__((warn_unused_result));

/*
 * A copy as of now into FILE, which must be there, be empty and not be SQLite's in any other way. Writers go on meanwhile. The copy is
 * one file without a log beside it, and was checked as by store_check: ERROR_UNAVAILABLE when that found a fault.
 */
bool store_backup(struct store *store, const char *file, const struct store_listener *listener, struct error *err)
    __attribute__((warn_unused_result));

/* Makes the file as small as it can be. Holds the write lock meanwhile: readers go on, writers wait. */
bool store_vacuum(struct store *store, const struct store_listener *listener, struct error *err)
    __attribute__((warn_unused_result));
/* The size of the database, without the log, in bytes. */
bool store_bytes(struct store *store, int64_t *out, struct error *err);

/* True when no other process has the database open; from then on until store_close none can. ERROR_CONFLICT: one has. */
bool store_alone(struct store *store, struct error *err) __attribute__((warn_unused_result));

/* Without a store: nobody has the database at PATH open, and nobody can open it until store_release_claim. ERROR_CONFLICT as above. */
struct store_claim {
    int pool_fd, lock_fd;
};
bool store_claim(const char *path, struct store_claim *out, struct error *err) __attribute__((warn_unused_result));
void store_release_claim(struct store_claim *claim);

/*
 * Makes FILE, a copy that nobody else has open, ready to be the database: it is checked, and gets a new epoch, so that nobody takes its
 * revisions for those of another history. ERROR_CONFIGURATION: it is none of ours, or too new; ERROR_UNAVAILABLE: it has faults.
 */
bool store_prepare_restore(const char *file, const struct store_listener *listener, struct error *err)
    __attribute__((warn_unused_result));
/* Under a claim: brings what stands in the log of the database at PATH into its file. False when it cannot: the database is damaged. */
bool store_settle(const char *path);

/* Whether the header of the file at PATH, which this process has not open, says that it is a ProcPlan database. */
bool store_is_ours(const char *path);

/* Bookings get ids above ID from now on. Within a write transaction. */
bool store_booking_ids_above(struct store *store, int64_t id, struct error *err);

#endif
