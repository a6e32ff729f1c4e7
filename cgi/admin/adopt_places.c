#include "cgi/admin/adopt_places.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

/* -- which there are -------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct adopt_place *x = a, *y = b;
    int nodes = strcmp(x->node_id, y->node_id);

    return nodes != 0 ? nodes : strcmp(x->gpu_id, y->gpu_id);
}

const struct adopt_place *adopt_places_find(const struct adopt_places *p, const char *node_id, const char *gpu_id)
{
    struct adopt_place key = {.node_id = node_id, .gpu_id = gpu_id};

    return p->count == 0 ? NULL : bsearch(&key, p->items, p->count, sizeof key, by_place);
}

/* One of several equals, with the kind that one of them knows and the earliest hour. */
static void join(struct adopt_places *p)
{
    size_t n = 0;

    qsort(p->items, p->count, sizeof *p->items, by_place);
    for (size_t i = 0; i < p->count; i++) {
        struct adopt_place *last = n > 0 ? &p->items[n - 1] : NULL;
        if (last == NULL || by_place(last, &p->items[i]) != 0) {
            p->items[n++] = p->items[i];
            continue;
        }
        if (last->kind == NULL)
            last->kind = p->items[i].kind;
        if (p->items[i].since < last->since)
            last->since = p->items[i].since;
    }
    p->count = n;
}

void adopt_places_collect(const struct original *original, const struct adopt_plan *plan, hour_t now, struct arena *arena,
                          struct adopt_places *out)
{
    const struct original_gpu *gpus = original->gpus;
    size_t most = original->gpu_count;

    for (size_t i = 0; i < plan->count; i++)
        most += plan->bookings[i].gpu_count;
    *out = (struct adopt_places){.items = arena_array(arena, most, sizeof *out->items)};
    for (size_t i = 0; i < original->gpu_count; i++)
        if (adopt_id_fits(gpus[i].id) && adopt_id_fits(gpus[i].node_id))
            out->items[out->count++] = (struct adopt_place){gpus[i].node_id, gpus[i].id, gpus[i].kind, now, 0, 0};
    for (size_t i = 0; i < plan->count; i++) {
        const struct adopted *a = &plan->bookings[i];
        hour_t start = a->booking.window.start < now ? a->booking.window.start : now;
        for (size_t j = 0; j < a->gpu_count; j++)
            out->items[out->count++] = (struct adopt_place){a->node_id, a->gpu_ids[j], NULL, start, 0, 0};
    }
    join(out);
}

/* -- which rows they are ---------------------------------------------------------------------------------------- */

struct settling {
    struct adopt_places *places;
    const struct original *original;
    struct store *store;
    struct arena *arena;
    bool configured;
    hour_t until_of_new; /* HOUR_NONE: in use */
};

static const char *old_name(const struct original *original, const char *node_id)
{
    for (size_t i = 0; i < original->node_count; i++) {
        const struct original_node *node = &original->nodes[i];
        if (node->id != NULL && strcmp(node->id, node_id) == 0 && adopt_id_fits(node->name))
            return node->name;
    }
    return node_id;
}

static void note_retired(struct settling *s, const char *what)
{
    if (s->configured)
        sentences_add(&s->places->retired, s->arena, what);
}

/* The node of places FROM up to TO: found or made. */
static bool settle_node(struct settling *s, size_t from, size_t to, struct store_node *known, size_t known_count, struct error *err)
{
    struct adopt_place *items = s->places->items;
    hour_t since = items[from].since;
    struct store_node node = {.id = items[from].node_id, .position = (int64_t)from, .until = s->until_of_new};
    bool found = false;

    for (size_t i = from; i < to; i++)
        if (items[i].since < since)
            since = items[i].since;
    for (size_t i = 0; i < known_count && !found; i++)
        if (strcmp(known[i].id, node.id) == 0) {
            node = known[i];
            found = true;
        }
    if (!found) {
        node.name = old_name(s->original, node.id);
        note_retired(s, arena_printf(s->arena, "node %s", node.id));
    }
    bool as_it_is = found && node.since <= since;
    node.since = found && node.since < since ? node.since : since;
    if (!as_it_is && !store_node_put(s->store, &node, err))
        return false;
    for (size_t i = from; i < to; i++)
        items[i].node_key = node.key;
    return true;
}

static int by_key_and_id(const void *a, const void *b)
{
    const struct store_gpu *x = a, *y = b;

    if (x->node_key != y->node_key)
        return x->node_key < y->node_key ? -1 : 1;
    return strcmp(x->id, y->id);
}

static bool settle_gpu(struct settling *s, size_t position, const struct store_gpu *known, size_t known_count, struct error *err)
{
    struct adopt_place *place = &s->places->items[position];
    struct store_gpu gpu = {.node_key = place->node_key, .id = place->gpu_id};
    const struct store_gpu *found = known_count == 0 ? NULL : bsearch(&gpu, known, known_count, sizeof gpu, by_key_and_id);

    if (found != NULL) {
        gpu = *found;
        place->gpu_key = gpu.key;
        if (gpu.since <= place->since)
            return true;
    } else {
        gpu.kind = adopt_id_fits(place->kind) ? place->kind : "unspecified";
        gpu.position = (int64_t)position;
        gpu.until = s->until_of_new;
        note_retired(s, arena_printf(s->arena, "GPU %s of node %s", gpu.id, place->node_id));
    }
    gpu.since = place->since;
    if (!store_gpu_put(s->store, &gpu, err))
        return false;
    place->gpu_key = gpu.key;
    return true;
}

bool adopt_places_settle(struct adopt_places *places, const struct original *original, bool configured, hour_t now, struct store *store,
                         struct arena *arena, struct error *err)
{
    struct settling s = {places, original, store, arena, configured, configured ? now : HOUR_NONE};
    struct store_node *nodes;
    struct store_gpu *gpus;
    size_t node_count, gpu_count;

    if (!store_nodes(store, arena, &nodes, &node_count, err) || !store_gpus(store, arena, &gpus, &gpu_count, err))
        return false;
    if (gpu_count > 0)
        qsort(gpus, gpu_count, sizeof *gpus, by_key_and_id);
    for (size_t from = 0, to; from < places->count; from = to) {
        for (to = from + 1; to < places->count && strcmp(places->items[to].node_id, places->items[from].node_id) == 0;)
            to++;
        if (!settle_node(&s, from, to, nodes, node_count, err))
            return false;
        for (size_t i = from; i < to; i++)
            if (!settle_gpu(&s, i, gpus, gpu_count, err))
                return false;
    }
    return true;
}
