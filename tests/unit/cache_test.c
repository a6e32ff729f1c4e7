#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cgi/http/cache.h"

/* Keeps TEXT under KEY; false when the cache would not have it. */
static bool put(struct cache *cache, const char *key, int64_t revision, const char *text)
{
    struct buffer body = BUFFER_INIT;
    buffer_append_text(&body, text);
    size_t before = cache_size(cache);
    cache_put(cache, key, revision, &body);
    buffer_release(&body);
    return cache_size(cache) != before || cache_get(cache, key, revision) != NULL;
}

static void assert_kept(struct cache *cache, const char *key, int64_t revision, const char *text)
{
    const struct buffer *body = cache_get(cache, key, revision);
    assert_non_null(body);
    assert_string_equal(body->data, text);
    assert_int_equal(body->length, strlen(text));
}

TEST(what_was_put_is_got_again)
{
    struct cache *cache = cache_new(100000);
    assert_int_equal(cache_size(cache), 0);
    assert_null(cache_get(cache, "a", 1));
    assert_true(put(cache, "a", 1, "body of a"));
    assert_true(put(cache, "b", 1, "body of b"));
    assert_true(put(cache, "", 1, ""));
    assert_kept(cache, "a", 1, "body of a");
    assert_kept(cache, "b", 1, "body of b");
    assert_kept(cache, "", 1, "");
    assert_null(cache_get(cache, "c", 1));
    cache_free(cache);
}

TEST(a_body_is_right_for_one_revision_only_and_dropped_at_another)
{
    struct cache *cache = cache_new(100000);
    put(cache, "a", 1, "old");
    size_t size = cache_size(cache);
    assert_true(size > 0);
    assert_null(cache_get(cache, "a", 2));
    assert_int_equal(cache_size(cache), 0);
    assert_null(cache_get(cache, "a", 1));
    put(cache, "a", 2, "new");
    assert_kept(cache, "a", 2, "new");
    cache_free(cache);
}

TEST(a_key_put_again_replaces_its_body)
{
    struct cache *cache = cache_new(100000);
    put(cache, "a", 1, "old");
    size_t size = cache_size(cache);
    put(cache, "a", 1, "new");
    assert_kept(cache, "a", 1, "new");
    assert_int_equal(cache_size(cache), size);
    cache_free(cache);
}

TEST(the_caller_keeps_its_body_and_may_change_it)
{
    struct cache *cache = cache_new(100000);
    struct buffer body = BUFFER_INIT;
    buffer_append_text(&body, "text");
    cache_put(cache, "a", 1, &body);
    assert_string_equal(body.data, "text");
    body.data[0] = 'n';
    assert_kept(cache, "a", 1, "text");
    buffer_release(&body);
    cache_free(cache);
}

TEST(a_body_without_memory_may_be_kept)
{
    struct cache *cache = cache_new(100000);
    struct buffer body = BUFFER_INIT;
    cache_put(cache, "a", 1, &body);
    assert_kept(cache, "a", 1, "");
    cache_free(cache);
}

TEST(a_body_larger_than_a_quarter_of_the_capacity_is_left_alone)
{
    struct cache *cache = cache_new(4000);
    struct buffer body = BUFFER_INIT;
    buffer_printf(&body, "%1000d", 7);
    cache_put(cache, "a", 1, &body);
    assert_int_equal(body.length, 1000);
    assert_int_equal(cache_size(cache), 0);
    body.length = 700;
    body.data[700] = '\0';
    cache_put(cache, "a", 1, &body);
    assert_true(cache_size(cache) > 700 && cache_size(cache) <= 1000);
    buffer_release(&body);
    cache_free(cache);
    cache = cache_new(0);
    assert_false(put(cache, "a", 1, ""));
    cache_free(cache);
}

TEST(a_long_key_counts_too)
{
    struct cache *cache = cache_new(4000);
    char key[1100];
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    assert_false(put(cache, key, 1, ""));
    cache_free(cache);
}

/* Five bodies of 700 bytes fit into 4,500, with what stands around them; the sixth drives out one. */
TEST(the_least_recently_used_goes_first)
{
    struct cache *cache = cache_new(4500);
    char text[701];
    memset(text, 'x', 700);
    text[700] = '\0';
    const char *const keys[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT(keys); i++)
        assert_true(put(cache, keys[i], 1, text));
    assert_kept(cache, "a", 1, text);
    assert_true(put(cache, "f", 1, text));
    assert_null(cache_get(cache, "b", 1));
    assert_kept(cache, "a", 1, text);
    assert_kept(cache, "c", 1, text);
    assert_true(put(cache, "g", 1, text));
    assert_null(cache_get(cache, "d", 1));
    assert_kept(cache, "e", 1, text);
    assert_true(cache_size(cache) <= 4500);
    cache_free(cache);
}

TEST(a_borrowed_body_outlives_look_ups_until_the_next_put)
{
    struct cache *cache = cache_new(100000);
    put(cache, "a", 1, "body of a");
    const struct buffer *borrowed = cache_get(cache, "a", 1);
    assert_null(cache_get(cache, "a", 2));
    assert_null(cache_get(cache, "b", 2));
    assert_string_equal(borrowed->data, "body of a");
    put(cache, "b", 2, "x");
    cache_free(cache);
}

TEST(a_cleared_cache_is_empty_and_usable)
{
    struct cache *cache = cache_new(100000);
    put(cache, "a", 1, "1");
    put(cache, "b", 1, "2");
    cache_clear(cache);
    assert_int_equal(cache_size(cache), 0);
    assert_null(cache_get(cache, "a", 1));
    put(cache, "a", 1, "3");
    assert_kept(cache, "a", 1, "3");
    cache_free(cache);
    cache_free(NULL);
}

/*
 * Thousands of random puts and gets beside a plain table: what the cache gives is what was put last at that revision, and it
 * never holds more than its bound.
 */
static void run_against_a_table(size_t capacity, unsigned text_lengths, bool all_fit)
{
    enum { KEYS = 200, STEPS = 30000 };
    static struct {
        int64_t revision;
        int text;
    } table[KEYS];
    memset(table, 0, sizeof(table));
    struct cache *cache = cache_new(capacity);
    unsigned chance = 12345;
    size_t hits = 0;
    for (int step = 1; step <= STEPS; step++) {
        chance = chance * 1103515245 + 12345;
        size_t which = (chance >> 8) % KEYS;
        int64_t revision = 1 + step / 10000;
        char key[32], text[4200];
        snprintf(key, sizeof(key), "/api/nodes?%zu", which);
        if (chance >> 16 & 1) {
            snprintf(text, sizeof(text), "%*d", 10 + (int)((chance >> 20) % text_lengths), step);
            assert_true(put(cache, key, revision, text));
            table[which].revision = revision;
            table[which].text = step;
        } else {
            const struct buffer *body = cache_get(cache, key, revision);
            if (body) {
                hits++;
                assert_int_equal(table[which].revision, revision);
                assert_int_equal(atoi(body->data), table[which].text);
            } else if (all_fit) {
                assert_int_not_equal(table[which].revision, revision);
            }
        }
        assert_true(cache_size(cache) <= capacity);
    }
    assert_true(hits > STEPS / 100);
    cache_free(cache);
}

TEST(a_cache_that_holds_all_agrees_with_a_table)
{
    run_against_a_table(1000000, 200, true);
}

TEST(a_cache_that_holds_few_gives_nothing_wrong_and_keeps_its_bound)
{
    run_against_a_table(8000, 200, false);
}

/* It has 16 buckets and room for 160 short bodies: of 200 keys many a bucket gets more than the 16 it may hold. */
TEST(a_cache_with_crowded_buckets_gives_nothing_wrong_and_keeps_its_bound)
{
    run_against_a_table(16000, 1, false);
}

/* 9,000 short bodies fit into 1,000,000 bytes, about nine a bucket; where chance puts more than 16, the first of them go. */
TEST(keys_that_crowd_a_bucket_drive_out_each_other_and_nobody_else)
{
    struct cache *cache = cache_new(1000000);
    char key[32];
    for (int i = 0; i < 9000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_true(put(cache, key, 1, ""));
    }
    int kept = 0;
    for (int i = 0; i < 9000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        kept += cache_get(cache, key, 1) != NULL;
    }
    assert_true(kept < 9000 && kept > 8500);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_got_again),
        cmocka_unit_test(a_body_is_right_for_one_revision_only_and_dropped_at_another),
        cmocka_unit_test(a_key_put_again_replaces_its_body),
        cmocka_unit_test(the_caller_keeps_its_body_and_may_change_it),
        cmocka_unit_test(a_body_without_memory_may_be_kept),
        cmocka_unit_test(a_body_larger_than_a_quarter_of_the_capacity_is_left_alone),
        cmocka_unit_test(a_long_key_counts_too),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(a_borrowed_body_outlives_look_ups_until_the_next_put),
        cmocka_unit_test(a_cleared_cache_is_empty_and_usable),
        cmocka_unit_test(a_cache_that_holds_all_agrees_with_a_table),
        cmocka_unit_test(a_cache_that_holds_few_gives_nothing_wrong_and_keeps_its_bound),
        cmocka_unit_test(a_cache_with_crowded_buckets_gives_nothing_wrong_and_keeps_its_bound),
        cmocka_unit_test(keys_that_crowd_a_bucket_drive_out_each_other_and_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
