/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/frame.h"
#include "gateway/core/metric.h"

#include <glib.h>
#include <math.h>
#include <string.h>

/* The measured values of a live message, with the decimals that their units have: a tenth for
 * bpm, degrees, milliseconds, watts, percent and loads, a thousandth for m/s and ratios, none
 * for codes. */
static const struct {
  const char *id;
  unsigned decimals;
} published[] = {
    {"heart_rate_bpm", 1},
    {"heart_zone", 0},
    {"rmssd_ms", 1},
    {"dfa_alpha1", 3},
    {"respiration_per_min", 1},
    {"speed_m_s", 3},
    {"pace_s_per_km", 1},
    {"cadence_spm", 1},
    {"step_length_m", 3}, /* a tenth of a metre would hide every change of a step */
    {"power_w", 1},
    {"incline_pct", 1},
    {"ground_contact_ms", 1},
    {"flight_ms", 1},
    {"duty_factor", 3},
    {"vertical_oscillation_mm", 1},
    {"vertical_ratio_pct", 1},
    {"balance_left_pct", 1},
    {"peak_force_bw", 3},
    {"impact_g", 3},
    {"leg_stiffness_kn_m", 1},
    {"trunk_lean_deg", 1},
    {"lateral_lean_deg", 1},
    {"pelvic_tilt_deg", 1},
    {"pelvic_drop_deg", 1},
    {"pelvic_roll_deg", 1},
    {"pelvic_rotation_deg", 1},
    {"lumbar_flexion_deg", 1},
    {"head_pitch_deg", 1},
    {"shoulder_rounding_deg", 1},
    {"sway_ratio", 3},
    {"form_drift", 1},
    {"trimp", 1},
    {"mechanical_load", 1},
    {"decoupling_pct", 1},
};

static void
test_table(void) {
  g_assert_cmpint(PL_METRIC_COUNT, ==, G_N_ELEMENTS(published));
  for (unsigned i = 0; i < G_N_ELEMENTS(published); i++) {
    int metric = pl_metric_find(published[i].id);
    g_assert_cmpint(metric, >=, 0);
    g_assert_cmpuint(pl_metrics[metric].decimals, ==, published[i].decimals);
    g_assert_cmpfloat(pl_metrics[metric].minimum, <, pl_metrics[metric].maximum);
    for (unsigned j = 0; j < i; j++)
      g_assert_cmpint(pl_metric_find(published[j].id), !=, metric);
  }
  g_assert_cmpint(pl_metric_find("heart_rate"), ==, -1);
  g_assert_cmpint(pl_metric_find(""), ==, -1);
}

/* The end of an id is its unit. */
static void
test_units(void) {
  static const struct {
    const char *end, *unit;
  } units[] = {
      {"_bpm", "bpm"}, {"_ms", "ms"},         {"_m_s", "m/s"}, {"_s_per_km", "s/km"},
      {"_spm", "spm"}, {"_w", "W"},           {"_pct", "%"},   {"_mm", "mm"},
      {"_bw", "BW"},   {"_g", "g"},           {"_deg", "deg"}, {"_kn_m", "kN/m"},
      {"_ratio", ""},  {"_per_min", "1/min"},
  };
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++)
      if (g_str_has_suffix(pl_metrics[m].id, units[i].end))
        g_assert_cmpstr(pl_metrics[m].unit, ==, units[i].unit);
  g_assert_cmpstr(pl_metrics[PL_METRIC_STEP_LENGTH].unit, ==, "m");
}

static void
test_missing(void) {
  static const char *const names[] = {
      "no-sensor", "stale", "not-calibrated", "not-running",
      "slipped",   "hill",  "settling",       "low-quality",
  };
  g_assert_cmpint(PL_MISSING_COUNT - 1, ==, G_N_ELEMENTS(names));
  for (int i = 1; i < PL_MISSING_COUNT; i++)
    g_assert_cmpstr(pl_missing_name((PlMissing)i), ==, names[i - 1]);
  g_assert_cmpstr(pl_missing_name(PL_MISSING_NOT), ==, "");
  g_assert_cmpstr(pl_missing_name(PL_MISSING_COUNT), ==, "");
}

static void
test_phases(void) {
  static const char *const names[] = {
      "idle", "calibrating", "warmup", "running", "walking", "paused", "ended",
  };
  g_assert_cmpint(PL_PHASE_COUNT, ==, G_N_ELEMENTS(names));
  for (int i = 0; i < PL_PHASE_COUNT; i++)
    g_assert_cmpstr(pl_phase_name((PlPhase)i), ==, names[i]);
  g_assert_cmpstr(pl_phase_name(PL_PHASE_COUNT), ==, "?");
}

/* 3 m/s is 5:33.33 a kilometre; slower than 0.5 m/s nobody has a pace. */
static void
test_pace(void) {
  g_assert_cmpfloat_with_epsilon(pl_pace_s_per_km(3), 333.333333, 1e-6);
  g_assert_cmpfloat_with_epsilon(pl_pace_s_per_km(0.5), 2000, 1e-9);
  g_assert_true(isnan(pl_pace_s_per_km(0.499)));
  g_assert_true(isnan(pl_pace_s_per_km(0)));
  g_assert_true(isnan(pl_pace_s_per_km(NAN)));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/metric/table", test_table);
  g_test_add_func("/metric/units", test_units);
  g_test_add_func("/metric/missing", test_missing);
  g_test_add_func("/metric/phases", test_phases);
  g_test_add_func("/metric/pace", test_pace);
  return g_test_run();
}
