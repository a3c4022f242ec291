/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/fusion.h"

#include <glib.h>
#include <math.h>

static const int64_t second = 1000000;

enum { SENSORS_MAX = 4 };

/* Up to four sensors on one body. */
typedef struct {
  PlFusion fusion;
  PlSensorInput inputs[SENSORS_MAX];
  PlSensorInput *list[SENSORS_MAX];
  size_t count;
  double t_s;
  PlRecord record;
  PlMissing missing[PL_METRIC_COUNT];
  bool fresh;
  double distance_m, steps;
} Body;

static void
body_init(Body *body, size_t count, const PlMount *mounts) {
  *body = (Body){.count = count};
  pl_fusion_init(&body->fusion);
  for (size_t i = 0; i < count; i++) {
    PlCadence cadence;
    pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_AUTO, NULL);
    pl_sensor_input_init(&body->inputs[i], mounts[i], 1, &cadence);
    body->list[i] = &body->inputs[i];
  }
}

/* Lets a second pass. */
static void
step(Body *body) {
  body->t_s++;
  body->fresh = pl_fusion_step(&body->fusion, (int64_t)(body->t_s * 1e6), body->list,
                               body->count, &body->record, body->missing);
  body->distance_m += body->record.distance_m;
  body->steps += body->record.steps;
}

static int64_t
now(const Body *body) {
  return (int64_t)(body->t_s * 1e6) + second / 2; /* in the middle of the second to come */
}

static void
beat(Body *body, int sensor, double bpm, unsigned beats) {
  PlSample sample = {.kind = PL_SAMPLE_HEART, .t_us = now(body)};
  sample.heart = (PlHeartSample){.heart_rate_bpm = bpm, .rr_count = beats};
  for (unsigned i = 0; i < beats; i++)
    sample.heart.rr_ms[i] = 400 + sensor;
  pl_sensor_input_add(&body->inputs[sensor], &sample);
}

static void
lose_contact(Body *body, int sensor) {
  PlSample sample = {.kind = PL_SAMPLE_HEART, .t_us = now(body)};
  sample.heart = (PlHeartSample){.heart_rate_bpm = 80, .contact = PL_CONTACT_NO};
  pl_sensor_input_add(&body->inputs[sensor], &sample);
}

static void
stride(Body *body, int sensor, double speed_m_s, double cadence, double counter_m) {
  PlSample sample = {.kind = PL_SAMPLE_FOOTPOD, .t_us = now(body)};
  sample.footpod = (PlFootpodSample){.speed_m_s = speed_m_s,
                                     .cadence_raw = cadence,
                                     .stride_length_m = NAN,
                                     .distance_m = counter_m};
  pl_sensor_input_add(&body->inputs[sensor], &sample);
}

static double
value(const Body *body, PlMetric metric) {
  return body->record.value[metric];
}

static void
assert_known(const Body *body, PlMetric metric, double expected, double confidence) {
  g_assert_cmpfloat_with_epsilon(value(body, metric), expected, 1e-9);
  g_assert_cmpfloat_with_epsilon((double)body->record.confidence[metric], confidence, 1e-6);
  g_assert_cmpint(body->missing[metric], ==, PL_MISSING_NOT);
}

static void
assert_missing(const Body *body, PlMetric metric, PlMissing reason) {
  g_assert_true(isnan(value(body, metric)));
  g_assert_cmpstr(pl_missing_name(body->missing[metric]), ==, pl_missing_name(reason));
}

/* -- what is not there -------------------------------------------------------------------- */

static void
test_nobody(void) {
  Body body;
  body_init(&body, 0, NULL);
  step(&body);
  g_assert_false(body.fresh);
  assert_missing(&body, PL_METRIC_HEART_RATE, PL_MISSING_NO_SENSOR);
  assert_missing(&body, PL_METRIC_SPEED, PL_MISSING_NO_SENSOR);
  for (int m = 0; m < PL_METRIC_COUNT; m++) {
    g_assert_true(isnan(value(&body, (PlMetric)m)));
    if (m != PL_METRIC_HEART_RATE && m != PL_METRIC_SPEED)
      g_assert_cmpint(body.missing[m], ==, PL_MISSING_NOT);
  }
  g_assert_cmpint(body.record.gait, ==, PL_GAIT_UNKNOWN);
  g_assert_cmpfloat(body.record.distance_m, ==, 0);
  g_assert_cmpuint(body.record.rr_count, ==, 0);
}

/* Fresh for 2 s, held at half confidence for 3 s more, then gone. */
static void
test_heart_grows_old(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_CHEST});
  beat(&body, 0, 150, 2);
  for (int s = 1; s <= 5; s++) { /* it is 0.5, 1.5, ... 4.5 s old */
    step(&body);
    g_assert_true(body.fresh);
    assert_known(&body, PL_METRIC_HEART_RATE, 150, s <= 2 ? 1 : 0.5);
  }
  step(&body);
  g_assert_false(body.fresh);
  assert_missing(&body, PL_METRIC_HEART_RATE, PL_MISSING_STALE);
  g_assert_cmpint(body.missing[PL_METRIC_HEART_ZONE], ==, PL_MISSING_STALE);
}

static void
test_footpod_grows_old(void) {
  static const PlMetric metrics[] = {PL_METRIC_SPEED, PL_METRIC_PACE, PL_METRIC_CADENCE,
                                     PL_METRIC_STEP_LENGTH};
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_LEFT_FOOT});
  stride(&body, 0, 3, 170, NAN);
  for (int s = 1; s <= 5; s++) {
    step(&body);
    for (unsigned i = 0; i < G_N_ELEMENTS(metrics); i++)
      assert_known(&body, metrics[i], value(&body, metrics[i]), s <= 2 ? 1 : 0.5);
    assert_known(&body, PL_METRIC_SPEED, 3, s <= 2 ? 1 : 0.5);
  }
  step(&body);
  for (unsigned i = 0; i < G_N_ELEMENTS(metrics); i++)
    assert_missing(&body, metrics[i], PL_MISSING_STALE);
  g_assert_cmpint(body.record.gait, ==, PL_GAIT_UNKNOWN);
}

static void
test_contact_lost(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_CHEST});
  beat(&body, 0, 150, 0);
  step(&body);
  lose_contact(&body, 0);
  step(&body);
  g_assert_true(body.fresh);
  assert_missing(&body, PL_METRIC_HEART_RATE, PL_MISSING_LOW_QUALITY);
}

/* Nobody has a pace or steps who stands; that is no fault of the pod's. */
static void
test_standing(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_LEFT_FOOT});
  for (int s = 0; s < 30; s++) {
    stride(&body, 0, 0, 0, NAN);
    step(&body);
  }
  assert_known(&body, PL_METRIC_SPEED, 0, 1);
  assert_known(&body, PL_METRIC_CADENCE, 0, 1);
  assert_missing(&body, PL_METRIC_PACE, PL_MISSING_NOT_RUNNING);
  assert_missing(&body, PL_METRIC_STEP_LENGTH, PL_MISSING_NOT_RUNNING);
}

/* A belt that knows no cadence is not blamed for it. */
static void
test_treadmill_without_cadence(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_TREADMILL});
  for (int s = 0; s < 10; s++) {
    stride(&body, 0, 1.2, NAN, NAN);
    step(&body);
  }
  assert_known(&body, PL_METRIC_SPEED, 1.2, 1);
  g_assert_cmpint(body.record.gait, ==, PL_GAIT_RUN);
  g_assert_cmpint(body.missing[PL_METRIC_CADENCE], ==, PL_MISSING_NOT);
  g_assert_cmpint(body.missing[PL_METRIC_STEP_LENGTH], ==, PL_MISSING_NOT);
}

/* What no body does is not published. */
static void
test_implausible(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_LEFT_FOOT});
  stride(&body, 0, 12.5, 255, NAN);
  step(&body);
  assert_missing(&body, PL_METRIC_SPEED, PL_MISSING_LOW_QUALITY);
  assert_missing(&body, PL_METRIC_PACE, PL_MISSING_LOW_QUALITY);
  g_assert_cmpfloat(value(&body, PL_METRIC_CADENCE), ==, 255);
}

/* -- pace -----------------------------------------------------------------------------------
 */

/* Of the speed smoothed with a time constant of 5 s: after as long 63 % of a step are there. */
static void
test_pace(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_LEFT_FOOT});
  for (int s = 0; s < 60; s++) {
    stride(&body, 0, 3, 170, NAN);
    step(&body);
  }
  assert_known(&body, PL_METRIC_PACE, 1000 / 3.0, 1);
  for (int s = 0; s < 5; s++) {
    stride(&body, 0, 4, 170, NAN);
    step(&body);
  }
  g_assert_cmpfloat_with_epsilon(value(&body, PL_METRIC_PACE), 1000 / (4 - exp(-1)), 1e-6);
}

/* Who sets off has no pace for a moment; after a gap nothing of before is in it. */
static void
test_pace_settles(void) {
  Body body;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_LEFT_FOOT});
  stride(&body, 0, 0, 0, NAN);
  step(&body);
  stride(&body, 0, 2, 160, NAN);
  step(&body); /* 0.36 m/s when smoothed */
  assert_missing(&body, PL_METRIC_PACE, PL_MISSING_SETTLING);
  stride(&body, 0, 2, 0, NAN);
  step(&body);
  g_assert_false(isnan(value(&body, PL_METRIC_PACE)));
  assert_missing(&body, PL_METRIC_STEP_LENGTH, PL_MISSING_NOT_RUNNING);
  for (int s = 0; s < 10; s++)
    step(&body);
  stride(&body, 0, 4, 170, NAN);
  step(&body);
  assert_known(&body, PL_METRIC_PACE, 250, 1);
}

/* -- beats ----------------------------------------------------------------------------------
 */

/* Each once, and with two straps those of one. */
static void
test_beats_of_two(void) {
  Body body;
  unsigned beats[2] = {0};
  body_init(&body, 2, (PlMount[]){PL_MOUNT_CHEST, PL_MOUNT_CHEST});
  for (int s = 0; s < 60; s++) {
    if (s < 20 || s >= 40)
      beat(&body, 0, 150, 3);
    beat(&body, 1, 150, 2);
    step(&body);
    for (unsigned i = 0; i < body.record.rr_count; i++)
      beats[body.record.rr_ms[i] > 400]++;
  }
  g_assert_cmpuint(beats[0], ==, 40 * 3);
  g_assert_cmpuint(beats[1], ==, 19 * 2); /* from when the first was late for 2 s */
}

/* A late radio brings many at once: none is lost. */
static void
test_beats_in_a_burst(void) {
  Body body;
  unsigned beats = 0;
  body_init(&body, 1, (PlMount[]){PL_MOUNT_CHEST});
  for (int i = 0; i < 10; i++)
    beat(&body, 0, 150, 9);
  for (int s = 0; s < 4; s++) {
    step(&body);
    g_assert_cmpuint(body.record.rr_count, <=, PL_FRAME_RR_MAX);
    beats += body.record.rr_count;
  }
  g_assert_cmpuint(beats, ==, 90);
}

/* -- two that give the same -----------------------------------------------------------------
 */

static void
test_strap_before_band(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_WRIST, PL_MOUNT_CHEST});
  beat(&body, 0, 90, 0);
  beat(&body, 1, 150, 2);
  step(&body);
  assert_known(&body, PL_METRIC_HEART_RATE, 150, 1);
}

static void
test_first_of_equals(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_CHEST, PL_MOUNT_CHEST});
  beat(&body, 1, 151, 2);
  beat(&body, 0, 150, 2);
  step(&body);
  assert_known(&body, PL_METRIC_HEART_RATE, 150, 1);
}

/* A strap in the air is worse than a band that reads, however many packets it sends. */
static void
test_band_when_strap_reads_nothing(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_CHEST, PL_MOUNT_WRIST});
  beat(&body, 0, 150, 2);
  beat(&body, 1, 149, 0);
  step(&body);
  assert_known(&body, PL_METRIC_HEART_RATE, 150, 1);
  for (int s = 0; s < 10; s++) {
    lose_contact(&body, 0);
    beat(&body, 1, 148, 0);
    step(&body);
    assert_known(&body, PL_METRIC_HEART_RATE, 148, 1);
  }
}

/* One that is only held is worse than one that is fresh. */
static void
test_fresh_before_held(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_CHEST, PL_MOUNT_WRIST});
  beat(&body, 0, 150, 2);
  for (int s = 1; s <= 3; s++) {
    beat(&body, 1, 140, 0);
    step(&body);
    assert_known(&body, PL_METRIC_HEART_RATE, s <= 2 ? 150 : 140, 1);
  }
}

/* A band that counts steps: the third of the confidence is left. */
static void
test_cadence_lock(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_WRIST, PL_MOUNT_LEFT_FOOT});
  for (int s = 0; s < 120; s++) {
    double cadence = s < 30 ? 160 : 165;
    beat(&body, 0, cadence + 1, 0);
    stride(&body, 1, 3, cadence, NAN);
    step(&body);
    assert_known(&body, PL_METRIC_HEART_RATE, cadence + 1, s >= 59 ? 0.3 : 1);
  }
}

/* A strap is believed whatever its heart rate is near to. */
static void
test_no_lock_of_strap(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_CHEST, PL_MOUNT_LEFT_FOOT});
  for (int s = 0; s < 120; s++) {
    beat(&body, 0, s < 30 ? 160 : 165, 2);
    stride(&body, 1, 3, s < 30 ? 160 : 165, NAN);
    step(&body);
    g_assert_cmpfloat((double)body.record.confidence[PL_METRIC_HEART_RATE], ==, 1);
  }
}

static void
test_foot_before_belt(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_TREADMILL, PL_MOUNT_RIGHT_FOOT});
  for (int s = 0; s < 60; s++) {
    stride(&body, 0, 2.7, NAN, NAN);
    stride(&body, 1, 3, 170, NAN);
    step(&body);
    assert_known(&body, PL_METRIC_SPEED, 3, 1);
  }
  g_assert_cmpfloat_with_epsilon(body.distance_m, 59 * 3, 1e-6);
  g_assert_cmpfloat_with_epsilon(body.steps, 59 * 170 / 60.0, 1e-6);
}

/* -- two pods ---------------------------------------------------------------------------------
 */

/* Which of the two are heard in a second. */
typedef bool (*Heard)(int second, int pod);

/* Ten minutes at 3 m/s by two pods, with or without counters, which are heard as `heard` says;
 * the metres that were counted. */
static double
run_with_two(Heard heard, bool counters) {
  static const double origins[] = {500, 90000};
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_LEFT_FOOT, PL_MOUNT_RIGHT_FOOT});
  for (int s = 0; s <= 600; s++) {
    for (int pod = 0; pod < 2; pod++)
      if (s == 0 || s >= 590 || heard(s, pod))
        stride(&body, pod, 3, 170, counters ? origins[pod] + 3 * s : NAN);
    step(&body);
  }
  return body.distance_m;
}

static bool
both(int s, int pod) {
  return true;
}

static bool
first_comes_and_goes(int s, int pod) {
  return pod == 1 || s / 60 % 2 == 0;
}

static bool
first_stutters(int s, int pod) {
  return pod == 1 || s % 4 == 0;
}

static bool
in_turns(int s, int pod) {
  return s / 30 % 2 == pod;
}

static bool
never_mind(int s, int pod) {
  return (s * 2654435761u + (unsigned)pod * 40503u) >> 8 & 1;
}

static void
test_two_pods(void) {
  static const struct {
    Heard heard;
    double tolerance_m; /* without counters, a change of pods costs a second at most */
  } cases[] = {{both, 1e-6},
               {first_comes_and_goes, 30},
               {first_stutters, 1e-6},
               {in_turns, 180},
               {never_mind, 90}};
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpfloat_with_epsilon(run_with_two(cases[i].heard, true), 1800, 6);
    g_assert_cmpfloat_with_epsilon(run_with_two(cases[i].heard, false), 1800,
                                   cases[i].tolerance_m);
  }
}

/* The first pod is out of reach for ten minutes and comes back with all that it has counted. */
static void
test_pod_returns(void) {
  Body body;
  body_init(&body, 2, (PlMount[]){PL_MOUNT_LEFT_FOOT, PL_MOUNT_RIGHT_FOOT});
  for (int s = 0; s <= 700; s++) {
    if (s <= 50 || s >= 650)
      stride(&body, 0, 3, 170, 3 * s);
    stride(&body, 1, 3, 170, 7000 + 3 * s);
    step(&body);
    g_assert_cmpfloat_with_epsilon(body.distance_m, 3 * s, 7);
  }
  g_assert_cmpfloat_with_epsilon(body.distance_m, 2100, 3.001);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/fusion/nobody", test_nobody);
  g_test_add_func("/fusion/old/heart", test_heart_grows_old);
  g_test_add_func("/fusion/old/footpod", test_footpod_grows_old);
  g_test_add_func("/fusion/missing/contact-lost", test_contact_lost);
  g_test_add_func("/fusion/missing/standing", test_standing);
  g_test_add_func("/fusion/missing/treadmill-without-cadence", test_treadmill_without_cadence);
  g_test_add_func("/fusion/missing/implausible", test_implausible);
  g_test_add_func("/fusion/pace/smoothed", test_pace);
  g_test_add_func("/fusion/pace/settles", test_pace_settles);
  g_test_add_func("/fusion/beats/of-two", test_beats_of_two);
  g_test_add_func("/fusion/beats/in-a-burst", test_beats_in_a_burst);
  g_test_add_func("/fusion/heart/strap-before-band", test_strap_before_band);
  g_test_add_func("/fusion/heart/first-of-equals", test_first_of_equals);
  g_test_add_func("/fusion/heart/band-when-strap-reads-nothing",
                  test_band_when_strap_reads_nothing);
  g_test_add_func("/fusion/heart/fresh-before-held", test_fresh_before_held);
  g_test_add_func("/fusion/heart/cadence-lock", test_cadence_lock);
  g_test_add_func("/fusion/heart/no-lock-of-strap", test_no_lock_of_strap);
  g_test_add_func("/fusion/footpod/foot-before-belt", test_foot_before_belt);
  g_test_add_func("/fusion/footpod/two", test_two_pods);
  g_test_add_func("/fusion/footpod/returns", test_pod_returns);
  return g_test_run();
}
