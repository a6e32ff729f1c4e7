#include "cgi/api/availability.h"

#include <string.h>

#include "common/banned.h"

/*
 * The same booking stands in many cells, the same two times in each row's cell of a slot, the same counts in most. So each is
 * written once, when it is first needed, and the finished bytes are copied: a year of an 8-GPU node is 2,900 cells.
 */
struct piece {
    size_t offset, length; /* length 0: not written yet */
};

struct pieces {
    struct buffer text;
    struct piece *items;
};

#define PARTIAL_HOURS (HOURS_PER_DAY + 1)

struct palette {
    struct call *call;
    const struct availability *a;
    struct pieces bookings;   /* "{…}" of each booking: whole it is B, without its braces B's members */
    struct pieces slots;      /* `"start":…,"end":…` */
    struct pieces free_slots; /* the whole cell of a free slot */
    struct pieces whole;      /* `"hours":…,"overlap_start":…,"overlap_end":…` of what holds a whole slot */
    struct pieces counts;     /* `"status":…` to `"priority":…` of a day with so many hours booked, by hours and priority */
};

static void palette_init(struct palette *p, struct call *call, const struct availability *a, size_t slots)
{
    *p = (struct palette){.call = call, .a = a};
    p->bookings.items = arena_array(call->arena, a->booking_count, sizeof *p->bookings.items);
    p->slots.items = arena_array(call->arena, slots, sizeof *p->slots.items);
    p->free_slots.items = arena_array(call->arena, slots, sizeof *p->free_slots.items);
    p->whole.items = arena_array(call->arena, slots, sizeof *p->whole.items);
    p->counts.items = arena_array(call->arena, PARTIAL_HOURS * (PRIORITY_HIGH + 1), sizeof *p->counts.items);
}

static void palette_release(struct palette *p)
{
    buffer_release(&p->bookings.text);
    buffer_release(&p->slots.text);
    buffer_release(&p->free_slots.text);
    buffer_release(&p->whole.text);
    buffer_release(&p->counts.text);
}

/* Members are written as an object, for the writer's sake, and kept without its braces. */
static void begin_piece(struct pieces *pieces, size_t i, struct json_writer *w)
{
    pieces->items[i].offset = pieces->text.length;
    json_begin(w, &pieces->text);
    json_open_object(w);
}

static void end_piece(struct pieces *pieces, size_t i, struct json_writer *w)
{
    json_close(w);
    pieces->items[i].length = pieces->text.length - pieces->items[i].offset;
}

static void put_whole(struct json_writer *w, const struct pieces *pieces, size_t i)
{
    json_raw(w, pieces->text.data + pieces->items[i].offset, pieces->items[i].length);
}

static void put_members(struct json_writer *w, const struct pieces *pieces, size_t i)
{
    json_raw(w, pieces->text.data + pieces->items[i].offset + 1, pieces->items[i].length - 2);
}

static struct pieces *booking_piece(struct palette *p, size_t i)
{
    struct json_writer w;

    if (p->bookings.items[i].length == 0) {
        begin_piece(&p->bookings, i, &w);
        write_booking_members(&w, &p->call->api->planner->topology, p->a->bookings[i]);
        end_piece(&p->bookings, i, &w);
    }
    return &p->bookings;
}

static struct pieces *slot_piece(struct palette *p, size_t i, struct window slot)
{
    struct json_writer w;

    if (p->slots.items[i].length == 0) {
        begin_piece(&p->slots, i, &w);
        json_put_hour(&w, "start", slot.start);
        json_put_hour(&w, "end", slot.end);
        end_piece(&p->slots, i, &w);
    }
    return &p->slots;
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

static struct window hour_window(hour_t hour)
{
    return (struct window){hour, hour + 1};
}

static bool write_hour_list(struct palette *p, struct json_writer *w)
{
    struct call *call = p->call;
    const struct availability *a = p->a;
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
        size_t i = (size_t)(hour - a->window.start);
        put_members(w, slot_piece(p, i, hour_window(hour)), i);
        write_counts(w, a, used);
        json_key(w, "bookings");
        json_open_array(w);
        for (size_t b = 0; b < sweep.open_count; b++)
            put_whole(w, booking_piece(p, sweep.open[b]), sweep.open[b]);
        json_close(w);
        json_close(w);
        if (!answer_fits(call, w))
            return false;
    }
    json_close(w);
    return true;
}

/* The whole cell of a free hour. */
static struct pieces *free_hour_piece(struct palette *p, size_t i, struct window hour)
{
    struct json_writer w;

    if (p->free_slots.items[i].length == 0) {
        begin_piece(&p->free_slots, i, &w);
        put_members(&w, slot_piece(p, i, hour), i);
        json_put_string(&w, "status", "free");
        end_piece(&p->free_slots, i, &w);
    }
    return &p->free_slots;
}

static void write_hour_cell(struct palette *p, hour_t hour, const struct hold *hold, struct json_writer *w)
{
    size_t i = (size_t)(hour - p->a->window.start);

    if (hold == NULL) {
        put_whole(w, free_hour_piece(p, i, hour_window(hour)), i);
        return;
    }
    json_open_object(w);
    put_members(w, slot_piece(p, i, hour_window(hour)), i);
    json_put_string(w, "status", "booked");
    json_key(w, "booking");
    put_whole(w, booking_piece(p, hold->booking), hold->booking);
    json_close(w);
}

static bool write_hour_rows(struct palette *p, struct json_writer *w)
{
    const struct availability *a = p->a;

    json_key(w, "rows");
    json_open_array(w);
    for (size_t g = 0; g < a->node->gpu_count; g++) {
        size_t cursor = 0;
        open_row(w, a->rows[g].gpu);
        json_key(w, "hour_slots");
        json_open_array(w);
        for (hour_t hour = a->window.start; hour < a->window.end; hour++) {
            const struct hold *hold = hold_at(&a->rows[g], hour, &cursor);
            write_hour_cell(p, hour, hold, w);
        }
        json_close(w);
        json_close(w);
        if (!answer_fits(p->call, w))
            return false;
    }
    json_close(w);
    return true;
}

bool write_hours(struct call *call, const struct availability *a, struct json_writer *w)
{
    size_t count = (size_t)window_hours(a->window);
    struct palette palette;
    bool ok;

    palette_init(&palette, call, a, count);
    open_answer(w, a);
    ok = write_hour_list(&palette, w);
    json_key(w, "grid");
    json_open_object(w);
    json_key(w, "hours");
    json_open_array(w);
    for (size_t i = 0; ok && i < count; i++)
        put_whole(w, slot_piece(&palette, i, hour_window(a->window.start + (hour_t)i)), i);
    json_close(w);
    ok = ok && write_hour_rows(&palette, w);
    json_close(w);
    json_close(w);
    palette_release(&palette);
    return ok;
}

/* -- by days ---------------------------------------------------------------------------------------------------- */

static struct window day_window(const struct availability *a, size_t i)
{
    hour_t start = a->window.start + (hour_t)i * HOURS_PER_DAY;

    return (struct window){start, a->window.end - start > HOURS_PER_DAY ? start + HOURS_PER_DAY : a->window.end};
}

/* The whole cell of a free day. */
static struct pieces *free_day_piece(struct palette *p, size_t i)
{
    struct window day = day_window(p->a, i);
    struct json_writer w;

    if (p->free_slots.items[i].length == 0) {
        begin_piece(&p->free_slots, i, &w);
        put_members(&w, slot_piece(p, i, day), i);
        json_put_string(&w, "status", "free");
        json_put_integer(&w, "booked_hours", 0);
        json_put_integer(&w, "total_hours", window_hours(day));
        json_put_null(&w, "priority");
        json_key(&w, "bookings");
        json_open_array(&w);
        json_close(&w);
        end_piece(&p->free_slots, i, &w);
    }
    return &p->free_slots;
}

static void write_counts_of_day(const struct cell *cell, struct json_writer *w)
{
    json_put_string(w, "status", cell->booked_hours < cell->total_hours ? "partial" : "occupied");
    json_put_integer(w, "booked_hours", cell->booked_hours);
    json_put_integer(w, "total_hours", cell->total_hours);
    json_put_string(w, "priority", priority_name(cell->priority));
}

static void put_counts(struct palette *p, const struct cell *cell, struct json_writer *w)
{
    size_t i = (size_t)cell->booked_hours * (PRIORITY_HIGH + 1) + (size_t)cell->priority;
    struct json_writer piece;

    if (cell->total_hours != HOURS_PER_DAY) { /* the last day may be shorter */
        write_counts_of_day(cell, w);
        return;
    }
    if (p->counts.items[i].length == 0) {
        begin_piece(&p->counts, i, &piece);
        write_counts_of_day(cell, &piece);
        end_piece(&p->counts, i, &piece);
    }
    put_members(w, &p->counts, i);
}

static void write_overlap(struct window overlap, struct json_writer *w)
{
    json_put_integer(w, "hours", window_hours(overlap));
    json_put_hour(w, "overlap_start", overlap.start);
    json_put_hour(w, "overlap_end", overlap.end);
}

static void put_overlap(struct palette *p, size_t i, struct window overlap, struct window day, struct json_writer *w)
{
    struct json_writer piece;

    if (window_hours(overlap) < window_hours(day)) {
        write_overlap(overlap, w);
        return;
    }
    if (p->whole.items[i].length == 0) {
        begin_piece(&p->whole, i, &piece);
        write_overlap(day, &piece);
        end_piece(&p->whole, i, &piece);
    }
    put_members(w, &p->whole, i);
}

static void write_day_cell(struct palette *p, const struct gpu_row *row, const struct cell *cell, size_t i,
                           struct json_writer *w)
{
    struct window day = day_window(p->a, i);

    if (cell->booked_hours == 0) {
        put_whole(w, free_day_piece(p, i), i);
        return;
    }
    json_open_object(w);
    put_members(w, slot_piece(p, i, day), i);
    put_counts(p, cell, w);
    json_key(w, "bookings");
    json_open_array(w);
    for (size_t h = cell->first_hold; h < cell->end_hold; h++) {
        const struct hold *hold = &row->holds[h];
        json_open_object(w);
        put_members(w, booking_piece(p, hold->booking), hold->booking);
        put_overlap(p, i, window_intersect(hold->window, day), day, w);
        json_close(w);
    }
    json_close(w);
    json_close(w);
}

static void write_day_row(struct palette *p, const struct gpu_row *row, size_t count, struct json_writer *w)
{
    size_t first = 0;

    open_row(w, row->gpu);
    json_key(w, "day_slots");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        struct cell cell = availability_cell(p->a, row, day_window(p->a, i), first);
        first = cell.first_hold;
        write_day_cell(p, row, &cell, i, w);
    }
    json_close(w);
    json_close(w);
}

static void write_day_list(struct palette *p, size_t count, struct json_writer *w)
{
    json_key(w, "days");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        struct window day = day_window(p->a, i);
        char key[DATE_TEXT_SIZE];
        hour_format_date(day.start, key);
        json_open_object(w);
        json_put_string(w, "key", key);
        put_members(w, slot_piece(p, i, day), i);
        json_close(w);
    }
    json_close(w);
}

bool write_days(struct call *call, const struct availability *a, struct json_writer *w)
{
    size_t count = ((size_t)window_hours(a->window) + HOURS_PER_DAY - 1) / HOURS_PER_DAY;
    struct palette palette;
    bool ok = true;

    palette_init(&palette, call, a, count);
    open_answer(w, a);
    json_key(w, "hours");
    json_open_array(w);
    json_close(w);
    json_key(w, "grid");
    json_open_object(w);
    json_key(w, "hours");
    json_open_array(w);
    json_close(w);
    write_day_list(&palette, count, w);
    json_key(w, "rows");
    json_open_array(w);
    for (size_t g = 0; ok && g < a->node->gpu_count; g++) {
        write_day_row(&palette, &a->rows[g], count, w);
        ok = answer_fits(call, w);
    }
    json_close(w);
    json_close(w);
    json_close(w);
    palette_release(&palette);
    return ok;
}
