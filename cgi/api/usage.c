#include "cgi/api/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgi/planner/usage.h"
#include "common/csv.h"
#include "common/text.h"

#include "common/banned.h"

#define DAYS_DEFAULT 30
#define DAYS_MAX 3700

struct question {
    struct window window;
    enum usage_by by;
    bool csv;
};

/* The names of BY, and of the parts of its keys. */
static const struct {
    const char *name;
    const char *parts[2];
} groupings[] = {
    [USAGE_BY_USER] = {"user", {"user_label", "owner"}},
    [USAGE_BY_NODE] = {"node", {"node_id", NULL}},
    [USAGE_BY_KIND] = {"kind", {"kind", NULL}},
    [USAGE_BY_GPU] = {"gpu", {"node_id", "gpu_id"}},
};

/* -- what is asked ------------------------------------------------------------------------------------------------ */

static bool read_window(struct call *call, struct question *q)
{
    const char *start = http_query(call->request, "start"), *end = http_query(call->request, "end");
    instant_t from, to;

    if (start == NULL && end == NULL) {
        q->window.end = hour_of_seconds(call->now);
        q->window.start = q->window.end - DAYS_DEFAULT * HOURS_PER_DAY;
        return true;
    }
    if (start == NULL || end == NULL)
        return error_field(&call->err, ERROR_BAD_REQUEST, start == NULL ? "start" : "end",
                           "Query parameters 'start' and 'end' go together: give both or neither");
    if (!read_instant(call, "start", start, &from) || !read_instant(call, "end", end, &to))
        return false;
    if (to <= from)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end", "Usage end must be after start");
    q->window = (struct window){hour_floor(from), hour_ceil(to)};
    if (q->window.end > HOUR_MAX)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end", "Invalid timestamp: 'end' is beyond the year 9999");
    if (window_hours(q->window) > DAYS_MAX * HOURS_PER_DAY)
        return error_field(&call->err, ERROR_BAD_REQUEST, "end",
                           "Usage is counted over %d days at most; ask for a shorter window", DAYS_MAX);
    return true;
}

static bool read_grouping(struct call *call, struct question *q)
{
    const char *text = http_query(call->request, "by");

    q->by = USAGE_BY_USER;
    if (text == NULL)
        return true;
    for (enum usage_by by = USAGE_BY_USER; by <= USAGE_BY_GPU; by++)
        if (text_equal_nocase(text, groupings[by].name)) {
            q->by = by;
            return true;
        }
    return error_field(&call->err, ERROR_BAD_REQUEST, "by", "'by' must be one of user, node, kind, gpu");
}

static bool read_format(struct call *call, struct question *q)
{
    const char *text = http_query(call->request, "format");

    q->csv = text != NULL && text_equal_nocase(text, "csv");
    if (text == NULL || q->csv || text_equal_nocase(text, "json"))
        return true;
    return error_field(&call->err, ERROR_BAD_REQUEST, "format", "'format' must be json or csv");
}

/* -- what is answered --------------------------------------------------------------------------------------------- */

#define SHARE_SIZE 32

/* Used by capacity, rounded to four decimals, half up. False: there is no capacity to have a share of. */
static bool share_format(const struct usage_row *row, char out[SHARE_SIZE])
{
    if (row->capacity == 0)
        return false;
    int64_t parts = (row->used * 20000 + row->capacity) / (row->capacity * 2);
    snprintf(out, SHARE_SIZE, "%" PRId64 ".%04d", parts / 10000, (int)(parts % 10000));
    return true;
}

static void write_numbers(const struct usage_row *row, struct json_writer *w)
{
    char share[SHARE_SIZE];

    json_put_integer(w, "booked", row->booked);
    json_put_integer(w, "used", row->used);
    json_put_integer(w, "given_back", row->given_back);
    json_put_integer(w, "capacity", row->capacity);
    json_key(w, "share");
    if (share_format(row, share))
        json_raw(w, share, strlen(share));
    else
        json_null(w);
}

static bool count(struct call *call, const struct question *q, struct usage *out)
{
    return planner_usage(call->api->planner, call->arena, q->window, q->by, hour_of_seconds(call->now), out, &call->err);
}

static bool render_json(struct call *call, void *context, struct json_writer *w)
{
    const struct question *q = context;
    const char *const *parts = groupings[q->by].parts;
    struct usage usage;

    if (!count(call, q, &usage))
        return false;
    json_open_object(w);
    json_put_hour(w, "start", q->window.start);
    json_put_hour(w, "end", q->window.end);
    json_put_string(w, "by", groupings[q->by].name);
    json_key(w, "rows");
    json_open_array(w);
    for (size_t i = 0; i < usage.count; i++) {
        json_open_object(w);
        for (int part = 0; part < 2 && parts[part] != NULL; part++)
            json_put_string(w, parts[part], usage.rows[i].key[part]);
        write_numbers(&usage.rows[i], w);
        json_close(w);
    }
    json_close(w);
    json_key(w, "total");
    json_open_object(w);
    write_numbers(&usage.total, w);
    json_close(w);
    json_close(w);
    return true;
}

/* The rows alone: a spreadsheet adds up for itself. */
static bool render_csv(struct call *call, void *context, struct buffer *out)
{
    static const char *const names[] = {"booked", "used", "given_back", "capacity", "share"};
    const struct question *q = context;
    const char *const *parts = groupings[q->by].parts;
    struct csv_writer w;
    struct usage usage;

    if (!count(call, q, &usage))
        return false;
    csv_begin(&w, out);
    for (int part = 0; part < 2 && parts[part] != NULL; part++)
        csv_text(&w, parts[part]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        csv_text(&w, names[i]);
    csv_end_line(&w);
    for (size_t i = 0; i < usage.count; i++) {
        const struct usage_row *row = &usage.rows[i];
        char share[SHARE_SIZE];
        for (int part = 0; part < 2 && parts[part] != NULL; part++)
            csv_text(&w, row->key[part]);
        csv_integer(&w, row->booked);
        csv_integer(&w, row->used);
        csv_integer(&w, row->given_back);
        csv_integer(&w, row->capacity);
        csv_raw(&w, share_format(row, share) ? share : "");
        csv_end_line(&w);
    }
    return true;
}

struct settled api_usage(struct call *call)
{
    struct question q;

    if (!read_window(call, &q) || !read_grouping(call, &q) || !read_format(call, &q))
        return reply_error(call);
    /* A window that has passed stays as it is; what reaches into the present grows with each hour. */
    hour_t now = hour_of_seconds(call->now);
    bool clock = q.window.end >= now;
    return reply_read(call, &(struct read_answer){
                                .key = arena_printf(call->arena, "usage %s %c %" PRId32 " %" PRId32,
                                                    groupings[q.by].name, q.csv ? 'c' : 'j', q.window.start, q.window.end),
                                .clock = clock,
                                .render = render_json,
                                .render_text = q.csv ? render_csv : NULL,
                                .type = q.csv ? "text/csv; charset=utf-8" : NULL,
                                .context = &q,
                            });
}
