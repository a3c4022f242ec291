/* SPDX-License-Identifier: Apache-2.0 */

/* The power goes at any moment.  Every change that SQLite makes to its files is noted;
 * then, for many moments, the files are put together as a disk may leave them (what was synced,
 * and any of the rest), and the store has to open them. */

#include "tests/fakes/disk-vfs.h"
#include "tests/integration/store-fixture.h"

#include <math.h>

enum { RUNS = 6, LAPS = 4 };

/* After how many changes something was acknowledged. */
typedef struct {
  unsigned begun[RUNS], finished[RUNS], lap[RUNS][LAPS];
} Acknowledged;

static char *
run_name(unsigned n) {
  return g_strdup_printf("run-%u", n);
}

static void
write_run(PlStore *store, unsigned n, Acknowledged *ack) {
  g_autofree char *run = run_name(n);
  PlStoreTime start = moment_at(0);
  PlStoreFinish finish = {.end = moment_at(10000), .distance_m = 1000.0 + n, .summary = "{}"};

  pl_store_run_begin(store, run, "r1", &start);
  ack->begun[n] = disk_vfs_position();
  pl_store_run_confirm(store, run);
  for (unsigned lap = 0; lap < LAPS; lap++) {
    add_records(store, run, 1 + 120 * lap, 121 + 120 * lap);
    pl_store_set(store, "latch", run);
    pl_store_lap(store, run, lap, "{}");
    ack->lap[n][lap] = disk_vfs_position();
  }
  pl_store_run_finish(store, run, &finish);
  ack->finished[n] = disk_vfs_position();
}

static void
check_run(PlStore *store, unsigned n, const Acknowledged *ack, unsigned position) {
  g_autofree char *name = run_name(n);
  g_autoptr(PlStoredRun) run = pl_store_run(store, name, NULL);
  if (run == NULL) {
    g_assert_cmpuint(ack->begun[n], >, position);
    return;
  }
  if (ack->finished[n] <= position)
    g_assert_cmpint(run->state, ==, PL_STORED_FINISHED);
  g_autoptr(GPtrArray) laps = pl_store_laps(store, name, NULL);
  unsigned records = count_records(store, name, 1); /* no hole, nothing twice */
  for (unsigned lap = 0; lap < LAPS; lap++) {
    if (ack->lap[n][lap] > position)
      continue;
    g_assert_cmpuint(laps->len, >, lap);
    g_assert_cmpuint(records, >=, 120 * (lap + 1));
  }
}

static void
check_cut(const char *directory, const Acknowledged *ack, unsigned position) {
  PlStore *store = store_open(directory, PL_STORE_SYNCHRONOUS);
  PlStoreHealth health;
  pl_store_health(store, &health);
  g_assert_cmpuint(health.replaced, ==, 0);
  for (unsigned n = 0; n < RUNS; n++)
    check_run(store, n, ack, position);
  g_assert_true(pl_store_close(store));
  assert_sound(directory);
}

static void
test_power_cut(StoreFixture *f, gconstpointer data) {
  g_autofree char *live = g_build_filename(f->directory, "live", NULL);
  g_autofree char *cut = g_build_filename(f->directory, "cut", NULL);
  g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
  Acknowledged ack;

  disk_vfs_install();
  pl_store_close(store_open(live, PL_STORE_SYNCHRONOUS));
  disk_vfs_note(live);
  PlStore *store = store_open(live, PL_STORE_SYNCHRONOUS);
  for (unsigned n = 0; n < RUNS; n++)
    write_run(store, n, &ack);
  g_assert_true(pl_store_close(store));

  unsigned changes = disk_vfs_position(), times = repetitions(500, 5000);
  for (unsigned i = 0; i < times; i++) {
    unsigned position = (unsigned)((uint64_t)i * changes / times);
    disk_vfs_cut(position, cut, rand);
    check_cut(cut, &ack, position);
    remove_directory(cut);
  }
  g_test_message("the power went %u times within %u changes", times, changes);
  disk_vfs_remove();
}

/* ---- how much, with the intervals of the daemon ---- */

enum { SAMPLES = 900 }; /* a record every 100 ms for 90 s */

typedef struct {
  unsigned position;
  int64_t at_us;
} Sample;

/* When the disk had seen `position` changes. */
static int64_t
time_of(const Sample *samples, unsigned position) {
  unsigned n = 0;
  while (n + 1 < SAMPLES && samples[n].position < position)
    n++;
  return samples[n].at_us;
}

static unsigned
records_before(const Sample *samples, int64_t at_us) {
  unsigned n = 0;
  while (n < SAMPLES && samples[n].at_us < at_us)
    n++;
  return n;
}

static void
run_for_a_while(const char *directory, Sample *samples) {
  PlStoreOptions options = {
      .mode = PL_STORE_THREADED, .directory = directory, .boot_id = TEST_BOOT};
  PlStore *store = pl_store_open(&options, NULL);
  begin_run(store, "run-0", "r1", 0);
  flush(store);
  for (unsigned n = 0; n < SAMPLES; n++) {
    add_records(store, "run-0", n + 1, n + 2);
    samples[n] = (Sample){disk_vfs_position(), g_get_monotonic_time()};
    g_usleep(100 * 1000);
  }
  g_assert_true(pl_store_close(store));
}

/* Nothing is acknowledged in between: 35 s are lost at most. */
static void
test_power_cut_loses_little(StoreFixture *f, gconstpointer data) {
  g_autofree char *live = g_build_filename(f->directory, "live", NULL);
  g_autofree char *cut = g_build_filename(f->directory, "cut", NULL);
  g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
  g_autofree Sample *samples = g_new0(Sample, SAMPLES);
  int64_t worst_us = 0;

  if (repetitions(0, 1) == 0) {
    g_test_skip("takes 90 s; set PLUMBLINE_LONG_TESTS");
    return;
  }
  disk_vfs_install();
  pl_store_close(store_open(live, PL_STORE_SYNCHRONOUS));
  disk_vfs_note(live);
  run_for_a_while(live, samples);
  unsigned first = samples[0].position, last = samples[SAMPLES - 1].position;
  for (unsigned position = first; position <= last; position++) {
    disk_vfs_cut(position, cut, rand);
    PlStore *store = store_open(cut, PL_STORE_SYNCHRONOUS);
    unsigned kept = count_records(store, "run-0", 1);
    pl_store_close(store);
    remove_directory(cut);
    int64_t at_us = time_of(samples, position);
    if (kept < records_before(samples, at_us))
      worst_us = MAX(worst_us, at_us - samples[kept].at_us);
  }
  g_test_message("a power cut lost %.1f s at most", (double)worst_us / 1e6);
  g_assert_cmpint(worst_us, >, 0);
  g_assert_cmpint(worst_us, <=, 35 * G_USEC_PER_SEC);
  disk_vfs_remove();
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/power-cut", test_power_cut);
  store_test("/edge/store/power-cut-loses-little", test_power_cut_loses_little);
  return g_test_run();
}
