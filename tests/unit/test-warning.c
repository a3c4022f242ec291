/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/warning.h"

#include <glib.h>
#include <math.h>

static const int64_t second = 1000000;

typedef struct {
  const char *code, *unit;
  PlSeverity severity;
  PlEvidence evidence;
  double hold_s, clear_s, cooldown_s;
} Row;

#define INFO     PL_SEVERITY_INFO
#define WATCH    PL_SEVERITY_WATCH
#define ACT      PL_SEVERITY_ACT
#define CRITICAL PL_SEVERITY_CRITICAL
#define CUSTOM   PL_EVIDENCE_CONVENTION
#define WEAK     PL_EVIDENCE_WEAK
#define MODERATE PL_EVIDENCE_MODERATE

/* clang-format off */
static const Row catalogue[] = {
  {"red-flag",          NULL,    CRITICAL, CUSTOM,     0,  0,   0},
  {"pain-stop",         "score", CRITICAL, CUSTOM,     0,  0, 300},
  {"distance-spike",    "m",     ACT,      MODERATE,   0,  0,   0},
  {"trunk-lean-drift",  "deg",   WATCH,    WEAK,      30, 20, 300},
  {"lumbar-rounding",   "deg",   WATCH,    WEAK,      30, 20, 300},
  {"lumbar-arching",    "deg",   WATCH,    WEAK,      30, 20, 300},
  {"pelvic-drop",       "deg",   WATCH,    WEAK,      45, 30, 300},
  {"trunk-lean",        "deg",   INFO,     WEAK,      60, 30, 600},
  {"trunk-lean-back",   "deg",   INFO,     CUSTOM,    60, 30, 600},
  {"side-lean",         "deg",   INFO,     CUSTOM,    60, 30, 600},
  {"head-down",         "deg",   INFO,     CUSTOM,    20, 10, 600},
  {"shoulder-rounding", "deg",   INFO,     CUSTOM,    60, 30, 600},
  {"cadence-drop",      "spm",   WATCH,    WEAK,      60, 30, 600},
  {"impact-rise",       "g",     WATCH,    WEAK,      60, 30, 600},
  {"sway-rise",         "ratio", WATCH,    WEAK,      60, 30, 600},
  {"form-fading",       "count", ACT,      WEAK,       0,  0, 300},
  {"heart-rate-cap",    "bpm",   WATCH,    CUSTOM,    60, 30, 300},
  {"heart-drift",       "%",     INFO,     CUSTOM,   120,  0,   0},
  {"effort-high",       "ratio", INFO,     WEAK,     120, 60, 600},
  {"sensor-problem",    NULL,    INFO,     CUSTOM,    10, 10, 300},
};
/* clang-format on */

static void
test_catalogue(void) {
  g_assert_cmpint(PL_WARNING_COUNT, ==, G_N_ELEMENTS(catalogue));
  for (unsigned i = 0; i < G_N_ELEMENTS(catalogue); i++) {
    const Row *row = &catalogue[i];
    int code = pl_warning_find(row->code);
    g_assert_cmpint(code, >=, 0);
    const PlWarningDef *def = &pl_warnings[code];
    g_assert_cmpstr(def->unit, ==, row->unit);
    g_assert_cmpint(def->severity, ==, row->severity);
    g_assert_cmpint(def->evidence, ==, row->evidence);
    g_assert_true(def->limits.enabled);
    g_assert_cmpfloat(def->limits.hold_s, ==, row->hold_s);
    g_assert_cmpfloat(def->limits.clear_s, ==, row->clear_s);
    g_assert_cmpfloat(def->limits.cooldown_s, ==, row->cooldown_s);
  }
  g_assert_cmpint(pl_warning_find("W-SPIKE"), ==, -1);
}

static void
test_names(void) {
  static const char *const states[] = {"raised", "cleared", "suppressed", "acknowledged"};
  g_assert_cmpstr(pl_severity_name(CRITICAL), ==, "critical");
  g_assert_cmpstr(pl_severity_name(ACT), ==, "act");
  g_assert_cmpstr(pl_severity_name(WATCH), ==, "watch");
  g_assert_cmpstr(pl_severity_name(INFO), ==, "info");
  g_assert_cmpstr(pl_evidence_name(CUSTOM), ==, "convention");
  g_assert_cmpstr(pl_evidence_name(WEAK), ==, "weak");
  g_assert_cmpstr(pl_evidence_name(MODERATE), ==, "moderate");
  g_assert_cmpstr(pl_evidence_name(PL_EVIDENCE_STRONG), ==, "strong");
  for (int i = 0; i < (int)G_N_ELEMENTS(states); i++) {
    g_assert_cmpstr(pl_warning_state_name((PlWarningState)i), ==, states[i]);
    g_assert_cmpint(pl_warning_state_find(states[i]), ==, i);
  }
  g_assert_cmpint(pl_warning_state_find("over"), ==, -1);
}

/* -- the machine ------------------------------------------------------------------------- */

static const PlWarningLimits limits = {
    .enabled = true, .enter = 5, .exit = 3.5, .hold_s = 10, .clear_s = 10, .cooldown_s = 300};

typedef struct {
  PlWarningMachine machine;
  PlWarningLimits limits;
  int t;         /* seconds */
  GString *said; /* " 42 raised 92 cleared" */
} Bench;

static void
bench_init(Bench *bench, const PlWarningLimits *of) {
  *bench = (Bench){.limits = *of, .said = g_string_new(NULL)};
  pl_warning_machine_init(&bench->machine);
}

static void
feed(Bench *bench, double value, int seconds) {
  for (int i = 0; i < seconds; i++, bench->t++) {
    PlWarningState state;
    if (pl_warning_machine_step(&bench->machine, &bench->limits, value, bench->t * second,
                                &state))
      g_string_append_printf(bench->said, " %d %s", bench->t, pl_warning_state_name(state));
  }
}

static void
assert_said(Bench *bench, const char *said) {
  g_assert_cmpstr(bench->said->str, ==, said);
  g_string_free(bench->said, TRUE);
}

/* The excursion of 8 s is too short, the second one comes within the cooldown. */
static void
test_course(void) {
  static const struct {
    double value;
    int seconds;
  } course[] = {{3, 20}, {6, 8}, {3, 5}, {5.5, 30}, {4.2, 20}, {3.0, 15}, {6, 20}, {2, 20}};
  Bench bench;
  bench_init(&bench, &limits);
  for (unsigned i = 0; i < G_N_ELEMENTS(course); i++)
    feed(&bench, course[i].value, course[i].seconds);
  assert_said(&bench, " 42 raised 92 cleared 107 suppressed 127 cleared");
}

/* On its limits: at enter it holds, at exit it does not clear. */
static void
test_limits(void) {
  Bench bench;
  bench_init(&bench, &limits);
  feed(&bench, 4.999, 30);
  feed(&bench, 5, 10);
  feed(&bench, 3.5, 30);
  feed(&bench, 3.499, 10);
  feed(&bench, 5, 9); /* at once, and not long enough */
  feed(&bench, 4, 1);
  assert_said(&bench, " 39 raised 79 cleared");
}

/* What is not known neither raises nor clears; the hold begins again, the clearing goes on. */
static void
test_unknown(void) {
  Bench bench;
  bench_init(&bench, &limits);
  feed(&bench, 6, 9);
  feed(&bench, NAN, 1);
  feed(&bench, 6, 9);
  feed(&bench, NAN, 100);
  feed(&bench, 6, 10); /* 119..128 */
  feed(&bench, NAN, 1000);
  feed(&bench, 3, 5);
  feed(&bench, NAN, 100);
  feed(&bench, 3, 5); /* 1234..1238 */
  assert_said(&bench, " 128 raised 1238 cleared");
}

/* A hold of nothing raises at once, a clearing of nothing clears at once. */
static void
test_at_once(void) {
  PlWarningLimits quick = limits;
  Bench bench;
  quick.hold_s = quick.clear_s = quick.cooldown_s = 0;
  bench_init(&bench, &quick);
  feed(&bench, 4, 1);
  feed(&bench, 5, 3);
  feed(&bench, 3, 2);
  feed(&bench, 5, 1);
  assert_said(&bench, " 1 raised 4 cleared 6 raised");
}

/* The cooldown counts from the last one that was announced, and ends. */
static void
test_cooldown(void) {
  PlWarningLimits quick = limits;
  Bench bench;
  quick.hold_s = quick.clear_s = 1;
  bench_init(&bench, &quick);
  feed(&bench, 6, 1); /* 0 */
  feed(&bench, 0, 1);
  feed(&bench, 0, 297);
  feed(&bench, 6, 1); /* 299 */
  feed(&bench, 0, 1);
  feed(&bench, 6, 1); /* 301 */
  assert_said(&bench, " 0 raised 1 cleared 299 suppressed 300 cleared 301 raised");
}

/* Whatever comes: never announced twice within the cooldown, on and off take turns. */
static void
test_any_course(void) {
  for (unsigned seed = 0; seed < 200; seed++) {
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    PlWarningMachine machine;
    PlWarningLimits of = {.enabled = true, .enter = 5, .exit = 3.5};
    int64_t last_us = INT64_MIN / 2;
    bool on = false;
    double value = 4;
    of.hold_s = g_rand_int_range(random, 0, 20);
    of.clear_s = g_rand_int_range(random, 0, 20);
    of.cooldown_s = g_rand_int_range(random, 0, 400);
    pl_warning_machine_init(&machine);
    for (int t = 0; t < 3000; t++) {
      PlWarningState state;
      value += g_rand_double_range(random, -1, 1) + 0.1 * (4 - value);
      double seen = g_rand_int_range(random, 0, 50) == 0 ? NAN : value;
      if (!pl_warning_machine_step(&machine, &of, seen, t * second, &state))
        continue;
      g_assert_false(isnan(seen));
      g_assert_true((state == PL_WARNING_CLEARED) == on);
      on = !on;
      if (state != PL_WARNING_RAISED)
        continue;
      g_assert_cmpfloat((double)(t * second - last_us), >=, of.cooldown_s * 1e6);
      last_us = t * second;
    }
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/warning/catalogue", test_catalogue);
  g_test_add_func("/warning/names", test_names);
  g_test_add_func("/warning/machine/course", test_course);
  g_test_add_func("/warning/machine/limits", test_limits);
  g_test_add_func("/warning/machine/unknown", test_unknown);
  g_test_add_func("/warning/machine/at-once", test_at_once);
  g_test_add_func("/warning/machine/cooldown", test_cooldown);
  g_test_add_func("/warning/machine/any-course", test_any_course);
  return g_test_run();
}
