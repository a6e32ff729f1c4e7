#include "cgi/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/json_read.h"
#include "common/log.h"

#include "common/banned.h"

#define SYSTEMD_FIRST_FD 3

/* What listen_open made: its folder is held open, so that it is found again from another working folder. */
static struct {
    int folder; /* -1: nothing */
    char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
    dev_t device;
    ino_t inode;
} made = {.folder = -1};

static bool system_error(struct error *err, const char *path, const char *what)
{
    return error_set(err, ERROR_INTERNAL, "--socket %s: %s: %s", path, what, strerror(errno));
}

/* The folder of PATH, opened; the last part of PATH goes to made.name. -1 and errno. */
static int open_folder(const char *path)
{
    char folder[sizeof(made.name) + 1];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

    memcpy(folder, path, length);
    folder[length] = '\0';
    const char *name = slash == NULL ? path : slash + 1;
    memcpy(made.name, name, strlen(name) + 1);
    return open(length == 0 ? "." : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Two starts at the same moment must not both find the same dead socket and the second remove the first one's live
 * one: whoever looks and replaces holds the folder's lock. -1 where the folder may not be read; then it goes without.
 */
static int lock_folder(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
    return fd;
}

static bool make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Leaves the path free, or says why not. */
static bool clear_path(const char *path, const struct sockaddr_un *address, struct error *err)
{
    struct stat there;

    if (fstatat(made.folder, made.name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || system_error(err, path, "cannot look at it");
    if (!S_ISSOCK(there.st_mode))
        return error_set(err, ERROR_INTERNAL, "--socket %s: something that is no socket is there; it is left alone", path);

    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return system_error(err, path, "cannot make a socket");
    bool answered = connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0;
    int reason = errno;
    close(probe);
    if (answered || reason == EAGAIN || reason == EINPROGRESS)
        return error_set(err, ERROR_INTERNAL, "--socket %s: another program answers there; stop it first", path);
    errno = reason;
    if (reason != ECONNREFUSED)
        return system_error(err, path, "cannot tell whether the socket there is in use");
    if (unlinkat(made.folder, made.name, 0) != 0 && errno != ENOENT)
        return system_error(err, path, "cannot replace the socket there, which nobody answers on");
    return true;
}

/*
 * Remembers what was bound, and gives it its owner. Through a descriptor, and only if it is a socket: whoever may write in
 * the folder could have put a file of somebody else's there in between.
 */
static bool hand_over(const char *path, uid_t owner, gid_t group, struct error *err)
{
    struct stat there;
    bool done = false;
    int fd = openat(made.folder, made.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &there) != 0) {
        system_error(err, path, "cannot look at it");
        goto out;
    }
    if (!S_ISSOCK(there.st_mode)) {
        error_set(err, ERROR_INTERNAL, "--socket %s: somebody has put something else there meanwhile", path);
        goto out;
    }
    made.device = there.st_dev;
    made.inode = there.st_ino;
    if ((owner != (uid_t)-1 || group != (gid_t)-1) && fchownat(fd, "", owner, group, AT_EMPTY_PATH) != 0)
        system_error(err, path, "cannot give it to its owner and group");
    else
        done = true;
out:
    if (fd >= 0)
        close(fd);
    return done;
}

/* Binds, gives it its owner, and only then listens: nobody gets in before the rights are what they should be. */
static bool bind_and_listen(int fd, const char *path, const struct sockaddr_un *address, uid_t owner, gid_t group,
                            struct error *err)
{
    /* The file gets the descriptor's mode less the umask; where the folder hands down an access list, no umask counts. */
    mode_t mask = umask(0117);
    bool bound = fchmod(fd, 0660) == 0 && bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    int reason = errno;

    umask(mask);
    errno = reason;
    if (!bound)
        return system_error(err, path, "cannot make it");
    if (!hand_over(path, owner, group, err))
        return false;
    if (listen(fd, LISTEN_BACKLOG) != 0)
        return system_error(err, path, "cannot listen on it");
    return true;
}

bool listen_open(const char *path, uid_t owner, gid_t group, int *out_fd, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    bool done = false;
    int lock = -1, fd = -1;

    if (length == 0 || path[length - 1] == '/')
        return error_set(err, ERROR_INTERNAL, "--socket '%s': name a file", path);
    if (length >= sizeof(address.sun_path))
        return error_set(err, ERROR_INTERNAL, "--socket %s: a socket's path may have %zu bytes at most", path,
                         sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, length + 1);
    made.folder = open_folder(path);
    if (made.folder < 0)
        return system_error(err, path, "cannot open its folder");

    lock = lock_folder(made.folder);
    if (!clear_path(path, &address, err))
        goto out;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        system_error(err, path, "cannot make a socket");
        goto out;
    }
    if (!bind_and_listen(fd, path, &address, owner, group, err)) {
        listen_remove();
        goto out;
    }
    done = true;

out:
    if (lock >= 0)
        close(lock);
    if (!done) {
        if (fd >= 0)
            close(fd);
        listen_forget();
        return false;
    }
    *out_fd = fd;
    return true;
}

void listen_remove(void)
{
    struct stat there;

    if (made.folder < 0)
        return;
    if (made.inode != 0 && fstatat(made.folder, made.name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        there.st_dev == made.device && there.st_ino == made.inode && unlinkat(made.folder, made.name, 0) != 0)
        log_notice("the socket %s stays behind (%s); the next start replaces it", made.name, strerror(errno));
    listen_forget();
}

void listen_forget(void)
{
    if (made.folder >= 0)
        close(made.folder);
    made.folder = -1;
}

static bool is_listening(int fd)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0;
}

/* Anyone who can connect can claim to be any user, so a handed-over TCP socket must at least stay on this machine. */
static bool check_inherited(int fd, struct error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage room;
    } address;
    socklen_t size = sizeof(address);
    int type = 0;
    socklen_t type_size = sizeof(type);
    bool loopback = false;

    if (!is_listening(fd) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM ||
        getsockname(fd, &address.any, &size) != 0)
        return error_set(err, ERROR_INTERNAL,
                         "what was handed over is not a listening stream socket (systemd: ListenStream=, Accept=no)");
    if (address.any.sa_family == AF_UNIX)
        return true;
    if (address.any.sa_family == AF_INET)
        loopback = ntohl(address.four.sin_addr.s_addr) >> 24 == 127;
    else if (address.any.sa_family == AF_INET6)
        loopback = IN6_IS_ADDR_LOOPBACK(&address.six.sin6_addr);
    if (!loopback)
        return error_set(err, ERROR_INTERNAL,
                         "the socket that was handed over can be reached from other machines, and whoever reaches it can "
                         "claim to be any user; use a unix socket");
    log_warning("the socket that was handed over is TCP: every user of this machine can claim to be any user; use a unix socket");
    return true;
}

/* How many sockets systemd hands to this process. */
static bool systemd_count(int64_t *out, struct error *err)
{
    const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
    int64_t pid = 0;
    bool ours;

    *out = 0;
    if (pid_text == NULL || count_text == NULL)
        return true;
    ours = integer_parse(pid_text, &pid) && pid == getpid();
    if (ours && (!integer_parse(count_text, out) || *out < 0 || *out > 1))
        return error_set(err, ERROR_INTERNAL, "LISTEN_FDS is %s: one socket is what can be taken", count_text);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return true;
}

bool listen_inherited(int *out_fd, struct error *err)
{
    int64_t count;
    int fd = -1;

    *out_fd = -1;
    if (!systemd_count(&count, err))
        return false;
    if (count == 1)
        fd = SYSTEMD_FIRST_FD;
    else if (is_listening(STDIN_FILENO))
        fd = STDIN_FILENO;
    else
        return true;
    if (!check_inherited(fd, err))
        return false;

    if (fd == STDIN_FILENO) {
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, SYSTEMD_FIRST_FD);
        if (fd < 0)
            return error_set(err, ERROR_INTERNAL, "cannot take the socket from descriptor 0: %s", strerror(errno));
    }
    if (!make_nonblocking(fd))
        return error_set(err, ERROR_INTERNAL, "cannot set up the socket that was handed over: %s", strerror(errno));
    *out_fd = fd;
    return true;
}
