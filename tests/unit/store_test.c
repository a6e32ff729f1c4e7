#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "cgi/store/store.h"
#include "tests/unit/database.h"

#include "common/banned.h"

static const char *const config = "{\"nodes\":[{\"id\":\"n\",\"gpus\":[{\"id\":\"g0\"},{\"id\":\"g1\"}]}]}";
static const struct actor actor = {"a", false};

/* Runs SQL on the file with SQLite alone; the store must be closed. */
static void sql(const char *path, const char *text)
{
    sqlite3 *db;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", text, message);
    sqlite3_close(db);
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

static bool exists(const char *path, const char *suffix)
{
    char name[200];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return access(name, F_OK) == 0;
}

static void a_new_database_is_private_and_in_wal_mode(void **state)
{
    struct database db;
    struct stat st;
    char name[200];
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".pool"};

    (void)state;
    umask(0);
    database_open(&db, config);
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "%s%s", db.path, suffixes[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    database_close(&db);
    umask(077);
}

static void a_database_that_is_not_there_is_made_only_when_asked(void **state)
{
    struct database db;
    struct store *store;
    struct error err = ERROR_INIT;

    (void)state;
    database_folder(&db);
    assert_false(store_open(db.path, false, &store, &err));
    assert_string_equal(err.message, "procplan.db: there is no such database");
    assert_false(exists(db.path, ""));
    error_clear(&err);
    assert_true(store_open(db.path, true, &store, &err));
    store_close(store);
    assert_true(store_open(db.path, false, &store, &err));
    store_close(store);
    database_close(&db);
}

static void a_file_of_another_program_is_refused_and_left_alone(void **state)
{
    struct database db;
    struct store *store;
    struct error err = ERROR_INIT;
    struct stat before, after;

    (void)state;
    database_folder(&db);
    sql(db.path, "PRAGMA journal_mode = WAL; CREATE TABLE bookings (id INTEGER); INSERT INTO bookings VALUES (1)");
    stat(db.path, &before);
    assert_false(store_open(db.path, true, &store, &err));
    assert_non_null(strstr(err.message, "procplan.db: is a database of another program"));
    stat(db.path, &after);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_false(exists(db.path, "-shm"));
    assert_false(exists(db.path, ".lock"));
    error_clear(&err);
    write_file(db.path, "not a database, but long enough to be read as a header of a hundred bytes, or even a few more than that", 103);
    assert_false(store_open(db.path, true, &store, &err));
    assert_non_null(strstr(err.message, "procplan.db: is not a database"));
    error_clear(&err);
    database_close(&db);
}

static void a_database_from_a_newer_version_is_refused(void **state)
{
    struct database db;
    struct store *store;
    struct error err = ERROR_INIT;

    (void)state;
    database_folder(&db);
    assert_true(store_open(db.path, true, &store, &err));
    store_close(store);
    sql(db.path, "PRAGMA user_version = 1000");
    assert_false(store_open(db.path, true, &store, &err));
    assert_string_equal(err.message, "procplan.db: was written by a newer ProcPlan; install that version again, or restore a "
                                     "backup made before");
    error_clear(&err);
    database_close(&db);
}

static void a_relative_path_opens_in_a_folder_that_cannot_be_walked_to(void **state)
{
    struct database db;
    char closed[200], inner[220], here[4096];
    int status;

    (void)state;
    database_folder(&db);
    snprintf(closed, sizeof closed, "%s/closed", db.folder);
    snprintf(inner, sizeof inner, "%s/inner", closed);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(mkdir(closed, 0700) | mkdir(inner, 0777) | chmod(inner, 0777), 0);
    pid_t child = fork();
    if (child == 0) { /* enters, then the way behind it closes; as root it becomes somebody else for that */
        struct store *store;
        struct error err = ERROR_INIT;
        if (chdir(inner) != 0 || (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) ||
            (geteuid() != 65534 && chmod(closed, 0) != 0))
            _exit(3);
        if (access(inner, F_OK) == 0)
            _exit(4);
        if (!store_open("p.db", true, &store, &err) || !store_begin_write(store, &err) || !store_commit(store, &err))
            _exit(5);
        store_close(store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    chmod(closed, 0700);
    assert_int_equal(status, 0);
    snprintf(closed, sizeof closed, "%s/closed", db.folder);
    snprintf(here, sizeof here, "rm -rf '%s'", closed);
    assert_int_equal(system(here), 0);
    database_close(&db);
}

static void allocate(struct store *store, int64_t gpu, hour_t start, hour_t end, struct error *err, bool expected)
{
    struct allocation a = {gpu, {start, end}, 1};

    assert_int_equal(store_allocation_insert(store, &a, err), expected);
    if (!expected)
        assert_int_equal(err->code, ERROR_CONFLICT);
    error_clear(err);
}

static void insert_booking(struct store *store, struct booking *b, hour_t start, hour_t end, struct error *err)
{
    static const int64_t keys[] = {1, 2};

    *b = (struct booking){.node_key = 1, .window = {start, end}, .user_label = "u", .version = 1, .created = 1, .updated = 1,
                          .gpu_keys = keys, .gpu_count = 2};
    assert_true(store_booking_insert(store, b, err));
}

static void the_trigger_refuses_every_overlap_and_lets_neighbours_be(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct booking b;

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    assert_true(store_begin_write(store, &err));
    insert_booking(store, &b, 0, 100, &err);
    allocate(store, 1, 10, 20, &err, true);
    allocate(store, 1, 10, 20, &err, false);
    allocate(store, 1, 9, 11, &err, false);
    allocate(store, 1, 19, 30, &err, false);
    allocate(store, 1, 12, 13, &err, false);
    allocate(store, 1, 5, 40, &err, false);
    allocate(store, 1, 20, 21, &err, true);
    allocate(store, 1, 9, 10, &err, true);
    allocate(store, 2, 10, 20, &err, true);
    store_rollback(store);
    database_close(&db);
}

static void the_trigger_refuses_an_update_into_a_neighbour(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct booking b;
    sqlite3 *raw;

    (void)state;
    database_open(&db, config);
    assert_true(store_begin_write(db.planner->store, &err));
    insert_booking(db.planner->store, &b, 0, 100, &err);
    allocate(db.planner->store, 1, 10, 20, &err, true);
    allocate(db.planner->store, 1, 30, 40, &err, true);
    assert_true(store_commit(db.planner->store, &err));
    planner_close(db.planner);
    db.planner = NULL;
    assert_int_equal(sqlite3_open(db.path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "UPDATE allocation SET end_hour = 31 WHERE start_hour = 10", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(raw, "UPDATE allocation SET end_hour = 30 WHERE start_hour = 10", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "UPDATE allocation SET start_hour = 29 WHERE start_hour = 30", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    sqlite3_close(raw);
    database_close(&db);
}

static int free_before(sqlite3 *raw, int start)
{
    char sql[128];
    sqlite3_stmt *row;

    snprintf(sql, sizeof sql, "SELECT start_hour - free_from FROM allocation WHERE gpu_key = 1 AND start_hour = %d", start);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int hours = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    return hours;
}

static void raw_sql(sqlite3 *raw, const char *sql, int expected)
{
    assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), expected);
}

/* By any writer: the triggers see to it. */
static void a_row_knows_how_long_its_gpu_was_free_before_it(void **state)
{
    struct database db;
    sqlite3 *raw;

    (void)state;
    database_open(&db, config);
    planner_close(db.planner);
    db.planner = NULL;
    assert_int_equal(sqlite3_open(db.path, &raw), SQLITE_OK);
    raw_sql(raw, "INSERT INTO allocation (gpu_key, start_hour, end_hour, booking_id) VALUES (1, 100, 110, 1), (2, 0, 99, 1)", SQLITE_OK);
    assert_int_equal(free_before(raw, 100), 100 - HOUR_MIN); /* since ever */
    raw_sql(raw, "INSERT INTO allocation (gpu_key, start_hour, end_hour, booking_id) VALUES (1, 50, 60, 1)", SQLITE_OK);
    assert_int_equal(free_before(raw, 50), 50 - HOUR_MIN);
    assert_int_equal(free_before(raw, 100), 40);
    raw_sql(raw, "INSERT INTO allocation VALUES (1, 70, 75, 1, 69)", SQLITE_OK); /* a wrong word is put right */
    assert_int_equal(free_before(raw, 70), 10);
    assert_int_equal(free_before(raw, 100), 25);
    raw_sql(raw, "UPDATE allocation SET end_hour = 100 WHERE start_hour = 70", SQLITE_OK);
    assert_int_equal(free_before(raw, 100), 0);
    raw_sql(raw, "DELETE FROM allocation WHERE gpu_key = 1 AND start_hour < 100", SQLITE_OK);
    assert_int_equal(free_before(raw, 100), 100 - HOUR_MIN);
    raw_sql(raw, "UPDATE allocation SET start_hour = 90 WHERE gpu_key = 1", SQLITE_CONSTRAINT);
    raw_sql(raw, "UPDATE allocation SET gpu_key = 2 WHERE gpu_key = 1", SQLITE_CONSTRAINT);
    sqlite3_close(raw);
    database_close(&db);
}

static void cutting_frees_the_rest_and_keeps_what_was_used(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct booking b;
    struct holding *rows;
    size_t count;
    struct window all = {0, 1000};

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    assert_true(store_begin_write(store, &err));
    insert_booking(store, &b, 10, 40, &err);
    allocate(store, 1, 10, 40, &err, true);
    allocate(store, 2, 25, 40, &err, true);
    assert_true(store_allocations_cut(store, b.id, 25, &err));
    assert_true(store_holdings(store, &db.arena, 1, all, 0, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].window.start, 10);
    assert_int_equal(rows[0].window.end, 25);
    assert_true(store_holdings(store, &db.arena, 2, all, 0, &rows, &count, &err));
    assert_int_equal(count, 0);
    store_rollback(store);
    database_close(&db);
}

static void holdings_are_those_that_reach_into_the_window(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct booking b;
    struct holding *rows;
    size_t count;

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    assert_true(store_begin_write(store, &err));
    insert_booking(store, &b, 0, 100, &err);
    allocate(store, 1, 0, 10, &err, true);
    allocate(store, 1, 10, 20, &err, true);
    allocate(store, 1, 30, 40, &err, true);
    allocate(store, 1, 40, 50, &err, true);
    assert_true(store_holdings(store, &db.arena, 1, (struct window){10, 40}, 0, &rows, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].window.start, 30);
    assert_int_equal(rows[1].window.start, 10);
    assert_true(store_holdings(store, &db.arena, 1, (struct window){20, 30}, 0, &rows, &count, &err));
    assert_int_equal(count, 0);
    assert_true(store_holdings(store, &db.arena, 1, (struct window){0, 100}, 2, &rows, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].window.start, 40);
    store_rollback(store);
    database_close(&db);
}

static void the_revision_is_the_last_event_and_a_rollback_takes_it_back(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct store_state before, during, after;
    int64_t id;

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    assert_true(store_begin_write(store, &err));
    assert_true(store_state(store, &before, &err));
    assert_true(store_event_append(store, 5, &actor, "test", 0, NULL, &id, &err));
    assert_true(store_state(store, &during, &err));
    assert_int_equal(during.revision, id);
    assert_true(during.revision > before.revision);
    store_rollback(store);
    assert_true(store_begin_read(store, &err));
    assert_true(store_state(store, &after, &err));
    store_end_read(store);
    assert_int_equal(after.revision, before.revision);
    assert_string_equal(after.epoch, before.epoch);
    assert_int_equal(strlen(after.epoch), 16);
    database_close(&db);
}

/*
 * Another process that writes an event, or takes one back. It is forked before this one opens the database, since SQLite must
 * not be used across a fork, and opens the database itself each time.
 */
struct writer {
    pid_t pid;
    int ask, answer; /* our ends of its pipes */
};

struct wish {
    char path[96];
    bool commit;
};

static bool write_event(const struct wish *wish)
{
    sqlite3 *other = NULL;
    bool done = sqlite3_open(wish->path, &other) == SQLITE_OK &&
                sqlite3_exec(other, "BEGIN IMMEDIATE; INSERT INTO event (at, actor, claimed, kind) VALUES (1, '', 0, 'test')",
                             NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_exec(other, wish->commit ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;

    return sqlite3_close(other) == SQLITE_OK && done;
}

static struct writer writer_start(void)
{
    int ask[2], answer[2];
    struct wish wish;

    assert_int_equal(pipe(ask) | pipe(answer), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ask[1]);
        while (read(ask[0], &wish, sizeof wish) == (ssize_t)sizeof wish) {
            bool done = write_event(&wish);
            if (write(answer[1], &done, sizeof done) != (ssize_t)sizeof done)
                break;
        }
        _exit(0);
    }
    close(ask[0]);
    close(answer[1]);
    return (struct writer){pid, ask[1], answer[0]};
}

static void write_elsewhere(const struct writer *writer, const char *path, bool commit)
{
    struct wish wish = {.commit = commit};
    bool done = false;

    snprintf(wish.path, sizeof wish.path, "%s", path);
    assert_int_equal(write(writer->ask, &wish, sizeof wish), sizeof wish);
    assert_int_equal(read(writer->answer, &done, sizeof done), sizeof done);
    assert_true(done);
}

static void writer_stop(const struct writer *writer)
{
    int status;

    close(writer->ask);
    close(writer->answer);
    assert_int_equal(waitpid(writer->pid, &status, 0), writer->pid);
    assert_int_equal(status, 0);
}

static int64_t look_at_revision(struct store *store)
{
    struct store_state state;
    struct error err = ERROR_INIT;

    assert_true(store_begin_read(store, &err));
    assert_true(store_state(store, &state, &err));
    store_end_read(store);
    return state.revision;
}

static void a_commit_of_another_process_is_noticed_without_a_transaction(void **state)
{
    struct database db;
    struct writer writer = writer_start();

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    int64_t revision = look_at_revision(store);
    for (int i = 1; i <= 50; i++) {
        assert_true(store_unchanged(store));
        write_elsewhere(&writer, db.path, false);
        assert_true(store_unchanged(store));
        write_elsewhere(&writer, db.path, true);
        assert_false(store_unchanged(store));
        assert_false(store_unchanged(store)); /* not before it is read */
        assert_int_equal(look_at_revision(store), revision + i);
    }
    database_close(&db);
    writer_stop(&writer);
}

static void an_own_commit_is_a_change_and_an_own_rollback_is_none(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    look_at_revision(store);
    assert_true(store_begin_write(store, &err));
    assert_true(store_event_append(store, 5, &actor, "test", 0, NULL, NULL, &err));
    store_rollback(store);
    assert_true(store_unchanged(store));
    assert_true(store_begin_write(store, &err));
    assert_true(store_event_append(store, 5, &actor, "test", 0, NULL, NULL, &err));
    assert_true(store_commit(store, &err));
    assert_false(store_unchanged(store));
    database_close(&db);
}

static void nothing_is_known_before_the_first_read(void **state)
{
    struct database db;
    struct store *store;
    struct error err = ERROR_INIT;

    (void)state;
    database_folder(&db);
    assert_true(store_open(db.path, true, &store, &err));
    assert_false(store_unchanged(store));
    look_at_revision(store); /* the first one of a new database only sets up what is compared */
    look_at_revision(store);
    assert_true(store_unchanged(store));
    store_close(store);
    database_close(&db);
}

static void an_answer_is_found_for_seven_days_and_by_its_actor_only(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct store_answer answer = {"{}", 2, 201, "{\"booking_id\":1}", 16}, *found;
    struct actor claimed = {"a", true};
    int64_t day = 86400;

    (void)state;
    database_open(&db, config);
    struct store *store = db.planner->store;
    assert_true(store_begin_write(store, &err));
    assert_true(store_answer_keep(store, &actor, "k", 100 * day, &answer, &err));
    assert_true(store_answer_find(store, &db.arena, &actor, "k", 107 * day - 1, &found, &err));
    assert_non_null(found);
    assert_int_equal(found->status, 201);
    assert_string_equal(found->body, "{\"booking_id\":1}");
    assert_string_equal(found->request, "{}");
    assert_true(store_answer_find(store, &db.arena, &actor, "k", 107 * day, &found, &err));
    assert_null(found);
    assert_true(store_answer_find(store, &db.arena, &claimed, "k", 100 * day, &found, &err));
    assert_null(found);
    assert_true(store_answer_find(store, &db.arena, &actor, "K", 100 * day, &found, &err));
    assert_null(found);
    store_rollback(store);
    database_close(&db);
}

static void a_writer_waits_five_seconds_for_the_lock_and_then_says_so(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct timespec start, end;
    char path[200];

    (void)state;
    database_open(&db, config);
    snprintf(path, sizeof path, "%s.lock", db.path);
    int fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_false(store_begin_write(db.planner->store, &err));
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_true(end.tv_sec - start.tv_sec >= 4);
    close(fd);
    error_clear(&err);
    assert_true(store_begin_write(db.planner->store, &err));
    store_rollback(db.planner->store);
    database_close(&db);
}

static void a_restore_in_progress_keeps_others_out(void **state)
{
    struct database db;
    struct store *store;
    struct error err = ERROR_INIT;
    char path[200];

    (void)state;
    database_open(&db, config);
    planner_close(db.planner);
    db.planner = NULL;
    snprintf(path, sizeof path, "%s.pool", db.path);
    int fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_false(store_open(db.path, false, &store, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    error_clear(&err);
    close(fd);
    assert_true(store_open(db.path, false, &store, &err));
    store_close(store);
    database_close(&db);
}

static void the_log_is_folded_back_before_it_grows_without_end(void **state)
{
    struct database db;
    struct error err = ERROR_INIT;
    struct stat st;
    char path[200], *text = test_calloc(1, 100001);

    (void)state;
    memset(text, 'x', 100000);
    database_open(&db, config);
    for (int i = 0; i < 400; i++) { /* 40 MB in all */
        assert_true(store_begin_write(db.planner->store, &err));
        assert_true(store_event_append(db.planner->store, 1, &actor, "test", 0, text, NULL, &err));
        assert_true(store_commit(db.planner->store, &err));
    }
    snprintf(path, sizeof path, "%s-wal", db.path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 8 * 1024 * 1024);
    test_free(text);
    database_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_database_is_private_and_in_wal_mode),
        cmocka_unit_test(a_database_that_is_not_there_is_made_only_when_asked),
        cmocka_unit_test(a_file_of_another_program_is_refused_and_left_alone),
        cmocka_unit_test(a_database_from_a_newer_version_is_refused),
        cmocka_unit_test(a_relative_path_opens_in_a_folder_that_cannot_be_walked_to),
        cmocka_unit_test(the_trigger_refuses_every_overlap_and_lets_neighbours_be),
        cmocka_unit_test(the_trigger_refuses_an_update_into_a_neighbour),
        cmocka_unit_test(a_row_knows_how_long_its_gpu_was_free_before_it),
        cmocka_unit_test(cutting_frees_the_rest_and_keeps_what_was_used),
        cmocka_unit_test(holdings_are_those_that_reach_into_the_window),
        cmocka_unit_test(the_revision_is_the_last_event_and_a_rollback_takes_it_back),
        cmocka_unit_test(a_commit_of_another_process_is_noticed_without_a_transaction),
        cmocka_unit_test(an_own_commit_is_a_change_and_an_own_rollback_is_none),
        cmocka_unit_test(nothing_is_known_before_the_first_read),
        cmocka_unit_test(an_answer_is_found_for_seven_days_and_by_its_actor_only),
        cmocka_unit_test(a_writer_waits_five_seconds_for_the_lock_and_then_says_so),
        cmocka_unit_test(a_restore_in_progress_keeps_others_out),
        cmocka_unit_test(the_log_is_folded_back_before_it_grows_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
