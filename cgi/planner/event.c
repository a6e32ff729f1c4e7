#include "cgi/planner/event.h"

#include "common/json_write.h"

#include "common/banned.h"

bool event_booked(struct planner *planner, const struct booking *b, const struct actor *actor,
                  int64_t now, struct error *err)
{
    const struct node *node = topology_node_by_key(&planner->topology, b->node_key);
    struct buffer text = BUFFER_INIT;
    struct json_writer w;

    json_begin(&w, &text);
    json_open_object(&w);
    json_put_string(&w, "node_id", node->id);
    json_key(&w, "gpu_ids");
    json_open_array(&w);
    for (size_t i = 0; i < b->gpu_count; i++)
        json_string(&w, topology_gpu_by_key(&planner->topology, b->gpu_keys[i])->id);
    json_close(&w);
    json_put_hour(&w, "start", b->window.start);
    json_put_hour(&w, "end", b->window.end);
    json_put_string(&w, "user_label", b->user_label);
    json_put_string(&w, "priority", priority_name(b->priority));
    if (b->note != NULL)
        json_put_string(&w, "note", b->note);
    json_close(&w);
    bool ok = store_event_append(planner->store, now, actor, "booked", b->id, text.data, NULL, err);
    buffer_release(&text);
    return ok;
}

bool event_ended(struct planner *planner, const struct booking *b, const struct actor *actor, int64_t now, struct error *err)
{
    struct buffer text = BUFFER_INIT;
    struct json_writer w;

    json_begin(&w, &text);
    json_open_object(&w);
    json_put_string(&w, "user_label", b->user_label);
    json_put_hour(&w, "start", b->window.start);
    json_put_hour(&w, "end", b->window.end);
    json_close(&w);
    bool ok = store_event_append(planner->store, now, actor, status_name(b->status), b->id, text.data, NULL, err);
    buffer_release(&text);
    return ok;
}
