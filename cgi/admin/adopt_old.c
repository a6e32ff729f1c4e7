#include "cgi/admin/adopt_old.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/admin/files.h"
#include "common/text.h"

#include "common/banned.h"

/* The file, and what SQLite may have beside it. */
static const char *const beside[] = {"", "-wal", "-journal"};
#define BESIDE_COUNT (sizeof beside / sizeof beside[0])

/* Never the file itself: SQLite would write beside it. */
static bool read_copy(const struct admin *admin, const int fds[BESIDE_COUNT], struct arena *arena, struct original *out, struct error *err)
{
    char *copy = text_join(admin->database, ".adopting");
    /* Held until the end: nobody else takes this place. */
    int lock = path_not_same(copy, admin->file, err) ? file_make(copy, err) : -1;
    bool ok = lock >= 0;

    if (ok)
        file_remove_logs(copy); /* of a run that was killed: its log would be taken for this one's */
    for (size_t i = 0; i < BESIDE_COUNT && ok; i++) {
        if (fds[i] < 0)
            continue;
        char *to = text_join(copy, beside[i]);
        int fd = i == 0 ? lock : file_make(to, err);
        ok = fd >= 0 && file_copy(fds[i], fd, to, err);
        if (fd >= 0 && fd != lock)
            close(fd);
        free(to);
    }
    ok = ok && original_read(copy, admin->file, arena, out, err);
    if (lock >= 0) {
        file_remove_logs(copy);
        unlink(copy);
        close(lock);
    }
    free(copy);
    return ok;
}

/* What would show that somebody wrote while it was copied. */
static bool same_state(const int fds[BESIDE_COUNT], struct stat states[BESIDE_COUNT], bool first)
{
    for (size_t i = 0; i < BESIDE_COUNT; i++) {
        struct stat now = {0};
        if (fds[i] >= 0 && fstat(fds[i], &now) != 0)
            return false;
        if (!first && (now.st_size != states[i].st_size || now.st_mtim.tv_sec != states[i].st_mtim.tv_sec ||
                       now.st_mtim.tv_nsec != states[i].st_mtim.tv_nsec || (fds[i] >= 0 && now.st_nlink == 0)))
            return false;
        states[i] = now;
    }
    return true;
}

bool adopt_old_read(const struct admin *admin, struct arena *arena, struct original *out, struct error *err)
{
    struct stat states[BESIDE_COUNT];
    int fds[BESIDE_COUNT] = {-1, -1, -1};
    bool ok = true;

    for (size_t i = 0; i < BESIDE_COUNT && ok; i++) {
        char *path = text_join(admin->file, beside[i]);
        ok = file_open(path, i > 0, &fds[i], err);
        free(path);
    }
    ok = ok && become_owner(admin->database, err);
    if (ok && store_is_ours(admin->file))
        ok = error_set(err, ERROR_CONFIGURATION, "%s: is a database of this ProcPlan already", admin->file);
    if (ok) {
        same_state(fds, states, true);
        ok = read_copy(admin, fds, arena, out, err);
        if (!same_state(fds, states, false))
            ok = error_set(err, ERROR_CONFLICT, "%s: somebody writes to it: stop the original first", admin->file);
    }
    for (size_t i = 0; i < BESIDE_COUNT; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return ok;
}
