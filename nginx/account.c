#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nginx/account.h"
#include "nginx/path.h"

#include "common/banned.h"

static bool account_fill(struct account *account, const struct passwd *user)
{
    const struct group *group = getgrgid(user->pw_gid);

    if (!group)
        return false;
    account->drop = user->pw_uid != 0;
    account->uid = user->pw_uid;
    account->gid = user->pw_gid;
    account->name = strdup(user->pw_name);
    account->group = strdup(group->gr_name);
    if (!account->name || !account->group)
        abort();
    return true;
}

/* The user who owns the folder of FILE, if there is such a folder, it is not root's, and the user has a name. */
static const struct passwd *owner_of_folder(const char *file)
{
    char *folder = path_folder(file);
    struct stat st;
    bool found = stat(folder, &st) == 0 && st.st_uid != 0;

    free(folder);
    return found ? getpwuid(st.st_uid) : NULL;
}

bool account_choose(const char *wanted, const char *database, const char *config, struct account *out,
                    struct error *err)
{
    const struct passwd *user = NULL;

    *out = (struct account){.drop = false, .uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0) {
        user = wanted ? getpwnam(wanted) : NULL;
        if (wanted && (!user || user->pw_uid != geteuid()))
            return error_set(err, ERROR_BAD_REQUEST, "--user is for root only: nobody else can become %s", wanted);
        return true;
    }
    if (wanted) {
        user = getpwnam(wanted);
        if (!user)
            return error_set(err, ERROR_BAD_REQUEST, "there is no user %s on this machine (--user)", wanted);
    }
    if (!user)
        user = owner_of_folder(database);
    if (!user)
        user = owner_of_folder(config);
    if (!user)
        user = getpwnam("www-data");
    if (!user)
        user = getpwnam("nobody");
    if (!user)
        return error_set(err, ERROR_BAD_REQUEST,
                         "there is neither www-data nor nobody on this machine; say with --user who ProcPlan runs as");
    if (!account_fill(out, user))
        return error_set(err, ERROR_BAD_REQUEST, "the group of user %s has no name on this machine", user->pw_name);
    return true;
}

void account_release(struct account *account)
{
    free(account->name);
    free(account->group);
    account->name = account->group = NULL;
}

bool account_can(const struct account *account, int dirfd, const char *path, int mode)
{
    if (!account->drop)
        return faccessat(dirfd, path, mode, AT_EACCESS) == 0;

    /* Only the kernel knows what modes, ACLs and security modules add up to: become the account and ask. */
    pid_t child = fork();
    if (child == 0) {
        if (initgroups(account->name, account->gid) < 0 || setgid(account->gid) < 0 || setuid(account->uid) < 0)
            _exit(2);
        _exit(faccessat(dirfd, path, mode, AT_EACCESS) == 0 ? 0 : 1);
    }
    int status = 0;
    if (child < 0)
        return false;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
