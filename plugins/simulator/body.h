/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"
#include "plugins/simulator/random.h"
#include "plugins/simulator/scenario.h"

#include <stdbool.h>
#include <stdint.h>

/* A runner: where, how fast, which step, which heartbeat, and what an accelerometer on the
 * trunk would feel.  Advances in ticks of 5 ms.  What is here is the truth that the bytes of
 * the sensors are made from, and that a test can compare with. */

enum {
  PL_BODY_TICK_US = 5000,
  PL_BODY_BEATS_MAX = 16, /* that are kept until somebody takes them */
};

/* How one person differs from another. */
typedef struct {
  double resting_heart_rate_bpm;
  double max_heart_rate_bpm;
  double speed_factor;
  double cadence_offset_spm;
  double lean_deg; /* forward, when running; 0 is the own standing posture */
} PlBodyTraits;

/* A value that wanders around 0 (Ornstein-Uhlenbeck, in steps of PL_BODY_SLOW_TICKS). */
typedef struct {
  double value;
  double keep, push;
} PlWander;

typedef struct {
  double metres; /* until this far; 0: until the time is over */
  int64_t duration_us;
} PlBodyPlan;

typedef struct {
  PlBodyTraits traits;
  PlRandom random;

  const PlScenario *scenario;
  PlBodyPlan plan[PL_SCENARIO_SEGMENTS_MAX];
  size_t segment; /* scenario->segment_count: done */
  int64_t segment_start_us;
  double segment_start_m;

  int64_t t_us; /* since the simulation began */
  uint64_t ticks;
  PlGait gait;
  double speed_m_s;
  double acceleration_m_s2; /* forward */
  double distance_m;
  double running_s; /* in all */
  double cadence_spm;
  double step_phase; /* 0 to 1: from one foot strike to the next */
  uint64_t steps;    /* odd: the right foot is the one that struck last */
  double lean_deg, roll_deg;

  double heart_rate_bpm;
  double last_beat_s, next_beat_s;
  double breath_phase;
  double beat_noise_ms;
  unsigned beat_count;
  uint16_t beats[PL_BODY_BEATS_MAX]; /* RR intervals in 1/1024 s, oldest first */

  PlWander speed_wander, cadence_wander, lean_wander, roll_wander, heart_wander;
} PlBody;

/* `delay_s` is added to the first segment and taken from the longest. */
void pl_body_init(PlBody *body, const PlScenario *scenario, double minutes, double delay_s,
                  uint64_t seed);

/* Begins the scenario again, with the same person. */
void pl_body_restart(PlBody *body);

void pl_body_tick(PlBody *body);

/* What an accelerometer at rest in the trunk's frame feels now: x forward, y left, z up, in g.
 */
void pl_body_specific_force(const PlBody *body, double force_g[3]);

/* Hands out the beats since the last call, at most `max`; the number of them. */
unsigned pl_body_take_beats(PlBody *body, uint16_t *beats, unsigned max);
