#include "tests/unit/unit.h"

#include "cgi/http/etag.h"

static const char own[] = "\"abc.7.1\"";

TEST(the_same_tag_matches)
{
    assert_true(etag_matches("\"abc.7.1\"", own));
    assert_true(etag_matches("  \"abc.7.1\"\t", own));
    assert_true(etag_matches("\"\"", "\"\""));
}

TEST(a_tag_that_a_compressing_proxy_has_made_weak_matches)
{
    assert_true(etag_matches("W/\"abc.7.1\"", own));
    assert_true(etag_matches("\"abc.7.1\"", "W/\"abc.7.1\""));
}

TEST(one_tag_of_a_list_is_enough)
{
    assert_true(etag_matches("\"x\", \"abc.7.1\"", own));
    assert_true(etag_matches("\"abc.7.1\",W/\"x\"", own));
    assert_true(etag_matches("\"a,b\" ,\t W/\"abc.7.1\" , \"y\"", own));
    assert_true(etag_matches(", ,\"abc.7.1\",", own));
}

TEST(a_star_matches_any_tag)
{
    assert_true(etag_matches("*", own));
    assert_true(etag_matches(" * ", own));
}

TEST(another_tag_does_not_match)
{
    static const char *const others[] = {
        "\"abc.7.2\"", "\"abc.7.1x\"", "\"abc.7\"", "\"\"", "\"ABC.7.1\"", "W/\"abc.7.2\"", "\"x\", \"y\"", "\"a,\\\"abc.7.1\"",
    };
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(etag_matches(others[i], own));
}

TEST(a_malformed_header_matches_nothing)
{
    static const char *const bad[] = {
        "", " ", ",", "abc.7.1", "\"abc.7.1", "abc.7.1\"", "w/\"abc.7.1\"", "W\"abc.7.1\"", "W/ \"abc.7.1\"", "W/abc.7.1",
        "\"abc.7.1\" \"x\"", "\"abc.7.1\"x", "\"abc.7.1\", x", "\"abc.7.1\", *", "*, \"abc.7.1\"", "**", "\"abc.7.1\", \"a b\"",
        "\"abc.7.1\", \"", "'abc.7.1'",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (etag_matches(bad[i], own))
            fail_msg("%s matched", bad[i]);
    }
    assert_false(etag_matches(NULL, own));
}

TEST(what_is_no_tag_itself_is_matched_by_nothing)
{
    assert_false(etag_matches("*", NULL));
    assert_false(etag_matches("*", ""));
    assert_false(etag_matches("\"\"", ""));
    assert_false(etag_matches("\"abc\"", "abc"));
    assert_false(etag_matches("\"abc\"", "\"abc\"x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_tag_matches),
        cmocka_unit_test(a_tag_that_a_compressing_proxy_has_made_weak_matches),
        cmocka_unit_test(one_tag_of_a_list_is_enough),
        cmocka_unit_test(a_star_matches_any_tag),
        cmocka_unit_test(another_tag_does_not_match),
        cmocka_unit_test(a_malformed_header_matches_nothing),
        cmocka_unit_test(what_is_no_tag_itself_is_matched_by_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
