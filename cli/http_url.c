#include "cli/http_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "common/banned.h"

char *http_copy(const char *text)
{
    char *twin = strdup(text);

    if (!twin)
        abort();
    return twin;
}

/* Takes one part of URL out of it. NULL when it is not there. */
static char *take_part(CURLU *url, CURLUPart part)
{
    char *text = NULL, *taken = NULL;

    if (curl_url_get(url, part, &text, CURLU_URLDECODE) == CURLUE_OK)
        taken = http_copy(text);
    curl_free(text);
    curl_url_set(url, part, NULL, 0);
    return taken;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(url, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return there;
}

bool http_url_read(struct http_url *out, const char *text, struct error *err)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *whole = NULL;
    bool done = false;
    CURLUcode code;

    if (!url)
        abort();
    code = curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK) {
        error_set(err, ERROR_BAD_REQUEST, "this is no URL (%s); it looks like http://host/procplan",
                  curl_url_strerror(code));
        goto out;
    }
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        error_set(err, ERROR_BAD_REQUEST, "the URL begins with neither http:// nor https://");
        goto out;
    }
    if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT)) {
        error_set(err, ERROR_BAD_REQUEST,
                  "the URL has a '?' or '#' in it; give the address where the planner is, as in http://host/procplan");
        goto out;
    }
    out->user = take_part(url, CURLUPART_USER);
    out->password = take_part(url, CURLUPART_PASSWORD);
    if (curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK) {
        error_set(err, ERROR_BAD_REQUEST, "this is no URL; it looks like http://host/procplan");
        goto out;
    }
    size_t length = strlen(whole);
    while (length > 0 && whole[length - 1] == '/')
        length--;
    out->base = calloc(length + 2, 1);
    if (!out->base)
        abort();
    memcpy(out->base, whole, length);
    out->base[length] = '/';
    done = true;
out:
    curl_free(scheme);
    curl_free(whole);
    curl_url_cleanup(url);
    return done;
}

void http_url_release(struct http_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    free(url->base);
    free(url->user);
    free(url->password);
    *url = (struct http_url){0};
}

struct origin {
    char *scheme, *host, *port;
};

static void origin_release(struct origin *origin)
{
    curl_free(origin->scheme);
    curl_free(origin->host);
    curl_free(origin->port);
}

static bool origin_read(struct origin *origin, const char *text)
{
    CURLU *url = curl_url();
    bool done = false;

    *origin = (struct origin){0};
    if (!url)
        abort();
    done = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_SCHEME, &origin->scheme, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_HOST, &origin->host, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_PORT, &origin->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    curl_url_cleanup(url);
    return done;
}

enum http_hop http_url_hop(const char *from, const char *to)
{
    struct origin a = {0}, b = {0};
    enum http_hop hop = HTTP_HOP_REFUSED;

    if (!origin_read(&a, from) || !origin_read(&b, to) || (strcmp(b.scheme, "http") != 0 && strcmp(b.scheme, "https") != 0))
        goto out;
    bool was_tls = strcmp(a.scheme, "https") == 0, is_tls = strcmp(b.scheme, "https") == 0;
    if (was_tls && !is_tls)
        goto out;
    bool upgrade = !was_tls && is_tls && strcmp(a.port, "80") == 0 && strcmp(b.port, "443") == 0;
    bool same = strcasecmp(a.host, b.host) == 0 && (upgrade || (was_tls == is_tls && strcmp(a.port, b.port) == 0));
    hop = same ? HTTP_HOP_SAME : HTTP_HOP_OTHER;
out:
    origin_release(&a);
    origin_release(&b);
    return hop;
}

void http_url_hide(char **url_text)
{
    CURLU *url = curl_url();
    char *text = NULL;

    if (!url)
        abort();
    if (curl_url_set(url, CURLUPART_URL, *url_text, 0) == CURLUE_OK) {
        curl_url_set(url, CURLUPART_USER, NULL, 0);
        curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
        if (curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
            free(*url_text);
            *url_text = http_copy(text);
        }
    }
    curl_free(text);
    curl_url_cleanup(url);
}
