#include "cgi/api/internal.h"

#include <inttypes.h>
#include <string.h>

#include "cgi/planner/event.h"

#include "common/banned.h"

#define EVENTS_DEFAULT 100
#define EVENTS_MAX 1000

struct question {
    int64_t after, limit, booking_id;
};

static void write_event(struct json_writer *w, const struct store_event *event)
{
    json_open_object(w);
    json_put_integer(w, "id", event->id);
    json_put_seconds(w, "at", event->at);
    json_put_string(w, "actor", event->actor.name[0] != '\0' ? event->actor.name : NULL);
    json_put_boolean(w, "claimed", event->actor.claimed);
    json_put_string(w, "kind", event->kind);
    if (event->booking_id != 0)
        json_put_integer(w, "booking_id", event->booking_id);
    else
        json_put_null(w, "booking_id");
    json_key(w, "detail");
    if (event->detail != NULL)
        json_raw(w, event->detail, strlen(event->detail));
    else
        json_null(w);
    json_close(w);
}

static bool render_events(struct call *call, void *context, struct json_writer *w)
{
    const struct question *q = context;
    struct store_event *events;
    size_t count;

    if (!planner_events(call->api->planner, call->arena, q->after, q->booking_id, q->limit, &events, &count, &call->err))
        return false;
    json_open_object(w);
    json_key(w, "events");
    json_open_array(w);
    for (size_t i = 0; i < count; i++)
        write_event(w, &events[i]);
    json_close(w);
    /* Where to go on, also when nothing new was there. */
    json_put_integer(w, "last", count > 0 ? events[count - 1].id : q->after);
    json_close(w);
    return true;
}

struct settled api_events(struct call *call)
{
    struct question q = {.limit = EVENTS_DEFAULT};

    if (!query_integer(call, "after", 0, INT64_MAX, &q.after) ||
        !query_integer(call, "limit", 1, EVENTS_MAX, &q.limit) ||
        !query_integer(call, "booking_id", 1, INT64_MAX, &q.booking_id))
        return reply_error(call);
    return reply_read(call, &(struct read_answer){
                                .key = arena_printf(call->arena, "events %" PRId64 " %" PRId64 " %" PRId64, q.after, q.limit,
                                                    q.booking_id),
                                .render = render_events,
                                .context = &q,
                            });
}
