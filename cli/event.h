/* How an event of the log reads. All texts are in the arena, and from outside: print them with talk_say or a table. */
#ifndef CLI_EVENT_H
#define CLI_EVENT_H

#include "cli/command.h"

/* "2026-11-23 14:05:09" */
const char *event_time(struct cli *cli, struct json_object *event);
/* Who did it; "(claimed)" behind a name that nobody verified, "-" for none. */
const char *event_actor(struct cli *cli, struct json_object *event);
/* "booked node-a gpu0 · 2026-11-23 14:00 – 18:00 UTC · ada, medium", "edited end: … → …", without the booking's number. */
const char *event_line(struct cli *cli, struct json_object *event);

#endif
