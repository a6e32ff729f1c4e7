/*
 * An arena: memory that is taken piece by piece and given back at once. What a request allocates lives in
 * the request's arena and dies with it, so no path of a handler has anything to free.
 *
 * Invariant: every pointer from an arena is valid until arena_reset or arena_release, and aligned for any type.
 * When memory is gone the process aborts; no function here fails.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* the newest first */
};

void arena_init(struct arena *arena);
/* Gives everything back to the system. */
void arena_release(struct arena *arena);
/* Empties the arena and keeps one block of ordinary size for the next request; larger ones go back to the system. */
void arena_reset(struct arena *arena);

/* SIZE zeroed bytes. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/* COUNT zeroed elements of SIZE bytes; aborts when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/*
 * Room for one element more behind the COUNT elements of SIZE bytes in ITEMS, of which *CAPACITY fit: ITEMS itself, or a larger copy.
 * A list starts as NULL with capacity 0; what it outgrew stays behind in the arena.
 */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
    __attribute__((warn_unused_result, returns_nonnull));
/* A copy of LENGTH bytes with a NUL behind them. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length) __attribute__((returns_nonnull));
/* A copy of a NUL-terminated text. */
char *arena_text(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3), returns_nonnull));

#endif
