/* Tables and the width of text: expected lines are laid out by hand. */
#include "tests/unit/unit.h"

#include "cli/table.h"
#include "cli/width.h"

#include "common/banned.h"

static void assert_columns(const char *text, size_t columns)
{
    assert_int_equal(width_columns(text, strlen(text)), columns);
}

static void assert_safe(const char *text, const char *expected)
{
    struct buffer out = BUFFER_INIT;

    width_safe(&out, text, strlen(text));
    assert_string_equal(out.data, expected);
    buffer_release(&out);
}

TEST(letters_take_one_column_wide_ones_two_and_combining_ones_none)
{
    assert_columns("", 0);
    assert_columns("abc", 3);
    assert_columns("Ünï", 3);
    assert_columns("e\u0301", 1);     /* e and a combining acute */
    assert_columns("日本", 4);
    assert_columns("ｗｉｄｅ", 8);    /* full-width Latin */
    assert_columns("한", 2);
    assert_columns("\u0e01\u0e33", 2); /* Thai KO KAI, SARA AM */
    assert_columns("🙂", 2);
    assert_columns("a\u200bb", 2);    /* zero width space */
    assert_columns("–", 1);
}

TEST(text_is_cut_between_characters_and_never_before_a_combining_one)
{
    assert_int_equal(width_cut("abc", 3, 2), 2);
    assert_int_equal(width_cut("abc", 3, 9), 3);
    assert_int_equal(width_cut("日本", 6, 3), 3);
    assert_int_equal(width_cut("日本", 6, 1), 0);
    assert_int_equal(width_cut("e\u0301x", 4, 1), 3);
}

TEST(what_a_terminal_obeys_is_shown_and_not_obeyed)
{
    assert_safe("plain Ünï 日本 🙂", "plain Ünï 日本 🙂");
    assert_safe("\x1b[2J\a", "\\x1b[2J\\x07");
    assert_safe("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d");
    assert_safe("\xc2\x9b" "1m", "\\xc2\\x9b1m");      /* U+009B, the eight-bit CSI */
    assert_safe("\xff\xc0\x80", "\\xff\\xc0\\x80");
    assert_safe("a\u2028b", "a\\xe2\\x80\\xa8b");
    assert_safe("\u202egnp.exe", "\\u202egnp.exe");
    assert_safe("\u2066x\u2069\u200f\u061c", "\\u2066x\\u2069\\u200f\\u061c");
    assert_safe("\x7f", "\\x7f");
    assert_safe("", "");
}

static void fill(struct table *table, struct arena *arena, const char *const *cells, size_t columns, size_t count)
{
    arena_init(arena);
    table_init(table, arena, columns);
    for (size_t i = 0; i < count; i++)
        table_add(table, cells[i], TABLE_PLAIN);
}

static void assert_printed(void (*print)(const struct table *, struct buffer *, bool), const struct table *table, bool color,
                           const char *expected)
{
    struct buffer out = BUFFER_INIT;

    print(table, &out, color);
    assert_string_equal(out.data, expected);
    buffer_release(&out);
}

TEST(a_grid_pads_every_column_and_rules_off_its_head)
{
    static const char *const cells[] = {"GPU", "2024-06-01", "2024-06-02", "gpu0 (A100)", "AB (High)", "-", "g1", "-", "Somebody (Low)"};
    struct table table;
    struct arena arena;

    fill(&table, &arena, cells, 3, COUNT(cells));
    assert_printed(table_print_grid, &table, false,
                   "GPU         | 2024-06-01 | 2024-06-02    \n"
                   "------------+------------+---------------\n"
                   "gpu0 (A100) | AB (High)  | -             \n"
                   "g1          | -          | Somebody (Low)\n");
    arena_release(&arena);
}

TEST(columns_are_aligned_by_what_they_take_on_the_screen)
{
    static const char *const cells[] = {"A", "B", "日本", "x", "e\u0301\u0301", "y", "\x1b[2J", "z"};
    struct table table;
    struct arena arena;

    fill(&table, &arena, cells, 2, COUNT(cells));
    assert_printed(table_print_grid, &table, false,
                   "A       | B\n"
                   "--------+--\n"
                   "日本    | x\n"
                   "e\u0301\u0301       | y\n"
                   "\\x1b[2J | z\n");
    arena_release(&arena);
}

TEST(a_list_has_no_blanks_at_the_end_of_a_line)
{
    static const char *const cells[] = {"ID", "NAME", "NOTE", "1", "ada", "", "22", "", "x"};
    struct table table;
    struct arena arena;

    fill(&table, &arena, cells, 3, COUNT(cells));
    assert_printed(table_print_list, &table, false,
                   "ID  NAME  NOTE\n"
                   "1   ada\n"
                   "22        x\n");
    arena_release(&arena);
}

TEST(color_stands_around_the_text_and_not_around_the_padding)
{
    struct table table;
    struct arena arena;

    arena_init(&arena);
    table_init(&table, &arena, 2);
    table_add(&table, "long head", TABLE_PLAIN);
    table_add(&table, "B", TABLE_PLAIN);
    table_add(&table, "x", TABLE_HIGH);
    table_add(&table, "y", TABLE_LOW);
    assert_printed(table_print_grid, &table, true,
                   "long head | B\n"
                   "----------+--\n"
                   "\x1b[1;31mx\x1b[0m         | \x1b[36my\x1b[0m\n");
    assert_printed(table_print_grid, &table, false,
                   "long head | B\n"
                   "----------+--\n"
                   "x         | y\n");
    arena_release(&arena);
}

TEST(csv_is_quoted_and_safe_for_a_spreadsheet)
{
    static const char *const cells[] = {"id", "label", "1", "a,\"b\"", "2", "=1+1"};
    struct buffer out = BUFFER_INIT;
    struct table table;
    struct arena arena;

    fill(&table, &arena, cells, 2, COUNT(cells));
    table_print_csv(&table, &out);
    assert_string_equal(out.data, "id,label\r\n1,\"a,\"\"b\"\"\"\r\n2,'=1+1\r\n");
    buffer_release(&out);
    arena_release(&arena);
}

TEST(a_table_with_a_head_alone_is_empty)
{
    static const char *const cells[] = {"A", "B", "1", "2"};
    struct table table;
    struct arena arena;

    fill(&table, &arena, cells, 2, 2);
    assert_true(table_is_empty(&table));
    arena_release(&arena);
    fill(&table, &arena, cells, 2, 4);
    assert_false(table_is_empty(&table));
    arena_release(&arena);
}

TEST(a_cell_of_any_length_is_formatted_whole)
{
    char text[5001];
    struct table table;
    struct arena arena;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    arena_init(&arena);
    table_init(&table, &arena, 1);
    table_printf(&table, "%s!", text);
    table_printf(&table, "%s", "");
    assert_int_equal(strlen(table.cells[0].text), 5001);
    assert_string_equal(table.cells[1].text, "");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_take_one_column_wide_ones_two_and_combining_ones_none),
        cmocka_unit_test(text_is_cut_between_characters_and_never_before_a_combining_one),
        cmocka_unit_test(what_a_terminal_obeys_is_shown_and_not_obeyed),
        cmocka_unit_test(a_grid_pads_every_column_and_rules_off_its_head),
        cmocka_unit_test(columns_are_aligned_by_what_they_take_on_the_screen),
        cmocka_unit_test(a_list_has_no_blanks_at_the_end_of_a_line),
        cmocka_unit_test(color_stands_around_the_text_and_not_around_the_padding),
        cmocka_unit_test(csv_is_quoted_and_safe_for_a_spreadsheet),
        cmocka_unit_test(a_table_with_a_head_alone_is_empty),
        cmocka_unit_test(a_cell_of_any_length_is_formatted_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
