#include "common/json_scan.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

/* A key without its escapes, where it stands, and the object it is a member of (counted by opening brace). */
struct key {
    size_t object;
    const char *text;
    size_t length, at;
};

struct scan {
    const char *bytes;
    size_t length, at;
    int depth;
    size_t containers, containers_max, objects, members;
    struct error *err;
    /* Of json_scan_twin only: room for all keys and their text. */
    struct key *keys;
    char *text;
};

static bool refuse(struct scan *s, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sets the error with the place of the byte AT; what stands before it is valid UTF-8. */
static bool refuse(struct scan *s, size_t at, const char *format, ...)
{
    size_t line = 1, line_start = 0;
    for (size_t i = 0; i < at; i++) {
        if (s->bytes[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    size_t column = text_characters(s->bytes + line_start, at - line_start) + 1;
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return error_set(s->err, ERROR_BAD_REQUEST, "line %zu, column %zu: %s", line, column, reason);
}

/* At the present position stands something else than WHAT. */
static bool refuse_here(struct scan *s, const char *what)
{
    const char *here = s->bytes + s->at;
    uint32_t character;
    if (s->at >= s->length)
        return refuse(s, s->at, "expected %s, but the text ends here", what);
    size_t size = text_decode(here, s->length - s->at, &character);
    if (size == 0)
        return refuse(s, s->at, "the text is not valid UTF-8");
    if (character == 0xfeff)
        return refuse(s, s->at, "expected %s, found a byte order mark (U+FEFF)", what);
    if (text_has_control(here, size))
        return refuse(s, s->at, "expected %s, found the control character U+%04" PRIX32, what, character);
    return refuse(s, s->at, "expected %s, found '%.*s'", what, (int)size, here);
}

static char peek(const struct scan *s)
{
    return s->at < s->length ? s->bytes[s->at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct scan *s)
{
    while (s->at < s->length && (s->bytes[s->at] == ' ' || s->bytes[s->at] == '\n' || s->bytes[s->at] == '\t' ||
                                 s->bytes[s->at] == '\r'))
        s->at++;
}

/* The value of the four hexadecimal digits at AT, or -1. */
static int32_t hex_four(const char *bytes, size_t length, size_t at)
{
    if (length - at < 4)
        return -1;
    int32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = bytes[i];
        int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The escape whose backslash is at the present position. */
static bool scan_escape(struct scan *s)
{
    size_t start = s->at++;
    char c = peek(s);
    if (c != 'u') {
        if (c == '\0' || !strchr("\"\\/bfnrt", c))
            return refuse(s, start, "an escape in a string that JSON does not have");
        s->at++;
        return true;
    }
    int32_t unit = hex_four(s->bytes, s->length, ++s->at);
    if (unit < 0)
        return refuse(s, start, "\\u must be followed by four hexadecimal digits");
    if (unit == 0)
        return refuse(s, start, "\\u0000 is not allowed");
    s->at += 4;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    int32_t low = -1;
    if (unit < 0xdc00 && s->length - s->at >= 6 && s->bytes[s->at] == '\\' && s->bytes[s->at + 1] == 'u')
        low = hex_four(s->bytes, s->length, s->at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return refuse(s, start, "half of a surrogate pair stands alone");
    s->at += 6;
    return true;
}

/* A string, whose opening quote is at the present position. */
static bool scan_string(struct scan *s)
{
    size_t start = s->at++;
    while (s->at < s->length) {
        unsigned char c = (unsigned char)s->bytes[s->at];
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c == '\\') {
            if (!scan_escape(s))
                return false;
        } else if (c < 0x20) {
            return refuse(s, s->at, "a control character (U+%04X) in a string must be written as an escape", c);
        } else if (c < 0x80) {
            s->at++;
        } else {
            uint32_t character;
            size_t size = text_decode(s->bytes + s->at, s->length - s->at, &character);
            if (size == 0)
                return refuse(s, s->at, "the text is not valid UTF-8");
            s->at += size;
        }
    }
    return refuse(s, start, "the string that begins here has no end");
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(peek(s)))
        return refuse_here(s, "a digit");
    while (is_digit(peek(s)))
        s->at++;
    return true;
}

/* Every integer of so many digits fits into 64 bits. */
#define INTEGER_DIGITS_MAX 18

static bool scan_number(struct scan *s)
{
    size_t start = s->at;
    bool whole = true;
    if (peek(s) == '-')
        s->at++;
    size_t digits_start = s->at;
    if (!scan_digits(s))
        return false;
    size_t digits = s->at - digits_start;
    if (digits > 1 && s->bytes[digits_start] == '0')
        return refuse(s, start, "a number must not begin with a 0");
    if (peek(s) == '.') {
        whole = false;
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        whole = false;
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (whole && digits > INTEGER_DIGITS_MAX)
        return refuse(s, start, "an integer of more than %d digits", INTEGER_DIGITS_MAX);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool scan_word(struct scan *s)
{
    const char *start = s->bytes + s->at;
    size_t length = 0;
    while (length < s->length - s->at && is_letter(start[length]))
        length++;
    if ((length == 4 && (memcmp(start, "true", 4) == 0 || memcmp(start, "null", 4) == 0)) ||
        (length == 5 && memcmp(start, "false", 5) == 0)) {
        s->at += length;
        return true;
    }
    if (length == 0)
        return refuse_here(s, "a value");
    return refuse(s, s->at, "expected a value, found '%.*s%s'", (int)(length < 20 ? length : 20), start, length > 20 ? "…" : "");
}

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> size & 0xff) | c);
    return size;
}

/* Resolves the escapes of a scanned string; OUT needs no more room than the string has. Returns OUT's length. */
static size_t unescape(const char *bytes, size_t length, char *out)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    size_t at = 0, used = 0;
    while (at < length) {
        if (bytes[at] != '\\') {
            out[used++] = bytes[at++];
        } else if (bytes[at + 1] != 'u') {
            const char *letter = strchr(letters, bytes[at + 1]);
            out[used++] = letter ? meanings[letter - letters] : bytes[at + 1];
            at += 2;
        } else {
            uint32_t c = (uint32_t)hex_four(bytes, length, at + 2);
            at += 6;
            if (c >= 0xd800 && c <= 0xdfff) {
                c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)hex_four(bytes, length, at + 2) - 0xdc00);
                at += 6;
            }
            used += encode(c, out + used);
        }
    }
    return used;
}

static bool scan_key(struct scan *s, size_t object)
{
    if (peek(s) != '"')
        return refuse_here(s, "a key in double quotes");
    size_t start = s->at;
    if (!scan_string(s))
        return false;
    if (s->keys) {
        size_t length = unescape(s->bytes + start + 1, s->at - start - 2, s->text);
        s->keys[s->members] = (struct key){.object = object, .text = s->text, .length = length, .at = start};
        s->text += length;
    }
    s->members++;
    skip_space(s);
    if (peek(s) != ':')
        return refuse_here(s, "':'");
    s->at++;
    return true;
}

static bool scan_value(struct scan *s);

/* An array or an object, whose opening bracket is at the present position. */
static bool scan_container(struct scan *s)
{
    bool is_object = s->bytes[s->at] == '{';
    char end = is_object ? '}' : ']';
    if (++s->depth > JSON_DEPTH_MAX)
        return refuse(s, s->at, "nested more than %d deep", JSON_DEPTH_MAX);
    if (++s->containers > s->containers_max)
        return refuse(s, s->at, "more than %zu arrays and objects", s->containers_max);
    size_t object = s->objects += is_object;
    s->at++;
    skip_space(s);
    bool empty = peek(s) == end;
    while (!empty) {
        if (is_object && !scan_key(s, object))
            return false;
        if (!scan_value(s))
            return false;
        if (peek(s) == end)
            break;
        if (peek(s) != ',')
            return refuse_here(s, is_object ? "',' or '}'" : "',' or ']'");
        s->at++;
        skip_space(s);
    }
    s->at++;
    s->depth--;
    return true;
}

/* A value and the blanks around it. */
static bool scan_value(struct scan *s)
{
    skip_space(s);
    char c = peek(s);
    bool fine = c == '{' || c == '['          ? scan_container(s)
                : c == '"'                    ? scan_string(s)
                : c == '-' || is_digit(c)     ? scan_number(s)
                                              : scan_word(s);
    if (fine)
        skip_space(s);
    return fine;
}

static bool scan_text(struct scan *s)
{
    skip_space(s);
    if (s->at == s->length)
        return refuse(s, 0, "the text is empty");
    if (!scan_value(s))
        return false;
    return s->at == s->length || refuse_here(s, "the end of the text");
}

bool json_scan(const char *bytes, size_t length, size_t containers_max, size_t *out_members, struct error *err)
{
    struct scan s = {.bytes = bytes, .length = length, .containers_max = containers_max, .err = err};
    if (length > INT_MAX)
        return refuse(&s, 0, "the text is too long");
    if (!scan_text(&s))
        return false;
    *out_members = s.members;
    return true;
}

/* -- a key that appears twice ----------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    int order = memcmp(x->text, y->text, x->length);
    if (order)
        return order;
    return x->at < y->at ? -1 : 1;
}

static bool same_key(const struct key *a, const struct key *b)
{
    return a->object == b->object && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

bool json_scan_twin(const char *bytes, size_t length, size_t members, struct error *err)
{
    struct scan s = {.bytes = bytes, .length = length, .containers_max = SIZE_MAX, .err = err};
    struct key *keys = calloc(members + 1, sizeof(*keys));
    char *text = malloc(length + 1);
    if (!keys || !text)
        abort();
    s.keys = keys;
    s.text = text;
    const struct key *twin = NULL;
    if (scan_text(&s)) {
        qsort(keys, s.members, sizeof(*keys), compare_keys);
        for (size_t i = 1; i < s.members; i++) {
            if (same_key(&keys[i - 1], &keys[i]) && (!twin || keys[i].at < twin->at))
                twin = &keys[i];
        }
    }
    if (twin) {
        size_t shown = text_cut(twin->text, twin->length, 80);
        refuse(&s, twin->at, "the key \"%.*s%s\" appears twice in one object", (int)shown, twin->text,
               shown < twin->length ? "…" : "");
    } else {
        refuse(&s, 0, "a key appears twice in one object");
    }
    free(keys);
    free(text);
    return false;
}
