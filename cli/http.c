#include "cli/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "cli/http_url.h"
#include "common/clock.h"
#include "common/text.h"

#include "common/banned.h"

#define REDIRECTS_MAX 5
#define HEADERS_MAX (256 * 1024)
#define KEY_LENGTH_MAX 128
#define TRIES_MAX 3
#define NAME_CHARACTERS_MAX 64
#define NAME_BYTES_MAX 512

struct http {
    CURL *curl;
    struct http_url url;
    char *agent, *claimed;    /* claimed: "Procplan-User: …", or NULL */
    double timeout;
    const volatile sig_atomic_t *stop;
    char reason[CURL_ERROR_SIZE];
};

/* What curl's callbacks write into. */
struct transfer {
    struct http *http;
    struct http_answer *answer;
    size_t header_bytes;
    bool too_large;
};

/* -- opening ---------------------------------------------------------------------------------------------------- */

/* libcurl checks neither; a line break would begin a header of its own. */
static bool fits_header(const char *text, size_t length_max)
{
    return *text && strlen(text) <= length_max && text_is_utf8(text, strlen(text)) && !text_has_control(text, strlen(text));
}

/* What the planner takes; of another name it would keep nothing, and say nothing of that. */
static bool fits_user(const char *name)
{
    struct slice trimmed = text_trim(name, strlen(name));

    return trimmed.length > 0 && fits_header(name, NAME_BYTES_MAX) &&
           text_characters(trimmed.bytes, trimmed.length) <= NAME_CHARACTERS_MAX;
}

static int interrupted(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct http *http = context;

    (void)a, (void)b, (void)c, (void)d;
    return http->stop && *http->stop;
}

/* curl(1) reads these, libcurl does not. */
static void set_certificates(CURL *curl)
{
    const char *file = getenv("CURL_CA_BUNDLE"), *folder = getenv("SSL_CERT_DIR");

    if (!file || !*file)
        file = getenv("SSL_CERT_FILE");
    if (file && *file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context);
static size_t receive_header(char *bytes, size_t size, size_t count, void *context);

static void set_options(struct http *http)
{
    CURL *curl = http->curl;

#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->reason);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, http->agent);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* whatever libcurl can unpack */
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(HTTP_CONNECT_TIMEOUT * 1000));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive_header);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, interrupted);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    set_certificates(curl);
}

bool http_open(struct http **out, const struct http_settings *settings, struct error *err)
{
    struct http *http;
    struct buffer text = BUFFER_INIT;

    *out = NULL;
    if (settings->user && !fits_user(settings->user))
        return error_set(err, ERROR_BAD_REQUEST, "a user's name is 1 to %d characters without control characters; give another one with --user",
                         NAME_CHARACTERS_MAX);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, ERROR_INTERNAL, "libcurl cannot be started");
    http = calloc(1, sizeof *http);
    if (!http || !(http->curl = curl_easy_init()))
        abort();
    http->timeout = settings->timeout > 0 ? settings->timeout : HTTP_TIMEOUT_DEFAULT;
    if (!http_url_read(&http->url, settings->url, err)) {
        http_close(http);
        return false;
    }
    buffer_printf(&text, "%s/" PACKAGE_VERSION, settings->program);
    http->agent = http_copy(text.data);
    if (settings->user) {
        buffer_clear(&text);
        buffer_printf(&text, "Procplan-User: %s", settings->user);
        http->claimed = http_copy(text.data);
    }
    buffer_release(&text);
    set_options(http);
    *out = http;
    return true;
}

void http_close(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    http_url_release(&http->url);
    free(http->agent);
    free(http->claimed);
    free(http);
    curl_global_cleanup();
}

const char *http_base(const struct http *http)
{
    return http->url.base;
}

void http_set_stop(struct http *http, const volatile sig_atomic_t *stop)
{
    http->stop = stop;
}

void http_set_timeout(struct http *http, double seconds)
{
    http->timeout = seconds;
}

/* -- what comes -------------------------------------------------------------------------------------------------- */

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;

    if (transfer->answer->body.length + length > HTTP_ANSWER_MAX) {
        transfer->too_large = true;
        return 0; /* curl ends the transfer */
    }
    buffer_append(&transfer->answer->body, bytes, length);
    return length;
}

/* Keeps the value of a header; one that is too long is as good as none. */
static void keep_header(const char *line, size_t length, const char *name, char *out, size_t size)
{
    size_t named = strlen(name);
    struct slice value;

    if (length < named || strncasecmp(line, name, named) != 0)
        return;
    value = text_trim(line + named, length - named);
    if (value.length >= size || text_has_control(value.bytes, value.length) || !text_is_utf8(value.bytes, value.length))
        value.length = 0;
    memcpy(out, value.bytes, value.length);
    out[value.length] = '\0';
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct http_answer *answer = transfer->answer;
    size_t length = size * count;

    transfer->header_bytes += length;
    if (transfer->header_bytes > HEADERS_MAX) {
        transfer->too_large = true;
        return 0;
    }
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0) /* after a 100, or a proxy's answer to CONNECT */
        answer->etag[0] = answer->content_type[0] = '\0';
    keep_header(bytes, length, "ETag:", answer->etag, sizeof answer->etag);
    keep_header(bytes, length, "Content-Type:", answer->content_type, sizeof answer->content_type);
    return length;
}

static void answer_clear(struct http_answer *answer)
{
    answer->status = answer->retry_after = 0;
    buffer_clear(&answer->body);
    buffer_append(&answer->body, "", 0); /* never NULL */
    answer->etag[0] = answer->content_type[0] = '\0';
}

void http_answer_release(struct http_answer *answer)
{
    buffer_release(&answer->body);
    *answer = (struct http_answer)HTTP_ANSWER_INIT;
}

/* A text that came from elsewhere, made fit for a message. */
static const char *shown(const char *text, char *out, size_t size)
{
    text_escape(text, strlen(text), out, size);
    return out;
}

/* -- one exchange ------------------------------------------------------------------------------------------------- */

static bool refuse_exchange(struct http *http, const char *url, CURLcode code, const struct transfer *transfer,
                            struct error *err)
{
    char at[300], reason[CURL_ERROR_SIZE * 2];
    long number = 0;

    shown(url, at, sizeof at);
    shown(http->reason[0] ? http->reason : curl_easy_strerror(code), reason, sizeof reason);
    if (transfer->too_large)
        return error_set(err, ERROR_UNAVAILABLE, "%s sent more than %d MB; ask for a shorter window or fewer nodes", at,
                         HTTP_ANSWER_MAX >> 20);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_set(err, ERROR_UNAVAILABLE, "cannot reach %s: nobody knows its host name; check the address",
                         http->url.base);
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &number);
        return error_set(err, ERROR_UNAVAILABLE, "cannot reach %s: %s; check the address, and that ProcPlan runs there",
                         http->url.base, number ? strerror((int)number) : reason);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, ERROR_UNAVAILABLE, "no answer from %s in %g seconds; try again, or wait longer with --timeout",
                         http->url.base, http->timeout);
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(
            err, ERROR_UNAVAILABLE,
            "the certificate of %s is not trusted: %s; if its authority is your own, name its file in SSL_CERT_FILE", at,
            reason);
    case CURLE_ABORTED_BY_CALLBACK:
        return error_set(err, ERROR_UNAVAILABLE, "interrupted");
    default:
        return error_set(err, ERROR_UNAVAILABLE, "cannot talk to %s: %s; check that this is a planner's address, and try again", at,
                         reason);
    }
}

static struct curl_slist *headers_of(const struct http *http, const struct http_request *request)
{
    struct curl_slist *headers = NULL;
    struct buffer line = BUFFER_INIT;
    const struct {
        const char *name, *value;
    } wanted[] = {
        {"Idempotency-Key", request->idempotency_key},
        {"If-None-Match", request->if_none_match},
        {"Content-Type", request->body ? "application/json" : NULL},
    };

    headers = curl_slist_append(headers, "Accept: application/json, */*;q=0.5");
    headers = curl_slist_append(headers, "Expect:"); /* a body of a few bytes need not wait for a 100 */
    if (http->claimed)
        headers = curl_slist_append(headers, http->claimed);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!wanted[i].value)
            continue;
        buffer_clear(&line);
        buffer_printf(&line, "%s: %s", wanted[i].name, wanted[i].value);
        headers = curl_slist_append(headers, line.data);
    }
    buffer_release(&line);
    if (!headers)
        abort();
    return headers;
}

static void set_method(CURL *curl, const struct http_request *request)
{
    bool get = strcmp(request->method, "GET") == 0;

    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (get)
        return;
    if (request->body || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->body_length : 0));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* One request and its answer, redirects not followed. LEFT: the seconds that it may take. */
static bool exchange(struct http *http, const char *url, const struct http_request *request, bool trusted, double left,
                     struct http_answer *answer, CURLcode *code, struct error *err)
{
    struct transfer transfer = {.http = http, .answer = answer};
    struct curl_slist *headers = headers_of(http, request);
    CURL *curl = http->curl;
    curl_off_t wait = 0;
    long status = 0;

    answer_clear(answer);
    http->reason[0] = '\0';
    set_method(curl, request);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERNAME, trusted ? http->url.user : NULL);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, trusted ? http->url.password : NULL);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(left * 1000) > 0 ? (long)(left * 1000) : 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    *code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (*code != CURLE_OK) {
        refuse_exchange(http, url, *code, &transfer, err);
        answer_clear(answer);
        return false;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
    answer->retry_after = wait <= 0 ? 0 : wait > HTTP_RETRY_AFTER_MAX ? HTTP_RETRY_AFTER_MAX : (int)wait;
    return true;
}

/* Where an answer sends us on to, or NULL. The caller frees it. */
static char *redirect_of(struct http *http, const struct http_answer *answer)
{
    char *target = NULL;

    if (answer->status < 301 || answer->status > 308 || (answer->status > 303 && answer->status < 307))
        return NULL;
    curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &target);
    return target ? http_copy(target) : NULL;
}

/* Whether REQUEST may go on to TARGET; *TRUSTED turns false for good when that is another's. */
static bool may_follow(const struct http_request *request, int status, const char *url, const char *target, bool *trusted,
                       struct error *err)
{
    enum http_hop hop = http_url_hop(url, target);
    char from[256], to[256];

    shown(url, from, sizeof from);
    shown(target, to, sizeof to);
    if (hop == HTTP_HOP_REFUSED)
        return error_set(err, ERROR_UNAVAILABLE, "%s sends us on to %s, which is not safe to follow", from, to);
    if (status == 303 && strcmp(request->method, "GET") != 0)
        return error_set(err, ERROR_UNAVAILABLE,
                         "%s answered a write with a redirect (303) to %s: most likely a login page; check the address",
                         from, to);
    if (hop == HTTP_HOP_OTHER && request->secret)
        return error_set(err, ERROR_UNAVAILABLE,
                         "%s sends us on to another host, %s; the request holds a secret and stays here", from, to);
    if (hop == HTTP_HOP_OTHER)
        *trusted = false;
    return true;
}

/* One request with its redirects. */
static bool send_once(struct http *http, const struct http_request *request, struct http_answer *answer, CURLcode *code,
                      struct error *err)
{
    struct buffer first = BUFFER_INIT;
    double deadline = clock_seconds() + http->timeout;
    bool trusted = true, done = false;
    char *url, *next = NULL;

    *code = CURLE_OK;
    buffer_printf(&first, "%s%s", http->url.base, request->path);
    url = http_copy(first.data);
    buffer_release(&first);
    for (int hops = 0;; hops++) {
        done = exchange(http, url, request, trusted, deadline - clock_seconds(), answer, code, err);
        if (!done || !(next = redirect_of(http, answer)))
            break;
        http_url_hide(&next);
        done = hops < REDIRECTS_MAX
                   ? may_follow(request, answer->status, url, next, &trusted, err)
                   : error_set(err, ERROR_UNAVAILABLE, "%s sends us round in circles: more than %d redirects",
                               http->url.base, REDIRECTS_MAX);
        if (!done) {
            answer_clear(answer);
            break;
        }
        free(url);
        url = next;
        next = NULL;
    }
    free(next);
    free(url);
    return done;
}

/* The request may have been carried out, and nobody told us: as good as not for who asks. */
static bool was_lost(bool answered, int status, CURLcode code)
{
    if (answered)
        return status >= 502 && status <= 504;
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE ||
           code == CURLE_OPERATION_TIMEDOUT || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
           code == CURLE_WEIRD_SERVER_REPLY;
}

bool http_send(struct http *http, const struct http_request *request, struct http_answer *answer, struct error *err)
{
    CURLcode code;
    bool answered;

    answer_clear(answer);
    if (request->idempotency_key &&
        (!fits_header(request->idempotency_key, KEY_LENGTH_MAX) || strpbrk(request->idempotency_key, " ")))
        return error_set(err, ERROR_BAD_REQUEST, "a key is 1 to %d visible characters", KEY_LENGTH_MAX);
    for (int tries = 1;; tries++) {
        answered = send_once(http, request, answer, &code, err);
        if (!request->idempotency_key || tries == TRIES_MAX || !was_lost(answered, answer->status, code) ||
            (http->stop && *http->stop))
            return answered;
        clock_sleep(tries - 0.5);
        error_clear(err);
    }
}
