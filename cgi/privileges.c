#include "cgi/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#include "common/banned.h"

bool identity_find(const char *user, struct identity *out, struct error *err)
{
    const struct passwd *entry;

    *out = (struct identity){.uid = geteuid(), .gid = getegid()};
    if (user == NULL) {
        if (out->uid == 0)
            log_warning("running as root; give the pool a user of its own with --user");
        return true;
    }
    errno = 0;
    entry = getpwnam(user);
    if (entry == NULL)
        return error_set(err, ERROR_INTERNAL, "--user %s: %s", user, errno != 0 ? strerror(errno) : "there is no such user");
    if (entry->pw_uid == 0)
        return error_set(err, ERROR_INTERNAL, "--user %s: that is root; name a user without privileges", user);
    if (out->uid != 0 && out->uid != entry->pw_uid)
        return error_set(err, ERROR_INTERNAL, "--user %s: only root can become another user", user);
    out->change = out->uid == 0;
    if (out->change) {
        out->uid = entry->pw_uid;
        out->gid = entry->pw_gid;
    }
    snprintf(out->name, sizeof(out->name), "%s", entry->pw_name);
    return true;
}

bool group_find(const char *group, gid_t *out, struct error *err)
{
    errno = 0;
    const struct group *entry = getgrnam(group);

    if (entry == NULL)
        return error_set(err, ERROR_INTERNAL, "--socket-group %s: %s", group,
                         errno != 0 ? strerror(errno) : "there is no such group");
    *out = entry->gr_gid;
    return true;
}

/* -- the database's folder ------------------------------------------------------------------------------------- */

static bool place_error(struct error *err, const char *path, const char *what)
{
    return error_set(err, ERROR_INTERNAL, "--database %s: %s: %s", path, what, strerror(errno));
}

/* The path with a symbolic link at its end followed; the caller frees it. NULL and ERR. */
static char *follow(const char *path, struct error *err)
{
    struct stat there;
    char *real;

    if (lstat(path, &there) == 0 && S_ISLNK(there.st_mode)) {
        real = realpath(path, NULL);
        if (real == NULL) {
            error_set(err, ERROR_INTERNAL, "--database %s: a symbolic link that leads nowhere: %s", path, strerror(errno));
            return NULL;
        }
    } else {
        real = strdup(path);
        if (real == NULL) {
            place_error(err, path, "no memory");
            return NULL;
        }
    }
    if (stat(real, &there) == 0 && !S_ISREG(there.st_mode)) {
        error_set(err, ERROR_INTERNAL, "--database %s: that is no regular file; name the database itself", path);
        free(real);
        return NULL;
    }
    return real;
}

/* Splits PATH (it is changed) at its last slash. */
static void split(char *path, const char **out_folder, const char **out_name)
{
    char *slash = strrchr(path, '/');

    *out_name = slash == NULL ? path : slash + 1;
    *out_folder = slash == NULL ? "." : slash == path ? "/" : path;
    if (slash != NULL)
        *slash = '\0';
}

static bool make_folder(const char *folder, const char *path, const struct identity *who, struct error *err)
{
    struct stat made;
    bool given = false;
    int fd;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return place_error(err, path, "cannot make its folder");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return place_error(err, path, "cannot open the folder that was made for it");
    if (!who->change)
        given = true;
    else if (fstat(fd, &made) == 0 && made.st_uid == geteuid() && (made.st_mode & 077) == 0)
        given = fchown(fd, who->uid, who->gid) == 0; /* ours indeed, not one that somebody put there in between */
    else
        errno = EEXIST;
    if (!given)
        place_error(err, path, "cannot give its folder to the user");
    close(fd);
    return given;
}

bool database_place_open(const char *path, const struct identity *who, struct database_place *out, struct error *err)
{
    const char *folder, *name;
    char *real = follow(path, err);
    bool done = false;

    *out = (struct database_place){.folder = -1};
    if (real == NULL)
        return false;
    split(real, &folder, &name);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        error_set(err, ERROR_INTERNAL, "--database '%s': name a file", path);
        goto out;
    }
    out->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (out->folder < 0 && errno == ENOENT) {
        if (!make_folder(folder, path, who, err))
            goto out;
        out->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (out->folder < 0) {
        place_error(err, path, "cannot open its folder");
        goto out;
    }
    out->name = strdup(name);
    out->path = strdup(path);
    done = out->name != NULL && out->path != NULL;
    if (!done)
        error_set(err, ERROR_INTERNAL, "no memory");
out:
    free(real);
    if (!done)
        database_place_close(out);
    return done;
}

void database_place_close(struct database_place *place)
{
    if (place->folder >= 0)
        close(place->folder);
    free(place->name);
    free(place->path);
    *place = (struct database_place){.folder = -1};
}

/* -- the change of user ---------------------------------------------------------------------------------------- */

static void name_of(uid_t uid, char *out, size_t size)
{
    const struct passwd *entry = getpwuid(uid);

    if (entry != NULL)
        snprintf(out, size, "%s", entry->pw_name);
    else
        snprintf(out, size, "user %lu", (unsigned long)uid);
}

static bool become(const struct identity *who, struct error *err)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    if (initgroups(who->name, who->gid) != 0 || setresgid(who->gid, who->gid, who->gid) != 0 ||
        setresuid(who->uid, who->uid, who->uid) != 0)
        return error_set(err, ERROR_INTERNAL, "--user %s: cannot become that user: %s", who->name, strerror(errno));
    if (getresuid(&real, &effective, &saved) != 0 || getresgid(&real_group, &effective_group, &saved_group) != 0 ||
        real != who->uid || effective != who->uid || saved != who->uid || real_group != who->gid ||
        effective_group != who->gid || saved_group != who->gid || setuid(0) == 0 || seteuid(0) == 0)
        return error_set(err, ERROR_INTERNAL, "--user %s: the change of user did not hold; not going on", who->name);
    return true;
}

static bool explain_rights(const char *what, const struct database_place *place, struct error *err)
{
    struct stat there;
    char owner[64] = "somebody", us[64];
    const char *shown = strcmp(what, ".") == 0 ? "the database's folder" : what;

    name_of(geteuid(), us, sizeof(us));
    if (stat(what, &there) == 0)
        name_of(there.st_uid, owner, sizeof(owner));
    return error_set(err, ERROR_INTERNAL, "--database %s: %s belongs to %s, and %s cannot write there; it should belong to %s",
                     place->path, shown, owner, us, us);
}

/* The folder must be writable, for the database makes files beside itself, and so must be those of them that are there. */
static bool check_rights(const struct database_place *place, struct error *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".pool"};
    char name[NAME_MAX + 8];

    if (faccessat(AT_FDCWD, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return explain_rights(".", place, err);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", place->name, suffixes[i]);
        if (faccessat(AT_FDCWD, name, R_OK | W_OK, AT_EACCESS) != 0 && errno != ENOENT)
            return explain_rights(name, place, err);
    }
    return true;
}

bool privileges_drop(const struct identity *who, struct database_place *place, struct error *err)
{
    pid_t parent = getppid();
    int death_signal = 0;

    if (fchdir(place->folder) != 0)
        return place_error(err, place->path, "cannot go into its folder");
    close(place->folder);
    place->folder = -1;
    prctl(PR_GET_PDEATHSIG, &death_signal);
    if (who->change && !become(who, err))
        return false;
    if (death_signal != 0) {
        prctl(PR_SET_PDEATHSIG, death_signal);
        if (getppid() != parent) /* it died in between, and its signal went nowhere */
            raise(death_signal);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_set(err, ERROR_INTERNAL, "cannot give up new privileges: %s", strerror(errno));
    return check_rights(place, err);
}
