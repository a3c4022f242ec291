/* SPDX-License-Identifier: Apache-2.0 */
/* Running Speed and Cadence Service 0x1814: footpods, watches and treadmills.
 *
 * RSC Measurement 0x2A53, about once a second, least significant byte first:
 *
 *   FF SS SS CC [LL LL] [DD DD DD DD]
 *
 *   F flags  b0 L is present
 *            b1 D is present
 *            b2 running rather than walking; 0 proves nothing, treadmills never set it
 *            b3-7 reserved
 *   S speed, 1/256 m/s
 *   C cadence, 1/min: steps or strides (two steps), nothing in the packet says which
 *   L length of a step or of a stride, cm; 0: no reading
 *   D distance, 0.1 m: a counter that may start anywhere
 *
 * Nothing has to be written: subscribing starts it.  Cadence and length are handed on as sent;
 * core/cadence.c finds out which they are.
 * Sources: Bluetooth SIG rsc_measurement.xml; packets of treadmills and pods of three makers.
 */
#include "gateway/core/bytes.h"
#include "gateway/core/driver.h"

#include <math.h>

enum {
  FLAG_LENGTH = 1 << 0,
  FLAG_DISTANCE = 1 << 1,
  FLAG_RUNNING = 1 << 2,
  CADENCE_ALL_ONES = 0xff, /* nobody makes 255 steps a minute: a sensor that has no value */
};

static const double speed_max_m_s = 12;
/* A step is 0.2 to 2.5 m long, and the field may hold two of them. */
static const double length_min_m = 0.2, length_max_m = 5.0;

/* The values that have to be there.  False when one of them was dropped. */
static bool
take_speed_and_cadence(PlFootpodSample *footpod, double speed_m_s, unsigned cadence) {
  footpod->speed_m_s = speed_m_s <= speed_max_m_s ? speed_m_s : NAN;
  footpod->cadence_raw = cadence == CADENCE_ALL_ONES ? NAN : cadence;
  return !isnan(footpod->speed_m_s) && !isnan(footpod->cadence_raw);
}

/* False when it was dropped. */
static bool
take_length(PlFootpodSample *footpod, double length_m) {
  if (length_m == 0)
    return true;
  if (length_m < length_min_m || length_m > length_max_m)
    return false;
  footpod->stride_length_m = length_m;
  return true;
}

static PlStatus
decode(const PlDriverEvent *event, PlSink *sink) {
  PlReader r = pl_reader(event->data, event->length);
  unsigned flags = pl_reader_u8(&r);
  double speed_m_s = pl_reader_u16(&r) / 256.0;
  unsigned cadence = pl_reader_u8(&r);
  if (r.failed)
    return PL_SHORT;

  PlSample sample = {
      .kind = PL_SAMPLE_FOOTPOD,
      .t_us = event->t_us,
      .t_sensor_us = PL_NO_TIME,
      .footpod = {.stride_length_m = NAN,
                  .distance_m = NAN,
                  .running = (flags & FLAG_RUNNING) != 0},
  };
  bool plausible = take_speed_and_cadence(&sample.footpod, speed_m_s, cadence);
  if (flags & FLAG_LENGTH) {
    double length_m = pl_reader_u16(&r) / 100.0;
    if (!r.failed)
      plausible &= take_length(&sample.footpod, length_m);
  }
  if (flags & FLAG_DISTANCE) {
    double distance_m = pl_reader_u32(&r) / 10.0;
    if (!r.failed)
      sample.footpod.distance_m = distance_m;
  }
  sink->sample(sink, &sample);

  if (r.failed)
    return PL_SHORT;
  if (!plausible)
    return PL_BAD_VALUE;
  return pl_reader_left(&r) > 0 ? PL_TRAILING : PL_OK;
}

static void
init(void *state, const PlDriverOptions *options) {
  (void)state;
  (void)options;
}

static PlStatus
handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  (void)state;
  if (event->type == PL_DRIVER_READY || event->type == PL_DRIVER_GONE ||
      event->type == PL_DRIVER_STOP)
    return PL_OK;
  if (event->type != PL_DRIVER_DATA || event->characteristic != 0)
    return PL_UNEXPECTED;
  return decode(event, sink);
}

static const PlCharacteristic characteristics[] = {
    {.service = PL_UUID16(0x1814),
     .uuid = PL_UUID16(0x2a53),
     .flags = PL_CHARACTERISTIC_NOTIFY},
};

static const PlMatch matches[] = {
    {.has_service = true, .service = PL_UUID16(0x1814)},
};

const PlDriver pl_driver_running_speed_cadence = {
    .abi = PL_DRIVER_ABI,
    .id = "running-speed-cadence",
    .name = "Footpod or watch (Bluetooth Running Speed and Cadence Service)",
    .matches = matches,
    .match_count = sizeof matches / sizeof matches[0],
    .characteristics = characteristics,
    .characteristic_count = sizeof characteristics / sizeof characteristics[0],
    .nominal_rate_hz = 1,
    .stale_us = 10 * 1000 * 1000,
    .silent_at_rest = true,
    .init = init,
    .handle = handle,
};
