/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/measure.h"

#include <glib.h>
#include <math.h>

static void
assert_text(char *text, const char *expected) {
  g_assert_cmpstr(text, ==, expected);
  g_free(text);
}

static void
test_distance(void) {
  assert_text(pl_measure_distance(10743, PL_UNITS_METRIC), "10.74 km");
  assert_text(pl_measure_distance(0, PL_UNITS_METRIC), "0.00 km");
  assert_text(pl_measure_distance(42195, PL_UNITS_IMPERIAL), "26.22 mi");
}

static void
test_time(void) {
  assert_text(pl_measure_time(0), "0:00");
  assert_text(pl_measure_time(59.5), "1:00");
  assert_text(pl_measure_time(2922), "48:42");
  assert_text(pl_measure_time(3599.4), "59:59");
  assert_text(pl_measure_time(3599.5), "1:00:00");
  assert_text(pl_measure_time(36123), "10:02:03");
  assert_text(pl_measure_time(-1), "0:00");
}

static void
test_pace(void) {
  assert_text(pl_measure_pace(3, PL_UNITS_METRIC), "5:33 /km");
  assert_text(pl_measure_pace(3, PL_UNITS_IMPERIAL), "8:56 /mi");
  assert_text(pl_measure_pace(0.5, PL_UNITS_METRIC), "33:20 /km");
  assert_text(pl_measure_pace(0.49, PL_UNITS_METRIC), "-");
  assert_text(pl_measure_pace(0, PL_UNITS_METRIC), "-");
  assert_text(pl_measure_pace(NAN, PL_UNITS_METRIC), "-");
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/measure/distance", test_distance);
  g_test_add_func("/measure/time", test_time);
  g_test_add_func("/measure/pace", test_pace);
  return g_test_run();
}
