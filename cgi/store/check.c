#include "cgi/store/maintenance.h"

#include <stdio.h>

#include "cgi/store/internal.h"

#include "common/banned.h"

#define HOUR(x) "strftime('%Y-%m-%dT%H:00Z', (" x ") * 3600, 'unixepoch')"
#define GPU(x) "(SELECT n.id || '/' || g.id FROM gpu g JOIN node n USING (node_key) WHERE g.gpu_key = " x ")"

/* Each gives a sentence a fault. The first ones come first for a reason: what does not hold together cannot be asked further. */
static const char *const rules[] = {
    "SELECT 'the file is damaged: ' || integrity_check FROM pragma_integrity_check(20) WHERE integrity_check <> 'ok'",
    "SELECT printf('a row of table %s refers to one of table %s that is not there', [table], parent) FROM pragma_foreign_key_check",
    "SELECT 'there is no row with the epoch and the configuration' WHERE NOT EXISTS (SELECT 1 FROM config)",
    /* What is held. */
    "SELECT printf('GPU %s is held twice: by booking %d until %s, and by booking %d from %s', " GPU("gpu_key") ", before_id, "
    HOUR("before_end") ", booking_id, " HOUR("start_hour") ") FROM (SELECT gpu_key, booking_id, start_hour, "
    "lag(end_hour) OVER w AS before_end, lag(booking_id) OVER w AS before_id FROM allocation "
    "WINDOW w AS (PARTITION BY gpu_key ORDER BY start_hour)) WHERE before_end > start_hour",
    "SELECT printf('GPU %s: the free hours before %s are not recorded as they are', " GPU("gpu_key") ", " HOUR("start_hour") ") "
    "FROM (SELECT gpu_key, start_hour, free_from, lag(end_hour, 1, " SQL_VALUE(HOUR_MIN) ") OVER (PARTITION BY gpu_key ORDER BY start_hour) "
    "AS before_end FROM allocation) WHERE free_from <> before_end",
    "SELECT printf('GPU %s: the end of its last hours is not recorded as it is', " GPU("k.gpu_key") ") FROM gpu k WHERE held_until <> "
    "coalesce((SELECT max(end_hour) FROM allocation a WHERE a.gpu_key = k.gpu_key), " SQL_VALUE(HOUR_MIN) ")",
    /* What is held against what was booked. */
    "SELECT printf('booking %d holds GPU %s from %s to %s, outside its window', a.booking_id, " GPU("a.gpu_key") ", "
    HOUR("a.start_hour") ", " HOUR("a.end_hour") ") FROM allocation a JOIN booking b ON b.id = a.booking_id "
    "WHERE a.start_hour < b.start_hour OR a.end_hour > b.end_hour",
    "SELECT printf('booking %d has GPU %s of another node', b.id, " GPU("u.gpu_key") ") FROM booking_gpu u "
    "JOIN booking b ON b.id = u.booking_id JOIN gpu k USING (gpu_key) WHERE k.node_key <> b.node_key",
    "SELECT printf('booking %d holds GPU %s of another node', b.id, " GPU("a.gpu_key") ") FROM allocation a "
    "JOIN booking b ON b.id = a.booking_id JOIN gpu k USING (gpu_key) WHERE k.node_key <> b.node_key",
    "SELECT printf('booking %d has no GPU', id) FROM booking b WHERE NOT EXISTS (SELECT 1 FROM booking_gpu WHERE booking_id = b.id)",
    /* The last hour is its own, or one that a booking has used which has ended or given the GPU away since. */
    "SELECT printf('booking %d is active, but its last hour on GPU %s is not held', b.id, " GPU("u.gpu_key") ") FROM booking b "
    "JOIN booking_gpu u ON u.booking_id = b.id WHERE b.status = 0 AND NOT EXISTS (SELECT 1 FROM allocation a "
    "JOIN booking o ON o.id = a.booking_id WHERE a.gpu_key = u.gpu_key AND a.start_hour < b.end_hour "
    "AND a.start_hour = (SELECT max(start_hour) FROM allocation WHERE gpu_key = u.gpu_key AND start_hour < b.end_hour) "
    "AND a.end_hour >= b.end_hour AND (a.booking_id = b.id OR o.status <> 0 "
    "OR NOT EXISTS (SELECT 1 FROM booking_gpu WHERE booking_id = o.id AND gpu_key = u.gpu_key)))",
    "SELECT printf('booking %d has ended, but still holds GPU %s until %s', b.id, " GPU("a.gpu_key") ", " HOUR("a.end_hour") ") "
    "FROM allocation a JOIN booking b ON b.id = a.booking_id WHERE b.status <> 0 AND a.end_hour * 3600 > b.released_at",
    "SELECT printf('booking %d: its status and the time of its end do not agree', id) FROM booking "
    "WHERE (status = 0) <> (released_at IS NULL)",
    /* What happened against what is. */
    "SELECT printf('booking %d: the event log says %d times that it was booked', b.id, count(e.id)) FROM booking b "
    "LEFT JOIN event e ON e.booking_id = b.id AND e.kind = 'booked' GROUP BY b.id HAVING count(e.id) <> 1",
    "SELECT printf('booking %d is %s, but the event log says %s', b.id, "
    "CASE b.status WHEN 0 THEN 'active' WHEN 1 THEN 'completed' ELSE 'cancelled' END, coalesce(group_concat(e.kind), 'nothing of its end')) "
    "FROM booking b LEFT JOIN event e ON e.booking_id = b.id AND e.kind IN ('completed', 'cancelled') GROUP BY b.id "
    "HAVING coalesce(group_concat(e.kind), '') <> CASE b.status WHEN 0 THEN '' WHEN 1 THEN 'completed' ELSE 'cancelled' END",
    "SELECT printf('booking %d has version %d, but the event log has %d edits', b.id, b.version, count(e.id)) FROM booking b "
    "LEFT JOIN event e ON e.booking_id = b.id AND e.kind = 'edited' GROUP BY b.id HAVING count(e.id) <> b.version - 1",
    "SELECT printf('the configuration is that of event %d, which is not in the log', revision) FROM config WHERE revision <> 0 "
    "AND NOT EXISTS (SELECT 1 FROM event WHERE id = config.revision AND kind = 'configured')",
};
#define RULE_COUNT (int64_t)(sizeof rules / sizeof rules[0])

static void tell(const struct store_listener *listener, int64_t *faults, const char *sentence)
{
    (*faults)++;
    if (listener->fault != NULL)
        listener->fault(listener->context, sentence);
}

/* A damaged file is what is looked for: the answer, not a failure. */
static bool is_damage(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

static int apply(sqlite3 *db, const char *rule, const struct store_listener *listener, int64_t *faults)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, rule, -1, &statement, NULL);

    if (rc == SQLITE_OK)
        for (int n = 0; (rc = sqlite3_step(statement)) == SQLITE_ROW && n < STORE_CHECK_MAX; n++) {
            const char *sentence = (const char *)sqlite3_column_text(statement, 0);
            tell(listener, faults, sentence != NULL ? sentence : "a row names a GPU that is not there");
        }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

bool check_connection(sqlite3 *db, const struct store_listener *listener, int64_t *out_faults, struct error *err)
{
    *out_faults = 0;
    for (int64_t i = 0; i < RULE_COUNT; i++) {
        if (listener->progress != NULL)
            listener->progress(listener->context, i, RULE_COUNT);
        int rc = apply(db, rules[i], listener, out_faults);
        if (rc != SQLITE_OK && (is_damage(rc) || *out_faults > 0)) {
            char sentence[300];
            snprintf(sentence, sizeof sentence, "the file is damaged: %.250s", sqlite3_errmsg(db));
            tell(listener, out_faults, sentence);
            return true;
        }
        if (rc != SQLITE_OK) {
            error_set(err, ERROR_UNAVAILABLE, "The database cannot be checked");
            error_detail(err, "SQLite %d: %s (%.200s)", rc, sqlite3_errmsg(db), rules[i]);
            return false;
        }
    }
    if (listener->progress != NULL)
        listener->progress(listener->context, RULE_COUNT, RULE_COUNT);
    return true;
}

bool store_check(struct store *store, const struct store_listener *listener, int64_t *out_faults, struct error *err)
{
    if (!store_begin_read(store, err))
        return false;
    bool ok = check_connection(store->db, listener, out_faults, err);
    store_end_read(store);
    return ok;
}
