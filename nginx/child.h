/*
 * The processes that procplan-server starts and stays the parent of. Each leads a process group of its own, so that a
 * Ctrl-C reaches us alone and we end them in order, and so that what a killed leader leaves behind can be ended, too.
 */
#ifndef NGINX_CHILD_H
#define NGINX_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"
#include "nginx/folder.h"

struct child {
    const char *name; /* for messages */
    pid_t pid;        /* and process group; 0: not running */
    int status;       /* as waitpid(2) gave it, once pid is 0 again */
};

/* What a child is started with. The socket arrives as descriptor 3. */
struct child_plan {
    const char *path;
    const char *const *arguments; /* NULL-terminated, the program's name first */
    int folder;                   /* descriptor of the folder it starts in; -1: ours */
    int socket;
    const char *variable;         /* set in its environment ... */
    const char *value;            /* ... to this, or, when NULL, to its own process id */
    const char *second_variable, *second_value; /* may be NULL */
};

/* Has to be called once, before the first child: what our children leave behind becomes ours, so that it can be waited for. */
bool child_adopt(struct error *err) __attribute__((warn_unused_result));
bool child_start(struct child *child, const struct child_plan *plan, struct error *err)
    __attribute__((warn_unused_result));
/* Sees whether the child has ended; if so, ends the rest of its group and returns true, with pid 0 and status set. */
bool child_ended(struct child *child);
void child_signal(const struct child *child, int signal_number);
/* Kills the child and its group, and waits for them. */
void child_kill(struct child *child);
/* How it ended, as the rest of a sentence: "ended with status 1", "was killed by signal 9 (Killed)". In a static buffer. */
const char *child_end_text(const struct child *child);

/*
 * The keeper: a process that does nothing but wait for our end. When we end without having dismissed it (kill -9), it ends the
 * children and removes the run folder.
 */
struct keeper {
    pid_t pid;
    int line; /* the pipe to it: it reads the children's process ids, and then our end */
};

bool keeper_start(struct keeper *keeper, const struct run_folder *run, struct error *err)
    __attribute__((warn_unused_result));
void keeper_tell(const struct keeper *keeper, const struct child *child);
void keeper_dismiss(struct keeper *keeper);

/*
 * Waits for whatever else has ended and is ours to wait for, the keeper included: as process 1 of a container we inherit every
 * orphan in it, a health check's for example, and each would stay a zombie. CHILDREN are left to child_ended.
 */
void child_reap_others(const struct child *const *children, size_t count, struct keeper *keeper);

#endif
