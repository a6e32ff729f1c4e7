#include "cgi/api/internal.h"

#include "cgi/http/router.h"

#include <string.h>

#include "common/banned.h"

/* The one table that names URLs. */

struct route {
    struct route_pattern pattern; /* first: route_find looks only at it */
    handler_fn handler;
    int flags;
};

static const struct route routes[] = {
    {{HTTP_GET, "/api/nodes"}, api_nodes, 0},
    {{HTTP_GET, "/api/availability"}, api_availability, 0},
    {{HTTP_POST, "/api/availability_bulk"}, api_availability_bulk, 0},
    {{HTTP_POST, "/api/book"}, api_book, ROUTE_WRITES},
    {{HTTP_POST, "/api/mark_done"}, api_mark_done, ROUTE_WRITES},
    {{HTTP_POST, "/api/release"}, api_release, ROUTE_WRITES | ROUTE_ANYBODY},
    {{HTTP_GET, "/api/bookings"}, api_bookings, 0},
    {{HTTP_GET, "/api/bookings/*"}, api_booking, 0},
    {{HTTP_PATCH, "/api/bookings/*"}, api_booking_patch, ROUTE_WRITES},
    {{HTTP_DELETE, "/api/bookings/*"}, api_booking_delete, ROUTE_WRITES},
    {{HTTP_POST, "/api/reload_config"}, api_reload_config, ROUTE_WRITES | ROUTE_ADMINISTERS},
    {{HTTP_GET, "/api/find"}, api_find, 0},
    {{HTTP_GET, "/api/usage"}, api_usage, 0},
    {{HTTP_GET, "/api/calendar.ics"}, api_calendar, 0},
    {{HTTP_GET, "/api/session"}, api_session, ROUTE_ANYBODY},
    {{HTTP_GET, "/api/health"}, api_health, ROUTE_ANYBODY},
    {{HTTP_GET, "/api/metrics"}, api_metrics, 0},
    {{HTTP_GET, "/api/timeline"}, api_timeline, 0},
    {{HTTP_GET, "/api/events"}, api_events, 0},
};

_Static_assert(sizeof routes / sizeof routes[0] <= STATS_ROUTES_MAX, "each route has its counters");

const char *routes_path(size_t index)
{
    return index < sizeof routes / sizeof routes[0] ? routes[index].pattern.path : NULL;
}

int routes_flags(size_t index)
{
    return routes[index].flags;
}

struct settled routes_dispatch(struct call *call)
{
    size_t index;

    switch (route_find(routes, sizeof routes / sizeof routes[0], sizeof routes[0], call->request, &index,
                       call->response->allow)) {
    case ROUTE_UNKNOWN:
        error_set(&call->err, ERROR_NOT_FOUND, "Unknown endpoint");
        return reply_error(call);
    case ROUTE_OTHER_METHOD:
        error_set(&call->err, ERROR_METHOD, "Method not allowed; use %s", call->response->allow);
        return reply_error(call);
    case ROUTE_FOUND:
        break;
    }
    call->route = index;
    if (((routes[index].flags & ROUTE_WRITES) && !guard_same_site(call)) || !guard_entry(call))
        return reply_error(call);
    return routes[index].handler(call);
}
