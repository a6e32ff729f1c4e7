/*
 * Usage: what was booked, used and given back in a window, by user, node, kind or GPU. All numbers are whole GPU hours.
 */
#ifndef CGI_PLANNER_USAGE_H
#define CGI_PLANNER_USAGE_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

enum usage_by { USAGE_BY_USER, USAGE_BY_NODE, USAGE_BY_KIND, USAGE_BY_GPU };

/*
 * booked      the planned windows of bookings of any status, times the GPUs they were booked on (after the last edit)
 * used        hours that GPUs were held before the current hour; also where a booking has let go of the GPU since
 * given_back  booked hours from the hour in which the booking was completed or cancelled
 * capacity    hours in which the GPUs were there: from since to until, a retired one for its time. One that came back counts for its
 *             time away, too. It was not there before its configuration was taken in, but could be booked and used then (the past
 *             may be booked): used can be more than capacity.
 */
struct usage_row {
    /* user: label and NULL, or NULL and owner (a booking that has an owner counts for the owner, whatever its label);
     * node: id; kind: kind; GPU: the node's id and its own. */
    const char *key[2];
    int64_t booked, used, given_back, capacity;
};

struct usage {
    struct usage_row *rows; /* most used first, then by key */
    size_t count;
    struct usage_row total;
};

/*
 * NOW in hours: the current one. A row a user who has booked hours in WINDOW, with all GPUs' capacity as theirs; or one a node, kind
 * or GPU that is in use, with zeros too, and retired ones with any hour in WINDOW. One pass through the bookings and one through the
 * allocations of WINDOW.
 */
bool planner_usage(struct planner *planner, struct arena *arena, struct window window, enum usage_by by, hour_t now,
                   struct usage *out, struct error *err);

#endif
