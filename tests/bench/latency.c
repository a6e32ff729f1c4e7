#include "tests/bench/latency.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/banned.h"

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void latency_init(struct latency *latency)
{
    latency->count = 0;
    latency->capacity = 1 << 16;
    latency->us = malloc(latency->capacity * sizeof(*latency->us));
    if (latency->us == NULL)
        abort();
}

void latency_release(struct latency *latency)
{
    free(latency->us);
}

void latency_add(struct latency *latency, int64_t ns)
{
    if (latency->count == latency->capacity) {
        latency->capacity *= 2;
        latency->us = realloc(latency->us, latency->capacity * sizeof(*latency->us));
        if (latency->us == NULL)
            abort();
    }
    int64_t us = ns / 1000;
    latency->us[latency->count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The smallest time that PERCENT of all do not exceed. */
static uint32_t percentile(const struct latency *latency, unsigned percent)
{
    if (latency->count == 0)
        return 0;
    size_t rank = (latency->count * percent + 99) / 100;
    return latency->us[rank > 0 ? rank - 1 : 0];
}

void latency_print(struct latency *latency, int64_t elapsed_ns, uint64_t bytes, uint64_t wrong)
{
    qsort(latency->us, latency->count, sizeof(*latency->us), compare);
    printf("{\"requests\":%zu,\"per_second\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"bytes\":%llu,\"wrong\":%llu}\n",
           latency->count, (double)latency->count * 1e9 / (double)elapsed_ns, percentile(latency, 50),
           percentile(latency, 99), (unsigned long long)bytes, (unsigned long long)wrong);
}
