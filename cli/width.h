/*
 * Text on a terminal: how many columns it takes, and how to print what somebody else wrote. Columns are counted by GNU
 * libunistring (uniwidth: Unicode's East_Asian_Width, zero for combining characters), whatever the locale is.
 */
#ifndef CLI_WIDTH_H
#define CLI_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

/*
 * Appends TEXT so that it is only text: control characters and what is no UTF-8 as \xHH, line and paragraph separators too,
 * and the characters that turn the direction of text around (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069) as
 * \uHHHH.
 */
void width_safe(struct buffer *out, const char *text, size_t length);
/* True for those last ones. */
bool width_turns(uint32_t character);
/* The columns that TEXT, as width_safe gives it, takes. */
size_t width_columns(const char *text, size_t length);
/* The greatest length that takes at most COLUMNS columns and cuts no character from its combining ones. */
size_t width_cut(const char *text, size_t length, size_t columns);
/* Appends COUNT blanks. */
void width_pad(struct buffer *out, size_t count);

#endif
