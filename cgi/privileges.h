/*
 * Who the pool runs as, and the folder it runs in.
 *
 * The order is the point. While still root: find the user, open (or make) the database's folder, open the configuration's
 * folder, make the socket. Then go into the database's folder and become the user, and from then on name the database
 * by its last part only: the user may not be able to walk the path to it, for instance below a closed home folder.
 * A process that is not root takes the same way, without the change of user.
 */
#ifndef CGI_PRIVILEGES_H
#define CGI_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct identity {
    bool change; /* become the user below; else stay who we are */
    uid_t uid;
    gid_t gid;
    char name[64];
};

/* USER is --user's value or NULL. Refused: an unknown user, root, and another user than oneself when not root. */
bool identity_find(const char *user, struct identity *out, struct error *err) __attribute__((warn_unused_result));
/* The group of --socket-group. */
bool group_find(const char *group, gid_t *out, struct error *err) __attribute__((warn_unused_result));

struct database_place {
    int folder; /* open until privileges_drop is in it; -1: none */
    char *name; /* in the folder; owned */
    char *path; /* for messages; owned */
};

/*
 * Finds the place of the database at PATH. A folder that is missing is made (one level), mode 0700, and given to WHO.
 * A symbolic link is followed first, so that -wal, -shm and the lock files have the same names for everybody; one that leads
 * nowhere is refused, and so is what is there but no regular file.
 */
bool database_place_open(const char *path, const struct identity *who, struct database_place *out, struct error *err)
    __attribute__((warn_unused_result));
void database_place_close(struct database_place *place);

/*
 * Goes into PLACE's folder and becomes WHO for good: supplementary groups, group, user, no new privileges by exec. Keeps
 * the parent-death signal, which a change of user clears. Checks that the way back is closed and that the folder, and
 * the database if it is there, can be written.
 */
bool privileges_drop(const struct identity *who, struct database_place *place, struct error *err)
    __attribute__((warn_unused_result));

#endif
