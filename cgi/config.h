/*
 * The configuration file (JSON) as structs: topology, limits, logins, allowed origins. Every fault is named with its place:
 * the line for what is not JSON, the JSON path ("nodes[1].gpus[0].id") for what does not fit.
 *
 * The file is read only by who holds the write lock (DESIGN.md, "The database is the truth for the pool"); everybody
 * else parses the accepted text that the database keeps.
 */
#ifndef CGI_CONFIG_H
#define CGI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/model.h"
#include "common/arena.h"
#include "common/buffer.h"
#include "common/error.h"

struct config_gpu {
    const char *id, *kind, *device; /* device may be NULL */
};

struct config_node {
    const char *id, *name;
    struct config_gpu *gpus;
    size_t gpu_count;
};

struct config {
    struct config_node *nodes;
    size_t node_count;
    struct limits limits;
    struct auth auth;
    const char **allowed_origins; /* "https://host[:port]" each */
    size_t allowed_origin_count;
};

/* The largest file that is read, in bytes. */
#define CONFIG_SIZE_MAX (16 * 1024 * 1024)

/*
 * Where the file is: its folder held open, and its name in it. So it can be read again after the process gave up the
 * right to walk the path to it, and after an editor has put a new file in its place.
 */
struct config_source {
    int folder; /* file descriptor; -1 when there is none */
    char *name; /* in the folder; owned */
    char *path; /* as the user gave it, for messages; owned */
};

bool config_source_open(struct config_source *source, const char *path, struct error *err);
void config_source_close(struct config_source *source);
/* Reads the whole file into TEXT. ERROR_CONFIGURATION when it cannot be read or is too large. */
bool config_source_read(const struct config_source *source, struct buffer *text, struct error *err);

/*
 * Parses and checks TEXT whole. NAME (the file's, without folders) begins each message. What it finds lives in
 * ARENA. ERROR_CONFIGURATION with field set to the JSON path.
 */
bool config_parse(const char *text, size_t length, const char *name, struct arena *arena,
                         struct config *out, struct error *err);

#endif
