/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Numbers as decimal text, exact: the binary value is rounded once, half to even.  The same
 * bytes on every machine with IEEE 754 doubles. */

enum {
  PL_DECIMAL_PLACES_MAX = 9,
  PL_DECIMAL_TEXT_SIZE = 1 + 309 + 1 + PL_DECIMAL_PLACES_MAX + 1, /* the largest double */
  PL_DECIMAL_UNSIGNED_SIZE = 21,
};

/* Writes `value`, which is finite, rounded to `places` decimals (at most
 * PL_DECIMAL_PLACES_MAX), without zeros at the end and without a minus before a zero.  The
 * length, without the NUL that follows. */
size_t pl_decimal_format(double value, unsigned places, char text[PL_DECIMAL_TEXT_SIZE]);

size_t pl_decimal_format_unsigned(uint64_t value, char text[PL_DECIMAL_UNSIGNED_SIZE]);
