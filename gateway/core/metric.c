/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/metric.h"

#include <string.h>

/* Decimals are those of messages; limits are those beyond which a value is a fault of the
 * sensor, not of the runner. */
/* clang-format off */
const PlMetricDef pl_metrics[PL_METRIC_COUNT] = {
  /*                                  id                       unit        decimals aggregate            min    max */
  [PL_METRIC_HEART_RATE]           = {"heart_rate_bpm",        "bpm",      1, PL_AGGREGATE_MEAN,   30,    230},
  [PL_METRIC_HEART_ZONE]           = {"heart_zone",            "",         0, PL_AGGREGATE_NONE,    0,      5},
  [PL_METRIC_RMSSD]                = {"rmssd_ms",              "ms",       1, PL_AGGREGATE_MEAN,    0,    500},
  [PL_METRIC_DFA_ALPHA1]           = {"dfa_alpha1",            "",         3, PL_AGGREGATE_MEAN,    0,      2},
  [PL_METRIC_RESPIRATION]          = {"respiration_per_min",   "1/min",    1, PL_AGGREGATE_MEAN,    5,     80},
  [PL_METRIC_SPEED]                = {"speed_m_s",             "m/s",      3, PL_AGGREGATE_MEAN,    0,     12},
  [PL_METRIC_PACE]                 = {"pace_s_per_km",         "s/km",     1, PL_AGGREGATE_NONE,   83,   2000},
  [PL_METRIC_CADENCE]              = {"cadence_spm",           "spm",      1, PL_AGGREGATE_MEAN,    0,    260},
  [PL_METRIC_STEP_LENGTH]          = {"step_length_m",         "m",        3, PL_AGGREGATE_MEAN,  0.2,    2.5},
  [PL_METRIC_POWER]                = {"power_w",               "W",        1, PL_AGGREGATE_MEAN,    0,   2500},
  [PL_METRIC_INCLINE]              = {"incline_pct",           "%",        1, PL_AGGREGATE_MEAN,  -60,     60},
  [PL_METRIC_GROUND_CONTACT]       = {"ground_contact_ms",     "ms",       1, PL_AGGREGATE_MEAN,   80,   1500},
  [PL_METRIC_FLIGHT]               = {"flight_ms",             "ms",       1, PL_AGGREGATE_MEAN,    0,    600},
  [PL_METRIC_DUTY_FACTOR]          = {"duty_factor",           "",         3, PL_AGGREGATE_MEAN,    0,      1},
  [PL_METRIC_VERTICAL_OSCILLATION] = {"vertical_oscillation_mm", "mm",     1, PL_AGGREGATE_MEAN,   10,    250},
  [PL_METRIC_VERTICAL_RATIO]       = {"vertical_ratio_pct",    "%",        1, PL_AGGREGATE_MEAN,    1,     40},
  [PL_METRIC_BALANCE_LEFT]         = {"balance_left_pct",      "%",        1, PL_AGGREGATE_MEAN,   30,     70},
  [PL_METRIC_PEAK_FORCE]           = {"peak_force_bw",         "BW",       3, PL_AGGREGATE_MEAN,    1,      6},
  [PL_METRIC_IMPACT]               = {"impact_g",              "g",        3, PL_AGGREGATE_MEAN,    0,     16},
  [PL_METRIC_LEG_STIFFNESS]        = {"leg_stiffness_kn_m",    "kN/m",     1, PL_AGGREGATE_MEAN,    1,     60},
  [PL_METRIC_TRUNK_LEAN]           = {"trunk_lean_deg",        "deg",      1, PL_AGGREGATE_MEAN,  -40,     60},
  [PL_METRIC_LATERAL_LEAN]         = {"lateral_lean_deg",      "deg",      1, PL_AGGREGATE_MEAN,  -40,     40},
  [PL_METRIC_PELVIC_TILT]          = {"pelvic_tilt_deg",       "deg",      1, PL_AGGREGATE_MEAN,  -40,     40},
  [PL_METRIC_PELVIC_DROP]          = {"pelvic_drop_deg",       "deg",      1, PL_AGGREGATE_MEAN,  -30,     30},
  [PL_METRIC_PELVIC_ROLL]          = {"pelvic_roll_deg",       "deg",      1, PL_AGGREGATE_MEAN,    0,     60},
  [PL_METRIC_PELVIC_ROTATION]      = {"pelvic_rotation_deg",   "deg",      1, PL_AGGREGATE_MEAN,    0,     90},
  [PL_METRIC_LUMBAR_FLEXION]       = {"lumbar_flexion_deg",    "deg",      1, PL_AGGREGATE_MEAN,  -60,     60},
  [PL_METRIC_HEAD_PITCH]           = {"head_pitch_deg",        "deg",      1, PL_AGGREGATE_MEAN,  -60,     90},
  [PL_METRIC_SHOULDER_ROUNDING]    = {"shoulder_rounding_deg", "deg",      1, PL_AGGREGATE_MEAN,  -60,     60},
  [PL_METRIC_SWAY_RATIO]           = {"sway_ratio",            "",         3, PL_AGGREGATE_MEAN,    0,      1},
  [PL_METRIC_FORM_DRIFT]           = {"form_drift",            "",         1, PL_AGGREGATE_MEAN,    0,    100},
  [PL_METRIC_TRIMP]                = {"trimp",                 "",         1, PL_AGGREGATE_LAST,    0, 100000},
  [PL_METRIC_MECHANICAL_LOAD]      = {"mechanical_load",       "",         1, PL_AGGREGATE_LAST,    0,    1e9},
  [PL_METRIC_DECOUPLING]           = {"decoupling_pct",        "%",        1, PL_AGGREGATE_LAST, -100,    100},
};
/* clang-format on */

int
pl_metric_find(const char *id) {
  for (int i = 0; i < PL_METRIC_COUNT; i++)
    if (strcmp(pl_metrics[i].id, id) == 0)
      return i;
  return -1;
}

const char *
pl_missing_name(PlMissing missing) {
  static const char *const names[PL_MISSING_COUNT] = {
      [PL_MISSING_NOT] = "",
      [PL_MISSING_NO_SENSOR] = "no-sensor",
      [PL_MISSING_STALE] = "stale",
      [PL_MISSING_NOT_CALIBRATED] = "not-calibrated",
      [PL_MISSING_NOT_RUNNING] = "not-running",
      [PL_MISSING_SLIPPED] = "slipped",
      [PL_MISSING_HILL] = "hill",
      [PL_MISSING_SETTLING] = "settling",
      [PL_MISSING_LOW_QUALITY] = "low-quality",
  };
  return (unsigned)missing < PL_MISSING_COUNT ? names[missing] : "";
}
