#include "cgi/api/internal.h"

#include "common/banned.h"

void write_gpu_ids(struct json_writer *w, const struct topology *topology, const struct booking *b)
{
    json_key(w, "gpu_ids");
    json_open_array(w);
    for (size_t i = 0; i < b->gpu_count; i++)
        json_string(w, topology_gpu_by_key(topology, b->gpu_keys[i])->id);
    json_close(w);
}

void write_booking_members(struct json_writer *w, const struct topology *topology, const struct booking *b)
{
    json_put_integer(w, "id", b->id);
    json_put_string(w, "user_label", b->user_label);
    json_put_hour(w, "start", b->window.start);
    json_put_hour(w, "end", b->window.end);
    json_put_string(w, "status", status_name(b->status));
    write_gpu_ids(w, topology, b);
    json_put_string(w, "priority", priority_name(b->priority));
}

void write_node(struct json_writer *w, const struct node *node)
{
    json_open_object(w);
    json_put_string(w, "id", node->id);
    json_put_string(w, "name", node->name);
    json_put_integer(w, "gpu_count", (int64_t)node->gpu_count);
    json_key(w, "gpus");
    json_open_array(w);
    for (size_t i = 0; i < node->gpu_count; i++) {
        json_open_object(w);
        json_put_string(w, "id", node->gpus[i].id);
        json_put_string(w, "kind", node->gpus[i].kind);
        if (node->gpus[i].device != NULL)
            json_put_string(w, "device", node->gpus[i].device);
        json_close(w);
    }
    json_close(w);
    json_close(w);
}
