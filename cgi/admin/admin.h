/*
 * procplan-admin: its commands, each in a process of its own. Each says on standard output what it has done and returns one of the
 * statuses below; what went wrong it leaves in ERR, for cgi/admin.c to say.
 */
#ifndef CGI_ADMIN_ADMIN_H
#define CGI_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/store/maintenance.h"
#include "common/error.h"

enum {
    ADMIN_DONE = 0,
    ADMIN_FAILED = 1, /* err says why; nothing was changed unless it says so */
    ADMIN_USAGE = 2,
    ADMIN_FAULTS = 3, /* what was looked at has faults, which were listed; nothing was changed */
};

struct admin {
    const char *database; /* with links resolved */
    const char *file;     /* NULL where the command has none */
    bool leave_out;       /* adopt: bring over what can be, leave out the rest */
};

typedef int (*admin_command_fn)(const struct admin *admin, struct error *err);
int admin_adopt(const struct admin *admin, struct error *err);
int admin_backup(const struct admin *admin, struct error *err);
int admin_restore(const struct admin *admin, struct error *err);
int admin_check(const struct admin *admin, struct error *err);
int admin_vacuum(const struct admin *admin, struct error *err);

/* A line to standard output or standard error, in which names from outside cannot command the terminal. */
void admin_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void admin_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For the store: shows progress as a line of the terminal that standard error is, named by `doing`; prints faults. What is said, by any of
 * the functions above, takes the line away first. */
struct admin_progress {
    const char *doing;
    int64_t shown_ms; /* when the line was last written; 0: never */
    unsigned turns;
};
void admin_progress_show(void *progress, int64_t done, int64_t total);
/* Takes the line away. */
void admin_progress_end(struct admin_progress *progress);
void admin_fault(void *progress, const char *sentence);
/* Begins with a sign of life. */
struct store_listener admin_listener(struct admin_progress *progress);

#endif
