#include "cgi/store/internal.h"

#include <string.h>

#include "common/banned.h"

/*
 * SQLite makes every file name absolute, link by link, before it opens it. A service that was started as root enters
 * the database's folder first and then gives up root; it may not be allowed to walk the path to where it stands (a checkout below
 * a closed home), so a relative name must stay as it is. The caller has resolved links before it entered the folder, and
 * never changes it again, so everybody still agrees on the names of the -wal and -shm files.
 */
static sqlite3_vfs *system_vfs;
static sqlite3_vfs relative_vfs;

static int full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    size_t length = strlen(name);

    if (name[0] == '/')
        return system_vfs->xFullPathname(system_vfs, name, size, out);
    if (length + 1 > (size_t)size)
        return SQLITE_CANTOPEN;
    (void)vfs;
    memcpy(out, name, length + 1);
    return SQLITE_OK;
}

const char *vfs_name(struct error *err)
{
    if (system_vfs != NULL)
        return relative_vfs.zName;
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    if (found == NULL) {
        error_set(err, ERROR_INTERNAL, "SQLite has no file system");
        return NULL;
    }
    relative_vfs = *found;
    relative_vfs.pNext = NULL;
    relative_vfs.zName = "procplan";
    relative_vfs.xFullPathname = full_pathname;
    if (sqlite3_vfs_register(&relative_vfs, 0) != SQLITE_OK) {
        error_set(err, ERROR_INTERNAL, "SQLite refuses our file system");
        return NULL;
    }
    system_vfs = found;
    return relative_vfs.zName;
}
