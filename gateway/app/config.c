/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include "plugins/drivers.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { WRITABLE_BY_OTHERS = 022 };

void
pl_config_surroundings(PlConfigSurroundings *surroundings) {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  const char *given = g_getenv("STATE_DIRECTORY");
  /* systemd gives a list when a unit has several. */
  g_autofree char *state = given != NULL && given[0] == '/'
                               ? g_strndup(given, strcspn(given, ":"))
                               : g_build_filename(g_get_user_state_dir(), "plumbline", NULL);

  *surroundings = (PlConfigSurroundings){
      .host_name = g_get_host_name(),
      .state_directory = g_intern_string(state),
      .drivers = pl_drivers,
      .driver_count = pl_driver_count,
  };
  g_date_time_get_ymd(now, &surroundings->year, &surroundings->month, &surroundings->day);
}

void
pl_config_free(PlConfig *self) {
  if (self == NULL)
    return;
  g_free(self->athletes);
  g_free(self->sensors);
  g_free(self->shoes);
  g_free(self->warnings);
  pl_tree_free(self->tree);
  g_free(self);
}

/* -- reading --------------------------------------------------------------------------- */

static void
reader_init(PlReader *reader, const PlConfigSurroundings *surroundings, PlProblems *problems) {
  *reader = (PlReader){
      .config = g_new0(PlConfig, 1),
      .surroundings = surroundings,
      .problems = problems,
      .file = "(no file)",
      .why = g_string_new(NULL),
  };
  reader->config->tree = pl_tree_new();
}

static void
read_sources(PlReader *reader, const PlConfigSource *sources, size_t count) {
  if (count > 0)
    reader->file = sources[0].name;
  for (size_t i = 0; i < count; i++)
    pl_tree_add(reader->config->tree, &sources[i], reader->problems);
  pl_config_read(reader);
  pl_config_complete(reader);
  pl_config_check(reader);
}

/* The configuration, if nothing is wrong with it. */
static PlConfig *
reader_finish(PlReader *reader) {
  g_autoptr(PlConfig) config = reader->config;
  g_string_free(reader->why, TRUE);
  return pl_problems_count(reader->problems) == 0 ? g_steal_pointer(&config) : NULL;
}

PlConfig *
pl_config_parse(const PlConfigSource *sources, size_t count,
                const PlConfigSurroundings *surroundings, PlProblems *problems) {
  PlReader reader;
  reader_init(&reader, surroundings, problems);
  read_sources(&reader, sources, count);
  return reader_finish(&reader);
}

/* -- files ----------------------------------------------------------------------------- */

static void
clear_source(void *data) {
  PlConfigSource *source = data;
  g_free((char *)(uintptr_t)source->name);
  g_free((char *)(uintptr_t)source->bytes);
}

static void
add_file(GArray *sources, const char *path, PlProblems *problems) {
  g_autofree char *problem = NULL;
  char *bytes;
  size_t length;

  pl_problems_announce(problems, path);
  if (!pl_config_read_file(path, WRITABLE_BY_OTHERS, &bytes, &length, &problem)) {
    pl_problems_add(problems, path, 1, "%s", problem);
    return;
  }
  PlConfigSource source = {.name = g_strdup(path), .bytes = bytes, .length = length};
  g_array_append_val(sources, source);
}

static int
compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of *.conf in that folder, by name; NULL when it can not be read. */
static GPtrArray *
list_folder(const char *folder, GError **error) {
  g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
  if (dir == NULL)
    return NULL;
  GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  while ((name = g_dir_read_name(dir)) != NULL)
    if (name[0] != '.' && g_str_has_suffix(name, ".conf"))
      g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
  g_ptr_array_sort(paths, compare_names);
  return paths;
}

static void
add_folder(GArray *sources, const char *folder, PlProblems *problems) {
  g_autoptr(GError) error = NULL;
  struct stat status;

  if (stat(folder, &status) != 0 && errno == ENOENT)
    return;
  g_autoptr(GPtrArray) paths = list_folder(folder, &error);
  if (paths == NULL) {
    pl_problems_add(problems, folder, 1, "%s", error->message);
    return;
  }
  if ((status.st_mode & WRITABLE_BY_OTHERS) != 0)
    pl_problems_add(problems, folder, 1,
                    "others may add files to the folder (mode %04o): chmod go-w %s",
                    (unsigned)status.st_mode & 07777, folder);
  if (paths->len > PL_CONFIG_FILES_MAX) {
    pl_problems_add(problems, folder, 1, "the folder has more than %d files",
                    PL_CONFIG_FILES_MAX);
    return;
  }
  for (unsigned i = 0; i < paths->len; i++)
    add_file(sources, g_ptr_array_index(paths, i), problems);
}

static void
add_files(GArray *sources, const char *path, PlProblems *problems) {
  g_autofree char *parent = g_path_get_dirname(path);
  g_autofree char *folder = g_build_filename(parent, "conf.d", NULL);

  add_file(sources, path, problems);
  add_folder(sources, folder, problems);
}

static void
add_memory(GArray *sources, const PlConfigSource *source) {
  PlConfigSource copy = {
      .name = g_strdup(source->name),
      .bytes = g_memdup2(source->bytes, source->length),
      .length = source->length,
  };
  g_array_append_val(sources, copy);
}

PlConfig *
pl_config_load_with(const char *path, const PlConfigSource *extra,
                    const PlConfigSurroundings *surroundings, PlProblems *problems) {
  g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(PlConfigSource));
  PlReader reader;

  g_array_set_clear_func(sources, clear_source);
  if (path != NULL)
    add_files(sources, path, problems);
  if (extra != NULL)
    add_memory(sources, extra);
  /* What is in the others may be right together with what can not be read. */
  if (pl_problems_count(problems) > 0)
    return NULL;
  reader_init(&reader, surroundings, problems);
  read_sources(&reader, (const PlConfigSource *)(const void *)sources->data, sources->len);
  pl_config_check_files(&reader);
  return reader_finish(&reader);
}

PlConfig *
pl_config_load(const char *path, const PlConfigSurroundings *surroundings,
               PlProblems *problems) {
  return pl_config_load_with(path, NULL, surroundings, problems);
}

/* -- questions ------------------------------------------------------------------------- */

static int
find_section(const PlConfig *self, PlGroupId group, const char *id) {
  const PlSection *section = pl_tree_find(self->tree, group, id);
  return section != NULL ? (int)section->index : -1;
}

int
pl_config_find_athlete(const PlConfig *self, const char *id) {
  return find_section(self, PL_GROUP_ATHLETE, id);
}

int
pl_config_find_sensor(const PlConfig *self, const char *id) {
  return find_section(self, PL_GROUP_SENSOR, id);
}

int
pl_config_find_shoe(const PlConfig *self, const char *id) {
  return find_section(self, PL_GROUP_SHOE, id);
}

bool
pl_config_takes_commands(const PlConfig *self) {
  const PlMqttConfig *connection = &self->mqtt.connection;
  if (self->mqtt.commands != PL_COMMANDS_AUTO)
    return self->mqtt.commands == PL_COMMANDS_YES;
  return pl_mqtt_is_local(connection) || pl_mqtt_is_encrypted(connection);
}

static void
override(double *value, double given) {
  if (!isnan(given))
    *value = given;
}

PlWarningLimits
pl_config_warning_limits(const PlConfig *self, PlWarningCode code, int athlete) {
  PlWarningLimits limits = pl_warnings[code].limits;

  /* What is said for one person comes after what is said for everybody. */
  for (int personal = 0; personal < 2; personal++)
    for (size_t i = 0; i < self->warning_count; i++) {
      const PlConfigWarning *warning = &self->warnings[i];
      if (warning->code != (int)code ||
          warning->athlete != (personal ? athlete : PL_CONFIG_NOBODY))
        continue;
      if (warning->enabled != PL_TRUTH_UNKNOWN)
        limits.enabled = warning->enabled == PL_TRUTH_YES;
      override(&limits.enter, warning->enter);
      override(&limits.exit, warning->exit);
      override(&limits.hold_s, warning->hold_s);
      override(&limits.clear_s, warning->clear_s);
      override(&limits.cooldown_s, warning->cooldown_s);
    }
  return limits;
}

bool
pl_config_digest_enabled(const PlConfig *self, const char *code, int athlete) {
  PlTruth everybody = PL_TRUTH_UNKNOWN, personal = PL_TRUTH_UNKNOWN;

  for (size_t i = 0; i < self->warning_count; i++) {
    const PlConfigWarning *warning = &self->warnings[i];
    if (warning->digest < 0 || strcmp(pl_digest_codes[warning->digest], code) != 0)
      continue;
    if (warning->athlete == PL_CONFIG_NOBODY)
      everybody = warning->enabled;
    else if (warning->athlete == athlete)
      personal = warning->enabled;
  }
  return (personal != PL_TRUTH_UNKNOWN ? personal : everybody) != PL_TRUTH_NO;
}

static double
age_years(const PlConfigAthlete *athlete, int64_t unix_ms) {
  static const double days_of_a_year = 365.2425;
  static const int64_t day_ms = 24 * 3600 * INT64_C(1000);
  static const int64_t epoch = 719163; /* Julian day of 1970-01-01, as GDate counts */
  bool only_year = athlete->born_month == 0;

  if (athlete->born_year == 0)
    return NAN;
  GDate born;
  g_date_clear(&born, 1);
  g_date_set_dmy(&born, only_year ? 2 : (GDateDay)athlete->born_day,
                 only_year ? G_DATE_JULY : (GDateMonth)athlete->born_month,
                 (GDateYear)athlete->born_year);
  double days = (double)unix_ms / (double)day_ms + (double)epoch - g_date_get_julian(&born);
  return days / days_of_a_year;
}

void
pl_config_athlete_settings(const PlConfig *self, int athlete, int64_t unix_ms,
                           PlAthleteSettings *settings) {
  const PlConfigAthlete *person = &self->athletes[athlete];

  settings->heart = (PlHeartSettings){
      .sex = person->sex,
      .age_years = age_years(person, unix_ms),
      .max_heart_rate_bpm = person->max_heart_rate_bpm,
      .resting_heart_rate_bpm = person->resting_heart_rate_bpm,
      .threshold_heart_rate_bpm = person->threshold_heart_rate_bpm,
      .effort = person->effort,
      .zones = person->zones,
  };
  for (int code = 0; code < PL_WARNING_COUNT; code++)
    settings->warnings[code] = pl_config_warning_limits(self, (PlWarningCode)code, athlete);
}
