#include "cli/run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/talk.h"

#include "common/banned.h"

/* A signal that was ignored when we began (nohup) stays ignored, for us and for the command. */
static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
#define ENDING_SIGNALS (sizeof ending_signals / sizeof ending_signals[0])

volatile sig_atomic_t run_signal;

static void remember(int number)
{
    run_signal = number;
}

/* From here on there may be something to give back, so nothing may end us on the spot. */
static void take_signals(void)
{
    struct sigaction old, taken = {.sa_handler = remember};

    sigemptyset(&taken.sa_mask);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ending_signals[i], &taken, NULL);
}

int64_t run_now(const struct run *run)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec + run->clock_ahead;
}

bool run_connect(struct run *run, struct error *err)
{
    struct cli *cli = run->cli;

    if (cli->http)
        return true;
    return http_open(&cli->http, &(struct http_settings){.url = cli->settings.url, .program = CLI_PROGRAM, .user = cli->user}, err);
}

static bool check_options(struct cli *cli, struct error *err)
{
    static const char *const of_a_new_one[] = {"gpus", "gpu", "hours", "kind", "node", "label", "priority", "note"};
    bool books = cli_has(cli, "gpus") || cli_has(cli, "gpu");
    int64_t number;

    for (size_t i = 0; i < sizeof of_a_new_one / sizeof of_a_new_one[0]; i++)
        if (cli_has(cli, "booking") && cli_has(cli, of_a_new_one[i]))
            return error_set(err, ERROR_BAD_REQUEST, "--booking names one that is there; --%s is for a new one", of_a_new_one[i]);
    if (cli_has(cli, "gpus") && cli_has(cli, "gpu"))
        return error_set(err, ERROR_BAD_REQUEST, "--gpu and --gpus exclude each other: name the GPUs or count them");
    if (cli_has(cli, "hours") && !books)
        return error_set(err, ERROR_BAD_REQUEST, "how many GPUs? Give --gpus N");
    if (!cli_has(cli, "hours") && books)
        return error_set(err, ERROR_BAD_REQUEST, "for how long? Give --hours N");
    if (cli_has(cli, "kind") && !cli_has(cli, "gpus"))
        return error_set(err, ERROR_BAD_REQUEST, "--kind says which GPUs --gpus counts; give both");
    return cli_integer(cli, "release-wait", 0, RUN_RELEASE_WAIT_MAX, 0, &number, err) && cli_integer(cli, "hours", 1, RUN_HOURS_MAX, 1, &number, err);
}

/* The command's status stands, whatever becomes of the booking afterwards. */
static int run_within(struct run *run, char **command)
{
    setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1);
    setenv("CUDA_VISIBLE_DEVICES", run->devices, 1);
    setenv("PROCPLAN_BOOKING_ID", arena_printf(run->cli->arena, "%" PRId64, run->booking_id), 1);
    unsetenv("PROCPLAN_RELEASE_TOKEN"); /* every process the command starts could read it */
    http_close(run->cli->http);
    run->cli->http = NULL;
    return run_command(run, command);
}

static int run_run(struct cli *cli, struct error *err)
{
    struct run run = {.cli = cli, .node_id = "", .devices = ""};
    bool made = false, begun;
    int status;

    if (!check_options(cli, err))
        return CLI_USAGE;
    status = run_check_command(cli->operands[0]);
    if (status != 0)
        return status;
    take_signals();
    http_set_stop(cli->http, &run_signal);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take the command's exit status away */
    run.pipe_before = signal(SIGPIPE, SIG_IGN);
    status = run_get_booking(&run, &made, err);
    begun = status == CLI_DONE && run_signal == 0;
    if (begun)
        status = run_within(&run, cli->operands);
    else if (run_signal != 0)
        status = 128 + run_signal;
    /* What was there before, and had nothing run in it, stays. */
    if (run.booking_id != 0 && (made || (begun && !cli_has(cli, "keep"))))
        run_give_back(&run);
    return status;
}

static const struct cli_option options[] = {
    {"booking", 0, "ID", "in this booking, which has begun"},
    {"gpus", 0, "N", "book so many GPUs, whichever are free"},
    {"gpu", 0, "ID", "book this GPU; may be repeated"},
    {"hours", 0, "N", "book for so long, from the current hour on"},
    {"kind", 0, "KIND", "book GPUs of this kind"},
    {"node", 0, "ID", "on this node (this machine)"},
    {"label", 0, "TEXT", "who has it, as the planner shows it (your login name)"},
    {"priority", 0, "LEVEL", "low, medium or high (medium)"},
    {"note", 0, "TEXT", "what it is for"},
    {"extend", 0, NULL, "near the end, while the command still runs, ask for another hour, again and again"},
    {"keep", 0, NULL, "leave a booking that was there before as it is, in place of giving it back"},
    {"release-wait", 0, "SECONDS", "how long to try to give the booking back while the planner is away (120)"},
    {NULL, 0, NULL, NULL},
};

const struct command command_run = {
    .name = "run",
    .operands = "-- COMMAND...",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .summary = "runs a command on booked GPUs, and gives the rest back when it ends",
    .details = "Without --booking and --gpus it takes your booking that runs on this machine now. The command sees its GPUs only\n"
               "(CUDA_VISIBLE_DEVICES) and PROCPLAN_BOOKING_ID; signals reach it, and its exit status is this one's: 128 + N when signal N\n"
               "ended it, 127 when it is not there, 126 when it cannot be started.\n",
    .example = "  " CLI_PROGRAM " run --gpus 2 --hours 8 --extend -- python3 train.py\n"
               "  " CLI_PROGRAM " run --booking 42 -- ./evaluate.sh\n"
               "  " CLI_PROGRAM " run -- nvidia-smi\n",
    .options = options,
    .no_json = true,
    .operands_last = true,
    .run = run_run,
};
