#include "cgi/http/cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

/* An entry stands in its bucket's chain and in the list of all, the most recently used first. */
struct entry {
    struct entry *chain;
    struct entry *newer, *older;
    size_t bucket;
    size_t charge; /* bytes that it takes, with this struct */
    int64_t revision;
    struct buffer body; /* behind the key, in the same block */
    char key[];
};

/*
 * Clients choose the keys. Should someone find many that share a bucket, they drive out each other: a chain is never
 * longer than this, so a look-up never takes long.
 */
#define CHAIN_MAX 16
/* A bucket for so many bytes of capacity: with ordinary bodies most chains have no more than one entry. */
#define BYTES_PER_BUCKET 1024
#define BUCKETS_MIN 16

struct cache {
    size_t capacity, size;
    size_t mask; /* buckets - 1; their count is a power of two */
    struct entry *newest, *oldest;
    struct entry *dropped; /* out of the cache, but perhaps still borrowed: freed by the next put or clear */
    struct entry *buckets[];
};

struct cache *cache_new(size_t capacity)
{
    size_t buckets = BUCKETS_MIN;
    while (buckets < capacity / BYTES_PER_BUCKET)
        buckets *= 2;
    struct cache *cache = calloc(1, sizeof(*cache) + buckets * sizeof(cache->buckets[0]));
    if (!cache)
        abort();
    cache->capacity = capacity;
    cache->mask = buckets - 1;
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    cache_clear(cache);
    free(cache);
}

/* FNV-1a, its upper half folded in: the lower bits alone see only the lower bits of each byte. */
static size_t bucket_of(const struct cache *cache, const char *key)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
    return (size_t)(hash ^ hash >> 32) & cache->mask;
}

static void list_remove(struct cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_add(struct cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* Out of the cache, not yet out of memory. */
static void drop(struct cache *cache, struct entry *entry)
{
    struct entry **link = &cache->buckets[entry->bucket];
    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
    list_remove(cache, entry);
    cache->size -= entry->charge;
    entry->chain = cache->dropped;
    cache->dropped = entry;
}

static void free_dropped(struct cache *cache)
{
    while (cache->dropped) {
        struct entry *entry = cache->dropped;
        cache->dropped = entry->chain;
        free(entry);
    }
}

static struct entry *find(const struct cache *cache, size_t bucket, const char *key)
{
    struct entry *entry = cache->buckets[bucket];
    while (entry && strcmp(entry->key, key) != 0)
        entry = entry->chain;
    return entry;
}

const struct buffer *cache_get(struct cache *cache, const char *key, int64_t revision)
{
    struct entry *entry = find(cache, bucket_of(cache, key), key);
    if (!entry)
        return NULL;
    if (entry->revision != revision) {
        drop(cache, entry);
        return NULL;
    }
    list_remove(cache, entry);
    list_add(cache, entry);
    return &entry->body;
}

/* Makes room for CHARGE bytes in all, and for one entry in BUCKET. */
static void make_room(struct cache *cache, size_t charge, size_t bucket)
{
    size_t chain = 0;
    struct entry *last = NULL;
    for (struct entry *entry = cache->buckets[bucket]; entry; entry = entry->chain) {
        chain++;
        last = entry; /* the one that was put first: a chain grows at its head */
    }
    if (chain >= CHAIN_MAX)
        drop(cache, last);
    while (cache->oldest && cache->size + charge > cache->capacity)
        drop(cache, cache->oldest);
}

void cache_put(struct cache *cache, const char *key, int64_t revision, const struct buffer *body)
{
    size_t key_size = strlen(key) + 1;
    size_t charge = sizeof(struct entry) + key_size + body->length + 1;
    if (charge > cache->capacity / 4)
        return;
    size_t bucket = bucket_of(cache, key);
    struct entry *present = find(cache, bucket, key);
    if (present)
        drop(cache, present);
    make_room(cache, charge, bucket);
    free_dropped(cache);

    /* One block, of just the size that is needed; the caller's buffer, which has grown by doubling, serves the next answer. */
    struct entry *entry = malloc(charge);
    if (!entry)
        abort();
    char *data = entry->key + key_size;
    *entry = (struct entry){.chain = cache->buckets[bucket], .bucket = bucket, .charge = charge, .revision = revision,
                            .body = {data, body->length, body->length + 1}};
    memcpy(entry->key, key, key_size);
    if (body->length > 0)
        memcpy(data, body->data, body->length);
    data[body->length] = '\0';
    cache->buckets[bucket] = entry;
    list_add(cache, entry);
    cache->size += charge;
}

void cache_clear(struct cache *cache)
{
    while (cache->oldest)
        drop(cache, cache->oldest);
    free_dropped(cache);
}

size_t cache_size(const struct cache *cache)
{
    return cache->size;
}
