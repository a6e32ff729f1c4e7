#include "cgi/worker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/log.h"

#include "common/banned.h"

/* What is used again for each request; nothing in it outlives one. */
struct exchange {
    struct arena arena;
    struct http_response response;
    struct buffer headers;
};

static void exchange_init(struct exchange *exchange)
{
    arena_init(&exchange->arena);
    http_response_init(&exchange->response);
    buffer_init(&exchange->headers);
}

static void exchange_release(struct exchange *exchange)
{
    arena_release(&exchange->arena);
    http_response_release(&exchange->response);
    buffer_release(&exchange->headers);
}

/* Where an answer goes. False when the peer is gone, which is its own affair. */
struct sink {
    void *context;
    bool (*write)(void *context, const char *bytes, size_t length);
};

static void handle(struct exchange *exchange, const struct http_source *source, const struct sink *sink,
                   worker_answer_fn answer, void *context)
{
    struct http_request request = {0};
    struct error read_error = ERROR_INIT;
    struct http_response *response = &exchange->response;

    if (http_request_read(&request, &exchange->arena, source, &read_error))
        error_clear(&read_error);
    answer(context, &request, &read_error, response);

    http_response_headers(response, &exchange->headers);
    if (sink->write(sink->context, exchange->headers.data, exchange->headers.length)) {
        const struct buffer *body = http_response_body(response);
        if (!request.head_only && response->status != 304 && response->status != 204 && body->length > 0)
            (void)sink->write(sink->context, body->data, body->length);
    }

    error_clear(&read_error);
    http_response_reset(response);
    buffer_clear(&exchange->headers);
    arena_reset(&exchange->arena);
}

/* -- FastCGI --------------------------------------------------------------------------------------------------- */

/*
 * Whom the web server let in; NULL when it says two things. nginx sends a parameter as often as its configuration sets it, and the
 * first that FCGX_GetParam would find comes from an included fastcgi_params: a name that anybody may write into a Basic header.
 */
static const char *fcgi_remote_user(FCGX_Request *fcgi)
{
    static const char prefix[] = "REMOTE_USER=";
    const char *found = NULL;

    for (char **at = fcgi->envp; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, prefix, sizeof prefix - 1) != 0)
            continue;
        if (found != NULL && strcmp(*at, found) != 0) {
            log_warning("the web server sends two different REMOTE_USER, so nobody is logged in; set it once, without fastcgi_params");
            return NULL;
        }
        found = *at;
    }
    return found == NULL ? NULL : found + sizeof prefix - 1;
}

static const char *fcgi_parameter(void *context, const char *name)
{
    FCGX_Request *fcgi = context;

    if (strcmp(name, "REMOTE_USER") == 0)
        return fcgi_remote_user(fcgi);
    return FCGX_GetParam(name, fcgi->envp);
}

static size_t fcgi_read(void *context, char *to, size_t size)
{
    FCGX_Request *fcgi = context;
    int got = FCGX_GetStr(to, size > INT_MAX ? INT_MAX : (int)size, fcgi->in);

    return got > 0 ? (size_t)got : 0;
}

static bool fcgi_write(void *context, const char *bytes, size_t length)
{
    FCGX_Request *fcgi = context;

    while (length > 0) {
        int part = length > INT_MAX ? INT_MAX : (int)length;
        if (FCGX_PutStr(bytes, part, fcgi->out) != part)
            return false;
        bytes += part;
        length -= (size_t)part;
    }
    return true;
}

/* A stop signal to a busy worker is seen this many requests later at the latest; the master's own word at once. */
#define SIGNAL_LOOK_EVERY 32

static bool pool_is_draining(void)
{
    const struct scoreboard *scoreboard = scoreboard_of_pool();

    return scoreboard != NULL && scoreboard->draining;
}

/*
 * Where a worker waits for connections: EPOLLEXCLUSIVE wakes one of those that wait, not all of them. With poll(2), a
 * request to sixteen idle workers costs twice the processor time. -1 and errno.
 */
static int open_waiting_room(int listen_fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, listen_fd, &event) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

/*
 * Waits for a connection with the stop signals let in. True when there may be one. epoll_pwait lets no signal in as long as
 * a connection is ready, and under load one always is; so now and then a call is made for the signals alone.
 */
static bool wait_for_peer(int waiting_room, const sigset_t *open, const volatile sig_atomic_t *stop, unsigned turn)
{
    static const struct timespec none = {0};
    struct epoll_event event;

    if (turn % SIGNAL_LOOK_EVERY == 0)
        (void)ppoll(NULL, 0, &none, open);
    return epoll_pwait(waiting_room, &event, 1, *stop || pool_is_draining() ? 0 : -1, open) > 0;
}

static bool is_last_call(void)
{
    const struct scoreboard *scoreboard = scoreboard_of_pool();

    return scoreboard != NULL && scoreboard->last_call;
}

int worker_run(int listen_fd, struct worker_slot *slot, const volatile sig_atomic_t *stop, worker_answer_fn answer,
               void *context)
{
    struct exchange exchange;
    FCGX_Request fcgi;
    struct http_source source = {&fcgi, fcgi_parameter, fcgi_read};
    struct sink sink = {&fcgi, fcgi_write};
    sigset_t open;
    int waiting_room = open_waiting_room(listen_fd);
    int status = EXIT_SUCCESS;

    if (waiting_room < 0) {
        log_error("cannot wait for connections: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgi, listen_fd, 0) != 0) {
        log_error("the FastCGI library does not start");
        close(waiting_room);
        return EXIT_FAILURE;
    }
    sigprocmask(SIG_BLOCK, NULL, &open);
    sigdelset(&open, SIGTERM);
    sigdelset(&open, SIGINT);
    sigdelset(&open, SIGQUIT);
    sigdelset(&open, SIGUSR1);
    exchange_init(&exchange);

    bool answered = false;
    for (unsigned turn = 0;; turn++) {
        /* Under load the next peer is there already: then asking for it is one system call less than waiting and asking. */
        bool try_at_once = answered && turn % SIGNAL_LOOK_EVERY != 0 && !*stop && !pool_is_draining();
        bool waits = try_at_once || wait_for_peer(waiting_room, &open, stop, turn);
        if ((*stop || pool_is_draining()) && (!waits || is_last_call()))
            break;
        if (!waits)
            continue;
        /* Before the accept: a peer that connects and then says nothing counts against the deadline, too. */
        worker_slot_busy(slot);
        int result = FCGX_Accept_r(&fcgi);
        answered = result == 0;
        if (answered) {
            handle(&exchange, &source, &sink, answer, context);
            FCGX_Finish_r(&fcgi);
            slot->served++;
        }
        if (!worker_slot_idle(slot))
            break;
        /* EAGAIN: another worker took it, or what was there was no request. */
        if (result != 0 && result != -EAGAIN && result != -EINTR) {
            log_error("cannot accept a connection: %s", strerror(-result));
            status = EXIT_FAILURE;
            break;
        }
    }

    FCGX_Free(&fcgi, 1);
    close(waiting_room);
    exchange_release(&exchange);
    return status;
}

/* -- plain CGI ------------------------------------------------------------------------------------------------- */

static const char *cgi_parameter(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static size_t cgi_read(void *context, char *to, size_t size)
{
    ssize_t got;

    (void)context;
    do
        got = read(STDIN_FILENO, to, size);
    while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static bool cgi_write(void *context, const char *bytes, size_t length)
{
    (void)context;
    while (length > 0) {
        ssize_t put = write(STDOUT_FILENO, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

int worker_run_cgi(worker_answer_fn answer, void *context)
{
    struct exchange exchange;
    struct http_source source = {NULL, cgi_parameter, cgi_read};
    struct sink sink = {NULL, cgi_write};

    exchange_init(&exchange);
    handle(&exchange, &source, &sink, answer, context);
    exchange_release(&exchange);
    return EXIT_SUCCESS;
}
