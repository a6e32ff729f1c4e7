/*
 * The addresses behind http.h: what people type, and where redirects lead. For cli/http.c alone.
 */
#ifndef CLI_HTTP_URL_H
#define CLI_HTTP_URL_H

#include <stdbool.h>

#include "common/error.h"

struct http_url {
    char *base;            /* ends with a slash, holds no credentials */
    char *user, *password; /* decoded; NULL when the URL has none */
};

/* Reads a base URL as http.h says. The sentence in ERR never quotes TEXT, in which there may be a password. Release OUT in
 * either case. */
bool http_url_read(struct http_url *out, const char *text, struct error *err) __attribute__((warn_unused_result));
/* Overwrites the password before it gives the memory back. */
void http_url_release(struct http_url *url);

enum http_hop {
    HTTP_HOP_SAME,    /* the same origin (RFC 6454), or the same host's https on 443 instead of its http on 80 */
    HTTP_HOP_OTHER,   /* somebody else's */
    HTTP_HOP_REFUSED, /* from https to http, or no HTTP at all */
};
/* What a redirect from FROM to TO means. */
enum http_hop http_url_hop(const char *from, const char *to);
/* Takes user and password out of *URL, which may be replaced. */
void http_url_hide(char **url);
/* strdup that aborts when memory is gone. */
char *http_copy(const char *text);

#endif
