/*
 * Text from outside: UTF-8 (RFC 3629), counted in characters (code points), trimmed and compared.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *bytes;
    size_t length;
};

/* Valid UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. NULs count as valid. */
bool text_is_utf8(const char *bytes, size_t length);
/* Decodes the character at BYTES (LENGTH > 0 bytes are there); returns its bytes (1 to 4), 0 when it is not valid. */
size_t text_decode(const char *bytes, size_t length, uint32_t *out);
/* Code points in valid UTF-8. */
size_t text_characters(const char *bytes, size_t length);
/* The greatest length up to MAX bytes that cuts no character of valid UTF-8 in two. */
size_t text_cut(const char *bytes, size_t length, size_t max);
/* The bytes of the first CHARACTERS characters of valid UTF-8, or LENGTH when there are not that many. */
size_t text_head(const char *bytes, size_t length, size_t characters);
/* Without the white space at both ends, as Python's str.strip() removes it (Unicode White_Space and U+001C to U+001F).
 * Points into BYTES. */
struct slice text_trim(const char *bytes, size_t length);
/* True when a control character is in it: category Cc (U+0000 to U+001F, U+007F to U+009F), or U+2028, U+2029. */
bool text_has_control(const char *bytes, size_t length);
/*
 * For terminals and logs: BYTES with each control character, and what is no UTF-8, as \xHH. Writes at most SIZE bytes with the NUL
 * (SIZE > 0), cut between characters, and returns how many without it.
 */
size_t text_escape(const char *bytes, size_t length, char *out, size_t size);
/* ASCII letters compared without case; other bytes exactly. */
bool text_equal_nocase(const char *a, const char *b);
/* FIRST and SECOND in one piece, such as a path and what stands behind it. The caller frees it; never NULL. */
char *text_join(const char *first, const char *second);
/* The candidate with the smallest edit distance (Damerau-Levenshtein, adjacent transpositions) to NAME, if that is at most
 * a third of NAME's length, rounded up; else NULL. For "did you mean". */
const char *text_nearest(const char *name, const char *const *candidates, size_t count);

#endif
