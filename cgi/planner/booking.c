#include "cgi/planner/booking.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cgi/planner/access.h"
#include "cgi/planner/event.h"
#include "cgi/planner/validate.h"

#include "common/banned.h"

/* -- making ----------------------------------------------------------------------------------------------------- */

static bool hold(struct planner *planner, const struct plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct allocation a = {plan->held[i].gpu->key, plan->held[i].window, plan->booking->id};
        if (window_hours(a.window) > 0 && !store_allocation_hold(planner->store, &a, err))
            return false;
    }
    return true;
}

/* 128 random bits as 32 hexadecimal digits: what a job gives its booking back with. */
static bool make_token(struct arena *arena, struct booking *b, struct error *err)
{
    unsigned char bits[16];
    char *text = arena_alloc(arena, 2 * sizeof bits + 1);

    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return error_set(err, ERROR_INTERNAL, "The system gives no random bytes");
    for (size_t i = 0; i < sizeof bits; i++)
        snprintf(text + 2 * i, 3, "%02x", bits[i]);
    b->release_token = text;
    return true;
}

static bool tell_booked(struct planner *planner, struct arena *arena, const struct booking *b, const struct actor *actor, int64_t now,
                        struct error *err)
{
    const char **gpu_ids = arena_array(arena, b->gpu_count, sizeof *gpu_ids);

    for (size_t i = 0; i < b->gpu_count; i++)
        gpu_ids[i] = topology_gpu_by_key(&planner->topology, b->gpu_keys[i])->id;
    return event_booked(planner->store, b, topology_node_by_key(&planner->topology, b->node_key)->id, gpu_ids, actor, now, err);
}

static bool book(struct planner *planner, struct arena *arena, const struct booking_request *request, int64_t series_id,
                 const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    struct booking_request owned = *request;
    struct plan plan;

    owned.owner = access_owner(planner, actor);
    if (!access_write(planner, actor, err) ||
        !validate(planner, arena, &owned, NULL, hour_of_seconds(now), &plan, err))
        return false;
    struct booking *b = plan.booking;
    b->status = BOOKING_ACTIVE;
    b->series_id = series_id;
    b->version = 1;
    b->created = b->updated = now;
    *out = b;
    return make_token(arena, b, err) && store_booking_insert(planner->store, b, err) && hold(planner, &plan, err) &&
           tell_booked(planner, arena, b, actor, now, err);
}

bool planner_book(struct planner *planner, struct arena *arena, const struct booking_request *request,
                  const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    return book(planner, arena, request, 0, actor, now, out, err);
}

/* -- series ----------------------------------------------------------------------------------------------------- */

/* The first booking's id names the series, so it is known only once that one is made. */
static bool join_series(struct planner *planner, struct series *series, struct booking *b, struct error *err)
{
    series->bookings[series->count++] = b;
    if (series->count > 1)
        return true;
    b->series_id = b->id;
    return store_booking_update(planner->store, b, err);
}

/* What is undone has no id that anybody could look up, and another booking will get that number. */
static void forget_ids(const struct series *series, struct error *err)
{
    for (size_t i = 0; i < err->conflict_count; i++)
        if (series->count > 0 && err->conflicts[i].booking_id >= series->bookings[0]->id)
            err->conflicts[i].booking_id = 0;
}

/* Takes what ERR owns. */
static void skip(struct series *series, const struct booking_request *request, struct error *err)
{
    struct series_skipped *skipped = &series->skipped[series->skipped_count++];

    skipped->window = (struct window){hour_floor(request->start), hour_ceil(request->end)};
    skipped->error = *err;
    *err = (struct error)ERROR_INIT;
}

static bool can_skip(const struct error *err)
{
    return err->code == ERROR_CONFLICT || (err->code == ERROR_BAD_REQUEST && err->limit[0] != '\0');
}

/* A limit's sentence speaks of one booking: this says which of the series it is. A conflict names hours of its own, and what is
 * wrong with the first one otherwise is wrong with the request. */
static void say_which(struct error *err, const struct booking_request *request, size_t i, size_t count)
{
    size_t used = strlen(err->message);
    hour_t hour = hour_floor(request->start);
    char start[HOUR_TEXT_SIZE];

    if (count == 1 || err->code != ERROR_BAD_REQUEST || (err->limit[0] == '\0' && i == 0))
        return;
    hour_format(hour, start);
    snprintf(err->message + used, sizeof err->message - used, "; of the series that is booking %zu of %zu%s%s", i + 1, count,
             hour <= HOUR_MAX ? ", which starts at " : "", hour <= HOUR_MAX ? start : "");
}

bool planner_book_series(struct planner *planner, struct arena *arena, const struct booking_request *request,
                         const struct series_request *series, const struct actor *actor, int64_t now, struct series *out,
                         struct error *err)
{
    const instant_t step = (instant_t)series->step * SECONDS_PER_HOUR * 1000000;
    struct booking_request each = *request;

    *out = (struct series){.bookings = arena_array(arena, series->count, sizeof *out->bookings),
                           .skipped = arena_array(arena, series->count, sizeof *out->skipped)};
    for (size_t i = 0; i < series->count; i++, each.start += step, each.end += step) {
        int64_t id = out->count > 0 ? out->bookings[0]->id : 0;
        struct booking *b;
        if (book(planner, arena, &each, id, actor, now, &b, err)) {
            if (!join_series(planner, out, b, err))
                return false;
            continue;
        }
        bool refused = !series->skip || !can_skip(err);
        if (refused || series->undone)
            forget_ids(out, err);
        if (refused) {
            say_which(err, &each, i, series->count);
            return false;
        }
        skip(out, &each, err);
    }
    if (out->count > 0)
        return true;
    *err = out->skipped[0].error; /* nothing fits: the first refusal is the answer's sentence */
    err->code = ERROR_CONFLICT;
    out->skipped[0].error = (struct error)ERROR_INIT;
    return false;
}

void series_clear(struct series *series)
{
    for (size_t i = 0; i < series->skipped_count; i++)
        error_clear(&series->skipped[i].error);
}

/* -- changing --------------------------------------------------------------------------------------------------- */

static bool find_active(struct planner *planner, struct arena *arena, int64_t id, struct booking **out, struct error *err)
{
    if (!planner_booking(planner, arena, id, out, err))
        return false;
    if ((*out)->status != BOOKING_ACTIVE)
        return error_set(err, ERROR_CONFLICT, "Booking '%lld' is %s and cannot be changed any more", (long long)id,
                         status_name((*out)->status));
    return true;
}

/* The whole wish: what the edit says, and for the rest what the booking is. */
static struct booking_request merge(const struct booking *current, const struct booking_edit *edit)
{
    const instant_t hour = (instant_t)SECONDS_PER_HOUR * 1000000;

    return (struct booking_request){
        .start = edit->has_start ? edit->start : current->window.start * hour,
        .end = edit->has_end ? edit->end : current->window.end * hour,
        .user_label = edit->user_label != NULL ? edit->user_label : current->user_label,
        .gpu_ids = edit->gpu_ids,
        .gpu_id_count = edit->gpu_id_count,
        .gpu_count = edit->gpu_count,
        .keep_gpus = edit->gpu_id_count == 0 && !edit->has_gpu_count,
        .priority = edit->priority != NULL ? edit->priority : priority_name(current->priority),
        .note = edit->has_note ? edit->note : current->note,
    };
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_gpus(const struct booking *a, const struct booking *b)
{
    return a->gpu_count == b->gpu_count && memcmp(a->gpu_keys, b->gpu_keys, a->gpu_count * sizeof *a->gpu_keys) == 0;
}

static bool same(const struct booking *a, const struct booking *b)
{
    return a->window.start == b->window.start && a->window.end == b->window.end && a->priority == b->priority &&
           same_text(a->user_label, b->user_label) && same_text(a->note, b->note) && same_gpus(a, b);
}

static bool write_edit(struct planner *planner, const struct booking *before, const struct plan *plan, struct error *err)
{
    const struct booking *b = plan->booking;

    return store_allocations_cut(planner->store, b->id, plan->from, err) && store_booking_update(planner->store, b, err) &&
           (same_gpus(before, b) || store_booking_set_gpus(planner->store, b, err)) && hold(planner, plan, err);
}

bool planner_edit(struct planner *planner, struct arena *arena, int64_t id, const struct booking_edit *edit,
                  const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    struct booking *current;
    struct plan plan;

    if (!find_active(planner, arena, id, &current, err) || !access_change(planner, actor, current, err))
        return false;
    if (edit->has_version && edit->version != current->version)
        return error_field(err, ERROR_PRECONDITION, "version",
                           "Booking '%lld' was changed by somebody else: it is at version %lld, not %lld", (long long)id,
                           (long long)current->version, (long long)edit->version);
    struct booking_request request = merge(current, edit);
    if (!validate(planner, arena, &request, current, hour_of_seconds(now), &plan, err))
        return false;
    *out = plan.booking;
    if (same(current, plan.booking))
        return true;
    plan.booking->version++;
    plan.booking->updated = now;
    return write_edit(planner, current, &plan, err) && event_edited(planner, current, plan.booking, actor, now, err);
}

/* -- ending ----------------------------------------------------------------------------------------------------- */

/* BY_TOKEN: whoever has the token may, whoever it is. */
static bool end(struct planner *planner, struct arena *arena, int64_t id, enum booking_status status, bool by_token,
                const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    struct booking *b;

    if (!store_booking_find(planner->store, arena, id, &b, err))
        return false;
    if (b == NULL || b->status != BOOKING_ACTIVE)
        return error_set(err, ERROR_NOT_FOUND, "Booking '%lld' is not active or does not exist", (long long)id);
    if (!by_token && !access_change(planner, actor, b, err))
        return false;
    b->status = status;
    b->released = b->updated = now;
    *out = b;
    return store_allocations_cut(planner->store, id, hour_of_seconds(now), err) &&
           store_booking_update(planner->store, b, err) && event_ended(planner->store, b, actor, now, err);
}

bool planner_end(struct planner *planner, struct arena *arena, int64_t id, enum booking_status status,
                 const struct actor *actor, int64_t now, struct booking **out, struct error *err)
{
    return end(planner, arena, id, status, false, actor, now, out, err);
}

/* As long for a token that differs in its first character as for one that differs in its last. */
static bool same_token(const char *a, const char *b)
{
    size_t length = strlen(a);
    unsigned char difference = 0;

    if (strlen(b) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

bool planner_release(struct planner *planner, struct arena *arena, int64_t id, const char *token, const struct actor *actor,
                     int64_t now, struct booking **out, struct error *err)
{
    const char *kept;

    if (!store_release_token(planner->store, arena, id, &kept, err))
        return false;
    if (kept != NULL && !same_token(kept, token))
        return error_field(err, ERROR_FORBIDDEN, "release_token", "The release token is not the one of booking '%lld'",
                           (long long)id);
    if (kept == NULL) /* no such booking, or one that was made without a token */
        return error_set(err, ERROR_NOT_FOUND, "Booking '%lld' is not active or does not exist", (long long)id);
    return end(planner, arena, id, BOOKING_COMPLETED, true, actor, now, out, err);
}

/* -- looking ---------------------------------------------------------------------------------------------------- */

bool planner_booking(struct planner *planner, struct arena *arena, int64_t id, struct booking **out, struct error *err)
{
    if (!store_booking_find(planner->store, arena, id, out, err))
        return false;
    if (*out == NULL)
        return error_set(err, ERROR_NOT_FOUND, "Booking '%lld' does not exist", (long long)id);
    topology_sort_gpus(&planner->topology, (int64_t *)(*out)->gpu_keys, (*out)->gpu_count);
    return true;
}

bool planner_bookings(struct planner *planner, struct arena *arena, const struct booking_filter *filter,
                      struct booking ***out, size_t *out_count, struct error *err)
{
    if (!store_bookings_list(planner->store, arena, filter, out, out_count, err))
        return false;
    for (size_t i = 0; i < *out_count; i++)
        topology_sort_gpus(&planner->topology, (int64_t *)(*out)[i]->gpu_keys, (*out)[i]->gpu_count);
    return true;
}
