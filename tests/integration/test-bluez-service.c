/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

/* bluetoothd and the bus: absent, late, killed, back; what was there before us and what stays
 * behind; and those who are not bluetoothd. */

static const uint8_t packet[] = {0x00, 0x48};

static unsigned
count_descriptors(void) {
  g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
  unsigned count = 0;
  while (g_dir_read_name(dir))
    count++;
  return count;
}

static void
kill_service(Bench *bench) {
  g_assert_cmpuint(fake_bluez_violations(bench->fake), ==, 0);
  g_clear_pointer(&bench->fake, fake_bluez_free);
}

static void
restart_service(Bench *bench) {
  bench->fake = fake_bluez_new(g_test_dbus_get_bus_address(bench->dbus));
}

/* -- coming and going ------------------------------------------------------------------ */

static void
test_killed(Bench *bench, gconstpointer data) {
  bench_connect(bench, 20);
  bench_subscribe(bench, true);
  bench->link->scan(bench->link, 0, true);
  bench_wait(bench, PL_LINK_SCAN);
  for (int i = 0; i < 5; i++)
    fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  fake_bluez_script(bench->fake, "WriteValue", (FakeAnswer){.silent = true});
  bench->link->write(bench->link, 0, &control_uuid, packet, sizeof packet);
  kill_service(bench);

  /* What it had sent is still read; nothing is said about what it carried. */
  for (int i = 0; i < 5; i++)
    bench_expect(bench, PL_LINK_NOTIFICATION);
  bench_expect(bench, PL_LINK_SERVICE_LOST);
  g_assert_cmpint(pl_bluez_state(bench->bluez), ==, PL_BLUEZ_NO_SERVICE);
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, false);
  bench->link->disconnect(bench->link, 0);
  bench->link->connect(bench->link, 0, 0, 8);
  g_assert_false(bench_expect(bench, PL_LINK_SUBSCRIBED)->ok);
  bench_expect(bench, PL_LINK_DISCONNECTED);
  bench_expect(bench, PL_LINK_CONNECT_FAILED);

  /* It comes back with other numbers. */
  restart_service(bench);
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci3", ADAPTER);
  g_autofree char *strap =
      fake_bluez_add_device(bench->fake, "/org/bluez/hci3", STRAP, "random");
  fake_bluez_give(bench->fake, strap, 0x91, HEART_RATE, "notify");
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER)->adapter, ==, 0);
  g_assert_cmpint(pl_bluez_state(bench->bluez), ==, PL_BLUEZ_UP);
  fake_bluez_advertise(bench->fake, strap, -50);
  bench_wait(bench, PL_LINK_ADVERTISEMENT);
  bench->link->connect(bench->link, 0, 0, 9);
  g_assert_cmpuint(bench_expect(bench, PL_LINK_CONNECTED)->attempt, ==, 9);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench_subscribe(bench, true);
  g_assert_cmpuint(fake_bluez_stray_calls(bench->fake), ==, 0);
  g_assert_cmpuint(bench_count(bench, PL_LINK_WRITTEN), ==, 0);
}

static void
test_killed_often(Bench *bench, gconstpointer data) {
  unsigned descriptors = 0;

  bench_start(bench, 20);
  for (int i = 0; i < 20; i++) {
    bench_add_strap(bench);
    bench->link->connect(bench->link, 0, 0, 1);
    bench_wait(bench, PL_LINK_RESOLVED);
    bench_subscribe(bench, i % 2 == 0);
    if (i == 1)
      descriptors = count_descriptors();
    kill_service(bench);
    bench_wait(bench, PL_LINK_SERVICE_LOST);
    restart_service(bench);
    fake_bluez_add_adapter(bench->fake, HCI0, ADAPTER);
    bench_wait(bench, PL_LINK_ADAPTER);
  }
  g_assert_cmpuint(count_descriptors(), <=, descriptors + 2);
}

/* Nobody owns the name: the bus is asked to start bluetoothd. */
static void
test_activation(void) {
  Bench bench = {.events = g_ptr_array_new()};
  g_autofree char *dir = g_dir_make_tmp("plumbline-services-XXXXXX", NULL);
  g_autofree char *file = g_build_filename(dir, "org.bluez.service", NULL);
  g_autofree char *mark = g_build_filename(dir, "started", NULL);
  g_autofree char *text = g_strdup_printf(
      "[D-BUS Service]\nName=org.bluez\nExec=/bin/sh -c \"touch %s; exit 1\"\n", mark);
  g_ptr_array_set_free_func(bench.events, g_free);
  g_assert_true(g_file_set_contents(file, text, -1, NULL));
  bench.dbus = g_test_dbus_new(G_TEST_DBUS_NONE);
  g_test_dbus_add_service_dir(bench.dbus, dir);
  g_test_dbus_up(bench.dbus);
  g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bench.dbus), TRUE);

  PlBluezOptions options = bench_options();
  options.hurry = 20;
  bench_start_with(&bench, options);
  for (int i = 0; i < 2; i++) { /* it fails, and is tried again */
    while (!g_file_test(mark, G_FILE_TEST_EXISTS))
      g_main_context_iteration(NULL, FALSE);
    g_remove(mark);
  }
  g_assert_cmpint(pl_bluez_state(bench.bluez), ==, PL_BLUEZ_NO_SERVICE);
  restart_service(&bench);
  fake_bluez_add_adapter(bench.fake, HCI0, ADAPTER);
  bench_expect(&bench, PL_LINK_ADAPTER);
  bench_tear_down(&bench, NULL);
  g_remove(mark);
  g_remove(file);
  g_rmdir(dir);
}

static bool
has_no_bus(Bench *bench, const void *argument) {
  return pl_bluez_state(bench->bluez) == PL_BLUEZ_NO_BUS;
}

static void
test_no_bus(Bench *bench, gconstpointer data) {
  PlBluezOptions options = bench_options();
  options.hurry = 20;
  g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
  bench_start_with(bench, options);
  g_main_context_iteration(NULL, TRUE);
  g_assert_true(has_no_bus(bench, NULL));
  g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bench->dbus), TRUE);
  bench_expect(bench, PL_LINK_ADAPTER);
  g_assert_cmpuint(bench->closed, ==, 0);
}

static void
test_bus_closed(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_script(bench->fake, "ReadValue", (FakeAnswer){.silent = true});
  bench->link->read(bench->link, 0, &control_uuid);
  bench_until_called(bench, "ReadValue", 2);
  g_test_dbus_stop(bench->dbus);
  bench_wait(bench, PL_LINK_SERVICE_LOST);
  bench_until(bench, has_no_bus, NULL);
  g_assert_cmpuint(bench->closed, ==, 1);
}

static void
test_snapshot_fails(Bench *bench, gconstpointer data) {
  fake_bluez_script(bench->fake, "GetManagedObjects",
                    (FakeAnswer){.error = "org.freedesktop.DBus.Error.NoReply"});
  fake_bluez_script(bench->fake, "GetManagedObjects", (FakeAnswer){.garbage = true});
  fake_bluez_script(bench->fake, "GetManagedObjects", (FakeAnswer){.silent = true});
  bench_start(bench, 10);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "GetManagedObjects"), ==, 4);
}

/* A change between the call and its answer is in the answer. */
static void
test_change_during_snapshot(Bench *bench, gconstpointer data) {
  fake_bluez_script(bench->fake, "GetManagedObjects", (FakeAnswer){.delay_ms = 30});
  bench_start_with(bench, bench_options());
  bench_until_called(bench, "GetManagedObjects", 1);
  fake_bluez_set(bench->fake, HCI0, FAKE_ADAPTER, "Powered", g_variant_new_boolean(FALSE));
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:11:22:33:44:66");
  unsigned powered = 0;
  for (int i = 0; i < 2; i++)
    powered += bench_expect(bench, PL_LINK_ADAPTER)->powered;
  g_assert_cmpuint(powered, ==, 1);
  fake_bluez_set(bench->fake, HCI0, FAKE_ADAPTER, "Powered", g_variant_new_boolean(TRUE));
  g_assert_true(bench_expect(bench, PL_LINK_ADAPTER)->powered);
}

/* -- what was there before, and what stays ----------------------------------------------- */

/* Connects the strap as somebody else would. */
static void
connect_before(Bench *bench) {
  bench_add_strap(bench);
  bench_start(bench, 1);
  bench->link->connect(bench->link, 0, 0, 1);
  bench_wait(bench, PL_LINK_RESOLVED);
  fake_bluez_script(bench->fake, "Disconnect", (FakeAnswer){.accept = true});
  g_clear_pointer(&bench->bluez, pl_bluez_free);
  bench_until_called(bench, "Disconnect", 1);
  bench_clear(bench);
}

static void
test_adopt(Bench *bench, gconstpointer data) {
  connect_before(bench);
  bench_start(bench, 1);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_CONNECTED);
  g_assert_cmpint(event->sensor, ==, 0);
  g_assert_cmpuint(event->attempt, ==, 0);
  for (int i = 0; i < 3; i++)
    bench_expect(bench, PL_LINK_CHARACTERISTIC);
  bench_expect(bench, PL_LINK_RESOLVED);
  bench_subscribe(bench, false);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  bench_expect(bench, PL_LINK_NOTIFICATION);

  /* Asked for a link that is up, it answers like for any other. */
  bench->link->connect(bench->link, 0, 0, 5);
  g_assert_cmpuint(bench_expect(bench, PL_LINK_CONNECTED)->attempt, ==, 5);
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "Connect"), ==, 1); /* the other one's */
}

/* The pod's link was found up and stays, the strap's was asked for. */
static void
test_farewell(Bench *bench, gconstpointer data) {
  g_autofree char *pod = fake_bluez_add_device(bench->fake, HCI0, POD, "public");
  fake_bluez_set(bench->fake, pod, FAKE_DEVICE, "Connected", g_variant_new_boolean(TRUE));
  bench_connect(bench, 1);
  g_clear_pointer(&bench->bluez, pl_bluez_free);
  bench_until_called(bench, "Disconnect", 1);
  g_autofree char *call = g_strdup_printf("Disconnect %s\n", pod);
  g_assert_null(strstr(fake_bluez_log(bench->fake), call));
}

static void
test_farewell_while_connecting(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_set_absent(bench->fake, bench->strap, true);
  bench->link->connect(bench->link, 0, 0, 1);
  bench_until_called(bench, "Connect", 1);
  g_clear_pointer(&bench->bluez, pl_bluez_free);
  bench_until_called(bench, "Disconnect", 1);
}

static void
test_reload(Bench *bench, gconstpointer data) {
  static const PlBluezSensor sensors[] = {{POD, NULL, NULL, 0}, {STRAP, "auto", NULL, 0}};

  bench_connect(bench, 1);
  bench_subscribe(bench, false);
  bench->link->scan(bench->link, 0, true);
  bench_wait(bench, PL_LINK_SCAN);
  bench_clear(bench);
  pl_bluez_set_sensors(bench->bluez, sensors, G_N_ELEMENTS(sensors));
  g_assert_cmpuint(bench->events->len, ==, 0);
  g_assert_true(bench_expect(bench, PL_LINK_ADAPTER)->powered);
  const PlLinkEvent *event = bench_wait(bench, PL_LINK_CONNECTED);
  g_assert_cmpint(event->sensor, ==, 1);
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "Disconnect"), ==, 0);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StopDiscovery"), ==, 1);
  g_assert_cmpstr(pl_bluez_info(bench->bluez, 0)->modalias, ==, "");
  bench->link->subscribe(bench->link, 1, &heart_rate_uuid, false);
  g_assert_true(bench_wait(bench, PL_LINK_SUBSCRIBED)->ok);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  g_assert_cmpint(bench_wait(bench, PL_LINK_NOTIFICATION)->sensor, ==, 1);

  pl_bluez_set_sensors(bench->bluez, sensors, 1);
  bench_until_called(bench, "Disconnect", 1);
}

/* Who listens now asks for a scan at once, while the old one still ends. */
static void
scan_at_once(const PlLinkEvent *event, void *data) {
  PlLink *link = data;
  if (event->type == PL_LINK_ADAPTER)
    link->scan(link, event->adapter, true);
}

static void
test_reload_while_scanning(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  bench->link->scan(bench->link, 0, true);
  bench_wait(bench, PL_LINK_SCAN);
  bench->hook = scan_at_once;
  bench->hook_data = bench->link;
  pl_bluez_set_sensors(bench->bluez, bench_options().sensors, 1);
  bench_expect(bench, PL_LINK_ADAPTER);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_true(event->ok);
  g_assert_true(event->scanning);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StartDiscovery"), ==, 2);
  g_assert_true(fake_bluez_get_bool(bench->fake, HCI0, FAKE_ADAPTER, "Discovering"));
}

/* The adapter is no longer to be used, and then it is again. */
static void
test_reload_adapters(Bench *bench, gconstpointer data) {
  static const char *const others[] = {"00:11:22:33:44:66", NULL};
  static const char *const both[] = {"00:11:22:33:44:66", ADAPTER, NULL};

  bench_connect(bench, 1);
  bench_clear(bench);
  pl_bluez_set_adapters(bench->bluez, others);
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER_GONE)->adapter, ==, 0);
  bench_until_called(bench, "Disconnect", 1);
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:11:22:33:44:66");
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER)->adapter, ==, 1);
  pl_bluez_set_adapters(bench->bluez, both);
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER)->adapter, ==, 0);
  pl_bluez_set_adapters(bench->bluez, NULL);
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci2", "00:11:22:33:44:77");
  g_assert_cmpint(bench_wait(bench, PL_LINK_ADAPTER)->adapter, ==, 2);
}

/* -- others on the bus -------------------------------------------------------------------- */

static void
spoof(GDBusConnection *bus, const char *target, const char *path, const char *interface,
      GVariant *properties) {
  g_dbus_connection_emit_signal(
      bus, target, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
      g_variant_new("(s@a{sv}as)", interface, properties, NULL), NULL);
}

static void
test_foreign(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  bench_subscribe(bench, false);
  guint said = bench->events->len;
  g_autoptr(GDBusConnection) other =
      g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(bench->dbus),
                                             G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                 G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                             NULL, NULL, NULL);
  const char *const targets[] = {NULL, fake_bluez_client(bench->fake)};
  for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
    spoof(other, targets[i], bench->heart_rate, FAKE_CHARACTERISTIC,
          bench_dict("Value", bench_bytes(packet, sizeof packet)));
    spoof(other, targets[i], bench->strap, FAKE_DEVICE,
          bench_dict("Connected", g_variant_new_boolean(FALSE)));
    spoof(other, targets[i], HCI0, FAKE_ADAPTER,
          bench_dict("Powered", g_variant_new_boolean(FALSE)));
  }
  /* The bus has them all when it answers, and then the fake's own come behind. */
  GVariant *pong = g_dbus_connection_call_sync(other, "org.freedesktop.DBus", "/",
                                               "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
                                               0, -1, NULL, NULL);
  g_variant_unref(pong);
  bench_settle(bench);
  g_assert_cmpuint(bench->events->len, ==, said);
  g_dbus_connection_close_sync(other, NULL, NULL);
}

static GVariant *
any_value(void) {
  static const uint8_t some[] = {1, 2, 3};
  switch (g_test_rand_int_range(0, 10)) {
  case 0:
    return g_variant_new_boolean(g_test_rand_bit());
  case 1:
    return g_variant_new_string("\x1b[2J%s%n\n");
  case 2:
    return g_variant_new_int16((int16_t)g_test_rand_int());
  case 3:
    return bench_bytes(some, (size_t)g_test_rand_int_range(0, 4));
  case 4:
    return bench_dict("x", bench_bytes(some, 3));
  case 5:
    return g_variant_new_object_path("/org/bluez");
  case 6:
    return g_variant_new_double(g_test_rand_double());
  case 7:
    return g_variant_new_byte((guint8)g_test_rand_int());
  case 8:
    return g_variant_new_strv(NULL, 0);
  default:
    return g_variant_new_variant(g_variant_new_string("00:00"));
  }
}

static void
send_nonsense(Bench *bench) {
  static const char *const names[] = {"Address",
                                      "AddressType",
                                      "Adapter",
                                      "Alias",
                                      "Name",
                                      "RSSI",
                                      "ManufacturerData",
                                      "ServiceData",
                                      "UUIDs",
                                      "Connected",
                                      "UUID",
                                      "ServicesResolved",
                                      "Paired",
                                      "Modalias",
                                      "Powered",
                                      "Flags",
                                      "Discovering",
                                      "PowerState",
                                      "NotifyAcquired",
                                      "Value",
                                      "Roles",
                                      "Percentage",
                                      "Bonded",
                                      ""};
  static const char *const interfaces[] = {FAKE_ADAPTER, FAKE_DEVICE, FAKE_CHARACTERISTIC,
                                           FAKE_BATTERY, "x.y"};
  const char *const paths[] = {HCI0,
                               bench->strap,
                               bench->heart_rate,
                               "/",
                               "/org/bluez/hci9",
                               "/org/bluez/hci0/dev_",
                               "/org/bluez/hci0/dev_1/x/y"};
  const char *name = names[g_test_rand_int_range(0, G_N_ELEMENTS(names))];
  const char *interface = interfaces[g_test_rand_int_range(0, G_N_ELEMENTS(interfaces))];
  const char *path = paths[g_test_rand_int_range(0, G_N_ELEMENTS(paths))];
  const char *manager = "org.freedesktop.DBus.ObjectManager";
  GVariantBuilder builder;

  switch (g_test_rand_int_range(0, 4)) {
  case 0:
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sa{sv}}"));
    g_variant_builder_add(&builder, "{s@a{sv}}", interface, bench_dict(name, any_value()));
    fake_bluez_signal(bench->fake, "/", manager, "InterfacesAdded",
                      g_variant_new("(oa{sa{sv}})", path, &builder));
    break;
  case 1:
    fake_bluez_signal(bench->fake, "/", manager,
                      g_test_rand_bit() ? "InterfacesAdded" : "InterfacesRemoved",
                      g_variant_new("(sv)", path, any_value()));
    break;
  default:
    fake_bluez_change(bench->fake, path, interface, bench_dict(name, any_value()));
  }
}

/* Whatever is in the signals, it goes on afterwards. */
static void
test_nonsense(Bench *bench, gconstpointer data) {
  bench_connect(bench, 20);
  bench_subscribe(bench, false);
  pl_bluez_discover(bench->bluez, true);
  for (int i = 0; i < 300; i++) {
    for (int k = 0; k < 50; k++)
      send_nonsense(bench);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
  }
  kill_service(bench);
  bench_wait(bench, PL_LINK_SERVICE_LOST);
  restart_service(bench);
  fake_bluez_add_adapter(bench->fake, HCI0, ADAPTER);
  bench_wait(bench, PL_LINK_ADAPTER);
  bench_add_strap(bench);
  bench->link->connect(bench->link, 0, 0, 1);
  bench_wait(bench, PL_LINK_RESOLVED);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  BENCH_TEST("/edge/bluez/killed", test_killed);
  BENCH_TEST("/edge/bluez/killed-often", test_killed_often);
  g_test_add_func("/edge/bluez/activation", test_activation);
  BENCH_TEST("/edge/bluez/no-bus", test_no_bus);
  BENCH_TEST("/edge/bluez/bus-closed", test_bus_closed);
  BENCH_TEST("/edge/bluez/snapshot-fails", test_snapshot_fails);
  BENCH_TEST("/edge/bluez/change-during-snapshot", test_change_during_snapshot);
  BENCH_TEST("/edge/bluez/adopt", test_adopt);
  BENCH_TEST("/edge/bluez/farewell", test_farewell);
  BENCH_TEST("/edge/bluez/farewell-while-connecting", test_farewell_while_connecting);
  BENCH_TEST("/edge/bluez/reload", test_reload);
  BENCH_TEST("/edge/bluez/reload-while-scanning", test_reload_while_scanning);
  BENCH_TEST("/edge/bluez/reload-adapters", test_reload_adapters);
  BENCH_TEST("/edge/bluez/foreign-sender", test_foreign);
  BENCH_TEST("/edge/bluez/nonsense", test_nonsense);
  return g_test_run();
}
