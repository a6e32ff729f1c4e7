/*
 * procplan-admin: what an administrator does with the database. Options, and how things are said; the work is done in admin/.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgi/admin/admin.h"
#include "cgi/admin/files.h"
#include "common/clock.h"
#include "common/text.h"

#include "common/banned.h"

#define PROGRAM "procplan-admin"
#define PROGRESS_EVERY_MS 100
#define PROGRESS_BLANKS "                " /* as long as its longest line */

static const char help[] =
    "usage: " PROGRAM " adopt OLD.db --database FILE [--leave-out]\n"
    "       " PROGRAM " backup FILE --database FILE\n"
    "       " PROGRAM " restore FILE --database FILE\n"
    "       " PROGRAM " check --database FILE\n"
    "       " PROGRAM " vacuum --database FILE\n"
    "Looks after ProcPlan's database.\n"
    "\n"
    "  adopt     bring every booking over from a database of the original ProcPlan\n"
    "  backup    make a copy while the server runs, and check it\n"
    "  restore   put a backup in the database's place; the server must be stopped\n"
    "  check     say whether the database is sound, while the server runs\n"
    "  vacuum    make the file as small as it can be; writers wait meanwhile\n"
    "\n"
    "  --database FILE    where bookings are kept (or the variable PROCPLAN_DATABASE)\n"
    "  --leave-out        adopt: leave out the bookings that cannot be brought over\n"
    "  --version, --help  say it, and end\n"
    "\n"
    "Ends with 0 when all is well, 1 when it failed, 2 for wrong options, 3 when faults were found.\n"
    "Started as root, it becomes the user that owns the database. See " PROGRAM "(8).\n";

static const struct {
    const char *name;
    admin_command_fn run;
    bool takes_file, before_owner; /* the last: it opens FILE as whoever started it, and becomes the owner itself */
} commands[] = {
    {"adopt", admin_adopt, true, true},    {"backup", admin_backup, true, false}, {"restore", admin_restore, true, true},
    {"check", admin_check, false, false}, {"vacuum", admin_vacuum, false, false},
};

/* -- saying ----------------------------------------------------------------------------------------------------- */

/* Whether the terminal's line shows how far it is. */
static bool progress_shown;

/* Whatever is said next begins its line. */
static void clear_progress(void)
{
    if (progress_shown)
        fputs("\r" PROGRESS_BLANKS "\r", stderr);
    progress_shown = false;
}

__attribute__((format(printf, 3, 0))) static void say(FILE *to, const char *before, const char *format, va_list arguments)
{
    char line[2048], safe[4 * sizeof line];

    clear_progress();
    vsnprintf(line, sizeof line, format, arguments);
    text_escape(line, strlen(line), safe, sizeof safe);
    fprintf(to, "%s%s\n", before, safe);
}

void admin_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(stdout, "", format, arguments);
    va_end(arguments);
}

void admin_warn(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(stderr, PROGRAM ": ", format, arguments);
    va_end(arguments);
}

void admin_progress_show(void *context, int64_t done, int64_t total)
{
    static const char wheel[] = "|/-\\";
    struct admin_progress *progress = context;
    int64_t now = clock_ms();

    if (!isatty(STDERR_FILENO) || (progress->shown_ms != 0 && now - progress->shown_ms < PROGRESS_EVERY_MS))
        return;
    progress->shown_ms = now;
    progress_shown = true;
    if (total > 0)
        fprintf(stderr, "\r%s: %3d %%", progress->doing, (int)(done * 100 / total));
    else
        fprintf(stderr, "\r%s: %c", progress->doing, wheel[progress->turns++ % 4]);
    fflush(stderr);
}

void admin_progress_end(struct admin_progress *progress)
{
    clear_progress();
    progress->shown_ms = 0;
}

void admin_fault(void *context, const char *sentence)
{
    admin_progress_end(context);
    admin_say("%s", sentence);
}

struct store_listener admin_listener(struct admin_progress *progress)
{
    admin_progress_show(progress, 0, 0); /* at once: the first step may take long */
    return (struct store_listener){admin_progress_show, admin_fault, progress};
}

/* -- options ---------------------------------------------------------------------------------------------------- */

static _Noreturn void usage(const char *what, const char *name)
{
    admin_warn("%s%.100s", what, name);
    fputs("Try '" PROGRAM " --help'.\n", stderr);
    exit(ADMIN_USAGE);
}

static void read_options(int argc, char **argv, struct admin *out)
{
    enum { OPT_DATABASE = 256, OPT_LEAVE_OUT, OPT_VERSION, OPT_HELP };
    static const struct option table[] = {
        {"database", required_argument, NULL, OPT_DATABASE}, {"leave-out", no_argument, NULL, OPT_LEAVE_OUT},
        {"version", no_argument, NULL, OPT_VERSION},         {"help", no_argument, NULL, OPT_HELP},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case OPT_DATABASE: out->database = optarg; break;
        case OPT_LEAVE_OUT: out->leave_out = true; break;
        case OPT_VERSION:
            printf(PROGRAM " " PACKAGE_VERSION ", SQLite %s\n", store_library_version());
            exit(ADMIN_DONE);
        case OPT_HELP:
            fputs(help, stdout);
            exit(ADMIN_DONE);
        default: /* getopt_long has said what is wrong */
            fputs("Try '" PROGRAM " --help'.\n", stderr);
            exit(ADMIN_USAGE);
        }
    }
}

/* The command's place in the table; its argument goes to OUT. */
static size_t read_command(int count, char **words, struct admin *out)
{
    size_t i = 0;

    if (count == 0)
        usage("no command: one of adopt, backup, restore, check, vacuum", "");
    while (i < sizeof commands / sizeof commands[0] && strcmp(commands[i].name, words[0]) != 0)
        i++;
    if (i == sizeof commands / sizeof commands[0])
        usage("no such command: ", words[0]);
    if (commands[i].takes_file && (count < 2 || words[1][0] == '\0'))
        usage("name the FILE: ", words[0]);
    if (count > (commands[i].takes_file ? 2 : 1))
        usage("one too many: ", words[count - 1]);
    if (out->leave_out && commands[i].run != admin_adopt)
        usage("--leave-out goes with adopt", "");
    out->file = commands[i].takes_file ? words[1] : NULL;
    return i;
}

int main(int argc, char **argv)
{
    struct admin admin = {.database = getenv("PROCPLAN_DATABASE")};
    struct error err = ERROR_INIT;
    int status = ADMIN_FAILED;

    umask(077);
    read_options(argc, argv, &admin);
    size_t command = read_command(argc - optind, argv + optind, &admin);
    if (admin.database == NULL || admin.database[0] == '\0')
        usage("--database FILE is missing: where bookings are kept", "");
    char *database = path_resolve(admin.database, &err);
    admin.database = database;
    if (database != NULL && (commands[command].before_owner || become_owner(database, &err)))
        status = commands[command].run(&admin, &err);
    clear_progress();
    if (err.code != ERROR_NONE)
        admin_warn("%s%s%s", err.message, err.detail[0] != '\0' ? ": " : "", err.detail);
    error_clear(&err);
    free(database);
    if (fflush(stdout) != 0 && status == ADMIN_DONE) {
        admin_warn("what was done cannot be said: standard output cannot be written");
        status = ADMIN_FAILED;
    }
    return status;
}
