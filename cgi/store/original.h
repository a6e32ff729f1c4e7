/*
 * Reads a database of the original ProcPlan: tables nodes, gpus, bookings and booking_allocations, times as ISO 8601 text. What it
 * holds is handed out as it stands, for the caller to judge: nothing but its structure is checked here.
 */
#ifndef CGI_STORE_ORIGINAL_H
#define CGI_STORE_ORIGINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"

/* Any text may be NULL, and none of it was checked. */
struct original_node {
    const char *id, *name;
};
struct original_gpu {
    const char *id, *node_id, *kind;
};
struct original_booking {
    int64_t id; /* 0: the row has none that is a whole number */
    const char *node_id, *start, *end, *user_label, *priority, *status, *created, *updated;
    const char **gpu_ids; /* sorted by bytes */
    size_t gpu_count;
};

struct original {
    struct original_node *nodes;
    struct original_gpu *gpus;
    struct original_booking *bookings; /* by id */
    size_t node_count, gpu_count, booking_count;
    int64_t last_id; /* the last one that was ever given to a booking */
    size_t stray_allocations; /* of bookings that are not there */
    const char **unknown; /* columns ("bookings.colour") and tables ("tags") that the original, as far as known, does not have */
    size_t unknown_count;
};

/*
 * PATH is a copy that nobody else has open: SQLite brings it up to date with the log beside it, and so writes. All that OUT points to
 * lives in ARENA. ERROR_CONFIGURATION: no database, a damaged one, or not one of the original; NAME stands for it in the message.
 */
bool original_read(const char *path, const char *name, struct arena *arena, struct original *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
