#include "cgi/planner/planner.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

bool planner_open(const char *database, bool create, struct planner **out, struct error *err)
{
    struct planner *planner = calloc(1, sizeof *planner);

    if (planner == NULL)
        abort();
    planner->config_revision = -1;
    topology_init(&planner->topology);
    arena_init(&planner->config_arena);
    if (!store_open(database, create, &planner->store, err)) {
        planner_close(planner);
        *out = NULL;
        return false;
    }
    *out = planner;
    return true;
}

void planner_close(struct planner *planner)
{
    if (planner == NULL)
        return;
    store_close(planner->store);
    topology_release(&planner->topology);
    arena_release(&planner->config_arena);
    free(planner);
}

/* The accepted text was checked when it was accepted; a newer program may still refuse it, and then says so. */
static bool config_load(struct planner *planner, struct error *err)
{
    struct config config = {.limits = LIMITS_DEFAULT};
    struct arena arena;
    const char *text;
    size_t length;

    arena_init(&arena);
    if (!store_config_text(planner->store, &arena, &text, &length, err) ||
        (text != NULL && !config_parse(text, length, "the accepted configuration", &arena, &config, err))) {
        arena_release(&arena);
        return false;
    }
    arena_release(&planner->config_arena);
    planner->config_arena = arena;
    planner->config = config;
    return true;
}

static bool begun(struct planner *planner, struct error *err)
{
    if (!store_state(planner->store, &planner->state, err))
        goto failed;
    if (planner->state.config_revision != planner->config_revision) {
        if (!config_load(planner, err) || !topology_load(&planner->topology, planner->store, err))
            goto failed;
        planner->config_revision = planner->state.config_revision;
    }
    return true;
failed:
    planner_rollback(planner);
    return false;
}

bool planner_begin_read(struct planner *planner, struct error *err)
{
    return store_begin_read(planner->store, err) && begun(planner, err);
}

bool planner_is_current(struct planner *planner)
{
    return planner->config_revision == planner->state.config_revision && store_unchanged(planner->store);
}

void planner_end_read(struct planner *planner)
{
    store_end_read(planner->store);
}

bool planner_begin_write(struct planner *planner, struct error *err)
{
    return store_begin_write(planner->store, err) && begun(planner, err);
}

bool planner_commit(struct planner *planner, struct error *err)
{
    return store_commit(planner->store, err);
}

void planner_rollback(struct planner *planner)
{
    store_rollback(planner->store);
}

const struct node *planner_node(const struct planner *planner, const char *id, struct error *err)
{
    const struct node *node = topology_node(&planner->topology, id);

    if (node == NULL)
        error_field(err, ERROR_BAD_REQUEST, "node_id", "Unknown node id '%s'", id);
    return node;
}

bool planner_replay(struct planner *planner, struct arena *arena, const struct actor *actor, const char *key, int64_t now,
                    const char *body, size_t body_length, struct store_answer **out, struct error *err)
{
    if (!store_answer_find(planner->store, arena, actor, key, now, out, err))
        return false;
    if (*out != NULL &&
        ((*out)->request_length != body_length || memcmp((*out)->request, body, body_length) != 0)) {
        *out = NULL;
        return error_field(err, ERROR_UNPROCESSABLE, "Idempotency-Key",
                           "This Idempotency-Key was used for another request; use a new key for a new booking");
    }
    return true;
}

bool planner_remember(struct planner *planner, const struct actor *actor, const char *key, int64_t now,
                      const struct store_answer *answer, struct error *err)
{
    return store_answer_keep(planner->store, actor, key, now, answer, err);
}
