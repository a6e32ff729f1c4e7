#include "common/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#include "common/banned.h"

/* Takes out the rests of characters that vsnprintf has cut at any byte: at the end, or where the format gives a precision. */
static void drop_partial_characters(char *text)
{
    size_t length = strlen(text), kept = 0, size;
    uint32_t character;

    for (size_t at = 0; at < length; at += size) {
        size = text_decode(text + at, length - at, &character);
        if (size > 0)
            memmove(text + kept, text + at, size);
        kept += size;
        if (size == 0)
            size = 1;
    }
    text[kept] = '\0';
}

static void format_text(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void format_text(char *out, size_t size, const char *format, va_list arguments)
{
    if (vsnprintf(out, size, format, arguments) < 0)
        out[0] = '\0';
    drop_partial_characters(out);
}

static void copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length < size) {
        memcpy(out, text, length + 1);
        return;
    }
    memcpy(out, text, size - 1);
    out[size - 1] = '\0';
    drop_partial_characters(out);
}

void error_clear(struct error *err)
{
    for (size_t i = 0; i < err->conflict_count; i++) {
        free(err->conflicts[i].gpu_id);
        free(err->conflicts[i].user_label);
    }
    free(err->conflicts);
    err->conflicts = NULL;
    err->conflict_count = 0;
    err->code = ERROR_NONE;
    err->message[0] = '\0';
    err->field[0] = '\0';
    err->limit[0] = '\0';
    err->limit_value = 0;
    err->detail[0] = '\0';
}

/* FIELD and LIMIT may be NULL. The texts may point into ERR itself ("in the file: %s"), so they are made before it is cleared. */
static void set(struct error *err, enum error_code code, const char *field, const char *limit, const char *format,
                va_list arguments) __attribute__((format(printf, 5, 0)));

static void set(struct error *err, enum error_code code, const char *field, const char *limit, const char *format,
                va_list arguments)
{
    char message[sizeof(err->message)], field_copy[sizeof(err->field)], limit_copy[sizeof(err->limit)];
    format_text(message, sizeof(message), format, arguments);
    copy_text(field_copy, sizeof(field_copy), field ? field : "");
    copy_text(limit_copy, sizeof(limit_copy), limit ? limit : "");
    error_clear(err);
    err->code = code;
    copy_text(err->message, sizeof(err->message), message);
    copy_text(err->field, sizeof(err->field), field_copy);
    copy_text(err->limit, sizeof(err->limit), limit_copy);
}

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, code, NULL, NULL, format, arguments);
    va_end(arguments);
    return false;
}

bool error_field(struct error *err, enum error_code code, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, code, field, NULL, format, arguments);
    va_end(arguments);
    return false;
}

bool error_limit(struct error *err, const char *limit, int64_t value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, ERROR_BAD_REQUEST, NULL, limit, format, arguments);
    va_end(arguments);
    err->limit_value = value;
    return false;
}

void error_detail(struct error *err, const char *format, ...)
{
    char detail[sizeof(err->detail)];
    va_list arguments;
    va_start(arguments, format);
    format_text(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    copy_text(err->detail, sizeof(err->detail), detail);
}

static char *duplicate(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}

void error_add_conflict(struct error *err, const char *gpu_id, int64_t booking_id, const char *user_label,
                        struct window window)
{
    if (err->conflict_count >= ERROR_CONFLICTS_MAX)
        return;
    if (!err->conflicts) {
        err->conflicts = calloc(ERROR_CONFLICTS_MAX, sizeof(*err->conflicts));
        if (!err->conflicts)
            abort();
    }
    err->conflicts[err->conflict_count++] = (struct error_conflict){
        .gpu_id = duplicate(gpu_id),
        .booking_id = booking_id,
        .user_label = duplicate(user_label),
        .window = window,
    };
}

int error_status(enum error_code code)
{
    static const int statuses[] = {
        [ERROR_NONE] = 200,
        [ERROR_BAD_REQUEST] = 400,
        [ERROR_UNAUTHORIZED] = 401,
        [ERROR_FORBIDDEN] = 403,
        [ERROR_NOT_FOUND] = 404,
        [ERROR_METHOD] = 405,
        [ERROR_CONFLICT] = 409,
        [ERROR_PRECONDITION] = 412,
        [ERROR_TOO_LARGE] = 413,
        [ERROR_UNPROCESSABLE] = 422,
        [ERROR_INTERNAL] = 500,
        [ERROR_CONFIGURATION] = 500,
        [ERROR_UNAVAILABLE] = 503,
        [ERROR_FULL] = 507,
    };
    if ((size_t)code >= sizeof(statuses) / sizeof(statuses[0]) || !statuses[code])
        return 500;
    return statuses[code];
}
