/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"
#include "gateway/app/config-scan.h"

#include <string.h>

/* What is not said of one person's warning may be said of everybody's. */
static const PlEntry *
entry_that_holds(const PlConfigTree *tree, const PlSection *section, size_t option) {
  const PlEntry *own = &section->entries[option];
  const PlSection *general = section->second != NULL && own->file == NULL
                                 ? pl_tree_find(tree, PL_GROUP_WARNING, section->id)
                                 : NULL;
  return general != NULL && general->entries[option].file != NULL ? &general->entries[option]
                                                                  : own;
}

static void
show_section(const PlConfigTree *tree, const PlSection *section, PlConfigItemFunc func,
             void *data) {
  for (size_t i = 0; i < section->group->option_count; i++) {
    const PlOption *option = &section->group->options[i];
    const PlEntry *entry = entry_that_holds(tree, section, i);
    PlConfigItem item = {
        .group = section->name,
        .key = option->key,
        .value = entry->text != NULL ? entry->text : option->fallback,
        .file = entry->file,
        .line = entry->line,
    };
    func(&item, data);
  }
}

void
pl_config_foreach(const PlConfig *self, PlConfigItemFunc func, void *data) {
  const GPtrArray *sections = self->tree->sections;
  for (int i = 0; i < PL_GROUP_COUNT; i++)
    for (unsigned j = 0; j < sections->len; j++) {
      const PlSection *section = g_ptr_array_index(sections, j);
      if (section->group == &pl_groups[i])
        show_section(self->tree, section, func, data);
    }
}

typedef struct {
  GString *text;
  const char *group;
} Shown;

static void
show_item(const PlConfigItem *item, void *data) {
  Shown *shown = data;
  if (item->group != shown->group)
    g_string_append_printf(shown->text, "%s[%s]\n", shown->group != NULL ? "\n" : "",
                           item->group);
  shown->group = item->group;
  if (item->file != NULL)
    g_string_append_printf(shown->text, "# %s:%u\n", item->file, item->line);
  else
    g_string_append_printf(shown->text, "# %s\n", item->value != NULL ? "default" : "not set");
  if (item->value == NULL) {
    g_string_append_printf(shown->text, "#%s =\n", item->key);
    return;
  }
  g_autofree char *value = pl_scan_escape(item->value);
  g_string_append_printf(shown->text, "%s = %s\n", item->key, value);
}

char *
pl_config_show(const PlConfig *self) {
  Shown shown = {.text = g_string_new(NULL)};
  pl_config_foreach(self, show_item, &shown);
  return g_string_free(shown.text, FALSE);
}
