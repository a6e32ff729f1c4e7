#include "cgi/api/internal.h"

#include "cgi/planner/sync.h"

#include "common/banned.h"

static bool write_reload(struct call *call, void *context, struct json_writer *w)
{
    struct planner *planner = call->api->planner;
    struct sync_report report;

    (void)context;
    if (!planner_sync(planner, call->arena, call->api->source, &call->actor, call->now, &report, &call->err))
        return false;
    json_open_object(w);
    json_put_string(w, "status", "ok");
    json_put_boolean(w, "changed", report.changed);
    sync_list_write(w, "added", &report.added);
    sync_list_write(w, "updated", &report.updated);
    sync_list_write(w, "retired", &report.retired);
    sync_list_write(w, "returned", &report.returned);
    json_key(w, "affected_bookings");
    json_open_array(w);
    for (size_t i = 0; i < report.booking_count; i++) {
        const struct booking *b = report.bookings[i];
        topology_sort_gpus(&planner->topology, (int64_t *)b->gpu_keys, b->gpu_count);
        json_open_object(w);
        json_put_string(w, "node_id", topology_node_by_key(&planner->topology, b->node_key)->id);
        write_booking_members(w, &planner->topology, b);
        json_close(w);
    }
    json_close(w);
    json_close(w);
    return true;
}

struct settled api_reload_config(struct call *call)
{
    return reply_write(call, &(struct write_answer){.status = 200, .write = write_reload});
}
