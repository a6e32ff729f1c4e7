/*
 * Who the server runs as. Started by root, nginx's workers and the pool run as somebody else, the "account"; started by
 * anybody else, they run as that user and there is nothing to choose.
 */
#ifndef NGINX_ACCOUNT_H
#define NGINX_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct account {
    bool drop; /* we are root and give that up: the fields below say for whom */
    uid_t uid;
    gid_t gid;
    char *name, *group; /* owned */
};

/*
 * The account for this run. Root only: WANTED when it is given, else the owner of the folder that DATABASE is in, else the
 * owner of the folder that CONFIG is in (root is passed over in both), else www-data, else nobody. ERROR_BAD_REQUEST when there is no such user,
 * or when somebody other than root asks for a user other than himself.
 */
bool account_choose(const char *wanted, const char *database, const char *config, struct account *out,
                    struct error *err) __attribute__((warn_unused_result));
void account_release(struct account *account);

/* Whether the account may reach PATH (below the folder open as DIRFD, or AT_FDCWD) in the way MODE says (access(2)). */
bool account_can(const struct account *account, int dirfd, const char *path, int mode);

#endif
