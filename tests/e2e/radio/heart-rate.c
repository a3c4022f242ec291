/* SPDX-License-Identifier: Apache-2.0 */
/* A heart-rate strap: Heart Rate 180D (2A37, 2A38), Battery, Device Information.
 *
 * 2A37: flags, heart rate u8, [energy u16 kJ], [RR intervals u16 of 1/1024 s, oldest first] */
#include <string.h>

#include "tests/e2e/radio/packet.h"
#include "tests/e2e/radio/profile.h"
#include "tests/e2e/radio/text.h"

enum {
  FLAG_CONTACT = 0x02,
  FLAG_CONTACT_SUPPORTED = 0x04,
  FLAG_ENERGY = 0x08,
  FLAG_RR = 0x10,
  LOCATION_CHEST = 1,
  LOW_BPM = 120,
  HIGH_BPM = 170,
  RR_MAX = 8, /* of one packet at the smallest MTU, energy included */
  VALUE_MAX = 20,
};

void
radio_heart_init(RadioHeart *heart) {
  heart->rr = true;
}

void
radio_heart_build_gatt(RadioSensor *sensor) {
  static const uint8_t location = LOCATION_CHEST;
  radio_gatt_add_service(sensor->gatt, radio_uuid16(0x180d));
  radio_gatt_add_characteristic(sensor->gatt, radio_uuid16(0x2a37), RADIO_PROPERTY_NOTIFY, NULL,
                                0);
  radio_gatt_add_characteristic(sensor->gatt, radio_uuid16(0x2a38), RADIO_PROPERTY_READ,
                                &location, 1);
}

/* The intervals of the beats up to `now`. */
static void
put_intervals(RadioWriter *w, RadioHeart *heart, int64_t now) {
  int64_t interval = INT64_C(60000000) / heart->bpm;
  if (heart->next_beat == 0)
    heart->next_beat = now;
  for (int n = 0; heart->next_beat <= now && n < RR_MAX; n++) {
    radio_put_u16(w, (uint16_t)((interval * 1024 + 500000) / 1000000));
    heart->next_beat += interval;
  }
  if (heart->next_beat <= now) /* after a pause: the beats in between were not measured */
    heart->next_beat = now + interval;
}

static void
measure(RadioSensor *sensor, RadioHeart *heart, int64_t at, int64_t now) {
  uint8_t value[VALUE_MAX];
  RadioWriter w = radio_writer(value, sizeof value);
  unsigned bpm =
      heart->fixed_bpm ? heart->fixed_bpm : radio_triangle(heart->count, LOW_BPM, HIGH_BPM);
  heart->bpm = (uint8_t)bpm;
  radio_put_u8(&w, (uint8_t)(heart->contact | (heart->energy ? FLAG_ENERGY : 0) |
                             (heart->rr ? FLAG_RR : 0)));
  radio_put_u8(&w, heart->bpm);
  if (heart->energy)
    radio_put_u16(&w, (uint16_t)(heart->count / 4));
  if (heart->rr)
    put_intervals(&w, heart, at);
  heart->count++;
  PlUuid uuid = radio_uuid16(0x2a37);
  radio_sensor_send_value(sensor, &uuid, value, w.length, now);
}

int64_t
radio_heart_run(RadioSensor *sensor, RadioHeart *heart, int64_t now) {
  for (; sensor->next_value <= now; sensor->next_value += sensor->period_us)
    measure(sensor, heart, sensor->next_value, now);
  return sensor->next_value;
}

static bool
set_contact(RadioHeart *heart, const char *value) {
  static const struct {
    const char *text;
    uint8_t bits;
  } all[] = {
      {"none", 0},
      {"on", FLAG_CONTACT_SUPPORTED | FLAG_CONTACT},
      {"off", FLAG_CONTACT_SUPPORTED},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
    if (strcmp(value, all[i].text) == 0) {
      heart->contact = all[i].bits;
      return true;
    }
  }
  return false;
}

bool
radio_heart_set(RadioHeart *heart, const char *key, const char *value) {
  if (strcmp(key, "bpm") == 0) {
    int64_t bpm = 0;
    if (strcmp(value, "ramp") != 0 && !radio_parse_number(value, 1, 255, &bpm))
      return false;
    heart->fixed_bpm = (unsigned)bpm;
    return true;
  }
  if (strcmp(key, "contact") == 0)
    return set_contact(heart, value);
  if (strcmp(key, "rr") == 0)
    return radio_parse_switch(value, &heart->rr);
  return strcmp(key, "energy") == 0 && radio_parse_switch(value, &heart->energy);
}

static void
init(RadioSensor *sensor) {
  radio_heart_init(sensor->state);
}

static void
build_gatt(RadioSensor *sensor) {
  radio_heart_build_gatt(sensor);
  radio_add_battery_service(sensor);
  radio_add_device_information(sensor, "Plumbline", "Radio strap", "1.0");
}

static void
build_advertising(RadioSensor *sensor) {
  radio_advertise_service(sensor, radio_uuid16(0x180d));
}

static int64_t
run(RadioSensor *sensor, int64_t now) {
  return radio_heart_run(sensor, sensor->state, now);
}

static bool
set(RadioSensor *sensor, const char *key, const char *value) {
  return radio_heart_set(sensor->state, key, value);
}

const RadioProfile radio_heart_rate = {
    .kind = "heart-rate",
    .default_name = "Radio strap",
    .state_size = sizeof(RadioHeart),
    .init = init,
    .build_gatt = build_gatt,
    .build_advertising = build_advertising,
    .run = run,
    .set = set,
};
