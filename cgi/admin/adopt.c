/*
 * Moves in from the original ProcPlan. The old file is copied and the copy read; the new database gets everything in one transaction.
 *
 * Who holds an hour that several bookings of the original had: active ones before ended ones, and of two ended ones the one with the
 * lower id. Active ones that overlap cannot both be right: the one with the higher id is told, and nothing is written unless
 * it may be left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgi/admin/admin.h"
#include "cgi/admin/adopt_plan.h"
#include "cgi/admin/files.h"
#include "common/json_write.h"

#include "common/banned.h"

#define PROGRESS_BOOKINGS 256

/* A GPU of the old database by its node's id and its own, and what it is in the new one. */
struct place {
    const char *node_id, *gpu_id, *kind;
    hour_t since; /* its first booking's start, or now */
    int64_t node_key, gpu_key;
};

struct move {
    struct arena arena;
    struct original original;
    struct adopt_plan plan;
    struct store *store;
    struct admin_progress progress;
    struct place *places; /* sorted by node_id and gpu_id, each once */
    size_t place_count;
    struct sentences overlaps, retired;
    int64_t brought[BOOKING_CANCELLED + 1];
    int64_t now;
    bool configured; /* the new database has a configuration already */
};

/* -- the old file ----------------------------------------------------------------------------------------------- */

static const char *const beside[] = {"", "-wal", "-journal"};
#define BESIDE_COUNT (sizeof beside / sizeof beside[0])

/* A copy in a folder of its own, which is gone when this returns. Never the file itself: SQLite would write beside it. */
static bool read_copy(const char *name, const int fds[BESIDE_COUNT], struct move *m, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = path_join(tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp", "/procplan-adopt-XXXXXX");
    char *copy = NULL;
    bool ok = false;

    if (mkdtemp(folder) == NULL) {
        file_fails("cannot be made", folder, err);
        goto out;
    }
    copy = path_join(folder, "/old.db");
    ok = true;
    for (size_t i = 0; i < BESIDE_COUNT && ok; i++) {
        if (fds[i] < 0)
            continue;
        char *to = path_join(copy, beside[i]);
        int fd = file_make(to, err);
        ok = fd >= 0 && file_copy(fds[i], fd, to, err);
        if (fd >= 0)
            close(fd);
        free(to);
    }
    ok = ok && original_read(copy, name, &m->arena, &m->original, err);
    for (size_t i = 0; i < BESIDE_COUNT; i++)
        file_remove_beside(copy, beside[i]);
    file_remove_beside(copy, "-shm");
    rmdir(folder);
out:
    free(copy);
    free(folder);
    return ok;
}

/* What would show that somebody wrote while it was copied. */
static bool same_state(const int fds[BESIDE_COUNT], struct stat states[BESIDE_COUNT], bool first)
{
    for (size_t i = 0; i < BESIDE_COUNT; i++) {
        struct stat now = {0};
        if (fds[i] >= 0 && fstat(fds[i], &now) != 0)
            return false;
        if (!first && (now.st_size != states[i].st_size || now.st_mtim.tv_sec != states[i].st_mtim.tv_sec ||
                       now.st_mtim.tv_nsec != states[i].st_mtim.tv_nsec || (fds[i] >= 0 && now.st_nlink == 0)))
            return false;
        states[i] = now;
    }
    return true;
}

static bool read_old(const struct admin *admin, struct move *m, struct error *err)
{
    struct stat states[BESIDE_COUNT];
    int fds[BESIDE_COUNT] = {-1, -1, -1};
    bool ok = true;

    for (size_t i = 0; i < BESIDE_COUNT && ok; i++) {
        char *path = path_join(admin->file, beside[i]);
        ok = file_open(path, i > 0, &fds[i], err);
        free(path);
    }
    ok = ok && become_owner(admin->database, err);
    if (ok && store_is_ours(admin->file))
        ok = error_set(err, ERROR_CONFIGURATION, "%s: is a database of this ProcPlan already", admin->file);
    if (ok) {
        same_state(fds, states, true);
        ok = read_copy(admin->file, fds, m, err);
        if (!same_state(fds, states, false))
            ok = error_set(err, ERROR_CONFLICT, "%s: somebody writes to it: stop the original first", admin->file);
    }
    for (size_t i = 0; i < BESIDE_COUNT; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return ok;
}

/* -- nodes and GPUs --------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int nodes = strcmp(x->node_id, y->node_id);

    return nodes != 0 ? nodes : strcmp(x->gpu_id, y->gpu_id);
}

static struct place *find_place(const struct move *m, const char *node_id, const char *gpu_id)
{
    struct place key = {.node_id = node_id, .gpu_id = gpu_id};

    return m->place_count == 0 ? NULL : bsearch(&key, m->places, m->place_count, sizeof key, by_place);
}

/* One of several equals, with the kind that one of them knows and the earliest hour. */
static void join_places(struct move *m)
{
    size_t n = 0;

    qsort(m->places, m->place_count, sizeof *m->places, by_place);
    for (size_t i = 0; i < m->place_count; i++) {
        struct place *last = n > 0 ? &m->places[n - 1] : NULL;
        if (last == NULL || by_place(last, &m->places[i]) != 0) {
            m->places[n++] = m->places[i];
            continue;
        }
        if (last->kind == NULL)
            last->kind = m->places[i].kind;
        if (m->places[i].since < last->since)
            last->since = m->places[i].since;
    }
    m->place_count = n;
}

static void collect_places(struct move *m)
{
    const struct original *o = &m->original;
    size_t most = o->gpu_count;
    hour_t now = hour_of_seconds(m->now);

    for (size_t i = 0; i < m->plan.count; i++)
        most += m->plan.bookings[i].gpu_count;
    m->places = arena_array(&m->arena, most, sizeof *m->places);
    for (size_t i = 0; i < o->gpu_count; i++)
        if (adopt_id_fits(o->gpus[i].id) && adopt_id_fits(o->gpus[i].node_id))
            m->places[m->place_count++] = (struct place){o->gpus[i].node_id, o->gpus[i].id, o->gpus[i].kind, now, 0, 0};
    for (size_t i = 0; i < m->plan.count; i++) {
        const struct adopted *a = &m->plan.bookings[i];
        hour_t start = a->booking.window.start < now ? a->booking.window.start : now;
        for (size_t j = 0; j < a->gpu_count; j++)
            m->places[m->place_count++] = (struct place){a->node_id, a->gpu_ids[j], NULL, start, 0, 0};
    }
    join_places(m);
}

static const char *old_name(const struct move *m, const char *node_id)
{
    for (size_t i = 0; i < m->original.node_count; i++)
        if (m->original.nodes[i].id != NULL && strcmp(m->original.nodes[i].id, node_id) == 0 && adopt_id_fits(m->original.nodes[i].name))
            return m->original.nodes[i].name;
    return node_id;
}

/* A configuration that is in force already does not know what is new here; else the first one will say. */
static hour_t until_of_new(const struct move *m)
{
    return m->configured ? hour_of_seconds(m->now) : HOUR_NONE;
}

/* The node of places FROM up to TO: found or made, and in use since its first booking. */
static bool settle_node(struct move *m, size_t from, size_t to, struct store_node *known, size_t known_count, struct error *err)
{
    hour_t since = m->places[from].since;
    struct store_node node = {.id = m->places[from].node_id, .position = (int64_t)from, .until = until_of_new(m)};
    bool found = false;

    for (size_t i = from; i < to; i++)
        if (m->places[i].since < since)
            since = m->places[i].since;
    for (size_t i = 0; i < known_count && !found; i++)
        if (strcmp(known[i].id, node.id) == 0) {
            node = known[i];
            found = true;
        }
    if (!found) {
        node.name = old_name(m, node.id);
        if (m->configured)
            sentences_add(&m->retired, &m->arena, arena_printf(&m->arena, "node %s", node.id));
    }
    bool as_it_is = found && node.since <= since;
    node.since = found && node.since < since ? node.since : since;
    if (!as_it_is && !store_node_put(m->store, &node, err))
        return false;
    for (size_t i = from; i < to; i++)
        m->places[i].node_key = node.key;
    return true;
}

static int by_key_and_id(const void *a, const void *b)
{
    const struct store_gpu *x = a, *y = b;

    if (x->node_key != y->node_key)
        return x->node_key < y->node_key ? -1 : 1;
    return strcmp(x->id, y->id);
}

static bool settle_gpu(struct move *m, struct place *place, struct store_gpu *known, size_t known_count, size_t position, struct error *err)
{
    struct store_gpu gpu = {.node_key = place->node_key, .id = place->gpu_id};
    const struct store_gpu *found = known_count == 0 ? NULL : bsearch(&gpu, known, known_count, sizeof gpu, by_key_and_id);

    if (found != NULL) {
        gpu = *found;
        place->gpu_key = gpu.key;
        if (gpu.since <= place->since)
            return true;
    } else {
        gpu.kind = adopt_id_fits(place->kind) ? place->kind : "unspecified";
        gpu.position = (int64_t)position;
        gpu.until = until_of_new(m);
        if (m->configured)
            sentences_add(&m->retired, &m->arena, arena_printf(&m->arena, "GPU %s of node %s", gpu.id, place->node_id));
    }
    gpu.since = place->since;
    if (!store_gpu_put(m->store, &gpu, err))
        return false;
    place->gpu_key = gpu.key;
    return true;
}

static bool settle_places(struct move *m, struct error *err)
{
    struct store_node *nodes;
    struct store_gpu *gpus;
    size_t node_count, gpu_count;

    if (!store_nodes(m->store, &m->arena, &nodes, &node_count, err) || !store_gpus(m->store, &m->arena, &gpus, &gpu_count, err))
        return false;
    qsort(gpus, gpu_count, sizeof *gpus, by_key_and_id);
    for (size_t from = 0, to; from < m->place_count; from = to) {
        for (to = from + 1; to < m->place_count && strcmp(m->places[to].node_id, m->places[from].node_id) == 0;)
            to++;
        if (!settle_node(m, from, to, nodes, node_count, err))
            return false;
        for (size_t i = from; i < to; i++)
            if (!settle_gpu(m, &m->places[i], gpus, gpu_count, i, err))
                return false;
    }
    return true;
}

/* -- bookings --------------------------------------------------------------------------------------------------- */

/* Its row and what it was booked with; node and GPUs are known by now. */
static bool insert(struct move *m, struct adopted *a, struct error *err)
{
    struct booking *b = &a->booking;
    int64_t *keys = arena_array(&m->arena, a->gpu_count, sizeof *keys);

    for (size_t i = 0; i < a->gpu_count; i++) {
        const struct place *place = find_place(m, a->node_id, a->gpu_ids[i]);
        keys[i] = place->gpu_key;
        b->node_key = place->node_key;
    }
    b->gpu_keys = keys;
    b->gpu_count = a->gpu_count;
    m->brought[b->status]++;
    return store_booking_insert(m->store, b, err);
}

/* What of WINDOW nobody holds yet. Rows come latest first. */
static bool hold_rest(struct move *m, int64_t gpu_key, struct window window, int64_t booking_id, struct error *err)
{
    struct holding *rows;
    size_t count;

    if (window.end <= window.start)
        return true;
    if (!store_holdings(m->store, &m->arena, gpu_key, window, 0, &rows, &count, err))
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
static bool find_overlap(struct move *m, struct adopted *a, struct error *err)
{
    for (size_t i = 0; i < a->gpu_count && !a->left_out; i++) {
        struct holding *rows;
        size_t count;
        char from[HOUR_TEXT_SIZE], to[HOUR_TEXT_SIZE];
        const struct place *place = find_place(m, a->node_id, a->gpu_ids[i]);
        if (!store_holdings(m->store, &m->arena, place->gpu_key, a->booking.window, 0, &rows, &count, err))
            return false;
        if (count == 0)
            continue;
        struct window shared = window_intersect(rows[count - 1].window, a->booking.window);
        hour_format(shared.start, from);
        hour_format(shared.end, to);
        a->left_out = true;
        sentences_add(&m->overlaps, &m->arena,
                      arena_printf(&m->arena, "booking %lld (%s) and booking %lld, both active, overlap on GPU %s of node %s from %s to %s",
                                   (long long)a->booking.id, a->booking.user_label, (long long)rows[count - 1].booking_id, place->gpu_id,
                                   place->node_id, from, to));
    }
    return true;
}

static bool bring_bookings(struct move *m, bool active, struct error *err)
{
    for (size_t i = 0; i < m->plan.count; i++) {
        struct adopted *a = &m->plan.bookings[i];
        if (i % PROGRESS_BOOKINGS == 0)
            admin_progress_show(&m->progress, (int64_t)(i + (active ? 0 : m->plan.count)), (int64_t)(2 * m->plan.count));
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

/* As the planner writes it (planner/event.c). */
static bool append(struct move *m, const struct happening *h, struct error *err)
{
    static const struct actor nobody = {"", false};
    const struct booking *b = &h->what->booking;
    struct buffer text = BUFFER_INIT;
    struct json_writer w;

    json_begin(&w, &text);
    json_open_object(&w);
    if (!h->ended) {
        json_put_string(&w, "node_id", h->what->node_id);
        json_key(&w, "gpu_ids");
        json_open_array(&w);
        for (size_t i = 0; i < h->what->gpu_count; i++)
            json_string(&w, h->what->gpu_ids[i]);
        json_close(&w);
    } else {
        json_put_string(&w, "user_label", b->user_label);
    }
    json_put_hour(&w, "start", b->window.start);
    json_put_hour(&w, "end", b->window.end);
    if (!h->ended) {
        json_put_string(&w, "user_label", b->user_label);
        json_put_string(&w, "priority", priority_name(b->priority));
        if (b->note != NULL)
            json_put_string(&w, "note", b->note);
    }
    json_close(&w);
    bool ok = store_event_append(m->store, h->at, &nobody, h->ended ? status_name(b->status) : "booked", b->id, text.data, NULL, err);
    buffer_release(&text);
    return ok;
}

/* The log tells it in the order of time; one who ended before it was made is told in the order of sense. */
static bool tell_history(struct move *m, struct error *err)
{
    struct happening *all = arena_array(&m->arena, 2 * m->plan.count, sizeof *all);
    size_t n = 0;

    for (size_t i = 0; i < m->plan.count; i++) {
        const struct adopted *a = &m->plan.bookings[i];
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

/* -- all together ----------------------------------------------------------------------------------------------- */

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
    collect_places(m);
    return settle_places(m, err) && bring_bookings(m, true, err) && bring_bookings(m, false, err) && tell_history(m, err) &&
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
    size_t faults = m->plan.unreadable.count + m->overlaps.count;

    list(left_out, &m->plan.unreadable);
    list(left_out, &m->overlaps);
    if (written) {
        list("changed: ", &m->plan.changed);
        list("not in the configuration, so retired: ", &m->retired);
    }
    for (size_t i = 0; i < m->original.unknown_count; i++)
        admin_say("not understood, and left: %s", m->original.unknown[i]);
    if (m->original.stray_allocations > 0)
        admin_say("left: %zu allocation%s of bookings that are not there", m->original.stray_allocations,
                  m->original.stray_allocations == 1 ? "" : "s");
    if (written)
        admin_say("%s: %zu of %zu bookings brought over: %lld active, %lld completed, %lld cancelled", admin->database,
                  (size_t)(m->brought[0] + m->brought[1] + m->brought[2]), m->original.booking_count, (long long)m->brought[0],
                  (long long)m->brought[1], (long long)m->brought[2]);
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
        if (!admin->leave_out && m->plan.unreadable.count + m->overlaps.count > 0)
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
        file_remove_beside(admin->database, "-wal");
        file_remove_beside(admin->database, "-shm");
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
    if (read_old(admin, &m, err)) {
        adopt_plan_make(&m.original, &m.arena, &m.plan);
        status = write_new(admin, &m, err);
    }
    arena_release(&m.arena);
    return status;
}
