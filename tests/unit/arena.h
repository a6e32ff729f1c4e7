/* For tests that need an arena and nothing else: each has it empty, and gives it back. */
#ifndef TESTS_UNIT_ARENA_H
#define TESTS_UNIT_ARENA_H

#include "common/arena.h"

static struct arena arena;

static int arena_begin(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int arena_end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* Behind unit.h, which has what cmocka needs first. */
#define IN_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_begin, arena_end)

#endif
