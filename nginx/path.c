#include "nginx/path.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

const char *path_name(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

char *path_folder(const char *file)
{
    size_t length = (size_t)(path_name(file) - file);
    /* Without the slash, but for that of the root itself. */
    char *folder = length == 0 ? strdup(".") : strndup(file, length > 1 ? length - 1 : 1);

    if (!folder)
        abort();
    return folder;
}
