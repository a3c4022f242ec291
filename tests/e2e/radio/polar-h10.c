/* SPDX-License-Identifier: Apache-2.0 */
/* A Polar H10: heart rate, and acceleration through the Polar Measurement Data service.
 *
 * Control point fb005c81: requests `op type [settings]`, answered by an indication
 *   f0 op type status [more [parameters]]
 * Data fb005c82, acceleration raw type 1:
 *   02, u64 ns since 2000-01-01 of the last sample, 01, 36 x (x, y, z) s16 mG
 * x counts samples (n mod 64 - 32), so that a lost or doubled one shows; y is a runner's
 * bounce around 1 g, z a small sway. */
#include <math.h>
#include <string.h>

#include "gateway/core/bytes.h"
#include "tests/e2e/radio/packet.h"
#include "tests/e2e/radio/profile.h"

enum {
  OP_SETTINGS = 1,
  OP_START = 2,
  OP_STOP = 3,
  TYPE_ACCELERATION = 2,
  RESPONSE = 0xf0,
  STATUS_OK = 0,
  STATUS_INVALID_OP = 1,
  STATUS_NOT_SUPPORTED = 3,
  STATUS_INVALID_LENGTH = 4,
  STATUS_INVALID_PARAMETER = 5,
  STATUS_ALREADY = 6,
  STATUS_INVALID_RESOLUTION = 7,
  STATUS_INVALID_RATE = 8,
  STATUS_INVALID_RANGE = 9,
  STATUS_INVALID_MTU = 10,
  SETTING_RATE = 0,
  SETTING_RESOLUTION = 1,
  SETTING_RANGE = 2,
  RESOLUTION_BITS = 16,
  FRAME_SAMPLES = 36,
  FRAME_SIZE = 10 + 6 * FRAME_SAMPLES,
  MTU_NEEDED = 232,
  ATT_CONFIGURATION_IMPROPER = 0xfd,
  COMPANY_POLAR = 0x006b,
};

/* 2019-01-01, where an H10 begins to count after a change of battery. */
#define FIRST_TIME_NS UINT64_C(599616000000000000)

typedef struct {
  RadioHeart heart;
  bool streaming;
  unsigned rate_hz;
  unsigned range_g;
  uint64_t samples; /* since the start of the stream */
  int64_t started;
} Polar;

static PlUuid
polar_uuid(uint8_t last) {
  PlUuid uuid = {{0xfb, 0x00, 0x5c, last, 0x02, 0xe7, 0xf3, 0x87, 0x1c, 0xad, 0x8a, 0xcd, 0x2d,
                  0x8d, 0xf0, 0xc8}};
  return uuid;
}

static void
init(RadioSensor *sensor) {
  radio_heart_init(&((Polar *)sensor->state)->heart);
}

static void
build_gatt(RadioSensor *sensor) {
  /* What a read of the control point gives: acceleration only. */
  static const uint8_t features[17] = {0x0f, 0x04};
  radio_heart_build_gatt(sensor);
  radio_add_device_information(sensor, "Polar Electro Oy", "H10", "5.0.0");
  radio_add_battery_service(sensor);
  radio_gatt_add_service(sensor->gatt, polar_uuid(0x80));
  radio_gatt_add_characteristic(sensor->gatt, polar_uuid(0x81),
                                RADIO_PROPERTY_READ | RADIO_PROPERTY_WRITE |
                                    RADIO_PROPERTY_INDICATE,
                                features, sizeof features);
  radio_gatt_add_characteristic(sensor->gatt, polar_uuid(0x82), RADIO_PROPERTY_NOTIFY, NULL, 0);
}

static void
build_advertising(RadioSensor *sensor) {
  RadioAdvertising *advertising = &sensor->advertising;
  uint8_t bpm = ((const Polar *)sensor->state)->heart.bpm;
  uint8_t data[] = {0x33, 0x00, bpm, bpm};
  radio_advertise_service(sensor, radio_uuid16(0x180d));
  advertising->has_manufacturer = true;
  advertising->company = COMPANY_POLAR;
  advertising->manufacturer_length = sizeof data;
  memcpy(advertising->manufacturer, data, sizeof data);
}

static void
respond(RadioSensor *sensor, uint8_t op, uint8_t type, uint8_t status, const void *parameters,
        size_t length) {
  uint8_t value[64];
  RadioWriter w = radio_writer(value, sizeof value);
  radio_put_u8(&w, RESPONSE);
  radio_put_u8(&w, op);
  radio_put_u8(&w, type);
  radio_put_u8(&w, status);
  if (status == STATUS_OK) {
    radio_put_u8(&w, 0); /* nothing more follows */
    radio_put(&w, parameters, length);
  }
  PlUuid control = polar_uuid(0x81);
  radio_sensor_respond(sensor, &control, value, w.length);
}

static uint8_t
check_setting(uint8_t id, uint16_t value, Polar *wanted) {
  switch (id) {
  case SETTING_RATE:
    wanted->rate_hz = value;
    return value == 25 || value == 50 || value == 100 || value == 200 ? STATUS_OK
                                                                      : STATUS_INVALID_RATE;
  case SETTING_RESOLUTION:
    return value == RESOLUTION_BITS ? STATUS_OK : STATUS_INVALID_RESOLUTION;
  case SETTING_RANGE:
    wanted->range_g = value;
    return value == 2 || value == 4 || value == 8 ? STATUS_OK : STATUS_INVALID_RANGE;
  default:
    return STATUS_INVALID_PARAMETER;
  }
}

/* Every setting that the strap lists has to be chosen, each once. */
static uint8_t
read_settings(PlReader *in, Polar *wanted) {
  enum { ALL = 1 << SETTING_RATE | 1 << SETTING_RESOLUTION | 1 << SETTING_RANGE };
  unsigned seen = 0;
  while (pl_reader_left(in) > 0) {
    uint8_t id = pl_reader_u8(in);
    uint8_t count = pl_reader_u8(in);
    uint16_t value = pl_reader_u16(in);
    if (in->failed || count != 1)
      return STATUS_INVALID_LENGTH;
    uint8_t status = check_setting(id, value, wanted);
    if (status)
      return status;
    seen |= 1U << id;
  }
  return seen == ALL ? STATUS_OK : STATUS_INVALID_PARAMETER;
}

static uint8_t
start(RadioSensor *sensor, PlReader *in) {
  Polar *polar = sensor->state;
  Polar wanted = *polar;
  uint8_t status = read_settings(in, &wanted);
  if (status)
    return status;
  if (polar->streaming)
    return STATUS_ALREADY;
  if (sensor->att.mtu < MTU_NEEDED)
    return STATUS_INVALID_MTU;
  *polar = wanted;
  polar->streaming = true;
  polar->samples = 0;
  polar->started = 0;
  return STATUS_OK;
}

static uint8_t
stop(Polar *polar) {
  if (!polar->streaming)
    return STATUS_ALREADY;
  polar->streaming = false;
  return STATUS_OK;
}

static void
obey(RadioSensor *sensor, uint8_t op, uint8_t type, PlReader *in) {
  static const uint8_t settings[] = {0x00, 0x04, 0x19, 0x00, 0x32, 0x00, 0x64, 0x00,
                                     0xc8, 0x00, 0x01, 0x01, 0x10, 0x00, 0x02, 0x03,
                                     0x02, 0x00, 0x04, 0x00, 0x08, 0x00};
  static const uint8_t reserved = 1;
  if (type != TYPE_ACCELERATION)
    respond(sensor, op, type, STATUS_NOT_SUPPORTED, NULL, 0);
  else if (op == OP_SETTINGS)
    respond(sensor, op, type, STATUS_OK, settings, sizeof settings);
  else if (op == OP_START)
    respond(sensor, op, type, start(sensor, in), &reserved, 1);
  else if (op == OP_STOP)
    respond(sensor, op, type, stop(sensor->state), NULL, 0);
  else
    respond(sensor, op, type, STATUS_INVALID_OP, NULL, 0);
}

static uint8_t
written(RadioSensor *sensor, const RadioAttribute *attribute, const uint8_t *value,
        size_t length) {
  PlUuid control = polar_uuid(0x81);
  if (!pl_uuid_equal(&attribute->type, &control))
    return RADIO_ATT_OK;
  if (!radio_sensor_subscribed(sensor, &control))
    return ATT_CONFIGURATION_IMPROPER;
  PlReader in = pl_reader(value, length);
  uint8_t op = pl_reader_u8(&in);
  uint8_t type = pl_reader_u8(&in);
  if (in.failed)
    respond(sensor, op, type, STATUS_INVALID_LENGTH, NULL, 0);
  else
    obey(sensor, op, type, &in);
  return RADIO_ATT_OK;
}

static void
send_frame(RadioSensor *sensor, Polar *polar, int64_t now) {
  const double two_pi = 6.283185307179586;
  const double steps_hz = 2.8;
  uint8_t frame[FRAME_SIZE];
  RadioWriter w = radio_writer(frame, sizeof frame);
  uint64_t last = polar->samples + FRAME_SAMPLES - 1;
  radio_put_u8(&w, TYPE_ACCELERATION);
  radio_put_le(&w, FIRST_TIME_NS + last * UINT64_C(1000000000) / polar->rate_hz, 8);
  radio_put_u8(&w, 1);
  for (int i = 0; i < FRAME_SAMPLES; i++, polar->samples++) {
    double phase = two_pi * steps_hz * (double)polar->samples / polar->rate_hz;
    radio_put_u16(&w, (uint16_t)((int)(polar->samples % 64) - 32));
    radio_put_u16(&w, (uint16_t)lround(1000 + 500 * sin(phase)));
    radio_put_u16(&w, (uint16_t)lround(120 * sin(phase / 2)));
  }
  PlUuid data = polar_uuid(0x82);
  radio_sensor_send_value(sensor, &data, frame, w.length, now);
}

/* The stream goes on when the link is lost, as the real one does. */
static int64_t
run_frames(RadioSensor *sensor, Polar *polar, int64_t now) {
  if (!polar->streaming)
    return RADIO_NEVER;
  if (polar->started == 0)
    polar->started = now;
  for (;;) {
    int64_t end = (int64_t)(polar->samples + FRAME_SAMPLES) * 1000000 / polar->rate_hz;
    if (polar->started + end > now)
      return polar->started + end;
    send_frame(sensor, polar, now);
  }
}

static int64_t
run(RadioSensor *sensor, int64_t now) {
  Polar *polar = sensor->state;
  uint8_t bpm = polar->heart.bpm;
  int64_t next = radio_heart_run(sensor, &polar->heart, now);
  if (polar->heart.bpm != bpm)
    radio_sensor_refresh_advertising(sensor);
  return MIN(next, run_frames(sensor, polar, now));
}

static bool
set(RadioSensor *sensor, const char *key, const char *value) {
  return radio_heart_set(&((Polar *)sensor->state)->heart, key, value);
}

const RadioProfile radio_polar_h10 = {
    .kind = "polar-h10",
    .default_name = "Polar H10 0A1B2C3D",
    .state_size = sizeof(Polar),
    .init = init,
    .build_gatt = build_gatt,
    .build_advertising = build_advertising,
    .run = run,
    .set = set,
    .written = written,
};
