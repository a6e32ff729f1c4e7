/*
 * Making bookings, changing them, ending them. All go through one validator (validate.h).
 */
#ifndef CGI_PLANNER_BOOKING_H
#define CGI_PLANNER_BOOKING_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/* A wish as it was sent: types are right, nothing else is checked. */
struct booking_request {
    const char *node_id;
    instant_t start, end;       /* as given, not snapped */
    const char *user_label;     /* untrimmed; NULL when absent */
    const char *const *gpu_ids; /* wins over gpu_count when not empty */
    size_t gpu_id_count;
    int64_t gpu_count;    /* 0 when absent */
    bool keep_gpus;       /* a change that says nothing of GPUs */
    const char *priority; /* NULL or "" when absent */
    const char *note;     /* NULL when absent */
    const char *owner;    /* whose it will be; set by planner_book itself (access_owner) */
};

/*
 * Checks everything, then writes booking, allocations and event. NOW in seconds. *OUT has its id and its GPUs in configuration
 * order. Each refusal is ERROR_BAD_REQUEST with field or limit; ERROR_CONFLICT carries the bookings in the way. Who may do this,
 * planner_edit and planner_end stands in access.h: ERROR_UNAUTHORIZED, ERROR_FORBIDDEN.
 */
bool planner_book(struct planner *planner, struct arena *arena, const struct booking_request *request,
                  const struct actor *actor, int64_t now, struct booking **out, struct error *err);
/* Those checks that need no database; so that a bad request never waits for the write lock. */
bool planner_book_precheck(const struct booking_request *request, struct error *err);

/* *OUT is LABEL as a booking would have it, trimmed; ERROR_BAD_REQUEST when none can have it. */
bool planner_label(struct arena *arena, const char *label, const char **out, struct error *err);

/* -- series ----------------------------------------------------------------------------------------------------- */

#define SERIES_MAX 366

struct series_request {
    hour_t step;  /* hours from one to the next: a day or a week */
    size_t count; /* 1 to SERIES_MAX, the first included */
    bool skip;    /* leave out what conflicts or is over a limit; else that refuses all */
    bool undone;  /* the caller keeps nothing of it (a dry run) */
};

struct series_skipped {
    struct window window;
    struct error error; /* its conflicts are owned: series_clear */
};

struct series {
    struct booking **bookings;
    size_t count;
    struct series_skipped *skipped;
    size_t skipped_count;
};

/* Books REQUEST and its repetitions in the open transaction: all, or with skip all that fit. Nothing fits: ERROR_CONFLICT
 * (or the first one's refusal). One may be in the way of the next: in a conflict with one that is undone with the rest,
 * booking_id is 0. OUT lives in ARENA but for what series_clear frees; clear it whatever the result. */
bool planner_book_series(struct planner *planner, struct arena *arena, const struct booking_request *request,
                         const struct series_request *series, const struct actor *actor, int64_t now, struct series *out,
                         struct error *err);
void series_clear(struct series *series);

/* -- changing --------------------------------------------------------------------------------------------------- */

/* What shall change; the rest stays. */
struct booking_edit {
    bool has_start, has_end;
    instant_t start, end;
    const char *const *gpu_ids;
    size_t gpu_id_count;
    bool has_gpu_count;
    int64_t gpu_count;
    const char *user_label; /* NULL: stays */
    const char *priority;   /* NULL: stays */
    bool has_note;
    const char *note; /* NULL: none any more */
    bool has_version;
    int64_t version; /* what the client saw */
};

/*
 * Changes an active booking. Refused as planner_book does, and ERROR_NOT_FOUND, ERROR_CONFLICT without conflicts when it has
 * ended, ERROR_PRECONDITION when VERSION is not the current one. An edit that changes nothing writes nothing.
 */
bool planner_edit(struct planner *planner, struct arena *arena, int64_t id, const struct booking_edit *edit,
                  const struct actor *actor, int64_t now, struct booking **out, struct error *err);

/* -- ending ----------------------------------------------------------------------------------------------------- */

/*
 * Ends an active booking: STATUS is BOOKING_COMPLETED or BOOKING_CANCELLED. What it holds from the current hour on is free;
 * hours already used stay as history. ERROR_NOT_FOUND "Booking 'ID' is not active or does not exist".
 */
bool planner_end(struct planner *planner, struct arena *arena, int64_t id, enum booking_status status,
                 const struct actor *actor, int64_t now, struct booking **out, struct error *err);

/*
 * Completes an active booking for whoever has the token that came with it: so that a job can give back what it holds without a
 * password lying in its script: no login is asked for. ERROR_NOT_FOUND as planner_end, ERROR_FORBIDDEN when the token is not this booking's.
 */
bool planner_release(struct planner *planner, struct arena *arena, int64_t id, const char *token, const struct actor *actor,
                     int64_t now, struct booking **out, struct error *err);

/* -- looking ---------------------------------------------------------------------------------------------------- */

/* ERROR_NOT_FOUND "Booking 'ID' does not exist". GPUs in configuration order. */
bool planner_booking(struct planner *planner, struct arena *arena, int64_t id, struct booking **out, struct error *err);
/* At most FILTER->limit bookings, by id, GPUs in configuration order. */
bool planner_bookings(struct planner *planner, struct arena *arena, const struct booking_filter *filter,
                      struct booking ***out, size_t *out_count, struct error *err);

#endif
