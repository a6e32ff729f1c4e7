#include "cgi/api/internal.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "common/banned.h"

#ifndef NT_GNU_BUILD_ID
#define NT_GNU_BUILD_ID 3
#endif

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Looks for the linker's hash of the program in its notes (elf(5), "Notes (Nhdr)"). */
static bool search_notes(const char *notes, size_t size, char out[BUILD_ID_SIZE])
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)notes;
        size_t name = aligned(note->n_namesz), whole = sizeof *note + name + aligned(note->n_descsz);
        const unsigned char *id = (const unsigned char *)notes + sizeof *note + name;
        if (whole > size)
            return false;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz >= 8 &&
            memcmp(notes + sizeof *note, "GNU", 4) == 0) {
            snprintf(out, BUILD_ID_SIZE, "%02x%02x%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2], id[3], id[4], id[5],
                     id[6], id[7]);
            return true;
        }
        notes += whole;
        size -= whole;
    }
    return false;
}

/* The program itself comes first; a return other than 0 ends the walk. */
static int on_object(struct dl_phdr_info *info, size_t size, void *out)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_NOTE &&
            search_notes((const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), info->dlpi_phdr[i].p_memsz, out))
            break;
    return 1;
}

void build_id(char out[BUILD_ID_SIZE])
{
    snprintf(out, BUILD_ID_SIZE, "%s", PACKAGE_VERSION);
    dl_iterate_phdr(on_object, out);
}
