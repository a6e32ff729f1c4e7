#include "tests/unit/database.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi/planner/sync.h"

#include "common/banned.h"

static void must(bool ok, const char *what, const struct error *err)
{
    if (ok)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, err == NULL ? "" : err->message, err == NULL ? "" : err->detail);
    abort();
}

void database_folder(struct database *db)
{
    const char *tmp = getenv("TMPDIR");

    *db = (struct database){0};
    arena_init(&db->arena);
    snprintf(db->folder, sizeof db->folder, "%.30s/procplan-unit-XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    must(mkdtemp(db->folder) != NULL, "mkdtemp", NULL);
    snprintf(db->path, sizeof db->path, "%s/procplan.db", db->folder);
}

void database_open(struct database *db, const char *config)
{
    struct error err = ERROR_INIT;

    database_folder(db);
    must(planner_open(db->path, true, &db->planner, &err), "planner_open", &err);
    must(database_configure(db, config, &err), "configure", &err);
}

bool database_configure(struct database *db, const char *config, struct error *err)
{
    return database_configure_at(db, config, 1800000000, err);
}

bool database_configure_at(struct database *db, const char *config, int64_t now, struct error *err)
{
    static const struct actor nobody = {"", false};
    struct config_source source;
    struct sync_report report;
    char path[128];

    snprintf(path, sizeof path, "%s/config.json", db->folder);
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs(config, file) >= 0 && fclose(file) == 0, "config.json", NULL);
    must(config_source_open(&source, path, err), "config_source_open", err);
    bool ok = planner_begin_write(db->planner, err) &&
              planner_sync(db->planner, &db->arena, &source, &nobody, now, &report, err) &&
              planner_commit(db->planner, err);
    if (!ok)
        planner_rollback(db->planner);
    config_source_close(&source);
    return ok;
}

void database_close(struct database *db)
{
    DIR *folder;
    struct dirent *entry;
    char path[400];

    planner_close(db->planner);
    arena_release(&db->arena);
    folder = opendir(db->folder);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", db->folder, entry->d_name);
        unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(db->folder);
}

hour_t at(const char *text)
{
    instant_t instant;

    must(instant_parse(text, strlen(text), &instant), text, NULL);
    return hour_floor(instant);
}
