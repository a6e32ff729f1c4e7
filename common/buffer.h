/*
 * A growing run of bytes. `data` always has a NUL behind `length`, so a text in it can be used as a C string; it
 * may hold NULs of its own, and `length` is the truth. Before the first append or reserve `data` is NULL. What is
 * appended must not lie in the buffer itself. When memory is gone the process aborts.
 */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stddef.h>

struct buffer {
    char *data;
    size_t length;   /* bytes in use */
    size_t capacity; /* bytes allocated, the NUL included; 0 before the first use */
};

#define BUFFER_INIT {0}

void buffer_init(struct buffer *buffer);
void buffer_release(struct buffer *buffer);
/* Length 0; the memory is kept. */
void buffer_clear(struct buffer *buffer);
/* Room for MORE bytes behind the present length. */
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
