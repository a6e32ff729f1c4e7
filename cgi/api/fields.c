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
