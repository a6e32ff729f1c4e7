#include "tests/unit/unit.h"

#include "common/error.h"
#include "common/text.h"

TEST(setting_an_error_fills_code_and_message_and_returns_false)
{
    struct error err = ERROR_INIT;
    assert_false(error_set(&err, ERROR_NOT_FOUND, "Booking '%d' is not there", 7));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.message, "Booking '7' is not there");
    assert_string_equal(err.field, "");
    assert_string_equal(err.limit, "");
    assert_string_equal(err.detail, "");
    error_clear(&err);
}

TEST(a_field_and_a_limit_are_named)
{
    struct error err = ERROR_INIT;
    assert_false(error_field(&err, ERROR_BAD_REQUEST, "start", "no time"));
    assert_string_equal(err.field, "start");
    assert_string_equal(err.message, "no time");
    assert_false(error_limit(&err, "max_booking_hours", 48, "at most %d hours", 48));
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.limit, "max_booking_hours");
    assert_int_equal(err.limit_value, 48);
    assert_string_equal(err.message, "at most 48 hours");
    assert_string_equal(err.field, "");
    error_clear(&err);
}

TEST(a_cleared_error_is_no_error)
{
    struct error err = ERROR_INIT;
    error_limit(&err, "max_booking_hours", 48, "x");
    error_clear(&err);
    assert_int_equal(err.code, ERROR_NONE);
    assert_string_equal(err.message, "");
    assert_string_equal(err.limit, "");
    assert_int_equal(err.limit_value, 0);
    error_field(&err, ERROR_BAD_REQUEST, "start", "x");
    error_detail(&err, "y");
    error_clear(&err);
    assert_string_equal(err.field, "");
    assert_string_equal(err.detail, "");
}

TEST(a_new_error_leaves_nothing_of_the_one_before)
{
    struct error err = ERROR_INIT;
    error_limit(&err, "max_booking_hours", 48, "x");
    error_detail(&err, "errno %d", 5);
    error_add_conflict(&err, "gpu0", 1, "eve", (struct window){1, 2});
    error_set(&err, ERROR_INTERNAL, "y");
    assert_string_equal(err.limit, "");
    assert_int_equal(err.limit_value, 0);
    assert_string_equal(err.detail, "");
    assert_int_equal(err.conflict_count, 0);
    assert_null(err.conflicts);
    error_clear(&err);
    assert_int_equal(err.code, ERROR_NONE);
    assert_string_equal(err.message, "");
}

TEST(an_error_may_be_wrapped_in_its_own_message)
{
    struct error err = ERROR_INIT;
    error_field(&err, ERROR_BAD_REQUEST, "start", "line 3");
    error_detail(&err, "detail");
    error_field(&err, ERROR_CONFIGURATION, err.field, "config.json: %s", err.message);
    assert_string_equal(err.message, "config.json: line 3");
    assert_string_equal(err.field, "start");
    error_detail(&err, "one");
    error_detail(&err, "%s, two", err.detail);
    assert_string_equal(err.detail, "one, two");
    error_clear(&err);
}

/* Shifted by 0 to 3 bytes, so that the cut falls on every byte of a character of 2, 3 and 4 bytes. */
TEST(texts_that_are_too_long_are_cut_between_two_characters)
{
    static const char *const characters[] = {"é", "€", "😀"};
    for (size_t c = 0; c < COUNT(characters); c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[1200] = "xxx";
            size_t size = strlen(characters[c]), length = shift;
            while (length + size < sizeof(text)) {
                memcpy(text + length, characters[c], size);
                length += size;
            }
            text[length] = '\0';
            struct error err = ERROR_INIT;
            error_field(&err, ERROR_BAD_REQUEST, text, "%s", text);
            error_detail(&err, "%s", text);
            const struct {
                const char *text;
                size_t size;
            } cut[] = {{err.message, sizeof(err.message)}, {err.field, sizeof(err.field)}, {err.detail, sizeof(err.detail)}};
            for (size_t i = 0; i < COUNT(cut); i++) {
                size_t room = cut[i].size - 1;
                assert_true(text_is_utf8(cut[i].text, strlen(cut[i].text)));
                assert_int_equal(strlen(cut[i].text), room - (room - shift) % size);
                assert_memory_equal(cut[i].text, text, strlen(cut[i].text));
            }
            error_clear(&err);
        }
    }
}

TEST(a_precision_in_the_format_cuts_between_two_characters)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_BAD_REQUEST, "'%.4s' or '%.2s'", "xé€", "😀");
    assert_string_equal(err.message, "'xé' or ''");
    error_clear(&err);
}

TEST(a_text_that_just_fits_is_not_cut)
{
    struct error err = ERROR_INIT;
    char text[sizeof(err.field)];
    memset(text, 'x', sizeof(text) - 3);
    memcpy(text + sizeof(text) - 3, "é", 3);
    error_field(&err, ERROR_BAD_REQUEST, text, "x");
    assert_string_equal(err.field, text);
    error_clear(&err);
}

TEST(conflicts_are_copied)
{
    struct error err = ERROR_INIT;
    char id[] = "gpu0", label[] = "eve";
    error_set(&err, ERROR_CONFLICT, "taken");
    error_add_conflict(&err, id, 12, label, (struct window){-5, 9});
    id[0] = label[0] = 'X';
    assert_int_equal(err.conflict_count, 1);
    assert_string_equal(err.conflicts[0].gpu_id, "gpu0");
    assert_string_equal(err.conflicts[0].user_label, "eve");
    assert_int_equal(err.conflicts[0].booking_id, 12);
    assert_int_equal(err.conflicts[0].window.start, -5);
    assert_int_equal(err.conflicts[0].window.end, 9);
    error_clear(&err);
    error_clear(&err);
}

TEST(only_so_many_conflicts_are_kept)
{
    struct error err = ERROR_INIT;
    for (int i = 0; i < ERROR_CONFLICTS_MAX + 5; i++)
        error_add_conflict(&err, "gpu0", i, "eve", (struct window){0, 1});
    assert_int_equal(err.conflict_count, ERROR_CONFLICTS_MAX);
    assert_int_equal(err.conflicts[ERROR_CONFLICTS_MAX - 1].booking_id, ERROR_CONFLICTS_MAX - 1);
    error_clear(&err);
}

TEST(each_code_has_its_http_status)
{
    static const struct {
        enum error_code code;
        int status;
    } cases[] = {
        {ERROR_NONE, 200},         {ERROR_BAD_REQUEST, 400}, {ERROR_UNAUTHORIZED, 401},  {ERROR_FORBIDDEN, 403},
        {ERROR_NOT_FOUND, 404},    {ERROR_METHOD, 405},      {ERROR_CONFLICT, 409},      {ERROR_PRECONDITION, 412},
        {ERROR_TOO_LARGE, 413},    {ERROR_UNPROCESSABLE, 422}, {ERROR_INTERNAL, 500},    {ERROR_CONFIGURATION, 500},
        {ERROR_UNAVAILABLE, 503},  {ERROR_FULL, 507},        {(enum error_code)(ERROR_FULL + 1), 500}, {(enum error_code)99, 500},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(error_status(cases[i].code), cases[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_fills_code_and_message_and_returns_false),
        cmocka_unit_test(a_field_and_a_limit_are_named),
        cmocka_unit_test(a_cleared_error_is_no_error),
        cmocka_unit_test(a_new_error_leaves_nothing_of_the_one_before),
        cmocka_unit_test(an_error_may_be_wrapped_in_its_own_message),
        cmocka_unit_test(texts_that_are_too_long_are_cut_between_two_characters),
        cmocka_unit_test(a_precision_in_the_format_cuts_between_two_characters),
        cmocka_unit_test(a_text_that_just_fits_is_not_cut),
        cmocka_unit_test(conflicts_are_copied),
        cmocka_unit_test(only_so_many_conflicts_are_kept),
        cmocka_unit_test(each_code_has_its_http_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
