/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"
#include "tests/integration/store-fixture.h"

#include <glib/gstdio.h>
#include <math.h>

#define RUN "20251124T160000Z-r1"

static const int64_t second = G_USEC_PER_SEC;

static PlStore *
open_in_memory(void) {
  return store_open(NULL, PL_STORE_SYNCHRONOUS);
}

static void
finish_run(PlStore *store, const char *run, double at_s, double distance_m) {
  PlStoreFinish finish = {.end = moment_at(at_s),
                          .distance_m = distance_m,
                          .summary = "{\"v\":1}",
                          .title = "Morning run"};
  pl_store_run_finish(store, run, &finish);
}

/* ---- runs ---- */

static void
test_run_life(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  PlStoreTime start = moment_at(9);

  pl_store_run_begin(store, RUN, "r1", &start);
  add_records(store, RUN, 10, 20);
  flush(store);
  g_autoptr(GPtrArray) open = pl_store_open_runs(store, NULL);
  g_assert_cmpuint(open->len, ==, 1);
  const PlStoredRun *run = open->pdata[0];
  g_assert_cmpint(run->state, ==, PL_STORED_CANDIDATE);
  g_assert_cmpstr(run->start_boot, ==, TEST_BOOT);
  g_assert_null(run->end_boot);
  g_assert_true(isnan(run->distance_m));

  pl_store_run_confirm(store, RUN);
  add_records(store, RUN, 20, 100);
  finish_run(store, RUN, 90, 270.5);
  flush(store);
  g_autoptr(PlStoredRun) done = pl_store_run(store, "last", NULL);
  g_assert_cmpstr(done->id, ==, RUN);
  g_assert_cmpint(done->state, ==, PL_STORED_FINISHED);
  g_assert_cmpint(done->end.boot_us, ==, 90 * second);
  g_assert_cmpfloat(done->distance_m, ==, 270.5);
  g_assert_cmpstr(done->summary, ==, "{\"v\":1}");
  g_assert_cmpstr(done->title, ==, "Morning run");
  g_assert_null(done->shoe);
  /* Records after the last movement do not belong to the run. */
  g_assert_cmpuint(count_records(store, RUN, 10), ==, 81);
  g_assert_true(pl_store_close(store));
  assert_sound(f->directory);
}

static void
test_records_after_the_end_are_refused(StoreFixture *f, gconstpointer data) {
  PlStore *store = open_in_memory();
  PlStoreHealth health;
  begin_run(store, RUN, "r1", 0);
  add_records(store, RUN, 1, 6);
  finish_run(store, RUN, 5, 15);
  add_records(store, RUN, 6, 8);
  g_assert_cmpuint(count_records(store, RUN, 1), ==, 5);
  pl_store_health(store, &health);
  g_assert_cmpuint(health.rejected, ==, 1);
  pl_store_close(store);
}

static void
test_discard(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  g_autoptr(GError) error = NULL;

  begin_run(store, "other", "r2", 0);
  begin_run(store, RUN, "r1", 0);
  for (unsigned n = 1; n <= 60; n++) { /* two runs at once, rows mixed */
    add_records(store, RUN, n, n + 1);
    add_records(store, "other", n, n + 1);
  }
  pl_store_lap(store, RUN, 1, "{}");
  PlStoreTime now = moment_at(30);
  pl_store_warning(store, RUN, 1, "cadence-drop", &now, "{}");
  PlOutboxMessage message = {.seq = pl_store_next_seq(store),
                             .outbox_class = PL_OUTBOX_LAP,
                             .topic = "plumbline/athlete/r1/lap",
                             .payload = "{}",
                             .length = 2,
                             .qos = 1,
                             .run = RUN};
  pl_store_outbox_add(store, &message);
  pl_store_run_delete(store, RUN);
  g_assert_null(pl_store_run(store, RUN, &error));
  g_assert_error(error, PL_STORE_ERROR, PL_STORE_ERROR_NOT_FOUND);
  g_assert_cmpuint(count_records(store, "other", 1), ==, 60);
  pl_store_close(store);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM records"), ==, 12);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM laps"), ==, 0);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM warnings"), ==, 0);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM outbox"), ==, 0);
}

static void
test_lists(StoreFixture *f, gconstpointer data) {
  PlStore *store = open_in_memory();
  char id[16];

  for (unsigned n = 0; n < 30; n++) {
    g_snprintf(id, sizeof id, "run-%02u", n);
    begin_run(store, id, n % 3 == 0 ? "r1" : "r2", 1000.0 * n);
    finish_run(store, id, 1000.0 * n + 600, n == 12 ? 9000 : 100 * n);
  }
  PlStoreTime later = moment_at(99999);
  pl_store_run_begin(store, "candidate", "r1", &later);

  g_autoptr(GPtrArray) page = pl_store_runs(store, NULL, 4, 2, NULL);
  g_assert_cmpuint(page->len, ==, 4);
  g_assert_cmpstr(((PlStoredRun *)page->pdata[0])->id, ==, "run-27");
  g_assert_cmpstr(((PlStoredRun *)page->pdata[3])->id, ==, "run-24");
  g_autoptr(GPtrArray) mine = pl_store_runs(store, "r1", 100, 0, NULL);
  g_assert_cmpuint(mine->len, ==, 10);
  g_assert_cmpstr(((PlStoredRun *)mine->pdata[0])->id, ==, "run-27");
  g_autoptr(GPtrArray) nobody = pl_store_runs(store, "r1'; DROP TABLE runs --", 9, 0, NULL);
  g_assert_cmpuint(nobody->len, ==, 0);

  int64_t first;
  int64_t from = (int64_t)MOMENT_WALL_S * second;
  g_autoptr(GArray) spans =
      pl_store_spans(store, "r1", from + 3000 * second, from + 12001 * second, NULL);
  g_assert_cmpuint(spans->len, ==, 4);
  for (guint i = 0; i < spans->len; i++) {
    const PlStoredSpan *span = &g_array_index(spans, PlStoredSpan, i);
    g_assert_cmpint(span->start_us, ==, from + (3000 + 3000 * i) * second);
    g_assert_cmpint(span->end_us, ==, span->start_us + 600 * second);
    g_assert_cmpfloat(span->distance_m, ==, i == 3 ? 9000 : 300 * (i + 1));
  }
  g_autoptr(GArray) none = pl_store_spans(store, "r3", 0, INT64_MAX, NULL);
  g_assert_cmpuint(none->len, ==, 0);
  g_assert_true(pl_store_first_run(store, "r2", &first, NULL));
  g_assert_cmpint(first, ==, from + 1000 * second);
  g_assert_true(pl_store_first_run(store, "r3", &first, NULL));
  g_assert_cmpint(first, ==, 0);
  pl_store_close(store);
}

static void
test_laps_and_warnings(StoreFixture *f, gconstpointer data) {
  PlStore *store = open_in_memory();
  PlStoreTime now = moment_at(1);
  begin_run(store, RUN, "r1", 0);
  pl_store_lap(store, RUN, 2, "{\"number\":2}");
  pl_store_lap(store, RUN, 1, "{\"number\":1}");
  pl_store_lap(store, RUN, 2, "{\"number\":2,\"again\":true}");
  pl_store_warning(store, RUN, 7, "trunk-lean", &now, "{\"state\":\"raised\"}");
  pl_store_warning(store, RUN, 7, "trunk-lean", &now, "{\"state\":\"cleared\"}");
  pl_store_lap(store, "no-such-run", 1, "{}");
  g_autoptr(GPtrArray) laps = pl_store_laps(store, RUN, NULL);
  g_assert_cmpuint(laps->len, ==, 2);
  g_assert_cmpstr(laps->pdata[0], ==, "{\"number\":1}");
  g_assert_cmpstr(laps->pdata[1], ==, "{\"number\":2,\"again\":true}");
  g_autoptr(GPtrArray) warnings = pl_store_warnings(store, RUN, NULL);
  g_assert_cmpuint(warnings->len, ==, 2);
  g_assert_cmpstr(warnings->pdata[1], ==, "{\"state\":\"cleared\"}");
  pl_store_close(store);
}

static bool
stop_at_three(const PlStoredRecord *record, void *data) {
  return ++*(unsigned *)data < 3;
}

static void
test_walk_stops(StoreFixture *f, gconstpointer data) {
  PlStore *store = open_in_memory();
  unsigned seen = 0;
  begin_run(store, RUN, "r1", 0);
  add_records(store, RUN, 1, 50);
  g_assert_true(pl_store_records(store, RUN, stop_at_three, &seen, NULL));
  g_assert_cmpuint(seen, ==, 3);
  pl_store_close(store);
}

/* ---- time ---- */

typedef struct {
  int64_t wall_us[8];
  unsigned segment[8];
  bool synced[8];
  unsigned count;
} Walls;

static bool
note_wall(const PlStoredRecord *record, void *data) {
  Walls *walls = data;
  g_assert_cmpuint(walls->count, <, 8);
  walls->wall_us[walls->count] = record->wall_us;
  walls->segment[walls->count] = record->segment;
  walls->synced[walls->count++] = record->synced;
  return true;
}

/* A run begins with a clock two years off, which is set right after ten minutes. */
static void
test_redated(StoreFixture *f, gconstpointer data) {
  PlStore *store = open_in_memory();
  PlStoreTime wrong = moment_at(100), right = moment_at(700);
  Walls walls = {.count = 0};

  wrong.wall_us -= (int64_t)730 * 86400 * second;
  wrong.synced = false;
  pl_store_clock(store, PL_CLOCK_START, &wrong);
  pl_store_run_begin(store, RUN, "r1", &wrong);
  add_records(store, RUN, 101, 104);
  g_assert_true(pl_store_records(store, RUN, note_wall, &walls, NULL));
  g_assert_false(walls.synced[0]);
  g_assert_cmpint(walls.wall_us[0], ==, wrong.wall_us + second);

  pl_store_clock(store, PL_CLOCK_SYNC, &right);
  walls.count = 0;
  g_assert_true(pl_store_records(store, RUN, note_wall, &walls, NULL));
  g_assert_true(walls.synced[0]);
  g_assert_cmpint(walls.wall_us[0], ==, moment_at(101).wall_us);
  g_assert_cmpint(walls.wall_us[2] - walls.wall_us[0], ==, 2 * second);
  g_autoptr(PlStoredRun) run = pl_store_run(store, RUN, NULL);
  g_assert_true(run->start.synced);
  g_assert_cmpint(run->start.wall_us, ==, moment_at(100).wall_us);
  pl_store_close(store);
}

/* The machine restarts within a run; its clock then stands before the last record. */
static void
test_segments(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  PlStoreTime before = moment_at(5000), after = moment_at(3);
  Walls walls = {.count = 0};

  pl_store_clock(store, PL_CLOCK_START, &before);
  begin_run(store, RUN, "r1", 5000);
  add_records(store, RUN, 5001, 5003);
  pl_store_close(store);
  store = store_open_boot(f->directory, PL_STORE_SYNCHRONOUS, "another-boot");
  after.synced = false;
  pl_store_clock(store, PL_CLOCK_START, &after);
  add_records(store, RUN, 10, 12);
  g_assert_true(pl_store_records(store, RUN, note_wall, &walls, NULL));
  g_assert_cmpuint(walls.count, ==, 4);
  g_assert_cmpuint(walls.segment[1], ==, 0);
  g_assert_cmpuint(walls.segment[2], ==, 1);
  g_assert_cmpint(walls.wall_us[2], ==, walls.wall_us[1]); /* unknown, but not negative */
  g_assert_false(walls.synced[3]);

  /* Synced: the gap is known, two minutes. */
  PlStoreTime now = {.boot_us = 20 * second,
                     .wall_us = moment_at(5002).wall_us + 130 * second,
                     .synced = true};
  pl_store_clock(store, PL_CLOCK_SYNC, &now);
  walls.count = 0;
  g_assert_true(pl_store_records(store, RUN, note_wall, &walls, NULL));
  g_assert_cmpint(walls.wall_us[2] - walls.wall_us[1], ==, 120 * second);
  /* The end lies in the second boot: nothing of the first is cut off by its larger times. */
  finish_run(store, RUN, 10, 5);
  walls.count = 0;
  g_assert_true(pl_store_records(store, RUN, note_wall, &walls, NULL));
  g_assert_cmpuint(walls.count, ==, 3);
  pl_store_close(store);
}

static void
test_clock_rows(StoreFixture *f, gconstpointer data) {
  const PlClockRow unsynced[] = {{0, 100 * second, false}, {50 * second, 999 * second, false}};
  /* 500 ppm, ten-minute rows. */
  const PlClockRow slewed[] = {{0, 7, false},
                               {600 * second, 10600 * second, true},
                               {1200 * second, 11200 * second + 300000, true},
                               {1800 * second, 11800 * second + 600000, true}};
  /* The hour was wrong until 100 s. */
  const PlClockRow stepped[] = {{10 * second, 5010 * second, true},
                                {100 * second, 8700 * second, true},
                                {200 * second, 8800 * second, true}};
  bool synced;

  g_assert_cmpint(pl_clock_wall(NULL, 0, 5, &synced), ==, 0);
  g_assert_false(synced);
  g_assert_cmpint(pl_clock_wall(unsynced, 2, 60 * second, &synced), ==, 1009 * second);
  g_assert_false(synced);
  g_assert_cmpint(pl_clock_wall(slewed, 4, 900 * second, &synced), ==, 10900 * second + 150000);
  g_assert_true(synced);
  g_assert_cmpint(pl_clock_wall(slewed, 4, 1800 * second, &synced), ==,
                  11800 * second + 600000);
  g_assert_cmpint(pl_clock_wall(slewed, 4, 1900 * second, &synced), ==,
                  11900 * second + 600000);
  g_assert_cmpint(pl_clock_wall(slewed, 4, 1 * second, &synced), ==, 10001 * second);
  g_assert_cmpint(pl_clock_wall(slewed, 4, 600 * second, &synced), ==, 10600 * second);
  g_assert_cmpint(pl_clock_wall(stepped, 3, 20 * second, &synced), ==, 8620 * second);
  g_assert_cmpint(pl_clock_wall(stepped, 3, 150 * second, &synced), ==, 8750 * second);
}

/* ---- retention ---- */

static void
test_retention(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open_boot(f->directory, PL_STORE_SYNCHRONOUS, "never-synced");
  PlStoreTime undated = moment_at(5);
  undated.synced = false;
  pl_store_run_begin(store, "undated", "r1", &undated);
  add_records(store, "undated", 5, 15);
  PlStoreFinish finish = {.end = undated};
  finish.end.boot_us += 100 * second;
  pl_store_run_finish(store, "undated", &finish);
  pl_store_close(store);
  store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  begin_run(store, "old", "r1", 0);
  add_records(store, "old", 1, 25000);
  PlStoreTime event = moment_at(10);
  pl_store_event(store, &event, "joined", "{}");
  finish_run(store, "old", 25000, 75000);
  begin_run(store, "new", "r1", 400.0 * 86400);
  add_records(store, "new", 34560001, 34560101);
  finish_run(store, "new", 400.0 * 86400 + 100, 300);
  for (unsigned n = 0; n < 20;
       n++) { /* one row every ten minutes; the run is over in 7 hours */
    PlStoreTime row = moment_at(30000 + 600.0 * n);
    pl_store_clock(store, PL_CLOCK_PERIODIC, &row);
  }

  pl_store_retain(store, moment_at(300.0 * 86400).wall_us); /* nothing is old enough */
  g_assert_cmpuint(count_records(store, "old", 1), ==, 24999);
  begin_run(store, "now", "r1", 401.0 * 86400);
  pl_store_retain(store, moment_at(401.0 * 86400).wall_us); /* not during a run */
  g_assert_cmpuint(count_records(store, "old", 1), ==, 24999);
  pl_store_run_delete(store, "now");
  pl_store_retain(store, moment_at(401.0 * 86400).wall_us);
  g_assert_cmpuint(count_records(store, "old", 1), ==, 0);
  g_assert_cmpuint(count_records(store, "new", 34560001), ==, 100);
  g_assert_cmpuint(count_records(store, "undated", 5), ==, 10); /* who knows how old it is */
  g_autoptr(PlStoredRun) run = pl_store_run(store, "old", NULL);
  g_assert_false(run->records_kept);
  g_assert_cmpstr(run->summary, ==, "{\"v\":1}"); /* for ever */
  pl_store_close(store);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM events"), ==, 0);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM clock"), ==, 0);
}

/* ---- size ---- */

/* An hour of heart rate and footpod as the daemon writes it: a row every five seconds, a lap
 * every six minutes. */
static void
test_size_of_an_hour(StoreFixture *f, gconstpointer data) {
  g_autofree char *path = g_build_filename(f->directory, "plumbline.db", NULL);
  GStatBuf before, after;
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  pl_store_close(store);
  g_stat(path, &before);
  store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  begin_run(store, RUN, "r1", 86400);
  for (unsigned n = 0; n < 3600; n += 5) {
    g_autofree char *pad = g_strnfill(600, 'x');
    add_records(store, RUN, 86400 + n, 86400 + n + 5);
    int64_t first;
    pl_store_first_run(store, "r1", &first, NULL); /* reading writes what is queued */
    if (n % 360 == 0)
      pl_store_lap(store, RUN, n / 360, pad);
  }
  finish_run(store, RUN, 90000, 10000);
  pl_store_close(store);
  g_stat(path, &after);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM records"), ==, 720);
  g_test_message("an hour of running: %" G_GINT64_FORMAT " bytes in the database",
                 (gint64)(after.st_size - before.st_size));
  g_assert_cmpint(after.st_size - before.st_size, <=, 250 * 1000);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/run-life", test_run_life);
  store_test("/edge/store/records-after-the-end-are-refused",
             test_records_after_the_end_are_refused);
  store_test("/edge/store/discard", test_discard);
  store_test("/edge/store/lists", test_lists);
  store_test("/edge/store/laps-and-warnings", test_laps_and_warnings);
  store_test("/edge/store/walk-stops", test_walk_stops);
  store_test("/edge/store/redated", test_redated);
  store_test("/edge/store/segments", test_segments);
  store_test("/edge/store/clock-rows", test_clock_rows);
  store_test("/edge/store/retention", test_retention);
  store_test("/edge/store/size-of-an-hour", test_size_of_an_hour);
  return g_test_run();
}
