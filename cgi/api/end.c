#include "cgi/api/internal.h"

#include "cgi/planner/booking.h"
#include "common/json_read.h"

#include "common/banned.h"

#define UNKNOWN "is not active or does not exist"

/* Ending a booking: done (mark_done) or cancelled (DELETE). */
struct end {
    int64_t id;
    enum booking_status status;
};

static bool write_end(struct call *call, void *context, struct json_writer *w)
{
    struct end *end = context;
    struct booking *b;

    if (!planner_end(call->api->planner, call->arena, end->id, end->status, &call->actor, call->now, &b, &call->err))
        return false;
    json_open_object(w);
    json_put_integer(w, "booking_id", b->id);
    json_put_string(w, "status", status_name(b->status));
    json_close(w);
    return true;
}

static struct settled end_booking(struct call *call, struct end *end)
{
    return reply_write(call, &(struct write_answer){.status = 200, .write = write_end, .context = end});
}

struct settled api_mark_done(struct call *call)
{
    struct end end = {.status = BOOKING_COMPLETED};
    struct json_object *value;

    if (!read_object(call))
        return reply_error(call);
    value = json_member(call->json, "booking_id");
    if (value == NULL) {
        error_field(&call->err, ERROR_BAD_REQUEST, "booking_id", "'booking_id' is required");
        return reply_error(call);
    }
    if (!json_as_whole(value, &end.id)) {
        if (json_object_is_type(value, json_type_string) && is_whole_text(json_object_get_string(value)))
            error_set(&call->err, ERROR_NOT_FOUND, "Booking '%.100s' " UNKNOWN, json_object_get_string(value));
        else
            error_field(&call->err, ERROR_BAD_REQUEST, "booking_id", "'booking_id' must be a whole number");
        return reply_error(call);
    }
    return end_booking(call, &end);
}

struct settled api_booking_delete(struct call *call)
{
    struct end end = {.status = BOOKING_CANCELLED};

    if (!read_booking_id(call, UNKNOWN, &end.id))
        return reply_error(call);
    return end_booking(call, &end);
}
