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

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/power-cut", test_power_cut);
  return g_test_run();
}
