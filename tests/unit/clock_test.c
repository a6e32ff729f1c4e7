#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/time.h>

#include "common/clock.h"

TEST(milliseconds_and_seconds_are_of_one_clock)
{
    double before = clock_seconds();
    int64_t ms = clock_ms();
    double after = clock_seconds();

    assert_true((double)ms >= before * 1000 - 1 && (double)ms <= after * 1000);
}

TEST(a_pause_is_as_long_as_was_asked_for_at_least)
{
    double before = clock_seconds();

    clock_sleep(0.03);
    assert_true(clock_seconds() - before >= 0.03);
}

TEST(a_pause_of_nothing_or_less_is_none)
{
    double before = clock_seconds();

    clock_sleep(0);
    clock_sleep(-1e9);
    assert_true(clock_seconds() - before < 10);
}

static void on_alarm(int number)
{
    (void)number;
}

TEST(a_signal_ends_a_pause)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}}; /* again and again: one may come before the pause */
    double before = clock_seconds();

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    clock_sleep(1000);
    setitimer(ITIMER_REAL, &off, NULL);
    assert_true(clock_seconds() - before < 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(milliseconds_and_seconds_are_of_one_clock),
        cmocka_unit_test(a_pause_is_as_long_as_was_asked_for_at_least),
        cmocka_unit_test(a_pause_of_nothing_or_less_is_none),
        cmocka_unit_test(a_signal_ends_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
