/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include <math.h>
#include <string.h>

/* What has to fit together.  A key that could not be read was told of already, so nothing that
 * hangs on it is. */

static bool
all_readable(PlSection *section, const char *first, const char *second) {
  return !pl_section_entry(section, first)->bad && !pl_section_entry(section, second)->bad;
}

static void
needs(PlReader *reader, PlSection *section, const char *key, const char *other) {
  if (pl_section_has(section, key) && pl_section_entry(section, other)->file == NULL)
    pl_reader_problem(reader, section, key, "%s: needs %s beside it", key, other);
}

static void
check_psk(PlReader *reader, PlSection *section) {
  needs(reader, section, "psk-identity", "psk-file");
  needs(reader, section, "psk-file", "psk-identity");
  if (!pl_section_has(section, "psk-identity"))
    return;
  if (pl_section_has(section, "client-cert"))
    pl_reader_problem(reader, section, "psk-identity",
                      "psk-identity: a pre-shared key and client-cert exclude each other: "
                      "remove one of them");
  if (reader->config->mqtt.connection.ca_file != NULL)
    pl_reader_problem(reader, section, "psk-identity",
                      "psk-identity: a pre-shared key takes the place of certificates: remove "
                      "tls, the connection is encrypted all the same");
}

static void
check_encryption(PlReader *reader, PlSection *section) {
  const PlMqttConfig *connection = &reader->config->mqtt.connection;
  bool encrypted = pl_mqtt_is_encrypted(connection);

  if (!all_readable(section, "host", "tls") ||
      !all_readable(section, "psk-identity", "allow-plaintext"))
    return;
  if (encrypted && connection->host[0] == '/')
    pl_reader_problem(reader, section, "host",
                      "host: a unix socket is not encrypted: remove tls and psk-identity");
  if (!encrypted && !connection->allow_plaintext && !pl_mqtt_is_local(connection))
    pl_reader_problem(reader, section, "host",
                      "host: %s is another machine and nothing would be encrypted: set tls = "
                      "system or tls = /path/of/ca.pem, or allow-plaintext = true when the "
                      "network is yours alone",
                      connection->host);
}

static void
check_mqtt(PlReader *reader) {
  PlSection *section = pl_tree_single(reader->config->tree, PL_GROUP_MQTT);

  needs(reader, section, "password-file", "username");
  needs(reader, section, "client-cert", "client-key");
  needs(reader, section, "client-key", "client-cert");
  if (pl_section_has(section, "client-cert") && !pl_section_entry(section, "tls")->bad &&
      !reader->config->mqtt.connection.tls)
    pl_reader_problem(reader, section, "client-cert",
                      "client-cert: needs tls = system or tls = /path/of/ca.pem");
  check_psk(reader, section);
  check_encryption(reader, section);
}

static void
check_run(PlReader *reader) {
  const PlRunSettings *run = &reader->config->run;
  PlSection *section = pl_tree_single(reader->config->tree, PL_GROUP_RUN);

  if (all_readable(section, "pause-after-s", "end-after-s") &&
      run->end_after_s <= run->pause_after_s)
    pl_reader_problem(reader, section,
                      pl_section_has(section, "end-after-s") ? "end-after-s" : "pause-after-s",
                      "end-after-s: expected more than pause-after-s (%g), got %g",
                      run->pause_after_s, run->end_after_s);
}

/* Reports unless `low` is below `high`, or one of them is not known. */
static void
check_order(PlReader *reader, PlSection *section, const char *low_key, double low,
            const char *high_key, double high) {
  if (!(low >= high) || !all_readable(section, low_key, high_key))
    return;
  const char *at = pl_section_has(section, high_key) ? high_key : low_key;
  pl_reader_problem(reader, section, at, "%s: expected more than %s (%g), got %g", high_key,
                    low_key, low, high);
}

static void
check_athlete(PlReader *reader, PlSection *section) {
  const PlConfigAthlete *athlete = &reader->config->athletes[section->index];
  double resting = athlete->resting_heart_rate_bpm;
  double threshold = athlete->threshold_heart_rate_bpm;
  double maximum = athlete->max_heart_rate_bpm;

  check_order(reader, section, "resting-heart-rate", resting, "max-heart-rate", maximum);
  check_order(reader, section, "resting-heart-rate", resting, "threshold-heart-rate",
              threshold);
  check_order(reader, section, "threshold-heart-rate", threshold, "max-heart-rate", maximum);
}

static void
check_sensor(PlReader *reader, PlSection *section, GHashTable *addresses) {
  const char *address = reader->config->sensors[section->index].address;

  if (pl_section_entry(section, "address")->file == NULL)
    pl_reader_problem(reader, section, NULL, "[%s]: needs address = AA:BB:CC:DD:EE:FF",
                      section->name);
  if (address == NULL)
    return;
  PlSection *other = g_hash_table_lookup(addresses, address);
  if (other != NULL) {
    const PlEntry *entry = pl_section_entry(other, "address");
    pl_reader_problem(reader, section, "address", "address: %s is that of [%s] already (%s:%u)",
                      address, other->name, entry->file, entry->line);
    return;
  }
  g_hash_table_insert(addresses, (void *)(uintptr_t)address, section);
}

static void
check_sensor_count(PlReader *reader, PlSection *section) {
  const PlConfig *config = reader->config;
  size_t adapters = MAX(config->bluetooth.adapter_count, 1);
  bool by_radio =
      config->gateway.role != PL_ROLE_FUSION && !reader->surroundings->without_radio;
  size_t limit =
      by_radio ? adapters * PL_CONFIG_ADAPTER_SENSORS : (size_t)PL_CONFIG_SENSORS_MAX;

  if (section->index != limit)
    return;
  if (by_radio)
    pl_reader_problem(reader, section, NULL,
                      "[%s]: one sensor too many: %zu adapter%s can serve %zu; name more in "
                      "[bluetooth] adapters, or share the sensors out over several gateways",
                      section->name, adapters, adapters == 1 ? "" : "s", limit);
  else
    pl_reader_problem(reader, section, NULL, "[%s]: one sensor too many: the limit is %zu",
                      section->name, limit);
}

static void
check_shoe(PlReader *reader, PlSection *section, PlSection **defaults) {
  const PlConfig *config = reader->config;
  const PlConfigShoe *shoe = &config->shoes[section->index];

  check_order(reader, section, "notice-km", shoe->notice_km, "replace-km", shoe->replace_km);
  if (pl_section_entry(section, "athlete")->bad)
    return;
  if (shoe->athlete == PL_CONFIG_NOBODY && config->athlete_count > 1)
    pl_reader_problem(reader, section, NULL,
                      "[%s]: needs athlete = ID, because there are %zu athletes", section->name,
                      config->athlete_count);
  if (!shoe->is_default || shoe->athlete == PL_CONFIG_NOBODY)
    return;
  PlSection *other = defaults[shoe->athlete];
  if (other != NULL)
    pl_reader_problem(reader, section, "default",
                      "default: [%s] is the default shoe of %s already", other->name,
                      config->athletes[shoe->athlete].id);
  defaults[shoe->athlete] = section;
}

/* Keys that do not go with a code. */
static void
check_no_limits(PlReader *reader, PlSection *section, const char *why) {
  static const char *const keys[] = {"enter", "exit"};
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
    if (pl_section_has(section, keys[i]))
      pl_reader_problem(reader, section, keys[i], "%s: %s %s", keys[i], section->id, why);
}

/* A threshold far from the default is a slip, such as 95 for 0.95. */
static void
check_limit(PlReader *reader, PlSection *section, const char *key, double value, double usual) {
  static const double times = 5;
  bool heart_rate = isnan(usual);
  double low = heart_rate ? 60 : usual / times;
  double high = heart_rate ? 250 : usual * times;

  if (pl_section_has(section, key) && (value < low || value > high))
    pl_reader_problem(reader, section, key,
                      "%s: expected a number from %g to %g for %s, got %g", key, low, high,
                      section->id, value);
}

/* The warning ends where the value has come back by some way. */
static void
check_sides(PlReader *reader, PlSection *section, const PlWarningLimits *limits,
            const PlWarningLimits *usual) {
  bool rises = !(usual->enter < usual->exit);
  bool wrong = rises ? limits->exit > limits->enter : limits->exit < limits->enter;

  if (wrong && (pl_section_has(section, "enter") || pl_section_has(section, "exit")))
    pl_reader_problem(reader, section, pl_section_has(section, "exit") ? "exit" : "enter",
                      "exit: expected %s enter (%g), got %g", rises ? "at most" : "at least",
                      limits->enter, limits->exit);
}

static void
check_warning(PlReader *reader, PlSection *section) {
  const PlConfigWarning *warning = &reader->config->warnings[section->index];
  static const char *const times[] = {"hold-s", "clear-s", "cooldown-s"};

  if (warning->code < 0) {
    check_no_limits(reader, section, "is a line of the digest, which has only enabled");
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
      if (pl_section_has(section, times[i]))
        pl_reader_problem(reader, section, times[i],
                          "%s: %s is a line of the digest, which has only enabled", times[i],
                          section->id);
    return;
  }
  const PlWarningDef *def = &pl_warnings[warning->code];
  if (def->unit == NULL) {
    check_no_limits(reader, section, "compares no value");
    return;
  }
  PlWarningLimits limits =
      pl_config_warning_limits(reader->config, (PlWarningCode)warning->code, warning->athlete);
  double usual_exit = isnan(def->limits.exit) ? def->limits.enter : def->limits.exit;
  check_limit(reader, section, "enter", limits.enter, def->limits.enter);
  check_limit(reader, section, "exit", limits.exit, usual_exit);
  if (all_readable(section, "enter", "exit"))
    check_sides(reader, section, &limits, &def->limits);
}

void
pl_config_check(PlReader *reader) {
  const PlConfig *config = reader->config;
  g_autoptr(GHashTable) addresses = g_hash_table_new(g_str_hash, g_str_equal);
  g_autofree PlSection **defaults = g_new0(PlSection *, config->athlete_count);

  check_mqtt(reader);
  check_run(reader);
  for (unsigned i = 0; i < config->tree->sections->len; i++) {
    PlSection *section = g_ptr_array_index(config->tree->sections, i);
    if (section->group == &pl_groups[PL_GROUP_ATHLETE]) {
      check_athlete(reader, section);
    } else if (section->group == &pl_groups[PL_GROUP_SENSOR]) {
      check_sensor(reader, section, addresses);
      check_sensor_count(reader, section);
    } else if (section->group == &pl_groups[PL_GROUP_SHOE]) {
      check_shoe(reader, section, defaults);
    } else if (section->group == &pl_groups[PL_GROUP_WARNING]) {
      check_warning(reader, section);
    }
  }
}
