/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/timedate.h"

#include <gio/gio.h>

/* With a systemd-timedated of our own on a private bus. */

typedef struct {
  GTestDBus *dbus;
  GDBusConnection *bus;
  GDBusNodeInfo *node;
  GVariant *value; /* what it answers; NULL: an error */
  unsigned asked;
} Fixture;

static GVariant *
on_get(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
       const char *name, GError **error, gpointer data) {
  Fixture *fixture = data;
  g_assert_cmpstr(name, ==, "NTPSynchronized");
  fixture->asked++;
  if (fixture->value != NULL)
    return g_variant_ref(fixture->value);
  g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "not today");
  return NULL;
}

static void
set_up(Fixture *fixture, gconstpointer type) {
  static const GDBusInterfaceVTable table = {.get_property = on_get};
  g_autoptr(GError) error = NULL;
  g_autofree char *xml = g_strdup_printf("<node><interface name='org.freedesktop.timedate1'>"
                                         "<property name='NTPSynchronized' type='%s' "
                                         "access='read'/></interface></node>",
                                         (const char *)type);

  fixture->dbus = g_test_dbus_new(G_TEST_DBUS_NONE);
  g_test_dbus_up(fixture->dbus);
  fixture->bus =
      g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(fixture->dbus),
                                             G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                 G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                             NULL, NULL, &error);
  g_assert_no_error(error);
  fixture->node = g_dbus_node_info_new_for_xml(xml, &error);
  g_assert_no_error(error);
  g_dbus_connection_register_object(fixture->bus, "/org/freedesktop/timedate1",
                                    fixture->node->interfaces[0], &table, fixture, NULL,
                                    &error);
  g_assert_no_error(error);
  g_autoptr(GVariant) owned = g_dbus_connection_call_sync(
      fixture->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new("(su)", "org.freedesktop.timedate1", 0), NULL,
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error(error);
  g_assert_nonnull(owned);
}

static void
tear_down(Fixture *fixture, gconstpointer type) {
  g_clear_pointer(&fixture->value, g_variant_unref);
  g_object_unref(fixture->bus);
  g_dbus_node_info_unref(fixture->node);
  while (g_main_context_iteration(NULL, FALSE)) {
  }
  g_test_dbus_down(fixture->dbus);
  g_object_unref(fixture->dbus);
}

static gboolean
on_tick(gpointer data) {
  return G_SOURCE_CONTINUE; /* wakes the loop */
}

/* Turns the main loop until the clock is said to be right, at most so long. */
static bool
becomes_synced(PlTimedate *timedate, gint64 seconds) {
  gint64 until_us = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
  guint tick = g_timeout_add(20, on_tick, NULL);
  while (!pl_timedate_synced(timedate) && g_get_monotonic_time() < until_us)
    g_main_context_iteration(NULL, TRUE);
  g_source_remove(tick);
  return pl_timedate_synced(timedate);
}

static void
test_synced(Fixture *fixture, gconstpointer type) {
  g_autoptr(PlTimedate) timedate = pl_timedate_new(g_test_dbus_get_bus_address(fixture->dbus));
  fixture->value = g_variant_ref_sink(g_variant_new_boolean(TRUE));
  g_assert_false(pl_timedate_synced(timedate)); /* it does not wait for an answer */
  g_assert_true(becomes_synced(timedate, 20));
  for (int i = 0; i < 100; i++)
    g_assert_true(pl_timedate_synced(timedate));
  while (g_main_context_iteration(NULL, FALSE)) {
  }
  g_assert_cmpuint(fixture->asked, ==, 1);
}

static void
assert_unsynced(Fixture *fixture) {
  g_autoptr(PlTimedate) timedate = pl_timedate_new(g_test_dbus_get_bus_address(fixture->dbus));
  g_assert_false(becomes_synced(timedate, 1));
}

static void
test_unsynced(Fixture *fixture, gconstpointer type) {
  fixture->value = g_variant_ref_sink(g_variant_new_boolean(FALSE));
  assert_unsynced(fixture);
  g_assert_cmpuint(fixture->asked, ==, 1);
}

static void
test_refused(Fixture *fixture, gconstpointer type) {
  assert_unsynced(fixture);
}

static void
test_wrong_type(Fixture *fixture, gconstpointer type) {
  fixture->value = g_variant_ref_sink(g_variant_new_string("yes"));
  assert_unsynced(fixture);
  g_assert_cmpuint(fixture->asked, ==, 1);
}

static void
test_no_bus(void) {
  g_autoptr(PlTimedate) timedate = pl_timedate_new("unix:path=/nonexistent/bus");
  g_assert_false(becomes_synced(timedate, 1));
}

/* Whatever is on its way when it ends comes to nobody. */
static void
test_free_early(Fixture *fixture, gconstpointer type) {
  fixture->value = g_variant_ref_sink(g_variant_new_boolean(TRUE));
  PlTimedate *timedate = pl_timedate_new(g_test_dbus_get_bus_address(fixture->dbus));
  pl_timedate_synced(timedate);
  pl_timedate_free(timedate);
  pl_timedate_free(NULL);
  for (int i = 0; i < 20; i++)
    g_main_context_iteration(NULL, FALSE);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/timedate/synced", Fixture, "b", set_up, test_synced, tear_down);
  g_test_add("/timedate/unsynced", Fixture, "b", set_up, test_unsynced, tear_down);
  g_test_add("/timedate/refused", Fixture, "b", set_up, test_refused, tear_down);
  g_test_add("/timedate/wrong-type", Fixture, "s", set_up, test_wrong_type, tear_down);
  g_test_add("/timedate/free-early", Fixture, "b", set_up, test_free_early, tear_down);
  g_test_add_func("/timedate/no-bus", test_no_bus);
  return g_test_run();
}
