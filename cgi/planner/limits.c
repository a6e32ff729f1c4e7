#include "cgi/planner/limits.h"

#include <string.h>

#include "common/banned.h"

/* GPU hours that the booking asks for from NOW on. */
static int64_t hours_ahead(const struct booking *b, hour_t now)
{
    struct window ahead = window_intersect(b->window, (struct window){now, HOUR_MAX + 1});

    return (int64_t)window_hours(ahead) * (int64_t)b->gpu_count;
}

/* EXCEPT is a booking whose hours do not count; 0: none. */
static bool check_user(struct planner *planner, const char *owner, const char *user_label, int64_t wanted, hour_t now,
                       int64_t except, struct error *err)
{
    int64_t most = planner->config.limits.max_active_gpu_hours_per_user, held;

    if (most < 0 || wanted == 0)
        return true;
    if (!store_user_gpu_hours(planner->store, owner, user_label, now, except, &held, err))
        return false;
    if (held + wanted <= most)
        return true;
    return error_limit(err, "max_active_gpu_hours_per_user", most,
                       "This would be %lld GPU hours for '%s', who has %lld ahead already; the limit is %lld "
                       "(max_active_gpu_hours_per_user)",
                       (long long)wanted, owner != NULL ? owner : user_label, (long long)held, (long long)most);
}

static bool check_hours_per_user(struct planner *planner, const struct booking *b, hour_t now, struct error *err)
{
    return check_user(planner, b->owner, b->user_label, hours_ahead(b, now), now, b->id, err);
}

bool limits_check_user(struct planner *planner, const char *owner, const char *user_label, int64_t hours, hour_t now,
                       struct error *err)
{
    return check_user(planner, owner, user_label, hours, now, 0, err);
}

static bool check_hours(const struct limits *limits, int64_t hours, struct error *err)
{
    int64_t most = limits->max_booking_hours;

    if (most < 0 || hours <= most)
        return true;
    return error_limit(err, "max_booking_hours", most,
                       "A booking may last %lld hours at most, not %lld (max_booking_hours)", (long long)most,
                       (long long)hours);
}

static bool check_gpus(const struct limits *limits, int64_t gpus, struct error *err)
{
    int64_t most = limits->max_gpus_per_booking;

    if (most < 0 || gpus <= most)
        return true;
    return error_limit(err, "max_gpus_per_booking", most,
                       "A booking may take %lld GPUs at most, not %lld (max_gpus_per_booking)", (long long)most,
                       (long long)gpus);
}

bool limits_check_size(const struct limits *limits, int64_t hours, int64_t gpus, struct error *err)
{
    return check_hours(limits, hours, err) && check_gpus(limits, gpus, err);
}

/* Whoever gives something back must not be stopped by a limit that was set after they booked. */
static bool only_shrinks(const struct booking *b, const struct booking *current)
{
    return current != NULL && b->window.start >= current->window.start && b->window.end <= current->window.end &&
           b->gpu_count <= current->gpu_count;
}

/* Whose hours the limit per user counts: the owner's, or those of the label, which a change may give to somebody else. */
static bool same_user(const struct booking *b, const struct booking *current)
{
    return b->owner != NULL || strcmp(b->user_label, current->user_label) == 0;
}

bool limits_check(struct planner *planner, const struct booking *b, const struct booking *current, hour_t now,
                  struct error *err)
{
    const struct limits *limits = &planner->config.limits;
    int64_t most;

    if (only_shrinks(b, current))
        return same_user(b, current) || check_hours_per_user(planner, b, now, err);
    if (!check_hours(limits, window_hours(b->window), err))
        return false;
    if (!limits->allow_past && b->window.start < now && (current == NULL || b->window.start != current->window.start))
        return error_limit(err, "allow_past", 0, "The past cannot be booked: start at the current hour or later (allow_past)");
    most = limits->max_days_ahead;
    if (most >= 0 && b->window.end > now && (int64_t)b->window.end - now > most * HOURS_PER_DAY)
        return error_limit(err, "max_days_ahead", most,
                           "A booking must end within %lld days from now (max_days_ahead)", (long long)most);
    return check_gpus(limits, (int64_t)b->gpu_count, err) && check_hours_per_user(planner, b, now, err);
}
