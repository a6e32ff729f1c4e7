/*
 * Booking, and ending a booking. Create and (later) edit go through one validator, so that neither can do what the
 * other refuses.
 *
 * The rule of conflict: an hour of a GPU that an active booking holds refuses; hours that ended bookings have used do
 * not, and the new booking's allocation starts after them.
 */
#ifndef CGI_PLANNER_BOOKING_H
#define CGI_PLANNER_BOOKING_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/* A wish as it was sent: types are right, nothing else is checked. */
struct booking_request {
    const char *node_id;
    instant_t start, end;      /* as given, not snapped */
    const char *user_label;    /* untrimmed; NULL when absent */
    const char *const *gpu_ids; /* wins over gpu_count when not empty */
    size_t gpu_id_count;
    int64_t gpu_count; /* 0 when absent */
    const char *priority; /* NULL or "" when absent */
    const char *note;     /* NULL when absent */
};

/*
 * Checks in the order of the wire contract (from "Booking end must be after start" on), then writes booking,
 * allocations and event. NOW in seconds. *OUT has its id and its GPUs in configuration order. Each refusal is
 * ERROR_BAD_REQUEST with field or limit; ERROR_CONFLICT carries the bookings in the way.
 */
bool planner_book(struct planner *planner, struct arena *arena, const struct booking_request *request,
                  const struct actor *actor, int64_t now, struct booking **out, struct error *err);
/* Those checks of planner_book that need no database; so that a bad request never waits for the write lock. */
bool planner_book_precheck(const struct booking_request *request, struct error *err);

/*
 * Ends an active booking: STATUS is BOOKING_COMPLETED or BOOKING_CANCELLED. What it holds from the current hour on is free;
 * hours already used stay as history. ERROR_NOT_FOUND "Booking 'ID' is not active or does not exist".
 */
bool planner_end(struct planner *planner, struct arena *arena, int64_t id, enum booking_status status,
                 const struct actor *actor, int64_t now, struct booking **out, struct error *err);

#endif
