/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/run.h"

#include <glib.h>
#include <math.h>

static const int64_t second = 1000000;
static const double some = 0.5, all = 1;

/* Resting 55, maximum 185, threshold 160. */
static PlHeartProfile
profile_of(double maximum_bpm) {
  PlHeartSettings settings = {
      .sex = PL_SEX_MALE,
      .age_years = NAN,
      .max_heart_rate_bpm = maximum_bpm,
      .resting_heart_rate_bpm = 55,
      .threshold_heart_rate_bpm = 160,
      .zones = PL_ZONES_MAX,
  };
  PlHeartProfile profile;
  g_assert_true(pl_heart_profile(&profile, &settings));
  return profile;
}

typedef struct {
  PlRun run;
  PlHeartProfile heart;
  int64_t t_us;
} Course;

static void
course_init(Course *course, double maximum_bpm) {
  *course = (Course){.heart = profile_of(maximum_bpm)};
  pl_run_init(&course->run, 0);
}

static PlRecord
empty(void) {
  PlRecord record;
  pl_record_clear(&record);
  return record;
}

static void
set(PlRecord *record, PlMetric metric, double value, double confidence) {
  record->value[metric] = value;
  record->confidence[metric] = (float)confidence;
}

static PlRecord
stride(double speed_m_s, double heart_rate_bpm) {
  PlRecord record = empty();
  set(&record, PL_METRIC_SPEED, speed_m_s, all);
  set(&record, PL_METRIC_CADENCE, speed_m_s > 0 ? 170 : 0, all);
  set(&record, PL_METRIC_HEART_RATE, heart_rate_bpm, all);
  record.gait = speed_m_s > 1.9 ? PL_GAIT_RUN : speed_m_s > 0 ? PL_GAIT_WALK : PL_GAIT_STAND;
  record.distance_m = speed_m_s;
  record.steps = speed_m_s > 0 ? 170 / 60.0 : 0;
  return record;
}

static void
add(Course *course, PlRecord record, int seconds) {
  for (int i = 0; i < seconds; i++) {
    course->t_us += second;
    record.t_us = course->t_us;
    pl_run_add(&course->run, &record, &course->heart);
  }
}

static void
heart(Course *course, double bpm, double minutes) {
  PlRecord record = empty();
  set(&record, PL_METRIC_HEART_RATE, bpm, all);
  add(course, record, (int)(60 * minutes));
}

/* -- training impulse -------------------------------------------------------------------- */

static void
test_banister(void) {
  Course course;
  course_init(&course, 185);
  heart(&course, 120, 10);
  heart(&course, 150, 20);
  heart(&course, 170, 5);
  heart(&course, 125, 10);
  g_assert_cmpfloat_with_epsilon(course.run.trimp, 71.567801, 1e-6);
  double of_hour = pl_heart_trimp(&course.heart, course.heart.threshold_bpm, 3600);
  g_assert_cmpfloat_with_epsilon(100 * course.run.trimp / of_hour, 48.938424, 1e-6);
  g_assert_cmpfloat(pl_run_heart_coverage(&course.run), ==, 1);
}

/* 5, 10, 15, 8 and 2 minutes in the zones of a maximum of 200. */
static void
test_edwards(void) {
  Course course;
  course_init(&course, 200);
  heart(&course, 99.9, 30); /* below 50 % nothing counts */
  heart(&course, 100, 5);
  heart(&course, 120, 10);
  heart(&course, 140, 15);
  heart(&course, 179.9, 8);
  heart(&course, 180, 1);
  heart(&course, 205, 1);
  g_assert_cmpfloat_with_epsilon(course.run.trimp_edwards, 112, 1e-6);
}

/* 20 minutes below 0.89 of the threshold, 15 up to it, 5 from it on. */
static void
test_lucia(void) {
  Course course;
  course_init(&course, 185);
  heart(&course, 142.3, 20);
  heart(&course, 142.5, 10);
  heart(&course, 159.9, 5);
  heart(&course, 160, 5);
  g_assert_cmpfloat_with_epsilon(course.run.trimp_lucia, 65, 1e-6);
}

/* -- gaps --------------------------------------------------------------------------------- */

/* The impulse of a minute at 120, a gap, and a minute at 150. */
static Course
with_gap(int seconds) {
  Course course;
  course_init(&course, 185);
  heart(&course, 120, 1);
  heart(&course, NAN, seconds / 60.0);
  heart(&course, 150, 1);
  return course;
}

static double
impulse(const Course *course, double bpm, double seconds) {
  return pl_heart_trimp(&course->heart, bpm, seconds);
}

static void
test_gap_held(void) {
  Course course = with_gap(10);
  double expected = impulse(&course, 120, 70) + impulse(&course, 150, 60);
  g_assert_cmpfloat_with_epsilon(course.run.trimp, expected, 1e-9);
  g_assert_cmpfloat_with_epsilon(course.run.impulse_s, 130, 1e-9);
}

/* From 11 s on a line joins the ends: after half of it the mean of the two. */
static void
test_gap_line(void) {
  static const int gaps[] = {11, 60};
  for (unsigned i = 0; i < G_N_ELEMENTS(gaps); i++) {
    Course course = with_gap(gaps[i]);
    double expected = impulse(&course, 120, 60) + impulse(&course, 150, 60);
    for (int s = 1; s <= gaps[i]; s++)
      expected += impulse(&course, 120 + 30.0 * s / (gaps[i] + 1), 1);
    g_assert_cmpfloat_with_epsilon(course.run.trimp, expected, 1e-9);
    g_assert_cmpfloat(pl_run_heart_coverage(&course.run), ==, 1);
  }
}

static void
test_gap_skipped(void) {
  Course course = with_gap(61);
  double expected = impulse(&course, 120, 60) + impulse(&course, 150, 60);
  g_assert_cmpfloat_with_epsilon(course.run.trimp, expected, 1e-9);
  g_assert_cmpfloat_with_epsilon(pl_run_heart_coverage(&course.run), 120 / 181.0, 1e-9);
}

/* Before the first reading nothing is known, and nothing is joined. */
static void
test_gap_at_start(void) {
  Course course;
  course_init(&course, 185);
  heart(&course, NAN, 0.5);
  heart(&course, 150, 1);
  g_assert_cmpfloat_with_epsilon(course.run.trimp, impulse(&course, 150, 60), 1e-9);
}

/* Half sure counts, less does not. */
static void
test_doubtful_heart(void) {
  Course course;
  course_init(&course, 185);
  PlRecord record = empty();
  set(&record, PL_METRIC_HEART_RATE, 150, some);
  add(&course, record, 60);
  g_assert_cmpfloat_with_epsilon(course.run.trimp, impulse(&course, 150, 60), 1e-9);
  set(&record, PL_METRIC_HEART_RATE, 180, 0.3);
  add(&course, record, 120);
  g_assert_cmpfloat_with_epsilon(course.run.trimp, impulse(&course, 150, 60), 1e-9);
  g_assert_true(isnan(pl_run_heart_mean(&course.run)));
}

/* -- zones -------------------------------------------------------------------------------- */

/* Judged by the mean of 5 s; nobody is in a zone without a heart rate. */
static void
test_zones(void) {
  Course course;
  course_init(&course, 200);
  heart(&course, 90, 1);
  heart(&course, 130, 1); /* means of 98, 106, 114 and from then on more than 120 */
  heart(&course, NAN, 1);
  heart(&course, 190, 1);
  g_assert_cmpfloat(course.run.zone_s[0], ==, 61);
  g_assert_cmpfloat(course.run.zone_s[1], ==, 2);
  g_assert_cmpfloat(course.run.zone_s[2], ==, 57);
  g_assert_cmpfloat(course.run.zone_s[5], ==, 60);
  g_assert_cmpfloat(course.run.zone_s[3] + course.run.zone_s[4], ==, 0);
}

/* Over the last 5 s, and only those in which it is known. */
static void
test_heart_mean(void) {
  static const double bpm[] = {100, 110, NAN, 130, 140, 150, NAN};
  static const double means[] = {100, 105, 105, 340 / 3.0, 120, 132.5, 140};
  Course course;
  course_init(&course, 200);
  for (unsigned i = 0; i < G_N_ELEMENTS(bpm); i++) {
    heart(&course, bpm[i], 1 / 60.0);
    g_assert_cmpfloat_with_epsilon(pl_run_heart_mean(&course.run), means[i], 1e-9);
  }
}

/* -- way and time ------------------------------------------------------------------------- */

static void
test_totals(void) {
  Course course;
  course_init(&course, 185);
  add(&course, stride(3, 150), 100);
  add(&course, stride(0, 120), 50);
  add(&course, stride(1.5, 130), 20);
  g_assert_cmpfloat(course.run.elapsed_s, ==, 170);
  g_assert_cmpfloat(course.run.moving_s, ==, 120);
  g_assert_cmpfloat(course.run.running_s, ==, 100);
  g_assert_cmpfloat_with_epsilon(course.run.distance_m, 330, 1e-9);
  g_assert_cmpfloat_with_epsilon(course.run.steps, 340, 1e-9);
  g_assert_cmpint(course.run.end_us, ==, 170 * second);
  g_assert_cmpint(course.run.last_moving_us, ==, 170 * second);
  /* Means are of moving seconds. */
  g_assert_cmpfloat_with_epsilon(pl_tally_mean(&course.run.tally[PL_METRIC_HEART_RATE]),
                                 (150 * 100 + 130 * 20) / 120.0, 1e-9);
  g_assert_cmpfloat(course.run.tally[PL_METRIC_HEART_RATE].minimum, ==, 130);
  g_assert_cmpfloat(course.run.tally[PL_METRIC_HEART_RATE].maximum, ==, 150);
  g_assert_cmpfloat(course.run.covered_s[PL_METRIC_HEART_RATE], ==, 170);
}

/* Seconds that were never recorded are part of the time, not of the movement. */
static void
test_hole(void) {
  Course course;
  course_init(&course, 185);
  add(&course, stride(3, 150), 100);
  course.t_us += 200 * second;
  add(&course, stride(3, 150), 100);
  g_assert_cmpfloat(course.run.elapsed_s, ==, 400);
  g_assert_cmpfloat(course.run.moving_s, ==, 200);
  g_assert_cmpfloat(course.run.records_s, ==, 200);
  g_assert_cmpfloat_with_epsilon(pl_run_heart_coverage(&course.run), 0.5, 1e-9);
}

/* A hundred seconds of one value and one of another are not their mean. */
static void
test_weights(void) {
  PlTally tally = {0};
  g_assert_true(isnan(pl_tally_mean(&tally)));
  Course course;
  course_init(&course, 185);
  add(&course, stride(3, 150), 1);
  g_assert_cmpfloat(pl_tally_mean(&course.run.tally[PL_METRIC_SPEED]), ==, 3);
  add(&course, stride(2, 150), 99);
  g_assert_cmpfloat_with_epsilon(pl_tally_mean(&course.run.tally[PL_METRIC_SPEED]), 2.01, 1e-9);
}

static void
test_moves(void) {
  PlRun run, by_hand;
  PlRecord record = empty();
  pl_run_init(&run, 0);
  by_hand = run;
  by_hand.by_hand = true;
  g_assert_false(pl_run_moves(&run, &record));
  set(&record, PL_METRIC_HEART_RATE, 120, all);
  g_assert_false(pl_run_moves(&run, &record)); /* a heart beats at rest, too */
  g_assert_true(pl_run_moves(&by_hand, &record));
  record.gait = PL_GAIT_STAND; /* the feet know better */
  g_assert_false(pl_run_moves(&by_hand, &record));
  set(&record, PL_METRIC_SPEED, 0.29, all);
  g_assert_false(pl_run_moves(&run, &record));
  set(&record, PL_METRIC_SPEED, 0.3, all);
  g_assert_true(pl_run_moves(&run, &record));
  set(&record, PL_METRIC_SPEED, 3, some); /* that was seconds ago */
  g_assert_false(pl_run_moves(&run, &record));
  set(&record, PL_METRIC_CADENCE, 1, all);
  g_assert_true(pl_run_moves(&run, &record));
  set(&record, PL_METRIC_CADENCE, 170, some);
  g_assert_false(pl_run_moves(&run, &record));
  record.distance_m = 40; /* it ran where nobody heard it */
  g_assert_true(pl_run_moves(&run, &record));
}

/* Form counts from a confidence of 0.6 on, everything else from 0.5. */
static void
test_confidence(void) {
  Course course;
  course_init(&course, 185);
  PlRecord record = stride(3, 150);
  set(&record, PL_METRIC_GROUND_CONTACT, 250, 0.59);
  set(&record, PL_METRIC_FORM_DRIFT, 20, 0.59);
  set(&record, PL_METRIC_TRUNK_LEAN, 8, 0.59);
  set(&record, PL_METRIC_POWER, 200, 0.49);
  add(&course, record, 10);
  g_assert_true(isnan(pl_tally_mean(&course.run.tally[PL_METRIC_GROUND_CONTACT])));
  g_assert_true(isnan(pl_tally_mean(&course.run.tally[PL_METRIC_FORM_DRIFT])));
  g_assert_true(isnan(pl_tally_mean(&course.run.tally[PL_METRIC_TRUNK_LEAN])));
  g_assert_true(isnan(pl_tally_mean(&course.run.tally[PL_METRIC_POWER])));
  set(&record, PL_METRIC_TRUNK_LEAN, 8, 0.6);
  set(&record, PL_METRIC_POWER, 200, 0.5);
  add(&course, record, 10);
  g_assert_cmpfloat(pl_tally_mean(&course.run.tally[PL_METRIC_TRUNK_LEAN]), ==, 8);
  g_assert_cmpfloat(pl_tally_mean(&course.run.tally[PL_METRIC_POWER]), ==, 200);
  g_assert_cmpfloat(course.run.covered_s[PL_METRIC_TRUNK_LEAN], ==, 10);
}

/* Nothing known gives nothing, not zero. */
static void
test_nothing(void) {
  Course course;
  course_init(&course, 185);
  add(&course, empty(), 600);
  for (int m = 0; m < PL_METRIC_COUNT; m++) {
    g_assert_true(isnan(pl_tally_mean(&course.run.tally[m])));
    g_assert_true(isnan(course.run.tally[m].minimum));
    g_assert_true(isnan(course.run.tally[m].maximum));
    g_assert_cmpfloat(course.run.covered_s[m], ==, 0);
  }
  g_assert_cmpfloat(course.run.impulse_s, ==, 0);
  g_assert_cmpfloat(pl_run_heart_coverage(&course.run), ==, 0);
  g_assert_true(isnan(pl_run_heart_mean(&course.run)));
  g_assert_cmpfloat(course.run.elapsed_s, ==, 600);
  g_assert_cmpfloat(course.run.moving_s, ==, 0);
}

static void
test_laps(void) {
  Course course;
  PlLap lap;
  course_init(&course, 185);
  add(&course, stride(4, 160), 250);
  pl_run_next_lap(&course.run, &lap);
  g_assert_cmpuint(lap.number, ==, 1);
  g_assert_cmpint(lap.start_us, ==, 0);
  g_assert_cmpint(lap.end_us, ==, 250 * second);
  g_assert_cmpfloat(lap.distance_m, ==, 1000);
  g_assert_cmpfloat(lap.elapsed_s, ==, 250);
  g_assert_cmpfloat(pl_tally_mean(&lap.tally[PL_METRIC_HEART_RATE]), ==, 160);
  add(&course, stride(0, 110), 30);
  add(&course, stride(2, 140), 100);
  pl_run_next_lap(&course.run, &lap);
  g_assert_cmpuint(lap.number, ==, 2);
  g_assert_cmpint(lap.start_us, ==, 250 * second);
  g_assert_cmpfloat(lap.elapsed_s, ==, 130);
  g_assert_cmpfloat(lap.moving_s, ==, 100);
  g_assert_cmpfloat(lap.distance_m, ==, 200);
  g_assert_cmpfloat_with_epsilon(lap.steps, 100 * 170 / 60.0, 1e-9);
  g_assert_cmpfloat(pl_tally_mean(&lap.tally[PL_METRIC_HEART_RATE]), ==, 140);
  g_assert_cmpfloat(lap.tally[PL_METRIC_HEART_RATE].minimum, ==, 140);
  g_assert_cmpfloat(lap.tally[PL_METRIC_HEART_RATE].maximum, ==, 140);
  g_assert_cmpuint(course.run.lap.number, ==, 3);
  g_assert_cmpfloat(course.run.lap.distance_m, ==, 0);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/run/impulse/banister", test_banister);
  g_test_add_func("/run/impulse/edwards", test_edwards);
  g_test_add_func("/run/impulse/lucia", test_lucia);
  g_test_add_func("/run/gap/held", test_gap_held);
  g_test_add_func("/run/gap/line", test_gap_line);
  g_test_add_func("/run/gap/skipped", test_gap_skipped);
  g_test_add_func("/run/gap/at-start", test_gap_at_start);
  g_test_add_func("/run/doubtful-heart", test_doubtful_heart);
  g_test_add_func("/run/zones", test_zones);
  g_test_add_func("/run/heart-mean", test_heart_mean);
  g_test_add_func("/run/totals", test_totals);
  g_test_add_func("/run/hole", test_hole);
  g_test_add_func("/run/weights", test_weights);
  g_test_add_func("/run/moves", test_moves);
  g_test_add_func("/run/confidence", test_confidence);
  g_test_add_func("/run/nothing", test_nothing);
  g_test_add_func("/run/laps", test_laps);
  return g_test_run();
}
