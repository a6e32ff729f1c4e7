#include "cgi/api/internal.h"

#include <string.h>

#include "cgi/planner/access.h"
#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

struct book {
    struct booking_request request;
    bool dry_run;
    bool repeats;
    struct series_request series;
};

/* -- what is asked ---------------------------------------------------------------------------------------------- */

static bool read_step(struct call *call, struct json_object *repeat, struct series_request *series)
{
    const char *every = json_object_get_string(json_member(repeat, "every"));

    if (every != NULL && text_equal_nocase(every, "day"))
        series->step = HOURS_PER_DAY;
    else if (every != NULL && text_equal_nocase(every, "week"))
        series->step = 7 * HOURS_PER_DAY;
    else
        return error_field(&call->err, ERROR_BAD_REQUEST, "repeat.every", "'repeat.every' must be 'day' or 'week'");
    return true;
}

static bool read_count(struct call *call, struct json_object *repeat, struct series_request *series)
{
    int64_t count;

    if (!json_as_whole(json_member(repeat, "count"), &count) || count < 1 || count > SERIES_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, "repeat.count", "'repeat.count' must be a whole number from 1 to %d",
                           SERIES_MAX);
    series->count = (size_t)count;
    return true;
}

static bool read_repeat(struct call *call, struct book *book)
{
    struct json_object *repeat = json_member(call->json, "repeat"), *conflict = json_member(call->json, "on_conflict");
    const char *text = conflict == NULL ? "fail" : json_object_get_string(conflict);

    book->series.skip = text_equal_nocase(text, "skip");
    if (!book->series.skip && !text_equal_nocase(text, "fail"))
        return error_field(&call->err, ERROR_BAD_REQUEST, "on_conflict", "'on_conflict' must be 'fail' or 'skip'");
    book->repeats = repeat != NULL;
    if (repeat == NULL)
        return true;
    if (!json_object_is_type(repeat, json_type_object))
        return error_field(&call->err, ERROR_BAD_REQUEST, "repeat",
                           "'repeat' must be an object such as {\"every\": \"week\", \"count\": 4}");
    json_object_object_foreach(repeat, name, value)
    {
        (void)value;
        if (strcmp(name, "every") != 0 && strcmp(name, "count") != 0)
            return error_field(&call->err, ERROR_BAD_REQUEST, "repeat", "'repeat' takes every and count, not '%.100s'", name);
    }
    return read_step(call, repeat, &book->series) && read_count(call, repeat, &book->series);
}

static const char *missing_field(struct call *call, const struct booking_request *request)
{
    if (request->node_id == NULL)
        return "node_id";
    if (json_is_absent(json_member(call->json, "start")))
        return "start";
    return json_is_absent(json_member(call->json, "end")) ? "end" : NULL;
}

/* Who is logged in and says no label books under their login's name, as much of it as a label may be. */
static void default_label(struct call *call, struct booking_request *request)
{
    const char *login = access_owner(call->api->planner, &call->actor);

    if (request->user_label == NULL && login != NULL)
        request->user_label = arena_copy(call->arena, login, text_head(login, strlen(login), LABEL_CHARACTERS_MAX));
}

/* Field by field, in the order in which the wire contract names their faults. */
static bool read_book(struct call *call, struct book *book)
{
    struct booking_request *request = &book->request;

    if (!read_object(call) || !read_text(call, "node_id", &request->node_id))
        return false;
    const char *missing = missing_field(call, request);
    if (missing != NULL)
        return error_field(&call->err, ERROR_BAD_REQUEST, missing, "Fields 'node_id', 'start', and 'end' are required");
    if (!read_instant_member(call, "start", &request->start) || !read_instant_member(call, "end", &request->end) ||
        !read_gpus(call, request) || !read_text(call, "user_label", &request->user_label) ||
        !read_note(call, &request->note) || !read_boolean(call, "dry_run", &book->dry_run) || !read_repeat(call, book))
        return false;
    default_label(call, request);
    request->priority = read_priority(call);
    return planner_book_precheck(request, &call->err);
}

/* -- what is answered ------------------------------------------------------------------------------------------- */

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

static void write_booked(struct call *call, const struct book *book, const struct booking *b, struct json_writer *w)
{
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
    if (!book->dry_run)
        json_put_string(w, "release_token", b->release_token);
}

static void write_skipped(const struct series *series, struct json_writer *w)
{
    json_key(w, "skipped");
    json_open_array(w);
    for (size_t i = 0; i < series->skipped_count; i++) {
        const struct series_skipped *skipped = &series->skipped[i];
        json_open_object(w);
        json_put_hour(w, "start", skipped->window.start);
        json_put_hour(w, "end", skipped->window.end);
        json_put_string(w, "error", skipped->error.message);
        if (skipped->error.limit[0] != '\0')
            json_put_string(w, "limit", skipped->error.limit);
        write_conflicts(w, &skipped->error);
        json_close(w);
    }
    json_close(w);
}

static void write_series(struct call *call, const struct book *book, const struct series *series, struct json_writer *w)
{
    json_open_object(w);
    write_booked(call, book, series->bookings[0], w);
    if (book->dry_run)
        json_put_null(w, "series_id");
    else
        json_put_integer(w, "series_id", series->bookings[0]->series_id);
    json_key(w, "bookings");
    json_open_array(w);
    for (size_t i = 0; i < series->count; i++) {
        json_open_object(w);
        write_booked(call, book, series->bookings[i], w);
        json_close(w);
    }
    json_close(w);
    write_skipped(series, w);
    json_close(w);
}

static bool write_book(struct call *call, void *context, struct json_writer *w)
{
    struct book *book = context;
    struct planner *planner = call->api->planner;
    struct series series = {0};
    struct booking *b;
    bool ok;

    if (!book->repeats) {
        if (!planner_book(planner, call->arena, &book->request, &call->actor, call->now, &b, &call->err))
            return false;
        json_open_object(w);
        write_booked(call, book, b, w);
        json_close(w);
        return true;
    }
    book->series.undone = book->dry_run;
    ok = planner_book_series(planner, call->arena, &book->request, &book->series, &call->actor, call->now, &series, &call->err);
    if (ok)
        write_series(call, book, &series, w);
    series_clear(&series);
    return ok;
}

struct settled api_book(struct call *call)
{
    struct book book = {0};

    if (!read_book(call, &book))
        return reply_error(call);
    return reply_write(call, &(struct write_answer){.status = 201, .keyed = true, .dry_run = book.dry_run,
                                                    .write = write_book, .context = &book});
}
