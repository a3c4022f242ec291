/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's test: packets and what they mean.  Copy it with the example. */
#include "tests/fakes/recording-sink.h"

#include <math.h>

extern const PlDriver pl_driver_example;

typedef struct {
  const char *name;
  const char *hex;
  PlStatus status;
  unsigned samples;
  double mg[3];
} Row;

static const Row rows[] = {
    {"flat", "00 00 00 00 00 e8 03", PL_OK, 1, {0, 0, 1000}},
    {"upside-down", "00 00 00 00 00 18 fc", PL_OK, 1, {0, 0, -1000}},
    {"trailing", "00 01 00 02 00 03 00 77", PL_TRAILING, 1, {1, 2, 3}},
    {"short", "00 01 00 02 00 03", PL_SHORT, 0, {0}},
    {"empty", "", PL_SHORT, 0, {0}},
    {"17-g", "00 68 42 00 00 00 00", PL_BAD_VALUE, 0, {0}},
};

static void
test_row(const void *data) {
  const Row *row = data;
  g_autoptr(Recorder) recorder = recorder_new(&pl_driver_example, NULL);

  g_assert_cmpint(recorder_data(recorder, 0, row->hex), ==, row->status);
  g_assert_cmpuint(recorder->sample_count, ==, row->samples);
  for (unsigned axis = 0; axis < 3 && row->samples > 0; axis++)
    g_assert_cmpfloat_with_epsilon(recorder->samples[0].motion.acceleration_m_s2[axis],
                                   row->mg[axis] / 1000 * 9.80665, 1e-12);
}

static void
test_lost(void) {
  g_autoptr(Recorder) recorder = recorder_new(&pl_driver_example, NULL);

  recorder_data(recorder, 0, "fe 00 00 00 00 00 00"); /* the first one proves nothing */
  g_assert_cmpuint(recorder->lost, ==, 0);
  recorder_data(recorder, 0, "ff 00 00 00 00 00 00");
  g_assert_cmpuint(recorder->lost, ==, 0);
  recorder_data(recorder, 0, "02 00 00 00 00 00 00"); /* 00 and 01 are missing */
  g_assert_cmpuint(recorder->lost, ==, 2);
  recorder_event(recorder, PL_DRIVER_GONE);
  recorder_data(recorder, 0, "10 00 00 00 00 00 00");
  g_assert_cmpuint(recorder->lost, ==, 0);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strdup_printf("/plugins/example/packet/%s", rows[i].name);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  g_test_add_func("/plugins/example/lost", test_lost);
  return g_test_run();
}
