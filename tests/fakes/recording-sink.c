/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/recording-sink.h"

#include <string.h>

static void
on_sample(PlSink *sink, const PlSample *sample) {
  Recorder *recorder = (Recorder *)sink;
  g_assert_cmpuint(recorder->sample_count, <, RECORDED_SAMPLES_MAX);
  recorder->samples[recorder->sample_count++] = *sample;
}

static void
on_write(PlSink *sink, unsigned characteristic, const uint8_t *data, size_t length) {
  Recorder *recorder = (Recorder *)sink;
  g_assert_cmpuint(recorder->write_count, <, RECORDED_WRITES_MAX);
  g_assert_cmpuint(length, <=, PL_VALUE_MAX);
  RecordedWrite *write = &recorder->writes[recorder->write_count++];
  write->characteristic = characteristic;
  write->length = length;
  memcpy(write->data, data, length);
}

static void
on_timer(PlSink *sink, unsigned id, int64_t after_us) {
  Recorder *recorder = (Recorder *)sink;
  g_assert_cmpuint(id, <, RECORDED_TIMERS_MAX);
  recorder->timer_us[id] = after_us < 0 ? -1 : after_us;
}

static void
on_lost(PlSink *sink, unsigned packets) {
  Recorder *recorder = (Recorder *)sink;
  g_assert_cmpuint(packets, >, 0);
  recorder->lost += packets;
}

Recorder *
recorder_new(const PlDriver *driver, const PlDriverOptions *options) {
  Recorder *recorder = g_new0(Recorder, 1);
  recorder->sink = (PlSink){on_sample, on_write, on_timer, on_lost};
  recorder->driver = driver;
  recorder->state = g_malloc(driver->state_size);
  recorder->t_us = 1000 * G_USEC_PER_SEC;
  driver->init(recorder->state, options ? options : &(PlDriverOptions){0});
  return recorder;
}

void
recorder_free(Recorder *recorder) {
  if (!recorder)
    return;
  g_free(recorder->state);
  g_free(recorder);
}

PlStatus
recorder_send(Recorder *recorder, const PlDriverEvent *event) {
  recorder->sample_count = recorder->write_count = recorder->lost = 0;
  return recorder->driver->handle(recorder->state, event, &recorder->sink);
}

PlStatus
recorder_event(Recorder *recorder, PlDriverEventType type) {
  return recorder_send(recorder, &(PlDriverEvent){.type = type, .t_us = recorder->t_us});
}

PlStatus
recorder_data(Recorder *recorder, unsigned characteristic, const char *hex) {
  size_t length;
  g_autofree uint8_t *data = bytes_of_hex(hex, &length);
  return recorder_send(recorder, &(PlDriverEvent){.type = PL_DRIVER_DATA,
                                                  .t_us = recorder->t_us,
                                                  .characteristic = characteristic,
                                                  .data = data,
                                                  .length = length});
}

uint8_t *
bytes_of_hex(const char *hex, size_t *length) {
  g_autoptr(GByteArray) bytes = g_byte_array_new();

  for (const char *at = hex; *at;) {
    if (g_ascii_isspace(*at)) {
      at++;
      continue;
    }
    int high = g_ascii_xdigit_value(at[0]);
    int low = g_ascii_xdigit_value(at[1]);
    g_assert_true(high >= 0 && low >= 0);
    guint8 byte = (guint8)(high * 16 + low);
    g_byte_array_append(bytes, &byte, 1);
    at += 2;
  }
  *length = bytes->len;
  return g_memdup2(bytes->data, bytes->len);
}

void
recorder_assert_written(const Recorder *recorder, unsigned characteristic, const char *hex) {
  size_t length;
  g_autofree uint8_t *expected = bytes_of_hex(hex, &length);
  g_assert_cmpuint(recorder->write_count, ==, 1);
  g_assert_cmpuint(recorder->writes[0].characteristic, ==, characteristic);
  g_assert_cmpmem(recorder->writes[0].data, recorder->writes[0].length, expected, length);
}
