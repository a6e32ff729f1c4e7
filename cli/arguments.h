/*
 * The command line: which command, which options, and the --help that is made from the same tables.
 */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "cli/command.h"

enum arguments_outcome {
    ARGUMENTS_RUN,      /* CLI is filled */
    ARGUMENTS_ANSWERED, /* --help or --version has been printed */
    ARGUMENTS_WRONG,    /* ERR says it, or when that is empty it has been said */
};

/* The options that every command takes. */
extern const struct cli_option arguments_common[];

/*
 * Finds the command in ARGV (COMMANDS[0] when there is none), reads its options and operands into CLI, whose arena is there.
 * Options may stand before the command's name, too. CLI borrows from ARGV and COMMANDS.
 */
enum arguments_outcome arguments_read(struct cli *cli, const struct command *const *commands, int argc, char **argv,
                                      struct error *err);

#endif
