/*
 * Writes an original's bookings, as adopt_plan read them, into the new database: who held which hour, and what happened when.
 *
 * Who holds an hour that several bookings had: active ones before ended ones, and of two of a kind the one with the lower id. Active
 * ones that overlap cannot both be right: the one with the higher id is left out, and told.
 */
#ifndef CGI_ADMIN_ADOPT_BRING_H
#define CGI_ADMIN_ADOPT_BRING_H

#include "cgi/admin/adopt_places.h"
#include "cgi/store/maintenance.h"

struct adopt_brought {
    int64_t bookings[BOOKING_CANCELLED + 1]; /* by status */
    struct sentences overlaps;               /* a booking each: those that were left out */
};

/* Within a write transaction, after adopt_places_settle. LISTENER hears how far it is. Marks what it leaves out in PLAN. */
bool adopt_bring(struct adopt_plan *plan, const struct adopt_places *places, struct store *store, const struct store_listener *listener,
                 struct arena *arena, struct adopt_brought *out, struct error *err) __attribute__((warn_unused_result));

#endif
