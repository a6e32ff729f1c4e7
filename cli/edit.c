#include <inttypes.h>
#include <string.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/talk.h"
#include "cli/when.h"

#include "common/banned.h"

#define HOURS_MAX 100000
#define TRIES_MAX 3

static void put_time(struct json_writer *w, const char *name, instant_t instant)
{
    char text[WHEN_TEXT_SIZE];

    when_format(instant, text);
    json_put_string(w, name, text);
}

/* Start and end as the options want them; WINDOW is what the booking has, and becomes what it shall have. */
static bool write_window(struct cli *cli, struct window *window, struct json_writer *w, struct error *err)
{
    instant_t now = talk_now(), start, end;
    int64_t hours;
    bool has_start, has_end;

    if (!cli_integer(cli, "hours", 1, HOURS_MAX, 0, &hours, err) ||
        !talk_when(cli, "start", now, window->start * INSTANTS_PER_HOUR, &has_start, &start, err) ||
        !talk_when(cli, "end", now, window->end * INSTANTS_PER_HOUR, &has_end, &end, err))
        return false;
    if (has_end && hours > 0)
        return error_set(err, ERROR_BAD_REQUEST, "--hours and --end exclude each other");
    if (has_start) {
        window->start = hour_floor(start);
        put_time(w, "start", start);
    }
    if (hours > 0) {
        has_end = true;
        end = (window->start + hours) * INSTANTS_PER_HOUR;
    }
    if (has_end) {
        window->end = hour_ceil(end);
        put_time(w, "end", end);
    }
    return true;
}

static const char *const changes[] = {"start", "end", "hours", "gpus", "gpu", "label", "priority", "note"};

static bool check_options(struct cli *cli, int64_t *id, struct error *err)
{
    int64_t ignored;

    if (!talk_booking_id(cli->operands[0], id, err) || !cli_integer(cli, "if-version", 1, INT64_MAX, 0, &ignored, err) ||
        !cli_integer(cli, "hours", 1, HOURS_MAX, 0, &ignored, err) || !cli_integer(cli, "gpus", 1, 10000, 0, &ignored, err))
        return false;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (cli_has(cli, changes[i]))
            return true;
    return error_set(err, ERROR_BAD_REQUEST,
                     "what shall change? Give --start, --end, --hours, --gpus, --gpu, --label, --priority or --note");
}

/* The change against BEFORE. It names the version that was read, so that somebody else's change in between is not
 * overwritten. */
static int change(struct cli *cli, struct json_object *before, struct error *err)
{
    struct window window = booking_window(before);
    struct buffer body = BUFFER_INIT;
    struct json_writer w;
    int64_t gpus, version;
    int status = CLI_USAGE;

    json_begin(&w, &body);
    json_open_object(&w);
    if (write_window(cli, &window, &w, err) && booking_write_options(cli, &w, &gpus, err) &&
        cli_integer(cli, "if-version", 1, INT64_MAX, talk_integer(before, "version"), &version, err)) {
        json_put_integer(&w, "version", version);
        if (cli_has(cli, "dry-run"))
            json_put_boolean(&w, "dry_run", true);
        json_close(&w);
        status = booking_change(cli, before, window, gpus, &body, err);
    }
    buffer_release(&body);
    return status;
}

static int run_edit(struct cli *cli, struct error *err)
{
    struct json_object *before = NULL;
    int status = CLI_FAILED;
    int64_t id;

    if (!check_options(cli, &id, err))
        return CLI_USAGE;
    if (booking_ask(cli, id, &before, err))
        status = change(cli, before, err);
    json_object_put(before);
    return status;
}

static const struct cli_option edit_options[] = {
    {"start", 0, "TIME", "a new start; +2h counts from the present one"},
    {"end", 0, "TIME", "a new end; +2h counts from the present one"},
    {"hours", 0, "N", "so long from its start"},
    {"gpus", 0, "N", "so many GPUs; those it has are kept first"},
    {"gpu", 0, "ID", "these GPUs; may be repeated"},
    {"label", 0, "TEXT", "who has it"},
    {"priority", 0, "LEVEL", "low, medium or high"},
    {"note", 0, "TEXT", "what it is for; \"\" removes the note"},
    {"if-version", 0, "N", "only when it is at this version (the one 'show' prints)"},
    {"dry-run", 0, NULL, "check everything, change nothing"},
    {NULL, 0, NULL, NULL},
};

const struct command command_edit = {
    .name = "edit",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "changes a booking",
    .details = "What is not named stays. What has passed does not change: a booking that has begun keeps its start.\n",
    .example = "  " CLI_PROGRAM " edit 42 --end \"fri 18:00\" --priority low\n  " CLI_PROGRAM
               " edit 42 --gpus 4 --dry-run\n",
    .options = edit_options,
    .run = run_edit,
};

/* -- extend ------------------------------------------------------------------------------------------------------- */

static int extend(struct cli *cli, struct json_object *before, struct error *err)
{
    struct window window = booking_window(before);
    instant_t end, old = window.end * INSTANTS_PER_HOUR;
    struct buffer body = BUFFER_INIT;
    struct json_writer w;

    if (!when_parse(cli->operands[1], talk_now(), old, &end, err))
        return CLI_USAGE;
    if (end <= old) {
        char text[WHEN_SHORT_SIZE];
        when_short(window.end, text);
        error_set(err, ERROR_BAD_REQUEST, "it ends at %s UTC already; to shorten it: " CLI_PROGRAM " edit %s --end TIME",
                  text, cli->operands[0]);
        return CLI_FAILED;
    }
    json_begin(&w, &body);
    json_open_object(&w);
    put_time(&w, "end", end);
    json_put_integer(&w, "version", talk_integer(before, "version"));
    if (cli_has(cli, "dry-run"))
        json_put_boolean(&w, "dry_run", true);
    json_close(&w);
    window.end = hour_ceil(end);
    int status = booking_change(cli, before, window, 0, &body, err);
    buffer_release(&body);
    return status;
}

/* "+4h" means four hours more than there are: when somebody changes it in between, the new end counts. */
static int run_extend(struct cli *cli, struct error *err)
{
    struct json_object *before;
    int status = CLI_FAILED;
    instant_t ignored;
    int64_t id;

    if (!talk_booking_id(cli->operands[0], &id, err) || !when_parse(cli->operands[1], talk_now(), talk_now(), &ignored, err))
        return CLI_USAGE;
    for (int tries = 1; tries <= TRIES_MAX; tries++) {
        error_clear(err);
        before = NULL;
        status = booking_ask(cli, id, &before, err) ? extend(cli, before, err) : CLI_FAILED;
        json_object_put(before);
        if (err->code != ERROR_PRECONDITION)
            break;
    }
    return status;
}

static const struct cli_option extend_options[] = {
    {"dry-run", 0, NULL, "check everything, change nothing"},
    {NULL, 0, NULL, NULL},
};

const struct command command_extend = {
    .name = "extend",
    .operands = "ID TIME",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "lets a booking end later",
    .details = "TIME is what is added to its end (+4h, +2d), or the new end (\"tomorrow 09:00\").\n",
    .example = "  " CLI_PROGRAM " extend 42 +4h\n",
    .options = extend_options,
    .run = run_extend,
};
