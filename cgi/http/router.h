/*
 * Which handler a method and a path belong to. The table is the caller's; its order does not matter, as no two of
 * its patterns match the same path.
 */
#ifndef CGI_HTTP_ROUTER_H
#define CGI_HTTP_ROUTER_H

#include <stddef.h>

#include "cgi/http/request.h"

struct route_pattern {
    enum http_method method; /* one */
    /* A path, compared exactly; a last segment "*" matches all that follows, slashes included, also nothing. */
    const char *path;
};

enum route_result {
    ROUTE_FOUND,
    ROUTE_UNKNOWN,   /* no entry has this path: 404 */
    ROUTE_OTHER_METHOD, /* an entry has this path, with another method: 405 */
};

/*
 * PATTERNS are the first members of COUNT table entries of STRIDE bytes each. On ROUTE_FOUND *OUT_INDEX is the entry and
 * request->route_rest what '*' matched, without one slash at its end. On ROUTE_OTHER_METHOD ALLOW (64 bytes) lists the methods
 * for the Allow header, HEAD with GET.
 */
enum route_result route_find(const void *patterns, size_t count, size_t stride, struct http_request *request,
                             size_t *out_index, char allow[64]);

#endif
