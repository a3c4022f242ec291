/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-bluez-private.h"

#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Characteristics, as BlueZ 5.66 treats them. */

static void
close_socket(FakeBluez *fake, FakeObject *object) {
  g_clear_handle_id(&object->hang_up, g_source_remove);
  if (object->fd < 0)
    return;
  close(object->fd);
  object->fd = -1;
  fake_set_bool(fake, object->path, FAKE_CHARACTERISTIC, "NotifyAcquired", false);
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
  fake_later(closed->fake, object, closed->fake->times.hang_up_ms, on_hang_up_noticed);
  return G_SOURCE_REMOVE;
}

/* Objects outlive the link, and so does a session of StartNotify: after the next connection
 * notifications come without a call. */
void
fake_end_sockets(FakeBluez *fake, FakeObject *device) {
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

void
fake_export_all(FakeBluez *fake, FakeObject *device) {
  for (guint i = 0; i < device->attributes->len; i++)
    export_attribute(fake, device, g_ptr_array_index(device->attributes, i));
}

void
fake_bluez_export(FakeBluez *fake, const char *path) {
  FakeObject *device = fake_object(fake, path);
  export_attribute(fake, device,
                   g_ptr_array_index(device->attributes, device->attributes->len - 1));
}

static void
start_notify(FakeBluez *fake, FakeObject *object, GDBusMessage *call) {
  if (object->fd >= 0) {
    fake_fail(fake, call, "NotPermitted", "Notify acquired");
  } else if (object->session && !fake_is_on(fake, device_of(fake, object), "Connected")) {
    fake_fail(fake, call, "InProgress", "In Progress");
  } else {
    object->session = true;
    fake_set_bool(fake, object->path, FAKE_CHARACTERISTIC, "Notifying", true);
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
  fake_set_bool(fake, object->path, FAKE_CHARACTERISTIC, "Notifying", false);
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
  object->hang_up = g_unix_fd_add_full(G_PRIORITY_DEFAULT, ends[0], G_IO_HUP, on_hang_up,
                                       closed, fake_later_free);
  fake_set_bool(fake, object->path, FAKE_CHARACTERISTIC, "NotifyAcquired", true);
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

bool
fake_act_characteristic(FakeBluez *fake, FakeObject *object, GDBusMessage *call,
                        const char *method) {
  if (!fake_is_on(fake, device_of(fake, object), "Connected") &&
      !g_str_equal(method, "StartNotify"))
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
  if (!object->session || !fake_is_on(fake, device_of(fake, object), "Connected"))
    return false;
  fake_bluez_set(fake, characteristic, FAKE_CHARACTERISTIC, "Value",
                 g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, length, 1));
  return true;
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
