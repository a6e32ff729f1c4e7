#include "cgi/http/router.h"

#include <stdbool.h>
#include <string.h>

#include "common/banned.h"

/* Whether PATH fits PATTERN; *OUT_REST is then what the pattern's '*' stands for, or NULL when it has none. */
static bool path_matches(const char *pattern, const char *path, const char **out_rest)
{
    size_t length = strlen(pattern);
    *out_rest = NULL;
    if (length < 2 || strcmp(pattern + length - 2, "/*") != 0)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, length - 1) != 0)
        return false;
    *out_rest = path + length - 1;
    return true;
}

static void list_methods(unsigned methods, char allow[64])
{
    static const struct {
        enum http_method method;
        const char *text;
    } names[] = {
        {HTTP_GET, "GET, HEAD"}, {HTTP_POST, "POST"},     {HTTP_PUT, "PUT"},
        {HTTP_PATCH, "PATCH"},   {HTTP_DELETE, "DELETE"}, {HTTP_OPTIONS, "OPTIONS"},
    };
    size_t used = 0; /* all of them together are 46 bytes */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(methods & (unsigned)names[i].method))
            continue;
        if (used) {
            memcpy(allow + used, ", ", 2);
            used += 2;
        }
        size_t length = strlen(names[i].text);
        memcpy(allow + used, names[i].text, length);
        used += length;
    }
    allow[used] = '\0';
}

enum route_result route_find(const void *patterns, size_t count, size_t stride, struct http_request *request,
                             size_t *out_index, char allow[64])
{
    unsigned methods = 0;
    allow[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const struct route_pattern *pattern = (const void *)((const char *)patterns + i * stride);
        const char *rest;
        if (!path_matches(pattern->path, request->path, &rest))
            continue;
        if (pattern->method != request->method) {
            methods |= (unsigned)pattern->method;
            continue;
        }
        *out_index = i;
        request->route_rest = NULL;
        if (rest) {
            size_t length = strlen(rest);
            if (length > 0 && rest[length - 1] == '/')
                length--;
            request->route_rest = arena_copy(request->arena, rest, length);
        }
        return ROUTE_FOUND;
    }
    list_methods(methods, allow);
    return methods ? ROUTE_OTHER_METHOD : ROUTE_UNKNOWN;
}
