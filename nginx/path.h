/* The parts of a file's path. */
#ifndef NGINX_PATH_H
#define NGINX_PATH_H

/* The folder part ("." when there is none). The caller frees it. */
char *path_folder(const char *file) __attribute__((returns_nonnull));
/* The last part, pointing into FILE. */
const char *path_name(const char *file) __attribute__((returns_nonnull));

#endif
