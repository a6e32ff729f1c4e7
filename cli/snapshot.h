/*
 * The snapshot: each node's GPUs by days, and who has them. One question for the picture (GET api/timeline), and one before
 * it (GET api/nodes) where only some nodes are wanted.
 */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include "cli/command.h"
#include "common/buffer.h"

struct snapshot {
    const char **wanted; /* node ids; NULL behind them. NULL: all nodes */
    bool by_host;        /* nobody named a node: WANTED is this machine's names, the first that is a node counts */
    bool has_window;     /* else the server's week */
    struct window window;
};

/* The options of everything that shows a snapshot. */
#define SNAPSHOT_OPTIONS                                                                                                    \
    {"node", 0, "ID", "this node; may be repeated (without it this machine's host name)"},                                  \
        {"all", 'a', NULL, "every node"},                                                                                   \
        {"date", 0, "DATE", "seven days from then (without it this week, Monday to Monday)"},                               \
    {                                                                                                                       \
        "days", 0, "N", "so many days instead of seven"                                                                     \
    }

/* Reads those options. A fault is the command line's. */
bool snapshot_read(struct cli *cli, struct snapshot *out, struct error *err) __attribute__((warn_unused_result));
/* The path to ask for the picture, after the nodes have been looked up. When none is there
 * it prints the original's sentence to stderr and is false with an empty ERR. */
bool snapshot_path(struct cli *cli, const struct snapshot *snapshot, struct buffer *path, struct error *err)
    __attribute__((warn_unused_result));
/* Appends the picture that ANSWER (a whole timeline) gives, as text or CSV. */
bool snapshot_draw(struct cli *cli, struct json_object *answer, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
