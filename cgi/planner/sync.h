/*
 * Taking in a configuration: nodes and GPUs of the file against those of the database. What is new is added, what
 * changed is updated, what left the file is retired (kept, hidden, not bookable), what came back is the same as before.
 */
#ifndef CGI_PLANNER_SYNC_H
#define CGI_PLANNER_SYNC_H

#include "cgi/planner/planner.h"
#include "common/json_write.h"

struct sync_item {
    const char *node_id;
    const char *gpu_id; /* NULL: the node itself */
};

struct sync_list {
    struct sync_item *items;
    size_t count, capacity;
};

struct sync_report {
    bool changed; /* anything at all, be it only a limit: a new event was written */
    struct sync_list added, updated, retired, returned;
    /* Active bookings that have not ended yet and stand on retired GPUs, whenever those were retired; by id. */
    struct booking **bookings;
    size_t booking_count;
};

/* Writes the list as a member: "KEY": [{"node_id", "gpu_id"?}…]. */
void sync_list_write(struct json_writer *w, const char *key, const struct sync_list *list);

/*
 * Reads SOURCE inside the open write transaction, checks it whole, syncs, keeps the accepted text and appends the event
 * ("configured"). A text equal to the accepted one changes nothing. ERROR_CONFIGURATION: the file is wrong, nothing is written.
 * NOW in seconds. The planner's own topology is the new one afterwards.
 */
bool planner_sync(struct planner *planner, struct arena *arena, const struct config_source *source,
                  const struct actor *actor, int64_t now, struct sync_report *out, struct error *err);

#endif
