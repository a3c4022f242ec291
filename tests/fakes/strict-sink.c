/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/strict-sink.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 1000 /* for one event */ };

static const int64_t hour_us = INT64_C(3600) * G_USEC_PER_SEC;
static const double acceleration_max_m_s2 = 16 * 9.80665 + 1e-9;

static void
digest(StrictSink *strict, double value) {
  uint64_t bits = 0x7ff8;
  if (!isnan(value))
    memcpy(&bits, &value, sizeof bits);
  strict->digest = (strict->digest ^ bits) * UINT64_C(0x100000001b3);
}

/* NaN, or inside. */
static void
check(StrictSink *strict, double value, double minimum, double maximum) {
  digest(strict, value);
  if (!isnan(value)) {
    g_assert_cmpfloat(value, >=, minimum);
    g_assert_cmpfloat(value, <=, maximum);
  }
}

static void
check_heart(StrictSink *strict, const PlHeartSample *heart) {
  check(strict, heart->heart_rate_bpm, 25, 250);
  g_assert_cmpuint(heart->contact, <=, PL_CONTACT_YES);
  if (heart->contact == PL_CONTACT_NO) {
    g_assert_true(isnan(heart->heart_rate_bpm));
    g_assert_cmpuint(heart->rr_count, ==, 0);
  }
  g_assert_cmpuint(heart->rr_count, <=, PL_RR_MAX);
  for (unsigned i = 0; i < heart->rr_count; i++) {
    g_assert_false(isnan(heart->rr_ms[i]));
    check(strict, heart->rr_ms[i], 240, 4000);
  }
}

static void
check_footpod(StrictSink *strict, const PlFootpodSample *footpod) {
  check(strict, footpod->speed_m_s, 0, 12);
  check(strict, footpod->cadence_raw, 0, 254);
  check(strict, footpod->stride_length_m, 0.2, 5);
  check(strict, footpod->distance_m, 0, UINT32_MAX / 10.0);
  digest(strict, footpod->running);
}

static void
check_motion(StrictSink *strict, const PlMotionSample *motion) {
  for (unsigned axis = 0; axis < 3; axis++) {
    g_assert_false(isnan(motion->acceleration_m_s2[axis]));
    check(strict, motion->acceleration_m_s2[axis], -acceleration_max_m_s2,
          acceleration_max_m_s2);
    g_assert_true(isnan(motion->angular_rate_rad_s[axis]) == !motion->has_angular_rate);
    check(strict, motion->angular_rate_rad_s[axis], -40, 40);
  }
  digest(strict, motion->clipped);
}

static void
on_sample(PlSink *sink, const PlSample *sample) {
  StrictSink *strict = (StrictSink *)sink;

  g_assert_cmpuint(++strict->samples, <=, SAMPLES_MAX);
  g_assert_cmpint(sample->t_us, <=, strict->event->t_us);
  g_assert_cmpint(sample->t_us, >, strict->event->t_us - hour_us);
  digest(strict, sample->kind);
  digest(strict, (double)sample->t_us);
  digest(strict, (double)sample->t_sensor_us);
  switch (sample->kind) {
  case PL_SAMPLE_HEART:
    check_heart(strict, &sample->heart);
    break;
  case PL_SAMPLE_FOOTPOD:
    check_footpod(strict, &sample->footpod);
    break;
  case PL_SAMPLE_MOTION:
    check_motion(strict, &sample->motion);
    break;
  case PL_SAMPLE_BATTERY:
    g_assert_false(isnan(sample->battery_pct));
    check(strict, sample->battery_pct, 0, 100);
    break;
  case PL_SAMPLE_KIND_COUNT:
  default:
    g_assert_not_reached();
  }
}

static void
on_write(PlSink *sink, unsigned characteristic, const uint8_t *data, size_t length) {
  StrictSink *strict = (StrictSink *)sink;

  g_assert_cmpuint(characteristic, <, strict->driver->characteristic_count);
  g_assert_true(strict->driver->characteristics[characteristic].flags &
                PL_CHARACTERISTIC_WRITE);
  g_assert_cmpuint(length, >, 0);
  g_assert_cmpuint(length, <=, PL_DRIVER_WRITE_MAX);
  for (size_t i = 0; i < length; i++)
    digest(strict, data[i]);
}

static void
on_timer(PlSink *sink, unsigned id, int64_t after_us) {
  StrictSink *strict = (StrictSink *)sink;

  g_assert_cmpuint(id, <, PL_DRIVER_TIMERS);
  g_assert_cmpint(after_us, <=, hour_us);
  g_assert_cmpint(after_us, !=, 0); /* at once, for ever */
  digest(strict, (double)after_us);
}

static void
on_lost(PlSink *sink, unsigned packets) {
  StrictSink *strict = (StrictSink *)sink;

  g_assert_cmpuint(packets, >, 0);
  g_assert_true(strict->driver->counts_lost);
  digest(strict, packets);
}

void
strict_sink_init(StrictSink *strict, const PlDriver *driver) {
  *strict = (StrictSink){
      .sink = {.sample = on_sample, .write = on_write, .timer = on_timer, .lost = on_lost},
      .driver = driver,
      .digest = UINT64_C(0xcbf29ce484222325),
  };
}

PlStatus
strict_sink_send(StrictSink *strict, void *state, const PlDriverEvent *event) {
  PlDriverEvent copy = *event;
  uint8_t *data = malloc(event->length);

  if (event->length > 0)
    memcpy(data, event->data, event->length);
  copy.data = data;
  strict->event = &copy;
  strict->samples = 0;
  PlStatus status = strict->driver->handle(state, &copy, &strict->sink);
  free(data);
  g_assert_cmpuint(status, <, PL_STATUS_COUNT);
  digest(strict, status);
  return status;
}
