#include "cgi/http/response.h"

#include <string.h>

#include "common/banned.h"

/* A body's memory up to here is kept for the next request. */
#define BODY_KEEP ((size_t)1024 * 1024)

void http_response_init(struct http_response *response)
{
    *response = (struct http_response){.status = 200, .content_type = "application/json; charset=utf-8"};
}

void http_response_release(struct http_response *response)
{
    buffer_release(&response->body);
    response->shared = NULL;
}

void http_response_reset(struct http_response *response)
{
    struct buffer body = response->body;
    http_response_init(response);
    if (body.capacity > BODY_KEEP)
        buffer_release(&body);
    else
        buffer_clear(&body);
    response->body = body;
}

const struct buffer *http_response_body(const struct http_response *response)
{
    return response->shared ? response->shared : &response->body;
}

/* A header whose value holds a control byte could begin another header, or the body: it is left out. */
static void put_header(struct buffer *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    for (const char *c = value; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return;
    }
    buffer_append_text(out, name);
    buffer_append(out, ": ", 2);
    buffer_append_text(out, value);
    buffer_append(out, "\r\n", 2);
}

void http_response_headers(const struct http_response *response, struct buffer *out)
{
    put_header(out, "Status", http_status_text(response->status));
    if (response->status != 304) {
        put_header(out, "Content-Type", response->content_type ? response->content_type : "");
        buffer_printf(out, "Content-Length: %zu\r\n", http_response_body(response)->length);
    }
    put_header(out, "ETag", response->etag);
    put_header(out, "Cache-Control", response->no_store ? "no-store" : "no-cache");
    put_header(out, "Allow", response->allow);
    /* RFC 9110, section 15.5.2, wants a challenge. How one logs in is the web server's affair: this scheme is nobody's, so that no
     * browser asks for a password that nobody would check. */
    if (response->status == 401)
        put_header(out, "WWW-Authenticate", "Login realm=\"ProcPlan\"");
    if (response->retry_after > 0)
        buffer_printf(out, "Retry-After: %d\r\n", response->retry_after);
    /* Whatever an answer holds, it is no page: opened as one it loads nothing, runs nothing, and stands in no frame. */
    put_header(out, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    put_header(out, "Referrer-Policy", "same-origin");
    put_header(out, "X-Content-Type-Options", "nosniff");
    buffer_append(out, "\r\n", 2);
}

const char *http_status_text(int status)
{
    switch (status) {
    case 200:
        return "200 OK";
    case 201:
        return "201 Created";
    case 304:
        return "304 Not Modified";
    case 400:
        return "400 Bad Request";
    case 401:
        return "401 Unauthorized";
    case 403:
        return "403 Forbidden";
    case 404:
        return "404 Not Found";
    case 405:
        return "405 Method Not Allowed";
    case 409:
        return "409 Conflict";
    case 412:
        return "412 Precondition Failed";
    case 413:
        return "413 Content Too Large";
    case 422:
        return "422 Unprocessable Content";
    case 503:
        return "503 Service Unavailable";
    case 507:
        return "507 Insufficient Storage";
    default: /* no other is ours to send */
        return "500 Internal Server Error";
    }
}
