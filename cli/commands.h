/* The commands, a file each. cli/main.c has their table. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command command_snapshot; /* what happens without a command */
extern const struct command command_book;
extern const struct command command_cancel;
extern const struct command command_done;
extern const struct command command_edit;
extern const struct command command_events;
extern const struct command command_extend;
extern const struct command command_find;
extern const struct command command_list;
extern const struct command command_nodes;
extern const struct command command_reload;
extern const struct command command_run;
extern const struct command command_show;
extern const struct command command_usage;
extern const struct command command_watch;

#endif
