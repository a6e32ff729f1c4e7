/*
 * The configured limits, each with the sentence that refuses. They bind new and edited bookings; what stands already
 * is never touched by a limit that came later.
 */
#ifndef CGI_PLANNER_LIMITS_H
#define CGI_PLANNER_LIMITS_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/*
 * B as it would be written (window, label, owner and GPU count set; id 0 when new: its own present hours do not count).
 * NOW in hours. ERROR_BAD_REQUEST with limit and value.
 */
bool limits_check(struct planner *planner, const struct booking *b, hour_t now, struct error *err);

#endif
