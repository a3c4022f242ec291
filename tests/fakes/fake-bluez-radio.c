/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-bluez-private.h"

#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the methods of BlueZ 5.66 do, as measured in a virtual machine against the real one. */

typedef struct {
  FakeBluez *fake;
  char *path;
} FakeLater;

static void
later_free(gpointer data) {
  FakeLater *later = data;
  g_free(later->path);
  g_free(later);
}

static void
later(FakeBluez *fake, FakeObject *object, unsigned ms, GSourceFunc function) {
  FakeLater *data = g_new0(FakeLater, 1);
  data->fake = fake;
  data->path = g_strdup(object->path);
  g_clear_handle_id(&object->timer, g_source_remove);
  object->timer = g_timeout_add_full(G_PRIORITY_DEFAULT, ms, function, data, later_free);
}

static bool
is_on(FakeBluez *fake, FakeObject *device, const char *name) {
  return fake_bluez_get_bool(fake, device->path, FAKE_DEVICE, name);
}

static void
set_bool(FakeBluez *fake, const char *path, const char *interface, const char *name,
         bool value) {
  if (fake_bluez_get_bool(fake, path, interface, name) != value)
    fake_bluez_set(fake, path, interface, name, g_variant_new_boolean(value));
}

/* -- GATT ------------------------------------------------------------------------------ */

static void
close_socket(FakeBluez *fake, FakeObject *object) {
  g_clear_handle_id(&object->hang_up, g_source_remove);
  if (object->fd < 0)
    return;
  close(object->fd);
  object->fd = -1;
  set_bool(fake, object->path, FAKE_CHARACTERISTIC, "NotifyAcquired", false);
}

void
fake_bluez_close_socket(FakeBluez *fake, const char *characteristic) {
  close_socket(fake, fake_object(fake, characteristic));
}

static gboolean
on_hang_up_noticed(gpointer data) {
  FakeLater *closed = data;
  FakeObject *object = fake_object(closed->fake, closed->path);
  object->timer = 0;
  close_socket(closed->fake, object);
  return G_SOURCE_REMOVE;
}

static gboolean
on_hang_up(gint fd, GIOCondition condition, gpointer data) {
  FakeLater *closed = data;
  FakeObject *object = fake_object(closed->fake, closed->path);
  object->hang_up = 0;
  later(closed->fake, object, closed->fake->times.hang_up_ms, on_hang_up_noticed);
  return G_SOURCE_REMOVE;
}

/* Objects outlive the link, and so does a session of StartNotify: after the next connection
 * notifications come without a call. */
static void
end_sockets(FakeBluez *fake, FakeObject *device) {
  g_autoptr(GList) below = fake_below(fake, device->path);
  for (GList *at = below; at; at = at->next)
    close_socket(fake, fake_object(fake, at->data));
}

static FakeObject *
device_of(FakeBluez *fake, FakeObject *characteristic) {
  FakeObject *service = fake_parent(fake, characteristic->path);
  return service ? fake_parent(fake, service->path) : NULL;
}

static void
export_attribute(FakeBluez *fake, FakeObject *device, const FakeAttribute *attribute) {
  GVariantBuilder builder;
  g_autofree char *path = fake_bluez_characteristic(device->path, attribute->handle);
  g_autofree char *service = g_path_get_dirname(path);
  g_auto(GStrv) flags = g_strsplit(attribute->flags, " ", 0);

  if (fake_object(fake, path))
    return;
  if (!fake_object(fake, service)) {
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "Device", g_variant_new_object_path(device->path));
    fake_bluez_add(fake, service, FAKE_SERVICE, g_variant_builder_end(&builder));
  }
  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&builder, "{sv}", "UUID", g_variant_new_string(attribute->uuid));
  g_variant_builder_add(&builder, "{sv}", "Service", g_variant_new_object_path(service));
  g_variant_builder_add(&builder, "{sv}", "Flags",
                        g_variant_new_strv((const char *const *)flags, -1));
  g_variant_builder_add(&builder, "{sv}", "Notifying", g_variant_new_boolean(FALSE));
  if (strstr(attribute->flags, "notify"))
    g_variant_builder_add(&builder, "{sv}", "NotifyAcquired", g_variant_new_boolean(FALSE));
  fake_bluez_add(fake, path, FAKE_CHARACTERISTIC, g_variant_builder_end(&builder));
}

static void
export_all(FakeBluez *fake, FakeObject *device) {
  for (guint i = 0; i < device->attributes->len; i++)
    export_attribute(fake, device, g_ptr_array_index(device->attributes, i));
}

static void
start_notify(FakeBluez *fake, FakeObject *object, GDBusMessage *call) {
  if (object->fd >= 0) {
    fake_fail(fake, call, "NotPermitted", "Notify acquired");
  } else if (object->session && !is_on(fake, device_of(fake, object), "Connected")) {
    fake_fail(fake, call, "InProgress", "In Progress");
  } else {
    object->session = true;
    set_bool(fake, object->path, FAKE_CHARACTERISTIC, "Notifying", true);
    fake_reply(fake, call, NULL);
  }
}

static void
stop_notify(FakeBluez *fake, FakeObject *object, GDBusMessage *call) {
  if (object->fd >= 0)
    fake->violations++; /* it crashes the real one */
  if (!object->session) {
    fake_fail(fake, call, "Failed", "No notify session started");
    return;
  }
  object->session = false;
  set_bool(fake, object->path, FAKE_CHARACTERISTIC, "Notifying", false);
  fake_reply(fake, call, NULL);
}

static void
acquire_notify(FakeBluez *fake, FakeObject *object, GDBusMessage *call) {
  int ends[2];
  g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
  g_autoptr(GDBusMessage) reply = g_dbus_message_new_method_reply(call);

  if (object->fd >= 0 || object->session) {
    fake_fail(fake, call, object->session ? "InProgress" : "NotPermitted", "Notify acquired");
    return;
  }
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), ==, 0);
  g_assert_cmpint(g_unix_fd_list_append(fds, ends[1], NULL), ==, 0);
  close(ends[1]);
  object->fd = ends[0];
  FakeLater *closed = g_new0(FakeLater, 1);
  closed->fake = fake;
  closed->path = g_strdup(object->path);
  object->hang_up =
      g_unix_fd_add_full(G_PRIORITY_DEFAULT, ends[0], G_IO_HUP, on_hang_up, closed, later_free);
  set_bool(fake, object->path, FAKE_CHARACTERISTIC, "NotifyAcquired", true);
  g_dbus_message_set_body(reply, g_variant_new("(hq)", 0, 517));
  g_dbus_message_set_unix_fd_list(reply, fds);
  g_dbus_connection_send_message(fake->bus, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* What is read is also signalled. */
static void
read_value(FakeBluez *fake, FakeObject *object, GDBusMessage *call) {
  GVariant *value = fake_bluez_get(fake, object->path, FAKE_CHARACTERISTIC, "Value");
  g_autoptr(GVariant) bytes =
      value ? g_variant_ref(value)
            : g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, "", 0, 1));
  fake_bluez_set(fake, object->path, FAKE_CHARACTERISTIC, "Value", bytes);
  fake_reply(fake, call, g_variant_new("(@ay)", bytes));
}

static bool
act_characteristic(FakeBluez *fake, FakeObject *object, GDBusMessage *call,
                   const char *method) {
  if (!is_on(fake, device_of(fake, object), "Connected") && !g_str_equal(method, "StartNotify"))
    fake_fail(fake, call, "Failed", "Not connected");
  else if (g_str_equal(method, "StartNotify"))
    start_notify(fake, object, call);
  else if (g_str_equal(method, "StopNotify"))
    stop_notify(fake, object, call);
  else if (g_str_equal(method, "AcquireNotify"))
    acquire_notify(fake, object, call);
  else if (g_str_equal(method, "ReadValue"))
    read_value(fake, object, call);
  else if (g_str_equal(method, "WriteValue"))
    fake_reply(fake, call, NULL);
  else
    return false;
  return true;
}

bool
fake_bluez_notify(FakeBluez *fake, const char *characteristic, const void *data,
                  size_t length) {
  FakeObject *object = fake_object(fake, characteristic);

  if (object->fd >= 0)
    return send(object->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
  if (!object->session || !is_on(fake, device_of(fake, object), "Connected"))
    return false;
  fake_bluez_set(fake, characteristic, FAKE_CHARACTERISTIC, "Value",
                 g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, length, 1));
  return true;
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
  end_sockets(fake, device);
  set_bool(fake, path, FAKE_DEVICE, "ServicesResolved", false);
  set_bool(fake, path, FAKE_DEVICE, "Connected", false);
}

static gboolean
on_objects(gpointer data) {
  FakeLater *due = data;
  FakeObject *device = fake_object(due->fake, due->path);
  device->timer = 0;
  export_all(due->fake, device);
  return G_SOURCE_REMOVE;
}

static gboolean
on_resolved(gpointer data) {
  FakeLater *due = data;
  FakeBluez *fake = due->fake;
  FakeObject *device = fake_object(fake, due->path);

  device->timer = 0;
  if (fake->times.objects_ms == 0)
    export_all(fake, device);
  set_bool(fake, device->path, FAKE_DEVICE, "ServicesResolved", true);
  if (fake->times.objects_ms > 0)
    later(fake, device, fake->times.objects_ms, on_objects);
  return G_SOURCE_REMOVE;
}

/* The reply comes before the services are known. */
static gboolean
on_connected(gpointer data) {
  FakeLater *due = data;
  FakeObject *device = fake_object(due->fake, due->path);

  device->timer = 0;
  set_bool(due->fake, device->path, FAKE_DEVICE, "Connected", true);
  answer_connect(due->fake, device, NULL, NULL);
  later(due->fake, device, due->fake->times.resolve_ms, on_resolved);
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
  } else if (is_on(fake, device, "Connected")) {
    fake_reply(fake, call, NULL);
  } else {
    fake->violations += adapter->session || pending_connects(fake, adapter) > 0;
    device->pending = g_object_ref(call);
    if (device->absent)
      later(fake, device, fake->times.give_up_ms, on_given_up);
    else
      later(fake, device, fake->times.connect_ms, on_connected);
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
  if (is_on(fake, device, "Connected")) {
    g_set_object(&device->ending, call);
    later(fake, device, fake->times.disconnect_ms, on_disconnected);
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
  set_bool(fake, adapter->path, FAKE_ADAPTER, "Discovering", false);
}

static void
set_powered(FakeBluez *fake, FakeObject *adapter, bool on) {
  g_autoptr(GList) below = fake_below(fake, adapter->path);

  for (GList *at = below; at && !on; at = at->next)
    if (fake_has(fake_object(fake, at->data), FAKE_DEVICE))
      fake_bluez_drop(fake, at->data);
  if (!on)
    stop_session(fake, adapter);
  set_bool(fake, adapter->path, FAKE_ADAPTER, "Powered", on);
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
      set_bool(fake, object->path, FAKE_ADAPTER, "Discovering", true);
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
         act_characteristic(fake, object, call, method);
}

void
fake_object_end(FakeBluez *fake, FakeObject *object) {
  if (object->pending)
    answer_connect(fake, object, "Failed", "br-connection-canceled");
  if (object->fd >= 0)
    close_socket(fake, object);
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
fake_bluez_give(FakeBluez *fake, const char *device, unsigned handle, const char *uuid,
                const char *flags) {
  FakeAttribute *attribute = g_new0(FakeAttribute, 1);
  attribute->handle = handle;
  attribute->uuid = g_strdup(uuid);
  attribute->flags = g_strdup(flags);
  g_ptr_array_add(fake_object(fake, device)->attributes, attribute);
}

char *
fake_bluez_characteristic(const char *device, unsigned handle) {
  return g_strdup_printf("%s/service%04x/char%04x", device, handle & ~0xfu, handle);
}

void
fake_bluez_advertise(FakeBluez *fake, const char *device, int rssi_dbm) {
  fake_bluez_set(fake, device, FAKE_DEVICE, "RSSI", g_variant_new_int16((int16_t)rssi_dbm));
}

void
fake_bluez_set_absent(FakeBluez *fake, const char *device, bool absent) {
  fake_object(fake, device)->absent = absent;
}
