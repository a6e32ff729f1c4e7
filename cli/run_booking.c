/* Where run's booking comes from, and which devices its GPUs are. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/booking.h"
#include "cli/run.h"
#include "cli/talk.h"
#include "common/json_read.h"

#include "common/banned.h"

#define FIND_TRIES 3      /* somebody may be faster than we are between finding and booking */
#define SETTLE_TIMEOUT 5.0 /* seconds */

/* -- the clock and the node ---------------------------------------------------------------------------------------- */

static bool read_clock(struct run *run, struct error *err)
{
    struct json_object *session = NULL;
    const char *text;
    instant_t now;

    if (!talk_ask(run->cli, "api/session", &session, err))
        return false;
    text = talk_text(session, "now");
    if (instant_parse(text, strlen(text), &now))
        run->clock_ahead = now / 1000000 - (int64_t)time(NULL);
    json_object_put(session);
    return true;
}

/* The planner's nodes, asked for once; NULL with the sentence in ERR. */
static struct json_object *nodes_of(struct run *run, struct error *err)
{
    if (!run->nodes && !talk_ask(run->cli, "api/nodes", &run->nodes, err))
        return NULL;
    return talk_array(run->cli, run->nodes, "nodes", err);
}

static bool find_node(struct run *run, struct error *err)
{
    struct cli *cli = run->cli;
    const char *id = cli_has(cli, "node") ? cli_value(cli, "node") : cli->settings.node;
    struct json_object *nodes = NULL;

    if (!id && (nodes = nodes_of(run, err)))
        id = booking_node_of_host(cli, nodes, err);
    run->node_id = id ? id : "";
    return id != NULL;
}

/* -- devices ------------------------------------------------------------------------------------------------------- */

static struct json_object *element_named(struct json_object *array, const char *id, size_t *place)
{
    for (size_t i = 0; i < talk_count(array); i++) {
        struct json_object *one = json_object_array_get_idx(array, i);
        if (strcmp(talk_text(one, "id"), id) == 0) {
            *place = i;
            return one;
        }
    }
    return NULL;
}

static bool add_device(struct buffer *out, struct json_object *node, const char *gpu_id, struct error *err)
{
    size_t place = 0;
    struct json_object *gpu = element_named(json_member(node, "gpus"), gpu_id, &place);
    const char *device = talk_text(gpu, "device");

    if (!gpu)
        return error_set(err, ERROR_CONFLICT, "GPU '%.100s' is no longer in the planner's configuration; it cannot be used", gpu_id);
    if (!*device && json_member(node, "retired_gpu_count"))
        return error_set(err, ERROR_CONFLICT,
                         "which device is GPU '%.100s'? Its node has retired GPUs, so its place does not tell, and a guess could take "
                         "somebody else's; give it a \"device\" in the planner's configuration", gpu_id);
    if (out->length > 0)
        buffer_append_char(out, ',');
    if (*device)
        buffer_append_text(out, device);
    else
        buffer_printf(out, "%zu", place);
    return true;
}

/* What CUDA_VISIBLE_DEVICES has to say for the GPUs of BOOKING. It refuses to guess. */
static bool find_devices(struct run *run, struct json_object *booking, struct error *err)
{
    struct json_object *nodes = nodes_of(run, err), *node, *gpus = json_member(booking, "gpu_ids");
    struct buffer devices = BUFFER_INIT;
    size_t place;
    bool done = nodes != NULL;

    node = element_named(nodes, talk_text(booking, "node_id"), &place);
    for (size_t i = 0; done && i < talk_count(gpus); i++)
        done = add_device(&devices, node, json_object_get_string(json_object_array_get_idx(gpus, i)), err);
    if (done && devices.length == 0)
        done = talk_foreign(run->cli, err);
    if (done)
        run->devices = arena_text(run->cli->arena, devices.data);
    buffer_release(&devices);
    return done;
}

/* -- a booking that is there ---------------------------------------------------------------------------------------- */

static bool check_running(const struct run *run, struct json_object *booking, struct error *err)
{
    struct window window = booking_window(booking);
    hour_t now = hour_of_seconds(run_now(run));
    const char *status = talk_text(booking, "status");
    char text[HOUR_TEXT_SIZE];

    if (strcmp(status, "active") != 0)
        return error_set(err, ERROR_CONFLICT, "booking %" PRId64 " is %.20s; book anew with --gpus N --hours N", talk_integer(booking, "id"),
                         *status ? status : "gone");
    hour_format(window.start, text);
    if (now < window.start)
        return error_set(err, ERROR_CONFLICT, "booking %" PRId64 " begins at %s; until then its GPUs are not yours", talk_integer(booking, "id"), text);
    hour_format(window.end, text);
    return now < window.end || error_set(err, ERROR_CONFLICT, "booking %" PRId64 " ended at %s; book anew with --gpus N --hours N",
                                         talk_integer(booking, "id"), text);
}

static int take(struct run *run, struct json_object *booking, struct error *err)
{
    const char *token = getenv("PROCPLAN_RELEASE_TOKEN");

    if (!check_running(run, booking, err) || !find_devices(run, booking, err))
        return CLI_FAILED;
    run->booking_id = talk_integer(booking, "id");
    run->node_id = arena_text(run->cli->arena, talk_text(booking, "node_id"));
    run->window = booking_window(booking);
    if (cli_has(run->cli, "booking") && token && *token)
        run->token = arena_text(run->cli->arena, token);
    talk_warn(CLI_PROGRAM ": booking %" PRId64 " · %s\n", run->booking_id, booking_line(run->cli, booking));
    return CLI_DONE;
}

/* Numbers of devices mean something on their own machine only. One whose name the planner does not know is not judged. */
static void warn_of_elsewhere(struct run *run)
{
    struct error none = ERROR_INIT;
    const char *here = booking_node_of_host(run->cli, json_member(run->nodes, "nodes"), &none);

    if (here && strcmp(here, run->node_id) != 0)
        talk_warn(CLI_PROGRAM ": booking %" PRId64 " is on node '%s', and this machine is node '%s': its GPUs here may be somebody else's\n",
                  run->booking_id, run->node_id, here);
    error_clear(&none);
}

static int take_named(struct run *run, struct error *err)
{
    struct json_object *booking = NULL;
    int status = CLI_FAILED;
    int64_t id;

    if (!talk_booking_id(cli_value(run->cli, "booking"), &id, err))
        return CLI_USAGE;
    if (booking_ask(run->cli, id, &booking, err))
        status = take(run, booking, err);
    if (status == CLI_DONE)
        warn_of_elsewhere(run);
    json_object_put(booking);
    return status;
}

/* Where people log in the owner counts, else the label. */
static bool is_mine(const struct cli *cli, struct json_object *booking)
{
    const char *owner = talk_text(booking, "owner");

    return cli->user && strcmp(*owner ? owner : talk_text(booking, "user_label"), cli->user) == 0;
}

static int choose(struct run *run, struct json_object *list, struct error *err)
{
    struct json_object *mine = NULL;
    struct buffer ids = BUFFER_INIT;
    size_t found = 0;
    int status = CLI_FAILED;

    for (size_t i = 0; i < talk_count(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        if (!is_mine(run->cli, one))
            continue;
        buffer_printf(&ids, "%s%" PRId64, found++ > 0 ? ", " : "", talk_integer(one, "id"));
        mine = one;
    }
    if (found == 1)
        status = take(run, mine, err);
    else if (found > 1)
        error_set(err, ERROR_BAD_REQUEST, "%s has several bookings on '%s' now (%s): say which one with --booking", run->cli->user,
                  run->node_id, ids.data);
    else
        error_set(err, ERROR_NOT_FOUND, "%s has no booking on '%s' now; book one with --gpus N --hours N, or name one with --booking ID",
                  run->cli->user ? run->cli->user : "nobody", run->node_id);
    buffer_release(&ids);
    return status;
}

static int take_own(struct run *run, struct error *err)
{
    struct buffer path = BUFFER_INIT;
    struct json_object *answer = NULL;
    char text[HOUR_TEXT_SIZE];
    hour_t now = hour_of_seconds(run_now(run));
    int status = CLI_FAILED;

    if (!find_node(run, err))
        return CLI_FAILED;
    buffer_append_text(&path, "api/bookings?status=active&limit=1000");
    http_query_add(&path, "node_id", run->node_id);
    hour_format(now, text);
    http_query_add(&path, "start", text);
    hour_format(now + 1, text);
    http_query_add(&path, "end", text);
    if (talk_ask(run->cli, path.data, &answer, err))
        status = choose(run, json_member(answer, "bookings"), err);
    json_object_put(answer);
    buffer_release(&path);
    return status;
}

/* -- a new booking -------------------------------------------------------------------------------------------------- */

struct wish {
    int64_t gpus, hours;
    struct json_object *gpu_ids; /* found for --kind; NULL: the planner chooses */
};

static void write_wish(struct run *run, const struct wish *wish, struct json_writer *w)
{
    const struct cli *cli = run->cli;

    json_put_string(w, "node_id", run->node_id);
    json_put_hour(w, "start", run->window.start);
    json_put_hour(w, "end", run->window.end);
    if (!cli_has(cli, "label") && cli->user)
        json_put_string(w, "user_label", cli->user);
    if (!cli_has(cli, "priority") && cli->settings.priority)
        json_put_string(w, "priority", cli->settings.priority);
    if (wish->gpu_ids) {
        json_key(w, "gpu_ids");
        json_open_array(w);
        for (size_t i = 0; i < talk_count(wish->gpu_ids); i++)
            json_string(w, json_object_get_string(json_object_array_get_idx(wish->gpu_ids, i)));
        json_close(w);
    }
    json_close(w);
}

/*
 * Books. A signal in the middle leaves open whether the planner did: the same request with the same key tells, and what it says is given
 * back at once.
 */
static bool send(struct run *run, const struct buffer *body, struct json_object **out, struct error *err)
{
    struct http *http = run->cli->http;
    char key[HTTP_KEY_SIZE];
    bool done;

    if (!http_key(key, err))
        return false;
    struct http_request request = {.method = "POST", .path = "api/book", .body = body->data, .body_length = body->length,
                                   .idempotency_key = key};
    if (run_signal != 0)
        return error_set(err, ERROR_UNAVAILABLE, "interrupted");
    done = http_call(http, &request, out, err);
    if (!done && run_signal != 0 && err->code == ERROR_UNAVAILABLE) {
        http_set_stop(http, NULL);
        http_set_timeout(http, SETTLE_TIMEOUT);
        error_clear(err);
        done = http_call(http, &request, out, err);
    }
    return done;
}

static bool book_once(struct run *run, struct wish *wish, struct json_object **out, struct error *err)
{
    struct buffer body = BUFFER_INIT;
    struct json_writer w;
    bool done;

    json_begin(&w, &body);
    json_open_object(&w);
    done = booking_write_options(run->cli, &w, &wish->gpus, err);
    if (done) {
        write_wish(run, wish, &w);
        done = send(run, &body, out, err);
    }
    buffer_release(&body);
    return done;
}

/* GPUs of --kind that are free from now on. False with ERROR_CONFLICT when there are not so many. */
static bool find_kind(struct run *run, struct wish *wish, struct json_object **answer, struct error *err)
{
    struct cli *cli = run->cli;
    struct buffer path = BUFFER_INIT;
    struct json_object *slot;
    char text[HOUR_TEXT_SIZE];
    bool done;

    buffer_append_text(&path, "api/find?limit=1");
    http_query_add(&path, "gpus", cli_value(cli, "gpus"));
    http_query_add(&path, "hours", cli_value(cli, "hours"));
    http_query_add(&path, "kind", cli_value(cli, "kind"));
    http_query_add(&path, "node_id", run->node_id);
    hour_format(run->window.start, text);
    http_query_add(&path, "after", text);
    done = talk_ask(cli, path.data, answer, err);
    buffer_release(&path);
    if (!done)
        return false;
    slot = talk_count(json_member(*answer, "slots")) > 0 ? json_object_array_get_idx(json_member(*answer, "slots"), 0) : NULL;
    if (slot && talk_hour(slot, "start") == run->window.start) {
        wish->gpu_ids = json_member(slot, "gpu_ids");
        return true;
    }
    return error_set(err, ERROR_CONFLICT, "%s GPU%s of kind '%.100s' on '%.100s' cannot be had for %s from now on%s%s", cli_value(cli, "gpus"),
                     wish->gpus == 1 ? "" : "s", cli_value(cli, "kind"), run->node_id, talk_hours(cli, wish->hours),
                     slot ? "; they are free together at " : "", slot ? talk_window(cli, booking_window(slot)) : "");
}

static bool book(struct run *run, struct wish *wish, struct json_object **out, struct error *err)
{
    if (!cli_has(run->cli, "kind"))
        return book_once(run, wish, out, err);
    for (int tries = 1;; tries++) {
        struct json_object *found = NULL;
        bool there = find_kind(run, wish, &found, err), done = there && book_once(run, wish, out, err);

        json_object_put(found);
        wish->gpu_ids = NULL;
        if (done || !there || err->code != ERROR_CONFLICT || tries == FIND_TRIES)
            return done;
        error_clear(err);
    }
}

static int refuse_booking(struct run *run, const struct wish *wish, struct error *err)
{
    int status = cli_refused(err);

    if (err->code == ERROR_CONFLICT && !cli_has(run->cli, "kind")) {
        talk_conflict(run->cli, err, run->node_id, wish->gpus, wish->hours, run->window.start);
        error_clear(err);
    }
    return status;
}

static int book_new(struct run *run, struct error *err)
{
    struct cli *cli = run->cli;
    struct wish wish = {0};
    struct json_object *booked = NULL;
    int status = CLI_FAILED;

    if (!cli_integer(cli, "hours", 1, RUN_HOURS_MAX, 0, &wish.hours, err) || !cli_integer(cli, "gpus", 1, RUN_HOURS_MAX, 0, &wish.gpus, err))
        return CLI_USAGE;
    if (!find_node(run, err))
        return CLI_FAILED;
    run->window.start = hour_of_seconds(run_now(run));
    run->window.end = (hour_t)(run->window.start + wish.hours);
    if (!book(run, &wish, &booked, err))
        return refuse_booking(run, &wish, err);
    run->booking_id = talk_integer(booked, "booking_id");
    if (*talk_text(booked, "release_token"))
        run->token = arena_text(cli->arena, talk_text(booked, "release_token"));
    talk_warn(CLI_PROGRAM ": booked %" PRId64 " · %s\n", run->booking_id, booking_line(cli, booked));
    if (run_signal == 0 && find_devices(run, booked, err))
        status = CLI_DONE;
    json_object_put(booked);
    return status;
}

int run_get_booking(struct run *run, bool *made, struct error *err)
{
    int status = CLI_FAILED;

    *made = cli_has(run->cli, "gpus") || cli_has(run->cli, "gpu");
    if (read_clock(run, err))
        status = *made ? book_new(run, err) : cli_has(run->cli, "booking") ? take_named(run, err) : take_own(run, err);
    json_object_put(run->nodes);
    run->nodes = NULL;
    return status;
}
