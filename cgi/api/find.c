#include "cgi/api/internal.h"

#include <inttypes.h>
#include <string.h>

#include "cgi/planner/access.h"
#include "cgi/planner/booking.h"
#include "cgi/planner/find.h"
#include "cgi/planner/limits.h"

#include "common/banned.h"

#define SLOTS_DEFAULT 10

struct question {
    struct find_wish wish;
    const char **node_ids; /* as sent, NULL-terminated */
    const char *user_label; /* who would book, unless they are logged in; NULL: nobody in particular */
    hour_t now;
};

static bool read_question(struct call *call, struct question *q)
{
    int64_t limit = SLOTS_DEFAULT;
    const char *label = http_query(call->request, "user_label");

    q->wish = (struct find_wish){.gpus = 1, .hours = 1, .after = HOUR_NONE, .before = HOUR_NONE,
                                 .kind = http_query(call->request, "kind")};
    q->user_label = NULL;
    q->node_ids = http_query_all(call->request, "node_id");
    q->now = hour_of_seconds(call->now);
    if (!query_integer(call, "gpus", 1, FIND_GPUS_MAX, &q->wish.gpus) ||
        !query_integer(call, "hours", 1, FIND_HOURS_MAX, &q->wish.hours) ||
        !query_hour(call, "after", false, &q->wish.after) || !query_hour(call, "before", true, &q->wish.before) ||
        !query_integer(call, "limit", 1, FIND_SLOTS_MAX, &limit) ||
        (label != NULL && !planner_label(call->arena, label, &q->user_label, &call->err)))
        return false;
    q->wish.limit = (size_t)limit;
    return true;
}

/* Texts with their lengths, so that no two questions have the same key. The user is none of it: whom nothing refuses (resolve)
 * gets what everybody gets. */
static const char *make_key(struct call *call, const struct question *q)
{
    const struct find_wish *wish = &q->wish;
    struct buffer key = BUFFER_INIT;
    const char *copy;

    buffer_printf(&key, "find %" PRId64 " %" PRId64 " %" PRId32 " %" PRId32 " %zu", wish->gpus, wish->hours,
                  wish->after, wish->before, wish->limit);
    if (wish->kind != NULL)
        buffer_printf(&key, " k%zu:%s", strlen(wish->kind), wish->kind);
    for (const char **id = q->node_ids; *id != NULL; id++)
        buffer_printf(&key, " n%zu:%s", strlen(*id), *id);
    copy = arena_copy(call->arena, key.data, key.length);
    buffer_release(&key);
    return copy;
}

/* All that is found lies ahead, so each of its hours counts for the limit on what one user has ahead: all of it is over, or none. */
static bool check_limits(struct call *call, const struct question *q)
{
    struct planner *planner = call->api->planner;
    const char *owner = access_owner(planner, &call->actor);

    return limits_check_size(&planner->config.limits, q->wish.hours, q->wish.gpus, &call->err) &&
           ((owner == NULL && q->user_label == NULL) ||
            limits_check_user(planner, owner, q->user_label, q->wish.gpus * q->wish.hours, q->now, &call->err));
}

static bool resolve(struct call *call, void *context)
{
    struct question *q = context;
    const struct planner *planner = call->api->planner;
    const struct node **nodes;
    size_t n = 0;

    while (q->node_ids[n] != NULL)
        n++;
    nodes = arena_array(call->arena, n, sizeof *nodes);
    for (size_t i = 0; i < n; i++)
        if ((nodes[i] = planner_node(planner, q->node_ids[i], &call->err)) == NULL)
            return false;
    q->wish.nodes = n > 0 ? nodes : NULL;
    q->wish.node_count = n;
    return check_limits(call, q);
}

static void write_slot(const struct slot *slot, size_t gpus, struct json_writer *w)
{
    json_open_object(w);
    json_put_string(w, "node_id", slot->node->id);
    json_key(w, "gpu_ids");
    json_open_array(w);
    for (size_t i = 0; i < gpus; i++)
        json_string(w, slot->gpus[i]->id);
    json_close(w);
    json_put_hour(w, "start", slot->window.start);
    json_put_hour(w, "end", slot->window.end);
    json_close(w);
}

static bool render(struct call *call, void *context, struct json_writer *w)
{
    const struct question *q = context;
    struct slot *slots;
    size_t count;

    if (!planner_find(call->api->planner, call->arena, &q->wish, q->now, &slots, &count, &call->err))
        return false;
    json_open_object(w);
    json_key(w, "slots");
    json_open_array(w);
    for (size_t i = 0; i < count && answer_fits(call, w); i++)
        write_slot(&slots[i], (size_t)q->wish.gpus, w);
    json_close(w);
    json_close(w);
    return call->err.code == ERROR_NONE;
}

struct settled api_find(struct call *call)
{
    struct question q;

    if (!read_question(call, &q))
        return reply_error(call);
    return reply_read(call, &(struct read_answer){
                                .key = make_key(call, &q),
                                .clock = true,
                                .resolve = resolve,
                                .render = render,
                                .context = &q,
                            });
}
