#include "cli/arguments.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

#define OPTIONS_MAX 64
#define COMMANDS_MAX 32
#define HOST_SIZE 256

const struct cli_option arguments_common[] = {
    {"url", 0, "URL", "where the planner is, as in http://host/procplan"},
    {"user", 0, "NAME", "who you are, for the planner's log and as the label of bookings (your login name)"},
    {"timeout", 0, "SECONDS", "how long to wait for an answer (60)"},
    {"color", 0, "WHEN", "auto (on a terminal, the default), always or never"},
    {"help", 'h', NULL, "this text"},
    {"version", 0, NULL, "the version"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option json_option[] = {{"json", 0, NULL, "print what the server said"}, {NULL, 0, NULL, NULL}};
static const struct cli_option csv_option[] = {{"csv", 0, NULL, "print comma-separated values (RFC 4180)"},
                                               {NULL, 0, NULL, NULL}};

/* A command's options, its own first; as the parser and the help want them. */
struct known {
    const struct cli_option *options[OPTIONS_MAX];
    size_t count;
};

static void know(struct known *known, const struct cli_option *options)
{
    for (; options && options->name && known->count < OPTIONS_MAX - 1; options++)
        known->options[known->count++] = options;
}

static struct known known_of(const struct command *command)
{
    struct known known = {.count = 0};

    know(&known, command->options);
    if (!command->no_json)
        know(&known, json_option);
    if (command->csv)
        know(&known, csv_option);
    know(&known, arguments_common);
    return known;
}

/* -- help -------------------------------------------------------------------------------------------------------- */

#define HELP_COLUMN 26

static void print_options(const struct known *known)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct cli_option *o = known->options[i];
        char left[80];
        int n = snprintf(left, sizeof left, "  %s%c%s--%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : ' ',
                         o->letter ? ", " : "   ", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("%s%*s%s\n", left, n < HELP_COLUMN + 2 ? HELP_COLUMN + 2 - n : 1, "", o->help);
    }
}

static void print_command_help(const struct command *command)
{
    struct known known = known_of(command);

    printf("Usage: " CLI_PROGRAM " %s [OPTION]...%s%s\n%c%s.\n", command->name, command->operands ? " " : "",
           command->operands ? command->operands : "", command->summary[0] - 'a' + 'A', command->summary + 1);
    if (command->details)
        printf("\n%s", command->details);
    printf("\nOptions:\n");
    print_options(&known);
    printf("\nExample:\n%s", command->example);
}

static void print_help(const struct command *const *commands)
{
    struct known known = known_of(commands[0]);

    printf("Usage: " CLI_PROGRAM " [OPTION]...\n       " CLI_PROGRAM " COMMAND [OPTION]...\n"
           "Plans, books and gives back GPUs. Without a command: %s.\n\n%s\nOptions:\n",
           commands[0]->summary, commands[0]->details);
    print_options(&known);
    printf("\nCommands (each has a --help with an example):\n");
    for (size_t i = 1; commands[i]; i++)
        printf("  %-*s%s\n", 12, commands[i]->name, commands[i]->summary);
    printf(
        "\nThe planner's address comes from --url, $PROCPLAN_URL, ~/.config/procplan/config or /etc/procplan/cli.conf\n"
        "(a line \"url = http://host/procplan\"). Times are UTC unless they say otherwise (+02:00): ISO 8601, now, today,\n"
        "\"tomorrow 09:00\", fri, 14:00, +4h, +2d. Exit status: 0 done, 1 refused or failed, 2 wrong command line, 3 conflict.\n"
        "\nExample:\n%s\nSee " CLI_PROGRAM "(1).\n",
        commands[0]->example);
}

/* -- reading ----------------------------------------------------------------------------------------------------- */

static void to_getopt(const struct known *known, struct option *out, char *letters, bool operands_last)
{
    *letters++ = operands_last ? '+' : '-'; /* in '-' mode an operand comes as the value of option 1 */
    *letters++ = ':';
    for (size_t i = 0; i < known->count; i++) {
        const struct cli_option *o = known->options[i];
        out[i] = (struct option){o->name, o->value ? required_argument : no_argument, NULL, 256 + (int)i};
        if (o->letter) {
            *letters++ = o->letter;
            if (o->value)
                *letters++ = ':';
        }
    }
    out[known->count] = (struct option){NULL, 0, NULL, 0};
    *letters = '\0';
}

static const struct cli_option *option_of(const struct known *known, int option)
{
    if (option >= 256)
        return known->options[option - 256];
    for (size_t i = 0; i < known->count; i++)
        if (known->options[i]->letter == option)
            return known->options[i];
    return NULL;
}

static bool refuse_option(const struct known *known, const char *word, int option, struct error *err)
{
    const char *names[OPTIONS_MAX], *near;
    char shown[100], name[100];
    size_t length = strcspn(word, "=");

    text_escape(word, length, shown, sizeof shown);
    if (option == ':')
        return error_set(err, ERROR_BAD_REQUEST, "%s wants a value", shown);
    for (size_t i = 0; i < known->count; i++)
        names[i] = known->options[i]->name;
    snprintf(name, sizeof name, "%s", shown + (length > 2 && strncmp(word, "--", 2) == 0 ? 2 : 0));
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(name, names[i]) == 0)
            return error_set(err, ERROR_BAD_REQUEST, "%s takes no value", shown);
    near = text_nearest(name, names, known->count);
    return error_set(err, ERROR_BAD_REQUEST, "%s is not an option here%s%s%s", shown, near ? "; did you mean --" : "",
                     near ? near : "", near ? "?" : "");
}

/* A long option of any command, as WORD begins with it; NULL when none has it. */
static const struct cli_option *any_option(const struct command *const *commands, const char *word)
{
    for (; *commands; commands++) {
        struct known known = known_of(*commands);
        for (size_t i = 0; i < known.count; i++)
            if (strcmp(word + 2, known.options[i]->name) == 0)
                return known.options[i];
    }
    return NULL;
}

/*
 * The place of the command's name in ARGV, 0 when there is none. Which words before it are values of options depends on the
 * options: those that any command has are asked. Behind one that nobody knows nothing is certain: that one is the fault.
 */
static int find_command(const struct command *const *commands, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0)
            return 0;
        if (word[0] != '-' || !word[1])
            return i;
        if (word[1] != '-' || strchr(word, '='))
            continue;
        const struct cli_option *option = any_option(commands, word);
        if (!option)
            return 0;
        i += option->value != NULL;
    }
    return 0;
}

static const struct command *command_named(const struct command *const *commands, const char *name)
{
    for (size_t i = 1; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool refuse_command(const struct command *const *commands, const char *name, struct error *err)
{
    const char *names[COMMANDS_MAX], *near;
    size_t count = 0;
    char shown[100];

    for (size_t i = 1; commands[i] && count < COMMANDS_MAX; i++)
        names[count++] = commands[i]->name;
    near = text_nearest(name, names, count);
    text_escape(name, strlen(name), shown, sizeof shown);
    return error_set(err, ERROR_BAD_REQUEST, "there is no command '%s'%s%s%s", shown, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

/* Fills CLI's options and operands from the words behind argv[0]. */
static bool read_words(struct cli *cli, const struct known *known, int argc, char **argv, struct error *err)
{
    struct option options[OPTIONS_MAX];
    char letters[2 * OPTIONS_MAX + 3];
    struct cli_given *given = arena_array(cli->arena, (size_t)argc + 1, sizeof *given);
    int option;

    cli->operands = arena_array(cli->arena, (size_t)argc + 1, sizeof *cli->operands);
    cli->given = given;
    to_getopt(known, options, letters, cli->command->operands_last);
    opterr = 0;
    optind = 0;
    while (optind < argc || optind == 0) {
        char *word = argv[optind ? optind : 1];
        option = getopt_long(argc, argv, letters, options, NULL);
        if (option == -1)
            break;
        if (option == 1) {
            cli->operands[cli->operand_count++] = optarg;
            continue;
        }
        const struct cli_option *found = option == '?' || option == ':' ? NULL : option_of(known, option);
        if (!found)
            return refuse_option(known, word, option, err);
        given[cli->given_count++] = (struct cli_given){found->name, found->value ? optarg : NULL};
    }
    for (int i = optind; i < argc; i++)
        cli->operands[cli->operand_count++] = argv[i];
    return true;
}

static bool check_operands(const struct cli *cli, struct error *err)
{
    const struct command *command = cli->command;
    char shown[100];

    if (cli->operand_count < command->operands_min)
        return error_set(err, ERROR_BAD_REQUEST, "%s wants %s", command->name, command->operands);
    if (cli->operand_count <= command->operands_max)
        return true;
    const char *extra = cli->operands[command->operands_max];
    text_escape(extra, strlen(extra), shown, sizeof shown);
    return error_set(err, ERROR_BAD_REQUEST, "'%s' is one word too many", shown);
}

static bool read_color(struct cli *cli, struct error *err)
{
    const char *when = cli_value(cli, "color"), *none = getenv("NO_COLOR"), *term = getenv("TERM");

    if (!when || strcmp(when, "auto") == 0) /* https://no-color.org */
        cli->color = isatty(STDOUT_FILENO) && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
    else if (strcmp(when, "always") == 0)
        cli->color = true;
    else if (strcmp(when, "never") != 0)
        return error_set(err, ERROR_BAD_REQUEST, "--color is auto, always or never");
    return true;
}

enum arguments_outcome arguments_read(struct cli *cli, const struct command *const *commands, int argc, char **argv,
                                      struct error *err)
{
    int at = find_command(commands, argc, argv), count = 0;
    char **words = arena_array(cli->arena, (size_t)argc + 1, sizeof *words);
    struct known known;

    cli->command = commands[0];
    if (at > 0 && !(cli->command = command_named(commands, argv[at]))) {
        refuse_command(commands, argv[at], err);
        return ARGUMENTS_WRONG;
    }
    for (int i = 0; i < argc; i++)
        if (i != at || at == 0)
            words[count++] = argv[i];
    known = known_of(cli->command);
    if (!read_words(cli, &known, count, words, err))
        return ARGUMENTS_WRONG;
    if (cli_has(cli, "help")) {
        if (at > 0)
            print_command_help(cli->command);
        else
            print_help(commands);
        return ARGUMENTS_ANSWERED;
    }
    if (cli_has(cli, "version")) {
        puts(CLI_PROGRAM " " PACKAGE_VERSION);
        return ARGUMENTS_ANSWERED;
    }
    cli->json = cli_has(cli, "json");
    cli->csv = cli_has(cli, "csv");
    if (cli->json && cli->csv)
        error_set(err, ERROR_BAD_REQUEST, "--json and --csv exclude each other");
    else if (check_operands(cli, err) && read_color(cli, err))
        return ARGUMENTS_RUN;
    return ARGUMENTS_WRONG;
}

/* -- what commands ask ------------------------------------------------------------------------------------------ */

const char *cli_value(const struct cli *cli, const char *name)
{
    for (size_t i = cli->given_count; i-- > 0;)
        if (strcmp(cli->given[i].name, name) == 0)
            return cli->given[i].value ? cli->given[i].value : "";
    return NULL;
}

void cli_hide(struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->given_count; i++) {
        struct cli_given *given = &cli->given[i];
        if (strcmp(given->name, name) != 0 || !given->value)
            continue;
        char *shown = given->value;
        given->value = arena_copy(cli->arena, shown, strlen(shown));
        memset(shown, '*', strlen(shown));
    }
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_value(cli, name) != NULL;
}

const char **cli_values(const struct cli *cli, const char *name, size_t *count)
{
    const char **values = arena_array(cli->arena, cli->given_count + 1, sizeof *values);
    size_t found = 0;

    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].name, name) == 0)
            values[found++] = cli->given[i].value ? cli->given[i].value : "";
    if (count)
        *count = found;
    return values;
}

bool cli_integer(const struct cli *cli, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out,
                 struct error *err)
{
    const char *text = cli_value(cli, name);
    char shown[60];

    *out = fallback;
    if (!text || (integer_parse(text, out) && *out >= min && *out <= max))
        return true;
    text_escape(text, strlen(text), shown, sizeof shown);
    return error_set(err, ERROR_BAD_REQUEST, "--%s wants a whole number from %lld to %lld, not '%s'", name, (long long)min,
                     (long long)max, shown);
}

int cli_wrong(struct error *err, const char *format, ...)
{
    va_list arguments;
    char text[sizeof err->message];

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(err, ERROR_BAD_REQUEST, "%s", text);
    return CLI_USAGE;
}

int cli_refused(const struct error *err)
{
    return err->code == ERROR_CONFLICT ? CLI_CONFLICT : CLI_FAILED;
}

const char *cli_host(struct cli *cli)
{
    char name[HOST_SIZE] = "";

    if (gethostname(name, sizeof name - 1) != 0)
        name[0] = '\0';
    return arena_text(cli->arena, name);
}

const char *cli_short_host(struct cli *cli)
{
    const char *name = cli_host(cli);

    return arena_copy(cli->arena, name, strcspn(name, "."));
}
