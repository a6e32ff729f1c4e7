/*
 * The timeline: everything the page draws of some nodes in a window, as intervals; whole, or only what changed since a
 * revision the asker has.
 *
 * Listed are the bookings of those nodes that are active and whose planned window overlaps the window, and ended ones
 * that still have used hours in it on a GPU in use. Held are the hours that GPUs in use are, or were, held within the window.
 *
 * Which bookings are listed, and what each holds, changes with events that name them and with nothing else: the hour of the day
 * plays no part. That is why changes can be answered from the event log, and why an asker who drops what `removed` names and
 * every booking that is listed, with all that it holds, and then takes in what is listed, has what a whole answer would say.
 * Who had another window (`had`) also gets the bookings that lie in the new one and not, or not wholly, in the old one, with all
 * that they hold in the new one; and has to let go of what is not in the new one: bookings planned elsewhere, hours, and ended
 * bookings that have no hours left in it.
 *
 * Cost: one statement a node and one a GPU, each by its index, and then the rows; with changes only the nodes on which
 * something changed, and of those only the hours between which the changed bookings lie.
 */
#ifndef CGI_PLANNER_TIMELINE_H
#define CGI_PLANNER_TIMELINE_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/* Bookings and holds of one answer together; beyond it ERROR_BAD_REQUEST. It bounds a worker's memory while it answers: 216 MB were
 * measured at 911,000 rows, which are 15 MB of JSON. */
#define TIMELINE_ROWS_MAX 1000000
/* Further back, in events, everything is answered: what changed may then be nearly all. */
#define TIMELINE_EVENTS_MAX 5000

struct timeline_question {
    const struct node *const *nodes; /* in use, in configuration order, none twice */
    size_t node_count;
    struct window window;
    const char *epoch; /* of `since`; NULL: the present one */
    int64_t since;     /* a revision; 0: everything is asked for */
    struct window had; /* what `since` was asked for, where that was another window; without hours: the same */
    int64_t not_before; /* seconds: a `since` that was reached earlier is as good as none (the window was another then); 0: any */
};

/* Of a note, what fits into a bar: its first characters. The whole one is the booking's (GET /api/bookings/ID). */
#define TIMELINE_NOTE_CHARACTERS 40

struct timeline_hold {
    struct window window; /* cut to the question's */
    int64_t booking_id;
    bool planned; /* the window is the booking's planned one, cut to the question's */
};

/* A GPU that is held at some time; holds by start. */
struct timeline_row {
    size_t gpu; /* counted from 0 over the GPUs in use of the question's nodes */
    size_t first, count; /* in timeline.holds */
};

struct timeline {
    bool full; /* else only what changed after question.since */
    struct booking_outline *bookings; /* by id; notes cut to TIMELINE_NOTE_CHARACTERS */
    size_t booking_count;
    struct timeline_row *rows; /* by gpu */
    size_t row_count;
    struct timeline_hold *holds;
    size_t hold_count;
    int64_t *removed; /* bookings that events name and that are not listed (any more); by id */
    size_t removed_count;
};

bool planner_timeline(struct planner *planner, struct arena *arena, const struct timeline_question *question,
                      struct timeline *out, struct error *err);

#endif
