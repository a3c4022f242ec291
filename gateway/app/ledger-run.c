/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/ledger-private.h"

#include "gateway/core/civil.h"

#include <math.h>

static PlLedger *
ledger_of(PlOutlet *outlet) {
  return (PlLedger *)((char *)outlet - G_STRUCT_OFFSET(PlLedger, outlet));
}

void
pl_book_clear(PlBook *book) {
  g_clear_pointer(&book->run, g_free);
  g_clear_pointer(&book->laps, g_ptr_array_unref);
  book->laps = g_ptr_array_new_with_free_func(g_free);
  book->is_run = false;
  book->totals = (PlWarningTotals){0};
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

static void
begin(PlLedger *self, int athlete, int64_t start_us) {
  PlBook *book = &self->books[athlete];
  PlStoreTime start = pl_ledger_time(self, start_us);
  const char *id = pl_ledger_athlete_id(self, athlete);

  pl_book_clear(book);
  book->run = name_run(self, athlete, start_us);
  book->start_us = start_us;
  book->history = pl_load_history(self->parts.store, id, self->parts.wall, start.wall_us);
  pl_engine_athlete(self->engine, athlete)->history = book->history;
  pl_store_run_begin(self->parts.store, book->run, id, &start);
}

static void
confirm(PlLedger *self, int athlete, int64_t t_us, bool by_hand) {
  PlBook *book = &self->books[athlete];
  g_autofree char *key = pl_ledger_by_hand_key(self, athlete);
  book->is_run = true;
  pl_store_set(self->parts.store, key, by_hand ? book->run : NULL);
  pl_store_run_confirm(self->parts.store, book->run);
  pl_ledger_send_event(self, "run-started", athlete, PL_NO_SENSOR, t_us, NULL);
}

static const char *
default_shoe(const PlConfig *config, int athlete) {
  const char *shoe = NULL;
  for (size_t i = 0; i < config->shoe_count; i++)
    if (config->shoes[i].athlete == athlete && (shoe == NULL || config->shoes[i].is_default))
      shoe = config->shoes[i].id;
  return shoe;
}

/* The summary goes to the store and to the outbox in one transaction. */
static void
finish(PlLedger *self, int athlete, const PlRun *run) {
  PlBook *book = &self->books[athlete];
  PlSummaryContext context = {
      .run = book->run,
      .athlete = pl_ledger_athlete_id(self, athlete),
      .start_ms = pl_wall_ms(self->parts.wall, book->start_us),
      .end_ms = pl_wall_ms(self->parts.wall, run->end_us),
      .shoe = default_shoe(self->parts.config, athlete),
      .laps = book->laps,
      .warnings = &book->totals,
      .heart = &pl_engine_athlete(self->engine, athlete)->heart,
      .history = book->history,
      .language = self->parts.config->gateway.language,
      .units = self->parts.config->gateway.units,
  };
  g_autofree char *title = pl_summary_title(&context, run);
  PlStamp stamp = pl_ledger_stamp(self, self->engine->tick_us);
  PlJson json;

  pl_json_init(&json, self->text, PL_PAYLOAD_SUMMARY_SIZE);
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
  case PL_RUN_PAUSED:
  case PL_RUN_RESUMED:
    break; /* the phase tells */
  }
}

/* Laps of a run: kept for the summary, stored, and sent. */
void
pl_ledger_on_lap(PlOutlet *outlet, int athlete, const PlLap *lap) {
  PlLedger *self = ledger_of(outlet);
  PlBook *book = &self->books[athlete];
  const char *id = pl_ledger_athlete_id(self, athlete);
  int64_t start_ms = pl_wall_ms(self->parts.wall, lap->start_us);
  PlJson json;

  pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
  pl_json_object(&json);
  pl_payload_lap_members(&json, lap, start_ms);
  pl_json_object_end(&json);
  g_ptr_array_add(book->laps, g_strdup(pl_json_text(&json)));
  pl_store_lap(self->parts.store, book->run, lap->number, pl_json_text(&json));

  PlStamp stamp = pl_ledger_stamp(self, lap->end_us);
  pl_json_init(&json, self->text, PL_PAYLOAD_SIZE);
  pl_payload_lap(&json, &stamp, id, book->run, lap, start_ms);
  pl_ledger_send(self, PL_TOPIC_ATHLETE_LAP, id, book->run, &stamp, &json);
}

static void
count_warning(PlBook *book, const PlWarningEvent *event) {
  PlWarningTotals *totals = &book->totals;
  if (event->state == PL_WARNING_RAISED) {
    if (totals->count[event->code]++ == 0)
      totals->first_s[event->code] = (double)(event->t_us - book->start_us) * 1e-6;
    book->raised_us[event->code] = event->t_us;
  } else if (event->state == PL_WARNING_CLEARED) {
    totals->seconds[event->code] += (double)(event->t_us - book->raised_us[event->code]) * 1e-6;
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

  count_warning(book, event);
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
