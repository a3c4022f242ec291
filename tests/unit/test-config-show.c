/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"
#include "tests/fakes/config-text.h"

#include <math.h>
#include <string.h>

/* What is shown of a configuration, the installed file, and GLib's reading of both. */

static void
assert_shows(const char *text, const char *lines) {
  if (strstr(text, lines) == NULL)
    g_error("no \"%s\" in \"%s\"", lines, text);
}

static void
test_show(void) {
  g_autoptr(PlConfig) config = fake_config("[mqtt]\nhost = 127.0.0.1\n[athlete r1]\n"
                                           "[warning cadence-drop r1]\nenter = 0.9\n"
                                           "[warning cadence-drop]\nhold-s = 45\n");
  g_autofree char *text = pl_config_show(config);

  assert_shows(text, "[gateway]\n# default\nname = track-pi\n");
  assert_shows(text, "\n[mqtt]\n# t.conf:2\nhost = 127.0.0.1\n# default\nport = 1883\n");
  assert_shows(text, "\n# not set\n#username =\n");
  assert_shows(text, "\n[athlete r1]\n# not set\n#sex =\n");
  assert_shows(text, "\n[warning cadence-drop r1]\n# default\nenabled = true\n"
                     "# t.conf:5\nenter = 0.9\n# default\nexit = 0.97\n"
                     "# t.conf:7\nhold-s = 45\n");
  assert_shows(text, "\n[warning cadence-drop]\n# default\nenabled = true\n"
                     "# default\nenter = 0.95\n");
}

static char *
without_places(const char *shown) {
  g_autoptr(GRegex) places = g_regex_new("^# .*\n", G_REGEX_MULTILINE, 0, NULL);
  return g_regex_replace(places, shown, -1, 0, "", 0, NULL);
}

static const char mixed[] = "[mqtt]\n"
                            "host = broker.example.org\n"
                            "tls = system\n"
                            "username = \\s a\\\\b \\s\n"
                            "[athlete r1]\n"
                            "mass-kg = 61.50\n"
                            "[warning cadence-drop r1]\n"
                            "enter = 0.9\n"
                            "[warning cadence-drop]\n"
                            "hold-s = 45\n"
                            "[warning red-flag]\n"
                            "[warning monotony r1]\n"
                            "[shoe daily]\n"
                            "[sensor s]\n"
                            "address = c0:ff:ee:00:00:0a\n"
                            "athlete = r1\n";

/* What is shown reads back to the same, but for the places. */
static void
test_show_again(void) {
  g_autoptr(PlConfig) config = fake_config(mixed);
  g_autofree char *text = pl_config_show(config);
  g_autoptr(PlConfig) again = fake_config(text);
  g_autofree char *text_again = pl_config_show(again);
  g_autofree char *bare = without_places(text);
  g_autofree char *bare_again = without_places(text_again);

  g_assert_cmpstr(bare, ==, bare_again);
  g_assert_cmpstr(again->mqtt.connection.username, ==, "  a\\b  ");
  g_assert_cmpint(again->mqtt.connection.port, ==, 8883);
  g_assert_cmpfloat(again->athletes[0].mass_kg, ==, 61.5);
}

static void
compare_item(const PlConfigItem *item, void *data) {
  GKeyFile *file = data;
  if (item->file == NULL)
    return;
  bool own = g_key_file_has_key(file, item->group, item->key, NULL);
  const char *group = own ? item->group : "warning cadence-drop"; /* of the one for r1 */
  g_autoptr(GError) error = NULL;
  g_autofree char *value = g_key_file_get_string(file, group, item->key, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(item->value, ==, value);
}

/* GLib reads the same. */
static void
test_glib(void) {
  g_autoptr(PlConfig) config = fake_config(mixed);
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_assert_true(g_key_file_load_from_data(file, mixed, (gsize)-1, G_KEY_FILE_NONE, NULL));
  pl_config_foreach(config, compare_item, file);
}

/* -- the installed file ---------------------------------------------------------------- */

static char *
read_sample(void) {
  g_autofree char *path = g_test_build_filename(G_TEST_DIST, "config", "plumbline.conf", NULL);
  g_autoptr(GError) error = NULL;
  char *text;
  g_file_get_contents(path, &text, NULL, &error);
  g_assert_no_error(error);
  return text;
}

static void
test_sample_is_the_default(void) {
  g_autofree char *text = read_sample();
  g_autoptr(PlConfig) config = fake_config(text);
  g_autoptr(PlConfig) empty = fake_config("");
  g_autofree char *shown = pl_config_show(config);
  g_autofree char *shown_empty = pl_config_show(empty);
  g_assert_cmpstr(shown, ==, shown_empty);
}

/* A line `#key = value` or `#[group]`, without its #; else NULL. */
static const char *
example(const char *line) {
  const char *rest = line + 1;
  if (line[0] != '#' || (!g_ascii_islower(rest[0]) && rest[0] != '['))
    return NULL;
  return rest[0] == '[' || strstr(rest, " =") != NULL ? rest : NULL;
}

/* With every # taken away from the keys, nothing is wrong and nothing changes. */
static void
test_sample_without_comments(void) {
  g_autofree char *text = read_sample();
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_autoptr(GString) bare = g_string_new(NULL);

  for (char **line = lines; *line != NULL; line++) {
    const char *kept = example(*line) != NULL ? example(*line) : *line;
    if (kept[0] != '#' && !g_str_has_suffix(kept, " ="))
      g_string_append_printf(bare, "%s\n", kept);
  }
  g_autoptr(PlConfig) config = fake_config(bare->str);
  g_autoptr(PlConfig) few = fake_config("[athlete r1]\n[shoe daily]\n[warning trunk-lean]\n"
                                        "[sensor strap]\naddress = AA:BB:CC:DD:EE:FF\n");
  g_autofree char *shown = pl_config_show(config);
  g_autofree char *shown_few = pl_config_show(few);
  g_autofree char *found = without_places(shown);
  g_autofree char *expected = without_places(shown_few);
  g_assert_cmpstr(found, ==, expected);
}

/* The words of a comment above a key, in one line. */
typedef struct {
  GString *comment;
  const PlGroup *group;
  size_t next; /* the option that comes next */
} Sample;

static void
sample_group(Sample *sample, const char *line) {
  const PlGroup *next = sample->group == NULL ? pl_groups : sample->group + 1;
  g_autofree char *header =
      g_strdup_printf("[%s]", next->example != NULL ? next->example : next->name);
  if (sample->group != NULL)
    g_assert_cmpuint(sample->next, ==, sample->group->option_count);
  g_assert_cmpstr(line, ==, header);
  sample->group = next;
  sample->next = 0;
  g_string_truncate(sample->comment, 0);
}

static char *
default_of(const PlGroup *group, const PlOption *option) {
  const PlWarningLimits *limits = &pl_warnings[PL_WARNING_TRUNK_LEAN].limits;
  if (group == &pl_groups[PL_GROUP_SENSOR] && strcmp(option->key, "address") == 0)
    return g_strdup("address = AA:BB:CC:DD:EE:FF"); /* has no default */
  if (group != &pl_groups[PL_GROUP_WARNING])
    return g_strdup_printf("%s =%s%s", option->key, option->fallback != NULL ? " " : "",
                           option->fallback != NULL ? option->fallback : "");
  const struct {
    const char *key;
    double value;
  } numbers[] = {
      {"enter", limits->enter},           {"exit", limits->exit},
      {"hold-s", limits->hold_s},         {"clear-s", limits->clear_s},
      {"cooldown-s", limits->cooldown_s},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
    if (strcmp(numbers[i].key, option->key) == 0)
      return g_strdup_printf("%s = %g", option->key, numbers[i].value);
  return g_strdup("enabled = true");
}

/* Its default is the true one, and the comment says what it may be. */
static void
sample_key(Sample *sample, const char *line) {
  g_assert_nonnull(sample->group);
  g_assert_cmpuint(sample->next, <, sample->group->option_count);
  const PlOption *option = &sample->group->options[sample->next++];
  g_autofree char *expected_line = default_of(sample->group, option);
  g_autofree char *expected = option->type->expected(option);

  g_assert_cmpstr(line, ==, expected_line);
  expected[0] = g_ascii_toupper(expected[0]);
  bool found = strstr(sample->comment->str, expected) != NULL;
  expected[0] = g_ascii_tolower(expected[0]);
  if (!found && strstr(sample->comment->str, expected) == NULL)
    g_error("no \"%s\" in \"%s\" above %s", expected, sample->comment->str, option->key);
  g_string_truncate(sample->comment, 0);
}

static void
test_sample_has_every_key(void) {
  g_autofree char *text = read_sample();
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_autoptr(GString) comment = g_string_new(NULL);
  Sample sample = {.comment = comment};

  for (char **line = lines; *line != NULL; line++) {
    const char *given = example(*line);
    if ((*line)[0] == '[' || (given != NULL && given[0] == '['))
      sample_group(&sample, given != NULL ? given : *line);
    else if (given != NULL)
      sample_key(&sample, given);
    else if ((*line)[0] == '#')
      g_string_append(comment, *line + 1);
    else
      g_string_truncate(comment, 0);
  }
  g_assert_true(sample.group == &pl_groups[PL_GROUP_COUNT - 1]);
  g_assert_cmpuint(sample.next, ==, sample.group->option_count);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/config/show", test_show);
  g_test_add_func("/app/config/show-again", test_show_again);
  g_test_add_func("/app/config/glib", test_glib);
  g_test_add_func("/app/config/sample-default", test_sample_is_the_default);
  g_test_add_func("/app/config/sample-without-comments", test_sample_without_comments);
  g_test_add_func("/app/config/sample-keys", test_sample_has_every_key);
  return g_test_run();
}
