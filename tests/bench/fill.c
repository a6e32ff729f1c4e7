/*
 * A database as it is after a year of use: what the benchmarks of reading calls are run on.
 *
 *   fill FOLDER GPUS BOOKINGS DENSITY [AHEAD]
 *
 * FOLDER is a new folder; DENSITY the percent of each GPU's hours that are booked, 1 to 100; AHEAD how many days of the year lie
 * ahead, 0 to 365 (15).
 *
 * Makes FOLDER/config.json (nodes of eight GPUs, four kinds) and FOLDER/procplan.db, which took it in. The bookings lie in one year,
 * on one, two or four GPUs each; of those that are over, one in five was completed early, and of those that have begun one in ten
 * was cancelled. Ahead nothing is cancelled, so at a DENSITY of 100 no hour is free there. The same arguments give the same bookings,
 * but for the hour it is now.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cgi/planner/sync.h"

#include "common/banned.h"

#define GPUS_PER_NODE 8
#define LANES_PER_NODE 4 /* groups of GPUs that are booked together: 1, 1, 2 and 4 of a node's */
#define DAYS 365
#define DAYS_AHEAD_DEFAULT 15
#define USERS 200
#define FOLDER_MAX 3000

static const int lane_first[LANES_PER_NODE] = {0, 1, 2, 4}, lane_width[LANES_PER_NODE] = {1, 1, 2, 4};

struct fill {
    char config[FOLDER_MAX + 16], database[FOLDER_MAX + 16];
    int64_t gpus, bookings, density, days_ahead, now; /* now in seconds */
    hour_t first; /* of the year */
    sqlite3 *db;
    sqlite3_stmt *booking, *booking_gpu, *allocation;
    uint64_t random;
};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "fill: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* xorshift64* (Vigna, 2016). */
static unsigned below(struct fill *f, unsigned n)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return (unsigned)((f->random * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* -- nodes and GPUs ------------------------------------------------------------------------------------------------ */

static void write_config(const struct fill *f)
{
    static const char *const kinds[] = {"A100", "H100", "L40S", "V100"};
    FILE *file = fopen(f->config, "w");

    if (file == NULL)
        fail(f->config, strerror(errno));
    fputs("{\"nodes\": [", file);
    for (int64_t g = 0; g < f->gpus; g++) {
        int64_t node = g / GPUS_PER_NODE;
        if (g % GPUS_PER_NODE == 0)
            fprintf(file, "%s\n{\"id\": \"node-%04lld\", \"gpus\": [", g == 0 ? "" : "]},", (long long)node);
        fprintf(file, "%s{\"id\": \"gpu%lld\", \"kind\": \"%s\"}", g % GPUS_PER_NODE == 0 ? "" : ", ",
                (long long)(g % GPUS_PER_NODE), kinds[node % 4]);
    }
    fputs("]}\n]}\n", file);
    if (fclose(file) != 0)
        fail(f->config, strerror(errno));
}

/* As if the configuration had been taken in before the first booking. */
static void take_in(const struct fill *f)
{
    static const struct actor nobody = {"", false};
    struct config_source source;
    struct sync_report report;
    struct planner *planner;
    struct arena arena;
    struct error err = ERROR_INIT;

    arena_init(&arena);
    if (!config_source_open(&source, f->config, &err) || !planner_open(f->database, true, &planner, &err) ||
        !planner_begin_write(planner, &err) ||
        !planner_sync(planner, &arena, &source, &nobody, (int64_t)f->first * SECONDS_PER_HOUR, &report, &err) ||
        !planner_commit(planner, &err))
        fail(err.message, err.detail);
    planner_close(planner);
    config_source_close(&source);
    arena_release(&arena);
}

/* -- bookings ------------------------------------------------------------------------------------------------------- */

static void run(struct fill *f, const char *sql)
{
    if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(sql, sqlite3_errmsg(f->db));
}

static sqlite3_stmt *prepare(struct fill *f, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v3(f->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        fail(sql, sqlite3_errmsg(f->db));
    return statement;
}

static void insert(struct fill *f, sqlite3_stmt *statement, const int64_t *values, int count)
{
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(statement, i + 1, values[i]);
    if (sqlite3_step(statement) != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK)
        fail(sqlite3_sql(statement), sqlite3_errmsg(f->db));
}

/* What became of a booking: its status, when it was released, and until when it held its GPUs. */
static enum booking_status fate(struct fill *f, struct window planned, int64_t *released, hour_t *held_until)
{
    hour_t now = hour_of_seconds(f->now);
    unsigned dice = below(f, 10);

    *released = 0;
    *held_until = planned.end;
    if (planned.start >= now)
        return BOOKING_ACTIVE;
    if (dice == 0) { /* cancelled, a few hours before it began or after */
        hour_t at = planned.start - 12 + (hour_t)below(f, 24);
        *held_until = at < now ? at : now - 1;
        *released = (int64_t)*held_until * SECONDS_PER_HOUR + 1234;
        return BOOKING_CANCELLED;
    }
    if (dice <= 2 && planned.end <= now) {
        *held_until = planned.start + (hour_t)below(f, (unsigned)window_hours(planned) + 1);
        *released = (int64_t)*held_until * SECONDS_PER_HOUR + 1234;
        return BOOKING_COMPLETED;
    }
    return BOOKING_ACTIVE;
}

static void book(struct fill *f, int64_t id, int64_t lane, struct window planned)
{
    int64_t node = lane / LANES_PER_NODE, released;
    int which = (int)(lane % LANES_PER_NODE);
    hour_t until;
    enum booking_status status = fate(f, planned, &released, &until);
    char label[32];

    snprintf(label, sizeof label, "user-%03u", below(f, USERS));
    sqlite3_bind_text(f->booking, 8, label, -1, SQLITE_STATIC);
    if (released != 0)
        sqlite3_bind_int64(f->booking, 9, released);
    else
        sqlite3_bind_null(f->booking, 9);
    int64_t made = ((int64_t)planned.start - 48) * SECONDS_PER_HOUR;
    insert(f, f->booking, (int64_t[]){id, node + 1, planned.start, planned.end, below(f, 3), status, made}, 7);
    for (int i = 0; i < lane_width[which]; i++) {
        int64_t gpu = node * GPUS_PER_NODE + lane_first[which] + i + 1;
        insert(f, f->booking_gpu, (int64_t[]){id, gpu}, 2);
        if (until > planned.end)
            until = planned.end;
        if (until > planned.start)
            insert(f, f->allocation, (int64_t[]){gpu, planned.start, until, id}, 4);
    }
}

/* Round after round each lane gets its next booking, so ids follow time as they do in life. */
static void book_all(struct fill *f)
{
    int64_t lanes = f->gpus / GPUS_PER_NODE * LANES_PER_NODE, rounds = (f->bookings + lanes - 1) / lanes, id = 0;
    int64_t span = DAYS * HOURS_PER_DAY;

    if (rounds > span)
        fail("BOOKINGS", "more than an hour each has room for; use more GPUs");
    for (int64_t round = 0; round < rounds; round++)
        for (int64_t lane = 0; lane < lanes && id < f->bookings; lane++) {
            hour_t start = f->first + (hour_t)(span * round / rounds), room = f->first + (hour_t)(span * (round + 1) / rounds) - start;
            hour_t length = (hour_t)((int64_t)room * f->density / 100);
            if (length < 1)
                length = 1;
            start += (hour_t)below(f, (unsigned)(room - length) + 1);
            book(f, ++id, lane, (struct window){start, start + length});
        }
}

static void fill(struct fill *f)
{
    if (sqlite3_open(f->database, &f->db) != SQLITE_OK)
        fail(f->database, sqlite3_errmsg(f->db));
    run(f, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -400000; BEGIN");
    f->booking = prepare(f, "INSERT INTO booking (id, node_key, start_hour, end_hour, priority, status, created_at, updated_at, "
                            "version, user_label, released_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(?9, ?7), 1, ?8, ?9)");
    f->booking_gpu = prepare(f, "INSERT INTO booking_gpu (booking_id, gpu_key) VALUES (?1, ?2)");
    f->allocation = prepare(f, "INSERT INTO allocation (gpu_key, start_hour, end_hour, booking_id, free_from) "
                               "SELECT ?1, ?2, ?3, ?4, coalesce(max(end_hour), -17259888) FROM (SELECT end_hour FROM allocation "
                               "WHERE gpu_key = ?1 AND start_hour < ?2 ORDER BY start_hour DESC LIMIT 1)");
    book_all(f);
    sqlite3_finalize(f->booking);
    sqlite3_finalize(f->booking_gpu);
    sqlite3_finalize(f->allocation);
    run(f, "INSERT INTO event (at, actor, claimed, kind, booking_id) SELECT created_at, 'fill', 0, 'booked', id FROM booking");
    run(f, "COMMIT; PRAGMA journal_mode = WAL");
    sqlite3_close(f->db);
}

int main(int argc, char **argv)
{
    struct fill f = {.random = UINT64_C(88172645463325252), .now = (int64_t)time(NULL), .days_ahead = DAYS_AHEAD_DEFAULT};

    if (argc == 5 || argc == 6) {
        f.gpus = strtoll(argv[2], NULL, 10);
        f.bookings = strtoll(argv[3], NULL, 10);
        f.density = strtoll(argv[4], NULL, 10);
        if (argc == 6)
            f.days_ahead = strtoll(argv[5], NULL, 10);
    }
    if (argc < 5 || argc > 6 || f.days_ahead < 0 || f.days_ahead > DAYS || strlen(argv[1]) > FOLDER_MAX || f.gpus < GPUS_PER_NODE || f.gpus % GPUS_PER_NODE != 0 ||
        f.gpus > 1000000 || f.bookings < 1 || f.bookings > 100000000 || f.density < 1 || f.density > 100) {
        fputs("usage: fill FOLDER GPUS BOOKINGS DENSITY [AHEAD]   (a new folder; GPUS in eights; 1 to 100 percent; 0 to 365 days)\n",
              stderr);
        return 2;
    }
    f.first = hour_of_seconds(f.now) + (hour_t)(f.days_ahead - DAYS) * HOURS_PER_DAY;
    if (mkdir(argv[1], 0755) != 0)
        fail(argv[1], strerror(errno));
    snprintf(f.config, sizeof f.config, "%s/config.json", argv[1]);
    snprintf(f.database, sizeof f.database, "%s/procplan.db", argv[1]);
    write_config(&f);
    take_in(&f);
    fill(&f);
    return EXIT_SUCCESS;
}
