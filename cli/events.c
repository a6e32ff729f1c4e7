#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/booking.h"
#include "cli/commands.h"
#include "cli/event.h"
#include "cli/talk.h"
#include "common/clock.h"
#include "common/json_read.h"

#include "common/banned.h"

#define PAGE 1000
#define SHOWN_DEFAULT 20
#define INTERVAL_DEFAULT 2

/* -- how an event reads --------------------------------------------------------------------------------------------- */

const char *event_time(struct cli *cli, struct json_object *event)
{
    const char *at = talk_text(event, "at"); /* 2026-11-23T14:05:09+00:00 */

    return strlen(at) == HOUR_TEXT_SIZE - 1 ? arena_printf(cli->arena, "%.10s %.8s", at, at + 11)
                                            : arena_text(cli->arena, at);
}

const char *event_actor(struct cli *cli, struct json_object *event)
{
    const char *actor = talk_text(event, "actor");
    bool claimed = json_object_get_boolean(json_member(event, "claimed"));

    return *actor ? arena_printf(cli->arena, "%s%s", actor, claimed ? " (claimed)" : "") : "-";
}

static const char *value_text(struct cli *cli, struct json_object *value)
{
    if (json_object_is_type(value, json_type_array))
        return talk_join(cli, value);
    if (json_object_is_type(value, json_type_string)) {
        const char *text = json_object_get_string(value);
        bool time = strlen(text) == HOUR_TEXT_SIZE - 1 && text[10] == 'T';
        return time ? arena_printf(cli->arena, "%.10s %.5s", text, text + 11) : *text ? text : "nothing";
    }
    return value ? arena_text(cli->arena, json_object_to_json_string(value)) : "nothing";
}

static void append_edit(struct cli *cli, struct json_object *detail, struct buffer *out)
{
    struct json_object *old = json_member(detail, "old"), *new = json_member(detail, "new");
    const char *between = " ";

    if (!json_object_is_type(new, json_type_object))
        return;
    json_object_object_foreach(new, name, value)
    {
        buffer_printf(out, "%s%s: %s → %s", between, name, value_text(cli, json_member(old, name)), value_text(cli, value));
        between = "; ";
    }
}

static void append_places(struct json_object *detail, struct buffer *out)
{
    const char *between = " ";

    if (!json_object_is_type(detail, json_type_object))
        return;
    json_object_object_foreach(detail, what, places)
    {
        buffer_printf(out, "%s%s", between, what);
        for (size_t i = 0; i < talk_count(places); i++) {
            struct json_object *place = json_object_array_get_idx(places, i);
            const char *gpu = talk_text(place, "gpu_id");
            buffer_printf(out, "%s%s%s%s", i > 0 ? ", " : " ", talk_text(place, "node_id"), *gpu ? " " : "", gpu);
        }
        between = "; ";
    }
}

const char *event_line(struct cli *cli, struct json_object *event)
{
    const char *kind = talk_text(event, "kind"), *line;
    struct json_object *detail = json_member(event, "detail");
    struct buffer out = BUFFER_INIT;

    buffer_append_text(&out, kind);
    if (strcmp(kind, "booked") == 0)
        buffer_printf(&out, " %s", booking_line(cli, detail));
    else if (strcmp(kind, "edited") == 0)
        append_edit(cli, detail, &out);
    else if (strcmp(kind, "configured") == 0)
        append_places(detail, &out);
    else if (*talk_text(detail, "user_label"))
        buffer_printf(&out, " %s · %s", talk_text(detail, "user_label"), talk_window(cli, booking_window(detail)));
    line = arena_text(cli->arena, out.data);
    buffer_release(&out);
    return line;
}

/* -- the command ----------------------------------------------------------------------------------------------------- */

/* The number of the last event: the timeline's revision. An hour of 1970 has no bookings in it. */
static bool last_event(struct cli *cli, int64_t *out, struct error *err)
{
    struct json_object *answer;

    if (!talk_ask(cli, "api/timeline?start=1970-01-01&end=1970-01-01T01:00", &answer, err))
        return false;
    *out = talk_integer(answer, "revision");
    json_object_put(answer);
    return true;
}

static void add_event(struct cli *cli, struct json_object *event, struct table *table)
{
    int64_t booking = talk_integer(event, "booking_id");

    table_printf(table, "%" PRId64, talk_integer(event, "id"));
    table_add(table, cli->csv ? talk_text(event, "at") : event_time(cli, event), TABLE_PLAIN);
    table_add(table, cli->csv ? talk_text(event, "actor") : event_actor(cli, event), TABLE_PLAIN);
    table_add(table, booking > 0 ? arena_printf(cli->arena, "%" PRId64, booking) : cli->csv ? "" : "-", TABLE_PLAIN);
    table_add(table, event_line(cli, event), TABLE_PLAIN);
}

static bool read_events(struct cli *cli, int64_t after, int64_t limit, struct table *table, int64_t *last, struct error *err)
{
    struct buffer path = BUFFER_INIT;
    struct json_object *answer = NULL, *events;
    bool done;

    buffer_printf(&path, "api/events?after=%" PRId64 "&limit=%" PRId64, after, limit);
    if (cli_has(cli, "booking"))
        http_query_add(&path, "booking_id", cli_value(cli, "booking"));
    events = NULL;
    done = talk_get(cli, path.data, &answer, err) && (events = talk_array(cli, answer, "events", err));
    for (size_t i = 0; i < talk_count(events); i++)
        add_event(cli, json_object_array_get_idx(events, i), table);
    *last = done ? talk_integer(answer, "last") : after;
    json_object_put(answer);
    buffer_release(&path);
    return done;
}

static void start_table(const struct cli *cli, struct table *table)
{
    static const char *const shown[] = {"ID", "AT (UTC)", "BY", "BOOKING", "WHAT"};
    static const char *const named[] = {"id", "at", "actor", "booking_id", "what"};

    table_init(table, cli->arena, 5);
    for (size_t i = 0; i < 5; i++)
        table_add(table, cli->csv ? named[i] : shown[i], TABLE_PLAIN);
}

/* A planner that is away comes back: that is said once. False when going on is of no use. */
static bool survive(struct error *err, bool *gone)
{
    if (err->code != ERROR_UNAVAILABLE && err->code != ERROR_INTERNAL)
        return false;
    if (!*gone)
        talk_warn(CLI_PROGRAM ": %s\n", err->message);
    *gone = true;
    error_clear(err);
    return true;
}

/* Prints what comes, until it is interrupted; a first question that fails is a failure. What an event left in the arena goes with it: this may run for months. */
static int follow(struct cli *cli, int64_t after, struct error *err)
{
    struct arena *whole = cli->arena, passing;
    bool begun = false, gone = false, done;

    arena_init(&passing);
    /* cppcheck-suppress autoVariables ; until the end of this function, which gives the other one back */
    cli->arena = &passing;
    for (;;) {
        struct table table;
        start_table(cli, &table);
        done = read_events(cli, after, PAGE, &table, &after, err);
        if (!done && !(begun && survive(err, &gone)))
            break;
        begun = true;
        gone = !done;
        for (size_t i = 5; done && !cli->json && i < table.count; i += 5)
            talk_say("%s  %s  %s  %s  %s\n", table.cells[i].text, table.cells[i + 1].text, table.cells[i + 2].text,
                     table.cells[i + 3].text, table.cells[i + 4].text);
        fflush(stdout);
        arena_reset(&passing);
        clock_sleep(INTERVAL_DEFAULT);
    }
    cli->arena = whole;
    arena_release(&passing);
    return CLI_FAILED;
}

static int run(struct cli *cli, struct error *err)
{
    int64_t after, limit, booking, last;
    struct table table;

    if (!cli_integer(cli, "after", 0, INT64_MAX, -1, &after, err) ||
        !cli_integer(cli, "limit", 1, PAGE, SHOWN_DEFAULT, &limit, err) ||
        !cli_integer(cli, "booking", 1, INT64_MAX, 0, &booking, err))
        return CLI_USAGE;
    if (cli->csv && cli_has(cli, "follow"))
        return cli_wrong(err, "--csv and --follow exclude each other");
    if (after < 0 && booking > 0)
        after = 0;
    if (after < 0) {
        if (!last_event(cli, &last, err))
            return CLI_FAILED;
        after = last > limit ? last - limit : 0;
    }
    start_table(cli, &table);
    if (cli_has(cli, "follow"))
        return follow(cli, after, err);
    if (!read_events(cli, after, limit, &table, &last, err))
        return CLI_FAILED;
    if (!cli->json)
        talk_table(cli, &table, "No events.");
    return CLI_DONE;
}

static const struct cli_option options[] = {
    {"after", 0, "ID", "only those behind this one (without it: the last ones)"},
    {"limit", 0, "N", "so many at most, up to 1000 (20)"},
    {"booking", 0, "ID", "only those of this booking"},
    {"follow", 0, NULL, "go on, and print what happens as it happens"},
    {NULL, 0, NULL, NULL},
};

const struct command command_events = {
    .name = "events",
    .summary = "tells who did what, and when",
    .example = "  " CLI_PROGRAM " events --limit 50\n  " CLI_PROGRAM " events --booking 42\n",
    .options = options,
    .csv = true,
    .run = run,
};
