#include "cgi/api/internal.h"

#include <inttypes.h>
#include <string.h>

#include "common/json_read.h"

#include "common/banned.h"

bool read_object(struct call *call)
{
    struct error syntax = ERROR_INIT;

    if (call->request->body_length == 0) {
        call->json = json_object_new_object();
        return true;
    }
    if (!json_read(call->request->body, call->request->body_length, &call->json, &syntax)) {
        error_set(&call->err, ERROR_BAD_REQUEST, "Invalid JSON payload: %s", syntax.message);
        error_clear(&syntax);
        return false;
    }
    if (!json_object_is_type(call->json, json_type_object))
        return error_set(&call->err, ERROR_BAD_REQUEST, "JSON payload must be an object");
    return true;
}

bool read_text(struct call *call, const char *name, const char **out)
{
    struct json_object *value = json_member(call->json, name);

    *out = NULL;
    if (json_is_absent(value))
        return true;
    if (!json_as_text(value, call->arena, out))
        return error_field(&call->err, ERROR_BAD_REQUEST, name, "'%s' must be text", name);
    return true;
}

bool read_instant(struct call *call, const char *name, const char *text, instant_t *out)
{
    if (instant_parse(text, strlen(text), out))
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, name,
                       "Invalid timestamp: '%.100s' is no ISO 8601 time such as 2026-11-23T14:00:00+00:00", text);
}

bool read_instant_member(struct call *call, const char *name, instant_t *out)
{
    struct json_object *value = json_member(call->json, name);

    if (!json_object_is_type(value, json_type_string))
        return error_field(&call->err, ERROR_BAD_REQUEST, name, "Invalid timestamp: '%s' must be text in ISO 8601", name);
    return read_instant(call, name, json_object_get_string(value), out);
}

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

bool read_gpus(struct call *call, struct booking_request *request)
{
    struct json_object *count = json_member(call->json, "gpu_count");

    if (!read_gpu_ids(call, request))
        return false;
    if (count == NULL || json_as_whole(count, &request->gpu_count))
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "gpu_count", "'gpu_count' must be an integer");
}

bool read_note(struct call *call, const char **out)
{
    struct json_object *value = json_member(call->json, "note");

    if (value != NULL && !json_object_is_type(value, json_type_string))
        return error_field(&call->err, ERROR_BAD_REQUEST, "note", "'note' must be text");
    *out = value == NULL ? NULL : json_object_get_string(value);
    return true;
}

bool read_boolean(struct call *call, const char *name, bool *out)
{
    struct json_object *value = json_member(call->json, name);

    if (value == NULL)
        return true;
    if (!json_object_is_type(value, json_type_boolean))
        return error_field(&call->err, ERROR_BAD_REQUEST, name, "'%s' must be true or false", name);
    *out = json_object_get_boolean(value);
    return true;
}

const char *read_priority(struct call *call)
{
    struct json_object *value = json_member(call->json, "priority");

    if (value == NULL)
        return NULL;
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "?";
}

bool is_whole_text(const char *text)
{
    if (*text == '-' || *text == '+')
        text++;
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

bool read_booking_id(struct call *call, const char *unknown, int64_t *out)
{
    const char *rest = call->request->route_rest;

    if (*rest == '\0')
        return error_field(&call->err, ERROR_BAD_REQUEST, "booking_id", "Booking id is required");
    if (integer_parse(rest, out))
        return true;
    if (is_whole_text(rest))
        return error_set(&call->err, ERROR_NOT_FOUND, "Booking '%.100s' %s", rest, unknown);
    return error_field(&call->err, ERROR_BAD_REQUEST, "booking_id", "Booking id must be an integer");
}

bool query_integer(struct call *call, const char *name, int64_t least, int64_t most, int64_t *out)
{
    const char *text = http_query(call->request, name);

    if (text == NULL)
        return true;
    if (integer_parse(text, out) && *out >= least && *out <= most)
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, name, "'%s' must be a whole number from %" PRId64 " to %" PRId64, name,
                       least, most);
}

bool query_hour(struct call *call, const char *name, bool up, hour_t *out)
{
    const char *text = http_query(call->request, name);
    instant_t instant;

    if (text == NULL)
        return true;
    if (!read_instant(call, name, text, &instant))
        return false;
    *out = up ? hour_ceil(instant) : hour_floor(instant);
    if (*out > HOUR_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, name, "Invalid timestamp: '%s' is beyond the year 9999", name);
    return true;
}
