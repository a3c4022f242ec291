/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/fusion.h"

#include <math.h>

/* Fresh for 2 s: sensors send once a second and the radio may be late.  Then held at half
 * confidence for 3 s more, then gone (plumbline-mqtt(7)). */
static const int64_t fresh_us = 2000000, stale_us = 5000000;
static const int64_t second_us = 1000000;
static const double locked_confidence = 0.3;
static const double pace_tau_s = 5;
static const double pace_min_m_s = 0.5;

void
pl_sensor_input_init(PlSensorInput *input, PlMount mount, double factor,
                     const PlCadence *cadence) {
  *input = (PlSensorInput){.mount = mount};
  pl_heart_input_init(&input->heart);
  pl_footpod_init(&input->footpod, cadence, factor);
}

void
pl_sensor_input_add(PlSensorInput *input, const PlSample *sample) {
  switch (sample->kind) {
  case PL_SAMPLE_HEART:
    input->gives_heart = true;
    pl_heart_input_add(&input->heart, sample->t_us, &sample->heart);
    break;
  case PL_SAMPLE_FOOTPOD:
    input->gives_footpod = true;
    pl_footpod_add(&input->footpod, sample->t_us, &sample->footpod, NAN);
    break;
  case PL_SAMPLE_MOTION:
  case PL_SAMPLE_BATTERY:
  case PL_SAMPLE_KIND_COUNT:
    break;
  }
}

void
pl_fusion_init(PlFusion *fusion) {
  *fusion = (PlFusion){.pace_speed_m_s = NAN};
  pl_gait_init(&fusion->gait);
  pl_cadence_lock_init(&fusion->lock);
}

static bool
within(int64_t t_us, int64_t since_us, int64_t limit_us) {
  return since_us != PL_NO_TIME && t_us - since_us <= limit_us;
}

/* Confidence of a value that was measured at `since_us`: 1, 0.5 while it is held, 0 when gone.
 */
static double
freshness(int64_t t_us, int64_t since_us) {
  if (within(t_us, since_us, fresh_us))
    return 1;
  return within(t_us, since_us, stale_us) ? 0.5 : 0;
}

static void
put(PlRecord *record, PlMetric metric, double value, double confidence) {
  const PlMetricDef *def = &pl_metrics[metric];
  if (!(value >= def->minimum && value <= def->maximum) || confidence <= 0)
    return;
  record->value[metric] = value;
  record->confidence[metric] = (float)confidence;
}

/* How good the reading of a sensor is: its confidence, 0 without one. */
static double
heart_quality(int64_t t_us, const PlSensorInput *input) {
  const PlHeartInput *heart = &input->heart;
  if (!input->gives_heart || isnan(heart->heart_rate_bpm))
    return 0;
  return heart->confidence * freshness(t_us, heart->t_us);
}

/* The best reading; of equal ones that of a strap, which sends beats, before that of a band;
 * else the first in the configuration. */
static const PlHeartInput *
best_heart(int64_t t_us, PlSensorInput *const *inputs, size_t count, double *quality) {
  const PlHeartInput *best = NULL;
  *quality = 0;
  for (size_t i = 0; i < count; i++) {
    const PlHeartInput *heart = &inputs[i]->heart;
    double its = heart_quality(t_us, inputs[i]);
    if (its > *quality ||
        (its > 0 && its == *quality && heart->has_beats && !best->has_beats)) {
      best = heart;
      *quality = its;
    }
  }
  return best;
}

/* The strap whose beats are used: the freshest, else the first.  Those of another would be the
 * same beats once more. */
static PlHeartInput *
best_beats(int64_t t_us, PlSensorInput *const *inputs, size_t count) {
  PlHeartInput *best = NULL;
  double quality = 0;
  for (size_t i = 0; i < count; i++) {
    PlHeartInput *heart = &inputs[i]->heart;
    double its = heart->has_beats ? freshness(t_us, heart->packet_us) : 0;
    if (its <= quality)
      continue;
    best = heart;
    quality = its;
  }
  return best;
}

static void
fuse_beats(int64_t t_us, PlSensorInput *const *inputs, size_t count, PlRecord *record) {
  PlHeartInput *best = best_beats(t_us, inputs, count);
  for (size_t i = 0; i < count; i++) {
    PlHeartInput *heart = &inputs[i]->heart;
    if (heart == best)
      record->rr_count = pl_heart_input_take_beats(heart, record->rr_ms, PL_FRAME_RR_MAX);
    else
      heart->beat_count = 0;
  }
}

/* After the feet: a band that counts steps is known by them. */
static void
fuse_heart(PlFusion *fusion, int64_t t_us, PlSensorInput *const *inputs, size_t count,
           PlRecord *record) {
  double quality;
  const PlHeartInput *best = best_heart(t_us, inputs, count, &quality);
  bool optical = best != NULL && !best->has_beats;
  double heart_rate = optical ? best->heart_rate_bpm : NAN;
  bool locked =
      pl_cadence_lock_step(&fusion->lock, heart_rate, record->value[PL_METRIC_CADENCE]);
  if (best != NULL)
    put(record, PL_METRIC_HEART_RATE, best->heart_rate_bpm,
        quality * (locked ? locked_confidence : 1));
}

/* Of the freshest: on the foot is better than a belt; else the first in the configuration. */
static PlSensorInput *
best_footpod(int64_t t_us, PlSensorInput *const *inputs, size_t count) {
  PlSensorInput *best = NULL;
  double quality = 0;
  for (size_t i = 0; i < count; i++) {
    PlSensorInput *input = inputs[i];
    double its = input->gives_footpod ? freshness(t_us, input->footpod.t_us) : 0;
    bool on_foot = input->mount != PL_MOUNT_TREADMILL;
    if (its > quality ||
        (its > 0 && its == quality && on_foot && best->mount == PL_MOUNT_TREADMILL)) {
      best = input;
      quality = its;
    }
  }
  return best;
}

static bool
spoke(int64_t t_us, const PlSensorInput *input) {
  return within(t_us, input->footpod.t_us, second_us);
}

/* Distance and steps are those of the best.  What the others counted in a second in which it
 * spoke is dropped; what they counted since then is kept for when it has to be given up. */
static void
fuse_way(int64_t t_us, PlSensorInput *const *inputs, size_t count, PlSensorInput *best,
         PlRecord *record) {
  if (best == NULL || !spoke(t_us, best))
    return;
  pl_footpod_take(&best->footpod, &record->distance_m, &record->steps);
  for (size_t i = 0; i < count; i++)
    if (inputs[i] != best)
      pl_footpod_pass(&inputs[i]->footpod, record->distance_m, !spoke(t_us, inputs[i]));
}

/* The pace is that of the speed smoothed over 5 s (F2). */
static void
fuse_pace(PlFusion *fusion, double speed_m_s, double confidence, PlRecord *record) {
  double weight = 1 - exp(-1 / pace_tau_s);
  if (isnan(speed_m_s) || isnan(fusion->pace_speed_m_s))
    fusion->pace_speed_m_s = speed_m_s;
  else
    fusion->pace_speed_m_s += weight * (speed_m_s - fusion->pace_speed_m_s);
  put(record, PL_METRIC_PACE, pl_pace_s_per_km(fusion->pace_speed_m_s), confidence);
}

static void
fuse_footpod(PlFusion *fusion, int64_t t_us, PlSensorInput *const *inputs, size_t count,
             PlRecord *record) {
  PlSensorInput *best = best_footpod(t_us, inputs, count);
  fuse_way(t_us, inputs, count, best, record);
  if (best == NULL) {
    record->gait = pl_gait_step(&fusion->gait, &(PlGaitInput){NAN, NAN, false, false});
    fuse_pace(fusion, NAN, 0, record);
    return;
  }
  const PlFootpod *pod = &best->footpod;
  double confidence = freshness(t_us, pod->t_us);
  put(record, PL_METRIC_SPEED, pod->speed_m_s, confidence);
  put(record, PL_METRIC_CADENCE, pod->cadence_spm, confidence);
  put(record, PL_METRIC_STEP_LENGTH, pod->step_length_m, confidence);
  record->counter_m = pod->counter_m;
  record->gait =
      pl_gait_step(&fusion->gait, &(PlGaitInput){
                                      .speed_m_s = pod->speed_m_s,
                                      .cadence_spm = pod->cadence_spm,
                                      .says_running = pod->says_running,
                                      .is_treadmill = best->mount == PL_MOUNT_TREADMILL,
                                  });
  fuse_pace(fusion, record->value[PL_METRIC_SPEED], confidence, record);
}

/* What the sensors of an athlete give, and whether they are heard now. */
typedef struct {
  bool heart, heart_now;
  bool footpod, footpod_now;
  bool cadence; /* not every treadmill knows it */
} Abilities;

static Abilities
abilities_of(int64_t t_us, PlSensorInput *const *inputs, size_t count) {
  Abilities can = {.heart = false};
  for (size_t i = 0; i < count; i++) {
    const PlSensorInput *in = inputs[i];
    can.heart |= in->gives_heart;
    can.heart_now |= in->gives_heart && freshness(t_us, in->heart.packet_us) > 0;
    can.footpod |= in->gives_footpod;
    can.footpod_now |= in->gives_footpod && freshness(t_us, in->footpod.t_us) > 0;
    can.cadence |= in->gives_footpod && in->footpod.gives_cadence;
  }
  return can;
}

/* Why a value of heart or feet is not there. */
static PlMissing
reason(double value, bool could, bool heard) {
  if (!isnan(value))
    return PL_MISSING_NOT;
  if (!could)
    return PL_MISSING_NO_SENSOR;
  return heard ? PL_MISSING_LOW_QUALITY : PL_MISSING_STALE;
}

/* Of a metric that needs a speed, and that nobody has who stands. */
static PlMissing
reason_of_stride(const PlRecord *record, PlMetric metric, PlMissing of_speed) {
  const double *value = record->value;
  if (!isnan(value[metric]))
    return PL_MISSING_NOT;
  if (of_speed != PL_MISSING_NOT)
    return of_speed;
  if (value[PL_METRIC_SPEED] < pace_min_m_s || value[PL_METRIC_CADENCE] <= 0)
    return PL_MISSING_NOT_RUNNING;
  return metric == PL_METRIC_PACE ? PL_MISSING_SETTLING : PL_MISSING_LOW_QUALITY;
}

static void
find_missing(int64_t t_us, PlSensorInput *const *inputs, size_t count, const PlRecord *record,
             PlMissing missing[PL_METRIC_COUNT]) {
  Abilities can = abilities_of(t_us, inputs, count);
  const double *value = record->value;
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    missing[m] = PL_MISSING_NOT;
  missing[PL_METRIC_HEART_RATE] = reason(value[PL_METRIC_HEART_RATE], can.heart, can.heart_now);
  if (can.heart)
    missing[PL_METRIC_HEART_ZONE] = missing[PL_METRIC_HEART_RATE];
  PlMissing of_speed = reason(value[PL_METRIC_SPEED], can.footpod, can.footpod_now);
  missing[PL_METRIC_SPEED] = of_speed;
  if (can.footpod)
    missing[PL_METRIC_PACE] = reason_of_stride(record, PL_METRIC_PACE, of_speed);
  if (!can.cadence)
    return;
  missing[PL_METRIC_CADENCE] = reason(value[PL_METRIC_CADENCE], true, can.footpod_now);
  missing[PL_METRIC_STEP_LENGTH] = reason_of_stride(record, PL_METRIC_STEP_LENGTH, of_speed);
}

static bool
anything_fresh(int64_t t_us, PlSensorInput *const *inputs, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (freshness(t_us, inputs[i]->heart.packet_us) > 0 ||
        freshness(t_us, inputs[i]->footpod.t_us) > 0)
      return true;
  return false;
}

bool
pl_fusion_step(PlFusion *fusion, int64_t t_us, PlSensorInput *const *inputs, size_t count,
               PlRecord *record, PlMissing missing[PL_METRIC_COUNT]) {
  pl_record_clear(record);
  record->t_us = t_us;
  fuse_footpod(fusion, t_us, inputs, count, record);
  fuse_heart(fusion, t_us, inputs, count, record);
  fuse_beats(t_us, inputs, count, record);
  find_missing(t_us, inputs, count, record, missing);
  return anything_fresh(t_us, inputs, count);
}
