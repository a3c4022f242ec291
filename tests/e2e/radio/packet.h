/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gateway/core/uuid.h"

/* A bounded writer of a packet, least significant byte first.  A write that does not fit sets
 * `overflow` and changes nothing. */
typedef struct {
  uint8_t *data;
  size_t size;
  size_t length;
  bool overflow;
} RadioWriter;

static inline RadioWriter
radio_writer(uint8_t *data, size_t size) {
  return (RadioWriter){.data = data, .size = size};
}

static inline size_t
radio_writer_left(const RadioWriter *w) {
  return w->size - w->length;
}

static inline void
radio_put(RadioWriter *w, const void *bytes, size_t length) {
  if (length > radio_writer_left(w)) {
    w->overflow = true;
    return;
  }
  if (length > 0)
    memcpy(w->data + w->length, bytes, length);
  w->length += length;
}

/* The low `n` (at most 8) bytes of a number. */
static inline void
radio_put_le(RadioWriter *w, uint64_t value, size_t n) {
  uint8_t bytes[8];
  for (size_t i = 0; i < n; i++)
    bytes[i] = (uint8_t)(value >> (8 * i));
  radio_put(w, bytes, n);
}

static inline void
radio_put_u8(RadioWriter *w, uint8_t value) {
  radio_put_le(w, value, 1);
}

static inline void
radio_put_u16(RadioWriter *w, uint16_t value) {
  radio_put_le(w, value, 2);
}

static inline PlUuid
radio_uuid16(uint16_t value) {
  PlUuid uuid = PL_UUID16(0);
  uuid.byte[2] = (uint8_t)(value >> 8);
  uuid.byte[3] = (uint8_t)value;
  return uuid;
}

/* Whether the UUID has a 16-bit form. */
static inline bool
radio_uuid_is_short(const PlUuid *uuid) {
  PlUuid shortened = radio_uuid16((uint16_t)(uuid->byte[2] << 8 | uuid->byte[3]));
  return pl_uuid_equal(uuid, &shortened);
}

/* The bytes that a UUID takes on the air: 2 or 16. */
static inline size_t
radio_uuid_size(const PlUuid *uuid) {
  return radio_uuid_is_short(uuid) ? 2 : 16;
}

static inline void
radio_put_uuid(RadioWriter *w, const PlUuid *uuid) {
  uint8_t reversed[16];
  for (size_t i = 0; i < 16; i++)
    reversed[i] = uuid->byte[15 - i];
  if (radio_uuid_is_short(uuid))
    radio_put(w, reversed + 12, 2);
  else
    radio_put(w, reversed, sizeof reversed);
}

/* Reads a UUID of 2 or 16 bytes as it is on the air; false for any other length. */
static inline bool
radio_uuid_from_air(const uint8_t *bytes, size_t length, PlUuid *uuid) {
  if (length == 2) {
    *uuid = radio_uuid16((uint16_t)(bytes[0] | bytes[1] << 8));
    return true;
  }
  if (length != 16)
    return false;
  for (size_t i = 0; i < 16; i++)
    uuid->byte[i] = bytes[15 - i];
  return true;
}
