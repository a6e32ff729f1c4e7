/*
 * procplan-cli run: a command within a booking. run.c tells the story; run_booking.c gets the booking, run_child.c runs the command,
 * run_extend.c asks for more hours while it runs, run_release.c gives the rest back.
 *
 * The planner's clock counts, not this machine's: `clock_ahead` is by how much the planner's is ahead.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/command.h"

#define RUN_HOURS_MAX 100000
#define RUN_RELEASE_WAIT_MAX 86400 /* seconds */

struct run {
    struct cli *cli;
    int64_t booking_id;  /* 0: none yet */
    const char *node_id; /* "" while unknown; texts are in the arena */
    const char *token;   /* the release token; NULL when it is not known */
    struct json_object *nodes; /* GET api/nodes, asked once; NULL before, and after run_get_booking */
    const char *devices; /* what CUDA_VISIBLE_DEVICES will say */
    struct window window;
    int64_t clock_ahead; /* seconds */
    void (*pipe_before)(int); /* what SIGPIPE did when we began, and does for the command */
};

/* The signal that came while no command was there to take it, or 0. */
extern volatile sig_atomic_t run_signal;

/* Seconds since 1970 by the planner's clock. */
int64_t run_now(const struct run *run);
/* The connection, opened again: it is closed while the command runs, which must not inherit it. */
bool run_connect(struct run *run, struct error *err) __attribute__((warn_unused_result));

/*
 * Finds the booking: the one named, the one asked for, or the caller's own that runs on this machine now; then the devices of its GPUs. Gives
 * CLI_DONE, or an exit status. Whatever it gives: a booking_id that is set is to be given back, and *MADE tells whether it was made here.
 */
int run_get_booking(struct run *run, bool *made, struct error *err);

/* 0 when COMMAND can be started as far as one can see, else 126 or 127, and the sentence has been printed. */
int run_check_command(const char *command);
/* Runs the command and waits for its end. Gives its exit status, 128 + N when signal N ended it, 126 or 127 when it could not be started. */
int run_command(struct run *run, char **command);

/*
 * The booking's end draws near. Asking for more hours happens in a process of its own: the command's signals wait for no network.
 */
struct run_extend {
    bool wanted;      /* --extend, and the planner still has the booking */
    bool warned;      /* that the booking is over */
    int64_t next;     /* seconds by the planner's clock: not before then */
    pid_t asking;     /* 0: nobody asks at the moment */
    int answer;       /* pipe from who asks */
};

/* Seconds until there is something to do, from now on. */
int64_t run_extend_wait(const struct run *run, const struct run_extend *extend);
/* Does what is due: begins to ask, or warns that the booking is over. */
void run_extend_tick(struct run *run, struct run_extend *extend);
/* Who asked has ended. */
void run_extend_end(struct run *run, struct run_extend *extend);
/* The command has ended: so does asking. */
void run_extend_stop(struct run_extend *extend);

/* Gives the booking back, with patience; when it cannot, says how to do it by hand. False then. */
bool run_give_back(struct run *run);

#endif
