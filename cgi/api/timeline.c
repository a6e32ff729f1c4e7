#include "cgi/api/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_read.h"

#include "common/banned.h"

#define DAYS_MAX 3700
#define DAYS_PER_WEEK 7
#define EPOCH_CHARACTERS_MAX 64

struct question {
    struct timeline_question planner; /* what the planner is asked */
    const char **node_ids;            /* sorted, none twice */
    size_t node_id_count;             /* 0: all nodes */
    bool defaults;                    /* no window was given */
};

/* -- reading the question --------------------------------------------------------------------------------------- */

/* 1970 began on a Thursday, the fourth day of its week. */
static struct window week_of(hour_t hour)
{
    const int32_t week = DAYS_PER_WEEK * HOURS_PER_DAY, monday = 3 * HOURS_PER_DAY;
    hour_t start = hour - (hour + monday) % week;

    return (struct window){start, start + week};
}

static bool read_window(struct call *call, struct question *q)
{
    const char *start = http_query(call->request, "start"), *end = http_query(call->request, "end");
    struct window *window = &q->planner.window;
    instant_t from, to;

    if (start == NULL || end == NULL) {
        *window = week_of(hour_of_seconds(call->now));
        q->defaults = true;
        /* Last week's revision is of no use to who asks for this week. */
        q->planner.not_before = (int64_t)window->start * SECONDS_PER_HOUR;
        return true;
    }
    if (!read_instant(call, "start", start, &from) || !read_instant(call, "end", end, &to))
        return false;
    if (to <= from)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end", "Timeline end must be after start");
    *window = (struct window){hour_floor(from), hour_ceil(to)};
    if (window->end > HOUR_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end", "Invalid timestamp: the end is beyond the year 9999");
    if (window_hours(*window) > DAYS_MAX * HOURS_PER_DAY)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end",
                           "A timeline spans %d days at most; ask for a shorter window", DAYS_MAX);
    return true;
}

static bool is_epoch(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')))
            return false;
    return length > 0 && length <= EPOCH_CHARACTERS_MAX;
}

/* EPOCH.REVISION, or a revision alone. One with more digits than a number has is of no revision that was ever reached. */
static bool read_since(struct call *call, struct question *q)
{
    const char *text = http_query(call->request, "since"), *dot, *digits = text;

    if (text == NULL)
        return true;
    dot = strchr(text, '.');
    if (dot != NULL)
        digits = dot + 1;
    if ((dot != NULL && !is_epoch(text, (size_t)(dot - text))) || *digits == '\0' ||
        strspn(digits, "0123456789") != strlen(digits))
        return error_field(&call->err, ERROR_BAD_REQUEST, "since",
                           "'since' must be the epoch and the revision of an earlier answer, as in 0123456789abcdef.42");
    if (dot != NULL)
        q->planner.epoch = arena_copy(call->arena, text, (size_t)(dot - text));
    if (!integer_parse(digits, &q->planner.since))
        q->planner.since = INT64_MAX;
    return true;
}

/* The window that `since` was asked for, where that was another. An hour of which a part was had was not had. */
static bool read_had(struct call *call, struct question *q)
{
    const char *start = http_query(call->request, "since_start"), *end = http_query(call->request, "since_end");
    instant_t from, to;

    if (start == NULL && end == NULL)
        return true;
    if (start == NULL || end == NULL)
        return error_field(&call->err, ERROR_BAD_REQUEST, start == NULL ? "since_start" : "since_end",
                           "'since_start' and 'since_end' go together: they are the window that 'since' was asked for");
    if (!read_instant(call, "since_start", start, &from) || !read_instant(call, "since_end", end, &to))
        return false;
    if (to <= from)
        return error_field(&call->err, ERROR_BAD_REQUEST, "since_end", "'since_end' must be after 'since_start'");
    q->planner.had = (struct window){hour_ceil(from), hour_floor(to)};
    if (window_hours(q->planner.had) <= 0)
        q->planner.since = 0;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_node_ids(struct call *call, struct question *q)
{
    size_t count = 0;

    q->node_ids = http_query_all(call->request, "node_id");
    while (q->node_ids[count] != NULL)
        count++;
    qsort(q->node_ids, count, sizeof *q->node_ids, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(q->node_ids[i - 1], q->node_ids[i]) != 0)
            q->node_ids[q->node_id_count++] = q->node_ids[i];
}

/* Ids may hold anything a line may, so each has its length in front of it. */
static const char *cache_key(struct call *call, const struct question *q)
{
    const struct timeline_question *p = &q->planner;
    struct buffer key = BUFFER_INIT;

    buffer_printf(&key, "timeline %" PRId32 " %" PRId32 " %s.%" PRId64 " %" PRId64, p->window.start, p->window.end,
                  p->epoch != NULL ? p->epoch : "", p->since, p->since != 0 ? p->not_before : 0);
    if (p->since != 0)
        buffer_printf(&key, " %" PRId32 " %" PRId32, p->had.start, p->had.end);
    for (size_t i = 0; i < q->node_id_count; i++)
        buffer_printf(&key, " %zu %s", strlen(q->node_ids[i]), q->node_ids[i]);
    const char *kept = arena_copy(call->arena, key.data, key.length);
    buffer_release(&key);
    return kept;
}

/* -- answering -------------------------------------------------------------------------------------------------- */

/* Nodes in use stand in one array in configuration order, so their addresses are their order. */
static int by_position(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    return (x > y) - (x < y);
}

static bool resolve_nodes(struct call *call, void *context)
{
    struct question *q = context;
    const struct topology *topology = &call->api->planner->topology;
    size_t count = q->node_id_count > 0 ? q->node_id_count : topology->node_count;
    const struct node **nodes = arena_array(call->arena, count, sizeof *nodes);

    for (size_t i = 0; i < count; i++) {
        nodes[i] = q->node_id_count == 0 ? &topology->nodes[i]
                                         : planner_node(call->api->planner, q->node_ids[i], &call->err);
        if (nodes[i] == NULL)
            return false;
    }
    qsort(nodes, count, sizeof *nodes, by_position);
    q->planner.nodes = nodes;
    q->planner.node_count = count;
    return true;
}

static bool render_timeline(struct call *call, void *context, struct json_writer *w)
{
    const struct question *q = context;
    struct timeline timeline;

    return planner_timeline(call->api->planner, call->arena, &q->planner, &timeline, &call->err) &&
           write_timeline(call, &q->planner, &timeline, w);
}

struct settled api_timeline(struct call *call)
{
    struct question q = {0};

    if (!read_window(call, &q) || !read_since(call, &q) || !read_had(call, &q))
        return reply_error(call);
    read_node_ids(call, &q);
    return reply_read(call, &(struct read_answer){
                                .key = cache_key(call, &q),
                                .clock = q.defaults,
                                .resolve = resolve_nodes,
                                .render = render_timeline,
                                .context = &q,
                            });
}
