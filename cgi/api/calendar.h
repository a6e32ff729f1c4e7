/*
 * Bookings as an iCalendar object (RFC 5545): one VEVENT a booking. Pure text, apart from the call that answers with it.
 *
 * What a reader may rely on: UID is booking-ID@EPOCH.procplan and stays with the booking through every change. A restored backup
 * has a new epoch and thus new UIDs; that is meant, as the ids behind the backup are given out again, to other bookings, and a
 * reader that knew the old ones would take them for updates, or, by their SEQUENCE, for stale ones. SEQUENCE grows with
 * every edit and with the end of the booking. DTSTAMP and LAST-MODIFIED are when it last changed, so equal bookings give equal text.
 */
#ifndef CGI_API_CALENDAR_H
#define CGI_API_CALENDAR_H

#include "cgi/model.h"
#include "cgi/planner/topology.h"
#include "common/buffer.h"

struct calendar {
    struct buffer *out; /* borrowed */
    struct buffer line; /* the content line being made */
};

/* Begins a VCALENDAR at OUT's end. NAME is what a reader's list of calendars shows. */
void calendar_begin(struct calendar *calendar, struct buffer *out, const char *name);
/*
 * A booking. An active one is CONFIRMED in its planned window, a cancelled one CANCELLED there. A completed one is CONFIRMED until
 * the hour of its release, as it was held; one that was released in its first hour or before held nothing, and is CANCELLED.
 */
void calendar_add(struct calendar *calendar, const struct topology *topology, const char *epoch, const struct booking *b);
/* Ends the VCALENDAR and frees what CALENDAR holds. */
void calendar_end(struct calendar *calendar);

#endif
