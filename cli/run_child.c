/*
 * Runs run's command, as little in its way as can be.
 *
 * Where there is a terminal the command stays in our process group, so that the shell's job control, pipelines ("run -- x | less") and the
 * terminal's own signals (Ctrl-C, Ctrl-Z, a new size) work as if we were not there: what the terminal sends reaches both of us, and only
 * what somebody sends to us alone is handed on. When the command stops, so do we, for the shell to see.
 *
 * Without a terminal (a batch job, a service) it gets a group of its own: a signal sent to our group reaches us alone, and goes on to all of
 * the command's processes, once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/run.h"
#include "cli/talk.h"

#include "common/banned.h"

#define STATUS_NOT_STARTED 126
#define STATUS_NOT_FOUND 127

/* What is handed on. SIGCHLD is ours. */
static const int handed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU, SIGTSTP, SIGCONT};

struct child {
    pid_t pid;
    bool own_group; /* no terminal */
    int status;     /* as for a shell, once it has ended */
};

/* -- before it starts ------------------------------------------------------------------------------------------------- */

static int status_of(int error_number)
{
    return error_number == ENOENT || error_number == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_STARTED;
}

static int cannot_start(const char *command, int error_number)
{
    talk_warn(CLI_PROGRAM ": %s: %s\n", command, error_number == ENOENT ? "command not found" : strerror(error_number));
    return status_of(error_number);
}

/* 0, or the errno with which it cannot be started. */
static int check_file(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0)
        return errno;
    if (!S_ISREG(file.st_mode))
        return EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* As a shell looks: the first that can be started; one that cannot counts only when there is no other. What lies in a folder
 * of PATH that we may not search is not there. */
static int check_path(const char *command)
{
    const char *path = getenv("PATH"), *end;
    struct buffer file = BUFFER_INIT;
    int found = ENOENT, one;

    for (path = path ? path : "/bin:/usr/bin";; path = end + 1) {
        end = strchrnul(path, ':');
        buffer_clear(&file);
        buffer_append(&file, path, (size_t)(end - path));
        buffer_append_text(&file, end > path ? "/" : "./");
        buffer_append_text(&file, command);
        one = check_file(file.data);
        if (one == 0 || (one == EACCES && faccessat(AT_FDCWD, file.data, F_OK, AT_EACCESS) == 0))
            found = one;
        if (one == 0 || !*end)
            break;
    }
    buffer_release(&file);
    return found;
}

int run_check_command(const char *command)
{
    int found = strchr(command, '/') ? check_file(command) : check_path(command);

    return found == 0 ? 0 : cannot_start(command, found);
}

/* -- the start -------------------------------------------------------------------------------------------------------- */

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* All that is handed on, and SIGCHLD; but what was ignored when we began (nohup) stays so. */
static void wanted_signals(sigset_t *set)
{
    struct sigaction action;

    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof handed_on / sizeof handed_on[0]; i++)
        if (sigaction(handed_on[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, handed_on[i]);
}

/* In the child. What we handle becomes the default by exec, but SIGPIPE we ignore. */
static void become(const struct run *run, char **command, bool own_group, const sigset_t *mask, int failure)
{
    int number;

    if (own_group)
        setpgid(0, 0);
    signal(SIGPIPE, run->pipe_before == SIG_IGN ? SIG_IGN : SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    number = errno;
    while (write(failure, &number, sizeof number) < 0 && errno == EINTR)
        ;
    _exit(STATUS_NOT_STARTED);
}

/* False when it could not be started; its status is set. */
static bool start(const struct run *run, struct child *child, char **command, const sigset_t *mask)
{
    int ends[2], number = 0;
    ssize_t got;

    if (pipe2(ends, O_CLOEXEC) != 0 || (child->pid = fork()) < 0) {
        child->status = cannot_start(command[0], errno);
        return false;
    }
    if (child->pid == 0)
        become(run, command, child->own_group, mask, ends[1]);
    if (child->own_group)
        setpgid(child->pid, child->pid); /* whoever is first: a signal must find the group */
    close(ends[1]);
    do
        got = read(ends[0], &number, sizeof number);
    while (got < 0 && errno == EINTR);
    close(ends[0]);
    if (got != (ssize_t)sizeof number)
        return true;
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    child->status = cannot_start(command[0], number);
    return false;
}

/* -- while it runs ---------------------------------------------------------------------------------------------------- */

static void hand_on(const struct child *child, const siginfo_t *info)
{
    /* The terminal's signals come from the kernel, and went to the whole group. */
    if (child->own_group)
        kill(-child->pid, info->si_signo);
    else if (info->si_code != SI_KERNEL)
        kill(child->pid, info->si_signo);
}

/* The command has stopped. Where a shell watches us, so do we, until somebody goes on. */
static void stop_with(const struct child *child)
{
    if (child->own_group)
        return; /* nobody would wake us: whoever stopped the command wakes the command */
    kill(getpid(), SIGSTOP);
    kill(child->pid, SIGCONT);
}

/* Takes what has happened to our children; true when the command has ended. */
static bool reap(struct run *run, struct child *child, struct run_extend *extend)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (pid == extend->asking) {
            run_extend_end(run, extend);
        } else if (pid == child->pid && WIFSTOPPED(status)) {
            stop_with(child);
        } else if (pid == child->pid) {
            child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            return true;
        }
    }
    return false;
}

static void watch(struct run *run, struct child *child, const sigset_t *wanted)
{
    struct run_extend extend = {.wanted = cli_has(run->cli, "extend")};
    siginfo_t info;

    while (!reap(run, child, &extend)) {
        run_extend_tick(run, &extend);
        int number = sigtimedwait(wanted, &info, &(struct timespec){.tv_sec = run_extend_wait(run, &extend), .tv_nsec = 10000000});
        if (number > 0 && number != SIGCHLD)
            hand_on(child, &info);
    }
    run_extend_stop(&extend);
}

int run_command(struct run *run, char **command)
{
    struct child child = {.own_group = !has_terminal()};
    sigset_t wanted, before;

    wanted_signals(&wanted);
    sigprocmask(SIG_BLOCK, &wanted, &before);
    if (run_signal != 0) {
        child.status = 128 + run_signal;
    } else if (start(run, &child, command, &before)) {
        watch(run, &child, &wanted);
        /* What came for the command does not cut short giving back. */
        while (sigtimedwait(&wanted, NULL, &(struct timespec){0}) > 0)
            ;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child.status;
}
