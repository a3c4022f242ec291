/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/advertising.h"

#include <string.h>

#include "tests/e2e/radio/packet.h"

enum {
  TYPE_FLAGS = 0x01,
  TYPE_SERVICES_16 = 0x03,
  TYPE_SERVICES_128 = 0x07,
  TYPE_NAME_SHORT = 0x08,
  TYPE_NAME = 0x09,
  TYPE_MANUFACTURER = 0xff,
  FLAGS_GENERAL_LE_ONLY = 0x06,
  FIELD_HEAD = 2,
};

typedef struct {
  RadioWriter advertisement;
  RadioWriter scan_response;
} Pair;

static void
put_field(RadioWriter *w, uint8_t type, const uint8_t *data, size_t length) {
  radio_put_u8(w, (uint8_t)(length + 1));
  radio_put_u8(w, type);
  radio_put(w, data, length);
}

static bool
place(Pair *pair, uint8_t type, const uint8_t *data, size_t length) {
  RadioWriter *targets[] = {&pair->advertisement, &pair->scan_response};
  for (size_t i = 0; i < 2; i++) {
    if (radio_writer_left(targets[i]) >= FIELD_HEAD + length) {
      put_field(targets[i], type, data, length);
      return true;
    }
  }
  return false;
}

/* All services of one size share a field. */
static bool
place_services(Pair *pair, const RadioAdvertising *advertising, size_t size, uint8_t type) {
  uint8_t list[16 * RADIO_ADVERTISED_SERVICES_MAX];
  RadioWriter w = radio_writer(list, sizeof list);
  for (size_t i = 0; i < advertising->n_services; i++)
    if (radio_uuid_size(&advertising->services[i]) == size)
      radio_put_uuid(&w, &advertising->services[i]);
  return w.length == 0 || place(pair, type, list, w.length);
}

static bool
place_manufacturer(Pair *pair, const RadioAdvertising *advertising) {
  uint8_t data[2 + RADIO_ADVERTISING_MAX];
  RadioWriter w = radio_writer(data, sizeof data);
  radio_put_u16(&w, advertising->company);
  radio_put(&w, advertising->manufacturer, advertising->manufacturer_length);
  return place(pair, TYPE_MANUFACTURER, data, w.length);
}

static void
put_name(RadioWriter *w, const char *name) {
  size_t length = strlen(name);
  size_t left = radio_writer_left(w);
  if (left <= FIELD_HEAD)
    return;
  bool whole = length <= left - FIELD_HEAD;
  put_field(w, whole ? TYPE_NAME : TYPE_NAME_SHORT, (const uint8_t *)name,
            whole ? length : left - FIELD_HEAD);
}

bool
radio_advertising_build(const RadioAdvertising *advertising,
                        RadioAdvertisingData *advertisement,
                        RadioAdvertisingData *scan_response) {
  static const uint8_t flags = FLAGS_GENERAL_LE_ONLY;
  Pair pair = {
      .advertisement = radio_writer(advertisement->data, RADIO_ADVERTISING_MAX),
      .scan_response = radio_writer(scan_response->data, RADIO_ADVERTISING_MAX),
  };
  put_field(&pair.advertisement, TYPE_FLAGS, &flags, 1);
  bool complete = place_services(&pair, advertising, 2, TYPE_SERVICES_16);
  complete &= place_services(&pair, advertising, 16, TYPE_SERVICES_128);
  if (advertising->has_manufacturer)
    complete &= place_manufacturer(&pair, advertising);
  if (advertising->name && *advertising->name)
    put_name(&pair.scan_response, advertising->name);
  advertisement->length = (uint8_t)pair.advertisement.length;
  scan_response->length = (uint8_t)pair.scan_response.length;
  return complete;
}
