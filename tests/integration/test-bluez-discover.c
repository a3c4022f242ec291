/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <string.h>

/* The listing of everybody who is heard. */

static char *
add_stranger(Bench *bench, unsigned number) {
  g_autofree char *address =
      g_strdup_printf("D2:00:00:00:%02X:%02X", number >> 8, number & 255);
  return fake_bluez_add_device(bench->fake, HCI0, address, "random");
}

static size_t
count_found(Bench *bench) {
  size_t count = 0;
  while (pl_bluez_found(bench->bluez, count))
    count++;
  return count;
}

static bool
has_found(Bench *bench, const void *argument) {
  return count_found(bench) >= *(const size_t *)argument;
}

static void
test_entry(Bench *bench, gconstpointer data) {
  static const char *const services[] = {HEART_RATE, "nonsense",
                                         "fb005c80-02e7-f387-1cad-8acd2d8df0c8", NULL};
  GVariantBuilder properties, companies;
  PlUuid polar;

  bench_start(bench, 1);
  bench_add_strap(bench);
  g_assert_null(pl_bluez_found(bench->bluez, 0));
  pl_bluez_discover(bench->bluez, true);
  g_variant_builder_init(&companies, G_VARIANT_TYPE("a{qv}"));
  g_variant_builder_add(&companies, "{qv}", 107, bench_bytes("\0", 1));
  g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&properties, "{sv}", "Address",
                        g_variant_new_string("D2:00:00:00:00:01"));
  g_variant_builder_add(&properties, "{sv}", "AddressType", g_variant_new_string("random"));
  g_variant_builder_add(&properties, "{sv}", "Adapter", g_variant_new_object_path(HCI0));
  g_variant_builder_add(&properties, "{sv}", "RSSI", g_variant_new_int16(-44));
  g_variant_builder_add(&properties, "{sv}", "Name",
                        g_variant_new_string("\x1b[2J\"\\+#/\xc3\xa9 ABCDEFGHIJKLMNOPQRSTUVW"));
  g_variant_builder_add(&properties, "{sv}", "UUIDs", g_variant_new_strv(services, -1));
  g_variant_builder_add(&properties, "{sv}", "ManufacturerData",
                        g_variant_builder_end(&companies));
  fake_bluez_add(bench->fake, HCI0 "/dev_1", FAKE_DEVICE, g_variant_builder_end(&properties));
  bench_settle(bench);

  const PlBluezFound *found = pl_bluez_found(bench->bluez, 0);
  g_assert_nonnull(found);
  g_assert_cmpstr(found->address, ==, "D2:00:00:00:00:01");
  g_assert_cmpstr(found->address_type, ==, "random");
  /* 31 bytes of it. */
  g_assert_cmpstr(found->name, ==, "\\x1b[2J\"\\x5c+#/\\xc3\\xa9 ABCDEFGHIJKLMNOPQRS");
  g_assert_cmpint(found->rssi_dbm, ==, -44);
  g_assert_cmpint(found->sensor, ==, PL_NO_SENSOR);
  g_assert_cmpint(found->adapter, ==, 0);
  g_assert_cmpuint(found->service_count, ==, 2);
  g_assert_true(pl_uuid_equal(&found->services[0], &heart_rate_uuid));
  g_assert_true(pl_uuid_parse(services[2], &polar));
  g_assert_true(pl_uuid_equal(&found->services[1], &polar));
  g_assert_cmpuint(found->company_count, ==, 1);
  g_assert_cmpuint(found->companies[0], ==, 107);
  g_assert_null(pl_bluez_found(bench->bluez, 1));
}

/* BlueZ knew it before, so that only its signal strength is signalled. */
static void
test_known_before(Bench *bench, gconstpointer data) {
  static const size_t one = 1;

  bench_add_strap(bench);
  fake_bluez_set(bench->fake, bench->strap, FAKE_DEVICE, "Name", g_variant_new_string("Strap"));
  g_free(add_stranger(bench, 1)); /* is not heard */
  bench_start(bench, 1);
  pl_bluez_discover(bench->bluez, true);
  for (int i = 0; i < 3; i++)
    fake_bluez_advertise(bench->fake, bench->strap, -60 - i);
  bench_until(bench, has_found, &one);
  bench_settle(bench);
  const PlBluezFound *found = pl_bluez_found(bench->bluez, 0);
  g_assert_cmpstr(found->name, ==, "Strap");
  g_assert_cmpint(found->sensor, ==, 0);
  g_assert_cmpint(found->rssi_dbm, ==, -62);
  g_assert_null(pl_bluez_found(bench->bluez, 1));
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "GetAll"), ==, 1);
}

static void
test_cap(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  pl_bluez_discover(bench->bluez, true);
  bench_add_strap(bench);
  for (unsigned i = 0; i < 300; i++) {
    g_autofree char *path = add_stranger(bench, i);
    fake_bluez_advertise(bench->fake, path, -70);
  }
  static const size_t all = PL_BLUEZ_FOUND_MAX;
  bench_until(bench, has_found, &all);
  bench_settle(bench);
  g_assert_cmpuint(count_found(bench), ==, PL_BLUEZ_FOUND_MAX);

  /* It stays readable when it is over, and the next one begins anew. */
  pl_bluez_discover(bench->bluez, false);
  fake_bluez_advertise(bench->fake, bench->strap, -40);
  bench_settle(bench);
  g_assert_cmpuint(count_found(bench), ==, PL_BLUEZ_FOUND_MAX);
  pl_bluez_discover(bench->bluez, true);
  g_assert_cmpuint(count_found(bench), ==, 0);
}

/* The answers die with bluetoothd; the next one is asked as before. */
static void
test_killed(Bench *bench, gconstpointer data) {
  static const size_t one = 1;

  bench_start(bench, 1);
  bench_add_strap(bench);
  pl_bluez_discover(bench->bluez, true);
  for (unsigned i = 0; i < 20; i++) {
    g_autofree char *path = add_stranger(bench, i);
    fake_bluez_script(bench->fake, "GetAll", (FakeAnswer){.silent = true});
    fake_bluez_advertise(bench->fake, path, -70);
  }
  bench_until_called(bench, "GetAll", 16);
  bench_settle(bench);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "GetAll"), ==, 16);
  g_clear_pointer(&bench->fake, fake_bluez_free);
  bench_wait(bench, PL_LINK_SERVICE_LOST);
  bench->fake = fake_bluez_new(g_test_dbus_get_bus_address(bench->dbus));
  fake_bluez_add_adapter(bench->fake, HCI0, ADAPTER);
  bench_wait(bench, PL_LINK_ADAPTER);
  bench_add_strap(bench);
  fake_bluez_advertise(bench->fake, bench->strap, -40);
  bench_until(bench, has_found, &one);
  g_assert_cmpstr(pl_bluez_found(bench->bluez, 0)->address, ==, STRAP);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  BENCH_TEST("/edge/bluez/discover-entry", test_entry);
  BENCH_TEST("/edge/bluez/discover-known-before", test_known_before);
  BENCH_TEST("/edge/bluez/discover-cap", test_cap);
  BENCH_TEST("/edge/bluez/discover-killed", test_killed);
  return g_test_run();
}
