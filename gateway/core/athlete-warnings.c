/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/athlete.h"

#include <math.h>

/* Live warnings that need no motion sensor: the longest run of 30 days, the heart rate of the
 * day, and sensors that fell silent (science.md 6 L1, 8). */

/* Steps past the longest run of 30 days (Frandsen 2025: 10, 30 and 100 %), and once before the
 * first. */
static const double spike_shares[] = {1.10, 1.30, 2.00};
enum { SPIKE_SHARES = sizeof spike_shares / sizeof spike_shares[0] };
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
event_of(const PlAthlete *athlete, PlWarningCode code, PlWarningState state, int64_t t_us) {
  return (PlWarningEvent){
      .athlete = athlete->index,
      .sensor = -1,
      .code = code,
      .state = state,
      .episode = athlete->episode[code],
      .t_us = t_us,
      .since_us = athlete->raised_us[code],
      .value = NAN,
      .baseline = NAN,
      .limit = NAN,
      .z = NAN,
      .confidence = NAN,
  };
}

static void
open_episode(PlAthlete *athlete, PlWarningCode code, int64_t t_us) {
  athlete->episode[code] = ++*athlete->episodes;
  athlete->raised_us[code] = t_us;
}

static void
emit(PlAthlete *athlete, const PlWarningEvent *event) {
  uint64_t bit = UINT64_C(1) << event->code;
  if (event->state == PL_WARNING_RAISED)
    athlete->active |= bit;
  else if (event->state == PL_WARNING_CLEARED)
    athlete->active &= ~bit;
  athlete->outlet->warning(athlete->outlet, event);
}

static void
clear(PlAthlete *athlete, PlWarningCode code, int64_t t_us) {
  if (!(athlete->active & UINT64_C(1) << code))
    return;
  PlWarningEvent event = event_of(athlete, code, PL_WARNING_CLEARED, t_us);
  emit(athlete, &event);
}

/* One second of a warning that compares a value with a limit. */
static void
step_machine(PlAthlete *athlete, const PlWarningEvent *seen, const PlWarningLimits *limits) {
  PlWarningMachine *machine = &athlete->machines[seen->code];
  PlWarningState state;
  if (!limits->enabled ||
      !pl_warning_machine_step(machine, limits, seen->value, seen->t_us, &state))
    return;
  if (state == PL_WARNING_CLEARED && !machine->emitted)
    return;
  if (state != PL_WARNING_CLEARED)
    open_episode(athlete, seen->code, seen->t_us);
  PlWarningEvent event = *seen;
  event.state = state;
  event.episode = athlete->episode[seen->code];
  event.since_us = athlete->raised_us[seen->code];
  emit(athlete, &event);
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
  PlWarningEvent seen = event_of(athlete, PL_WARNING_HEART_RATE_CAP, PL_WARNING_RAISED, t_us);
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
  for (int i = 0; i < SPIKE_SHARES; i++) {
    double share = i == 0 ? first_share : spike_shares[i];
    if (share < first_share || distance_m < longest_m * share)
      continue;
    reached_m = *limit_m = longest_m * share;
  }
  return reached_m;
}

static void
step_distance_spike(PlAthlete *athlete, int64_t t_us) {
  const PlWarningLimits *limits = &athlete->settings.warnings[PL_WARNING_DISTANCE_SPIKE];
  double longest_m = athlete->history.longest_30d_m;
  double limit_m = NAN;
  if (!limits->enabled || !(longest_m > 0))
    return;
  double reached_m = reached_spike(athlete->run.distance_m, longest_m, limits->enter, &limit_m);
  if (reached_m <= athlete->spike_limit_m)
    return;
  athlete->spike_limit_m = reached_m;
  clear(athlete, PL_WARNING_DISTANCE_SPIKE, t_us);
  open_episode(athlete, PL_WARNING_DISTANCE_SPIKE, t_us);
  PlWarningEvent event = event_of(athlete, PL_WARNING_DISTANCE_SPIKE, PL_WARNING_RAISED, t_us);
  event.value = athlete->run.distance_m;
  event.baseline = longest_m;
  event.limit = limit_m;
  event.confidence = athlete->history.confidence;
  emit(athlete, &event);
}

static void
step_sensor_problem(PlAthlete *athlete, int64_t t_us, int troubled_sensor) {
  PlWarningLimits limits = athlete->settings.warnings[PL_WARNING_SENSOR_PROBLEM];
  limits.enter = limits.exit = 1;
  PlWarningEvent seen = event_of(athlete, PL_WARNING_SENSOR_PROBLEM, PL_WARNING_RAISED, t_us);
  seen.sensor = troubled_sensor;
  seen.value = troubled_sensor >= 0;
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
    clear(athlete, (PlWarningCode)i, t_us);
    athlete->machines[i].on = false;
    athlete->machines[i].held_s = athlete->machines[i].cleared_s = 0;
  }
  athlete->spike_limit_m = 0;
}

void
pl_athlete_restore_warning(PlAthlete *athlete, PlWarningCode code, unsigned episode,
                           int64_t raised_us) {
  athlete->active |= UINT64_C(1) << code;
  athlete->machines[code].on = athlete->machines[code].emitted = true;
  athlete->machines[code].last_emitted_us = raised_us;
  athlete->episode[code] = episode;
  athlete->raised_us[code] = raised_us;
  if (episode > *athlete->episodes)
    *athlete->episodes = episode;
}

void
pl_athlete_restore_end(PlAthlete *athlete) {
  const PlWarningLimits *limits = &athlete->settings.warnings[PL_WARNING_DISTANCE_SPIKE];
  double longest_m = athlete->history.longest_30d_m;
  double limit_m = NAN;
  if (longest_m > 0)
    athlete->spike_limit_m =
        reached_spike(athlete->run.distance_m, longest_m, limits->enter, &limit_m);
}
