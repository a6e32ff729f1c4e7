#include "tests/unit/unit.h"

#include "common/csv.h"

#include "common/banned.h"

static void assert_cell(const char *text, const char *expected)
{
    struct buffer out = BUFFER_INIT;
    struct csv_writer w;

    csv_begin(&w, &out);
    csv_text(&w, text);
    csv_end_line(&w);
    out.data[out.length - 2] = '\0';
    assert_string_equal(out.data, expected);
    buffer_release(&out);
}

TEST(cells_are_parted_by_commas_and_lines_end_with_crlf)
{
    struct buffer out = BUFFER_INIT;
    struct csv_writer w;

    csv_begin(&w, &out);
    csv_text(&w, "name");
    csv_text(&w, NULL);
    csv_text(&w, "");
    csv_integer(&w, 42);
    csv_raw(&w, "0.5000");
    csv_end_line(&w);
    csv_text(&w, "x");
    csv_end_line(&w);
    assert_string_equal(out.data, "name,,,42,0.5000\r\nx\r\n");
    buffer_release(&out);
}

TEST(commas_quotes_and_ends_of_line_are_quoted)
{
    assert_cell("a,b", "\"a,b\"");
    assert_cell("say \"hi\"", "\"say \"\"hi\"\"\"");
    assert_cell("two\nlines", "\"two\nlines\"");
    assert_cell("two\rlines", "\"two\rlines\"");
    assert_cell("plain; text", "plain; text");
    assert_cell("\"", "\"\"\"\"");
}

TEST(what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe)
{
    assert_cell("=1+1", "'=1+1");
    assert_cell("+49", "'+49");
    assert_cell("-1", "'-1");
    assert_cell("@SUM(A1)", "'@SUM(A1)");
    assert_cell("\tx", "'\tx");
    assert_cell("\rx", "\"'\rx\"");
    assert_cell("\nx", "\"'\nx\"");
    assert_cell("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
    assert_cell("\xef\xbc\x9d" "1", "'\xef\xbc\x9d" "1");
    assert_cell("\xef\xbc\xa0", "'\xef\xbc\xa0");
    assert_cell("\xef\xbc\x9e", "\xef\xbc\x9e");
    assert_cell("a=1", "a=1");
    assert_cell("a-b", "a-b");
    assert_cell("'quoted'", "'quoted'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_parted_by_commas_and_lines_end_with_crlf),
        cmocka_unit_test(commas_quotes_and_ends_of_line_are_quoted),
        cmocka_unit_test(what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
