/*
 * The address the private nginx answers at. We bind it ourselves and hand the socket to nginx, so that a port in use is one clear
 * sentence, and so that port 0 (any free one) is known before anybody is told, without a race.
 */
#ifndef NGINX_LISTEN_H
#define NGINX_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/error.h"

struct listen {
    int fd; /* listening, non-blocking (nginx does not set that on a socket it is handed), close-on-exec */
    struct sockaddr_storage bound;
    socklen_t bound_size;
    uint16_t port;
    bool loopback, wildcard;
    bool dual_stack; /* the IPv6 wildcard, which takes IPv4 as well */
    char host[72];    /* as it stands in a URL: 127.0.0.1, [::1] */
    char address[96]; /* host:port */
};

/* HOST: a name or an IPv4 or IPv6 literal; PORT 0 takes a free one. */
bool listen_bind(const char *host, uint16_t port, struct listen *out, struct error *err)
    __attribute__((warn_unused_result));

/* The unix socket between nginx and the pool, made as NAME in the folder open as FOLDER, for its owner alone; -1 when it fails. */
int listen_unix(int folder, const char *name, struct error *err) __attribute__((warn_unused_result));

/*
 * One `GET PATH` to the bound address; *OUT_STATUS is the answer's status, 0 when there was none within TIMEOUT_MS. Gives up
 * early when INTERRUPT (a descriptor) becomes readable.
 */
void listen_ask(const struct listen *listen, const char *path, int interrupt, int timeout_ms, int *out_status);

#endif
