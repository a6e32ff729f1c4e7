#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buffer.h"

TEST(what_is_appended_stands_one_behind_the_other_with_a_nul_at_the_end)
{
    struct buffer buffer = BUFFER_INIT;
    buffer_append_text(&buffer, "node");
    buffer_append_char(&buffer, '-');
    buffer_append(&buffer, "a\0b", 3);
    buffer_printf(&buffer, "%03d", 7);
    assert_int_equal(buffer.length, 11);
    assert_memory_equal(buffer.data, "node-a\0b007\0", 12);
    buffer_release(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

TEST(appending_nothing_makes_an_empty_text)
{
    struct buffer buffer = BUFFER_INIT;
    buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.length, 0);
    assert_string_equal(buffer.data, "");
    buffer_release(&buffer);
}

/* One byte at a time through every size at which it grows. */
TEST(growing_loses_nothing)
{
    struct buffer buffer = BUFFER_INIT;
    for (size_t i = 0; i < 5000; i++) {
        buffer_append_char(&buffer, (char)('a' + i % 26));
        assert_int_equal(buffer.length, i + 1);
        assert_int_equal(buffer.data[i + 1], '\0');
        assert_true(buffer.capacity > buffer.length);
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    buffer_release(&buffer);
}

TEST(a_formatted_text_longer_than_the_room_is_written_whole)
{
    for (int width = 200; width < 300; width++) { /* around the first capacity */
        struct buffer buffer = BUFFER_INIT;
        buffer_append_text(&buffer, "=");
        buffer_printf(&buffer, "%*d", width, 7);
        assert_int_equal(buffer.length, width + 1);
        assert_int_equal(strlen(buffer.data), width + 1);
        assert_int_equal(buffer.data[width], '7');
        buffer_release(&buffer);
    }
}

TEST(a_cleared_buffer_is_empty_and_keeps_its_memory)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_clear(&buffer);
    assert_null(buffer.data);
    buffer_append_text(&buffer, "something");
    char *memory = buffer.data;
    buffer_clear(&buffer);
    assert_string_equal(buffer.data, "");
    buffer_append_text(&buffer, "else");
    assert_ptr_equal(buffer.data, memory);
    assert_string_equal(buffer.data, "else");
    buffer_release(&buffer);
}

TEST(reserved_room_is_not_moved_while_it_is_filled)
{
    struct buffer buffer = BUFFER_INIT;
    buffer_append_text(&buffer, "ab");
    buffer_reserve(&buffer, 100000);
    assert_string_equal(buffer.data, "ab");
    char *memory = buffer.data;
    for (size_t i = 0; i < 100000; i++)
        buffer_append_char(&buffer, 'c');
    assert_ptr_equal(buffer.data, memory);
    buffer_release(&buffer);
}

TEST(a_size_that_no_memory_has_aborts)
{
    struct buffer buffer = BUFFER_INIT;
    assert_aborts((buffer_reserve(&buffer, SIZE_MAX), 0));
    buffer_append_text(&buffer, "ab");
    assert_aborts((buffer_reserve(&buffer, SIZE_MAX - 2), 0));
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_stands_one_behind_the_other_with_a_nul_at_the_end),
        cmocka_unit_test(appending_nothing_makes_an_empty_text),
        cmocka_unit_test(growing_loses_nothing),
        cmocka_unit_test(a_formatted_text_longer_than_the_room_is_written_whole),
        cmocka_unit_test(a_cleared_buffer_is_empty_and_keeps_its_memory),
        cmocka_unit_test(reserved_room_is_not_moved_while_it_is_filled),
        cmocka_unit_test(a_size_that_no_memory_has_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
