#include "cgi/api/timeline.h"

#include "common/banned.h"

static void write_outline(struct json_writer *w, const struct booking_outline *b, hour_t origin)
{
    int members = b->note != NULL                  ? 9
                  : b->version != 1                ? 8
                  : b->owner != NULL               ? 7
                  : b->status != BOOKING_ACTIVE    ? 6
                  : b->priority != PRIORITY_MEDIUM ? 5
                                                   : 4;

    json_open_array(w);
    json_integer(w, b->id);
    json_integer(w, b->window.start - origin);
    json_integer(w, b->window.end - origin);
    json_string(w, b->user_label);
    if (members > 4)
        json_integer(w, b->priority);
    if (members > 5)
        json_integer(w, b->status);
    if (members > 6)
        json_string(w, b->owner);
    if (members > 7)
        json_integer(w, b->version);
    if (members > 8)
        json_string(w, b->note);
    json_close(w);
}

static bool write_bookings(struct call *call, struct json_writer *w, const struct timeline *t, hour_t origin)
{
    json_key(w, "bookings");
    json_open_array(w);
    for (size_t i = 0; i < t->booking_count; i++) {
        write_outline(w, &t->bookings[i], origin);
        if (i % 1024 == 0 && !answer_fits(call, w))
            return false;
    }
    json_close(w);
    return true;
}

static bool write_held(struct call *call, struct json_writer *w, const struct timeline *t, hour_t origin)
{
    json_key(w, "held");
    json_open_array(w);
    for (size_t i = 0; i < t->row_count; i++) {
        const struct timeline_row *row = &t->rows[i];
        json_open_array(w);
        json_integer(w, (int64_t)row->gpu);
        for (const struct timeline_hold *h = t->holds + row->first; h < t->holds + row->first + row->count; h++) {
            if (h->planned) {
                json_integer(w, h->booking_id);
                continue;
            }
            json_open_array(w);
            json_integer(w, h->window.start - origin);
            json_integer(w, h->window.end - origin);
            json_integer(w, h->booking_id);
            json_close(w);
        }
        json_close(w);
        if (!answer_fits(call, w))
            return false;
    }
    json_close(w);
    return true;
}

bool write_timeline(struct call *call, const struct timeline_question *q, const struct timeline *t, struct json_writer *w)
{
    const struct store_state *state = &call->api->planner->state;

    json_open_object(w);
    json_put_string(w, "epoch", state->epoch);
    json_put_integer(w, "revision", state->revision);
    json_put_boolean(w, "full", t->full);
    json_put_hour(w, "start", q->window.start);
    json_put_hour(w, "end", q->window.end);
    json_key(w, "nodes");
    json_open_array(w);
    for (size_t i = 0; i < q->node_count && t->full; i++)
        write_node(w, q->nodes[i]);
    json_close(w);
    if (!write_bookings(call, w, t, q->window.start) || !write_held(call, w, t, q->window.start))
        return false;
    json_key(w, "removed");
    json_open_array(w);
    for (size_t i = 0; i < t->removed_count; i++)
        json_integer(w, t->removed[i]);
    json_close(w);
    json_close(w);
    return true;
}
