#include "cgi/api/internal.h"

#include <inttypes.h>
#include <string.h>

#include "cgi/planner/booking.h"
#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

#define LIST_LIMIT_DEFAULT 100
#define LIST_LIMIT_MAX 1000

/* -- GET /api/bookings ------------------------------------------------------------------------------------------ */

struct list {
    struct booking_filter filter;
    const char *node_id;
};

static bool read_status(struct call *call, int *out)
{
    const char *text = http_query(call->request, "status");
    enum booking_status status;

    if (text == NULL)
        return true;
    if (status_of(text, &status)) {
        *out = (int)status;
        return true;
    }
    return error_field(&call->err, ERROR_BAD_REQUEST, "status", "'status' must be one of active, completed, cancelled");
}

static bool read_list(struct call *call, struct list *list)
{
    struct booking_filter *filter = &list->filter;

    list->node_id = http_query(call->request, "node_id");
    filter->user_label = http_query(call->request, "user_label");
    filter->owner = http_query(call->request, "owner");
    if (!read_status(call, &filter->status) || !query_hour(call, "start", false, &filter->window.start) ||
        !query_hour(call, "end", true, &filter->window.end) ||
        !query_integer(call, "after_id", 0, INT64_MAX, &filter->after_id) ||
        !query_integer(call, "limit", 1, LIST_LIMIT_MAX, &filter->limit))
        return false;
    if (filter->window.end > filter->window.start)
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "end", "The end must be after the start");
}

/* Bookings of a retired node are listed too: they are history. */
static bool resolve_list(struct call *call, void *context)
{
    struct list *list = context;
    const struct topology *topology = &call->api->planner->topology;

    if (list->node_id == NULL)
        return true;
    for (size_t i = 0; i < topology->node_total; i++)
        if (strcmp(topology->nodes[i].id, list->node_id) == 0) {
            list->filter.node_key = topology->nodes[i].key;
            return true;
        }
    return planner_node(call->api->planner, list->node_id, &call->err) != NULL;
}

static bool render_list(struct call *call, void *context, struct json_writer *w)
{
    struct list *list = context;
    struct planner *planner = call->api->planner;
    struct booking_filter filter = list->filter;
    struct booking **bookings;
    size_t count;

    filter.limit++; /* one more tells whether anything follows */
    if (!planner_bookings(planner, call->arena, &filter, &bookings, &count, &call->err))
        return false;
    bool more = (int64_t)count == filter.limit;
    if (more)
        count--;
    json_open_object(w);
    json_key(w, "bookings");
    json_open_array(w);
    for (size_t i = 0; i < count; i++)
        write_booking_full(w, &planner->topology, bookings[i]);
    json_close(w);
    if (more)
        json_put_integer(w, "next", bookings[count - 1]->id);
    else
        json_put_null(w, "next");
    json_close(w);
    return true;
}

struct settled api_bookings(struct call *call)
{
    struct list list = {.filter = {.status = -1, .window = {HOUR_MIN, HOUR_MAX + 1}, .limit = LIST_LIMIT_DEFAULT}};
    const struct booking_filter *f = &list.filter;

    if (!read_list(call, &list))
        return reply_error(call);
    const char *key = arena_printf(call->arena, "bookings %d %" PRId32 " %" PRId32 " %" PRId64 " %" PRId64 "\n%s\n%s\n%s",
                                   f->status, f->window.start, f->window.end, f->after_id, f->limit,
                                   list.node_id != NULL ? list.node_id : "", f->user_label != NULL ? f->user_label : "",
                                   f->owner != NULL ? f->owner : "");
    return reply_read(call, &(struct read_answer){.key = key, .resolve = resolve_list, .render = render_list, .context = &list});
}

/* -- GET /api/bookings/ID --------------------------------------------------------------------------------------- */

static bool render_booking(struct call *call, void *context, struct json_writer *w)
{
    struct planner *planner = call->api->planner;
    struct booking *b;

    if (!planner_booking(planner, call->arena, *(int64_t *)context, &b, &call->err))
        return false;
    write_booking_full(w, &planner->topology, b);
    return true;
}

struct settled api_booking(struct call *call)
{
    int64_t id;

    if (!read_booking_id(call, "does not exist", &id))
        return reply_error(call);
    return reply_read(call, &(struct read_answer){.key = arena_printf(call->arena, "booking %" PRId64, id),
                                                  .render = render_booking,
                                                  .context = &id});
}

/* -- PATCH /api/bookings/ID ------------------------------------------------------------------------------------- */

struct patch {
    int64_t id;
    struct booking_edit edit;
    bool dry_run;
};

/* A field that nobody reads must not look as if it had been changed. */
static bool check_known(struct call *call)
{
    static const char *const fields[] = {"start", "end", "gpu_ids", "gpu_count", "user_label", "priority", "note", "version",
                                         "dry_run"};
    const size_t count = sizeof fields / sizeof fields[0];

    json_object_object_foreach(call->json, name, value)
    {
        bool known = false;
        (void)value;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(name, fields[i]) == 0;
        if (known)
            continue;
        const char *near = text_nearest(name, fields, count);
        return error_field(&call->err, ERROR_BAD_REQUEST, name, "Unknown field '%.100s'%s%s%s; a change takes start, end, "
                           "gpu_ids, gpu_count, user_label, priority, note, version and dry_run", name,
                           near != NULL ? " (did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?)" : "");
    }
    return true;
}

static bool read_version(struct call *call, struct booking_edit *edit)
{
    struct json_object *value = json_member(call->json, "version");

    edit->has_version = value != NULL;
    if (value == NULL || json_as_whole(value, &edit->version))
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "version", "'version' must be a whole number");
}

static bool read_edit(struct call *call, struct booking_edit *edit)
{
    struct booking_request request = {0};

    edit->has_start = json_member(call->json, "start") != NULL;
    edit->has_end = json_member(call->json, "end") != NULL;
    if (!check_known(call) || (edit->has_start && !read_instant_member(call, "start", &edit->start)) ||
        (edit->has_end && !read_instant_member(call, "end", &edit->end)) || !read_gpus(call, &request) ||
        !read_note(call, &request.note) || !read_version(call, edit))
        return false;
    edit->gpu_ids = request.gpu_ids;
    edit->gpu_id_count = request.gpu_id_count;
    edit->gpu_count = request.gpu_count;
    edit->has_gpu_count = json_member(call->json, "gpu_count") != NULL;
    edit->has_note = json_object_object_get_ex(call->json, "note", NULL);
    edit->note = request.note;
    edit->priority = read_priority(call);
    if (edit->priority != NULL && *edit->priority == '\0') /* absent, as when booking */
        edit->priority = NULL;
    if (!read_text(call, "user_label", &edit->user_label))
        return false;
    if (edit->user_label == NULL && json_member(call->json, "user_label") != NULL) /* "", 0, false or [] */
        edit->user_label = "";
    return true;
}

static bool write_patch(struct call *call, void *context, struct json_writer *w)
{
    struct patch *patch = context;
    struct planner *planner = call->api->planner;
    struct booking *b;

    if (!planner_edit(planner, call->arena, patch->id, &patch->edit, &call->actor, call->now, &b, &call->err))
        return false;
    write_booking_full(w, &planner->topology, b);
    return true;
}

struct settled api_booking_patch(struct call *call)
{
    struct patch patch = {0};

    if (!read_booking_id(call, "does not exist", &patch.id) || !read_object(call) ||
        !read_edit(call, &patch.edit) || !read_boolean(call, "dry_run", &patch.dry_run))
        return reply_error(call);
    return reply_write(call, &(struct write_answer){.status = 200, .dry_run = patch.dry_run, .write = write_patch, .context = &patch});
}
