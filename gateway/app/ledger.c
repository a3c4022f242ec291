/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/ledger-private.h"

#include <math.h>

/* Recorders that keep everything get every fifth second. */
enum { RECORDER_SECONDS = 5 };

static PlLedger *
ledger_of(PlOutlet *outlet) {
  return (PlLedger *)((char *)outlet - G_STRUCT_OFFSET(PlLedger, outlet));
}

PlStamp
pl_ledger_stamp(PlLedger *self, int64_t t_us) {
  return (PlStamp){
      .gateway = self->parts.config->gateway.name,
      .seq = self->parts.wire->next_seq(self->parts.wire),
      .wall_ms = pl_wall_ms(self->parts.wall, t_us),
      .synced = self->parts.wall->synced,
  };
}

void
pl_ledger_send(PlLedger *self, PlTopic topic, const char *name, const char *run,
               const PlStamp *stamp, const PlJson *json) {
  const char *text = pl_json_text(json);
  if (text == NULL) {
    g_critical("a message for %s does not fit into %zu bytes", name, json->size);
    return;
  }
  self->parts.wire->send(self->parts.wire, &(PlOutMessage){
                                               .topic = topic,
                                               .name = name,
                                               .payload = text,
                                               .seq = stamp->seq,
                                               .wall_us = stamp->wall_ms * 1000,
                                               .run = run,
                                           });
}

PlStoreTime
pl_ledger_time(const PlLedger *self, int64_t t_us) {
  return (PlStoreTime){
      .boot_us = t_us,
      .wall_us = pl_wall_us(self->parts.wall, t_us),
      .synced = self->parts.wall->synced,
  };
}

const char *
pl_ledger_athlete_id(const PlLedger *self, int athlete) {
  return athlete < 0 ? NULL : self->parts.config->athletes[athlete].id;
}

static const char *
run_id(const PlLedger *self, int athlete) {
  return athlete >= 0 && self->books[athlete].is_run ? self->books[athlete].run : NULL;
}

void
pl_ledger_send_athlete(PlLedger *self, int athlete, int64_t t_us) {
  const PlConfig *config = self->parts.config;
  const PlBook *book = &self->books[athlete];
  PlJson json;
  size_t count = 0;

  for (size_t i = 0; i < config->sensor_count; i++)
    if (config->sensors[i].athlete == athlete)
      self->sensor_ids[count++] = config->sensors[i].id;
  PlStamp stamp = pl_ledger_stamp(self, t_us);
  pl_json_init(&json, self->text, self->text_size);
  pl_payload_athlete(&json, &stamp, book->phase, run_id(self, athlete),
                     pl_wall_ms(self->parts.wall, book->phase_since_us), self->sensor_ids,
                     count);
  pl_ledger_send(self, PL_TOPIC_ATHLETE_STATE, pl_ledger_athlete_id(self, athlete), NULL,
                 &stamp, &json);
}

void
pl_ledger_send_sensor(PlLedger *self, int sensor, int64_t t_us) {
  const PlConfigSensor *config = &self->parts.config->sensors[sensor];
  const PlSensorPage *page = &self->sensors[sensor];
  PlSensorContext context = {
      .athlete = pl_ledger_athlete_id(self, config->athlete),
      .model = page->model,
      .firmware = page->firmware,
  };
  PlJson json;
  PlStamp stamp = pl_ledger_stamp(self, t_us);
  pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
  pl_payload_sensor(&json, &stamp, &context, &page->state);
  pl_ledger_send(self, PL_TOPIC_SENSOR_STATE, config->id, NULL, &stamp, &json);
}

void
pl_ledger_send_warnings(PlLedger *self, int athlete, int64_t t_us) {
  PlJson json;
  uint64_t active = self->engine == NULL ? 0 : pl_engine_athlete(self->engine, athlete)->active;
  PlStamp stamp = pl_ledger_stamp(self, t_us);
  pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
  pl_payload_warnings(&json, &stamp, active);
  pl_ledger_send(self, PL_TOPIC_ATHLETE_WARNINGS, pl_ledger_athlete_id(self, athlete), NULL,
                 &stamp, &json);
}

void
pl_ledger_send_event(PlLedger *self, const char *code, int athlete, int sensor, int64_t t_us,
                     const char *text) {
  const PlConfig *config = self->parts.config;
  const char *sensor_id = sensor < 0 ? NULL : config->sensors[sensor].id;
  const char *run = run_id(self, athlete);
  PlStamp stamp = pl_ledger_stamp(self, t_us);
  PlStoreTime time = pl_ledger_time(self, t_us);
  PlJson json;

  pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
  pl_payload_event(&json, &stamp, code, pl_ledger_athlete_id(self, athlete), run, sensor_id,
                   text);
  pl_store_event(self->parts.store, &time, code, pl_json_text(&json));
  pl_ledger_send(self, PL_TOPIC_GATEWAY_EVENT, config->gateway.name, run, &stamp, &json);
}

static void
send_live(PlLedger *self, const PlFrame *frame) {
  const char *athlete = pl_ledger_athlete_id(self, frame->athlete);
  PlTopic topics[] = {PL_TOPIC_ATHLETE_LIVE, PL_TOPIC_ATHLETE_HA};
  size_t count = self->seconds % RECORDER_SECONDS == 0 ? 2 : 1;

  for (size_t i = 0; i < count; i++) {
    PlJson json;
    PlStamp stamp = pl_ledger_stamp(self, frame->record.t_us);
    pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
    pl_payload_live(&json, &stamp, athlete, run_id(self, frame->athlete), frame);
    pl_ledger_send(self, topics[i], athlete, NULL, &stamp, &json);
  }
}

static void
on_frame(PlOutlet *outlet, const PlFrame *frame) {
  PlLedger *self = ledger_of(outlet);
  PlBook *book = &self->books[frame->athlete];

  book->frame = *frame;
  book->has_frame = true;
  if (frame->recorded && book->run != NULL) {
    pl_store_record(self->parts.store, book->run, &frame->record);
    pl_ledger_attend(self, frame);
  }
  if (!frame->streaming)
    return;
  send_live(self, frame);
  self->board_due = true;
}

/* Rows of the board, those who need attention first. */
static void
send_board(PlLedger *self, int64_t t_us) {
  const PlConfig *config = self->parts.config;
  PlJson json;
  PlStamp stamp = pl_ledger_stamp(self, t_us);

  pl_json_init(&json, self->text, self->text_size);
  pl_json_object(&json);
  pl_payload_stamp(&json, &stamp);
  pl_json_member_array(&json, "rows");
  for (int attention = PL_SEVERITY_CRITICAL + 1; attention >= 0; attention--) {
    for (size_t a = 0; a < config->athlete_count; a++) {
      const PlBook *book = &self->books[a];
      if (!book->has_frame || pl_payload_attention(&book->frame) != (unsigned)attention)
        continue;
      pl_payload_board_row(&json, config->athletes[a].id, &book->frame, (unsigned)attention,
                           (double)(t_us - book->frame.record.t_us) * 1e-6);
    }
  }
  pl_json_array_end(&json);
  pl_json_object_end(&json);
  pl_ledger_send(self, PL_TOPIC_SQUAD_BOARD, config->gateway.name, NULL, &stamp, &json);
}

static void
on_second(PlOutlet *outlet, int64_t t_us) {
  PlLedger *self = ledger_of(outlet);
  self->seconds++;
  if (self->board_due)
    send_board(self, t_us);
  self->board_due = false;
}

static void
on_phase(PlOutlet *outlet, int athlete, PlPhase phase, int64_t since_us) {
  PlLedger *self = ledger_of(outlet);
  self->books[athlete].phase = phase;
  self->books[athlete].phase_since_us = since_us;
  pl_ledger_send_athlete(self, athlete, since_us);
}

static void
on_sensor(PlOutlet *outlet, int sensor, const PlSensorState *state) {
  PlLedger *self = ledger_of(outlet);
  self->sensors[sensor].state = *state;
  self->sensors[sensor].has_state = true;
  pl_ledger_send_sensor(self, sensor,
                        self->engine == NULL ? state->since_us : self->engine->radio.now_us);
}

static void
on_event(PlOutlet *outlet, const PlGatewayEvent *event) {
  static const struct {
    const char *code, *text;
  } words[] = {
      [PL_EVENT_SENSOR_JOINED] = {"joined", "sensor streams"},
      [PL_EVENT_SENSOR_LOST] = {"lost", "sensor is not heard any more"},
      [PL_EVENT_ADAPTER_LOST] = {"adapter-lost", "Bluetooth adapter is gone or off"},
      [PL_EVENT_ADAPTER_RESET] = {"adapter-reset", "Bluetooth adapter is switched off and on"},
      [PL_EVENT_FLOOD] = {"flood", "sensor sends far too much and is shut out for ten minutes"},
  };
  PlLedger *self = ledger_of(outlet);
  int athlete =
      event->sensor < 0 ? PL_NO_ATHLETE : self->parts.config->sensors[event->sensor].athlete;
  pl_ledger_send_event(self, words[event->type].code, athlete, event->sensor, event->t_us,
                       words[event->type].text);
}

PlLedger *
pl_ledger_new(const PlLedgerParts *parts) {
  PlLedger *self = g_new0(PlLedger, 1);
  self->parts = *parts;
  self->outlet = (PlOutlet){
      .frame = on_frame,
      .second = on_second,
      .warning = pl_ledger_on_warning,
      .lap = pl_ledger_on_lap,
      .run = pl_ledger_on_run,
      .phase = on_phase,
      .sensor = on_sensor,
      .event = on_event,
  };
  self->books = g_new0(PlBook, parts->config->athlete_count);
  self->sensors = g_new0(PlSensorPage, parts->config->sensor_count);
  self->sensor_ids = g_new0(const char *, parts->config->sensor_count + 1);
  self->text_size = PL_PAYLOAD_SIZE + PL_PAYLOAD_ROW_SIZE * parts->config->athlete_count +
                    PL_PAYLOAD_ID_SIZE * parts->config->sensor_count;
  self->text = g_malloc(self->text_size);
  for (size_t a = 0; a < parts->config->athlete_count; a++)
    pl_book_clear(&self->books[a]);
  return self;
}

void
pl_ledger_free(PlLedger *self) {
  if (self == NULL)
    return;
  for (size_t a = 0; a < self->parts.config->athlete_count; a++) {
    g_free(self->books[a].run);
    g_clear_pointer(&self->books[a].laps, g_ptr_array_unref);
    g_clear_pointer(&self->books[a].early, g_array_unref);
  }
  for (size_t i = 0; i < self->parts.config->sensor_count; i++) {
    g_free(self->sensors[i].model);
    g_free(self->sensors[i].firmware);
  }
  g_free(self->books);
  g_free(self->sensors);
  g_free(self->sensor_ids);
  g_free(self->text);
  g_free(self);
}

PlOutlet *
pl_ledger_outlet(PlLedger *self) {
  return &self->outlet;
}

void
pl_ledger_inform(PlLedger *self, int sensor, const char *model, const char *firmware) {
  PlSensorPage *page = &self->sensors[sensor];
  g_free(page->model);
  g_free(page->firmware);
  page->model = model == NULL || *model == '\0' ? NULL : g_strdup(model);
  page->firmware = firmware == NULL || *firmware == '\0' ? NULL : g_strdup(firmware);
  if (page->has_state)
    pl_ledger_send_sensor(self, sensor, self->engine->radio.now_us);
}

/* The summary of the last run that is over, which a broker may have lost. */
static void
send_last_summary(PlLedger *self, int athlete) {
  const char *id = pl_ledger_athlete_id(self, athlete);
  g_autoptr(GPtrArray) runs = pl_store_runs(self->parts.store, id, 2, 0, NULL);
  for (guint i = 0; runs != NULL && i < runs->len; i++) {
    const PlStoredRun *run = runs->pdata[i];
    if (run->summary == NULL)
      continue;
    self->parts.wire->send(self->parts.wire, &(PlOutMessage){
                                                 .topic = PL_TOPIC_ATHLETE_SUMMARY,
                                                 .name = id,
                                                 .payload = run->summary,
                                                 .wall_us = run->end.wall_us,
                                                 .run = run->id,
                                             });
    return;
  }
}

void
pl_ledger_announce(PlLedger *self) {
  int64_t now_us = self->engine->radio.now_us;
  for (size_t i = 0; i < self->parts.config->sensor_count; i++) {
    self->sensors[i].state = *pl_radio_sensor(&self->engine->radio, (int)i);
    self->sensors[i].has_state = true;
    pl_ledger_send_sensor(self, (int)i, now_us);
  }
  for (size_t a = 0; a < self->parts.config->athlete_count; a++) {
    pl_ledger_send_athlete(self, (int)a, now_us);
    pl_ledger_send_warnings(self, (int)a, now_us);
    send_last_summary(self, (int)a);
  }
}

void
pl_ledger_event(PlLedger *self, const char *code, int64_t t_us, const char *text) {
  pl_ledger_send_event(self, code, PL_NO_ATHLETE, PL_NO_SENSOR, t_us, text);
}

const PlFrame *
pl_ledger_frame(const PlLedger *self, int athlete) {
  return self->books[athlete].has_frame ? &self->books[athlete].frame : NULL;
}

const char *
pl_ledger_run(const PlLedger *self, int athlete) {
  return run_id(self, athlete);
}

const char *
pl_ledger_recorded(const PlLedger *self, int athlete) {
  return self->books[athlete].run;
}

int64_t
pl_ledger_now_us(const PlLedger *self) {
  return self->engine->radio.now_us;
}
