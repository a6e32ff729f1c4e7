#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/arena.h"

TEST(what_it_gives_is_zeroed_and_aligned_for_any_type)
{
    struct arena arena;
    arena_init(&arena);
    for (size_t size = 0; size < 300; size++) {
        unsigned char *piece = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xff, size);
    }
    arena_release(&arena);
}

TEST(memory_that_was_used_before_a_reset_is_zeroed_again)
{
    struct arena arena;
    arena_init(&arena);
    memset(arena_alloc(&arena, 5000), 0xff, 5000);
    arena_reset(&arena);
    unsigned char *piece = arena_alloc(&arena, 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(piece[i], 0);
    arena_release(&arena);
}

/* Pieces of all sizes, small ones and ones with a block of their own, each filled with a byte of its own. */
TEST(no_piece_overlaps_another)
{
    enum { PIECES = 2000 };
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    struct arena arena;
    arena_init(&arena);
    unsigned state_of_chance = 1;
    for (size_t i = 0; i < PIECES; i++) {
        state_of_chance = state_of_chance * 1103515245 + 12345;
        unsigned chance = state_of_chance >> 16;
        sizes[i] = chance % 50 == 0 ? 16000 + chance % 60000 : chance % 700;
        pieces[i] = arena_alloc(&arena, sizes[i]);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(pieces[i][j], i % 251);
    }
    arena_release(&arena);
}

TEST(two_empty_pieces_have_addresses_of_their_own)
{
    struct arena arena;
    arena_init(&arena);
    assert_ptr_not_equal(arena_alloc(&arena, 0), arena_alloc(&arena, 0));
    arena_release(&arena);
}

TEST(a_reset_keeps_one_ordinary_block_for_the_next_request)
{
    struct arena arena;
    arena_init(&arena);
    char *first = arena_alloc(&arena, 100);
    arena_alloc(&arena, 1 << 20);
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 100), first);
    arena_release(&arena);
    assert_null(arena.blocks);
}

TEST(a_reset_keeps_no_large_block)
{
    struct arena arena;
    arena_init(&arena);
    arena_alloc(&arena, 1 << 20);
    arena_reset(&arena);
    assert_null(arena.blocks);
    for (int i = 0; i < 100; i++) /* several ordinary blocks, and large ones between them */
        arena_alloc(&arena, i % 10 == 0 ? 100000 : 10000);
    arena_reset(&arena);
    assert_non_null(arena.blocks);
    arena_release(&arena);
}

/* 200 pieces of 1,008 bytes are four blocks of 64 KiB, not 200, also when a large piece comes between. */
TEST(small_pieces_share_a_block)
{
    struct arena arena;
    arena_init(&arena);
    char *last = NULL;
    int jumps = 0;
    for (int i = 0; i < 200; i++) {
        char *piece = arena_alloc(&arena, 1008);
        jumps += last && piece != last + 1008;
        last = piece;
        if (i % 50 == 10)
            arena_alloc(&arena, 100000);
    }
    assert_int_equal(jumps, 3);
    arena_release(&arena);
}

TEST(a_copy_may_hold_nul_bytes_and_has_one_behind_it)
{
    struct arena arena;
    arena_init(&arena);
    char *copy = arena_copy(&arena, "a\0b", 3);
    assert_memory_equal(copy, "a\0b\0", 4);
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    assert_string_equal(arena_text(&arena, "gpu0"), "gpu0");
    arena_release(&arena);
}

TEST(a_formatted_text_may_be_short_or_long)
{
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(arena_printf(&arena, "%s-%d", "gpu", 7), "gpu-7");
    for (int width = 250; width < 260; width++) { /* around the size of its first attempt */
        char *text = arena_printf(&arena, "%*d", width, 7);
        assert_int_equal(strlen(text), width);
        assert_int_equal(text[width - 1], '7');
    }
    assert_int_equal(strlen(arena_printf(&arena, "%200000d", 7)), 200000);
    arena_release(&arena);
}

TEST(an_array_whose_size_overflows_aborts)
{
    struct arena arena;
    arena_init(&arena);
    assert_aborts(arena_array(&arena, SIZE_MAX / 2, 3));
    assert_aborts(arena_alloc(&arena, SIZE_MAX));
    assert_aborts(arena_copy(&arena, "", SIZE_MAX));
    arena_release(&arena);
}

TEST(a_list_grows_and_keeps_its_elements)
{
    struct arena arena;
    int *items = NULL;
    size_t capacity = 0;
    arena_init(&arena);
    for (int i = 0; i < 1000; i++) {
        items = arena_grow(&arena, items, (size_t)i, &capacity, sizeof(*items));
        assert_true(capacity > (size_t)i);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    arena_release(&arena);
}

TEST(releasing_twice_is_fine)
{
    struct arena arena;
    arena_init(&arena);
    arena_release(&arena);
    arena_reset(&arena);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_gives_is_zeroed_and_aligned_for_any_type),
        cmocka_unit_test(memory_that_was_used_before_a_reset_is_zeroed_again),
        cmocka_unit_test(no_piece_overlaps_another),
        cmocka_unit_test(two_empty_pieces_have_addresses_of_their_own),
        cmocka_unit_test(a_reset_keeps_one_ordinary_block_for_the_next_request),
        cmocka_unit_test(a_reset_keeps_no_large_block),
        cmocka_unit_test(small_pieces_share_a_block),
        cmocka_unit_test(a_copy_may_hold_nul_bytes_and_has_one_behind_it),
        cmocka_unit_test(a_formatted_text_may_be_short_or_long),
        cmocka_unit_test(an_array_whose_size_overflows_aborts),
        cmocka_unit_test(a_list_grows_and_keeps_its_elements),
        cmocka_unit_test(releasing_twice_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
