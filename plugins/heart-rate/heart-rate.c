/* SPDX-License-Identifier: Apache-2.0 */
/* Heart Rate Service 0x180D: every strap and armband that follows the Bluetooth profile.
 *
 * Heart Rate Measurement 0x2A37, about once a second, least significant byte first:
 *
 *   FF HH [HH] [EE EE] [RR RR]...
 *
 *   F flags  b0 the heart rate has two bytes
 *            b1 the skin is touched; means something only with b2
 *            b2 the sensor can tell whether the skin is touched
 *            b3 E is present
 *            b4 intervals fill the rest of the packet
 *            b5-7 reserved
 *   H heart rate, 1/min; 0: no reading
 *   E energy expended, kJ (not used)
 *   R intervals between beats, 1/1024 s, oldest first
 *
 * Nothing has to be written: subscribing starts it.
 * Sources: Bluetooth SIG heart_rate_measurement.xml; packets of straps of five makers.
 */
#include "gateway/core/bytes.h"
#include "gateway/core/driver.h"

#include <math.h>

enum {
  FLAG_RATE_U16 = 1 << 0,
  FLAG_CONTACT = 1 << 1,
  FLAG_CONTACT_SUPPORTED = 1 << 2,
  FLAG_ENERGY = 1 << 3,
  FLAG_INTERVALS = 1 << 4,
};

/* Beyond these the sensor has made it up.  What is shown is narrower still and is decided
 * where the metrics are. */
static const double rate_min_bpm = 25, rate_max_bpm = 250;

/* The upper limit leaves room for four beats in one: a strap that has missed some sends the
 * whole time, and without it the sum of the intervals would fall behind the clock. */
static const double interval_min_ms = 240, interval_max_ms = 4000;

static PlContact
read_contact(unsigned flags) {
  if (!(flags & FLAG_CONTACT_SUPPORTED))
    return PL_CONTACT_UNKNOWN;
  return flags & FLAG_CONTACT ? PL_CONTACT_YES : PL_CONTACT_NO;
}

/* Takes intervals until the sample is full or the packet is empty; without skin contact they
 * are noise.  False when one of them is implausible, which is dropped. */
static bool
read_intervals(PlReader *r, PlHeartSample *heart) {
  bool plausible = true;

  heart->rr_count = 0;
  while (heart->rr_count < PL_RR_MAX && pl_reader_left(r) >= 2) {
    double interval_ms = pl_reader_u16(r) * 1000.0 / 1024.0;
    if (interval_ms < interval_min_ms || interval_ms > interval_max_ms)
      plausible = false;
    else if (heart->contact != PL_CONTACT_NO)
      heart->rr_ms[heart->rr_count++] = interval_ms;
  }
  return plausible;
}

/* The first sample carries the heart rate; what does not fit into it follows in others. */
static bool
emit(PlReader *r, PlSample *sample, PlSink *sink) {
  bool plausible = read_intervals(r, &sample->heart);

  sink->sample(sink, sample);
  sample->heart.heart_rate_bpm = NAN;
  while (pl_reader_left(r) >= 2) {
    plausible &= read_intervals(r, &sample->heart);
    if (sample->heart.rr_count > 0)
      sink->sample(sink, sample);
  }
  return plausible;
}

static PlStatus
decode(const PlDriverEvent *event, PlSink *sink) {
  PlReader r = pl_reader(event->data, event->length);
  unsigned flags = pl_reader_u8(&r);
  double rate_bpm = flags & FLAG_RATE_U16 ? pl_reader_u16(&r) : pl_reader_u8(&r);
  if (r.failed)
    return PL_SHORT;

  PlSample sample = {
      .kind = PL_SAMPLE_HEART,
      .t_us = event->t_us,
      .t_sensor_us = PL_NO_TIME,
      .heart = {.heart_rate_bpm = rate_bpm, .contact = read_contact(flags)},
  };
  bool plausible = rate_bpm == 0 || (rate_bpm >= rate_min_bpm && rate_bpm <= rate_max_bpm);
  if (rate_bpm == 0 || !plausible || sample.heart.contact == PL_CONTACT_NO)
    sample.heart.heart_rate_bpm = NAN;

  if (flags & FLAG_ENERGY)
    (void)pl_reader_u16(&r);
  if (!r.failed && (flags & FLAG_INTERVALS))
    plausible &= emit(&r, &sample, sink);
  else
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
    {.service = PL_UUID16(0x180d),
     .uuid = PL_UUID16(0x2a37),
     .flags = PL_CHARACTERISTIC_NOTIFY},
};

static const PlMatch matches[] = {
    {.has_service = true, .service = PL_UUID16(0x180d)},
};

const PlDriver pl_driver_heart_rate = {
    .abi = PL_DRIVER_ABI,
    .id = "heart-rate",
    .name = "Heart-rate strap or armband (Bluetooth Heart Rate Service)",
    .matches = matches,
    .match_count = sizeof matches / sizeof matches[0],
    .characteristics = characteristics,
    .characteristic_count = sizeof characteristics / sizeof characteristics[0],
    .nominal_rate_hz = 1,
    .stale_us = 10 * 1000 * 1000,
    .init = init,
    .handle = handle,
};
