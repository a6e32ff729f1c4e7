/*
 * A worker's cache of finished bodies: least recently used goes first, bounded in bytes. An entry is right for one
 * revision only; asking for it at another one drops it. There is no time-to-live.
 */
#ifndef CGI_HTTP_CACHE_H
#define CGI_HTTP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

struct cache;

/* CAPACITY in bytes: keys, bodies and what they need around them. */
struct cache *cache_new(size_t capacity);
void cache_free(struct cache *cache);
/* The body kept under KEY at REVISION, or NULL. Borrowed until the next cache_put, cache_clear or cache_free. */
const struct buffer *cache_get(struct cache *cache, const char *key, int64_t revision);
/* Keeps a copy of BODY, unless it is larger than a quarter of the capacity. */
void cache_put(struct cache *cache, const char *key, int64_t revision, const struct buffer *body);
void cache_clear(struct cache *cache);
/* Bytes in use; for tests and metrics. */
size_t cache_size(const struct cache *cache);

#endif
