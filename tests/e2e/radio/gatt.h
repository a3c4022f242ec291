/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/core/uuid.h"

/* The attribute table of one peripheral (Core Specification 5.3, Vol 3, Part G). */

enum {
  RADIO_PROPERTY_READ = 0x02,
  RADIO_PROPERTY_WRITE_COMMAND = 0x04,
  RADIO_PROPERTY_WRITE = 0x08,
  RADIO_PROPERTY_NOTIFY = 0x10,
  RADIO_PROPERTY_INDICATE = 0x20,
};

enum {
  RADIO_TYPE_PRIMARY_SERVICE = 0x2800,
  RADIO_TYPE_CHARACTERISTIC = 0x2803,
  RADIO_TYPE_CLIENT_CONFIGURATION = 0x2902,
  RADIO_SERVICE_CHANGED = 0x2a05,
};

enum { RADIO_VALUE_MAX = 512 };

typedef struct {
  uint16_t handle;
  PlUuid type;
  uint8_t properties; /* RADIO_PROPERTY_*: what the attribute permits */
  uint16_t length;
  uint8_t *value; /* owned by the table */
} RadioAttribute;

typedef struct RadioGatt RadioGatt;

/* A table with the Generic Access and Generic Attribute services that every device has, from
 * handle 1 on. */
RadioGatt *radio_gatt_new(const char *device_name);
void radio_gatt_free(RadioGatt *gatt);

/* The next attribute gets this handle, unless those before it have reached it already. */
void radio_gatt_skip_to(RadioGatt *gatt, uint16_t handle);

void radio_gatt_add_service(RadioGatt *gatt, PlUuid uuid);

/* Adds declaration, value and, for notify or indicate, the client configuration to the newest
 * service.  The value may be NULL when the length is 0. */
void radio_gatt_add_characteristic(RadioGatt *gatt, PlUuid uuid, uint8_t properties,
                                   const void *value, size_t length);

/* Removes a service with all that is in it; the handles of the others stay, so a hole remains.
 * False when there is none. */
bool radio_gatt_remove_service(RadioGatt *gatt, const PlUuid *uuid);

size_t radio_gatt_count(const RadioGatt *gatt);
RadioAttribute *radio_gatt_at(const RadioGatt *gatt, size_t index);

/* The index of the first attribute whose handle is at least `handle`: radio_gatt_count() when
 * there is none. */
size_t radio_gatt_lower_bound(const RadioGatt *gatt, uint16_t handle);

/* NULL when no attribute has this handle. */
RadioAttribute *radio_gatt_by_handle(const RadioGatt *gatt, uint16_t handle);

/* The value of the first characteristic with this UUID, or NULL. */
RadioAttribute *radio_gatt_value(const RadioGatt *gatt, const PlUuid *uuid);

/* The client configuration of a characteristic's value, or NULL. */
RadioAttribute *radio_gatt_configuration(const RadioGatt *gatt, const RadioAttribute *value);

/* The characteristic's value that a client configuration belongs to, or NULL. */
RadioAttribute *radio_gatt_configured(const RadioGatt *gatt,
                                      const RadioAttribute *configuration);

/* The last handle of the service declared at `index`. */
uint16_t radio_gatt_group_end(const RadioGatt *gatt, size_t index);

/* Lengths beyond RADIO_VALUE_MAX are cut. */
void radio_attribute_set(RadioAttribute *attribute, const void *value, size_t length);

/* Client configurations do not outlive a link with a central that is not bonded. */
void radio_gatt_reset_configurations(RadioGatt *gatt);
