/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/run.h"

#include <math.h>

static const double moving_m_s = 0.3, moving_m = 0.3;
static const double form_confidence = 0.6;
static const double other_confidence = 0.5;

static const double first_threshold = 0.89;

/* Gaps in the heart rate (H2): the last value holds for 10 s, a line joins the ends of up to
 * 60 s, longer ones are left out. */
static const double gap_hold_s = 10, gap_line_s = 60;

double
pl_tally_mean(const PlTally *tally) {
  return tally->weight_s > 0 ? tally->sum / tally->weight_s : NAN;
}

static void
tally_clear(PlTally tally[PL_METRIC_COUNT]) {
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    tally[m] = (PlTally){.minimum = NAN, .maximum = NAN};
}

static void
tally_add(PlTally *tally, double value, double seconds) {
  tally->sum += value * seconds;
  tally->weight_s += seconds;
  tally->minimum = fmin(tally->minimum, value); /* fmin and fmax pass over NaN */
  tally->maximum = fmax(tally->maximum, value);
}

static void
lap_init(PlLap *lap, unsigned number, int64_t start_us) {
  *lap = (PlLap){.number = number, .start_us = start_us, .end_us = start_us};
  tally_clear(lap->tally);
}

void
pl_run_init(PlRun *run, int64_t start_us) {
  *run = (PlRun){
      .start_us = start_us,
      .end_us = start_us,
      .last_moving_us = start_us,
      .last_heart_rate_bpm = NAN,
  };
  tally_clear(run->tally);
  lap_init(&run->lap, 1, start_us);
  for (unsigned i = 0; i < PL_RUN_HEART_WINDOW; i++)
    run->heart_window[i] = NAN;
}

/* A value that is only held says nothing about this second. */
static bool
is_fresh(const PlRecord *record, PlMetric metric) {
  return record->confidence[metric] > 0.5f;
}

bool
pl_run_moves(const PlRun *run, const PlRecord *record) {
  if (record->value[PL_METRIC_SPEED] >= moving_m_s && is_fresh(record, PL_METRIC_SPEED))
    return true;
  if (record->value[PL_METRIC_CADENCE] > 0 && is_fresh(record, PL_METRIC_CADENCE))
    return true;
  if (record->distance_m >= moving_m)
    return true; /* a counter tells of a way that nobody heard of */
  return run->by_hand && record->gait == PL_GAIT_UNKNOWN &&
         !isnan(record->value[PL_METRIC_HEART_RATE]);
}

bool
pl_run_counts(const PlRecord *record, PlMetric metric) {
  bool is_form = metric >= PL_METRIC_GROUND_CONTACT && metric <= PL_METRIC_FORM_DRIFT;
  double enough = is_form ? form_confidence : other_confidence;
  return !isnan(record->value[metric]) && (double)record->confidence[metric] >= enough - 1e-6;
}

double
pl_run_heart_mean(const PlRun *run) {
  double sum = 0;
  unsigned count = 0;
  for (unsigned i = 0; i < PL_RUN_HEART_WINDOW; i++) {
    if (isnan(run->heart_window[i]))
      continue;
    sum += run->heart_window[i];
    count++;
  }
  return count > 0 ? sum / count : NAN;
}

/* Minutes in Edwards' zones, which are shares of the maximum whatever zones the runner uses. */
static double
edwards(const PlHeartProfile *heart, double heart_rate_bpm, double seconds) {
  double tenths = floor(heart_rate_bpm / heart->maximum_bpm * 10 + 1e-9);
  return seconds / 60 * fmin(fmax(tenths - 4, 0), 5);
}

/* The second ventilatory threshold is taken to be the threshold heart rate, the first 89 % of
 * it. */
static double
lucia(const PlHeartProfile *heart, double heart_rate_bpm, double seconds) {
  double weight = 1;
  if (heart_rate_bpm >= heart->threshold_bpm)
    weight = 3;
  else if (heart_rate_bpm >= first_threshold * heart->threshold_bpm)
    weight = 2;
  return seconds / 60 * weight;
}

double
pl_run_heart_coverage(const PlRun *run) {
  return run->elapsed_s > 0 ? fmin(run->impulse_s / run->elapsed_s, 1) : 0;
}

static void
add_impulse(PlRun *run, const PlHeartProfile *heart, double heart_rate_bpm, double seconds) {
  run->trimp += pl_heart_trimp(heart, heart_rate_bpm, seconds);
  run->trimp_edwards += edwards(heart, heart_rate_bpm, seconds);
  run->trimp_lucia += lucia(heart, heart_rate_bpm, seconds);
  run->impulse_s += seconds;
}

/* Once the heart rate is back, adds what the gap before it was worth. */
static void
bridge_gap(PlRun *run, const PlHeartProfile *heart, double heart_rate_bpm) {
  double seconds = run->heart_gap_s;
  double before = run->last_heart_rate_bpm;
  run->heart_gap_s = 0;
  if (seconds == 0 || isnan(before) || seconds > gap_line_s)
    return;
  if (seconds <= gap_hold_s) {
    add_impulse(run, heart, before, seconds);
    return;
  }
  for (double s = 1; s <= seconds; s++)
    add_impulse(run, heart, before + (heart_rate_bpm - before) * s / (seconds + 1), 1);
}

static void
add_heart(PlRun *run, const PlRecord *record, const PlHeartProfile *heart) {
  bool known = pl_run_counts(record, PL_METRIC_HEART_RATE);
  double heart_rate = known ? record->value[PL_METRIC_HEART_RATE] : NAN;
  run->heart_window[run->heart_window_at] = heart_rate;
  run->heart_window_at = (run->heart_window_at + 1) % PL_RUN_HEART_WINDOW;
  if (isnan(heart_rate)) {
    run->heart_gap_s++;
    return;
  }
  bridge_gap(run, heart, heart_rate);
  add_impulse(run, heart, heart_rate, 1);
  run->zone_s[pl_heart_zone(heart, pl_run_heart_mean(run))]++;
  run->last_heart_rate_bpm = heart_rate;
}

static void
add_metrics(PlRun *run, const PlRecord *record) {
  bool moving = pl_run_moves(run, record);
  for (int m = 0; m < PL_METRIC_COUNT; m++) {
    if (!pl_run_counts(record, (PlMetric)m) || pl_metrics[m].aggregate == PL_AGGREGATE_NONE)
      continue;
    run->covered_s[m]++;
    if (!moving)
      continue;
    tally_add(&run->tally[m], record->value[m], 1);
    tally_add(&run->lap.tally[m], record->value[m], 1);
  }
}

static void
add_way(PlRun *run, const PlRecord *record) {
  PlLap *lap = &run->lap;
  double seconds = (double)(record->t_us - run->end_us) * 1e-6;
  run->end_us = lap->end_us = record->t_us;
  run->elapsed_s += seconds;
  lap->elapsed_s += seconds;
  run->distance_m += record->distance_m;
  lap->distance_m += record->distance_m;
  run->steps += record->steps;
  lap->steps += record->steps;
  if (!pl_run_moves(run, record))
    return;
  run->moving_s++;
  lap->moving_s++;
  run->last_moving_us = record->t_us;
  if (record->gait == PL_GAIT_RUN)
    run->running_s++;
}

void
pl_run_add(PlRun *run, const PlRecord *record, const PlHeartProfile *heart) {
  add_way(run, record);
  add_heart(run, record, heart);
  add_metrics(run, record);
  run->records_s++;
}

void
pl_run_next_lap(PlRun *run, PlLap *lap) {
  *lap = run->lap;
  lap_init(&run->lap, lap->number + 1, run->end_us);
}
