#include "cgi/api/internal.h"

#include <string.h>

#include "cgi/planner/booking.h"
#include "common/json_read.h"

#include "common/banned.h"

struct book {
    struct booking_request request;
    bool dry_run;
};

static bool read_gpu_ids(struct call *call, struct booking_request *request)
{
    struct json_object *value = json_member(call->json, "gpu_ids");

    if (json_is_absent(value))
        return true;
    if (!json_object_is_type(value, json_type_array))
        return error_field(&call->err, ERROR_BAD_REQUEST, "gpu_ids", "'gpu_ids' must be an array when provided");
    request->gpu_id_count = json_object_array_length(value);
    const char **ids = arena_array(call->arena, request->gpu_id_count, sizeof *ids);
    for (size_t i = 0; i < request->gpu_id_count; i++)
        if (!json_as_text(json_object_array_get_idx(value, i), call->arena, &ids[i]))
            return error_field(&call->err, ERROR_BAD_REQUEST, "gpu_ids", "'gpu_ids' must be an array of GPU ids");
    request->gpu_ids = ids;
    return true;
}

static bool read_gpu_count(struct call *call, struct booking_request *request)
{
    struct json_object *value = json_member(call->json, "gpu_count");

    if (value == NULL || json_as_whole(value, &request->gpu_count))
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "gpu_count", "'gpu_count' must be an integer");
}

static bool read_boolean(struct call *call, const char *name, bool *out)
{
    struct json_object *value = json_member(call->json, name);

    if (value == NULL)
        return true;
    if (!json_object_is_type(value, json_type_boolean))
        return error_field(&call->err, ERROR_BAD_REQUEST, name, "'%s' must be true or false", name);
    *out = json_object_get_boolean(value);
    return true;
}

/* Priority is judged by the planner, after the node; what is no text cannot be one of its names either. */
static void read_priority(struct call *call, struct booking_request *request)
{
    struct json_object *value = json_member(call->json, "priority");

    if (value != NULL)
        request->priority = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "?";
}

static bool read_note(struct call *call, struct booking_request *request)
{
    struct json_object *value = json_member(call->json, "note");

    if (value != NULL && !json_object_is_type(value, json_type_string))
        return error_field(&call->err, ERROR_BAD_REQUEST, "note", "'note' must be text");
    request->note = value == NULL ? NULL : json_object_get_string(value);
    return true;
}

/* Field by field, in the order in which the wire contract names their faults. */
static bool read_book(struct call *call, struct book *book)
{
    struct booking_request *request = &book->request;

    if (!read_object(call) || !read_text(call, "node_id", &request->node_id))
        return false;
    if (request->node_id == NULL || json_is_absent(json_member(call->json, "start")) ||
        json_is_absent(json_member(call->json, "end")))
        return error_field(&call->err, ERROR_BAD_REQUEST,
                           request->node_id == NULL                                ? "node_id"
                           : json_is_absent(json_member(call->json, "start")) ? "start"
                                                                                   : "end",
                           "Fields 'node_id', 'start', and 'end' are required");
    if (!read_instant_member(call, "start", &request->start) || !read_instant_member(call, "end", &request->end) ||
        !read_gpu_ids(call, request) || !read_gpu_count(call, request) ||
        !read_text(call, "user_label", &request->user_label) || !read_note(call, request) ||
        !read_boolean(call, "dry_run", &book->dry_run))
        return false;
    if (json_member(call->json, "repeat") != NULL)
        return error_field(&call->err, ERROR_BAD_REQUEST, "repeat", "'repeat' is not supported by this version");
    read_priority(call, request);
    return planner_book_precheck(request, &call->err);
}

/* Named GPUs are answered as they were asked for, chosen ones in configuration order. */
static void write_booked_gpus(struct call *call, const struct booking_request *request, const struct booking *b,
                              struct json_writer *w)
{
    if (request->gpu_id_count == 0) {
        write_gpu_ids(w, &call->api->planner->topology, b);
        return;
    }
    json_key(w, "gpu_ids");
    json_open_array(w);
    for (size_t i = 0; i < request->gpu_id_count; i++)
        json_string(w, request->gpu_ids[i]);
    json_close(w);
}

static bool write_book(struct call *call, void *context, struct json_writer *w)
{
    struct book *book = context;
    struct booking *b;

    if (!planner_book(call->api->planner, call->arena, &book->request, &call->actor, call->now, &b, &call->err))
        return false;
    json_open_object(w);
    if (book->dry_run)
        json_put_null(w, "booking_id");
    else
        json_put_integer(w, "booking_id", b->id);
    json_put_string(w, "node_id", book->request.node_id);
    write_booked_gpus(call, &book->request, b, w);
    json_put_hour(w, "start", b->window.start);
    json_put_hour(w, "end", b->window.end);
    json_put_string(w, "user_label", b->user_label);
    json_put_string(w, "priority", priority_name(b->priority));
    if (b->note != NULL)
        json_put_string(w, "note", b->note);
    json_close(w);
    return true;
}

struct settled api_book(struct call *call)
{
    struct book book = {0};

    if (!read_book(call, &book))
        return reply_error(call);
    return reply_write(call, &(struct write_answer){.status = 201, .keyed = true, .dry_run = book.dry_run,
                                                    .write = write_book, .context = &book});
}
