#include "cli/talk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/when.h"
#include "cli/width.h"
#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

/* -- calls -------------------------------------------------------------------------------------------------------- */

/* Within JSON what a terminal obeys can only stand in a string, where \u00XX says
 * the same. */
void talk_print_json(const struct http_answer *answer)
{
    struct error unread = ERROR_INIT;
    struct json_object *json = NULL;
    struct buffer out = BUFFER_INIT;
    const char *bytes = answer->body.data;
    uint32_t c = 0;
    size_t size;

    if (json_read_large(bytes, answer->body.length, HTTP_ANSWER_CONTAINERS_MAX, &json, &unread)) {
        for (size_t at = 0; at < answer->body.length; at += size) {
            size = text_decode(bytes + at, answer->body.length - at, &c);
            if (size == 0) /* json_read lets none through */
                break;
            if (width_turns(c) || (c >= 0x7f && text_has_control(bytes + at, size)))
                buffer_printf(&out, "\\u%04x", (unsigned)c);
            else
                buffer_append(&out, bytes + at, size);
        }
        if (out.length > 0 && out.data[out.length - 1] != '\n')
            buffer_append_char(&out, '\n');
        fwrite(out.data, 1, out.length, stdout);
    }
    json_object_put(json);
    error_clear(&unread);
    buffer_release(&out);
}

static bool call(struct cli *cli, const struct http_request *request, bool print, struct json_object **out,
                 struct error *err)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    bool done = http_send(cli->http, request, &answer, err);

    if (done && print)
        talk_print_json(&answer);
    done = done && http_result(cli->http, request, &answer, out, err);
    http_answer_release(&answer);
    return done;
}

bool talk_call(struct cli *cli, const struct http_request *request, struct json_object **out, struct error *err)
{
    return call(cli, request, cli->json, out, err);
}

bool talk_get(struct cli *cli, const char *path, struct json_object **out, struct error *err)
{
    return call(cli, &(struct http_request){.method = "GET", .path = path}, cli->json, out, err);
}

bool talk_ask(struct cli *cli, const char *path, struct json_object **out, struct error *err)
{
    return call(cli, &(struct http_request){.method = "GET", .path = path}, false, out, err);
}

bool talk_write(struct cli *cli, const char *method, const char *path, const struct buffer *body, struct json_object **out,
                struct error *err)
{
    return call(
        cli,
        &(struct http_request){
            .method = method, .path = path, .body = body ? body->data : NULL, .body_length = body ? body->length : 0},
        cli->json, out, err);
}

bool talk_foreign(struct cli *cli, struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "%s answered something that no planner says; check the address",
                     http_base(cli->http));
}

struct json_object *talk_array(struct cli *cli, struct json_object *answer, const char *name, struct error *err)
{
    struct json_object *array = json_member(answer, name);

    if (json_object_is_type(array, json_type_array))
        return array;
    talk_foreign(cli, err);
    return NULL;
}

/* -- members of answers -------------------------------------------------------------------------------------------- */

const char *talk_text(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

int64_t talk_integer(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
}

hour_t talk_hour(struct json_object *object, const char *name)
{
    const char *text = talk_text(object, name);
    instant_t instant;

    return instant_parse(text, strlen(text), &instant) ? hour_floor(instant) : HOUR_NONE;
}

size_t talk_count(struct json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

const char *talk_join(struct cli *cli, struct json_object *array)
{
    struct buffer out = BUFFER_INIT;
    const char *joined;

    for (size_t i = 0; i < talk_count(array); i++) {
        struct json_object *one = json_object_array_get_idx(array, i);
        buffer_append_text(&out, i > 0 ? ", " : "");
        buffer_append_text(&out, json_object_is_type(one, json_type_string) ? json_object_get_string(one) : "?");
    }
    joined = arena_text(cli->arena, out.data ? out.data : "");
    buffer_release(&out);
    return joined;
}

/* -- options -------------------------------------------------------------------------------------------------------- */

instant_t talk_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INSTANTS_PER_SECOND + now.tv_nsec / 1000;
}

bool talk_when(const struct cli *cli, const char *name, instant_t now, instant_t base, bool *given, instant_t *out,
               struct error *err)
{
    const char *text = cli_value(cli, name);
    struct error wrong = ERROR_INIT;

    *given = text != NULL;
    *out = 0;
    if (!text || when_parse(text, now, base, out, &wrong))
        return true;
    error_set(err, ERROR_BAD_REQUEST, "--%s: %s", name, wrong.message);
    error_clear(&wrong);
    return false;
}

bool talk_query_when(const struct cli *cli, struct buffer *path, const char *name, struct error *err)
{
    instant_t now = talk_now(), instant;
    char text[WHEN_TEXT_SIZE];
    bool given;

    if (!talk_when(cli, name, now, now, &given, &instant, err))
        return false;
    if (given) {
        when_format(instant, text);
        http_query_add(path, name, text);
    }
    return true;
}

void talk_query_values(const struct cli *cli, struct buffer *path, const char *option, const char *parameter)
{
    const char **values = cli_values(cli, option, NULL);

    for (size_t i = 0; values[i]; i++)
        http_query_add(path, parameter, values[i]);
}

bool talk_booking_id(const char *text, int64_t *out, struct error *err)
{
    char shown[60];

    if (integer_parse(text, out) && *out > 0)
        return true;
    text_escape(text, strlen(text), shown, sizeof shown);
    return error_set(err, ERROR_BAD_REQUEST, "'%s' is no booking's number; 'procplan-cli list' shows them", shown);
}

/* -- output --------------------------------------------------------------------------------------------------------- */

static void print_safe(FILE *stream, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

static void print_safe(FILE *stream, const char *format, va_list arguments)
{
    struct buffer out = BUFFER_INIT;
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);

    if (length < 0)
        abort();
    bool line = length > 0 && text[length - 1] == '\n';
    width_safe(&out, text, (size_t)length - line);
    if (line)
        buffer_append_char(&out, '\n');
    fwrite(out.data, 1, out.length, stream);
    buffer_release(&out);
    free(text);
}

void talk_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_safe(stdout, format, arguments);
    va_end(arguments);
}

void talk_warn(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    va_start(arguments, format);
    print_safe(stderr, format, arguments);
    va_end(arguments);
}

void talk_print_csv(const char *bytes, size_t length)
{
    struct buffer out = BUFFER_INIT;
    const char *end = bytes + length, *line_end;

    if (!isatty(STDOUT_FILENO)) {
        fwrite(bytes, 1, length, stdout);
        return;
    }
    for (; bytes < end; bytes = line_end < end ? line_end + 1 : end) {
        line_end = memchr(bytes, '\n', (size_t)(end - bytes));
        line_end = line_end ? line_end : end;
        width_safe(&out, bytes, (size_t)(line_end - bytes) - (line_end > bytes && line_end[-1] == '\r'));
        buffer_append_char(&out, '\n');
    }
    if (out.length > 0)
        fwrite(out.data, 1, out.length, stdout);
    buffer_release(&out);
}

void talk_table(const struct cli *cli, const struct table *table, const char *empty)
{
    struct buffer out = BUFFER_INIT;

    if (cli->csv)
        table_print_csv(table, &out);
    else if (!table_is_empty(table))
        table_print_list(table, &out, cli->color);
    if (out.length > 0 && cli->csv)
        talk_print_csv(out.data, out.length);
    else if (out.length > 0)
        fwrite(out.data, 1, out.length, stdout);
    if (!cli->csv && table_is_empty(table))
        talk_warn("%s\n", empty);
    buffer_release(&out);
}

void talk_add_hour(const struct cli *cli, struct table *table, hour_t hour)
{
    char text[HOUR_TEXT_SIZE];

    if (cli->csv)
        hour_format(hour, text);
    else
        when_short(hour, text);
    table_add(table, text, TABLE_PLAIN);
}

const char *talk_hours(struct cli *cli, int64_t hours)
{
    return arena_printf(cli->arena, "%" PRId64 " hour%s", hours, hours == 1 ? "" : "s");
}

const char *talk_window(struct cli *cli, struct window window)
{
    char start[WHEN_SHORT_SIZE], end[WHEN_SHORT_SIZE];

    when_short(window.start, start);
    when_short(window.end, end);
    return arena_printf(cli->arena, "%s – %s UTC", start,
                        hour_day(window.start) == hour_day(window.end) ? end + DATE_TEXT_SIZE : end);
}

enum table_color talk_color(const char *priority)
{
    if (strcmp(priority, "high") == 0)
        return TABLE_HIGH;
    if (strcmp(priority, "low") == 0)
        return TABLE_LOW;
    return strcmp(priority, "medium") == 0 ? TABLE_MEDIUM : TABLE_PLAIN;
}
