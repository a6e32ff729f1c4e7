/*
 * The snapshot, drawn again when something changes: GET api/timeline with the ETag of the last answer, so that asking costs
 * a 304 of a few bytes. On a terminal it uses the alternate screen (xterm's private modes 1049, 7 and 25), which is left as
 * it was found.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/snapshot.h"
#include "cli/talk.h"
#include "cli/width.h"

#include "common/banned.h"

#define INTERVAL_DEFAULT 2
#define INTERVAL_MAX 3600
#define ROWS_DEFAULT 24

static volatile sig_atomic_t stop_wanted, size_changed;

static void on_signal(int number)
{
    if (number == SIGWINCH)
        size_changed = 1;
    else
        stop_wanted = 1;
}

struct watch {
    struct cli *cli;
    struct snapshot snapshot;
    struct buffer path, picture;
    char etag[HTTP_ETAG_SIZE];
    bool screen;        /* stdout is a terminal */
    bool drawn;         /* a picture has been shown */
    bool gone;          /* the last question got no answer */
    sigset_t while_asleep;
};

/* Signals arrive only while it sleeps or a request runs, so none is missed between a look at the flag and the sleep. */
static void catch_signals(struct watch *watch)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        struct sigaction old;
        sigaction(caught[i], NULL, &old);
        if (old.sa_handler == SIG_IGN) /* nohup */
            continue;
        sigaction(caught[i], &action, NULL);
        sigaddset(&set, caught[i]);
    }
    sigprocmask(SIG_BLOCK, &set, &watch->while_asleep);
}

static void sleep_for(const struct watch *watch, int64_t seconds)
{
    struct timespec wait = {.tv_sec = (time_t)seconds};

    if (!stop_wanted && !size_changed)
        pselect(0, NULL, NULL, NULL, &wait, &watch->while_asleep);
}

static int screen_rows(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : ROWS_DEFAULT;
}

static void show_on_screen(struct watch *watch, const char *state)
{
    int left = screen_rows() - 1;
    const char *line = watch->picture.data ? watch->picture.data : "", *end;
    char now[32];
    time_t seconds = time(NULL);
    struct tm tm;

    fputs("\x1b[H", stdout);
    for (; left > 0 && *line; left--, line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        printf("%.*s\x1b[K\r\n", (int)(end - line), line);
    }
    gmtime_r(&seconds, &tm);
    strftime(now, sizeof now, "%H:%M:%S UTC", &tm);
    printf("\x1b[2m%s · %s · %sCtrl-C ends\x1b[0m\x1b[K\x1b[J", now, state, *line ? "more below · " : "");
    fflush(stdout);
}

static void show(struct watch *watch)
{
    if (watch->screen) {
        show_on_screen(watch, "waiting for changes");
        return;
    }
    if (watch->drawn)
        putchar('\n');
    fwrite(watch->picture.data, 1, watch->picture.length, stdout);
    fflush(stdout);
}

/* One question. False when it failed; ERR says why. */
static bool look(struct watch *watch, struct error *err)
{
    struct http_request request = {
        .method = "GET", .path = watch->path.data, .if_none_match = watch->etag[0] ? watch->etag : NULL};
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct json_object *json = NULL;
    struct arena *whole = watch->cli->arena, passing;
    sigset_t blocked;
    bool done;

    arena_init(&passing); /* this may run for months */
    watch->cli->arena = &passing;
    sigprocmask(SIG_SETMASK, &watch->while_asleep, &blocked);
    done = http_send(watch->cli->http, &request, &answer, err);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    if (done && answer.status != 304) {
        done = http_result(watch->cli->http, &request, &answer, &json, err);
        if (done) {
            buffer_clear(&watch->picture);
            done = snapshot_draw(watch->cli, json, &watch->picture, err);
        }
        if (done) {
            memcpy(watch->etag, answer.etag, sizeof watch->etag);
            show(watch);
            watch->drawn = true;
        }
    }
    json_object_put(json);
    http_answer_release(&answer);
    watch->cli->arena = whole;
    arena_release(&passing);
    return done;
}

static void begin_screen(const struct watch *watch)
{
    if (watch->screen)
        fputs("\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[H\x1b[2J", stdout);
}

static void end_screen(const struct watch *watch)
{
    if (watch->screen)
        fputs("\x1b[?25h\x1b[?7h\x1b[?1049l", stdout);
    fflush(stdout);
}

/* A planner that is away comes back: it says so, and asks again. */
static void say_gone(struct watch *watch, struct error *err)
{
    struct buffer line = BUFFER_INIT;

    width_safe(&line, err->message, strlen(err->message));
    if (watch->screen)
        show_on_screen(watch, line.data);
    else if (!watch->gone)
        talk_warn(CLI_PROGRAM ": %s\n", line.data);
    watch->gone = true;
    buffer_release(&line);
    error_clear(err);
}

static int watch_on(struct watch *watch, int64_t interval, struct error *err)
{
    while (!stop_wanted) {
        sleep_for(watch, interval);
        if (stop_wanted)
            break;
        if (size_changed) {
            size_changed = 0;
            if (watch->screen)
                show(watch);
            continue;
        }
        if (look(watch, err)) {
            if (watch->gone && watch->screen)
                show(watch);
            watch->gone = false;
        } else if (!stop_wanted) {
            if (err->code != ERROR_UNAVAILABLE && err->code != ERROR_INTERNAL)
                return CLI_FAILED;
            say_gone(watch, err);
        }
    }
    error_clear(err);
    return CLI_DONE;
}

static int run(struct cli *cli, struct error *err)
{
    struct watch watch = {.cli = cli, .screen = isatty(STDOUT_FILENO)};
    int64_t interval;
    int status = CLI_FAILED;

    if (!cli_integer(cli, "interval", 1, INTERVAL_MAX, INTERVAL_DEFAULT, &interval, err) ||
        !snapshot_read(cli, &watch.snapshot, err))
        return CLI_USAGE;
    if (snapshot_path(cli, &watch.snapshot, &watch.path, err)) {
        catch_signals(&watch);
        http_set_stop(cli->http, &stop_wanted);
        begin_screen(&watch);
        if (look(&watch, err))
            status = watch_on(&watch, interval, err);
        else if (stop_wanted) {
            error_clear(err);
            status = CLI_DONE;
        }
        end_screen(&watch);
        http_set_stop(cli->http, NULL);
    }
    buffer_release(&watch.path);
    buffer_release(&watch.picture);
    return status;
}

static const struct cli_option options[] = {
    SNAPSHOT_OPTIONS,
    {"interval", 0, "SECONDS", "how often to ask (2)"},
    {NULL, 0, NULL, NULL},
};

const struct command command_watch = {
    .name = "watch",
    .summary = "shows the snapshot, and draws it again when something changes",
    .details = "On a terminal until Ctrl-C; in a pipe it prints a snapshot at each change.\n",
    .example = "  " CLI_PROGRAM " watch --all\n",
    .options = options,
    .no_json = true,
    .run = run,
};
