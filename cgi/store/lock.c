#include "cgi/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"

#include "common/banned.h"

/*
 * One flock around every commit and every checkpoint. It keeps the two apart (SQLite 3.7.0 to 3.51.2 can lose a commit
 * when a checkpoint overlaps the commit that resets the log) and, unlike SQLite's own waiting, it is first come, first
 * served. flock(2) belongs to the open file description, so each process opens the file itself.
 */

int lock_file_open(const char *path, const char *suffix, struct error *err)
{
    char *name = text_join(path, suffix);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set(err, ERROR_UNAVAILABLE, "The database's lock file cannot be opened");
        error_detail(err, "%s: %s", name, strerror(errno));
    }
    free(name);
    return fd;
}

bool lock_open(struct store *store, struct error *err)
{
    store->lock_fd = lock_file_open(store->path, ".lock", err);
    if (store->lock_fd < 0)
        return false;
    store->pool_fd = lock_file_open(store->path, ".pool", err);
    if (store->pool_fd < 0)
        return false;
    if (flock(store->pool_fd, LOCK_SH | LOCK_NB) != 0) {
        error_set(err, ERROR_UNAVAILABLE, "The database is being restored; try again when that has ended");
        error_detail(err, "%s.pool is locked", store->path);
        return false;
    }
    return true;
}

void lock_close(struct store *store)
{
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    if (store->pool_fd >= 0)
        close(store->pool_fd);
    store->lock_fd = store->pool_fd = -1;
    store->locked = false;
}

static void on_alarm(int signal)
{
    (void)signal; /* it is enough that flock() returns */
}

/* flock() has no time limit of its own: an interval timer interrupts it, again and again, so that no alarm can come too early to count. */
static bool wait_for_lock(int fd)
{
    struct sigaction action = {.sa_handler = on_alarm}, before;
    struct itimerval timer = {{0, 50000}, {0, 50000}}, off = {{0, 0}, {0, 0}};
    int64_t deadline = clock_ms() + STORE_LOCK_WAIT_MS;
    sigset_t alarm_set, mask;
    int result;

    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, &before);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_set, &mask);
    setitimer(ITIMER_REAL, &timer, NULL);
    do
        result = flock(fd, LOCK_EX);
    while (result != 0 && errno == EINTR && clock_ms() < deadline);
    setitimer(ITIMER_REAL, &off, NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGALRM, &before, NULL);
    return result == 0;
}

bool lock_take(struct store *store, struct error *err)
{
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0 && !wait_for_lock(store->lock_fd)) {
        error_set(err, ERROR_UNAVAILABLE, "The database is busy; nothing was written, try again");
        error_detail(err, "no write lock within %d ms", STORE_LOCK_WAIT_MS);
        return false;
    }
    store->locked = true;
    return true;
}

void lock_release(struct store *store)
{
    if (store->locked)
        flock(store->lock_fd, LOCK_UN);
    store->locked = false;
}
