/* SPDX-License-Identifier: Apache-2.0 */

/* Distance comes from the device's own counter where it has one: it goes on counting while the
 * radio does not reach.  A counter that falls was reset or wrapped; one that leaps further than
 * anybody runs is wrong, unless it only catches up with some seconds in which it lagged; one
 * that stands still while the feet move is dead.  Then, and without a counter, distance is the
 * integral of speed over gaps of at most 5 s. */

#include "gateway/core/footpod.h"

#include <math.h>

static const double gap_max_s = 5;
static const double speed_max_m_s = 12;
static const double stuck_limit_m = 20;
static const double slack_max_m = 60; /* 5 s at that speed */

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

void
pl_footpod_resume(PlFootpod *pod, int64_t t_us, double counter_m) {
  pod->counter_m = counter_m;
  pod->counter_us = t_us;
  pod->credited_m = pod->stuck_m = 0;
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
  pod->credited_m += metres;
  pod->stuck_m += metres;
}

static void
rebase(PlFootpod *pod, int64_t t_us, double counter_m) {
  pod->counter_m = counter_m;
  pod->counter_us = t_us;
  pod->credited_m = 0;
}

/* Adds what the counter says beyond what was credited from speed meanwhile; or, when the
 * counter can not be believed, `integral_m`. */
static void
add_counter(PlFootpod *pod, int64_t t_us, double counter_m, double integral_m) {
  double moved_m = counter_m - pod->counter_m;
  double seconds = (double)(t_us - pod->counter_us) * 1e-6;

  double limit_m = pod->slack_m + speed_max_m_s * seconds;

  pod->slack_m = fmin(limit_m, slack_max_m);
  if (!(moved_m >= 0) || moved_m > limit_m) {
    credit(pod, integral_m);
    rebase(pod, t_us, counter_m);
    return;
  }
  pod->slack_m = fmin(limit_m - moved_m, slack_max_m);
  if (moved_m > 0) {
    pod->distance_m += fmax(moved_m - pod->credited_m, 0) * pod->factor;
    pod->stuck_m = 0;
    rebase(pod, t_us, counter_m);
    return;
  }
  /* It stands still.  Slow counters move by whole metres, so wait before crediting. */
  pod->counter_us = t_us;
  if (pod->stuck_m > stuck_limit_m)
    credit(pod, integral_m);
  else
    pod->stuck_m += integral_m;
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

void
pl_footpod_add(PlFootpod *pod, int64_t t_us, const PlFootpodSample *sample, double motion_spm) {
  double spm = pl_cadence_steps(&pod->cadence, sample->cadence_raw, sample->speed_m_s,
                                sample->stride_length_m, motion_spm);
  double seconds = interval_s(pod, t_us);
  double before_m_s = pod->speed_m_s / pod->factor;

  add_distance(pod, t_us, sample, mean_of(before_m_s, sample->speed_m_s) * seconds);
  pod->steps += mean_of(pod->cadence_spm, spm) / 60 * seconds;
  pod->step_length_m =
      pod->factor * pl_cadence_step_length(sample->cadence_raw, spm, sample->speed_m_s,
                                           sample->stride_length_m);
  pod->speed_m_s = pod->factor * sample->speed_m_s;
  pod->cadence_spm = spm;
  pod->says_running = sample->running;
  pod->t_us = t_us;
}

void
pl_footpod_take(PlFootpod *pod, double *distance_m, double *steps) {
  *distance_m = pod->distance_m;
  *steps = pod->steps;
  pod->distance_m = pod->steps = 0;
}
