#include "cgi/api/availability.h"

#include <string.h>

#include "common/banned.h"

/*
 * The same booking stands in many cells, and the same two times in each row's cell of a slot. So both are written once, and
 * the finished bytes are copied: a year of an 8-GPU node is 2,900 cells.
 */
struct piece {
    size_t offset, length;
};

struct pieces {
    struct buffer text;
    struct piece *items;
};

static const char *piece_bytes(const struct pieces *pieces, size_t i)
{
    return pieces->text.data + pieces->items[i].offset;
}

/* "{…}" of each booking: whole it is B, without its braces it is B's members. */
static void make_bookings(struct call *call, const struct availability *a, struct pieces *out)
{
    const struct topology *topology = &call->api->planner->topology;

    out->items = arena_array(call->arena, a->booking_count, sizeof *out->items);
    for (size_t i = 0; i < a->booking_count; i++) {
        struct json_writer w;
        out->items[i].offset = out->text.length;
        json_begin(&w, &out->text);
        json_open_object(&w);
        write_booking_members(&w, topology, a->bookings[i]);
        json_close(&w);
        out->items[i].length = out->text.length - out->items[i].offset;
    }
}

static void put_booking(struct json_writer *w, const struct pieces *bookings, size_t i)
{
    json_raw(w, piece_bytes(bookings, i), bookings->items[i].length);
}

static void put_booking_members(struct json_writer *w, const struct pieces *bookings, size_t i)
{
    json_raw(w, piece_bytes(bookings, i) + 1, bookings->items[i].length - 2);
}

/* `"start":…,"end":…` of each slot. */
static void make_slots(struct call *call, struct window window, hour_t step, size_t count, struct pieces *out)
{
    out->items = arena_array(call->arena, count, sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        hour_t start = window.start + (hour_t)i * step, end = window.end - start > step ? start + step : window.end;
        struct json_writer w;
        out->items[i].offset = out->text.length;
        json_begin(&w, &out->text);
        json_open_object(&w);
        json_put_hour(&w, "start", start);
        json_put_hour(&w, "end", end);
        json_close(&w);
        out->items[i] = (struct piece){out->items[i].offset + 1, out->text.length - out->items[i].offset - 2};
    }
}

static void put_slot(struct json_writer *w, const struct pieces *slots, size_t i)
{
    json_raw(w, piece_bytes(slots, i), slots->items[i].length);
}

static void open_answer(struct json_writer *w, const struct availability *a)
{
    json_open_object(w);
    json_key(w, "node");
    write_node(w, a->node);
    json_put_hour(w, "start", a->window.start);
    json_put_hour(w, "end", a->window.end);
}

static void open_row(struct json_writer *w, const struct gpu *gpu)
{
    json_open_object(w);
    json_key(w, "gpu");
    json_open_object(w);
    json_put_string(w, "id", gpu->id);
    json_put_string(w, "kind", gpu->kind);
    json_close(w);
}

/* -- by hours --------------------------------------------------------------------------------------------------- */

/* The hold of ROW that covers HOUR, or NULL. *CURSOR moves along with the hours. */
static const struct hold *hold_at(const struct gpu_row *row, hour_t hour, size_t *cursor)
{
    while (*cursor < row->count && row->holds[*cursor].window.end <= hour)
        (*cursor)++;
    return *cursor < row->count && row->holds[*cursor].window.start <= hour ? &row->holds[*cursor] : NULL;
}

static void write_counts(struct json_writer *w, const struct availability *a, const bool *used)
{
    static const char *const keys[] = {"available_gpu_ids", "used_gpu_ids"};
    int64_t counts[2] = {0, 0};

    for (int wanted = 0; wanted < 2; wanted++) {
        json_key(w, keys[wanted]);
        json_open_array(w);
        for (size_t g = 0; g < a->node->gpu_count; g++) {
            if (used[g] != (bool)wanted)
                continue;
            json_string(w, a->rows[g].gpu->id);
            counts[wanted]++;
        }
        json_close(w);
    }
    json_put_integer(w, "available_count", counts[0]);
    json_put_integer(w, "used_count", counts[1]);
}

/* Bookings come by start and id; the ones that are open at an hour stay in that order in OPEN. */
struct sweep {
    size_t *open;
    size_t open_count, next;
};

static void sweep_to(struct sweep *sweep, const struct availability *a, hour_t hour)
{
    size_t kept = 0;

    for (size_t i = 0; i < sweep->open_count; i++)
        if (a->bookings[sweep->open[i]]->window.end > hour)
            sweep->open[kept++] = sweep->open[i];
    for (; sweep->next < a->booking_count && a->bookings[sweep->next]->window.start <= hour; sweep->next++)
        if (a->bookings[sweep->next]->window.end > hour)
            sweep->open[kept++] = sweep->next;
    sweep->open_count = kept;
}

static bool write_hour_list(struct call *call, const struct availability *a, const struct pieces *bookings,
                            const struct pieces *slots, struct json_writer *w)
{
    size_t *cursors = arena_array(call->arena, a->node->gpu_count, sizeof *cursors);
    bool *used = arena_array(call->arena, a->node->gpu_count, sizeof *used);
    struct sweep sweep = {.open = arena_array(call->arena, a->booking_count, sizeof *sweep.open)};

    json_key(w, "hours");
    json_open_array(w);
    for (hour_t hour = a->window.start; hour < a->window.end; hour++) {
        for (size_t g = 0; g < a->node->gpu_count; g++)
            used[g] = hold_at(&a->rows[g], hour, &cursors[g]) != NULL;
        sweep_to(&sweep, a, hour);
        json_open_object(w);
        put_slot(w, slots, (size_t)(hour - a->window.start));
        write_counts(w, a, used);
        json_key(w, "bookings");
        json_open_array(w);
        for (size_t i = 0; i < sweep.open_count; i++)
            put_booking(w, bookings, sweep.open[i]);
        json_close(w);
        json_close(w);
        if (!answer_fits(call, w))
            return false;
    }
    json_close(w);
    return true;
}

static bool write_hour_rows(struct call *call, const struct availability *a, const struct pieces *bookings,
                            const struct pieces *slots, struct json_writer *w)
{
    json_key(w, "rows");
    json_open_array(w);
    for (size_t g = 0; g < a->node->gpu_count; g++) {
        size_t cursor = 0;
        open_row(w, a->rows[g].gpu);
        json_key(w, "hour_slots");
        json_open_array(w);
        for (hour_t hour = a->window.start; hour < a->window.end; hour++) {
            const struct hold *hold = hold_at(&a->rows[g], hour, &cursor);
            json_open_object(w);
            put_slot(w, slots, (size_t)(hour - a->window.start));
            json_put_string(w, "status", hold == NULL ? "free" : "booked");
            if (hold != NULL) {
                json_key(w, "booking");
                put_booking(w, bookings, hold->booking);
            }
            json_close(w);
        }
        json_close(w);
        json_close(w);
        if (!answer_fits(call, w))
            return false;
    }
    json_close(w);
    return true;
}

bool write_hours(struct call *call, const struct availability *a, struct json_writer *w)
{
    size_t count = (size_t)window_hours(a->window);
    struct pieces bookings = {BUFFER_INIT, NULL}, slots = {BUFFER_INIT, NULL};
    bool ok;

    make_bookings(call, a, &bookings);
    make_slots(call, a->window, 1, count, &slots);
    open_answer(w, a);
    ok = write_hour_list(call, a, &bookings, &slots, w);
    json_key(w, "grid");
    json_open_object(w);
    json_key(w, "hours");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        json_open_object(w);
        put_slot(w, &slots, i);
        json_close(w);
    }
    json_close(w);
    ok = ok && write_hour_rows(call, a, &bookings, &slots, w);
    json_close(w);
    json_close(w);
    buffer_release(&bookings.text);
    buffer_release(&slots.text);
    return ok;
}

/* -- by days ---------------------------------------------------------------------------------------------------- */

static void write_day_bookings(const struct availability *a, const struct gpu_row *row, const struct cell *cell,
                               struct window day, const struct pieces *bookings, struct json_writer *w)
{
    json_key(w, "bookings");
    json_open_array(w);
    for (size_t i = cell->first_hold; i < cell->end_hold; i++) {
        struct window overlap = window_intersect(row->holds[i].window, day);
        json_open_object(w);
        put_booking_members(w, bookings, row->holds[i].booking);
        json_put_integer(w, "hours", window_hours(overlap));
        json_put_hour(w, "overlap_start", overlap.start);
        json_put_hour(w, "overlap_end", overlap.end);
        json_close(w);
    }
    json_close(w);
    (void)a;
}

static void write_day_row(const struct availability *a, const struct gpu_row *row, size_t count,
                          const struct pieces *bookings, const struct pieces *slots, struct json_writer *w)
{
    size_t first = 0;

    open_row(w, row->gpu);
    json_key(w, "day_slots");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        hour_t start = a->window.start + (hour_t)i * HOURS_PER_DAY;
        struct window day = {start, a->window.end - start > HOURS_PER_DAY ? start + HOURS_PER_DAY : a->window.end};
        struct cell cell = availability_cell(a, row, day, first);
        first = cell.first_hold;
        json_open_object(w);
        put_slot(w, slots, i);
        json_put_string(w, "status",
                        cell.booked_hours == 0                  ? "free"
                        : cell.booked_hours < cell.total_hours ? "partial"
                                                                : "occupied");
        json_put_integer(w, "booked_hours", cell.booked_hours);
        json_put_integer(w, "total_hours", cell.total_hours);
        if (cell.booked_hours > 0)
            json_put_string(w, "priority", priority_name(cell.priority));
        else
            json_put_null(w, "priority");
        write_day_bookings(a, row, &cell, day, bookings, w);
        json_close(w);
    }
    json_close(w);
    json_close(w);
}

static void write_day_list(const struct availability *a, size_t count, const struct pieces *slots, struct json_writer *w)
{
    json_key(w, "days");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        char key[DATE_TEXT_SIZE];
        hour_format_date(a->window.start + (hour_t)i * HOURS_PER_DAY, key);
        json_open_object(w);
        json_put_string(w, "key", key);
        put_slot(w, slots, i);
        json_close(w);
    }
    json_close(w);
}

bool write_days(struct call *call, const struct availability *a, struct json_writer *w)
{
    size_t count = ((size_t)window_hours(a->window) + HOURS_PER_DAY - 1) / HOURS_PER_DAY;
    struct pieces bookings = {BUFFER_INIT, NULL}, slots = {BUFFER_INIT, NULL};
    bool ok = true;

    make_bookings(call, a, &bookings);
    make_slots(call, a->window, HOURS_PER_DAY, count, &slots);
    open_answer(w, a);
    json_key(w, "hours");
    json_open_array(w);
    json_close(w);
    json_key(w, "grid");
    json_open_object(w);
    json_key(w, "hours");
    json_open_array(w);
    json_close(w);
    write_day_list(a, count, &slots, w);
    json_key(w, "rows");
    json_open_array(w);
    for (size_t g = 0; ok && g < a->node->gpu_count; g++) {
        write_day_row(a, &a->rows[g], count, &bookings, &slots, w);
        ok = answer_fits(call, w);
    }
    json_close(w);
    json_close(w);
    json_close(w);
    buffer_release(&bookings.text);
    buffer_release(&slots.text);
    return ok;
}
