/* What every unit test begins with: cmocka and what it wants before it, and two helpers. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A test; its name is a sentence about behaviour. */
#define TEST(name) static void name(void **state __attribute__((unused)))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Calls something that must end the process by abort(), in a process of its own. */
#define assert_aborts(expression)                                                                                      \
    do {                                                                                                               \
        pid_t aborting_child = fork();                                                                                 \
        if (aborting_child == 0) {                                                                                     \
            struct rlimit no_core = {0, 0};                                                                            \
            setrlimit(RLIMIT_CORE, &no_core);                                                                          \
            signal(SIGABRT, SIG_DFL);                                                                                  \
            (void)(expression);                                                                                        \
            _exit(0);                                                                                                  \
        }                                                                                                              \
        int aborting_status = 0;                                                                                       \
        assert_int_equal(waitpid(aborting_child, &aborting_status, 0), aborting_child);                                \
        assert_true(WIFSIGNALED(aborting_status));                                                                     \
        assert_int_equal(WTERMSIG(aborting_status), SIGABRT);                                                          \
    } while (0)

#endif
