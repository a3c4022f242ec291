/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"
#include "gateway/app/config-scan.h"

#include <string.h>

/* Where the reading of one file is. */
typedef struct {
  PlConfigTree *tree;
  PlProblems *problems;
  const char *file; /* the tree's own copy: the same pointer means the same file */
  unsigned line;
  PlSection *section; /* NULL: before the first group, or in one that is not to be read */
  bool any_group;
} PlCursor;

static PlSection *
add_section(PlConfigTree *tree, const PlGroup *group, const char *id, const char *second) {
  PlSection *section = g_malloc0(sizeof(PlSection) + group->option_count * sizeof(PlEntry));
  g_autofree char *name = g_strjoin(" ", group->name, id, second, NULL);
  section->group = group;
  section->name = g_string_chunk_insert(tree->strings, name);
  section->id = id != NULL ? g_string_chunk_insert(tree->strings, id) : NULL;
  section->second = second != NULL ? g_string_chunk_insert(tree->strings, second) : NULL;
  g_ptr_array_add(tree->sections, section);
  g_hash_table_insert(tree->by_name, (void *)(uintptr_t)section->name, section);
  return section;
}

PlConfigTree *
pl_tree_new(void) {
  PlConfigTree *tree = g_new0(PlConfigTree, 1);
  tree->strings = g_string_chunk_new(4096);
  tree->sections = g_ptr_array_new_with_free_func(g_free);
  tree->by_name = g_hash_table_new(g_str_hash, g_str_equal);
  tree->replaced = g_array_new(FALSE, FALSE, sizeof(PlReplaced));
  tree->lists = g_ptr_array_new_with_free_func(g_free);
  for (int i = 0; i < PL_GROUP_COUNT; i++)
    if (pl_groups[i].example == NULL)
      add_section(tree, &pl_groups[i], NULL, NULL);
  return tree;
}

void
pl_tree_free(PlConfigTree *tree) {
  if (tree == NULL)
    return;
  g_hash_table_unref(tree->by_name);
  g_ptr_array_unref(tree->sections);
  g_array_unref(tree->replaced);
  g_ptr_array_unref(tree->lists);
  g_string_chunk_free(tree->strings);
  g_free(tree);
}

PlSection *
pl_tree_single(const PlConfigTree *tree, PlGroupId group) {
  return g_ptr_array_index(tree->sections, group);
}

PlSection *
pl_tree_find(const PlConfigTree *tree, PlGroupId group, const char *id) {
  g_autofree char *name = g_strdup_printf("%s %s", pl_groups[group].name, id);
  return g_hash_table_lookup(tree->by_name, name);
}

PlEntry *
pl_section_entry(PlSection *section, const char *key) {
  int index = pl_option_find(section->group, key);
  g_assert(index >= 0);
  return &section->entries[index];
}

bool
pl_section_has(PlSection *section, const char *key) {
  const PlEntry *entry = pl_section_entry(section, key);
  return entry->file != NULL && !entry->bad;
}

static void
unknown_group(PlCursor *cursor, const char *kind) {
  g_autofree char *quoted = pl_problems_quote(kind);
  PlNearest nearest;
  pl_nearest_init(&nearest, kind);
  for (int i = 0; i < PL_GROUP_COUNT; i++)
    pl_nearest_try(&nearest, pl_groups[i].name);
  if (nearest.best != NULL)
    pl_problems_add(cursor->problems, cursor->file, cursor->line,
                    "unknown group %s; did you mean [%s]?", quoted, nearest.best);
  else
    pl_problems_add(cursor->problems, cursor->file, cursor->line,
                    "unknown group %s; expected one of gateway, mqtt, bluetooth, storage, run, "
                    "athlete ID, sensor ID, shoe ID, warning CODE",
                    quoted);
}

static const PlGroup *
find_group(const char *kind) {
  for (int i = 0; i < PL_GROUP_COUNT; i++)
    if (strcmp(pl_groups[i].name, kind) == 0)
      return &pl_groups[i];
  return NULL;
}

static bool
check_id(PlCursor *cursor, const PlGroup *group, const char *id) {
  if (pl_config_is_id(id))
    return true;
  g_autofree char *quoted = pl_problems_quote(id);
  pl_problems_add(cursor->problems, cursor->file, cursor->line,
                  "[%s]: expected an id of 1 to 32 of a-z, 0-9 and -, got %s", group->name,
                  quoted);
  return false;
}

static bool
is_digest_code(const char *code) {
  for (size_t i = 0; i < pl_digest_code_count; i++)
    if (strcmp(pl_digest_codes[i], code) == 0)
      return true;
  return false;
}

static bool
check_code(PlCursor *cursor, const char *code) {
  if (pl_warning_find(code) >= 0 || is_digest_code(code))
    return true;
  g_autofree char *quoted = pl_problems_quote(code);
  PlNearest nearest;
  pl_nearest_init(&nearest, code);
  for (int i = 0; i < PL_WARNING_COUNT; i++)
    pl_nearest_try(&nearest, pl_warnings[i].code);
  for (size_t i = 0; i < pl_digest_code_count; i++)
    pl_nearest_try(&nearest, pl_digest_codes[i]);
  g_autofree char *hint = nearest.best != NULL
                              ? g_strdup_printf("; did you mean [warning %s]?", nearest.best)
                              : g_strdup(", see plumbline.conf(5)");
  pl_problems_add(cursor->problems, cursor->file, cursor->line,
                  "[warning]: there is no warning %s%s", quoted, hint);
  return false;
}

/* Whether the words after the group's name are as many and such as the group takes. */
static bool
check_words(PlCursor *cursor, const PlGroup *group, char *const *words, unsigned count) {
  bool is_warning = group == &pl_groups[PL_GROUP_WARNING];
  unsigned most = group->example == NULL ? 0 : is_warning ? 2 : 1;

  if (count == 0 && most > 0) {
    pl_problems_add(cursor->problems, cursor->file, cursor->line,
                    "[%s]: expected an id behind the name, as in [%s]", group->name,
                    group->example);
    return false;
  }
  if (count > most) {
    pl_problems_add(cursor->problems, cursor->file, cursor->line,
                    most == 0 ? "[%s]: this group takes no id" : "[%s]: too many words",
                    group->name);
    return false;
  }
  if (is_warning)
    return check_code(cursor, words[0]) && (count == 1 || check_id(cursor, group, words[1]));
  return count == 0 || check_id(cursor, group, words[0]);
}

/* The words of a group's name, without the empty ones between two blanks. */
static char **
split_name(const char *name) {
  char **words = g_strsplit(name, " ", -1);
  unsigned kept = 0;
  for (unsigned i = 0; words[i] != NULL; i++) {
    if (words[i][0] != '\0')
      words[kept++] = words[i];
    else
      g_free(words[i]);
  }
  words[kept] = NULL;
  return words;
}

static void
enter_group(PlCursor *cursor, const char *text) {
  g_auto(GStrv) words = split_name(text);
  const PlGroup *group = words[0] != NULL ? find_group(words[0]) : NULL;

  cursor->any_group = true;
  cursor->section = NULL;
  if (group == NULL) {
    unknown_group(cursor, words[0] != NULL ? words[0] : "");
    return;
  }
  if (!check_words(cursor, group, words + 1, g_strv_length(words) - 1))
    return;

  g_autofree char *name = g_strjoinv(" ", words);
  PlSection *section = g_hash_table_lookup(cursor->tree->by_name, name);
  if (section == NULL)
    section = add_section(cursor->tree, group, words[1], words[2]);
  if (section->file == NULL) {
    section->file = cursor->file;
    section->line = cursor->line;
  }
  if (section->seen_in == cursor->file)
    pl_problems_add(cursor->problems, cursor->file, cursor->line,
                    "[%s]: this group stands in the file already", name);
  section->seen_in = cursor->file;
  cursor->section = section;
}

static void
unknown_key(PlCursor *cursor, const char *key) {
  const PlGroup *group = cursor->section->group;
  g_autofree char *quoted = pl_problems_quote(key);
  PlNearest nearest;

  for (int i = 0; i < PL_GROUP_COUNT; i++)
    if (pl_option_find(&pl_groups[i], key) >= 0) {
      pl_problems_add(cursor->problems, cursor->file, cursor->line,
                      "unknown key %s in [%s]; it belongs to [%s%s]", quoted,
                      cursor->section->name, pl_groups[i].name,
                      pl_groups[i].example != NULL ? " ID" : "");
      return;
    }
  pl_nearest_init(&nearest, key);
  for (size_t i = 0; i < group->option_count; i++)
    pl_nearest_try(&nearest, group->options[i].key);
  g_autofree char *hint =
      nearest.best != NULL ? g_strdup_printf("; did you mean %s?", nearest.best) : g_strdup("");
  pl_problems_add(cursor->problems, cursor->file, cursor->line, "unknown key %s in [%s]%s",
                  quoted, cursor->section->name, hint);
}

static void
set_entry(PlCursor *cursor, size_t option, const char *key, const char *value) {
  PlConfigTree *tree = cursor->tree;
  PlEntry *entry = &cursor->section->entries[option];
  const char *problem;
  g_autofree char *text = pl_scan_unescape(value, &problem);

  if (text == NULL)
    pl_problems_add(cursor->problems, cursor->file, cursor->line, "%s: %s", key, problem);
  if (entry->file != NULL) {
    PlReplaced replaced = {.section = cursor->section, .option = option, .entry = *entry};
    g_array_append_val(tree->replaced, replaced);
  }
  *entry = (PlEntry){
      .text = g_string_chunk_insert(tree->strings, text != NULL ? text : ""),
      .file = cursor->file,
      .line = cursor->line,
      .bad = text == NULL,
  };
}

static void
set_key(PlCursor *cursor, const char *key, const char *value) {
  if (cursor->section == NULL) {
    g_autofree char *quoted = pl_problems_quote(key);
    if (!cursor->any_group)
      pl_problems_add(cursor->problems, cursor->file, cursor->line,
                      "the key %s stands before the first group, such as [mqtt]", quoted);
    return;
  }
  int option = pl_option_find(cursor->section->group, key);
  if (option < 0) {
    unknown_key(cursor, key);
    return;
  }
  const PlEntry *entry = &cursor->section->entries[option];
  if (entry->file == cursor->file)
    pl_problems_add(cursor->problems, cursor->file, cursor->line,
                    "%s: already set in line %u of this file", key, entry->line);
  else
    set_entry(cursor, (size_t)option, key, value);
}

/* What follows a name of a group that can not be read belongs to no group that we know. */
static void
bad_line(PlCursor *cursor, PlScanKind kind, const char *problem) {
  if (kind == PL_SCAN_BAD_GROUP) {
    cursor->section = NULL;
    cursor->any_group = true;
  }
  pl_problems_add(cursor->problems, cursor->file, cursor->line, "%s", problem);
}

void
pl_tree_add(PlConfigTree *tree, const PlConfigSource *source, PlProblems *problems) {
  PlCursor cursor = {
      .tree = tree,
      .problems = problems,
      .file = g_string_chunk_insert(tree->strings, source->name),
  };
  PlScanner scan;
  PlScanKind kind;

  pl_problems_announce(problems, source->name);
  pl_scan_init(&scan, source->bytes, source->length);
  while ((kind = pl_scan_next(&scan)) != PL_SCAN_END) {
    cursor.line = scan.line;
    if (kind == PL_SCAN_GROUP)
      enter_group(&cursor, scan.name);
    else if (kind == PL_SCAN_KEY)
      set_key(&cursor, scan.name, scan.value);
    else
      bad_line(&cursor, kind, scan.problem);
  }
  pl_scan_clear(&scan);
}
