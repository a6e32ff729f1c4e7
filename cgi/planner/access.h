/*
 * Who may do what: the configuration's "auth" (struct auth) laid on one who asks. README, "Who may do what", is its table.
 *
 * A name counts as a login only when the web server gave it (REMOTE_USER); what a client says of itself is a claim, and with
 * logins not even that. Every call is for within a transaction, or when planner_is_current, so that it goes by the configuration
 * of now. Each refusal is ERROR_UNAUTHORIZED when nobody is logged in, else ERROR_FORBIDDEN, and says why.
 */
#ifndef CGI_PLANNER_ACCESS_H
#define CGI_PLANNER_ACCESS_H

#include "cgi/planner/planner.h"

/* Who asks. Either may be NULL: REMOTE_USER is whom the web server let in, CLAIMED_USER whom the client says it is. Borrows both. */
struct actor access_actor(const struct planner *planner, const char *remote_user, const char *claimed_user);
/* False in open mode, where there is none. */
bool access_is_admin(const struct planner *planner, const struct actor *actor);
/* To whom a booking that ACTOR makes belongs: the login; NULL in open mode, and when nobody is logged in. Borrowed from ACTOR. */
const char *access_owner(const struct planner *planner, const struct actor *actor);

/* Looking at anything: nodes, bookings, events. */
bool access_read(const struct planner *planner, const struct actor *actor, struct error *err);
/* Making a booking; changing or ending one needs access_change besides. */
bool access_write(const struct planner *planner, const struct actor *actor, struct error *err);
/* Changing or ending B: its owner and admins. One without an owner, from a time without logins, is the admins'. */
bool access_change(const struct planner *planner, const struct actor *actor, const struct booking *b, struct error *err);
/* Reloading the configuration. */
bool access_administer(const struct planner *planner, const struct actor *actor, struct error *err);

#endif
