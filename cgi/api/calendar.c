#include "cgi/api/internal.h"

#include <inttypes.h>

#include "cgi/api/calendar.h"

#include "common/banned.h"

#define DAYS_BACK 90 /* what ended earlier is history: a calendar is looked at for what was lately and what comes */
#define EVENTS_MAX 10000

struct question {
    struct booking_filter filter;
    const char *node_id; /* NULL: all */
};

static bool resolve(struct call *call, void *context)
{
    struct question *q = context;
    const struct node *node;

    if (q->node_id == NULL)
        return true;
    node = planner_node(call->api->planner, q->node_id, &call->err);
    if (node != NULL)
        q->filter.node_key = node->key;
    return node != NULL;
}

/* "ProcPlan", "ProcPlan: node-a", "ProcPlan: ada", "ProcPlan: ada, node-a" */
static const char *title(struct call *call, const struct question *q)
{
    const char *label = q->filter.user_label, *node = q->node_id;

    if (label == NULL && node == NULL)
        return "ProcPlan";
    return arena_printf(call->arena, "ProcPlan: %s%s%s", label == NULL ? "" : label, label != NULL && node != NULL ? ", " : "",
                        node == NULL ? "" : node);
}

static bool render(struct call *call, void *context, struct buffer *out)
{
    const struct question *q = context;
    struct planner *planner = call->api->planner;
    struct booking **bookings;
    struct calendar calendar;
    size_t count;

    if (!planner_bookings(planner, call->arena, &q->filter, &bookings, &count, &call->err))
        return false;
    if (count > EVENTS_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, q->node_id == NULL ? "node_id" : "user_label",
                           "A calendar holds %d bookings at most; name a node_id, a user_label or both", EVENTS_MAX);
    calendar_begin(&calendar, out, title(call, q));
    for (size_t i = 0; i < count; i++)
        calendar_add(&calendar, &planner->topology, planner->state.epoch, bookings[i]);
    calendar_end(&calendar);
    return true;
}

struct settled api_calendar(struct call *call)
{
    hour_t from = hour_day(hour_of_seconds(call->now)) - DAYS_BACK * HOURS_PER_DAY;
    struct question q = {
        .filter = {.user_label = http_query(call->request, "user_label"), .status = -1, .window = {from, HOUR_MAX + 1},
                   .limit = EVENTS_MAX + 1},
        .node_id = http_query(call->request, "node_id"),
    };

    return reply_read(call, &(struct read_answer){
                                .key = arena_printf(call->arena, "calendar %" PRId32 "\n%s\n%s", from,
                                                    q.node_id == NULL ? "" : q.node_id,
                                                    q.filter.user_label == NULL ? "" : q.filter.user_label),
                                .clock = true,
                                .resolve = resolve,
                                .render_text = render,
                                .type = "text/calendar; charset=utf-8",
                                .context = &q,
                            });
}
