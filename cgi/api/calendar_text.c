#include "cgi/api/calendar.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/text.h"

#include "common/banned.h"

#define LINE_OCTETS 75 /* RFC 5545, section 3.1; without the CRLF, with the blank that begins a folded line */

/* -- content lines ------------------------------------------------------------------------------------------------ */

/* Sends the line off, folded between characters. */
static void end_line(struct calendar *calendar)
{
    const char *rest = calendar->line.data;
    size_t left = calendar->line.length, room = LINE_OCTETS;

    while (left > room) {
        size_t part = text_cut(rest, left, room);
        if (part == 0) /* no UTF-8: nothing to keep whole */
            part = room;
        buffer_append(calendar->out, rest, part);
        buffer_append(calendar->out, "\r\n ", 3);
        rest += part;
        left -= part;
        room = LINE_OCTETS - 1;
    }
    buffer_append(calendar->out, rest, left);
    buffer_append(calendar->out, "\r\n", 2);
    buffer_clear(&calendar->line);
}

static void put_line(struct calendar *calendar, const char *line)
{
    buffer_append_text(&calendar->line, line);
    end_line(calendar);
}

/* A value of type TEXT (section 3.3.11), appended to the line. Control characters have no place in it. */
static void add_text(struct calendar *calendar, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\\' || c == ';' || c == ',')
            buffer_append_char(&calendar->line, '\\');
        if (c == '\n')
            buffer_append(&calendar->line, "\\n", 2);
        else
            buffer_append_char(&calendar->line, (c < 0x20 && c != '\t') || c == 0x7f ? ' ' : *p);
    }
}

static void put_text(struct calendar *calendar, const char *name, const char *text)
{
    buffer_append_text(&calendar->line, name);
    buffer_append_char(&calendar->line, ':');
    add_text(calendar, text);
    end_line(calendar);
}

/* "20261123T140000Z" from "2026-11-23T14:00:00+00:00". */
static void put_time(struct calendar *calendar, const char *name, const char formatted[HOUR_TEXT_SIZE])
{
    buffer_printf(&calendar->line, "%s:%.4s%.2s%.5s%.2s%.2sZ", name, formatted, formatted + 5, formatted + 8, formatted + 14,
                  formatted + 17);
    end_line(calendar);
}

static void put_hour(struct calendar *calendar, const char *name, hour_t hour)
{
    char formatted[HOUR_TEXT_SIZE];

    hour_format(hour, formatted);
    put_time(calendar, name, formatted);
}

static void put_seconds(struct calendar *calendar, const char *name, int64_t seconds)
{
    char formatted[HOUR_TEXT_SIZE];

    seconds_format(seconds, formatted);
    put_time(calendar, name, formatted);
}

/* -- bookings ----------------------------------------------------------------------------------------------------- */

/* When the booking has its GPUs. False: never, and *OUT is what was planned. */
static bool takes_place(const struct booking *b, struct window *out)
{
    hour_t released = b->status == BOOKING_COMPLETED ? hour_of_seconds(b->released) : b->window.end;

    *out = b->window;
    if (b->status == BOOKING_CANCELLED || released <= b->window.start)
        return false;
    if (released < b->window.end)
        out->end = released;
    return true;
}

static void put_summary(struct calendar *calendar, const struct topology *topology, const struct booking *b)
{
    buffer_append_text(&calendar->line, "SUMMARY:");
    add_text(calendar, b->user_label);
    buffer_printf(&calendar->line, ": %zu GPU%s on ", b->gpu_count, b->gpu_count == 1 ? "" : "s");
    add_text(calendar, topology_node_by_key(topology, b->node_key)->id);
    end_line(calendar);
}

static void put_description(struct calendar *calendar, const struct topology *topology, const struct booking *b)
{
    buffer_append_text(&calendar->line, "DESCRIPTION:GPUs: ");
    for (size_t i = 0; i < b->gpu_count; i++) {
        if (i > 0)
            add_text(calendar, ", ");
        add_text(calendar, topology_gpu_by_key(topology, b->gpu_keys[i])->id);
    }
    if (b->note != NULL) {
        add_text(calendar, "\n");
        add_text(calendar, b->note);
    }
    end_line(calendar);
}

void calendar_begin(struct calendar *calendar, struct buffer *out, const char *name)
{
    *calendar = (struct calendar){.out = out};
    put_line(calendar, "BEGIN:VCALENDAR");
    put_line(calendar, "VERSION:2.0");
    put_line(calendar, "PRODID:-//ProcPlan//ProcPlan " PACKAGE_VERSION "//EN");
    put_line(calendar, "CALSCALE:GREGORIAN");
    put_text(calendar, "X-WR-CALNAME", name);
}

void calendar_add(struct calendar *calendar, const struct topology *topology, const char *epoch, const struct booking *b)
{
    struct window when;
    bool confirmed = takes_place(b, &when);

    put_line(calendar, "BEGIN:VEVENT");
    buffer_printf(&calendar->line, "UID:booking-%" PRId64 "@%s.procplan", b->id, epoch);
    end_line(calendar);
    buffer_printf(&calendar->line, "SEQUENCE:%" PRId64, b->version - 1 + (b->status != BOOKING_ACTIVE));
    end_line(calendar);
    put_seconds(calendar, "DTSTAMP", b->updated);
    put_seconds(calendar, "CREATED", b->created);
    put_seconds(calendar, "LAST-MODIFIED", b->updated);
    put_hour(calendar, "DTSTART", when.start);
    put_hour(calendar, "DTEND", when.end);
    put_line(calendar, confirmed ? "STATUS:CONFIRMED" : "STATUS:CANCELLED");
    put_line(calendar, "TRANSP:TRANSPARENT"); /* a machine is taken, not the time of who reads this */
    put_summary(calendar, topology, b);
    put_description(calendar, topology, b);
    put_text(calendar, "CATEGORIES", priority_name(b->priority));
    put_line(calendar, "END:VEVENT");
}

void calendar_end(struct calendar *calendar)
{
    put_line(calendar, "END:VCALENDAR");
    buffer_release(&calendar->line);
}
