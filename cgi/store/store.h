/*
 * The store: everything that is kept, behind an interface without a database's types in it. All SQL stands behind
 * this header.
 *
 * Transactions. Reads happen between store_begin_read and store_end_read; writes between store_begin_write and store_commit
 * or store_rollback. One transaction a store at a time. A function that fails has set err (ERROR_UNAVAILABLE,
 * ERROR_FULL or ERROR_INTERNAL; ERROR_CONFLICT where said) and the caller rolls back; after any failure the store is
 * usable again once store_rollback has been called.
 * Strings and arrays that are handed out live in the caller's arena. Lists may be empty. No function here knows a rule
 * of the planner.
 *
 * Processes. A store must be opened after the last fork and not be used across one.
 */
#ifndef CGI_STORE_STORE_H
#define CGI_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/model.h"
#include "common/arena.h"
#include "common/error.h"

struct store;

/* -- opening ------------------------------------------------------------------------------------------------- */

/*
 * Opens an existing database, or with CREATE makes a new one or brings an older one up to date. PATH may be relative
 * to the working folder, and is then used so at every later step: a process that may not walk the path to its working
 * folder can still open what is in it. Beside PATH stand PATH-wal and PATH-shm (SQLite's), PATH.lock (the write lock)
 * and PATH.pool (held shared by every process that has it open); all are made with mode 0600.
 * Refused, and not touched: a file that is no database, one of another application, one from a newer version.
 */
bool store_open(const char *path, bool create, struct store **out, struct error *err) __attribute__((warn_unused_result));
void store_close(struct store *store); /* NULL is fine */
/* One line when the SQLite library in use is known to need our lock rules (the WAL reset fault), else NULL. Static. */
const char *store_library_warning(void);
/* Of the SQLite library in use: "3.40.1". Static. */
const char *store_library_version(void);

/* The size of the write-ahead log's file; 0 when there is none. */
int64_t store_wal_bytes(const struct store *store);

/* How long a writer waits for the write lock, in milliseconds. Then ERROR_UNAVAILABLE. */
#define STORE_LOCK_WAIT_MS 5000

/* -- transactions and state ----------------------------------------------------------------------------------- */

#define STORE_EPOCH_SIZE 17 /* 16 hexadecimal digits and a NUL */

struct store_state {
    char epoch[STORE_EPOCH_SIZE]; /* random, made with the database */
    int64_t revision;             /* the last event's id; 0 before the first */
    int64_t config_revision;      /* the event that accepted the present configuration */
};

bool store_begin_read(struct store *store, struct error *err) __attribute__((warn_unused_result));
bool store_begin_write(struct store *store, struct error *err) __attribute__((warn_unused_result));
bool store_commit(struct store *store, struct error *err) __attribute__((warn_unused_result));
void store_end_read(struct store *store);
/* Gives up whatever is open. Safe to call when nothing is. */
void store_rollback(struct store *store);
bool store_state(struct store *store, struct store_state *out, struct error *err);
/* True when nobody has committed anything since the last store_state in a read transaction. Costs a look into memory, and needs no
 * transaction. False when in doubt. */
bool store_unchanged(struct store *store);

/* -- configuration and topology ------------------------------------------------------------------------------- */

/* The accepted text; *OUT is NULL while none was accepted. */
bool store_config_text(struct store *store, struct arena *arena, const char **out, size_t *out_length, struct error *err);
bool store_config_accept(struct store *store, const char *text, size_t length, int64_t revision, struct error *err);

/* A node as it is kept. Retired ones are listed too (until is set); position orders those in use. */
struct store_node {
    int64_t key;
    const char *id, *name;
    int64_t position;
    hour_t since, until;
};
struct store_gpu {
    int64_t key, node_key;
    const char *id, *kind, *device;
    int64_t position;
    hour_t since, until;
};
/* In the order: in use by position, then retired by key. GPUs grouped by node in the same way. */
bool store_nodes(struct store *store, struct arena *arena, struct store_node **out, size_t *out_count, struct error *err);
bool store_gpus(struct store *store, struct arena *arena, struct store_gpu **out, size_t *out_count, struct error *err);
/* key 0 inserts and sets it; else all other columns are updated. */
bool store_node_put(struct store *store, struct store_node *node, struct error *err);
bool store_gpu_put(struct store *store, struct store_gpu *gpu, struct error *err);

/* -- bookings ------------------------------------------------------------------------------------------------- */

/* Inserts booking and booking_gpu rows, under b->id, or under the next id, which it sets, when that is 0. */
bool store_booking_insert(struct store *store, struct booking *b, struct error *err);
/* *OUT is NULL when there is no such booking, or it has none. */
bool store_release_token(struct store *store, struct arena *arena, int64_t id, const char **out, struct error *err);
/* Writes every column but id, node_key, created and the GPUs. */
bool store_booking_update(struct store *store, const struct booking *b, struct error *err);
/* Replaces the booking's GPUs by b->gpu_keys. */
bool store_booking_set_gpus(struct store *store, const struct booking *b, struct error *err);
/* *OUT is NULL when there is none. The booking with its gpu_keys. */
bool store_booking_find(struct store *store, struct arena *arena, int64_t id, struct booking **out, struct error *err);
/* What a list of bookings is cut down to; what is 0, NULL or -1 (status) filters nothing. */
struct booking_filter {
    int64_t node_key;
    const char *user_label, *owner;
    int status;           /* an enum booking_status, or -1 */
    struct window window; /* the planned window overlaps it; HOUR_MIN and HOUR_MAX + 1 for no bound */
    int64_t after_id;
    int64_t limit;
};
/* By id, with their gpu_keys. */
bool store_bookings_list(struct store *store, struct arena *arena, const struct booking_filter *filter,
                         struct booking ***out, size_t *out_count, struct error *err);
/* What a timeline draws of a booking: all but its GPUs and what only its history needs. */
struct booking_outline {
    int64_t id, node_key;
    struct window window; /* as planned */
    const char *user_label, *owner, *note; /* an owner or a note of NULL: none */
    enum priority priority;
    enum booking_status status;
    int64_t version;
};
/* Called for each row; its texts are gone when it returns. False ends the reading, and its caller fails: it has set the err. */
typedef bool (*store_outline_fn)(void *context, const struct booking_outline *outline);
/* Bookings of any status whose planned window overlaps WINDOW, in no order. */
bool store_outlines_in_window(struct store *store, int64_t node_key, struct window window, store_outline_fn visit,
                              void *context, struct error *err);
/* The same of all nodes, by id. Walks through every booking there ever was, which is faster where a good part of them is wanted. */
bool store_outlines_by_id(struct store *store, struct window window, store_outline_fn visit, void *context,
                          struct error *err);
/* One booking; no call when there is none. */
bool store_outline_find(struct store *store, int64_t id, store_outline_fn visit, void *context, struct error *err);
/* The largest id of a booking; 0 when there is none. */
bool store_booking_last_id(struct store *store, int64_t *out, struct error *err);
/* Bookings of any status whose planned window overlaps WINDOW, by start and then id, with their gpu_keys. */
bool store_bookings_in_window(struct store *store, struct arena *arena, int64_t node_key, struct window window,
                              struct booking ***out, size_t *out_count, struct error *err);
/* Active bookings that have a GPU of GPU_KEYS and end after HOUR, by id. For what a reload retires. */
bool store_bookings_active_on(struct store *store, struct arena *arena, const int64_t *gpu_keys, size_t gpu_count,
                              hour_t hour, struct booking ***out, size_t *out_count, struct error *err);
/* GPU hours that active bookings of one owner (OWNER not NULL) or else of one label hold from HOUR on, booking EXCEPT left out. */
bool store_user_gpu_hours(struct store *store, const char *owner, const char *user_label, hour_t hour, int64_t except,
                          int64_t *out, struct error *err);

/* -- allocations ---------------------------------------------------------------------------------------------- */

/* What a GPU's allocation says about who holds it. */
struct holding {
    struct window window;
    int64_t booking_id;
    bool active; /* of an active booking */
};
/*
 * The allocations of one GPU that overlap WINDOW, the latest first, found by predecessor: the last row that starts
 * before the end, then backwards while rows still reach into the window. At most MAX rows (0: all).
 */
bool store_holdings(struct store *store, struct arena *arena, int64_t gpu_key, struct window window, size_t max,
                    struct holding **out, size_t *out_count, struct error *err);
/* The same without asking whose they are: allocations, by time, in a growing list that the caller may use again. */
struct allocation_list {
    struct allocation *items;
    size_t count, capacity; /* items live in the arena that filled it */
};
bool store_allocations(struct store *store, struct arena *arena, int64_t gpu_key, struct window window,
                       struct allocation_list *out, struct error *err);
/*
 * The free runs of a GPU from HOUR on that have room for HOURS hours (1 or more), by time, at most MAX, into the caller's OUT. What
 * is free before HOUR is cut off. The last of all ends at STORE_ENDLESS; to read on before that, ask again from the end of the
 * last one. Runs that are too short cost little: they stand in indexes by length.
 */
#define STORE_ENDLESS INT32_MAX
bool store_free_runs(struct store *store, int64_t gpu_key, hour_t hour, int32_t hours, struct window *out, size_t max,
                     size_t *out_count, struct error *err);
/* ERROR_CONFLICT when the trigger finds an overlap that the caller has not: a fault of ours, but never a double booking. */
bool store_allocation_insert(struct store *store, const struct allocation *a, struct error *err);
/* The same, but joins it to the booking's row that ends where A starts, if there is one. */
bool store_allocation_hold(struct store *store, const struct allocation *a, struct error *err);
/* Cuts the booking's allocations at HOUR: rows from then on are deleted, rows that reach beyond are shortened. */
bool store_allocations_cut(struct store *store, int64_t booking_id, hour_t hour, struct error *err);

/* -- accounts of the past ------------------------------------------------------------------------------------- */

/* These walk through many rows in the order of the tables and hand out one at a time; VISIT must not call the store. */

/* The least and the greatest id of the bookings, of any status, whose planned window overlaps WINDOW; 0 and 0: there are none. */
bool store_planned_span(struct store *store, struct window window, int64_t *out_first, int64_t *out_last, struct error *err);
/* A booking as it was planned, of any status. All pointers are borrowed until VISIT returns. */
struct store_planned {
    int64_t id;
    struct window window;
    int64_t released; /* seconds; 0 while active */
    const char *user_label, *owner;
    const int64_t *gpu_keys;
    size_t gpu_count;
};
typedef void (*store_planned_fn)(void *context, const struct store_planned *planned);
/* Those whose planned window overlaps WINDOW and whose id is in [FIRST, LAST], by id. */
bool store_each_planned(struct store *store, struct arena *arena, struct window window, int64_t first, int64_t last,
                        store_planned_fn visit, void *context, struct error *err);
typedef void (*store_held_fn)(void *context, const struct allocation *held);
/* The allocations that overlap WINDOW, uncut, GPU by GPU. */
bool store_each_held(struct store *store, struct window window, store_held_fn visit, void *context, struct error *err);

/* How many bookings there are, by enum booking_status. */
bool store_booking_counts(struct store *store, int64_t out[BOOKING_CANCELLED + 1], struct error *err);

/* -- events --------------------------------------------------------------------------------------------------- */

/* Appends what happened; its id becomes the revision. DETAIL is a JSON object's text, or NULL. BOOKING_ID 0: none. */
bool store_event_append(struct store *store, int64_t at, const struct actor *actor, const char *kind, int64_t booking_id,
                        const char *detail, int64_t *out_id, struct error *err);

struct store_event {
    int64_t id, at; /* at: seconds since 1970 */
    struct actor actor;
    const char *kind;
    int64_t booking_id; /* 0: none */
    const char *detail; /* a JSON object's text, or NULL */
};
/* Events after AFTER, of booking BOOKING_ID unless it is 0, by id, at most LIMIT. */
bool store_events(struct store *store, struct arena *arena, int64_t after, int64_t booking_id, int64_t limit,
                  struct store_event **out, size_t *out_count, struct error *err);
/* The bookings that events after AFTER name, once for each event. Costs what those events cost. */
bool store_events_bookings(struct store *store, struct arena *arena, int64_t after, int64_t **out, size_t *out_count,
                           struct error *err);

/* -- answers to Idempotency-Key ------------------------------------------------------------------------------- */

#define STORE_ANSWER_DAYS 7

struct store_answer {
    const char *request; /* the body that was sent with the key */
    size_t request_length;
    int status;
    const char *body;
    size_t body_length;
};
/* *OUT is NULL when the actor has not used the key within the last STORE_ANSWER_DAYS days before AT. */
bool store_answer_find(struct store *store, struct arena *arena, const struct actor *actor, const char *key, int64_t at,
                       struct store_answer **out, struct error *err);
/* Keeps the answer, and deletes some that are too old. */
bool store_answer_keep(struct store *store, const struct actor *actor, const char *key, int64_t at,
                       const struct store_answer *answer, struct error *err);

#endif
