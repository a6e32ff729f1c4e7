/*
 * Moves in from the original ProcPlan: the old file is read (adopt_old), each booking judged (adopt_plan), nodes and GPUs found or made
 * (adopt_places), and the new database gets everything (adopt_bring) in one transaction, or nothing.
 */
#include <sys/stat.h>
#include <time.h>

#include "cgi/admin/admin.h"
#include "cgi/admin/adopt_bring.h"
#include "cgi/admin/adopt_old.h"
#include "cgi/admin/files.h"

#include "common/banned.h"

struct move {
    struct arena arena;
    struct original original;
    struct adopt_plan plan;
    struct adopt_places places;
    struct adopt_brought brought;
    struct store *store;
    struct admin_progress progress;
    int64_t now;
    bool configured; /* the new database has a configuration already */
};

static bool refuse_used(struct move *m, struct error *err)
{
    int64_t last;
    const char *text;
    size_t length;

    if (!store_booking_last_id(m->store, &last, err) || !store_config_text(m->store, &m->arena, &text, &length, err))
        return false;
    m->configured = text != NULL;
    return last == 0 || error_set(err, ERROR_CONFLICT, "The new database has bookings already, and ids would meet: "
                                                       "adopt into a new one");
}

static bool bring_over(struct move *m, struct error *err)
{
    if (!refuse_used(m, err))
        return false;
    hour_t now = hour_of_seconds(m->now);
    struct store_listener listener = {admin_progress_show, NULL, &m->progress};
    adopt_places_collect(&m->original, &m->plan, now, &m->arena, &m->places);
    return adopt_places_settle(&m->places, &m->original, m->configured, now, m->store, &m->arena, err) &&
           adopt_bring(&m->plan, &m->places, m->store, &listener, &m->arena, &m->brought, err) &&
           store_booking_ids_above(m->store, m->original.last_id, err);
}

static void list(const char *what, const struct sentences *sentences)
{
    for (size_t i = 0; i < sentences->count; i++)
        admin_say("%s%s", what, sentences->items[i]);
}

static void report(const struct admin *admin, const struct move *m, bool written)
{
    const char *left_out = written ? "left out: " : "cannot be brought over: ";
    const int64_t *brought = m->brought.bookings;
    size_t faults = m->plan.unreadable.count + m->brought.overlaps.count;

    list(left_out, &m->plan.unreadable);
    list(left_out, &m->brought.overlaps);
    if (written) {
        list("changed: ", &m->plan.changed);
        list("not in the configuration, so retired: ", &m->places.retired);
    }
    for (size_t i = 0; i < m->original.unknown_count; i++)
        admin_say("not understood, and left: %s", m->original.unknown[i]);
    if (m->original.stray_allocations > 0)
        admin_say("left: %zu allocation%s of bookings that are not there", m->original.stray_allocations,
                  m->original.stray_allocations == 1 ? "" : "s");
    if (written)
        admin_say("%s: %zu of %zu bookings brought over: %lld active, %lld completed, %lld cancelled", admin->database,
                  (size_t)(brought[0] + brought[1] + brought[2]), m->original.booking_count, (long long)brought[0],
                  (long long)brought[1], (long long)brought[2]);
    else
        admin_say("nothing was brought over: %zu of %zu bookings cannot be; mend them in the original, or leave them out with --leave-out",
                  faults, m->original.booking_count);
}

static int write_new(const struct admin *admin, struct move *m, struct error *err)
{
    struct stat status;
    bool is_new = stat(admin->database, &status) != 0;
    int result = ADMIN_FAILED;

    if (!store_open(admin->database, true, &m->store, err))
        return ADMIN_FAILED;
    if (store_alone(m->store, err) && store_begin_write(m->store, err) && bring_over(m, err)) {
        admin_progress_end(&m->progress);
        if (!admin->leave_out && m->plan.unreadable.count + m->brought.overlaps.count > 0)
            result = ADMIN_FAULTS;
        else if (store_commit(m->store, err))
            result = ADMIN_DONE;
        if (result != ADMIN_FAILED)
            report(admin, m, result == ADMIN_DONE);
    }
    admin_progress_end(&m->progress);
    store_rollback(m->store);
    /* Before it is closed: nobody else can have it open, so nobody loses anything. */
    if (result != ADMIN_DONE && is_new && store_alone(m->store, &(struct error)ERROR_INIT)) {
        file_remove_beside(admin->database, "");
        file_remove_logs(admin->database);
    }
    store_close(m->store);
    return result;
}

int admin_adopt(const struct admin *admin, struct error *err)
{
    struct move m = {.progress = {.doing = "adopt"}, .now = time(NULL)};
    int status = ADMIN_FAILED;

    if (path_same(admin->file, admin->database)) {
        error_set(err, ERROR_CONFIGURATION, "%s: is the new database as well; name another file with --database", admin->file);
        return ADMIN_FAILED;
    }
    arena_init(&m.arena);
    admin_progress_show(&m.progress, 0, 0);
    if (adopt_old_read(admin, &m.arena, &m.original, err)) {
        adopt_plan_make(&m.original, &m.arena, &m.plan);
        status = write_new(admin, &m, err);
    }
    arena_release(&m.arena);
    return status;
}
