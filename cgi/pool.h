/*
 * The pool: a master that holds the listen socket and N worker processes that answer. The master opens no database
 * and parses nothing from outside; it starts, replaces, watches and ends workers (DESIGN.md, "Processes").
 */
#ifndef CGI_POOL_H
#define CGI_POOL_H

#include <signal.h>
#include <stdint.h>

#include "cgi/scoreboard.h"

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
    int (*work)(void *context, int listen_fd, struct worker_slot *slot, const volatile sig_atomic_t *stop);
    void *context;
};

/*
 * Runs until TERM, INT or QUIT, then removes the socket's path (listen_remove) and drains. Returns the exit status: 0 after
 * an orderly end, 1 when the first configuration was refused. Blocks the signals it handles and leaves them blocked.
 */
int pool_run(const struct pool_options *options);

#endif
