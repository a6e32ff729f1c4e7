#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/width.h"
#include "common/json_read.h"

#include "common/banned.h"

const struct command *const cli_commands[] = {
    &command_snapshot, &command_book,   &command_list, &command_show,  &command_edit,  &command_extend,
    &command_cancel,   &command_done,   &command_find, &command_nodes, &command_usage, &command_events,
    &command_watch,    &command_reload, &command_run,  NULL,
};

/* The one place where an error is printed. Server and files may have sent anything: nothing of it moves the cursor. */
static void say(const struct error *err)
{
    struct buffer line = BUFFER_INIT;

    if (err->code == ERROR_NONE)
        return;
    width_safe(&line, err->message, strlen(err->message));
    fflush(stdout);
    fprintf(stderr, CLI_PROGRAM ": %s\n", line.data);
    buffer_release(&line);
}

static bool read_timeout(const struct cli *cli, double *out, struct error *err)
{
    const char *text = cli_value(cli, "timeout");
    char *end;

    *out = 0;
    if (!text)
        return true;
    *out = strtod(text, &end);
    return (*text && !*end && *out > 0 && *out <= HTTP_TIMEOUT_MAX) ||
           error_set(err, ERROR_BAD_REQUEST, "--timeout wants seconds, up to a day");
}

/* What --url says, kept out of sight of ps. */
static const char *take_url(struct cli *cli)
{
    const char *url = cli_value(cli, "url"), *kept = url ? arena_text(cli->arena, url) : NULL;

    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].name, "url") == 0)
            settings_hide_login(cli->given[i].value);
    return kept;
}

/* Settings and connection. A fault in a file, or no URL, is a matter of the command line: 2. */
static bool prepare(struct cli *cli, struct error *err)
{
    struct http_settings http = {.program = CLI_PROGRAM};
    struct error refused = ERROR_INIT;

    if (!read_timeout(cli, &http.timeout, err) || !settings_load(&cli->settings, cli->arena, take_url(cli), err))
        return false;
    cli->user = cli_value(cli, "user");
    if (!cli->user)
        cli->user = cli->settings.user ? cli->settings.user : settings_login(cli->arena);
    if (!cli->settings.url)
        return settings_no_url(err);
    http.url = cli->settings.url;
    http.user = cli->user;
    if (http_open(&cli->http, &http, &refused))
        return true;
    error_set(err, refused.code, "%s: %s", cli->settings.url_source, refused.message);
    error_clear(&refused);
    return false;
}

/* What is written but did not arrive (a full disk) is a failure, too. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    perror(CLI_PROGRAM ": the output cannot be written");
    return status == CLI_DONE ? CLI_FAILED : status;
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct error err = ERROR_INIT;
    struct cli cli = {.arena = &arena};
    int status = CLI_USAGE;

    arena_init(&arena);
    switch (arguments_read(&cli, cli_commands, argc, argv, &err)) {
    case ARGUMENTS_ANSWERED: status = CLI_DONE; break;
    case ARGUMENTS_WRONG:
        say(&err);
        fprintf(stderr, "Try '" CLI_PROGRAM "%s%s --help'.\n", cli.command && cli.command != cli_commands[0] ? " " : "",
                cli.command && cli.command != cli_commands[0] ? cli.command->name : "");
        break;
    case ARGUMENTS_RUN:
        if (prepare(&cli, &err))
            status = cli.command->run(&cli, &err);
        say(&err);
        break;
    }
    status = finish(status);
    http_close(cli.http);
    error_clear(&err);
    arena_release(&arena);
    return status;
}
