/*
 * Reading JSON from outside: json-c behind a gate. json-c alone lets through overlong UTF-8, lone surrogates, raw
 * control bytes, duplicate keys, NULs in keys and integers out of range (it saturates them), so the bytes are checked
 * first and the types and ranges after (RFC 8259).
 *
 * The tree is json-c's (struct json_object); the caller frees it with json_object_put().
 */
#ifndef COMMON_JSON_READ_H
#define COMMON_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "common/arena.h"
#include "common/error.h"

#define JSON_DEPTH_MAX 16
/* json-c takes some 800 bytes for "{}": without a bound a body of 1 MB could cost a worker 270 MB. */
#define JSON_CONTAINERS_MAX 100000

/*
 * Parses one JSON value that fills BYTES whole. Refused with ERROR_BAD_REQUEST and a message that begins with the place
 * ("line 3, column 5: …"): bad syntax, anything behind the value, bad UTF-8, lone surrogates, control bytes in a string,
 * \u0000 anywhere, numbers that are not JSON's (NaN, Infinity, 01), integers of more than 18 digits, nesting beyond JSON_DEPTH_MAX,
 * more than JSON_CONTAINERS_MAX arrays and objects, a key that appears twice in one object (the message names it; one may be
 * spelled with escapes).
 * The cost is linear in LENGTH whatever the input, but for a sort of the keys where one is known to appear twice. BYTES need
 * no NUL behind them. *OUT may be NULL on success: that is json-c's `null`.
 */
bool json_read(const char *bytes, size_t length, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));

/* The same for an answer that may be large: with CONTAINERS_MAX in JSON_CONTAINERS_MAX's place. */
bool json_read_large(const char *bytes, size_t length, size_t containers_max, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));

/* The member NAME of an object, or NULL when it is not there, is null, or OBJECT is no object. Borrowed. */
struct json_object *json_member(struct json_object *object, const char *name);
/* True for what the wire contract calls absent: nothing, null, "", any zero, false, []. */
bool json_is_absent(struct json_object *value);

/* A string, or a number as its JSON text ("5", "1.5"). False for any other type. *OUT is in ARENA. */
bool json_as_text(struct json_object *value, struct arena *arena, const char **out) __attribute__((warn_unused_result));
/*
 * A whole number: an integer, a number whose fraction is zero (2.0), or a string of blanks, an optional sign, digits and
 * blanks whose value fits int64_t. False for 1.9, true, "1.0", and anything else.
 */
bool json_as_whole(struct json_object *value, int64_t *out) __attribute__((warn_unused_result));

/* Reads a whole text as an integer: optional sign, digits, nothing else, within int64_t. */
bool integer_parse(const char *text, int64_t *out) __attribute__((warn_unused_result));

#endif
