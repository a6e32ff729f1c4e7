#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/admin/admin.h"
#include "cgi/admin/files.h"
#include "common/text.h"

#include "common/banned.h"

static double megabytes(int64_t bytes)
{
    return (double)bytes / 1e6;
}

/* -- check ------------------------------------------------------------------------------------------------------ */

int admin_check(const struct admin *admin, struct error *err)
{
    struct admin_progress progress = {.doing = "check"};
    struct store_listener listener = admin_listener(&progress);
    struct store *store;
    int64_t faults, counts[BOOKING_CANCELLED + 1] = {0};
    int status = ADMIN_FAILED;

    if (!store_open(admin->database, false, &store, err))
        return ADMIN_FAILED;
    if (!store_check(store, &listener, &faults, err))
        goto out;
    admin_progress_end(&progress);
    status = faults == 0 ? ADMIN_DONE : ADMIN_FAULTS;
    if (faults > 0) {
        admin_say("%s: %lld fault%s; see restore in procplan-admin(8)", admin->database, (long long)faults, faults == 1 ? "" : "s");
    } else if (store_booking_counts(store, counts, err)) {
        admin_say("%s: sound: %lld active bookings, %lld completed, %lld cancelled", admin->database, (long long)counts[0],
                  (long long)counts[1], (long long)counts[2]);
    } else {
        status = ADMIN_FAILED;
    }
out:
    admin_progress_end(&progress);
    store_close(store);
    return status;
}

/* -- vacuum ----------------------------------------------------------------------------------------------------- */

int admin_vacuum(const struct admin *admin, struct error *err)
{
    struct admin_progress progress = {.doing = "vacuum"};
    struct store *store;
    int64_t before, after;

    if (!store_open(admin->database, false, &store, err))
        return ADMIN_FAILED;
    bool ok = store_bytes(store, &before, err);
    if (ok) {
        admin_say("%s: %.1f MB; until it is done people can look, but who books waits, and is told after %d seconds to try again",
                  admin->database, megabytes(before), STORE_LOCK_WAIT_MS / 1000);
        fflush(stdout);
        struct store_listener listener = admin_listener(&progress);
        ok = store_vacuum(store, &listener, err) && store_bytes(store, &after, err);
    }
    admin_progress_end(&progress);
    store_close(store);
    if (!ok)
        return ADMIN_FAILED;
    admin_say("%s: %.1f MB, before that %.1f MB", admin->database, megabytes(after), megabytes(before));
    return ADMIN_DONE;
}

/* -- backup ----------------------------------------------------------------------------------------------------- */

/* What stands in the backup's place may be an older one, but nothing else. */
static bool may_replace(const struct admin *admin, const char *file, struct error *err)
{
    struct stat status;

    if (path_same(file, admin->database))
        return error_set(err, ERROR_CONFIGURATION, "%s: is the database itself", file);
    if (lstat(file, &status) != 0)
        return errno == ENOENT || file_fails("cannot be looked at", file, err);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_CONFIGURATION, "%s: is in the way: it is not a file", file);
    return status.st_size == 0 || store_is_ours(file) ||
           error_set(err, ERROR_CONFIGURATION, "%s: is in the way: it is not a ProcPlan database", file);
}

static bool write_backup(const struct admin *admin, const char *file, const char *part, struct error *err)
{
    struct admin_progress progress = {.doing = "backup"};
    struct store_listener listener = admin_listener(&progress);
    struct store *store;
    bool ok;

    if (!store_open(admin->database, false, &store, err))
        return false;
    ok = store_backup(store, part, &listener, err);
    admin_progress_end(&progress);
    store_close(store);
    return ok && file_sync(part, err) && file_replace(part, file, err);
}

int admin_backup(const struct admin *admin, struct error *err)
{
    char *file = path_resolve(admin->file, err);
    char *part = file == NULL ? NULL : text_join(file, ".part");
    struct stat status;
    bool done = false;
    int fd = -1;

    if (file == NULL || !may_replace(admin, file, err) || !path_not_same(part, admin->database, err) || (fd = file_make(part, err)) < 0)
        goto out;
    file_remove_logs(part); /* of a run that was killed */
    done = write_backup(admin, file, part, err);
    if (!done)
        unlink(part);
    else if (stat(file, &status) == 0)
        admin_say("%s: %.1f MB, checked", file, megabytes(status.st_size));
out:
    if (fd >= 0)
        close(fd);
    free(part);
    free(file);
    return done ? ADMIN_DONE : ADMIN_FAILED;
}
