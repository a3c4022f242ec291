/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/cadence.h"

#include <glib.h>
#include <math.h>

static PlCadence
unknown_sensor(void) {
  PlCadence cadence;
  pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_AUTO, NULL);
  return cadence;
}

/* The same packet `count` times; what comes out last. */
static double
send(PlCadence *cadence, unsigned count, double raw, double speed_m_s) {
  double steps = NAN;
  for (unsigned i = 0; i < count; i++)
    steps = pl_cadence_steps(cadence, raw, speed_m_s, NAN, NAN);
  return steps;
}

/* One packet of an unknown sensor: what is made of it at once, and what ten of them prove. */
typedef struct {
  const char *name;
  double raw, speed_m_s, length_m, motion_spm;
  double steps;
  PlCadenceUnit latch; /* after ten */
  bool proven;
} Row;

#define NONE    PL_CADENCE_AUTO
#define STEPS   PL_CADENCE_STEPS
#define STRIDES PL_CADENCE_STRIDES

static const Row rows[] = {
    /* packets of real sensors */
    {"runn", 187, 401 / 256.0, NAN, NAN, 187, STEPS, true},
    {"technogym-run", 161, 860 / 256.0, 1.30, NAN, 161, STEPS, true},
    {"technogym-run-slow", 133, 441 / 256.0, 0.94, NAN, 133, STEPS, true},
    {"technogym-my-run", 51, 185 / 256.0, NAN, NAN, 102, STRIDES, false},
    /* running */
    {"run-strides", 87, 3.0, NAN, NAN, 174, STRIDES, true},
    {"run-strides-and-length", 90, 3.0, 2.00, NAN, 180, STRIDES, true},
    {"run-steps-and-length", 170, 3.0, 1.06, NAN, 170, STEPS, true},
    {"sprint-strides", 110, 8.0, NAN, NAN, 220, STRIDES, true},
    {"slow-jog-steps", 150, 1.5, NAN, NAN, 150, STEPS, true},
    {"hurried-walk-steps", 115, 2.0, NAN, NAN, 115, NONE, false},
    {"sprint-strides-fast", 125, 5.0, NAN, NAN, 250, NONE, false},
    /* walking */
    {"walk-steps", 110, 1.4, NAN, NAN, 110, STEPS, false},
    {"walk-strides", 55, 1.4, NAN, NAN, 110, STRIDES, false},
    {"brisk-steps", 120, 1.75, NAN, NAN, 120, NONE, false},
    {"brisk-strides", 62, 1.75, NAN, NAN, 124, STRIDES, false},
    {"slow-walk-steps", 90, 0.9, NAN, NAN, 90, NONE, false},
    {"hike-strides-43", 43, 1.0, NAN, NAN, 86, STRIDES, false},
    {"hike-strides-64", 64, 1.0, NAN, NAN, 128, NONE, false},
    {"shuffle", 55, 0.5, NAN, NAN, 55, NONE, false},
    /* without a speed */
    {"no-speed-runner", 85, NAN, NAN, NAN, 170, NONE, false},
    {"no-speed-steps", 165, NAN, NAN, NAN, 165, STEPS, true},
    {"speed-0-runner", 85, 0, NAN, NAN, 170, NONE, false},
    /* the length tells: of a step with strides, of a stride with steps */
    {"length-of-step", 64, 1.0, 0.47, NAN, 128, STRIDES, false},
    {"length-of-stride", 80, 1.0, 1.50, NAN, 80, STEPS, false},
    {"length-agrees", 80, 1.0, 0.75, NAN, 80, NONE, false},
    /* a motion sensor settles it, unless it says something else altogether */
    {"motion-steps", 85, 1.5, NAN, 86, 85, STEPS, true},
    {"motion-strides", 85, 1.5, NAN, 168, 170, STRIDES, true},
    {"motion-against-speed", 100, 2.2, NAN, 101, 100, STEPS, true},
    {"motion-of-another", 87, 3.0, NAN, 130, 174, STRIDES, true},
    {"motion-zero", 87, 3.0, NAN, 0, 174, STRIDES, true},
};

static void
test_row(const void *data) {
  const Row *row = data;
  PlCadence cadence = unknown_sensor();

  for (unsigned i = 0; i < 10; i++) {
    g_assert_cmpint(cadence.latch, ==, PL_CADENCE_AUTO);
    double steps =
        pl_cadence_steps(&cadence, row->raw, row->speed_m_s, row->length_m, row->motion_spm);
    g_assert_cmpfloat(steps, ==, row->steps);
  }
  g_assert_cmpint(cadence.latch, ==, row->latch);
  g_assert_cmpint(pl_cadence_learnt(&cadence), ==,
                  row->proven ? cadence.latch : PL_CADENCE_AUTO);
}

/* On both sides of each limit: which unit ten such packets latch. */
static void
test_limits(void) {
  static const struct {
    double raw, speed_m_s, length_m;
    PlCadenceUnit latch;
  } cases[] = {
      {130, NAN, NAN, STEPS},
      {129, NAN, NAN, NONE},
      {110, 1.91, NAN, STRIDES},
      {111, 1.91, NAN, NONE},
      {110, 1.90, NAN, NONE},
      {95, 1.90, NAN, STRIDES},
      {96, 1.90, NAN, NONE},
      {95, 1.68, NAN, STRIDES},
      {95, 1.67, NAN, NONE},
      {100, 1.67, NAN, STEPS},
      {99, 1.67, NAN, NONE},
      {59, 1.67, NAN, STRIDES},
      {60, 1.67, NAN, NONE},
      {59, 0.70, NAN, STRIDES},
      {59, 0.69, NAN, NONE},
      {100, 0, NAN, STEPS},
      {100, NAN, NAN, NONE},
      /* 75 a minute at 1 m/s is 0.8 m each: 1.55, 1.65, 2.4 and 2.6 times the length, and the
       * other way round */
      {75, 1, 0.8 / 1.55, NONE},
      {75, 1, 0.8 / 1.65, STRIDES},
      {75, 1, 0.8 / 2.4, STRIDES},
      {75, 1, 0.8 / 2.6, NONE},
      {75, 1, 0.8 * 1.55, NONE},
      {75, 1, 0.8 * 1.65, STEPS},
      {75, 1, 0.8 * 2.4, STEPS},
      {75, 1, 0.8 * 2.6, NONE},
      {75, 0.29, 0.1, NONE},
      {75, 0.30, 0.12, STRIDES},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    PlCadence cadence = unknown_sensor();
    for (unsigned packet = 0; packet < 10; packet++)
      pl_cadence_steps(&cadence, cases[i].raw, cases[i].speed_m_s, cases[i].length_m, NAN);
    g_assert_cmpint(cadence.latch, ==, cases[i].latch);
  }
}

static void
test_nothing(void) {
  PlCadence cadence = unknown_sensor();

  g_assert_true(isnan(pl_cadence_steps(&cadence, NAN, 3, NAN, 170)));
  g_assert_cmpfloat(pl_cadence_steps(&cadence, 0, 3, NAN, NAN), ==, 0);
  send(&cadence, 100, 0, 0);
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_AUTO);
}

/* What the configuration says is never doubted. */
static void
test_configured(void) {
  PlCadence cadence;

  pl_cadence_init(&cadence, PL_CADENCE_STRIDES, PL_CADENCE_STEPS, "Runn 1234");
  g_assert_cmpfloat(send(&cadence, 100, 165, 3), ==, 330);
  pl_cadence_init(&cadence, PL_CADENCE_STEPS, PL_CADENCE_STRIDES, "Stryd");
  g_assert_cmpfloat(send(&cadence, 100, 85, 3), ==, 85);
}

static void
test_names(void) {
  static const struct {
    const char *name;
    double steps; /* of 80 at 1 m/s, which says nothing by itself but looks like steps */
    PlCadenceUnit latch;
  } cases[] = {
      {"TICKR X 1A2B", 80, PL_CADENCE_STEPS},
      {"Runn 0123", 80, PL_CADENCE_STEPS},
      {"Zwift RunPod", 160, PL_CADENCE_STRIDES},
      {"Stryd", 160, PL_CADENCE_STRIDES},
      {"Polar RUN 1234", 160, PL_CADENCE_STRIDES},
      {"HRM-Pro:1", 80, PL_CADENCE_AUTO},
      {"TICKR", 80, PL_CADENCE_AUTO},
      {"", 80, PL_CADENCE_AUTO},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    PlCadence cadence;
    pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_AUTO, cases[i].name);
    g_assert_cmpint(cadence.latch, ==, cases[i].latch);
    g_assert_cmpfloat(send(&cadence, 1, 80, 1), ==, cases[i].steps);
    g_assert_cmpint(pl_cadence_learnt(&cadence), ==, PL_CADENCE_AUTO);
  }
}

/* A name is a hint: ten packets that can not be wrong overrule it. */
static void
test_name_is_wrong(void) {
  PlCadence cadence;

  pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_AUTO, "Runn 0123");
  g_assert_cmpfloat(send(&cadence, 9, 85, 3), ==, 85);
  g_assert_cmpfloat(send(&cadence, 1, 85, 3), ==, 170);
  g_assert_cmpint(pl_cadence_learnt(&cadence), ==, PL_CADENCE_STRIDES);
}

/* ... and 30 that may be. */
static void
test_name_is_doubtful(void) {
  PlCadence cadence;

  pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_AUTO, "Runn 0123");
  g_assert_cmpfloat(send(&cadence, 29, 55, 1.4), ==, 55);
  g_assert_cmpfloat(send(&cadence, 1, 55, 1.4), ==, 110);
}

/* What was learnt yesterday comes before the name, and takes 30 proofs to change. */
static void
test_stored(void) {
  PlCadence cadence;

  pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_STRIDES, "Runn 0123");
  g_assert_cmpfloat(send(&cadence, 1, 80, 1), ==, 160);
  g_assert_cmpint(pl_cadence_learnt(&cadence), ==, PL_CADENCE_STRIDES);
  send(&cadence, 1000, 110, 1.4); /* walks that look like steps prove nothing */
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_STRIDES);
  send(&cadence, 29, 165, 3);
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_STRIDES);
  send(&cadence, 1, 85, 3); /* one to the contrary, and the count begins again */
  send(&cadence, 29, 165, 3);
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_STRIDES);
  send(&cadence, 1, 165, 3);
  g_assert_cmpint(pl_cadence_learnt(&cadence), ==, PL_CADENCE_STEPS);
}

/* Even with a wrong latch nobody makes 330 steps a minute. */
static void
test_impossible(void) {
  PlCadence cadence;

  pl_cadence_init(&cadence, PL_CADENCE_AUTO, PL_CADENCE_STRIDES, NULL);
  g_assert_cmpfloat(send(&cadence, 1, 165, 3), ==, 165);
  g_assert_cmpfloat(send(&cadence, 1, 130, 1), ==, 260);
  g_assert_cmpfloat(send(&cadence, 1, 131, 1), ==, 131);
}

/* Votes have to come in a row; packets without a vote do not break it. */
static void
test_in_a_row(void) {
  PlCadence cadence = unknown_sensor();

  send(&cadence, 9, 85, 3);
  send(&cadence, 1, 140, 1.8);
  send(&cadence, 9, 85, 3);
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_AUTO);
  send(&cadence, 50, 80, 1);
  send(&cadence, 1, 85, 3);
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_STRIDES);
}

/* A walk latches, and the run that follows proves it. */
static void
test_walk_then_run(void) {
  PlCadence cadence = unknown_sensor();

  send(&cadence, 60, 55, 1.4);
  g_assert_cmpint(cadence.latch, ==, PL_CADENCE_STRIDES);
  g_assert_cmpint(pl_cadence_learnt(&cadence), ==, PL_CADENCE_AUTO);
  send(&cadence, 10, 85, 3);
  g_assert_cmpint(pl_cadence_learnt(&cadence), ==, PL_CADENCE_STRIDES);
}

/* A run proves steps; hours of climbing at 45 steps a minute, which look like strides, do not
 * undo it. */
static void
test_run_then_climb(void) {
  PlCadence cadence = unknown_sensor();

  send(&cadence, 10, 165, 2.7);
  g_assert_cmpfloat(send(&cadence, 7200, 45, 0.9), ==, 45);
}

static void
test_step_length(void) {
  static const struct {
    double raw, steps, speed_m_s, length_m, step_m;
  } cases[] = {
      {170, 170, 3.0, 1.06, 1.06}, /* steps, of a step */
      {90, 180, 3.0, 2.00, 1.00},  /* strides, of a stride */
      {90, 180, 3.0, 1.00, 1.00},  /* strides, of a step */
      {161, 161, 860 / 256.0, 1.30, 1.30}, {165, 165, 3.0, 2.18, 1.09}, /* steps, of a stride */
      {90, 180, NAN, 2.00, 1.00}, /* no speed: like the cadence */
      {170, 170, 0, 1.06, 1.06},           {90, 180, 3.0, 0.60, NAN}, /* fits neither */
      {90, 180, 3.0, 3.00, NAN},           {90, 180, 3.0, NAN, NAN},    {0, 0, 3.0, 1.00, NAN},
      {NAN, NAN, 3.0, 1.00, NAN},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    double step_m = pl_cadence_step_length(cases[i].raw, cases[i].steps, cases[i].speed_m_s,
                                           cases[i].length_m);
    if (isnan(cases[i].step_m))
      g_assert_true(isnan(step_m));
    else
      g_assert_cmpfloat_with_epsilon(step_m, cases[i].step_m, 1e-12);
  }
}

/* Runs of real people, recorded in strides a minute, as a pod of either kind would send them.
 */
static const char *const recorded_runs[] = {
    "coros-10k-rd-power",
    "fenix2-9km-rd-with-reference-csv",
    "fenix5x-4x1000m-intervals-rr-rd-stryd",
    "fenix5x-ironman-run-leg-rr-rd-stryd",
    "fr945-triathlon-run-leg-rr-rd-stryd",
    "stryd-71min-easy-rr",
    "suunto9-mountain-uphill-rr",
};

static char *
recorded_run(const char *name) {
  const char *directory = g_getenv("PLUMBLINE_DATA");
  if (directory)
    return g_build_filename(directory, "runs", name, "records.csv", NULL);
  return g_test_build_filename(G_TEST_DIST, "..", "shared", "data", "runs", name, "records.csv",
                               NULL);
}

static unsigned
column_of(char **header, const char *name) {
  unsigned column = 0;
  while (header[column] && !g_str_equal(header[column], name))
    column++;
  g_assert_nonnull(header[column]);
  return column;
}

/* Packets with a wrong number of steps, of a pod that sends `unit`. */
static unsigned
count_wrong(char **lines, PlCadenceUnit unit, PlCadence *cadence) {
  g_auto(GStrv) header = g_strsplit(lines[0], ",", -1);
  unsigned speed = column_of(header, "speed_mps"), strides = column_of(header, "cadence_rpm");
  unsigned wrong = 0;

  *cadence = unknown_sensor();
  for (char **line = lines + 1; *line && **line; line++) {
    g_auto(GStrv) cell = g_strsplit(*line, ",", -1);
    if (*cell[speed] == '\0' || *cell[strides] == '\0')
      continue;
    double steps = 2 * g_ascii_strtod(cell[strides], NULL);
    double raw = unit == PL_CADENCE_STEPS ? steps : steps / 2;
    double speed_m_s = g_ascii_strtod(cell[speed], NULL);
    wrong += pl_cadence_steps(cadence, raw, speed_m_s, NAN, NAN) != steps;
  }
  return wrong;
}

static void
test_recorded(const void *data) {
  g_autofree char *path = recorded_run(data);
  g_autofree char *text = NULL;

  if (!g_file_get_contents(path, &text, NULL, NULL)) {
    g_test_skip("no recordings; PLUMBLINE_DATA names their directory");
    return;
  }
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (PlCadenceUnit unit = PL_CADENCE_STEPS; unit <= PL_CADENCE_STRIDES; unit++) {
    PlCadence cadence;
    g_assert_cmpuint(count_wrong(lines, unit, &cadence), <=, 5);
    g_assert_cmpint(pl_cadence_learnt(&cadence), ==, unit);
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strdup_printf("/core/cadence/packet/%s", rows[i].name);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  for (unsigned i = 0; i < G_N_ELEMENTS(recorded_runs); i++) {
    g_autofree char *path = g_strdup_printf("/core/cadence/recorded/%s", recorded_runs[i]);
    g_test_add_data_func(path, recorded_runs[i], test_recorded);
  }
  g_test_add_func("/core/cadence/limits", test_limits);
  g_test_add_func("/core/cadence/nothing", test_nothing);
  g_test_add_func("/core/cadence/configured", test_configured);
  g_test_add_func("/core/cadence/names", test_names);
  g_test_add_func("/core/cadence/name-is-wrong", test_name_is_wrong);
  g_test_add_func("/core/cadence/name-is-doubtful", test_name_is_doubtful);
  g_test_add_func("/core/cadence/stored", test_stored);
  g_test_add_func("/core/cadence/impossible", test_impossible);
  g_test_add_func("/core/cadence/in-a-row", test_in_a_row);
  g_test_add_func("/core/cadence/walk-then-run", test_walk_then_run);
  g_test_add_func("/core/cadence/run-then-climb", test_run_then_climb);
  g_test_add_func("/core/cadence/step-length", test_step_length);
  return g_test_run();
}
