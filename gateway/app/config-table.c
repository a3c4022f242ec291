/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include <string.h>

#define WORDS(...)          ((const PlWord[]){__VA_ARGS__, {NULL, 0}})
#define AT(Struct, field)   offsetof(Struct, field)
#define NAME_MAX_CHARACTERS 64
#define MQTT_TEXT_MAX       128
#define DAYS_MAX            36500
#define DAY_S               86400

/* clang-format off */
static const PlOption gateway_options[] = {
  {"name", &pl_type_id, AT(PlConfigGateway, name)},
  {"role", &pl_type_word, AT(PlConfigGateway, role), "standalone",
   .words = WORDS({"standalone", PL_ROLE_STANDALONE}, {"edge", PL_ROLE_EDGE}, {"fusion", PL_ROLE_FUSION})},
  {"language", &pl_type_word, AT(PlConfigGateway, language), "en",
   .words = WORDS({"en", PL_LANGUAGE_EN}, {"de", PL_LANGUAGE_DE})},
  {"units", &pl_type_word, AT(PlConfigGateway, units), "metric",
   .words = WORDS({"metric", PL_UNITS_METRIC}, {"imperial", PL_UNITS_IMPERIAL})},
  {"timezone", &pl_type_zone, AT(PlConfigGateway, timezone)},
  {"emergency-number", &pl_type_text, AT(PlConfigGateway, emergency_number), "112", 1, 32},
  {"names-file", &pl_type_path, AT(PlConfigGateway, names_file)},
};

static const PlOption mqtt_options[] = {
  {"host", &pl_type_host, AT(PlConfigMqtt, connection.host), "localhost"},
  {"port", &pl_type_whole, AT(PlConfigMqtt, connection.port), "1883", 1, 65535},
  {"protocol", &pl_type_word, AT(PlConfigMqtt, connection.protocol), "auto",
   .words = WORDS({"auto", PL_MQTT_AUTO}, {"5", PL_MQTT_5}, {"3.1.1", PL_MQTT_3_1_1})},
  {"tls", &pl_type_tls, AT(PlConfigMqtt, connection), "no"},
  {"username", &pl_type_text, AT(PlConfigMqtt, connection.username), NULL, 1, MQTT_TEXT_MAX},
  {"password-file", &pl_type_path, AT(PlConfigMqtt, connection.password_file)},
  {"client-cert", &pl_type_path, AT(PlConfigMqtt, connection.client_cert)},
  {"client-key", &pl_type_path, AT(PlConfigMqtt, connection.client_key)},
  {"psk-identity", &pl_type_text, AT(PlConfigMqtt, connection.psk_identity), NULL, 1, MQTT_TEXT_MAX},
  {"psk-file", &pl_type_path, AT(PlConfigMqtt, connection.psk_file)},
  {"prefix", &pl_type_topic, AT(PlConfigMqtt, prefix), "plumbline", 1, MQTT_TEXT_MAX},
  {"discovery-prefix", &pl_type_topic, AT(PlConfigMqtt, discovery_prefix), "homeassistant", 1, MQTT_TEXT_MAX},
  {"home-assistant", &pl_type_bool, AT(PlConfigMqtt, home_assistant), "true"},
  {"home-assistant-names", &pl_type_bool, AT(PlConfigMqtt, home_assistant_names), "false"},
  {"commands", &pl_type_word, AT(PlConfigMqtt, commands), "auto",
   .words = WORDS({"auto", PL_COMMANDS_AUTO}, {"yes", PL_COMMANDS_YES}, {"no", PL_COMMANDS_NO})},
  {"allow-plaintext", &pl_type_bool, AT(PlConfigMqtt, connection.allow_plaintext), "false"},
};

static const PlOption bluetooth_options[] = {
  {"adapters", &pl_type_addresses, 0, "auto"},
  {"max-links", &pl_type_whole, AT(PlConfigBluetooth, max_links), "auto", 1, 64, "auto"},
};

static const PlOption storage_options[] = {
  {"directory", &pl_type_path, AT(PlConfigStorage, directory)},
  {"keep-samples-days", &pl_type_whole, AT(PlConfigStorage, keep_samples_days), "365", 1, DAYS_MAX},
  {"keep-raw-days", &pl_type_whole, AT(PlConfigStorage, keep_raw_days), "14", 0, DAYS_MAX},
  {"outbox-mb", &pl_type_whole, AT(PlConfigStorage, outbox_mib), "256", 1, 65536},
  {"capture", &pl_type_bool, AT(PlConfigStorage, capture), "false"},
};

static const PlOption run_options[] = {
  {"start-after-s", &pl_type_number, AT(PlRunSettings, start_after_s), "10", 1, 600},
  {"pause-after-s", &pl_type_number, AT(PlRunSettings, pause_after_s), "15", 1, 3600},
  {"end-after-s", &pl_type_number, AT(PlRunSettings, end_after_s), "300", 10, DAY_S},
  {"lap-m", &pl_type_number, AT(PlRunSettings, lap_m), "1000", 10, 100000, "0"},
};

static const PlOption athlete_options[] = {
  {"sex", &pl_type_word, AT(PlConfigAthlete, sex),
   .words = WORDS({"female", PL_SEX_FEMALE}, {"male", PL_SEX_MALE})},
  {"born", &pl_type_born, 0},
  {"mass-kg", &pl_type_number, AT(PlConfigAthlete, mass_kg), NULL, 20, 300},
  {"height-cm", &pl_type_number, AT(PlConfigAthlete, height_cm), NULL, 80, 260},
  {"max-heart-rate", &pl_type_number, AT(PlConfigAthlete, max_heart_rate_bpm), NULL, 100, 250},
  {"resting-heart-rate", &pl_type_number, AT(PlConfigAthlete, resting_heart_rate_bpm), NULL, 25, 120},
  {"threshold-heart-rate", &pl_type_number, AT(PlConfigAthlete, threshold_heart_rate_bpm), NULL, 60, 240},
  {"threshold-speed", &pl_type_number, AT(PlConfigAthlete, threshold_speed_m_s), NULL, 1, 8},
  {"novice", &pl_type_truth, AT(PlConfigAthlete, novice)},
  {"effort", &pl_type_word, AT(PlConfigAthlete, effort), "free",
   .words = WORDS({"easy", PL_EFFORT_EASY}, {"free", PL_EFFORT_FREE})},
  {"zones", &pl_type_word, AT(PlConfigAthlete, zones), "auto",
   .words = WORDS({"auto", PL_ZONES_AUTO}, {"max", PL_ZONES_MAX}, {"reserve", PL_ZONES_RESERVE},
                  {"threshold", PL_ZONES_THRESHOLD})},
  {"share", &pl_type_word, AT(PlConfigAthlete, share), "none",
   .words = WORDS({"none", PL_SHARE_NONE}, {"pain", PL_SHARE_PAIN})},
};

static const PlOption sensor_options[] = {
  {"address", &pl_type_address, AT(PlConfigSensor, address)},
  {"address-type", &pl_type_choice, AT(PlConfigSensor, address_type), "auto",
   .words = WORDS({"auto", 0}, {"public", 0}, {"random", 0})},
  {"athlete", &pl_type_athlete, AT(PlConfigSensor, athlete)},
  {"mount", &pl_type_mount, AT(PlConfigSensor, mount)},
  {"driver", &pl_type_drivers, 0, "auto"},
  {"notify", &pl_type_word, AT(PlConfigSensor, notify), "auto",
   .words = WORDS({"auto", PL_NOTIFY_AUTO}, {"start", PL_NOTIFY_START}, {"acquire", PL_NOTIFY_ACQUIRE})},
  {"factor", &pl_type_number, AT(PlConfigSensor, factor), "1", 0.8, 1.2},
  {"experimental", &pl_type_bool, AT(PlConfigSensor, experimental), "false"},
};

static const PlOption shoe_options[] = {
  {"athlete", &pl_type_athlete, AT(PlConfigShoe, athlete)},
  {"notice-km", &pl_type_number, AT(PlConfigShoe, notice_km), "644", 1, 10000},
  {"replace-km", &pl_type_number, AT(PlConfigShoe, replace_km), "805", 1, 10000},
  {"default", &pl_type_bool, AT(PlConfigShoe, is_default), "false"},
};

/* Their defaults are those of the code (core/warning). */
static const PlOption warning_options[] = {
  {"enabled", &pl_type_truth, AT(PlConfigWarning, enabled)},
  {"enter", &pl_type_number, AT(PlConfigWarning, enter), NULL, 0, 1000},
  {"exit", &pl_type_number, AT(PlConfigWarning, exit), NULL, 0, 1000},
  {"hold-s", &pl_type_number, AT(PlConfigWarning, hold_s), NULL, 0, 3600},
  {"clear-s", &pl_type_number, AT(PlConfigWarning, clear_s), NULL, 0, 3600},
  {"cooldown-s", &pl_type_number, AT(PlConfigWarning, cooldown_s), NULL, 0, DAY_S},
};

#define OPTIONS(options) options, G_N_ELEMENTS(options)
#define SINGLE(field) sizeof(((PlConfig *)NULL)->field), AT(PlConfig, field), 0
#define MANY(Struct, field, count) sizeof(Struct), AT(PlConfig, field), AT(PlConfig, count)

const PlGroup pl_groups[PL_GROUP_COUNT] = {
  [PL_GROUP_GATEWAY] = {"gateway", NULL, OPTIONS(gateway_options), SINGLE(gateway)},
  [PL_GROUP_MQTT] = {"mqtt", NULL, OPTIONS(mqtt_options), SINGLE(mqtt)},
  [PL_GROUP_BLUETOOTH] = {"bluetooth", NULL, OPTIONS(bluetooth_options), SINGLE(bluetooth)},
  [PL_GROUP_STORAGE] = {"storage", NULL, OPTIONS(storage_options), SINGLE(storage)},
  [PL_GROUP_RUN] = {"run", NULL, OPTIONS(run_options), SINGLE(run)},
  [PL_GROUP_ATHLETE] = {"athlete", "athlete r1", OPTIONS(athlete_options),
                        MANY(PlConfigAthlete, athletes, athlete_count)},
  [PL_GROUP_SENSOR] = {"sensor", "sensor strap", OPTIONS(sensor_options),
                       MANY(PlConfigSensor, sensors, sensor_count)},
  [PL_GROUP_SHOE] = {"shoe", "shoe daily", OPTIONS(shoe_options),
                     MANY(PlConfigShoe, shoes, shoe_count)},
  [PL_GROUP_WARNING] = {"warning", "warning trunk-lean", OPTIONS(warning_options),
                        MANY(PlConfigWarning, warnings, warning_count)},
};
/* clang-format on */

const char *const pl_digest_codes[] = {
    "weekly-ramp", "rest-day",   "strength-due",  "shoe-worn", "shoe-single",
    "pain-trend",  "base-first", "start-posture", "monotony",
};
const size_t pl_digest_code_count = G_N_ELEMENTS(pl_digest_codes);

int
pl_option_find(const PlGroup *group, const char *key) {
  for (size_t i = 0; i < group->option_count; i++)
    if (strcmp(group->options[i].key, key) == 0)
      return (int)i;
  return -1;
}
