/* SPDX-License-Identifier: Apache-2.0 */

/* Distance comes from the device's own counter where it has one: it goes on counting while the
 * radio does not reach.  A counter that falls was reset or wrapped; one that leaps further than
 * anybody runs is wrong, unless it only catches up with some seconds in which it stood still;
 * one that stands still while the feet move is dead.  Then, and without a counter, distance is
 * the integral of speed over gaps of at most 5 s.  Packets that the radio delayed come in a
 * burst: they share the time since the one before it.
 *
 * Slow counters move by whole metres, so one that stands still is given 20 m before distance is
 * counted without it; when it moves again it has the last word on what it did not miss. */

#include "gateway/core/footpod.h"

#include <math.h>

static const double gap_max_s = 5;
static const double burst_s = 0.5;
static const double speed_max_m_s = 12, slack_max_m = 60;
static const double dead_after_m = 20;
static const double length_speed_min_m_s = 0.3;

void
pl_footpod_init(PlFootpod *pod, const PlCadence *cadence, double factor) {
  *pod = (PlFootpod){
      .cadence = *cadence,
      .factor = factor,
      .t_us = PL_NO_TIME,
      .speed_m_s = NAN,
      .cadence_spm = NAN,
      .step_length_m = NAN,
      .counter_m = NAN,
      .counter_us = PL_NO_TIME,
  };
}

static void
rebase(PlFootpod *pod, int64_t t_us, double counter_m) {
  pod->counter_m = counter_m;
  pod->counter_us = t_us;
  pod->still_s = pod->ahead_m = pod->pending_m = 0;
}

void
pl_footpod_resume(PlFootpod *pod, int64_t t_us, double counter_m) {
  rebase(pod, t_us, counter_m);
}

/* Seconds since the last sample; 0 for the first and after a gap. */
static double
interval_s(const PlFootpod *pod, int64_t t_us) {
  if (pod->t_us == PL_NO_TIME)
    return 0;
  double seconds = (double)(t_us - pod->t_us) * 1e-6;
  return seconds > 0 && seconds <= gap_max_s ? seconds : 0;
}

/* The mean of two readings, either of which may be missing. */
static double
mean_of(double before, double now) {
  if (isnan(before))
    return isnan(now) ? 0 : now;
  return isnan(now) ? before : (before + now) / 2;
}

static void
credit(PlFootpod *pod, double metres) {
  pod->distance_m += metres * pod->factor;
  pod->ahead_m += metres;
}

/* The counter stands still at `t_us`. */
static void
wait_for_counter(PlFootpod *pod, int64_t t_us, double integral_m) {
  pod->still_s += (double)(t_us - pod->counter_us) * 1e-6;
  pod->counter_us = t_us;
  pod->pending_m += integral_m;
  if (pod->ahead_m + pod->pending_m <= dead_after_m)
    return;
  credit(pod, pod->pending_m);
  pod->pending_m = 0;
}

/* Adds what the counter says beyond what was counted without it; or, when it can not be
 * believed, what the speed says. */
static void
add_counter(PlFootpod *pod, int64_t t_us, double counter_m, double integral_m) {
  double moved_m = counter_m - pod->counter_m;
  double seconds = (double)(t_us - pod->counter_us) * 1e-6;
  double slack_m = seconds < burst_s ? pod->slack_m : 0;
  double limit_m = slack_m + speed_max_m_s * (seconds + fmin(pod->still_s, gap_max_s));

  pod->slack_m = fmin(limit_m, slack_max_m);
  if (moved_m == 0) {
    wait_for_counter(pod, t_us, integral_m);
    return;
  }
  if (moved_m > 0 && moved_m <= limit_m) {
    pod->slack_m = fmin(limit_m - moved_m, slack_max_m);
    pod->distance_m += fmax(moved_m - pod->ahead_m, 0) * pod->factor;
  } else {
    credit(pod, pod->pending_m + integral_m);
  }
  rebase(pod, t_us, counter_m);
}

static void
add_distance(PlFootpod *pod, int64_t t_us, const PlFootpodSample *sample, double integral_m) {
  if (isnan(sample->distance_m)) {
    credit(pod, integral_m);
  } else if (isnan(pod->counter_m)) {
    credit(pod, integral_m);
    rebase(pod, t_us, sample->distance_m);
  } else {
    add_counter(pod, t_us, sample->distance_m, integral_m);
  }
}

/* As sent where it fits the speed, else worked out from it (F6); NaN at rest. */
static double
step_length(const PlFootpodSample *sample, double spm) {
  double length_m = pl_cadence_step_length(sample->cadence_raw, spm, sample->speed_m_s,
                                           sample->stride_length_m);
  if (isnan(length_m) && spm > 0 && sample->speed_m_s >= length_speed_min_m_s)
    length_m = sample->speed_m_s * 60 / spm;
  return length_m;
}

void
pl_footpod_add(PlFootpod *pod, int64_t t_us, const PlFootpodSample *sample, double motion_spm) {
  double spm = pl_cadence_steps(&pod->cadence, sample->cadence_raw, sample->speed_m_s,
                                sample->stride_length_m, motion_spm);
  double seconds = interval_s(pod, t_us);
  double before_m_s = pod->speed_m_s / pod->factor;
  double integral_m = mean_of(before_m_s, sample->speed_m_s) * seconds;

  pod->ahead_m += pod->elsewhere_m;
  add_distance(pod, t_us, sample, fmax(integral_m - pod->elsewhere_m, 0));
  pod->elsewhere_m = 0;
  pod->steps += mean_of(pod->cadence_spm, spm) / 60 * seconds;
  pod->step_length_m = pod->factor * step_length(sample, spm);
  pod->speed_m_s = pod->factor * sample->speed_m_s;
  pod->cadence_spm = spm;
  pod->gives_cadence |= !isnan(spm);
  pod->says_running = sample->running;
  pod->t_us = t_us;
}

void
pl_footpod_take(PlFootpod *pod, double *distance_m, double *steps) {
  *distance_m = pod->distance_m;
  *steps = pod->steps;
  pod->distance_m = pod->steps = 0;
}

void
pl_footpod_pass(PlFootpod *pod, double metres, bool silent) {
  pod->distance_m = pod->steps = 0;
  if (silent)
    pod->elsewhere_m += metres / pod->factor;
}
