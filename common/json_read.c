#include "common/json_read.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#include "common/banned.h"

/* -- the gate ------------------------------------------------------------------------------------------------- */

/* A key without its escapes, where it stands, and the object it is a member of (counted by opening brace). */
struct key {
    size_t object;
    const char *text;
    size_t length, at;
};

/*
 * A reader of RFC 8259's whole grammar that builds nothing. json-c sees only what has passed it, so what json-c would
 * let through never matters, and its STRICT flag (which refuses every non-ASCII string in 0.18) is not needed.
 */
struct scan {
    const char *bytes;
    size_t length, at;
    int depth;
    size_t containers, objects, members;
    struct error *err;
    /* On the second pass, when two members of an object are known to have one name: room for all keys and their text. */
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

static size_t unescape(const char *bytes, size_t length, char *out);

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
    if (++s->containers > JSON_CONTAINERS_MAX)
        return refuse(s, s->at, "more than %d arrays and objects", JSON_CONTAINERS_MAX);
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

/* -- keys that appear twice ------------------------------------------------------------------------------------ */

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

/* Names the first key that repeats an earlier one of its object. Costs a sort, but only for a text that is refused. */
static bool refuse_twin(const struct scan *first)
{
    struct scan s = {.bytes = first->bytes, .length = first->length, .err = first->err};
    struct key *keys = calloc(first->members, sizeof(*keys));
    char *text = malloc(first->length);
    if (!keys || !text)
        abort();
    s.keys = keys;
    s.text = text;
    if (scan_text(&s))
        qsort(keys, s.members, sizeof(*keys), compare_keys);
    const struct key *twin = NULL;
    for (size_t i = 1; i < s.members; i++) {
        const struct key *a = &keys[i - 1], *b = &keys[i];
        bool same = a->object == b->object && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
        if (same && (!twin || b->at < twin->at))
            twin = b;
    }
    if (twin) {
        size_t shown = twin->length;
        if (shown > 80) {
            shown = 80;
            while (((unsigned char)twin->text[shown] & 0xc0) == 0x80)
                shown--;
        }
        refuse(&s, twin->at, "the key \"%.*s%s\" appears twice in one object", (int)shown, twin->text,
               shown < twin->length ? "…" : "");
    } else {
        refuse(&s, 0, "a key appears twice in one object");
    }
    free(keys);
    free(text);
    return false;
}

/* -- the tree ------------------------------------------------------------------------------------------------- */

/* Members in the whole tree. Of two with one name json-c has kept the last: then they are fewer than the scan has seen. */
static size_t count_members(struct json_object *value)
{
    size_t count = 0;
    if (json_object_is_type(value, json_type_array)) {
        size_t length = json_object_array_length(value);
        for (size_t i = 0; i < length; i++)
            count += count_members(json_object_array_get_idx(value, i));
    } else if (json_object_is_type(value, json_type_object)) {
        count = (size_t)json_object_object_length(value);
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            count += count_members(member);
        }
    }
    return count;
}

bool json_read(const char *bytes, size_t length, struct json_object **out, struct error *err)
{
    *out = NULL;
    struct scan s = {.bytes = bytes, .length = length, .err = err};
    if (length > INT_MAX)
        return refuse(&s, 0, "the text is too long");
    if (!scan_text(&s))
        return false;

    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 8); /* never the one to refuse */
    if (!tokener)
        abort();
    struct json_object *tree = json_tokener_parse_ex(tokener, bytes, (int)length);
    enum json_tokener_error result = json_tokener_get_error(tokener);
    if (result == json_tokener_continue) { /* a number at the very end: it could go on */
        tree = json_tokener_parse_ex(tokener, "", 1);
        result = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    if (result != json_tokener_success)
        return refuse(&s, 0, "%s", json_tokener_error_desc(result));
    if (count_members(tree) != s.members) {
        json_object_put(tree);
        return refuse_twin(&s);
    }
    *out = tree;
    return true;
}

/* -- values --------------------------------------------------------------------------------------------------- */

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &value))
        return NULL;
    return value;
}

bool json_is_absent(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return true;
    case json_type_boolean:
        return !json_object_get_boolean(value);
    case json_type_int:
        return json_object_get_int64(value) == 0;
    case json_type_double:
        return json_object_get_double(value) == 0;
    case json_type_string:
        return json_object_get_string_len(value) == 0;
    case json_type_array:
        return json_object_array_length(value) == 0;
    case json_type_object:
        return false;
    }
    return false;
}

bool json_as_text(struct json_object *value, struct arena *arena, const char **out)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        *out = arena_copy(arena, json_object_get_string(value), (size_t)json_object_get_string_len(value));
        return true;
    case json_type_int:
        *out = arena_printf(arena, "%" PRId64, json_object_get_int64(value));
        return true;
    case json_type_double:
        *out = arena_text(arena, json_object_to_json_string(value)); /* json-c keeps it as it was written */
        return true;
    default:
        return false;
    }
}

/* Optional sign and digits, all of LENGTH bytes, within int64_t. */
static bool parse_integer(const char *bytes, size_t length, int64_t *out)
{
    bool negative = length > 0 && bytes[0] == '-';
    size_t at = negative || (length > 0 && bytes[0] == '+');
    if (at == length)
        return false;
    int64_t value = 0; /* below zero, where there is one more */
    for (; at < length; at++) {
        if (!is_digit(bytes[at]))
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, bytes[at] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

bool integer_parse(const char *text, int64_t *out)
{
    return parse_integer(text, strlen(text), out);
}

bool json_as_whole(struct json_object *value, int64_t *out)
{
    switch (json_object_get_type(value)) {
    case json_type_int:
        *out = json_object_get_int64(value);
        return true;
    case json_type_double: {
        double number = json_object_get_double(value);
        /* Both bounds are powers of two, and exact. */
        if (!(number >= -0x1p63 && number < 0x1p63) || (double)(int64_t)number != number)
            return false;
        *out = (int64_t)number;
        return true;
    }
    case json_type_string: {
        struct slice text = text_trim(json_object_get_string(value), (size_t)json_object_get_string_len(value));
        return parse_integer(text.bytes, text.length, out);
    }
    default:
        return false;
    }
}
