#include <inttypes.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/talk.h"
#include "common/json_read.h"

#include "common/banned.h"

static bool build_path(struct cli *cli, struct buffer *path, struct error *err)
{
    int64_t gpus, hours, limit;

    if (!cli_integer(cli, "gpus", 1, 10000, 1, &gpus, err) || !cli_integer(cli, "hours", 1, 100000, 1, &hours, err) ||
        !cli_integer(cli, "limit", 1, 100, 10, &limit, err))
        return false;
    buffer_printf(path, "api/find?gpus=%" PRId64 "&hours=%" PRId64 "&limit=%" PRId64, gpus, hours, limit);
    talk_query_values(cli, path, "node", "node_id");
    if (cli_has(cli, "kind"))
        http_query_add(path, "kind", cli_value(cli, "kind"));
    return talk_query_when(cli, path, "after", err) && talk_query_when(cli, path, "before", err);
}

static void fill_table(struct cli *cli, struct json_object *slots, struct table *table)
{
    static const char *const shown[] = {"START (UTC)", "END (UTC)", "NODE", "GPUS"};
    static const char *const named[] = {"start", "end", "node_id", "gpu_ids"};

    table_init(table, cli->arena, 4);
    for (size_t i = 0; i < 4; i++)
        table_add(table, cli->csv ? named[i] : shown[i], TABLE_PLAIN);
    for (size_t i = 0; i < talk_count(slots); i++) {
        struct json_object *slot = json_object_array_get_idx(slots, i);
        struct window window = booking_window(slot);
        talk_add_hour(cli, table, window.start);
        talk_add_hour(cli, table, window.end);
        table_add(table, talk_text(slot, "node_id"), TABLE_PLAIN);
        table_add(table, talk_join(cli, json_member(slot, "gpu_ids")), TABLE_PLAIN);
    }
}

/* Nothing found is status 1, as for grep. */
static int run(struct cli *cli, struct error *err)
{
    struct buffer path = BUFFER_INIT;
    struct json_object *answer = NULL;
    struct table table;
    int status = CLI_USAGE;

    if (build_path(cli, &path, err)) {
        status = CLI_FAILED;
        struct json_object *slots;
        if (talk_get(cli, path.data, &answer, err) && (slots = talk_array(cli, answer, "slots", err))) {
            status = talk_count(slots) > 0 ? CLI_DONE : CLI_FAILED;
            fill_table(cli, slots, &table);
            if (!cli->json)
                talk_table(cli, &table,
                           "No such window is free; ask for fewer GPUs, fewer hours, or look further (--before).");
        }
    }
    json_object_put(answer);
    buffer_release(&path);
    return status;
}

static const struct cli_option options[] = {
    {"gpus", 0, "N", "so many together on one node (1)"},
    {"hours", 0, "N", "for so long (1)"},
    {"kind", 0, "KIND", "only GPUs of exactly this kind"},
    {"node", 0, "ID", "only on this node; may be repeated"},
    {"after", 0, "TIME", "no earlier (now)"},
    {"before", 0, "TIME", "to end no later"},
    {"limit", 0, "N", "so many windows at most, up to 100 (10)"},
    {NULL, 0, NULL, NULL},
};

const struct command command_find = {
    .name = "find",
    .summary = "finds out when so many GPUs are free together",
    .example = "  " CLI_PROGRAM " find --gpus 4 --hours 12 --kind A100\n",
    .options = options,
    .csv = true,
    .run = run,
};
