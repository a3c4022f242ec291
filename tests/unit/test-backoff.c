/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/backoff.h"

#include <glib.h>

/* The delays of the table, each within 20 %. */
static void
assert_about(int64_t delay_us, double seconds) {
  g_assert_cmpfloat((double)delay_us, >=, 0.8e6 * seconds);
  g_assert_cmpfloat((double)delay_us, <=, 1.2e6 * seconds);
}

static void
test_growing(void) {
  static const double seconds[] = {1, 2, 4, 8, 15, 30, 30, 30};
  for (uint32_t seed = 1; seed <= 100; seed++) {
    PlBackoff backoff = {0};
    uint32_t random = seed;
    for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++)
      assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_FAILED, &random), seconds[i]);
    g_assert_cmpuint(backoff.failures, ==, G_N_ELEMENTS(seconds));
  }
}

static void
test_transient(void) {
  PlBackoff backoff = {0};
  uint32_t random = 1;
  for (unsigned round = 0; round < 2; round++) {
    for (unsigned i = 0; i < 9; i++)
      assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_TRANSIENT, &random), 0.25);
    for (unsigned i = 0; i < 9; i++)
      assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_TRANSIENT, &random), 30);
    pl_backoff_connected(&backoff);
  }
  /* Aborts do not make a timeout's delay longer. */
  assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_FAILED, &random), 1);
  assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_TRANSIENT, &random), 0.25);
}

static void
test_others(void) {
  PlBackoff backoff = {0};
  uint32_t random = 7;
  g_assert_cmpint(pl_backoff_delay(&backoff, PL_BACKOFF_DROPPED, &random), ==, 0);
  assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_PAUSE, &random), 4);
  g_assert_cmpuint(backoff.failures, ==, 0);
  assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_IN_PROGRESS, &random), 1);
  g_assert_cmpuint(backoff.failures, ==, 1);
}

static void
test_pairing(void) {
  PlBackoff backoff = {0};
  uint32_t random = 7;
  for (unsigned i = 0; i < 4; i++)
    assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_AUTHENTICATION, &random), 60);
  g_assert_cmpint(pl_backoff_delay(&backoff, PL_BACKOFF_AUTHENTICATION, &random), ==,
                  PL_BACKOFF_FOREVER);
  pl_backoff_connected(&backoff);
  assert_about(pl_backoff_delay(&backoff, PL_BACKOFF_AUTHENTICATION, &random), 60);
}

/* All of the 20 % is used, and two sensors that fail together come back apart. */
static void
test_jitter(void) {
  int64_t least = INT64_MAX, most = 0;
  uint32_t random = 42;
  for (unsigned i = 0; i < 10000; i++) {
    PlBackoff backoff = {0};
    int64_t delay = pl_backoff_delay(&backoff, PL_BACKOFF_FAILED, &random);
    least = MIN(least, delay);
    most = MAX(most, delay);
  }
  g_assert_cmpint(least, ==, 800000);
  g_assert_cmpint(most, ==, 1200000);
}

/* Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (14), 2003, page 4: the
 * generator with (13, 17, 5) and this seed. */
static void
test_random(void) {
  uint32_t random = 2463534242u;
  g_assert_cmpuint(pl_random_next(&random), ==, 723471715u);
  g_assert_cmpuint(pl_random_next(&random), ==, 2497366906u);
  g_assert_cmpuint(pl_random_next(&random), ==, 2064144800u);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/backoff/growing", test_growing);
  g_test_add_func("/backoff/transient", test_transient);
  g_test_add_func("/backoff/others", test_others);
  g_test_add_func("/backoff/pairing", test_pairing);
  g_test_add_func("/backoff/jitter", test_jitter);
  g_test_add_func("/backoff/random", test_random);
  return g_test_run();
}
