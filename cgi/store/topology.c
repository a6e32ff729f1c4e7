#include "cgi/store/internal.h"

#include "common/banned.h"

enum { NODE_COUNT, NODE_LIST, NODE_INSERT, NODE_UPDATE, GPU_COUNT, GPU_LIST, GPU_INSERT, GPU_UPDATE };

static const char *const sql[] = {
    [NODE_COUNT] = "SELECT count(*) FROM node",
    [NODE_LIST] = "SELECT node_key, id, name, position, since_hour, until_hour FROM node "
                  "ORDER BY until_hour IS NOT NULL, position, node_key",
    [NODE_INSERT] = "INSERT INTO node (id, name, position, since_hour, until_hour) VALUES (?2, ?3, ?4, ?5, ?6)",
    [NODE_UPDATE] = "UPDATE node SET id = ?2, name = ?3, position = ?4, since_hour = ?5, until_hour = ?6 "
                    "WHERE node_key = ?1",
    [GPU_COUNT] = "SELECT count(*) FROM gpu",
    [GPU_LIST] = "SELECT g.gpu_key, g.node_key, g.id, g.kind, g.device, g.position, g.since_hour, g.until_hour "
                 "FROM gpu g JOIN node n USING (node_key) "
                 "ORDER BY n.until_hour IS NOT NULL, n.position, n.node_key, g.until_hour IS NOT NULL, g.position, g.gpu_key",
    [GPU_INSERT] = "INSERT INTO gpu (node_key, id, kind, device, position, since_hour, until_hour) "
                   "VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [GPU_UPDATE] = "UPDATE gpu SET node_key = ?2, id = ?3, kind = ?4, device = ?5, position = ?6, since_hour = ?7, "
                   "until_hour = ?8 WHERE gpu_key = ?1",
};

static bool count_rows(struct store *store, int index, size_t *out, struct error *err)
{
    sqlite3_stmt *statement = store_statement(store, ENTITY_TOPOLOGY, sql, index, err);

    if (statement == NULL || store_step(store, statement, err) != STEP_ROW)
        return false;
    *out = (size_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return true;
}

bool store_nodes(struct store *store, struct arena *arena, struct store_node **out, size_t *out_count, struct error *err)
{
    sqlite3_stmt *statement;
    enum step step;
    size_t capacity, n = 0;

    if (!count_rows(store, NODE_COUNT, &capacity, err) ||
        (statement = store_statement(store, ENTITY_TOPOLOGY, sql, NODE_LIST, err)) == NULL)
        return false;
    *out = arena_array(arena, capacity, sizeof **out);
    while ((step = store_step(store, statement, err)) == STEP_ROW && n < capacity)
        (*out)[n++] = (struct store_node){
            .key = sqlite3_column_int64(statement, 0),
            .id = column_text(statement, 1, arena),
            .name = column_text(statement, 2, arena),
            .position = sqlite3_column_int64(statement, 3),
            .since = column_hour(statement, 4),
            .until = column_hour(statement, 5),
        };
    *out_count = n;
    return step == STEP_DONE;
}

bool store_gpus(struct store *store, struct arena *arena, struct store_gpu **out, size_t *out_count, struct error *err)
{
    sqlite3_stmt *statement;
    enum step step;
    size_t capacity, n = 0;

    if (!count_rows(store, GPU_COUNT, &capacity, err) ||
        (statement = store_statement(store, ENTITY_TOPOLOGY, sql, GPU_LIST, err)) == NULL)
        return false;
    *out = arena_array(arena, capacity, sizeof **out);
    while ((step = store_step(store, statement, err)) == STEP_ROW && n < capacity)
        (*out)[n++] = (struct store_gpu){
            .key = sqlite3_column_int64(statement, 0),
            .node_key = sqlite3_column_int64(statement, 1),
            .id = column_text(statement, 2, arena),
            .kind = column_text(statement, 3, arena),
            .device = column_text(statement, 4, arena),
            .position = sqlite3_column_int64(statement, 5),
            .since = column_hour(statement, 6),
            .until = column_hour(statement, 7),
        };
    *out_count = n;
    return step == STEP_DONE;
}

bool store_node_put(struct store *store, struct store_node *node, struct error *err)
{
    sqlite3_stmt *statement =
        store_statement(store, ENTITY_TOPOLOGY, sql, node->key == 0 ? NODE_INSERT : NODE_UPDATE, err);

    if (statement == NULL)
        return false;
    if (node->key != 0)
        bind_integer(statement, 1, node->key);
    bind_text(statement, 2, node->id);
    bind_text(statement, 3, node->name);
    bind_integer(statement, 4, node->position);
    bind_hour(statement, 5, node->since);
    bind_hour(statement, 6, node->until);
    if (!store_run(store, statement, err))
        return false;
    if (node->key == 0)
        node->key = sqlite3_last_insert_rowid(store->db);
    return true;
}

bool store_gpu_put(struct store *store, struct store_gpu *gpu, struct error *err)
{
    sqlite3_stmt *statement =
        store_statement(store, ENTITY_TOPOLOGY, sql, gpu->key == 0 ? GPU_INSERT : GPU_UPDATE, err);

    if (statement == NULL)
        return false;
    if (gpu->key != 0)
        bind_integer(statement, 1, gpu->key);
    bind_integer(statement, 2, gpu->node_key);
    bind_text(statement, 3, gpu->id);
    bind_text(statement, 4, gpu->kind);
    bind_text(statement, 5, gpu->device);
    bind_integer(statement, 6, gpu->position);
    bind_hour(statement, 7, gpu->since);
    bind_hour(statement, 8, gpu->until);
    if (!store_run(store, statement, err))
        return false;
    if (gpu->key == 0)
        gpu->key = sqlite3_last_insert_rowid(store->db);
    return true;
}
