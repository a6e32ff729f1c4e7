#include "tests/unit/unit.h"

#include "tests/unit/arena.h"

#include "cgi/http/router.h"

/* Entries are larger than their pattern, as the API's are. */
struct entry {
    struct route_pattern pattern;
    int padding;
};

static const struct entry routes[] = {
    {{HTTP_GET, "/api/nodes"}, 0},
    {{HTTP_POST, "/api/book"}, 0},
    {{HTTP_GET, "/api/bookings"}, 0},
    {{HTTP_DELETE, "/api/bookings/*"}, 0},
    {{HTTP_GET, "/api/bookings/*"}, 0},
    {{HTTP_PATCH, "/api/bookings/*"}, 0},
};

static struct http_request request;
static size_t found;
static char allow[64];

static enum route_result route(enum http_method method, const char *path)
{
    request = (struct http_request){.arena = &arena, .method = method, .path = path};
    found = 99;
    memset(allow, 'x', sizeof(allow));
    return route_find(routes, COUNT(routes), sizeof(routes[0]), &request, &found, allow);
}

TEST(a_path_is_compared_whole_and_exactly)
{
    assert_int_equal(route(HTTP_GET, "/api/nodes"), ROUTE_FOUND);
    assert_int_equal(found, 0);
    assert_null(request.route_rest);
    assert_string_equal(allow, "");
    static const char *const unknown[] = {"/", "", "/api", "/api/", "/api/node", "/api/nodes/", "/api/nodesx", "/API/nodes", "/api//nodes", "/api/*"};
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_int_equal(route(HTTP_GET, unknown[i]), ROUTE_UNKNOWN);
        assert_string_equal(allow, "");
    }
}

TEST(a_star_takes_all_that_follows_without_one_slash_at_the_end)
{
    static const struct {
        const char *path, *rest;
    } cases[] = {
        {"/api/bookings/7", "7"}, {"/api/bookings/7/", "7"},     {"/api/bookings/", ""},     {"/api/bookings//", ""},
        {"/api/bookings/a/b", "a/b"}, {"/api/bookings/7//", "7/"}, {"/api/bookings/*", "*"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(route(HTTP_DELETE, cases[i].path), ROUTE_FOUND);
        assert_int_equal(found, 3);
        assert_string_equal(request.route_rest, cases[i].rest);
    }
}

TEST(the_method_chooses_among_entries_of_one_path)
{
    assert_int_equal(route(HTTP_PATCH, "/api/bookings/7"), ROUTE_FOUND);
    assert_int_equal(found, 5);
    assert_int_equal(route(HTTP_GET, "/api/bookings/7"), ROUTE_FOUND);
    assert_int_equal(found, 4);
    assert_int_equal(route(HTTP_GET, "/api/bookings"), ROUTE_FOUND);
    assert_int_equal(found, 2);
}

TEST(another_method_is_answered_with_those_allowed)
{
    assert_int_equal(route(HTTP_POST, "/api/nodes"), ROUTE_OTHER_METHOD);
    assert_string_equal(allow, "GET, HEAD");
    assert_int_equal(route(HTTP_GET, "/api/book"), ROUTE_OTHER_METHOD);
    assert_string_equal(allow, "POST");
    assert_int_equal(route(HTTP_POST, "/api/bookings/7"), ROUTE_OTHER_METHOD);
    assert_string_equal(allow, "GET, HEAD, PATCH, DELETE");
    assert_int_equal(route(HTTP_DELETE, "/api/bookings"), ROUTE_OTHER_METHOD);
    assert_string_equal(allow, "GET, HEAD");
    assert_int_equal(route(HTTP_OTHER, "/api/nodes"), ROUTE_OTHER_METHOD);
    assert_int_equal(route(HTTP_OPTIONS, "/api/nodes"), ROUTE_OTHER_METHOD);
}

TEST(all_methods_together_fit_into_the_header)
{
    static const struct route_pattern all[] = {
        {HTTP_GET, "/x"}, {HTTP_POST, "/x"}, {HTTP_PUT, "/x"}, {HTTP_PATCH, "/x"}, {HTTP_DELETE, "/x"}, {HTTP_OPTIONS, "/x"},
    };
    request = (struct http_request){.arena = &arena, .method = HTTP_OTHER, .path = "/x"};
    assert_int_equal(route_find(all, COUNT(all), sizeof(all[0]), &request, &found, allow), ROUTE_OTHER_METHOD);
    assert_string_equal(allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}


int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ARENA(a_path_is_compared_whole_and_exactly),
        IN_ARENA(a_star_takes_all_that_follows_without_one_slash_at_the_end),
        IN_ARENA(the_method_chooses_among_entries_of_one_path),
        IN_ARENA(another_method_is_answered_with_those_allowed),
        IN_ARENA(all_methods_together_fit_into_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
