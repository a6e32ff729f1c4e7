/*
 * When can I have N GPUs together? Exact, from the allocations alone. Its cost follows the free runs that are long enough and lie
 * before the answer, not the calendar and not the number of bookings.
 *
 * On a node a start hour t is possible when at least `gpus` of its GPUs in use (of the kind, when one is named) have no
 * allocation in [t, t + hours). Possible starts form maximal stretches of consecutive hours; the first hour of each is
 * a slot. What starts before the search does is cut there: a stretch that has begun already starts with the search.
 *
 * The GPUs of a slot are the best fit: those whose free run around it is shortest, so that long runs stay whole. A
 * run counts from the end of the GPU's previous allocation, not from before the search, to the start of the next one;
 * runs without an end are longer than all others, and equal. Ties fall to the configuration's order.
 */
#ifndef CGI_PLANNER_FIND_H
#define CGI_PLANNER_FIND_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

#define FIND_GPUS_MAX 10000
#define FIND_HOURS_MAX 100000 /* where max_booking_hours is no limit or a wider one: eleven years */
#define FIND_SLOTS_MAX 100
/* A search that has looked at so many free runs is refused (ERROR_BAD_REQUEST) rather than let a worker be busy for
 * seconds. */
#define FIND_RUNS_MAX 5000000

struct find_wish {
    int64_t gpus, hours; /* 1 to FIND_GPUS_MAX, 1 to FIND_HOURS_MAX */
    const char *kind;    /* NULL: any; compared exactly */
    const struct node *const *nodes; /* NULL: all in use; else in any order, repeats count once */
    size_t node_count;
    hour_t after;  /* HOUR_NONE: now */
    hour_t before; /* the latest end; HOUR_NONE: none */
    size_t limit;  /* 1 to FIND_SLOTS_MAX */
    int64_t runs_max; /* how many free runs may be looked at; 0: FIND_RUNS_MAX */
};

struct slot {
    const struct node *node;
    const struct gpu **gpus; /* wish.gpus of them, in configuration order */
    struct window window;
};

/*
 * The first wish.limit slots from max(after, NOW) on, by start, then in the order of the nodes. NOW in hours. They end by
 * `before` and within max_days_ahead. A wish that nothing can fulfil gives an empty list. Whether a booking may be so
 * long and so wide is limits_check_size's to say before, and whether this user may have so much more limits_check_user's.
 */
bool planner_find(struct planner *planner, struct arena *arena, const struct find_wish *wish, hour_t now,
                  struct slot **out, size_t *out_count, struct error *err);

#endif
