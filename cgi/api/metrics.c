/*
 * Prometheus' text format, version 0.0.4 ("Exposition formats", prometheus.io). Its names and labels are a contract with
 * whoever watches: routes are those of routes.c, "other" is whatever is none of them, so nobody from outside can make new ones.
 */
#include "cgi/api/internal.h"

#include <inttypes.h>
#include <string.h>

#include "cgi/planner/gauges.h"

#include "common/banned.h"

#define TYPE "text/plain; version=0.0.4; charset=utf-8"

static void family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buffer *out, const char *name, const char *type, int64_t value, const char *help)
{
    family(out, name, type, help);
    buffer_printf(out, "%s %" PRId64 "\n", name, value);
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

/* One route's counters, all methods of its path together. */
struct sums {
    uint64_t by_class[STATS_CLASSES], by_time[STATS_BUCKETS + 1], nanoseconds;
};

static void add_route(struct sums *sums, const struct stats_route *route)
{
    for (int i = 0; i < STATS_CLASSES; i++)
        sums->by_class[i] += atomic_load_explicit(&route->by_class[i], memory_order_relaxed);
    for (int i = 0; i <= STATS_BUCKETS; i++)
        sums->by_time[i] += atomic_load_explicit(&route->by_time[i], memory_order_relaxed);
    sums->nanoseconds += atomic_load_explicit(&route->nanoseconds, memory_order_relaxed);
}

static bool listed_before(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(routes_path(i), routes_path(index)) == 0)
            return true;
    return false;
}

static void write_requests(struct buffer *out, const char *route, const struct sums *sums)
{
    for (int i = 0; i < STATS_CLASSES; i++)
        buffer_printf(out, "procplan_requests_total{route=\"%s\",status_class=\"%dxx\"} %" PRIu64 "\n", route, i + 2,
                      sums->by_class[i]);
}

static void write_durations(struct buffer *out, const char *route, const struct sums *sums)
{
    static const char name[] = "procplan_request_duration_seconds";
    uint64_t count = 0;

    for (int i = 0; i < STATS_BUCKETS; i++) {
        count += sums->by_time[i];
        buffer_printf(out, "%s_bucket{route=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, route, stats_bounds[i], count);
    }
    count += sums->by_time[STATS_BUCKETS];
    buffer_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, route, count);
    buffer_printf(out, "%s_sum{route=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n", name, route, sums->nanoseconds / 1000000000,
                  sums->nanoseconds % 1000000000);
    buffer_printf(out, "%s_count{route=\"%s\"} %" PRIu64 "\n", name, route, count);
}

static void each_route(struct buffer *out, const struct stats *stats,
                       void (*write)(struct buffer *out, const char *route, const struct sums *sums))
{
    struct sums other = {0};

    for (size_t i = 0; routes_path(i) != NULL; i++) {
        struct sums sums = {0};
        if (listed_before(i))
            continue;
        for (size_t j = i; routes_path(j) != NULL; j++)
            if (strcmp(routes_path(i), routes_path(j)) == 0)
                add_route(&sums, &stats->routes[j]);
        write(out, routes_path(i), &sums);
    }
    add_route(&other, &stats->routes[STATS_ROUTES_MAX]);
    write(out, "other", &other);
}

/* -- the pool ----------------------------------------------------------------------------------------------------- */

static void write_workers(struct buffer *out, const struct stats_workers *workers)
{
    family(out, "procplan_workers", "gauge", "Worker processes by what they do; the one that answers this is busy.");
    buffer_printf(out, "procplan_workers{state=\"busy\"} %d\n", workers->busy);
    buffer_printf(out, "procplan_workers{state=\"idle\"} %d\n", workers->idle);
    buffer_printf(out, "procplan_workers{state=\"missing\"} %d\n", workers->missing);
    single(out, "procplan_worker_restarts_total", "counter", (int64_t)workers->restarts,
           "Worker processes that ended and were replaced.");
    single(out, "procplan_workers_killed_at_deadline_total", "counter", (int64_t)workers->killed_at_deadline,
           "Worker processes that were killed because one request took too long.");
}

static void write_pool(struct buffer *out, const struct api_pool *pool)
{
    struct stats_workers workers;

    if (pool->stats == NULL)
        return;
    family(out, "procplan_requests_total", "counter", "Requests answered, by route and class of status.");
    each_route(out, pool->stats, write_requests);
    family(out, "procplan_request_duration_seconds", "histogram",
           "From the whole request read to the whole answer made; sending it is not included.");
    each_route(out, pool->stats, write_durations);
    pool->workers(&workers);
    write_workers(out, &workers);
}

/* -- the planner -------------------------------------------------------------------------------------------------- */

static void write_gauges(struct buffer *out, const struct gauges *gauges)
{
    family(out, "procplan_bookings", "gauge", "Bookings by status, those of the past included.");
    for (enum booking_status status = BOOKING_ACTIVE; status <= BOOKING_CANCELLED; status++)
        buffer_printf(out, "procplan_bookings{status=\"%s\"} %" PRId64 "\n", status_name(status), gauges->bookings[status]);
    single(out, "procplan_nodes", "gauge", gauges->nodes, "Nodes in use.");
    single(out, "procplan_gpus", "gauge", gauges->gpus, "GPUs in use.");
    single(out, "procplan_revision", "gauge", gauges->revision, "The last event's number: it grows with each write.");
    single(out, "procplan_wal_bytes", "gauge", gauges->wal_bytes, "Size of the database's write-ahead log.");
}

static bool render_metrics(struct call *call, void *context, struct buffer *out)
{
    struct gauges gauges;

    (void)context;
    if (!planner_gauges(call->api->planner, &gauges, &call->err))
        return false;
    family(out, "procplan_build_info", "gauge", "The program that answers.");
    buffer_printf(out, "procplan_build_info{version=\"" PACKAGE_VERSION "\",build=\"%s\"} 1\n", call->api->build);
    write_pool(out, &call->api->pool);
    write_gauges(out, &gauges);
    return true;
}

struct settled api_metrics(struct call *call)
{
    return reply_query(call, &(struct read_answer){.render_text = render_metrics, .type = TYPE});
}
