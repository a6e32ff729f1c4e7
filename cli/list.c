#include <inttypes.h>
#include <string.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/event.h"
#include "cli/talk.h"
#include "cli/when.h"
#include "common/json_read.h"

#include "common/banned.h"

#define PAGE 1000
#define LIST_MAX 1000000

/* -- list ----------------------------------------------------------------------------------------------------------- */

static bool build_path(struct cli *cli, struct buffer *path, struct error *err)
{
    static const char *const passed[][2] = {{"node", "node_id"}, {"label", "user_label"}, {"owner", "owner"}};
    const char *status = cli_value(cli, "status");

    buffer_append_text(path, "api/bookings");
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        if (cli_has(cli, passed[i][0]))
            http_query_add(path, passed[i][1], cli_value(cli, passed[i][0]));
    if (cli_has(cli, "mine")) {
        if (cli_has(cli, "label") || !cli->user)
            return error_set(err, ERROR_BAD_REQUEST,
                             cli->user ? "--mine and --label exclude each other" : "nobody knows your name; give --label");
        http_query_add(path, "user_label", cli->user);
    }
    if (!status)
        status = "active";
    if (strcmp(status, "all") != 0)
        http_query_add(path, "status", status);
    if (!talk_query_when(cli, path, "start", err) || !talk_query_when(cli, path, "end", err))
        return false;
    if (!cli_has(cli, "start") && !cli_has(cli, "end") &&
        strcmp(status, "active") == 0) { /* one that has run out stays active */
        char now[HOUR_TEXT_SIZE];
        hour_format(hour_floor(talk_now()), now);
        http_query_add(path, "start", now);
    }
    return true;
}

static void add_booking(struct cli *cli, struct json_object *b, struct table *table)
{
    struct window window = booking_window(b);

    table_printf(table, "%" PRId64, talk_integer(b, "id"));
    talk_add_hour(cli, table, window.start);
    talk_add_hour(cli, table, window.end);
    table_add(table, talk_text(b, "node_id"), TABLE_PLAIN);
    table_add(table, talk_join(cli, json_member(b, "gpu_ids")), TABLE_PLAIN);
    table_add(table, talk_text(b, "user_label"), TABLE_PLAIN);
    table_add(table, talk_text(b, "priority"), talk_color(talk_text(b, "priority")));
    table_add(table, talk_text(b, "status"), TABLE_PLAIN);
    table_add(table, talk_text(b, "note"), TABLE_PLAIN);
}

static void add_head(const struct cli *cli, struct table *table)
{
    static const char *const shown[] = {"ID",    "START (UTC)", "END (UTC)", "NODE", "GPUS",
                                        "LABEL", "PRIORITY",    "STATUS",    "NOTE"};
    static const char *const named[] = {"id",         "start",    "end",    "node_id", "gpu_ids",
                                        "user_label", "priority", "status", "note"};

    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        table_add(table, cli->csv ? named[i] : shown[i], TABLE_PLAIN);
}

/* Page after page, until there is no more or LIMIT is reached. With --json one page: its "next" says whether there is more. */
static bool read_pages(struct cli *cli, const struct buffer *query, int64_t after, int64_t limit, struct table *table,
                       struct error *err)
{
    struct buffer path = BUFFER_INIT;
    struct json_object *answer = NULL;
    bool done = true;

    while (done && limit > 0) {
        buffer_clear(&path);
        buffer_append(&path, query->data, query->length);
        if (after > 0)
            http_query_add(&path, "after_id", arena_printf(cli->arena, "%" PRId64, after));
        http_query_add(&path, "limit", arena_printf(cli->arena, "%" PRId64, limit < PAGE ? limit : PAGE));
        struct json_object *bookings = NULL;
        done = talk_get(cli, path.data, &answer, err) && (bookings = talk_array(cli, answer, "bookings", err));
        for (size_t i = 0; i < talk_count(bookings); i++)
            add_booking(cli, json_object_array_get_idx(bookings, i), table);
        limit -= (int64_t)talk_count(bookings);
        int64_t next = talk_integer(answer, "next");
        json_object_put(answer);
        answer = NULL;
        if (cli->json || next <= after) /* a server that turns in circles ends here, too */
            break;
        after = next;
    }
    buffer_release(&path);
    return done;
}

static int run_list(struct cli *cli, struct error *err)
{
    struct buffer query = BUFFER_INIT;
    struct table table;
    int64_t limit, after;
    int status = CLI_USAGE;

    table_init(&table, cli->arena, 9);
    add_head(cli, &table);
    if (cli_integer(cli, "limit", 1, LIST_MAX, cli->json ? PAGE : LIST_MAX, &limit, err) &&
        cli_integer(cli, "after", 0, INT64_MAX, 0, &after, err) && build_path(cli, &query, err)) {
        status = read_pages(cli, &query, after, limit, &table, err) ? CLI_DONE : CLI_FAILED;
        if (status == CLI_DONE && !cli->json)
            talk_table(cli, &table, "No bookings.");
    }
    buffer_release(&query);
    return status;
}

static const struct cli_option list_options[] = {
    {"mine", 0, NULL, "only those with your name as their label"},
    {"label", 0, "TEXT", "only those with this label"},
    {"owner", 0, "NAME", "only those that this login made"},
    {"node", 0, "ID", "only those on this node"},
    {"status", 0, "WHICH", "active, completed, cancelled or all (active, and not over yet)"},
    {"start", 0, "TIME", "only those that end after it"},
    {"end", 0, "TIME", "only those that begin before it"},
    {"limit", 0, "N", "so many at most"},
    {"after", 0, "ID", "only those with a higher number"},
    {NULL, 0, NULL, NULL},
};

const struct command command_list = {
    .name = "list",
    .summary = "lists bookings, by number",
    .details =
        "With --json it prints one page of 1,000 at most; where its \"next\" is not null, --after that number gives the next page.\n",
    .example = "  " CLI_PROGRAM " list --mine\n  " CLI_PROGRAM " list --node node-a --status all --start -7d --csv\n",
    .options = list_options,
    .csv = true,
    .run = run_list,
};

/* -- show ----------------------------------------------------------------------------------------------------------- */

static void say_field(const char *name, const char *value)
{
    if (*value)
        talk_say("%-10s%s\n", name, value);
}

static void say_booking(struct cli *cli, struct json_object *b)
{
    struct window window = booking_window(b);

    say_field("Booking", arena_printf(cli->arena, "%" PRId64 ", %s", talk_integer(b, "id"), talk_text(b, "status")));
    say_field("Node", talk_text(b, "node_id"));
    say_field("GPUs", talk_join(cli, json_member(b, "gpu_ids")));
    say_field("When", arena_printf(cli->arena, "%s (%s)", talk_window(cli, window), talk_hours(cli, window_hours(window))));
    say_field("Label", talk_text(b, "user_label"));
    say_field("Owner", talk_text(b, "owner"));
    say_field("Priority", talk_text(b, "priority"));
    say_field("Note", talk_text(b, "note"));
    if (talk_integer(b, "series_id") > 0)
        say_field("Series", arena_printf(cli->arena, "%" PRId64, talk_integer(b, "series_id")));
    say_field("Version", arena_printf(cli->arena, "%" PRId64, talk_integer(b, "version")));
}

static bool say_history(struct cli *cli, int64_t id, struct error *err)
{
    struct json_object *answer, *events;

    if (!talk_ask(cli, arena_printf(cli->arena, "api/events?limit=1000&booking_id=%" PRId64, id), &answer, err))
        return false;
    events = json_member(answer, "events");
    for (size_t i = 0; i < talk_count(events); i++) {
        struct json_object *event = json_object_array_get_idx(events, i);
        say_field(i == 0 ? "History" : "", arena_printf(cli->arena, "%s  %s  %s", event_time(cli, event),
                                                        event_actor(cli, event), event_line(cli, event)));
    }
    json_object_put(answer);
    return true;
}

static int run_show(struct cli *cli, struct error *err)
{
    struct json_object *booking = NULL;
    bool done;
    int64_t id;

    if (!talk_booking_id(cli->operands[0], &id, err))
        return CLI_USAGE;
    done = talk_get(cli, booking_path(cli, id), &booking, err) && talk_array(cli, booking, "gpu_ids", err);
    if (done && !cli->json) {
        say_booking(cli, booking);
        done = say_history(cli, id, err);
    }
    json_object_put(booking);
    return done ? CLI_DONE : CLI_FAILED;
}

const struct command command_show = {
    .name = "show",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "shows one booking and what became of it",
    .example = "  " CLI_PROGRAM " show 42\n",
    .run = run_show,
};
