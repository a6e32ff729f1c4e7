/* What to say of a conflict: who is in the way until when, and what is free next. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/talk.h"
#include "cli/when.h"
#include "common/json_read.h"

#include "common/banned.h"

#define SHOWN_MAX 10

/* A series may meet the same booking on several GPUs: each line is one GPU's. */
static void say_holders(const struct error *err)
{
    for (size_t i = 0; i < err->conflict_count && i < SHOWN_MAX; i++) {
        const struct error_conflict *c = &err->conflicts[i];
        char until[WHEN_SHORT_SIZE];
        when_short(c->window.end, until);
        if (c->booking_id > 0)
            talk_warn("  %s is held by %s (booking %" PRId64 ") until %s UTC\n", c->gpu_id, c->user_label, c->booking_id,
                      until);
        else
            talk_warn("  %s would be held by another one of this series until %s UTC\n", c->gpu_id, until);
    }
    if (err->conflict_count > SHOWN_MAX)
        talk_warn("  and %zu more\n", err->conflict_count - SHOWN_MAX);
}

static void say_next(struct cli *cli, const char *node_id, int64_t gpus, int64_t hours, hour_t after)
{
    struct buffer path = BUFFER_INIT;
    struct json_object *answer = NULL, *slot;
    struct error unasked = ERROR_INIT;
    char text[HOUR_TEXT_SIZE];

    buffer_append_text(&path, "api/find");
    http_query_add(&path, "gpus", arena_printf(cli->arena, "%" PRId64, gpus));
    http_query_add(&path, "hours", arena_printf(cli->arena, "%" PRId64, hours));
    http_query_add(&path, "node_id", node_id);
    hour_format(after, text);
    http_query_add(&path, "after", text);
    http_query_add(&path, "limit", "1");
    if (talk_ask(cli, path.data, &answer, &unasked)) {
        slot = talk_count(json_member(answer, "slots")) > 0 ? json_object_array_get_idx(json_member(answer, "slots"), 0)
                                                            : NULL;
        struct window window = {talk_hour(slot, "start"), talk_hour(slot, "end")};
        if (slot && window.start != HOUR_NONE && window.end != HOUR_NONE)
            talk_warn("Next free on %s: %s (%s)\n", node_id, talk_window(cli, window),
                      talk_join(cli, json_member(slot, "gpu_ids")));
    }
    json_object_put(answer);
    error_clear(&unasked);
    buffer_release(&path);
}

void talk_conflict(struct cli *cli, const struct error *err, const char *node_id, int64_t gpus, int64_t hours, hour_t after)
{
    talk_warn(CLI_PROGRAM ": %s\n", err->message);
    say_holders(err);
    if (gpus > 0 && hours > 0)
        say_next(cli, node_id, gpus, hours, after);
}
