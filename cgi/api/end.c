#include "cgi/api/internal.h"

#include "cgi/planner/booking.h"
#include "common/json_read.h"

#include "common/banned.h"

#define UNKNOWN "is not active or does not exist"

/* Ending a booking: done (mark_done), cancelled (DELETE), or done by whoever has its token (release). */
struct end {
    int64_t id;
    enum booking_status status;
    const char *token; /* NULL but for release */
};

static bool write_end(struct call *call, void *context, struct json_writer *w)
{
    struct end *end = context;
    struct planner *planner = call->api->planner;
    struct booking *b;
    bool ok;

    if (end->token != NULL)
        ok = planner_release(planner, call->arena, end->id, end->token, &call->actor, call->now, &b, &call->err);
    else
        ok = planner_end(planner, call->arena, end->id, end->status, &call->actor, call->now, &b, &call->err);
    if (!ok)
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

/* booking_id of the body. */
static bool read_end(struct call *call, struct end *end)
{
    struct json_object *value;

    if (!read_object(call))
        return false;
    value = json_member(call->json, "booking_id");
    if (value == NULL)
        return error_field(&call->err, ERROR_BAD_REQUEST, "booking_id", "'booking_id' is required");
    if (json_as_whole(value, &end->id))
        return true;
    if (json_object_is_type(value, json_type_string) && is_whole_text(json_object_get_string(value)))
        return error_set(&call->err, ERROR_NOT_FOUND, "Booking '%.100s' " UNKNOWN, json_object_get_string(value));
    return error_field(&call->err, ERROR_BAD_REQUEST, "booking_id", "'booking_id' must be a whole number");
}

struct settled api_mark_done(struct call *call)
{
    struct end end = {.status = BOOKING_COMPLETED};

    return read_end(call, &end) ? end_booking(call, &end) : reply_error(call);
}

static bool read_token(struct call *call, struct end *end)
{
    struct json_object *value = json_member(call->json, "release_token");

    if (!json_object_is_type(value, json_type_string))
        return error_field(&call->err, ERROR_BAD_REQUEST, "release_token", "'release_token' is required, as text");
    end->token = json_object_get_string(value);
    return true;
}

struct settled api_release(struct call *call)
{
    struct end end = {.status = BOOKING_COMPLETED};

    return read_end(call, &end) && read_token(call, &end) ? end_booking(call, &end) : reply_error(call);
}

struct settled api_booking_delete(struct call *call)
{
    struct end end = {.status = BOOKING_CANCELLED};

    if (!read_booking_id(call, UNKNOWN, &end.id))
        return reply_error(call);
    return end_booking(call, &end);
}
