/*
 * The listen socket: one of our own at a path, or one that a spawner hands over.
 *
 * Whoever can open it speaks for the web server, user names included, so it is a unix socket with mode 0660. One that is
 * handed over may also be TCP, on a loopback address only. The sockets are non-blocking and close-on-exec.
 */
#ifndef CGI_LISTEN_H
#define CGI_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

/* Connections that may wait for a worker; the kernel caps it (net.core.somaxconn). With a few only, a burst gets 502s. */
#define LISTEN_BACKLOG 4096

/*
 * Makes the socket at PATH, owned by OWNER and GROUP ((uid_t)-1, (gid_t)-1: as it comes). Refused when somebody answers there,
 * and when PATH is something else than a socket; a socket that nobody answers on is replaced. One a process.
 */
bool listen_open(const char *path, uid_t owner, gid_t group, int *out_fd, struct error *err)
    __attribute__((warn_unused_result));

/*
 * The socket that systemd (LISTEN_FDS, LISTEN_PID: sd_listen_fds(3)) or spawn-fcgi (file descriptor 0) handed over; *OUT_FD is -1
 * when there is none. The variables are unset; a socket on descriptor 0 is duplicated, and the caller puts something else on 0.
 * Refused: more than one, one that does not listen for a stream, TCP on an address that others can reach.
 */
bool listen_inherited(int *out_fd, struct error *err) __attribute__((warn_unused_result));

/* Removes the path that listen_open made, if the socket there is still ours; works after chdir and a change of user. */
void listen_remove(void);
/* In a child of the process that made it: lets go of what listen_remove needs. */
void listen_forget(void);

#endif
