/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/config-text.h"

#include <string.h>

/* How much of everything a configuration may have, and bytes that no text has. */

static void
assert_only_problem(const char *text, const char *start) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) config = fake_config_read(text, problems);
  g_autofree char *report = pl_problems_text(problems);
  if (!g_str_has_prefix(report, start) || pl_problems_count(problems) != 1)
    g_error("expected \"%s\", got \"%s\"", start, report);
  g_assert_null(config);
}

static void
test_lengths(void) {
  g_autofree char *label = g_strnfill(254, 'a');
  g_autofree char *host = g_strdup_printf("[mqtt]\ntls = system\nhost = %s\n", label);
  g_autofree char *username = g_strdup_printf("[mqtt]\nusername = %.129s\n", label);
  g_autofree char *topic = g_strdup_printf("[mqtt]\nprefix = %.129s\n", label);
  g_autofree char *socket = g_strdup_printf("[mqtt]\nhost = /%.107s\n", label);

  assert_only_problem(host, "t.conf:3: host: expected a name");
  assert_only_problem(username, "t.conf:2: username: expected a text of at most 128");
  assert_only_problem(topic, "t.conf:2: prefix: expected");
  assert_only_problem(socket, "t.conf:2: host: expected");
  host[strlen(host) - 2] = '\n';
  username[strlen(username) - 2] = '\n';
  topic[strlen(topic) - 2] = '\n';
  socket[strlen(socket) - 2] = '\n';
  pl_config_free(fake_config(host));
  pl_config_free(fake_config(username));
  pl_config_free(fake_config(topic));
  pl_config_free(fake_config(socket));
}

static void
test_adapters(void) {
  GString *text = g_string_new("[bluetooth]\nadapters = ");
  for (unsigned i = 0; i < PL_ADAPTER_MAX; i++)
    g_string_append_printf(text, "A0:9E:1A:00:00:%02X;", i);
  g_autoptr(PlConfig) config = fake_config(text->str);
  g_assert_cmpuint(config->bluetooth.adapter_count, ==, PL_ADAPTER_MAX);
  g_string_append(text, "A0:9E:1A:00:01:00");
  assert_only_problem(text->str, "t.conf:2: adapters: expected at most 8 addresses, got 9");
  g_string_free(text, TRUE);
}

static void
test_nul(void) {
  static const char bytes[] = "[mqtt]\nport = 18\0 84\nhost = localhost\n";
  PlConfigSource source = {.name = "t.conf", .bytes = bytes, .length = sizeof bytes - 1};
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_assert_null(pl_config_parse(&source, 1, &fake_surroundings, problems));
  g_autofree char *report = pl_problems_text(problems);
  g_assert_cmpstr(report, ==,
                  "t.conf:2: there is a NUL byte in the line: save the file as UTF-8\n");
}

/* A line may be as long as a file; the report shows its beginning. */
static void
test_long_line(void) {
  g_autofree char *much = g_strnfill(60000, 'x');
  g_autofree char *text =
      g_strdup_printf("# %s\n[mqtt]\nport = %s\n%s = 1\n", much, much, much);
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_assert_null(fake_config_read(text, problems));
  g_autofree char *report = pl_problems_text(problems);
  g_autofree char *part = g_strnfill(64, 'x');
  g_autofree char *expected =
      g_strdup_printf("t.conf:3: port: expected a whole number from 1 to 65535, got \"%s...\"\n"
                      "t.conf:4: unknown key \"%s...\" in [mqtt]\n",
                      part, part);
  g_assert_cmpstr(report, ==, expected);
}

static char *
many_sensors(unsigned count, const char *before) {
  GString *text = g_string_new(before);
  for (unsigned i = 0; i < count; i++)
    g_string_append_printf(text, "[sensor s%u]\naddress = A0:9E:1A:00:%02X:%02X\n", i, i / 256,
                           i % 256);
  return g_string_free(text, FALSE);
}

static void
check_sensors(unsigned count, const char *before, const char *problem) {
  g_autofree char *text = many_sensors(count, before);
  if (problem != NULL) {
    assert_only_problem(text, problem);
    return;
  }
  g_autoptr(PlConfig) config = fake_config(text);
  g_assert_cmpuint(config->sensor_count, ==, count);
}

static void
test_sensor_limit(void) {
  static const char two[] = "[bluetooth]\nadapters = A0:9E:1A:00:00:01;A0:9E:1A:00:00:02\n";
  check_sensors(0, "", NULL);
  check_sensors(64, "", NULL);
  /* Two lines a sensor: the 65th begins in line 129. */
  check_sensors(65, "",
                "t.conf:129: [sensor s64]: one sensor too many: 1 adapter can serve 64");
  check_sensors(70, "", "t.conf:129: [sensor s64]: one sensor too many");
  check_sensors(128, two, NULL);
  check_sensors(129, two,
                "t.conf:259: [sensor s128]: one sensor too many: 2 adapters can serve");
  check_sensors(4096, "[gateway]\nrole = fusion\n", NULL);
  check_sensors(4097, "[gateway]\nrole = fusion\n",
                "t.conf:8195: [sensor s4096]: one sensor too many: the limit is 4096");
}

/* A replay of a squad has no adapters to be short of. */
static void
test_without_radio(void) {
  g_autofree char *text = many_sensors(65, "");
  PlConfigSource source = {.name = "t.conf", .bytes = text, .length = strlen(text)};
  PlConfigSurroundings surroundings = fake_surroundings;
  g_autoptr(PlProblems) problems = pl_problems_new();

  surroundings.without_radio = true;
  g_autoptr(PlConfig) config = pl_config_parse(&source, 1, &surroundings, problems);
  g_assert_nonnull(config);
}

static void
test_flood(void) {
  GString *text = g_string_new("[mqtt]\n");
  for (unsigned i = 0; i < PL_PROBLEMS_MAX + 5; i++)
    g_string_append(text, "x\n");
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_assert_null(fake_config_read(text->str, problems));
  g_autofree char *report = pl_problems_text(problems);
  g_autofree char *summary = pl_problems_summary(problems);
  g_string_free(text, TRUE);
  g_assert_cmpuint(pl_problems_count(problems), ==, PL_PROBLEMS_MAX + 5);
  g_assert_true(g_str_has_suffix(report, "\nand 5 problems more\n"));
  g_assert_true(g_str_has_suffix(summary, " (and 10004 more)"));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/config/lengths", test_lengths);
  g_test_add_func("/app/config/adapters", test_adapters);
  g_test_add_func("/app/config/nul", test_nul);
  g_test_add_func("/app/config/long-line", test_long_line);
  g_test_add_func("/app/config/sensor-limit", test_sensor_limit);
  g_test_add_func("/app/config/without-radio", test_without_radio);
  g_test_add_func("/app/config/flood", test_flood);
  return g_test_run();
}
