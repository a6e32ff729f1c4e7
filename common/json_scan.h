/*
 * The gate in front of json-c, for json_read alone: a reader of RFC 8259's whole grammar that builds nothing. json-c sees
 * only what has passed it, so what json-c would let through never matters, and its STRICT flag (which refuses every
 * non-ASCII string in 0.18) is not needed.
 */
#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* Refuses what json_read.h says, twice appearing keys excepted, and more than CONTAINERS_MAX arrays and objects. *OUT_MEMBERS: how many members all objects have. */
bool json_scan(const char *bytes, size_t length, size_t containers_max, size_t *out_members, struct error *err)
    __attribute__((warn_unused_result));

/*
 * For a text that json_scan has passed and in which json-c found fewer members: names the first key that repeats an earlier
 * one of its object. Costs a sort of all keys. Returns false.
 */
bool json_scan_twin(const char *bytes, size_t length, size_t members, struct error *err);

#endif
