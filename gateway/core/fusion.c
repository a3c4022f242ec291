/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/fusion.h"

#include <math.h>

/* Fresh for 2 s: sensors send once a second and the radio may be late.  Then held at half
 * confidence for 3 s more, then gone (contract section 3, science.md 0.2). */
static const int64_t fresh_us = 2000000, stale_us = 5000000;
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

/* A strap that sends beats is better than a band; else the first in the configuration. */
static PlHeartInput *
best_heart(int64_t t_us, PlSensorInput *const *inputs, size_t count) {
  PlHeartInput *best = NULL;
  for (size_t i = 0; i < count; i++) {
    PlHeartInput *heart = &inputs[i]->heart;
    if (!inputs[i]->gives_heart || freshness(t_us, heart->packet_us) <= 0)
      continue;
    if (best == NULL || (heart->has_beats && !best->has_beats))
      best = heart;
  }
  return best;
}

/* On the foot is better than a belt; else the first in the configuration. */
static PlSensorInput *
best_footpod(int64_t t_us, PlSensorInput *const *inputs, size_t count) {
  PlSensorInput *best = NULL;
  for (size_t i = 0; i < count; i++) {
    PlSensorInput *input = inputs[i];
    if (!input->gives_footpod || freshness(t_us, input->footpod.t_us) <= 0)
      continue;
    if (best == NULL ||
        (best->mount == PL_MOUNT_TREADMILL && input->mount != PL_MOUNT_TREADMILL))
      best = input;
  }
  return best;
}

static void
fuse_heart(int64_t t_us, PlSensorInput *const *inputs, size_t count, PlRecord *record) {
  PlHeartInput *best = best_heart(t_us, inputs, count);
  for (size_t i = 0; i < count; i++) {
    PlHeartInput *heart = &inputs[i]->heart;
    if (heart == best)
      record->rr_count = pl_heart_input_take_beats(heart, record->rr_ms, PL_FRAME_RR_MAX);
    else
      heart->beat_count = 0;
  }
  if (best != NULL)
    put(record, PL_METRIC_HEART_RATE, best->heart_rate_bpm,
        best->confidence * freshness(t_us, best->t_us));
}

/* The pace is that of the speed smoothed over 5 s (F2). */
static void
fuse_pace(PlFusion *fusion, double speed_m_s, double confidence, PlRecord *record) {
  double weight = 1 - exp(-1 / pace_tau_s);
  if (isnan(speed_m_s) || isnan(fusion->pace_speed_m_s))
    fusion->pace_speed_m_s = speed_m_s;
  else
    fusion->pace_speed_m_s += weight * (speed_m_s - fusion->pace_speed_m_s);
  if (fusion->pace_speed_m_s >= pace_min_m_s)
    put(record, PL_METRIC_PACE, 1000 / fusion->pace_speed_m_s, confidence);
}

static void
fuse_footpod(PlFusion *fusion, int64_t t_us, PlSensorInput *const *inputs, size_t count,
             PlRecord *record) {
  PlSensorInput *best = best_footpod(t_us, inputs, count);
  for (size_t i = 0; i < count; i++) {
    double distance_m, steps;
    pl_footpod_take(&inputs[i]->footpod, &distance_m, &steps);
    if (inputs[i] != best)
      continue;
    record->distance_m = distance_m;
    record->steps = steps;
  }
  if (best == NULL) {
    record->gait = pl_gait_step(&fusion->gait, &(PlGaitInput){NAN, NAN, false, false});
    fuse_pace(fusion, NAN, 0, record);
    return;
  }
  const PlFootpod *pod = &best->footpod;
  double confidence = freshness(t_us, pod->t_us);
  put(record, PL_METRIC_SPEED, pod->speed_m_s, confidence);
  put(record, PL_METRIC_CADENCE, pod->cadence_spm, confidence);
  if (pod->cadence_spm > 0)
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

/* Why a metric of heart or feet is not there. */
static PlMissing
reason(bool gives, bool packets, bool contact_lost) {
  if (!gives)
    return PL_MISSING_NO_SENSOR;
  return packets || contact_lost ? PL_MISSING_LOW_QUALITY : PL_MISSING_STALE;
}

static void
find_missing(int64_t t_us, PlSensorInput *const *inputs, size_t count, const PlRecord *record,
             PlMissing missing[PL_METRIC_COUNT]) {
  bool gives_heart = false, hears_heart = false, contact_lost = false;
  bool gives_pod = false, hears_pod = false;
  for (size_t i = 0; i < count; i++) {
    const PlSensorInput *in = inputs[i];
    gives_heart |= in->gives_heart;
    hears_heart |= in->gives_heart && freshness(t_us, in->heart.packet_us) > 0;
    contact_lost |= in->gives_heart && hears_heart && in->heart.contact_lost;
    gives_pod |= in->gives_footpod;
    hears_pod |= in->gives_footpod && freshness(t_us, in->footpod.t_us) > 0;
  }
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    missing[m] = PL_MISSING_NOT;
  if (isnan(record->value[PL_METRIC_HEART_RATE]))
    missing[PL_METRIC_HEART_RATE] = reason(gives_heart, hears_heart, contact_lost);
  if (isnan(record->value[PL_METRIC_SPEED]))
    missing[PL_METRIC_SPEED] = reason(gives_pod, hears_pod, false);
  if (gives_pod && isnan(record->value[PL_METRIC_CADENCE]))
    missing[PL_METRIC_CADENCE] = reason(gives_pod, hears_pod, false);
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
  fuse_heart(t_us, inputs, count, record);
  fuse_footpod(fusion, t_us, inputs, count, record);
  find_missing(t_us, inputs, count, record, missing);
  return anything_fresh(t_us, inputs, count);
}
