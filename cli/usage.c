#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/talk.h"
#include "cli/when.h"
#include "common/json_read.h"

#include "common/banned.h"

/* --csv is the server's own (format=csv): spreadsheets get the same columns from either. */
static int print_csv(struct cli *cli, const char *path, struct error *err)
{
    struct http_request request = {.method = "GET", .path = path};
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct json_object *json = NULL;
    int status = CLI_FAILED;

    if (http_send(cli->http, &request, &answer, err)) {
        if (answer.status == 200 && strncmp(answer.content_type, "text/csv", 8) == 0) {
            talk_print_csv(answer.body.data, answer.body.length);
            status = CLI_DONE;
        } else if (http_result(cli->http, &request, &answer, &json, err)) {
            error_set(err, ERROR_UNAVAILABLE, "%s answered with no CSV", http_base(cli->http));
        }
    }
    json_object_put(json);
    http_answer_release(&answer);
    return status;
}

static const char *percent(struct cli *cli, struct json_object *numbers)
{
    struct json_object *share = json_member(numbers, "share");

    return share ? arena_printf(cli->arena, "%.1f%%", json_object_get_double(share) * 100) : "-";
}

static void add_numbers(struct cli *cli, struct json_object *numbers, struct table *table)
{
    static const char *const names[] = {"booked", "used", "given_back"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        table_printf(table, "%" PRId64, talk_integer(numbers, names[i]));
    table_add(table, percent(cli, numbers), TABLE_PLAIN);
}

/* Whose row it is: a label or the owner, a node, a kind, or node and GPU. */
static const char *subject(struct cli *cli, const char *by, struct json_object *row)
{
    if (strcmp(by, "gpu") == 0)
        return arena_printf(cli->arena, "%s %s", talk_text(row, "node_id"), talk_text(row, "gpu_id"));
    if (strcmp(by, "node") == 0)
        return talk_text(row, "node_id");
    if (strcmp(by, "kind") == 0)
        return talk_text(row, "kind");
    return *talk_text(row, "owner") ? talk_text(row, "owner") : talk_text(row, "user_label");
}

static void print_table(struct cli *cli, struct json_object *answer)
{
    static const char *const head[] = {"BOOKED", "USED", "GIVEN BACK", "OF CAPACITY"};
    struct json_object *rows = json_member(answer, "rows");
    const char *by = talk_text(answer, "by");
    struct table table;
    char name[16];

    snprintf(name, sizeof name, "%s", by);
    for (char *c = name; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    talk_say("GPU hours, %s\n", talk_window(cli, (struct window){talk_hour(answer, "start"), talk_hour(answer, "end")}));
    table_init(&table, cli->arena, 5);
    table_add(&table, name, TABLE_PLAIN);
    for (size_t i = 0; i < 4; i++)
        table_add(&table, head[i], TABLE_PLAIN);
    for (size_t i = 0; i < talk_count(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        table_add(&table, subject(cli, by, row), TABLE_PLAIN);
        add_numbers(cli, row, &table);
    }
    table_add(&table, "total", TABLE_PLAIN);
    add_numbers(cli, json_member(answer, "total"), &table);
    talk_table(cli, &table, "");
}

static bool build_path(struct cli *cli, struct buffer *path, struct error *err)
{
    instant_t now = talk_now(), start, end;
    bool has_start, has_end;
    char text[WHEN_TEXT_SIZE];

    buffer_append_text(path, "api/usage");
    http_query_add(path, "by", cli_has(cli, "by") ? cli_value(cli, "by") : "user");
    if (cli->csv)
        http_query_add(path, "format", "csv");
    if (!talk_when(cli, "start", now, now, &has_start, &start, err) ||
        !talk_when(cli, "end", now, has_start ? start : now, &has_end, &end, err))
        return false;
    if (!has_start && !has_end)
        return true;
    if (!has_start)
        return error_set(err, ERROR_BAD_REQUEST, "--end wants a --start, too");
    when_format(start, text);
    http_query_add(path, "start", text);
    when_format(has_end ? end : hour_floor(now) * INSTANTS_PER_HOUR, text);
    http_query_add(path, "end", text);
    return true;
}

static int run(struct cli *cli, struct error *err)
{
    struct buffer path = BUFFER_INIT;
    struct json_object *answer = NULL;
    int status = CLI_USAGE;

    if (build_path(cli, &path, err)) {
        if (cli->csv)
            status = print_csv(cli, path.data, err);
        else
            status = talk_get(cli, path.data, &answer, err) && talk_array(cli, answer, "rows", err) ? CLI_DONE : CLI_FAILED;
        if (status == CLI_DONE && !cli->json && !cli->csv)
            print_table(cli, answer);
    }
    json_object_put(answer);
    buffer_release(&path);
    return status;
}

static const struct cli_option options[] = {
    {"by", 0, "WHAT", "user, node, kind or gpu (user)"},
    {"start", 0, "TIME", "from then on (30 days ago)"},
    {"end", 0, "TIME", "until then (now); +7d counts from the start"},
    {NULL, 0, NULL, NULL},
};

const struct command command_usage = {
    .name = "usage",
    .summary = "counts GPU hours: booked, used, given back",
    .example = "  " CLI_PROGRAM " usage --by kind --start -7d\n  " CLI_PROGRAM
               " usage --start 2024-06-01 --end 2024-07-01 --csv >june.csv\n",
    .options = options,
    .csv = true,
    .run = run,
};
