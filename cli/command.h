/*
 * What procplan-cli can do: a table of commands, a file each. A command describes its options in a table, from which both
 * the parser and its --help are made; it gets them read, with the connection open, and returns the program's exit status.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/http.h"
#include "cli/settings.h"
#include "common/arena.h"
#include "common/error.h"

#define CLI_PROGRAM "procplan-cli"

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,   /* refused, or not possible */
    CLI_USAGE = 2,    /* the command line is wrong; nothing was sent */
    CLI_CONFLICT = 3, /* other bookings are in the way */
};

/* One option. A table of them ends with a NULL name. */
struct cli_option {
    const char *name;  /* without the dashes */
    char letter;       /* '-a' as well; 0: none */
    const char *value; /* what --help calls its value; NULL: it takes none */
    const char *help;
};

struct cli_given {
    const char *name;
    char *value; /* in argv; NULL for an option without one */
};

struct cli {
    struct arena *arena; /* lives as long as the command runs */
    struct settings settings;
    struct http *http;   /* NULL for a command that is `offline` */
    const char *user;    /* who writes: settings.user or the login name; NULL when unknown */
    bool json, csv;      /* what to print instead of text for people */
    bool color;          /* stdout wants colour */
    const struct command *command;
    struct cli_given *given; /* the options, in their order */
    size_t given_count;
    char **operands; /* what else stood on the command line; ends with NULL */
    size_t operand_count;
};

struct command {
    const char *name;
    const char *operands; /* for --help: "ID", "-- COMMAND…"; NULL: none */
    size_t operands_min, operands_max;
    const char *summary;  /* what it does: begins small, ends without a period */
    const char *details;  /* more for --help; NULL: nothing */
    const char *example;  /* lines, indented by two, each with a newline */
    const struct cli_option *options;
    bool csv;            /* it knows --csv */
    bool no_json;        /* it does not know --json */
    bool operands_last;  /* options end with the first operand: what follows is another program's */
    int (*run)(struct cli *cli, struct error *err);
};

/*
 * RUN returns an enum cli_exit (or, for `run`, the other program's status). When it fails it may leave its sentence in ERR,
 * which main prints as "procplan-cli: SENTENCE"; when ERR is empty it has said what there was to say itself. cli_refused
 * gives the exit status that belongs to an error.
 */
int cli_refused(const struct error *err);
/* Says that the command line is wrong. Returns CLI_USAGE. */
int cli_wrong(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The last value given for option NAME (a flag's is ""), or NULL. */
const char *cli_value(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* From here on ps and /proc show asterisks in place of the values of NAME; cli_value gives them as before. */
void cli_hide(struct cli *cli, const char *name);
/* All values given for NAME, in their order, NULL behind them; *COUNT may be NULL. In the arena. */
const char **cli_values(const struct cli *cli, const char *name, size_t *count);
/* A whole number from MIN to MAX; DEFAULT when it is not given. False, with the sentence in ERR, when it is none. */
bool cli_integer(const struct cli *cli, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out,
                 struct error *err) __attribute__((warn_unused_result));
/* This machine's name, as the system has it; "" when it has none. In the arena. */
const char *cli_host(struct cli *cli);
/* The host name up to its first dot. In the arena. */
const char *cli_short_host(struct cli *cli);

/* The table; its end has a NULL name. The first one is what happens without a command. */
extern const struct command *const cli_commands[];

#endif
