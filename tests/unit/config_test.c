#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgi/config.h"

#include "common/banned.h"

static struct arena arena;
static struct config config;
static struct error err;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    error_clear(&err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    error_clear(&err);
    return 0;
}

static bool parse(const char *text)
{
    return config_parse(text, strlen(text), "c.json", &arena, &config, &err);
}

static void refused(const char *text, const char *message)
{
    error_clear(&err);
    if (parse(text))
        fail_msg("was accepted: %s", text);
    assert_int_equal(err.code, ERROR_CONFIGURATION);
    assert_string_equal(err.message, message);
}

static void the_originals_file_is_read_as_it_is(void **state)
{
    (void)state;
    assert_true(parse("{\"nodes\":[{\"id\":\" a \",\"name\":\"A\",\"gpus\":[{\"id\":\"g\",\"kind\":\"A100\"},{\"id\":7}]},{\"id\":5}]}"));
    assert_int_equal(config.node_count, 2);
    assert_string_equal(config.nodes[0].id, "a");
    assert_string_equal(config.nodes[0].name, "A");
    assert_int_equal(config.nodes[0].gpu_count, 2);
    assert_string_equal(config.nodes[0].gpus[0].kind, "A100");
    assert_null(config.nodes[0].gpus[0].device);
    assert_string_equal(config.nodes[0].gpus[1].id, "7");
    assert_string_equal(config.nodes[0].gpus[1].kind, "unspecified");
    assert_string_equal(config.nodes[1].id, "5");
    assert_string_equal(config.nodes[1].name, "5");
    assert_int_equal(config.nodes[1].gpu_count, 0);
}

static void limits_have_their_defaults(void **state)
{
    (void)state;
    assert_true(parse("{\"nodes\":[{\"id\":\"a\"}]}"));
    assert_int_equal(config.limits.max_booking_hours, 8784);
    assert_int_equal(config.limits.max_days_ahead, -1);
    assert_int_equal(config.limits.max_gpus_per_booking, -1);
    assert_int_equal(config.limits.max_active_gpu_hours_per_user, -1);
    assert_true(config.limits.allow_past);
}

static void limits_and_origins_are_read(void **state)
{
    (void)state;
    assert_true(parse("{\"nodes\":[{\"id\":\"a\",\"gpus\":[{\"id\":\"g\",\"device\":\"GPU-1\"}]}],\"auth\":{\"mode\":\"open\"},"
                      "\"allowed_origins\":[\"https://x.org:8443\"],"
                      "\"limits\":{\"max_booking_hours\":null,\"max_days_ahead\":0,\"max_gpus_per_booking\":4,"
                      "\"max_active_gpu_hours_per_user\":100,\"allow_past\":false}}"));
    assert_int_equal(config.limits.max_booking_hours, -1);
    assert_int_equal(config.limits.max_days_ahead, 0);
    assert_int_equal(config.limits.max_gpus_per_booking, 4);
    assert_int_equal(config.limits.max_active_gpu_hours_per_user, 100);
    assert_false(config.limits.allow_past);
    assert_int_equal(config.allowed_origin_count, 1);
    assert_string_equal(config.allowed_origins[0], "https://x.org:8443");
    assert_string_equal(config.nodes[0].gpus[0].device, "GPU-1");
}

static void an_unknown_key_is_named_with_its_place_and_the_nearest_one(void **state)
{
    (void)state;
    refused("{\"nodes\":[{\"id\":\"a\"}],\"limit\":{}}", "c.json: unknown key \"limit\" (did you mean \"limits\"?)");
    refused("{\"nodes\":[{\"id\":\"a\",\"gpus\":[{\"id\":\"g\",\"knid\":\"x\"}]}]}",
            "c.json: nodes[0].gpus[0]: unknown key \"knid\" (did you mean \"kind\"?)");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"limits\":{\"max_day_ahead\":3}}",
            "c.json: limits: unknown key \"max_day_ahead\" (did you mean \"max_days_ahead\"?)");
    refused("{\"nodes\":[{\"id\":\"a\",\"colour\":1}]}", "c.json: nodes[0]: unknown key \"colour\"");
}

static void an_id_stands_once_among_nodes_and_once_within_a_node(void **state)
{
    (void)state;
    refused("{\"nodes\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\" a\"}]}",
            "c.json: nodes[2].id: the node id \"a\" is already used at [0]");
    refused("{\"nodes\":[{\"id\":\"a\",\"gpus\":[{\"id\":\"g\"},{\"id\":\"g\"}]}]}",
            "c.json: nodes[0].gpus[1].id: the GPU id \"g\" is already used at [0]");
    assert_true(parse("{\"nodes\":[{\"id\":\"a\",\"gpus\":[{\"id\":\"g\"}]},{\"id\":\"b\",\"gpus\":[{\"id\":\"g\"}]}]}"));
}

static void ids_are_text_of_1_to_64_characters(void **state)
{
    char text[512], id[200] = "";

    (void)state;
    refused("{\"nodes\":[{\"name\":\"x\"}]}", "c.json: nodes[0].id: is missing");
    refused("{\"nodes\":[{\"id\":\"  \"}]}", "c.json: nodes[0].id: must not be empty");
    refused("{\"nodes\":[{\"id\":true}]}", "c.json: nodes[0].id: must be text");
    refused("{\"nodes\":[{\"id\":[\"a\"]}]}", "c.json: nodes[0].id: must be text");
    refused("{\"nodes\":[{\"id\":\"a\\nb\"}]}", "c.json: nodes[0].id: must not hold control characters");
    for (int i = 0; i < 64; i++)
        memcpy(id + 2 * i, "é", 3);
    snprintf(text, sizeof text, "{\"nodes\":[{\"id\":\"%s\"}]}", id);
    assert_true(parse(text));
    snprintf(text, sizeof text, "{\"nodes\":[{\"id\":\"%se\"}]}", id);
    refused(text, "c.json: nodes[0].id: must not be longer than 64 characters");
}

static void wrong_types_are_refused_where_they_stand(void **state)
{
    (void)state;
    refused("[]", "c.json: must be an object: {\"nodes\": […]}");
    refused("null", "c.json: must be an object: {\"nodes\": […]}");
    refused("{\"nodes\":{}}", "c.json: nodes: must be an array");
    refused("{\"nodes\":[]}", "c.json: nodes: must list at least one node");
    refused("{\"nodes\":[3]}", "c.json: nodes[0]: must be an object with an \"id\"");
    refused("{\"nodes\":[{\"id\":\"a\",\"gpus\":\"g\"}]}", "c.json: nodes[0].gpus: must be an array");
    refused("{\"nodes\":[{\"id\":\"a\",\"gpus\":[null]}]}", "c.json: nodes[0].gpus[0]: must be an object with an \"id\"");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"limits\":[]}", "c.json: limits: must be an object");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"limits\":{\"max_booking_hours\":0}}",
            "c.json: limits.max_booking_hours: must be from 1 to 1000000000, or null for no limit");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"limits\":{\"max_days_ahead\":\"7\"}}",
            "c.json: limits.max_days_ahead: must be a whole number, or null for no limit");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"limits\":{\"allow_past\":1}}", "c.json: limits.allow_past: must be true or false");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"allowed_origins\":[\"https://x.org/\"]}",
            "c.json: allowed_origins[0]: must be an origin such as \"https://portal.example.org\", without a path");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"mode\":\"none\"}}",
            "c.json: auth.mode: must be \"open\" or \"remote_user\"");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"mode\":\"remote_user\",\"read\":\"all\"}}",
            "c.json: auth.read: must be \"login\" or \"public\"");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"mode\":\"remote_user\",\"admins\":\"ada\"}}",
            "c.json: auth.admins: must be an array of login names");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"mode\":\"remote_user\",\"admins\":[\"ada\",\" bob\"]}}",
            "c.json: auth.admins[1]: must be a login name: text of 1 to 256 characters, without blanks around it");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"admins\":[\"ada\"]}}",
            "c.json: auth.admins: has no effect unless auth.mode is \"remote_user\"");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"mode\":\"open\",\"read\":\"public\"}}",
            "c.json: auth.read: has no effect unless auth.mode is \"remote_user\"");
    refused("{\"nodes\":[{\"id\":\"a\"}],\"auth\":{\"mode\":\"remote_user\",\"admin\":[]}}",
            "c.json: auth: unknown key \"admin\" (did you mean \"admins\"?)");
}

static void what_is_not_json_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_false(parse("{\"nodes\":[\n  {\"id\":\"a\"},\n  }\n"));
    assert_non_null(strstr(err.message, "c.json: line 3, column "));
    error_clear(&err);
    assert_false(parse("{\"nodes\":[{\"id\":\"a\"}]}\nx"));
    assert_non_null(strstr(err.message, "c.json: line 2, column 1"));
    error_clear(&err);
    assert_false(parse("{\"nodes\":[{\"id\":\"a\",\"id\":\"b\"}]}"));
    assert_non_null(strstr(err.message, "\"id\""));
}

static void a_source_reads_what_stands_in_its_place_now(void **state)
{
    struct config_source source;
    struct buffer text = BUFFER_INIT;
    char folder[] = "/tmp/procplan-unit-XXXXXX", path[64], other[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/c.json", folder);
    snprintf(other, sizeof other, "%s/new", folder);
    assert_true(config_source_open(&source, path, &err));
    assert_false(config_source_read(&source, &text, &err));
    assert_int_equal(err.code, ERROR_CONFIGURATION);
    assert_string_equal(err.message, "c.json: cannot read the configuration: No such file or directory");
    FILE *file = fopen(other, "w");
    assert_non_null(file);
    fputs("first", file);
    fclose(file);
    assert_int_equal(rename(other, path), 0);
    assert_true(config_source_read(&source, &text, &err));
    assert_string_equal(text.data, "first");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(config_source_read(&source, &text, &err));
    assert_string_equal(err.message, "c.json: is not a file");
    rmdir(path);
    rmdir(folder);
    buffer_release(&text);
    config_source_close(&source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_originals_file_is_read_as_it_is),
        TEST(limits_have_their_defaults),
        TEST(limits_and_origins_are_read),
        TEST(an_unknown_key_is_named_with_its_place_and_the_nearest_one),
        TEST(an_id_stands_once_among_nodes_and_once_within_a_node),
        TEST(ids_are_text_of_1_to_64_characters),
        TEST(wrong_types_are_refused_where_they_stand),
        TEST(what_is_not_json_is_refused_with_its_line),
        TEST(a_source_reads_what_stands_in_its_place_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
