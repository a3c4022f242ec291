/* SPDX-License-Identifier: Apache-2.0 */
/* A data frame, least significant byte first:
 *
 *   MM TT TT TT TT TT TT TT TT FF samples...
 *
 *   M measurement in b0-5: 2 acceleration
 *   T time of the LAST sample, ns
 *   F frame type in b0-6, b7 compressed
 *
 * Raw acceleration (F 00, 01, 02): x y z of 1, 2 or 3 bytes each, two's complement, milli-g.
 *
 * Compressed (F 80, 81): one whole sample, then blocks of differences:
 *
 *   XX XX YY YY ZZ ZZ | WW NN bits... | WW NN bits... | ...
 *
 *   W width of one difference in bits; 0: nothing changed
 *   N samples in the block
 *   bits: x y z x y z ..., each W bits wide, two's complement, least significant bit of the
 *   first byte first, filled up to a whole byte
 *
 * The sums times the sensor's factor are g (80) or milli-g (81). */
#include "plugins/polar-pmd/frame.h"

#include "gateway/core/bytes.h"

enum {
  MEASUREMENT_MASK = 0x3f,
  FRAME_COMPRESSED_G = 0x80,
  FRAME_COMPRESSED_MILLI_G = 0x81,
  FRAME_RAW_TYPES = 3, /* 0, 1 and 2: one, two and three bytes a number */
  REFERENCE_BYTES = 2,
  WIDTH_MAX = 32,
};

static PlStatus
read_raw(PlPmdFrame *frame, PlReader *r, size_t bytes) {
  while (pl_reader_left(r) >= bytes * PL_PMD_AXES && frame->count < PL_PMD_SAMPLES_MAX) {
    for (unsigned axis = 0; axis < PL_PMD_AXES; axis++)
      frame->value[frame->count][axis] = pl_reader_signed(r, bytes);
    frame->count++;
  }
  frame->span = frame->count;
  if (frame->count == 0)
    return PL_SHORT;
  return pl_reader_left(r) > 0 ? PL_TRAILING : PL_OK;
}

/* `width` (0 to 32) bits from bit number `at`, two's complement. */
static int32_t
read_bits(const uint8_t *data, size_t at, unsigned width) {
  uint32_t value = 0;

  for (unsigned got = 0; got < width;) {
    unsigned skip = (unsigned)((at + got) % 8);
    unsigned take = 8 - skip < width - got ? 8 - skip : width - got;
    uint32_t bits = ((uint32_t)data[(at + got) / 8] >> skip) & ((1U << take) - 1);
    value |= bits << got;
    got += take;
  }
  if (width == 0 || width == WIDTH_MAX)
    return (int32_t)value;
  uint32_t sign = UINT32_C(1) << (width - 1);
  return (int32_t)((value ^ sign) - sign);
}

/* Sums may wrap: garbage in, garbage out, but no undefined behaviour. */
static int32_t
add_wrapping(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* Adds one block's samples; it has been checked to fit. */
static void
read_differences(PlPmdFrame *frame, const uint8_t *bits, unsigned width, unsigned count) {
  size_t at = 0;

  for (unsigned i = 0; i < count; i++) {
    const int32_t *before = frame->value[frame->count - 1];
    int32_t *now = frame->value[frame->count];
    for (unsigned axis = 0; axis < PL_PMD_AXES; axis++) {
      now[axis] = add_wrapping(before[axis], read_bits(bits, at, width));
      at += width;
    }
    frame->count++;
  }
}

static PlStatus
read_block(PlPmdFrame *frame, PlReader *r) {
  unsigned width = pl_reader_u8(r);
  unsigned count = pl_reader_u8(r);
  size_t bytes = ((size_t)width * count * PL_PMD_AXES + 7) / 8;

  frame->span += count;
  if (width > WIDTH_MAX) {
    frame->count = 0;
    return PL_BAD_VALUE;
  }
  if (bytes > pl_reader_left(r))
    return PL_SHORT;
  if (frame->count + count > PL_PMD_SAMPLES_MAX)
    return PL_BAD_VALUE;
  read_differences(frame, r->data + r->position, width, count);
  r->position += bytes;
  return PL_OK;
}

static PlStatus
read_compressed(PlPmdFrame *frame, PlReader *r) {
  if (pl_reader_left(r) < (size_t)REFERENCE_BYTES * PL_PMD_AXES)
    return PL_SHORT;
  for (unsigned axis = 0; axis < PL_PMD_AXES; axis++)
    frame->value[0][axis] = pl_reader_signed(r, REFERENCE_BYTES);
  frame->count = frame->span = 1;

  while (pl_reader_left(r) >= 2) {
    PlStatus status = read_block(frame, r);
    if (status != PL_OK)
      return status;
  }
  return pl_reader_left(r) > 0 ? PL_TRAILING : PL_OK;
}

PlStatus
pl_pmd_frame(PlPmdFrame *frame, const uint8_t *data, size_t length, double factor) {
  PlReader r = pl_reader(data, length);
  unsigned measurement = pl_reader_u8(&r) & MEASUREMENT_MASK;
  uint64_t last_ns = pl_reader_u64(&r);
  unsigned type = pl_reader_u8(&r);

  frame->last_ns = 0;
  frame->count = frame->span = 0;
  frame->scale_mg = 1;
  if (r.failed)
    return PL_SHORT;
  if (measurement != PL_PMD_ACCELERATION)
    return PL_UNSUPPORTED;
  if (last_ns > INT64_MAX)
    return PL_BAD_VALUE;
  frame->last_ns = (int64_t)last_ns;
  if (type < FRAME_RAW_TYPES)
    return read_raw(frame, &r, type + 1);
  if (type != FRAME_COMPRESSED_G && type != FRAME_COMPRESSED_MILLI_G)
    return PL_UNSUPPORTED;
  frame->scale_mg = type == FRAME_COMPRESSED_G ? factor * 1000 : factor;
  return read_compressed(frame, &r);
}
