/*
 * The calendar's text: byte by byte where RFC 5545 leaves no choice, and read by another program's parser (libical), which must
 * find what went in. The seed of the random texts is printed (see random.h).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HAVE_LIBICAL
#include <libical/ical.h>
#endif

#include "cgi/api/api.h"
#include "cgi/api/calendar.h"
#include "common/text.h"
#include "tests/unit/database.h"
#include "tests/unit/random.h"

#include "common/banned.h"

#define EPOCH "0123456789abcdef"

static const char *const config =
    "{\"nodes\":[{\"id\":\"node-a\",\"gpus\":[{\"id\":\"gpu0\"},{\"id\":\"gpu1\"},{\"id\":\"a,b;c\\\\d\"}]},"
    "{\"id\":\"\\ud83d\\ude80, \\u05d0\",\"gpus\":[{\"id\":\"0\"}]}]}";

static struct database db;
static const int64_t keys[] = {1, 2, 3};

static int open_database(void **state)
{
    (void)state;
    database_open(&db, config);
    return 0;
}

static int close_database(void **state)
{
    (void)state;
    database_close(&db);
    return 0;
}

/* Two GPUs from 14 to 20 o'clock, made at 2026-11-20T08:00:01Z. */
static struct booking example(void)
{
    return (struct booking){
        .id = 12,
        .node_key = 1,
        .window = {at("2026-11-23T14:00"), at("2026-11-23T20:00")},
        .user_label = "AB",
        .priority = PRIORITY_HIGH,
        .status = BOOKING_ACTIVE,
        .version = 1,
        .created = 1795161601,
        .updated = 1795161601,
        .gpu_keys = keys,
        .gpu_count = 2,
    };
}

static struct buffer calendar_of(const struct booking *bookings, size_t count)
{
    struct buffer out = BUFFER_INIT;
    struct calendar calendar;

    calendar_begin(&calendar, &out, "ProcPlan");
    for (size_t i = 0; i < count; i++)
        calendar_add(&calendar, &db.planner->topology, EPOCH, &bookings[i]);
    calendar_end(&calendar);
    return out;
}

/* Whether the one booking's event has that line, unfolded or short. */
static void assert_line(const struct booking *b, const char *line)
{
    struct buffer out = calendar_of(b, 1), wanted = BUFFER_INIT;

    buffer_printf(&wanted, "\r\n%s\r\n", line);
    if (strstr(out.data, wanted.data) == NULL)
        fail_msg("no line %s in\n%s", line, out.data);
    buffer_release(&wanted);
    buffer_release(&out);
}

TEST(a_booking_is_an_event)
{
    struct booking b = example();
    struct buffer out = calendar_of(&b, 1);

    assert_string_equal(out.data, "BEGIN:VCALENDAR\r\n"
                                  "VERSION:2.0\r\n"
                                  "PRODID:-//ProcPlan//ProcPlan " PACKAGE_VERSION "//EN\r\n"
                                  "CALSCALE:GREGORIAN\r\n"
                                  "X-WR-CALNAME:ProcPlan\r\n"
                                  "BEGIN:VEVENT\r\n"
                                  "UID:booking-12@" EPOCH ".procplan\r\n"
                                  "SEQUENCE:0\r\n"
                                  "DTSTAMP:20261120T080001Z\r\n"
                                  "CREATED:20261120T080001Z\r\n"
                                  "LAST-MODIFIED:20261120T080001Z\r\n"
                                  "DTSTART:20261123T140000Z\r\n"
                                  "DTEND:20261123T200000Z\r\n"
                                  "STATUS:CONFIRMED\r\n"
                                  "TRANSP:TRANSPARENT\r\n"
                                  "SUMMARY:AB: 2 GPUs on node-a\r\n"
                                  "DESCRIPTION:GPUs: gpu0\\, gpu1\r\n"
                                  "CATEGORIES:high\r\n"
                                  "END:VEVENT\r\n"
                                  "END:VCALENDAR\r\n");
    buffer_release(&out);
}

TEST(a_cancelled_booking_stays_listed_as_planned)
{
    struct booking b = example();

    b.status = BOOKING_CANCELLED;
    b.released = b.updated = 1795161601 + 3 * 86400 + 8 * 3600; /* in the middle of it: 16:00:01 */
    assert_line(&b, "STATUS:CANCELLED");
    assert_line(&b, "DTEND:20261123T200000Z");
    assert_line(&b, "SEQUENCE:1");
    assert_line(&b, "LAST-MODIFIED:20261123T160001Z");
    assert_line(&b, "CREATED:20261120T080001Z");
}

TEST(a_completed_booking_ends_as_it_was_held)
{
    struct booking b = example();

    b.status = BOOKING_COMPLETED;
    b.released = b.updated = 1795161601 + 3 * 86400 + 8 * 3600 + 1800; /* 16:30:01: held until 16 */
    assert_line(&b, "STATUS:CONFIRMED");
    assert_line(&b, "DTSTART:20261123T140000Z");
    assert_line(&b, "DTEND:20261123T160000Z");
    b.released += 86400; /* the day after */
    assert_line(&b, "STATUS:CONFIRMED");
    assert_line(&b, "DTEND:20261123T200000Z");
}

TEST(a_completed_booking_that_held_nothing_is_cancelled)
{
    struct booking b = example();

    b.status = BOOKING_COMPLETED;
    b.released = b.updated = 1795161601 + 3 * 86400 + 6 * 3600 + 1800; /* 14:30:01, in its first hour */
    assert_line(&b, "STATUS:CANCELLED");
    assert_line(&b, "DTEND:20261123T200000Z");
    b.released -= 86400;
    assert_line(&b, "STATUS:CANCELLED");
}

TEST(the_sequence_grows_with_edits_and_with_the_end)
{
    struct booking b = example();

    b.version = 5;
    assert_line(&b, "SEQUENCE:4");
    b.status = BOOKING_CANCELLED;
    b.released = b.updated;
    assert_line(&b, "SEQUENCE:5");
}

TEST(texts_are_escaped_and_the_note_follows_the_gpus)
{
    struct booking b = example();

    b.user_label = "a;b,c\\d:\"e\"";
    b.note = "1, 2";
    b.gpu_keys = keys + 2;
    b.gpu_count = 1;
    assert_line(&b, "SUMMARY:a\\;b\\,c\\\\d:\"e\": 1 GPU on node-a");
    assert_line(&b, "DESCRIPTION:GPUs: a\\,b\\;c\\\\d\\n1\\, 2");
}

/* Each line as it is sent: at most 75 octets, whole characters, no stray CR or LF. Returns how many there are. */
static int assert_lines(const struct buffer *out)
{
    const char *line = out->data, *end;
    int lines = 0;

    for (; (end = strstr(line, "\r\n")) != NULL; line = end + 2, lines++) {
        size_t length = (size_t)(end - line);
        assert_true(length > 0 && length <= 75);
        assert_true(text_is_utf8(line, length));
        assert_null(memchr(line, '\n', length));
        assert_null(memchr(line, '\r', length));
    }
    assert_int_equal(line - out->data, out->length);
    return lines;
}

/* "SUMMARY:" and ": 2 GPUs on node-a" are 8 and 18 octets: a label of 49 makes a line of 75. */
TEST(lines_are_folded_behind_75_octets_and_never_within_a_character)
{
    struct booking b = example();
    char label[256];

    for (size_t n = 40; n < 200; n++) {
        memset(label, 'x', n);
        label[n] = '\0';
        b.user_label = label;
        struct buffer out = calendar_of(&b, 1);
        /* 75 octets, then 74 on each line more */
        int more = n + 26 <= 75 ? 0 : (int)((n + 26 - 75 + 73) / 74);
        assert_int_equal(assert_lines(&out), 20 + more);
        buffer_release(&out);
    }
    for (size_t n = 55; n < 75; n++) { /* two rockets of four octets each across the edge */
        memset(label, 'x', n);
        memcpy(label + n, "\xf0\x9f\x9a\x80\xf0\x9f\x9a\x80", 9);
        b.user_label = label;
        struct buffer out = calendar_of(&b, 1);
        assert_lines(&out);
        buffer_release(&out);
    }
}

/* Asks for the calendar as a client does; the answer lives in RESPONSE. */
static void get_calendar(struct api *api, struct http_response *response, const char *node, const char *label)
{
    struct http_parameter query[] = {{"node_id", node}, {"user_label", label}};
    struct http_request request = {.arena = &db.arena, .id = "1", .method = HTTP_GET, .method_name = "GET",
                                   .path = "/api/calendar.ics", .query_text = "", .query = query, .query_count = 2};
    struct error none = ERROR_INIT;

    http_response_reset(response);
    api_answer(api, &request, &none, response);
}

TEST(a_calendar_of_too_many_bookings_is_refused_with_what_would_make_it_smaller)
{
    struct booking b = example();
    struct error err = ERROR_INIT;
    struct http_response response;
    struct config_source source = {.folder = -1};
    struct api *api;
    hour_t first = hour_of_seconds((int64_t)time(NULL)) + 24;

    assert_true(planner_begin_write(db.planner, &err));
    for (int i = 0; i <= 10000; i++) {
        b.id = 0; /* the store numbers it */
        b.window = (struct window){first + i, first + i + 1};
        b.user_label = i == 0 ? "the first" : "AB";
        assert_true(store_booking_insert(db.planner->store, &b, &err));
    }
    assert_true(planner_commit(db.planner, &err));
    http_response_init(&response);
    assert_true(api_open(db.path, &source, &api, &err));

    get_calendar(api, &response, "", "");
    assert_int_equal(response.status, 400);
    assert_string_equal(response.content_type, "application/json");
    assert_non_null(strstr(http_response_body(&response)->data,
                           "A calendar holds 10000 bookings at most; name a node_id, a user_label or both"));
    get_calendar(api, &response, "node-a", "");
    assert_int_equal(response.status, 400);
    get_calendar(api, &response, "", "AB");
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/calendar; charset=utf-8");
    get_calendar(api, &response, "", "the first");
    assert_int_equal(response.status, 200);
    assert_null(strstr(http_response_body(&response)->data, "AB"));

    api_close(api);
    http_response_release(&response);
}

/* -- read by libical ---------------------------------------------------------------------------------------------- */

#ifdef HAVE_LIBICAL

/* Up to MOST characters of what goes wrong most easily, trimmed as labels are: no blank at an end. */
static const char *random_text(struct arena *arena, unsigned most)
{
    static const char *const pieces[] = {
        ";", ",", "\\", "\"", ":", "\\n", "=", "^", "'", " ", "a", "Z", "9", "BEGIN:VEVENT", "\\;", "END:VCALENDAR", "x", "yz",
        "\xc3\xbc",                         /* u with diaeresis */
        "\xe2\x80\xae\xd7\xa9",             /* right-to-left override, shin */
        "\xf0\x9f\x9a\x80",                 /* a rocket */
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", /* woman, joiner, computer */
        "e\xcc\x81",                        /* e and an accent of its own */
        "\xef\xbb\xbf",                     /* a byte order mark */
    };
    struct buffer out = BUFFER_INIT;
    unsigned count = 1 + random_below(most / 4);

    buffer_append_char(&out, 't');
    for (unsigned i = 0; i < count; i++)
        buffer_append_text(&out, pieces[random_below(COUNT(pieces))]);
    buffer_append_char(&out, 't');
    const char *text = arena_text(arena, out.data);
    buffer_release(&out);
    return text;
}

static struct booking random_booking(struct arena *arena, int64_t id)
{
    struct booking b = example();

    b.id = id;
    b.node_key = 1 + random_below(2);
    b.user_label = random_text(arena, LABEL_CHARACTERS_MAX);
    b.note = random_below(3) == 0 ? NULL : random_text(arena, NOTE_CHARACTERS_MAX);
    b.gpu_count = b.node_key == 1 ? 1 + random_below(3) : 1;
    b.window.start += (hour_t)random_below(20000) - 10000;
    b.window.end = b.window.start + 1 + (hour_t)random_below(500);
    b.status = (enum booking_status)random_below(3);
    b.version = 1 + random_below(9);
    b.updated = (int64_t)b.window.start * 3600 - 86400 + random_below(40 * 86400);
    b.released = b.status == BOOKING_ACTIVE ? 0 : b.updated;
    return b;
}

static const char *expected_description(struct arena *arena, const struct booking *b)
{
    static const char *const gpus[] = {"gpu0", "gpu0, gpu1", "gpu0, gpu1, a,b;c\\d"};
    const char *list = b->node_key == 2 ? "0" : gpus[b->gpu_count - 1];

    return arena_printf(arena, "GPUs: %s%s%s", list, b->note == NULL ? "" : "\n", b->note == NULL ? "" : b->note);
}

static void assert_time(struct icaltimetype time, int64_t seconds)
{
    assert_true(icaltime_is_valid_time(time));
    assert_true(icaltime_is_utc(time));
    assert_int_equal(icaltime_as_timet(time), seconds);
}

static int64_t property_time(icalcomponent *event, icalproperty_kind kind)
{
    icalproperty *property = icalcomponent_get_first_property(event, kind);

    assert_non_null(property);
    return (int64_t)icaltime_as_timet(icalvalue_get_datetime(icalproperty_get_value(property)));
}

static void assert_event(icalcomponent *event, struct arena *arena, const struct booking *b)
{
    hour_t released = hour_of_seconds(b->released);
    bool held = b->status == BOOKING_ACTIVE || (b->status == BOOKING_COMPLETED && released > b->window.start);
    hour_t end = held && b->status == BOOKING_COMPLETED && released < b->window.end ? released : b->window.end;
    const char *node = b->node_key == 1 ? "node-a" : "\xf0\x9f\x9a\x80, \xd7\x90";

    assert_string_equal(icalcomponent_get_uid(event), arena_printf(arena, "booking-%d@" EPOCH ".procplan", (int)b->id));
    assert_int_equal(icalcomponent_get_sequence(event), b->version - 1 + (b->status != BOOKING_ACTIVE));
    assert_time(icalcomponent_get_dtstart(event), (int64_t)b->window.start * 3600);
    assert_time(icalcomponent_get_dtend(event), (int64_t)end * 3600);
    assert_time(icalcomponent_get_dtstamp(event), b->updated);
    assert_int_equal(property_time(event, ICAL_LASTMODIFIED_PROPERTY), b->updated);
    assert_int_equal(property_time(event, ICAL_CREATED_PROPERTY), b->created);
    assert_int_equal(icalcomponent_get_status(event), held ? ICAL_STATUS_CONFIRMED : ICAL_STATUS_CANCELLED);
    assert_string_equal(icalcomponent_get_summary(event), arena_printf(arena, "%s: %d GPU%s on %s", b->user_label,
                                                                       (int)b->gpu_count, b->gpu_count == 1 ? "" : "s", node));
    assert_string_equal(icalcomponent_get_description(event), expected_description(arena, b));
    icalproperty *categories = icalcomponent_get_first_property(event, ICAL_CATEGORIES_PROPERTY);
    assert_non_null(categories);
    assert_string_equal(icalproperty_get_categories(categories), "high");
}

TEST(libical_reads_what_went_in)
{
    static struct booking bookings[50];

    for (int round = 0; round < 40; round++) {
        size_t count = random_below(COUNT(bookings) + 1);
        for (size_t i = 0; i < count; i++) {
            bookings[i] = random_booking(&db.arena, (int64_t)i + 1);
            if (bookings[i].node_key == 2) {
                static const int64_t other[] = {4};
                bookings[i].gpu_keys = other;
            }
        }
        struct buffer out = calendar_of(bookings, count);
        assert_lines(&out);
        icalcomponent *calendar = icalparser_parse_string(out.data);
        assert_non_null(calendar);
        assert_int_equal(icalcomponent_isa(calendar), ICAL_VCALENDAR_COMPONENT);
        assert_int_equal(icalcomponent_count_errors(calendar), 0);
        assert_int_equal(icalcomponent_count_components(calendar, ICAL_VEVENT_COMPONENT), count);
        icalcomponent *event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
        for (size_t i = 0; i < count; i++) {
            assert_event(event, &db.arena, &bookings[i]);
            event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT);
        }
        icalrestriction_check(calendar);
        assert_int_equal(icalcomponent_count_errors(calendar), 0);
        icalcomponent_free(calendar);
        buffer_release(&out);
        arena_reset(&db.arena);
    }
    icalmemory_free_ring();
}

#else

TEST(libical_reads_what_went_in)
{
    print_message("# SKIP: libical is not installed (libical-dev)\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_booking_is_an_event),
        cmocka_unit_test(a_cancelled_booking_stays_listed_as_planned),
        cmocka_unit_test(a_completed_booking_ends_as_it_was_held),
        cmocka_unit_test(a_completed_booking_that_held_nothing_is_cancelled),
        cmocka_unit_test(the_sequence_grows_with_edits_and_with_the_end),
        cmocka_unit_test(texts_are_escaped_and_the_note_follows_the_gpus),
        cmocka_unit_test(lines_are_folded_behind_75_octets_and_never_within_a_character),
        cmocka_unit_test(a_calendar_of_too_many_bookings_is_refused_with_what_would_make_it_smaller),
        cmocka_unit_test(libical_reads_what_went_in),
    };

    random_begin();
    return cmocka_run_group_tests(tests, open_database, close_database);
}
