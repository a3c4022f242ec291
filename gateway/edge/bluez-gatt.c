/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

enum { RELEASE_MS = 1000 };

/* -- which characteristic ---------------------------------------------------------------- */

static bool
is_wanted(const PlBluezSensorState *sensor, const PlUuid *uuid) {
  if (sensor->characteristic_count == 0 || pl_bluez_is_info(uuid))
    return true;
  for (size_t i = 0; i < sensor->characteristic_count; i++)
    if (pl_uuid_equal(&sensor->characteristics[i], uuid))
      return true;
  return false;
}

/* The first of several in the sensor's own order, which is that of the paths. */
PlBluezCharacteristic *
pl_bluez_characteristic_of(PlBluezDevice *device, const PlUuid *uuid) {
  PlBluezCharacteristic *first = NULL;

  for (guint i = 0; i < device->characteristics->len; i++) {
    PlBluezCharacteristic *it = g_ptr_array_index(device->characteristics, i);
    if (pl_uuid_equal(&it->uuid, uuid) && (!first || strcmp(it->path, first->path) < 0))
      first = it;
  }
  return first;
}

/* Of the sensor's link, or NULL. */
static PlBluezCharacteristic *
linked_characteristic(PlBluez *self, int sensor, const PlUuid *uuid) {
  if (sensor < 0 || (size_t)sensor >= self->sensor_count || !self->sensors[sensor].link)
    return NULL;
  return pl_bluez_characteristic_of(self->sensors[sensor].link, uuid);
}

static PlBluezCharacteristic *
characteristic_new(PlBluez *self, const char *path, GVariant *properties) {
  PlBluezDevice *device = pl_bluez_device_of(self, path);
  const char *text;
  PlUuid uuid;

  if (!device || device->characteristics->len >= PL_BLUEZ_CHARACTERISTICS ||
      !g_variant_lookup(properties, "UUID", "&s", &text) || !pl_uuid_parse(text, &uuid) ||
      !is_wanted(device->sensor, &uuid))
    return NULL;
  PlBluezCharacteristic *characteristic = g_new0(PlBluezCharacteristic, 1);
  characteristic->device = device;
  characteristic->path = g_strdup(path);
  characteristic->uuid = uuid;
  characteristic->fd = -1;
  g_ptr_array_add(device->characteristics, characteristic);
  g_hash_table_insert(self->characteristics, characteristic->path, characteristic);
  return characteristic;
}

void
pl_bluez_characteristic_free(gpointer data) {
  PlBluezCharacteristic *characteristic = data;

  pl_bluez_socket_close(characteristic);
  g_clear_handle_id(&characteristic->release_timer, g_source_remove);
  g_hash_table_remove(characteristic->device->bluez->characteristics, characteristic->path);
  g_free(characteristic->path);
  g_free(characteristic);
}

/* -- notifications by signal ------------------------------------------------------------- */

static PlLinkEvent
characteristic_event(PlLinkEventType type, const PlBluezCharacteristic *characteristic) {
  const PlBluezDevice *device = characteristic->device;
  PlLinkEvent event = pl_bluez_event(type, device->adapter, device->sensor_index);
  event.uuid = characteristic->uuid;
  return event;
}

void
pl_bluez_notify(PlBluezCharacteristic *characteristic, const uint8_t *data, size_t length) {
  bool fits = length <= PL_VALUE_MAX;
  PlLinkEvent event =
      characteristic_event(fits ? PL_LINK_NOTIFICATION : PL_LINK_DROPPED, characteristic);

  if (fits) {
    event.data = data;
    event.length = length;
  } else {
    event.count = 1;
  }
  pl_bluez_emit(characteristic->device->bluez, &event);
}

/* The bytes come from the signal itself: a cache of properties would merge two notifications
 * with the same value.  Without a subscription of ours it is the echo of a read, or for
 * somebody else. */
static void
take_value(PlBluezCharacteristic *characteristic, GVariant *properties) {
  PlLinkEvent bytes;

  if (characteristic->subscription != PL_BLUEZ_STARTING &&
      characteristic->subscription != PL_BLUEZ_STARTED)
    return;
  g_autoptr(GVariant) value = g_variant_lookup_value(properties, "Value", NULL);
  if (pl_bluez_bytes(value, &bytes))
    pl_bluez_notify(characteristic, bytes.data, bytes.length);
}

/* -- subscriptions ---------------------------------------------------------------------- */

static void
emit_subscribed(PlBluezCharacteristic *characteristic, PlFailure failure) {
  PlLinkEvent event = characteristic_event(PL_LINK_SUBSCRIBED, characteristic);

  event.ok = failure == PL_FAILURE_NONE;
  event.failure = failure;
  pl_bluez_emit(characteristic->device->bluez, &event);
}

static PlBluezCharacteristic *
characteristic_of_call(const PlBluezCall *call) {
  PlBluezCharacteristic *characteristic =
      g_hash_table_lookup(call->bluez->characteristics, call->path);
  return characteristic && characteristic->serial == call->serial ? characteristic : NULL;
}

static PlBluezCall *
call_characteristic(PlBluezCharacteristic *characteristic, PlBluezDone done) {
  PlBluez *self = characteristic->device->bluez;
  PlBluezCall *call = pl_bluez_call_new(self, characteristic->path, done);
  call->serial = characteristic->serial = pl_bluez_serial(self);
  return call;
}

/* InProgress is what BlueZ 5.66 says to a session that has outlived its link; the
 * notifications come all the same. */
static void
on_start_notify(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds,
                const GError *error) {
  PlBluezCharacteristic *characteristic = characteristic_of_call(call);

  if (!characteristic)
    return;
  PlFailure failure = pl_bluez_failure(error, true);
  if (failure == PL_FAILURE_IN_PROGRESS)
    failure = PL_FAILURE_NONE;
  characteristic->subscription = failure == PL_FAILURE_NONE ? PL_BLUEZ_STARTED : PL_BLUEZ_IDLE;
  emit_subscribed(characteristic, failure);
}

static void
start_notify(PlBluezCharacteristic *characteristic) {
  characteristic->subscription = PL_BLUEZ_STARTING;
  pl_bluez_call_send(call_characteristic(characteristic, on_start_notify),
                     PL_BLUEZ_CHARACTERISTIC, "StartNotify", NULL, NULL, PL_BLUEZ_NOTIFY_MS);
}

/* The list owns the descriptor of the message, the result is a copy: only when both are closed
 * does BlueZ see that nobody listens. */
static int
take_socket(GVariant *reply, GUnixFDList *fds) {
  int32_t handle;
  uint16_t mtu;

  g_variant_get(reply, "(hq)", &handle, &mtu);
  if (!fds || handle < 0 || handle >= g_unix_fd_list_get_length(fds))
    return -1;
  return g_unix_fd_list_get(fds, handle, NULL);
}

static bool
may_be_started(PlFailure failure) {
  return failure == PL_FAILURE_NOT_PERMITTED || failure == PL_FAILURE_NOT_SUPPORTED ||
         failure == PL_FAILURE_IN_PROGRESS || failure == PL_FAILURE_UNKNOWN_OBJECT;
}

/* BlueZ before 5.84 never answers when the link breaks meanwhile, and StopNotify would then
 * crash it: no second try, and no StopNotify. */
static void
on_acquire_notify(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds,
                  const GError *error) {
  PlBluezCharacteristic *characteristic = characteristic_of_call(call);
  PlFailure failure = pl_bluez_failure(error, true);
  PlBluezDevice *device = pl_bluez_device_of(call->bluez, call->path);

  if (device && failure == PL_FAILURE_TIMEOUT)
    device->sensor->no_acquire = true;
  if (!characteristic)
    return;
  if (may_be_started(failure)) {
    start_notify(characteristic);
    return;
  }
  int fd = reply ? take_socket(reply, fds) : -1;
  if (fd < 0 && failure == PL_FAILURE_NONE)
    failure = PL_FAILURE_OTHER;
  characteristic->subscription = fd < 0 ? PL_BLUEZ_IDLE : PL_BLUEZ_ACQUIRED;
  if (fd >= 0)
    pl_bluez_socket_open(characteristic, fd);
  emit_subscribed(characteristic, failure);
}

static void
acquire_notify(PlBluezCharacteristic *characteristic) {
  characteristic->subscription = PL_BLUEZ_ACQUIRING;
  pl_bluez_call_send(call_characteristic(characteristic, on_acquire_notify),
                     PL_BLUEZ_CHARACTERISTIC, "AcquireNotify", g_variant_new("(a{sv})", NULL),
                     "(hq)", PL_BLUEZ_NOTIFY_MS);
}

static void
begin_subscription(PlBluezCharacteristic *characteristic, bool acquire) {
  if (acquire)
    acquire_notify(characteristic);
  else
    start_notify(characteristic);
}

static void
released(PlBluezCharacteristic *characteristic) {
  g_clear_handle_id(&characteristic->release_timer, g_source_remove);
  characteristic->releasing = false;
  if (characteristic->subscription == PL_BLUEZ_WAITING)
    begin_subscription(characteristic, characteristic->acquire_next);
}

static gboolean
on_release_over(gpointer data) {
  released(data); /* removes this timer */
  return G_SOURCE_CONTINUE;
}

void
pl_bluez_subscribe(PlLink *link, int sensor, const PlUuid *uuid, bool acquire) {
  PlBluez *self = (PlBluez *)link;
  PlBluezCharacteristic *characteristic = linked_characteristic(self, sensor, uuid);

  if (!characteristic || characteristic->subscription == PL_BLUEZ_ACQUIRED) {
    PlLinkEvent event = pl_bluez_event(PL_LINK_SUBSCRIBED, PL_NO_ADAPTER, sensor);
    event.uuid = *uuid;
    event.ok = characteristic;
    event.failure = characteristic ? PL_FAILURE_NONE : PL_FAILURE_UNKNOWN_OBJECT;
    pl_bluez_post(self, &event);
    return;
  }
  if (characteristic->subscription != PL_BLUEZ_IDLE &&
      characteristic->subscription != PL_BLUEZ_STARTED)
    return; /* an answer is on its way */
  acquire =
      acquire && characteristic->acquirable && !characteristic->device->sensor->no_acquire;
  characteristic->acquire_next = acquire;
  if (characteristic->releasing)
    characteristic->subscription = PL_BLUEZ_WAITING;
  else
    begin_subscription(characteristic, acquire);
}

/* A socket is given back by closing it, a session by StopNotify; the wrong one crashes BlueZ.
 */
void
pl_bluez_unsubscribe(PlLink *link, int sensor, const PlUuid *uuid) {
  PlBluez *self = (PlBluez *)link;
  PlBluezCharacteristic *characteristic = linked_characteristic(self, sensor, uuid);

  if (!characteristic)
    return;
  PlBluezSubscription was = characteristic->subscription;
  characteristic->subscription = PL_BLUEZ_IDLE;
  characteristic->serial = 0;
  if (was == PL_BLUEZ_STARTING || was == PL_BLUEZ_STARTED) {
    pl_bluez_call_send(pl_bluez_call_new(self, characteristic->path, NULL),
                       PL_BLUEZ_CHARACTERISTIC, "StopNotify", NULL, NULL, PL_BLUEZ_NOTIFY_MS);
  } else if (was == PL_BLUEZ_ACQUIRED) {
    pl_bluez_socket_close(characteristic);
    characteristic->releasing = true;
    characteristic->release_timer =
        pl_bluez_timer(self, RELEASE_MS, on_release_over, characteristic);
  }
}

/* -- news from BlueZ --------------------------------------------------------------------- */

static void
take_flags(PlBluezCharacteristic *characteristic, GVariant *properties) {
  g_autofree const char **flags = NULL;

  if (!g_variant_lookup(properties, "Flags", "^a&s", &flags))
    return;
  characteristic->readable = g_strv_contains(flags, "read");
  characteristic->answers_writes =
      g_strv_contains(flags, "write") || !g_strv_contains(flags, "write-without-response");
}

static void
take_acquired(PlBluezCharacteristic *characteristic, GVariant *properties) {
  gboolean acquired;

  if (!g_variant_lookup(properties, "NotifyAcquired", "b", &acquired))
    return;
  characteristic->acquirable = true;
  if (!acquired && characteristic->releasing)
    released(characteristic);
}

void
pl_bluez_characteristic_apply(PlBluez *self, const char *path, GVariant *properties,
                              PlBluezNews news) {
  PlBluezCharacteristic *characteristic = g_hash_table_lookup(self->characteristics, path);
  bool is_new = !characteristic && news != PL_BLUEZ_CHANGED;

  if (is_new)
    characteristic = characteristic_new(self, path, properties);
  if (!characteristic)
    return;
  characteristic->round = self->round;
  if (news == PL_BLUEZ_CHANGED)
    take_value(characteristic, properties);
  take_flags(characteristic, properties);
  take_acquired(characteristic, properties);
  if (is_new)
    pl_bluez_device_reshape(characteristic->device, false);
}

void
pl_bluez_characteristic_removed(PlBluez *self, const char *path) {
  PlBluezCharacteristic *characteristic = g_hash_table_lookup(self->characteristics, path);

  if (!characteristic)
    return;
  PlBluezDevice *device = characteristic->device;
  bool lost = !pl_bluez_is_info(&characteristic->uuid);
  pl_bluez_socket_drain(characteristic);
  g_ptr_array_remove(device->characteristics, characteristic);
  pl_bluez_device_reshape(device, lost);
}

void
pl_bluez_gatt_end(PlBluezDevice *device) {
  for (guint i = 0; i < device->characteristics->len; i++) {
    PlBluezCharacteristic *it = g_ptr_array_index(device->characteristics, i);
    pl_bluez_socket_drain(it);
    pl_bluez_socket_close(it);
    g_clear_handle_id(&it->release_timer, g_source_remove);
    it->releasing = false;
    it->subscription = PL_BLUEZ_IDLE;
    it->serial = 0;
  }
  pl_bluez_operations_clear(device);
}
