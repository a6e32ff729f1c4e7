#include "cgi/planner/topology.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

void topology_init(struct topology *topology)
{
    *topology = (struct topology){0};
    arena_init(&topology->arena);
}

void topology_release(struct topology *topology)
{
    arena_release(&topology->arena);
    *topology = (struct topology){0};
}

static int by_key(const void *a, const void *b)
{
    const struct gpu *x = *(struct gpu *const *)a, *y = *(struct gpu *const *)b;
    return (x->key > y->key) - (x->key < y->key);
}

static int by_id(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
    return strcmp(x->id, y->id);
}

/* The store lists GPUs node by node in the order of the nodes, so one pass joins the two lists. */
static void join(struct topology *t, const struct store_node *nodes, size_t node_count, const struct store_gpu *gpus,
                 size_t gpu_count)
{
    struct gpu *all = arena_array(&t->arena, gpu_count, sizeof *all);
    size_t g = 0;

    t->nodes = arena_array(&t->arena, node_count, sizeof *t->nodes);
    t->gpu_by_key = arena_array(&t->arena, gpu_count, sizeof *t->gpu_by_key);
    t->node_by_id = arena_array(&t->arena, node_count, sizeof *t->node_by_id);
    t->node_total = node_count;
    t->gpu_total = gpu_count;
    for (size_t n = 0; n < node_count; n++) {
        struct node *node = &t->nodes[n];
        *node = (struct node){.key = nodes[n].key, .id = nodes[n].id, .name = nodes[n].name,
                              .since = nodes[n].since, .until = nodes[n].until, .gpus = all + g};
        if (node->until == HOUR_NONE)
            t->node_by_id[t->node_count++] = node;
        for (; g < gpu_count && gpus[g].node_key == node->key; g++) {
            all[g] = (struct gpu){.key = gpus[g].key, .id = gpus[g].id, .kind = gpus[g].kind, .device = gpus[g].device,
                                  .since = gpus[g].since, .until = gpus[g].until, .node = node};
            t->gpu_by_key[g] = &all[g];
            node->gpu_total++;
            if (all[g].until == HOUR_NONE)
                node->gpu_count++;
        }
    }
    qsort(t->gpu_by_key, gpu_count, sizeof *t->gpu_by_key, by_key);
    qsort(t->node_by_id, t->node_count, sizeof *t->node_by_id, by_id);
}

bool topology_load(struct topology *topology, struct store *store, struct error *err)
{
    struct topology fresh;
    struct store_node *nodes;
    struct store_gpu *gpus;
    size_t node_count, gpu_count;

    topology_init(&fresh);
    if (!store_nodes(store, &fresh.arena, &nodes, &node_count, err) ||
        !store_gpus(store, &fresh.arena, &gpus, &gpu_count, err)) {
        topology_release(&fresh);
        return false;
    }
    join(&fresh, nodes, node_count, gpus, gpu_count);
    topology_release(topology);
    *topology = fresh;
    return true;
}

const struct node *topology_node(const struct topology *topology, const char *id)
{
    struct node key = {.id = id}, *wanted = &key;
    struct node **found;

    if (topology->node_count == 0)
        return NULL;
    found = bsearch(&wanted, topology->node_by_id, topology->node_count, sizeof wanted, by_id);
    return found == NULL ? NULL : *found;
}

const struct gpu *topology_gpu(const struct node *node, const char *id)
{
    for (size_t i = 0; i < node->gpu_count; i++)
        if (strcmp(node->gpus[i].id, id) == 0)
            return &node->gpus[i];
    return NULL;
}

const struct node *topology_node_by_key(const struct topology *topology, int64_t key)
{
    for (size_t i = 0; i < topology->node_total; i++)
        if (topology->nodes[i].key == key)
            return &topology->nodes[i];
    return NULL;
}

const struct gpu *topology_gpu_by_key(const struct topology *topology, int64_t key)
{
    struct gpu wanted = {.key = key}, *pointer = &wanted;
    struct gpu **found;

    if (topology->gpu_total == 0)
        return NULL;
    found = bsearch(&pointer, topology->gpu_by_key, topology->gpu_total, sizeof pointer, by_key);
    return found == NULL ? NULL : *found;
}

void topology_sort_gpus(const struct topology *topology, int64_t *keys, size_t count)
{
    /* All GPUs of a topology stand in one array in configuration order, so their addresses are their order. Bookings name few
     * GPUs, mostly in order already: insertion sort. */
    for (size_t i = 1; i < count; i++) {
        int64_t key = keys[i];
        const struct gpu *gpu = topology_gpu_by_key(topology, key);
        size_t j = i;
        for (; j > 0 && topology_gpu_by_key(topology, keys[j - 1]) > gpu; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}
