#include "cgi/admin/adopt_bring.h"

#include <stdlib.h>

#include "cgi/planner/event.h"

#include "common/banned.h"

#define PROGRESS_BOOKINGS 256

struct bringing {
    struct adopt_plan *plan;
    const struct adopt_places *places;
    struct store *store;
    const struct store_listener *listener;
    struct arena *arena;
    struct adopt_brought *out;
};

/* -- bookings --------------------------------------------------------------------------------------------------- */

/* Its row and what it was booked with; node and GPUs are known by now. */
static bool insert(struct bringing *m, struct adopted *a, struct error *err)
{
    struct booking *b = &a->booking;
    int64_t *keys = arena_array(m->arena, a->gpu_count, sizeof *keys);

    for (size_t i = 0; i < a->gpu_count; i++) {
        const struct adopt_place *place = adopt_places_find(m->places, a->node_id, a->gpu_ids[i]);
        keys[i] = place->gpu_key;
        b->node_key = place->node_key;
    }
    b->gpu_keys = keys;
    b->gpu_count = a->gpu_count;
    m->out->bookings[b->status]++;
    return store_booking_insert(m->store, b, err);
}

/* What of WINDOW nobody holds yet. Rows come latest first. */
static bool hold_rest(struct bringing *m, int64_t gpu_key, struct window window, int64_t booking_id, struct error *err)
{
    struct holding *rows;
    size_t count;

    if (window.end <= window.start)
        return true;
    if (!store_holdings(m->store, m->arena, gpu_key, window, 0, &rows, &count, err))
        return false;
    hour_t from = window.start;
    for (size_t i = count + 1; i-- > 0;) {
        hour_t to = i > 0 ? rows[i - 1].window.start : window.end;
        struct allocation piece = {gpu_key, {from, to}, booking_id};
        if (to > from && !store_allocation_insert(m->store, &piece, err))
            return false;
        if (i > 0)
            from = rows[i - 1].window.end;
    }
    return true;
}

/* Tells who is in the way of an active booking, on one of its GPUs. */
static bool find_overlap(struct bringing *m, struct adopted *a, struct error *err)
{
    for (size_t i = 0; i < a->gpu_count && !a->left_out; i++) {
        struct holding *rows;
        size_t count;
        char from[HOUR_TEXT_SIZE], to[HOUR_TEXT_SIZE];
        const struct adopt_place *place = adopt_places_find(m->places, a->node_id, a->gpu_ids[i]);
        if (!store_holdings(m->store, m->arena, place->gpu_key, a->booking.window, 0, &rows, &count, err))
            return false;
        if (count == 0)
            continue;
        struct window shared = window_intersect(rows[count - 1].window, a->booking.window);
        hour_format(shared.start, from);
        hour_format(shared.end, to);
        a->left_out = true;
        sentences_add(&m->out->overlaps, m->arena,
                      arena_printf(m->arena, "booking %lld (%s) and booking %lld, both active, overlap on GPU %s of node %s from %s to %s",
                                   (long long)a->booking.id, a->booking.user_label, (long long)rows[count - 1].booking_id, place->gpu_id,
                                   place->node_id, from, to));
    }
    return true;
}

static bool bring_bookings(struct bringing *m, bool active, struct error *err)
{
    for (size_t i = 0; i < m->plan->count; i++) {
        struct adopted *a = &m->plan->bookings[i];
        if (i % PROGRESS_BOOKINGS == 0)
            m->listener->progress(m->listener->context, (int64_t)(i + (active ? 0 : m->plan->count)), (int64_t)(2 * m->plan->count));
        if ((a->booking.status == BOOKING_ACTIVE) != active)
            continue;
        if (active && !find_overlap(m, a, err))
            return false;
        if (a->left_out)
            continue;
        if (!insert(m, a, err))
            return false;
        for (size_t j = 0; j < a->gpu_count; j++)
            if (!hold_rest(m, a->booking.gpu_keys[j], (struct window){a->booking.window.start, a->held_until}, a->booking.id, err))
                return false;
    }
    return true;
}

/* -- what happened ---------------------------------------------------------------------------------------------- */

struct happening {
    int64_t at;
    const struct adopted *what;
    bool ended;
};

static int by_time(const void *a, const void *b)
{
    const struct happening *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->what != y->what)
        return x->what->booking.id < y->what->booking.id ? -1 : 1;
    return (int)x->ended - (int)y->ended;
}

static bool append(struct bringing *m, const struct happening *h, struct error *err)
{
    static const struct actor nobody = {"", false};
    const struct booking *b = &h->what->booking;

    if (h->ended)
        return event_ended(m->store, b, &nobody, h->at, err);
    return event_booked(m->store, b, h->what->node_id, h->what->gpu_ids, &nobody, h->at, err);
}

/* The log tells it in the order of time; one who ended before it was made is told in the order of sense. */
static bool tell_history(struct bringing *m, struct error *err)
{
    struct happening *all = arena_array(m->arena, 2 * m->plan->count, sizeof *all);
    size_t n = 0;

    for (size_t i = 0; i < m->plan->count; i++) {
        const struct adopted *a = &m->plan->bookings[i];
        if (a->left_out)
            continue;
        all[n++] = (struct happening){a->booking.created, a, false};
        if (a->booking.status != BOOKING_ACTIVE)
            all[n++] = (struct happening){
                a->booking.released > a->booking.created ? a->booking.released : a->booking.created, a, true};
    }
    qsort(all, n, sizeof *all, by_time);
    for (size_t i = 0; i < n; i++)
        if (!append(m, &all[i], err))
            return false;
    return true;
}

bool adopt_bring(struct adopt_plan *plan, const struct adopt_places *places, struct store *store, const struct store_listener *listener,
                 struct arena *arena, struct adopt_brought *out, struct error *err)
{
    struct bringing m = {plan, places, store, listener, arena, out};

    *out = (struct adopt_brought){0};
    return bring_bookings(&m, true, err) && bring_bookings(&m, false, err) && tell_history(&m, err);
}
