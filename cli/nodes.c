#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/talk.h"
#include "common/json_read.h"

#include "common/banned.h"

static void add_head(const struct cli *cli, struct table *table, const char *const *shown, const char *const *named,
                     size_t count)
{
    table_init(table, cli->arena, count);
    for (size_t i = 0; i < count; i++)
        table_add(table, cli->csv ? named[i] : shown[i], TABLE_PLAIN);
}

/* "2 × A100, 1 × H100", in the order in which the kinds appear. */
static const char *kinds_of(struct cli *cli, struct json_object *gpus)
{
    size_t count = talk_count(gpus), known = 0;
    struct kind {
        const char *name;
        size_t gpus;
    } *kinds = arena_array(cli->arena, count, sizeof *kinds);
    struct buffer out = BUFFER_INIT;
    const char *text;

    for (size_t i = 0; i < count; i++) {
        const char *name = talk_text(json_object_array_get_idx(gpus, i), "kind");
        size_t at = 0;
        while (at < known && strcmp(kinds[at].name, name) != 0)
            at++;
        if (at == known)
            kinds[known++] = (struct kind){name, 0};
        kinds[at].gpus++;
    }
    for (size_t i = 0; i < known; i++)
        buffer_printf(&out, "%s%zu × %s", i > 0 ? ", " : "", kinds[i].gpus, kinds[i].name);
    text = arena_text(cli->arena, out.data ? out.data : "");
    buffer_release(&out);
    return text;
}

static void fill_nodes(struct cli *cli, struct json_object *nodes, struct table *table)
{
    static const char *const shown[] = {"NODE", "NAME", "GPUS", "KINDS"}, *const named[] = {"id", "name", "gpu_count",
                                                                                            "kinds"};

    add_head(cli, table, shown, named, 4);
    for (size_t i = 0; i < talk_count(nodes); i++) {
        struct json_object *node = json_object_array_get_idx(nodes, i);
        table_add(table, talk_text(node, "id"), TABLE_PLAIN);
        table_add(table, talk_text(node, "name"), TABLE_PLAIN);
        table_printf(table, "%" PRId64, talk_integer(node, "gpu_count"));
        table_add(table, kinds_of(cli, json_member(node, "gpus")), TABLE_PLAIN);
    }
}

static void fill_gpus(struct cli *cli, struct json_object *nodes, struct table *table)
{
    static const char *const shown[] = {"NODE", "GPU", "KIND", "DEVICE"}, *const named[] = {"node_id", "gpu_id", "kind",
                                                                                            "device"};

    add_head(cli, table, shown, named, 4);
    for (size_t i = 0; i < talk_count(nodes); i++) {
        struct json_object *node = json_object_array_get_idx(nodes, i), *gpus = json_member(node, "gpus");
        for (size_t j = 0; j < talk_count(gpus); j++) {
            struct json_object *gpu = json_object_array_get_idx(gpus, j);
            table_add(table, talk_text(node, "id"), TABLE_PLAIN);
            table_add(table, talk_text(gpu, "id"), TABLE_PLAIN);
            table_add(table, talk_text(gpu, "kind"), TABLE_PLAIN);
            table_add(table, talk_text(gpu, "device"), TABLE_PLAIN);
        }
    }
}

static int run(struct cli *cli, struct error *err)
{
    struct json_object *answer = NULL, *nodes;
    struct table table;
    int status = CLI_FAILED;

    if (talk_get(cli, "api/nodes", &answer, err) && (nodes = talk_array(cli, answer, "nodes", err))) {
        if (cli_has(cli, "gpus"))
            fill_gpus(cli, nodes, &table);
        else
            fill_nodes(cli, nodes, &table);
        if (!cli->json)
            talk_table(cli, &table, "No nodes.");
        status = CLI_DONE;
    }
    json_object_put(answer);
    return status;
}

static const struct cli_option options[] = {
    {"gpus", 0, NULL, "a line for each GPU"},
    {NULL, 0, NULL, NULL},
};

const struct command command_nodes = {
    .name = "nodes",
    .summary = "lists the nodes and their GPUs",
    .example = "  " CLI_PROGRAM " nodes --gpus\n",
    .options = options,
    .csv = true,
    .run = run,
};
