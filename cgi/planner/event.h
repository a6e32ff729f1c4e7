/* The event log: what each write says about itself. The detail is a JSON object (API.md, /api/events). */
#ifndef CGI_PLANNER_EVENT_H
#define CGI_PLANNER_EVENT_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/* "booked", with everything the booking was made of. NODE_ID and GPU_IDS are what its keys stand for, in their order. */
bool event_booked(struct store *store, const struct booking *b, const char *node_id, const char *const *gpu_ids,
                  const struct actor *actor, int64_t now, struct error *err);
/* "edited": {"old":{…},"new":{…}} with what differs. */
bool event_edited(struct planner *planner, const struct booking *before, const struct booking *after,
                  const struct actor *actor, int64_t now, struct error *err);
/* "completed" or "cancelled", as B's status says. */
bool event_ended(struct store *store, const struct booking *b, const struct actor *actor, int64_t now, struct error *err);

/* Reading the log: see store_events. */
bool planner_events(struct planner *planner, struct arena *arena, int64_t after, int64_t booking_id, int64_t limit,
                    struct store_event **out, size_t *out_count, struct error *err);

#endif
