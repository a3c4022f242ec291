/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/ledger-private.h"

#include "gateway/core/civil.h"

#include <math.h>
#include <string.h>

/* A sensor that sends once a second is heard while the radio is no later than another. */
static const int64_t heard_us = 2000000;

static PlLedger *
ledger_of(PlOutlet *outlet) {
  return (PlLedger *)((char *)outlet - G_STRUCT_OFFSET(PlLedger, outlet));
}

void
pl_book_clear(PlBook *book) {
  g_clear_pointer(&book->run, g_free);
  g_clear_pointer(&book->laps, g_ptr_array_unref);
  g_clear_pointer(&book->early, g_array_unref);
  book->laps = g_ptr_array_new_with_free_func(g_free);
  book->early = g_array_new(FALSE, FALSE, sizeof(PlLap));
  book->is_run = false;
  book->totals = (PlWarningTotals){0};
  book->attendance = (PlAttendance){0};
  for (int w = 0; w < PL_WARNING_COUNT; w++)
    book->raised_us[w] = PL_NO_TIME;
  book->history = (PlHistory){.longest_30d_m = NAN, .confidence = NAN};
}

/* A run is called after its start and its runner, for ever. */
static char *
name_run(const PlLedger *self, int athlete, int64_t start_us) {
  char start[PL_CIVIL_COMPACT_SIZE];
  pl_civil_format_compact(pl_wall_ms(self->parts.wall, start_us), start);
  return g_strdup_printf("%s-%s", start, pl_ledger_athlete_id(self, athlete));
}

char *
pl_ledger_by_hand_key(const PlLedger *self, int athlete) {
  return g_strconcat("run-by-hand ", pl_ledger_athlete_id(self, athlete), NULL);
}

char *
pl_ledger_paused_key(const PlLedger *self, int athlete) {
  return g_strconcat("run-paused ", pl_ledger_athlete_id(self, athlete), NULL);
}

static void
remember_pause(PlLedger *self, int athlete) {
  g_autofree char *key = pl_ledger_paused_key(self, athlete);
  bool by_hand = pl_engine_athlete(self->engine, athlete)->paused_by_hand;
  pl_store_set(self->parts.store, key, by_hand ? self->books[athlete].run : NULL);
}

static void
begin(PlLedger *self, int athlete, int64_t start_us) {
  PlBook *book = &self->books[athlete];
  PlStoreTime start = pl_ledger_time(self, start_us);
  const char *id = pl_ledger_athlete_id(self, athlete);

  pl_book_clear(book);
  for (size_t i = 0; i < self->parts.config->sensor_count; i++)
    if (self->parts.config->sensors[i].athlete == athlete)
      self->sensors[i].attendance = (PlAttendance){0};
  book->run = name_run(self, athlete, start_us);
  book->start_us = start_us;
  book->history = pl_load_history(self->parts.store, id, self->parts.wall, start.wall_us);
  pl_engine_athlete(self->engine, athlete)->history = book->history;
  pl_store_run_begin(self->parts.store, book->run, id, &start);
}

static void
attend(PlAttendance *attendance, bool present, bool moves) {
  attendance->rested_s += present;
  if (!moves)
    return;
  attendance->moved_s += attendance->rested_s;
  attendance->rested_s = 0;
}

void
pl_ledger_attend(PlLedger *self, const PlFrame *frame) {
  const PlEngineMemory *memory = &self->engine->memory;
  bool moves = pl_engine_athlete(self->engine, frame->athlete)->alive;
  attend(&self->books[frame->athlete].attendance, true, moves);
  for (size_t i = memory->first_of[frame->athlete]; i < memory->first_of[frame->athlete + 1];
       i++) {
    int sensor = memory->sensors_of[i];
    const PlSensorState *state = pl_radio_sensor(&self->engine->radio, sensor);
    bool heard = state->last_data_us != PL_NO_TIME &&
                 frame->record.t_us - state->last_data_us <= heard_us;
    attend(&self->sensors[sensor].attendance, heard, moves);
  }
}

static void
send_lap(PlLedger *self, int athlete, const PlLap *lap) {
  const char *id = pl_ledger_athlete_id(self, athlete);
  const char *run = self->books[athlete].run;
  PlStamp stamp = pl_ledger_stamp(self, lap->end_us);
  PlJson json;

  pl_json_init(&json, self->text, self->text_size);
  pl_payload_lap(&json, &stamp, id, run, lap, pl_wall_ms(self->parts.wall, lap->start_us));
  pl_ledger_send(self, PL_TOPIC_ATHLETE_LAP, id, run, &stamp, &json);
}

static void
confirm(PlLedger *self, int athlete, int64_t t_us, bool by_hand) {
  PlBook *book = &self->books[athlete];
  g_autofree char *key = pl_ledger_by_hand_key(self, athlete);
  book->is_run = true;
  pl_store_set(self->parts.store, key, by_hand ? book->run : NULL);
  pl_store_run_confirm(self->parts.store, book->run);
  pl_ledger_send_event(self, "run-started", athlete, PL_NO_SENSOR, t_us, NULL);
  for (guint i = 0; i < book->early->len; i++)
    send_lap(self, athlete, &g_array_index(book->early, PlLap, i));
  g_array_set_size(book->early, 0);
}

static const char *
default_shoe(const PlConfig *config, int athlete) {
  const char *shoe = NULL;
  for (size_t i = 0; i < config->shoe_count; i++)
    if (config->shoes[i].athlete == athlete && (shoe == NULL || config->shoes[i].is_default))
      shoe = config->shoes[i].id;
  return shoe;
}

/* What was raised after the last movement does not belong to the run. */
static void
close_totals(PlWarningTotals *totals, double elapsed_s) {
  for (int w = 0; w < PL_WARNING_COUNT; w++) {
    if (totals->first_s[w] > elapsed_s)
      totals->count[w] = 0;
    totals->seconds[w] = fmin(totals->seconds[w], elapsed_s - totals->first_s[w]);
  }
}

/* The sensors of a run and how much of it they were heard; of PlSensorShare. */
static GArray *
sensor_shares(const PlLedger *self, int athlete) {
  const PlConfig *config = self->parts.config;
  unsigned of_s = self->books[athlete].attendance.moved_s;
  GArray *shares = g_array_new(FALSE, FALSE, sizeof(PlSensorShare));
  for (size_t i = 0; i < config->sensor_count; i++) {
    unsigned heard_s = self->sensors[i].attendance.moved_s;
    PlSensorShare share = {.sensor = config->sensors[i].id, .share = (double)heard_s / of_s};
    if (config->sensors[i].athlete == athlete && heard_s > 0)
      g_array_append_val(shares, share);
  }
  return shares;
}

static size_t
summary_size(const PlBook *book, const GArray *shares) {
  size_t size = PL_PAYLOAD_SUMMARY_SIZE + shares->len * PL_PAYLOAD_ID_SIZE;
  for (guint i = 0; i < book->laps->len; i++)
    size += strlen(book->laps->pdata[i]) + 1;
  return size;
}

/* The summary goes to the store and to the outbox in one transaction. */
static void
finish(PlLedger *self, int athlete, const PlRun *run) {
  PlBook *book = &self->books[athlete];
  g_autoptr(GArray) shares = sensor_shares(self, athlete);
  size_t size = summary_size(book, shares);
  g_autofree char *buffer = g_malloc(size);
  PlSummaryContext context = {
      .run = book->run,
      .athlete = pl_ledger_athlete_id(self, athlete),
      .start_ms = pl_wall_ms(self->parts.wall, book->start_us),
      .end_ms = pl_wall_ms(self->parts.wall, run->end_us),
      .shoe = default_shoe(self->parts.config, athlete),
      .laps = book->laps,
      .sensors = shares,
      .warnings = &book->totals,
      .heart = &pl_engine_athlete(self->engine, athlete)->heart,
      .history = book->history,
      .language = self->parts.config->gateway.language,
      .units = self->parts.config->gateway.units,
  };
  g_autofree char *title = pl_summary_title(&context, run);
  PlStamp stamp = pl_ledger_stamp(self, self->engine->tick_us);
  PlJson json;

  close_totals(&book->totals, run->elapsed_s);
  pl_json_init(&json, buffer, size);
  pl_payload_summary(&json, &stamp, &context, run);
  pl_store_begin(self->parts.store);
  pl_store_run_finish(self->parts.store, book->run,
                      &(PlStoreFinish){
                          .end = pl_ledger_time(self, run->end_us),
                          .distance_m = run->distance_m,
                          .summary = pl_json_text(&json),
                          .title = title,
                          .shoe = context.shoe,
                      });
  pl_ledger_send(self, PL_TOPIC_ATHLETE_SUMMARY, context.athlete, book->run, &stamp, &json);
  pl_ledger_send_event(self, "run-finished", athlete, PL_NO_SENSOR, self->engine->tick_us,
                       NULL);
  pl_store_commit(self->parts.store);
  pl_book_clear(book);
}

void
pl_ledger_on_run(PlOutlet *outlet, const PlRunEvent *event) {
  PlLedger *self = ledger_of(outlet);
  PlBook *book = &self->books[event->athlete];
  switch (event->type) {
  case PL_RUN_CANDIDATE:
    begin(self, event->athlete, event->t_us);
    break;
  case PL_RUN_DISCARDED:
    pl_store_run_delete(self->parts.store, book->run);
    pl_book_clear(book);
    break;
  case PL_RUN_STARTED:
    confirm(self, event->athlete, event->t_us, event->run->by_hand);
    break;
  case PL_RUN_FINISHED:
    finish(self, event->athlete, event->run);
    break;
  case PL_RUN_PAUSED: /* the phase tells */
  case PL_RUN_RESUMED:
    remember_pause(self, event->athlete);
    break;
  }
}

/* Laps of a run: kept for the summary, stored, and sent once it is one. */
void
pl_ledger_on_lap(PlOutlet *outlet, int athlete, const PlLap *lap) {
  PlLedger *self = ledger_of(outlet);
  PlBook *book = &self->books[athlete];
  PlJson json;

  pl_json_init(&json, self->text, self->text_size);
  pl_json_object(&json);
  pl_payload_lap_members(&json, lap, pl_wall_ms(self->parts.wall, lap->start_us));
  pl_json_object_end(&json);
  g_ptr_array_add(book->laps, g_strdup(pl_json_text(&json)));
  pl_store_lap(self->parts.store, book->run, lap->number, pl_json_text(&json));
  if (book->is_run)
    send_lap(self, athlete, lap);
  else
    g_array_append_val(book->early, *lap);
}

void
pl_book_count_warning(PlBook *book, const PlWarningEvent *event) {
  PlWarningTotals *totals = &book->totals;
  if (event->state == PL_WARNING_RAISED) {
    if (totals->count[event->code]++ == 0)
      totals->first_s[event->code] = (double)(event->t_us - book->start_us) * 1e-6;
    book->raised_us[event->code] = event->t_us;
  } else if (event->state == PL_WARNING_CLEARED && book->raised_us[event->code] != PL_NO_TIME) {
    totals->seconds[event->code] += (double)(event->t_us - book->raised_us[event->code]) * 1e-6;
    book->raised_us[event->code] = PL_NO_TIME;
  }
}

/* What a warning rests on: metrics by name, and the sensor whose fault it is. */
static void
inputs_of(const PlLedger *self, const PlWarningEvent *event, const char *inputs[4]) {
  size_t count = 0;
  if (event->code == PL_WARNING_DISTANCE_SPIKE)
    inputs[count++] = "distance_m";
  else if (event->code == PL_WARNING_HEART_RATE_CAP)
    inputs[count++] = pl_metrics[PL_METRIC_HEART_RATE].id;
  if (event->sensor >= 0)
    inputs[count++] = self->parts.config->sensors[event->sensor].id;
  inputs[count] = NULL;
}

void
pl_ledger_on_warning(PlOutlet *outlet, const PlWarningEvent *event) {
  PlLedger *self = ledger_of(outlet);
  PlBook *book = &self->books[event->athlete];
  const char *athlete = pl_ledger_athlete_id(self, event->athlete);
  g_autofree char *id = g_strdup_printf("%s-%u", book->run, event->episode);
  const char *inputs[4];
  PlStamp stamp = pl_ledger_stamp(self, event->t_us);
  PlStoreTime time = pl_ledger_time(self, event->t_us);
  PlJson json;

  pl_book_count_warning(book, event);
  inputs_of(self, event, inputs);
  PlWarningContext context = {
      .athlete = athlete,
      .run = book->run,
      .id = id,
      .since_ms = pl_wall_ms(self->parts.wall, event->since_us),
      .inputs = inputs,
      .language = self->parts.config->gateway.language,
  };
  pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
  pl_payload_warning(&json, &stamp, &context, event);
  pl_store_warning(self->parts.store, book->run, event->episode, pl_warnings[event->code].code,
                   &time, pl_json_text(&json));
  pl_ledger_send(self, PL_TOPIC_ATHLETE_WARNING, athlete, book->run, &stamp, &json);
  pl_ledger_send_warnings(self, event->athlete, event->t_us);
}
