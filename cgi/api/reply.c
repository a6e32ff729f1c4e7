#include "cgi/api/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgi/http/etag.h"
#include "common/log.h"

#include "common/banned.h"

/* -- errors ----------------------------------------------------------------------------------------------------- */

void write_conflicts(struct json_writer *w, const struct error *err)
{
    json_key(w, "conflicts");
    json_open_array(w);
    for (size_t i = 0; i < err->conflict_count; i++) {
        const struct error_conflict *conflict = &err->conflicts[i];
        json_open_object(w);
        json_put_string(w, "gpu_id", conflict->gpu_id);
        if (conflict->booking_id == 0) /* of a booking that was to be made by the same request */
            json_put_null(w, "booking_id");
        else
            json_put_integer(w, "booking_id", conflict->booking_id);
        json_put_string(w, "user_label", conflict->user_label);
        json_put_hour(w, "start", conflict->window.start);
        json_put_hour(w, "end", conflict->window.end);
        json_close(w);
    }
    json_close(w);
}

struct settled reply_error(struct call *call)
{
    struct http_response *response = call->response;
    struct error *err = &call->err;
    struct json_writer w;

    if (err->code == ERROR_NONE)
        error_set(err, ERROR_INTERNAL, "Internal error");
    response->status = error_status(err->code);
    response->content_type = "application/json";
    response->no_store = true;
    response->etag[0] = '\0';
    response->shared = NULL;
    if (err->code == ERROR_UNAVAILABLE)
        response->retry_after = 1;
    buffer_clear(&response->body);
    json_begin(&w, &response->body);
    json_open_object(&w);
    json_put_string(&w, "error", err->message);
    json_put_integer(&w, "status", response->status);
    if (err->field[0] != '\0')
        json_put_string(&w, "field", err->field);
    if (err->limit[0] != '\0')
        json_put_string(&w, "limit", err->limit);
    if (err->code == ERROR_CONFLICT)
        write_conflicts(&w, err);
    json_close(&w);
    return (struct settled){response->status};
}

bool answer_fits(struct call *call, const struct json_writer *w)
{
    if (w->out->length <= ANSWER_BYTES_MAX)
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "end",
                       "The answer would be larger than %u MB; ask for a shorter window", ANSWER_BYTES_MAX >> 20);
}

/* Bad nesting is a fault of ours; a client must not get half a document. */
static bool finished(struct call *call, const struct json_writer *w)
{
    if (json_finish(w))
        return true;
    error_set(&call->err, ERROR_INTERNAL, "Internal error");
    error_detail(&call->err, "the answer's JSON was not well nested");
    return false;
}

/* -- reads ------------------------------------------------------------------------------------------------------ */

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* Who looks, and what else an answer depends on, must be told apart in the tag, not be read from it. */
static uint64_t viewer_hash(const struct call *call, const struct read_answer *answer)
{
    const char *user = call->request->remote_user;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    if (user == NULL && answer->viewer == NULL)
        return 0;
    hash = hash_text(hash, user != NULL ? user : "");
    return answer->viewer == NULL ? hash : hash_text(hash_text(hash, "\n"), answer->viewer);
}

static void make_etag(const struct call *call, const struct read_answer *answer, char out[HTTP_ETAG_SIZE])
{
    const struct store_state *state = &call->api->planner->state;
    char hour[16] = "";

    if (answer->clock)
        snprintf(hour, sizeof hour, ".%" PRId32, hour_of_seconds(call->now));
    snprintf(out, HTTP_ETAG_SIZE, "\"%s.%" PRId64 ".%s.%" PRIx64 "%s\"", state->epoch, state->revision, call->api->build,
             viewer_hash(call, answer), hour);
}

static bool render(struct call *call, const struct read_answer *answer)
{
    struct buffer *body = &call->response->body;
    struct json_writer w;

    if (answer->render_text != NULL)
        return answer->render_text(call, answer->context, body);
    json_begin(&w, body);
    return answer->render(call, answer->context, &w) && answer_fits(call, &w) && finished(call, &w);
}

/* The type of a cached body, too; reply_error takes it back. */
static void set_type(struct call *call, const struct read_answer *answer)
{
    if (answer->type != NULL)
        call->response->content_type = answer->type;
}

/* The body from the cache, if it is there; *OUT_KEY is where it would be kept, NULL: nowhere. */
static bool fetch(struct call *call, const struct read_answer *answer, const char **out_key)
{
    const char *key = answer->key;

    if (key != NULL && answer->clock)
        key = arena_printf(call->arena, "%" PRId32 " %s", hour_of_seconds(call->now), key);
    *out_key = key;
    if (key != NULL)
        call->response->shared = cache_get(call->api->cache, key, call->api->planner->state.revision);
    return call->response->shared != NULL;
}

enum read_result { READ_DONE, READ_FAILED, READ_NEEDS_STORE };

/* Answers from what is in memory: a 304, or a kept body. With a TRANSACTION open, whatever is asked. */
static enum read_result try_read(struct call *call, const struct read_answer *answer, bool transaction)
{
    struct http_response *response = call->response;
    struct api *api = call->api;
    const char *key;

    if (!guard_access(call) || (answer->resolve != NULL && !answer->resolve(call, answer->context)))
        return READ_FAILED;
    make_etag(call, answer, response->etag);
    response->status = etag_matches(call->request->if_none_match, response->etag) ? 304 : 200;
    if (response->status == 304 || fetch(call, answer, &key))
        return READ_DONE;
    if (!transaction)
        return READ_NEEDS_STORE;
    if (!render(call, answer))
        return READ_FAILED;
    if (key != NULL)
        cache_put(api->cache, key, api->planner->state.revision, &response->body);
    return READ_DONE;
}

struct settled reply_read(struct call *call, const struct read_answer *answer)
{
    struct planner *planner = call->api->planner;
    enum read_result result = READ_NEEDS_STORE;

    set_type(call, answer);
    if (planner_is_current(planner))
        result = try_read(call, answer, false);
    if (result == READ_NEEDS_STORE) {
        if (!planner_begin_read(planner, &call->err))
            return reply_error(call);
        result = try_read(call, answer, true);
        planner_end_read(planner);
    }
    if (result == READ_FAILED)
        return reply_error(call);
    return (struct settled){call->response->status};
}

struct settled reply_query(struct call *call, const struct read_answer *answer)
{
    struct planner *planner = call->api->planner;

    if (!planner_begin_read(planner, &call->err))
        return reply_error(call);
    set_type(call, answer);
    bool ok = guard_access(call) && (answer->resolve == NULL || answer->resolve(call, answer->context)) && render(call, answer);
    planner_end_read(planner);
    if (!ok)
        return reply_error(call);
    call->response->status = 200;
    call->response->no_store = true;
    return (struct settled){200};
}

/* -- writes ----------------------------------------------------------------------------------------------------- */

/* Up to KEY_CHARACTERS_MAX visible ASCII characters. */
static bool key_valid(struct call *call, const char *key)
{
    size_t length = strlen(key);

    for (size_t i = 0; i < length; i++)
        if (key[i] < 0x21 || key[i] > 0x7e)
            return error_field(&call->err, ERROR_BAD_REQUEST, "Idempotency-Key",
                               "An Idempotency-Key holds visible ASCII characters only");
    if (length == 0 || length > KEY_CHARACTERS_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, "Idempotency-Key",
                           "An Idempotency-Key has 1 to %d characters", KEY_CHARACTERS_MAX);
    return true;
}

/* Does the work or repeats the answer that KEY got before; the transaction is open. */
static bool work(struct call *call, const struct write_answer *answer, const char *key)
{
    struct http_response *response = call->response;
    struct planner *planner = call->api->planner;
    struct store_answer *before = NULL;
    struct json_writer w;

    if (!guard_access(call))
        return false;
    if (key != NULL && !planner_replay(planner, call->arena, &call->actor, key, call->now, call->request->body,
                                       call->request->body_length, &before, &call->err))
        return false;
    if (before != NULL) {
        response->status = before->status;
        buffer_append(&response->body, before->body, before->body_length);
        return true;
    }
    response->status = answer->dry_run ? 200 : answer->status;
    json_begin(&w, &response->body);
    if (!answer->write(call, answer->context, &w) || !finished(call, &w))
        return false;
    if (key == NULL || answer->dry_run)
        return true;
    struct store_answer made = {call->request->body, call->request->body_length, response->status, response->body.data,
                                response->body.length};
    return planner_remember(planner, &call->actor, key, call->now, &made, &call->err);
}

struct settled reply_write(struct call *call, const struct write_answer *answer)
{
    struct planner *planner = call->api->planner;
    const char *key = answer->keyed ? call->request->idempotency_key : NULL;

    if (key != NULL && !key_valid(call, key))
        return reply_error(call);
    if (!planner_begin_write(planner, &call->err))
        return reply_error(call);
    if (!work(call, answer, key)) {
        planner_rollback(planner);
        return reply_error(call);
    }
    if (answer->dry_run)
        planner_rollback(planner);
    else if (!planner_commit(planner, &call->err))
        return reply_error(call);
    call->response->no_store = true;
    return (struct settled){call->response->status};
}
