#include "cgi/planner/id_map.h"

#include "common/banned.h"

#define BITS_FIRST 6

static size_t size(const struct id_map *map)
{
    return map->bits == 0 ? 0 : (size_t)1 << map->bits;
}

void id_map_init(struct id_map *map, struct arena *arena)
{
    *map = (struct id_map){.arena = arena};
}

/* Where ID is, or the empty slot where it would be. Ids come in runs; Fibonacci hashing (Knuth, volume 3, 6.4) spreads them
 * evenly over the upper bits of the product. */
static struct id_slot *slot_of(const struct id_map *map, int64_t id)
{
    size_t i = (size_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - map->bits));

    while (map->slots[i].id != 0 && map->slots[i].id != id)
        i = (i + 1) & (size(map) - 1);
    return &map->slots[i];
}

uint32_t *id_map_find(const struct id_map *map, int64_t id)
{
    if (map->bits == 0)
        return NULL;
    struct id_slot *slot = slot_of(map, id);
    return slot->id != 0 ? &slot->value : NULL;
}

static void grow(struct id_map *map)
{
    struct id_map larger = {.arena = map->arena, .bits = map->bits == 0 ? BITS_FIRST : map->bits + 2, .count = map->count};

    larger.slots = arena_array(map->arena, size(&larger), sizeof *larger.slots);
    for (size_t i = 0; i < size(map); i++)
        if (map->slots[i].id != 0)
            *slot_of(&larger, map->slots[i].id) = map->slots[i];
    *map = larger;
}

void id_map_put(struct id_map *map, int64_t id, uint32_t value)
{
    if (map->count * 2 >= size(map))
        grow(map);
    struct id_slot *slot = slot_of(map, id);
    if (slot->id == 0) {
        slot->id = id;
        map->count++;
    }
    slot->value = value;
}
