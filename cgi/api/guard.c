#include "cgi/api/internal.h"

#include <string.h>
#include <strings.h>

#include "cgi/planner/access.h"
#include "common/text.h"

#include "common/banned.h"

/* Host without the port that the scheme implies. */
static struct slice authority(const char *host, const char *default_port)
{
    size_t length = strlen(host), port = strlen(default_port);

    if (length > port && strcmp(host + length - port, default_port) == 0)
        length -= port;
    return (struct slice){host, length};
}

/* Origin is scheme "://" host [":" port] (RFC 6454), Host is host [":" port] (RFC 9110, section 7.2). */
static bool origin_is_host(const char *origin, const char *host)
{
    bool https = strncmp(origin, "https://", 8) == 0;
    const char *port = https ? ":443" : ":80";
    struct slice a, b;

    if (host == NULL || (!https && strncmp(origin, "http://", 7) != 0))
        return false;
    a = authority(origin + (https ? 8 : 7), port);
    b = authority(host, port);
    return a.length == b.length && strncasecmp(a.bytes, b.bytes, a.length) == 0;
}

static bool origin_allowed(const struct call *call, const char *origin)
{
    const struct config *config = &call->api->planner->config;

    for (size_t i = 0; i < config->allowed_origin_count; i++)
        if (text_equal_nocase(config->allowed_origins[i], origin))
            return true;
    return false;
}

/*
 * Browsers tell where a request comes from in Sec-Fetch-Site (W3C Fetch Metadata) and Origin; curl and scripts send
 * neither. An origin that the configuration allows may be on another site.
 */
bool guard_same_site(struct call *call)
{
    const char *site = call->request->sec_fetch_site, *origin = call->request->origin;
    bool same = site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;

    if (same && (origin == NULL || origin_is_host(origin, call->request->host)))
        return true;
    if (origin != NULL) { /* which origins are allowed is in the database: a reload may have changed it */
        if (!planner_begin_read(call->api->planner, &call->err))
            return false;
        planner_end_read(call->api->planner);
        if (origin_allowed(call, origin))
            return true;
    }
    return error_set(&call->err, ERROR_FORBIDDEN,
                     "A page of another site may not write here; its origin would have to be listed in allowed_origins");
}

bool guard_access(struct call *call)
{
    const struct planner *planner = call->api->planner;
    int flags = routes_flags(call->route);

    call->actor = access_actor(planner, call->request->remote_user, call->request->claimed_user);
    if (flags & ROUTE_ANYBODY)
        return true;
    if (flags & ROUTE_ADMINISTERS)
        return access_administer(planner, &call->actor, &call->err);
    return flags & ROUTE_WRITES ? access_write(planner, &call->actor, &call->err)
                                : access_read(planner, &call->actor, &call->err);
}

bool guard_entry(struct call *call)
{
    struct planner *planner = call->api->planner;

    if (!planner_is_current(planner)) {
        if (!planner_begin_read(planner, &call->err))
            return false;
        planner_end_read(planner);
    }
    return guard_access(call);
}
