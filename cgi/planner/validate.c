#include "cgi/planner/validate.h"

#include <string.h>

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
    return priority_of(text, out) ||
           error_field(err, ERROR_BAD_REQUEST, "priority", "Priority must be one of low, medium, high");
}

bool planner_book_precheck(const struct booking_request *request, struct error *err)
{
    struct window window;
    struct slice label;

    return check_window(request->start, request->end, &window, err) && check_label(request->user_label, &label, err);
}

bool planner_label(struct arena *arena, const char *label, const char **out, struct error *err)
{
    struct slice trimmed;

    if (!check_label(label, &trimmed, err))
        return false;
    *out = arena_copy(arena, trimmed.bytes, trimmed.length);
    return true;
}

static bool within(struct window inner, struct window outer)
{
    return inner.start >= outer.start && inner.end <= outer.end;
}

/* A change of the window leaves alone what has passed. */
static bool check_past(const struct booking *current, struct window wanted, hour_t now, struct error *err)
{
    if (wanted.start != current->window.start) {
        if (current->window.start < now)
            return error_field(err, ERROR_BAD_REQUEST, "start", "The booking has begun; its start cannot change any more");
        if (wanted.start < now)
            return error_field(err, ERROR_BAD_REQUEST, "start", "The start cannot move before the current hour");
    }
    if (wanted.end != current->window.end && wanted.end < now)
        return error_field(err, ERROR_BAD_REQUEST, "end", "The end cannot move before the current hour");
    return true;
}

/* -- which GPUs are meant ----------------------------------------------------------------------------------------- */

/* The GPUs that may be chosen, best first: those that CURRENT has, then the node's, each in configuration order. */
struct candidates {
    const struct gpu **items;
    size_t count, own; /* the first OWN are CURRENT's */
};

static bool is_among(const struct gpu *gpu, const struct gpu *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i] == gpu)
            return true;
    return false;
}

static struct candidates list_candidates(const struct planner *planner, struct arena *arena, const struct node *node,
                                         const struct booking *current)
{
    size_t own = current == NULL ? 0 : current->gpu_count;
    struct candidates c = {.items = arena_array(arena, own + node->gpu_count, sizeof *c.items)};

    for (size_t i = 0; i < own; i++)
        c.items[c.count++] = topology_gpu_by_key(&planner->topology, current->gpu_keys[i]);
    c.own = c.count;
    if (node->until != HOUR_NONE) /* the whole node is retired: nothing to add from it */
        return c;
    for (size_t i = 0; i < node->gpu_count; i++)
        if (!is_among(&node->gpus[i], c.items, c.own))
            c.items[c.count++] = &node->gpus[i];
    return c;
}

static const struct gpu *candidate_named(const struct candidates *c, const struct node *node, const char *id)
{
    const struct gpu *gpu = node->until == HOUR_NONE ? topology_gpu(node, id) : NULL;

    for (size_t i = 0; gpu == NULL && i < c->own; i++)
        if (strcmp(c->items[i]->id, id) == 0)
            gpu = c->items[i];
    return gpu;
}

/* Fills OUT with the GPUs of gpu_ids. One that is unknown, or named twice, is refused. */
static bool name_gpus(struct arena *arena, const struct candidates *c, const struct node *node,
                      const struct booking_request *request, struct plan *out, struct error *err)
{
    size_t i = 0;

    out->count = request->gpu_id_count;
    if (out->count <= c->count) {
        bool *seen = arena_array(arena, node->gpu_total, sizeof *seen);
        out->held = arena_array(arena, out->count, sizeof *out->held);
        for (; i < out->count; i++) {
            const struct gpu *gpu = candidate_named(c, node, request->gpu_ids[i]);
            if (gpu == NULL || seen[gpu - node->gpus])
                break;
            seen[gpu - node->gpus] = true;
            out->held[i].gpu = gpu;
        }
    }
    if (i == out->count)
        return true;
    return error_field(err, ERROR_BAD_REQUEST, "gpu_ids", "One or more GPUs do not belong to the specified node");
}

/* How many GPUs there will be, and which where they are named; those of a count are chosen later, among the free ones. */
static bool size_gpus(struct arena *arena, const struct candidates *c, const struct node *node,
                      const struct booking_request *request, struct plan *out, struct error *err)
{
    if (request->gpu_id_count > 0)
        return name_gpus(arena, c, node, request, out, err);
    if (request->keep_gpus) {
        out->count = c->own;
        out->held = arena_array(arena, out->count, sizeof *out->held);
        for (size_t i = 0; i < out->count; i++)
            out->held[i].gpu = c->items[i];
        return true;
    }
    if (request->gpu_count <= 0)
        return error_field(err, ERROR_BAD_REQUEST, "gpu_count", "Either gpu_ids or a positive gpu_count must be provided");
    if ((uint64_t)request->gpu_count > c->count)
        return error_field(err, ERROR_BAD_REQUEST, "gpu_count", "Not enough GPUs available for the requested window");
    out->count = (size_t)request->gpu_count;
    out->held = arena_array(arena, out->count, sizeof *out->held);
    return true;
}

/* -- which of them are free --------------------------------------------------------------------------------------- */

/* What taking GPUs needs at each one. */
struct taking {
    struct planner *planner;
    struct arena *arena;
    struct window window;   /* to be held; empty when all of it has passed */
    int64_t except;         /* the booking that is changed; 0: none */
    hour_t now;
    struct error conflicts; /* collects who is in the way; its code stays ERROR_NONE unless the store fails */
};

static bool has_gpu(const struct booking *b, int64_t gpu_key)
{
    for (size_t i = 0; i < b->gpu_count; i++)
        if (b->gpu_keys[i] == gpu_key)
            return true;
    return false;
}

/*
 * Whether GPU is free. Rows come latest first and do not overlap, so the first one of an ended booking is where ours may
 * begin. Hours that a running booking has used of a GPU it gave away since are like those of an ended one.
 */
static bool look_at_gpu(struct taking *t, const struct gpu *gpu, struct held_gpu *out, bool *out_busy)
{
    struct holding *rows;
    size_t count;

    *out_busy = false;
    *out = (struct held_gpu){gpu, t->window};
    if (window_hours(t->window) == 0)
        return true;
    if (!store_holdings(t->planner->store, t->arena, gpu->key, t->window, 0, &rows, &count, &t->conflicts))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct booking *holder = NULL;
        if (rows[i].booking_id == t->except)
            continue;
        if (rows[i].active) {
            if (!store_booking_find(t->planner->store, t->arena, rows[i].booking_id, &holder, &t->conflicts))
                return false;
            if (rows[i].window.end > t->now || has_gpu(holder, gpu->key)) {
                *out_busy = true;
                error_add_conflict(&t->conflicts, gpu->id, holder->id, holder->user_label, rows[i].window);
                if (t->conflicts.conflict_count >= ERROR_CONFLICTS_MAX)
                    return true;
                continue;
            }
        }
        if (rows[i].window.end > out->window.start)
            out->window.start = rows[i].window.end < t->window.end ? rows[i].window.end : t->window.end;
    }
    return true;
}

/* A store that failed speaks for itself; else the sentence, with who is in the way. */
static bool refuse(struct taking *t, const char *field, const char *message, struct error *err)
{
    struct error found = t->conflicts;

    t->conflicts = (struct error)ERROR_INIT;
    if (found.code != ERROR_NONE) {
        error_clear(err);
        *err = found;
        return false;
    }
    error_field(err, ERROR_CONFLICT, field, "%s", message);
    err->conflicts = found.conflicts;
    err->conflict_count = found.conflict_count;
    return false;
}

static bool take_named(struct taking *t, struct plan *plan, const char *field, struct error *err)
{
    const struct gpu *busy_gpu = NULL;

    for (size_t i = 0; i < plan->count; i++) {
        bool busy;
        if (!look_at_gpu(t, plan->held[i].gpu, &plan->held[i], &busy))
            return refuse(t, field, "", err);
        if (busy && busy_gpu == NULL)
            busy_gpu = plan->held[i].gpu;
    }
    if (busy_gpu == NULL)
        return true;
    return refuse(t, field, arena_printf(t->arena, "GPU '%s' is already booked for the requested window", busy_gpu->id), err);
}

static bool take_count(struct taking *t, const struct candidates *c, struct plan *plan, struct error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < c->count && found < plan->count; i++) {
        bool busy;
        if (!look_at_gpu(t, c->items[i], &plan->held[found], &busy))
            return refuse(t, "gpu_count", "", err);
        if (!busy)
            found++;
    }
    if (found == plan->count)
        return true;
    return refuse(t, "gpu_count", "Not enough GPUs available for the requested window", err);
}

/* -- all of it -------------------------------------------------------------------------------------------------- */

/* On a GPU that left the configuration a booking may become shorter, not longer. */
static bool check_retired(const struct plan *plan, const struct booking *current, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->held[i].gpu->until != HOUR_NONE && !within(plan->booking->window, current->window))
            return error_field(err, ERROR_BAD_REQUEST, "end",
                               "GPU '%s' has left the configuration; a booking on it may become shorter, not longer",
                               plan->held[i].gpu->id);
    return true;
}

static void set_gpu_keys(const struct planner *planner, struct arena *arena, struct plan *plan)
{
    int64_t *keys = arena_array(arena, plan->count, sizeof *keys);

    for (size_t i = 0; i < plan->count; i++)
        keys[i] = plan->held[i].gpu->key;
    topology_sort_gpus(&planner->topology, keys, plan->count);
    plan->booking->gpu_keys = keys;
    plan->booking->gpu_count = plan->count;
}

/* Everything about the booking that is no matter of its GPUs. */
static bool check_fields(struct planner *planner, struct arena *arena, const struct booking_request *request,
                         const struct booking *current, hour_t now, struct booking *b, const struct node **out_node,
                         struct error *err)
{
    struct slice label;

    if (!check_window(request->start, request->end, &b->window, err) ||
        (current != NULL && !check_past(current, b->window, now, err)) || !check_label(request->user_label, &label, err))
        return false;
    *out_node = current != NULL ? topology_node_by_key(&planner->topology, current->node_key)
                                : planner_node(planner, request->node_id, err);
    if (*out_node == NULL || !check_priority(request->priority, &b->priority, err))
        return false;
    b->node_key = (*out_node)->key;
    b->user_label = arena_copy(arena, label.bytes, label.length);
    return true;
}

static bool check_note(struct arena *arena, const char *note, struct booking *b, struct error *err)
{
    struct slice trimmed = {"", 0};

    if (note != NULL && !check_text(note, "note", "Note", NOTE_CHARACTERS_MAX, &trimmed, err))
        return false;
    b->note = trimmed.length > 0 ? arena_copy(arena, trimmed.bytes, trimmed.length) : NULL;
    return true;
}

bool validate(struct planner *planner, struct arena *arena, const struct booking_request *request,
              const struct booking *current, hour_t now, struct plan *out, struct error *err)
{
    struct booking *b = arena_alloc(arena, sizeof *b);
    const struct node *node;
    bool ok;

    *out = (struct plan){.booking = b};
    if (current != NULL)
        *b = *current;
    else
        b->owner = request->owner;
    if (!check_fields(planner, arena, request, current, now, b, &node, err))
        return false;
    struct candidates candidates = list_candidates(planner, arena, node, current);
    if (!size_gpus(arena, &candidates, node, request, out, err) || !check_note(arena, request->note, b, err))
        return false;
    b->gpu_count = out->count;
    out->from = current == NULL ? b->window.start : current->window.start < now ? now : current->window.start;
    if (!limits_check(planner, b, current, now, err))
        return false;
    hour_t start = current != NULL && current->window.start < now ? now : b->window.start;
    struct taking t = {planner, arena, {start, b->window.end > start ? b->window.end : start}, b->id, now, ERROR_INIT};
    bool named = request->gpu_id_count > 0 || request->keep_gpus;
    ok = named ? take_named(&t, out, request->gpu_id_count > 0 ? "gpu_ids" : "end", err)
               : take_count(&t, &candidates, out, err);
    error_clear(&t.conflicts);
    if (!ok || (current != NULL && !check_retired(out, current, err)))
        return false;
    set_gpu_keys(planner, arena, out);
    return true;
}
