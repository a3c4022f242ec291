/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

enum {
  SETTLE_MS = 250,
  SETTLE_TICKS = 8, /* 2 s for objects that come after ServicesResolved */
  REPAIR_TICK = 6,
};

/* -- services -------------------------------------------------------------------------- */

static bool
has_any(const PlBluezDevice *device) {
  for (guint i = 0; i < device->characteristics->len; i++) {
    const PlBluezCharacteristic *it = g_ptr_array_index(device->characteristics, i);
    if (!pl_bluez_is_info(&it->uuid))
      return true;
  }
  return false;
}

/* Whether nothing can be missing; false when it can not be told. */
static bool
has_all(PlBluezDevice *device) {
  const PlBluezSensorState *sensor = device->sensor;

  for (size_t i = 0; i < sensor->characteristic_count; i++)
    if (!pl_bluez_characteristic_of(device, &sensor->characteristics[i]))
      return false;
  return sensor->characteristic_count > 0;
}

static void
announce(PlBluezDevice *device) {
  PlBluez *self = device->bluez;

  if (device->reshaped) {
    PlLinkEvent anew = pl_bluez_device_event(PL_LINK_CONNECTED, device);
    anew.ok = true;
    pl_bluez_emit(self, &anew);
  }
  for (guint i = 0; i < device->characteristics->len; i++) {
    const PlBluezCharacteristic *it = g_ptr_array_index(device->characteristics, i);
    PlLinkEvent event = pl_bluez_device_event(PL_LINK_CHARACTERISTIC, device);
    event.uuid = it->uuid;
    pl_bluez_emit(self, &event);
  }
  device->announced = true;
  device->reshaped = false;
  device->settle_changed = false;
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_RESOLVED, device);
  pl_bluez_emit(self, &event);
  pl_bluez_read_info(device);
}

/* ServicesResolved may turn true before the objects are there (BlueZ issue 1489), and objects
 * come one by one.  What is there is told after a moment of quiet, at the latest after 2 s; if
 * it is nothing, a snapshot has to prove it. */
static gboolean
on_settle(gpointer data) {
  PlBluezDevice *device = data;
  bool quiet = !device->settle_recent;
  bool over = ++device->settle_ticks >= SETTLE_TICKS;
  bool done = over || (quiet && has_any(device));

  device->settle_recent = false;
  if (device->settle_ticks == REPAIR_TICK && !has_any(device))
    pl_bluez_repair(device->bluez);
  if (done)
    device->settle_timer = 0;
  if (device->settle_changed && (quiet || over))
    announce(device);
  return done ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
start_settling(PlBluezDevice *device) {
  device->settle_changed = true;
  if (device->settle_timer != 0)
    return;
  device->settle_ticks = 0;
  device->settle_timer = pl_bluez_timer(device->bluez, SETTLE_MS, on_settle, device);
}

/* While a snapshot is being applied, more of this device may come. */
static void
settle(PlBluezDevice *device) {
  if (device->bluez->in_snapshot) {
    device->settle_changed = true;
  } else if (!device->announced && has_all(device)) {
    g_clear_handle_id(&device->settle_timer, g_source_remove);
    announce(device);
  } else {
    start_settling(device);
  }
}

static bool
is_resolved(const PlBluezDevice *device) {
  return device->sensor->link == device && device->services_resolved;
}

void
pl_bluez_device_reshape(PlBluezDevice *device, bool lost) {
  if (!is_resolved(device))
    return;
  if (lost && device->announced) {
    device->announced = false;
    device->reshaped = true;
  }
  device->settle_recent = true;
  settle(device);
}

void
pl_bluez_device_settled(PlBluezDevice *device) {
  if (!is_resolved(device) || !device->settle_changed)
    return;
  if (has_any(device))
    announce(device);
  else
    start_settling(device);
}

void
pl_bluez_device_resolved(PlBluezDevice *device, bool resolved) {
  if (device->services_resolved == resolved)
    return;
  device->services_resolved = resolved;
  if (device->sensor->link != device)
    return;
  if (resolved) {
    settle(device);
    return;
  }
  g_clear_handle_id(&device->settle_timer, g_source_remove);
  device->reshaped = device->reshaped || device->announced;
  device->announced = false;
}

/* -- the link -------------------------------------------------------------------------- */

static void
link_up(PlBluezDevice *device, unsigned attempt) {
  PlBluezSensorState *sensor = device->sensor;

  sensor->link = device;
  device->announced = false;
  device->reshaped = false;
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_CONNECTED, device);
  event.ok = true;
  event.attempt = attempt;
  pl_bluez_emit(device->bluez, &event);
  if (device->services_resolved)
    settle(device);
}

/* There is no link, and nobody asks for one. */
static void
forget_wish(PlBluezDevice *device) {
  if (device->sensor->asked == device->adapter &&
      device->sensor->progress == PL_BLUEZ_NOT_ASKED)
    device->sensor->asked = PL_NO_ADAPTER;
}

static void
emit_disconnected(PlBluezDevice *device) {
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_DISCONNECTED, device);

  device->ending = false;
  forget_wish(device);
  pl_bluez_emit(device->bluez, &event);
}

/* Whether the core waits for this device, and how far that is. */
static PlBluezProgress
progress_of(const PlBluezDevice *device) {
  const PlBluezSensorState *sensor = device->sensor;
  return sensor->asked == device->adapter ? sensor->progress : PL_BLUEZ_NOT_ASKED;
}

static void
emit_failed(PlBluezDevice *device, PlFailure failure) {
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_CONNECT_FAILED, device);

  event.attempt = device->sensor->attempt;
  event.failure = failure;
  device->sensor->progress = PL_BLUEZ_NOT_ASKED;
  forget_wish(device);
  pl_bluez_emit(device->bluez, &event);
}

/* Another adapter may hold the same sensor. */
static void
link_down(PlBluezDevice *device) {
  PlBluezSensorState *sensor = device->sensor;

  pl_bluez_gatt_end(device);
  g_clear_handle_id(&device->settle_timer, g_source_remove);
  sensor->link = NULL;
  emit_disconnected(device);
  for (int i = 0; i < PL_ADAPTER_MAX && !sensor->link; i++)
    if (sensor->devices[i] && sensor->devices[i]->connected)
      link_up(sensor->devices[i], 0);
}

static void
came_up(PlBluezDevice *device) {
  PlBluezProgress progress = progress_of(device);

  if (device->sensor->link || progress == PL_BLUEZ_ASKED)
    return; /* the reply decides */
  if (progress == PL_BLUEZ_ANSWERED)
    device->sensor->progress = PL_BLUEZ_NOT_ASKED;
  link_up(device, progress == PL_BLUEZ_ANSWERED ? device->sensor->attempt : 0);
}

static void
went_down(PlBluezDevice *device) {
  device->services_resolved = false;
  if (device->sensor->link == device)
    link_down(device);
  else if (progress_of(device) == PL_BLUEZ_REFUSED)
    emit_failed(device, device->sensor->refusal);
  else if (device->ending)
    emit_disconnected(device);
}

void
pl_bluez_device_connected(PlBluezDevice *device, bool connected) {
  if (device->connected == connected)
    return;
  device->connected = connected;
  if (connected)
    came_up(device);
  else
    went_down(device);
}

void
pl_bluez_device_vanish(PlBluezDevice *device) {
  pl_bluez_device_connected(device, false);
  if (progress_of(device) != PL_BLUEZ_NOT_ASKED)
    emit_failed(device, PL_FAILURE_UNKNOWN_OBJECT);
}

/* -- requests -------------------------------------------------------------------------- */

static PlBluezSensorState *
sensor_at(PlBluez *self, int index) {
  return index >= 0 && (size_t)index < self->sensor_count ? &self->sensors[index] : NULL;
}

static PlBluezCall *
call_device(const PlBluezDevice *device, PlBluezDone done) {
  PlBluezCall *call = pl_bluez_call_new(device->bluez, device->path, done);
  call->serial = device->serial;
  return call;
}

/* A success proves nothing: BlueZ also says so after some aborts.  Connected has to be true.
 * A failure often comes while Connected is still true: the link has to be down before the next
 * attempt, so it is told then. */
static void
on_connect(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezDevice *device = pl_bluez_device_of_call(call);

  if (!device || progress_of(device) != PL_BLUEZ_ASKED ||
      device->sensor->attempt != call->number)
    return; /* given up since */
  PlBluezSensorState *sensor = device->sensor;
  PlFailure failure = pl_bluez_failure(error, call->bluez->adapters[device->adapter].powered);
  if (failure == PL_FAILURE_NONE) {
    sensor->progress = PL_BLUEZ_ANSWERED;
    if (device->connected)
      came_up(device);
  } else if (device->connected) {
    sensor->progress = PL_BLUEZ_REFUSED;
    sensor->refusal = failure;
  } else {
    emit_failed(device, failure);
  }
}

/* The link was up before it was asked for. */
static void
connect_connected(PlBluezDevice *device, unsigned attempt) {
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_CONNECTED, device);

  event.ok = true;
  event.attempt = attempt;
  pl_bluez_post(device->bluez, &event);
  device->announced = false;
  if (device->services_resolved)
    start_settling(device);
}

void
pl_bluez_connect(PlLink *link, int index, int adapter, unsigned attempt) {
  PlBluez *self = (PlBluez *)link;
  PlBluezSensorState *sensor = sensor_at(self, index);
  bool valid = sensor && adapter >= 0 && adapter < PL_ADAPTER_MAX;
  PlBluezDevice *device = valid ? sensor->devices[adapter] : NULL;

  if (!device) {
    PlLinkEvent event = pl_bluez_event(PL_LINK_CONNECT_FAILED, adapter, index);
    event.attempt = attempt;
    event.failure = PL_FAILURE_UNKNOWN_OBJECT;
    pl_bluez_post(self, &event);
    return;
  }
  if (sensor->link == device) {
    connect_connected(device, attempt);
    return;
  }
  sensor->asked = adapter;
  sensor->attempt = attempt;
  sensor->progress = PL_BLUEZ_ASKED;
  device->ending = false;
  PlBluezCall *call = call_device(device, on_connect);
  call->number = attempt;
  pl_bluez_call_send(call, PL_BLUEZ_DEVICE, "Connect", NULL, NULL, PL_BLUEZ_CONNECT_MS);
}

/* After the end of a link the property tells; after a cancelled attempt nothing changes. */
static void
on_disconnect(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezDevice *device = pl_bluez_device_of_call(call);
  PlFailure failure = pl_bluez_failure(error, true);

  if (!device)
    return;
  if (failure == PL_FAILURE_ABORTED || failure == PL_FAILURE_UNKNOWN_OBJECT)
    pl_bluez_device_connected(device, false); /* it says that there is no link, or no device */
  else if (failure != PL_FAILURE_NONE)
    return;
  if (device->ending && !device->connected)
    emit_disconnected(device);
}

static void
end_link(PlBluezDevice *device) {
  device->ending = true;
  pl_bluez_call_send(call_device(device, on_disconnect), PL_BLUEZ_DEVICE, "Disconnect", NULL,
                     NULL, PL_BLUEZ_DISCONNECT_MS);
}

void
pl_bluez_disconnect(PlLink *link, int index) {
  PlBluez *self = (PlBluez *)link;
  PlBluezSensorState *sensor = sensor_at(self, index);

  if (!sensor)
    return;
  PlBluezDevice *asked = sensor->asked == PL_NO_ADAPTER ? NULL : sensor->devices[sensor->asked];
  sensor->progress = PL_BLUEZ_NOT_ASKED;
  if (sensor->link)
    end_link(sensor->link);
  if (asked && asked != sensor->link)
    end_link(asked);
  if (sensor->link || asked)
    return;
  PlLinkEvent event = pl_bluez_event(PL_LINK_DISCONNECTED, PL_NO_ADAPTER, index);
  pl_bluez_post(self, &event);
}

/* A bond is the user's: it is never thrown away. */
void
pl_bluez_remove(PlLink *link, int index) {
  PlBluez *self = (PlBluez *)link;
  PlBluezSensorState *sensor = sensor_at(self, index);

  for (int i = 0; sensor && i < PL_ADAPTER_MAX; i++) {
    PlBluezDevice *device = sensor->devices[i];
    if (!device || device->bonded || device->paired)
      continue;
    pl_bluez_call_send(pl_bluez_call_new(self, self->adapters[i].path, NULL), PL_BLUEZ_ADAPTER,
                       "RemoveDevice", g_variant_new("(o)", device->path), NULL,
                       PL_BLUEZ_REMOVE_MS);
  }
}

void
pl_bluez_farewell(PlBluez *self, PlBluezSensorState *sensor) {
  PlBluezDevice *device =
      sensor->asked == PL_NO_ADAPTER ? NULL : sensor->devices[sensor->asked];

  if (device)
    g_dbus_connection_call(self->bus, self->owner, device->path, PL_BLUEZ_DEVICE, "Disconnect",
                           NULL, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}
