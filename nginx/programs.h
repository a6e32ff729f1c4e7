/* Where the two programs are that procplan-server starts. */
#ifndef NGINX_PROGRAMS_H
#define NGINX_PROGRAMS_H

#include "common/error.h"

/* procplan-fcgi, which lies beside this program: in the build folder and where it is installed. NULL when it is not there. The caller frees it. */
char *program_pool(struct error *err) __attribute__((warn_unused_result));
/* WANTED, or, when that is NULL, the first nginx in PATH, /usr/sbin and /usr/local/sbin. NULL when there is none. The caller frees it. */
char *program_nginx(const char *wanted, struct error *err) __attribute__((warn_unused_result));

#endif
