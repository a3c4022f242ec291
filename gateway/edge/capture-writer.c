/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/json.h"
#include "gateway/edge/capture-line.h"
#include "gateway/edge/capture.h"
#include "gateway/edge/error.h"
#include "gateway/edge/lines.h"

#include <string.h>

enum {
  TIME_DECIMALS = 6,
  ESCAPE_MAX = 6, /* bytes of JSON for one byte of text */
};

static const int64_t flush_us = 5000000;

struct PlCaptureWriter {
  PlLineWriter *lines;
  GPtrArray *ids; /* of the sensors, in the order of the header */
  uint64_t size, size_max;
  int64_t t_us;       /* of the last event */
  int64_t flushed_us; /* when everything was last handed over */
  char buffer[PL_CAPTURE_LINE_MAX + 1];
};

static size_t
text_size(const char *text) {
  return text == NULL ? 0 : ESCAPE_MAX * strlen(text);
}

/* Room enough for the header's text. */
static size_t
header_size(const PlCaptureHeader *header) {
  size_t size = 256 + text_size(header->tz);
  for (size_t i = 0; i < header->sensor_count; i++) {
    const PlCaptureSensor *sensor = &header->sensors[i];
    size += 128 + text_size(sensor->id) + text_size(sensor->address) + text_size(sensor->name) +
            text_size(sensor->mount) + sensor->service_count * (PL_UUID_TEXT_SIZE + 3);
  }
  return size;
}

static void
put_sensor(PlJson *json, const PlCaptureSensor *sensor) {
  char uuid[PL_UUID_TEXT_SIZE];

  pl_json_member_object(json, sensor->id);
  pl_json_member_string(json, "address", sensor->address);
  pl_json_member_string(json, "name", sensor->name);
  pl_json_member_string(json, "mount", sensor->mount);
  if (sensor->service_count > 0) {
    pl_json_member_array(json, "services");
    for (size_t i = 0; i < sensor->service_count; i++) {
      pl_uuid_format(&sensor->services[i], uuid);
      pl_json_string(json, uuid);
    }
    pl_json_array_end(json);
  }
  pl_json_object_end(json);
}

static bool
write_header(PlCaptureWriter *self, const PlCaptureHeader *header, GError **error) {
  size_t size = header_size(header);
  g_autofree char *buffer = g_malloc(size);
  PlJson json;

  pl_json_init(&json, buffer, size);
  pl_json_object(&json);
  pl_json_member_integer(&json, "plumbline_capture", PL_CAPTURE_VERSION);
  pl_json_member_time(&json, "start", header->start_ms);
  pl_json_member_string(&json, "tz", header->tz);
  pl_json_member_object(&json, "sensors");
  for (size_t i = 0; i < header->sensor_count; i++)
    put_sensor(&json, &header->sensors[i]);
  pl_json_object_end(&json);
  pl_json_object_end(&json);
  self->size = json.length + 1;
  return pl_line_writer_write(self->lines, buffer, json.length, error) &&
         pl_line_writer_flush(self->lines, error);
}

PlCaptureWriter *
pl_capture_writer_open(const char *path, const PlCaptureHeader *header, uint64_t size_max,
                       GError **error) {
  g_autoptr(PlCaptureWriter) self = g_new0(PlCaptureWriter, 1);

  self->size_max = size_max == 0 ? UINT64_MAX : size_max;
  self->ids = g_ptr_array_new_with_free_func(g_free);
  for (size_t i = 0; i < header->sensor_count; i++)
    g_ptr_array_add(self->ids, g_strdup(header->sensors[i].id));
  self->lines = pl_line_writer_open(path, error);
  if (self->lines == NULL || !write_header(self, header, error))
    return NULL;
  return g_steal_pointer(&self);
}

static void
put_advertisement(PlJson *json, const PlCaptureEvent *event) {
  char uuid[PL_UUID_TEXT_SIZE];
  char company[PL_CAPTURE_ID_SIZE];

  pl_json_member_object(json, "advertisement");
  if (event->type == PL_CAPTURE_MANUFACTURER) {
    g_snprintf(company, sizeof company, "%u", event->company);
    pl_json_member_object(json, "manufacturer");
    pl_json_member_hex(json, company, event->data, event->length);
    pl_json_object_end(json);
  } else if (event->type == PL_CAPTURE_SERVICE_DATA) {
    pl_uuid_format(&event->uuid, uuid);
    pl_json_member_object(json, "service");
    pl_json_member_hex(json, uuid, event->data, event->length);
    pl_json_object_end(json);
  } else if (event->rssi_dbm != 0) {
    pl_json_member_integer(json, "rssi", event->rssi_dbm);
  }
  pl_json_object_end(json);
}

static void
put_event(PlJson *json, const PlCaptureEvent *event) {
  char uuid[PL_UUID_TEXT_SIZE];

  switch (event->type) {
  case PL_CAPTURE_NOTIFICATION:
    pl_uuid_format(&event->uuid, uuid);
    pl_json_member_string(json, "uuid", uuid);
    pl_json_member_hex(json, "value", event->data, event->length);
    break;
  case PL_CAPTURE_CONNECTED:
    pl_json_member_string(json, "event", "connected");
    break;
  case PL_CAPTURE_DISCONNECTED:
    pl_json_member_string(json, "event", "disconnected");
    break;
  case PL_CAPTURE_ADVERTISEMENT:
  case PL_CAPTURE_MANUFACTURER:
  case PL_CAPTURE_SERVICE_DATA:
    put_advertisement(json, event);
    break;
  case PL_CAPTURE_COMMAND:
    pl_json_member_string(json, "command", event->command);
    pl_json_member_raw(json, "arguments", event->arguments, strlen(event->arguments));
    break;
  case PL_CAPTURE_END:
    pl_json_member_string(json, "event", "end");
    break;
  case PL_CAPTURE_EOF:
    break;
  }
}

static bool
has_sensor(const PlCaptureEvent *event) {
  return event->type != PL_CAPTURE_COMMAND && event->type != PL_CAPTURE_END;
}

/* Whether the reader would take it. */
static bool
check_event(const PlCaptureWriter *self, const PlCaptureEvent *event, GError **error) {
  const char *wrong = NULL;

  if (event->t_us < self->t_us)
    wrong = "its time is before the last one's";
  else if (event->t_us > PL_CAPTURE_DURATION_MAX_US)
    wrong = "it is too long after the start";
  else if (has_sensor(event) && (event->sensor < 0 || event->sensor >= (int)self->ids->len))
    wrong = "its sensor is not in the header";
  else if (event->length > PL_VALUE_MAX)
    wrong = "its value is too long";
  else if (event->type == PL_CAPTURE_EOF)
    wrong = "it is the end of a file";
  if (wrong == NULL)
    return true;
  g_set_error(error, PL_ERROR, PL_ERROR_DATA, "an event can not be written: %s", wrong);
  return false;
}

bool
pl_capture_writer_write(PlCaptureWriter *self, const PlCaptureEvent *event, GError **error) {
  PlJson json;

  if (!check_event(self, event, error))
    return false;
  pl_json_init(&json, self->buffer, sizeof self->buffer);
  pl_json_object(&json);
  pl_json_member_number(&json, "t", (double)event->t_us / 1e6, TIME_DECIMALS);
  if (has_sensor(event))
    pl_json_member_string(&json, "sensor", g_ptr_array_index(self->ids, event->sensor));
  put_event(&json, event);
  pl_json_object_end(&json);

  if (json.overflow) {
    g_set_error(error, PL_ERROR, PL_ERROR_DATA,
                "an event can not be written: it is longer than %d bytes", PL_CAPTURE_LINE_MAX);
    return false;
  }
  if (event->type != PL_CAPTURE_END && self->size + json.length + 1 > self->size_max) {
    g_set_error(error, PL_ERROR, PL_ERROR_FULL,
                "the capture has reached its limit of %" G_GUINT64_FORMAT " bytes",
                self->size_max);
    return false;
  }
  if (!pl_line_writer_write(self->lines, json.text, json.length, error))
    return false;
  self->size += json.length + 1;
  self->t_us = event->t_us;
  return self->t_us - self->flushed_us < flush_us || pl_capture_writer_flush(self, error);
}

bool
pl_capture_writer_flush(PlCaptureWriter *self, GError **error) {
  self->flushed_us = self->t_us;
  return pl_line_writer_flush(self->lines, error);
}

bool
pl_capture_writer_close(PlCaptureWriter *self, GError **error) {
  return pl_line_writer_close(self->lines, error);
}

void
pl_capture_writer_free(PlCaptureWriter *self) {
  if (self == NULL)
    return;
  pl_line_writer_free(self->lines);
  g_ptr_array_unref(self->ids);
  g_free(self);
}
