/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/e2e/radio/sensor.h"

/* The families of sensors, and what they share. */

extern const RadioProfile radio_heart_rate;
extern const RadioProfile radio_footpod;
extern const RadioProfile radio_polar_h10;
extern const RadioProfile radio_replay;

/* NULL when there is no such kind. */
const RadioProfile *radio_profile_find(const char *kind);

void radio_add_battery_service(RadioSensor *sensor);
void radio_add_device_information(RadioSensor *sensor, const char *manufacturer,
                                  const char *model, const char *firmware);
void radio_advertise_service(RadioSensor *sensor, PlUuid uuid);

/* A value that goes up and down by 1 between low and high, so that no two neighbours are equal.
 */
unsigned radio_triangle(unsigned count, unsigned low, unsigned high);

/* "on" or "off". */
bool radio_parse_switch(const char *text, bool *on);

/* A heart rate as sensors send it; the Polar strap has one too. */
typedef struct {
  unsigned fixed_bpm; /* 0: 120 to 170 and back, one beat a minute more or less each time */
  uint8_t contact;    /* the two contact bits of the flags */
  bool rr;
  bool energy;
  unsigned count;
  int64_t next_beat;
  uint8_t bpm; /* the last one sent */
} RadioHeart;

void radio_heart_init(RadioHeart *heart);
void radio_heart_build_gatt(RadioSensor *sensor);
int64_t radio_heart_run(RadioSensor *sensor, RadioHeart *heart, int64_t now);
bool radio_heart_set(RadioHeart *heart, const char *key, const char *value);
