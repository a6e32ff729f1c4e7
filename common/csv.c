#include "common/csv.h"

#include <inttypes.h>
#include <string.h>

#include "common/banned.h"

void csv_begin(struct csv_writer *w, struct buffer *out)
{
    *w = (struct csv_writer){.out = out};
}

static void begin_cell(struct csv_writer *w)
{
    if (w->begun)
        buffer_append_char(w->out, ',');
    w->begun = true;
}

/* The list of the OWASP project ("CSV injection"), with the full-width forms U+FF1D, U+FF0B, U+FF0D and U+FF20. */
static bool looks_like_formula(const char *text)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

    if (*text != '\0' && strchr("=+-@\t\r\n", *text) != NULL)
        return true;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (strncmp(text, wide[i], 3) == 0)
            return true;
    return false;
}

void csv_text(struct csv_writer *w, const char *text)
{
    bool quoted;

    begin_cell(w);
    if (text == NULL)
        return;
    quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted)
        buffer_append_char(w->out, '"');
    if (looks_like_formula(text))
        buffer_append_char(w->out, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            buffer_append_char(w->out, '"');
        buffer_append_char(w->out, *p);
    }
    if (quoted)
        buffer_append_char(w->out, '"');
}

void csv_integer(struct csv_writer *w, int64_t value)
{
    begin_cell(w);
    buffer_printf(w->out, "%" PRId64, value);
}

void csv_raw(struct csv_writer *w, const char *text)
{
    begin_cell(w);
    buffer_append_text(w->out, text);
}

void csv_end_line(struct csv_writer *w)
{
    buffer_append(w->out, "\r\n", 2);
    w->begun = false;
}
