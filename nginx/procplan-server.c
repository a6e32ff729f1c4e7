/*
 * procplan-server: a private nginx and procplan-fcgi, started together and stopped together, in the foreground.
 *
 * Everything the two need of each other (configuration, socket, temporary files) lives in a run folder that is made for
 * the run and removed with it. Bookings live where --database says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "nginx/account.h"
#include "nginx/child.h"
#include "nginx/conf.h"
#include "nginx/folder.h"
#include "nginx/listen.h"
#include "nginx/options.h"
#include "nginx/programs.h"

#include "common/banned.h"

#define START_PATIENCE_MS 30000 /* until both have to answer */
#define NGINX_PATIENCE_MS 10000 /* for answers on their way when we are told to stop */
#define POOL_PATIENCE_MS 35000  /* above the pool's own deadline for a request */
#define EXIT_USAGE 2
#define START_LOG "start.log"   /* what nginx says before it has read its configuration */

struct server {
    struct options options;
    struct account account;
    struct run_folder run;
    struct listen listen;
    struct child pool, nginx;
    struct keeper keeper;
    char *state; /* the folder that bookings are kept in */
    int pool_socket, signals, terminal;
    bool ready;         /* both have answered */
    bool reload_wanted; /* HUP came before that; the pool may not have been ready for it */
};

enum event { EVENT_NONE, EVENT_STOP, EVENT_CHILD };

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    dprintf(STDERR_FILENO, PROGRAM ": %s\n", text);
}

/* Signals: all of them are read from one descriptor, so none interrupts anything. */

static bool signals_open(struct server *server, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    server->terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return server->signals >= 0 || error_set(err, ERROR_INTERNAL, "cannot wait for signals: %s", strerror(errno));
}

/* HUP means "read the configuration again" (kill -HUP), unless the kernel sends it because our terminal was closed. */
static bool terminal_is_gone(const struct server *server)
{
    struct pollfd terminal = {.fd = server->terminal};
    return server->terminal >= 0 && poll(&terminal, 1, 0) > 0 && (terminal.revents & (POLLHUP | POLLERR));
}

/* The next event, waiting for it TIMEOUT_MS at most (-1: for ever). */
static enum event event_wait(struct server *server, int timeout_ms)
{
    struct pollfd watched = {.fd = server->signals, .events = POLLIN};
    struct signalfd_siginfo info;

    if (poll(&watched, 1, timeout_ms) <= 0 || read(server->signals, &info, sizeof(info)) != sizeof(info))
        return EVENT_NONE;
    switch (info.ssi_signo) {
    case SIGCHLD: return EVENT_CHILD;
    case SIGHUP:
        if (terminal_is_gone(server))
            return EVENT_STOP;
        if (server->ready)
            child_signal(&server->pool, SIGHUP);
        server->reload_wanted = true;
        return EVENT_NONE;
    default: return EVENT_STOP;
    }
}

/* Starting */

static bool pool_start(struct server *server, const char *path, struct error *err)
{
    const struct options *o = &server->options;
    const char *arguments[12] = {"procplan-fcgi", "--config", o->config, "--database", o->database};
    struct child_plan plan = {.path = path, .arguments = arguments, .folder = -1, .socket = server->pool_socket,
                              .variable = "LISTEN_PID", .second_variable = "LISTEN_FDS", .second_value = "1"};
    size_t n = 5;

    if (o->workers) {
        arguments[n++] = "--workers";
        arguments[n++] = o->workers;
    }
    if (server->account.drop) {
        arguments[n++] = "--user";
        arguments[n++] = server->account.name;
    }
    if (!child_start(&server->pool, &plan, err))
        return false;
    keeper_tell(&server->keeper, &server->pool);
    return true;
}

/*
 * nginx takes a listening socket from the variable NGINX, as it hands them on to itself in an upgrade ("Upgrading
 * Executable on the Fly" in nginx's manual). It says so on its start log, which nobody needs to see unless the start fails.
 */
static bool nginx_start(struct server *server, const char *path, struct error *err)
{
    static const char *const arguments[] = {"nginx", "-p", "./", "-e", START_LOG, "-c", "nginx.conf", NULL};
    struct child_plan plan = {.path = path, .arguments = arguments, .folder = server->run.fd, .socket = server->listen.fd,
                              .variable = "NGINX", .value = "3;"};
    struct buffer conf = BUFFER_INIT;

    conf_write(&conf, &server->listen, &server->account);
    bool ok = run_folder_write(&server->run, "nginx.conf", conf.data, err) && child_start(&server->nginx, &plan, err);
    buffer_release(&conf);
    if (!ok)
        return false;
    keeper_tell(&server->keeper, &server->nginx);
    close(server->listen.fd);
    server->listen.fd = -1;
    return true;
}

/* Everything up to two running children. */
static bool server_start(struct server *server, struct error *err)
{
    const struct options *o = &server->options;
    char *pool_path = NULL, *nginx_path = NULL;
    bool copied = false, ok = false;

    /* The keeper before any socket, so that it holds none: a door must close when nginx closes it. */
    if (!signals_open(server, err) || !child_adopt(err) || !(pool_path = program_pool(err)) ||
        !(nginx_path = program_nginx(o->nginx, err)) || !account_choose(o->user, o->database, o->config, &server->account, err) ||
        !run_folder_make(&server->run, &server->account, err) || !keeper_start(&server->keeper, &server->run, err) ||
        !listen_bind(o->host, o->port, &server->listen, err) ||
        !state_folder_prepare(o->database, &server->account, &server->state, err) ||
        !web_root_place(&server->run, o->web_root, &server->account, &copied, err))
        goto out;
    if (copied)
        say("user %s cannot read %s, so a copy of it is served; restart to see changes", server->account.name, o->web_root);
    server->pool_socket = listen_unix(server->run.fd, CONF_SOCKET_NAME, err);
    if (server->pool_socket < 0)
        goto out;
    if (server->account.drop &&
        fchownat(server->run.fd, CONF_SOCKET_NAME, server->account.uid, server->account.gid, AT_SYMLINK_NOFOLLOW) < 0) {
        error_set(err, ERROR_INTERNAL, "cannot give the pool's socket to user %s: %s", server->account.name, strerror(errno));
        goto out;
    }
    ok = pool_start(server, pool_path, err) && nginx_start(server, nginx_path, err);
out:
    free(pool_path);
    free(nginx_path);
    return ok;
}

/* What nginx said before it could read where to say it. */
static void show_start_log(const struct server *server)
{
    char text[2048];
    int fd = openat(server->run.fd, START_LOG, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

    for (ssize_t done = 0; n > 0 && done < n;) {
        ssize_t written = write(STDERR_FILENO, text + done, (size_t)(n - done));
        if (written <= 0)
            break;
        done += written;
    }
    if (fd >= 0)
        close(fd);
}

/* True while both run; says which has ended. At the start a pool that ended with status 1 has said why itself. */
static bool both_run(struct server *server)
{
    bool pool = !child_ended(&server->pool), nginx = !child_ended(&server->nginx);

    if (!pool && (server->ready || server->pool.status != 1 << 8))
        say("procplan-fcgi %s; stopping", child_end_text(&server->pool));
    if (!nginx) {
        if (!server->ready)
            show_start_log(server);
        say("nginx %s; stopping", child_end_text(&server->nginx));
    }
    if (pool && nginx) {
        const struct child *const children[] = {&server->pool, &server->nginx};
        child_reap_others(children, 2, &server->keeper);
    }
    return pool && nginx;
}

enum outcome { OUTCOME_READY, OUTCOME_STOPPED, OUTCOME_FAILED };

/* Until nginx and the pool answer together. */
static enum outcome wait_until_ready(struct server *server)
{
    int64_t deadline = clock_ms() + START_PATIENCE_MS;
    int status = 0;

    while (clock_ms() < deadline) {
        listen_ask(&server->listen, "/api/health", server->signals, 5000, &status);
        if (status == 200)
            return OUTCOME_READY;
        switch (event_wait(server, 20)) {
        case EVENT_STOP: return OUTCOME_STOPPED;
        case EVENT_CHILD:
            if (!both_run(server))
                return OUTCOME_FAILED;
            break;
        case EVENT_NONE: break;
        }
    }
    if (status)
        say("GET /api/health is answered with %d; giving up after %d seconds", status, START_PATIENCE_MS / 1000);
    else
        say("nothing answers GET /api/health; giving up after %d seconds", START_PATIENCE_MS / 1000);
    return OUTCOME_FAILED;
}

static void announce(const struct server *server)
{
    const char *host = !server->listen.wildcard ? server->listen.host : server->listen.dual_stack ? "[::1]" : "127.0.0.1";

    printf("ProcPlan is running at http://%s:%u/\n", host, server->listen.port);
    printf("Bookings are kept in %s\n", server->state);
    if (!server->listen.loopback)
        printf("Whoever can reach %s can book: nobody is asked for a password.\n",
               server->listen.wildcard ? "this machine" : server->listen.host);
    printf("Press Ctrl-C to stop.\n");
    fflush(stdout);
}

/* Stopping */

/* Asks CHILD to end and waits; a second request to stop, or no patience left, kills it. */
static void stop_child(struct server *server, struct child *child, int signal_number, int patience_ms)
{
    int64_t deadline = clock_ms() + patience_ms, left;

    child_signal(child, signal_number);
    while (!child_ended(child)) {
        left = deadline - clock_ms();
        if (left <= 0 || event_wait(server, (int)left) == EVENT_STOP)
            child_kill(child);
    }
}

/* nginx first: it takes no new request and lets the pool finish those it has. */
static void server_stop(struct server *server, bool gently)
{
    stop_child(server, &server->nginx, gently ? SIGQUIT : SIGTERM, NGINX_PATIENCE_MS);
    if (server->pool_socket >= 0)
        close(server->pool_socket);
    stop_child(server, &server->pool, SIGTERM, POOL_PATIENCE_MS);
    run_folder_remove(&server->run);
    keeper_dismiss(&server->keeper);
}

static int server_run(struct server *server)
{
    switch (wait_until_ready(server)) {
    case OUTCOME_FAILED: return EXIT_FAILURE;
    case OUTCOME_STOPPED: return EXIT_SUCCESS;
    case OUTCOME_READY: break;
    }
    /* From now on a pool that is gone is seen at once; until now its queue held on to the first request. */
    close(server->pool_socket);
    server->pool_socket = -1;
    server->ready = true;
    if (server->reload_wanted)
        child_signal(&server->pool, SIGHUP);
    announce(server);
    for (;;) {
        switch (event_wait(server, -1)) {
        case EVENT_STOP: return EXIT_SUCCESS;
        case EVENT_CHILD:
            if (!both_run(server))
                return EXIT_FAILURE;
            break;
        case EVENT_NONE: break;
        }
    }
}

int main(int argc, char **argv)
{
    struct server server = {.run = {.fd = -1}, .listen = {.fd = -1}, .pool = {.name = "procplan-fcgi"},
                            .nginx = {.name = "nginx"}, .pool_socket = -1, .signals = -1, .terminal = -1};
    struct error err = ERROR_INIT;
    int status = EXIT_FAILURE;

    switch (options_read(&server.options, argc, argv, &err)) {
    case OPTIONS_ANSWERED: return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        if (err.code != ERROR_NONE) /* else getopt has said it */
            say("%s; try --help", err.message);
        return EXIT_USAGE;
    case OPTIONS_RUN: break;
    }
    umask(077);
    if (server_start(&server, &err)) {
        status = server_run(&server);
    } else {
        say("%s", err.message);
    }
    server_stop(&server, status == EXIT_SUCCESS);
    account_release(&server.account);
    free(server.state);
    error_clear(&err);
    return status;
}
