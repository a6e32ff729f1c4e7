/*
 * Nodes and GPUs in memory, as the database has them: those in use in configuration order, then the retired ones, which
 * old bookings still name. A worker keeps one and loads it again when the configuration revision moves.
 */
#ifndef CGI_PLANNER_TOPOLOGY_H
#define CGI_PLANNER_TOPOLOGY_H

#include "cgi/model.h"
#include "cgi/store/store.h"
#include "common/arena.h"

struct topology {
    struct arena arena; /* owns all below */
    struct node *nodes;
    size_t node_count; /* in use */
    size_t node_total; /* with the retired ones */
    struct gpu **gpu_by_key; /* sorted by key */
    size_t gpu_total;
    struct node **node_by_id; /* those in use, sorted by id */
};

void topology_init(struct topology *topology);
void topology_release(struct topology *topology);
/* Replaces what TOPOLOGY holds, within a transaction. On failure it is left as it was. */
bool topology_load(struct topology *topology, struct store *store, struct error *err);

/* NULL when there is none of that id in use. */
const struct node *topology_node(const struct topology *topology, const char *id);
const struct gpu *topology_gpu(const struct node *node, const char *id);
/* Retired ones too. */
const struct node *topology_node_by_key(const struct topology *topology, int64_t key);
const struct gpu *topology_gpu_by_key(const struct topology *topology, int64_t key);

/* Sorts GPU keys into configuration order, retired GPUs last. */
void topology_sort_gpus(const struct topology *topology, int64_t *keys, size_t count);

#endif
