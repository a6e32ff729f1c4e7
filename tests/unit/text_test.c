#include "tests/unit/unit.h"

#include <stdlib.h>

#include "common/text.h"

/* Every code point, encoded by the definition of UTF-8, decodes to itself, but the surrogates. */
TEST(every_character_is_decoded)
{
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char bytes[4];
        size_t size;
        if (c < 0x80) {
            bytes[0] = (char)c, size = 1;
        } else if (c < 0x800) {
            bytes[0] = (char)(0xc0 + c / 64), bytes[1] = (char)(0x80 + c % 64), size = 2;
        } else if (c < 0x10000) {
            bytes[0] = (char)(0xe0 + c / 4096), bytes[1] = (char)(0x80 + c / 64 % 64), bytes[2] = (char)(0x80 + c % 64), size = 3;
        } else {
            bytes[0] = (char)(0xf0 + c / 262144), bytes[1] = (char)(0x80 + c / 4096 % 64);
            bytes[2] = (char)(0x80 + c / 64 % 64), bytes[3] = (char)(0x80 + c % 64), size = 4;
        }
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        uint32_t decoded = 0;
        assert_int_equal(text_decode(bytes, size, &decoded), surrogate ? 0 : size);
        if (!surrogate)
            assert_int_equal(decoded, c);
        if (size > 1) /* without its last byte */
            assert_int_equal(text_decode(bytes, size - 1, &decoded), 0);
    }
}

TEST(what_is_not_utf_8_is_refused)
{
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x28\xa1",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xfe", "ok\xff", "é\xa9",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
    assert_true(text_is_utf8("", 0));
    assert_true(text_is_utf8("a\0é€😀", 11));
}

TEST(characters_are_counted_not_bytes)
{
    assert_int_equal(text_characters("", 0), 0);
    assert_int_equal(text_characters("aé€😀", 10), 4);
}

TEST(a_cut_falls_between_two_characters)
{
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < COUNT(expected); max++)
        assert_int_equal(text_cut("aé€😀", 10, max), expected[max]);
    const char whole[] = {'a', 'b', 'c'}; /* nothing is looked at behind it */
    assert_int_equal(text_cut(whole, 3, 3), 3);
}

TEST(a_head_has_so_many_characters_whatever_their_bytes)
{
    static const size_t expected[] = {0, 1, 3, 6, 10, 10};
    for (size_t characters = 0; characters < COUNT(expected); characters++)
        assert_int_equal(text_head("aé€😀", 10, characters), expected[characters]);
    const char whole[] = {'a', 'b', 'c'}; /* nothing is looked at behind it */
    assert_int_equal(text_head(whole, 3, 3), 3);
    assert_int_equal(text_head("", 0, 40), 0);
}

static void check_trim(const char *text, const char *expected)
{
    struct slice trimmed = text_trim(text, strlen(text));
    assert_int_equal(trimmed.length, strlen(expected));
    assert_memory_equal(trimmed.bytes, expected, trimmed.length);
}

TEST(white_space_at_both_ends_is_trimmed)
{
    check_trim("", "");
    check_trim(" \t\r\n\v\f ", "");
    check_trim("  a b  ", "a b");
    check_trim("é", "é");
    check_trim(" é ", "é");
}

TEST(what_python_strips_is_trimmed_and_nothing_else)
{
    /* U+001C to U+001F, U+0085, U+00A0, U+1680, U+2000, U+200A, U+2028, U+2029, U+202F, U+205F, U+3000 */
    static const char *const spaces[] = {
        "\x1c", "\x1f", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x8a",
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
    };
    /* U+001B, U+0084, U+180E, U+200B, U+FEFF, a lone byte of U+00A0 */
    static const char *const others[] = {"\x1b", "\xc2\x84", "\xe1\xa0\x8e", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xa0"};
    for (size_t i = 0; i < COUNT(spaces) + COUNT(others); i++) {
        const char *edge = i < COUNT(spaces) ? spaces[i] : others[i - COUNT(spaces)];
        char text[16] = "";
        size_t size = strlen(edge);
        memcpy(text, edge, size);
        text[size] = 'x';
        memcpy(text + size + 1, edge, size + 1);
        check_trim(text, i < COUNT(spaces) ? "x" : text);
    }
}

TEST(control_characters_are_found)
{
    static const char *const with[] = {"\x01", "a\tb", "a\n", "\x1f", "\x7f", "\xc2\x80", "a\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    static const char *const without[] = {"", "a b", "~", "\xc2\xa0", "Müller 😀", "\xe2\x80\xa7", "\xe2\x80\xaa"};
    for (size_t i = 0; i < COUNT(with); i++)
        assert_true(text_has_control(with[i], strlen(with[i])));
    for (size_t i = 0; i < COUNT(without); i++)
        assert_false(text_has_control(without[i], strlen(without[i])));
    assert_true(text_has_control("a\0b", 3));
}

TEST(ascii_letters_are_compared_without_case)
{
    assert_true(text_equal_nocase("", ""));
    assert_true(text_equal_nocase("Hour", "hOUR"));
    assert_true(text_equal_nocase("é", "é"));
    assert_false(text_equal_nocase("é", "É"));
    assert_false(text_equal_nocase("hour", "hours"));
    assert_false(text_equal_nocase("hours", "hour"));
    assert_false(text_equal_nocase("[", "{"));
    assert_false(text_equal_nocase("@", "`"));
}

TEST(the_nearest_name_is_suggested)
{
    static const char *const names[] = {"nodes", "limits", "auth", "allowed_origins", "id"};
    assert_string_equal(text_nearest("node", names, COUNT(names)), "nodes");
    assert_string_equal(text_nearest("limtis", names, COUNT(names)), "limits"); /* two neighbours swapped */
    assert_string_equal(text_nearest("allowed_origin", names, COUNT(names)), "allowed_origins");
    assert_string_equal(text_nearest("auht", names, COUNT(names)), "auth");
    assert_string_equal(text_nearest("xauth", names, COUNT(names)), "auth");
    assert_string_equal(text_nearest("uath", names, COUNT(names)), "auth");
    assert_string_equal(text_nearest("auth", names, COUNT(names)), "auth");
    assert_null(text_nearest("colour", names, COUNT(names)));
    assert_null(text_nearest("", names, COUNT(names)));
    assert_null(text_nearest("node", names, 0));
}

/* Of six bytes a third is two: two wrong letters are near, three are not. Of seven it is three, rounded up. */
TEST(a_suggestion_is_at_most_a_third_away)
{
    static const char *const names[] = {"abcdef"};
    assert_non_null(text_nearest("xbcdex", names, 1));
    assert_null(text_nearest("xxcdex", names, 1));
    assert_non_null(text_nearest("xabcdefx", names, 1)); /* eight bytes, two of them too many */
    assert_non_null(text_nearest("xycdefg", names, 1));
    assert_null(text_nearest("xycxefg", names, 1));
}

TEST(of_two_equally_near_names_the_first_is_taken)
{
    static const char *const names[] = {"abcx", "abcy", "abcd"};
    assert_string_equal(text_nearest("abcz", names, COUNT(names)), "abcx");
    assert_string_equal(text_nearest("abcd", names, COUNT(names)), "abcd");
}

TEST(a_very_long_name_is_near_to_nothing)
{
    static char name[200000];
    static const char *const names[] = {"nodes", "limits"};
    memset(name, 'n', sizeof(name) - 1);
    assert_null(text_nearest(name, names, COUNT(names)));
}

TEST(what_a_terminal_would_obey_is_escaped)
{
    char out[64];
    assert_int_equal(text_escape("a\x1b[2Jb\xff é\xc2\x9b", 12, out, sizeof(out)), 24);
    assert_string_equal(out, "a\\x1b[2Jb\\xff é\\xc2\\x9b");
    assert_int_equal(text_escape("aé", 3, out, 3), 1);
    assert_string_equal(out, "a");
    assert_int_equal(text_escape("\n", 1, out, 4), 0);
    assert_int_equal(text_escape("\n", 1, out, 5), 4);
}

TEST(two_texts_are_joined_whole_also_empty_ones)
{
    static const char *const cases[][3] = {{"a.db", "-wal", "a.db-wal"}, {"", "-wal", "-wal"}, {"a.db", "", "a.db"}, {"", "", ""}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = text_join(cases[i][0], cases[i][1]);
        assert_string_equal(text, cases[i][2]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_texts_are_joined_whole_also_empty_ones),
        cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
        cmocka_unit_test(every_character_is_decoded),
        cmocka_unit_test(what_is_not_utf_8_is_refused),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(a_cut_falls_between_two_characters),
        cmocka_unit_test(a_head_has_so_many_characters_whatever_their_bytes),
        cmocka_unit_test(white_space_at_both_ends_is_trimmed),
        cmocka_unit_test(what_python_strips_is_trimmed_and_nothing_else),
        cmocka_unit_test(control_characters_are_found),
        cmocka_unit_test(ascii_letters_are_compared_without_case),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(a_suggestion_is_at_most_a_third_away),
        cmocka_unit_test(of_two_equally_near_names_the_first_is_taken),
        cmocka_unit_test(a_very_long_name_is_near_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
