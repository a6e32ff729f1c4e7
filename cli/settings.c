#include "cli/settings.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/text.h"

#include "common/banned.h"

#define SYSTEM_FILE "/etc/procplan/cli.conf"
#define LINE_MAX_BYTES 4096

static const char *const names[] = {"url", "node", "user", "priority"};

static const char **place_of(struct settings *settings, const char *name)
{
    const char **places[] = {&settings->url, &settings->node, &settings->user, &settings->priority};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return places[i];
    return NULL;
}

static bool read_line(struct settings *out, struct arena *arena, const char *file, int number, struct slice line,
                      struct error *err)
{
    const char *equals = memchr(line.bytes, '=', line.length);
    struct slice name, value;
    char *key;

    if (line.length == 0 || line.bytes[0] == '#')
        return true;
    if (!equals)
        return error_set(err, ERROR_BAD_REQUEST, "%s, line %d: a line is \"name = value\"; there is no '='", file, number);
    name = text_trim(line.bytes, (size_t)(equals - line.bytes));
    value = text_trim(equals + 1, (size_t)(line.bytes + line.length - equals - 1));
    key = arena_copy(arena, name.bytes, name.length);
    const char **place = place_of(out, key);
    if (!place) {
        const char *nearest = text_nearest(key, names, sizeof names / sizeof names[0]);
        char shown[80];
        text_escape(key, strlen(key), shown, sizeof shown);
        return error_set(err, ERROR_BAD_REQUEST,
                         "%s, line %d: '%s' is not a setting%s%s%s; known are url, node, user and priority", file, number,
                         shown, nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    if (value.length == 0)
        return error_set(err, ERROR_BAD_REQUEST, "%s, line %d: %s is empty", file, number, key);
    if (!text_is_utf8(value.bytes, value.length) || text_has_control(value.bytes, value.length))
        return error_set(err, ERROR_BAD_REQUEST, "%s, line %d: %s holds a control character or what is no UTF-8", file,
                         number, key);
    if (*place)
        return true; /* a place that counts more had it */
    *place = arena_copy(arena, value.bytes, value.length);
    if (place == &out->url)
        out->url_source = arena_printf(arena, "%s, line %d", file, number);
    return true;
}

/* Within one file a name stands once. */
static bool check_twice(bool *seen, struct slice line, const char *file, int number, struct error *err)
{
    const char *equals = memchr(line.bytes, '=', line.length);
    struct slice name = text_trim(line.bytes, equals ? (size_t)(equals - line.bytes) : 0);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name.length != strlen(names[i]) || memcmp(name.bytes, names[i], name.length) != 0)
            continue;
        if (seen[i])
            return error_set(err, ERROR_BAD_REQUEST, "%s, line %d: %s stands there a second time", file, number, names[i]);
        seen[i] = true;
    }
    return true;
}

static bool read_file(struct settings *out, struct arena *arena, const char *file, struct error *err)
{
    FILE *stream = fopen(file, "re");
    char line[LINE_MAX_BYTES];
    bool done = true, seen[sizeof names / sizeof names[0]] = {false};

    if (!stream)
        return errno == ENOENT || errno == ENOTDIR ||
               error_set(err, ERROR_BAD_REQUEST, "%s cannot be read: %s", file, strerror(errno));
    for (int number = 1; done && fgets(line, sizeof line, stream); number++) {
        size_t length = strlen(line);
        if (length == sizeof line - 1 && line[length - 1] != '\n') {
            done = error_set(err, ERROR_BAD_REQUEST, "%s, line %d is longer than %d bytes", file, number,
                             LINE_MAX_BYTES - 2);
            break;
        }
        struct slice text = text_trim(line, length);
        done = ((text.length > 0 && text.bytes[0] == '#') || check_twice(seen, text, file, number, err)) &&
               read_line(out, arena, file, number, text, err);
    }
    if (done && ferror(stream))
        done = error_set(err, ERROR_BAD_REQUEST, "%s cannot be read: %s", file, strerror(errno));
    fclose(stream);
    return done;
}

/* The user's own file, or NULL when nobody knows where his home is. */
static const char *user_file(struct arena *arena)
{
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (folder && folder[0] == '/') /* others are to be ignored, says the XDG specification */
        return arena_printf(arena, "%s/procplan/config", folder);
    if (home && home[0] == '/')
        return arena_printf(arena, "%s/.config/procplan/config", home);
    return NULL;
}

bool settings_load(struct settings *out, struct arena *arena, const char *url, struct error *err)
{
    const char *from_environment = getenv("PROCPLAN_URL"), *own = user_file(arena);
    const char *shared = getenv("PROCPLAN_CONFIG_SYSTEM");

    *out = (struct settings){0};
    if (url) {
        out->url = url;
        out->url_source = "--url";
    } else if (from_environment && *from_environment) {
        out->url = arena_text(arena, from_environment);
        out->url_source = "PROCPLAN_URL";
    }
    return (!own || read_file(out, arena, own, err)) && read_file(out, arena, shared && *shared ? shared : SYSTEM_FILE, err);
}

bool settings_no_url(struct error *err)
{
    return error_set(
        err, ERROR_BAD_REQUEST,
        "where is the planner? Give --url http://host/procplan, set PROCPLAN_URL, or write \"url = http://host/procplan\" into "
        "~/.config/procplan/config");
}

void settings_hide_login(char *url)
{
    char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
    char *at = memrchr(host, '@', strcspn(host, "/?#"));

    if (at)
        memset(host, '*', (size_t)(at - host));
}

const char *settings_login(struct arena *arena)
{
    const struct passwd *entry = getpwuid(geteuid());

    return entry && entry->pw_name && *entry->pw_name ? arena_text(arena, entry->pw_name) : NULL;
}
