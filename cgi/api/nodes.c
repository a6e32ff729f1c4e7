#include "cgi/api/internal.h"

#include "common/banned.h"

static bool render_nodes(struct call *call, void *context, struct json_writer *w)
{
    const struct topology *topology = &call->api->planner->topology;

    (void)context;
    json_open_object(w);
    json_key(w, "nodes");
    json_open_array(w);
    for (size_t i = 0; i < topology->node_count; i++)
        write_node(w, &topology->nodes[i]);
    json_close(w);
    json_close(w);
    return true;
}

struct settled api_nodes(struct call *call)
{
    return reply_read(call, &(struct read_answer){.key = "nodes", .render = render_nodes});
}
