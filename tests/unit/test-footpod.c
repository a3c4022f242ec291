/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/footpod.h"

#include <glib.h>
#include <math.h>

/* A pod on a runner: what it sends, and when. */
typedef struct {
  PlFootpod pod;
  double t_s;
  PlFootpodSample sample;
  double distance_m, steps; /* that were handed on */
} Runner;

static void
runner_init(Runner *runner, double factor) {
  PlCadence cadence;
  *runner = (Runner){.sample = {.speed_m_s = 3,
                                .cadence_raw = 170,
                                .stride_length_m = NAN,
                                .distance_m = NAN,
                                .running = true}};
  pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_AUTO, NULL);
  pl_footpod_init(&runner->pod, &cadence, factor);
}

static void
packet(Runner *runner, double after_s) {
  double distance_m, steps;
  runner->t_s += after_s;
  pl_footpod_add(&runner->pod, llround(runner->t_s * 1e6), &runner->sample, NAN);
  pl_footpod_take(&runner->pod, &distance_m, &steps);
  runner->distance_m += distance_m;
  runner->steps += steps;
}

/* `seconds` packets in which the pod's counter, if it has one, goes on. */
static void
run(Runner *runner, int seconds) {
  for (int i = 0; i < seconds; i++) {
    runner->sample.distance_m += runner->sample.speed_m_s;
    packet(runner, 1);
  }
}

static void
assert_metres(const Runner *runner, double metres) {
  g_assert_cmpfloat_with_epsilon(runner->distance_m, metres, 1e-6);
}

/* -- without a counter ------------------------------------------------------------------- */

static void
test_first_packet(void) {
  Runner runner;
  runner_init(&runner, 1);
  packet(&runner, 0);
  assert_metres(&runner, 0);
  g_assert_cmpfloat(runner.steps, ==, 0);
  g_assert_cmpfloat(runner.pod.speed_m_s, ==, 3);
  g_assert_true(runner.pod.gives_cadence);
}

static void
test_integral(void) {
  Runner runner;
  runner_init(&runner, 1);
  packet(&runner, 0);
  runner.sample.speed_m_s = 4;
  runner.sample.cadence_raw = 180;
  packet(&runner, 2); /* 3.5 m/s and 175 in the mean */
  assert_metres(&runner, 7);
  g_assert_cmpfloat_with_epsilon(runner.steps, 350 / 60.0, 1e-9);
  packet(&runner, 5);
  assert_metres(&runner, 27);
  packet(&runner, 5.1); /* nobody knows what happened in so long a gap */
  assert_metres(&runner, 27);
  packet(&runner, 1);
  assert_metres(&runner, 31);
}

static void
test_values_missing(void) {
  Runner runner;
  runner_init(&runner, 1);
  runner.sample.speed_m_s = NAN;
  runner.sample.cadence_raw = NAN;
  packet(&runner, 0);
  packet(&runner, 1);
  assert_metres(&runner, 0);
  g_assert_cmpfloat(runner.steps, ==, 0);
  g_assert_true(isnan(runner.pod.speed_m_s) && isnan(runner.pod.cadence_spm));
  g_assert_true(isnan(runner.pod.step_length_m));
  g_assert_false(runner.pod.gives_cadence);
  runner.sample.speed_m_s = 3;
  packet(&runner, 1);
  assert_metres(&runner, 3);
}

/* -- with one ---------------------------------------------------------------------------- */

static void
start_counter(Runner *runner, double factor, double origin_m) {
  runner_init(runner, factor);
  runner->sample.distance_m = origin_m;
  packet(runner, 0);
}

/* Wherever it starts, and whatever the speed says, up to what nobody runs. */
static void
test_counter(void) {
  static const double speeds[] = {2.9, 11.9};
  for (unsigned i = 0; i < G_N_ELEMENTS(speeds); i++) {
    Runner runner;
    start_counter(&runner, 1, 123456.7);
    for (int s = 0; s < 100; s++) {
      runner.sample.distance_m += speeds[i];
      packet(&runner, 1);
    }
    assert_metres(&runner, 100 * speeds[i]);
  }
}

/* It goes on while the radio does not reach. */
static void
test_counter_bridges_gap(void) {
  Runner runner;
  start_counter(&runner, 1, 0);
  run(&runner, 10);
  runner.sample.distance_m += 1800;
  packet(&runner, 600);
  run(&runner, 10);
  assert_metres(&runner, 1860);
}

/* Somebody switches it off and on, or its 32 bits of decimetres are full: the speed tells about
 * that second. */
static void
test_counter_reset(void) {
  static const double origins[] = {500, 429496729.5 - 30};
  for (unsigned i = 0; i < G_N_ELEMENTS(origins); i++) {
    Runner runner;
    start_counter(&runner, 1, origins[i]);
    run(&runner, 10);
    runner.sample.distance_m = 2.9 * i;
    packet(&runner, 1);
    run(&runner, 10);
    assert_metres(&runner, 63);
  }
}

/* Further than anybody runs, up or down. */
static void
test_counter_leaps(void) {
  static const double leaps[] = {12.1, 50, 5000, 4e8, -1, -1000};
  for (unsigned i = 0; i < G_N_ELEMENTS(leaps); i++) {
    Runner runner;
    start_counter(&runner, 1, 10000);
    run(&runner, 60);
    runner.sample.distance_m += leaps[i];
    packet(&runner, 1);
    run(&runner, 60);
    assert_metres(&runner, 363);
  }
}

/* Whole metres, or one step of ten every four seconds: in the end the counter is right. */
static void
test_counter_coarse(void) {
  static const double units[] = {1, 10, 15};
  for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
    Runner runner;
    double way_m = 0;
    start_counter(&runner, 1, 0);
    for (int s = 0; s < 1000; s++) {
      way_m += 2.5;
      runner.sample.distance_m = floor(way_m / units[i]) * units[i];
      packet(&runner, 1);
      g_assert_cmpfloat(fabs(runner.distance_m - way_m), <, units[i] + 0.001);
    }
    g_assert_cmpfloat_with_epsilon(runner.distance_m, floor(2500 / units[i]) * units[i], 1e-6);
  }
}

/* One that has died costs no metre; what it says when it lives again is not counted twice. */
static void
test_counter_dies(void) {
  Runner runner;
  start_counter(&runner, 1, 0);
  run(&runner, 100);
  for (int i = 0; i < 200; i++)
    packet(&runner, 1);
  assert_metres(&runner, 900);
  run(&runner, 100);
  assert_metres(&runner, 1197); /* its first metres are among those that were counted */
}

/* It dies, and comes back with all that it has missed. */
static void
test_counter_catches_up(void) {
  Runner runner;
  start_counter(&runner, 1, 0);
  run(&runner, 100);
  for (int i = 0; i < 200; i++)
    packet(&runner, 1);
  runner.sample.distance_m += 603;
  packet(&runner, 1);
  run(&runner, 99);
  assert_metres(&runner, 1200);
}

/* It stood still for some seconds, not long enough to be given up, and falls. */
static void
test_counter_stops_then_falls(void) {
  Runner runner;
  start_counter(&runner, 1, 1000);
  run(&runner, 100);
  for (int i = 0; i < 6; i++)
    packet(&runner, 1);
  runner.sample.distance_m = 0;
  packet(&runner, 1);
  assert_metres(&runner, 321);
}

/* The longer it stood still, the further it may catch up, but for 5 s at most. */
static void
test_counter_limits(void) {
  static const struct {
    int still_s;
    double leap_m, counted_m;
  } cases[] = {{0, 12, 12},   {0, 12.01, 0}, {1, 24, 24},   {1, 24.01, 0}, {3, 48, 48},
               {3, 48.01, 0}, {5, 72, 72},   {5, 72.01, 0}, {600, 72, 72}, {600, 72.01, 0}};
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    Runner runner;
    start_counter(&runner, 1, 1000);
    runner.sample.speed_m_s = 0;
    packet(&runner, 1);
    double before_m = runner.distance_m;
    runner.sample.distance_m += 1;
    packet(&runner, 1);
    for (int s = 0; s < cases[i].still_s; s++)
      packet(&runner, 1);
    runner.sample.distance_m += cases[i].leap_m;
    packet(&runner, 1);
    g_assert_cmpfloat_with_epsilon(runner.distance_m - before_m, 1 + cases[i].counted_m, 1e-6);
  }
}

/* A pod that begins to tell of its counter in the middle of a run. */
static void
test_counter_appears(void) {
  Runner runner;
  runner_init(&runner, 1);
  packet(&runner, 0);
  packet(&runner, 1);
  runner.sample.distance_m = 5000;
  packet(&runner, 1);
  run(&runner, 1);
  assert_metres(&runner, 9);
  runner.sample.distance_m = NAN;
  packet(&runner, 1);
  runner.sample.distance_m = 5006;
  packet(&runner, 1);
  assert_metres(&runner, 12); /* the counter has the last word: 3 + 3 + 3 + 6 - 3 */
}

/* A runner who stands does not make it dead. */
static void
test_counter_at_rest(void) {
  Runner runner;
  start_counter(&runner, 1, 0);
  run(&runner, 10);
  runner.sample.speed_m_s = 0;
  runner.sample.cadence_raw = 0;
  for (int i = 0; i < 600; i++)
    packet(&runner, 1);
  g_assert_cmpfloat_with_epsilon(runner.distance_m, 30, 1.5 + 1e-6);
  runner.sample.speed_m_s = 3;
  run(&runner, 10);
  g_assert_cmpfloat_with_epsilon(runner.distance_m, 60, 1.5 + 1e-6);
}

/* The radio was late: three packets come at once. */
static void
test_burst(void) {
  static const double origins[] = {0, NAN};
  for (unsigned i = 0; i < G_N_ELEMENTS(origins); i++) {
    Runner runner;
    start_counter(&runner, 1, origins[i]);
    run(&runner, 10);
    for (int burst = 0; burst < 20; burst++) {
      runner.sample.distance_m += 3;
      packet(&runner, 2.998);
      for (int j = 0; j < 2; j++) {
        runner.sample.distance_m += 3;
        packet(&runner, 0.001);
      }
    }
    g_assert_cmpfloat_with_epsilon(runner.distance_m, 30 + 20 * 9, 1e-6);
  }
}

/* A burst shares the time before it, and no more than 5 s of it. */
static void
test_burst_limits(void) {
  static const struct {
    double before_s, first_m, second_m, counted_m;
  } cases[] = {
      {3, 3, 33, 36},     {3, 3, 33.1, 3},       {3, 36, 0.1, 36},
      {600, 90, 60, 150}, {600, 90, 60.1, 90.0},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    Runner runner;
    start_counter(&runner, 1, 1000);
    runner.sample.speed_m_s = 0;
    packet(&runner, 0.001);
    double before_m = runner.distance_m;
    runner.sample.distance_m += cases[i].first_m;
    packet(&runner, cases[i].before_s);
    runner.sample.distance_m += cases[i].second_m;
    packet(&runner, 0.001);
    g_assert_cmpfloat_with_epsilon(runner.distance_m - before_m, cases[i].counted_m, 1e-6);
  }
}

/* Resets at any time, any number of them: each costs less than 15 m. */
static void
test_any_resets(void) {
  for (unsigned seed = 0; seed < 100; seed++) {
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    Runner runner;
    double way_m = 0;
    int resets = 0;
    start_counter(&runner, 1, 40000);
    for (int s = 0; s < 1800; s++) {
      runner.sample.speed_m_s = g_rand_double_range(random, 2, 4);
      way_m += runner.sample.speed_m_s;
      runner.sample.distance_m += runner.sample.speed_m_s;
      if (g_rand_int_range(random, 0, 200) == 0) {
        runner.sample.distance_m = g_rand_double_range(random, 0, 50);
        resets++;
      }
      packet(&runner, 1);
    }
    g_assert_cmpfloat(fabs(runner.distance_m - way_m), <, 15 * (resets + 1));
    g_assert_cmpfloat(fabs(runner.distance_m - way_m), <, 0.02 * way_m);
  }
}

/* After a restart the counter is compared with what was stored. */
static void
test_resume(void) {
  Runner runner;
  runner_init(&runner, 1);
  pl_footpod_resume(&runner.pod, 0, 700);
  runner.sample.distance_m = 730;
  packet(&runner, 10);
  assert_metres(&runner, 30);
  runner_init(&runner, 1);
  pl_footpod_resume(&runner.pod, 0, 700);
  runner.sample.distance_m = 5; /* another pod, or the battery was out */
  packet(&runner, 10);
  assert_metres(&runner, 0);
  run(&runner, 10);
  assert_metres(&runner, 30);
}

/* -- two of them --------------------------------------------------------------------------- */

/* What another counted while this one was silent is not counted again when it returns. */
static void
test_elsewhere(void) {
  static const double origins[] = {0, NAN};
  for (unsigned i = 0; i < G_N_ELEMENTS(origins); i++) {
    Runner runner;
    start_counter(&runner, 1.05, origins[i]);
    run(&runner, 10);
    for (int s = 0; s < 4; s++)
      pl_footpod_pass(&runner.pod, 3.15, true);
    runner.sample.distance_m += 15;
    packet(&runner, 5); /* one of the five seconds is news */
    run(&runner, 10);
    g_assert_cmpfloat_with_epsilon(runner.distance_m, 1.05 * (30 + 3 + 30), 1e-6);
  }
}

static void
test_pass(void) {
  Runner runner;
  runner_init(&runner, 1);
  double distance_m, steps;
  for (int s = 0; s <= 10; s++)
    pl_footpod_add(&runner.pod, s * 1000000, &runner.sample, NAN);
  pl_footpod_pass(&runner.pod, 29, false);
  pl_footpod_take(&runner.pod, &distance_m, &steps);
  g_assert_cmpfloat(distance_m, ==, 0);
  g_assert_cmpfloat(steps, ==, 0);
  pl_footpod_add(&runner.pod, 11 * 1000000, &runner.sample, NAN);
  pl_footpod_take(&runner.pod, &distance_m, &steps);
  g_assert_cmpfloat_with_epsilon(distance_m, 3,
                                 1e-9); /* it spoke itself: nothing is taken off */
}

/* -- what it is made of -------------------------------------------------------------------- */

/* A calibration of 1.02 that measured 9850 m of 10 km becomes 1.0355329949; it belongs to
 * speed, length and distance alike. */
static void
test_factor(void) {
  const double factor = 1.0355329949238579;
  Runner runner;
  start_counter(&runner, factor, 77);
  runner.sample.stride_length_m = 1.06;
  runner.sample.speed_m_s = 9850 / 1.02 / 3600;
  run(&runner, 3600);
  g_assert_cmpfloat_with_epsilon(runner.distance_m, 10000, 1e-6);
  g_assert_cmpfloat_with_epsilon(runner.pod.speed_m_s, 10000 / 3600.0, 1e-9);
  g_assert_cmpfloat_with_epsilon(runner.pod.step_length_m, 1.06 * factor, 1e-9);
  runner_init(&runner, factor);
  packet(&runner, 0);
  packet(&runner, 1);
  g_assert_cmpfloat_with_epsilon(runner.distance_m, 3 * factor, 1e-9);
}

/* One pod sends steps, the other strides: what comes out is the same. */
static void
test_steps_and_strides(void) {
  static const double raws[] = {170, 85};
  for (unsigned i = 0; i < G_N_ELEMENTS(raws); i++) {
    Runner runner;
    runner_init(&runner, 1);
    runner.sample.cadence_raw = raws[i];
    packet(&runner, 0);
    for (int s = 0; s < 60; s++) {
      packet(&runner, 1);
      g_assert_cmpfloat(runner.pod.cadence_spm, ==, 170);
      g_assert_cmpfloat_with_epsilon(runner.pod.step_length_m, 1.058824, 1e-6);
    }
    g_assert_cmpfloat_with_epsilon(runner.steps, 170, 1e-6);
  }
}

static void
test_step_length(void) {
  static const struct {
    double raw, speed_m_s, sent_m, step_m;
  } cases[] = {
      {170, 3, 1.06, 1.06},           /* as sent */
      {85, 3, 2.12, 1.06},            /* of a stride */
      {170, 3, 0.30, 3 * 60 / 170.0}, /* impossible: by the speed */
      {170, 3, NAN, 3 * 60 / 170.0},
      {110, 1.4, NAN, 1.4 * 60 / 110.0},
      {0, 0, NAN, NAN},
      {170, 0.2, NAN, NAN},
      {170, NAN, NAN, NAN},
      {NAN, 3, NAN, NAN},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    Runner runner;
    runner_init(&runner, 1);
    runner.sample.cadence_raw = cases[i].raw;
    runner.sample.speed_m_s = cases[i].speed_m_s;
    runner.sample.stride_length_m = cases[i].sent_m;
    packet(&runner, 1);
    if (isnan(cases[i].step_m))
      g_assert_true(isnan(runner.pod.step_length_m));
    else
      g_assert_cmpfloat_with_epsilon(runner.pod.step_length_m, cases[i].step_m, 1e-9);
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/footpod/speed/first-packet", test_first_packet);
  g_test_add_func("/footpod/speed/integral", test_integral);
  g_test_add_func("/footpod/speed/values-missing", test_values_missing);
  g_test_add_func("/footpod/counter/plain", test_counter);
  g_test_add_func("/footpod/counter/bridges-gap", test_counter_bridges_gap);
  g_test_add_func("/footpod/counter/reset", test_counter_reset);
  g_test_add_func("/footpod/counter/leaps", test_counter_leaps);
  g_test_add_func("/footpod/counter/coarse", test_counter_coarse);
  g_test_add_func("/footpod/counter/dies", test_counter_dies);
  g_test_add_func("/footpod/counter/catches-up", test_counter_catches_up);
  g_test_add_func("/footpod/counter/stops-then-falls", test_counter_stops_then_falls);
  g_test_add_func("/footpod/counter/limits", test_counter_limits);
  g_test_add_func("/footpod/counter/appears", test_counter_appears);
  g_test_add_func("/footpod/counter/at-rest", test_counter_at_rest);
  g_test_add_func("/footpod/counter/any-resets", test_any_resets);
  g_test_add_func("/footpod/counter/resume", test_resume);
  g_test_add_func("/footpod/burst/counts", test_burst);
  g_test_add_func("/footpod/burst/limits", test_burst_limits);
  g_test_add_func("/footpod/two/elsewhere", test_elsewhere);
  g_test_add_func("/footpod/two/pass", test_pass);
  g_test_add_func("/footpod/factor", test_factor);
  g_test_add_func("/footpod/steps-and-strides", test_steps_and_strides);
  g_test_add_func("/footpod/step-length", test_step_length);
  return g_test_run();
}
