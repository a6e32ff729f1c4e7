#include "cgi/planner/event.h"

#include <string.h>

#include "common/json_write.h"

#include "common/banned.h"

static void put_gpu_ids(struct json_writer *w, const struct planner *planner, const struct booking *b)
{
    json_key(w, "gpu_ids");
    json_open_array(w);
    for (size_t i = 0; i < b->gpu_count; i++)
        json_string(w, topology_gpu_by_key(&planner->topology, b->gpu_keys[i])->id);
    json_close(w);
}

bool event_booked(struct store *store, const struct booking *b, const char *node_id, const char *const *gpu_ids,
                  const struct actor *actor, int64_t now, struct error *err)
{
    struct buffer text = BUFFER_INIT;
    struct json_writer w;

    json_begin(&w, &text);
    json_open_object(&w);
    json_put_string(&w, "node_id", node_id);
    json_key(&w, "gpu_ids");
    json_open_array(&w);
    for (size_t i = 0; i < b->gpu_count; i++)
        json_string(&w, gpu_ids[i]);
    json_close(&w);
    json_put_hour(&w, "start", b->window.start);
    json_put_hour(&w, "end", b->window.end);
    json_put_string(&w, "user_label", b->user_label);
    json_put_string(&w, "priority", priority_name(b->priority));
    if (b->note != NULL)
        json_put_string(&w, "note", b->note);
    json_close(&w);
    bool ok = store_event_append(store, now, actor, "booked", b->id, text.data, NULL, err);
    buffer_release(&text);
    return ok;
}

/* What of B is other than in OTHER. */
static void put_differences(struct json_writer *w, const char *key, const struct planner *planner, const struct booking *b,
                            const struct booking *other)
{
    json_key(w, key);
    json_open_object(w);
    if (b->window.start != other->window.start)
        json_put_hour(w, "start", b->window.start);
    if (b->window.end != other->window.end)
        json_put_hour(w, "end", b->window.end);
    if (b->gpu_count != other->gpu_count || memcmp(b->gpu_keys, other->gpu_keys, b->gpu_count * sizeof *b->gpu_keys) != 0)
        put_gpu_ids(w, planner, b);
    if (strcmp(b->user_label, other->user_label) != 0)
        json_put_string(w, "user_label", b->user_label);
    if (b->priority != other->priority)
        json_put_string(w, "priority", priority_name(b->priority));
    if (strcmp(b->note != NULL ? b->note : "", other->note != NULL ? other->note : "") != 0)
        json_put_string(w, "note", b->note);
    json_close(w);
}

bool event_edited(struct planner *planner, const struct booking *before, const struct booking *after,
                  const struct actor *actor, int64_t now, struct error *err)
{
    struct buffer text = BUFFER_INIT;
    struct json_writer w;

    json_begin(&w, &text);
    json_open_object(&w);
    put_differences(&w, "old", planner, before, after);
    put_differences(&w, "new", planner, after, before);
    json_close(&w);
    bool ok = store_event_append(planner->store, now, actor, "edited", after->id, text.data, NULL, err);
    buffer_release(&text);
    return ok;
}

bool event_ended(struct store *store, const struct booking *b, const struct actor *actor, int64_t now, struct error *err)
{
    struct buffer text = BUFFER_INIT;
    struct json_writer w;

    json_begin(&w, &text);
    json_open_object(&w);
    json_put_string(&w, "user_label", b->user_label);
    json_put_hour(&w, "start", b->window.start);
    json_put_hour(&w, "end", b->window.end);
    json_close(&w);
    bool ok = store_event_append(store, now, actor, status_name(b->status), b->id, text.data, NULL, err);
    buffer_release(&text);
    return ok;
}

bool planner_events(struct planner *planner, struct arena *arena, int64_t after, int64_t booking_id, int64_t limit,
                    struct store_event **out, size_t *out_count, struct error *err)
{
    return store_events(planner->store, arena, after, booking_id, limit, out, out_count, err);
}
