/*
 * The one validator. Whoever makes a booking or changes one asks here what is to be written, so that neither can do
 * what the other refuses.
 *
 * The rule of conflict: an hour of a GPU that an active booking holds refuses; hours that ended bookings have used do
 * not, and the new booking's allocation starts after them.
 * The rule of the past, for changes: what has passed does not change. A begun booking keeps its start and the hours it has
 * used; a start or an end that does change lies at the current hour or later; GPUs that are added begin at the current hour.
 */
#ifndef CGI_PLANNER_VALIDATE_H
#define CGI_PLANNER_VALIDATE_H

#include "cgi/planner/booking.h"

/* A GPU and the hours of it to be held; an empty window holds nothing. */
struct held_gpu {
    const struct gpu *gpu;
    struct window window;
};

struct plan {
    struct booking *booking; /* all but id, created, updated and version of a new one */
    struct held_gpu *held;   /* one a GPU of the booking */
    size_t count;
    hour_t from; /* what the booking held before is to be cut here */
};

/*
 * Checks REQUEST in the order of the wire contract (from "Booking end must be after start" on). CURRENT is the booking that
 * is changed (with its gpu_keys; active), NULL for a new one. Its own hours are not in its way, and GPUs it has are
 * preferred and may be retired ones, on which it may shrink but not grow.
 */
bool validate(struct planner *planner, struct arena *arena, const struct booking_request *request,
              const struct booking *current, hour_t now, struct plan *out, struct error *err);

#endif
