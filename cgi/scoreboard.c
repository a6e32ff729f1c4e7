#include "cgi/scoreboard.h"

#include <stddef.h>
#include <sys/mman.h>

#include "common/clock.h"

#include "common/banned.h"

static struct scoreboard *scoreboard;

struct scoreboard *scoreboard_make(int workers)
{
    void *memory = mmap(NULL, sizeof *scoreboard, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    scoreboard = memory;
    scoreboard->workers = workers;
    return scoreboard;
}

struct scoreboard *scoreboard_of_pool(void)
{
    return scoreboard;
}

void scoreboard_workers(struct stats_workers *out)
{
    *out = (struct stats_workers){.killed_at_deadline = scoreboard->killed_at_deadline};
    for (int i = 0; i < scoreboard->workers; i++) {
        const struct worker_slot *slot = &scoreboard->slots[i];
        if (slot->pid == 0)
            out->missing++;
        else if (slot->busy_since_ms != 0)
            out->busy++;
        else
            out->idle++;
        out->restarts += slot->restarts;
    }
}

void worker_slot_busy(struct worker_slot *slot)
{
    int64_t now = clock_ms();

    slot->busy_since_ms = now > 0 ? now : 1;
}

bool worker_slot_idle(struct worker_slot *slot)
{
    return atomic_exchange(&slot->busy_since_ms, 0) != WORKER_CONDEMNED;
}

bool worker_slot_condemn(struct worker_slot *slot, int64_t since)
{
    return atomic_compare_exchange_strong(&slot->busy_since_ms, &since, WORKER_CONDEMNED);
}
