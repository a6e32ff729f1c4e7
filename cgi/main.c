/*
 * procplan-fcgi: options, and how the parts are wired. The work itself is done in api/, by workers that pool.c runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/api/api.h"
#include "cgi/config.h"
#include "cgi/listen.h"
#include "cgi/pool.h"
#include "cgi/privileges.h"
#include "cgi/store/store.h"
#include "cgi/worker.h"
#include "common/json_read.h"
#include "common/log.h"
#include "common/text.h"

#include "common/banned.h"

#define PROGRAM "procplan-fcgi"
#define EXIT_USAGE 2
#define DEADLINE_DEFAULT 30 /* seconds */
#define DEADLINE_MAX 3600

/*
 * How long after TERM the workers go on emptying the listen queue. Our own socket has no path any more, so the queue runs
 * dry by itself; half of the time for the drain is for what is slow. One that was handed over may be fed on and on,
 * and whoever keeps it keeps the queue: there it is time enough for what a spawner that keeps nothing would lose.
 */
#define LAST_CALL_INHERITED_MS 500

struct options {
    const char *config, *database, *socket, *user, *socket_group;
    int64_t workers, deadline; /* workers: 0, as many as the machine suggests */
    bool check_config, verbose;
};

/* What workers and the configure child get. */
struct wiring {
    struct config_source source;
    struct database_place place;
};

static const char help[] =
    "usage: " PROGRAM " --config FILE --database FILE [--socket PATH] [option ...]\n"
    "Answers ProcPlan's API by FastCGI, with a pool of worker processes.\n"
    "\n"
    "  --config FILE         the nodes and GPUs, and limits (or the variable PROCPLAN_CONFIG)\n"
    "  --database FILE       where bookings are kept; made if missing (or PROCPLAN_DATABASE)\n"
    "  --socket PATH         the unix socket to make and listen on, for the web server; without it a\n"
    "                        socket from systemd (LISTEN_FDS) or spawn-fcgi (descriptor 0) is taken\n"
    "  --workers N           worker processes, 1 to 256 (as many as there are processors)\n"
    "  --deadline SECONDS    a request that takes longer ends its worker, 1 to 3600 (30)\n"
    "  --user NAME           started as root: become this user\n"
    "  --socket-group NAME   the socket's group, in which the web server is\n"
    "  --check-config        say whether the configuration is fine, and end\n"
    "  --verbose             log more\n"
    "  --version, --help     say it, and end\n"
    "\n"
    "TERM ends it once everything that was asked is answered; HUP reads the configuration again.\n"
    "See " PROGRAM "(8).\n";

/* -- options --------------------------------------------------------------------------------------------------- */

static _Noreturn void usage(const char *message)
{
    fprintf(stderr, PROGRAM ": %s\nTry '" PROGRAM " --help'.\n", message);
    exit(EXIT_USAGE);
}

static int64_t number_option(const char *name, const char *value, int64_t max)
{
    char message[160];
    int64_t number;

    if (integer_parse(value, &number) && number >= 1 && number <= max)
        return number;
    snprintf(message, sizeof(message), "%s %.40s: give a whole number from 1 to %lld", name, value, (long long)max);
    usage(message);
}

static const char *text_option(const char *name, const char *value)
{
    char message[80];

    if (value[0] != '\0')
        return value;
    snprintf(message, sizeof(message), "%s: the value is empty", name);
    usage(message);
}

static void read_options(int argc, char **argv, struct options *out)
{
    /* VERSION alone is automake's. */
    enum {
        OPT_CONFIG = 256, OPT_DATABASE, OPT_SOCKET, OPT_WORKERS, OPT_DEADLINE, OPT_USER, OPT_GROUP, OPT_CHECK,
        OPT_VERBOSE, OPT_VERSION, OPT_HELP
    };
    static const struct option table[] = {
        {"config", required_argument, NULL, OPT_CONFIG},
        {"database", required_argument, NULL, OPT_DATABASE},
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"workers", required_argument, NULL, OPT_WORKERS},
        {"deadline", required_argument, NULL, OPT_DEADLINE},
        {"user", required_argument, NULL, OPT_USER},
        {"socket-group", required_argument, NULL, OPT_GROUP},
        {"check-config", no_argument, NULL, OPT_CHECK},
        {"verbose", no_argument, NULL, OPT_VERBOSE},
        {"version", no_argument, NULL, OPT_VERSION},
        {"help", no_argument, NULL, OPT_HELP},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case OPT_CONFIG: out->config = text_option("--config", optarg); break;
        case OPT_DATABASE: out->database = text_option("--database", optarg); break;
        case OPT_SOCKET: out->socket = text_option("--socket", optarg); break;
        case OPT_WORKERS: out->workers = number_option("--workers", optarg, POOL_WORKERS_MAX); break;
        case OPT_DEADLINE: out->deadline = number_option("--deadline", optarg, DEADLINE_MAX); break;
        case OPT_USER: out->user = text_option("--user", optarg); break;
        case OPT_GROUP: out->socket_group = text_option("--socket-group", optarg); break;
        case OPT_CHECK: out->check_config = true; break;
        case OPT_VERBOSE: out->verbose = true; break;
        case OPT_VERSION:
            printf(PROGRAM " " PACKAGE_VERSION ", SQLite %s\n", store_library_version());
            exit(EXIT_SUCCESS);
        case OPT_HELP:
            fputs(help, stdout);
            exit(EXIT_SUCCESS);
        default: /* getopt_long has said what is wrong */
            fputs("Try '" PROGRAM " --help'.\n", stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc) {
        char message[160];
        snprintf(message, sizeof(message), "'%.80s' is no option", argv[optind]);
        usage(message);
    }
}

static bool is_cgi(void)
{
    return getenv("GATEWAY_INTERFACE") != NULL;
}

/*
 * A web server hands a query without '=' to a CGI as its arguments (RFC 3875, section 4.4), so in that case they are the
 * client's: nobody shall choose a file by asking for "?--config+/etc/passwd".
 */
static bool arguments_are_a_query(void)
{
    const char *query = getenv("QUERY_STRING");

    return is_cgi() && query != NULL && query[0] != '\0' && strchr(query, '=') == NULL;
}

static const char *from_environment(const char *given, const char *name)
{
    const char *value = getenv(name);

    return given == NULL && value != NULL && value[0] != '\0' ? value : given;
}

/* Two at least, so that one slow request does not stop the others. */
static int64_t suggested_workers(void)
{
    cpu_set_t processors;
    int count = 2;

    if (sched_getaffinity(0, sizeof(processors), &processors) == 0)
        count = CPU_COUNT(&processors);
    return count < 2 ? 2 : count > 16 ? 16 : count;
}

/* -- --check-config -------------------------------------------------------------------------------------------- */

static int check_config(const char *path)
{
    struct config_source source = {.folder = -1};
    struct buffer text = BUFFER_INIT;
    struct arena arena;
    struct config config;
    struct error err = ERROR_INIT;
    size_t gpus = 0;
    bool fine;

    arena_init(&arena);
    fine = config_source_open(&source, path, &err) && config_source_read(&source, &text, &err) &&
           config_parse(text.data, text.length, path, &arena, &config, &err);
    if (fine) {
        for (size_t i = 0; i < config.node_count; i++)
            gpus += config.nodes[i].gpu_count;
        printf("%s: fine: %zu node%s, %zu GPU%s\n", path, config.node_count, config.node_count == 1 ? "" : "s", gpus,
               gpus == 1 ? "" : "s");
    } else {
        char line[4 * sizeof(err.message)]; /* names in the file come from outside, and a terminal obeys control characters */
        text_escape(err.message, strlen(err.message), line, sizeof(line));
        fprintf(stderr, "%s\n", line);
    }
    error_clear(&err);
    arena_release(&arena);
    buffer_release(&text);
    config_source_close(&source);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* -- what runs in the children --------------------------------------------------------------------------------- */

static void log_failure(const char *what, const struct error *err)
{
    const char *between = err->detail[0] != '\0' ? ": " : "";

    log_error("%s%s%s%s", what, err->message, between, err->detail);
}

static int configure(void *context)
{
    const struct wiring *wiring = context;
    struct error err = ERROR_INIT;
    bool accepted = api_configure(wiring->place.name, &wiring->source, &err);

    if (!accepted)
        log_failure("", &err);
    error_clear(&err);
    return accepted ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int work(void *context, int listen_fd, struct worker_slot *slot, const volatile sig_atomic_t *stop)
{
    const struct wiring *wiring = context;
    struct error err = ERROR_INIT;
    struct api *api = NULL;
    int status;

    if (!api_open(wiring->place.name, &wiring->source, &api, &err)) {
        log_failure("cannot begin to work: ", &err);
        error_clear(&err);
        return EXIT_FAILURE;
    }
    api_join_pool(api, &(struct api_pool){&scoreboard_of_pool()->stats, scoreboard_workers});
    status = worker_run(listen_fd, slot, stop, api_answer, api);
    api_close(api);
    return status;
}

/* -- the two ways to run --------------------------------------------------------------------------------------- */

/* Descriptors 0 to 2 are open, so that no file of ours ever gets one of them. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* The pool reads nothing from 0 and says nothing on 1; who waits for their end must not wait for the pool's. */
static void leave_standard_streams(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    fflush(stdout);
    if (fd < 0)
        return;
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    close(fd);
}

static bool open_files(const struct options *options, const struct identity *who, struct wiring *wiring, struct error *err)
{
    return database_place_open(options->database, who, &wiring->place, err) &&
           config_source_open(&wiring->source, options->config, err);
}

static void close_files(struct wiring *wiring)
{
    config_source_close(&wiring->source);
    database_place_close(&wiring->place);
}

static int run_pool(const struct options *options, int inherited_fd)
{
    struct wiring wiring = {.source = {.folder = -1}, .place = {.folder = -1}};
    struct pool_options pool = {.listen_fd = inherited_fd,
                                .workers = (int)(options->workers != 0 ? options->workers : suggested_workers()),
                                .deadline_ms = options->deadline * 1000,
                                .drain_ms = options->deadline * 1000,
                                .last_call_ms = inherited_fd < 0 ? options->deadline * 500 : LAST_CALL_INHERITED_MS,
                                .notice = store_library_warning(),
                                .configure = configure,
                                .work = work,
                                .context = &wiring};
    struct identity who;
    struct error err = ERROR_INIT;
    gid_t group = (gid_t)-1;
    int status = EXIT_FAILURE;

    if (!identity_find(options->user, &who, &err) ||
        (options->socket_group != NULL && !group_find(options->socket_group, &group, &err)) ||
        !open_files(options, &who, &wiring, &err))
        goto out;
    if (group == (gid_t)-1 && who.change)
        group = who.gid;
    if (options->socket != NULL &&
        !listen_open(options->socket, who.change ? who.uid : (uid_t)-1, group, &pool.listen_fd, &err))
        goto out;
    leave_standard_streams();
    if (!privileges_drop(&who, &wiring.place, &err))
        goto out;
    status = pool_run(&pool);

out:
    if (err.code != ERROR_NONE)
        log_failure("", &err);
    error_clear(&err);
    listen_remove();
    close_files(&wiring);
    return status;
}

/* A plain CGI that cannot work still owes its one answer. */
static void answer_unavailable(void *context, struct http_request *request, const struct error *read_error,
                               struct http_response *response)
{
    (void)context;
    (void)request;
    (void)read_error;
    response->status = 503;
    response->content_type = "application/json";
    response->no_store = true;
    buffer_append_text(&response->body, "{\"error\":\"The planner cannot work now; its log says why\",\"status\":503}");
}

/* Nobody starts a plain CGI's pool, so the first request accepts the configuration. */
static bool open_for_cgi(struct wiring *wiring, struct api **out, struct error *err)
{
    if (access(wiring->place.name, F_OK) == 0) {
        if (api_open(wiring->place.name, &wiring->source, out, err))
            return true;
        if (err->code != ERROR_CONFIGURATION) /* that is: none was accepted yet */
            return false;
        error_clear(err);
    }
    return api_configure(wiring->place.name, &wiring->source, err) &&
           api_open(wiring->place.name, &wiring->source, out, err);
}

static int run_cgi(const struct options *options)
{
    struct wiring wiring = {.source = {.folder = -1}, .place = {.folder = -1}};
    struct identity who;
    struct error err = ERROR_INIT;
    struct api *api = NULL;
    bool ready;
    int status;

    signal(SIGPIPE, SIG_IGN);
    if (options->config == NULL || options->database == NULL)
        ready = error_set(&err, ERROR_INTERNAL, "a plain CGI needs PROCPLAN_CONFIG and PROCPLAN_DATABASE in its environment");
    else
        ready = identity_find(options->user, &who, &err) && open_files(options, &who, &wiring, &err) &&
                privileges_drop(&who, &wiring.place, &err) && open_for_cgi(&wiring, &api, &err);
    if (!ready)
        log_failure("", &err);
    status = ready ? worker_run_cgi(api_answer, api) : worker_run_cgi(answer_unavailable, NULL);
    if (api != NULL)
        api_close(api);
    error_clear(&err);
    close_files(&wiring);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.deadline = DEADLINE_DEFAULT};
    struct error err = ERROR_INIT;
    int inherited_fd;

    fill_standard_descriptors();
    umask(077);
    if (!arguments_are_a_query())
        read_options(argc, argv, &options);
    options.config = from_environment(options.config, "PROCPLAN_CONFIG");
    options.database = from_environment(options.database, "PROCPLAN_DATABASE");
    log_open(PROGRAM, options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE);

    if (options.check_config) {
        if (options.config == NULL)
            usage("--check-config needs --config FILE");
        return check_config(options.config);
    }
    if (!listen_inherited(&inherited_fd, &err)) {
        log_failure("", &err);
        return EXIT_FAILURE;
    }
    if (options.socket == NULL && inherited_fd < 0 && is_cgi())
        return run_cgi(&options);
    if (options.config == NULL)
        usage("--config FILE is missing: the file with the nodes and GPUs");
    if (options.database == NULL)
        usage("--database FILE is missing: where bookings are kept");
    if (options.socket == NULL && inherited_fd < 0)
        usage("no socket to listen on: give --socket PATH, or start it by systemd, spawn-fcgi or as a CGI");
    if (options.socket != NULL && inherited_fd >= 0)
        usage("a socket was handed over and --socket names another: one of them");
    if (options.socket == NULL && options.socket_group != NULL)
        usage("--socket-group goes with --socket; a socket that is handed over has its group already");
    return run_pool(&options, inherited_fd);
}
