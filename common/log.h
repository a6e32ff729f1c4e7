/*
 * The log: one line an event, to stderr, in one write() so that lines of several processes never mix. Control characters
 * (text_has_control) and bad UTF-8 from outside are written as \xHH: nobody can forge a line or move the cursor of
 * whoever reads it. A line is cut at PIPE_BUF bytes, what a pipe takes in one piece. errno stays as it was.
 *
 *     procplan-fcgi[4711]: warning: worker 4713 was killed (SIGKILL); started 4720
 *     procplan-fcgi[4713]: error: request 8f2c…: 503 POST /api/book: the database is busy (SQLITE_BUSY)
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_DEBUG };

/* PROGRAM is borrowed for good. Lines above LEVEL are not written. Under systemd (JOURNAL_STREAM names stderr) each line
 * begins with sd-daemon(3)'s <3>, <4>, <5>, <7>, and the program's name and pid are left to the journal. */
void log_open(const char *program, enum log_level level);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
