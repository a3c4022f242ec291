/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

enum {
  PATH_MAX_LENGTH = 255,
  PATH_DEPTH = 4, /* device, service, characteristic, descriptor */
  STRANGER_US = 1000000,
};

/* -- which device ------------------------------------------------------------------------ */

PlBluezDevice *
pl_bluez_device_of(PlBluez *self, const char *path) {
  char parent[PATH_MAX_LENGTH + 1];

  if (g_strlcpy(parent, path, sizeof parent) >= sizeof parent)
    return NULL;
  for (int depth = 0; depth < PATH_DEPTH; depth++) {
    PlBluezDevice *device = g_hash_table_lookup(self->devices, parent);
    char *slash = strrchr(parent, '/');
    if (device || !slash)
      return device;
    *slash = '\0';
  }
  return NULL;
}

PlBluezDevice *
pl_bluez_device_of_call(const PlBluezCall *call) {
  PlBluezDevice *device = pl_bluez_device_of(call->bluez, call->path);
  return device && device->serial == call->serial ? device : NULL;
}

PlLinkEvent
pl_bluez_device_event(PlLinkEventType type, const PlBluezDevice *device) {
  return pl_bluez_event(type, device->adapter, device->sensor_index);
}

/* The two most significant bits of a random address tell its kind; 11 is static. */
static bool
is_private(const char *address, const char *type) {
  return g_str_equal(type, "random") && (g_ascii_xdigit_value(address[0]) >> 2) != 3;
}

/* NULL unless it is a configured sensor on an adapter of ours. */
static PlBluezDevice *
device_new(PlBluez *self, const char *path, GVariant *properties) {
  const char *address, *adapter_path;
  const char *type = "public"; /* what BR/EDR devices have, which do not tell */

  if (!g_variant_lookup(properties, "Address", "&s", &address) ||
      !g_variant_lookup(properties, "Adapter", "&o", &adapter_path))
    return NULL;
  g_variant_lookup(properties, "AddressType", "&s", &type);
  int index = pl_bluez_sensor_of(self, address, type);
  PlBluezAdapter *adapter = pl_bluez_adapter_at(self, adapter_path, strlen(adapter_path));
  if (index == PL_NO_SENSOR || !adapter || self->sensors[index].devices[adapter->index])
    return NULL;
  PlBluezDevice *device = g_new0(PlBluezDevice, 1);
  device->bluez = self;
  device->sensor = &self->sensors[index];
  device->sensor_index = index;
  device->adapter = adapter->index;
  device->path = g_strdup(path);
  device->serial = pl_bluez_serial(self);
  device->private_address = is_private(address, type);
  device->characteristics = g_ptr_array_new_with_free_func(pl_bluez_characteristic_free);
  device->sensor->devices[adapter->index] = device;
  g_hash_table_insert(self->devices, device->path, device);
  return device;
}

void
pl_bluez_device_free(gpointer data) {
  PlBluezDevice *device = data;
  PlBluezSensorState *sensor = device->sensor;

  sensor->devices[device->adapter] = NULL;
  if (sensor->link == device)
    sensor->link = NULL;
  if (sensor->asked == device->adapter) {
    sensor->asked = PL_NO_ADAPTER;
    sensor->progress = PL_BLUEZ_NOT_ASKED;
  }
  g_clear_handle_id(&device->settle_timer, g_source_remove);
  pl_bluez_operations_clear(device);
  g_ptr_array_unref(device->characteristics);
  g_free(device->path);
  g_free(device);
}

/* -- advertisements --------------------------------------------------------------------- */

static void
emit_bytes(PlBluez *self, PlLinkEvent *event, GVariant *value) {
  if (pl_bluez_bytes(value, event) && event->length <= PL_VALUE_MAX)
    pl_bluez_emit(self, event);
}

static void
emit_manufacturers(PlBluezDevice *device, GVariant *properties) {
  GVariantIter iter;
  GVariant *value;
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_MANUFACTURER, device);
  g_autoptr(GVariant) all =
      g_variant_lookup_value(properties, "ManufacturerData", G_VARIANT_TYPE("a{qv}"));

  if (!all)
    return;
  g_variant_iter_init(&iter, all);
  while (g_variant_iter_loop(&iter, "{qv}", &event.company, &value))
    emit_bytes(device->bluez, &event, value);
}

static void
emit_service_data(PlBluezDevice *device, GVariant *properties) {
  GVariantIter iter;
  const char *uuid;
  GVariant *value;
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_SERVICE_DATA, device);
  g_autoptr(GVariant) all =
      g_variant_lookup_value(properties, "ServiceData", G_VARIANT_TYPE_VARDICT);

  if (!all)
    return;
  g_variant_iter_init(&iter, all);
  while (g_variant_iter_loop(&iter, "{&sv}", &uuid, &value))
    if (pl_uuid_parse(uuid, &event.uuid))
      emit_bytes(device->bluez, &event, value);
}

static bool
is_advertisement(GVariant *properties, int16_t *rssi_dbm) {
  *rssi_dbm = 0;
  if (g_variant_lookup(properties, "RSSI", "n", rssi_dbm)) {
    if (*rssi_dbm < -127 || *rssi_dbm > 20)
      *rssi_dbm = 0; /* 127: the radio does not know */
    return true;
  }
  g_autoptr(GVariant) company = g_variant_lookup_value(properties, "ManufacturerData", NULL);
  g_autoptr(GVariant) service = g_variant_lookup_value(properties, "ServiceData", NULL);
  return company || service;
}

static void
emit_advertisement(PlBluezDevice *device, GVariant *properties, int rssi_dbm) {
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_ADVERTISEMENT, device);

  event.rssi_dbm = rssi_dbm;
  event.private_address = device->private_address;
  pl_bluez_emit(device->bluez, &event);
  emit_manufacturers(device, properties);
  emit_service_data(device, properties);
}

/* -- news from BlueZ --------------------------------------------------------------------- */

/* That somebody is heard shows that the adapter is not deaf. */
static void
emit_stranger(PlBluez *self, PlBluezAdapter *adapter) {
  int64_t now_us = self->now_us();

  if (now_us < adapter->stranger_us)
    return;
  adapter->stranger_us = now_us + STRANGER_US;
  PlLinkEvent event = pl_bluez_event(PL_LINK_ADVERTISEMENT, adapter->index, PL_NO_SENSOR);
  pl_bluez_emit(self, &event);
}

/* After pairing, the address of an object may become the identity of a configured sensor. */
static void
look_at_stranger(PlBluez *self, GVariant *properties, PlBluezNews news) {
  const char *address;

  if (news == PL_BLUEZ_CHANGED && g_variant_lookup(properties, "Address", "&s", &address) &&
      (pl_bluez_sensor_of(self, address, "public") != PL_NO_SENSOR ||
       pl_bluez_sensor_of(self, address, "random") != PL_NO_SENSOR))
    pl_bluez_repair(self);
}

static void
take_properties(PlBluezDevice *device, GVariant *properties) {
  gboolean flag;
  const char *text;

  if (g_variant_lookup(properties, "Paired", "b", &flag))
    device->paired = flag;
  if (g_variant_lookup(properties, "Bonded", "b", &flag))
    device->bonded = flag;
  if (g_variant_lookup(properties, "Modalias", "&s", &text))
    pl_bluez_clean((const uint8_t *)text, strlen(text), device->sensor->info.modalias);
  if (g_variant_lookup(properties, "Connected", "b", &flag))
    pl_bluez_device_connected(device, flag);
  if (g_variant_lookup(properties, "ServicesResolved", "b", &flag))
    pl_bluez_device_resolved(device, flag && device->connected);
}

void
pl_bluez_device_apply(PlBluez *self, const char *path, GVariant *properties, PlBluezNews news) {
  PlBluezAdapter *adapter = pl_bluez_adapter_of(self, path);
  PlBluezDevice *device = g_hash_table_lookup(self->devices, path);
  int16_t rssi_dbm = 0;
  bool heard = news != PL_BLUEZ_SNAPSHOT && is_advertisement(properties, &rssi_dbm);

  if (!adapter)
    return;
  adapter->advertisements += heard;
  adapter->objects += news == PL_BLUEZ_ADDED;
  pl_bluez_listing_note(self, path, properties, news);
  if (!device && news != PL_BLUEZ_CHANGED)
    device = device_new(self, path, properties);
  if (!device) {
    look_at_stranger(self, properties, news);
    if (heard)
      emit_stranger(self, adapter);
    return;
  }
  device->round = self->round;
  if (heard)
    emit_advertisement(device, properties, rssi_dbm);
  take_properties(device, properties);
}

void
pl_bluez_device_removed(PlBluez *self, const char *path) {
  PlBluezDevice *device = g_hash_table_lookup(self->devices, path);

  if (!device)
    return;
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_REMOVED, device);
  pl_bluez_device_vanish(device);
  g_hash_table_remove(self->devices, path);
  pl_bluez_emit(self, &event);
}

void
pl_bluez_battery_apply(PlBluez *self, const char *path, GVariant *properties,
                       PlBluezNews news) {
  PlBluezDevice *device = g_hash_table_lookup(self->devices, path);
  uint8_t percentage;

  if (!device || !g_variant_lookup(properties, "Percentage", "y", &percentage) ||
      percentage > 100)
    return;
  PlLinkEvent event = pl_bluez_device_event(PL_LINK_BATTERY, device);
  event.battery_pct = percentage;
  pl_bluez_emit(self, &event);
}
