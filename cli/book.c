#include <inttypes.h>
#include <string.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/talk.h"
#include "cli/when.h"
#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

#define HOURS_MAX 100000
#define REPEATS_MAX 366
#define NODES_NAMED 20

struct wish {
    instant_t start, end;
    const char *node;
    int64_t gpus;
};

/* -- what is asked ------------------------------------------------------------------------------------------------- */

static bool read_window(struct cli *cli, struct wish *wish, struct error *err)
{
    instant_t now = talk_now();
    int64_t hours;
    bool has_start, has_end;

    if (!cli_integer(cli, "hours", 1, HOURS_MAX, 0, &hours, err) ||
        !talk_when(cli, "start", now, now, &has_start, &wish->start, err))
        return false;
    if (!has_start)
        wish->start = hour_floor(now) * INSTANTS_PER_HOUR;
    if (!talk_when(cli, "end", now, wish->start, &has_end, &wish->end, err))
        return false;
    if (has_end == (hours > 0))
        return error_set(err, ERROR_BAD_REQUEST, "%s", has_end ? "--hours and --end exclude each other"
                                                               : "for how long? Give --hours N or --end TIME");
    /* So many whole hours, also from a start that is not on the hour: it is rounded down. */
    if (!has_end)
        wish->end = (hour_floor(wish->start) + hours) * INSTANTS_PER_HOUR;
    if (wish->end <= wish->start)
        return error_set(err, ERROR_BAD_REQUEST, "it would end before it starts");
    return hour_ceil(wish->end) <= HOUR_MAX || error_set(err, ERROR_BAD_REQUEST, "it would end beyond the year 9999");
}

static void no_such_host(struct cli *cli, struct json_object *nodes, struct error *err)
{
    struct buffer known = BUFFER_INIT;
    size_t count = talk_count(nodes);

    for (size_t i = 0; i < count && i < NODES_NAMED; i++)
        buffer_printf(&known, "%s%s", i > 0 ? ", " : "", talk_text(json_object_array_get_idx(nodes, i), "id"));
    error_set(err, ERROR_NOT_FOUND, "this machine, '%s', is none of the planner's nodes; say which one with --node (%s%s)",
              cli_host(cli), known.data ? known.data : "there is none", count > NODES_NAMED ? ", …" : "");
    buffer_release(&known);
}

const char *booking_node_of_host(struct cli *cli, struct json_object *nodes, struct error *err)
{
    const char *names[] = {cli_host(cli), cli_short_host(cli)};

    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
        for (size_t i = 0; i < talk_count(nodes); i++)
            if (strcmp(talk_text(json_object_array_get_idx(nodes, i), "id"), names[n]) == 0)
                return names[n];
    no_such_host(cli, nodes, err);
    return NULL;
}

/* This machine's node; the planner is asked. */
static bool ask_node(struct cli *cli, const char **out, struct error *err)
{
    struct json_object *answer = NULL, *nodes;

    *out = NULL;
    if (talk_ask(cli, "api/nodes", &answer, err) && (nodes = talk_array(cli, answer, "nodes", err)))
        *out = booking_node_of_host(cli, nodes, err);
    json_object_put(answer);
    return *out != NULL;
}

/* "week:8" */
static bool write_repeat(struct cli *cli, struct json_writer *w, struct error *err)
{
    const char *text = cli_value(cli, "repeat"), *skip = cli_value(cli, "on-conflict"), *colon;
    int64_t count;

    if (!text)
        return !skip || error_set(err, ERROR_BAD_REQUEST, "--on-conflict is for a series; give --repeat too");
    colon = strchr(text, ':');
    if (!colon || (strncmp(text, "day:", 4) != 0 && strncmp(text, "week:", 5) != 0) || !integer_parse(colon + 1, &count) ||
        count < 1 || count > REPEATS_MAX)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--repeat is day:COUNT or week:COUNT, the first included, %d at most, as in week:8", REPEATS_MAX);
    if (skip && strcmp(skip, "fail") != 0 && strcmp(skip, "skip") != 0)
        return error_set(err, ERROR_BAD_REQUEST, "--on-conflict is fail or skip");
    json_key(w, "repeat");
    json_open_object(w);
    json_put_string(w, "every", *text == 'd' ? "day" : "week");
    json_put_integer(w, "count", count);
    json_close(w);
    if (skip)
        json_put_string(w, "on_conflict", skip);
    return true;
}

/* Everything but the node, which may have to be asked for. */
static bool write_wish(struct cli *cli, struct wish *wish, struct json_writer *w, struct error *err)
{
    const char *label = cli_value(cli, "label") ? NULL : cli->user;
    char time[WHEN_TEXT_SIZE];

    if (!read_window(cli, wish, err) || !booking_write_options(cli, w, &wish->gpus, err))
        return false;
    if (wish->gpus == 0)
        json_put_integer(w, "gpu_count", wish->gpus = 1);
    if (!label && !cli_value(cli, "label"))
        return error_set(err, ERROR_BAD_REQUEST, "for whom? Nobody knows your login name; give --label NAME");
    if (label)
        json_put_string(w, "user_label", label);
    if (!cli_has(cli, "priority") && cli->settings.priority)
        json_put_string(w, "priority", cli->settings.priority);
    when_format(wish->start, time);
    json_put_string(w, "start", time);
    when_format(wish->end, time);
    json_put_string(w, "end", time);
    if (cli_has(cli, "dry-run"))
        json_put_boolean(w, "dry_run", true);
    return write_repeat(cli, w, err);
}

/* -- what is answered ------------------------------------------------------------------------------------------------ */

static void say_token(struct cli *cli, struct json_object *booking)
{
    const char *token = talk_text(booking, "release_token");

    if (*token && cli_has(cli, "show-token"))
        talk_say("Release token (a secret; whoever has it can give booking %" PRId64 " back): %s\n",
                 talk_integer(booking, "booking_id"), token);
}

static void say_one(struct cli *cli, struct json_object *booking)
{
    int64_t id = talk_integer(booking, "booking_id");

    if (id > 0)
        talk_say("Booking %" PRId64 " · %s\n", id, booking_line(cli, booking));
    else
        talk_say("Would book · %s\n", booking_line(cli, booking));
    say_token(cli, booking);
}

static void say_skipped(struct cli *cli, struct json_object *skipped)
{
    talk_warn("Skipped %s: %s\n", talk_window(cli, booking_window(skipped)), talk_text(skipped, "error"));
}

static void say_booked(struct cli *cli, struct json_object *answer)
{
    struct json_object *series = json_member(answer, "bookings"), *skipped = json_member(answer, "skipped");

    if (!series)
        say_one(cli, answer);
    for (size_t i = 0; i < talk_count(series); i++)
        say_one(cli, json_object_array_get_idx(series, i));
    for (size_t i = 0; i < talk_count(skipped); i++)
        say_skipped(cli, json_object_array_get_idx(skipped, i));
    if (cli_has(cli, "dry-run"))
        talk_say("Nothing was booked (--dry-run).\n");
}

static int send(struct cli *cli, const struct wish *wish, const struct buffer *body, struct error *err)
{
    char made[HTTP_KEY_SIZE];
    const char *key = cli_value(cli, "key");
    struct json_object *answer = NULL;

    if (!key && !http_key(made, err))
        return CLI_FAILED;
    struct http_request request = {.method = "POST", .path = "api/book", .body = body->data, .body_length = body->length,
                                   .idempotency_key = key ? key : made};
    bool done = talk_call(cli, &request, &answer, err) && talk_array(cli, answer, "gpu_ids", err);
    if (done && !cli->json)
        say_booked(cli, answer);
    json_object_put(answer);
    if (done)
        return CLI_DONE;
    int status = cli_refused(err);
    if (err->code == ERROR_CONFLICT) {
        hour_t start = hour_floor(wish->start);
        talk_conflict(cli, err, wish->node, wish->gpus, hour_ceil(wish->end) - start, start);
        error_clear(err);
    }
    return status;
}

static int run(struct cli *cli, struct error *err)
{
    struct buffer body = BUFFER_INIT;
    struct json_writer w;
    struct wish wish = {0};
    int status = CLI_USAGE;

    json_begin(&w, &body);
    json_open_object(&w);
    if (!write_wish(cli, &wish, &w, err))
        goto out;
    wish.node = cli_has(cli, "node") ? cli_value(cli, "node") : cli->settings.node;
    status = CLI_FAILED;
    if (!wish.node && !ask_node(cli, &wish.node, err))
        goto out;
    json_put_string(&w, "node_id", wish.node);
    json_close(&w);
    status = send(cli, &wish, &body, err);
out:
    buffer_release(&body);
    return status;
}

static const struct cli_option options[] = {
    {"gpus", 0, "N", "so many GPUs, whichever are free (1)"},
    {"gpu", 0, "ID", "this GPU; may be repeated"},
    {"hours", 0, "N", "for so long"},
    {"start", 0, "TIME", "from then on (the current hour)"},
    {"end", 0, "TIME", "until then; +4h counts from the start"},
    {"node", 0, "ID", "on this node (this machine)"},
    {"label", 0, "TEXT", "who has it, as the planner shows it (your login name)"},
    {"priority", 0, "LEVEL", "low, medium or high (medium)"},
    {"note", 0, "TEXT", "what it is for"},
    {"repeat", 0, "EVERY:N", "a series of N: day:5, week:8"},
    {"on-conflict", 0, "WHAT", "of a series: fail books all or none, skip those that fit (fail)"},
    {"dry-run", 0, NULL, "check everything, book nothing"},
    {"key", 0, "KEY", "a word of your own: the same call with it is never carried out twice"},
    {"show-token", 0, NULL, "print the release token: a secret with which a job can give the booking back"},
    {NULL, 0, NULL, NULL},
};

const struct command command_book = {
    .name = "book",
    .summary = "books GPUs of a node",
    .details =
        "Start and end are rounded outward to whole hours. When others are in the way, it says who and until when, names the next\n"
        "free window, and exits with status 3. --json prints the release token, too: keep that output to yourself.\n",
    .example = "  " CLI_PROGRAM " book --gpus 2 --hours 4\n"
               "  " CLI_PROGRAM
               " book --node node-a --gpu gpu0 --start \"tomorrow 09:00\" --end +8h --priority high --note \"ablation 3\"\n"
               "  " CLI_PROGRAM " book --gpus 1 --start \"fri 20:00\" --hours 10 --repeat week:8 --on-conflict skip\n",
    .options = options,
    .run = run,
};
