#include "tests/unit/unit.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/http/stats.h"

static struct stats stats;

static int begin(void **state)
{
    (void)state;
    memset(&stats, 0, sizeof(stats));
    return 0;
}

static uint64_t in_bucket(size_t route, int bucket)
{
    return stats.routes[route].by_time[bucket];
}

TEST(an_answer_is_counted_once_by_its_class_and_once_by_its_time)
{
    stats_count(&stats, 3, 200, 700000);
    stats_count(&stats, 3, 201, 1300000);
    stats_count(&stats, 3, 404, 0);
    stats_count(&stats, 3, 503, 2000000000);
    const struct stats_route *route = &stats.routes[3];
    assert_int_equal(route->by_class[0], 2);
    assert_int_equal(route->by_class[1], 0);
    assert_int_equal(route->by_class[2], 1);
    assert_int_equal(route->by_class[3], 1);
    assert_int_equal(route->nanoseconds, 2002000000);
    uint64_t all = 0;
    for (int i = 0; i <= STATS_BUCKETS; i++)
        all += in_bucket(3, i);
    assert_int_equal(all, 4);
    assert_int_equal(stats.routes[2].by_class[0] + stats.routes[4].by_class[0], 0);
}

/* The bounds are written as texts for who reads the metrics, and as numbers for who counts: they must say the same. */
TEST(a_time_of_exactly_a_bound_is_counted_below_it_and_a_longer_one_above)
{
    for (int i = 0; i < STATS_BUCKETS; i++) {
        int64_t bound = (int64_t)(strtod(stats_bounds[i], NULL) * 1e6 + 0.5) * 1000; /* ns */
        memset(&stats, 0, sizeof(stats));
        stats_count(&stats, 0, 200, bound);
        assert_int_equal(in_bucket(0, i), 1);
        stats_count(&stats, 0, 200, bound + 1);
        assert_int_equal(in_bucket(0, i + 1), 1);
    }
}

TEST(an_unknown_route_is_counted_apart)
{
    stats_count(&stats, STATS_ROUTES_MAX - 1, 200, 1);
    stats_count(&stats, STATS_ROUTES_MAX, 404, 1);
    stats_count(&stats, SIZE_MAX, 404, 1);
    assert_int_equal(stats.routes[STATS_ROUTES_MAX - 1].by_class[0], 1);
    assert_int_equal(stats.routes[STATS_ROUTES_MAX].by_class[2], 2);
}

/* A clock that was set back must not make a time negative, nor a strange status reach beyond the counters. */
TEST(what_cannot_be_is_counted_at_the_edge)
{
    stats_count(&stats, 0, 200, -5);
    assert_int_equal(in_bucket(0, 0), 1);
    assert_int_equal(stats.routes[0].nanoseconds, 0);
    stats_count(&stats, 0, 99, INT64_MAX);
    stats_count(&stats, 0, 999, 0);
    stats_count(&stats, 0, 600, 0);
    assert_int_equal(stats.routes[0].by_class[0], 2);
    assert_int_equal(stats.routes[0].by_class[3], 2);
    assert_int_equal(in_bucket(0, 0), 3);
    assert_int_equal(in_bucket(0, STATS_BUCKETS), 1);
}

/* The memory is shared, so nothing that one process counted is lost when another counts, or when it dies. */
TEST(processes_that_count_at_once_lose_nothing)
{
    struct shared {
        struct stats stats;
        _Atomic int ready;
    } *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(shared, MAP_FAILED);
    for (int p = 0; p < 4; p++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            shared->ready++;
            while (shared->ready < 4)
                sched_yield();
            for (int i = 0; i < 1000000; i++)
                stats_count(&shared->stats, 7, 200, 1);
            _exit(0);
        }
    }
    for (int p = 0; p < 4; p++)
        assert_true(wait(NULL) > 0);
    assert_int_equal(shared->stats.routes[7].by_class[0], 4000000);
    assert_int_equal(shared->stats.routes[7].by_time[0], 4000000);
    assert_int_equal(shared->stats.routes[7].nanoseconds, 4000000);
    munmap(shared, sizeof(*shared));
}

#define COUNTED(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(an_answer_is_counted_once_by_its_class_and_once_by_its_time),
        COUNTED(a_time_of_exactly_a_bound_is_counted_below_it_and_a_longer_one_above),
        COUNTED(an_unknown_route_is_counted_apart),
        COUNTED(what_cannot_be_is_counted_at_the_edge),
        COUNTED(processes_that_count_at_once_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
