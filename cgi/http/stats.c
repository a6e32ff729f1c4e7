#include "cgi/http/stats.h"

#include "common/banned.h"

const char *const stats_bounds[STATS_BUCKETS] = {
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30",
};

/* The same in microseconds. */
static const int64_t bounds_us[STATS_BUCKETS] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void stats_count(struct stats *stats, size_t route, int status, int64_t nanoseconds)
{
    struct stats_route *counters = &stats->routes[route < STATS_ROUTES_MAX ? route : STATS_ROUTES_MAX];
    int class = status / 100 - 2, bucket = 0;

    if (nanoseconds < 0)
        nanoseconds = 0;
    while (bucket < STATS_BUCKETS && nanoseconds > bounds_us[bucket] * 1000)
        bucket++;
    add(&counters->by_class[class < 0 ? 0 : class >= STATS_CLASSES ? STATS_CLASSES - 1 : class], 1);
    add(&counters->by_time[bucket], 1);
    add(&counters->nanoseconds, (uint64_t)nanoseconds);
}
