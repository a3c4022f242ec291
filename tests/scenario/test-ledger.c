/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/ledger-bed.h"

#include <math.h>

/* Runs that outlive the program: it ends at any moment, and another one goes on with what the
 * store holds.  Messages are looked at as they go to the wire. */

static const int64_t day_us = 86400 * INT64_C(1000000);

typedef void (*Interruption)(Bed *bed, int seconds);

static void
killed(Bed *bed, int seconds) {
  bed_restart(bed, seconds, NULL);
}

static json_t *
summary(const Bed *bed) {
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_SUMMARY), ==, 1);
  return bed_message(bed, PL_TOPIC_ATHLETE_SUMMARY, 0);
}

/* Ten minutes, a break of the program, ten minutes: one run. */
static void
check_two_halves(Interruption interrupt, int gap_s) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 600, 150, 3);
  bed->counter_m += 3 * gap_s; /* whoever runs goes on */
  interrupt(bed, gap_s);
  bed_run(bed, 600, 150, 3);
  bed_run(bed, 301, 90, 0);
  json_t *of = summary(bed);
  g_assert_cmpstr(bed_text(of, "run"), ==, "20260601T120000Z-r1");
  g_assert_cmpstr(bed_text(of, "start"), ==, "2026-06-01T12:00:00.000Z");
  g_assert_cmpfloat(bed_number(of, "elapsed_s"), ==, 1200 + gap_s);
  g_assert_cmpfloat(bed_number(of, "moving_s"), ==, 1200);
  g_assert_cmpfloat_with_epsilon(bed_number(of, "distance_m"), 3600 + 3 * gap_s, 3.1);
  g_assert_cmpuint(bed_events(bed, "run-started"), ==, 1);
  g_assert_cmpuint(bed_events(bed, "run-finished"), ==, 1);
  json_t *laps = json_object_get(of, "laps");
  g_assert_cmpuint(json_array_size(laps), ==, bed_count(bed, PL_TOPIC_ATHLETE_LAP));
  double metres = 0, elapsed_s = 0;
  for (size_t i = 0; i < json_array_size(laps); i++) {
    g_assert_cmpfloat(bed_number(json_array_get(laps, i), "number"), ==, (double)i + 1);
    metres += bed_number(json_array_get(laps, i), "distance_m");
    elapsed_s += bed_number(json_array_get(laps, i), "elapsed_s");
  }
  g_assert_cmpfloat_with_epsilon(metres, bed_number(of, "distance_m"), 0.3);
  g_assert_cmpfloat_with_epsilon(elapsed_s, bed_number(of, "elapsed_s"), 2);
}

static void
test_restart(void) {
  check_two_halves(killed, 0);
  check_two_halves(killed, 7);
  check_two_halves(killed, 240);
}

static void
test_power_cut(void) {
  check_two_halves(bed_power_cut, 45);
  check_two_halves(bed_power_cut, 240);
}

/* Down for longer than a run may rest: it has ended where it was last heard. */
static void
check_ended(Interruption interrupt) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 600, 150, 3);
  interrupt(bed, 3600);
  json_t *of = summary(bed);
  g_assert_cmpfloat(bed_number(of, "elapsed_s"), ==, 600);
  g_assert_cmpfloat_with_epsilon(bed_number(of, "distance_m"), 1800, 3.1);
  g_assert_cmpstr(bed_text(of, "end"), ==, "2026-06-01T12:10:00.000Z");
  g_assert_cmpuint(bed_events(bed, "run-finished"), ==, 1);
  bed_run(bed, 60, 150, 3); /* and the next one begins as ever */
  g_assert_cmpuint(bed_events(bed, "run-started"), ==, 2);
}

static void
test_ended_meanwhile(void) {
  check_ended(killed);
  check_ended(bed_power_cut);
}

/* What had only begun goes on, or is forgotten. */
static void
test_candidate(void) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 60, 90, 1.4);
  bed_restart(bed, 0, NULL);
  bed_run(bed, 60, 150, 3);
  g_assert_cmpuint(bed_events(bed, "run-started"), ==, 1);
  g_assert_cmpstr(pl_ledger_run(bed->pipeline->ledger, 0), ==, "20260601T120000Z-r1");

  g_autoptr(Bed) other = bed_new();
  bed_run(other, 60, 90, 1.4);
  bed_restart(other, 3600, NULL);
  g_autoptr(GPtrArray) open = pl_store_open_runs(other->store, NULL);
  g_assert_cmpuint(open->len, ==, 0);
  g_assert_cmpuint(bed_count(other, PL_TOPIC_ATHLETE_SUMMARY), ==, 0);
}

/* A run without a pod moves because its runner said so, after a restart as before. */
static void
test_by_hand(void) {
  g_autoptr(Bed) bed = bed_new();
  g_assert_true(bed_command(bed, "run-start"));
  bed_run(bed, 300, 150, -1);
  bed_restart(bed, 0, NULL);
  bed_run(bed, 300, 150, -1);
  g_assert_true(bed_command(bed, "run-stop"));
  g_assert_cmpfloat(bed_number(summary(bed), "moving_s"), ==, 600);
}

/* Who has paused by command has still paused, whatever the feet do. */
static void
test_paused_by_hand(void) {
  static const int before_s[] = {0, 30}; /* it had paused by itself, too */
  for (unsigned i = 0; i < G_N_ELEMENTS(before_s); i++) {
    g_autoptr(Bed) bed = bed_new();
    bed_run(bed, 300, 150, 3);
    bed_run(bed, before_s[i], 100, 0);
    g_assert_true(bed_command(bed, "run-pause"));
    bed_run(bed, 5, 100, 3);
    bed_restart(bed, 0, NULL);
    pl_ledger_announce(bed->pipeline->ledger);
    guint states = bed_count(bed, PL_TOPIC_ATHLETE_STATE);
    g_assert_cmpstr(bed_text(bed_message(bed, PL_TOPIC_ATHLETE_STATE, states - 1), "phase"), ==,
                    "paused");
    bed_run(bed, 60, 100, 3);
    g_assert_true(bed_command(bed, "run-resume"));
    bed_restart(bed, 0, NULL);
    bed_run(bed, 100, 150, 3);
    g_assert_true(bed_command(bed, "run-stop"));
    g_assert_cmpfloat(bed_number(summary(bed), "moving_s"), ==, 400);
    g_assert_cmpfloat_with_epsilon(bed_number(summary(bed), "distance_m"), 1200, 3.1);
  }
}

/* A warning that is on stays on under its number, and is counted once. */
static void
test_warning(void) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 150, 180, 3);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 1);
  g_autofree char *id = g_strdup(bed_text(bed_message(bed, PL_TOPIC_ATHLETE_WARNING, 0), "id"));
  bed_restart(bed, 0, NULL);
  pl_ledger_announce(bed->pipeline->ledger);
  guint lists = bed_count(bed, PL_TOPIC_ATHLETE_WARNINGS);
  json_t *active =
      json_object_get(bed_message(bed, PL_TOPIC_ATHLETE_WARNINGS, lists - 1), "active");
  g_assert_cmpuint(json_array_size(active), ==, 1);
  bed_run(bed, 30, 180, 3);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 1);
  bed_run(bed, 100, 160, 3);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 2);
  json_t *cleared = bed_message(bed, PL_TOPIC_ATHLETE_WARNING, 1);
  g_assert_cmpstr(bed_text(cleared, "state"), ==, "cleared");
  g_assert_cmpstr(bed_text(cleared, "id"), ==, id);
  bed_run(bed, 100, 180, 3); /* within its cooldown, with a number of its own */
  g_assert_cmpstr(bed_text(bed_message(bed, PL_TOPIC_ATHLETE_WARNING, 2), "state"), ==,
                  "suppressed");
  g_assert_cmpstr(bed_text(bed_message(bed, PL_TOPIC_ATHLETE_WARNING, 2), "id"), !=, id);
  g_assert_true(bed_command(bed, "run-stop"));
  json_t *totals = json_object_get(summary(bed), "warnings");
  g_assert_cmpuint(json_array_size(totals), ==, 1);
  json_t *total = json_array_get(totals, 0);
  g_assert_cmpfloat(bed_number(total, "count"), ==, 1);
  /* A median after 21 s, held for 60; one below after 15 s at 160, for 30. */
  g_assert_cmpfloat(bed_number(total, "first_s"), ==, 80);
  g_assert_cmpfloat(bed_number(total, "seconds"), ==, 224 - 80);
}

/* What the runner has run before is known after a restart, and before the run was. */
static void
test_history(void) {
  g_autoptr(Bed) bed = bed_new();
  PlStoreTime start = {.wall_us = pl_wall_us(&bed->wall, bed->t_us) - 20 * day_us,
                       .synced = true};
  PlStoreFinish finish = {.end = start, .distance_m = 1000, .summary = "{}"};
  pl_store_run_begin(bed->store, "old", "r1", &start);
  pl_store_run_confirm(bed->store, "old");
  pl_store_run_finish(bed->store, "old", &finish);
  bed_run(bed, 250, 150, 3);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 1); /* soon past it */
  bed_restart(bed, 0, NULL);
  bed_run(bed, 150, 150, 3);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 3);
  g_assert_true(bed_command(bed, "run-stop"));
  json_t *load = json_object_get(summary(bed), "load");
  g_assert_cmpstr(bed_text(load, "spike_state"), ==, "small");
  g_assert_cmpfloat(bed_number(load, "longest_30d_m"), ==, 1000);
}

/* The program ends in the second in which the pod is out of reach. */
static void
test_pod_out_of_reach(void) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 300, 150, 3);
  bed->counter_m += 60 * 3;
  bed_run(bed, 60, 150, -1);
  bed_restart(bed, 0, NULL);
  bed_run(bed, 300, 150, 3);
  bed_run(bed, 301, 90, 0);
  g_assert_cmpfloat_with_epsilon(bed_number(summary(bed), "distance_m"), 1980, 3.1);
}

/* A run of somebody who is not configured any more is left alone. */
static void
test_runner_is_gone(void) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 300, 150, 3);
  bed_restart(bed, 0, "[athlete r9]\n");
  g_autoptr(GPtrArray) open = pl_store_open_runs(bed->store, NULL);
  g_assert_cmpuint(open->len, ==, 1);
  g_assert_null(pl_ledger_run(bed->pipeline->ledger, 0));
}

/* To whoever connects: all states, and the last summary as it was. */
static void
test_announce(void) {
  g_autoptr(Bed) bed = bed_new();
  bed_run(bed, 300, 150, 3);
  bed_run(bed, 400, 90, 0);
  g_autofree char *first = json_dumps(summary(bed), JSON_SORT_KEYS);
  bed_run(bed, 60, 150, 3);
  guint athletes = bed_count(bed, PL_TOPIC_ATHLETE_STATE),
        sensors = bed_count(bed, PL_TOPIC_SENSOR_STATE);
  pl_ledger_announce(bed->pipeline->ledger);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_ATHLETE_STATE), ==, athletes + 1);
  g_assert_cmpuint(bed_count(bed, PL_TOPIC_SENSOR_STATE), ==, sensors + 2);
  g_assert_cmpstr(bed_text(bed_message(bed, PL_TOPIC_ATHLETE_STATE, athletes), "phase"), ==,
                  "warmup");
  g_autofree char *again =
      json_dumps(bed_message(bed, PL_TOPIC_ATHLETE_SUMMARY, 1), JSON_SORT_KEYS);
  g_assert_cmpstr(again, ==, first);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ledger/restart", test_restart);
  g_test_add_func("/ledger/power-cut", test_power_cut);
  g_test_add_func("/ledger/ended-meanwhile", test_ended_meanwhile);
  g_test_add_func("/ledger/candidate", test_candidate);
  g_test_add_func("/ledger/by-hand", test_by_hand);
  g_test_add_func("/ledger/paused-by-hand", test_paused_by_hand);
  g_test_add_func("/ledger/warning", test_warning);
  g_test_add_func("/ledger/history", test_history);
  g_test_add_func("/ledger/pod-out-of-reach", test_pod_out_of_reach);
  g_test_add_func("/ledger/runner-is-gone", test_runner_is_gone);
  g_test_add_func("/ledger/announce", test_announce);
  return g_test_run();
}
