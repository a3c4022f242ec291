/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Civil time as text, in UTC and the proleptic Gregorian calendar.  Pure: no time zone, no
 * locale, no library of the system.  Leap seconds do not exist, as in Unix time. */

enum {
  PL_CIVIL_TEXT_SIZE = 25,    /* 2026-11-23T06:02:11.000Z */
  PL_CIVIL_COMPACT_SIZE = 17, /* 20261123T060211Z */
};

#define PL_CIVIL_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* ISO 8601 with milliseconds.  False, and an empty text, outside the years 1970 to 9999. */
bool pl_civil_format(int64_t unix_ms, char text[PL_CIVIL_TEXT_SIZE]);

/* The form without punctuation that stands in names of runs; milliseconds are cut off.  False,
 * and an empty text, outside the years 1970 to 9999. */
bool pl_civil_format_compact(int64_t unix_ms, char text[PL_CIVIL_COMPACT_SIZE]);

/* Reads `2026-11-23T06:02:11Z`, with or without a fraction of up to nine digits (cut off after
 * milliseconds), and with `Z` or an offset such as `+01:00`.  False, and nothing written, for
 * anything else and outside the years 1970 to 9999. */
bool pl_civil_parse(const char *text, int64_t *unix_ms);
