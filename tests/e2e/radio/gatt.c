/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/gatt.h"

#include <string.h>

#include "tests/e2e/radio/packet.h"

enum {
  SERVICE_GENERIC_ACCESS = 0x1800,
  SERVICE_GENERIC_ATTRIBUTE = 0x1801,
  DEVICE_NAME = 0x2a00,
  APPEARANCE = 0x2a01,
};

struct RadioGatt {
  GArray *attributes; /* RadioAttribute, ascending handles */
  uint32_t next_handle;
};

static void
clear_attribute(void *data) {
  g_free(((RadioAttribute *)data)->value);
}

/* Beyond the last handle nothing can be added, as on a real device. */
static void
append(RadioGatt *gatt, PlUuid type, uint8_t properties, const void *value, size_t length) {
  if (gatt->next_handle > UINT16_MAX)
    return;
  RadioAttribute attribute = {
      .handle = (uint16_t)gatt->next_handle++,
      .type = type,
      .properties = properties,
  };
  radio_attribute_set(&attribute, value, length);
  g_array_append_val(gatt->attributes, attribute);
}

RadioGatt *
radio_gatt_new(const char *device_name) {
  static const uint8_t unknown_appearance[2] = {0, 0};
  RadioGatt *gatt = g_new0(RadioGatt, 1);
  gatt->attributes = g_array_new(FALSE, FALSE, sizeof(RadioAttribute));
  g_array_set_clear_func(gatt->attributes, clear_attribute);
  gatt->next_handle = 1;
  radio_gatt_add_service(gatt, radio_uuid16(SERVICE_GENERIC_ACCESS));
  radio_gatt_add_characteristic(gatt, radio_uuid16(DEVICE_NAME), RADIO_PROPERTY_READ,
                                device_name, strlen(device_name));
  radio_gatt_add_characteristic(gatt, radio_uuid16(APPEARANCE), RADIO_PROPERTY_READ,
                                unknown_appearance, sizeof unknown_appearance);
  radio_gatt_add_service(gatt, radio_uuid16(SERVICE_GENERIC_ATTRIBUTE));
  radio_gatt_add_characteristic(gatt, radio_uuid16(RADIO_SERVICE_CHANGED),
                                RADIO_PROPERTY_INDICATE, NULL, 0);
  return gatt;
}

void
radio_gatt_free(RadioGatt *gatt) {
  if (!gatt)
    return;
  g_array_unref(gatt->attributes);
  g_free(gatt);
}

void
radio_gatt_skip_to(RadioGatt *gatt, uint16_t handle) {
  gatt->next_handle = MAX(gatt->next_handle, handle);
}

void
radio_gatt_add_service(RadioGatt *gatt, PlUuid uuid) {
  uint8_t value[16];
  RadioWriter w = radio_writer(value, sizeof value);
  radio_put_uuid(&w, &uuid);
  append(gatt, radio_uuid16(RADIO_TYPE_PRIMARY_SERVICE), RADIO_PROPERTY_READ, value, w.length);
}

void
radio_gatt_add_characteristic(RadioGatt *gatt, PlUuid uuid, uint8_t properties,
                              const void *value, size_t length) {
  static const uint8_t off[2] = {0, 0};
  uint8_t declaration[19];
  RadioWriter w = radio_writer(declaration, sizeof declaration);
  radio_put_u8(&w, properties);
  radio_put_u16(&w, (uint16_t)(gatt->next_handle + 1));
  radio_put_uuid(&w, &uuid);
  append(gatt, radio_uuid16(RADIO_TYPE_CHARACTERISTIC), RADIO_PROPERTY_READ, declaration,
         w.length);
  append(gatt, uuid, properties, value, length);
  if (properties & (RADIO_PROPERTY_NOTIFY | RADIO_PROPERTY_INDICATE))
    append(gatt, radio_uuid16(RADIO_TYPE_CLIENT_CONFIGURATION),
           RADIO_PROPERTY_READ | RADIO_PROPERTY_WRITE, off, sizeof off);
}

static bool
has_type(const RadioAttribute *attribute, uint16_t type) {
  PlUuid uuid = radio_uuid16(type);
  return pl_uuid_equal(&attribute->type, &uuid);
}

static size_t
index_after_group(const RadioGatt *gatt, size_t index) {
  do
    index++;
  while (index < gatt->attributes->len &&
         !has_type(radio_gatt_at(gatt, index), RADIO_TYPE_PRIMARY_SERVICE));
  return index;
}

bool
radio_gatt_remove_service(RadioGatt *gatt, const PlUuid *uuid) {
  for (size_t i = 0; i < gatt->attributes->len; i++) {
    const RadioAttribute *attribute = radio_gatt_at(gatt, i);
    PlUuid service;
    if (has_type(attribute, RADIO_TYPE_PRIMARY_SERVICE) &&
        radio_uuid_from_air(attribute->value, attribute->length, &service) &&
        pl_uuid_equal(&service, uuid)) {
      g_array_remove_range(gatt->attributes, (guint)i, (guint)(index_after_group(gatt, i) - i));
      return true;
    }
  }
  return false;
}

size_t
radio_gatt_count(const RadioGatt *gatt) {
  return gatt->attributes->len;
}

RadioAttribute *
radio_gatt_at(const RadioGatt *gatt, size_t index) {
  return &g_array_index(gatt->attributes, RadioAttribute, index);
}

size_t
radio_gatt_lower_bound(const RadioGatt *gatt, uint16_t handle) {
  size_t low = 0;
  size_t high = gatt->attributes->len;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (radio_gatt_at(gatt, middle)->handle < handle)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

RadioAttribute *
radio_gatt_by_handle(const RadioGatt *gatt, uint16_t handle) {
  size_t index = radio_gatt_lower_bound(gatt, handle);
  if (index == gatt->attributes->len)
    return NULL;
  RadioAttribute *attribute = radio_gatt_at(gatt, index);
  return attribute->handle == handle ? attribute : NULL;
}

RadioAttribute *
radio_gatt_value(const RadioGatt *gatt, const PlUuid *uuid) {
  for (size_t i = 1; i < gatt->attributes->len; i++) {
    RadioAttribute *attribute = radio_gatt_at(gatt, i);
    if (pl_uuid_equal(&attribute->type, uuid) &&
        has_type(attribute - 1, RADIO_TYPE_CHARACTERISTIC))
      return attribute;
  }
  return NULL;
}

RadioAttribute *
radio_gatt_configuration(const RadioGatt *gatt, const RadioAttribute *value) {
  RadioAttribute *next = radio_gatt_by_handle(gatt, (uint16_t)(value->handle + 1));
  return next && has_type(next, RADIO_TYPE_CLIENT_CONFIGURATION) ? next : NULL;
}

RadioAttribute *
radio_gatt_configured(const RadioGatt *gatt, const RadioAttribute *configuration) {
  if (!has_type(configuration, RADIO_TYPE_CLIENT_CONFIGURATION))
    return NULL;
  return radio_gatt_by_handle(gatt, (uint16_t)(configuration->handle - 1));
}

uint16_t
radio_gatt_group_end(const RadioGatt *gatt, size_t index) {
  return radio_gatt_at(gatt, index_after_group(gatt, index) - 1)->handle;
}

void
radio_attribute_set(RadioAttribute *attribute, const void *value, size_t length) {
  length = MIN(length, RADIO_VALUE_MAX);
  uint8_t *copy = g_memdup2(value, length);
  g_free(attribute->value);
  attribute->value = copy;
  attribute->length = (uint16_t)length;
}

void
radio_gatt_reset_configurations(RadioGatt *gatt) {
  for (size_t i = 0; i < gatt->attributes->len; i++) {
    RadioAttribute *attribute = radio_gatt_at(gatt, i);
    if (has_type(attribute, RADIO_TYPE_CLIENT_CONFIGURATION))
      memset(attribute->value, 0, attribute->length);
  }
}
