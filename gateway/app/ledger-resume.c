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
  return true;
}

/* One stored transition: "id" ends with the number of its episode. */
static void
restore_warning(Resumption *r, const char *text) {
  json_t *event = json_loads(text, 0, NULL);
  const char *code_text = json_string_value(json_object_get(event, "code"));
  const char *state = json_string_value(json_object_get(event, "state"));
  const char *id = json_string_value(json_object_get(event, "id"));
  int code = code_text == NULL ? -1 : pl_warning_find(code_text);
  int64_t t_us = parse_time(event, "time") * 1000 - r->ledger->parts.wall->offset_us;
  const char *dash = id == NULL ? NULL : strrchr(id, '-');

  if (code >= 0 && dash != NULL && g_strcmp0(state, "raised") == 0) {
    if (r->book->totals.count[code]++ == 0)
      r->book->totals.first_s[code] = (double)(t_us - r->book->start_us) * 1e-6;
    r->book->raised_us[code] = t_us;
    pl_athlete_restore_warning(r->athlete, (PlWarningCode)code,
                               (unsigned)g_ascii_strtoull(dash + 1, NULL, 10), t_us);
  } else if (code >= 0 && g_strcmp0(state, "cleared") == 0) {
    r->book->totals.seconds[code] += (double)(t_us - r->book->raised_us[code]) * 1e-6;
    r->athlete->active &= ~(UINT64_C(1) << code);
    r->athlete->machines[code].on = false;
  }
  json_decref(event);
}

static void
load_warnings(Resumption *r) {
  g_autoptr(GPtrArray) events = pl_store_warnings(r->ledger->parts.store, r->book->run, NULL);
  for (guint i = 0; events != NULL && i < events->len; i++)
    restore_warning(r, events->pdata[i]);
}

/* The footpod's counter goes on counting while nobody listens. */
static void
resume_counters(Resumption *r) {
  const PlEngineMemory *memory = &r->ledger->engine->memory;
  if (isnan(r->last.counter_m))
    return;
  for (size_t i = memory->first_of[r->athlete->index];
       i < memory->first_of[r->athlete->index + 1]; i++)
    pl_footpod_resume(&memory->inputs_of[i]->footpod, r->last.t_us, r->last.counter_m);
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
  pl_athlete_restore_end(r->athlete);
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
  };
  restore(&r, stored);
  g_array_unref(r.lap_ends);
  double gap_s = r.has_record ? (double)(now_us - r.last.t_us) * 1e-6 : INFINITY;
  if (gap_s >= 0 && gap_s < r.athlete->run_settings.end_after_s) {
    resume_counters(&r);
    g_message("going on with run %s after a gap of %.0f s", stored->id, gap_s);
    return;
  }
  g_message("run %s ended while nobody listened", stored->id);
  pl_athlete_stop(r.athlete, r.has_record ? r.last.t_us : r.book->start_us);
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
