#include "cgi/planner/gauges.h"

#include "common/banned.h"

bool planner_gauges(struct planner *planner, struct gauges *out, struct error *err)
{
    const struct topology *topology = &planner->topology;

    *out = (struct gauges){
        .nodes = (int64_t)topology->node_count,
        .revision = planner->state.revision,
        .wal_bytes = store_wal_bytes(planner->store),
    };
    for (size_t i = 0; i < topology->node_count; i++)
        out->gpus += (int64_t)topology->nodes[i].gpu_count;
    return store_booking_counts(planner->store, out->bookings, err);
}
