#include <inttypes.h>
#include <string.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/release.h"
#include "cli/talk.h"

#include "common/banned.h"

static bool finish(struct cli *cli, int64_t id, struct error *err)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    enum release result = release_try(cli->http, id, cli_value(cli, "token"), &answer, err);

    if (cli->json && answer.status != 0)
        talk_print_json(&answer);
    http_answer_release(&answer);
    return result == RELEASE_DONE;
}

static bool cancel(struct cli *cli, int64_t id, struct error *err)
{
    struct json_object *answer = NULL;
    bool done = talk_write(cli, "DELETE", booking_path(cli, id), NULL, &answer, err) &&
                (strcmp(talk_text(answer, "status"), "cancelled") == 0 || talk_foreign(cli, err));

    json_object_put(answer);
    return done;
}

/*
 * Each of the bookings, also when one before it was refused; a number that is none stops all before the first, and a planner
 * that does not answer stops the rest: each would wait as long.
 */
static int end_all(struct cli *cli, bool (*end)(struct cli *, int64_t, struct error *), const char *what, struct error *err)
{
    int64_t *ids = arena_array(cli->arena, cli->operand_count, sizeof *ids);
    int status = CLI_DONE;

    for (size_t i = 0; i < cli->operand_count; i++)
        if (!talk_booking_id(cli->operands[i], &ids[i], err))
            return CLI_USAGE;
    for (size_t i = 0; i < cli->operand_count; i++) {
        if (end(cli, ids[i], err)) {
            if (!cli->json)
                talk_say("Booking %" PRId64 " %s.\n", ids[i], what);
            continue;
        }
        status = cli_refused(err);
        if (err->code == ERROR_UNAVAILABLE)
            break;
        talk_warn(CLI_PROGRAM ": %s\n", err->message);
        error_clear(err);
    }
    return status;
}

static int run_done(struct cli *cli, struct error *err)
{
    if (cli_has(cli, "token") && cli->operand_count > 1)
        return cli_wrong(err, "a token belongs to one booking");
    cli_hide(cli, "token");
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
