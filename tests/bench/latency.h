/* Times of single requests, and what is said about them: how many a second, the median, the 99th percentile. */
#ifndef TESTS_BENCH_LATENCY_H
#define TESTS_BENCH_LATENCY_H

#include <stddef.h>
#include <stdint.h>

struct latency {
    uint32_t *us; /* microseconds, as they came */
    size_t count, capacity;
};

/* The monotonic clock in nanoseconds. */
int64_t now_ns(void);
void latency_init(struct latency *latency);
void latency_release(struct latency *latency);
void latency_add(struct latency *latency, int64_t ns);
/* One line of JSON to stdout; ELAPSED in nanoseconds. Sorts what was added. */
void latency_print(struct latency *latency, int64_t elapsed_ns, uint64_t bytes, uint64_t wrong);

#endif
