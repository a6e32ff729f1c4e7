#include "cgi/store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

enum {
    BOOKING_INSERT,
    BOOKING_UPDATE,
    BOOKING_FIND,
    BOOKING_WINDOW,
    BOOKING_ON_GPU,
    BOOKING_TOKEN,
    BOOKING_GPU_INSERT,
    BOOKING_GPU_LIST,
    BOOKING_GPU_CLEAR,
    LIST_BY_ID,
    LIST_BY_LABEL,
    LIST_BY_OWNER,
    LIST_BY_WINDOW,
    HOURS_OF_LABEL,
    HOURS_OF_OWNER,
};

#define COLUMNS                                                                                                        \
    "id, node_key, start_hour, end_hour, user_label, owner, priority, status, note, series_id, version, created_at, "  \
    "updated_at, released_at"
#define COLUMN_COUNT 14
/* What active bookings of one person hold from ?2 on; allocations of a booking start within its planned window. */
#define HOURS_FROM                                                                                                     \
    "SELECT coalesce(sum(a.end_hour - max(a.start_hour, ?2)), 0) FROM booking b "                                      \
    "JOIN booking_gpu g ON g.booking_id = b.id "                                                                       \
    "JOIN allocation a ON a.gpu_key = g.gpu_key AND a.start_hour >= b.start_hour AND a.start_hour < b.end_hour "       \
    "AND a.booking_id = b.id AND a.end_hour > ?2 "                                                                     \
    "WHERE b.status = 0 AND b.end_hour > ?2 AND b.id <> ?3 AND "

/* Lists: ?1 after this id, ?2 node, ?3 and ?4 window, ?5 status, ?6 label, ?7 owner, ?8 limit; NULL filters nothing. */
#define LIST(from)                                                                                                     \
    "SELECT " COLUMNS " FROM " from " AND id > ?1 AND start_hour < ?4 AND end_hour > ?3 "                      \
    "AND (?5 IS NULL OR status = ?5) AND (?6 IS NULL OR user_label = ?6) AND (?7 IS NULL OR owner = ?7) "              \
    "ORDER BY id LIMIT ?8"
#define OF_NODE "(?2 IS NULL OR node_key = ?2)"

static const char *const sql[] = {
    [BOOKING_INSERT] = "INSERT INTO booking (node_key, start_hour, end_hour, user_label, owner, priority, status, note, "
                       "series_id, version, created_at, updated_at, released_at, release_token, id) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [BOOKING_UPDATE] = "UPDATE booking SET start_hour = ?2, end_hour = ?3, user_label = ?4, owner = ?5, priority = ?6, "
                       "status = ?7, note = ?8, series_id = ?9, version = ?10, updated_at = ?12, released_at = ?13 "
                       "WHERE id = ?1",
    [BOOKING_FIND] = "SELECT " COLUMNS " FROM booking WHERE id = ?1",
    /* A row a GPU, those of one booking together; so that no second statement is needed. */
    [BOOKING_WINDOW] = CLASSES "SELECT " COLUMNS ", gpu_key FROM class "
                       "CROSS JOIN booking INDEXED BY booking_by_class ON length_class = class.n "
                       "AND start_hour > ?2 - class.longest AND start_hour < ?3 "
                       "CROSS JOIN booking_gpu ON booking_id = id WHERE node_key = ?1 AND end_hour > ?2",
    [BOOKING_ON_GPU] = "SELECT DISTINCT booking_id FROM allocation JOIN booking ON id = booking_id "
                       "WHERE gpu_key = ?1 AND allocation.end_hour > ?2 AND status = 0",
    [BOOKING_TOKEN] = "SELECT release_token FROM booking WHERE id = ?1",
    [BOOKING_GPU_INSERT] = "INSERT INTO booking_gpu (booking_id, gpu_key) VALUES (?1, ?2)",
    [BOOKING_GPU_LIST] = "SELECT gpu_key FROM booking_gpu WHERE booking_id = ?1",
    [BOOKING_GPU_CLEAR] = "DELETE FROM booking_gpu WHERE booking_id = ?1",
    [LIST_BY_ID] = LIST("booking NOT INDEXED WHERE " OF_NODE),
    [LIST_BY_LABEL] = LIST("booking INDEXED BY booking_by_label WHERE user_label = ?6 AND " OF_NODE),
    [LIST_BY_OWNER] = LIST("booking INDEXED BY booking_by_owner WHERE owner = ?7 AND " OF_NODE),
    [LIST_BY_WINDOW] = CLASSES LIST("(SELECT node_key AS wanted FROM node WHERE " OF_NODE ") CROSS JOIN class "
                                    "CROSS JOIN booking INDEXED BY booking_by_class WHERE node_key = wanted AND length_class = class.n "
                                    "AND start_hour > ?3 - class.longest"),
    [HOURS_OF_LABEL] = HOURS_FROM "b.user_label = ?1",
    [HOURS_OF_OWNER] = HOURS_FROM "b.owner = ?1",
};

static sqlite3_stmt *statement_for(struct store *store, int index, struct error *err)
{
    return store_statement(store, ENTITY_BOOKING, sql, index, err);
}

/* The one place where a row becomes a booking; the GPUs are read apart. */
static struct booking *booking_from_row(sqlite3_stmt *row, struct arena *arena)
{
    struct booking *b = arena_alloc(arena, sizeof *b);

    b->id = sqlite3_column_int64(row, 0);
    b->node_key = sqlite3_column_int64(row, 1);
    b->window = (struct window){column_hour(row, 2), column_hour(row, 3)};
    b->user_label = column_text(row, 4, arena);
    b->owner = column_text(row, 5, arena);
    b->priority = (enum priority)sqlite3_column_int(row, 6);
    b->status = (enum booking_status)sqlite3_column_int(row, 7);
    b->note = column_text(row, 8, arena);
    b->series_id = sqlite3_column_int64(row, 9);
    b->version = sqlite3_column_int64(row, 10);
    b->created = sqlite3_column_int64(row, 11);
    b->updated = sqlite3_column_int64(row, 12);
    b->released = sqlite3_column_int64(row, 13);
    return b;
}

/* GPU keys as they come, for one booking after another. */
struct keys {
    struct arena *arena;
    int64_t *items;
    size_t count, capacity;
};

static void keys_add(struct keys *keys, int64_t key)
{
    keys->items = arena_grow(keys->arena, keys->items, keys->count, &keys->capacity, sizeof *keys->items);
    keys->items[keys->count++] = key;
}

/* They are B's; the next ones stand behind them. B may be NULL while there are none. */
static void keys_give(struct keys *keys, struct booking *b)
{
    if (b == NULL)
        return;
    b->gpu_keys = keys->items;
    b->gpu_count = keys->count;
    keys->items += keys->count;
    keys->capacity -= keys->count;
    keys->count = 0;
}

static bool read_gpus(struct store *store, struct arena *arena, struct booking *b, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_GPU_LIST, err);
    struct keys keys = {.arena = arena};
    enum step step;

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, b->id);
    while ((step = store_step(store, statement, err)) == STEP_ROW)
        keys_add(&keys, sqlite3_column_int64(statement, 0));
    keys_give(&keys, b);
    return step == STEP_DONE;
}

static void bind_booking(sqlite3_stmt *statement, const struct booking *b, int first)
{
    bind_integer(statement, first, b->window.start);
    bind_integer(statement, first + 1, b->window.end);
    bind_text(statement, first + 2, b->user_label);
    bind_text(statement, first + 3, b->owner);
    bind_integer(statement, first + 4, b->priority);
    bind_integer(statement, first + 5, b->status);
    bind_text(statement, first + 6, b->note);
    if (b->series_id != 0)
        bind_integer(statement, first + 7, b->series_id);
    bind_integer(statement, first + 8, b->version);
    bind_integer(statement, first + 10, b->updated);
    if (b->released != 0)
        bind_integer(statement, first + 11, b->released);
}

static bool insert_gpus(struct store *store, const struct booking *b, struct error *err)
{
    for (size_t i = 0; i < b->gpu_count; i++) {
        sqlite3_stmt *statement = statement_for(store, BOOKING_GPU_INSERT, err);
        if (statement == NULL)
            return false;
        bind_integer(statement, 1, b->id);
        bind_integer(statement, 2, b->gpu_keys[i]);
        if (!store_run(store, statement, err))
            return false;
    }
    return true;
}

bool store_booking_insert(struct store *store, struct booking *b, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_INSERT, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, b->node_key);
    bind_booking(statement, b, 2);
    bind_integer(statement, 11, b->created);
    bind_text(statement, 14, b->release_token);
    if (b->id != 0)
        bind_integer(statement, 15, b->id);
    if (!store_run(store, statement, err))
        return false;
    b->id = sqlite3_last_insert_rowid(store->db);
    return insert_gpus(store, b, err);
}

bool store_release_token(struct store *store, struct arena *arena, int64_t id, const char **out, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_TOKEN, err);
    enum step step;

    *out = NULL;
    if (statement == NULL)
        return false;
    bind_integer(statement, 1, id);
    if ((step = store_step(store, statement, err)) == STEP_ROW) {
        *out = column_text(statement, 0, arena);
        sqlite3_reset(statement);
    }
    return step != STEP_FAILED;
}

bool store_booking_set_gpus(struct store *store, const struct booking *b, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_GPU_CLEAR, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, b->id);
    return store_run(store, statement, err) && insert_gpus(store, b, err);
}

bool store_booking_update(struct store *store, const struct booking *b, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_UPDATE, err);

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, b->id);
    bind_booking(statement, b, 2);
    return store_run(store, statement, err);
}

bool store_booking_find(struct store *store, struct arena *arena, int64_t id, struct booking **out, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_FIND, err);

    *out = NULL;
    if (statement == NULL)
        return false;
    bind_integer(statement, 1, id);
    enum step step = store_step(store, statement, err);
    if (step != STEP_ROW)
        return step == STEP_DONE;
    *out = booking_from_row(statement, arena);
    sqlite3_reset(statement);
    return read_gpus(store, arena, *out, err);
}

/* A growing list of bookings in an arena. */
struct list {
    struct arena *arena;
    struct booking **items;
    size_t count, capacity;
};

static void list_add(struct list *list, struct booking *b)
{
    list->items = arena_grow(list->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = b;
}

/* The GPUs of each; after the list itself is read, as both need a statement. */
static bool finish_list(struct store *store, struct list *list, struct booking ***out, size_t *out_count, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (!read_gpus(store, list->arena, list->items[i], err))
            return false;
    *out = list->items;
    *out_count = list->count;
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct booking *x = *(struct booking *const *)a, *y = *(struct booking *const *)b;
    if (x->window.start != y->window.start)
        return x->window.start > y->window.start ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

bool store_bookings_in_window(struct store *store, struct arena *arena, int64_t node_key, struct window window,
                              struct booking ***out, size_t *out_count, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, BOOKING_WINDOW, err);
    struct list list = {.arena = arena};
    struct keys keys = {.arena = arena};
    struct booking *b = NULL;
    enum step step;

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, node_key);
    bind_hour(statement, 2, window.start);
    bind_hour(statement, 3, window.end);
    while ((step = store_step(store, statement, err)) == STEP_ROW) {
        if (b == NULL || b->id != sqlite3_column_int64(statement, 0)) {
            keys_give(&keys, b);
            list_add(&list, b = booking_from_row(statement, arena));
        }
        keys_add(&keys, sqlite3_column_int64(statement, COLUMN_COUNT));
    }
    keys_give(&keys, b);
    if (list.count > 0)
        qsort(list.items, list.count, sizeof *list.items, by_start);
    *out = list.items;
    *out_count = list.count;
    return step == STEP_DONE;
}

/* By the narrowest index there is for what is asked. */
static int list_statement(const struct booking_filter *filter)
{
    if (filter->user_label != NULL)
        return LIST_BY_LABEL;
    if (filter->owner != NULL)
        return LIST_BY_OWNER;
    return filter->node_key != 0 || filter->window.start > HOUR_MIN ? LIST_BY_WINDOW : LIST_BY_ID;
}

bool store_bookings_list(struct store *store, struct arena *arena, const struct booking_filter *filter,
                         struct booking ***out, size_t *out_count, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, list_statement(filter), err);
    struct list list = {.arena = arena};
    enum step step;

    if (statement == NULL)
        return false;
    bind_integer(statement, 1, filter->after_id);
    if (filter->node_key != 0)
        bind_integer(statement, 2, filter->node_key);
    bind_integer(statement, 3, filter->window.start);
    bind_integer(statement, 4, filter->window.end);
    if (filter->status >= 0)
        bind_integer(statement, 5, filter->status);
    bind_text(statement, 6, filter->user_label);
    bind_text(statement, 7, filter->owner);
    bind_integer(statement, 8, filter->limit);
    while ((step = store_step(store, statement, err)) == STEP_ROW)
        list_add(&list, booking_from_row(statement, arena));
    return step == STEP_DONE && finish_list(store, &list, out, out_count, err);
}

static bool listed(const struct list *list, int64_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->id == id)
            return true;
    return false;
}

bool store_bookings_active_on(struct store *store, struct arena *arena, const int64_t *gpu_keys, size_t gpu_count,
                              hour_t hour, struct booking ***out, size_t *out_count, struct error *err)
{
    struct list list = {.arena = arena};

    for (size_t i = 0; i < gpu_count; i++) {
        sqlite3_stmt *statement = statement_for(store, BOOKING_ON_GPU, err);
        enum step step;
        if (statement == NULL)
            return false;
        bind_integer(statement, 1, gpu_keys[i]);
        bind_hour(statement, 2, hour);
        while ((step = store_step(store, statement, err)) == STEP_ROW) {
            struct booking *b = NULL;
            int64_t id = sqlite3_column_int64(statement, 0);
            if (listed(&list, id))
                continue;
            if (!store_booking_find(store, arena, id, &b, err)) {
                sqlite3_reset(statement);
                return false;
            }
            if (b != NULL)
                list_add(&list, b);
        }
        if (step == STEP_FAILED)
            return false;
    }
    for (size_t i = 1; i < list.count; i++) /* few; by id */
        for (size_t j = i; j > 0 && list.items[j - 1]->id > list.items[j]->id; j--) {
            struct booking *swap = list.items[j];
            list.items[j] = list.items[j - 1];
            list.items[j - 1] = swap;
        }
    *out = list.items;
    *out_count = list.count;
    return true;
}

bool store_user_gpu_hours(struct store *store, const char *owner, const char *user_label, hour_t hour, int64_t except,
                          int64_t *out, struct error *err)
{
    sqlite3_stmt *statement = statement_for(store, owner != NULL ? HOURS_OF_OWNER : HOURS_OF_LABEL, err);

    if (statement == NULL)
        return false;
    bind_text(statement, 1, owner != NULL ? owner : user_label);
    bind_hour(statement, 2, hour);
    bind_integer(statement, 3, except);
    if (store_step(store, statement, err) != STEP_ROW)
        return false;
    *out = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return true;
}
