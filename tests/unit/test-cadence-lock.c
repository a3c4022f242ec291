/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/cadence-lock.h"

#include <glib.h>
#include <math.h>

/* `seconds` of it; whether it is locked at the end. */
static bool
step(PlCadenceLock *lock, unsigned seconds, double heart_rate_bpm, double cadence_spm) {
  bool locked = false;
  for (unsigned i = 0; i < seconds; i++)
    locked = pl_cadence_lock_step(lock, heart_rate_bpm, cadence_spm);
  return locked;
}

/* The band follows the step rate from 160 to 164. */
static void
test_locked(void) {
  PlCadenceLock lock;
  pl_cadence_lock_init(&lock);
  g_assert_false(step(&lock, 30, 162, 160));
  g_assert_false(step(&lock, 29, 162, 164));
  g_assert_true(step(&lock, 1, 162, 164));
  g_assert_true(step(&lock, 600, 163, 163));
}

/* A heart rate that happens to be near an even step rate proves nothing. */
static void
test_coincidence(void) {
  PlCadenceLock lock;
  pl_cadence_lock_init(&lock);
  g_assert_false(step(&lock, 1000, 160, 160));
  g_assert_false(step(&lock, 1000, 161, 163.9));
  g_assert_true(step(&lock, 1, 162, 164)); /* and then it follows */
}

static void
test_distance(void) {
  PlCadenceLock lock;
  pl_cadence_lock_init(&lock);
  step(&lock, 59, 163, 160);
  step(&lock, 1, 163.1, 160); /* too far off: from the beginning */
  g_assert_false(step(&lock, 59, 161, 164));
  g_assert_false(step(&lock, 1, 161, 164));
  g_assert_true(step(&lock, 1, 163, 160));
  g_assert_false(step(&lock, 1, 156, 160));
}

static void
test_unknown(void) {
  PlCadenceLock lock;
  pl_cadence_lock_init(&lock);
  step(&lock, 30, 160, 160);
  g_assert_false(step(&lock, 1, NAN, 164));
  g_assert_false(step(&lock, 59, 164, 164));
  g_assert_false(step(&lock, 1, 164, NAN));
  g_assert_false(step(&lock, 60, 0, 0));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cadence-lock/locked", test_locked);
  g_test_add_func("/cadence-lock/coincidence", test_coincidence);
  g_test_add_func("/cadence-lock/distance", test_distance);
  g_test_add_func("/cadence-lock/unknown", test_unknown);
  return g_test_run();
}
