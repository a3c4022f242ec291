/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/sensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/radio/link.h"
#include "tests/e2e/radio/packet.h"
#include "tests/e2e/radio/text.h"

enum {
  SERVICE_FILLER = 0xfff0,
  DEFAULT_RSSI = -60,
  DEFAULT_INTERVAL_MS = 100,
  DEFAULT_PERIOD_MS = 1000,
  BATTERY_LEVEL = 0x2a19,
  DEFAULT_BATTERY_PCT = 88,
};

typedef struct {
  PlUuid uuid;
  GBytes *value;
} Response;

static void
free_response(void *data) {
  Response *response = data;
  g_bytes_unref(response->value);
  g_free(response);
}

static void
add_filler(RadioSensor *sensor) {
  if (sensor->table.filler == 0)
    return;
  radio_gatt_add_service(sensor->gatt, radio_uuid16(SERVICE_FILLER));
  for (unsigned i = 0; i < sensor->table.filler; i++)
    radio_gatt_add_characteristic(sensor->gatt, radio_uuid16((uint16_t)(0xe000 + i % 0x1000)),
                                  RADIO_PROPERTY_READ, NULL, 0);
}

static void
build_table(RadioSensor *sensor) {
  radio_gatt_free(sensor->gatt);
  sensor->gatt = radio_gatt_new(sensor->name);
  sensor->att.gatt = sensor->gatt;
  radio_gatt_skip_to(sensor->gatt, sensor->table.first_handle);
  sensor->profile->build_gatt(sensor);
  for (guint i = 0; i < sensor->table.removed->len; i++)
    radio_gatt_remove_service(sensor->gatt, g_ptr_array_index(sensor->table.removed, i));
  add_filler(sensor);
}

void
radio_sensor_refresh_advertising(RadioSensor *sensor) {
  sensor->advertising = (RadioAdvertising){.name = sensor->name};
  sensor->profile->build_advertising(sensor);
  radio_advertising_build(&sensor->advertising, &sensor->advertisement, &sensor->scan_response);
  sensor->reported = false;
}

RadioSensor *
radio_sensor_new(const RadioProfile *profile, const char *id, const char *address,
                 RadioJournal *journal) {
  RadioSensor *sensor = g_new0(RadioSensor, 1);
  sensor->profile = profile;
  sensor->id = g_strdup(id);
  sensor->name = g_strdup(profile->default_name);
  sensor->journal = journal;
  sensor->table.removed = g_ptr_array_new_with_free_func(g_free);
  sensor->advertises = true;
  sensor->advertising_interval_us = DEFAULT_INTERVAL_MS * 1000;
  sensor->period_us = DEFAULT_PERIOD_MS * 1000;
  sensor->rssi = DEFAULT_RSSI;
  sensor->battery_pct = DEFAULT_BATTERY_PCT;
  sensor->responses = g_queue_new();
  sensor->faults.in_range = true;
  radio_link_init(sensor);
  sensor->state = g_malloc0(MAX(profile->state_size, 1));
  if (profile->init)
    profile->init(sensor);
  if (!radio_parse_address(address, sensor->address)) {
    radio_sensor_free(sensor);
    return NULL;
  }
  radio_sensor_refresh_advertising(sensor);
  return sensor;
}

void
radio_sensor_free(RadioSensor *sensor) {
  if (!sensor)
    return;
  if (sensor->profile->clear)
    sensor->profile->clear(sensor);
  radio_link_clear(sensor);
  g_queue_free_full(sensor->responses, free_response);
  radio_gatt_free(sensor->gatt);
  g_ptr_array_unref(sensor->table.removed);
  g_free(sensor->state);
  g_free(sensor->name);
  g_free(sensor->id);
  g_free(sensor);
}

static bool
set_number(const char *value, int64_t low, int64_t high, int64_t factor, int64_t *target) {
  int64_t number;
  if (!radio_parse_number(value, low, high, &number))
    return false;
  *target = number * factor;
  return true;
}

static bool
set_address_type(RadioSensor *sensor, const char *value) {
  sensor->address_random = strcmp(value, "random") == 0;
  return sensor->address_random || strcmp(value, "public") == 0;
}

static bool
set_rssi(RadioSensor *sensor, const char *value) {
  int64_t rssi;
  if (!radio_parse_number(value, -127, 20, &rssi))
    return false;
  sensor->rssi = (int8_t)rssi;
  return true;
}

static bool
set_mtu(RadioSensor *sensor, const char *value) {
  int64_t mtu;
  if (!radio_parse_number(value, RADIO_ATT_MTU_DEFAULT, RADIO_ATT_MTU_MAX, &mtu))
    return false;
  sensor->att.mtu_max = (uint16_t)mtu;
  return true;
}

/* Reaches the central at the next run. */
static bool
set_battery(RadioSensor *sensor, const char *value) {
  int64_t battery;
  if (!radio_parse_number(value, 0, 255, &battery))
    return false;
  sensor->battery_pct = (uint8_t)battery;
  sensor->battery_changed = true;
  return true;
}

bool
radio_sensor_set(RadioSensor *sensor, const char *key, const char *value) {
  if (strcmp(key, "address-type") == 0)
    return set_address_type(sensor, value);
  if (strcmp(key, "address") == 0)
    return radio_parse_address(value, sensor->address);
  if (strcmp(key, "rssi") == 0)
    return set_rssi(sensor, value);
  if (strcmp(key, "mtu") == 0)
    return set_mtu(sensor, value);
  if (strcmp(key, "battery") == 0)
    return set_battery(sensor, value);
  if (strcmp(key, "interval-ms") == 0)
    return set_number(value, 20, 10240, 1000, &sensor->advertising_interval_us);
  if (strcmp(key, "period-ms") == 0)
    return set_number(value, 1, 60000, 1000, &sensor->period_us);
  if (strcmp(key, "name") == 0) {
    g_free(sensor->name);
    sensor->name = g_strcompress(value);
    radio_sensor_refresh_advertising(sensor);
    return true;
  }
  return sensor->profile->set && sensor->profile->set(sensor, key, value);
}

static int64_t
run_values(RadioSensor *sensor, int64_t now) {
  if (!sensor->profile->run)
    return RADIO_NEVER;
  return sensor->profile->run(sensor, now);
}

/* One walk of laps: near for the first part of each, too far away for the rest. */
static int64_t
run_walk(RadioSensor *sensor, int64_t now) {
  RadioFaults *faults = &sensor->faults;
  if (faults->lap_us == 0)
    return RADIO_NEVER;
  int64_t lap = (now - faults->lap_start) / faults->lap_us * faults->lap_us + faults->lap_start;
  int64_t leaves = lap + faults->lap_us - faults->lap_out_us;
  radio_sensor_set_range(sensor, now < leaves, now);
  return now < leaves ? leaves : lap + faults->lap_us;
}

/* Repeats the first value that the central subscribed to; what is behind its time is sent at
 * once, so that the rate holds on a slow machine too. */
static int64_t
run_flood(RadioSensor *sensor, int64_t now) {
  static const uint8_t value[] = {0x10, 0x78, 0x00, 0x02};
  RadioFaults *faults = &sensor->faults;
  if (faults->flood_step_us == 0 || now >= faults->flood_end) {
    faults->flood_step_us = 0;
    return RADIO_NEVER;
  }
  const RadioAttribute *attribute = radio_link_first_subscribed(sensor);
  for (; faults->flood_next <= now; faults->flood_next += faults->flood_step_us)
    if (attribute)
      radio_sensor_send_value(sensor, &attribute->type, value, sizeof value, now);
  return faults->flood_next;
}

void
radio_sensor_respond(RadioSensor *sensor, const PlUuid *uuid, const void *value,
                     size_t length) {
  Response *response = g_new(Response, 1);
  *response = (Response){*uuid, g_bytes_new(value, length)};
  g_queue_push_tail(sensor->responses, response);
}

static void
run_responses(RadioSensor *sensor, int64_t now) {
  Response *response;
  while ((response = g_queue_pop_head(sensor->responses))) {
    size_t length;
    const void *value = g_bytes_get_data(response->value, &length);
    radio_sensor_send_value(sensor, &response->uuid, value, length, now);
    free_response(response);
  }
}

static void
run_battery(RadioSensor *sensor, int64_t now) {
  if (!sensor->battery_changed || !sensor->link.up)
    return;
  sensor->battery_changed = false;
  PlUuid uuid = radio_uuid16(BATTERY_LEVEL);
  RadioAttribute *attribute = radio_gatt_value(sensor->gatt, &uuid);
  if (!attribute)
    return;
  radio_attribute_set(attribute, &sensor->battery_pct, 1);
  radio_sensor_send_value(sensor, &uuid, &sensor->battery_pct, 1, now);
}

int64_t
radio_sensor_run(RadioSensor *sensor, int64_t now) {
  run_responses(sensor, now);
  run_battery(sensor, now);
  int64_t next = run_walk(sensor, now);
  next = MIN(next, run_values(sensor, now));
  next = MIN(next, run_flood(sensor, now));
  return MIN(next, radio_link_flush(sensor, now));
}

void
radio_sensor_set_range(RadioSensor *sensor, bool in_range, int64_t now) {
  if (sensor->faults.in_range == in_range)
    return;
  sensor->faults.in_range = in_range;
  sensor->faults.out_of_range_since = now;
  radio_journal_write(sensor->journal, sensor->id, in_range ? "in-range" : "out-of-range",
                      NULL);
}

void
radio_sensor_link_up(RadioSensor *sensor, uint16_t handle, int64_t supervision_us) {
  build_table(sensor);
  sensor->link.up = true;
  sensor->link.handle = handle;
  sensor->link.supervision_us = supervision_us;
  sensor->link.fails_at = 0;
  sensor->att.mtu = RADIO_ATT_MTU_DEFAULT;
}

void
radio_sensor_link_down(RadioSensor *sensor) {
  g_queue_clear_full(sensor->responses, free_response);
  radio_link_drop(sensor);
}

void
radio_sensor_change_table(RadioSensor *sensor, int64_t now) {
  static const uint8_t all[] = {0x01, 0x00, 0xff, 0xff};
  static const uint8_t indicate[] = {0x02, 0x00};
  if (!sensor->link.up)
    return;
  /* The indication goes out under the handles of the old table.  Of the subscriptions only the
   * one to these indications outlives it, as after a firmware update. */
  PlUuid uuid = radio_uuid16(RADIO_SERVICE_CHANGED);
  bool listens = radio_sensor_send_value(sensor, &uuid, all, sizeof all, now);
  build_table(sensor);
  if (listens)
    radio_attribute_set(
        radio_gatt_configuration(sensor->gatt, radio_gatt_value(sensor->gatt, &uuid)), indicate,
        sizeof indicate);
}
