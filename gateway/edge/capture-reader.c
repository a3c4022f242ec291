/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/capture-private.h"
#include "gateway/edge/error.h"

#include <math.h>
#include <string.h>

static PlCaptureReader *
reader_new(PlLineReader *lines, GError **error) {
  if (lines == NULL)
    return NULL;
  g_autoptr(PlCaptureReader) self = g_new0(PlCaptureReader, 1);
  self->lines = lines;
  self->texts = g_string_chunk_new(1024);
  self->by_id = g_hash_table_new(g_str_hash, g_str_equal);
  self->events = g_array_new(FALSE, FALSE, sizeof(PlCaptureEvent));
  return pl_capture_read_header(self, error) ? g_steal_pointer(&self) : NULL;
}

PlCaptureReader *
pl_capture_reader_open(const char *path, GError **error) {
  return reader_new(pl_line_reader_open(path, error), error);
}

PlCaptureReader *
pl_capture_reader_open_memory(const char *name, const char *data, size_t length,
                              GError **error) {
  return reader_new(pl_line_reader_open_memory(name, data, length), error);
}

void
pl_capture_reader_free(PlCaptureReader *self) {
  if (self == NULL)
    return;
  pl_line_reader_free(self->lines);
  g_hash_table_unref(self->by_id);
  g_string_chunk_free(self->texts);
  g_free(self->header.sensors);
  g_free(self->warning);
  json_decref(self->root);
  free(self->arguments);
  g_array_unref(self->events);
  g_free(self);
}

const PlCaptureHeader *
pl_capture_reader_header(const PlCaptureReader *self) {
  return &self->header;
}

const char *
pl_capture_reader_warning(const PlCaptureReader *self) {
  return self->warning;
}

static bool
find_sensor(const PlCaptureReader *self, const char *id, int *sensor, GError **error) {
  size_t found = GPOINTER_TO_SIZE(g_hash_table_lookup(self->by_id, id));
  if (found == 0)
    return pl_capture_bad(self, error, "\"sensor\": \"%.40s\" is not in the header", id);
  *sensor = (int)(found - 1);
  return true;
}

static bool
check_order(PlCaptureReader *self, int64_t t_us, GError **error) {
  if (t_us < self->t_us)
    return pl_capture_bad(self, error,
                          "\"t\" is %.6f, expected no less than the %.6f before it",
                          (double)t_us / 1e6, (double)self->t_us / 1e6);
  self->t_us = t_us;
  return true;
}

/* The common beginning of every event: when, and of which sensor. */
static bool
read_base(PlCaptureReader *self, PlCaptureEvent *base, GError **error) {
  const json_t *t = json_object_get(self->root, "t");
  double seconds = json_is_number(t) ? json_number_value(t) : NAN;
  const char *sensor;

  *base = (PlCaptureEvent){.sensor = -1};
  if (!(seconds >= 0 && seconds <= (double)PL_CAPTURE_DURATION_MAX_US / 1e6))
    return pl_capture_bad(self, error, "\"t\": expected seconds since the start, 0 to %.0f",
                          (double)PL_CAPTURE_DURATION_MAX_US / 1e6);
  base->t_us = llround(seconds * 1e6);
  if (!check_order(self, base->t_us, error) ||
      !pl_capture_get_text(self, self->root, "sensor", &sensor, error))
    return false;
  return sensor == NULL || find_sensor(self, sensor, &base->sensor, error);
}

static bool
read_uuid(const PlCaptureReader *self, const char *text, PlUuid *uuid, GError **error) {
  if (text != NULL && pl_uuid_parse(text, uuid))
    return true;
  return pl_capture_bad(self, error, "\"%.40s\" is no UUID, expected one such as \"2a37\"",
                        text == NULL ? "" : text);
}

static bool
read_hex(PlCaptureReader *self, const json_t *text, PlCaptureEvent *event, GError **error) {
  uint8_t *value = self->bytes + self->used;

  if (!json_is_string(text) ||
      !pl_capture_hex(json_string_value(text), json_string_length(text), value, &event->length))
    return pl_capture_bad(self, error, "expected at most %d bytes as hexadecimal digits",
                          PL_VALUE_MAX);
  event->data = value;
  self->used += event->length;
  return true;
}

static bool
read_notification(PlCaptureReader *self, PlCaptureEvent event, GError **error) {
  const char *uuid;

  event.type = PL_CAPTURE_NOTIFICATION;
  if (!pl_capture_get_text(self, self->root, "uuid", &uuid, error) ||
      !read_uuid(self, uuid, &event.uuid, error) ||
      !read_hex(self, json_object_get(self->root, "value"), &event, error))
    return false;
  g_array_append_val(self->events, event);
  return true;
}

static bool
read_company(const PlCaptureReader *self, const char *text, uint16_t *company, GError **error) {
  guint64 value;
  if (!g_ascii_string_to_unsigned(text, 10, 0, UINT16_MAX, &value, NULL))
    return pl_capture_bad(self, error, "\"%.40s\" is no company, expected 0 to 65535", text);
  *company = (uint16_t)value;
  return true;
}

/* `{"107":"33 00"}` or `{"fcd2":"40 00"}`. */
static bool
read_items(PlCaptureReader *self, PlCaptureEvent event, json_t *items, GError **error) {
  const char *key;
  json_t *value;

  if (items != NULL && !json_is_object(items))
    return pl_capture_bad(self, error, "\"advertisement\": expected objects in it");
  json_object_foreach(items, key, value) {
    if (!(event.type == PL_CAPTURE_MANUFACTURER ? read_company(self, key, &event.company, error)
                                                : read_uuid(self, key, &event.uuid, error)) ||
        !read_hex(self, value, &event, error))
      return false;
    g_array_append_val(self->events, event);
  }
  return true;
}

static bool
read_advertisement(PlCaptureReader *self, PlCaptureEvent event, GError **error) {
  const json_t *advertisement = json_object_get(self->root, "advertisement");
  const json_t *rssi = json_object_get(advertisement, "rssi");

  if (!json_is_object(advertisement))
    return pl_capture_bad(self, error, "\"advertisement\": expected an object");
  if (rssi != NULL) {
    json_int_t dbm = json_integer_value(rssi);
    if (!json_is_integer(rssi) || dbm < -127 || dbm > 20)
      return pl_capture_bad(self, error, "\"rssi\": expected dBm, -127 to 20");
    event.type = PL_CAPTURE_ADVERTISEMENT;
    event.rssi_dbm = (int)dbm;
    g_array_append_val(self->events, event);
    event.rssi_dbm = 0;
  }
  event.type = PL_CAPTURE_MANUFACTURER;
  if (!read_items(self, event, json_object_get(advertisement, "manufacturer"), error))
    return false;
  event.type = PL_CAPTURE_SERVICE_DATA;
  if (!read_items(self, event, json_object_get(advertisement, "service"), error))
    return false;
  if (self->events->len == 0) {
    event.type = PL_CAPTURE_ADVERTISEMENT;
    g_array_append_val(self->events, event);
  }
  return true;
}

static bool
read_command(PlCaptureReader *self, PlCaptureEvent event, GError **error) {
  const json_t *arguments = json_object_get(self->root, "arguments");

  event.type = PL_CAPTURE_COMMAND;
  if (!pl_capture_get_text(self, self->root, "command", &event.command, error))
    return false;
  if (!pl_capture_is_id(event.command, strlen(event.command)))
    return pl_capture_bad(self, error,
                          "\"command\": \"%.40s\" is none, expected one such as \"lap\"",
                          event.command);
  if (arguments != NULL && !json_is_object(arguments))
    return pl_capture_bad(self, error, "\"arguments\": expected an object");
  self->arguments = arguments != NULL ? json_dumps(arguments, JSON_COMPACT) : NULL;
  event.arguments = self->arguments != NULL ? self->arguments : "{}";
  g_array_append_val(self->events, event);
  return true;
}

static bool
read_named_event(PlCaptureReader *self, PlCaptureEvent event, GError **error) {
  const char *name;

  if (!pl_capture_get_text(self, self->root, "event", &name, error))
    return false;
  if (strcmp(name, "connected") == 0)
    event.type = PL_CAPTURE_CONNECTED;
  else if (strcmp(name, "disconnected") == 0)
    event.type = PL_CAPTURE_DISCONNECTED;
  else if (strcmp(name, "end") == 0)
    event.type = PL_CAPTURE_END;
  else
    return pl_capture_bad(
        self, error, "\"event\": \"%.40s\", expected connected, disconnected or end", name);
  g_array_append_val(self->events, event);
  return true;
}

/* The kinds of lines, by the member that tells. */
static const struct {
  const char *key;
  bool (*read)(PlCaptureReader *self, PlCaptureEvent event, GError **error);
} kinds[] = {
    {"value", read_notification},
    {"event", read_named_event},
    {"advertisement", read_advertisement},
    {"command", read_command},
};

static bool
read_kind(PlCaptureReader *self, GError **error) {
  PlCaptureEvent base;
  int kind = -1;

  for (int i = 0; i < (int)G_N_ELEMENTS(kinds); i++)
    if (json_object_get(self->root, kinds[i].key) != NULL) {
      if (kind >= 0)
        return pl_capture_bad(self, error, "both \"%s\" and \"%s\", expected one of them",
                              kinds[kind].key, kinds[i].key);
      kind = i;
    }
  if (kind < 0)
    return pl_capture_bad(self, error,
                          "expected one of value, event, advertisement and command");
  if (!read_base(self, &base, error) || !kinds[kind].read(self, base, error))
    return false;
  for (guint i = 0; i < self->events->len; i++) {
    const PlCaptureEvent *event = &g_array_index(self->events, PlCaptureEvent, i);
    if (event->sensor < 0 && event->type != PL_CAPTURE_COMMAND && event->type != PL_CAPTURE_END)
      return pl_capture_bad(self, error, "\"sensor\" is missing");
  }
  return true;
}

/* The long way. */
static bool
read_line(PlCaptureReader *self, const char *text, size_t length, GError **error) {
  g_clear_pointer(&self->root, json_decref);
  g_clear_pointer(&self->arguments, free);
  g_array_set_size(self->events, 0);
  self->handed_out = 0;
  self->used = 0;
  self->root = pl_capture_parse_object(self, text, length, error);
  return self->root != NULL && read_kind(self, error);
}

/* The short way.  False, and no error, for lines that are not plain; the long way finds out
 * what is wrong with them. */
static bool
read_plain(PlCaptureReader *self, const char *text, size_t length, PlCaptureEvent *event) {
  int sensor = -1;

  if (!pl_capture_line_parse(text, length, &self->plain) || self->plain.t_us < self->t_us ||
      !find_sensor(self, self->plain.sensor, &sensor, NULL))
    return false;
  self->t_us = self->plain.t_us;
  *event = (PlCaptureEvent){
      .type = PL_CAPTURE_NOTIFICATION,
      .t_us = self->plain.t_us,
      .sensor = sensor,
      .uuid = self->plain.uuid,
      .data = self->plain.value,
      .length = self->plain.length,
  };
  return true;
}

static bool
is_blank(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!g_ascii_isspace(text[i]))
      return false;
  return true;
}

/* The end of the file, or the place where it is cut off. */
static void
end_reading(PlCaptureReader *self, bool cut) {
  self->ended = true;
  if (cut)
    self->warning =
        g_strdup_printf("%s:%u: the file ends in the middle; used up to here",
                        pl_line_reader_name(self->lines), pl_line_reader_number(self->lines));
}

/* Reads lines until there is an event, in *event (the short way) or in self->events, or the
 * end. */
static bool
read_more(PlCaptureReader *self, PlCaptureEvent *event, bool *plain, GError **error) {
  const char *text;
  size_t length;

  do {
    if (!pl_line_reader_next(self->lines, PL_CAPTURE_LINE_MAX, &text, &length, error))
      return false;
    if (text == NULL) {
      end_reading(self, pl_line_reader_truncated(self->lines));
      return true;
    }
  } while (is_blank(text, length));

  *plain = read_plain(self, text, length, event);
  if (*plain)
    return true;
  g_autoptr(GError) why = NULL;
  if (read_line(self, text, length, &why))
    return true;
  g_array_set_size(self->events, 0);
  /* No beginning of an object is an object: only what is no JSON can have been cut. */
  if (self->root == NULL && pl_line_reader_cut(self->lines)) {
    end_reading(self, true);
    return true;
  }
  g_propagate_error(error, g_steal_pointer(&why));
  return false;
}

bool
pl_capture_reader_next(PlCaptureReader *self, PlCaptureEvent *event, GError **error) {
  bool plain = false;

  if (self->handed_out == self->events->len && !self->ended &&
      !read_more(self, event, &plain, error))
    return false;
  if (plain)
    return true;
  if (self->handed_out < self->events->len) {
    *event = g_array_index(self->events, PlCaptureEvent, self->handed_out);
    self->handed_out++;
  } else {
    *event = (PlCaptureEvent){.type = PL_CAPTURE_EOF, .t_us = self->t_us, .sensor = -1};
  }
  return true;
}
