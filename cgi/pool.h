/*
 * The pool: a master that holds the listen socket and N worker processes that answer. The master opens no database
 * and parses nothing from outside; it starts, replaces, watches and ends workers (DESIGN.md, "Processes").
 */
#ifndef CGI_POOL_H
#define CGI_POOL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgi/http/stats.h"

#define POOL_WORKERS_MAX 256

/* A worker's slot in memory shared with the master. The worker writes, the master reads; restarts is the master's. */
struct pool_slot {
    _Atomic int32_t pid;            /* 0: no worker */
    _Atomic int64_t busy_since_ms;  /* monotonic; 0 while idle; -1 once the master has decided to kill it */
    _Atomic uint64_t served;        /* requests answered by this process */
    _Atomic uint64_t restarts;      /* processes that this slot has lost */
};

struct scoreboard {
    int workers;
    _Atomic bool draining;  /* the pool ends; the workers finish what they have and what waits */
    _Atomic bool last_call; /* the pool ends, and nothing more is taken from the listen queue */
    _Atomic uint64_t killed_at_deadline;
    struct stats stats; /* the workers count, the master never looks */
    struct pool_slot slots[POOL_WORKERS_MAX];
};

struct pool_options {
    int listen_fd;          /* bound, listening, non-blocking */
    int workers;            /* 1 to POOL_WORKERS_MAX */
    int64_t deadline_ms;    /* a request that takes longer ends its worker */
    int64_t drain_ms;       /* on TERM: how long workers may take to finish */
    int64_t last_call_ms;   /* on TERM: how long they go on taking what waits in the listen queue, if it does not run dry */
    const char *notice;     /* logged once, when the first configuration was accepted; NULL: none */
    /* Runs in a child before the first worker and on HUP, as the user the pool runs as: reads the configuration. Its exit
     * status: 0 accepted. It says itself what is wrong. It is killed after the deadline, too. */
    int (*configure)(void *context);
    /* Runs in each worker until *STOP is set; its return value is the process's exit status. */
    int (*work)(void *context, int listen_fd, struct pool_slot *slot, const volatile sig_atomic_t *stop);
    void *context;
};

/*
 * Runs until TERM, INT or QUIT, then removes the socket's path (listen_remove) and drains. Returns the exit status: 0 after
 * an orderly end, 1 when the first configuration was refused. Blocks the signals it handles and leaves them blocked.
 */
int pool_run(const struct pool_options *options);

/* The scoreboard of the pool this process belongs to; NULL outside one (plain CGI). */
struct scoreboard *pool_scoreboard(void);

/* How the pool's workers are now; within a pool only. */
void pool_workers(struct stats_workers *out);

/*
 * For the worker: marks the slot busy and idle. pool_slot_idle says false when the deadline has passed and the master is about
 * to kill this process: it must not begin another request.
 */
void pool_slot_busy(struct pool_slot *slot);
bool pool_slot_idle(struct pool_slot *slot) __attribute__((warn_unused_result));

#endif
