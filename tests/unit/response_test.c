#include "tests/unit/unit.h"

#include <stdio.h>

#include "cgi/http/response.h"
#include "common/error.h"

/* What every answer says: it is no page. */
#define SECURITY                                                                   \
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n" \
    "Referrer-Policy: same-origin\r\n"                                            \
    "X-Content-Type-Options: nosniff\r\n"

static struct http_response response;
static struct buffer out;

static int begin(void **state)
{
    (void)state;
    http_response_init(&response);
    buffer_init(&out);
    return 0;
}

static int end(void **state)
{
    (void)state;
    http_response_release(&response);
    buffer_release(&out);
    return 0;
}

static void assert_headers(const char *expected)
{
    buffer_clear(&out);
    http_response_headers(&response, &out);
    assert_string_equal(out.data, expected);
}

TEST(an_answer_has_status_type_length_and_caching)
{
    buffer_append_text(&response.body, "{}");
    assert_headers("Status: 200 OK\r\n"
                   "Content-Type: application/json; charset=utf-8\r\n"
                   "Content-Length: 2\r\n"
                   "Cache-Control: no-cache\r\n"
                   SECURITY
                   "\r\n");
}

TEST(each_further_header_is_sent_when_it_is_set)
{
    response.status = 405;
    response.content_type = "text/plain";
    response.no_store = true;
    response.retry_after = 1;
    snprintf(response.etag, sizeof(response.etag), "\"abc\"");
    snprintf(response.allow, sizeof(response.allow), "GET, HEAD");
    assert_headers("Status: 405 Method Not Allowed\r\n"
                   "Content-Type: text/plain\r\n"
                   "Content-Length: 0\r\n"
                   "ETag: \"abc\"\r\n"
                   "Cache-Control: no-store\r\n"
                   "Allow: GET, HEAD\r\n"
                   "Retry-After: 1\r\n"
                   SECURITY
                   "\r\n");
}

TEST(a_304_has_neither_type_nor_length)
{
    response.status = 304;
    snprintf(response.etag, sizeof(response.etag), "\"abc\"");
    assert_headers("Status: 304 Not Modified\r\n"
                   "ETag: \"abc\"\r\n"
                   "Cache-Control: no-cache\r\n"
                   SECURITY
                   "\r\n");
}

TEST(a_value_with_a_control_byte_is_not_sent)
{
    static const char *const bad[] = {"\"a\r\nSet-Cookie: x\"", "\"a\nb\"", "\"a\x7f\"", "\"\x01\"", "\"a\t\""};
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(response.etag, sizeof(response.etag), "%s", bad[i]);
        snprintf(response.allow, sizeof(response.allow), "%s", bad[i]);
        response.content_type = bad[i];
        assert_headers("Status: 200 OK\r\n"
                       "Content-Length: 0\r\n"
                       "Cache-Control: no-cache\r\n"
                       SECURITY
                       "\r\n");
    }
}

TEST(headers_are_appended)
{
    buffer_append_text(&out, "before");
    http_response_headers(&response, &out);
    assert_memory_equal(out.data, "beforeStatus: 200 OK\r\n", 22);
}

TEST(a_shared_body_goes_before_ones_own)
{
    struct buffer shared = BUFFER_INIT;
    buffer_append_text(&shared, "shared body");
    buffer_append_text(&response.body, "own");
    assert_ptr_equal(http_response_body(&response), &response.body);
    response.shared = &shared;
    assert_ptr_equal(http_response_body(&response), &shared);
    buffer_clear(&out);
    http_response_headers(&response, &out);
    assert_non_null(strstr(out.data, "Content-Length: 11\r\n"));
    http_response_reset(&response);
    assert_ptr_equal(http_response_body(&response), &response.body);
    assert_string_equal(shared.data, "shared body");
    buffer_release(&shared);
}

TEST(a_reset_leaves_nothing_of_the_last_answer_but_its_memory)
{
    response.status = 404;
    response.content_type = "text/plain";
    response.no_store = true;
    response.retry_after = 5;
    snprintf(response.etag, sizeof(response.etag), "\"abc\"");
    snprintf(response.allow, sizeof(response.allow), "GET");
    buffer_append_text(&response.body, "something");
    char *memory = response.body.data;
    http_response_reset(&response);
    assert_headers("Status: 200 OK\r\n"
                   "Content-Type: application/json; charset=utf-8\r\n"
                   "Content-Length: 0\r\n"
                   "Cache-Control: no-cache\r\n"
                   SECURITY
                   "\r\n");
    assert_ptr_equal(response.body.data, memory);
    assert_string_equal(response.body.data, "");
}

TEST(a_large_bodys_memory_is_given_back)
{
    buffer_reserve(&response.body, 2 * 1024 * 1024);
    http_response_reset(&response);
    assert_int_equal(response.body.capacity, 0);
    buffer_reserve(&response.body, 512 * 1024);
    size_t capacity = response.body.capacity;
    http_response_reset(&response);
    assert_int_equal(response.body.capacity, capacity);
}

TEST(statuses_have_their_names)
{
    assert_string_equal(http_status_text(200), "200 OK");
    assert_string_equal(http_status_text(201), "201 Created");
    assert_string_equal(http_status_text(404), "404 Not Found");
    assert_string_equal(http_status_text(507), "507 Insufficient Storage");
    assert_string_equal(http_status_text(500), "500 Internal Server Error");
    assert_string_equal(http_status_text(0), "500 Internal Server Error");
}

/* So that no code of ours is sent under another's name. */
TEST(every_error_code_has_a_status_with_a_name)
{
    for (int code = ERROR_NONE; code <= ERROR_FULL; code++) {
        char number[16];
        snprintf(number, sizeof(number), "%d ", error_status((enum error_code)code));
        assert_memory_equal(http_status_text(error_status((enum error_code)code)), number, strlen(number));
    }
}

#define ANSWERED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANSWERED(an_answer_has_status_type_length_and_caching),
        ANSWERED(each_further_header_is_sent_when_it_is_set),
        ANSWERED(a_304_has_neither_type_nor_length),
        ANSWERED(a_value_with_a_control_byte_is_not_sent),
        ANSWERED(headers_are_appended),
        ANSWERED(a_shared_body_goes_before_ones_own),
        ANSWERED(a_reset_leaves_nothing_of_the_last_answer_but_its_memory),
        ANSWERED(a_large_bodys_memory_is_given_back),
        ANSWERED(statuses_have_their_names),
        ANSWERED(every_error_code_has_a_status_with_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
