/* SPDX-License-Identifier: Apache-2.0 */
/* A footpod: Running Speed and Cadence 1814 (2A53, 2A54, 2A5D), Battery, Device Information.
 *
 * 2A53: flags, speed u16 of 1/256 m/s, cadence u8, stride length u16 cm, distance u32 of 0.1 m
 */
#include <string.h>

#include "tests/e2e/radio/packet.h"
#include "tests/e2e/radio/profile.h"
#include "tests/e2e/radio/text.h"

enum {
  FLAG_LENGTH = 0x01,
  FLAG_DISTANCE = 0x02,
  FLAG_RUNNING = 0x04,
  FEATURES = 0x07, /* length, distance, walking or running */
  LOCATION_TOP_OF_SHOE = 1,
  RUNNING_FROM_MM_S = 2000,
  LOW_CADENCE = 80, /* strides a minute */
  HIGH_CADENCE = 90,
  LOW_SPEED_CM_S = 270,
  HIGH_SPEED_CM_S = 330,
  VALUE_MAX = 10,
};

typedef struct {
  int64_t fixed_speed_mm_s; /* -1: 2.7 to 3.3 m/s and back, 1 cm/s more or less each time */
  int64_t fixed_cadence;    /* -1: 80 to 90 strides a minute and back */
  bool steps;               /* sends steps a minute, as some makers do */
  bool extras;              /* length and distance */
  unsigned count;
  int64_t distance_um;
} Footpod;

static void
init(RadioSensor *sensor) {
  Footpod *pod = sensor->state;
  pod->fixed_speed_mm_s = -1;
  pod->fixed_cadence = -1;
  pod->extras = true;
}

static void
build_gatt(RadioSensor *sensor) {
  static const uint8_t features[2] = {FEATURES, 0};
  static const uint8_t location = LOCATION_TOP_OF_SHOE;
  radio_gatt_add_service(sensor->gatt, radio_uuid16(0x1814));
  radio_gatt_add_characteristic(sensor->gatt, radio_uuid16(0x2a53), RADIO_PROPERTY_NOTIFY, NULL,
                                0);
  radio_gatt_add_characteristic(sensor->gatt, radio_uuid16(0x2a54), RADIO_PROPERTY_READ,
                                features, sizeof features);
  radio_gatt_add_characteristic(sensor->gatt, radio_uuid16(0x2a5d), RADIO_PROPERTY_READ,
                                &location, 1);
  radio_add_battery_service(sensor);
  radio_add_device_information(sensor, "Plumbline", "Radio pod", "1.0");
}

static void
build_advertising(RadioSensor *sensor) {
  radio_advertise_service(sensor, radio_uuid16(0x1814));
}

static void
measure(RadioSensor *sensor, Footpod *pod, int64_t now) {
  int64_t speed = pod->fixed_speed_mm_s >= 0
                      ? pod->fixed_speed_mm_s
                      : 10 * radio_triangle(pod->count, LOW_SPEED_CM_S, HIGH_SPEED_CM_S);
  int64_t strides = pod->fixed_cadence >= 0
                        ? pod->fixed_cadence
                        : radio_triangle(pod->count, LOW_CADENCE, HIGH_CADENCE);
  pod->count++;
  pod->distance_um += speed * sensor->period_us / 1000;
  uint8_t value[VALUE_MAX];
  RadioWriter w = radio_writer(value, sizeof value);
  radio_put_u8(&w, (uint8_t)((pod->extras ? FLAG_LENGTH | FLAG_DISTANCE : 0) |
                             (speed >= RUNNING_FROM_MM_S ? FLAG_RUNNING : 0)));
  radio_put_u16(&w, (uint16_t)((speed * 256 + 500) / 1000));
  radio_put_u8(&w, (uint8_t)(pod->steps ? 2 * strides : strides));
  if (pod->extras) {
    radio_put_u16(&w, (uint16_t)(strides > 0 ? speed * 6 / strides : 0));
    radio_put_le(&w, (uint64_t)(pod->distance_um / 100000), 4);
  }
  PlUuid uuid = radio_uuid16(0x2a53);
  radio_sensor_send_value(sensor, &uuid, value, w.length, now);
}

static int64_t
run(RadioSensor *sensor, int64_t now) {
  for (; sensor->next_value <= now; sensor->next_value += sensor->period_us)
    measure(sensor, sensor->state, now);
  return sensor->next_value;
}

static bool
set(RadioSensor *sensor, const char *key, const char *value) {
  Footpod *pod = sensor->state;
  if (strcmp(key, "speed-mm-s") == 0)
    return radio_parse_number(value, -1, 65535, &pod->fixed_speed_mm_s);
  if (strcmp(key, "cadence") == 0)
    return radio_parse_number(value, -1, 127, &pod->fixed_cadence);
  if (strcmp(key, "steps") == 0)
    return radio_parse_switch(value, &pod->steps);
  return strcmp(key, "extras") == 0 && radio_parse_switch(value, &pod->extras);
}

const RadioProfile radio_footpod = {
    .kind = "footpod",
    .default_name = "Radio pod",
    .state_size = sizeof(Footpod),
    .init = init,
    .build_gatt = build_gatt,
    .build_advertising = build_advertising,
    .run = run,
    .set = set,
};
