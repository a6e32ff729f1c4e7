/* Entity tags (RFC 9110, section 8.8.3). */
#ifndef CGI_HTTP_ETAG_H
#define CGI_HTTP_ETAG_H

#include <stdbool.h>

/*
 * Whether an If-None-Match header names ETAG ("…", quotes included): "*", or a list in which one entry is equal by weak
 * comparison: a proxy that compresses turns "x" into W/"x". NULL and malformed headers match nothing.
 */
bool etag_matches(const char *if_none_match, const char *etag);

#endif
