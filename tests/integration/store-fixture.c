/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/store-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

void
remove_directory(const char *path) {
  g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    if (g_file_test(child, G_FILE_TEST_IS_DIR))
      remove_directory(child);
    else
      g_unlink(child);
  }
  g_rmdir(path);
}

void
copy_directory(const char *from, const char *to) {
  g_autoptr(GDir) directory = g_dir_open(from, 0, NULL);
  const char *name;
  g_mkdir_with_parents(to, 0700);
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
    g_autofree char *source = g_build_filename(from, name, NULL);
    g_autofree char *target = g_build_filename(to, name, NULL);
    g_autofree char *data = NULL;
    gsize length;
    if (!g_file_test(source, G_FILE_TEST_IS_REGULAR) || g_str_equal(name, "lock"))
      continue;
    if (!g_file_get_contents(source, &data, &length, NULL))
      continue; /* gone since it was listed */
    g_assert_true(g_file_set_contents_full(target, data, (gssize)length,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  }
}

void
store_fixture_set_up(StoreFixture *fixture, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  fixture->directory = g_dir_make_tmp("plumbline-store-XXXXXX", &error);
  g_assert_no_error(error);
}

void
store_fixture_tear_down(StoreFixture *fixture, gconstpointer data) {
  remove_directory(fixture->directory);
  g_free(fixture->directory);
}

PlStore *
store_open_boot(const char *directory, PlStoreMode mode, const char *boot_id) {
  g_autoptr(GError) error = NULL;
  PlStoreOptions options = {.mode = mode,
                            .directory = directory,
                            .boot_id = boot_id,
                            .commit_us = 100 * 1000,
                            .keep_samples_days = 365,
                            .outbox_mib = 1};
  PlStore *store = pl_store_open(&options, &error);
  g_assert_no_error(error);
  g_assert_nonnull(store);
  return store;
}

PlStore *
store_open(const char *directory, PlStoreMode mode) {
  return store_open_boot(directory, mode, TEST_BOOT);
}

PlStoreTime
moment_at(double boot_s) {
  return (PlStoreTime){.boot_us = (int64_t)(boot_s * 1e6),
                       .wall_us = (int64_t)((MOMENT_WALL_S + boot_s) * 1e6),
                       .synced = true};
}

void
begin_run(PlStore *store, const char *run, const char *athlete, double at_s) {
  PlStoreTime start = moment_at(at_s);
  pl_store_run_begin(store, run, athlete, &start);
  pl_store_run_confirm(store, run);
}

PlRecord
record_at(unsigned n) {
  PlRecord record;
  pl_record_clear(&record);
  record.t_us = (int64_t)n * G_USEC_PER_SEC;
  record.gait = PL_GAIT_RUN;
  record.value[PL_METRIC_HEART_RATE] = 140 + n % 40;
  record.value[PL_METRIC_SPEED] = 2.9 + 0.003 * (n % 100);
  record.value[PL_METRIC_CADENCE] = 168 + n % 9;
  record.confidence[PL_METRIC_HEART_RATE] = 1;
  record.confidence[PL_METRIC_SPEED] = 1;
  record.confidence[PL_METRIC_CADENCE] = 1;
  record.rr_count = 3;
  for (unsigned i = 0; i < record.rr_count; i++)
    record.rr_ms[i] = (360 + (n + i) % 30) * 1000.0 / 1024;
  record.distance_m = record.value[PL_METRIC_SPEED];
  record.steps = record.value[PL_METRIC_CADENCE] / 60;
  record.counter_m = 3.0 * n;
  return record;
}

void
add_records(PlStore *store, const char *run, unsigned from, unsigned to) {
  for (unsigned n = from; n < to; n++) {
    PlRecord record = record_at(n);
    pl_store_record(store, run, &record);
  }
}

static bool
count_one(const PlStoredRecord *stored, void *data) {
  unsigned *next = data;
  PlRecord expected = record_at(*next);
  g_assert_cmpint(stored->record.t_us, ==, expected.t_us);
  g_assert_cmpfloat_with_epsilon(stored->record.value[PL_METRIC_SPEED],
                                 expected.value[PL_METRIC_SPEED], 1e-4);
  g_assert_cmpfloat(stored->record.rr_ms[2], ==, expected.rr_ms[2]);
  ++*next;
  return true;
}

unsigned
count_records(PlStore *store, const char *run, unsigned first) {
  g_autoptr(GError) error = NULL;
  unsigned next = first;
  g_assert_true(pl_store_records(store, run, count_one, &next, &error));
  g_assert_no_error(error);
  return next - first;
}

void
flush(PlStore *store) {
  g_autoptr(GError) error = NULL;
  bool done = pl_store_flush(store, 30 * G_USEC_PER_SEC, &error);
  g_assert_no_error(error);
  g_assert_true(done);
}

static sqlite3 *
open_raw(const char *directory) {
  g_autofree char *path = g_build_filename(directory, "plumbline.db", NULL);
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_busy_timeout(db, 5000);
  return db;
}

void
assert_sound(const char *directory) {
  sqlite3 *db = open_raw(directory);
  sqlite3_stmt *statement = NULL;
  sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  g_assert_cmpstr((const char *)sqlite3_column_text(statement, 0), ==, "ok");
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

int64_t
query_number(const char *directory, const char *sql) {
  sqlite3 *db = open_raw(directory);
  sqlite3_stmt *statement = NULL;
  sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  int64_t number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

unsigned
repetitions(unsigned normal, unsigned many) {
  return g_getenv("PLUMBLINE_LONG_TESTS") != NULL ? many : normal;
}
