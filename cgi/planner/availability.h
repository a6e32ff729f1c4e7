/*
 * Who holds what on one node in a window: what the availability answers are drawn from.
 */
#ifndef CGI_PLANNER_AVAILABILITY_H
#define CGI_PLANNER_AVAILABILITY_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/* Hours of a GPU that an active booking holds, cut to the window. */
struct hold {
    struct window window;
    size_t booking; /* index into availability.bookings */
};

struct gpu_row {
    const struct gpu *gpu;
    struct hold *holds; /* by time */
    size_t count;
};

struct availability {
    const struct node *node;
    struct window window;
    struct gpu_row *rows;     /* one a GPU in use, in configuration order */
    struct booking **bookings; /* any status, planned window overlaps, by start and then id */
    size_t booking_count;
};

bool planner_availability(struct planner *planner, struct arena *arena, const struct node *node, struct window window,
                          struct availability *out, struct error *err);

/* What one row looks like in one slot of the window: a day's cell. */
struct cell {
    int32_t booked_hours, total_hours;
    enum priority priority;      /* the highest; meaningless when nothing is booked */
    size_t first_hold, end_hold; /* the holds of the row that reach into the slot: [first, end) */
};
/* FIRST is where to begin looking (the previous slot's first_hold); slots must be asked in order of time. */
struct cell availability_cell(const struct availability *a, const struct gpu_row *row, struct window slot, size_t first);

#endif
