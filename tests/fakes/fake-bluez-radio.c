/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-bluez-private.h"

#include <string.h>

/* What the methods of BlueZ 5.66 do, as measured in a virtual machine against the real one. */

void
fake_later_free(gpointer data) {
  FakeLater *later = data;
  g_free(later->path);
  g_free(later);
}

void
fake_later(FakeBluez *fake, FakeObject *object, unsigned ms, GSourceFunc function) {
  FakeLater *data = g_new0(FakeLater, 1);
  data->fake = fake;
  data->path = g_strdup(object->path);
  g_clear_handle_id(&object->timer, g_source_remove);
  object->timer = g_timeout_add_full(G_PRIORITY_DEFAULT, ms, function, data, fake_later_free);
}

bool
fake_is_on(FakeBluez *fake, FakeObject *device, const char *name) {
  return fake_bluez_get_bool(fake, device->path, FAKE_DEVICE, name);
}

void
fake_set_bool(FakeBluez *fake, const char *path, const char *interface, const char *name,
              bool value) {
  if (fake_bluez_get_bool(fake, path, interface, name) != value)
    fake_bluez_set(fake, path, interface, name, g_variant_new_boolean(value));
}

/* -- links ----------------------------------------------------------------------------- */

static void
answer_connect(FakeBluez *fake, FakeObject *device, const char *error, const char *text) {
  g_autoptr(GDBusMessage) call = g_steal_pointer(&device->pending);

  g_clear_handle_id(&device->timer, g_source_remove);
  if (!call)
    return;
  if (error)
    fake_fail(fake, call, error, text);
  else
    fake_reply(fake, call, NULL);
}

void
fake_bluez_drop(FakeBluez *fake, const char *path) {
  FakeObject *device = fake_object(fake, path);

  g_clear_handle_id(&device->timer, g_source_remove);
  fake_end_sockets(fake, device);
  fake_set_bool(fake, path, FAKE_DEVICE, "ServicesResolved", false);
  fake_set_bool(fake, path, FAKE_DEVICE, "Connected", false);
}

static gboolean
on_objects(gpointer data) {
  FakeLater *due = data;
  FakeObject *device = fake_object(due->fake, due->path);
  device->timer = 0;
  fake_export_all(due->fake, device);
  return G_SOURCE_REMOVE;
}

static gboolean
on_resolved(gpointer data) {
  FakeLater *due = data;
  FakeBluez *fake = due->fake;
  FakeObject *device = fake_object(fake, due->path);

  device->timer = 0;
  if (fake->times.objects_ms == 0)
    fake_export_all(fake, device);
  fake_set_bool(fake, device->path, FAKE_DEVICE, "ServicesResolved", true);
  if (fake->times.objects_ms > 0)
    fake_later(fake, device, fake->times.objects_ms, on_objects);
  return G_SOURCE_REMOVE;
}

/* The reply comes before the services are known. */
static gboolean
on_connected(gpointer data) {
  FakeLater *due = data;
  FakeObject *device = fake_object(due->fake, due->path);

  device->timer = 0;
  fake_set_bool(due->fake, device->path, FAKE_DEVICE, "Connected", true);
  answer_connect(due->fake, device, NULL, NULL);
  fake_later(due->fake, device, due->fake->times.resolve_ms, on_resolved);
  return G_SOURCE_REMOVE;
}

static gboolean
on_given_up(gpointer data) {
  FakeLater *due = data;
  FakeObject *device = fake_object(due->fake, due->path);
  device->timer = 0;
  answer_connect(due->fake, device, "Failed", "le-connection-abort-by-local");
  return G_SOURCE_REMOVE;
}

static unsigned
pending_connects(FakeBluez *fake, FakeObject *adapter) {
  g_autoptr(GList) below = fake_below(fake, adapter->path);
  unsigned pending = 0;

  for (GList *at = below; at; at = at->next)
    pending += fake_object(fake, at->data)->pending != NULL;
  return pending;
}

static void
connect_device(FakeBluez *fake, FakeObject *device, GDBusMessage *call) {
  FakeObject *adapter = fake_parent(fake, device->path);

  if (!fake_bluez_get_bool(fake, adapter->path, FAKE_ADAPTER, "Powered")) {
    fake_fail(fake, call, "Failed", "Input/output error");
  } else if (device->pending) {
    fake_fail(fake, call, "Failed", "Operation already in progress");
  } else if (fake_is_on(fake, device, "Connected")) {
    fake_reply(fake, call, NULL);
  } else {
    fake->violations += adapter->session || pending_connects(fake, adapter) > 0;
    device->pending = g_object_ref(call);
    if (device->absent)
      fake_later(fake, device, fake->times.give_up_ms, on_given_up);
    else
      fake_later(fake, device, fake->times.connect_ms, on_connected);
  }
}

static gboolean
on_disconnected(gpointer data) {
  FakeLater *due = data;
  FakeBluez *fake = due->fake;
  FakeObject *device = fake_object(fake, due->path);
  g_autoptr(GDBusMessage) call = g_steal_pointer(&device->ending);

  device->timer = 0;
  fake_reply(fake, call, NULL);
  fake_bluez_drop(fake, device->path);
  return G_SOURCE_REMOVE;
}

static void
disconnect_device(FakeBluez *fake, FakeObject *device, GDBusMessage *call) {
  bool was_pending = device->pending != NULL;

  answer_connect(fake, device, "Failed", "br-connection-canceled");
  if (fake_is_on(fake, device, "Connected")) {
    g_set_object(&device->ending, call);
    fake_later(fake, device, fake->times.disconnect_ms, on_disconnected);
  } else if (was_pending) {
    fake_reply(fake, call, NULL);
  } else {
    fake_fail(fake, call, "NotConnected", "Not Connected");
  }
}

static bool
act_device(FakeBluez *fake, FakeObject *object, GDBusMessage *call, const char *method) {
  if (g_str_equal(method, "Connect"))
    connect_device(fake, object, call);
  else if (g_str_equal(method, "Disconnect"))
    disconnect_device(fake, object, call);
  else
    return false;
  return true;
}

/* -- adapters -------------------------------------------------------------------------- */

static void
stop_session(FakeBluez *fake, FakeObject *adapter) {
  adapter->session = false;
  fake_set_bool(fake, adapter->path, FAKE_ADAPTER, "Discovering", false);
}

static void
set_powered(FakeBluez *fake, FakeObject *adapter, bool on) {
  g_autoptr(GList) below = fake_below(fake, adapter->path);

  for (GList *at = below; at && !on; at = at->next)
    if (fake_has(fake_object(fake, at->data), FAKE_DEVICE))
      fake_bluez_drop(fake, at->data);
  if (!on)
    stop_session(fake, adapter);
  fake_set_bool(fake, adapter->path, FAKE_ADAPTER, "Powered", on);
}

static bool
act_adapter(FakeBluez *fake, FakeObject *object, GDBusMessage *call, const char *method) {
  const char *path;

  if (g_str_equal(method, "StartDiscovery")) {
    if (!fake_bluez_get_bool(fake, object->path, FAKE_ADAPTER, "Powered")) {
      fake_fail(fake, call, "NotReady", "Resource Not Ready");
    } else if (object->session) {
      fake_fail(fake, call, "InProgress", "Operation already in progress");
    } else {
      object->session = true;
      fake_reply(fake, call, NULL);
      fake_set_bool(fake, object->path, FAKE_ADAPTER, "Discovering", true);
    }
  } else if (g_str_equal(method, "StopDiscovery")) {
    if (object->session)
      fake_reply(fake, call, NULL);
    else
      fake_fail(fake, call, "Failed", "No discovery started");
    stop_session(fake, object);
  } else if (g_str_equal(method, "SetDiscoveryFilter")) {
    fake_reply(fake, call, NULL);
  } else if (g_str_equal(method, "RemoveDevice")) {
    g_variant_get(g_dbus_message_get_body(call), "(&o)", &path);
    fake_bluez_remove(fake, path);
    fake_reply(fake, call, NULL);
  } else {
    return false;
  }
  return true;
}

bool
fake_act(FakeBluez *fake, FakeObject *object, GDBusMessage *call) {
  const char *method = g_dbus_message_get_member(call);
  g_autoptr(GVariant) value = NULL;

  if (fake_has(object, FAKE_ADAPTER) && g_str_equal(method, "Set")) {
    g_variant_get(g_dbus_message_get_body(call), "(&s&sv)", NULL, NULL, &value);
    fake_reply(fake, call, NULL);
    set_powered(fake, object, g_variant_get_boolean(value));
    return true;
  }
  if (fake_has(object, FAKE_ADAPTER))
    return act_adapter(fake, object, call, method);
  if (fake_has(object, FAKE_DEVICE))
    return act_device(fake, object, call, method);
  return fake_has(object, FAKE_CHARACTERISTIC) &&
         fake_act_characteristic(fake, object, call, method);
}

void
fake_object_end(FakeBluez *fake, FakeObject *object) {
  if (object->pending)
    answer_connect(fake, object, "Failed", "br-connection-canceled");
  if (object->fd >= 0)
    fake_bluez_close_socket(fake, object->path);
}

/* -- what a test sets up ------------------------------------------------------------------ */

void
fake_bluez_set_times(FakeBluez *fake, FakeTimes times) {
  fake->times = times;
}

void
fake_bluez_add_adapter(FakeBluez *fake, const char *path, const char *address) {
  static const char *const roles[] = {"central", "peripheral", NULL};
  GVariantBuilder builder;

  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&builder, "{sv}", "Address", g_variant_new_string(address));
  g_variant_builder_add(&builder, "{sv}", "Alias", g_variant_new_string("gateway"));
  g_variant_builder_add(&builder, "{sv}", "Powered", g_variant_new_boolean(TRUE));
  g_variant_builder_add(&builder, "{sv}", "Discovering", g_variant_new_boolean(FALSE));
  g_variant_builder_add(&builder, "{sv}", "Roles", g_variant_new_strv(roles, -1));
  fake_bluez_add(fake, path, FAKE_ADAPTER, g_variant_builder_end(&builder));
}

char *
fake_bluez_add_device(FakeBluez *fake, const char *adapter, const char *address,
                      const char *type) {
  GVariantBuilder builder;
  g_autofree char *underscored = g_strdelimit(g_strdup(address), ":", '_');
  char *path = g_strdup_printf("%s/dev_%s", adapter, underscored);

  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&builder, "{sv}", "Address", g_variant_new_string(address));
  g_variant_builder_add(&builder, "{sv}", "AddressType", g_variant_new_string(type));
  g_variant_builder_add(&builder, "{sv}", "Adapter", g_variant_new_object_path(adapter));
  g_variant_builder_add(&builder, "{sv}", "Paired", g_variant_new_boolean(FALSE));
  g_variant_builder_add(&builder, "{sv}", "Connected", g_variant_new_boolean(FALSE));
  g_variant_builder_add(&builder, "{sv}", "ServicesResolved", g_variant_new_boolean(FALSE));
  fake_bluez_add(fake, path, FAKE_DEVICE, g_variant_builder_end(&builder));
  return path;
}

void
fake_bluez_advertise(FakeBluez *fake, const char *device, int rssi_dbm) {
  fake_bluez_set(fake, device, FAKE_DEVICE, "RSSI", g_variant_new_int16((int16_t)rssi_dbm));
}

void
fake_bluez_set_absent(FakeBluez *fake, const char *device, bool absent) {
  fake_object(fake, device)->absent = absent;
}
