/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/driver.h"

#include <glib.h>

/* A driver under test with its state, and everything that it gave since the last event.  The
 * packets are copied to heap blocks of their exact size, so that valgrind and ASan see a read
 * past the end. */

enum { RECORDED_SAMPLES_MAX = 1024, RECORDED_WRITES_MAX = 8, RECORDED_TIMERS_MAX = 8 };

typedef struct {
  unsigned characteristic;
  size_t length;
  uint8_t data[PL_VALUE_MAX];
} RecordedWrite;

typedef struct {
  PlSink sink;
  const PlDriver *driver;
  void *state;
  int64_t t_us; /* of the next event */
  unsigned sample_count;
  PlSample samples[RECORDED_SAMPLES_MAX];
  unsigned write_count;
  RecordedWrite writes[RECORDED_WRITES_MAX];
  int64_t timer_us[RECORDED_TIMERS_MAX]; /* as last asked for; -1 when stopped, 0 when never */
  unsigned lost;
} Recorder;

Recorder *recorder_new(const PlDriver *driver, const PlDriverOptions *options);
void recorder_free(Recorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recorder, recorder_free)

/* Any event; what was recorded before is forgotten, except for timers. */
PlStatus recorder_send(Recorder *recorder, const PlDriverEvent *event);

/* An event without data. */
PlStatus recorder_event(Recorder *recorder, PlDriverEventType type);

/* A notification of a characteristic, as hexadecimal digits with spaces where wanted. */
PlStatus recorder_data(Recorder *recorder, unsigned characteristic, const char *hex);

/* The bytes of such digits; the caller frees them.  Fails the test when they are not. */
uint8_t *bytes_of_hex(const char *hex, size_t *length);

/* Fails the test unless exactly this was written once in the last event. */
void recorder_assert_written(const Recorder *recorder, unsigned characteristic,
                             const char *hex);
