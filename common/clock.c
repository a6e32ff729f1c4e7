#include "common/clock.h"

#include <time.h>

#include "common/banned.h"

static struct timespec now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t;
}

int64_t clock_ms(void)
{
    struct timespec t = now();

    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

double clock_seconds(void)
{
    struct timespec t = now();

    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void clock_sleep(double seconds)
{
    time_t whole = (time_t)seconds;

    if (seconds > 0)
        nanosleep(&(struct timespec){whole, (long)((seconds - (double)whole) * 1e9)}, NULL);
}
