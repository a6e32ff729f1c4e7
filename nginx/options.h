/* procplan-server's options. */
#ifndef NGINX_OPTIONS_H
#define NGINX_OPTIONS_H

#include <stdint.h>

#include "common/error.h"

#define PROGRAM "procplan-server"

struct options {
    const char *config, *database, *host, *web_root; /* never NULL nor empty */
    const char *workers, *user, *nginx;              /* NULL: not given */
    uint16_t port;                                   /* 0: any free one */
};

enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_ANSWERED, /* --help or --version: printed */
    OPTIONS_WRONG,    /* ERR says why, or, with ERROR_NONE, getopt_long(3) has said it on stderr */
};

/* The texts in OUT point into ARGV. */
enum options_outcome options_read(struct options *out, int argc, char **argv, struct error *err);

#endif
