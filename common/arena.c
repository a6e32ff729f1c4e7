#include "common/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under AddressSanitizer what nobody holds is poisoned, so a pointer that outlives its request is caught. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(start, size) ASAN_POISON_MEMORY_REGION(start, size)
#define UNPOISON(start, size) ASAN_UNPOISON_MEMORY_REGION(start, size)
#else
#define POISON(start, size) ((void)(start), (void)(size))
#define UNPOISON(start, size) ((void)(start), (void)(size))
#endif

#include "common/banned.h"

#define ALIGNMENT _Alignof(max_align_t)
/* Holds an ordinary request whole; small enough to stay with an idle worker. */
#define BLOCK_SIZE ((size_t)64 * 1024)
/* What is larger than this gets a block of its own, so that a block's tail is never more than a quarter of it. */
#define LARGE_SIZE (BLOCK_SIZE / 4)

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* bytes of data */
    max_align_t data[];
};

static struct arena_block *block_new(size_t size)
{
    struct arena_block *block = malloc(sizeof(*block) + size);
    if (!block)
        abort();
    block->next = NULL;
    block->size = size;
    block->used = 0;
    POISON(block->data, size);
    return block;
}

static void block_free(struct arena_block *block)
{
    UNPOISON(block->data, block->size);
    free(block);
}

/* SIZE bytes, not zeroed. */
static void *take(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        abort();
    /* Nothing is nothing, but two pieces never share an address. */
    size_t step = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < step) {
        block = block_new(step > LARGE_SIZE ? step : BLOCK_SIZE);
        if (step > LARGE_SIZE && arena->blocks) {
            /* Full from the start: behind the newest, which goes on being filled. */
            block->next = arena->blocks->next;
            arena->blocks->next = block;
        } else {
            block->next = arena->blocks;
            arena->blocks = block;
        }
    }
    char *piece = (char *)block->data + block->used;
    block->used += step;
    UNPOISON(piece, size);
    return piece;
}

void arena_init(struct arena *arena)
{
    arena->blocks = NULL;
}

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block) {
        struct arena_block *next = block->next;
        block_free(block);
        block = next;
    }
    arena->blocks = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = NULL;
    struct arena_block *block = arena->blocks;
    while (block) {
        struct arena_block *next = block->next;
        if (!keep && block->size == BLOCK_SIZE)
            keep = block;
        else
            block_free(block);
        block = next;
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
        POISON(keep->data, keep->size);
    }
    arena->blocks = keep;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t more = count < 8 ? 16 : count * 2;
    void *room = arena_array(arena, more, size);
    if (count > 0)
        memcpy(room, items, count * size);
    *capacity = more;
    return room;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length)
{
    if (length == SIZE_MAX)
        abort();
    char *copy = take(arena, length + 1);
    if (length)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    if ((size_t)length < sizeof(small))
        return arena_copy(arena, small, (size_t)length);

    char *text = take(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
