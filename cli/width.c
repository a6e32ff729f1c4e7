#include "cli/width.h"

#include <uniwidth.h>

#include "common/text.h"

#include "common/banned.h"

bool width_turns(uint32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void width_safe(struct buffer *out, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t c = 0;
        size_t size = text_decode(text + at, length - at, &c);
        if (size > 0 && width_turns(c)) {
            buffer_printf(out, "\\u%04x", (unsigned)c);
        } else if (size > 0 && !text_has_control(text + at, size)) {
            buffer_append(out, text + at, size);
        } else {
            size += size == 0;
            for (size_t i = 0; i < size; i++)
                buffer_printf(out, "\\x%02x", (unsigned char)text[at + i]);
        }
        at += size;
    }
    buffer_append(out, "", 0);
}

static size_t columns_of(uint32_t c)
{
    int width = uc_width(c, "UTF-8");

    return width > 0 ? (size_t)width : 0;
}

size_t width_columns(const char *text, size_t length)
{
    size_t columns = 0, size;
    uint32_t c;

    for (size_t at = 0; at < length && (size = text_decode(text + at, length - at, &c)) > 0; at += size)
        columns += columns_of(c);
    return columns;
}

size_t width_cut(const char *text, size_t length, size_t columns)
{
    size_t at = 0, used = 0, size;
    uint32_t c;

    while (at < length && (size = text_decode(text + at, length - at, &c)) > 0) {
        used += columns_of(c);
        if (used > columns)
            break;
        at += size;
    }
    return at;
}

void width_pad(struct buffer *out, size_t count)
{
    while (count-- > 0)
        buffer_append_char(out, ' ');
}
