/*
 * The ceiling: a FastCGI program with the server's pool size that prints a constant answer in one piece. What nginx,
 * libfcgi and the kernel allow, and nothing else.
 *
 *   constant SOCKET WORKERS ANSWER...
 *
 * GET /api/N gives the N-th ANSWER: a file whose content is the JSON body, or "304" for an answer without one. It runs
 * until it is killed; the workers die with it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "common/buffer.h"

#include "common/banned.h"

#define WORKERS_MAX 64
#define BACKLOG 511

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (length >= sizeof(address.sun_path)) {
        fprintf(stderr, "constant: the socket's path is too long: %s\n", path);
        exit(EXIT_FAILURE);
    }
    memcpy(address.sun_path, path, length + 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0 ||
        chmod(path, 0666) != 0)
        fail(path);
    return fd;
}

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    size_t n;

    if (file == NULL)
        fail(path);
    do {
        buffer_reserve(out, 65536);
        n = fread(out->data + out->length, 1, 65536, file);
        out->length += n;
    } while (n > 0);
    if (ferror(file))
        fail(path);
    fclose(file);
}

/* The whole answer, with the headers that the server sends. */
static void prepare(const char *answer, struct buffer *out)
{
    static const char kept[] = "ETag: \"0123456789abcdef.1000.12345678.\"\r\nCache-Control: no-cache\r\n";
    struct buffer body = BUFFER_INIT;

    if (strcmp(answer, "304") == 0) {
        buffer_printf(out, "Status: 304 Not Modified\r\n%s\r\n", kept);
        return;
    }
    read_file(answer, &body);
    buffer_printf(out, "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n", body.length,
                  kept);
    buffer_append(out, body.data, body.length);
    buffer_release(&body);
}

static _Noreturn void serve(int fd, const struct buffer *answers, long count)
{
    static const char unknown[] = "Status: 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    FCGX_Request request;

    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, fd, 0) != 0)
        fail("FCGX_InitRequest");
    while (FCGX_Accept_r(&request) == 0) {
        const char *path = FCGX_GetParam("PATH_INFO", request.envp);
        const char *slash = path == NULL ? NULL : strrchr(path, '/');
        long index = slash == NULL ? -1 : strtol(slash + 1, NULL, 10);

        if (index >= 0 && index < count)
            FCGX_PutStr(answers[index].data, (int)answers[index].length, request.out);
        else
            FCGX_PutStr(unknown, sizeof(unknown) - 1, request.out);
        FCGX_Finish_r(&request);
    }
    exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    long workers = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
    long count = argc - 3;
    pid_t master = getpid();

    if (workers < 1 || workers > WORKERS_MAX) {
        fputs("usage: constant SOCKET WORKERS ANSWER...\n", stderr);
        return 2;
    }
    struct buffer *answers = calloc((size_t)count, sizeof(*answers));
    if (answers == NULL)
        abort();
    for (long i = 0; i < count; i++)
        prepare(argv[3 + i], &answers[i]);
    int fd = listen_at(argv[1]);
    for (long i = 0; i < workers; i++) {
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0) {
            if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != master)
                _exit(EXIT_FAILURE);
            serve(fd, answers, count);
        }
    }
    wait(NULL); /* none ends of itself */
    fputs("constant: a worker ended\n", stderr);
    return EXIT_FAILURE;
}
