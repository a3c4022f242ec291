/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/simulate.h"

#include "gateway/edge/capture.h"
#include "plugins/simulator/simulator.h"

#include <string.h>

typedef struct {
  PlSimulator *simulator;
  PlLink *link;
  PlCaptureWriter *writer;
  bool wanted[PL_SIMULATOR_SENSORS_MAX]; /* not connected, and no attempt under way */
} Recorder;

static const PlUuid battery_level = PL_UUID16(0x2a19);

/* fb005cXX-02e7-f387-1cad-8acd2d8df0c8 */
/* clang-format off */
#define POLAR(x)                                                                              \
  {{0xfb, 0x00, 0x5c, (x), 0x02, 0xe7, 0xf3, 0x87, 0x1c, 0xad, 0x8a, 0xcd, 0x2d, 0x8d, 0xf0, 0xc8}}
/* clang-format on */
static const PlUuid pmd_control = POLAR(0x81);
static const PlUuid pmd_data = POLAR(0x82);

static bool
record(Recorder *self, PlCaptureEventType type, const PlLinkEvent *event, GError **error) {
  const PlCaptureEvent line = {
      .type = type,
      .t_us = event->t_us,
      .sensor = event->sensor,
      .uuid = event->uuid,
      .data = event->data,
      .length = event->length,
  };
  return pl_capture_writer_write(self->writer, &line, error);
}

/* BlueZ tells the charge itself; in a capture it is what the characteristic would have said. */
static bool
record_battery(Recorder *self, const PlLinkEvent *event, GError **error) {
  const uint8_t percent = (uint8_t)event->battery_pct;
  PlLinkEvent notification = *event;

  notification.uuid = battery_level;
  notification.data = &percent;
  notification.length = 1;
  return record(self, PL_CAPTURE_NOTIFICATION, &notification, error);
}

/* Acceleration at 100 Hz, 16 bits and 8 g, once both characteristics are subscribed to. */
static void
start_stream(Recorder *self, int sensor) {
  static const uint8_t start[] = {2, 2, 0x02, 1, 8, 0, 0x00, 1, 100, 0, 0x01, 1, 16, 0};
  self->link->write(self->link, sensor, &pmd_control, start, sizeof start);
}

/* A stream that an earlier link left running is stopped and started again. */
static void
restart_stream(Recorder *self, const PlLinkEvent *event) {
  static const uint8_t refused[] = {0xf0, 2, 2, 6};
  static const uint8_t stopped[] = {0xf0, 3, 2};
  static const uint8_t stop[] = {3, 2};

  if (!pl_uuid_equal(&event->uuid, &pmd_control) || event->length < sizeof refused)
    return;
  if (memcmp(event->data, refused, sizeof refused) == 0)
    self->link->write(self->link, event->sensor, &pmd_control, stop, sizeof stop);
  else if (memcmp(event->data, stopped, sizeof stopped) == 0)
    start_stream(self, event->sensor);
}

/* What a gateway does about an event, and what of it goes into the capture. */
static bool
handle(Recorder *self, const PlLinkEvent *event, GError **error) {
  PlLink *link = self->link;

  switch (event->type) {
  case PL_LINK_ADAPTER:
    link->scan(link, event->adapter, true);
    return true;
  case PL_LINK_ADVERTISEMENT:
    if (self->wanted[event->sensor])
      link->connect(link, event->sensor, event->adapter, 1);
    self->wanted[event->sensor] = false;
    return true;
  case PL_LINK_CONNECT_FAILED:
    self->wanted[event->sensor] = true;
    return true;
  case PL_LINK_CONNECTED:
    return record(self, PL_CAPTURE_CONNECTED, event, error);
  case PL_LINK_DISCONNECTED:
    self->wanted[event->sensor] = true;
    return record(self, PL_CAPTURE_DISCONNECTED, event, error);
  case PL_LINK_CHARACTERISTIC:
    link->subscribe(link, event->sensor, &event->uuid, false);
    return true;
  case PL_LINK_SUBSCRIBED:
    if (event->ok && pl_uuid_equal(&event->uuid, &pmd_data))
      start_stream(self, event->sensor);
    return true;
  case PL_LINK_NOTIFICATION:
    restart_stream(self, event);
    return record(self, PL_CAPTURE_NOTIFICATION, event, error);
  case PL_LINK_BATTERY:
    return record_battery(self, event, error);
  case PL_LINK_ADAPTER_GONE:
  case PL_LINK_SERVICE_LOST:
  case PL_LINK_SCAN:
  case PL_LINK_MANUFACTURER:
  case PL_LINK_SERVICE_DATA:
  case PL_LINK_REMOVED:
  case PL_LINK_RESOLVED:
  case PL_LINK_VALUE:
  case PL_LINK_WRITTEN:
  case PL_LINK_DROPPED:
    break;
  }
  return true;
}

static PlCaptureWriter *
open_capture(const PlSimulator *simulator, const PlSimulateOptions *options, const char *path,
             GError **error) {
  unsigned count = pl_simulator_sensor_count(simulator);
  g_autofree PlSimulatorSensor *known = g_new0(PlSimulatorSensor, count);
  g_autofree PlCaptureSensor *sensors = g_new0(PlCaptureSensor, count);
  const PlCaptureHeader header = {
      .start_ms = options->start_ms,
      .tz = options->tz,
      .sensor_count = count,
      .sensors = sensors,
  };

  for (unsigned i = 0; i < count; i++) {
    pl_simulator_sensor(simulator, i, &known[i]);
    sensors[i] = (PlCaptureSensor){
        .id = known[i].id,
        .address = known[i].address,
        .name = known[i].name,
        .mount = known[i].mount,
        .service_count = known[i].service_count,
    };
    memcpy(sensors[i].services, known[i].services, known[i].service_count * sizeof(PlUuid));
  }
  return pl_capture_writer_open(path, &header, 0, error);
}

static bool
run(Recorder *self, GError **error) {
  PlLinkEvent event;
  const PlCaptureEvent end = {
      .type = PL_CAPTURE_END, .t_us = pl_simulator_duration(self->simulator), .sensor = -1};

  while (pl_simulator_next(self->simulator, end.t_us, &event))
    if (!handle(self, &event, error))
      return false;
  return pl_capture_writer_write(self->writer, &end, error) &&
         pl_capture_writer_close(self->writer, error);
}

bool
pl_simulate_capture(const PlSimulateOptions *options, const char *path, GError **error) {
  const PlSimulatorOptions simulator_options = {
      .scenario = options->scenario,
      .minutes = options->minutes,
      .runners = options->runners,
      .seed = options->seed,
  };
  g_autofree PlSimulator *simulator = g_new(PlSimulator, 1);

  pl_simulator_init(simulator, &simulator_options);
  g_autoptr(PlCaptureWriter) writer = open_capture(simulator, options, path, error);
  if (writer == NULL)
    return false;
  Recorder self = {
      .simulator = simulator,
      .link = pl_simulator_link(simulator),
      .writer = writer,
  };
  for (unsigned i = 0; i < PL_SIMULATOR_SENSORS_MAX; i++)
    self.wanted[i] = true;
  return run(&self, error);
}
