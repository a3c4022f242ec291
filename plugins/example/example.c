/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest driver: copy the folder and change every line.  It is built and tested, but in
 * no program, and matches no sensor.
 *
 * Start with what the bytes mean, one letter a byte, and where you know it from:
 *
 * Acceleration ff000001-0000-0000-0000-000000000000, least significant byte first:
 *
 *   NN XX XX YY YY ZZ ZZ
 *
 *   N counts packets, so that lost ones are known
 *   X Y Z acceleration, milli-g, two's complement
 *
 * Source: made up for this example. */
#include "gateway/core/bytes.h"
#include "gateway/core/driver.h"

#include <math.h>

/* What has to be remembered from one packet to the next.  The session owns it. */
typedef struct {
  bool started;
  uint8_t counter;
} Example;

static const double gravity_m_s2 = 9.80665;
static const double limit_m_s2 = 16 * 9.80665; /* beyond it is garbage, not motion */

static void
count_lost(Example *example, uint8_t counter, PlSink *sink) {
  unsigned lost = (uint8_t)(counter - example->counter - 1);
  if (example->started && lost > 0 && sink->lost)
    sink->lost(sink, lost);
  example->started = true;
  example->counter = counter;
}

/* Read everything, test once, then judge: too short, impossible, or good.  Nothing is ever
 * assumed about the bytes; they come from the air. */
static PlStatus
decode(Example *example, const PlDriverEvent *event, PlSink *sink) {
  PlReader r = pl_reader(event->data, event->length);
  uint8_t counter = pl_reader_u8(&r);
  PlSample sample = {
      .kind = PL_SAMPLE_MOTION,
      .t_us = event->t_us,
      .t_sensor_us = PL_NO_TIME,
      .motion = {.angular_rate_rad_s = {NAN, NAN, NAN}}, /* not known is NaN, never 0 */
  };
  for (unsigned axis = 0; axis < 3; axis++)
    sample.motion.acceleration_m_s2[axis] = pl_reader_signed(&r, 2) / 1000.0 * gravity_m_s2;
  if (r.failed)
    return PL_SHORT;

  count_lost(example, counter, sink);
  for (unsigned axis = 0; axis < 3; axis++)
    if (fabs(sample.motion.acceleration_m_s2[axis]) > limit_m_s2)
      return PL_BAD_VALUE;
  sink->sample(sink, &sample);
  return pl_reader_left(&r) > 0 ? PL_TRAILING : PL_OK;
}

/* Any event may come at any time: what makes no sense is PL_UNEXPECTED. */
static PlStatus
handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  Example *example = state;

  switch (event->type) {
  case PL_DRIVER_READY: /* a sensor that has to be started would be written to here */
  case PL_DRIVER_GONE:
    example->started = false;
    return PL_OK;
  case PL_DRIVER_DATA:
    return event->characteristic == 0 ? decode(example, event, sink) : PL_UNEXPECTED;
  case PL_DRIVER_STOP:
    return PL_OK;
  case PL_DRIVER_WRITTEN:
  case PL_DRIVER_TIMER:
  case PL_DRIVER_ADVERTISEMENT:
  case PL_DRIVER_SERVICE_DATA:
    break;
  }
  return PL_UNEXPECTED;
}

static void
init(void *state, const PlDriverOptions *options) {
  (void)options;
  *(Example *)state = (Example){.started = false};
}

static const PlCharacteristic characteristics[] = {
    {.service = {{0xff}},
     .uuid = {{0xff, 0x00, 0x00, 0x01}},
     .flags = PL_CHARACTERISTIC_NOTIFY},
};

/* The symbol is pl_driver_ and the folder's name. */
const PlDriver pl_driver_example = {
    .abi = PL_DRIVER_ABI,
    .id = "example",
    .name = "Example, matches nothing",
    .characteristics = characteristics,
    .characteristic_count = sizeof characteristics / sizeof characteristics[0],
    .nominal_rate_hz = 10,
    .stale_us = 3 * 1000 * 1000,
    .counts_lost = true,
    .state_size = sizeof(Example),
    .init = init,
    .handle = handle,
};
