/*
 * Where the planner is, and a user's defaults. Each setting is taken from the first place that has it:
 *
 *     url        --url, $PROCPLAN_URL, the user's file, the system's file
 *     node, user, priority    the user's file, the system's file (a command's own option goes before)
 *
 * The user's file is $XDG_CONFIG_HOME/procplan/config (~/.config/procplan/config), the system's /etc/procplan/cli.conf
 * ($PROCPLAN_CONFIG_SYSTEM names another). A file that is not
 * there is fine. A line is "name = value"; blanks around both, empty lines and lines that begin with # are passed over. A
 * fault is told with file and line; values are never quoted in messages, as a URL may hold a password.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/error.h"

struct settings {
    const char *url;        /* NULL: nobody gave one */
    const char *url_source; /* "--url", "PROCPLAN_URL" or "FILE, line N": for messages */
    const char *node;       /* each NULL when it is not set */
    const char *user;
    const char *priority;
};

/* URL is --url's value or NULL. All texts live in ARENA, or are URL. */
bool settings_load(struct settings *out, struct arena *arena, const char *url, struct error *err)
    __attribute__((warn_unused_result));
/* Says that no URL is there, and how to give one. Returns false. */
bool settings_no_url(struct error *err);
/* Overwrites user and password in a URL that stood on the command line, where ps shows it, with asterisks. */
void settings_hide_login(char *url);
/* The login name of who runs this: $LOGNAME and $USER are not asked, the password database is. NULL when it knows none. In
 * ARENA. */
const char *settings_login(struct arena *arena);

#endif
