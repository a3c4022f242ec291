/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include "gateway/core/decimal.h"

#include <math.h>
#include <string.h>

void
pl_reader_problem(PlReader *reader, PlSection *section, const char *key, const char *format,
                  ...) {
  const PlEntry *entry = key != NULL ? pl_section_entry(section, key) : NULL;
  bool at_key = entry != NULL && entry->file != NULL;
  const char *file = at_key ? entry->file : section->file;
  unsigned line = at_key ? entry->line : section->line;
  va_list arguments;

  va_start(arguments, format);
  g_autofree char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  if (file == NULL)
    pl_problems_add(reader->problems, reader->file, 1, "%s", message);
  else
    pl_problems_add(reader->problems, file, line, "%s", message);
}

/* The struct that a section fills. */
static void *
struct_of(PlReader *reader, const PlSection *section) {
  const PlGroup *group = section->group;
  char *place = (char *)reader->config + group->offset;
  if (group->example == NULL)
    return place;
  char *array = *(char **)(void *)place;
  return array + section->index * group->size;
}

/* Gives every section with an id its place in an array. */
static void
make_arrays(PlReader *reader) {
  const GPtrArray *sections = reader->config->tree->sections;
  size_t counts[PL_GROUP_COUNT] = {0};

  for (unsigned i = 0; i < sections->len; i++) {
    PlSection *section = g_ptr_array_index(sections, i);
    section->index = counts[section->group - pl_groups]++;
  }
  for (int i = 0; i < PL_GROUP_COUNT; i++) {
    const PlGroup *group = &pl_groups[i];
    if (group->example == NULL)
      continue;
    *(void **)(void *)((char *)reader->config + group->offset) =
        g_malloc0_n(counts[i], group->size);
    *(size_t *)(void *)((char *)reader->config + group->count_offset) = counts[i];
  }
}

static int
find_digest(const char *code) {
  for (size_t i = 0; i < pl_digest_code_count; i++)
    if (strcmp(pl_digest_codes[i], code) == 0)
      return (int)i;
  return -1;
}

static void
name_warning(PlReader *reader, PlSection *section) {
  PlConfigWarning *warning = &reader->config->warnings[section->index];
  warning->code = pl_warning_find(section->id);
  warning->digest = find_digest(section->id);
  warning->athlete = PL_CONFIG_NOBODY;
  if (section->second == NULL)
    return;
  PlSection *athlete = pl_tree_find(reader->config->tree, PL_GROUP_ATHLETE, section->second);
  if (athlete != NULL)
    warning->athlete = (int)athlete->index;
  else
    pl_reader_problem(reader, section, NULL, "[%s]: there is no [athlete %s] group",
                      section->name, section->second);
}

static void
name_one(PlReader *reader, PlSection *section) {
  PlConfig *config = reader->config;
  switch ((PlGroupId)(section->group - pl_groups)) {
  case PL_GROUP_ATHLETE:
    config->athletes[section->index].id = section->id;
    break;
  case PL_GROUP_SENSOR:
    config->sensors[section->index].id = section->id;
    break;
  case PL_GROUP_SHOE:
    config->shoes[section->index].id = section->id;
    break;
  case PL_GROUP_WARNING:
    name_warning(reader, section);
    break;
  case PL_GROUP_GATEWAY:
  case PL_GROUP_MQTT:
  case PL_GROUP_BLUETOOTH:
  case PL_GROUP_STORAGE:
  case PL_GROUP_RUN:
  case PL_GROUP_COUNT:
    break;
  }
}

/* What is often behind a bad value. */
static const char *
hint(const char *text) {
  size_t length = strlen(text);
  if (strstr(text, " #") != NULL)
    return "; a comment needs a line of its own";
  if (length > 1 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0])
    return "; values stand without quotes";
  if (length > 0 && strchr(text, ',') != NULL && strspn(text, "0123456789,+-") == length)
    return "; decimals stand behind a point";
  return "";
}

static void
bad_value(PlReader *reader, const PlEntry *entry, const PlOption *option) {
  if (reader->why->len > 0) {
    pl_problems_add(reader->problems, entry->file, entry->line, "%s: %s", option->key,
                    reader->why->str);
    return;
  }
  g_autofree char *expected = option->type->expected(option);
  g_autofree char *quoted = pl_problems_quote(entry->text);
  pl_problems_add(reader->problems, entry->file, entry->line, "%s: expected %s, got %s%s",
                  option->key, expected, quoted, hint(entry->text));
}

static void
read_entry(PlReader *reader, PlEntry *entry, const PlOption *option, void *target) {
  if (entry->bad)
    return;
  g_string_truncate(reader->why, 0);
  if (option->type->parse(reader, option, entry->text, target))
    return;
  entry->bad = true;
  bad_value(reader, entry, option);
}

static void
read_section(PlReader *reader, PlSection *section) {
  char *place = struct_of(reader, section);

  for (size_t i = 0; i < section->group->option_count; i++) {
    const PlOption *option = &section->group->options[i];
    PlEntry fallback = {.text = option->fallback};
    void *target = place + option->offset;
    if (option->type->unset != NULL)
      option->type->unset(target);
    if (section->entries[i].file != NULL)
      read_entry(reader, &section->entries[i], option, target);
    else if (fallback.text != NULL)
      read_entry(reader, &fallback, option, target);
  }
}

/* Into a struct that nobody looks at. */
static void
read_replaced(PlReader *reader, PlReplaced *replaced) {
  const PlGroup *group = replaced->section->group;
  const PlOption *option = &group->options[replaced->option];
  g_autofree char *place = g_malloc0(group->size);
  read_entry(reader, &replaced->entry, option, place + option->offset);
}

void
pl_config_read(PlReader *reader) {
  const GPtrArray *sections = reader->config->tree->sections;
  GArray *replaced = reader->config->tree->replaced;

  make_arrays(reader);
  for (unsigned i = 0; i < sections->len; i++)
    name_one(reader, g_ptr_array_index(sections, i));
  for (unsigned i = 0; i < sections->len; i++)
    read_section(reader, g_ptr_array_index(sections, i));
  for (unsigned i = 0; i < replaced->len; i++)
    read_replaced(reader, &g_array_index(replaced, PlReplaced, i));
}

/* Tells `config show` what a key without an entry comes to. */
static void
work_out(PlReader *reader, PlSection *section, const char *key, const char *text) {
  PlEntry *entry = pl_section_entry(section, key);
  if (entry->file == NULL)
    entry->text = pl_reader_keep(reader, text);
}

static void
work_out_number(PlReader *reader, PlSection *section, const char *key, double value) {
  char text[PL_DECIMAL_TEXT_SIZE];
  if (isnan(value))
    return;
  pl_decimal_format(value, PL_DECIMAL_PLACES_MAX, text);
  work_out(reader, section, key, text);
}

/* The first part of the host's name, as far as an id can have it. */
static char *
id_of_host(const char *host) {
  GString *id = g_string_new(NULL);
  for (const char *p = host; *p != '\0' && *p != '.' && id->len < PL_ID_SIZE - 1; p++) {
    if (g_ascii_isalnum(*p))
      g_string_append_c(id, g_ascii_tolower(*p));
    else if (id->len > 0 && id->str[id->len - 1] != '-')
      g_string_append_c(id, '-');
  }
  while (id->len > 0 && id->str[id->len - 1] == '-')
    g_string_truncate(id, id->len - 1);
  if (id->len == 0)
    g_string_assign(id, "gateway");
  return g_string_free(id, FALSE);
}

static void
complete_warning(PlReader *reader, PlSection *section) {
  const PlConfigWarning *warning = &reader->config->warnings[section->index];
  if (warning->code < 0) {
    work_out(reader, section, "enabled", "true");
    return;
  }
  PlWarningLimits limits =
      pl_config_warning_limits(reader->config, (PlWarningCode)warning->code, warning->athlete);
  work_out(reader, section, "enabled", limits.enabled ? "true" : "false");
  work_out_number(reader, section, "enter", limits.enter);
  work_out_number(reader, section, "exit", limits.exit);
  work_out_number(reader, section, "hold-s", limits.hold_s);
  work_out_number(reader, section, "clear-s", limits.clear_s);
  work_out_number(reader, section, "cooldown-s", limits.cooldown_s);
}

static void
complete_mqtt(PlReader *reader) {
  PlMqttConfig *connection = &reader->config->mqtt.connection;
  PlSection *section = pl_tree_single(reader->config->tree, PL_GROUP_MQTT);

  if (!pl_mqtt_is_encrypted(connection) || pl_section_entry(section, "port")->file != NULL)
    return;
  connection->port = 8883;
  work_out(reader, section, "port", "8883");
}

/* With one athlete, all shoes are that athlete's. */
static void
complete_shoe(PlReader *reader, PlSection *section) {
  PlConfig *config = reader->config;
  PlConfigShoe *shoe = &config->shoes[section->index];
  if (pl_section_entry(section, "athlete")->file != NULL || config->athlete_count != 1)
    return;
  shoe->athlete = 0;
  work_out(reader, section, "athlete", config->athletes[0].id);
}

void
pl_config_complete(PlReader *reader) {
  PlConfig *config = reader->config;
  PlSection *gateway = pl_tree_single(config->tree, PL_GROUP_GATEWAY);
  PlSection *storage = pl_tree_single(config->tree, PL_GROUP_STORAGE);

  if (config->gateway.name == NULL) {
    g_autofree char *name = id_of_host(reader->surroundings->host_name);
    config->gateway.name = pl_reader_keep(reader, name);
    work_out(reader, gateway, "name", name);
  }
  if (config->storage.directory == NULL) {
    config->storage.directory = pl_reader_keep(reader, reader->surroundings->state_directory);
    work_out(reader, storage, "directory", config->storage.directory);
  }
  complete_mqtt(reader);
  for (unsigned i = 0; i < config->tree->sections->len; i++) {
    PlSection *section = g_ptr_array_index(config->tree->sections, i);
    if (section->group == &pl_groups[PL_GROUP_WARNING])
      complete_warning(reader, section);
    else if (section->group == &pl_groups[PL_GROUP_SHOE])
      complete_shoe(reader, section);
  }
}
