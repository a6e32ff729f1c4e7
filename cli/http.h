/*
 * Requests to a ProcPlan server, over one kept connection. Only http.c and http_url.c include libcurl.
 *
 * The base URL is what people type: http or https, any mount point ("http://host/procplan"), with or without the slash at
 * its end, with or without a scheme (then http). A user and a password in it are sent as HTTP Basic (RFC 7617) and never
 * printed; without them
 * ~/.netrc is asked. Proxies come from the environment as for curl(1) (http_proxy, https_proxy, no_proxy), certificates
 * from $CURL_CA_BUNDLE, $SSL_CERT_FILE and $SSL_CERT_DIR, else from the system.
 *
 * Redirects: five at most, never from https to http. A write keeps its method and body; a 303, which would drop them, is
 * refused. The URL's credentials go to no other host or port (http's port 80 to https's 443 of the same host aside), a body
 * marked secret neither.
 */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "common/buffer.h"
#include "common/error.h"

#define HTTP_TIMEOUT_DEFAULT 60.0 /* seconds, a whole request with its redirects */
#define HTTP_CONNECT_TIMEOUT 10.0 /* seconds, of those */
#define HTTP_TIMEOUT_MAX 86400.0
/* A longer answer is an error: a server is not trusted with our memory. Bytes after decompression. */
#define HTTP_ANSWER_MAX (64 * 1024 * 1024)
/* Arrays and objects in an answer: the timeline of ten thousand GPUs fits. */
#define HTTP_ANSWER_CONTAINERS_MAX 1000000
#define HTTP_ETAG_SIZE 256
#define HTTP_RETRY_AFTER_MAX 86400 /* a longer wait is cut to this */

struct http;

struct http_settings {
    const char *url;     /* the base */
    const char *program; /* who asks: the User-Agent's name */
    const char *user;    /* Procplan-User: who writes, where nobody logs in; NULL for none */
    double timeout;      /* seconds; 0: HTTP_TIMEOUT_DEFAULT */
};

/* False when the URL is no base URL, or a setting cannot stand in a header. All texts are copied. */
bool http_open(struct http **out, const struct http_settings *settings, struct error *err)
    __attribute__((warn_unused_result));
void http_close(struct http *http);
/* The base without credentials, with a slash at its end: for messages. Lives as long as HTTP. */
const char *http_base(const struct http *http);
/* A request that runs ends (as one that got no answer) soon after *STOP is set. NULL takes it back. Borrowed. */
void http_set_stop(struct http *http, const volatile sig_atomic_t *stop);
/* From now on a request may take so long. Seconds. */
void http_set_timeout(struct http *http, double seconds);

struct http_request {
    const char *method;          /* GET, POST, PATCH, DELETE */
    const char *path;            /* below the base, with its query, encoded: "api/find?gpus=2" */
    const char *body;            /* JSON; NULL for none */
    size_t body_length;
    const char *idempotency_key; /* 1 to 128 visible characters; NULL for none */
    const char *if_none_match;   /* an ETag; NULL for none */
    bool secret;                 /* the body holds a secret: it goes to no other host */
};

struct http_answer {
    int status;                    /* 0: no answer came */
    int retry_after;               /* seconds after which to ask again, as the server says; 0: it does not */
    struct buffer body;            /* never NULL bytes: at least "" */
    char etag[HTTP_ETAG_SIZE];     /* as it came; empty when there is none or it is longer */
    char content_type[HTTP_ETAG_SIZE];
};

#define HTTP_ANSWER_INIT {0}

/*
 * Sends REQUEST and waits. True when an answer came, whatever its status. False (ERROR_UNAVAILABLE, and status 0) when none
 * came or only a part: the sentence names the address, the reason and what to do.
 *
 * The one rule for repeating: a request with an idempotency key is sent again, twice at most and after a short wait, when it
 * was sent and its answer was lost, or when the answer is 502, 503 or 504. No other request is repeated. ANSWER is
 * initialised, and may hold an earlier answer, whose memory is used again.
 */
bool http_send(struct http *http, const struct http_request *request, struct http_answer *answer, struct error *err)
    __attribute__((warn_unused_result));
void http_answer_release(struct http_answer *answer);

/*
 * Reads an answer: a 2xx with JSON gives *OUT (the caller's, json_object_put); OUT may be NULL. Else false with the server's
 * sentence, field, limit and conflicts, and the error code whose status it is; where it sent no JSON the sentence says what
 * came from which address. REQUEST is the one that was answered.
 */
bool http_result(const struct http *http, const struct http_request *request, const struct http_answer *answer,
                 struct json_object **out, struct error *err) __attribute__((warn_unused_result));
/* http_send and http_result. */
bool http_call(struct http *http, const struct http_request *request, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));

/* Appends NAME=VALUE, encoded (RFC 3986), behind '?' or '&' as PATH needs it. */
void http_query_add(struct buffer *path, const char *name, const char *value);
/* Appends VALUE encoded as one part of a path. */
void http_path_add(struct buffer *path, const char *value);
/* A fresh idempotency key: 128 random bits in hex, and its NUL. False when the system gives no random bits. */
#define HTTP_KEY_SIZE 33
bool http_key(char out[HTTP_KEY_SIZE], struct error *err) __attribute__((warn_unused_result));

#endif
