#include "cgi/admin/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

#include "common/banned.h"

bool file_fails(const char *what, const char *path, struct error *err)
{
    int code = errno;

    return error_set(err, code == ENOSPC || code == EDQUOT ? ERROR_FULL : ERROR_UNAVAILABLE, "%s: %s: %s", path, what, strerror(code));
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

char *path_resolve(const char *path, struct error *err)
{
    char *real = realpath(path, NULL);
    struct stat status;

    if (real != NULL)
        return real;
    if (errno != ENOENT || lstat(path, &status) == 0) { /* a link that leads nowhere is one as well */
        file_fails("cannot be found", path, err);
        return NULL;
    }
    char *for_folder = copy_text(path), *for_name = copy_text(path);
    char *folder = realpath(dirname(for_folder), NULL);
    const char *name = basename(for_name);
    if (folder == NULL) {
        file_fails("its folder cannot be found", path, err);
    } else {
        char *with_slash = text_join(folder, strcmp(folder, "/") == 0 ? "" : "/");
        real = text_join(with_slash, name);
        free(with_slash);
    }
    free(folder);
    free(for_folder);
    free(for_name);
    return real;
}

bool path_same(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool path_not_same(const char *scratch, const char *needed, struct error *err)
{
    return !path_same(scratch, needed) ||
           error_set(err, ERROR_CONFIGURATION, "%s: this name is needed for a copy while it is made; rename the file first", needed);
}

bool become_owner(const char *path, struct error *err)
{
    struct stat status;
    char *copy = copy_text(path);
    bool found = stat(path, &status) == 0 || stat(dirname(copy), &status) == 0;

    free(copy);
    if (geteuid() != 0 || !found || status.st_uid == 0)
        return true;
    const struct passwd *user = getpwuid(status.st_uid);
    bool done = (user != NULL ? initgroups(user->pw_name, status.st_gid) == 0 : setgroups(0, NULL) == 0) &&
                setgid(status.st_gid) == 0 && setuid(status.st_uid) == 0;
    return done || file_fails("cannot become the user that owns it", path, err);
}

bool file_open(const char *path, bool missing, int *out, struct error *err)
{
    struct stat status;

    *out = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*out < 0)
        return (errno == ENOENT && missing) || file_fails("cannot be read", path, err);
    if (fstat(*out, &status) == 0 && S_ISREG(status.st_mode))
        return true;
    close(*out);
    *out = -1;
    return error_set(err, ERROR_CONFIGURATION, "%s: is not a file", path);
}

int file_make(const char *path, struct error *err)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (fd < 0) {
        file_fails("cannot be made", path, err);
        return -1;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set(err, ERROR_CONFIGURATION, "%s: is in the way", path);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(err, ERROR_CONFLICT, "%s: is just being written by another process", path);
    } else if (ftruncate(fd, 0) != 0 || fchmod(fd, 0600) != 0) {
        file_fails("cannot be made", path, err);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

bool file_copy(int from, int to, const char *name, struct error *err)
{
    char bytes[65536];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(from, bytes, sizeof bytes, at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_fails("what is copied to it cannot be read", name, err);
        if (!write_all(to, bytes, (size_t)n))
            return file_fails("cannot be written", name, err);
        at += n;
    }
    return fsync(to) == 0 || file_fails("cannot be written", name, err);
}

static bool sync_open(const char *path, int flags, struct error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;

    if (!done)
        file_fails("cannot be written to the disk", path, err);
    if (fd >= 0)
        close(fd);
    return done;
}

bool file_sync(const char *path, struct error *err)
{
    return sync_open(path, O_RDONLY, err);
}

bool folder_sync(const char *path_in_it, struct error *err)
{
    char *copy = copy_text(path_in_it);
    bool done = sync_open(dirname(copy), O_RDONLY | O_DIRECTORY, err);

    free(copy);
    return done;
}

bool file_replace(const char *from, const char *to, struct error *err)
{
    if (rename(from, to) != 0)
        return file_fails("cannot be replaced", to, err);
    return folder_sync(to, err);
}

void file_remove_beside(const char *file, const char *suffix)
{
    char *path = text_join(file, suffix);

    unlink(path);
    free(path);
}

void file_remove_logs(const char *file)
{
    file_remove_beside(file, "-journal");
    file_remove_beside(file, "-wal");
    file_remove_beside(file, "-shm");
}
