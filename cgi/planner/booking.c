#include "cgi/planner/booking.h"

#include <string.h>

#include "cgi/planner/event.h"
#include "cgi/planner/limits.h"
#include "common/text.h"

#include "common/banned.h"

/* -- what needs no database ------------------------------------------------------------------------------------- */

static bool check_window(instant_t start, instant_t end, struct window *out, struct error *err)
{
    if (end <= start)
        return error_field(err, ERROR_BAD_REQUEST, "end", "Booking end must be after start");
    *out = (struct window){hour_floor(start), hour_ceil(end)};
    if (out->start < HOUR_MIN || out->end > HOUR_MAX)
        return error_field(err, ERROR_BAD_REQUEST, "end", "Invalid timestamp: the end is beyond the year 9999");
    return true;
}

static bool check_text(const char *text, const char *field, const char *name, size_t most, struct slice *out,
                       struct error *err)
{
    *out = text_trim(text, strlen(text));
    if (text_has_control(out->bytes, out->length))
        return error_field(err, ERROR_BAD_REQUEST, field, "%s must not hold control characters", name);
    if (text_characters(out->bytes, out->length) > most)
        return error_field(err, ERROR_BAD_REQUEST, field, "%s must not be longer than %zu characters", name, most);
    return true;
}

static bool check_label(const char *label, struct slice *out, struct error *err)
{
    if (!check_text(label == NULL ? "" : label, "user_label", "User label", LABEL_CHARACTERS_MAX, out, err))
        return false;
    if (out->length == 0)
        return error_field(err, ERROR_BAD_REQUEST, "user_label", "User label must not be empty");
    return true;
}

static bool check_priority(const char *text, enum priority *out, struct error *err)
{
    *out = PRIORITY_MEDIUM;
    if (text == NULL || *text == '\0')
        return true;
    for (enum priority p = PRIORITY_LOW; p <= PRIORITY_HIGH; p++)
        if (text_equal_nocase(text, priority_name(p))) {
            *out = p;
            return true;
        }
    return error_field(err, ERROR_BAD_REQUEST, "priority", "Priority must be one of low, medium, high");
}

bool planner_book_precheck(const struct booking_request *request, struct error *err)
{
    struct window window;
    struct slice label;

    return check_window(request->start, request->end, &window, err) && check_label(request->user_label, &label, err);
}

/* -- which GPUs ------------------------------------------------------------------------------------------------- */

/* A GPU that is wanted, and from when it can be held: ended bookings may have used its first hours. */
struct wanted {
    const struct gpu *gpu;
    struct window window; /* empty when ended bookings have used all of it */
};

struct wanted_list {
    struct wanted *items;
    size_t count;
};

/*
 * Whether GPU is free in WINDOW. Active bookings in the way are added to ERR's conflicts (its code stays as it is) and
 * *OUT_BUSY is set. Rows come latest first and do not overlap, so the first one of an ended booking is where ours may begin.
 */
static bool look_at_gpu(struct planner *planner, struct arena *arena, const struct gpu *gpu, struct window window,
                        struct wanted *out, bool *out_busy, struct error *err)
{
    struct holding *rows;
    size_t count;

    *out_busy = false;
    *out = (struct wanted){gpu, window};
    if (!store_holdings(planner->store, arena, gpu->key, window, 0, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct booking *holder;
        if (!rows[i].active) {
            if (rows[i].window.end > out->window.start)
                out->window.start = rows[i].window.end < window.end ? rows[i].window.end : window.end;
            continue;
        }
        *out_busy = true;
        if (err->conflict_count >= ERROR_CONFLICTS_MAX)
            break;
        if (!store_booking_find(planner->store, arena, rows[i].booking_id, &holder, err))
            return false;
        error_add_conflict(err, gpu->id, rows[i].booking_id, holder->user_label, rows[i].window);
    }
    return true;
}

/* Keeps what conflicts were collected while the sentence is set. */
static bool refuse_conflict(struct error *err, struct error *conflicts, enum error_code code, const char *field,
                            const char *message)
{
    error_field(err, code, field, "%s", message);
    err->conflicts = conflicts->conflicts;
    err->conflict_count = conflicts->conflict_count;
    conflicts->conflicts = NULL;
    conflicts->conflict_count = 0;
    return false;
}

static bool take_named(struct planner *planner, struct arena *arena, const struct node *node,
                       const struct booking_request *request, struct window window, struct wanted_list *list,
                       struct error *err)
{
    struct error conflicts = ERROR_INIT;
    const struct gpu *first_busy = NULL;

    for (size_t i = 0; i < request->gpu_id_count; i++) {
        bool busy;
        if (!look_at_gpu(planner, arena, list->items[i].gpu, window, &list->items[i], &busy, &conflicts)) {
            error_clear(err);
            *err = conflicts;
            return false;
        }
        if (busy && first_busy == NULL)
            first_busy = list->items[i].gpu;
    }
    (void)node;
    if (first_busy == NULL)
        return true;
    return refuse_conflict(err, &conflicts, ERROR_CONFLICT, "gpu_ids",
                           arena_printf(arena, "GPU '%s' is already booked for the requested window", first_busy->id));
}

/* The first free GPUs in configuration order. */
static bool take_count(struct planner *planner, struct arena *arena, const struct node *node, size_t count,
                       struct window window, struct wanted_list *list, struct error *err)
{
    struct error conflicts = ERROR_INIT;
    size_t found = 0;

    for (size_t i = 0; i < node->gpu_count && found < count; i++) {
        bool busy;
        if (!look_at_gpu(planner, arena, &node->gpus[i], window, &list->items[found], &busy, &conflicts)) {
            error_clear(err);
            *err = conflicts;
            return false;
        }
        if (!busy)
            found++;
    }
    if (found == count) {
        error_clear(&conflicts);
        return true;
    }
    return refuse_conflict(err, &conflicts, ERROR_CONFLICT, "gpu_count",
                           "Not enough GPUs available for the requested window");
}

/* Which GPUs are meant, before any is looked at: so that limits are checked before conflicts. */
static bool name_gpus(struct arena *arena, const struct node *node, const struct booking_request *request,
                      struct wanted_list *list, struct error *err)
{
    static const char not_enough[] = "Not enough GPUs available for the requested window";

    if (request->gpu_id_count == 0) {
        if (request->gpu_count <= 0)
            return error_field(err, ERROR_BAD_REQUEST, "gpu_count",
                               "Either gpu_ids or a positive gpu_count must be provided");
        if ((uint64_t)request->gpu_count > node->gpu_count)
            return error_field(err, ERROR_BAD_REQUEST, "gpu_count", "%s", not_enough);
        list->count = (size_t)request->gpu_count;
        list->items = arena_array(arena, list->count, sizeof *list->items);
        return true;
    }
    list->count = request->gpu_id_count;
    if (list->count <= node->gpu_count) {
        list->items = arena_array(arena, list->count, sizeof *list->items);
        bool *seen = arena_array(arena, node->gpu_count, sizeof *seen);
        size_t i = 0;
        for (; i < list->count; i++) {
            const struct gpu *gpu = topology_gpu(node, request->gpu_ids[i]);
            if (gpu == NULL || seen[gpu - node->gpus])
                break;
            seen[gpu - node->gpus] = true;
            list->items[i].gpu = gpu;
        }
        if (i == list->count)
            return true;
    }
    return error_field(err, ERROR_BAD_REQUEST, "gpu_ids", "One or more GPUs do not belong to the specified node");
}

/* -- booking ---------------------------------------------------------------------------------------------------- */

/* Everything that can refuse, in the order of the contract; then *B is complete but for its id. */
static bool validate(struct planner *planner, struct arena *arena, const struct booking_request *request, hour_t now,
                     struct booking *b, struct wanted_list *list, struct error *err)
{
    struct slice label, note = {"", 0};

    if (!check_window(request->start, request->end, &b->window, err) || !check_label(request->user_label, &label, err))
        return false;
    const struct node *node = planner_node(planner, request->node_id, err);
    if (node == NULL || !check_priority(request->priority, &b->priority, err) ||
        !name_gpus(arena, node, request, list, err) ||
        (request->note != NULL && !check_text(request->note, "note", "Note", NOTE_CHARACTERS_MAX, &note, err)))
        return false;
    b->node_key = node->key;
    b->user_label = arena_copy(arena, label.bytes, label.length);
    b->note = note.length > 0 ? arena_copy(arena, note.bytes, note.length) : NULL;
    b->gpu_count = list->count;
    if (!limits_check(planner, b, now, err))
        return false;
    return request->gpu_id_count > 0 ? take_named(planner, arena, node, request, b->window, list, err)
                                     : take_count(planner, arena, node, list->count, b->window, list, err);
}

static bool hold(struct planner *planner, const struct booking *b, const struct wanted_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        struct allocation a = {list->items[i].gpu->key, list->items[i].window, b->id};
        if (window_hours(a.window) > 0 && !store_allocation_insert(planner->store, &a, err))
            return false;
    }
    return true;
}

bool planner_book(struct planner *planner, struct arena *arena, const struct booking_request *request,
                  const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    struct booking *b = arena_alloc(arena, sizeof *b);
    struct wanted_list list = {0};

    if (!validate(planner, arena, request, hour_of_seconds(now), b, &list, err))
        return false;
    int64_t *keys = arena_array(arena, list.count, sizeof *keys);
    for (size_t i = 0; i < list.count; i++)
        keys[i] = list.items[i].gpu->key;
    topology_sort_gpus(&planner->topology, keys, list.count);
    b->gpu_keys = keys;
    b->status = BOOKING_ACTIVE;
    b->version = 1;
    b->created = b->updated = now;
    *out = b;
    return store_booking_insert(planner->store, b, NULL, err) && hold(planner, b, &list, err) &&
           event_booked(planner, b, actor, now, err);
}

bool planner_end(struct planner *planner, struct arena *arena, int64_t id, enum booking_status status,
                 const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    struct booking *b;

    if (!store_booking_find(planner->store, arena, id, &b, err))
        return false;
    if (b == NULL || b->status != BOOKING_ACTIVE)
        return error_set(err, ERROR_NOT_FOUND, "Booking '%lld' is not active or does not exist", (long long)id);
    b->status = status;
    b->released = b->updated = now;
    *out = b;
    return store_allocations_cut(planner->store, id, hour_of_seconds(now), err) &&
           store_booking_update(planner->store, b, err) && event_ended(planner, b, actor, now, err);
}
