#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "nginx/listen.h"

#include "common/banned.h"

#define BACKLOG 1024

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_storage room;
};

/* Fills in everything about the address that FD is bound to. */
static bool describe(struct listen *out, struct error *err)
{
    union address at = {.room = {0}};
    char host[64], port[16];

    out->bound_size = sizeof(at);
    if (getsockname(out->fd, &at.any, &out->bound_size) < 0)
        return error_set(err, ERROR_INTERNAL, "cannot read the address that was bound: %s", strerror(errno));
    int problem = getnameinfo(&at.any, out->bound_size, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    if (problem)
        return error_set(err, ERROR_INTERNAL, "cannot write the address that was bound: %s", gai_strerror(problem));
    out->bound = at.room;
    if (at.any.sa_family == AF_INET6) {
        out->port = ntohs(at.six.sin6_port);
        out->loopback = IN6_IS_ADDR_LOOPBACK(&at.six.sin6_addr);
        out->wildcard = out->dual_stack = IN6_IS_ADDR_UNSPECIFIED(&at.six.sin6_addr);
        snprintf(out->host, sizeof(out->host), "[%s]", host);
    } else {
        out->port = ntohs(at.four.sin_port);
        out->loopback = ntohl(at.four.sin_addr.s_addr) >> 24 == 127;
        out->wildcard = at.four.sin_addr.s_addr == htonl(INADDR_ANY);
        snprintf(out->host, sizeof(out->host), "%s", host);
    }
    snprintf(out->address, sizeof(out->address), "%s:%s", out->host, port);
    return true;
}

static int bind_one(const struct addrinfo *info)
{
    const int on = 1;
    const struct sockaddr_in6 *six = info->ai_family == AF_INET6 ? (const void *)info->ai_addr : NULL;
    int only_six = six && !IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (!six || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, sizeof(only_six)) == 0) &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool bind_refused(const char *host, uint16_t port, int reason, struct error *err)
{
    switch (reason) {
    case EADDRINUSE:
        return error_set(err, ERROR_CONFLICT, "port %u on %s is already in use; choose another with --port", port, host);
    case EACCES:
        return error_set(err, ERROR_FORBIDDEN, "you may not take port %u on %s; choose one above 1023 with --port", port, host);
    case EADDRNOTAVAIL:
        return error_set(err, ERROR_BAD_REQUEST, "%s is not an address of this machine (--host)", host);
    default:
        return error_set(err, ERROR_INTERNAL, "cannot listen on port %u of %s: %s", port, host, strerror(reason));
    }
}

bool listen_bind(const char *host, uint16_t port, struct listen *out, struct error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    int reason = EADDRNOTAVAIL;

    *out = (struct listen){.fd = -1};
    /* nginx cannot be told the interface that such an address needs. */
    if (strchr(host, '%'))
        return error_set(err, ERROR_BAD_REQUEST, "link-local addresses such as %s cannot be used (--host)", host);
    snprintf(service, sizeof(service), "%u", port);
    int problem = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (problem)
        return error_set(err, ERROR_BAD_REQUEST, "--host %s is no address: %s", host, gai_strerror(problem));
    for (const struct addrinfo *info = found; info && out->fd < 0; info = info->ai_next) {
        out->fd = bind_one(info);
        if (out->fd < 0 && reason != EADDRINUSE)
            reason = errno;
    }
    freeaddrinfo(found);
    if (out->fd < 0)
        return bind_refused(host, port, reason, err);
    if (!describe(out, err)) {
        close(out->fd);
        out->fd = -1;
        return false;
    }
    return true;
}

int listen_unix(int folder, const char *name, struct error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* A socket's path may have 107 bytes; through the descriptor the folder's own length does not count. */
    int length = snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%s", folder, name);
    if (fd >= 0 && length > 0 && (size_t)length < sizeof(at.sun_path)) {
        mode_t mask = umask(0177);
        bool bound = bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
        umask(mask);
        if (bound && listen(fd, BACKLOG) == 0)
            return fd;
    }
    error_set(err, ERROR_INTERNAL, "cannot make the socket %s between nginx and the pool: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* True when FD is ready before DEADLINE_MS and nothing interrupts. */
static bool wait_ready(int fd, short events, int interrupt, int64_t deadline_ms)
{
    struct pollfd watched[2] = {{.fd = fd, .events = events}, {.fd = interrupt, .events = POLLIN}};
    int64_t left = deadline_ms - clock_ms();

    return left > 0 && poll(watched, 2, (int)left) > 0 && !watched[1].revents && watched[0].revents;
}

/* A wildcard is bound everywhere; connecting goes to the loopback address of its family. */
static union address reachable(const struct listen *listen)
{
    union address at = {.room = listen->bound};

    if (listen->wildcard && at.any.sa_family == AF_INET6)
        at.six.sin6_addr = in6addr_loopback;
    else if (listen->wildcard)
        at.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

void listen_ask(const struct listen *listen, const char *path, int interrupt, int timeout_ms, int *out_status)
{
    union address at = reachable(listen);
    int64_t deadline = clock_ms() + timeout_ms;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char request[256], answer[64];
    size_t have = 0;

    *out_status = 0;
    if (fd < 0)
        return;
    int length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, listen->address);
    if ((connect(fd, &at.any, listen->bound_size) < 0 && errno != EINPROGRESS) ||
        !wait_ready(fd, POLLOUT, interrupt, deadline) || send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        goto out;
    /* "HTTP/1.1 200 …": the first line is enough. */
    while (have < 12 && wait_ready(fd, POLLIN, interrupt, deadline)) {
        ssize_t n = recv(fd, answer + have, sizeof(answer) - 1 - have, 0);
        if (n <= 0)
            goto out;
        have += (size_t)n;
    }
    answer[have] = '\0';
    if (have >= 12 && sscanf(answer, "HTTP/1.%*1d %3d", out_status) != 1)
        *out_status = 0;
out:
    close(fd);
}
