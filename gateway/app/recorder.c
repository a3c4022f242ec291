/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/recorder.h"

#include "gateway/edge/capture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define CAPTURE_SIZE_MAX (UINT64_C(2) << 30) /* of text; some days of motion sensors */
static const char folder_name[] = "captures";
static const PlUuid battery_level = PL_UUID16(0x2a19);

/* A run is dated back to the first movement, and what was measured just before that movement
 * belongs to it: how far the counter of a footpod had come, the level of a filter. */
static const int64_t before_us = 10 * G_USEC_PER_SEC;
enum { BEFORE_EVENTS_MAX = 4096 };

typedef struct {
  PlCaptureEvent event; /* at its boot time */
  uint8_t data[];
} Remembered;

typedef struct {
  GQueue before; /* of Remembered: the last seconds, while no run is recorded */
  char *run;
  char *path;
  bool confirmed;
  int64_t start_us;
  PlCaptureWriter *writer;
} Recording;

struct PlRecorder {
  const PlConfig *config;
  char *folder;
  PlLedger *ledger;
  const PlWall *wall;
  Recording *recordings; /* of the athletes */
};

PlRecorder *
pl_recorder_new(const PlConfig *config, const char *directory, PlLedger *ledger,
                const PlWall *wall) {
  PlRecorder *self = g_new0(PlRecorder, 1);
  self->config = config;
  self->folder = g_build_filename(directory, folder_name, NULL);
  self->ledger = ledger;
  self->wall = wall;
  self->recordings = g_new0(Recording, config->athlete_count);
  return self;
}

static void
give_up(Recording *recording, const GError *error) {
  g_warning("capture %s ends early: %s", recording->path, error->message);
  g_clear_pointer(&recording->writer, pl_capture_writer_free);
}

static void
end(Recording *recording) {
  g_autoptr(GError) error = NULL;
  if (recording->writer != NULL && !pl_capture_writer_close(recording->writer, &error))
    give_up(recording, error);
  g_clear_pointer(&recording->writer, pl_capture_writer_free);
  if (!recording->confirmed && recording->path != NULL)
    g_unlink(recording->path);
  g_clear_pointer(&recording->run, g_free);
  g_clear_pointer(&recording->path, g_free);
  recording->confirmed = false;
}

/* A run that was interrupted by a restart goes on in another file. */
static char *
free_path(const PlRecorder *self, const char *run) {
  char *path = g_strdup_printf("%s/%s.capture.gz", self->folder, run);
  for (int part = 2; g_file_test(path, G_FILE_TEST_EXISTS); part++) {
    g_free(path);
    path = g_strdup_printf("%s/%s.%d.capture.gz", self->folder, run, part);
  }
  return path;
}

static bool
capture_type(PlLinkEventType type, PlCaptureEventType *captured) {
  switch ((int)type) {
  case PL_LINK_NOTIFICATION:
  case PL_LINK_BATTERY:
    *captured = PL_CAPTURE_NOTIFICATION;
    return true;
  case PL_LINK_CONNECTED:
    *captured = PL_CAPTURE_CONNECTED;
    return true;
  case PL_LINK_DISCONNECTED:
    *captured = PL_CAPTURE_DISCONNECTED;
    return true;
  case PL_LINK_MANUFACTURER:
    *captured = PL_CAPTURE_MANUFACTURER;
    return true;
  case PL_LINK_SERVICE_DATA:
    *captured = PL_CAPTURE_SERVICE_DATA;
    return true;
  default:
    return false;
  }
}

/* `event` is at its boot time. */
static void
write_event(Recording *recording, const PlCaptureEvent *event) {
  PlCaptureEvent captured = *event;
  g_autoptr(GError) error = NULL;
  if (recording->writer == NULL)
    return;
  captured.t_us = MAX(event->t_us - recording->start_us, 0);
  if (!pl_capture_writer_write(recording->writer, &captured, &error))
    give_up(recording, error);
}

static void
remember(Recording *recording, const PlCaptureEvent *event) {
  Remembered *remembered = g_malloc(sizeof *remembered + event->length);
  const Remembered *oldest;

  remembered->event = *event;
  remembered->event.data = remembered->data;
  if (event->length > 0)
    memcpy(remembered->data, event->data, event->length);
  g_queue_push_tail(&recording->before, remembered);
  while ((oldest = g_queue_peek_head(&recording->before)) != NULL &&
         (event->t_us - oldest->event.t_us > before_us ||
          recording->before.length > BEFORE_EVENTS_MAX))
    g_free(g_queue_pop_head(&recording->before));
}

static void
begin(PlRecorder *self, Recording *recording, const char *run, int64_t now_us) {
  const Remembered *first = g_queue_peek_head(&recording->before);
  g_autofree PlCaptureSensor *sensors = g_new0(PlCaptureSensor, self->config->sensor_count);
  g_autoptr(GError) error = NULL;

  recording->start_us = first != NULL ? first->event.t_us : now_us;
  PlCaptureHeader header = {
      .start_ms = pl_wall_ms(self->wall, recording->start_us),
      .tz = self->config->gateway.timezone,
      .sensors = sensors,
      .sensor_count = self->config->sensor_count,
  };
  for (size_t i = 0; i < self->config->sensor_count; i++) {
    const PlConfigSensor *sensor = &self->config->sensors[i];
    sensors[i] = (PlCaptureSensor){
        .id = sensor->id,
        .address = sensor->address,
        .mount = sensor->mount < PL_MOUNT_COUNT ? pl_mount_name(sensor->mount) : NULL,
    };
  }
  recording->run = g_strdup(run);
  g_mkdir_with_parents(self->folder, 0700);
  recording->path = free_path(self, run);
  recording->writer =
      pl_capture_writer_open(recording->path, &header, CAPTURE_SIZE_MAX, &error);
  if (recording->writer == NULL)
    g_warning("run %s is not captured: %s", run, error->message);
  Remembered *remembered;
  while ((remembered = g_queue_pop_head(&recording->before)) != NULL) {
    write_event(recording, &remembered->event);
    g_free(remembered);
  }
}

void
pl_recorder_event(PlRecorder *self, const PlLinkEvent *event) {
  PlCaptureEvent captured = {.sensor = event->sensor};
  int athlete = event->sensor < 0 ? -1 : self->config->sensors[event->sensor].athlete;
  if (athlete < 0 || !capture_type(event->type, &captured.type))
    return;
  captured.t_us = event->t_us;
  captured.uuid = event->uuid;
  captured.company = event->company;
  captured.data = event->data;
  captured.length = event->length;
  const uint8_t percent = (uint8_t)lround(CLAMP(event->battery_pct, 0, 100));
  if (event->type == PL_LINK_BATTERY) { /* as the sensor would have sent it */
    captured.uuid = battery_level;
    captured.data = &percent;
    captured.length = sizeof percent;
  }
  if (self->recordings[athlete].run != NULL)
    write_event(&self->recordings[athlete], &captured);
  else
    remember(&self->recordings[athlete], &captured);
}

void
pl_recorder_second(PlRecorder *self) {
  for (size_t a = 0; a < self->config->athlete_count; a++) {
    Recording *recording = &self->recordings[a];
    const char *run = pl_ledger_recorded(self->ledger, (int)a);
    if (recording->run != NULL && g_strcmp0(recording->run, run) != 0)
      end(recording);
    if (run != NULL && recording->run == NULL)
      begin(self, recording, run, pl_ledger_now_us(self->ledger));
    recording->confirmed |=
        recording->run != NULL && pl_ledger_run(self->ledger, (int)a) != NULL;
    g_autoptr(GError) error = NULL;
    if (recording->writer != NULL && !pl_capture_writer_flush(recording->writer, &error))
      give_up(recording, error);
  }
}

void
pl_recorder_free(PlRecorder *self) {
  if (self == NULL)
    return;
  for (size_t a = 0; a < self->config->athlete_count; a++) {
    end(&self->recordings[a]);
    g_queue_clear_full(&self->recordings[a].before, g_free);
  }
  g_free(self->recordings);
  g_free(self->folder);
  g_free(self);
}

void
pl_recorder_retain(const char *directory, unsigned days, int64_t now_wall_us) {
  g_autofree char *folder = g_build_filename(directory, folder_name, NULL);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  int64_t oldest_s = now_wall_us / G_USEC_PER_SEC - (int64_t)days * 86400;
  const char *name;
  while (days > 0 && dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    GStatBuf status;
    if (strstr(name, ".capture") != NULL && g_stat(path, &status) == 0 &&
        status.st_mtime < oldest_s)
      g_unlink(path);
  }
}
