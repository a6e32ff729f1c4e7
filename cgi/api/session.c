#include "cgi/api/internal.h"

#include <inttypes.h>

#include "cgi/planner/access.h"

#include "common/banned.h"

static void put_limit(struct json_writer *w, const char *key, int64_t limit)
{
    if (limit < 0)
        json_put_null(w, key);
    else
        json_put_integer(w, key, limit);
}

static void write_limits(struct json_writer *w, const struct limits *limits)
{
    json_key(w, "limits");
    json_open_object(w);
    put_limit(w, "max_booking_hours", limits->max_booking_hours);
    put_limit(w, "max_days_ahead", limits->max_days_ahead);
    put_limit(w, "max_gpus_per_booking", limits->max_gpus_per_booking);
    put_limit(w, "max_active_gpu_hours_per_user", limits->max_active_gpu_hours_per_user);
    json_put_boolean(w, "allow_past", limits->allow_past);
    json_close(w);
}

static bool render_session(struct call *call, void *context, struct json_writer *w)
{
    const struct actor *actor = &call->actor;
    const struct planner *planner = call->api->planner;

    (void)context;
    json_open_object(w);
    json_put_string(w, "mode", planner->config.auth.mode == AUTH_OPEN ? "open" : "remote_user");
    json_put_string(w, "user", actor->name[0] != '\0' ? actor->name : NULL);
    json_put_boolean(w, "claimed", actor->claimed);
    json_put_boolean(w, "admin", access_is_admin(planner, actor));
    write_limits(w, &planner->config.limits);
    json_put_seconds(w, "now", call->now);
    json_put_string(w, "version", PACKAGE_VERSION);
    json_close(w);
    return true;
}

/* One viewer's and one second's: it has a tag like every other read, but is not kept. */
struct settled api_session(struct call *call)
{
    const struct actor *actor = &call->actor;

    return reply_read(call, &(struct read_answer){
                                .viewer = arena_printf(call->arena, "%" PRId64 " %d %s", call->now, actor->claimed, actor->name),
                                .render = render_session,
                            });
}
