/*
 * What the commands share between the connection and the screen: calls that respect --json, the members of answers, times
 * from options, and output that a terminal survives.
 */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/table.h"
#include "common/json_write.h"

/*
 * Sends REQUEST and reads the answer as http_call does. With --json the answer's JSON is printed first, also a refusal's;
 * commands then print nothing else. OUT may be NULL.
 */
bool talk_call(struct cli *cli, const struct http_request *request, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));
/* The same for a GET of PATH. */
bool talk_get(struct cli *cli, const char *path, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));
/* The same, but never printed: a question that only prepares the command's own. */
bool talk_ask(struct cli *cli, const char *path, struct json_object **out, struct error *err)
    __attribute__((warn_unused_result));
/* METHOD with BODY, which is finished here; BODY NULL sends none. */
bool talk_write(struct cli *cli, const char *method, const char *path, const struct buffer *body, struct json_object **out,
                struct error *err) __attribute__((warn_unused_result));

/* The array NAME of an answer, borrowed. NULL, with the sentence in ERR, when there is none: something else than a planner
 * has answered. */
struct json_object *talk_array(struct cli *cli, struct json_object *answer, const char *name, struct error *err);
/* Says that. Returns false. */
bool talk_foreign(struct cli *cli, struct error *err);

/* Members of an answer. What is missing or of another type is "" or 0. Borrowed from OBJECT. */
const char *talk_text(struct json_object *object, const char *name);
int64_t talk_integer(struct json_object *object, const char *name);
/* An hour as the server writes it; HOUR_NONE when it is none. */
hour_t talk_hour(struct json_object *object, const char *name);
/* The elements of an array: 0 when there is none. */
size_t talk_count(struct json_object *array);
/* The texts in an array, with ", " between them. In the arena. */
const char *talk_join(struct cli *cli, struct json_object *array);

/* The instant of option NAME; *GIVEN tells whether it is there. BASE is what "+4h" counts from. */
bool talk_when(const struct cli *cli, const char *name, instant_t now, instant_t base, bool *given, instant_t *out,
               struct error *err) __attribute__((warn_unused_result));
/* Adds NAME=time to PATH, or to a body, when option NAME is there. "+4h" counts from now. */
bool talk_query_when(const struct cli *cli, struct buffer *path, const char *name, struct error *err)
    __attribute__((warn_unused_result));
/* Adds each value of option OPTION as PARAMETER. */
void talk_query_values(const struct cli *cli, struct buffer *path, const char *option, const char *parameter);
instant_t talk_now(void);
/* A booking's number among the operands: a whole number above 0. */
bool talk_booking_id(const char *text, int64_t *out, struct error *err) __attribute__((warn_unused_result));

/* The answer as it came, when it is JSON; nothing in it moves a cursor. */
void talk_print_json(const struct http_answer *answer);
/* CSV: into a file or a pipe as it is, on a terminal made fit for one, line by line. */
void talk_print_csv(const char *bytes, size_t length);
/* Prints to stdout what is made of formats and foreign texts: the whole line goes through width_safe, its '\n' aside. */
void talk_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same to stderr. */
void talk_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints TABLE as --csv or a list; EMPTY says on stderr that a list has no rows. */
void talk_table(const struct cli *cli, const struct table *table, const char *empty);
/* A cell with an hour: "2026-11-23 14:00", with --csv as the server writes it. */
void talk_add_hour(const struct cli *cli, struct table *table, hour_t hour);
/* "1 hour", "36 hours". In the arena. */
const char *talk_hours(struct cli *cli, int64_t hours);
/* "2026-11-23 14:00 – 18:00 UTC": the date once where both lie on one day. In the arena. */
const char *talk_window(struct cli *cli, struct window window);
/* The colour of a priority's name. */
enum table_color talk_color(const char *priority);

/*
 * Prints who holds what until when, for a conflict; then asks when that many GPUs of NODE are free together for so long, and
 * says that, too. QUIET about the latter when the server does not know. AFTER: no earlier.
 */
void talk_conflict(struct cli *cli, const struct error *err, const char *node_id, int64_t gpus, int64_t hours, hour_t after);

#endif
