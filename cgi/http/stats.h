/*
 * Counters of answered requests: by route and class of status, and a histogram of how long each route takes. The struct is plain
 * memory: a pool puts it where all its workers share it, so the counts are the pool's and outlive every worker. A count is never
 * read together with another at one instant; each alone is exact.
 */
#ifndef CGI_HTTP_STATS_H
#define CGI_HTTP_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define STATS_ROUTES_MAX 63 /* routes; what is none of them is counted apart */
#define STATS_CLASSES 4     /* 2xx to 5xx */
#define STATS_BUCKETS 14    /* bounds; one more counts what is longer than the last */

/* The upper bounds of the histogram, as texts: seconds, the bound itself included. */
extern const char *const stats_bounds[STATS_BUCKETS];

struct stats_route {
    _Atomic uint64_t by_class[STATS_CLASSES];
    _Atomic uint64_t by_time[STATS_BUCKETS + 1]; /* each its own, not cumulated */
    _Atomic uint64_t nanoseconds;                /* of all together */
};

struct stats {
    struct stats_route routes[STATS_ROUTES_MAX + 1]; /* the last: no known route */
};

/* How the processes of a pool are at one moment, and what befell them since it began. */
struct stats_workers {
    int busy, idle, missing;
    uint64_t restarts;           /* processes that were lost and replaced */
    uint64_t killed_at_deadline; /* those of them that the pool itself killed */
};

/* Counts one answer. ROUTE from 0, or anything from STATS_ROUTES_MAX on for no known one; STATUS from 200 on. */
void stats_count(struct stats *stats, size_t route, int status, int64_t nanoseconds);

#endif
