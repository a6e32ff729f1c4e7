/* What an answer says: its JSON, or the error in it. The half of http.h that needs no libcurl. */
#include <string.h>

#include "cli/http.h"

#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

static enum error_code code_of(int status)
{
    switch (status) {
    case 401: return ERROR_UNAUTHORIZED;
    case 403: return ERROR_FORBIDDEN;
    case 404: return ERROR_NOT_FOUND;
    case 405: return ERROR_METHOD;
    case 409: return ERROR_CONFLICT;
    case 412: return ERROR_PRECONDITION;
    case 413: return ERROR_TOO_LARGE;
    case 422: return ERROR_UNPROCESSABLE;
    case 502: case 503: case 504: return ERROR_UNAVAILABLE;
    case 507: return ERROR_FULL;
    default: return status >= 500 ? ERROR_INTERNAL : ERROR_BAD_REQUEST;
    }
}

/* No JSON came: from the server in front of the planner, or from something else altogether. */
static bool refuse_foreign(const struct http *http, const struct http_request *request, const struct http_answer *answer,
                           struct error *err)
{
    enum error_code code = code_of(answer->status);
    const char *base = http_base(http);

    switch (answer->status) {
    case 401:
        return error_set(err, code, "%s wants a login (status 401): put user and password into ~/.netrc or the URL", base);
    case 403:
        return error_set(err, code, "%s does not let you do that (status 403); ask those who run it", base);
    case 404:
        return error_set(err, code, "there is no planner at %s (status 404 for %s); check the address and its path", base,
                         request->path);
    case 502: case 503: case 504:
        return error_set(err, code, "the planner behind %s does not answer (status %d); try again in a moment", base,
                         answer->status);
    default:
        return error_set(err, answer->status < 300 ? ERROR_UNAVAILABLE : code,
                         "%s answered %s %.200s with status %d and no JSON (%s); is that a planner's address?", base,
                         request->method, request->path, answer->status,
                         answer->content_type[0] ? answer->content_type : "no content type");
    }
}

static const char *text_of(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* "2026-11-23T14:00:00+00:00"; what is none is left at HOUR_NONE. */
static hour_t hour_in(struct json_object *object, const char *name)
{
    const char *text = text_of(object, name);
    instant_t instant;

    return text && instant_parse(text, strlen(text), &instant) ? hour_floor(instant) : HOUR_NONE;
}

static void read_conflicts(struct json_object *list, struct error *err)
{
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i), *id = json_member(one, "booking_id");
        const char *gpu = text_of(one, "gpu_id"), *label = text_of(one, "user_label");
        struct window window = {hour_in(one, "start"), hour_in(one, "end")};

        if (gpu && label && window.start != HOUR_NONE && window.end != HOUR_NONE)
            error_add_conflict(err, gpu, id ? json_object_get_int64(id) : 0, label, window);
    }
}

static bool refuse(const struct http *http, const struct http_request *request, const struct http_answer *answer,
                   struct error *err)
{
    struct error unread = ERROR_INIT;
    struct json_object *json = NULL;
    const char *sentence, *field, *limit;
    bool of_one = strncmp(request->path, "api/bookings/", 13) == 0 || strcmp(request->method, "POST") == 0;

    if (answer->status == 404 && !of_one) /* no planner says that of what every planner has */
        return refuse_foreign(http, request, answer, err);

    if (!json_read_large(answer->body.data, answer->body.length, HTTP_ANSWER_CONTAINERS_MAX, &json, &unread) ||
        !(sentence = text_of(json, "error"))) {
        json_object_put(json);
        error_clear(&unread);
        return refuse_foreign(http, request, answer, err);
    }
    error_set(err, code_of(answer->status), "%s", sentence);
    field = text_of(json, "field");
    limit = text_of(json, "limit");
    if (field)
        text_escape(field, strlen(field), err->field, sizeof err->field);
    if (limit)
        text_escape(limit, strlen(limit), err->limit, sizeof err->limit);
    read_conflicts(json_member(json, "conflicts"), err);
    json_object_put(json);
    return false;
}

bool http_result(const struct http *http, const struct http_request *request, const struct http_answer *answer,
                 struct json_object **out, struct error *err)
{
    struct error unread = ERROR_INIT;
    struct json_object *json = NULL;

    if (out)
        *out = NULL;
    if (answer->status < 200 || answer->status >= 300)
        return refuse(http, request, answer, err);
    if (!json_read_large(answer->body.data, answer->body.length, HTTP_ANSWER_CONTAINERS_MAX, &json, &unread) ||
        !json_object_is_type(json, json_type_object)) {
        json_object_put(json);
        error_clear(&unread);
        return refuse_foreign(http, request, answer, err);
    }
    if (out)
        *out = json;
    else
        json_object_put(json);
    return true;
}

bool http_call(struct http *http, const struct http_request *request, struct json_object **out, struct error *err)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    bool done = http_send(http, request, &answer, err) && http_result(http, request, &answer, out, err);

    http_answer_release(&answer);
    return done;
}
