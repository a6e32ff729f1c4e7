#include "tests/unit/unit.h"

#include <stdlib.h>

#include "common/buffer.h"
#include "common/json_read.h"

/* Parses exactly the given bytes from memory of their own, so that a read beyond them is seen by valgrind and ASan. */
static bool read_bytes(const char *bytes, size_t length, struct json_object **out, struct error *err)
{
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    bool fine = json_read(copy, length, out, err);
    free(copy);
    return fine;
}

static void assert_refused_bytes(const char *bytes, size_t length, const char *message)
{
    struct error err = ERROR_INIT;
    struct json_object *other = json_object_new_boolean(true), *tree = other;
    if (read_bytes(bytes, length, &tree, &err))
        fail_msg("%s was accepted", bytes);
    assert_null(tree);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.message, message);
    error_clear(&err);
    json_object_put(other);
}

static void assert_refused(const char *text, const char *message)
{
    assert_refused_bytes(text, strlen(text), message);
}

static struct json_object *accepted(const char *text)
{
    struct error err = ERROR_INIT;
    struct json_object *tree = NULL;
    if (!read_bytes(text, strlen(text), &tree, &err))
        fail_msg("%s: %s", text, err.message);
    return tree;
}

static void assert_accepted(const char *text, const char *plain)
{
    struct json_object *tree = accepted(text);
    assert_string_equal(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), plain);
    json_object_put(tree);
}

TEST(json_is_read)
{
    assert_accepted("{}", "{}");
    assert_accepted(" { \"a\" : [ 1 , -2.50 , 1e5 , true , false , null , \"x\" ] , \"b\" : { } }\r\n\t ",
                    "{\"a\":[1,-2.50,1e5,true,false,null,\"x\"],\"b\":{}}");
    assert_accepted("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    assert_accepted("\"\\u00e9 \\u20AC \\ud83d\\ude00 é\"", "\"é € 😀 é\"");
    assert_accepted("\"\\ud800\\udc00\"", "\"\xf0\x90\x80\x80\"");
    assert_accepted("\"\\uDBFF\\uDFFF\"", "\"\xf4\x8f\xbf\xbf\"");
    assert_accepted("\"\\uFFff\\uAaA0\"", "\"\xef\xbf\xbf\xea\xaa\xa0\"");
    assert_accepted("5", "5");
    assert_accepted("-0", "0");
    assert_accepted("0.5", "0.5");
    assert_accepted("1E-2", "1E-2");
    assert_accepted("true", "true");
    assert_accepted("[[],[[]],{}]", "[[],[[]],{}]");
    assert_accepted("999999999999999999", "999999999999999999");
    assert_accepted("-999999999999999999", "-999999999999999999");
    assert_null(accepted(" null "));
}

TEST(an_empty_text_is_called_empty)
{
    assert_refused("", "line 1, column 1: the text is empty");
    assert_refused(" \n\t\r ", "line 1, column 1: the text is empty");
}

TEST(a_fault_is_told_with_line_and_column_in_characters)
{
    assert_refused("{\n  \"ä😀\" 1}", "line 2, column 8: expected ':', found '1'");
    assert_refused("[1,\n2,\n]", "line 3, column 1: expected a value, found ']'");
    assert_refused("{\"a\":1,}", "line 1, column 8: expected a key in double quotes, found '}'");
    assert_refused("{a:1}", "line 1, column 2: expected a key in double quotes, found 'a'");
    assert_refused("{1:1}", "line 1, column 2: expected a key in double quotes, found '1'");
    assert_refused("[1 2]", "line 1, column 4: expected ',' or ']', found '2'");
    assert_refused("{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found '\"'");
    assert_refused("[1", "line 1, column 3: expected ',' or ']', but the text ends here");
    assert_refused("[", "line 1, column 2: expected a value, but the text ends here");
    assert_refused("{\"a\"", "line 1, column 5: expected ':', but the text ends here");
    assert_refused("]", "line 1, column 1: expected a value, found ']'");
    assert_refused("[1}", "line 1, column 3: expected ',' or ']', found '}'");
    assert_refused("[,1]", "line 1, column 2: expected a value, found ','");
    assert_refused("'a'", "line 1, column 1: expected a value, found '''");
    assert_refused("/* 1 */ 1", "line 1, column 1: expected a value, found '/'");
    assert_refused("é", "line 1, column 1: expected a value, found 'é'");
    assert_refused("\x0c" "1", "line 1, column 1: expected a value, found the control character U+000C");
    assert_refused("\xef\xbb\xbf{}", "line 1, column 1: expected a value, found a byte order mark (U+FEFF)");
}

TEST(anything_behind_the_value_is_refused)
{
    assert_refused("{} x", "line 1, column 4: expected the end of the text, found 'x'");
    assert_refused("1 1", "line 1, column 3: expected the end of the text, found '1'");
    assert_refused("12abc", "line 1, column 3: expected the end of the text, found 'a'");
    assert_refused("{}]", "line 1, column 3: expected the end of the text, found ']'");
    assert_refused_bytes("{}\0", 3, "line 1, column 3: expected the end of the text, found the control character U+0000");
    assert_refused_bytes("\0", 1, "line 1, column 1: expected a value, found the control character U+0000");
}

TEST(words_and_numbers_that_are_not_jsons_are_refused)
{
    assert_refused("NaN", "line 1, column 1: expected a value, found 'NaN'");
    assert_refused("Infinity", "line 1, column 1: expected a value, found 'Infinity'");
    assert_refused("True", "line 1, column 1: expected a value, found 'True'");
    assert_refused("nul", "line 1, column 1: expected a value, found 'nul'");
    assert_refused("nulll", "line 1, column 1: expected a value, found 'nulll'");
    assert_refused("abcdefghijklmnopqrstuvwxyz", "line 1, column 1: expected a value, found 'abcdefghijklmnopqrst…'");
    assert_refused("-Infinity", "line 1, column 2: expected a digit, found 'I'");
    assert_refused("01", "line 1, column 1: a number must not begin with a 0");
    assert_refused("-01", "line 1, column 1: a number must not begin with a 0");
    assert_refused("00", "line 1, column 1: a number must not begin with a 0");
    assert_refused("+1", "line 1, column 1: expected a value, found '+'");
    assert_refused(".5", "line 1, column 1: expected a value, found '.'");
    assert_refused("1.", "line 1, column 3: expected a digit, but the text ends here");
    assert_refused("1.e5", "line 1, column 3: expected a digit, found 'e'");
    assert_refused("1e", "line 1, column 3: expected a digit, but the text ends here");
    assert_refused("[1e+]", "line 1, column 5: expected a digit, found ']'");
    assert_refused("-", "line 1, column 2: expected a digit, but the text ends here");
    assert_refused("0x10", "line 1, column 2: expected the end of the text, found 'x'");
    assert_refused("1000000000000000000", "line 1, column 1: an integer of more than 18 digits");
    assert_refused("[ -1000000000000000000]", "line 1, column 3: an integer of more than 18 digits");
}

TEST(strings_that_are_not_jsons_are_refused)
{
    assert_refused("\"abc", "line 1, column 1: the string that begins here has no end");
    assert_refused("\"abc\\\"", "line 1, column 1: the string that begins here has no end");
    assert_refused("\"a\nb\"", "line 1, column 3: a control character (U+000A) in a string must be written as an escape");
    assert_refused("\"a\tb\"", "line 1, column 3: a control character (U+0009) in a string must be written as an escape");
    assert_refused_bytes("\"\0\"", 3, "line 1, column 2: a control character (U+0000) in a string must be written as an escape");
    assert_refused("\"\\x41\"", "line 1, column 2: an escape in a string that JSON does not have");
    assert_refused("\"\\", "line 1, column 2: an escape in a string that JSON does not have");
    assert_refused_bytes("\"\\\0\"", 4, "line 1, column 2: an escape in a string that JSON does not have");
    assert_refused("\"\\u12\"", "line 1, column 2: \\u must be followed by four hexadecimal digits");
    assert_refused("\"\\u12g4\"", "line 1, column 2: \\u must be followed by four hexadecimal digits");
    assert_refused("\"\\u", "line 1, column 2: \\u must be followed by four hexadecimal digits");
    assert_refused("\"a\\u0000\"", "line 1, column 3: \\u0000 is not allowed");
    assert_refused("{\"a\\u0000b\":1}", "line 1, column 4: \\u0000 is not allowed");
}

TEST(half_a_surrogate_pair_is_refused)
{
    static const char *const texts[] = {
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
        "\"\\ud83d\\ude0\"", "\"\\ud83d", "\"\\ude00\\ud83d\"",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_refused(texts[i], "line 1, column 2: half of a surrogate pair stands alone");
}

TEST(bad_utf_8_is_refused)
{
    static const char *const texts[] = {
        "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"", "\"\xc3",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_refused(texts[i], "line 1, column 2: the text is not valid UTF-8");
    assert_refused("[\xff]", "line 1, column 2: the text is not valid UTF-8");
}

TEST(nesting_is_bounded)
{
    assert_accepted("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
    assert_refused("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "line 1, column 17: nested more than 16 deep");
    assert_accepted("[[[[1]]],[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "[[[[1]]],[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
}

TEST(a_key_that_appears_twice_in_one_object_is_named)
{
    assert_refused("{\"a\":1,\"b\":2,\"a\":3}", "line 1, column 14: the key \"a\" appears twice in one object");
    assert_refused("{\"a\":1,\n \"\\u0061\":2}", "line 2, column 2: the key \"a\" appears twice in one object");
    assert_refused("{\"é/\\n😀\":1,\"\\u00E9\\/\\u000a\\uD83D\\uDE00\":2}", "line 1, column 12: the key \"é/\n😀\" appears twice in one object");
    assert_refused("[{\"a\":1},{\"b\":{\"c\":1,\"c\":1},\"x\":1,\"x\":2}]", "line 1, column 22: the key \"c\" appears twice in one object");
    assert_refused("{\"\":1,\"\":2}", "line 1, column 7: the key \"\" appears twice in one object");
    assert_accepted("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}],\"A\":0}", "{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}],\"A\":0}");
}

TEST(a_long_key_that_appears_twice_is_named_in_part)
{
    struct buffer text = BUFFER_INIT, key = BUFFER_INIT, message = BUFFER_INIT;
    buffer_append_char(&key, 'x');
    for (int i = 0; i < 100; i++)
        buffer_append_text(&key, "é");
    buffer_printf(&text, "{\"%s\":1,\"%s\":2}", key.data, key.data);
    /* 80 bytes, less the one that would be half a character */
    buffer_printf(&message, "line 1, column 108: the key \"%.79s…\" appears twice in one object", key.data);
    assert_refused(text.data, message.data);
    buffer_release(&text);
    buffer_release(&key);
    buffer_release(&message);
}

static void fill(struct buffer *text, const char *open, const char *piece, const char *close, size_t size)
{
    buffer_append_text(text, open);
    while (text->length + strlen(piece) < size)
        buffer_append_text(text, piece);
    buffer_append_text(text, close);
}

/* None of these may take long or much memory; a megabyte is what a request's body may have. */
TEST(hostile_megabytes_are_refused_or_read)
{
    enum { SIZE = 1024 * 1024 };
    struct buffer text = BUFFER_INIT;
    struct error err = ERROR_INIT;
    struct json_object *tree;
    fill(&text, "[0", ",{}", "]", SIZE);
    assert_refused(text.data, "line 1, column 300001: more than 100000 arrays and objects");
    buffer_clear(&text);
    fill(&text, "", "[", "", SIZE);
    assert_refused(text.data, "line 1, column 17: nested more than 16 deep");
    buffer_clear(&text);
    fill(&text, "{\"a\":1", ",\"a\":1", "}", SIZE);
    assert_refused(text.data, "line 1, column 8: the key \"a\" appears twice in one object");
    buffer_clear(&text);
    fill(&text, "{\"a\":1", ",\"\\u0061\":1", "}", SIZE);
    assert_refused(text.data, "line 1, column 8: the key \"a\" appears twice in one object");
    buffer_clear(&text);
    fill(&text, "[\"", "\\ud83d\\ude00", "\"]", SIZE);
    assert_true(json_read(text.data, text.length, &tree, &err));
    json_object_put(tree);
    buffer_clear(&text);
    fill(&text, "{\"\":0", "", "", 0);
    for (int i = 0; text.length < SIZE; i++)
        buffer_printf(&text, ",\"%d\":0", i);
    buffer_append_text(&text, "}");
    assert_true(json_read(text.data, text.length, &tree, &err));
    json_object_put(tree);
    text.data[text.length - 1] = ',';
    buffer_append_text(&text, "\"7\":0}");
    assert_false(json_read(text.data, text.length, &tree, &err));
    assert_non_null(strstr(err.message, "the key \"7\" appears twice"));
    error_clear(&err);
    buffer_clear(&text);
    fill(&text, "0.", "1", "", SIZE);
    assert_true(json_read(text.data, text.length, &tree, &err));
    json_object_put(tree);
    buffer_release(&text);
}

/* Every text that a valid one begins with, but itself, is refused; none is read beyond its end. */
TEST(a_text_that_ends_too_early_is_refused)
{
    static const char whole[] = "{\"a\":[1.5e3,-2,\"é\\ud83d\\ude00\\n\",true,null,{\"b\":{}}]}";
    struct error err = ERROR_INIT;
    struct json_object *tree;
    for (size_t length = 0; length < strlen(whole); length++) {
        if (read_bytes(whole, length, &tree, &err))
            fail_msg("%.*s was accepted", (int)length, whole);
    }
    error_clear(&err);
    assert_true(read_bytes(whole, strlen(whole), &tree, &err));
    json_object_put(tree);
}

TEST(a_member_is_found_unless_it_is_null_or_not_there)
{
    struct json_object *tree = accepted("{\"a\":1,\"b\":null}");
    assert_int_equal(json_object_get_int(json_member(tree, "a")), 1);
    assert_null(json_member(tree, "b"));
    assert_null(json_member(tree, "c"));
    assert_null(json_member(NULL, "a"));
    json_object_put(tree);
    tree = accepted("[1]");
    assert_null(json_member(tree, "a"));
    json_object_put(tree);
}

TEST(null_empty_zero_and_false_are_absent)
{
    static const char *const absent[] = {"null", "\"\"", "0", "-0", "0.0", "-0.0", "0e5", "false", "[]"};
    static const char *const present[] = {"{}", "\" \"", "\"0\"", "1", "-1", "0.1", "true", "[0]", "{\"a\":0}"};
    for (size_t i = 0; i < COUNT(absent); i++) {
        struct json_object *value = accepted(absent[i]);
        assert_true(json_is_absent(value));
        json_object_put(value);
    }
    for (size_t i = 0; i < COUNT(present); i++) {
        struct json_object *value = accepted(present[i]);
        assert_false(json_is_absent(value));
        json_object_put(value);
    }
}

TEST(strings_and_numbers_are_read_as_text)
{
    static const struct {
        const char *json, *text; /* text NULL: refused */
    } cases[] = {
        {"\"node-a\"", "node-a"}, {"\"\"", ""},     {"5", "5"},         {"-7", "-7"},   {"1.5", "1.5"}, {"1.50", "1.50"},
        {"1e5", "1e5"},           {"true", NULL},   {"null", NULL},     {"[]", NULL},   {"{}", NULL},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_object *value = accepted(cases[i].json);
        const char *text = NULL;
        assert_int_equal(json_as_text(value, &arena, &text), cases[i].text != NULL);
        if (cases[i].text)
            assert_string_equal(text, cases[i].text);
        json_object_put(value);
    }
    arena_release(&arena);
}

TEST(whole_numbers_are_read_from_numbers_and_strings)
{
    static const struct {
        const char *json;
        int64_t number;
    } whole[] = {
        {"7", 7}, {"-7", -7}, {"2.0", 2}, {"-0.0", 0}, {"1e3", 1000}, {"\"12\"", 12}, {"\" +12\\n\"", 12}, {"\"-0\"", 0}, {"\"007\"", 7},
        {"\"\\u00a012\\u3000\"", 12}, {"\"9223372036854775807\"", INT64_MAX}, {"\"-9223372036854775808\"", INT64_MIN},
        {"9007199254740992.0", 9007199254740992}, {"-9223372036854775808.0", INT64_MIN},
    };
    static const char *const not_whole[] = {
        "1.9", "true", "false", "null", "[]", "[1]", "{}", "\"\"", "\" \"", "\"1.0\"", "\"1e3\"", "\"+\"", "\"--1\"", "\"1 2\"", "\"0x10\"", "\"1_000\"",
        "\"٣\"", "\"9223372036854775808\"", "\"-9223372036854775809\"", "\"99999999999999999999999\"", "9223372036854775808.0", "1e999", "-1e999", "1e-5",
    };
    for (size_t i = 0; i < COUNT(whole); i++) {
        struct json_object *value = accepted(whole[i].json);
        int64_t number = -99;
        if (!json_as_whole(value, &number) || number != whole[i].number)
            fail_msg("%s: %lld", whole[i].json, (long long)number);
        json_object_put(value);
    }
    for (size_t i = 0; i < COUNT(not_whole); i++) {
        struct json_object *value = accepted(not_whole[i]);
        int64_t number;
        if (json_as_whole(value, &number))
            fail_msg("%s: %lld", not_whole[i], (long long)number);
        json_object_put(value);
    }
}

TEST(an_integer_is_parsed_from_a_whole_text)
{
    int64_t number;
    assert_true(integer_parse("12", &number));
    assert_int_equal(number, 12);
    assert_true(integer_parse("-12", &number));
    assert_int_equal(number, -12);
    assert_true(integer_parse("+12", &number));
    assert_int_equal(number, 12);
    static const char *const bad[] = {"", " 12", "12 ", "-", "1.0", "12x", "9223372036854775808"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(integer_parse(bad[i], &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(an_empty_text_is_called_empty),
        cmocka_unit_test(a_fault_is_told_with_line_and_column_in_characters),
        cmocka_unit_test(anything_behind_the_value_is_refused),
        cmocka_unit_test(words_and_numbers_that_are_not_jsons_are_refused),
        cmocka_unit_test(strings_that_are_not_jsons_are_refused),
        cmocka_unit_test(half_a_surrogate_pair_is_refused),
        cmocka_unit_test(bad_utf_8_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_key_that_appears_twice_in_one_object_is_named),
        cmocka_unit_test(a_long_key_that_appears_twice_is_named_in_part),
        cmocka_unit_test(hostile_megabytes_are_refused_or_read),
        cmocka_unit_test(a_text_that_ends_too_early_is_refused),
        cmocka_unit_test(a_member_is_found_unless_it_is_null_or_not_there),
        cmocka_unit_test(null_empty_zero_and_false_are_absent),
        cmocka_unit_test(strings_and_numbers_are_read_as_text),
        cmocka_unit_test(whole_numbers_are_read_from_numbers_and_strings),
        cmocka_unit_test(an_integer_is_parsed_from_a_whole_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
