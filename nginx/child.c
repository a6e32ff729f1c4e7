#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nginx/child.h"

#include "common/banned.h"

#define SOCKET_FD 3
#define KEEPER_PATIENCE_MS 5000
#define KEEPER_CHILDREN_MAX 4

bool child_adopt(struct error *err)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ||
           error_set(err, ERROR_INTERNAL, "cannot become the parent of what children leave behind: %s", strerror(errno));
}

static void default_signals(void)
{
    static const int changed[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGCHLD};
    sigset_t none;

    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
        signal(changed[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool put_environment(const struct child_plan *plan)
{
    char pid[24];

    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    unsetenv("GATEWAY_INTERFACE"); /* procplan-fcgi would take itself for a CGI */
    return setenv(plan->variable, plan->value ? plan->value : pid, 1) == 0 &&
           (!plan->second_variable || setenv(plan->second_variable, plan->second_value, 1) == 0);
}

static _Noreturn void become(const struct child_plan *plan, pid_t parent)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    setpgid(0, 0);
    default_signals();
    /* TERM ends both programs; the parent may have died before the kernel was told. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
        _exit(1);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || (plan->folder >= 0 && fchdir(plan->folder) < 0) ||
        (plan->socket == SOCKET_FD ? fcntl(SOCKET_FD, F_SETFD, 0) : dup2(plan->socket, SOCKET_FD)) < 0 ||
        !put_environment(plan)) {
        fprintf(stderr, "procplan-server: cannot prepare for %s: %s\n", plan->path, strerror(errno));
        _exit(1);
    }
    execv(plan->path, (char *const *)plan->arguments);
    fprintf(stderr, "procplan-server: cannot run %s: %s\n", plan->path, strerror(errno));
    _exit(1);
}

bool child_start(struct child *child, const struct child_plan *plan, struct error *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        return error_set(err, ERROR_INTERNAL, "cannot start %s: %s", child->name, strerror(errno));
    if (pid == 0)
        become(plan, parent);
    setpgid(pid, pid); /* both sides do it: nobody has to wait for the other */
    child->pid = pid;
    return true;
}

/*
 * The leader is gone or a zombie; its group may live on, as nginx's workers do after a kill -9 of their master. They have become our children
 * (child_adopt), so their group's number stays theirs until we have waited for the last.
 */
static void reap_group(struct child *child)
{
    pid_t group = child->pid, pid;
    int status;

    kill(-group, SIGKILL);
    while ((pid = waitpid(-group, &status, 0)) > 0 || errno == EINTR)
        if (pid == group)
            child->status = status;
    child->pid = 0;
}

bool child_ended(struct child *child)
{
    siginfo_t info = {.si_pid = 0};

    if (child->pid == 0)
        return true;
    if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return false;
    reap_group(child);
    return true;
}

void child_signal(const struct child *child, int signal_number)
{
    if (child->pid > 0)
        kill(child->pid, signal_number);
}

void child_kill(struct child *child)
{
    if (child->pid > 0)
        reap_group(child);
}

const char *child_end_text(const struct child *child)
{
    static char text[96];

    if (WIFSIGNALED(child->status))
        snprintf(text, sizeof(text), "was killed by signal %d (%s)", WTERMSIG(child->status),
                 strsignal(WTERMSIG(child->status)));
    else
        snprintf(text, sizeof(text), "ended with status %d", WEXITSTATUS(child->status));
    return text;
}

/* The keeper */

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void signal_groups(const pid_t *groups, size_t count, int signal_number)
{
    for (size_t i = 0; i < count; i++)
        kill(-groups[i], signal_number);
}

/*
 * Whether anything in the groups still runs. They are not the keeper's children, so it cannot wait for them, and whether their
 * zombies are waited for by somebody else, and when, is not its business: hence /proc and not kill(-group, 0).
 */
static bool groups_run(const pid_t *groups, size_t count)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    char path[300], stat[512];
    bool found = false;

    while (proc && !found && (entry = readdir(proc))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
        if (fd >= 0)
            close(fd);
        stat[n > 0 ? n : 0] = '\0';
        /* pid (name) state parent group …; the name may hold anything, so look from its last ')'. */
        const char *rest = strrchr(stat, ')');
        char state;
        long group;
        if (!rest || sscanf(rest, ") %c %*d %ld", &state, &group) != 2 || state == 'Z' || state == 'X')
            continue;
        for (size_t i = 0; i < count; i++)
            found = found || group == groups[i];
    }
    if (proc)
        closedir(proc);
    return found;
}

static _Noreturn void keep(int line, const struct run_folder *run)
{
    struct run_folder folder = *run;
    pid_t groups[KEEPER_CHILDREN_MAX], pid;
    size_t count = 0;
    int nothing = open("/dev/null", O_RDWR);

    /* Nobody who reads our output shall wait for the keeper's copy of it to close. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && nothing >= 0; fd++)
        dup2(nothing, fd);
    prctl(PR_SET_NAME, "procplan-keeper");
    setpgid(0, 0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (;;) {
        ssize_t n = read(line, &pid, sizeof(pid));
        if (n == (ssize_t)sizeof(pid) && count < KEEPER_CHILDREN_MAX)
            groups[count++] = pid;
        else if (n == 0 || (n < 0 && errno != EINTR))
            break;
    }
    signal_groups(groups, count, SIGTERM);
    for (int waited = 0; waited < KEEPER_PATIENCE_MS && groups_run(groups, count); waited += 20)
        sleep_ms(20);
    signal_groups(groups, count, SIGKILL);
    run_folder_remove(&folder);
    _exit(0);
}

bool keeper_start(struct keeper *keeper, const struct run_folder *run, struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, "cannot make a pipe: %s", strerror(errno));
    keeper->pid = fork();
    if (keeper->pid == 0) {
        close(ends[1]);
        keep(ends[0], run);
    }
    close(ends[0]);
    if (keeper->pid < 0) {
        close(ends[1]);
        return error_set(err, ERROR_INTERNAL, "cannot start a process: %s", strerror(errno));
    }
    keeper->line = ends[1];
    return true;
}

void keeper_tell(const struct keeper *keeper, const struct child *child)
{
    /* Shorter than PIPE_BUF, so it is written whole or not at all. Without the keeper everything still works. */
    ssize_t written = write(keeper->line, &child->pid, sizeof(child->pid));
    (void)written;
}

void keeper_dismiss(struct keeper *keeper)
{
    if (keeper->pid <= 0)
        return;
    kill(keeper->pid, SIGKILL);
    while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(keeper->line);
    keeper->pid = 0;
}

void child_reap_others(const struct child *const *children, size_t count, struct keeper *keeper)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        for (size_t i = 0; i < count; i++)
            if (info.si_pid == children[i]->pid)
                return; /* its end is news, and another signal told of it */
        if (info.si_pid == keeper->pid)
            keeper->pid = 0;
        waitpid(info.si_pid, NULL, WNOHANG);
    }
}
