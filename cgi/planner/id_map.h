/*
 * A map from ids (of bookings or nodes; never 0) to small numbers, in an arena: open addressing with linear probing, 16 bytes a
 * slot, at most half full. Only grows.
 */
#ifndef CGI_PLANNER_ID_MAP_H
#define CGI_PLANNER_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

struct id_slot {
    int64_t id; /* 0: empty */
    uint32_t value;
};

struct id_map {
    struct arena *arena;
    struct id_slot *slots;
    unsigned bits; /* 2^bits slots; 0 before the first entry */
    size_t count;
};

void id_map_init(struct id_map *map, struct arena *arena);
/* The value of ID, or NULL. Borrowed until the next id_map_put. */
uint32_t *id_map_find(const struct id_map *map, int64_t id);
void id_map_put(struct id_map *map, int64_t id, uint32_t value);

#endif
