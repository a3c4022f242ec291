/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/timedate.h"

#include <gio/gio.h>

enum { CALL_TIMEOUT_MS = 5000 };

static const gint64 ask_unsynced_us = 15 * G_USEC_PER_SEC;
static const gint64 ask_synced_us = 600 * G_USEC_PER_SEC;

struct PlTimedate {
  char *address;
  GDBusConnection *bus; /* NULL: none yet */
  GCancellable *cancellable;
  bool synced, asking;
  gint64 asked_us; /* monotonic; 0: never */
};

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GVariant) answer =
      g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
  PlTimedate *self = data;

  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->asking = false;
  if (answer == NULL)
    return; /* nobody knows: what was said last still holds */
  g_autoptr(GVariant) value = NULL;
  g_variant_get(answer, "(v)", &value);
  if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
    self->synced = g_variant_get_boolean(value);
}

static void
call(PlTimedate *self) {
  g_dbus_connection_call(self->bus, "org.freedesktop.timedate1", "/org/freedesktop/timedate1",
                         "org.freedesktop.DBus.Properties", "Get",
                         g_variant_new("(ss)", "org.freedesktop.timedate1", "NTPSynchronized"),
                         G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT_MS,
                         self->cancellable, on_answer, self);
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer data) {
  g_autoptr(GError) error = NULL;
  GDBusConnection *bus = g_dbus_connection_new_for_address_finish(result, &error);
  PlTimedate *self = data;

  (void)source;
  if (bus == NULL && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->bus = bus;
  if (bus != NULL)
    call(self);
  else
    self->asking = false;
}

static void
ask(PlTimedate *self) {
  self->asked_us = g_get_monotonic_time();
  if (self->bus != NULL && g_dbus_connection_is_closed(self->bus))
    g_clear_object(&self->bus);
  self->asking = true;
  if (self->bus != NULL) {
    call(self);
    return;
  }
  g_autofree char *address =
      self->address != NULL ? g_strdup(self->address)
                            : g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
  if (address == NULL) {
    self->asking = false;
    return;
  }
  g_dbus_connection_new_for_address(address,
                                    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                    NULL, self->cancellable, on_connected, self);
}

PlTimedate *
pl_timedate_new(const char *address) {
  PlTimedate *self = g_new0(PlTimedate, 1);
  self->address = g_strdup(address);
  self->cancellable = g_cancellable_new();
  return self;
}

void
pl_timedate_free(PlTimedate *self) {
  if (self == NULL)
    return;
  g_cancellable_cancel(self->cancellable);
  g_object_unref(self->cancellable);
  g_clear_object(&self->bus);
  g_free(self->address);
  g_free(self);
}

bool
pl_timedate_synced(PlTimedate *self) {
  gint64 every_us = self->synced ? ask_synced_us : ask_unsynced_us;
  if (!self->asking &&
      (self->asked_us == 0 || g_get_monotonic_time() - self->asked_us >= every_us))
    ask(self);
  return self->synced;
}
