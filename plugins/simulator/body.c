/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a runner.  Simple on purpose, and each part from what is known of running:
 *
 * Speed follows the plan with a lag of seconds and wanders by 2 %.  Cadence rises by some
 * 8 steps a minute for each m/s.  The vertical force of a running step is half a sine wave
 * while the foot is on the ground and nothing while it is not (Morin 2005), so that its mean is
 * the body's weight; a walking step is a sine wave around the weight.  The fore-aft force
 * brakes first and pushes then, the sideways force changes its sign with each step.  The trunk
 * leans forward when running and wanders with a standard deviation of 1.2 degrees within
 * minutes.
 *
 * The heart follows the effort with a lag of 35 s, and beats with breathing and with noise that
 * is correlated from beat to beat, both smaller the harder the effort. */
#include "plugins/simulator/body.h"

#include <math.h>

enum {
  SLOW_TICKS = 20, /* of a tick each: what changes slowly is moved ten times a second */
  REST_MIN_S = 60, /* the stretchable segment has at least this before others are cut */
};

static const double tick_s = PL_BODY_TICK_US / 1e6;
static const double slow_s = SLOW_TICKS * PL_BODY_TICK_US / 1e6;
static const double pi = 3.14159265358979323846;
static const double gravity_m_s2 = 9.80665;

/* Standard deviation and time of memory. */
static PlWander
wander(double sd, double tau_s) {
  return (PlWander){.keep = 1 - slow_s / tau_s, .push = sd * sqrt(2 * slow_s / tau_s)};
}

static void
move(PlWander *w, PlRandom *random) {
  w->value = w->value * w->keep + w->push * pl_random_normal(random);
}

/* One step towards `target` with a lag of `tau_s`. */
static double
approach(double value, double target, double step_s, double tau_s) {
  return value + (target - value) * step_s / tau_s;
}

static double
clamp(double value, double low, double high) {
  return fmin(fmax(value, low), high);
}

static int64_t
to_us(double seconds) {
  return (int64_t)(seconds * 1e6 + 0.5);
}

/* Metres take a little longer than their speed says: it has to be reached, and it wanders. */
static double
expected_seconds(const PlSegment *segment) {
  return segment->metres > 0 ? segment->metres / segment->speed_m_s + 5 : segment->seconds;
}

/* The stretchable segment takes what the others leave; when that is too little, all shrink
 * alike. */
static void
make_plan(PlBody *body, double minutes, double delay_s) {
  const PlScenario *scenario = body->scenario;
  double total = minutes * 60, fixed = 0;

  for (size_t i = 0; i < scenario->segment_count; i++)
    fixed += expected_seconds(&scenario->segments[i]);
  double scale = fmin(1, total / (fixed + REST_MIN_S));
  for (size_t i = 0; i < scenario->segment_count; i++) {
    const PlSegment *segment = &scenario->segments[i];
    double seconds = segment->stretchable ? fmax(total - fixed * scale - delay_s, 0)
                                          : segment->seconds * scale;
    body->plan[i].duration_us = to_us(seconds + (i == 0 ? delay_s : 0));
    body->plan[i].metres = segment->metres * scale * body->traits.speed_factor;
  }
}

static PlBodyTraits
draw_traits(PlRandom *random) {
  double resting = 54 + 8 * pl_random_uniform(random);
  double maximum = 182 + 10 * pl_random_uniform(random);
  double speed = 0.95 + 0.1 * pl_random_uniform(random);
  double cadence = -4 + 8 * pl_random_uniform(random);
  double lean = 5 + 3 * pl_random_uniform(random);
  return (PlBodyTraits){
      .resting_heart_rate_bpm = resting,
      .max_heart_rate_bpm = maximum,
      .speed_factor = speed,
      .cadence_offset_spm = cadence,
      .lean_deg = lean,
  };
}

void
pl_body_init(PlBody *body, const PlScenario *scenario, double minutes, double delay_s,
             uint64_t seed) {
  *body = (PlBody){.scenario = scenario, .gait = PL_GAIT_STAND};
  pl_random_init(&body->random, seed);
  body->traits = draw_traits(&body->random);
  make_plan(body, minutes, delay_s);
  body->speed_wander = wander(0.02, 20);
  body->cadence_wander = wander(1.0, 30);
  body->lean_wander = wander(1.2, 60);
  body->roll_wander = wander(0.5, 60);
  body->heart_wander = wander(1.0, 30);
  body->heart_rate_bpm = body->traits.resting_heart_rate_bpm + 10;
  body->next_beat_s = 60 / body->heart_rate_bpm;
}

void
pl_body_restart(PlBody *body) {
  body->segment = 0;
  body->segment_start_us = body->t_us;
  body->segment_start_m = body->distance_m;
}

/* The segment that applies now, or NULL when all are done. */
static const PlSegment *
current_segment(PlBody *body) {
  while (body->segment < body->scenario->segment_count) {
    const PlBodyPlan *plan = &body->plan[body->segment];
    bool more = plan->metres > 0 ? body->distance_m - body->segment_start_m < plan->metres
                                 : body->t_us - body->segment_start_us < plan->duration_us;
    if (more)
      return &body->scenario->segments[body->segment];
    body->segment++;
    body->segment_start_us = body->t_us;
    body->segment_start_m = body->distance_m;
  }
  return NULL;
}

/* Nobody changes from running to walking at full speed, nor walks faster than 2 m/s. */
static PlGait
gait_at(PlGait wanted, double speed_m_s) {
  if (speed_m_s < 0.3)
    return PL_GAIT_STAND;
  if (wanted == PL_GAIT_RUN)
    return speed_m_s > 1.0 ? PL_GAIT_RUN : PL_GAIT_WALK;
  return speed_m_s > 2.0 ? PL_GAIT_RUN : PL_GAIT_WALK;
}

static void
move_speed(PlBody *body) {
  const PlSegment *segment = current_segment(body);
  PlGait wanted = segment == NULL ? PL_GAIT_STAND : segment->gait;
  double target = 0;

  if (wanted != PL_GAIT_STAND)
    target = segment->speed_m_s * body->traits.speed_factor * (1 + body->speed_wander.value);
  double before = body->speed_m_s;
  double step = clamp((target - before) * tick_s / 2.0, -2.0 * tick_s, 1.5 * tick_s);
  body->speed_m_s = before + step;
  if (target == 0 && body->speed_m_s < 0.05)
    body->speed_m_s = 0;
  body->acceleration_m_s2 = (body->speed_m_s - before) / tick_s;
  body->distance_m += (before + body->speed_m_s) / 2 * tick_s;
  body->gait = gait_at(wanted, body->speed_m_s);
}

static void
move_steps(PlBody *body) {
  double target = 0;

  if (body->gait == PL_GAIT_STAND) {
    body->cadence_spm = 0;
    body->step_phase = 0;
    return;
  }
  if (body->gait == PL_GAIT_RUN) {
    target = 143 + 8 * body->speed_m_s + body->traits.cadence_offset_spm;
    body->running_s += tick_s;
  } else {
    target = 55 + 42 * body->speed_m_s;
  }
  target += body->cadence_wander.value;
  if (body->cadence_spm == 0)
    body->cadence_spm = target;
  body->cadence_spm = approach(body->cadence_spm, target, tick_s, 1.0);
  body->step_phase += body->cadence_spm / 60 * tick_s;
  if (body->step_phase >= 1) {
    body->step_phase -= 1;
    body->steps++;
  }
}

static void
move_trunk(PlBody *body) {
  double lean = 0, roll = 0;

  if (body->gait == PL_GAIT_RUN)
    lean = body->traits.lean_deg;
  else if (body->gait == PL_GAIT_WALK)
    lean = 2;
  if (body->gait != PL_GAIT_STAND) {
    lean += body->lean_wander.value;
    roll = body->roll_wander.value;
  }
  body->lean_deg = approach(body->lean_deg, lean, tick_s, 1.5);
  body->roll_deg = approach(body->roll_deg, roll, tick_s, 1.5);
}

/* The share of the heart-rate reserve that the effort takes in the long run. */
static double
effort(const PlBody *body) {
  double speed = body->speed_m_s / body->traits.speed_factor;

  switch (body->gait) {
  case PL_GAIT_RUN:
    return clamp(0.12 + 0.17 * speed, 0, 0.95);
  case PL_GAIT_WALK:
    return 0.12 + 0.12 * speed;
  case PL_GAIT_STAND:
  case PL_GAIT_UNKNOWN:
  case PL_GAIT_COUNT:
    break;
  }
  return 0.08;
}

static void
move_heart(PlBody *body) {
  double resting = body->traits.resting_heart_rate_bpm;
  double reserve = body->traits.max_heart_rate_bpm - resting;
  double drift = fmin(body->running_s / 1200, 4); /* bpm: the heart works a little harder */
  double target = resting + reserve * effort(body) + drift + body->heart_wander.value;

  body->heart_rate_bpm =
      approach(body->heart_rate_bpm, target, slow_s, target > body->heart_rate_bpm ? 35 : 50);
}

/* The interval to the next beat.  Breathing shows less and less, and beats remember less of the
 * ones before, the harder the effort: DFA alpha 1 is near 1 when it is easy and falls to 0.5.
 */
static double
next_interval_s(PlBody *body) {
  double resting = body->traits.resting_heart_rate_bpm;
  double reserve = body->traits.max_heart_rate_bpm - resting;
  double share = clamp((body->heart_rate_bpm - resting) / reserve, 0, 1);
  double ease = (1 - share) * (1 - share);
  double memory = 1.15 - 0.85 * fmax(share, 0.3);
  double interval_s = 60 / body->heart_rate_bpm;

  body->breath_phase += interval_s * (0.25 + 0.45 * share);
  body->breath_phase -= floor(body->breath_phase);
  body->beat_noise_ms =
      memory * body->beat_noise_ms + (2 + 8 * ease) * pl_random_normal(&body->random);
  double wave_ms = (0.5 + 28 * ease * ease) * sin(2 * pi * body->breath_phase);
  return fmax(interval_s + (wave_ms + body->beat_noise_ms) / 1000, 0.25);
}

/* Beats are kept on a grid of 1/1024 s, so that intervals add up to the time that has passed.
 */
static void
beat(PlBody *body) {
  double now_s = (double)body->t_us / 1e6;

  while (body->next_beat_s <= now_s) {
    if (body->beat_count == PL_BODY_BEATS_MAX)
      pl_body_take_beats(body, NULL, 1);
    body->beats[body->beat_count++] = (uint16_t)(floor(body->next_beat_s * 1024 + 0.5) -
                                                 floor(body->last_beat_s * 1024 + 0.5));
    body->last_beat_s = body->next_beat_s;
    body->next_beat_s += next_interval_s(body);
  }
}

void
pl_body_tick(PlBody *body) {
  body->t_us += PL_BODY_TICK_US;
  body->ticks++;
  if (body->ticks % SLOW_TICKS == 0) {
    move(&body->speed_wander, &body->random);
    move(&body->cadence_wander, &body->random);
    move(&body->lean_wander, &body->random);
    move(&body->roll_wander, &body->random);
    move(&body->heart_wander, &body->random);
    move_heart(body);
  }
  move_speed(body);
  move_steps(body);
  move_trunk(body);
  beat(body);
}

unsigned
pl_body_take_beats(PlBody *body, uint16_t *beats, unsigned max) {
  unsigned count = body->beat_count < max ? body->beat_count : max;

  for (unsigned i = 0; i < count && beats != NULL; i++)
    beats[i] = body->beats[i];
  body->beat_count -= count;
  for (unsigned i = 0; i < body->beat_count; i++)
    body->beats[i] = body->beats[i + count];
  return count;
}

/* The share of a step in which the foot is on the ground: less, the faster the runner. */
static double
contact_share(double speed_m_s) {
  return clamp(0.714 - 0.05 * (speed_m_s - 3), 0.5, 0.9);
}

/* Forward, left and up, of a trunk held upright; in g. */
static void
step_force(const PlBody *body, double force_g[3]) {
  double phase = body->step_phase;
  double side = body->steps % 2 == 0 ? 1 : -1;

  force_g[0] = body->acceleration_m_s2 / gravity_m_s2;
  force_g[1] = 0;
  force_g[2] = 1;
  if (body->gait == PL_GAIT_WALK) {
    force_g[0] -= 0.12 * cos(2 * pi * phase);
    force_g[1] += 0.10 * side * sin(pi * phase);
    force_g[2] += 0.25 * sin(2 * pi * phase);
  } else if (body->gait == PL_GAIT_RUN) {
    double share = contact_share(body->speed_m_s);
    force_g[2] = 0;
    if (phase < share) {
      force_g[0] -= 0.30 * cos(pi * phase / share);
      force_g[1] += 0.15 * side * sin(pi * phase / share);
      force_g[2] = pi / 2 / share * sin(pi * phase / share);
    }
  }
}

void
pl_body_specific_force(const PlBody *body, double force_g[3]) {
  double force[3];
  step_force(body, force);

  double lean = body->lean_deg * pi / 180, roll = body->roll_deg * pi / 180;
  double forward = force[0] * cos(lean) - force[2] * sin(lean);
  double up = force[0] * sin(lean) + force[2] * cos(lean);
  force_g[0] = forward;
  force_g[1] = force[1] * cos(roll) + up * sin(roll);
  force_g[2] = up * cos(roll) - force[1] * sin(roll);
}
