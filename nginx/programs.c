#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nginx/path.h"
#include "nginx/programs.h"

#include "common/banned.h"

char *program_pool(struct error *err)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *path;

    if (length < 0) {
        error_set(err, ERROR_INTERNAL, "cannot find this program's own folder: %s", strerror(errno));
        return NULL;
    }
    self[length] = '\0';
    char *folder = path_folder(self);
    if (asprintf(&path, "%s/procplan-fcgi", folder) < 0)
        abort();
    free(folder);
    if (access(path, X_OK) == 0)
        return path;
    error_set(err, ERROR_INTERNAL, "%s is missing or cannot be run", path);
    free(path);
    return NULL;
}

char *program_nginx(const char *wanted, struct error *err)
{
    const char *path = getenv("PATH");
    char *list, *rest, *folder, *found = NULL;

    if (wanted) {
        if (access(wanted, X_OK) == 0 && (found = realpath(wanted, NULL)))
            return found;
        error_set(err, ERROR_BAD_REQUEST, "cannot run %s: %s (--nginx)", wanted, strerror(errno));
        return NULL;
    }
    if (asprintf(&list, "%s:/usr/sbin:/usr/local/sbin", path ? path : "/usr/bin:/bin") < 0)
        abort();
    rest = list;
    while (!found && (folder = strsep(&rest, ":"))) {
        char *candidate;
        if (asprintf(&candidate, "%s/nginx", folder) < 0)
            abort();
        if (folder[0] == '/' && access(candidate, X_OK) == 0)
            found = candidate;
        else
            free(candidate);
    }
    free(list);
    if (!found)
        error_set(err, ERROR_INTERNAL,
                  "nginx is not installed: install the package nginx (or nginx-light), or say where it is with --nginx");
    return found;
}
