/*
 * How an availability is written as JSON (API.md, GET /api/availability): by hours, or by days.
 */
#ifndef CGI_API_AVAILABILITY_H
#define CGI_API_AVAILABILITY_H

#include "cgi/api/internal.h"
#include "cgi/planner/availability.h"

/* Each writes one object. False, with call->err set, when the answer grows too large. */
bool write_hours(struct call *call, const struct availability *a, struct json_writer *w);
bool write_days(struct call *call, const struct availability *a, struct json_writer *w);

#endif
