#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nginx/options.h"

#include "common/banned.h"

static const char help[] =
    "Usage: " PROGRAM " --config FILE --database FILE [OPTION]...\n"
    "Starts ProcPlan: a private nginx and the pool that answers its API, in the foreground. Ctrl-C stops both.\n"
    "\n"
    "  --config FILE     the nodes and GPUs, as in config.sample.json\n"
    "  --database FILE   where bookings are kept; made when it is missing\n"
    "  --host ADDRESS    the address to answer at (127.0.0.1)\n"
    "  --port N          the port to answer at (8080); 0 takes a free one\n"
    "  --web-root DIR    the page's files (" PAGEDIR ")\n"
    "  --workers N       processes in the pool (as many as procplan-fcgi finds right)\n"
    "  --user NAME       started as root: who nginx's workers and the pool run as\n"
    "                    (the owner of the database's folder or of the configuration's, else www-data)\n"
    "  --nginx PATH      the nginx to run (the first in PATH, /usr/sbin, /usr/local/sbin)\n"
    "  --help            this text\n"
    "  --version         the version\n"
    "\n"
    "SIGHUP reads the configuration again. See " PROGRAM "(8).\n";

static bool number_read(const char *name, const char *text, long min, long max, long *out, struct error *err)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    return (text[0] >= '0' && text[0] <= '9' && !*end && errno == 0 && *out >= min && *out <= max) ||
           error_set(err, ERROR_BAD_REQUEST, "%s wants a number from %ld to %ld, not '%s'", name, min, max, text);
}

static bool one_read(struct options *options, int option, const char *value, struct error *err)
{
    long number = 0;

    if (!*value)
        return error_set(err, ERROR_BAD_REQUEST, "an option's value is empty");
    switch (option) {
    case 'c': options->config = value; return true;
    case 'd': options->database = value; return true;
    case 'H': options->host = value; return true;
    case 'r': options->web_root = value; return true;
    case 'u': options->user = value; return true;
    case 'n': options->nginx = value; return true;
    case 'w': options->workers = value; return number_read("--workers", value, 1, 256, &number, err);
    default:
        if (!number_read("--port", value, 0, 65535, &number, err))
            return false;
        options->port = (uint16_t)number;
        return true;
    }
}

enum options_outcome options_read(struct options *out, int argc, char **argv, struct error *err)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},   {"database", required_argument, NULL, 'd'},
        {"host", required_argument, NULL, 'H'},     {"port", required_argument, NULL, 'p'},
        {"web-root", required_argument, NULL, 'r'}, {"workers", required_argument, NULL, 'w'},
        {"user", required_argument, NULL, 'u'},     {"nginx", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},           {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *out = (struct options){.host = "127.0.0.1", .port = 8080, .web_root = PAGEDIR};
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'h': fputs(help, stdout); return OPTIONS_ANSWERED;
        case 'v': puts(PROGRAM " " PACKAGE_VERSION); return OPTIONS_ANSWERED;
        case '?': fputs("Try '" PROGRAM " --help'.\n", stderr); return OPTIONS_WRONG;
        default:
            if (!one_read(out, option, optarg, err))
                return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        error_set(err, ERROR_BAD_REQUEST, "'%s' is one argument too many", argv[optind]);
        return OPTIONS_WRONG;
    }
    if (!out->config || !out->database) {
        error_set(err, ERROR_BAD_REQUEST, "%s FILE is missing", out->config ? "--database" : "--config");
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
