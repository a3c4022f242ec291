/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/simulator/simulator.h"
#include "tests/fakes/simulator-gateway.h"

#include <glib.h>
#include <string.h>

/* How the simulated radio and sensors behave towards a gateway. */

enum { STRAP, FOOTPOD };

typedef struct {
  PlSimulator simulator;
  PlLink *link;
  PlLinkEvent event; /* the last */
  uint8_t data[256];
} Fixture;

static void
set_up(Fixture *fixture, const void *scenario) {
  const PlSimulatorOptions options = {
      .scenario = pl_simulator_find(scenario), .minutes = 20, .seed = 3, .start_us = 5000000};
  pl_simulator_init(&fixture->simulator, &options);
  fixture->link = pl_simulator_link(&fixture->simulator);
}

static bool
next(Fixture *fixture, int64_t until_s) {
  int64_t due = pl_simulator_due(&fixture->simulator);
  if (!pl_simulator_next(&fixture->simulator, 5000000 + until_s * 1000000, &fixture->event))
    return false;
  /* Nothing is asked for in between, so it comes when it was said to be due; changes of
   * presence are no events. */
  g_assert_cmpint(fixture->event.t_us, >=, due);
  g_assert_cmpuint(fixture->event.length, <=, sizeof fixture->data);
  memcpy(fixture->data, fixture->event.data, fixture->event.length);
  return true;
}

/* Goes on to the next event of that type (of a sensor, when one is given). */
static void
await(Fixture *fixture, PlLinkEventType type, int sensor, int64_t until_s) {
  while (next(fixture, until_s))
    if (fixture->event.type == type && (sensor < 0 || fixture->event.sensor == sensor))
      return;
  g_error("no %s until %d s", pl_link_event_name(type), (int)until_s);
}

static void
await_notification(Fixture *fixture, int sensor, const PlUuid *uuid, int64_t until_s) {
  do
    await(fixture, PL_LINK_NOTIFICATION, sensor, until_s);
  while (!pl_uuid_equal(&fixture->event.uuid, uuid));
}

static void
assert_quiet(Fixture *fixture, PlLinkEventType type, int sensor, int64_t until_s) {
  while (next(fixture, until_s))
    g_assert_false(fixture->event.type == type && fixture->event.sensor == sensor);
}

static void
connect_to(Fixture *fixture, int sensor, int64_t until_s) {
  fixture->link->scan(fixture->link, 0, true);
  await(fixture, PL_LINK_ADVERTISEMENT, sensor, until_s);
  fixture->link->connect(fixture->link, sensor, 0, 42);
  await(fixture, PL_LINK_CONNECTED, sensor, until_s);
  g_assert_cmpuint(fixture->event.attempt, ==, 42);
  await(fixture, PL_LINK_RESOLVED, sensor, until_s);
}

static void
subscribe(Fixture *fixture, int sensor, const PlUuid *uuid, bool ok, int64_t until_s) {
  fixture->link->subscribe(fixture->link, sensor, uuid, false);
  await(fixture, PL_LINK_SUBSCRIBED, sensor, until_s);
  g_assert_true(pl_uuid_equal(&fixture->event.uuid, uuid));
  g_assert_cmpint(fixture->event.ok, ==, ok);
  g_assert_cmpint(fixture->event.failure == PL_FAILURE_NONE, ==, ok);
}

static void
test_discovery(Fixture *fixture, const void *scenario) {
  g_assert_true(next(fixture, 0));
  g_assert_cmpint(fixture->event.type, ==, PL_LINK_ADAPTER);
  g_assert_cmpint(fixture->event.t_us, ==, 5000000);
  g_assert_true(fixture->event.powered);
  g_assert_true(fixture->event.builtin);
  /* Nothing is heard before somebody listens. */
  g_assert_false(next(fixture, 5));
  fixture->link->scan(fixture->link, 0, true);
  g_assert_true(next(fixture, 6));
  g_assert_cmpint(fixture->event.type, ==, PL_LINK_SCAN);
  g_assert_true(fixture->event.ok && fixture->event.scanning);
  await(fixture, PL_LINK_ADVERTISEMENT, STRAP, 7);
  g_assert_cmpint(fixture->event.rssi_dbm, <, -40);
  g_assert_cmpint(fixture->event.rssi_dbm, >, -90);
  await(fixture, PL_LINK_MANUFACTURER, STRAP, 7);
  g_assert_cmphex(fixture->event.company, ==, 0x006b);
  g_assert_cmpuint(fixture->event.length, ==, 4);
  g_assert_cmpuint(fixture->data[2], >, 50); /* a heart rate */
  await(fixture, PL_LINK_ADVERTISEMENT, FOOTPOD, 8);
  fixture->link->scan(fixture->link, 0, false);
  await(fixture, PL_LINK_SCAN, PL_NO_SENSOR, 8);
  g_assert_false(fixture->event.scanning);
  g_assert_false(next(fixture, 20));
}

static void
test_connect(Fixture *fixture, const void *scenario) {
  PlLink *link = fixture->link;

  connect_to(fixture, STRAP, 10);
  await(fixture, PL_LINK_BATTERY, STRAP, 10);
  g_assert_cmpfloat(fixture->event.battery_pct, ==, 90);
  assert_quiet(fixture, PL_LINK_ADVERTISEMENT, STRAP, 20);
  link->connect(link, STRAP, 0, 43);
  await(fixture, PL_LINK_CONNECT_FAILED, STRAP, 21);
  g_assert_cmpint(fixture->event.failure, ==, PL_FAILURE_IN_PROGRESS);
  link->disconnect(link, STRAP);
  await(fixture, PL_LINK_DISCONNECTED, STRAP, 21);
  await(fixture, PL_LINK_ADVERTISEMENT, STRAP, 23);
  link->connect(link, STRAP, 0, 44);
  link->disconnect(link, STRAP);
  await(fixture, PL_LINK_CONNECT_FAILED, STRAP, 24);
  g_assert_cmpint(fixture->event.failure, ==, PL_FAILURE_ABORTED);
  g_assert_cmpuint(fixture->event.attempt, ==, 44);
  link->remove(link, STRAP);
  await(fixture, PL_LINK_REMOVED, STRAP, 25);
  connect_to(fixture, STRAP, 30);
}

static void
test_attributes(Fixture *fixture, const void *scenario) {
  const PlUuid feature = PL_UUID16(0x2a54), nothing = PL_UUID16(0x2a63);
  PlLink *link = fixture->link;

  subscribe(fixture, FOOTPOD, &uuid_rsc, false, 1); /* not connected */
  connect_to(fixture, FOOTPOD, 10);
  subscribe(fixture, FOOTPOD, &nothing, false, 11);
  subscribe(fixture, FOOTPOD, &feature, false, 11);
  subscribe(fixture, FOOTPOD, &uuid_heart_rate, false, 11);
  link->read(link, FOOTPOD, &feature);
  await(fixture, PL_LINK_VALUE, FOOTPOD, 11);
  g_assert_true(fixture->event.ok);
  g_assert_cmpmem(fixture->data, fixture->event.length, "\x07\x00", 2);
  link->read(link, FOOTPOD, &uuid_rsc);
  await(fixture, PL_LINK_VALUE, FOOTPOD, 11);
  g_assert_false(fixture->event.ok);
  link->write(link, FOOTPOD, &uuid_rsc, (const uint8_t *)"\x01", 1);
  await(fixture, PL_LINK_WRITTEN, FOOTPOD, 11);
  g_assert_false(fixture->event.ok);

  assert_quiet(fixture, PL_LINK_NOTIFICATION, FOOTPOD, 14);
  subscribe(fixture, FOOTPOD, &uuid_rsc, true, 15);
  await(fixture, PL_LINK_NOTIFICATION, FOOTPOD, 17);
  int64_t first_us = fixture->event.t_us;
  await(fixture, PL_LINK_NOTIFICATION, FOOTPOD, 18);
  g_assert_cmpint(fixture->event.t_us - first_us, >, 900000);
  g_assert_cmpint(fixture->event.t_us - first_us, <, 1100000);
  link->unsubscribe(link, FOOTPOD, &uuid_rsc);
  assert_quiet(fixture, PL_LINK_NOTIFICATION, FOOTPOD, 25);
}

static void
test_power(Fixture *fixture, const void *scenario) {
  PlLink *link = fixture->link;

  connect_to(fixture, STRAP, 10);
  link->power(link, 0, false);
  await(fixture, PL_LINK_DISCONNECTED, STRAP, 11);
  await(fixture, PL_LINK_ADAPTER, PL_NO_SENSOR, 11);
  g_assert_false(fixture->event.powered);
  link->scan(link, 0, true);
  await(fixture, PL_LINK_SCAN, PL_NO_SENSOR, 12);
  g_assert_false(fixture->event.ok);
  link->connect(link, STRAP, 0, 1);
  await(fixture, PL_LINK_CONNECT_FAILED, STRAP, 12);
  g_assert_cmpint(fixture->event.failure, ==, PL_FAILURE_NOT_READY);
  g_assert_false(next(fixture, 60));
  link->power(link, 0, true);
  await(fixture, PL_LINK_ADAPTER, PL_NO_SENSOR, 61);
  g_assert_true(fixture->event.powered);
  connect_to(fixture, STRAP, 65);
}

/* Requests from nowhere, and more of them than there is room for answers. */
static void
test_nonsense(Fixture *fixture, const void *scenario) {
  PlLink *link = fixture->link;
  static const int sensors[] = {-1, 2, 1000, INT32_MAX, INT32_MIN};

  for (size_t i = 0; i < G_N_ELEMENTS(sensors); i++) {
    link->connect(link, sensors[i], 0, 1);
    link->disconnect(link, sensors[i]);
    link->remove(link, sensors[i]);
    link->subscribe(link, sensors[i], &uuid_rsc, true);
    link->unsubscribe(link, sensors[i], &uuid_rsc);
    link->read(link, sensors[i], &uuid_rsc);
    link->write(link, sensors[i], &uuid_rsc, NULL, 0);
  }
  link->power(link, 1, false);
  link->scan(link, -1, true);
  link->disconnect(link, STRAP);
  await(fixture, PL_LINK_ADAPTER, PL_NO_SENSOR, 1);
  g_assert_false(next(fixture, 10));
  connect_to(fixture, STRAP, 20);
  for (int i = 0; i < 1000; i++)
    link->read(link, STRAP, &uuid_pmd_control);
  unsigned answers = 0;
  while (next(fixture, 25))
    answers += fixture->event.type == PL_LINK_VALUE ? 1 : 0;
  g_assert_cmpuint(answers, >, 0);
  g_assert_cmpuint(answers, <=, PL_SIMULATOR_ANSWERS_MAX);
  link->read(link, STRAP, &uuid_pmd_control);
  await(fixture, PL_LINK_VALUE, STRAP, 26);
}

/* Commands of the Polar documents, and what an H10 answers to them. */
static const struct {
  const char *command, *answer;
  size_t command_length, answer_length;
} commands[] = {
    {"\x01\x02",
     "\xf0\x01\x02\x00\x00\x00\x04\x19\x00\x32\x00\x64\x00\xc8\x00\x01\x01\x10\x00\x02\x03\x02"
     "\x00"
     "\x04\x00\x08\x00",
     2, 27},
    {"\x03\x02", "\xf0\x03\x02\x06\x00", 2, 5}, /* nothing to stop */
    {"\x02\x02\x02\x01\x08\x00\x00\x01\xc8\x00\x01\x01\x10\x00", "\xf0\x02\x02\x00\x00\x01", 14,
     6},
    {"\x02\x02\x02\x01\x08\x00\x00\x01\xc8\x00\x01\x01\x10\x00", "\xf0\x02\x02\x06\x00", 14, 5},
    {"\x03\x02", "\xf0\x03\x02\x00\x00", 2, 5},
    /* The order of the settings does not matter. */
    {"\x02\x02\x00\x01\x19\x00\x01\x01\x10\x00\x02\x01\x04\x00", "\xf0\x02\x02\x00\x00\x01", 14,
     6},
    {"\x03\x02", "\xf0\x03\x02\x00\x00", 2, 5},
    {"\x02\x02\x02\x01\x08\x00\x00\x01\x34\x00\x01\x01\x10\x00", "\xf0\x02\x02\x08\x00", 14, 5},
    {"\x02\x02\x02\x01\x10\x00\x00\x01\xc8\x00\x01\x01\x10\x00", "\xf0\x02\x02\x09\x00", 14, 5},
    {"\x02\x02\x02\x01\x08\x00\x00\x01\xc8\x00\x01\x01\x0e\x00", "\xf0\x02\x02\x07\x00", 14, 5},
    {"\x02\x02", "\xf0\x02\x02\x05\x00", 2, 5},
    {"\x02\x02\x02\x01\x08\x00\x00\x01\xc8\x00\x01\x01\x10", "\xf0\x02\x02\x04\x00", 13, 5},
    {"\x02\x02\x02\x02\x08\x00\x04\x00", "\xf0\x02\x02\x05\x00", 8, 5},
    {"\x02\x00", "\xf0\x02\x00\x03\x00", 2, 5}, /* no ECG */
    {"\x07\x02", "\xf0\x07\x02\x01\x00", 2, 5},
    {"\x01", "\xf0\x01\x00\x04\x00", 1, 5},
    {"", "\xf0\x00\x00\x04\x00", 0, 5},
};

static void
test_control(Fixture *fixture, const void *scenario) {
  PlLink *link = fixture->link;
  static const uint8_t features[17] = {0x0f, 0x04};

  connect_to(fixture, STRAP, 10);
  link->write(link, STRAP, &uuid_pmd_control, (const uint8_t *)"\x01\x02", 2);
  await(fixture, PL_LINK_WRITTEN, STRAP, 11);
  g_assert_false(fixture->event.ok); /* nobody listens to the answer */
  link->read(link, STRAP, &uuid_pmd_control);
  await(fixture, PL_LINK_VALUE, STRAP, 11);
  g_assert_cmpmem(fixture->data, fixture->event.length, features, sizeof features);

  subscribe(fixture, STRAP, &uuid_pmd_control, true, 12);
  for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
    link->write(link, STRAP, &uuid_pmd_control, (const uint8_t *)commands[i].command,
                commands[i].command_length);
    await(fixture, PL_LINK_WRITTEN, STRAP, 20);
    g_assert_true(fixture->event.ok);
    await(fixture, PL_LINK_NOTIFICATION, STRAP, 20);
    g_assert_cmpmem(fixture->data, fixture->event.length, commands[i].answer,
                    commands[i].answer_length);
  }
}

/* A lost link does not stop the stream: it is found running, and can be stopped. */
static void
test_stream_survives(Fixture *fixture, const void *scenario) {
  PlLink *link = fixture->link;
  const uint8_t *start = (const uint8_t *)commands[2].command;

  connect_to(fixture, STRAP, 10);
  subscribe(fixture, STRAP, &uuid_pmd_control, true, 11);
  subscribe(fixture, STRAP, &uuid_pmd_data, true, 11);
  assert_quiet(fixture, PL_LINK_NOTIFICATION, STRAP, 13);
  link->write(link, STRAP, &uuid_pmd_control, start, commands[2].command_length);
  await_notification(fixture, STRAP, &uuid_pmd_data, 14);
  link->disconnect(link, STRAP);
  await(fixture, PL_LINK_DISCONNECTED, STRAP, 15);
  assert_quiet(fixture, PL_LINK_NOTIFICATION, STRAP, 40);
  connect_to(fixture, STRAP, 45);
  assert_quiet(fixture, PL_LINK_NOTIFICATION, STRAP, 47);
  subscribe(fixture, STRAP, &uuid_pmd_data, true, 48);
  int64_t subscribed_us = fixture->event.t_us;
  await_notification(fixture, STRAP, &uuid_pmd_data, 49);
  g_assert_cmpint(fixture->event.t_us, >=, subscribed_us);
  subscribe(fixture, STRAP, &uuid_pmd_control, true, 49);
  link->write(link, STRAP, &uuid_pmd_control, start, commands[2].command_length);
  await_notification(fixture, STRAP, &uuid_pmd_control, 50);
  g_assert_cmpuint(fixture->data[3], ==, 6); /* already */
  link->write(link, STRAP, &uuid_pmd_control, (const uint8_t *)"\x03\x02", 2);
  await_notification(fixture, STRAP, &uuid_pmd_control, 51);
  g_assert_cmpuint(fixture->data[3], ==, 0);
  assert_quiet(fixture, PL_LINK_NOTIFICATION, STRAP, 60);
}

/* Out of reach from half of the time to six tenths of it: 600 s to 720 s. */
static void
test_absence(Fixture *fixture, const void *scenario) {
  PlLink *link = fixture->link;

  connect_to(fixture, STRAP, 10);
  await(fixture, PL_LINK_DISCONNECTED, STRAP, 601);
  g_assert_cmpint(fixture->event.t_us, ==, 5000000 + INT64_C(600000000));
  assert_quiet(fixture, PL_LINK_ADVERTISEMENT, STRAP, 650);
  link->connect(link, STRAP, 0, 9);
  await(fixture, PL_LINK_CONNECT_FAILED, STRAP, 661);
  g_assert_cmpint(fixture->event.failure, ==, PL_FAILURE_ABORTED);
  assert_quiet(fixture, PL_LINK_ADVERTISEMENT, STRAP, 719);
  connect_to(fixture, STRAP, 725);
  await(fixture, PL_LINK_DISCONNECTED, STRAP, 1200);
  g_assert_cmpint(fixture->event.t_us, ==, 5000000 + INT64_C(1200000000));
  while (next(fixture, 1300))
    g_assert_cmpint(fixture->event.type, !=, PL_LINK_ADVERTISEMENT);
  g_assert_true(pl_simulator_finished(&fixture->simulator));
  g_assert_cmpint(pl_simulator_due(&fixture->simulator), ==, INT64_MAX);
}

/* Again and again: a run, a rest of six minutes, a run. */
static void
test_repeat(void) {
  const PlSimulatorOptions options = {
      .scenario = pl_simulator_find("healthy"), .minutes = 10, .seed = 1, .repeat = true};
  g_autofree PlSimulator *simulator = g_new(PlSimulator, 1);
  SimulatorGateway gateway = {.simulator = simulator};
  const PlBody *body = pl_simulator_body(simulator, 0);
  double covered_m = 0;

  pl_simulator_init(simulator, &options);
  for (int64_t cycle = 0; cycle < 3; cycle++) {
    int64_t start_us = cycle * 16 * 60 * 1000000;
    simulator_gateway_run(&gateway, start_us + 5 * 60 * 1000000);
    g_assert_cmpint(body->gait, ==, PL_GAIT_RUN);
    simulator_gateway_run(&gateway, start_us + 11 * 60 * 1000000);
    g_assert_cmpint(body->gait, ==, PL_GAIT_STAND);
    g_assert_cmpfloat(body->distance_m, >, covered_m + 1000);
    covered_m = body->distance_m;
    simulator_gateway_run(&gateway, start_us + 16 * 60 * 1000000);
    g_assert_cmpfloat(body->distance_m, ==, covered_m);
  }
  g_assert_false(pl_simulator_finished(simulator));
}

static void
test_descriptions(void) {
  const PlSimulatorOptions options = {.scenario = pl_simulator_find("squad"), .runners = 99};
  g_autofree PlSimulator *simulator = g_new(PlSimulator, 1);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

  pl_simulator_init(simulator, &options);
  g_assert_cmpuint(pl_simulator_sensor_count(simulator), ==, PL_SIMULATOR_SENSORS_MAX);
  for (unsigned i = 0; i < PL_SIMULATOR_SENSORS_MAX; i++) {
    PlSimulatorSensor sensor;
    pl_simulator_sensor(simulator, i, &sensor);
    g_assert_cmpuint(sensor.runner, ==, i / 2);
    g_assert_true(g_regex_match_simple("^(strap|footpod)-[0-9]+$", sensor.id, 0, 0));
    g_assert_true(g_regex_match_simple("^02(:[0-9A-F]{2}){5}$", sensor.address, 0, 0));
    g_assert_cmpstr(sensor.mount, ==, i % 2 == 0 ? "chest" : "left-foot");
    g_assert_true(g_hash_table_add(seen, g_strdup(sensor.id)));
    g_assert_true(g_hash_table_add(seen, g_strdup(sensor.address)));
    g_assert_true(g_hash_table_add(seen, g_strdup(sensor.name)));
    g_assert_cmpuint(sensor.service_count, >=, 2);
  }
}

/* Somebody else takes over: the link that is up is told of, the scan is not, and values go on.
 */
static void
test_tell_again(Fixture *fixture, const void *scenario) {
  const PlUuid heart_rate = PL_UUID16(0x2a37);
  (void)scenario;

  fixture->link->scan(fixture->link, 0, true);
  await(fixture, PL_LINK_ADVERTISEMENT, STRAP, 5);
  fixture->link->connect(fixture->link, STRAP, 0, 7);
  fixture->link->connect(fixture->link, FOOTPOD, 0, 8);
  await(fixture, PL_LINK_RESOLVED, STRAP, 10);
  fixture->link->connect(fixture->link, FOOTPOD, 0, 9);
  fixture->link->subscribe(fixture->link, STRAP, &heart_rate, false);

  pl_simulator_tell_again(&fixture->simulator);
  await(fixture, PL_LINK_ADAPTER, PL_NO_SENSOR, 20);
  g_assert_true(fixture->event.powered);
  await(fixture, PL_LINK_CONNECTED, STRAP, 20);
  g_assert_cmpuint(fixture->event.attempt, ==, 0);
  await(fixture, PL_LINK_RESOLVED, STRAP, 20);
  await_notification(fixture, STRAP, &heart_rate, 20);
  assert_quiet(fixture, PL_LINK_ADVERTISEMENT, FOOTPOD, 30);
}

/* Every scenario is complete: it can be found, and one part of it can be stretched. */
static void
test_scenarios(void) {
  size_t count;
  const PlScenario *scenarios = pl_simulator_scenarios(&count);

  for (size_t i = 0; i < count; i++) {
    const PlScenario *scenario = &scenarios[i];
    unsigned stretchable = 0;
    g_assert_true(pl_simulator_find(scenario->name) == scenario);
    g_assert_cmpuint(scenario->segment_count, <=, PL_SCENARIO_SEGMENTS_MAX);
    g_assert_cmpfloat(scenario->minutes, >, 0);
    g_assert_cmpuint(scenario->runners, >, 0);
    for (size_t j = 0; j < scenario->segment_count; j++)
      stretchable += scenario->segments[j].stretchable ? 1 : 0;
    g_assert_cmpuint(stretchable, ==, 1);
    g_assert_cmpfloat(scenario->dropout.from, <=, scenario->dropout.until);
  }
  g_assert_null(pl_simulator_find("sleep"));
  g_assert_null(pl_simulator_find(""));
}

#define ADD(name, scenario, function)                                                          \
  g_test_add(name, Fixture, scenario, set_up, function, NULL)

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  ADD("/simulator/discovery", "healthy", test_discovery);
  ADD("/simulator/connect", "healthy", test_connect);
  ADD("/simulator/attributes", "healthy", test_attributes);
  ADD("/simulator/power", "healthy", test_power);
  ADD("/simulator/nonsense", "healthy", test_nonsense);
  ADD("/simulator/control", "healthy", test_control);
  ADD("/simulator/stream-survives", "healthy", test_stream_survives);
  ADD("/simulator/absence", "dropout", test_absence);
  g_test_add_func("/simulator/repeat", test_repeat);
  g_test_add_func("/simulator/descriptions", test_descriptions);
  ADD("/simulator/tell-again", "healthy", test_tell_again);
  g_test_add_func("/simulator/scenarios", test_scenarios);
  return g_test_run();
}
