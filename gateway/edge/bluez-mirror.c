/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

enum {
  REPAIR_US = 60 * G_USEC_PER_SEC,
  SNAPSHOT_RETRY_MS = 5000,
};

/* In this order, so that the object that another one belongs to is known first. */
static const struct {
  const char *interface;
  void (*apply)(PlBluez *self, const char *path, GVariant *properties, PlBluezNews news);
  void (*removed)(PlBluez *self, const char *path);
} kinds[] = {
    {PL_BLUEZ_ADAPTER, pl_bluez_adapter_apply, pl_bluez_adapter_removed},
    {PL_BLUEZ_DEVICE, pl_bluez_device_apply, pl_bluez_device_removed},
    {PL_BLUEZ_CHARACTERISTIC, pl_bluez_characteristic_apply, pl_bluez_characteristic_removed},
    {PL_BLUEZ_BATTERY, pl_bluez_battery_apply, NULL},
};

/* -- signals --------------------------------------------------------------------------- */

static void
properties_changed(PlBluez *self, const char *path, GVariant *arguments) {
  const char *interface;
  g_autoptr(GVariant) properties = NULL;

  if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sa{sv}as)")))
    return;
  g_variant_get_child(arguments, 0, "&s", &interface);
  properties = g_variant_get_child_value(arguments, 1);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    if (g_str_equal(interface, kinds[i].interface)) {
      kinds[i].apply(self, path, properties, PL_BLUEZ_CHANGED);
      return;
    }
  }
}

static void
apply_kind(PlBluez *self, size_t kind, const char *path, GVariant *interfaces,
           PlBluezNews news) {
  g_autoptr(GVariant) properties =
      g_variant_lookup_value(interfaces, kinds[kind].interface, G_VARIANT_TYPE_VARDICT);
  if (properties)
    kinds[kind].apply(self, path, properties, news);
}

static void
interfaces_added(PlBluez *self, GVariant *arguments) {
  const char *path;
  g_autoptr(GVariant) interfaces = NULL;

  if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(oa{sa{sv}})")))
    return;
  g_variant_get(arguments, "(&o@a{sa{sv}})", &path, &interfaces);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    apply_kind(self, i, path, interfaces, PL_BLUEZ_ADDED);
}

static void
interfaces_removed(PlBluez *self, GVariant *arguments) {
  const char *path;
  g_autofree const char **interfaces = NULL;

  if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(oas)")))
    return;
  g_variant_get(arguments, "(&o^a&s)", &path, &interfaces);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (kinds[i].removed && g_strv_contains(interfaces, kinds[i].interface))
      kinds[i].removed(self, path);
}

/* A signal that comes before the first snapshot was sent before it, so that the snapshot knows
 * it already. */
static void
on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
          const char *signal, GVariant *arguments, gpointer data) {
  PlBluez *self = data;

  if (!self->ready)
    return;
  if (g_str_equal(signal, "PropertiesChanged"))
    properties_changed(self, path, arguments);
  else if (g_str_equal(signal, "InterfacesAdded"))
    interfaces_added(self, arguments);
  else if (g_str_equal(signal, "InterfacesRemoved"))
    interfaces_removed(self, arguments);
}

/* By the unique name of the owner: what others send, even to us alone, does not get through. */
static guint
subscribe(PlBluez *self, const char *interface, const char *signal) {
  return g_dbus_connection_signal_subscribe(self->bus, self->owner, interface, signal, NULL,
                                            NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_signal, self,
                                            NULL);
}

/* -- snapshots ------------------------------------------------------------------------- */

/* What the snapshot did not tell of is gone. */
static void
sweep(PlBluez *self) {
  GHashTableIter iter;
  gpointer value;
  g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);

  g_hash_table_iter_init(&iter, self->characteristics);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    PlBluezCharacteristic *characteristic = value;
    if (characteristic->round != self->round)
      g_ptr_array_add(gone, g_strdup(characteristic->path));
  }
  for (guint i = 0; i < gone->len; i++)
    pl_bluez_characteristic_removed(self, g_ptr_array_index(gone, i));
  g_ptr_array_set_size(gone, 0);
  g_hash_table_iter_init(&iter, self->devices);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    PlBluezDevice *device = value;
    if (device->round != self->round)
      g_ptr_array_add(gone, g_strdup(device->path));
  }
  for (guint i = 0; i < gone->len; i++)
    pl_bluez_device_removed(self, g_ptr_array_index(gone, i));
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    g_autofree char *path = g_strdup(self->adapters[i].path);
    if (path && self->adapters[i].round != self->round)
      pl_bluez_adapter_removed(self, path);
  }
}

static void
apply_snapshot(PlBluez *self, GVariant *objects) {
  self->round++;
  self->in_snapshot = true;
  for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;
    g_variant_iter_init(&iter, objects);
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
      apply_kind(self, kind, path, interfaces, PL_BLUEZ_SNAPSHOT);
  }
  sweep(self);
  self->in_snapshot = false;
  g_autoptr(GList) devices = g_hash_table_get_values(self->devices);
  for (GList *at = devices; at; at = at->next)
    pl_bluez_device_settled(at->data);
}

static gboolean
retry_snapshot(gpointer data) {
  PlBluez *self = data;
  self->retry_timer = 0;
  pl_bluez_refresh(self);
  return G_SOURCE_REMOVE;
}

static void
on_objects(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluez *self = call->bluez;

  self->snapshot_busy = false;
  if (error) {
    if (!self->ready && self->retry_timer == 0)
      self->retry_timer = pl_bluez_timer(self, SNAPSHOT_RETRY_MS, retry_snapshot, self);
    return;
  }
  g_autoptr(GVariant) objects = g_variant_get_child_value(reply, 0);
  self->ready = true;
  apply_snapshot(self, objects);
}

void
pl_bluez_refresh(PlBluez *self) {
  if (self->snapshot_busy)
    return;
  self->snapshot_busy = true;
  pl_bluez_call_send(pl_bluez_call_new(self, "/", on_objects), PL_BLUEZ_OBJECTS,
                     "GetManagedObjects", NULL, "(a{oa{sa{sv}}})", PL_BLUEZ_OBJECTS_MS);
}

bool
pl_bluez_repair(PlBluez *self) {
  int64_t now_us = self->now_us();
  if (self->repaired_us != INT64_MIN && now_us - self->repaired_us < REPAIR_US)
    return false;
  self->repaired_us = now_us;
  pl_bluez_refresh(self);
  return true;
}

void
pl_bluez_mirror_start(PlBluez *self) {
  self->subscriptions[0] = subscribe(self, PL_BLUEZ_PROPERTIES, "PropertiesChanged");
  self->subscriptions[1] = subscribe(self, PL_BLUEZ_OBJECTS, "InterfacesAdded");
  self->subscriptions[2] = subscribe(self, PL_BLUEZ_OBJECTS, "InterfacesRemoved");
  pl_bluez_refresh(self);
}

void
pl_bluez_mirror_stop(PlBluez *self) {
  for (size_t i = 0; i < G_N_ELEMENTS(self->subscriptions); i++)
    g_dbus_connection_signal_unsubscribe(self->bus, self->subscriptions[i]);
  self->ready = false;
  self->snapshot_busy = false;
  pl_bluez_listing_abandon(self->listing);
  g_autoptr(GList) devices = g_hash_table_get_values(self->devices);
  for (GList *at = devices; at; at = at->next)
    pl_bluez_gatt_end(at->data);
  g_hash_table_remove_all(self->devices);
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    pl_bluez_adapter_forget(&self->adapters[i]);
  for (size_t i = 0; i < self->sensor_count; i++) {
    self->sensors[i].asked = PL_NO_ADAPTER;
    self->sensors[i].progress = PL_BLUEZ_NOT_ASKED;
    self->sensors[i].no_acquire = false;
  }
}
