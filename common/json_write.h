/*
 * Writing JSON: straight into a buffer, with a stack of open scopes. Wrong nesting (a value without its key, a key in
 * an array, an end too many) marks the writer broken and json_finish() says so: an error, never bad output.
 * Strings must be valid UTF-8; what is not becomes U+FFFD, so the output always is. '"', '\\' and control bytes are
 * escaped; '<', '>' and '&' are escaped too (\u003c …), so that an answer shown by mistake as HTML has no tag in it.
 */
#ifndef COMMON_JSON_WRITE_H
#define COMMON_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/hour.h"

#define JSON_WRITE_DEPTH 16

struct json_writer {
    struct buffer *out; /* borrowed */
    int depth;
    char scope[JSON_WRITE_DEPTH]; /* '{', '[' */
    bool first[JSON_WRITE_DEPTH]; /* nothing written in that scope yet */
    bool after_key;
    bool done; /* the one top-level value is complete */
    bool broken;
};

/* Starts writing at OUT's end. */
void json_begin(struct json_writer *w, struct buffer *out);
void json_open_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close(struct json_writer *w); /* the innermost scope */
void json_key(struct json_writer *w, const char *key);

void json_string(struct json_writer *w, const char *text); /* NULL writes null */
void json_string_n(struct json_writer *w, const char *bytes, size_t length);
void json_integer(struct json_writer *w, int64_t value);
void json_boolean(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
/* "2026-11-23T14:00:00+00:00"; HOUR_NONE writes null. */
void json_hour(struct json_writer *w, hour_t hour);
/* The same form from seconds since 1970. */
void json_seconds(struct json_writer *w, int64_t seconds);
/* One value, or inside an object one or more `"key":value` members joined by commas, already written as JSON. */
void json_raw(struct json_writer *w, const char *bytes, size_t length);

/* Key and value in one call. */
void json_put_string(struct json_writer *w, const char *key, const char *text);
void json_put_integer(struct json_writer *w, const char *key, int64_t value);
void json_put_boolean(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_hour(struct json_writer *w, const char *key, hour_t hour);
void json_put_seconds(struct json_writer *w, const char *key, int64_t seconds);

/* True when exactly one value was written and every scope is closed. */
bool json_finish(const struct json_writer *w) __attribute__((warn_unused_result));

#endif
