/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/athlete.h"

#include <math.h>

/* Live warnings that need no motion sensor: the longest run of 30 days, the heart rate of the
 * day, and sensors that fell silent. */

/* Steps past the longest run of 30 days (Frandsen 2025: 10, 30 and 100 %): once before the
 * first, which is configurable, and at each. */
static const double later_shares[] = {1.30, 2.00};
enum { LATER_SHARES = sizeof later_shares / sizeof later_shares[0] };
static const double spike_notice_m = 500;
static const double cap_exit_bpm = 3; /* below the cap before it is over */
static const double median_coverage = 0.7;

void
pl_athlete_warnings_init(PlAthlete *athlete) {
  for (int i = 0; i < PL_WARNING_COUNT; i++)
    pl_warning_machine_init(&athlete->machines[i]);
  for (int i = 0; i < PL_HEART_MEDIAN_WINDOW; i++)
    athlete->heart_rates[i] = NAN;
}

static PlWarningEvent
event_of(const PlAthlete *athlete, PlWarningCode code, int64_t t_us) {
  return (PlWarningEvent){
      .athlete = athlete->index,
      .sensor = -1,
      .code = code,
      .state = PL_WARNING_RAISED,
      .t_us = t_us,
      .value = NAN,
      .baseline = NAN,
      .limit = NAN,
      .z = NAN,
      .confidence = NAN,
  };
}

/* Announces a transition.  All of an episode carry its number and its beginning. */
static void
emit(PlAthlete *athlete, const PlWarningEvent *seen) {
  PlWarningEvent *opened = &athlete->opened[seen->code];
  PlWarningEvent event = *seen;
  uint64_t bit = UINT64_C(1) << seen->code;

  if (event.state == PL_WARNING_CLEARED) {
    event.sensor = opened->sensor;
    event.ahead = opened->ahead;
    athlete->active &= ~bit;
  } else {
    *opened = *seen;
    opened->episode = ++*athlete->episodes;
    opened->since_us = seen->t_us;
    athlete->active |= event.state == PL_WARNING_RAISED ? bit : 0;
  }
  event.episode = opened->episode;
  event.since_us = opened->since_us;
  athlete->outlet->warning(athlete->outlet, &event);
}

/* Ends an episode for another reason than its value. */
static void
clear(PlAthlete *athlete, PlWarningCode code, double value, int64_t t_us) {
  PlWarningMachine *machine = &athlete->machines[code];
  if (!machine->on && !(athlete->active & UINT64_C(1) << code))
    return;
  machine->on = false;
  PlWarningEvent event = athlete->opened[code];
  event.state = PL_WARNING_CLEARED;
  event.t_us = t_us;
  event.value = value;
  event.z = NAN;
  emit(athlete, &event);
}

/* One second of a warning that compares a value with a limit. */
static void
step_machine(PlAthlete *athlete, PlWarningEvent *seen, const PlWarningLimits *limits) {
  PlWarningMachine *machine = &athlete->machines[seen->code];
  if (limits->enabled &&
      pl_warning_machine_step(machine, limits, seen->value, seen->t_us, &seen->state))
    emit(athlete, seen);
}

/* NaN with less than 70 % of the window. */
static double
median_heart_rate(const PlAthlete *athlete) {
  double sorted[PL_HEART_MEDIAN_WINDOW];
  unsigned count = 0;
  for (unsigned i = 0; i < PL_HEART_MEDIAN_WINDOW; i++) {
    double value = athlete->heart_rates[i];
    if (isnan(value))
      continue;
    unsigned at = count++;
    for (; at > 0 && sorted[at - 1] > value; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = value;
  }
  if (count < median_coverage * PL_HEART_MEDIAN_WINDOW)
    return NAN;
  return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Of somebody whose age and maximum are not known there is no cap to speak of. */
static void
step_heart_rate_cap(PlAthlete *athlete, int64_t t_us) {
  PlWarningLimits limits = athlete->settings.warnings[PL_WARNING_HEART_RATE_CAP];
  const PlHeartProfile *heart = &athlete->heart;
  double confidence = 1;
  if (isnan(limits.enter)) {
    if (heart->cap_confidence < 1 && !heart->age_known)
      return;
    limits.enter = heart->cap_bpm;
    confidence = heart->cap_confidence;
  }
  if (isnan(limits.exit))
    limits.exit = limits.enter - cap_exit_bpm;
  PlWarningEvent seen = event_of(athlete, PL_WARNING_HEART_RATE_CAP, t_us);
  seen.value = median_heart_rate(athlete);
  seen.limit = limits.enter;
  seen.confidence = confidence;
  step_machine(athlete, &seen, &limits);
}

/* The highest limit that the distance has reached, 0 below all; `limit_m` is what is crossed
 * there, which for the notice before is still ahead. */
static double
reached_spike(double distance_m, double longest_m, double first_share, double *limit_m) {
  double reached_m = 0;
  double notice_m = longest_m * first_share - spike_notice_m;
  if (notice_m > 0 && distance_m >= notice_m) {
    reached_m = notice_m;
    *limit_m = longest_m * first_share;
  }
  if (distance_m >= longest_m * first_share)
    reached_m = *limit_m = longest_m * first_share;
  for (int i = 0; i < LATER_SHARES; i++)
    if (later_shares[i] > first_share && distance_m >= longest_m * later_shares[i])
      reached_m = *limit_m = longest_m * later_shares[i];
  return reached_m;
}

/* How far the runner has come today without a long rest. */
static double
outing_m(const PlAthlete *athlete) {
  return athlete->history.before_m + athlete->run.distance_m;
}

static void
step_distance_spike(PlAthlete *athlete, int64_t t_us) {
  const PlWarningLimits *limits = &athlete->settings.warnings[PL_WARNING_DISTANCE_SPIKE];
  double longest_m = athlete->history.longest_30d_m;
  double limit_m = NAN;
  if (!limits->enabled || !(longest_m > 0))
    return;
  double distance_m = outing_m(athlete);
  double reached_m = reached_spike(distance_m, longest_m, limits->enter, &limit_m);
  if (reached_m <= athlete->spike_limit_m)
    return;
  athlete->spike_limit_m = reached_m;
  clear(athlete, PL_WARNING_DISTANCE_SPIKE, distance_m, t_us);
  PlWarningEvent event = event_of(athlete, PL_WARNING_DISTANCE_SPIKE, t_us);
  event.value = distance_m;
  event.baseline = longest_m;
  event.limit = limit_m;
  event.ahead = event.value < limit_m;
  event.confidence = athlete->history.confidence;
  emit(athlete, &event);
}

static void
step_sensor_problem(PlAthlete *athlete, int64_t t_us, int troubled_sensor) {
  PlWarningLimits limits = athlete->settings.warnings[PL_WARNING_SENSOR_PROBLEM];
  limits.enter = limits.exit = 1;
  PlWarningEvent seen = event_of(athlete, PL_WARNING_SENSOR_PROBLEM, t_us);
  seen.sensor = troubled_sensor;
  seen.value = troubled_sensor == PL_SENSOR_UNCERTAIN ? NAN : troubled_sensor >= 0;
  seen.confidence = 1;
  step_machine(athlete, &seen, &limits);
}

void
pl_athlete_warnings_step(PlAthlete *athlete, const PlRecord *record, int troubled_sensor) {
  step_distance_spike(athlete, record->t_us);
  step_heart_rate_cap(athlete, record->t_us);
  step_sensor_problem(athlete, record->t_us, troubled_sensor);
}

void
pl_athlete_warnings_end(PlAthlete *athlete, int64_t t_us) {
  for (int i = 0; i < PL_WARNING_COUNT; i++) {
    bool of_distance = i == PL_WARNING_DISTANCE_SPIKE;
    clear(athlete, (PlWarningCode)i, of_distance ? outing_m(athlete) : NAN, t_us);
    athlete->machines[i].held_s = 0;
  }
  athlete->spike_limit_m = 0;
}

void
pl_athlete_restore_warning(PlAthlete *athlete, const PlWarningEvent *event) {
  PlWarningMachine *machine = &athlete->machines[event->code];
  uint64_t bit = UINT64_C(1) << event->code;

  if (event->state == PL_WARNING_CLEARED) {
    athlete->active &= ~bit;
    machine->on = false;
  } else if (event->state != PL_WARNING_ACKNOWLEDGED) {
    athlete->opened[event->code] = *event;
    machine->on = true;
  }
  if (event->state == PL_WARNING_RAISED) {
    athlete->active |= bit;
    machine->last_emitted_us = event->t_us;
  }
  if (event->episode > *athlete->episodes)
    *athlete->episodes = event->episode;
}

void
pl_athlete_warnings_restored(PlAthlete *athlete) {
  const PlWarningLimits *limits = &athlete->settings.warnings[PL_WARNING_DISTANCE_SPIKE];
  double longest_m = athlete->history.longest_30d_m;
  double limit_m = NAN;
  if (longest_m > 0)
    athlete->spike_limit_m =
        reached_spike(outing_m(athlete), longest_m, limits->enter, &limit_m);
}
