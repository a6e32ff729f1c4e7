#include "common/json_write.h"

#include <string.h>

#include "common/text.h"

#include "common/banned.h"

void json_begin(struct json_writer *w, struct buffer *out)
{
    *w = (struct json_writer){.out = out};
}

/* A grid of a year is hundreds of thousands of small pieces: where the room is already there, one is a copy and no call. */
static inline void put(struct json_writer *w, const char *bytes, size_t length)
{
    struct buffer *out = w->out;
    if (length >= out->capacity - out->length)
        buffer_reserve(out, length);
    memcpy(out->data + out->length, bytes, length);
    out->length += length;
    out->data[out->length] = '\0';
}

/* Comma as needed, in front of the next element of the innermost scope. */
static inline void separate(struct json_writer *w)
{
    if (w->first[w->depth - 1])
        w->first[w->depth - 1] = false;
    else
        put(w, ",", 1);
}

/* Makes the writer ready for a value; false when none may stand here. */
static inline bool begin_value(struct json_writer *w)
{
    if (w->broken)
        return false;
    if (w->depth == 0) {
        w->broken = w->done;
        w->done = true;
        return !w->broken;
    }
    if (w->scope[w->depth - 1] == '[') {
        separate(w);
        return true;
    }
    w->broken = !w->after_key;
    w->after_key = false;
    return !w->broken;
}

static void open_scope(struct json_writer *w, char bracket)
{
    if (!begin_value(w))
        return;
    if (w->depth == JSON_WRITE_DEPTH) {
        w->broken = true;
        return;
    }
    put(w, &bracket, 1);
    w->scope[w->depth] = bracket;
    w->first[w->depth] = true;
    w->depth++;
}

void json_open_object(struct json_writer *w)
{
    open_scope(w, '{');
}

void json_open_array(struct json_writer *w)
{
    open_scope(w, '[');
}

void json_close(struct json_writer *w)
{
    if (w->broken || w->depth == 0 || w->after_key) {
        w->broken = true;
        return;
    }
    w->depth--;
    put(w, w->scope[w->depth] == '{' ? "}" : "]", 1);
}

/* What stands for itself within a JSON string: printable ASCII but the quote, the backslash and the three HTML begins tags and
 * entities with. */
static const bool plain[256] = {
    [' '] = true, ['!'] = true, ['#' ... '%'] = true, ['\'' ... ';'] = true, ['='] = true, ['?' ... '['] = true, [']' ... '~'] = true,
};

static void put_escape(struct json_writer *w, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof(shorts) - 1; i += 2) {
        if ((unsigned char)shorts[i] == c) {
            put(w, (char[]){'\\', shorts[i + 1]}, 2);
            return;
        }
    }
    put(w, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

static void put_quoted(struct json_writer *w, const char *bytes, size_t length)
{
    buffer_reserve(w->out, length + 2);
    put(w, "\"", 1);
    size_t done = 0, i = 0;
    while (i < length) {
        unsigned char c = (unsigned char)bytes[i];
        if (plain[c]) {
            i++;
            continue;
        }
        uint32_t character;
        size_t size = c < 0x80 ? 0 : text_decode(bytes + i, length - i, &character);
        if (size) {
            i += size;
            continue;
        }
        put(w, bytes + done, i - done);
        if (c < 0x80)
            put_escape(w, c);
        else
            put(w, "\xef\xbf\xbd", 3); /* U+FFFD */
        done = ++i;
    }
    put(w, bytes + done, length - done);
    put(w, "\"", 1);
}

void json_key(struct json_writer *w, const char *key)
{
    if (w->broken || w->depth == 0 || w->scope[w->depth - 1] != '{' || w->after_key) {
        w->broken = true;
        return;
    }
    separate(w);
    put_quoted(w, key, strlen(key));
    put(w, ":", 1);
    w->after_key = true;
}

void json_string(struct json_writer *w, const char *text)
{
    if (text)
        json_string_n(w, text, strlen(text));
    else
        json_null(w);
}

void json_string_n(struct json_writer *w, const char *bytes, size_t length)
{
    if (begin_value(w))
        put_quoted(w, bytes, length);
}

void json_integer(struct json_writer *w, int64_t value)
{
    if (!begin_value(w))
        return;
    char digits[20]; /* "-9223372036854775808" */
    char *start = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--start = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--start = '-';
    put(w, start, (size_t)(digits + sizeof(digits) - start));
}

void json_boolean(struct json_writer *w, bool value)
{
    if (begin_value(w))
        put(w, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *w)
{
    if (begin_value(w))
        put(w, "null", 4);
}

void json_hour(struct json_writer *w, hour_t hour)
{
    if (hour == HOUR_NONE) {
        json_null(w);
        return;
    }
    if (!begin_value(w))
        return;
    char text[HOUR_TEXT_SIZE + 1];
    text[0] = '"';
    hour_format(hour, text + 1);
    text[HOUR_TEXT_SIZE] = '"'; /* over the NUL */
    put(w, text, sizeof(text));
}

void json_seconds(struct json_writer *w, int64_t seconds)
{
    if (!begin_value(w))
        return;
    char text[HOUR_TEXT_SIZE + 1];
    text[0] = '"';
    seconds_format(seconds, text + 1);
    text[HOUR_TEXT_SIZE] = '"';
    put(w, text, sizeof(text));
}

void json_raw(struct json_writer *w, const char *bytes, size_t length)
{
    if (w->broken)
        return;
    bool members = w->depth > 0 && w->scope[w->depth - 1] == '{' && !w->after_key;
    if (members) {
        if (length == 0)
            return;
        separate(w);
        put(w, bytes, length);
    } else if (length == 0) {
        w->broken = true;
    } else if (begin_value(w)) {
        put(w, bytes, length);
    }
}

void json_put_string(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_string(w, text);
}

void json_put_integer(struct json_writer *w, const char *key, int64_t value)
{
    json_key(w, key);
    json_integer(w, value);
}

void json_put_boolean(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_boolean(w, value);
}

void json_put_null(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_null(w);
}

void json_put_hour(struct json_writer *w, const char *key, hour_t hour)
{
    json_key(w, key);
    json_hour(w, hour);
}

void json_put_seconds(struct json_writer *w, const char *key, int64_t seconds)
{
    json_key(w, key);
    json_seconds(w, seconds);
}

bool json_finish(const struct json_writer *w)
{
    return w->done && !w->broken && w->depth == 0;
}
