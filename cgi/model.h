/*
 * The plain structs of ProcPlan. Strings are NUL-terminated UTF-8; who owns them is said by the function that fills
 * the struct (a topology owns its own, everything else lives in the request's arena).
 */
#ifndef CGI_MODEL_H
#define CGI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hour.h"
#include "common/text.h"

#define ID_CHARACTERS_MAX 64   /* node and GPU ids, labels */
#define LABEL_CHARACTERS_MAX 64
#define NOTE_CHARACTERS_MAX 500
#define LOGIN_CHARACTERS_MAX 256 /* a client certificate's subject is long */
#define KEY_CHARACTERS_MAX 128 /* Idempotency-Key */

enum priority { PRIORITY_LOW = 0, PRIORITY_MEDIUM = 1, PRIORITY_HIGH = 2 };
enum booking_status { BOOKING_ACTIVE = 0, BOOKING_COMPLETED = 1, BOOKING_CANCELLED = 2 };

struct gpu {
    int64_t key;
    const char *id, *kind;
    const char *device; /* NULL when the configuration gives none */
    hour_t since;
    hour_t until; /* HOUR_NONE while in use; else the hour it was retired */
    struct node *node;
};

struct node {
    int64_t key;
    const char *id, *name;
    hour_t since, until;
    struct gpu *gpus; /* those in use first, in configuration order; then the retired ones */
    size_t gpu_count; /* in use */
    size_t gpu_total; /* with the retired ones */
};

struct booking {
    int64_t id;
    int64_t node_key;
    struct window window; /* as planned; never cut */
    const char *user_label;
    const char *owner; /* NULL in open mode */
    enum priority priority;
    enum booking_status status;
    const char *note; /* NULL when empty */
    int64_t series_id; /* 0 when none */
    int64_t version;   /* 1 when made; each edit adds one */
    int64_t created, updated; /* seconds since 1970 */
    int64_t released;         /* seconds; 0 while active */
    const char *release_token; /* only in the booking that planner_book has just made; NULL in all that are read */
    const int64_t *gpu_keys;  /* what was booked, in configuration order */
    size_t gpu_count;
};

/* Hours that a GPU is, or was, held by a booking. Rows of one GPU never overlap. */
struct allocation {
    int64_t gpu_key;
    struct window window;
    int64_t booking_id;
};

/* Who does something. */
struct actor {
    const char *name; /* never NULL; "" when nobody said */
    bool claimed;     /* said by the client itself, not verified */
};

/* Who may do what; planner/access.h reads it. */
enum auth_mode {
    AUTH_OPEN,        /* nobody logs in, and everybody may do everything */
    AUTH_REMOTE_USER, /* the web server logs people in and says who they are in REMOTE_USER */
};

struct auth {
    enum auth_mode mode;
    bool public_read; /* what follows counts with logins only: reading needs none */
    const char **admins;
    size_t admin_count;
};

struct limits {
    int64_t max_booking_hours;             /* always set */
    int64_t max_days_ahead;                /* -1: no limit, as in the three below */
    int64_t max_gpus_per_booking;
    int64_t max_active_gpu_hours_per_user;
    bool allow_past;
};

#define LIMIT_BOOKING_HOURS_DEFAULT 8784
#define LIMITS_DEFAULT {LIMIT_BOOKING_HOURS_DEFAULT, -1, -1, -1, true}

static inline const char *priority_name(enum priority priority)
{
    return priority == PRIORITY_LOW ? "low" : priority == PRIORITY_MEDIUM ? "medium" : "high";
}

static inline const char *status_name(enum booking_status status)
{
    return status == BOOKING_ACTIVE ? "active" : status == BOOKING_COMPLETED ? "completed" : "cancelled";
}

/* What a name from outside stands for, whatever the case of its letters; false for no name (NULL) or another one. */
static inline bool priority_of(const char *name, enum priority *out)
{
    for (enum priority p = PRIORITY_LOW; name != NULL && p <= PRIORITY_HIGH; p++)
        if (text_equal_nocase(name, priority_name(p))) {
            *out = p;
            return true;
        }
    return false;
}

static inline bool status_of(const char *name, enum booking_status *out)
{
    for (enum booking_status s = BOOKING_ACTIVE; name != NULL && s <= BOOKING_CANCELLED; s++)
        if (text_equal_nocase(name, status_name(s))) {
            *out = s;
            return true;
        }
    return false;
}

#endif
