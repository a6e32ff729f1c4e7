/*
 * One HTTP response as plain data, and its CGI form (RFC 3875: a Status line, headers, a blank line, the body).
 */
#ifndef CGI_HTTP_RESPONSE_H
#define CGI_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"

#define HTTP_ETAG_SIZE 160

struct http_response {
    int status;
    const char *content_type; /* static */
    char etag[HTTP_ETAG_SIZE]; /* with its quotes; empty: none */
    bool no_store;             /* else "no-cache": keep it, ask again each time */
    int retry_after;           /* seconds; 0: not sent */
    char allow[64];            /* empty: not sent */
    /* The body: `shared` when not NULL (borrowed, e.g. from the cache, valid until the next request), else `body`. */
    struct buffer body;
    const struct buffer *shared;
};

/* Status 200, application/json, an empty body. */
void http_response_init(struct http_response *response);
void http_response_release(struct http_response *response);
/* Empties it for the next request; keeps the body's memory unless it is larger than 1 MiB. */
void http_response_reset(struct http_response *response);
const struct buffer *http_response_body(const struct http_response *response);
/* Appends status line and headers, with Content-Length and the blank line; not the body. A 304 has neither type nor length.
 * A value that holds a control byte is not sent. */
void http_response_headers(const struct http_response *response, struct buffer *out);
/* "404 Not Found" for 404; a status that is none of ours is 500. */
const char *http_status_text(int status);

#endif
