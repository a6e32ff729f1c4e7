#include "tests/unit/unit.h"

#include <stdlib.h>

#include "cgi/http/request.h"
#include "common/buffer.h"

/* A request as a web server would send it: parameters in a list, and a body that arrives in pieces. */
struct sent {
    const char *parameters[24]; /* name, value, …, NULL */
    const char *body;
    size_t body_length;
    size_t piece;    /* bytes a read gives at most; 0: all */
    size_t consumed; /* how much was read */
};

static const char *sent_parameter(void *context, const char *name)
{
    const struct sent *sent = context;
    for (size_t i = 0; sent->parameters[i]; i += 2) {
        if (strcmp(sent->parameters[i], name) == 0)
            return sent->parameters[i + 1];
    }
    return NULL;
}

static size_t sent_read(void *context, char *to, size_t size)
{
    struct sent *sent = context;
    size_t left = sent->body_length - sent->consumed;
    size_t step = size < left ? size : left;
    if (sent->piece && step > sent->piece)
        step = sent->piece;
    if (step)
        memcpy(to, sent->body + sent->consumed, step);
    sent->consumed += step;
    return step;
}

static struct arena arena;
static struct http_request request;
static struct error err;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena);
    err = (struct error)ERROR_INIT;
    return 0;
}

static int end(void **state)
{
    (void)state;
    error_clear(&err);
    arena_release(&arena);
    return 0;
}

static bool read_request(struct sent *sent)
{
    struct http_source source = {sent, sent_parameter, sent_read};
    return http_request_read(&request, &arena, &source, &err);
}

static bool read_query(const char *query)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "GET", "PATH_INFO", "/api/nodes", "QUERY_STRING", query}};
    return read_request(&sent);
}

static bool read_header(const char *name, const char *value)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "GET", name, value}};
    return read_request(&sent);
}

TEST(a_request_is_read_whole)
{
    struct sent sent = {
        .parameters = {"REQUEST_METHOD", "POST", "PATH_INFO", "/api/book", "QUERY_STRING", "a=1&b=x%20y", "CONTENT_LENGTH", "7",
                       "HTTP_HOST", "gpu.example", "HTTP_ORIGIN", "https://gpu.example", "HTTP_IF_NONE_MATCH", "\"x\"",
                       "HTTP_IDEMPOTENCY_KEY", "k1", "REMOTE_USER", "eve", "PROCPLAN_REQUEST_ID", "8f2c-1"},
        .body = "{\"a\":1}",
        .body_length = 7,
    };
    assert_true(read_request(&sent));
    assert_int_equal(request.method, HTTP_POST);
    assert_false(request.head_only);
    assert_string_equal(request.method_name, "POST");
    assert_string_equal(request.path, "/api/book");
    assert_string_equal(request.query_text, "a=1&b=x%20y");
    assert_string_equal(http_query(&request, "b"), "x y");
    assert_string_equal(request.body, "{\"a\":1}");
    assert_int_equal(request.body_length, 7);
    assert_string_equal(request.host, "gpu.example");
    assert_string_equal(request.origin, "https://gpu.example");
    assert_string_equal(request.if_none_match, "\"x\"");
    assert_string_equal(request.idempotency_key, "k1");
    assert_string_equal(request.remote_user, "eve");
    assert_string_equal(request.id, "8f2c-1");
    assert_null(request.sec_fetch_site);
    assert_null(request.claimed_user);
    assert_null(request.route_rest);
}

TEST(a_request_without_parameters_is_read_as_nothing)
{
    struct sent sent = {.parameters = {NULL}};
    assert_true(read_request(&sent));
    assert_int_equal(request.method, HTTP_OTHER);
    assert_string_equal(request.method_name, "");
    assert_string_equal(request.path, "/");
    assert_string_equal(request.query_text, "");
    assert_int_equal(request.query_count, 0);
    assert_string_equal(request.body, "");
    assert_int_equal(request.body_length, 0);
    assert_true(strlen(request.id) > 0);
}

TEST(methods_are_told_apart)
{
    static const struct {
        const char *name;
        enum http_method method;
        bool head_only;
    } cases[] = {
        {"GET", HTTP_GET, false},       {"HEAD", HTTP_GET, true},         {"POST", HTTP_POST, false},   {"PUT", HTTP_PUT, false},
        {"PATCH", HTTP_PATCH, false},   {"DELETE", HTTP_DELETE, false},   {"OPTIONS", HTTP_OPTIONS, false},
        {"TRACE", HTTP_OTHER, false},   {"get", HTTP_OTHER, false},       {"GETX", HTTP_OTHER, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sent sent = {.parameters = {"REQUEST_METHOD", cases[i].name}};
        assert_true(read_request(&sent));
        assert_int_equal(request.method, cases[i].method);
        assert_int_equal(request.head_only, cases[i].head_only);
        assert_string_equal(request.method_name, cases[i].name);
    }
}

TEST(a_path_begins_with_a_slash)
{
    struct sent sent = {.parameters = {"PATH_INFO", ""}};
    assert_true(read_request(&sent));
    assert_string_equal(request.path, "/");
    sent.parameters[1] = "api/nodes";
    assert_true(read_request(&sent));
    assert_string_equal(request.path, "/api/nodes");
}

TEST(everything_is_copied)
{
    char path[] = "/api/nodes", host[] = "gpu.example", query[] = "a=1", body[] = "{}";
    struct sent sent = {
        .parameters = {"REQUEST_METHOD", "POST", "PATH_INFO", path, "HTTP_HOST", host, "QUERY_STRING", query, "CONTENT_LENGTH", "2"},
        .body = body,
        .body_length = 2,
    };
    assert_true(read_request(&sent));
    memset(path, 'X', strlen(path));
    memset(host, 'X', strlen(host));
    memset(query, 'X', strlen(query));
    memset(body, 'X', strlen(body));
    assert_string_equal(request.path, "/api/nodes");
    assert_string_equal(request.host, "gpu.example");
    assert_string_equal(request.query_text, "a=1");
    assert_string_equal(http_query(&request, "a"), "1");
    assert_string_equal(request.body, "{}");
}

TEST(query_parameters_are_decoded)
{
    assert_true(read_query("a+b=c+d&x=%41%2b%e2%82%ac&start=2026-11-23T14:00+01:00"));
    assert_string_equal(http_query(&request, "a b"), "c d");
    assert_string_equal(http_query(&request, "x"), "A+€");
    assert_string_equal(http_query(&request, "start"), "2026-11-23T14:00 01:00");
    assert_int_equal(request.query_count, 3);
}

TEST(malformed_escapes_stay_as_they_are)
{
    assert_true(read_query("a=100%&b=%4&c=%zz%41&d=%&e=%%41"));
    assert_string_equal(http_query(&request, "a"), "100%");
    assert_string_equal(http_query(&request, "b"), "%4");
    assert_string_equal(http_query(&request, "c"), "%zzA");
    assert_string_equal(http_query(&request, "d"), "%");
    assert_string_equal(http_query(&request, "e"), "%A");
}

TEST(the_first_parameter_with_a_value_counts)
{
    assert_true(read_query("&&a=&a&a=1&a=2&b&=x&a=%3D=3&"));
    assert_string_equal(http_query(&request, "a"), "1");
    assert_null(http_query(&request, "b"));
    assert_null(http_query(&request, "c"));
    assert_string_equal(http_query(&request, ""), "x");
    const char **all = http_query_all(&request, "a");
    assert_string_equal(all[0], "1");
    assert_string_equal(all[1], "2");
    assert_string_equal(all[2], "==3");
    assert_null(all[3]);
    assert_null(http_query_all(&request, "b")[0]);
}

TEST(a_query_parameter_that_is_no_text_is_refused_by_name)
{
    assert_false(read_query("x=1&node_id=%ff"));
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.message, "Query parameter 'node_id' is not valid UTF-8");
    assert_string_equal(err.field, "node_id");
    assert_string_equal(request.path, "/api/nodes");
    assert_string_equal(request.method_name, "GET");
    assert_false(read_query("node_id=a%00b"));
    assert_string_equal(err.message, "Query parameter 'node_id' holds a NUL character");
    assert_false(read_query("x=1&%c3%28=1"));
    assert_string_equal(err.message, "The name of query parameter 2 is not valid UTF-8");
    assert_string_equal(err.field, "");
    assert_false(read_query("%00=1"));
    assert_string_equal(err.message, "The name of query parameter 1 holds a NUL character");
    assert_false(read_query("\xff=1"));
}

TEST(a_thousand_query_parameters_are_enough)
{
    struct buffer query = BUFFER_INIT;
    for (int i = 0; i < 1000; i++)
        buffer_printf(&query, "&&a=%d", i + 1);
    assert_true(read_query(query.data));
    assert_int_equal(request.query_count, 1000);
    assert_string_equal(http_query_all(&request, "a")[999], "1000");
    buffer_append_text(&query, "&b");
    assert_false(read_query(query.data));
    assert_string_equal(err.message, "There are more than 1000 query parameters");
    buffer_release(&query);
}

TEST(a_body_that_arrives_in_pieces_is_put_together)
{
    struct sent sent = {
        .parameters = {"REQUEST_METHOD", "PUT", "CONTENT_LENGTH", "26"},
        .body = "abcdefghijklmnopqrstuvwxyz",
        .body_length = 26,
        .piece = 3,
    };
    assert_true(read_request(&sent));
    assert_string_equal(request.body, "abcdefghijklmnopqrstuvwxyz");
}

TEST(a_body_of_one_byte_is_a_body)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", "1"}, .body = "5", .body_length = 1};
    assert_true(read_request(&sent));
    assert_string_equal(request.body, "5");
    assert_int_equal(request.body_length, 1);
}

TEST(a_body_may_hold_nul_bytes)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", "3"}, .body = "a\0b", .body_length = 3};
    assert_true(read_request(&sent));
    assert_int_equal(request.body_length, 3);
    assert_memory_equal(request.body, "a\0b\0", 4);
}

TEST(no_more_is_read_than_was_announced)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", "3"}, .body = "{ }GET /", .body_length = 8, .piece = 2};
    assert_true(read_request(&sent));
    assert_int_equal(sent.consumed, 3);
    assert_string_equal(request.body, "{ }");
}

TEST(a_body_shorter_than_announced_is_refused)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "PATH_INFO", "/api/book", "CONTENT_LENGTH", "9"}, .body = "{}", .body_length = 2};
    assert_false(read_request(&sent));
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.message, "The request body ended after 2 of 9 bytes");
    assert_string_equal(request.path, "/api/book");
    assert_int_equal(request.body_length, 0);
}

TEST(a_content_length_that_is_no_number_is_refused)
{
    static const char *const bad[] = {"x", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "5,5", "99999999999999999999x"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", bad[i]}, .body = "12345", .body_length = 5};
        assert_false(read_request(&sent));
        assert_int_equal(err.code, ERROR_BAD_REQUEST);
        assert_string_equal(err.message, "Content-Length must be a number of bytes");
    }
    struct sent empty = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", ""}};
    assert_true(read_request(&empty));
}

TEST(a_body_of_a_megabyte_is_read_and_a_larger_one_refused)
{
    char *body = calloc(1, HTTP_BODY_MAX + 1);
    assert_non_null(body);
    memset(body, 'x', HTTP_BODY_MAX + 1);
    struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", "1048576"}, .body = body, .body_length = HTTP_BODY_MAX};
    assert_true(read_request(&sent));
    assert_int_equal(request.body_length, HTTP_BODY_MAX);
    arena_reset(&arena);
    sent.parameters[3] = "1048577";
    sent.body_length = HTTP_BODY_MAX + 1;
    sent.consumed = 0;
    assert_false(read_request(&sent));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_string_equal(err.message, "The request body is larger than 1048576 bytes");
    assert_int_equal(request.body_length, 0);
    assert_int_equal(sent.consumed, HTTP_BODY_MAX + 1); /* off the connection, so that the refusal arrives */
    free(body);
}

TEST(an_absurd_content_length_is_too_large_and_costs_nothing)
{
    static const char *const lengths[] = {"18446744073709551615", "18446744073709551616", "18446744073709551617", "99999999999999999999999999999999999999"};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", lengths[i]}, .body = "12345", .body_length = 5};
        assert_false(read_request(&sent));
        assert_int_equal(err.code, ERROR_TOO_LARGE);
    }
}

/* A body without an end. */
static size_t endless_read(void *context, char *to, size_t size)
{
    memset(to, 'x', size);
    ((struct sent *)context)->consumed += size;
    return size;
}

TEST(of_a_refused_body_only_so_much_is_read)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "POST", "CONTENT_LENGTH", "99999999999"}};
    struct http_source source = {&sent, sent_parameter, endless_read};
    assert_false(http_request_read(&request, &arena, &source, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_int_equal(sent.consumed, 16 * 1024 * 1024);
}

TEST(the_body_of_a_get_is_read_and_ignored)
{
    struct sent sent = {.parameters = {"REQUEST_METHOD", "GET", "CONTENT_LENGTH", "5"}, .body = "12345", .body_length = 5};
    assert_true(read_request(&sent));
    assert_int_equal(sent.consumed, 5);
    assert_int_equal(request.body_length, 0);
    assert_string_equal(request.body, "");
}

TEST(an_empty_header_is_no_header)
{
    struct sent sent = {.parameters = {"HTTP_HOST", "", "HTTP_ORIGIN", "", "HTTP_SEC_FETCH_SITE", "", "HTTP_IF_NONE_MATCH", "",
                                       "HTTP_IDEMPOTENCY_KEY", "", "HTTP_PROCPLAN_USER", "", "REMOTE_USER", ""}};
    assert_true(read_request(&sent));
    assert_null(request.host);
    assert_null(request.origin);
    assert_null(request.sec_fetch_site);
    assert_null(request.if_none_match);
    assert_null(request.idempotency_key);
    assert_null(request.claimed_user);
    assert_null(request.remote_user);
}

TEST(a_user_is_never_taken_from_a_header)
{
    assert_true(read_header("HTTP_REMOTE_USER", "root"));
    assert_null(request.remote_user);
    assert_true(read_header("REMOTE_USER", "Jürgen"));
    assert_string_equal(request.remote_user, "Jürgen");
}

TEST(a_user_name_that_is_no_text_is_refused)
{
    assert_false(read_header("REMOTE_USER", "a\xff"));
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.message, "The user name is not valid UTF-8 or holds a control character");
    assert_false(read_header("REMOTE_USER", "a\nb"));
}

TEST(a_claimed_user_is_a_name_that_can_be_shown)
{
    assert_true(read_header("HTTP_PROCPLAN_USER", "  eve \xc2\xa0"));
    assert_string_equal(request.claimed_user, "eve");
    static const char *const bad[] = {" ", "a\tb", "a\xff", "a\xc2\x85z", "\x7f"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(read_header("HTTP_PROCPLAN_USER", bad[i]));
        assert_null(request.claimed_user);
    }
    char name[64 * 2 + 2] = "";
    for (size_t i = 0; i < 64; i++)
        memcpy(name + 2 * i, "é", 3);
    assert_true(read_header("HTTP_PROCPLAN_USER", name));
    assert_string_equal(request.claimed_user, name);
    memcpy(name + 128, "x", 2);
    assert_true(read_header("HTTP_PROCPLAN_USER", name));
    assert_null(request.claimed_user);
}

TEST(the_web_servers_request_id_is_taken_when_it_is_one)
{
    assert_true(read_header("PROCPLAN_REQUEST_ID", "0123456789abcdefABCDEF-0123456789abcdef0123456789abcdef012345678"));
    assert_string_equal(request.id, "0123456789abcdefABCDEF-0123456789abcdef0123456789abcdef012345678");
    static const char *const bad[] = {"", "a b", "a\nb", "ä", "a_b", "0123456789abcdefABCDEF-0123456789abcdef0123456789abcdef0123456789"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(read_header("PROCPLAN_REQUEST_ID", bad[i]));
        assert_string_not_equal(request.id, bad[i]);
        assert_true(strlen(request.id) >= 5 && strlen(request.id) <= 64);
        assert_int_equal(strspn(request.id, "0123456789abcdef-"), strlen(request.id));
    }
}

TEST(two_requests_without_an_id_get_different_ones)
{
    struct sent sent = {.parameters = {NULL}};
    assert_true(read_request(&sent));
    const char *first = request.id;
    assert_true(read_request(&sent));
    assert_string_not_equal(first, request.id);
}

#define READ(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READ(a_request_is_read_whole),
        READ(a_request_without_parameters_is_read_as_nothing),
        READ(methods_are_told_apart),
        READ(a_path_begins_with_a_slash),
        READ(everything_is_copied),
        READ(query_parameters_are_decoded),
        READ(malformed_escapes_stay_as_they_are),
        READ(the_first_parameter_with_a_value_counts),
        READ(a_query_parameter_that_is_no_text_is_refused_by_name),
        READ(a_thousand_query_parameters_are_enough),
        READ(a_body_that_arrives_in_pieces_is_put_together),
        READ(a_body_of_one_byte_is_a_body),
        READ(a_body_may_hold_nul_bytes),
        READ(no_more_is_read_than_was_announced),
        READ(a_body_shorter_than_announced_is_refused),
        READ(a_content_length_that_is_no_number_is_refused),
        READ(a_body_of_a_megabyte_is_read_and_a_larger_one_refused),
        READ(an_absurd_content_length_is_too_large_and_costs_nothing),
        READ(of_a_refused_body_only_so_much_is_read),
        READ(the_body_of_a_get_is_read_and_ignored),
        READ(an_empty_header_is_no_header),
        READ(a_user_is_never_taken_from_a_header),
        READ(a_user_name_that_is_no_text_is_refused),
        READ(a_claimed_user_is_a_name_that_can_be_shown),
        READ(the_web_servers_request_id_is_taken_when_it_is_one),
        READ(two_requests_without_an_id_get_different_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
