#include "cgi/http/request.h"

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"

#include "common/banned.h"

#define REQUEST_ID_MAX 64
#define CLAIMED_USER_CHARACTERS_MAX 64
#define REMOTE_USER_CHARACTERS_MAX 256
#define PARAMETERS_MAX 1000
/* How much of a name a message repeats, in bytes. */
#define SHOWN_MAX 64

/*
 * Of a body that is refused so much is read and thrown away all the same: a web server that finds the connection closed
 * in the middle of its sending answers 502 in place of our 413.
 */
#define DRAIN_MAX ((size_t)16 * 1024 * 1024)

/* A parameter's value in the arena; NULL when it is absent or empty. Web servers send an absent header as an empty one. */
static const char *copy_parameter(struct arena *arena, const struct http_source *source, const char *name)
{
    const char *value = source->parameter(source->context, name);
    return value && value[0] ? arena_text(arena, value) : NULL;
}

static bool is_request_id(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
    return length >= 1 && length <= REQUEST_ID_MAX && text[length] == '\0';
}

static const char *request_id(struct arena *arena, const struct http_source *source)
{
    static unsigned counter;
    const char *given = source->parameter(source->context, "PROCPLAN_REQUEST_ID");
    if (given && is_request_id(given))
        return arena_text(arena, given);
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return arena_printf(arena, "%lx-%llx-%x", (unsigned long)getpid(),
                        (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000, ++counter);
}

static void read_method(struct http_request *request)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET},     {"HEAD", HTTP_GET},      {"POST", HTTP_POST},      {"PUT", HTTP_PUT},
        {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
    };
    request->method = HTTP_OTHER;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(request->method_name, methods[i].name) == 0)
            request->method = methods[i].method;
    }
    request->head_only = strcmp(request->method_name, "HEAD") == 0;
}

/* Who the client says it is; NULL unless it is a name that can be shown. */
static const char *claimed_user(struct arena *arena, const struct http_source *source)
{
    const char *value = source->parameter(source->context, "HTTP_PROCPLAN_USER");
    if (!value || !text_is_utf8(value, strlen(value)))
        return NULL;
    struct slice name = text_trim(value, strlen(value));
    if (name.length == 0 || text_has_control(name.bytes, name.length) ||
        text_characters(name.bytes, name.length) > CLAIMED_USER_CHARACTERS_MAX)
        return NULL;
    return arena_copy(arena, name.bytes, name.length);
}

static void read_headers(struct http_request *request, const struct http_source *source)
{
    struct arena *arena = request->arena;
    request->host = copy_parameter(arena, source, "HTTP_HOST");
    request->origin = copy_parameter(arena, source, "HTTP_ORIGIN");
    request->sec_fetch_site = copy_parameter(arena, source, "HTTP_SEC_FETCH_SITE");
    request->if_none_match = copy_parameter(arena, source, "HTTP_IF_NONE_MATCH");
    request->idempotency_key = copy_parameter(arena, source, "HTTP_IDEMPOTENCY_KEY");
    request->claimed_user = claimed_user(arena, source);
    /* HTTP_REMOTE_USER would be a header, which any client can send. */
    request->remote_user = copy_parameter(arena, source, "REMOTE_USER");
}

/* -- the body ------------------------------------------------------------------------------------------------- */

/* Reads up to LENGTH bytes; fewer when the body ends before. */
static size_t read_bytes(const struct http_source *source, char *to, size_t length)
{
    size_t done = 0;
    while (done < length) {
        size_t step = source->read(source->context, to + done, length - done);
        if (step == 0 || step > length - done)
            break;
        done += step;
    }
    return done;
}

static void drain(const struct http_source *source, size_t length)
{
    char rest[16 * 1024];
    while (length > 0) {
        size_t want = length < sizeof(rest) ? length : sizeof(rest);
        if (read_bytes(source, rest, want) < want)
            return;
        length -= want;
    }
}

/* Absent and empty are 0. *OUT does not go beyond SIZE_MAX: what is larger is too large anyway. */
static bool read_content_length(const struct http_source *source, size_t *out)
{
    const char *text = source->parameter(source->context, "CONTENT_LENGTH");
    size_t length = 0;
    for (; text && *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (__builtin_mul_overflow(length, (size_t)10, &length) ||
            __builtin_add_overflow(length, (size_t)(*text - '0'), &length))
            length = SIZE_MAX / 100; /* and it stays above every bound, whatever digits follow */
    }
    *out = length;
    return true;
}

static bool read_body(struct http_request *request, const struct http_source *source, struct error *err)
{
    size_t length;
    if (!read_content_length(source, &length))
        return error_set(err, ERROR_BAD_REQUEST, "Content-Length must be a number of bytes");
    if (length > HTTP_BODY_MAX) {
        drain(source, length < DRAIN_MAX ? length : DRAIN_MAX);
        return error_set(err, ERROR_TOO_LARGE, "The request body is larger than %d bytes", HTTP_BODY_MAX);
    }
    if (length == 0)
        return true;
    char *body = arena_alloc(request->arena, length + 1);
    size_t arrived = read_bytes(source, body, length);
    if (arrived < length)
        return error_set(err, ERROR_BAD_REQUEST, "The request body ended after %zu of %zu bytes", arrived, length);
    /* With GET a body has no meaning (RFC 9110, section 9.3.1). */
    if (request->method != HTTP_GET) {
        request->body = body;
        request->body_length = length;
    }
    return true;
}

/* -- the query ------------------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Resolves %XX and '+'. A '%' without two hexadecimal digits stays as it is. */
static struct slice decode(struct arena *arena, const char *bytes, size_t length)
{
    char *out = arena_copy(arena, bytes, length);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        int high, low;
        if (bytes[i] == '%' && length - i > 2 && (high = hex_digit(bytes[i + 1])) >= 0 &&
            (low = hex_digit(bytes[i + 2])) >= 0) {
            out[used++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[used++] = bytes[i] == '+' ? ' ' : bytes[i];
        }
    }
    out[used] = '\0';
    return (struct slice){out, used};
}

/* What is wrong with decoded text, or NULL. */
static const char *text_fault(struct slice text)
{
    if (memchr(text.bytes, '\0', text.length))
        return "holds a NUL character";
    return text_is_utf8(text.bytes, text.length) ? NULL : "is not valid UTF-8";
}

static bool read_query_parameter(struct http_request *request, const char *bytes, size_t length, struct error *err)
{
    const char *equals = memchr(bytes, '=', length);
    size_t name_length = equals ? (size_t)(equals - bytes) : length;
    struct slice name = decode(request->arena, bytes, name_length);
    struct slice value = {"", 0};
    if (equals)
        value = decode(request->arena, equals + 1, length - name_length - 1);

    const char *fault = text_fault(name);
    if (fault)
        return error_set(err, ERROR_BAD_REQUEST, "The name of query parameter %zu %s", request->query_count + 1, fault);
    fault = text_fault(value);
    if (fault)
        return error_field(err, ERROR_BAD_REQUEST, name.bytes, "Query parameter '%.*s' %s",
                           (int)text_cut(name.bytes, name.length, SHOWN_MAX), name.bytes, fault);
    request->query[request->query_count++] = (struct http_parameter){name.bytes, value.bytes};
    return true;
}

static bool read_query(struct http_request *request, struct error *err)
{
    const char *at = request->query_text;
    size_t pieces = 1;
    for (const char *c = at; *c; c++)
        pieces += *c == '&';
    request->query = arena_array(request->arena, pieces < PARAMETERS_MAX ? pieces : PARAMETERS_MAX, sizeof(*request->query));
    while (*at) {
        size_t length = strcspn(at, "&");
        if (length > 0) {
            if (request->query_count == PARAMETERS_MAX)
                return error_set(err, ERROR_BAD_REQUEST, "There are more than %d query parameters", PARAMETERS_MAX);
            if (!read_query_parameter(request, at, length, err))
                return false;
        }
        at += length;
        at += *at == '&';
    }
    return true;
}

bool http_request_read(struct http_request *request, struct arena *arena, const struct http_source *source,
                       struct error *err)
{
    *request = (struct http_request){.arena = arena, .body = ""};
    request->id = request_id(arena, source);
    const char *text = copy_parameter(arena, source, "REQUEST_METHOD");
    request->method_name = text ? text : "";
    read_method(request);
    text = copy_parameter(arena, source, "PATH_INFO");
    request->path = !text ? "/" : text[0] == '/' ? text : arena_printf(arena, "/%s", text);
    text = copy_parameter(arena, source, "QUERY_STRING");
    request->query_text = text ? text : "";
    read_headers(request, source);

    /* The body first: it must be off the connection before a refusal goes out. */
    if (!read_body(request, source, err) || !read_query(request, err))
        return false;
    if (request->remote_user) {
        size_t length = strlen(request->remote_user);
        if (!text_is_utf8(request->remote_user, length) || text_has_control(request->remote_user, length))
            return error_set(err, ERROR_BAD_REQUEST, "The user name is not valid UTF-8 or holds a control character");
        if (text_characters(request->remote_user, length) > REMOTE_USER_CHARACTERS_MAX)
            return error_set(err, ERROR_BAD_REQUEST, "The user name is longer than %d characters", REMOTE_USER_CHARACTERS_MAX);
    }
    return true;
}

const char *http_query(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (request->query[i].value[0] && strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    }
    return NULL;
}

const char **http_query_all(const struct http_request *request, const char *name)
{
    const char **values = arena_array(request->arena, request->query_count + 1, sizeof(*values));
    size_t count = 0;
    for (size_t i = 0; i < request->query_count; i++) {
        if (request->query[i].value[0] && strcmp(request->query[i].name, name) == 0)
            values[count++] = request->query[i].value;
    }
    return values;
}
