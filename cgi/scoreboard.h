/*
 * The scoreboard: memory that the master shares with its workers. Each worker says in a slot of its own what it is at, so that
 * the master can end one that hangs; and any worker can say for all of them how the pool is (GET /api/metrics). Nothing
 * here locks: each member has one writer, or is swapped where it has two.
 */
#ifndef CGI_SCOREBOARD_H
#define CGI_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgi/http/stats.h"

#define POOL_WORKERS_MAX 256

/* The worker writes, the master reads; restarts is the master's. */
struct worker_slot {
    _Atomic int32_t pid;            /* 0: no worker */
    _Atomic int64_t busy_since_ms;  /* clock_ms, which is the same in every process; 0 while idle; WORKER_CONDEMNED */
    _Atomic uint64_t served;        /* requests answered by this process */
    _Atomic uint64_t restarts;      /* processes that this slot has lost */
};

#define WORKER_CONDEMNED (-1) /* the master has decided to kill it */

struct scoreboard {
    int workers;
    _Atomic bool draining;  /* the pool ends; the workers finish what they have and what waits */
    _Atomic bool last_call; /* the pool ends, and nothing more is taken from the listen queue */
    _Atomic uint64_t killed_at_deadline;
    struct stats stats; /* the workers count, the master never looks */
    struct worker_slot slots[POOL_WORKERS_MAX];
};

/* Makes it, for the master and every process that it forks from then on. NULL, with errno, when there is no memory. */
struct scoreboard *scoreboard_make(int workers) __attribute__((warn_unused_result));
/* The one of the pool that this process belongs to; NULL outside one (plain CGI). */
struct scoreboard *scoreboard_of_pool(void);
/* How the pool's workers are now; within a pool only. */
void scoreboard_workers(struct stats_workers *out);

/*
 * For the worker: marks its slot busy and idle. worker_slot_idle says false when the deadline has passed and the master is about
 * to kill this process: it must not begin another request.
 */
void worker_slot_busy(struct worker_slot *slot);
bool worker_slot_idle(struct worker_slot *slot) __attribute__((warn_unused_result));

/*
 * For the master: condemns a worker that is busy since SINCE. False when it is not any more: the mark is swapped, not read, so a
 * worker that has just finished is never hit in the request after it.
 */
bool worker_slot_condemn(struct worker_slot *slot, int64_t since) __attribute__((warn_unused_result));

#endif
