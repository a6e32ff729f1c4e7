/* Files as a whole: copies that are on the disk when a function returns, and whose rights a file gets. */
#ifndef CGI_ADMIN_FILES_H
#define CGI_ADMIN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* PATH with every link resolved; the file itself need not be there, its folder must. NULL: err is set. To be freed. */
char *path_resolve(const char *path, struct error *err);
/* True when both name one file. */
bool path_same(const char *a, const char *b);
/* False, with the sentence, when the place SCRATCH, which is about to be written, is the file NEEDED by another name. */
bool path_not_same(const char *scratch, const char *needed, struct error *err) __attribute__((warn_unused_result));

/*
 * Started as root, become whoever owns the database at PATH, or its folder while there is none: what root made beside it, the
 * service could not write. Else nothing.
 */
bool become_owner(const char *path, struct error *err) __attribute__((warn_unused_result));

/* Opens PATH, which must be a regular file, to read. *OUT is -1 when it is not there and may be MISSING. */
bool file_open(const char *path, bool missing, int *out, struct error *err) __attribute__((warn_unused_result));
/* Makes PATH, mode 0600, empty, for this process alone: ERROR_CONFLICT while another one is at it. -1: err is set. */
int file_make(const char *path, struct error *err) __attribute__((warn_unused_result));
/* All of FROM, from its beginning, to TO, and to the disk. NAME is that of TO. */
bool file_copy(int from, int to, const char *name, struct error *err) __attribute__((warn_unused_result));
/* The bytes of a file and of its folder's entry are on the disk. */
bool file_sync(const char *path, struct error *err) __attribute__((warn_unused_result));
bool folder_sync(const char *path_in_it, struct error *err) __attribute__((warn_unused_result));
/* Renames, and has that on the disk. */
bool file_replace(const char *from, const char *to, struct error *err) __attribute__((warn_unused_result));
/* FILE with SUFFIX behind it is gone. */
void file_remove_beside(const char *file, const char *suffix);
/* So is what SQLite had beside a database FILE: its journal or log, which it would take for those of the next file of this name. */
void file_remove_logs(const char *file);
/* False with the file's name and errno in ERR. */
bool file_fails(const char *what, const char *path, struct error *err);

#endif
