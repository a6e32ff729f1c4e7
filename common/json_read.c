#include "common/json_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_scan.h"
#include "common/text.h"

#include "common/banned.h"

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
    return json_read_large(bytes, length, JSON_CONTAINERS_MAX, out, err);
}

bool json_read_large(const char *bytes, size_t length, size_t containers_max, struct json_object **out, struct error *err)
{
    *out = NULL;
    size_t members;
    if (!json_scan(bytes, length, containers_max, &members, err))
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
        return error_set(err, ERROR_BAD_REQUEST, "line 1, column 1: %s", json_tokener_error_desc(result));
    if (count_members(tree) != members) {
        json_object_put(tree);
        return json_scan_twin(bytes, length, members, err);
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
        if (bytes[at] < '0' || bytes[at] > '9')
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
