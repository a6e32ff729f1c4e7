/*
 * The folders of a run: the run folder (a temporary one for nginx's configuration, pid, temporary files and the socket),
 * the web root as nginx sees it, and the folder the bookings are kept in.
 */
#ifndef NGINX_FOLDER_H
#define NGINX_FOLDER_H

#include <stdbool.h>

#include "common/error.h"
#include "nginx/account.h"

struct run_folder {
    char *path; /* owned */
    int fd;
};

/*
 * Makes procplan-run-XXXXXX in $TMPDIR, or in /tmp when that is not set or the account cannot reach it. Private to us, or, when an account
 * is dropped to, ours and passable for others (0711): what lies in it has modes of its own.
 */
bool run_folder_make(struct run_folder *run, const struct account *account, struct error *err)
    __attribute__((warn_unused_result));
/* Removes the folder with all that is in it, following no link. Safe against an account that still changes its files. */
void run_folder_remove(struct run_folder *run);
/* A file in the run folder, mode 0600. */
bool run_folder_write(const struct run_folder *run, const char *name, const char *text, struct error *err)
    __attribute__((warn_unused_result));

#define WEB_ROOT_NAME "htdocs"
#define WEB_ROOT_BYTES_MAX (256LL * 1024 * 1024)
#define WEB_ROOT_DEPTH_MAX 16

/*
 * Puts the web root into the run folder as WEB_ROOT_NAME: a link, or, where the account cannot read the original, a copy of
 * its files and folders (links and what begins with a dot are left out), *OUT_COPIED set.
 */
bool web_root_place(const struct run_folder *run, const char *web_root, const struct account *account, bool *out_copied,
                    struct error *err) __attribute__((warn_unused_result));

/*
 * Makes the database's folder when it is missing (one level, 0700, the account's). Whether the account may work in one that is
 * there already is for the pool to say. *OUT_PATH: its absolute path; the caller frees it.
 */
bool state_folder_prepare(const char *database, const struct account *account, char **out_path, struct error *err)
    __attribute__((warn_unused_result));

#endif
