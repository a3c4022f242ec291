/* SPDX-License-Identifier: Apache-2.0 */

/* After a restart: runs that the store holds open go on from their records.  The records of
 * another boot of the machine are placed by their wall time. */

#include "gateway/app/ledger-private.h"

#include "gateway/core/civil.h"

#include <jansson.h>
#include <math.h>

typedef struct {
  PlLedger *ledger;
  PlAthlete *athlete;
  PlBook *book;
  bool same_boot;
  GArray *lap_ends; /* of int64_t, boot time */
  guint lap_at;
  PlRecord last;
  bool has_record;
  double counter_m; /* of the footpod, as it was last read; NaN: never */
  int64_t counter_us;
} Resumption;

static int64_t
boot_time(const Resumption *r, const PlStoreTime *time) {
  return r->same_boot ? time->boot_us : time->wall_us - r->ledger->parts.wall->offset_us;
}

static int64_t
parse_time(json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  int64_t ms = 0;
  return text != NULL && pl_civil_parse(text, &ms) ? ms : 0;
}

/* When each stored lap ended. */
static void
load_laps(Resumption *r) {
  const PlWall *wall = r->ledger->parts.wall;
  g_autoptr(GPtrArray) laps = pl_store_laps(r->ledger->parts.store, r->book->run, NULL);
  for (guint i = 0; laps != NULL && i < laps->len; i++) {
    json_t *lap = json_loads(laps->pdata[i], 0, NULL);
    double elapsed_s = json_number_value(json_object_get(lap, "elapsed_s"));
    int64_t end_us =
        parse_time(lap, "start") * 1000 + (int64_t)(elapsed_s * 1e6) - wall->offset_us;
    g_array_append_val(r->lap_ends, end_us);
    g_ptr_array_add(r->book->laps, g_strdup(laps->pdata[i]));
    json_decref(lap);
  }
}

static bool
add_record(const PlStoredRecord *stored, void *data) {
  Resumption *r = data;
  PlRecord record = stored->record;
  if (!r->same_boot)
    record.t_us = stored->wall_us - r->ledger->parts.wall->offset_us;
  bool ends_lap =
      r->lap_at < r->lap_ends->len &&
      record.t_us + G_USEC_PER_SEC / 2 >= g_array_index(r->lap_ends, int64_t, r->lap_at);
  r->lap_at += ends_lap;
  pl_athlete_restore_record(r->athlete, &record, ends_lap);
  r->last = record;
  r->has_record = true;
  if (!isnan(record.counter_m)) {
    r->counter_m = record.counter_m;
    r->counter_us = record.t_us;
  }
  return true;
}

static double
parse_number(json_t *object, const char *key) {
  json_t *number = json_object_get(object, key);
  return json_is_number(number) ? json_number_value(number) : NAN;
}

/* The sensor among the inputs of a warning, or -1. */
static int
parse_sensor(const Resumption *r, json_t *object) {
  json_t *inputs = json_object_get(object, "inputs");
  int sensor = -1;
  for (size_t i = 0; i < json_array_size(inputs) && sensor < 0; i++) {
    const char *name = json_string_value(json_array_get(inputs, i));
    sensor = name == NULL ? -1 : pl_config_find_sensor(r->ledger->parts.config, name);
  }
  return sensor;
}

/* One stored transition: "id" ends with the number of its episode. */
static bool
parse_warning(const Resumption *r, json_t *object, PlWarningEvent *event) {
  int64_t offset_us = r->ledger->parts.wall->offset_us;
  const char *code_name = json_string_value(json_object_get(object, "code"));
  const char *state_name = json_string_value(json_object_get(object, "state"));
  const char *id = json_string_value(json_object_get(object, "id"));
  const char *dash = id == NULL ? NULL : strrchr(id, '-');
  int code = code_name == NULL ? -1 : pl_warning_find(code_name);
  int state = state_name == NULL ? -1 : pl_warning_state_find(state_name);

  if (code < 0 || state < 0 || dash == NULL)
    return false;
  *event = (PlWarningEvent){
      .athlete = r->athlete->index,
      .sensor = parse_sensor(r, object),
      .code = (PlWarningCode)code,
      .state = (PlWarningState)state,
      .episode = (unsigned)g_ascii_strtoull(dash + 1, NULL, 10),
      .t_us = parse_time(object, "time") * 1000 - offset_us,
      .since_us = parse_time(object, "since") * 1000 - offset_us,
      .value = parse_number(object, "value"),
      .baseline = parse_number(object, "baseline"),
      .limit = parse_number(object, "limit"),
      .z = parse_number(object, "z"),
      .confidence = parse_number(object, "confidence"),
  };
  event->ahead = code == PL_WARNING_DISTANCE_SPIKE && event->value < event->limit;
  return true;
}

static void
restore_warning(Resumption *r, const char *text) {
  json_t *object = json_loads(text, 0, NULL);
  PlWarningEvent event;
  if (parse_warning(r, object, &event)) {
    pl_book_count_warning(r->book, &event);
    pl_athlete_restore_warning(r->athlete, &event);
  }
  json_decref(object);
}

static void
load_warnings(Resumption *r) {
  g_autoptr(GPtrArray) events = pl_store_warnings(r->ledger->parts.store, r->book->run, NULL);
  for (guint i = 0; events != NULL && i < events->len; i++)
    restore_warning(r, events->pdata[i]);
}

static bool
may_count(PlMount mount) {
  return mount == PL_MOUNT_LEFT_FOOT || mount == PL_MOUNT_RIGHT_FOOT ||
         mount == PL_MOUNT_TREADMILL || mount == PL_MOUNT_COUNT;
}

/* The footpod's counter goes on counting while nobody listens.  Of two pods it is not known
 * whose the stored one is. */
static void
resume_counter(Resumption *r) {
  const PlEngineMemory *memory = &r->ledger->engine->memory;
  PlSensorInput *only = NULL;
  if (isnan(r->counter_m))
    return;
  for (size_t i = memory->first_of[r->athlete->index];
       i < memory->first_of[r->athlete->index + 1]; i++) {
    if (!may_count(memory->inputs_of[i]->mount))
      continue;
    if (only != NULL)
      return;
    only = memory->inputs_of[i];
  }
  if (only != NULL)
    pl_footpod_resume(&only->footpod, r->counter_us, r->counter_m);
}

static void
restore(Resumption *r, const PlStoredRun *stored) {
  PlLedger *self = r->ledger;
  PlBook *book = r->book;

  pl_book_clear(book);
  book->run = g_strdup(stored->id);
  book->is_run = stored->state == PL_STORED_ACTIVE;
  book->start_us = boot_time(r, &stored->start);
  book->history = pl_load_history(self->parts.store, stored->athlete, self->parts.wall,
                                  stored->start.wall_us);
  r->athlete->history = book->history;
  g_autofree char *key = pl_ledger_by_hand_key(self, r->athlete->index);
  g_autofree char *by_hand = pl_store_get(self->parts.store, key);
  pl_athlete_restore(r->athlete, book->start_us, book->is_run,
                     g_strcmp0(by_hand, stored->id) == 0);
  load_laps(r);
  pl_store_records(self->parts.store, stored->id, add_record, r, NULL);
  load_warnings(r);
  g_autofree char *paused_key = pl_ledger_paused_key(self, r->athlete->index);
  g_autofree char *paused = pl_store_get(self->parts.store, paused_key);
  pl_athlete_restore_end(r->athlete, g_strcmp0(paused, stored->id) == 0);
  book->phase = r->athlete->phase;
  book->phase_since_us = r->athlete->phase_since_us;
}

/* Whether the run may go on after the gap, or has ended meanwhile. */
static void
resume(PlLedger *self, const PlStoredRun *stored, const char *boot_id, int64_t now_us) {
  int index = pl_config_find_athlete(self->parts.config, stored->athlete);
  if (index < 0 || self->books[index].run != NULL) {
    g_message("run %s stays open: its athlete is not configured here", stored->id);
    return;
  }
  Resumption r = {
      .ledger = self,
      .athlete = pl_engine_athlete(self->engine, index),
      .book = &self->books[index],
      .same_boot = g_strcmp0(stored->start_boot, boot_id) == 0,
      .lap_ends = g_array_new(FALSE, FALSE, sizeof(int64_t)),
      .counter_m = NAN,
  };
  restore(&r, stored);
  g_array_unref(r.lap_ends);
  double gap_s = r.has_record ? (double)(now_us - r.last.t_us) * 1e-6 : INFINITY;
  if (gap_s >= 0 && gap_s < r.athlete->run_settings.end_after_s) {
    resume_counter(&r);
    g_message("going on with run %s after a gap of %.0f s", stored->id, gap_s);
    return;
  }
  g_message("run %s ended while nobody listened", stored->id);
  pl_athlete_end(r.athlete, r.has_record ? r.last.t_us : r.book->start_us);
}

void
pl_ledger_attach(PlLedger *self, PlEngine *engine, const char *boot_id, int64_t now_us) {
  self->engine = engine;
  if (boot_id == NULL)
    return;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) runs = pl_store_open_runs(self->parts.store, &error);
  if (runs == NULL) {
    g_warning("runs that were going on can not be read: %s", error->message);
    return;
  }
  for (guint i = 0; i < runs->len; i++)
    resume(self, runs->pdata[i], boot_id, now_us);
}
