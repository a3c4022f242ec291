/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/config-text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One file, or several with a byte 0xfe between them, which UTF-8 does not have.  What is taken
 * GLib has to read the same way, and what is shown of it has to read back to the same. */

enum { SOURCES_MAX = 3 };

static void
require(bool condition) {
  if (!condition)
    abort();
}

static size_t
split(const uint8_t *data, size_t size, PlConfigSource sources[SOURCES_MAX]) {
  static const char *const names[SOURCES_MAX] = {"a.conf", "b.conf", "c.conf"};
  const char *at = (const char *)data, *end = at + size;
  size_t count = 0;

  while (count < SOURCES_MAX) {
    const char *next =
        count + 1 < SOURCES_MAX && at < end ? memchr(at, 0xfe, (size_t)(end - at)) : NULL;
    size_t length = (size_t)((next != NULL ? next : end) - at);
    sources[count] = (PlConfigSource){.name = names[count], .bytes = at, .length = length};
    count++;
    if (next == NULL)
      break;
    at = next + 1;
  }
  return count;
}

static void
add_item(const PlConfigItem *item, void *data) {
  g_string_append_printf(data, "%s\n%s\n%s\n", item->group, item->key,
                         item->value != NULL ? item->value : "(none)");
}

static void
check_shown(const PlConfig *config) {
  g_autofree char *shown = pl_config_show(config);
  g_autoptr(PlConfig) again = fake_config(shown);
  g_autoptr(GString) items = g_string_new(NULL), items_again = g_string_new(NULL);
  pl_config_foreach(config, add_item, items);
  pl_config_foreach(again, add_item, items_again);
  require(g_string_equal(items, items_again));
}

/* Groups may have more blanks in a file than in a configuration. */
static char *
find_in_glib(GKeyFile *file, const PlConfigItem *item) {
  g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
  g_autoptr(GRegex) blanks = g_regex_new(" +", 0, 0, NULL);
  for (char **group = groups; *group != NULL; group++) {
    g_autofree char *one = g_regex_replace_literal(blanks, *group, -1, 0, " ", 0, NULL);
    if (strcmp(g_strstrip(one), item->group) == 0)
      return g_key_file_get_value(file, *group, item->key, NULL);
  }
  return NULL;
}

typedef struct {
  GKeyFile *file;
  const char *name;
} Glib;

static void
check_item(const PlConfigItem *item, void *data) {
  Glib *glib = data;
  bool inherited = strchr(item->group, ' ') != strrchr(item->group, ' ');
  if (item->file == NULL || strcmp(item->file, glib->name) != 0 || inherited)
    return;
  g_autofree char *value = find_in_glib(glib->file, item);
  require(value != NULL);
  g_strchomp(value);
  /* GLib takes the escapes away as we do: let it read the value without the blanks. */
  g_key_file_set_value(glib->file, "check", "check", value);
  g_autofree char *text = g_key_file_get_string(glib->file, "check", "check", NULL);
  g_key_file_remove_group(glib->file, "check", NULL);
  require(g_strcmp0(text, item->value) == 0);
}

static void
check_glib(const PlConfig *config, const PlConfigSource *source) {
  Glib glib = {.file = g_key_file_new(), .name = source->name};
  if (source->length > 0) {
    require(g_key_file_load_from_data(glib.file, source->bytes, source->length, G_KEY_FILE_NONE,
                                      NULL));
    pl_config_foreach(config, check_item, &glib);
  }
  g_key_file_unref(glib.file);
}

static void
check_report(PlProblems *problems) {
  g_autofree char *report = pl_problems_text(problems);
  g_autofree char *summary = pl_problems_summary(problems);
  require(summary != NULL && g_utf8_validate(report, -1, NULL));
  for (const char *p = report; *p != '\0'; p++)
    require(*p == '\n' || !g_ascii_iscntrl(*p));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  PlConfigSource sources[SOURCES_MAX];
  size_t count = split(data, size, sources);
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) config = pl_config_parse(sources, count, &fake_surroundings, problems);

  require((config == NULL) == (pl_problems_count(problems) > 0));
  if (config == NULL) {
    check_report(problems);
    return 0;
  }
  check_shown(config);
  for (size_t i = 0; i < count; i++)
    check_glib(config, &sources[i]);
  return 0;
}
