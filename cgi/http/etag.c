#include "cgi/http/etag.h"

#include <stddef.h>
#include <string.h>

#include "common/banned.h"

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* What may stand between the quotes: RFC 9110's etagc. */
static bool is_tag_character(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

/* The quoted tag at AT, a W/ in front of it passed over: *OUT is its opening quote, the result what follows; NULL when there is none. */
static const char *read_tag(const char *at, const char **out)
{
    if (at[0] == 'W' && at[1] == '/')
        at += 2;
    if (*at != '"')
        return NULL;
    *out = at++;
    while (is_tag_character((unsigned char)*at))
        at++;
    return *at == '"' ? at + 1 : NULL;
}

bool etag_matches(const char *if_none_match, const char *etag)
{
    const char *own, *own_end;
    if (!if_none_match || !etag || !(own_end = read_tag(etag, &own)) || *own_end != '\0')
        return false;
    size_t own_length = (size_t)(own_end - own);

    const char *at = skip_blanks(if_none_match);
    if (*at == '*')
        return *skip_blanks(at + 1) == '\0';
    bool found = false;
    while (*at != '\0') {
        if (*at == ',') { /* an empty element is allowed (section 5.6.1) */
            at = skip_blanks(at + 1);
            continue;
        }
        const char *tag;
        const char *end = read_tag(at, &tag);
        if (!end)
            return false;
        found = found || ((size_t)(end - tag) == own_length && memcmp(tag, own, own_length) == 0);
        at = skip_blanks(end);
        if (*at != ',' && *at != '\0')
            return false;
    }
    return found;
}
