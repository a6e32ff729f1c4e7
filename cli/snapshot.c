#include "cli/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/talk.h"
#include "cli/when.h"
#include "common/json_read.h"

#include "common/banned.h"

#define DAYS_DEFAULT 7
#define DAYS_MAX 3700 /* the server's bound */

/* -- what is asked -------------------------------------------------------------------------------------------------- */

static bool read_window(struct cli *cli, struct snapshot *out, struct error *err)
{
    instant_t now = talk_now(), date;
    int64_t days;
    bool given;

    if (!cli_integer(cli, "days", 1, DAYS_MAX, DAYS_DEFAULT, &days, err) ||
        !talk_when(cli, "date", now, now, &given, &date, err))
        return false;
    out->has_window = given || cli_has(cli, "days");
    out->window.start = given ? hour_day(hour_floor(date)) : when_monday(hour_floor(now));
    out->window.end = out->window.start + (hour_t)days * HOURS_PER_DAY;
    return out->window.end <= HOUR_MAX || error_set(err, ERROR_BAD_REQUEST, "that window ends beyond the year 9999");
}

bool snapshot_read(struct cli *cli, struct snapshot *out, struct error *err)
{
    size_t count;
    const char **nodes = cli_values(cli, "node", &count);

    *out = (struct snapshot){0};
    if (!read_window(cli, out, err) || cli_has(cli, "all"))
        return err->code == ERROR_NONE;
    if (count > 0) {
        out->wanted = nodes;
    } else {
        out->by_host = true;
        out->wanted = arena_array(cli->arena, 4, sizeof *out->wanted);
        if (cli->settings.node)
            out->wanted[count++] = cli->settings.node;
        else {
            out->wanted[count++] = cli_host(cli);
            if (strcmp(cli_host(cli), cli_short_host(cli)) != 0)
                out->wanted[count++] = cli_short_host(cli);
        }
    }
    return true;
}

/* Which of the wanted ids is ID? The number of them when none is. */
static size_t place_among(const char *const *wanted, const char *id)
{
    size_t i = 0;

    while (wanted[i] && strcmp(wanted[i], id) != 0)
        i++;
    return i;
}

/* The original's line as it is, without our name in front: people have scripts. ERR stays empty. */
static bool refuse_unknown(const struct snapshot *snapshot)
{
    struct buffer list = BUFFER_INIT;

    for (size_t i = 0; snapshot->wanted[i] && (i == 0 || !snapshot->by_host); i++)
        buffer_printf(&list, "%s%s", i > 0 ? ", " : "", snapshot->wanted[i]);
    talk_warn("No matching nodes found for filter(s): %s. Use --all to list every node.\n", list.data);
    buffer_release(&list);
    return false;
}

static void warn_of_missing(const struct snapshot *snapshot, const bool *seen)
{
    for (size_t i = 0; snapshot->wanted[i]; i++)
        if (!seen[i] && place_among(snapshot->wanted, snapshot->wanted[i]) == i)
            talk_warn(CLI_PROGRAM ": there is no node '%s'\n", snapshot->wanted[i]);
}

/* The wanted nodes that there are, in the server's order, NULL behind them. By host name only the first of the names counts. */
static bool find_nodes(struct cli *cli, const struct snapshot *snapshot, const char ***out, struct error *err)
{
    struct json_object *answer, *nodes;
    size_t wanted = place_among(snapshot->wanted, "\n"), best = wanted, found = 0; /* no id has a line break in it */

    if (!talk_ask(cli, "api/nodes", &answer, err))
        return false;
    if (!(nodes = talk_array(cli, answer, "nodes", err))) {
        json_object_put(answer);
        return false;
    }
    bool *seen = arena_array(cli->arena, wanted + 1, sizeof *seen);
    const char **ids = arena_array(cli->arena, talk_count(nodes) + 1, sizeof *ids);
    for (size_t i = 0; i < talk_count(nodes); i++) {
        const char *id = talk_text(json_object_array_get_idx(nodes, i), "id");
        size_t place = place_among(snapshot->wanted, id);
        seen[place] = true;
        best = place < best ? place : best;
        if (place < wanted)
            ids[found++] = arena_text(cli->arena, id);
    }
    json_object_put(answer);
    if (found == 0)
        return refuse_unknown(snapshot);
    if (snapshot->by_host) {
        ids[0] = snapshot->wanted[best];
        ids[1] = NULL;
    } else {
        warn_of_missing(snapshot, seen);
    }
    *out = ids;
    return true;
}

static void add_window(struct buffer *path, struct window window)
{
    char text[HOUR_TEXT_SIZE];

    hour_format(window.start, text);
    http_query_add(path, "start", text);
    hour_format(window.end, text);
    http_query_add(path, "end", text);
}

bool snapshot_path(struct cli *cli, const struct snapshot *snapshot, struct buffer *path, struct error *err)
{
    buffer_clear(path);
    buffer_append_text(path, "api/timeline");
    if (snapshot->has_window)
        add_window(path, snapshot->window);
    if (snapshot->wanted) {
        const char **ids;
        if (!find_nodes(cli, snapshot, &ids, err))
            return false;
        for (; *ids; ids++)
            http_query_add(path, "node_id", *ids);
    }
    return true;
}

/* -- --json: the day grids, as POST api/availability_bulk has them ------------------------------------------------------ */

static int print_json(struct cli *cli, const struct snapshot *snapshot, struct error *err)
{
    struct buffer body = BUFFER_INIT;
    struct json_writer w;
    const char **ids = NULL;
    bool done;

    if (snapshot->wanted && !find_nodes(cli, snapshot, &ids, err))
        return CLI_FAILED;
    json_begin(&w, &body);
    json_open_object(&w);
    json_put_hour(&w, "start", snapshot->window.start);
    json_put_hour(&w, "end", snapshot->window.end);
    json_put_string(&w, "granularity", "day");
    if (ids) {
        json_key(&w, "node_ids");
        json_open_array(&w);
        for (; *ids; ids++)
            json_string(&w, *ids);
        json_close(&w);
    }
    json_close(&w);
    done = talk_write(cli, "POST", "api/availability_bulk", &body, NULL, err);
    buffer_release(&body);
    return done ? CLI_DONE : CLI_FAILED;
}

/* -- the command ------------------------------------------------------------------------------------------------------ */

static int run(struct cli *cli, struct error *err)
{
    struct buffer path = BUFFER_INIT, out = BUFFER_INIT;
    struct snapshot snapshot;
    struct json_object *answer = NULL;
    bool done;

    if (!snapshot_read(cli, &snapshot, err))
        return CLI_USAGE;
    if (cli->json)
        return print_json(cli, &snapshot, err);
    done = snapshot_path(cli, &snapshot, &path, err) && talk_ask(cli, path.data, &answer, err) &&
           snapshot_draw(cli, answer, &out, err);
    if (done && cli->csv)
        talk_print_csv(out.data, out.length);
    else if (done)
        fwrite(out.data, 1, out.length, stdout);
    json_object_put(answer);
    buffer_release(&path);
    buffer_release(&out);
    return done ? CLI_DONE : CLI_FAILED;
}

static const struct cli_option options[] = {SNAPSHOT_OPTIONS, {NULL, 0, NULL, NULL}};

const struct command command_snapshot = {
    .name = "snapshot",
    .summary = "shows who has which GPU on which day",
    .details =
        "A cell shows the label and the priority of the booking with the highest priority that day, '-' when the GPU is free all day.\n",
    .example = "  " CLI_PROGRAM " --node node-a --date 2024-06-01\n  " CLI_PROGRAM " --all --days 14\n",
    .options = options,
    .csv = true,
    .run = run,
};
