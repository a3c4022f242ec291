/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/config-text.h"

#include <math.h>
#include <string.h>

/* What a configuration says once it is read. */

/* Contract 2, column "default". */
static void
test_defaults(void) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) config = pl_config_parse(NULL, 0, &fake_surroundings, problems);
  const PlMqttConfig *broker = &config->mqtt.connection;

  g_assert_cmpuint(pl_problems_count(problems), ==, 0);
  g_assert_cmpstr(config->gateway.name, ==, "track-pi");
  g_assert_cmpint(config->gateway.role, ==, PL_ROLE_STANDALONE);
  g_assert_cmpint(config->gateway.language, ==, PL_LANGUAGE_EN);
  g_assert_cmpint(config->gateway.units, ==, PL_UNITS_METRIC);
  g_assert_null(config->gateway.timezone);
  g_assert_cmpstr(config->gateway.emergency_number, ==, "112");
  g_assert_null(config->gateway.names_file);
  g_assert_cmpstr(broker->host, ==, "localhost");
  g_assert_cmpint(broker->port, ==, 1883);
  g_assert_cmpint(broker->protocol, ==, PL_MQTT_AUTO);
  g_assert_false(broker->tls);
  g_assert_null(broker->ca_file);
  g_assert_null(broker->username);
  g_assert_null(broker->password_file);
  g_assert_null(broker->psk_identity);
  g_assert_false(broker->allow_plaintext);
  g_assert_cmpstr(config->mqtt.prefix, ==, "plumbline");
  g_assert_cmpstr(config->mqtt.discovery_prefix, ==, "homeassistant");
  g_assert_true(config->mqtt.home_assistant);
  g_assert_false(config->mqtt.home_assistant_names);
  g_assert_cmpint(config->mqtt.commands, ==, PL_COMMANDS_AUTO);
  g_assert_null(config->bluetooth.adapters);
  g_assert_cmpuint(config->bluetooth.adapter_count, ==, 0);
  g_assert_cmpint(config->bluetooth.max_links, ==, 0);
  g_assert_cmpstr(config->storage.directory, ==, "/var/lib/somewhere");
  g_assert_cmpint(config->storage.keep_samples_days, ==, 365);
  g_assert_cmpint(config->storage.keep_raw_days, ==, 14);
  g_assert_cmpint(config->storage.outbox_mib, ==, 256);
  g_assert_false(config->storage.capture);
  g_assert_cmpfloat(config->run.start_after_s, ==, 10);
  g_assert_cmpfloat(config->run.pause_after_s, ==, 15);
  g_assert_cmpfloat(config->run.end_after_s, ==, 300);
  g_assert_cmpfloat(config->run.lap_m, ==, 1000);
  g_assert_cmpuint(config->athlete_count + config->sensor_count + config->shoe_count, ==, 0);
}

static void
test_default_athlete(void) {
  g_autoptr(PlConfig) config = fake_config("[athlete r1]\n[shoe s]\n"
                                           "[sensor x]\naddress = c0:ff:ee:00:00:0a\n");
  const PlConfigAthlete *athlete = &config->athletes[0];
  const PlConfigSensor *sensor = &config->sensors[0];

  g_assert_cmpstr(athlete->id, ==, "r1");
  g_assert_null(athlete->name);
  g_assert_cmpint(athlete->sex, ==, PL_SEX_UNKNOWN);
  g_assert_cmpint(athlete->born_year, ==, 0);
  g_assert_true(isnan(athlete->mass_kg) && isnan(athlete->height_cm));
  g_assert_true(isnan(athlete->max_heart_rate_bpm) && isnan(athlete->resting_heart_rate_bpm));
  g_assert_true(isnan(athlete->threshold_heart_rate_bpm));
  g_assert_true(isnan(athlete->threshold_speed_m_s));
  g_assert_cmpint(athlete->novice, ==, PL_TRUTH_UNKNOWN);
  g_assert_cmpint(athlete->effort, ==, PL_EFFORT_FREE);
  g_assert_cmpint(athlete->zones, ==, PL_ZONES_AUTO);
  g_assert_cmpint(athlete->share, ==, PL_SHARE_NONE);

  g_assert_cmpstr(sensor->address, ==, "C0:FF:EE:00:00:0A");
  g_assert_cmpstr(sensor->address_type, ==, "auto");
  g_assert_cmpint(sensor->athlete, ==, PL_CONFIG_NOBODY);
  g_assert_cmpint(sensor->mount, ==, PL_MOUNT_COUNT);
  g_assert_cmpuint(sensor->driver_count, ==, 0);
  g_assert_null(sensor->drivers[0]);
  g_assert_cmpint(sensor->notify, ==, PL_NOTIFY_AUTO);
  g_assert_cmpfloat(sensor->factor, ==, 1);
  g_assert_false(sensor->experimental);

  g_assert_cmpint(config->shoes[0].athlete, ==, 0);
  g_assert_cmpfloat(config->shoes[0].notice_km, ==, 644);
  g_assert_cmpfloat(config->shoes[0].replace_km, ==, 805);
  g_assert_false(config->shoes[0].is_default);
}

static const char full[] = "[gateway]\n"
                           "name = track\n"
                           "role = edge\n"
                           "language = de\n"
                           "units = imperial\n"
                           "timezone = Europe/Berlin\n"
                           "emergency-number = 911 \\s or 112\n"
                           "[mqtt]\n"
                           "host = broker.example.org\n"
                           "protocol = 3.1.1\n"
                           "tls = /etc/ssl/ca.pem\n"
                           "username = pi\n"
                           "password-file = /etc/plumbline/p\n"
                           "prefix = club/plumbline\n"
                           "home-assistant = 0\n"
                           "commands = yes\n"
                           "[bluetooth]\n"
                           "adapters = 00:1a:7d:da:71:13; 00:1A:7D:DA:71:14 ;\n"
                           "max-links = 12\n"
                           "[sensor pod]\n"
                           "address = C0:FF:EE:00:00:0A\n"
                           "address-type = random\n"
                           "athlete = r2\n"
                           "mount = left-foot\n"
                           "driver = running-speed-cadence;alpha\n"
                           "notify = acquire\n"
                           "factor = 0.985\n"
                           "experimental = true\n"
                           "[run]\n"
                           "lap-m = 1609.344\n"
                           "[athlete r1]\n"
                           "[athlete r2]\n"
                           "sex = female\n"
                           "born = 1988-02-29\n"
                           "mass-kg = 61.5\n"
                           "max-heart-rate = 188\n"
                           "novice = false\n"
                           "effort = easy\n"
                           "zones = reserve\n"
                           "share = pain\n"
                           "[shoe light]\n"
                           "athlete = r2\n"
                           "default = 1\n";

static void
test_full(void) {
  g_autoptr(PlConfig) config = fake_config(full);
  const PlMqttConfig *broker = &config->mqtt.connection;
  const PlConfigSensor *sensor = &config->sensors[0];
  const PlConfigAthlete *athlete = &config->athletes[1];

  g_assert_cmpstr(config->gateway.name, ==, "track");
  g_assert_cmpint(config->gateway.role, ==, PL_ROLE_EDGE);
  g_assert_cmpstr(config->gateway.emergency_number, ==, "911   or 112");
  g_assert_cmpstr(broker->ca_file, ==, "/etc/ssl/ca.pem");
  g_assert_true(broker->tls);
  g_assert_cmpint(broker->port, ==, 8883);
  g_assert_cmpint(broker->protocol, ==, PL_MQTT_3_1_1);
  g_assert_cmpstr(config->mqtt.prefix, ==, "club/plumbline");
  g_assert_false(config->mqtt.home_assistant);
  g_assert_cmpuint(config->bluetooth.adapter_count, ==, 2);
  g_assert_cmpstr(config->bluetooth.adapters[0], ==, "00:1A:7D:DA:71:13");
  g_assert_cmpstr(config->bluetooth.adapters[1], ==, "00:1A:7D:DA:71:14");
  g_assert_null(config->bluetooth.adapters[2]);
  g_assert_cmpint(config->bluetooth.max_links, ==, 12);
  g_assert_cmpfloat(config->run.lap_m, ==, 1609.344);

  g_assert_cmpint(pl_config_find_sensor(config, "pod"), ==, 0);
  g_assert_cmpint(pl_config_find_sensor(config, "r2"), ==, -1);
  g_assert_cmpint(pl_config_find_athlete(config, "r2"), ==, 1);
  g_assert_cmpint(pl_config_find_shoe(config, "light"), ==, 0);
  g_assert_cmpstr(sensor->address_type, ==, "random");
  g_assert_cmpint(sensor->athlete, ==, 1);
  g_assert_cmpint(sensor->mount, ==, PL_MOUNT_LEFT_FOOT);
  g_assert_cmpuint(sensor->driver_count, ==, 2);
  g_assert_cmpstr(sensor->drivers[0]->id, ==, "running-speed-cadence");
  g_assert_cmpstr(sensor->drivers[1]->id, ==, "alpha");
  g_assert_cmpint(sensor->notify, ==, PL_NOTIFY_ACQUIRE);
  g_assert_cmpfloat(sensor->factor, ==, 0.985);
  g_assert_true(sensor->experimental);

  g_assert_cmpint(athlete->sex, ==, PL_SEX_FEMALE);
  g_assert_cmpint(athlete->born_day, ==, 29);
  g_assert_cmpfloat(athlete->mass_kg, ==, 61.5);
  g_assert_cmpint(athlete->novice, ==, PL_TRUTH_NO);
  g_assert_cmpint(athlete->effort, ==, PL_EFFORT_EASY);
  g_assert_cmpint(athlete->zones, ==, PL_ZONES_RESERVE);
  g_assert_cmpint(athlete->share, ==, PL_SHARE_PAIN);
  g_assert_true(config->shoes[0].is_default);
}

static void
test_words_of_a_list(void) {
  static const char *const ways[] = {"alpha;beta", "alpha, beta", "alpha beta",
                                     ";alpha;;beta;"};
  for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
    g_autofree char *text =
        g_strdup_printf("[sensor s]\naddress = C0:FF:EE:00:00:0A\ndriver = %s\n", ways[i]);
    g_autoptr(PlConfig) config = fake_config(text);
    g_assert_cmpuint(config->sensors[0].driver_count, ==, 2);
    g_assert_cmpstr(config->sensors[0].drivers[1]->id, ==, "beta");
  }
}

/* The port that goes with encryption, unless it is given. */
static void
test_port(void) {
  static const struct {
    const char *text;
    int port;
  } cases[] = {
      {"[mqtt]\ntls = no\n", 1883},
      {"[mqtt]\ntls = system\n", 8883},
      {"[mqtt]\ntls = system\nport = 1883\n", 1883},
      {"[mqtt]\npsk-identity = a\npsk-file = /k\n", 8883},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(PlConfig) config = fake_config(cases[i].text);
    g_assert_cmpint(config->mqtt.connection.port, ==, cases[i].port);
  }
}

static void
test_commands(void) {
  static const struct {
    const char *text;
    bool taken;
  } cases[] = {
      {"", true},
      {"[mqtt]\ncommands = no\n", false},
      {"[mqtt]\nhost = ::1\n", true},
      {"[mqtt]\nhost = b\nallow-plaintext = true\n", false},
      {"[mqtt]\nhost = b\nallow-plaintext = true\ncommands = yes\n", true},
      {"[mqtt]\nhost = b\ntls = system\n", true},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(PlConfig) config = fake_config(cases[i].text);
    g_assert_cmpint(pl_config_takes_commands(config), ==, cases[i].taken);
  }
}

static void
test_host_names(void) {
  static const char *const cases[][2] = {
      {"raspberrypi", "raspberrypi"},
      {"Track_2.example.org", "track-2"},
      {"--a__b--", "a-b"},
      {"", "gateway"},
      {"\xc3\xa4\xc3\xb6", "gateway"},
      {"abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz012345"},
      {"abcdefghijklmnopqrstuvwxyz01234-6789", "abcdefghijklmnopqrstuvwxyz01234"},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    PlConfigSurroundings surroundings = fake_surroundings;
    g_autoptr(PlProblems) problems = pl_problems_new();
    surroundings.host_name = cases[i][0];
    g_autoptr(PlConfig) config = pl_config_parse(NULL, 0, &surroundings, problems);
    g_assert_cmpstr(config->gateway.name, ==, cases[i][1]);
  }
}

static void
test_files(void) {
  static const char first[] = "[mqtt]\nport = 1884\nusername = a\n[sensor s]\nfactor = 1.1\n";
  static const char second[] = "[sensor s]\naddress = C0:FF:EE:00:00:0A\n[mqtt]\nport = 1885\n";
  static const char third[] = "[mqtt]\nport = x\nport = 1\n";
  PlConfigSource sources[] = {
      {"b.conf", first, sizeof first - 1},
      {"a.conf", second, sizeof second - 1},
      {"c.conf", third, sizeof third - 1},
  };
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) config = pl_config_parse(sources, 2, &fake_surroundings, problems);
  g_assert_cmpint(config->mqtt.connection.port, ==, 1885);
  g_assert_cmpstr(config->mqtt.connection.username, ==, "a");
  g_assert_cmpfloat(config->sensors[0].factor, ==, 1.1);

  /* Sorted by file in the order of reading. */
  g_assert_null(pl_config_parse(sources, 3, &fake_surroundings, problems));
  g_autofree char *report = pl_problems_text(problems);
  g_assert_true(g_str_has_prefix(report, "c.conf:2: port: expected a whole number"));
  g_assert_nonnull(strstr(report, "\nc.conf:3: port: already set in line 2 of this file\n"));
  g_assert_cmpuint(pl_problems_count(problems), ==, 2);
}

/* Files in the order of reading, not by name; a value that a later file replaces has to be
 * right all the same. */
static void
test_order_of_report(void) {
  static const char first[] = "[mqtt]\nport = x\n[sensor s]\nmount = sacrum\nfoo = 1\n";
  static const char second[] = "[mqtt]\nport = 1885\nbar = 2\n";
  PlConfigSource sources[] = {
      {"z.conf", first, sizeof first - 1},
      {"a.conf", second, sizeof second - 1},
  };
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_assert_null(pl_config_parse(sources, 2, &fake_surroundings, problems));
  g_autofree char *report = pl_problems_text(problems);
  g_assert_cmpstr(report, ==,
                  "z.conf:2: port: expected a whole number from 1 to 65535, got \"x\"\n"
                  "z.conf:3: [sensor s]: needs address = AA:BB:CC:DD:EE:FF\n"
                  "z.conf:5: unknown key \"foo\" in [sensor s]\n"
                  "a.conf:3: unknown key \"bar\" in [mqtt]\n");
}

static void
test_age(void) {
  g_autoptr(PlConfig) config = fake_config("[athlete a]\nborn = 1986-11-23\n"
                                           "[athlete b]\nborn = 1986\n[athlete c]\n"
                                           "max-heart-rate = 190\nsex = male\n");
  /* 2026-11-23T00:00:00Z, as `date -u +%s` says it. */
  static const int64_t unix_ms = INT64_C(1795392000000);
  PlAthleteSettings settings;

  pl_config_athlete_settings(config, 0, unix_ms, &settings);
  g_assert_cmpfloat_with_epsilon(settings.heart.age_years, 40, 0.003);
  pl_config_athlete_settings(config, 1, unix_ms, &settings);
  g_assert_cmpfloat_with_epsilon(settings.heart.age_years, 40 + 144 / 365.25, 0.003);
  pl_config_athlete_settings(config, 2, unix_ms, &settings);
  g_assert_true(isnan(settings.heart.age_years));
  g_assert_cmpfloat(settings.heart.max_heart_rate_bpm, ==, 190);
  g_assert_true(isnan(settings.heart.resting_heart_rate_bpm));
  g_assert_cmpint(settings.heart.sex, ==, PL_SEX_MALE);
  g_assert_cmpfloat(settings.warnings[PL_WARNING_TRUNK_LEAN].enter, ==, 15);
}

static void
test_warnings(void) {
  g_autoptr(PlConfig) config = fake_config("[warning trunk-lean a]\nenter = 14\n"
                                           "[athlete a]\n[athlete b]\n"
                                           "[warning trunk-lean]\nenter = 18\nhold-s = 90\n"
                                           "[warning side-lean]\nenabled = false\n"
                                           "[warning side-lean b]\nenabled = true\n"
                                           "[warning rest-day]\nenabled = false\n"
                                           "[warning rest-day b]\nenabled = true\n");
  PlWarningLimits all =
      pl_config_warning_limits(config, PL_WARNING_TRUNK_LEAN, PL_CONFIG_NOBODY);
  PlWarningLimits a = pl_config_warning_limits(config, PL_WARNING_TRUNK_LEAN, 0);

  g_assert_cmpfloat(all.enter, ==, 18);
  g_assert_cmpfloat(all.exit, ==, 12);
  g_assert_cmpfloat(a.enter, ==, 14);
  g_assert_cmpfloat(a.hold_s, ==, 90);
  g_assert_cmpfloat(a.clear_s, ==, 30);
  g_assert_false(pl_config_warning_limits(config, PL_WARNING_SIDE_LEAN, 0).enabled);
  g_assert_true(pl_config_warning_limits(config, PL_WARNING_SIDE_LEAN, 1).enabled);
  g_assert_false(pl_config_digest_enabled(config, "rest-day", 0));
  g_assert_true(pl_config_digest_enabled(config, "rest-day", 1));
  g_assert_true(pl_config_digest_enabled(config, "monotony", 0));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/config/defaults", test_defaults);
  g_test_add_func("/app/config/default-athlete", test_default_athlete);
  g_test_add_func("/app/config/full", test_full);
  g_test_add_func("/app/config/words-of-a-list", test_words_of_a_list);
  g_test_add_func("/app/config/port", test_port);
  g_test_add_func("/app/config/commands", test_commands);
  g_test_add_func("/app/config/host-names", test_host_names);
  g_test_add_func("/app/config/files", test_files);
  g_test_add_func("/app/config/order-of-report", test_order_of_report);
  g_test_add_func("/app/config/age", test_age);
  g_test_add_func("/app/config/warnings", test_warnings);
  return g_test_run();
}
