/*
 * One HTTP request as plain data, whoever delivered it (FastCGI or plain CGI). Knows nothing of bookings.
 *
 * Everything lives in the request's arena and is copied: FastCGI parameters die when the request is finished.
 */
#ifndef CGI_HTTP_REQUEST_H
#define CGI_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/error.h"

#define HTTP_BODY_MAX (1024 * 1024) /* bytes; beyond it 413 */

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_PATCH = 8,
    HTTP_DELETE = 16,
    HTTP_OPTIONS = 32,
    HTTP_OTHER = 64,
};

struct http_parameter {
    const char *name, *value; /* decoded; valid UTF-8 without NUL */
};

struct http_request {
    struct arena *arena;
    const char *id;          /* for the log: nginx's $request_id, or one of our own */
    enum http_method method; /* HEAD arrives as HTTP_GET with head_only set */
    bool head_only;
    const char *method_name; /* as sent */
    const char *path;        /* PATH_INFO, decoded by the web server; begins with '/' */
    const char *query_text;  /* raw, for the log */
    struct http_parameter *query;
    size_t query_count;
    const char *body;
    size_t body_length;
    /* Headers; NULL when not sent, or empty. Any bytes but NUL. */
    const char *host, *origin, *sec_fetch_site, *if_none_match, *idempotency_key;
    const char *claimed_user; /* from Procplan-User: 1 to 64 characters of UTF-8, trimmed, none of them a control; else NULL */
    const char *remote_user; /* from the web server alone (REMOTE_USER); NULL when empty */
    const char *route_rest;  /* what the route's '*' matched; set by the router */
};

/* Where a request comes from: CGI parameters and a body. */
struct http_source {
    void *context;
    /* A parameter's value ("REQUEST_METHOD", "HTTP_HOST", …), or NULL. */
    const char *(*parameter)(void *context, const char *name);
    /* Reads up to SIZE bytes of the body; 0 at its end or on an error. */
    size_t (*read)(void *context, char *to, size_t size);
};

/*
 * Reads a whole request. What is wrong with it is the client's fault: ERROR_BAD_REQUEST (a CONTENT_LENGTH that is no number
 * or not what arrives, a query parameter that is not UTF-8 or holds a NUL, more than 1,000 of them, a REMOTE_USER that is no text or over 256
 * characters),
 * ERROR_TOO_LARGE (body over HTTP_BODY_MAX). On failure id, method, path, query_text and the headers are set all the same, so
 * that the refusal can be answered and logged. The body of a GET is read and left out.
 */
bool http_request_read(struct http_request *request, struct arena *arena, const struct http_source *source,
                       struct error *err) __attribute__((warn_unused_result));

/* The first parameter NAME whose value is not empty, or NULL. */
const char *http_query(const struct http_request *request, const char *name);
/* The values of NAME that are not empty, in order, NULL-terminated; in the request's arena. */
const char **http_query_all(const struct http_request *request, const char *name);

#endif
