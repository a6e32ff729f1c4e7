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

static void put_id(struct json_writer *w, const char *key, int64_t id)
{
    if (id == 0)
        json_put_null(w, key);
    else
        json_put_integer(w, key, id);
}

static void put_time(struct json_writer *w, const char *key, int64_t seconds)
{
    if (seconds == 0)
        json_put_null(w, key);
    else
        json_put_seconds(w, key, seconds);
}

void write_booking_full(struct json_writer *w, const struct topology *topology, const struct booking *b)
{
    json_open_object(w);
    write_booking_members(w, topology, b);
    json_put_string(w, "node_id", topology_node_by_key(topology, b->node_key)->id);
    json_put_string(w, "owner", b->owner);
    json_put_string(w, "note", b->note);
    put_id(w, "series_id", b->series_id);
    json_put_integer(w, "version", b->version);
    put_time(w, "created", b->created);
    put_time(w, "updated", b->updated);
    put_time(w, "released", b->released);
    json_close(w);
}

void write_node(struct json_writer *w, const struct node *node)
{
    json_open_object(w);
    json_put_string(w, "id", node->id);
    json_put_string(w, "name", node->name);
    json_put_integer(w, "gpu_count", (int64_t)node->gpu_count);
    /* Then a GPU's place in the list says nothing about its index in the machine: the retired one may still be plugged in. */
    if (node->gpu_total > node->gpu_count)
        json_put_integer(w, "retired_gpu_count", (int64_t)(node->gpu_total - node->gpu_count));
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
