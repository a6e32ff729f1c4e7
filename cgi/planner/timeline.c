#include "cgi/planner/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/planner/id_map.h"
#include "common/text.h"

#include "common/banned.h"

/* One timeline being read. */
struct reading {
    struct planner *planner;
    struct arena *arena;
    const struct timeline_question *question;
    struct timeline *out;
    size_t booking_capacity, row_capacity, hold_capacity;
    struct id_map bookings; /* by id: HELD or NOT_HELD while reading, afterwards the index into out->bookings */
    struct allocation_list allocations; /* of one GPU after the other */
    struct id_map nodes; /* by key: the index into question->nodes */
    struct window *hulls; /* when only changes are read, of each node: the hours between which its changed bookings lie */
    struct error *err;
};

#define HELD UINT32_MAX
#define NOT_HELD (UINT32_MAX - 1)
/* From a third of all bookings on, reading the whole table is cheaper: 2,100 instructions a wanted row and 700 an unwanted one,
 * against 3,800 a row by the index. */
#define WHOLE_TABLE_SHARE 3
_Static_assert(TIMELINE_ROWS_MAX < NOT_HELD, "an index is none of the marks");

static bool fits(const struct reading *r)
{
    if (r->out->booking_count + r->out->hold_count < TIMELINE_ROWS_MAX)
        return true;
    return error_field(r->err, ERROR_BAD_REQUEST, "end",
                       "The window holds more than %d bookings and holds; ask for a shorter window or fewer nodes",
                       TIMELINE_ROWS_MAX);
}

/* -- what GPUs hold --------------------------------------------------------------------------------------------- */

/* All that is held counts, or with changes what a changed booking holds. */
static bool add_hold(struct reading *r, const struct allocation *held)
{
    struct timeline *t = r->out;

    if (!t->full && id_map_find(&r->bookings, held->booking_id) == NULL)
        return true;
    if (!fits(r))
        return false;
    id_map_put(&r->bookings, held->booking_id, HELD);
    t->holds = arena_grow(r->arena, t->holds, t->hold_count, &r->hold_capacity, sizeof *t->holds);
    t->holds[t->hold_count++] = (struct timeline_hold){
        .window = window_intersect(held->window, r->question->window),
        .booking_id = held->booking_id,
    };
    return true;
}

static bool read_gpu(struct reading *r, const struct gpu *gpu, size_t number, struct window window)
{
    struct timeline *t = r->out;
    size_t first = t->hold_count;

    if (!store_allocations(r->planner->store, r->arena, gpu->key, window, &r->allocations, r->err))
        return false;
    for (size_t i = 0; i < r->allocations.count; i++)
        if (!add_hold(r, &r->allocations.items[i]))
            return false;
    if (t->hold_count == first)
        return true;
    t->rows = arena_grow(r->arena, t->rows, t->row_count, &r->row_capacity, sizeof *t->rows);
    t->rows[t->row_count++] = (struct timeline_row){number, first, t->hold_count - first};
    return true;
}

static bool read_holds(struct reading *r)
{
    const struct timeline_question *q = r->question;
    size_t number = 0;

    for (size_t n = 0; n < q->node_count; number += q->nodes[n]->gpu_count, n++) {
        struct window window = r->out->full ? q->window : r->hulls[n];
        for (size_t g = 0; g < q->nodes[n]->gpu_count && window_hours(window) > 0; g++)
            if (!read_gpu(r, &q->nodes[n]->gpus[g], number + g, window))
                return false;
    }
    return true;
}

/* -- bookings --------------------------------------------------------------------------------------------------- */

static bool add_booking(struct reading *r, const struct booking_outline *outline)
{
    struct timeline *t = r->out;

    if (!fits(r))
        return false;
    t->bookings = arena_grow(r->arena, t->bookings, t->booking_count, &r->booking_capacity, sizeof *t->bookings);
    struct booking_outline *b = &t->bookings[t->booking_count++];
    *b = *outline;
    b->user_label = arena_text(r->arena, outline->user_label);
    b->owner = outline->owner == NULL ? NULL : arena_text(r->arena, outline->owner);
    if (outline->note != NULL)
        b->note = arena_copy(r->arena, outline->note,
                             text_head(outline->note, strlen(outline->note), TIMELINE_NOTE_CHARACTERS));
    return true;
}

/* An ended booking counts as long as it has hours in the window. */
static bool counts(const struct reading *r, const struct booking_outline *b)
{
    const uint32_t *mark;

    return b->status == BOOKING_ACTIVE || ((mark = id_map_find(&r->bookings, b->id)) != NULL && *mark == HELD);
}

/* A store_outline_fn. */
static bool add_if_it_counts(void *context, const struct booking_outline *outline)
{
    return !counts(context, outline) || add_booking(context, outline);
}

/* A store_outline_fn. */
static bool add_if_ours_and_it_counts(void *context, const struct booking_outline *outline)
{
    const struct reading *r = context;

    return id_map_find(&r->nodes, outline->node_key) == NULL || add_if_it_counts(context, outline);
}

static int by_id(const void *a, const void *b)
{
    const struct booking_outline *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static void index_nodes(struct reading *r)
{
    id_map_init(&r->nodes, r->arena);
    for (size_t n = 0; n < r->question->node_count; n++)
        id_map_put(&r->nodes, r->question->nodes[n]->key, (uint32_t)n);
}

/*
 * Node by node over an index, or once through the whole table: the index costs each booking a search in the table and a
 * place in the order, the table costs a look at bookings that nobody asked for. How many are asked for, the holds tell.
 */
static bool read_bookings(struct reading *r)
{
    const struct timeline_question *q = r->question;
    struct store *store = r->planner->store;
    int64_t last_id;

    if (!store_booking_last_id(store, &last_id, r->err))
        return false;
    if ((int64_t)r->bookings.count > last_id / WHOLE_TABLE_SHARE) {
        index_nodes(r);
        return store_outlines_by_id(store, q->window, add_if_ours_and_it_counts, r, r->err);
    }
    for (size_t n = 0; n < q->node_count; n++)
        if (!store_outlines_in_window(store, q->nodes[n]->key, q->window, add_if_it_counts, r, r->err))
            return false;
    if (r->out->booking_count > 0)
        qsort(r->out->bookings, r->out->booking_count, sizeof *r->out->bookings, by_id);
    return true;
}

static bool read_all(struct reading *r)
{
    return read_holds(r) && read_bookings(r);
}

/* -- changes ---------------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A store_outline_fn: one that events name, or in hours that the asker did not have. On our nodes and in the window it may count,
 * which its holds will tell. */
static bool add_changed(void *context, const struct booking_outline *outline)
{
    struct reading *r = context;
    const uint32_t *node = id_map_find(&r->nodes, outline->node_key);

    if (node == NULL || !window_overlaps(outline->window, r->question->window) || id_map_find(&r->bookings, outline->id) != NULL)
        return true;
    struct window *hull = &r->hulls[*node], own = window_intersect(outline->window, r->question->window);
    if (window_hours(*hull) == 0)
        *hull = own;
    if (own.start < hull->start)
        hull->start = own.start;
    if (own.end > hull->end)
        hull->end = own.end;
    id_map_put(&r->bookings, outline->id, NOT_HELD);
    return add_booking(r, outline);
}

/* Bookings in hours of the window that the asker did not have. */
static bool add_in(struct reading *r, struct window hours)
{
    const struct timeline_question *q = r->question;

    for (size_t n = 0; n < q->node_count && window_hours(hours) > 0; n++)
        if (!store_outlines_in_window(r->planner->store, q->nodes[n]->key, hours, add_changed, r, r->err))
            return false;
    return true;
}

static bool add_around(struct reading *r, struct window had)
{
    struct window now = r->question->window;

    if (window_hours(had) == 0)
        return true;
    if (!window_overlaps(had, now))
        return add_in(r, now);
    return add_in(r, (struct window){now.start, had.start}) && add_in(r, (struct window){had.end, now.end});
}

/* Sorts what was read into listed and removed; IDS, those that events name, are in order. */
static void settle_changes(struct reading *r, const int64_t *ids, size_t id_count)
{
    struct timeline *t = r->out;
    size_t kept = 0, next = 0;

    for (size_t i = 0; i < t->booking_count; i++)
        if (counts(r, &t->bookings[i]))
            t->bookings[kept++] = t->bookings[i];
    t->booking_count = kept;
    if (kept > 0)
        qsort(t->bookings, kept, sizeof *t->bookings, by_id);
    t->removed = arena_array(r->arena, id_count, sizeof *t->removed);
    for (size_t i = 0; i < id_count; i++) {
        while (next < kept && t->bookings[next].id < ids[i])
            next++;
        if (next == kept || t->bookings[next].id != ids[i])
            t->removed[t->removed_count++] = ids[i];
    }
}

static bool read_changes(struct reading *r)
{
    const struct timeline_question *q = r->question;
    int64_t *ids;
    size_t named, count = 0;

    if (!store_events_bookings(r->planner->store, r->arena, q->since, &ids, &named, r->err))
        return false;
    if (named == 0 && window_hours(q->had) == 0)
        return true;
    if (named > 0)
        qsort(ids, named, sizeof *ids, by_number);
    for (size_t i = 0; i < named; i++)
        if (count == 0 || ids[count - 1] != ids[i])
            ids[count++] = ids[i];
    index_nodes(r);
    r->hulls = arena_array(r->arena, q->node_count, sizeof *r->hulls);
    for (size_t i = 0; i < count; i++)
        if (!store_outline_find(r->planner->store, ids[i], add_changed, r, r->err))
            return false;
    if (!add_around(r, q->had) || !read_holds(r))
        return false;
    settle_changes(r, ids, count);
    return true;
}

/* -- together --------------------------------------------------------------------------------------------------- */

/* Whether the asker's revision is one of ours from which events lead to the present without a change of the configuration. */
static bool can_continue(struct reading *r, bool *out)
{
    const struct store_state *state = &r->planner->state;
    const struct timeline_question *q = r->question;
    struct store_event *reached;
    size_t count;

    *out = q->since > 0 && q->since <= state->revision && q->since >= state->config_revision &&
           state->revision - q->since <= TIMELINE_EVENTS_MAX && (q->epoch == NULL || strcmp(q->epoch, state->epoch) == 0);
    if (!*out || q->not_before == 0)
        return true;
    if (!store_events(r->planner->store, r->arena, q->since - 1, 0, 1, &reached, &count, r->err))
        return false;
    *out = count > 0 && reached->at >= q->not_before;
    return true;
}

static void mark_planned(struct reading *r)
{
    struct timeline *t = r->out;

    for (size_t i = 0; i < t->booking_count; i++)
        id_map_put(&r->bookings, t->bookings[i].id, (uint32_t)i);
    for (size_t i = 0; i < t->hold_count; i++) {
        struct timeline_hold *hold = &t->holds[i];
        uint32_t index = *id_map_find(&r->bookings, hold->booking_id);
        if (index >= t->booking_count) /* no planned window covers it, against the invariant: then it stands for itself */
            continue;
        struct window planned = window_intersect(t->bookings[index].window, r->question->window);
        hold->planned = planned.start == hold->window.start && planned.end == hold->window.end;
    }
}

bool planner_timeline(struct planner *planner, struct arena *arena, const struct timeline_question *question,
                      struct timeline *out, struct error *err)
{
    struct reading r = {.planner = planner, .arena = arena, .question = question, .out = out, .err = err};
    bool changes;

    *out = (struct timeline){0};
    id_map_init(&r.bookings, arena);
    if (!can_continue(&r, &changes))
        return false;
    out->full = !changes;
    if (!(changes ? read_changes(&r) : read_all(&r)))
        return false;
    mark_planned(&r);
    return true;
}
