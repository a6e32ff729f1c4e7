#include "tests/unit/unit.h"

#include "common/json_write.h"

/* Each test writes into BUFFER through W and compares. */
static struct buffer buffer;
static struct json_writer w;

static int begin(void **state)
{
    (void)state;
    buffer_init(&buffer);
    json_begin(&w, &buffer);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_release(&buffer);
    return 0;
}

static void assert_written(const char *expected)
{
    assert_true(json_finish(&w));
    assert_string_equal(buffer.data, expected);
    assert_int_equal(buffer.length, strlen(expected));
}

TEST(objects_and_arrays_nest_with_commas_where_they_belong)
{
    json_open_object(&w);
    json_put_integer(&w, "id", 7);
    json_key(&w, "gpus");
    json_open_array(&w);
    json_string(&w, "gpu0");
    json_string(&w, "gpu1");
    json_open_object(&w);
    json_close(&w);
    json_open_array(&w);
    json_close(&w);
    json_close(&w);
    json_put_boolean(&w, "yes", true);
    json_put_boolean(&w, "no", false);
    json_put_null(&w, "none");
    json_put_string(&w, "label", NULL);
    json_put_string(&w, "user", "eve");
    json_close(&w);
    assert_written("{\"id\":7,\"gpus\":[\"gpu0\",\"gpu1\",{},[]],\"yes\":true,\"no\":false,\"none\":null,\"label\":null,\"user\":\"eve\"}");
}

TEST(a_value_alone_is_a_text)
{
    json_integer(&w, 5);
    assert_written("5");
}

TEST(writing_starts_at_the_buffers_end)
{
    buffer_append_text(&buffer, "head:");
    json_begin(&w, &buffer);
    json_open_array(&w);
    json_close(&w);
    assert_written("head:[]");
}

TEST(integers_are_written_to_their_ends)
{
    json_open_array(&w);
    json_integer(&w, 0);
    json_integer(&w, -1);
    json_integer(&w, 10);
    json_integer(&w, 99);
    json_integer(&w, 1234567890);
    json_integer(&w, INT64_MAX);
    json_integer(&w, INT64_MIN);
    json_close(&w);
    assert_written("[0,-1,10,99,1234567890,9223372036854775807,-9223372036854775808]");
}

TEST(hours_and_seconds_are_timestamps)
{
    json_open_object(&w);
    json_put_hour(&w, "start", 498734);
    json_put_hour(&w, "until", HOUR_NONE);
    json_put_seconds(&w, "created", 498734 * 3600 + 61);
    json_close(&w);
    assert_written("{\"start\":\"2026-11-23T14:00:00+00:00\",\"until\":null,\"created\":\"2026-11-23T14:01:01+00:00\"}");
}

TEST(quotes_backslashes_and_control_bytes_are_escaped)
{
    json_open_object(&w);
    json_put_string(&w, "a\"b", "\"\\\b\f\n\r\t\x01\x1f\x7f/");
    json_close(&w);
    assert_written("{\"a\\\"b\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f/\"}");
}

TEST(a_nul_byte_is_escaped)
{
    json_string_n(&w, "a\0b", 3);
    assert_written("\"a\\u0000b\"");
}

TEST(no_answer_can_hold_an_html_tag)
{
    json_string(&w, "<script>&amp;</script>");
    assert_written("\"\\u003cscript\\u003e\\u0026amp;\\u003c/script\\u003e\"");
}

TEST(characters_beyond_ascii_stand_as_they_are)
{
    json_string(&w, "Müller € 😀");
    assert_written("\"Müller € 😀\"");
}

TEST(what_is_not_utf_8_becomes_the_replacement_character)
{
    json_open_array(&w);
    json_string(&w, "\xff");
    json_string(&w, "a\xc3(b");
    json_string(&w, "a\xe2\x82");
    json_string(&w, "\xed\xa0\x80x");
    json_string_n(&w, "é", 1);
    json_close(&w);
    assert_written("[\"\xef\xbf\xbd\",\"a\xef\xbf\xbd(b\",\"a\xef\xbf\xbd\xef\xbf\xbd\",\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\",\"\xef\xbf\xbd\"]");
}

/* Each byte alone, in front of and behind plain text: 256 strings of at most 10 bytes. */
TEST(every_byte_is_written_so_that_the_text_stays_json)
{
    for (int byte = 0; byte < 256; byte++) {
        const char text[] = {'a', (char)byte, 'b'};
        buffer_clear(&buffer);
        json_begin(&w, &buffer);
        json_string_n(&w, text, sizeof(text));
        assert_true(json_finish(&w));
        assert_memory_equal(buffer.data, "\"a", 2);
        assert_memory_equal(buffer.data + buffer.length - 2, "b\"", 2);
        bool plain = byte >= 0x20 && byte < 0x7f && !strchr("\"\\<>&", byte);
        if (plain)
            assert_int_equal(buffer.length, 5);
        for (size_t i = 2; i < buffer.length - 2; i++)
            assert_true((unsigned char)buffer.data[i] >= 0x20);
        if (!plain)
            assert_true(buffer.data[2] == '\\' || memcmp(buffer.data + 2, "\xef\xbf\xbd", 3) == 0);
    }
}

/* Strings that begin plain, go on with what grows most, and so end at every place of the buffer. */
TEST(strings_of_every_length_fit)
{
    char text[400];
    for (size_t plain = 0; plain < sizeof(text); plain++) {
        memset(text, 'x', sizeof(text));
        size_t length = plain;
        for (; length < plain + plain % 7 && length < sizeof(text); length++)
            text[length] = '<';
        buffer_release(&buffer);
        json_begin(&w, &buffer);
        json_open_array(&w);
        json_string_n(&w, text, length);
        json_string_n(&w, text, plain);
        json_close(&w);
        assert_true(json_finish(&w));
        assert_int_equal(buffer.length, 2 * plain + 6 * (length - plain) + 7);
        assert_int_equal(strlen(buffer.data), buffer.length);
        for (size_t i = plain; i < length; i++)
            assert_memory_equal(buffer.data + 2 + plain + 6 * (i - plain), "\\u003c", 6);
    }
}

TEST(raw_members_and_values_are_joined_as_if_written_here)
{
    json_open_object(&w);
    json_raw(&w, "", 0);
    json_raw(&w, "\"a\":1,\"b\":2", 11);
    json_raw(&w, "\"c\":3", 5);
    json_key(&w, "d");
    json_raw(&w, "[4]", 3);
    json_put_integer(&w, "e", 5);
    json_close(&w);
    assert_written("{\"a\":1,\"b\":2,\"c\":3,\"d\":[4],\"e\":5}");
}

TEST(raw_values_are_elements_of_an_array)
{
    json_open_array(&w);
    json_raw(&w, "1", 1);
    json_raw(&w, "2", 1);
    json_close(&w);
    assert_written("[1,2]");
}

static void nothing_written(void) {}
static void a_scope_left_open(void) { json_open_array(&w); }
static void an_end_too_many(void) { json_open_array(&w); json_close(&w); json_close(&w); }
static void an_end_without_a_beginning(void) { json_close(&w); }
static void two_values(void) { json_integer(&w, 1); json_integer(&w, 2); }
static void a_value_without_its_key(void) { json_open_object(&w); json_integer(&w, 1); json_close(&w); }
static void an_array_without_its_key(void) { json_open_object(&w); json_open_array(&w); json_close(&w); json_close(&w); }
static void a_key_without_its_value(void) { json_open_object(&w); json_key(&w, "a"); json_close(&w); }
static void two_keys(void) { json_open_object(&w); json_key(&w, "a"); json_key(&w, "b"); json_integer(&w, 1); json_close(&w); }
static void a_key_in_an_array(void) { json_open_array(&w); json_key(&w, "a"); json_close(&w); }
static void a_key_alone(void) { json_key(&w, "a"); }
static void an_empty_raw_value(void) { json_open_array(&w); json_raw(&w, "", 0); json_close(&w); }
static void a_raw_value_behind_the_end(void) { json_integer(&w, 1); json_raw(&w, "2", 1); }

TEST(wrong_nesting_is_an_error)
{
    static void (*const wrong[])(void) = {
        nothing_written, a_scope_left_open, an_end_too_many, an_end_without_a_beginning, two_values,
        a_value_without_its_key, an_array_without_its_key, a_key_without_its_value, two_keys, a_key_in_an_array,
        a_key_alone, an_empty_raw_value, a_raw_value_behind_the_end,
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        buffer_clear(&buffer);
        json_begin(&w, &buffer);
        wrong[i]();
        if (json_finish(&w))
            fail_msg("case %zu passed: %s", i, buffer.data ? buffer.data : "");
    }
}

TEST(after_a_mistake_nothing_more_is_written)
{
    json_open_object(&w);
    json_integer(&w, 1);
    size_t length = buffer.length;
    json_put_string(&w, "a", "b");
    json_put_hour(&w, "a", 1);
    json_put_seconds(&w, "a", 1);
    json_put_boolean(&w, "a", true);
    json_put_null(&w, "a");
    json_raw(&w, "1", 1);
    json_open_array(&w);
    json_close(&w);
    assert_int_equal(buffer.length, length);
    assert_false(json_finish(&w));
}

TEST(scopes_nest_to_their_bound_and_no_further)
{
    for (int i = 0; i < JSON_WRITE_DEPTH; i++)
        json_open_array(&w);
    for (int i = 0; i < JSON_WRITE_DEPTH; i++)
        json_close(&w);
    assert_written("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
    buffer_clear(&buffer);
    json_begin(&w, &buffer);
    for (int i = 0; i < JSON_WRITE_DEPTH + 1; i++)
        json_open_array(&w);
    for (int i = 0; i < JSON_WRITE_DEPTH + 1; i++)
        json_close(&w);
    assert_false(json_finish(&w));
}

#define WRITTEN(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITTEN(objects_and_arrays_nest_with_commas_where_they_belong),
        WRITTEN(a_value_alone_is_a_text),
        WRITTEN(writing_starts_at_the_buffers_end),
        WRITTEN(integers_are_written_to_their_ends),
        WRITTEN(hours_and_seconds_are_timestamps),
        WRITTEN(quotes_backslashes_and_control_bytes_are_escaped),
        WRITTEN(a_nul_byte_is_escaped),
        WRITTEN(no_answer_can_hold_an_html_tag),
        WRITTEN(characters_beyond_ascii_stand_as_they_are),
        WRITTEN(what_is_not_utf_8_becomes_the_replacement_character),
        WRITTEN(every_byte_is_written_so_that_the_text_stays_json),
        WRITTEN(strings_of_every_length_fit),
        WRITTEN(raw_members_and_values_are_joined_as_if_written_here),
        WRITTEN(raw_values_are_elements_of_an_array),
        WRITTEN(wrong_nesting_is_an_error),
        WRITTEN(after_a_mistake_nothing_more_is_written),
        WRITTEN(scopes_nest_to_their_bound_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
