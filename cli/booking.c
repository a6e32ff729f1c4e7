#include "cli/booking.h"

#include <inttypes.h>
#include <string.h>

#include "cli/talk.h"
#include "common/json_read.h"

#include "common/banned.h"

#define GPUS_MAX 10000

struct window booking_window(struct json_object *booking)
{
    return (struct window){talk_hour(booking, "start"), talk_hour(booking, "end")};
}

const char *booking_line(struct cli *cli, struct json_object *booking)
{
    struct window window = booking_window(booking);

    return arena_printf(cli->arena, "%s %s · %s (%s) · %s, %s", talk_text(booking, "node_id"),
                        talk_join(cli, json_member(booking, "gpu_ids")), talk_window(cli, window),
                        talk_hours(cli, window_hours(window)), talk_text(booking, "user_label"),
                        talk_text(booking, "priority"));
}

const char *booking_path(struct cli *cli, int64_t id)
{
    return arena_printf(cli->arena, "api/bookings/%" PRId64, id);
}

bool booking_ask(struct cli *cli, int64_t id, struct json_object **out, struct error *err)
{
    return talk_ask(cli, booking_path(cli, id), out, err) && talk_array(cli, *out, "gpu_ids", err);
}

int booking_change(struct cli *cli, struct json_object *before, struct window wanted, int64_t gpus,
                   const struct buffer *body, struct error *err)
{
    int64_t id = talk_integer(before, "id");
    struct json_object *now = NULL;
    const char *verb = cli_has(cli, "dry-run") ? "It would become" : "Changed";

    if (!talk_write(cli, "PATCH", booking_path(cli, id), body, &now, err) || !talk_array(cli, now, "gpu_ids", err)) {
        json_object_put(now);
        int status = cli_refused(err);
        if (err->code == ERROR_CONFLICT && err->conflict_count > 0) {
            talk_conflict(cli, err, talk_text(before, "node_id"),
                          gpus > 0 ? gpus : (int64_t)talk_count(json_member(before, "gpu_ids")), window_hours(wanted),
                          wanted.start);
            error_clear(err);
        }
        return status;
    }
    if (!cli->json)
        talk_say("%s: booking %" PRId64 " · %s\n", verb, id, booking_line(cli, now));
    json_object_put(now);
    return CLI_DONE;
}

static void write_gpu_ids(const char *const *ids, struct json_writer *w)
{
    json_key(w, "gpu_ids");
    json_open_array(w);
    for (; *ids; ids++)
        json_string(w, *ids);
    json_close(w);
}

bool booking_write_options(struct cli *cli, struct json_writer *w, int64_t *gpus, struct error *err)
{
    static const char *const texts[][2] = {{"label", "user_label"}, {"priority", "priority"}, {"note", "note"}};
    size_t named;
    const char **ids = cli_values(cli, "gpu", &named);

    if (!cli_integer(cli, "gpus", 1, GPUS_MAX, 0, gpus, err))
        return false;
    if (named > 0 && *gpus > 0)
        return error_set(err, ERROR_BAD_REQUEST, "--gpu and --gpus exclude each other: name the GPUs or count them");
    if (named > 0) {
        write_gpu_ids(ids, w);
        *gpus = (int64_t)named;
    } else if (*gpus > 0) {
        json_put_integer(w, "gpu_count", *gpus);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (cli_has(cli, texts[i][0]))
            json_put_string(w, texts[i][1], cli_value(cli, texts[i][0]));
    return true;
}
