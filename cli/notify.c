/*
 * procplan-notify: says that a booking's work is done. What it prints and its exit status are the original program's: scripts read them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/release.h"
#include "cli/settings.h"
#include "common/clock.h"
#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

#define TIMEOUT_DEFAULT 5.0 /* seconds */

enum { EXIT_COMPLETED = 0, EXIT_NOT_COMPLETED = 1, EXIT_USAGE = 2 };

struct options {
    char *url; /* in argv; NULL: none */
    int64_t booking_id;
    double timeout;
    char token[RELEASE_TOKEN_MAX + 1]; /* empty: none */
};

static const char help[] =
    "procplan-notify: gives a ProcPlan booking back, when its work is done\n"
    "\n"
    "  procplan-notify --url URL --booking-id N [options]\n"
    "\n"
    "  --url URL          where the planner is, as in http://planner.example.org/procplan; without it $PROCPLAN_URL,\n"
    "                     ~/.config/procplan/config or /etc/procplan/cli.conf is asked\n"
    "  --booking-id N     the booking; without it $PROCPLAN_BOOKING_ID\n"
    "  --timeout S        seconds until it gives up; 5\n"
    "  --token-file FILE  the booking's release token is in the first line of FILE; no login is needed then\n"
    "  --token T          the same on the command line, where everybody on this machine can see it;\n"
    "                     without either $PROCPLAN_RELEASE_TOKEN is taken, when it is set\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 the booking is completed, 1 it is not, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  python3 train.py; procplan-notify --url http://planner.example.org --booking-id 42\n";

/* Outside text, harmless for a terminal, without the blanks around it. */
static void print_escaped(FILE *out, const char *bytes, size_t length)
{
    struct slice text = text_trim(bytes, length);
    size_t size = text.length * 4 + 1;
    char *escaped = malloc(size);

    if (!escaped)
        abort();
    text_escape(text.bytes, text.length, escaped, size);
    fputs(escaped, out);
    free(escaped);
}

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
    va_list arguments;
    char text[1024];

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs("procplan-notify: ", stderr);
    print_escaped(stderr, text, strlen(text));
    fputs("; see procplan-notify --help\n", stderr);
    return false;
}

static bool take_token(struct options *options, const char *text, size_t length, const char *place)
{
    struct slice token = text_trim(text, length);

    if (token.length == 0 || token.length > RELEASE_TOKEN_MAX || text_has_control(token.bytes, token.length) ||
        !text_is_utf8(token.bytes, token.length))
        return wrong("%s holds no release token", place);
    memcpy(options->token, token.bytes, token.length);
    options->token[token.length] = '\0';
    return true;
}

static bool read_token_file(struct options *options, const char *path)
{
    char line[RELEASE_TOKEN_MAX + 64];
    FILE *file = fopen(path, "re");
    bool read;

    if (!file)
        return wrong("%s cannot be read: %s", path, strerror(errno));
    read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    return take_token(options, line, read ? strlen(line) : 0, path);
}

static bool read_id(const char *text, const char *place, int64_t *out)
{
    return (integer_parse(text, out) && *out > 0) || wrong("%s is a booking's number, not \"%s\"", place, text);
}

static bool read_timeout(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return (*text && !*end && isfinite(*out) && *out > 0 && *out <= HTTP_TIMEOUT_MAX) ||
           wrong("--timeout is a number of seconds up to %d", (int)HTTP_TIMEOUT_MAX);
}

/* What the command line does not say stands in the environment. */
static bool complete(struct options *options, bool has_id)
{
    const char *id = getenv("PROCPLAN_BOOKING_ID"), *token = getenv("PROCPLAN_RELEASE_TOKEN");

    if (!has_id && !(id && *id))
        return wrong("--booking-id is missing");
    if (!has_id && !read_id(id, "PROCPLAN_BOOKING_ID", &options->booking_id))
        return false;
    if (!options->token[0] && token && *token)
        return take_token(options, token, strlen(token), "PROCPLAN_RELEASE_TOKEN");
    return true;
}

/* False with *STATUS when there is nothing to do but to end with it. */
static bool read_options(int argc, char **argv, struct options *options, int *status)
{
    enum { OPTION_URL = 256, OPTION_BOOKING_ID, OPTION_TIMEOUT, OPTION_TOKEN, OPTION_TOKEN_FILE, OPTION_HELP, OPTION_VERSION };
    static const struct option known[] = {
        {"url", required_argument, NULL, OPTION_URL},
        {"booking-id", required_argument, NULL, OPTION_BOOKING_ID},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"token", required_argument, NULL, OPTION_TOKEN},
        {"token-file", required_argument, NULL, OPTION_TOKEN_FILE},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    bool has_id = false, good = true;
    int option;

    *options = (struct options){.timeout = TIMEOUT_DEFAULT};
    *status = EXIT_USAGE;
    opterr = 0; /* it would print the word as it is */
    while (good && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (option) {
        case OPTION_URL: options->url = optarg; break;
        case OPTION_BOOKING_ID: has_id = good = read_id(optarg, "--booking-id", &options->booking_id); break;
        case OPTION_TIMEOUT: good = read_timeout(optarg, &options->timeout); break;
        case OPTION_TOKEN:
            good = take_token(options, optarg, strlen(optarg), "--token");
            memset(optarg, '*', strlen(optarg)); /* from here on ps shows this */
            break;
        case OPTION_TOKEN_FILE: good = read_token_file(options, optarg); break;
        case OPTION_HELP: case 'h':
            *status = fputs(help, stdout) == EOF || fflush(stdout) != 0 ? EXIT_NOT_COMPLETED : EXIT_COMPLETED;
            return false;
        case OPTION_VERSION:
            *status = printf("procplan-notify %s\n", PACKAGE_VERSION) < 0 || fflush(stdout) != 0 ? EXIT_NOT_COMPLETED : EXIT_COMPLETED;
            return false;
        case ':': good = wrong("%s wants a value", argv[optind - 1]); break;
        default: good = wrong("\"%s\" is no option", argv[optind - 1]);
        }
    }
    if (good && optind < argc)
        good = wrong("\"%s\" is no option", argv[optind]);
    return good && complete(options, has_id);
}

/* Asks again within the time there is when the server says that it would answer then: this may be the job's last line. */
static enum release try_until(struct http *http, const struct options *options, struct http_answer *answer, struct error *err)
{
    const char *token = options->token[0] ? options->token : NULL;
    double deadline = clock_seconds() + options->timeout;

    for (double pause = 1;; pause *= 2) {
        enum release result = release_try(http, options->booking_id, token, answer, err);
        double wait = result == RELEASE_FAILED ? release_pause(answer, pause) : -1, left = deadline - clock_seconds();
        if (wait < 0 || wait >= left)
            return result;
        clock_sleep(wait);
        error_clear(err);
        http_set_timeout(http, left - wait);
    }
}

/* Sends the call and says what became of it, as the original does. */
static int notify(struct http *http, const struct options *options)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct error err = ERROR_INIT;
    enum release result = try_until(http, options, &answer, &err);

    if (result == RELEASE_DONE) {
        printf("Booking %lld marked complete (status %d).\n", (long long)options->booking_id, answer.status);
    } else {
        fprintf(stderr, "Failed to mark booking complete (status %d): ", answer.status);
        if (answer.body.length > 0)
            print_escaped(stderr, answer.body.data, answer.body.length);
        else
            print_escaped(stderr, err.message, strlen(err.message));
        fputc('\n', stderr);
    }
    http_answer_release(&answer);
    error_clear(&err);
    return result == RELEASE_DONE ? EXIT_COMPLETED : EXIT_NOT_COMPLETED;
}

int main(int argc, char **argv)
{
    struct options options;
    struct settings settings;
    struct arena arena;
    struct http *http = NULL;
    struct error err = ERROR_INIT;
    int status;

    arena_init(&arena);
    if (!read_options(argc, argv, &options, &status))
        goto out;
    if (!settings_load(&settings, &arena, options.url, &err) || (!settings.url && !settings_no_url(&err)) ||
        !http_open(&http, &(struct http_settings){.url = settings.url, .program = "procplan-notify",
                                                  .user = settings.user ? settings.user : settings_login(&arena),
                                                  .timeout = options.timeout}, &err)) {
        fputs("procplan-notify: ", stderr);
        print_escaped(stderr, err.message, strlen(err.message));
        fputc('\n', stderr);
        status = EXIT_USAGE;
        goto out;
    }
    if (options.url)
        settings_hide_login(options.url);
    status = notify(http, &options);
out:
    explicit_bzero(&options.token, sizeof options.token);
    http_close(http);
    error_clear(&err);
    arena_release(&arena);
    return status;
}
