/*
 * A load generator: N keep-alive connections to 127.0.0.1, one request at a time on each, in one thread. For a bounded time.
 *
 *   load PORT CONNECTIONS SECONDS FIRST STATUS TEMPLATE
 *
 * TEMPLATE is a file: a request line, header lines, an empty line and perhaps a body, with plain line feeds. The lengths
 * and Host are added here. In it {n:DIV:MOD:ADD} is (i / DIV) % MOD + ADD where i counts the requests from FIRST on;
 * {h:DIV:MOD:ADD} is the same as a timestamp, in hours since 1970. So each request can ask for something else.
 * An answer with another status than STATUS is counted as wrong; one that is no HTTP/1.1 with a Content-Length ends it all.
 *
 * Prints one line of JSON: {"requests","per_second","p50_us","p99_us","bytes","wrong"}.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/hour.h"
#include "tests/bench/latency.h"

#include "common/banned.h"

#define CONNECTIONS_MAX 256
#define READ_SIZE (256 * 1024)
#define HEAD_MAX (16 * 1024)

struct load {
    int port, poll;
    long connections, status;
    double seconds;
    uint64_t next; /* the number of the next request */
    struct buffer head, body; /* of the template; the head without the empty line */
    struct latency latency;
    uint64_t bytes, wrong;
    int64_t until;
};

struct connection {
    int fd;
    struct buffer out; /* the request */
    size_t sent;
    struct buffer head; /* of the answer, until its end is seen */
    bool in_body, closing;
    uint64_t body_left;
    int64_t begun;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s%s%s\n", what, errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
    exit(EXIT_FAILURE);
}

/* -- the template ----------------------------------------------------------------------------------------------- */

static void template_read(const char *path, struct load *load)
{
    struct buffer text = BUFFER_INIT;
    FILE *file = fopen(path, "rb");
    size_t n;

    if (file == NULL)
        fail(path);
    do {
        buffer_reserve(&text, 4096);
        n = fread(text.data + text.length, 1, 4096, file);
        text.length += n;
        text.data[text.length] = '\0';
    } while (n > 0);
    fclose(file);
    const char *blank = strstr(text.data, "\n\n");
    if (blank == NULL)
        fail("the template has no empty line");
    for (const char *p = text.data; p <= blank; p++) {
        if (*p == '\n')
            buffer_append_char(&load->head, '\r');
        buffer_append_char(&load->head, *p);
    }
    buffer_append_text(&load->body, blank + 2);
    buffer_release(&text);
}

/* Appends TEXT with its {…} filled in for request I. */
static void template_fill(const char *text, uint64_t i, struct buffer *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        char kind;
        unsigned long long divisor, modulus;
        long long add;
        int length = 0;

        if (*p != '{' || sscanf(p, "{%c:%llu:%llu:%lld}%n", &kind, &divisor, &modulus, &add, &length) != 4 ||
            length == 0 || divisor == 0 || modulus == 0) {
            buffer_append_char(out, *p);
            continue;
        }
        long long value = (long long)(i / divisor % modulus) + add;
        char stamp[HOUR_TEXT_SIZE];
        if (kind == 'h') {
            hour_format((hour_t)value, stamp);
            stamp[sizeof("2026-11-23T14:00:00") - 1] = '\0'; /* a '+' in a query would want encoding */
            buffer_append_text(out, stamp);
        } else {
            buffer_printf(out, "%lld", value);
        }
        p += length - 1;
    }
}

static void request_prepare(struct load *load, struct connection *c)
{
    static struct buffer body = BUFFER_INIT;
    uint64_t i = load->next++;

    buffer_clear(&c->out);
    buffer_clear(&body);
    template_fill(load->head.data, i, &c->out);
    buffer_printf(&c->out, "Host: 127.0.0.1:%d\r\n", load->port);
    if (load->body.length > 0) {
        template_fill(load->body.data, i, &body);
        buffer_printf(&c->out, "Content-Length: %zu\r\n", body.length);
    }
    buffer_append_text(&c->out, "\r\n");
    buffer_append(&c->out, body.data, body.length);
    c->sent = 0;
    c->in_body = false;
    buffer_clear(&c->head);
    c->begun = now_ns();
}

/* -- connections ------------------------------------------------------------------------------------------------ */

static void connection_send(struct connection *c)
{
    while (c->sent < c->out.length) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.length - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return; /* requests are small: the next event comes with the answer or with room */
        if (n < 0)
            fail("send");
        c->sent += (size_t)n;
    }
}

static void connection_open(struct load *load, struct connection *c)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)load->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("connect");
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 || epoll_ctl(load->poll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        fail("a socket");
}

/* Reads the head once it is whole. Returns the bytes of BYTES that belong to it. */
static size_t head_take(struct load *load, struct connection *c, const char *bytes, size_t length)
{
    size_t before = c->head.length;
    long status;

    buffer_append(&c->head, bytes, length);
    char *end = strstr(c->head.data, "\r\n\r\n");
    if (end == NULL) {
        if (c->head.length > HEAD_MAX)
            fail("an answer's head does not end");
        return length;
    }
    errno = 0;
    if (strncmp(c->head.data, "HTTP/1.1 ", 9) != 0)
        fail("an answer is not HTTP/1.1");
    status = strtol(c->head.data + 9, NULL, 10);
    if (status != load->status)
        load->wrong++;
    end[2] = '\0';
    char *field = strcasestr(c->head.data, "\r\nContent-Length:");
    if (field == NULL && status != 304)
        fail("an answer has no Content-Length");
    c->closing = strcasestr(c->head.data, "\r\nConnection: close\r\n") != NULL;
    c->body_left = field == NULL ? 0 : strtoull(field + strlen("\r\nContent-Length:"), NULL, 10);
    c->in_body = true;
    return (size_t)(end + 4 - c->head.data) - before;
}

/* Takes what has arrived. An answer that is whole is counted, and the next request is sent. */
static void connection_receive(struct load *load, struct connection *c)
{
    static char bytes[READ_SIZE];

    for (;;) {
        ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            errno = n == 0 ? 0 : errno;
            fail("the server closed a connection");
        }
        size_t used = 0, length = (size_t)n;
        load->bytes += length;
        if (!c->in_body)
            used = head_take(load, c, bytes, length);
        if (!c->in_body)
            continue;
        if (length - used > c->body_left)
            fail("an answer is longer than it said");
        c->body_left -= length - used;
        if (c->body_left > 0)
            continue;
        int64_t now = now_ns();
        latency_add(&load->latency, now - c->begun);
        if (now >= load->until)
            return;
        if (c->closing) { /* nginx ends a connection after its keepalive_requests */
            close(c->fd);
            connection_open(load, c);
        }
        request_prepare(load, c);
        connection_send(c);
    }
}

static void load_run(struct load *load)
{
    static struct connection connections[CONNECTIONS_MAX];
    struct epoll_event events[CONNECTIONS_MAX];

    load->poll = epoll_create1(EPOLL_CLOEXEC);
    if (load->poll < 0)
        fail("epoll_create1");
    for (long i = 0; i < load->connections; i++)
        connection_open(load, &connections[i]);
    int64_t begun = now_ns();
    load->until = begun + (int64_t)(load->seconds * 1e9);
    for (long i = 0; i < load->connections; i++) {
        request_prepare(load, &connections[i]);
        connection_send(&connections[i]);
    }
    while (now_ns() < load->until) {
        int count = epoll_wait(load->poll, events, CONNECTIONS_MAX, 100);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            connection_send(c);
            connection_receive(load, c);
        }
    }
    latency_print(&load->latency, now_ns() - begun, load->bytes, load->wrong);
}

int main(int argc, char **argv)
{
    struct load load = {0};

    if (argc == 7) {
        load.port = (int)strtol(argv[1], NULL, 10);
        load.connections = strtol(argv[2], NULL, 10);
        load.seconds = strtod(argv[3], NULL);
        load.next = strtoull(argv[4], NULL, 10);
        load.status = strtol(argv[5], NULL, 10);
    }
    if (load.port < 1 || load.port > 65535 || load.connections < 1 || load.connections > CONNECTIONS_MAX ||
        load.seconds <= 0 || load.seconds > 600) {
        fputs("usage: load PORT CONNECTIONS SECONDS FIRST STATUS TEMPLATE\n", stderr);
        return 2;
    }
    errno = 0;
    template_read(argv[6], &load);
    latency_init(&load.latency);
    load_run(&load);
    latency_release(&load.latency);
    buffer_release(&load.head);
    buffer_release(&load.body);
    return EXIT_SUCCESS;
}
