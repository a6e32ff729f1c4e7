#include "cgi/store/internal.h"

#include <stdatomic.h>
#include <string.h>

#include "common/banned.h"

/*
 * A read transaction costs two system calls and three statements, only to learn, most times, that nothing was written since the
 * last one. SQLite itself learns that from the wal-index header: it stands twice at the beginning of the shared memory (file
 * format "The WAL-Index File", section 2.1), every commit writes the second copy and then the first, and a reader whose
 * own copy of it is equal to both keeps its page cache. The same comparison is made here, on the same memory, which the VFS
 * hands out (sqlite3_io_methods.xShmMap) and which stays mapped as long as the connection is open.
 */
#define REGION_SIZE 32768

static const unsigned char *shared_header(struct store *store)
{
    sqlite3_file *file = NULL;
    void volatile *region = NULL;

    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == NULL ||
        file->pMethods == NULL || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap(file, 0, REGION_SIZE, 0, &region) != SQLITE_OK)
        return NULL;
    return (const unsigned char *)region;
}

/* Copies the header to OUT; false while it is being written, or where there is none. */
static bool read_header(struct store *store, unsigned char out[WAL_HEADER_SIZE])
{
    if (store->wal_header == NULL && (store->wal_header = shared_header(store)) == NULL)
        return false;
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(out, store->wal_header, WAL_HEADER_SIZE);
    atomic_thread_fence(memory_order_seq_cst);
    return memcmp(out, store->wal_header + WAL_HEADER_SIZE, WAL_HEADER_SIZE) == 0;
}

void peek_before(struct store *store)
{
    store->header_known = read_header(store, store->header);
}

void peek_after(struct store *store)
{
    unsigned char now[WAL_HEADER_SIZE];

    /* A commit in between may or may not be in what was read. */
    store->header_known = store->header_known && read_header(store, now) && memcmp(now, store->header, sizeof now) == 0;
}

bool store_unchanged(struct store *store)
{
    unsigned char now[WAL_HEADER_SIZE];

    return store->header_known && read_header(store, now) && memcmp(now, store->header, sizeof now) == 0;
}
