/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/sample.h"

/* Everything that is measured or derived once a second.  The table in metric.c is the only
 * place that knows names, units and decimals; topics, columns and files use its ids. */
typedef enum {
  PL_METRIC_HEART_RATE,
  PL_METRIC_HEART_ZONE,
  PL_METRIC_RMSSD,
  PL_METRIC_DFA_ALPHA1,
  PL_METRIC_RESPIRATION,
  PL_METRIC_SPEED,
  PL_METRIC_PACE,
  PL_METRIC_CADENCE,
  PL_METRIC_STEP_LENGTH,
  PL_METRIC_POWER,
  PL_METRIC_INCLINE,
  PL_METRIC_GROUND_CONTACT,
  PL_METRIC_FLIGHT,
  PL_METRIC_DUTY_FACTOR,
  PL_METRIC_VERTICAL_OSCILLATION,
  PL_METRIC_VERTICAL_RATIO,
  PL_METRIC_BALANCE_LEFT,
  PL_METRIC_PEAK_FORCE,
  PL_METRIC_IMPACT,
  PL_METRIC_LEG_STIFFNESS,
  PL_METRIC_TRUNK_LEAN,
  PL_METRIC_LATERAL_LEAN,
  PL_METRIC_PELVIC_TILT,
  PL_METRIC_PELVIC_DROP,
  PL_METRIC_PELVIC_ROLL,
  PL_METRIC_PELVIC_ROTATION,
  PL_METRIC_LUMBAR_FLEXION,
  PL_METRIC_HEAD_PITCH,
  PL_METRIC_SHOULDER_ROUNDING,
  PL_METRIC_SWAY_RATIO,
  PL_METRIC_FORM_DRIFT,
  PL_METRIC_TRIMP,
  PL_METRIC_MECHANICAL_LOAD,
  PL_METRIC_DECOUPLING,
  PL_METRIC_COUNT
} PlMetric;

/* How a second's value becomes the value of a lap or a run. */
typedef enum {
  PL_AGGREGATE_MEAN, /* mean, maximum and minimum, weighted by time over moving seconds */
  PL_AGGREGATE_LAST, /* grows through the run: the last value is the run's */
  PL_AGGREGATE_NONE, /* has no meaning over a run */
} PlAggregate;

/* Why a metric that a configured sensor could give is not there. */
typedef enum {
  PL_MISSING_NOT, /* it is there, or no sensor could give it */
  PL_MISSING_NO_SENSOR,
  PL_MISSING_STALE,
  PL_MISSING_NOT_CALIBRATED,
  PL_MISSING_NOT_RUNNING,
  PL_MISSING_SLIPPED,
  PL_MISSING_HILL,
  PL_MISSING_SETTLING,
  PL_MISSING_LOW_QUALITY,
  PL_MISSING_COUNT
} PlMissing;

typedef struct {
  const char *id;   /* "heart_rate_bpm": key in MQTT, column and files */
  const char *unit; /* "bpm" */
  unsigned decimals;
  PlAggregate aggregate;
  double minimum, maximum; /* outside: not published */
} PlMetricDef;

extern const PlMetricDef pl_metrics[PL_METRIC_COUNT];

/* The metric of that id, or -1. */
int pl_metric_find(const char *id);

/* As in messages: "no-sensor", "stale", ... */
const char *pl_missing_name(PlMissing missing);
