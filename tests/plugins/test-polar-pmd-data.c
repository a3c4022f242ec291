/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/plugins/polar-pmd-talk.h"

#include <math.h>

static const double gravity = 9.80665;

/* The armband has one rate, and names a factor: its numbers are g. */
static void
test_armband(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);
  static const double expected_mg[] = {-11.712, 87.108, 992.592};

  ready(recorder);
  answer(recorder, VERITY_SETTINGS, VERITY_START);
  started(recorder, VERITY_STARTED);
  g_assert_cmpint(
      recorder_data(recorder, DATA, "02 64 6c 76 c4 3c c6 7f 07 80 d0 ff 65 01 e4 0f"), ==,
      PL_OK);
  g_assert_cmpuint(recorder->sample_count, ==, 1);
  for (unsigned axis = 0; axis < 3; axis++)
    g_assert_cmpfloat_with_epsilon(recorder->samples[0].motion.acceleration_m_s2[axis],
                                   expected_mg[axis] / 1000 * gravity, 1e-5);
}

/* Times: the first frame by the rate, the second by the clock; both clocks. */
static void
test_times(void) {
  g_autoptr(Recorder) recorder = new_streaming();
  int64_t t_us = recorder->t_us;

  recorder_data(recorder, DATA, FRAME);
  g_assert_cmpint(recorder->samples[0].t_us, ==, t_us - 10000);
  g_assert_cmpint(recorder->samples[1].t_us, ==, t_us);
  g_assert_cmpint(recorder->samples[0].t_sensor_us, ==, 1990000);
  g_assert_cmpint(recorder->samples[1].t_sensor_us, ==, 2000000);
  recorder->t_us = t_us += 20500;
  recorder_data(recorder, DATA, NEXT_FRAME);
  g_assert_cmpint(recorder->samples[0].t_sensor_us, ==, 2010000);
  g_assert_cmpint(recorder->samples[1].t_sensor_us, ==, 2020000);
  g_assert_cmpint(recorder->samples[1].t_us, ==, t_us);
  g_assert_cmpuint(recorder->lost, ==, 0);
  /* 100 ms later, where 20 should have passed */
  recorder->t_us = t_us += 100000;
  recorder_data(recorder, DATA,
                "02 00 a2 5c 7e 00 00 00 00 01 f7 ff ff ff e7 03 f8 ff fe ff e5 03");
  g_assert_cmpuint(recorder->lost, ==, 4);
  g_assert_cmpint(recorder->samples[0].t_sensor_us, ==, 2110000);
}

/* Of a cut frame the first samples are there, and the time is that of the last one announced.
 */
static void
test_times_of_cut_frame(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(recorder_data(recorder, DATA,
                                "02 00 94 35 77 00 00 00 00 81 00 00 00 00 e8 03 0a 13 00 00"),
                  ==, PL_SHORT);
  g_assert_cmpuint(recorder->sample_count, ==, 1);
  g_assert_cmpint(recorder->samples[0].t_sensor_us, ==, 2000000 - 19 * 10000);
  g_assert_cmpint(recorder->samples[0].t_us, ==, recorder->t_us - 19 * 10000);
}

static void
test_values(void) {
  static const double first_mg[] = {-9, -1, 999};
  g_autoptr(Recorder) recorder = new_streaming();

  recorder_data(recorder, DATA, FRAME);
  const PlSample *sample = &recorder->samples[0];
  g_assert_cmpint(sample->kind, ==, PL_SAMPLE_MOTION);
  g_assert_false(sample->motion.has_angular_rate);
  g_assert_false(sample->motion.clipped);
  for (unsigned axis = 0; axis < 3; axis++) {
    g_assert_true(isnan(sample->motion.angular_rate_rad_s[axis]));
    g_assert_cmpfloat_with_epsilon(sample->motion.acceleration_m_s2[axis],
                                   first_mg[axis] / 1000 * gravity, 1e-12);
  }
}

/* 7959, 7960, -16000 and 16001 milli-g at a range of 8 g. */
static void
test_clipping_and_limits(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(
      recorder_data(recorder, DATA,
                    "02 00 94 35 77 00 00 00 00 01 17 1f 00 00 00 00  00 00 18 1f 00 00 "
                    "00 00 00 00 80 c1  00 00 81 3e 00 00"),
      ==, PL_BAD_VALUE);
  g_assert_cmpuint(recorder->sample_count, ==, 3);
  g_assert_false(recorder->samples[0].motion.clipped);
  g_assert_true(recorder->samples[1].motion.clipped);
  g_assert_true(recorder->samples[2].motion.clipped);
  /* the dropped one was the last: the others keep their places in time */
  g_assert_cmpint(recorder->samples[2].t_sensor_us, ==, 1990000);
}

static void
test_unknown_data(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  recorder->timer_us[0] = 0;
  g_assert_cmpint(
      recorder_data(recorder, DATA, "7f 00 94 35 77 00 00 00 00 01 01 00 02 00 03 00"), ==,
      PL_UNSUPPORTED);
  g_assert_cmpuint(recorder->sample_count, ==, 0);
  g_assert_cmpint(recorder->timer_us[0], ==, 0); /* no sign of life of our stream */
  g_assert_cmpint(recorder_data(recorder, 2, FRAME), ==, PL_UNEXPECTED);
}

/* A capture is played: nobody has asked for anything, and nobody answers.  The rate is a guess
 * for one frame, there is no factor. */
static void
test_without_control(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  g_assert_cmpint(recorder_data(recorder, DATA, FRAME), ==, PL_OK);
  g_assert_cmpuint(recorder->sample_count, ==, 2);
  g_assert_cmpint(recorder->samples[0].t_us, ==, recorder->t_us - 10000);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(
      recorder_data(recorder, DATA, "02 00 c1 66 78 00 00 00 00 81 e8 03 00 00 00 00"), ==,
      PL_OK);
  g_assert_cmpfloat_with_epsilon(recorder->samples[0].motion.acceleration_m_s2[0], gravity,
                                 1e-12);
}

/* One frame of two samples is missing. */
static void
test_one_lost(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  recorder_data(recorder, DATA, FRAME);
  recorder->t_us += 40000;
  recorder_data(recorder, DATA,
                "02 00 ee 97 79 00 00 00 00 01 f7 ff ff ff e7 03 f8 ff fe ff e5 03");
  g_assert_cmpuint(recorder->lost, ==, 1);
  g_assert_cmpint(recorder->samples[0].t_sensor_us, ==, 2030000);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/plugins/polar-pmd/data/armband", test_armband);
  g_test_add_func("/plugins/polar-pmd/data/times", test_times);
  g_test_add_func("/plugins/polar-pmd/data/times-of-cut-frame", test_times_of_cut_frame);
  g_test_add_func("/plugins/polar-pmd/data/values", test_values);
  g_test_add_func("/plugins/polar-pmd/data/clipping-and-limits", test_clipping_and_limits);
  g_test_add_func("/plugins/polar-pmd/data/unknown", test_unknown_data);
  g_test_add_func("/plugins/polar-pmd/data/without-control", test_without_control);
  g_test_add_func("/plugins/polar-pmd/data/one-lost", test_one_lost);
  return g_test_run();
}
