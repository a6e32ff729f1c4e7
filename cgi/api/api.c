#include "cgi/api/api.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cgi/api/internal.h"
#include "cgi/planner/sync.h"
#include "common/log.h"

#include "common/banned.h"

bool api_open(const char *database, const struct config_source *source, struct api **out, struct error *err)
{
    struct api *api = calloc(1, sizeof *api);

    if (api == NULL)
        abort();
    *out = NULL;
    if (!planner_open(database, false, &api->planner, err))
        goto failed;
    if (!planner_begin_read(api->planner, err))
        goto failed;
    planner_end_read(api->planner);
    if (api->planner->config_revision == 0) {
        error_set(err, ERROR_CONFIGURATION, "No configuration was accepted yet");
        goto failed;
    }
    api->source = source;
    api->cache = cache_new(API_CACHE_BYTES);
    build_id(api->build);
    *out = api;
    return true;
failed:
    api_close(api);
    return false;
}

void api_close(struct api *api)
{
    if (api == NULL)
        return;
    planner_close(api->planner);
    if (api->cache != NULL)
        cache_free(api->cache);
    free(api);
}

void api_join_pool(struct api *api, const struct api_pool *pool)
{
    api->pool = *pool;
}

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void log_failure(const struct call *call, int status)
{
    const struct error *err = &call->err;
    const char *detail = err->detail[0] != '\0' ? err->detail : "";

    if (status >= 500)
        log_error("request %s: %d %s %s: %s%s%s%s", call->request->id, status, call->request->method_name,
                  call->request->path, err->message, *detail != '\0' ? " (" : "", detail, *detail != '\0' ? ")" : "");
    else if (status >= 400)
        log_debug("request %s: %d %s %s: %s", call->request->id, status, call->request->method_name, call->request->path,
                  err->message);
}

void api_answer(void *context, struct http_request *request, const struct error *read_error,
                struct http_response *response)
{
    struct call call = {
        .api = context,
        .request = request,
        .response = response,
        .arena = request->arena,
        .now = (int64_t)time(NULL),
        .actor = {"", false}, /* until guard_access has asked the configuration */
        .route = ROUTE_NONE,
    };
    int64_t begun = monotonic_ns();
    struct settled settled;

    response->content_type = "application/json";
    if (read_error->code != ERROR_NONE) {
        error_field(&call.err, read_error->code, read_error->field, "%s", read_error->message);
        settled = reply_error(&call);
    } else {
        settled = routes_dispatch(&call);
    }
    if (call.api->pool.stats != NULL)
        stats_count(call.api->pool.stats, call.route, settled.status, monotonic_ns() - begun);
    log_failure(&call, settled.status);
    error_clear(&call.err);
    json_object_put(call.json);
}

/* -- taking in the configuration --------------------------------------------------------------------------------- */

static void log_report(const struct planner *planner, const struct sync_report *report)
{
    size_t gpus = 0;

    for (size_t i = 0; i < planner->topology.node_count; i++)
        gpus += planner->topology.nodes[i].gpu_count;
    log_notice("configuration %s: %zu nodes, %zu GPUs; added %zu, changed %zu, retired %zu, came back %zu",
               report->changed ? "accepted" : "unchanged", planner->topology.node_count, gpus, report->added.count,
               report->updated.count, report->retired.count, report->returned.count);
    if (report->booking_count > 0)
        log_warning("%zu active bookings stand on retired GPUs, first booking %lld of '%s'", report->booking_count,
                    (long long)report->bookings[0]->id, report->bookings[0]->user_label);
}

bool api_configure(const char *database, const struct config_source *source, struct error *err)
{
    static const struct actor system_actor = {"", false};
    struct planner *planner;
    struct sync_report report;
    struct arena arena;
    bool ok = false;

    arena_init(&arena);
    if (!planner_open(database, true, &planner, err))
        goto out;
    if (!planner_begin_write(planner, err))
        goto out;
    if (!planner_sync(planner, &arena, source, &system_actor, (int64_t)time(NULL), &report, err)) {
        planner_rollback(planner);
        goto out;
    }
    log_report(planner, &report);
    ok = planner_commit(planner, err);
out:
    planner_close(planner);
    arena_release(&arena);
    return ok;
}
