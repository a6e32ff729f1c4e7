/*
 * Chance for property tests, the same everywhere for the same seed. The seed is printed; PROCPLAN_SEED repeats a run,
 * PROCPLAN_STEPS makes it shorter: in valgrind each step takes fifty times as long.
 */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

/* Takes the seed from PROCPLAN_SEED, else from the clock. Call it first in main(). */
static inline void random_begin(void)
{
    const char *given = getenv("PROCPLAN_SEED");

    random_state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * UINT64_C(2654435761);
    if (random_state == 0)
        random_state = 1;
    printf("# PROCPLAN_SEED=%llu\n", (unsigned long long)random_state);
    fflush(stdout);
}

/* 0 to N - 1, N > 0. xorshift64* (Vigna, 2016). */
static inline unsigned random_below(unsigned n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* How many steps a test takes that would take MOST: fewer when PROCPLAN_STEPS says so, never more. */
static inline int random_steps(int most)
{
    const char *fewer = getenv("PROCPLAN_STEPS");
    long steps = fewer != NULL ? strtol(fewer, NULL, 10) : 0;

    return steps > 0 && steps < most ? (int)steps : most;
}

#endif
