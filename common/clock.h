/* Time that only goes forward, whatever the date is set to (CLOCK_MONOTONIC), for deadlines and pauses. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);
double clock_seconds(void);
/* Sleeps so many SECONDS, or until a signal comes; not at all for 0 or less. */
void clock_sleep(double seconds);

#endif
