/* The sizes of what the planner has to do with, at one moment: for /api/metrics. */
#ifndef CGI_PLANNER_GAUGES_H
#define CGI_PLANNER_GAUGES_H

#include "cgi/planner/planner.h"

struct gauges {
    int64_t bookings[BOOKING_CANCELLED + 1]; /* by enum booking_status */
    int64_t nodes, gpus;                     /* in use */
    int64_t revision;
    int64_t wal_bytes; /* the write-ahead log's file */
};

/* Cheap enough to be asked every few seconds, however many bookings there are: they are counted in indexes. */
bool planner_gauges(struct planner *planner, struct gauges *out, struct error *err);

#endif
