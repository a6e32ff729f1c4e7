/*
 * What the bookings of an original's database are here: each read field by field, with a sentence for each that cannot be one. Knows
 * nothing of the new database.
 */
#ifndef CGI_ADMIN_ADOPT_PLAN_H
#define CGI_ADMIN_ADOPT_PLAN_H

#include "cgi/model.h"
#include "cgi/store/original.h"
#include "common/arena.h"

struct adopted {
    struct booking booking; /* all but node_key and gpu_keys */
    const char *node_id;
    const char **gpu_ids;
    size_t gpu_count;
    hour_t held_until; /* it holds its GPUs from its start until then at most; the start or before: nothing */
    bool left_out;
};

struct sentences {
    const char **items;
    size_t count, capacity;
};
void sentences_add(struct sentences *list, struct arena *arena, const char *sentence);

struct adopt_plan {
    struct adopted *bookings; /* those that can be read, by id */
    size_t count;
    struct sentences unreadable; /* a booking each */
    struct sentences changed;    /* labels that were made to fit */
};

/* Everything lives in ARENA. */
void adopt_plan_make(const struct original *original, struct arena *arena, struct adopt_plan *out);
/* An id of a node or GPU as configurations have them. */
bool adopt_id_fits(const char *id);

#endif
