#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/width.h"
#include "common/csv.h"

#include "common/banned.h"

void table_init(struct table *table, struct arena *arena, size_t columns)
{
    *table = (struct table){.arena = arena, .columns = columns};
}

void table_add(struct table *table, const char *text, enum table_color color)
{
    table->cells = arena_grow(table->arena, table->cells, table->count, &table->capacity, sizeof *table->cells);
    table->cells[table->count++] = (struct table_cell){arena_text(table->arena, text), color};
}

void table_printf(struct table *table, const char *format, ...)
{
    struct buffer text = BUFFER_INIT;
    va_list arguments, again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length > 0) {
        buffer_reserve(&text, (size_t)length + 1);
        vsnprintf(text.data, (size_t)length + 1, format, again);
    }
    va_end(again);
    table_add(table, length > 0 ? text.data : "", TABLE_PLAIN);
    buffer_release(&text);
}

bool table_is_empty(const struct table *table)
{
    return table->count <= table->columns;
}

/* A cell's text as it is printed, and the columns it takes. */
struct shown {
    const char *text;
    size_t columns;
};

static struct shown *show_cells(const struct table *table, size_t *widths)
{
    struct shown *shown = arena_array(table->arena, table->count, sizeof *shown);
    struct buffer safe = BUFFER_INIT;

    for (size_t i = 0; i < table->count; i++) {
        size_t *width = &widths[i % table->columns];
        buffer_clear(&safe);
        width_safe(&safe, table->cells[i].text, strlen(table->cells[i].text));
        shown[i] = (struct shown){arena_text(table->arena, safe.data), width_columns(safe.data, safe.length)};
        if (shown[i].columns > *width)
            *width = shown[i].columns;
    }
    buffer_release(&safe);
    return shown;
}

/* ECMA-48 SGR: low cyan, medium yellow, high bold red. */
static void append_colored(struct buffer *out, const char *text, enum table_color wanted, bool color)
{
    static const char *const codes[] = {
        [TABLE_PLAIN] = NULL, [TABLE_LOW] = "36", [TABLE_MEDIUM] = "33", [TABLE_HIGH] = "1;31", [TABLE_FAINT] = "2"};
    const char *code = color ? codes[wanted] : NULL;

    if (code)
        buffer_printf(out, "\x1b[%sm", code);
    buffer_append_text(out, text);
    if (code)
        buffer_append_text(out, "\x1b[0m");
}

static void print_rule(const struct table *table, const size_t *widths, struct buffer *out)
{
    for (size_t column = 0; column < table->columns; column++) {
        if (column > 0)
            buffer_append_text(out, "-+-");
        for (size_t i = 0; i < widths[column]; i++)
            buffer_append_char(out, '-');
    }
    buffer_append_char(out, '\n');
}

static void print_rows(const struct table *table, struct buffer *out, bool color, const char *between, bool grid)
{
    size_t *widths = arena_array(table->arena, table->columns, sizeof *widths);
    const struct shown *shown = show_cells(table, widths);

    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;
        if (column > 0)
            buffer_append_text(out, between);
        append_colored(out, shown[i].text, table->cells[i].color, color);
        if (grid || !last)
            width_pad(out, widths[column] - shown[i].columns);
        while (!grid && last && out->data[out->length - 1] == ' ') /* the last cells are empty */
            out->data[--out->length] = '\0';
        if (last)
            buffer_append_char(out, '\n');
        if (grid && i + 1 == table->columns)
            print_rule(table, widths, out);
    }
}

void table_print_grid(const struct table *table, struct buffer *out, bool color)
{
    print_rows(table, out, color, " | ", true);
}

void table_print_list(const struct table *table, struct buffer *out, bool color)
{
    print_rows(table, out, color, "  ", false);
}

void table_print_csv(const struct table *table, struct buffer *out)
{
    struct csv_writer csv;

    csv_begin(&csv, out);
    for (size_t i = 0; i < table->count; i++) {
        csv_text(&csv, table->cells[i].text);
        if ((i + 1) % table->columns == 0)
            csv_end_line(&csv);
    }
}
