/*
 * The planner: the rules of ProcPlan over a store. One planner a worker.
 *
 * Every call below runs inside a transaction that the caller opened with planner_begin_read, to be ended with
 * planner_end_read, or with planner_begin_write, to be ended with planner_commit or planner_rollback. So an answer can be made from what was read, and kept with what was
 * written, before either becomes visible. What calls hand out lives in the caller's arena, or (nodes, GPUs) in the
 * planner until the next begin.
 */
#ifndef CGI_PLANNER_PLANNER_H
#define CGI_PLANNER_PLANNER_H

#include "cgi/config.h"
#include "cgi/model.h"
#include "cgi/planner/topology.h"
#include "cgi/store/store.h"

struct planner {
    struct store *store;
    struct store_state state;  /* of the open transaction */
    int64_t config_revision;   /* what topology and config below were loaded at; -1 before the first */
    struct topology topology;
    struct arena config_arena; /* owns config */
    struct config config;      /* the accepted one */
};

/* CREATE as for store_open. */
bool planner_open(const char *database, bool create, struct planner **out, struct error *err);
void planner_close(struct planner *planner);

/* Opens a transaction, reads the state and, when the configuration has moved, topology and limits. After a failure nothing is open. */
bool planner_begin_read(struct planner *planner, struct error *err) __attribute__((warn_unused_result));
void planner_end_read(struct planner *planner);
/* True when state, topology and configuration are those of now without opening a transaction: nobody has written since the
 * last one. What is read from the store still needs one. */
bool planner_is_current(struct planner *planner);
bool planner_begin_write(struct planner *planner, struct error *err) __attribute__((warn_unused_result));
bool planner_commit(struct planner *planner, struct error *err) __attribute__((warn_unused_result));
void planner_rollback(struct planner *planner);

/* ERROR_BAD_REQUEST "Unknown node id 'x'" with field node_id. */
const struct node *planner_node(const struct planner *planner, const char *id, struct error *err);

/* The answer that was given to this actor's KEY before, or NULL: within a write transaction. ERROR_UNPROCESSABLE when the key came
 * with another body then. */
bool planner_replay(struct planner *planner, struct arena *arena, const struct actor *actor, const char *key, int64_t now,
                    const char *body, size_t body_length, struct store_answer **out, struct error *err);
/* Keeps an answer for planner_replay. */
bool planner_remember(struct planner *planner, const struct actor *actor, const char *key, int64_t now,
                      const struct store_answer *answer, struct error *err);

#endif
