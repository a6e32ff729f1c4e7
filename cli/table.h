/*
 * Rows and columns, printed for people (aligned by display width) or as CSV. What a cell holds may come from anywhere: it is
 * made fit for a terminal on printing, and safe for a spreadsheet in CSV.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/buffer.h"

enum table_color { TABLE_PLAIN, TABLE_LOW, TABLE_MEDIUM, TABLE_HIGH, TABLE_FAINT };

struct table_cell {
    const char *text;
    enum table_color color;
};

/* Cells stand row by row, the head's first. */
struct table {
    struct arena *arena;
    size_t columns, count, capacity;
    struct table_cell *cells;
};

void table_init(struct table *table, struct arena *arena, size_t columns);
/* Appends one cell; TEXT is copied into the arena. */
void table_add(struct table *table, const char *text, enum table_color color);
void table_printf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* True when there is no row but the head. */
bool table_is_empty(const struct table *table);

/*
 * The snapshot's form: columns with " | " between them, all padded, the last one too, and a rule under the head:
 *
 *     GPU         | 2024-06-01
 *     ------------+-----------
 *     gpu0 (A100) | -
 */
void table_print_grid(const struct table *table, struct buffer *out, bool color);
/* A list: two blanks between columns, nothing behind the last. */
void table_print_list(const struct table *table, struct buffer *out, bool color);
void table_print_csv(const struct table *table, struct buffer *out);

#endif
