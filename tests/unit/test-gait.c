/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/gait.h"

#include <glib.h>
#include <math.h>

static PlGait
step(PlGaitMachine *machine, unsigned seconds, PlGaitInput input) {
  PlGait gait = PL_GAIT_UNKNOWN;
  for (unsigned i = 0; i < seconds; i++)
    gait = pl_gait_step(machine, &input);
  return gait;
}

static const PlGaitInput running = {3.0, 170, true, false};
static const PlGaitInput walking = {1.4, 110, false, false};
static const PlGaitInput standing = {0, 0, false, false};
static const PlGaitInput nothing = {NAN, NAN, false, false};

/* What ten seconds of it are. */
static void
test_table(void) {
  static const struct {
    PlGaitInput input;
    PlGait gait;
  } cases[] = {
      {{3.0, 170, true, false}, PL_GAIT_RUN},
      {{3.0, 170, false, false}, PL_GAIT_RUN}, /* the bit proves nothing when it is clear */
      {{1.9, 130, false, false}, PL_GAIT_RUN},
      {{1.89, 130, false, false}, PL_GAIT_WALK},
      {{1.9, 129, false, false}, PL_GAIT_WALK},
      {{1.0, 130, true, false}, PL_GAIT_RUN},
      {{1.0, 129, true, false}, PL_GAIT_WALK},
      {{1.4, 140, false, false}, PL_GAIT_RUN}, /* beginners */
      {{1.39, 140, false, false}, PL_GAIT_WALK},
      {{1.4, 139, false, false}, PL_GAIT_WALK},
      {{2.2, 120, false, false}, PL_GAIT_WALK},
      {{0.3, 0, false, false}, PL_GAIT_WALK},
      {{0.29, 0, false, false}, PL_GAIT_STAND},
      {{0, 40, false, false}, PL_GAIT_WALK},
      {{0, 0, false, false}, PL_GAIT_STAND},
      {{NAN, 170, true, false}, PL_GAIT_RUN},
      {{NAN, 170, false, false}, PL_GAIT_WALK},
      {{3.0, NAN, false, false}, PL_GAIT_WALK},
      {{NAN, NAN, true, false}, PL_GAIT_UNKNOWN},
      /* on a belt the speed alone tells */
      {{0.5, NAN, false, true}, PL_GAIT_RUN},
      {{0.49, NAN, false, true}, PL_GAIT_WALK},
      {{0, NAN, false, true}, PL_GAIT_STAND},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    PlGaitMachine machine;
    pl_gait_init(&machine);
    g_assert_cmpint(step(&machine, 10, cases[i].input), ==, cases[i].gait);
  }
}

static void
test_enters_run(void) {
  PlGaitMachine machine;
  pl_gait_init(&machine);
  g_assert_cmpint(step(&machine, 4, running), ==, PL_GAIT_WALK);
  g_assert_cmpint(step(&machine, 1, walking), ==, PL_GAIT_WALK);
  g_assert_cmpint(step(&machine, 4, running), ==, PL_GAIT_WALK);
  g_assert_cmpint(step(&machine, 1, running), ==, PL_GAIT_RUN);
}

/* Two seconds of anything else do not end a run, the third does. */
static void
test_leaves_run(void) {
  PlGaitMachine machine;
  pl_gait_init(&machine);
  step(&machine, 10, running);
  g_assert_cmpint(step(&machine, 2, walking), ==, PL_GAIT_RUN);
  g_assert_cmpint(step(&machine, 1, running), ==, PL_GAIT_RUN);
  g_assert_cmpint(step(&machine, 2, walking), ==, PL_GAIT_RUN);
  g_assert_cmpint(step(&machine, 1, walking), ==, PL_GAIT_WALK);
  step(&machine, 10, running);
  g_assert_cmpint(step(&machine, 2, standing), ==, PL_GAIT_RUN);
  g_assert_cmpint(step(&machine, 1, standing), ==, PL_GAIT_STAND);
}

static void
test_stands(void) {
  PlGaitMachine machine;
  pl_gait_init(&machine);
  g_assert_cmpint(step(&machine, 2, standing), ==, PL_GAIT_UNKNOWN);
  g_assert_cmpint(step(&machine, 1, standing), ==, PL_GAIT_STAND);
  g_assert_cmpint(step(&machine, 1, walking), ==, PL_GAIT_WALK);
  g_assert_cmpint(step(&machine, 2, standing), ==, PL_GAIT_WALK);
  g_assert_cmpint(step(&machine, 1, standing), ==, PL_GAIT_STAND);
}

/* Nothing known is unknown at once, and nothing of before counts. */
static void
test_unknown(void) {
  PlGaitMachine machine;
  pl_gait_init(&machine);
  step(&machine, 10, running);
  g_assert_cmpint(step(&machine, 1, nothing), ==, PL_GAIT_UNKNOWN);
  g_assert_cmpint(step(&machine, 4, running), ==, PL_GAIT_WALK);
  g_assert_cmpint(step(&machine, 1, running), ==, PL_GAIT_RUN);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/gait/table", test_table);
  g_test_add_func("/gait/enters-run", test_enters_run);
  g_test_add_func("/gait/leaves-run", test_leaves_run);
  g_test_add_func("/gait/stands", test_stands);
  g_test_add_func("/gait/unknown", test_unknown);
  return g_test_run();
}
