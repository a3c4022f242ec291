/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A checked cursor over bytes from the air.  A read past the end gives 0 and sets `failed`,
 * which stays set: read everything, test once. */
typedef struct {
  const uint8_t *data;
  size_t length;
  size_t position;
  bool failed;
} PlReader;

static inline PlReader
pl_reader(const uint8_t *data, size_t length) {
  return (PlReader){.data = data, .length = length};
}

static inline size_t
pl_reader_left(const PlReader *r) {
  return r->failed ? 0 : r->length - r->position;
}

/* The next `n` (at most 8) bytes, least significant first. */
static inline uint64_t
pl_reader_le(PlReader *r, size_t n) {
  if (n > pl_reader_left(r)) {
    r->failed = true;
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < n; i++)
    value |= (uint64_t)r->data[r->position + i] << (8 * i);
  r->position += n;
  return value;
}

static inline uint8_t
pl_reader_u8(PlReader *r) {
  return (uint8_t)pl_reader_le(r, 1);
}

static inline uint16_t
pl_reader_u16(PlReader *r) {
  return (uint16_t)pl_reader_le(r, 2);
}

static inline uint32_t
pl_reader_u32(PlReader *r) {
  return (uint32_t)pl_reader_le(r, 4);
}

static inline uint64_t
pl_reader_u64(PlReader *r) {
  return pl_reader_le(r, 8);
}

/* `n` (1 to 4) bytes as a two's complement number. */
static inline int32_t
pl_reader_signed(PlReader *r, size_t n) {
  uint32_t value = (uint32_t)pl_reader_le(r, n);
  uint32_t sign = UINT32_C(1) << (8 * n - 1);
  return (int32_t)((int64_t)(value ^ sign) - (int64_t)sign);
}

/* Four bytes as an IEEE 754 single: any pattern, so not a number and infinity too. */
static inline float
pl_reader_f32(PlReader *r) {
  uint32_t pattern = pl_reader_u32(r);
  float value;
  memcpy(&value, &pattern, sizeof value);
  return value;
}
