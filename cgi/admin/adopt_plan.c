#include "cgi/admin/adopt_plan.h"

#include <string.h>

#include "common/text.h"

#include "common/banned.h"

#define ID_MAX ((int64_t)1 << 53) /* what every JSON reader can hold */
#define NAME_FOR_NOBODY "unnamed"

void sentences_add(struct sentences *list, struct arena *arena, const char *sentence)
{
    list->items = arena_grow(arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = sentence;
}

bool adopt_id_fits(const char *id)
{
    size_t length = id == NULL ? 0 : strlen(id);

    return length > 0 && text_is_utf8(id, length) && !text_has_control(id, length) && text_characters(id, length) <= ID_CHARACTERS_MAX &&
           text_trim(id, length).length == length;
}

static bool read_time(const char *text, instant_t *out)
{
    return text != NULL && instant_parse(text, strlen(text), out);
}

static bool read_seconds(const char *text, int64_t *out)
{
    instant_t instant;

    if (!read_time(text, &instant))
        return false;
    *out = instant / 1000000 - (instant % 1000000 < 0);
    return true;
}

static bool read_window(const struct original_booking *old, struct window *out)
{
    instant_t start, end;

    if (!read_time(old->start, &start) || !read_time(old->end, &end) || end <= start)
        return false;
    *out = (struct window){hour_floor(start), hour_ceil(end)};
    return out->start >= HOUR_MIN && out->end <= HOUR_MAX;
}

static bool read_gpus(const struct original_booking *old, struct adopted *out)
{
    for (size_t i = 0; i < old->gpu_count; i++) {
        if (!adopt_id_fits(old->gpu_ids[i]))
            return false;
        if (i == 0 || strcmp(old->gpu_ids[i], old->gpu_ids[i - 1]) != 0)
            out->gpu_ids[out->gpu_count++] = old->gpu_ids[i];
    }
    return true;
}

/* NULL, or what is wrong. */
static const char *read_booking(const struct original_booking *old, struct arena *arena, struct adopted *out)
{
    struct booking *b = &out->booking;

    *out = (struct adopted){.node_id = old->node_id, .gpu_ids = arena_array(arena, old->gpu_count, sizeof *out->gpu_ids)};
    b->id = old->id;
    b->version = 1;
    if (old->id < 1 || old->id > ID_MAX)
        return "its id is no number that can be kept";
    if (!adopt_id_fits(old->node_id))
        return "its node's id cannot be read";
    if (!read_window(old, &b->window))
        return "its start and end are not two times of which the second is later";
    if (old->user_label != NULL && !text_is_utf8(old->user_label, strlen(old->user_label)))
        return "its label is not UTF-8";
    if (!status_of(old->status, &b->status))
        return "its status is none of active, completed, cancelled";
    if (!priority_of(old->priority, &b->priority))
        return "its priority is none of low, medium, high";
    if (!read_seconds(old->created, &b->created) || !read_seconds(old->updated, &b->updated))
        return "the time when it was made or changed cannot be read";
    if (!read_gpus(old, out))
        return "the id of one of its GPUs cannot be read";
    if (out->gpu_count == 0)
        return "it has no GPU";
    return NULL;
}

/*
 * A label here has 1 to 64 characters, none of them a control character; the original had no such rule. What does not fit is made to,
 * and stands whole in the note, as far as that has room.
 */
static void fit_label(const char *text, struct arena *arena, struct booking *b, struct sentences *changed)
{
    char *clean = arena_text(arena, text == NULL ? "" : text);
    bool differs = false;

    for (char *at = clean; *at != '\0';) {
        uint32_t code;
        size_t bytes = text_decode(at, strlen(at), &code);
        if (text_has_control(at, bytes)) {
            memset(at, ' ', bytes);
            differs = true;
        }
        at += bytes;
    }
    struct slice whole = text_trim(clean, strlen(clean));
    struct slice label = text_trim(whole.bytes, text_head(whole.bytes, whole.length, LABEL_CHARACTERS_MAX));
    differs = differs || label.length != whole.length || whole.length == 0;
    b->user_label = whole.length == 0 ? NAME_FOR_NOBODY : arena_copy(arena, label.bytes, label.length);
    if (label.length != whole.length) {
        struct slice note = text_trim(whole.bytes, text_head(whole.bytes, whole.length, NOTE_CHARACTERS_MAX));
        b->note = arena_copy(arena, note.bytes, note.length);
    }
    if (differs)
        sentences_add(changed, arena, arena_printf(arena, "booking %lld: its label is now '%s'%s", (long long)b->id, b->user_label,
                                                   b->note != NULL ? "; the whole of it is its note" : ""));
}

/* What the original never said: until when the GPUs were used. An ended booking was last changed when it ended. */
static void settle_end(struct adopted *a)
{
    struct booking *b = &a->booking;

    a->held_until = b->window.end;
    if (b->status == BOOKING_ACTIVE)
        return;
    b->released = b->updated;
    hour_t ended = hour_of_seconds(b->updated);
    if (ended < a->held_until)
        a->held_until = ended;
}

void adopt_plan_make(const struct original *original, struct arena *arena, struct adopt_plan *out)
{
    *out = (struct adopt_plan){.bookings = arena_array(arena, original->booking_count, sizeof *out->bookings)};
    for (size_t i = 0; i < original->booking_count; i++) {
        const struct original_booking *old = &original->bookings[i];
        struct adopted *a = &out->bookings[out->count];
        const char *fault = read_booking(old, arena, a);
        if (fault != NULL) {
            sentences_add(&out->unreadable, arena, arena_printf(arena, "booking %lld: %s", (long long)old->id, fault));
            continue;
        }
        fit_label(old->user_label, arena, &a->booking, &out->changed);
        settle_end(a);
        out->count++;
    }
}
