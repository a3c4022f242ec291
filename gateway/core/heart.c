/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/heart.h"

#include <math.h>

enum {
  DEFAULT_AGE_YEARS = 40,
  DEFAULT_RESTING_BPM = 60,
  HEART_RATE_MIN_BPM = 30,
  HEART_RATE_MAX_BPM = 230,
  JUMP_BPM = 25,
  JUMP_WITHIN_US = 1500000, /* a second between packets, and what the radio adds */
  JUMP_HOLD_US = 3000000,
};

/* Of a maximum or a threshold by formula, and of a resting heart rate that nobody measured. */
static const double estimated_confidence = 0.4, default_resting_confidence = 0.3;

/* Lower bounds of zones 1 to 5: Edwards and Karvonen of maximum and reserve, Friel of threshold
 * (everything below 85 % is zone 1). */
static const double share_floor[PL_ZONE_COUNT] = {0, 0.50, 0.60, 0.70, 0.80, 0.90};
static const double threshold_floor[PL_ZONE_COUNT] = {0, 0, 0.85, 0.90, 0.95, 1.00};

static double
or_else(double value, double fallback, bool *estimated) {
  *estimated = isnan(value);
  return *estimated ? fallback : value;
}

/* Tanaka 2001. */
static double
maximum_of_age(double age_years) {
  return 208 - 0.7 * (isnan(age_years) ? DEFAULT_AGE_YEARS : age_years);
}

static PlZoneScheme
scheme_of(const PlHeartSettings *settings) {
  if (settings->zones != PL_ZONES_AUTO)
    return settings->zones;
  if (!isnan(settings->threshold_heart_rate_bpm))
    return PL_ZONES_THRESHOLD;
  return isnan(settings->resting_heart_rate_bpm) ? PL_ZONES_MAX : PL_ZONES_RESERVE;
}

static void
set_zones(PlHeartProfile *profile, PlZoneScheme scheme) {
  double reserve = profile->maximum_bpm - profile->resting_bpm;
  for (int z = 1; z < PL_ZONE_COUNT; z++) {
    if (scheme == PL_ZONES_THRESHOLD)
      profile->zone_floor_bpm[z] = threshold_floor[z] * profile->threshold_bpm;
    else if (scheme == PL_ZONES_RESERVE)
      profile->zone_floor_bpm[z] = profile->resting_bpm + share_floor[z] * reserve;
    else
      profile->zone_floor_bpm[z] = share_floor[z] * profile->maximum_bpm;
  }
  profile->zone_floor_bpm[0] = 0;
}

static void
set_confidences(PlHeartProfile *profile, PlZoneScheme scheme) {
  double of_maximum = profile->maximum_estimated ? estimated_confidence : 1;
  double of_resting = profile->resting_estimated ? default_resting_confidence : 1;
  double of_sex = profile->sex == PL_SEX_UNKNOWN ? estimated_confidence : 1;
  double of_reserve = fmin(of_maximum, of_resting);

  profile->trimp_confidence = fmin(of_reserve, of_sex);
  if (scheme == PL_ZONES_THRESHOLD)
    profile->zone_confidence = profile->threshold_estimated ? estimated_confidence : 1;
  else
    profile->zone_confidence = scheme == PL_ZONES_RESERVE ? of_reserve : of_maximum;
}

static void
set_cap(PlHeartProfile *profile, PlEffort effort) {
  double reserve = profile->maximum_bpm - profile->resting_bpm;
  bool estimated = profile->maximum_estimated;
  if (effort != PL_EFFORT_EASY) {
    profile->cap_bpm = 0.95 * profile->maximum_bpm;
  } else if (!profile->threshold_estimated) {
    profile->cap_bpm = 0.89 * profile->threshold_bpm;
    estimated = false;
  } else if (!profile->resting_estimated) {
    profile->cap_bpm = profile->resting_bpm + 0.75 * reserve;
  } else {
    profile->cap_bpm = 0.80 * profile->maximum_bpm;
  }
  profile->cap_confidence = estimated ? estimated_confidence : 1;
}

static bool
fill_in(PlHeartProfile *profile, const PlHeartSettings *settings) {
  *profile = (PlHeartProfile){.sex = settings->sex, .age_known = !isnan(settings->age_years)};
  profile->maximum_bpm =
      or_else(settings->max_heart_rate_bpm, maximum_of_age(settings->age_years),
              &profile->maximum_estimated);
  profile->resting_bpm = or_else(settings->resting_heart_rate_bpm, DEFAULT_RESTING_BPM,
                                 &profile->resting_estimated);
  profile->threshold_bpm =
      or_else(settings->threshold_heart_rate_bpm,
              profile->resting_bpm + 0.85 * (profile->maximum_bpm - profile->resting_bpm),
              &profile->threshold_estimated);
  set_zones(profile, scheme_of(settings));
  set_confidences(profile, scheme_of(settings));
  set_cap(profile, settings->effort);
  return profile->maximum_bpm > profile->resting_bpm;
}

bool
pl_heart_profile(PlHeartProfile *profile, const PlHeartSettings *settings) {
  static const PlHeartSettings nobody = {
      .age_years = NAN,
      .max_heart_rate_bpm = NAN,
      .resting_heart_rate_bpm = NAN,
      .threshold_heart_rate_bpm = NAN,
  };
  if (fill_in(profile, settings))
    return true;
  fill_in(profile, &nobody);
  return false;
}

int
pl_heart_zone(const PlHeartProfile *profile, double heart_rate_bpm) {
  int zone = 0;
  while (zone + 1 < PL_ZONE_COUNT && heart_rate_bpm >= profile->zone_floor_bpm[zone + 1])
    zone++;
  return zone;
}

double
pl_heart_trimp(const PlHeartProfile *profile, double heart_rate_bpm, double seconds) {
  bool female = profile->sex == PL_SEX_FEMALE;
  double a = female ? 0.86 : 0.64;
  double b = female ? 1.67 : 1.92;
  double x =
      (heart_rate_bpm - profile->resting_bpm) / (profile->maximum_bpm - profile->resting_bpm);
  x = fmin(fmax(x, 0), 1);
  return seconds / 60 * x * a * exp(b * x);
}

void
pl_heart_input_init(PlHeartInput *input) {
  *input = (PlHeartInput){
      .heart_rate_bpm = NAN,
      .t_us = PL_NO_TIME,
      .packet_us = PL_NO_TIME,
      .hold_until_us = PL_NO_TIME,
  };
}

/* A change of more than 25 bpm within a second is doubted for 3 s: the last value is held at
 * half confidence, then what the sensor says is believed. */
static bool
is_doubtful(PlHeartInput *input, int64_t t_us, double heart_rate_bpm) {
  if (isnan(input->heart_rate_bpm) ||
      fabs(heart_rate_bpm - input->heart_rate_bpm) <= JUMP_BPM) {
    input->hold_until_us = PL_NO_TIME;
    return false;
  }
  if (input->hold_until_us == PL_NO_TIME) {
    if (t_us - input->t_us > JUMP_WITHIN_US)
      return false;
    input->hold_until_us = t_us + JUMP_HOLD_US;
  }
  if (t_us < input->hold_until_us)
    return true;
  input->hold_until_us = PL_NO_TIME;
  return false;
}

/* Every interval is handed on: one of 3 s is beats that were missed, and variability needs to
 * know of it.  What is plausible is judged there. */
static void
add_beats(PlHeartInput *input, const PlHeartSample *sample) {
  for (unsigned i = 0; i < sample->rr_count; i++) {
    if (!(sample->rr_ms[i] > 0))
      continue;
    if (input->beat_count == PL_BEATS_MAX) {
      input->beat_first = (input->beat_first + 1) % PL_BEATS_MAX;
      input->beat_count--;
      input->beats_lost++;
    }
    unsigned at = (input->beat_first + input->beat_count++) % PL_BEATS_MAX;
    input->beat_ms[at] = (float)sample->rr_ms[i];
    input->has_beats = true;
  }
}

void
pl_heart_input_add(PlHeartInput *input, int64_t t_us, const PlHeartSample *sample) {
  input->packet_us = t_us;
  input->contact_lost = sample->contact == PL_CONTACT_NO;
  if (input->contact_lost) {
    input->heart_rate_bpm = NAN;
    return;
  }
  add_beats(input, sample);
  double heart_rate = sample->heart_rate_bpm;
  if (!(heart_rate >= HEART_RATE_MIN_BPM && heart_rate <= HEART_RATE_MAX_BPM))
    return;
  if (is_doubtful(input, t_us, heart_rate)) {
    input->confidence = 0.5;
  } else {
    input->heart_rate_bpm = heart_rate;
    input->confidence = 1;
  }
  input->t_us = t_us;
}

unsigned
pl_heart_input_take_beats(PlHeartInput *input, double *rr_ms, unsigned room) {
  unsigned taken = 0;
  while (taken < room && input->beat_count > 0) {
    rr_ms[taken++] = (double)input->beat_ms[input->beat_first];
    input->beat_first = (input->beat_first + 1) % PL_BEATS_MAX;
    input->beat_count--;
  }
  return taken;
}
