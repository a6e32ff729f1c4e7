#include "cgi/planner/availability.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

struct id_index {
    int64_t id;
    size_t index;
};

static int by_id(const void *a, const void *b)
{
    const struct id_index *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Whatever is allocated in the window belongs to a booking of the list, as its planned window covers all that it holds. */
static bool read_row(struct planner *planner, struct arena *arena, struct availability *a, const struct id_index *ids,
                     struct allocation_list *list, struct gpu_row *row, struct error *err)
{
    if (!store_allocations(planner->store, arena, row->gpu->key, a->window, list, err))
        return false;
    row->holds = arena_array(arena, list->count, sizeof *row->holds);
    for (size_t i = 0; i < list->count; i++) {
        struct id_index wanted = {list->items[i].booking_id, 0}, *found = NULL;
        if (a->booking_count > 0)
            found = bsearch(&wanted, ids, a->booking_count, sizeof *ids, by_id);
        if (found != NULL && a->bookings[found->index]->status == BOOKING_ACTIVE)
            row->holds[row->count++] = (struct hold){window_intersect(list->items[i].window, a->window), found->index};
    }
    return true;
}

bool planner_availability(struct planner *planner, struct arena *arena, const struct node *node, struct window window,
                          struct availability *out, struct error *err)
{
    struct allocation_list list = {0};

    *out = (struct availability){.node = node, .window = window};
    if (!store_bookings_in_window(planner->store, arena, node->key, window, &out->bookings, &out->booking_count, err))
        return false;
    struct id_index *ids = arena_array(arena, out->booking_count, sizeof *ids);
    for (size_t i = 0; i < out->booking_count; i++) {
        struct booking *b = out->bookings[i];
        ids[i] = (struct id_index){b->id, i};
        topology_sort_gpus(&planner->topology, (int64_t *)b->gpu_keys, b->gpu_count);
    }
    qsort(ids, out->booking_count, sizeof *ids, by_id);
    out->rows = arena_array(arena, node->gpu_count, sizeof *out->rows);
    for (size_t i = 0; i < node->gpu_count; i++) {
        out->rows[i].gpu = &node->gpus[i];
        if (!read_row(planner, arena, out, ids, &list, &out->rows[i], err))
            return false;
    }
    return true;
}

struct cell availability_cell(const struct availability *a, const struct gpu_row *row, struct window slot, size_t first)
{
    struct cell cell = {.total_hours = window_hours(slot), .priority = PRIORITY_LOW};

    while (first < row->count && row->holds[first].window.end <= slot.start)
        first++;
    cell.first_hold = cell.end_hold = first;
    for (; cell.end_hold < row->count && row->holds[cell.end_hold].window.start < slot.end; cell.end_hold++) {
        const struct hold *hold = &row->holds[cell.end_hold];
        enum priority priority = a->bookings[hold->booking]->priority;
        cell.booked_hours += window_hours(window_intersect(hold->window, slot));
        if (priority > cell.priority)
            cell.priority = priority;
    }
    return cell;
}
