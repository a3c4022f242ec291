/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/decimal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
  MANTISSA_BITS = 53,
  LIMB_DIGITS = 9,
  LIMBS = 35, /* of nine digits: the largest double has 309 */
};

static const uint32_t limb_base = 1000000000;

/* value = mantissa * 2^exponent, exactly; the mantissa has 53 bits at most. */
static uint64_t
split(double value, int *exponent) {
  double fraction = frexp(value, exponent);
  *exponent -= MANTISSA_BITS;
  return (uint64_t)ldexp(fraction, MANTISSA_BITS);
}

/* A number of 128 bits. */
typedef struct {
  uint64_t high, low;
} Wide;

/* For a < 2^53 and b < 2^30. */
static Wide
multiply(uint64_t a, uint32_t b) {
  uint64_t low = (a & UINT32_MAX) * b;
  uint64_t middle = (a >> 32) * b + (low >> 32);
  return (Wide){.high = middle >> 32, .low = middle << 32 | (low & UINT32_MAX)};
}

/* round(value / 2^shift) for 1 <= shift < 128 and a result below 2^64.  A tie goes to the even
 * result; `odd` says that the result is to be taken as the other parity. */
static uint64_t
divide(Wide value, unsigned shift, bool odd) {
  uint64_t quotient;
  Wide rest; /* what is cut off, as a fraction of 2^128 */

  if (shift < 64) {
    quotient = value.low >> shift | value.high << (64 - shift);
    rest = (Wide){.high = value.low << (64 - shift)};
  } else if (shift == 64) {
    quotient = value.high;
    rest = (Wide){.high = value.low};
  } else {
    quotient = value.high >> (shift - 64);
    rest.high = value.high << (128 - shift) | value.low >> (shift - 64);
    rest.low = value.low << (128 - shift);
  }
  const uint64_t half = UINT64_C(1) << 63;
  bool tie = rest.high == half && rest.low == 0;
  if (tie ? ((quotient & 1) != 0) != odd : rest.high >= half)
    quotient++;
  return quotient;
}

size_t
pl_decimal_format_unsigned(uint64_t value, char text[PL_DECIMAL_UNSIGNED_SIZE]) {
  char digits[PL_DECIMAL_UNSIGNED_SIZE];
  size_t at = sizeof digits;

  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  size_t length = sizeof digits - at;
  memcpy(text, digits + at, length);
  text[length] = '\0';
  return length;
}

/* mantissa * 2^shift in full: numbers beyond 64 bits are whole. */
static size_t
format_huge(uint64_t mantissa, int shift, char *text) {
  uint32_t limbs[LIMBS] = {(uint32_t)(mantissa % limb_base), (uint32_t)(mantissa / limb_base)};
  int count = 2;

  while (shift > 0) {
    int step = shift < 29 ? shift : 29;
    uint64_t carry = 0;
    for (int i = 0; i < count || carry != 0; i++) {
      uint64_t limb = ((uint64_t)(i < count ? limbs[i] : 0) << step) + carry;
      limbs[i] = (uint32_t)(limb % limb_base);
      carry = limb / limb_base;
      count = i >= count ? i + 1 : count;
    }
    shift -= step;
  }
  size_t length = pl_decimal_format_unsigned(limbs[count - 1], text);
  for (int i = count - 2; i >= 0; i--) {
    uint32_t limb = limbs[i];
    for (int digit = LIMB_DIGITS - 1; digit >= 0; digit--) {
      text[length + (size_t)digit] = (char)('0' + limb % 10);
      limb /= 10;
    }
    length += LIMB_DIGITS;
  }
  text[length] = '\0';
  return length;
}

/* `.` and the fraction, unless it is 0. */
static size_t
format_fraction(uint64_t fraction, unsigned places, char *text) {
  if (fraction == 0)
    return 0;
  while (fraction % 10 == 0) {
    fraction /= 10;
    places--;
  }
  text[0] = '.';
  for (unsigned i = places; i > 0; i--) {
    text[i] = (char)('0' + fraction % 10);
    fraction /= 10;
  }
  text[places + 1] = '\0';
  return places + 1;
}

size_t
pl_decimal_format(double value, unsigned places, char text[PL_DECIMAL_TEXT_SIZE]) {
  static const uint32_t powers[PL_DECIMAL_PLACES_MAX + 1] = {
      1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
  int exponent;
  uint64_t mantissa = split(fabs(value), &exponent);
  size_t sign = value < 0 ? 1 : 0;

  text[0] = '-';
  if (exponent > 64 - MANTISSA_BITS)
    return sign + format_huge(mantissa, exponent, text + sign);
  if (exponent >= 0)
    return sign + pl_decimal_format_unsigned(mantissa << exponent, text + sign);

  unsigned shift = (unsigned)-exponent;
  uint64_t whole = shift < 64 ? mantissa >> shift : 0;
  uint64_t rest = shift < 64 ? mantissa & ((UINT64_C(1) << shift) - 1) : mantissa;
  /* Beyond 2^127 the product of 83 bits is next to nothing.  Without decimals it is the whole
   * part that decides a tie. */
  uint64_t fraction =
      shift < 128 ? divide(multiply(rest, powers[places]), shift, places == 0 && (whole & 1))
                  : 0;
  if (fraction == powers[places]) {
    whole++;
    fraction = 0;
  }
  if (whole == 0 && fraction == 0)
    sign = 0;
  size_t length = sign + pl_decimal_format_unsigned(whole, text + sign);
  return length + format_fraction(fraction, places, text + length);
}
