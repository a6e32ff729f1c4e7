/*
 * What the handlers share. A handler reads its request, calls the planner and replies; it returns `struct settled`, which
 * only the reply functions make, so it cannot end without an answer.
 */
#ifndef CGI_API_INTERNAL_H
#define CGI_API_INTERNAL_H

#include <json-c/json.h>

#include "cgi/api/api.h"
#include "cgi/http/cache.h"
#include "cgi/planner/booking.h"
#include "cgi/planner/planner.h"
#include "common/json_write.h"

#define BUILD_ID_SIZE 17

struct api {
    struct planner *planner;
    struct cache *cache;
    struct api_pool pool; /* zero outside of one */
    const struct config_source *source;
    char build[BUILD_ID_SIZE]; /* part of each ETag: another program may answer otherwise */
};

/* One request being answered. */
struct call {
    struct api *api;
    struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    int64_t now; /* seconds; read once, so that an answer has one present */
    struct actor actor;
    struct json_object *json; /* the parsed body; freed with the call */
    size_t route;             /* which of routes.c it is; ROUTE_NONE until found */
    struct error err;
};

/* Made by the reply functions alone. */
struct settled {
    int status;
};

typedef struct settled (*handler_fn)(struct call *call);

/* -- routes.c --------------------------------------------------------------------------------------------------- */

#define ROUTE_NONE SIZE_MAX

enum route_flags {
    ROUTE_WRITES = 1,      /* refused when a foreign page sent it; with logins it needs one */
    ROUTE_ADMINISTERS = 2, /* with logins it needs an administrator's */
    ROUTE_ANYBODY = 4,     /* needs no login, whatever the mode */
};

/* Finds the handler and lets it answer; sets call->route. */
struct settled routes_dispatch(struct call *call);
/* The path of route INDEX as the table has it, with its star if it ends in one; NULL beyond the last route. Methods of one
 * path are routes of their own. */
const char *routes_path(size_t index);
/* Of a route that there is. */
int routes_flags(size_t index);

/* -- reply.c ---------------------------------------------------------------------------------------------------- */

/* Answers with call->err. */
struct settled reply_error(struct call *call);
/* "conflicts": those of ERR. */
void write_conflicts(struct json_writer *w, const struct error *err);

/*
 * A read. In one transaction: resolve (may be NULL) checks against the topology, then a matching ETag is a 304, then the body
 * comes from the cache under KEY or is rendered. KEY is the route and the canonical query with its defaults filled in; NULL:
 * not worth keeping.
 */
struct read_answer {
    const char *key;
    bool clock;         /* the answer depends on the current hour, too: it becomes part of tag and key */
    const char *viewer; /* what else the answer depends on, of the one who asks; NULL: the login at most. Part of the tag */
    bool (*resolve)(struct call *call, void *context);
    bool (*render)(struct call *call, void *context, struct json_writer *w);
    /* In place of render, for what is not JSON: appends the body to OUT. TYPE is its Content-Type; static. */
    bool (*render_text)(struct call *call, void *context, struct buffer *out);
    const char *type;
    void *context;
};
struct settled reply_read(struct call *call, const struct read_answer *answer);
/* The same without ETag and cache: for a POST that only asks. */
struct settled reply_query(struct call *call, const struct read_answer *answer);

/*
 * A write. In one transaction: with an Idempotency-Key (when KEYED) an earlier answer is repeated; else WRITE does the work
 * and writes the answer, which is kept under the key. call->dry_run undoes everything after the answer is made.
 */
struct write_answer {
    int status;   /* on success */
    bool keyed;   /* Idempotency-Key counts */
    bool dry_run; /* undo everything once the answer is made; answered with 200 */
    bool (*write)(struct call *call, void *context, struct json_writer *w);
    void *context;
};
struct settled reply_write(struct call *call, const struct write_answer *answer);

/* The largest answer in bytes; a longer one is refused, as nobody can use it and everybody would wait for it. */
#define ANSWER_BYTES_MAX (128u * 1024 * 1024)
/* False, with call->err set, when what W has written is beyond it. Renderers ask now and then. */
bool answer_fits(struct call *call, const struct json_writer *w);

/* -- fields.c: what clients send -------------------------------------------------------------------------------- */

/* Parses the body into call->json: an object; an empty body is {}. */
bool read_object(struct call *call);
/* An optional member as text: *OUT is NULL when absent. A number becomes text; another type is refused. */
bool read_text(struct call *call, const char *name, const char **out);
/* A timestamp that was sent as TEXT in field NAME. "Invalid timestamp: …" */
bool read_instant(struct call *call, const char *name, const char *text, instant_t *out);
/* The same from a member of the body that is known to be there. */
bool read_instant_member(struct call *call, const char *name, instant_t *out);

/* The GPUs of a booking or a change: gpu_ids and gpu_count. */
bool read_gpus(struct call *call, struct booking_request *request);
/* *OUT is NULL when there is none. */
bool read_note(struct call *call, const char **out);
/* true or false; absent leaves *OUT as it is. */
bool read_boolean(struct call *call, const char *name, bool *out);
/* The text of the member; NULL when absent. What is no text becomes "?", which the planner refuses in its turn. */
const char *read_priority(struct call *call);
/* Whole digits, however many: one beyond int64_t is the id of no booking. */
bool is_whole_text(const char *text);
/* The booking that the path names. An id that no booking can have is ERROR_NOT_FOUND: "Booking 'ID' " and UNKNOWN. */
bool read_booking_id(struct call *call, const char *unknown, int64_t *out);

/* Query parameters; absent (or empty) ones leave *OUT as it is. A whole number from LEAST to MOST, else 400 with the bounds. */
bool query_integer(struct call *call, const char *name, int64_t least, int64_t most, int64_t *out);
/* A timestamp as an hour: snapped up when UP, else down. "Invalid timestamp: …" */
bool query_hour(struct call *call, const char *name, bool up, hour_t *out);

/* -- booking_json.c --------------------------------------------------------------------------------------------- */

/* "gpu_ids" of a booking, by topology. */
void write_gpu_ids(struct json_writer *w, const struct topology *topology, const struct booking *b);
/* The members of B (API.md): id, user_label, start, end, status, gpu_ids, priority; within an open object. */
void write_booking_members(struct json_writer *w, const struct topology *topology, const struct booking *b);
/* F (API.md): B's members and node_id, owner, note, series_id, version, created, updated, released; a whole object. */
void write_booking_full(struct json_writer *w, const struct topology *topology, const struct booking *b);
/* A node as /api/nodes shows it. */
void write_node(struct json_writer *w, const struct node *node);

/* -- handlers --------------------------------------------------------------------------------------------------- */

struct settled api_nodes(struct call *call);
struct settled api_availability(struct call *call);
struct settled api_availability_bulk(struct call *call);
struct settled api_book(struct call *call);
struct settled api_mark_done(struct call *call);
struct settled api_release(struct call *call);
struct settled api_bookings(struct call *call);
struct settled api_booking(struct call *call);
struct settled api_booking_patch(struct call *call);
struct settled api_booking_delete(struct call *call);
struct settled api_reload_config(struct call *call);
struct settled api_find(struct call *call);
struct settled api_usage(struct call *call);
struct settled api_calendar(struct call *call);
struct settled api_session(struct call *call);
struct settled api_health(struct call *call);
struct settled api_metrics(struct call *call);
struct settled api_timeline(struct call *call);
struct settled api_events(struct call *call);

/* guard.c: a write that a foreign page makes a browser send. ERROR_FORBIDDEN. */
bool guard_same_site(struct call *call);
/* Settles call->actor and whether it may call this route at all (planner/access.h). For within a transaction: reply.c asks it in each,
 * so that what is answered and who may have it come from one state. */
bool guard_access(struct call *call);
/* The same before a handler looks at the request, so that a stranger learns nothing of its faults. Opens no transaction that stays. */
bool guard_entry(struct call *call);

/* build_id.c: fills OUT with what tells this program from another build of it. */
void build_id(char out[BUILD_ID_SIZE]);

#endif
