/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/drivers.h"
#include "tests/fakes/recording-sink.h"

#include <math.h>

/* One packet and what it means; NAN: not known. */
typedef struct {
  const char *name;
  const char *hex;
  PlStatus status;
  double speed_256; /* 1/256 m/s, as sent */
  double cadence;
  double length_cm;
  double distance_dm;
  bool running;
} Row;

static const Row rows[] = {
    /* treadmills, as received */
    {"runn", "00 91 01 bb", PL_OK, 401, 187, NAN, NAN, false},
    {"my-run", "02 b9 00 33 8a 02 00 00", PL_OK, 185, 51, NAN, 650, false},
    {"technogym", "03 5c 03 a1 82 00 f6 09 00 00", PL_OK, 860, 161, 130, 2550, false},
    {"technogym-slow", "03 b9 01 85 5e 00 0d 0c 00 00", PL_OK, 441, 133, 94, 3085, false},
    /* test packets of others' programs */
    {"large-distance", "02 00 05 50 ff ff 00 01", PL_OK, 1280, 80, NAN, 16842751, false},
    {"smallest", "00 0a 00 14", PL_OK, 10, 20, NAN, NAN, false},
    {"beyond-limits", "07 34 12 56 89 07 04 03 02 01", PL_BAD_VALUE, NAN, 86, NAN, 16909060,
     true},
    {"length", "01 80 02 b4 55 00", PL_OK, 640, 180, 85, NAN, false},
    {"length-distance", "03 80 02 b4 55 00 10 27 00 00", PL_OK, 640, 180, 85, 10000, false},
    /* made from the layout */
    {"strides", "07 00 03 5a c8 00 e8 03 00 00", PL_OK, 768, 90, 200, 1000, true},
    {"strides-step-length", "05 00 03 5a 64 00", PL_OK, 768, 90, 100, NAN, true},
    {"steps", "07 00 03 aa 6a 00 39 30 00 00", PL_OK, 768, 170, 106, 12345, true},
    {"length-missing", "01 80 02 b4", PL_SHORT, 640, 180, NAN, NAN, false},
    {"length-cut", "03 00 03 5a fa", PL_SHORT, 768, 90, NAN, NAN, false},
    {"distance-missing", "03 00 03 5a c8 00", PL_SHORT, 768, 90, 200, NAN, false},
    {"distance-cut", "06 00 03 5a 01 02 03", PL_SHORT, 768, 90, NAN, NAN, true},
    {"bad-speed-and-short", "01 ff ff b4", PL_SHORT, NAN, 180, NAN, NAN, false},
    {"all-ones", "00 ff ff ff", PL_BAD_VALUE, NAN, NAN, NAN, NAN, false},
    {"20-bytes", "00 00 03 5a 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", PL_TRAILING,
     768, 90, NAN, NAN, false},
    {"5-bytes", "00 00 03 5a 00", PL_TRAILING, 768, 90, NAN, NAN, false},
    {"reserved-bits", "f8 00 03 5a", PL_OK, 768, 90, NAN, NAN, false},
    {"standing", "00 00 00 00", PL_OK, 0, 0, NAN, NAN, false},
    {"standing-no-length", "03 00 00 00 00 00 e8 03 00 00", PL_OK, 0, 0, NAN, 1000, false},
    {"fastest", "00 00 0c fe", PL_OK, 3072, 254, NAN, NAN, false},
    {"too-fast", "00 01 0c 5a", PL_BAD_VALUE, NAN, 90, NAN, NAN, false},
    {"shortest-step", "01 00 03 5a 14 00", PL_OK, 768, 90, 20, NAN, false},
    {"too-short-step", "01 00 03 5a 13 00", PL_BAD_VALUE, 768, 90, NAN, NAN, false},
    {"longest-stride", "01 00 03 5a f4 01", PL_OK, 768, 90, 500, NAN, false},
    {"too-long-stride", "01 00 03 5a f5 01", PL_BAD_VALUE, 768, 90, NAN, NAN, false},
    {"largest-distance", "02 00 03 5a ff ff ff ff", PL_OK, 768, 90, NAN, 4294967295.0, false},
};

static void
assert_value(double value, double expected) {
  if (isnan(expected))
    g_assert_true(isnan(value));
  else
    g_assert_cmpfloat(value, ==, expected);
}

static void
test_row(const void *data) {
  const Row *row = data;
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("running-speed-cadence"), NULL);

  g_assert_cmpint(recorder_data(recorder, 0, row->hex), ==, row->status);
  g_assert_cmpuint(recorder->sample_count, ==, 1);
  const PlSample *sample = &recorder->samples[0];
  g_assert_cmpint(sample->kind, ==, PL_SAMPLE_FOOTPOD);
  g_assert_cmpint(sample->t_us, ==, recorder->t_us);
  g_assert_cmpint(sample->t_sensor_us, ==, PL_NO_TIME);
  assert_value(sample->footpod.speed_m_s, row->speed_256 / 256);
  assert_value(sample->footpod.cadence_raw, row->cadence);
  assert_value(sample->footpod.stride_length_m, row->length_cm / 100);
  assert_value(sample->footpod.distance_m, row->distance_dm / 10);
  g_assert_cmpint(sample->footpod.running, ==, row->running);
}

static void
test_short(void) {
  static const char *const cases[] = {"", "00", "07 34", "00 80 02"};
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("running-speed-cadence"), NULL);

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpint(recorder_data(recorder, 0, cases[i]), ==, PL_SHORT);
    g_assert_cmpuint(recorder->sample_count, ==, 0);
  }
}

static void
test_other_events(void) {
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("running-speed-cadence"), NULL);

  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_READY), ==, PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_STOP), ==, PL_OK);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_GONE), ==, PL_OK);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_UNEXPECTED);
  g_assert_cmpint(recorder_data(recorder, 1, "00 91 01 bb"), ==, PL_UNEXPECTED);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path =
        g_strdup_printf("/plugins/running-speed-cadence/packet/%s", rows[i].name);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  g_test_add_func("/plugins/running-speed-cadence/short", test_short);
  g_test_add_func("/plugins/running-speed-cadence/other-events", test_other_events);
  return g_test_run();
}
