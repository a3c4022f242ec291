/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Adapters: their numbers, power, and the scan. */

static void
test_scan(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench->link->scan(bench->link, 0, true);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_true(event->ok);
  g_assert_true(event->scanning);
  g_assert_cmpint(event->adapter, ==, 0);

  GVariant *filter = fake_bluez_last(bench->fake, "SetDiscoveryFilter");
  g_autofree char *text = g_variant_print(filter, FALSE);
  g_assert_nonnull(strstr(text, "'Transport': <'le'>"));
  g_assert_nonnull(strstr(text, "'DuplicateData': <true>"));
  g_assert_null(strstr(text, "UUIDs"));
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "SetDiscoveryFilter"), ==, 1);
  g_assert_true(fake_bluez_get_bool(bench->fake, HCI0, FAKE_ADAPTER, "Discovering"));

  bench->link->scan(bench->link, 0, false);
  event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_true(event->ok);
  g_assert_false(event->scanning);
  g_assert_false(fake_bluez_get_bool(bench->fake, HCI0, FAKE_ADAPTER, "Discovering"));
}

typedef struct {
  const char *method; /* that gets the answer */
  FakeAnswer answer;
  bool on;
  bool ok;
  bool scanning;
  PlFailure failure;
} ScanCase;

static const ScanCase scan_cases[] = {
    {"StartDiscovery", {.error = "NotReady"}, true, false, false, PL_FAILURE_NOT_READY},
    {"StartDiscovery", {.error = "Failed", .text = "?"}, true, false, false, PL_FAILURE_OTHER},
    {"StartDiscovery",
     {.error = "NotAuthorized"},
     true,
     false,
     false,
     PL_FAILURE_AUTHENTICATION},
    {"StartDiscovery", {.error = "InProgress"}, true, false, false, PL_FAILURE_IN_PROGRESS},
    {"StartDiscovery", {.silent = true}, true, false, false, PL_FAILURE_TIMEOUT},
    {"SetDiscoveryFilter",
     {.error = "NotSupported"},
     true,
     false,
     false,
     PL_FAILURE_NOT_SUPPORTED},
    /* A success is a success, whatever comes with it. */
    {"StartDiscovery", {.garbage = true}, true, true, true, PL_FAILURE_NONE},
    /* Whatever it says to a stop, there is no session afterwards. */
    {"StopDiscovery",
     {.error = "Failed", .text = "No discovery started"},
     false,
     true,
     false,
     PL_FAILURE_NONE},
    {"StopDiscovery", {.error = "InProgress"}, false, true, false, PL_FAILURE_NONE},
    {"StopDiscovery", {.error = "NotReady"}, false, true, false, PL_FAILURE_NONE},
    {"StopDiscovery", {.silent = true}, false, false, false, PL_FAILURE_TIMEOUT},
};

static void
test_scan_errors(Bench *bench, gconstpointer data) {
  bench_start(bench, 5);
  for (size_t i = 0; i < G_N_ELEMENTS(scan_cases); i++) {
    const ScanCase *it = &scan_cases[i];
    fake_bluez_script(bench->fake, it->method, it->answer);
    bench->link->scan(bench->link, 0, it->on);
    const PlLinkEvent *event = bench_expect(bench, PL_LINK_SCAN);
    g_assert_cmpstr(pl_failure_name(event->failure), ==, pl_failure_name(it->failure));
    g_assert_cmpint(event->ok, ==, it->ok);
    g_assert_cmpint(event->scanning, ==, it->scanning);
  }
}

/* Discovering is true and BlueZ says InProgress: there is a session of ours. */
static void
test_scan_in_progress(Bench *bench, gconstpointer data) {
  fake_bluez_set(bench->fake, HCI0, FAKE_ADAPTER, "Discovering", g_variant_new_boolean(TRUE));
  bench_start(bench, 1);
  fake_bluez_script(bench->fake, "StartDiscovery", (FakeAnswer){.error = "InProgress"});
  bench->link->scan(bench->link, 0, true);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_true(event->ok);
  g_assert_true(event->scanning);
}

/* Requests while a call is on its way: the last one holds, and one answer comes. */
static void
test_scan_wish_changes(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  fake_bluez_script(bench->fake, "StartDiscovery", (FakeAnswer){.delay_ms = 30});
  bench->link->scan(bench->link, 0, true);
  bench_until_called(bench, "StartDiscovery", 1);
  bench->link->scan(bench->link, 0, false);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_true(event->ok);
  g_assert_false(event->scanning);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StopDiscovery"), ==, 1);

  /* The filter is still being set: nothing has to be stopped. */
  bench->link->scan(bench->link, 0, true);
  bench->link->scan(bench->link, 0, false);
  event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_true(event->ok);
  g_assert_false(event->scanning);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StartDiscovery"), ==, 1);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StopDiscovery"), ==, 1);
}

static void
test_scan_without_adapter(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench->link->scan(bench->link, 3, true);
  g_assert_cmpuint(bench->events->len, ==, 1); /* not from inside the request */
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SCAN);
  g_assert_false(event->ok);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_UNKNOWN_OBJECT);
  bench->link->scan(bench->link, -1, false);
  g_assert_true(bench_expect(bench, PL_LINK_SCAN)->ok);
  bench->link->power(bench->link, 99, true);
}

static void
test_power(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench->link->scan(bench->link, 0, true);
  bench_wait(bench, PL_LINK_SCAN);

  bench->link->power(bench->link, 0, false);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_ADAPTER);
  g_assert_true(event->ok);
  g_assert_false(event->powered);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_true(facts.present);
  g_assert_false(facts.powered);
  g_assert_false(facts.scanning);

  bench->link->power(bench->link, 0, true);
  g_assert_true(bench_expect(bench, PL_LINK_ADAPTER)->powered);
}

static void
test_power_blocked(Bench *bench, gconstpointer data) {
  fake_bluez_set(bench->fake, HCI0, FAKE_ADAPTER, "Powered", g_variant_new_boolean(FALSE));
  bench_start(bench, 1);
  fake_bluez_script(bench->fake, "Set",
                    (FakeAnswer){.error = "Failed", .text = "Blocked through rfkill"});
  bench->link->power(bench->link, 0, true);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_ADAPTER);
  g_assert_false(event->ok);
  g_assert_false(event->powered);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_NOT_READY);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_true(facts.blocked);

  fake_bluez_set(bench->fake, HCI0, FAKE_ADAPTER, "Powered", g_variant_new_boolean(TRUE));
  bench_expect(bench, PL_LINK_ADAPTER);
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_false(facts.blocked);
}

/* The same radio comes back as hci1: same number, and nothing goes to the old path. */
static void
test_renumbered(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench->link->scan(bench->link, 0, true);
  bench_wait(bench, PL_LINK_SCAN);
  fake_bluez_remove(bench->fake, HCI0);
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER_GONE)->adapter, ==, 0);

  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", ADAPTER);
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER)->adapter, ==, 0);
  bench->link->scan(bench->link, 0, true);
  g_assert_true(bench_expect(bench, PL_LINK_SCAN)->ok);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_cmpstr(facts.name, ==, "hci1");
  g_assert_cmpstr(facts.address, ==, ADAPTER);
  g_assert_true(facts.scanning);
  g_assert_cmpuint(fake_bluez_stray_calls(bench->fake), ==, 0);

  /* It moves without having gone first. */
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci2", ADAPTER);
  bench_expect(bench, PL_LINK_ADAPTER_GONE);
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER)->adapter, ==, 0);
}

/* An answer to the adapter that was there before says nothing of the present one. */
static void
test_stale_answer(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  fake_bluez_script(bench->fake, "SetDiscoveryFilter",
                    (FakeAnswer){.delay_ms = 30, .error = "Failed"});
  bench->link->scan(bench->link, 0, true);
  bench_until_called(bench, "SetDiscoveryFilter", 1);
  fake_bluez_remove(bench->fake, HCI0);
  fake_bluez_add_adapter(bench->fake, HCI0, ADAPTER);
  bench_expect(bench, PL_LINK_ADAPTER_GONE);
  bench_expect(bench, PL_LINK_ADAPTER);
  fake_bluez_script(bench->fake, "SetDiscoveryFilter", (FakeAnswer){.delay_ms = 60});
  bench->link->scan(bench->link, 0, true);
  g_assert_true(bench_expect(bench, PL_LINK_SCAN)->ok);
}

static void
test_without_address(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:00:00:00:00:00");
  fake_bluez_set(bench->fake, "/org/bluez/hci1", FAKE_ADAPTER, "Address",
                 g_variant_new_string("00:11:22:33:44:66"));
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_ADAPTER);
  g_assert_cmpint(event->adapter, ==, 1);
  g_assert_true(event->powered);
}

static void
test_listed_only(Bench *bench, gconstpointer data) {
  static const char *const adapters[] = {"aa:aa:aa:aa:aa:01", "00:11:22:33:44:66", NULL};
  PlBluezOptions options = bench_options();
  options.adapters = adapters;
  bench_start_with(bench, options);
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:11:22:33:44:66");
  g_assert_cmpint(bench_expect(bench, PL_LINK_ADAPTER)->adapter, ==, 1);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_false(facts.present);
  g_assert_false(pl_bluez_adapter_facts(bench->bluez, 2, &facts));
}

static void
test_not_central(Bench *bench, gconstpointer data) {
  static const char *const roles[] = {"peripheral", NULL};
  fake_bluez_set(bench->fake, HCI0, FAKE_ADAPTER, "Roles", g_variant_new_strv(roles, -1));
  bench_start_with(bench, bench_options());
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:11:22:33:44:66");
  bench_expect(bench, PL_LINK_ADAPTER);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_cmpstr(facts.name, ==, "hci1");
}

static void
test_too_many(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  for (int i = 1; i < PL_ADAPTER_MAX + 2; i++) {
    g_autofree char *path = g_strdup_printf("/org/bluez/hci%d", i);
    g_autofree char *address = g_strdup_printf("00:11:22:33:55:%02X", i);
    fake_bluez_add_adapter(bench->fake, path, address);
  }
  bench_add_strap(bench);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_ADAPTER), ==, PL_ADAPTER_MAX);
}

/* hci1 is the beginning of hci10. */
static void
test_prefix(Bench *bench, gconstpointer data) {
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:11:22:33:44:01");
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci10", "00:11:22:33:44:10");
  g_autofree char *on_1 =
      fake_bluez_add_device(bench->fake, "/org/bluez/hci1", STRAP, "random");
  g_autofree char *on_10 =
      fake_bluez_add_device(bench->fake, "/org/bluez/hci10", POD, "public");
  fake_bluez_set(bench->fake, on_1, FAKE_DEVICE, "Connected", g_variant_new_boolean(TRUE));
  fake_bluez_set(bench->fake, on_10, FAKE_DEVICE, "Connected", g_variant_new_boolean(TRUE));
  bench_start_with(bench, bench_options());
  bench_wait(bench, PL_LINK_CONNECTED);
  bench_wait(bench, PL_LINK_CONNECTED);

  /* Only the adapter's own removal is signalled. */
  static const char *const interfaces[] = {FAKE_ADAPTER, NULL};
  fake_bluez_signal(bench->fake, "/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
                    g_variant_new("(o^as)", "/org/bluez/hci1", interfaces));
  int gone = bench_expect(bench, PL_LINK_ADAPTER_GONE)->adapter;
  PlBluezAdapterFacts facts;
  unsigned links = 0;
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    if (pl_bluez_adapter_facts(bench->bluez, i, &facts)) {
      links += facts.links;
      g_assert_cmpint(facts.present, ==, i != gone);
    }
  g_assert_cmpuint(links, ==, 1);
  g_free(bench->strap);
  bench->strap = g_strdup(on_10);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_DISCONNECTED), ==, 0);
}

/* What the kernel knows and BlueZ does not tell: where the radio hangs, and rfkill. */
static void
test_sysfs(Bench *bench, gconstpointer data) {
  g_autofree char *root = g_dir_make_tmp("plumbline-sysfs-XXXXXX", NULL);
  g_autofree char *class = g_build_filename(root, "class", "bluetooth", NULL);
  g_autofree char *board = g_build_filename(root, "devices", "soc", "serial0-0", NULL);
  g_autofree char *rfkill = g_build_filename(board, "rfkill0", NULL);
  g_autofree char *soft = g_build_filename(rfkill, "soft", NULL);
  g_autofree char *hci0 = g_build_filename(class, "hci0", NULL);
  g_autofree char *hci1 = g_build_filename(class, "hci1", NULL);
  g_assert_cmpint(g_mkdir_with_parents(class, 0700), ==, 0);
  g_assert_cmpint(g_mkdir_with_parents(rfkill, 0700), ==, 0);
  g_assert_cmpint(symlink(board, hci0), ==, 0);
  g_assert_cmpint(symlink("../../devices/pci0/usb1/1-2/bluetooth/hci1", hci1), ==, 0);
  g_assert_true(g_file_set_contents(soft, "1\n", -1, NULL));

  PlBluezOptions options = bench_options();
  options.sysfs = root;
  bench_start_with(bench, options);
  g_assert_true(bench_expect(bench, PL_LINK_ADAPTER)->builtin);
  fake_bluez_add_adapter(bench->fake, "/org/bluez/hci1", "00:11:22:33:44:66");
  g_assert_false(bench_expect(bench, PL_LINK_ADAPTER)->builtin);
  PlBluezAdapterFacts facts;
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 0, &facts));
  g_assert_true(facts.builtin);
  g_assert_true(facts.blocked);
  g_assert_true(pl_bluez_adapter_facts(bench->bluez, 1, &facts));
  g_assert_false(facts.blocked);

  const char *const rubbish[] = {soft, rfkill, board, hci0, hci1};
  for (size_t i = 0; i < G_N_ELEMENTS(rubbish); i++)
    g_remove(rubbish[i]);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  BENCH_TEST("/edge/bluez/scan", test_scan);
  BENCH_TEST("/edge/bluez/scan-errors", test_scan_errors);
  BENCH_TEST("/edge/bluez/scan-in-progress", test_scan_in_progress);
  BENCH_TEST("/edge/bluez/scan-wish-changes", test_scan_wish_changes);
  BENCH_TEST("/edge/bluez/scan-without-adapter", test_scan_without_adapter);
  BENCH_TEST("/edge/bluez/power", test_power);
  BENCH_TEST("/edge/bluez/power-blocked", test_power_blocked);
  BENCH_TEST("/edge/bluez/adapter-renumbered", test_renumbered);
  BENCH_TEST("/edge/bluez/adapter-stale-answer", test_stale_answer);
  BENCH_TEST("/edge/bluez/adapter-without-address", test_without_address);
  BENCH_TEST("/edge/bluez/adapter-listed-only", test_listed_only);
  BENCH_TEST("/edge/bluez/adapter-not-central", test_not_central);
  BENCH_TEST("/edge/bluez/adapter-too-many", test_too_many);
  BENCH_TEST("/edge/bluez/adapter-prefix", test_prefix);
  BENCH_TEST("/edge/bluez/adapter-sysfs", test_sysfs);
  return g_test_run();
}
