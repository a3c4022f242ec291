/* SPDX-License-Identifier: Apache-2.0 */
/* Heart Rate Measurement: u8 flags (10: RR intervals follow, 00: none), u8 bpm, n x u16 RR in
 * 1/1024 s, oldest first.  An H10 says nothing of skin contact.
 *
 * PMD frame: u8 type (2: acceleration), u64 time in ns since 2000 of the last sample, u8 frame
 * type (1: three s16 in mG), 36 samples.
 *
 * PMD command: u8 operation (1 settings, 2 start, 3 stop), u8 type, then settings as u8 id,
 * u8 count, count x u16.  Answer: F0, operation, type, u8 status, u8 more, parameters.
 *
 * All numbers little endian.  There is no ECG here, and the features say so. */
#include "plugins/simulator/strap.h"

#include "gateway/core/bytes.h"

#include <math.h>
#include <string.h>

enum {
  OP_SETTINGS = 1,
  OP_START = 2,
  OP_STOP = 3,
  TYPE_ACCELERATION = 2,
};

typedef enum {
  STATUS_SUCCESS = 0,
  STATUS_BAD_OPERATION = 1,
  STATUS_NOT_SUPPORTED = 3,
  STATUS_BAD_LENGTH = 4,
  STATUS_BAD_PARAMETER = 5,
  STATUS_ALREADY = 6,
  STATUS_BAD_RESOLUTION = 7,
  STATUS_BAD_RATE = 8,
  STATUS_BAD_RANGE = 9,
} Status;

enum { SETTING_RATE, SETTING_RESOLUTION, SETTING_RANGE, SETTING_COUNT };

static const int64_t tick_rate_hz = 1000000 / PL_BODY_TICK_US;
/* What an H10 counts from after a change of battery: 2019-01-01, in ns since 2000. */
static const uint64_t battery_change_ns = UINT64_C(599616000000000000);
static const double clock_drift = 20e-6; /* its seconds are too short */
static const double noise_mg = 12;
static const double pi = 3.14159265358979323846;
/* The breastbone slopes: the front of the pod looks up a little. */
static const double slope_deg = 15;

void
pl_strap_init(PlStrap *strap, uint64_t seed) {
  *strap = (PlStrap){.range_g = 8};
  pl_random_init(&strap->random, seed);
  double minutes = 1 + 500 * pl_random_uniform(&strap->random);
  strap->boot_ns = battery_change_ns + (uint64_t)(minutes * 60e9);
}

static void
put_le(uint8_t *out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    out[i] = (uint8_t)(value >> (8 * i));
}

static void
put_axis(PlStrap *strap, uint8_t *out, double force_g) {
  double limit = 1000.0 * strap->range_g;
  double mg = 1000 * force_g + noise_mg * pl_random_normal(&strap->random);
  int16_t value = (int16_t)floor(fmin(fmax(mg, -limit), limit) + 0.5);
  put_le(out, (uint16_t)value, 2);
}

/* The pod on the breastbone: x up along it, y to the right, z out of the chest. */
static void
put_sample(PlStrap *strap, const PlBody *body) {
  uint8_t *out = strap->filling + 10 + 6 * strap->samples++;
  double slope = slope_deg * pi / 180;
  double trunk[3];

  pl_body_specific_force(body, trunk);
  put_axis(strap, out, trunk[2] * cos(slope) - trunk[0] * sin(slope));
  put_axis(strap, out + 2, -trunk[1]);
  put_axis(strap, out + 4, trunk[0] * cos(slope) + trunk[2] * sin(slope));
}

static void
finish_frame(PlStrap *strap, int64_t t_us) {
  strap->filling[0] = TYPE_ACCELERATION;
  put_le(strap->filling + 1,
         strap->boot_ns + (uint64_t)((double)t_us * 1000 * (1 + clock_drift)), 8);
  strap->filling[9] = 1;
  memcpy(strap->frame, strap->filling, sizeof strap->frame);
  strap->samples = 0;
}

void
pl_strap_tick(PlStrap *strap, const PlBody *body) {
  if (strap->rate_hz == 0 || body->ticks % (uint64_t)(tick_rate_hz / strap->rate_hz) != 0)
    return;
  put_sample(strap, body);
  if (strap->samples == PL_STRAP_FRAME_SAMPLES)
    finish_frame(strap, body->t_us);
}

int64_t
pl_strap_frame_full_us(const PlStrap *strap, const PlBody *body) {
  if (strap->rate_hz == 0)
    return INT64_MAX;
  int64_t ticks_per_sample = tick_rate_hz / strap->rate_hz;
  int64_t samples = (int64_t)body->ticks / ticks_per_sample;
  int64_t missing = PL_STRAP_FRAME_SAMPLES - (int64_t)strap->samples;
  return (samples + missing) * ticks_per_sample * PL_BODY_TICK_US;
}

/* The rate shown is that of the last few beats. */
static void
count_beat(PlStrap *strap, uint16_t rr) {
  unsigned slot = strap->rr_count++ % 5;
  strap->rr_sum += rr - strap->rr[slot];
  strap->rr[slot] = rr;
}

size_t
pl_strap_heart(PlStrap *strap, PlBody *body, uint8_t value[PL_STRAP_HEART_SIZE]) {
  uint16_t beats[9];
  unsigned count = pl_body_take_beats(body, beats, 9);

  for (unsigned i = 0; i < count; i++) {
    count_beat(strap, beats[i]);
    put_le(value + 2 + 2 * i, beats[i], 2);
  }
  unsigned shown = strap->rr_count < 5 ? strap->rr_count : 5;
  value[0] = count > 0 ? 0x10 : 0x00;
  value[1] = 0;
  if (strap->rr_sum > 0)
    value[1] = (uint8_t)((60 * 1024 * shown + strap->rr_sum / 2) / strap->rr_sum);
  return 2 + 2 * count;
}

/* Reads the settings of a start command. */
static Status
read_settings(PlReader *reader, unsigned settings[SETTING_COUNT]) {
  unsigned given = 0;

  while (pl_reader_left(reader) > 0) {
    unsigned id = pl_reader_u8(reader);
    unsigned count = pl_reader_u8(reader);
    unsigned value = pl_reader_u16(reader);
    if (reader->failed)
      return STATUS_BAD_LENGTH;
    if (id >= SETTING_COUNT || count != 1)
      return STATUS_BAD_PARAMETER;
    settings[id] = value;
    given |= 1u << id;
  }
  return given == (1u << SETTING_COUNT) - 1 ? STATUS_SUCCESS : STATUS_BAD_PARAMETER;
}

static Status
start(PlStrap *strap, PlReader *reader) {
  unsigned settings[SETTING_COUNT] = {0};
  Status status = read_settings(reader, settings);
  unsigned rate = settings[SETTING_RATE], range = settings[SETTING_RANGE];

  if (status != STATUS_SUCCESS)
    return status;
  if (settings[SETTING_RESOLUTION] != 16)
    return STATUS_BAD_RESOLUTION;
  if (rate != 25 && rate != 50 && rate != 100 && rate != 200)
    return STATUS_BAD_RATE;
  if (range != 2 && range != 4 && range != 8)
    return STATUS_BAD_RANGE;
  if (strap->rate_hz != 0)
    return STATUS_ALREADY;
  strap->rate_hz = rate;
  strap->range_g = range;
  strap->samples = 0;
  return STATUS_SUCCESS;
}

static Status
stop(PlStrap *strap) {
  if (strap->rate_hz == 0)
    return STATUS_ALREADY;
  strap->rate_hz = 0;
  return STATUS_SUCCESS;
}

size_t
pl_strap_command(PlStrap *strap, const uint8_t *command, size_t length,
                 uint8_t answer[PL_STRAP_ANSWER_SIZE]) {
  /* 25, 50, 100 and 200 Hz; 16 bits; 2, 4 and 8 g. */
  static const uint8_t choice[] = {0x00, 4,  25, 0,    50, 0, 100, 0, 200, 0, 0x01,
                                   1,    16, 0,  0x02, 3,  2, 0,   4, 0,   8, 0};
  PlReader reader = pl_reader(command, length);
  uint8_t operation = pl_reader_u8(&reader);
  uint8_t type = pl_reader_u8(&reader);
  Status status;

  if (reader.failed)
    status = STATUS_BAD_LENGTH;
  else if (operation < OP_SETTINGS || operation > OP_STOP)
    status = STATUS_BAD_OPERATION;
  else if (type != TYPE_ACCELERATION)
    status = STATUS_NOT_SUPPORTED;
  else if (operation == OP_START)
    status = start(strap, &reader);
  else
    status = operation == OP_STOP ? stop(strap) : STATUS_SUCCESS;

  const uint8_t head[] = {0xf0, operation, type, (uint8_t)status, 0};
  memcpy(answer, head, sizeof head);
  if (status != STATUS_SUCCESS || operation == OP_STOP)
    return sizeof head;
  if (operation == OP_START) {
    answer[sizeof head] = 1;
    return sizeof head + 1;
  }
  memcpy(answer + sizeof head, choice, sizeof choice);
  return sizeof head + sizeof choice;
}

void
pl_strap_features(uint8_t value[PL_STRAP_FEATURES_SIZE]) {
  memset(value, 0, PL_STRAP_FEATURES_SIZE);
  value[0] = 0x0f;
  value[1] = 1 << TYPE_ACCELERATION;
}

/* u8 flags (02: skin contact, 1C: counter, 20: broadcast), u8 clock code, u8 bpm over a short
 * and u8 over a long time. */
void
pl_strap_manufacturer(PlStrap *strap, const PlBody *body,
                      uint8_t value[PL_STRAP_MANUFACTURER_SIZE]) {
  uint8_t rate = (uint8_t)(body->heart_rate_bpm + 0.5);
  value[0] = (uint8_t)(0x22 | (strap->advertisements++ % 8) << 2);
  value[1] = 0;
  value[2] = rate;
  value[3] = rate;
}
