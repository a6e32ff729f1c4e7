#include "tests/unit/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/log.h"

/* While a test runs, stderr is a pipe. */
static int saved_stderr, pipe_end;

static int catch_stderr(void **state)
{
    (void)state;
    int ends[2];
    saved_stderr = dup(STDERR_FILENO);
    if (saved_stderr < 0 || pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
        return -1;
    close(ends[1]);
    pipe_end = ends[0];
    unsetenv("JOURNAL_STREAM");
    log_open("procplan-test", LOG_LEVEL_NOTICE);
    return 0;
}

static int restore_stderr(void **state)
{
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_end);
    return 0;
}

/* What was written since the last time; static. A mark goes into the pipe first, so that nothing written is no wait. */
static const char *written(void)
{
    static char text[3 * PIPE_BUF];
    assert_int_equal(write(STDERR_FILENO, "\1", 1), 1);
    size_t length = 0;
    do {
        ssize_t got = read(pipe_end, text + length, sizeof(text) - length);
        assert_true(got > 0);
        length += (size_t)got;
    } while (text[length - 1] != '\1');
    text[length - 1] = '\0';
    return text;
}

static const char *expected_line(const char *rest)
{
    static char line[3 * PIPE_BUF];
    snprintf(line, sizeof(line), "procplan-test[%ld]: %s\n", (long)getpid(), rest);
    return line;
}

TEST(a_line_names_program_process_and_level)
{
    log_error("the disk is full (%d)", 28);
    assert_string_equal(written(), expected_line("error: the disk is full (28)"));
    log_warning("slow");
    assert_string_equal(written(), expected_line("warning: slow"));
    log_notice("ready");
    assert_string_equal(written(), expected_line("notice: ready"));
}

TEST(lines_above_the_level_are_not_written)
{
    log_debug("nobody wants to know");
    assert_string_equal(written(), "");
    log_open("procplan-test", LOG_LEVEL_DEBUG);
    log_debug("somebody does");
    assert_string_equal(written(), expected_line("debug: somebody does"));
    log_open("procplan-test", LOG_LEVEL_ERROR);
    log_warning("too much");
    assert_string_equal(written(), "");
}

TEST(nobody_can_forge_a_line_or_move_the_cursor)
{
    log_error("%s", "a\nprocplan-test[1]: error: forged\r\033[2J\x7f");
    assert_string_equal(written(), expected_line("error: a\\x0aprocplan-test[1]: error: forged\\x0d\\x1b[2J\\x7f"));
    log_error("%s", "csi \xc2\x9b, separator \xe2\x80\xa8");
    assert_string_equal(written(), expected_line("error: csi \\xc2\\x9b, separator \\xe2\\x80\\xa8"));
}

TEST(text_stays_and_bad_utf_8_is_escaped)
{
    log_error("%s", "Müller 😀 \xff\xc3(");
    assert_string_equal(written(), expected_line("error: Müller 😀 \\xff\\xc3("));
}

/* Escapes are four bytes each: their line is cut between two of them. */
TEST(a_long_line_is_cut_to_what_a_pipe_takes_in_one_piece)
{
    char text[2 * PIPE_BUF];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_error("%s", text);
    const char *line = written();
    assert_true(strlen(line) > PIPE_BUF - 8 && strlen(line) <= PIPE_BUF);
    assert_string_equal(line + strlen(line) - 2, "x\n");
    memset(text, '\n', sizeof(text) - 1);
    log_error("%s", text);
    line = written();
    assert_true(strlen(line) > PIPE_BUF - 8 && strlen(line) <= PIPE_BUF);
    assert_string_equal(line + strlen(line) - 5, "\\x0a\n");
}

TEST(under_systemd_a_line_begins_with_the_journals_level)
{
    struct stat status;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("procplan-test", LOG_LEVEL_DEBUG);
    log_error("a");
    log_warning("b");
    log_notice("c");
    log_debug("d");
    assert_string_equal(written(), "<3>error: a\n<4>warning: b\n<5>notice: c\n<7>debug: d\n");
}

TEST(a_stderr_that_leads_elsewhere_than_to_the_journal_is_written_in_full)
{
    setenv("JOURNAL_STREAM", "0:0", 1);
    log_open("procplan-test", LOG_LEVEL_NOTICE);
    log_error("a");
    assert_string_equal(written(), expected_line("error: a"));
}

TEST(logging_leaves_errno_alone_and_can_say_it)
{
    errno = ENOENT;
    log_error("%m");
    assert_int_equal(errno, ENOENT);
    char line[200];
    snprintf(line, sizeof(line), "error: %s", strerror(ENOENT));
    assert_string_equal(written(), expected_line(line));
    int kept = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = ENOENT;
    log_error("nobody hears this");
    assert_int_equal(errno, ENOENT);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
}

#define CAUGHT(test) cmocka_unit_test_setup_teardown(test, catch_stderr, restore_stderr)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAUGHT(a_line_names_program_process_and_level),
        CAUGHT(lines_above_the_level_are_not_written),
        CAUGHT(nobody_can_forge_a_line_or_move_the_cursor),
        CAUGHT(text_stays_and_bad_utf_8_is_escaped),
        CAUGHT(a_long_line_is_cut_to_what_a_pipe_takes_in_one_piece),
        CAUGHT(under_systemd_a_line_begins_with_the_journals_level),
        CAUGHT(a_stderr_that_leads_elsewhere_than_to_the_journal_is_written_in_full),
        CAUGHT(logging_leaves_errno_alone_and_can_say_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
