/* The nodes and GPUs that an original's database speaks of, and which rows they are in the new one. */
#ifndef CGI_ADMIN_ADOPT_PLACES_H
#define CGI_ADMIN_ADOPT_PLACES_H

#include "cgi/admin/adopt_plan.h"
#include "cgi/store/store.h"

/* A GPU of the old database by its node's id and its own, and what it is in the new one. */
struct adopt_place {
    const char *node_id, *gpu_id, *kind; /* kind: NULL, nobody knows */
    hour_t since;                        /* its first booking's start, or now */
    int64_t node_key, gpu_key;           /* once they are settled */
};

struct adopt_places {
    struct adopt_place *items; /* sorted by node_id and gpu_id, each once */
    size_t count;
    struct sentences retired; /* "GPU b of node n": what the new database's configuration does not have */
};

/* Those of the tables and those of PLAN's bookings, if their ids can be ids. NOW is an hour. Everything lives in ARENA. */
void adopt_places_collect(const struct original *original, const struct adopt_plan *plan, hour_t now, struct arena *arena,
                          struct adopt_places *out);
/* NULL: there is none. */
const struct adopt_place *adopt_places_find(const struct adopt_places *places, const char *node_id, const char *gpu_id);

/*
 * Finds each in the new database or makes it there, in use since its first booking. One that is made is retired when CONFIGURED: the
 * configuration in force does not know it; else the first one that is read will say. Within a write transaction.
 */
bool adopt_places_settle(struct adopt_places *places, const struct original *original, bool configured, hour_t now, struct store *store,
                         struct arena *arena, struct error *err) __attribute__((warn_unused_result));

#endif
