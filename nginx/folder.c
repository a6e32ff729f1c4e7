#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx/folder.h"
#include "nginx/path.h"

#include "common/banned.h"

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}

/* The run folder */

static bool run_folder_try(struct run_folder *run, const char *base, const struct account *account)
{
    if (asprintf(&run->path, "%s/procplan-run-XXXXXX", base) < 0)
        abort();
    run->fd = -1;
    if (mkdtemp(run->path)) {
        run->fd = open(run->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (run->fd >= 0 && (!account->drop || fchmod(run->fd, 0711) == 0) && account_can(account, AT_FDCWD, run->path, X_OK))
            return true;
        int saved = errno;
        run_folder_remove(run);
        errno = saved;
        return false;
    }
    int saved = errno;
    free(run->path);
    run->path = NULL;
    errno = saved;
    return false;
}

bool run_folder_make(struct run_folder *run, const struct account *account, struct error *err)
{
    const char *base = getenv("TMPDIR");

    *run = (struct run_folder){.path = NULL, .fd = -1};
    if (base && base[0] == '/' && run_folder_try(run, base, account))
        return true;
    if (run_folder_try(run, "/tmp", account))
        return true;
    return error_set(err, ERROR_INTERNAL, "cannot make a folder for this run in /tmp: %s", strerror(errno));
}

/* Empties the folder open as FD, which is closed. Works on descriptors only, so that no link planted meanwhile leads it astray. */
static void folder_empty(int fd, int depth)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        close(fd);
        return;
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || depth >= WEB_ROOT_DEPTH_MAX)
            continue;
        int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            folder_empty(below, depth + 1);
        unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

void run_folder_remove(struct run_folder *run)
{
    if (!run->path)
        return;
    if (run->fd >= 0)
        folder_empty(run->fd, 0);
    rmdir(run->path);
    free(run->path);
    *run = (struct run_folder){.path = NULL, .fd = -1};
}

bool run_folder_write(const struct run_folder *run, const char *name, const char *text, struct error *err)
{
    int fd = openat(run->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t length = strlen(text), done = 0;

    while (fd >= 0 && done < length) {
        ssize_t n = write(fd, text + done, length - done);
        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || done < length) {
        error_set(err, ERROR_INTERNAL, "cannot write %s/%s: %s", run->path, name, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    return true;
}

/* The web root */

static bool file_copy(int from_folder, int to_folder, const char *name, long long *left)
{
    int from = openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to = from < 0 ? -1 : openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = to >= 0 && fchmod(to, 0644) == 0;
    char block[65536];
    ssize_t n = 0;

    while (ok && (n = read(from, block, sizeof(block))) > 0) {
        *left -= n;
        if (*left < 0)
            errno = EFBIG;
        ok = *left >= 0 && write(to, block, (size_t)n) == n;
    }
    ok = ok && n == 0;
    int saved = errno;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    errno = saved;
    return ok;
}

/* Copies what is in FROM (closed) into the new folder NAME in TO_PARENT. *LEFT: bytes that may still be copied. */
static bool tree_copy(int from, int to_parent, const char *name, int depth, long long *left)
{
    DIR *dir = fdopendir(from);
    struct dirent *entry;
    struct stat st;
    bool ok = dir && mkdirat(to_parent, name, 0755) == 0;
    int to = ok ? openat(to_parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

    ok = to >= 0 && fchmod(to, 0755) == 0;
    while (ok && (errno = 0, entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || fstatat(from, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISREG(st.st_mode)) {
            ok = file_copy(from, to, entry->d_name, left);
        } else if (S_ISDIR(st.st_mode)) {
            if (depth >= WEB_ROOT_DEPTH_MAX) {
                errno = EFBIG;
                ok = false;
            } else {
                int below = openat(from, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                ok = below >= 0 && tree_copy(below, to, entry->d_name, depth + 1, left);
            }
        }
    }
    ok = ok && errno == 0;
    int saved = errno;
    if (to >= 0)
        close(to);
    if (dir)
        closedir(dir);
    else
        close(from);
    errno = saved;
    return ok;
}

/* The account must be able to walk into the web root; and to read the page in it, if there is one. */
static bool web_root_readable(const char *path, const struct account *account)
{
    char *page;

    if (!account->drop)
        return true;
    if (!account_can(account, AT_FDCWD, path, R_OK | X_OK))
        return false;
    if (asprintf(&page, "%s/index.html", path) < 0)
        abort();
    bool readable = access(page, F_OK) < 0 || account_can(account, AT_FDCWD, page, R_OK);
    free(page);
    return readable;
}

bool web_root_place(const struct run_folder *run, const char *web_root, const struct account *account, bool *out_copied,
                    struct error *err)
{
    char *path = realpath(web_root, NULL);
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    long long left = WEB_ROOT_BYTES_MAX;
    bool ok = false;

    *out_copied = false;
    if (fd < 0) {
        error_set(err, ERROR_BAD_REQUEST, "cannot read the web root %s: %s", web_root, strerror(errno));
    } else if (web_root_readable(path, account)) {
        ok = symlinkat(path, run->fd, WEB_ROOT_NAME) == 0 ||
             error_set(err, ERROR_INTERNAL, "cannot link the web root into %s: %s", run->path, strerror(errno));
    } else {
        /* tree_copy closes what it is given. */
        ok = tree_copy(fd, run->fd, WEB_ROOT_NAME, 0, &left) ||
             error_set(err, ERROR_INTERNAL, "cannot copy the web root %s for user %s: %s", web_root, account->name,
                       strerror(errno));
        fd = -1;
        *out_copied = ok;
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

/* The folder the bookings are kept in */

bool state_folder_prepare(const char *database, const struct account *account, char **out_path, struct error *err)
{
    char *folder = path_folder(database), *path = NULL;
    bool ok = false, made = false;
    int fd = -1;

    if (!*path_name(database)) {
        error_set(err, ERROR_BAD_REQUEST, "--database names a folder; it wants a file, such as %sprocplan.db", database);
        goto out;
    }
    made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST) {
        error_set(err, ERROR_BAD_REQUEST, "cannot make the folder %s for the database: %s", folder, strerror(errno));
        goto out;
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, ERROR_BAD_REQUEST, "cannot open the folder %s for the database: %s", folder, strerror(errno));
        goto out;
    }
    if (made && account->drop && fchown(fd, account->uid, account->gid) < 0) {
        error_set(err, ERROR_BAD_REQUEST, "cannot give the folder %s to user %s: %s", folder, account->name, strerror(errno));
        goto out;
    }
    ok = true;
out:
    if (ok) {
        path = realpath(folder, NULL);
        *out_path = path ? path : text_copy(folder);
    }
    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}
