/* Gives run's booking back. The planner may be away for a while; the command's hours should not be lost for that. */
#include <inttypes.h>

#include "cli/release.h"
#include "cli/run.h"
#include "cli/talk.h"
#include "common/clock.h"

#include "common/banned.h"

#define WAIT_DEFAULT 120 /* seconds */
#define WAIT_INTERRUPTED 5 /* when somebody wants us gone */
#define TRY_TIMEOUT 10.0
#define PAUSE_MAX 16

static void by_hand(const struct run *run, const char *reason)
{
    struct http *http = run->cli->http;

    talk_warn(CLI_PROGRAM ": booking %" PRId64 " is not given back: %s\n", run->booking_id, reason);
    talk_warn("Please do it by hand: " CLI_PROGRAM "%s%s done %" PRId64 "\n", http ? " --url " : "", http ? http_base(http) : "", run->booking_id);
}

/* Once; a token that the planner does not take is put aside, as a login may do. *WAIT becomes longer when the server wants it so. */
static enum release try_once(struct run *run, double *wait, struct error *err)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    enum release result = release_try(run->cli->http, run->booking_id, run->token, &answer, err);

    if (result == RELEASE_REFUSED && run->token) {
        run->token = NULL;
        error_clear(err);
        result = release_try(run->cli->http, run->booking_id, NULL, &answer, err);
    }
    double wanted = release_pause(&answer, *wait);
    if (wanted > 0)
        *wait = wanted;
    http_answer_release(&answer);
    return result;
}

/* Tries until DEADLINE; from the first signal on only for a moment more. */
static enum release try_until(struct run *run, double deadline, struct error *err)
{
    enum release result;

    for (double pause = 1;; pause = pause < PAUSE_MAX ? pause * 2 : PAUSE_MAX) {
        double wait = pause;
        error_clear(err);
        result = try_once(run, &wait, err);
        if (result != RELEASE_FAILED)
            return result;
        if (run_signal != 0 && deadline > clock_seconds() + WAIT_INTERRUPTED)
            deadline = clock_seconds() + WAIT_INTERRUPTED;
        double left = deadline - clock_seconds();
        if (left <= 0)
            return result;
        if (pause <= 1)
            talk_warn(CLI_PROGRAM ": %s; trying again for %.0f s\n", err->message, left);
        clock_sleep(wait < left ? wait : left);
    }
}

bool run_give_back(struct run *run)
{
    struct error err = ERROR_INIT;
    enum release result;
    int64_t wait;
    bool given;

    if (!cli_integer(run->cli, "release-wait", 0, RUN_RELEASE_WAIT_MAX, WAIT_DEFAULT, &wait, &err) || !run_connect(run, &err)) {
        by_hand(run, err.message);
        error_clear(&err);
        return false;
    }
    http_set_stop(run->cli->http, NULL);
    http_set_timeout(run->cli->http, TRY_TIMEOUT);
    result = try_until(run, clock_seconds() + (double)wait, &err);
    given = result == RELEASE_DONE || result == RELEASE_GONE;
    if (result == RELEASE_DONE)
        talk_warn(CLI_PROGRAM ": booking %" PRId64 " is given back\n", run->booking_id);
    else if (result == RELEASE_GONE)
        talk_warn(CLI_PROGRAM ": booking %" PRId64 " had been ended already\n", run->booking_id);
    else
        by_hand(run, err.message);
    error_clear(&err);
    return given;
}
