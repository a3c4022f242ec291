/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/speed.h"

#include <glib.h>

static void
test_good(void) {
  static const struct {
    const char *text;
    double speed;
  } cases[] = {{NULL, 7}, {"max", 0}, {"1", 1}, {"0.25", 0.25}, {"1e3", 1000}, {"60.5", 60.5}};
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    double speed = -1;
    g_assert_true(pl_speed_parse(cases[i].text, 7, &speed));
    g_assert_cmpfloat(speed, ==, cases[i].speed);
  }
}

static void
test_bad(void) {
  static const char *const texts[] = {"",    "0",   "-1",  "Max", "fast", "2x",
                                      "1,5", "nan", "inf", "1 2", "1e999"};
  for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
    double speed = -1;
    g_assert_false(pl_speed_parse(texts[i], 7, &speed));
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/speed/good", test_good);
  g_test_add_func("/speed/bad", test_bad);
  return g_test_run();
}
