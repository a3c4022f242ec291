/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/source.h"

#include "gateway/edge/clock.h"

#include "plugins/drivers.h"

/* The characteristics that the drivers of a sensor know: nothing else is looked at. */
typedef struct {
  PlBluezSensor *sensors;
  GArray **uuids;
  size_t count;
} SensorList;

static void
add_driver(GArray *uuids, const PlDriver *driver) {
  for (size_t c = 0; c < driver->characteristic_count; c++)
    g_array_append_val(uuids, driver->characteristics[c].uuid);
}

static void
list_init(SensorList *list, const PlConfig *config) {
  list->count = config->sensor_count;
  list->sensors = g_new0(PlBluezSensor, list->count);
  list->uuids = g_new0(GArray *, list->count);
  for (size_t i = 0; i < list->count; i++) {
    const PlConfigSensor *sensor = &config->sensors[i];
    GArray *uuids = g_array_new(FALSE, FALSE, sizeof(PlUuid));
    for (size_t d = 0; d < sensor->driver_count; d++)
      add_driver(uuids, sensor->drivers[d]);
    for (size_t d = 0; sensor->driver_count == 0 && d < pl_driver_count; d++)
      add_driver(uuids, pl_drivers[d]);
    list->uuids[i] = uuids;
    list->sensors[i] = (PlBluezSensor){
        .address = sensor->address,
        .address_type = sensor->address_type,
        .characteristics = (const PlUuid *)(const void *)uuids->data,
        .characteristic_count = uuids->len,
    };
  }
}

static void
list_clear(SensorList *list) {
  for (size_t i = 0; i < list->count; i++)
    g_array_unref(list->uuids[i]);
  g_free(list->uuids);
  g_free(list->sensors);
}

static void
attach(PlSource *source, const PlConfig *config, PlPipeline *pipeline) {
  SensorList list;
  (void)pipeline;
  list_init(&list, config);
  pl_bluez_set_adapters(source->bluez, config->bluetooth.adapters);
  pl_bluez_set_sensors(source->bluez, list.sensors, list.count);
  list_clear(&list);
}

static int64_t
never(const PlSource *source) {
  (void)source;
  return INT64_MAX;
}

static void
source_free(PlSource *source) {
  pl_bluez_free(source->bluez);
  g_free(source);
}

PlSource *
pl_source_bluez_new(const PlConfig *config, PlSourceFeed feed, void (*closed)(void *),
                    void (*informed)(int sensor, void *), void *data) {
  PlSource *self = g_new0(PlSource, 1);
  PlBluezOptions options = {
      .adapters = config->bluetooth.adapters,
      .now_us = pl_clock_boot_us,
      .closed = closed,
      .informed = informed,
  };
  self->name = "bluetooth";
  self->attach = attach;
  self->due = never;
  self->free = source_free;
  self->bluez = pl_bluez_new(&options, feed, data);
  self->link = pl_bluez_link(self->bluez);
  return self;
}
