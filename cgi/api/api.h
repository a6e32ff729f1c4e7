/*
 * The HTTP API: the one face that main shows to the worker. Behind it: routes.c (the table of URLs), a file per
 * resource, and reply.c, the only place that makes an answer.
 */
#ifndef CGI_API_API_H
#define CGI_API_API_H

#include <stdbool.h>

#include "cgi/config.h"
#include "cgi/http/request.h"
#include "cgi/http/response.h"
#include "cgi/http/stats.h"
#include "common/error.h"

struct api;

/* Bytes of finished bodies that a worker keeps. */
#define API_CACHE_BYTES (64u * 1024 * 1024)

/*
 * Opens the database at PATH (see store_open) for answering. SOURCE is borrowed. Fails with a sentence for the log when the
 * database cannot be opened or no configuration was accepted yet.
 */
bool api_open(const char *database, const struct config_source *source, struct api **out, struct error *err);
void api_close(struct api *api);

/*
 * What a worker of a pool adds: the pool's counters, which every answer is counted in, and how its workers are, for /api/metrics.
 * Without it (a plain CGI) nothing is counted and /api/metrics says nothing of requests and workers.
 */
struct api_pool {
    struct stats *stats;
    void (*workers)(struct stats_workers *out);
};
void api_join_pool(struct api *api, const struct api_pool *pool);

/* Answers one request: routes it, and settles RESPONSE whatever happens. A worker_answer_fn. */
void api_answer(void *api, struct http_request *request, const struct error *read_error, struct http_response *response);

/*
 * What the master's child does at the start and on HUP: makes or migrates the database, reads the file and accepts it.
 * LOG says what changed, in one line. False, and nothing changed, when the file is wrong.
 */
bool api_configure(const char *database, const struct config_source *source, struct error *err);

#endif
