/*
 * The master is one loop around sigtimedwait(2): every signal it cares for is blocked and fetched there, so no code of
 * its own runs at a bad moment and nothing can be missed between a test and a wait.
 */
#include "cgi/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgi/listen.h"
#include "common/clock.h"
#include "common/log.h"

#include "common/banned.h"

#define QUICK_DEATH_MS 1000 /* who ends sooner, having answered nothing, is in a crash loop */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define AFTER_KILL_MS 5000 /* how long the master waits for what not even KILL ends (a dead disk) */

/* What the master alone knows of a slot. */
struct life {
    pid_t pid; /* 0: none runs */
    int64_t started_ms;
    int64_t start_at_ms; /* not before; while none runs */
    int quick_deaths;    /* in a row */
};

enum phase { PHASE_CONFIGURING, PHASE_SERVING, PHASE_DRAINING, PHASE_KILLED };

struct pool {
    const struct pool_options *options;
    enum phase phase;
    bool refused;          /* the first configuration was */
    pid_t configure_pid;   /* 0: none runs */
    int64_t configure_started_ms;
    bool configure_again;  /* HUP came while it ran */
    int64_t drain_began_ms;
    struct life lives[POOL_WORKERS_MAX];
};

static struct scoreboard *scoreboard; /* the one of this process */
static volatile sig_atomic_t stop_wanted; /* a worker's own */

/* -- children -------------------------------------------------------------------------------------------------- */

static void on_stop(int number)
{
    (void)number;
    stop_wanted = 1;
}

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* A child of a master that is killed must not live on. */
static void end_with_master(pid_t master)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != master)
        _exit(EXIT_FAILURE);
}

/*
 * The stop signals stay blocked (the master blocked them before the fork); worker_run lets them in while it waits. All of
 * them have our handler before the library's initialisation, which puts its own where it finds the default one:
 * USR1 therefore means the same as TERM. A terminal sends INT and HUP to the whole group, so a worker takes INT for TERM and
 * leaves HUP to the master.
 */
static _Noreturn void run_worker(const struct pool *pool, int index, pid_t master)
{
    static const int stop_signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1};
    const struct pool_options *options = pool->options;
    sigset_t others;

    for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
        set_handler(stop_signals[i], on_stop);
    set_handler(SIGHUP, SIG_IGN);
    sigemptyset(&others);
    sigaddset(&others, SIGHUP);
    sigaddset(&others, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &others, NULL);
    end_with_master(master);
    listen_forget();
    scoreboard->slots[index].pid = getpid();
    exit(options->work(options->context, options->listen_fd, &scoreboard->slots[index], &stop_wanted));
}

static _Noreturn void run_configure(const struct pool *pool, const sigset_t *handled, pid_t master)
{
    set_handler(SIGHUP, SIG_IGN);
    close(pool->options->listen_fd);
    sigprocmask(SIG_UNBLOCK, handled, NULL);
    end_with_master(master);
    listen_forget();
    exit(pool->options->configure(pool->options->context));
}

/* The next delay for a slot whose processes do not get going, in milliseconds. */
static int64_t backoff_ms(struct life *life)
{
    int64_t delay = BACKOFF_FIRST_MS;

    life->quick_deaths++;
    for (int i = 1; i < life->quick_deaths && delay < BACKOFF_MAX_MS; i++)
        delay *= 2;
    return delay < BACKOFF_MAX_MS ? delay : BACKOFF_MAX_MS;
}

static void start_worker(struct pool *pool, int index)
{
    struct life *life = &pool->lives[index];
    struct worker_slot *slot = &scoreboard->slots[index];
    pid_t master = getpid();
    int64_t now = clock_ms();

    slot->busy_since_ms = 0;
    slot->served = 0;
    pid_t pid = fork();
    if (pid == 0)
        run_worker(pool, index, master);
    if (pid < 0) {
        int64_t delay = backoff_ms(life);
        log_warning("cannot start a worker: %s; the next attempt in %lld ms", strerror(errno), (long long)delay);
        life->start_at_ms = now + delay;
        return;
    }
    slot->pid = pid;
    life->pid = pid;
    life->started_ms = now;
}

static void start_configure(struct pool *pool, const sigset_t *handled)
{
    pid_t master = getpid();
    pid_t pid = fork();

    if (pid == 0)
        run_configure(pool, handled, master);
    pool->configure_again = false;
    if (pid < 0) {
        log_error("cannot read the configuration: fork: %s", strerror(errno));
        pool->refused = pool->phase == PHASE_CONFIGURING;
        return;
    }
    pool->configure_pid = pid;
    pool->configure_started_ms = clock_ms();
}

/* -- what ends ------------------------------------------------------------------------------------------------- */

/* "ended with status 1", "was killed (SIGKILL)" */
static void describe_end(int status, char *out, size_t size)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"},
                 {SIGILL, "SIGILL"},   {SIGTERM, "SIGTERM"}, {SIGSYS, "SIGSYS"},   {SIGXCPU, "SIGXCPU"}};
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (number == 0) {
        snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
        return;
    }
    snprintf(out, size, "was killed (signal %d)", number);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == number)
            snprintf(out, size, "was killed (%s)", names[i].name);
}

/* A worker is gone while the pool serves: replaces it, at once or, if it died young and idle, after a while. */
static void replace_worker(struct pool *pool, int index, pid_t pid, int status)
{
    struct life *life = &pool->lives[index];
    struct worker_slot *slot = &scoreboard->slots[index];
    int64_t now = clock_ms();
    bool condemned = slot->busy_since_ms == WORKER_CONDEMNED;
    bool quick = !condemned && slot->served == 0 && now - life->started_ms < QUICK_DEATH_MS;
    char end[64];

    describe_end(status, end, sizeof(end));
    slot->pid = 0;
    slot->busy_since_ms = 0;
    slot->restarts++;
    if (quick) {
        int64_t delay = backoff_ms(life);
        life->start_at_ms = now + delay;
        log_warning("worker %d %s within a second, having answered nothing (%d in a row); the next one starts in %lld.%lld s",
                    (int)pid, end, life->quick_deaths, (long long)(delay / 1000), (long long)(delay % 1000 / 100));
        return;
    }
    life->quick_deaths = 0;
    life->start_at_ms = 0;
    start_worker(pool, index);
    if (life->pid == 0)
        log_warning("worker %d %s", (int)pid, end);
    else
        log_warning("worker %d %s; started %d", (int)pid, end, (int)life->pid);
}

static void worker_ended(struct pool *pool, int index, int status)
{
    pid_t pid = pool->lives[index].pid;
    char end[64];

    pool->lives[index].pid = 0;
    if (pool->phase == PHASE_SERVING) {
        replace_worker(pool, index, pid, status);
        return;
    }
    scoreboard->slots[index].pid = 0;
    if (status != 0 && pool->phase == PHASE_DRAINING) {
        describe_end(status, end, sizeof(end));
        log_warning("worker %d %s while stopping", (int)pid, end);
    }
}

static void configure_ended(struct pool *pool, int status)
{
    char end[64];

    pool->configure_pid = 0;
    if (pool->phase != PHASE_CONFIGURING && pool->phase != PHASE_SERVING)
        return;
    describe_end(status, end, sizeof(end));
    if (WIFSIGNALED(status))
        log_error("the process that reads the configuration %s", end);
    if (pool->phase == PHASE_SERVING) {
        if (status != 0)
            log_warning("the configuration was not taken; what was there before stays in force");
        return;
    }
    if (status != 0) {
        pool->refused = true;
        return;
    }
    pool->phase = PHASE_SERVING;
    if (pool->options->notice != NULL)
        log_notice("%s", pool->options->notice);
    log_notice("serving with %d worker%s", pool->options->workers, pool->options->workers == 1 ? "" : "s");
}

static void reap(struct pool *pool)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == pool->configure_pid) {
            configure_ended(pool, status);
            continue;
        }
        for (int i = 0; i < pool->options->workers; i++)
            if (pool->lives[i].pid == pid) {
                worker_ended(pool, i, status);
                break;
            }
    }
}

/* -- time ------------------------------------------------------------------------------------------------------ */

static void sooner(int64_t *next, int64_t at)
{
    if (at < *next)
        *next = at;
}

static void signal_workers(const struct pool *pool, int number)
{
    for (int i = 0; i < pool->options->workers; i++)
        if (pool->lives[i].pid != 0)
            kill(pool->lives[i].pid, number);
}

/* Kills who is past the deadline. */
static void watch_worker(struct pool *pool, int index, int64_t now, int64_t *next)
{
    struct worker_slot *slot = &scoreboard->slots[index];
    int64_t since = slot->busy_since_ms, deadline = pool->options->deadline_ms;

    if (since == WORKER_CONDEMNED)
        return;
    if (since == 0 || now - since < deadline) {
        sooner(next, (since == 0 ? now : since) + deadline);
        return;
    }
    if (!worker_slot_condemn(slot, since)) {
        sooner(next, now + deadline);
        return;
    }
    scoreboard->killed_at_deadline++;
    log_error("worker %d is busy with one request since %lld ms, over the deadline of %lld ms: killed",
              (int)pool->lives[index].pid, (long long)(now - since), (long long)deadline);
    kill(pool->lives[index].pid, SIGKILL);
}

static void watch_configure(struct pool *pool, int64_t now, int64_t *next)
{
    int64_t until = pool->configure_started_ms + pool->options->deadline_ms;

    if (pool->configure_pid == 0)
        return;
    if (now >= until) {
        log_error("reading the configuration takes longer than %lld ms: killed", (long long)pool->options->deadline_ms);
        kill(pool->configure_pid, SIGKILL);
        pool->configure_started_ms = now;
        until = now + pool->options->deadline_ms;
    }
    sooner(next, until);
}

static void watch_drain(struct pool *pool, int64_t now, int64_t *next)
{
    int64_t last_call = pool->drain_began_ms + pool->options->last_call_ms;
    int64_t end = pool->drain_began_ms + pool->options->drain_ms;

    if (now >= last_call)
        scoreboard->last_call = true;
    else
        sooner(next, last_call);
    if (pool->phase == PHASE_DRAINING && now >= end) {
        log_warning("not every worker finished within %lld ms; the rest is killed", (long long)pool->options->drain_ms);
        pool->phase = PHASE_KILLED;
        signal_workers(pool, SIGKILL);
        if (pool->configure_pid != 0)
            kill(pool->configure_pid, SIGKILL);
    }
    sooner(next, pool->phase == PHASE_KILLED ? end + AFTER_KILL_MS : end);
}

/* Does what is due; returns when to look again. */
static int64_t do_what_is_due(struct pool *pool, const sigset_t *handled)
{
    int64_t now = clock_ms(), next = INT64_MAX;

    if (pool->configure_again && pool->configure_pid == 0 && pool->phase == PHASE_SERVING)
        start_configure(pool, handled);
    watch_configure(pool, now, &next);
    if (pool->phase == PHASE_DRAINING || pool->phase == PHASE_KILLED)
        watch_drain(pool, now, &next);
    for (int i = 0; i < pool->options->workers; i++) {
        struct life *life = &pool->lives[i];
        if (life->pid == 0 && pool->phase == PHASE_SERVING && life->start_at_ms <= now)
            start_worker(pool, i);
        if (life->pid != 0)
            watch_worker(pool, i, now, &next);
        else if (pool->phase == PHASE_SERVING)
            sooner(&next, life->start_at_ms);
    }
    return next;
}

/* -- the loop -------------------------------------------------------------------------------------------------- */

static void begin_drain(struct pool *pool)
{
    if (pool->phase == PHASE_DRAINING || pool->phase == PHASE_KILLED)
        return;
    log_notice("stopping; the workers finish what they have");
    pool->phase = PHASE_DRAINING;
    pool->drain_began_ms = clock_ms();
    listen_remove();
    scoreboard->draining = true;
    signal_workers(pool, SIGTERM);
    if (pool->configure_pid != 0)
        kill(pool->configure_pid, SIGTERM);
}

static bool is_over(const struct pool *pool)
{
    if (pool->refused)
        return true;
    if (pool->phase != PHASE_DRAINING && pool->phase != PHASE_KILLED)
        return false;
    if (pool->phase == PHASE_KILLED && clock_ms() >= pool->drain_began_ms + pool->options->drain_ms + AFTER_KILL_MS)
        return true;
    for (int i = 0; i < pool->options->workers; i++)
        if (pool->lives[i].pid != 0)
            return false;
    return pool->configure_pid == 0;
}

static void wait_for_signal(struct pool *pool, const sigset_t *handled, int64_t until)
{
    int64_t left = until - clock_ms();
    struct timespec wait;
    int number;

    if (left < 0)
        left = 0;
    if (left > 3600 * 1000)
        left = 3600 * 1000;
    wait.tv_sec = (time_t)(left / 1000);
    wait.tv_nsec = (long)(left % 1000) * 1000000;
    number = sigtimedwait(handled, NULL, &wait);
    switch (number) {
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
        begin_drain(pool);
        break;
    case SIGHUP:
        log_notice("HUP: reading the configuration again");
        pool->configure_again = true;
        break;
    default: /* CHLD, or nothing within the time */
        break;
    }
}

int pool_run(const struct pool_options *options)
{
    static struct pool pool;
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD};
    sigset_t handled, usr1;

    scoreboard = scoreboard_make(options->workers);
    if (scoreboard == NULL) {
        log_error("no memory for the scoreboard: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    pool = (struct pool){.options = options};

    sigemptyset(&handled);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        /* A disposition of "ignored" may be inherited (nohup, a shell's background job) and would throw the signal away. */
        set_handler(signals[i], SIG_DFL);
        sigaddset(&handled, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &handled, NULL);
    /* Blocked, so that one that a worker gets early waits for its handler. The master itself has no use for it. */
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    set_handler(SIGPIPE, SIG_IGN);

    start_configure(&pool, &handled);
    while (!is_over(&pool)) {
        int64_t next = do_what_is_due(&pool, &handled);
        wait_for_signal(&pool, &handled, next);
        reap(&pool);
    }
    listen_remove();
    if (pool.refused)
        return EXIT_FAILURE;
    log_notice("stopped");
    return EXIT_SUCCESS;
}
