#include "cgi/api/availability.h"

#include <inttypes.h>
#include <string.h>

#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

#define CELLS_MAX 1000000
#define EVENING_HOUR 20 /* from here on "today" means tomorrow: nobody plans the rest of an evening */

/* What is asked: one node by name, or a list. */
struct question {
    struct window window;
    bool days;
    bool defaults; /* no window was given */
    const char **node_ids; /* NULL: all */
    size_t node_count;
    const struct node **nodes; /* after resolve */
};

static void default_window(const struct call *call, struct question *q)
{
    hour_t now = hour_of_seconds(call->now), day = hour_day(now);

    if (now - day >= EVENING_HOUR)
        day += HOURS_PER_DAY;
    q->window = (struct window){day, day + HOURS_PER_DAY};
    q->defaults = true;
}

static bool check_order(struct call *call, instant_t start, instant_t end, struct question *q)
{
    if (q->defaults)
        return true;
    if (end <= start)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end", "Availability end must be after start");
    q->window = (struct window){hour_floor(start), hour_ceil(end)};
    if (q->window.end > HOUR_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end", "Invalid timestamp: the end is beyond the year 9999");
    return true;
}

static bool check_granularity(struct call *call, const char *text, struct question *q)
{
    if (text == NULL || *text == '\0' || text_equal_nocase(text, "hour"))
        return true;
    q->days = text_equal_nocase(text, "day");
    return q->days || error_field(&call->err, ERROR_BAD_REQUEST, "granularity",
                                  "Granularity must be either 'hour' or 'day'");
}

/* A node without GPUs still has its list of hours. */
static bool check_size(struct call *call, const struct question *q)
{
    int64_t slots = window_hours(q->window), gpus = 0;

    if (q->days)
        slots = (slots + HOURS_PER_DAY - 1) / HOURS_PER_DAY;
    for (size_t i = 0; i < q->node_count; i++)
        gpus += q->nodes[i]->gpu_count > 0 ? (int64_t)q->nodes[i]->gpu_count : 1;
    if (gpus * slots <= CELLS_MAX)
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "end",
                       "The window has %" PRId64 " cells (GPUs × slots); an answer holds at most %d: ask for a shorter window, "
                       "fewer nodes or granularity 'day'",
                       gpus * slots, CELLS_MAX);
}

static bool write_one(struct call *call, const struct question *q, const struct node *node, struct json_writer *w)
{
    struct availability a;

    return planner_availability(call->api->planner, call->arena, node, q->window, &a, &call->err) &&
           (q->days ? write_days(call, &a, w) : write_hours(call, &a, w));
}

/* -- GET /api/availability -------------------------------------------------------------------------------------- */

static bool resolve_one(struct call *call, void *context)
{
    struct question *q = context;

    q->nodes[0] = planner_node(call->api->planner, q->node_ids[0], &call->err);
    return q->nodes[0] != NULL && check_size(call, q);
}

static bool render_one(struct call *call, void *context, struct json_writer *w)
{
    const struct question *q = context;

    return write_one(call, q, q->nodes[0], w);
}

static bool read_question(struct call *call, struct question *q)
{
    const struct http_request *request = call->request;
    const char *start = http_query(request, "start"), *end = http_query(request, "end");
    instant_t from = 0, to = 0;

    q->node_ids[0] = http_query(request, "node_id");
    if (q->node_ids[0] == NULL)
        return error_field(&call->err, ERROR_BAD_REQUEST, "node_id", "Query parameter 'node_id' is required");
    if (start == NULL || end == NULL)
        default_window(call, q);
    else if (!read_instant(call, "start", start, &from) || !read_instant(call, "end", end, &to))
        return false;
    return check_order(call, from, to, q) && check_granularity(call, http_query(request, "granularity"), q);
}

struct settled api_availability(struct call *call)
{
    const char *node_id;
    const struct node *node;
    struct question q = {.node_ids = &node_id, .node_count = 1, .nodes = &node};

    if (!read_question(call, &q))
        return reply_error(call);
    return reply_read(call, &(struct read_answer){
                                .key = arena_printf(call->arena, "availability %c %" PRId32 " %" PRId32 " %s",
                                                    q.days ? 'd' : 'h', q.window.start, q.window.end, node_id),
                                .clock = q.defaults,
                                .resolve = resolve_one,
                                .render = render_one,
                                .context = &q,
                            });
}

/* -- POST /api/availability_bulk -------------------------------------------------------------------------------- */

/* Unknown ids are passed over; repeats are repeated. */
static bool resolve_many(struct call *call, void *context)
{
    struct question *q = context;
    const struct topology *topology = &call->api->planner->topology;
    size_t wanted = q->node_ids == NULL ? topology->node_count : q->node_count;

    q->nodes = arena_array(call->arena, wanted, sizeof *q->nodes);
    q->node_count = 0;
    for (size_t i = 0; i < wanted; i++) {
        const struct node *node = q->node_ids == NULL ? &topology->nodes[i] : topology_node(topology, q->node_ids[i]);
        if (node != NULL)
            q->nodes[q->node_count++] = node;
    }
    return check_size(call, q);
}

/* Where a node's grid stands in the answer. */
struct place {
    size_t offset, length; /* 0: not there yet */
};

/* A node that is asked for again is copied: a body of 1 MiB can name one half a million times. */
static bool write_again(struct call *call, const struct place *place, struct json_writer *w)
{
    buffer_reserve(w->out, place->length + sizeof ","); /* or the copy's source would move */
    json_raw(w, w->out->data + place->offset, place->length);
    return answer_fits(call, w);
}

static bool render_many(struct call *call, void *context, struct json_writer *w)
{
    const struct question *q = context;
    const struct topology *topology = &call->api->planner->topology;
    struct place *places = arena_array(call->arena, topology->node_count, sizeof *places);

    json_open_object(w);
    json_key(w, "availability");
    json_open_array(w);
    for (size_t i = 0; i < q->node_count; i++) {
        struct place *place = &places[q->nodes[i] - topology->nodes];
        if (place->length > 0) {
            if (!write_again(call, place, w))
                return false;
            continue;
        }
        size_t comma = i > 0 ? 1 : 0;
        place->offset = w->out->length + comma;
        if (!write_one(call, q, q->nodes[i], w))
            return false;
        place->length = w->out->length - place->offset;
    }
    json_close(w);
    json_close(w);
    return true;
}

static bool read_node_ids(struct call *call, struct question *q)
{
    struct json_object *value = json_member(call->json, "node_ids");

    if (value == NULL)
        return true;
    if (!json_object_is_type(value, json_type_array))
        goto refused;
    q->node_count = json_object_array_length(value);
    q->node_ids = arena_array(call->arena, q->node_count, sizeof *q->node_ids);
    for (size_t i = 0; i < q->node_count; i++)
        if (!json_as_text(json_object_array_get_idx(value, i), call->arena, &q->node_ids[i]))
            goto refused;
    return true;
refused:
    return error_field(&call->err, ERROR_BAD_REQUEST, "node_ids", "'node_ids' must be an array of ids when provided");
}

static bool read_bulk(struct call *call, struct question *q)
{
    struct json_object *granularity;
    instant_t from = 0, to = 0;

    if (!read_object(call) || !read_node_ids(call, q))
        return false;
    if (json_is_absent(json_member(call->json, "start")) || json_is_absent(json_member(call->json, "end")))
        default_window(call, q);
    else if (!read_instant_member(call, "start", &from) || !read_instant_member(call, "end", &to))
        return false;
    granularity = json_member(call->json, "granularity");
    if (!check_granularity(call,
                           granularity == NULL                                         ? NULL
                           : json_object_is_type(granularity, json_type_string) ? json_object_get_string(granularity)
                                                                                       : "?",
                           q))
        return false;
    return check_order(call, from, to, q);
}

struct settled api_availability_bulk(struct call *call)
{
    struct question q = {0};

    if (!read_bulk(call, &q))
        return reply_error(call);
    return reply_query(call, &(struct read_answer){.resolve = resolve_many, .render = render_many, .context = &q});
}
