/*
 * The private nginx's configuration, generated. No outside text gets into it: the web root, the socket and the
 * temporary folders stand in it by fixed names relative to the run folder, which nginx is started in.
 */
#ifndef NGINX_CONF_H
#define NGINX_CONF_H

#include <stdbool.h>

#include "common/buffer.h"
#include "nginx/account.h"
#include "nginx/listen.h"

#define CONF_SOCKET_NAME "fastcgi.sock"

/* Appends the configuration for the address LISTEN is bound to, its workers running as ACCOUNT. */
void conf_write(struct buffer *out, const struct listen *listen, const struct account *account);

#endif
