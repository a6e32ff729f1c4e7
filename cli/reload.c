#include <inttypes.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/talk.h"
#include "common/json_read.h"

#include "common/banned.h"

static void say_places(const char *what, struct json_object *places)
{
    for (size_t i = 0; i < talk_count(places); i++) {
        struct json_object *place = json_object_array_get_idx(places, i);
        const char *gpu = talk_text(place, "gpu_id");
        talk_say("%s %s %s%s%s\n", what, *gpu ? "GPU" : "node", talk_text(place, "node_id"), *gpu ? " " : "", gpu);
    }
}

static int run(struct cli *cli, struct error *err)
{
    struct json_object *answer, *affected;
    int status = CLI_DONE;

    if (!talk_write(cli, "POST", "api/reload_config", NULL, &answer, err))
        return cli_refused(err);
    if (!json_object_is_type(json_member(answer, "changed"), json_type_boolean)) {
        talk_foreign(cli, err);
        status = CLI_FAILED;
    } else if (!cli->json) {
        if (!json_object_get_boolean(json_member(answer, "changed")))
            talk_say("Nothing has changed.\n");
        say_places("Added", json_member(answer, "added"));
        say_places("Changed", json_member(answer, "updated"));
        say_places("Retired", json_member(answer, "retired"));
        say_places("Back again:", json_member(answer, "returned"));
        affected = json_member(answer, "affected_bookings");
        for (size_t i = 0; i < talk_count(affected); i++) {
            struct json_object *booking = json_object_array_get_idx(affected, i);
            talk_warn("Booking %" PRId64 " stands on GPUs that are retired: %s\n", talk_integer(booking, "id"),
                      booking_line(cli, booking));
        }
    }
    json_object_put(answer);
    return status;
}

const struct command command_reload = {
    .name = "reload",
    .summary = "lets the planner read its configuration again",
    .details = "A file that is wrong changes nothing: it says where in it the fault is, and exits with status 1.\n",
    .example = "  " CLI_PROGRAM " reload\n",
    .run = run,
};
