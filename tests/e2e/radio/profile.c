/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/profile.h"

#include <string.h>

#include "tests/e2e/radio/packet.h"

const RadioProfile *
radio_profile_find(const char *kind) {
  static const RadioProfile *const all[] = {&radio_heart_rate, &radio_footpod, &radio_polar_h10,
                                            &radio_replay};
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    if (strcmp(all[i]->kind, kind) == 0)
      return all[i];
  return NULL;
}

void
radio_add_battery_service(RadioSensor *sensor) {
  radio_gatt_add_service(sensor->gatt, radio_uuid16(0x180f));
  radio_gatt_add_characteristic(sensor->gatt, radio_uuid16(0x2a19),
                                RADIO_PROPERTY_READ | RADIO_PROPERTY_NOTIFY,
                                &sensor->battery_pct, 1);
}

void
radio_add_device_information(RadioSensor *sensor, const char *manufacturer, const char *model,
                             const char *firmware) {
  RadioGatt *gatt = sensor->gatt;
  radio_gatt_add_service(gatt, radio_uuid16(0x180a));
  radio_gatt_add_characteristic(gatt, radio_uuid16(0x2a29), RADIO_PROPERTY_READ, manufacturer,
                                strlen(manufacturer));
  radio_gatt_add_characteristic(gatt, radio_uuid16(0x2a24), RADIO_PROPERTY_READ, model,
                                strlen(model));
  radio_gatt_add_characteristic(gatt, radio_uuid16(0x2a26), RADIO_PROPERTY_READ, firmware,
                                strlen(firmware));
}

void
radio_advertise_service(RadioSensor *sensor, PlUuid uuid) {
  RadioAdvertising *advertising = &sensor->advertising;
  if (advertising->n_services < RADIO_ADVERTISED_SERVICES_MAX)
    advertising->services[advertising->n_services++] = uuid;
}

unsigned
radio_triangle(unsigned count, unsigned low, unsigned high) {
  unsigned span = high - low;
  unsigned step = count % (2 * span);
  return low + (step < span ? step : 2 * span - step);
}

bool
radio_parse_switch(const char *text, bool *on) {
  *on = strcmp(text, "on") == 0;
  return *on || strcmp(text, "off") == 0;
}
