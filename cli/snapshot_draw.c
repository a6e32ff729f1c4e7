/* The picture of a snapshot, made from GET api/timeline's answer (htdocs/openapi.json: Timeline). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/snapshot.h"
#include "cli/table.h"
#include "cli/talk.h"
#include "cli/width.h"
#include "common/json_read.h"

#include "common/banned.h"

#define HOURS_MAX (3700 * HOURS_PER_DAY)

/* A booking as the timeline has it: hours count from the answer's start. */
struct outline {
    int64_t id, start, end, priority; /* 0 low, 1 medium, 2 high */
    const char *label;
    bool active;
};

struct picture {
    struct window window;
    size_t days;
    struct outline *outlines; /* by id */
    size_t outline_count;
    struct json_object **holds; /* by GPU: its row, or NULL */
    size_t gpu_count;
};

static const char *const priorities[] = {"Low", "Medium", "High"};
static const enum table_color colors[] = {TABLE_LOW, TABLE_MEDIUM, TABLE_HIGH};

static int64_t integer_at(struct json_object *array, size_t index, int64_t fallback)
{
    struct json_object *value = index < talk_count(array) ? json_object_array_get_idx(array, index) : NULL;

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : fallback;
}

static int by_id(const void *a, const void *b)
{
    const struct outline *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static const struct outline *outline_find(const struct picture *picture, int64_t id)
{
    struct outline key = {.id = id};

    return bsearch(&key, picture->outlines, picture->outline_count, sizeof key, by_id);
}

/* [id, start, end, label, priority, status, …]: what is missing at the end is medium, active. */
static void read_outlines(struct cli *cli, struct json_object *list, struct picture *picture)
{
    picture->outline_count = talk_count(list);
    picture->outlines = arena_array(cli->arena, picture->outline_count, sizeof *picture->outlines);
    for (size_t i = 0; i < picture->outline_count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct json_object *label = talk_count(one) > 3 ? json_object_array_get_idx(one, 3) : NULL;
        int64_t priority = integer_at(one, 4, 1);
        picture->outlines[i] = (struct outline){
            .id = integer_at(one, 0, 0),
            .start = integer_at(one, 1, 0),
            .end = integer_at(one, 2, 0),
            .priority = priority < 0 ? 0 : priority > 2 ? 2 : priority,
            .label = json_object_is_type(label, json_type_string) ? json_object_get_string(label) : "?",
            .active = integer_at(one, 5, 0) == 0,
        };
    }
    qsort(picture->outlines, picture->outline_count, sizeof *picture->outlines, by_id);
}

static void read_holds(struct cli *cli, struct json_object *list, struct picture *picture)
{
    picture->holds = arena_array(cli->arena, picture->gpu_count + 1, sizeof *picture->holds);
    for (size_t i = 0; i < talk_count(list); i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        int64_t gpu = integer_at(row, 0, -1);
        if (gpu >= 0 && (uint64_t)gpu < picture->gpu_count)
            picture->holds[gpu] = row;
    }
}

static bool read_picture(struct cli *cli, struct json_object *answer, struct picture *picture, struct error *err)
{
    struct json_object *nodes = json_member(answer, "nodes");

    *picture = (struct picture){.window = {talk_hour(answer, "start"), talk_hour(answer, "end")}};
    if (picture->window.start == HOUR_NONE || picture->window.end <= picture->window.start ||
        window_hours(picture->window) > HOURS_MAX)
        return talk_foreign(cli, err);
    picture->days = (size_t)(window_hours(picture->window) + HOURS_PER_DAY - 1) / HOURS_PER_DAY;
    for (size_t i = 0; i < talk_count(nodes); i++)
        picture->gpu_count += talk_count(json_member(json_object_array_get_idx(nodes, i), "gpus"));
    read_outlines(cli, json_member(answer, "bookings"), picture);
    read_holds(cli, json_member(answer, "held"), picture);
    return true;
}

/* The highest priority counts, of equals the one that starts last. */
static bool counts_more(const struct outline *a, const struct outline *b)
{
    if (!b || a->priority != b->priority)
        return !b || a->priority > b->priority;
    return a->start != b->start ? a->start > b->start : a->id > b->id;
}

/* For each day the booking to show of one GPU's row ([gpu, hold…]; a hold is an id, or [start, end, id]). */
static void read_days(const struct picture *picture, struct json_object *row, const struct outline **days)
{
    memset(days, 0, picture->days * sizeof *days);
    for (size_t i = 1; i < talk_count(row); i++) {
        struct json_object *hold = json_object_array_get_idx(row, i);
        bool cut = json_object_is_type(hold, json_type_array);
        const struct outline *outline = outline_find(picture, cut ? integer_at(hold, 2, 0) : integer_at(row, i, 0));
        if (!outline || !outline->active)
            continue;
        int64_t start = cut ? integer_at(hold, 0, 0) : outline->start, end = cut ? integer_at(hold, 1, 0) : outline->end;
        start = start < 0 ? 0 : start;
        end = end > window_hours(picture->window) ? window_hours(picture->window) : end;
        for (int64_t day = start / HOURS_PER_DAY; start < end && day * HOURS_PER_DAY < end; day++)
            if (counts_more(outline, days[day]))
                days[day] = outline;
    }
}

static void add_head(const struct picture *picture, struct table *table)
{
    char date[DATE_TEXT_SIZE];

    for (size_t day = 0; day < picture->days; day++) {
        hour_format_date(picture->window.start + (hour_t)day * HOURS_PER_DAY, date);
        table_add(table, date, TABLE_PLAIN);
    }
}

static void add_days(const struct picture *picture, const struct outline *const *days, const char *free_text,
                     struct table *table)
{
    for (size_t day = 0; day < picture->days; day++) {
        const struct outline *outline = days[day];
        if (!outline) {
            table_add(table, free_text, TABLE_FAINT);
            continue;
        }
        table_printf(table, "%s (%s)", outline->label, priorities[outline->priority]);
        table->cells[table->count - 1].color = colors[outline->priority];
    }
}

static void draw_node(struct cli *cli, const struct picture *picture, struct json_object *node, size_t first_gpu,
                      const struct outline **days, struct buffer *out)
{
    struct json_object *gpus = json_member(node, "gpus");
    struct table table;
    struct buffer line = BUFFER_INIT;
    char start[HOUR_TEXT_SIZE], end[HOUR_TEXT_SIZE];

    hour_format(picture->window.start, start);
    hour_format(picture->window.end, end);
    buffer_printf(&line, "Node %s (%s)", talk_text(node, "name"), talk_text(node, "id"));
    width_safe(out, line.data, line.length);
    buffer_printf(out, "\nWindow: %s – %s\n", start, end);
    table_init(&table, cli->arena, picture->days + 1);
    table_add(&table, "GPU", TABLE_PLAIN);
    add_head(picture, &table);
    for (size_t i = 0; i < talk_count(gpus); i++) {
        struct json_object *gpu = json_object_array_get_idx(gpus, i);
        read_days(picture, picture->holds[first_gpu + i], days);
        table_printf(&table, "%s (%s)", talk_text(gpu, "id"), talk_text(gpu, "kind"));
        add_days(picture, days, "-", &table);
    }
    table_print_grid(&table, out, cli->color);
    buffer_release(&line);
}

/* One table for all nodes: a spreadsheet knows nothing of blank lines. */
static void draw_csv(struct cli *cli, const struct picture *picture, struct json_object *nodes, const struct outline **days,
                     struct buffer *out)
{
    struct table table;
    size_t gpu_index = 0;

    table_init(&table, cli->arena, picture->days + 3);
    table_add(&table, "node_id", TABLE_PLAIN);
    table_add(&table, "gpu_id", TABLE_PLAIN);
    table_add(&table, "kind", TABLE_PLAIN);
    add_head(picture, &table);
    for (size_t i = 0; i < talk_count(nodes); i++) {
        struct json_object *node = json_object_array_get_idx(nodes, i), *gpus = json_member(node, "gpus");
        for (size_t j = 0; j < talk_count(gpus); j++) {
            struct json_object *gpu = json_object_array_get_idx(gpus, j);
            read_days(picture, picture->holds[gpu_index++], days);
            table_add(&table, talk_text(node, "id"), TABLE_PLAIN);
            table_add(&table, talk_text(gpu, "id"), TABLE_PLAIN);
            table_add(&table, talk_text(gpu, "kind"), TABLE_PLAIN);
            add_days(picture, days, "", &table);
        }
    }
    table_print_csv(&table, out);
}

bool snapshot_draw(struct cli *cli, struct json_object *answer, struct buffer *out, struct error *err)
{
    struct json_object *nodes = json_member(answer, "nodes");
    struct picture picture;
    size_t gpu = 0;

    if (!read_picture(cli, answer, &picture, err))
        return false;
    const struct outline **days = arena_array(cli->arena, picture.days, sizeof *days);
    if (cli->csv) {
        draw_csv(cli, &picture, nodes, days, out);
        return true;
    }
    for (size_t i = 0; i < talk_count(nodes); i++) {
        struct json_object *node = json_object_array_get_idx(nodes, i);
        if (i > 0)
            buffer_append_char(out, '\n');
        draw_node(cli, &picture, node, gpu, days, out);
        gpu += talk_count(json_member(node, "gpus"));
    }
    return true;
}
