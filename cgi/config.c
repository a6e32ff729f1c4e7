#include "cgi/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json_read.h"
#include "common/text.h"

#include "common/banned.h"

#define NAME_CHARACTERS_MAX 200
#define KIND_CHARACTERS_MAX 64
#define DEVICE_CHARACTERS_MAX 128
#define LIMIT_MAX 1000000000

/* -- the file ------------------------------------------------------------------------------------------------- */

bool config_source_open(struct config_source *source, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    source->name = strdup(slash == NULL ? path : slash + 1);
    source->path = strdup(path);
    if (folder == NULL || source->name == NULL || source->path == NULL)
        abort();
    source->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (source->folder < 0) {
        error_set(err, ERROR_CONFIGURATION, "%s: cannot open the configuration's folder: %s", source->name, strerror(errno));
        error_detail(err, "%s", path);
        config_source_close(source);
        return false;
    }
    return true;
}

void config_source_close(struct config_source *source)
{
    if (source->folder >= 0)
        close(source->folder);
    free(source->name);
    free(source->path);
    *source = (struct config_source){.folder = -1};
}

bool config_source_read(const struct config_source *source, struct buffer *text, struct error *err)
{
    bool ok = false;
    int fd = openat(source->folder, source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set(err, ERROR_CONFIGURATION, "%s: cannot read the configuration: %s", source->name, strerror(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        error_set(err, ERROR_CONFIGURATION, "%s: is not a file", source->name);
        goto out;
    }
    buffer_clear(text);
    for (;;) {
        buffer_reserve(text, 65536);
        ssize_t n = read(fd, text->data + text->length, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set(err, ERROR_CONFIGURATION, "%s: cannot read the configuration: %s", source->name, strerror(errno));
            goto out;
        }
        if (n == 0)
            break;
        text->length += (size_t)n;
        text->data[text->length] = '\0';
        if (text->length > CONFIG_SIZE_MAX) {
            error_set(err, ERROR_CONFIGURATION, "%s: is larger than %d MB", source->name, CONFIG_SIZE_MAX / 1024 / 1024);
            goto out;
        }
    }
    ok = true;
out:
    if (!ok)
        error_detail(err, "%s", source->path);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* -- faults, each with its place -------------------------------------------------------------------------------- */

/* What a check needs to say where it is. A path is made only when there is a fault: parent, then name or index. */
struct place {
    const struct place *parent;
    const char *key; /* NULL: an index */
    size_t index;
};

struct reader {
    const char *name; /* the file's */
    struct arena *arena;
    struct error *err;
};

static void place_print(const struct place *place, struct buffer *out)
{
    if (place == NULL)
        return;
    place_print(place->parent, out);
    if (place->key == NULL)
        buffer_printf(out, "[%zu]", place->index);
    else
        buffer_printf(out, "%s%s", out->length > 0 ? "." : "", place->key);
}

static bool fault(struct reader *r, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fault(struct reader *r, const struct place *place, const char *format, ...)
{
    struct buffer path = BUFFER_INIT;
    char what[512];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    place_print(place, &path);
    if (path.length > 0)
        error_field(r->err, ERROR_CONFIGURATION, path.data, "%s: %s: %s", r->name, path.data, what);
    else
        error_set(r->err, ERROR_CONFIGURATION, "%s: %s", r->name, what);
    buffer_release(&path);
    return false;
}

/* A key that nobody reads is a trap: whoever wrote it believes that it does something. */
static bool known_keys(struct reader *r, const struct place *place, struct json_object *object,
                       const char *const *keys, size_t count)
{
    json_object_object_foreach(object, key, value)
    {
        bool known = false;
        (void)value;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(key, keys[i]) == 0;
        if (known)
            continue;
        const char *near = text_nearest(key, keys, count);
        if (near != NULL)
            return fault(r, place, "unknown key \"%.100s\" (did you mean \"%s\"?)", key, near);
        return fault(r, place, "unknown key \"%.100s\"", key);
    }
    return true;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_object(struct json_object *value)
{
    return json_object_is_type(value, json_type_object);
}

/* A text (or a number, which becomes one), trimmed. Empty: *OUT is NULL when OPTIONAL, else a fault. */
static bool read_text(struct reader *r, const struct place *parent, struct json_object *object, const char *key,
                      bool optional, size_t characters_max, const char **out)
{
    struct place place = {parent, key, 0};
    struct json_object *value = json_member(object, key);
    const char *text;

    *out = NULL;
    if (value == NULL) {
        if (optional)
            return true;
        return fault(r, &place, "is missing");
    }
    if (!json_as_text(value, r->arena, &text))
        return fault(r, &place, "must be text");
    struct slice trimmed = text_trim(text, strlen(text));
    if (trimmed.length == 0) {
        if (optional)
            return true;
        return fault(r, &place, "must not be empty");
    }
    if (text_has_control(trimmed.bytes, trimmed.length))
        return fault(r, &place, "must not hold control characters");
    if (text_characters(trimmed.bytes, trimmed.length) > characters_max)
        return fault(r, &place, "must not be longer than %zu characters", characters_max);
    *out = arena_copy(r->arena, trimmed.bytes, trimmed.length);
    return true;
}

/* -- nodes and GPUs --------------------------------------------------------------------------------------------- */

struct named {
    const char *id;
    size_t index;
};

static int named_compare(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* No id twice; of two, the later place is at fault and the earlier one is named. */
static bool unique(struct reader *r, const struct place *list, struct named *named, size_t count, const char *what)
{
    qsort(named, count, sizeof *named, named_compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(named[i - 1].id, named[i].id) != 0)
            continue;
        struct place place = {list, NULL, named[i].index}, id = {&place, "id", 0};
        return fault(r, &id, "the %s id \"%s\" is already used at [%zu]", what, named[i].id, named[i - 1].index);
    }
    return true;
}

static bool read_gpu(struct reader *r, const struct place *place, struct json_object *value, struct config_gpu *gpu)
{
    static const char *const keys[] = {"id", "kind", "device"};

    if (!is_object(value))
        return fault(r, place, "must be an object with an \"id\"");
    if (!known_keys(r, place, value, keys, COUNT(keys)) ||
        !read_text(r, place, value, "id", false, ID_CHARACTERS_MAX, &gpu->id) ||
        !read_text(r, place, value, "kind", true, KIND_CHARACTERS_MAX, &gpu->kind) ||
        !read_text(r, place, value, "device", true, DEVICE_CHARACTERS_MAX, &gpu->device))
        return false;
    if (gpu->kind == NULL)
        gpu->kind = "unspecified";
    return true;
}

static bool read_gpus(struct reader *r, const struct place *place, struct json_object *value, struct config_node *node)
{
    if (value == NULL)
        return true;
    if (!json_object_is_type(value, json_type_array))
        return fault(r, place, "must be an array");
    size_t count = json_object_array_length(value);
    struct named *named = arena_array(r->arena, count, sizeof *named);
    node->gpus = arena_array(r->arena, count, sizeof *node->gpus);
    node->gpu_count = count;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        if (!read_gpu(r, &item, json_object_array_get_idx(value, i), &node->gpus[i]))
            return false;
        named[i] = (struct named){node->gpus[i].id, i};
    }
    return unique(r, place, named, count, "GPU");
}

static bool read_node(struct reader *r, const struct place *place, struct json_object *value, struct config_node *node)
{
    static const char *const keys[] = {"id", "name", "gpus"};
    struct place gpus = {place, "gpus", 0};

    if (!is_object(value))
        return fault(r, place, "must be an object with an \"id\"");
    if (!known_keys(r, place, value, keys, COUNT(keys)) ||
        !read_text(r, place, value, "id", false, ID_CHARACTERS_MAX, &node->id) ||
        !read_text(r, place, value, "name", true, NAME_CHARACTERS_MAX, &node->name) ||
        !read_gpus(r, &gpus, json_member(value, "gpus"), node))
        return false;
    if (node->name == NULL)
        node->name = node->id;
    return true;
}

static bool read_nodes(struct reader *r, struct json_object *value, struct config *out)
{
    struct place place = {NULL, "nodes", 0};

    if (value == NULL)
        return fault(r, &place, "is missing; it lists the machines: {\"nodes\": [{\"id\": …, \"gpus\": […]}]}");
    if (!json_object_is_type(value, json_type_array))
        return fault(r, &place, "must be an array");
    out->node_count = json_object_array_length(value);
    if (out->node_count == 0)
        return fault(r, &place, "must list at least one node");
    out->nodes = arena_array(r->arena, out->node_count, sizeof *out->nodes);
    struct named *named = arena_array(r->arena, out->node_count, sizeof *named);
    for (size_t i = 0; i < out->node_count; i++) {
        struct place item = {&place, NULL, i};
        if (!read_node(r, &item, json_object_array_get_idx(value, i), &out->nodes[i]))
            return false;
        named[i] = (struct named){out->nodes[i].id, i};
    }
    return unique(r, &place, named, out->node_count, "node");
}

/* -- limits, origins, logins ------------------------------------------------------------------------------------ */

static bool read_limit(struct reader *r, const struct place *parent, struct json_object *object, const char *key,
                       int64_t least, int64_t *limit)
{
    struct place place = {parent, key, 0};
    struct json_object *value;

    if (!json_object_object_get_ex(object, key, &value))
        return true;
    if (value == NULL) {
        *limit = -1;
        return true;
    }
    if (!json_object_is_type(value, json_type_int))
        return fault(r, &place, "must be a whole number, or null for no limit");
    int64_t number = json_object_get_int64(value);
    if (number < least || number > LIMIT_MAX)
        return fault(r, &place, "must be from %lld to %d, or null for no limit", (long long)least, LIMIT_MAX);
    *limit = number;
    return true;
}

static bool read_limits(struct reader *r, struct json_object *value, struct limits *limits)
{
    static const char *const keys[] = {"max_booking_hours", "max_days_ahead", "max_gpus_per_booking",
                                       "max_active_gpu_hours_per_user", "allow_past"};
    struct place place = {NULL, "limits", 0}, past = {&place, "allow_past", 0};

    if (value == NULL)
        return true;
    if (!is_object(value))
        return fault(r, &place, "must be an object");
    if (!known_keys(r, &place, value, keys, COUNT(keys)) ||
        !read_limit(r, &place, value, keys[0], 1, &limits->max_booking_hours) ||
        !read_limit(r, &place, value, keys[1], 0, &limits->max_days_ahead) ||
        !read_limit(r, &place, value, keys[2], 1, &limits->max_gpus_per_booking) ||
        !read_limit(r, &place, value, keys[3], 1, &limits->max_active_gpu_hours_per_user))
        return false;
    struct json_object *allow = json_member(value, "allow_past");
    if (allow == NULL)
        return true;
    if (!json_object_is_type(allow, json_type_boolean))
        return fault(r, &past, "must be true or false");
    limits->allow_past = json_object_get_boolean(allow);
    return true;
}

/* scheme "://" host [":" port], as a browser sends it in Origin (RFC 6454, section 6.1): nothing behind the authority. */
static bool is_origin(const char *text)
{
    const char *host = strncmp(text, "https://", 8) == 0 ? text + 8 : strncmp(text, "http://", 7) == 0 ? text + 7 : NULL;
    return host != NULL && *host != '\0' && strcspn(host, "/?#@ \\\"") == strlen(host);
}

static bool read_origins(struct reader *r, struct json_object *value, struct config *out)
{
    struct place place = {NULL, "allowed_origins", 0};

    if (value == NULL)
        return true;
    if (!json_object_is_type(value, json_type_array))
        return fault(r, &place, "must be an array of origins such as \"https://portal.example.org\"");
    out->allowed_origin_count = json_object_array_length(value);
    out->allowed_origins = arena_array(r->arena, out->allowed_origin_count, sizeof *out->allowed_origins);
    for (size_t i = 0; i < out->allowed_origin_count; i++) {
        struct place item = {&place, NULL, i};
        struct json_object *origin = json_object_array_get_idx(value, i);
        if (!json_object_is_type(origin, json_type_string) || !is_origin(json_object_get_string(origin)))
            return fault(r, &item, "must be an origin such as \"https://portal.example.org\", without a path");
        out->allowed_origins[i] = arena_text(r->arena, json_object_get_string(origin));
    }
    return true;
}

/* Which of the two CHOICES it is; the first when KEY is absent. */
static bool read_choice(struct reader *r, const struct place *parent, struct json_object *object, const char *key,
                        const char *const choices[2], bool *out_second)
{
    struct place place = {parent, key, 0};
    const char *text;

    if (!read_text(r, parent, object, key, true, KIND_CHARACTERS_MAX, &text))
        return false;
    *out_second = text != NULL && strcmp(text, choices[1]) == 0;
    if (text == NULL || *out_second || strcmp(text, choices[0]) == 0)
        return true;
    return fault(r, &place, "must be \"%s\" or \"%s\"", choices[0], choices[1]);
}

/* Login names, as the web server writes them: nothing is trimmed, for they are compared byte by byte. */
static bool read_admins(struct reader *r, const struct place *parent, struct json_object *value, struct auth *auth)
{
    struct place place = {parent, "admins", 0};

    if (value == NULL)
        return true;
    if (!json_object_is_type(value, json_type_array))
        return fault(r, &place, "must be an array of login names");
    auth->admin_count = json_object_array_length(value);
    auth->admins = arena_array(r->arena, auth->admin_count, sizeof *auth->admins);
    for (size_t i = 0; i < auth->admin_count; i++) {
        struct place item = {&place, NULL, i};
        struct json_object *name = json_object_array_get_idx(value, i);
        const char *text = json_object_is_type(name, json_type_string) ? json_object_get_string(name) : "";
        size_t length = strlen(text);
        if (length == 0 || text_trim(text, length).length != length || text_has_control(text, length) ||
            text_characters(text, length) > LOGIN_CHARACTERS_MAX)
            return fault(r, &item, "must be a login name: text of 1 to %d characters, without blanks around it",
                         LOGIN_CHARACTERS_MAX);
        auth->admins[i] = arena_text(r->arena, text);
    }
    return true;
}

/* In open mode the other keys would have no effect, and must not look as if they had. */
static bool read_auth(struct reader *r, struct json_object *value, struct auth *auth)
{
    static const char *const keys[] = {"mode", "admins", "read"};
    static const char *const modes[] = {"open", "remote_user"}, *const readers[] = {"login", "public"};
    struct place place = {NULL, "auth", 0};
    bool logins;

    if (value == NULL)
        return true;
    if (!is_object(value))
        return fault(r, &place, "must be an object");
    if (!known_keys(r, &place, value, keys, COUNT(keys)) || !read_choice(r, &place, value, "mode", modes, &logins))
        return false;
    for (size_t i = 1; !logins && i < COUNT(keys); i++) {
        struct place idle = {&place, keys[i], 0};
        if (json_member(value, keys[i]) != NULL)
            return fault(r, &idle, "has no effect unless auth.mode is \"remote_user\"");
    }
    auth->mode = logins ? AUTH_REMOTE_USER : AUTH_OPEN;
    return read_choice(r, &place, value, "read", readers, &auth->public_read) &&
           read_admins(r, &place, json_member(value, "admins"), auth);
}

bool config_parse(const char *text, size_t length, const char *name, struct arena *arena, struct config *out,
                  struct error *err)
{
    static const char *const keys[] = {"nodes", "limits", "auth", "allowed_origins"};
    struct reader r = {name, arena, err};
    struct json_object *root = NULL;
    struct error syntax = ERROR_INIT;
    bool ok = false;

    *out = (struct config){.limits = LIMITS_DEFAULT};
    if (!json_read(text, length, &root, &syntax)) {
        error_set(err, ERROR_CONFIGURATION, "%s: %s", name, syntax.message);
        goto out;
    }
    if (!is_object(root)) {
        fault(&r, NULL, "must be an object: {\"nodes\": […]}");
        goto out;
    }
    ok = known_keys(&r, NULL, root, keys, COUNT(keys)) && read_nodes(&r, json_member(root, "nodes"), out) &&
         read_limits(&r, json_member(root, "limits"), &out->limits) && read_auth(&r, json_member(root, "auth"), &out->auth) &&
         read_origins(&r, json_member(root, "allowed_origins"), out);
out:
    error_clear(&syntax);
    json_object_put(root);
    return ok;
}
