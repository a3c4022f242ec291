/* SPDX-License-Identifier: Apache-2.0 */
/* Steps or strides?  Each packet may vote; ten equal votes in a row latch the unit.
 *
 * First of these that applies (raw is the field as sent):
 *
 *   a motion sensor's step rate is within 15 % of raw: steps; of twice raw: strides    proof
 *   raw >= 130: steps, because nobody makes 260 steps a minute                         proof
 *   speed * 60 / (raw * length) is about 2: strides, and the length is a step;
 *                                about 1/2: steps, and the length is a stride
 *   running, above 1.9 m/s: raw <= 110 is strides                                      proof
 *   walking fast, 1.67 to 1.9 m/s: raw <= 95 is strides
 *   up to 1.67 m/s: raw >= 100 is steps; below 60, from 0.7 m/s on, is strides
 *
 * Slower than 0.7 m/s a low cadence is no vote: people who shuffle make 60 steps a minute.
 *
 * A latch that rests on proofs is moved by 30 proofs to the contrary in a row and by nothing
 * else (a slow walk uphill looks like the other unit for hours); one that does not, by ten
 * proofs or by 30 votes of any kind.  What a sensor's name suggests is such an unproven latch.
 *
 * Before anything is latched a packet without a vote goes by what is more like a human: a
 * runner's steps are not longer than 1.6 m; a walker's are 0.0065 m long for each step a minute
 * (the "walk ratio"), so raw is steps when it is nearer to that rate, by ratio, than to its
 * half. */
#include "gateway/core/cadence.h"

#include <math.h>
#include <stddef.h>

enum {
  LATCH_VOTES = 10,
  UNLATCH_VOTES = 30,
};

static const double steps_max_spm = 260; /* nobody makes more */
static const double steps_min_raw = 130; /* nor this many strides */
static const double run_speed_m_s = 1.9, run_strides_max = 110;
static const double brisk_speed_m_s = 1.67, brisk_strides_max = 95;
static const double walk_speed_m_s = 0.7, walk_strides_max = 60, walk_steps_min = 100;
static const double still_speed_m_s = 0.3; /* below, the speed tells nothing */
static const double motion_tolerance = 0.15;
static const double walk_ratio_m_min = 0.0065; /* step length over step rate */
static const double run_step_max_m = 1.6;
/* Without a speed: more runners with 65 to 100 strides than walkers with so few steps. */
static const double unknown_speed_divide = 100;
/* How far a ratio that should be 1 or 2 may be off, because cadence, speed and length are
 * averaged differently. */
static const double double_min = 1.6, double_max = 2.5;
static const double length_tolerance = 1.3;

typedef struct {
  PlCadenceUnit unit; /* AUTO: no vote */
  bool proof;
} Vote;

typedef struct {
  const char *prefix;
  PlCadenceUnit unit;
} NameHint;

static const NameHint name_hints[] = {
    {"TICKR X", PL_CADENCE_STEPS},        {"Runn", PL_CADENCE_STEPS},
    {"Zwift RunPod", PL_CADENCE_STRIDES}, {"Stryd", PL_CADENCE_STRIDES},
    {"Polar", PL_CADENCE_STRIDES},        {"Forerunner", PL_CADENCE_STRIDES},
    {"fenix", PL_CADENCE_STRIDES},
};

static bool
has_prefix(const char *text, const char *prefix) {
  while (*prefix != '\0')
    if (*text++ != *prefix++)
      return false;
  return true;
}

static PlCadenceUnit
hint_of_name(const char *name) {
  for (size_t i = 0; name && i < sizeof name_hints / sizeof name_hints[0]; i++)
    if (has_prefix(name, name_hints[i].prefix))
      return name_hints[i].unit;
  return PL_CADENCE_AUTO;
}

void
pl_cadence_init(PlCadence *cadence, PlCadenceUnit configured, PlCadenceUnit stored,
                const char *name) {
  *cadence = (PlCadence){.fixed = configured};
  cadence->proven = stored != PL_CADENCE_AUTO;
  cadence->latch = cadence->proven ? stored : hint_of_name(name);
}

/* No vote without a step rate: nothing is near to NaN. */
static Vote
vote_by_motion(double raw, double motion_spm) {
  double steps_off = fabs(raw / motion_spm - 1);
  double strides_off = fabs(2 * raw / motion_spm - 1);
  if (steps_off <= motion_tolerance)
    return (Vote){PL_CADENCE_STEPS, true};
  if (strides_off <= motion_tolerance)
    return (Vote){PL_CADENCE_STRIDES, true};
  return (Vote){PL_CADENCE_AUTO, false};
}

static Vote
vote_by_length(double raw, double speed_m_s, double length_m) {
  double ratio = speed_m_s * 60 / (raw * length_m);
  if (ratio >= double_min && ratio <= double_max)
    return (Vote){PL_CADENCE_STRIDES, false};
  if (ratio >= 1 / double_max && ratio <= 1 / double_min)
    return (Vote){PL_CADENCE_STEPS, false};
  return (Vote){PL_CADENCE_AUTO, false};
}

static Vote
vote_by_speed(double raw, double speed_m_s) {
  Vote vote = {PL_CADENCE_AUTO, false};

  if (speed_m_s > run_speed_m_s) {
    if (raw <= run_strides_max)
      vote = (Vote){PL_CADENCE_STRIDES, true};
  } else if (speed_m_s > brisk_speed_m_s) {
    if (raw <= brisk_strides_max)
      vote.unit = PL_CADENCE_STRIDES;
  } else if (raw >= walk_steps_min) {
    vote.unit = PL_CADENCE_STEPS;
  } else if (raw < walk_strides_max && speed_m_s >= walk_speed_m_s) {
    vote.unit = PL_CADENCE_STRIDES;
  }
  return vote;
}

static Vote
vote_by_packet(double raw, double speed_m_s, double length_m) {
  Vote vote = {PL_CADENCE_AUTO, false};

  if (raw >= steps_min_raw)
    return (Vote){PL_CADENCE_STEPS, true};
  if (speed_m_s >= still_speed_m_s && length_m > 0)
    vote = vote_by_length(raw, speed_m_s, length_m);
  if (vote.unit == PL_CADENCE_AUTO && speed_m_s >= 0)
    vote = vote_by_speed(raw, speed_m_s);
  return vote;
}

/* Whether the votes in a row are enough to move the latch. */
static bool
is_decided(const PlCadence *cadence) {
  if (cadence->latch == PL_CADENCE_AUTO)
    return cadence->votes >= LATCH_VOTES;
  if (cadence->proven)
    return cadence->proofs >= UNLATCH_VOTES;
  return cadence->proofs >= LATCH_VOTES || cadence->votes >= UNLATCH_VOTES;
}

static void
count_vote(PlCadence *cadence, Vote vote) {
  if (vote.unit == PL_CADENCE_AUTO || (cadence->proven && !vote.proof))
    return;
  if (vote.unit != cadence->streak) {
    cadence->streak = vote.unit;
    cadence->votes = cadence->proofs = 0;
  }
  if (cadence->votes < UNLATCH_VOTES)
    cadence->votes++;
  if (vote.proof && cadence->proofs < UNLATCH_VOTES)
    cadence->proofs++;

  bool is_proven = cadence->proofs >= LATCH_VOTES;
  if (vote.unit == cadence->latch) {
    cadence->proven |= is_proven;
  } else if (is_decided(cadence)) {
    cadence->latch = vote.unit;
    cadence->proven = is_proven;
  }
}

static PlCadenceUnit
guess(double raw, double speed_m_s) {
  double divide = unknown_speed_divide;
  if (speed_m_s > run_speed_m_s)
    divide = speed_m_s * 60 / run_step_max_m;
  else if (speed_m_s >= still_speed_m_s)
    divide = sqrt(speed_m_s * 60 / walk_ratio_m_min / 2);
  return raw < divide ? PL_CADENCE_STRIDES : PL_CADENCE_STEPS;
}

static PlCadenceUnit
decide(PlCadence *cadence, double raw, double speed_m_s, double length_m, double motion_spm) {
  Vote motion = vote_by_motion(raw, motion_spm);
  bool told = motion.unit != PL_CADENCE_AUTO;
  Vote vote = told ? motion : vote_by_packet(raw, speed_m_s, length_m);

  count_vote(cadence, vote);
  if (cadence->latch != PL_CADENCE_AUTO && !told && 2 * raw <= steps_max_spm)
    return cadence->latch;
  return vote.unit != PL_CADENCE_AUTO ? vote.unit : guess(raw, speed_m_s);
}

double
pl_cadence_steps(PlCadence *cadence, double raw, double speed_m_s, double length_m,
                 double motion_spm) {
  if (!(raw > 0))
    return raw;
  PlCadenceUnit unit = cadence->fixed;
  if (unit == PL_CADENCE_AUTO)
    unit = decide(cadence, raw, speed_m_s, length_m, motion_spm);
  return unit == PL_CADENCE_STRIDES ? 2 * raw : raw;
}

double
pl_cadence_step_length(double raw, double steps, double speed_m_s, double length_m) {
  if (!(raw > 0) || !(steps > 0) || !(length_m > 0))
    return NAN;
  if (!(speed_m_s >= still_speed_m_s))
    return length_m * raw / steps; /* of the same kind as the cadence, for want of better */
  double expected_m = speed_m_s * 60 / steps;
  for (int share = 1; share <= 2; share++) {
    double ratio = length_m / share / expected_m;
    if (ratio >= 1 / length_tolerance && ratio <= length_tolerance)
      return length_m / share;
  }
  return NAN;
}

PlCadenceUnit
pl_cadence_learnt(const PlCadence *cadence) {
  return cadence->proven ? cadence->latch : PL_CADENCE_AUTO;
}
