#include <inttypes.h>
#include <string.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/talk.h"

#include "common/banned.h"

/* Nobody who is no planner ends a booking. */
static bool ended_as(struct cli *cli, struct json_object *answer, const char *status, struct error *err)
{
    return strcmp(talk_text(answer, "status"), status) == 0 || talk_foreign(cli, err);
}

static bool finish(struct cli *cli, int64_t id, struct error *err)
{
    const char *token = cli_value(cli, "token");
    struct buffer body = BUFFER_INIT;
    struct json_object *answer = NULL;
    struct json_writer w;
    bool done;

    json_begin(&w, &body);
    json_open_object(&w);
    json_put_integer(&w, "booking_id", id);
    if (token)
        json_put_string(&w, "release_token", token);
    json_close(&w);
    done = talk_call(cli,
                     &(struct http_request){.method = "POST",
                                            .path = token ? "api/release" : "api/mark_done",
                                            .body = body.data,
                                            .body_length = body.length,
                                            .secret = token != NULL},
                     &answer, err) &&
           ended_as(cli, answer, "completed", err);
    json_object_put(answer);
    buffer_release(&body);
    return done;
}

static bool cancel(struct cli *cli, int64_t id, struct error *err)
{
    struct json_object *answer = NULL;
    bool done = talk_write(cli, "DELETE", booking_path(cli, id), NULL, &answer, err) &&
                ended_as(cli, answer, "cancelled", err);

    json_object_put(answer);
    return done;
}

/* Each of the bookings, also when one before it was refused; a number that is none stops all before the first. */
static int end_all(struct cli *cli, bool (*end)(struct cli *, int64_t, struct error *), const char *what, struct error *err)
{
    int status = CLI_DONE;
    int64_t id;

    for (size_t i = 0; i < cli->operand_count; i++)
        if (!talk_booking_id(cli->operands[i], &id, err))
            return CLI_USAGE;
    for (size_t i = 0; i < cli->operand_count; i++) {
        if (!talk_booking_id(cli->operands[i], &id, err))
            return CLI_USAGE;
        if (end(cli, id, err)) {
            if (!cli->json)
                talk_say("Booking %" PRId64 " %s.\n", id, what);
            continue;
        }
        status = cli_refused(err);
        talk_warn(CLI_PROGRAM ": %s\n", err->message);
        error_clear(err);
    }
    return status;
}

static int run_done(struct cli *cli, struct error *err)
{
    if (cli_has(cli, "token") && cli->operand_count > 1)
        return cli_wrong(err, "a token belongs to one booking");
    return end_all(cli, finish, "is done: what was left of it is free", err);
}

static int run_cancel(struct cli *cli, struct error *err)
{
    return end_all(cli, cancel, "is cancelled", err);
}

static const struct cli_option done_options[] = {
    {"token", 0, "TOKEN", "the booking's release token, in place of a login"},
    {NULL, 0, NULL, NULL},
};

const struct command command_done = {
    .name = "done",
    .operands = "ID...",
    .operands_min = 1,
    .operands_max = 1000,
    .summary = "gives back what is left of bookings: the work is done",
    .example = "  " CLI_PROGRAM " done 42\n",
    .options = done_options,
    .run = run_done,
};

const struct command command_cancel = {
    .name = "cancel",
    .operands = "ID...",
    .operands_min = 1,
    .operands_max = 1000,
    .summary = "takes bookings back",
    .example = "  " CLI_PROGRAM " cancel 42 43\n",
    .run = run_cancel,
};
