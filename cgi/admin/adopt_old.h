/* Reading the old file, which somebody may still need as it is: it is copied, and the copy read. */
#ifndef CGI_ADMIN_ADOPT_OLD_H
#define CGI_ADMIN_ADOPT_OLD_H

#include "cgi/admin/admin.h"
#include "cgi/store/original.h"

/*
 * Reads admin->file and the log beside it. Becomes the owner of the new database meanwhile, since the old file may be readable for
 * whoever started this only. The copy stands beside the new database (".adopting"), mode 0600, and is gone when this returns; what a
 * killed run left there is removed first. ERROR_CONFLICT: somebody writes to the old file, or another process adopts. All that
 * OUT points to lives in ARENA.
 */
bool adopt_old_read(const struct admin *admin, struct arena *arena, struct original *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
