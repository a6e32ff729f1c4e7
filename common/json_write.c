#include "common/json_write.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#include "common/banned.h"

void json_begin(struct json_writer *w, struct buffer *out)
{
    *w = (struct json_writer){.out = out};
}

/*
 * A grid of a year is hundreds of thousands of small pieces. So each of the functions below claims its room once, writes
 * through a pointer of its own, and settles the buffer's length at the end.
 */

/* Room for SIZE bytes and a NUL; where to write. */
static inline char *claim(struct json_writer *w, size_t size)
{
    struct buffer *out = w->out;
    if (size >= out->capacity - out->length)
        buffer_reserve(out, size);
    return out->data + out->length;
}

/* What stands before END has been written. */
static inline void settle(struct json_writer *w, char *end)
{
    w->out->length = (size_t)(end - w->out->data);
    *end = '\0';
}

/* Claims SIZE bytes for the next element of the innermost scope, and writes the comma in front of it, as needed. */
static inline char *claim_element(struct json_writer *w, size_t size)
{
    char *at = claim(w, size + 1);
    if (w->first[w->depth - 1])
        w->first[w->depth - 1] = false;
    else
        *at++ = ',';
    return at;
}

/* Claims SIZE bytes for a value; NULL when none may stand here. */
static inline char *claim_value(struct json_writer *w, size_t size)
{
    if (w->broken)
        return NULL;
    if (w->depth > 0 && w->scope[w->depth - 1] == '[')
        return claim_element(w, size);
    if (w->depth > 0) {
        w->broken = !w->after_key;
        w->after_key = false;
    } else {
        w->broken = w->done;
        w->done = true;
    }
    return w->broken ? NULL : claim(w, size);
}

static void open_scope(struct json_writer *w, char bracket)
{
    char *at = claim_value(w, 1);
    if (!at)
        return;
    if (w->depth == JSON_WRITE_DEPTH) {
        w->broken = true;
        return;
    }
    *at++ = bracket;
    settle(w, at);
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
    char *at = claim(w, 1);
    *at++ = w->scope[w->depth] == '{' ? '}' : ']';
    settle(w, at);
}

/* What stands for itself within a JSON string: printable ASCII but the quote, the backslash and the three that tags and
 * entities of HTML begin or end with. */
static const bool plain[256] = {
    [' '] = true,          ['!'] = true, ['#' ... '%'] = true, ['\'' ... ';'] = true,
    ['='] = true, ['?' ... '['] = true, [']' ... '~'] = true,
};

/* The longest a byte becomes: \u00XX. */
#define ESCAPE_SIZE 6

static char *write_escape(char *at, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(special, c) : NULL;
    *at++ = '\\';
    if (found) {
        *at++ = letters[found - special];
        return at;
    }
    memcpy(at, "u00", 3);
    at[3] = hex[c >> 4];
    at[4] = hex[c & 15];
    return at + 5;
}

/* Writes BYTES as the inside of a string, whatever they are. */
static char *write_escaped(char *at, const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        unsigned char c = (unsigned char)bytes[i];
        uint32_t character;
        size_t size = c < 0x80 ? 1 : text_decode(bytes + i, length - i, &character);
        if (c < 0x80 && !plain[c]) {
            at = write_escape(at, c);
        } else if (size > 0) {
            memcpy(at, bytes + i, size);
            at += size;
        } else {
            size = 1;
            memcpy(at, "\xef\xbf\xbd", 3); /* U+FFFD */
            at += 3;
        }
        i += size;
    }
    return at;
}

/* Writes BYTES in quotes to AT, where room for LENGTH + 2 + MORE bytes was claimed; so much as MORE is left behind it. */
static inline char *write_quoted(struct json_writer *w, char *at, const char *bytes, size_t length, size_t more)
{
    *at++ = '"';
    size_t i = 0;
    while (i < length && plain[(unsigned char)bytes[i]])
        *at++ = bytes[i++];
    if (i < length) {
        settle(w, at);
        if (length - i > SIZE_MAX / (2 * ESCAPE_SIZE))
            abort(); /* more than there is */
        at = claim(w, (length - i) * ESCAPE_SIZE + 1 + more);
        at = write_escaped(at, bytes + i, length - i);
    }
    *at++ = '"';
    return at;
}

void json_key(struct json_writer *w, const char *key)
{
    if (w->broken || w->depth == 0 || w->scope[w->depth - 1] != '{' || w->after_key) {
        w->broken = true;
        return;
    }
    size_t length = strlen(key);
    char *at = claim_element(w, length + 3);
    at = write_quoted(w, at, key, length, 1);
    *at++ = ':';
    settle(w, at);
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
    char *at = claim_value(w, length + 2);
    if (at)
        settle(w, write_quoted(w, at, bytes, length, 0));
}

/* "-9223372036854775808" */
#define INTEGER_SIZE 20

void json_integer(struct json_writer *w, int64_t value)
{
    char *at = claim_value(w, INTEGER_SIZE);
    if (!at)
        return;
    char digits[INTEGER_SIZE];
    char *start = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--start = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--start = '-';
    size_t length = (size_t)(digits + sizeof(digits) - start);
    memcpy(at, start, length);
    settle(w, at + length);
}

/* A value that is already JSON. */
static inline void write_value(struct json_writer *w, const char *bytes, size_t length)
{
    char *at = claim_value(w, length);
    if (!at)
        return;
    memcpy(at, bytes, length);
    settle(w, at + length);
}

void json_boolean(struct json_writer *w, bool value)
{
    write_value(w, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *w)
{
    write_value(w, "null", 4);
}

/* Quotes around what hour_format and seconds_format write; the second one takes the place of their NUL. */
#define QUOTED_TIME_SIZE (HOUR_TEXT_SIZE + 1)

void json_hour(struct json_writer *w, hour_t hour)
{
    if (hour == HOUR_NONE) {
        json_null(w);
        return;
    }
    char *at = claim_value(w, QUOTED_TIME_SIZE);
    if (!at)
        return;
    at[0] = '"';
    hour_format(hour, at + 1);
    at[HOUR_TEXT_SIZE] = '"';
    settle(w, at + QUOTED_TIME_SIZE);
}

void json_seconds(struct json_writer *w, int64_t seconds)
{
    char *at = claim_value(w, QUOTED_TIME_SIZE);
    if (!at)
        return;
    at[0] = '"';
    seconds_format(seconds, at + 1);
    at[HOUR_TEXT_SIZE] = '"';
    settle(w, at + QUOTED_TIME_SIZE);
}

void json_raw(struct json_writer *w, const char *bytes, size_t length)
{
    bool members = w->depth > 0 && w->scope[w->depth - 1] == '{' && !w->after_key;
    if (w->broken || (members && length == 0))
        return;
    if (members) {
        char *at = claim_element(w, length);
        memcpy(at, bytes, length);
        settle(w, at + length);
    } else if (length > 0) {
        write_value(w, bytes, length);
    } else {
        w->broken = true;
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
