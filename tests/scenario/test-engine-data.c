/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/scene.h"

#include <math.h>

/* What sensors say, fail to say, and say wrongly. */

static double
value(const Scene *scene, PlMetric metric) {
  return scene->frames[0].record.value[metric];
}

static double
confidence(const Scene *scene, PlMetric metric) {
  return (double)scene->frames[0].record.confidence[metric];
}

static const char *
missing(const Scene *scene, PlMetric metric) {
  return pl_missing_name(scene->frames[0].missing[metric]);
}

/* -- growing old --------------------------------------------------------------------------- */

/* Fresh for 2 s, held for 3 s at half confidence, gone after 5 s. */
static void
test_stale(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 60, 150, 3);
  scene->sensors[0].sends = scene->sensors[1].sends = false;
  for (int s = 0; s < 10; s++) {
    scene_pass(scene, 1); /* it is 1.5, 2.5, ... s old */
    bool fresh = s < 1, held = s < 4;
    double expected = fresh ? 1 : held ? 0.5 : 0;
    g_assert_cmpfloat(confidence(scene, PL_METRIC_HEART_RATE), ==, expected);
    g_assert_cmpfloat(confidence(scene, PL_METRIC_SPEED), ==, expected);
    g_assert_cmpfloat(confidence(scene, PL_METRIC_CADENCE), ==, expected);
    g_assert_cmpint(isnan(value(scene, PL_METRIC_HEART_RATE)), ==, !held);
    g_assert_cmpint(isnan(value(scene, PL_METRIC_SPEED)), ==, !held);
    g_assert_cmpstr(missing(scene, PL_METRIC_HEART_RATE), ==, held ? "" : "stale");
    g_assert_cmpstr(missing(scene, PL_METRIC_SPEED), ==, held ? "" : "stale");
    g_assert_cmpint(scene->frames[0].streaming, ==, held);
  }
  scene_run(scene, 0, 1, 151, 3);
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_RATE), ==, 151);
  g_assert_cmpfloat(confidence(scene, PL_METRIC_HEART_RATE), ==, 1);
}

static void
test_missing(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 10, 150, NAN);
  g_assert_cmpstr(missing(scene, PL_METRIC_SPEED), ==, "no-sensor");
  g_assert_cmpstr(missing(scene, PL_METRIC_CADENCE), ==, "");
  g_assert_cmpstr(missing(scene, PL_METRIC_HEART_RATE), ==, "");
  scene->sensors[0].contact_lost = true;
  scene_run(scene, 0, 10, 150, 0);
  g_assert_cmpstr(missing(scene, PL_METRIC_HEART_RATE), ==, "low-quality");
  g_assert_cmpstr(missing(scene, PL_METRIC_HEART_ZONE), ==, "low-quality");
  g_assert_true(isnan(value(scene, PL_METRIC_HEART_ZONE)));
  g_assert_cmpstr(missing(scene, PL_METRIC_PACE), ==, "not-running");
  g_assert_cmpstr(missing(scene, PL_METRIC_STEP_LENGTH), ==, "not-running");
  scene_run(scene, 0, 10, NAN, 3);
  g_assert_cmpstr(missing(scene, PL_METRIC_HEART_RATE), ==, "stale");
  g_assert_cmpstr(missing(scene, PL_METRIC_PACE), ==, "");
}

/* A zone is judged by 5 s: 149.5 of 185 is 80.8 %. */
static void
test_zone(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->settings[0].heart.zones = PL_ZONES_MAX;
  scene_start(scene);
  scene_run(scene, 0, 10, 140, 3);
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_ZONE), ==, 3);
  scene_run(scene, 0, 2, 154, 3); /* (3 * 140 + 2 * 154) / 5 = 145.6 */
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_ZONE), ==, 3);
  scene_run(scene, 0, 1, 154, 3); /* 148.4, over 148 */
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_ZONE), ==, 4);
  g_assert_cmpfloat(confidence(scene, PL_METRIC_HEART_ZONE), ==, 1);
  scene_run(scene, 0, 4, 147, 3);
  scene_run(scene, 0, 1, 151, 3); /* 147.8 */
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_ZONE), ==, 3);
  scene->sensors[0].sends = false;
  scene_pass(scene, 3);
  g_assert_cmpfloat(confidence(scene, PL_METRIC_HEART_ZONE), ==, 0.5);
}

/* A band that counts steps has a heart rate, but no zone and no part in anything. */
static void
test_cadence_lock(void) {
  const SceneSensor sensors[] = {{.kind = SCENE_BAND}, {.kind = SCENE_FOOTPOD}};
  g_autoptr(Scene) scene = scene_new_with(1, sensors, 2);
  scene_start(scene);
  scene_run(scene, 0, 30, 170, 3);
  scene->sensors[0].heart_rate_bpm = scene->sensors[1].cadence = 176;
  scene_pass(scene, 40);
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_RATE), ==, 176);
  g_assert_cmpfloat_with_epsilon(confidence(scene, PL_METRIC_HEART_RATE), 0.3, 1e-6);
  g_assert_true(isnan(value(scene, PL_METRIC_HEART_ZONE)));
  g_assert_cmpstr(missing(scene, PL_METRIC_HEART_ZONE), ==, "low-quality");
  double impulse = value(scene, PL_METRIC_TRIMP);
  scene_pass(scene, 100);
  g_assert_cmpfloat(value(scene, PL_METRIC_TRIMP), ==, impulse);
  g_assert_cmpuint(scene->warnings->len, ==, 0); /* 176 is above the cap */
}

/* The impulse of the run so far, as sure as what it rests on and as the heart rate was there.
 */
static void
test_impulse(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  g_assert_cmpfloat_with_epsilon(value(scene, PL_METRIC_TRIMP), 76.097219 / 4, 1e-6);
  g_assert_cmpfloat(confidence(scene, PL_METRIC_TRIMP), ==, 1);
  scene_run(scene, 0, 404, NAN, 3);
  g_assert_cmpfloat_with_epsilon(confidence(scene, PL_METRIC_TRIMP), 604 / 1004.0, 1e-6);
}

/* -- beats --------------------------------------------------------------------------------- */

/* Every interval once and in order, in a run and outside, whatever falls silent. */
static void
test_beats(void) {
  g_autoptr(Scene) scene = scene_new(1);
  unsigned next = 0;
  scene_start(scene);
  for (int s = 0; s < 1500; s++) {
    scene->sensors[0].beats = (unsigned)(s * 7 % 10);
    scene_run(scene, 0, 1, s % 100 < 85 ? 150 : NAN, s % 700 < 600 ? 3 : 0);
    const PlRecord *record = &scene->frames[0].record;
    if (record->t_us != scene_us(scene->t))
      continue;
    for (unsigned i = 0; i < record->rr_count; i++, next++)
      g_assert_cmpfloat_with_epsilon(record->rr_ms[i], (307 + next % 700) * 1000 / 1024.0,
                                     1e-4);
  }
  g_assert_cmpuint(next, ==, scene->sensors[0].beats_sent);
  g_assert_cmpuint(next, >, 5000);
}

/* -- counters ------------------------------------------------------------------------------ */

static void
assert_metres(const Scene *scene, double metres) {
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, metres, 3.1);
}

static void
test_counter_reset(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 300, 150, 3);
  scene->sensors[1].counter_m = 0;
  scene_run(scene, 0, 300, 150, 3);
  assert_metres(scene, 1800);
}

/* Its 32 bits of decimetres begin anew. */
static void
test_counter_wraps(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->sensors[1].counter_m = 429496729.6 - 600;
  scene_start(scene);
  scene_run(scene, 0, 199, 150, 3);
  scene->sensors[1].counter_m -= 429496729.6;
  scene_run(scene, 0, 201, 150, 3);
  assert_metres(scene, 1200);
}

static void
test_counter_leaps(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  for (int i = 0; i < 10; i++) {
    scene_run(scene, 0, 60, 150, 3);
    scene->sensors[1].counter_m += i % 2 ? 100 : 1e6;
  }
  assert_metres(scene, 1800);
}

static void
test_counter_stuck(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 300, 150, 3);
  for (int i = 0; i < 300; i++) {
    scene->sensors[1].counter_m = 900;
    scene->sensors[1].counter_m -= 3;
    scene_pass(scene, 1);
  }
  assert_metres(scene, 1800);
}

static void
test_no_counter(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->sensors[1].counter_m = NAN;
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  assert_metres(scene, 1800);
}

/* The pod sends strides; what is published are steps. */
static void
test_strides(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 0, 150, 3);
  scene->sensors[1].cadence = 85;
  scene_pass(scene, 60);
  g_assert_cmpfloat(value(scene, PL_METRIC_CADENCE), ==, 170);
  g_assert_cmpfloat_with_epsilon(value(scene, PL_METRIC_STEP_LENGTH), 1.058824, 1e-6);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].steps, 170, 3);
  g_assert_true(scene->frames[0].in_run);
}

/* What was learnt on an earlier day holds where nothing can be told. */
static void
test_strides_learnt(void) {
  const SceneSensor pod = {.kind = SCENE_FOOTPOD, .learnt = PL_CADENCE_STRIDES};
  g_autoptr(Scene) scene = scene_new_with(1, &pod, 1);
  scene_start(scene);
  scene_run(scene, 0, 0, NAN, 1);
  scene->sensors[0].cadence = 64;
  scene_pass(scene, 5);
  g_assert_cmpfloat(value(scene, PL_METRIC_CADENCE), ==, 128);
}

static void
test_links(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  g_assert_cmpint(scene->links[0], ==, PL_LINK_STATE_ABSENT);
  scene_run(scene, 0, 20, 150, NAN);
  g_assert_cmpint(scene->links[0], ==, PL_LINK_STATE_STREAMING);
  g_assert_cmpint(scene->links[1], ==, PL_LINK_STATE_ABSENT);
  scene_run(scene, 0, 15, NAN, NAN);
  g_assert_cmpint(scene->links[0], ==, PL_LINK_STATE_STALE);
  scene_run(scene, 0, 10, 150, 3);
  g_assert_cmpstr(scene->events->str, ==,
                  " 0.5 joined 0 29.5 lost 0 35.5 joined 0 35.5 joined 1");
}

/* Woken late, it does everything in its time. */
static void
test_woken_late(void) {
  g_autoptr(Scene) often = scene_new(1), once = scene_new(1);
  Scene *scenes[] = {often, once};
  for (unsigned i = 0; i < G_N_ELEMENTS(scenes); i++) {
    scene_start(scenes[i]);
    scene_run(scenes[i], 0, 600, 150, 3);
    g_assert_cmpint(pl_engine_next_us(&scenes[i]->engine), >, scene_us(600));
    g_assert_cmpint(pl_engine_next_us(&scenes[i]->engine), <=, scene_us(601));
  }
  scene_run(often, 0, 400, NAN, NAN);
  pl_engine_advance(&once->engine, scene_us(1000));
  g_assert_cmpuint(once->seconds, ==, 1000);
  g_assert_cmpuint(once->frame_counts[0], ==, often->frame_counts[0]);
  g_assert_cmpstr(once->events->str, ==, often->events->str);
  g_assert_cmpstr(once->phases->str, ==, often->phases->str);
  g_autofree char *expected = scene_warnings(often, PL_WARNING_SENSOR_PROBLEM);
  g_autofree char *got = scene_warnings(once, PL_WARNING_SENSOR_PROBLEM);
  g_assert_cmpstr(got, ==, expected);
  g_assert_cmpstr(got, !=, "");
}

/* -- several sensors ----------------------------------------------------------------------- */

enum { STRAP_1, STRAP_2, POD_1, POD_2 };

static Scene *
with_two_of_each(void) {
  const SceneSensor sensors[] = {
      {.kind = SCENE_STRAP, .beats = 3},
      {.kind = SCENE_STRAP, .beats = 2},
      {.kind = SCENE_FOOTPOD, .counter_m = 100},
      {.kind = SCENE_FOOTPOD, .counter_m = 70000},
  };
  Scene *scene = scene_new_with(1, sensors, G_N_ELEMENTS(sensors));
  scene->run_settings.end_after_s = 3600;
  scene_start(scene);
  scene_run(scene, 0, 60, 150, 3);
  return scene;
}

static void
test_two_of_each(void) {
  g_autoptr(Scene) scene = with_two_of_each();
  assert_metres(scene, 180);
  g_assert_cmpuint(scene->frames[0].record.rr_count, ==, 3);
  scene->sensors[STRAP_1].sends = scene->sensors[POD_1].sends = false;
  scene->sensors[STRAP_2].heart_rate_bpm = 148;
  for (int s = 0; s < 300; s++) {
    scene_pass(scene, 1);
    g_assert_cmpfloat(value(scene, PL_METRIC_SPEED), ==, 3);
    g_assert_cmpfloat(value(scene, PL_METRIC_HEART_RATE), ==, s < 1 ? 150 : 148);
    g_assert_cmpfloat(confidence(scene, PL_METRIC_HEART_RATE), ==, 1);
  }
  g_assert_cmpuint(scene->frames[0].record.rr_count, ==, 2);
  assert_metres(scene, 1080);
  scene->sensors[STRAP_1].sends = scene->sensors[POD_1].sends = true;
  scene_pass(scene, 60);
  g_assert_cmpuint(scene->frames[0].record.rr_count, ==, 3);
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_RATE), ==, 150);
  assert_metres(scene, 1260); /* what the first has counted meanwhile is not news */
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 10 started@0");
}

/* Both come and go as they like. */
static void
test_two_in_any_order(void) {
  for (unsigned seed = 0; seed < 20; seed++) {
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    g_autoptr(Scene) scene = with_two_of_each();
    for (int i = 0; i < 60; i++) {
      int sensor = g_rand_int_range(random, 0, 4);
      scene->sensors[sensor].sends = g_rand_boolean(random);
      scene_pass(scene, (unsigned)g_rand_int_range(random, 1, 30));
    }
    for (int i = 0; i < 4; i++)
      scene->sensors[i].sends = true;
    scene_pass(scene, 30);
    g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 3 * scene->t, 12);
  }
}

static void
test_band_beside_strap(void) {
  const SceneSensor sensors[] = {{.kind = SCENE_BAND}, {.kind = SCENE_STRAP, .beats = 2}};
  g_autoptr(Scene) scene = scene_new_with(1, sensors, 2);
  scene_start(scene);
  scene_run(scene, 0, 10, 150, NAN);
  scene->sensors[0].heart_rate_bpm = 130;
  scene_pass(scene, 10);
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_RATE), ==, 150);
  scene->sensors[1].contact_lost = true;
  scene_pass(scene, 10);
  g_assert_cmpfloat(value(scene, PL_METRIC_HEART_RATE), ==, 130);
  g_assert_cmpfloat(confidence(scene, PL_METRIC_HEART_RATE), ==, 1);
}

/* A sensor that nobody wears is heard and used for nothing. */
static void
test_spare_sensor(void) {
  const SceneSensor sensors[] = {{.kind = SCENE_STRAP, .athlete = PL_NO_ATHLETE},
                                 {.kind = SCENE_STRAP, .athlete = 1, .beats = 1}};
  g_autoptr(Scene) scene = scene_new_with(2, sensors, 2);
  scene_start(scene);
  scene_run(scene, PL_NO_ATHLETE, 0, 180, NAN);
  scene_run(scene, 1, 60, 120, NAN);
  g_assert_cmpuint(scene->frame_counts[0], ==, 0);
  g_assert_cmpuint(scene->frame_counts[1], ==, 60);
  g_assert_cmpfloat(scene->frames[1].record.value[PL_METRIC_HEART_RATE], ==, 120);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/engine/data/stale", test_stale);
  g_test_add_func("/engine/data/missing", test_missing);
  g_test_add_func("/engine/data/zone", test_zone);
  g_test_add_func("/engine/data/cadence-lock", test_cadence_lock);
  g_test_add_func("/engine/data/impulse", test_impulse);
  g_test_add_func("/engine/data/beats", test_beats);
  g_test_add_func("/engine/data/strides", test_strides);
  g_test_add_func("/engine/data/strides-learnt", test_strides_learnt);
  g_test_add_func("/engine/data/links", test_links);
  g_test_add_func("/engine/data/woken-late", test_woken_late);
  g_test_add_func("/engine/counter/reset", test_counter_reset);
  g_test_add_func("/engine/counter/wraps", test_counter_wraps);
  g_test_add_func("/engine/counter/leaps", test_counter_leaps);
  g_test_add_func("/engine/counter/stuck", test_counter_stuck);
  g_test_add_func("/engine/counter/none", test_no_counter);
  g_test_add_func("/engine/several/two-of-each", test_two_of_each);
  g_test_add_func("/engine/several/in-any-order", test_two_in_any_order);
  g_test_add_func("/engine/several/band-beside-strap", test_band_beside_strap);
  g_test_add_func("/engine/several/spare", test_spare_sensor);
  return g_test_run();
}
