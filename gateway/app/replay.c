/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/replay.h"

#include "gateway/core/json.h"

#include <jansson.h>
#include <string.h>

static const PlUuid battery_level = PL_UUID16(0x2a19);

struct PlReplay {
  PlCaptureReader *reader;
  const PlConfig *config;
  PlPipeline *pipeline;
  int64_t start_us;
  int *sensors;         /* of the capture: their numbers in the configuration */
  PlCaptureEvent event; /* the next */
  bool has_event, ended;
};

/* -- configuration --------------------------------------------------------------------- */

static int
find_sensor(const PlConfig *config, const PlCaptureSensor *sensor) {
  int index = config == NULL ? -1 : pl_config_find_sensor(config, sensor->id);
  if (index >= 0 || config == NULL || sensor->address == NULL)
    return index;
  for (size_t i = 0; i < config->sensor_count; i++)
    if (g_ascii_strcasecmp(config->sensors[i].address, sensor->address) == 0)
      return (int)i;
  return -1;
}

/* A capture may have been made anonymous: any address will do that nobody has. */
static char *
address_of(const PlCaptureSensor *sensor, size_t number) {
  if (sensor->address != NULL && strlen(sensor->address) == PL_ADDRESS_SIZE - 1)
    return g_strdup(sensor->address);
  return g_strdup_printf("F2:00:00:00:%02zX:%02zX", number >> 8 & 255, number & 255);
}

char *
pl_replay_configuration(const PlCaptureHeader *header, const PlConfig *config) {
  GString *text = g_string_new(NULL);
  const char *athlete = "r1";

  if (config != NULL && config->athlete_count > 0)
    athlete = config->athletes[0].id;
  else
    g_string_append_printf(text, "[athlete %s]\n", athlete);
  for (size_t i = 0; i < header->sensor_count; i++) {
    const PlCaptureSensor *sensor = &header->sensors[i];
    if (find_sensor(config, sensor) >= 0)
      continue;
    g_autofree char *address = address_of(sensor, i);
    g_string_append_printf(text, "[sensor %s]\naddress = %s\nathlete = %s\n", sensor->id,
                           address, athlete);
    if (sensor->mount != NULL && pl_mount_find(sensor->mount) >= 0)
      g_string_append_printf(text, "mount = %s\n", sensor->mount);
  }
  return g_string_free(text, FALSE);
}

GTimeZone *
pl_replay_zone(const PlCaptureHeader *header) {
  GTimeZone *zone = header->tz == NULL ? NULL : g_time_zone_new_identifier(header->tz);
  return zone != NULL ? zone : g_time_zone_new_utc();
}

/* -- link ------------------------------------------------------------------------------ */

static void
ignore_adapter(PlLink *link, int adapter, bool on) {
  (void)link;
  (void)adapter;
  (void)on;
}

static void
ignore_connect(PlLink *link, int sensor, int adapter, unsigned attempt) {
  (void)link;
  (void)sensor;
  (void)adapter;
  (void)attempt;
}

static void
ignore_sensor(PlLink *link, int sensor) {
  (void)link;
  (void)sensor;
}

static void
ignore_subscribe(PlLink *link, int sensor, const PlUuid *uuid, bool acquire) {
  (void)link;
  (void)sensor;
  (void)uuid;
  (void)acquire;
}

static void
ignore_uuid(PlLink *link, int sensor, const PlUuid *uuid) {
  (void)link;
  (void)sensor;
  (void)uuid;
}

static void
ignore_write(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data, size_t length) {
  (void)link;
  (void)sensor;
  (void)uuid;
  (void)data;
  (void)length;
}

static const PlLink nowhere = {
    .power = ignore_adapter,
    .scan = ignore_adapter,
    .connect = ignore_connect,
    .disconnect = ignore_sensor,
    .remove = ignore_sensor,
    .subscribe = ignore_subscribe,
    .unsubscribe = ignore_uuid,
    .read = ignore_uuid,
    .write = ignore_write,
};

PlLink *
pl_replay_link(void) {
  return (PlLink *)(uintptr_t)&nowhere;
}

/* -- playing --------------------------------------------------------------------------- */

PlReplay *
pl_replay_new(PlCaptureReader *reader, const PlConfig *config, PlPipeline *pipeline,
              int64_t start_us) {
  const PlCaptureHeader *header = pl_capture_reader_header(reader);
  PlReplay *self = g_new0(PlReplay, 1);
  self->reader = reader;
  self->config = config;
  self->pipeline = pipeline;
  self->start_us = start_us;
  self->sensors = g_new(int, header->sensor_count);
  for (size_t i = 0; i < header->sensor_count; i++)
    self->sensors[i] = find_sensor(config, &header->sensors[i]);
  return self;
}

void
pl_replay_free(PlReplay *self) {
  if (self == NULL)
    return;
  g_free(self->sensors);
  g_free(self);
}

static PlLinkEventType
link_event(PlCaptureEventType type) {
  switch ((int)type) {
  case PL_CAPTURE_CONNECTED:
    return PL_LINK_CONNECTED;
  case PL_CAPTURE_DISCONNECTED:
    return PL_LINK_DISCONNECTED;
  case PL_CAPTURE_ADVERTISEMENT:
    return PL_LINK_ADVERTISEMENT;
  case PL_CAPTURE_MANUFACTURER:
    return PL_LINK_MANUFACTURER;
  case PL_CAPTURE_SERVICE_DATA:
    return PL_LINK_SERVICE_DATA;
  default:
    return PL_LINK_NOTIFICATION;
  }
}

static void
feed_sensor(PlReplay *self, int64_t t_us) {
  const PlCaptureEvent *event = &self->event;
  PlLinkEvent link = {
      .type = link_event(event->type),
      .t_us = t_us,
      .adapter = PL_NO_ADAPTER,
      .sensor = self->sensors[event->sensor],
      .ok = true,
      .rssi_dbm = event->rssi_dbm,
      .company = event->company,
      .uuid = event->uuid,
      .data = event->data,
      .length = event->length,
  };
  if (link.type == PL_LINK_NOTIFICATION && link.length >= 1 &&
      pl_uuid_equal(&link.uuid, &battery_level)) {
    link.type = PL_LINK_BATTERY; /* BlueZ reads the battery itself */
    link.battery_pct = link.data[0];
  }
  pl_engine_handle(&self->pipeline->engine, &link);
}

/* Commands about runs; those of the diary belong to the days, not to the run. */
static void
feed_command(PlReplay *self, int64_t t_us) {
  json_t *arguments = json_loads(self->event.arguments, 0, NULL);
  const char *id = json_string_value(json_object_get(arguments, "athlete"));
  int athlete = id == NULL ? 0 : pl_config_find_athlete(self->config, id);
  pl_engine_advance(&self->pipeline->engine, t_us);
  if (athlete >= 0 && (size_t)athlete < self->config->athlete_count)
    pl_pipeline_command(self->pipeline, self->event.command, athlete, t_us);
  json_decref(arguments);
}

/* Nothing comes any more: the runs end as they do when everything is silent. */
static void
fall_silent(PlReplay *self) {
  PlEngine *engine = &self->pipeline->engine;
  int64_t limit_us = engine->tick_us + (int64_t)((self->config->run.end_after_s + 60) * 1e6);
  while (pl_pipeline_busy(self->pipeline) && engine->tick_us < limit_us)
    pl_engine_advance(engine, engine->tick_us);
  pl_pipeline_finish(self->pipeline, engine->tick_us);
}

static void
feed(PlReplay *self) {
  int64_t t_us = self->start_us + self->event.t_us;
  switch ((int)self->event.type) {
  case PL_CAPTURE_COMMAND:
    feed_command(self, t_us);
    break;
  case PL_CAPTURE_END:
    pl_engine_advance(&self->pipeline->engine, t_us);
    pl_pipeline_finish(self->pipeline, t_us);
    self->ended = true;
    break;
  case PL_CAPTURE_EOF:
    fall_silent(self);
    self->ended = true;
    break;
  default:
    feed_sensor(self, t_us);
  }
}

PlReplayResult
pl_replay_run(PlReplay *self, int64_t until_us, GError **error) {
  while (!self->ended) {
    if (!self->has_event && !pl_capture_reader_next(self->reader, &self->event, error))
      return PL_REPLAY_ERROR;
    self->has_event = true;
    if (self->event.type != PL_CAPTURE_EOF && self->start_us + self->event.t_us > until_us)
      return PL_REPLAY_MORE;
    self->has_event = false;
    feed(self);
  }
  return PL_REPLAY_END;
}

int64_t
pl_replay_due(const PlReplay *self) {
  return self->ended || !self->has_event ? INT64_MAX : self->start_us + self->event.t_us;
}

/* -- printing -------------------------------------------------------------------------- */

static uint64_t
printer_next_seq(PlWire *wire) {
  return ++((PlPrinter *)wire)->seq;
}

/* Topics repeat: each is made once and kept. */
static const char *
printer_topic(PlPrinter *printer, const PlOutMessage *message) {
  PlTopic topic = message->topic;
  if (printer->names[topic] == NULL || strcmp(printer->names[topic], message->name) != 0) {
    g_autofree char *rest = pl_topic_name(topic, message->name);
    g_free(printer->topics[topic]);
    g_free(printer->names[topic]);
    printer->topics[topic] = g_strconcat(printer->prefix, "/", rest, NULL);
    printer->names[topic] = g_strdup(message->name);
  }
  return printer->topics[topic];
}

static void
printer_send(PlWire *wire, const PlOutMessage *message) {
  PlPrinter *printer = (PlPrinter *)wire;
  const PlTopicDef *def = &pl_topics[message->topic];
  if (!def->replayed)
    return;
  fprintf(printer->out, "{\"topic\":\"%s\",\"payload\":%s,\"qos\":%u,\"retain\":%s}\n",
          printer_topic(printer, message), message->payload, def->qos,
          def->retain ? "true" : "false");
}

void
pl_printer_init(PlPrinter *printer, FILE *out, const char *prefix) {
  *printer = (PlPrinter){
      .wire = {.next_seq = printer_next_seq, .send = printer_send},
      .out = out,
      .prefix = prefix,
  };
}

void
pl_printer_clear(PlPrinter *printer) {
  for (int t = 0; t < PL_TOPIC_COUNT; t++) {
    g_free(printer->topics[t]);
    g_free(printer->names[t]);
  }
}
