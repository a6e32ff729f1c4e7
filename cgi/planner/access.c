#include "cgi/planner/access.h"

#include <string.h>

#include "common/banned.h"

static bool is_open(const struct planner *planner)
{
    return planner->config.auth.mode == AUTH_OPEN;
}

/* Let in by the web server. A claim is none, whatever became of the mode since it was taken down. */
static bool logged_in(const struct actor *actor)
{
    return !actor->claimed && actor->name[0] != '\0';
}

struct actor access_actor(const struct planner *planner, const char *remote_user, const char *claimed_user)
{
    if (remote_user != NULL)
        return (struct actor){remote_user, false};
    if (is_open(planner) && claimed_user != NULL)
        return (struct actor){claimed_user, true};
    return (struct actor){"", false};
}

bool access_is_admin(const struct planner *planner, const struct actor *actor)
{
    const struct auth *auth = &planner->config.auth;

    for (size_t i = 0; !is_open(planner) && logged_in(actor) && i < auth->admin_count; i++)
        if (strcmp(auth->admins[i], actor->name) == 0)
            return true;
    return false;
}

const char *access_owner(const struct planner *planner, const struct actor *actor)
{
    return is_open(planner) || !logged_in(actor) ? NULL : actor->name;
}

bool access_read(const struct planner *planner, const struct actor *actor, struct error *err)
{
    if (is_open(planner) || planner->config.auth.public_read || logged_in(actor))
        return true;
    return error_set(err, ERROR_UNAUTHORIZED, "Looking at bookings needs a login here, and this request has none");
}

bool access_write(const struct planner *planner, const struct actor *actor, struct error *err)
{
    if (is_open(planner) || logged_in(actor))
        return true;
    return error_set(err, ERROR_UNAUTHORIZED, "Booking, and changing bookings, needs a login here, and this request has none");
}

bool access_change(const struct planner *planner, const struct actor *actor, const struct booking *b, struct error *err)
{
    if (is_open(planner))
        return true;
    if (!access_write(planner, actor, err))
        return false;
    if ((b->owner != NULL && strcmp(b->owner, actor->name) == 0) || access_is_admin(planner, actor))
        return true;
    if (b->owner == NULL)
        return error_set(err, ERROR_FORBIDDEN,
                         "Booking '%lld' was made without a login and belongs to nobody; only an administrator may change or end it",
                         (long long)b->id);
    return error_set(err, ERROR_FORBIDDEN,
                     "Booking '%lld' belongs to '%s'; only they or an administrator may change or end it, and you are '%s'",
                     (long long)b->id, b->owner, actor->name);
}

bool access_administer(const struct planner *planner, const struct actor *actor, struct error *err)
{
    if (is_open(planner) || access_is_admin(planner, actor))
        return true;
    if (!logged_in(actor))
        return error_set(err, ERROR_UNAUTHORIZED,
                         "Reloading the configuration needs an administrator's login, and this request has none");
    return error_set(err, ERROR_FORBIDDEN,
                     "Only an administrator may reload the configuration, and '%s' is not among them (auth.admins)", actor->name);
}
