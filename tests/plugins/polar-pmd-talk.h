/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/drivers.h"
#include "tests/fakes/recording-sink.h"

/* What a chest strap (H10) and an armband (Verity Sense) say, and how far a test wants to go
 * with them. */

enum { CONTROL_POINT, DATA };

static const int64_t second_us = G_USEC_PER_SEC;

#define ASK_SETTINGS "01 02"
#define H10_SETTINGS                                                                           \
  "f0 01 02 00 00 00 04 19 00 32 00 64 00 c8 00 01 01 10 00 02 03 02 00 04 00 08 00"
#define VERITY_SETTINGS "f0 01 02 00 00 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03"
#define H10_START       "02 02 02 01 08 00 00 01 64 00 01 01 10 00"
#define H10_START_200   "02 02 02 01 08 00 00 01 c8 00 01 01 10 00"
#define H10_START_25    "02 02 02 01 08 00 00 01 19 00 01 01 10 00"
#define VERITY_START    "02 02 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03"
#define H10_STARTED     "f0 02 02 00 00 01"
#define VERITY_STARTED  "f0 02 02 00 00 05 01 40 da 7f 39"
#define ALREADY         "f0 02 02 06"
#define STOP            "03 02"
#define STOPPED         "f0 03 02 00 00"
/* two samples; the time of the last one is 2 s and 2.02 s */
#define FRAME      "02 00 94 35 77 00 00 00 00 01 f7 ff ff ff e7 03 f8 ff fe ff e5 03"
#define NEXT_FRAME "02 00 c1 66 78 00 00 00 00 01 f7 ff ff ff e7 03 f8 ff fe ff e5 03"

static inline Recorder *
new_recorder(double rate_hz) {
  return recorder_new(pl_driver_find("polar-pmd"), &(PlDriverOptions){.rate_hz = rate_hz});
}

static inline void
answer(Recorder *recorder, const char *hex, const char *next) {
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, hex), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, next);
  g_assert_cmpint(recorder->timer_us[0], ==, 30 * second_us);
}

static inline void
ready(Recorder *recorder) {
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_READY), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, ASK_SETTINGS);
  g_assert_cmpint(recorder->timer_us[0], ==, 30 * second_us);
}

static inline void
started(Recorder *recorder, const char *hex) {
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, hex), ==, PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(recorder->timer_us[0], ==, 5 * second_us);
}

/* A chest strap that streams. */
static inline Recorder *
new_streaming(void) {
  Recorder *recorder = new_recorder(0);
  ready(recorder);
  answer(recorder, H10_SETTINGS, H10_START);
  started(recorder, H10_STARTED);
  return recorder;
}
