#include "cgi/planner/sync.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

/* What one run needs at each step. */
struct sync {
    struct planner *planner;
    struct arena *arena;
    struct sync_report *report;
    hour_t now;
    struct store_node *nodes; /* sorted by id */
    struct store_gpu *gpus;   /* sorted by node key and id */
    size_t node_count, gpu_count;
    bool *node_seen, *gpu_seen;
};

static void note(struct sync *s, struct sync_list *list, const char *node_id, const char *gpu_id)
{
    list->items = arena_grow(s->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = (struct sync_item){node_id, gpu_id};
}

static int node_by_id(const void *a, const void *b)
{
    return strcmp(((const struct store_node *)a)->id, ((const struct store_node *)b)->id);
}

static int gpu_by_id(const void *a, const void *b)
{
    const struct store_gpu *x = a, *y = b;
    if (x->node_key != y->node_key)
        return x->node_key > y->node_key ? 1 : -1;
    return strcmp(x->id, y->id);
}

static struct store_node *find_node(struct sync *s, const char *id)
{
    struct store_node key = {.id = id};
    return s->node_count == 0 ? NULL : bsearch(&key, s->nodes, s->node_count, sizeof key, node_by_id);
}

static struct store_gpu *find_gpu(struct sync *s, int64_t node_key, const char *id)
{
    struct store_gpu key = {.node_key = node_key, .id = id};
    return s->gpu_count == 0 ? NULL : bsearch(&key, s->gpus, s->gpu_count, sizeof key, gpu_by_id);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool sync_gpu(struct sync *s, const struct store_node *node, const struct config_gpu *wanted, size_t position,
                     struct error *err)
{
    struct store_gpu *known = find_gpu(s, node->key, wanted->id);
    struct store_gpu gpu = {.node_key = node->key, .id = wanted->id, .kind = wanted->kind, .device = wanted->device,
                            .position = (int64_t)position, .since = s->now, .until = HOUR_NONE};

    if (known == NULL) {
        note(s, &s->report->added, node->id, gpu.id);
        return store_gpu_put(s->planner->store, &gpu, err);
    }
    s->gpu_seen[known - s->gpus] = true;
    gpu.key = known->key;
    gpu.since = known->since;
    bool same = same_text(known->kind, gpu.kind) && same_text(known->device, gpu.device);
    if (known->until != HOUR_NONE)
        note(s, &s->report->returned, node->id, gpu.id);
    else if (!same)
        note(s, &s->report->updated, node->id, gpu.id);
    else if (known->position == gpu.position)
        return true;
    return store_gpu_put(s->planner->store, &gpu, err);
}

static bool sync_node(struct sync *s, const struct config_node *wanted, size_t position, struct error *err)
{
    struct store_node *known = find_node(s, wanted->id);
    struct store_node node = {.id = wanted->id, .name = wanted->name, .position = (int64_t)position, .since = s->now,
                              .until = HOUR_NONE};

    if (known == NULL) {
        note(s, &s->report->added, node.id, NULL);
    } else {
        s->node_seen[known - s->nodes] = true;
        node.key = known->key;
        node.since = known->since;
        if (known->until != HOUR_NONE)
            note(s, &s->report->returned, node.id, NULL);
        else if (strcmp(known->name, node.name) != 0)
            note(s, &s->report->updated, node.id, NULL);
    }
    bool same = known != NULL && known->until == HOUR_NONE && known->position == node.position &&
                strcmp(known->name, node.name) == 0;
    if (!same && !store_node_put(s->planner->store, &node, err))
        return false;
    for (size_t i = 0; i < wanted->gpu_count; i++)
        if (!sync_gpu(s, &node, &wanted->gpus[i], i, err))
            return false;
    return true;
}

static const struct store_node *node_by_key(const struct sync *s, int64_t key)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].key == key)
            return &s->nodes[i];
    return NULL;
}

static bool retire_unseen(struct sync *s, struct error *err)
{
    for (size_t i = 0; i < s->gpu_count; i++) {
        if (s->gpu_seen[i] || s->gpus[i].until != HOUR_NONE)
            continue;
        s->gpus[i].until = s->now;
        note(s, &s->report->retired, node_by_key(s, s->gpus[i].node_key)->id, s->gpus[i].id);
        if (!store_gpu_put(s->planner->store, &s->gpus[i], err))
            return false;
    }
    for (size_t i = 0; i < s->node_count; i++) {
        if (s->node_seen[i] || s->nodes[i].until != HOUR_NONE)
            continue;
        s->nodes[i].until = s->now;
        note(s, &s->report->retired, s->nodes[i].id, NULL);
        if (!store_node_put(s->planner->store, &s->nodes[i], err))
            return false;
    }
    return true;
}

static bool sync_all(struct sync *s, const struct config *config, struct error *err)
{
    struct store *store = s->planner->store;

    if (!store_nodes(store, s->arena, &s->nodes, &s->node_count, err) ||
        !store_gpus(store, s->arena, &s->gpus, &s->gpu_count, err))
        return false;
    qsort(s->nodes, s->node_count, sizeof *s->nodes, node_by_id);
    qsort(s->gpus, s->gpu_count, sizeof *s->gpus, gpu_by_id);
    s->node_seen = arena_array(s->arena, s->node_count, sizeof *s->node_seen);
    s->gpu_seen = arena_array(s->arena, s->gpu_count, sizeof *s->gpu_seen);
    for (size_t i = 0; i < config->node_count; i++)
        if (!sync_node(s, &config->nodes[i], i, err))
            return false;
    return retire_unseen(s, err);
}

void sync_list_write(struct json_writer *w, const char *key, const struct sync_list *list)
{
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(w);
        json_put_string(w, "node_id", list->items[i].node_id);
        if (list->items[i].gpu_id != NULL)
            json_put_string(w, "gpu_id", list->items[i].gpu_id);
        json_close(w);
    }
    json_close(w);
}

/* The event that makes the new configuration the one in force: its id is the configuration's revision. */
static bool accept(struct sync *s, const struct buffer *text, const struct actor *actor, int64_t now, struct error *err)
{
    const struct {
        const char *key;
        const struct sync_list *list;
    } lists[] = {{"added", &s->report->added}, {"updated", &s->report->updated}, {"retired", &s->report->retired},
                 {"returned", &s->report->returned}};
    struct planner *planner = s->planner;
    struct buffer detail = BUFFER_INIT;
    struct json_writer w;
    int64_t event;

    json_begin(&w, &detail);
    json_open_object(&w);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (lists[i].list->count > 0)
            sync_list_write(&w, lists[i].key, lists[i].list);
    json_close(&w);
    bool ok = store_event_append(planner->store, now, actor, "configured", 0, detail.data, &event, err) &&
              store_config_accept(planner->store, text->data, text->length, event, err);
    buffer_release(&detail);
    if (ok)
        planner->config_revision = -1; /* the next begin reads it again, also when this transaction is rolled back */
    return ok;
}

/* Bookings on what is retired now, whether this run retired it or an earlier one: they stay, and somebody should know. */
static bool find_stranded(struct sync *s, struct error *err)
{
    struct store_gpu *gpus;
    size_t count, n = 0;

    if (!store_gpus(s->planner->store, s->arena, &gpus, &count, err))
        return false;
    int64_t *keys = arena_array(s->arena, count, sizeof *keys);
    for (size_t i = 0; i < count; i++)
        if (gpus[i].until != HOUR_NONE)
            keys[n++] = gpus[i].key;
    return store_bookings_active_on(s->planner->store, s->arena, keys, n, s->now, &s->report->bookings,
                                    &s->report->booking_count, err);
}

bool planner_sync(struct planner *planner, struct arena *arena, const struct config_source *source,
                  const struct actor *actor, int64_t now, struct sync_report *out, struct error *err)
{
    struct sync s = {.planner = planner, .arena = arena, .report = out, .now = hour_of_seconds(now)};
    struct buffer text = BUFFER_INIT;
    struct config config;
    const char *accepted;
    size_t accepted_length;
    bool ok = false;

    *out = (struct sync_report){0};
    if (!config_source_read(source, &text, err) ||
        !config_parse(text.data, text.length, source->name, arena, &config, err) ||
        !store_config_text(planner->store, arena, &accepted, &accepted_length, err))
        goto out;
    out->changed = accepted == NULL || accepted_length != text.length || memcmp(accepted, text.data, text.length) != 0;
    ok = (!out->changed || (sync_all(&s, &config, err) && accept(&s, &text, actor, now, err))) &&
         topology_load(&planner->topology, planner->store, err) && find_stranded(&s, err);
out:
    buffer_release(&text);
    return ok;
}
