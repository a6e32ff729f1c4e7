/*
 * A database as it is in the middle of a life of use: what the benchmarks of reading calls and of the page are run on. --help says
 * what it takes.
 *
 * Bookings are written below the planner's rules, a hundred thousand in seconds, yet they are what it would have written: the
 * database's own triggers refuse an hour that is held twice. The same arguments give the same bookings, but for the hour it is now.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cgi/planner/sync.h"
#include "common/json_read.h"

#include "common/banned.h"

#define GPUS_PER_NODE 8
#define LANES_PER_NODE 4 /* groups of GPUs that are booked together: 1, 1, 2 and 4 of a node's */
#define DAYS 365
#define DAYS_AHEAD_DEFAULT 15
#define USERS 200
#define FOLDER_MAX 3000

static const char help[] =
    "usage: fill [--notes PERCENT] [--varied] FOLDER GPUS BOOKINGS DENSITY [AHEAD]\n"
    "\n"
    "Makes FOLDER/config.json and FOLDER/procplan.db, which has taken it in, with bookings of one year around now.\n"
    "\n"
    "  FOLDER           a new folder\n"
    "  GPUS             how many, in eights: nodes have eight each, in turn of the kinds A100, H100, L40S, V100\n"
    "  BOOKINGS         how many, on one, two or four GPUs each, of any priority, by 200 users. Of those that have begun one in\n"
    "                   ten was cancelled, of those that are over one in five was completed early\n"
    "  DENSITY          the percent of each GPU's hours that are booked, 1 to 100; ahead nothing is cancelled, so at 100 no hour\n"
    "                   is free there\n"
    "  AHEAD            how many days of the year lie ahead, 0 to 365 (15)\n"
    "  --notes PERCENT  how many of the bookings have a note, 0 to 100 (0)\n"
    "  --varied         bookings of many lengths, whose mean makes the DENSITY; else all have the same length\n"
    "  --help           says this\n"
    "\n"
    "For the page, a thousand GPUs and ten thousand, half a year behind and half a year ahead:\n"
    "  fill --notes 30 --varied FOLDER 1000 20000 60 182\n"
    "  fill --notes 30 --varied FOLDER 10000 200000 60 182\n";

static const int lane_first[LANES_PER_NODE] = {0, 1, 2, 4}, lane_width[LANES_PER_NODE] = {1, 1, 2, 4};

struct fill {
    const char *folder;
    char config[FOLDER_MAX + 16], database[FOLDER_MAX + 16];
    int64_t gpus, bookings, density, days_ahead, notes, now; /* percents; now in seconds */
    bool varied;
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

/* NULL for those that have none. Short ones, one longer than a bar shows, and one that is no ASCII. */
static const char *random_note(struct fill *f)
{
    static const char *const notes[] = {
        "pretrain 7B, run 12", "sweep lr 3e-4 to 3e-3", "eval", "debug NCCL", "reviewer 2's ablation, the one with the longer context window",
        "Grundwahrheit für die Prüfung — bitte nicht stören",
    };

    if (f->notes == 0 || (int64_t)below(f, 100) >= f->notes)
        return NULL;
    return notes[below(f, sizeof notes / sizeof notes[0])];
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
    const char *note = random_note(f);
    if (note != NULL)
        sqlite3_bind_text(f->booking, 10, note, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(f->booking, 10);
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

/* How many of ROOM hours a booking takes. */
static hour_t random_length(struct fill *f, hour_t room)
{
    hour_t mean = (hour_t)((int64_t)room * f->density / 100), least = 1;

    if (mean < 1)
        mean = 1;
    if (!f->varied)
        return mean;
    if (2 * mean > room) /* what cannot be longer than the room must not be too short either, for the mean to come out */
        least = 2 * mean - room;
    return least + (hour_t)below(f, (unsigned)(2 * (mean - least)) + 1);
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
            hour_t length = random_length(f, room);
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
                            "version, user_label, released_at, note) "
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(?9, ?7), 1, ?8, ?9, ?10)");
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

/* -- arguments ------------------------------------------------------------------------------------------------------ */

static _Noreturn void refuse(const char *what)
{
    fprintf(stderr, "fill: %s\n\n%s", what, help);
    exit(2);
}

static int64_t number(const char *text, int64_t least, int64_t most, const char *what)
{
    int64_t value;

    if (!integer_parse(text, &value) || value < least || value > most)
        refuse(what);
    return value;
}

static void read_arguments(struct fill *f, int argc, char **argv)
{
    static const struct option known[] = {
        {"notes", required_argument, NULL, 'n'}, {"varied", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'n': f->notes = number(optarg, 0, 100, "--notes takes 0 to 100 percent"); break;
        case 'v': f->varied = true; break;
        case 'h':
            fputs(help, stdout);
            exit(EXIT_SUCCESS);
        default: exit(2); /* getopt_long has said what is wrong */
        }
    }
    char **given = argv + optind;
    int count = argc - optind;
    if (count < 4 || count > 5 || strlen(given[0]) > FOLDER_MAX)
        refuse("it takes FOLDER GPUS BOOKINGS DENSITY [AHEAD]");
    f->folder = given[0];
    f->gpus = number(given[1], GPUS_PER_NODE, 1000000, "GPUS is 8 to 1,000,000");
    if (f->gpus % GPUS_PER_NODE != 0)
        refuse("GPUS come in eights");
    f->bookings = number(given[2], 1, 100000000, "BOOKINGS is 1 to 100,000,000");
    f->density = number(given[3], 1, 100, "DENSITY is 1 to 100 percent");
    f->days_ahead = count == 5 ? number(given[4], 0, DAYS, "AHEAD is 0 to 365 days") : DAYS_AHEAD_DEFAULT;
}

int main(int argc, char **argv)
{
    struct fill f = {.random = UINT64_C(88172645463325252), .now = (int64_t)time(NULL)};

    read_arguments(&f, argc, argv);
    f.first = hour_of_seconds(f.now) + (hour_t)(f.days_ahead - DAYS) * HOURS_PER_DAY;
    if (mkdir(f.folder, 0755) != 0)
        fail(f.folder, strerror(errno));
    snprintf(f.config, sizeof f.config, "%s/config.json", f.folder);
    snprintf(f.database, sizeof f.database, "%s/procplan.db", f.folder);
    write_config(&f);
    take_in(&f);
    fill(&f);
    return EXIT_SUCCESS;
}
