/*
 * The configured limits, each with the sentence that refuses. They bind new and edited bookings; what stands already
 * is never touched by a limit that came later.
 */
#ifndef CGI_PLANNER_LIMITS_H
#define CGI_PLANNER_LIMITS_H

#include "cgi/model.h"
#include "cgi/planner/planner.h"

/*
 * B as it would be written (window, label, owner and GPU count set; its own present hours do not count). CURRENT is what it
 * was, NULL when new: a booking that only shrinks is not refused, unless it goes to another label that has no hours left,
 * and a start that stays may lie in the past.
 * NOW in hours. ERROR_BAD_REQUEST with limit and value.
 */
bool limits_check(struct planner *planner, const struct booking *b, const struct booking *current, hour_t now,
                  struct error *err);

/* The limit on what one user has ahead: whether OWNER, or when that is NULL who books as USER_LABEL, may have HOURS more GPU hours
 * from NOW on. It says the same of every window ahead, so it can be asked before one is chosen. */
bool limits_check_user(struct planner *planner, const char *owner, const char *user_label, int64_t hours, hour_t now,
                       struct error *err);

/* Those of them that bind how long and how wide a booking may be: for a wish that has no window yet. */
bool limits_check_size(const struct limits *limits, int64_t hours, int64_t gpus, struct error *err);

#endif
