/*
 * How a fallible function says what went wrong: it returns false and fills the caller's struct error.
 *
 * `message` goes to the client as it is, so it never holds a path, an SQL text or a secret; what the log should
 * say beyond it stands in `detail`. `field` names the part of the request that is wrong, `limit` the configured limit
 * that refused it, `conflicts` the bookings in the way.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hour.h"

enum error_code {
    ERROR_NONE = 0,
    ERROR_BAD_REQUEST,    /* 400: the client's input is wrong */
    ERROR_UNAUTHORIZED,   /* 401: a login is needed */
    ERROR_FORBIDDEN,      /* 403 */
    ERROR_NOT_FOUND,      /* 404 */
    ERROR_METHOD,         /* 405: known path, another method */
    ERROR_CONFLICT,       /* 409: other bookings are in the way */
    ERROR_PRECONDITION,   /* 412: the version is not the current one */
    ERROR_TOO_LARGE,      /* 413: body over the bound */
    ERROR_UNPROCESSABLE,  /* 422: an idempotency key used for another body */
    ERROR_INTERNAL,       /* 500: our fault; the client learns no more than that */
    ERROR_CONFIGURATION,  /* 500: the configuration file is wrong; the message says where */
    ERROR_UNAVAILABLE,    /* 503: the database is busy or does not answer; worth a retry */
    ERROR_FULL,           /* 507: no room on the disk */
};

struct error_conflict {
    char *gpu_id;
    int64_t booking_id;
    char *user_label;
    struct window window; /* what that booking holds of the GPU */
};

struct error {
    enum error_code code;
    char message[768];
    char field[128]; /* empty when none */
    char limit[64];  /* the limit's configuration key; empty when none */
    int64_t limit_value;
    char detail[512]; /* for the log only; empty when none */
    struct error_conflict *conflicts; /* owned; freed by error_clear */
    size_t conflict_count;
};

/* How many conflicts an answer lists; further ones are not recorded. */
#define ERROR_CONFLICTS_MAX 100

#define ERROR_INIT {0}

/* Empties ERR and frees its conflicts. ERR must be initialised. */
void error_clear(struct error *err);
/* Each sets code and message (cut at the array's size, on a character boundary) and returns false, so that a caller
 * can write `return error_set(err, …);`. What ERR held before is cleared first. A precision in FORMAT ("%.100s") may cut a
 * character in two: its rest is left out. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, with the request's field that is wrong. */
bool error_field(struct error *err, enum error_code code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A 400 for a configured limit: its key and value. */
bool error_limit(struct error *err, const char *limit, int64_t value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds what only the log should see. */
void error_detail(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Copies the texts; beyond ERROR_CONFLICTS_MAX it does nothing. */
void error_add_conflict(struct error *err, const char *gpu_id, int64_t booking_id, const char *user_label,
                        struct window window);

/* The HTTP status of a code: the one table that turns codes into statuses. */
int error_status(enum error_code code);

#endif
