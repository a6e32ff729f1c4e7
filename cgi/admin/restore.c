/*
 * Puts a backup in the database's place. At every moment the place holds the old database or the new one, whole: the new one is made
 * ready beside it, the old one gets a second name, and one rename changes which of the two it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgi/admin/admin.h"
#include "cgi/admin/files.h"
#include "common/text.h"

#include "common/banned.h"

/* A file with a log beside it that holds something is a database in use, not a backup: copied alone it would lack its last writes. */
static bool refuse_log(const char *file, struct error *err)
{
    char *wal = text_join(file, "-wal");
    struct stat status;
    bool lone = stat(wal, &status) != 0 || status.st_size == 0;

    free(wal);
    return lone || error_set(err, ERROR_CONFIGURATION, "%s: has a log beside it (-wal), so it is no backup; make one of it first: "
                                                       "procplan-admin backup COPY --database %s", file, file);
}

/* Copies the backup to COPY and makes it ready. */
static bool make_ready(int backup, const char *copy, struct error *err)
{
    struct admin_progress progress = {.doing = "restore"};
    struct store_listener listener = admin_listener(&progress);
    int fd = file_make(copy, err);

    if (fd < 0)
        return false;
    file_remove_logs(copy); /* of a run that was killed */
    bool ok = file_copy(backup, fd, copy, err) && store_prepare_restore(copy, &listener, err);
    admin_progress_end(&progress);
    close(fd);
    return ok && file_sync(copy, err);
}

/* Gives the old database a second name, which stands in KEPT when this has ended. */
static bool keep_old(const char *database, bool settled, char *kept, size_t size, struct error *err)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    for (int i = 0; i < 100; i++) {
        if (snprintf(kept, size, i == 0 ? "%s.before-%s" : "%s.before-%s-%d", database, stamp, i) >= (int)size)
            return error_set(err, ERROR_CONFIGURATION, "%s: its name is too long", database);
        if (link(database, kept) == 0)
            break;
        if (errno != EEXIST || i == 99)
            return file_fails("cannot be kept under this name", kept, err);
    }
    if (settled)
        return folder_sync(database, err);
    char *wal = text_join(database, "-wal"), *kept_wal = text_join(kept, "-wal");
    bool ok = link(wal, kept_wal) == 0 || errno == ENOENT || file_fails("cannot be kept under this name", kept_wal, err);
    free(wal);
    free(kept_wal);
    return ok && folder_sync(database, err);
}

/* The old log must be gone before the new file is there: SQLite would take it for the new one's. */
static bool change_places(const char *database, const char *copy, char *kept, size_t size, struct error *err)
{
    struct stat status;

    kept[0] = '\0';
    if (stat(database, &status) == 0) {
        bool settled = store_settle(database);
        if (!keep_old(database, settled, kept, size, err))
            return false;
    } else if (errno != ENOENT) {
        return file_fails("cannot be looked at", database, err);
    }
    file_remove_logs(database);
    return folder_sync(database, err) && file_replace(copy, database, err);
}

static bool restore(const struct admin *admin, int backup, struct error *err)
{
    char *copy = text_join(admin->database, ".restoring");
    struct store_claim claim;
    char kept[4096];

    if (!store_claim(admin->database, &claim, err)) {
        free(copy);
        return false;
    }
    bool done = make_ready(backup, copy, err);
    if (done)
        done = change_places(admin->database, copy, kept, sizeof kept, err);
    if (!done)
        unlink(copy);
    store_release_claim(&claim);
    free(copy);
    if (done && kept[0] != '\0')
        admin_say("%s: restored; what it was before is kept as %s", admin->database, kept);
    else if (done)
        admin_say("%s: restored", admin->database);
    return done;
}

/* What a killed restore left beside the database is no backup, even where it looks like one. */
static bool scratch_is_free(const struct admin *admin, struct error *err)
{
    char *copy = text_join(admin->database, ".restoring");
    bool is_free = path_not_same(copy, admin->file, err);

    free(copy);
    return is_free;
}

int admin_restore(const struct admin *admin, struct error *err)
{
    bool done = false;
    int backup;

    if (!file_open(admin->file, false, &backup, err))
        return ADMIN_FAILED;
    if (path_same(admin->file, admin->database))
        error_set(err, ERROR_CONFIGURATION, "%s: is the database itself", admin->file);
    else
        done = refuse_log(admin->file, err) && scratch_is_free(admin, err) && become_owner(admin->database, err) && restore(admin, backup, err);
    close(backup);
    return done ? ADMIN_DONE : ADMIN_FAILED;
}
