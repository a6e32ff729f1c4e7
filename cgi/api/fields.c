#include "cgi/api/internal.h"

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
