/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/civil.h"
#include "gateway/edge/capture-private.h"
#include "gateway/edge/error.h"

#include <string.h>

bool
pl_capture_bad(const PlCaptureReader *self, GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, PL_ERROR, PL_ERROR_DATA, "%s:%u: %s", pl_line_reader_name(self->lines),
              MAX(1, pl_line_reader_number(self->lines)), text);
  return false;
}

json_t *
pl_capture_parse_object(const PlCaptureReader *self, const char *text, size_t length,
                        GError **error) {
  json_error_t why;
  g_autoptr(Json) root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);

  if (root == NULL)
    pl_capture_bad(self, error, "not JSON: %s (column %d)", why.text, why.column);
  else if (!json_is_object(root))
    pl_capture_bad(self, error, "expected an object in braces");
  else
    return g_steal_pointer(&root);
  return NULL;
}

bool
pl_capture_get_text(const PlCaptureReader *self, const json_t *object, const char *key,
                    const char **text, GError **error) {
  const json_t *member = json_object_get(object, key);

  *text = json_string_value(member);
  if (member != NULL && *text == NULL)
    return pl_capture_bad(self, error, "\"%s\": expected a text", key);
  if (*text != NULL && json_string_length(member) > PL_CAPTURE_TEXT_MAX)
    return pl_capture_bad(self, error, "\"%s\": longer than %d bytes", key,
                          PL_CAPTURE_TEXT_MAX);
  return true;
}

/* The same, kept with the header. */
static bool
keep_text(PlCaptureReader *self, const json_t *object, const char *key, const char **text,
          GError **error) {
  if (!pl_capture_get_text(self, object, key, text, error))
    return false;
  if (*text != NULL)
    *text = g_string_chunk_insert(self->texts, *text);
  return true;
}

static bool
read_services(PlCaptureReader *self, const json_t *services, PlCaptureSensor *sensor,
              GError **error) {
  size_t i;
  json_t *service;

  if (services == NULL)
    return true;
  if (!json_is_array(services) || json_array_size(services) > PL_CAPTURE_SERVICES_MAX)
    return pl_capture_bad(self, error, "\"services\": expected a list of at most %d UUIDs",
                          PL_CAPTURE_SERVICES_MAX);
  json_array_foreach(services, i, service) {
    const char *text = json_string_value(service);
    if (text == NULL || !pl_uuid_parse(text, &sensor->services[i]))
      return pl_capture_bad(self, error, "\"services\": expected UUIDs such as \"180d\"");
  }
  sensor->service_count = json_array_size(services);
  return true;
}

static bool
read_sensor(PlCaptureReader *self, const char *id, const json_t *object,
            PlCaptureSensor *sensor, GError **error) {
  if (!pl_capture_is_id(id, strlen(id)))
    return pl_capture_bad(
        self, error, "\"sensors\": \"%.40s\" is no id, expected a-z, 0-9 and -, at most 32",
        id);
  if (!json_is_object(object))
    return pl_capture_bad(self, error, "\"sensors\": \"%s\": expected an object", id);
  sensor->id = g_string_chunk_insert(self->texts, id);
  return keep_text(self, object, "address", &sensor->address, error) &&
         keep_text(self, object, "name", &sensor->name, error) &&
         keep_text(self, object, "mount", &sensor->mount, error) &&
         read_services(self, json_object_get(object, "services"), sensor, error);
}

static bool
read_sensors(PlCaptureReader *self, json_t *sensors, GError **error) {
  const char *id;
  json_t *object;

  if (!json_is_object(sensors) || json_object_size(sensors) > PL_CAPTURE_SENSORS_MAX)
    return pl_capture_bad(self, error, "\"sensors\": expected an object of at most %d sensors",
                          PL_CAPTURE_SENSORS_MAX);
  self->header.sensors = g_new0(PlCaptureSensor, json_object_size(sensors));
  json_object_foreach(sensors, id, object) {
    PlCaptureSensor *sensor = &self->header.sensors[self->header.sensor_count];
    if (!read_sensor(self, id, object, sensor, error))
      return false;
    self->header.sensor_count++;
    g_hash_table_insert(self->by_id, (gpointer)(guintptr)sensor->id,
                        GSIZE_TO_POINTER(self->header.sensor_count));
  }
  return true;
}

bool
pl_capture_read_header(PlCaptureReader *self, GError **error) {
  const char *text, *start;
  size_t length;

  if (!pl_line_reader_next(self->lines, PL_CAPTURE_HEADER_MAX, &text, &length, error))
    return false;
  if (text == NULL)
    return pl_capture_bad(self, error, "empty, expected a capture's header");
  g_autoptr(Json) root = pl_capture_parse_object(self, text, length, error);
  if (root == NULL)
    return false;
  const json_t *version = json_object_get(root, "plumbline_capture");
  if (!json_is_integer(version))
    return pl_capture_bad(self, error, "not a capture: expected {\"plumbline_capture\":1,...");
  if (json_integer_value(version) != PL_CAPTURE_VERSION)
    return pl_capture_bad(self, error,
                          "a capture of version %" JSON_INTEGER_FORMAT
                          ", expected version %d: use a newer program",
                          json_integer_value(version), PL_CAPTURE_VERSION);
  if (!pl_capture_get_text(self, root, "start", &start, error))
    return false;
  if (start == NULL || !pl_civil_parse(start, &self->header.start_ms) ||
      self->header.start_ms > PL_CIVIL_MS_MAX - PL_CAPTURE_DURATION_MAX_US / 1000)
    return pl_capture_bad(self, error,
                          "\"start\": expected a time such as \"2026-11-23T06:02:11.000Z\"");
  return keep_text(self, root, "tz", &self->header.tz, error) &&
         read_sensors(self, json_object_get(root, "sensors"), error);
}
