/* What the commands about one booking share: how it is shown, and which change the options ask for. */
#ifndef CLI_BOOKING_H
#define CLI_BOOKING_H

#include "cli/command.h"
#include "common/json_write.h"

/* "node-a gpu0, gpu1 · 2026-11-23 14:00 – 18:00 UTC (4 hours) · AB, medium": of a booking in an answer. In the arena. */
const char *booking_line(struct cli *cli, struct json_object *booking);
/* Its window; both HOUR_NONE when the answer has none. */
struct window booking_window(struct json_object *booking);
/* GET api/bookings/ID, not printed. *OUT is the caller's, whatever the result. */
bool booking_ask(struct cli *cli, int64_t id, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));
/* "api/bookings/ID". In the arena. */
const char *booking_path(struct cli *cli, int64_t id);
/* PATCHes the booking with the finished BODY; says what it is now, or for whom it stands in the way. Gives the exit status. */
int booking_change(struct cli *cli, struct json_object *before, struct window wanted, int64_t gpus,
                   const struct buffer *body, struct error *err);
/* Members "gpu_ids" or "gpu_count" from --gpu and --gpus, and "note", "priority" and "user_label" from theirs. *GPUS: how
 * many are asked for, 0 when neither is given. */
bool booking_write_options(struct cli *cli, struct json_writer *w, int64_t *gpus, struct error *err)
    __attribute__((warn_unused_result));
/* This machine among NODES, the array of GET api/nodes: the node with its full name, else with its short one. In the arena;
 * NULL, with the sentence in ERR, when it is none of them. */
const char *booking_node_of_host(struct cli *cli, struct json_object *nodes, struct error *err);

#endif
