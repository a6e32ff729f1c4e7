#include "cgi/planner/find.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

/*
 * A sweep over time. Each GPU that counts is a lane with one event ahead: the hour from which its next free run that is long
 * enough lets a booking start, or, within such a run, the hour from which it does no longer. Each node has a heap of its
 * lanes' events and the number of open lanes; a heap of nodes takes them in order of time. So slots appear in
 * the order in which they are answered, and free runs are read when the sweep comes to them, not before: a few of a
 * GPU at a time, each once, and none that is too short.
 */

#define NEVER INT32_MAX /* no event any more */

/* Runs that a lane reads at a time: most searches end in the first few, long ones should not seek too often. */
#define RUNS_FIRST 4
#define RUNS_MOST 64

struct lane {
    const struct gpu *gpu;
    struct window run; /* the free run that the sweep is in (open), or comes to next */
    bool open;
    struct window *runs; /* read, from `next` on not yet come to */
    size_t next, count, capacity;
};

struct sweep {
    const struct node *node;
    struct lane *lanes; /* NULL until the sweep comes to this node */
    size_t lane_count;
    int64_t *events; /* heap of lanes */
    size_t event_count;
    int64_t open;
};

struct search {
    struct planner *planner;
    struct arena *arena;   /* of the caller: for what is found */
    struct arena *scratch; /* for the sweep */
    const struct find_wish *wish;
    hour_t from, last; /* the first and the last start that counts */
    int64_t runs_left; /* to be looked at before the search gives up */
    struct sweep *sweeps; /* nodes with enough GPUs, in configuration order */
    int64_t *nodes;       /* heap of sweeps */
    size_t node_count;
    struct slot *slots;
    size_t slot_count;
};

/* -- heaps of (hour, index) --------------------------------------------------------------------------------------- */

static int64_t event(hour_t hour, size_t index)
{
    return (int64_t)hour * (INT64_C(1) << 32) + (int64_t)index;
}

static hour_t event_hour(int64_t e)
{
    return (hour_t)(e >> 32);
}

static size_t event_index(int64_t e)
{
    return (size_t)(e & UINT32_MAX);
}

/* What stands at I may be later than what is below it. */
static void sift_down(int64_t *heap, size_t count, size_t i)
{
    int64_t moved = heap[i];

    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= moved)
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* The first one gets another hour, or leaves at NEVER. */
static void move_first(int64_t *heap, size_t *count, hour_t hour)
{
    heap[0] = hour == NEVER ? heap[--*count] : event(hour, event_index(heap[0]));
    if (*count > 0)
        sift_down(heap, *count, 0);
}

/* -- one GPU ------------------------------------------------------------------------------------------------------ */

static bool lane_read(struct search *s, struct lane *lane, struct error *err)
{
    hour_t from = lane->count == 0 ? s->from : lane->run.end;

    if (lane->capacity < RUNS_MOST) {
        lane->capacity = lane->capacity == 0 ? RUNS_FIRST : lane->capacity * 4;
        lane->runs = arena_array(s->scratch, lane->capacity, sizeof *lane->runs);
    }
    lane->next = 0;
    if (!store_free_runs(s->planner->store, lane->gpu->key, from, (int32_t)s->wish->hours, lane->runs, lane->capacity,
                         &lane->count, err))
        return false;
    s->runs_left -= (int64_t)lane->count;
    if (s->runs_left >= 0)
        return true;
    return error_field(err, ERROR_BAD_REQUEST, "before",
                       "The search has looked at too many free times without coming to its end; narrow it with before, kind "
                       "or node_id");
}

/* Goes on to the lane's next run; *OUT_HOUR is where it begins, NEVER when that is too late. */
static bool lane_next(struct search *s, struct lane *lane, hour_t *out_hour, struct error *err)
{
    *out_hour = NEVER;
    if (lane->run.end == STORE_ENDLESS)
        return true;
    if (lane->next == lane->count && !lane_read(s, lane, err))
        return false;
    lane->run = lane->runs[lane->next++];
    if (lane->run.start <= s->last)
        *out_hour = lane->run.start;
    return true;
}

/* The first hour at which a booking can no longer start in the lane's run. */
static hour_t lane_close_hour(const struct search *s, const struct lane *lane)
{
    return lane->run.end == STORE_ENDLESS ? NEVER : lane->run.end - (hour_t)s->wish->hours + 1;
}

/* STORE_ENDLESS for all runs without an end. */
static hour_t lane_run_length(const struct lane *lane)
{
    return lane->run.end == STORE_ENDLESS ? STORE_ENDLESS : lane->run.end - lane->run.start;
}

/* -- one node ----------------------------------------------------------------------------------------------------- */

static bool counts(const struct find_wish *wish, const struct gpu *gpu)
{
    return wish->kind == NULL || strcmp(gpu->kind, wish->kind) == 0;
}

/* The sweep comes to this node for the first time: each lane's first run. */
static bool sweep_begin(struct search *s, struct sweep *sweep, struct error *err)
{
    sweep->lanes = arena_array(s->scratch, sweep->lane_count, sizeof *sweep->lanes);
    sweep->events = arena_array(s->scratch, sweep->lane_count, sizeof *sweep->events);
    for (size_t g = 0, i = 0; g < sweep->node->gpu_count; g++) {
        const struct gpu *gpu = &sweep->node->gpus[g];
        hour_t hour;
        if (!counts(s->wish, gpu))
            continue;
        struct lane *lane = &sweep->lanes[i];
        lane->gpu = gpu;
        if (!lane_next(s, lane, &hour, err))
            return false;
        if (hour != NEVER)
            sweep->events[sweep->event_count++] = event(hour, i);
        i++;
    }
    for (size_t i = sweep->event_count / 2; i-- > 0;)
        sift_down(sweep->events, sweep->event_count, i);
    return true;
}

static hour_t sweep_hour(const struct sweep *sweep)
{
    return sweep->event_count == 0 ? NEVER : event_hour(sweep->events[0]);
}

/* Everything that happens on the node at HOUR. *OUT_BEGINS: enough GPUs are free from here on, and were not an hour before. */
static bool sweep_step(struct search *s, struct sweep *sweep, hour_t hour, bool *out_begins, struct error *err)
{
    bool enough_before = sweep->open >= s->wish->gpus;

    while (sweep_hour(sweep) == hour) {
        struct lane *lane = &sweep->lanes[event_index(sweep->events[0])];
        hour_t next;
        lane->open = !lane->open;
        sweep->open += lane->open ? 1 : -1;
        if (lane->open)
            next = lane_close_hour(s, lane);
        else if (!lane_next(s, lane, &next, err))
            return false;
        move_first(sweep->events, &sweep->event_count, next);
    }
    *out_begins = !enough_before && sweep->open >= s->wish->gpus;
    return true;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The best fit among the open lanes. */
static void add_slot(struct search *s, const struct sweep *sweep, hour_t hour)
{
    size_t wanted = (size_t)s->wish->gpus, n = 0;
    int64_t *lanes = arena_array(s->scratch, (size_t)sweep->open, sizeof *lanes);
    struct slot *slot = &s->slots[s->slot_count++];

    for (size_t i = 0; i < sweep->lane_count; i++)
        if (sweep->lanes[i].open)
            lanes[n++] = event(lane_run_length(&sweep->lanes[i]), i);
    qsort(lanes, n, sizeof *lanes, by_value);
    for (size_t i = 0; i < wanted; i++)
        lanes[i] = (int64_t)event_index(lanes[i]);
    qsort(lanes, wanted, sizeof *lanes, by_value);
    *slot = (struct slot){sweep->node, arena_array(s->arena, wanted, sizeof *slot->gpus),
                          {hour, hour + (hour_t)s->wish->hours}};
    for (size_t i = 0; i < wanted; i++)
        slot->gpus[i] = sweep->lanes[lanes[i]].gpu;
}

/* -- the search --------------------------------------------------------------------------------------------------- */

static void add_node(struct search *s, const struct node *node)
{
    size_t count = 0;

    for (size_t g = 0; g < node->gpu_count; g++)
        count += counts(s->wish, &node->gpus[g]);
    if (count < (size_t)s->wish->gpus)
        return;
    s->sweeps[s->node_count] = (struct sweep){.node = node, .lane_count = count};
    /* All begin at the same hour: in order of their index they are a heap. */
    s->nodes[s->node_count] = event(s->from, s->node_count);
    s->node_count++;
}

static void add_nodes(struct search *s)
{
    const struct topology *topology = &s->planner->topology;
    bool *named = arena_array(s->scratch, topology->node_total, sizeof *named);

    for (size_t i = 0; i < s->wish->node_count; i++)
        named[s->wish->nodes[i] - topology->nodes] = true;
    s->sweeps = arena_array(s->scratch, topology->node_count, sizeof *s->sweeps);
    s->nodes = arena_array(s->scratch, topology->node_count, sizeof *s->nodes);
    for (size_t i = 0; i < topology->node_count; i++)
        if (s->wish->nodes == NULL || named[i])
            add_node(s, &topology->nodes[i]);
}

/* The node that is first in time goes one step on. */
static bool search_step(struct search *s, struct error *err)
{
    struct sweep *sweep = &s->sweeps[event_index(s->nodes[0])];
    hour_t hour = event_hour(s->nodes[0]);
    bool begins;

    if (sweep->lanes == NULL && !sweep_begin(s, sweep, err))
        return false;
    if (!sweep_step(s, sweep, hour, &begins, err))
        return false;
    if (begins)
        add_slot(s, sweep, hour);
    move_first(s->nodes, &s->node_count, sweep_hour(sweep));
    return true;
}

/* The latest end that can be booked. */
static int64_t latest_end(const struct limits *limits, const struct find_wish *wish, hour_t now)
{
    int64_t end = wish->before == HOUR_NONE ? HOUR_MAX : wish->before;

    if (limits->max_days_ahead >= 0 && now + limits->max_days_ahead * HOURS_PER_DAY < end)
        end = now + limits->max_days_ahead * HOURS_PER_DAY;
    return end;
}

bool planner_find(struct planner *planner, struct arena *arena, const struct find_wish *wish, hour_t now,
                  struct slot **out, size_t *out_count, struct error *err)
{
    struct arena scratch;
    struct search s = {.planner = planner, .arena = arena, .scratch = &scratch, .wish = wish, .from = now,
                       .runs_left = wish->runs_max > 0 ? wish->runs_max : FIND_RUNS_MAX};
    int64_t last = latest_end(&planner->config.limits, wish, now) - wish->hours;
    bool ok = true;

    if (wish->after != HOUR_NONE && wish->after > now)
        s.from = wish->after;
    *out = s.slots = arena_array(arena, wish->limit, sizeof *s.slots);
    *out_count = 0;
    if (last < s.from)
        return true;
    s.last = (hour_t)last;
    arena_init(&scratch);
    add_nodes(&s);
    while (ok && s.slot_count < wish->limit && s.node_count > 0 && event_hour(s.nodes[0]) <= s.last)
        ok = search_step(&s, err);
    *out_count = s.slot_count;
    arena_release(&scratch);
    return ok;
}
