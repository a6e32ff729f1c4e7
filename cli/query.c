/* Paths and keys of requests: the part of http.h that sends nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cli/http.h"

#include "common/banned.h"

static void append_encoded(struct buffer *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            buffer_append_char(out, *text);
        else
            buffer_printf(out, "%%%02X", (unsigned char)*text);
    }
}

void http_query_add(struct buffer *path, const char *name, const char *value)
{
    buffer_append_char(path, strchr(path->data, '?') ? '&' : '?');
    append_encoded(path, name);
    buffer_append_char(path, '=');
    append_encoded(path, value);
}

void http_path_add(struct buffer *path, const char *value)
{
    append_encoded(path, value);
}

bool http_key(char out[HTTP_KEY_SIZE], struct error *err)
{
    unsigned char bits[(HTTP_KEY_SIZE - 1) / 2];

    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return error_set(err, ERROR_INTERNAL, "the system gives no random bits: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bits; i++)
        snprintf(out + 2 * i, 3, "%02x", bits[i]);
    return true;
}
