/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/core/uuid.h"

/* The advertising data of a peripheral (Core Specification 5.3, Vol 3, Part C, section 11). */

enum {
  RADIO_ADVERTISING_MAX = 31,
  RADIO_ADVERTISED_SERVICES_MAX = 4,
};

typedef struct {
  const char *name; /* NULL or empty: not sent */
  PlUuid services[RADIO_ADVERTISED_SERVICES_MAX];
  size_t n_services;
  bool has_manufacturer;
  uint16_t company;
  uint8_t manufacturer[RADIO_ADVERTISING_MAX]; /* without the company */
  size_t manufacturer_length;
} RadioAdvertising;

/* One advertisement and the scan response to it. */
typedef struct {
  uint8_t data[RADIO_ADVERTISING_MAX];
  uint8_t length;
} RadioAdvertisingData;

/* Flags, services and manufacturer data go into the advertisement, in this order, while they
 * fit; what does not fit and the name go into the scan response, the name shortened when it has
 * to be.  False when something other than the name's end had to be left out. */
bool radio_advertising_build(const RadioAdvertising *advertising,
                             RadioAdvertisingData *advertisement,
                             RadioAdvertisingData *scan_response);
