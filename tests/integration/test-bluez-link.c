/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <string.h>

/* Sensors: heard, connected, resolved, lost. */

static void
set_device(Bench *bench, const char *name, bool value) {
  fake_bluez_set(bench->fake, bench->strap, FAKE_DEVICE, name, g_variant_new_boolean(value));
}

static void
test_advertisement(Bench *bench, gconstpointer data) {
  static const uint8_t polar[] = {0x33, 0x00, 0x00, 0x38};
  static const uint8_t home[] = {0x40, 0x01, 0x64};
  GVariantBuilder properties, companies;

  bench_start(bench, 1);
  bench_add_strap(bench);
  g_variant_builder_init(&companies, G_VARIANT_TYPE("a{qv}"));
  g_variant_builder_add(&companies, "{qv}", 107, bench_bytes(polar, sizeof polar));
  g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&properties, "{sv}", "RSSI", g_variant_new_int16(-71));
  g_variant_builder_add(&properties, "{sv}", "ManufacturerData",
                        g_variant_builder_end(&companies));
  g_variant_builder_add(
      &properties, "{sv}", "ServiceData",
      bench_dict("0000fcd2-0000-1000-8000-00805f9b34fb", bench_bytes(home, sizeof home)));
  fake_bluez_change(bench->fake, bench->strap, FAKE_DEVICE, g_variant_builder_end(&properties));

  const PlLinkEvent *event = bench_expect(bench, PL_LINK_ADVERTISEMENT);
  g_assert_cmpint(event->sensor, ==, 0);
  g_assert_cmpint(event->adapter, ==, 0);
  g_assert_cmpint(event->rssi_dbm, ==, -71);
  g_assert_false(event->private_address);
  event = bench_expect(bench, PL_LINK_MANUFACTURER);
  g_assert_cmpuint(event->company, ==, 107);
  g_assert_cmpmem(event->data, event->length, polar, sizeof polar);
  event = bench_expect(bench, PL_LINK_SERVICE_DATA);
  g_assert_true(pl_uuid_equal(&event->uuid, &(PlUuid)PL_UUID16(0xfcd2)));
  g_assert_cmpmem(event->data, event->length, home, sizeof home);
}

/* Resolvable and non-resolvable addresses go with the scan; public and static ones stay. */
static void
test_private_address(Bench *bench, gconstpointer data) {
  static const PlBluezSensor sensors[] = {
      {"40:00:00:00:00:01", "random", NULL, 0},
      {"00:00:00:00:00:02", "random", NULL, 0},
      {"C0:00:00:00:00:03", "random", NULL, 0},
      {"40:00:00:00:00:04", "public", NULL, 0},
  };
  static const bool expected[] = {true, true, false, false};
  PlBluezOptions options = bench_options();
  options.sensors = sensors;
  options.sensor_count = G_N_ELEMENTS(sensors);
  bench_start_with(bench, options);
  bench_wait(bench, PL_LINK_ADAPTER);
  for (size_t i = 0; i < G_N_ELEMENTS(sensors); i++) {
    g_autofree char *path =
        fake_bluez_add_device(bench->fake, HCI0, sensors[i].address, sensors[i].address_type);
    fake_bluez_advertise(bench->fake, path, -50);
    const PlLinkEvent *event = bench_expect(bench, PL_LINK_ADVERTISEMENT);
    g_assert_cmpint(event->sensor, ==, (int)i);
    g_assert_cmpint(event->private_address, ==, expected[i]);
  }
}

/* The same address with another type is another device. */
static void
test_address_type(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  g_autofree char *other = fake_bluez_add_device(bench->fake, HCI0, STRAP, "public");
  fake_bluez_advertise(bench->fake, other, -40);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_ADVERTISEMENT);
  g_assert_cmpint(event->sensor, ==, PL_NO_SENSOR);
}

/* A thousand strangers: told of once a second, and counted. */
static void
test_strangers(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  for (int i = 0; i < 1000; i++) {
    g_autofree char *address = g_strdup_printf("7A:00:00:00:%02X:%02X", i / 256, i % 256);
    g_autofree char *path = fake_bluez_add_device(bench->fake, HCI0, address, "random");
    fake_bluez_advertise(bench->fake, path, -80);
  }
  bench_add_strap(bench);
  bench_settle(bench);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_cmpuint(facts.advertisements, ==, 1000);
  g_assert_cmpuint(facts.objects, ==, 1001);
  g_assert_cmpuint(bench_count(bench, PL_LINK_ADVERTISEMENT), >=, 1);
  g_assert_cmpuint(bench_count(bench, PL_LINK_ADVERTISEMENT), <=, 10);
  g_assert_cmpuint(bench->events->len, <=, 12);
}

static void
test_connect(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  bench->link->connect(bench->link, 0, 0, 41);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_CONNECTED);
  g_assert_cmpuint(event->attempt, ==, 41);
  g_assert_cmpint(event->sensor, ==, 0);
  g_assert_cmpint(event->adapter, ==, 0);
  /* In the order of the sensor's table, because all of them were awaited. */
  g_assert_true(
      pl_uuid_equal(&bench_expect(bench, PL_LINK_CHARACTERISTIC)->uuid, &heart_rate_uuid));
  g_assert_true(
      pl_uuid_equal(&bench_expect(bench, PL_LINK_CHARACTERISTIC)->uuid, &control_uuid));
  bench_wait(bench, PL_LINK_RESOLVED);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_cmpuint(facts.links, ==, 1);

  bench->link->disconnect(bench->link, 0);
  g_assert_cmpint(bench_wait(bench, PL_LINK_DISCONNECTED)->sensor, ==, 0);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_DISCONNECTED), ==, 1);
}

typedef struct {
  FakeAnswer answer;
  PlFailure failure;
} ConnectCase;

static const ConnectCase connect_cases[] = {
    {{.error = "Failed", .text = "le-connection-abort-by-local"}, PL_FAILURE_ABORTED},
    {{.error = "Failed", .text = "Software caused connection abort"}, PL_FAILURE_ABORTED},
    {{.error = "Failed", .text = "Operation already in progress"}, PL_FAILURE_IN_PROGRESS},
    {{.error = "InProgress", .text = "In Progress"}, PL_FAILURE_IN_PROGRESS},
    {{.error = "NotReady", .text = "Resource Not Ready"}, PL_FAILURE_NOT_READY},
    {{.error = "Failed", .text = "Input/output error"}, PL_FAILURE_OTHER},
    {{.error = "AuthenticationFailed"}, PL_FAILURE_AUTHENTICATION},
    {{.error = "org.freedesktop.DBus.Error.UnknownObject"}, PL_FAILURE_UNKNOWN_OBJECT},
    {{.error = "org.freedesktop.DBus.Error.UnknownMethod"}, PL_FAILURE_UNKNOWN_OBJECT},
    {{.error = "org.freedesktop.DBus.Error.NoReply"}, PL_FAILURE_TIMEOUT},
    {{.silent = true}, PL_FAILURE_TIMEOUT},
};

static void
test_connect_errors(Bench *bench, gconstpointer data) {
  bench_start(bench, 20);
  bench_add_strap(bench);
  for (unsigned i = 0; i < G_N_ELEMENTS(connect_cases); i++) {
    fake_bluez_script(bench->fake, "Connect", connect_cases[i].answer);
    bench->link->connect(bench->link, 0, 0, i + 1);
    const PlLinkEvent *event = bench_expect(bench, PL_LINK_CONNECT_FAILED);
    g_assert_cmpuint(event->attempt, ==, i + 1);
    g_assert_cmpstr(pl_failure_name(event->failure), ==,
                    pl_failure_name(connect_cases[i].failure));
  }
}

static void
test_connect_unpowered(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  bench->link->power(bench->link, 0, false);
  bench_expect(bench, PL_LINK_ADAPTER);
  bench->link->connect(bench->link, 0, 0, 1);
  g_assert_cmpint(bench_expect(bench, PL_LINK_CONNECT_FAILED)->failure, ==,
                  PL_FAILURE_NOT_READY);
}

static void
test_connect_unknown(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench->link->connect(bench->link, 1, 0, 5);
  bench->link->connect(bench->link, 1, PL_NO_ADAPTER, 6);
  bench->link->connect(bench->link, 77, 0, 7);
  g_assert_cmpuint(bench->events->len, ==, 1);
  for (unsigned attempt = 5; attempt <= 7; attempt++) {
    const PlLinkEvent *event = bench_expect(bench, PL_LINK_CONNECT_FAILED);
    g_assert_cmpuint(event->attempt, ==, attempt);
    g_assert_cmpint(event->failure, ==, PL_FAILURE_UNKNOWN_OBJECT);
  }
  bench->link->disconnect(bench->link, 1);
  g_assert_cmpint(bench_expect(bench, PL_LINK_DISCONNECTED)->sensor, ==, 1);
  bench->link->disconnect(bench->link, -3);
  bench->link->remove(bench->link, 4096);
}

/* The answer "success" of an aborted attempt is no link. */
static void
test_success_without_link(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_script(bench->fake, "Connect", (FakeAnswer){.accept = true});
  bench->link->connect(bench->link, 0, 0, 9);
  bench_until_called(bench, "Connect", 1);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CONNECTED), ==, 0);
  /* It may still come up, and is then the answer. */
  set_device(bench, "Connected", true);
  g_assert_cmpuint(bench_wait(bench, PL_LINK_CONNECTED)->attempt, ==, 9);
}

/* "le-connection-abort-by-local" while Connected is true: told once it is false. */
static void
test_abort_after_connected(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_script(
      bench->fake, "Connect",
      (FakeAnswer){.delay_ms = 20, .error = "Failed", .text = "le-connection-abort-by-local"});
  bench->link->connect(bench->link, 0, 0, 3);
  bench_until_called(bench, "Connect", 1);
  set_device(bench, "Connected", true);
  bench_settle(bench);
  bench_until_answered(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CONNECT_FAILED), ==, 0);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CONNECTED), ==, 0);
  set_device(bench, "Connected", false);
  const PlLinkEvent *event = bench_wait(bench, PL_LINK_CONNECT_FAILED);
  g_assert_cmpuint(event->attempt, ==, 3);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_ABORTED);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_DISCONNECTED), ==, 0);
}

/* Disconnect() cancels; the late answer of Connect() is nobody's. */
static void
test_cancel(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_set_absent(bench->fake, bench->strap, true);
  bench->link->connect(bench->link, 0, 0, 1);
  bench_until_called(bench, "Connect", 1);
  bench->link->disconnect(bench->link, 0);
  bench_expect(bench, PL_LINK_DISCONNECTED);

  fake_bluez_set_absent(bench->fake, bench->strap, false);
  bench->link->connect(bench->link, 0, 0, 2);
  g_assert_cmpuint(bench_expect(bench, PL_LINK_CONNECTED)->attempt, ==, 2);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CONNECT_FAILED), ==, 0);
}

static void
test_late_answer(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_script(bench->fake, "Connect", (FakeAnswer){.delay_ms = 60, .error = "NotReady"});
  fake_bluez_script(bench->fake, "Disconnect", (FakeAnswer){.accept = true});
  bench->link->connect(bench->link, 0, 0, 1);
  bench->link->disconnect(bench->link, 0);
  bench_expect(bench, PL_LINK_DISCONNECTED);
  fake_bluez_script(bench->fake, "Connect",
                    (FakeAnswer){.delay_ms = 120, .error = "AuthenticationFailed"});
  bench->link->connect(bench->link, 0, 0, 2);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_CONNECT_FAILED);
  g_assert_cmpuint(event->attempt, ==, 2);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_AUTHENTICATION);
}

static void
test_disconnect_answers(Bench *bench, gconstpointer data) {
  /* Nobody is connected, says BlueZ, and forgets to change the property. */
  bench_connect(bench, 1);
  fake_bluez_script(bench->fake, "Disconnect", (FakeAnswer){.error = "NotConnected"});
  bench->link->disconnect(bench->link, 0);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  set_device(bench, "Connected", false);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_DISCONNECTED), ==, 1);

  /* The property first, then the answer. */
  bench_clear(bench);
  set_device(bench, "Connected", true);
  bench_wait(bench, PL_LINK_CONNECTED);
  fake_bluez_script(bench->fake, "Disconnect", (FakeAnswer){.delay_ms = 20, .accept = true});
  bench->link->disconnect(bench->link, 0);
  bench_until_called(bench, "Disconnect", 2);
  set_device(bench, "Connected", false);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  bench->link->connect(bench->link, 0, 0, 8);
  bench_wait(bench, PL_LINK_CONNECTED);
  g_assert_cmpuint(bench_count(bench, PL_LINK_DISCONNECTED), ==, 1);
}

static void
test_dropped_by_sensor(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_drop(bench->fake, bench->strap);
  g_assert_cmpint(bench_wait(bench, PL_LINK_DISCONNECTED)->sensor, ==, 0);
  /* The objects are still there: the next link is resolved as soon as BlueZ says so. */
  bench->link->connect(bench->link, 0, 0, 8);
  bench_expect(bench, PL_LINK_CONNECTED);
  bench_wait(bench, PL_LINK_RESOLVED);
}

static void
test_removed(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  bench_subscribe(bench, false);
  fake_bluez_remove(bench->fake, bench->strap);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  g_assert_cmpint(bench_expect(bench, PL_LINK_REMOVED)->sensor, ==, 0);
  bench->link->connect(bench->link, 0, 0, 2);
  g_assert_cmpint(bench_expect(bench, PL_LINK_CONNECT_FAILED)->failure, ==,
                  PL_FAILURE_UNKNOWN_OBJECT);
  bench_add_strap(bench);
  bench->link->connect(bench->link, 0, 0, 3);
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_cmpuint(fake_bluez_stray_calls(bench->fake), ==, 0);
}

static void
test_removed_while_connecting(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_script(bench->fake, "Connect", (FakeAnswer){.silent = true});
  bench->link->connect(bench->link, 0, 0, 4);
  bench_until_called(bench, "Connect", 1);
  fake_bluez_remove(bench->fake, bench->strap);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_CONNECT_FAILED);
  g_assert_cmpuint(event->attempt, ==, 4);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_UNKNOWN_OBJECT);
  bench_expect(bench, PL_LINK_REMOVED);
}

static void
test_forget(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  bench_settle(bench);
  bench->link->remove(bench->link, 0);
  bench_wait(bench, PL_LINK_REMOVED);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "RemoveDevice"), ==, 1);

  /* Somebody has bonded it: it stays. */
  bench_add_strap(bench);
  set_device(bench, "Paired", true);
  bench_settle(bench);
  bench->link->remove(bench->link, 0);
  bench_settle(bench);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "RemoveDevice"), ==, 1);
}

static void
test_battery(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_add(bench->fake, bench->strap, FAKE_BATTERY,
                 bench_dict("Percentage", g_variant_new_byte(87)));
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_BATTERY);
  g_assert_cmpint(event->sensor, ==, 0);
  g_assert_cmpfloat(event->battery_pct, ==, 87);
  fake_bluez_set(bench->fake, bench->strap, FAKE_BATTERY, "Percentage",
                 g_variant_new_byte(255)); /* some stacks send this for "unknown" */
  fake_bluez_set(bench->fake, bench->strap, FAKE_BATTERY, "Percentage", g_variant_new_byte(0));
  g_assert_cmpfloat(bench_expect(bench, PL_LINK_BATTERY)->battery_pct, ==, 0);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  BENCH_TEST("/edge/bluez/advertisement", test_advertisement);
  BENCH_TEST("/edge/bluez/private-address", test_private_address);
  BENCH_TEST("/edge/bluez/address-type", test_address_type);
  BENCH_TEST("/edge/bluez/strangers", test_strangers);
  BENCH_TEST("/edge/bluez/connect", test_connect);
  BENCH_TEST("/edge/bluez/connect-errors", test_connect_errors);
  BENCH_TEST("/edge/bluez/connect-unpowered", test_connect_unpowered);
  BENCH_TEST("/edge/bluez/connect-unknown", test_connect_unknown);
  BENCH_TEST("/edge/bluez/connect-success-without-link", test_success_without_link);
  BENCH_TEST("/edge/bluez/connect-abort-after-connected", test_abort_after_connected);
  BENCH_TEST("/edge/bluez/connect-cancel", test_cancel);
  BENCH_TEST("/edge/bluez/connect-late-answer", test_late_answer);
  BENCH_TEST("/edge/bluez/disconnect-answers", test_disconnect_answers);
  BENCH_TEST("/edge/bluez/dropped-by-sensor", test_dropped_by_sensor);
  BENCH_TEST("/edge/bluez/removed", test_removed);
  BENCH_TEST("/edge/bluez/removed-while-connecting", test_removed_while_connecting);
  BENCH_TEST("/edge/bluez/forget", test_forget);
  BENCH_TEST("/edge/bluez/battery", test_battery);
  return g_test_run();
}
