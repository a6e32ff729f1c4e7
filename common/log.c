#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

#include "common/banned.h"

/* What a pipe takes in one piece (POSIX: at least 512; 4096 on Linux). */
#define LINE_SIZE PIPE_BUF

static const struct {
    const char *name;
    char journal; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", '3'},
    [LOG_LEVEL_WARNING] = {"warning", '4'},
    [LOG_LEVEL_NOTICE] = {"notice", '5'},
    [LOG_LEVEL_DEBUG] = {"debug", '7'},
};

static const char *log_program = "procplan";
static enum log_level log_level = LOG_LEVEL_NOTICE;
static bool log_journal;

/* JOURNAL_STREAM is "device:inode" of the service's stderr, and inherited also by who has redirected it (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    char own[64];
    snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

void log_open(const char *program, enum log_level level)
{
    log_program = program;
    log_level = level;
    log_journal = stderr_is_journal();
}

static void write_line(const char *line, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, line, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody is left to tell */
        line += written;
        length -= (size_t)written;
    }
}

static void log_line(enum log_level level, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

static void log_line(enum log_level level, const char *format, va_list arguments)
{
    if (level > log_level)
        return;
    int saved_errno = errno;
    char prefix[128], message[LINE_SIZE], line[LINE_SIZE];
    int prefix_length = log_journal
                            ? snprintf(prefix, sizeof(prefix), "<%c>%s: ", levels[level].journal, levels[level].name)
                            : snprintf(prefix, sizeof(prefix), "%.64s[%ld]: %s: ", log_program, (long)getpid(),
                                       levels[level].name);
    errno = saved_errno; /* the format may hold %m */
    int length = vsnprintf(message, sizeof(message), format, arguments);
    if (prefix_length > 0 && length >= 0) {
        memcpy(line, prefix, (size_t)prefix_length);
        size_t used = (size_t)prefix_length;
        used += text_escape(message, strlen(message), line + used, sizeof(line) - used);
        line[used++] = '\n'; /* over the NUL */
        write_line(line, used);
    }
    errno = saved_errno;
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}

void log_notice(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_NOTICE, format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}
