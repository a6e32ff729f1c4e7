#include "cli/release.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/json_read.h"
#include "common/json_write.h"

#include "common/banned.h"

/* A 200 from something else than the planner (a login page, say) has completed nothing. */
static bool is_completed(struct json_object *json)
{
    struct json_object *status = json_member(json, "status");

    return json_object_is_type(status, json_type_string) && strcmp(json_object_get_string(status), "completed") == 0;
}

static bool is_planners(const struct http_answer *answer)
{
    struct error unread = ERROR_INIT;
    struct json_object *json = NULL;
    bool has_error = json_read(answer->body.data, answer->body.length, &json, &unread) && json_member(json, "error");

    json_object_put(json);
    error_clear(&unread);
    return has_error;
}

enum release release_try(struct http *http, int64_t booking_id, const char *token, struct http_answer *answer, struct error *err)
{
    struct buffer body = BUFFER_INIT;
    struct json_writer w;
    struct json_object *json = NULL;
    struct http_request request = {.method = "POST", .path = token ? "api/release" : "api/mark_done", .secret = token != NULL};
    bool answered, completed;

    json_begin(&w, &body);
    json_open_object(&w);
    json_put_integer(&w, "booking_id", booking_id);
    if (token)
        json_put_string(&w, "release_token", token);
    json_close(&w);
    request.body = body.data;
    request.body_length = body.length;
    answered = http_send(http, &request, answer, err);
    explicit_bzero(body.data, body.length);
    buffer_release(&body);
    if (!answered)
        return RELEASE_FAILED;
    if (!http_result(http, &request, answer, &json, err)) {
        if (answer->status == 404 && is_planners(answer))
            return RELEASE_GONE;
        /* A 404 from the server in front: the planner may be about to come back. */
        return answer->status >= 500 || answer->status == 404 || answer->status == 429 || answer->status < 300 ? RELEASE_FAILED
                                                                                                               : RELEASE_REFUSED;
    }
    completed = is_completed(json);
    json_object_put(json);
    if (completed)
        return RELEASE_DONE;
    error_set(err, ERROR_UNAVAILABLE, "%s answered, but not as a planner does", http_base(http));
    return RELEASE_FAILED;
}

double release_pause(const struct http_answer *answer, double pause)
{
    uint16_t chance = 0;

    if (answer->status != 429 && answer->status != 502 && answer->status != 503)
        return -1;
    if (answer->retry_after > pause)
        pause = answer->retry_after;
    (void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK); /* without: the same wait for all */
    return pause * (1 + chance / (2.0 * UINT16_MAX));
}
