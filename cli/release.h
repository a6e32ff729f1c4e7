/*
 * Giving a booking back: as completed, which frees the hours from the current one on.
 */
#ifndef CLI_RELEASE_H
#define CLI_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/http.h"

/* A release token's characters, and then some: a longer one is no token. */
#define RELEASE_TOKEN_MAX 128

enum release {
    RELEASE_DONE,
    RELEASE_GONE,    /* the server has no such active booking: somebody ended it, or it never was */
    RELEASE_REFUSED, /* the server will not; asking again is no use */
    RELEASE_FAILED,  /* no answer, or one that may be another in a moment */
};

/*
 * Asks once: with TOKEN by /api/release, without (NULL) by /api/mark_done. ANSWER is initialised and keeps what the server said; its status
 * is 0 when there was no answer. ERR says why it is not RELEASE_DONE.
 */
enum release release_try(struct http *http, int64_t booking_id, const char *token, struct http_answer *answer, struct error *err);

/*
 * How many seconds to wait before asking again after an answer that promises another one in a moment (429, 502 or 503: many jobs that
 * end at once, or a planner that is restarted); negative for any other. At least PAUSE and what the server says, and up to half
 * as much again: whoever was refused together does not come back together.
 */
double release_pause(const struct http_answer *answer, double pause);

#endif
