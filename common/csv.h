/*
 * CSV (RFC 4180): CRLF behind each line, cells quoted where they must be. For spreadsheets, which take a cell for a formula when
 * it begins with = + - @ (also their wide forms), a tab or an end of line: such a text gets an apostrophe in front.
 */
#ifndef COMMON_CSV_H
#define COMMON_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"

struct csv_writer {
    struct buffer *out; /* borrowed */
    bool begun;         /* the line has a cell */
};

void csv_begin(struct csv_writer *w, struct buffer *out);
void csv_text(struct csv_writer *w, const char *text); /* NULL: an empty cell */
void csv_integer(struct csv_writer *w, int64_t value);
/* A cell whose text is known to be harmless: a number. */
void csv_raw(struct csv_writer *w, const char *text);
void csv_end_line(struct csv_writer *w);

#endif
