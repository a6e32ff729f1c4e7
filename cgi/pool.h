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

#include "common/error.h"

#define POOL_WORKERS_MAX 256

/* A worker's slot in memory shared with the master. The worker writes, the master reads; restarts is the master's. */
struct pool_slot {
    _Atomic int32_t pid;            /* 0: no worker */
    _Atomic int64_t busy_since_ms;  /* monotonic; 0 while idle */
    _Atomic uint64_t served;        /* requests answered by this process */
    _Atomic uint64_t restarts;      /* processes that this slot has lost */
};

struct scoreboard {
    int workers;
    _Atomic uint64_t killed_at_deadline;
    struct pool_slot slots[POOL_WORKERS_MAX];
};

struct pool_options {
    int listen_fd;          /* bound, listening, non-blocking */
    int workers;            /* 1 to POOL_WORKERS_MAX */
    int64_t deadline_ms;    /* a request that takes longer ends its worker */
    int64_t drain_ms;       /* on TERM: how long workers may take to finish */
    /* Runs in a child before the first worker and on HUP, as the user the pool runs as: reads the configuration. Its exit status: 0 accepted. */
    int (*configure)(void *context);
    /* Runs in each worker until *STOP is set; its return value is the process's exit status. */
    int (*work)(void *context, int listen_fd, struct pool_slot *slot, const volatile sig_atomic_t *stop);
    void *context;
};

/*
 * Runs until TERM, INT or QUIT, then drains. Returns the exit status: 0 after an orderly end, 1 when the first configuration
 * was refused (configure has said why).
 */
int pool_run(const struct pool_options *options);

/* The scoreboard of the pool this process belongs to; NULL outside one (plain CGI). */
struct scoreboard *pool_scoreboard(void);

/*
 * The listen socket. pool_socket_open makes a unix socket at PATH, mode 0660: refused when somebody answers there or
 * when the path is something else than a socket; one that nobody answers on is replaced. pool_socket_inherited finds one that
 * systemd (LISTEN_FDS) or spawn-fcgi (fd 0) handed over; -1 when there is none. Both are made non-blocking, close-on-exec.
 */
int pool_socket_open(const char *path, struct error *err);
int pool_socket_inherited(void);
/* Removes PATH if it still is the socket that pool_socket_open made. */
void pool_socket_remove(const char *path);

#endif
