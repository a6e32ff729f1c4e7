/*
 * How a timeline is written as JSON (API.md, GET /api/timeline). The form is made to be small, so that a year of many GPUs can
 * be one answer:
 *
 *   {"epoch", "revision", "full", "start", "end", "nodes": […], "bookings": […], "held": […], "removed": […]}
 *
 *   nodes: as in /api/nodes, in configuration order; [] when not full
 *   bookings: [[id, start, end, label, priority, status, owner, version, note]…]
 *     by id. The note is cut to its first 40 characters. Members at the end that say what they say most often are left out:
 *     priority 1 (medium), status 0 (active), owner null, version 1, no note. So most rows have four.
 *   held: [[gpu, hold…]…]
 *     by gpu, which counts the GPUs in the order `nodes` lists them, from 0; a GPU that holds nothing has no row. A hold is a
 *     booking's id alone when the GPU is held for the booking's planned window (what of it lies in the answer's), else
 *     [start, end, id]: when the booking ended early, or its hold begins behind hours that another one used. By start. Every
 *     id in a hold is one that `bookings` lists.
 *   removed: [id…]
 *     when not full, by id
 *
 * start and end in rows are hours counted from the answer's `start`; a booking's may lie outside the window, a hold's do not.
 */
#ifndef CGI_API_TIMELINE_H
#define CGI_API_TIMELINE_H

#include "cgi/api/internal.h"
#include "cgi/planner/timeline.h"

/* Writes one object. False, with call->err set, when the answer grows too large. */
bool write_timeline(struct call *call, const struct timeline_question *question, const struct timeline *timeline,
                    struct json_writer *w);

#endif
