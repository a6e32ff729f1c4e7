/* More hours for run's booking, while the command still runs near its end. A refusal warns, and kills nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/booking.h"
#include "cli/run.h"
#include "cli/talk.h"
#include "common/json_read.h"

#include "common/banned.h"

#define NEAR_END (10 * 60)   /* seconds before the end: time for a few tries */
#define ASK_AGAIN (2 * 60)   /* seconds after a refusal, or when nobody answered */
#define ASK_TIMEOUT 60.0
#define WAIT_MAX (60 * 60)   /* seconds: the clock may be set meanwhile */

static int64_t end_of(const struct run *run)
{
    return (int64_t)run->window.end * SECONDS_PER_HOUR;
}

static int64_t due(const struct run *run, const struct run_extend *extend)
{
    int64_t ask = end_of(run) - NEAR_END;

    if (extend->warned)
        return INT64_MAX;
    if (!extend->wanted || extend->asking != 0)
        return end_of(run);
    if (ask < extend->next)
        ask = extend->next;
    return ask < end_of(run) ? ask : end_of(run);
}

int64_t run_extend_wait(const struct run *run, const struct run_extend *extend)
{
    int64_t at = due(run, extend), now = run_now(run);

    return at <= now ? 0 : at - now < WAIT_MAX ? at - now : WAIT_MAX;
}

/* -- who asks -------------------------------------------------------------------------------------------------------- */

/* The hour at which the booking ends now; HOUR_NONE when it has none any more. */
static bool ask(struct run *run, hour_t *end, struct error *err)
{
    struct cli *cli = run->cli;
    struct json_object *before = NULL, *after = NULL;
    struct buffer body = BUFFER_INIT;
    struct json_writer w;
    bool done;

    if (!run_connect(run, err))
        return false;
    http_set_timeout(cli->http, ASK_TIMEOUT);
    if (!booking_ask(cli, run->booking_id, &before, err)) {
        json_object_put(before);
        return false;
    }
    *end = strcmp(talk_text(before, "status"), "active") == 0 ? talk_hour(before, "end") : HOUR_NONE;
    if (*end != run->window.end) { /* somebody else has ended or extended it */
        json_object_put(before);
        return true;
    }
    json_begin(&w, &body);
    json_open_object(&w);
    json_put_hour(&w, "end", *end + 1);
    json_put_integer(&w, "version", talk_integer(before, "version"));
    json_close(&w);
    done = talk_write(cli, "PATCH", booking_path(cli, run->booking_id), &body, &after, err);
    if (done)
        *end = talk_hour(after, "end");
    json_object_put(before);
    json_object_put(after);
    buffer_release(&body);
    return done;
}

/* In the process that asks; what it learns goes through the pipe, what went wrong to stderr. */
static void ask_and_tell(struct run *run, int pipe_end)
{
    struct error err = ERROR_INIT;
    hour_t end = run->window.end;
    char text[HOUR_TEXT_SIZE];

    if (!ask(run, &end, &err)) {
        hour_format(run->window.end, text);
        talk_warn(CLI_PROGRAM ": booking %" PRId64 " still ends at %s: %s\n", run->booking_id, text, err.message);
        for (size_t i = 0; i < err.conflict_count; i++)
            talk_warn("  %s is held by %s (booking %" PRId64 ")\n", err.conflicts[i].gpu_id, err.conflicts[i].user_label,
                      err.conflicts[i].booking_id);
    } else if (write(pipe_end, &end, sizeof end) != (ssize_t)sizeof end) {
        talk_warn(CLI_PROGRAM ": the new end of booking %" PRId64 " is lost\n", run->booking_id);
    }
    error_clear(&err);
    http_close(run->cli->http);
}

static void begin(struct run *run, struct run_extend *extend)
{
    int ends[2];
    sigset_t none;
    pid_t parent = getpid();

    extend->next = run_now(run) + ASK_AGAIN;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    extend->asking = fork();
    if (extend->asking == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int number = 1; number < NSIG; number++)
            if (number != SIGPIPE)
                signal(number, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        close(ends[0]);
        if (getppid() == parent)
            ask_and_tell(run, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (extend->asking > 0) {
        extend->answer = ends[0];
    } else {
        extend->asking = 0;
        close(ends[0]);
    }
}

void run_extend_tick(struct run *run, struct run_extend *extend)
{
    char text[HOUR_TEXT_SIZE];

    if (run_now(run) >= end_of(run) && !extend->warned) {
        hour_format(run->window.end, text);
        talk_warn(CLI_PROGRAM ": booking %" PRId64 " ended at %s, and the command still runs: its GPUs may be somebody else's now\n",
                  run->booking_id, text);
        extend->warned = true;
    } else if (extend->wanted && extend->asking == 0 && run_now(run) >= due(run, extend)) {
        begin(run, extend);
    }
}

void run_extend_end(struct run *run, struct run_extend *extend)
{
    hour_t end;
    char text[HOUR_TEXT_SIZE];

    if (read(extend->answer, &end, sizeof end) == (ssize_t)sizeof end) {
        if (end == HOUR_NONE) {
            talk_warn(CLI_PROGRAM ": booking %" PRId64 " was ended by somebody else, and the command still runs\n", run->booking_id);
            extend->wanted = false;
            extend->warned = true;
        } else {
            hour_format(end, text);
            talk_warn(CLI_PROGRAM ": booking %" PRId64 " now ends at %s\n", run->booking_id, text);
            run->window.end = end;
            extend->next = 0;
        }
    }
    close(extend->answer);
    extend->asking = 0;
}

void run_extend_stop(struct run_extend *extend)
{
    if (extend->asking == 0)
        return;
    kill(extend->asking, SIGKILL);
    while (waitpid(extend->asking, NULL, 0) < 0 && errno == EINTR)
        ;
    close(extend->answer);
    extend->asking = 0;
}
