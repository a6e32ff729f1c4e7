/*
 * One worker: accepts FastCGI requests until told to stop, one at a time. The only part that knows libfcgi.
 */
#ifndef CGI_WORKER_H
#define CGI_WORKER_H

#include <signal.h>

#include "cgi/http/request.h"
#include "cgi/http/response.h"
#include "cgi/scoreboard.h"

/* Answers one request. REQUEST is whole; what was wrong with reading it stands in READ_ERROR (code ERROR_NONE when fine). */
typedef void (*worker_answer_fn)(void *context, struct http_request *request, const struct error *read_error,
                                 struct http_response *response);

/*
 * The accept loop. TERM, INT, QUIT and USR1 must be blocked and have a handler (which sets *STOP) when it is called: they are
 * let in only while waiting for a connection, so no answer is cut. When *STOP is set, what already waits in the
 * listen queue is still answered, until the scoreboard's last call. Returns the exit status: 0, or 1 when the socket is of no use.
 */
int worker_run(int listen_fd, struct worker_slot *slot, const volatile sig_atomic_t *stop, worker_answer_fn answer,
               void *context);

/* Answers the one request of a plain CGI from the environment and stdin, to stdout. Returns the exit status. */
int worker_run_cgi(worker_answer_fn answer, void *context);

#endif
