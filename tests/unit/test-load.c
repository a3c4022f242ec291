/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/load.h"

#include <math.h>

static const int64_t second = 1000000;
static const int64_t minute = 60 * INT64_C(1000000);
static const int64_t day = 86400 * INT64_C(1000000);

/* Noon of 1 June 2026, UTC. */
static const int64_t noon = 1780315200 * INT64_C(1000000);

typedef struct {
  PlStore *store;
  PlWall wall;
  unsigned runs;
} Fixture;

static void
set_up(Fixture *f, gconstpointer zone) {
  g_autoptr(GError) error = NULL;
  f->store =
      pl_store_open(&(PlStoreOptions){.mode = PL_STORE_SYNCHRONOUS, .boot_id = "boot"}, &error);
  g_assert_no_error(error);
  f->wall =
      (PlWall){.synced = true,
               .zone = zone == NULL ? g_time_zone_new_utc() : g_time_zone_new_identifier(zone)};
}

static void
tear_down(Fixture *f, gconstpointer zone) {
  pl_store_close(f->store);
  g_time_zone_unref(f->wall.zone);
}

static void
ran(Fixture *f, int64_t start_us, int64_t length_us, double metres) {
  g_autofree char *id = g_strdup_printf("run-%u", f->runs++);
  PlStoreTime start = {.boot_us = start_us, .wall_us = start_us, .synced = true};
  PlStoreFinish finish = {
      .end = {.boot_us = start_us + length_us, .wall_us = start_us + length_us, .synced = true},
      .distance_m = metres,
      .summary = "{}"};
  pl_store_run_begin(f->store, id, "r1", &start);
  pl_store_run_confirm(f->store, id);
  pl_store_run_finish(f->store, id, &finish);
}

static void
assert_history(Fixture *f, int64_t now_us, double longest_m, double confidence,
               double before_m) {
  PlHistory history = pl_load_history(f->store, "r1", &f->wall, now_us);
  if (isnan(longest_m)) {
    g_assert_true(isnan(history.longest_30d_m));
    return;
  }
  g_assert_cmpfloat(history.longest_30d_m, ==, longest_m);
  g_assert_cmpfloat(history.confidence, ==, confidence);
  g_assert_cmpfloat(history.before_m, ==, before_m);
}

/* L30 of 12 km: 13.2, 15.6 and 24.0 km are still on the lower side; 13 of 10 is small. */
static void
test_states(void) {
  static const struct {
    double distance_m, longest_m;
    const char *state;
  } cases[] = {
      {5000, 12000, "reference"}, {13200, 12000, "reference"}, {13201, 12000, "small"},
      {15600, 12000, "small"},    {15601, 12000, "moderate"},  {24000, 12000, "moderate"},
      {24001, 12000, "large"},    {13000, 10000, "small"},     {13000, NAN, "unknown"},
      {13000, 0, "unknown"},      {0, 12000, "reference"},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_cmpstr(pl_spike_name(pl_spike_of(cases[i].distance_m, cases[i].longest_m)), ==,
                    cases[i].state);
}

static void
test_nobody(Fixture *f, gconstpointer data) {
  assert_history(f, noon, NAN, 0, 0);
}

/* Records have to go back 14 days, however many there are. */
static void
test_known(Fixture *f, gconstpointer data) {
  ran(f, noon - 13 * day, 30 * minute, 5000);
  assert_history(f, noon, NAN, 0, 0);
  assert_history(f, noon + day - 12 * 3600 * second - second, NAN, 0, 0);
  assert_history(f, noon + 2 * day, 5000, 1, 0); /* its 14 days are over at midnight */
}

/* The 30 days before today; what was run today does not count. */
static void
test_longest(Fixture *f, gconstpointer data) {
  ran(f, noon - 60 * day, 60 * minute, 20000);
  ran(f, noon - 31 * day, 60 * minute, 15000);
  ran(f, noon - 30 * day, 60 * minute, 9000);
  ran(f, noon - 10 * day, 60 * minute, 11000);
  ran(f, noon - 5 * 3600 * second, 60 * minute, 14000);
  assert_history(f, noon, 11000, 1, 0);
  assert_history(f, noon - 10 * day, 15000, 1, 0);
  assert_history(f, noon + day, 14000, 1, 0);
}

/* After a month without a run: half of the longest of 90 days, 3 km at least. */
static void
test_after_a_break(Fixture *f, gconstpointer data) {
  ran(f, noon - 200 * day, 60 * minute, 42000);
  ran(f, noon - 80 * day, 60 * minute, 16000);
  ran(f, noon - 40 * day, 60 * minute, 8000);
  assert_history(f, noon, 8000, 0.4, 0);
  assert_history(f, noon + 15 * day, 4000, 0.4, 0);
  assert_history(f, noon + 45 * day, 4000, 0.4, 0);
  assert_history(f, noon + 60 * day, 3000, 0.4, 0);
  assert_history(f, noon + 600 * day, 3000, 0.4, 0);
}

/* With less than half an hour between them two runs are one outing. */
static void
test_joined(Fixture *f, gconstpointer data) {
  ran(f, noon - 20 * day, 60 * minute, 8000);
  ran(f, noon - 20 * day + 89 * minute, 30 * minute, 4000);
  ran(f, noon - 20 * day + 140 * minute, 10 * minute, 1500);
  ran(f, noon - 20 * day + 180 * minute, 60 * minute, 9000); /* half an hour later */
  assert_history(f, noon, 13500, 1, 0);
}

/* The run that begins goes on with one that has just ended, which it is not compared with. */
static void
test_before(Fixture *f, gconstpointer data) {
  ran(f, noon - 20 * day, 60 * minute, 8000);
  ran(f, noon - 100 * minute, 40 * minute, 7000);
  ran(f, noon - 50 * minute, 30 * minute, 6000);
  assert_history(f, noon, 8000, 1, 13000);
  assert_history(f, noon + 10 * minute - second, 8000, 1, 13000);
  assert_history(f, noon + 10 * minute, 8000, 1, 0);
}

/* Also over midnight. */
static void
test_before_over_midnight(Fixture *f, gconstpointer data) {
  ran(f, noon - 20 * day, 60 * minute, 8000);
  ran(f, noon + 11 * 60 * minute, 50 * minute, 9000);
  assert_history(f, noon + 12 * 60 * minute + 5 * minute, 8000, 1, 9000);
  assert_history(f, noon + 13 * 60 * minute, 9000, 1, 0);
}

/* Days are those of the runner: in Auckland it is past midnight at noon. */
static void
test_zone(Fixture *f, gconstpointer zone) {
  ran(f, noon - 20 * day, 60 * minute, 8000);
  ran(f, noon - 60 * minute, 20 * minute, 9000); /* at 23:00 there, yesterday */
  assert_history(f, noon, 9000, 1, 0);
}

static void
test_of_others(Fixture *f, gconstpointer data) {
  ran(f, noon - 20 * day, 60 * minute, 8000);
  PlHistory history = pl_load_history(f->store, "r2", &f->wall, noon);
  g_assert_true(isnan(history.longest_30d_m));
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer), const char *zone) {
  g_test_add(path, Fixture, zone, set_up, test, tear_down);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/load/states", test_states);
  add("/load/nobody", test_nobody, NULL);
  add("/load/known", test_known, NULL);
  add("/load/longest", test_longest, NULL);
  add("/load/after-a-break", test_after_a_break, NULL);
  add("/load/joined", test_joined, NULL);
  add("/load/before", test_before, NULL);
  add("/load/before-over-midnight", test_before_over_midnight, NULL);
  add("/load/zone", test_zone, "Pacific/Auckland");
  add("/load/of-others", test_of_others, NULL);
  return g_test_run();
}
